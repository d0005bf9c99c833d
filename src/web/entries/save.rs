//! Checking what was typed, and publishing it: the file, the new index, the closed loop, the audit log.

use std::time::Duration;

use chrono::Utc;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::site::{Site, slow};
use super::seed::Origin;
use super::sheet::Sheet;
use crate::answer::ReplyKind;
use crate::desk::{self, Desk};
use crate::journal::{JournalError, redact};
use crate::knowledge::edit::{Before, Checked, EditError, EntryForm, Fault, Field, check, save};

/// A page waits this long for a new index; it is made ready anyway.
const PATIENCE: Duration = Duration::from_secs(12);

/// How publishing went.
pub(super) enum Outcome {
    /// Residents are answered from it.
    InUse,
    /// Written; the index is still being made.
    Later,
    /// Nothing was changed.
    NotWritten(String),
    /// Written, but the old library stays in use.
    NotInUse(String),
}

/// Has the checker look at a form, and at what the checker does not know: personal data.
pub(super) async fn judged(
    site: &Site,
    sheet: &Sheet,
    before: Option<Before>,
) -> Result<Result<Checked, EditError>, WebError> {
    let stale = before.as_ref().is_some_and(|b| b.state != sheet.state);
    let (paths, form) = (site.paths.clone(), sheet.form.clone());
    let desk = site.desk.clone();
    let judging = slow(move || {
        let checked = check(&paths.library, &paths.load_options(), &form, before);
        (checked, stopped(&desk, &form))
    });
    let (checked, stopped) = judging.await?;
    Ok(checked.map(|mut checked| {
        checked.warnings.extend(stopped);
        checked.faults.extend(personal(&sheet.form));
        if stale {
            checked.faults.insert(
                0,
                Fault {
                    field: None,
                    message:
                        "您打开之后，同事改过这一条。写的都在这里：请另开一个窗口看看他改了什么，\
                              再从那里改"
                            .to_owned(),
                },
            );
        }
        checked
    }))
}

/// Ways of asking that the guard answers before anything is searched.
fn stopped(desk: &Desk, form: &EntryForm) -> Vec<Fault> {
    let ways = form.phrasings.lines().map(str::trim);
    ways.filter(|way| !way.is_empty())
        .filter_map(|way| {
            let reply = desk.rehearse(way)?.0;
            // A warning before the answer takes the answer away from nobody.
            let answered = matches!(reply.kind, ReplyKind::Answer | ReplyKind::Choices);
            let rule = reply.rule.filter(|_| !answered)?;
            let kind = labels::kind(reply.kind.as_str());
            Some(Fault {
                field: Some(Field::Phrasings),
                message: format!(
                    "“{way}”会先被安全闸当成“{kind}”接住（规则 {rule}），居民这样问看不到这一条：换个说法，或改 risk.toml"
                ),
            })
        })
        .collect()
}

/// What residents' words may have brought in.
fn personal(form: &EntryForm) -> Vec<Fault> {
    let mut form = form.clone();
    let fields = Field::ALL.into_iter();
    fields
        .filter(|field| !matches!(field, Field::Topic | Field::Reviewed))
        .filter_map(|field| {
            let text = form.text_of(field)?;
            let message = if text.contains('［') {
                "还有打码的地方，改写掉"
            } else if redact(text) != *text {
                "像是有电话、证件号、网址这样的内容，去掉它"
            } else {
                return None;
            };
            Some(Fault {
                field: Some(field),
                message: message.to_owned(),
            })
        })
        .collect()
}

/// Writes a checked entry and puts it into use.
pub(super) async fn published(
    site: &Site,
    visit: &Visit,
    checked: Checked,
    origin: &Origin,
) -> Result<Outcome, WebError> {
    let who = visit.member()?.name.clone();
    let Some(entry) = &checked.entry else {
        return Ok(Outcome::NotWritten("没有读出问答".to_owned()));
    };
    let action = if checked.is_new() {
        "新写问答"
    } else {
        "修改问答"
    };
    let subject = format!("{}“{}”{}", entry.id, entry.question, origin.told());
    let site = site.clone();
    // A task of its own: what was begun is finished when nobody waits for the page any more.
    let publishing = tokio::spawn(async move {
        let root = site.paths.library.clone();
        if let Err(error) = slow(move || save(&root, &checked, Utc::now())).await? {
            return Ok(Outcome::NotWritten(error.to_string()));
        }
        site.audit.note(&who, action, &subject).await?;
        note_entries(&site).await?;
        if let Err(error) = desk::reload(&site.desk, &site.paths, false).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a saved entry is not in use"
            );
            return Ok(Outcome::NotInUse(error.to_string()));
        }
        note_entries(&site).await?;
        Ok::<_, WebError>(Outcome::InUse)
    });
    match tokio::time::timeout(PATIENCE, publishing).await {
        Ok(done) => done.map_err(|e| WebError::Journal(std::io::Error::other(e).into()))?,
        Err(_) => Ok(Outcome::Later),
    }
}

/// From the day that the journal first saw an entry the closed loop is measured.
async fn note_entries(site: &Site) -> Result<(), JournalError> {
    let library = site.desk.library();
    let entries = library.entries.iter().map(|entry| entry.id.0.as_str());
    site.journal.note_entries(entries, Utc::now()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_no_part_of_an_entry() {
        let form = EntryForm {
            phrasings: "打13800138000找我".into(),
            answer: "找［手机号］".into(),
            limits: "2026-11-23 以前".into(),
            contacts: "法律咨询：12348".into(),
            ..EntryForm::default()
        };
        let fields: Vec<_> = personal(&form).iter().map(|f| f.field).collect();
        assert_eq!(fields, [Some(Field::Answer), Some(Field::Phrasings)]);
    }
}

//! What a new entry begins with: the words of a gap, or of a hand-over and its answer.

use chrono::Utc;
use serde::Deserialize;

use super::super::error::WebError;
use super::super::gaps::gap_of;
use super::super::site::Site;
use crate::journal::{RowId, local_day};
use crate::knowledge::Library;
use crate::knowledge::edit::EntryForm;

/// Phrasings filled in.
const MOST: usize = 12;
/// Longer words are a story and no way of asking.
const LONGEST: usize = 60;
/// The number that every entry may name.
const HOTLINE: &str = "12348";

/// Where an entry comes from, as the address says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Origin {
    /// A question in a gap.
    gap: String,
    /// A hand-over.
    handover: String,
    /// What was done just now.
    pub saved: String,
}

/// Words without the marks of what was redacted.
fn unmarked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('［') {
        out.push_str(before);
        rest = after.split_once('］').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ways of asking out of residents' words.
fn ways(texts: &[String]) -> Vec<String> {
    let texts: Vec<String> = texts.iter().map(|text| unmarked(text)).collect();
    let short = |text: &&String| (2..=LONGEST).contains(&text.chars().count());
    let mut ways: Vec<String> = texts.iter().filter(short).cloned().collect();
    if ways.is_empty() {
        ways = texts;
    }
    ways.retain(|way| !way.is_empty());
    ways.truncate(MOST);
    ways
}

fn as_question(way: &str) -> String {
    match way.chars().last() {
        Some('？' | '?') | None => way.to_owned(),
        Some(_) => format!("{}？", way.trim_end_matches(['。', '！', '!', '，'])),
    }
}

impl Origin {
    /// What goes on naming it.
    pub fn query(&self) -> String {
        let known = [("gap", &self.gap), ("handover", &self.handover)];
        let known = known.iter().filter(|(_, value)| !value.is_empty());
        serde_urlencoded::to_string(known.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// For the audit log.
    pub fn told(&self) -> &'static str {
        match (self.gap.is_empty(), self.handover.is_empty()) {
            (false, _) => "，来自知识缺口",
            (_, false) => "，来自找人问",
            _ => "",
        }
    }

    async fn texts(&self, site: &Site) -> Result<(Option<String>, Vec<String>), WebError> {
        let Ok(id) = self.gap.parse::<RowId>() else {
            return Ok((None, Vec::new()));
        };
        if let Some(found) = gap_of(site, id).await? {
            return Ok(found);
        }
        // Answered meanwhile: its own words are still there, perhaps.
        let row = site.log.find(id).await?;
        let topic = row
            .as_ref()
            .and_then(|row| row.right_topic().map(str::to_owned));
        Ok((topic, row.and_then(|row| row.text).into_iter().collect()))
    }

    /// The form of a new entry.
    pub async fn form(&self, site: &Site) -> Result<EntryForm, WebError> {
        let library = site.desk.library();
        let mut form = EntryForm {
            reviewed: local_day(Utc::now()).to_string(),
            ..EntryForm::default()
        };
        if let Some(hotline) = library.hotlines.iter().find(|h| h.number == HOTLINE) {
            form.contacts = format!("{}：{}", hotline.name, hotline.number);
        }
        if let Ok(id) = self.handover.parse() {
            let found = site.handovers.find(id).await?;
            let handover = found.ok_or(WebError::NotFound)?;
            form.topic = sub_topic(&library, handover.topic.as_deref());
            form.answer = unmarked(&handover.reply.unwrap_or_default());
            form.source = "居民提问（找人问）".to_owned();
            fill(&mut form, handover.text.as_slice());
            let row = site.log.find(handover.question).await?;
            let place = row.and_then(|row| row.place);
            form.places
                .extend(place.filter(|p| library.place(p).is_some()));
        } else if !self.gap.is_empty() {
            let (topic, texts) = self.texts(site).await?;
            form.topic = sub_topic(&library, topic.as_deref());
            form.source = "居民提问（知识缺口）".to_owned();
            fill(&mut form, &texts);
        }
        Ok(form)
    }

    /// Adds the words of a gap to an entry that should answer them.
    pub async fn add_phrasings(&self, site: &Site, form: &mut EntryForm) -> Result<(), WebError> {
        let (_, texts) = self.texts(site).await?;
        for way in ways(&texts) {
            if !form.phrasings.lines().any(|known| known == way) && form.question != way {
                form.phrasings.push('\n');
                form.phrasings.push_str(&way);
            }
        }
        Ok(())
    }
}

fn sub_topic(library: &Library, id: Option<&str>) -> String {
    let known = id.and_then(|id| library.topic(id));
    let known = known.filter(|topic| !topic.is_top());
    known.map_or_else(String::new, |topic| topic.id.clone())
}

/// The first way of asking becomes the question, the others stay ways of asking.
fn fill(form: &mut EntryForm, texts: &[String]) {
    let ways = ways(texts);
    if let Some((first, others)) = ways.split_first() {
        form.question = as_question(first);
        form.phrasings = others.join("\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residents_words_become_ways_of_asking() {
        let long = "长".repeat(61);
        let texts = ["打［手机号］问的，咋办", "［链接］", &long, "工钱 不给。"];
        let texts = texts.map(str::to_owned);
        let mut form = EntryForm::default();
        fill(&mut form, &texts);
        assert_eq!(form.question, "打问的，咋办？");
        assert_eq!(form.phrasings, "工钱 不给。");
        assert_eq!(ways(&texts[2..3]), [long.as_str()]);
        assert_eq!(as_question("行吗?"), "行吗?");
    }
}

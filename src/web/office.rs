//! What an office may change of its configuration: written into qijin.toml, with the old file kept.

use std::path::Path;

use askama::Template;
use axum::extract::Form;
use axum::response::Response;
use chrono::Utc;

use super::error::WebError;
use super::forms::Fields;
use super::gate::Visit;
use super::page::Choice;
use super::page::{Page, Said, show};
use super::site::Site;
use crate::config::{Config, Edit, is_writable};
use crate::knowledge::Library;
use crate::ledger::Region;
use crate::report::poster::bot_name;

/// The longest name of an office, in characters: it must fit a poster and the top bar.
const MAX_NAME: usize = 40;
const MAX_CONTACT: usize = 120;
/// Ten years.
const MAX_DAYS: u32 = 3650;
const MAX_REGIONS: usize = 500;

/// One thing that can be changed: its name in the form, its section and key, what staff call it, and
/// whether pages use it at once.
struct Setting {
    field: &'static str,
    section: &'static str,
    key: &'static str,
    label: &'static str,
    live: bool,
}

const fn setting(
    field: &'static str,
    section: &'static str,
    key: &'static str,
    label: &'static str,
    live: bool,
) -> Setting {
    Setting {
        field,
        section,
        key,
        label,
        live,
    }
}

const SETTINGS: [Setting; 7] = [
    setting("name", "office", "name", "单位名称", false),
    setting("contact", "office", "contact", "联系方式", false),
    setting("township", "regions", "township", "乡镇名称", true),
    setting("regions", "regions", "list", "村(社区)", true),
    setting("bot", "telegram", "bot", "机器人的用户名", true),
    setting("days", "journal", "retention_days", "原话保留天数", false),
    setting("preset", "places", "preset", "七进场所", false),
];

/// A value as the form and comparisons have it.
fn text_of(edit: &Edit, field: &str) -> String {
    match field {
        "name" => edit.name.clone(),
        "contact" => edit.contact.clone(),
        "township" => edit.township.clone(),
        "regions" => lines_of(&edit.regions),
        "bot" => edit.bot.clone().unwrap_or_default(),
        "days" => edit.retention_days.to_string(),
        _ => edit.preset.clone().unwrap_or_default(),
    }
}

/// `r01 青石村`, one a line.
fn lines_of(regions: &[Region]) -> String {
    let line = |r: &Region| format!("{} {}", r.code, r.name);
    regions.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Regions as typed: a code and a name a line, or a name alone. That keeps the code it has among
/// `held`, or gets the next one that nobody has: questions and printed links hold codes.
fn regions_of(text: &str, held: &[Region]) -> Result<Vec<Region>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut all: Vec<(Option<String>, String)> = Vec::new();
    for line in lines {
        let split = line.split_once(|c: char| c.is_whitespace() || ",，、".contains(c));
        match split.filter(|(code, _)| Region::is_code(code)) {
            Some((code, name)) => all.push((Some(code.to_owned()), name.trim().to_owned())),
            None => {
                let known = held.iter().find(|region| region.name == line);
                all.push((known.map(|region| region.code.clone()), line.to_owned()));
            }
        }
    }
    if all.len() > MAX_REGIONS {
        return Err(format!("最多 {MAX_REGIONS} 个"));
    }
    let mut regions: Vec<Region> = Vec::new();
    let mut next = 1;
    for at in 0..all.len() {
        let (code, name) = all[at].clone();
        let code = code.unwrap_or_else(|| {
            let taken = |code: &str| {
                let typed = all.iter().any(|(c, _)| c.as_deref() == Some(code));
                typed || regions.iter().chain(held).any(|r| r.code == code)
            };
            while taken(&format!("r{next:02}")) {
                next += 1;
            }
            format!("r{next:02}")
        });
        if name.is_empty() || name.chars().count() > 20 || name.chars().any(char::is_control) {
            return Err(format!("第 {} 个：名称要有 1 到 20 个字", at + 1));
        }
        if regions.iter().any(|r| r.code == code || r.name == name) {
            return Err(format!("“{code} {name}”和前面的重复"));
        }
        regions.push(Region { code, name });
    }
    Ok(regions)
}

/// What was typed over `held`: settings that something else decides stay as the file has them.
fn edited(
    held: &Edit,
    fields: &Fields,
    config: &Config,
    library: &Library,
) -> Result<Edit, Vec<(&'static str, String)>> {
    let mut faults = Vec::new();
    let mut edit = held.clone();
    for setting in &SETTINGS {
        if config
            .origin
            .decided_by(setting.section, setting.key)
            .is_some()
        {
            continue;
        }
        let text = fields.text(setting.field);
        let text = text.trim();
        let chars = text.chars().count();
        let broken = text.chars().any(|c| c.is_control() && c != '\n');
        let one_line = !broken && !text.contains('\n');
        let mut fault = |why: String| faults.push((setting.field, why));
        match setting.field {
            "name" if one_line && (1..=MAX_NAME).contains(&chars) => {
                text.clone_into(&mut edit.name)
            }
            "name" => fault(format!("要有 1 到 {MAX_NAME} 个字，没有换行")),
            "contact" if one_line && chars <= MAX_CONTACT => text.clone_into(&mut edit.contact),
            "contact" => fault(format!("最多 {MAX_CONTACT} 个字，写成一行")),
            "township" if one_line && chars <= MAX_NAME => text.clone_into(&mut edit.township),
            "township" => fault(format!("最多 {MAX_NAME} 个字，没有换行")),
            "regions" => match regions_of(text, &held.regions) {
                Ok(regions) => edit.regions = regions,
                Err(why) => fault(why),
            },
            "bot" if text.is_empty() => edit.bot = None,
            "bot" => match bot_name(text) {
                Ok(bot) => edit.bot = Some(bot.to_owned()),
                Err(why) => fault(why),
            },
            "days" => match text.parse() {
                Ok(days) if days <= MAX_DAYS => edit.retention_days = days,
                _ => fault(format!("要写 0 到 {MAX_DAYS} 的整数；0 就是从不保存")),
            },
            _ if text.is_empty() => edit.preset = None,
            _ if library.presets.iter().any(|p| p.id == text) => {
                edit.preset = Some(text.to_owned())
            }
            _ => fault("没有这套场所".to_owned()),
        }
    }
    match faults.is_empty() {
        true => Ok(edit),
        false => Err(faults),
    }
}

/// Labels of the settings in which two differ.
fn differing(a: &Edit, b: &Edit, wanted: impl Fn(&Setting) -> bool) -> Vec<&'static str> {
    let all = SETTINGS.iter().filter(|s| wanted(s));
    let differ = all.filter(|s| text_of(a, s.field) != text_of(b, s.field));
    differ.map(|s| s.label).collect()
}

/// What stands in the file and waits for a restart.
pub(super) fn waiting(config: &Config) -> Vec<&'static str> {
    let Ok((held, _)) = Edit::in_file(&config.origin.file) else {
        return Vec::new();
    };
    let by_file = |s: &Setting| config.origin.decided_by(s.section, s.key).is_none();
    differing(&held, &Edit::of(config), by_file)
}

/// A field as the page shows it.
struct Shown {
    value: String,
    error: String,
    /// What decides it instead of the file.
    decided_by: Option<String>,
}

#[derive(Template)]
#[template(path = "office.html", config = "src/web/askama.toml")]
struct OfficePage {
    page: Page,
    file: String,
    seen: String,
    /// Why the file cannot be written.
    locked: Option<String>,
    waiting: String,
    name: Shown,
    contact: Shown,
    township: Shown,
    regions: Shown,
    bot: Shown,
    days: Shown,
    presets: Vec<Choice>,
    preset: Shown,
}

async fn render(
    site: &Site,
    visit: &Visit,
    typed: Option<&Fields>,
    faults: &[(&'static str, String)],
    said: Said,
) -> Result<Response, WebError> {
    let (config, library) = (site.config(), site.desk.library());
    let file = &config.origin.file;
    let running = Edit::of(&config);
    let (held, seen, locked) = match Edit::in_file(file) {
        Ok((held, seen)) => {
            let locked = is_writable(file).err();
            (
                held,
                seen,
                locked.map(|e| format!("{} 写不了（{e}）", file.display())),
            )
        }
        Err(error) => (running.clone(), String::new(), Some(error.to_string())),
    };
    // After a fault the form goes back as it came, with the content it was made from.
    let seen = typed.map_or(seen, |fields| fields.text("seen"));
    let field = |name: &'static str| {
        let setting = SETTINGS.iter().find(|s| s.field == name);
        let decided_by = setting.and_then(|s| config.origin.decided_by(s.section, s.key));
        let own = faults.iter().find(|(at, _)| *at == name);
        Shown {
            value: match (decided_by, typed) {
                (Some(_), _) => text_of(&running, name),
                (None, Some(fields)) => fields.text(name),
                (None, None) => text_of(&held, name),
            },
            error: own.map_or_else(String::new, |(_, why)| why.clone()),
            decided_by: decided_by.map(str::to_owned),
        }
    };
    let preset = field("preset");
    let mut presets = vec![Choice::new("", "资料库的默认", &preset.value)];
    presets.extend(
        library
            .presets
            .iter()
            .map(|p| Choice::new(p.id.clone(), p.name.clone(), &preset.value)),
    );
    let page = Page::new(site, visit, "改单位配置", "/settings").await?;
    let page = page.said(said);
    show(&OfficePage {
        page,
        file: file.display().to_string(),
        seen,
        locked,
        waiting: waiting(&config).join("、"),
        name: field("name"),
        contact: field("contact"),
        township: field("township"),
        regions: field("regions"),
        bot: field("bot"),
        days: field("days"),
        presets,
        preset,
    })
}

/// `GET /settings/office`. Where there are several offices the file belongs to all of them.
pub(super) async fn page(site: Site, visit: Visit) -> Result<Response, WebError> {
    if site.several {
        return Err(WebError::NotFound);
    }
    render(&site, &visit, None, &[], Said::Nothing).await
}

/// `POST /settings/office`
pub(super) async fn save(
    site: Site,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    if site.several {
        return Err(WebError::NotFound);
    }
    let (fields, config) = (Fields(fields), site.config());
    // Two who save at once: the second is told that the file changed.
    let _turn = site.turn().await?;
    let file: &Path = &config.origin.file;
    let failed = async |faults: &[(&'static str, String)], why: String| {
        render(&site, &visit, Some(&fields), faults, Said::Failed(why)).await
    };
    let held = match Edit::in_file(file) {
        Ok((held, _)) => held,
        Err(error) => return failed(&[], error.to_string()).await,
    };
    let edit = match edited(&held, &fields, &config, &site.desk.library()) {
        Ok(edit) => edit,
        Err(faults) => {
            let why = format!(
                "有 {} 处不对，没有保存。写的都还在，改好再保存。",
                faults.len()
            );
            return failed(&faults, why).await;
        }
    };
    let written = match edit.write(file, &fields.text("seen"), Utc::now()) {
        Ok(written) => written,
        Err(error) => return failed(&[], error.to_string()).await,
    };
    let changed = differing(&held, &written.edit, |_| true);
    if changed.is_empty() {
        let said = Said::Done("没有改动，什么都没有写。".to_owned());
        return render(&site, &visit, None, &[], said).await;
    }
    site.take_up(&written.edit);
    let who = &visit.member()?.name;
    site.audit.note(who, "改配置", &changed.join("、")).await?;
    let mut said = format!("已保存到 {}。", file.display());
    if let Some(backup) = &written.backup {
        said.push_str(&format!("原来的另存为 {}。", backup.display()));
    }
    let live = differing(&held, &written.edit, |s| s.live);
    let later = differing(&held, &written.edit, |s| !s.live);
    if !live.is_empty() {
        said.push_str(&format!("\n马上生效：{}。", live.join("、")));
    }
    if !later.is_empty() {
        said.push_str(&format!(
            "\n重新启动 qijin serve 以后生效：{}。",
            later.join("、")
        ));
    }
    render(&site, &visit, None, &[], Said::Done(said)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_with_and_without_codes() {
        let read = |text: &str| regions_of(text, &[]).map(|all| lines_of(&all));
        assert_eq!(
            read("r02 河东社区\n\n青石村\r\nr05，北坡村\n 南坡村 ").unwrap(),
            "r02 河东社区\nr01 青石村\nr05 北坡村\nr03 南坡村"
        );
        assert_eq!(read("").unwrap(), "");
        for bad in ["r01 甲\nr01 乙", "甲\n甲", "r01 ", &"长".repeat(21)] {
            // A code without a name is a name: it may look so, but it is one.
            assert_eq!(read(bad).is_err(), bad != "r01 ", "{bad}");
        }
    }

    #[test]
    fn a_village_keeps_its_code_and_no_other_gets_it() {
        let held = regions_of("青石村\n河东社区\n北坡村", &[]).unwrap();
        let read = |text: &str| lines_of(&regions_of(text, &held).unwrap());
        // Questions and printed links of 青石村 are not 新村's.
        assert_eq!(read("新村\nr02 河东社区"), "r04 新村\nr02 河东社区");
        assert_eq!(read("北坡村\n青石村"), "r03 北坡村\nr01 青石村");
    }
}

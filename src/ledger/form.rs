//! An activity as staff write it: every cell judged, every fault told with its column.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::{Column, Regions};
use crate::journal::{Activity, Medium, redact};
use crate::knowledge::Library;

/// More people or leaflets than this is a slip of the finger.
const MOST: u32 = 1_000_000;
/// A longer activity is several.
const MOST_DAYS: i64 = 366;
const SEPARATORS: [char; 7] = ['｜', '|', '，', ',', '；', ';', '\n'];

/// Reads an activity from its cells.
///
/// # Errors
/// With everything that is wrong, each with its column.
pub fn read<'a>(
    cell: impl Fn(Column) -> &'a str,
    library: &Library,
    regions: &Regions,
) -> Result<Activity, Vec<(Column, String)>> {
    let mut form = Form {
        cell: &|column| cell(column).trim(),
        faults: Vec::new(),
    };
    let from = form.day(Column::From);
    let to = form.day(Column::To).or(from);
    if let (Some(from), Some(to)) = (from, to) {
        let days = (to - from).num_days();
        if days < 0 {
            form.fault(Column::To, "比开始日期还早".into());
        } else if days > MOST_DAYS {
            form.fault(Column::To, "比开始日期晚了一年多：请分成几次活动".into());
        }
    }
    let topic = |word: &str| topic_of(library, word);
    let place = |word: &str| {
        let named = |p: &&crate::knowledge::Place| {
            p.id == word || p.name == word || p.aliases.iter().any(|alias| alias == word)
        };
        library.places.iter().find(named).map(|p| p.id.clone())
    };
    let region = |word: &str| regions.code_of(word).map(str::to_owned);
    let whole = !regions.township.is_empty() && (form.cell)(Column::Regions) == regions.township;
    let activity = Activity {
        title: form.text(Column::Title),
        from: from.unwrap_or_default(),
        to: to.unwrap_or_default(),
        places: form.names(Column::Places, place, "没有这个场所"),
        topics: form.names(Column::Topics, topic, "资料库里没有这个主题"),
        regions: match whole {
            true => Vec::new(),
            false => form.names(
                Column::Regions,
                region,
                "qijin.toml 的 [regions] 里没有这个村(社区)",
            ),
        },
        venue: form.text(Column::Venue),
        media: form.names(Column::Media, Medium::of_name, "没有这种形式"),
        unit: form.text(Column::Unit),
        person: form.text(Column::Person),
        attendance: form.count(Column::Attendance),
        materials: form.count(Column::Materials),
        note: form.text(Column::Note),
        attachments: form.names(Column::Attachments, |word| Some(word.to_owned()), ""),
    };
    for column in [Column::Title, Column::From, Column::Media] {
        form.must(column);
    }
    for column in [Column::Places, Column::Unit] {
        form.must(column);
    }
    match form.faults.is_empty() {
        true => Ok(activity),
        false => {
            form.faults.sort_by_key(|(column, _)| *column);
            Err(form.faults)
        }
    }
}

/// The cells of an activity, as [`read`] reads them.
pub fn cells(
    activity: &Activity,
    library: &Library,
    regions: &Regions,
) -> BTreeMap<Column, String> {
    let topic = |id: &String| {
        let found = library.topics.iter().find(|t| t.id == *id);
        // Names of topics are not unique, ids are.
        found.map_or_else(|| id.clone(), crate::knowledge::import::topic_choice)
    };
    let place = |id: &String| {
        let found = library.place(id);
        found.map_or_else(|| id.clone(), |place| place.name.clone())
    };
    let joined = |names: Vec<String>| names.join("｜");
    let count = |count: Option<u32>| count.map_or_else(String::new, |n| n.to_string());
    let region = |code: &String| regions.name_of(code).to_owned();
    let medium = |medium: &Medium| medium.name().to_owned();
    BTreeMap::from([
        (Column::Title, activity.title.clone()),
        (Column::From, activity.from.to_string()),
        (Column::To, activity.to.to_string()),
        (
            Column::Media,
            joined(activity.media.iter().map(medium).collect()),
        ),
        (
            Column::Topics,
            joined(activity.topics.iter().map(topic).collect()),
        ),
        (
            Column::Places,
            joined(activity.places.iter().map(place).collect()),
        ),
        (
            Column::Regions,
            joined(activity.regions.iter().map(region).collect()),
        ),
        (Column::Venue, activity.venue.clone()),
        (Column::Unit, activity.unit.clone()),
        (Column::Person, activity.person.clone()),
        (Column::Attendance, count(activity.attendance)),
        (Column::Materials, count(activity.materials)),
        (Column::Note, activity.note.clone()),
        (Column::Attachments, joined(activity.attachments.clone())),
    ])
}

struct Form<'a> {
    cell: &'a dyn Fn(Column) -> &'a str,
    faults: Vec<(Column, String)>,
}

impl Form<'_> {
    fn fault(&mut self, column: Column, message: String) {
        self.faults.push((column, message));
    }

    fn must(&mut self, column: Column) {
        if (self.cell)(column).is_empty() {
            self.fault(column, "必须填".into());
        }
    }

    fn text(&mut self, column: Column) -> String {
        let text = (self.cell)(column);
        self.judge(column, text);
        // The ledger is kept for years: nobody's number belongs into it.
        if redact(text) != text {
            let message = "像是有电话、身份证号或银行卡号：台账里不记这些，请删掉";
            self.fault(column, message.into());
        }
        text.to_owned()
    }

    fn judge(&mut self, column: Column, text: &str) {
        let (chars, most) = (text.chars().count(), column.most_chars());
        if chars > most {
            self.fault(column, format!("有 {chars} 个字，最多 {most} 个"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            self.fault(column, "有看不见的控制字符，请重新打一遍".into());
        }
    }

    fn day(&mut self, column: Column) -> Option<NaiveDate> {
        let text = (self.cell)(column);
        if text.is_empty() {
            return None;
        }
        let forms = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"];
        let mut days = forms
            .iter()
            .filter_map(|form| NaiveDate::parse_from_str(text, form).ok());
        let day = days.next().filter(|d| (2000..2100).contains(&d.year()));
        if day.is_none() {
            self.fault(column, format!("“{text}”不是日期：请写成 2026-06-10 这样"));
        }
        day
    }

    fn count(&mut self, column: Column) -> Option<u32> {
        let text = (self.cell)(column);
        if text.is_empty() {
            return None;
        }
        let count = text.parse().ok().filter(|n| *n <= MOST);
        if count.is_none() {
            let message = format!("“{text}”不是 0 到 {MOST} 的整数：只写数字，没有数过就空着");
            self.fault(column, message);
        }
        count
    }

    /// What a cell names, each once. A name may itself hold a 、, so longer parts are tried first.
    fn names<T: PartialEq>(
        &mut self,
        column: Column,
        find: impl Fn(&str) -> Option<T>,
        unknown: &str,
    ) -> Vec<T> {
        let cell = (self.cell)(column);
        let mut found: Vec<T> = Vec::new();
        for part in cell.split(SEPARATORS).map(str::trim) {
            let words: Vec<&str> = match find(part) {
                Some(_) => vec![part],
                None => part.split('、').map(str::trim).collect(),
            };
            for word in words.into_iter().filter(|word| !word.is_empty()) {
                self.judge(column, word);
                match find(word) {
                    Some(name) if found.contains(&name) => {}
                    Some(name) => found.push(name),
                    None => self.fault(column, format!("{unknown}：“{word}”")),
                }
            }
        }
        found
    }
}

/// The id of a sub-topic or a whole top topic, by id, by name, or as the template offers it.
fn topic_of(library: &Library, word: &str) -> Option<String> {
    let within = word
        .rsplit_once(['（', '('])
        .and_then(|(_, id)| id.strip_suffix(['）', ')']));
    let topics = &library.topics;
    let by_id = |id: &str| topics.iter().find(|t| t.id == id);
    within
        .and_then(|id| by_id(id.trim()))
        .or_else(|| by_id(word))
        .or_else(|| topics.iter().find(|t| t.name == word))
        .map(|topic| topic.id.clone())
}

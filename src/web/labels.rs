//! What ids of the journal are called on a page.

use chrono::{DateTime, Datelike, Utc};

use super::page::Choice;
use crate::journal::{STAFF_CHANNEL, local_time};
use crate::knowledge::{EntryId, Library};

/// Reply kinds and their names, in the order of filters.
pub(super) const KINDS: [(&str, &str); 7] = [
    ("answer", "直接答复"),
    ("choices", "给了选项"),
    ("statute", "法条"),
    ("unknown", "未收录"),
    ("emergency", "紧急"),
    ("refuse", "拒绝"),
    ("smalltalk", "闲聊等"),
];

/// Channels and their names.
pub(super) const CHANNELS: [(&str, &str); 4] = [
    ("telegram", "Telegram"),
    ("web", "网页"),
    ("cli", "终端"),
    (STAFF_CHANNEL, "工作人员试问"),
];

fn named(table: &[(&str, &str)], id: &str) -> String {
    let found = table.iter().find(|(known, _)| *known == id);
    found.map_or(id, |(_, name)| name).to_owned()
}

pub(super) fn kind(id: &str) -> String {
    named(&KINDS, id)
}

pub(super) fn channel(id: &str) -> String {
    named(&CHANNELS, id)
}

/// A topic's name; the id itself when the library no longer has it.
pub(super) fn topic(library: &Library, id: Option<&str>) -> String {
    let Some(id) = id else {
        return String::new();
    };
    library.topic(id).map_or(id, |topic| &topic.name).to_owned()
}

/// All sub-topics under the names of their top topics, for a choice.
pub(super) fn topic_groups(library: &Library, chosen: &str) -> Vec<(String, Vec<Choice>)> {
    let mut groups: Vec<(String, Vec<Choice>)> = Vec::new();
    for topic in &library.topics {
        if topic.is_top() {
            groups.push((topic.name.clone(), Vec::new()));
        } else if let Some((_, choices)) = groups.last_mut() {
            choices.push(Choice {
                value: topic.id.clone(),
                label: topic.name.clone(),
                chosen: topic.id == chosen,
            });
        }
    }
    groups
}

/// A place's name; the id itself when it is not among the enabled ones.
pub(super) fn place(library: &Library, id: Option<&str>) -> String {
    let Some(id) = id else {
        return String::new();
    };
    library.place(id).map_or(id, |place| &place.name).to_owned()
}

/// An entry's question; says so when the library no longer has it.
pub(super) fn entry(library: &Library, id: &str) -> String {
    match library.entry(&EntryId(id.to_owned())) {
        Some(entry) => entry.question.clone(),
        None => format!("{id}（已不在资料库里）"),
    }
}

/// `11-25 14:03`, with the year when it is another one.
pub(super) fn time(at: DateTime<Utc>) -> String {
    let at = local_time(at);
    let this_year = local_time(Utc::now()).year() == at.year();
    at.format(if this_year {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    })
    .to_string()
}

/// How long something waits: `3 小时`, `2 天`.
pub(super) fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let waited = now - since;
    if waited.num_hours() < 1 {
        format!("{} 分钟", waited.num_minutes().max(1))
    } else if waited.num_days() < 1 {
        format!("{} 小时", waited.num_hours())
    } else {
        format!("{} 天", waited.num_days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let now = Utc::now();
        for (minutes, told) in [
            (0, "1 分钟"),
            (59, "59 分钟"),
            (60, "1 小时"),
            (1500, "1 天"),
        ] {
            assert_eq!(age(now - Duration::minutes(minutes), now), told);
        }
        assert_eq!(kind("unknown"), "未收录");
        assert_eq!(kind("新的"), "新的");
    }
}

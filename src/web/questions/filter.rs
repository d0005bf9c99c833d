//! The filter of the log as the address bar holds it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::super::period::Period;
use crate::journal::{Cursor, LoggedQuestion, Mark, QuestionFilter};

/// Bands of confidence: below 0.45 the bot does not answer by itself (`answer::Thresholds`).
pub(super) const CONFIDENCE: [(&str, &str); 3] = [
    ("high", "高（75% 以上）"),
    ("middle", "中（45%～75%）"),
    ("low", "低（45% 以下）"),
];

/// What residents made of the reply.
pub(super) const FEEDBACK: [(&str, &str); 4] = [
    ("yes", "👍 有用"),
    ("no", "👎 没用"),
    ("none", "没有评价"),
    ("human", "找人问"),
];

/// Whether staff looked at it, and what they found.
pub(super) const REVIEWED: [(&str, &str); 5] = [
    ("no", "没复核"),
    ("yes", "复核过"),
    ("wrong", "答错"),
    ("incomplete", "需补充"),
    ("improper", "不当"),
];

/// Stands for 其他 where a topic is chosen; no topic is called that.
pub(super) const NO_TOPIC: &str = "-";

/// Words searched for are cut here.
const MAX_WORDS: usize = 100;

/// The query string of the log; empty fields are left out when it is written again.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(in super::super) struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub period: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub feedback: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub topic: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub board: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub confidence: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reviewed: String,
    /// When somebody began to review these rows one by one, in milliseconds.
    #[serde(skip_serializing)]
    since: String,
    /// Rows older than this one, `milliseconds.id`.
    #[serde(skip_serializing)]
    before: String,
    /// Rows newer than this one.
    #[serde(skip_serializing)]
    after: String,
}

impl Asked {
    /// What the journal is asked for.
    pub fn filter(&self, today: NaiveDate) -> QuestionFilter {
        let some = |text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.chars().take(MAX_WORDS).collect::<String>())
        };
        let period = Period::read(&self.period, &self.from, &self.to, today);
        let (surer_than, less_sure_than) = match self.confidence.as_str() {
            "high" => (Some(0.75), None),
            "middle" => (Some(0.45), Some(0.75)),
            "low" => (None, Some(0.45)),
            _ => (None, None),
        };
        QuestionFilter {
            from: period.from(),
            to: period.to(),
            channel: some(&self.channel),
            every_channel: false,
            place: some(&self.place),
            topic: some(&self.topic).filter(|topic| topic != NO_TOPIC),
            no_topic: self.topic == NO_TOPIC,
            region: some(&self.region),
            board: some(&self.board),
            kind: some(&self.kind),
            surer_than,
            less_sure_than,
            helpful: match self.feedback.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            without_vote: self.feedback == "none",
            handed_over: self.feedback == "human",
            words: some(&self.q),
            reviewed: match self.reviewed.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            mark: Mark::parse(&self.reviewed),
            unreviewed_at: None,
            questions_only: false,
        }
    }

    /// The rows to be reviewed one by one: those asked before `began` that nobody had reviewed then.
    /// They stay the same while they are reviewed.
    pub fn to_review(&self, today: NaiveDate, began: DateTime<Utc>) -> QuestionFilter {
        let filter = self.filter(today);
        QuestionFilter {
            to: Some(filter.to.map_or(began, |to| to.min(began))),
            reviewed: None,
            mark: None,
            unreviewed_at: Some(began),
            questions_only: true,
            ..filter
        }
    }

    /// When the reviewing that this page belongs to began.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.since.parse().ok()?)
    }

    /// The query string that goes on with a reviewing.
    pub fn reviewing(&self, began: DateTime<Utc>) -> String {
        let and = if self.is_default() { "" } else { "&" };
        format!("{}{and}since={}", self.query(), began.timestamp_millis())
    }

    /// Where reading goes on; anything that is no cursor is the first page.
    pub fn cursor(&self) -> Option<Cursor> {
        let key = |text: &str| {
            let (at, id) = text.split_once('.')?;
            let at = DateTime::from_timestamp_millis(at.parse().ok()?)?;
            Some((at, id.parse().ok()?))
        };
        let older = key(&self.before).map(|(at, id)| Cursor::OlderThan(at, id));
        older.or_else(|| key(&self.after).map(|(at, id)| Cursor::NewerThan(at, id)))
    }

    /// Whether nothing was filtered.
    pub fn is_default(&self) -> bool {
        self.query().is_empty()
    }

    /// The filter as a query string, without a cursor.
    pub fn query(&self) -> String {
        // Strings only: this cannot fail, and an empty filter is a safe answer if it did.
        serde_urlencoded::to_string(self).unwrap_or_default()
    }

    /// The same filter, from `row` on.
    pub fn turned(&self, direction: &str, row: &LoggedQuestion) -> String {
        let and = if self.is_default() { "" } else { "&" };
        let key = format!("{}.{}", row.at.timestamp_millis(), row.id);
        format!("?{}{and}{direction}={key}", self.query())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_the_address_bar() {
        let asked = Asked {
            q: "50%&工资=x".into(),
            topic: "labor".into(),
            before: "5.7".into(),
            ..Default::default()
        };
        let read: Asked = serde_urlencoded::from_str(&asked.query()).unwrap();
        assert_eq!((&read.q, &read.topic), (&asked.q, &asked.topic));
        assert_eq!(read.cursor(), None);
        let at = DateTime::from_timestamp_millis(5).unwrap();
        assert_eq!(asked.cursor(), Some(Cursor::OlderThan(at, 7)));
        let began = DateTime::from_timestamp_millis(9).unwrap();
        let on: Asked = serde_urlencoded::from_str(&asked.reviewing(began)).unwrap();
        assert_eq!((on.since(), &on.q), (Some(began), &asked.q));
        let rows = on.to_review(NaiveDate::MAX, began);
        assert_eq!((rows.to, rows.unreviewed_at), (Some(began), Some(began)));
        let nonsense: Asked = serde_urlencoded::from_str("before=x.y&period=zz&from=1").unwrap();
        assert_eq!(nonsense.cursor(), None);
        assert!(nonsense.filter(NaiveDate::MAX).from.is_some());
    }
}

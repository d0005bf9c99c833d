//! Looking through the question log: filtered, page by page, by key.

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::redact::without_nul;
use super::review::review_of;
use super::{
    Database, JournalError, Mark, OfficeId, Review, RowId, STAFF_CHANNEL, TOPIC_THRESHOLD,
};

/// What rows are wanted; an empty filter wants all that residents asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuestionFilter {
    /// Asked at or after.
    pub from: Option<DateTime<Utc>>,
    /// Asked before.
    pub to: Option<DateTime<Utc>>,
    /// Channel; without one, staff's own tests are left out.
    pub channel: Option<String>,
    /// Staff's own tests too.
    pub every_channel: bool,
    /// Place id.
    pub place: Option<String>,
    /// Topic id as figures count it, with corrections of staff; a top topic stands for all below it.
    pub topic: Option<String>,
    /// Those that figures count under no topic (其他).
    pub no_topic: bool,
    /// Region code.
    pub region: Option<String>,
    /// Board code.
    pub board: Option<String>,
    /// Reply kind.
    pub kind: Option<String>,
    /// Confidence at least.
    pub surer_than: Option<f64>,
    /// Confidence below.
    pub less_sure_than: Option<f64>,
    /// 👍, 👎.
    pub helpful: Option<bool>,
    /// No vote at all.
    pub without_vote: bool,
    /// Handed to a human being.
    pub handed_over: bool,
    /// Words that the redacted text holds.
    pub words: Option<String>,
    /// Reviewed by staff, or not.
    pub reviewed: Option<bool>,
    /// What staff found wrong.
    pub mark: Option<Mark>,
    /// Not reviewed, or only since then: what somebody who began reviewing then walks through.
    pub unreviewed_at: Option<DateTime<Utc>>,
    /// No entries that were opened under a question: those are no questions of their own.
    pub questions_only: bool,
}

/// A row of the log.
#[derive(Debug, Clone)]
pub struct LoggedQuestion {
    /// Its key.
    pub id: RowId,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// Channel.
    pub channel: String,
    /// Pseudonym.
    pub asker: Option<String>,
    /// Region code.
    pub region: Option<String>,
    /// Board code.
    pub board: Option<String>,
    /// Place id.
    pub place: Option<String>,
    /// Topic id.
    pub topic: Option<String>,
    /// Reply kind.
    pub kind: String,
    /// Entry shown.
    pub entry: Option<String>,
    /// Confidence, 0 to 1.
    pub confidence: f64,
    /// Time to answer in microseconds.
    pub latency_us: i64,
    /// Vote.
    pub helpful: Option<bool>,
    /// Entry picked under it.
    pub picked: Option<String>,
    /// Whether a human being was asked for.
    pub handed_over: bool,
    /// The row under which this one was picked.
    pub parent: Option<RowId>,
    /// The redacted words; gone after the retention time, absent for a tap.
    pub text: Option<String>,
    /// Rule of the guard that answered.
    pub rule: Option<String>,
    /// How surely the topic is right, 0 to 1; `None` in rows older than that figure.
    pub topic_confidence: Option<f64>,
    /// What staff said about it.
    pub review: Option<Review>,
}

impl LoggedQuestion {
    /// The topic as staff corrected it.
    pub fn right_topic(&self) -> Option<&str> {
        let corrected = self.review.as_ref().and_then(|r| r.topic.as_deref());
        corrected.or(self.topic.as_deref())
    }

    /// Whether figures count it under [`Self::right_topic`], and not under 其他.
    pub fn topic_counts(&self) -> bool {
        let corrected = self.review.as_ref().is_some_and(|r| r.topic.is_some());
        let sure = |p: f64| p >= TOPIC_THRESHOLD;
        corrected || self.kind == "answer" || self.topic_confidence.is_none_or(sure)
    }
}

/// Where to go on reading, newest first. Rows are known by time and key, so that a page stays
/// the same when new questions come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// Rows older than this one.
    OlderThan(DateTime<Utc>, RowId),
    /// Rows newer than this one: the page just before it.
    NewerThan(DateTime<Utc>, RowId),
}

/// The log, to be looked through. Cheap to clone.
#[derive(Clone)]
pub struct QuestionLog {
    database: Database,
}

const COLUMNS: &str = "q.id, q.at, q.channel, q.asker, q.region, q.board, q.place, \
     q.topic AS old_topic, q.kind, q.entry, q.confidence, q.latency_us, q.helpful, q.picked, \
     q.handed_over, q.parent, q.text, q.rule, q.topic_confidence, r.topic, r.outcome, r.mark, \
     r.note, r.staff_test, r.reviewed, r.reviewer";
const FROM: &str = "question q LEFT JOIN review r ON r.question = q.id AND r.office = q.office";

/// A value for a placeholder.
enum Value {
    Text(String),
    Int(i64),
    Real(f64),
}

/// Conditions with their values. Only literals become SQL text: every value is bound.
struct Where {
    sql: String,
    values: Vec<Value>,
}

impl Where {
    /// What a filter wants; the first value is the office, which every statement asks for itself.
    fn of(office: &OfficeId, filter: &QuestionFilter) -> Self {
        let mut w = Self {
            sql: String::new(),
            values: vec![Value::Text(office.as_str().to_owned())],
        };
        if let Some(from) = filter.from {
            w.and("at >= ?", [Value::Int(from.timestamp_millis())]);
        }
        if let Some(to) = filter.to {
            w.and("at < ?", [Value::Int(to.timestamp_millis())]);
        }
        match &filter.channel {
            Some(channel) => w.and("channel = ?", [Value::Text(channel.clone())]),
            None if filter.every_channel => {}
            None => w.and("channel <> ?", [Value::Text(STAFF_CHANNEL.to_owned())]),
        }
        for (condition, value) in [
            ("place = ?", &filter.place),
            ("region = ?", &filter.region),
            ("board = ?", &filter.board),
            ("kind = ?", &filter.kind),
        ] {
            if let Some(value) = value {
                w.and(condition, [Value::Text(value.clone())]);
            }
        }
        if let Some(topic) = &filter.topic {
            // Not by order: PostgreSQL sorts as its language does, not by bytes.
            let below = format!("{}.%", escaped(topic));
            let sure = || Value::Real(TOPIC_THRESHOLD);
            // As `LoggedQuestion::topic_counts`.
            w.and(
                "(COALESCE(r.topic, CASE WHEN q.kind = 'answer' \
                 OR COALESCE(q.topic_confidence, 1) >= ? THEN q.topic END) = ? \
                 OR COALESCE(r.topic, CASE WHEN q.kind = 'answer' \
                 OR COALESCE(q.topic_confidence, 1) >= ? THEN q.topic END) LIKE ? ESCAPE '\\')",
                [
                    sure(),
                    Value::Text(topic.clone()),
                    sure(),
                    Value::Text(below),
                ],
            );
        }
        if filter.no_topic {
            w.and(
                "COALESCE(r.topic, CASE WHEN q.kind = 'answer' \
                 OR COALESCE(q.topic_confidence, 1) >= ? THEN q.topic END, '') = ''",
                [Value::Real(TOPIC_THRESHOLD)],
            );
        }
        if let Some(least) = filter.surer_than {
            w.and("confidence >= ?", [Value::Real(least)]);
        }
        if let Some(below) = filter.less_sure_than {
            w.and("confidence < ?", [Value::Real(below)]);
        }
        if let Some(helpful) = filter.helpful {
            w.and("helpful = ?", [Value::Int(i64::from(helpful))]);
        }
        if filter.without_vote {
            w.and("helpful IS NULL", []);
        }
        if filter.handed_over {
            w.and("handed_over = 1", []);
        }
        if let Some(words) = &filter.words {
            // SQLite compares letters without case, PostgreSQL with.
            w.and(
                "LOWER(text) LIKE LOWER(?) ESCAPE '\\'",
                [Value::Text(format!("%{}%", escaped(words)))],
            );
        }
        match filter.reviewed {
            Some(true) => w.and("r.question IS NOT NULL", []),
            Some(false) => w.and("r.question IS NULL", []),
            None => {}
        }
        if let Some(mark) = filter.mark {
            w.and("r.mark = ?", [Value::Text(mark.as_str().to_owned())]);
        }
        if let Some(start) = filter.unreviewed_at {
            w.and(
                "(r.question IS NULL OR r.reviewed >= ?)",
                [Value::Int(start.timestamp_millis())],
            );
        }
        if filter.questions_only {
            w.and("q.parent IS NULL", []);
        }
        w
    }

    /// Rows on the far side of a cursor.
    fn beyond(&mut self, cursor: Cursor) {
        let (Cursor::OlderThan(at, id) | Cursor::NewerThan(at, id)) = cursor;
        let at = at.timestamp_millis();
        let key = [Value::Int(at), Value::Int(at), Value::Int(id)];
        // The first half lets the database use its index on the time.
        match cursor {
            Cursor::OlderThan(..) => self.and("at <= ? AND (at < ? OR id < ?)", key),
            Cursor::NewerThan(..) => self.and("at >= ? AND (at > ? OR id > ?)", key),
        }
    }

    /// Adds a condition; each `?` in it becomes the next placeholder.
    fn and<const N: usize>(&mut self, condition: &'static str, values: [Value; N]) {
        self.sql.push_str(" AND ");
        let mut n = self.values.len();
        for c in condition.chars() {
            if c == '?' {
                n += 1;
                self.sql.push_str(&format!("${n}"));
            } else {
                self.sql.push(c);
            }
        }
        self.values.extend(values);
    }

    async fn rows(self, database: &Database, sql: String) -> Result<Vec<AnyRow>, sqlx::Error> {
        // `sql` is put together from literals only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(without_nul(&text)),
                Value::Int(n) => query.bind(n),
                Value::Real(x) => query.bind(x),
            };
        }
        query.fetch_all(&database.readers).await
    }
}

/// Words to be found as they are by LIKE.
fn escaped(words: &str) -> String {
    let escape = |c: char| {
        let special = matches!(c, '%' | '_' | '\\');
        special.then_some('\\').into_iter().chain([c])
    };
    words.chars().flat_map(escape).collect()
}

fn logged(row: &AnyRow) -> Result<LoggedQuestion, JournalError> {
    Ok(LoggedQuestion {
        id: row.try_get("id")?,
        at: DateTime::from_timestamp_millis(row.try_get("at")?).unwrap_or_default(),
        channel: row.try_get("channel")?,
        asker: row.try_get("asker")?,
        region: row.try_get("region")?,
        board: row.try_get("board")?,
        place: row.try_get("place")?,
        topic: row.try_get("old_topic")?,
        kind: row.try_get("kind")?,
        entry: row.try_get("entry")?,
        confidence: row.try_get("confidence")?,
        latency_us: row.try_get("latency_us")?,
        helpful: row.try_get::<Option<i64>, _>("helpful")?.map(|n| n != 0),
        picked: row.try_get("picked")?,
        handed_over: row.try_get::<i64, _>("handed_over")? != 0,
        parent: row.try_get("parent")?,
        text: row.try_get("text")?,
        rule: row.try_get("rule")?,
        topic_confidence: row.try_get("topic_confidence")?,
        review: match row.try_get::<Option<i64>, _>("reviewed")? {
            Some(_) => Some(review_of(row)?),
            None => None,
        },
    })
}

impl QuestionLog {
    /// The log in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// At most `limit` rows, the newest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn page(
        &self,
        filter: &QuestionFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<LoggedQuestion>, JournalError> {
        let mut w = Where::of(&self.database.office, filter);
        let turned = matches!(cursor, Some(Cursor::NewerThan(..)));
        let order = if turned { "at, id" } else { "at DESC, id DESC" };
        if let Some(cursor) = cursor {
            w.beyond(cursor);
        }
        w.values.push(Value::Int(limit));
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE q.office = $1{} ORDER BY {order} LIMIT ${}",
            w.sql,
            w.values.len()
        );
        let rows = w.rows(&self.database, sql).await?;
        let mut rows = rows.iter().map(logged).collect::<Result<Vec<_>, _>>()?;
        if turned {
            rows.reverse();
        }
        Ok(rows)
    }

    /// How many rows there are, counted no further than `most`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count(&self, filter: &QuestionFilter, most: i64) -> Result<i64, JournalError> {
        self.count_beyond(filter, None, most).await
    }

    /// The same for the rows on the far side of a cursor.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count_beyond(
        &self,
        filter: &QuestionFilter,
        cursor: Option<Cursor>,
        most: i64,
    ) -> Result<i64, JournalError> {
        let mut w = Where::of(&self.database.office, filter);
        if let Some(cursor) = cursor {
            w.beyond(cursor);
        }
        w.values.push(Value::Int(most));
        let sql = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM \
             (SELECT 1 AS one FROM {FROM} WHERE q.office = $1{} LIMIT ${}) found",
            w.sql,
            w.values.len()
        );
        let rows = w.rows(&self.database, sql).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get("n"))?)
    }

    /// One row; `None` when it was forgotten.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn find(&self, id: RowId) -> Result<Option<LoggedQuestion>, JournalError> {
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE q.id = $1 AND q.office = $2");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .bind(self.database.office.as_str())
            .fetch_optional(&self.database.readers)
            .await?;
        row.as_ref().map(logged).transpose()
    }

    /// The reply as it was sent, redacted; gone after the retention time.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn reply(&self, id: RowId) -> Result<Option<String>, JournalError> {
        let row = sqlx::query("SELECT reply FROM question WHERE id = $1 AND office = $2")
            .bind(id)
            .bind(self.database.office.as_str())
            .fetch_optional(&self.database.readers)
            .await?;
        Ok(match row {
            Some(row) => row.try_get("reply")?,
            None => None,
        })
    }

    /// Regions that residents came from lately, to choose from.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn regions(&self) -> Result<Vec<String>, JournalError> {
        let rows = sqlx::query(
            "SELECT DISTINCT region FROM asker_origin WHERE region IS NOT NULL AND office = $1 \
             ORDER BY region LIMIT 500",
        )
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("region")?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::record::tests::{journal, question};
    use chrono::Duration;

    #[tokio::test]
    async fn filters_hold_and_hostile_words_are_only_words() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let log = QuestionLog::new(journal.database().clone());
        let asker = journal.keys().asker("telegram", "1");
        let start = Utc::now() - Duration::hours(1);
        for (n, text) in ["百分之100%的", "a_b", "' OR 1=1 --", "欠薪"]
            .iter()
            .enumerate()
        {
            let mut record = question(&asker, text);
            record.at = start + Duration::minutes(n as i64);
            record.confidence = n as f64 / 4.0;
            record.topic = Some(["labor.pay", "labor", "laborx.a", "family.x"][n].into());
            if n == 2 {
                (record.kind, record.topic_confidence) = ("unknown".into(), 0.4);
            }
            let row = journal.record(record).await.unwrap();
            if n == 3 {
                journal.feedback(row, &asker, false).await.unwrap();
            }
        }
        let mut test = question(&asker, "工作人员试问");
        test.channel = STAFF_CHANNEL.into();
        journal.record(test).await.unwrap();

        let found = async |filter: QuestionFilter| -> Vec<String> {
            let rows = log.page(&filter, None, 10).await.unwrap();
            assert_eq!(log.count(&filter, 10).await.unwrap(), rows.len() as i64);
            rows.into_iter().filter_map(|row| row.text).collect()
        };
        let words = |w: &str| QuestionFilter {
            words: Some(w.into()),
            ..Default::default()
        };
        assert_eq!(found(QuestionFilter::default()).await.len(), 4);
        assert_eq!(found(words("%")).await, ["百分之100%的"]);
        assert_eq!(found(words("_")).await, ["a_b"]);
        assert_eq!(found(words("A_B")).await, ["a_b"]);
        assert_eq!(found(words("a\0_b")).await, ["a_b"]);
        assert_eq!(found(words("' OR 1=1 --")).await, ["' OR 1=1 --"]);
        let some = |change: fn(&mut QuestionFilter)| {
            let mut filter = QuestionFilter::default();
            change(&mut filter);
            filter
        };
        assert_eq!(
            found(some(|f| f.topic = Some("labor".into()))).await,
            ["a_b", "百分之100%的"]
        );
        let unsure = some(|f| f.topic = Some("laborx".into()));
        assert_eq!(found(unsure).await.len(), 0, "counted under 其他");
        assert_eq!(found(some(|f| f.no_topic = true)).await, ["' OR 1=1 --"]);
        assert_eq!(found(some(|f| f.helpful = Some(false))).await, ["欠薪"]);
        assert_eq!(found(some(|f| f.without_vote = true)).await.len(), 3);
        assert_eq!(
            found(some(|f| f.less_sure_than = Some(0.25))).await,
            ["百分之100%的"]
        );
        assert_eq!(
            found(some(|f| f.channel = Some(STAFF_CHANNEL.into())))
                .await
                .len(),
            1
        );
        let all = log.page(&QuestionFilter::default(), None, 9).await.unwrap();
        let began = Utc::now();
        let review = Review {
            topic: Some("family.x".into()),
            mark: Some(Mark::Wrong),
            note: Some("打\0 13800138000".into()),
            reviewed: began,
            reviewer: "王芳".into(),
            ..Review::default()
        };
        // 百分之100%的, the oldest.
        journal.set_review(all[3].id, &review).await.unwrap();
        let kept = log.find(all[3].id).await.unwrap().unwrap();
        assert_eq!(kept.right_topic(), Some("family.x"));
        let kept = kept.review.unwrap();
        assert_eq!(
            (kept.mark, kept.reviewer.as_str()),
            (Some(Mark::Wrong), "王芳")
        );
        assert_eq!(kept.note.as_deref(), Some("打 ［手机号］"));
        assert_eq!(found(some(|f| f.reviewed = Some(true))).await.len(), 1);
        assert_eq!(found(some(|f| f.reviewed = Some(false))).await.len(), 3);
        assert_eq!(found(some(|f| f.mark = Some(Mark::Wrong))).await.len(), 1);
        assert_eq!(
            found(some(|f| f.mark = Some(Mark::Improper))).await.len(),
            0
        );
        assert_eq!(
            found(some(|f| f.topic = Some("family".into()))).await.len(),
            2
        );
        let walk = |at| QuestionFilter {
            unreviewed_at: Some(at),
            questions_only: true,
            ..Default::default()
        };
        assert_eq!(found(walk(began)).await.len(), 4, "reviewed on the way");
        assert_eq!(found(walk(began + Duration::seconds(1))).await.len(), 3);
        let newer = Some(Cursor::NewerThan(all[2].at, all[2].id));
        let before = log.count_beyond(&walk(began), newer, 9).await.unwrap();
        assert_eq!(before, 2, "it is the third");
        let early = QuestionFilter {
            to: Some(start + Duration::minutes(1)),
            ..Default::default()
        };
        assert_eq!(found(early).await, ["百分之100%的"]);
    }

    #[tokio::test]
    async fn pages_meet_without_gap_or_overlap() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let log = QuestionLog::new(journal.database().clone());
        let asker = journal.keys().asker("telegram", "1");
        let at = Utc::now();
        for n in 0..25 {
            let mut record = question(&asker, &n.to_string());
            // Several in the same millisecond.
            record.at = at + Duration::milliseconds(n / 10);
            journal.record(record).await.unwrap();
        }
        let filter = QuestionFilter::default();
        let (mut cursor, mut seen, mut pages) = (None, Vec::new(), Vec::new());
        loop {
            let rows = log.page(&filter, cursor, 7).await.unwrap();
            let Some(last) = rows.last() else { break };
            cursor = Some(Cursor::OlderThan(last.at, last.id));
            seen.extend(rows.iter().filter_map(|row| row.text.clone()));
            pages.push(rows);
        }
        let all: Vec<String> = (0..25).rev().map(|n| n.to_string()).collect();
        assert_eq!(seen, all);
        let first = &pages[1][0];
        let back = log
            .page(&filter, Some(Cursor::NewerThan(first.at, first.id)), 7)
            .await
            .unwrap();
        let ids = |rows: &[LoggedQuestion]| rows.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(&back), ids(&pages[0]));
    }
}

//! Daily roll-ups: what figures over months and years are read from.
//!
//! One row for each local day, facet and key; a question falls in one cell of each facet. Days
//! are rolled when they are over, and today each time it is asked for; a day in which something
//! changed later (a review, 👍, a tap, `/forget`) is marked and rolled anew. Rolling is idempotent.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Any, Executor, Row, Transaction};

use super::calendar::{AHEAD, DAY, day_number, day_of, number_of};
use super::fact::{Fact, facts_between};
use super::rollup_month::month_of;
use super::sketch::Sketch;
use super::{Asker, AskerCount, Journal, JournalError, OfficeId, Outcome, RowId};

/// How questions of a day are sorted into cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    /// Everything; the key is empty.
    All,
    /// By outcome; the key is [`Outcome::as_str`].
    Outcome,
    /// By sub-topic; an empty key is 其他.
    Topic,
    /// By place; an empty key is unknown.
    Place,
    /// By region; an empty key is unknown.
    Region,
    /// By place and top topic, `village|labor`.
    PlaceTopic,
    /// By region and sub-topic, `r03|labor.wage_arrears`. Not for tables: it knows no sensitive topics.
    RegionTopic,
    /// By entry shown; questions without one are in no cell.
    Entry,
    /// By the board that the asker came through; an empty key is none.
    Board,
}

impl Facet {
    /// All facets.
    pub const ALL: [Self; 9] = [
        Self::All,
        Self::Outcome,
        Self::Topic,
        Self::Place,
        Self::Region,
        Self::PlaceTopic,
        Self::RegionTopic,
        Self::Entry,
        Self::Board,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Outcome => "outcome",
            Self::Topic => "topic",
            Self::Place => "place",
            Self::Region => "region",
            Self::PlaceTopic => "place_topic",
            Self::RegionTopic => "region_topic",
            Self::Entry => "entry",
            Self::Board => "board",
        }
    }

    fn key(self, fact: &Fact) -> Option<String> {
        let text = |part: &Option<Arc<str>>| part.as_deref().unwrap_or_default().to_owned();
        Some(match self {
            Self::All => String::new(),
            Self::Outcome => fact.outcome.as_str().to_owned(),
            Self::Topic => text(&fact.topic),
            Self::Place => text(&fact.place),
            Self::Region => text(&fact.region),
            Self::PlaceTopic => {
                let topic = fact.topic.as_deref().unwrap_or_default();
                let top = topic.split('.').next().unwrap_or_default();
                format!("{}|{top}", text(&fact.place))
            }
            Self::RegionTopic => format!("{}|{}", text(&fact.region), text(&fact.topic)),
            Self::Entry => fact.entry.as_deref()?.to_owned(),
            Self::Board => text(&fact.board),
        })
    }
}

/// Counts of a set of questions. Tallies of different days or cells add up by [`Tally::merge`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Questions.
    pub questions: u64,
    /// Of them, those that the same asker asked on the same topic within the 24 hours before.
    pub repeats: u64,
    /// Questions by outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 7],
    /// Questions with 👍.
    pub helpful: u64,
    /// Questions with 👎.
    pub unhelpful: u64,
    /// Who asked.
    pub askers: Sketch,
}

impl Tally {
    /// Adds one question.
    pub fn add(&mut self, fact: &Fact, repeat: bool) {
        self.questions += 1;
        self.repeats += u64::from(repeat);
        if let Some(at) = Outcome::ALL.iter().position(|o| *o == fact.outcome) {
            self.outcomes[at] += 1;
        }
        self.helpful += u64::from(fact.helpful == Some(true));
        self.unhelpful += u64::from(fact.helpful == Some(false));
        if let Some(asker) = fact.asker {
            self.askers.add(asker);
        }
    }

    /// So many questions of so many askers.
    #[cfg(test)]
    pub(crate) fn asked(questions: u64, askers: std::ops::Range<u64>) -> Self {
        let mut tally = Self {
            questions,
            ..Self::default()
        };
        // Marks of askers are spread over all bits.
        askers.for_each(|asker| tally.askers.add(asker << 20));
        tally
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.questions += other.questions;
        self.repeats += other.repeats;
        for (sum, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += more;
        }
        self.helpful += other.helpful;
        self.unhelpful += other.unhelpful;
        self.askers.merge(&other.askers);
    }

    /// Questions with an outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        let at = Outcome::ALL.iter().position(|o| *o == outcome);
        at.map_or(0, |at| self.outcomes[at])
    }

    /// Questions that were no repeats: what tests and bursts count.
    pub fn first_questions(&self) -> u64 {
        self.questions - self.repeats.min(self.questions)
    }

    /// Distinct askers.
    pub fn asker_count(&self) -> AskerCount {
        self.askers.count()
    }
}

/// Tallies by key.
pub type Totals = BTreeMap<String, Tally>;
/// Tallies by key and day.
pub type Days = BTreeMap<String, BTreeMap<NaiveDate, Tally>>;

/// A repeat is the same asker on the same topic within this time.
const REPEAT: i64 = DAY;

/// Finds repeats: facts must come in order of time.
#[derive(Default)]
pub struct Repeats {
    last: HashMap<(u64, Option<Arc<str>>), i64>,
}

impl Repeats {
    /// Whether this question repeats an earlier one of the last 24 hours.
    pub fn is_repeat(&mut self, fact: &Fact) -> bool {
        let Some(asker) = fact.asker else {
            return false;
        };
        let before = self.last.insert((asker, fact.topic.clone()), fact.at);
        before.is_some_and(|before| fact.at - before < REPEAT)
    }
}

/// Tallies facts, in order of time, by facet, key and day. Facts before `from` are only looked at
/// for repeats.
pub fn tally(facts: &[Fact], from: NaiveDate) -> BTreeMap<Facet, Days> {
    let mut out: BTreeMap<Facet, Days> = BTreeMap::new();
    let mut repeats = Repeats::default();
    for fact in facts {
        let repeat = repeats.is_repeat(fact);
        if fact.day < from {
            continue;
        }
        for facet in Facet::ALL {
            if let Some(key) = facet.key(fact) {
                let days = out.entry(facet).or_default().entry(key).or_default();
                days.entry(fact.day).or_default().add(fact, repeat);
            }
        }
    }
    out
}

/// Today is not rolled again within this time, in milliseconds.
const FRESH: i64 = 60_000;
/// Rows written at a time; SQLite takes 32,766 values in one statement.
const BATCH: usize = 100;
const COLUMNS: usize = 16;

impl Journal {
    /// Marks the day of a question, and the day after (its repeats depend on it), to be rolled anew.
    pub(super) async fn changed(
        &self,
        transaction: &mut Transaction<'_, Any>,
        question: RowId,
    ) -> Result<(), JournalError> {
        for later in [0, DAY] {
            // A mark that is there is written again: whoever rolls the day up waits for the change.
            sqlx::query(
                "INSERT INTO rollup_dirty (office, day) SELECT office, (at + $2) / 86400000 \
                 FROM question WHERE id = $1 AND office = $3 ON CONFLICT (office, day) DO UPDATE SET day = excluded.day",
            )
            .bind(question)
            .bind(AHEAD + later)
            .bind(self.database().office.as_str())
            .execute(&mut **transaction)
            .await?;
        }
        Ok(())
    }

    /// Marks all days on which an asker asked, and those after.
    pub(super) async fn changed_by(
        &self,
        transaction: &mut Transaction<'_, Any>,
        asker: &Asker,
    ) -> Result<(), JournalError> {
        // In the order of days, so that two of these never wait for each other. (Without the
        // condition SQLite takes ON for that of a join.)
        sqlx::query(
            "INSERT INTO rollup_dirty (office, day) SELECT $4, day FROM \
             (SELECT (at + $2) / 86400000 AS day FROM question WHERE asker = $1 AND office = $4 UNION \
             SELECT (at + $3) / 86400000 AS day FROM question WHERE asker = $1 AND office = $4) marked \
             WHERE day IS NOT NULL ORDER BY day ON CONFLICT (office, day) DO UPDATE SET day = excluded.day",
        )
        .bind(&asker.0)
        .bind(AHEAD)
        .bind(AHEAD + DAY)
        .bind(self.database().office.as_str())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Deletes the roll-ups of days that ended before `moment`; the day it falls in is rolled anew.
    pub(super) async fn forget_days_before(
        &self,
        transaction: &mut Transaction<'_, Any>,
        moment: DateTime<Utc>,
    ) -> Result<(), JournalError> {
        let day = day_number(moment.timestamp_millis());
        for sql in [
            // In the order in which rolling up writes, so that the two never wait for each other.
            "DELETE FROM rollup_month WHERE month < $1 AND office = $2",
            "DELETE FROM rollup_dirty WHERE day < $1 AND office = $2",
            "DELETE FROM rollup_day WHERE day < $1 AND office = $2",
            "DELETE FROM rollup WHERE day < $1 AND office = $2",
            "INSERT INTO rollup_dirty (day, office) VALUES ($1, $2) ON CONFLICT (office, day) DO NOTHING",
        ] {
            sqlx::query(sql)
                .bind(day)
                .bind(self.database().office.as_str())
                .execute(&mut **transaction)
                .await?;
        }
        Ok(())
    }

    /// Brings the roll-ups up to date: days that are over and not rolled, days in which something
    /// changed, and today (unless that was done within a minute). Returns how many days were rolled; `tick` hears days done and to do.
    ///
    /// # Errors
    /// When the database refuses; whole days are kept.
    pub async fn roll_up(
        &self,
        now: DateTime<Utc>,
        mut tick: impl FnMut(usize, usize),
    ) -> Result<usize, JournalError> {
        let (pool, office) = (&self.database().pool, self.database().office.as_str());
        let today = day_number(now.timestamp_millis());
        let last = "SELECT day, rolled FROM rollup_day WHERE office = $1 ORDER BY day DESC LIMIT 1";
        let last = sqlx::query(last).bind(office).fetch_optional(pool).await?;
        let last: Option<(i64, i64)> = last
            .map(|row| Ok::<_, sqlx::Error>((row.try_get("day")?, row.try_get("rolled")?)))
            .transpose()?;
        let rolled = last.map(|(day, _)| day);
        let at = last.map(|(_, at)| at);
        let fresh = at.is_some_and(|at| (0..FRESH).contains(&(now.timestamp_millis() - at)));
        let first = match rolled {
            Some(day) if day == today && fresh => None,
            // The day before as well: a question of its last second may have been written late.
            // None before the first of all: nothing ran then, and it is no day without questions.
            Some(day) => {
                let held = self.rolled().await?;
                let first = held.map_or(day, |(first, _)| number_of(first));
                Some(first.max(day - 1))
            }
            None => sqlx::query("SELECT MIN(at) AS at FROM question WHERE office = $1")
                .bind(office)
                .fetch_one(pool)
                .await?
                .try_get::<Option<i64>, _>("at")?
                .map(day_number),
        };
        let due: BTreeSet<i64> = first.into_iter().flat_map(|day| day..=today).collect();
        let mut days = due.clone();
        let dirty = sqlx::query("SELECT day FROM rollup_dirty WHERE office = $1")
            .bind(office)
            .fetch_all(pool)
            .await?;
        for row in dirty {
            days.insert(row.try_get("day")?);
        }
        let total = days.len();
        for (done, day) in days.into_iter().enumerate() {
            tick(done, total);
            self.roll_day(day, today, now, due.contains(&day)).await?;
        }
        self.roll_months(day_of(today)).await?;
        Ok(total)
    }

    /// Rolls a day up; one that is not `due` only if it still is marked: somebody else may just have
    /// done it.
    async fn roll_day(
        &self,
        day: i64,
        today: i64,
        now: DateTime<Utc>,
        due: bool,
    ) -> Result<(), JournalError> {
        // All in one transaction, the month first: another program that rolls up a day of this
        // month, or adds the month up, waits here and reads only after this one has written.
        // Whoever changes a question later waits at the mark, or leaves a new one.
        let month = number_of(month_of(day_of(day)));
        let office = &self.database().office;
        let mut transaction = self.database().pool.begin().await?;
        sqlx::query(
            "INSERT INTO rollup_month (month, office) VALUES ($1, $2) \
             ON CONFLICT (office, month) DO UPDATE SET month = excluded.month",
        )
        .bind(month)
        .bind(office.as_str())
        .execute(&mut *transaction)
        .await?;
        let marks = sqlx::query("DELETE FROM rollup_dirty WHERE day = $1 AND office = $2")
            .bind(day)
            .bind(office.as_str())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if marks == 0 && !due {
            transaction.rollback().await?;
            return Ok(());
        }
        if day <= today {
            let start = day * DAY - AHEAD;
            let facts =
                facts_between(&mut *transaction, office, start - REPEAT, start + DAY).await?;
            write_day(&mut transaction, office, day, now, &facts).await?;
        }
        sqlx::query("DELETE FROM rollup_month WHERE month = $1 AND office = $2")
            .bind(month)
            .bind(office.as_str())
            .execute(&mut *transaction)
            .await?;
        if marks > 0 {
            // Last of all: everybody who works off a mark waits here.
            sqlx::query(
                "INSERT INTO rollup_change (office, times) VALUES ($1, 1) \
                 ON CONFLICT (office) DO UPDATE SET times = rollup_change.times + 1",
            )
            .bind(office.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How often something that was rolled up already was rolled up anew because it had changed.
    /// Figures made at another number are old, whoever rolled the change up.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn changes(&self) -> Result<i64, JournalError> {
        let row = sqlx::query(
            "SELECT COALESCE(MAX(times), 0) AS times FROM rollup_change WHERE office = $1",
        )
        .bind(self.database().office.as_str())
        .fetch_one(&self.database().readers)
        .await?;
        Ok(row.try_get("times")?)
    }

    /// Tallies of a facet over `from..=to`, by key and day, from the roll-ups.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn days(
        &self,
        facet: Facet,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Days, JournalError> {
        let mut days = Days::new();
        let (pool, office) = (&self.database().readers, &self.database().office);
        each_cell(pool, office, facet.as_str(), from, to, |day, key, tally| {
            days.entry(key).or_default().insert(day, tally);
        })
        .await?;
        Ok(days)
    }

    /// First and last day rolled up; `None` when there is none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rolled(&self) -> Result<Option<(NaiveDate, NaiveDate)>, JournalError> {
        let row = sqlx::query(
            "SELECT MIN(day) AS first, MAX(day) AS last FROM rollup_day WHERE office = $1",
        )
        .bind(self.database().office.as_str())
        .fetch_one(&self.database().readers)
        .await?;
        let first: Option<i64> = row.try_get("first")?;
        let last: Option<i64> = row.try_get("last")?;
        Ok(first.zip(last).map(|(a, b)| (day_of(a), day_of(b))))
    }
}

impl Journal {
    /// Whether something changed in days that are rolled up: a review, a vote, a tap, a late or deleted question.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn has_changes(&self) -> Result<bool, JournalError> {
        let row = sqlx::query("SELECT day FROM rollup_dirty WHERE office = $1 LIMIT 1")
            .bind(self.database().office.as_str())
            .fetch_optional(&self.database().readers)
            .await?;
        Ok(row.is_some())
    }

    /// When a day was last rolled up.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rolled_at(&self) -> Result<Option<DateTime<Utc>>, JournalError> {
        let row = sqlx::query("SELECT MAX(rolled) AS at FROM rollup_day WHERE office = $1")
            .bind(self.database().office.as_str())
            .fetch_one(&self.database().readers)
            .await?;
        let at: Option<i64> = row.try_get("at")?;
        Ok(at.and_then(DateTime::from_timestamp_millis))
    }
}

/// Writes the roll-ups of a day anew.
async fn write_day(
    transaction: &mut Transaction<'_, Any>,
    office: &OfficeId,
    day: i64,
    now: DateTime<Utc>,
    facts: &[Fact],
) -> Result<(), JournalError> {
    sqlx::query(
        "INSERT INTO rollup_day (day, rolled, office) VALUES ($1, $2, $3) \
         ON CONFLICT (office, day) DO UPDATE SET rolled = excluded.rolled",
    )
    .bind(day)
    .bind(now.timestamp_millis())
    .bind(office.as_str())
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM rollup WHERE day = $1 AND office = $2 AND facet IN ('all', 'outcome', 'topic', 'place', 'region', 'place_topic', 'region_topic', 'entry', 'board')")
        .bind(day)
        .bind(office.as_str())
        .execute(&mut **transaction)
        .await?;
    let tallies = tally(facts, day_of(day));
    let cells: Vec<(&str, &str, &Tally)> = tallies
        .iter()
        .flat_map(|(facet, keys)| {
            keys.iter().flat_map(move |(key, days)| {
                let facet = facet.as_str();
                days.values().map(move |tally| (facet, key.as_str(), tally))
            })
        })
        .collect();
    write_cells(transaction, office, day, &cells).await
}

/// Reads the cells of a facet in `from..=to`, in order of days.
pub(super) async fn each_cell<'e>(
    from_where: impl Executor<'e, Database = Any>,
    office: &OfficeId,
    facet: &str,
    from: NaiveDate,
    to: NaiveDate,
    mut take: impl FnMut(NaiveDate, String, Tally),
) -> Result<(), JournalError> {
    use futures::TryStreamExt;
    let mut rows = sqlx::query(
        "SELECT day, cell, questions, repeats, answered, resolved, open, handed_on, unknown, \
         refused, emergency, helpful, unhelpful, askers FROM rollup \
         WHERE office = $4 AND facet = $1 AND day >= $2 AND day <= $3 ORDER BY day, cell",
    )
    .bind(facet)
    .bind(number_of(from))
    .bind(number_of(to))
    .bind(office.as_str())
    .fetch(from_where);
    while let Some(row) = rows.try_next().await? {
        let count = |at: usize| -> Result<u64, sqlx::Error> {
            Ok(u64::try_from(row.try_get::<i64, _>(at)?).unwrap_or(0))
        };
        let mut outcomes = [0; 7];
        for (at, outcome) in outcomes.iter_mut().enumerate() {
            *outcome = count(4 + at)?;
        }
        let tally = Tally {
            questions: count(2)?,
            repeats: count(3)?,
            outcomes,
            helpful: count(11)?,
            unhelpful: count(12)?,
            askers: Sketch::from_text(row.try_get::<&str, _>(13)?),
        };
        take(day_of(row.try_get(0)?), row.try_get(1)?, tally);
    }
    Ok(())
}

/// The name under which a facet's months stand.
pub(super) fn monthly(facet: Facet) -> String {
    format!("m:{}", facet.as_str())
}

/// Writes cells (facet, key, tally) of a day, or of a month under its first day.
pub(super) async fn write_cells(
    transaction: &mut Transaction<'_, Any>,
    office: &OfficeId,
    day: i64,
    cells: &[(&str, &str, &Tally)],
) -> Result<(), JournalError> {
    for batch in cells.chunks(BATCH) {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(insert(batch.len())));
        for (facet, key, tally) in batch {
            query = query.bind(day).bind(*facet).bind(*key);
            // Counts fit: a journal has fewer than 2^63 rows.
            for count in [tally.questions, tally.repeats]
                .into_iter()
                .chain(tally.outcomes)
                .chain([tally.helpful, tally.unhelpful])
            {
                query = query.bind(i64::try_from(count).unwrap_or(i64::MAX));
            }
            query = query.bind(tally.askers.to_text()).bind(office.as_str());
        }
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

fn insert(rows: usize) -> String {
    let mut sql = "INSERT INTO rollup (day, facet, cell, questions, repeats, answered, resolved, \
                   open, handed_on, unknown, refused, emergency, helpful, unhelpful, askers, \
                   office) VALUES "
        .to_owned();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=COLUMNS {
            let comma = if column == 1 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(sql, "{comma}${}", row * COLUMNS + column);
        }
        sql.push(')');
    }
    sql
}

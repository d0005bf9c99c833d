//! What a question costs on the disk, table by table, on either database.
//!
//! Questions are those of the demonstration's invented years, written by the same bulk path; then days
//! are rolled up and words past their retention are deleted, as `serve` does every hour.

use anyhow::{Context, ensure};
use chrono::{DateTime, Days, Utc};
use qijin::insight::demo::{DemoYear, Invented, topics_of};
use qijin::journal::{Database, Inbox, Incoming, Journal, Keys, PastQuestion, Record, local_day};
use qijin::knowledge::Library;
use serde_json::json;
use sqlx::{AnyConnection, Connection, Row};

use super::postgres::Postgres;

/// Tables that grow with questions.
const TABLES: [&str; 3] = ["question", "rollup", "inbox"];
/// Written in one transaction.
const BATCH: usize = 5_000;
const UPDATES: i64 = 10_000;
/// An invented year has about 90 questions a day; every third of them are an ordinary township's.
const THIN: usize = 3;

struct Size {
    rows: i64,
    bytes: i64,
}

async fn sizes(url: &str) -> anyhow::Result<Vec<(&'static str, Size)>> {
    let mut connection = AnyConnection::connect(url).await?;
    let sqlite = url.starts_with("sqlite:");
    // What deletions left free is given back first: a database in use is up to a third larger.
    let tidy = if sqlite { "VACUUM" } else { "VACUUM FULL" };
    sqlx::query(tidy).execute(&mut connection).await?;
    let mut all = Vec::new();
    for table in TABLES {
        let bytes = if sqlite {
            format!(
                "SELECT CAST(SUM(pgsize) AS BIGINT) AS bytes FROM dbstat WHERE name IN \
                 (SELECT name FROM sqlite_schema WHERE tbl_name = '{table}')"
            )
        } else {
            format!("SELECT CAST(pg_total_relation_size('{table}') AS BIGINT) AS bytes")
        };
        let count = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table}");
        let bytes = sqlx::query(sqlx::AssertSqlSafe(bytes))
            .fetch_one(&mut connection)
            .await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut connection)
            .await?;
        let size = Size {
            rows: rows.try_get("n")?,
            bytes: bytes.try_get("bytes")?,
        };
        all.push((table, size));
    }
    connection.close().await?;
    Ok(all)
}

fn tell(when: &str, questions: usize, sizes: &[(&str, Size)]) {
    for (table, size) in sizes.iter().filter(|(_, size)| size.rows > 0) {
        println!(
            "| {when} | {questions} | {table} | {} | {:.2} | {:.0} | {:.1} |",
            size.rows,
            size.bytes as f64 / 1e6,
            size.bytes as f64 / size.rows as f64,
            size.bytes as f64 / questions as f64,
        );
    }
}

/// Fills a database of its own with about `wanted` questions and prints what they take.
pub async fn run(postgres: bool, wanted: usize, library: &Library) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = postgres.then(Postgres::start).transpose()?;
    let url = match &server {
        Some(server) => server.url.clone(),
        None => format!("sqlite:{}", folder.path().join("growth.sqlite").display()),
    };
    let keys = Keys::open_or_create(&folder.path().join("local.key"))?;
    let journal = Journal::new(Database::open(&url).await?, keys.clone(), 30);
    println!(
        "On {}:\n\n| when | questions | table | rows | MB with its indexes | bytes a row | bytes a question |\n\
         |---|---:|---|---:|---:|---:|---:|",
        if postgres { "PostgreSQL" } else { "SQLite" }
    );
    let topics = topics_of(library);
    ensure!(topics.len() >= 8, "the library is too small");
    let last = local_day(Utc::now())
        .checked_sub_days(Days::new(1))
        .context("the clock")?;
    let mut questions = 0;
    for seed in 1.. {
        let year = DemoYear::new(seed, last, &topics);
        let past: Vec<PastQuestion> = year
            .questions
            .iter()
            .step_by(if seed == 1 { THIN } else { 1 })
            .map(|question| past(&journal, seed, question, reply_to(question, library)))
            .collect();
        for batch in past.chunks(BATCH) {
            journal.fill(batch).await?;
        }
        questions += past.len();
        eprint!("\r{questions} questions ");
        if seed == 1 || questions >= wanted {
            let when = if seed == 1 {
                "one township, 30 a day for a year"
            } else {
                "all"
            };
            tell(
                &format!("{when}, words kept"),
                questions,
                &sizes(&url).await?,
            );
            if seed == 1 {
                // A year of its own; those after it are added to the same days.
                journal.roll_up(Utc::now(), |_, _| ()).await?;
                tell(
                    &format!("{when}, rolled up"),
                    questions,
                    &sizes(&url).await?,
                );
            }
        }
        if questions >= wanted {
            break;
        }
    }
    journal.purge(Utc::now()).await?;
    tell("all, words of 30 days kept", questions, &sizes(&url).await?);
    inbox(&Inbox::new(journal.database().clone(), keys)).await?;
    tell(
        "updates done, remembered 3 days",
        UPDATES as usize,
        &sizes(&url).await?[2..],
    );
    journal.database().close().await;
    Ok(())
}

/// Takes updates in and deals with them.
async fn inbox(inbox: &Inbox) -> anyhow::Result<()> {
    let updates: Vec<i64> = (1..=UPDATES).collect();
    for batch in updates.chunks(100) {
        let incoming = |id: &i64| Incoming {
            update_id: *id,
            lane: inbox.lane("telegram", &id.to_string()),
            payload: json!({"update_id": id, "message": {"text": "工地干完活老板不给钱咋办"}})
                .to_string()
                .into_bytes(),
        };
        let incoming: Vec<Incoming> = batch.iter().map(incoming).collect();
        inbox.accept(&incoming).await?;
        let taken = inbox.turn(&[], batch.len()).await?;
        let dealt: Vec<i64> = taken.iter().map(|pending| pending.update_id).collect();
        inbox.turn(&dealt, 0).await?;
    }
    Ok(())
}

/// About as long as what the program replies: what the entry holds.
fn reply_to(question: &Invented, library: &Library) -> String {
    let id = question.entry.as_deref();
    let Some(entry) = library.entries.iter().find(|e| Some(&*e.id.0) == id) else {
        return "资料库里没有能直接回答这个问题的内容，不乱说。".to_owned();
    };
    let lists = [
        &entry.steps,
        &entry.limits,
        &entry.contacts,
        &entry.pitfalls,
    ];
    let mut parts = vec![entry.question.as_str(), &entry.answer];
    parts.extend(lists.into_iter().flatten().map(String::as_str));
    parts.join("\n")
}

fn past(journal: &Journal, seed: u64, question: &Invented, reply: String) -> PastQuestion {
    let person = format!("{seed} {}", question.person);
    PastQuestion {
        record: Record {
            at: DateTime::from_timestamp_millis(question.at).unwrap_or_default(),
            channel: "telegram".to_owned(),
            asker: Some(journal.keys().asker("demo", &person)),
            region: Some(question.region.to_owned()),
            board: question.board.clone(),
            place: question.place.map(str::to_owned),
            topic: Some(question.topic.to_string()),
            topic_confidence: question.topic_confidence,
            kind: question.kind.to_owned(),
            entry: question.entry.as_deref().map(str::to_owned),
            rule: None,
            confidence: question.confidence,
            latency_us: 2_000,
            text: question.text.clone(),
            reply,
            parent: None,
            request: None,
        },
        helpful: question.helpful,
        picked: question.picked.as_deref().map(str::to_owned),
        handed_over: question.handed_over,
    }
}

//! Tests: offices in one database never meet, and no statement forgets whose rows it is about.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::context::Contexts;
use super::database::{Engine, MIGRATIONS, connect};
use super::inbox::TOMBSTONE_DAYS;
use super::ledger::tests::activity;
use super::record::tests::{journal, question};
use super::tables::{Kind, Table, tables};
use super::test_database::fresh_database;
use super::*;

/// Tables without an office, each with its reason.
const SHARED: [(&str, &str); 1] = [("local_key", "all programs and offices share the key")];
/// What of this folder is about the whole database.
const WHOLE: [(&str, &str); 6] = [
    ("backup.rs", "a backup holds every office"),
    ("copy.rs", "a copy holds every office"),
    ("database.rs", "migrations"),
    ("key_match.rs", "the key is the database's"),
    ("tables.rs", "the catalogue"),
    ("vitals.rs", "the doctor counts, and shows no row"),
];

type Rows = BTreeMap<String, Vec<String>>;

async fn all_tables(database: &Database) -> Vec<Table> {
    let mut connection = database.pool.acquire().await.unwrap();
    let engine = match database.is_postgres {
        true => Engine::Postgres,
        false => Engine::Sqlite("".into()),
    };
    tables(&mut connection, &engine).await.unwrap()
}

fn cells(table: &Table, row: &sqlx::any::AnyRow) -> Vec<String> {
    let cell = |(at, (_, kind)): (usize, &(String, Kind))| match kind {
        Kind::Int => format!("{:?}", row.get::<Option<i64>, _>(at)),
        Kind::Real => format!("{:?}", row.get::<Option<f64>, _>(at)),
        Kind::Text => format!("{:?}", row.get::<Option<String>, _>(at)),
    };
    table.columns.iter().enumerate().map(cell).collect()
}

/// Every row of this office, as it lies in the tables.
async fn rows_of(database: &Database) -> Rows {
    let mut all = Rows::new();
    for table in all_tables(database).await {
        if SHARED.iter().any(|(name, _)| *name == table.name) {
            continue;
        }
        let sql = format!(
            "SELECT {} FROM \"{}\" WHERE office = $1",
            table.column_list(),
            table.name
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(database.office.as_str())
            .fetch_all(&database.pool)
            .await
            .unwrap();
        let mut rows: Vec<String> = rows.iter().map(|r| cells(&table, r).join(" ")).collect();
        rows.sort();
        all.insert(table.name, rows);
    }
    all
}

/// An office with all its stores.
struct Place {
    journal: Journal,
    log: QuestionLog,
    handovers: Handovers,
    inbox: Inbox,
    ledger: Ledger,
    boards: Boards,
    staff: Staff,
    sessions: Sessions,
    audit: Audit,
    contexts: Contexts,
}

/// What was made in one, to be asked for in the other.
struct Made {
    row: RowId,
    handover: i64,
    member: i64,
    session: String,
}

const CODE: &str = "abcde";
const UPDATE: i64 = 7;
const FIRST_DAY: &str = "2020-01-01";

fn days() -> (NaiveDate, NaiveDate) {
    let today = local_day(Utc::now());
    (FIRST_DAY.parse().unwrap(), today.succ_opt().unwrap())
}

impl Place {
    fn new(journal: &Journal, id: &str) -> Self {
        let database = journal.database().of(&id.parse().unwrap());
        let keys = journal.keys().clone();
        let journal = Journal::new(database.clone(), keys.clone(), 30);
        Self {
            log: QuestionLog::new(database.clone()),
            handovers: Handovers::of(&journal),
            inbox: Inbox::new(database.clone(), keys.clone()),
            ledger: Ledger::new(database.clone()),
            boards: Boards::new(database.clone()),
            staff: Staff::new(database.clone()),
            sessions: Sessions::new(database.clone()),
            audit: Audit::new(database.clone()),
            contexts: Contexts { database, keys },
            journal,
        }
    }

    fn database(&self) -> &Database {
        self.journal.database()
    }

    /// The same in every office, where the same is possible: one resident, one update id, one
    /// code, one number.
    async fn fill(&self, name: &str, now: DateTime<Utc>) -> Made {
        let asker = self.journal.keys().asker("telegram", "1");
        let mut asked = question(&asker, "欠薪");
        (asked.request, asked.region) = (Some("telegram:7".into()), Some("r01".into()));
        asked.board = Some(CODE.into());
        asked.reply = "答复".into();
        let row = self.journal.record(asked).await.unwrap();
        let mut old = question(&asker, "去年的");
        old.at = now - Duration::days(200);
        self.journal.record(old).await.unwrap();
        let past = PastQuestion {
            record: question(&self.journal.keys().asker("telegram", "2"), "别人"),
            helpful: Some(true),
            picked: None,
            handed_over: false,
        };
        self.journal.fill(&[past]).await.unwrap();
        assert!(self.journal.feedback(row, &asker, true).await.unwrap());
        assert!(self.journal.picked(row, &asker, "e").await.unwrap());
        assert!(self.journal.handed_over(row, &asker).await.unwrap());
        let review = Review {
            topic: Some("family.x".into()),
            reviewer: name.into(),
            reviewed: now,
            ..Review::default()
        };
        assert!(self.journal.set_review(row, &review).await.unwrap());
        self.journal.note_entries(["a"], now).await.unwrap();
        self.journal.note_entries(["a", "b"], now).await.unwrap();
        self.journal.roll_up(now, |_, _| ()).await.unwrap();
        // One mark that is still to be worked off.
        assert!(self.journal.feedback(row, &asker, false).await.unwrap());
        let address = Address {
            channel: "telegram",
            conversation: "1".into(),
        };
        let begun = self.handovers.begin(row, &asker, &address, now).await;
        assert!(begun.unwrap());
        let handover = self.handovers.open(9).await.unwrap()[0].id;
        let update = Incoming {
            update_id: UPDATE,
            lane: "lane".into(),
            payload: name.into(),
        };
        assert_eq!(self.inbox.accept(&[update]).await.unwrap(), [UPDATE]);
        let held = [activity("下乡", "司法所", "2026-06-10")];
        assert_eq!(self.ledger.add(&held, now).await.unwrap(), [1]);
        let duty = Duty {
            year: 2026,
            unit: "司法所".into(),
            content: name.into(),
            planned: 4,
            done: 0,
        };
        self.ledger.set_duty(&duty).await.unwrap();
        // A code comes by chance: two offices may draw the same.
        let put_up = "INSERT INTO board (office, code, name, activity, region, created) \
                      VALUES ($1, $2, $3, 1, 'r01', 1)";
        sqlx::query(put_up)
            .bind(self.database().office.as_str())
            .bind(CODE)
            .bind(name)
            .execute(&self.database().pool)
            .await
            .unwrap();
        let code = self.journal.remember_board(&asker, CODE, now).await;
        assert!(code.unwrap());
        let stored = self.journal.remember_region(&asker, "r02", now).await;
        stored.unwrap();
        let member = self.staff.add(name, Role::Admin, "hash", now).await;
        let member = member.unwrap().id;
        let session = self.sessions.open(member, now).await.unwrap();
        self.audit.note(name, "做了", "一件事").await.unwrap();
        let kept = self.contexts.keep(&asker, name.as_bytes(), 900).await;
        kept.unwrap();
        self.journal.takes_turn("house", 50).await.unwrap();
        self.database().probe().await.unwrap();
        Made {
            row,
            handover,
            member,
            session,
        }
    }

    /// Everything that can be read or counted.
    async fn read(&self) -> String {
        let (from, to) = days();
        let asker = self.journal.keys().asker("telegram", "1");
        let journal = &self.journal;
        let mut all = Vec::new();
        macro_rules! take {
            ($($reading:expr),* $(,)?) => { $(all.push(format!("{:?}", $reading.await.unwrap()));)* };
        }
        take!(
            journal.count(),
            journal.facts(from, to),
            journal.worded(from, to, 99),
            journal.rolled(),
            journal.rolled_at(),
            journal.changes(),
            journal.has_changes(),
            journal.origin(&asker),
            journal.new_entries(),
            self.log.page(&QuestionFilter::default(), None, 99),
            self.log.count(&QuestionFilter::default(), 99),
            self.log.regions(),
            self.handovers.waiting(),
            self.handovers.open(99),
            self.handovers.settled(99),
            self.handovers.somebody_answers(),
            self.ledger.all(),
            self.ledger.duties(2026, to),
            self.boards.all(),
            self.boards.asked(DateTime::UNIX_EPOCH),
            self.staff.list(),
            self.audit.newest(99),
            self.contexts.read(&asker),
        );
        for facet in Facet::ALL {
            take!(
                journal.totals(facet, from, to),
                journal.days(facet, from, to)
            );
        }
        all.push(self.inbox.backlog().await.unwrap().open.to_string());
        let mut csv = Vec::new();
        let (start, end) = (DateTime::UNIX_EPOCH, Utc::now() + Duration::days(1));
        let rows = export_csv(self.database(), &mut csv, start, end).await;
        assert!(rows.unwrap() == 0 || csv.len() > 100);
        all.push(String::from_utf8(csv).unwrap());
        all.join("\n")
    }

    /// Asks for the other office's things by their ids, and tries to change them.
    async fn meddle(&self, made: &Made, now: DateTime<Utc>) {
        let asker = self.journal.keys().asker("telegram", "1");
        let journal = &self.journal;
        assert!(!journal.feedback(made.row, &asker, true).await.unwrap());
        assert!(!journal.picked(made.row, &asker, "z").await.unwrap());
        assert!(!journal.handed_over(made.row, &asker).await.unwrap());
        let review = Review::default();
        assert!(!journal.set_review(made.row, &review).await.unwrap());
        assert!(journal.review(made.row).await.unwrap().is_none());
        assert!(self.log.find(made.row).await.unwrap().is_none());
        assert!(self.log.reply(made.row).await.unwrap().is_none());
        let handovers = &self.handovers;
        assert!(handovers.find(made.handover).await.unwrap().is_none());
        assert!(!handovers.answer(made.handover, "答", now).await.unwrap());
        assert!(!handovers.close(made.handover, now).await.unwrap());
        handovers.delivered(made.handover, true).await.unwrap();
        assert!(handovers.take("telegram").await.unwrap().is_empty());
        assert!(self.staff.by_id(made.member).await.is_err());
        let demoted = self.staff.change(made.member, Role::Viewer, true).await;
        assert!(demoted.is_err());
        assert!(self.staff.set_password(made.member, "x").await.is_err());
        assert!(self.staff.log_in_failed(made.member, now).await.is_err());
        self.staff.log_in_succeeded(made.member).await.unwrap();
        let seen = self.sessions.member(&made.session, now).await.unwrap();
        assert!(seen.is_none());
        self.sessions.close(&made.session).await.unwrap();
        assert!(self.inbox.turn(&[UPDATE], 9).await.unwrap().is_empty());
        assert!(self.inbox.failed(UPDATE).await.is_err());
        self.inbox.give_back(&[UPDATE]).await.unwrap();
        let one = activity("改了", "司法所", "2026-06-10");
        assert!(self.ledger.edit(1, &one).await.is_err());
        assert!(self.ledger.remove(1).await.is_err());
        assert!(self.ledger.get(1).await.is_err());
        assert!(!self.ledger.remove_duty(2026, "司法所").await.unwrap());
        assert!(self.boards.retire(CODE, now).await.is_err());
        let about = NewBoard::default();
        assert!(self.boards.edit(CODE, &about).await.is_err());
        let other = NewBoard {
            activity: Some(1),
            ..NewBoard::default()
        };
        assert!(self.boards.add(other, now).await.is_err());
        assert!(!journal.remember_board(&asker, CODE, now).await.unwrap());
    }

    /// Everything that deletes, for ever or after its time.
    async fn clear(&self, made: &Made, now: DateTime<Utc>) {
        let late = now + Duration::days(400);
        let asker = self.journal.keys().asker("telegram", "1");
        self.handovers
            .answer(made.handover, "答", now)
            .await
            .unwrap();
        self.handovers.begin_deliveries().await.unwrap();
        let taken = self.handovers.take("telegram").await.unwrap();
        assert_eq!(taken.len(), 1);
        self.handovers.renew().await.unwrap();
        self.handovers.release().await.unwrap();
        self.handovers.prune(late).await.unwrap();
        self.inbox.begin().await.unwrap();
        let taken = self.inbox.turn(&[], 9).await.unwrap();
        assert_eq!(taken.len(), 1);
        self.inbox.failed(UPDATE).await.unwrap();
        assert_eq!(self.inbox.renew().await.unwrap().len(), 1);
        self.inbox.release().await.unwrap();
        self.inbox.turn(&[UPDATE], 0).await.unwrap();
        let gone = now + Duration::days(TOMBSTONE_DAYS + 1);
        assert_eq!(self.inbox.prune(gone).await.unwrap(), 1);
        self.ledger.remove(1).await.unwrap();
        self.boards.retire(CODE, now).await.unwrap();
        self.ledger.remove_duty(2026, "司法所").await.unwrap();
        self.staff.set_password(made.member, "x").await.unwrap();
        self.staff.log_in_failed(made.member, now).await.unwrap();
        let last = self.staff.change(made.member, Role::Viewer, false).await;
        assert!(last.is_err(), "the only one here who manages accounts");
        self.sessions.prune(late).await.unwrap();
        assert_eq!(self.journal.purge(late).await.unwrap().texts, 3);
        assert_eq!(self.journal.forget(&asker).await.unwrap().questions, 2);
        self.journal.roll_up(now, |_, _| ()).await.unwrap();
        assert_eq!(self.journal.delete_before(late).await.unwrap(), 1);
        self.journal.roll_up(now, |_, _| ()).await.unwrap();
        self.contexts.forget(&asker).await.unwrap();
        self.contexts.prune().await.unwrap();
        self.journal.prune_conversations().await.unwrap();
    }
}

#[tokio::test]
async fn two_offices_in_one_database_never_meet() {
    let folder = tempfile::tempdir().unwrap();
    let opened = journal(folder.path(), 30).await;
    let (main, one, two) = (
        Place::new(&opened, "main"),
        Place::new(&opened, "qingshi"),
        Place::new(&opened, "bai-he"),
    );
    let now = Utc::now();
    let empty = two.read().await;
    let made = one.fill("甲", now).await;
    let (rows, read) = (rows_of(one.database()).await, one.read().await);
    for (table, rows) in &rows {
        assert!(!rows.is_empty(), "{table}");
    }
    assert_eq!(two.read().await, empty, "nothing of one is read or counted");
    assert_eq!(main.read().await, empty);
    two.meddle(&made, now).await;
    assert_eq!(rows_of(one.database()).await, rows, "nothing is changed");

    let other = two.fill("乙", now).await;
    assert_eq!(rows_of(one.database()).await, rows, "the same keys again");
    assert_eq!(one.read().await, read);
    let (rows, read) = (rows_of(two.database()).await, two.read().await);
    one.clear(&made, now).await;
    assert_eq!(rows_of(two.database()).await, rows, "nothing is deleted");
    assert_eq!(two.read().await, read);
    let main = rows_of(main.database()).await;
    assert!(
        main.values().all(Vec::is_empty),
        "nobody wrote to another's"
    );

    // The one way from a name to its office.
    let taken = one.staff.add("乙", Role::Viewer, "h", now).await;
    assert!(matches!(taken, Err(JournalError::StaffExists(_))));
    let found = one.staff.credentials("乙", now).await.unwrap().unwrap();
    assert_eq!(found.member.office, *two.database().office());
    let session = two.sessions.member(&other.session, now).await.unwrap();
    assert_eq!(session.unwrap().id, other.member);
}

#[tokio::test]
async fn every_table_says_whose_its_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    let opened = journal(folder.path(), 30).await;
    for table in all_tables(opened.database()).await {
        let told = table.columns.iter().any(|(name, _)| name == "office");
        let shared = SHARED.iter().any(|(name, _)| *name == table.name);
        assert!(told || shared, "{}", table.name);
    }
}

/// A string literal of a source file, with the name of the constant it is, if it is one.
fn literals(source: &str) -> Vec<(Option<String>, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let string = r#"(?:const (\w+): &str =\s*)?"((?:[^"\\]|\\(?s:.))*)""#;
    let string = regex::Regex::new(string).unwrap();
    let continued = regex::Regex::new(r"\\\n\s*").unwrap();
    let found = string.captures_iter(&code).map(|c| {
        let name = c.get(1).map(|m| m.as_str().to_owned());
        (name, continued.replace_all(&c[2], "").into_owned())
    });
    found.collect()
}

/// The statements of a file that name more of `tables` than they say whose.
fn forgetful(source: &str, tables: &[String]) -> Vec<String> {
    let names = tables.join("|");
    let named = regex::Regex::new(&format!(r"\b(?:FROM|JOIN|INTO|UPDATE) (?:{names})\b")).unwrap();
    let office = regex::Regex::new(r"\boffice\b").unwrap();
    let pair = regex::Regex::new(r"\.office = \w+\.office\b").unwrap();
    let conflict = regex::Regex::new(r"ON CONFLICT \([^)]*\)").unwrap();
    let literals = literals(source);
    let mut out = Vec::new();
    for (name, literal) in &literals {
        let mut sql = literal.clone();
        for (constant, value) in &literals {
            if let Some(constant) = constant {
                sql = sql.replace(&format!("{{{constant}}}"), value);
            }
        }
        // A part of a statement is judged where it is used.
        let part = name.as_ref().is_some_and(|name| {
            let used = format!("{{{name}}}");
            literals.iter().any(|(_, other)| other.contains(&used))
        });
        let sql = conflict.replace_all(&sql, "");
        let told = office.find_iter(&pair.replace_all(&sql, ".office")).count();
        if !part && named.find_iter(&sql).count() > told {
            out.push(sql.into_owned());
        }
    }
    out
}

#[tokio::test]
async fn no_statement_forgets_the_office() {
    let folder = tempfile::tempdir().unwrap();
    let opened = journal(folder.path(), 30).await;
    let tables = all_tables(opened.database()).await;
    let tables: Vec<String> = tables.into_iter().map(|t| t.name).collect();
    let (mut statements, mut wrong) = (0, Vec::new());
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/journal")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name == "apart.rs" || WHOLE.iter().any(|(whole, _)| *whole == name) {
            continue;
        }
        let source = std::fs::read_to_string(file.path()).unwrap();
        statements += source.matches(".office.as_str()").count();
        let found = forgetful(&source, &tables);
        wrong.extend(found.into_iter().map(|sql| format!("{name}: {sql}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(statements > 80, "{statements}");

    // The reader itself: what it must find, and what it must not.
    let tables = ["question".to_owned(), "review".to_owned()];
    for (source, expected) in [
        (r#"q("SELECT id FROM question WHERE id = $1")"#, 1),
        ("q(\"SELECT id FROM \\\n   question\")", 1),
        (r#"q("DELETE FROM question WHERE office = $1")"#, 0),
        (
            r#"q("INSERT INTO question (id) VALUES ($1) ON CONFLICT (office, id) DO NOTHING")"#,
            1,
        ),
        (
            r#"const A: &str = "FROM question q JOIN review r ON r.office = q.office"; q("SELECT 1 {A} WHERE 1 = 1")"#,
            1,
        ),
        (
            r#"const A: &str = "FROM question q JOIN review r ON r.office = q.office"; q("SELECT 1 {A} WHERE q.office = $1")"#,
            0,
        ),
    ] {
        assert_eq!(forgetful(source, &tables).len(), expected, "{source}");
    }
}

async fn old_schema(url: &str) -> AnyConnection {
    let before = MIGRATIONS.iter().filter(|m| m.version < 12).cloned();
    let mut connection = connect(url).await.unwrap();
    let migrator = Migrator::with_migrations(before.collect());
    migrator.run(&mut connection).await.unwrap();
    connection
}

/// Puts the rows of an office into tables of the schema before there were offices.
async fn turn_back(from: &Database, connection: &mut AnyConnection, engine: &Engine) {
    let now = all_tables(from).await;
    for mut old in tables(connection, engine).await.unwrap() {
        let new = now.iter().find(|t| t.name == old.name).unwrap();
        // The one column that went: there was one row, number 1.
        let gone = old.columns.iter().any(|c| !new.columns.contains(c));
        assert_eq!(gone, old.name == "rollup_change");
        old.columns.retain(|c| new.columns.contains(c));
        let select = format!("SELECT {} FROM \"{}\"", old.column_list(), old.name);
        let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(&from.pool);
        for row in rows.await.unwrap() {
            let mut columns = old.column_list();
            let mut marks: Vec<String> = (1..=old.columns.len()).map(|n| format!("${n}")).collect();
            if gone {
                columns.push_str(", id");
                marks.push("1".into());
            }
            let insert = format!(
                "INSERT INTO \"{}\" ({columns}) VALUES ({})",
                old.name,
                marks.join(", ")
            );
            let mut query = sqlx::query(AssertSqlSafe(insert));
            for (at, (_, kind)) in old.columns.iter().enumerate() {
                query = match kind {
                    Kind::Int => query.bind(row.get::<Option<i64>, _>(at)),
                    Kind::Real => query.bind(row.get::<Option<f64>, _>(at)),
                    Kind::Text => query.bind(row.get::<Option<String>, _>(at)),
                };
            }
            query.execute(&mut *connection).await.unwrap();
        }
    }
}

#[tokio::test]
async fn rows_from_before_there_were_offices_are_the_one_office_s_and_figures_stay() {
    let folder = tempfile::tempdir().unwrap();
    let opened = journal(folder.path(), 30).await;
    let before = Place::new(&opened, "main");
    let now = Utc::now();
    let made = before.fill("甲", now).await;
    // Younger than offices.
    sqlx::query("UPDATE question SET reply = NULL")
        .execute(&before.database().pool)
        .await
        .unwrap();
    let (rows, read) = (rows_of(before.database()).await, before.read().await);

    let url = fresh_database(folder.path(), "old.sqlite");
    let mut connection = old_schema(&url).await;
    let engine = Engine::of(&url).unwrap();
    turn_back(before.database(), &mut connection, &engine).await;
    drop(connection);
    let migrated = Database::migrate(&url).await.unwrap();
    assert_eq!(migrated.from, 11);
    let database = Database::open(&url).await.unwrap();
    let keys = opened.keys().clone();
    let after = Place::new(&Journal::new(database, keys, 30), "main");
    assert_eq!(rows_of(after.database()).await, rows);
    assert_eq!(after.read().await, read);
    // And it goes on, beside another office.
    after.clear(&made, now).await;
    let other = Place::new(&after.journal, "bai-he");
    other.fill("丙", now).await;
}

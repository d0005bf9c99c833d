//! Copying a whole database into another, and proving that the copy is the same.
//!
//! All or nothing: the target is written in one transaction, which is committed only when every
//! table read back from it has as many rows, and the same checksum, as what was read from the
//! source. The source is read in one transaction as well, so that what is written there meanwhile
//! is either wholly in the copy or not at all.

use std::fmt::Write as _;

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};

use super::database::{Engine, connect, is_current};
use super::redact::without_nul;
use super::tables::{Kind, Table, tables};
use super::{Database, JournalError};

/// Values in one statement: SQLite takes 32,766, PostgreSQL 65,535; more are no faster.
const VALUES: usize = 8_000;

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// Rows in either database.
    pub rows: u64,
    /// Sum of the rows' hashes in either database, in hex.
    pub checksum: String,
    /// Characters U+0000 that PostgreSQL cannot store and that were left out.
    pub left_out: u64,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress {
    /// Rows done; each is counted once when it is written and once when it is read back.
    pub done: u64,
    /// Rows to do, counted the same way.
    pub total: u64,
}

enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
}

/// Rows and the sum of their hashes: the same whatever order they come in, since each engine
/// sorts in its own way.
#[derive(Default, PartialEq)]
struct Sum {
    rows: u64,
    hashes: u128,
    left_out: u64,
}

impl Sum {
    fn add(&mut self, values: &[Value]) {
        let mut hash = Sha256::new();
        for value in values {
            match value {
                Value::Int(None) | Value::Real(None) | Value::Text(None) => hash.update([0]),
                Value::Int(Some(n)) => {
                    hash.update([1]);
                    hash.update(n.to_le_bytes());
                }
                Value::Real(Some(x)) => {
                    hash.update([2]);
                    hash.update(x.to_bits().to_le_bytes());
                }
                Value::Text(Some(text)) => {
                    hash.update([3]);
                    // Its length first, so that no two rows say the same bytes.
                    hash.update((text.len() as u64).to_le_bytes());
                    hash.update(text.as_bytes());
                }
            }
        }
        let mut half = [0; 16];
        half.copy_from_slice(&hash.finalize()[..16]);
        self.hashes = self.hashes.wrapping_add(u128::from_le_bytes(half));
        self.rows += 1;
    }
}

impl Database {
    /// Copies everything from one database into another, all or nothing. The target is made and
    /// migrated if need be; with `replace` what it holds is deleted in the same transaction.
    /// Sealed content opens only with the source's local key, which lies beside the database.
    ///
    /// # Errors
    /// When the source is not migrated, the target holds rows (without `replace`), either
    /// database refuses, or the copy is not the same: the target is then as it was before.
    pub async fn copy(
        from: &str,
        to: &str,
        replace: bool,
        mut tick: impl FnMut(CopyProgress),
    ) -> Result<Vec<CopiedTable>, JournalError> {
        let (from_engine, to_engine) = (Engine::of(from)?, Engine::of(to)?);
        if from == to || from_engine == to_engine && same_file(&from_engine, &to_engine) {
            return Err(JournalError::CopyToItself);
        }
        let mut source = open_source(from, &from_engine).await?;
        Self::migrate(to).await?;
        let mut target = connect(to).await?;
        if matches!(to_engine, Engine::Sqlite(_)) {
            // Indexes are filled in no order: 64 MB keep most of them in memory.
            target.execute("PRAGMA cache_size = -65536").await?;
        }
        let (wanted, found) = (
            tables(&mut source, &from_engine).await?,
            tables(&mut target, &to_engine).await?,
        );
        // What else there is in a database that others use too is left alone.
        if let Some(table) = wanted.iter().find(|t| !found.contains(t)) {
            return Err(JournalError::CopyDiffers(table.name.clone()));
        }
        let read = match from_engine {
            Engine::Sqlite(_) => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut reading = source.begin_with(read).await?;
        let mut writing = target.begin().await?;
        let (mut total, mut done) = (0, 0);
        for table in &wanted {
            total += 2 * table.count(&mut reading).await?;
            if replace {
                writing
                    .execute(AssertSqlSafe(format!("DELETE FROM \"{}\"", table.name)))
                    .await?;
            } else if table.count(&mut writing).await? > 0 {
                return Err(JournalError::CopyTargetFull(table.name.clone()));
            }
        }
        let mut tick = |rows: usize| {
            done += rows as u64;
            tick(CopyProgress { done, total });
        };
        let mut copied = Vec::new();
        for table in &wanted {
            let sum = pour(table, &mut reading, &mut writing, &to_engine, &mut tick).await?;
            let back = read_back(table, &mut writing, &mut tick).await?;
            if (sum.rows, sum.hashes) != (back.rows, back.hashes) {
                return Err(JournalError::CopyDiffers(table.name.clone()));
            }
            copied.push(CopiedTable {
                name: table.name.clone(),
                rows: sum.rows,
                checksum: format!("{:032x}", sum.hashes),
                left_out: sum.left_out,
            });
        }
        writing.commit().await?;
        reading.commit().await?;
        // Closed in good order, a SQLite file is whole by itself.
        target.close().await?;
        source.close().await?;
        Ok(copied)
    }
}

fn same_file(one: &Engine, other: &Engine) -> bool {
    match (one, other) {
        (Engine::Sqlite(one), Engine::Sqlite(other)) => {
            match (one.canonicalize(), other.canonicalize()) {
                (Ok(one), Ok(other)) => one == other,
                _ => one == other,
            }
        }
        _ => false,
    }
}

/// A source that is there and up to date: it is read as it is, never changed.
pub(super) async fn open_source(url: &str, engine: &Engine) -> Result<AnyConnection, JournalError> {
    if let Engine::Sqlite(path) = engine
        && !path.is_file()
    {
        return Err(JournalError::NoDatabase(path.clone()));
    }
    let mut connection = connect(url).await?;
    let ours = tables(&mut connection, engine).await?;
    if !ours.iter().any(|table| table.name == "question") {
        return Err(JournalError::NotOurs);
    }
    if !is_current(&mut connection).await? {
        return Err(JournalError::Outdated);
    }
    Ok(connection)
}

fn values(table: &Table, row: &AnyRow) -> Result<Vec<Value>, sqlx::Error> {
    let column = |(at, (_, kind)): (usize, &(String, Kind))| {
        Ok(match kind {
            Kind::Int => Value::Int(row.try_get(at)?),
            Kind::Real => Value::Real(row.try_get(at)?),
            Kind::Text => Value::Text(row.try_get(at)?),
        })
    };
    table.columns.iter().enumerate().map(column).collect()
}

fn select(table: &Table) -> String {
    format!("SELECT {} FROM \"{}\"", table.column_list(), table.name)
}

/// Writes all rows of a table; returns what was written.
async fn pour(
    table: &Table,
    source: &mut AnyConnection,
    target: &mut AnyConnection,
    engine: &Engine,
    tick: &mut impl FnMut(usize),
) -> Result<Sum, JournalError> {
    let mut sum = Sum::default();
    let without_any = *engine == Engine::Postgres;
    let at_once = (VALUES / table.columns.len()).max(1);
    let mut batch: Vec<Value> = Vec::with_capacity(VALUES);
    let mut rows = sqlx::query(AssertSqlSafe(select(table))).fetch(&mut *source);
    loop {
        let row = rows.try_next().await?;
        if let Some(row) = &row {
            let mut values = values(table, row)?;
            for value in &mut values {
                if let Value::Text(Some(text)) = value
                    && without_any
                    && text.contains('\0')
                {
                    let clean = without_nul(text);
                    sum.left_out += (text.len() - clean.len()) as u64;
                    *text = clean;
                }
            }
            sum.add(&values);
            batch.extend(values);
        }
        let full = batch.len() / table.columns.len();
        if full > 0 && (full == at_once || row.is_none()) {
            let sql = insert(table, full, engine);
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for value in batch.drain(..) {
                query = match value {
                    Value::Int(n) => query.bind(n),
                    Value::Real(x) => query.bind(x),
                    Value::Text(text) => query.bind(text),
                };
            }
            query.execute(&mut *target).await?;
            tick(full);
        }
        if row.is_none() {
            return Ok(sum);
        }
    }
}

fn insert(table: &Table, rows: usize, engine: &Engine) -> String {
    let mut sql = format!(
        "INSERT INTO \"{}\" ({}) VALUES ",
        table.name,
        table.column_list()
    );
    let columns = table.columns.len();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { ", " };
            // Writing to a String cannot fail. SQLite looks up numbered placeholders one by one,
            // each time: with thousands of them it does little else.
            let _ = match engine {
                Engine::Sqlite(_) => write!(sql, "{comma}?"),
                Engine::Postgres => write!(sql, "{comma}${}", row * columns + column),
            };
        }
        sql.push(')');
    }
    sql
}

async fn read_back(
    table: &Table,
    target: &mut AnyConnection,
    tick: &mut impl FnMut(usize),
) -> Result<Sum, JournalError> {
    const TOLD_EVERY: u64 = 1_000;
    let mut sum = Sum::default();
    let mut rows = sqlx::query(AssertSqlSafe(select(table))).fetch(&mut *target);
    while let Some(row) = rows.try_next().await? {
        sum.add(&values(table, &row)?);
        if sum.rows % TOLD_EVERY == 0 {
            tick(TOLD_EVERY as usize);
        }
    }
    tick((sum.rows % TOLD_EVERY) as usize);
    Ok(sum)
}

//! What tables a database holds, read from the database itself: a table that is added later is
//! copied and backed up without anybody thinking of it.

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::JournalError;
use super::database::Engine;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers.
    Int,
    /// Numbers with a fraction.
    Real,
    /// Words.
    Text,
}

/// A table with its columns in order of name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<(String, Kind)>,
}

impl Table {
    /// `a, b, c`, quoted: a column may be called like a word of SQL.
    pub fn column_list(&self) -> String {
        let quoted: Vec<String> = self
            .columns
            .iter()
            .map(|c| format!("\"{}\"", c.0))
            .collect();
        quoted.join(", ")
    }

    /// How many rows it holds.
    pub async fn count(&self, connection: &mut AnyConnection) -> Result<u64, JournalError> {
        // Names come from the database's own catalogue.
        let sql = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM \"{}\"",
            self.name
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_one(connection)
            .await?;
        Ok(u64::try_from(row.try_get::<i64, _>("n")?).unwrap_or(0))
    }
}

const SQLITE: &str = "SELECT t.name AS tab, c.name AS col, c.type AS kind \
     FROM sqlite_master t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations' \
     ORDER BY t.name, c.name";
/// By bytes, as SQLite does.
const POSTGRES: &str = "SELECT CAST(c.table_name AS TEXT) AS tab, CAST(c.column_name AS TEXT) AS col, \
     CAST(c.data_type AS TEXT) AS kind FROM information_schema.columns c \
     JOIN information_schema.tables t USING (table_schema, table_name) \
     WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
     AND c.table_name <> '_sqlx_migrations' \
     ORDER BY CAST(c.table_name AS TEXT) COLLATE \"C\", CAST(c.column_name AS TEXT) COLLATE \"C\"";

/// The tables of a database, without those of the engine and of the migrations.
pub(super) async fn tables(
    connection: &mut AnyConnection,
    engine: &Engine,
) -> Result<Vec<Table>, JournalError> {
    let sql = match engine {
        Engine::Sqlite(_) => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let (name, column): (String, String) = (row.try_get("tab")?, row.try_get("col")?);
        let kind = match row.try_get::<&str, _>("kind")?.to_uppercase().as_str() {
            "BIGINT" => Kind::Int,
            "DOUBLE PRECISION" => Kind::Real,
            "TEXT" => Kind::Text,
            _ => return Err(JournalError::Foreign { name, column }),
        };
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push((column, kind)),
            None => tables.push(Table {
                name,
                columns: vec![(column, kind)],
            }),
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Database;
    use crate::journal::database::connect;
    use crate::journal::test_database::{fresh_database, test_server};

    /// Both engines must be given the same tables by the same migrations.
    #[tokio::test]
    async fn both_engines_have_the_same_tables() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite:{}", folder.path().join("a.sqlite").display());
        let mut found = Vec::new();
        for url in [file, fresh_database(folder.path(), "b.sqlite")] {
            Database::migrate(&url).await.unwrap();
            let engine = Engine::of(&url).unwrap();
            assert!(test_server().is_none() || found.is_empty() || engine == Engine::Postgres);
            found.push(
                tables(&mut connect(&url).await.unwrap(), &engine)
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(found[0], found[1]);
        let names: Vec<&str> = found[0].iter().map(|t| t.name.as_str()).collect();
        for name in [
            "audit", "handover", "inbox", "question", "rollup", "session", "staff",
        ] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
    }
}

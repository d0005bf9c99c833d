//! A fresh database for each test: a SQLite file in the test's folder, or, when `QIJIN_TEST_POSTGRES`
//! names a server (`postgres://…/postgres`), a database of its own there. `tests/run.sh` runs the
//! tests that touch a database on both. Databases made on a server stay: it is thrown away.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

/// The server that tests make their databases on, if they are to run on PostgreSQL.
pub fn test_server() -> Option<String> {
    std::env::var("QIJIN_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
}

/// Ends the name of a file that holds the URL of a database on a server.
const ON_SERVER: &str = "on-server";

/// The URL of an empty database; SQLite's is the file `name` in `folder`.
pub fn fresh_database(folder: &Path, name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(server) = test_server() else {
        return format!("sqlite:{}", folder.join(name).display());
    };
    let database = format!(
        "qijin_test_{}_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed),
        chrono::Utc::now().timestamp_millis(),
    );
    let (host, _) = server.rsplit_once('/').unwrap();
    let url = format!("{host}/{database}");
    apart(async move {
        let mut connection = AnyConnection::connect(&server).await.unwrap();
        let sql = format!("CREATE DATABASE {database}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    });
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name).with_extension(ON_SERVER), &url).unwrap();
    url
}

/// All bytes of a test's folder, and as text all rows of its databases on a server.
pub fn everything_stored(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            all.extend(everything_stored(&path));
            continue;
        }
        all.extend(std::fs::read(&path).unwrap_or_default());
        all.extend(rows_on_server(&path).into_bytes());
        // So that the end of one file and the beginning of the next make no word.
        all.push(0);
    }
    all
}

/// All rows of the database that a file of [`fresh_database`] names; nothing for another file.
pub fn rows_on_server(file: &Path) -> String {
    if file.extension().is_none_or(|e| e != ON_SERVER) {
        return String::new();
    }
    let url = std::fs::read_to_string(file).unwrap();
    apart(async move {
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let tables = sqlx::query(
            "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = 'public'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert!(!tables.is_empty(), "an empty database proves nothing");
        let mut all = String::new();
        for table in tables {
            let table: String = table.get("name");
            let sql = format!("SELECT CAST(t.* AS TEXT) AS line FROM {table} t");
            let rows = sqlx::query(AssertSqlSafe(sql))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            for row in rows {
                all.push_str(&row.get::<String, _>("line"));
                all.push('\n');
            }
        }
        all
    })
}

/// Runs to the end on a thread of its own: a test's own runtime may be the caller.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    std::thread::spawn(move || runtime.block_on(work))
        .join()
        .unwrap()
}

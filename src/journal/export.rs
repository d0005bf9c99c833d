//! The question log as CSV that Excel opens as it is: UTF-8 with a mark, Chinese headings.

use std::io::Write;

use chrono::{DateTime, Local, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Database, JournalError, RowId};

const HEADINGS: [&str; 16] = [
    "时间",
    "渠道",
    "提问人代号",
    "村(社区)",
    "宣传点",
    "场所",
    "主题",
    "结果",
    "问答",
    "把握",
    "用时(毫秒)",
    "有用",
    "选了",
    "找人问",
    "打码后的原话",
    "规则",
];

/// Rows fetched at a time.
const BATCH: i64 = 1000;

/// A cell that starts like a formula would be run by a spreadsheet: an apostrophe stops that.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Writes all rows asked in `from..to`, oldest first; returns how many.
///
/// # Errors
/// When the database refuses or the writer fails.
pub async fn export_csv(
    database: &Database,
    mut out: impl Write,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<u64, JournalError> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADINGS)?;
    let mut after: (i64, RowId) = (from.timestamp_millis(), RowId::MIN);
    let mut written = 0;
    loop {
        let rows = sqlx::query(
            "SELECT id, at, channel, asker, region, board, place, topic, kind, entry, confidence, \
             latency_us, helpful, picked, handed_over, text, rule FROM question \
             WHERE at < $1 AND (at > $2 OR (at = $2 AND id > $3)) ORDER BY at, id LIMIT $4",
        )
        .bind(to.timestamp_millis())
        .bind(after.0)
        .bind(after.1)
        .bind(BATCH)
        .fetch_all(&database.pool)
        .await?;
        let Some(last) = rows.last() else {
            break;
        };
        after = (last.try_get("at")?, last.try_get("id")?);
        for row in &rows {
            csv.write_record(cells(row)?.iter().map(|cell| harmless(cell)))?;
            written += 1;
        }
    }
    csv.flush()?;
    Ok(written)
}

fn cells(row: &AnyRow) -> Result<[String; 16], sqlx::Error> {
    let text = |name: &str| -> Result<String, sqlx::Error> {
        Ok(row.try_get::<Option<String>, _>(name)?.unwrap_or_default())
    };
    let at = DateTime::from_timestamp_millis(row.try_get("at")?).unwrap_or_default();
    let helpful = match row.try_get::<Option<i64>, _>("helpful")? {
        Some(0) => "否",
        Some(_) => "是",
        None => "",
    };
    let handed = row.try_get::<i64, _>("handed_over")? != 0;
    Ok([
        at.with_timezone(&Local)
            .format("%Y-%m-%d %H:%M:%S")
            .to_string(),
        text("channel")?,
        text("asker")?,
        text("region")?,
        text("board")?,
        text("place")?,
        text("topic")?,
        text("kind")?,
        text("entry")?,
        format!("{:.2}", row.try_get::<f64, _>("confidence")?),
        format!(
            "{:.1}",
            row.try_get::<i64, _>("latency_us")? as f64 / 1000.0
        ),
        helpful.to_owned(),
        text("picked")?,
        if handed { "是" } else { "" }.to_owned(),
        text("text")?,
        text("rule")?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::record::tests::{journal, question};

    #[tokio::test]
    async fn opens_in_excel_and_runs_no_formula() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let asker = journal.keys().asker("telegram", "1");
        // More than a batch, many in the same millisecond.
        let at = Utc::now();
        for n in 0..1100 {
            let mut record = question(&asker, if n == 0 { "=1+1" } else { "邻居，挡路" });
            record.at = at;
            journal.record(record).await.unwrap();
        }
        let mut out = Vec::new();
        let to = at + chrono::Duration::days(1);
        let from = at - chrono::Duration::days(1);
        let n = export_csv(journal.database(), &mut out, from, to)
            .await
            .unwrap();
        assert_eq!(n, 1100);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("\u{feff}时间,"));
        assert!(text.contains(",'=1+1,\n"));
        assert!(text.contains("\"邻居，挡路\"") || text.contains("邻居，挡路"));
        assert_eq!(text.lines().count(), 1101);
    }
}

//! The question log as CSV that Excel opens as it is: UTF-8 with a mark, Chinese headings.

use std::io::Write;

use chrono::{DateTime, Utc};

use super::{
    Cursor, Database, JournalError, LoggedQuestion, QuestionFilter, QuestionLog, local_time,
};

/// What stands over the columns.
pub const HEADINGS: [&str; 19] = [
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
    "复核",
    "改后主题",
    "改后结果",
];

/// Rows fetched at a time.
const BATCH: i64 = 1000;

/// A cell that starts like a formula would be run by a spreadsheet: an apostrophe stops that.
pub fn harmless(text: &str) -> String {
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
    let log = QuestionLog::new(database.clone());
    let filter = QuestionFilter {
        from: Some(from),
        to: Some(to),
        every_channel: true,
        ..Default::default()
    };
    let mut after = Cursor::NewerThan(from, i64::MIN);
    let mut written = 0;
    loop {
        // Newest first within a batch.
        let rows = log.page(&filter, Some(after), BATCH).await?;
        let Some(last) = rows.first() else {
            break;
        };
        after = Cursor::NewerThan(last.at, last.id);
        for row in rows.iter().rev() {
            csv.write_record(cells(row).iter().map(|cell| harmless(cell)))?;
            written += 1;
        }
    }
    csv.flush()?;
    Ok(written)
}

/// A row as it is exported, in the order of [`HEADINGS`].
pub fn cells(row: &LoggedQuestion) -> [String; 19] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let review = row.review.as_ref();
    let judged = review.map_or("", |r| match (r.staff_test, r.mark) {
        (true, _) => "工作人员试问",
        (false, Some(mark)) => mark.name(),
        (false, None) => "对",
    });
    let topic = review.and_then(|r| r.topic.clone());
    let outcome = review.and_then(|r| r.outcome);
    let helpful = match row.helpful {
        Some(false) => "否",
        Some(true) => "是",
        None => "",
    };
    [
        local_time(row.at).format("%Y-%m-%d %H:%M:%S").to_string(),
        row.channel.clone(),
        text(&row.asker),
        text(&row.region),
        text(&row.board),
        text(&row.place),
        text(&row.topic),
        row.kind.clone(),
        text(&row.entry),
        format!("{:.2}", row.confidence),
        format!("{:.1}", row.latency_us as f64 / 1000.0),
        helpful.to_owned(),
        text(&row.picked),
        if row.handed_over { "是" } else { "" }.to_owned(),
        text(&row.text),
        text(&row.rule),
        judged.to_owned(),
        topic.unwrap_or_default(),
        outcome.map_or("", |o| o.name()).to_owned(),
    ]
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
        assert!(text.contains(",'=1+1,,,,\n"));
        assert!(text.contains("\"邻居，挡路\"") || text.contains("邻居，挡路"));
        assert_eq!(text.lines().count(), 1101);
    }
}

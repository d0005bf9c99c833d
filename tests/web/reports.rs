//! 报告: the preview and the documents of a day with questions.

use std::io::Cursor;

use calamine::{Reader, Xlsx};
use chrono::{Duration, Utc};
use qijin::journal::{Record, local_day};
use reqwest::StatusCode;

use crate::common::Office;
use crate::{close, logged_in, staffed};

/// Six people asked something yesterday: today's figures may be a minute old, yesterday's are not.
async fn asked_yesterday(office: &Office) {
    let journal = office.open_journal().await;
    for person in 0..6 {
        let asker = journal.keys().asker("telegram", &person.to_string());
        let record = Record {
            region: None,
            place: Some("enterprise".into()),
            ..crate::common::fixtures::asked(&asker, Utc::now() - Duration::days(1), "labor.pay")
        };
        journal.record(record).await.unwrap();
    }
    journal.database().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_read_by_all_and_taken_by_reviewers() {
    let office = staffed();
    asked_yesterday(&office).await;
    let (bot, base) = office.serve_pages(&[]).await;
    let mut viewer = logged_in(&base, 0).await;
    let first = viewer.get("/reports").await.text;
    assert!(first.contains("上面选") || first.contains("选一段时间"));
    let yesterday = local_day(Utc::now() - Duration::days(1));
    let days = format!("from={yesterday}&to={yesterday}");
    let seen = viewer.get(&format!("/reports?{days}")).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text);
    for part in ["本期居民提问 6 次", "一、概述", "表 1", "方法和界限"] {
        assert!(seen.text.contains(part), "{part}: {}", seen.text);
    }
    assert!(
        !seen.text.contains(" style=") && !seen.text.contains("<style"),
        "{}",
        seen.text
    );
    assert!(!seen.text.contains("report.docx"), "a viewer gets no link");
    for wrong in [
        "period=2026-99",
        "from=2026-02-30&to=2026-03-01",
        "period=2999",
    ] {
        let seen = viewer.get(&format!("/reports?{wrong}")).await;
        assert!(seen.text.contains("请改好再看"), "{wrong}");
    }
    let mut staff = logged_in(&base, 1).await;
    let docx = staff
        .download(&format!("/reports/report.docx?{days}"))
        .await;
    assert!(docx.starts_with(b"PK"));
    let xlsx = staff
        .download(&format!("/reports/report.xlsx?{days}"))
        .await;
    assert!(Xlsx::new(Cursor::new(xlsx)).unwrap().sheet_names().len() > 1);
    let csv = String::from_utf8(staff.download(&format!("/reports/report.csv?{days}")).await);
    assert!(csv.unwrap().contains("本期居民提问 6 次"));
    for (path, status) in [
        ("/reports/report.exe?period=2025", StatusCode::NOT_FOUND),
        ("/reports/report.docx", StatusCode::BAD_REQUEST),
        (
            "/reports/..%2fqijin.toml?period=2025",
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(staff.get(path).await.status, status, "{path}");
    }
    let mut admin = logged_in(&base, 2).await;
    let audit = admin.get("/settings").await.text;
    assert_eq!(audit.matches("导出成效报告").count(), 3);
    close(&office, bot).await;
}

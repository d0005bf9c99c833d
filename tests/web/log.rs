//! The question log: filters, hostile questions in every place they are shown, exports.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use crate::common::Browser;
use crate::common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use crate::{close, logged_in, open};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>卫星";
const FORMULA: &str = "=HYPERLINK(\"http://evil.example\",\"卫星\")";

async fn asked(base: &str, words: &[&str]) {
    let mut browser = Browser::new(base);
    for words in words {
        browser.submit("/ask", "/ask", &[("q", words)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_question_is_only_words_wherever_it_stands() {
    let (office, bot, base) = open().await;
    let mut resident = Browser::new(&base);
    let shown = resident.submit("/ask", "/ask", &[("q", HOSTILE)]).await;
    let token = resident.token("/ask").await;
    let fields = [("_csrf", token.as_str()), ("q", HOSTILE)];
    let fragment = resident
        .post_with("/ask", &fields, &[("x-fragment", "1")])
        .await;
    let mut staff = logged_in(&base, 1).await;
    let list = staff.get("/questions").await;
    let link = list
        .text
        .split("<td class=\"words\"><a href=\"/questions/")
        .nth(1)
        .unwrap();
    let link = format!("/questions/{}", link.split('"').next().unwrap());
    let one = staff.get(&link).await;
    let query = serde_urlencoded::to_string([("q", HOSTILE), ("region", HOSTILE)]).unwrap();
    let searched = staff.get(&format!("/questions?{query}")).await;
    let mut login = Browser::new(&base);
    let named = login.log_in(HOSTILE, HOSTILE).await;
    for (what, seen) in [
        ("chat", &shown),
        ("fragment", &fragment),
        ("list", &list),
        ("detail", &one),
        ("filter", &searched),
        ("log-in", &named),
    ] {
        assert!(
            seen.text.contains("&#60;script"),
            "{what} shows it: {}",
            seen.text
        );
        for live in ["<script>alert", "<img src=x", "\"'><img"] {
            assert!(!seen.text.contains(live), "{what} holds {live}");
        }
    }
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_filtered_paged_and_exported_without_formulas() {
    let (office, bot, base) = open().await;
    asked(
        &base,
        &[
            QUESTIONS[0],
            NOT_IN_LIBRARY,
            FORMULA,
            "+卫星轨道",
            "@卫星轨道",
        ],
    )
    .await;
    let mut staff = logged_in(&base, 1).await;
    let unknown = staff.get("/questions?kind=unknown").await.text;
    assert!(unknown.contains(NOT_IN_LIBRARY) && !unknown.contains(QUESTIONS[0]));
    let searched = staff.get("/questions?q=%E6%8B%96%E6%AC%A0").await.text;
    assert!(searched.contains(QUESTIONS[0]) && searched.contains("共 1 条"));
    let topic = staff
        .get("/questions?topic=labor&confidence=high")
        .await
        .text;
    assert!(topic.contains("共 1 条"), "{topic}");
    let none = staff
        .get("/questions?from=2001-01-01&to=2001-01-02")
        .await
        .text;
    assert!(none.contains("没有符合的提问") && none.contains("清除筛选"));

    let csv = staff.download("/questions/export.csv?kind=unknown").await;
    let text = String::from_utf8(csv).unwrap();
    assert!(
        text.starts_with('\u{feff}') && !text.contains("提问人代号"),
        "{text}"
    );
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        for cell in &row.unwrap() {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
        }
        rows += 1;
    }
    assert!(rows >= 3, "{text}");
    assert!(text.contains("'+卫星轨道"), "{text}");

    let xlsx = staff.download("/questions/export.xlsx").await;
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(xlsx)).unwrap();
    let formulas = book.worksheet_formula("提问日志").unwrap();
    assert!(
        formulas.cells().all(|(_, _, f)| f.is_empty()),
        "no cell is a formula"
    );
    let range = book.worksheet_range("提问日志").unwrap();
    assert_eq!(range.height(), 6);
    // The address in it was redacted, what Excel would run was not.
    let is_text = |cell: &Data| matches!(cell, Data::String(s) if s.starts_with("=HYPERLINK("));
    assert!(range.cells().any(|(_, _, cell)| is_text(cell)));
    let mut admin = logged_in(&base, 2).await;
    let audit = admin.get("/settings").await.text;
    assert!(
        audit.contains("导出提问日志") && audit.contains("Excel，5 条"),
        "{audit}"
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_log_meet() {
    let (office, bot, base) = open().await;
    let words: Vec<String> = (0..57).map(|n| format!("卫星轨道第{n}号")).collect();
    asked(&base, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut staff = logged_in(&base, 0).await;
    let first = staff.get("/questions?q=%E5%8D%AB%E6%98%9F").await.text;
    let next = first
        .split("rel=\"next\" href=\"")
        .nth(1)
        .expect("there is more");
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = staff.get(&format!("/questions{next}")).await.text;
    let count = |page: &str| page.matches("<td class=\"time\">").count();
    assert_eq!((count(&first), count(&second)), (50, 7));
    assert!(second.contains("第0号") && !first.contains("第0号<"));
    let back = second
        .split("rel=\"prev\" href=\"")
        .nth(1)
        .expect("a way back");
    let back = back.split('"').next().unwrap().replace("&#38;", "&");
    let again = staff.get(&format!("/questions{back}")).await.text;
    assert_eq!(count(&again), 50);
    assert!(!again.contains("rel=\"prev\""), "the newest page");
    close(&office, bot).await;
}

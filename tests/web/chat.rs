//! The web chat as a browser without JavaScript uses it.

use crate::common::Browser;
use crate::common::fixtures::{NOT_IN_LIBRARY, QUESTIONS, UNCLEAR};
use crate::{close, logged_in, open};

/// The value of a hidden field.
fn field(text: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = text
        .split(&mark)
        .nth(1)
        .unwrap_or_else(|| panic!("no {name}: {text}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_asks_votes_and_is_forgotten() {
    let (office, bot, base) = open().await;
    let mut browser = Browser::new(&base);
    let seen = browser.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
    for part in [
        "怎么做",
        "《劳动法》第五十条",
        "👍 有用",
        "找人问",
        "相关问题",
    ] {
        assert!(seen.text.contains(part), "{part} is missing: {}", seen.text);
    }
    let (row, entry) = (field(&seen.text, "row"), field(&seen.text, "entry"));
    let vote = [("row", row.as_str()), ("entry", &entry), ("helpful", "1")];
    let voted = browser.submit("/ask", "/ask/vote", &vote).await;
    assert!(
        voted.text.contains("谢谢") && voted.text.contains("怎么做"),
        "{}",
        voted.text
    );
    let mut other = Browser::new(&base);
    let refused = other.submit("/ask", "/ask/vote", &vote).await;
    assert!(refused.text.contains("没有记下"), "only the asker votes");
    let human = browser.submit("/ask", "/ask/human", &[("row", &row)]).await;
    assert!(human.text.contains("便民大厅 3 号窗口"));
    let unknown = browser
        .submit("/ask", "/ask", &[("q", NOT_IN_LIBRARY)])
        .await;
    assert!(unknown.text.contains("资料库里还没有"));
    let mut picked = None;
    for words in UNCLEAR {
        let seen = browser.submit("/ask", "/ask", &[("q", words)]).await;
        if seen.text.contains("您是想问") {
            let (row, entry) = (field(&seen.text, "row"), field(&seen.text, "entry"));
            let fields = [("row", row.as_str()), ("entry", &entry)];
            picked = Some(browser.submit("/ask", "/ask/open", &fields).await);
            break;
        }
    }
    assert!(picked.expect("something is unclear").text.contains("依据"));

    let rows = office.journal();
    let asked = rows.iter().find(|r| r[14] == QUESTIONS[0]).unwrap();
    assert_eq!(
        (asked[1].as_str(), asked[11].as_str(), asked[13].as_str()),
        ("web", "是", "是")
    );
    // The next person at the same screen is another asker, with an empty page.
    let empty = browser.submit("/ask", "/ask/new", &[]).await;
    assert!(!empty.text.contains(QUESTIONS[0]), "{}", empty.text);
    browser.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
    let next = office.journal();
    assert!(next.iter().filter(|row| row[2] == rows[0][2]).count() == rows.len());
    assert_eq!(next.len(), rows.len() + 1);
    let forgotten = browser.submit("/ask", "/ask/forget", &[]).await;
    assert!(forgotten.text.contains("1 条"), "{}", forgotten.text);
    assert_eq!(office.journal().len(), rows.len());
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_staff_are_told_apart_and_left_out_of_the_log() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 0).await;
    staff.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
    assert_eq!(office.journal()[0][1], "web-staff");
    assert!(!staff.get("/questions").await.text.contains(QUESTIONS[0]));
    let seen = staff.get("/questions?channel=web-staff").await;
    assert!(seen.text.contains(QUESTIONS[0]));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_flood() {
    let (office, bot, base) = open().await;
    let mut browser = Browser::new(&base);
    let token = browser.token("/ask").await;
    let mut refused = 0;
    for _ in 0..70 {
        let fields = [("_csrf", token.as_str()), ("q", "你好")];
        let seen = browser
            .post_with("/ask", &fields, &[("x-forwarded-for", "10.9.9.9")])
            .await;
        refused += usize::from(seen.status == reqwest::StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "60 at once, then one a second");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_sees_numbers_and_no_words() {
    let office = crate::common::Office::new();
    let (bot, base) = office
        .serve_pages(&[("QIJIN_ADMIN_LISTEN", "127.0.0.1:0")])
        .await;
    let admin = office.admin().await;
    let mut browser = crate::common::Browser::new(&base);
    browser
        .submit("/ask", "/ask", &[("q", "老板拖欠工资怎么办？13912345678")])
        .await;
    let get = async |url: String| reqwest::get(url).await.unwrap().text().await.unwrap();
    assert_eq!(get(format!("{base}/readyz")).await, "ready\n");
    let ready = get(format!("{admin}/readyz")).await;
    for line in ["library: 12 entries", "index: searched", "inbox: 0 open"] {
        assert!(ready.contains(line), "{ready}");
    }
    let counted = get(format!("{admin}/metrics")).await;
    for line in [
        "qijin_answers_total{channel=\"web\",kind=",
        "qijin_answer_seconds_count{channel=\"web\"} 1",
        "qijin_journal_seconds_bucket{le=\"+Inf\"} 1",
        "qijin_library_entries 12",
        "qijin_index_age_seconds",
        "process_resident_memory_bytes",
    ] {
        assert!(counted.contains(line), "{line} is not in\n{counted}");
    }
    assert!(!counted.contains("工资") && !counted.contains("13912345678"));
    let elsewhere = reqwest::get(format!("{base}/metrics")).await.unwrap();
    assert_eq!(elsewhere.status(), 404, "not where everybody looks");
    assert!(bot.stop().await.success());
    office.assert_calm();
}

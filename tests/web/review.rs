//! Reviewing: who may, what a correction changes, one row after the other, hostile words everywhere.

use chrono::{Days, NaiveDate};

use crate::common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use crate::common::{Browser, Office};
use crate::{close, logged_in, open};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>卫星";

/// The rows of a page of the log, newest first.
async fn rows(staff: &mut Browser, query: &str) -> Vec<String> {
    let page = staff.get(&format!("/questions{query}")).await.text;
    let links = page
        .split("<td class=\"words\"><a href=\"/questions/")
        .skip(1);
    links
        .map(|rest| rest.split(['"', '?']).next().unwrap().to_owned())
        .collect()
}

async fn ask(base: &str, words: &[&str]) {
    let mut resident = Browser::new(base);
    for words in words {
        resident.submit("/ask", "/ask", &[("q", words)]).await;
    }
}

/// How many questions the report tells of a topic, and how many of 其他; none below five askers.
fn reported(office: &Office, topic: &str) -> Option<String> {
    let file = office.folder().join("report.csv");
    let today = qijin::journal::local_day(chrono::Utc::now());
    let before = today
        .checked_sub_days(Days::new(1))
        .unwrap_or(NaiveDate::MIN);
    let output = office
        .command(&[
            "report",
            "--from",
            &before.to_string(),
            "--to",
            &today.to_string(),
        ])
        .args(["--out", &file.display().to_string()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(file).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(topic) || line.contains(&format!(",{topic},")));
    line.map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_kept_shown_filtered_and_audited() {
    let (office, bot, base) = open().await;
    ask(&base, &[QUESTIONS[0], NOT_IN_LIBRARY]).await;
    let mut staff = logged_in(&base, 1).await;
    let all = rows(&mut staff, "").await;
    let here = format!("/questions/{}", all[0]);
    let path = format!("{here}/review");
    let before = staff.get(&here).await.text;
    assert!(
        before.contains("不改（其他）") && before.contains("不改（未收录）"),
        "{before}"
    );
    let sent = before.split("当时的答复").nth(1).unwrap();
    let sent = sent.split("</section>").next().unwrap();
    assert!(
        sent.contains("这个问题资料库里还没有，我不能乱说。"),
        "{sent}"
    );
    let fields = [
        ("mark", "incomplete"),
        ("topic", "neighbor.dog"),
        ("outcome", "open"),
        ("note", "转给王芳 13800138000"),
    ];
    let saved = staff.submit(&here, &path, &fields).await;
    assert_eq!(saved.location, Some(format!("{here}?saved=incomplete")));
    let after = staff.get(&saved.location.unwrap()).await.text;
    for part in [
        "已存：需补充",
        "审核员，",
        "主题改为",
        "狗咬人",
        "给了选项未选",
        "转给王芳 ［手机号］",
    ] {
        assert!(after.contains(part), "{part}: {after}");
    }
    assert!(!after.contains("13800138000"));
    for (query, expected) in [
        ("?reviewed=yes", 1),
        ("?reviewed=no", 1),
        ("?reviewed=incomplete", 1),
        ("?reviewed=wrong", 0),
        ("?topic=neighbor", 1),
        ("?topic=neighbor&reviewed=no", 0),
    ] {
        assert_eq!(rows(&mut staff, query).await.len(), expected, "{query}");
    }
    for (name, value) in [
        ("mark", "fine"),
        ("mark", ""),
        ("topic", "neighbor"),
        ("topic", "no.such"),
        ("outcome", "x"),
        ("note", &"长".repeat(501)),
    ] {
        let mut wrong = vec![("mark", "ok"), (name, value)];
        wrong.dedup_by_key(|(name, _)| *name);
        if name == "mark" {
            wrong = vec![(name, value)];
        }
        let seen = staff.submit(&here, &path, &wrong).await;
        assert_eq!(
            seen.status,
            reqwest::StatusCode::BAD_REQUEST,
            "{name}={value}"
        );
    }
    let still = staff.get(&here).await.text;
    assert!(
        still.contains("需补充<span class=\"now\">"),
        "nothing was changed: {still}"
    );
    let mut viewer = logged_in(&base, 0).await;
    let seen = viewer.get(&here).await.text;
    assert!(
        seen.contains("审核员，") && !seen.contains("id=\"review\""),
        "read only"
    );
    let refused = viewer.submit("/ask", &path, &[("mark", "ok")]).await;
    assert_eq!(refused.status, reqwest::StatusCode::FORBIDDEN);
    let mut admin = logged_in(&base, 2).await;
    let audit = admin.get("/settings").await.text;
    assert!(audit.contains("复核提问") && audit.contains("需补充，主题 狗咬人，结果 给了选项未选"));
    assert!(
        !audit.contains(NOT_IN_LIBRARY) && !audit.contains("转给王芳"),
        "no words: {audit}"
    );
    let csv = staff.download("/questions/export.csv?reviewed=yes").await;
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("需补充,狗咬人,给了选项未选"), "{csv}");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_topic_changes_the_figure() {
    let (office, bot, base) = open().await;
    for _ in 0..6 {
        ask(&base, &[QUESTIONS[0]]).await;
    }
    // Others, so that nothing has to be held back to protect a few.
    for _ in 0..6 {
        ask(&base, &[QUESTIONS[9]]).await;
    }
    let mut staff = logged_in(&base, 1).await;
    let told = |line: Option<String>| line.unwrap_or_default();
    // A review has its day counted anew; without one, today's figures may be a minute old.
    let first = format!("/questions/{}", rows(&mut staff, "").await[0]);
    let fields = [("mark", "ok")];
    staff
        .submit(&first, &format!("{first}/review"), &fields)
        .await;
    let before = told(reported(&office, "工资与用工"));
    assert!(before.contains('6'), "{before}");
    assert_eq!(told(reported(&office, "狗咬人")), "");
    for id in rows(&mut staff, "?topic=labor").await {
        let here = format!("/questions/{id}");
        let fields = [("mark", "wrong"), ("topic", "neighbor.dog")];
        staff
            .submit(&here, &format!("{here}/review"), &fields)
            .await;
    }
    assert!(told(reported(&office, "狗咬人")).contains('6'));
    assert_eq!(told(reported(&office, "工资与用工")), "");
    for id in rows(&mut staff, "?topic=neighbor").await {
        let here = format!("/questions/{id}");
        let fields = [("mark", "ok"), ("staff_test", "1")];
        staff
            .submit(&here, &format!("{here}/review"), &fields)
            .await;
    }
    assert_eq!(
        told(reported(&office, "狗咬人")),
        "",
        "tests of staff are no questions"
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_are_walked_through_one_after_the_other() {
    let (office, bot, base) = open().await;
    let words: Vec<String> = (0..50).map(|n| format!("卫星轨道第{n}号")).collect();
    ask(&base, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    ask(&base, &[QUESTIONS[0]]).await;
    let mut staff = logged_in(&base, 1).await;
    let query = "q=%E5%8D%AB%E6%98%9F&reviewed=no";
    let list = staff.get(&format!("/questions?{query}")).await.text;
    let begin = format!("/questions/review?{}", query.replace('&', "&#38;"));
    assert!(list.contains(&begin), "{list}");
    let mut at = staff
        .get(&begin.replace("&#38;", "&"))
        .await
        .location
        .unwrap();
    // New ones do not join.
    ask(&base, &["卫星轨道来晚了"]).await;
    let token = staff.token("/ask").await;
    for n in 1..=50 {
        let page = staff.get(&at).await.text;
        assert!(
            page.contains(&format!("第 {n} 条，共 50 条")),
            "{n}: {page}"
        );
        assert!(
            page.contains(&format!("卫星轨道第{}号", 50 - n)),
            "newest first"
        );
        assert_eq!(page.contains("rel=\"prev\""), n > 1);
        assert_eq!(page.contains("rel=\"next\""), n < 50);
        if n > 1 {
            assert!(page.contains("上一条已存：答错"), "{page}");
        }
        let action = page.split("method=\"post\" action=\"").nth(2).unwrap();
        let action = action.split('"').next().unwrap().replace("&#38;", "&");
        let fields = [("_csrf", token.as_str()), ("mark", "wrong")];
        at = staff.post(&action, &fields).await.location.unwrap();
    }
    assert_eq!(at, format!("/questions?{query}&done=walked"));
    let end = staff.get(&at).await.text;
    assert!(
        end.contains("复核到头了") && end.contains("来晚了"),
        "{end}"
    );
    assert_eq!(rows(&mut staff, "?reviewed=wrong").await.len(), 50);
    let none = staff
        .get("/questions/review?q=%E6%B2%A1%E6%9C%89")
        .await
        .location;
    let none = staff.get(&none.unwrap()).await.text;
    assert!(none.contains("没有还没复核的提问"), "{none}");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_are_only_words_in_a_review() {
    let (office, bot, base) = open().await;
    ask(&base, &[HOSTILE]).await;
    let mut staff = logged_in(&base, 1).await;
    let id = rows(&mut staff, "").await.remove(0);
    let here = format!("/questions/{id}");
    let fields = [("mark", "ok"), ("note", HOSTILE)];
    staff
        .submit(&here, &format!("{here}/review"), &fields)
        .await;
    let query = serde_urlencoded::to_string([("q", HOSTILE), ("since", "1"), ("saved", HOSTILE)]);
    for path in [here.clone(), format!("{here}?{}", query.unwrap())] {
        let seen = staff.get(&path).await.text;
        assert!(seen.matches("&#60;script").count() >= 2, "{seen}");
        for live in ["<script>alert", "<img src=x", "\"'><img"] {
            assert!(!seen.contains(live), "{live}");
        }
    }
    close(&office, bot).await;
}

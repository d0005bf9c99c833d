//! Logging in and out: no fixation, no guessing.

use reqwest::StatusCode;

use crate::common::Browser;
use crate::{STAFF, close, logged_in, open};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_makes_a_new_session_and_log_out_ends_it() {
    let (office, bot, base) = open().await;
    let mut browser = Browser::new(&base);
    let planted = "a".repeat(64);
    browser.cookies.insert("qijin".into(), planted.clone());
    browser.log_in(STAFF[0].0, STAFF[0].2).await;
    let first = browser.cookies["qijin"].clone();
    assert_ne!(first, planted, "a planted session is not taken over");
    let mut thief = Browser::new(&base);
    thief.cookies.insert("qijin".into(), planted);
    assert_eq!(thief.get("/questions").await.status, StatusCode::SEE_OTHER);

    assert_eq!(browser.get("/questions").await.status, StatusCode::OK);
    let out = browser.submit("/questions", "/logout", &[]).await;
    assert_eq!(out.location.as_deref(), Some("/login?out=1"));
    assert!(!browser.cookies.contains_key("qijin"));
    browser.cookies.insert("qijin".into(), first);
    let seen = browser.get("/questions").await;
    assert_eq!(
        seen.status,
        StatusCode::SEE_OTHER,
        "the old session is dead"
    );
    assert_eq!(seen.location.as_deref(), Some("/login?next=%2Fquestions"));

    let token = browser.token("/login").await;
    let (name, _, password) = STAFF[0];
    let fields = [
        ("_csrf", token.as_str()),
        ("name", name),
        ("password", password),
        ("next", "//evil.example/"),
    ];
    let seen = browser.post("/login", &fields).await;
    assert_eq!(
        seen.location.as_deref(),
        Some("/"),
        "only paths of this site"
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_locks_the_account_and_tells_nothing() {
    let (office, bot, base) = open().await;
    let mut browser = Browser::new(&base);
    let said = |text: &str| {
        let from = text.find("class=\"flash").unwrap();
        text[from..].split("</p>").next().unwrap().to_owned()
    };
    let unknown = browser.log_in("没有这个人", "whatever password").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    for _ in 0..5 {
        let wrong = browser.log_in(STAFF[1].0, "wrong password").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(said(&wrong.text), said(&unknown.text), "one answer for all");
    }
    let right = browser.log_in(STAFF[1].0, STAFF[1].2).await;
    assert_eq!(
        right.status,
        StatusCode::UNAUTHORIZED,
        "locked, though right"
    );
    assert_eq!(said(&right.text), said(&unknown.text));
    // Seven tries of this address so far, of ten at once.
    let mut statuses = Vec::new();
    for n in 0..5 {
        statuses.push(
            browser
                .log_in(&format!("别人{n}"), "wrong password")
                .await
                .status,
        );
    }
    assert_eq!(
        statuses.last(),
        Some(&StatusCode::TOO_MANY_REQUESTS),
        "{statuses:?}"
    );
    let listed = office.command(&["staff", "list"]).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(STAFF[1].0));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_password_can_be_changed() {
    let (office, bot, base) = open().await;
    let mut browser = logged_in(&base, 0).await;
    let change =
        |old: &'static str, new: &'static str| [("old", old), ("new", new), ("again", new)];
    let wrong = change("not the old one", "a brand new one");
    let seen = browser
        .submit("/settings", "/settings/password", &wrong)
        .await;
    assert!(seen.text.contains("现在的密码不对"), "{}", seen.text);
    let weak = change(STAFF[0].2, "short");
    let seen = browser
        .submit("/settings", "/settings/password", &weak)
        .await;
    assert!(seen.text.contains("至少"), "{}", seen.text);
    let good = change(STAFF[0].2, "a brand new one");
    let seen = browser
        .submit("/settings", "/settings/password", &good)
        .await;
    assert_eq!(seen.location.as_deref(), Some("/login?changed=1"));
    assert_eq!(
        browser.get("/questions").await.status,
        StatusCode::SEE_OTHER
    );
    let seen = browser.log_in(STAFF[0].0, "a brand new one").await;
    assert_eq!(seen.location.as_deref(), Some("/"));
    close(&office, bot).await;
}

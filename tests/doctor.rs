//! `qijin doctor` of the real program: what it sees, what it leaves alone, and its exit code.

mod common;

use std::process::Output;

use common::{FakeBotApi, Office, fake_bot_api::TOKEN};
use serde_json::Value;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The checks by their ids.
fn checks(output: &Output) -> Vec<(String, String)> {
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let all = all.as_array().unwrap().iter();
    all.map(|check| (text(check, "id"), text(check, "state")))
        .collect()
}

fn state<'a>(checks: &'a [(String, String)], id: &str) -> &'a str {
    let found = checks.iter().find(|(own, _)| own == id);
    &found.unwrap_or_else(|| panic!("no {id} in {checks:?}")).1
}

#[test]
fn a_new_office_is_told_what_to_do_and_nothing_is_made() {
    let office = Office::new();
    let output = office.command(&["doctor"]).output().unwrap();
    let told = said(&output);
    for part in ["✓ 资料库", "! 索引", "! 法律条文", "怎么办：", "没有设令牌"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!office.index().exists() && !office.folder().join("data/local.key").exists());
    if common::test_server().is_none() {
        assert!(output.status.success(), "warnings are no failure: {told}");
        assert!(!office.folder().join("data").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_office_is_well_and_a_backup_is_remembered() {
    let office = Office::new();
    office.add_staff("李主任", "管理", "long enough 3");
    let (bot, _) = office.serve_pages(&[]).await;
    let look = |arguments: &[&str]| office.command(arguments).output().unwrap();
    let before = checks(&look(&["doctor", "--json"]));
    for id in [
        "library", "index", "database", "inbox", "handover", "staff", "clock",
    ] {
        assert_eq!(state(&before, id), "good", "{id}");
    }
    assert_eq!(state(&before, "backup"), "warning");
    let made = look(&["db", "backup", "backup.sqlite"]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let output = look(&["doctor", "--json"]);
    assert_eq!(state(&checks(&output), "backup"), "good");
    assert!(output.status.success());
    assert!(bot.stop().await.success());
}

#[test]
fn what_does_not_work_is_told_and_the_exit_code_says_so() {
    let office = Office::new();
    std::fs::write(office.folder().join("qijin.toml"), "[offise]\n").unwrap();
    let output = office.command(&["doctor"]).output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("✗ 配置") && told.contains("offise"), "{told}");
    std::fs::write(office.folder().join("qijin.toml"), "").unwrap();
    let broken = office.library().join("labor/pay.md");
    let text = std::fs::read_to_string(&broken).unwrap();
    std::fs::write(&broken, text.replace("topic = ", "topik = ")).unwrap();
    let output = office
        .command(&["doctor", "--json"])
        .env(
            "QIJIN_DATABASE_URL",
            "postgres://me:secret@127.0.0.1:1/none",
        )
        .output()
        .unwrap();
    let found = checks(&output);
    assert_eq!(state(&found, "library"), "bad");
    assert_eq!(state(&found, "database"), "bad");
    assert!(!said(&output).contains("secret"));
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_is_asked_only_when_wanted() {
    let office = Office::new();
    let api = FakeBotApi::start("doctor").await;
    let look = |arguments: &[&str], token: &str| {
        let mut command = office.command(arguments);
        command
            .env("TELOXIDE_TOKEN", token)
            .env("TELOXIDE_API_URL", api.url());
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let offline = look(&["doctor", "--json"], TOKEN).await.unwrap();
    assert_eq!(state(&checks(&offline), "telegram"), "good");
    assert!(api.world().calls.is_empty(), "nobody was asked");
    let online = look(&["doctor", "--json", "--online"], TOKEN)
        .await
        .unwrap();
    assert_eq!(
        state(&checks(&online), "telegram"),
        "good",
        "{}",
        said(&online)
    );
    assert!(!said(&online).contains(TOKEN));
    let wrong = look(&["doctor", "--online"], "1:wrong").await.unwrap();
    assert!(said(&wrong).contains("✗ Telegram"), "{}", said(&wrong));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!said(&wrong).contains("1:wrong"));
}

//! 设置: changing qijin.toml from the page, and the check-up.

use reqwest::StatusCode;

use crate::{close, logged_in, open, staffed};

/// The hidden mark of the file's content.
fn seen_mark(page: &str) -> String {
    let rest = page.split("name=\"seen\" value=\"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_changed_with_its_comments_kept() {
    let office = staffed();
    let file = office.folder().join("qijin.toml");
    let before =
        "# 我们镇\n[regions]\ntownship = \"青石镇\" # 镇\n\n[journal]\nretention_days = 30\n";
    std::fs::write(&file, before).unwrap();
    let (bot, base) = office.serve_pages(&[]).await;
    let mut admin = logged_in(&base, 2).await;
    let page = admin.get("/settings/office").await.text;
    assert!(page.contains("由环境变量 QIJIN_OFFICE_NAME决定"), "{page}");
    let mark = seen_mark(&page);
    let to = "/settings/office";
    let wrong = [
        ("seen", mark.as_str()),
        ("name", "改不了的"),
        ("days", "一个月"),
        ("bot", "123:abc"),
        ("regions", "甲\n甲"),
    ];
    let seen = admin.submit(to, to, &wrong).await.text;
    for told in ["没有保存", "的整数", "不是机器人的用户名", "重复"] {
        assert!(seen.contains(told), "{told}: {seen}");
    }
    assert!(seen.contains("value=\"一个月\""), "what was typed stays");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    let right = [
        ("seen", mark.as_str()),
        ("name", "改不了的"),
        ("days", "7"),
        ("township", "青石镇"),
        ("bot", "qingshi_pufa_bot"),
        ("regions", "青石村\nr09 河东社区"),
    ];
    let seen = admin.submit(to, to, &right).await.text;
    assert!(
        seen.contains("马上生效：村(社区)、机器人的用户名"),
        "{seen}"
    );
    assert!(
        seen.contains("重新启动 qijin serve 以后生效：原话保留天数"),
        "{seen}"
    );
    let after = std::fs::read_to_string(&file).unwrap();
    for kept in [
        "# 我们镇",
        "# 镇",
        "retention_days = 7",
        "{ code = \"r01\", name = \"青石村\" }",
    ] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
    assert!(
        !after.contains("改不了的"),
        "the environment decides: {after}"
    );
    let form = admin.get("/activities/new").await.text;
    assert!(form.contains("青石村"), "regions are used at once");
    assert!(
        admin
            .get("/settings")
            .await
            .text
            .contains("等重新启动 qijin serve 才生效的：原话保留天数")
    );
    // Made from what the file was before: somebody else's change is not lost.
    let stale = admin.submit(to, to, &right).await.text;
    assert!(stale.contains("被别人改过，没有保存"), "{stale}");
    let audit = admin.get("/settings").await.text;
    assert!(audit.contains("改配置"));
    close(&office, bot).await;
    let (bot, _) = office.serve_pages(&[]).await;
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_shown_and_left_alone() {
    let office = staffed();
    let file = office.folder().join("qijin.toml");
    std::fs::write(&file, "[regions]\ntownship = \"青石镇\"\n").unwrap();
    // Root may write into everything, but nobody writes a file over a folder.
    for end in [".try", ".new"] {
        std::fs::create_dir(office.folder().join(format!("qijin.toml{end}"))).unwrap();
    }
    let (bot, base) = office.serve_pages(&[]).await;
    let mut admin = logged_in(&base, 2).await;
    let page = admin.get("/settings/office").await.text;
    assert!(
        page.contains("这里只能看，不能改") && page.contains("青石镇"),
        "{page}"
    );
    assert!(!page.contains("<button class=\"main\">保存"));
    let mark = seen_mark(&page);
    let fields = [
        ("seen", mark.as_str()),
        ("township", "别的镇"),
        ("days", "30"),
    ];
    let seen = admin
        .submit("/settings/office", "/settings/office", &fields)
        .await
        .text;
    assert!(
        seen.contains("没有保存") && seen.contains("别的镇"),
        "{seen}"
    );
    assert!(std::fs::read_to_string(&file).unwrap().contains("青石镇"));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkup_lists_what_the_command_does() {
    let (office, bot, base) = open().await;
    let mut admin = logged_in(&base, 2).await;
    let seen = admin.get("/settings/doctor").await;
    assert_eq!(seen.status, StatusCode::OK);
    for part in [
        "数据库",
        "索引",
        "备份",
        "怎么办",
        "没有用 qijin db backup 备份过",
    ] {
        assert!(seen.text.contains(part), "{part}: {}", seen.text);
    }
    close(&office, bot).await;
}

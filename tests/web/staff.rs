//! Accounts: by the command line and in 设置, and what the audit log says of it.

use reqwest::StatusCode;

use crate::common::{Browser, Office};
use crate::{STAFF, close, logged_in, open};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_makes_resets_and_disables_accounts() {
    let (office, bot, base) = open().await;
    let mut admin = logged_in(&base, 2).await;
    let secret = |text: &str| {
        let rest = text.split("<code>").nth(1).expect("a password is shown");
        rest.split("</code>").next().unwrap().to_owned()
    };
    let fields = [("name", "<b>王芳"), ("role", "查看")];
    let made = admin.submit("/settings", "/settings/staff", &fields).await;
    assert!(!made.text.contains("<b>王芳"), "a name is only a name");
    let password = secret(&made.text);
    let again = admin.submit("/settings", "/settings/staff", &fields).await;
    assert!(again.text.contains("已经有"), "{}", again.text);
    let page = admin.get("/settings").await.text;
    assert!(!page.contains(&password), "shown once");

    let mut member = Browser::new(&base);
    assert_eq!(
        member
            .log_in("<b>王芳", &password)
            .await
            .location
            .as_deref(),
        Some("/")
    );
    assert!(!member.get("/settings").await.text.contains("新建账号"));

    let row = &page[page.find("王芳").unwrap()..];
    let id = row.split("/settings/staff/").nth(1).unwrap();
    let id: String = id.chars().take_while(char::is_ascii_digit).collect();
    let path = format!("/settings/staff/{id}");
    let reset = admin
        .submit("/settings", &format!("{path}/password"), &[])
        .await;
    let second = secret(&reset.text);
    assert_eq!(
        member.get("/questions").await.status,
        StatusCode::SEE_OTHER,
        "logged out"
    );
    assert_eq!(
        member.log_in("<b>王芳", &second).await.location.as_deref(),
        Some("/")
    );
    let off = [("role", "查看"), ("state", "disabled")];
    admin.submit("/settings", &path, &off).await;
    assert_eq!(member.get("/questions").await.status, StatusCode::SEE_OTHER);
    let refused = member.log_in("<b>王芳", &second).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let page = admin.get("/settings").await.text;
    for line in ["新建账号", "重设密码", "改账号", "命令行"] {
        assert!(page.contains(line), "{line} is in the audit log");
    }
    close(&office, bot).await;
}

#[test]
fn the_command_line_manages_accounts_and_takes_no_password_as_an_argument() {
    let office = Office::new();
    let run = |arguments: &[&str]| {
        let output = office
            .command(arguments)
            .stdin(std::process::Stdio::null())
            .output();
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    assert!(run(&["staff", "list"]).1.contains("还没有账号"));
    let (ok, text) = run(&["staff", "add", "李主任", "--role", "管理", "--generate"]);
    assert!(ok && text.contains("只显示这一次"), "{text}");
    assert!(!run(&["staff", "add", "王芳", "--password", "x"]).0);
    assert!(
        !run(&["staff", "add", "王芳"]).0,
        "an empty password is refused"
    );
    let (ok, text) = run(&["staff", "disable", "李主任"]);
    assert!(!ok && text.contains("最后一个"), "{text}");
    office.add_staff(STAFF[1].0, "审核", STAFF[1].2);
    assert!(run(&["staff", "role", STAFF[1].0, "管理"]).0);
    assert!(run(&["staff", "disable", "李主任"]).0);
    let (_, list) = run(&["staff", "list"]);
    assert!(list.contains("李主任\t管理\t停用"), "{list}");
    assert!(run(&["staff", "enable", "李主任"]).0);
    let (ok, text) = run(&["staff", "password", "没有这个人", "--generate"]);
    assert!(!ok && text.contains("没有"), "{text}");
}

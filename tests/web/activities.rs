//! 普法活动: the ledger from forms and sheets, the list of duties, the calendar, boards and posters.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use reqwest::StatusCode;
use rust_xlsxwriter::Workbook;

use crate::common::Browser;
use crate::{close, logged_in, open, staffed};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
const FORMULA: &str = "=cmd|' /C calc'!A0";

/// The fields that an activity must have.
fn fields<'a>(title: &'a str, day: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("title", title),
        ("from", day),
        ("place", "enterprise"),
        ("media", "讲座"),
        ("media", "发放资料"),
        ("topic", "labor.pay"),
        ("topic", ""),
        ("unit", "司法所"),
        ("attendance", "45"),
    ]
}

/// Adds an activity; returns its page.
async fn add(staff: &mut Browser, title: &str, day: &str) -> String {
    let seen = staff
        .submit("/activities/new", "/activities", &fields(title, day))
        .await;
    let page = seen.location.unwrap_or_else(|| panic!("{}", seen.text));
    page.split('?').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_is_added_seen_changed_and_deleted_with_a_trace() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    let empty = staff.get("/activities").await.text;
    assert!(empty.contains("台账里还没有活动"));
    let page = add(&mut staff, "送法进工地", "2026-06-10").await;
    let one = staff.get(&page).await.text;
    for part in [
        "送法进工地",
        "2026-06-10",
        "讲座、发放资料",
        "45",
        "不足以判断",
    ] {
        assert!(one.contains(part), "{part}: {one}");
    }
    let twice = staff
        .submit(
            "/activities/new",
            "/activities",
            &fields("送法进工地", "2026-06-10"),
        )
        .await;
    assert!(twice.text.contains("台账里已经有"), "{}", twice.text);
    add(&mut staff, "以后的讲座", "2099-01-01").await;
    let list = staff.get("/activities").await.text;
    assert!(list.contains("共 2 次") && list.contains("计划"));
    for (query, seen, not) in [
        ("to=2026-12-31", "送法进工地", "以后的讲座"),
        ("from=2098-01-01", "以后的讲座", "送法进工地"),
        ("topic=marriage", "没有符合的活动", "送法进工地"),
        (
            "topic=labor&unit=司法所&place=enterprise",
            "送法进工地",
            "没有符合的活动",
        ),
        ("from=nonsense&page=99", "送法进工地", "没有符合的活动"),
    ] {
        let text = staff.get(&format!("/activities?{query}")).await.text;
        assert!(text.contains(seen), "{query}");
        assert!(!text.contains(not), "{query}");
    }
    let edit = format!("{page}/edit");
    let form = staff.get(&edit).await.text;
    assert!(form.contains("value=\"讲座\" checked"), "{form}");
    let mut changed = fields("送法进工地二", "2026-06-11");
    changed.push(("person", "李明"));
    let done = staff.submit(&edit, &page, &changed).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert!(staff.get(&page).await.text.contains("李明"));
    let gone = staff.submit(&page, &format!("{page}/delete"), &[]).await;
    assert_eq!(gone.location.as_deref(), Some("/activities?done=removed"));
    assert_eq!(staff.get(&page).await.status, StatusCode::NOT_FOUND);
    let mut admin = logged_in(&base, 2).await;
    let audit = admin.get("/settings").await.text;
    for line in ["记台账", "改台账", "删台账"] {
        assert!(audit.contains(line), "{line}");
    }
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_stand_beside_their_fields_and_nothing_typed_is_lost() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    let typed = [
        ("title", HOSTILE),
        ("from", "2026-02-30"),
        ("place", "nowhere"),
        ("media", "讲座"),
        ("topic", "labor.pay"),
        ("topic", "labor.gone"),
        ("unit", ""),
        ("attendance", "很多"),
        ("person", "小李 13800138000"),
        ("note", "第一行\r\n第二行"),
    ];
    let seen = staff.submit("/activities/new", "/activities", &typed).await;
    assert_eq!(seen.status, StatusCode::OK);
    for told in [
        "没有保存",
        "“2026-02-30”不是日期",
        "没有这个场所",
        "资料库里没有这个主题：“labor.gone”",
        "像是有电话",
        "不是 0 到 1000000 的整数",
    ] {
        assert!(seen.text.contains(told), "{told}: {}", seen.text);
    }
    for kept in [
        "&#60;script&#62;alert(1)",
        "value=\"2026-02-30\"",
        "value=\"nowhere\" checked",
        "value=\"labor.gone\" selected",
        "value=\"labor.pay\" selected",
        "value=\"很多\"",
        "第一行\n第二行",
    ] {
        assert!(seen.text.contains(kept), "{kept}: {}", seen.text);
    }
    assert!(!seen.text.contains("<script>alert"));
    assert!(staff.get("/activities").await.text.contains("还没有活动"));
    close(&office, bot).await;
}

/// A sheet of the ledger's template with these rows: title, day, medium, place, unit.
fn sheet(rows: &[[&str; 5]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("台账").unwrap();
    for (at, head) in (0u16..).zip(["活动名称", "开始日期", "形式", "场所", "责任单位"])
    {
        sheet.write_string(0, at, head).unwrap();
    }
    for (line, row) in (1u32..).zip(rows) {
        for (at, cell) in (0u16..).zip(row) {
            sheet.write_string(line, at, *cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_imported_whole_or_not_at_all() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    let template = staff.download("/activities/template.xlsx").await;
    assert!(Xlsx::new(Cursor::new(template)).is_ok());
    let bad = sheet(&[
        ["甲", "2026-06-10", "讲座", "企业", "司法所"],
        ["乙", "明天", "讲座", "月球", "司法所"],
    ]);
    let path = "/activities/import";
    let seen = staff.upload(path, path, &[], &bad).await;
    assert!(seen.text.contains("第 3 行“开始日期”"), "{}", seen.text);
    assert!(seen.text.contains("第 3 行“场所”") && seen.text.contains("一条也没有导入"));
    assert!(staff.get("/activities").await.text.contains("还没有活动"));
    let good = sheet(&[
        [FORMULA, "2026-06-10", "讲座", "企业", "司法所"],
        ["乙", "2026-06-11", "广播", "企业", "派出所"],
    ]);
    let checked = staff.upload(path, path, &[("check", "1")], &good).await;
    assert!(
        checked.text.contains("2 条都没有错误，还没有导入"),
        "{}",
        checked.text
    );
    assert!(staff.get("/activities").await.text.contains("还没有活动"));
    let done = staff.upload(path, path, &[], &good).await;
    assert_eq!(
        done.location.as_deref(),
        Some("/activities?done=imported-2")
    );
    let again = staff.upload(path, path, &[], &good).await;
    assert!(again.text.contains("都一样"), "{}", again.text);
    for (told, file) in [
        ("还没有选文件", &b""[..]),
        ("没有导入", b"PK nothing"),
        ("文件超过 2 MB", &vec![0; 3 << 20]),
    ] {
        let seen = staff.upload(path, path, &[], file).await;
        assert!(seen.text.contains(told), "{told}: {}", seen.text);
    }

    // What is taken away runs nothing, and can be brought back.
    let csv = String::from_utf8(staff.download("/activities/export.csv").await).unwrap();
    assert!(csv.contains("'=cmd") && !csv.contains("\n=cmd"), "{csv}");
    let book = staff.download("/activities/export.xlsx?unit=派出所").await;
    let mut read: Xlsx<_> = Xlsx::new(Cursor::new(book.clone())).unwrap();
    let range = read.worksheet_range("台账").unwrap();
    assert_eq!(range.height(), 2);
    assert_eq!(range.get((1, 0)), Some(&Data::String("乙".into())));
    let all = staff.download("/activities/export.xlsx").await;
    let mut read: Xlsx<_> = Xlsx::new(Cursor::new(all)).unwrap();
    let range = read.worksheet_range("台账").unwrap();
    assert!(
        range
            .rows()
            .any(|row| row[0] == Data::String(FORMULA.into()))
    );
    let formulas = read.worksheet_formula("台账").unwrap();
    assert!(formulas.is_empty(), "no cell is a formula");
    let page = staff.get("/activities").await.text;
    let id = page
        .split("/activities/")
        .find_map(|p| p.split('"').next()?.parse::<i64>().ok());
    let page = format!("/activities/{}", id.unwrap());
    staff.submit(&page, &format!("{page}/delete"), &[]).await;
    let back = staff.upload(path, path, &[], &book).await;
    assert!(
        back.location.is_some() || back.text.contains("都一样"),
        "{}",
        back.text
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_file_needs_its_token_first() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    let token = staff.token("/activities/import").await;
    let mut stranger = Browser::new(&base);
    let others = stranger.token("/ask").await;
    let file = sheet(&[["甲", "2026-06-10", "讲座", "企业", "司法所"]]);
    let path = "/activities/import";
    for (what, fields, file_first) in [
        ("none", vec![], false),
        ("another's", vec![("_csrf", others.as_str())], false),
        (
            "not first",
            vec![("x", "y"), ("_csrf", token.as_str())],
            false,
        ),
        ("behind the file", vec![("_csrf", token.as_str())], true),
    ] {
        let seen = staff.send_file(path, &fields, &file, file_first).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{what}");
    }
    // A body that belongs to no form, and one on a page that takes no file.
    let odd = staff.request(reqwest::Method::POST, path);
    let odd = odd
        .header("content-type", "multipart/form-data")
        .body(file.clone());
    assert_eq!(odd.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let big = vec![b'x'; 100_000];
    let seen = staff
        .send_file("/activities", &[("_csrf", &token)], &big, false)
        .await;
    assert!(seen.status.is_client_error(), "{}", seen.status);
    // Nobody without the role gets as far as reading the file.
    let mut viewer = logged_in(&base, 0).await;
    let own = viewer.token("/ask").await;
    let seen = viewer
        .send_file(path, &[("_csrf", &own)], &file, false)
        .await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(staff.get("/activities").await.text.contains("还没有活动"));
    let seen = staff
        .send_file(path, &[("_csrf", &token)], &file, false)
        .await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.text);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duties_stand_against_what_the_ledger_holds() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    add(&mut staff, "甲", "2026-06-10").await;
    let page = "/activities/duties?year=2026";
    let to = "/activities/duties";
    let wrong = [
        ("year", "2026"),
        ("unit", HOSTILE),
        ("content", ""),
        ("planned", "多"),
    ];
    let seen = staff.submit(page, to, &wrong).await.text;
    assert!(seen.contains("没有保存") && seen.contains("必须填") && seen.contains("只写数字"));
    assert!(seen.contains("&#60;script") && !seen.contains("<script>alert"));
    for (unit, planned) in [("司法所", "2"), ("司法所", "3"), ("派出所", "1")] {
        let fields = [
            ("year", "2026"),
            ("unit", unit),
            ("content", "反诈"),
            ("planned", planned),
        ];
        let done = staff.submit(page, to, &fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    }
    let seen = staff.get(page).await.text;
    assert!(
        seen.contains("2 个单位，计划 4 次，按计划办了 1 次"),
        "{seen}"
    );
    assert!(seen.contains("还差 2 次"));
    let edit = staff
        .get("/activities/duties?year=2026&edit=派出所")
        .await
        .text;
    assert!(edit.contains("value=\"反诈\""));
    let book = staff
        .download("/activities/duties/template.xlsx?year=2026")
        .await;
    let path = "/activities/duties/import";
    let done = staff.upload(page, path, &[("year", "2027")], &book).await;
    assert_eq!(
        done.location.as_deref(),
        Some("/activities/duties?year=2027&done=saved")
    );
    let fields = [("year", "2026"), ("unit", "派出所")];
    assert!(edit.contains("从 2026 年的清单里删掉“派出所”"), "{edit}");
    let gone = staff
        .submit(page, "/activities/duties/delete", &fields)
        .await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert!(!staff.get(page).await.text.contains("派出所"));
    assert!(
        staff
            .get("/activities/duties?year=2027")
            .await
            .text
            .contains("派出所")
    );
    let mut viewer = logged_in(&base, 0).await;
    let seen = viewer.get(page).await.text;
    assert!(seen.contains("司法所") && !seen.contains("写一个单位"));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_knows_its_days_and_leads_to_a_plan() {
    let office = staffed();
    let calendar = "[[day]]\nid = \"all_year\"\nname = \"全年<b>宣传\"\nfrom = \"01-01\"\nto = \"12-31\"\n\
                    topics = [\"labor\"]\nabout = \"讲工资\"\n";
    std::fs::write(office.library().join("calendar.toml"), calendar).unwrap();
    let (bot, base) = office.serve_pages(&[]).await;
    let mut staff = logged_in(&base, 1).await;
    let seen = staff.get("/activities/calendar").await.text;
    assert!(
        seen.contains("正在进行") && seen.contains("全年&#60;b&#62;宣传"),
        "{seen}"
    );
    let link = seen.split("href=\"/activities/new?").nth(1).unwrap();
    let link = link.split('"').next().unwrap().replace("&#38;", "&");
    let form = staff.get(&format!("/activities/new?{link}")).await.text;
    assert!(form.contains("value=\"labor\" selected"), "{form}");
    assert!(form.contains("value=\"全年&#60;b&#62;宣传\""));
    add(&mut staff, "讲座", "2031-05-06").await;
    let seen = staff.get("/activities/calendar?year=2031").await.text;
    assert!(seen.contains("05-06") && seen.contains("计划"));
    assert!(
        !staff
            .get("/activities/calendar?year=2030")
            .await
            .text
            .contains("05-06")
    );
    assert_eq!(
        staff.get("/activities/calendar?year=-9").await.status,
        StatusCode::OK
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_are_put_up_changed_printed_and_taken_down() {
    let office = staffed();
    let (bot, base) = office
        .serve_pages(&[("QIJIN_BOT", "qingshi_pufa_bot")])
        .await;
    let mut staff = logged_in(&base, 1).await;
    let page = add(&mut staff, "下乡", "2026-06-10").await;
    let id = page.rsplit('/').next().unwrap().to_owned();
    let wrong = [
        ("name", ""),
        ("place", "moon"),
        ("region", "r99"),
        ("activity", "77"),
    ];
    let seen = staff.submit("/boards", "/boards", &wrong).await.text;
    for told in [
        "没有保存",
        "要有 1 到 40 个字",
        "没有“moon”这个场所",
        "没有“r99”",
    ] {
        assert!(seen.contains(told), "{told}: {seen}");
    }
    let missing = [("name", "甲"), ("activity", "77")];
    let seen = staff.submit("/boards", "/boards", &missing).await.text;
    assert!(seen.contains("台账里没有第 77 号活动"), "{seen}");
    let fields = [
        ("name", HOSTILE.get(..30).unwrap()),
        ("place", "enterprise"),
        ("activity", &id),
    ];
    let done = staff.submit("/boards", "/boards", &fields).await;
    assert_eq!(
        done.location.as_deref(),
        Some("/boards?done=added"),
        "{}",
        done.text
    );
    let seen = staff.get("/boards").await.text;
    assert!(!seen.contains("<script>alert") && seen.contains("&#60;script"));
    let code = seen
        .split("/boards/")
        .find_map(|part| part.split_once("/poster.pdf"));
    let code = code.unwrap().0.to_owned();
    for size in ["a4", "a3"] {
        let pdf = staff
            .download(&format!("/boards/{code}/poster.pdf?size={size}"))
            .await;
        assert!(pdf.starts_with(b"%PDF"), "{size}");
    }
    assert!(
        staff
            .download("/boards/posters.pdf")
            .await
            .starts_with(b"%PDF")
    );
    let here = format!("/boards/{code}");
    let done = staff.submit(&here, &here, &[("name", "文化广场")]).await;
    assert_eq!(done.location.as_deref(), Some("/boards?done=changed"));
    let down = staff
        .submit("/boards", &format!("{here}/retire"), &[])
        .await;
    assert_eq!(down.location.as_deref(), Some("/boards?done=retired"));
    let seen = staff.get(&format!("{here}/poster.pdf")).await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        staff.get("/boards/zzzzz").await.status,
        StatusCode::NOT_FOUND
    );
    close(&office, bot).await;
}

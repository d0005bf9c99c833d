//! The ledger, boards and posters through the real program: nothing half-imported, QR codes that
//! lead where they should, and questions that count where the board hangs.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use calamine::{Data, Reader, Xlsx};
use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use common::{FakeBotApi, Office, Resident};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

/// An office with two regions and a bot's name.
fn office() -> Office {
    let office = Office::new();
    fs::write(
        office.folder().join("qijin.toml"),
        "[regions]\ntownship = \"青石镇\"\nlist = [{ code = \"r01\", name = \"青石村\" }, \
         { code = \"r02\", name = \"河东社区\" }]\n[telegram]\nbot = \"qingshi_pufa_bot\"\n",
    )
    .unwrap();
    office
}

/// Runs the program and returns whether it succeeded, and all it said.
fn run(office: &Office, arguments: &[&str]) -> (bool, String) {
    let output = office.command(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn done(office: &Office, arguments: &[&str]) -> String {
    let (ok, said) = run(office, arguments);
    assert!(ok, "{arguments:?}: {said}");
    said
}

/// Asks for an activity that is fine as it stands.
const FINE: [&str; 12] = [
    "activity",
    "add",
    "--title",
    "送法进工地",
    "--from",
    "2026-06-10",
    "--media",
    "讲座、发放资料",
    "--place",
    "企业｜乡村",
    "--topic",
    "工资与用工",
];

#[test]
fn an_activity_is_entered_edited_listed_and_removed() {
    let office = office();
    assert!(done(&office, &["activity", "list"]).contains("台账是空的"));
    let more = ["--region", "青石村", "--attendance", "45"];
    let said = done(&office, &[&FINE[..], &more[..]].concat());
    assert!(said.contains("1\t2026-06-10\t送法进工地"), "{said}");
    assert!(
        said.contains("讲座｜发放资料；企业｜乡村；工资与用工；青石村；青石镇司法所；45 人参加"),
        "{said}"
    );
    let (ok, said) = run(&office, &FINE);
    assert!(!ok && said.contains("已经有“送法进工地”"), "{said}");

    let edit = [
        "activity",
        "edit",
        "1",
        "--attendance",
        "",
        "--to",
        "2026/6/12",
        "--region",
        "青石镇",
    ];
    let said = done(&office, &edit);
    assert!(said.contains("2026-06-10 到 2026-06-12"), "{said}");
    assert!(said.contains("全镇") && !said.contains("人参加"), "{said}");
    let (ok, said) = run(&office, &["activity", "edit", "1"]);
    assert!(!ok && said.contains("没有说要改什么"), "{said}");
    let list = |from: &str| done(&office, &["activity", "list", "--from", from]);
    assert!(list("2026-06-12").contains("共 1 次"));
    assert!(list("2026-06-13").contains("这段时间没有活动（台账里一共 1 次）"));

    done(
        &office,
        &[
            "activity",
            "duty",
            "add",
            "青石镇司法所",
            "--year",
            "2026",
            "--content",
            "民法典",
            "--planned",
            "3",
        ],
    );
    let said = done(&office, &["activity", "duty", "list", "--year", "2026"]);
    assert!(
        said.contains("计划 3 次\t办了 1 次\t还差 2 次\t民法典"),
        "{said}"
    );
    assert!(done(&office, &["activity", "remove", "1"]).contains("删掉第 1 号"));
    let (ok, said) = run(&office, &["activity", "remove", "1"]);
    assert!(!ok && said.contains("没有第 1 号活动"), "{said}");
}

#[test]
fn what_is_wrong_is_told_flag_by_flag_and_nothing_is_entered() {
    let office = office();
    let (ok, said) = run(
        &office,
        &[
            "activity",
            "add",
            "--from",
            "2026-06-31",
            "--to",
            "2026-01-01",
            "--media",
            "跳舞",
            "--place",
            "企业",
            "--topic",
            "太空法",
            "--region",
            "海南",
            "--person",
            "李明 13800138000",
            "--attendance",
            "约五十",
            "--note",
            &"长".repeat(501),
        ],
    );
    assert!(!ok);
    for part in [
        "活动名称（--title）：必须填",
        "开始日期（--from）：“2026-06-31”不是日期",
        "形式（--media）：没有这种形式：“跳舞”",
        "主题（--topic）：资料库里没有这个主题：“太空法”",
        "村(社区)（--region）：qijin.toml 的 [regions] 里没有这个村(社区)：“海南”",
        "责任人（--person）：像是有电话",
        "参加人数（--attendance）：“约五十”不是",
        "备注（--note）：有 501 个字，最多 500 个",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(done(&office, &["activity", "list"]).contains("台账是空的"));
}

/// The template's heads.
fn heads(file: &Path) -> Vec<String> {
    let mut book: Xlsx<_> = calamine::open_workbook(file).unwrap();
    let range = book.worksheet_range("台账").unwrap();
    range
        .rows()
        .next()
        .unwrap()
        .iter()
        .map(Data::to_string)
        .collect()
}

/// A sheet with these heads and rows; a count is written as a number, a day as Excel's own.
fn sheet(file: &Path, heads: &[String], rows: &[&[(&str, &str)]]) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let at = |head: &str| heads.iter().position(|h| h == head).unwrap() as u16;
    for (column, head) in (0u16..).zip(heads) {
        sheet.write_string(0, column, head).unwrap();
    }
    let date = Format::new().set_num_format("yyyy-mm-dd");
    for (row, cells) in (1u32..).zip(rows) {
        for (head, words) in *cells {
            match (
                *head,
                words.parse::<f64>(),
                ExcelDateTime::parse_from_str(words),
            ) {
                ("参加人数", Ok(number), _) => sheet.write_number(row, at(head), number),
                ("开始日期", _, Ok(day)) => {
                    sheet.write_datetime_with_format(row, at(head), day, &date)
                }
                _ => sheet.write_string(row, at(head), *words),
            }
            .unwrap();
        }
    }
    book.save(file).unwrap();
}

fn good<'a>(title: &'a str, day: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("活动名称", title),
        ("开始日期", day),
        ("形式", "讲座"),
        ("场所", "乡村"),
        ("主题", "工资与用工（labor.pay）"),
        ("责任单位", "派出所"),
        ("参加人数", "45"),
    ]
}

#[test]
fn a_sheet_is_imported_whole_or_not_at_all() {
    let office = office();
    let file = office.folder().join("台账.xlsx");
    let name = file.to_str().unwrap();
    done(&office, &["activity", "template", name]);
    let (ok, said) = run(&office, &["activity", "template", name]);
    assert!(!ok && said.contains("没有覆盖"), "{said}");
    let (ok, said) = run(&office, &["activity", "import", name]);
    assert!(
        !ok && said.contains("一行也没有填"),
        "only the example is in it: {said}"
    );
    let heads = heads(&file);
    assert_eq!(heads.len(), 14);

    let (first, second) = (good("反诈", "2026-03-01"), good("护苗", "2026年4月2日"));
    let with = |cells: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        let mut row = good("坏的", "2026-05-05");
        for (head, words) in cells {
            row.retain(|(h, _)| h != head);
            row.push((*head, *words));
        }
        row
    };
    let twin = good("反诈", "2026-03-01");
    let bad = [
        with(&[("开始日期", "下个月")]),
        with(&[("主题", "太空法"), ("参加人数", "4.5")]),
        with(&[("场所", ""), ("结束日期", "2026-05-04")]),
        with(&[("备注", "找王五 13800138000")]),
    ];
    let mut rows: Vec<&[(&str, &str)]> = vec![&first, &second, &twin];
    rows.extend(bad.iter().map(Vec::as_slice));
    sheet(&file, &heads, &rows);
    let (ok, said) = run(&office, &["activity", "import", name]);
    assert!(!ok);
    for part in [
        "第 4 行“活动名称”：和第 2 行的名称、开始日期、责任单位都一样",
        "第 5 行“开始日期”：“下个月”不是日期",
        "第 6 行“主题”：资料库里没有这个主题：“太空法”",
        "第 6 行“参加人数”：“4.5”不是",
        "第 7 行“结束日期”：比开始日期还早",
        "第 7 行“场所”：必须填",
        "第 8 行“备注”：像是有电话",
        "共 7 处要改，一条也没有导入",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("13800138000"), "{said}");
    assert!(done(&office, &["activity", "list"]).contains("台账是空的"));

    sheet(&file, &heads, &[&first, &second]);
    assert!(done(&office, &["activity", "import", name, "--dry-run"]).contains("2 条都没有错误"));
    assert!(done(&office, &["activity", "list"]).contains("台账是空的"));
    assert!(done(&office, &["activity", "import", name]).contains("导入了 2 条，编号 1 到 2"));
    let list = done(&office, &["activity", "list"]);
    assert!(
        list.contains("2026-03-01\t反诈") && list.contains("2026-04-02\t护苗"),
        "{list}"
    );
    assert!(list.contains("45 人参加"), "{list}");
    let (ok, said) = run(&office, &["activity", "import", name]);
    assert!(
        !ok && said.contains("第 2 行“活动名称”：和台账第 1 号"),
        "{said}"
    );
    assert!(done(&office, &["activity", "list"]).contains("共 2 次"));
}

/// What an independent reader finds on the pages of a PDF.
fn decoded(pdf: &Path) -> Vec<String> {
    let pages = pdf.with_extension("");
    let drawn = Command::new("pdftoppm")
        .args(["-r", "80", "-png"])
        .args([pdf, &pages])
        .status()
        .expect("pdftoppm of poppler-utils; tests/run.sh installs it");
    assert!(drawn.success());
    let mut images: Vec<_> = fs::read_dir(pdf.parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.starts_with(&*pages.to_string_lossy()) && name.ends_with(".png")
        })
        .collect();
    images.sort();
    let read = Command::new("zbarimg")
        .args(["-q", "--raw"])
        .args(&images)
        .output()
        .expect("zbarimg of zbar-tools; tests/run.sh installs it");
    let found = String::from_utf8(read.stdout).unwrap();
    found.lines().map(str::to_owned).collect()
}

#[test]
fn posters_lead_to_their_boards() {
    let office = office();
    let first = office.add_board(&["文化广场<宣传栏>&", "--place", "乡村", "--region", "青石村"]);
    let second = office.add_board(&["镇东工地"]);
    let third = office.add_board(&["撤了的"]);
    assert!(done(&office, &["board", "retire", &third]).contains("已撤下"));
    let list = done(&office, &["board", "list"]);
    assert!(
        list.contains(&format!("{first}\t文化广场<宣传栏>&\t乡村\t青石村")),
        "{list}"
    );
    let link = |code: &str| format!("https://t.me/qingshi_pufa_bot?start=b_{code}");
    for size in ["a4", "a3"] {
        let file = office.folder().join(format!("all-{size}.pdf"));
        let out = file.to_str().unwrap();
        done(
            &office,
            &["board", "poster", "--all", "--size", size, "--out", out],
        );
        assert_eq!(decoded(&file), [link(&first), link(&second)]);
    }
    let file = office.folder().join("one.pdf");
    let out = file.to_str().unwrap();
    let shouted = second.to_uppercase();
    done(
        &office,
        &[
            "board",
            "poster",
            &shouted,
            "--out",
            out,
            "--bot",
            "@Other_Bot",
        ],
    );
    assert_eq!(
        decoded(&file),
        [format!("https://t.me/Other_Bot?start=b_{second}")]
    );
    for (arguments, told) in [
        (vec!["zzzzz"], "没有编号为 zzzzz 的宣传点"),
        (vec![third.as_str()], "已经撤下"),
        (
            vec![second.as_str(), "--bot", "123:token"],
            "不是机器人的用户名",
        ),
    ] {
        let file = office.folder().join("none.pdf");
        let mut all = vec!["board", "poster", "--out", file.to_str().unwrap()];
        all.extend(arguments);
        let (ok, said) = run(&office, &all);
        assert!(!ok && said.contains(told), "{said}");
        assert!(!file.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_counts_where_its_board_hangs() {
    let office = office();
    let api = FakeBotApi::start("ledger").await;
    let bot = office.start(&api).await;
    let board = office.add_board(&["文化广场", "--place", "乡村", "--region", "青石村"]);
    let scanned = Resident::new(&api, 880_101, "王秀兰");
    scanned.asks(&format!("/start b_{board}")).await;
    scanned.asks(QUESTIONS[0]).await;
    scanned.asks(NOT_IN_LIBRARY).await;
    let chose = Resident::new(&api, 880_102, "李大爷");
    chose.asks("/start r_r02").await;
    chose.asks(&format!("/start b_{board}")).await;
    chose.asks(QUESTIONS[1]).await;
    let stranger = Resident::new(&api, 880_103, "张三");
    stranger.asks("/start b_made-up-words").await;
    stranger.asks("/start r_made-up-words").await;
    stranger.asks(QUESTIONS[2]).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();

    let rows = office.journal();
    let of = |words: &str| {
        let row = rows.iter().find(|row| row[14] == words);
        let row = row.unwrap_or_else(|| panic!("{words} is not journaled"));
        (row[3].clone(), row[4].clone(), row[5].clone())
    };
    let (region, code, place) = of(QUESTIONS[0]);
    assert_eq!((region.as_str(), &code), ("r01", &board));
    assert_eq!(place, "village", "the entry is for the board's place too");
    let (region, code, place) = of(NOT_IN_LIBRARY);
    assert_eq!((region.as_str(), &code), ("r01", &board));
    assert_eq!(
        place, "village",
        "without an entry the board's place is known"
    );
    let (region, code, _) = of(QUESTIONS[1]);
    assert_eq!(
        (region.as_str(), &code),
        ("r02", &board),
        "their own choice goes first"
    );
    let (region, code, _) = of(QUESTIONS[2]);
    assert_eq!(
        (region.as_str(), code.as_str()),
        ("", ""),
        "made-up codes are not kept"
    );
}

//! A sheet of entries: in whole, or not at all.

use std::fs;
use std::path::PathBuf;

use rust_xlsxwriter::{Format, Formula};

use crate::common::Office;
use crate::common::files::{docx, raw_xlsx, template_rows, workbook};
use crate::{library, run};

/// The template's header, and its example as a row to be imported.
fn header_and_row(office: &Office) -> (Vec<String>, Vec<String>) {
    let file = office.folder().join("模板.xlsx");
    if !file.exists() {
        let (ok, said) = run(office, &["import", "template", "模板.xlsx"]);
        assert!(ok, "{said}");
    }
    let (header, example) = template_rows(&file);
    let mut row: Vec<String> = example.iter().map(|c| c.replace("（示例）", "")).collect();
    let today = qijin::journal::local_day(chrono::Utc::now());
    *row.last_mut().unwrap() = today.to_string();
    (header, row)
}

/// A row like another, about something else.
fn other(row: &[String], header: &[String], number: usize) -> Vec<String> {
    let mut row = row.to_vec();
    row[at(header, "问题")] = format!("第{number}件事怎么办？");
    let phrasings: Vec<String> = (0..6)
        .map(|n| format!("第{number}件事的第{n}种说法"))
        .collect();
    row[at(header, "问法")] = phrasings.join("｜");
    row
}

fn at(header: &[String], name: &str) -> usize {
    header.iter().position(|h| h == name).unwrap()
}

fn entries(office: &Office, rows: &[Vec<String>], more: &[&str]) -> (bool, String) {
    workbook(rows)
        .save(office.folder().join("问答.xlsx"))
        .unwrap();
    run(
        office,
        &[&["import", "entries", "问答.xlsx"], more].concat(),
    )
}

#[test]
fn the_template_is_filled_in_and_imported() {
    let office = Office::new();
    let (header, first) = header_and_row(&office);
    let (_, example) = template_rows(&office.folder().join("模板.xlsx"));
    let mut second = other(&first, &header, 2);
    second[at(&header, "场所")] = "企业、乡村".into();
    second[at(&header, "核对日期")] = "2026年1月2日".into();
    second[at(&header, "时限")] = "3.5 天。\n# 不是标题 * <!-- figure: 某条例第二条 -->".into();
    let rows = [header.clone(), example, first, second];

    let before = library(&office);
    let (ok, said) = entries(&office, &rows, &["--dry-run"]);
    assert!(ok && said.contains("2 条都没有错误"), "{said}");
    assert_eq!(library(&office), before, "a trial writes nothing");

    let (ok, said) = entries(&office, &rows, &[]);
    assert!(ok && said.contains("导入了 2 条"), "{said}");
    let (ok, said) = run(&office, &["check"]);
    assert!(ok && said.contains("0 处错误"), "{said}");
    let (_, said) = run(&office, &["ask", "邻居家的羊吃了我家的菜，怎么赔？"]);
    assert!(said.contains("《民法典》第一千二百四十五条"), "{said}");
    let (_, said) = run(&office, &["ask", "第2件事怎么办？"]);
    assert!(
        said.contains("# 不是标题 *") && !said.contains("某条例"),
        "{said}"
    );

    // A second sheet is added to the same file; a third with the same questions is refused.
    let written = |before: &[(PathBuf, Vec<u8>)]| -> Vec<PathBuf> {
        let now = library(&office);
        now.into_iter()
            .filter(|f| !before.contains(f))
            .map(|f| f.0)
            .collect()
    };
    let files = written(&before);
    assert_eq!(files.len(), 1, "{files:?}");
    let old = fs::read_to_string(&files[0]).unwrap();
    assert!(
        old.contains("核对：2026-01-02") && old.contains("场所：enterprise ｜ village"),
        "{old}"
    );
    let third = other(&rows[2], &header, 3);
    let (ok, said) = entries(&office, &[header.clone(), third.clone()], &[]);
    assert!(ok && said.contains("续写了"), "{said}");
    let new = fs::read_to_string(&files[0]).unwrap();
    assert!(new.starts_with(&old), "nothing is lost");
    let before = library(&office);
    let (ok, said) = entries(&office, &[header, third], &[]);
    assert!(
        !ok && said.contains("第 2 行“问题”：“第3件事怎么办？”和 local/"),
        "{said}"
    );
    assert_eq!(library(&office), before);
}

#[test]
fn every_bad_row_is_named_and_nothing_is_imported() {
    let office = Office::new();
    let (header, row) = header_and_row(&office);
    let bad = |number: usize, column: &str, words: &str| {
        let mut row = other(&row, &header, number);
        row[at(&header, column)] = words.into();
        row
    };
    let rows = [
        header.clone(),
        other(&row, &header, 2),
        bad(3, "小主题", "劳动人事"),
        bad(4, "场所", "乡村｜月球"),
        bad(5, "问题", ""),
        bad(6, "短答", &"长".repeat(121)),
        bad(7, "依据2", "民法典1184条"),
        bad(8, "找谁", "律师：13800138000"),
        bad(9, "核对日期", "去年"),
        bad(10, "问题", "老板拖欠工资怎么办？"),
        bad(11, "问法", "第2件事的第1种说法"),
        bad(12, "怎么做2", "先做甲\n再做乙"),
        bad(13, "短答", "问法：这样写不行"),
        bad(14, "依据1", ""),
        bad(15, "时限", ""),
        bad(16, "核对日期", "2999-01-01"),
    ];
    let before = library(&office);
    let (ok, said) = entries(&office, &rows, &[]);
    assert!(!ok);
    for words in [
        "第 3 行“小主题”：没有这个小主题：劳动人事",
        "第 4 行“场所”：没有这个场所：月球",
        "第 5 行“问题”：没有写问题",
        "第 6 行“短答”：短答有 121 个字",
        "第 7 行“依据2”：不是法条引用",
        "第 8 行“找谁”：号码 13800138000 不在",
        "第 9 行“核对日期”：核对日期要写成",
        "第 10 行“问题”：“老板拖欠工资怎么办？”和 labor/pay.md:7",
        "第 11 行“问法”：“第2件事的第1种说法”和 第 2 行“第2件事怎么办？”重复",
        "第 12 行“怎么做2”：程序没能照原样读",
        "第 13 行“短答”：开头不能是“问法：”",
        "第 15 行“时限”：“时限”是空的",
        "第 16 行“核对日期”：核对日期 2999-01-01 还没到",
    ] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    assert!(
        !said.lines().any(|l| l.starts_with("第 2 行")) && said.contains("一条也没有导入"),
        "{said}"
    );
    assert_eq!(library(&office), before);

    // Without any citation the column of the first is named.
    let mut none = other(&row, &header, 17);
    for n in 1..=5 {
        none[at(&header, &format!("依据{n}"))].clear();
    }
    let (_, said) = entries(&office, &[header, none], &[]);
    assert!(said.contains("第 2 行“依据1”：“依据”是空的"), "{said}");
}

#[test]
fn cells_that_are_no_text_are_named() {
    let office = Office::new();
    let (header, row) = header_and_row(&office);
    let column = |name: &str| u16::try_from(at(&header, name)).unwrap();
    let mut book = workbook(&[header.clone(), row.clone(), other(&row, &header, 3)]);
    let sheet = book.worksheet_from_index(0).unwrap();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_number(1, column("核对日期"), 46_349.0).unwrap();
    sheet.write_number(1, column("找谁"), 12_348.0).unwrap();
    sheet
        .write_formula(1, column("短答"), Formula::new("=A1").set_result("甲"))
        .unwrap();
    sheet
        .write_number_with_format(1, column("时限"), 46_000.0, &day)
        .unwrap();
    sheet.write_string(1, 40, "表外").unwrap();
    sheet
        .write_number_with_format(2, column("核对日期"), 46_000.0, &day)
        .unwrap();
    sheet.merge_range(5, 0, 6, 1, "合", &Format::new()).unwrap();
    book.save(office.folder().join("坏.xlsx")).unwrap();
    let (ok, said) = run(&office, &["import", "entries", "坏.xlsx"]);
    assert!(!ok);
    for words in [
        "第 2 行“核对日期”：这是一个数字，不是日期",
        "第 2 行“找谁”：这是一个数字，不是文字",
        "第 2 行“短答”：这一格是公式",
        "第 2 行“时限”：Excel 把这一格变成了日期",
        "第 2 行：第 41 列没有表头",
        "第 6 行：有合并单元格",
    ] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    assert!(!said.contains("第 3 行"), "a real day is read:\n{said}");
}

#[test]
fn files_that_are_no_sheet_get_a_plain_answer() {
    let office = Office::new();
    let (header, row) = header_and_row(&office);
    let refused = |name: &str, bytes: &[u8]| {
        fs::write(office.folder().join(name), bytes).unwrap();
        let before = library(&office);
        let (ok, said) = run(&office, &["import", "entries", name]);
        assert!(!ok, "{name}: {said}");
        assert_eq!(library(&office), before);
        said
    };
    let sheet = |rows: &[Vec<String>]| workbook(rows).save_to_buffer().unwrap();
    let inline = |row: usize, cells: &[String]| -> String {
        let cells: String = cells
            .iter()
            .map(|c| format!("<c t=\"inlineStr\"><is><t>{c}</t></is></c>"))
            .collect();
        format!("<row r=\"{row}\">{cells}</row>")
    };
    assert!(refused("文.xlsx", "不是表".as_bytes()).contains("不是完好的 .xlsx"));
    assert!(refused("空.xlsx", b"").contains("不是完好的 .xlsx"));
    assert!(refused("旧.xlsx", &[0xD0, 0xCF, 0x11, 0xE0, 0xA1]).contains("旧版 .xls"));
    assert!(refused("词.xlsx", &docx(&["甲"])).contains("不是完好的 .xlsx"));
    assert!(refused("白.xlsx", &sheet(&[])).contains("表头不对：缺少“小主题”"));
    let mut wrong = header.clone();
    wrong[0] = "主题编号".into();
    let said = refused("头.xlsx", &sheet(&[wrong, row.clone()]));
    assert!(said.contains("缺少“小主题”；不认识“主题编号”"), "{said}");
    assert!(refused("无.xlsx", &sheet(std::slice::from_ref(&header))).contains("一行也没有填"));

    let many: Vec<Vec<String>> = std::iter::once(header.clone())
        .chain((0..10_000).map(|n| other(&row, &header, n)))
        .collect();
    assert!(refused("万.xlsx", &sheet(&many)).contains("最多导入 2000 行"));

    let mut long = row.clone();
    long[at(&header, "怎么做1")] = "长".repeat(350_000);
    let data = inline(1, &header) + &inline(2, &long);
    let said = refused("长.xlsx", &raw_xlsx(&data));
    assert!(
        said.contains("第 2 行“怎么做1”：这一格有 350000 个字"),
        "{said}"
    );

    // A cell in the last corner of a sheet must not make a table of sixteen billion.
    let corner =
        "<row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>角</t></is></c></row>";
    let said = refused("角.xlsx", &raw_xlsx(&(inline(1, &header) + corner)));
    assert!(
        said.contains("第 1048576 行：第 16384 列没有表头"),
        "{said}"
    );

    // Rows without end, and a part that unfolds to a thousand times its size.
    let endless: String = (3..200_000)
        .map(|n| {
            format!("<row r=\"{n}\"><c r=\"A{n}\" t=\"inlineStr\"><is><t>字</t></is></c></row>")
        })
        .collect();
    let said = refused("无尽.xlsx", &raw_xlsx(&(inline(1, &header) + &endless)));
    assert!(said.contains("最多导入 2000 行"), "{said}");
    let bomb = raw_xlsx(&" ".repeat(201 << 20));
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let said = refused("炸弹.xlsx", &bomb);
    assert!(said.contains("解开后超过 64 MB"), "{said}");
    // Nothing of so large a file comes into memory.
    let huge = office.folder().join("巨大.xlsx");
    fs::File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let (ok, said) = run(&office, &["import", "entries", "巨大.xlsx"]);
    assert!(!ok && said.contains("超过 64 MB"), "{said}");
}

#[test]
fn rows_are_held_against_the_imported_statutes() {
    let office = Office::new();
    let (header, row) = header_and_row(&office);
    let statute = "---\nid: a\ntitle: 中华人民共和国民法典\nstatus: 有效\ngroup: 法律\n\
        publication_date: '2020-05-28'\neffective_date: '2021-01-01'\n---\n\n\
        - **第一百八十八条**　　诉讼时效期间为三年。\n\
        - **第一千一百八十四条**　　财产损失按照市场价格计算。\n\
        - **第一千二百四十五条**　　饲养的动物造成损害的，应当承担责任。\n";
    fs::write(office.folder().join("民法典.md"), statute).unwrap();
    let (ok, said) = run(&office, &["import", "statutes", "民法典.md"]);
    assert!(ok, "{said}");
    let mut wrong = other(&row, &header, 3);
    wrong[at(&header, "依据2")] = "《民法典》第九百条：没有这一条。".into();
    let mut doubtful = other(&row, &header, 4);
    doubtful[at(&header, "怎么做2")] = "等满四十五日再说。".into();
    let before = library(&office);
    let rows = [header, row, wrong, doubtful];
    let (ok, said) = entries(&office, &rows, &[]);
    assert!(
        !ok && said.contains("第 3 行“依据2”：《民法典》没有第九百条"),
        "{said}"
    );
    assert_eq!(library(&office), before);
    let rows = [rows[0].clone(), rows[1].clone(), rows[3].clone()];
    let (ok, said) = entries(&office, &rows, &[]);
    assert!(
        ok && said.contains("提醒：第 3 行“怎么做2”：“四十五日”"),
        "{said}"
    );
}

#[test]
fn a_broken_library_takes_no_entries() {
    let office = Office::new();
    let (header, row) = header_and_row(&office);
    fs::write(office.library().join("labor/broken.md"), "## 没有说明\n").unwrap();
    let (ok, said) = entries(&office, &[header, row], &[]);
    assert!(!ok && said.contains("labor/broken.md:1"), "{said}");
    assert!(!office.library().join("local").exists());
}

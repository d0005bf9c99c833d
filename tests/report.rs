//! `qijin report` through the real program: the same figures in Word, Excel and CSV, and none that
//! must not leave the office.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use assert_cmd::Command;
use calamine::{Data, Reader, Xlsx};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use qijin::insight::demo::{DemoYear, topics_of};
use qijin::insight::{
    Facet, Figures, Material, Meanings, Period, REST, Verdict, before_cell, gather,
    region_top_cell, top_cell,
};
use qijin::journal::{Database, Journal, Keys, Record, local_day};
use qijin::knowledge::{Library, LoadOptions, load};
use qijin::ledger::Regions;
use qijin::report::{Painter, Report, Source, csv, docx, xlsx};
use qijin::text::Analyser;
use quick_xml::events::Event;

const KNOWLEDGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/knowledge");

type Grid = Vec<Vec<String>>;

fn qijin(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("qijin").unwrap();
    command
        .current_dir(folder)
        .args(["--library", KNOWLEDGE])
        .args(args);
    let made = command.output().unwrap();
    let told = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    told
}

/// The tables of a Word file, and all its words.
fn docx_tables(bytes: &[u8]) -> (Vec<Grid>, String) {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut document = String::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        if !name.ends_with(".xml") && !name.ends_with(".rels") {
            continue;
        }
        let mut xml = String::new();
        file.read_to_string(&mut xml).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        // Every part is sound XML.
        while !matches!(reader.read_event().unwrap(), Event::Eof) {}
        if name == "word/document.xml" {
            document = xml;
        }
    }
    let (mut tables, mut words): (Vec<Grid>, String) = (Vec::new(), String::new());
    let mut in_table = false;
    let mut reader = quick_xml::Reader::from_str(&document);
    let add = |tables: &mut Vec<Grid>, words: &mut String, in_table: bool, text: &str| {
        words.push_str(text);
        if in_table {
            tables
                .last_mut()
                .unwrap()
                .last_mut()
                .unwrap()
                .last_mut()
                .unwrap()
                .push_str(text);
        }
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => match tag.name().as_ref() {
                "w:tbl" => {
                    in_table = true;
                    tables.push(Vec::new());
                }
                "w:tr" => tables.last_mut().unwrap().push(Vec::new()),
                "w:tc" => tables
                    .last_mut()
                    .unwrap()
                    .last_mut()
                    .unwrap()
                    .push(String::new()),
                _ => {}
            },
            Event::End(tag) => match tag.name().as_ref() {
                "w:tbl" => in_table = false,
                "w:p" => words.push('\n'),
                _ => {}
            },
            Event::Text(text) => add(&mut tables, &mut words, in_table, &text.xml10_content()),
            Event::GeneralRef(name) => {
                let text = quick_xml::escape::resolve_predefined_entity(name.as_ref()).unwrap();
                add(&mut tables, &mut words, in_table, text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    // The last one is the box. Heads stand on every page.
    tables.pop();
    assert_eq!(document.matches("<w:tblHeader").count(), tables.len());
    (tables, words)
}

/// The tables of a CSV: what stands between a caption and a line of one cell.
fn csv_tables(bytes: &[u8]) -> Vec<Grid> {
    let text = std::str::from_utf8(bytes)
        .unwrap()
        .strip_prefix('\u{feff}')
        .unwrap();
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut tables, mut in_table): (Vec<Grid>, bool) = (Vec::new(), false);
    for row in reader.records() {
        let row: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        if row.len() == 1 {
            in_table = row[0].starts_with("表 ");
            if in_table {
                tables.push(Vec::new());
            }
        } else if in_table {
            tables.last_mut().unwrap().push(row);
        }
    }
    tables
}

/// The tables of a workbook, figures told as the other files tell them.
fn xlsx_tables(bytes: &[u8]) -> Vec<Grid> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let sheets: Vec<String> = book.sheet_names().into_iter().skip(1).collect();
    let read = |name: String| {
        assert!(book.worksheet_formula(&name).unwrap().is_empty(), "{name}");
        let range = book.worksheet_range(&name).unwrap();
        let mut rows = range.rows().skip(1);
        let heads: Vec<String> = rows
            .next()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        let told = |(at, cell): (usize, &Data)| match cell {
            Data::Float(n) if heads[at].starts_with('占') => format!("{:.1}%", n * 100.0),
            Data::Float(n) if heads[at].contains("倍数") => format!("{n:.2}"),
            other => other.to_string(),
        };
        let mut grid: Grid = vec![heads.clone()];
        for row in rows {
            grid.push(row.iter().enumerate().map(told).collect());
        }
        grid
    };
    sheets.into_iter().map(read).collect()
}

/// Notes stand under a table in Excel; 约 is its number format.
fn assert_same(docx: &[u8], xlsx: &[u8], csv: &[u8]) -> Vec<Grid> {
    let (word, excel, plain) = (docx_tables(docx).0, xlsx_tables(xlsx), csv_tables(csv));
    assert_eq!(word, plain);
    assert_eq!(excel.len(), plain.len());
    for (excel, plain) in excel.iter().zip(&plain) {
        for (row, wanted) in excel.iter().zip(plain) {
            let wanted: Vec<&str> = wanted.iter().map(|c| c.trim_start_matches("约 ")).collect();
            assert_eq!(*row, wanted);
        }
        assert!(excel.len() >= plain.len());
    }
    plain
}

fn library() -> Library {
    let today = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    load(
        Path::new(KNOWLEDGE),
        &LoadOptions {
            preset: None,
            today,
            own: "local".into(),
        },
    )
    .unwrap()
    .library
}

#[test]
fn word_excel_and_csv_hold_the_same_figures_and_none_that_is_held_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    qijin(folder, &["demo", "--to", "2026-10-31"]);
    let file = |name: &str| {
        let args = [
            "--data",
            "demo",
            "report",
            "--period",
            "quarter",
            "--of",
            "2026-08-01",
            "--out",
            name,
        ];
        assert!(qijin(folder, &args).contains("2026-07-01 到 2026-09-30"));
        std::fs::read(folder.join(name)).unwrap()
    };
    let (word, excel, plain) = (file("r.docx"), file("r.xlsx"), file("r.csv"));
    let tables = assert_same(&word, &excel, &plain);
    let words = docx_tables(&word).1;
    for must in [
        "概述",
        "场所和主题",
        "普法活动和效果",
        "知识缺口和建议",
        "方法和界限",
    ] {
        assert!(words.contains(must), "{must}");
    }
    for never in ["知晓率", "下降率", "NaN", "inf"] {
        assert!(!words.contains(never), "{never}");
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(against_the_journal(&folder.join("demo"), &tables));
}

async fn against_the_journal(folder: &Path, tables: &[Grid]) {
    let url = format!("sqlite:{}", folder.join("qijin.sqlite").display());
    let keys = Keys::open_or_create(&folder.join("local.key")).unwrap();
    let journal = Journal::new(Database::open(&url).await.unwrap(), keys, 30);
    let library = library();
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let meanings = Meanings::new(&library, &analyser);
    let now: DateTime<Utc> = "2026-11-01T04:00:00Z".parse().unwrap();
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let quarter = Period::quarter_of(day("2026-08-01"));
    let material = gather(&journal, quarter, Vec::new(), now).await.unwrap();
    let figures = Figures::of(&material, &library, &meanings);
    assert_held_back(&figures, &library, tables);

    // With the activities of the year; two days of many small cells; days before anything was asked.
    let last = day("2026-10-31");
    let activities = DemoYear::new(7, last, &topics_of(&library)).activities;
    for period in [
        Period::year_of(day("2026-06-01")),
        Period::new(day("2025-10-31"), day("2025-11-01")),
        Period::new(day("2025-10-01"), day("2025-10-31")),
    ] {
        let material = gather(&journal, period, activities.clone(), now)
            .await
            .unwrap();
        let figures = Figures::of(&material, &library, &meanings);
        let (words, tables) = written(&material, &figures, &library);
        assert!(words.contains("=青山镇<司法所>&\n"));
        assert!(words.contains("没有全部覆盖"), "{words}");
        for effect in &figures.effects {
            assert!(
                words.contains(effect.sentence.as_str()),
                "{}",
                effect.sentence
            );
        }
        if figures.volume.questions > 0 {
            assert_held_back(&figures, &library, &tables);
        } else {
            assert!(words.contains("没有居民提问") && tables.is_empty());
        }
        if period.days() > 300 {
            let more = figures
                .effects
                .iter()
                .filter(|e| e.verdict == Verdict::More);
            assert!(more.count() > 0 && words.contains("问得多了"));
        }
    }
    // For a person who wants to see the chapter on activities on paper.
    if let Some(file) = std::env::var_os("QIJIN_REPORT_TO_LOOK_AT") {
        let period = Period::year_of(day("2026-06-01"));
        let material = gather(&journal, period, activities, now).await.unwrap();
        let figures = Figures::of(&material, &library, &meanings);
        let report = report_of(&material, &figures, &library);
        std::fs::write(
            file,
            docx::write(&report, Painter::of_system().as_ref()).unwrap(),
        )
        .unwrap();
    }
    journal.database().close().await;
}

fn report_of(material: &Material, figures: &Figures, library: &Library) -> Report {
    Report::of(&Source {
        figures,
        library,
        regions: &Regions::default(),
        activities: &material.activities,
        held: material.held,
        office: "=青山镇<司法所>&\u{7}",
        made: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
    })
}

/// The words of the Word file, and the tables that all three files agree on.
fn written(material: &Material, figures: &Figures, library: &Library) -> (String, Vec<Grid>) {
    let report = report_of(material, figures, library);
    let word = docx::write(&report, None).unwrap();
    let (excel, plain) = (xlsx::write(&report).unwrap(), csv::write(&report).unwrap());
    (docx_tables(&word).1, assert_same(&word, &excel, &plain))
}

#[tokio::test]
async fn of_one_to_four_people_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("j.sqlite").display());
    let keys = Keys::open_or_create(&folder.path().join("k")).unwrap();
    let journal = Journal::new(Database::open(&url).await.unwrap(), keys, 30);
    let now: DateTime<Utc> = "2026-11-01T04:00:00Z".parse().unwrap();
    let at = now - Duration::days(3);
    for person in 0..4 {
        for _ in 0..19 {
            let asker = journal.keys().asker("telegram", &person.to_string());
            let record = Record {
                at,
                channel: "telegram".into(),
                asker: Some(asker),
                region: Some("r01".into()),
                board: None,
                place: Some("village".into()),
                topic: Some("labor.wage_arrears".into()),
                topic_confidence: 0.9,
                kind: "unknown".into(),
                entry: None,
                rule: None,
                confidence: 0.1,
                reply: String::new(),
                latency_us: 1500,
                text: "=HYPERLINK(1)".into(),
                parent: None,
                request: None,
            };
            journal.record(record).await.unwrap();
        }
    }
    let library = library();
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let meanings = Meanings::new(&library, &analyser);
    let period = Period::month_of(local_day(at));
    let material = gather(&journal, period, Vec::new(), now).await.unwrap();
    let figures = Figures::of(&material, &library, &meanings);
    assert_eq!(figures.volume.questions, 76);
    let (words, tables) = written(&material, &figures, &library);
    assert!(tables.is_empty());
    assert!(words.contains("不到 5 人"), "{words}");
    for secret in ["76", "19", "HYPERLINK", "r01", "欠薪", "工资", "乡村"] {
        assert!(!words.contains(secret), "{secret}: {words}");
    }
}

/// Looks the figures that are held back up in the tables: there stands a dash.
fn assert_held_back(figures: &Figures, library: &Library, tables: &[Grid]) {
    let find = |head: &str, columns: usize| {
        let found = tables
            .iter()
            .find(|t| t[0][0] == head && t[0].len() == columns);
        found.unwrap_or_else(|| panic!("{head}"))
    };
    let topic = |id: &str| library.topic(id).map_or("其他", |t| &t.name).to_owned();
    let tops: BTreeMap<&str, &Vec<String>> = find("主题大类", 4)
        .iter()
        .map(|row| (row[0].as_str(), row))
        .collect();
    for (top, tally) in &figures.top_topics {
        let row = tops[topic(top).as_str()];
        match figures.hidden.shows(&top_cell(top)) {
            true => assert_eq!(row[1], tally.questions.to_string()),
            false => assert_eq!(row[1..], ["—", "—", "—"]),
        }
    }
    let grid = tables
        .iter()
        .find(|t| t[0][0] == "主题大类" && t[0].len() > 4);
    assert_eq!(grid.is_some(), figures.tells_place_topics);
    let mut small = 0;
    for (key, tally) in &figures.place_topics {
        let Some(grid) = grid else {
            assert!(!figures.shows(Facet::PlaceTopic, key));
            continue;
        };
        let (place, top) = key.split_once('|').unwrap();
        let place = library.place(place).map_or("未知", |place| &place.name);
        let column = grid[0].iter().position(|head| head == place).unwrap();
        let row = grid.iter().find(|row| row[0] == topic(top)).unwrap();
        let few = (1..5).contains(&tally.asker_count().count);
        small += usize::from(few);
        if few || !figures.shows(Facet::PlaceTopic, key) {
            assert_eq!(row[column], "—", "{key}");
        } else {
            assert_eq!(row[column], tally.questions.to_string(), "{key}");
        }
    }
    assert!(small > 0 || grid.is_none(), "the demo year has small cells");
    assert_regions_held_back(figures, &topic, tables);
    // Left out when no sub-topic may be told.
    let subs = tables.iter().find(|t| t[0][0] == "具体主题");
    for (id, tally) in &figures.topics {
        if let Some(row) = subs.into_iter().flatten().find(|row| row[0] == topic(id)) {
            assert!(tally.asker_count().count >= 5 && figures.shows(Facet::Topic, id));
            let then = figures.hidden.shows(&before_cell(id));
            assert!(then || row[4] == "—", "{id}");
        }
    }
    for gap in figures.gaps.iter().filter(|gap| gap.askers < 5) {
        let all = || figures.gaps.iter().filter(|gap| gap.askers >= 5);
        for words in &gap.examples {
            let elsewhere = all().any(|gap| gap.examples.contains(words));
            let told = tables
                .iter()
                .flatten()
                .any(|row| row.first() == Some(words) && row.len() == 6);
            assert!(elsewhere || !told, "{words}");
        }
    }
}

/// The same of regions by topics and of boards.
fn assert_regions_held_back(figures: &Figures, topic: &dyn Fn(&str) -> String, tables: &[Grid]) {
    let grid = tables
        .iter()
        .find(|t| t[0][0] == "村(社区)" && t[0].last().unwrap() == "其余");
    assert_eq!(grid.is_some(), figures.region_topics.is_some());
    if let Some((grid, crossed)) = grid.zip(figures.region_topics.as_ref()) {
        for (key, tally) in &crossed.cells {
            let (region, top) = key.split_once('|').unwrap();
            let head = if top == REST { "其余" } else { &topic(top) };
            let column = grid[0].iter().position(|h| h == head).unwrap();
            let name = if region.is_empty() { "未知" } else { region };
            let row = grid.iter().find(|row| row[0] == name).unwrap();
            let shown = figures.hidden.shows(&region_top_cell(key));
            assert!(!shown || tally.asker_count().count >= 5, "{key}");
            match shown {
                true => assert_eq!(row[column], tally.questions.to_string(), "{key}"),
                false => assert_eq!(row[column], "—", "{key}"),
            }
        }
    }
    let boards = tables.iter().find(|t| t[0][0] == "宣传点").unwrap();
    assert_eq!(boards.len(), 1 + figures.boards.len());
    for (row, board) in boards[1..].iter().zip(&figures.boards) {
        let few = (1..5).contains(&board.tally.asker_count().count);
        match few || !figures.shows(Facet::Board, &board.code) {
            true => assert_eq!(row[2..], ["—", "—", "—"], "{}", board.code),
            false => assert_eq!(row[2], board.tally.questions.to_string()),
        }
    }
}

#[test]
fn says_what_is_wrong_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (args, told) in [
        (
            &["--period", "month", "--out", "r.pdf"][..],
            "不是 .docx、.xlsx 或 .csv",
        ),
        (
            &[
                "--from",
                "2026-09-30",
                "--to",
                "2026-07-01",
                "--out",
                "r.csv",
            ],
            "对调",
        ),
        (
            &[
                "--from",
                "2999-01-01",
                "--to",
                "2999-01-31",
                "--out",
                "r.csv",
            ],
            "还没有到",
        ),
    ] {
        let mut command = Command::cargo_bin("qijin").unwrap();
        command.current_dir(folder.path()).arg("report").args(args);
        let made = command.output().unwrap();
        assert!(!made.status.success());
        assert!(
            String::from_utf8_lossy(&made.stderr).contains(told),
            "{told}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

//! The command line: asking, searching, the index that mends itself, configuration, the journal.

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use common::Office;
use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use serde_json::Value;

fn feed(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn json_lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", words(output));
    let text = str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What was said on stderr.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn ask(office: &Office) -> Output {
    office.command(&["ask", QUESTIONS[0]]).output().unwrap()
}

#[test]
fn json_lines_have_the_shape_of_the_contract() {
    let office = Office::new();
    let input = format!(
        "{{\"id\":\"a\",\"text\":\"{}\"}}\n\n{{\"id\":\"b\",\"turns\":[\"你好\",\"{NOT_IN_LIBRARY}\"]}}\n\
         {{\"id\":\"c\",\"text\":\"您好！\"}}\n{{\"id\":\"d\",\"text\":\"\"}}\n",
        QUESTIONS[0]
    );
    let lines = json_lines(&feed(office.command(&["ask", "--jsonl"]), &input));
    let field = |name: &str| lines.iter().map(|l| l[name].as_str()).collect::<Vec<_>>();
    assert_eq!(field("id"), [Some("a"), Some("b"), Some("c"), Some("d")]);
    assert_eq!(
        field("kind"),
        [
            Some("answer"),
            Some("unknown"),
            Some("smalltalk"),
            Some("unknown")
        ]
    );
    for line in &lines {
        let expected = [
            "choices",
            "citations",
            "confidence",
            "elapsed_us",
            "entry",
            "hotlines",
            "id",
            "kind",
            "places",
            "text",
            "topic",
        ];
        assert_eq!(keys(line), expected);
        let confidence = line["confidence"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&confidence));
        assert!(line["elapsed_us"].is_u64());
        assert!(
            !line["text"].as_str().unwrap().contains("<b>"),
            "no mark-up"
        );
    }
    let answer = &lines[0];
    assert_eq!(answer["topic"], "labor.pay");
    assert_eq!(answer["hotlines"], serde_json::json!(["12333", "12348"]));
    assert_eq!(
        answer["citations"][0],
        serde_json::json!({"law": "劳动法", "article": "第五十条"})
    );
    assert!(answer["entry"].as_str().unwrap().starts_with("labor.pay-"));

    let bad = feed(
        office.command(&["ask", "--jsonl"]),
        "{\"id\":\"a\",\"text\":\"好\"}\n{\n",
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(words(&bad).contains("第 2 行"), "{}", words(&bad));
}

#[test]
fn search_lists_entries_with_their_first_citation() {
    let office = Office::new();
    let input = format!("{{\"id\":\"1\",\"text\":\"{}\"}}\n", QUESTIONS[0]);
    let command = office.command(&["search", "--jsonl", "--limit", "3"]);
    let lines = json_lines(&feed(command, &input));
    assert_eq!(keys(&lines[0]), ["elapsed_us", "hits", "id"]);
    let hits = lines[0]["hits"].as_array().unwrap();
    assert!((1..=3).contains(&hits.len()));
    assert_eq!(keys(&hits[0]), ["article", "entry", "kind", "law", "score"]);
    assert_eq!(
        (&hits[0]["kind"], &hits[0]["law"]),
        (&"entry".into(), &"劳动法".into())
    );
    let scores: Vec<f64> = hits.iter().map(|h| h["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

/// The folder of the one index, and its files.
fn index(office: &Office) -> (PathBuf, Vec<PathBuf>) {
    let folders: Vec<PathBuf> = fs::read_dir(office.index())
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    let files = fs::read_dir(&folders[0])
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    (folders[0].clone(), files)
}

#[test]
fn the_index_is_built_once_and_mends_itself() {
    let office = Office::new();
    let first = ask(&office);
    assert!(words(&first).contains("已重建索引"), "{}", words(&first));
    let answer = str::from_utf8(&first.stdout).unwrap().to_owned();
    for part in ["怎么做", "依据", "《劳动法》第五十条", "时限", "找谁"] {
        assert!(answer.contains(part), "{part} is missing");
    }
    let second = ask(&office);
    assert_eq!(
        words(&second),
        "",
        "the second run builds nothing and says nothing"
    );
    assert_eq!(second.stdout, first.stdout);

    let mended = |why: &str| {
        let output = ask(&office);
        assert!(output.status.success());
        assert!(words(&output).contains(why), "{why}: {}", words(&output));
        assert_eq!(output.stdout, first.stdout);
        assert_eq!(words(&ask(&office)), "", "after {why} it is whole again");
    };
    let (folder, _) = index(&office);
    fs::remove_file(folder.join("complete")).unwrap();
    mended("没有做完");

    let (_, files) = index(&office);
    let largest = files
        .iter()
        .max_by_key(|f| fs::metadata(f).unwrap().len())
        .unwrap();
    let mut bytes = fs::read(largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(largest, &bytes).unwrap();
    mended("损坏");

    let (_, files) = index(&office);
    for file in files {
        fs::write(file, "").unwrap();
    }
    mended("损坏");

    // What a build that was killed leaves behind.
    let half = office.index().join("building-1");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("meta.json"), "{").unwrap();
    let file = office.library().join("marriage/bride_price.md");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("三年内起诉", "从知道那天起三年内起诉")).unwrap();
    mended("资料库有更新");
    assert!(!half.exists(), "left-overs are cleared away");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let office = Office::new();
    let file = office.folder().join("qijin.toml");
    fs::write(&file, "[journal]\nretention_day = 7\n").unwrap();
    let output = ask(&office);
    assert_eq!(output.status.code(), Some(1));
    let text = words(&output);
    assert!(
        text.contains("retention_day，") && text.contains("retention_days"),
        "{text}"
    );
    fs::write(&file, "[journal]\nretention_days = 7\n").unwrap();
    assert!(ask(&office).status.success());
}

#[test]
fn the_journal_is_exported_and_purged() {
    let office = Office::new();
    assert!(ask(&office).status.success());
    assert!(
        office.journal().is_empty(),
        "nothing is journaled unless asked for"
    );
    for text in [QUESTIONS[0], "=1+1，我的电话13912345678"] {
        let output = office
            .command(&["ask", "--journal", text])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", words(&output));
    }
    let rows = office.journal();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0][1].as_str(), rows[0][14].as_str()),
        ("cli", QUESTIONS[0])
    );
    assert_eq!(
        rows[1][14], "'=1+1，我的电话［手机号］",
        "no formula, no telephone"
    );
    let bytes = fs::read(office.folder().join("journal.csv")).unwrap();
    assert!(
        bytes.starts_with("\u{feff}时间".as_bytes()),
        "Excel sees that it is UTF-8"
    );

    let purge = |days: &str, more: &[&str]| {
        let mut command = office.command(&["journal", "purge"]);
        let output = command
            .args(more)
            .env("QIJIN_RETENTION_DAYS", days)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", words(&output));
    };
    purge("30", &[]);
    assert_eq!(office.journal(), rows, "nothing is old enough");
    purge("0", &[]);
    let left = office.journal();
    assert!(
        left.len() == 2 && left.iter().all(|row| row[14].is_empty()),
        "{left:?}"
    );
    let tomorrow =
        (qijin::journal::local_day(chrono::Utc::now()) + chrono::Days::new(1)).to_string();
    purge("30", &["--before", &tomorrow]);
    assert!(office.journal().is_empty());
}

#[test]
fn a_reader_who_leaves_is_no_fault() {
    let office = Office::new();
    assert!(ask(&office).status.success());
    let one = office.command(&["ask", QUESTIONS[0]]);
    let check = office.command(&["check", "--counts"]);
    for mut command in [one, check] {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(words(&output), "", "as with `qijin ask … | head -1`");
    }
}

//! `qijin check` on a library with planted faults, and on a clean one.

mod common;

use std::fs;

use common::Office;

/// A way of asking that shares no two characters with any other: what it says does not matter here.
fn way(number: usize, n: usize) -> String {
    let at = |k: usize| 0x4e00 + 7 * (42 * number + 6 * n + k) as u32;
    (0..6).filter_map(|k| char::from_u32(at(k))).collect()
}

/// A faultless entry file, to plant faults in.
fn entry(number: usize) -> String {
    let today = qijin::journal::local_day(chrono::Utc::now());
    let phrasings: Vec<String> = (0..6).map(|n| way(number, n)).collect();
    format!(
        "+++\n\
         topic = \"labor.pay\"\n\
         places = [\"village\"]\n\
         reviewed = {today}\n\
         +++\n\
         \n\
         ## {}？\n\
         问法：{}\n\
         先留证据，再找人调解。\n\
         ### 怎么做\n\
         1. 留好证据。\n\
         ### 依据\n\
         - 《民法典》第一千一百六十五条：有过错的要赔。\n\
         ### 时限\n\
         三年。\n\
         ### 找谁\n\
         - 法律咨询：12348\n",
        way(number, 6),
        phrasings.join(" ｜ ")
    )
}

/// A fault: the rule that finds it, the line, and what is replaced by what.
type Planted = (&'static str, usize, &'static str, String);

fn planted() -> Vec<Planted> {
    vec![
        ("unknown-topic", 2, "labor.pay", "labor.pai".into()),
        ("unknown-place", 3, "village", "vilage".into()),
        (
            "stale-review",
            4,
            "reviewed = 2",
            "reviewed = 2001-02-03 # 2".into(),
        ),
        ("missing-section", 7, "### 时限\n三年。\n", String::new()),
        ("empty-section", 7, "三年。\n", String::new()),
        ("long-answer", 9, "先留证据，", "先留证据，".repeat(25)),
        (
            "foreign-markup",
            13,
            "1. 留好证据。\n",
            "1. 留好证据。\n\n| 表 | 格 |\n|---|---|\n".into(),
        ),
        (
            "not-a-citation",
            13,
            "《民法典》第一千一百六十五条",
            "民法典1165条".into(),
        ),
        (
            "duplicate-citation",
            14,
            "### 时限",
            "- 《民法典》第一千一百六十五条第一款：要赔。\n### 时限".into(),
        ),
        ("unknown-hotline", 17, "12348", "12399".into()),
        (
            "duplicate-question",
            8,
            "问法：",
            "问法：老板拖欠工资怎么办 ｜ ".into(),
        ),
    ]
}

#[test]
fn twelve_planted_faults_are_found_in_one_run() {
    let office = Office::new();
    let folder = office.library().join("planted");
    fs::create_dir_all(&folder).unwrap();
    let mut expected = Vec::new();
    for (n, (rule, line, old, new)) in (1..).zip(planted()) {
        let text = entry(n);
        assert!(text.contains(old), "{old:?} is in the entry");
        fs::write(
            folder.join(format!("{n:02}.md")),
            text.replacen(old, &new, 1),
        )
        .unwrap();
        expected.push((rule, format!("planted/{n:02}.md:{line}")));
    }
    let broken = "[[smalltalk]]\nid = \"greeting\"\nsays = [\"你好\"\nreply = \"您好\"\n";
    fs::write(office.library().join("smalltalk.toml"), broken).unwrap();
    expected.push(("bad-toml", "smalltalk.toml:4".into()));
    assert_eq!(expected.len(), 12);

    let output = office.command(&["check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for (rule, place) in &expected {
        let found = text
            .lines()
            .any(|line| line.contains(rule) && line.contains(place.as_str()));
        assert!(found, "{rule} at {place} is not in:\n{text}");
    }
    assert!(
        text.contains("11 处错误，1 处提醒"),
        "these and no others:\n{text}"
    );
    println!(
        "check: {} of {} planted faults found in one run",
        expected.len(),
        expected.len()
    );

    let refused = office
        .command(&["ask", "老板拖欠工资怎么办"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(
        words.contains("qijin check"),
        "whoever starts it is sent here: {words}"
    );
}

#[test]
fn a_clean_library_is_clean() {
    let office = Office::new();
    let output = office.command(&["check"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("12 条问答：0 处错误，0 处提醒"), "{text}");
    assert_eq!(
        text.trim().lines().count(),
        1,
        "nothing else is said: {text}"
    );
}

#[test]
fn a_file_too_large_for_a_library_is_a_fault_like_others() {
    let office = Office::new();
    let huge = office.library().join("huge.md");
    fs::File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let output = office.command(&["check"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains("huge.md") && text.contains("超过 8 MB"),
        "{text}"
    );
    assert!(text.contains("1 处错误"), "{text}");
}

#[test]
fn the_faultless_entry_is_faultless() {
    let office = Office::new();
    fs::write(office.library().join("one.md"), entry(1)).unwrap();
    let output = office.command(&["check"]).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn two_entries_that_ask_nearly_the_same_are_named() {
    let office = Office::new();
    let said = |number: usize, words: &str| {
        let file = entry(number).replace(&way(number, 3), words);
        fs::write(office.library().join(format!("{number}.md")), file).unwrap();
    };
    said(1, "隔壁老王家的公鸡天天半夜打鸣吵得人睡不着觉");
    said(2, "隔壁老王家的公鸡天天半夜打鸣吵得人睡不着觉呢");
    let output = office.command(&["check"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("near-duplicate"), "{text}");
    assert!(text.contains("1.md:") && text.contains("2.md:"), "{text}");
    assert!(output.status.success(), "a reminder, not an error");
    said(2, "隔壁老王家的狗把我家公鸡咬死了要赔多少钱");
    let output = office
        .command(&["check", "--similar", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("near-duplicate"), "{text}");
    assert!(
        text.contains("相似度"),
        "the nearest pair is listed on demand: {text}"
    );
}

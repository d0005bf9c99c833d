//! Leaflets and pages: drafts until a person has written the entry.

use std::fs;
use std::path::PathBuf;

use crate::common::Office;
use crate::common::files::docx;
use crate::{library, run};

/// The only draft of an office.
fn draft(office: &Office) -> PathBuf {
    let mut drafts = fs::read_dir(office.library().join("drafts")).unwrap();
    let draft = drafts.next().unwrap().unwrap().path();
    assert!(drafts.next().is_none());
    draft
}

#[test]
fn a_leaflet_becomes_an_entry_only_by_a_person() {
    let office = Office::new();
    let leaflet = [
        "拒绝高额彩礼倡议书",
        "广大村民朋友们，让我们从自己做起，抵制高额彩礼，文明节俭办理婚事，不攀比不铺张。",
        "咨询电话 12348 --&gt; &lt;script&gt;",
    ];
    fs::write(office.folder().join("倡议.docx"), docx(&leaflet)).unwrap();
    let (ok, said) = run(&office, &["import", "docx", "倡议.docx"]);
    assert!(ok && said.contains("还不会拿来回答居民"), "{said}");
    let path = draft(&office);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\n来源：倡议.docx（"), "{text}");

    // It is a reminder, not a fault, and no part of the library.
    let (ok, said) = run(&office, &["check"]);
    assert!(
        ok && said.contains("[draft]") && said.contains("1 处提醒"),
        "{said}"
    );
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(
        said.contains(&format!("qijin import draft {name}")),
        "{said}"
    );

    let (ok, said) = run(&office, &["import", "draft", name]);
    assert!(!ok);
    for words in [
        "topic 是空的",
        "places 不能为空",
        "reviewed 要写成日期",
        "[unwritten]",
        "没有短答",
        "“怎么做”是空的",
        "“依据”是空的",
        "“时限”是空的",
        "“找谁”是空的",
        "没有发布",
    ] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text,
        "the draft is kept"
    );

    // Moved by hand it is refused as well.
    let astray = office.library().join("labor/astray.md");
    fs::copy(&path, &astray).unwrap();
    assert!(!run(&office, &["check"]).0);
    fs::remove_file(astray).unwrap();

    let today = qijin::journal::local_day(chrono::Utc::now()).to_string();
    let filled = [
        ("topic = \"\"", "topic = \"marriage.bride_price\""),
        ("places = []", "places = [\"village\"]"),
        ("reviewed = \"\"", &format!("reviewed = {today}")),
        (
            "## 【待改写】拒绝高额彩礼倡议书",
            "## 村里倡议少要彩礼，不听会受罚吗？",
        ),
        (
            "问法：\n",
            "问法：彩礼要高了犯法吗 ｜ 倡议书管得着我家吗 ｜ 村里说彩礼不能多 ｜ 多收彩礼罚款不 ｜ 办酒席有限制吗 ｜ 不按倡议来会怎样\n场所：village ｜ school\n",
        ),
        (
            "\n\n### 怎么做\n",
            "\n倡议不是处罚，听不听自己定；但借婚姻索取财物，法律不准。\n\n### 怎么做\n\n1. 两家坐下来商量。\n",
        ),
        (
            "### 依据\n",
            "### 依据\n- 《民法典》第一千零四十二条：不准借婚姻要钱要物。\n",
        ),
        ("### 时限\n", "### 时限\n没有专门期限。\n"),
        ("### 找谁\n", "### 找谁\n- 法律咨询：12348\n"),
        (
            "### 别踩坑\n",
            "### 别踩坑\n- 让我们从自己做起抵制高额彩礼，文明节俭办理婚事；不攀比。\n",
        ),
    ];
    let text = filled.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{old} in {text}");
        text.replacen(old, new, 1)
    });
    fs::write(&path, &text).unwrap();
    let (ok, said) = run(&office, &["import", "draft", name]);
    assert!(
        !ok && said.contains("和原文一字不差") && said.contains("1 处要改"),
        "{said}"
    );

    let text = text.replace(
        "- 让我们从自己做起抵制高额彩礼，文明节俭办理婚事；不攀比。",
        "- 别为面子借钱。",
    );
    fs::write(&path, text).unwrap();
    let (ok, said) = run(&office, &["import", "draft", path.to_str().unwrap()]);
    assert!(ok && said.contains("已发布到"), "{said}");
    assert!(!path.exists());
    let file = office.library().join("local/marriage/bride_price.md");
    let published = fs::read_to_string(file).unwrap();
    assert!(published.contains("\n来源：倡议.docx（"), "{published}");
    assert!(
        !published.contains("广大村民") && !published.contains("待改写"),
        "{published}"
    );
    assert!(!published.contains("\n\n###"), "{published}");
    let (ok, said) = run(&office, &["check"]);
    assert!(ok && said.contains("0 处提醒"), "{said}");
    let (_, said) = run(&office, &["ask", "村里倡议少要彩礼，不听会受罚吗？"]);
    assert!(
        said.contains("倡议不是处罚") && !said.contains("倡议.docx"),
        "{said}"
    );
}

#[test]
fn only_drafts_are_published_and_only_words_become_drafts() {
    let office = Office::new();
    let before = library(&office);
    let says = |arguments: &[&str], words: &str| {
        let (ok, said) = run(&office, arguments);
        assert!(!ok && said.contains(words), "{arguments:?}: {said}");
    };
    let entry = office.library().join("labor/pay.md");
    says(&["import", "draft", entry.to_str().unwrap()], "没有草稿");
    fs::create_dir(office.library().join("drafts")).unwrap();
    says(&["import", "draft", entry.to_str().unwrap()], "没有草稿");
    says(&["import", "draft", "../labor/pay.md"], "没有草稿");
    fs::write(office.folder().join("空.docx"), docx(&[" "])).unwrap();
    says(&["import", "docx", "空.docx"], "里面没有文字");
    fs::write(office.folder().join("坏.docx"), b"PK").unwrap();
    says(&["import", "docx", "坏.docx"], "不是完好的 .docx");
    fs::write(office.folder().join("旧.docx"), [0xD0, 0xCF, 0x11, 0xE0]).unwrap();
    says(&["import", "docx", "旧.docx"], "旧版 .doc");
    says(&["import", "docx", "没有.docx"], "读不了");
    let huge = |path: &str| {
        let file = fs::File::create(office.folder().join(path)).unwrap();
        file.set_len(1 << 40).unwrap();
    };
    huge("巨大.docx");
    says(&["import", "docx", "巨大.docx"], "超过 64 MB");
    huge("library/drafts/巨大.md");
    says(&["import", "draft", "巨大.md"], "超过 2 MB");
    fs::remove_file(office.library().join("drafts/巨大.md")).unwrap();
    assert_eq!(library(&office), before);
}

#[test]
fn pages_of_our_own_network_are_refused() {
    let office = Office::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0x7f.1",
        "192.168.1.1",
    ] {
        let url = format!("http://{host}:{port}/");
        let (ok, said) = run(&office, &["import", "page", &url]);
        assert!(!ok && said.contains("内部网络"), "{url}: {said}");
    }
    assert!(listener.accept().is_err(), "nobody came to the door");
    let (ok, said) = run(&office, &["import", "page", "ftp://example.org/a"]);
    assert!(!ok && said.contains("只能取 http 或 https"), "{said}");
    assert!(!office.library().join("drafts").exists());
}

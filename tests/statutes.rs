//! Statutes from import to reply: look-ups, old law, official text under an answer, and the
//! checker. The laws are invented, so that the tests need no copy of real ones.

mod common;

use std::fs;
use std::path::Path;

use common::conversation::buttons;
use common::{FakeBotApi, Office, Resident, text_of};
use serde_json::Value;

/// What the articles of the invented law are about, so that no two are alike.
const MATTERS: [&str; 10] = [
    "在水库里用大网捕鱼",
    "往河道里倒建筑垃圾",
    "在村道上晒粮食堵路",
    "夜里在院子里放鞭炮",
    "牵大狗不拴绳子吓人",
    "砍伐集体的风景树木",
    "占用公共晒场堆砖头",
    "私自挪动田间的界石",
    "破坏村里的饮水管道",
    "冒用别人的名义签字",
];

fn article(number: usize, text: &str) -> String {
    let numerals = [
        "零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二",
    ];
    format!("- **第{}条**　　{text}\n\n", numerals[number])
}

fn matter(n: usize) -> String {
    format!(
        "{}的，由村民委员会劝阻，责令在三十日内改正；逾期不改的，处{}元罚款。",
        MATTERS[n],
        (n + 1) * 100
    )
}

fn write(folder: &Path, file: &str, title: &str, day: &str, status: &str, body: &str) {
    let front = format!(
        "---\ntitle: {title}\npublication_date: '{day}'\neffective_date: '{day}'\n\
         status: {status}\ngroup: 法律\n---\n\n"
    );
    fs::write(folder.join(file), front + body).unwrap();
}

/// 村务试验法: ten articles until 2025, two new ones before them from 2026; 旧村务法 is dead.
fn statutes(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let old: String = (0..10).map(|n| article(n + 1, &matter(n))).collect();
    let mut new = article(1, "为了维护村里的秩序，制定本法。");
    new += &article(2, "村民有权监督本法的执行。");
    new += "## 第二章　　处　　罚\n\n";
    for n in 0..10 {
        new += &article(n + 3, &matter(n));
    }
    write(
        folder,
        "1.md",
        "中华人民共和国村务试验法",
        "2010-01-01",
        "已修改",
        &old,
    );
    write(
        folder,
        "2.md",
        "中华人民共和国村务试验法",
        "2026-01-01",
        "有效",
        &new,
    );
    write(folder, "3.md", "旧村务法", "1990-01-01", "已废止", &old);
    write(
        folder,
        "4.md",
        "将来法",
        "2999-01-01",
        "尚未生效",
        &article(1, "将来的事。"),
    );
}

/// An office that has imported them and knows what became of 旧村务法.
fn office() -> Office {
    let office = Office::new();
    for topic in ["labor", "marriage", "neighbor"] {
        fs::remove_dir_all(office.library().join(topic)).unwrap();
    }
    fs::write(
        office.library().join("law_changes.toml"),
        "[[repealed]]\nlaw = \"旧村务法\"\nby = [\"村务试验法\"]\nfrom = \"2026-01-01\"\n",
    )
    .unwrap();
    fs::write(
        office.library().join("law_names.toml"),
        "[short]\n\"试验法\" = \"村务试验法\"\n",
    )
    .unwrap();
    let from = office.folder().join("texts");
    statutes(&from);
    let (code, text) = run(&office, &["import", "statutes", from.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("新增 4"), "{text}");
    entry(
        &office,
        "good",
        "《村务试验法》第三条：不能在水库里用大网捕鱼",
        "三十日",
    );
    office
}

fn run(office: &Office, arguments: &[&str]) -> (Option<i32>, String) {
    let output = office.command(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (
        output.status.code(),
        text + &String::from_utf8_lossy(&output.stderr),
    )
}

/// An entry that rests on one basis line and names one figure.
fn entry(office: &Office, name: &str, basis: &str, figure: &str) {
    let today = qijin::journal::local_day(chrono::Utc::now());
    let phrasings: Vec<String> = (0..6).map(|n| format!("{name}的问法{n}")).collect();
    let folder = office.library().join("planted");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "+++\ntopic = \"labor.pay\"\nplaces = [\"village\"]\nreviewed = {today}\n+++\n\n\
         ## {name}怎么办？\n问法：{}\n先找村里劝阻。\n### 怎么做\n1. 找村委会，{figure}内改正。\n\
         ### 依据\n- {basis}\n### 时限\n没有专门期限。\n### 找谁\n- 法律咨询：12348\n",
        phrasings.join(" ｜ ")
    );
    fs::write(folder.join(format!("{name}.md")), text).unwrap();
}

#[test]
fn twenty_planted_faults_are_found_and_nothing_else() {
    let office = office();
    let mut expected: Vec<(&str, String)> = Vec::new();
    let numerals = ["一", "二", "三", "四", "五"];
    for (n, numeral) in numerals.into_iter().enumerate() {
        // Dead law, with the successor named.
        entry(
            &office,
            &format!("dead{n}"),
            &format!("《旧村务法》第{numeral}条：{}不行", MATTERS[n]),
            "三十日",
        );
        expected.push(("dead-law", format!("dead{n}.md")));
        // The number of the old version: the content is two articles further now.
        entry(
            &office,
            &format!("moved{n}"),
            &format!(
                "《村务试验法》第{numeral}条：{}的，要劝阻、改正、罚款",
                MATTERS[n]
            ),
            "三十日",
        );
        expected.push(("moved-article", format!("moved{n}.md")));
        entry(
            &office,
            &format!("none{n}"),
            &format!("《村务试验法》第二十{numeral}条：没有这一条"),
            "三十日",
        );
        expected.push(("no-such-article", format!("none{n}.md")));
        entry(
            &office,
            &format!("wrong{n}"),
            "《村务试验法》第五条：不能在村道上晒粮食",
            ["45天", "三个月", "两年", "百分之二十", "三倍"][n],
        );
        expected.push(("unexplained-figure", format!("wrong{n}.md")));
    }
    let (code, text) = run(&office, &["check", "--statutes"]);
    assert_eq!(code, Some(1));
    for (rule, file) in &expected {
        let found = text.lines().any(|l| l.contains(rule) && l.contains(file));
        assert!(found, "{rule} in {file} is not in:\n{text}");
    }
    assert!(
        text.contains("《村务试验法》第三条"),
        "the successor is named"
    );
    // An article that is not the one meant may lack the figure too: a reminder, no second error.
    let errors = text.matches("错误[").count();
    assert_eq!(errors, 15, "these and no others:\n{text}");
    println!(
        "check --statutes: {} of 20 planted faults found",
        expected.len()
    );
}

#[test]
fn without_faults_nothing_is_said_and_without_texts_what_to_do() {
    let office = office();
    let (code, text) = run(&office, &["check", "--statutes"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("0 处错误，0 处提醒"), "{text}");
    let bare = Office::new();
    let (code, text) = run(&bare, &["check", "--statutes"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("import statutes"), "{text}");
}

#[test]
fn importing_again_changes_nothing_and_bad_files_are_named() {
    let office = office();
    let from = office.folder().join("texts");
    fs::write(from.join("notes.md"), "no front matter").unwrap();
    let (code, text) = run(&office, &["import", "statutes", from.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(text.contains("新增 0，更新 0，没变 4，没读入 1"), "{text}");
    assert!(text.contains("notes.md"), "{text}");
    let empty = office.folder().join("empty");
    fs::create_dir(&empty).unwrap();
    let (code, text) = run(&office, &["import", "statutes", empty.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(text.contains("没有一个能读的法律文本"), "{text}");
}

#[test]
fn looks_up_present_law_and_leads_from_old_law_to_it() {
    let office = office();
    let ask = |text: &str| -> Value {
        let mut command = office.command(&["ask", "--jsonl"]);
        let input = serde_json::json!({"id": "1", "text": text}).to_string();
        let file = office.folder().join("in.jsonl");
        fs::write(&file, input).unwrap();
        command.stdin(fs::File::open(&file).unwrap());
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    };
    let cited = |reply: &Value| -> Vec<String> {
        let citations = reply["citations"].as_array().unwrap();
        citations
            .iter()
            .map(|c| c["law"].as_str().unwrap().to_owned() + c["article"].as_str().unwrap())
            .collect()
    };
    for text in [
        "村务试验法第三条",
        "试验法3条",
        "第3条村务试验法",
        "《村务試驗法》第3條是什麼",
    ] {
        let reply = ask(text);
        assert_eq!(reply["kind"], "statute", "{text}");
        assert_eq!(cited(&reply), ["村务试验法第三条"], "{text}");
        let words = reply["text"].as_str().unwrap();
        assert!(words.contains(&matter(0)), "verbatim: {words}");
        assert!(
            words.contains("第二章 处罚") && words.contains("2026-01-01"),
            "{words}"
        );
        assert!(
            words.contains("第五条"),
            "where the old number's content is: {words}"
        );
    }
    let old = ask("旧村务法第一条");
    assert_eq!(cited(&old), ["村务试验法第三条"]);
    let words = old["text"].as_str().unwrap();
    assert!(
        words.contains("第一条已由《村务试验法》第三条取代"),
        "{words}"
    );
    let none = ask("村务试验法第99条");
    assert!(cited(&none).is_empty());
    assert!(none["text"].as_str().unwrap().contains("一共 12 条"));
    let future = ask("将来法第一条");
    assert!(cited(&future).is_empty());
    assert!(future["text"].as_str().unwrap().contains("还没有生效"));
}

#[test]
fn finds_articles_for_everyday_words() {
    let office = office();
    let arguments = [
        "search",
        "--kind",
        "article",
        "--limit",
        "3",
        "往河里倒建筑垃圾",
    ];
    let (code, text) = run(&office, &arguments);
    assert_eq!(code, Some(0), "{text}");
    let first = text.lines().find(|l| l.contains('《')).unwrap();
    assert!(first.contains("第四条"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_text_opens_in_place_and_leads_back() {
    let office = office();
    let api = FakeBotApi::start("statutes").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, 880_900, "李大山");
    let answer = resident.asks("good怎么办？").await;
    assert!(text_of(&answer).contains("依据"));

    resident.taps(&answer, "📖").await;
    let article = resident.sees(&answer);
    assert!(text_of(&article).contains(&matter(0)), "verbatim in place");
    resident.taps(&answer, "下一条").await;
    assert!(text_of(&resident.sees(&answer)).contains(&matter(1)));
    resident.taps(&answer, "上一条").await;
    resident.taps(&answer, "本章目录").await;
    let chapter = resident.sees(&answer);
    let labels: Vec<String> = buttons(&chapter).into_iter().map(|(l, _)| l).collect();
    assert!(labels.iter().any(|l| l.contains("第五条")), "{labels:?}");
    resident.taps(&answer, "下一页").await;
    resident.taps(&answer, "第十二条").await;
    assert!(text_of(&resident.sees(&answer)).contains(&matter(9)));
    resident.taps(&answer, "返回答复").await;
    assert!(text_of(&resident.sees(&answer)).contains("怎么做"));
    // A code of no law of ours.
    let gone = resident.sends_data(&answer, "s:00000000:1:").await;
    assert!(gone.toast.is_some());

    let looked_up = resident.asks("试验法第3条").await;
    assert!(
        buttons(&looked_up)
            .iter()
            .any(|(l, _)| l.contains("下一条"))
    );
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

//! 知识缺口 and the editor: from a gap to an entry that answers, refusals, former versions.

use std::fs;

use crate::common::conversation::Resident;
use crate::common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use crate::common::{Browser, FakeBotApi, Office, text_of};
use crate::{close, logged_in, open, staffed};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>卫星轨道";

/// An entry that has no fault.
fn sound(question: &str) -> Vec<(&'static str, String)> {
    let ways = "卫星轨道归谁管\n卫星掉我家地里\n天上掉东西砸房子\n火箭残骸砸坏瓦\n卫星残片能捡吗\n轨道上的东西掉下来找谁";
    [
        ("question", question),
        ("topic", "neighbor.dog"),
        ("place", "village"),
        ("places", "school"),
        ("answer", "先别碰，离远一点，打110。"),
        ("steps", "1. 先离远\n打110"),
        (
            "basis",
            "《民法典》第一千二百四十五条：养的动物伤人，养的人负责。",
        ),
        ("limits", "没有专门期限。"),
        ("contacts", "报警：110"),
        ("phrasings", ways),
        ("keywords", "残骸 火箭"),
        ("reviewed", "2026-11-20"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn with<'a>(
    fields: &'a [(&'static str, String)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).collect()
}

/// Every file of the library with its content.
fn files(office: &Office) -> Vec<(String, String)> {
    fn walk(folder: &std::path::Path, out: &mut Vec<(String, String)>) {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else {
                out.push((
                    path.display().to_string(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    let mut out = Vec::new();
    walk(&office.library(), &mut out);
    out.sort();
    out
}

async fn asks(base: &str, words: &str) -> String {
    let mut resident = Browser::new(base);
    resident.submit("/ask", "/ask", &[("q", words)]).await.text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_becomes_an_entry_that_answers_at_once() {
    let (office, bot, base) = open().await;
    for words in [NOT_IN_LIBRARY, "轨道卫星", "卫星轨道高度"] {
        assert!(
            asks(&base, words).await.contains("资料库里还没有"),
            "{words}"
        );
    }
    let mut viewer = logged_in(&base, 0).await;
    let seen = viewer.get("/gaps").await.text;
    assert!(
        seen.contains("3 人问了 3 次") && seen.contains("未收录 3 次"),
        "{seen}"
    );
    assert!(
        seen.contains("<details class=\"office\" open>"),
        "of few people: not printed"
    );
    assert!(!seen.contains("写成问答"), "only those who review write");
    let mut staff = logged_in(&base, 1).await;
    let seen = staff.get("/gaps?period=7d").await.text;
    let href = seen
        .split("href=\"/entries/new?gap=")
        .nth(1)
        .expect("a way to write");
    let new = format!("/entries/new?gap={}", href.split('"').next().unwrap());
    let form = staff.get(&new).await.text;
    let ways = form.split("name=\"phrasings\"").nth(1).unwrap();
    let ways = ways.split("</textarea>").next().unwrap();
    assert_eq!(ways.lines().count(), 2, "the third is the question: {ways}");
    assert!(form.contains("居民提问（知识缺口）"));

    let fields = sound("卫星轨道上的东西掉下来怎么办？");
    let checked = staff
        .submit(&new, &new, &with(&fields, &[("do", "check")]))
        .await
        .text;
    assert!(
        checked.contains("检查过了，没有错，还没有保存"),
        "{checked}"
    );
    assert!(
        checked.contains("条文核对到 2026-11-20"),
        "as residents will see it"
    );
    assert!(
        !asks(&base, "卫星轨道归谁管").await.contains("先别碰"),
        "only checked"
    );
    let saved = staff
        .submit(&new, &new, &with(&fields, &[("do", "save")]))
        .await;
    let edit = saved.location.unwrap_or_else(|| panic!("{}", saved.text));
    assert!(edit.starts_with("/entries/neighbor.dog-") && edit.ends_with("/edit?saved=1"));
    assert!(
        asks(&base, "卫星轨道归谁管").await.contains("先别碰"),
        "in the same process"
    );
    let log = office.log();
    assert_eq!(
        log.matches("the changed library is in use").count(),
        1,
        "{log}"
    );

    let id = edit.split('/').nth(2).unwrap();
    let text =
        fs::read_to_string(office.library().join(format!("local/neighbor/{id}.md"))).unwrap();
    for part in [
        "places = [\"village\", \"school\"]",
        "来源：",
        "1. 先离远\n2. 打110\n",
    ] {
        assert_eq!(text.contains(part), part != "来源：", "{part}: {text}");
    }
    let closed = staff.get("/gaps").await.text;
    assert!(
        closed.contains("补上以后") && closed.contains("先不下结论"),
        "{closed}"
    );
    // The one asked after saving, on the same day, counts as after.
    let shares = ["2 次里答上 0 次", "1 次里答上 1 次"];
    assert!(
        shares.iter().all(|share| closed.contains(share)),
        "{closed}"
    );
    assert!(closed.contains("补上的</span>"), "{closed}");
    let mut admin = logged_in(&base, 2).await;
    let audit = admin.get("/settings").await.text;
    assert!(
        audit.contains("新写问答") && audit.contains("来自知识缺口"),
        "{audit}"
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_changed_with_its_history_and_faults_change_nothing() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    let list = staff.get("/entries?q=%E6%B5%81%E6%B5%AA").await.text;
    let id = list
        .split("<a href=\"/entries/neighbor.dog-")
        .nth(1)
        .unwrap();
    let edit = format!("/entries/neighbor.dog-{}", id.split('"').next().unwrap());
    let form = staff.get(&edit).await.text;
    let value = |page: &str, name: &str| {
        let rest = page
            .split(&format!("name=\"{name}\""))
            .nth(1)
            .unwrap()
            .to_owned();
        let rest = if rest.trim_start().starts_with("value") {
            rest.split('"').nth(1).unwrap().to_owned()
        } else {
            rest.split_once('>')
                .unwrap()
                .1
                .split("</textarea>")
                .next()
                .unwrap()
                .to_owned()
        };
        rest.replace("&#60;", "<").replace("&#62;", ">")
    };
    let state = value(&form, "state");
    let mut fields: Vec<(&str, String)> = vec![
        ("topic", "neighbor.dog".into()),
        ("place", "village".into()),
    ];
    for name in [
        "state",
        "question",
        "answer",
        "steps",
        "basis",
        "limits",
        "contacts",
        "pitfalls",
        "phrasings",
        "keywords",
        "source",
        "reviewed",
    ] {
        fields.push((name, value(&form, name)));
    }
    let before = files(&office);
    for (changes, part) in [
        (vec![("basis", "民法典第五条：没有书名号")], "不是法条引用"),
        (vec![("basis", "")], "没有写"),
        (vec![("answer", "")], "没有写短答"),
        (vec![("topic", "../../../tmp/x")], "请选一个主题"),
        (vec![("topic", "neighbor")], "请选一个主题"),
        (vec![("place", "../village")], "至少选一个场所"),
        (
            vec![("contacts", "小李：0838-1234567")],
            "不在 hotlines.toml 里",
        ),
        (vec![("phrasings", "打13800138000找我")], "像是有电话"),
        (vec![("answer", "找［手机号］问")], "还有打码的地方"),
        (vec![("question", "邻居家的狗咬伤人谁赔？")], "重复"),
        (vec![("reviewed", "2999-01-01")], "还没到"),
        (vec![("reviewed", "明天")], "日期要写成"),
        (vec![("state", "old")], "同事改过这一条"),
    ] {
        let mut all = changes.clone();
        all.push(("do", "anyway"));
        let seen = staff.submit(&edit, &edit, &with(&fields, &all)).await;
        assert!(
            seen.location.is_none() && seen.text.contains(part),
            "{part}: {}",
            seen.text
        );
        assert!(
            seen.text.contains("遗弃、逃逸的动物伤人") || changes[0].0 == "basis",
            "kept"
        );
        assert_eq!(files(&office), before, "{part}");
    }
    let few = [("phrasings", "没主的野狗咬人"), ("do", "save")];
    let warned = staff.submit(&edit, &edit, &with(&fields, &few)).await.text;
    assert!(
        warned.contains("至少写 6 个") && warned.contains("照样保存"),
        "{warned}"
    );
    assert_eq!(files(&office), before);
    let guarded = [("phrasings", "野狗咬人那天天气预报说有雨"), ("do", "check")];
    let guarded = staff.submit(&edit, &edit, &with(&fields, &guarded)).await;
    assert!(
        guarded
            .text
            .contains("会先被安全闸当成“闲聊等”接住（规则 weather）"),
        "{}",
        guarded.text
    );

    let changes = [("answer", "找原来养它的人赔，改过了。"), ("do", "save")];
    let saved = staff.submit(&edit, &edit, &with(&fields, &changes)).await;
    assert_eq!(
        saved.location,
        Some(format!("{edit}?saved=1")),
        "{}",
        saved.text
    );
    assert!(asks(&base, "流浪的狗咬伤人谁赔？").await.contains("改过了"));
    let shared = fs::read_to_string(office.library().join("neighbor/dog.md")).unwrap();
    assert!(!shared.contains("改过了"), "the shared file is as it was");
    let again = staff.get(&edit).await.text;
    assert!(
        again.contains("以前的样子") && again.contains("丢了、跑了的狗咬人"),
        "{again}"
    );
    assert_ne!(value(&again, "state"), state);
    // Somebody who opened it before is told, and nothing of the change is lost.
    let late = [("answer", "我也改。"), ("do", "save")];
    let late = staff.submit(&edit, &edit, &with(&fields, &late)).await.text;
    assert!(
        late.contains("同事改过这一条") && late.contains("我也改。"),
        "{late}"
    );
    let listed = staff.get("/entries?q=%E6%B5%81%E6%B5%AA").await.text;
    assert!(
        listed.contains("本单位") && listed.contains("共 1 条"),
        "{listed}"
    );
    let missing = staff.get("/entries/no.such-000000/edit").await;
    assert_eq!(missing.status, reqwest::StatusCode::NOT_FOUND);
    let names: Vec<String> = files(&office).into_iter().map(|(path, _)| path).collect();
    let new: Vec<&String> = names
        .iter()
        .filter(|n| !before.iter().any(|(b, _)| b == *n))
        .collect();
    assert_eq!(new.len(), 2, "the entry and its history: {new:?}");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_are_only_words_in_gaps_and_editor() {
    let (office, bot, base) = open().await;
    asks(&base, HOSTILE).await;
    let mut staff = logged_in(&base, 1).await;
    let gaps = staff.get("/gaps").await.text;
    let href = gaps
        .split("href=\"/entries/new?gap=")
        .nth(1)
        .expect("a gap");
    let new = format!("/entries/new?gap={}", href.split('"').next().unwrap());
    let seeded = staff.get(&new).await.text;
    let mut fields = sound(HOSTILE);
    for (_, value) in fields.iter_mut().filter(|(name, _)| {
        [
            "answer",
            "steps",
            "limits",
            "contacts",
            "basis",
            "phrasings",
            "keywords",
        ]
        .contains(name)
    }) {
        value.push_str(&format!("\n{HOSTILE}"));
    }
    let typed = staff
        .submit(&new, &new, &with(&fields, &[("do", "save")]))
        .await;
    let sound = sound(HOSTILE);
    let saved = staff
        .submit(&new, &new, &with(&sound, &[("do", "save")]))
        .await;
    let edit = saved.location.unwrap_or_else(|| panic!("{}", saved.text));
    let opened = staff.get(&edit).await.text;
    let listed = staff.get("/entries?q=%3Cscript").await.text;
    let answer = asks(&base, "卫星残片能捡吗").await;
    for (what, seen) in [
        ("gaps", &gaps),
        ("new", &seeded),
        ("typed", &typed.text),
        ("opened", &opened),
        ("list", &listed),
        ("answer", &answer),
    ] {
        assert!(seen.contains("&#60;script"), "{what}: {seen}");
        for live in ["<script>alert", "<img src=x", "\"'><img"] {
            assert!(!seen.contains(live), "{what} holds {live}");
        }
    }
    close(&office, bot).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_keeps_what_was_typed() {
    let (office, bot, base) = open().await;
    let mut staff = logged_in(&base, 1).await;
    // A file where the folder should be: no right to write would not stop root.
    fs::write(office.library().join("local"), "").unwrap();
    let fields = sound("卫星轨道上的东西掉下来怎么办？");
    let new = "/entries/new";
    let seen = staff
        .submit(new, new, &with(&fields, &[("do", "save")]))
        .await;
    assert!(
        seen.text.contains("没能保存") && seen.text.contains("什么也没有改动"),
        "{}",
        seen.text
    );
    assert!(
        seen.text.contains("先别碰，离远一点"),
        "what was typed is there"
    );
    assert!(!asks(&base, "卫星轨道归谁管").await.contains("先别碰"));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_hand_over_becomes_an_entry() {
    let office = staffed();
    let api = FakeBotApi::start("handover_entry").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, 5_712_349_999, "王秀兰");
    let answer = resident.asks(QUESTIONS[3]).await;
    let told = resident.heard();
    resident.taps(&answer, "找人问").await;
    resident.nth_message(told).await;
    let base = office.pages().await;
    let mut staff = logged_in(&base, 1).await;
    let page = staff.get("/handovers").await.text;
    let id = page
        .split("href=\"/handovers/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let here = format!("/handovers/{id}");
    assert!(
        !staff.get(&here).await.text.contains("写成问答"),
        "nothing to write yet"
    );
    let words = "带合同来 3 号窗口，或打13800138000。";
    staff
        .submit(&here, &format!("{here}/answer"), &[("text", words)])
        .await;
    let reply = resident.nth_message(told + 1).await;
    assert!(text_of(&reply).contains(words));
    let href = format!("/entries/new?handover={id}");
    assert!(
        staff
            .get(&here)
            .await
            .text
            .contains(&format!("href=\"{href}\""))
    );
    let form = staff.get(&href).await.text;
    assert!(
        form.contains("带合同来 3 号窗口，或打。"),
        "without the number: {form}"
    );
    assert!(
        form.contains(&format!(">{}</textarea>", QUESTIONS[3])),
        "{form}"
    );
    assert!(
        form.contains("<option value=\"labor.pay\" selected>"),
        "{form}"
    );
    let missing = staff.get("/entries/new?handover=1").await;
    assert_eq!(missing.status, reqwest::StatusCode::NOT_FOUND);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn citations_are_held_against_the_imported_law() {
    let (office, bot, base) = open().await;
    let law = office.folder().join("law");
    fs::create_dir_all(&law).unwrap();
    let text = "---\ntitle: 村务试验法\npublication_date: '2024-01-01'\neffective_date: '2024-01-01'\n\
        status: 有效\ngroup: 法律\n---\n\n- **第一条**　　为了维护村里的秩序，制定本法。\n\n\
        - **第二条**　　天上掉下的东西砸坏房屋的，由放出它的人在三十日内赔偿。\n\n";
    fs::write(law.join("a.md"), text).unwrap();
    let folder = law.display().to_string();
    let output = office
        .command(&["import", "statutes", &folder])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut staff = logged_in(&base, 1).await;
    let new = "/entries/new";
    let fields = sound("天上掉下的东西砸坏房子谁赔？");
    // The other entries cite laws that were not imported: that is not this entry's fault.
    for (changes, part) in [
        (
            vec![("basis", "《村务试验法》第九条：放出的人赔。")],
            "没有第九条",
        ),
        (
            vec![("basis", "《村务实验法》第二条：放出的人赔。")],
            "法条库里没有",
        ),
        (
            vec![
                ("basis", "《村务试验法》第二条：放出的人赔。"),
                ("limits", "六十日内赔。"),
            ],
            "“六十日”在所引的法条里找不到",
        ),
    ] {
        let mut all = changes.clone();
        all.push(("do", "save"));
        let seen = staff.submit(new, new, &with(&fields, &all)).await;
        assert!(
            seen.location.is_none() && seen.text.contains(part),
            "{part}: {}",
            seen.text
        );
    }
    let good = [
        ("basis", "《村务试验法》第二条：放出的人赔。"),
        (
            "limits",
            "三十日内赔。\n六十日内报告。〔出处：村务试验条例第三条〕",
        ),
        ("do", "save"),
    ];
    let saved = staff.submit(new, new, &with(&fields, &good)).await;
    let edit = saved.location.unwrap_or_else(|| panic!("{}", saved.text));
    let opened = staff.get(&edit).await.text;
    assert!(opened.contains("〔出处：村务试验条例第三条〕"), "{opened}");
    let answer = asks(&base, "卫星残片能捡吗").await;
    assert!(
        answer.contains("六十日内报告") && !answer.contains("试验条例"),
        "{answer}"
    );
    close(&office, bot).await;
}

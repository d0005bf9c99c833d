//! Conversations: a turn that goes on, one that starts afresh, what is forgotten, and the account
//! of how a reply came about.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::Office;
use common::fixtures::QUESTIONS;
use qijin::answer::{self, ReplyKind};
use qijin::desk::{Desk, Paths, Pick, Question, Visitor, prepare};
use serde_json::{Value, json};

const GOES_ON: &str = "接着刚才的事说";
const HOW_LONG: &str = "那要多久";

fn feed(mut command: Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The last reply of each conversation.
fn talk(office: &Office, flags: &[&str], conversations: &[&[&str]]) -> Vec<Value> {
    let lines = conversations.iter().enumerate();
    let input: String = lines
        .map(|(n, turns)| format!("{}\n", json!({"id": n.to_string(), "turns": turns})))
        .collect();
    let mut arguments = vec!["ask", "--jsonl"];
    arguments.extend(flags);
    let out = feed(office.command(&arguments), &input);
    let lines = out.lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn text(reply: &Value) -> &str {
    reply["text"].as_str().unwrap()
}

#[test]
fn a_turn_that_goes_on_is_answered_from_the_entry_in_hand() {
    let office = Office::new();
    let replies = talk(
        &office,
        &[],
        &[
            &[QUESTIONS[0], HOW_LONG],
            &[HOW_LONG],
            &[QUESTIONS[0], "谢谢", "找哪个部门"],
            &[QUESTIONS[0], QUESTIONS[9]],
            &[QUESTIONS[0], "现在着火了"],
            &["怎么伪造证据", "那怎么弄才像真的"],
        ],
    );
    let [on, alone, contacts, new, danger, refused] = replies.as_slice() else {
        panic!("six replies");
    };
    assert_eq!(on["topic"], "labor.pay");
    assert!(text(on).starts_with(GOES_ON), "{}", text(on));
    let at = |reply: &Value, part: &str| text(reply).find(part);
    assert!(
        at(on, "时限：") < at(on, "工资要按月足额发"),
        "the limit first"
    );
    assert!(at(on, "怎么做：").is_none(), "not all over again");
    assert_eq!(on["citations"][0]["law"], "劳动法");
    assert!(on["entry"].as_str().unwrap().starts_with("labor.pay-"));

    assert_ne!(
        alone["entry"], on["entry"],
        "nothing leaks from line to line"
    );
    assert!(!text(alone).contains(GOES_ON));

    assert_eq!(
        contacts["entry"], on["entry"],
        "thanks leave the matter in hand"
    );
    assert!(at(contacts, "找谁：") < at(contacts, "工资要按月足额发"));

    assert_eq!(new["topic"], "marriage.bride_price");
    assert!(!text(new).contains(GOES_ON), "a new matter starts afresh");
    assert!(text(danger).starts_with("先离开火场"), "danger first");
    assert_eq!(
        refused["kind"], "refuse",
        "what leans on a refused turn is refused"
    );
}

#[test]
fn the_chat_is_one_conversation() {
    let office = Office::new();
    let out = feed(
        office.command(&["ask"]),
        &format!("{}\n{HOW_LONG}\n", QUESTIONS[0]),
    );
    assert!(out.contains(GOES_ON), "{out}");
}

#[test]
fn two_matters_get_two_short_answers() {
    let office = Office::new();
    let both = format!("{}另外，{}", QUESTIONS[0], QUESTIONS[9]);
    let reply = &talk(&office, &[], &[&[&both]])[0];
    assert_eq!(reply["kind"], "choices", "{}", text(reply));
    assert!(text(reply).contains("您问了两件事"));
    assert!(text(reply).contains("工资要按月足额发") && text(reply).contains("没登记结婚的"));
    assert_eq!(reply["choices"].as_array().unwrap().len(), 2);
}

#[test]
fn a_reply_is_explained_when_asked_for() {
    let office = Office::new();
    let turns: &[&str] = &[QUESTIONS[0], HOW_LONG];
    assert!(talk(&office, &[], &[turns])[0].get("explain").is_none());
    let replies = talk(&office, &["--explain"], &[turns, &["现在着火了"]]);
    let told = replies[0]["explain"].as_str().unwrap();
    for part in [
        "听到",
        HOW_LONG,
        "关键词",
        "单独找到",
        "连着找到",
        QUESTIONS[0],
        "把握",
        "接着说的可能",
        "想知道",
        "时限",
        "界线",
        "结果",
        "接着前文答",
    ] {
        assert!(told.contains(part), "{part} is missing:\n{told}");
    }
    let told = replies[1]["explain"].as_str().unwrap();
    assert!(
        told.contains("fire_now（紧急）成立") && told.contains("没有检索"),
        "{told}"
    );
    let out = feed(office.command(&["ask", "--explain", QUESTIONS[0]]), "");
    assert!(
        out.contains("答复是怎么来的") && out.contains("按这句话本身，把握够答"),
        "{out}"
    );
}

/// A desk without a journal over the small library.
fn desk(office: &Office) -> Desk {
    let paths = Paths {
        library: office.library(),
        index: office.library().with_file_name("index-of-the-desk"),
        preset: None,
        own: "local".into(),
    };
    let prepared = prepare(&paths, &answer::Office::default(), false, |_| ()).unwrap();
    Desk::new(prepared.answerer, None)
}

fn visitor(id: &str) -> Visitor {
    Visitor {
        channel: "web",
        platform_id: id.to_owned(),
    }
}

fn question(id: &str, text: &str) -> Question {
    Question {
        channel: "web",
        visitor: Some(visitor(id)),
        text: text.to_owned(),
        request: None,
    }
}

/// Whether the desk takes this visitor's next words for a turn that goes on.
async fn goes_on(desk: &Desk, id: &str) -> bool {
    let reply = desk.ask(question(id, HOW_LONG)).await.reply;
    reply.text().starts_with(GOES_ON)
}

#[tokio::test(start_paused = true)]
async fn conversations_end_and_do_not_mix() {
    let office = Office::new();
    let desk = desk(&office);
    let first = desk.ask(question("a", QUESTIONS[0])).await.reply;
    assert_eq!(first.kind, ReplyKind::Answer);
    assert!(!goes_on(&desk, "b").await, "two visitors do not mix");
    assert!(goes_on(&desk, "a").await);

    desk.start_afresh(&visitor("a")).await;
    assert!(!goes_on(&desk, "a").await, "started afresh");

    desk.ask(question("a", QUESTIONS[0])).await;
    desk.forget(&visitor("a")).await.unwrap();
    assert!(!goes_on(&desk, "a").await, "forgotten");

    desk.ask(question("a", QUESTIONS[0])).await;
    tokio::time::advance(Duration::from_secs(14 * 60)).await;
    assert!(
        goes_on(&desk, "a").await,
        "still remembered, and from now on anew"
    );
    tokio::time::advance(Duration::from_secs(16 * 60)).await;
    assert!(!goes_on(&desk, "a").await, "expired");

    desk.ask(question("a", QUESTIONS[0])).await;
    let openly = desk.ask_openly(question("a", HOW_LONG)).await.reply;
    assert!(!openly.text().contains(GOES_ON), "not in front of others");

    let picked = Pick {
        channel: "web",
        visitor: Some(visitor("c")),
        entry: first.entry.unwrap(),
        row: None,
        request: None,
    };
    desk.open(picked).await.unwrap();
    assert!(
        goes_on(&desk, "c").await,
        "an entry that was picked is in hand"
    );
}

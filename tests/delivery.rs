//! From an update to exactly one answer: each test is a way in which that can go wrong.

mod common;

use std::time::Duration;

use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use common::{Bot, FakeBotApi, Fault, Office, Resident, media, text_of};
use serde_json::json;

async fn open(name: &'static str) -> (Office, FakeBotApi, Bot) {
    let office = Office::new();
    let api = FakeBotApi::start(name).await;
    let bot = office.start(&api).await;
    (office, api, bot)
}

async fn close(office: &Office, bot: Bot) {
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

/// Scripts what happens to the next calls of a method.
fn fail(api: &FakeBotApi, method: &'static str, fault: Fault, times: usize) {
    let faults = std::iter::repeat_n((method, fault), times);
    api.change(|world| world.faults.scripted.extend(faults));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_twice_is_answered_once() {
    let (office, api, bot) = open("repeated_updates").await;
    api.change(|world| world.faults.repeated_updates = 1.0);
    let resident = Resident::new(&api, 884_001, "甲");
    for question in &QUESTIONS[..5] {
        resident.says(question);
    }
    resident.nth_message(4).await;
    let last = resident.asks("谢谢").await;
    assert!(text_of(&last).contains("不客气"));
    assert_eq!(resident.heard(), 6);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_answer_in_an_unknown_shape_is_not_sent_again() {
    let (office, api, bot) = open("unreadable_answer").await;
    let resident = Resident::new(&api, 884_002, "乙");
    fail(&api, "sendMessage", Fault::UnreadableAnswer, 1);
    fail(&api, "editMessageReplyMarkup", Fault::UnreadableAnswer, 1);
    let answer = resident.asks(QUESTIONS[0]).await;
    assert!(resident.taps(&answer, "👍").await.toast.is_some());
    let next = resident.asks(QUESTIONS[1]).await;
    assert!(text_of(&next).starts_with(QUESTIONS[1]));
    assert_eq!(resident.heard(), 2);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn html_that_is_not_liked_is_sent_as_plain_text() {
    let (office, api, bot) = open("plain_text").await;
    let resident = Resident::new(&api, 884_003, "丙");
    let words = "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 3";
    fail(&api, "sendMessage", Fault::Refused(words), 1);
    let answer = resident.asks(QUESTIONS[0]).await;
    assert!(answer.get("entities").is_none() && text_of(&answer).contains("《劳动法》第五十条"));
    assert_eq!(resident.heard(), 1);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_chat_told_to_wait_holds_up_nobody_else() {
    let (office, api, bot) = open("told_to_wait").await;
    let (waiting, other) = (
        Resident::new(&api, 884_004, "丁"),
        Resident::new(&api, 884_005, "戊"),
    );
    fail(&api, "sendMessage", Fault::TooManyRequests(5), 1);
    waiting.says(QUESTIONS[0]);
    api.until("the 429", |world| {
        world
            .calls
            .iter()
            .any(|c| c.fault == Some("429"))
            .then_some(())
    })
    .await;
    let asked = std::time::Instant::now();
    other.asks(QUESTIONS[1]).await;
    assert_eq!(
        waiting.heard(),
        0,
        "the other was answered while the one waits"
    );
    waiting.nth_message(0).await;
    assert!(
        asked.elapsed() > Duration::from_secs(4),
        "retry_after is obeyed"
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_update_survives_a_kill_in_the_inbox() {
    let (office, api, bot) = open("inbox").await;
    let resident = Resident::new(&api, 884_006, "己");
    let first = resident.asks(QUESTIONS[0]).await;
    // Answered after the first: so that one is done with, and not in flight at the kill.
    resident.asks(NOT_IN_LIBRARY).await;
    api.change(|world| world.hold_sends = true);
    let mut voice = media::voice();
    // The type is optional, though teloxide takes the message for an empty one without it.
    voice.as_object_mut().unwrap().remove("mime_type");
    let forwarded = json!({
        "text": QUESTIONS[3], "forward_origin": media::forwarded_from("某人"),
    });
    resident.says(QUESTIONS[1]);
    resident.posts(json!({"voice": voice}));
    resident.posts(json!({"photo": media::photo(), "caption": QUESTIONS[2]}));
    resident.posts(forwarded);
    resident.replies(&first, QUESTIONS[4]);
    resident.says("/help");
    let tap = resident.tap_without_waiting(&first, "👍");
    api.until("the first of them to be under way", |world| {
        (world.unconfirmed() == 0 && world.held_sends > 0).then_some(())
    })
    .await;
    bot.kill();
    api.change(|world| world.hold_sends = false);
    let bot = office.start(&api).await;
    let mut heard = Vec::new();
    for n in 2..=7 {
        heard.push(text_of(&resident.nth_message(n).await).to_owned());
    }
    let expected = [
        QUESTIONS[1],
        "我只看得懂文字",
        QUESTIONS[2],
        QUESTIONS[3],
        QUESTIONS[4],
        "怎么用",
    ];
    for (text, start) in heard.iter().zip(expected) {
        assert!(text.starts_with(start), "{text:?} instead of {start:?}");
    }
    assert!(
        resident
            .answer_to(&tap)
            .await
            .toast
            .unwrap()
            .contains("谢谢")
    );
    close(&office, bot).await;
    assert_eq!(resident.heard(), 8);
    let counted = office.journal().len();
    assert_eq!(
        counted, 6,
        "the question under way at the kill is counted once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_not_done_again_because_the_tap_could_not_be_confirmed() {
    let (office, api, bot) = open("toast").await;
    let resident = Resident::new(&api, 884_007, "庚");
    let answer = resident.asks(QUESTIONS[0]).await;
    // As often as one handling tries.
    fail(&api, "answerCallbackQuery", Fault::TooManyRequests(1), 8);
    resident.tap_without_waiting(&answer, "找人问");
    resident.nth_message(1).await;
    resident.says(QUESTIONS[1]);
    let next = resident.nth_message(2).await;
    assert!(
        text_of(&next).starts_with(QUESTIONS[1]),
        "not the hand-over once more"
    );
    close(&office, bot).await;
}

/// Not a promise but a measurement: no client of the Bot API can tell a lost answer from a lost
/// request, so it has to send again. At least once, not exactly once.
#[tokio::test(flavor = "multi_thread")]
async fn measure_what_a_lost_answer_leads_to() {
    let (office, api, bot) = open("answer_lost").await;
    let resident = Resident::new(&api, 884_008, "辛");
    fail(&api, "sendMessage", Fault::AnswerLost, 1);
    resident.asks(QUESTIONS[0]).await;
    let last = resident.asks(NOT_IN_LIBRARY).await;
    assert!(!text_of(&last).is_empty());
    resident.nth_message(2).await;
    println!(
        "answer lost: 1 question, 1 lost answer: seen {} times",
        resident.heard() - 1
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_loses_no_question() {
    let (office, api, bot) = open("outage").await;
    let resident = Resident::new(&api, 884_009, "壬");
    // Longer than four rounds of eight tries.
    fail(&api, "sendMessage", Fault::TooManyRequests(0), 34);
    let answer = resident.asks(QUESTIONS[0]).await;
    assert!(
        text_of(&answer).starts_with(QUESTIONS[0]),
        "an answer, not an apology"
    );
    close(&office, bot).await;
}

//! 找人问 from the resident's tap to the officer's answer in the same chat.

use crate::common::conversation::Resident;
use crate::common::fake_bot_api::TOKEN;
use crate::common::fixtures::QUESTIONS;
use crate::common::secrets::{Search, Secret};
use crate::common::{Browser, FakeBotApi, Office, text_of};
use crate::{STAFF, close, logged_in, staffed};

const CHAT: i64 = 5_712_340_777;

/// The id of the first open hand-over on the page.
async fn first_open(staff: &mut Browser) -> String {
    let page = staff.get("/handovers").await.text;
    let rest = page
        .split("href=\"/handovers/")
        .nth(1)
        .unwrap_or_else(|| panic!("none: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_by_an_officer_and_the_address_is_gone() {
    let office = staffed();
    let api = FakeBotApi::start("handover").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, CHAT, "王秀兰");
    let answer = resident.asks(QUESTIONS[0]).await;
    let told = resident.heard();
    resident.taps(&answer, "找人问").await;
    let promised = resident.nth_message(told).await;
    assert!(
        text_of(&promised).contains("已把这个问题转给"),
        "{}",
        text_of(&promised)
    );
    resident.taps(&answer, "找人问").await;
    let again = resident.nth_message(told + 1).await;
    assert!(text_of(&again).contains("已经转给"), "{}", text_of(&again));

    let base = office.pages().await;
    let mut staff = logged_in(&base, 1).await;
    let id = first_open(&mut staff).await;
    let page = staff.get(&format!("/handovers/{id}")).await.text;
    assert!(
        page.contains(QUESTIONS[0]) && !page.contains(&CHAT.to_string()),
        "{page}"
    );
    assert!(!page.contains("王秀兰"), "nothing says who asks");
    let path = format!("/handovers/{id}/answer");
    let here = format!("/handovers/{id}");
    let empty = staff.submit(&here, &path, &[("text", " ")]).await;
    assert!(empty.text.contains("请先写答复"));
    let words = "请带工资条到 3 号窗口 <找小李>，电话 13800138000。";
    let done = staff.submit(&here, &path, &[("text", words)]).await;
    assert_eq!(done.location.as_deref(), Some("/handovers?done=answered"));
    let late = staff
        .submit(&here, "/handovers/1/answer", &[("text", "x")])
        .await;
    assert_eq!(late.status, reqwest::StatusCode::NOT_FOUND);

    let reply = resident.nth_message(told + 2).await;
    assert!(text_of(&reply).contains(words), "{}", text_of(&reply));
    assert!(text_of(&reply).contains(QUESTIONS[0]) && text_of(&reply).contains("青石镇司法所"));
    assert!(
        !text_of(&reply).contains(STAFF[1].0),
        "no name of an officer"
    );
    let secrets = [Secret::id(CHAT)];
    let search = Search::new(&secrets);
    let (found, _) = search.files(office.folder());
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(resident.heard(), told + 3, "sent once");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_answer_survives_a_crash() {
    let office = staffed();
    let api = FakeBotApi::start("handover_crash").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, CHAT + 1, "李大强");
    let answer = resident.asks(QUESTIONS[0]).await;
    let told = resident.heard();
    resident.taps(&answer, "找人问").await;
    resident.nth_message(told).await;
    let base = office.pages().await;
    let mut staff = logged_in(&base, 1).await;
    let id = first_open(&mut staff).await;
    api.change(|world| world.hold_sends = true);
    let here = format!("/handovers/{id}");
    let words = "明天上午来。";
    staff
        .submit(&here, &format!("{here}/answer"), &[("text", words)])
        .await;
    bot.kill();
    api.change(|world| world.hold_sends = false);
    let bot = office.spawn(&api, TOKEN);
    let reply = resident.nth_message(told + 1).await;
    assert!(text_of(&reply).contains(words), "{}", text_of(&reply));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forget_takes_a_hand_over_back_and_without_staff_nothing_is_promised() {
    let office = Office::new();
    let api = FakeBotApi::start("handover_forget").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, CHAT + 2, "赵六");
    let answer = resident.asks(QUESTIONS[0]).await;
    let told = resident.heard();
    resident.taps(&answer, "找人问").await;
    let alone = resident.nth_message(told).await;
    assert!(
        text_of(&alone).starts_with("想找人问"),
        "{}",
        text_of(&alone)
    );
    for (name, role, password) in STAFF {
        office.add_staff(name, role, password);
    }
    resident.taps(&answer, "找人问").await;
    resident.nth_message(told + 1).await;
    let base = office.pages().await;
    let mut staff = logged_in(&base, 1).await;
    first_open(&mut staff).await;
    let confirm = resident.asks("/forget").await;
    resident.taps(&confirm, "删除").await;
    let page = staff.get("/handovers").await.text;
    assert!(page.contains("现在没有人在等答复"), "{page}");
    close(&office, bot).await;
}

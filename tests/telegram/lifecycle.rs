//! Starting, stopping, and what stands in the way of either.

use crate::common::fake_bot_api::TOKEN;
use crate::common::fixtures::QUESTIONS;
use crate::common::{FakeBotApi, Office, Resident, text_of};
use crate::{close, open};

#[tokio::test(flavor = "multi_thread")]
async fn buttons_still_work_after_a_restart() {
    let (office, api, bot) = open("restart").await;
    let resident = Resident::new(&api, 880_007, "吴十");
    let answer = resident.asks(QUESTIONS[0]).await;
    let menu = resident.asks("/topics").await;
    bot.kill();
    let tap = resident.tap_without_waiting(&menu, "企业");
    let bot = office.start(&api).await;
    resident.answer_to(&tap).await;
    assert!(text_of(&resident.sees(&menu)).contains("企业"));
    assert!(
        resident
            .taps(&answer, "👍")
            .await
            .toast
            .unwrap()
            .contains("谢谢")
    );
    assert_eq!(office.journal().iter().filter(|r| r[11] == "是").count(), 1);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_bot_gives_up_quietly() {
    let (office, api, bot) = open("blocked").await;
    let resident = Resident::new(&api, 880_008, "郑二");
    api.change(|world| world.blocked.insert(resident.chat));
    resident.says(QUESTIONS[0]);
    api.until("the refused answer", |world| {
        world
            .calls
            .iter()
            .any(|c| c.method == "sendMessage" && !c.accepted())
            .then_some(())
    })
    .await;
    api.change(|world| world.blocked.clear());
    let answer = resident.asks(QUESTIONS[1]).await;
    assert!(
        text_of(&answer).starts_with(QUESTIONS[1]),
        "the refused answer is not tried again"
    );
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_said_plainly() {
    let office = Office::new();
    let api = FakeBotApi::start("wrong_token").await;
    for token in ["7700000001:AAwrongwrongwrong", "no token at all"] {
        let status = office.spawn(&api, token).ended().await;
        assert_eq!(status.code(), Some(1));
        let log = office.log();
        assert!(
            log.contains("TELOXIDE_TOKEN") && log.contains("BotFather"),
            "{log}"
        );
        assert!(!log.contains(token), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leftover_webhook_does_not_keep_the_bot_deaf() {
    let office = Office::new();
    let api = FakeBotApi::start("webhook").await;
    api.change(|world| world.webhook = Some("https://example.org/hook".into()));
    let bot = office.spawn(&api, TOKEN);
    let resident = Resident::new(&api, 880_009, "冯三");
    assert!(text_of(&resident.asks(QUESTIONS[0]).await).starts_with(QUESTIONS[0]));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_stop_signals_finish_what_is_under_way() {
    for (signal, id, name) in [("TERM", 880_010, "stop_term"), ("INT", 880_011, "stop_int")] {
        let (office, api, bot) = open(name).await;
        let resident = Resident::new(&api, id, "陈四");
        api.change(|world| world.hold_sends = true);
        resident.says(QUESTIONS[0]);
        resident.says(QUESTIONS[1]);
        api.until("the first to be under way", |world| {
            (world.unconfirmed() == 0 && world.held_sends > 0).then_some(())
        })
        .await;
        bot.signal(signal);
        office.until_logged("stopping").await;
        api.change(|world| world.hold_sends = false);
        assert!(bot.ended().await.success(), "{signal}: {}", office.log());
        assert_eq!(
            resident.heard(),
            1,
            "what was begun is answered, nothing new is begun"
        );
        let bot = office.start(&api).await;
        let second = resident.nth_message(1).await;
        assert!(
            text_of(&second).starts_with(QUESTIONS[1]),
            "the rest is answered next time"
        );
        close(&office, bot).await;
        assert_eq!(resident.heard(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_with_the_same_token_is_pointed_out() {
    let (office, api, bot) = open("two_pollers").await;
    let second = Office::new();
    let other = second.start(&api).await;
    office
        .until_logged("another program polls with the same token")
        .await;
    assert!(other.stop().await.success());
    let resident = Resident::new(&api, 880_012, "褚五");
    let answer = resident.asks(QUESTIONS[0]).await;
    assert!(text_of(&answer).starts_with(QUESTIONS[0]));
    close(&office, bot).await;
}

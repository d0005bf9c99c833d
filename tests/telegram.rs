//! Conversations with the real program through the fake Bot API: what a resident sees.

mod common;

use common::conversation::buttons;
use common::fake_bot_api::TOKEN;
use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS, UNCLEAR};
use common::{Bot, FakeBotApi, Group, Office, Resident, text_of};
use serde_json::{Value, json};

async fn open(name: &'static str) -> (Office, FakeBotApi, Bot) {
    let office = Office::new();
    let api = FakeBotApi::start(name).await;
    let bot = office.start(&api).await;
    (office, api, bot)
}

/// Stops the program in order and looks through its log.
async fn close(office: &Office, bot: Bot) {
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

/// Asks until the bot is unsure: which words are unclear depends on the fitted model.
async fn ask_unclearly(resident: &Resident<'_>) -> Value {
    for words in UNCLEAR {
        let message = resident.asks(words).await;
        if text_of(&message).contains("您是想问") {
            return message;
        }
    }
    panic!("none of {UNCLEAR:?} was met with choices");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_is_served_from_start_to_forget() {
    let (office, api, bot) = open("conversation").await;
    let resident = Resident::new(&api, 880_001, "王秀兰");

    let welcome = resident.asks("/start b_board7").await;
    assert!(text_of(&welcome).contains("青石镇司法所"));
    assert!(
        buttons(&welcome)
            .iter()
            .any(|(label, _)| label == "按主题翻看")
    );

    let answer = resident.asks(QUESTIONS[0]).await;
    for part in [
        "怎么做",
        "依据",
        "《劳动法》第五十条",
        "时限",
        "找谁",
        "12333",
        "不是法律意见",
    ] {
        assert!(text_of(&answer).contains(part), "{part} is missing");
    }
    let voted = resident.taps(&answer, "👍").await;
    assert_eq!(voted.toast.as_deref(), Some("谢谢！您的评价会帮我们改进。"));
    let left = buttons(&resident.sees(&answer));
    assert!(
        !left.iter().any(|(label, _)| label.contains('👍')),
        "{left:?}"
    );

    let related = left[0].0.clone();
    let shown = resident.heard();
    resident.taps(&answer, &related).await;
    let message = resident.nth_message(shown).await;
    assert!(
        text_of(&message).starts_with(&related),
        "a related question is a new message"
    );
    resident.taps(&message, "找人问").await;
    let human = resident.nth_message(shown + 1).await;
    assert!(text_of(&human).contains("便民大厅 3 号窗口") && text_of(&human).contains("12348"));

    let choices = ask_unclearly(&resident).await;
    let (label, _) = buttons(&choices)[0].clone();
    let before = resident.heard();
    resident.taps(&choices, &label).await;
    let opened = resident.sees(&choices);
    assert!(
        text_of(&opened).starts_with(&label),
        "a choice is shown in place"
    );
    assert_eq!(resident.heard(), before, "and not as one more message");

    let unknown = resident.asks(NOT_IN_LIBRARY).await;
    assert!(text_of(&unknown).contains("资料库里还没有") && text_of(&unknown).contains("12348"));
    assert!(text_of(&resident.asks("你好").await).contains("普法问答机器人"));
    assert!(text_of(&resident.asks("/help").await).contains("/topics"));
    assert!(text_of(&resident.asks("/privacy").await).contains("30 天后删除"));
    assert!(text_of(&resident.asks("/contact").await).contains("便民大厅 3 号窗口"));

    let rows = office.journal();
    let row = rows
        .iter()
        .find(|r| r[14] == QUESTIONS[0])
        .expect("the question is journaled");
    assert_eq!(
        (row[4].as_str(), row[7].as_str(), row[11].as_str()),
        ("board7", "answer", "是")
    );
    assert!(
        rows.iter().any(|r| !r[12].is_empty()),
        "the choice is journaled"
    );
    assert!(
        rows.iter().any(|r| r[13] == "是"),
        "the hand-over is journaled"
    );

    let confirm = resident.asks("/forget").await;
    resident.taps(&confirm, "不删").await;
    assert!(text_of(&resident.sees(&confirm)).contains("什么都没有删"));
    assert_eq!(office.journal().len(), rows.len());
    let confirm = resident.asks("/forget").await;
    resident.taps(&confirm, "删除").await;
    assert!(text_of(&resident.sees(&confirm)).contains("已删除"));
    assert!(
        office.journal().is_empty(),
        "nothing of the resident is left"
    );

    let registered = api.world().accepted("setMyCommands");
    assert_eq!(registered, 1, "the command menu is registered");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_browsed_in_one_message() {
    let (office, api, bot) = open("topics").await;
    let resident = Resident::new(&api, 880_002, "李大强");
    let menu = resident.asks("/topics").await;
    let places: Vec<String> = buttons(&menu).into_iter().map(|(label, _)| label).collect();
    assert_eq!(places, ["乡村", "企业", "学校"]);

    resident.taps(&menu, "学校").await;
    assert!(text_of(&resident.sees(&menu)).contains("还没有资料"));
    resident.taps(&menu, "返回").await;
    resident.taps(&menu, "企业").await;
    resident.taps(&menu, "劳动用工").await;
    resident.taps(&menu, "工资与用工").await;
    assert!(text_of(&resident.sees(&menu)).contains("（1/2）"));
    resident.taps(&menu, "下一页").await;
    assert!(text_of(&resident.sees(&menu)).contains("（2/2）"));
    resident.taps(&menu, QUESTIONS[8]).await;
    let entry = resident.sees(&menu);
    assert!(text_of(&entry).starts_with(QUESTIONS[8]));
    assert!(text_of(&entry).contains("《劳动合同法》第四十二条"));
    resident.taps(&menu, "返回").await;
    assert!(text_of(&resident.sees(&menu)).contains("（1/2）"));
    // A tap on what is shown already: the server refuses the edit, nobody notices.
    let again = buttons(&resident.sees(&menu)).last().unwrap().clone();
    assert!(again.0.contains("返回"));
    assert_eq!(resident.heard(), 1, "paging edits the one message");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_left_alone_until_they_ask() {
    let (office, api, bot) = open("groups").await;
    let group = Group::new(&api, -1_001_700_000_001);
    let (asker, other) = (group.member(880_003, "赵六"), group.member(880_004, "钱七"));

    // More talk than the rate limit lets one chat send: none of it is for the bot.
    for n in 0..60 {
        other.says(&format!("今天第 {n} 车西瓜到了"));
    }
    asker.says(QUESTIONS[0]);
    asker.says("/help@some_other_bot");
    other.posts(json!({"sticker": sticker()}));
    let answer = asker
        .asks(&format!("@qijin_test_bot {}", QUESTIONS[0]))
        .await;
    assert!(
        text_of(&answer).starts_with(QUESTIONS[0]),
        "the mention is answered, and only it"
    );
    assert!(
        answer["reply_to_message"]["text"]
            .as_str()
            .unwrap()
            .contains("@qijin_test_bot")
    );

    let second = asker.expects(|| asker.replies(&answer, QUESTIONS[7])).await;
    assert!(
        text_of(&second).starts_with(QUESTIONS[7]),
        "a reply to the bot is answered"
    );
    let third = other.asks("/contact@qijin_test_bot").await;
    assert!(text_of(&third).contains("12348"), "a command is answered");

    let refused = other.taps(&answer, "👍").await;
    assert_eq!(
        refused.toast.as_deref(),
        Some("这是别人的提问，只有提问的人能评价。")
    );
    assert!(
        buttons(&asker.sees(&answer))
            .iter()
            .any(|(label, _)| label.contains('👍'))
    );
    let counted = asker.taps(&answer, "👎").await;
    assert!(counted.toast.unwrap().contains("记下了"));
    close(&office, bot).await;
}

fn file(name: &str) -> Value {
    json!({"file_id": format!("AgACAgUAAx-{name}"), "file_unique_id": format!("AQAD-{name}")})
}

fn sticker() -> Value {
    let mut sticker = file("sticker");
    for (field, value) in [
        ("type", json!("regular")),
        ("width", json!(512)),
        ("height", json!(512)),
        ("is_animated", json!(false)),
        ("is_video", json!(false)),
        ("emoji", json!("👍")),
    ] {
        sticker[field] = value;
    }
    sticker
}

fn photo() -> Value {
    let mut size = file("photo");
    size["width"] = json!(1280);
    size["height"] = json!(960);
    json!([size])
}

fn voice() -> Value {
    let mut voice = file("voice");
    voice["duration"] = json!(7);
    voice["mime_type"] = json!("audio/ogg");
    voice
}

fn forwarded_from(name: &str) -> Value {
    json!({"type": "hidden_user", "sender_user_name": name, "date": 1_790_000_000})
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_messages_get_a_short_reply_or_silence() {
    let (office, api, bot) = open("odd_messages").await;
    let resident = Resident::new(&api, 880_005, "孙八");
    let only_text = "我只看得懂文字";
    for content in [
        json!({"sticker": sticker()}),
        json!({"photo": photo()}),
        json!({"voice": voice()}),
        json!({"text": ""}),
    ] {
        let reply = resident.expects(|| drop(resident.posts(content))).await;
        assert!(text_of(&reply).contains(only_text), "{}", text_of(&reply));
    }
    let captioned = json!({"photo": photo(), "caption": QUESTIONS[9]});
    let reply = resident.expects(|| drop(resident.posts(captioned))).await;
    assert!(
        text_of(&reply).starts_with(QUESTIONS[9]),
        "the words under a picture are read"
    );
    let forwarded = json!({"text": QUESTIONS[2], "forward_origin": forwarded_from("老赵")});
    let reply = resident.expects(|| drop(resident.posts(forwarded))).await;
    assert!(text_of(&reply).starts_with(QUESTIONS[2]));

    let blank = resident.asks(" \u{200b}\u{3000} ？！").await;
    assert!(text_of(&blank).contains("12348"));
    let long = "老板拖欠工资怎么办，我在工地干了三个月。".repeat(500);
    assert_eq!(long.chars().count(), 10_000);
    assert!(!text_of(&resident.asks(&long).await).is_empty());
    for hostile in [
        "<b>老板</i> & <script>alert(1)</script> 拖欠工资 &lt;",
        "\u{202e}怎么办\u{0}\u{7}工资\u{fffd}",
        "😀👨‍👩‍👧‍👦🇨🇳".repeat(300).as_str(),
    ] {
        assert!(!text_of(&resident.asks(hostile).await).is_empty());
    }

    // Silence: an edit from before the bot said what it wants, and somebody joining a group.
    let (mut edited, _) = resident.posts(json!({"text": "改过的话"}));
    resident.nth_message(resident.heard()).await;
    edited["edit_date"] = edited["date"].clone();
    edited["text"] = json!(QUESTIONS[3]);
    let before = resident.heard();
    api.change(|world| world.push_any_update("edited_message", edited));
    api.change(|world| world.push_any_update("a_kind_of_the_future", json!({"x": 1})));
    let next = resident.asks(QUESTIONS[4]).await;
    assert!(
        text_of(&next).starts_with(QUESTIONS[4]),
        "an edit is no new question"
    );
    assert_eq!(resident.heard(), before + 1);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_taps_are_refused_politely() {
    let (office, api, bot) = open("made_up_taps").await;
    let resident = Resident::new(&api, 880_006, "周九");
    let answer = resident.asks(QUESTIONS[0]).await;
    let gone = "这一条资料已经更新，请重新问一次。";
    for data in [
        "x",
        "e:no.such-000000:",
        "v:zzzzzzzzzzzzzzzzzzzz:1",
        "v::1",
        "t:school:labor.pay:99999999999999999999",
        "t:nowhere:labor:0",
        "p:<b>",
        "f:2",
        "'; DROP TABLE question; --",
        "\u{0}",
    ] {
        let tapped = resident.sends_data(&answer, data).await;
        assert_eq!(tapped.toast.as_deref(), Some(gone), "{data}");
    }
    assert_eq!(
        resident.taps_vanished("p").await.toast.as_deref(),
        Some(gone)
    );
    let not_mine = resident.sends_data(&answer, "v:1:1").await;
    assert!(not_mine.toast.unwrap().contains("别人的提问"));
    assert_eq!(
        text_of(&resident.sees(&answer)),
        text_of(&answer),
        "nothing was changed"
    );
    close(&office, bot).await;
}

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
        api.until("the confirmation of both", |world| {
            (world.unconfirmed() == 0).then_some(())
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

//! What a resident does in the app, from /start to /forget, alone and in a group.

use serde_json::{Value, json};

use crate::common::conversation::buttons;
use crate::common::fixtures::{NOT_IN_LIBRARY, QUESTIONS, UNCLEAR};
use crate::common::{Group, Resident, media, text_of};
use crate::{close, open};

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
    let board = office.add_board(&["文化广场", "--place", "乡村"]);

    let welcome = resident.asks(&format!("/start b_{board}")).await;
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
        (board.as_str(), "answer", "是")
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
async fn start_begins_a_new_conversation_and_a_group_hears_of_none() {
    const GOES_ON: &str = "接着刚才的事说";
    let (office, api, bot) = open("turns").await;
    let resident = Resident::new(&api, 880_014, "吴七");
    resident.asks(QUESTIONS[0]).await;
    let on = resident.asks("那要多久").await;
    assert!(text_of(&on).starts_with(GOES_ON), "{}", text_of(&on));

    let group = Group::new(&api, -1_001_700_000_002);
    let there = group.member(880_014, "吴七");
    let openly = there.asks("@qijin_test_bot 那要多久").await;
    assert!(
        !text_of(&openly).contains(GOES_ON),
        "asked in private, kept private"
    );

    resident.asks("/start").await;
    let afresh = resident.asks("那要多久").await;
    assert!(!text_of(&afresh).contains(GOES_ON));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_question_is_met_with_choices() {
    let (office, api, bot) = open("choices").await;
    let resident = Resident::new(&api, 880_013, "卫六");
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
    assert!(
        buttons(&opened)
            .iter()
            .any(|(label, _)| label.contains('👍'))
    );
    let rows = office.journal();
    let picked = rows.iter().filter(|r| !r[12].is_empty()).count();
    assert_eq!(picked, 1, "the choice is journaled with its question");
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
    other.posts(json!({"sticker": media::sticker()}));
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

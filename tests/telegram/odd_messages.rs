//! Messages that are no questions, and taps on buttons that the bot never showed.

use serde_json::json;

use crate::common::fixtures::QUESTIONS;
use crate::common::{Resident, media, text_of};
use crate::{close, open};

#[tokio::test(flavor = "multi_thread")]
async fn odd_messages_get_a_short_reply_or_silence() {
    let (office, api, bot) = open("odd_messages").await;
    let resident = Resident::new(&api, 880_005, "孙八");
    let only_text = "我只看得懂文字";
    for content in [
        json!({"sticker": media::sticker()}),
        json!({"photo": media::photo()}),
        json!({"voice": media::voice()}),
        json!({"text": ""}),
    ] {
        let reply = resident.expects(|| drop(resident.posts(content))).await;
        assert!(text_of(&reply).contains(only_text), "{}", text_of(&reply));
    }
    let captioned = json!({"photo": media::photo(), "caption": QUESTIONS[9]});
    let reply = resident.expects(|| drop(resident.posts(captioned))).await;
    assert!(
        text_of(&reply).starts_with(QUESTIONS[9]),
        "the words under a picture are read"
    );
    let forwarded = json!({"text": QUESTIONS[2], "forward_origin": media::forwarded_from("老赵")});
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

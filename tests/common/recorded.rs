//! Updates as Telegram sends them: seeds for what is spoiled.

use serde_json::{Value, json};

use super::fixtures::QUESTIONS;
use super::media;

/// One of every kind of update that Telegram may bring.
pub fn every_kind() -> Vec<Value> {
    let user =
        json!({"id": 5_000_001, "is_bot": false, "first_name": "甲", "language_code": "zh-hans"});
    let chat = json!({"id": 5_000_001, "type": "private", "first_name": "甲"});
    let group = json!({"id": -100_500_001, "type": "supergroup", "title": "群"});
    let message = |chat: &Value, more: Value| {
        let mut message = json!({
            "message_id": 7, "date": 1_790_000_000, "from": user, "chat": chat,
        });
        for (key, value) in more.as_object().unwrap() {
            message[key] = value.clone();
        }
        message
    };
    let command = |text: &str| json!({"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": text.len()}]});
    let shown = {
        let mut shown = message(&chat, json!({"text": QUESTIONS[0]}));
        shown["from"] = json!({"id": 7_700_000_001_i64, "is_bot": true, "first_name": "普法"});
        shown["reply_markup"] =
            json!({"inline_keyboard": [[{"text": "👍", "callback_data": "v:1:1"}]]});
        shown
    };
    let tap = |data: &str| json!({"id": "4000000000000000001", "from": user, "message": shown, "chat_instance": "1", "data": data});
    let mention = "@qijin_test_bot 工资";
    let kinds = vec![
        ("message", message(&chat, json!({"text": QUESTIONS[0]}))),
        (
            "message",
            message(&chat, json!({"text": "他打我，还要杀我，怎么办"})),
        ),
        (
            "message",
            message(&chat, json!({"text": "《劳动法》第五十条"})),
        ),
        ("message", message(&chat, command("/start b_ab12"))),
        ("message", message(&chat, command("/topics"))),
        ("message", message(&chat, command("/forget"))),
        ("message", message(&chat, media::voice())),
        (
            "message",
            message(
                &chat,
                json!({"location": {"latitude": 30.5, "longitude": 104.0}}),
            ),
        ),
        (
            "message",
            message(
                &chat,
                json!({"caption": QUESTIONS[1], "photo": [
            {"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9}]}),
            ),
        ),
        (
            "message",
            message(
                &group,
                json!({"text": mention,
            "entities": [{"type": "mention", "offset": 0, "length": 15}]}),
            ),
        ),
        (
            "message",
            message(&group, json!({"new_chat_members": [user]})),
        ),
        (
            "message",
            message(&group, json!({"text": "工资", "reply_to_message": shown})),
        ),
        (
            "edited_message",
            message(&chat, json!({"text": "工资", "edit_date": 1_790_000_001})),
        ),
        ("channel_post", message(&group, json!({"text": "工资"}))),
        ("callback_query", tap("v:1:1")),
        ("callback_query", tap("p:enterprise")),
        ("callback_query", tap("e:labor.wage_arrears-000000:")),
        ("callback_query", tap("f:1")),
        (
            "my_chat_member",
            json!({"chat": chat, "from": user, "date": 1_790_000_000,
            "old_chat_member": {"user": user, "status": "member"},
            "new_chat_member": {"user": user, "status": "kicked", "until_date": 0}}),
        ),
        (
            "poll",
            json!({"id": "1", "question": "?", "options": [], "total_voter_count": 0,
            "is_closed": false, "is_anonymous": true, "type": "regular", "allows_multiple_answers": false}),
        ),
        ("a_kind_of_tomorrow", json!({"x": 1})),
    ];
    let update = |(kind, content): (&str, Value)| json!({"update_id": 1, kind: content});
    kinds.into_iter().map(update).collect()
}

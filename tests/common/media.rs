//! What people send that is no text.

use serde_json::{Value, json};

fn file(name: &str) -> Value {
    json!({"file_id": format!("AgACAgUAAx-{name}"), "file_unique_id": format!("AQAD-{name}")})
}

/// A sticker.
pub fn sticker() -> Value {
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

/// A picture, in its one size.
pub fn photo() -> Value {
    let mut size = file("photo");
    size["width"] = json!(1280);
    size["height"] = json!(960);
    json!([size])
}

/// A voice message.
pub fn voice() -> Value {
    let mut voice = file("voice");
    voice["duration"] = json!(7);
    voice["mime_type"] = json!("audio/ogg");
    voice
}

/// The origin of a message forwarded from somebody who hides who they are.
pub fn forwarded_from(name: &str) -> Value {
    json!({"type": "hidden_user", "sender_user_name": name, "date": 1_790_000_000})
}

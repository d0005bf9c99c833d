//! The methods, with the limits and the error texts of the real server.

use serde_json::{Value, json};

use super::traffic::Refusal;
use super::world::now;
use super::{World, html, keyboard};

/// All methods that this server has.
pub(super) const KNOWN: [&str; 10] = [
    "getMe",
    "setMyCommands",
    "deleteWebhook",
    "setWebhook",
    "getWebhookInfo",
    "getUpdates",
    "sendMessage",
    "editMessageText",
    "editMessageReplyMarkup",
    "answerCallbackQuery",
];

/// Counted in UTF-16 units after the mark-up is taken out.
const MAX_TEXT: usize = 4096;
const MAX_TOAST: usize = 200;

fn bad(text: impl std::fmt::Display) -> Refusal {
    Refusal::new(400, format!("Bad Request: {text}"))
}

/// Everything but `getUpdates`, which waits.
pub(super) fn carry_out(world: &mut World, method: &str, body: &Value) -> Result<Value, Refusal> {
    match method {
        "getMe" => {
            let mut me = world.bot.clone();
            for (name, value) in [
                ("can_join_groups", true),
                ("can_read_all_group_messages", true),
                ("supports_inline_queries", false),
                ("can_connect_to_business", false),
                ("has_main_web_app", false),
            ] {
                me[name] = json!(value);
            }
            Ok(me)
        }
        "setMyCommands" => set_my_commands(body),
        "deleteWebhook" => {
            world.webhook = None;
            Ok(json!(true))
        }
        "setWebhook" => world.set_webhook(body),
        "getWebhookInfo" => Ok(world.webhook_info()),
        "sendMessage" => send_message(world, body),
        "editMessageText" => edit_message_text(world, body),
        "editMessageReplyMarkup" => edit_message_reply_markup(world, body),
        "answerCallbackQuery" => answer_callback_query(world, body),
        other => Err(Refusal::new(
            404,
            format!("Not Found: method {other} not found"),
        )),
    }
}

fn set_my_commands(body: &Value) -> Result<Value, Refusal> {
    let commands = body.get("commands").and_then(Value::as_array);
    let commands = commands.ok_or_else(|| bad("can't parse commands list"))?;
    if commands.len() > 100 {
        return Err(bad("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in commands {
        // A leading slash is forgiven.
        let name = command["command"].as_str().unwrap_or("");
        let name = name.strip_prefix('/').unwrap_or(name);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=32).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(bad("BOT_COMMAND_INVALID"));
        }
        let description = command["description"].as_str().unwrap_or("");
        if !(1..=256).contains(&description.chars().count()) {
            return Err(bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    Ok(json!(true))
}

fn chat(world: &World, body: &Value) -> Result<i64, Refusal> {
    let id = body.get("chat_id").filter(|id| !id.is_null());
    let id = id.ok_or_else(|| bad("chat_id is empty"))?;
    let id = id.as_i64().or_else(|| id.as_str()?.parse().ok());
    let id = id.filter(|id| world.chats.contains_key(id));
    let id = id.ok_or_else(|| bad("chat not found"))?;
    if world.blocked.contains(&id) {
        let group = world.chats[&id]["type"] != "private";
        let why = if group {
            "bot was kicked from the group chat"
        } else {
            "bot was blocked by the user"
        };
        return Err(Refusal::new(403, format!("Forbidden: {why}")));
    }
    Ok(id)
}

/// The visible text and its entities.
fn text(body: &Value) -> Result<(String, Vec<Value>), Refusal> {
    let raw = body.get("text").and_then(Value::as_str).unwrap_or("");
    let (text, entities) = match body.get("parse_mode").and_then(Value::as_str) {
        None => (raw.to_owned(), Vec::new()),
        Some("HTML") => html::parse(raw).map_err(|e| bad(format!("can't parse entities: {e}")))?,
        Some(_) => return Err(bad("unsupported parse_mode")),
    };
    // Space at the end is cut; at the start it would shift entities, and no page has any.
    let text = text.trim_end().to_owned();
    if text.trim().is_empty() {
        return Err(bad("message text is empty"));
    }
    if text.encode_utf16().count() > MAX_TEXT {
        return Err(bad("message is too long"));
    }
    Ok((text, entities))
}

fn send_message(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let chat = chat(world, body)?;
    let (text, entities) = text(body)?;
    let mut message = json!({"from": world.bot, "text": text});
    if !entities.is_empty() {
        message["entities"] = json!(entities);
    }
    if let Some(keyboard) = keyboard::of(body)? {
        message["reply_markup"] = keyboard;
    }
    if let Some(options) = body.get("link_preview_options") {
        message["link_preview_options"] = options.clone();
    }
    if let Some(reply) = body.get("reply_parameters") {
        let id = reply["message_id"].as_i64().unwrap_or(0);
        match world.messages.get(&(chat, id)) {
            Some(original) => {
                let mut original = original.clone();
                // Replies are not nested.
                original
                    .as_object_mut()
                    .map(|m| m.remove("reply_to_message"));
                message["reply_to_message"] = original;
            }
            None if reply["allow_sending_without_reply"] == true => {}
            None => return Err(bad("message to be replied not found")),
        }
    }
    Ok(world.store(chat, message))
}

/// An own message that may be edited.
fn editable(world: &World, body: &Value) -> Result<(i64, i64), Refusal> {
    let chat = chat(world, body)?;
    let id = body.get("message_id").and_then(Value::as_i64).unwrap_or(0);
    let message = world.messages.get(&(chat, id));
    let message = message.ok_or_else(|| bad("message to edit not found"))?;
    if message["from"]["id"] != world.bot["id"] {
        return Err(bad("message can't be edited"));
    }
    Ok((chat, id))
}

fn keep(world: &mut World, key: (i64, i64), edited: Value) -> Result<Value, Refusal> {
    let old = &world.messages[&key];
    let same = ["text", "entities", "reply_markup"]
        .iter()
        .all(|f| old.get(*f) == edited.get(*f));
    if same {
        return Err(bad(
            "message is not modified: specified new message content and reply markup are exactly \
             the same as a current content and reply markup of the message",
        ));
    }
    let mut edited = edited;
    edited["edit_date"] = json!(now());
    world.messages.insert(key, edited.clone());
    Ok(edited)
}

fn put(message: &mut Value, field: &str, value: Option<Value>) {
    let Some(message) = message.as_object_mut() else {
        return;
    };
    match value {
        Some(value) => message.insert(field.to_owned(), value),
        None => message.remove(field),
    };
}

fn edit_message_text(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let key = editable(world, body)?;
    let (text, entities) = text(body)?;
    let mut edited = world.messages[&key].clone();
    edited["text"] = json!(text);
    put(
        &mut edited,
        "entities",
        (!entities.is_empty()).then(|| json!(entities)),
    );
    // Buttons that are not given again are gone.
    put(&mut edited, "reply_markup", keyboard::of(body)?);
    put(
        &mut edited,
        "link_preview_options",
        body.get("link_preview_options").cloned(),
    );
    keep(world, key, edited)
}

fn edit_message_reply_markup(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let key = editable(world, body)?;
    let mut edited = world.messages[&key].clone();
    put(&mut edited, "reply_markup", keyboard::of(body)?);
    keep(world, key, edited)
}

fn answer_callback_query(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let text = body.get("text").and_then(Value::as_str).unwrap_or("");
    if text.encode_utf16().count() > MAX_TOAST {
        return Err(bad("MESSAGE_TOO_LONG"));
    }
    let id = body
        .get("callback_query_id")
        .and_then(Value::as_str)
        .unwrap_or("");
    if !world.open_taps.remove(id) {
        return Err(bad(
            "query is too old and response timeout expired or query ID is invalid",
        ));
    }
    Ok(json!(true))
}

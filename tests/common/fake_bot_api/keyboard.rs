//! Inline keyboards: refused unless every button is one that a phone could show.

use serde_json::Value;

use super::traffic::Refusal;

/// Exactly one of these makes a button do something.
const ACTIONS: [&str; 9] = [
    "callback_data",
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
    "callback_game",
    "pay",
];

fn bad(text: &str) -> Refusal {
    Refusal::new(400, format!("Bad Request: {text}"))
}

/// The keyboard of a call, if it has one.
pub(super) fn of(body: &Value) -> Result<Option<Value>, Refusal> {
    let Some(markup) = body.get("reply_markup").filter(|m| !m.is_null()) else {
        return Ok(None);
    };
    let rows = markup.get("inline_keyboard").and_then(Value::as_array);
    let rows = rows.ok_or_else(|| bad("object expected as reply markup"))?;
    for row in rows {
        let row = row.as_array().ok_or_else(|| {
            bad("can't parse inline keyboard: inline keyboard row expected to be an array")
        })?;
        for button in row {
            check(button)?;
        }
    }
    // A keyboard without buttons is no keyboard.
    let empty = rows
        .iter()
        .all(|row| row.as_array().is_some_and(Vec::is_empty));
    Ok((!empty).then(|| markup.clone()))
}

fn check(button: &Value) -> Result<(), Refusal> {
    let text = button.get("text").and_then(Value::as_str).unwrap_or("");
    if text.trim().is_empty() {
        return Err(bad(
            "can't parse inline keyboard button: Field \"text\" must be non-empty",
        ));
    }
    let actions = ACTIONS.iter().filter(|a| button.get(**a).is_some()).count();
    if actions != 1 {
        return Err(bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ));
    }
    if let Some(data) = button.get("callback_data") {
        let length = data.as_str().map_or(0, str::len);
        if !(1..=64).contains(&length) {
            return Err(bad("BUTTON_DATA_INVALID"));
        }
    }
    Ok(())
}

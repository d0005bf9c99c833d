//! Spoiling what a program expects, by a seed: values replaced, parts left out, doubled or nested
//! deep, bytes flipped, cut off and repeated.
//!
//! What no JSON value can hold (a field twice, a number beyond all numbers, half a surrogate pair) is
//! put in with marks that are taken out of the written text.

use serde_json::{Value, json};

/// Around text that is to stand there as it is, without quotes.
const RAW: char = '\u{e000}';
/// Before a key that is there already.
const AGAIN: char = '\u{e001}';

fn raw(text: &str) -> Value {
    json!(format!("{RAW}{text}{RAW}"))
}

/// JSON text without its marks.
fn without_marks(text: &str) -> String {
    let (open, close) = (format!("\"{RAW}"), format!("{RAW}\""));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&open) {
        out.push_str(&rest[..at]);
        rest = &rest[at + open.len()..];
        let end = rest.find(&close).unwrap_or(rest.len());
        // What was quoted inside was escaped once too often.
        out.push_str(&rest[..end].replace("\\\"", "\"").replace("\\\\", "\\"));
        rest = rest.get(end + close.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out.replace(AGAIN, "")
}

/// Data of buttons as nobody made them.
fn odd_data(random: &mut fastrand::Rng, real: &str) -> String {
    let piece = |random: &mut fastrand::Rng| {
        let pieces = [
            "",
            ":",
            "zzzzzzzzzzzzz",
            "zzzzzzzzzzzzzzzz",
            "-1",
            "0",
            "+7",
            "18446744073709551616",
            "\u{202e}",
            "\0",
            "../..",
            "labor.wage_arrears-000000",
            "enterprise",
            "nowhere",
            "1079-1",
            "4294967296-255",
            "民法典",
            "👩‍👩‍👧",
            "\u{200b}",
            "%00",
            "'--",
        ];
        random.choice(pieces).unwrap_or_default().to_owned()
    };
    let mut parts: Vec<String> = real.split(':').map(str::to_owned).collect();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=parts.len());
        match random.u8(..5) {
            0 => parts.insert(at, piece(random)),
            1 if at < parts.len() => parts[at] = piece(random),
            2 if at < parts.len() => {
                parts.remove(at);
            }
            3 => parts.push(piece(random).repeat(random.usize(1..80))),
            _ => {
                let kinds = ["e", "r", "v", "h", "p", "t", "s", "c", "f", "x", "E", ""];
                parts.splice(
                    ..parts.len().min(1),
                    [random.choice(kinds).unwrap_or_default().to_owned()],
                );
            }
        }
    }
    parts.join(":")
}

/// Marks in a text that are not there, or reach beyond it.
fn odd_entities(random: &mut fastrand::Rng) -> Value {
    let kinds = [
        "bot_command",
        "mention",
        "text_mention",
        "url",
        "text_link",
        "pre",
        "custom_emoji",
        "code",
        "phone_number",
        "of_tomorrow",
    ];
    let one = |random: &mut fastrand::Rng| {
        let place = |random: &mut fastrand::Rng| match random.u8(..9) {
            0 => json!(0),
            1 => json!(1),
            2 => json!(random.u32(..40)),
            3 => json!(i64::from(i32::MAX)),
            4 => json!(u64::MAX),
            5 => json!(-1),
            6 => json!(i64::MAX),
            7 => raw("1e400"),
            _ => json!(4097),
        };
        json!({"type": random.choice(kinds), "offset": place(random), "length": place(random)})
    };
    (0..random.usize(1..6)).map(|_| one(random)).collect()
}

/// What only an update has: its kind, data of buttons, marks in texts.
fn spoil_update(random: &mut fastrand::Rng, update: &mut Value) {
    match random.u8(..6) {
        0 => {
            if let Some(Value::String(data)) = update.pointer_mut("/callback_query/data") {
                *data = odd_data(random, data);
            }
        }
        1 => {
            for message in ["/message", "/edited_message", "/callback_query/message"] {
                if let Some(message) = update.pointer_mut(message).filter(|m| m.is_object()) {
                    let name = random
                        .choice(["entities", "caption_entities"])
                        .unwrap_or("entities");
                    message[name] = odd_entities(random);
                }
            }
        }
        2 if random.u8(..8) == 0 => {
            let kinds = [
                "message",
                "callback_query",
                "edited_message",
                "channel_post",
                "business_message",
                "guest_message",
                "inline_query",
                "my_chat_member",
                "message_reaction",
                "poll_answer",
                "chat_join_request",
                "update_of_tomorrow",
                "",
                "\0",
            ];
            if let Value::Object(map) = update
                && let Some(old) = map.keys().find(|key| *key != "update_id").cloned()
                && let Some(content) = map.remove(&old)
            {
                map.insert(random.choice(kinds).unwrap_or_default().to_owned(), content);
            }
        }
        _ => {}
    }
}

/// Values that people and programs trip over.
fn odd(random: &mut fastrand::Rng) -> Value {
    match random.u8(..27) {
        18 => raw(random
            .choice([
                "1e400",
                "-1e400",
                "99999999999999999999999999",
                "-0",
                "01",
                "0x1F",
                "NaN",
            ])
            .unwrap_or("NaN")),
        19 => raw(random
            .choice([
                "\"\\ud800\"",
                "\"\\udc00长\"",
                "\"\\ud83d\\ud83d\"",
                "\"\\u0000\"",
                "\"\\x\"",
            ])
            .unwrap_or("\"\"")),
        20 => raw(&format!("{}{}", "[".repeat(200), "]".repeat(200))),
        21 => raw(&format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100))),
        22 => json!(
            "\u{200b}\u{200f}\u{2066}工\u{2069}资\u{fe0f}\u{e0101}\u{1f3fb}"
                .repeat(random.usize(1..200))
        ),
        23 => json!(-random.i64(1..i64::MAX)),
        24 => json!("a".repeat(random.usize(1..200_000))),
        25 => json!("第".repeat(random.usize(1..400)) + "条"),
        26 => json!("/start b_\u{202e}' OR 1=1; -- 《民法典》第一千零七十九条之一"),
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(0),
        3 => json!(i64::MAX),
        4 => json!(i64::MIN),
        5 => json!(u64::MAX),
        6 => json!(1e308),
        7 => json!(0.5),
        8 => json!(""),
        9 => json!("\u{0}\u{202e}\u{feff}\u{1f468}\u{200d}\u{1f469}"),
        10 => json!("长".repeat(random.usize(1..6000))),
        11 => json!("' OR 1=1; DROP TABLE question; --"),
        12 => json!("<b><a href=\"javascript:alert(1)\">&amp;</b>"),
        13 => json!("e:labor.wage_arrears-000000:zzzzzzzzzzzz"),
        14 => json!([]),
        15 => json!({}),
        16 => json!(true),
        _ => json!([[[[{"a": [{"b": null}]}]]]]),
    }
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = format!("{here}/{}", key.replace('~', "~0").replace('/', "~1"));
                all.push(path.clone());
                places(inner, &path, all);
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate() {
                let path = format!("{here}/{n}");
                all.push(path.clone());
                places(inner, &path, all);
            }
        }
        _ => {}
    }
}

/// One of `seeds`, with a few of its values spoiled and sometimes its bytes too.
pub fn mutated_json(random: &mut fastrand::Rng, seeds: &[Value]) -> Vec<u8> {
    let mut value = random.choice(seeds).cloned().unwrap_or_default();
    spoil_update(random, &mut value);
    // Most stay near enough to what is expected to be answered.
    let most = random.choice([2, 3, 5]).unwrap_or(5);
    for _ in 0..random.usize(0..most) {
        let mut all = Vec::new();
        places(&value, "", &mut all);
        let Some(path) = random.choice(&all).cloned() else {
            break;
        };
        match random.u8(..7) {
            0 => {
                let (parent, key) = path.rsplit_once('/').unwrap_or(("", ""));
                if let Some(Value::Object(map)) = value.pointer_mut(parent) {
                    map.remove(key);
                }
            }
            3 => {
                let (parent, key) = path.rsplit_once('/').unwrap_or(("", ""));
                let twice = if random.bool() {
                    odd(random)
                } else {
                    value.pointer(&path).cloned().unwrap_or_default()
                };
                if let Some(Value::Object(map)) = value.pointer_mut(parent) {
                    map.insert(format!("{AGAIN}{key}"), twice);
                }
            }
            1 => {
                let other = random.choice(&all).and_then(|p| value.pointer(p)).cloned();
                if let (Some(other), Some(here)) = (other, value.pointer_mut(&path)) {
                    *here = other;
                }
            }
            2 => {
                if let Some(Value::String(text)) = value.pointer_mut(&path) {
                    let at = random.usize(..=text.chars().count());
                    let cut: String = text.chars().skip(at).collect();
                    text.push_str(&cut);
                }
            }
            _ => {
                if let Some(here) = value.pointer_mut(&path) {
                    *here = odd(random);
                }
            }
        }
    }
    let mut bytes = without_marks(&value.to_string()).into_bytes();
    if random.u8(..8) == 0 {
        spoil(random, &mut bytes);
    }
    bytes
}

/// Flips, drops, repeats and cuts off bytes.
pub fn spoil(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..6) {
        if bytes.is_empty() {
            return;
        }
        let at = random.usize(..bytes.len());
        match random.u8(..7) {
            0 => bytes[at] = random.u8(..),
            1 => {
                bytes.remove(at);
            }
            2 => bytes.truncate(at),
            3 => bytes.insert(at, random.u8(..)),
            4 => {
                let piece: Vec<u8> = bytes[at..].iter().copied().take(40).collect();
                bytes.splice(at..at, piece);
            }
            5 => {
                let deep = random.choice([&b"["[..], b"{\"a\":", b"\"", b"\\u"]);
                let deep = deep.unwrap_or(b"[").repeat(random.usize(1..300));
                bytes.splice(at..at, deep);
            }
            _ => {
                let signs = [
                    &b"\r\n"[..],
                    b"\0",
                    b"%00",
                    b"%ff",
                    b"..",
                    b";",
                    b"\xff\xfe",
                ];
                let sign = random.choice(signs).unwrap_or(b"\0");
                bytes.splice(at..at, sign.iter().copied());
            }
        }
    }
}

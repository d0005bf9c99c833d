//! Spoiling what a program expects, by a seed: values replaced, parts left out, doubled or nested
//! deep, bytes flipped, cut off and repeated.

use serde_json::{Value, json};

/// Values that people and programs trip over.
fn odd(random: &mut fastrand::Rng) -> Value {
    match random.u8(..18) {
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
    for _ in 0..random.usize(0..5) {
        let mut all = Vec::new();
        places(&value, "", &mut all);
        let Some(path) = random.choice(&all).cloned() else {
            break;
        };
        match random.u8(..6) {
            0 => {
                let (parent, key) = path.rsplit_once('/').unwrap_or(("", ""));
                if let Some(Value::Object(map)) = value.pointer_mut(parent) {
                    map.remove(key);
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
    let mut bytes = value.to_string().into_bytes();
    if random.u8(..4) == 0 {
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

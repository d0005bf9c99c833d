//! `parse_mode: HTML` as the server reads it: known tags only, properly nested, nothing unescaped.
//!
//! Follows the server's own parser, down to its error texts and byte offsets.

use serde_json::{Value, json};

struct Open {
    tag: String,
    attribute: Option<(String, String)>,
    at: usize,
}

fn is_supported(tag: &str, attribute: Option<&(String, String)>) -> bool {
    match tag {
        "b" | "strong" | "i" | "em" | "u" | "ins" | "s" | "strike" | "del" | "a" | "pre"
        | "code" | "blockquote" | "tg-spoiler" | "tg-emoji" => true,
        "span" => attribute.is_some_and(|(name, value)| name == "class" && value == "tg-spoiler"),
        _ => false,
    }
}

fn kind(open: &Open) -> &'static str {
    match open.tag.as_str() {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "a" => "text_link",
        "pre" => "pre",
        "code" => "code",
        "tg-emoji" => "custom_emoji",
        "blockquote"
            if open
                .attribute
                .as_ref()
                .is_some_and(|(name, _)| name == "expandable") =>
        {
            "expandable_blockquote"
        }
        "blockquote" => "blockquote",
        _ => "spoiler",
    }
}

/// What `&…;` stands for and how long it is; other ampersands stand for themselves.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.find(';')?;
    let name = &text[1..end];
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

/// `name` or `name="value"` after a tag's name; one is all that any supported tag has.
fn attribute(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Some((
        name.to_lowercase(),
        value.trim_matches(['"', '\'']).to_owned(),
    ))
}

/// The visible text and its entities, or the server's complaint.
pub(super) fn parse(html: &str) -> Result<(String, Vec<Value>), String> {
    let mut text = String::new();
    let mut units = 0;
    let mut open: Vec<Open> = Vec::new();
    let mut entities: Vec<Value> = Vec::new();
    let mut at = 0;
    while let Some(c) = html[at..].chars().next() {
        let rest = &html[at..];
        if c != '<' {
            let (c, length) = if c == '&' {
                entity(rest).unwrap_or((c, 1))
            } else {
                (c, c.len_utf8())
            };
            text.push(c);
            units += c.len_utf16();
            at += length;
            continue;
        }
        let closing = rest.starts_with("</");
        let name_at = if closing { 2 } else { 1 };
        let name: String = rest[name_at..]
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != '>')
            .collect();
        let tag = name.to_lowercase();
        let end = rest.find('>');
        if closing {
            let Some(last) = open.pop() else {
                return Err(format!("Unexpected end tag at byte offset {at}"));
            };
            let end = end.ok_or_else(|| format!("Unclosed end tag at byte offset {at}"))?;
            if !tag.is_empty() && tag != last.tag {
                return Err(format!(
                    "Unmatched end tag at byte offset {at}, expected \"</{}>\", found \"</{tag}>\"",
                    last.tag
                ));
            }
            if units > last.at {
                let mut entity = json!({
                    "type": kind(&last), "offset": last.at, "length": units - last.at,
                });
                if last.tag == "a" {
                    let url = last
                        .attribute
                        .as_ref()
                        .map_or(&text[..0], |(_, value)| value);
                    entity["url"] = json!(url);
                }
                entities.push(entity);
            }
            at += end + 1;
        } else {
            let end_of_tag = end.unwrap_or(rest.len());
            let attribute = rest
                .get(name_at + name.len()..end_of_tag)
                .and_then(attribute);
            if !is_supported(&tag, attribute.as_ref()) {
                return Err(format!(
                    "Unsupported start tag \"{tag}\" at byte offset {at}"
                ));
            }
            let end = end.ok_or_else(|| format!("Unclosed start tag at byte offset {at}"))?;
            open.push(Open {
                tag,
                attribute,
                at: units,
            });
            at += end + 1;
        }
    }
    if let Some(last) = open.pop() {
        return Err(format!(
            "Can't find end tag corresponding to start tag \"{}\"",
            last.tag
        ));
    }
    entities.sort_by_key(|e| {
        (
            e["offset"].as_u64(),
            std::cmp::Reverse(e["length"].as_u64()),
        )
    });
    Ok((text, entities))
}

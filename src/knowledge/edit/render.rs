//! A form as the Markdown of an entry file, and the way back: which field a line came from.

use chrono::NaiveDate;

use super::super::front_matter::Header;
use super::super::import::row::escape;
use super::super::{Entry, EntryId};
use super::form::{EntryForm, Field, split_reason};

/// A form written as a whole entry file.
pub(super) struct Rendered {
    pub text: String,
    /// The field of each line, first line first.
    fields: Vec<Field>,
    /// What the checker must read back.
    expected: Vec<(Field, Vec<String>)>,
}

impl Rendered {
    fn line(&mut self, field: Field, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.fields.push(field);
    }

    /// The field of a line counted from 1.
    pub fn field(&self, line: usize) -> Option<Field> {
        self.fields.get(line.checked_sub(1)?).copied()
    }

    /// The fields that the checker read otherwise than they were typed.
    pub fn misread(&self, entry: &Entry) -> Vec<Field> {
        let read = |field: Field| -> Vec<String> {
            match field {
                Field::Question => vec![entry.question.clone()],
                Field::Answer => vec![entry.answer.clone()],
                Field::Steps => entry.steps.clone(),
                Field::Limits => entry.limits.clone(),
                Field::Contacts => entry.contacts.clone(),
                Field::Pitfalls => entry.pitfalls.clone(),
                Field::Phrasings => entry.phrasings.clone(),
                Field::Keywords => entry.keywords.clone(),
                Field::Source => entry.source.iter().cloned().collect(),
                _ => Vec::new(),
            }
        };
        let differs = |(field, words): &&(Field, Vec<String>)| read(*field) != *words;
        let fields = self.expected.iter().filter(differs);
        fields.map(|(field, _)| *field).collect()
    }
}

/// The lines of a field, without the marks people put before list items.
fn items(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| line.trim().trim_start_matches(['-', '•', '·', '●']).trim())
        .filter(|line| !line.is_empty())
        .collect()
}

/// `1. 先…` as people number steps. A figure right behind it makes it one (`1.5倍`, `3、5日内`).
fn without_number(step: &str) -> &str {
    let digits = step.bytes().take_while(u8::is_ascii_digit).count();
    let rest = step[digits..].trim_start();
    match rest.strip_prefix(['.', '、', '．', ')', '）']) {
        Some(rest)
            if (1..=2).contains(&digits) && !rest.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            rest.trim()
        }
        _ => step,
    }
}

fn one_line(text: &str) -> String {
    items(text).concat()
}

/// Text as the file says it, with its reason in a comment.
fn written((text, reason): (&str, Option<&str>)) -> String {
    match reason {
        None => escape(text),
        Some(reason) => {
            format!(
                "{}<!-- figure: {} -->",
                escape(text),
                reason.replace("--", "—")
            )
        }
    }
}

/// Writes the form as a file of its own.
pub(super) fn render(form: &EntryForm, reviewed: NaiveDate, replaces: &[EntryId]) -> Rendered {
    let mut out = Rendered {
        text: String::new(),
        fields: Vec::new(),
        expected: Vec::new(),
    };
    let header = Header {
        topic: form.topic.clone(),
        places: form.places.clone(),
        reviewed,
    };
    let of_header = [
        Field::Topic,
        Field::Topic,
        Field::Places,
        Field::Reviewed,
        Field::Reviewed,
    ];
    for (line, field) in header.to_string().lines().zip(of_header) {
        out.line(field, line);
    }
    out.line(Field::Question, "");
    let question = one_line(&form.question);
    let heading = match question.as_str() {
        // The rest is still to be checked.
        "" => "（没有写问题）".to_owned(),
        _ => escape(&question),
    };
    out.line(Field::Question, &format!("## {heading}"));
    if !question.is_empty() {
        out.expected.push((Field::Question, vec![question]));
    }
    if !replaces.is_empty() {
        let ids: Vec<&str> = replaces.iter().map(|id| id.0.as_str()).collect();
        out.line(Field::Question, &format!("替代：{}", ids.join(" ｜ ")));
    }
    let source = one_line(&form.source);
    if !source.is_empty() {
        out.line(Field::Source, &format!("来源：{}", escape(&source)));
        out.expected.push((Field::Source, vec![source]));
    }
    let ways: Vec<&str> = items(&form.phrasings)
        .into_iter()
        .flat_map(|line| line.split(['｜', '|']))
        .map(str::trim)
        .filter(|way| !way.is_empty())
        .collect();
    let escaped: Vec<String> = ways.iter().map(|way| escape(way)).collect();
    out.line(Field::Phrasings, &format!("问法：{}", escaped.join(" ｜ ")));
    out.expect(Field::Phrasings, &ways);
    let words: Vec<&str> = form
        .keywords
        .split(|c: char| c.is_whitespace() || "｜|、，,".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    if !words.is_empty() {
        let escaped: Vec<String> = words.iter().map(|word| escape(word)).collect();
        out.line(Field::Keywords, &format!("关键词：{}", escaped.join(" ")));
        out.expect(Field::Keywords, &words);
    }
    // One paragraph, whatever lines it was typed in; each may end with a reason.
    let (said, reasons): (Vec<&str>, Vec<Option<&str>>) =
        items(&form.answer).into_iter().map(split_reason).unzip();
    let (answer, reasons) = (said.concat(), reasons.into_iter().flatten());
    let reason = reasons.collect::<Vec<_>>().join("；");
    if !answer.is_empty() {
        let reason = (!reason.is_empty()).then_some(reason.as_str());
        out.line(Field::Answer, &written((&answer, reason)));
        out.expect(Field::Answer, &[&answer]);
    }
    sections(form, &mut out);
    out
}

fn sections(form: &EntryForm, out: &mut Rendered) {
    for (field, text) in [
        (Field::Steps, &form.steps),
        (Field::Basis, &form.basis),
        (Field::Limits, &form.limits),
        (Field::Contacts, &form.contacts),
        (Field::Pitfalls, &form.pitfalls),
    ] {
        let lines = items(text);
        if field == Field::Pitfalls && lines.is_empty() {
            continue;
        }
        out.line(field, &format!("### {}", field.name()));
        let mut said = Vec::new();
        for (n, line) in lines.into_iter().enumerate() {
            let line = match field {
                Field::Steps => without_number(line),
                _ => line,
            };
            let begins = match field {
                Field::Steps => format!("{}. ", n + 1),
                Field::Limits => String::new(),
                _ => "- ".to_owned(),
            };
            let parts = split_reason(line);
            out.line(field, &format!("{begins}{}", written(parts)));
            said.push(parts.0);
        }
        // A citation is taken apart by its own reader.
        if field != Field::Basis {
            out.expect(field, &said);
        }
    }
}

impl Rendered {
    fn expect(&mut self, field: Field, words: &[&str]) {
        let words = words.iter().map(|word| (*word).to_owned());
        self.expected.push((field, words.collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lose_the_numbers_that_people_write() {
        for (typed, step) in [
            ("1. 先报警", "先报警"),
            ("2、拍照", "拍照"),
            ("12345热线打一个", "12345热线打一个"),
            ("110 先打", "110 先打"),
            ("3）再说", "再说"),
        ] {
            assert_eq!(without_number(typed), step);
        }
    }
}

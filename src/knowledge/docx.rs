//! The words of a Word file (.docx), paragraph by paragraph.

use std::io::{Cursor, Read};

use quick_xml::events::Event;

/// More than any law or leaflet holds; a zip bomb is not our guest.
const MAX_XML_BYTES: u64 = 64 << 20;

/// A file that is no sound .docx.
#[derive(Debug, thiserror::Error)]
#[error("不是完好的 .docx 文件：{0}")]
pub struct DocxError(String);

impl DocxError {
    fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// The paragraphs of a .docx as lines; empty ones are left out.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<String>, DocxError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(DocxError::new)?;
    let mut xml = String::new();
    archive
        .by_name("word/document.xml")
        .map_err(DocxError::new)?
        .take(MAX_XML_BYTES)
        .read_to_string(&mut xml)
        .map_err(DocxError::new)?;
    paragraphs(&xml)
}

fn paragraphs(xml: &str) -> Result<Vec<String>, DocxError> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut lines = vec![String::new()];
    let mut in_text = false;
    // Text boxes stand in the file twice: for new programs, and as a fallback for old ones.
    let mut fallback = false;
    let push = |lines: &mut Vec<String>, text: &str| {
        if let Some(line) = lines.last_mut() {
            line.push_str(text);
        }
    };
    loop {
        match reader.read_event().map_err(DocxError::new)? {
            Event::Start(tag) if tag.local_name().as_ref() == "Fallback" => fallback = true,
            Event::End(tag) if tag.local_name().as_ref() == "Fallback" => fallback = false,
            Event::Eof => break,
            _ if fallback => {}
            Event::Start(tag) if tag.local_name().as_ref() == "t" => in_text = true,
            Event::End(tag) if tag.local_name().as_ref() == "t" => in_text = false,
            Event::End(tag) if tag.local_name().as_ref() == "p" => lines.push(String::new()),
            Event::Empty(tag) if matches!(tag.local_name().as_ref(), "br" | "cr") => {
                lines.push(String::new());
            }
            Event::Empty(tag) if tag.local_name().as_ref() == "tab" => {
                push(&mut lines, "\u{3000}");
            }
            Event::Text(text) if in_text => push(&mut lines, &text),
            Event::GeneralRef(reference) if in_text => {
                let c = reference.resolve_char_ref().map_err(DocxError::new)?.or(
                    match reference.as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                );
                if let Some(c) = c {
                    push(&mut lines, c.encode_utf8(&mut [0; 4]));
                }
            }
            _ => {}
        }
    }
    lines.retain(|l| !l.trim().is_empty());
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tables_and_text_boxes_once() {
        let xml = "<d><p><r><t>甲&amp;</t><br/><t>乙</t></r></p>\
            <tbl><tc><p><r><t>格</t></r></p></tc></tbl>\
            <AlternateContent><Choice><p><r><t>框</t></r></p></Choice>\
            <Fallback><p><r><t>框</t></r></p></Fallback></AlternateContent></d>";
        assert_eq!(paragraphs(xml).unwrap(), ["甲&", "乙", "格", "框"]);
        assert!(lines(b"PK").is_err());
    }
}

//! The words of a Word file (.docx), paragraph by paragraph.

use std::io::{Cursor, Read};

use quick_xml::events::Event;

/// More than any law or leaflet holds; a zip bomb is not our guest.
const MAX_XML_BYTES: u64 = 64 << 20;

/// Why a .docx cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DocxError {
    /// It is no sound .docx.
    #[error("不是完好的 .docx 文件：{0}")]
    Broken(String),
    /// It holds more than any law or leaflet.
    #[error("文件太大（文字解开后超过 {} MB），没有读", MAX_XML_BYTES >> 20)]
    TooBig,
}

impl DocxError {
    fn new(reason: impl std::fmt::Display) -> Self {
        Self::Broken(reason.to_string())
    }
}

/// The paragraphs of a .docx as lines; empty ones are left out.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<String>, DocxError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(DocxError::new)?;
    let mut xml = Vec::new();
    archive
        .by_name("word/document.xml")
        .map_err(DocxError::new)?
        // The size that a file states about itself is not believed.
        .take(MAX_XML_BYTES + 1)
        .read_to_end(&mut xml)
        .map_err(DocxError::new)?;
    if xml.len() as u64 > MAX_XML_BYTES {
        return Err(DocxError::TooBig);
    }
    paragraphs(&String::from_utf8(xml).map_err(DocxError::new)?)
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

    #[test]
    fn a_bomb_is_refused_and_entities_do_not_grow() {
        use std::io::Write;
        let zipped = |xml: &[u8]| {
            let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default();
            out.start_file("word/document.xml", options).unwrap();
            out.write_all(xml).unwrap();
            out.finish().unwrap().into_inner()
        };
        let bomb = zipped(&vec![b' '; MAX_XML_BYTES as usize + 1]);
        assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
        assert!(matches!(lines(&bomb), Err(DocxError::TooBig)));
        let laughs = zipped(
            "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
             <d><p><r><t>笑&b;</t></r></p></d>"
                .as_bytes(),
        );
        assert_eq!(lines(&laughs).unwrap(), ["笑"]);
    }
}

//! From bytes to text: many pages of offices are GBK, and not all of them say so.

use encoding_rs::{Encoding, GB18030, UTF_8};

/// A page must name its charset within its first bytes.
const SNIFFED_BYTES: usize = 4096;

/// Reads bytes by, in this order, their mark, the header, the page's own word, or their look.
pub(super) fn decode(bytes: &[u8], content_type: &str) -> String {
    let told = named(content_type).or_else(|| {
        let head = &bytes[..bytes.len().min(SNIFFED_BYTES)];
        named(&String::from_utf8_lossy(head))
    });
    let encoding = told.unwrap_or_else(|| {
        if std::str::from_utf8(bytes).is_ok() {
            UTF_8
        } else {
            GB18030
        }
    });
    // A byte order mark wins over all of it.
    encoding.decode(bytes).0.into_owned()
}

/// The encoding after the first `charset=` that names one.
fn named(text: &str) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("charset").find_map(|(at, word)| {
        let value = lower[at + word.len()..].trim_start().strip_prefix('=')?;
        let label: String = value
            .trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c))
            .collect();
        Encoding::for_label(label.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_told_and_what_is_not() {
        let gbk = encoding_rs::GBK.encode("<p>普法</p>").0;
        assert_eq!(decode(&gbk, "text/html; charset=GB2312"), "<p>普法</p>");
        assert_eq!(decode(&gbk, "text/html"), "<p>普法</p>");
        let meta = [b"<meta charset='gbk'>".as_slice(), &gbk].concat();
        assert!(decode(&meta, "text/html").ends_with("<p>普法</p>"));
        let old = [
            b"<meta content=\"text/html; charset=gb2312\">".as_slice(),
            &gbk,
        ]
        .concat();
        assert!(decode(&old, "").ends_with("<p>普法</p>"));
        assert_eq!(decode("普法".as_bytes(), "text/html; charset=x"), "普法");
        assert_eq!(
            decode("\u{feff}普法".as_bytes(), "text/html; charset=gbk"),
            "普法"
        );
    }
}

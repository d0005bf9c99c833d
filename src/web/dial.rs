//! Telephone numbers in a reply that a finger can press.

use quick_xml::escape::escape;

/// What follows a number that counts something.
const COUNTED: &str = "元块万千百个天年月日号条人户亩岁次倍分秒米里级章节款项%％";

/// A text as HTML, escaped, its emergency numbers and hotlines as links that dial.
///
/// Numbers of three digits like 110 and of five or six like 12348 and 96110, when they stand by
/// themselves and nothing is counted with them.
pub(super) fn dial(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let length = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        let (digits, behind) = from.split_at(length);
        out.push_str(&escape(before));
        let joined = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | '第');
        let alone = !before.ends_with(joined)
            && !behind.starts_with(|c: char| joined(c))
            && !behind.trim_start().starts_with(|c| COUNTED.contains(c));
        if alone && is_hotline(digits) {
            out.push_str(&format!("<a href=\"tel:{digits}\">{digits}</a>"));
        } else {
            out.push_str(digits);
        }
        rest = behind;
    }
    out.push_str(&escape(rest));
    out
}

fn is_hotline(digits: &str) -> bool {
    match digits.len() {
        3 => matches!(digits, "110" | "119" | "120" | "122"),
        5 | 6 => digits.starts_with("12") || digits.starts_with("961"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::dial;

    #[test]
    fn numbers_to_call_are_links_and_nothing_else_is() {
        assert_eq!(
            dial("现在就打110；短信到12110"),
            "现在就打<a href=\"tel:110\">110</a>；短信到<a href=\"tel:12110\">12110</a>"
        );
        for plain in [
            "赔 12000 元",
            "120 天内",
            "第110条",
            "0555-12345",
            "2026-12-01",
            "12345678",
            "110kV",
        ] {
            assert_eq!(dial(plain), plain);
        }
        assert_eq!(dial("<b>&110"), "&lt;b&gt;&amp;<a href=\"tel:110\">110</a>");
    }
}

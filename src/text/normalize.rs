//! One spelling for every way of typing the same thing.
//!
//! NFKC (which folds full and half width), traditional→simplified by OpenCC's tables,
//! ASCII lower case, invisible characters dropped, runs of white space made one space.

use std::sync::OnceLock;

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use unicode_normalization::UnicodeNormalization;

/// Loaded on first use: the tables are part of the program, and most questions need them.
fn to_simplified(text: &str) -> String {
    static CONVERTER: OnceLock<Option<OpenCC>> = OnceLock::new();
    // The tables are compiled in; should they ever fail to load, text passes unconverted
    // and the test below fails.
    match CONVERTER.get_or_init(|| OpenCC::from_config(BuiltinConfig::T2s).ok()) {
        Some(converter) => converter.convert(text),
        None => text.to_owned(),
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{00ad}')
        || (c.is_control() && !c.is_whitespace())
}

/// Normalises `text`. Idempotent.
pub fn normalize(text: &str) -> String {
    let folded: String = text
        .nfkc()
        .filter(|c| !is_invisible(*c))
        .flat_map(char::to_lowercase)
        .collect();
    let simplified = if folded.is_ascii() {
        folded
    } else {
        to_simplified(&folded)
    };
    let mut out = String::with_capacity(simplified.len());
    for part in simplified.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::normalize;
    use proptest::prelude::*;

    #[test]
    fn folds_width_script_case_and_space() {
        assert_eq!(normalize("老闆拖欠薪資"), "老板拖欠薪资");
        assert_eq!(normalize("３万　块ＡＢ\u{200b}c"), "3万 块abc");
        assert_eq!(normalize(" \n\t "), "");
    }

    proptest! {
        #[test]
        fn is_idempotent(text in "[\\PC\\n]{0,40}") {
            let once = normalize(&text);
            prop_assert_eq!(normalize(&once), once.clone());
        }
    }
}

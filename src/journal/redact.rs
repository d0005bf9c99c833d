//! Taking personal data out of a resident's words before they touch the disk.
//!
//! Safe side first: any run of seven or more digits goes unless it is an amount or a date.
//! What cannot be recognised by form (names, house numbers) stays: that is why the words are
//! deleted after the retention time.

use std::sync::LazyLock;

use regex::{Captures, Regex};

fn regex(pattern: &str) -> Regex {
    // The patterns are constants: every test in this file compiles all of them.
    Regex::new(pattern).expect("a constant pattern")
}

static URL: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)(?:https?://|www\.|\bt\.me/|\btelegram\.me/)[^\s\p{Han}，。；！？、“”（）《》]+")
});
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)[a-z0-9][a-z0-9._%+\-]*\s?@\s?[a-z0-9\-]+(?:\s?\.\s?[a-z0-9\-]+)+")
});
static HANDLE: LazyLock<Regex> = LazyLock::new(|| regex(r"@[A-Za-z0-9_]{3,}"));
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(微信|weixin|wx|vx|v信|薇信|威信|qq|扣扣)(号码|号|账号)?[\s:：是为叫]{0,4}([a-z][a-z0-9_\-]{4,19}|[0-9]{5,12})",
    )
});
static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使][a-z]\s?[·.\-•]?\s?([a-z0-9]\s?){4,5}[a-z0-9挂学警港澳]",
    )
});

/// Digits people type: ASCII (full width is folded before) and Chinese ones said one by one.
const CHINESE_DIGITS: [(char, char); 12] = [
    ('零', '0'),
    ('〇', '0'),
    ('一', '1'),
    ('幺', '1'),
    ('二', '2'),
    ('三', '3'),
    ('四', '4'),
    ('五', '5'),
    ('六', '6'),
    ('七', '7'),
    ('八', '8'),
    ('九', '9'),
];

/// Runs of digits, however they are spaced out.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"[0-9零〇一幺二三四五六七八九](?:[\s\-_.·,*()\u{ad}\u{200b}-\u{200f}\u{2010}-\u{2015}\u{2060}\u{feff}—]{0,3}[0-9零〇一幺二三四五六七八九])+[xX]?",
    )
});
static DATE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(?:19|20)\d\d[-.]?(?:0?[1-9]|1[0-2])[-.]?(?:0?[1-9]|[12]\d|3[01])$"));

/// Full-width letters, digits and signs as ASCII; the rest of the text is left as typed.
fn fold_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＠' | '．' | '＋' | '－' | '＿' | '／' =>
            {
                // Full-width forms stand 0xFEE0 above their ASCII ones.
                char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
            }
            _ => c,
        })
        .collect()
}

fn ascii_digits(run: &str) -> String {
    run.chars()
        .filter_map(|c| {
            if c.is_ascii_digit() || matches!(c, 'x' | 'X') {
                return Some(c.to_ascii_uppercase());
            }
            CHINESE_DIGITS
                .iter()
                .find(|(han, _)| *han == c)
                .map(|(_, d)| *d)
        })
        .collect()
}

/// The check character of an 18-character identity number (GB 11643).
fn is_identity_number(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    match bytes.len() {
        18 => {
            const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
            if !bytes[..17].iter().all(u8::is_ascii_digit) {
                return false;
            }
            let sum: u32 = bytes
                .iter()
                .zip(WEIGHTS)
                .map(|(b, w)| u32::from(b - b'0') * w)
                .sum();
            b"10X98765432"[(sum % 11) as usize] == bytes[17]
        }
        // The old form, without century and check character.
        15 => {
            let part = |range: std::ops::Range<usize>| digits[range].parse::<u32>().unwrap_or(0);
            (1..=12).contains(&part(8..10)) && (1..=31).contains(&part(10..12))
        }
        _ => false,
    }
}

/// The check digit of bank cards (Luhn, ISO/IEC 7812).
fn is_bank_card(digits: &str) -> bool {
    if !(13..=19).contains(&digits.len()) || digits.contains('X') {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let digit = u32::from(b - b'0');
            match (i % 2, digit) {
                (0, d) => d,
                (_, d) if d >= 5 => d * 2 - 9,
                (_, d) => d * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_mobile(digits: &str) -> bool {
    let number = digits
        .strip_prefix("0086")
        .or_else(|| digits.strip_prefix("86"))
        .filter(|n| n.len() == 11)
        .unwrap_or(digits);
    let bytes = number.as_bytes();
    bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1])
}

fn is_landline(digits: &str) -> bool {
    digits.starts_with('0') && (10..=12).contains(&digits.len())
}

/// What a run of digits is replaced by, if it is to be.
fn mark(run: &str, next: Option<char>) -> Option<&'static str> {
    let digits = ascii_digits(run);
    let count = digits.len();
    if count < 7 {
        return None;
    }
    if is_identity_number(&digits) {
        return Some("［身份证号］");
    }
    if is_mobile(&digits) {
        return Some("［手机号］");
    }
    if is_bank_card(&digits) {
        return Some("［银行卡号］");
    }
    let amount = matches!(next, Some('元' | '块' | '万' | '亿' | '斤' | '吨' | '亩'));
    let plain = run
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'));
    if (amount && plain && count <= 12) || DATE.is_match(run) {
        return None;
    }
    if is_landline(&digits) {
        return Some("［电话］");
    }
    Some("［号码］")
}

/// Replaces personal data by marks such as ［手机号］. Idempotent.
///
/// ```
/// use qijin::journal::redact;
/// assert_eq!(redact("打138-0013-8000找我，欠50000元"), "打［手机号］找我，欠50000元");
/// ```
pub fn redact(text: &str) -> String {
    let text = fold_width(&without_nul(text));
    let text = URL.replace_all(&text, "［链接］");
    let text = EMAIL.replace_all(&text, "［邮箱］");
    let text = HANDLE.replace_all(&text, "［账号］");
    let text = ACCOUNT.replace_all(&text, "$1$2［账号］");
    let text = PLATE.replace_all(&text, |found: &Captures<'_>| {
        // Words like “川a…” need a digit to be a plate.
        if found[0].chars().any(|c| c.is_ascii_digit()) {
            "［车牌号］".to_owned()
        } else {
            found[0].to_owned()
        }
    });
    let whole = text.as_ref();
    DIGITS
        .replace_all(whole, |found: &Captures<'_>| {
            let run = &found[0];
            // Group 0 always takes part in a match.
            let end = found.get(0).map_or(0, |m| m.end());
            match mark(run, whole[end..].chars().next()) {
                Some(mark) => mark.to_owned(),
                None => run.to_owned(),
            }
        })
        .into_owned()
}

/// PostgreSQL stores no NUL in a text, and nobody means one.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::{is_bank_card, is_identity_number, redact};
    use proptest::prelude::*;

    #[test]
    fn takes_out_what_is_personal() {
        for (text, clean) in [
            ("身份证11010519491231002X没了", "身份证［身份证号］没了"),
            ("打１３８００１３８０００", "打［手机号］"),
            ("+86 138 0013 8000 是他", "+［手机号］ 是他"),
            ("电话一三八零零一三八零零零", "电话［手机号］"),
            ("座机0838-1234567", "座机［电话］"),
            ("卡号6222 0212 3456 7890 123", "卡号［号码］"),
            ("卡号4111111111111111", "卡号［银行卡号］"),
            ("邮箱 zhang.san@qq.com。", "邮箱 ［邮箱］。"),
            ("加微信zhangsan_88", "加微信［账号］"),
            ("QQ号是12345678", "QQ号［账号］"),
            ("车牌川A·12345撞了我", "车牌［车牌号］撞了我"),
            ("粤BD12345新能源", "［车牌号］新能源"),
            ("找@zhangsan问", "找［账号］问"),
            ("看https://a.cn/x?token=9一下", "看［链接］一下"),
            ("单号1234567890123", "单号［号码］"),
        ] {
            assert_eq!(redact(text), clean, "{text}");
        }
    }

    #[test]
    fn leaves_what_matters_for_the_question() {
        for text in [
            "欠我50000块，从2025-03-01拖到现在",
            "民法典第1079条和110、12348",
            "工程款12000000元没给",
            "2026年11月23日摔的",
            "一二三组三十五户，一千零七十九条",
            "干了123天",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    fn identity() -> impl Strategy<Value = String> {
        (
            110_000u32..659_000,
            1950u32..2010,
            1u32..13,
            1u32..29,
            0u32..1000,
        )
            .prop_map(|(area, year, month, day, order)| {
                let head = format!("{area:06}{year:04}{month:02}{day:02}{order:03}");
                (0..=10)
                    .map(|c| format!("{head}{}", b"0123456789X"[c] as char))
                    .find(|id| is_identity_number(id))
                    .unwrap()
            })
    }

    fn card() -> impl Strategy<Value = String> {
        "62[0-9]{13,16}".prop_map(|head| {
            (0..10)
                .map(|c| format!("{head}{c}"))
                .find(|card| is_bank_card(card))
                .unwrap()
        })
    }

    /// The secret as somebody might type it: spaced out, full width, Chinese digits.
    fn typed(secret: &str, style: u8) -> String {
        let wide = |c: char| char::from_u32(c as u32 + 0xFEE0).unwrap();
        let han = |c: char| {
            "零一二三四五六七八九"
                .chars()
                .nth(c as usize - '0' as usize)
                .unwrap()
        };
        let mut out = String::new();
        for (i, c) in secret.chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                out.push_str(["", " ", "-", "—", " - ", "\u{200b}"][usize::from(style % 6)]);
            }
            out.push(match style / 6 % 3 {
                1 => wide(c),
                2 if c.is_ascii_digit() => han(c),
                _ => c,
            });
        }
        out
    }

    proptest! {
        #[test]
        fn no_long_run_of_a_secret_is_left(
            secret in prop_oneof![identity(), card(), "1[3-9][0-9]{9}"],
            before in "[我的号码是，：]{0,6}",
            after in "[请回电。，快点]{0,6}",
            style in 0u8..18,
        ) {
            let clean = redact(&format!("{before}{}{after}", typed(&secret, style)));
            let left = super::ascii_digits(&super::fold_width(&clean));
            for at in 0..=secret.len() - 7 {
                prop_assert!(!left.contains(&secret[at..at + 7]), "{clean}");
            }
        }

        #[test]
        fn is_idempotent(text in "[0-9a-z@.微信川A京欠元 \\-一二三号]{0,40}") {
            let once = redact(&text);
            prop_assert_eq!(redact(&once), once.clone());
        }

        #[test]
        fn plain_words_stay(text in "[\\u{4e00}-\\u{4e20}，。！]{0,30}") {
            prop_assume!(!text.chars().any(|c| "一七三二零〇四五六八九".contains(c)));
            prop_assert_eq!(redact(&text), text);
        }
    }
}

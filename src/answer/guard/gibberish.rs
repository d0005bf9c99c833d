//! Messages that nobody can read, told by their form alone.

/// Longer messages without Chinese words are another language or pasted text, not a slip.
const MAX_CHARS: usize = 400;
/// A character said at least this often in a row, and nothing else, is no question.
const REPEATED: usize = 4;

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2fa1f}')
}

/// What makes `text` unreadable, in words for the journal; `None` when it may be a question.
pub(super) fn recognise(text: &str) -> Option<&'static str> {
    let said: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let han = said.iter().filter(|c| is_han(**c)).count();
    if said.is_empty() || said.len() > MAX_CHARS {
        return None;
    }
    if han == 0 {
        return Some("没有汉字");
    }
    let mut different = said.clone();
    different.sort_unstable();
    different.dedup();
    // 哈哈哈哈, 啊啊啊啊, 12312312: few characters over and over.
    if said.len() >= REPEATED && different.len() * REPEATED <= said.len() {
        return Some("同样的字重复");
    }
    // asdkjh啊: keys struck at random with a character among them.
    if said.len() >= 8 && han * 8 <= said.len() {
        return Some("几乎没有汉字");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::recognise;

    #[test]
    fn reads_form_and_nothing_else() {
        for text in [
            "asdfgh",
            "qwe123",
            "1111",
            "啊啊啊啊啊",
            "sdfkjhsdf啊",
            "哦哦哦哦",
        ] {
            assert!(recognise(text).is_some(), "{text}");
        }
        for text in [
            "",
            "欠钱",
            "他打我",
            "我被骗了5000",
            "看看",
            "等等等",
            "QQ群里有人骂我",
            "app乱扣费",
        ] {
            assert!(recognise(text).is_none(), "{text}");
        }
    }
}

//! Two questions in one message: where one ends and the other begins. Pure.

use super::turn::TURNS_AWAY;

/// What a question holds.
const ASKS: [&str; 24] = [
    "吗",
    "怎么",
    "咋",
    "多少",
    "能不能",
    "可不可以",
    "是不是",
    "要不要",
    "有没有",
    "算不算",
    "该不该",
    "谁",
    "哪",
    "几",
    "什么",
    "啥",
    "多久",
    "如何",
    "犯法",
    "合法",
    "违法",
    "?",
    "行不行",
    "好不好",
];
/// Words that a question without a mark ends with.
const ENDS: [&str; 5] = ["不", "没", "呢", "么", "嘛"];
/// Fewer letters are no matter of their own.
const LEAST: usize = 6;

/// Whether a clause or sentence asks something.
pub(super) fn asks(sentence: &str) -> bool {
    let said = sentence.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?');
    ASKS.iter().any(|word| said.contains(word)) || ENDS.iter().any(|word| said.ends_with(word))
}

/// The two questions of a message; `None` when it is one, or more than two.
///
/// What is told before a question belongs to it; what is told behind the last one belongs there.
pub(super) fn matters(normalized: &str) -> Option<[String; 2]> {
    let mut marked = normalized.to_owned();
    for word in TURNS_AWAY {
        marked = marked.replace(word, "\n");
    }
    let mut parts: Vec<String> = Vec::new();
    let mut so_far = String::new();
    for sentence in marked.split_inclusive(['。', '?', '!', ';', '\n']) {
        so_far.push_str(sentence);
        let letters = so_far.chars().filter(|c| c.is_alphanumeric()).count();
        if asks(sentence) && letters >= LEAST {
            parts.push(std::mem::take(&mut so_far).trim().to_owned());
        }
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(&so_far);
    }
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::matters;

    #[test]
    fn two_questions_are_told_apart() {
        let two = matters("老板欠我三个月工资怎么办?另外我家的地被邻居占了咋整").unwrap();
        assert_eq!(two[0], "老板欠我三个月工资怎么办?");
        assert!(two[1].contains("地被邻居占了咋整"));
        assert_eq!(matters("老板欠我三个月工资。没签合同,怎么办?"), None);
        assert_eq!(
            matters("工资没发怎么办?找谁?"),
            None,
            "too short for a matter"
        );
    }
}

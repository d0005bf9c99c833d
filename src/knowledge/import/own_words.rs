//! Whether an entry was written or copied: law and decency ask for own words.

use std::collections::HashSet;

/// So many letters in a row are no coincidence: names of offices and laws are shorter.
const RUN: usize = 24;

/// Passages that are known word by word.
pub(super) struct Original(HashSet<Vec<char>>);

fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

impl Original {
    pub(super) fn new(text: &str) -> Self {
        Self(letters(text).windows(RUN).map(<[char]>::to_vec).collect())
    }

    /// The first words of a passage that `written` has in common with the original.
    pub(super) fn copied(&self, written: &str) -> Option<String> {
        letters(written)
            .windows(RUN)
            .find(|run| self.0.contains(*run))
            .map(|run| run.iter().take(12).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_does_not_hide_a_copy() {
        let original =
            Original::new("劳动者有权随时向劳动保障监察机构投诉用人单位拖欠工资的违法行为。");
        assert_eq!(
            original
                .copied("您看：劳动者有权，随时向劳动保障监察机构投诉用人单位，拖欠工资的……")
                .as_deref(),
            Some("劳动者有权随时向劳动保障")
        );
        assert_eq!(
            original.copied("老板欠钱，就去劳动保障监察机构投诉。"),
            None
        );
    }
}

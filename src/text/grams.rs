//! Character bigrams: the evidence that survives a wrong cut of the segmenter.

use super::Word;

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}' | '〇')
}

/// Overlapping pairs of Chinese characters; runs of other letters and digits stay whole.
///
/// A lone Chinese character between other things is kept as itself, so no character is lost.
/// Expects normalised text.
pub fn bigrams(text: &str) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut push = |start: usize, end: usize| {
        let position = out.len();
        out.push(Word {
            text: text[start..end].to_owned(),
            start,
            end,
            position,
        });
    };
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |i: usize| chars.get(i).map_or(text.len(), |(at, _)| *at);
    let mut i = 0;
    while i < chars.len() {
        let class = |c: char| (is_han(c), c.is_alphanumeric());
        let (han, word) = class(chars[i].1);
        if !word && !han {
            i += 1;
            continue;
        }
        let mut j = i + 1;
        while j < chars.len() && class(chars[j].1) == (han, word) {
            j += 1;
        }
        if han && j - i > 1 {
            for (k, (start, _)) in chars.iter().enumerate().take(j - 1).skip(i) {
                push(*start, end_of(k + 2));
            }
        } else {
            push(chars[i].0, end_of(j));
        }
        i = j;
    }
    out
}

/// Single letters and digits: the evidence of last resort. Expects normalised text.
pub fn unigrams(text: &str) -> Vec<Word> {
    text.char_indices()
        .filter(|(_, c)| c.is_alphanumeric())
        .enumerate()
        .map(|(position, (start, c))| Word {
            text: c.to_string(),
            start,
            end: start + c.len_utf8(),
            position,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bigrams;

    fn texts(s: &str) -> Vec<String> {
        bigrams(s).into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn pairs_han_and_keeps_runs() {
        assert_eq!(texts("欠我3000元，咋办"), ["欠我", "3000", "元", "咋办"]);
        assert_eq!(texts("！？"), Vec::<String>::new());
    }
}

//! Greetings, thanks and the like: recognised word for word, never guessed.

use crate::knowledge::{Library, SmallTalk};

/// Particles that change nothing at the end of a greeting.
const PARTICLES: &str = "啊呀哦噢喔呢吧啦了哈嘛么的";

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The small talk that `normalized` is, if it is nothing more than that.
pub(super) fn recognise<'a>(library: &'a Library, normalized: &str) -> Option<&'a SmallTalk> {
    let said = bare(normalized);
    if said.is_empty() {
        return None;
    }
    let trimmed = said.trim_end_matches(|c| PARTICLES.contains(c));
    library.smalltalk.iter().find(|talk| {
        talk.says.iter().any(|phrase| {
            let phrase = bare(phrase);
            phrase == said || (!trimmed.is_empty() && phrase == trimmed)
        })
    })
}

//! Which article to name beside a short answer, when it is not certain which entry is meant.
//!
//! Entries on one matter rest on the same articles. So every entry that was found speaks for the
//! articles it cites, as loudly as it is likely to be the right one, and most of all for the one it
//! names first: the article with most support holds whichever of them is meant.

use std::collections::HashMap;

use crate::knowledge::{Citation, Entry, Library};
use crate::search::{Hit, likelihoods};

/// Each further article of an entry has so much of the support of the one before it. Anything from
/// 0.5 to 0.85 did as well, on 600 messages by people who had not seen the library.
const NEXT: f64 = 0.7;

/// How much speaks for each article; the sum over first articles is 1. The default speaks for none.
#[derive(Default)]
pub(super) struct Support<'a>(HashMap<&'a Citation, f64>);

impl<'a> Support<'a> {
    /// The support that `hits` give.
    pub(super) fn of(library: &'a Library, hits: &[Hit]) -> Self {
        let mut support = HashMap::new();
        for (hit, likely) in hits.iter().zip(likelihoods(hits)) {
            let basis = library.entry(&hit.entry).map(|e| e.basis.as_slice());
            let mut voice = likely;
            for basis in basis.unwrap_or_default() {
                *support.entry(&basis.citation).or_default() += voice;
                voice *= NEXT;
            }
        }
        Self(support)
    }

    /// The article of `entry` with most support that is not in `told`; the earlier one of equals.
    fn best<'e>(&self, entry: &'e Entry, told: &[&Citation]) -> Option<&'e Citation> {
        let new = entry.basis.iter().map(|b| &b.citation);
        new.filter(|citation| !told.contains(citation))
            .rev()
            .max_by(|a, b| self.speaks(a).total_cmp(&self.speaks(b)))
    }

    fn speaks(&self, citation: &Citation) -> f64 {
        self.0.get(citation).copied().unwrap_or_default()
    }

    /// The articles to name beside each of `entries`. One each, of those not named before it; an
    /// article said twice says nothing new, but is better than none. The first entry, the likeliest,
    /// names a second one when that has more support than what the last entry adds.
    pub(super) fn name<'e>(&self, entries: &[&'e Entry]) -> Vec<Vec<&'e Citation>> {
        let mut told: Vec<&Citation> = Vec::new();
        let mut named = Vec::new();
        let mut last = 0.0;
        for entry in entries {
            let new = self.best(entry, &told);
            last = new.map_or(0.0, |citation| self.speaks(citation));
            told.extend(new);
            named.push(Vec::from_iter(new.or_else(|| self.best(entry, &[]))));
        }
        if let (Some(entry), Some(first)) = (entries.first(), named.first_mut()) {
            let second = self.best(entry, &told);
            first.extend(second.filter(|citation| self.speaks(citation) > last));
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::knowledge::{LoadOptions, load};

    /// Three entries that share no article.
    fn three(library: &Library) -> Vec<&Entry> {
        let mut apart: Vec<&Entry> = Vec::new();
        for entry in &library.entries {
            let shares = |other: &&Entry| {
                let cited = |c: &Citation| entry.citations().contains(c);
                other.citations().iter().any(cited)
            };
            if apart.len() < 3 && entry.basis.len() > 2 && !apart.iter().any(shares) {
                apart.push(entry);
            }
        }
        apart
    }

    #[test]
    fn the_likeliest_names_a_second_article_when_it_says_more_than_the_last_entry() {
        let options = LoadOptions {
            preset: None,
            today: chrono::NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
            own: "local".into(),
        };
        let library = load(Path::new("knowledge"), &options).unwrap().library;
        let entries = three(&library);
        let [a, b, c] = [0, 1, 2].map(|n| entries[n].citations());
        let mut support = Support(HashMap::from([
            (&a[1], 0.5),
            (&a[0], 0.1),
            (&b[0], 0.3),
            (&c[2], 0.2),
        ]));
        let one_each = [vec![&a[1]], vec![&b[0]], vec![&c[2]]];
        assert_eq!(support.name(&entries), one_each);
        support.0.insert(&a[2], 0.25);
        let two = [vec![&a[1], &a[2]], vec![&b[0]], vec![&c[2]]];
        assert_eq!(support.name(&entries), two);
        // The same entry twice: it has something new to say each time.
        let again = support.name(&[entries[0], entries[0]]);
        assert_eq!(again, [vec![&a[1]], vec![&a[2]]]);
        // Nothing known: the first of each.
        let plain = Support::default().name(&entries);
        assert_eq!(plain, [vec![&a[0]], vec![&b[0]], vec![&c[0]]]);
    }
}

//! Offices side by side, and summed: what a county sees of its townships. No words, nobody's records.

use super::{FEWEST_ASKERS, Facet, Outcome, Publication, Share, Tally, cell_id, helpful};

/// What is known of an office in a period.
#[derive(Debug, Clone)]
pub struct OfficeTally {
    /// Its name.
    pub name: String,
    /// Its questions; askers of several offices are merged, a person who asked in two counts once.
    pub all: Tally,
    /// Publicity activities that began in the period.
    pub activities: u64,
}

/// A row of the table; `None` is held back.
#[derive(Debug, Clone, PartialEq)]
pub struct CountyRow {
    /// The office, or that all are meant.
    pub name: String,
    /// Questions.
    pub questions: Option<u64>,
    /// Distinct askers; `false` when estimated.
    pub askers: Option<(u64, bool)>,
    /// Share of questions with an answer, at once or after a choice.
    pub answered: Option<f64>,
    /// Helpful share of those with feedback.
    pub helpful: Option<f64>,
    /// Publicity activities: public, never held back.
    pub activities: u64,
}

/// The table of a county.
#[derive(Debug, Clone, PartialEq)]
pub struct County {
    /// All offices together.
    pub total: CountyRow,
    /// Office by office, in the order given.
    pub offices: Vec<CountyRow>,
}

/// Questions that were answered, out of all.
fn answered(all: &Tally) -> Share {
    let of = all.of(Outcome::Answered) + all.of(Outcome::Resolved);
    Share::new(of, all.questions)
}

impl County {
    /// Sums and sets side by side.
    ///
    /// - Questions and askers of an office are held back when one to four people asked, and so many more that
    ///   no sum of what is shown is about fewer than five.
    /// - A share is told when neither side of it is about a few questions, and that of all offices only when what
    ///   can be computed back of the ones held back is no less than that.
    pub fn of(offices: &[OfficeTally]) -> Self {
        let mut all = Tally::default();
        let mut published = Publication::default();
        for (at, office) in offices.iter().enumerate() {
            all.merge(&office.all);
            published.tally(cell(at), &office.all, false);
        }
        published.tally("", &all, false);
        published.anchor("");
        published.sum("", (0..offices.len()).map(cell));
        let hidden = published.protect();
        let (mut rest_answered, mut rest_helpful) = (Share::new(0, 0), Share::new(0, 0));
        let mut rows = Vec::with_capacity(offices.len());
        for (at, office) in offices.iter().enumerate() {
            let shown = hidden.shows(&cell(at));
            rows.push(CountyRow {
                name: office.name.clone(),
                questions: shown.then_some(office.all.questions),
                askers: shown.then(|| askers(&office.all)),
                answered: told(answered(&office.all), shown, &mut rest_answered),
                helpful: told(helpful(&office.all), shown, &mut rest_helpful),
                activities: office.activities,
            });
        }
        let known = all.questions == 0 || all.asker_count().count >= FEWEST_ASKERS;
        let summed = |share: Share, rest: Share| {
            let safe = rest.out_of == 0 || rest.may_be_told();
            share.share.filter(|_| known && safe && share.may_be_told())
        };
        Self {
            total: CountyRow {
                name: "合计".to_owned(),
                questions: known.then_some(all.questions),
                askers: known.then(|| askers(&all)),
                answered: summed(answered(&all), rest_answered),
                helpful: summed(helpful(&all), rest_helpful),
                activities: offices.iter().map(|office| office.activities).sum(),
            },
            offices: rows,
        }
    }
}

/// The cell of an office: its place in the list, so that two of one name are two.
fn cell(at: usize) -> String {
    cell_id(Facet::Region, &at.to_string())
}

fn askers(all: &Tally) -> (u64, bool) {
    let count = all.asker_count();
    (count.count, count.exact)
}

/// A share if it may be told; otherwise it is added to what is held back.
fn told(share: Share, shown: bool, rest: &mut Share) -> Option<f64> {
    if shown && (share.out_of == 0 || share.may_be_told()) {
        return share.share;
    }
    *rest = Share::new(rest.of + share.of, rest.out_of + share.out_of);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(name: &str, questions: u64, askers: std::ops::Range<u64>) -> OfficeTally {
        let mut all = Tally::asked(questions, askers);
        all.outcomes[0] = questions / 2;
        OfficeTally {
            name: name.into(),
            all,
            activities: 2,
        }
    }

    #[test]
    fn people_who_asked_in_two_offices_count_once() {
        let county = County::of(&[office("甲", 100, 0..60), office("乙", 80, 40..90)]);
        assert_eq!(county.total.questions, Some(180));
        assert_eq!(county.total.askers, Some((90, true)));
        assert_eq!(county.offices[0].askers, Some((60, true)));
        assert_eq!(county.offices[1].answered, Some(0.5));
        assert_eq!(
            (county.total.answered, county.total.activities),
            (Some(0.5), 4)
        );
    }

    #[test]
    fn a_few_people_are_held_back_and_cannot_be_computed() {
        let few = [
            office("甲", 100, 0..60),
            office("乙", 3, 60..62),
            office("丙", 40, 70..90),
            office("丁", 0, 0..0),
        ];
        let county = County::of(&few);
        let shown: Vec<_> = county.offices.iter().map(|o| o.questions).collect();
        // One more goes with it: the total less the others would tell.
        assert_eq!(shown, [Some(100), None, None, Some(0)]);
        assert_eq!(county.total.questions, Some(143));
        assert_eq!(county.offices[0].answered, Some(0.5));
        assert_eq!(
            county.offices[2].answered, None,
            "hidden with its questions"
        );
        // 1 + 20 of 43: neither side of what is held back is about a few.
        assert!(county.total.answered.is_some());
        let county = County::of(&[office("甲", 100, 0..60), office("乙", 8, 60..67)]);
        assert_eq!(county.offices[1].questions, Some(8));
        assert_eq!(
            county.offices[1].answered, None,
            "a share of eight questions"
        );
        assert_eq!(county.total.answered, None, "or it could be computed back");
        let county = County::of(&[office("甲", 4, 0..3), office("乙", 2, 3..4)]);
        assert_eq!((county.total.questions, county.total.askers), (None, None));
        let none = County::of(&[]);
        assert_eq!(none.total.questions, Some(0));
    }
}

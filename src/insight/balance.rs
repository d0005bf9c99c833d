//! Who asks, and to whom publicity was carried: across places, and across regions.

use std::collections::BTreeMap;

use super::stats::evenness;
use super::{AskerCount, FEWEST_ASKERS, Tally, Totals};

/// One place or region.
#[derive(Debug, Clone, PartialEq)]
pub struct BalanceRow {
    /// Place or region id.
    pub key: String,
    /// Questions asked.
    pub questions: u64,
    /// Distinct askers.
    pub askers: AskerCount,
    /// Share of the questions of all rows, 0 to 1.
    pub demand_share: f64,
    /// Activities held.
    pub activities: u64,
    /// Share of the activities of all rows, 0 to 1.
    pub publicity_share: f64,
}

impl BalanceRow {
    /// Demand share − publicity share: above 0 there is more asking than publicity.
    pub fn shortfall(&self) -> f64 {
        self.demand_share - self.publicity_share
    }
}

/// Balance across places or regions.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// In the order given.
    pub rows: Vec<BalanceRow>,
    /// Questions whose place or region is unknown: in no row.
    pub unknown: u64,
    /// How evenly questions are spread, 0 to 1.
    pub demand_evenness: Option<f64>,
    /// How evenly activities are spread, 0 to 1.
    pub publicity_evenness: Option<f64>,
    /// Where asking exceeds publicity most; `None` without activities, or when nowhere by more than
    /// [`LEAST_SHORTFALL`].
    pub most_under_served: Option<String>,
}

/// A smaller difference of shares is not called under-served.
pub const LEAST_SHORTFALL: f64 = 0.05;

/// Balance across the places or regions in `keys`.
///
/// - Formula: evenness = −Σ pᵢ ln pᵢ ÷ ln n over the n keys, 1 when all are equal. Demand share =
///   questions of the key ÷ questions of all keys; publicity share = activities of the key ÷
///   activities of all keys (an activity for two counts for both). Most under-served: the largest
///   demand share − publicity share, of at least 5 points and at least 5 askers.
/// - Unit: shares. Source: journal; activities of the ledger in the same period.
/// - Not to be read as: need. Who has no telephone does not ask; a quiet place may be the one that
///   needs publicity most. Evenness of 1 is no target: places differ in size.
pub fn balance(keys: &[String], demand: &Totals, activities: &BTreeMap<String, u64>) -> Balance {
    let tallies: Vec<Option<&Tally>> = keys.iter().map(|key| demand.get(key)).collect();
    let questions: Vec<u64> = tallies
        .iter()
        .map(|t| t.map_or(0, |t| t.questions))
        .collect();
    let held: Vec<u64> = keys
        .iter()
        .map(|key| activities.get(key).copied().unwrap_or(0))
        .collect();
    let (asked, all_held) = (questions.iter().sum::<u64>(), held.iter().sum::<u64>());
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let rows: Vec<BalanceRow> = keys
        .iter()
        .zip(&tallies)
        .zip(questions.iter().zip(&held))
        .map(|((key, tally), (questions, held))| BalanceRow {
            key: key.clone(),
            questions: *questions,
            askers: tally.map_or(
                AskerCount {
                    count: 0,
                    exact: true,
                },
                Tally::asker_count,
            ),
            demand_share: share(*questions, asked),
            activities: *held,
            publicity_share: share(*held, all_held),
        })
        .collect();
    let most = rows
        .iter()
        .filter(|row| all_held > 0 && row.askers.count >= FEWEST_ASKERS)
        .filter(|row| row.shortfall() >= LEAST_SHORTFALL)
        // The first of equals.
        .fold(None::<&BalanceRow>, |best, row| match best {
            Some(best) if best.shortfall() >= row.shortfall() => Some(best),
            _ => Some(row),
        });
    Balance {
        most_under_served: most.map(|row| row.key.clone()),
        unknown: demand.values().map(|t| t.questions).sum::<u64>() - asked,
        demand_evenness: evenness(&questions),
        publicity_evenness: evenness(&held),
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_where_asking_exceeds_publicity_most() {
        let keys = ["village", "enterprise", "organ", "unit"].map(str::to_owned);
        let demand = Totals::from([
            ("village".to_owned(), Tally::asked(50, 0..30)),
            ("enterprise".to_owned(), Tally::asked(30, 0..20)),
            ("organ".to_owned(), Tally::asked(20, 0..4)),
            (String::new(), Tally::asked(7, 0..7)),
        ]);
        let held = BTreeMap::from([("village".to_owned(), 5), ("unit".to_owned(), 5)]);
        let found = balance(&keys, &demand, &held);
        assert_eq!(found.most_under_served.as_deref(), Some("enterprise"));
        assert_eq!(found.unknown, 7);
        assert!((found.rows[1].demand_share - 0.3).abs() < 1e-12);
        assert!((found.rows[1].shortfall() - 0.3).abs() < 1e-12);
        // scipy.stats.entropy([50, 30, 20, 0])/np.log(4) = 0.7427376486136672
        assert!((found.demand_evenness.unwrap() - 0.742_737_648_613_667_2).abs() < 1e-9);
        assert_eq!(found.publicity_evenness, Some(0.5));
        let nothing = balance(&keys, &demand, &BTreeMap::new());
        assert_eq!(
            nothing.most_under_served, None,
            "no activities, no comparison"
        );
    }
}

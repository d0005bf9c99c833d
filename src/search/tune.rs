//! Measuring and fitting on our own phrasings: each is withheld and asked.

use std::collections::HashSet;

use tantivy::TantivyError;
use tantivy::directory::RamDirectory;

use super::build;
use super::confidence::{EVIDENCE, Evidence, Features, Model, WEIGHTS};
use super::logistic::{self, rounded};
use super::searcher::{Hit, Searcher};
use super::topic;
use crate::knowledge::{Citation, Entry, EntryId, Library};
use crate::text::Analyser;

/// How well withheld phrasings find their entry.
#[derive(Debug, Clone, Default)]
pub struct PhrasingReport {
    /// Phrasings asked.
    pub asked: usize,
    /// Their entry came first.
    pub first: usize,
    /// Their entry was among the first three.
    pub in_three: usize,
    /// What came first rests on the same law: their entry, or one sharing a leading citation.
    pub same_law: usize,
    /// Phrasings whose entry was not first: (phrasing, its entry's question, what came first).
    pub missed: Vec<(String, String, String)>,
    /// For the confidence: features of the first hit and whether it was right.
    samples: Vec<Judged>,
    /// For the topic: features, whether it was right, and whether the entry itself was there.
    topics: Vec<([f64; topic::WEIGHTS], bool, bool)>,
    /// For the ranking: the own entry's evidence and its strongest rivals'.
    contests: Vec<Contest>,
}

/// An entry that should win, its strongest rivals, and how much the contest counts.
#[derive(Debug, Clone)]
struct Contest {
    own: Evidence,
    rivals: Vec<Evidence>,
    weight: f64,
}

/// How many hits a phrasing is compared with when the ranking is fitted.
const RIVALS: usize = 12;
/// How many of an entry's citations count as what it rests on.
const LEADING: usize = 3;

/// Whether two entries rest on the same law.
fn same_law(library: &Library, a: &EntryId, b: &EntryId) -> bool {
    let leading = |id: &EntryId| -> HashSet<&Citation> {
        let entry = library.entry(id);
        let basis = entry.iter().flat_map(|e| e.basis.iter().take(LEADING));
        basis.map(|b| &b.citation).collect()
    };
    a == b || !leading(a).is_disjoint(&leading(b))
}

/// Asks every phrasing (not the headings) with itself withheld from the index.
///
/// The n-th phrasing of all entries is withheld together: as many indexes are built in memory
/// as the longest entry has phrasings, instead of one for each.
///
/// # Errors
/// When tantivy fails.
pub fn bench_phrasings(
    library: &Library,
    analyser: &Analyser,
    model: &Model,
    mut tick: impl FnMut(usize, usize),
) -> Result<PhrasingReport, TantivyError> {
    let mut report = PhrasingReport::default();
    let most = library.entries.iter().map(|e| e.phrasings.len()).max();
    let folds = most.unwrap_or(0);
    for fold in 0..folds {
        tick(fold, folds);
        let index = build::write(
            library,
            analyser,
            RamDirectory::create(),
            |_, n| n == fold + 1,
            || (),
        )?;
        let searcher = Searcher::new(
            index,
            analyser.clone(),
            library.lexicon.clone(),
            model.clone(),
        )?;
        for entry in &library.entries {
            let Some(phrasing) = entry.phrasings.get(fold) else {
                continue;
            };
            let hits = searcher.search(phrasing, RIVALS)?.hits;
            report.asked += 1;
            let rank = hits.iter().position(|h| h.entry == entry.id);
            report.first += usize::from(rank == Some(0));
            report.in_three += usize::from(rank.is_some_and(|r| r < 3));
            let Some(first) = hits.first() else {
                continue;
            };
            let right = same_law(library, &first.entry, &entry.id);
            report.same_law += usize::from(right);
            report.samples.push((first.features, right));
            report.note_topic(entry, &hits, true);
            if rank != Some(0) {
                let question = |id| library.entry(id).map_or("", |e| e.question.as_str());
                report.missed.push((
                    phrasing.clone(),
                    entry.question.clone(),
                    question(&first.entry).to_owned(),
                ));
            }
            if let Some(rank) = rank {
                report.learn_from(&hits, rank);
                let rest: Vec<Hit> = hits.into_iter().filter(|h| h.entry != entry.id).collect();
                report.note_topic(entry, &rest, false);
            }
        }
    }
    Ok(report)
}

impl PhrasingReport {
    fn note_topic(&mut self, entry: &Entry, hits: &[Hit], there: bool) {
        if let (Some(first), Some(x)) = (hits.first(), topic::features(hits)) {
            let right = topic::topic_of(&first.entry) == entry.topic;
            self.topics.push((x, right, there));
        }
    }

    /// How topics fall at a threshold: (rightly placed, wrongly placed, 其他, of which the nearest topic
    /// was right after all), for phrasings whose entry was in the index or was not.
    pub fn topic_placement(&self, model: &Model, threshold: f64, there: bool) -> [usize; 4] {
        let mut out = [0; 4];
        for (x, right, _) in self.topics.iter().filter(|t| t.2 == there) {
            match (model.topic_confidence(x) >= threshold, right) {
                (true, true) => out[0] += 1,
                (true, false) => out[1] += 1,
                (false, right) => {
                    out[2] += 1;
                    out[3] += usize::from(*right);
                }
            }
        }
        out
    }

    /// Keeps what a found phrasing teaches.
    fn learn_from(&mut self, hits: &[Hit], rank: usize) {
        let own = &hits[rank];
        let rivals: Vec<&Hit> = hits.iter().filter(|h| h.entry != own.entry).collect();
        let evidence = rivals.iter().map(|h| h.evidence).collect();
        self.contests.push(Contest {
            own: own.evidence,
            rivals: evidence,
            weight: 1.0,
        });
    }
}

/// Fits the ranking: every own entry should outscore its rivals (softmax over each contest).
///
/// Gradient descent on a convex loss, weights kept from going negative: no evidence speaks
/// against an entry.
pub fn fit_ranking(model: &Model, report: &PhrasingReport) -> Model {
    let mut weights = model.ranking;
    let n: f64 = report
        .contests
        .iter()
        .map(|c| c.weight)
        .sum::<f64>()
        .max(1.0);
    for step in 0..600 {
        let mut gradient = [0.0; EVIDENCE];
        for Contest {
            own,
            rivals,
            weight,
        } in &report.contests
        {
            let score = |e: &Evidence| -> f64 { weights.iter().zip(e.0).map(|(w, v)| w * v).sum() };
            let base = score(own);
            let odds: Vec<f64> = rivals.iter().map(|r| (score(r) - base).exp()).collect();
            let sum = 1.0 + odds.iter().sum::<f64>();
            for (rival, odds) in rivals.iter().zip(odds) {
                for (g, (r, o)) in gradient.iter_mut().zip(rival.0.iter().zip(own.0)) {
                    *g += weight * odds / sum * (r - o) / n;
                }
            }
        }
        let rate = 4.0 / (1.0 + f64::from(step) / 100.0);
        for (w, g) in weights.iter_mut().zip(gradient) {
            *w = (*w - rate * (g + 1e-4 * *w)).max(0.0);
        }
    }
    Model {
        ranking: weights.map(rounded),
        ..model.clone()
    }
}

/// A first hit and whether it was right.
pub type Judged = (Features, bool);

/// Fits the confidence on withheld phrasings and on what residents type; the ranking weights stay.
///
/// Withheld phrasings are half sentences and find their entry more rarely than whole messages do,
/// so both are needed, and the messages are repeated until they count half as much together.
pub fn fit_confidence(model: &Model, report: &PhrasingReport, messages: &[Judged]) -> Model {
    let times = report.samples.len() / (2 * messages.len().max(1));
    let repeated = messages.iter().cycle().take(times * messages.len());
    let samples: Vec<logistic::Sample<WEIGHTS>> = report
        .samples
        .iter()
        .chain(repeated)
        .map(|(features, right)| (features.vector(), *right))
        .collect();
    Model {
        confidence: logistic::fit_rising(&samples),
        ..model.clone()
    }
}

/// Fits the topic's confidence on a report; the rest stays.
pub fn fit_topic(model: &Model, report: &PhrasingReport) -> Model {
    let samples: Vec<logistic::Sample<{ topic::WEIGHTS }>> = report
        .topics
        .iter()
        .map(|(x, right, _)| (*x, *right))
        .collect();
    Model {
        topic: logistic::fit(&samples),
        ..model.clone()
    }
}

/// A question with what a right answer rests on; nothing for one that no entry should answer.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Labelled {
    /// As a resident types it.
    pub text: String,
    /// Articles of which the answer must lead with one.
    #[serde(default)]
    pub gold: Vec<Citation>,
}

/// How much all labelled questions together count, beside all phrasings together.
const LABELLED_SHARE: f64 = 0.5;

impl PhrasingReport {
    /// Adds contests from labelled questions: the best entry that leads with a gold article
    /// against those that do not. Phrasings are half sentences, residents tell stories: the
    /// weights must serve both.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn add_labelled(
        &mut self,
        searcher: &Searcher,
        library: &Library,
        questions: &[Labelled],
    ) -> Result<(), TantivyError> {
        let mut contests = Vec::new();
        for question in questions.iter().filter(|q| !q.gold.is_empty()) {
            let hits = searcher.search(&question.text, RIVALS)?.hits;
            let (right, wrong): (Vec<&Hit>, Vec<&Hit>) = hits.iter().partition(|hit| {
                let entry = library.entry(&hit.entry);
                let mut leading = entry.iter().flat_map(|e| e.basis.iter().take(LEADING));
                leading.any(|b| question.gold.contains(&b.citation))
            });
            if let Some(own) = right.first() {
                contests.push(Contest {
                    own: own.evidence,
                    rivals: wrong.iter().map(|h| h.evidence).collect(),
                    weight: 1.0,
                });
            }
        }
        let weight = LABELLED_SHARE * self.contests.len() as f64 / contests.len().max(1) as f64;
        for contest in &mut contests {
            contest.weight = weight;
        }
        self.contests.extend(contests);
        Ok(())
    }
}

/// Asks labelled messages: the first hit of each, and whether it leads with a gold article.
///
/// # Errors
/// When the index cannot be read.
pub fn judge(
    searcher: &Searcher,
    library: &Library,
    questions: &[Labelled],
) -> Result<Vec<Judged>, TantivyError> {
    let mut out = Vec::new();
    for question in questions {
        let found = searcher.search(&question.text, LEADING)?;
        let Some(first) = found.hits.first() else {
            continue;
        };
        let entry = library.entry(&first.entry);
        let mut leading = entry.iter().flat_map(|e| e.basis.iter().take(LEADING));
        let right = leading.any(|b| question.gold.contains(&b.citation));
        out.push((first.features, right));
    }
    Ok(out)
}

/// One bin of a reliability table: mean confidence, share that was right, size.
pub type Bin = (f64, f64, usize);

/// Mean gap between confidence and truth over ten equal bins, weighted by size (expected
/// calibration error, Naeini et al. 2015), with the bins that hold something.
pub fn reliability(model: &Model, samples: &[Judged]) -> (f64, Vec<Bin>) {
    let mut bins = vec![(0.0, 0.0, 0usize); 10];
    for (features, right) in samples {
        let p = model.confidence(features);
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(*right));
        bin.2 += 1;
    }
    let n = samples.len().max(1) as f64;
    let rows: Vec<Bin> = bins
        .into_iter()
        .filter(|(_, _, size)| *size > 0)
        .map(|(p, right, size)| (p / size as f64, right / size as f64, size))
        .collect();
    let error = rows
        .iter()
        .map(|(p, right, size)| (p - right).abs() * *size as f64 / n)
        .sum();
    (error, rows)
}

impl PhrasingReport {
    /// First hits of withheld phrasings, and whether they rest on the same law as their own entry.
    pub fn judged(&self) -> &[Judged] {
        &self.samples
    }
}

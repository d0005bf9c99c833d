//! Measuring and fitting on our own phrasings: each is withheld and asked.

use tantivy::TantivyError;
use tantivy::directory::RamDirectory;

use super::build;
use super::confidence::{Features, Model};
use super::searcher::Searcher;
use crate::knowledge::Library;
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
    /// Phrasings whose entry was not first: (phrasing, its entry's question, what came first).
    pub missed: Vec<(String, String, String)>,
    /// For the confidence: features of the first hit and whether it was right.
    samples: Vec<(Features, bool)>,
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
        let searcher = Searcher::new(index, analyser.clone(), model.clone())?;
        for entry in &library.entries {
            let Some(phrasing) = entry.phrasings.get(fold) else {
                continue;
            };
            let found = searcher.search(phrasing, 4)?;
            report.asked += 1;
            let rank = found.hits.iter().position(|h| h.entry == entry.id);
            report.first += usize::from(rank == Some(0));
            report.in_three += usize::from(rank.is_some_and(|r| r < 3));
            let Some(first) = found.hits.first() else {
                continue;
            };
            report.samples.push((first.features, rank == Some(0)));
            if rank != Some(0) {
                let question = |id| library.entry(id).map_or("", |e| e.question.as_str());
                report.missed.push((
                    phrasing.clone(),
                    entry.question.clone(),
                    question(&first.entry).to_owned(),
                ));
            }
            // The same question to a library that lacks the entry: whatever comes is wrong.
            if let Some(rank) = rank {
                let mut rest = found.hits.clone();
                rest.remove(rank);
                if let [next, after, ..] = rest.as_slice() {
                    let mut features = next.features;
                    features.margin =
                        (next.score - after.score) / next.score.max(f64::MIN_POSITIVE);
                    report.samples.push((features, false));
                }
            }
        }
    }
    Ok(report)
}

/// Fits the confidence on a report; the ranking weights stay.
///
/// Plain gradient descent on the mean log loss: six weights, convex, a second of work.
pub fn fit_model(model: &Model, report: &PhrasingReport) -> Model {
    let mut weights = [0.0_f64; 6];
    let samples: Vec<([f64; 6], f64)> = report
        .samples
        .iter()
        .map(|(features, right)| (features.vector(), f64::from(u8::from(*right))))
        .collect();
    let n = samples.len().max(1) as f64;
    for _ in 0..8_000 {
        let mut gradient = [0.0; 6];
        for (x, y) in &samples {
            let z: f64 = weights.iter().zip(x).map(|(w, v)| w * v).sum();
            let error = 1.0 / (1.0 + (-z).exp()) - y;
            for (g, v) in gradient.iter_mut().zip(x) {
                *g += error * v / n;
            }
        }
        for (w, g) in weights.iter_mut().zip(gradient) {
            *w -= 2.0 * g;
        }
    }
    Model {
        confidence: weights.map(|w| (w * 1000.0).round() / 1000.0),
        ..model.clone()
    }
}

impl PhrasingReport {
    /// Mean gap between confidence and truth over ten equal bins, weighted by size
    /// (expected calibration error), with a row per bin: (mean confidence, share right, size).
    pub fn reliability(&self, model: &Model) -> (f64, Vec<(f64, f64, usize)>) {
        let mut bins = vec![(0.0, 0.0, 0usize); 10];
        for (features, right) in &self.samples {
            let p = model.confidence(features);
            let bin = &mut bins[((p * 10.0) as usize).min(9)];
            bin.0 += p;
            bin.1 += f64::from(u8::from(*right));
            bin.2 += 1;
        }
        let n = self.samples.len().max(1) as f64;
        let rows: Vec<(f64, f64, usize)> = bins
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
}

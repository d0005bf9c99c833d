//! Measuring and fitting article ranking on labelled questions.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tantivy::TantivyError;

use super::rank::{ArticleModel, Candidate, EntryKnowledge, FEATURES, certainty};
use super::schema::key;
use super::shelf::Articles;
use crate::knowledge::Library;
use crate::search::logistic;
use crate::search::searcher::Searcher;
use crate::search::tune::Labelled;

/// Retrieval figures over a set of questions.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArticleFigures {
    /// Mean share of gold articles among the first ten.
    pub recall_10: f64,
    /// Share of questions with a gold article among the first five.
    pub hit_5: f64,
    /// Mean reciprocal rank of the first gold article within ten.
    pub mrr_10: f64,
}

/// A question with its candidates, ready to be ranked again and again.
#[derive(Clone)]
pub struct Case {
    gold: HashSet<u64>,
    /// The laws that gold articles are of, each once.
    laws: BTreeSet<String>,
    candidates: Vec<Candidate>,
}

/// Looks up the candidates of every question once.
///
/// # Errors
/// When an index cannot be read.
pub fn cases(
    questions: &[Labelled],
    articles: &Articles,
    searcher: &Searcher,
    library: &Library,
    model: &ArticleModel,
    mut tick: impl FnMut(usize),
) -> Result<Vec<Case>, TantivyError> {
    let knowledge = EntryKnowledge::new(library);
    questions
        .iter()
        .enumerate()
        .map(|(done, question)| {
            tick(done);
            let near = searcher.search(&question.text, 20)?;
            let candidates =
                articles.candidates(&question.text, library, &knowledge, &near, model)?;
            let gold = question.gold.iter();
            Ok(Case {
                laws: gold.clone().map(|g| g.law.clone()).collect(),
                gold: gold.map(|g| key(&[&g.law, &g.article])).collect(),
                candidates,
            })
        })
        .collect()
}

/// Ranks every case with `model` and measures.
pub fn measure<'a>(
    cases: impl IntoIterator<Item = &'a Case>,
    model: &ArticleModel,
) -> ArticleFigures {
    let mut sum = ArticleFigures::default();
    let mut n = 0.0;
    for case in cases {
        // Nothing to find: a case for the confidence only.
        if case.gold.is_empty() {
            continue;
        }
        let mut candidates = case.candidates.clone();
        model.rank(&mut candidates);
        let ranks: Vec<usize> = candidates
            .iter()
            .take(10)
            .enumerate()
            .filter(|(_, c)| case.gold.contains(&c.article))
            .map(|(rank, _)| rank)
            .collect();
        n += 1.0;
        sum.recall_10 += ranks.len() as f64 / case.gold.len().max(1) as f64;
        sum.hit_5 += f64::from(u8::from(ranks.first().is_some_and(|r| *r < 5)));
        sum.mrr_10 += ranks.first().map_or(0.0, |r| 1.0 / (*r as f64 + 1.0));
    }
    let n = f64::max(n, 1.0);
    ArticleFigures {
        recall_10: sum.recall_10 / n,
        hit_5: sum.hit_5 / n,
        mrr_10: sum.mrr_10 / n,
    }
}

/// What is made as large as possible.
fn objective(figures: ArticleFigures) -> f64 {
    figures.recall_10 + figures.hit_5 + figures.mrr_10
}

/// Fits the linear weights and the chapter's share: one weight at a time is tried larger and
/// smaller and kept when the figures improve. Few weights, figures without gradient: the plain way.
///
/// The prior of laws is counted on the even cases while the weights are fitted on the odd ones,
/// and the other way round, so that no case is ranked by its own count; the final prior is
/// counted on all.
pub fn fit(cases: &[&Case], model: &ArticleModel) -> ArticleModel {
    let mut halves: [Vec<&Case>; 2] = Default::default();
    for (n, case) in cases.iter().enumerate() {
        halves[n % 2].push(case);
    }
    let priors = [prior(&halves[1]), prior(&halves[0])];
    let measured = |model: &ArticleModel| -> f64 {
        let pairs = halves.iter().zip(&priors);
        pairs
            .map(|(half, laws)| {
                let model = ArticleModel {
                    laws: laws.clone(),
                    ..model.clone()
                };
                objective(measure(half.iter().copied(), &model))
            })
            .sum()
    };
    let mut best = model.clone();
    let mut reached = measured(&best);
    for scale in [2.0, 1.4, 1.15] {
        for _ in 0..3 {
            let before = reached;
            for weight in 0..FEATURES + 2 {
                for factor in [scale, 1.0 / scale] {
                    let mut tried = best.clone();
                    let value = match tried.linear.get_mut(weight) {
                        Some(value) => value,
                        None if weight == FEATURES => &mut tried.chapter,
                        None => &mut tried.prior,
                    };
                    *value = (*value * factor * 1e4).round() / 1e4;
                    let figures = measured(&tried);
                    if figures > reached {
                        (best, reached) = (tried, figures);
                    }
                }
            }
            if reached <= before {
                break;
            }
        }
    }
    best.laws = prior(cases);
    best
}

/// Fits the confidence: how surely one of the first three articles bears on the question.
///
/// Cases without gold are messages that no article answers. The second layer is asked only when
/// no entry fits, and then such messages are as common as questions of law: they are given the
/// same weight together.
pub fn fit_confidence(cases: &[Case], model: &ArticleModel) -> ArticleModel {
    let samples: Vec<logistic::Sample<4>> = cases
        .iter()
        .filter_map(|case| {
            let mut candidates = case.candidates.clone();
            model.rank(&mut candidates);
            let right = candidates
                .iter()
                .take(3)
                .any(|c| case.gold.contains(&c.article));
            Some((certainty(&candidates)?, right))
        })
        .collect();
    let (mut foreign, legal): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .zip(cases)
        .partition(|(_, case)| case.gold.is_empty());
    let times = legal.len() / foreign.len().max(1);
    foreign = foreign
        .iter()
        .cycle()
        .take(foreign.len() * times)
        .cloned()
        .collect();
    let samples: Vec<logistic::Sample<4>> =
        legal.into_iter().chain(foreign).map(|(s, _)| s).collect();
    ArticleModel {
        confidence: logistic::fit(&samples),
        ..model.clone()
    }
}

/// ln(1 + questions) by law; a single question says nothing.
fn prior(cases: &[&Case]) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for law in cases.iter().flat_map(|c| &c.laws) {
        *counts.entry(law.clone()).or_default() += 1.0;
    }
    counts.retain(|_, count| *count > 1.0);
    for count in counts.values_mut() {
        *count = ((1.0 + *count).ln() * 100.0).round() / 100.0;
    }
    counts
}

/// Five-fold cross-validation of [`fit`]: every question is ranked by weights that never saw it.
pub fn cross_validate(cases: &[Case], model: &ArticleModel) -> ArticleFigures {
    const FOLDS: usize = 5;
    let mut sum = ArticleFigures::default();
    for fold in 0..FOLDS {
        let (mut seen, mut held) = (Vec::new(), Vec::new());
        for (n, case) in cases.iter().enumerate() {
            if n % FOLDS == fold {
                held.push(case);
            } else {
                seen.push(case);
            }
        }
        let figures = measure(held.iter().copied(), &fit(&seen, model));
        let share = held.len() as f64 / cases.len().max(1) as f64;
        sum.recall_10 += figures.recall_10 * share;
        sum.hit_5 += figures.hit_5 * share;
        sum.mrr_10 += figures.mrr_10 * share;
    }
    sum
}

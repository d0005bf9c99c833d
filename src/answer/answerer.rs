//! Deciding between an answer, choices and "not in the library".

use std::sync::Arc;

use tantivy::TantivyError;

use super::compose::{self, OFFERED};
use super::guard::Guard;
use super::story::Teller;
use super::support::Support;
use super::{ArticleRef, Choice, Context, LawBook, Office, Reply, ReplyKind};
use crate::knowledge::{Entry, EntryId, Library};
use crate::search::{ArticleHit, ArticleText, Found, Searcher};

/// How many of the next best finds are offered under an answer.
const ALSO_MEANT: usize = 2;
/// How many entries speak for the articles they cite.
pub(super) const NEAR_ENTRIES: usize = 20;

/// Where confidence turns into action.
///
/// They follow from what a mistake costs the resident; p is the probability that the first entry
/// is right, and of questions whose first entry is wrong every second one has the right one among
/// the next two (measured on 600 messages written by people who had not seen the library).
/// - An answer shows the question it answers on top and the next-best questions as buttons. When
///   wrong it costs 1 if the right one is among those buttons and 2.5 if not (it may be acted on):
///   answering costs 1.75(1 − p).
/// - Choices tell three short answers and the first one's details. They cost 0.3 when the right one
///   is among them (more to read) and 1.5 when it is not: with q = 0.5 + 0.5p that is 0.9 − 0.6p.
/// - "Not in the library" costs 1.5 when it was there (somebody must telephone) and 0 when it was
///   not. What reaches the search has passed the guard, so most of it is about the law and held.
///
/// Answering is cheapest when 0.74 are right. The confidence is fitted with messages that no entry
/// should answer, most of which the guard stops: of what passes it, 0.74 are right where the
/// confidence says 0.6. Refusing is cheapest below 0.1. Showing articles that do not bear on
/// the question costs as much as withholding ones that do: they are shown from 0.5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// At least this sure: the entry is shown.
    pub answer: f64,
    /// At least this sure: up to three are offered.
    pub choices: f64,
    /// No entry fits, but articles do at least this surely: they are shown as possibly relevant.
    pub articles: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            answer: 0.6,
            choices: 0.1,
            articles: 0.5,
        }
    }
}

/// A library with its index, ready to answer. Immutable: a new library makes a new answerer.
#[derive(Clone)]
pub struct Answerer {
    library: Arc<Library>,
    searcher: Searcher,
    lawbook: Arc<LawBook>,
    guard: Arc<Guard>,
    teller: Arc<Teller>,
    office: Office,
    thresholds: Thresholds,
}

impl Answerer {
    /// Puts the parts together.
    pub fn new(
        library: Arc<Library>,
        searcher: Searcher,
        lawbook: LawBook,
        office: Office,
    ) -> Self {
        let guard = Arc::new(Guard::new(library.risk.clone()));
        Self {
            teller: Arc::new(Teller::new(&library)),
            library,
            guard,
            searcher,
            lawbook: Arc::new(lawbook),
            office,
            thresholds: Thresholds::default(),
        }
    }

    /// The same, with another search beneath.
    #[must_use]
    pub fn with_searcher(&self, searcher: Searcher) -> Self {
        Self {
            searcher,
            ..self.clone()
        }
    }

    /// The same for another office: library and index are shared.
    #[must_use]
    pub fn with_office(&self, office: Office) -> Self {
        Self {
            office,
            ..self.clone()
        }
    }

    /// The library answered from.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// The office named in replies.
    pub fn office(&self) -> &Office {
        &self.office
    }

    /// The search beneath.
    pub fn searcher(&self) -> &Searcher {
        &self.searcher
    }

    /// The statutes.
    pub fn lawbook(&self) -> &LawBook {
        &self.lawbook
    }

    /// The guard before the search.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What matters of a story, to be searched for.
    pub(super) fn gist(&self, normalized: &str) -> String {
        self.teller.gist(&self.library, normalized)
    }

    /// Where confidence turns into action.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Answers a message by itself, with nothing said before it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn answer(&self, text: &str) -> Result<Reply, TantivyError> {
        Ok(self.think(&Context::default(), text)?.reply)
    }

    /// Answers a turn of a conversation; returns what to remember for the next one too.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn answer_in(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<(Reply, Context), TantivyError> {
        let thought = self.think(context, text)?;
        Ok((thought.reply, thought.next))
    }

    /// The second layer: no entry fits, but articles do with confidence.
    pub(super) fn possible_articles(
        &self,
        text: &str,
        near: &Found,
    ) -> Result<Option<Reply>, TantivyError> {
        let hits = self.lawbook.search(text, OFFERED, &self.library, near)?;
        let Some(sure) = self.lawbook.confidence(&hits) else {
            return Ok(None);
        };
        let shown = sure >= self.thresholds.articles;
        Ok(shown.then(|| with_topic(compose::possible_articles(&self.office, &hits, sure), near)))
    }

    /// One article, as a button asks for it; `None` when it is not in force or not imported.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn article(&self, article: &ArticleRef) -> Result<Option<Reply>, TantivyError> {
        self.lawbook.article(&self.library, &self.office, article)
    }

    /// The articles of the chapter in which `article` stands, in order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn chapter(&self, article: &ArticleRef) -> Result<Vec<ArticleText>, TantivyError> {
        let Some(articles) = self.lawbook.articles() else {
            return Ok(Vec::new());
        };
        let mut all = articles.law(&article.law)?;
        let here = all.iter().find(|a| a.label == article.label);
        let path = here.map(|a| a.path.clone());
        all.retain(|a| Some(&a.path) == path.as_ref());
        Ok(all)
    }

    /// Articles for a question in everyday words, best first; none without imported texts.
    ///
    /// # Errors
    /// When an index cannot be read.
    pub fn articles_for(&self, text: &str, limit: usize) -> Result<Vec<ArticleHit>, TantivyError> {
        let near = self.searcher.search(text, NEAR_ENTRIES)?;
        self.lawbook.search(text, limit, &self.library, &near)
    }

    /// What to say when the index cannot be read.
    pub fn out_of_order(&self) -> Reply {
        compose::out_of_order(&self.office)
    }

    pub(super) fn decide(&self, found: &Found, enough: f64) -> Reply {
        let entries: Vec<&Entry> = found
            .hits
            .iter()
            .filter_map(|hit| self.library.entry(&hit.entry))
            .collect();
        let sure = found.confidence;
        let reply = match entries.as_slice() {
            [first, rest @ ..] if sure >= enough => compose::answer(
                &self.library,
                &self.lawbook,
                first,
                self.related(first, rest),
                sure,
            ),
            [_, ..] if sure >= self.thresholds.choices => {
                let support = Support::of(&self.library, &found.hits);
                let offered = &entries[..entries.len().min(OFFERED)];
                compose::choices(&self.library, offered, &support, sure)
            }
            _ => compose::unknown(&self.library, &self.office, &self.nearest(found), sure),
        };
        with_topic(reply, found)
    }

    /// Shows an entry that was picked or browsed; `None` when the library no longer has it.
    pub fn open(&self, id: &EntryId) -> Option<Reply> {
        let entry = self.library.entry(id)?;
        Some(compose::answer(
            &self.library,
            &self.lawbook,
            entry,
            self.related(entry, &[]),
            1.0,
        ))
    }

    /// An entry of another library (the next one) as it would be shown.
    pub fn draft(&self, library: &Library, entry: &Entry) -> Reply {
        compose::answer(library, &self.lawbook, entry, Vec::new(), 1.0)
    }

    /// What to remember once an entry was shown: the next turn may go on with it.
    pub fn picked(&self, id: &EntryId) -> Context {
        self.library
            .entry(id)
            .map_or_else(Context::default, |entry| {
                Context::picked(entry.id.clone(), &entry.question)
            })
    }

    /// Neighbouring questions: the next best finds, then the topic's others.
    fn related(&self, entry: &Entry, also_found: &[&Entry]) -> Vec<Choice> {
        let mut out: Vec<&Entry> = also_found.iter().copied().take(ALSO_MEANT).collect();
        let entries = self.library.entries.iter();
        out.extend(entries.filter(|e| e.topic == entry.topic));
        let mut seen = vec![&entry.id];
        out.retain(|e| {
            let new = !seen.contains(&&e.id);
            seen.push(&e.id);
            new
        });
        out.into_iter().take(OFFERED).map(compose::choice).collect()
    }

    /// Topics of what came nearest, leaving out what shares next to nothing with the question.
    fn nearest(&self, found: &Found) -> Vec<String> {
        let mut topics: Vec<String> = Vec::new();
        for hit in found
            .hits
            .iter()
            .filter(|h| h.features.union_coverage > 0.35)
        {
            if let Some(entry) = self.library.entry(&hit.entry)
                && !topics.contains(&entry.topic)
            {
                topics.push(entry.topic.clone());
            }
        }
        topics.truncate(OFFERED);
        topics
    }
}

/// What the question is about: an entry that is shown settles it, otherwise the nearest topic.
fn with_topic(mut reply: Reply, found: &Found) -> Reply {
    if let Some(guess) = &found.topic {
        if reply.kind != ReplyKind::Answer {
            reply.topic = Some(guess.topic.clone());
        }
        reply.topic_confidence = reply.topic_confidence.max(guess.confidence);
    }
    reply
}

//! Floor 5, the desk (服务台): the one door for channels. Question in, reply out, journal written.
//!
//! The desk never fails towards a resident: when the index cannot be read it says so politely,
//! and when the journal cannot be written the answer still goes out and the log says what is
//! missing.

mod library_watch;
mod memory;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::Notify;

use crate::answer::{Answerer, ArticleRef, Context, Office, Reply, Thought};
use crate::journal::{Asker, Contexts, HANDOVER_DAYS, Handovers, Journal, JournalError, Record};
use crate::knowledge::{Entry, EntryId, Library};
use crate::search::{ArticleText, SearchError};

pub use crate::journal::{Address, RowId};
pub use library_watch::{Paths, PrepareError, prepare, prepare_all, reload, watch};

use memory::{Memory, Shared};

/// An answer waits this long for its row in the journal: with the row, its buttons are known.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(4);
/// An index that cannot be read is made again meanwhile: a question waits so long for it, and looks as often.
const MENDED_WITHIN: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Who is at the desk: the channel and the platform's id, which never leaves memory in clear.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Visitor {
    /// `telegram`, `cli`, `web` or `web-staff`.
    pub channel: &'static str,
    /// The platform's user id; the desk turns it into a keyed hash before anything is written.
    pub platform_id: String,
}

/// What a visitor asks.
#[derive(Clone)]
pub struct Question {
    /// The channel it came through.
    pub channel: &'static str,
    /// Who asks; `None` when nobody is to be remembered.
    pub visitor: Option<Visitor>,
    /// The words as sent.
    pub text: String,
    /// What the channel's platform calls this request, if it may come again after a crash: it is
    /// then journaled once.
    pub request: Option<String>,
}

/// An entry that a visitor picked.
#[derive(Clone)]
pub struct Pick {
    /// The channel it came through.
    pub channel: &'static str,
    /// Who picked; `None` when nobody is to be remembered.
    pub visitor: Option<Visitor>,
    /// What was picked.
    pub entry: EntryId,
    /// The question under which it was offered; `None` when it was found by browsing.
    pub row: Option<RowId>,
    /// As in [`Question`].
    pub request: Option<String>,
}

/// A reply and the journal row it was written to (`None` without a journal, or when it failed).
pub struct Answered {
    /// What to show.
    pub reply: Reply,
    /// Where it is journaled.
    pub row: Option<RowId>,
}

/// The one door for channels. Cheap to clone, safe to share.
#[derive(Clone)]
pub struct Desk {
    answerer: Arc<RwLock<Arc<Answerer>>>,
    journal: Option<Journal>,
    handovers: Option<Handovers>,
    memory: Arc<Memory>,
    shared: Option<Arc<Shared>>,
    office: Arc<Office>,
    unwritten: Arc<AtomicU64>,
    /// Held while a new library is made ready.
    reloading: Arc<tokio::sync::Mutex<()>>,
    /// Told when the index cannot be read: whoever watches the library opens it anew.
    damaged: Arc<Notify>,
}

impl Desk {
    /// A desk that answers from `answerer` and, if given, writes to `journal`.
    pub fn new(answerer: Answerer, journal: Option<Journal>) -> Self {
        Self {
            office: Arc::new(answerer.office().clone()),
            handovers: journal.as_ref().map(Handovers::of),
            answerer: Arc::new(RwLock::new(Arc::new(answerer))),
            shared: journal
                .as_ref()
                .and_then(Contexts::of)
                .map(|contexts| Arc::new(Shared(contexts))),
            journal,
            memory: Arc::default(),
            unwritten: Arc::default(),
            reloading: Arc::default(),
            damaged: Arc::default(),
        }
    }

    /// Answers from a new library from now on; questions under way finish with the old one.
    pub fn swap(&self, answerer: Answerer) {
        // A poisoned lock only means that another thread panicked while swapping: the value is whole.
        *self
            .answerer
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(answerer);
    }

    fn answerer(&self) -> Arc<Answerer> {
        self.answerer
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A desk of another office that answers from the same library and writes to its own journal.
    #[must_use]
    pub fn beside(&self, office: Office, journal: Journal) -> Self {
        let answerer = self.answerer().with_office(office);
        Self::new(answerer, Some(journal))
    }

    /// Answers from what another desk answers from, in this one's office.
    fn adopt(&self, other: &Self) {
        self.swap(other.answerer().with_office(self.office().clone()));
    }

    /// The library as answered from right now.
    pub fn library(&self) -> Arc<Library> {
        self.answerer().library().clone()
    }

    /// The office's name and contact.
    pub fn office(&self) -> &Office {
        &self.office
    }

    /// Questions that were answered since the start without a row in the journal, because it could
    /// not be written.
    pub fn unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }

    /// Days that redacted words are kept; `None` without a journal.
    pub fn retention_days(&self) -> Option<u32> {
        self.journal.as_ref().map(Journal::retention_days)
    }

    /// Answers a question, as the next turn of what its visitor said before, and journals it.
    pub async fn ask(&self, question: Question) -> Answered {
        self.answered(question, true).await.0
    }

    /// Answers a question by itself: where others read along, nothing said before comes up.
    pub async fn ask_openly(&self, question: Question) -> Answered {
        self.answered(question, false).await.0
    }

    /// Answers a question and says how the reply came about, in Chinese, for staff.
    pub async fn ask_explained(&self, question: Question) -> (Answered, String) {
        let answerer = self.answerer();
        let (answered, thought) = self.answered(question, true).await;
        let explained = thought.and_then(|thought| readable(answerer.explain(&thought)));
        (answered, explained.unwrap_or_default())
    }

    async fn answered(&self, question: Question, go_on: bool) -> (Answered, Option<Thought>) {
        let started = Instant::now();
        let mut answerer = self.answerer();
        let who = question.visitor.clone().filter(|_| go_on);
        let context = match &who {
            Some(who) => self.remembered(who).await,
            None => Context::default(),
        };
        let mut thought = self.thought(&answerer, &context, &question.text);
        if thought.is_none()
            && let Some(mended) = self.after(&answerer).await
        {
            answerer = mended;
            thought = self.thought(&answerer, &context, &question.text);
        }
        if let (Some(who), Some(thought)) = (&who, &thought) {
            self.remember(who, thought.next.clone()).await;
        }
        let reply = match &thought {
            Some(thought) => thought.reply.clone(),
            None => answerer.out_of_order(),
        };
        let row = self.record(question, None, &reply, started).await;
        (Answered { reply, row }, thought)
    }

    /// What answers instead of `spoiled`, once there is something; `None` when it takes too long.
    async fn after(&self, spoiled: &Arc<Answerer>) -> Option<Arc<Answerer>> {
        let another = async {
            loop {
                let now = self.answerer();
                if !Arc::ptr_eq(&now, spoiled) {
                    return now;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(MENDED_WITHIN, another).await.ok()
    }

    /// `None` when the index cannot be read: files that are spoiled while they are in use make errors,
    /// and panics in what reads them. Then it is opened anew, which finds out and rebuilds it.
    fn thought(&self, answerer: &Answerer, context: &Context, text: &str) -> Option<Thought> {
        let thinking = AssertUnwindSafe(|| answerer.think(context, text));
        let thought = match std::panic::catch_unwind(thinking) {
            Ok(thought) => readable(thought),
            Err(_) => None,
        };
        if thought.is_none() {
            self.damaged.notify_one();
        }
        thought
    }

    /// Forgets what the visitor said just now: the next question stands by itself.
    pub async fn start_afresh(&self, visitor: &Visitor) {
        self.remember(visitor, Context::default()).await;
    }

    /// What the visitor said just now.
    async fn remembered(&self, visitor: &Visitor) -> Context {
        match (&self.shared, &self.journal) {
            (Some(shared), Some(journal)) => shared.of(&self.asker(journal, visitor)).await,
            _ => self.memory.of(&self.remembered_as(visitor)),
        }
    }

    async fn remember(&self, visitor: &Visitor, context: Context) {
        match (&self.shared, &self.journal) {
            (Some(shared), Some(journal)) => {
                shared.keep(&self.asker(journal, visitor), &context).await;
            }
            _ => self.memory.keep(self.remembered_as(visitor), context),
        }
    }

    /// The pseudonym under which a conversation is kept in memory; without a journal there is no key
    /// to make one with, and the id stays there as it came.
    fn remembered_as(&self, visitor: &Visitor) -> String {
        match &self.journal {
            Some(journal) => self.asker(journal, visitor).as_str().to_owned(),
            None => format!("{}:{}", visitor.channel, visitor.platform_id),
        }
    }

    /// The official text of an article, as a button asks for it; `None` when it is not in force or
    /// not imported. Reading the law is not a question: nothing is journaled.
    pub fn article(&self, article: &ArticleRef) -> Option<Reply> {
        readable(self.answerer().article(article)).flatten()
    }

    /// The articles of the chapter in which `article` stands, in order; empty when there is none.
    pub fn chapter(&self, article: &ArticleRef) -> Vec<ArticleText> {
        readable(self.answerer().chapter(article)).unwrap_or_default()
    }

    /// Shows an entry that was picked; `None` when the library no longer has it.
    pub async fn open(&self, pick: Pick) -> Option<Answered> {
        let started = Instant::now();
        let answerer = self.answerer();
        let reply = answerer.open(&pick.entry)?;
        if let Some(visitor) = &pick.visitor {
            let picked = answerer.picked(&pick.entry);
            self.remember(visitor, picked).await;
        }
        if let (Some(journal), Some(visitor), Some(row)) = (&self.journal, &pick.visitor, pick.row)
        {
            let asker = self.asker(journal, visitor);
            waited(
                journal,
                "picked",
                journal.picked(row, &asker, &pick.entry.0),
            )
            .await;
        }
        let question = Question {
            channel: pick.channel,
            visitor: pick.visitor,
            text: String::new(),
            request: pick.request,
        };
        let row = self.record(question, pick.row, &reply, started).await;
        Some(Answered { reply, row })
    }

    /// 👍 / 👎 under an answer. `false` when the row is not this visitor's, or is gone.
    pub async fn feedback(&self, visitor: &Visitor, row: RowId, helpful: bool) -> bool {
        let Some(journal) = &self.journal else {
            return false;
        };
        let asker = self.asker(journal, visitor);
        let noted = waited(journal, "feedback", journal.feedback(row, &asker, helpful)).await;
        noted.unwrap_or(false)
    }

    /// The resident pressed 找人问: notes it and says whom to turn to. With an `address` the
    /// question is handed to staff, whose answer goes there; the resident is told so.
    pub async fn hand_over(
        &self,
        visitor: &Visitor,
        row: Option<RowId>,
        address: Option<Address>,
    ) -> String {
        let turn_to = self.office.turn_to();
        let (Some(journal), Some(handovers), Some(row)) = (&self.journal, &self.handovers, row)
        else {
            return turn_to;
        };
        let asker = self.asker(journal, visitor);
        let own = waited(journal, "hand_over", journal.handed_over(row, &asker)).await;
        let own = own.unwrap_or(false);
        let Some(address) = address.filter(|_| own) else {
            return turn_to;
        };
        // Without an account nobody could answer: then nothing is promised and nothing kept.
        if waited(journal, "hand_over", handovers.somebody_answers()).await != Some(true) {
            return turn_to;
        }
        let begun = handovers.begin(row, &asker, &address, Utc::now());
        match waited(journal, "hand_over", begun).await {
            Some(true) => format!(
                "已把这个问题转给{}的工作人员，答复会发到这个聊天里。为了发得到您这里，聊天地址加密存在\
                 本单位的机器上，答复之后就删，最多留 {HANDOVER_DAYS} 天；工作人员看不到您是谁。不想转了，发 /forget。\n\n\
                 不想等：{turn_to}",
                self.office.name
            ),
            Some(false) => {
                format!("这个问题已经转给工作人员了，请等答复。\n\n不想等：{turn_to}")
            }
            None => turn_to,
        }
    }

    /// The questions handed to staff; `None` without a journal.
    pub fn handovers(&self) -> Option<&Handovers> {
        self.handovers.as_ref()
    }

    /// An entry as it would be shown now; `None` when the library no longer has it. Nothing is
    /// journaled.
    pub fn preview(&self, entry: &EntryId) -> Option<Reply> {
        self.answerer().open(entry)
    }

    /// An entry that is not in use yet, as it would be shown.
    pub fn draft(&self, library: &Library, entry: &Entry) -> Reply {
        self.answerer().draft(library, entry)
    }

    /// What would be replied to `text` now, and how that came about, in Chinese. Nothing is
    /// journaled.
    pub fn rehearse(&self, text: &str) -> Option<(Reply, String)> {
        let answerer = self.answerer();
        let thought = readable(answerer.think(&Context::default(), text))?;
        let explained = readable(answerer.explain(&thought)).unwrap_or_default();
        Some((thought.reply, explained))
    }

    /// Remembers the board of a `/start b_<board>` deep link for this visitor's questions.
    pub async fn remember_board(&self, visitor: &Visitor, board: &str) {
        if let Some(journal) = &self.journal {
            let asker = self.asker(journal, visitor);
            waited(
                journal,
                "board",
                journal.remember_board(&asker, board, Utc::now()),
            )
            .await;
        }
    }

    /// Remembers the region of a `/start r_<region>` deep link for this visitor's questions.
    pub async fn remember_region(&self, visitor: &Visitor, region: &str) {
        if let Some(journal) = &self.journal {
            let asker = self.asker(journal, visitor);
            waited(
                journal,
                "region",
                journal.remember_region(&asker, region, Utc::now()),
            )
            .await;
        }
    }

    /// Deletes everything stored of the visitor; returns how many questions that were.
    ///
    /// # Errors
    /// When the database refuses: nothing was deleted then, and the visitor must be told.
    pub async fn forget(&self, visitor: &Visitor) -> Result<u64, JournalError> {
        self.start_afresh(visitor).await;
        match &self.journal {
            Some(journal) => {
                let asker = self.asker(journal, visitor);
                let forgotten = journal.database().in_time(journal.forget(&asker));
                Ok(forgotten.await?.questions)
            }
            None => Ok(0),
        }
    }

    fn asker(&self, journal: &Journal, visitor: &Visitor) -> Asker {
        journal.keys().asker(visitor.channel, &visitor.platform_id)
    }

    async fn record(
        &self,
        question: Question,
        parent: Option<RowId>,
        reply: &Reply,
        started: Instant,
    ) -> Option<RowId> {
        let channel = question.channel;
        metrics::histogram!("qijin_answer_seconds", "channel" => channel).record(started.elapsed());
        metrics::counter!(
            "qijin_answers_total", "channel" => channel, "kind" => reply.kind.as_str()
        )
        .increment(1);
        let journal = self.journal.clone()?;
        let places = reply.places.clone();
        let mut record = Record {
            at: Utc::now(),
            channel: channel.to_owned(),
            asker: question.visitor.as_ref().map(|v| self.asker(&journal, v)),
            region: None,
            board: None,
            place: reply.places.first().cloned(),
            topic: reply.topic.clone(),
            topic_confidence: reply.topic_confidence,
            kind: reply.kind.as_str().to_owned(),
            entry: reply.entry.as_ref().map(|e| e.0.clone()),
            rule: reply.rule.clone(),
            confidence: reply.confidence,
            latency_us: i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX),
            text: question.text,
            reply: reply.text(),
            parent,
            request: question.request.map(|id| format!("{channel}:{id}")),
        };
        let unwritten = self.unwritten.clone();
        // A task of its own: it goes on when nobody waits for it any more.
        let writing = tokio::spawn(async move {
            let began = Instant::now();
            let row = async {
                if let Some(asker) = &record.asker {
                    let origin = logged("origin", journal.origin(asker).await)?;
                    (record.region, record.board) = (origin.region, origin.board);
                    record.place = place(&places, origin.place);
                }
                logged("record", journal.record(record).await)
            };
            let row = row.await;
            metrics::histogram!("qijin_journal_seconds").record(began.elapsed());
            if row.is_none() {
                unwritten.fetch_add(1, Ordering::Relaxed);
                metrics::counter!("qijin_journal_dropped_total").increment(1);
            }
            row
        });
        match tokio::time::timeout(JOURNAL_PATIENCE, writing).await {
            Ok(written) => written.ok().flatten(),
            Err(_) => {
                tracing::warn!("the journal is slow: an answer goes out before it is written");
                None
            }
        }
    }
}

/// For whom a question was asked: an entry is often for several places, and then the board's is the
/// likeliest of them; without an entry it is the only one known.
fn place(of_entry: &[String], of_board: Option<String>) -> Option<String> {
    let fits = |board: &String| of_entry.is_empty() || of_entry.contains(board);
    of_board.filter(fits).or_else(|| of_entry.first().cloned())
}

/// The value, or a line in the log when the index cannot be read.
fn readable<T>(result: Result<T, SearchError>) -> Option<T> {
    result
        .map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the index cannot be read"
            );
        })
        .ok()
}

/// As [`logged`], for what a resident waits for: a server that says nothing is not waited for long.
async fn waited<T>(
    journal: &Journal,
    what: &'static str,
    work: impl Future<Output = Result<T, JournalError>>,
) -> Option<T> {
    logged(what, journal.database().in_time(work).await)
}

/// The value, or a line in the log that says what the journal lacks now.
fn logged<T>(what: &'static str, result: Result<T, JournalError>) -> Option<T> {
    result
        .map_err(|error| {
            tracing::error!(
                journal.step = what,
                error = &error as &dyn std::error::Error,
                "the journal was not written"
            )
        })
        .ok()
}

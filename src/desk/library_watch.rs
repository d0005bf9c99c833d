//! Making an answerer from the library folder, and doing it again whenever the folder changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::answer::{Answerer, LawBook, Office};
use crate::knowledge::{self, Library, LoadError, LoadOptions, Loaded};
use crate::search::{self, IndexError, IndexInfo, Progress};
use crate::text::Analyser;

/// Where the library and its index are, and how to read them.
#[derive(Debug, Clone)]
pub struct Paths {
    /// `knowledge/`
    pub library: PathBuf,
    /// `index/`
    pub index: PathBuf,
    /// Preset of places; `None` takes the library's default.
    pub preset: Option<String>,
}

/// Why no answerer could be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The library is unreadable or has errors.
    #[error(transparent)]
    Library(#[from] LoadError),
    /// The index cannot be read or built.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// An answerer with what is to be told about its index.
pub struct Prepared {
    /// Ready to answer.
    pub answerer: Answerer,
    /// Why the index was built; `None` when it was fresh.
    pub rebuilt: Option<&'static str>,
    /// The index on disk.
    pub index: IndexInfo,
}

fn load(paths: &Paths) -> Result<Loaded, LoadError> {
    let options = LoadOptions {
        preset: paths.preset.clone(),
        today: today(),
    };
    knowledge::load(&paths.library, &options)
}

/// Loads the library, builds its index if needed and opens it. Blocking: seconds at worst.
///
/// # Errors
/// When the library is refused or the index cannot be made; nothing on disk is lost then.
pub fn prepare(
    paths: &Paths,
    office: &Office,
    force: bool,
    progress: impl FnMut(Progress),
) -> Result<Prepared, PrepareError> {
    index(load(paths)?.accept()?, paths, office, force, progress)
}

fn index(
    library: Library,
    paths: &Paths,
    office: &Office,
    force: bool,
    mut progress: impl FnMut(Progress),
) -> Result<Prepared, PrepareError> {
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let opened = search::open_or_build(&paths.index, &library, &analyser, force, &mut progress)?;
    let day = today();
    let articles = search::open_or_build_articles(
        &paths.index,
        &paths.library,
        &library.laws,
        day,
        &analyser,
        &library.terms.join("\n"),
        progress,
    )?;
    let (articles, articles_rebuilt) = articles.unzip();
    let lawbook = LawBook::new(&library, articles, day);
    Ok(Prepared {
        answerer: Answerer::new(Arc::new(library), opened.searcher, lawbook, office.clone()),
        rebuilt: opened.rebuilt.or(articles_rebuilt.flatten()),
        index: opened.info,
    })
}

fn today() -> NaiveDate {
    chrono::Local::now().date_naive()
}

/// Editors save in bursts; wait until the folder has been quiet this long.
const QUIET: Duration = Duration::from_millis(400);
/// Network folders and some containers send no events: look at least this often.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// Follows the library folder until `shutdown`: every accepted change is swapped in, a library
/// with errors is refused, the old index stays and the log says why.
pub async fn watch(desk: Desk, paths: Paths, office: Office, shutdown: CancellationToken) {
    let (changed, mut changes) = mpsc::channel::<()>(1);
    let watcher = start_watcher(&paths.library, changed);
    if let Err(error) = &watcher {
        tracing::warn!(%error, "the library folder sends no change events; looking once a minute");
    }
    let mut digest = version(&desk.library());
    let mut day = today();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            // A closed channel (no watcher) must not spin.
            Some(()) = changes.recv() => {}
            () = tokio::time::sleep(AT_LEAST_EVERY) => {}
        }
        while tokio::time::timeout(QUIET, changes.recv())
            .await
            .is_ok_and(|c| c.is_some())
        {}
        // A law may come into force at midnight, or end: the articles are those of the day.
        let new_day = std::mem::replace(&mut day, today()) != day;
        let old = if new_day {
            String::new()
        } else {
            digest.clone()
        };
        let (task_paths, task_office) = (paths.clone(), office.clone());
        let outcome =
            tokio::task::spawn_blocking(move || refresh(&task_paths, &task_office, &old)).await;
        match outcome {
            Ok(Ok(Some(prepared))) => {
                digest = version(prepared.answerer.library());
                let entries = prepared.answerer.library().entries.len();
                desk.swap(prepared.answerer);
                tracing::info!(library.entries = entries, "the changed library is in use");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the changed library is refused; answers still come from the old one"
            ),
            Err(error) => tracing::error!(%error, "reloading the library failed"),
        }
    }
}

/// What a library's content is known by: its own files and the imported statutes.
fn version(library: &Library) -> String {
    let catalogue = library.laws.catalogue.as_ref();
    let statutes = catalogue.map_or("", |c| c.digest.as_str());
    format!("{} {statutes}", library.digest)
}

/// A new answerer if the folder's content is not `old` any more.
fn refresh(paths: &Paths, office: &Office, old: &str) -> Result<Option<Prepared>, PrepareError> {
    let loaded = load(paths)?;
    if version(&loaded.library) == old {
        return Ok(None);
    }
    index(loaded.accept()?, paths, office, false, |_| ()).map(Some)
}

fn start_watcher(folder: &Path, changed: mpsc::Sender<()>) -> notify::Result<impl Watcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files makes access events: answering those would reload for ever.
        if event.is_ok_and(|e| !e.kind.is_access()) {
            // Full means a change is already waiting to be looked at.
            let _ = changed.try_send(());
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(watcher)
}

//! Making an answerer from the library folder, and doing it again whenever the folder changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::answer::{Answerer, LawBook, Office};
use crate::knowledge::{self, LOCAL, Library, LoadError, LoadOptions, Loaded};
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
    /// The folder of the office's own entries, relative to the library.
    pub own: PathBuf,
}

/// What tells the libraries of offices apart before they are read: preset, and the folder of own entries
/// when there is something in it. Offices of one content share one library and one index.
type Content = (Option<String>, PathBuf);

/// Why no answerer could be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The library is unreadable or has errors.
    #[error(transparent)]
    Library(#[from] LoadError),
    /// The index cannot be read or built.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The work was broken off.
    #[error("换上资料库的工作中断了")]
    Failed(#[source] tokio::task::JoinError),
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

impl Paths {
    /// How the library is read today.
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions {
            preset: self.preset.clone(),
            today: today(),
            own: self.own.clone(),
        }
    }

    /// The same library without an office's own entries.
    fn without_own(&self) -> Self {
        Self {
            own: Path::new(knowledge::OFFICES).join("-"),
            ..self.clone()
        }
    }

    fn content(&self) -> Content {
        let own = holds_files(&self.library.join(&self.own));
        let own = if own {
            self.own.clone()
        } else {
            PathBuf::new()
        };
        (self.preset.clone(), own)
    }

    /// The folder of the index of entries. Beside that of all, for an office that has entries of its own:
    /// a build leaves only one older index in its folder.
    pub fn index_of_entries(&self) -> PathBuf {
        let (_, own) = self.content();
        match own.file_name() {
            Some(name) if own != Path::new(LOCAL) => {
                let mut beside = self.index.clone().into_os_string();
                beside.push("-");
                beside.push(name);
                beside.into()
            }
            _ => self.index.clone(),
        }
    }
}

/// Whether there is anything in a folder that a library may hold.
fn holds_files(folder: &Path) -> bool {
    let Ok(items) = std::fs::read_dir(folder) else {
        return false;
    };
    items.flatten().any(|item| {
        let hidden = item.file_name().as_encoded_bytes().starts_with(b".");
        let path = item.path();
        !hidden && (path.is_file() || holds_files(&path))
    })
}

fn load(paths: &Paths) -> Result<Loaded, LoadError> {
    knowledge::load(&paths.library, &paths.load_options())
}

/// As [`prepare`], for several offices: those with one content share it. When the own entries of an office are
/// refused, it answers from what all share, and the log says so.
///
/// # Errors
/// As [`prepare`], for what all share, or when there is one office only.
pub fn prepare_all(
    offices: &[(Paths, Office)],
    mut progress: impl FnMut(Progress),
) -> Result<Vec<Answerer>, PrepareError> {
    let mut made: HashMap<Content, Answerer> = HashMap::new();
    let mut all = Vec::with_capacity(offices.len());
    for (paths, office) in offices {
        let content = paths.content();
        let known = made.get(&content).map(|a| a.with_office(office.clone()));
        let answerer = match known {
            Some(answerer) => answerer,
            None => {
                let prepared = prepare(paths, office, false, &mut progress);
                let prepared = match prepared {
                    Err(error) if offices.len() > 1 && !content.1.as_os_str().is_empty() => {
                        tracing::error!(
                            office.entries = %paths.own.display(),
                            error = &error as &dyn std::error::Error,
                            "an office's own entries are refused; it answers from what all share"
                        );
                        prepare(&paths.without_own(), office, false, &mut progress)?
                    }
                    other => other?,
                };
                made.insert(content, prepared.answerer.clone());
                prepared.answerer
            }
        };
        all.push(answerer);
    }
    Ok(all)
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
    let opened = search::open_or_build(
        &paths.index_of_entries(),
        &library,
        &analyser,
        force,
        &mut progress,
    )?;
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
    crate::journal::local_day(chrono::Utc::now())
}

/// Editors save in bursts; wait until the folder has been quiet this long.
const QUIET: Duration = Duration::from_millis(400);
/// Network folders and some containers send no events: look at least this often.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// Puts the folder's content into use if it is not in use already, or `anew` in any case; returns
/// whether it was. One at a time: two builds would be in each other's way.
///
/// # Errors
/// When the library is refused or its index cannot be made: the old one stays in use then.
pub async fn reload(desk: &Desk, paths: &Paths, anew: bool) -> Result<bool, PrepareError> {
    let _turn = desk.reloading.lock().await;
    let old = if anew {
        String::new()
    } else {
        version(&desk.library())
    };
    let (paths, office) = (paths.clone(), desk.office().clone());
    let task = tokio::task::spawn_blocking(move || refresh(&paths, &office, &old));
    let Some(prepared) = task.await.map_err(PrepareError::Failed)?? else {
        return Ok(false);
    };
    let entries = prepared.answerer.library().entries.len();
    desk.swap(prepared.answerer);
    tracing::info!(library.entries = entries, "the changed library is in use");
    Ok(true)
}

/// Follows the library folder of all desks until `shutdown`: every accepted change is swapped in, a
/// library with errors is refused, the old index stays and the log says why.
pub async fn watch(desks: Vec<(Desk, Paths)>, shutdown: CancellationToken) {
    let Some((_, paths)) = desks.first() else {
        return;
    };
    let (changed, mut changes) = mpsc::channel::<()>(1);
    let watcher = start_watcher(&paths.library, changed);
    if let Err(error) = &watcher {
        tracing::warn!(%error, "the library folder sends no change events; looking once a minute");
    }
    let mut day = today();
    loop {
        let mut anew = false;
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = any_damaged(&desks) => anew = true,
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
        reload_all(&desks, new_day || anew).await;
    }
}

/// Returns when one of the desks finds that its index cannot be read.
async fn any_damaged(desks: &[(Desk, Paths)]) {
    let all = desks
        .iter()
        .map(|(desk, _)| Box::pin(desk.damaged.notified()));
    futures::future::select_all(all).await;
}

/// [`reload`] for each content once; the other desks of it take over what the first has.
async fn reload_all(desks: &[(Desk, Paths)], anew: bool) {
    let mut first: HashMap<Content, Option<&Desk>> = HashMap::new();
    for (desk, paths) in desks {
        let content = paths.content();
        match first.get(&content) {
            Some(Some(other)) if !Arc::ptr_eq(&other.library(), &desk.library()) => {
                desk.adopt(other);
            }
            Some(_) => {}
            None => {
                let reloaded = reload(desk, paths, anew).await;
                if let Err(error) = &reloaded {
                    tracing::error!(
                        error = error as &dyn std::error::Error,
                        "the changed library is refused; answers still come from the old one"
                    );
                }
                first.insert(content, reloaded.is_ok().then_some(desk));
            }
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
    // A file that cannot be read changes no digest: faults are told before anything is compared.
    let library = loaded.accept()?;
    if version(&library) == old {
        return Ok(None);
    }
    index(library, paths, office, false, |_| ()).map(Some)
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

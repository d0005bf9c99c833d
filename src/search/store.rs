//! The index on disk: `index/<fingerprint>/`, written aside and renamed, rebuilt when it is
//! missing, stale or damaged.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tantivy::Index;
use tantivy::directory::MmapDirectory;

use super::build;
use super::confidence::Model;
use super::intent::Intent;
use super::schema::SCHEMA_VERSION;
use super::searcher::Searcher;
use crate::knowledge::Library;
use crate::text::{ANALYSER_VERSION, Analyser};

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file or folder of the index could not be read or written.
    #[error("索引文件夹 {path} 读写失败；检查磁盘空间和权限后重试")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The imported statutes are unreadable.
    #[error(transparent)]
    Statutes(#[from] crate::knowledge::statutes::StatuteError),
    /// tantivy failed.
    #[error("索引出错；删掉 index/ 下的文件夹后会自动重建")]
    Tantivy(#[from] tantivy::TantivyError),
}

/// How far a build is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Entries written.
    pub done: usize,
    /// Entries in all.
    pub total: usize,
}

/// What [`open_or_build`] did.
pub struct Opened {
    /// Ready to ask.
    pub searcher: Searcher,
    /// Why it was built, in plain words; `None` when the old one was fresh.
    pub rebuilt: Option<&'static str>,
    /// Where it is.
    pub info: IndexInfo,
}

/// A description of an index on disk.
#[derive(Debug, Clone)]
pub struct IndexInfo {
    /// Its folder.
    pub path: PathBuf,
    /// Documents in it.
    pub documents: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// The name of the index that belongs to `library`: content, schema and analyser version.
pub fn fingerprint(library: &Library) -> String {
    let mut hash = Sha256::new();
    hash.update(library.digest.as_bytes());
    hash.update(format!(
        "schema {SCHEMA_VERSION} analyser {ANALYSER_VERSION}"
    ));
    hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> IndexError + '_ {
    move |source| IndexError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Written last into a finished index; a folder without it was never finished.
const COMPLETE: &str = "complete";

/// Opens an index folder, or says why it cannot be used.
pub(super) fn opened(path: &Path) -> Result<Index, &'static str> {
    if !path.is_dir() {
        return Err("资料库有更新（或第一次运行）");
    }
    if !path.join(COMPLETE).is_file() {
        return Err("上次建索引没有做完");
    }
    let damaged = "索引文件损坏";
    let index = Index::open_in_dir(path).map_err(|_| damaged)?;
    // A few milliseconds for a library's index, and no half-read answers ever.
    match index.validate_checksum() {
        Ok(bad) if bad.is_empty() => Ok(index),
        _ => Err(damaged),
    }
}

/// Whether the index of `library` under `root` could be opened as it is; nothing is built.
///
/// # Errors
/// With why not, in Chinese.
pub fn usable(root: &Path, library: &Library) -> Result<(), &'static str> {
    opened(&root.join(fingerprint(library))).map(|_| ())
}

/// Opens the index of `library` under `root`, building it first when needed.
///
/// A build goes to a temporary folder and is renamed when complete, so a crash leaves what was
/// there. Indexes of other fingerprints are removed afterwards, all but the newest one, which a
/// running server may still be reading.
///
/// # Errors
/// When the disk refuses or tantivy fails; what was there before stays.
pub fn open_or_build(
    root: &Path,
    library: &Library,
    analyser: &Analyser,
    force: bool,
    mut progress: impl FnMut(Progress),
) -> Result<Opened, IndexError> {
    let path = root.join(fingerprint(library));
    let found = if force {
        Err("按要求重建")
    } else {
        opened(&path)
    };
    let (index, rebuilt) = match found {
        Ok(index) => (index, None),
        Err(why) => {
            let mut state = Progress {
                done: 0,
                total: library.entries.len(),
            };
            progress(state);
            written_aside(root, &path, "", |aside| {
                let directory = MmapDirectory::open(aside).map_err(tantivy::TantivyError::from)?;
                build::write(
                    library,
                    analyser,
                    directory,
                    |_, _| false,
                    || {
                        state.done += 1;
                        progress(state);
                    },
                )?;
                if let Some(intent) = Intent::learn(library, analyser) {
                    intent.write(aside)?;
                }
                Ok(())
            })?;
            (Index::open_in_dir(&path)?, Some(why))
        }
    };
    let bytes = fs::read_dir(&path)
        .map_err(io(&path))?
        .filter_map(|item| Some(item.ok()?.metadata().ok()?.len()))
        .sum();
    let documents = index
        .load_metas()?
        .segments
        .iter()
        .map(|segment| u64::from(segment.num_docs()))
        .sum();
    Ok(Opened {
        searcher: Searcher::new(
            index,
            analyser.clone(),
            library.lexicon.clone(),
            Model::shipped(),
        )?
        .with_intent(Intent::read(&path, &library.risk)),
        rebuilt,
        info: IndexInfo {
            path,
            documents,
            bytes,
        },
    })
}

/// Writes an index folder aside, marks it complete, renames it to `path`, and removes older ones of
/// the same family (folders whose name starts with `family`).
pub(super) fn written_aside(
    root: &Path,
    path: &Path,
    family: &str,
    write: impl FnOnce(&Path) -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    fs::create_dir_all(root).map_err(io(root))?;
    // The process id keeps two builds apart; both end up with the same content.
    let aside = root.join(format!("building-{family}{}", std::process::id()));
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(io(&aside))?;
    }
    fs::create_dir(&aside).map_err(io(&aside))?;
    write(&aside)?;
    let complete = aside.join(COMPLETE);
    fs::write(&complete, "").map_err(io(&complete))?;
    if path.exists() {
        // Damaged: out of the way first, a rename does not replace a full folder.
        fs::remove_dir_all(path).map_err(io(path))?;
    }
    fs::rename(&aside, path).map_err(io(path))?;
    remove_old(root, path, family);
    Ok(())
}

/// Removes left-overs: unfinished builds and all but the newest other index. Failing is harmless.
fn remove_old(root: &Path, keep: &Path, family: &str) {
    let Ok(items) = fs::read_dir(root) else {
        return;
    };
    let mut others: Vec<(std::time::SystemTime, PathBuf)> = items
        .filter_map(|item| {
            let item = item.ok()?;
            let path = item.path();
            let name = item.file_name().to_string_lossy().into_owned();
            // Fingerprints are hex, so that no name of one family begins like the other's.
            let related = match family {
                "" => !name.starts_with("articles-") && !name.starts_with("building-articles-"),
                family => {
                    name.starts_with(family) || name.starts_with(&format!("building-{family}"))
                }
            };
            (path.is_dir() && path != keep && related)
                .then_some((item.metadata().ok()?.modified().ok()?, path))
        })
        .collect();
    others.sort();
    let mut spare_one = true;
    for (_, path) in others.into_iter().rev() {
        let complete = path.join(COMPLETE).is_file();
        if complete && std::mem::take(&mut spare_one) {
            continue;
        }
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::debug!(index.path = %path.display(), error = &error as &dyn std::error::Error, "an old index stays");
        }
    }
}

//! What an entry said before it was changed: `local/.history/<id>/<time>.md`, which is never loaded
//! (in an office's own folder where several share a library).

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, NaiveDateTime, Utc};

use super::super::EntryId;
use super::super::import::local::{LocalError, aside, write_aside};
use super::is_safe;

const FOLDER: &str = ".history";
/// Milliseconds, so that two changes within a second are two files.
const STAMP: &str = "%Y%m%d-%H%M%S-%3f";

/// A former version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Until when it was in use, local time.
    pub until: NaiveDateTime,
    /// Its Markdown.
    pub text: String,
}

fn folder(root: &Path, own: &Path, id: &EntryId) -> Option<PathBuf> {
    is_safe(id).then(|| root.join(own).join(FOLDER).join(&id.0))
}

/// Keeps a version that was in use until now.
pub(super) fn keep(
    root: &Path,
    own: &Path,
    id: &EntryId,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), LocalError> {
    let Some(folder) = folder(root, own, id) else {
        return Ok(());
    };
    let stamp = now.with_timezone(&Local).format(STAMP);
    let target = folder.join(format!("{stamp}.md"));
    let new = aside(&target);
    write_aside(&new, text)?;
    fs::rename(&new, &target).map_err(|source| LocalError::Io {
        path: target,
        source,
    })
}

/// The former versions of entries under their present and earlier ids, the latest first. What cannot
/// be read is left out: it is only looked at.
pub fn history<'a>(
    root: &Path,
    own: &Path,
    ids: impl IntoIterator<Item = &'a EntryId>,
) -> Vec<Version> {
    let files = ids
        .into_iter()
        .filter_map(|id| fs::read_dir(folder(root, own, id)?).ok())
        .flatten();
    let mut versions: Vec<Version> = files
        .filter_map(|file| {
            let path = file.ok()?.path();
            let stamp = path.file_stem()?.to_str()?;
            Some(Version {
                until: NaiveDateTime::parse_from_str(stamp, STAMP).ok()?,
                text: fs::read_to_string(&path).ok()?,
            })
        })
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.until));
    versions
}

//! Putting a checked entry into the library: its file appears whole or not at all.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::super::Entry;
use super::super::import::local::{LocalError, aside, write_aside};
use super::check::{Checked, EditError};
use super::history;

/// Held from looking at what is there to the rename.
static SAVING: Mutex<()> = Mutex::new(());

/// Writes what was checked, and keeps what was there before. The rename is the moment it counts:
/// a crash before it changes nothing, after it nothing is missing (the new file says what it
/// replaces).
///
/// # Errors
/// When it has faults, somebody else wrote it since it was read, or a file cannot be written; the
/// library is as before then.
pub fn save(root: &Path, checked: &Checked, now: DateTime<Utc>) -> Result<(), EditError> {
    let (true, Some(file)) = (checked.faults.is_empty(), &checked.file) else {
        return Err(EditError::Faulty);
    };
    let target = root.join(file);
    // A lock over nothing cannot be left broken.
    let _turn = SAVING.lock().unwrap_or_else(PoisonError::into_inner);
    if changed(root, checked, file)? {
        return Err(EditError::Changed);
    }
    let new = aside(&target);
    write_aside(&new, &checked.text)?;
    let kept = match &checked.before {
        Some(before) => history::keep(root, &checked.own, &before.id, &before.text, now),
        None => Ok(()),
    };
    let moved = kept.and_then(|()| {
        fs::rename(&new, &target).map_err(|source| LocalError::Io {
            path: target.clone(),
            source,
        })
    });
    if let Err(error) = moved {
        // The error is the one to report.
        let _ = fs::remove_file(&new);
        return Err(error.into());
    }
    if let Some(before) = &checked.before
        && before.file != *file
        && before.has_own_file()
    {
        // It is replaced already; left behind it would only be in the way of a reader.
        if let Err(error) = fs::remove_file(root.join(&before.file)) {
            tracing::warn!(%error, "a replaced entry's file stays");
        }
    }
    Ok(())
}

/// Whether the files are not as they were when the entry was read.
fn changed(root: &Path, checked: &Checked, file: &Path) -> Result<bool, EditError> {
    let text = |file: &Path| {
        let path = root.join(file);
        match fs::read_to_string(&path) {
            // As the loader reads it.
            Ok(text) => Ok(Some(text.trim_start_matches('\u{feff}').to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LocalError::Io { path, source }),
        }
    };
    let Some(before) = &checked.before else {
        return Ok(text(file)?.is_some());
    };
    if text(&before.file)?.as_ref() != Some(&before.source) {
        return Ok(true);
    }
    // A file that a crash left behind is in nobody's use: the entry says that it replaces it.
    let left = |entry: &Entry| before.replaces.contains(&entry.id);
    let in_the_way = before.file != *file && text(file)?.is_some();
    Ok(in_the_way && !checked.entry.as_ref().is_some_and(left))
}

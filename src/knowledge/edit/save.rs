//! Putting a checked entry into the library: its file appears whole or not at all.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::super::import::local::{LocalError, aside, write_aside};
use super::check::{Checked, EditError};
use super::{history, own_file};

/// Writes what was checked, and keeps what was there before. The rename is the moment it counts:
/// a crash before it changes nothing, after it nothing is missing (the new file says what it
/// replaces).
///
/// # Errors
/// When it has faults, or a file cannot be written; the library is as before then.
pub fn save(root: &Path, checked: &Checked, now: DateTime<Utc>) -> Result<(), EditError> {
    let (true, Some(file)) = (checked.faults.is_empty(), &checked.file) else {
        return Err(EditError::Faulty);
    };
    let target = root.join(file);
    let new = aside(&target);
    write_aside(&new, &checked.text)?;
    let kept = match &checked.before {
        Some(before) => history::keep(root, &before.id, &before.text, now),
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
        && own_file(&before.id).as_ref() == Some(&before.file)
    {
        // It is replaced already; left behind it would only be in the way of a reader.
        if let Err(error) = fs::remove_file(root.join(&before.file)) {
            tracing::warn!(%error, "a replaced entry's file stays");
        }
    }
    Ok(())
}

//! The library as it would be, checked as strictly as this office can: against the statutes
//! too, once they are imported.

use std::path::{Path, PathBuf};

use crate::knowledge::check_statutes;
use crate::knowledge::load::{LoadError, LoadOptions, Loaded, load_with};

/// Loads the library with `planned` files in it; see [`load_with`].
pub(super) fn load(
    root: &Path,
    options: &LoadOptions,
    planned: &[(PathBuf, String)],
) -> Result<Loaded, LoadError> {
    let mut loaded = load_with(root, options, planned)?;
    if loaded.library.laws.catalogue.is_some() {
        check_statutes(root, &mut loaded, options.today)?;
    }
    Ok(loaded)
}

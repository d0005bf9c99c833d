//! The meanings of the library's ways of asking: one table for all pages, as long as the library.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::error::WebError;
use super::site::slow;
use crate::insight::Meanings;
use crate::knowledge::Library;
use crate::text::Analyser;

/// Keeps the table of the library that was asked for last.
#[derive(Default)]
pub(super) struct MeaningsOf {
    kept: Mutex<Option<(Arc<Library>, Arc<Meanings>)>>,
}

impl MeaningsOf {
    /// The meanings of a library; makes them when it is a new one, which takes a second.
    pub async fn library(&self, library: &Arc<Library>) -> Result<Arc<Meanings>, WebError> {
        let mut kept = self.kept.lock().await;
        if let Some((of, meanings)) = &*kept
            && Arc::ptr_eq(of, library)
        {
            return Ok(meanings.clone());
        }
        let of = library.clone();
        let made = slow(move || {
            let terms = of.terms.iter().map(String::as_str);
            Arc::new(Meanings::new(&of, &Analyser::new(terms)))
        });
        let made = made.await?;
        *kept = Some((library.clone(), made.clone()));
        Ok(made)
    }
}

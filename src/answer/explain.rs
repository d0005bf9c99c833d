//! How a reply came about, in words for staff and developers (`qijin ask --explain`).
//!
//! It tells what [`super::Thought`] holds, and asks the pure functions that answered once more for
//! what they saw.

use tantivy::TantivyError;

use super::{Answerer, Thought};

impl Answerer {
    /// Tells how a reply came about.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn explain(&self, thought: &Thought) -> Result<String, TantivyError> {
        Ok(format!("{:?}", thought.beside.as_ref().map(|b| (&b.signs, &b.wanted))))
    }
}

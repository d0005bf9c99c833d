//! Floor 1: Chinese text as the index and the query see it. Pure functions, no I/O.
//!
//! ```
//! let analyser = qijin::text::Analyser::new(["拖欠工资"]);
//! let words = analyser.words(&analyser.normalize("老闆拖欠工資，怎麼辦？"));
//! assert!(words.iter().any(|w| w.text == "拖欠工资"));
//! ```

mod classifier;
mod grams;
mod lexicon;
mod normalize;
mod segment;

pub use classifier::Classifier;
pub use grams::{bigrams, unigrams};
pub use lexicon::{Expansion, LayPair, Lexicon};
pub use normalize::normalize;
pub use segment::Analyser;

/// Raised whenever normalisation or segmentation changes, so that old indexes are rebuilt.
pub const ANALYSER_VERSION: u32 = 2;

/// A piece of normalised text with its place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The piece itself.
    pub text: String,
    /// Byte offset of its first character in the normalised text.
    pub start: usize,
    /// Byte offset behind its last character.
    pub end: usize,
    /// Ordinal for phrase queries; overlapping pieces share positions.
    pub position: usize,
}

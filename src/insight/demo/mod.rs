//! An invented year of one township with known truths: for demonstration, and to test the figures.
//!
//! Nothing in it comes from a person. The same seed always gives the same year.

mod simulate;
mod texts;
mod township;
mod year;

pub use simulate::{Outcome as SeedOutcome, Summary, simulate, summarise};
pub use township::{BOARDS, InventedBoard, NAMES, TOWNSHIP};
pub use year::{DemoTopic, DemoYear, Invented, Truth, plain_topics, topics_of};

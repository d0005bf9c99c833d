//! Residents: who asks what, and when.
//!
//! Arrivals are open-loop and Poisson: nobody waits for the answer to somebody else before asking, so
//! a slow bot is not spared. A resident asks a few questions, one at a time and with pauses, then
//! another takes the place; the limits of the bot for one chat stay as they are and do not bind.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use qijin::knowledge::Library;
use serde::Deserialize;

use super::fake_telegram::FakeTelegram;

/// Questions that one resident asks before another takes the place.
const TURNS: u32 = 3;
/// A place is left alone for so long on average: 15 messages a minute, the bot allows 30.
const PAUSE: f64 = 4.0;
const FEWEST: usize = 2_000;

pub struct Residents {
    random: Rng,
    questions: Vec<String>,
    places: Vec<Resident>,
    next: usize,
    next_chat: i64,
}

#[derive(Clone, Copy)]
struct Resident {
    chat: i64,
    turns: u32,
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

/// As many labelled messages of `file` as ways of asking of the library.
pub fn questions(file: &Path, library: &Library, random: &mut Rng) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let messages: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Line>(line).map(|line| line.text))
        .collect::<Result<_, _>>()
        .with_context(|| file.display().to_string())?;
    let mut ways: Vec<&String> = library
        .entries
        .iter()
        .flat_map(|entry| &entry.phrasings)
        .collect();
    random.shuffle(&mut ways);
    let ways: Vec<String> = ways.into_iter().take(messages.len()).cloned().collect();
    Ok(messages.into_iter().chain(ways).collect())
}

impl Residents {
    pub fn new(seed: u64, questions: Vec<String>) -> Self {
        Self {
            random: Rng::with_seed(seed),
            questions,
            places: Vec::new(),
            next: 0,
            next_chat: 1_000_000_000,
        }
    }

    /// Offers `rate` updates a second for `lasts`, unless `enough` says to end.
    pub async fn ask(
        &mut self,
        fake: &FakeTelegram,
        rate: f64,
        lasts: Duration,
        enough: impl Fn(Instant) -> bool,
    ) {
        self.make_room((rate * PAUSE) as usize);
        let start = Instant::now();
        let mut due = Duration::ZERO;
        let mut look = start;
        loop {
            // Exponential gaps; 1 - f64() is never 0.
            due += Duration::from_secs_f64(-(1.0 - self.random.f64()).ln() / rate);
            if due >= lasts {
                return;
            }
            let at = start + due;
            tokio::time::sleep_until(at.into()).await;
            let (chat, question) = self.next_question();
            fake.offer(chat, &self.questions[question], at);
            if look.elapsed() > Duration::from_millis(250) {
                look = Instant::now();
                if enough(look) {
                    return;
                }
            }
        }
    }

    fn make_room(&mut self, places: usize) {
        while self.places.len() < places.max(FEWEST) {
            let resident = self.newcomer();
            self.places.push(resident);
        }
    }

    fn newcomer(&mut self) -> Resident {
        self.next_chat += 1;
        Resident {
            chat: self.next_chat,
            // Not all leave at once.
            turns: self.random.u32(1..2 * TURNS),
        }
    }

    fn next_question(&mut self) -> (i64, usize) {
        self.next = (self.next + 1) % self.places.len();
        if self.places[self.next].turns == 0 {
            self.places[self.next] = self.newcomer();
        }
        let resident = &mut self.places[self.next];
        resident.turns -= 1;
        let question = self.random.usize(0..self.questions.len());
        (resident.chat, question)
    }
}

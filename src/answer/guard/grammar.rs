//! The signals of all rules as one small grammar: words below, sets of signals above.
//!
//! Every list, every group and every piece of a signal is a set. A set is met where one of its
//! words stands, or where the pieces of one of its sequences stand in a row. Sets are numbered so
//! that each rests only on sets before it: one pass in that order finds everything.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::knowledge::risk::{Piece, Signal};

/// Number of a set.
pub(super) type SetId = usize;

/// Pieces in a row; the first has no gap before it.
pub(super) struct Sequence {
    pub first: SetId,
    /// Letters that may stand before the piece, and the piece.
    pub rest: Vec<(usize, SetId)>,
}

/// Where a number belongs.
pub(super) struct NumberSet {
    pub range: Option<(u32, u32)>,
    pub set: SetId,
}

/// The compiled grammar.
pub(super) struct Grammar {
    /// Finds all words at once; `None` when there is none to find.
    pub words: Option<AhoCorasick>,
    /// The sets that each word belongs to.
    pub sets_of_word: Vec<Vec<SetId>>,
    pub numbers: Vec<NumberSet>,
    /// The sequences of each set.
    pub sequences: Vec<Vec<Sequence>>,
}

/// Collects signals into a grammar.
#[derive(Default)]
pub(super) struct Builder {
    words: HashMap<String, usize>,
    sets_of_word: Vec<Vec<SetId>>,
    numbers: Vec<NumberSet>,
    sequences: Vec<Vec<Sequence>>,
    lists: HashMap<String, SetId>,
    pieces: HashMap<Piece, SetId>,
    /// The set that is never met.
    nothing: Option<SetId>,
}

impl Builder {
    fn set(&mut self) -> SetId {
        self.sequences.push(Vec::new());
        self.sequences.len() - 1
    }

    fn word(&mut self, word: &str, set: SetId) {
        let next = self.sets_of_word.len();
        let id = *self.words.entry(word.to_owned()).or_insert(next);
        if id == next {
            self.sets_of_word.push(Vec::new());
        }
        if !self.sets_of_word[id].contains(&set) {
            self.sets_of_word[id].push(set);
        }
    }

    /// The set of one piece; a list that does not exist is never met.
    fn piece(&mut self, piece: &Piece) -> SetId {
        if let Piece::List(name) = piece {
            return match self.lists.get(name) {
                Some(set) => *set,
                None => self.nothing(),
            };
        }
        if let Some(set) = self.pieces.get(piece) {
            return *set;
        }
        let set = self.set();
        match piece {
            Piece::Words(words) => self.word(words, set),
            Piece::Number(range) => self.numbers.push(NumberSet { range: *range, set }),
            Piece::List(_) => {}
        }
        self.pieces.insert(piece.clone(), set);
        set
    }

    fn nothing(&mut self) -> SetId {
        match self.nothing {
            Some(set) => set,
            None => *self.nothing.insert({
                self.sequences.push(Vec::new());
                self.sequences.len() - 1
            }),
        }
    }

    /// A set that is met wherever one of `signals` is.
    pub fn group(&mut self, signals: &[Signal]) -> SetId {
        if signals.is_empty() {
            return self.nothing();
        }
        let mut sequences = Vec::new();
        let mut words = Vec::new();
        for Signal(pieces) in signals {
            match pieces.as_slice() {
                [] => {}
                [(_, Piece::Words(word))] => words.push(word),
                [(_, first), rest @ ..] => sequences.push(Sequence {
                    first: self.piece(first),
                    rest: rest.iter().map(|(gap, p)| (*gap, self.piece(p))).collect(),
                }),
            }
        }
        // Numbered after its pieces, so that one pass suffices.
        let set = self.set();
        for word in words {
            self.word(word, set);
        }
        self.sequences[set] = sequences;
        set
    }

    /// A named list; what it refers to must have been added before.
    pub fn list(&mut self, name: &str, signals: &[Signal]) {
        let set = self.group(signals);
        self.lists.insert(name.to_owned(), set);
    }

    pub fn build(self) -> Grammar {
        let mut words = vec![""; self.sets_of_word.len()];
        for (word, id) in &self.words {
            words[*id] = word;
        }
        // Building fails only for patterns beyond 2 GiB: without words nothing is heard.
        let found = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&words)
            .ok();
        Grammar {
            words: found.filter(|_| !words.is_empty()),
            sets_of_word: self.sets_of_word,
            numbers: self.numbers,
            sequences: self.sequences,
        }
    }
}

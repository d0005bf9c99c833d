//! Invented personal data, as people type it, and looking for it in files.

use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fastrand::Rng;

use super::database::rows_on_server;

/// One piece of personal data.
pub struct Secret {
    /// As it stands in a message.
    pub typed: String,
    /// What must not be found: as typed, and without spaces and dashes.
    pub forms: Vec<String>,
}

/// Digits in the ways that people write them.
fn write_digits(random: &mut Rng, digits: &str) -> Secret {
    let style = random.u8(0..7);
    let mut typed = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            typed.push_str(["", " ", "-", "", "", "—", "\u{200b}"][usize::from(style)]);
        }
        let value = c.to_digit(10);
        typed.push(match (style, value) {
            (3, _) => char::from_u32(c as u32 + 0xFEE0).unwrap(),
            (4, Some(value)) => "零一二三四五六七八九".chars().nth(value as usize).unwrap(),
            _ => c,
        });
    }
    Secret {
        forms: vec![digits.to_owned(), typed.clone()],
        typed,
    }
}

fn digits(random: &mut Rng, count: usize) -> String {
    (0..count).map(|_| random.digit(10)).collect()
}

fn letters(random: &mut Rng, count: usize) -> String {
    (0..count).map(|_| random.lowercase()).collect()
}

/// 18 characters with a valid check character (GB 11643).
fn identity(random: &mut Rng) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let head = format!(
        "{:06}{}{:02}{:02}{:03}",
        random.u32(110_000..659_000),
        random.u32(1950..2010),
        random.u32(1..13),
        random.u32(1..29),
        random.u32(0..1000),
    );
    let sum: u32 = head
        .bytes()
        .zip(WEIGHTS)
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    format!("{head}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}

/// 16 to 19 digits that are valid by Luhn.
fn card(random: &mut Rng) -> String {
    let count = random.usize(13..17);
    let head = format!("62{}", digits(random, count));
    let sum = |card: &str| -> u32 {
        let double = |(at, b): (usize, u8)| {
            let digit = u32::from(b - b'0');
            if at % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        };
        card.bytes().rev().enumerate().map(double).sum()
    };
    let candidates = (0..10).map(|check| format!("{head}{check}"));
    candidates
        .into_iter()
        .find(|card| sum(card) % 10 == 0)
        .unwrap()
}

impl Secret {
    fn plain(typed: String) -> Self {
        Self {
            forms: vec![typed.clone()],
            typed,
        }
    }

    /// An invented piece of personal data of one of nine kinds.
    pub fn invent(random: &mut Rng) -> Self {
        match random.u8(0..9) {
            0 | 1 => {
                let number = identity(random);
                write_digits(random, &number)
            }
            2 | 3 => {
                let number = format!("1{}{}", random.u8(3..10), digits(random, 9));
                write_digits(random, &number)
            }
            4 => {
                let (area, number) = (random.u32(310..999), digits(random, 8));
                let typed = format!("0{area}-{number}");
                Self {
                    forms: vec![typed.clone(), format!("0{area}{number}")],
                    typed,
                }
            }
            5 => {
                let number = card(random);
                write_digits(random, &number)
            }
            6 => Self::plain(format!(
                "{}.{}@example.com",
                letters(random, 9),
                digits(random, 4)
            )),
            7 => Self::plain(format!("@{}_{}", letters(random, 8), digits(random, 3))),
            _ => {
                let token = format!("{}{}", letters(random, 12), digits(random, 10));
                let typed = format!("https://pay.example.cn/r?token={token}");
                Self {
                    forms: vec![typed.clone(), token],
                    typed,
                }
            }
        }
    }

    /// A number plate; with its province it is long enough to look for.
    pub fn plate(random: &mut Rng) -> Self {
        let (city, number) = (random.uppercase(), digits(random, 5));
        let typed = format!("川{city}·{number}");
        Self {
            forms: vec![typed.clone(), format!("川{city}{number}")],
            typed,
        }
    }

    /// What somebody is called.
    pub fn name(random: &mut Rng) -> Self {
        let mut han = || char::from_u32(random.u32(0x4e00..0x9fa5)).unwrap();
        Self::plain(format!("欧阳{}{}{}", han(), han(), han()))
    }

    /// An id of the platform.
    pub fn id(id: i64) -> Self {
        Self::plain(id.to_string())
    }
}

/// Looks for secrets in all bytes of files (and of databases on a server), in the encodings that a program might use.
pub struct Search {
    patterns: Vec<Vec<u8>>,
    named: Vec<String>,
    machine: AhoCorasick,
}

/// Base64 of `bytes` at each of the three alignments, without the characters at its ends that
/// depend on the neighbours.
fn base64_forms(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..3).map(move |shift| {
        let mut shifted = vec![b'x'; shift];
        shifted.extend_from_slice(bytes);
        let encoded = BASE64_STANDARD.encode(&shifted).replace('=', "");
        let start = [0, 2, 3][shift];
        encoded.as_bytes()[start..encoded.len() - 1].to_vec()
    })
}

impl Search {
    /// For all forms of these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let (mut patterns, mut named) = (Vec::new(), Vec::new());
        let mut add = |pattern: Vec<u8>, name: String| {
            patterns.push(pattern);
            named.push(name);
        };
        for form in secrets.into_iter().flat_map(|secret| &secret.forms) {
            let bytes = form.as_bytes();
            add(bytes.to_vec(), form.clone());
            let utf16: Vec<u8> = form.encode_utf16().flat_map(u16::to_le_bytes).collect();
            add(utf16, format!("{form} in UTF-16"));
            let hex = bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
            add(hex.into_bytes(), format!("{form} in hex"));
            for encoded in base64_forms(bytes) {
                add(encoded, format!("{form} in base64"));
            }
            if let Ok(id) = form.parse::<i64>() {
                add(id.to_le_bytes().to_vec(), format!("{form} as a number"));
                // As SQLite writes integers of this size.
                add(
                    id.to_be_bytes()[2..].to_vec(),
                    format!("{form} as a number"),
                );
            }
        }
        let machine = AhoCorasick::new(&patterns).unwrap();
        Self {
            patterns,
            named,
            machine,
        }
    }

    /// How many byte strings are looked for.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Everything found in the files under a folder, and how many bytes were looked through.
    pub fn files(&self, folder: &Path) -> (Vec<String>, u64) {
        let (mut found, mut size) = (Vec::new(), 0);
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                let (below, bytes) = self.files(&path);
                found.extend(below);
                size += bytes;
                continue;
            }
            let mut bytes = fs::read(&path).unwrap_or_default();
            bytes.extend(rows_on_server(&path).into_bytes());
            size += bytes.len() as u64;
            for hit in self.machine.find_iter(&bytes) {
                found.push(format!(
                    "{} in {}",
                    self.named[hit.pattern()],
                    path.display()
                ));
            }
        }
        (found, size)
    }
}

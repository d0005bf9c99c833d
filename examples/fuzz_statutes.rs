//! Throws mutated input at the citation resolver and the statute parser until the count is
//! reached: neither may panic.
//!
//!     cargo run --release --example fuzz_statutes -- 10000000
//!
//! Inputs are the spellings of `tests/data/citations.tsv` and a small statute, mutated: characters
//! dropped, doubled, swapped, replaced by telling ones, pieces of two inputs joined.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use qijin::knowledge::numeral;
use qijin::knowledge::statutes::{LawNames, Resolver, figures, read_source};

const SPELLINGS: &str = include_str!("../tests/data/citations.tsv");
const STATUTE: &str = "---\nid: a\ntitle: 中华人民共和国试验法\npublication_date: '2025-01-01'\n\
    effective_date: '2026-01-01'\nstatus: 有效\ngroup: 法律\n---\n\n**试验法**\n\n## 目　　录\n\n\
    - 第一章　　总　　则\n\n## 第一章　　总　　则\n\n- **第一条**　　为了试验，制定本法。\n\n  第二款。\n\n\
    - **第一条之一**　　（一）项；\n\n第二条没有空格。\n\n### 第一节　　罚则第三条 一段。\n\n---\n\n落款";
const TELLING: &[char] = &[
    '第',
    '条',
    '之',
    '款',
    '项',
    '《',
    '》',
    '一',
    '十',
    '百',
    '千',
    '零',
    '0',
    '9',
    '、',
    '至',
    '-',
    '（',
    '）',
    '#',
    '*',
    '\n',
    ' ',
    '　',
    '法',
    '点',
    '万',
    '分',
    '%',
    '\u{0}',
    '\u{10ffff}',
    '😀',
];

fn mutate(random: &mut fastrand::Rng, seeds: &[Vec<char>]) -> String {
    let mut text = random.choice(seeds).cloned().unwrap_or_default();
    if random.u8(..4) == 0 {
        let other = random.choice(seeds).cloned().unwrap_or_default();
        let at = random.usize(..=text.len());
        text.truncate(at);
        text.extend(other.into_iter().skip(random.usize(..20)));
    }
    for _ in 0..random.usize(1..8) {
        if text.is_empty() {
            break;
        }
        let at = random.usize(..text.len());
        match random.u8(..5) {
            0 => {
                text.remove(at);
            }
            1 => text.insert(at, text[at]),
            2 => {
                let other = random.usize(..text.len());
                text.swap(at, other);
            }
            3 => text[at] = random.choice(TELLING).copied().unwrap_or('第'),
            _ => text.insert(at, random.choice(TELLING).copied().unwrap_or('条')),
        }
    }
    text.into_iter().collect()
}

fn main() {
    let count: u64 = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let rows = SPELLINGS.lines().filter(|l| !l.starts_with('#'));
    let rows: Vec<(&str, &str)> = rows.filter_map(|l| l.split_once('|')).collect();
    let spellings: Vec<Vec<char>> = rows
        .iter()
        .map(|(text, _)| text.chars().collect())
        .collect();
    let statutes: Vec<Vec<char>> = vec![STATUTE.chars().collect()];
    let laws: Vec<&str> = rows
        .iter()
        .filter_map(|(_, e)| e.split('#').next())
        .collect();
    let resolver = Resolver::new(None, &LawNames::default(), laws);
    let done = AtomicU64::new(0);
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (resolver, spellings, statutes, done) = (&resolver, &spellings, &statutes, &done);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread + 1);
                for n in 0..count / threads {
                    // Every fourth input goes to the parser, the rest to the resolver.
                    if n % 4 == 0 {
                        let text = mutate(&mut random, statutes);
                        let _ = read_source(Path::new("a.md"), text.as_bytes());
                    } else {
                        let text = mutate(&mut random, spellings);
                        let _ = resolver.mentions(&text);
                        let _ = numeral(&text);
                        let _ = figures(&text);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!(
        "{} inputs, no panic, {:.0} s",
        done.load(Ordering::Relaxed),
        started.elapsed().as_secs_f32()
    );
}

//! The year itself: a Poisson number of questions for each day, topic and region.

use std::f64::consts::TAU;
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};
use fastrand::Rng;

use super::texts;
use crate::insight::{Activity, Fact, Outcome};
use crate::journal::{TOPIC_THRESHOLD, day_start};
use crate::knowledge::Library;

/// Days of the year.
const DAYS: u64 = 365;
/// Questions a day in an average week.
const A_DAY: f64 = 80.0;
/// Regions with their share of the people; the first is the town itself.
pub(super) const REGIONS: [(&str, f64); 12] = [
    ("r01", 0.24),
    ("r02", 0.16),
    ("r03", 0.10),
    ("r04", 0.09),
    ("r05", 0.08),
    ("r06", 0.07),
    ("r07", 0.06),
    ("r08", 0.05),
    ("r09", 0.05),
    ("r10", 0.04),
    ("r11", 0.03),
    ("r12", 0.03),
];
/// Places with their share of the questions. Enterprises ask much and get no activity.
const PLACES: [(&str, f64); 7] = [
    ("village", 0.38),
    ("community", 0.20),
    ("enterprise", 0.22),
    ("school", 0.08),
    ("organ", 0.05),
    ("unit", 0.05),
    ("religion", 0.02),
];
/// The neglected place.
const NEGLECTED: &str = "enterprise";
/// People who ever ask.
const PEOPLE: u64 = 9_000;
/// Every so many people came by the board of their region.
const BY_BOARD: u64 = 4;
/// Share of questions that are asked again within hours.
const ASKED_AGAIN: f64 = 0.08;
/// True effects of the three activities.
pub(super) const EFFECTS: [f64; 3] = [2.0, 0.55, 1.0];
/// Extra questions on the days of the burst.
const BURST: [u64; 3] = [9, 14, 8];

/// The number of the board that hangs in a region: the region's.
pub(super) fn board_of(region: &str) -> &str {
    region.trim_start_matches('r')
}

/// A topic with its entries and their phrasings.
#[derive(Debug, Clone)]
pub struct DemoTopic {
    /// Sub-topic id.
    pub id: String,
    /// Share of all questions, before anything special; need not add up to 1.
    pub weight: f64,
    /// Its entries.
    pub entries: Vec<DemoEntry>,
}

/// An entry, as far as the invented year needs it.
#[derive(Debug, Clone)]
pub struct DemoEntry {
    /// Entry id.
    pub id: String,
    /// Its ways of asking.
    pub ways: Vec<String>,
    /// Place ids that it is for.
    pub places: Vec<String>,
}

/// What is true of the year, to hold figures against.
#[derive(Debug, Clone)]
pub struct Truth {
    /// True rate ratio of each activity, in order.
    pub effects: Vec<f64>,
    /// The place that asks and is not served.
    pub neglected: &'static str,
    /// Topic of the burst and its first day.
    pub burst: (String, NaiveDate),
    /// The topic with a season.
    pub seasonal: String,
}

/// One invented question.
#[derive(Debug, Clone)]
pub struct Invented {
    /// Milliseconds since 1970.
    pub at: i64,
    /// Number of the person.
    pub person: u64,
    /// Region code.
    pub region: &'static str,
    /// Number of the board, `01`: it gets its code when it is put up.
    pub board: Option<String>,
    /// Place id.
    pub place: Option<&'static str>,
    /// Nearest sub-topic.
    pub topic: Arc<str>,
    /// How surely.
    pub topic_confidence: f64,
    /// Reply kind.
    pub kind: &'static str,
    /// Entry shown.
    pub entry: Option<Arc<str>>,
    /// Entry picked.
    pub picked: Option<Arc<str>>,
    /// Whether a human being was asked for.
    pub handed_over: bool,
    /// 👍 or 👎.
    pub helpful: Option<bool>,
    /// Confidence of the reply.
    pub confidence: f64,
    /// Invented words.
    pub text: String,
}

impl Invented {
    /// As the figures see it.
    pub fn fact(&self, id: i64) -> Option<Fact> {
        let settled = self.kind == "answer" || self.topic_confidence >= TOPIC_THRESHOLD;
        Some(Fact {
            id,
            at: self.at,
            day: crate::journal::local_day(chrono::DateTime::from_timestamp_millis(self.at)?),
            // Spread evenly, as pseudonyms are.
            asker: Some((self.person + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16),
            topic: settled.then(|| self.topic.clone()),
            place: self.place.map(Arc::from),
            region: Some(self.region.into()),
            board: self.board.as_deref().map(Arc::from),
            entry: self.entry.clone().or(self.picked.clone()),
            outcome: Outcome::of(self.kind, self.picked.is_some(), self.handed_over)?,
            mark: None,
            approved: false,
            helpful: self.helpful,
            confidence: self.confidence,
        })
    }
}

/// The year.
#[derive(Debug, Clone)]
pub struct DemoYear {
    /// Questions in order of time.
    pub questions: Vec<Invented>,
    /// Three activities.
    pub activities: Vec<Activity>,
    /// What is true.
    pub truth: Truth,
    /// First day.
    pub first: NaiveDate,
    /// Last day.
    pub last: NaiveDate,
}

/// Share of questions by top topic in a rural county; what is not named shares the rest.
fn top_weight(top: &str) -> f64 {
    match top {
        "neighbor" => 0.16,
        "land" => 0.16,
        "marriage" => 0.11,
        "elder" => 0.07,
        "labor" => 0.13,
        "debt" => 0.09,
        "injury" => 0.07,
        _ => 0.024,
    }
}

/// The library's topics with their phrasings.
pub fn topics_of(library: &Library) -> Vec<DemoTopic> {
    let subs: Vec<_> = library.topics.iter().filter(|t| !t.is_top()).collect();
    subs.iter()
        .map(|topic| {
            let siblings = subs.iter().filter(|t| t.top() == topic.top()).count();
            let own = library.entries.iter().filter(|e| e.topic == topic.id);
            DemoTopic {
                id: topic.id.clone(),
                weight: top_weight(topic.top()) / siblings as f64,
                entries: own
                    .map(|e| {
                        let ways = std::iter::once(&e.question).chain(&e.phrasings);
                        DemoEntry {
                            id: e.id.0.clone(),
                            ways: ways.cloned().collect(),
                            places: e.places.clone(),
                        }
                    })
                    .collect(),
            }
        })
        .filter(|topic| !topic.entries.is_empty())
        .collect()
}

/// Topics without a library: 16 top topics of 8 each, for simulations.
pub fn plain_topics() -> Vec<DemoTopic> {
    (0..16)
        .flat_map(|top| {
            (0..8).map(move |sub| DemoTopic {
                id: format!("t{top:02}.s{sub}"),
                weight: 1.0 / 128.0,
                entries: vec![DemoEntry {
                    id: format!("t{top:02}.s{sub}-000000"),
                    ways: Vec::new(),
                    places: Vec::new(),
                }],
            })
        })
        .collect()
}

/// A Poisson number (Knuth; means here are small).
fn poisson(rng: &mut Rng, mean: f64) -> u64 {
    let (limit, mut product, mut n) = ((-mean).exp(), rng.f64(), 0);
    while product > limit {
        product *= rng.f64();
        n += 1;
    }
    n
}

fn pick<T: Copy>(rng: &mut Rng, of: &[(T, f64)]) -> T {
    let mut left = rng.f64() * of.iter().map(|(_, share)| share).sum::<f64>();
    for (item, share) in of {
        left -= share;
        if left < 0.0 {
            return *item;
        }
    }
    of[of.len() - 1].0
}

struct Maker<'a> {
    rng: Rng,
    topics: &'a [DemoTopic],
    out: Vec<Invented>,
}

impl DemoYear {
    /// A year that ends with `last`, with the true effects of the demonstration.
    ///
    /// `topics` must hold at least eight topics.
    pub fn new(seed: u64, last: NaiveDate, topics: &[DemoTopic]) -> Self {
        Self::with_effects(seed, last, topics, EFFECTS)
    }

    /// The same with other true effects.
    pub fn with_effects(
        seed: u64,
        last: NaiveDate,
        topics: &[DemoTopic],
        effects: [f64; 3],
    ) -> Self {
        let first = last.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(last);
        let day = |n: u64| first.checked_add_days(Days::new(n)).unwrap_or(last);
        // Roles go by name where the library has it, else by position.
        let role = |id: &str, position: usize| {
            let found = topics.iter().position(|t| t.id == id);
            found.unwrap_or(position.min(topics.len() - 1))
        };
        let own = [
            [role("labor.wage_arrears", 0), role("labor.migrant_wage", 1)],
            [
                role("cyber.telecom_fraud", 2),
                role("cyber.fraud_afterwards", 3),
            ],
            [
                role("marriage.bride_price", 4),
                role("marriage.divorce_agree", 5),
            ],
        ];
        let seasonal = role("env.straw_burning", 6);
        let burst = role("village.village_election", 7);
        let activity = |n: usize, title: &str, from, to, places: &[&str], regions: &[&str]| {
            let strings = |of: &[&str]| of.iter().map(|s| (*s).to_owned()).collect();
            Activity {
                id: n as i64 + 1,
                title: title.to_owned(),
                from: day(from),
                to: day(to),
                places: strings(places),
                topics: own[n].iter().map(|t| topics[*t].id.clone()).collect(),
                regions: strings(regions),
            }
        };
        let activities = vec![
            activity(0, "根治欠薪宣传周", 80, 84, &["village", "community"], &[]),
            activity(
                1,
                "反诈进村入户",
                180,
                181,
                &["village", "community", "school"],
                &["r01", "r02", "r03"],
            ),
            activity(
                2,
                "移风易俗巡回宣讲",
                270,
                272,
                &["village", "community", "organ", "unit"],
                &[],
            ),
        ];
        let shares = shares(topics, &own, seasonal, burst);
        let mut maker = Maker {
            rng: Rng::with_seed(seed),
            topics,
            out: Vec::new(),
        };
        for n in 0..DAYS {
            let today = day(n);
            let rate = A_DAY * pace(n, today);
            for (topic, share) in shares.iter().enumerate() {
                let season = if topic == seasonal {
                    1.0 + 0.9 * (TAU * (n as f64 - 330.0) / DAYS as f64).cos()
                } else {
                    1.0
                };
                for (region, people) in REGIONS {
                    let mut effect = 1.0;
                    for (activity, (topics, theirs)) in
                        activities.iter().zip(own.iter().zip(effects))
                    {
                        let reached = activity.regions.is_empty()
                            || activity.regions.iter().any(|r| r == region);
                        if topics.contains(&topic)
                            && reached
                            && activity.window_after().contains(today)
                        {
                            effect *= theirs;
                        }
                    }
                    let mean = rate * share * people * season * effect;
                    for _ in 0..poisson(&mut maker.rng, mean) {
                        maker.ask(topic, region, today);
                    }
                }
            }
            if let Some(extra) = n.checked_sub(320).and_then(|at| BURST.get(at as usize)) {
                for _ in 0..*extra {
                    let region = pick(&mut maker.rng, &REGIONS);
                    maker.ask(burst, region, today);
                }
            }
        }
        let mut questions = maker.out;
        questions.sort_by_key(|q| (q.at, q.person));
        questions.retain(|q| q.at < day_start(last) + 86_400_000);
        Self {
            questions,
            activities,
            truth: Truth {
                effects: effects.to_vec(),
                neglected: NEGLECTED,
                burst: (topics[burst].id.clone(), day(320)),
                seasonal: topics[seasonal].id.clone(),
            },
            first,
            last,
        }
    }

    /// The questions as the figures see them.
    pub fn facts(&self) -> Vec<Fact> {
        let numbered = self.questions.iter().zip(1..);
        numbered.filter_map(|(q, id)| q.fact(id)).collect()
    }
}

/// Share of each topic: the topics with a role get shares of their own, the others the rest.
fn shares(topics: &[DemoTopic], own: &[[usize; 2]; 3], seasonal: usize, burst: usize) -> Vec<f64> {
    let fixed = |topic: usize| match own.iter().position(|pair| pair.contains(&topic)) {
        Some(0) => Some(0.02),
        Some(1) => Some(0.04),
        Some(_) => Some(0.025),
        None if topic == seasonal => Some(0.02),
        None if topic == burst => Some(0.008),
        None => None,
    };
    let kept: f64 = (0..topics.len()).filter_map(fixed).sum();
    let others = (0..topics.len()).filter(|t| fixed(*t).is_none());
    let rest: f64 = others.map(|t| topics[t].weight).sum();
    (0..topics.len())
        .map(|t| fixed(t).unwrap_or(topics[t].weight / rest * (1.0 - kept)))
        .collect()
}

/// How busy a day is: the bot becomes known, summers are quiet, so are weekends and the New Year.
fn pace(n: u64, day: NaiveDate) -> f64 {
    let known = 0.75 + 0.5 * n as f64 / DAYS as f64;
    let season = 1.0 + 0.15 * (TAU * f64::from(day.ordinal0()) / 365.0).cos();
    let weekday =
        [1.15, 1.1, 1.05, 1.05, 1.0, 0.85, 0.8][day.weekday().num_days_from_monday() as usize];
    known * season * weekday
}

impl Maker<'_> {
    fn ask(&mut self, topic: usize, region: &'static str, day: NaiveDate) {
        let rng = &mut self.rng;
        // People of a region: numbers that leave its remainder.
        let place_of_region = REGIONS.iter().position(|(r, _)| *r == region).unwrap_or(0) as u64;
        let share = REGIONS[place_of_region as usize].1;
        let people = (PEOPLE as f64 * share) as u64;
        let person = place_of_region * PEOPLE + rng.u64(0..people.max(1));
        // Mostly between eight in the morning and ten at night.
        let minute = 8.0 * 60.0 + (rng.f64() + rng.f64()) * 7.0 * 60.0;
        let at = day_start(day) + (minute * 60_000.0) as i64 + rng.i64(0..60_000);
        let mut question = self.invent(topic, region, person, at);
        let again = self.rng.f64() < ASKED_AGAIN;
        if again {
            let mut later = self.invent(topic, region, person, at);
            later.at += self.rng.i64(3..240) * 60_000;
            (later.place, later.board) = (question.place, question.board.clone());
            // Whoever asks again was not helped.
            question.helpful = question.helpful.map(|_| false);
            self.out.push(later);
        }
        self.out.push(question);
    }

    fn invent(&mut self, topic: usize, region: &'static str, person: u64, at: i64) -> Invented {
        let rng = &mut self.rng;
        let topic = &self.topics[topic];
        let place = pick(rng, &PLACES);
        let board = person
            .is_multiple_of(BY_BOARD)
            .then(|| board_of(region).to_owned());
        // One that is for such people, where there is one.
        let fit = topic.entries.iter();
        let fit = fit.filter(|e| e.places.iter().any(|own| own == place));
        let mut fit: Vec<&DemoEntry> = fit.collect();
        if fit.is_empty() {
            fit.extend(&topic.entries);
        }
        let DemoEntry { id, ways, .. } = fit[rng.usize(0..fit.len())];
        let way = if ways.is_empty() {
            String::new()
        } else {
            ways[rng.usize(0..ways.len())].clone()
        };
        let entry: Arc<str> = id.as_str().into();
        let kind = pick(
            rng,
            &[
                ("answer", 0.72),
                ("choices", 0.17),
                ("unknown", 0.092),
                ("refuse", 0.010),
                ("emergency", 0.008),
            ],
        );
        let picked = kind == "choices" && rng.f64() < 0.65;
        let one = |rng: &mut Rng, of: &[&str]| of[rng.usize(0..of.len())].to_owned();
        let (confidence, text) = match kind {
            "answer" => (0.45 + 0.54 * rng.f64(), way),
            "choices" => (0.1 + 0.35 * rng.f64(), way),
            "refuse" => (1.0, one(rng, &texts::REFUSED)),
            "emergency" => (1.0, one(rng, &texts::EMERGENCY)),
            _ => {
                let group = texts::UNKNOWN[rng.usize(0..texts::UNKNOWN.len())];
                (0.1 * rng.f64(), one(rng, group))
            }
        };
        let answered = kind == "answer" || picked;
        let fed_back = rng.f64() < if answered { 0.15 } else { 0.04 };
        Invented {
            at,
            person,
            region,
            place: (answered || board.is_some()).then_some(place),
            board,
            topic: topic.id.as_str().into(),
            topic_confidence: match kind {
                "answer" => confidence,
                "choices" => 0.3 + 0.5 * rng.f64(),
                _ => 0.6 * rng.f64(),
            },
            kind,
            entry: (kind == "answer").then(|| entry.clone()),
            picked: picked.then_some(entry),
            handed_over: rng.f64() < if answered { 0.02 } else { 0.12 },
            helpful: fed_back.then(|| rng.f64() < if answered { 0.88 } else { 0.2 }),
            confidence,
            text,
        }
    }
}

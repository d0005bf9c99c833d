//! All figures of one period, from one reading of the journal: what dashboard and report show.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days as DayCount, NaiveDate, Utc};

use super::burst::{self, Burst, bursts};
use super::effect::{self, Activity, Effect, effect};
use super::publication::{protected, top_of};
use super::{
    ActivityBoards, Balance, BoardFigure, CitedArticle, ClosedLoop, Days, Facet, Gap, Hidden,
    KindShare, Meanings, Outcome, Period, RegionTopics, Share, Tally, TopPhrasing, Totals, Trend,
    Volume, Worded, activity_boards, articles_cited, balance, boards, closed_loops, entries_used,
    gaps, helpful, kinds, region_topics, repeated, top_phrasings, trends, volume,
};
use crate::journal::{Board, Boards, Journal, JournalError, local_day};
use crate::knowledge::{EntryId, Library};
use crate::text::normalize;

/// The latest questions whose words are read; more do not make gaps clearer, only slower.
pub const MOST_WORDED: u32 = 20_000;
/// How many phrasings are listed.
const PHRASINGS: usize = 10;

/// Everything that figures of a period are made of.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// The period.
    pub period: Option<Period>,
    /// The whole days that the journal holds; `None` when it holds none.
    pub held: Option<Period>,
    /// Everything, by day.
    pub days: BTreeMap<NaiveDate, Tally>,
    /// By outcome.
    pub outcomes: Totals,
    /// By sub-topic.
    pub topics: Totals,
    /// By place.
    pub places: Totals,
    /// By region.
    pub regions: Totals,
    /// By place and top topic.
    pub place_topics: Totals,
    /// By region and sub-topic.
    pub region_topics: Totals,
    /// By entry.
    pub entries: Totals,
    /// By board.
    pub by_board: Totals,
    /// All boards.
    pub boards: Vec<Board>,
    /// By sub-topic and day, from [`burst::LOOK_BACK`] days before the period.
    pub topic_days: Days,
    /// By sub-topic, in the period before.
    pub before: Totals,
    /// By sub-topic, in the same weeks of last year; `None` when the journal does not reach back.
    pub last_year: Option<Totals>,
    /// All activities that the ledger holds.
    pub activities: Vec<Activity>,
    /// By region and sub-topic and day, in the windows of activities of the period.
    pub windows: Days,
    /// Questions of the period whose words are kept.
    pub worded: Vec<Worded>,
    /// Entries added since the program runs, with the moment.
    pub new_entries: Vec<(EntryId, DateTime<Utc>)>,
}

/// Reads what figures of a period need; brings the roll-ups up to date first. Activities that begin
/// after today are only planned: no figure knows them.
///
/// # Errors
/// When the database refuses.
pub async fn gather(
    journal: &Journal,
    period: Period,
    mut activities: Vec<Activity>,
    now: DateTime<Utc>,
) -> Result<Material, JournalError> {
    let today = local_day(now);
    activities.retain(|activity| activity.from <= today);
    let held = held_days(journal, now).await?;
    let Period { from, to } = period;
    let totals = |facet| journal.totals(facet, from, to);
    let (before, year) = (period.before(), period.last_year());
    let reaches = held.is_some_and(|held| held.from <= year.from && year.to <= held.to);
    let last_year = match reaches {
        true => Some(journal.totals(Facet::Topic, year.from, year.to).await?),
        false => None,
    };
    let mut days = journal.days(Facet::All, from, to).await?;
    let early = from.checked_sub_days(DayCount::new(burst::LOOK_BACK));
    let mut windows = Days::new();
    for window in windows_of(&activities, period) {
        let read = journal
            .days(Facet::RegionTopic, window.from, window.to)
            .await?;
        for (key, days) in read {
            windows.entry(key).or_default().extend(days);
        }
    }
    let words = gather_words(journal, period).await?;
    Ok(Material {
        period: Some(period),
        held,
        days: days.remove("").unwrap_or_default(),
        outcomes: totals(Facet::Outcome).await?,
        topics: totals(Facet::Topic).await?,
        places: totals(Facet::Place).await?,
        regions: totals(Facet::Region).await?,
        place_topics: totals(Facet::PlaceTopic).await?,
        region_topics: totals(Facet::RegionTopic).await?,
        entries: totals(Facet::Entry).await?,
        by_board: totals(Facet::Board).await?,
        boards: Boards::new(journal.database().clone()).all().await?,
        topic_days: journal
            .days(Facet::Topic, early.unwrap_or(from), to)
            .await?,
        before: journal.totals(Facet::Topic, before.from, before.to).await?,
        last_year,
        activities,
        windows,
        ..words
    })
}

/// Reads what gaps and closed loops alone need: the questions whose words are kept, as they are now,
/// and the entries that are new.
///
/// # Errors
/// When the database refuses.
pub async fn gather_words(journal: &Journal, period: Period) -> Result<Material, JournalError> {
    let new = journal.new_entries().await?.into_iter();
    Ok(Material {
        period: Some(period),
        worded: journal.worded(period.from, period.to, MOST_WORDED).await?,
        new_entries: new.map(|(entry, at)| (EntryId(entry), at)).collect(),
        ..Material::default()
    })
}

/// The whole days that the journal holds, brought up to date first.
pub(super) async fn held_days(
    journal: &Journal,
    now: DateTime<Utc>,
) -> Result<Option<Period>, JournalError> {
    journal.roll_up(now, |_, _| ()).await?;
    let today = local_day(now);
    let yesterday = today.pred_opt().unwrap_or(today);
    let held = journal
        .rolled()
        .await?
        .map(|(first, last)| (first, last.min(yesterday)));
    let held = held.filter(|(first, last)| first <= last);
    Ok(held.map(|(first, last)| Period::new(first, last)))
}

/// Activities of a period: those with a day in it.
pub fn of_period(activities: &[Activity], period: Period) -> impl Iterator<Item = &Activity> {
    activities
        .iter()
        .filter(move |a| a.from <= period.to && a.to >= period.from)
}

/// The windows of a period's activities, overlapping ones joined, so that no day is read twice.
fn windows_of(activities: &[Activity], period: Period) -> Vec<Period> {
    let mut windows: Vec<Period> = of_period(activities, period)
        .map(|a| Period::new(a.window_before().from, a.window_after().to))
        .collect();
    windows.sort_by_key(|window| window.from);
    let mut joined: Vec<Period> = Vec::new();
    for window in windows {
        match joined.last_mut() {
            Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
            _ => joined.push(window),
        }
    }
    joined
}

impl Material {
    /// The same from facts in order of time, without roll-ups; `facts` must reach back far enough.
    pub fn of_facts(
        facts: &[super::Fact],
        period: Period,
        held: Period,
        activities: Vec<Activity>,
    ) -> Self {
        let all = crate::journal::tally(facts, held.from);
        let days = |facet: Facet, period: Period| -> Days {
            let keys = all.get(&facet).into_iter().flatten();
            keys.filter_map(|(key, days)| {
                let days = days.range(period.from..=period.to);
                let days: BTreeMap<NaiveDate, Tally> = days.map(|(d, t)| (*d, t.clone())).collect();
                (!days.is_empty()).then(|| (key.clone(), days))
            })
            .collect()
        };
        let totals = |facet: Facet, period: Period| -> Totals {
            let mut out = Totals::new();
            for (key, days) in all.get(&facet).into_iter().flatten() {
                for (_, tally) in days.range(period.from..=period.to) {
                    out.entry(key.clone()).or_default().merge(tally);
                }
            }
            out
        };
        let early = period
            .from
            .checked_sub_days(DayCount::new(burst::LOOK_BACK));
        let year = period.last_year();
        let mut windows = Days::new();
        for window in windows_of(&activities, period) {
            for (key, days) in days(Facet::RegionTopic, window) {
                windows.entry(key).or_default().extend(days);
            }
        }
        Self {
            period: Some(period),
            held: Some(held),
            days: days(Facet::All, period).remove("").unwrap_or_default(),
            outcomes: totals(Facet::Outcome, period),
            topics: totals(Facet::Topic, period),
            places: totals(Facet::Place, period),
            regions: totals(Facet::Region, period),
            place_topics: totals(Facet::PlaceTopic, period),
            region_topics: totals(Facet::RegionTopic, period),
            entries: totals(Facet::Entry, period),
            by_board: totals(Facet::Board, period),
            boards: Vec::new(),
            topic_days: days(
                Facet::Topic,
                Period::new(early.unwrap_or(period.from), period.to),
            ),
            before: totals(Facet::Topic, period.before()),
            last_year: (held.from <= year.from).then(|| totals(Facet::Topic, year)),
            windows,
            activities,
            worded: Vec::new(),
            new_entries: Vec::new(),
        }
    }
}

/// All figures of a period.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The period.
    pub period: Period,
    /// Questions and askers.
    pub volume: Volume,
    /// What became of the questions.
    pub kinds: Vec<KindShare>,
    /// 👍 out of all feedback.
    pub helpful: Share,
    /// Repeats out of all questions.
    pub repeated: Share,
    /// By sub-topic; an empty key is 其他.
    pub topics: Totals,
    /// By top topic; an empty key is 其他.
    pub top_topics: Totals,
    /// By place and top topic, `village|labor`.
    pub place_topics: Totals,
    /// Against earlier.
    pub trends: Vec<Trend>,
    /// Sudden questions.
    pub bursts: Vec<Burst>,
    /// Balance across places.
    pub places: Balance,
    /// Balance across regions.
    pub regions: Balance,
    /// Regions by top topics; `None` when that would be about too few people.
    pub region_topics: Option<RegionTopics>,
    /// By board.
    pub boards: Vec<BoardFigure>,
    /// By the activity that boards were put up for.
    pub activity_boards: Vec<ActivityBoards>,
    /// Effects of the activities of the period.
    pub effects: Vec<Effect>,
    /// What the library lacks; as staff see it. See [`Gap::published`].
    pub gaps: Vec<Gap>,
    /// Whether new entries closed gaps.
    pub loops: Vec<ClosedLoop>,
    /// Frequent phrasings.
    pub phrasings: Vec<TopPhrasing>,
    /// Articles cited.
    pub articles: Vec<CitedArticle>,
    /// Entries used.
    pub entries_used: Vec<(EntryId, Tally)>,
    /// Entries never used.
    pub entries_never: Vec<EntryId>,
    /// Whether the table of places and top topics may be shown at all; if not, its zeros may not either.
    pub tells_place_topics: bool,
    /// Whether sub-topics may be told; if not, all are hidden.
    pub tells_topics: bool,
    /// What must not leave the office: cells named by [`super::cell_id`], top topics by [`super::top_cell`], days by
    /// [`super::day_cell`], topics of the period before by [`super::before_cell`], regions by top topic by
    /// [`super::region_top_cell`], boards of an activity by [`super::activity_cell`].
    pub hidden: Hidden,
}

impl Figures {
    /// Makes all figures. Pure: the same material gives the same figures.
    pub fn of(material: &Material, library: &Library, meanings: &Meanings) -> Self {
        let day = NaiveDate::default();
        let period = material.period.unwrap_or(Period::new(day, day));
        let mut all = Tally::default();
        material.days.values().for_each(|tally| all.merge(tally));
        let mut top_topics = Totals::new();
        for (topic, tally) in &material.topics {
            let top = top_topics.entry(top_of(topic).to_owned()).or_default();
            top.merge(tally);
        }
        let held = |keys: fn(&Activity) -> &Vec<String>| -> BTreeMap<String, u64> {
            let mut held = BTreeMap::new();
            for key in of_period(&material.activities, period).flat_map(keys) {
                *held.entry(key.clone()).or_default() += 1;
            }
            held
        };
        let places: Vec<String> = library.places.iter().map(|p| p.id.clone()).collect();
        let in_regions = held(|activity| &activity.regions);
        let regions: BTreeSet<&String> = material.regions.keys().chain(in_regions.keys()).collect();
        let regions = regions.into_iter().filter(|region| !region.is_empty());
        let regions: Vec<String> = regions.cloned().collect();
        let (entries_used, entries_never) = entries_used(&material.entries, library);
        let crossed = region_topics(&material.region_topics, &material.topics, library);
        let boards = boards(&material.by_board, &material.boards);
        let activity_boards = activity_boards(&boards, &material.activities);
        let told = protected(
            material,
            &all,
            &top_topics,
            &activity_boards,
            crossed.as_ref(),
            library,
        );
        let new: Vec<(EntryId, DateTime<Utc>)> = material
            .new_entries
            .iter()
            .filter(|(_, at)| period.contains(local_day(*at)))
            .cloned()
            .collect();
        Self {
            period,
            volume: volume(&material.days, period),
            kinds: kinds(&all),
            helpful: helpful(&all),
            repeated: repeated(&all),
            trends: trends(
                &material.topics,
                &material.before,
                material.last_year.as_ref(),
            ),
            bursts: bursts(&material.topic_days, period),
            places: balance(
                &places,
                &material.places,
                &held(|activity| &activity.places),
            ),
            regions: balance(&regions, &material.regions, &in_regions),
            effects: effects(material, period, library),
            gaps: gaps(&material.worded, meanings),
            loops: closed_loops(&material.worded, meanings, &new),
            phrasings: top_phrasings(&material.worded, normalize, PHRASINGS),
            articles: articles_cited(&material.entries, library),
            entries_used,
            entries_never,
            hidden: told.hidden,
            tells_place_topics: told.place_topics,
            tells_topics: told.topics,
            region_topics: crossed.filter(|_| told.region_topics),
            boards,
            activity_boards,
            topics: material.topics.clone(),
            place_topics: material.place_topics.clone(),
            top_topics,
        }
    }

    /// Whether a facet's cell may leave the office.
    pub fn shows(&self, facet: Facet, key: &str) -> bool {
        self.hidden.shows_cell(facet, key)
    }

    /// Whether the share of an outcome may leave the office.
    pub fn shows_outcome(&self, outcome: Outcome) -> bool {
        self.shows(Facet::Outcome, outcome.as_str())
    }
}

fn effects(material: &Material, period: Period, library: &Library) -> Vec<Effect> {
    let all = &material.activities;
    of_period(all, period)
        .map(|activity| effect_of(activity, &material.windows, all, material.held, library))
        .collect()
}

/// The effect of an activity, withheld where it must not be told.
pub(super) fn effect_of(
    activity: &Activity,
    windows: &Days,
    all: &[Activity],
    held: Option<Period>,
    library: &Library,
) -> Effect {
    let nothing = Period::new(NaiveDate::MAX, NaiveDate::MAX);
    let mut topics = library.topics.iter().filter(|topic| topic.sensitive);
    if !activity.regions.is_empty() && topics.any(|topic| activity.is_about(&topic.id)) {
        effect::withheld(activity)
    } else {
        effect(activity, windows, all, held.unwrap_or(nothing))
    }
}

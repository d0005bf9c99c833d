//! From figures to a report: which chapters there are, and what each says.

use chrono::NaiveDate;

use super::tables::{self, Names};
use super::{Report, Section, Table, words};
use crate::insight::figures::of_period;
use crate::insight::{
    Activity, Balance, Burst, Direction, Facet, Figures, Gap, Material, Meanings, Outcome, Period,
    day_cell, top_cell,
};
use crate::knowledge::Library;
use crate::ledger::Regions;

/// Proposals of one kind are at most this many.
const PROPOSALS: usize = 3;

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The figures.
    pub figures: &'a Figures,
    /// Names of topics, places and entries.
    pub library: &'a Library,
    /// What villages and communities are called.
    pub regions: &'a Regions,
    /// All activities of the ledger.
    pub activities: &'a [Activity],
    /// The whole days that the journal holds.
    pub held: Option<Period>,
    /// The office's name.
    pub office: &'a str,
    /// Today.
    pub made: NaiveDate,
}

impl Report {
    /// Makes the figures of what was read, and the report of them.
    pub fn of_material(
        material: &Material,
        library: &Library,
        meanings: &Meanings,
        regions: &Regions,
        office: &str,
        made: NaiveDate,
    ) -> (Figures, Self) {
        let figures = Figures::of(material, library, meanings);
        let report = Self::of(&Source {
            figures: &figures,
            library,
            regions,
            activities: &material.activities,
            held: material.held,
            office,
            made,
        });
        (figures, report)
    }

    /// Makes the report. Pure: the same source gives the same report.
    pub fn of(source: &Source<'_>) -> Self {
        let figures = source.figures;
        let period = words::period(figures.period);
        // Of one to four people nothing at all is told.
        let shown = figures.shows(Facet::All, "");
        let mut sections = vec![summary(source, shown)];
        if shown {
            sections.extend([places_and_topics(source), activities(source), gaps(source)]);
        }
        Self {
            office: clean(source.office),
            title: "“法律七进”普法问答成效报告".to_owned(),
            period: figures.period,
            made: source.made,
            limits: limits(source, &period),
            sections,
        }
    }
}

fn clean(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).collect()
}

fn section(title: &'static str, paragraphs: Vec<String>, tables: Vec<Table>) -> Section {
    let paragraphs = paragraphs.iter().map(|p| clean(p)).collect();
    Section {
        title,
        paragraphs,
        tables,
    }
}

fn summary(source: &Source<'_>, shown: bool) -> Section {
    let figures = source.figures;
    let volume = &figures.volume;
    let all = volume.questions;
    let asked = shown.then_some((all, volume.askers));
    let lived = lived(source);
    let days = lived.map_or(figures.period.days(), |lived| lived.days());
    let mut said = vec![words::volume(asked, days)];
    if !shown || all == 0 {
        return section("概述", said, Vec::new());
    }
    let kinds: Vec<(&str, u64)> = figures
        .kinds
        .iter()
        .filter(|kind| figures.shows_outcome(kind.outcome))
        .map(|kind| (kind.outcome.name(), kind.share.of))
        .collect();
    said.extend(words::outcomes(&kinds, all));
    let names = Names(source.library);
    said.extend(words::most("主题大类", &top_rows(figures, &names), all));
    said.extend(words::most("场所", &place_rows(figures, &names), all));
    let (rising, falling) = changed(figures, &names);
    let season_free = figures.trends.iter().any(|trend| trend.season_free);
    said.push(words::changes(&rising, &falling, season_free));
    let rough = [
        words::rough_share(
            "点了评价的提问里，觉得有用的",
            figures.helpful,
            "；点评价的人少，不代表群众满意度",
        ),
        words::rough_share("同一个人一天内又问同一主题的", figures.repeated, ""),
    ];
    said.extend(rough.into_iter().flatten());
    section(
        "概述",
        said,
        vec![tables::outcomes(figures), tables::time(figures, lived)],
    )
}

/// The days of the period that the journal knows of: not before its first, not after the report's
/// own. `None` when there is none.
fn lived(source: &Source<'_>) -> Option<Period> {
    let period = source.figures.period;
    let from = source.held.map_or(period.from, |held| held.from);
    let (from, to) = (period.from.max(from), period.to.min(source.made));
    (from <= to).then(|| Period::new(from, to))
}

fn largest_first(mut rows: Vec<(String, u64)>) -> Vec<(String, u64)> {
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows
}

fn top_rows(figures: &Figures, names: &Names<'_>) -> Vec<(String, u64)> {
    let tops = figures.top_topics.iter();
    let shown = tops.filter(|(top, _)| !top.is_empty() && figures.hidden.shows(&top_cell(top)));
    largest_first(
        shown
            .map(|(top, t)| (names.topic(top), t.questions))
            .collect(),
    )
}

fn place_rows(figures: &Figures, names: &Names<'_>) -> Vec<(String, u64)> {
    let rows = figures.places.rows.iter();
    let shown = rows.filter(|row| figures.shows(Facet::Place, &row.key));
    largest_first(
        shown
            .map(|row| (names.place(&row.key), row.questions))
            .collect(),
    )
}

/// Rising and falling topics that may be told.
fn changed(figures: &Figures, names: &Names<'_>) -> (Vec<String>, Vec<String>) {
    let of = |direction| {
        let trends = figures.trends.iter();
        trends
            .filter(|trend| trend.direction == direction && !trend.topic.is_empty())
            .filter(|trend| tables::shows_trend(figures, trend))
            .map(|trend| names.topic(&trend.topic))
            .collect()
    };
    (of(Direction::Rising), of(Direction::Falling))
}

fn places_and_topics(source: &Source<'_>) -> Section {
    let figures = source.figures;
    if figures.volume.questions == 0 {
        return section(
            "场所和主题",
            vec!["本期没有提问，没有数字可列。".to_owned()],
            Vec::new(),
        );
    }
    let names = Names(source.library);
    let mut said = Vec::new();
    let region_rows = figures.regions.rows.iter();
    let regions = region_rows
        .filter(|row| figures.shows(Facet::Region, &row.key))
        .map(|row| (source.regions.name_of(&row.key).to_owned(), row.questions))
        .collect();
    if !figures.regions.rows.is_empty() {
        said.extend(words::most(
            "村(社区)",
            &largest_first(regions),
            figures.volume.questions,
        ));
    }
    said.extend(told_balances(figures, source.library, source.regions));
    let bursts: Vec<_> = told_bursts(figures)
        .iter()
        .map(|burst| {
            let days = Period::new(burst.from, burst.to);
            (names.topic(&burst.topic), days, burst.times_usual())
        })
        .collect();
    said.extend(words::bursts(&bursts));
    let mut shown = vec![
        tables::top_topics(figures, &names),
        tables::sub_topics(figures, &names),
        tables::places(figures, &names),
    ];
    shown.extend(tables::place_topics(figures, &names));
    shown.extend(tables::regions(figures, source.regions));
    shown.extend(tables::region_topics(figures, &names, source.regions));
    shown.extend(tables::boards(figures, source.regions));
    shown.extend(tables::entries(figures, &names));
    shown.retain(|table| !table.rows.is_empty());
    section("场所和主题", said, shown)
}

/// Bursts that may be told, the most striking first. Without counts: beside the topic's total they
/// could leave a rest of a few.
pub fn told_bursts(figures: &Figures) -> Vec<&Burst> {
    let mut shown: Vec<_> = figures.bursts.iter().collect();
    shown.retain(|burst| {
        let days = Period::new(burst.from, burst.to);
        let shown = figures.shows(Facet::Topic, &burst.topic);
        // Where no sub-topic is told at all, nothing is left to be subtracted from: a burst is about
        // five people at least.
        (shown || !figures.tells_topics)
            && days.iter().all(|day| figures.hidden.shows(&day_cell(day)))
    });
    shown.sort_by(|a, b| b.score.total_cmp(&a.score));
    shown
}

/// Where publicity lags behind asking; of a place or region whose figures are held back nothing is said.
pub fn told_balances(figures: &Figures, library: &Library, regions: &Regions) -> Vec<String> {
    let names = Names(library);
    let all = figures.volume.questions.max(1) as f64;
    let said = |balance: &Balance, facet, what: &str, name: &dyn Fn(&str) -> String| {
        let held = balance.rows.iter().any(|row| row.activities > 0);
        let most = balance.most_under_served.as_ref();
        let Some(key) = most else {
            return Some(words::balance(what, None, held));
        };
        let row = balance.rows.iter().find(|row| row.key == *key)?;
        let most = (&*name(key), row.questions as f64 / all, row.activities);
        figures
            .shows(facet, key)
            .then(|| words::balance(what, Some(most), held))
    };
    let places = said(&figures.places, Facet::Place, "场所", &|key| {
        names.place(key)
    });
    let villages = &figures.regions;
    // Only when there is one: an activity for the whole township counts for no village.
    let named = villages.most_under_served.is_some();
    let village = named.then(|| {
        let name = |key: &str| regions.name_of(key).to_owned();
        said(villages, Facet::Region, "村(社区)", &name)
    });
    places.into_iter().chain(village.flatten()).collect()
}

fn activities(source: &Source<'_>) -> Section {
    let held: Vec<&Activity> = of_period(source.activities, source.figures.period).collect();
    let titles: Vec<String> = held.iter().map(|activity| activity.title.clone()).collect();
    let mut said = vec![words::activities(&titles)];
    said.extend(source.figures.effects.iter().map(|e| e.sentence.clone()));
    let days: Vec<(i64, String)> = held
        .iter()
        .map(|a| (a.id, words::period(Period::new(a.from, a.to))))
        .collect();
    let effects = tables::effects(source.figures, &days);
    let asked = source.figures.volume.questions > 0;
    let boards = tables::activity_boards(source.figures).filter(|_| asked);
    let tables = effects.into_iter().chain(boards).collect();
    section("普法活动和效果", said, tables)
}

fn gaps(source: &Source<'_>) -> Section {
    let figures = source.figures;
    let names = Names(source.library);
    let all = figures.gaps.iter();
    let told: Vec<Gap> = all
        .filter(|gap| gap.shows_counts())
        .map(|gap| gap.clone().published())
        .collect();
    let small = figures.gaps.len() - told.len();
    let mut said = vec![words::gaps(told.len(), small)];
    let proposals = proposals(source, &told, &names);
    if proposals.is_empty() {
        said.push("从本期的数字看，没有需要特别建议的事。".to_owned());
    } else {
        let numbered = proposals.iter().enumerate();
        said.extend(numbered.map(|(at, text)| format!("建议{}：{text}", at + 1)));
    }
    let tables = tables::gaps(&told, &names).into_iter().collect();
    section("知识缺口和建议", said, tables)
}

fn proposals(source: &Source<'_>, told: &[Gap], names: &Names<'_>) -> Vec<String> {
    let figures = source.figures;
    let mut out = Vec::new();
    for (balance, facet, name) in [
        (&figures.places, Facet::Place, true),
        (&figures.regions, Facet::Region, false),
    ] {
        let most = balance.most_under_served.as_deref();
        if let Some(key) = most.filter(|key| figures.shows(facet, key)) {
            let name = if name {
                names.place(key)
            } else {
                source.regions.name_of(key).to_owned()
            };
            out.push(format!(
                "{name}提问多、活动少，下一期的普法活动可以优先安排。"
            ));
        }
    }
    let asked: Vec<String> = told
        .iter()
        .filter_map(|gap| gap.examples.first())
        .take(PROPOSALS)
        .map(|example| format!("“{}”", example.trim()))
        .collect();
    if !asked.is_empty() {
        out.push(format!(
            "补写或者改写这些问题的问答：{}。",
            asked.join("、")
        ));
    }
    let (rising, _) = changed(figures, names);
    if !rising.is_empty() {
        let rising = &rising[..rising.len().min(PROPOSALS)];
        out.push(format!(
            "{}问得多了，可以准备相应的宣传材料和讲座。",
            words::names(rising)
        ));
    }
    let unknown = figures.kinds.iter().find(|k| k.outcome == Outcome::Unknown);
    let large = unknown.is_some_and(|k| k.share.share > Some(0.1) && k.share.out_of >= 100);
    if large && figures.shows_outcome(Outcome::Unknown) {
        out.push("没有收录的提问超过一成，资料库需要补充。".to_owned());
    }
    out
}

fn limits(source: &Source<'_>, period: &str) -> Vec<String> {
    let mut said = vec![
        format!("数字来自普法问答机器人的提问日志，时间是{period}。点按钮、打招呼、工作人员试用都不算提问。"),
        "一个聊天账号算一个人；用网页问的，关了浏览器再来另算一个。人数写“约”的是估计，误差 3% 左右。不会用手机的人不在里面。".to_owned(),
        "提问次数说明用了多少，不说明发生了多少纠纷，也不说明多少人懂法；这些要靠调查和纠纷台账。".to_owned(),
        format!(
            "提问人不到 5 个的数字写成“{}”。为了不让人用合计减出来，有些较大的数字也写成“{}”。0 照样显示。敏感主题不按村(社区)统计。",
            super::HIDDEN,
            super::HIDDEN
        ),
        "活动效果比的是活动前后各 28 天的提问，以同期其他主题作对照；数量太少、时间不满或者几场活动分不开时，写“不足以判断”。".to_owned(),
    ];
    let own = source.figures.period;
    match source.held {
        None => said.push("提问日志里还没有完整的一天。".to_owned()),
        Some(held) if held.from > own.from || held.to < own.to => said.push(format!(
            "提问日志里完整的日子是{}至{}；报告时间里其余的日子没有记录，或者还没过完，没有全部覆盖。",
            words::day(held.from),
            words::day(held.to)
        )),
        Some(_) => {}
    }
    said
}

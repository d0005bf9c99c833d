//! What the overview shows, from the report's own tables and sentences: the page can say nothing that the
//! report does not.

use crate::insight::{Balance, FEWEST_ASKERS, Facet, Figures, Gap, Outcome, Period, REST, Tally};
use crate::knowledge::Library;
use crate::ledger::Regions;
use crate::report::{Cell, ReportError, Table, drawn, named, told_balances, told_bursts, words};

use super::super::figures::Reading;

/// Gaps, bursts and unused topics are listed up to this many.
const LISTED: usize = 6;
/// With fewer questions than this most cells have less than five askers.
const YOUNG: u64 = 60;
/// Unused entries and topics are named up to this many.
const NAMED: usize = 40;
/// Widths of the chart: telephone and desktop.
const WIDTHS: [f32; 2] = [350.0, 1080.0];
/// Shades of the grid, without the lightest for none.
const SHADES: u64 = 5;

/// A big figure; see the macro `figure`.
pub(super) struct Figure {
    pub label: &'static str,
    pub value: String,
    pub note: String,
    pub href: String,
}

/// A cell of a table.
pub(super) struct Shown {
    pub text: String,
    pub href: Option<String>,
    pub number: bool,
    /// Its bar, in percent of the longest of the column.
    pub bar: Option<String>,
    /// 0 for none, 1 to 5 from light to dark; in a grid only.
    pub shade: Option<u64>,
    pub hidden: bool,
}

/// A table.
pub(super) struct Grid {
    pub caption: String,
    pub heads: Vec<(String, bool)>,
    pub rows: Vec<Vec<Shown>>,
    pub hides: bool,
    pub note: String,
}

/// Something with a link and a word about it.
pub(super) struct Item {
    pub text: String,
    pub href: String,
    pub note: String,
}

/// Everything below the switch.
pub(super) struct View {
    pub figures: Vec<Figure>,
    /// Said when nothing else may be.
    pub withheld: Option<String>,
    /// So few questions that most cells are held back.
    pub young: bool,
    pub charts: Vec<String>,
    pub time: Option<Grid>,
    pub outcomes: Option<Grid>,
    pub tops: Option<Grid>,
    pub subs: Option<Grid>,
    pub places: Option<Grid>,
    pub crossed: Option<Grid>,
    pub regions: Option<Grid>,
    pub region_topics: Option<Grid>,
    pub boards: Option<Grid>,
    pub activity_boards: Option<Grid>,
    pub balances: Vec<String>,
    pub bursts: Vec<Item>,
    pub gaps: Vec<Item>,
    pub gaps_said: String,
    pub unused: String,
    pub unused_entries: Vec<String>,
    pub unused_topics: String,
    pub topics_never: Vec<String>,
}

/// The way to the rows of a period that meet more conditions.
fn rows(period: Period, more: &[(&str, &str)]) -> String {
    let (from, to) = (period.from.to_string(), period.to.to_string());
    let mut query = vec![("from", from.as_str()), ("to", to.as_str())];
    query.extend(more);
    // Strings only: this cannot fail, and the whole log is no wrong place if it did.
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    format!("/questions?{query}")
}

/// How the log finds questions with an outcome.
fn of_outcome(outcome: &str) -> Option<(&'static str, &'static str)> {
    Some(match Outcome::parse(outcome)? {
        Outcome::Answered => ("kind", "answer"),
        Outcome::Resolved | Outcome::Open => ("kind", "choices"),
        Outcome::HandedOn => ("feedback", "human"),
        Outcome::Unknown => ("kind", "unknown"),
        Outcome::Refused => ("kind", "refuse"),
        Outcome::Emergency => ("kind", "emergency"),
    })
}

/// What stands where a figure is held back: why.
fn held_back(tally: Option<&Tally>) -> &'static str {
    match tally {
        Some(tally) if tally.asker_count().count < FEWEST_ASKERS => "少于5人",
        _ => "隐去",
    }
}

impl Grid {
    /// A table of the report with its cells as the page shows them.
    fn with(table: &Table, rows: Vec<Vec<Shown>>) -> Self {
        Self {
            caption: table.caption.clone(),
            heads: heads(table),
            rows,
            hides: table.hides(),
            note: table.note.clone().unwrap_or_default(),
        }
    }

    /// A table of the report; `way` leads from a key to its rows, `hidden` says what stands for a row that is
    /// held back.
    fn of(
        table: &Table,
        way: impl Fn(&str) -> Option<String>,
        hidden: impl Fn(&str) -> &'static str,
    ) -> Self {
        let most = table.chart.as_ref().map_or(0.0, |chart| {
            let numbers = table
                .rows
                .iter()
                .filter_map(|row| row[chart.column].number());
            numbers.fold(0.0, f64::max)
        });
        let bars = table.chart.as_ref().map(|chart| chart.column);
        let rows = table.rows.iter().enumerate().map(|(at, row)| {
            let key = table.keys.get(at).map_or("", String::as_str);
            let cells = row.iter().enumerate().map(|(column, cell)| {
                // The bar stands under the name, where there is room.
                let drawn = bars.filter(|_| column == 0 && most > 0.0);
                let length = drawn.and_then(|of| row[of].number());
                Shown {
                    text: match cell {
                        Cell::Hidden => hidden(key).to_owned(),
                        cell => cell.shown(),
                    },
                    href: way(key).filter(|_| column == 0),
                    number: !matches!(cell, Cell::Text(_)),
                    bar: length.map(|n| format!("{:.1}", n / most * 100.0)),
                    shade: None,
                    hidden: *cell == Cell::Hidden,
                }
            });
            cells.collect()
        });
        Self::with(table, rows.collect())
    }

    /// A table of two things crossed, shaded.
    fn crossed(
        table: &Table,
        way: impl Fn(&str, &str) -> Option<String>,
        hidden: impl Fn(&str, &str) -> &'static str,
    ) -> Self {
        // What is not known does not set the scale.
        let known = table
            .rows
            .iter()
            .zip(&table.keys)
            .filter(|(_, key)| !key.is_empty());
        let known = known.flat_map(|(row, _)| row.iter().skip(1).zip(&table.across));
        let most = known
            .filter_map(|(cell, column)| match cell {
                Cell::Count(n) if !column.is_empty() && *column != REST => Some(*n),
                _ => None,
            })
            .max();
        let rows = table.rows.iter().zip(&table.keys).map(|(row, key)| {
            let across = std::iter::once("").chain(table.across.iter().map(String::as_str));
            let cells = row
                .iter()
                .zip(across)
                .enumerate()
                .map(|(at, (cell, column))| {
                    let most = most.unwrap_or(1).max(1);
                    let of = |n: u64| (n * SHADES).div_ceil(most).min(SHADES);
                    Shown {
                        text: match cell {
                            Cell::Hidden => hidden(key, column).to_owned(),
                            cell => cell.shown(),
                        },
                        href: way(key, column)
                            .filter(|_| at > 0 && !matches!(cell, Cell::Count(0) | Cell::Hidden)),
                        number: at > 0,
                        bar: None,
                        shade: match cell {
                            Cell::Count(n) => Some(of(*n)),
                            _ => None,
                        },
                        hidden: *cell == Cell::Hidden,
                    }
                });
            cells.collect()
        });
        Self::with(table, rows.collect())
    }
}

fn heads(table: &Table) -> Vec<(String, bool)> {
    let numbers = |at: usize| {
        let mut cells = table.rows.iter().map(|row| &row[at]);
        cells.all(|cell| !matches!(cell, Cell::Text(_)))
    };
    let heads = table.heads.iter().enumerate();
    heads
        .map(|(at, (head, _))| (head.clone(), numbers(at)))
        .collect()
}

impl View {
    pub fn of(
        reading: &Reading,
        library: &Library,
        regions: &Regions,
    ) -> Result<Self, ReportError> {
        let (figures, report) = (&reading.figures, &reading.report);
        let period = figures.period;
        let shown = figures.shows(Facet::All, "");
        let first = report.sections.first().and_then(|s| s.paragraphs.first());
        let table = |name: &str| report.table(name);
        let none = |_: &str| held_back(None);
        let to = |name: &'static str| {
            move |key: &str| (!key.is_empty()).then(|| rows(period, &[(name, key)]))
        };
        let time = table(named::TIME);
        let chart = time.and_then(|table| Some((table, table.drawable()?)));
        let charts = chart
            .iter()
            .flat_map(|(table, chart)| WIDTHS.map(|width| drawn(table, chart, width)));
        let charts = charts.collect::<Result<Vec<_>, _>>()?;
        let topic = |id: &str| library.topic(id).map_or(id, |t| &t.name).to_owned();
        let bursts = told_bursts(figures).into_iter().take(LISTED).map(|burst| {
            let days = Period::new(burst.from, burst.to);
            Item {
                text: topic(&burst.topic),
                href: rows(days, &[("topic", &burst.topic)]),
                note: format!(
                    "{}，{}",
                    words::period(days),
                    words::times_usual(burst.times_usual())
                ),
            }
        });
        let (gaps, gaps_said) = gaps(figures);
        let used = |topic: &str| figures.topics.contains_key(topic);
        let never: Vec<String> = library
            .topics
            .iter()
            .filter(|topic| !topic.is_top() && !used(&topic.id))
            .map(|topic| topic.name.clone())
            .collect();
        let entries = figures.entries_never.iter();
        let entries = entries.filter_map(|id| library.entry(id));
        let subs = library.topics.iter().filter(|t| !t.is_top()).count();
        Ok(Self {
            figures: if shown { big(figures) } else { Vec::new() },
            withheld: first.cloned().filter(|_| !shown),
            young: figures.volume.questions < YOUNG,
            charts,
            time: time.map(|table| {
                let way = |key: &str| {
                    let (from, to) = key.split_once('/')?;
                    let days = Period::new(from.parse().ok()?, to.parse().ok()?);
                    Some(rows(days, &[]))
                };
                let mut grid = Grid::of(table, way, none);
                // The chart above shows the same.
                grid.rows
                    .iter_mut()
                    .flatten()
                    .for_each(|cell| cell.bar = None);
                grid
            }),
            outcomes: table(named::OUTCOMES).map(|table| {
                let way = |key: &str| Some(rows(period, &[of_outcome(key)?]));
                Grid::of(table, way, none)
            }),
            tops: table(named::TOP_TOPICS).map(|table| {
                let hidden = |key: &str| held_back(figures.top_topics.get(key));
                Grid::of(table, to("topic"), hidden)
            }),
            subs: table(named::SUB_TOPICS).map(|table| Grid::of(table, to("topic"), none)),
            places: table(named::PLACES).map(|table| {
                let hidden = |key: &str| askers_of(&figures.places, key);
                Grid::of(table, to("place"), hidden)
            }),
            crossed: table(named::PLACE_TOPICS).map(|table| {
                let way = |top: &str, place: &str| {
                    let known = !top.is_empty() && !place.is_empty();
                    known.then(|| rows(period, &[("topic", top), ("place", place)]))
                };
                let hidden = |top: &str, place: &str| {
                    held_back(figures.place_topics.get(&format!("{place}|{top}")))
                };
                Grid::crossed(table, way, hidden)
            }),
            regions: table(named::REGIONS).map(|table| {
                let hidden = |key: &str| askers_of(&figures.regions, key);
                Grid::of(table, to("region"), hidden)
            }),
            region_topics: table(named::REGION_TOPICS).map(|table| {
                let way = |region: &str, top: &str| {
                    let known = !region.is_empty() && !top.is_empty() && top != REST;
                    known.then(|| rows(period, &[("region", region), ("topic", top)]))
                };
                let crossed = figures.region_topics.as_ref();
                let hidden = |region: &str, top: &str| {
                    let cell = crossed.and_then(|c| c.cells.get(&format!("{region}|{top}")));
                    held_back(cell.filter(|_| top != REST))
                };
                Grid::crossed(table, way, hidden)
            }),
            boards: table(named::BOARDS).map(|table| {
                let board = |key: &str| figures.boards.iter().find(|b| b.code == key);
                let hidden = |key: &str| held_back(board(key).map(|b| &b.tally));
                Grid::of(table, to("board"), hidden)
            }),
            activity_boards: table(named::ACTIVITY_BOARDS)
                .map(|table| Grid::of(table, |_| None, none)),
            balances: told_balances(figures, library, regions),
            bursts: bursts.collect(),
            gaps,
            gaps_said,
            unused: words::unused("条问答", figures.entries_never.len(), library.entries.len()),
            unused_entries: entries.take(NAMED).map(|e| e.question.clone()).collect(),
            unused_topics: words::unused("个具体主题", never.len(), subs),
            topics_never: never.into_iter().take(NAMED).collect(),
        })
    }
}

fn askers_of(balance: &Balance, key: &str) -> &'static str {
    let row = balance.rows.iter().find(|row| row.key == key);
    match row {
        Some(row) if row.askers.count < FEWEST_ASKERS => "少于5人",
        _ => held_back(None),
    }
}

/// The figures on top.
fn big(figures: &Figures) -> Vec<Figure> {
    let period = figures.period;
    let volume = &figures.volume;
    let here = rows(period, &[]);
    let about = if volume.askers.exact { "" } else { "约 " };
    let answered = [Outcome::Answered, Outcome::Resolved];
    let told = answered.iter().all(|o| figures.shows_outcome(*o));
    let of: u64 = figures
        .kinds
        .iter()
        .filter(|kind| answered.contains(&kind.outcome))
        .map(|kind| kind.share.of)
        .sum();
    let share = of as f64 / volume.questions.max(1) as f64;
    let helpful = figures.helpful;
    let (value, note) = match helpful.share.zip(helpful.interval) {
        Some((share, (low, high))) if helpful.may_be_told() => (
            format!("{:.0}%", share * 100.0),
            format!(
                "95% 区间 {:.0}% 到 {:.0}%，只算点了评价的",
                low * 100.0,
                high * 100.0
            ),
        ),
        _ => ("—".to_owned(), "点了评价的太少，不给比例".to_owned()),
    };
    vec![
        Figure {
            label: "提问次数",
            value: volume.questions.to_string(),
            note: match period.days() {
                1 => "这一天".to_owned(),
                days => format!("{days} 天，平均每天 {:.1} 次", volume.per_day),
            },
            href: here.clone(),
        },
        Figure {
            label: "提问人数",
            value: format!("{about}{}", volume.askers.count),
            note: "一个聊天账号算一个人；网页上关了浏览器再来，另算一个".to_owned(),
            href: here,
        },
        Figure {
            label: "答上的",
            value: if told {
                words::percent(share)
            } else {
                held_back(None).to_owned()
            },
            note: "直接答复，或者点开了选项".to_owned(),
            href: rows(period, &[("kind", "answer")]),
        },
        Figure {
            label: "觉得有用的",
            value,
            note,
            href: rows(period, &[("feedback", "yes")]),
        },
    ]
}

/// The newest gaps that may be told, and what is said of them.
fn gaps(figures: &Figures) -> (Vec<Item>, String) {
    let mut told: Vec<&Gap> = figures.gaps.iter().collect();
    told.retain(|gap| gap.shows_counts());
    let said = words::gaps(told.len(), figures.gaps.len() - told.len());
    told.sort_by_key(|gap| std::cmp::Reverse(gap.since));
    let items = told.into_iter().take(LISTED).map(|gap| Item {
        text: gap.examples.first().cloned().unwrap_or_default(),
        href: "/gaps".to_owned(),
        note: format!(
            "{} 次，{} 人，从{}起",
            gap.questions,
            gap.askers,
            words::day(gap.since)
        ),
    });
    (items.collect(), said)
}

//! Floor 6, report (成效报告): the figures of a period as the paper that an office hands in.
//!
//! [`Report::of`] makes one value from [`crate::insight::Figures`]: sections of sentences and tables. Three
//! writers put the same value on paper ([`docx`], [`xlsx`], [`csv`]), so that the three can never
//! differ. Nothing that must not leave the office gets into the value. [`poster`] stands by itself: QR codes to print.

mod compose;
pub mod csv;
pub mod docx;
mod fonts;
pub mod page;
mod picture;
pub mod poster;
mod tables;
pub mod words;
pub mod xlsx;

use chrono::NaiveDate;

use crate::insight::Period;

pub use compose::{Source, told_balances, told_bursts};

pub use picture::{Painter, drawn};

/// The family of the system's font that holds Chinese; `None` when there is none: posters and charts of a
/// Word document need one.
pub fn chinese_font() -> Option<&'static str> {
    fonts::ChineseFont::of_system().map(|font| font.family)
}

/// What goes wrong while a report is written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Word.
    #[error("Word 文件写不出来：{0}")]
    Docx(String),
    /// Excel.
    #[error("Excel 文件写不出来：{0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// CSV.
    #[error("CSV 文件写不出来：{0}")]
    Csv(#[from] ::csv::Error),
    /// A chart.
    #[error("图“{title}”画不出来：{why}")]
    Picture {
        /// Its title.
        title: String,
        /// What the painter says.
        why: String,
    },
}

/// One figure, word or gap in a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words; never a formula, whatever they begin with.
    Text(String),
    /// A number that was counted.
    Count(u64),
    /// A number that was estimated: 约.
    About(u64),
    /// A share, 0 to 1, told in percent with one decimal.
    Share(f64),
    /// How many times as much, with two decimals.
    Times(f64),
    /// Must not leave the office.
    Hidden,
    /// There is nothing to tell.
    Blank,
}

/// What stands in the place of a figure that must not leave the office.
pub const HIDDEN: &str = "—";

impl Cell {
    /// Words, without the control characters that no document may hold.
    pub fn text(words: impl AsRef<str>) -> Self {
        Self::Text(words.as_ref().chars().filter(|c| !c.is_control()).collect())
    }

    /// As it is read in Word and in CSV.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(words) => words.clone(),
            Self::Count(count) => count.to_string(),
            Self::About(count) => format!("约 {count}"),
            Self::Share(share) => format!("{:.1}%", share * 100.0),
            Self::Times(times) => format!("{times:.2}"),
            Self::Hidden => HIDDEN.to_owned(),
            Self::Blank => String::new(),
        }
    }

    /// The number behind it, for a chart.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) | Self::About(count) => Some(*count as f64),
            Self::Share(number) | Self::Times(number) => Some(*number),
            Self::Text(_) | Self::Hidden | Self::Blank => None,
        }
    }
}

/// How the rows of a table are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Lying bars, one a row.
    Bars,
    /// Standing columns, in order of time.
    Columns,
}

/// A chart of one column of a table against its first.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// 图题
    pub title: String,
    /// Bars or columns.
    pub shape: Shape,
    /// Which column holds the numbers.
    pub column: usize,
    /// How many rows are drawn, from the first on.
    pub rows: usize,
}

/// A numbered table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A short name, the sheet's in Excel.
    pub name: &'static str,
    /// 表题, without its number.
    pub caption: String,
    /// Heads of the columns with their widths, in parts of any size.
    pub heads: Vec<(String, u32)>,
    /// Rows, each as long as `heads`.
    pub rows: Vec<Vec<Cell>>,
    /// What each row is of, by the journal's ids, days as `2026-07-01/2026-07-05`: for who looks rows up. Empty
    /// where there is nothing to look up.
    pub keys: Vec<String>,
    /// The same of the columns after the first, where two things are crossed.
    pub across: Vec<String>,
    /// How to read it.
    pub note: Option<String>,
    /// Its chart.
    pub chart: Option<Chart>,
}

impl Table {
    /// Its chart, when there is anything to draw: not of nothing but zeros and cells held back.
    pub fn drawable(&self) -> Option<&Chart> {
        let chart = self.chart.as_ref()?;
        let mut rows = self.rows.iter().take(chart.rows);
        let tells = |row: &Vec<Cell>| row[chart.column].number().is_some_and(|n| n > 0.0);
        rows.any(tells).then_some(chart)
    }

    /// Whether a cell was held back.
    pub fn hides(&self) -> bool {
        self.rows.iter().flatten().any(|cell| *cell == Cell::Hidden)
    }
}

/// A chapter: sentences, then tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Title, without its number.
    pub title: &'static str,
    /// Paragraphs.
    pub paragraphs: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// A report, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The office.
    pub office: String,
    /// 题目
    pub title: String,
    /// The period.
    pub period: Period,
    /// The day it was made.
    pub made: NaiveDate,
    /// Chapters.
    pub sections: Vec<Section>,
    /// Method and limits.
    pub limits: Vec<String>,
}

/// Names of tables that are looked up.
pub mod named {
    /// What became of the questions.
    pub const OUTCOMES: &str = "答复情况";
    /// Questions over time.
    pub const TIME: &str = "时间分布";
    /// By top topic.
    pub const TOP_TOPICS: &str = "主题大类";
    /// The most asked sub-topics.
    pub const SUB_TOPICS: &str = "具体主题";
    /// By place.
    pub const PLACES: &str = "场所";
    /// By region.
    pub const REGIONS: &str = "村社区";
    /// Place by top topic.
    pub const PLACE_TOPICS: &str = "场所和主题";
    /// Region by top topic.
    pub const REGION_TOPICS: &str = "村社区和主题";
    /// By board.
    pub const BOARDS: &str = "宣传点";
    /// By the activity that boards were put up for.
    pub const ACTIVITY_BOARDS: &str = "活动的宣传点";
    /// The entries shown most.
    pub const ENTRIES: &str = "常用问答";
}

impl Report {
    /// All tables in order: table 1 is the first.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.sections.iter().flat_map(|section| &section.tables)
    }

    /// A table by its name, if the report has it.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables().find(|table| table.name == name)
    }
}

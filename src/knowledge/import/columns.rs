//! The columns of the staff's Excel sheet: one list for the template, the reader and the reports.

use std::fmt;

use super::sheet::Columns;
use crate::knowledge::entry_file::{MAX_ANSWER_CHARS, MAX_STEPS, MIN_PHRASINGS};

/// As many citations as the sheet has room for.
const MAX_BASIS: usize = 5;

/// One column of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// 小主题
    Topic,
    /// 场所
    Places,
    /// 问题
    Question,
    /// 问法
    Phrasings,
    /// 短答
    Answer,
    /// 怎么做1, 怎么做2, …
    Step(usize),
    /// 依据1, 依据2, …
    Basis(usize),
    /// 时限
    Limits,
    /// 找谁
    Contacts,
    /// 别踩坑
    Pitfalls,
    /// 核对日期
    Reviewed,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic => f.write_str("小主题"),
            Self::Places => f.write_str("场所"),
            Self::Question => f.write_str("问题"),
            Self::Phrasings => f.write_str("问法"),
            Self::Answer => f.write_str("短答"),
            Self::Step(n) => write!(f, "怎么做{n}"),
            Self::Basis(n) => write!(f, "依据{n}"),
            Self::Limits => f.write_str("时限"),
            Self::Contacts => f.write_str("找谁"),
            Self::Pitfalls => f.write_str("别踩坑"),
            Self::Reviewed => f.write_str("核对日期"),
        }
    }
}

impl Columns for Column {
    fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Topic,
            Self::Places,
            Self::Question,
            Self::Phrasings,
            Self::Answer,
        ];
        all.extend((1..=MAX_STEPS).map(Self::Step));
        all.extend((1..=MAX_BASIS).map(Self::Basis));
        all.extend([Self::Limits, Self::Contacts, Self::Pitfalls, Self::Reviewed]);
        all
    }

    fn is_required(self) -> bool {
        !matches!(self, Self::Step(2..) | Self::Basis(2..) | Self::Pitfalls)
    }

    fn is_day(self) -> bool {
        self == Self::Reviewed
    }

    fn is_count(self) -> bool {
        false
    }
}

impl Column {
    /// The width in characters: one column is to fit a small screen whole.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Reviewed => 12.0,
            Self::Places => 16.0,
            Self::Topic | Self::Question | Self::Contacts => 24.0,
            Self::Step(_) | Self::Limits | Self::Pitfalls => 30.0,
            Self::Phrasings | Self::Answer | Self::Basis(_) => 36.0,
        }
    }

    /// What the sheet says when a cell of the column is chosen; Excel shows at most 255 characters.
    pub(super) fn prompt(self) -> String {
        match self {
            Self::Topic => "从下拉列表里选；全部小主题见第二张表“主题”。".into(),
            Self::Places => {
                "说给谁听。可以写几个，用 ｜ 隔开，如：企业｜乡村。名称见第二张表。".into()
            }
            Self::Question => "老百姓最常问的那句话，带问号。一行只写一个问题。".into(),
            Self::Phrasings => {
                format!("别的问法，至少 {MIN_PHRASINGS} 个，用 ｜ 隔开，像不同的人在说话。")
            }
            Self::Answer => {
                format!(
                    "短答，最多 {MAX_ANSWER_CHARS} 个字。先说能不能、该怎么办，再说最要紧的数字。"
                )
            }
            Self::Step(1) => "第一步做什么。一格只写一步，不用写序号。".into(),
            Self::Step(_) => "下一步；没有就空着。".into(),
            Self::Basis(1) => {
                "最直接的一条：《劳动法》第五十条：一句大白话。条号用汉字，不抄法条原文。".into()
            }
            Self::Basis(_) => "下一条法律依据；没有就空着。写法同“依据1”。".into(),
            Self::Limits => "多少天、多少年，从哪天起算。没有期限也要说清楚。".into(),
            Self::Contacts => {
                "单位：电话，如 法律援助：12348。几个单位分行写（Alt+Enter）或用 ｜ 隔开。".into()
            }
            Self::Pitfalls => "大家常吃的亏，可以空着。几条分行写（Alt+Enter）。".into(),
            Self::Reviewed => "对照现行法条核对完的日期，如 2026-11-23。".into(),
        }
    }

    /// The word that the checker uses for what stands in this column.
    pub(super) fn section(self) -> String {
        match self {
            Self::Step(_) => "怎么做".into(),
            Self::Basis(_) => "依据".into(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_and_heads_fit_excel() {
        for column in Column::all() {
            assert!(column.prompt().chars().count() <= 255);
            assert!(column.to_string().chars().count() <= 32);
        }
    }
}

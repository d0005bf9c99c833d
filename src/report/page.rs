//! Numbers of chapters, and what stands on the title page, the same for all writers and the preview.

use super::{Report, words};

const CHAPTERS: [&str; 10] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"];

/// `一、概述`
pub fn heading(at: usize, title: &str) -> String {
    let number = CHAPTERS.get(at).copied().unwrap_or("");
    format!("{number}、{title}")
}

/// `表 1  答复情况`
pub fn caption(number: usize, caption: &str) -> String {
    format!("表 {number}  {caption}")
}

/// The heading of the box.
pub const LIMITS: &str = "方法和界限";

/// The note under a table that holds something back.
pub const HIDING: &str = "写“—”的，提问人不到 5 个，或者显示了就能推算出这样的数字。";

impl Report {
    /// Period and days as the title page has them.
    pub fn when(&self) -> String {
        let name = words::period(self.period);
        let days = format!(
            "{}至{}",
            words::day(self.period.from),
            words::day(self.period.to)
        );
        match name == days {
            true => days,
            false => format!("{name}（{days}）"),
        }
    }
}

//! The columns of the ledger's sheet: one list for the template, the reader and the command line.

use std::fmt;

use crate::knowledge::import::sheet::Columns;

/// One column of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// 活动名称
    Title,
    /// 开始日期
    From,
    /// 结束日期
    To,
    /// 形式
    Media,
    /// 主题
    Topics,
    /// 场所
    Places,
    /// 村(社区)
    Regions,
    /// 地点
    Venue,
    /// 责任单位
    Unit,
    /// 责任人
    Person,
    /// 参加人数
    Attendance,
    /// 发放份数
    Materials,
    /// 备注
    Note,
    /// 附件
    Attachments,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Title => "活动名称",
            Self::From => "开始日期",
            Self::To => "结束日期",
            Self::Media => "形式",
            Self::Topics => "主题",
            Self::Places => "场所",
            Self::Regions => "村(社区)",
            Self::Venue => "地点",
            Self::Unit => "责任单位",
            Self::Person => "责任人",
            Self::Attendance => "参加人数",
            Self::Materials => "发放份数",
            Self::Note => "备注",
            Self::Attachments => "附件",
        })
    }
}

impl Columns for Column {
    fn all() -> Vec<Self> {
        vec![
            Self::Title,
            Self::From,
            Self::To,
            Self::Media,
            Self::Topics,
            Self::Places,
            Self::Regions,
            Self::Venue,
            Self::Unit,
            Self::Person,
            Self::Attendance,
            Self::Materials,
            Self::Note,
            Self::Attachments,
        ]
    }

    fn is_required(self) -> bool {
        matches!(
            self,
            Self::Title | Self::From | Self::Media | Self::Places | Self::Unit
        )
    }

    fn is_day(self) -> bool {
        matches!(self, Self::From | Self::To)
    }

    fn is_count(self) -> bool {
        matches!(self, Self::Attendance | Self::Materials)
    }
}

impl Column {
    /// The most characters that one text of the column may have.
    pub(super) fn most_chars(self) -> usize {
        match self {
            Self::Note => 500,
            Self::Attachments => 100,
            _ => 60,
        }
    }

    /// The width in characters.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Attendance | Self::Materials | Self::Person => 11.0,
            Self::From | Self::To => 13.0,
            Self::Media | Self::Places | Self::Regions | Self::Unit => 18.0,
            Self::Title | Self::Topics | Self::Venue | Self::Note | Self::Attachments => 28.0,
        }
    }

    /// What the sheet says when a cell of the column is chosen; Excel shows at most 255 characters.
    pub(super) fn prompt(self) -> &'static str {
        match self {
            Self::Title => "这次活动叫什么，必填，最多 60 个字。",
            Self::From => "哪一天，如 2026-06-10，必填。",
            Self::To => "做了几天的写最后一天；只做一天就空着。",
            Self::Media => "必填。可以写几个，用 、 隔开，如：讲座、发放资料。名称见第二张表。",
            Self::Topics => {
                "讲什么。可以写几个，用 ｜ 隔开，小主题、大主题都行，名称见第二张表。\
                 空着就算不出这次活动的效果。"
            }
            Self::Places => "七进里的哪一进，必填。可以写几个，用 ｜ 隔开，名称见第二张表。",
            Self::Regions => "在哪个村(社区)。可以写几个，用 ｜ 隔开；面向全镇就空着。",
            Self::Venue => "具体在哪里，如：文化广场。",
            Self::Unit => "谁办的，必填。写法要和责任清单一致。",
            Self::Person => "谁负责。只写姓名，不写电话。",
            Self::Attendance => "多少人参加，只写数字；没有数过就空着，不要估。",
            Self::Materials => "发了多少份资料，只写数字；没有数过就空着。",
            Self::Note => "别的要说的，最多 500 个字。不写居民的姓名、电话、身份证号。",
            Self::Attachments => {
                "照片、签到表等的文件名，几个用 ｜ 隔开。文件自己存好，这里只记名字。"
            }
        }
    }
}

//! The flags of `qijin activity add` and `edit`, one for each column of the sheet.

use std::collections::BTreeMap;

use clap::Args;

use crate::ledger::Column;

#[derive(Args)]
pub(super) struct Fields {
    /// 活动名称
    #[arg(long, value_name = "名称")]
    title: Option<String>,
    /// 开始日期，如 2026-06-10
    #[arg(long, value_name = "日期")]
    from: Option<String>,
    /// 结束日期；只做一天不用写
    #[arg(long, value_name = "日期")]
    to: Option<String>,
    /// 形式：讲座、发放资料、横幅、宣传栏、黑板报、广播、入户、推送、以案释法、模拟法庭、现场咨询、会议学法、文艺演出、视频、其他
    #[arg(long, value_name = "形式")]
    media: Option<String>,
    /// 主题：资料库里的小主题或大主题
    #[arg(long, value_name = "主题")]
    topic: Option<String>,
    /// 场所：七进里的哪一进
    #[arg(long, value_name = "场所")]
    place: Option<String>,
    /// 村(社区)；不写就是面向全镇
    #[arg(long, value_name = "村")]
    region: Option<String>,
    /// 地点
    #[arg(long, value_name = "地点")]
    venue: Option<String>,
    /// 责任单位（默认本单位）
    #[arg(long, value_name = "单位")]
    unit: Option<String>,
    /// 责任人
    #[arg(long, value_name = "姓名")]
    person: Option<String>,
    /// 参加人数；没有数过就不写
    #[arg(long, value_name = "人数")]
    attendance: Option<String>,
    /// 发放份数；没有数过就不写
    #[arg(long, value_name = "份数")]
    materials: Option<String>,
    /// 备注
    #[arg(long, value_name = "备注")]
    note: Option<String>,
    /// 附件的文件名；文件自己存好
    #[arg(long, value_name = "文件名")]
    attachment: Option<String>,
}

/// The flag of a column.
pub(super) fn flag(column: Column) -> &'static str {
    match column {
        Column::Title => "--title",
        Column::From => "--from",
        Column::To => "--to",
        Column::Media => "--media",
        Column::Topics => "--topic",
        Column::Places => "--place",
        Column::Regions => "--region",
        Column::Venue => "--venue",
        Column::Unit => "--unit",
        Column::Person => "--person",
        Column::Attendance => "--attendance",
        Column::Materials => "--materials",
        Column::Note => "--note",
        Column::Attachments => "--attachment",
    }
}

impl Fields {
    /// What was given, by column.
    pub(super) fn cells(&self) -> BTreeMap<Column, String> {
        let all = [
            (Column::Title, &self.title),
            (Column::From, &self.from),
            (Column::To, &self.to),
            (Column::Media, &self.media),
            (Column::Topics, &self.topic),
            (Column::Places, &self.place),
            (Column::Regions, &self.region),
            (Column::Venue, &self.venue),
            (Column::Unit, &self.unit),
            (Column::Person, &self.person),
            (Column::Attendance, &self.attendance),
            (Column::Materials, &self.materials),
            (Column::Note, &self.note),
            (Column::Attachments, &self.attachment),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(column, value)| Some((column, value.clone()?)))
            .collect()
    }
}

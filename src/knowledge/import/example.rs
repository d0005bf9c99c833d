//! The worked example of the template: a row that would pass, were it not marked to be skipped.

use super::choices::topic_choice;
use super::columns::Column;
use crate::knowledge::Library;

/// A question that starts so is the template's example and is not imported.
pub(super) const MARK: &str = "（示例）";

/// What stands in a column of the example row.
pub(super) fn cell(column: Column, library: &Library) -> String {
    let text = match column {
        Column::Topic => {
            let mut subs = library.topics.iter().filter(|t| !t.is_top());
            let first = subs.clone().next();
            let fitting = subs.find(|t| t.id == "neighbor.adjacent").or(first);
            return fitting.map(topic_choice).unwrap_or_default();
        }
        Column::Places => {
            let village = library.place("village").or(library.places.first());
            return village.map(|p| p.name.clone()).unwrap_or_default();
        }
        Column::Question => "（示例）邻居家的羊吃了我家的菜，怎么赔？",
        Column::Phrasings => {
            "羊跑到我地里把菜啃光了 ｜ 隔壁的羊糟蹋我庄稼 ｜ 他说羊又不懂事凭啥赔 ｜ \
             一群羊进了菜园子找谁要钱 ｜ 牛踩了我的秧苗咋个办 ｜ 放羊的不认账"
        }
        Column::Answer => {
            "养羊的人要赔。先拍照留证、当面商量，谈不拢请村里调解；还不行可以起诉，要在三年内提出。"
        }
        Column::Step(1) => "把羊和被吃的菜拍下来，记下时间和有多大一片。",
        Column::Step(2) => "和养羊的人当面算一算值多少钱，谈好写个字据。",
        Column::Step(3) => "谈不拢，找村人民调解委员会，调解不收钱。",
        Column::Step(4) => "还是不赔，带上照片和证人去法院起诉。",
        Column::Basis(1) => {
            "《民法典》第一千二百四十五条：养的动物伤了人、毁了东西，养的人要赔；自己故意或大意引起的可以少赔。"
        }
        Column::Basis(2) => {
            "《民法典》第一千一百八十四条：毁了东西，按当时的市场价或别的合理办法算钱。"
        }
        Column::Basis(3) => "《民法典》第一百八十八条：打官司的期限一般是三年。",
        Column::Limits => "三年，从知道菜被吃了、也知道是谁家的羊那天起算。",
        Column::Contacts => "村人民调解委员会\n法律咨询：12348",
        Column::Pitfalls => "别把羊扣下或打死：弄伤了反过来要赔人家。",
        Column::Reviewed => "2026-11-23",
        Column::Step(_) | Column::Basis(_) => "",
    };
    text.to_owned()
}

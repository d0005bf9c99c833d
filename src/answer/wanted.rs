//! What a turn wants to know of the entry in hand: which of its sections, which of its basis.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::text::bigrams;

/// What a turn wants to know of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// 时限
    Limits,
    /// 找谁
    Contacts,
    /// 怎么做
    Steps,
    /// 依据
    Basis,
    /// 费用: the lines that speak of it.
    Fees,
}

impl Wanted {
    /// As staff read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Limits => "时限",
            Self::Contacts => "找谁",
            Self::Steps => "怎么做",
            Self::Basis => "依据",
            Self::Fees => "费用",
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Limits => &[
                "多久",
                "几天",
                "多长时间",
                "多少天",
                "什么时候",
                "啥时候",
                "啥时",
                "期限",
                "时限",
                "时间限制",
                "限时",
                "时效",
                "几年",
                "几个月",
                "来得及",
                "过期",
                "多少日",
                "好久",
                "哪天",
            ],
            Self::Contacts => &[
                "找谁",
                "找哪",
                "哪个部门",
                "什么部门",
                "啥部门",
                "哪里",
                "哪儿",
                "在哪",
                "去哪",
                "到哪",
                "向哪",
                "向谁",
                "跟谁",
                "问谁",
                "电话",
                "谁管",
                "哪管",
                "哪个管",
                "哪个单位",
                "什么单位",
            ],
            Self::Steps => &[
                "材料",
                "手续",
                "证据",
                "资料",
                "证件",
                "证明",
                "流程",
                "步骤",
                "怎么办",
                "咋办",
                "怎么弄",
                "咋弄",
                "咋整",
                "怎么申请",
                "怎么写",
                "怎么做",
                "带什么",
                "带啥",
                "带些",
                "准备",
                "要办",
                "怎么告",
                "怎么走",
                "不肯",
                "不同意",
                "不理",
                "不认",
                "不承认",
                "不服",
                "耍赖",
                "反悔",
                "不退",
                "不赔",
                "不给",
                "不修",
                "不还",
                "联系不上",
                "跑了",
                "哪些东西",
                "啥东西",
                "什么东西",
            ],
            Self::Basis => &[
                "依据",
                "哪条",
                "哪一条",
                "哪部法",
                "第几条",
                "哪个法",
                "什么法",
                "啥法",
            ],
            Self::Fees => &[
                "要钱",
                "花钱",
                "交钱",
                "收钱",
                "收费",
                "交费",
                "费用",
                "花多少",
                "免费",
                "手续费",
                "要不要钱",
            ],
        }
    }

    /// Whether a line of an entry's basis speaks of what is wanted.
    fn spoken_of_in(self, says: &str) -> bool {
        let words: &[&str] = match self {
            Self::Limits => &[
                "日内",
                "天内",
                "个月",
                "小时",
                "年内",
                "期限",
                "不超过",
                "延长",
                "以内",
            ],
            Self::Contacts => &["向", "到", "机关", "部门", "法院"],
            Self::Steps => &["材料", "提交", "申请", "证明", "可以"],
            Self::Basis => &[],
            Self::Fees => &["费", "免"],
        };
        words.iter().any(|word| says.contains(word))
    }

    /// Everything that a turn points at, in the order asked.
    pub(super) fn of(turn: &str) -> Vec<Self> {
        let all = [
            Self::Limits,
            Self::Contacts,
            Self::Steps,
            Self::Basis,
            Self::Fees,
        ];
        let mut found: Vec<(usize, Self)> = all
            .into_iter()
            .filter_map(|wanted| {
                let at = wanted.words().iter().filter_map(|word| turn.find(word));
                Some((at.min()?, wanted))
            })
            .collect();
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, wanted)| wanted).collect()
    }
}

/// The order in which an entry's basis bears on a turn: what shares most with it first.
pub(super) fn bearing(turn: &str, wanted: &[Wanted], says: &[String]) -> Vec<usize> {
    let grams = |text: &str| -> HashSet<String> {
        let pairs = bigrams(text).into_iter().map(|w| w.text);
        pairs.collect()
    };
    let asked = grams(turn);
    let mut order: Vec<usize> = (0..says.len()).collect();
    order.sort_by_key(|n| {
        let shared = grams(&says[*n]).intersection(&asked).count();
        let speaks = wanted.iter().filter(|w| w.spoken_of_in(&says[*n])).count();
        Reverse(2 * shared + speaks)
    });
    order
}

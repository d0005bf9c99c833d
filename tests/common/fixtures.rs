//! The questions of the small library in `tests/data/library`.

use chrono::{DateTime, Utc};
use qijin::journal::{Asker, Record};

/// Titles of entries that a resident can ask for word by word, each answered at once.
pub const QUESTIONS: [&str; 10] = [
    "老板拖欠工资怎么办？",
    "加班不给加班费怎么办？",
    "没签劳动合同能要双倍工资吗？",
    "试用期工资最少给多少？",
    "被辞退能拿多少补偿？",
    "在工地摔伤算不算工伤？",
    "单位不给缴社保怎么办？",
    "休年假要扣工资吗？",
    "怀孕了被辞退怎么办？",
    "彩礼能要回来吗？",
];

/// Half-questions that fit several entries, or none quite. Which of them leave the bot unsure
/// depends on the fitted model, so the first that is met with choices serves.
pub const UNCLEAR: [&str; 12] = [
    "钱被扣了",
    "赔偿标准",
    "怎么起诉",
    "证据不够",
    "要花多少钱",
    "打官司要多久",
    "老板不给钱",
    "被狗咬了",
    "合同工资",
    "咬伤人谁来赔",
    "试用期被辞退",
    "狗咬伤人谁赔",
];

/// Words that no entry shares.
pub const NOT_IN_LIBRARY: &str = "卫星轨道";

/// A question of a resident of r01 that an entry answered.
pub fn asked(asker: &Asker, at: DateTime<Utc>, topic: &str) -> Record {
    Record {
        at,
        channel: "telegram".into(),
        asker: Some(asker.clone()),
        region: Some("r01".into()),
        board: None,
        place: Some("village".into()),
        topic: Some(topic.into()),
        topic_confidence: 0.9,
        kind: "answer".into(),
        entry: None,
        rule: None,
        confidence: 0.9,
        reply: String::new(),
        latency_us: 1500,
        text: "工地不给钱".into(),
        parent: None,
        request: None,
    }
}

//! The fixed words of the channel.

use crate::answer::Office;

pub(super) const TOO_FAST: &str =
    "您发得太快了，我只能一条一条回答。请稍等一会儿，把问题合成一句再发。";
pub(super) const APOLOGY: &str =
    "对不起，刚才那条我没能答上来。请再发一次；着急的话打 12348 公共法律服务热线（免费）。";
pub(super) const ONLY_TEXT: &str =
    "我只看得懂文字，看不了图片、语音和文件。请用一句话打字说说遇到了什么事。";
pub(super) const GONE: &str = "这一条资料已经更新，请重新问一次。";
pub(super) const THANKS: &str = "谢谢！您的评价会帮我们改进。";
pub(super) const SORRY: &str = "记下了，我们会改进。可以换个说法再问，或点“找人问”。";
pub(super) const NOT_YOURS: &str = "这是别人的提问，只有提问的人能评价。";
pub(super) const CHOOSE_PLACE: &str = "按场所翻看：请选一个。";
pub(super) const FORGET_ASK: &str = "要删除这里存的、与您有关的全部提问记录吗？删了就找不回来。";
pub(super) const FORGET_NOT: &str = "好的，什么都没有删。";
pub(super) const FORGET_FAILED: &str = "对不起，现在删不了，什么都没有删。请过几分钟再发 /forget。";

pub(super) fn welcome(office: &Office) -> String {
    format!(
        "您好，我是{}的普法问答机器人。\n\n遇到工资、土地、邻里、婚姻、借钱、被骗这些事，用平常话说一句就行，比如：\n· 干完活老板不给钱怎么办\n· 邻居盖房挡了我家光\n· 借条没写利息能要吗\n\n有人身危险，先打 110；受伤、中毒打 120。\n\n/topics 按场所和主题翻看\n/contact 找人问\n/privacy 会记下什么\n\n我不是律师，答复只供参考。请不要发身份证号、银行卡号。",
        office.name
    )
}

pub(super) fn help() -> String {
    "怎么用：\n· 直接打字，说清楚谁、什么事、多久了，答得更准\n· 点 👍 或 👎 告诉我答得好不好\n· 点“找人问”看找谁\n\n/topics 按场所和主题翻看\n/contact 联系方式\n/privacy 会记下什么\n/forget 删除我的记录".to_owned()
}

pub(super) fn privacy(retention_days: Option<u32>) -> String {
    let words = match retention_days {
        Some(0) | None => "您的原话不保存。".to_owned(),
        Some(days) => {
            format!("您的原话先把身份证号、电话、银行卡号、车牌这些打上码再存，{days} 天后删除。")
        }
    };
    format!(
        "会记下什么：\n· 提问的时间、主题、场所、答得怎么样，用来统计大家关心什么。\n· {words}\n· 为了听懂您接着问的，刚才的几句话最多留一刻钟，不写成明文，过后作废。\n· 不存您的 Telegram 账号、名字、电话。为了数有多少人问，账号换成一串认不出人的代号，只有本单位的机器能算出同一个代号。\n· 点“找人问”就是同意把那个问题转给工作人员：聊天地址加密存着，答复之后就删，最多留 30 天。\n· 统计表里不到 5 个人的格子不显示。\n\n发 /forget 可以把与您有关的记录全部删掉。姓名、住址不会自动打码，请不要写进问题里。"
    )
}

pub(super) fn forgotten(questions: u64) -> String {
    if questions == 0 {
        "这里没有与您有关的提问记录。扫码来源（如果有）也已删除。".to_owned()
    } else {
        format!("已删除与您有关的 {questions} 条提问记录和扫码来源。")
    }
}

/// An officer's answer; nothing says who wrote it.
pub(super) fn from_staff(office: &str, question: Option<&str>, text: &str) -> String {
    let asked = question.map_or_else(String::new, |question| {
        let mut shown: String = question.chars().take(60).collect();
        if shown.len() < question.len() {
            shown.push('…');
        }
        format!("您问：{shown}\n\n")
    });
    format!("【{office}工作人员答复】\n{asked}{text}\n\n还有问题，直接打字接着问。")
}

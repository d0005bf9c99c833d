//! `guard/*.tsv`: messages with what they need, from which the guard learns.
//!
//! One line a message: the id of a rule of `risk.toml`, or `legal` for a question that must be
//! answered although it sounds like something else; a tab; the message.

use super::{Example, RiskRule};
use crate::knowledge::finding::{Finding, SourceFile};
use crate::knowledge::tables::rows;

/// Stands for "a question about the law".
const LEGAL: &str = "legal";

/// The examples of `source`, without lines that have findings.
pub(in crate::knowledge) fn read(
    source: &SourceFile<'_>,
    rules: &[RiskRule],
    findings: &mut Vec<Finding>,
) -> Vec<Example> {
    let mut out = Vec::new();
    for (range, row) in rows(source) {
        let [label, text] = row.as_slice() else {
            let what = "这一行要有两列：规则名、一句话";
            let help = "两列之间用 Tab 键隔开，例如：medicine\t娃发烧三十九度吃啥药";
            findings.push(source.error("bad-row", range, what).help(help));
            continue;
        };
        let rule = rules.iter().position(|rule| rule.id == *label);
        if rule.is_none() && *label != LEGAL {
            let what = format!("risk.toml 里没有规则“{label}”");
            let help = "写规则的 id；该当法律问题回答的写 legal";
            findings.push(source.error("unknown-rule", range, what).help(help));
            continue;
        }
        out.push(Example {
            rule,
            text: (*text).to_owned(),
        });
    }
    out
}

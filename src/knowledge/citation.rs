//! Reading a line of 依据: `《law》第N条：what it says in plain words`.

use super::Citation;

/// A basis line taken apart.
pub(super) struct BasisLine {
    pub citation: Citation,
    pub says: String,
}

/// Why a line is no citation, in words for staff.
pub(super) type Fault = &'static str;

const NUMERALS: &str = "零一二三四五六七八九十百千";

/// Splits `《…》rest`, minding names that contain names (《关于适用〈民法典〉…》, 《…《民法典》…》).
fn split_law(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('《')?;
    let mut depth = 1;
    for (at, c) in inner.char_indices() {
        match c {
            '《' => depth += 1,
            '》' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inner[..at], &inner[at + c.len_utf8()..]));
        }
    }
    None
}

/// Splits `第…条[之…][第…款][第…项]rest` into the article and what follows.
fn split_article(text: &str) -> Option<(String, &str)> {
    let numeral = |s: &str| -> usize {
        s.chars()
            .take_while(|c| NUMERALS.contains(*c))
            .map(char::len_utf8)
            .sum()
    };
    let rest = text.strip_prefix('第')?;
    let digits = numeral(rest);
    let mut tail = rest[digits..].strip_prefix('条')?;
    if digits == 0 {
        return None;
    }
    let mut article = format!("第{}条", &rest[..digits]);
    if let Some(after) = tail.strip_prefix('之') {
        let digits = numeral(after);
        if digits > 0 {
            article.push('之');
            article.push_str(&after[..digits]);
            tail = &after[digits..];
        }
    }
    // A paragraph or item may be named; the citation is the article.
    while let Some(after) = tail.strip_prefix('第') {
        let after = after.strip_prefix('（').unwrap_or(after);
        let digits = numeral(after);
        let after = after[digits..]
            .strip_prefix('）')
            .unwrap_or(&after[digits..]);
        match after
            .strip_prefix('款')
            .or_else(|| after.strip_prefix('项'))
        {
            Some(after) if digits > 0 => tail = after,
            _ => break,
        }
    }
    Some((article, tail))
}

/// The law's name as replies and journals write it: half/full-width brackets unified,
/// without 中华人民共和国 and inner 〈〉.
pub(super) fn official_name(law: &str) -> String {
    law.replace("中华人民共和国", "")
        .replace('(', "（")
        .replace(')', "）")
        .replace('〈', "《")
        .replace('〉', "》")
        .split_whitespace()
        .collect()
}

pub(super) fn parse_basis(line: &str) -> Result<BasisLine, Fault> {
    let (law, rest) = split_law(line.trim()).ok_or("不是法条引用：要以《法律名》开头")?;
    let (article, rest) =
        split_article(rest).ok_or("不是法条引用：《法律名》后面要写“第N条”，N 用汉字数字")?;
    let says = rest
        .strip_prefix('：')
        .or_else(|| rest.strip_prefix(':'))
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .ok_or("条号后面要加“：”和一句大白话")?;
    if law.trim().is_empty() {
        return Err("《》里没有法律名");
    }
    Ok(BasisLine {
        citation: Citation {
            law: official_name(law),
            article,
        },
        says: says.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::parse_basis;

    fn cite(line: &str) -> Option<String> {
        parse_basis(line).ok().map(|b| b.citation.to_string())
    }

    #[test]
    fn reads_names_within_names_and_suffixes() {
        assert_eq!(
            cite(
                "《最高人民法院关于适用〈中华人民共和国民法典〉婚姻家庭编的解释（一）》第五条第一款第（二）项：彩礼"
            ),
            Some("《最高人民法院关于适用《民法典》婚姻家庭编的解释（一）》第五条".into())
        );
        assert_eq!(
            cite("《刑法》第一百二十条之一：资助"),
            Some("《刑法》第一百二十条之一".into())
        );
    }

    #[test]
    fn refuses_what_is_no_citation() {
        for line in [
            "民法典第五条：没有书名号",
            "《民法典》第5条：阿拉伯数字",
            "《民法典》：没有条号",
            "《民法典》第五条",
            "《》第五条：无名",
            "《民法典第五条：没有收尾",
        ] {
            assert!(parse_basis(line).is_err(), "{line}");
        }
    }
}

//! Regions (村、社区): the township's villages and communities, as configured.

use serde::Deserialize;

/// A village or community.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// What the journal keeps and links hold, `r01`.
    pub code: String,
    /// What staff read, `青石村`.
    pub name: String,
}

impl Region {
    /// Whether a word can be a code: with `r_` before it, it must fit a deep link.
    pub fn is_code(word: &str) -> bool {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        (1..=30).contains(&word.len()) && word.bytes().all(letter)
    }
}

/// `[regions]`: the township and what lies in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Regions {
    /// The township's name; may be empty.
    pub township: String,
    /// Its villages and communities.
    pub list: Vec<Region>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    township: String,
    #[serde(default)]
    list: Vec<Region>,
}

impl TryFrom<Raw> for Regions {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        for (at, region) in raw.list.iter().enumerate() {
            let Region { code, name } = region;
            if !Region::is_code(code) {
                return Err(format!(
                    "regions.list 里的编号“{code}”不行：用 1 到 30 个小写字母、数字、-、_"
                ));
            }
            if name.trim().is_empty() {
                return Err(format!("regions.list 里的 {code} 没有名称"));
            }
            let before = &raw.list[..at];
            if before.iter().any(|r| r.code == *code || r.name == *name) {
                return Err(format!("regions.list 里的 {code}（{name}）重复"));
            }
        }
        Ok(Self {
            township: raw.township,
            list: raw.list,
        })
    }
}

impl Regions {
    /// The code of what somebody wrote: a name or a code.
    pub fn code_of(&self, written: &str) -> Option<&str> {
        let mut all = self.list.iter();
        let found = all.find(|r| r.name == written || r.code == written);
        found.map(|region| region.code.as_str())
    }

    /// The name of a code; the code itself when it is not configured (any more).
    pub fn name_of<'a>(&'a self, code: &'a str) -> &'a str {
        let found = self.list.iter().find(|r| r.code == code);
        found.map_or(code, |region| &region.name)
    }
}

#[cfg(test)]
mod tests {
    use super::Regions;

    #[test]
    fn codes_must_fit_a_link_and_differ() {
        let read = |list: &str| toml::from_str::<Regions>(&format!("list = [{list}]"));
        let good = read("{ code = \"r01\", name = \"青石村\" }").unwrap();
        assert_eq!(good.code_of("青石村"), Some("r01"));
        assert_eq!((good.name_of("r01"), good.name_of("r9")), ("青石村", "r9"));
        for bad in [
            "{ code = \"R 1\", name = \"甲\" }",
            "{ code = \"\", name = \"甲\" }",
            "{ code = \"a\", name = \" \" }",
            "{ code = \"a\", name = \"甲\" }, { code = \"a\", name = \"乙\" }",
            "{ code = \"a\", name = \"甲\" }, { code = \"b\", name = \"甲\" }",
            "{ code = \"a\", nane = \"甲\" }",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

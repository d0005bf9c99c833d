//! `[[offices]]`: several offices in one deployment. Without any there is one, and nothing speaks of it.

use std::path::Path;

use anyhow::{anyhow, bail};
use serde::Deserialize;

use super::Config;
use crate::answer::Office;
use crate::journal::OfficeId;
use crate::knowledge::{LOCAL, OFFICES};
use crate::ledger::Regions;

/// One of `[[offices]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeConfig {
    /// Stands on every row of the office, in addresses and in the name of its token: never changed.
    pub id: OfficeId,
    /// As residents know it.
    pub name: String,
    /// Telephone, address and hours in one line; may be empty.
    #[serde(default)]
    pub contact: String,
    /// Its township and villages, as `[regions]`.
    #[serde(default)]
    pub regions: Regions,
    /// User name of its bot, which QR codes lead to.
    #[serde(default)]
    pub bot: Option<String>,
    /// Preset of places; without one that of `[places]`.
    #[serde(default)]
    pub preset: Option<String>,
    /// The county that sees its figures, by id.
    #[serde(default)]
    pub county: Option<OfficeId>,
}

/// One of `[[counties]]`: sees figures of its offices summed and side by side, and no question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountyConfig {
    /// Different from those of offices.
    pub id: OfficeId,
    /// As its staff read it.
    pub name: String,
}

impl Config {
    /// Whether offices are named: then everything that is an office's must say whose.
    pub fn names_offices(&self) -> bool {
        self.one_of_several || !self.offices.is_empty()
    }

    /// Everything but the offices themselves: each of a thousand must not hold the others.
    fn bare(&self) -> Self {
        Self {
            office: self.office.clone(),
            folders: self.folders.clone(),
            places: self.places.clone(),
            regions: self.regions.clone(),
            journal: self.journal.clone(),
            web: self.web.clone(),
            telegram: self.telegram.clone(),
            offices: Vec::new(),
            counties: Vec::new(),
            id: self.id.clone(),
            one_of_several: true,
            origin: self.origin.clone(),
        }
    }

    /// A configuration for each office: what is the office's own is in its usual place.
    pub fn each_office(&self) -> Vec<Self> {
        if !self.names_offices() {
            return vec![self.clone()];
        }
        self.offices
            .iter()
            .map(|office| self.with(office))
            .collect()
    }

    /// The configuration of one office; `id` may be left out where there is only one.
    ///
    /// # Errors
    /// When there is no such office, or it must be said which: the error names them.
    pub fn of_office(&self, id: Option<&str>) -> anyhow::Result<Self> {
        let named = || {
            let all = self.offices.iter();
            let all: Vec<String> = all.map(|o| format!("{}（{}）", o.id, o.name)).collect();
            all.join("、")
        };
        match (id, self.offices.as_slice()) {
            (None, []) => Ok(self.clone()),
            (None, [only]) => Ok(self.with(only)),
            (None, _) => bail!("配置了几个机构，请用 --office 说明是哪一个：{}", named()),
            (Some(id), []) if id == self.id.as_str() => Ok(self.clone()),
            (Some(_), []) => bail!("配置里没有 [[offices]]，只有一个机构：不要写 --office"),
            (Some(id), all) => {
                let found = all.iter().find(|office| office.id.as_str() == id);
                let found = found.ok_or_else(|| anyhow!("没有“{id}”这个机构，有：{}", named()))?;
                Ok(self.with(found))
            }
        }
    }

    /// As [`Self::of_office`], or the configuration of a county: for accounts, the one thing that both have.
    ///
    /// # Errors
    /// As [`Self::of_office`].
    pub fn of_accounts(&self, id: Option<&str>) -> anyhow::Result<Self> {
        let mut counties = self.counties.iter();
        match counties.find(|county| Some(county.id.as_str()) == id) {
            Some(county) => Ok(self.with_county(county)),
            None => self.of_office(id),
        }
    }

    /// A configuration for each county.
    pub fn each_county(&self) -> Vec<Self> {
        let counties = self.counties.iter();
        counties.map(|county| self.with_county(county)).collect()
    }

    /// Ids and names of the offices of the county that this is the configuration of.
    pub fn offices_of_county(&self) -> Vec<(OfficeId, String)> {
        self.offices
            .iter()
            .filter(|o| o.county.as_ref() == Some(&self.id))
            .map(|o| (o.id.clone(), o.name.clone()))
            .collect()
    }

    fn with_county(&self, county: &CountyConfig) -> Self {
        let mut config = self.bare();
        let ours = |office: &&OfficeConfig| office.county.as_ref() == Some(&county.id);
        config.offices = self.offices.iter().filter(ours).cloned().collect();
        config.id = county.id.clone();
        config.office = Office {
            name: county.name.clone(),
            contact: String::new(),
        };
        config.regions = Regions::default();
        config.telegram.bot = None;
        config
    }

    fn with(&self, office: &OfficeConfig) -> Self {
        let mut config = self.bare();
        config.id = office.id.clone();
        config.office = Office {
            name: office.name.clone(),
            contact: office.contact.clone(),
        };
        config.regions = office.regions.clone();
        config.telegram.bot.clone_from(&office.bot);
        if office.preset.is_some() {
            config.places.preset.clone_from(&office.preset);
        }
        config
    }

    /// The folder of the office's own entries, relative to the library.
    pub(super) fn own_entries(&self) -> std::path::PathBuf {
        if self.id == OfficeId::default() {
            LOCAL.into()
        } else {
            Path::new(OFFICES).join(self.id.as_str())
        }
    }

    /// Environment variables that may hold the token of the office's bot, the first before the others.
    pub fn token_variables(&self) -> Vec<String> {
        const PLAIN: &str = "TELOXIDE_TOKEN";
        if !self.names_offices() {
            return vec![PLAIN.to_owned()];
        }
        let own = self.id.as_str().to_uppercase().replace('-', "_");
        let mut all = vec![format!("{PLAIN}_{own}")];
        // The office that was there before others came.
        if self.id == OfficeId::default() {
            all.push(PLAIN.to_owned());
        }
        all
    }

    /// Refuses two offices of one id, and counties of nothing.
    pub(super) fn check_offices(&self) -> anyhow::Result<()> {
        if !self.names_offices() && !self.counties.is_empty() {
            bail!("写了 [[counties]]，却没有 [[offices]]");
        }
        for (at, office) in self.offices.iter().enumerate() {
            if self.offices[..at].iter().any(|o| o.id == office.id) {
                bail!(
                    "[[offices]] 里有两个 id 是 {}：每个机构的代号要不同",
                    office.id
                );
            }
            if office.name.trim().is_empty() {
                bail!("[[offices]] 里的 {} 没有名称（name）", office.id);
            }
            let mut counties = self.counties.iter();
            if let Some(county) = &office.county
                && !counties.any(|c| c.id == *county)
            {
                bail!(
                    "[[offices]] 里的 {} 写了 county = \"{county}\"，[[counties]] 里没有它",
                    office.id
                );
            }
        }
        for (at, county) in self.counties.iter().enumerate() {
            let taken = self.offices.iter().map(|o| &o.id);
            let mut taken = taken.chain(self.counties[..at].iter().map(|c| &c.id));
            // What an account that belongs to `main` may see must not hang on this list.
            if county.id == OfficeId::default() || taken.any(|id| *id == county.id) {
                bail!("[[counties]] 里的代号 {} 已经用了，换一个", county.id);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> anyhow::Result<Config> {
        let config: Config = toml::from_str(text)?;
        config.check_offices()?;
        Ok(config)
    }

    const TWO: &str = r#"
        [office]
        name = "县司法局"
        [places]
        preset = "p"
        [[offices]]
        id = "main"
        name = "青石镇司法所"
        [[offices]]
        id = "bai-he"
        name = "白鹤镇司法所"
        contact = "3 号窗口"
        bot = "baihe_bot"
        preset = "q"
        [offices.regions]
        township = "白鹤镇"
        list = [{ code = "r01", name = "河东村" }]
    "#;

    #[test]
    fn each_office_has_its_own_where_one_office_has_it() {
        let all = config(TWO).unwrap();
        let two = all.of_office(Some("bai-he")).unwrap();
        assert_eq!(
            (two.id.as_str(), &*two.office.name),
            ("bai-he", "白鹤镇司法所")
        );
        assert_eq!(two.regions.name_of("r01"), "河东村");
        assert_eq!(two.telegram.bot.as_deref(), Some("baihe_bot"));
        assert_eq!(two.places.preset.as_deref(), Some("q"));
        assert_eq!(two.paths().own, Path::new("offices/bai-he"));
        assert_eq!(two.token_variables(), ["TELOXIDE_TOKEN_BAI_HE"]);
        let main = all.of_office(Some("main")).unwrap();
        assert!(main.regions.list.is_empty() && main.telegram.bot.is_none());
        assert_eq!(main.places.preset.as_deref(), Some("p"));
        assert_eq!(main.paths().own, Path::new("local"));
        assert_eq!(
            main.token_variables(),
            ["TELOXIDE_TOKEN_MAIN", "TELOXIDE_TOKEN"]
        );
        let each = all.each_office();
        assert_eq!(each.len(), 2);
        assert!(each.iter().all(|one| one.offices.is_empty()));
        assert!(two.names_offices() && two.offices.is_empty());
        let which = all.of_office(None).unwrap_err().to_string();
        assert!(which.contains("--office") && which.contains("bai-he（白鹤镇司法所）"));
        let unknown = all.of_office(Some("x")).unwrap_err().to_string();
        assert!(unknown.contains("“x”") && unknown.contains("main"));
    }

    #[test]
    fn one_office_needs_no_word() {
        let one = config("[office]\nname = \"甲\"").unwrap();
        let its = one.of_office(None).unwrap();
        assert_eq!((its.id.as_str(), &*its.office.name), ("main", "甲"));
        assert_eq!(its.token_variables(), ["TELOXIDE_TOKEN"]);
        assert_eq!(its.paths().own, Path::new("local"));
        assert_eq!(one.each_office().len(), 1);
        assert!(one.of_office(Some("main")).is_ok());
        assert!(one.of_office(Some("x")).is_err());
    }

    #[test]
    fn a_county_has_offices_and_an_id_of_its_own() {
        let of = |county: &str, more: &str| {
            let office = "[[offices]]\nid = \"a\"\nname = \"甲\"\ncounty = \"k\"\n";
            config(&format!(
                "{office}[[offices]]\nid = \"b\"\nname = \"乙\"\n[[counties]]\nid = \"{county}\"\nname = \"某县司法局\"\n{more}"
            ))
        };
        let all = of("k", "").unwrap();
        let county = all.of_accounts(Some("k")).unwrap();
        assert_eq!(
            (county.id.as_str(), &*county.office.name),
            ("k", "某县司法局")
        );
        let offices = county.offices_of_county();
        assert_eq!(offices, [("a".parse().unwrap(), "甲".to_owned())]);
        assert!(all.of_office(Some("k")).is_err(), "only for accounts");
        assert!(
            all.of_accounts(Some("b"))
                .unwrap()
                .offices_of_county()
                .is_empty()
        );
        assert!(of("other", "").is_err(), "an unknown county");
        assert!(of("k", "[[counties]]\nid = \"a\"\nname = \"x\"").is_err());
        assert!(of("k", "[[counties]]\nid = \"main\"\nname = \"x\"").is_err());
        assert!(
            config("[[counties]]\nid = \"k\"\nname = \"x\"").is_err(),
            "of what?"
        );
    }

    #[test]
    fn ids_are_plain_and_differ() {
        for id in [
            "",
            "A",
            "a_b",
            "-a",
            "a-",
            "a.b",
            "镇",
            "../x",
            &"a".repeat(25),
        ] {
            let text = format!("[[offices]]\nid = \"{id}\"\nname = \"甲\"");
            assert!(config(&text).is_err(), "{id}");
        }
        let office = "[[offices]]\nid = \"a1\"\nname = \"甲\"\n";
        assert!(config(office).is_ok());
        let twice = config(&office.repeat(2)).unwrap_err().to_string();
        assert!(twice.contains("a1"), "{twice}");
    }
}

//! The law register of a library: which law is in force, what became of the others, how laws are
//! called. Made from the imported catalogue, `law_changes.toml` and `law_names.toml`.

use std::collections::HashMap;
use std::sync::OnceLock;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use super::{Catalogue, LawChanges, LawNames, Repealed, Resolver, Version};

/// What a law is on a day.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    /// A version of it is in force.
    InForce(&'a Version),
    /// It is published but its day has not come.
    Coming(&'a Version),
    /// It is dead; another law may hold its content.
    Replaced(&'a Repealed),
    /// All versions at hand are dead, and we do not know what came after.
    Dead,
    /// Nothing of that name was imported.
    NotHeld,
}

/// See the module. Cheap to make: the resolver is built when the first number is looked up.
#[derive(Debug, Default)]
pub struct LawRegister {
    /// Imported versions; `None` before the first import.
    pub catalogue: Option<Catalogue>,
    /// Dead and renumbered laws.
    pub changes: LawChanges,
    /// Short names.
    pub names: LawNames,
    /// Names that the library's entries cite.
    cited: Vec<String>,
    resolver: OnceLock<Resolver>,
    codes: OnceLock<HashMap<String, String>>,
}

/// A short stable code of a law's name, for buttons that hold 64 bytes: 8 hex digits.
pub fn law_code(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash[..4].iter().map(|b| format!("{b:02x}")).collect()
}

impl LawRegister {
    /// Puts the parts together; `cited` are the names that entries use.
    pub fn new(
        catalogue: Option<Catalogue>,
        changes: LawChanges,
        names: LawNames,
        cited: Vec<String>,
    ) -> Self {
        Self {
            catalogue,
            changes,
            names,
            cited,
            resolver: OnceLock::new(),
            codes: OnceLock::new(),
        }
    }

    /// What `law` is on `day`.
    pub fn standing(&self, law: &str, day: NaiveDate) -> Standing<'_> {
        if let Some(repealed) = self.changes.repealed_on(law, day) {
            return Standing::Replaced(repealed);
        }
        let Some(catalogue) = &self.catalogue else {
            return Standing::NotHeld;
        };
        if let Some(version) = catalogue.in_force(law, day) {
            return Standing::InForce(version);
        }
        let mut any = false;
        for version in catalogue.versions_of(law) {
            any = true;
            if version.effective.is_some_and(|from| from > day) {
                return Standing::Coming(version);
            }
        }
        if any {
            Standing::Dead
        } else {
            Standing::NotHeld
        }
    }

    /// All versions in force on `day`, by name.
    pub fn in_force(&self, day: NaiveDate) -> Vec<&Version> {
        let mut all: Vec<&Version> = self
            .catalogue
            .iter()
            .flat_map(|c| c.all_in_force(day))
            .filter(|v| self.changes.repealed_on(&v.name, day).is_none())
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Turns words into (law, article).
    pub fn resolver(&self) -> &Resolver {
        self.resolver.get_or_init(|| {
            let dead = self.changes.repealed.iter();
            let further = dead
                .map(|r| r.law.as_str())
                .chain(self.cited.iter().map(String::as_str));
            Resolver::new(self.catalogue.as_ref(), &self.names, further)
        })
    }

    /// The law behind a code of [`law_code`], if it is one of ours.
    pub fn by_code(&self, code: &str) -> Option<&str> {
        let codes = self.codes.get_or_init(|| {
            let held = self.catalogue.iter().flat_map(Catalogue::names);
            held.chain(self.cited.iter().map(String::as_str))
                .map(|name| (law_code(name), name.to_owned()))
                .collect()
        });
        codes.get(code).map(String::as_str)
    }

    /// A name that fits a button: the official one, or the shortest telling one on record.
    pub fn short_name<'a>(&'a self, law: &'a str) -> &'a str {
        if law.chars().count() <= 10 {
            return law;
        }
        self.names
            .short
            .iter()
            .filter(|(short, official)| *official == law && short.chars().count() >= 4)
            .map(|(short, _)| short.as_str())
            .min_by_key(|short| (short.chars().count(), *short))
            .unwrap_or(law)
    }

    /// The page of a law in the official database.
    pub fn page(&self, law: &str) -> Option<&str> {
        self.names.page.get(law).map(String::as_str)
    }
}

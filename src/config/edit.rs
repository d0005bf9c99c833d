//! Changing `qijin.toml` from a page: comments and order stay, the old file is kept, and nothing is
//! written that the program could not read again.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, Utc};
use sha2::{Digest, Sha256};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::Config;
use crate::ledger::Region;

/// Copies of earlier files that are kept.
const KEPT: usize = 5;

/// What an office may change by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// `[office] name`
    pub name: String,
    /// `[office] contact`
    pub contact: String,
    /// `[places] preset`; `None` is the library's default.
    pub preset: Option<String>,
    /// `[regions] township`
    pub township: String,
    /// `[regions] list`
    pub regions: Vec<Region>,
    /// `[journal] retention_days`
    pub retention_days: u32,
    /// `[telegram] bot`; `None` leaves it unset.
    pub bot: Option<String>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Somebody changed the file since the page was opened.
    #[error("{} 在您打开页面之后被别人改过，没有保存。请重新打开这一页，再改一次", .0.display())]
    Changed(PathBuf),
    /// The file as it is cannot be read as TOML.
    #[error("{} 现在的内容读不懂，没有保存：{why}。请先在编辑器里改好", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the reader says.
        why: String,
    },
    /// The program could not read what would be written.
    #[error("改完的配置不对，没有保存：{0}")]
    Invalid(String),
    /// The disk refuses.
    #[error("写不了 {}，没有保存：{source}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The configuration as the file has it now, with the environment still over it.
    pub edit: Edit,
    /// The copy of the file as it was before; `None` when there was none.
    pub backup: Option<PathBuf>,
}

impl Edit {
    /// What a configuration says.
    pub fn of(config: &Config) -> Self {
        Self {
            name: config.office.name.clone(),
            contact: config.office.contact.clone(),
            preset: config.places.preset.clone(),
            township: config.regions.township.clone(),
            regions: config.regions.list.clone(),
            retention_days: config.journal.retention_days,
            bot: config.telegram.bot.clone(),
        }
    }

    /// What the file says by itself, and a mark of its content to hold against a later one.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn in_file(file: &Path) -> Result<(Self, String), EditError> {
        let text = read(file)?;
        Ok((Self::in_text(file, &text)?, mark(&text)))
    }

    fn in_text(file: &Path, text: &str) -> Result<Self, EditError> {
        let config: Config = toml::from_str(text).map_err(|e| EditError::Unreadable {
            file: file.to_owned(),
            why: e.message().to_owned(),
        })?;
        Ok(Self::of(&config))
    }

    /// Writes what differs from the file; `seen` is the mark of the content it was made from.
    ///
    /// # Errors
    /// When the file changed meanwhile, is not readable, or would not be; nothing is written then.
    pub fn write(&self, file: &Path, seen: &str, now: DateTime<Utc>) -> Result<Written, EditError> {
        let before = read(file)?;
        if mark(&before) != seen {
            return Err(EditError::Changed(file.to_owned()));
        }
        let after = self.applied(file, &before)?;
        let edit = match toml::from_str::<Config>(&after) {
            Ok(config) => Self::of(&config),
            Err(e) => return Err(EditError::Invalid(e.message().to_owned())),
        };
        if after == before {
            return Ok(Written { edit, backup: None });
        }
        let io = |source| EditError::Io {
            file: file.to_owned(),
            source,
        };
        let backup = match file.exists() {
            true => Some(keep_copy(file, now).map_err(io)?),
            false => None,
        };
        replace(file, &after).map_err(io)?;
        Ok(Written { edit, backup })
    }

    /// The file's text with this edit in it.
    fn applied(&self, file: &Path, text: &str) -> Result<String, EditError> {
        let unreadable = |why: String| EditError::Unreadable {
            file: file.to_owned(),
            why,
        };
        let mut document: DocumentMut = text
            .parse()
            .map_err(|e: toml_edit::TomlError| unreadable(e.message().to_owned()))?;
        let old = Self::in_text(file, text)?;
        let mut set = |section: &str, key: &str, new: Option<Value>| -> Result<(), EditError> {
            let table = document
                .entry(section)
                .or_insert_with(|| Item::Table(Table::new()))
                .as_table_like_mut()
                .ok_or_else(|| unreadable(format!("[{section}] 不是一节")))?;
            match (new, table.get_mut(key)) {
                (None, _) => {
                    table.remove(key);
                }
                // The comment behind a value belongs to it.
                (Some(mut new), Some(Item::Value(held))) => {
                    *new.decor_mut() = held.decor().clone();
                    *held = new;
                }
                (Some(new), _) => {
                    table.insert(key, value(new));
                }
            }
            Ok(())
        };
        if self.name != old.name {
            set("office", "name", Some(self.name.as_str().into()))?;
        }
        if self.contact != old.contact {
            set("office", "contact", Some(self.contact.as_str().into()))?;
        }
        if self.preset != old.preset {
            set("places", "preset", self.preset.as_deref().map(Value::from))?;
        }
        if self.township != old.township {
            set("regions", "township", Some(self.township.as_str().into()))?;
        }
        if self.regions != old.regions {
            set("regions", "list", Some(listed(&self.regions)))?;
        }
        if self.retention_days != old.retention_days {
            let days = i64::from(self.retention_days);
            set("journal", "retention_days", Some(days.into()))?;
        }
        if self.bot != old.bot {
            set("telegram", "bot", self.bot.as_deref().map(Value::from))?;
        }
        Ok(document.to_string())
    }
}

/// `[regions] list`, one region a line.
fn listed(regions: &[Region]) -> Value {
    let mut list = Array::new();
    for region in regions {
        let mut one = InlineTable::new();
        one.insert("code", region.code.as_str().into());
        one.insert("name", region.name.as_str().into());
        let mut one = Value::InlineTable(one);
        one.decor_mut().set_prefix("\n  ");
        list.push_formatted(one);
    }
    list.set_trailing_comma(!regions.is_empty());
    list.set_trailing(if regions.is_empty() { "" } else { "\n" });
    Value::Array(list)
}

/// The file's text; a file that is not there is empty.
fn read(file: &Path) -> Result<String, EditError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(EditError::Io {
            file: file.to_owned(),
            source,
        }),
    }
}

fn mark(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// A path in the file's folder whose name begins with the file's.
fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(end);
    file.with_file_name(name)
}

/// Copies the file before it is changed, and drops all copies but the latest.
fn keep_copy(file: &Path, now: DateTime<Utc>) -> std::io::Result<PathBuf> {
    let at = now
        .with_timezone(&Local)
        .format("%Y%m%d-%H%M%S%3f")
        .to_string();
    let of_time = |c: char| c.is_ascii_digit() || c == '-';
    let copy = beside(file, &format!(".{at}.bak"));
    fs::copy(file, &copy)?;
    let stem = beside(file, ".");
    let stem = stem.file_name().unwrap_or_default().to_string_lossy();
    let folder = copy.parent().filter(|p| *p != Path::new(""));
    let mut copies: Vec<PathBuf> = fs::read_dir(folder.unwrap_or(Path::new(".")))?
        .filter_map(|item| Some(item.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Other copies are somebody's own.
            let time = name
                .strip_prefix(&*stem)
                .and_then(|n| n.strip_suffix(".bak"));
            time.is_some_and(|time| time.len() == at.len() && time.chars().all(of_time))
        })
        .collect();
    // The names hold the time.
    copies.sort();
    for old in copies.iter().rev().skip(KEPT) {
        fs::remove_file(old)?;
    }
    Ok(copy)
}

/// Writes aside and renames: a crash leaves the old file or the new one. A link stays a link.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let aside = beside(file, ".new");
    let written = (|| {
        let mut new = fs::File::create(&aside)?;
        // Before anything is in it: it may hold what only its owner may read.
        if let Ok(held) = fs::metadata(file) {
            fs::set_permissions(&aside, held.permissions())?;
        }
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&aside, file)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Whether the file could be replaced: something can be made beside it, and it is not read-only.
///
/// # Errors
/// With what the system says.
pub fn is_writable(file: &Path) -> std::io::Result<()> {
    if fs::metadata(file).is_ok_and(|held| held.permissions().readonly()) {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let attempt = beside(file, ".try");
    fs::File::create(&attempt)?;
    fs::remove_file(&attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# 我们镇的配置\n[office]\nname = \"甲所\" # 居民看到的\ncontact = \"\"\n\n\
                        [web]\nlisten = \"127.0.0.1:8080\"\n\n# 日志\n[journal]\nretention_days = 30\n";

    fn on_disk() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qijin.toml");
        fs::write(&file, FILE).unwrap();
        (folder, file)
    }

    fn copies(folder: &Path) -> usize {
        let names = fs::read_dir(folder).unwrap();
        names
            .filter(|n| n.as_ref().unwrap().path().extension().unwrap() == "bak")
            .count()
    }

    #[test]
    fn comments_and_what_was_not_changed_stay() {
        let (folder, file) = on_disk();
        let (mut edit, seen) = Edit::in_file(&file).unwrap();
        edit.name = "青石镇\"司法所\"".into();
        edit.township = "青石镇".into();
        edit.bot = Some("qingshi_pufa_bot".into());
        edit.regions = vec![
            Region {
                code: "r01".into(),
                name: "青石村".into(),
            },
            Region {
                code: "r02".into(),
                name: "河东社区".into(),
            },
        ];
        let written = edit.write(&file, &seen, Utc::now()).unwrap();
        assert_eq!(written.edit, edit);
        let text = fs::read_to_string(&file).unwrap();
        for kept in [
            "# 我们镇的配置",
            "# 居民看到的",
            "# 日志\n[journal]\nretention_days = 30",
            "listen = \"127.0.0.1:8080\"",
            "{ code = \"r02\", name = \"河东社区\" }",
        ] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        assert_eq!(fs::read_to_string(written.backup.unwrap()).unwrap(), FILE);
        assert_eq!(Edit::in_file(&file).unwrap().0, edit);
        assert_eq!(copies(folder.path()), 1);
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_lost() {
        let (folder, file) = on_disk();
        let (mut edit, seen) = Edit::in_file(&file).unwrap();
        fs::write(&file, format!("{FILE}# 别人\n")).unwrap();
        edit.name = "乙所".into();
        assert!(matches!(
            edit.write(&file, &seen, Utc::now()),
            Err(EditError::Changed(_))
        ));
        assert!(fs::read_to_string(&file).unwrap().ends_with("# 别人\n"));
        assert_eq!(copies(folder.path()), 0);
    }

    #[test]
    fn what_the_program_could_not_read_is_not_written() {
        let (folder, file) = on_disk();
        let (mut edit, seen) = Edit::in_file(&file).unwrap();
        edit.regions = vec![Region {
            code: "大写 R".into(),
            name: "甲".into(),
        }];
        let refused = edit.write(&file, &seen, Utc::now());
        assert!(matches!(refused, Err(EditError::Invalid(_))), "{refused:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), FILE);
        fs::write(&file, "[office\n").unwrap();
        assert!(matches!(
            Edit::in_file(&file),
            Err(EditError::Unreadable { .. })
        ));
        assert_eq!(copies(folder.path()), 0);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link() {
        let (folder, file) = on_disk();
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let (mut edit, seen) = Edit::in_file(&link).unwrap();
        edit.name = "乙所".into();
        edit.write(&link, &seen, Utc::now()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&file).unwrap().contains("乙所"));
    }

    #[test]
    fn without_a_file_one_is_made_and_old_copies_go() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qijin.toml");
        for n in 0..9 {
            let (mut edit, seen) = Edit::in_file(&file).unwrap();
            edit.retention_days = n;
            let now = Utc::now() + chrono::Duration::seconds(n.into());
            edit.write(&file, &seen, now).unwrap();
            let same = edit.write(&file, &Edit::in_file(&file).unwrap().1, now);
            assert!(same.unwrap().backup.is_none(), "nothing changed");
        }
        assert_eq!(Edit::in_file(&file).unwrap().0.retention_days, 8);
        assert_eq!(copies(folder.path()), KEPT);
        // What somebody put aside by hand stays.
        let own =
            ["qijin.toml.2025.bak", "qijin.toml.old.bak"].map(|name| folder.path().join(name));
        own.iter().for_each(|copy| fs::write(copy, "x").unwrap());
        let (mut edit, seen) = Edit::in_file(&file).unwrap();
        edit.retention_days = 20;
        let now = Utc::now() + chrono::Duration::seconds(20);
        let kept = edit.write(&file, &seen, now).unwrap().backup.unwrap();
        assert!(kept.exists() && own.iter().all(|copy| copy.exists()));
        assert_eq!(copies(folder.path()), KEPT + own.len());
        is_writable(&file).unwrap();
        assert!(is_writable(&folder.path().join("no/such/qijin.toml")).is_err());
    }
}

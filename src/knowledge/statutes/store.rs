//! Imported statutes on disk: `knowledge/statutes/`, never in git.
//!
//! `catalogue.json` lists the versions (names and dates, enough to resolve a citation);
//! `texts.jsonl.gz` holds one statute a line in the catalogue's order. Both are written aside and
//! renamed, texts first; the catalogue names the texts' digest, so a half-done import is noticed.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::in_force;
use super::source::{self, SourceError};
use super::{Statute, Version};
use crate::knowledge::read_bounded;

/// More than any statute takes.
const MAX_MEGABYTES: u64 = 64;
/// Name of the folder inside the library.
pub const FOLDER: &str = "statutes";
const CATALOGUE: &str = "catalogue.json";
const TEXTS: &str = "texts.jsonl.gz";
/// Raised when the parser or the files change, so that people are told to import again.
const FORMAT: u32 = 2;

/// What can go wrong with the imported statutes.
#[derive(Debug, thiserror::Error)]
pub enum StatuteError {
    /// A file or folder could not be read or written.
    #[error("读写 {path} 失败")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The imported texts are damaged or of another version of the program.
    #[error("{0} 里的法条库不完整或是旧版本：请重新运行 qijin import statutes 文件夹")]
    Damaged(PathBuf),
    /// No statutes were imported yet.
    #[error("还没有导入法条：先运行 qijin import statutes 文件夹")]
    NothingImported,
    /// The folder to import from holds no statute.
    #[error("{0} 里没有一个能读的法律文本（要 .md 或 .docx）")]
    NothingFound(PathBuf),
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StatuteError + '_ {
    move |source| StatuteError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The imported versions, without their texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Catalogue {
    format: u32,
    /// SHA-256 of the texts, in hex; part of the index's fingerprint.
    pub digest: String,
    /// All versions, by name and day.
    pub versions: Vec<Version>,
    #[serde(skip)]
    by_name: HashMap<String, Vec<usize>>,
}

impl Catalogue {
    fn new(digest: String, versions: Vec<Version>) -> Self {
        let mut catalogue = Self {
            format: FORMAT,
            digest,
            versions,
            by_name: HashMap::new(),
        };
        catalogue.link();
        catalogue
    }

    fn link(&mut self) {
        for (at, version) in self.versions.iter().enumerate() {
            let versions = self.by_name.entry(version.name.clone()).or_default();
            versions.push(at);
        }
    }

    /// Opens the catalogue of a library; `None` when nothing was imported.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn open(library: &Path) -> Result<Option<Self>, StatuteError> {
        let path = library.join(FOLDER).join(CATALOGUE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(&path)(e)),
        };
        let damaged = || StatuteError::Damaged(library.join(FOLDER));
        let mut catalogue: Self = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if catalogue.format != FORMAT {
            return Err(damaged());
        }
        catalogue.link();
        Ok(Some(catalogue))
    }

    /// All versions of a law, by its official name, oldest first.
    pub fn versions_of(&self, name: &str) -> impl Iterator<Item = &Version> {
        let at = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        at.iter().map(|i| &self.versions[*i])
    }

    /// The version of a law in force on `day`.
    pub fn in_force(&self, name: &str, day: NaiveDate) -> Option<&Version> {
        in_force(self.versions_of(name), day)
    }

    /// The versions in force on `day`, one for each law that has one.
    pub fn all_in_force(&self, day: NaiveDate) -> impl Iterator<Item = &Version> {
        self.by_name
            .keys()
            .filter_map(move |name| self.in_force(name, day))
    }

    /// All names, of dead laws too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// Reads all texts; `each` gets one statute at a time, in the catalogue's order.
///
/// # Errors
/// When they are missing, damaged or do not belong to the catalogue.
pub fn read_texts(
    library: &Path,
    catalogue: &Catalogue,
    each: impl FnMut(Statute),
) -> Result<(), StatuteError> {
    read_texts_with(library, catalogue, |_| true, each)
}

/// The same for the lines of the file that are `wanted`: the others are not even taken apart.
///
/// # Errors
/// As [`read_texts`].
pub(in crate::knowledge) fn read_texts_with(
    library: &Path,
    catalogue: &Catalogue,
    wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(Statute),
) -> Result<(), StatuteError> {
    let folder = library.join(FOLDER);
    let path = folder.join(TEXTS);
    let bytes = fs::read(&path).map_err(io(&path))?;
    if digest(&bytes) != catalogue.digest {
        return Err(StatuteError::Damaged(folder));
    }
    for line in BufReader::new(GzDecoder::new(bytes.as_slice())).lines() {
        let line = line.map_err(io(&path))?;
        if !wanted(&line) {
            continue;
        }
        let statute =
            serde_json::from_str(&line).map_err(|_| StatuteError::Damaged(folder.clone()))?;
        each(statute);
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// What an import did.
#[derive(Debug, Default)]
pub struct ImportReport {
    /// Files looked at.
    pub files: usize,
    /// Versions that were not there before.
    pub added: usize,
    /// Versions whose text or dates changed.
    pub updated: usize,
    /// Versions that were there already.
    pub unchanged: usize,
    /// Files not taken, with the reason.
    pub refused: Vec<(PathBuf, SourceError)>,
    /// Oddities in files that were taken: file, line, what.
    pub remarks: Vec<(PathBuf, usize, String)>,
    /// Laws by name, after the import.
    pub laws: usize,
    /// Versions after the import.
    pub versions: usize,
    /// Articles of all versions after the import.
    pub articles: usize,
    /// Whole documents without articles after the import.
    pub whole_documents: usize,
    /// Bytes on disk.
    pub bytes: u64,
}

/// How far an import is: files done, files in all.
pub type ImportProgress<'a> = &'a mut dyn FnMut(usize, usize);

fn files(root: &Path) -> Result<Vec<PathBuf>, StatuteError> {
    if root.is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let mut out = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).map_err(io(&folder))? {
            let path = item.map_err(io(&folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Word leaves lock files (~$…) behind.
            if name.starts_with('.') || name.starts_with('~') {
                continue;
            }
            let ending = path.extension().and_then(|e| e.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if matches!(ending, Some("md" | "docx"))
                && !name.eq_ignore_ascii_case("readme.md")
                && name != "_index.md"
            {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

/// What makes two texts the same version: name and day of publication.
type Key = (String, Option<NaiveDate>);

fn key(statute: &Statute) -> Key {
    (statute.version.name.clone(), statute.version.published)
}

/// Imports a file or folder of statutes into `library`. What was imported before stays; the same
/// version (name and day of publication) is replaced by the newer import.
///
/// # Errors
/// When nothing could be read, or the library cannot be written; then the old import stays.
pub fn import(
    library: &Path,
    from: &Path,
    progress: ImportProgress<'_>,
) -> Result<ImportReport, StatuteError> {
    let mut report = ImportReport::default();
    let mut statutes: HashMap<Key, Statute> = HashMap::new();
    if let Ok(Some(catalogue)) = Catalogue::open(library) {
        // A damaged store is simply made anew.
        let _ = read_texts(library, &catalogue, |s| {
            statutes.insert(key(&s), s);
        });
    }
    let files = files(from)?;
    report.files = files.len();
    let mut read: HashMap<Key, Statute> = HashMap::new();
    for (done, path) in files.iter().enumerate() {
        progress(done, files.len());
        let bytes = read_bounded(path, MAX_MEGABYTES).map_err(io(path))?;
        let shown = path.strip_prefix(from).unwrap_or(path).to_owned();
        match source::read(path, &bytes) {
            Err(reason) => report.refused.push((shown, reason)),
            Ok(parsed) => {
                for remark in parsed.remarks {
                    report
                        .remarks
                        .push((shown.clone(), remark.line, remark.what));
                }
                if let Some(double) = read.insert(key(&parsed.statute), parsed.statute) {
                    let name = double.version.name;
                    let what = format!("《{name}》同一天公布的文本有两份，取文件名在后的一份");
                    report.remarks.push((shown, 1, what));
                }
            }
        }
    }
    progress(files.len(), files.len());
    if read.is_empty() {
        return Err(StatuteError::NothingFound(from.to_owned()));
    }
    for (key, statute) in read {
        match statutes.insert(key, statute.clone()) {
            None => report.added += 1,
            Some(old) if old == statute => report.unchanged += 1,
            Some(_) => report.updated += 1,
        }
    }
    let mut all: Vec<Statute> = statutes.into_values().collect();
    all.sort_by(|a, b| {
        let key = |s: &Statute| {
            (
                s.version.name.clone(),
                s.version.effective,
                s.version.published,
            )
        };
        key(a).cmp(&key(b))
    });
    report.bytes = write(library, &all)?;
    report.versions = all.len();
    for statute in &all {
        if statute.version.articles == 0 {
            report.whole_documents += 1;
        }
        report.articles += statute.version.articles;
    }
    let mut names: Vec<&str> = all.iter().map(|s| s.version.name.as_str()).collect();
    names.dedup();
    report.laws = names.len();
    Ok(report)
}

fn write(library: &Path, all: &[Statute]) -> Result<u64, StatuteError> {
    let folder = library.join(FOLDER);
    fs::create_dir_all(&folder).map_err(io(&folder))?;
    let path = folder.join(TEXTS);
    // No time stamp in the archive: the same statutes make the same bytes.
    let mut out = BufWriter::new(GzEncoder::new(Vec::new(), Compression::default()));
    for statute in all {
        serde_json::to_writer(&mut out, statute).map_err(|e| io(&path)(e.into()))?;
        out.write_all(b"\n").map_err(io(&path))?;
    }
    let bytes = out
        .into_inner()
        .map_err(|e| io(&path)(e.into_error()))?
        .finish()
        .map_err(io(&path))?;
    let versions = all.iter().map(|s| s.version.clone()).collect();
    let catalogue = Catalogue::new(digest(&bytes), versions);
    let list_path = folder.join(CATALOGUE);
    let list = serde_json::to_vec(&catalogue).map_err(|e| io(&list_path)(e.into()))?;
    replace(&path, &bytes)?;
    replace(&list_path, &list)?;
    Ok((bytes.len() + list.len()) as u64)
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), StatuteError> {
    // Nothing to do when nothing changed: a watching server is not woken.
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let aside = path.with_extension(format!("aside-{}", std::process::id()));
    fs::write(&aside, bytes).map_err(io(&aside))?;
    fs::rename(&aside, path).map_err(io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statute(dir: &Path, file: &str, title: &str, day: &str, status: &str, body: &str) {
        let text = format!(
            "---\ntitle: {title}\npublication_date: '{day}'\neffective_date: '{day}'\n\
             status: {status}\ngroup: 法律\n---\n\n{body}\n"
        );
        fs::write(dir.join(file), text).unwrap();
    }

    #[test]
    fn importing_again_changes_nothing_and_bad_files_are_named() {
        let (library, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        statute(
            from.path(),
            "1.md",
            "甲法",
            "2013-01-01",
            "已修改",
            "- **第一条**　　旧。",
        );
        statute(
            from.path(),
            "2.md",
            "甲法",
            "2026-01-01",
            "有效",
            "- **第一条**　　新。",
        );
        fs::write(from.path().join("3.md"), "no front matter").unwrap();
        let first = import(library.path(), from.path(), &mut |_, _| ()).unwrap();
        assert_eq!((first.added, first.laws, first.versions), (2, 1, 2));
        assert_eq!(first.refused.len(), 1);
        let texts = library.path().join(FOLDER).join(TEXTS);
        let before = fs::read(&texts).unwrap();
        let second = import(library.path(), from.path(), &mut |_, _| ()).unwrap();
        assert_eq!((second.added, second.updated, second.unchanged), (0, 0, 2));
        assert_eq!(fs::read(&texts).unwrap(), before);

        let catalogue = Catalogue::open(library.path()).unwrap().unwrap();
        let day = "2026-06-01".parse().unwrap();
        assert_eq!(catalogue.all_in_force(day).count(), 1);
        let mut texts = Vec::new();
        read_texts(library.path(), &catalogue, |s| {
            texts.push(s.articles[0].text.clone())
        })
        .unwrap();
        assert_eq!(texts, ["旧。", "新。"]);
    }

    #[test]
    fn an_updated_text_replaces_the_old_one() {
        let (library, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        statute(
            from.path(),
            "1.md",
            "甲法",
            "2026-01-01",
            "有效",
            "- **第一条**　　错字。",
        );
        import(library.path(), from.path(), &mut |_, _| ()).unwrap();
        statute(
            from.path(),
            "1.md",
            "甲法",
            "2026-01-01",
            "有效",
            "- **第一条**　　对的。",
        );
        let report = import(library.path(), from.path(), &mut |_, _| ()).unwrap();
        assert_eq!((report.added, report.updated), (0, 1));
    }

    #[test]
    fn damage_is_noticed() {
        let (library, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        statute(
            from.path(),
            "1.md",
            "甲法",
            "2026-01-01",
            "有效",
            "- **第一条**　　甲。",
        );
        import(library.path(), from.path(), &mut |_, _| ()).unwrap();
        let catalogue = Catalogue::open(library.path()).unwrap().unwrap();
        fs::write(library.path().join(FOLDER).join(TEXTS), b"x").unwrap();
        assert!(matches!(
            read_texts(library.path(), &catalogue, |_| ()),
            Err(StatuteError::Damaged(_))
        ));
    }
}

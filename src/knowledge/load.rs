//! Loading the library folder and checking it as a whole, all findings at once.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use super::entry_file;
use super::finding::{Finding, Severity, SourceFile, Sources};
use super::front_matter::Context;
use super::statutes::{self, Catalogue, LawRegister, StatuteError};
use super::{Entry, EntryId, Library, read_bounded, risk, tables};

/// Drafts wait here for a person; nothing in it is an entry.
pub const DRAFTS: &str = "drafts";
/// The folder of the office's own entries; an update of the program never writes there.
pub const LOCAL: &str = "local";
/// Where several offices share a library, each has its own entries in a folder of its own here.
pub const OFFICES: &str = "offices";

/// Whether a file of the library, by its path in it, is an office's own.
pub fn is_own(file: &Path) -> bool {
    file.starts_with(LOCAL) || file.starts_with(OFFICES)
}

/// The library folder could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder is not there.
    #[error("找不到资料库文件夹 {0}：用 --library 指定，或在 knowledge/ 的上一级文件夹里运行")]
    Missing(PathBuf),
    /// A file could not be read.
    #[error("读不了 {path}：{source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The imported statutes could not be read.
    #[error(transparent)]
    Statutes(#[from] StatuteError),
    /// The library has errors; it is refused as a whole.
    #[error("资料库有 {} 处错误，第一处：{}。运行 qijin check 看全部", .0.len(), .0[0].one_line())]
    Refused(Vec<Finding>),
}

/// How to read the library.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The preset of places; `None` takes the file's default.
    pub preset: Option<String>,
    /// The day that reviews are counted to.
    pub today: NaiveDate,
    /// The folder of the office's own entries, relative to the library: [`LOCAL`], or one of its own in
    /// [`OFFICES`]. What other offices wrote is not read.
    pub own: PathBuf,
}

/// A library as read, with everything that is wrong with it.
pub struct Loaded {
    /// What could be read.
    pub library: Library,
    /// All findings, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// The files' texts, for rendering findings.
    pub sources: Sources,
}

impl Loaded {
    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .count()
    }

    /// The library, if it has no errors.
    pub fn accept(self) -> Result<Library, LoadError> {
        if self.errors() == 0 {
            return Ok(self.library);
        }
        let errors = self
            .findings
            .into_iter()
            .filter(|f| f.severity == Severity::Error)
            .collect();
        Err(LoadError::Refused(errors))
    }
}

/// The files that make up a library with the own entries in `own`, sorted, relative to `root`.
fn files(root: &Path, own: &Path) -> Result<Vec<PathBuf>, LoadError> {
    fn walk(
        root: &Path,
        own: &Path,
        folder: &Path,
        out: &mut Vec<PathBuf>,
    ) -> Result<(), LoadError> {
        let io = |source| LoadError::Io {
            path: folder.to_owned(),
            source,
        };
        for item in fs::read_dir(folder).map_err(io)? {
            let item = item.map_err(io)?;
            let path = item.path();
            let name = item.file_name();
            let name = name.to_string_lossy();
            // Editors leave hidden and temporary files behind.
            if name.starts_with('.') || name.starts_with('~') || name.starts_with('#') {
                continue;
            }
            let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
            if path.is_dir() {
                let others =
                    is_own(&relative) && !relative.starts_with(own) && !own.starts_with(&relative);
                let aside =
                    relative == Path::new(statutes::FOLDER) || relative == Path::new(DRAFTS);
                if !others && !aside {
                    walk(root, own, &path, out)?;
                }
            } else if name != "README.md"
                && (!is_own(&relative) || relative.starts_with(own))
                && matches!(
                    path.extension().and_then(|e| e.to_str()),
                    Some("md" | "toml" | "txt" | "tsv")
                )
            {
                out.push(relative);
            }
        }
        Ok(())
    }
    if !root.is_dir() {
        return Err(LoadError::Missing(root.to_owned()));
    }
    let mut out = Vec::new();
    walk(root, own, root, &mut out)?;
    out.sort();
    Ok(out)
}

/// More than any file of a library holds; the largest of ours is a twentieth of it.
const MAX_MEGABYTES: u64 = 8;

/// Loads everything under `root`.
///
/// # Errors
/// Only when files cannot be read. Faults in their content are findings.
pub fn load(root: &Path, options: &LoadOptions) -> Result<Loaded, LoadError> {
    load_with(root, options, &[])
}

/// Loads everything under `root` as if `planned` files were written there already.
///
/// They come last, so that of two entries with one question the planned one is at fault.
///
/// # Errors
/// As [`load`].
pub fn load_with(
    root: &Path,
    options: &LoadOptions,
    planned: &[(PathBuf, String)],
) -> Result<Loaded, LoadError> {
    let mut sources: Sources = HashMap::new();
    let mut order: Vec<Arc<PathBuf>> = Vec::new();
    let mut findings = Vec::new();
    let mut digest = Sha256::new();
    let kept = files(root, &options.own)?
        .into_iter()
        .filter(|file| !planned.iter().any(|(path, _)| path == file))
        .map(|file| (file, None));
    let planned = planned
        .iter()
        .map(|(file, text)| (file.clone(), Some(text)));
    for (file, text) in kept.chain(planned) {
        let path = root.join(&file);
        let bytes = match text {
            Some(text) => text.clone().into_bytes(),
            None => match read_bounded(&path, MAX_MEGABYTES) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                    let source = SourceFile {
                        path: Arc::new(file.clone()),
                        text: "",
                    };
                    findings.push(source.error("too-big", 0..0, error.to_string()));
                    sources.insert(Arc::new(file), String::new());
                    continue;
                }
                Err(source) => return Err(LoadError::Io { path, source }),
            },
        };
        digest.update(file.to_string_lossy().as_bytes());
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(&bytes);
        let file = Arc::new(file);
        let text = String::from_utf8(bytes).unwrap_or_else(|e| {
            let lossy = String::from_utf8_lossy(e.as_bytes()).into_owned();
            findings.push(
                SourceFile {
                    path: file.clone(),
                    text: &lossy,
                }
                .error("not-utf8", 0..0, "文件不是 UTF-8 编码：请另存为 UTF-8"),
            );
            lossy
        });
        // Windows editors add a mark that would hide the front matter.
        let text = text
            .strip_prefix('\u{feff}')
            .map_or(text.clone(), str::to_owned);
        sources.insert(file.clone(), text);
        order.push(file);
    }

    let table = |name: &str, findings: &mut Vec<Finding>| -> Option<SourceFile<'_>> {
        let found = order
            .iter()
            .find(|f| f.as_path() == Path::new(name))
            .map(|f| SourceFile {
                path: f.clone(),
                text: &sources[f],
            });
        if found.is_none() {
            let missing = SourceFile {
                path: Arc::new(PathBuf::from(name)),
                text: "",
            };
            findings.push(missing.error("missing-file", 0..0, format!("资料库里缺少 {name}")));
        }
        found
    };

    let mut library = Library {
        digest: format!("{:x}", HexDigest(digest.finalize().as_slice())),
        ..Library::default()
    };
    let mut all_places = Vec::new();
    if let Some(source) = table("places.toml", &mut findings) {
        let (places, enabled, presets) =
            tables::places(&source, options.preset.as_deref(), &mut findings);
        library.presets = presets;
        library.places = enabled
            .iter()
            .filter_map(|id| places.iter().find(|p| p.id == *id).cloned())
            .collect();
        all_places = places;
    }
    if let Some(source) = table("topics.toml", &mut findings) {
        library.topics = tables::topics(&source, &mut findings);
    }
    if let Some(source) = table("hotlines.toml", &mut findings) {
        library.hotlines = tables::hotlines(&source, &mut findings);
    }
    if let Some(source) = table("smalltalk.toml", &mut findings) {
        library.smalltalk = tables::smalltalk(&source, &mut findings);
    }
    for file in &order {
        if file.starts_with("lexicon") && file.file_name().is_some_and(|n| n == "terms.txt") {
            library.terms.extend(tables::terms(&sources[file]));
        }
    }

    let topics: Vec<&str> = library
        .topics
        .iter()
        .filter(|t| !t.is_top())
        .map(|t| t.id.as_str())
        .collect();
    let places: Vec<&str> = all_places.iter().map(|p| p.id.as_str()).collect();
    let hotlines: Vec<&str> = library.hotlines.iter().map(|h| h.number.as_str()).collect();
    if let Some(source) = table("risk.toml", &mut findings) {
        let known = risk::Known {
            topics: &topics,
            hotlines: &hotlines,
        };
        let mut table = risk::read(&source, &known, &mut findings);
        let examples = order.iter().filter(|file| {
            file.starts_with("guard") && file.extension().is_some_and(|e| e == "tsv")
        });
        for file in examples {
            let source = SourceFile {
                path: file.clone(),
                text: &sources[file],
            };
            let read = risk::examples::read(&source, &table.rules, &mut findings);
            table.examples.extend(read);
        }
        library.risk = Arc::new(table);
    }
    let context = Context {
        topics: &topics,
        places: &places,
        hotlines: &hotlines,
        today: options.today,
    };
    let mut entries: Vec<Entry> = Vec::new();
    for file in &order {
        let is_entry_file =
            file.extension().is_some_and(|e| e == "md") && !file.starts_with("lexicon");
        if is_entry_file {
            let source = SourceFile {
                path: file.clone(),
                text: &sources[file],
            };
            entries.extend(entry_file::read(&source, &context, &mut findings));
        }
    }
    let entries = without_replaced(entries);
    let optional = |name: &str| {
        order
            .iter()
            .find(|f| f.as_path() == Path::new(name))
            .map(|f| SourceFile {
                path: f.clone(),
                text: &sources[f],
            })
    };
    if let Some(source) = optional("calendar.toml") {
        let known: Vec<&str> = library.topics.iter().map(|t| t.id.as_str()).collect();
        library.calendar = super::calendar::calendar(&source, &known, &mut findings);
    }
    let changes = optional("law_changes.toml").and_then(|s| tables::law_changes(&s, &mut findings));
    let names = optional("law_names.toml").and_then(|s| tables::law_names(&s, &mut findings));
    let mut cited: Vec<String> = entries
        .iter()
        .flat_map(|e| e.basis.iter().map(|b| b.citation.law.clone()))
        .collect();
    cited.sort();
    cited.dedup();
    library.laws = Arc::new(LawRegister::new(
        Catalogue::open(root)?,
        changes.unwrap_or_default(),
        names.unwrap_or_default(),
        cited,
    ));
    library.lexicon = Arc::new(tables::lexicon(
        optional("lexicon/typos.tsv"),
        optional("lexicon/chat.txt"),
        optional("lexicon/lay.tsv"),
        optional("lexicon/stopwords.txt"),
        &entries,
        &mut findings,
    ));
    library.entries = entries;
    index_entries(&mut library, &sources, &mut findings);
    findings.sort_by(|a, b| a.origin.cmp(&b.origin).then(b.severity.cmp(&a.severity)));
    Ok(Loaded {
        library,
        findings,
        sources,
    })
}

/// Leaves out the entries that one of the office's own stands in for. What is replaced replaces
/// nothing itself, so that of two that name each other one stays: the one that names more, because
/// an entry that goes back to a former question names more than before.
fn without_replaced(entries: Vec<Entry>) -> Vec<Entry> {
    let mut by_id: HashMap<&EntryId, Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        by_id.entry(&entry.id).or_default().push(at);
    }
    let mut gone = HashSet::new();
    let mut newest: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
    newest.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.replaces.len()));
    for (at, entry) in newest {
        if gone.contains(&at) {
            continue;
        }
        let named = entry.replaces.iter().filter_map(|id| by_id.get(id));
        gone.extend(named.flatten().copied().filter(|other| *other != at));
    }
    let kept = entries.into_iter().enumerate();
    kept.filter(|(at, _)| !gone.contains(at))
        .map(|(_, entry)| entry)
        .collect()
}

struct HexDigest<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexDigest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Fills the id table and finds questions that two entries claim.
fn index_entries(library: &mut Library, sources: &Sources, findings: &mut Vec<Finding>) {
    let mut asked: HashMap<String, usize> = HashMap::new();
    for (i, entry) in library.entries.iter().enumerate() {
        let text = sources.get(&entry.origin.file).map_or("", String::as_str);
        let source = SourceFile {
            path: entry.origin.file.clone(),
            text,
        };
        library.by_id.insert(entry.id.clone(), i);
        for question in std::iter::once(&entry.question).chain(&entry.phrasings) {
            let key: String = question.chars().filter(|c| c.is_alphanumeric()).collect();
            let Some(&first) = asked.get(&key) else {
                asked.insert(key, i);
                continue;
            };
            let other = &library.entries[first];
            let span = span_of(text, entry.origin.line, question);
            let finding = if first == i {
                source.warning(
                    "repeated-phrasing",
                    span,
                    format!("同一条问答里“{question}”写了两遍"),
                )
            } else {
                source
                    .error(
                        "duplicate-question",
                        span,
                        format!("“{question}”和 {}“{}”重复", other.origin, other.question),
                    )
                    .help("同一句话只能属于一条问答：合并两条，或改写其中一句")
            };
            findings.push(finding);
        }
    }
}

/// The first place at or after `line` where `words` stands.
fn span_of(text: &str, line: usize, words: &str) -> std::ops::Range<usize> {
    let from: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    match text[from..].find(words) {
        Some(at) => from + at..from + at + words.len(),
        None => from..from,
    }
}

//! A form judged as if its file lay in the library already: all faults at once, by field.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::check_statutes::check_statutes_of;
use super::super::entry_file::HEAD_WORDS;
use super::super::import::local::LocalError;
use super::super::load::{LoadError, LoadOptions, load, load_with};
use super::super::markdown::{Line, LineKind, lines};
use super::super::near_duplicates::ways_like;
use super::super::{Entry, EntryId, Finding, Library, SAME_QUESTION, Severity};
use super::form::{EntryForm, Field};
use super::render::{Rendered, render};
use super::{is_safe, own_file};

/// Why an entry could not be checked or saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The library cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Another file of the library has errors.
    #[error("资料库里别的文件有错，先改好它才能存：{0}")]
    Elsewhere(String),
    /// The files cannot be written.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// Somebody else wrote the same entry since it was read.
    #[error("刚才有人存了同一条，您的没有存：写的都还在，请先看看他写了什么，再点保存")]
    Changed,
    /// It has faults: look at [`Checked::faults`].
    #[error("还有要改的地方")]
    Faulty,
}

/// What is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where; `None` when it is about the whole.
    pub field: Option<Field>,
    /// What, and what to do.
    pub message: String,
}

/// A form that was checked.
pub struct Checked {
    /// Must be mended before it can be saved.
    pub faults: Vec<Fault>,
    /// Worth a look.
    pub warnings: Vec<Fault>,
    /// The library with the entry in it.
    pub library: Library,
    /// The entry as the library would hold it.
    pub entry: Option<Entry>,
    /// The file, relative to the library.
    pub(super) file: Option<PathBuf>,
    /// The folder of the office's own entries, relative to the library.
    pub(super) own: PathBuf,
    pub(super) text: String,
    /// The entry as it was.
    pub(super) before: Option<Before>,
}

impl Checked {
    /// Whether it takes the place of no other entry.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }
}

/// An entry as it stands in the library, to be changed.
pub struct Before {
    /// What a form is filled in with.
    pub form: EntryForm,
    /// Changes when somebody changes the entry.
    pub state: String,
    /// Its id.
    pub id: EntryId,
    /// Earlier ids and the shared entry that it stands in for.
    pub replaces: Vec<EntryId>,
    pub(super) file: PathBuf,
    own: PathBuf,
    /// What the whole file said.
    pub(super) source: String,
    /// The entry by itself.
    pub(super) text: String,
}

impl Before {
    /// Whether it has the file that saving writes, or takes away when its question changes.
    pub(super) fn has_own_file(&self) -> bool {
        own_file(&self.own, &self.id).as_ref() == Some(&self.file)
    }
}

/// Opens an entry of the library under `root`; `None` when it is not there.
///
/// # Errors
/// When the library cannot be read.
pub fn open(root: &Path, options: &LoadOptions, id: &EntryId) -> Result<Option<Before>, EditError> {
    let loaded = load(root, options)?;
    let Some(entry) = loaded.library.entry(id) else {
        return Ok(None);
    };
    let source = loaded.sources.get(&entry.origin.file);
    let source = source.cloned().unwrap_or_default();
    let form = EntryForm::of(entry, &source);
    let text = render(&form, entry.reviewed, &entry.replaces).text;
    let state = Sha256::digest(text.as_bytes());
    Ok(Some(Before {
        form,
        state: state.iter().take(8).map(|b| format!("{b:02x}")).collect(),
        id: entry.id.clone(),
        replaces: entry.replaces.clone(),
        file: entry.origin.file.to_path_buf(),
        own: options.own.clone(),
        source,
        text,
    }))
}

/// The name under which the checker sees a form that has no file name yet.
const UNNAMED: &str = "new.md";

/// Checks `form`, which is new or takes the place of `before`, in the library under `root`. Writes
/// nothing.
///
/// # Errors
/// When the library cannot be read.
pub fn check(
    root: &Path,
    options: &LoadOptions,
    form: &EntryForm,
    before: Option<Before>,
) -> Result<Checked, EditError> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut fault = |field: Field, message: String| {
        faults.push(Fault {
            field: Some(field),
            message,
        });
    };
    let mut form = form.clone();
    // What is no id is nothing to be written into a file; the checker says that it is missing.
    let is_id = |id: &String| is_safe(&EntryId(id.clone()));
    form.places.retain(is_id);
    if !is_id(&form.topic) {
        form.topic.clear();
    }
    let reviewed = form.reviewed.trim().parse().unwrap_or_else(|_| {
        fault(Field::Reviewed, "日期要写成 2026-11-25 这样".to_owned());
        options.today
    });
    if form.question.trim().is_empty() {
        fault(Field::Question, "没有写问题".to_owned());
    }
    let head = HEAD_WORDS.iter().find(|word| {
        let rest = form.answer.trim().strip_prefix(**word);
        rest.is_some_and(|rest| rest.starts_with(['：', ':']))
    });
    if let Some(word) = head {
        fault(Field::Answer, format!("开头不能是“{word}：”"));
    }
    let id = form.id();
    let file = own_file(&options.own, &id).filter(|_| !form.topic.is_empty());
    if let Some(file) = &file
        && before
            .as_ref()
            .is_none_or(|b| b.file != *file && !b.replaces.contains(&id))
        && root.join(file).exists()
    {
        fault(
            Field::Question,
            "这个主题下已经有这个问题了，请去改那一条".to_owned(),
        );
    }
    let headings = |text: &str| {
        let of_entries = |line: &Line| line.kind == LineKind::Heading(2);
        lines(text).into_iter().filter(of_entries).count()
    };
    if let Some(before) = &before
        && before.has_own_file()
        && headings(&before.source) > 1
    {
        faults.push(Fault {
            field: None,
            message: format!(
                "{} 里还有别的问答，在网页上存会弄丢它们：请先把它们移到别的文件",
                before.file.display()
            ),
        });
    }
    let mut replaces: Vec<EntryId> = Vec::new();
    if let Some(before) = &before {
        replaces.extend(before.replaces.iter().cloned());
        if file.as_ref() != Some(&before.file) {
            // Back to a former question, old and new name each other: the new one must name more.
            if !replaces.contains(&id) {
                replaces.retain(|id| *id != before.id);
            }
            replaces.push(before.id.clone());
        }
    }
    let rendered = render(&form, reviewed, &replaces);
    let path = file.clone().unwrap_or_else(|| options.own.join(UNNAMED));
    let planned = [(path.clone(), rendered.text.clone())];
    let mut loaded = load_with(root, options, &planned)?;
    let is_own = |finding: &&Finding| *finding.origin.file == path;
    let mut errors = loaded
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error);
    if let Some(first) = errors.find(|finding| !is_own(finding)) {
        return Err(EditError::Elsewhere(first.one_line()));
    }
    // What another entry cites that is not in force (any more) is no reason to refuse this one.
    if loaded.library.laws.catalogue.is_some() {
        check_statutes_of(root, &mut loaded, options.today, &path).map_err(LoadError::from)?;
    }
    let mut warnings = Vec::new();
    for finding in loaded.findings.iter().filter(is_own) {
        let told = Fault {
            field: field_of(finding, &rendered),
            message: message_of(finding),
        };
        match finding.severity {
            Severity::Error => faults.push(told),
            Severity::Warning => warnings.push(told),
        }
    }
    let at = loaded
        .library
        .entries
        .iter()
        .position(|e| *e.origin.file == path);
    let entry = at.map(|at| loaded.library.entries[at].clone());
    if let Some(entry) = &entry {
        for field in rendered.misread(entry) {
            if !faults.iter().any(|f| f.field == Some(field)) {
                faults.push(Fault {
                    field: Some(field),
                    message: "程序没能照原样读这一格：去掉 # * < 之类的记号".to_owned(),
                });
            }
        }
    }
    if let Some(at) = at {
        warnings.extend(
            ways_like(&loaded.library, at, SAME_QUESTION)
                .into_iter()
                .map(|(way, other, theirs)| Fault {
                    field: Some(Field::Phrasings),
                    message: format!(
                        "“{way}”和“{}”的“{theirs}”几乎一样，居民问到哪一条就看运气了：去掉一句",
                        loaded.library.entries[other].question
                    ),
                }),
        );
    }
    for list in [&mut faults, &mut warnings] {
        list.sort_by_key(|fault| fault.field);
        list.dedup();
    }
    Ok(Checked {
        faults,
        warnings,
        library: loaded.library,
        entry,
        file,
        own: options.own.clone(),
        text: rendered.text,
        before,
    })
}

/// The field that a finding is about.
fn field_of(finding: &Finding, rendered: &Rendered) -> Option<Field> {
    match finding.rule {
        "no-place" => Some(Field::Places),
        "no-answer" => Some(Field::Answer),
        "few-phrasings" => Some(Field::Phrasings),
        // Found at the heading, told about a section.
        "empty-section" | "missing-section" => Field::ALL
            .into_iter()
            .find(|field| finding.message.contains(field.name())),
        _ => rendered.field(finding.origin.line),
    }
}

/// What a finding says, for somebody who sees a form and not a file.
fn message_of(finding: &Finding) -> String {
    match finding.rule {
        "unknown-topic" => return "请选一个主题".to_owned(),
        "no-place" => return "至少选一个场所".to_owned(),
        "no-answer" => return "没有写短答".to_owned(),
        "empty-section" | "missing-section" => return "没有写".to_owned(),
        "unexplained-figure" => {
            return format!(
                "{}：核对数字，或引上写着它的法条；都对的话，在那一行末尾写〔出处：…〕",
                finding.message
            );
        }
        _ => {}
    }
    match &finding.help {
        Some(help) => format!("{}。{}", finding.message, help.replace("例：- ", "例：")),
        None => finding.message.clone(),
    }
}

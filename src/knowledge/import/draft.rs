//! Drafts: what a leaflet or a page says, laid out for a person to write an entry after it.
//!
//! A draft lies in `drafts/`, which is no part of the library and not in version control. Its
//! source text is there to be read, never to be published; see [`super::publish`].

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::knowledge::entry_file::UNWRITTEN;
use crate::knowledge::load::DRAFTS;
use crate::knowledge::{Finding, Origin, Severity};

/// More of a source than this nobody rewrites into one entry.
const MAX_SOURCE_CHARS: usize = 20_000;
const MAX_NAME_CHARS: usize = 30;

/// A leaflet or a page, as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// Its title.
    pub title: String,
    /// Where it is from, for the line 来源.
    pub source: String,
    /// Its text, paragraph by paragraph.
    pub lines: Vec<String>,
}

/// Why no draft could be made or listed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// There is nothing to write after.
    #[error("里面没有文字（如果是扫描的图片，请先转成文字）")]
    NoText,
    /// The folder of drafts could not be used.
    #[error("读写不了 {path}：{source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// How the part with the source text begins.
pub(super) fn source_begins() -> String {
    format!("<!-- {UNWRITTEN}")
}

/// The text of a draft.
fn text(material: &Material, today: NaiveDate) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The comment must end where we end it.
    let defused = |text: &str| text.replace("--", "－－").replace(UNWRITTEN, "");
    let mut original = String::new();
    let mut chars = 0;
    for line in &material.lines {
        chars += line.chars().count();
        if chars > MAX_SOURCE_CHARS {
            original.push_str("（原文太长，后面的没有放进来）\n");
            break;
        }
        original.push_str(&defused(line.trim()));
        original.push('\n');
    }
    format!(
        "+++\n\
         topic = \"\"      # 小主题编号，见 topics.toml\n\
         places = []     # 说给谁听，见 places.toml，如 [\"village\", \"community\"]\n\
         reviewed = \"\"   # 对照现行法条核对完的日期，如 2026-11-23，不加引号\n\
         +++\n\
         \n\
         ## {UNWRITTEN}{}\n\
         问法：\n\
         来源：{}（{today} 取得）\n\
         \n\
         ### 怎么做\n\
         \n\
         ### 依据\n\
         \n\
         ### 时限\n\
         \n\
         ### 找谁\n\
         \n\
         ### 别踩坑\n\
         \n\
         {}下面是原文，只供参考。请用自己的话把上面各项写好：\n\
         标题改成老百姓会问的一句话，问法至少 6 个，“来源”下面写短答，每个数字和条号对照现行法条核对。\n\
         发布（qijin import draft）时这一段会自动去掉。\n\
         \n\
         {original}-->\n",
        defused(&one_line(&material.title)),
        one_line(&material.source),
        source_begins(),
    )
}

/// A file name that says what the draft is about.
fn name(title: &str, today: NaiveDate) -> String {
    let words: String = title
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(MAX_NAME_CHARS)
        .collect();
    format!("{today}-{}", if words.is_empty() { "草稿" } else { &words })
}

/// Writes a draft into the library's folder of drafts; none is ever overwritten.
///
/// # Errors
/// When the material has no words or the file cannot be written.
pub fn write_draft(
    root: &Path,
    material: &Material,
    today: NaiveDate,
) -> Result<PathBuf, DraftError> {
    if material.lines.iter().all(|l| l.trim().is_empty()) {
        return Err(DraftError::NoText);
    }
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| DraftError::Io { path, source }
    };
    let folder = root.join(DRAFTS);
    fs::create_dir_all(&folder).map_err(io(&folder))?;
    let name = name(&material.title, today);
    for n in 1.. {
        let path = match n {
            1 => folder.join(format!("{name}.md")),
            n => folder.join(format!("{name}-{n}.md")),
        };
        match fs::File::create_new(&path) {
            Ok(mut file) => {
                file.write_all(text(material, today).as_bytes())
                    .map_err(io(&path))?;
                return Ok(path);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(io(&path)(e)),
        }
    }
    unreachable!("some number is free")
}

/// A reminder for every draft that waits for a person.
///
/// # Errors
/// When the folder is there but cannot be read.
pub fn drafts(root: &Path) -> Result<Vec<Finding>, DraftError> {
    let folder = root.join(DRAFTS);
    let io = |source| DraftError::Io {
        path: folder.clone(),
        source,
    };
    let items = match fs::read_dir(&folder) {
        Ok(items) => items,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io(e)),
    };
    let mut names = Vec::new();
    for item in items {
        let name = PathBuf::from(item.map_err(io)?.file_name());
        let hidden = name.to_string_lossy().starts_with(['.', '~', '#']);
        if !hidden && name.extension().is_some_and(|e| e == "md") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names
        .into_iter()
        .map(|name| Finding {
            severity: Severity::Warning,
            rule: "draft",
            origin: Origin {
                file: Arc::new(Path::new(DRAFTS).join(&name)),
                line: 1,
            },
            span: None,
            message: "草稿，还没有发布".into(),
            help: Some(format!(
                "写好、核对以后运行 qijin import draft {}",
                name.display()
            )),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material(title: &str) -> Material {
        Material {
            title: title.into(),
            source: "https://example.org/a".into(),
            lines: vec!["甲 --> <b>乙</b>".into(), "## 丙".into()],
        }
    }

    #[test]
    fn a_source_cannot_leave_its_comment() {
        let text = text(&material("标题 --> # 一"), "2026-11-25".parse().unwrap());
        assert_eq!(text.matches("-->").count(), 1);
        assert!(text.ends_with("## 丙\n-->\n"));
        assert!(text.contains("\n来源：https://example.org/a（2026-11-25 取得）\n"));
    }

    #[test]
    fn drafts_are_kept_apart_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        let today = "2026-11-25".parse().unwrap();
        for expected in ["2026-11-25-防溺水.md", "2026-11-25-防溺水-2.md"] {
            let path = write_draft(folder.path(), &material("../防 溺/水"), today).unwrap();
            assert_eq!(path, folder.path().join(DRAFTS).join(expected));
        }
        let listed = drafts(folder.path()).unwrap();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|f| f.severity == Severity::Warning));
        let empty = Material {
            lines: vec![" ".into()],
            ..material("空")
        };
        assert!(matches!(
            write_draft(folder.path(), &empty, today),
            Err(DraftError::NoText)
        ));
    }
}

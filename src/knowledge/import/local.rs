//! Writing checked entries into the office's own part of the library, `local/<top>/<sub>.md`.
//!
//! What is there stays as it is: entries are added at the end. All files are written aside
//! before the first is renamed, and when a renaming fails the ones before it are undone.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::knowledge::front_matter;
use crate::knowledge::load::{LoadError, LoadOptions, load_with};

/// Why entries could not be put into the office's files.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A file could not be read or written; nothing was changed.
    #[error("读写不了 {path}：{source}。什么也没有改动")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is there, but its front matter cannot be used.
    #[error("{0} 开头的说明读不懂：先运行 qijin check 改好它")]
    Unreadable(PathBuf),
    /// The file is there and belongs to another topic.
    #[error("{path} 里写的小主题是 {topic}：请先给它换个文件名")]
    OtherTopic {
        /// The file.
        path: PathBuf,
        /// Its topic.
        topic: String,
    },
    /// Somebody saved the file meanwhile.
    #[error("{0} 刚刚被改过：请再运行一次。什么也没有改动")]
    Changed(PathBuf),
    /// With the new entries the library would be refused.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A checked entry on its way into a file.
pub(super) struct Block {
    pub topic: String,
    pub places: Vec<String>,
    pub reviewed: NaiveDate,
    /// Its Markdown from the heading on, without 场所 and 核对.
    pub text: String,
}

/// A file as it will be.
#[derive(Debug)]
pub struct PlannedFile {
    /// Relative to the library.
    pub path: PathBuf,
    /// How many entries it gets.
    pub entries: usize,
    /// Whether it is there already.
    pub exists: bool,
    before: Option<String>,
    after: String,
}

/// Files to be written, checked as part of the library.
#[derive(Debug)]
pub struct Planned {
    root: PathBuf,
    /// In the order of their paths.
    pub files: Vec<PlannedFile>,
}

fn path_of(own: &Path, topic: &str) -> PathBuf {
    let (top, sub) = topic.split_once('.').unwrap_or((topic, topic));
    own.join(top).join(format!("{sub}.md"))
}

fn read(path: &Path) -> Result<Option<String>, LocalError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LocalError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Works out the files for `blocks` and has the whole library checked with them.
pub(super) fn plan(
    root: &Path,
    options: &LoadOptions,
    blocks: Vec<Block>,
) -> Result<Planned, LocalError> {
    let mut by_file: BTreeMap<PathBuf, Vec<Block>> = BTreeMap::new();
    for block in blocks {
        by_file
            .entry(path_of(&options.own, &block.topic))
            .or_default()
            .push(block);
    }
    let mut files = Vec::new();
    for (path, blocks) in by_file {
        let before = read(&root.join(&path))?;
        let after = append(&path, before.as_deref(), &blocks)?;
        files.push(PlannedFile {
            path,
            entries: blocks.len(),
            exists: before.is_some(),
            before,
            after,
        });
    }
    let contents: Vec<(PathBuf, String)> = files
        .iter()
        .map(|f| (f.path.clone(), f.after.clone()))
        .collect();
    load_with(root, options, &contents)?.accept()?;
    Ok(Planned {
        root: root.to_owned(),
        files,
    })
}

/// The text of a file with `blocks` added.
fn append(path: &Path, before: Option<&str>, blocks: &[Block]) -> Result<String, LocalError> {
    let first = &blocks[0];
    let (mut text, header) = match before {
        Some(text) => {
            let header = front_matter::peek(text.trim_start_matches('\u{feff}'))
                .ok_or_else(|| LocalError::Unreadable(path.to_owned()))?;
            if header.topic != first.topic {
                return Err(LocalError::OtherTopic {
                    path: path.to_owned(),
                    topic: header.topic,
                });
            }
            (text.trim_end().to_owned() + "\n", header)
        }
        None => {
            let header = front_matter::Header {
                topic: first.topic.clone(),
                places: first.places.clone(),
                reviewed: first.reviewed,
            };
            (header.to_string(), header)
        }
    };
    for block in blocks {
        let (heading, rest) = block.text.split_once('\n').unwrap_or((&block.text, ""));
        text.push_str(&format!("\n{heading}\n"));
        if block.places != header.places {
            text.push_str(&format!("场所：{}\n", block.places.join(" ｜ ")));
        }
        if block.reviewed != header.reviewed {
            text.push_str(&format!("核对：{}\n", block.reviewed));
        }
        text.push_str(rest.trim_end());
        text.push('\n');
    }
    // A file with Windows line ends keeps them.
    if before.is_some_and(|t| t.contains("\r\n")) {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    Ok(text)
}

impl Planned {
    /// Writes all files, or none.
    ///
    /// # Errors
    /// When a file changed meanwhile or cannot be written; what was done is undone then.
    pub fn write(&self) -> Result<(), LocalError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| LocalError::Io { path, source }
        };
        let mut staged = Vec::new();
        for file in &self.files {
            let target = self.root.join(&file.path);
            let aside = aside(&target);
            let written = write_aside(&aside, &file.after);
            staged.push((aside, target));
            if let Err(error) = written {
                clean(&staged);
                return Err(error);
            }
        }
        for (done, file) in self.files.iter().enumerate() {
            let (aside, target) = &staged[done];
            let moved = match read(target) {
                Ok(now) if now == file.before => fs::rename(aside, target).map_err(io(target)),
                Ok(_) => Err(LocalError::Changed(file.path.clone())),
                Err(error) => Err(error),
            };
            if let Err(error) = moved {
                self.undo(done);
                clean(&staged);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Puts the first `done` files back as they were.
    fn undo(&self, done: usize) {
        for file in &self.files[..done] {
            let target = self.root.join(&file.path);
            // The error that led here is the one to report.
            let _ = match &file.before {
                Some(text) => fs::write(&target, text),
                None => fs::remove_file(&target),
            };
        }
    }
}

/// Writes a file that is to be renamed, and has it on the disk.
pub(in crate::knowledge) fn write_aside(aside: &Path, text: &str) -> Result<(), LocalError> {
    let io = |path: &Path, source| LocalError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = aside.parent() {
        fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
    }
    fs::File::create(aside)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.sync_all()
        })
        .map_err(|e| io(aside, e))
}

/// Hidden, so that the loader does not see it.
pub(in crate::knowledge) fn aside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.new"))
}

fn clean(staged: &[(PathBuf, PathBuf)]) {
    for (aside, _) in staged {
        // Renamed already, or never written: either way it is gone.
        let _ = fs::remove_file(aside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(places: &[&str], day: &str) -> Block {
        Block {
            topic: "labor.pay".into(),
            places: places.iter().map(|p| (*p).to_owned()).collect(),
            reviewed: day.parse().unwrap(),
            text: "## 问？\n问法：甲\n短答。\n".into(),
        }
    }

    #[test]
    fn what_differs_from_the_front_matter_is_written_at_the_entry() {
        let new = append(
            Path::new("a.md"),
            None,
            &[
                block(&["village"], "2026-11-01"),
                block(&["school", "unit"], "2026-11-02"),
            ],
        )
        .unwrap();
        assert!(new.starts_with("+++\ntopic = \"labor.pay\"\nplaces = [\"village\"]\nreviewed = 2026-11-01\n+++\n\n## 问？\n问法"));
        assert!(
            new.ends_with(
                "\n\n## 问？\n场所：school ｜ unit\n核对：2026-11-02\n问法：甲\n短答。\n"
            )
        );

        let windows = new.replace('\n', "\r\n");
        let more = append(
            Path::new("a.md"),
            Some(&windows),
            &[block(&["village"], "2026-11-01")],
        );
        let more = more.unwrap();
        assert!(more.starts_with(windows.trim_end()), "nothing is lost");
        assert_eq!(more.matches('\n').count(), more.matches("\r\n").count());
    }

    #[test]
    fn a_failed_renaming_undoes_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("a.md"), "old").unwrap();
        fs::write(root.join("c.md"), "another").unwrap();
        let file = |path: &str, before: Option<&str>| PlannedFile {
            path: path.into(),
            entries: 1,
            exists: before.is_some(),
            before: before.map(str::to_owned),
            after: "new".into(),
        };
        let planned = Planned {
            root: root.to_owned(),
            files: vec![
                file("a.md", Some("old")),
                file("b.md", None),
                file("c.md", None),
            ],
        };
        assert!(matches!(planned.write(), Err(LocalError::Changed(_))));
        let mut left: Vec<_> = fs::read_dir(root)
            .unwrap()
            .map(|f| f.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["a.md", "c.md"]);
        assert_eq!(fs::read_to_string(root.join("a.md")).unwrap(), "old");
    }
}

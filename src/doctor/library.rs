//! Library, statutes and index.

use chrono::NaiveDate;

use super::{Check, State};
use crate::config::Config;
use crate::knowledge::{self, Finding, Library, Severity};
use crate::search;

pub(super) fn all(config: &Config) -> Vec<Check> {
    let (id, title) = ("library", "资料库");
    let folder = &config.folders.library;
    let loaded = match knowledge::load(folder, &config.load_options()) {
        Ok(loaded) => loaded,
        Err(error) => {
            let todo = "看 [folders] library 写对了没有，再运行 qijin check";
            return vec![Check::new(id, title, State::Bad, error.to_string(), todo)];
        }
    };
    let errors = loaded.errors();
    if errors > 0 {
        let mut all = loaded.findings.iter();
        let first = all.find(|f| f.severity == Severity::Error);
        let first = first.map(Finding::one_line).unwrap_or_default();
        let found = format!("有 {errors} 处错误，第一处：{first}");
        let todo = "运行 qijin check 看全部；改好以前，正在运行的七进还用旧的资料";
        return vec![Check::new(id, title, State::Bad, found, todo)];
    }
    let mut checks = vec![reviewed(&loaded.library, &loaded.findings)];
    checks.extend(drafts(config));
    checks.push(statutes(&loaded.library));
    checks.push(index(config, &loaded.library));
    checks
}

fn reviewed(library: &Library, findings: &[Finding]) -> Check {
    let (id, title) = ("library", "资料库");
    let stale = findings.iter().filter(|f| f.rule == "stale-review").count();
    let days = library.entries.iter().map(|e| e.reviewed);
    let span: Option<(NaiveDate, NaiveDate)> = days.clone().min().zip(days.max());
    let found = match span {
        None => "一条问答也没有".to_owned(),
        Some((first, last)) => format!(
            "{} 条问答，核对日期从 {first} 到 {last}",
            library.entries.len()
        ),
    };
    if library.entries.is_empty() {
        let todo = "看 [folders] library 指的是不是 knowledge 文件夹";
        return Check::new(id, title, State::Bad, found, todo);
    }
    // A finding stands for a file, which may hold several entries.
    match stale {
        0 => Check::good(id, title, found),
        n => {
            let found = format!("{found}；{n} 个文件一年多没有核对");
            let todo = "运行 qijin check 看是哪些，对照现行法条再核一遍";
            Check::new(id, title, State::Warning, found, todo)
        }
    }
}

fn drafts(config: &Config) -> Option<Check> {
    let (id, title) = ("drafts", "草稿");
    let drafts = knowledge::import::drafts(&config.folders.library).ok()?;
    (!drafts.is_empty()).then(|| {
        let found = format!("{} 个草稿还没有改写，不会给居民看到", drafts.len());
        let todo = "打开 knowledge/drafts/ 里的文件改写，不要的删掉";
        Check::new(id, title, State::Warning, found, todo)
    })
}

fn statutes(library: &Library) -> Check {
    let (id, title) = ("statutes", "法律条文");
    match &library.laws.catalogue {
        Some(catalogue) => Check::good(
            id,
            title,
            format!("已导入 {} 个版本的法律法规", catalogue.versions.len()),
        ),
        None => {
            let todo = "运行 qijin import statutes 文件夹；导入以后才能查法条、核对条号";
            Check::new(id, title, State::Warning, "还没有导入法律条文", todo)
        }
    }
}

fn index(config: &Config, library: &Library) -> Check {
    let (id, title) = ("index", "索引");
    match search::usable(&config.paths().index_of_entries(), library) {
        Ok(()) => Check::good(id, title, "最新"),
        Err(why) => {
            let todo = "qijin serve 启动时会自己建；也可以现在运行 qijin index build";
            Check::new(id, title, State::Warning, format!("要重建：{why}"), todo)
        }
    }
}

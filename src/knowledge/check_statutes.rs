//! Checking entries against the imported statutes: every citation is an article in force, under
//! its present number, and every legal figure stands in a cited article.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use chrono::NaiveDate;

use super::finding::{Finding, SourceFile};
use super::load::Loaded;
use super::statutes::{
    Article, Figure, MoveTable, Standing, Statute, StatuteError, figures, occurs, read_texts_with,
};
use super::{Basis, Entry, Library};

/// How much better a sentence must fit another article before its number counts as moved.
const CLEARLY: f64 = 0.12;

/// Adds to `loaded` what is wrong with its citations and figures on `day`.
///
/// # Errors
/// When nothing was imported ([`StatuteError::NothingImported`]) or the texts are unreadable.
pub fn check_statutes(
    root: &Path,
    loaded: &mut Loaded,
    day: NaiveDate,
) -> Result<(), StatuteError> {
    check(root, loaded, day, None)
}

/// The same for the entries of one file, and only with the laws that they cite: a person waits.
///
/// # Errors
/// As [`check_statutes`].
pub(super) fn check_statutes_of(
    root: &Path,
    loaded: &mut Loaded,
    day: NaiveDate,
    file: &Path,
) -> Result<(), StatuteError> {
    check(root, loaded, day, Some(file))
}

/// The laws that judging the entries of a file takes, as their lines in the store name them: those
/// they cite, and what took the place of one.
fn needed(library: &Library, file: &Path, day: NaiveDate) -> Vec<String> {
    let entries = library.entries.iter().filter(|e| *e.origin.file == file);
    let cited = entries.flat_map(|e| e.basis.iter().map(|b| b.citation.law.as_str()));
    cited
        .flat_map(|law| {
            let repealed = library.laws.changes.repealed_on(law, day);
            let by = repealed.into_iter().flat_map(|r| r.by.iter());
            by.map(String::as_str).chain([law]).collect::<Vec<_>>()
        })
        .map(|law| format!("\"{law}\""))
        .collect()
}

fn check(
    root: &Path,
    loaded: &mut Loaded,
    day: NaiveDate,
    only: Option<&Path>,
) -> Result<(), StatuteError> {
    let laws = loaded.library.laws.clone();
    let Some(catalogue) = &laws.catalogue else {
        return Err(StatuteError::NothingImported);
    };
    let needed = only.map(|file| needed(&loaded.library, file, day));
    let wanted = |line: &str| match &needed {
        Some(names) => names.iter().any(|name| line.contains(name.as_str())),
        None => true,
    };
    let mut statutes: Vec<Statute> = Vec::new();
    read_texts_with(root, catalogue, wanted, |s| statutes.push(s))?;
    let moves = MoveTable::new(&laws, day, &statutes);
    let in_force: HashSet<&str> = laws
        .in_force(day)
        .into_iter()
        .map(|v| v.id.as_str())
        .collect();
    let mut articles: HashMap<(&str, String), &Article> = HashMap::new();
    for statute in statutes
        .iter()
        .filter(|s| in_force.contains(s.version.id.as_str()))
    {
        for article in &statute.articles {
            articles.insert((&statute.version.name, article.label()), article);
        }
    }
    let checker = Checker {
        library: &loaded.library,
        articles,
        moves,
        day,
    };
    let mut findings = Vec::new();
    for entry in &loaded.library.entries {
        if only.is_some_and(|file| *entry.origin.file != file) {
            continue;
        }
        let text = loaded.sources.get(&entry.origin.file);
        let source = SourceFile {
            path: entry.origin.file.clone(),
            text: text.map_or("", String::as_str),
        };
        checker.entry(&source, entry, &mut findings);
    }
    loaded.findings.extend(findings);
    loaded
        .findings
        .sort_by(|a, b| a.origin.cmp(&b.origin).then(b.severity.cmp(&a.severity)));
    Ok(())
}

struct Checker<'a> {
    library: &'a Library,
    articles: HashMap<(&'a str, String), &'a Article>,
    moves: MoveTable,
    day: NaiveDate,
}

/// The line on which a basis stands, in bytes.
fn line_of(source: &SourceFile<'_>, basis: &Basis) -> std::ops::Range<usize> {
    let mut start = 0;
    for (n, line) in source.text.split_inclusive('\n').enumerate() {
        if n + 1 == basis.origin.line {
            return start..start + line.trim_end().len();
        }
        start += line.len();
    }
    0..0
}

/// Share of the sentence's character pairs that stand in the article.
fn fits(says: &str, article: &Article) -> f64 {
    let pairs = |text: &str| -> HashSet<(char, char)> {
        let chars: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        chars.windows(2).map(|w| (w[0], w[1])).collect()
    };
    let said = pairs(says);
    let held = pairs(&article.text);
    said.intersection(&held).count() as f64 / said.len().max(1) as f64
}

impl Checker<'_> {
    fn entry(&self, source: &SourceFile<'_>, entry: &Entry, findings: &mut Vec<Finding>) {
        let mut known: Vec<Figure> = Vec::new();
        let mut all_found = true;
        for basis in &entry.basis {
            match self.citation(source, basis, findings) {
                Some(article) => known.extend(figures(&article.text)),
                None => all_found = false,
            }
        }
        // With a citation missing the figures cannot be judged: one fault, one finding.
        if !all_found {
            return;
        }
        for line in &entry.figure_lines {
            for figure in figures(&line.text) {
                if occurs(&figure, &known) {
                    continue;
                }
                let words = &line.text[figure.span.clone()];
                let at = source.text[line.span.clone()].find(words);
                let start = line.span.start + at.unwrap_or(0);
                findings.push(
                    source
                        .warning(
                            "unexplained-figure",
                            start..start + at.map_or(0, |_| words.len()),
                            format!("“{words}”在所引的法条里找不到"),
                        )
                        .help(
                            "核对数字；引上写着它的法条；或在行末说明来由：<!-- figure: 来由 -->",
                        ),
                );
            }
        }
    }

    /// The cited article if it is in force; otherwise a finding that says what is.
    fn citation(
        &self,
        source: &SourceFile<'_>,
        basis: &Basis,
        findings: &mut Vec<Finding>,
    ) -> Option<&Article> {
        let (law, label) = (&basis.citation.law, &basis.citation.article);
        let span = || line_of(source, basis);
        let instead = self.moves.moved(law, label);
        match self.library.laws.standing(law, self.day) {
            Standing::InForce(version) => {
                let Some(article) = self.articles.get(&(law.as_str(), label.clone())) else {
                    let finding = source.error(
                        "no-such-article",
                        span(),
                        format!("《{law}》没有{label}：现行文本共 {} 条", version.articles),
                    );
                    findings.push(match instead {
                        Some(now) => finding.help(format!("修订前的{label}现在是{}", now.article)),
                        None => finding,
                    });
                    return None;
                };
                if let Some(now) = instead
                    && let Some(moved) = self.articles.get(&(now.law.as_str(), now.article.clone()))
                    && fits(&basis.says, moved) > fits(&basis.says, article) + CLEARLY
                {
                    findings.push(
                        source
                            .error(
                                "moved-article",
                                span(),
                                format!(
                                    "像是旧条号：您写的内容现在在《{}》{}",
                                    now.law, now.article
                                ),
                            )
                            .help(format!("{law}修订过，条号有变动；现行{label}讲的是别的事")),
                    );
                }
                Some(article)
            }
            Standing::Replaced(repealed) => {
                let finding = source.error(
                    "dead-law",
                    span(),
                    format!("《{law}》自 {} 起已失效", repealed.from),
                );
                let help = match (instead, repealed.by.first()) {
                    (Some(now), _) => format!("现在是《{}》{}", now.law, now.article),
                    (None, Some(by)) => format!("内容现在在《{by}》里：{}", repealed.note),
                    (None, None) => "没有替代的法律，去掉这一条".to_owned(),
                };
                findings.push(finding.help(help));
                None
            }
            Standing::Coming(version) => {
                let from = version
                    .effective
                    .map_or_else(String::new, |d| d.to_string());
                findings.push(source.error(
                    "not-yet-in-force",
                    span(),
                    format!("《{law}》还没有生效（{from} 起施行）"),
                ));
                None
            }
            Standing::Dead => {
                findings.push(
                    source
                        .error("dead-law", span(), format!("《{law}》已不是现行有效的法律"))
                        .help("导入它的现行文本，或改引现行的法律"),
                );
                None
            }
            Standing::NotHeld => {
                let near = self.library.laws.resolver().law(law);
                let finding = source.error("unknown-law", span(), format!("法条库里没有《{law}》"));
                findings.push(match near {
                    Some(near) if near.law != *law => {
                        finding.help(format!("是不是《{}》？要写正式名称", near.law))
                    }
                    _ => finding.help("核对名称；确有其法就先导入它的文本"),
                });
                None
            }
        }
    }
}

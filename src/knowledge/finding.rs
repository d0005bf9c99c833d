//! What the checker has to say: findings with file, line and the very words at fault.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet};

use super::Origin;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the library is still served.
    Warning,
    /// The library is refused until it is mended.
    Error,
}

/// One thing that is wrong or doubtful in the library.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name of the rule, `unknown-topic`.
    pub rule: &'static str,
    /// File and line.
    pub origin: Origin,
    /// Byte range of the words at fault in the file, for a caret.
    pub span: Option<Range<usize>>,
    /// What is wrong, in Chinese, for staff.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The texts of the library's files, for pointing into them.
pub type Sources = HashMap<Arc<PathBuf>, String>;

/// The source of one file while it is read: turns byte offsets into lines and findings.
pub(super) struct SourceFile<'a> {
    pub path: Arc<PathBuf>,
    pub text: &'a str,
}

impl SourceFile<'_> {
    pub fn line(&self, line: usize) -> Origin {
        Origin {
            file: self.path.clone(),
            line,
        }
    }

    pub fn origin(&self, byte: usize) -> Origin {
        let before = &self.text.as_bytes()[..byte.min(self.text.len())];
        self.line(1 + before.iter().filter(|b| **b == b'\n').count())
    }

    pub fn error(
        &self,
        rule: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            severity: Severity::Error,
            rule,
            origin: self.origin(span.start),
            span: Some(span),
            message: message.into(),
            help: None,
        }
    }

    pub fn warning(
        &self,
        rule: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..self.error(rule, span, message)
        }
    }
}

impl Finding {
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// One line for logs: `labor/wage.md:12 错误[unknown-topic] …`.
    pub fn one_line(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "错误",
            Severity::Warning => "提醒",
        };
        format!("{} {severity}[{}] {}", self.origin, self.rule, self.message)
    }

    /// Several lines for a terminal, with the source line and a caret where one helps.
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR.with_name("错误"),
            Severity::Warning => Level::WARNING.with_name("提醒"),
        };
        let path = self.origin.file.display().to_string();
        let title = format!("{}:{} {}", path, self.origin.line, self.message);
        let mut group = level
            .primary_title(&title)
            .id(self.rule)
            .elements(Vec::<Element<'_>>::new());
        if let (Some(span), Some(source)) = (&self.span, sources.get(&self.origin.file)) {
            // Only the lines at fault: a whole file would be scanned for every finding.
            let start = source[..span.start].rfind('\n').map_or(0, |i| i + 1);
            let end = source[span.end.max(start)..]
                .find('\n')
                .map_or(source.len(), |i| span.end + i);
            group = group.element(
                Snippet::source(&source[start..end])
                    .line_start(self.origin.line)
                    .path(&path)
                    .annotation(AnnotationKind::Primary.span(span.start - start..span.end - start)),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.with_name("办法").message(help));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

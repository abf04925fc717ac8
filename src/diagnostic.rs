//! The one error a user sees: a code, a title, labelled places and text to write instead.

use crate::source::{Excerpt, Source, Span, visible};

/// How bad it is: an error stops the work, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The template cannot be used.
    Error,
    /// It can be used, and is probably not what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`, as SARIF and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place and what is found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is here, in a few lower-case words.
    pub text: String,
}

/// One change of the text: a fix is one or more of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What to replace.
    pub span: Span,
    /// What to write there.
    pub text: String,
}

/// One error or lint, as plain data: [`render`] makes it text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Such as `E201`; `docs/codes` explains each.
    pub code: &'static str,
    /// Fault or lint.
    pub severity: Severity,
    /// The error, lower case, in one line.
    pub title: String,
    /// The first label is the primary one.
    pub labels: Vec<Label>,
    /// Text to write instead.
    pub help: String,
    /// The same as edits of the text, all to be made together; none where it is unknown what was
    /// meant. No two of them overlap.
    pub fix: Vec<Edit>,
    /// True if the text after the edits says what was meant for certain. Other edits are offered in
    /// an editor and to tools, and `check --fix` makes them with `--unsafe-fixes` only.
    pub is_sure: bool,
}

impl Diagnostic {
    /// An error with its primary label.
    pub fn error(
        code: &'static str,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            title: shortened(title.into()),
            labels: vec![Label { span, text: shortened(label.into()) }],
            help: String::new(),
            fix: Vec::new(),
            is_sure: false,
        }
    }

    /// A lint with its primary label.
    pub fn lint(
        code: &'static str,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, title, span, label) }
    }

    /// Adds a place that helps to understand the error.
    pub fn and(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: shortened(label.into()) });
        self
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = shortened(text.into());
        self
    }

    /// Adds an edit to those that remove the error. They are offered, unless [`sure`] follows.
    ///
    /// [`sure`]: Diagnostic::sure
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.is_sure = false;
        self.fix.push(Edit { span, text: text.into() });
        self.fix.sort_by_key(|edit| edit.span);
        self
    }

    /// Vouches for the edits so far: whoever wrote this meant what they say, in every language that
    /// writes it so, for every value. Where it has to be argued, the reason is written at the call.
    pub fn sure(self) -> Diagnostic {
        self.sure_if(true)
    }

    /// Vouches for the edits so far on a condition.
    pub fn sure_if(mut self, is_sure: bool) -> Diagnostic {
        self.is_sure = is_sure && !self.fix.is_empty();
        self
    }

    /// Are there edits that may not be what was meant?
    pub fn is_offered(&self) -> bool {
        !self.fix.is_empty() && !self.is_sure
    }

    /// The primary place.
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::default(), |label| label.span)
    }
}

/// A text after edits, which stand in the order of the text and do not overlap.
pub fn edited<'a>(text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> String {
    let (mut result, mut done) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        result.push_str(&text[done..edit.span.start]);
        result.push_str(&edit.text);
        done = edit.span.end;
    }
    result.push_str(&text[done..]);
    result
}

/// No message is longer, whatever names it has.
const MESSAGE_MAX: usize = 1000;

/// A message without its middle, if it is longer than a person reads.
fn shortened(text: String) -> String {
    if text.len() <= MESSAGE_MAX {
        return text;
    }
    let (head, tail) = (text.floor_char_boundary(200), text.ceil_char_boundary(text.len() - 100));
    format!("{} … {}", &text[..head], &text[tail..])
}

/// Nobody misspells a longer name, and comparing such takes long.
const NAME_MAX: usize = 64;

/// The candidate nearest to a misspelled name, if it is near enough to be meant.
pub fn near_miss<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_MAX {
        return None;
    }
    let far = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 4 * far)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= far)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Is a near name meant for certain: a long one, no plural or number of another, and near alone?
pub fn is_sure_miss<'a>(name: &str, near: &str, known: impl IntoIterator<Item = &'a str>) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let far = (name.chars().count() / 3).max(1);
    let others: Vec<&str> = known
        .into_iter()
        .filter(|other| *other != near && other.len().abs_diff(name.len()) <= 4 * far)
        .collect();
    let is_near = |other: &&str| strsim::damerau_levenshtein(name, other) <= far;
    name.len() > 3
        && digits(name) == digits(near)
        && name.strip_suffix('s') != Some(near)
        && near.strip_suffix('s') != Some(name)
        && !others.iter().any(is_near)
}

/// The diagnostic as miette draws it, with the source beside it. What a text holds that steers a
/// terminal is written out: no escape sequence is in it but those of the colours.
///
/// # Panics
/// If the drawing fails, which writing to a String does not.
pub fn render(diagnostic: &Diagnostic, source: &Source, colour: bool) -> String {
    use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic};
    let shown = |text: &str| visible(text).into_owned();
    let spans: Vec<Span> = diagnostic.labels.iter().map(|label| label.span).collect();
    let excerpt = Excerpt::new(source, &spans);
    let labels = diagnostic.labels.iter().enumerate().map(|(at, label)| {
        let (text, start) = (Some(shown(&label.text)), excerpt.place(label.span.start));
        let length = excerpt.place(label.span.end) - start;
        match at {
            0 => LabeledSpan::new_primary_with_span(text, (start, length)),
            _ => LabeledSpan::new_with_span(text, (start, length)),
        }
    });
    let mut report = MietteDiagnostic::new(shown(&diagnostic.title))
        .with_code(diagnostic.code)
        .with_severity(match diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
        .with_labels(labels);
    if !diagnostic.help.is_empty() {
        report = report.with_help(shown(&diagnostic.help));
    }
    let report = miette::Report::from(report).with_source_code(excerpt);
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut text = String::new();
    GraphicalReportHandler::new_themed(theme)
        .with_width(100)
        .render_report(&mut text, report.as_ref())
        .expect("writing to a String does not fail");
    text
}

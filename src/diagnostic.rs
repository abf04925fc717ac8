//! The one error a user sees: a code, a title, labelled places and text to write instead.

use crate::source::{Excerpt, Source, Span, visible};

/// How bad it is: a fault stops the work, a lint does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The template cannot be used.
    Fault,
    /// It can be used, and is probably not what was meant.
    Lint,
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

/// One fault or lint, as plain data: [`render`] makes it text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Such as `E201`; `docs/codes` explains each.
    pub code: &'static str,
    /// Fault or lint.
    pub severity: Severity,
    /// The fault, lower case, in one line.
    pub title: String,
    /// The first label is the primary one.
    pub labels: Vec<Label>,
    /// Text to write instead.
    pub help: String,
    /// The same as edits of the text, all to be made together; none where nobody knows what was
    /// meant. No two of them overlap.
    pub fix: Vec<Edit>,
    /// True if the edits may not be what was meant: they are offered in an editor and to tools, and
    /// `check --fix` does not make them.
    pub is_offered: bool,
}

impl Diagnostic {
    /// A fault with its primary label.
    pub fn fault(
        code: &'static str,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Fault,
            title: shortened(title.into()),
            labels: vec![Label { span, text: shortened(label.into()) }],
            help: String::new(),
            fix: Vec::new(),
            is_offered: false,
        }
    }

    /// A lint with its primary label.
    pub fn lint(
        code: &'static str,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic { severity: Severity::Lint, ..Diagnostic::fault(code, title, span, label) }
    }

    /// Adds a place that helps to understand the fault.
    pub fn and(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: shortened(label.into()) });
        self
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = shortened(text.into());
        self
    }

    /// Adds an edit to those that remove the fault.
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.fix.push(Edit { span, text: text.into() });
        self.fix.sort_by_key(|edit| edit.span);
        self
    }

    /// Leaves it to a person whether the edits are made.
    pub fn offer(mut self) -> Diagnostic {
        self.is_offered = true;
        self
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

/// No message is longer, whatever names it tells.
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

/// The diagnostic as miette draws it, with the source beside it. What a text holds that steers a
/// terminal is written out: no escape sequence is in it but those of the colours.
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
            Severity::Fault => miette::Severity::Error,
            Severity::Lint => miette::Severity::Warning,
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

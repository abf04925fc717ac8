//! Lints that a file allows: `// allow L620: the task is to give the last word`.

use super::tokens::{self, Kind};
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};

/// A comment that allows lints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The comment.
    pub span: Span,
    /// The codes that it names.
    pub codes: Vec<String>,
    /// From the start of its line to the end of the statement's first line that it stands above;
    /// of one behind a statement, its own line.
    lines: Span,
}

/// The comments of a file that allow lints.
pub fn all(source: &Source) -> Vec<Allow> {
    let (tokens, _) = tokens::scan(source, tokens::start(source));
    let comments = tokens.iter().filter(|token| token.kind == Kind::Comment);
    let allow = |comment: &tokens::Token| {
        let text = source.slice(comment.span);
        let rest = text.trim_start_matches('/').trim_start().strip_prefix("allow ")?;
        let codes = rest.split(':').next().unwrap_or_default();
        let codes = codes.split([',', ' ']).filter(|code| !code.is_empty());
        let start = source.text[..comment.span.start].rfind('\n').map_or(0, |at| at + 1);
        let stands_alone = source.text[start..comment.span.start].trim().is_empty();
        let mut after = tokens.iter().filter(|token| token.span.start >= comment.span.end);
        let next = after.find(|token| !matches!(token.kind, Kind::Comment | Kind::Doc));
        let last = match next {
            Some(next) if stands_alone => next.span.start,
            _ => comment.span.end,
        };
        let end = source.text[last..].find('\n').map_or(source.text.len(), |at| last + at);
        Some(Allow {
            span: comment.span,
            codes: codes.map(str::to_string).collect(),
            lines: Span::new(start, end),
        })
    };
    comments.filter_map(allow).collect()
}

/// True for a lint that the file allows. A comment on the line of a lint, or above it, allows this
/// one; one that stands beside none of those that were found allows all of its code.
pub fn is_allowed(allows: &[Allow], lint: &Diagnostic, found: &[Diagnostic]) -> bool {
    let beside = |allow: &Allow, one: &Diagnostic| {
        let of_code = allow.codes.iter().any(|code| code.eq_ignore_ascii_case(one.code));
        let inside =
            |place: Span| allow.lines.start <= place.start && place.start < allow.lines.end;
        of_code && one.labels.iter().any(|label| inside(label.span))
    };
    let names =
        |allow: &&Allow| allow.codes.iter().any(|code| code.eq_ignore_ascii_case(lint.code));
    let mut naming = allows.iter().filter(names);
    naming.any(|allow| beside(allow, lint) || !found.iter().any(|one| beside(allow, one)))
}

/// What was found, without the lints that the file allows.
pub fn kept(source: &Source, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let allows = all(source);
    let is_kept =
        |one: &&Diagnostic| one.severity == Severity::Error || !is_allowed(&allows, one, &found);
    if allows.is_empty() { found } else { found.iter().filter(is_kept).cloned().collect() }
}

/// What a check found, without the lints that the file allows, and with a lint for each comment
/// that allows nothing.
pub fn checked(source: &Source, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_sound = found.iter().all(|one| one.severity == Severity::Warning);
    let allows = if is_sound { all(source) } else { Vec::new() };
    let named = allows.iter().flat_map(|allow| allow.codes.iter().map(|code| (allow.span, code)));
    let unused: Vec<Diagnostic> =
        named.filter_map(|(place, code)| allows_nothing(place, code, &found)).collect();
    let mut kept = kept(source, found);
    kept.extend(unused);
    kept
}

/// The lint of a code that is allowed and not found. What only an audit finds may be found.
fn allows_nothing(place: Span, code: &str, found: &[Diagnostic]) -> Option<Diagnostic> {
    let code = code.to_ascii_uppercase();
    // The codes of this range are the audit's; all others are found by a check.
    let of_audit = code.starts_with("L61") || code.starts_with("L62");
    let title = match codes::page(&code) {
        None => format!("`{code}` is no code"),
        Some(_) if code.starts_with('E') => format!("`{code}` is an error, which nothing allows"),
        Some(_) if !of_audit && !found.iter().any(|one| one.code == code) => {
            format!("`{code}` is allowed and not found")
        }
        Some(_) => return None,
    };
    let lint = Diagnostic::lint("L607", title, place, "allows nothing");
    Some(lint.help("delete it, or write the code of a lint, such as `// allow L602: for later`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lint(source: &Source, code: &'static str, word: &str) -> Diagnostic {
        let at = source.text.find(word).expect("the word is there");
        Diagnostic::lint(code, "a lint", Span::new(at, at + word.len()), "here")
    }

    fn left(text: &str, lints: &[(&'static str, &str)]) -> Vec<&'static str> {
        let source = Source::new("a.cook", text);
        let found = lints.iter().map(|(code, word)| lint(&source, code, word)).collect();
        kept(&source, found).iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_comment_above_a_line_or_behind_it_allows_the_lint_of_that_line_alone() {
        let text = "// allow L602: for later\na ~ pick(vocab)\nb ~ pick(vocab)\n";
        assert_eq!(left(text, &[("L602", "a ~"), ("L602", "b ~")]), ["L602"]);
        let text = "a ~ pick(vocab) // allow L602\nb ~ pick(vocab)\n";
        assert_eq!(left(text, &[("L602", "a ~"), ("L602", "b ~")]), ["L602"]);
        let text = "// allow L602, L604: both\n\n/// Documented.\na ~ pick(vocab)\n";
        assert!(left(text, &[("L602", "a ~"), ("L604", "pick")]).is_empty());
    }

    #[test]
    fn a_comment_beside_no_lint_allows_its_code_in_the_whole_file() {
        let text = "// allow L623: why\n\na ~ pick(vocab)\nrule r: a in vocab\n";
        assert!(left(text, &[("L623", "rule")]).is_empty());
        assert_eq!(left(text, &[("L622", "rule")]), ["L622"]);
    }

    #[test]
    fn only_comments_allow() {
        let text = "/// allow L602\nprompt \"// allow L602\"\na ~ pick(vocab)\n";
        assert_eq!(left(text, &[("L602", "a ~")]), ["L602"]);
    }
}

//! Faults of statements: unknown words, and parts that are missing at the end.

use super::miss::{Miss, is_keyword};
use crate::diagnostic::{Diagnostic, near_miss};
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::{Kind, STATEMENT_WORDS};

/// `x = 1 + /// text`
pub fn misplaced_doc(miss: &Miss) -> Option<Diagnostic> {
    if miss.kind(miss.found) != Some(Kind::Doc) {
        return None;
    }
    let place = miss.place();
    let slashes = crate::source::Span::new(place.start, place.start + 3);
    Some(
        Diagnostic::fault("E143", "`///` stands before a statement", place, "within a statement")
            .help("write `//` for a comment")
            .fix(slashes, "//"),
    )
}

/// What other languages say, and what it is here.
const TWINS: [(&str, &str); 12] = [
    ("def", "fn"),
    ("fun", "fn"),
    ("func", "fn"),
    ("function", "fn"),
    ("import", "use"),
    ("from", "use"),
    ("parameter", "param"),
    ("difficulty", "level"),
    ("check", "rule"),
    ("assert", "rule"),
    ("answer", "reply"),
    ("output", "reply"),
];

/// `promt """…"""`, `let x = 3`, `document distinct(length, vocab)`
pub fn unknown(miss: &Miss) -> Option<Diagnostic> {
    let start = miss.found.checked_sub(1)?;
    let word = miss.before_text();
    let is_first = miss.expects(Rule::tilde) && miss.expects(Rule::equals);
    if !is_first || miss.kind(start) != Some(Kind::Word) || is_keyword(word) {
        return None;
    }
    let place = miss.before();
    let next = miss.kind(miss.found);
    let unknown = |label: &str| {
        let title = format!("no statement begins with `{word}`");
        Diagnostic::fault("E122", title, place, label)
    };
    if matches!(word, "let" | "var" | "const" | "val" | "set") && next == Some(Kind::Word) {
        let after = crate::source::Span::new(place.start, miss.place().start);
        let found = miss.found_text();
        return Some(
            unknown("not needed")
                .help(format!("write `{found} = …` to compute, `{found} ~ …` to draw"))
                .fix(after, ""),
        );
    }
    if matches!(next, Some(Kind::Word | Kind::TextOpen)) {
        let twin = TWINS.iter().find(|(other, _)| *other == word).map(|(_, ours)| *ours);
        if let Some(meant) = twin.or_else(|| near_miss(word, STATEMENT_WORDS)) {
            let fault = unknown("unknown word");
            return Some(fault.help(format!("write `{meant}`")).fix(place, meant));
        }
    }
    let title = format!("`{word}` is neither drawn nor computed");
    let label = "`~` or `=` was expected after this name";
    let fault = Diagnostic::fault("E139", title, miss.after(), label);
    if miss.found_text() == ":" {
        let help = format!("write `{word} = …`, or `rule {word}: …`, or `level {word}: …`");
        return Some(fault.help(help));
    }
    Some(fault.help(format!("write `{word} ~ …` to draw, `{word} = …` to compute")))
}

/// `param length in 64..512`
pub fn default_missing(miss: &Miss) -> Option<Diagnostic> {
    if miss.text(miss.statement()) != "param" || !miss.expects(Rule::equals) {
        return None;
    }
    let name = miss.text(miss.statement() + 1);
    let label = "`=` and a value were expected here";
    Some(
        Diagnostic::fault("E140", format!("`{name}` has no default"), miss.after(), label)
            .help("write the range, `=` and the default: `in 1..9 = 5`"),
    )
}

/// `fn f(x: Int) = x`
pub fn result_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects(Rule::arrow) {
        return None;
    }
    let label = "`->` and a type were expected here";
    let fault =
        Diagnostic::fault("E141", "this function says not what it gives", miss.after(), label)
            .help(
                "write `-> Int` if it computes, `~> Int` if it draws; a type may be `[Token]` too",
            );
    Some(match miss.found_text() {
        ":" | "~" | "-" => fault.fix(miss.place(), "->"),
        _ => fault,
    })
}

/// `prompt document`
pub fn text_missing(miss: &Miss) -> Option<Diagnostic> {
    let word = miss.before_text();
    let expects = miss.expects(Rule::text) || miss.expects(Rule::quote);
    if !expects || miss.expects_value() || miss.expects(Rule::open_brace) {
        return None;
    }
    let title = format!("{} is no text", miss.found_name());
    let label = format!("a text was expected after `{word}`");
    let fault = Diagnostic::fault("E142", title, miss.place(), label);
    let is_name = miss.kind(miss.found) == Some(Kind::Word) && !is_keyword(miss.found_text());
    let found = miss.found_text();
    Some(match word {
        "=" => fault.help("write the path of a file: \"names.txt\""),
        ":" | "~" => fault.help("write the text right after the word: `reply \"{answer}\"`"),
        _ if is_name && miss.kind(miss.found + 1) != Some(Kind::Open) => {
            let text = format!("\"{{{found}}}\"");
            fault.help(format!("write `{word} {text}`")).fix(miss.place(), text)
        }
        _ => fault.help(format!("write `{word} \"…\"`, or `{word} \"\"\"` and lines of text")),
    })
}

/// `fn f(x: 3) -> Int`
pub fn kind_missing(miss: &Miss) -> Option<Diagnostic> {
    let expects = miss.expects(Rule::kind) || miss.expects(Rule::kind_name);
    expects.then(|| {
        let label = format!("a type was expected after `{}`", miss.before_text());
        Diagnostic::fault("E118", "a type is missing", miss.place(), label)
            .help("write `Int`, `Real`, `Bool`, `Text`, `Token`, `T` for any, or a list: `[Token]`")
    })
}

/// `x =`, `a +`, `f(a, )`
pub fn value_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects_value() {
        return None;
    }
    let before = miss.before_text();
    let title = format!("a value is missing after `{before}`");
    let place = if miss.is_at_end() { miss.after() } else { miss.place() };
    let fault = Diagnostic::fault("E119", title, place, "a value was expected here");
    Some(match before {
        "~" => fault.help("write what is drawn, such as `pick(xs)`"),
        _ => fault.help("write a number, a name, a text or a call such as `size(xs)`"),
    })
}

/// `x = a b`
pub fn side_by_side(miss: &Miss) -> Option<Diagnostic> {
    if !miss.follows_value() || !(miss.begins_value(miss.found) || is_keyword(miss.found_text())) {
        return None;
    }
    let found = miss.found_text();
    let fault = Diagnostic::fault(
        "E146",
        format!("{} follows a value", miss.found_name()),
        miss.place(),
        "an operator or a new statement was expected here",
    );
    Some(fault.and(miss.before(), "the value ends here").help(match miss.kind(miss.found) {
        Some(Kind::Word) => {
            format!("write `{found} = …`, or a sign between: `{} + {found}`", miss.before_text())
        }
        _ => format!("write a sign between, such as `{} + {found}`", miss.before_text()),
    }))
}

//! Errors of statements: unknown words, and parts that are missing at the end.

use super::miss::Miss;
use crate::diagnostic::{Diagnostic, is_sure_miss, near_miss};
use crate::stdlib;
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::{EXPRESSION_WORDS, Kind, STATEMENT_WORDS, is_keyword};

/// `x = 1 + /// text`
pub fn misplaced_doc(miss: &Miss) -> Option<Diagnostic> {
    if miss.kind(miss.found) != Some(Kind::Doc) {
        return None;
    }
    let place = miss.place();
    let slashes = crate::source::Span::new(place.start, place.start + 3);
    Some(
        Diagnostic::error("E118", "`///` comes before a statement", place, "within a statement")
            .help("write `//` for a comment")
            .fix(slashes, "//")
            .sure(),
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
        Diagnostic::error("E119", title, place, label)
    };
    if matches!(word, "let" | "var" | "const" | "val" | "set") && next == Some(Kind::Word) {
        let after = crate::source::Span::new(place.start, miss.place().start);
        let found = miss.found_text();
        return Some(
            unknown("not needed")
                .help(format!("write `{found} = …` to compute, `{found} ~ …` to draw"))
                .fix(after, "")
                .sure(),
        );
    }
    if matches!(next, Some(Kind::Word | Kind::TextOpen)) {
        let twin = TWINS.iter().find(|(other, _)| *other == word).map(|(_, ours)| *ours);
        if let Some(meant) = twin.or_else(|| near_miss(word, STATEMENT_WORDS)) {
            let error = unknown("unknown word");
            let is_sure = twin.is_none() && is_sure_miss(word, meant, STATEMENT_WORDS);
            let error = error.help(format!("write `{meant}`")).fix(place, meant);
            return Some(error.sure_if(is_sure));
        }
    }
    let title = format!("`{word}` is neither drawn nor computed");
    let label = "`~` or `=` was expected after this name";
    let error = Diagnostic::error("E120", title, miss.after(), label);
    if miss.found_text() == ":" {
        let help = format!("write `{word} = …`, or `rule {word}: …`, or `level {word}: …`");
        return Some(error.help(help));
    }
    match (stdlib::draws(miss.found_text()), miss.text(miss.found + 1)) {
        (Some(draws), "(") => {
            let symbol = if draws { "~" } else { "=" };
            let help = format!("write `{word} {symbol} {}(…)`", miss.found_text());
            Some(error.help(help).fix(miss.after(), format!(" {symbol}")).sure())
        }
        _ => Some(error.help(format!("write `{word} ~ …` to draw, `{word} = …` to compute"))),
    }
}

/// `if a then b else c` with no name before it
pub fn lone_value(miss: &Miss) -> Option<Diagnostic> {
    let word = miss.found_text();
    let begins = EXPRESSION_WORDS.contains(&word) || miss.kind(miss.found) != Some(Kind::Word);
    let is_bound = matches!(miss.text(miss.found + 1), "~" | "=");
    let is_value =
        begins && (miss.begins_value(miss.found) || miss.kind(miss.found) == Some(Kind::Word));
    if !miss.expects_statement() || miss.follows_value() || !is_value || is_bound {
        return None;
    }
    if miss.expects(Rule::kw_return) && !miss.open.is_empty() {
        // The value of a function.
        return None;
    }
    let title = format!("no statement begins with {}", miss.found_name());
    let error = Diagnostic::error("E119", title, miss.place(), "a value without a name");
    Some(error.help(format!("give it a name: `name = {word} …`")))
}

/// `param length in 64..512`
pub fn default_missing(miss: &Miss) -> Option<Diagnostic> {
    if miss.text(miss.statement()) != "param" || !miss.expects(Rule::equals) {
        return None;
    }
    let name = miss.text(miss.statement() + 1);
    let label = "`=` and a value were expected here";
    let error = Diagnostic::error("E144", format!("`{name}` has no default"), miss.after(), label);
    let (low, dots) = (miss.statement() + 3, miss.statement() + 4);
    if miss.kind(low) != Some(Kind::Number) || miss.text(dots) != ".." {
        return Some(error.help("write the range, `=` and the default: `in 1..9 = 5`"));
    }
    let low = miss.text(low);
    let help = format!("write ` = {low}` here, or another number of the range");
    Some(error.help(help).fix(miss.after(), format!(" = {low}")))
}

/// `fn f(x: Int) = x`
pub fn result_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects(Rule::arrow) {
        return None;
    }
    let label = "`->` and a type were expected here";
    let title = "this function does not declare what it returns";
    let error = Diagnostic::error("E145", title, miss.after(), label);
    Some(match miss.found_text() {
        symbol @ (":" | "-" | "~") => {
            let arrow = if symbol == "~" { "~>" } else { "->" };
            error.help(format!("write `{arrow}` for `{symbol}`")).fix(miss.place(), arrow).sure()
        }
        _ => error.help("write `-> Int` if it computes, `~> Int` if it draws, with its own type"),
    })
}

/// `prompt document`
pub fn text_missing(miss: &Miss) -> Option<Diagnostic> {
    let word = miss.before_text();
    let expects = miss.expects(Rule::text) || miss.expects(Rule::quote);
    if !expects || miss.expects_value() || miss.expects(Rule::open_brace) {
        return None;
    }
    let title = match miss.is_at_end() {
        true => "a text is missing".to_string(),
        false => format!("{} is no text", miss.found_name()),
    };
    let label = format!("a text was expected after `{word}`");
    let error = Diagnostic::error("E124", title, miss.place(), label);
    let is_name = miss.kind(miss.found) == Some(Kind::Word) && !is_keyword(miss.found_text());
    let found = miss.found_text();
    Some(match word {
        "=" => error.help("write the path of a file: \"names.txt\""),
        ":" | "~" => error.help("write the text right after the word: `reply \"{answer}\"`"),
        _ if is_name && miss.kind(miss.found + 1) != Some(Kind::Open) => {
            let text = format!("\"{{{found}}}\"");
            error.help(format!("write `{word} {text}`")).fix(miss.place(), text).sure()
        }
        _ => error.help(format!("write `{word} \"…\"`, or `{word} \"\"\"` and lines of text")),
    })
}

/// `fn f(x: 3) -> Int`
pub fn kind_missing(miss: &Miss) -> Option<Diagnostic> {
    let of_function = miss.text(miss.statement()) == "fn" && !miss.follows_value();
    let expects = miss.expects(Rule::kind)
        || miss.expects(Rule::kind_name)
        || (of_function && miss.expects(Rule::colon));
    expects.then(|| {
        let label = format!("a type was expected after `{}`", miss.before_text());
        let error = Diagnostic::error("E123", "a type is missing", miss.place(), label);
        match miss.expects(Rule::colon) {
            true => error.help(format!("write `{}: Int`, with its own type", miss.before_text())),
            false => error.help(
                "write `Int`, `Real`, `Bool`, `Text`, `Token`, `T` for any, or a list: `[Token]`",
            ),
        }
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
    let error = Diagnostic::error("E122", title, place, "a value was expected here");
    Some(match before {
        "~" => error.help("write what is drawn, such as `pick(xs)`"),
        _ => error.help("write a number, a name, a text or a call such as `size(xs)`"),
    })
}

/// `x = a b`
pub fn side_by_side(miss: &Miss) -> Option<Diagnostic> {
    let begins = miss.begins_value(miss.found);
    let in_list = miss.open.last().is_some_and(|&open| matches!(miss.text(open), "(" | "["));
    let second = match miss.found.checked_sub(1) {
        Some(before) if miss.expects(Rule::tilde) && !miss.starts_line(before) => before,
        Some(_) if miss.follows_value() && begins && !in_list && !miss.expects(Rule::comma) => {
            miss.found
        }
        _ => return None,
    };
    let first = second.checked_sub(1).filter(|&first| ends_value(miss, first))?;
    let (one, two) = (miss.text(first), miss.text(second));
    if miss.text(miss.statement()) == "use" {
        let (place, after) = (miss.tokens[second].span, miss.tokens[first].span.end);
        return Some(
            Diagnostic::error("E128", "a comma is missing", place, "a second name")
                .help(format!("write `{one}, {two}`"))
                .fix(crate::source::Span::new(after, after), ",")
                .sure(),
        );
    }
    let title = "two values stand side by side";
    let label = "an operator or a new statement was expected here";
    let help = match miss.kind(second) {
        Some(Kind::TextOpen) => {
            "write an operator between them, or `name = ` before the second".to_string()
        }
        Some(Kind::Word) if miss.kind(first) == Some(Kind::TextClose) && miss.touches(second) => {
            "a quote ends the text: write `\\\"` for one that is shown".to_string()
        }
        Some(Kind::Word) if stdlib::draws(one).is_some() => format!("write `{one}({two})`"),
        Some(Kind::Word) => format!("write `{one} + {two}`, or bind it: `{two} = …`"),
        _ => format!("write an operator between them, such as `{one} + {two}`"),
    };
    Some(
        Diagnostic::error("E136", title, miss.tokens[second].span, label)
            .and(miss.tokens[first].span, "a value ends here")
            .help(help),
    )
}

fn ends_value(miss: &Miss, at: usize) -> bool {
    match miss.kind(at) {
        Some(Kind::Word) => !is_keyword(miss.text(at)),
        Some(Kind::Number | Kind::Close | Kind::TextClose) => true,
        _ => false,
    }
}

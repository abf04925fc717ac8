//! Errors of words: missing keywords, and words that no name may be.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::{EXPRESSION_WORDS, Kind, STATEMENT_WORDS, is_keyword};

/// `x not in xs`
pub fn not_in(miss: &Miss) -> Option<Diagnostic> {
    let after = miss.text(miss.found + 1);
    if miss.found_text() != "not" || !matches!(after, "in" | "within") || !miss.follows_value() {
        return None;
    }
    let title = format!("`not {after}` is no symbol of this language");
    let place = miss.place().to(miss.tokens[miss.found + 1].span);
    let before = miss.before_text();
    let error =
        Diagnostic::error("E132", title, place, "`not` comes before the complete comparison");
    // The value before is this one word if a symbol or a keyword is before that.
    let symbol = miss.found.checked_sub(2).map_or("", |at| miss.text(at));
    let begins = matches!(symbol, ":" | "(" | "=" | "and" | "or" | "if" | "then" | "else" | ",");
    Some(match begins && miss.kind(miss.found - 1) == Some(Kind::Word) {
        true => {
            let error = error.help(format!("write `not {before} {after} …`"));
            let value = Span::new(miss.before().start, miss.before().start);
            error
                .fix(value, "not ")
                .fix(Span::new(place.start, miss.tokens[miss.found + 1].span.start), "")
                .sure()
        }
        false => error.help(format!("write `not` before all of it: `not x {after} xs`")),
    })
}

/// `count ~ uniform(1..5)`, `param in in 1..9 = 3`, `x = level + 1`
pub fn keyword_as_name(miss: &Miss) -> Option<Diagnostic> {
    let at = [Some(miss.found), miss.found.checked_sub(1)]
        .into_iter()
        .flatten()
        .find(|&at| is_keyword(miss.text(at)) && stands_for_name(miss, at))?;
    let (word, place) = (miss.text(at), miss.tokens[at].span);
    let title = format!("`{word}` is a keyword and no name");
    Some(
        Diagnostic::error("E116", title, place, "a name was expected here")
            .help(format!("write `{word}_`, or another name"))
            .fix(place, format!("{word}_"))
            .sure(),
    )
}

/// Is a keyword followed by what follows a name, or does it stand where a name was expected?
fn stands_for_name(miss: &Miss, at: usize) -> bool {
    let next = miss.text(at + 1);
    let is_bound = matches!(next, "~" | "=");
    let is_used = matches!(next, "." | ")" | "]" | "}" | "," | "+" | "-" | "*" | "/" | "==" | "!=")
        && !miss.starts_line(at + 1);
    let is_literal = matches!(miss.text(at), "true" | "false");
    let carries_its_meaning = miss.text(at) == "in" && !matches!(next, "in" | ":");
    is_bound
        || (is_used && !is_literal)
        || (at == miss.found
            && miss.expects_name()
            && !miss.expects_statement()
            && !carries_its_meaning)
        || (at == miss.found && miss.expects_value() && is_statement_word(miss))
}

/// `level` where a value stands, and no statement begins.
fn is_statement_word(miss: &Miss) -> bool {
    let word = miss.found_text();
    let next = miss.kind(miss.found + 1);
    word != "words"
        && STATEMENT_WORDS.contains(&word)
        && !matches!(next, Some(Kind::Word | Kind::TextOpen))
}

/// `Length = 3`
pub fn capital(miss: &Miss) -> Option<Diagnostic> {
    let found = miss.found_text();
    let is_word = miss.kind(miss.found) == Some(Kind::Word);
    let is_type = miss.expects(Rule::kind);
    if !is_word
        || is_type
        || !found.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_')
            && !has_capital(found)
    {
        return None;
    }
    let small = snake(found);
    let error = Diagnostic::error(
        "E115",
        "names are lowercase",
        miss.place(),
        "a name begins with a-z and goes on with a-z, 0-9 and _",
    );
    let small = match is_keyword(&small) || small.is_empty() {
        true => format!("{small}_value"),
        false => small,
    };
    Some(error.help(format!("write `{small}`")).fix(miss.place(), small).sure())
}

fn has_capital(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// `maxLength` as `max_length`.
fn snake(name: &str) -> String {
    let mut small = String::new();
    let mut after_small = false;
    for letter in name.trim_start_matches('_').chars() {
        if letter.is_ascii_uppercase() && after_small {
            small.push('_');
        }
        after_small = letter.is_ascii_lowercase();
        small.push(letter.to_ascii_lowercase());
    }
    small
}

/// `if same "yes" else "no"`
pub fn then_missing(miss: &Miss) -> Option<Diagnostic> {
    let begun = last_word(miss, "if");
    missing(miss, (Rule::kw_then, "E138", "then"), begun, " then")
}

/// `if same then "yes"`
pub fn else_missing(miss: &Miss) -> Option<Diagnostic> {
    let begun = last_word(miss, "if");
    let text = if miss.begins_value(miss.found) { " else" } else { "" };
    missing(miss, (Rule::kw_else, "E139", "else"), begun, text)
}

/// `param length 64..512 = 96`, `all x xs: …`
pub fn in_missing(miss: &Miss) -> Option<Diagnostic> {
    if miss.follows_value() {
        return None;
    }
    let loops = ["all", "any", "count", "for", "over", "param"];
    let begun = (0..miss.found).rev().find(|&at| loops.contains(&miss.text(at)));
    missing(miss, (Rule::kw_in, "E140", "in"), begun, " in")
}

/// `fold total = 0 x in xs: total + x`
pub fn over_missing(miss: &Miss) -> Option<Diagnostic> {
    let begun = last_word(miss, "fold");
    missing(miss, (Rule::kw_over, "E141", "over"), begun, " over")
}

/// A keyword that is missing, with its rule and code: of what `begun`, and the text to insert.
fn missing(
    miss: &Miss,
    (rule, code, word): (Rule, &'static str, &str),
    begun: Option<usize>,
    text: &str,
) -> Option<Diagnostic> {
    let closes_other =
        miss.expects(Rule::close_round) && miss.kind(miss.found) == Some(Kind::Close);
    if !miss.expects(rule) || closes_other {
        return None;
    }
    let label = format!("`{word}` was expected here");
    let mut error = Diagnostic::error(code, format!("`{word}` is missing"), miss.after(), label);
    if let Some(begun) = begun {
        error = error.and(miss.tokens[begun].span, format!("of this `{}`", miss.text(begun)));
    }
    let found = miss.found_text();
    let is_near = miss.kind(miss.found) == Some(Kind::Word)
        && strsim::damerau_levenshtein(found, word) <= 2
        && !is_keyword(found);
    let stands_for = matches!((word, found), ("in", "of" | ":" | "=" | "~" | "from"))
        || matches!((word, found), ("then", ":" | "{") | ("else", "elif" | "otherwise" | ":"));
    let help = match word {
        "then" => "write `then` between the condition and the value",
        "else" => "write `else` and a value: there is always one",
        "in" if begun.is_some_and(|at| miss.text(at) == "param") => {
            "write `param name in 1..9 = 5`: its range, then its default"
        }
        "in" => "write `x in xs: …`",
        _ => "write `fold total = 0 over x in xs: total + x`",
    };
    Some(if (is_near && text.is_empty()) || stands_for || (is_near && follows_misspelled(miss)) {
        // A short word is near to many others.
        let is_sure = (stands_for && found != "elif")
            || word.len() > 3 && strsim::damerau_levenshtein(found, word) == 1;
        let error = error.help(format!("write `{word}` for `{found}`"));
        error.fix(miss.place(), word).sure_if(is_sure)
    } else if !text.is_empty() && miss.begins_value(miss.found) {
        let value = match found {
            "(" => "(…)",
            "[" => "[…]",
            _ if found.starts_with('"') => "\"…\"",
            _ => found,
        };
        error.help(format!("write `{word} {value}`")).fix(miss.after(), text).sure()
    } else {
        error.help(help)
    })
}

/// Is the word at the error followed by a value, so that it is itself the misspelled keyword?
fn follows_misspelled(miss: &Miss) -> bool {
    miss.begins_value(miss.found + 1) && miss.text(miss.found + 1) != "("
}

/// A block of a function that ends without giving a value.
pub fn return_missing(miss: &Miss) -> Option<Diagnostic> {
    let brace = *miss.open.first()?;
    let starts_statement = miss.expects(Rule::kw_return);
    if miss.text(brace) != "{" {
        return None;
    }
    if miss.expects(Rule::tilde)
        && miss.starts_line(miss.found - 1)
        && matches!(miss.kind(miss.found), Some(Kind::Symbol | Kind::Open | Kind::Close))
        && !matches!(miss.found_text(), ":" | "==")
    {
        return Some(return_before(miss, miss.before(), brace));
    }
    if !starts_statement || miss.kind(miss.found) == Some(Kind::Symbol) {
        return None;
    }
    let error = |place: Span, label: &str| {
        Diagnostic::error("E146", "`return` is missing", place, label)
            .and(miss.tokens[brace].span, "of this block")
    };
    if miss.found_text() == "}" {
        let error = error(miss.place(), "the block ends without a value");
        return Some(error.help("write `return` and a value before `}`"));
    }
    let found = miss.found_text();
    if miss.kind(miss.found) == Some(Kind::Word)
        && strsim::damerau_levenshtein(found, "return") <= 2
        && miss.begins_value(miss.found + 1)
    {
        return Some(
            error(miss.place(), "misspelled")
                .help("write `return`")
                .fix(miss.place(), "return")
                .sure(),
        );
    }
    let is_value = miss.begins_value(miss.found) || EXPRESSION_WORDS.contains(&found);
    is_value.then(|| return_before(miss, miss.place(), brace))
}

fn return_before(miss: &Miss, value: Span, brace: usize) -> Diagnostic {
    let line = miss.source.text[value.start..].lines().next().unwrap_or("");
    let whole = line.split("//").next().unwrap_or("").trim_end_matches([' ', '\t', '}']);
    Diagnostic::error("E146", "`return` is missing", value, "a value without `return`")
        .and(miss.tokens[brace].span, "of this block")
        .help(format!("write `return {whole}`"))
        .fix(Span::new(value.start, value.start), "return ")
        .sure()
}

/// `rule : a == b`, `fn (x: Int) -> Int = x`
pub fn name_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects_name() || miss.expects_value() || miss.expects_statement() {
        return None;
    }
    let before = miss.before_text();
    let label = format!("a name was expected after `{before}`");
    let found = miss.found_name();
    Some(
        Diagnostic::error("E121", format!("a name is missing before {found}"), miss.after(), label)
            .help(match before {
                "." => "write the name of a value right after the dot: `part.answer`".to_string(),
                _ => format!("write `{before} name`, with a name of your own"),
            }),
    )
}

fn last_word(miss: &Miss, word: &str) -> Option<usize> {
    (0..miss.found).rev().find(|&at| miss.text(at) == word)
}

//! Faults of words: missing keywords, and words that no name may be.

use super::miss::{Miss, is_keyword};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::{EXPRESSION_WORDS, Kind};

/// `count ~ uniform(1..5)`, `param in in 1..9 = 3`, `x = level + 1`
pub fn keyword_as_name(miss: &Miss) -> Option<Diagnostic> {
    let found = miss.found_text();
    let binds = |at: usize| matches!(miss.text(at), "~" | "=" | "." | ")" | "]" | ",");
    let before = miss.found.checked_sub(1);
    let (word, place) = if is_keyword(found)
        && (miss.expects(Rule::name) || miss.expects_value() || binds(miss.found + 1))
        && (binds(miss.found + 1) || miss.expects(Rule::name) && !is_word_of(miss, found))
    {
        (found, miss.place())
    } else if before.is_some_and(|at| is_keyword(miss.text(at))) && binds(miss.found) {
        (miss.before_text(), miss.before())
    } else {
        return None;
    };
    if matches!(word, "true" | "false") && !matches!(miss.text(miss.found + 1), "~" | "=") {
        return None;
    }
    let title = format!("`{word}` is a keyword and no name");
    let label = "a name was expected here";
    Some(
        Diagnostic::fault("E115", title, place, label)
            .help(format!("write `{word}_`"))
            .fix(place, format!("{word}_")),
    )
}

/// Does this keyword carry its own meaning here, so that the name before it is what is missing?
fn is_word_of(miss: &Miss, word: &str) -> bool {
    let next = miss.text(miss.found + 1);
    word == "in" && next != "in" && next != ":"
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
    let fault = Diagnostic::fault(
        "E114",
        "names are written small",
        miss.place(),
        "a name begins with a-z and goes on with a-z, 0-9 and _",
    );
    let small = match is_keyword(&small) || small.is_empty() {
        true => format!("{small}_value"),
        false => small,
    };
    Some(fault.help(format!("write `{small}`")).fix(miss.place(), small))
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
    missing(miss, Rule::kw_then, "E128", "then", begun, " then")
}

/// `if same then "yes"`
pub fn else_missing(miss: &Miss) -> Option<Diagnostic> {
    let begun = last_word(miss, "if");
    let text = if miss.begins_value(miss.found) { " else" } else { "" };
    missing(miss, Rule::kw_else, "E129", "else", begun, text)
}

/// `param length 64..512 = 96`, `all x xs: …`
pub fn in_missing(miss: &Miss) -> Option<Diagnostic> {
    if miss.follows_value() {
        return None;
    }
    let loops = ["all", "any", "count", "for", "over", "param"];
    let begun = (0..miss.found).rev().find(|&at| loops.contains(&miss.text(at)));
    missing(miss, Rule::kw_in, "E132", "in", begun, " in")
}

/// `fold total = 0 x in xs: total + x`
pub fn over_missing(miss: &Miss) -> Option<Diagnostic> {
    let begun = last_word(miss, "fold");
    missing(miss, Rule::kw_over, "E133", "over", begun, " over")
}

fn missing(
    miss: &Miss,
    rule: Rule,
    code: &'static str,
    word: &str,
    begun: Option<usize>,
    text: &str,
) -> Option<Diagnostic> {
    let closes_other =
        miss.expects(Rule::close_round) && miss.kind(miss.found) == Some(Kind::Close);
    if !miss.expects(rule) || closes_other {
        return None;
    }
    let label = format!("`{word}` was expected here");
    let mut fault = Diagnostic::fault(code, format!("`{word}` is missing"), miss.after(), label);
    if let Some(begun) = begun {
        fault = fault.and(miss.tokens[begun].span, format!("of this `{}`", miss.text(begun)));
    }
    let found = miss.found_text();
    let is_near = miss.kind(miss.found) == Some(Kind::Word)
        && strsim::damerau_levenshtein(found, word) <= 2
        && !is_keyword(found);
    let stands_for = matches!((word, found), ("in", "of" | ":" | "=" | "~" | "from"))
        || matches!((word, found), ("then", ":" | "{") | ("else", "elif" | "otherwise" | ":"));
    let help = match word {
        "then" => "write `if condition then value else other`",
        "else" => "write `else` and a value: there is always one",
        "in" if begun.is_some_and(|at| miss.text(at) == "param") => {
            "write `param name in 1..9 = 5`: its range, then its default"
        }
        "in" => "write `x in xs: …`",
        _ => "write `fold total = 0 over x in xs: total + x`",
    };
    let fault = fault.help(help);
    Some(if (is_near && text.is_empty()) || stands_for || (is_near && follows_misspelled(miss)) {
        fault.fix(miss.place(), word)
    } else if !text.is_empty() && miss.begins_value(miss.found) {
        fault.fix(miss.after(), text)
    } else {
        fault
    })
}

/// Is the word at the fault followed by a value, so that it is itself the misspelled keyword?
fn follows_misspelled(miss: &Miss) -> bool {
    miss.begins_value(miss.found + 1) && miss.text(miss.found + 1) != "("
}

/// A block of a function that ends without giving a value.
pub fn return_missing(miss: &Miss) -> Option<Diagnostic> {
    let brace = *miss.open.first()?;
    let starts_statement = miss.expects(Rule::kw_return);
    if !starts_statement || miss.text(brace) != "{" || miss.kind(miss.found) == Some(Kind::Sign) {
        return None;
    }
    let fault = |place: Span, label: &str| {
        Diagnostic::fault("E137", "`return` is missing", place, label)
            .and(miss.tokens[brace].span, "of this block")
    };
    if miss.found_text() == "}" {
        let fault = fault(miss.place(), "the block ends without a value");
        return Some(fault.help("write `return` and a value before `}`"));
    }
    let found = miss.found_text();
    if miss.kind(miss.found) == Some(Kind::Word)
        && strsim::damerau_levenshtein(found, "return") <= 2
        && miss.begins_value(miss.found + 1)
    {
        return Some(
            fault(miss.place(), "misspelled").help("write `return`").fix(miss.place(), "return"),
        );
    }
    let is_value = miss.begins_value(miss.found) || EXPRESSION_WORDS.contains(&found);
    is_value.then(|| {
        fault(miss.place(), "a value without `return`")
            .help(format!("write `return {found}`"))
            .fix(Span::new(miss.place().start, miss.place().start), "return ")
    })
}

/// `rule : a == b`, `fn (x: Int) -> Int = x`
pub fn name_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects(Rule::name) || miss.expects_value() {
        return None;
    }
    let before = miss.before_text();
    let label = format!("a name was expected after `{before}`");
    let found = miss.found_name();
    Some(
        Diagnostic::fault("E138", format!("a name is missing before {found}"), miss.after(), label)
            .help(format!("write `{before} name`, with a name of your own")),
    )
}

fn last_word(miss: &Miss, word: &str) -> Option<usize> {
    (0..miss.found).rev().find(|&at| miss.text(at) == word)
}

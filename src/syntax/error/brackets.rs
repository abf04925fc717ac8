//! Errors of brackets and of the commas between them.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::Kind;

/// `{}`, `{"a": 1}` in a text: a brace that is meant to be shown.
pub fn brace_in_text(miss: &Miss) -> Option<Diagnostic> {
    let placeholder = *miss.open.iter().rev().find(|&&open| miss.text(open) == "{")?;
    let first = miss.kind(placeholder + 1);
    if !miss.in_text(placeholder) || !matches!(first, Some(Kind::TextOpen | Kind::Close)) {
        return None;
    }
    // `{", ".join(xs)}` is meant to show a value.
    let close =
        (placeholder + 1..miss.tokens.len()).find(|&at| miss.kind(at) == Some(Kind::TextClose));
    if close.is_some_and(|close| matches!(miss.text(close + 1), "." | "+" | "%" | "*")) {
        return None;
    }
    let brace = miss.tokens[placeholder].span;
    let empty = first == Some(Kind::Close);
    let title = if empty { "an empty placeholder" } else { "a placeholder that shows no value" };
    let error = Diagnostic::error("E105", title, brace, "`{` opens a placeholder")
        .help("write `{{` and `}}` to show braces; a placeholder shows a value: `{answer}`");
    if empty {
        return Some(error.fix(brace.to(miss.tokens[placeholder + 1].span), "{{}}"));
    }
    let on_the_line = miss.source.text[brace.end..].lines().next().unwrap_or("");
    let error = error.fix(brace, "{{");
    let Some(at) = closing_brace(on_the_line) else { return Some(error) };
    let shown = &on_the_line[..at];
    let at = brace.end + at;
    let text = miss.open.iter().rev().find(|&&open| miss.kind(open) == Some(Kind::TextOpen));
    let text = miss.open.iter().find(|&&open| open < placeholder && Some(&open) != text).or(text);
    if text.is_some_and(|&open| miss.text(open) == "\"") && shown.contains('"') {
        // On one line a quote would end the text.
        let shown = format!("{{{{{}}}}}", shown.replace('"', "\\\""));
        let error = Diagnostic { fix: Vec::new(), ..error };
        let help = format!("write `{shown}` to show these braces");
        return Some(error.help(help).fix(Span::new(brace.start, at + 1), shown));
    }
    let help = format!("write `{{{{{shown}}}}}` to show these braces");
    Some(error.help(help).fix(Span::new(at, at + 1), "}}"))
}

/// The brace that closes the one before this text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `f(a, b`
pub fn unclosed(miss: &Miss) -> Option<Diagnostic> {
    let &open = miss.open.last()?;
    let (bracket, closing) = match miss.text(open) {
        "(" => ("(", ")"),
        "[" => ("[", "]"),
        "{" => ("{", "}"),
        _ => return None,
    };
    let fits = [Rule::close_round, Rule::close_square, Rule::close_brace];
    let can_close = fits.iter().any(|&rule| miss.expects(rule)) || miss.is_at_end();
    let other_closing = miss.kind(miss.found) == Some(Kind::Close);
    let goes_on = !miss.is_at_end() && !other_closing && !miss.starts_line(miss.found);
    if !can_close || (goes_on && (miss.begins_value(miss.found) || miss.expects_value())) {
        return None;
    }
    let place = if other_closing { miss.place() } else { miss.after() };
    let label = format!("`{closing}` was expected here");
    let error = Diagnostic::error("E130", format!("`{bracket}` is not closed"), place, label)
        .and(miss.tokens[open].span, "opened here");
    // With one bracket open and the statement at its end, there is one place to close it: but an
    // operator before may belong inside or outside.
    let inside = open + 1..miss.found;
    let is_plain = miss.open.len() == 1
        && !other_closing
        && inside
            .clone()
            .all(|at| !matches!(miss.kind(at), Some(Kind::Symbol)) || miss.text(at) == ",");
    Some(match other_closing && miss.open.len() == 1 {
        true => error.help(format!("write `{closing}` here")).fix(place, closing),
        false => {
            let error = error.help(format!("write `{closing}`"));
            error.fix(miss.after(), closing).sure_if(is_plain)
        }
    })
}

/// `x = a)`
pub fn never_opened(miss: &Miss) -> Option<Diagnostic> {
    if miss.kind(miss.found) != Some(Kind::Close) || !(miss.open.is_empty() && miss.follows_value())
    {
        return None;
    }
    let (found, place) = (miss.found_text(), miss.place());
    let title = format!("`{found}` closes nothing");
    let error = Diagnostic::error("E131", title, place, "nothing is open here");
    Some(error.help(format!("delete `{found}`")).fix(place, ""))
}

/// `f(a b)`, `level hard: length = 400 quote = 2`
pub fn comma_missing(miss: &Miss) -> Option<Diagnostic> {
    let expects = miss.expects(Rule::comma) && miss.begins_value(miss.found);
    let in_text = miss.open.last().is_some_and(|&open| miss.kind(open) == Some(Kind::TextOpen));
    let in_list = miss.open.last().is_some_and(|&open| matches!(miss.text(open), "(" | "["));
    let in_level = miss.text(miss.statement()) == "level" && miss.text(miss.found + 1) == "=";
    let binds = matches!(miss.text(miss.found + 1), "=" | "~") && miss.starts_line(miss.found);
    if !expects || in_text || (binds && !in_level) || !(in_list || in_level) {
        return None;
    }
    let error = Diagnostic::error("E128", "a comma is missing", miss.place(), "a second value")
        .and(miss.before(), "the value before ends here");
    // `[1 -2 3]` may hold three values.
    let open = miss.open.last().copied().unwrap_or(miss.statement());
    let is_plain = (open..miss.found).all(|at| !matches!(miss.text(at), "-" | "+" | "*" | "&"));
    let error = error.help(format!("write `, {}`", miss.found_text()));
    Some(error.fix(miss.after(), ",").sure_if(is_plain))
}

/// `f(a, b,)`, `use tokens: overlap,`, `f(, a)`
pub fn comma_too_many(miss: &Miss) -> Option<Diagnostic> {
    let ends = miss.is_at_end() || miss.kind(miss.found) == Some(Kind::Close);
    let comma = match (miss.before_text(), miss.found_text()) {
        (",", found) if ends || found == "," => miss.before(),
        ("(" | "[", ",") => miss.place(),
        _ => return None,
    };
    let error = Diagnostic::error("E129", "a comma too many", comma, "commas stand between values");
    // In the middle a value may be missing, which JavaScript takes for one.
    let is_sure = ends && comma == miss.before();
    Some(error.help("delete this comma").fix(comma, "").sure_if(is_sure))
}

//! Braces and `$` in texts that other languages fill in, and that are shown as they are here.

use super::tokens::{self, Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// Words before a `$` that are sums of money.
const MONEY: [&str; 9] =
    ["price", "cost", "pay", "paid", "total", "amount", "fee", "money", "dollar"];

/// A lint for each `{{ name }}` of Jinja and `${name}` of JavaScript in a text.
pub fn lints(source: &Source) -> Vec<Diagnostic> {
    let (tokens, _) = tokens::scan(source, tokens::start(source));
    let at = |at: usize| jinja(source, &tokens, at).or_else(|| dollar(source, &tokens, at));
    (0..tokens.len()).filter_map(at).collect()
}

/// The name between `{{` and `}}`, if the file binds it: what the template's author wanted to show.
pub fn doubled(source: &Source, text: Span) -> Option<String> {
    let inside = source.slice(text).split_once("{{")?.1.split_once("}}")?.0.trim();
    is_bound(source, inside).then(|| inside.to_string())
}

fn jinja(source: &Source, tokens: &[Token], at: usize) -> Option<Diagnostic> {
    let open = piece(tokens, at).filter(|open| source.slice(*open) == "{{")?;
    let rest = source.text[open.end..].lines().next().unwrap_or("");
    let inside = rest.split_once("}}")?.0;
    let name = inside.split(['|', '.', '[', '(']).next().unwrap_or("").trim();
    if inside.contains('{') || !is_bound(source, name) {
        return None;
    }
    let place = Span::new(open.start, open.end + inside.len() + 2);
    let title = format!("`{{{{` shows a brace, not the value of `{name}`");
    let lint = Diagnostic::lint("L609", title, place, "shown as it is, with braces");
    Some(lint.help(format!("write `{{{name}}}`")).fix(place, format!("{{{name}}}")))
}

fn dollar(source: &Source, tokens: &[Token], at: usize) -> Option<Diagnostic> {
    let text = piece(tokens, at).filter(|text| source.slice(*text).ends_with('$'))?;
    let open = tokens.get(at + 1).filter(|open| open.kind == Kind::Open)?;
    let name = source.slice(tokens.get(at + 2)?.span);
    if open.span.start != text.end || MONEY.iter().any(|word| name.contains(word)) {
        return None;
    }
    let symbol = Span::new(text.end - 1, text.end);
    let title = format!("`$` is shown before the value of `{name}`");
    let lint = Diagnostic::lint("L609", title, symbol, "shown as it is");
    let help = format!("write `{{{name}}}`; for a sum of money, `// allow L609: money`");
    Some(lint.help(help).fix(symbol, ""))
}

fn piece(tokens: &[Token], at: usize) -> Option<Span> {
    tokens.get(at).filter(|token| token.kind == Kind::TextPiece).map(|token| token.span)
}

/// Does a line of the file bind this name?
fn is_bound(source: &Source, name: &str) -> bool {
    let binds = |line: &str| {
        let line =
            line.strip_prefix("param ").or_else(|| line.strip_prefix("words ")).unwrap_or(line);
        line.strip_prefix(name).is_some_and(|rest| {
            rest.trim_start().starts_with(['~', '=']) || rest.starts_with(" in ")
        })
    };
    !name.is_empty() && source.text.lines().any(binds)
}

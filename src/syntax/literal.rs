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
    let shown = shown(source, tokens, at + 1)?;
    // `decimals` and `padded` write sums, and nobody calls them who has not read of them here.
    let is_money = MONEY.iter().any(|word| shown.contains(word))
        || ["decimals(", "padded("].iter().any(|call| shown.starts_with(call))
        || source.text[..text.end - 1].ends_with(|letter: char| letter.is_ascii_uppercase());
    if open.span.start != text.end || is_money {
        return None;
    }
    let symbol = Span::new(text.end - 1, text.end);
    let title = format!("`$` is shown before the value of `{shown}`");
    let lint = Diagnostic::lint("L609", title, symbol, "shown as it is");
    let help = format!("write `{{{shown}}}`; for a sum of money, `// allow L609: money`");
    Some(lint.help(help).fix(symbol, ""))
}

/// What a placeholder shows, from its brace on.
fn shown<'a>(source: &'a Source, tokens: &[Token], brace: usize) -> Option<&'a str> {
    let mut depth = 0;
    let closes = |token: &&Token| {
        match token.kind {
            Kind::Open | Kind::TextOpen => depth += 1,
            Kind::Close | Kind::TextClose => depth -= 1,
            _ => {}
        }
        depth == 0
    };
    let close = tokens[brace..].iter().find(closes)?;
    Some(source.slice(Span::new(tokens[brace].span.end, close.span.start)).trim())
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

//! Errors of choices that another language would run, line by line or in braces.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::syntax::habit::blocks;
use crate::syntax::tokens::Kind;

/// `if c:` and `x = 1` below, `elif d:` and `x = 2`, `else:` and `x = 3`; `if c then return x`
pub fn statement(miss: &Miss, first: usize) -> Option<Diagnostic> {
    let error = lone(miss, first);
    if miss.text(first + 1) == "__name__" {
        let help = "delete these lines: a template runs as it is, `cookc sample my.cook`";
        return Some(error.help(help));
    }
    if let Some(bound) = blocks::chosen(miss.source, &miss.tokens, first) {
        return Some(bound_by(miss, error, first, &bound));
    }
    if let Some((value, _)) = blocks::decided(miss.source, &miss.tokens, first) {
        return Some(error.help(format!("give it a name: `name = {value}`")));
    }
    let (condition, at) = blocks::condition(miss.source, &miss.tokens, first)?;
    let value = format!("if {condition} then … else …");
    Some(match miss.text(at) {
        word @ ("system" | "prompt" | "reply") => {
            let value = value.replace('…', "\"…\"");
            error.help(format!("a template has one: write `{word} \"{{{value}}}\"`"))
        }
        _ => error.help(format!("give it a name: `name = {value}`")),
    })
}

/// The same in the block of a function, whose value it is to be.
pub fn in_function(miss: &Miss) -> Option<Diagnostic> {
    let (open, at) = (*miss.open.first()?, miss.found);
    let is_in_block = miss.text(open) == "{" && miss.open.len() == 1;
    let begins = miss.starts_line(at) || at == open + 1 || miss.text(at - 1) == ";";
    if miss.text(at) != "if" || !is_in_block || !begins || !miss.expects_statement() {
        return None;
    }
    let error = lone(miss, at);
    if let Some(bound) = blocks::chosen(miss.source, &miss.tokens, at) {
        return Some(bound_by(miss, error, at, &bound));
    }
    let Some((value, mut end)) = blocks::decided(miss.source, &miss.tokens, at) else {
        let (condition, _) = blocks::condition(miss.source, &miss.tokens, at)?;
        let help = format!("write `return if {condition} then … else …`, with a value for each");
        return Some(error.help(help));
    };
    let line = format!("return {value}");
    let error = error.help(format!("write `{line}`"));
    // An `end` of the function, where its brace belongs, is left to be seen.
    end = end.min(miss.tokens.len());
    Some(match miss.text(end) == "}" {
        true => error.fix(miss.span(at).to(miss.span(end - 1)), line),
        false => error,
    })
}

fn lone(miss: &Miss, at: usize) -> Diagnostic {
    let title = "a choice is a value, not a statement";
    Diagnostic::error("E149", title, miss.span(at), "no statement here")
}

fn bound_by(miss: &Miss, error: Diagnostic, first: usize, bound: &blocks::Bound) -> Diagnostic {
    let whole = miss.span(first).to(miss.span(bound.end - 1));
    let error = error.help(format!("write `{}`", bound.line));
    match bound.end == miss.tokens.len() && !bound.line.contains('…') {
        true => error.fix(whole, &*bound.line),
        false => error,
    }
}

/// `{if n > 3}yes{else}no{end}` in a text
pub fn in_text(miss: &Miss) -> Option<Diagnostic> {
    let brace = *miss.open.last()?;
    let is_shown = miss.text(brace) == "{" && miss.in_text(brace);
    if !is_shown || miss.text(brace + 1) != "if" || miss.found_text() != "}" {
        return None;
    }
    let (condition, at) = blocks::condition(miss.source, &miss.tokens, brace + 1)?;
    if at != miss.found {
        return None;
    }
    let title = "the texts of a choice are within its placeholder";
    let error = Diagnostic::error("E138", title, miss.place(), "`then` was expected here");
    Some(error.help(shown(&condition)))
}

/// What to write for a choice between texts in a text.
pub fn shown(condition: &str) -> String {
    format!("write `{{if {condition} then \"…\" else \"…\"}}`, with texts between quotes")
}

impl Miss<'_> {
    /// Does this brace open a placeholder of a text?
    pub fn in_text(&self, brace: usize) -> bool {
        let is_after = brace.checked_sub(1).is_some_and(|before| {
            matches!(self.kind(before), Some(Kind::TextOpen | Kind::TextPiece))
                || self.text(before) == "}"
        });
        let is_open = |&open: &usize| open < brace && self.kind(open) == Some(Kind::TextOpen);
        is_after && self.open.iter().any(is_open)
    }
}

//! Rules as other languages would write them: `rule "is odd": …`, `rule odd { … }`, `rules:`.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::habit;
use crate::syntax::tokens::{Kind, is_keyword};

/// One rule in another form: its name, its relation, and what was strange.
struct Read {
    name: String,
    relation: String,
    code: &'static str,
    title: String,
    place: Span,
    end: usize,
}

/// `rule "positive": n > 0`, `rule pos(n > 0)`, `rule pos: assert n > 0`, `rule pos: n > 0, "why"`
pub fn rule(miss: &Miss) -> Option<Diagnostic> {
    let start = miss.statement();
    if miss.text(start) != "rule" || miss.kind(start) != Some(Kind::Word) {
        return None;
    }
    let read = read(miss, start)?;
    let written = format!("rule {}: {}", read.name, read.relation);
    let whole = miss.span(start).to(miss.span(read.end - 1));
    if miss.source.slice(whole) == written {
        return None;
    }
    let label = "a rule is `rule name: relation`";
    let error = Diagnostic::error(read.code, read.title, read.place, label);
    let error = error.help(format!("write `{written}`"));
    Some(match read.end == miss.tokens.len() {
        true => error.fix(whole, written),
        false => error,
    })
}

/// What was strange first.
#[derive(Default)]
struct Strange(Option<(&'static str, String, Span)>);

impl Strange {
    fn say(&mut self, miss: &Miss, code: &'static str, title: &str, at: usize) {
        self.0.get_or_insert((code, title.to_string(), miss.span(at)));
    }
}

fn read(miss: &Miss, start: usize) -> Option<Read> {
    let mut strange = Strange::default();
    let (name, mut at) = name(miss, start, &mut strange)?;
    let name = slug(&name)?;
    match miss.text(at) {
        ":" => {}
        "" => return None,
        _ => strange.say(miss, "E125", "a colon is missing after the name of the rule", at),
    }
    at += usize::from(miss.text(at) != "if");
    at += usize::from(matches!(miss.text(at), ":" | "=" | "=>"));
    let words = ["assert", "return", "require", "ensure", "check", "that", "must", "should", "if"];
    while words.contains(&miss.text(at)) && miss.text(at + 1) != "(" {
        if miss.text(at) == "if" && !only_condition(miss, at) {
            break;
        }
        strange.say(miss, "E132", "a rule is the relation alone", at);
        at += 1;
    }
    let is_list = miss.text(at) == "-" && miss.starts_line(at);
    let (relation, end) = match is_list {
        true => {
            strange.say(miss, "E149", "a rule is one relation", at);
            all_of(miss, at)?
        }
        false => habit::said(miss.source, &miss.tokens, at)?,
    };
    let (relation, end) = tail(miss, relation, end, &mut strange)?;
    let (code, title, place) = strange.0?;
    (place.start <= miss.place().end).then_some(Read { name, relation, code, title, place, end })
}

/// The name after `rule`, as it is written, and the token after it.
fn name(miss: &Miss, start: usize, strange: &mut Strange) -> Option<(String, usize)> {
    let mut at = start + 1;
    let mut name = String::new();
    if miss.kind(at) == Some(Kind::TextOpen) {
        strange.say(miss, "E121", "the name of a rule has no quotes", at);
        let close = (at..miss.tokens.len()).find(|&at| miss.kind(at) == Some(Kind::TextClose))?;
        return Some(((at + 1..close).map(|at| miss.text(at)).collect(), close + 1));
    }
    while !matches!(miss.text(at), ":" | "=" | "(" | "{" | "=>" | "[" | "" | "->" | "if") {
        if !matches!(miss.kind(at)?, Kind::Word | Kind::Number) && miss.text(at) != "-" {
            return None;
        }
        if at > start + 1 {
            let title = "the name of a rule is one word, with `_` between its parts";
            strange.say(miss, "E121", title, start + 1);
            name.push('_');
        }
        name += miss.text(at).trim_matches('-');
        at += 1;
    }
    Some((name, at))
}

/// What follows a relation that other languages end in another way: `then true`, `for x in xs`, a
/// message.
fn tail(
    miss: &Miss,
    relation: String,
    mut end: usize,
    strange: &mut Strange,
) -> Option<(String, usize)> {
    let mut relation = relation;
    if miss.text(end) == "then" {
        strange.say(miss, "E132", "a rule is the relation alone", end);
        while !matches!(miss.text(end), "" | "else") && !miss.starts_line(end) {
            end += 1;
        }
        end = if miss.text(end) == "else" { end + 2 } else { end };
    }
    if miss.text(end) == "for" {
        strange.say(miss, "E148", "a loop comes before its value", end);
        let line = miss.line_end(end);
        if miss.span(end + 1).start >= line {
            return None;
        }
        let head = miss.source.slice(Span::new(miss.span(end + 1).start, line)).to_string();
        relation = format!("all {}: {relation}", head.trim_end_matches(')'));
        end = (end..miss.tokens.len() + 1).find(|&at| miss.span(at).start >= line)?;
    }
    if miss.text(end) == ";" && end + 1 == miss.tokens.len() {
        // The next error reports it; what is strange before is reported without it.
        end += 1;
    }
    while matches!(miss.text(end), "," | "}" | ")" | ";") {
        strange.say(miss, "E133", "a rule ends with its relation", end);
        end += 1;
        if miss.kind(end) == Some(Kind::TextOpen) {
            let close = |at: &usize| miss.kind(*at) == Some(Kind::TextClose);
            end = (end..miss.tokens.len()).find(close)? + 1;
        }
    }
    Some((relation, end))
}

/// Is it `if c` or `if c then true`, and no choice between two values?
fn only_condition(miss: &Miss, at: usize) -> bool {
    !(at..miss.tokens.len()).any(|at| miss.text(at) == "else" && miss.text(at + 1) != "false")
}

/// `- n > 0` and `- m > 0` below: both, with `and` between.
fn all_of(miss: &Miss, mut at: usize) -> Option<(String, usize)> {
    let mut all = Vec::new();
    while miss.text(at) == "-" && miss.starts_line(at) {
        let end = (at + 1..miss.tokens.len()).find(|&next| miss.starts_line(next));
        let end = end.unwrap_or(miss.tokens.len());
        let (one, after) = habit::said(miss.source, &miss.tokens[..end], at + 1)?;
        if after != end {
            return None;
        }
        let loose = one.contains(" or ") || one.contains(':');
        all.push(if loose { format!("({one})") } else { one });
        at = end;
    }
    Some((all.join(" and "), at))
}

/// A text as the name of a rule: `is positive` as `is_positive`.
pub fn slug(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let name = words.join("_");
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
    (starts && !name.is_empty()).then(|| if is_keyword(&name) { name + "_" } else { name })
}

//! Draws that were read within an expression of another language: `2 * random.randint(1, 6)`.

use std::collections::BTreeSet;

use super::miss::Miss;
use crate::diagnostic::{Diagnostic, edited};
use crate::source::Span;
use crate::syntax::habit::Said;
use crate::syntax::habit::drawing::{drawn, is_draw, length};
use crate::syntax::habit::words::has_name;

/// What to write where the value that was read draws: `name ~ …`, or a draw above it.
pub fn bound(miss: &Miss, from: usize, said: &Said, error: Diagnostic) -> Diagnostic {
    if error.fix.is_empty() || error.fix.iter().any(|edit| edit.span.start < miss.span(from).start)
    {
        return error;
    }
    let value = value(miss, said);
    let value = shifted(value);
    let draws = drawn(&value);
    let start = miss.statement();
    let is_bound = from == start + 2 && matches!(miss.text(start + 1), "=" | "~");
    if miss.text(start) == "rule"
        && let Some(rest) = value.strip_prefix("for ")
    {
        let written = format!("all {rest}");
        let read = Span::new(miss.span(from).start, said.read.end);
        let mut error = error.help(format!("write `{written}`"));
        error.fix.clear();
        return error.fix(read, written);
    }
    let shows = ["join(", "lines(", "numbered("];
    if is_bound && shows.iter().any(|name| value.starts_with(name)) {
        let mut error = error.help(format!("write `{{{value}}}` in `prompt` or `reply`"));
        error.fix.clear();
        return error;
    }
    if draws.is_empty() {
        return error;
    }
    let (name, symbol) = (miss.text(start), miss.span(start + 1));
    if is_bound && is_draw(&value) {
        let error = error.help(format!("write `{name} ~ {value}`"));
        return if miss.text(start + 1) == "~" { error } else { as_draw(error, symbol) };
    }
    if is_bound && is_choice(&value) {
        let error = error.help(format!("write `{name} ~ {value}`"));
        return if miss.text(start + 1) == "~" { error } else { as_draw(error, symbol) };
    }
    if value.contains("for ") || value.contains("fold ") {
        return in_a_loop(error, &value, &value[draws[0].0..draws[0].1]);
    }
    above(miss, (from, is_bound), (&value, &draws), said, error)
}

/// The fix with `~` for `=`, as sure as it was.
fn as_draw(error: Diagnostic, symbol: Span) -> Diagnostic {
    let is_sure = error.is_sure;
    error.fix(symbol, "~").sure_if(is_sure)
}

/// How many calls there are in a text.
fn calls(text: &str) -> usize {
    let named = |at: &usize| text[..*at].ends_with(|letter: char| letter.is_ascii_alphanumeric());
    text.match_indices('(').map(|(at, _)| at).filter(named).count()
}

/// `uniform(0..5) + 1` as `uniform(1..6)`.
fn shifted(value: String) -> String {
    let read = || {
        let (draw, more) = value.split_once(") + ")?;
        let (low, high) = draw.strip_prefix("uniform(")?.split_once("..")?;
        let (low, more): (i64, i64) = (low.parse().ok()?, more.parse().ok()?);
        let high = match (high.parse::<i64>(), high.strip_suffix(&format!(" - {more}"))) {
            (Ok(high), _) => (high + more).to_string(),
            (_, Some(high)) => high.to_string(),
            _ => format!("{high} + {more}"),
        };
        Some(format!("uniform({}..{high})", low + more))
    };
    read().unwrap_or(value)
}

/// A draw in a loop: all are drawn above it.
fn in_a_loop(mut error: Diagnostic, value: &str, draw: &str) -> Diagnostic {
    error.fix.clear();
    let head = value.split_once("for ").and_then(|(_, rest)| rest.split_once(": "));
    let (item, list) = head.and_then(|(head, _)| head.split_once(" in ")).unwrap_or(("x", "xs"));
    let count = length(list.split(" where ").next().unwrap_or(list));
    error.help(match has_name(draw, item) {
        true => format!(
            "a draw takes nothing from a loop: write `drawn ~ draw({count}, 0..999)` above it, \
             and compute from `at(i, drawn)` in it"
        ),
        false => format!(
            "draw all of them above the loop, `drawn ~ repeat({count}, {draw})`, and take one \
             in it: `at(i, drawn)`"
        ),
    })
}

/// The draws on separate lines above the statement, and their names in its value.
fn above(
    miss: &Miss,
    (from, is_bound): (usize, bool),
    (value, draws): (&str, &[(usize, usize)]),
    said: &Said,
    error: Diagnostic,
) -> Diagnostic {
    let (mut lines, mut shown, mut done) = (Vec::<String>::new(), String::new(), 0);
    // A value that is written twice, as in `if x < 0 then -x else x`, is drawn once.
    let is_drawn_once = draws.len() > calls(miss.source.slice(said.read));
    let texts: BTreeSet<&str> = draws.iter().map(|&(start, end)| &value[start..end]).collect();
    if is_drawn_once && calls(miss.source.slice(said.read)) > texts.len() + 1 {
        // Which of them are one draw, and which are two, is not known any more.
        let mut error = error.help(format!("write each draw on a line above: `drawn ~ {}`", {
            &value[draws[0].0..draws[0].1]
        }));
        error.fix.clear();
        return error;
    }
    let mut number = 0;
    for &(start, end) in draws {
        let again = format!(" ~ {}", &value[start..end]);
        let known = lines.iter().find_map(|line| line.strip_suffix(&again).map(str::to_string));
        if let Some(known) = known.filter(|_| is_drawn_once) {
            shown = shown + &value[done..start] + &known;
            done = end;
            continue;
        }
        let name = match number {
            0 => miss.unused("drawn"),
            _ => miss.unused(&format!("drawn_{}", number + 1)),
        };
        number += 1;
        lines.push(format!("{name} ~ {}", &value[start..end]));
        shown = shown + &value[done..start] + &name;
        done = end;
    }
    shown += &value[done..];
    let first = miss.statement();
    let head = Span::new(miss.span(first).start, miss.span(from).start);
    let head = miss.source.slice(head).trim_end();
    let head = if is_bound { format!("{} =", miss.text(first)) } else { head.to_string() };
    let below = format!("{head} {shown}");
    let help = format!("write `{}` above, and `{below}` here", lines.join("`, `"));
    let mut error = error.help(help);
    if is_bound && miss.starts_line(first) {
        let start = Span::new(miss.span(first).start, miss.span(first).start);
        let (symbol, read) =
            (miss.span(first + 1), Span::new(miss.span(from).start, said.read.end));
        error.fix.clear();
        error = error.fix(start, lines.join("\n") + "\n").fix(symbol, "=").fix(read, shown);
    }
    error
}

/// All that was read, in this language.
fn value(miss: &Miss, said: &Said) -> String {
    let whole = said.read;
    let moved = said.edits.iter().map(|edit| crate::diagnostic::Edit {
        span: Span::new(edit.span.start - whole.start, edit.span.end - whole.start),
        text: edit.text.clone(),
    });
    let edits: Vec<_> = moved.collect();
    edited(miss.source.slice(whole), &edits)
}

/// Is it a choice between two draws?
fn is_choice(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("if ") else { return false };
    let Some((_, branches)) = rest.split_once(" then ") else { return false };
    let Some((yes, no)) = branches.split_once(" else ") else { return false };
    is_draw(yes) && (is_draw(no) || is_choice(no))
}

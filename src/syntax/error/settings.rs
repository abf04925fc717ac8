//! Errors of parameters, levels and lists as YAML, TOML and other languages would write them.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::tokens::{Kind, is_keyword};

/// `param length = 8`, `param length: 8`, `param length: 1..16 = 8`, `param n in [1, 16] = 8`
pub fn param(miss: &Miss) -> Option<Diagnostic> {
    let is_param = |at: &usize| miss.text(*at) == "param" && miss.starts_line(*at);
    let start = (0..miss.found.min(miss.tokens.len())).rev().find(is_param)?;
    let name = miss.text(start + 1);
    if miss.kind(start + 1) != Some(Kind::Word)
        || is_keyword(name)
        || miss.found > miss.tokens.len()
    {
        return None;
    }
    let end = (start + 2..miss.tokens.len()).find(|&at| miss.starts_line(at));
    let end = end.unwrap_or(miss.tokens.len());
    if end == start + 2 || miss.found > end || miss.found_text() == ";" {
        return None;
    }
    let found = Numbers::read(miss, start + 2, end)?;
    let written = format!("param {name} in {}", found.range_and_default()?);
    let whole = miss.span(start).to(miss.span(end - 1));
    if miss.source.slice(whole) == written {
        return None;
    }
    let in_missing = miss.text(start + 2) != "in";
    let (code, title) = match (in_missing, found.range) {
        (true, None) => ("E140", "a parameter has a range and a default".to_string()),
        (true, _) => ("E140", format!("`in` is missing after `{name}`")),
        _ => ("E143", "the range of a parameter is written `1..9`".to_string()),
    };
    let label = "`in`, a range, `=` and the default were expected";
    let place = miss.span(start + 2).to(miss.span(end - 1));
    let error = Diagnostic::error(code, title, place, label);
    let any = if found.range.is_none() { ", with a range of your own" } else { "" };
    // A range of other languages leaves its end out, and a range of our own is a guess.
    let ends = (start + 2..end).map(|at| miss.text(at));
    let is_sure = found.range.is_some() && !ends.into_iter().any(leaves_end_out);
    let error = error.help(format!("write `{written}`{any}"));
    Some(error.fix(whole, written).sure_if(is_sure))
}

fn leaves_end_out(word: &str) -> bool {
    matches!(word, "range" | "until" | "float" | "Real" | "number" | "f64")
}

/// The numbers of a parameter's line.
struct Numbers<'t> {
    range: Option<(&'t str, &'t str)>,
    default: Option<&'t str>,
    leaves_out: bool,
}

impl<'t> Numbers<'t> {
    fn read(miss: &Miss<'t>, from: usize, end: usize) -> Option<Numbers<'t>> {
        let mut numbers: Vec<&str> = Vec::new();
        let (mut dots, mut ranged) = (None, false);
        // Elsewhere `range(1, 10)` and `1 until 10` leave the last number out.
        let leaves_out = (from..end).any(|at| matches!(miss.text(at), "range" | "until"));
        let default_first = miss.text(from) == "=" && !leaves_out;
        for at in from..end {
            match miss.text(at) {
                ".." => dots = Some(numbers.len()),
                "to" | "until" => dots = Some(numbers.len()),
                "-" if numbers.len() == 1 && miss.text(at - 1) == numbers[0] => dots = Some(1),
                "[" | "(" | "range" | "between" => ranged = true,
                "in" | "=" | ":" | "," | "]" | ")" | ":=" | ";" | "~" | "and" | "default" => {}
                _ if miss.kind(at) == Some(Kind::Number) => numbers.push(miss.text(at)),
                "int" | "Int" | "float" | "Real" | "number" | "i32" | "i64" | "f64" => {}
                _ => return None,
            }
        }
        let (range, default) = match (dots, &numbers[..]) {
            (None, [one]) => (None, Some(*one)),
            (Some(1), [low, high]) => (Some((*low, *high)), None),
            (Some(1), [low, high, default]) => (Some((*low, *high)), Some(*default)),
            (Some(2), [default, low, high]) => (Some((*low, *high)), Some(*default)),
            (None, [default, low, high]) if ranged && default_first => {
                (Some((*low, *high)), Some(*default))
            }
            (None, [low, high, default]) if ranged => (Some((*low, *high)), Some(*default)),
            _ => return None,
        };
        Some(Numbers { range, default, leaves_out })
    }

    /// `1..16 = 8`; a range that is not said goes to twice the default.
    fn range_and_default(&self) -> Option<String> {
        let default = self.default?;
        let (low, high) = match self.range {
            Some((low, high)) if self.leaves_out => {
                (low.to_string(), (high.parse::<i64>().ok()? - 1).to_string())
            }
            Some((low, high)) => (low.to_string(), high.to_string()),
            None => match (default.parse::<i64>(), default.parse::<f64>()) {
                (Ok(0), _) => ("0".to_string(), "8".to_string()),
                (Ok(value), _) => ("1".to_string(), value.checked_mul(2)?.to_string()),
                (_, Ok(value)) if value <= 1.0 => ("0.0".to_string(), "1.0".to_string()),
                (_, Ok(value)) => ("0.0".to_string(), format!("{:.1}", value * 2.0)),
                _ => return None,
            },
        };
        Some(format!("{low}..{high} = {default}"))
    }
}

/// `level hard { length = 32 }`, `level hard: length: 32`, `level: hard, length = 3`
pub fn level(miss: &Miss) -> Option<Diagnostic> {
    let is_level = |at: &usize| miss.text(*at) == "level" && miss.starts_line(*at);
    let start = (0..miss.found.min(miss.tokens.len())).rev().find(is_level)?;
    let mut at = start + 1;
    let is_mark = |text: &str| matches!(text, ":" | "{" | "=" | "(" | "[" | "-" | "," | ";" | "\"");
    while is_mark(miss.text(at)) {
        at += 1;
    }
    let name = miss.text(at);
    if miss.kind(at) != Some(Kind::Word) || is_keyword(name) {
        return None;
    }
    at += 1;
    let mut settings = Vec::new();
    let mut last = at;
    let mut strange = miss.text(at) != ":" || at != start + 2;
    let mut depth = 0;
    while at < miss.tokens.len() {
        let mark = miss.text(at);
        if is_mark(mark) || matches!(mark, "}" | ")" | "]") {
            strange |= !matches!(mark, ":" | ",");
            depth += i32::from(matches!(mark, "{" | "(" | "["));
            depth -= i32::from(matches!(mark, "}" | ")" | "]"));
            at += 1;
            last = if matches!(mark, "}" | ")" | "]") { at } else { last };
            continue;
        }
        let sets = matches!(miss.text(at + 1), "=" | ":" | ":=")
            && miss.kind(at) == Some(Kind::Word)
            && miss.kind(at + 2) == Some(Kind::Number);
        if !sets {
            break;
        }
        strange |= miss.text(at + 1) != "=";
        settings.push(format!("{} = {}", miss.text(at), miss.text(at + 2)));
        at += 3;
        last = at;
    }
    if settings.is_empty() && miss.text(start + 2) == "{" && miss.text(start + 3) == "}" {
        let title = format!("the level `{name}` sets nothing");
        let error = Diagnostic::error("E125", title, miss.span(start + 2), "no settings");
        return Some(error.help(format!("write `level {name}: length = 8`, with your parameters")));
    }
    if !strange || settings.is_empty() || depth != 0 || at < miss.tokens.len() {
        return None;
    }
    let written = format!("level {name}: {}", settings.join(", "));
    let whole = miss.span(start).to(miss.span(last - 1));
    let label = "`:` and settings were expected after the name of the level";
    let place = miss.place();
    let error = Diagnostic::error("E125", "a level is written in one row", place, label);
    let error = error.help(format!("write `{written}`"));
    Some(error.fix(whole, written).sure())
}

/// `length: 8` as a statement, `- item`
pub fn key(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    if word == "-" && miss.found == first {
        let value = miss.line_after(first);
        let title = "a list is written between brackets";
        let error = Diagnostic::error("E149", title, miss.span(first), "no statement begins so");
        return Some(error.help(format!("write `name = [{value}, …]`, on one line or several")));
    }
    let is_key = miss.kind(first) == Some(Kind::Word) && !is_keyword(word);
    if !is_key || miss.text(first + 1) != ":" || miss.found != first + 1 {
        return None;
    }
    let value = miss.line_after(first + 1);
    let title = format!("`{word}` is neither drawn nor computed");
    let symbol = miss.span(first + 1);
    let label = "`~` or `=` was expected after this name";
    let error = Diagnostic::error("E120", title, Span::new(symbol.start, symbol.start), label);
    if value.is_empty() {
        let help = format!("write `{word} = …`, or `rule {word}: …`, or `level {word}: …`");
        return Some(error.help(help));
    }
    let help = match value.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number > 0.0 => format!(
            "write `{word} = {value}`, or `param {word} in 1..{} = {value}` if it may be set",
            number * 2.0
        ),
        _ => format!("write `{word} = {value}`, or `rule {word}: {value}`"),
    };
    Some(error.help(help).fix(symbol, " ="))
}

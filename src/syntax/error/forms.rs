//! Statements of other languages: what changes a list, takes one apart, or only runs.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::grammar;
use crate::syntax::habit;
use crate::syntax::habit::drawing::is_draw;
use crate::syntax::tokens::{Kind, is_keyword};

/// Words before a statement that say who may see it, or how it runs.
const MODIFIERS: [&str; 12] = [
    "pub",
    "export",
    "async",
    "static",
    "private",
    "public",
    "default",
    "inline",
    "extern",
    "unsafe",
    "protected",
    "declare",
];

/// `pub fn f(…)`, `export const n = 3`: the same without the words before.
pub fn modified(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let mut at = first;
    while MODIFIERS.contains(&miss.text(at)) && miss.kind(at + 1) == Some(Kind::Word) {
        at += 1;
    }
    if at == first {
        return None;
    }
    let word = miss.text(first);
    let before = Span::new(miss.span(first).start, miss.span(at).start);
    let whole = Span::new(before.end, miss.span(miss.tokens.len()).end);
    let title = format!("no statement begins with `{word}`");
    let error = Diagnostic::error("E119", title, miss.span(first), "not needed");
    let Err(next) = grammar::parse(miss.source.slice(whole)) else {
        let line = miss.line_after(at - 1);
        return Some(error.help(format!("write `{line}`")).fix(before, ""));
    };
    let rest = Miss::new(miss.source, &miss.tokens[at..], whole.start + next.at, next.expected);
    let explained = super::explain(&rest);
    let error = explained
        .fix
        .iter()
        .fold(error.help(explained.help), |error, edit| error.fix(edit.span, &*edit.text));
    Some(if error.fix.is_empty() { error } else { error.fix(before, "") })
}

/// `xs.append(3)`, `random.shuffle(xs)`, `xs.sort()`, `console.log(x)` on a line of its own.
pub fn called(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    let is_name = miss.kind(first) == Some(Kind::Word) && !is_keyword(word);
    let dotted = miss.text(first + 1) == "." && miss.kind(first + 2) == Some(Kind::Word);
    let open = (first + 1..miss.tokens.len()).find(|&at| miss.text(at) == "(")?;
    if !is_name || !dotted || miss.found > open || miss.starts_line(first + 1) {
        return None;
    }
    if (first..open).any(|at| matches!(miss.text(at), "=" | "~" | ":")) {
        return None;
    }
    let title = "a line binds a name";
    let place = miss.span(first).to(miss.span(open - 1));
    let error = Diagnostic::error("E149", title, place, "a call alone changes nothing");
    let method = miss.text(open - 1);
    if matches!(method, "log" | "info" | "debug" | "write" | "print" | "println" | "error") {
        let (value, _) = habit::said(miss.source, &miss.tokens, open + 1)?;
        let shown = if value.starts_with('"') { value } else { format!("\"{{{value}}}\"") };
        return Some(error.help(format!("write `reply {shown}`, or `prompt {shown}`")));
    }
    if word == "random" && method == "seed" {
        let (start, end) = miss.lines_of(miss.span(first));
        let error = error.help("delete this line: `cookc sample my.cook --seed 7` sets the seed");
        return Some(error.fix(Span::new(start, end), ""));
    }
    let (mut value, _) = habit::said(miss.source, &miss.tokens, first)?;
    let given = miss.text(open + 1);
    let changed = match method {
        "shuffle" if word == "random" => given,
        _ => word,
    };
    if method == "forEach" || value.starts_with("for ") && !is_draw(&value) {
        return Some(error.help(format!("give it a name: `name = {value}`")));
    }
    let new = miss.free(changed);
    let sign = if is_draw(&value) { "~" } else { "=" };
    if value == format!("{changed}.{method}") {
        value = "…".to_string();
    }
    let help =
        format!("names do not change: write `{new} {sign} {value}`, and `{new}` where it is meant");
    Some(error.help(help))
}

/// `xs[0] = 3`, `xs[i] += 1`, `del xs[0]`, `del xs`
pub fn replaced(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let is_deleted = matches!(miss.text(first), "del" | "delete");
    let name_at = first + usize::from(is_deleted);
    let name = miss.text(name_at);
    if miss.kind(name_at) != Some(Kind::Word) || is_keyword(name) || miss.found > name_at + 2 {
        return None;
    }
    let error = |title: &str| {
        let place = miss.span(first).to(miss.span(name_at));
        Diagnostic::error("E149", title, place, "lists and names do not change")
    };
    if miss.text(name_at + 1) != "[" {
        let (start, end) = miss.lines_of(miss.span(first));
        let error = error("a name keeps its value");
        let error = error.help("delete this line").fix(Span::new(start, end), "");
        return is_deleted.then_some(error);
    }
    let (index, close) = habit::said(miss.source, &miss.tokens, name_at + 2)?;
    let sign = miss.text(close + 1);
    if miss.text(close) != "]" || !(is_deleted || matches!(sign, "=" | "+=" | "-=" | "*=")) {
        return None;
    }
    let next =
        index.parse::<i64>().map_or_else(|_| format!("{index} + 1"), |at| (at + 1).to_string());
    let new = match is_deleted {
        true => String::new(),
        false => {
            let (value, _) = habit::said(miss.source, &miss.tokens, close + 2)?;
            match sign {
                "=" => format!("[{value}] + "),
                _ => format!("[at({index}, {name}) {} {value}] + ", &sign[..1]),
            }
        }
    };
    let before = if index == "0" { String::new() } else { format!("take({index}, {name}) + ") };
    let free = miss.free(name);
    let help =
        format!("write `{free} = {before}{new}drop({next}, {name})`, and use `{free}` below");
    Some(error("a list does not change").help(help))
}

/// `a = b = 3`
pub fn bound_in_a_row(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let (a, b) = (miss.text(first), miss.text(first + 2));
    let is_name = |at: usize| miss.kind(at) == Some(Kind::Word) && !is_keyword(miss.text(at));
    let is_row = miss.text(first + 1) == "="
        && miss.text(first + 3) == "="
        && !(miss.touches(first + 4) && matches!(miss.kind(first + 4), Some(Kind::Sign)));
    if !is_row || !is_name(first) || !is_name(first + 2) || miss.found != first + 3 {
        return None;
    }
    let value = miss.line_after(first + 3);
    let place = miss.span(first + 3);
    let error = Diagnostic::error("E149", "several names are bound at once", place, "a second `=`");
    Some(error.help(format!("write a line for each: `{b} = {value}`, `{a} = {b}`")))
}

/// `(a, b) = f(x)`, `const [a, b] = xs`, `let {a, b} = row`
pub fn taken_apart(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    let open = first + usize::from(matches!(word, "let" | "const" | "var" | "auto" | "my"));
    let mark = miss.text(open);
    let close = (open..miss.tokens.len()).find(|&at| matches!(miss.text(at), ")" | "]" | "}"))?;
    let sign = miss.text(close + 1);
    if !matches!(mark, "(" | "[" | "{")
        || !matches!(sign, "=" | "~" | ":=")
        || miss.found > close + 1
    {
        return None;
    }
    let names: Vec<&str> = (open + 1..close)
        .filter(|&at| miss.kind(at) == Some(Kind::Word))
        .map(|at| miss.text(at))
        .collect();
    if names.is_empty() || names.iter().any(|name| is_keyword(name)) {
        return None;
    }
    let (value, end) = habit::said(miss.source, &miss.tokens, close + 2)?;
    let parts = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parts = parts.map(habit::words::split).filter(|parts| parts.len() == names.len());
    let sign = if is_draw(&value) { "~" } else { "=" };
    let lines: Vec<String> = match (&parts, mark) {
        (Some(parts), _) => {
            names.iter().zip(parts).map(|(name, part)| format!("{name} = {part}")).collect()
        }
        (None, "{") => names.iter().map(|name| format!("{name} = {value}.{name}")).collect(),
        (None, _) => {
            let is_plain = habit::words::own_name(&value) == value;
            let all = if is_plain { value.clone() } else { miss.free(&names.join("_")) };
            let bound = (!is_plain).then(|| format!("{all} {sign} {value}"));
            let taken = names.iter().enumerate();
            bound
                .into_iter()
                .chain(taken.map(|(at, name)| format!("{name} = at({at}, {all})")))
                .collect()
        }
    };
    let whole = miss.span(first).to(miss.span(end - 1));
    let error = Diagnostic::error(
        "E149",
        "several names are bound at once",
        whole,
        "a line binds one name",
    )
    .help(format!("write a line for each: `{}`", lines.join("`, `")));
    Some(match end >= miss.tokens.len() && mark != "{" {
        true => error.fix(whole, lines.join("\n")),
        false => error,
    })
}

/// `r in 1..6`, `r ~= pick(xs)`, `r = ~pick(xs)`, `r ~ from vocab`, `draw r = pick(xs)`
pub fn drawn(miss: &Miss) -> Option<Diagnostic> {
    const WORDS: [&str; 9] =
        ["draw", "sample", "random", "choose", "compute", "define", "given", "generate", "select"];
    let first = miss.first();
    let mut name = first;
    while WORDS.contains(&miss.text(name)) && miss.kind(name + 1) == Some(Kind::Word) {
        name += 1;
    }
    if miss.kind(name) != Some(Kind::Word) || is_keyword(miss.text(name)) {
        return None;
    }
    let value = match (miss.text(name + 1), miss.text(name + 2)) {
        ("in" | "from", _) => name + 2,
        ("~", "=" | "from" | "in" | "draw") => name + 3,
        ("=" | ":", "~") => name + 3,
        ("=" | "~" | ":=", _) if name > first => name + 2,
        (":=" | ":", _) => name + 2,
        _ => return None,
    };
    if miss.found > value + 1 || miss.starts_line(name + 1) || miss.starts_line(value) {
        return None;
    }
    let (said, end) = habit::said(miss.source, &miss.tokens, value)?;
    let sign = miss.text(name + 1);
    let is_from = matches!(sign, "in" | "from") || sign == "~" && value == name + 3;
    let is_kept = is_draw(&said) || !is_from;
    if !is_draw(&said) && !is_from && (name == first || value == name + 3) {
        return None;
    }
    let said = match said.contains("..") && !is_kept {
        true => format!("uniform({said})"),
        false if is_kept => said,
        false => format!("pick({said})"),
    };
    let sign = if is_draw(&said) { "~" } else { "=" };
    let written = format!("{} {sign} {said}", miss.text(name));
    let (code, title) = match name > first {
        true => ("E119", format!("no statement begins with `{}`", miss.text(first))),
        false => ("E120", format!("`{}` is neither drawn nor computed", miss.text(name))),
    };
    let place = match name > first {
        true => miss.span(first),
        false => miss.span(name + 1).to(miss.span(value - 1)),
    };
    let error = Diagnostic::error(code, title, place, "a draw is written with `~` alone");
    let whole = miss.span(first).to(miss.span(end - 1));
    let error = error.help(format!("write `{written}`"));
    Some(if end == miss.tokens.len() { error.fix(whole, written) } else { error })
}

/// `y ~ pick(xs) where y != x`
pub fn conditioned(miss: &Miss) -> Option<Diagnostic> {
    if !matches!(miss.found_text(), "where" | "if" | "unless" | "until" | "such" | "with") {
        return None;
    }
    let start = miss.statement();
    let (name, sign) = (miss.text(start), miss.text(start + 1));
    if sign != "~" || start + 2 >= miss.found {
        return None;
    }
    let draw = miss.source.slice(Span::new(miss.span(start + 2).start, miss.before().end));
    if !is_draw(draw) {
        return None;
    }
    let skipped = if miss.found_text() == "such" { 2 } else { 1 };
    let (condition, end) = habit::said(miss.source, &miss.tokens, miss.found + skipped)?;
    let list = draw.strip_prefix("pick(").and_then(|rest| rest.strip_suffix(')'));
    let range = draw.strip_prefix("uniform(").and_then(|rest| rest.strip_suffix(')'));
    let list = list.or(range)?;
    let other = condition.strip_prefix(&format!("{name} != "));
    let written = match other {
        Some(other) => format!("{name} ~ pick(without([{other}], {list}))"),
        None => format!("{name} ~ pick(for {name} in {list} where {condition}: {name})"),
    };
    let title = "a draw has no condition";
    let error = Diagnostic::error("E149", title, miss.place(), "draw from those that fit");
    let whole = miss.span(start).to(miss.span(end - 1));
    Some(error.help(format!("write `{written}`")).fix(whole, written))
}

/// `"""What it is."""` on its own, `'use strict'`, `global n`, `@cached`
pub fn idle(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    if miss.found > first + 2 {
        return None;
    }
    if miss.kind(first) == Some(Kind::TextOpen) {
        let close =
            (first..miss.tokens.len()).find(|&at| miss.kind(at) == Some(Kind::TextClose))?;
        if close + 1 != miss.tokens.len() {
            return None;
        }
        let whole = miss.span(first).to(miss.span(close));
        let text = miss.source.slice(whole).trim_matches(['"', '\'', ' ', '\n', '\t']);
        let lines: Vec<String> = text.lines().map(|line| format!("/// {}", line.trim())).collect();
        let title = "a text stands alone";
        let label = "no statement begins with a text";
        let error = Diagnostic::error("E119", title, miss.span(first), label);
        let shown = lines.first().cloned().unwrap_or_else(|| "/// text".to_string());
        return Some(error.help(format!("write `{shown}`")).fix(whole, lines.join("\n")));
    }
    let word = miss.text(first);
    let is_idle = matches!(word, "global" | "nonlocal" | "package" | "mod" | "namespace" | "@")
        && miss.kind(first + 1) == Some(Kind::Word)
        && !matches!(miss.text(first + 1), "=" | "~");
    if !is_idle {
        return None;
    }
    let (start, end) = miss.lines_of(miss.span(first).to(miss.span(first + 1)));
    let title = format!("no statement begins with `{word}`");
    let error = Diagnostic::error("E119", title, miss.span(first), "not needed");
    Some(error.help("delete this line").fix(Span::new(start, end), ""))
}

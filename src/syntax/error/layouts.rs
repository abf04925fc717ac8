//! Errors of prompts and replies as other languages put texts together.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::habit;
use crate::syntax::tokens::{Kind, is_keyword};

/// What others call the texts.
const TWINS: [(&str, &str); 15] = [
    ("human", "prompt"),
    ("bot", "reply"),
    ("user", "prompt"),
    ("question", "prompt"),
    ("instruction", "prompt"),
    ("input", "prompt"),
    ("assistant", "reply"),
    ("answer", "reply"),
    ("output", "reply"),
    ("completion", "reply"),
    ("response", "reply"),
    ("target", "reply"),
    ("label", "reply"),
    ("gold", "reply"),
    ("system_prompt", "system"),
];

/// `prompt = "…"`, `prompt: "…"`, `prompt f"…"`, `prompt("…")`, `prompt "…" + x`
pub fn layout(miss: &Miss) -> Option<Diagnostic> {
    let start = (miss.first()..miss.found.min(miss.tokens.len()) + 1)
        .rev()
        .find(|&at| is_layout(miss, at))?;
    let word = miss.text(start);
    let mut at = start + 1;
    if matches!(miss.text(at), "=" | ":" | "~" | ":=") {
        at += 1;
    }
    if miss.text(at) == "(" {
        at += 1;
    }
    let first = at;
    let pieces = pieces(miss, &mut at);
    let end = at;
    let text = (first..end).find(|&at| length_of_text(miss, at) > 0);
    let is_one = text.is_some_and(|text| is_one_text(miss, first, text, end));
    let is_right = first == start + 1 && end == first + length_of_text(miss, first);
    if is_right || miss.found > end {
        return None;
    }
    let place = match first > start + 1 {
        true => miss.span(start + 1).to(miss.span(first - 1)),
        false => miss.place(),
    };
    let title = format!("a text was expected after `{word}`");
    let error = Diagnostic::error("E124", title, place, "the text comes right after the word");
    let whole = Span::new(miss.span(start).end, miss.span(end - 1).end);
    let Some(text) = pieces.filter(|text| text != "\"\"") else {
        return unquoted(miss, start, error);
    };
    let is_formatted = miss.text(first) == "f";
    let text = if is_formatted { text } else { without_jinja(&text) };
    let shown = text.lines().next().unwrap_or(&text);
    let shown = if text.contains('\n') { format!("{shown} …") } else { text.clone() };
    let error = error.help(format!("write `{word} {shown}`"));
    Some(error.fix(whole, format!(" {text}")).sure_if(is_one))
}

/// `{{ name }}` of Jinja as a placeholder of ours.
fn without_jinja(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{ ") {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        let name = after.split_once(" }}").filter(|(name, _)| name.bytes().all(letters));
        written += before;
        match name {
            Some((name, after)) => {
                written += &format!("{{{name}}}");
                rest = after;
            }
            None => {
                written += "{{ ";
                rest = after;
            }
        }
    }
    written + rest
}

/// Is it one text, at most with `f` before it or `)` after it, that means the same without them?
/// `{{` shows a brace in Python's `f"…"`, and is a placeholder of Jinja elsewhere.
fn is_one_text(miss: &Miss, first: usize, text: usize, end: usize) -> bool {
    let last = text + length_of_text(miss, text);
    let inside = miss.source.slice(miss.span(text).to(miss.span(last - 1)));
    let prefix = if text > first { miss.text(first) } else { "" };
    let is_escaped = inside.contains('\\') && !prefix.is_empty() && prefix != "f";
    text <= first + 1
        && matches!(prefix, "" | "f")
        && (last..end).all(|at| matches!(miss.text(at), ")" | ";"))
        && !is_escaped
        && (prefix == "f" || !inside.contains("{{"))
}

fn is_layout(miss: &Miss, at: usize) -> bool {
    matches!(miss.text(at), "prompt" | "reply" | "system")
        && miss.kind(at) == Some(Kind::Word)
        && (at == 0 || miss.text(at - 1) != ".")
        && (at == miss.first() || miss.starts_line(at))
}

/// How many tokens the text has that begins here; 0 for none.
fn length_of_text(miss: &Miss, from: usize) -> usize {
    let mut depth = 0;
    for at in from..miss.tokens.len() {
        match miss.kind(at) {
            Some(Kind::TextOpen) => depth += 1,
            Some(Kind::TextClose) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if miss.kind(from) == Some(Kind::TextOpen) { at + 1 - from } else { 0 };
        }
    }
    0
}

/// `"a " + x + " b"`, `f"{x}"`, `"{} and {}".format(x, y)`, `"%s" % x`: one text.
fn pieces(miss: &Miss, at: &mut usize) -> Option<String> {
    let mut inside = String::new();
    let mut quotes = "\"";
    let mut count = 0;
    loop {
        let touches = |at: usize| miss.span(at).end == miss.span(at + 1).start;
        let is_prefix = matches!(miss.text(*at), "f" | "F" | "r" | "b" | "u" | "t" | "rf" | "fr");
        if is_prefix && miss.kind(*at + 1) == Some(Kind::TextOpen) && touches(*at) {
            *at += 1;
        }
        let length = length_of_text(miss, *at);
        if length > 0 {
            quotes = miss.text(*at);
            let text = miss.span(*at).to(miss.span(*at + length - 1));
            inside +=
                miss.source.slice(text).get(quotes.len()..text.end - text.start - quotes.len())?;
            *at += length;
        } else if miss.text(*at) == "{" && miss.text(*at + 2) == "}" {
            inside += &format!("{{{}}}", miss.text(*at + 1));
            *at += 3;
        } else {
            let (value, after) = habit::said(miss.source, &miss.tokens, *at)?;
            // A sum of texts and values is taken apart here.
            let (value, after) = first_term(miss, *at, value, after)?;
            inside += &format!("{{{value}}}");
            *at = after;
        }
        count += 1;
        match miss.text(*at) {
            "+" => *at += 1,
            _ if miss.kind(*at) == Some(Kind::TextOpen) && length > 0 => {}
            "," if miss.kind(*at + 1).is_some() => return None,
            _ => break,
        }
    }
    if miss.text(*at) == "." && miss.text(*at + 1) == "format" {
        inside = filled(miss, at, &inside)?;
    } else if miss.text(*at) == "%" && inside.contains('%') {
        inside = percent(miss, at, &inside)?;
    }
    if miss.text(*at) == ")" {
        *at += 1;
    }
    if miss.text(*at) == ";" {
        *at += 1;
    }
    let is_block = quotes.len() == 3;
    let is_end = *at >= miss.tokens.len() || miss.starts_line(*at);
    (is_end && (count == 1 || !is_block)).then(|| format!("{quotes}{inside}{quotes}"))
}

/// The value up to the next `+` that joins texts.
fn first_term(miss: &Miss, from: usize, value: String, end: usize) -> Option<(String, usize)> {
    let mut depth = 0;
    let plus = (from..end).find(|&at| {
        depth += i32::from(miss.kind(at) == Some(Kind::Open));
        depth -= i32::from(miss.kind(at) == Some(Kind::Close));
        depth == 0 && miss.text(at) == "+"
    });
    let Some(plus) = plus else { return Some((value, end)) };
    let tokens = &miss.tokens[..plus];
    let (value, after) = habit::said(miss.source, tokens, from)?;
    (after == plus).then_some((value, plus))
}

/// `.format(x, y)` after a text with `{}`.
fn filled(miss: &Miss, at: &mut usize, text: &str) -> Option<String> {
    *at += 2;
    let values = values(miss, at)?;
    let mut next = 0;
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let index = if name.is_empty() { next } else { name.parse().ok()? };
        next += 1;
        filled += &format!("{before}{{{}}}", values.get(index)?);
        rest = after;
    }
    Some(filled + rest)
}

/// `% (x, y)` after a text with `%s`.
fn percent(miss: &Miss, at: &mut usize, text: &str) -> Option<String> {
    *at += 1;
    let values = match miss.text(*at) {
        "(" => values(miss, at)?,
        _ => {
            let (value, after) = habit::said(miss.source, &miss.tokens, *at)?;
            *at = after;
            vec![value]
        }
    };
    let mut filled = String::new();
    let mut rest = text;
    for value in &values {
        let (before, after) = rest.split_once('%')?;
        let after = after.strip_prefix(['s', 'd', 'i', 'r'])?;
        filled += &format!("{before}{{{value}}}");
        rest = after;
    }
    (!rest.contains('%')).then(|| filled + rest)
}

/// The values between parentheses.
fn values(miss: &Miss, at: &mut usize) -> Option<Vec<String>> {
    if miss.text(*at) != "(" {
        return None;
    }
    let mut values = Vec::new();
    loop {
        *at += 1;
        let (value, after) = habit::said(miss.source, &miss.tokens, *at)?;
        values.push(value);
        *at = after;
        match miss.text(*at) {
            "," => {}
            ")" => {
                *at += 1;
                return Some(values);
            }
            _ => return None,
        }
    }
}

/// `prompt: Say {word}.` without quotes
fn unquoted(miss: &Miss, start: usize, error: Diagnostic) -> Option<Diagnostic> {
    if miss.text(start + 1) != ":" || miss.starts_line(start + 2) || miss.kind(start + 2).is_none()
    {
        return None;
    }
    let (from, to) = (miss.span(start + 2).start, miss.line_end(start + 2));
    let text = miss.source.text[from..to].trim_end();
    if text.contains('"') || miss.kind(start + 2) != Some(Kind::Word) {
        return None;
    }
    let whole = Span::new(miss.span(start).end, to);
    let error = error.help(format!("write `{} \"{text}\"`", miss.text(start)));
    Some(error.fix(whole, format!(" \"{text}\"")))
}

/// `user "…"`, `assistant: "…"`
pub fn twin(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    let (_, ours) = TWINS.iter().find(|(other, _)| *other == word)?;
    let after = first + 1 + usize::from(miss.text(first + 1) == ":");
    let has_it = miss.source.text.lines().any(|line| line.starts_with(ours));
    let line = miss.line_after(first + 1);
    if after == first + 2
        && matches!(word, "user" | "assistant" | "human" | "bot" | "completion" | "response")
        && miss.kind(after).is_some_and(|kind| kind != Kind::TextOpen)
        && !miss.starts_line(after)
        && !line.contains('"')
        && !has_it
    {
        let title = format!("no statement begins with `{word}`");
        let error = Diagnostic::error("E119", title, miss.span(first), "unknown word");
        let place = miss.span(first).to(Span::new(miss.line_end(after), miss.line_end(after)));
        let written = format!("{ours} \"{line}\"");
        return Some(error.help(format!("write `{written}`")).fix(place, written));
    }
    if miss.kind(after) != Some(Kind::TextOpen) || miss.found > after || has_it || is_keyword(word)
    {
        return None;
    }
    let title = format!("no statement begins with `{word}`");
    let error = Diagnostic::error("E119", title, miss.span(first), "unknown word");
    let place = Span::new(miss.span(first).start, miss.span(after - 1).end);
    // `answer` and the like are names of values as well.
    let is_sure = matches!(word, "user" | "assistant" | "system_prompt");
    Some(error.help(format!("write `{ours}`")).fix(place, *ours).sure_if(is_sure))
}

/// `{x:>3}`, `{x!r}`, `{x=}` in a text
pub fn formatted(miss: &Miss) -> Option<Diagnostic> {
    let placeholder = *miss.open.iter().rev().find(|&&open| miss.text(open) == "{")?;
    let in_text = placeholder > 0
        && matches!(
            miss.kind(placeholder - 1),
            Some(Kind::TextOpen | Kind::TextPiece | Kind::Close)
        );
    let comma = miss.found_text() == "," && miss.text(miss.found + 1) == "}";
    let is_format = matches!(miss.found_text(), ":" | "!" | "=") || comma;
    if !in_text || !miss.follows_value() || !is_format {
        return None;
    }
    let close = (miss.found..miss.tokens.len()).find(|&at| miss.text(at) == "}")?;
    let place = miss.place().to(miss.span(close - 1));
    let value = miss.span(placeholder + 1).to(miss.before());
    let title = "a placeholder shows a value as it is";
    let error = Diagnostic::error("E148", title, place, "a placeholder has no format");
    let shown = miss.source.slice(value);
    let format = miss.source.slice(place).trim_start_matches(':');
    let digits = |text: &str| text.parse::<u8>().ok().filter(|_| !text.starts_with('+'));
    let decimals = format.strip_prefix('.').and_then(|rest| rest.strip_suffix('f'));
    let padded = format.strip_prefix('0').map(|rest| rest.trim_end_matches('d'));
    let ours = match (decimals.and_then(digits), padded.and_then(digits)) {
        (Some(count), _) => format!("decimals({count}, {shown})"),
        (None, Some(count)) => format!("padded({count}, {shown})"),
        (None, None) => {
            return Some(error.help(format!("write `{{{shown}}}`")).fix(place, ""));
        }
    };
    let help = format!("write `{{{ours}}}`: `decimals` shows an Int of hundredths with a point");
    let help = if ours.starts_with('p') { format!("write `{{{ours}}}`") } else { help };
    Some(error.help(help).fix(value.to(place), ours))
}

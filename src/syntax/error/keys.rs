//! Sections of YAML, TOML and JSON: `params:` and lines below, `messages:`, `---`, `[params]`.

use super::miss::Miss;
use super::rules::slug;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::tokens::Kind;

/// What sections are called, and the statement that each of their lines is here.
const SECTIONS: &[(&str, &[&str])] = &[
    ("param", &["params", "parameters", "parameter", "param", "settings", "config", "options"]),
    ("level", &["levels", "difficulties", "difficulty", "level"]),
    ("rule", &["rules", "rule", "constraints", "checks", "assertions", "validate", "require"]),
    ("message", &["messages", "message", "chat", "conversation", "turns", "dialog"]),
    ("draw", &["draws", "draw", "variables", "vars", "fields", "data", "sample", "values", "let"]),
    ("words", &["pools", "vocabulary", "wordlists"]),
    ("doc", &["name", "title", "description", "version", "author", "id", "task", "license", "doc"]),
];

/// One line of a section: how far it is indented, its key and its value.
struct Line<'t> {
    margin: usize,
    key: &'t str,
    value: &'t str,
}

/// `params:` and `  length: 8` below
pub fn section(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let in_brackets = miss.text(first) == "[" && miss.text(first + 2) == "]";
    let word_at = first + usize::from(in_brackets);
    let mark = miss.text(word_at + 1);
    let is_messages = mark == "=" && miss.text(word_at + 3) == "{";
    let is_key = miss.kind(word_at) == Some(Kind::Word)
        && (mark == ":" || in_brackets || mark == "=" && miss.text(word_at + 2) == "{")
        || is_messages;
    if !is_key || miss.found > word_at + 4 + 3 * usize::from(is_messages) {
        return None;
    }
    let word = miss.text(word_at).to_lowercase();
    let (kind, _) = SECTIONS.iter().find(|(_, names)| names.contains(&&*word))?;
    if *kind == "message"
        && let Some(lines) = inline_messages(miss, word_at + 2)
    {
        let title = "messages are statements of their own";
        let error = Diagnostic::error("E149", title, miss.span(word_at), "a list of messages");
        return Some(error.help(format!("write a line for each: `{}`", lines.join("`, `"))));
    }
    let value = miss.line_after(word_at + 1);
    let whole = Span::new(miss.span(first).start, miss.span(miss.tokens.len()).end);
    let text = miss.source.slice(whole);
    let (_, below) = text.split_once('\n').unwrap_or((text, ""));
    if *kind == "doc" && value.contains('(') {
        return None;
    }
    if *kind == "doc" {
        let shown = value.trim_matches(['"', '\'']);
        let title = format!("no statement begins with `{}`", miss.text(word_at));
        let error = Diagnostic::error("E119", title, miss.span(word_at), "unknown word");
        let line = Span::new(whole.start, miss.line_end(word_at));
        let error = error.help(format!("write `/// {shown}`: the first lines say what it is"));
        let is_alone = below.trim().is_empty() && !shown.is_empty();
        return Some(if is_alone { error.fix(line, format!("/// {shown}")) } else { error });
    }
    let is_empty = value.is_empty() || value.starts_with('{') || in_brackets;
    if !is_empty {
        return None;
    }
    let mut lines = Vec::new();
    for line in below.lines().filter(|line| !line.trim().is_empty()) {
        lines.push(read(line)?);
    }
    let written = match *kind {
        "message" => messages(&lines),
        "level" => levels(&lines),
        _ => lines.iter().map(|line| statement(kind, line)).collect::<Option<Vec<_>>>(),
    };
    let title = "a file has no sections: each line is a statement";
    let label = format!("a section `{}`", miss.text(word_at));
    let error = Diagnostic::error("E149", title, miss.span(word_at), label);
    let Some(written) = written.filter(|written| !written.is_empty()) else {
        return Some(error.help(format!("write {}", example(kind))));
    };
    let shown: Vec<String> = written.iter().map(|line| shortened(line)).collect();
    let error = error.help(format!("write a line for each: `{}`", shown.join("`, `")));
    Some(error.fix(whole, written.join("\n")))
}

/// A statement for a help, of which the first line is enough.
fn shortened(line: &str) -> String {
    match line.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => line.to_string(),
    }
}

fn example(kind: &str) -> &'static str {
    match kind {
        "param" => "each on its line: `param length in 1..16 = 8`",
        "level" => "each on its line: `level hard: length = 16`",
        "rule" => "each on its line: `rule odd: n % 2 == 1`",
        "message" => "the texts: `system \"…\"`, `prompt \"…\"` and `reply \"…\"`",
        "words" => "a line for each: `words names = \"names.txt\"`",
        _ => "a line for each: `name ~ pick(vocab)` draws, `name = 2` computes",
    }
}

/// `  length: 8`, `  - length: 8`, `  - n > 0`
fn read(line: &str) -> Option<Line<'_>> {
    let margin = line.len() - line.trim_start().len();
    let text = line.trim();
    let (text, more) = match text.strip_prefix("- ") {
        Some(rest) => (rest.trim_start(), 2),
        None => (text, 0),
    };
    let is_key = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match text.split_once(':').or_else(|| text.split_once(" = ")) {
        Some((key, value)) if is_key(key.trim().trim_matches('"')) => {
            let value = value.trim().trim_end_matches(',');
            Some(Line { margin: margin + more, key: key.trim().trim_matches('"'), value })
        }
        _ => Some(Line { margin: margin + more, key: "", value: text }),
    }
}

fn statement(kind: &str, line: &Line) -> Option<String> {
    let Line { key, value, .. } = line;
    match kind {
        "param" => {
            let (range, default) = range(value)?;
            (!key.is_empty())
                .then(|| format!("param {} in {range} = {default}", key.to_lowercase()))
        }
        "rule" => {
            let value = value.trim_matches('"');
            let name = if key.is_empty() { slug(value)? } else { key.to_lowercase() };
            (!value.is_empty()).then(|| format!("rule {name}: {value}"))
        }
        "words" => {
            let path = value.trim_matches('"');
            (!key.is_empty()).then(|| format!("words {key} = \"{path}\""))
        }
        _ => {
            let draws = value.split_once('(').is_some_and(|(name, _)| {
                matches!(name, "choice" | "randint" | "sample" | "random")
                    || crate::syntax::habit::drawing::draws(name)
            });
            let symbol = if draws { "~" } else { "=" };
            (!key.is_empty() && !value.is_empty()).then(|| format!("{key} {symbol} {value}"))
        }
    }
}

/// A range and a default from `8`, `1..16 = 8`, `[1, 16]`, `{min: 1, max: 16, default: 8}`.
fn range(value: &str) -> Option<(String, String)> {
    let numbers: Vec<&str> = value
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    if value.contains('.') && !value.contains("..") {
        let number: f64 = value.parse().ok()?;
        let high = if number <= 1.0 { "1.0".to_string() } else { format!("{:.1}", 2.0 * number) };
        return Some((format!("0.0..{high}"), value.to_string()));
    }
    match numbers[..] {
        [one] => {
            let number: i64 = one.parse().ok()?;
            let (low, high) = if number == 0 { (0, 8) } else { (1, number.checked_mul(2)?) };
            Some((format!("{low}..{high}"), one.to_string()))
        }
        [low, high] => Some((format!("{low}..{high}"), low.to_string())),
        [low, high, default] => Some((format!("{low}..{high}"), default.to_string())),
        _ => None,
    }
}

/// `hard:` and `  length: 16` below, as `level hard: length = 16`.
fn levels(lines: &[Line]) -> Option<Vec<String>> {
    let margin = lines.first()?.margin;
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        let set = |key: &str, value: &str| format!("{key} = {value}");
        if line.margin <= margin {
            let inside = line.value.trim_matches(['{', '}', ' ']);
            let settings: Vec<String> = inside
                .split(',')
                .filter_map(|one| one.split_once(':').or_else(|| one.split_once('=')))
                .map(|(key, value)| set(key.trim().trim_matches('"'), value.trim()))
                .collect();
            all.push(format!("level {}: {}", slug(line.key)?, settings.join(", ")));
        } else {
            let last = all.last_mut()?;
            let comma = if last.ends_with(": ") { "" } else { ", " };
            *last = format!("{last}{comma}{}", set(line.key, line.value));
        }
    }
    (!all.iter().any(|line| line.ends_with(": "))).then_some(all)
}

/// `- role: user` and `  content: "…"` below
fn messages(lines: &[Line]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut role = None;
    for line in lines {
        match line.key {
            "role" => role = ours(line.value.trim_matches(['"', '\''])),
            "content" | "text" | "value" => {
                let text = line.value.trim_matches(['"', '\'']);
                let is_plain = !text.is_empty() && !text.contains('"') && text != "|";
                all.push(format!("{} \"{text}\"", role.filter(|_| is_plain)?));
            }
            other => {
                let text = line.value.trim_matches(['"', '\'']);
                all.push(format!("{} \"{text}\"", ours(other).filter(|_| !text.contains('"'))?));
            }
        }
    }
    (all.len() > 1).then_some(all)
}

/// `[{"role": "user", "content": "…"}, …]` as `prompt "…"` and so on.
fn inline_messages(miss: &Miss, from: usize) -> Option<Vec<String>> {
    let texts: Vec<&str> = (from..miss.tokens.len())
        .filter(|&at| miss.kind(at) == Some(Kind::TextOpen))
        .map(|at| {
            let close = |at: &usize| miss.kind(*at) == Some(Kind::TextClose);
            let end = (at..miss.tokens.len()).find(close).unwrap_or(at);
            miss.source.slice(miss.span(at).to(miss.span(end)))
        })
        .collect();
    let mut lines = Vec::new();
    for pair in texts.chunks(4) {
        let [role, who, content, text] = pair else { return None };
        if *role != "\"role\"" || *content != "\"content\"" {
            return None;
        }
        lines.push(format!("{} {text}", ours(who.trim_matches('"'))?));
    }
    (!lines.is_empty()).then_some(lines)
}

fn ours(role: &str) -> Option<&'static str> {
    Some(match role {
        "system" | "developer" => "system",
        "user" | "human" | "prompt" => "prompt",
        "assistant" | "model" | "gpt" | "reply" | "bot" => "reply",
        _ => return None,
    })
}

/// `---` and `key: value` lines, `{ "prompt": "…" }`, `<prompt>`, at the start of a file
pub fn head(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    if miss.found > first + 4 || !miss.starts_line(first) {
        return None;
    }
    let error =
        |title: &str, place: Span, label: &str| Diagnostic::error("E149", title, place, label);
    match miss.text(first) {
        "-" if miss.text(first + 1) == "-" && miss.text(first + 2) == "-" => {
            let place = miss.span(first).to(miss.span(first + 2));
            let (start, end) = miss.lines_of(place);
            let rest = &miss.source.text[end..];
            let until = rest.find("\n---").map(|at| &rest[..at]);
            let title = "a file has no head between `---`";
            let error = error(title, place, "no statement begins so");
            let help = "delete the line; what it says goes into `/// …` lines and `param` lines";
            let Some(inside) = until.filter(|inside| inside.len() < 2000) else {
                return Some(error.help(help).fix(Span::new(start, end), ""));
            };
            let value = |line: &str| Some(line.split_once(": ")?.1.trim_matches('"').to_string());
            let shown = inside.lines().find_map(value).unwrap_or_else(|| "what it is".to_string());
            Some(
                error.help(format!(
                    "write `/// {shown}` in place of the lines up to the next `---`"
                )),
            )
        }
        "{" if matches!(miss.text(first + 1), "%" | "{") => {
            Some(error("a file has no tags of Jinja", miss.span(first), "a tag").help(
                "bind values on lines of their own, `name = for x in xs: x`, and show them in \
                       a text: `prompt \"{name}\"`",
            ))
        }
        "{" => Some(
            error("a file is no object: each line is a statement", miss.span(first), "a brace")
                .help(
                    "write the texts alone: `prompt \"…\"`, `reply \"…\"`, and a line a value: \
                       `name ~ pick(vocab)`",
                ),
        ),
        "<" if miss.kind(first + 1) == Some(Kind::Word) || miss.text(first + 1) == "/" => {
            let word = miss.text(first + 1).to_string();
            let ours = ours(&word).unwrap_or("prompt");
            Some(error("a text has no tags around it", miss.span(first), "a tag").help(format!(
                "write `{ours} \"\"\"`, and `\"\"\"` on a line of its own after the text"
            )))
        }
        _ => None,
    }
}

/// `Prompt: "…"`, `REPLY "…"`, `Rule odd: …`: a statement with a capital letter.
pub fn capital(miss: &Miss) -> Option<Diagnostic> {
    const WORDS: [&str; 9] =
        ["use", "words", "param", "level", "rule", "system", "prompt", "reply", "fn"];
    let first = miss.first();
    let word = miss.text(first);
    let small = word.to_lowercase();
    if word == small || !WORDS.contains(&&*small) || miss.found > first + 1 {
        return None;
    }
    if !matches!(miss.kind(first + 1), Some(Kind::Word | Kind::TextOpen))
        && miss.text(first + 1) != ":"
    {
        return None;
    }
    let mut end = first;
    let is_text = matches!(&*small, "prompt" | "reply" | "system");
    if is_text && miss.text(first + 1) == ":" {
        end += 1;
    }
    let place = miss.span(first).to(miss.span(end));
    let line = miss.line_after(end);
    let shown = match is_text && !line.starts_with('"') && !line.is_empty() {
        true => format!("{small} \"{line}\""),
        false if line.is_empty() => small.clone(),
        false => format!("{small} {line}"),
    };
    let error = Diagnostic::error("E115", "keywords are lowercase", place, "no keyword");
    let error = error.help(format!("write `{}`", shortened(&shown)));
    Some(match shown.contains(&format!("\"{line}\"")) && !line.is_empty() {
        true => error.fix(place.to(Span::new(miss.line_end(end), miss.line_end(end))), shown),
        false => error.fix(place, small),
    })
}

//! Errors of blocks that another language would run: functions, loops, choices, prints.

use super::choices;
use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::habit;
use crate::syntax::tokens::{Kind, is_keyword};

/// The words that begin a block in other languages, whose lines belong to it.
pub const BLOCKS: [&str; 14] = [
    "def", "function", "func", "fun", "class", "while", "for", "if", "try", "with", "match",
    "switch", "struct", "loop",
];

/// `def double(n):` and `return 2 * n` on the next line
pub fn function(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    let name = miss.text(first + 1);
    if !matches!(word, "def" | "function" | "func" | "fun" | "fn")
        || miss.kind(first + 1) != Some(Kind::Word)
        || is_keyword(name)
    {
        return None;
    }
    let open = after_generics(miss, first + 2);
    if miss.text(open) != "(" {
        return None;
    }
    let (params, mut at, mut is_sure) = parameters(miss, open + 1)?;
    let mut result = "Int".to_string();
    let mut has_result = false;
    if matches!(miss.text(at), "->" | ":")
        && !miss.starts_line(at + 1)
        && let Some((text, after)) = kind(miss, at + 1)
    {
        (result, at, has_result) = (text, after, true);
    }
    let opening = miss.text(at);
    // Of our own functions only those are reported here that are not written in our way.
    let said = format!("{params}{result}");
    let written = miss.source.slice(miss.span(open + 1).to(miss.span(at - 1)));
    let are_ours = written
        .split(|letter: char| !letter.is_alphanumeric())
        .all(|word| !word.starts_with(|first: char| first.is_lowercase()) || said.contains(word));
    let binds = matches!(miss.text(at + 2), "=" | "~") || miss.text(at + 1) == "return";
    let is_ours = word == "fn"
        && open == first + 2
        && (has_result && is_sure && are_ours)
        && (opening == "=" || (opening == "{" && (binds || miss.starts_line(at + 1))));
    if is_ours || !matches!(opening, ":" | "{" | "=>" | "=" | "") {
        return None;
    }
    let error = match word == "fn" && has_result && is_sure && are_ours && opening == "{" {
        true => Diagnostic::error("E146", "`return` is missing", miss.span(at), "of this block"),
        false => strange_function(miss, first, has_result),
    };
    is_sure &= has_result;
    at += 1;
    if miss.text(at) == "return" {
        at += 1;
    }
    let head = format!("fn {name}({params}) -> {result} = ");
    let Some((body, after)) = habit::blocks::body(miss.source, &miss.tokens, at) else {
        return Some(error.help(format!("write `{head}…`, with its own types")));
    };
    let mut end = after;
    while matches!(miss.text(end), ";" | "}") && opening == "{" {
        end += 1;
    }
    let written = match body.starts_with("{\n") {
        true => format!("{}{body}", head.trim_end_matches("= ")),
        false => format!("{head}{body}"),
    };
    let types = if is_sure { "" } else { ", with its own types" };
    let shown = written.replace('\n', " ");
    let error = error.help(format!("write `{shown}`{types}"));
    if end < miss.tokens.len() && !miss.starts_line(end) {
        return Some(error);
    }
    let whole = miss.span(first).to(miss.span(end - 1));
    Some(error.fix(whole, written))
}

/// What is strange about a function, without its help.
fn strange_function(miss: &Miss, first: usize, has_result: bool) -> Diagnostic {
    let word = miss.text(first);
    let title = match word {
        "fn" => "a function declares the types of its values and of its result".to_string(),
        _ => format!("no statement begins with `{word}`"),
    };
    let code = match word {
        "fn" if has_result => "E123",
        "fn" => "E145",
        _ => "E119",
    };
    let label = if word == "fn" { "not all types are here" } else { "functions begin with `fn`" };
    Diagnostic::error(code, title, miss.span(first), label)
}

/// The token after `<T: Copy>`, if it is there.
fn after_generics(miss: &Miss, at: usize) -> usize {
    if miss.text(at) != "<" && miss.text(at) != "[" {
        return at;
    }
    let close = (at..miss.tokens.len()).find(|&at| matches!(miss.text(at), ">" | "]" | "("));
    close.filter(|&at| miss.text(at) != "(").map_or(at, |close| close + 1)
}

/// `n, xs: list)` as `n: Int, xs: [T]`, the token after, and whether all types were said.
fn parameters(miss: &Miss, from: usize) -> Option<(String, usize, bool)> {
    let (mut at, mut all, mut is_sure) = (from, Vec::new(), true);
    while miss.text(at) != ")" {
        let name = miss.text(at);
        if miss.kind(at)? != Kind::Word || is_keyword(name) {
            return None;
        }
        at += 1;
        let text = match miss.text(at) {
            ":" => {
                let (text, after) = kind(miss, at + 1)?;
                at = after;
                text
            }
            _ => {
                is_sure = false;
                let is_list = name.ends_with('s') || name.contains("list");
                if is_list { "[T]".to_string() } else { "Int".to_string() }
            }
        };
        all.push(format!("{name}: {text}"));
        match miss.text(at) {
            "," => at += 1,
            ")" => {}
            _ => return None,
        }
    }
    Some((all.join(", "), at + 1, is_sure))
}

/// A type of ours or of another language, and the token after it.
fn kind(miss: &Miss, at: usize) -> Option<(String, usize)> {
    if miss.text(at) == "&" {
        return kind(miss, at + 1);
    }
    if miss.text(at) == "[" {
        let (inner, after) = kind(miss, at + 1)?;
        return (miss.text(after) == "]").then(|| (format!("[{inner}]"), after + 1));
    }
    let name = match miss.text(at) {
        "int" | "i32" | "i64" | "u32" | "u64" | "usize" | "Int" | "number" => "Int",
        "float" | "f32" | "f64" | "double" | "Real" => "Real",
        "bool" | "boolean" | "Bool" => "Bool",
        "str" | "string" | "String" | "Text" => "Text",
        "Token" => "Token",
        "list" | "List" | "Vec" | "Sequence" if matches!(miss.text(at + 1), "[" | "<") => {
            let (inner, after) = kind(miss, at + 2)?;
            return matches!(miss.text(after), "]" | ">")
                .then(|| (format!("[{inner}]"), after + 1));
        }
        "list" | "List" => "[T]",
        one if one.len() == 1 && one.bytes().all(|byte| byte.is_ascii_uppercase()) => one,
        _ => return None,
    };
    Some((name.to_string(), at + 1))
}

/// `for x in xs:` and lines below, `while c:`, `class A:`, `try:`
pub fn block(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    let next = miss.kind(first + 1);
    let is_bound = matches!(miss.text(first + 1), "=" | "~");
    if miss.kind(first) != Some(Kind::Word) || is_bound || miss.found < first {
        return None;
    }
    let (title, help) = match word {
        "for" => ("a loop is a value, not a statement", repeated(miss, first)?),
        "if" => return choices::statement(miss, first),
        "while" | "loop" if (first..miss.tokens.len()).any(|at| miss.text(at) == "~") => (
            "a draw is made once",
            "draw from those that fit: write `x ~ pick(for x in 1..9 where x != 5: x)`".to_string(),
        ),
        "while" | "loop" if next.is_some() => (
            "every loop runs over a list",
            "write `name = for i in 1..n: …`, or `name = fold total = 0 over i in 1..n: total + i`"
                .to_string(),
        ),
        "class" | "struct" | "interface" | "enum" if next == Some(Kind::Word) => (
            "a file is one template, without classes",
            "write a line for each value, `name = …` or `name ~ …`, and lists for many".to_string(),
        ),
        "try" | "raise" | "throw" | "except" if miss.found <= first + 2 => (
            "nothing is tried: what cannot be made is an error of the template",
            "write the condition: `name = if size(xs) > 0 then at(0, xs) else 0`".to_string(),
        ),
        "match" | "switch" if next.is_some() => (
            "a choice is written with `if`",
            "write `name = if x == 1 then a else if x == 2 then b else c`".to_string(),
        ),
        "with" if next.is_some() => (
            "a statement stands alone",
            "write `words names = \"names.txt\"` to bring words from a file".to_string(),
        ),
        _ => return None,
    };
    Some(Diagnostic::error("E149", title, miss.span(first), "no statement here").help(help))
}

/// What to write for `for x in xs:` and `ys.append(x)`, or `total += x`, or another line.
fn repeated(miss: &Miss, first: usize) -> Option<String> {
    if let Some(bound) = habit::blocks::looped(miss.source, &miss.tokens, first) {
        let before = match bound.start {
            Some(start) => format!(", and no `{} = {start}` before", bound.name),
            None => String::new(),
        };
        return Some(format!("write `{}`{before}", bound.line));
    }
    let item = miss.text(first + 1);
    let shows = |at: usize| {
        matches!(miss.text(at), "print" | "println" | "console" | "echo") && miss.starts_line(at)
    };
    if (first..miss.tokens.len()).any(shows) {
        let help = "show the list in a text: `prompt \"{xs}\"` in a row, `{join(\"\\n\", xs)}` a \
                    line each, `{numbered(xs)}` with numbers";
        return Some(help.to_string());
    }
    if miss.kind(first + 1) != Some(Kind::Word) || miss.text(first + 2) != "in" {
        return Some("write `name = for x in xs: …`, with a value for each".to_string());
    }
    let (list, mut at) = habit::said(miss.source, &miss.tokens, first + 3)?;
    if !matches!(miss.text(at), ":" | "{") {
        return None;
    }
    at += 1;
    let head = format!("for {item} in {list}");
    let is_binding = matches!(miss.text(at + 1), "=" | "~");
    let value = habit::said(miss.source, &miss.tokens, at).filter(|_| !is_binding);
    Some(match value {
        Some((value, _)) if !value.starts_with("print(") => {
            format!("give it a name: `name = {head}: {value}`")
        }
        _ => format!("write `name = {head}: …`, with the value of each"),
    })
}

/// `print(answer)`, `return answer`, `pass`, `assert a == b`
pub fn command(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    if matches!(miss.text(first + 1), "=" | "~") || miss.found > first + 3 {
        return None;
    }
    let title = format!("no statement begins with `{word}`");
    let error = Diagnostic::error("E119", title, miss.span(first), "unknown word");
    let has_reply = miss.source.text.lines().any(|line| line.starts_with("reply"));
    match word {
        "pass" | "break" | "continue" => {
            let (start, end) = miss.lines_of(miss.span(first));
            Some(error.help("delete this line").fix(Span::new(start, end), ""))
        }
        "print" | "println" | "echo" | "output" | "yield" | "return" => {
            let open = usize::from(matches!(miss.text(first + 1), "(" | "!"));
            let open = open + usize::from(miss.text(first + 2) == "(" && word == "println");
            let from = first + 1 + open;
            let is_prefixed = matches!(miss.text(from), "f" | "F" | "r" | "b")
                && miss.kind(from + 1) == Some(Kind::TextOpen);
            let (value, at) = match is_prefixed {
                true => {
                    let close = |at: &usize| miss.kind(*at) == Some(Kind::TextClose);
                    let end = (from..miss.tokens.len()).rev().find(close)?;
                    let text = miss.span(from + 1).to(miss.span(end));
                    (miss.source.slice(text).to_string(), end + 1)
                }
                false => habit::said(miss.source, &miss.tokens, from)?,
            };
            let text = match value.starts_with('"') {
                true => value,
                false => format!("\"{{{value}}}\""),
            };
            let error = error.help(format!("write `reply {text}`, or `prompt {text}`"));
            let end = at + usize::from(miss.text(at) == ")");
            Some(match has_reply {
                true => error,
                false => {
                    let whole = miss.span(first).to(miss.span(end - 1));
                    error.fix(whole, format!("reply {text}"))
                }
            })
        }
        "assert" | "require" | "ensure" | "check" => {
            let (value, at) = habit::said(miss.source, &miss.tokens, first + 1)?;
            let line = format!("rule {}: {value}", miss.unused("holds"));
            let is_message = miss.text(at) == "," && miss.kind(at + 1) == Some(Kind::TextOpen);
            let at = if is_message { miss.tokens.len() } else { at };
            let whole = miss.span(first).to(miss.span(at - 1));
            Some(error.help(format!("write `{line}`")).fix(whole, line))
        }
        _ => None,
    }
}

/// `rule a == b`, `rule: a == b`
pub fn nameless_rule(miss: &Miss) -> Option<Diagnostic> {
    let start = miss.statement();
    if miss.text(start) != "rule" || miss.found > start + 2 {
        return None;
    }
    let after = usize::from(miss.text(start + 1) == ":");
    let is_named = miss.kind(start + 1) == Some(Kind::Word)
        && matches!(miss.text(start + 2), ":" | "=" | "~" | "{" | "=>" | "->" | "");
    let begins = after == 1
        || miss.kind(start + 2) == Some(Kind::Symbol)
        || matches!(miss.text(start + 2), "(" | "in" | "within" | "and" | "or");
    if is_named || !begins {
        return None;
    }
    let (value, at) = habit::said(miss.source, &miss.tokens, start + 1 + after)?;
    let name = miss.unused("holds");
    let line = format!("rule {name}: {value}");
    let whole = miss.span(start).to(miss.span(at - 1));
    let label = "a name was expected after `rule`";
    let error = Diagnostic::error("E121", "this rule has no name", miss.span(start + 1), label);
    Some(error.help(format!("write `{line}`, with a name of your own")).fix(whole, line))
}

impl Miss<'_> {
    /// The name, or one like it, that the text does not hold.
    pub fn unused(&self, name: &str) -> String {
        let letters = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
        match self.source.text.split(letters).any(|word| word == name) {
            true => self.free(name),
            false => name.to_string(),
        }
    }
}

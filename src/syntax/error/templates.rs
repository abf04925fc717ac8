//! Errors of texts as Jinja, YAML and Python's format strings would write them.

use super::letters;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::syntax::habit;
use crate::syntax::tokens::extent::{self, body, tag};
use crate::syntax::tokens::scan;

/// `{% for x in xs %}…{% endfor %}`, `{# text #}`
pub fn jinja(source: &Source, at: usize) -> Option<Diagnostic> {
    let rest = &source.text[at..];
    if let Some(inside) = rest.strip_prefix("{#") {
        let is_closed = inside.contains("#}");
        let place = Span::new(at, at + extent::jinja(rest)?);
        let title = "a text has no comments";
        let error = Diagnostic::error("E150", title, place, "all of a text is shown");
        let error = error.help("delete it, or write `// …` above").fix(place, "");
        return Some(error.sure_if(is_closed));
    }
    let (tag, length) = tag(rest)?;
    let (word, said) = tag.split_once(' ').unwrap_or((tag, ""));
    let said = said.trim();
    let place = Span::new(at, at + length);
    let title = "a text has no statements, only placeholders";
    let error = Diagnostic::error("E150", title, place, "a statement of Jinja");
    let end = match word {
        "for" => "endfor",
        "if" => "endif",
        "set" => {
            let help = format!("write `{said}` on a line of its own above, and delete this");
            return Some(error.help(help));
        }
        _ => return Some(error.help("delete this").fix(place, "")),
    };
    let Some((body, whole)) = body(&rest[length..], word, end) else {
        return Some(error.help("write `{join(\", \", xs)}` to show a list"));
    };
    let whole = length + whole;
    let written = match word {
        "for" => rows(body, said),
        _ => chosen(body, said),
    };
    Some(match written {
        Some(text) => {
            let error = error.help(format!("write `{}`", text.replace('\n', "\\n")));
            error.fix(Span::new(at, at + whole), text)
        }
        None => {
            let help = match word {
                "for" => format!(
                    "compute the rows above and show them: `{{lines(\"{{keys}}: {{values}}\")}}`, or \
                     `{{join(\"\\n\", {})}}`",
                    said.rsplit(' ').next().unwrap_or("rows")
                ),
                _ => format!("write `shown = if {said} then … else …` above, and `{{shown}}` here"),
            };
            error.help(help)
        }
    })
}

/// One line for each element: the text between two elements is what joins them.
fn rows(body: &str, head: &str) -> Option<String> {
    let (item, list) = head.split_once(" in ")?;
    let line = body.trim().replace("{{ ", "{").replace(" }}", "}");
    let placeholder = format!("{{{}}}", item.trim());
    if line == format!("{{loop.index}}. {placeholder}") {
        return Some(format!("{{numbered({list})}}"));
    }
    let (before, after) = line.split_once(&placeholder)?;
    let plain = |text: &str| !text.contains(['{', '}', '\n', '"', '\\']);
    if !plain(before)
        || !plain(after)
        || !list.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return None;
    }
    let break_ = if body.contains('\n') { "\\n" } else { "" };
    Some(format!("{before}{{join(\"{after}{break_}{before}\", {list})}}{after}"))
}

/// `{if c then "a" else "b"}`
fn chosen(body: &str, condition: &str) -> Option<String> {
    let tag_at = body.find("{%");
    let (yes, no) = match tag_at {
        None => (body, ""),
        Some(at) => {
            let (inside, length) = tag(&body[at..])?;
            let rest = &body[at + length..];
            (inside == "else" && !rest.contains("{%")).then_some((&body[..at], rest))?
        }
    };
    let plain = |text: &str| !text.contains(['{', '}', '\n', '"', '\\']);
    let own = Source::new("", condition);
    let (tokens, errors) = scan(&own, 0);
    let (condition, _) = habit::said(&own, &tokens, 0).filter(|_| errors.is_empty())?;
    (plain(yes) && plain(no)).then(|| format!("{{if {condition} then \"{yes}\" else \"{no}\"}}"))
}

/// `prompt: |` and indented lines below, by where the word ends.
pub fn yaml(source: &Source, word_end: usize) -> Option<Diagnostic> {
    let extent::Yaml { head, mark, text, margin, length } = extent::yaml(source, word_end)?;
    let symbol = Span::new(word_end, word_end + head.trim_end().len());
    let after = word_end + length;
    let folds = mark.starts_with('>');
    let label = "the text comes right after the word";
    let word = source.text[..word_end].rsplit(['\n', ' ']).next().unwrap_or("prompt");
    let title = format!("a text was expected after `{word}`");
    let error = Diagnostic::error("E124", title, symbol, label)
        .and(Span::new(after, after), "the text ends here")
        .help(format!("write `{word} \"\"\"`, and `\"\"\"` on a line of its own after the text"));
    if folds {
        let text = folded(text, margin);
        let whole = Span::new(word_end, after);
        let error = error.fix(whole, format!(" \"\"\"\n{text}\n{margin}\"\"\""));
        return Some(error);
    }
    let error = error
        .fix(symbol, " \"\"\"")
        .fix(Span::new(after, after), format!("\n{margin}\"\"\""))
        // `{{ x }}` is a placeholder of Jinja.
        .sure_if(!mark.is_empty() && !text.contains("{{"));
    Some(error)
}

/// The lines of a text after YAML's `>`: those side by side are one, an empty one is a break.
fn folded(text: &str, margin: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let line = line.trim();
        match lines.last_mut() {
            Some(last) if is_open && !line.is_empty() => *last = format!("{last} {line}"),
            _ if line.is_empty() => {
                if !is_open {
                    lines.push(String::new());
                }
            }
            _ => lines.push(format!("{margin}{line}")),
        }
        is_open = !line.is_empty();
    }
    lines.join("\n")
}

/// Does each line of a text between three quotes mean the same between ours?
fn is_plain_block(source: &Source, at: usize, length: usize) -> bool {
    let inside = &source.text[at + 3..at + length - 3];
    let is_prefixed = source.text[..at].ends_with(|letter: char| letter.is_alphanumeric());
    inside.lines().all(|line| letters::is_plain(&line.replace('"', ""))) && !is_prefixed
}

/// `{x:.2f}` in a placeholder, from its colon on.
pub fn format(source: &Source, open: usize, colon: usize) -> Option<Diagnostic> {
    let place = Span::new(colon, colon + extent::format(source, open, colon)?);
    let title = "a placeholder shows a value as it is";
    let error = Diagnostic::error("E148", title, place, "a placeholder has no format");
    let help = format!("write `{{{}}}`", source.text[open + 1..colon].trim());
    Some(error.help(help).fix(place, ""))
}

/// `'''text'''`: the same between `"""`.
pub fn triple(source: &Source, at: usize) -> Option<Diagnostic> {
    let rest = &source.text[at..];
    let length = extent::triple(rest)?;
    let (open, close) = (Span::new(at, at + 3), Span::new(at + length - 3, at + length));
    let error = Diagnostic::error("E110", "a text is between `\"`", open, "these quotes")
        .and(close, "and these")
        .help("write `\"\"\"` at both ends, each on a line of its own")
        .fix(open, "\"\"\"")
        .fix(close, "\"\"\"")
        .sure_if(rest.starts_with("'''") && is_plain_block(source, at, length));
    Some(error)
}

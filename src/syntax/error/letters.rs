//! Errors of letters: what no `.cook` file holds, and texts that are not closed.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::syntax::tokens::extent::{is_hidden, turns_text};

/// A letter that means nothing anywhere, or that is invisible.
pub fn strange(span: Span, letter: char) -> Diagnostic {
    let number = u32::from(letter);
    if letter == '\r' {
        // Editors show a line's end here; without one the next line would join this one.
        let title = "a carriage return that ends no line";
        return Diagnostic::error("E102", title, span, "U+000D without a line break after it")
            .help("write a line break instead")
            .fix(span, "\n")
            .sure();
    }
    if letter.is_control() {
        return Diagnostic::error("E102", "a control character", span, format!("U+{number:04X}"))
            .help("delete it; in a text write `\\n` for a line break and `\\t` for a tab")
            .fix(span, "");
    }
    if turns_text(letter) {
        let title = "an invisible character that turns text around";
        return Diagnostic::error("E102", title, span, format!("U+{number:04X}"))
            .help("delete it: text from right to left needs none")
            .fix(span, "");
    }
    let name = format!("U+{number:04X}");
    if let Some((_, ours)) = SIGNS.iter().find(|(symbol, _)| *symbol == letter) {
        let title = format!("`{letter}` is no symbol of this language");
        return Diagnostic::error("E101", title, span, name)
            .help(format!("write `{}`", ours.trim()))
            .fix(span, *ours);
    }
    match letter.is_whitespace() || number == 0xFEFF || number == 0x200B {
        true => Diagnostic::error("E101", "this looks like a plain space and is none", span, name)
            .help("write a plain space")
            .fix(span, " ")
            .sure(),
        false => Diagnostic::error("E101", "an unknown character", span, name)
            .help(format!("delete `{letter}`, or write it in a text: `\"{letter}\"`")),
    }
}

/// Symbols of mathematics and of typography, and what is written for them.
const SIGNS: [(char, &str); 27] = [
    ('≥', ">="),
    ('≤', "<="),
    ('⩾', ">="),
    ('⩽', "<="),
    ('≠', "!="),
    ('≡', "=="),
    ('×', "*"),
    ('·', "*"),
    ('∙', "*"),
    ('⋅', "*"),
    ('÷', "/"),
    ('∕', "/"),
    ('−', "-"),
    ('–', "-"),
    ('—', "-"),
    ('∈', " in "),
    ('∧', " and "),
    ('∨', " or "),
    ('¬', "not "),
    ('…', ".."),
    ('→', "->"),
    ('⇒', "->"),
    ('←', "="),
    ('∼', "~"),
    ('∀', "all "),
    ('∃', "any "),
    ('∣', "|"),
];

/// `größe ~ …`
pub fn foreign_name(source: &Source, span: Span) -> Diagnostic {
    let name = source.slice(span);
    let title = format!("`{name}` holds a letter that no name has");
    Diagnostic::error("E101", title, span, "not all of this is a-z, 0-9 or _")
        .help("write names with a-z, 0-9 and _, such as `size_of_a`")
}

/// `12abc`, `1_000`, `1e5`
pub fn malformed_number(source: &Source, span: Span) -> Diagnostic {
    let text = source.slice(span);
    let error = Diagnostic::error("E112", "not a number", span, "this begins as a number does");
    let digits: String = text.chars().filter(|letter| *letter != '_').collect();
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return error.help(format!("write `{digits}`: digits only")).fix(span, digits).sure();
    }
    if let Some(value) = text.strip_prefix("0x").and_then(|hex| i64::from_str_radix(hex, 16).ok()) {
        let help = format!("write `{value}`: digits only");
        return error.help(help).fix(span, value.to_string()).sure();
    }
    let name = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number = &text[..text.len() - name.len()];
    let is_product = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && !name.is_empty()
        && source.text.contains(&format!("{name} "));
    if is_product {
        let product = format!("{number} * {name}");
        return error.help(format!("write `{product}`")).fix(span, product);
    }
    match text.parse::<f64>() {
        // `1e5` is a Real elsewhere, and divides as one.
        Ok(value) if value.fract() == 0.0 && value < 1e15 => {
            error.help(format!("write `{value}`: digits only")).fix(span, value.to_string())
        }
        _ => error.help("write digits only, such as `10` or `0.5`; a name begins with a letter"),
    }
}

/// `'text'`
pub fn foreign_quotes(source: &Source, span: Span, closed: bool) -> Diagnostic {
    let error = Diagnostic::error("E110", "a text is between `\"`", span, "these quotes");
    if !closed {
        return error.help("write `\"` at both ends: \"text\"");
    }
    let mut inside = source.slice(span).chars();
    inside.next();
    inside.next_back();
    let is_plain = is_plain(inside.as_str()) && stands_alone(source, span);
    // YAML doubles a quote in a text.
    let before = source.text[..span.start].trim_end_matches(['r', 'R']);
    let is_raw = before.len() + 1 == span.start
        && !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    let inside = match is_raw {
        true => inside.as_str().replace('\\', "\\\\"),
        false => inside.as_str().to_string(),
    };
    let inside = inside.replace("\\'", "'").replace("''", "'").replace("${", "{");
    let text = format!("\"{}\"", inside.replace('"', "\\\""));
    error.help(format!("write `{text}`")).fix(span, text).sure_if(is_plain)
}

/// Does a text hold only what means itself between any quotes, and placeholders of one name?
/// Escapes and doubled braces mean one thing in one language and another in the next.
pub fn is_plain(text: &str) -> bool {
    let mut pieces = text.split('{');
    let is_free = |text: &str| !text.contains(['}', '\\', '"', '$', '\'', '%', '\n']);
    let is_placeholder = |piece: &str| {
        piece.split_once('}').is_some_and(|(name, rest)| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
            !name.is_empty() && name.bytes().all(letters) && is_free(rest)
        })
    };
    pieces.next().is_none_or(is_free) && pieces.all(is_placeholder)
}

/// Do neither letters nor quotes touch it? `r'…'` is no plain text, nor is `'it''s'` two of them.
fn stands_alone(source: &Source, span: Span) -> bool {
    let touches = |letter: char| letter.is_alphanumeric() || matches!(letter, '\'' | '"' | '`');
    !source.text[..span.start].ends_with(touches) && !source.text[span.end..].starts_with(touches)
}

/// `# text`
pub fn foreign_comment(source: &Source, at: usize) -> Diagnostic {
    let symbol = Span::new(at, at + 1);
    let error =
        Diagnostic::error("E111", "a comment begins with `//`", symbol, "this begins no comment");
    let before = &source.text[..at];
    let line = before.rsplit('\n').next().unwrap_or("").trim_start();
    let in_text = ["prompt", "reply", "system"].iter().any(|word| line.starts_with(word));
    // `r#"text"#` of Rust, and a text without quotes.
    if before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '"')
        || source.text[at + 1..].starts_with('"')
        || (in_text && !line.contains(['"', '\'', '`']))
    {
        return error.help("write the text between quotes: `\"…\"`; a comment begins with `//`");
    }
    error.help("write `//`").fix(symbol, "//").sure()
}

/// `x = "text`
pub fn unclosed_text(source: &Source, open: usize) -> Diagnostic {
    let end = line_end(source, open);
    let below = &source.text[end..];
    let later = below.lines().skip(1).take(12).position(|line| line.trim_end().ends_with('"'));
    let lines: Vec<&str> = below.lines().skip(1).take(later.map_or(0, |at| at + 1)).collect();
    let is_one = lines.iter().rev().skip(1).all(|line| !line.contains('"'))
        && lines.last().is_some_and(|line| line.matches('"').count() == 1);
    if is_one {
        let place = Span::new(open, open + 1);
        let help =
            "write `\"\"\"`, the lines of the text below it, and `\"\"\"` on a line of its own";
        return Diagnostic::error("E103", "a text in one pair of quotes is one line", place, {
            "opened here"
        })
        .help(help);
    }
    Diagnostic::error("E103", "this text is not closed", Span::new(open, open + 1), "opened here")
        .and(Span::new(end, end), "`\"` was expected before the end of the line")
        .help("write `\"` at the end of the text, or `\"\"\"` for a text of several lines")
        .fix(Span::new(end, end), "\"")
        .sure_if(ends_on_its_line(source, open, end))
}

/// `prompt """` with no `"""` after it.
pub fn unclosed_block(source: &Source, open: usize) -> Diagnostic {
    let end = line_end(source, open);
    let after = text_end(source, end);
    let first = source.text[end..after].lines().find(|line| !line.trim().is_empty());
    let margin = first.map_or("  ", |line| &line[..line.len() - line.trim_start().len()]);
    Diagnostic::error("E104", "this text is not closed", Span::new(open, open + 3), "opened here")
        .and(Span::new(end, end), "no `\"\"\"` follows on a line of its own")
        .help("write `\"\"\"` on a line of its own after the text")
        .fix(Span::new(after, after), format!("\n{margin}\"\"\""))
        // An indented text ends where a statement begins at the margin, or with the file.
        .sure_if(first.is_some() && !margin.is_empty() && begins_statement(&source.text[after..]))
}

/// `prompt "text`: the text of a statement that has nothing else on its line. It may be one of
/// several lines; then its end is a quote further down.
fn ends_on_its_line(source: &Source, open: usize, end: usize) -> bool {
    let before = &source.text[..open];
    let line = before[before.rfind('\n').map_or(0, |at| at + 1)..].trim();
    let inside = &source.text[open + 1..end];
    matches!(line, "prompt" | "reply" | "system")
        && is_plain(inside)
        && !inside.contains("//")
        && !inside.contains('#')
        && source.text[end..].matches('"').count().is_multiple_of(2)
}

/// Does the first line that is not empty begin as a statement does?
fn begins_statement(text: &str) -> bool {
    let Some(line) = text.lines().find(|line| !line.trim().is_empty()) else { return true };
    let mut words = line.split_whitespace();
    let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    line.starts_with(first)
        && (first.starts_with("//")
            || (matches!(first, "prompt" | "reply" | "system") && second.starts_with('"'))
            || (matches!(first, "rule" | "level") && second.ends_with(':'))
            || (matches!(second, "=" | "~") && first.bytes().all(is_name)))
}

/// Where a text probably ends that is not closed: after its last line that is not empty, before
/// the first line that begins where statements do.
fn text_end(source: &Source, from: usize) -> usize {
    let (mut at, mut end) = (from, from);
    for line in source.text[from..].split_inclusive('\n') {
        if at > from && line.starts_with(|letter: char| !letter.is_whitespace()) {
            break;
        }
        if !line.trim().is_empty() {
            end = at + line.trim_end().len();
        }
        at += line.len();
    }
    end
}

/// `"{answer"`, or a line of JSON in a prompt.
pub fn unclosed_hole(source: &Source, open: usize) -> Diagnostic {
    let brace = Span::new(open, open + 1);
    let rest = Span::new(open + 1, line_end(source, open));
    let inside = source.slice(rest);
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
    let length = inside.find(|other| !letter(other)).unwrap_or(inside.len());
    let error = Diagnostic::error(
        "E105",
        "this placeholder is not closed",
        brace,
        "`{` opens a placeholder",
    );
    if length == 0 {
        return error.help("write `{{` to show a brace").fix(brace, "{{");
    }
    let end = open + 1 + length;
    if let Some(condition) = inside.strip_prefix("if ") {
        return error.help(super::choices::shown(condition.trim_end_matches([' ', '{', ':'])));
    }
    if inside[length..].starts_with(['(', '[', ' ']) {
        return error.help("write the complete placeholder on one line: `{value}`");
    }
    error
        .and(Span::new(end, end), "`}` was expected on this line")
        .help(format!("write `{{{}}}`; to show a brace write `{{{{`", &inside[..length]))
        .fix(Span::new(end, end), "}")
        // With text after it, the rest may be meant to be shown, braces and all.
        .sure_if(matches!(inside[length..].trim_end(), "" | "\""))
}

/// Texts in placeholders in texts.
pub fn holes_too_deep(brace: Span) -> Diagnostic {
    Diagnostic::error("E117", "nested too deep", brace, "one placeholder too many")
        .help("compute the value before, on a line of its own: `name = …`")
}

/// `}` in a text.
pub fn lone_brace(at: usize) -> Diagnostic {
    let brace = Span::new(at, at + 1);
    Diagnostic::error("E106", "this `}` closes no placeholder", brace, "no `{` is open here")
        .help("write `}}` to show a brace")
        .fix(brace, "}}")
}

/// `"C:\new"`
pub fn unknown_escape(source: &Source, span: Span) -> Diagnostic {
    let found = source.slice(span).trim_end();
    let title = format!("`{found}` is no escape");
    let error = Diagnostic::error("E107", title, span, "unknown escape");
    if let Some(meant) = escaped(&source.text[span.start + 1..]) {
        let whole = Span::new(span.start, span.start + 1 + meant.length);
        let help = match &*meant.text {
            "" => "delete it: a line break is `\\n` alone".to_string(),
            text => format!("write `{text}`"),
        };
        return error.help(help).fix(whole, meant.text).sure_if(meant.is_sure);
    }
    error
        .help("write `\\\\` for a backslash; the others are `\\n`, `\\t` and `\\\"`")
        .fix(Span::new(span.start, span.start + 1), "\\\\")
}

/// What an escape of other languages shows.
struct Escaped {
    /// How many bytes it has after the backslash.
    length: usize,
    text: String,
    is_sure: bool,
}

/// `'`, `u2026`, `x41`, `{` after a backslash.
fn escaped(rest: &str) -> Option<Escaped> {
    let one = |text: &str, is_sure| Some(Escaped { length: 1, text: text.to_string(), is_sure });
    let first = rest.chars().next()?;
    match first {
        '\'' | '`' => one(&first.to_string(), true),
        // Of these Python keeps the backslash.
        '/' | '$' => one(&first.to_string(), false),
        '{' => one("{{", false),
        '}' => one("}}", false),
        'r' if rest.starts_with("r\\n") => one("", false),
        'r' => one("\\n", false),
        'u' | 'x' => {
            let inside = &rest[1..];
            let (digits, length) = match (inside.strip_prefix('{'), first) {
                (Some(inside), _) => {
                    let end = inside.find('}').filter(|end| *end <= 6)?;
                    (&inside[..end], end + 3)
                }
                (None, 'u') => (inside.get(..4)?, 5),
                (None, _) => (inside.get(..2)?, 3),
            };
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
            let letter = char::from_u32(number).filter(|letter| !letter.is_control())?;
            let text = match letter {
                '"' => "\\\"".to_string(),
                '\\' => "\\\\".to_string(),
                '{' => "{{".to_string(),
                '}' => "}}".to_string(),
                _ if is_hidden(letter) => return None,
                _ => letter.to_string(),
            };
            Some(Escaped { length, text, is_sure: true })
        }
        _ => None,
    }
}

/// Where the line ends that a byte is on, without the spaces before its end.
fn line_end(source: &Source, from: usize) -> usize {
    let line = source.text[from..].lines().next().unwrap_or("");
    from + line.trim_end().len()
}

//! A template's text as tokens, as Jinja2 cuts it with `trim_blocks` and `lstrip_blocks`.

use super::error::{Error, Outcome, error};
use super::python;

/// A token with the line that it begins on.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Counted from 1.
    pub line: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text between the tags.
    Data(String),
    /// `{{`
    VariableBegin,
    /// `}}`
    VariableEnd,
    /// `{%`
    BlockBegin,
    /// `%}`
    BlockEnd,
    /// A name or a keyword.
    Name(String),
    /// A string, unescaped.
    Text(String),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// An operator, as it is written.
    Operator(&'static str),
    /// Behind the last token.
    End,
}

/// Longest first, so that `//` is not two of `/`.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

/// The tokens of a template.
pub fn tokens(source: &str) -> Outcome<Vec<Token>> {
    // Jinja2 takes every line end for `\n`, and leaves out the last one.
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    if source.ends_with('\n') {
        source.pop();
    }
    let mut lexer = Lexer {
        source: &source,
        at: 0,
        counted: 0,
        line: 1,
        line_starting: true,
        tokens: Vec::new(),
    };
    while lexer.at < source.len() {
        lexer.root()?;
    }
    lexer.push(Kind::End);
    Ok(lexer.tokens)
}

/// What a tag begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Variable,
    Block,
    Comment,
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    /// Up to where `line` has counted.
    counted: usize,
    line: usize,
    /// Whether what came before ended with a line end.
    line_starting: bool,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn push(&mut self, kind: Kind) {
        self.line += self.source[self.counted..self.at].matches('\n').count();
        self.counted = self.at;
        self.tokens.push(Token { kind, line: self.line });
    }

    fn fail<T>(&mut self, text: String) -> Outcome<T> {
        let line = self.line + self.source[self.counted..self.at].matches('\n').count();
        Err(Error { line: Some(line), text })
    }

    /// Moves on, and notes whether a line starts there.
    fn skip(&mut self, bytes: usize) {
        let end = self.at + bytes;
        self.line_starting = self.source[..end].ends_with('\n');
        self.at = end;
    }

    /// Text up to a tag, and the tag.
    fn root(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let found = rest.match_indices('{').find_map(|(at, _)| {
            let tag = match rest.as_bytes().get(at + 1)? {
                b'{' => Tag::Variable,
                b'%' => Tag::Block,
                b'#' => Tag::Comment,
                _ => return None,
            };
            Some((at, tag))
        });
        let Some((at, tag)) = found else {
            self.data(rest);
            self.skip(rest.len());
            return Ok(());
        };
        let sign = rest[at + 2..].chars().next().filter(|sign| matches!(sign, '-' | '+'));
        self.data(self.before_tag(&rest[..at], sign, tag));
        self.skip(at);
        let opening = 2 + usize::from(sign.is_some());
        match tag {
            Tag::Variable => {
                self.push(Kind::VariableBegin);
                self.skip(opening);
                self.inside(Tag::Variable)
            }
            Tag::Comment => {
                self.skip(opening);
                let Some(end) = self.rest().find("#}") else {
                    return self.fail("Missing end of comment tag".into());
                };
                let sign = self.rest()[..end].chars().next_back();
                self.skip(end + 2);
                self.after_block(sign);
                Ok(())
            }
            Tag::Block => match raw_length(&self.rest()[opening..]) {
                Some((length, strip)) => {
                    self.skip(opening + length);
                    if strip {
                        self.skip_space();
                    }
                    self.raw()
                }
                None => {
                    self.push(Kind::BlockBegin);
                    self.skip(opening);
                    self.inside(Tag::Block)
                }
            },
        }
    }

    fn data(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Kind::Data(text.to_string()));
        }
    }

    /// The text before a tag, without the white space that the tag takes.
    fn before_tag<'t>(&self, text: &'t str, sign: Option<char>, tag: Tag) -> &'t str {
        match sign {
            Some('-') => text.trim_end_matches(python::is_space),
            None if tag != Tag::Variable => {
                let line = text.rfind('\n').map_or(0, |at| at + 1);
                let starts = line > 0 || self.line_starting;
                let blank = text[line..].chars().all(python::is_space);
                if starts && blank { &text[..line] } else { text }
            }
            _ => text,
        }
    }

    /// What a block's end takes of what follows: white space, or a line end.
    fn after_block(&mut self, sign: Option<char>) {
        match sign {
            Some('-') => self.skip_space(),
            Some('+') => {}
            _ if self.rest().starts_with('\n') => self.skip(1),
            _ => {}
        }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.skip(rest.len() - rest.trim_start_matches(python::is_space).len());
    }

    /// Text of a raw block, up to and with its end.
    fn raw(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let end = rest.match_indices("{%").find_map(|(at, _)| {
            let sign = rest[at + 2..].chars().next().filter(|sign| matches!(sign, '-' | '+'));
            let body = &rest[at + 2 + usize::from(sign.is_some())..];
            let word = body.trim_start_matches(python::is_space).strip_prefix("endraw")?;
            let close = word.trim_start_matches(python::is_space);
            let closing = close.chars().next().filter(|sign| matches!(sign, '-' | '+'));
            let close = &close[usize::from(closing.is_some())..];
            close.starts_with("%}").then(|| (at, sign, closing, rest.len() - close.len() + 2))
        });
        let Some((at, sign, closing, end)) = end else {
            return self.fail("Missing end of raw directive".into());
        };
        self.data(self.before_tag(&rest[..at], sign, Tag::Block));
        self.skip(end);
        self.after_block(closing);
        Ok(())
    }

    /// The tokens of a tag, up to and with its end.
    fn inside(&mut self, tag: Tag) -> Outcome<()> {
        let close = if tag == Tag::Variable { "}}" } else { "%}" };
        let mut open: Vec<&str> = Vec::new();
        loop {
            let rest = self.rest();
            if open.is_empty() {
                let sign = rest.chars().next().filter(|sign| {
                    (*sign == '-' || (*sign == '+' && tag == Tag::Block))
                        && rest[1..].starts_with(close)
                });
                if sign.is_some() || rest.starts_with(close) {
                    let end = if tag == Tag::Variable { Kind::VariableEnd } else { Kind::BlockEnd };
                    self.push(end);
                    self.skip(2 + usize::from(sign.is_some()));
                    match (tag, sign) {
                        (Tag::Variable, None) => {}
                        _ => self.after_block(sign),
                    }
                    return Ok(());
                }
            }
            let Some(first) = rest.chars().next() else { return Ok(()) };
            if python::is_space(first) {
                self.skip_space();
            } else if first.is_ascii_digit() {
                self.number()?;
            } else if first.is_alphanumeric() || first == '_' {
                self.name()?;
            } else if matches!(first, '\'' | '"') {
                self.text(first)?;
            } else {
                self.operator(&mut open)?;
            }
        }
    }

    fn operator(&mut self, open: &mut Vec<&'static str>) -> Outcome<()> {
        let rest = self.rest();
        let Some(found) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) else {
            let first = rest.chars().next().unwrap_or_default();
            return self.fail(format!("unexpected char {}", python::repr_text(&first.to_string())));
        };
        match *found {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            close @ ("}" | ")" | "]") if open.pop() != Some(close) => {
                return self.fail(format!("unexpected '{close}'"));
            }
            _ => {}
        }
        self.push(Kind::Operator(found));
        self.skip(found.len());
        Ok(())
    }

    fn name(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.push(Kind::Name(rest[..end].to_string()));
        self.skip(end);
        Ok(())
    }

    fn number(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let after_dot =
            matches!(self.tokens.last().map(|token| &token.kind), Some(Kind::Operator(".")))
                && self.source[..self.at].ends_with('.');
        let length = float_length(rest).filter(|_| !after_dot);
        if let Some(length) = length {
            let value: f64 = rest[..length].replace('_', "").parse().unwrap_or(f64::NAN);
            self.push(Kind::Float(value));
            self.skip(length);
            return Ok(());
        }
        for (prefix, radix) in [("0b", 2), ("0o", 8), ("0x", 16)] {
            let begins = rest.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
            let Some(digits) = rest.get(2..).filter(|_| begins) else { continue };
            let length = digits.find(|c: char| !(c.is_digit(radix) || c == '_'));
            let digits = digits[..length.unwrap_or(digits.len())].trim_end_matches('_');
            let Ok(value) = i64::from_str_radix(&digits.replace('_', ""), radix) else { continue };
            self.push(Kind::Int(value));
            self.skip(2 + digits.len());
            return Ok(());
        }
        let length = digits_length(rest);
        let value = rest[..length].replace('_', "").parse();
        let Ok(value) = value else {
            return self.fail(format!("the number {} is too large", &rest[..length]));
        };
        // As in Python, a number that begins with 0 is 0.
        if rest.starts_with('0') && value != 0 {
            self.push(Kind::Int(0));
            let zeros = rest.find(|c| c != '0').unwrap_or(rest.len());
            self.skip(zeros);
            return Ok(());
        }
        self.push(Kind::Int(value));
        self.skip(length);
        Ok(())
    }

    fn text(&mut self, quote: char) -> Outcome<()> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find_map(|(at, c)| {
            let closes = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            closes.then_some(at)
        });
        let Some(end) = end else {
            return self.fail(format!("unexpected char {}", python::repr_text(&quote.to_string())));
        };
        match unescape(&rest[1..end]) {
            Ok(text) => self.push(Kind::Text(text)),
            Err(error) => return self.fail(error.text),
        }
        self.skip(end + 1);
        Ok(())
    }
}

/// The length of ` raw %}` or ` raw -%}`, and whether white space behind it goes.
fn raw_length(body: &str) -> Option<(usize, bool)> {
    let word = body.trim_start_matches(python::is_space).strip_prefix("raw")?;
    let close = word.trim_start_matches(python::is_space);
    let strip = close.starts_with('-');
    let close = close[usize::from(strip)..].strip_prefix("%}")?;
    Some((body.len() - close.len(), strip))
}

/// The length of digits with single underscores between them.
fn digits_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while digit(at) || (at > 0 && bytes.get(at) == Some(&b'_') && digit(at + 1)) {
        at += 1;
    }
    at
}

/// The length of a floating-point number, if it is one.
fn float_length(text: &str) -> Option<usize> {
    let mut at = digits_length(text);
    let fraction = text[at..].strip_prefix('.').map_or(0, digits_length);
    if fraction > 0 {
        at += 1 + fraction;
    }
    let exponent = text[at..].strip_prefix(['e', 'E']).map_or(0, |exponent| {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        match digits_length(&exponent[sign..]) {
            0 => 0,
            digits => 1 + sign + digits,
        }
    });
    (fraction + exponent > 0).then_some(at + exponent)
}

/// A string without its escapes, as Python's `unicode-escape` reads it.
fn unescape(text: &str) -> Outcome<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        let Some(first) = rest.chars().next() else { break };
        rest = &rest[first.len_utf8()..];
        let plain = match first {
            '\n' => "",
            '\\' => "\\",
            '\'' => "'",
            '"' => "\"",
            'a' => "\u{7}",
            'b' => "\u{8}",
            'f' => "\u{c}",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'v' => "\u{b}",
            _ => {
                rest = numbered(first, rest, &mut out)?;
                continue;
            }
        };
        out += plain;
    }
    Ok(out + rest)
}

/// An escape with a number, or none; what follows it.
fn numbered<'a>(first: char, rest: &'a str, out: &mut String) -> Outcome<&'a str> {
    let length = match first {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '0'..='7' => {
            let more = rest.bytes().take(2).take_while(|c| (b'0'..=b'7').contains(c)).count();
            let digits = format!("{first}{}", &rest[..more]);
            let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
            out.extend(char::from_u32(code));
            return Ok(&rest[more..]);
        }
        'N' => return error("the escape \\N{…} in a string is not supported"),
        // Python writes other letters as escapes first, and then reads the backslash before them.
        other if !other.is_ascii() => {
            let code = other as u32;
            *out += &match code {
                0..=0xff => format!("\\x{code:02x}"),
                0x100..=0xffff => format!("\\u{code:04x}"),
                _ => format!("\\U{code:08x}"),
            };
            return Ok(rest);
        }
        other => {
            out.push('\\');
            out.push(other);
            return Ok(rest);
        }
    };
    let digits = rest.get(..length).filter(|text| text.bytes().all(|c| c.is_ascii_hexdigit()));
    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let letter = code.and_then(char::from_u32);
    let Some(letter) = letter else { return error("a string has an escape that is no character") };
    out.push(letter);
    Ok(&rest[length..])
}

//! A grammar as text, in the dialects of the engines that read it.

use std::fmt::{self, Write};
use std::str::FromStr;

use super::{Grammar, Node};

/// How a grammar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// GBNF, which llama.cpp and xgrammar read.
    Gbnf,
    /// Lark, which llguidance reads: one terminal, so that no lexer cuts it.
    Lark,
}

impl Dialect {
    /// Both.
    pub const ALL: [Dialect; 2] = [Dialect::Gbnf, Dialect::Lark];

    /// The name that commands know: `gbnf` or `lark`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Gbnf => "gbnf",
            Dialect::Lark => "lark",
        }
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Dialect, String> {
        let found = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| {
            let shown = name.escape_debug();
            format!("there is no grammar `{shown}`: write `gbnf` or `lark`")
        })
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text of a grammar.
pub fn text(grammar: &Grammar, dialect: Dialect) -> String {
    let writer = Writer { grammar, dialect };
    let comment = match dialect {
        Dialect::Gbnf => "#",
        Dialect::Lark => "//",
    };
    let mut out = format!("{comment} {}\n", grammar.title);
    if dialect == Dialect::Lark {
        let _ = writeln!(out, "start: {}", writer.name(0));
    }
    for (at, rule) in grammar.rules.iter().enumerate() {
        if let Some(said) = &rule.comment {
            let _ = writeln!(out, "{comment} {said}");
        }
        let is = if dialect == Dialect::Gbnf { " ::=" } else { ":" };
        // Nothing fails that is written to a text.
        let _ = write!(out, "{}{is} ", writer.name(at));
        writer.node(&rule.node, Around::Nothing, &mut out);
        out.push('\n');
    }
    out
}

/// What a node is part of: decides where parentheses are.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Around {
    Nothing,
    Sequence,
    Repeat,
}

struct Writer<'a> {
    grammar: &'a Grammar,
    dialect: Dialect,
}

impl Writer<'_> {
    fn name(&self, rule: usize) -> String {
        let name = &self.grammar.rules[rule].name;
        match self.dialect {
            Dialect::Gbnf => name.clone(),
            Dialect::Lark => name.to_uppercase().replace('-', "_"),
        }
    }

    fn node(&self, node: &Node, around: Around, out: &mut String) {
        match node {
            Node::Text(text) => self.quoted(text, out),
            Node::Letter(ranges) => {
                let is_regex = self.dialect == Dialect::Lark;
                out.push_str(if is_regex { "/[" } else { "[" });
                letters(ranges, out);
                out.push_str(if is_regex { "]/" } else { "]" });
            }
            Node::Sequence(nodes) => self.list(nodes, " ", around >= Around::Repeat, out),
            Node::Choice(nodes) => self.list(nodes, " | ", around >= Around::Sequence, out),
            Node::Repeat(node, low, high) => {
                // A repetition of a repetition is not written in all dialects.
                let is_inside = around == Around::Repeat;
                out.push_str(if is_inside { "(" } else { "" });
                self.node(node, Around::Repeat, out);
                out.push_str(&self.times(*low, *high));
                out.push_str(if is_inside { ")" } else { "" });
            }
            Node::Rule(rule) => out.push_str(&self.name(*rule)),
        }
    }

    fn list(&self, nodes: &[Node], between: &str, has_parentheses: bool, out: &mut String) {
        out.push_str(if has_parentheses { "(" } else { "" });
        for (at, node) in nodes.iter().enumerate() {
            if at > 0 {
                out.push_str(between);
            }
            self.node(node, Around::Sequence, out);
        }
        out.push_str(if has_parentheses { ")" } else { "" });
    }

    fn times(&self, low: u64, high: u64) -> String {
        match (self.dialect, low, high) {
            (_, 0, 1) => "?".to_string(),
            (Dialect::Gbnf, ..) if low == high => format!("{{{low}}}"),
            (Dialect::Gbnf, ..) => format!("{{{low},{high}}}"),
            (Dialect::Lark, ..) if low == high => format!("~{low}"),
            (Dialect::Lark, ..) => format!("~{low}..{high}"),
        }
    }

    fn quoted(&self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                other if other.is_control() || (other.is_whitespace() && other != ' ') => {
                    let _ = write!(out, "\\u{:04X}", u32::from(other));
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

/// Word characters alone are letters of a grammar, so that `-` is the only one with a meaning: it
/// has none at the end.
fn letters(ranges: &[(char, char)], out: &mut String) {
    let (hyphen, others): (Vec<_>, Vec<_>) = ranges.iter().partition(|range| range.0 == '-');
    for &(low, high) in others.into_iter().chain(hyphen) {
        out.push(low);
        match u32::from(high) - u32::from(low) {
            0 => {}
            1 => out.push(high),
            _ => out.extend(['-', high]),
        }
    }
}

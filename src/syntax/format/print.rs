//! Words and signs in a row: where a space stands and where none, and texts at their margin.

use crate::source::{Source, Span};
use crate::syntax::tokens::{Kind, Token, is_keyword};

/// The atoms of a file, and how they look.
pub struct Printer<'a> {
    /// The text that they stand in.
    pub source: &'a Source,
    /// Words, signs, whole texts and comments.
    pub atoms: &'a [Token],
}

impl<'a> Printer<'a> {
    /// An atom as written.
    pub fn text(&self, at: usize) -> &'a str {
        self.source.slice(self.atoms[at].span)
    }

    /// `//` or `///`?
    pub fn is_comment(&self, at: usize) -> bool {
        matches!(self.atoms[at].kind, Kind::Comment | Kind::Doc)
    }

    /// How many line breaks stand between an atom and the one before.
    pub fn breaks_before(&self, at: usize) -> usize {
        let before = at.checked_sub(1).map_or(0, |before| self.atoms[before].span.end);
        let space = &self.source.text[before..self.atoms[at].span.start];
        space.bytes().filter(|&byte| byte == b'\n').count()
    }

    /// The first atom from `from` on that stands behind a span.
    pub fn end_of(&self, span: Span, from: usize) -> usize {
        let inside = self.atoms[from..].iter().take_while(|atom| atom.span.start < span.end);
        from + inside.count()
    }

    /// The atoms in no bracket.
    pub fn top_level(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        let mut depth = 0;
        (from..to).filter(move |&at| {
            let kind = self.atoms[at].kind;
            depth -= i32::from(kind == Kind::Close);
            let outside = depth == 0;
            depth += i32::from(kind == Kind::Open);
            outside
        })
    }

    /// The atoms `from..to` on one line, but for texts of several lines, which go on at `margin`.
    pub fn flat(&self, from: usize, to: usize, margin: usize) -> String {
        let mut line = String::new();
        for at in from..to {
            if at > from && self.spaced(at) {
                line.push(' ');
            }
            match self.text(at).starts_with("\"\"\"") {
                true => line.push_str(&block_text(self.text(at), margin)),
                false => line.push_str(self.text(at)),
            }
        }
        line
    }

    /// Does a space stand before this atom?
    fn spaced(&self, at: usize) -> bool {
        let (before, after) = (self.text(at - 1), self.text(at));
        let (left, right) = (self.atoms[at - 1].kind, self.atoms[at].kind);
        let touches = matches!(after, "," | ":" | "." | "..")
            || matches!(before, "." | "..")
            || left == Kind::Open
            || right == Kind::Close
            || (after == "(" && left == Kind::Word && !is_keyword(before))
            || (before == "-" && self.is_negative(at - 1));
        !touches
    }

    /// Is this `-` a sign before a value, not between two?
    fn is_negative(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        match self.atoms[before].kind {
            Kind::Sign | Kind::Open => true,
            Kind::Word => {
                is_keyword(self.text(before)) && !matches!(self.text(before), "true" | "false")
            }
            _ => false,
        }
    }
}

/// A `"""` text with its lines and its closing quotes moved to another margin.
fn block_text(text: &str, margin: usize) -> String {
    let old = &text[text.rfind('\n').map_or(0, |newline| newline + 1)..text.len() - 3];
    let new = " ".repeat(margin);
    let mut moved = String::from("\"\"\"\n");
    let last = text.lines().count() - 1;
    for line in text.lines().take(last).skip(1) {
        let shown = line.strip_prefix(old).unwrap_or("");
        if !shown.is_empty() {
            moved.push_str(&new);
            moved.push_str(shown);
        }
        moved.push('\n');
    }
    moved + &new + "\"\"\""
}

/// The columns that a text takes on its widest line; lines of a `"""` text are what they are.
pub fn width(text: &str) -> usize {
    text.lines().next().map_or(0, |line| line.chars().count())
}

//! Loops with the words and symbols of other languages: `every x of xs, x > 3`.

use super::reader::{LOOSE, NOT, Node, Reader};
use crate::source::Span;
use crate::syntax::tokens::Kind;

impl Reader<'_> {
    /// Does the head of a loop follow: a name, or names, and `in`?
    pub fn is_head(&self) -> bool {
        let is_of = |at: usize| matches!(self.text(at), "in" | "of");
        let name = self.kind(self.at + 1) == Some(Kind::Word) && !is_of(self.at + 1);
        let near = (self.at + 2..self.at + 8).any(is_of);
        let opens = self.text(self.at + 1) == "("
            && (matches!(self.text(self.at + 2), "let" | "const" | "var") || is_of(self.at + 3));
        match self.text(self.at) {
            "for" if name || opens && near => true,
            "all" | "any" | "count" => name,
            _ => near && (name || opens),
        }
    }

    /// `x + 1 for x in xs` without brackets around it, from its `for` on.
    pub fn loop_after(&mut self, value: Node) -> Option<Node> {
        let place = self.span(self.at);
        self.at += 1;
        let head = self.head()?;
        let end = self.span(self.at - 1);
        self.habit("E148", "a loop comes before its value", place, "`for` after the value");
        let body = self.said(&value, LOOSE);
        let span = value.span.to(end);
        Some(match super::drawing::repeated(&head, &body) {
            Some(often) => Node::written(span, super::reader::ATOM, often),
            None => Node::written(span, LOOSE, format!("for {head}: {body}")),
        })
    }

    /// The same loop in the words of this language.
    pub fn each_foreign(&mut self, start: Span) -> Option<Node> {
        let word = self.text(self.at);
        let (ours, before) = match word {
            "every" | "forall" => ("all", ""),
            "exists" | "some" => ("any", ""),
            "no" | "none" => ("any", "not "),
            "each" => ("for", ""),
            other => (other, ""),
        };
        self.at += 1;
        if self.text(self.at) == "(" && matches!(self.text(self.at + 2), "of" | "in") {
            self.at += 1;
        }
        for skipped in ["each", "let", "const", "var"] {
            self.skip(skipped);
        }
        let of = (self.at + 1, self.text(self.at + 1) == "of");
        let head = self.open_to_line_ends(Reader::head)?;
        self.skip(")");
        let (mark, place) = (self.text(self.at), self.span(self.at));
        if !matches!(mark, ":" | "," | "{" | "->" | "=>" | "|" | "do" | "then") {
            return None;
        }
        self.at += 1;
        let body = self.open_to_line_ends(Reader::expression)?;
        let mut end = body.span;
        if mark == "{" {
            self.skip(";");
            end = self.closing("}")?;
        }
        match word == ours {
            true if mark == ":" && of.1 => {
                self.habit("E140", "`in` is missing", self.span(of.0), "`in` was expected here");
            }
            true if mark == ":" => {
                self.habit("E148", "a loop runs over one name", start, "the head of a loop");
            }
            true => {
                self.habit("E125", "the body of a loop comes after `:`", place, "`:` belongs here")
            }
            false => {
                let title = format!("no loop begins with `{word}`");
                self.habit("E148", title, start, "unknown word");
            }
        }
        let body = self.said(&body, LOOSE);
        let tight = if before.is_empty() { LOOSE } else { NOT };
        Some(Node::written(start.to(end), tight, format!("{before}{ours} {head}: {body}")))
    }
}

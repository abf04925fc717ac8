//! What follows an operand without a space: indices, slices, calls, dots; and loops in brackets.

use super::drawing;
use super::given::Given;
use super::reader::{ADD, ATOM, COMPARE, LOOSE, MULTIPLY, NOT, Node, OR, Reader};
use super::spelling::has_call;
use super::words;
use crate::source::Span;
use crate::syntax::tokens::{Kind, is_keyword};

impl Reader<'_> {
    /// `xs[0]`, `f(x)`, `xs.size()`, one after the other.
    pub fn suffixes(&mut self, mut node: Node) -> Option<Node> {
        loop {
            let is_close = self.touches(self.at);
            let next = (self.text(self.at), self.text(self.at + 1));
            node = match next {
                ("[", _) if is_close => self.index(node)?,
                ("(", _) if is_close => self.called(node)?,
                ("!", "(" | "[") if is_close && self.touches(self.at + 1) => self.made(node)?,
                (".", _) if is_close && self.touches(self.at + 1) => self.dotted(node)?,
                (":", ":") if is_close && self.is_path() => self.path(node)?,
                ("?", ".") if is_close && self.touches(self.at + 1) => {
                    self.at += 1;
                    self.dotted(node)?
                }
                ("++" | "--", _) if is_close && !self.begins_value(self.at + 1) => {
                    self.next(node)?
                }
                ("as", _) if self.goes_on() => self.converted(node)?,
                _ => return Some(node),
            };
        }
    }

    /// What is between the brackets of an index or a slice, how many symbols cut it, and whether
    /// the last place is taken in.
    fn places(&mut self, list: &Node, open: Span) -> Option<(Vec<Option<Node>>, usize, bool)> {
        self.at += 1;
        let (mut parts, mut cuts, mut takes_last_in) = (vec![None], 0, false);
        self.open += 1;
        while self.text(self.at) != "]" {
            match self.text(self.at) {
                ":" | ".." => {
                    cuts += 1;
                    self.at += 1;
                    parts.push(None);
                    if self.text(self.at) == "=" {
                        takes_last_in = true;
                        self.at += 1;
                    }
                }
                _ => {
                    let start = self.at;
                    let part = self.climb(ADD)?;
                    *parts.last_mut()? = Some(part);
                    if !matches!(self.text(self.at), ":" | "]" | "..") {
                        self.at = start;
                        self.open -= 1;
                        self.strange_index(list, open);
                        return None;
                    }
                }
            }
        }
        self.open -= 1;
        Some((parts, cuts, takes_last_in))
    }

    /// `xs[0]`, `xs[-1]`, `xs[1:3]`
    fn index(&mut self, list: Node) -> Option<Node> {
        let open = self.span(self.at);
        let (parts, cuts, takes_last_in) = self.places(&list, open)?;
        let span = list.span.to(self.closing("]")?);
        let xs = self.said(&list, LOOSE);
        let said = |part: &Option<Node>| part.as_ref().map(|part| self.said(part, LOOSE));
        let mut parts: Vec<Option<String>> = parts.iter().map(said).collect();
        if takes_last_in && let Some(Some(last)) = parts.last_mut() {
            *last =
                last.parse::<i64>().map_or(format!("{last} + 1"), |last| (last + 1).to_string());
        }
        // From zero on and from the end, places are the same in all of these languages. A name may
        // hold a negative number, or the key of a dictionary; a slice may end after the list.
        let is_sure = match &parts[..] {
            [Some(at)] => at == "-1" || at.bytes().all(|byte| byte.is_ascii_digit()),
            [None, None, Some(step)] => step == "-1",
            _ => false,
        };
        let is_dictionary = ["{xs} = {", "{xs} = dict(", "{xs}: {"]
            .iter()
            .any(|bound| self.all.contains(&bound.replace("{xs}", &xs)));
        let text = match &parts[..] {
            [Some(at)] if at.starts_with('"') || is_dictionary => {
                let help = format!("write `at(position({at}, keys), values)` with two lists");
                self.advise("E134", "there are no dictionaries", open, "a text as an index", help);
                return None;
            }
            [Some(at)] => (format!("at({}, {xs})", from_end(at, &xs)), ATOM),
            [from, to] if cuts == 1 => slice(from.as_deref(), to.as_deref(), &xs),
            [None, None, Some(step)] if step == "-1" => (format!("reverse({xs})"), ATOM),
            [from, to, Some(step)] if from.is_none() && to.is_none() || !step.starts_with('-') => {
                let inner = slice(from.as_deref(), to.as_deref(), &xs).0;
                self.stepped_slice(inner, step)
            }
            [from, to, None] => slice(from.as_deref(), to.as_deref(), &xs),
            _ => {
                let help = format!("write `for i in a..b: at(i, {xs})` with the indices to take");
                self.advise("E134", "a list has no steps", open, "a slice with steps", help);
                return None;
            }
        };
        let title = match cuts {
            0 => "an element is taken with `at`",
            _ => "a part of a list is taken with `take` and `drop`",
        };
        self.habit("E134", title, open, if cuts == 0 { "an index" } else { "a slice" });
        if is_sure && !has_call(&xs) {
            self.vouch(open);
        }
        Some(Node::written(span, text.1, text.0))
    }

    /// What is given between parentheses.
    pub fn given(&mut self) -> Option<Vec<Given>> {
        self.at += 1;
        let mut all = Vec::new();
        self.open_to_line_ends(|reader| {
            while reader.text(reader.at) != ")" {
                all.push(reader.argument()?);
                match reader.text(reader.at) {
                    "," | ";" => reader.at += 1,
                    _ => break,
                }
            }
            reader.closing(")")?;
            Some(all)
        })
    }

    fn argument(&mut self) -> Option<Given> {
        let is_named = self.text(self.at + 1) == "=" && self.kind(self.at)? == Kind::Word;
        if self.text(self.at) == "level" && self.kind(self.at + 1) == Some(Kind::Word) {
            let node = Node::same(self.span(self.at).to(self.span(self.at + 1)), ATOM);
            self.at += 2;
            return Some(Given { name: None, node, said: String::new() });
        }
        let is_spread = self.text(self.at) != "**" && self.skip_spread();
        let name = match is_spread {
            true => Some("...".to_string()),
            false => is_named.then(|| self.text(self.at).to_string()),
        };
        self.at += if is_named && !is_spread { 2 } else { 0 };
        let node = match self.bare_comprehension() {
            Some(node) => node?,
            None => self.expression()?,
        };
        let said = self.said(&node, LOOSE);
        Some(Given { name, node, said })
    }

    /// `x for x in xs`, the one value of a call.
    fn bare_comprehension(&mut self) -> Option<Option<Node>> {
        self.at -= 1;
        if self.text(self.at) == "(" && self.is_comprehension(")") {
            let Some(node) = self.comprehension(")") else { return Some(None) };
            self.at -= 1;
            // The parentheses stay those of the call.
            let text = self.said(&node, LOOSE);
            let open = self.at_of(node.span) + 1;
            let inside = self.span(open).to(self.span(self.at - 1));
            return Some(Some(Node::written(inside, node.tight, text)));
        }
        self.at += 1;
        None
    }

    /// `f(x)`, where `f` is a name.
    fn called(&mut self, function: Node) -> Option<Node> {
        let name = self.source.slice(function.span).to_string();
        let given = self.given()?;
        let span = function.span.to(self.span(self.at - 1));
        self.call(&name, function.span, given, span)
    }

    /// `vec![a, b]`, `println!("…")`
    fn made(&mut self, name: Node) -> Option<Node> {
        let place = name.span.to(self.span(self.at));
        let word = self.source.slice(name.span).to_string();
        self.at += 1;
        if word == "matches" && self.text(self.at) == "(" {
            return self.matched(name.span);
        }
        if word == "vec" && self.text(self.at) == "[" {
            let list = self.operand()?;
            self.sure_habit("E148", "a list has brackets alone", place, "not needed");
            let text = self.said(&list, LOOSE);
            return Some(Node::written(name.span.to(list.span), ATOM, text));
        }
        self.call(&word, place, Vec::new(), place)
    }

    /// `xs.size()`, `xs.length`, `part.answer`, `xs.0`
    fn dotted(&mut self, owner: Node) -> Option<Node> {
        let dot = self.span(self.at);
        let (name, place) = (self.text(self.at + 1).to_string(), self.span(self.at + 1));
        if self.kind(self.at + 1)? == Kind::Number {
            self.at += 2;
            let xs = self.said(&owner, LOOSE);
            self.habit("E134", "an element is taken with `at`", dot, "an index");
            return Some(Node::written(owner.span.to(place), ATOM, format!("at({name}, {xs})")));
        }
        if self.kind(self.at + 1)? != Kind::Word {
            return None;
        }
        self.at += 2;
        self.skip_generics();
        if self.text(self.at) == "(" && self.touches(self.at) {
            let given = self.given()?;
            let span = owner.span.to(self.span(self.at - 1));
            return self.method(owner, &name, dot.to(place), given, span);
        }
        let span = owner.span.to(place);
        let xs = self.said(&owner, LOOSE);
        if self.of_value && matches!(&*name, "first" | "last") {
            self.habit("E135", "there are no properties", dot.to(place), "read with a dot");
            let at = if name == "first" { "0".to_string() } else { format!("size({xs}) - 1") };
            if !has_call(&xs) {
                self.vouch(dot.to(place));
            }
            return Some(Node::written(span, ATOM, format!("at({at}, {xs})")));
        }
        if matches!(&*name, "length" | "size" | "len") {
            self.sure_habit("E135", "there are no properties", dot.to(place), "read with a dot");
            return Some(Node::written(span, ATOM, format!("size({xs})")));
        }
        let is_plain = self.source.slice(owner.span).bytes().all(is_name_byte);
        (is_plain && owner.edits.is_empty()).then(|| Node::same(span, ATOM))
    }

    /// `tokens::overlap(a, b)`, `Vec::new()`
    fn path(&mut self, owner: Node) -> Option<Node> {
        let place = self.span(self.at).to(self.span(self.at + 1));
        self.at += 2;
        let name = self.text(self.at).to_string();
        if self.kind(self.at)? != Kind::Word || is_keyword(&name) {
            return None;
        }
        self.at += 1;
        self.skip_generics();
        if self.text(self.at) != "(" {
            return self.constant(owner, &name, place);
        }
        let given = self.given()?;
        let span = owner.span.to(self.span(self.at - 1));
        self.method(owner, &name, place, given, span)
    }

    /// `x as f64`
    fn converted(&mut self, value: Node) -> Option<Node> {
        let place = self.span(self.at);
        let whole = value.span.to(self.span(self.at + 1));
        let is_real = matches!(self.text(self.at + 1), "f64" | "f32" | "float" | "double" | "Real");
        self.at += 2;
        self.habit("E148", "values are not converted", place, "an Int fits where a Real does");
        if is_real {
            // A division of Ints would leave the remainder out.
            let text = format!("1.0 * {}", self.said(&value, MULTIPLY + 1));
            return Some(Node::written(whole, MULTIPLY, text));
        }
        let text = self.said(&value, LOOSE);
        Some(Node::written(whole, value.tight, text))
    }

    /// `[x for x in xs if c]` from its bracket to its bracket; nothing is read where it is none.
    pub fn comprehension(&mut self, close: &str) -> Option<Node> {
        let open = self.at;
        let first = self.clause(open, close)?;
        let (found, names) = (self.found.len(), self.names.clone());
        self.at = first;
        let read = self.open_to_line_ends(|reader| reader.clauses(open, first, close));
        self.names = names;
        if read.is_none() {
            self.found.truncate(found);
            self.at = open;
        }
        read
    }

    /// Is it a value with a loop after it, up to the bracket?
    pub fn is_comprehension(&self, close: &str) -> bool {
        self.clause(self.at, close).is_some()
    }

    /// The token `for` of this bracket, if a value comes before it.
    fn clause(&self, open: usize, close: &str) -> Option<usize> {
        let mut depth = 0;
        for at in open + 1..self.tokens.len() {
            match self.kind(at)? {
                Kind::Open | Kind::TextOpen => depth += 1,
                Kind::Close if depth == 0 && self.text(at) == close => return None,
                Kind::Close | Kind::TextClose => depth -= 1,
                // Our own loop begins with its `for`: before it there is no value.
                _ if depth == 0 && self.text(at) == "for" => {
                    let ends_value = match self.kind(at - 1) {
                        Some(Kind::Word) => !is_keyword(self.text(at - 1)),
                        before => {
                            matches!(before, Some(Kind::Number | Kind::Close | Kind::TextClose))
                        }
                    };
                    return (ends_value && at > open + 1).then_some(at);
                }
                _ if depth == 0 && self.text(at) == "," => return None,
                _ => {}
            }
            if depth < 0 {
                return None;
            }
        }
        None
    }

    fn clauses(&mut self, open: usize, first: usize, close: &str) -> Option<Node> {
        let place = self.span(first);
        let mut heads = Vec::new();
        while self.text(self.at) == "for" {
            self.at += 1;
            heads.push(self.head()?);
        }
        let end = self.closing(close)?;
        let after = self.at;
        self.at = open + 1;
        let value = self.expression().filter(|_| self.at == first)?;
        self.at = after;
        let mut text = self.said(&value, LOOSE);
        let nested = heads.len();
        let (title, span) = ("a loop comes before its value", self.span(open).to(end));
        let often = drawing::repeated(&heads[0], &text).filter(|_| nested == 1);
        if let Some(often) = often {
            self.habit(
                "E148",
                "a draw is made often with `repeat`",
                place,
                "`for` after the value",
            );
            return Some(Node::written(span, ATOM, often));
        }
        for head in heads.iter().rev() {
            text = format!("for {head}: {text}");
        }
        for _ in 1..nested {
            text = format!("concat({text})");
        }
        self.sure_habit("E148", title, place, "`for` after the value");
        let tight = if nested > 1 { ATOM } else { LOOSE };
        Some(Node::written(self.span(open).to(end), tight, text))
    }

    /// `x in xs if c`, after `for`: as `x in xs where c`.
    pub fn head(&mut self) -> Option<String> {
        let mut names = vec![self.text(self.at).to_string()];
        let in_brackets = names[0] == "(";
        if in_brackets {
            self.at += 1;
            names[0] = self.text(self.at).to_string();
        }
        self.at += 1;
        while self.text(self.at) == "," {
            names.push(self.text(self.at + 1).to_string());
            self.at += 2;
        }
        if in_brackets {
            self.skip(")");
        }
        if !matches!(self.text(self.at), "in" | "of") {
            return None;
        }
        self.at += 1;
        let list = match (&names[..], self.text(self.at)) {
            ([name], _) => {
                let own = match name.starts_with('_') {
                    true => self.fresh(&["i", "j", "k", "place"]).to_string(),
                    false => name.clone(),
                };
                format!("{own} in {}", self.listed()?)
            }
            ([index, item], "enumerate") => self.enumerated(index.clone(), item.clone())?,
            (_, "zip") => self.zipped(names)?,
            _ => return None,
        };
        let mut kept = Vec::new();
        while matches!(self.text(self.at), "if" | "where") {
            self.at += 1;
            kept.push(self.climb(OR)?);
        }
        let least = if kept.len() > 1 { NOT } else { LOOSE };
        let kept: Vec<String> =
            kept.iter().map(|condition| words::truth(&self.said(condition, least))).collect();
        Some(if kept.is_empty() { list } else { format!("{list} where {}", kept.join(" and ")) })
    }

    fn listed(&mut self) -> Option<String> {
        let list = self.climb(COMPARE + 1)?;
        Some(self.said(&list, COMPARE + 1))
    }

    /// `i, x in enumerate(xs, 1)`: as `i in 0..size(xs) - 1`, with `at(i, xs)` for `x`.
    fn enumerated(&mut self, index: String, item: String) -> Option<String> {
        let lists = self.lists_of()?;
        let (xs, start) = match &lists[..] {
            [xs] => (xs, None),
            [xs, start] => (xs, Some(start)),
            _ => return None,
        };
        self.names.insert(item, format!("at({index}, {xs})"));
        if let Some(start) = start {
            self.names.insert(index.clone(), format!("({index} + {start})"));
        }
        Some(format!("{index} in 0..size({xs}) - 1"))
    }

    /// `x, y in zip(xs, ys)`: as `i in 0..size(xs) - 1`, with `at(i, xs)` for `x`.
    fn zipped(&mut self, names: Vec<String>) -> Option<String> {
        let lists = self.lists_of()?;
        let index = self.fresh(&["i", "j", "k", "place"]);
        let first = lists.first()?.clone();
        if lists.len() != names.len() {
            return None;
        }
        for (name, list) in names.into_iter().zip(lists) {
            self.names.insert(name, format!("at({index}, {list})"));
        }
        // Python ends with the shorter list.
        self.is_guess = true;
        Some(format!("{index} in 0..size({first}) - 1"))
    }

    fn lists_of(&mut self) -> Option<Vec<String>> {
        self.at += 1;
        if self.text(self.at) != "(" {
            return None;
        }
        Some(self.given()?.into_iter().map(|given| given.said).collect())
    }

    /// The first of some names that the text does not hold.
    pub fn fresh(&self, names: &[&'static str]) -> &'static str {
        let words = |name: &&&str| {
            let letters = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
            !self.all.split(letters).any(|word| word == **name)
        };
        names.iter().find(words).unwrap_or(names.last().expect("names to choose from"))
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

/// `-1` as the place of the last element.
fn from_end(at: &str, xs: &str) -> String {
    match at.strip_prefix('-') {
        Some(back) => format!("size({xs}) - {back}"),
        None => at.to_string(),
    }
}

/// `xs[from:to]`
pub fn slice(from: Option<&str>, to: Option<&str>, xs: &str) -> (String, u8) {
    let written = match (from, to) {
        (None | Some("0"), None) => xs.to_string(),
        (None | Some("0"), Some(to)) => format!("take({}, {xs})", from_end(to, xs)),
        (Some(from), None) => format!("drop({}, {xs})", from_end(from, xs)),
        (Some(from), Some(to)) => {
            let rest = format!("drop({}, {xs})", from_end(from, xs));
            let count = match (from.strip_prefix('-'), to.strip_prefix('-')) {
                (Some(from), Some(to)) => distance(to, from),
                _ => distance(&from_end(from, xs), &from_end(to, xs)),
            };
            format!("take({count}, {rest})")
        }
    };
    (written, ATOM)
}

/// How many elements are between two places.
fn distance(from: &str, to: &str) -> String {
    match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(from), Ok(to)) => (to - from).to_string(),
        _ if to == format!("{from} + 1") => "1".to_string(),
        _ if to.strip_prefix(from).is_some_and(|rest| rest.starts_with(" + ")) => {
            to[from.len() + 3..].to_string()
        }
        _ if from.bytes().all(is_name_byte) => format!("{to} - {from}"),
        _ => format!("{to} - ({from})"),
    }
}

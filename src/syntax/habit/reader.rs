//! Operators and choices of other languages: a reader of tokens that gathers edits on its way.

use std::collections::BTreeMap;

use super::spelling::{has_call, has_draw, is_fraction};
use super::{Habit, edited_slice};
use crate::diagnostic::Edit;
use crate::source::{Source, Span};
use crate::syntax::tokens::{Kind, Token};

/// How tightly a text binds; what is read in a tighter place goes between parentheses.
pub const LOOSE: u8 = 0;
pub const OR: u8 = 1;
pub const AND: u8 = 2;
pub const NOT: u8 = 3;
pub const COMPARE: u8 = 4;
pub const RANGE: u8 = 5;
pub const ADD: u8 = 6;
pub const MULTIPLY: u8 = 7;
pub const NEGATE: u8 = 8;
pub const ATOM: u8 = 9;

/// Expressions within one another; more are not read.
const DEPTH_MAX: usize = 48;

/// An expression that was read.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it is, with its parentheses.
    pub span: Span,
    /// How tightly its text binds after the edits.
    pub tight: u8,
    /// The edits that say it in this language.
    pub edits: Vec<Edit>,
    /// The name of a function without a name, whose body this is.
    pub of: Option<String>,
}

impl Node {
    /// What other languages write in one way and this one in the same.
    pub fn same(span: Span, tight: u8) -> Node {
        Node { span, tight, edits: Vec::new(), of: None }
    }

    /// What is written anew.
    pub fn written(span: Span, tight: u8, text: impl Into<String>) -> Node {
        Node { span, tight, edits: vec![Edit { span, text: text.into() }], of: None }
    }
}

/// An operator: how tightly it binds, how many tokens it has, what to write for it.
type Symbol = (u8, usize, Option<&'static str>);

/// Reads an expression from its first token on.
pub struct Reader<'a> {
    pub source: &'a Source,
    pub tokens: &'a [Token],
    pub at: usize,
    /// The complete text, in which new names must be new.
    pub all: &'a str,
    /// Whether a name before a dot is known to be a value, and no part.
    pub of_value: bool,
    /// The habits met so far.
    pub found: Vec<Habit>,
    /// Whether a text that was made is a guess, wherever its habit is.
    pub is_guess: bool,
    /// What the text leaves out, for a person to decide.
    pub note: &'static str,
    /// A habit that no text says in this language.
    pub advice: Option<Habit>,
    /// Names of a loop that are said in another way.
    pub names: BTreeMap<String, String>,
    /// How many brackets are open: a line's end does not end an expression in them.
    pub open: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub fn new(source: &'a Source, tokens: &'a [Token], at: usize) -> Reader<'a> {
        Reader {
            source,
            tokens,
            at,
            all: &source.text,
            of_value: false,
            found: Vec::new(),
            is_guess: false,
            note: "",
            advice: None,
            names: BTreeMap::new(),
            open: 0,
            depth: 0,
        }
    }

    /// Any expression.
    pub fn expression(&mut self) -> Option<Node> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let value = self.climb(OR);
        let whole = value.and_then(|value| match self.text(self.at) {
            "if" if self.goes_on() => self.condition_after(value),
            "?" if self.goes_on() && self.text(self.at + 1) == "?" => self.otherwise(value),
            "?" if self.goes_on() => self.question_mark(value),
            "=>" if self.goes_on() => self.arrow(value),
            "for" if self.open == 0 && self.depth == 1 && !self.starts_line(self.at) => {
                self.loop_after(value)
            }
            _ => Some(value),
        });
        self.depth -= 1;
        whole
    }

    /// `a if c else b`
    fn condition_after(&mut self, yes: Node) -> Option<Node> {
        let place = self.span(self.at);
        self.at += 1;
        let condition = self.climb(OR)?;
        let title = "the condition comes before both values";
        if self.text(self.at) != "else" {
            let help = format!("write `if {} then {} else …`", self.said(&condition, OR), {
                self.said(&yes, OR)
            });
            self.advise("E148", title, place, "`if` after a value", help);
            return None;
        }
        self.at += 1;
        let no = self.expression()?;
        self.sure_habit("E148", title, place, "`if` after a value");
        Some(self.choice(yes.span.to(no.span), &condition, &yes, &no))
    }

    /// `c ? a : b`
    fn question_mark(&mut self, condition: Node) -> Option<Node> {
        let place = self.span(self.at);
        self.at += 1;
        let yes = self.expression()?;
        if self.text(self.at) != ":" {
            return None;
        }
        self.at += 1;
        let no = self.expression()?;
        self.sure_habit("E148", "a choice is written with words", place, "`?` chooses nothing");
        Some(self.choice(condition.span.to(no.span), &condition, &yes, &no))
    }

    /// `if c then a else b` of what was read.
    pub fn choice(&self, span: Span, condition: &Node, yes: &Node, no: &Node) -> Node {
        let yes = self.said(yes, OR);
        let (condition, no) = (self.said(condition, OR), self.said(no, LOOSE));
        Node::written(span, LOOSE, format!("if {condition} then {yes} else {no}"))
    }

    /// Operands and the operators between them, as long as these bind at least so tightly.
    pub fn climb(&mut self, least: u8) -> Option<Node> {
        let mut left = self.prefix()?;
        while self.goes_on() {
            if self.is_filter() {
                left = self.filter(left)?;
                continue;
            }
            let Some(symbol) = self.operator().filter(|(tight, ..)| *tight >= least) else { break };
            left = self.join(left, symbol)?;
        }
        Some(left)
    }

    fn operator(&self) -> Option<Symbol> {
        let next = self.text(self.at + 1);
        let touches = self.touches(self.at + 1);
        Some(match self.text(self.at) {
            "or" => (OR, 1, None),
            "||" | "|" => (OR, 1, Some("or")),
            "and" => (AND, 1, None),
            "&" if self.kind(self.at + 1) == Some(Kind::Number) => (MULTIPLY, 1, Some("and")),
            "&&" | "&" => (AND, 1, Some("and")),
            "<" if next == "<" && touches => (ADD, 2, None),
            ">" if next == ">" && touches => (ADD, 2, None),
            "==" if next == "=" && touches => (COMPARE, 2, Some("==")),
            "!=" if next == "=" && touches => (COMPARE, 2, Some("!=")),
            "<>" => (COMPARE, 1, Some("!=")),
            "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "within" => (COMPARE, 1, None),
            "not" if matches!(next, "in" | "within") => (COMPARE, 2, None),
            "is" if next == "not" => (COMPARE, 2, Some("!=")),
            "is" if next == "in" => (COMPARE, 2, Some("in")),
            "is" if next == "equal" && self.text(self.at + 2) == "to" => (COMPARE, 3, Some("==")),
            "is" if next == "greater" => (COMPARE, 3, Some(">")),
            "is" if next == "less" => (COMPARE, 3, Some("<")),
            "equals" => (COMPARE, 1, Some("==")),
            "=" if next == "<" && touches => (COMPARE, 2, Some("<=")),
            "=" if next == "!" && touches => (COMPARE, 2, Some("!=")),
            "is" => (COMPARE, 1, Some("==")),
            "mod" => (MULTIPLY, 1, Some("%")),
            "div" => (MULTIPLY, 1, Some("/")),
            "AND" => (AND, 1, Some("and")),
            "OR" => (OR, 1, Some("or")),
            ".." if next == "=" && touches => (RANGE, 2, Some("..")),
            ".." => (RANGE, 1, None),
            "++" if self.begins_value(self.at + 1) => (ADD, 1, Some("+")),
            "+" | "-" => (ADD, 1, None),
            "*" | "/" | "%" => (MULTIPLY, 1, None),
            "**" | "^" => (NEGATE, 1, None),
            _ => return None,
        })
    }

    fn join(&mut self, left: Node, symbol: Symbol) -> Option<Node> {
        let (tight, length, write) = symbol;
        let first = self.text(self.at);
        let place = self.span(self.at).to(self.span(self.at + length - 1));
        self.at += length;
        if matches!(self.text(self.at), "None" | "null" | "undefined" | "nil") {
            self.never_missing(place, &left);
            return None;
        }
        let right = self.climb(if tight == NEGATE { NEGATE } else { tight + 1 })?;
        let span = left.span.to(right.span);
        if first == "not" {
            let title = format!("`{}` is no symbol of this language", self.source.slice(place));
            self.sure_habit("E132", title, place, "`not` comes before the complete comparison");
            let word = self.text(self.at_of(place) + 1);
            let (left, right) = (self.said(&left, COMPARE + 1), self.said(&right, COMPARE + 1));
            return Some(Node::written(span, NOT, format!("not {left} {word} {right}")));
        }
        if let Some((text, tight)) = self.of_operands(self.source.slice(place), &left, &right) {
            let title = format!("`{}` is no operator for these values", self.source.slice(place));
            self.habit("E132", title, place, "between these two");
            return Some(Node::written(span, tight, text));
        }
        if tight == NEGATE {
            return self.power(left, place, &right);
        }
        let drawn = self.source.slice(left.span);
        if matches!(first, ">" | ">=") && is_fraction(drawn) {
            return self.chance_above(&left, &right);
        }
        if first == "<" && is_fraction(drawn) {
            let title = "a chance is drawn with `coin`";
            // What calls the fraction is said with it, whichever module that is of.
            let inside = |place: Span| left.span.start <= place.start && place.end <= left.span.end;
            self.found.retain(|habit| !inside(habit.place));
            self.sure_habit("E205", title, left.span, "there are no random fractions");
            let chance = self.said(&right, LOOSE);
            return Some(Node::written(span, ATOM, format!("coin({chance})")));
        }
        if let Some(text) = self.looked_up(&left, first, &right) {
            return Some(Node::written(span, if text.0 { COMPARE } else { NOT }, text.1));
        }
        let compares_once = tight != COMPARE || left.tight != COMPARE;
        let is_literal = match self.tokens.get(self.at_of(right.span)).map(|token| token.kind) {
            Some(Kind::Number | Kind::TextOpen) => true,
            _ => matches!(self.source.slice(right.span), "True" | "False" | "true" | "false"),
        };
        let mut edits = self.fitted(left, tight);
        if let Some(write) = write {
            let title = format!("`{}` is no symbol of this language", self.source.slice(place));
            // `|` and `&` are of numbers and sets too, `is` compares two lists by where they are,
            // and `mod` and `div` of a negative number differ from language to language.
            let is_sure = match first {
                "||" | "&&" | "AND" | "OR" => true,
                "==" | "!=" | "<>" => compares_once,
                "is" => compares_once && is_literal,
                // Rust's `..=` takes both ends in.
                ".." => true,
                _ => false,
            };
            match is_sure {
                true => self.sure_habit("E132", title, place, "unknown symbol"),
                false => self.habit("E132", title, place, "unknown symbol"),
            }
            edits.push(Edit { span: place, text: write.to_string() });
        }
        edits.extend(self.fitted(right, tight + 1));
        Some(Node { span, tight, edits, of: None })
    }

    /// `xs.indexOf(x) === -1`: whether it is there; and the text that says so.
    fn looked_up(&self, left: &Node, symbol: &str, right: &Node) -> Option<(bool, String)> {
        let place = self.source.slice(left.span);
        let is_it = ["indexOf(", ".find("].iter().any(|name| place.contains(name));
        let is_there = match (symbol, self.source.slice(right.span)) {
            ("==" | "<=", "-1") | ("<", "0") => false,
            ("!=" | ">", "-1") | (">=", "0") => true,
            _ => return None,
        };
        let text = self.said(left, LOOSE);
        let inside = text.strip_prefix("position(")?.strip_suffix(')')?;
        let (x, xs) = inside.split_once(", ").filter(|_| is_it)?;
        let is_plain = |text: &str| !text.contains([',', ' ', '(']);
        let not = if is_there { "" } else { "not " };
        (is_plain(x) && is_plain(xs)).then(|| (is_there, format!("{not}{x} in {xs}")))
    }

    /// `x ** 2`
    fn power(&mut self, base: Node, place: Span, exponent: &Node) -> Option<Node> {
        let title = format!("`{}` is no symbol of this language", self.source.slice(place));
        self.habit("E132", &*title, place, "unknown symbol");
        let span = base.span.to(exponent.span);
        if self.source.slice(exponent.span).contains('.') {
            self.refused("sqrt", place);
            return None;
        }
        let factor = self.said(&base, ATOM);
        if has_draw(&factor) {
            let help = "draw it first, under a name of its own: `drawn ~ …`";
            self.advise("E132", title, place, "unknown symbol", help);
            return None;
        }
        if let Some(times @ 1..=4) = self
            .source
            .slice(exponent.span)
            .strip_prefix('-')
            .and_then(|digits| digits.parse().ok())
        {
            let product = vec![factor; times].join(" * ");
            let below = if times > 1 { format!("({product})") } else { product };
            return Some(Node::written(span, MULTIPLY, format!("1.0 / {below}")));
        }
        let text = match self.source.slice(exponent.span).parse::<usize>() {
            Ok(times @ 2..=4) => {
                // `^` is no power in most languages, and what is drawn would be drawn again.
                if self.source.slice(place) == "**" && !has_call(&factor) {
                    self.vouch(place);
                }
                vec![factor; times].join(" * ")
            }
            _ => {
                let count = self.said(exponent, ADD);
                let text = format!("fold power = 1 over i in 1..{count}: power * {factor}");
                return Some(Node::written(span, LOOSE, text));
            }
        };
        Some(Node::written(span, MULTIPLY, text))
    }

    fn prefix(&mut self) -> Option<Node> {
        let place = self.span_at(self.at)?;
        let (write, least) = match self.text(self.at) {
            "not" => (None, NOT),
            "-" => (None, NEGATE),
            "!" => (Some("not "), NOT),
            "&" | "*" | "**" | "&&" => (Some(""), NEGATE),
            _ => return self.operand(),
        };
        self.at += 1;
        let mut end = place;
        if write == Some("") && self.text(self.at) == "mut" {
            end = place.to(Span::new(place.start, self.span_at(self.at + 1)?.start));
            self.at += 1;
        }
        self.depth += 1;
        // Elsewhere `!` binds more tightly than a comparison, our `not` does not.
        let inside = if write == Some("not ") { NEGATE } else { least };
        let right = (self.depth < DEPTH_MAX).then(|| self.climb(inside)).flatten();
        self.depth -= 1;
        let right = right?;
        let span = place.to(right.span);
        let mut edits = Vec::new();
        if let Some(write) = write {
            let title = format!("`{}` is no symbol of this language", self.source.slice(place));
            self.sure_habit("E132", title, place, "unknown symbol");
            if write == "not " {
                let text = format!("not {}", self.said(&right, NOT));
                return Some(Node::written(span, NOT, text));
            }
            edits.push(Edit { span: place.to(end), text: write.to_string() });
        }
        let tight = if write == Some("") { right.tight } else { least };
        edits.extend(self.fitted(right, least));
        Some(Node { span, tight, edits, of: None })
    }

    /// The text of what was read, for a place where texts bind at least so tightly.
    pub fn said(&self, node: &Node, least: u8) -> String {
        let text = edited_slice(self.source, node.span, &node.edits);
        if node.tight < least { format!("({text})") } else { text }
    }

    /// The edits of what was read; what is written anew and binds too loosely gets parentheses.
    pub fn fitted(&self, node: Node, least: u8) -> Vec<Edit> {
        let whole = |edit: &Edit| edit.span == node.span;
        if node.tight >= least || !node.edits.iter().any(whole) {
            return node.edits;
        }
        vec![Edit { span: node.span, text: self.said(&node, least) }]
    }

    pub fn habit(
        &mut self,
        code: &'static str,
        title: impl Into<String>,
        place: Span,
        label: &'static str,
    ) {
        let title = title.into();
        self.found.push(Habit { code, title, place, label, help: None, is_sure: false });
        self.found.sort_by_key(|habit| habit.place);
    }

    /// The same for what means the same for certain, in every language that writes it so.
    pub fn sure_habit(
        &mut self,
        code: &'static str,
        title: impl Into<String>,
        place: Span,
        label: &'static str,
    ) {
        self.found.push(Habit {
            code,
            title: title.into(),
            place,
            label,
            help: None,
            is_sure: true,
        });
        self.found.sort_by_key(|habit| habit.place);
    }

    /// The text is a guess, to be looked at by who asked for it.
    pub fn doubt(&mut self) {
        self.is_guess = true;
    }

    /// The habit at a place means the same for certain.
    pub fn vouch(&mut self, place: Span) {
        let here = self.found.iter_mut().filter(|habit| habit.place == place);
        here.for_each(|habit| habit.is_sure = true);
    }

    pub fn advise(
        &mut self,
        code: &'static str,
        title: impl Into<String>,
        place: Span,
        label: &'static str,
        help: impl Into<String>,
    ) {
        let (title, help) = (title.into(), Some(help.into()));
        let habit = Habit { code, title, place, label, help, is_sure: false };
        self.advice.get_or_insert(habit);
    }

    /// Does the token go on with the expression: is it on the same line, or within brackets?
    pub fn goes_on(&self) -> bool {
        let operator = |text: &str| {
            matches!(text, "or" | "and" | "+" | "*" | "/" | "==" | "!=" | "||" | "&&" | "|" | "?")
        };
        self.at < self.tokens.len()
            && (self.open > 0 || !self.starts_line(self.at) || operator(self.text(self.at)))
    }

    /// Does a value begin with this token, on the same line?
    pub fn begins_value(&self, at: usize) -> bool {
        let kind = self.kind(at);
        !self.starts_line(at)
            && matches!(kind, Some(Kind::Word | Kind::Number | Kind::Open | Kind::TextOpen))
    }

    pub fn starts_line(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        let (end, start) = (self.span(before).end, self.span(at).start);
        start >= end && self.source.text[end..start].contains('\n')
    }

    pub fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| self.source.slice(token.span))
    }

    pub fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub fn span_at(&self, at: usize) -> Option<Span> {
        self.tokens.get(at).map(|token| token.span)
    }

    /// Where a token is; with none there, the place after the last.
    pub fn span(&self, at: usize) -> Span {
        let end = self.tokens.last().map_or(0, |token| token.span.end);
        self.span_at(at).unwrap_or(Span::new(end, end))
    }

    /// Does a token begin where the one before it ends?
    pub fn touches(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.span_at(before));
        before.zip(self.span_at(at)).is_some_and(|(before, it)| before.end == it.start)
    }

    pub fn at_of(&self, place: Span) -> usize {
        self.tokens.partition_point(|token| token.span.start < place.start)
    }
}

/// The text of what was read.
pub fn cut(source: &Source, node: &Node) -> String {
    edited_slice(source, node.span, &node.edits)
}

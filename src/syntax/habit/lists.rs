//! Brackets and braces of other languages: spreads, repeats, sets, dictionaries, arms of `match`.

use super::reader::{ADD, ATOM, COMPARE, LOOSE, Node, OR, Reader};
use super::words::renamed;
use crate::source::Span;
use crate::syntax::tokens::Kind;

impl Reader<'_> {
    /// `[a, b]`, `[...xs, n]`, `[*xs]`, `[0; n]`, from its bracket on.
    pub fn square_list(&mut self) -> Option<Node> {
        let open = self.span_at(self.at)?;
        self.at += 1;
        let (mut parts, mut values, mut edits) = (Vec::new(), Vec::new(), Vec::new());
        let mut spread: Option<Span> = None;
        while self.text(self.at) != "]" {
            let place = self.span(self.at);
            let is_spread = self.skip_spread();
            let value = self.expression()?;
            let said = self.said(&value, if is_spread { ADD + 1 } else { LOOSE });
            if self.text(self.at) == ";" {
                return self.filled(open, &said);
            }
            edits.extend(value.edits);
            match is_spread {
                true => {
                    spread.get_or_insert(place);
                    self.flush(&mut parts, &mut values);
                    parts.push(said);
                }
                false => values.push(said),
            }
            match self.text(self.at) {
                "," => self.at += 1,
                _ => break,
            }
        }
        let span = open.to(self.closing("]")?);
        let Some(place) = spread else { return Some(Node { span, tight: ATOM, edits, of: None }) };
        self.flush(&mut parts, &mut values);
        self.habit("E148", "lists are joined with `+`", place, "no list is spread");
        let tight = if parts.len() == 1 { ATOM } else { ADD };
        Some(Node::written(span, tight, parts.join(" + ")))
    }

    fn flush(&self, parts: &mut Vec<String>, values: &mut Vec<String>) {
        if !values.is_empty() {
            parts.push(format!("[{}]", values.join(", ")));
            values.clear();
        }
    }

    /// `...` or `*` before a list that is spread.
    pub fn skip_spread(&mut self) -> bool {
        let length = match (self.text(self.at), self.text(self.at + 1)) {
            ("..", ".") => 2,
            ("*" | ".." | "**", _) => 1,
            _ => return false,
        };
        self.at += length;
        true
    }

    /// `[0; n]`, from its `;` on.
    fn filled(&mut self, open: Span, value: &str) -> Option<Node> {
        let place = self.span(self.at);
        self.at += 1;
        let count = self.climb(ADD)?;
        let span = open.to(self.closing("]")?);
        self.habit("E133", "no `;` is between values", place, "a value and how often it comes");
        Some(self.often(span, value, &self.said(&count, ADD)))
    }

    /// A value so often: a draw is repeated, another value is the body of a loop.
    pub fn often(&self, span: Span, value: &str, count: &str) -> Node {
        if super::drawing::is_draw(value) {
            return Node::written(span, ATOM, format!("repeat({count}, {value})"));
        }
        let i = self.fresh(&["i", "j", "k", "place"]);
        Node::written(span, LOOSE, format!("for {i} in 1..{count}: {value}"))
    }

    /// `{1, 2}`, `{x for x in xs}`, `{"a": 1}`, from its brace on.
    pub fn braces(&mut self) -> Option<Node> {
        let open = self.span_at(self.at)?;
        let first = self.at;
        if let Some(node) = self.comprehension("}") {
            let said = self.said(&node, LOOSE);
            return Some(Node::written(node.span, ATOM, format!("unique({said})")));
        }
        let found = self.found.len();
        let mut keys = Vec::new();
        let mut values = Vec::new();
        self.at += 1;
        let read = self.open_to_line_ends(|reader| {
            while reader.text(reader.at) != "}" {
                let key = reader.climb(OR)?;
                keys.push(reader.said(&key, LOOSE));
                if matches!(reader.text(reader.at), ":" | "=>") {
                    reader.at += 1;
                    let value = reader.expression()?;
                    values.push(reader.said(&value, LOOSE));
                }
                if reader.text(reader.at) == "for" {
                    reader.at += 1;
                    let head = reader.head()?;
                    for one in [&mut keys, &mut values].into_iter().flatten() {
                        *one = format!("for {head}: {one}");
                    }
                }
                match reader.text(reader.at) {
                    "," => reader.at += 1,
                    _ => break,
                }
            }
            reader.closing("}")
        });
        if read.is_none() || self.advice.is_some() {
            self.at = first;
            self.found.truncate(found);
            return self.no_braces(open, None);
        }
        if values.is_empty() && !keys.is_empty() {
            let span = open.to(read?);
            self.habit("E148", "there are no sets", open, "braces around values");
            return Some(Node::written(span, ATOM, format!("[{}]", keys.join(", "))));
        }
        if let ([key], [value]) = (&keys[..], &values[..])
            && key.starts_with("for ")
        {
            let help = format!("write two lists, `keys = {key}` and `values = {value}`");
            self.advise("E148", "there are no dictionaries", open, "braces", help);
            return None;
        }
        let before = self.text(first.saturating_sub(2));
        if matches!(before, "weighted" | "choices" | "choice" | "pick") && !values.is_empty() {
            self.habit("E148", "there are no dictionaries", open, "braces");
            let text = format!("[{}], [{}]", keys.join(", "), values.join(", "));
            return Some(Node::written(open.to(read?), ATOM, text));
        }
        let is_plain = |one: &String| !one.contains(['{', '[']) && !one.starts_with("for ");
        let lists = values.iter().all(is_plain) && keys.len() == values.len() && !keys.is_empty();
        let keys: Vec<String> = keys
            .iter()
            .map(|key| match key.starts_with('"') || key.parse::<f64>().is_ok() {
                true => key.clone(),
                false => format!("\"{key}\""),
            })
            .collect();
        self.no_braces(open, lists.then(|| (keys.join(", "), values.join(", "))))
    }

    fn no_braces(&mut self, open: Span, lists: Option<(String, String)>) -> Option<Node> {
        let look = "`at(position(key, keys), values)` looks a value up";
        let help = match lists {
            Some((keys, values)) => {
                format!("write two lists, `keys = [{keys}]` and `values = [{values}]`: {look}")
            }
            None => format!("write two lists, one of keys and one of values: {look}"),
        };
        self.advise("E148", "there are no dictionaries and no sets", open, "braces", help);
        None
    }

    /// `xs & ys` of sets, `[0] * n`, `n << 1`, `n & 1`: what the operands make of an operator.
    pub fn of_operands(&mut self, symbol: &str, left: &Node, right: &Node) -> Option<(String, u8)> {
        let (a, b) = (self.said(left, LOOSE), self.said(right, LOOSE));
        let sets = ["unique(", "sort(unique(", "intersect(", "union(", "without("];
        let is_set = |text: &str| sets.iter().any(|set| text.starts_with(set));
        let number = b.parse::<u32>().ok();
        let are_sets = is_set(&a) || is_set(&b);
        // Only sets that are compared are put in order.
        let bare = |text: String| match text.strip_prefix("sort(").filter(|_| are_sets) {
            Some(set) => set.strip_suffix(')').unwrap_or(set).to_string(),
            None => text,
        };
        let (a, b) = if "&|-^".contains(symbol) { (bare(a), bare(b)) } else { (a, b) };
        let pair = |name: &str| (format!("{name}({a}, {b})"), ATOM);
        Some(match symbol {
            "&" if are_sets => pair("intersect"),
            "|" if are_sets => pair("union"),
            "-" if are_sets => (format!("without({b}, {a})"), ATOM),
            "^" if are_sets => (format!("without({b}, {a}) + without({a}, {b})"), ADD),
            "^" if is_relation(&a) || is_relation(&b) => {
                let (a, b) = (self.said(left, ATOM), self.said(right, ATOM));
                (format!("{a} != {b}"), COMPARE)
            }
            "&" if number.is_some_and(|mask| (mask + 1).is_power_of_two()) => {
                (format!("{} % {}", self.said(left, ATOM), number? + 1), super::reader::MULTIPLY)
            }
            "<<" | ">>" if number.is_some_and(|bits| bits < 32) => {
                let symbol = if symbol == "<<" { "*" } else { "/" };
                let factor = 1_u64 << number?;
                (format!("{} {symbol} {factor}", self.said(left, ATOM)), super::reader::MULTIPLY)
            }
            "*" if a.starts_with('[') && a.ends_with(']') => {
                let count = self.said(right, ADD);
                let i = self.fresh(&["i", "j", "k", "place"]);
                match super::words::split(&a[1..a.len() - 1]).as_slice() {
                    [one] => (format!("for {i} in 1..{count}: {one}"), LOOSE),
                    _ => (format!("concat(for {i} in 1..{count}: {a})"), ATOM),
                }
            }
            "*" if a.starts_with('"') && number.is_some_and(|times| times <= 40) => {
                (format!("\"{}\"", a.trim_matches('"').repeat(number? as usize)), ATOM)
            }
            _ => return None,
        })
    }

    /// `n++`
    pub fn next(&mut self, value: Node) -> Option<Node> {
        let (symbol, place) = (self.text(self.at), self.span(self.at));
        self.at += 1;
        let title = format!("`{symbol}` is no symbol of this language");
        self.habit("E132", title, place, "a name keeps its value");
        self.doubt();
        let text = format!("{} {} 1", self.said(&value, ADD), &symbol[..1]);
        Some(Node::written(value.span.to(place), ADD, text))
    }

    /// Every second element, `xs[::2]`, or from the last on, `xs[::-2]`.
    pub fn stepped_slice(&self, inner: String, step: &str) -> (String, u8) {
        let i = self.fresh(&["i", "j", "k", "place"]);
        let (inner, step) = match step.strip_prefix('-') {
            Some(back) => (format!("reverse({inner})"), back),
            None => (inner, step),
        };
        if step == "1" {
            return (inner, ATOM);
        }
        let places = format!("0..(size({inner}) - 1) / {step}");
        (format!("for {i} in {places}: at({step} * {i}, {inner})"), LOOSE)
    }

    /// `xs[xs > 3]`, `xs[i, j]`, from the token after the bracket on.
    pub fn strange_index(&mut self, list: &Node, open: Span) {
        let xs = self.said(list, LOOSE);
        let first = self.open_to_line_ends(Reader::expression);
        let said = first.map_or_else(|| "…".to_string(), |first| self.said(&first, LOOSE));
        if self.text(self.at) == "," {
            self.at += 1;
            let second = self.open_to_line_ends(Reader::expression);
            let second = second.map_or_else(|| "…".into(), |second| self.said(&second, LOOSE));
            let help = format!("write `at({second}, at({said}, {xs}))`: an element of an element");
            return self.advise("E134", "an element is taken with `at`", open, "an index", help);
        }
        let x = self.fresh(&["x", "y", "z", "one"]);
        let kept = renamed(&said, &[(xs.clone(), x.to_string())]);
        let help = format!("write `for {x} in {xs} where {kept}: {x}`");
        let title = "elements are kept with `where`";
        self.advise("E134", title, open, "a condition as an index", help);
    }

    /// `match n { 1 => "a", 2 | 3 => "b", _ => "c" }`, from its word on.
    pub fn arms(&mut self) -> Option<Node> {
        let start = self.span(self.at);
        let title = "a choice is written with `if`";
        self.at += 1;
        let value = self.climb(OR)?;
        let value_said = self.said(&value, COMPARE + 1);
        if self.text(self.at) != "{" {
            return None;
        }
        self.at += 1;
        let mut text = String::new();
        let mut is_whole = false;
        let read = self.open_to_line_ends(|reader| {
            while reader.text(reader.at) != "}" {
                let condition = reader.arm(&value_said)?;
                let yes = reader.expression()?;
                let yes = reader.said(&yes, if condition.is_some() { OR } else { LOOSE });
                match condition {
                    Some(condition) => text += &format!("if {condition} then {yes} else "),
                    None => {
                        text += &yes;
                        is_whole = true;
                    }
                }
                reader.skip(",");
            }
            reader.closing("}")
        })?;
        self.habit("E148", title, start, "no value begins so");
        match is_whole {
            true => Some(Node::written(start.to(read), LOOSE, text)),
            false => {
                let help = format!("write `{text}…`: there is always a last value");
                self.advise("E148", title, start, "no value begins so", help);
                None
            }
        }
    }

    /// The condition of an arm, up to its `=>`; none for `_` and for a name.
    fn arm(&mut self, value: &str) -> Option<Option<String>> {
        let mut cases = Vec::new();
        let mut bound: Option<String> = None;
        loop {
            match (self.text(self.at), self.kind(self.at)?) {
                ("_" | "default", _) => {
                    self.at += 1;
                    bound = Some("_".to_string());
                }
                (name, Kind::Word) if !name.starts_with(|first: char| first.is_uppercase()) => {
                    bound = Some(name.to_string());
                    self.at += 1;
                }
                _ => {
                    let case = self.climb(super::reader::RANGE)?;
                    let case = self.said(&case, super::reader::RANGE);
                    let symbol = if case.contains("..") { "in" } else { "==" };
                    cases.push(format!("{value} {symbol} {case}"));
                }
            }
            match self.text(self.at) {
                "|" => self.at += 1,
                _ => break,
            }
        }
        let mut condition = (!cases.is_empty()).then(|| cases.join(" or "));
        if self.text(self.at) == "if" {
            self.at += 1;
            let guard = self.climb(OR)?;
            let name = bound.unwrap_or_default();
            condition = Some(renamed(&self.said(&guard, OR), &[(name, value.to_string())]));
        }
        if !matches!(self.text(self.at), "=>" | "->" | ":") {
            return None;
        }
        self.at += 1;
        Some(condition)
    }

    /// `matches!(n, 1..=3)`, `matches!(n, 1 | 2)`, from its parenthesis on.
    pub fn matched(&mut self, start: Span) -> Option<Node> {
        let place = start;
        self.at += 1;
        let value = self.climb(OR)?;
        self.skip(",");
        let case = self.open_to_line_ends(|reader| {
            let mut cases = vec![reader.climb(super::reader::RANGE)?];
            while reader.text(reader.at) == "|" {
                reader.at += 1;
                cases.push(reader.climb(super::reader::RANGE)?);
            }
            Some(cases)
        })?;
        let span = start.to(self.closing(")")?);
        let cases: Vec<String> = case.iter().map(|case| self.said(case, LOOSE)).collect();
        let list = match &cases[..] {
            [one] if one.contains("..") => one.clone(),
            all => format!("[{}]", all.join(", ")),
        };
        self.habit("E148", "a value is looked for with `in`", place, "not known here");
        let value = self.said(&value, COMPARE + 1);
        Some(Node::written(span, COMPARE, format!("{value} in {list}")))
    }
}

/// Is it a comparison or a boolean?
fn is_relation(text: &str) -> bool {
    let symbols = [" == ", " != ", " < ", " > ", " <= ", " >= ", " in ", "true", "false", "not "];
    symbols.iter().any(|symbol| text.contains(symbol))
}

//! Functions without a name, and what collections make of them: `xs.map((x, i) => x * i)`.

use super::given::{Given, Written};
use super::reader::{ADD, ATOM, COMPARE, LOOSE, NOT, Node, Reader};
use super::words::{has_name, own_name, pairs, renamed, split, truth};
use crate::syntax::tokens::Kind;

/// What a loop makes of each element.
struct Loop {
    /// `x in xs`, `i in 0..size(xs) - 1`
    head: String,
    /// The body of the function, with the element as the loop has it.
    value: String,
    /// The element as the loop has it.
    element: String,
}

impl Reader<'_> {
    /// `x =>`, `(x, i) =>`, `([a, b]) =>`, `() =>`: does a function begin with this bracket?
    pub fn is_arrow(&self) -> bool {
        let mut depth = 0;
        for at in self.at..self.tokens.len().min(self.at + 24) {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return self.text(at + 1) == "=>";
            }
        }
        false
    }

    /// `(x, i) => x * i`, from its bracket on.
    pub fn arrow_function(&mut self) -> Option<Node> {
        let start = self.span(self.at);
        let mut close = self.at;
        while self.text(close + 1) != "=>" {
            close += 1;
        }
        let names = self.parameters(self.at + 1, close);
        self.at = close + 2;
        self.body(start, names)
    }

    /// `function(x) { return x * 2 }`, from its word on.
    pub fn function_value(&mut self) -> Option<Node> {
        let start = self.span(self.at);
        let open = (self.at..self.at + 3).find(|&at| self.text(at) == "(")?;
        let close = (open..self.tokens.len()).find(|&at| self.text(at) == ")")?;
        let names = self.parameters(open + 1, close);
        self.at = close + 1;
        self.body(start, names)
    }

    /// `lambda a, b: a + b`, from its word on.
    pub fn lambda(&mut self) -> Option<Node> {
        let start = self.span(self.at);
        let colon = (self.at..self.tokens.len()).find(|&at| self.text(at) == ":")?;
        let names = self.parameters(self.at + 1, colon);
        self.at = colon + 1;
        self.body(start, names)
    }

    /// `|(i, x)| i * x`, `|a, b| a + b`, `|&&x| x > 3`, `|| 3`, from its bar on.
    pub fn bars(&mut self) -> Option<Node> {
        let start = self.span(self.at);
        if self.text(self.at) == "||" {
            self.at += 1;
            return self.body(start, String::new());
        }
        let close = (self.at + 1..self.tokens.len()).find(|&at| self.text(at) == "|")?;
        let names = self.parameters(self.at + 1, close);
        self.at = close + 1;
        self.body(start, names)
    }

    /// `x => x + 1`, from its arrow on; `n => m`, where `n` is nothing that `m` needs, compares.
    pub fn arrow(&mut self, name: Node) -> Option<Node> {
        let text = self.source.slice(name.span).trim_matches(['(', ')']).to_string();
        let place = self.span(self.at);
        self.at += 1;
        let is_short = self
            .kind(self.at)
            .is_some_and(|kind| matches!(kind, Kind::Word | Kind::Number) && self.open == 0);
        let body = self.body(name.span, text.clone())?;
        if is_short && !has_name(&self.said(&body, LOOSE), &text) {
            self.found.retain(|habit| habit.place != name.span);
            self.habit("E132", "`=>` is no symbol of this language", place, "unknown symbol");
            let said = format!("{text} >= {}", self.said(&body, COMPARE + 1));
            return Some(Node::written(name.span.to(body.span), COMPARE, said));
        }
        Some(body)
    }

    /// The names between two tokens, with `(a, b)` for what is taken apart, without types.
    fn parameters(&self, from: usize, end: usize) -> String {
        let mut all = String::new();
        let mut in_type = 0;
        for at in from..end {
            match self.text(at) {
                ":" => in_type = 1,
                "," if in_type == 1 => {
                    in_type = 0;
                    all += ", ";
                }
                _ if in_type == 1 => {}
                "&" | "&&" | "mut" | "*" | "..." => {}
                "(" | "[" | "{" => all += "(",
                ")" | "]" | "}" => all += ")",
                "," => all += ", ",
                name => all += name,
            }
        }
        all
    }

    fn body(&mut self, start: crate::source::Span, names: String) -> Option<Node> {
        let is_block = self.text(self.at) == "{";
        let body = self.open_to_line_ends(|reader| {
            if is_block {
                reader.at += 1;
                reader.skip("return");
            }
            let body = reader.expression()?;
            if is_block {
                reader.skip(";");
                reader.closing("}")?;
            }
            Some(body)
        });
        let title = "a function has a name";
        let Some(body) = body else {
            self.nameless(start);
            return None;
        };
        self.sure_habit("E148", title, start, "a function without a name");
        Some(Node { of: Some(names), ..body })
    }

    fn nameless(&mut self, place: crate::source::Span) {
        let help = "write a loop: `for x in xs: x + 1` for each, `for x in xs where x > 1: x` \
                    for those that are kept";
        self.advise("E148", "a function has a name", place, "a function without a name", help);
    }

    /// What a collection makes of a function without a name: `xs.find(x => x > 3)`.
    pub fn with_function(
        &self,
        name: &str,
        xs: &str,
        function: &Given,
        more: &[&Given],
    ) -> Written {
        let names = split(function.node.of.as_deref()?);
        let body = &*function.said;
        let over = || self.over(xs, &names, body);
        let kept = || self.kept(xs, &names, body);
        let is_sure = names.len() == 1 && !names[0].starts_with('(');
        let loose = |text: String| Some((text, LOOSE, is_sure));
        match name {
            "map" | "apply" | "collect" | "forEach" | "for_each" => {
                let it = over()?;
                match super::drawing::repeated(&it.head, &it.value) {
                    Some(text) => Some((text, ATOM, false)),
                    None => loose(format!("for {}: {}", it.head, it.value)),
                }
            }
            "filter" | "select" | "where" | "keep" | "retain" => loose(kept()?),
            "reject" | "filterNot" => {
                let not = format!("not {}", self.said(&function.node, NOT));
                loose(self.kept(xs, &names, &not)?)
            }
            "find" | "first" | "detect" => Some((format!("at(0, {})", kept()?), ATOM, false)),
            "findLast" => Some((format!("at(0, reverse({}))", kept()?), ATOM, false)),
            "findIndex" | "position" | "find_index" | "indexWhere" => {
                let places = self.places_where(xs, &names, body, "");
                Some((format!("at(0, {places})"), ATOM, false))
            }
            "takeWhile" | "take_while" | "takewhile" | "dropWhile" | "skip_while" | "dropwhile" => {
                let places = self.places_where(xs, &names, &self.said(&function.node, NOT), "not ");
                let part = if name.starts_with('t') { "take" } else { "drop" };
                let first = format!("at(0, ({places}) + [size({xs})])");
                Some((format!("{part}({first}, {xs})"), ATOM, false))
            }
            "some" | "any" | "exists" => loose(format!("any {}", over()?.named())),
            "every" | "all" | "forall" => loose(format!("all {}", over()?.named())),
            "none" => Some((format!("not any {}", over()?.named()), NOT, false)),
            "count" | "countBy" => loose(format!("count {}", over()?.named())),
            "flatMap" | "flat_map" => {
                Some((format!("concat(for {})", over()?.named()), ATOM, true))
            }
            "sum" | "sumBy" | "sumOf" => {
                Some((format!("sum(for {})", over()?.named()), ATOM, true))
            }
            "sort_by_key"
            | "sortBy"
            | "sort_by_cached_key"
            | "orderBy"
            | "order_by"
            | "sort_unstable_by_key"
            | "sortedBy" => self.by_keys("sort", xs, format!("for {}", over()?.named())),
            "max_by_key" | "maxBy" | "max_by" | "min_by_key" | "minBy" | "min_by" => {
                self.by_keys(&name[..3], xs, format!("for {}", over()?.named()))
            }
            "sort" | "sorted" | "sort_by" | "toSorted" | "sort_unstable_by" => {
                self.compared(xs, &names, body)
            }
            "reduce" | "fold" | "inject" | "foldl" | "foldLeft" => {
                self.reduced(xs, &names, body, more)
            }
            _ => None,
        }
    }

    /// The head and the value of a loop over the elements that a function is called with.
    fn over(&self, xs: &str, names: &[String], body: &str) -> Option<Loop> {
        let list = if xs.starts_with("for ") { format!("({xs})") } else { xs.to_string() };
        let fresh = || self.fresh(&["x", "y", "z", "one"]).to_string();
        let one = |name: &str| match name.starts_with('_') {
            true => fresh(),
            false => own_name(name),
        };
        match names {
            [] => {
                let x = fresh();
                Some(Loop { head: format!("{x} in {list}"), value: body.into(), element: x })
            }
            [parts] if parts.starts_with('(') => {
                let parts = split(parts.trim_matches(['(', ')']));
                let (head, values) = match pairs(xs).filter(|(_, made)| made.len() == parts.len()) {
                    Some(made) => made,
                    None => {
                        let pair = self.fresh(&["pair", "row", "one"]);
                        let part = |at: usize| format!("at({at}, {pair})");
                        (format!("{pair} in {list}"), (0..parts.len()).map(part).collect())
                    }
                };
                let new: Vec<(String, String)> = parts.into_iter().zip(values.clone()).collect();
                let element = format!("[{}]", values.join(", "));
                Some(Loop { head, value: renamed(body, &new), element })
            }
            [name] => {
                let x = one(name);
                let value = renamed(body, &[(name.clone(), x.clone())]);
                // A loop that keeps some elements goes on with the value of each.
                let head = match same_elements(xs) {
                    Some((item, head)) => renamed(head, &[(item.to_string(), x.clone())]),
                    None => format!("{x} in {list}"),
                };
                Some(Loop { head, value, element: x })
            }
            [name, index] => {
                let i = one(index);
                let element = format!("at({i}, {xs})");
                let new = [(name.clone(), element.clone()), (index.clone(), i.clone())];
                let head = format!("{i} in 0..size({xs}) - 1");
                Some(Loop { head, value: renamed(body, &new), element })
            }
            _ => None,
        }
    }

    /// `for x in xs where c: x`
    fn kept(&self, xs: &str, names: &[String], condition: &str) -> Option<String> {
        let condition = &truth(condition);
        let it = self.over(xs, names, condition)?;
        let joined = match it.head.contains(" where ") {
            true => format!("{} and {}", it.head, it.value),
            false => format!("{} where {}", it.head, it.value),
        };
        Some(format!("for {joined}: {}", it.element))
    }

    /// The places of the elements for which a condition holds.
    fn places_where(&self, xs: &str, names: &[String], condition: &str, before: &str) -> String {
        let i = match names {
            [_, index] => own_name(index),
            _ => self.fresh(&["i", "j", "k", "place"]).to_string(),
        };
        let new: Vec<(String, String)> =
            names.iter().take(1).map(|name| (name.clone(), format!("at({i}, {xs})"))).collect();
        let condition = renamed(condition, &new);
        format!("for {i} in 0..size({xs}) - 1 where {before}{condition}: {i}")
    }

    /// `(a, b) => b - a`, `|a, b| a.cmp(b)`, `(a, b) => a.age - b.age`
    fn compared(&self, xs: &str, names: &[String], body: &str) -> Written {
        let [a, b] = names else { return None };
        let by = |first: &str, second: &str| {
            ["cmp", "partial_cmp", "localeCompare", "compare"]
                .iter()
                .any(|name| body == format!("{name}({second}, {first})"))
                || body == format!("{first} - {second}")
        };
        if by(a, b) {
            return Some((format!("sort({xs})"), ATOM, false));
        }
        if by(b, a) {
            return Some((format!("reverse(sort({xs}))"), ATOM, false));
        }
        let (left, right) = body.split_once(" - ")?;
        let is_down = renamed(left, &[(b.clone(), a.clone())]) == right;
        let is_up = renamed(right, &[(b.clone(), a.clone())]) == left;
        let key = if is_up { left } else { right };
        (is_up || is_down).then(|| {
            let keys = format!("for {a} in {xs}: {key}");
            let key = self.fresh(&["key", "one"]);
            let sorted = format!("sort({keys})");
            let sorted = if is_up { sorted } else { format!("reverse({sorted})") };
            let text = format!("for {key} in {sorted}: at(position({key}, {keys}), {xs})");
            (text, LOOSE, false)
        })
    }

    /// `(sum, x) => sum + x, 0`
    fn reduced(&self, xs: &str, names: &[String], body: &str, more: &[&Given]) -> Written {
        let (total, rest) = names.split_first()?;
        let own = own_name(total);
        let is = |text: &str| {
            let [x] = rest else { return false };
            body == text.replace("$a", total).replace("$x", x)
        };
        let start = more.first().map(|one| self.said(&one.node, COMPARE + 1));
        match &start {
            None if is("max([$a, $x])") => return Some((format!("max({xs})"), ATOM, false)),
            None if is("min([$a, $x])") => return Some((format!("min({xs})"), ATOM, false)),
            _ if is("$a + $x") && start.as_deref().is_none_or(|start| start == "0") => {
                return Some((format!("sum({xs})"), ATOM, false));
            }
            _ => {}
        }
        let (start, list) = match start {
            Some(start) => (start, xs.to_string()),
            None => (format!("at(0, {xs})"), format!("drop(1, {xs})")),
        };
        let it = self.over(&list, rest, body)?;
        let value = renamed(&it.value, &[(total.clone(), own.clone())]);
        Some((format!("fold {own} = {start} over {}: {value}", it.head), LOOSE, false))
    }

    /// The elements in the order of some keys, or the one with the greatest or least.
    fn by_keys(&self, what: &str, xs: &str, keys: String) -> Written {
        if what != "sort" {
            return Some((format!("at(position({what}({keys}), {keys}), {xs})"), ATOM, false));
        }
        let key = self.fresh(&["key", "one", "x"]);
        let text = format!("for {key} in sort({keys}): at(position({key}, {keys}), {xs})");
        Some((text, LOOSE, false))
    }

    /// `sorted(ws, key=len)`, `max(xs, default=0)`, `sum(xs, start=1)`, `sorted(xs, reverse=up)`
    pub fn keyed(&self, name: &str, given: &[Given]) -> Written {
        let [first, option] = given else { return None };
        let xs = &*first.said;
        let value = &*option.said;
        let offered = |text: String, tight: u8| Some((text, tight, false));
        match (name, option.name.as_deref()?) {
            ("max" | "min", "default") => {
                offered(format!("if size({xs}) == 0 then {value} else {name}({xs})"), LOOSE)
            }
            ("sum", "start") => {
                offered(format!("{} + sum({xs})", self.said(&option.node, ADD)), ADD)
            }
            ("sorted" | "sort", "reverse") if !matches!(value, "true" | "false") => {
                offered(format!("if {value} then reverse(sort({xs})) else sort({xs})"), LOOSE)
            }
            ("sorted" | "sort" | "max" | "min", "key") if option.node.of.is_none() => {
                let x = self.fresh(&["x", "y", "z", "one"]);
                let (xs, body) = match value {
                    "len" => (xs.to_string(), format!("size({x})")),
                    "abs" => (xs.to_string(), format!("if {x} < 0 then -{x} else {x}")),
                    "sum" | "max" | "min" => (xs.to_string(), format!("{value}({x})")),
                    _ => {
                        let list = value.strip_suffix(".count")?;
                        let y = self.fresh(&["y", "z", "one"]);
                        (format!("unique({list})"), format!("count {y} in {list}: {y} == {x}"))
                    }
                };
                let what = if name == "sorted" { "sort" } else { name };
                self.by_keys(what, &xs, format!("for {x} in {xs}: {body}"))
            }
            _ => None,
        }
    }

    /// What a call makes of a function without a name among its values: `map(lambda x: x + 1, xs)`.
    pub fn called_with(&self, name: &str, given: &[Given]) -> Written {
        let function = given.iter().find(|one| one.node.of.is_some())?;
        let mut others: Vec<&Given> = given.iter().filter(|one| one.node.of.is_none()).collect();
        if function.name.is_some() || others.is_empty() || others[0].name.is_some() {
            return None;
        }
        let lists: Vec<&str> = others.iter().map(|one| &*one.said).collect();
        let names = split(function.node.of.as_deref()?);
        if let ("map", [xs, ys], [a, b]) = (name, &lists[..], &names[..]) {
            let i = self.fresh(&["i", "j", "k", "place"]);
            let new =
                [(a.clone(), format!("at({i}, {xs})")), (b.clone(), format!("at({i}, {ys})"))];
            let body = renamed(&function.said, &new);
            return Some((format!("for {i} in 0..size({xs}) - 1: {body}"), LOOSE, false));
        }
        let xs = others.remove(0);
        self.with_function(name, &xs.said, function, &others)
    }
}

impl Loop {
    /// `x in xs: value`
    fn named(&self) -> String {
        format!("{}: {}", self.head, self.value)
    }
}

/// `for x in xs where c: x` as `x` and `x in xs where c`.
fn same_elements(xs: &str) -> Option<(&str, &str)> {
    let (head, value) = xs.strip_prefix("for ")?.rsplit_once(": ")?;
    let item = head.split_once(" in ")?.0;
    (value == item && head.contains(" where ") && !head.contains(": ")).then_some((item, head))
}

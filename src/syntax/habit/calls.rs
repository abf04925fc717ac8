//! Functions that other languages have, by their names there, and how the same is written here.

use super::draws;
use super::given::{Given, Written};
use super::reader::{ADD, ATOM, COMPARE, LOOSE, MULTIPLY, NEGATE, NOT, Node, OR, RANGE, Reader};
use super::spelling::{has_call, has_draw};
use crate::source::Span;

impl Reader<'_> {
    /// A call by a name that another language has, or one of ours.
    pub fn call(&mut self, name: &str, place: Span, given: Vec<Given>, span: Span) -> Option<Node> {
        let (given, is_spread) = self.together(given);
        if is_spread {
            self.habit(
                "E148",
                "a list is given as it is",
                place,
                "its values are given one by one",
            );
        }
        let keyed = self.called_with(name, &given).or_else(|| self.keyed(name, &given));
        if let Some((text, tight, is_sure)) = keyed {
            let title = format!("`{name}` takes no function here");
            match is_sure {
                true => self.sure_habit("E205", title, place, "not known here"),
                false => self.habit("E205", title, place, "not known here"),
            }
            return Some(Node::written(span, tight, text));
        }
        if self.nameless_given(name, place, &given) {
            return None;
        }
        if self.is_own(name) {
            let edits = given.into_iter().flat_map(|one| one.node.edits).collect();
            return Some(Node { span, tight: ATOM, edits, of: None });
        }
        let is_counted = |one: &Given| one.name.as_deref() == Some("counts");
        if name == "sample" && given.iter().any(is_counted) {
            let help = "write each element as often as it counts: `distinct(k, [a, b, b])`";
            self.advise("E205", "no function is called `sample`", place, "not known here", help);
            return None;
        }
        let sampled = self.sampled(name, place, &given);
        if self.advice.is_some() {
            return None;
        }
        let written = sampled
            .or_else(|| self.looping(name, &given))
            .or_else(|| self.ordered(name, &given))
            .or_else(|| draws::random(name, &given))
            .or_else(|| self.of_lists(name, &given))
            .or_else(|| self.of_sheets(name, &given))
            .or_else(|| self.of_numbers(name, &given))
            .or_else(|| self.of_tables(name, &given));
        self.note = match name {
            "int" | "trunc" if written.is_some() => "`/` rounds down, negative numbers too",
            "uniform" if written.is_some() => "an integer, as likely as any other of the range",
            _ => self.note,
        };
        if let Some((text, tight, is_sure)) = written {
            let title = format!("no function is called `{name}`");
            // NumPy's leaves the last number out.
            let is_numpy = name == "randint" && self.all.contains("numpy");
            match is_sure && !is_numpy {
                true => self.sure_habit("E205", title, place, "not known here"),
                false => self.habit("E205", title, place, "not known here"),
            }
            return Some(Node::written(span, tight, text));
        }
        if self.refused(name, place) {
            return None;
        }
        let nameless = given.iter().any(|one| one.node.of.is_some());
        if is_spread && !nameless {
            let all: Vec<&str> = given.iter().map(|one| &*one.said).collect();
            return Some(Node::written(span, ATOM, format!("{name}({})", all.join(", "))));
        }
        let edits = given.into_iter().flat_map(|one| one.node.edits).collect();
        (!nameless).then_some(Node { span, tight: ATOM, edits, of: None })
    }

    /// Does the file define it, in whatever language: what it says is there to be read.
    fn is_own(&self, name: &str) -> bool {
        ["def", "fn", "function", "func", "fun", "let", "const"].iter().any(|word| {
            let head = format!("{word} {name}");
            self.all.match_indices(&head).any(|(at, _)| {
                self.all[at + head.len()..].trim_start().starts_with(['(', '=', '<'])
            })
        })
    }

    /// A function without a name where nothing is made of it.
    fn nameless_given(&mut self, name: &str, place: Span, given: &[Given]) -> bool {
        let Some(function) = given.iter().find(|one| one.node.of.is_some()) else { return false };
        let by_itself = format!("-{}", function.node.of.as_deref().unwrap_or_default());
        if matches!(name, "map" | "filter") || (name == "sorted" && function.said == by_itself) {
            return false;
        }
        let (xs, item) = (&given[0].said, function.node.of.as_deref().unwrap_or("x"));
        let keys = format!("keys = for {item} in {xs}: {}", function.said);
        let taken = match name {
            "max" | "min" => format!("at(position({name}(keys), keys), {xs})"),
            _ => format!("for key in sort(keys): at(position(key, keys), {xs})"),
        };
        let help = format!("write `{keys}` above, and `{taken}` here");
        self.advise("E148", "a function has a name", place, "ordered by a function", help);
        true
    }

    /// `all(c for x in xs)`, `sum(1 for x in xs if c)`, `map(f, xs)`: what loops say here.
    fn looping(&self, name: &str, given: &[Given]) -> Written {
        let head = |text: &str| Some(text.strip_prefix("for ")?.to_string());
        match (name, given) {
            ("all" | "any", [one]) => Some(match head(&one.said) {
                Some(head) => (format!("{name} {head}"), LOOSE, true),
                None => {
                    let x = self.fresh(&["x", "y", "z", "one"]);
                    (format!("{name} {x} in {}: {x}", one.said), LOOSE, true)
                }
            }),
            ("count", [one]) if one.said.starts_with("for ") => {
                Some((format!("size({})", one.said), ATOM, true))
            }
            ("sum", [one]) if is_relation(&one.said) => {
                Some((format!("count {}", head(&one.said)?), LOOSE, false))
            }
            ("sum", [one]) => {
                let head = head(&one.said)?;
                let (kept, _) = head.rsplit_once(": ").filter(|(_, body)| *body == "1")?;
                let (list, condition) = kept.split_once(" where ")?;
                Some((format!("count {list}: {condition}"), LOOSE, true))
            }
            ("count", [x, xs]) => {
                let y = self.fresh(&["x", "y", "z", "one"]);
                let is_value = xs.said.starts_with(['"', '-']) || xs.said.parse::<f64>().is_ok();
                let (x, xs) = if is_value { (xs, x) } else { (x, xs) };
                Some((format!("count {y} in {}: {y} == {}", xs.said, x.said), LOOSE, is_value))
            }
            ("map", [function, xs]) => self.mapped(function, &xs.said),
            ("filter", [function, xs]) => self.filtered(function, &xs.said),
            _ => None,
        }
    }

    /// `for x in xs: f(x)`
    pub fn mapped(&self, function: &Given, xs: &str) -> Written {
        let xs = looped(xs);
        let text = match &function.node.of {
            Some(name) => format!("for {name} in {xs}: {}", function.said),
            None => {
                let x = self.fresh(&["x", "y", "z", "one"]);
                format!("for {x} in {xs}: {}({x})", function.said)
            }
        };
        Some((text, LOOSE, true))
    }

    /// `for x in xs where f(x): x`
    pub fn filtered(&self, function: &Given, xs: &str) -> Written {
        let xs = looped(xs);
        let text = match &function.node.of {
            Some(name) => format!("for {name} in {xs} where {}: {name}", function.said),
            None => {
                let x = self.fresh(&["x", "y", "z", "one"]);
                format!("for {x} in {xs} where {}({x}): {x}", function.said)
            }
        };
        Some((text, LOOSE, true))
    }

    /// `sorted(xs)`, `sorted(xs, reverse=True)`, `sorted(xs, key=ages)`
    fn ordered(&self, name: &str, given: &[Given]) -> Written {
        if !matches!(name, "sorted" | "sort" | "order" | "sort_by" | "SORT") {
            return None;
        }
        let (xs, options) = given.split_first().filter(|(first, _)| first.name.is_none())?;
        if options.is_empty() {
            // Words are ordered by their place in the vocabulary here.
            let text = format!("sort({})", in_any_order(&xs.said));
            return (name != "sort").then_some((text, ATOM, false));
        }
        let mut text = format!("sort({})", in_any_order(&xs.said));
        let mut tight = ATOM;
        for option in options {
            match (option.name.as_deref()?, &*option.said) {
                ("reverse" | "descending" | "desc" | "decreasing", "true") => {
                    text = match text.strip_prefix("for ") {
                        Some(_) => return None,
                        None => format!("reverse({text})"),
                    };
                }
                ("reverse" | "descending", "false") | ("ascending", "true") => {}
                ("key" | "by", _) if option.node.of.is_some() => text = format!("reverse({text})"),
                ("key" | "by", keys) if option.node.of.is_none() && is_name(keys) => {
                    let key = self.fresh(&["key", "one", "x"]);
                    text = format!(
                        "for {key} in sort({keys}): at(position({key}, {keys}), {})",
                        xs.said
                    );
                    tight = LOOSE;
                }
                _ => return None,
            }
        }
        Some((text, tight, false))
    }

    fn of_lists(&self, name: &str, given: &[Given]) -> Written {
        let a = given.first().map_or("", |one| &*one.said);
        let b = given.get(1).map_or("", |one| &*one.said);
        let tight = |at: usize, least: u8| self.said(&given[at].node, least);
        let sure = |text: String| Some((text, ATOM, true));
        match (name, given.len()) {
            ("len" | "length" | "LEN" | "nrow" | "COUNTA", 1) => {
                sure(format!("size({})", in_any_order(a)))
            }
            ("range", 1 | 2) => range(given, &tight),
            ("range", 3) => stepped(given),
            ("reversed" | "rev", 1) => sure(format!("reverse({a})")),
            // `list("abc")` has three elements in Python.
            ("list" | "tuple" | "Vec" | "Array", 1) => {
                let is_list = given[0].node.tight == RANGE || a.starts_with(['[', '(']);
                Some((a.to_string(), given[0].node.tight, is_list))
            }
            ("list" | "tuple", 0) => sure("[]".to_string()),
            // Two sets are equal in any order.
            ("set" | "frozenset", 1) => Some((format!("sort(unique({a}))"), ATOM, false)),
            // `dedup` looks at neighbours only.
            ("uniq" | "dedup" | "UNIQUE" | "distinct_values", 1) => {
                Some((format!("unique({a})"), ATOM, false))
            }
            ("zip", 2) => {
                let i = self.fresh(&["i", "j", "k", "place"]);
                let pair = format!("[at({i}, {a}), at({i}, {b})]");
                Some((format!("for {i} in 0..size({a}) - 1: {pair}"), LOOSE, false))
            }
            // Elsewhere these change the list, and give nothing or its size.
            ("append" | "push", 2) => Some((format!("{} + [{b}]", tight(0, ADD)), ADD, false)),
            ("extend" | "concat", 2) => {
                Some((format!("{} + {}", tight(0, ADD), tight(1, ADD + 1)), ADD, false))
            }
            ("contains" | "includes", 2) => Some((
                format!("{} in {}", tight(1, COMPARE + 1), tight(0, COMPARE + 1)),
                COMPARE,
                false,
            )),
            ("index", 2) => Some((format!("position({a}, {b})"), ATOM, false)),
            ("join", 1) => Some((format!("join(\", \", {a})"), ATOM, false)),
            // Rows had forms of their own once.
            ("labelled", 2) => Some((format!("lines(\"{{{a}}}. {{{b}}}\")"), ATOM, false)),
            ("lines", 3) if b.starts_with('"') => {
                let (between, values) = (b.trim_matches('"'), &given[2].said);
                Some((format!("lines(\"{{{a}}}{between}{{{values}}}\")"), ATOM, false))
            }
            ("distinct" | "draw" | "span", 1) if a.parse::<i64>().is_ok() => {
                Some((format!("{name}({a}, vocab)"), ATOM, false))
            }
            ("flatten" | "flat", 1) => Some((format!("concat({a})"), ATOM, false)),
            ("first", 1) => sure(format!("at(0, {a})")),
            // The first and the last six in R.
            ("head", 1) => Some((format!("at(0, {a})"), ATOM, false)),
            ("tail" | "rest", 1) => Some((format!("drop(1, {a})"), ATOM, false)),
            ("difference" | "setdiff" | "minus", 2) => {
                Some((format!("without({b}, {a})"), ATOM, false))
            }
            ("intersection", 2) => Some((format!("intersect({a}, {b})"), ATOM, false)),
            ("max" | "min", 2..) if given.iter().all(|one| one.name.is_none()) => {
                let all: Vec<&str> = given.iter().map(|one| &*one.said).collect();
                sure(format!("{name}([{}])", all.join(", ")))
            }
            _ => None,
        }
    }

    /// What spreadsheets call by names in capitals; their places count from 1.
    fn of_sheets(&self, name: &str, given: &[Given]) -> Written {
        let a = given.first().map_or("", |one| &*one.said);
        let b = given.get(1).map_or("", |one| &*one.said);
        match (name, given.len()) {
            ("MATCH", 2) => Some((format!("position({a}, {b}) + 1"), ADD, false)),
            ("INDEX", 2) => {
                // Places count from 1 there.
                let at = b
                    .parse::<i64>()
                    .map_or(format!("{} - 1", self.said(&given[1].node, ADD)), |at| {
                        (at - 1).to_string()
                    });
                Some((format!("at({at}, {a})"), ATOM, false))
            }
            ("COUNTIF", 2) => {
                let x = self.fresh(&["x", "y", "z", "one"]);
                let told = b.trim_matches('"');
                let condition = match told.strip_prefix(['<', '>', '=']) {
                    Some(_) if b.starts_with('"') => told.replace("<>", "!="),
                    _ => format!("== {b}"),
                };
                let condition = match condition.strip_prefix('=') {
                    Some(rest) if !rest.starts_with('=') => format!("== {rest}"),
                    _ => condition,
                };
                Some((format!("count {x} in {a}: {x} {condition}"), LOOSE, false))
            }
            ("COUNT", 1) => Some((format!("size({a})"), ATOM, true)),
            ("MAX" | "MIN" | "SUM", 1) => {
                Some((format!("{}({a})", name.to_lowercase()), ATOM, true))
            }
            _ => None,
        }
    }

    fn of_numbers(&self, name: &str, given: &[Given]) -> Written {
        let a = given.first().map_or("", |one| &*one.said);
        let b = given.get(1).map_or("", |one| &*one.said);
        let tight = |at: usize, least: u8| self.said(&given[at].node, least);
        let joined = |word: &str, least: u8| {
            let all: Vec<String> = (0..given.len()).map(|at| tight(at, least)).collect();
            all.join(&format!(" {word} "))
        };
        match (name, given.len()) {
            // Said twice, it would be drawn twice.
            ("abs" | "fabs" | "ABS" | "pow" | "POWER", _) if has_draw(a) => None,
            ("abs" | "fabs" | "ABS", 1) => {
                let (value, negative) = (tight(0, COMPARE + 1), tight(0, NEGATE));
                let text = format!("if {value} < 0 then -{negative} else {a}");
                Some((text, LOOSE, !has_call(a)))
            }
            ("str" | "string" | "String" | "repr" | "TEXT", 1) => {
                Some((a.to_string(), given[0].node.tight, false))
            }
            ("float" | "double", 1) => {
                Some((format!("1.0 * {}", tight(0, MULTIPLY + 1)), MULTIPLY, true))
            }
            // The nearest Int of a fraction of two.
            ("round" | "ROUND", 1) if a.matches(" / ").count() == 1 => {
                let (above, below) = a.split_once(" / ")?;
                let is_plain = |text: &str| !text.contains([' ', ',']);
                let text = format!("(2 * {above} + {below}) / (2 * {below})");
                (is_plain(above) && is_plain(below)).then_some((text, MULTIPLY, false))
            }
            ("int" | "floor" | "INT" | "trunc", 1) if a.contains(" / ") => {
                Some((a.to_string(), given[0].node.tight, false))
            }
            ("divmod", 2) => {
                let (a, b) = (tight(0, MULTIPLY), tight(1, MULTIPLY + 1));
                Some((format!("[{a} / {b}, {a} % {b}]"), ATOM, false))
            }
            ("mod" | "MOD", 2) => Some((
                format!("{} % {}", tight(0, MULTIPLY), tight(1, MULTIPLY + 1)),
                MULTIPLY,
                false,
            )),
            ("pow" | "POWER", 2) if matches!(b, "2" | "3" | "4") => {
                let times = b.parse().unwrap_or(2);
                Some((vec![tight(0, ATOM); times].join(" * "), MULTIPLY, !has_call(a)))
            }
            ("mean" | "avg" | "average" | "AVERAGE", 1) => {
                Some((format!("1.0 * sum({a}) / size({a})"), MULTIPLY, false))
            }
            ("IF" | "ifelse" | "iif", 3) => {
                let (c, a, b) = (tight(0, OR), tight(1, OR), tight(2, LOOSE));
                Some((format!("if {c} then {a} else {b}"), LOOSE, true))
            }
            ("AND", 2..) => Some((joined("and", NOT), super::reader::AND, true)),
            ("OR", 2..) => Some((joined("or", super::reader::AND), OR, true)),
            ("NOT", 1) => Some((format!("not {}", tight(0, NOT)), NOT, true)),
            _ => None,
        }
    }
}

/// The elements of a set where their order does not matter.
fn in_any_order(xs: &str) -> &str {
    let inside = xs.strip_prefix("sort(").and_then(|inside| inside.strip_suffix(')'));
    inside.filter(|inside| inside.starts_with("unique(") && inside.ends_with(')')).unwrap_or(xs)
}

/// A list that a loop runs over.
pub fn looped(xs: &str) -> String {
    match ["for ", "if ", "fold "].iter().any(|word| xs.starts_with(word)) {
        true => format!("({xs})"),
        false => xs.to_string(),
    }
}

/// `range(n)` is `0..n - 1` here.
fn range(given: &[Given], tight: &dyn Fn(usize, u8) -> String) -> Written {
    let last = given.len() - 1;
    let end = &given[last].said;
    let end = match (end.parse::<i64>(), end.strip_suffix(" + 1")) {
        (Ok(end), _) => (end - 1).to_string(),
        (_, Some(end)) => end.to_string(),
        _ => format!("{} - 1", tight(last, ADD)),
    };
    let start = if last == 0 { "0".to_string() } else { tight(0, RANGE + 1) };
    Some((format!("{start}..{end}"), RANGE, true))
}

/// `range(a, b, step)`
fn stepped(given: &[Given]) -> Written {
    let numbers: Vec<Option<i64>> = given.iter().map(|one| one.said.parse().ok()).collect();
    let (a, b) = (&given[0].said, &given[1].said);
    match numbers[..] {
        [Some(a), Some(b), Some(step @ 1..)] if b > a => {
            let most = (b - 1 - a) / step;
            let first = if a == 0 { String::new() } else { format!("{a} + ") };
            Some((format!("for i in 0..{most}: {first}{step} * i"), LOOSE, false))
        }
        [_, Some(b), Some(-1)] => Some((format!("reverse({}..{a})", b + 1), ATOM, false)),
        [_, None, Some(-1)] => Some((format!("reverse({b} + 1..{a})"), ATOM, false)),
        [Some(0), None, Some(step @ 1..)] => {
            Some((format!("for i in 0..({b} - 1) / {step}: {step} * i"), LOOSE, false))
        }
        _ => None,
    }
}

pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Is it a loop over comparisons, which Python counts as numbers?
fn is_relation(text: &str) -> bool {
    let Some((_, body)) = text.rsplit_once(": ") else { return false };
    let symbols = [" == ", " != ", " < ", " > ", " <= ", " >= ", " in "];
    text.starts_with("for ")
        && !body.starts_with("if ")
        && symbols.iter().any(|symbol| body.contains(symbol))
}

//! Methods and filters of other languages: `xs.append(x)`, `xs | join(", ")`.

use super::calls::{is_name, looped};
use super::draws::less_one;
use super::given::{Given, Written};
use super::library::{is_library, stdlib_has};
use super::reader::{ADD, ATOM, COMPARE, LOOSE, Node, OR, Reader};
use super::spelling::has_call;
use super::suffixes::slice;
use crate::source::Span;
use crate::stdlib;
use crate::syntax::tokens::Kind;

/// Filters that Jinja writes without parentheses.
const FILTERS: [&str; 14] = [
    "length", "count", "first", "last", "sort", "unique", "reverse", "sum", "max", "min", "list",
    "string", "upper", "lower",
];

impl Reader<'_> {
    /// `xs.name(given)`
    pub fn method(
        &mut self,
        owner: Node,
        name: &str,
        place: Span,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Node> {
        let owner = self.without_last(owner);
        let xs = self.said(&owner, LOOSE);
        let title = "there are no methods";
        if is_library(&xs) || matches!(&*xs, "Vec" | "List" | "Array" | "Object") {
            let before = self.found.len();
            // NumPy leaves the last number out.
            let is_numpy = matches!(&*xs, "np" | "numpy" | "np.random" | "numpy.random" | "rng");
            let called = match name {
                "randint" | "integers" if is_numpy => "np.randint",
                _ => name,
            };
            let (called, given) = self.of_library(&xs, called, given);
            let name = if called == "np.randint" { name } else { &*called };
            let node = self.call(&called, place, given.clone(), span)?;
            let is_of_python = matches!(&*xs, "random" | "math");
            let is_bound = matches!(name, "abs" | "max" | "min" | "pow") && xs == "Math";
            let is_fraction = name == "random" && given.is_empty();
            if name == "uniform" || !(is_of_python || is_bound || is_fraction) {
                self.doubt();
            }
            if self.found.len() > before && node.edits.iter().any(|edit| edit.span == span) {
                return Some(node);
            }
            self.habit("E135", title, place, "called with a dot");
            return Some(Node::written(span, ATOM, call(name, &given, None)));
        }
        if stdlib::module(&xs).is_some() {
            let title = "a function is called by its name alone";
            self.sure_habit("E135", title, place, "after its module");
            return Some(Node::written(span, ATOM, call(name, &given, None)));
        }
        let (given, _) = self.together(given);
        let written = self.written_method(name, &owner, &xs, &given);
        if written.is_none() && self.refused_method(name, &xs, place) {
            return None;
        }
        if written.is_none() && !self.is_known(name) && self.refused(name, place) {
            return None;
        }
        self.habit("E135", title, place, "called with a dot");
        // Rust's `0..n` leaves `n` out.
        let leaves_out = xs.starts_with('(') && xs.contains("..");
        if let Some((text, tight, is_sure)) = written {
            if is_sure && !leaves_out {
                self.vouch(place);
            }
            return Some(Node::written(span, tight, text));
        }
        if given.iter().any(|one| one.node.of.is_some()) {
            return None;
        }
        // What is not known here is called as it is: the next error is about its name.
        Some(Node::written(span, ATOM, call(name, &given, Some(&xs))))
    }

    /// `(0..n)` of Rust leaves `n` out: as `(0..n - 1)`.
    fn without_last(&self, owner: Node) -> Node {
        let text = self.source.slice(owner.span);
        let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let Some((from, to)) = inside.and_then(|inside| inside.split_once("..")) else {
            return owner;
        };
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "_ +-*()".contains(letter);
        if !owner.edits.is_empty() || !to.chars().chain(from.chars()).all(letters) {
            return owner;
        }
        Node::written(owner.span, ATOM, format!("({from}..{})", less_one(to)))
    }

    /// What is written for a method, by what it takes: a function, values of a list, any values.
    fn written_method(&mut self, name: &str, owner: &Node, xs: &str, given: &[Given]) -> Written {
        let is_refused = name == "split" || name == "get" && xs == "row";
        let mut written = self.of_closures(name, xs, given);
        if written.is_none() && !is_refused {
            written = self
                .of_elements(name, owner, given)
                .or_else(|| self.of_parts(name, xs, given))
                .or_else(|| self.of_functions(name, xs, given));
        }
        let is_one_more = matches!(name, "max" | "min") && given.len() == 1;
        if written.is_none() && (!stdlib_has(name) || is_one_more) {
            let all: Vec<Given> = [Given { name: None, said: xs.to_string(), node: owner.clone() }]
                .into_iter()
                .chain(given.iter().cloned())
                .collect();
            written = self.of_tables(name, &all);
        }
        written
    }

    fn of_elements(&self, name: &str, owner: &Node, given: &[Given]) -> Written {
        let tight = |least: u8| self.said(owner, least);
        let x = given.first().map_or("", |one| &*one.said);
        match (name, given.len()) {
            ("append" | "push" | "add" | "push_back", 1) => {
                Some((format!("{} + [{x}]", tight(ADD)), ADD, false))
            }
            ("extend" | "concat" | "addAll", 1) => {
                let more = self.said(&given[0].node, ADD + 1);
                Some((format!("{} + {more}", tight(ADD)), ADD, false))
            }
            ("insert" | "unshift", 2) if x == "0" => {
                Some((format!("[{}] + {}", given[1].said, tight(ADD + 1)), ADD, false))
            }
            ("unshift" | "prepend", 1) => Some((format!("[{x}] + {}", tight(ADD + 1)), ADD, false)),
            ("remove" | "discard", 1) => {
                Some((format!("without([{x}], {})", tight(LOOSE)), ATOM, false))
            }
            ("contains" | "includes" | "has", 1) => {
                let x = self.said(&given[0].node, COMPARE + 1);
                // A dictionary or a set `has` a key.
                Some((format!("{x} in {}", tight(COMPARE + 1)), COMPARE, name != "has"))
            }
            ("index" | "indexOf" | "find" | "index_of", 1) if given[0].node.of.is_none() => {
                // What is not there has the place -1 in JavaScript, and of Python's `find`.
                Some((format!("position({x}, {})", tight(LOOSE)), ATOM, name == "index"))
            }
            ("count", 1) if given[0].node.of.is_none() => {
                let y = self.fresh(&["x", "y", "z", "one"]);
                Some((format!("count {y} in {}: {y} == {x}", tight(COMPARE + 1)), LOOSE, true))
            }
            ("length" | "len" | "size" | "count" | "__len__", 0) => {
                Some((format!("size({})", tight(LOOSE)), ATOM, true))
            }
            ("join", 1) => {
                let xs = tight(LOOSE);
                let (between, list) = if x.starts_with('"') { (x, &*xs) } else { (&*xs, x) };
                // Of two names, either may be the text between.
                let is_sure = x.starts_with('"') != xs.starts_with('"');
                Some((format!("join({between}, {list})"), ATOM, is_sure))
            }
            _ => None,
        }
    }

    fn of_parts(&self, name: &str, xs: &str, given: &[Given]) -> Written {
        let x = given.first().map_or("", |one| &*one.said);
        let sure = |text: String| Some((text, ATOM, true));
        let offered = |text: String| Some((text, ATOM, false));
        match (name, given.len()) {
            (
                "iter" | "into_iter" | "collect" | "to_vec" | "clone" | "copy" | "copied"
                | "cloned" | "toArray" | "values" | "unwrap" | "to_string" | "toString" | "tolist",
                0,
            ) => {
                let is_text_or_may_fail =
                    matches!(name, "values" | "unwrap" | "to_string" | "toString");
                Some((xs.to_string(), LOOSE, !is_text_or_may_fail))
            }
            ("rev" | "reversed" | "toReversed", 0) => sure(format!("reverse({xs})")),
            // Elsewhere these change the list itself; JavaScript sorts numbers as texts.
            ("reverse", 0) => offered(format!("reverse({xs})")),
            ("sort" | "sorted" | "toSorted", 0) => offered(format!("sort({xs})")),
            ("unique" | "uniq" | "dedup", 0) => offered(format!("unique({xs})")),
            ("flat" | "flatten" | "concat", 0) => offered(format!("concat({xs})")),
            ("first", 0) => sure(format!("at(0, {xs})")),
            // The first five of pandas.
            ("head", 0) => offered(format!("at(0, {xs})")),
            ("last", 0) => Some((format!("at(size({xs}) - 1, {xs})"), ATOM, !has_call(xs))),
            ("get" | "nth" | "charAt" | "at", 1) => {
                let at = x.strip_prefix('-').map(|back| format!("size({xs}) - {back}"));
                offered(format!("at({}, {xs})", at.as_deref().unwrap_or(x)))
            }
            // Elsewhere a count may be greater than the list is long.
            ("limit" | "head", 1) => offered(format!("take({x}, {xs})")),
            ("skip", 1) => offered(format!("drop({x}, {xs})")),
            ("slice", 1) => offered(slice(Some(x), None, xs).0),
            ("slice", 2) => offered(slice(Some(x), Some(&given[1].said), xs).0),
            ("difference" | "minus", 1) => offered(format!("without({x}, {xs})")),
            ("intersection", 1) => offered(format!("intersect({xs}, {x})")),
            ("choice" | "random", 0) => sure(format!("pick({xs})")),
            ("shuffle" | "shuffled", 0) => offered(format!("shuffle({xs})")),
            ("sample", 1) => offered(format!("distinct({x}, {xs})")),
            _ => None,
        }
    }

    fn of_functions(&self, name: &str, xs: &str, given: &[Given]) -> Written {
        let [function] = given else { return None };
        let xs = &*looped(xs);
        let item = function.node.of.as_deref();
        match name {
            "map" => self.mapped(function, xs),
            "filter" => self.filtered(function, xs),
            "some" | "any" => {
                Some((format!("any {} in {xs}: {}", item?, function.said), LOOSE, true))
            }
            "every" | "all" => {
                Some((format!("all {} in {xs}: {}", item?, function.said), LOOSE, true))
            }
            "flatMap" | "flat_map" => {
                Some((format!("concat(for {} in {xs}: {})", item?, function.said), ATOM, false))
            }
            "count" => Some((format!("count {} in {xs}: {}", item?, function.said), LOOSE, true)),
            _ => None,
        }
    }

    /// `xs | join(", ")`, `xs | length`, `xs |> reverse`
    pub fn is_filter(&self) -> bool {
        let name = self.text(self.at + 1);
        let is_pipe = self.text(self.at) == "|>";
        let is_name = self.kind(self.at + 1) == Some(Kind::Word);
        let is_set = matches!(name, "set" | "frozenset" | "unique");
        is_name
            && !is_set
            && (is_pipe
                || (self.text(self.at) == "|"
                    && (FILTERS.contains(&name)
                        || stdlib::draws(name).is_some()
                        || self.text(self.at + 2) == "(")))
    }

    pub fn filter(&mut self, left: Node) -> Option<Node> {
        let (sign, name) = (self.span(self.at), self.text(self.at + 1));
        let place = sign.to(self.span(self.at + 1));
        self.at += 2;
        let xs = self.said(&left, LOOSE);
        let given = match self.text(self.at) {
            "(" => self.given()?,
            _ => Vec::new(),
        };
        let span = left.span.to(self.span(self.at - 1));
        if self.refused_method(name, &xs, place) {
            return None;
        }
        let title = format!("`{}` is no sign of this language", self.source.slice(sign));
        let written = match name {
            "count" => Some((format!("size({xs})"), ATOM, true)),
            "list" | "string" => Some((xs.clone(), OR, false)),
            _ => self
                .of_elements(name, &left, &given)
                .or_else(|| self.of_parts(name, &xs, &given))
                .or_else(|| self.of_functions(name, &xs, &given)),
        };
        self.habit("E132", title, place, "a filter");
        let (text, tight, is_sure) =
            written.unwrap_or_else(|| (call(name, &given, Some(&xs)), ATOM, false));
        // `|>` takes all of the sum before it; what a filter and a method share by name only is
        // known for these.
        let is_same = matches!(name, "length" | "count" | "first" | "last" | "join");
        if is_sure && is_same && self.source.slice(sign) == "|" {
            self.vouch(place);
        }
        Some(Node::written(span, tight, text))
    }
}

/// `name(given, xs)`: the list comes last.
fn call(name: &str, given: &[Given], xs: Option<&str>) -> String {
    let said = |one: &Given| match &one.name {
        Some(name) if is_name(name) => format!("{name} = {}", one.said),
        _ => one.said.clone(),
    };
    let mut all: Vec<String> = given.iter().map(said).collect();
    all.extend(xs.map(str::to_string));
    format!("{name}({})", all.join(", "))
}

//! What belongs to a library of another language: `itertools.chain`, `Vec::new`, `i64::MAX`.

use super::given::{Given, Written};
use super::reader::{ADD, ATOM, LOOSE, Node, Reader};
use crate::source::Span;
use crate::stdlib;
use crate::syntax::tokens::Kind;

/// What others call before a dot, to say whose function it is.
const MODULES: [&str; 13] = [
    "random",
    "math",
    "np",
    "numpy",
    "np.random",
    "numpy.random",
    "Math",
    "itertools",
    "rng",
    "statistics",
    "rand",
    "_",
    "std",
];

/// More names of modules and types that a function is taken from.
const LIBRARIES: [&str; 28] = [
    "functools",
    "operator",
    "f64",
    "i64",
    "i32",
    "u32",
    "u64",
    "usize",
    "Number",
    "collections",
    "secrets",
    "thread_rng()",
    "rand::thread_rng()",
    "default_rng()",
    "String",
    "Set",
    "HashSet",
    "BTreeSet",
    "cmp",
    "heapq",
    "copy",
    "string",
    "std::cmp",
    "std::mem",
    "Iterator",
    "pd",
    "generator",
    "np.linalg",
];

/// Is it a module or a type of another language?
pub fn is_library(name: &str) -> bool {
    MODULES.contains(&name) || LIBRARIES.contains(&name) || name.ends_with("_rng")
}

/// Does every template have a function of this name?
pub fn stdlib_has(name: &str) -> bool {
    stdlib::draws(name).is_some()
}

impl Reader<'_> {
    /// Is a function of this name here, in the language or in the file?
    pub fn is_known(&self, name: &str) -> bool {
        stdlib_has(name) || self.all.contains(&format!("fn {name}("))
    }

    /// What other values `random` of NumPy and of Rust name: `rng.integers(0, 10)` as `randrange`.
    pub fn of_library(&self, owner: &str, name: &str, given: Vec<Given>) -> (String, Vec<Given>) {
        let name = match name {
            "integers" => "randrange",
            "gen_bool" | "random_bool" => "bernoulli",
            "permutation" => "shuffled",
            "choose" => "pick",
            "choose_multiple" if given.len() == 2 => "sample",
            "product" if owner == "itertools" => "itertools_product",
            "gen" => "random",
            other => other,
        };
        (name.to_string(), given.into_iter().filter(|one| one.said != "&mut rng").collect())
    }

    /// A function without a name among the values of a method.
    pub fn of_closures(&self, name: &str, xs: &str, given: &[Given]) -> Written {
        let function = given.iter().find(|one| one.node.of.is_some() && one.name.is_none())?;
        let more: Vec<&Given> = given.iter().filter(|one| one.node.of.is_none()).collect();
        self.with_function(name, xs, function, &more)
    }

    /// Values of which some are spread, as the one list that holds them all.
    pub fn together(&mut self, given: Vec<Given>) -> (Vec<Given>, bool) {
        let is_spread = |one: &Given| one.name.as_deref() == Some("...");
        if !given.iter().any(is_spread) {
            return (given, false);
        }
        let (mut parts, mut named) = (Vec::new(), Vec::new());
        let span = given[0].node.span.to(given[given.len() - 1].node.span);
        for one in given {
            match one.name.as_deref() {
                Some("...") => parts.push(self.said(&one.node, ADD + 1)),
                Some(_) => named.push(one),
                None => parts.push(format!("[{}]", one.said)),
            }
        }
        let (tight, said) = (if parts.len() == 1 { ATOM } else { ADD }, parts.join(" + "));
        let node = Node::written(span, tight, said.clone());
        let all = Given { name: None, node, said };
        (std::iter::once(all).chain(named).collect(), true)
    }

    /// Is this `::` before a name or before types, and not two colons of a slice?
    pub fn is_path(&self) -> bool {
        let after_word = self.at > 0 && self.kind(self.at - 1) == Some(Kind::Word);
        let name = self.kind(self.at + 2) == Some(Kind::Word) || self.text(self.at + 2) == "<";
        self.touches(self.at + 1) && self.touches(self.at + 2) && after_word && name
    }

    /// `::<Vec<_>>` before the values of a call.
    pub fn skip_generics(&mut self) {
        if (self.text(self.at), self.text(self.at + 1), self.text(self.at + 2)) != (":", ":", "<") {
            return;
        }
        let mut depth = 0;
        for at in self.at + 2..self.tokens.len().min(self.at + 30) {
            depth += self.text(at).matches('<').count();
            depth = depth.saturating_sub(self.text(at).matches('>').count());
            if depth == 0 {
                self.at = at + 1;
                return;
            }
        }
    }

    /// `i64::MAX`, `Color::Red`
    pub fn constant(&mut self, owner: Node, name: &str, place: Span) -> Option<Node> {
        let span = owner.span.to(place.to(self.span(self.at - 1)));
        let text = match name {
            "MAX" | "MAX_VALUE" | "MAX_SAFE_INTEGER" => i64::MAX.to_string(),
            "MIN" => format!("-{}", i64::MAX),
            _ => format!("\"{}\"", super::words::own_name(name)),
        };
        self.habit("E148", "a value is written as it is", owner.span, "a name of another language");
        self.doubt();
        Some(Node::written(span, ATOM, text))
    }

    /// `new Set(xs)`, `await f(x)`: the value without the word.
    pub fn without_word(&mut self, place: Span) -> Option<Node> {
        self.at += 1;
        let node = self.operand()?;
        self.habit("E148", "a value has no word before it", place, "not needed");
        let said = self.said(&node, LOOSE);
        Some(Node { of: node.of.clone(), ..Node::written(place.to(node.span), node.tight, said) })
    }

    /// `a ?? b`: there is always a value.
    pub fn otherwise(&mut self, value: Node) -> Option<Node> {
        let place = self.span(self.at).to(self.span(self.at + 1));
        self.at += 2;
        let other = self.expression()?;
        self.habit("E148", "every name has a value", place, "there is no missing value");
        let text = self.said(&value, LOOSE);
        Some(Node::written(value.span.to(other.span), value.tight, text))
    }

    /// `x is None`, `x != null`
    pub fn never_missing(&mut self, place: Span, left: &Node) {
        let x = self.said(left, LOOSE);
        let help = format!(
            "leave the test out, or compare with a value that means it: `{x} == -1`, `{x} == \"\"`"
        );
        self.advise("E148", "every name has a value", place, "there is no missing value", help);
    }
}

//! Words that a text shows in the order that `sort` gives them: that of their pool, which nobody
//! who reads the text knows.

use std::collections::{BTreeMap, BTreeSet};

use super::typed::{Expr, ExprKind, Function, LocalId, Pool, Template};
use super::types::{Letters, Type};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::Each;

/// Functions in functions; more are not looked into.
const DEPTH_MAX: usize = 8;

/// A lint for each `sort` of words whose order a text shows.
pub fn lints(template: &mut Template) -> Vec<Diagnostic> {
    if pools_are_alphabetical(template) {
        return Vec::new();
    }
    let mut order = Order::default();
    for binding in &template.bindings {
        order.learn(binding.local, &binding.value);
    }
    let layout = &template.layout;
    let texts = layout.system.iter().chain([&layout.prompt, &layout.reply]);
    let shown = texts.flatten().flat_map(|piece| piece.shown());
    let sorts: BTreeSet<Span> = shown.filter_map(|shown| order.of(&shown.value)).collect();
    sorts.into_iter().map(lint).collect()
}

fn lint(sort: Span) -> Diagnostic {
    let title = "words are shown in the order of their pool";
    Diagnostic::lint("L627", title, sort, "`sort` of words is not alphabetical").help(
        "sort them as texts, `sort(for word in words: \"{word}\")`, or show them in random order: \
         `mixed ~ shuffle(words)`",
    )
}

/// Are all words drawn from files whose lines are in alphabetical order?
fn pools_are_alphabetical(template: &mut Template) -> bool {
    let mut uses_vocab = false;
    for binding in &mut template.bindings {
        binding.value.visit(&mut |expr| uses_vocab |= matches!(expr.kind, ExprKind::Pool(0)));
    }
    let is_sorted = |pool: &Pool| pool.words.is_sorted();
    !uses_vocab && template.pools.len() > 1 && template.pools.iter().skip(1).all(is_sorted)
}

/// Which values have an order, or an element, that a `sort` of words gave them: its place.
#[derive(Default)]
struct Order {
    known: BTreeMap<LocalId, Span>,
    /// The call that stands in the template, inside a function of another file.
    call: Option<Span>,
    depth: usize,
}

impl Order {
    fn learn(&mut self, name: LocalId, value: &Expr) {
        if let Some(sort) = self.of(value) {
            self.known.insert(name, sort);
        }
    }

    fn of(&mut self, expr: &Expr) -> Option<Span> {
        match &expr.kind {
            ExprKind::Local(id) => self.known.get(id).copied(),
            ExprKind::Native(name, given) => self.native(name, given, expr),
            // The others draw in random order.
            ExprKind::Sampler(name, given) if matches!(&**name, "span" | "split") => {
                self.of(given.last()?)
            }
            ExprKind::Repeat(_, value) | ExprKind::ToReal(value) => self.of(value),
            ExprKind::Apply(function, given) => self.applied(function, given, expr.span),
            ExprKind::List(parts) => parts.iter().find_map(|part| self.of(part)),
            // A comparison tells nothing of an order.
            ExprKind::Binary(_, a, b) if expr.ty != Type::Bool => self.of(a).or_else(|| self.of(b)),
            ExprKind::If(_, yes, no) => self.of(yes).or_else(|| self.of(no)),
            ExprKind::Each(Each::For, it) => {
                self.learn(it.item, &it.list);
                self.of(&it.list).or_else(|| self.of(&it.body))
            }
            ExprKind::Fold(fold) => {
                fold.carried.iter().for_each(|(name, first)| self.learn(*name, first));
                self.learn(fold.item, &fold.list);
                let names = || fold.carried.iter().map(|(name, _)| *name);
                // What one value is told in a turn, the next may be in the turn after it.
                for _ in names() {
                    names().zip(&fold.next).for_each(|(name, next)| self.learn(name, next));
                }
                self.known.get(&fold.carried.first()?.0).copied()
            }
            _ => None,
        }
    }

    fn native(&mut self, name: &str, given: &[Expr], expr: &Expr) -> Option<Span> {
        match name {
            "sort" => {
                let sorts_words = given.first()?.ty == Type::Token.list();
                sorts_words.then(|| self.call.unwrap_or(expr.span))
            }
            "position" => self.of(given.last()?),
            _ if matches!(expr.ty, Type::Int | Type::Real | Type::Bool) => match name {
                "at" | "first" => self.of(given.last()?),
                _ => None,
            },
            "union" => given.iter().find_map(|list| self.of(list)),
            // Which words are gone does not tell in which order they were.
            "intersect" => self.of(given.first()?),
            _ => self.of(given.last()?),
        }
    }

    /// A call: what the body gives for values of these types, in these orders.
    fn applied(&mut self, function: &Function, given: &[Expr], span: Span) -> Option<Span> {
        let body = function.body.as_ref().filter(|_| self.depth < DEPTH_MAX)?;
        if !given.iter().any(|value| holds_words(&value.ty)) {
            return None;
        }
        let mut letters = Letters::new();
        for (param, value) in function.params.iter().zip(given) {
            param.learn(&value.ty, &mut letters);
        }
        let known = given.iter().enumerate();
        let known = known.filter_map(|(at, value)| Some((at, self.of(value)?))).collect();
        let call = self.call.or_else(|| function.foreign.then_some(span));
        let mut inside = Order { known, call, depth: self.depth + 1 };
        let body = body.filled(&letters);
        for (name, _, value) in &body.bindings {
            inside.learn(*name, value);
        }
        inside.of(&body.result)
    }
}

fn holds_words(ty: &Type) -> bool {
    match ty {
        Type::List(element) => holds_words(element),
        other => *other == Type::Token,
    }
}

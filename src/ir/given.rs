//! What rules need and no reply changes: it is loaded from a sample's memory, and made once of a
//! record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::filled;
use crate::check::roles::outputs;
use crate::check::typed::{Expr, ExprKind, Fold, LocalId, Loop, Template};
use crate::syntax::ast::Operator;

/// The rules of a template as they are lowered: what a binding has computed already has a name.
pub struct Relations<'a> {
    template: &'a Template,
    /// The names whose values differ from reply to reply.
    pub changed: BTreeSet<LocalId>,
    /// The relation of each rule, and the names in it.
    pub all: Vec<(Expr, BTreeSet<LocalId>)>,
    /// The names of values that are shown, and are kept as the sample has them: those of the
    /// bindings that compute them.
    pub kept: BTreeMap<LocalId, LocalId>,
}

impl<'a> Relations<'a> {
    /// Looks at all rules.
    pub fn new(template: &'a Template) -> Relations<'a> {
        let mut changed = outputs(template);
        for binding in &template.bindings {
            let is_again = !binding.shown && !binding.drawn;
            if is_again && !binding.uses.is_disjoint(&changed) {
                changed.insert(binding.local);
            }
        }
        let mut relations = Relations { template, changed, all: Vec::new(), kept: BTreeMap::new() };
        for rule in &template.rules {
            let mut relation = rule.relation.clone();
            relations.named(&mut relation, true);
            let names = relation.names();
            relations.all.push((relation, names));
        }
        relations
    }

    /// Puts a name in the place of what a binding computes. Only where it is computed whatever the
    /// reply says, so that a failure is one of the rule; `is_root` says that a false value is one
    /// of the rule too.
    fn named(&mut self, expr: &mut Expr, is_root: bool) {
        if let Some(local) = self.binding_like(expr) {
            expr.kind = ExprKind::Local(local);
            return;
        }
        match &mut expr.kind {
            // It is lowered with its list.
            ExprKind::Native(name, _) if name == filled::JOINED => {}
            // Of a loop, only what comes before its first turn is sure to be computed.
            ExprKind::Native(name, parts) if name == "first" => match &mut parts[1].kind {
                ExprKind::Each(_, each) => self.named(&mut each.list, false),
                _ => self.named(&mut parts[1], false),
            },
            ExprKind::Native(_, parts)
            | ExprKind::Apply(_, parts)
            | ExprKind::Again(parts)
            | ExprKind::List(parts) => parts.iter_mut().for_each(|part| self.named(part, false)),
            ExprKind::Binary(Operator::And, left, right) => {
                self.named(left, is_root);
                if is_root {
                    self.named(right, true);
                }
            }
            ExprKind::Binary(Operator::Or, left, _) => self.named(left, false),
            ExprKind::Binary(_, left, right) | ExprKind::Range(left, right) => {
                self.named(left, false);
                self.named(right, false);
            }
            ExprKind::Not(only) | ExprKind::ToReal(only) | ExprKind::If(only, ..) => {
                self.named(only, false);
            }
            ExprKind::Each(_, each) => self.named(&mut each.list, false),
            ExprKind::Fold(fold) => {
                fold.carried.iter_mut().for_each(|(_, first)| self.named(first, false));
                self.named(&mut fold.list, false);
            }
            _ => {}
        }
    }

    /// The name of the value that is computed like an expression.
    fn binding_like(&mut self, expr: &mut Expr) -> Option<LocalId> {
        // Lists as they are written and ranges are lowered with what they are in.
        let mut takes_time = false;
        if !matches!(expr.kind, ExprKind::List(_) | ExprKind::Range(..)) {
            expr.visit(&mut |part| {
                takes_time |= match &part.kind {
                    ExprKind::Native(name, _) => !matches!(name.as_str(), "size" | "at"),
                    ExprKind::Apply(..) | ExprKind::Each(..) | ExprKind::Fold(_) => true,
                    ExprKind::Binary(Operator::Add, ..) => part.ty.element().is_some(),
                    _ => false,
                }
            });
        }
        let template = self.template;
        let binding = template.bindings.iter().filter(|_| takes_time).find(|binding| {
            !binding.drawn
                && binding.uses.is_disjoint(&self.changed)
                && Alike::new(template).are(expr, &binding.value)
        })?;
        if !binding.shown {
            return Some(binding.local);
        }
        let next = template.locals.len() + self.kept.len();
        let known = self.kept.iter().find(|(_, of)| **of == binding.local).map(|(name, _)| *name);
        Some(known.unwrap_or_else(|| {
            self.kept.insert(next, binding.local);
            next
        }))
    }
}

/// Compares expressions: those that are alike have equal values in every sample.
struct Alike<'a> {
    template: &'a Template,
    /// The names of loops of the first, with those that they are in the second.
    names: Vec<(LocalId, LocalId)>,
}

impl<'a> Alike<'a> {
    fn new(template: &'a Template) -> Alike<'a> {
        Alike { template, names: Vec::new() }
    }

    fn are(&mut self, one: &Expr, other: &Expr) -> bool {
        if one.ty != other.ty {
            return false;
        }
        match (&one.kind, &other.kind) {
            (ExprKind::Local(a), ExprKind::Local(b)) => {
                let known = self.names.iter().rev().find(|(one, other)| one == a || other == b);
                known.map_or(a == b, |known| *known == (*a, *b))
            }
            (ExprKind::Local(name), _) => self.value(*name).is_some_and(|it| self.are(it, other)),
            (_, ExprKind::Local(name)) => self.value(*name).is_some_and(|it| self.are(one, it)),
            (ExprKind::Int(a), ExprKind::Int(b)) => a == b,
            (ExprKind::Real(a), ExprKind::Real(b)) => a.to_bits() == b.to_bits(),
            (ExprKind::Bool(a), ExprKind::Bool(b)) => a == b,
            (ExprKind::Text(a), ExprKind::Text(b)) => a == b,
            (ExprKind::Param(a), ExprKind::Param(b)) | (ExprKind::Pool(a), ExprKind::Pool(b)) => {
                a == b
            }
            (ExprKind::Native(a, these), ExprKind::Native(b, those)) => {
                a == b && self.all(these, those)
            }
            (ExprKind::Apply(a, these), ExprKind::Apply(b, those)) => {
                Arc::ptr_eq(a, b) && self.all(these, those)
            }
            (ExprKind::List(these), ExprKind::List(those)) => self.all(these, those),
            (ExprKind::Not(a), ExprKind::Not(b)) | (ExprKind::ToReal(a), ExprKind::ToReal(b)) => {
                self.are(a, b)
            }
            (ExprKind::Range(a, b), ExprKind::Range(c, d)) => self.are(a, c) && self.are(b, d),
            (ExprKind::Binary(x, a, b), ExprKind::Binary(y, c, d)) => {
                x == y && self.are(a, c) && self.are(b, d)
            }
            (ExprKind::If(a, b, c), ExprKind::If(x, y, z)) => {
                self.are(a, x) && self.are(b, y) && self.are(c, z)
            }
            (ExprKind::Each(a, one), ExprKind::Each(b, other)) => a == b && self.loops(one, other),
            (ExprKind::Fold(one), ExprKind::Fold(other)) => self.folds(one, other),
            _ => false,
        }
    }
    /// The value of a name that is computed again wherever it is needed.
    fn value(&self, name: LocalId) -> Option<&'a Expr> {
        let (_, binding) = self.template.binding_of(name)?;
        (!binding.drawn && !binding.shown).then_some(&binding.value)
    }

    fn all(&mut self, these: &[Expr], those: &[Expr]) -> bool {
        these.len() == those.len() && these.iter().zip(those).all(|(a, b)| self.are(a, b))
    }

    fn both(&mut self, one: &Option<Expr>, other: &Option<Expr>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => self.are(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    fn loops(&mut self, one: &Loop, other: &Loop) -> bool {
        let outside = self.names.len();
        let are = self.are(&one.list, &other.list) && {
            self.names.push((one.item, other.item));
            self.both(&one.filter, &other.filter) && self.are(&one.body, &other.body)
        };
        self.names.truncate(outside);
        are
    }

    fn folds(&mut self, one: &Fold, other: &Fold) -> bool {
        let outside = self.names.len();
        let carried = || one.carried.iter().zip(&other.carried);
        let are = one.carried.len() == other.carried.len()
            && carried().all(|((_, a), (_, b))| self.are(a, b))
            && self.are(&one.list, &other.list)
            && {
                self.names.extend(carried().map(|((a, _), (b, _))| (*a, *b)));
                self.names.push((one.item, other.item));
                self.both(&one.filter, &other.filter) && self.all(&one.next, &other.next)
            };
        self.names.truncate(outside);
        are
    }
}

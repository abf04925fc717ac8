//! The source of a step's operands, for what to write.

use std::collections::BTreeSet;

use crate::check::typed::{Expr, ExprKind, Function, Piece, Template};
use crate::ir::{Op, Step};
use crate::source::{Source, Span};

/// The operands of a step, the ends of a range as two; none for what is not written as a call or an
/// operator, and for what a function of another file does.
pub fn written(template: &Template, source: &Source, step: &Step) -> Option<Vec<String>> {
    let mut find = Find { step, operands: None, functions: BTreeSet::new() };
    let layout = &template.layout;
    let bindings = template.bindings.iter().map(|binding| &binding.value);
    let rules = template.rules.iter().map(|rule| &rule.relation);
    let pieces = layout.system.iter().flatten().chain(&layout.prompt);
    let placeholders = pieces.flat_map(Piece::shown).map(|placeholder| &placeholder.value);
    bindings.chain(rules).chain(placeholders).for_each(|expr| find.look(expr));
    let texts = find.operands?.into_iter().map(|(span, is_open)| text(source, span, is_open));
    Some(texts.collect())
}

/// The text of a span, on one line; in parentheses, if it would go on in what is around it.
fn text(source: &Source, span: Span, is_open: bool) -> String {
    let text = source.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
    if is_open { format!("({text})") } else { text }
}

struct Find<'s> {
    step: &'s Step,
    /// The spans of the operands, and whether each goes on at its end.
    operands: Option<Vec<(Span, bool)>>,
    /// The functions that were looked into.
    functions: BTreeSet<Span>,
}

impl Find<'_> {
    fn look(&mut self, expr: &Expr) {
        // Visiting may change an expression, so that it takes a copy.
        expr.clone().visit(&mut |expr| {
            if self.operands.is_none() && expr.span == self.step.span {
                self.operands = operands(&self.step.op, &expr.kind);
            }
            if let ExprKind::Apply(function, _) = &expr.kind {
                self.look_into(function);
            }
        });
    }

    fn look_into(&mut self, function: &Function) {
        let Some(body) = function.body.as_ref().filter(|_| !function.foreign) else { return };
        if self.functions.insert(function.span) {
            body.bindings.iter().for_each(|(_, _, value)| self.look(value));
            self.look(&body.result);
        }
    }
}

/// The operands of an expression that is lowered to such a step.
fn operands(op: &Op, kind: &ExprKind) -> Option<Vec<(Span, bool)>> {
    let all: Vec<&Expr> = match (op, kind) {
        (Op::Integer(..), ExprKind::Binary(_, left, right)) => vec![left, right],
        (Op::Element(..) | Op::Call(..), ExprKind::Native(_, parts)) => parts.iter().collect(),
        (Op::Draw(..) | Op::Element(..), ExprKind::Sampler(_, parts)) => match &parts[..] {
            [Expr { kind: ExprKind::Range(low, high), .. }] => vec![low, high],
            parts => parts.iter().collect(),
        },
        (Op::NewList(_), ExprKind::Repeat(count, _)) => vec![count],
        _ => return None,
    };
    let is_open = |expr: &&Expr| {
        matches!(expr.kind, ExprKind::If(..) | ExprKind::Each(..) | ExprKind::Fold(..))
    };
    Some(all.into_iter().map(|expr| (expr.span, is_open(&expr))).collect())
}

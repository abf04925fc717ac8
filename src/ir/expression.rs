//! Expressions to steps: numbers, booleans, lists, branches and loops.

use super::bounds::{self, between, compare, exactly, list, truth};
use super::level::Number;
use super::lower::{Lower, Value};
use super::{Arithmetic, Bound, Builtin, Comparison, NOWHERE, Op};
use crate::check::typed::{Expr, ExprKind};
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::runtime::bound::TextBound;
use crate::source::Span;
use crate::syntax::ast::Operator;

impl Lower<'_> {
    /// An expression that computes.
    pub fn expr(&mut self, expr: &Expr) -> Value {
        let (ty, span) = (&expr.ty, expr.span);
        if !self.may_go_on(span) {
            return self.make(Op::Constant(0), ty, Bound::Any, span);
        }
        match &expr.kind {
            ExprKind::Int(value) => self.number(*value, span),
            ExprKind::Real(value) => self.real(*value, span),
            ExprKind::Bool(value) => self.truth(*value, span),
            ExprKind::Text(text) => self.literal(text, span),
            ExprKind::Local(id) => {
                let frame = self.frames.last().expect("one frame is always there");
                frame.get(id).expect("check gave every name a value before its use").clone()
            }
            ExprKind::Param(index) => match self.numbers[*index] {
                Number::Int(value) => {
                    match self.template.params[*index].names.get(value as usize) {
                        Some(name) => self.literal(name, span),
                        None => self.number(value, span),
                    }
                }
                Number::Real(value) => self.real(value, span),
            },
            ExprKind::Pool(index) => {
                let size = self.pool_sizes[*index];
                let bound = list(size, size, Bound::Token(*index as u32));
                self.make(Op::Pool(*index as u32), ty, bound, span)
            }
            ExprKind::Native(name, arguments) => self.native(name, arguments, ty, span),
            ExprKind::Apply(function, arguments) => self.apply(function, arguments, None, span),
            ExprKind::Again(arguments) => self.again(arguments, None, ty, span),
            ExprKind::List(elements) => self.list(elements, ty, span),
            ExprKind::Range(low, high) => {
                let (low, high) = (self.expr(low), self.expr(high));
                self.range(&low, &high, span)
            }
            ExprKind::Not(operand) => {
                let operand = self.expr(operand);
                self.negated(&operand, span)
            }
            ExprKind::ToReal(operand) => {
                let operand = self.expr(operand);
                self.make(Op::ToReal(operand.register), ty, Bound::Any, span)
            }
            ExprKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, ty, span)
            }
            ExprKind::If(condition, yes, no) => {
                let condition = self.expr(condition);
                self.branch(&condition, ty, span, |lower, first| {
                    lower.expr(if first { yes } else { no })
                })
            }
            ExprKind::Each(each, it) => self.each(*each, it, ty, span),
            ExprKind::Fold(fold) => self.fold(fold, span),
            ExprKind::Sampler(..) | ExprKind::Repeat(..) => {
                unreachable!("check allows a sampler right of `~` only")
            }
        }
    }

    /// A text that is known.
    pub fn literal(&mut self, text: &str, span: Span) -> Value {
        let symbol = self.text(text);
        let bound = Bound::Text(TextBound::literal(symbol, text));
        self.make(Op::Constant(i64::from(symbol)), &Type::Text, bound, span)
    }

    fn real(&mut self, value: f64, span: Span) -> Value {
        self.make(Op::Constant(value.to_bits() as i64), &Type::Real, Bound::Any, span)
    }

    /// A boolean that is known.
    pub fn truth(&mut self, value: bool, span: Span) -> Value {
        let value = i64::from(value);
        self.make(Op::Constant(value), &Type::Bool, exactly(value), span)
    }

    /// `not`, folded where known.
    pub fn negated(&mut self, operand: &Value, span: Span) -> Value {
        match operand.bound.known() {
            Some(value) => self.truth(value == 0, span),
            None => self.make(Op::Not(operand.register), &Type::Bool, truth(), span),
        }
    }

    fn list(&mut self, elements: &[Expr], ty: &Type, span: Span) -> Value {
        let values: Vec<Value> = elements.iter().map(|element| self.expr(element)).collect();
        self.list_of(&values, ty, span)
    }

    /// A list of these values.
    pub fn list_of(&mut self, values: &[Value], ty: &Type, span: Span) -> Value {
        let count = values.len() as i64;
        let element = values.iter().map(|value| value.bound.clone()).reduce(|a, b| a.hull(&b));
        let size = self.number(count, span);
        let bound = list(count, count, element.unwrap_or(Bound::Any));
        self.takes(ty, count);
        let made = self.step(Op::NewList(size.register), ty, bound, span, true);
        for (at, value) in values.iter().enumerate() {
            let index = self.number(at as i64, span);
            let put = Op::Put(made.register, index.register, value.register);
            self.push(put, NOWHERE, span, true);
        }
        made
    }

    /// The list `low..high` as a list in memory.
    pub fn range(&mut self, low: &Value, high: &Value, span: Span) -> Value {
        let ((a, b), (c, d)) = (low.bound.interval(), high.bound.interval());
        let most = d.saturating_sub(a).saturating_add(1).max(0);
        let least = c.saturating_sub(b).saturating_add(1).max(0);
        if !self.in_rule && most > bounds::READ_BACK_MAX {
            self.errors.push(too_many(most, span));
        }
        let bound = list(least.min(most), most, between(a, d));
        self.takes(&Type::Int.list(), most);
        let operands = [low.register, high.register, NOWHERE];
        self.step(Op::Call(Builtin::Range, operands), &Type::Int.list(), bound, span, false)
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Expr,
        right: &Expr,
        ty: &Type,
        span: Span,
    ) -> Value {
        if let Operator::And | Operator::Or = operator {
            let condition = self.expr(left);
            let on_left = operator == Operator::And;
            return self.branch(&condition, &Type::Bool, span, |lower, first| {
                if first == on_left { lower.expr(right) } else { lower.truth(!on_left, span) }
            });
        }
        if let (Operator::In, ExprKind::Range(low, high)) = (operator, &right.kind) {
            return self.in_range(left, low, high, span);
        }
        let (a, b) = (self.expr(left), self.expr(right));
        match operator {
            Operator::In => self.builtin(Builtin::Contains, &[a, b], ty, span),
            Operator::Within => self.builtin(Builtin::Within, &[a, b], ty, span),
            Operator::Add if ty.element().is_some() => {
                self.builtin(Builtin::Append, &[a, b], ty, span)
            }
            _ => match (Arithmetic::of(operator), comparison(operator)) {
                (Some(op), _) if *ty == Type::Real => {
                    self.make(Op::Real(op, a.register, b.register), ty, Bound::Any, span)
                }
                (Some(op), _) => self.arithmetic(op, &a, &b, span),
                (None, Some(Comparison::NotEqual)) if left.ty.element().is_some() => {
                    let same = self.builtin(Builtin::Same, &[a, b], ty, span);
                    self.negated(&same, span)
                }
                (None, Some(Comparison::Equal)) if left.ty.element().is_some() => {
                    self.builtin(Builtin::Same, &[a, b], ty, span)
                }
                (None, Some(op)) => self.compare(op, &a, &b, span),
                (None, None) => unreachable!("every other operator was met above"),
            },
        }
    }

    /// `+ - * / %` on integers: folded where known, checked where not proved.
    pub fn arithmetic(&mut self, op: Arithmetic, a: &Value, b: &Value, span: Span) -> Value {
        if let (Some(x), Some(y)) = (a.bound.known(), b.bound.known())
            && let Ok(value) = op.apply(x, y)
        {
            return self.number(value, span);
        }
        let (bound, proved, hopeless) = bounds::arithmetic(op, &a.bound, &b.bound);
        if hopeless && self.certain {
            self.errors.push(
                Diagnostic::error("E504", "this has no value at this level", span, {
                    "overflows, or divides by zero"
                })
                .help("write numbers that fit into 64 bits, and no divisor of 0"),
            );
        }
        self.step(Op::Integer(op, a.register, b.register), &Type::Int, bound, span, proved)
    }

    /// A comparison of two cells, folded where the bounds decide it.
    pub fn compare(&mut self, op: Comparison, a: &Value, b: &Value, span: Span) -> Value {
        match compare(op, &a.bound, &b.bound) {
            Some(known) => self.truth(known, span),
            None => self.make(Op::Compare(op, a.register, b.register), &Type::Bool, truth(), span),
        }
    }

    /// `x in a..b`, without making the list.
    fn in_range(&mut self, x: &Expr, low: &Expr, high: &Expr, span: Span) -> Value {
        let (x, low, high) = (self.expr(x), self.expr(low), self.expr(high));
        let above = self.compare(Comparison::LessEqual, &low, &x, span);
        self.branch(&above, &Type::Bool, span, |lower, first| match first {
            true => lower.compare(Comparison::LessEqual, &x, &high, span),
            false => lower.truth(false, span),
        })
    }

    /// Two branches that meet in one register; `lower_branch` lowers the first for `true`.
    pub fn branch(
        &mut self,
        condition: &Value,
        ty: &Type,
        span: Span,
        mut lower_branch: impl FnMut(&mut Self, bool) -> Value,
    ) -> Value {
        if let Some(known) = condition.bound.known() {
            return lower_branch(self, known == 1);
        }
        let certain = std::mem::replace(&mut self.certain, false);
        let into = self.register(ty);
        let at_if = self.push(Op::If(condition.register, 0), NOWHERE, span, true);
        let yes = lower_branch(self, true);
        self.push(Op::Copy(yes.register), into, span, true);
        let at_else = self.push(Op::Else(0), NOWHERE, span, true);
        self.program.steps[at_if as usize].op = Op::If(condition.register, at_else + 1);
        let no = lower_branch(self, false);
        self.push(Op::Copy(no.register), into, span, true);
        let end = self.push(Op::EndIf, NOWHERE, span, true);
        self.program.steps[at_else as usize].op = Op::Else(end);
        self.certain = certain;
        Value { register: into, bound: yes.bound.hull(&no.bound) }
    }
}

fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Equal => Comparison::Equal,
        Operator::NotEqual => Comparison::NotEqual,
        Operator::Less => Comparison::Less,
        Operator::LessEqual => Comparison::LessEqual,
        Operator::Greater => Comparison::Greater,
        Operator::GreaterEqual => Comparison::GreaterEqual,
        _ => return None,
    })
}

fn too_many(numbers: i64, span: Span) -> Diagnostic {
    let title = format!("this range may have {numbers} numbers");
    let help = format!("write a shorter range: at most {} numbers", bounds::READ_BACK_MAX);
    Diagnostic::error("E505", title, span, "too many to keep in memory").help(help)
}

//! Calls to steps: natives of the runtime, samplers, and functions, which are inlined.

use std::collections::BTreeMap;

use super::bounds::{between, list, truth};
use super::lower::{Lower, Value};
use super::refuse::range;
use super::{Bound, Builtin, NOWHERE, Op, Register, Sampler};
use crate::check::typed::{Expr, ExprKind, Function};
use crate::check::types::{Letters, Type};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Lower<'_> {
    /// A native that computes.
    pub fn native(&mut self, name: &str, arguments: &[Expr], ty: &Type, span: Span) -> Value {
        let values: Vec<Value> = arguments.iter().map(|argument| self.expr(argument)).collect();
        match name {
            "size" => {
                let (low, high) = values[0].bound.sizes();
                self.make(Op::Size(values[0].register), ty, between(low, high), span)
            }
            "at" => self.at(&values[0], &values[1], ty, span),
            _ => {
                let builtin: Builtin =
                    name.parse().expect("every native of builtin.cook has its step");
                if self.certain {
                    self.refuse_builtin(builtin, &values, arguments, span);
                }
                self.builtin(builtin, &values, ty, span)
            }
        }
    }

    fn at(&mut self, index: &Value, xs: &Value, ty: &Type, span: Span) -> Value {
        let ((first, last), (fewest, most)) = (index.bound.interval(), xs.bound.sizes());
        let proved = first >= 0 && last < fewest;
        if self.certain && (last < 0 || first >= most) {
            let title = format!("the place {} is outside the list", range(first, last));
            self.errors.push(
                Diagnostic::error(
                    "E504",
                    title,
                    span,
                    format!("a list of {}", range(fewest, most)),
                )
                .help(match most {
                    0 => "the list is always empty: make one that has elements".to_string(),
                    1 => "write the place 0: the list has one element at most".to_string(),
                    _ => format!("write a place from 0 to {}: the first is 0", most - 1),
                }),
            );
        }
        let op = Op::Element(xs.register, index.register);
        self.step(op, ty, xs.bound.element(), span, proved)
    }

    /// A function of the runtime on values.
    pub fn builtin(&mut self, builtin: Builtin, values: &[Value], ty: &Type, span: Span) -> Value {
        let (bound, proved) = result(builtin, values);
        if ty.element().is_some() {
            self.takes(ty, bound.sizes().1);
        }
        self.step(Op::Call(builtin, operands(values)), ty, bound, span, proved)
    }

    /// What stands right of `~`; `path` names its stream.
    pub fn sampler(&mut self, expr: &Expr, path: &str) -> Value {
        if !self.may_go_on(expr.span) {
            return self.make(Op::Constant(0), &expr.ty, Bound::Any, expr.span);
        }
        match &expr.kind {
            ExprKind::If(condition, yes, no) => {
                let condition = self.expr(condition);
                self.branch(&condition, &expr.ty, expr.span, |lower, first| {
                    lower.sampler(if first { yes } else { no }, path)
                })
            }
            ExprKind::Repeat(count, inner) => self.repeat(count, inner, path, &expr.ty, expr.span),
            ExprKind::Sampler(name, arguments) => {
                self.sample_from(name, arguments, path, &expr.ty, expr.span)
            }
            ExprKind::Apply(function, arguments) => {
                self.apply(function, arguments, Some(path), expr.span)
            }
            _ => unreachable!("check allows samplers only right of `~`"),
        }
    }

    fn sample_from(
        &mut self,
        name: &str,
        arguments: &[Expr],
        path: &str,
        ty: &Type,
        span: Span,
    ) -> Value {
        let sampler: Sampler = name.parse().expect("every sampler of builtin.cook has its step");
        let (sampler, values) = match (sampler, arguments) {
            (Sampler::Uniform, [xs]) => match &xs.kind {
                ExprKind::Range(low, high) => {
                    (Sampler::Uniform, vec![self.expr(low), self.expr(high)])
                }
                _ => (Sampler::Pick, vec![self.expr(xs)]),
            },
            (Sampler::Distinct, [count, xs]) => match without(xs) {
                Some((gone, xs)) => {
                    let values = vec![self.expr(count), self.expr(gone), self.expr(xs)];
                    (Sampler::DistinctWithout, values)
                }
                None => (Sampler::Distinct, vec![self.expr(count), self.expr(xs)]),
            },
            (Sampler::Pick, [xs]) => match without(xs) {
                Some((gone, xs)) => return self.pick_without(gone, xs, path, ty, span),
                None => (Sampler::Pick, vec![self.expr(xs)]),
            },
            _ => (sampler, arguments.iter().map(|each| self.expr(each)).collect()),
        };
        if self.certain {
            self.refuse_draw(sampler, &values, arguments, span);
        }
        self.draw_step(sampler, &values, path, ty, span)
    }

    /// `pick(without(gone, xs))`: the one element of a list drawn from what is left.
    fn pick_without(&mut self, gone: &Expr, xs: &Expr, path: &str, ty: &Type, span: Span) -> Value {
        let values = [self.number(1, span), self.expr(gone), self.expr(xs)];
        if self.certain {
            self.refuse_draw(Sampler::DistinctWithout, &values, &[], span);
        }
        let many = ty.clone().list();
        let drawn = self.draw_step(Sampler::DistinctWithout, &values, path, &many, span);
        let zero = self.number(0, span);
        self.at(&zero, &drawn, ty, span)
    }

    fn draw_step(
        &mut self,
        sampler: Sampler,
        values: &[Value],
        path: &str,
        ty: &Type,
        span: Span,
    ) -> Value {
        let stream = self.stream(path);
        let (bound, proved) = drawn(sampler, values);
        if ty.element().is_some() {
            self.takes(ty, bound.sizes().1);
        }
        self.step(Op::Draw(sampler, stream, operands(values)), ty, bound, span, proved)
    }

    fn repeat(&mut self, count: &Expr, inner: &Expr, path: &str, ty: &Type, span: Span) -> Value {
        let (written, count) = (count, self.expr(count));
        if self.certain {
            self.refuse_count((&count, Some(written)), None, 0, "the draw", span);
        }
        let (low, high) = count.bound.interval();
        self.takes(ty, high);
        let bound = list(low, high, Bound::Any);
        let made = self.step(Op::NewList(count.register), ty, bound, span, low >= 0);
        let over = self.times(count, span);
        let frees = inner.ty.depth() == 0;
        let element = self.looped(&over, frees, span, |lower, index, _| {
            let value = lower.sampler(inner, path);
            let put = Op::Put(made.register, index, value.register);
            lower.push(put, NOWHERE, span, true);
            (value.bound, None)
        });
        Value { bound: list(low, high, element), ..made }
    }

    /// A function's body in place of its call; its draws go on from `path`.
    pub fn apply(
        &mut self,
        function: &Function,
        arguments: &[Expr],
        path: Option<&str>,
        span: Span,
    ) -> Value {
        let values: Vec<Value> = arguments.iter().map(|argument| self.expr(argument)).collect();
        let mut letters = Letters::new();
        for (param, argument) in function.params.iter().zip(arguments) {
            param.learn(&argument.ty, &mut letters);
        }
        let mut body = function.body.as_ref().expect("only natives have no body").filled(&letters);
        let outer_site = self.call_site;
        if function.foreign {
            self.call_site = Some(outer_site.unwrap_or(span));
        }
        if let Some(site) = self.call_site {
            body.stand_at(site);
        }
        self.frames.push(values.into_iter().enumerate().collect::<BTreeMap<_, _>>());
        for (local, drawn, value) in &body.bindings {
            let name = &function.locals[*local].name;
            let value = match (drawn, path) {
                (true, Some(path)) => self.sampler(value, &format!("{path}/{name}")),
                _ => self.expr(value),
            };
            self.name(*local, value);
        }
        let result = self.expr(&body.result);
        self.frames.pop();
        self.call_site = outer_site;
        result
    }
}

/// `without(gone, xs)`, which a draw does not make.
fn without(expr: &Expr) -> Option<(&Expr, &Expr)> {
    match &expr.kind {
        ExprKind::Native(name, arguments) if name == "without" => {
            Some((&arguments[0], &arguments[1]))
        }
        _ => None,
    }
}

fn operands(values: &[Value]) -> [Register; 3] {
    let mut operands = [NOWHERE; 3];
    for (operand, value) in operands.iter_mut().zip(values) {
        *operand = value.register;
    }
    operands
}

/// What is known of a builtin's result, and whether it is proved not to error.
fn result(builtin: Builtin, values: &[Value]) -> (Bound, bool) {
    let bound = |at: usize| &values[at].bound;
    let size = |at: usize| bound(at).sizes();
    match builtin {
        Builtin::Same | Builtin::Contains | Builtin::Within => (truth(), true),
        Builtin::Append => {
            let ((a, b), (c, d)) = (size(0), size(1));
            let both = bound(0).hull(bound(1)).element();
            (list(a.saturating_add(c), b.saturating_add(d), both), true)
        }
        Builtin::Range => (Bound::Any, false),
        Builtin::Take => {
            let ((low, high), (fewest, most)) = (bound(0).interval(), size(1));
            let sizes = (low.clamp(0, most), high.clamp(0, most));
            (bound(1).resized(sizes.0, sizes.1), low >= 0 && high <= fewest)
        }
        Builtin::Drop => {
            let ((low, high), (fewest, most)) = (bound(0).interval(), size(1));
            let rest = |all: i64, gone: i64| all.saturating_sub(gone).clamp(0, most);
            (bound(1).resized(rest(fewest, high), rest(most, low)), low >= 0 && high <= fewest)
        }
        Builtin::Chunks => chunks(bound(0), bound(1)),
        Builtin::Without => (bound(1).resized(0, size(1).1), true),
        Builtin::Reverse | Builtin::Sort => (bound(0).clone(), true),
        Builtin::Unique => (bound(0).resized(size(0).0.min(1), size(0).1), true),
        Builtin::Union => {
            let ((a, b), (c, d)) = (size(0), size(1));
            let both = bound(0).hull(bound(1)).element();
            (list((a.saturating_add(c)).min(1), b.saturating_add(d), both), true)
        }
        Builtin::Intersect => (bound(0).resized(0, size(0).1), true),
        Builtin::Replace => {
            let (low, high) = size(2);
            (list(low, high, bound(2).element().hull(bound(1))), true)
        }
        Builtin::Position => (between(0, size(1).1.saturating_sub(1).max(0)), false),
        Builtin::Around => {
            let ((_, margin), (fewest, most), (_, all)) = (bound(0).interval(), size(1), size(2));
            let widest = most.saturating_add(margin.max(0).saturating_mul(2)).min(all);
            (bound(2).resized(fewest.min(all), widest), false)
        }
        Builtin::After | Builtin::Before => (bound(1).resized(0, size(1).1), false),
        Builtin::Concat => {
            let ((low, high), inner) = (size(0), bound(0).element());
            let (fewest, most) = inner.sizes();
            let sizes = (low.saturating_mul(fewest), high.saturating_mul(most));
            (inner.resized(sizes.0, sizes.1), true)
        }
        Builtin::Sum => total(bound(0)),
        Builtin::Max | Builtin::Min => (bound(0).element(), size(0).0 > 0),
    }
}

fn chunks(count: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    let parts = |all: i64, each: i64| all / each.max(1) + i64::from(all % each.max(1) != 0);
    let even = fewest == most && low == high && low > 0 && most % low == 0;
    let smallest = if even { low } else { 1 };
    let part = xs.resized(smallest.min(most), high.clamp(1, most.max(1)));
    (list(parts(fewest, high), parts(most, low), part), low >= 1)
}

fn total(xs: &Bound) -> (Bound, bool) {
    let (fewest, most) = xs.sizes();
    let Bound::Int { low, high } = xs.element() else {
        return (Bound::Any, most == 0);
    };
    let ends = [fewest, most].map(|n| [low, high].map(|x| i128::from(n) * i128::from(x)));
    let least = ends.iter().flatten().copied().min().unwrap_or_default();
    let greatest = ends.iter().flatten().copied().max().unwrap_or_default();
    match (i64::try_from(least), i64::try_from(greatest)) {
        (Ok(least), Ok(greatest)) => (between(least, greatest), true),
        _ => (between(i64::MIN, i64::MAX), false),
    }
}

/// What is known of a drawn value, and whether the draw is proved not to error.
fn drawn(sampler: Sampler, values: &[Value]) -> (Bound, bool) {
    let bound = |at: usize| &values[at].bound;
    let count = || bound(0).interval();
    match sampler {
        Sampler::Distinct | Sampler::Span => {
            let ((low, high), (fewest, most)) = (count(), bound(1).sizes());
            let run = bound(1).resized(low.clamp(0, most), high.clamp(0, most));
            (run, low >= 0 && high <= fewest)
        }
        Sampler::DistinctWithout => {
            let ((low, high), (fewest, most)) = (count(), bound(2).sizes());
            let run = bound(2).resized(low.clamp(0, most), high.clamp(0, most));
            // A pool has each token once, so that at most as many go as are named.
            let pool = matches!(bound(2).element(), Bound::Token(_));
            let left = fewest.saturating_sub(bound(1).sizes().1);
            (run, pool && low >= 0 && high <= left)
        }
        Sampler::Draw => {
            let ((low, high), (fewest, _)) = (count(), bound(1).sizes());
            (bound(1).resized(low, high), low >= 0 && fewest > 0)
        }
        Sampler::Pick => (bound(0).element(), bound(0).sizes().0 > 0),
        Sampler::Shuffle => (bound(0).clone(), true),
        Sampler::Coin => (truth(), false),
        Sampler::Uniform => {
            let ((a, b), (c, d)) = (bound(0).interval(), bound(1).interval());
            (between(a, d.max(a)), b <= c)
        }
        Sampler::Weighted => (bound(0).element(), false),
        Sampler::Split => {
            let ((low, high), (fewest, most)) = (count(), bound(1).sizes());
            let longest = most.saturating_sub(low).saturating_add(1).max(1);
            let part = bound(1).resized(1.min(most), longest.min(most.max(1)));
            (list(low.max(0), high.clamp(0, most), part), low >= 1 && high <= fewest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_native_of_the_stdlib_has_its_step() {
        for function in crate::check::builtins().values() {
            let name = function.name.as_str();
            let is_shown = matches!(name, "join" | "lines" | "numbered" | "labelled");
            let is_step = matches!(name, "size" | "at");
            let is_known = match function.draws {
                true => name.parse::<Sampler>().is_ok(),
                false => is_shown || is_step || name.parse::<Builtin>().is_ok(),
            };
            assert!(is_known, "{name} has no step");
        }
    }
}

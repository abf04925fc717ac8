//! Calls to steps: natives of the runtime, samplers, and functions, which are inlined.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bounds::{between, list};
use super::lower::{Lower, Value};
use super::refuse::range;
use super::{Bound, Builtin, NOWHERE, Op, Register, Sampler};
use crate::check::filled;
use crate::check::typed::{Expr, ExprKind, Function};
use crate::check::types::{Letters, Type};
use crate::diagnostic::Diagnostic;
use crate::runtime::builtins::{concat_of, of_signs};
use crate::runtime::signs::Signs;
use crate::source::Span;

/// How deep a function may call itself: each call stands in the one before.
const DEPTH_MAX: i64 = 16;

impl Lower<'_> {
    /// A native that computes.
    pub fn native(&mut self, name: &str, arguments: &[Expr], ty: &Type, span: Span) -> Value {
        if let (filled::JOINED, [_, Expr { kind: ExprKind::List(parts), ty: list, .. }]) =
            (name, arguments)
        {
            return self.joined(parts, list, span);
        }
        if let (filled::SHOWN | filled::SHOWN_EACH, [value]) = (name, arguments) {
            let (shown, kind) = (self.expr(value), &value.ty);
            return match kind.element() {
                Some(element) if name == filled::SHOWN_EACH => self.texts_of(&shown, element, span),
                _ => self.text_of(&shown, kind, span),
            };
        }
        if let ("first", [otherwise, xs]) = (name, arguments) {
            return self.first(xs, otherwise, ty, span);
        }
        if let ("min" | "max", [Expr { kind: ExprKind::List(parts), ty: list, .. }]) =
            (name, arguments)
            && *ty == Type::Int
        {
            return self.extreme(name == "max", parts, list, span);
        }
        let values: Vec<Value> = arguments.iter().map(|argument| self.expr(argument)).collect();
        match name {
            "size" => {
                let (low, high) = values[0].bound.sizes();
                self.make(Op::Size(values[0].register), ty, between(low, high), span)
            }
            "at" => self.at(&values[0], &values[1], ty, span),
            "letters" if arguments[0].ty == Type::Token => {
                let text = self.text_of(&values[0], &Type::Token, span);
                self.builtin(Builtin::Letters, &[text], ty, span)
            }
            "sort" if ty.element() == Some(&Type::Text) => {
                self.builtin(Builtin::SortTexts, &values, ty, span)
            }
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

    /// The least or the greatest of numbers written one by one: each bounds it.
    fn extreme(&mut self, is_max: bool, parts: &[Expr], list: &Type, span: Span) -> Value {
        let parts: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
        let builtin = if is_max { Builtin::Max } else { Builtin::Min };
        let bounds = parts.iter().map(|part| part.bound.interval());
        let bound = bounds.reduce(|(low, high), (a, b)| match is_max {
            true => (low.max(a), high.max(b)),
            false => (low.min(a), high.min(b)),
        });
        let parts = self.list_of(&parts, list, span);
        let found = self.builtin(builtin, &[parts], &Type::Int, span);
        match bound {
            Some((low, high)) => Value { bound: between(low, high), ..found },
            None => found,
        }
    }

    /// The parts of a text with placeholders, one after the other.
    fn joined(&mut self, parts: &[Expr], list: &Type, span: Span) -> Value {
        let parts: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
        let texts: Vec<_> = parts.iter().map(|part| part.bound.text()).collect();
        if let [only] = &parts[..] {
            return only.clone();
        }
        let nothing = self.literal("", span);
        let parts = self.list_of(&parts, list, span);
        let made = self.builtin(Builtin::Joined, &[nothing, parts], &Type::Text, span);
        Value { bound: Bound::Text(concat_of(&texts)), ..made }
    }

    /// A value as a layout shows it.
    fn text_of(&mut self, value: &Value, kind: &Type, span: Span) -> Value {
        let shows = match kind {
            Type::Int => Builtin::ShownInt,
            Type::Real => Builtin::ShownReal,
            Type::Token => {
                let words =
                    of_signs(1, self.words.longest as i64, Signs::of_words(self.words.in_ascii));
                self.takes_text(&words);
                let operands = [value.register, NOWHERE, NOWHERE];
                let op = Op::Call(Builtin::ShownToken, operands);
                return self.make(op, &Type::Text, words, span);
            }
            Type::Bool => {
                return self.branch(value, &Type::Text, span, |lower, first| {
                    lower.literal(if first { "true" } else { "false" }, span)
                });
            }
            Type::List(element) => {
                let between = if element.depth() > 0 { "\n" } else { " " };
                let parts = self.texts_of(value, element, span);
                let between = self.literal(between, span);
                return self.builtin(Builtin::Joined, &[between, parts], &Type::Text, span);
            }
            Type::Text | Type::Any(_) | Type::Shown | Type::Unknown => return value.clone(),
        };
        self.builtin(shows, std::slice::from_ref(value), &Type::Text, span)
    }

    /// Each element of a list as a text.
    fn texts_of(&mut self, list: &Value, element: &Type, span: Span) -> Value {
        if *element == Type::Text {
            return list.clone();
        }
        let over = self.over_list(list.clone(), element, span);
        self.listed(&over, &Type::Text, span, |lower, item| lower.text_of(&item, element, span))
    }

    pub fn at(&mut self, index: &Value, xs: &Value, ty: &Type, span: Span) -> Value {
        let ((first, last), (fewest, most)) = (index.bound.interval(), xs.bound.sizes());
        let proved = first >= 0 && last < fewest;
        if self.certain && (last < 0 || first >= most) {
            let title = format!("the index {} is out of bounds", range(first, last));
            self.errors.push(
                Diagnostic::error(
                    "E504",
                    title,
                    span,
                    format!("a list of {}", range(fewest, most)),
                )
                .help(match most {
                    0 => "the list is always empty: make one that has elements".to_string(),
                    1 => "write the index 0: the list has at most one element".to_string(),
                    _ => format!("write an index from 0 to {}: the first is 0", most - 1),
                }),
            );
        }
        let op = Op::Element(xs.register, index.register);
        self.step(op, ty, xs.bound.element(), span, proved)
    }

    /// A function of the runtime on values.
    pub fn builtin(&mut self, builtin: Builtin, values: &[Value], ty: &Type, span: Span) -> Value {
        let (bound, proved) = (builtin.row().bound)(&bounds(values));
        if ty.element().is_some() {
            self.takes(ty, bound.sizes().1);
        }
        if builtin.makes_texts() {
            self.takes_text(&bound);
        }
        self.step(Op::Call(builtin, operands(values)), ty, bound, span, proved)
    }

    /// What is right of `~`; `path` names its stream.
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
            ExprKind::Each(_, it) => self.made(it, Some(path), &expr.ty, expr.span),
            ExprKind::Sampler(name, arguments) => {
                self.sample_from(name, arguments, path, &expr.ty, expr.span)
            }
            ExprKind::Apply(function, arguments) => {
                self.apply(function, arguments, Some(path), expr.span)
            }
            ExprKind::Again(arguments) => self.again(arguments, Some(path), &expr.ty, expr.span),
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
        let (bound, proved) = (sampler.row().bound)(&bounds(values));
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
        function: &Arc<Function>,
        arguments: &[Expr],
        path: Option<&str>,
        span: Span,
    ) -> Value {
        let values: Vec<Value> = arguments.iter().map(|argument| self.expr(argument)).collect();
        if !function.recurs {
            return self.inline(function, arguments, values, path, span);
        }
        match values[0].bound.known() {
            Some(depth) if (0..=DEPTH_MAX).contains(&depth) => {
                self.open_calls.push((function.clone(), depth));
                let value = self.inline(function, arguments, values, path, span);
                self.open_calls.pop();
                value
            }
            known => {
                self.errors.push(no_depth(function, known, arguments[0].span));
                self.make(Op::Constant(0), &function.result, Bound::Any, span)
            }
        }
    }

    /// The innermost function that calls itself, with smaller values.
    pub fn again(
        &mut self,
        arguments: &[Expr],
        path: Option<&str>,
        ty: &Type,
        span: Span,
    ) -> Value {
        let open = self.open_calls.last().cloned();
        let (function, depth) = open.expect("it stands in a function that is being inlined");
        let values: Vec<Value> = arguments.iter().map(|argument| self.expr(argument)).collect();
        match values[0].bound.known() {
            Some(next) if (0..depth).contains(&next) => {
                self.open_calls.push((function.clone(), next));
                let value = self.inline(&function, arguments, values, path, span);
                self.open_calls.pop();
                value
            }
            next => {
                let place = self.call_site.unwrap_or(arguments[0].span);
                self.errors.push(not_smaller(&function, (depth, next), place));
                self.make(Op::Constant(0), ty, Bound::Any, span)
            }
        }
    }

    fn inline(
        &mut self,
        function: &Function,
        arguments: &[Expr],
        values: Vec<Value>,
        path: Option<&str>,
        span: Span,
    ) -> Value {
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

/// The error of a function that calls itself, where how often is not known.
fn no_depth(function: &Function, known: Option<i64>, span: Span) -> Diagnostic {
    let name = &function.name;
    let title = format!("how often `{name}` calls itself is not known");
    let label = match known {
        Some(depth) => format!("{depth}: at most {DEPTH_MAX}, and not below 0"),
        None => "differs from sample to sample".to_string(),
    };
    Diagnostic::error("E512", title, span, label)
        .help(format!("write a number or a parameter as the first value: `{name}(3, …)`"))
}

/// The error of a call of itself that does not count down.
fn not_smaller(function: &Function, (depth, next): (i64, Option<i64>), span: Span) -> Diagnostic {
    let title = format!("`{}` calls itself, and its first value is not smaller", function.name);
    let label = match next {
        Some(next) if next < 0 => format!("{next}, below 0"),
        Some(next) => format!("{next}, after {depth}"),
        None => "not known".to_string(),
    };
    Diagnostic::error("E512", title, span, label).help(
        "count down where it calls itself, and end at 0: `if depth == 0 then … else … depth - 1`",
    )
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

fn bounds(values: &[Value]) -> Vec<&Bound> {
    values.iter().map(|value| &value.bound).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::VariantArray;

    use super::*;

    /// Those that operators and texts of the language lower to, and separate steps.
    const OPERATORS: [&str; 11] = [
        "same",
        "contains",
        "within",
        "append",
        "range",
        "joined",
        "shown_digits",
        "shown_int",
        "shown_real",
        "shown_token",
        "sort_texts",
    ];
    const STEPS: [&str; 3] = ["at", "first", "size"];
    const SHOWN: [&str; 5] = ["decimals", "join", "lines", "numbered", "padded"];

    #[test]
    fn the_natives_of_the_stdlib_are_the_rows_of_the_tables() {
        let natives = crate::check::builtins();
        let names = |draws: bool| -> BTreeSet<&str> {
            let fitting = natives.values().filter(|function| function.draws == draws);
            fitting.map(|function| function.name.as_str()).collect()
        };
        let rows = Builtin::VARIANTS.iter().map(<&str>::from);
        let rows = rows.filter(|name| !OPERATORS.contains(name));
        assert_eq!(names(false), rows.chain(STEPS).chain(SHOWN).collect());
        let rows = Sampler::VARIANTS.iter().filter(|it| **it != Sampler::DistinctWithout);
        assert_eq!(names(true), rows.map(<&str>::from).collect());
    }
}

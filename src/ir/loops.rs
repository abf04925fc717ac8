//! Loops to steps: over lists and ranges, with what they carry, and how far that can grow.

use super::bounds::{self, between, list, truth};
use super::growth::{extent, grown, shortened, unproved, unproved_inside, within};
use super::lower::{Lower, Value};
use super::{Arithmetic, Bound, Builtin, Comparison, NOWHERE, Op, Register, StepId};
use crate::check::typed::{Expr, ExprKind, Fold, Loop};
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::Each;

/// The most times that a loop may run, and the most steps of one place in a sample.
const RUNS_MAX: u64 = 1 << 28;
/// The most turns of a fold that are followed one by one, and the most expressions that all of them
/// may have.
const FOLLOWED_MAX: i64 = 64;
const FOLLOWED_WORK_MAX: usize = 1 << 16;
/// Trial turns of a fold: each makes the bounds of its values wider, and few are ever needed.
const TRIALS_MAX: usize = 16;

impl Lower<'_> {
    /// A loop that carries nothing.
    pub fn each(&mut self, each: Each, it: &Loop, ty: &Type, span: Span) -> Value {
        if each == Each::For {
            return self.made(it, None, ty, span);
        }
        let over = self.over(&it.list, span);
        let total = self.register(ty);
        self.push(Op::Constant(i64::from(each == Each::All)), total, span, true);
        self.looped(&over, it.body.ty.depth() == 0, span, |lower, _, item| {
            lower.name(it.item, item);
            let value = lower.asked(each, it, span);
            let after = match each {
                Each::Count => {
                    let sum = Op::Integer(Arithmetic::Add, total, value.register);
                    lower.push(sum, total, span, true);
                    None
                }
                _ => {
                    lower.push(Op::Copy(value.register), total, span, true);
                    let leave = match each {
                        Each::All => lower.negated(&value, span),
                        _ => value.clone(),
                    };
                    Some(leave.register)
                }
            };
            (value.bound, after)
        });
        let bound = match each {
            Each::Count => between(0, over.count.bound.sizes_as_count().1),
            _ => truth(),
        };
        Value { register: total, bound }
    }

    /// `for x in xs: body`; with a path, the body is a sampler.
    pub fn made(&mut self, it: &Loop, path: Option<&str>, ty: &Type, span: Span) -> Value {
        if let Some(filter) = &it.filter {
            return self.kept((it, path), filter, ty, span);
        }
        let over = self.over(&it.list, span);
        self.listed(&over, &it.body.ty, span, |lower, item| {
            lower.name(it.item, item);
            lower.body(it, path)
        })
    }

    fn body(&mut self, it: &Loop, path: Option<&str>) -> Value {
        match path {
            Some(path) => self.sampler(&it.body, path),
            None => self.expr(&it.body),
        }
    }

    /// `first(otherwise, xs)`. Of a loop no more elements are made than are needed.
    pub fn first(&mut self, xs: &Expr, otherwise: &Expr, ty: &Type, span: Span) -> Value {
        let ExprKind::Each(Each::For, it) = &xs.kind else {
            let list = self.expr(xs);
            let zero = self.number(0, span);
            let (low, high) = list.bound.sizes();
            let size = self.make(Op::Size(list.register), &Type::Int, between(low, high), span);
            let has_one = self.compare(Comparison::Greater, &size, &zero, span);
            return self.branch(&has_one, ty, span, |lower, first| match first {
                true => lower.at(&zero, &list, ty, span),
                false => lower.expr(otherwise),
            });
        };
        let over = self.over(&it.list, span);
        let found = Value { register: self.register(&Type::Bool), bound: truth() };
        let total = self.register(ty);
        self.push(Op::Constant(0), found.register, span, true);
        self.push(Op::Constant(0), total, span, true);
        let bound = self.looped(&over, ty.depth() == 0, span, |lower, _, item| {
            lower.name(it.item, item);
            let wanted = match &it.filter {
                Some(filter) => lower.expr(filter),
                None => lower.truth(true, span),
            };
            let mut bound = Bound::Any;
            let value = lower.branch(&wanted, ty, span, |lower, first| {
                if first {
                    let value = lower.expr(&it.body);
                    bound = value.bound.clone();
                    return value;
                }
                Value { register: total, bound: bound.clone() }
            });
            lower.push(Op::Copy(value.register), total, span, true);
            lower.push(Op::Copy(wanted.register), found.register, span, true);
            (bound, Some(wanted.register))
        });
        self.branch(&found, ty, span, |lower, first| match first {
            true => Value { register: total, bound: bound.clone() },
            false => lower.expr(otherwise),
        })
    }

    /// What the body says of an element; of one that is passed over, what changes nothing.
    fn asked(&mut self, each: Each, it: &Loop, span: Span) -> Value {
        let Some(filter) = &it.filter else { return self.expr(&it.body) };
        let wanted = self.expr(filter);
        self.branch(&wanted, &Type::Bool, span, |lower, first| match first {
            true => lower.expr(&it.body),
            false => lower.truth(each == Each::All, span),
        })
    }

    /// `for x in xs where condition: body`: a list with room for all, of which the first are given.
    fn kept(
        &mut self,
        (it, path): (&Loop, Option<&str>),
        filter: &Expr,
        ty: &Type,
        span: Span,
    ) -> Value {
        let over = self.over(&it.list, span);
        let most = over.count.bound.sizes_as_count().1;
        let size = self.at_least_zero(&over.count, span);
        self.takes(ty, most);
        let room = self.step(Op::NewList(size.register), ty, Bound::Any, span, true);
        let kept = Value { register: self.register(&Type::Int), bound: between(0, most) };
        self.push(Op::Constant(0), kept.register, span, true);
        let mut element = None;
        self.looped(&over, it.body.ty.depth() == 0, span, |lower, _, value| {
            lower.name(it.item, value);
            let wanted = lower.expr(filter);
            let one = lower.number(1, span);
            let next = lower.branch(&wanted, &Type::Int, span, |lower, first| {
                if !first {
                    return kept.clone();
                }
                let value = lower.body(it, path);
                let put = Op::Put(room.register, kept.register, value.register);
                lower.push(put, NOWHERE, span, true);
                element = Some(value.bound);
                let sum = Op::Integer(Arithmetic::Add, kept.register, one.register);
                lower.make(sum, &Type::Int, kept.bound.clone(), span)
            });
            lower.push(Op::Copy(next.register), kept.register, span, true);
            (Bound::Any, None)
        });
        let take = Op::Call(Builtin::Take, [kept.register, room.register, NOWHERE]);
        let bound = element.map_or(list(0, 0, Bound::Any), |element| list(0, most, element));
        self.make(take, ty, bound, span)
    }

    /// A loop that carries values; it evaluates to the first.
    pub fn fold(&mut self, fold: &Fold, span: Span) -> Value {
        let first: Vec<Value> = fold.carried.iter().map(|(_, value)| self.expr(value)).collect();
        let over = self.over(&fold.list, span);
        let mut carried = Vec::new();
        for ((_, value), first) in fold.carried.iter().zip(&first) {
            let register = self.register(&value.ty);
            self.push(Op::Copy(first.register), register, span, true);
            carried.push(Value { register, bound: first.bound.clone() });
        }
        let count = over.count.bound.sizes_as_count().1;
        if !self.follow(fold, &over, &mut carried, count, span) {
            self.widen(fold, &over, &mut carried, count, span);
        }
        let frees = fold.carried.iter().all(|(_, value)| value.ty.depth() == 0);
        self.looped(&over, frees, span, |lower, _, item| {
            lower.next_values(fold, &carried, item, span);
            (Bound::Any, None)
        });
        carried.swap_remove(0)
    }

    /// One turn of a fold: all next values, then all of them at once into their registers.
    fn next_values(
        &mut self,
        fold: &Fold,
        carried: &[Value],
        item: Value,
        span: Span,
    ) -> Vec<Bound> {
        for ((id, _), value) in fold.carried.iter().zip(carried) {
            self.name(*id, value.clone());
        }
        self.name(fold.item, item);
        let wanted = fold.filter.as_ref().map(|filter| self.expr(filter));
        let turned = |(next, value): (&Expr, &Value)| match &wanted {
            None => self.expr(next),
            Some(wanted) => self.branch(wanted, &next.ty, span, |lower, first| match first {
                true => lower.expr(next),
                false => value.clone(),
            }),
        };
        let mut next: Vec<Value> = fold.next.iter().zip(carried).map(turned).collect();
        // A carried value that is given for another is read before any is written.
        for (at, next) in next.iter_mut().enumerate() {
            let is_other =
                |(other, value): (usize, &Value)| other != at && value.register == next.register;
            if carried.iter().enumerate().any(is_other) {
                let (copy, ty) = (Op::Copy(next.register), &fold.carried[at].1.ty);
                *next = self.make(copy, ty, next.bound.clone(), span);
            }
        }
        for (next, value) in next.iter().zip(carried) {
            self.push(Op::Copy(next.register), value.register, span, true);
        }
        next.into_iter().map(|value| value.bound).collect()
    }

    /// Finds the bounds after each of a few turns, and what holds for all of them; false if the
    /// turns are too many, or too long.
    fn follow(
        &mut self,
        fold: &Fold,
        over: &Over,
        carried: &mut [Value],
        turns: i64,
        span: Span,
    ) -> bool {
        if turns > FOLLOWED_MAX || self.followed > FOLLOWED_WORK_MAX {
            return false;
        }
        let first: Vec<Bound> = carried.iter().map(|value| value.bound.clone()).collect();
        for _ in 0..turns {
            let before = self.work;
            let next = self.trial(fold, over, carried, span);
            self.followed += self.work - before;
            if self.followed > FOLLOWED_WORK_MAX {
                carried.iter_mut().zip(first).for_each(|(value, first)| value.bound = first);
                return false;
            }
            // What is followed has its own limit, and is no part of the work of a template.
            self.work = before;
            let mut stable = true;
            for (value, next) in carried.iter_mut().zip(next) {
                stable &= value.bound.covers(&next);
                value.bound = value.bound.hull(&next);
            }
            if stable {
                break;
            }
        }
        true
    }

    /// Finds bounds of the carried values that hold before and after every turn, by trial turns
    /// whose steps are dropped, until nothing changes. A number that changes may be any. A list
    /// that grows by `n` elements in a turn has `n` times the turns at most, if it grows by no more
    /// in a trial turn from that size: bounds of longer lists are never smaller. What is in it is
    /// widened again where a longer list lets something new in.
    fn widen(&mut self, fold: &Fold, over: &Over, carried: &mut [Value], turns: i64, span: Span) {
        let first: Vec<i64> = carried.iter().map(|value| extent(&value.bound)).collect();
        let mut growths = vec![None; carried.len()];
        for _ in 0..TRIALS_MAX {
            let next = self.trial(fold, over, carried, span);
            let mut stable = true;
            let all = carried.iter_mut().zip(&next).zip(&mut growths).zip(&first);
            for (((value, next), growth), first) in all {
                if within(&value.bound, next, growth.unwrap_or(0)) {
                    continue;
                }
                stable = false;
                let most = extent(&value.bound);
                let more = extent(next).saturating_sub(most).max(0);
                value.bound = match *growth {
                    None => grown(&value.bound, next, turns),
                    Some(known) if more > known => {
                        return self.errors.push(unproved(&value.bound, next, *first, span));
                    }
                    Some(_) => grown(&value.bound, &shortened(next, most), turns),
                };
                growth.get_or_insert(more);
            }
            if stable {
                return;
            }
        }
        self.errors.push(unproved_inside(span));
    }

    /// The bounds after one turn from these values.
    fn trial(&mut self, fold: &Fold, over: &Over, carried: &[Value], span: Span) -> Vec<Bound> {
        self.dropped(|lower| {
            let item = Value { register: over.count.register, bound: over.element.clone() };
            lower.next_values(fold, carried, item, span)
        })
    }

    /// A list or range to run over.
    pub fn over(&mut self, list: &Expr, span: Span) -> Over {
        if let ExprKind::Range(low, high) = &list.kind {
            let (low, high) = (self.expr(low), self.expr(high));
            let one = self.number(1, span);
            let gap = self.arithmetic(Arithmetic::Subtract, &high, &low, span);
            let count = self.arithmetic(Arithmetic::Add, &gap, &one, span);
            let (_, most) = count.bound.interval();
            if most <= bounds::READ_BACK_MAX {
                let element = between(low.bound.interval().0, high.bound.interval().1);
                return Over { count, source: Source::From(low), element };
            }
            // Its length depends on a reply: made in memory, which ends when memory does.
            let made = self.range(&low, &high, span);
            return self.over_list(made, &Type::Int, span);
        }
        let element = list.ty.element().cloned().unwrap_or(Type::Int);
        let list = self.expr(list);
        self.over_list(list, &element, span)
    }

    /// A loop that only counts.
    pub fn times(&mut self, count: Value, span: Span) -> Over {
        let zero = self.number(0, span);
        let most = count.bound.sizes_as_count().1;
        Over { count, source: Source::From(zero), element: between(0, (most - 1).max(0)) }
    }

    /// The list of what `body` makes of each element.
    pub fn listed(
        &mut self,
        over: &Over,
        element: &Type,
        span: Span,
        body: impl FnOnce(&mut Self, Value) -> Value,
    ) -> Value {
        let (size, ty) = (self.at_least_zero(&over.count, span), element.clone().list());
        let (low, high) = over.count.bound.sizes_as_count();
        self.takes(&ty, high);
        let made = self.step(Op::NewList(size.register), &ty, Bound::Any, span, true);
        let bound = self.looped(over, element.depth() == 0, span, |lower, index, item| {
            let value = body(lower, item);
            let put = Op::Put(made.register, index, value.register);
            lower.push(put, NOWHERE, span, true);
            (value.bound, None)
        });
        Value { bound: list(low, high, bound), ..made }
    }

    pub fn over_list(&mut self, list: Value, element: &Type, span: Span) -> Over {
        let (low, high) = list.bound.sizes();
        let size = Op::Size(list.register);
        let count = self.make(size, &Type::Int, between(low, high), span);
        let bound = list.bound.element();
        Over { count, source: Source::List(list, element.clone()), element: bound }
    }

    /// A loop. `body` gets the index and the element, and returns a bound and, if the loop may end
    /// early, the register that says so. Memory made by a turn is freed after it if `frees`.
    pub fn looped(
        &mut self,
        over: &Over,
        frees: bool,
        span: Span,
        body: impl FnOnce(&mut Self, Register, Value) -> (Bound, Option<Register>),
    ) -> Bound {
        let (least, most) = over.count.bound.sizes_as_count();
        let runs = self.runs.saturating_mul(most.max(1) as u64);
        if runs > RUNS_MAX && !self.in_rule {
            self.errors.push(too_long(i64::try_from(runs).unwrap_or(i64::MAX), span));
        }
        let (before_runs, before_cells) = (std::mem::replace(&mut self.runs, runs), self.cells);
        let before_texts = self.text_bytes;
        let certain = self.certain;
        self.certain = certain && least > 0;
        let index = self.register(&Type::Int);
        let count = over.count.register;
        let start = self.push(Op::Loop { index, count, end: 0 }, NOWHERE, span, true);
        let mark = frees.then(|| self.make(Op::Mark, &Type::Int, Bound::Any, span));
        let at = Value { register: index, bound: between(0, (most - 1).max(0)) };
        let value = self.element(over, &at, span);
        let (bound, leave) = body(self, index, value);
        if let Some(mark) = mark {
            self.push(Op::Release(mark.register), NOWHERE, span, true);
        }
        if let Some(on) = leave {
            let end = self.program.steps.len() as StepId + 1;
            self.push(Op::BreakIf(on, end), NOWHERE, span, true);
        }
        let end = self.push(Op::EndLoop(start), NOWHERE, span, true);
        self.program.steps[start as usize].op = Op::Loop { index, count, end };
        let turn = self.cells - before_cells;
        let times = if frees { 1 } else { most.max(0) as u64 };
        self.cells = before_cells.saturating_add(turn.saturating_mul(times));
        let turn = (self.text_bytes - before_texts).saturating_mul(most.max(0) as u64);
        self.text_bytes = before_texts.saturating_add(turn);
        (self.runs, self.certain) = (before_runs, certain);
        bound
    }

    fn element(&mut self, over: &Over, index: &Value, span: Span) -> Value {
        match &over.source {
            Source::From(low) => {
                let value = self.arithmetic(Arithmetic::Add, low, index, span);
                // The sum stays below the range's end, whatever the intervals say.
                if let Some(step) = self.program.steps.last_mut() {
                    step.proved = true;
                }
                Value { bound: over.element.clone(), ..value }
            }
            Source::List(list, element) => {
                let op = Op::Element(list.register, index.register);
                self.make(op, element, over.element.clone(), span)
            }
        }
    }

    /// A count that may be negative, as the size of a list.
    pub fn at_least_zero(&mut self, count: &Value, span: Span) -> Value {
        let zero = self.number(0, span);
        let negative = self.compare(Comparison::Less, count, &zero, span);
        let count = count.clone();
        let (_, high) = count.bound.interval();
        let bound = between(count.bound.interval().0.max(0), high.max(0));
        let chosen = self.branch(&negative, &Type::Int, span, |_, first| {
            if first { zero.clone() } else { count.clone() }
        });
        Value { bound, ..chosen }
    }

    /// Gives a name its value.
    pub fn name(&mut self, id: usize, value: Value) {
        self.frames.last_mut().expect("one frame is always there").insert(id, value);
    }
}

/// What a loop runs over.
pub struct Over {
    /// How often.
    pub count: Value,
    source: Source,
    element: Bound,
}

enum Source {
    /// The numbers from this one on.
    From(Value),
    /// The elements of a list, of this type.
    List(Value, Type),
}

impl Bound {
    /// The least and the most turns of a loop with this count.
    fn sizes_as_count(&self) -> (i64, i64) {
        let (low, high) = self.interval();
        (low.max(0), high.max(0))
    }
}

/// The error of a loop that takes too long.
fn too_long(runs: i64, span: Span) -> Diagnostic {
    let title = format!("this may run {runs} times in a sample");
    Diagnostic::error("E505", title, span, "the loop")
        .help(format!("write a shorter range or list: at most {} turns in all", RUNS_MAX))
}

//! Steps that cannot fail for a reason that intervals and sizes do not show: what is looked for was
//! taken from the list, a probability is written, or a condition around the step excludes it.

use std::collections::BTreeSet;

use super::guards::Guards;
use crate::ir::{Arithmetic, Builtin, Op, Program, Register, Sampler, Step, StepId};

/// How the registers of a program are computed.
pub struct Proofs<'p> {
    program: &'p Program,
    /// The one step that computes a register; none if several do.
    makers: Vec<Option<StepId>>,
    guards: Guards,
}

/// No deeper expressions are compared.
const DEPTH_MAX: usize = 8;

impl<'p> Proofs<'p> {
    /// Of all steps.
    pub fn new(program: &'p Program) -> Proofs<'p> {
        let mut makers = vec![None; program.registers.len()];
        let mut written = vec![false; program.registers.len()];
        for (step, at) in program.steps.iter().zip(0..) {
            if let Some(known) = written.get_mut(step.into as usize) {
                makers[step.into as usize] = (!std::mem::replace(known, true)).then_some(at);
            }
        }
        Proofs { program, makers, guards: Guards::new(program) }
    }

    /// True for a step that never fails.
    pub fn holds(&self, at: StepId) -> bool {
        match self.program.steps[at as usize].op {
            Op::Draw(Sampler::Coin, _, [probability, ..]) => match self.made(probability) {
                Some(Op::Constant(bits)) => (0.0..=1.0).contains(&f64::from_bits(*bits as u64)),
                _ => false,
            },
            Op::Call(Builtin::Position, [one, list, _]) => {
                self.is_in(one, list) || self.is_found(at, Builtin::Contains, one, list)
            }
            Op::Call(Builtin::After | Builtin::Before, [part, list, _]) => {
                self.is_part(part, list) || self.is_found(at, Builtin::Within, part, list)
            }
            Op::Call(Builtin::Around, [margin, part, list]) => {
                let is_margin = match self.made(margin) {
                    Some(Op::Constant(margin)) => *margin >= 0,
                    _ => false,
                };
                let is_there =
                    self.is_part(part, list) || self.is_found(at, Builtin::Within, part, list);
                is_margin && is_there
            }
            // Only the least number divided by -1 does not fit then.
            Op::Integer(Arithmetic::Divide | Arithmetic::Remainder, number, divisor) => {
                self.fits(number) && self.is_not_zero(at, divisor)
            }
            Op::Call(Builtin::Max | Builtin::Min, [list, ..])
            | Op::Draw(Sampler::Pick, _, [list, ..]) => self.has_elements(at, list),
            _ => false,
        }
    }

    /// Is it far from the least number, as a constant, a size or a drawn number?
    fn fits(&self, number: Register) -> bool {
        match self.made(self.origin(number)) {
            Some(Op::Constant(number)) => *number > i64::MIN,
            Some(Op::Size(_)) => true,
            Some(Op::Draw(Sampler::Uniform, _, [low, ..])) => self.fits(*low),
            _ => false,
        }
    }

    /// Does a condition around a step say that something is in a list?
    fn is_found(&self, at: StepId, how: Builtin, one: Register, list: Register) -> bool {
        self.guards.around(self.program, at).into_iter().any(|(condition, is_true)| {
            match self.made(condition) {
                Some(Op::Call(asked, [this, those, _])) if is_true && *asked == how => {
                    self.same(*this, one, DEPTH_MAX) && self.same(*those, list, DEPTH_MAX)
                }
                _ => false,
            }
        })
    }

    /// Does a condition around a step say that a number is not 0?
    fn is_not_zero(&self, at: StepId, number: Register) -> bool {
        self.is_compared(at, &|other| self.same(other, number, DEPTH_MAX))
    }

    /// Does a condition around a step say that a list is not empty?
    fn has_elements(&self, at: StepId, list: Register) -> bool {
        self.is_compared(at, &|other| match self.made(self.origin(other)) {
            Some(Op::Size(of)) => self.same(*of, list, DEPTH_MAX),
            _ => false,
        })
    }

    /// Does a condition around a step compare such a number with one that it is therefore not 0?
    fn is_compared(&self, at: StepId, is_it: &dyn Fn(Register) -> bool) -> bool {
        let known = |register: Register| match self.made(self.origin(register)) {
            Some(Op::Constant(number)) => Some(*number),
            _ => None,
        };
        self.guards.around(self.program, at).into_iter().any(|(condition, is_true)| {
            let Some(Op::Compare(how, left, right)) = self.made(condition) else { return false };
            let excludes = |holds: &dyn Fn(i64) -> bool| holds(0) != is_true;
            match (known(*left), known(*right)) {
                (_, Some(number)) if is_it(*left) => excludes(&|zero| how.holds(zero, number)),
                (Some(number), _) if is_it(*right) => excludes(&|zero| how.holds(number, zero)),
                _ => false,
            }
        })
    }

    /// Do two registers hold the same, as they are computed alike from the same?
    fn same(&self, left: Register, right: Register, depth: usize) -> bool {
        let (left, right) = (self.origin(left), self.origin(right));
        if left == right || depth == 0 {
            return left == right;
        }
        let all = |pairs: &[(Register, Register)]| {
            let is_same = |&(a, b): &(Register, Register)| self.same(a, b, depth - 1);
            pairs.iter().all(is_same)
        };
        match (self.made(left), self.made(right)) {
            (Some(Op::Constant(a)), Some(Op::Constant(b))) => a == b,
            (Some(Op::Pool(a)), Some(Op::Pool(b))) => a == b,
            (Some(Op::Size(a)), Some(Op::Size(b))) => self.same(*a, *b, depth - 1),
            (Some(Op::Element(a, b)), Some(Op::Element(c, d))) => all(&[(*a, *c), (*b, *d)]),
            (Some(Op::Integer(o, a, b)), Some(Op::Integer(p, c, d))) => {
                o == p && all(&[(*a, *c), (*b, *d)])
            }
            (Some(Op::Call(o, [a, b, c])), Some(Op::Call(p, [d, e, f]))) => {
                o == p && all(&[(*a, *d), (*b, *e), (*c, *f)])
            }
            _ => false,
        }
    }

    fn made(&self, register: Register) -> Option<&'p Op> {
        let at = self.makers.get(register as usize).copied().flatten()?;
        Some(&self.program.steps[at as usize].op)
    }

    /// Is it a contiguous part of the list?
    fn is_part(&self, part: Register, list: Register) -> bool {
        let part = self.origin(part);
        let list = self.origin(list);
        match self.made(part) {
            _ if part == list => true,
            Some(Op::Draw(Sampler::Span, _, [_, whole, _])) => self.is_part(*whole, list),
            Some(Op::Call(Builtin::Take | Builtin::Drop, [_, whole, _])) => {
                self.is_part(*whole, list)
            }
            _ => false,
        }
    }

    /// Is it an element of the list, whatever is drawn?
    fn is_in(&self, one: Register, list: Register) -> bool {
        let (one, list) = (self.origin(one), self.origin(list));
        // The lists that it was taken from, and those that it was put into.
        let mut open: Vec<Register> = match self.made(one) {
            Some(Op::Draw(Sampler::Pick | Sampler::Weighted, _, [from, ..])) => vec![*from],
            Some(Op::Element(from, _)) => vec![*from],
            _ => Vec::new(),
        };
        for step in &self.program.steps {
            if let Op::Put(into, at, value) = step.op
                && self.origin(value) == one
                && matches!(self.made(at), Some(Op::Constant(_)))
            {
                open.push(into);
            }
        }
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            let next = self.origin(next);
            if next == list {
                return true;
            }
            if seen.insert(next) {
                open.extend(self.wholes(next));
                open.extend(self.made_with(next));
            }
        }
        false
    }

    /// What a list was copied from.
    fn origin(&self, register: Register) -> Register {
        match self.made(register) {
            Some(Op::Copy(from)) => self.origin(*from),
            Some(Op::Load(slot)) => {
                let stored = self.program.steps.iter().find_map(|step| match step.op {
                    Op::Store(known, from) if known == *slot => Some(from),
                    _ => None,
                });
                stored.map_or(register, |from| self.origin(from))
            }
            _ => register,
        }
    }

    /// The lists that have all elements of one, as it was computed from them.
    fn wholes(&self, list: Register) -> Vec<Register> {
        use Builtin::*;
        match self.made(list) {
            Some(Op::Draw(Sampler::Distinct | Sampler::Draw | Sampler::Span, _, [_, of, _])) => {
                vec![*of]
            }
            Some(Op::Draw(Sampler::DistinctWithout, _, [_, _, of])) => vec![*of],
            Some(Op::Draw(Sampler::Shuffle, _, [of, ..])) => vec![*of],
            Some(Op::Call(Take | Drop | Without, [_, of, _])) => vec![*of],
            Some(Op::Call(Reverse | Sort | Unique, [of, ..])) => vec![*of],
            Some(Op::Call(Intersect, [left, right, _])) => vec![*left, *right],
            _ => Vec::new(),
        }
    }

    /// The lists that were computed with all elements of one.
    fn made_with(&self, list: Register) -> Vec<Register> {
        use Builtin::*;
        let has = |step: &&Step| {
            let of = |registers: &[Register]| registers.iter().any(|&it| self.origin(it) == list);
            match step.op {
                Op::Draw(Sampler::Shuffle, _, [from, ..]) => of(&[from]),
                Op::Call(Reverse | Sort | Unique, [from, ..]) => of(&[from]),
                Op::Call(Append | Union, [left, right, _]) => of(&[left, right]),
                _ => false,
            }
        };
        let all = self.program.steps.iter().filter(has).map(|step| step.into);
        // A register that several steps compute has not all of them at once.
        all.filter(|&into| self.made(into).is_some()).collect()
    }
}

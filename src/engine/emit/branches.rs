//! Short branches without effects: both are computed and one is chosen, as no processor foresees
//! what was drawn.

use std::ops::Range;

use cranelift_codegen::ir::{InstBuilder, Value};

use super::Emitter;
use crate::ir::{Arithmetic, NOWHERE, Op, Register, Step, StepId};

/// The most steps of two branches that are both computed: as many as a wrong guess costs.
const BOTH_MAX: usize = 24;

impl Emitter<'_> {
    /// Writes the `if` at a step with all that is in it, without a jump; returns the step after it.
    /// None if it is no `if`, or too long, or may fault or change the memory.
    pub(super) fn both(&mut self, at: StepId) -> Option<StepId> {
        let steps = &self.program.steps;
        let Op::If(condition, otherwise) = steps[at as usize].op else { return None };
        let Op::Else(end) = steps[otherwise as usize - 1].op else { return None };
        let inside = &steps[at as usize + 1..end as usize];
        if inside.len() > BOTH_MAX || !inside.iter().all(|step| self.is_plain(step)) {
            return None;
        }
        let mut written: Vec<Register> =
            inside.iter().map(|step| step.into).filter(|into| *into != NOWHERE).collect();
        written.sort_unstable();
        written.dedup();
        let condition = self.get(condition);
        let before = self.all(&written);
        self.plain(at + 1..otherwise - 1);
        let then = self.all(&written);
        written.iter().zip(before).for_each(|(register, value)| self.set(*register, value));
        self.plain(otherwise..end);
        let or_else = self.all(&written);
        for ((register, then), or_else) in written.into_iter().zip(then).zip(or_else) {
            let value = self.builder.ins().select(condition, then, or_else);
            self.set(register, value);
        }
        Some(end + 1)
    }

    /// Whether a step computes a value, cheaply and without a fault, and does nothing else.
    fn is_plain(&self, step: &Step) -> bool {
        let is_proved = step.proved && self.trusts_proofs;
        match step.op {
            Op::Constant(_) | Op::Copy(_) | Op::Load(_) | Op::Pool(_) | Op::Size(_) => true,
            Op::Compare(..) | Op::Not(_) | Op::ToReal(_) | Op::Real(..) => true,
            Op::If(..) | Op::Else(_) | Op::EndIf => true,
            Op::Integer(Arithmetic::Divide | Arithmetic::Remainder, ..) => false,
            Op::Integer(..) | Op::Element(..) => is_proved,
            Op::Store(..) | Op::Put(..) | Op::NewList(_) | Op::Call(..) | Op::Draw(..) => false,
            Op::Seed(_) | Op::Mark | Op::Release(_) => false,
            Op::Loop { .. } | Op::BreakIf(..) | Op::EndLoop(_) => false,
        }
    }

    fn plain(&mut self, steps: Range<StepId>) {
        let mut at = steps.start;
        while at < steps.end {
            self.step = at;
            at = self.both(at).unwrap_or_else(|| {
                self.compute(&self.program.steps[at as usize]);
                at + 1
            });
        }
    }

    fn all(&mut self, registers: &[Register]) -> Vec<Value> {
        registers.iter().map(|register| self.get(*register)).collect()
    }
}

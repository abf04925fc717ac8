//! Which registers a step reads, and which it writes.

use super::{NOWHERE, Op, Register};

impl Op {
    /// The registers that the step reads.
    pub fn inputs(&self) -> Vec<Register> {
        let all = match *self {
            Op::Constant(_) | Op::Load(_) | Op::Pool(_) | Op::Seed(_) | Op::Mark => Vec::new(),
            Op::Else(_) | Op::EndIf | Op::EndLoop(_) | Op::Release(_) => Vec::new(),
            Op::Copy(a) | Op::Store(_, a) | Op::ToReal(a) | Op::Not(a) | Op::Size(a) => vec![a],
            Op::NewList(a) | Op::If(a, _) | Op::BreakIf(a, _) => vec![a],
            Op::Loop { count, .. } => vec![count],
            Op::Integer(_, a, b) | Op::Real(_, a, b) | Op::Compare(_, a, b) => vec![a, b],
            Op::Element(list, index) => vec![index, list],
            Op::Put(list, index, value) => vec![list, index, value],
            Op::Call(_, operands) | Op::Draw(_, _, operands) => operands.to_vec(),
        };
        all.into_iter().filter(|register| *register != NOWHERE).collect()
    }

    /// The registers whose value the step makes or changes; `into` is where its result goes.
    pub fn outputs(&self, into: Register) -> Vec<Register> {
        match *self {
            Op::Put(list, ..) => vec![list],
            Op::Loop { index, .. } => vec![index],
            _ if into == NOWHERE => Vec::new(),
            _ => vec![into],
        }
    }
}

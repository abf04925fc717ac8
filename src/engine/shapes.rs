//! The shape of the elements that each step of a program works on.

use crate::ir::{Op, Program, Register, Step};
use crate::runtime::shape::{Kinds, Shape, element_of};
use crate::runtime::types::Type;

/// The shape of the elements of the lists that a step reads, or makes. An empty list `[]` has
/// elements of no known type; then another operand or the result knows.
pub(super) fn of_elements(program: &Program, step: &Step) -> Shape {
    let kind =
        |register: Register| program.registers.get(register as usize).unwrap_or(&Type::Unknown);
    let kinds =
        |operands: [Register; 3]| Kinds { operands: operands.map(kind), result: kind(step.into) };
    Shape::of(&match step.op {
        Op::Call(builtin, operands) => (builtin.row().elements)(&kinds(operands)),
        Op::Draw(sampler, _, operands) => (sampler.row().elements)(&kinds(operands)),
        Op::Size(list) | Op::Element(list, _) | Op::Put(list, _, _) => element_of(kind(list)),
        Op::NewList(_) => element_of(kind(step.into)),
        _ => Type::Unknown,
    })
}

//! How elements lie in memory and compare, as one small number that machine code can pass.

use crate::check::types::Type;
use crate::ir::{NOWHERE, Op, Program, Register, Step};

/// The shape of a value: what its cell holds, under how many lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What a cell holds once all lists are taken off.
    pub scalar: Scalar,
    /// How many lists are around it.
    pub depth: u8,
}

/// What a cell holds that is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A token, a text or a boolean: 32 bits.
    Symbol,
    /// An integer of 64 bits.
    Int,
    /// A floating-point number of 64 bits, by its bits.
    Real,
}

impl Shape {
    /// The shape of values of this type. What has no known type lies like an `Int`.
    pub fn of(kind: &Type) -> Shape {
        match kind {
            Type::List(element) => {
                let element = Shape::of(element);
                let depth = element.depth.checked_add(1).expect("the parser bounds nesting");
                Shape { depth, ..element }
            }
            Type::Token | Type::Text | Type::Bool => Shape { scalar: Scalar::Symbol, depth: 0 },
            Type::Real => Shape { scalar: Scalar::Real, depth: 0 },
            Type::Int | Type::Any(_) | Type::Shown | Type::Unknown => {
                Shape { scalar: Scalar::Int, depth: 0 }
            }
        }
    }

    /// The shape of the elements of a list of this shape.
    pub fn element(self) -> Shape {
        let depth = self.depth.checked_sub(1).expect("check takes elements of lists only");
        Shape { depth, ..self }
    }

    /// True for values that take half a cell in a list.
    pub fn is_narrow(self) -> bool {
        self.depth == 0 && self.scalar == Scalar::Symbol
    }

    /// True for values that are equal just where their cells are.
    pub(crate) fn is_exact(self) -> bool {
        self.depth == 0 && self.scalar != Scalar::Real
    }

    /// The half cells that an element of this shape takes in a list.
    pub fn halves(self) -> u32 {
        if self.is_narrow() { 1 } else { 2 }
    }

    /// The shape as a number below 2^16.
    pub(crate) fn code(self) -> u64 {
        self.scalar as u64 | (self.depth as u64) << 8
    }

    /// The shape with this code.
    pub(crate) fn from_code(code: u64) -> Shape {
        let scalar = match code & 0xff {
            0 => Scalar::Symbol,
            1 => Scalar::Int,
            _ => Scalar::Real,
        };
        Shape { scalar, depth: (code >> 8) as u8 }
    }
}

/// One bit pattern for all that is not a number: processors differ in theirs.
pub(crate) fn canonical(real: f64) -> f64 {
    if real.is_nan() { f64::NAN } else { real }
}

/// The shape of the elements that a step works on: those of the lists it reads, or makes. An empty
/// list `[]` has elements of no known type; then another operand or the result knows.
pub(crate) fn of_elements(program: &Program, step: &Step) -> Shape {
    let element = |register: Register| {
        let kind = program.registers.get(register as usize).unwrap_or(&Type::Unknown);
        kind.element().cloned().unwrap_or(Type::Unknown)
    };
    let known = match &step.op {
        Op::Call(builtin, operands) => {
            use crate::ir::Builtin::*;
            let [first, second, third] = *operands;
            match builtin {
                Same => join(element(first), element(second)),
                Contains | Position => join(element(second), kind_of(program, first)),
                Within | After | Before => join(element(first), element(second)),
                Append | Without | Union | Intersect => {
                    join(element(step.into), join(element(first), element(second)))
                }
                Range | Reverse | Sort | Unique => join(element(step.into), element(first)),
                Take | Drop | Chunks => element(second),
                Replace => join(element(third), element(step.into)),
                Around => join(element(second), element(third)),
                Concat => join(element(step.into), inner(element(first))),
                Sum | Max | Min => join(element(first), kind_of(program, step.into)),
            }
        }
        Op::Draw(sampler, _, operands) => {
            use crate::ir::Sampler::*;
            let [first, second, third] = *operands;
            match sampler {
                DistinctWithout => join(element(third), element(second)),
                Distinct | Draw | Span | Split => element(second),
                Pick | Shuffle | Weighted => element(first),
                Coin | Uniform => Type::Unknown,
            }
        }
        Op::Size(list) | Op::Element(list, _) | Op::Put(list, _, _) => element(*list),
        Op::NewList(_) => element(step.into),
        _ => Type::Unknown,
    };
    Shape::of(&known)
}

fn kind_of(program: &Program, register: Register) -> Type {
    if register == NOWHERE {
        return Type::Unknown;
    }
    program.registers[register as usize].clone()
}

fn inner(kind: Type) -> Type {
    kind.element().cloned().unwrap_or(Type::Unknown)
}

/// What two sides know of one type.
fn join(left: Type, right: Type) -> Type {
    match (left, right) {
        (Type::Unknown | Type::Any(_), other) | (other, Type::Unknown | Type::Any(_)) => other,
        (Type::List(left), Type::List(right)) => join(*left, *right).list(),
        (left, _) => left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_comes_back_from_its_code() {
        for kind in
            [Type::Token, Type::Int, Type::Real, Type::Real.list(), Type::Text.list().list()]
        {
            let shape = Shape::of(&kind);
            assert_eq!(Shape::from_code(shape.code()), shape);
        }
    }

    #[test]
    fn an_empty_list_takes_the_type_of_the_other_side() {
        assert_eq!(join(Type::Unknown.list(), Type::Token.list()), Type::Token.list());
        assert_eq!(join(Type::Text, Type::Unknown), Type::Text);
    }
}

//! How elements lie in memory and compare, as one small number that machine code can pass.

use crate::runtime::types::Type;

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

/// The types of a step's operands and of its result, for the rule that finds its elements' type.
pub(crate) struct Kinds<'a> {
    /// Unknown for an operand that the step lacks.
    pub(crate) operands: [&'a Type; 3],
    pub(crate) result: &'a Type,
}

impl Kinds<'_> {
    pub(crate) fn operand(&self, at: usize) -> Type {
        self.operands[at].clone()
    }

    /// The type of an operand's elements. An empty list `[]` has elements of no known type.
    pub(crate) fn element(&self, at: usize) -> Type {
        element_of(self.operands[at])
    }

    pub(crate) fn result_element(&self) -> Type {
        element_of(self.result)
    }
}

/// The type of a list's elements; unknown for what is no list.
pub(crate) fn element_of(kind: &Type) -> Type {
    kind.element().cloned().unwrap_or(Type::Unknown)
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
}

//! What can go wrong while a sample is made or judged, as plain data.

use std::fmt;

use strum::VariantArray;

use crate::runtime::StepId;

/// A step that could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was wrong.
    pub kind: FaultKind,
    /// The step of the program, which knows its place in the text; [`Fault::NO_STEP`] if none.
    pub step: StepId,
}

impl Fault {
    /// The step of a fault outside a program: a list pushed by the caller.
    pub const NO_STEP: StepId = StepId::MAX;
}

/// What was wrong with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VariantArray)]
#[repr(u32)]
pub enum FaultKind {
    /// An integer above or below what 64 bits hold.
    Overflow = 1,
    /// `x / 0` or `x % 0`
    DivisionByZero,
    /// An index below 0, or not below the list's size.
    OutsideList,
    /// More elements were asked for than there are.
    TooFew,
    /// A count below 0.
    Negative,
    /// A count below 1 where at least one is needed.
    NotPositive,
    /// An element of an empty list.
    Empty,
    /// `low > high` in a draw from `low..high`.
    EmptyRange,
    /// The value, or the run, is not in the list.
    NotFound,
    /// A text that is no integer of 64 bits.
    NoNumber,
    /// A probability outside 0..1.
    Probability,
    /// A negative weight, none above 0, a sum that overflows, or as many as there are not elements.
    Weights,
    /// The memory that was set aside is full.
    Memory,
}

impl FaultKind {
    /// The kind with this code, as machine code leaves it; 0 is no fault.
    pub(crate) fn from_code(code: u32) -> Option<FaultKind> {
        let index = code.checked_sub(1)?;
        Some(
            *FaultKind::VARIANTS
                .get(index as usize)
                .expect("machine code stores codes of kinds only"),
        )
    }

    /// The number that machine code knows it by; never 0.
    pub(crate) fn code(self) -> u32 {
        self as u32
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            FaultKind::Overflow => "the number does not fit into 64 bits",
            FaultKind::DivisionByZero => "a number is divided by zero",
            FaultKind::OutsideList => "the index is out of bounds",
            FaultKind::TooFew => "more elements are asked for than there are",
            FaultKind::Negative => "a count is below zero",
            FaultKind::NotPositive => "a count is below one",
            FaultKind::Empty => "the list is empty",
            FaultKind::EmptyRange => "the range is empty: its start is above its end",
            FaultKind::NotFound => "what is looked for is not in the list",
            FaultKind::NoNumber => "the text holds no integer of 64 bits",
            FaultKind::Probability => "a probability is outside 0..1",
            FaultKind::Weights => {
                "weights must be one an element, none below zero, with a sum above zero that fits \
                 into 64 bits"
            }
            FaultKind::Memory => "the memory set aside for a sample is full",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_from_its_code() {
        assert_eq!(FaultKind::from_code(0), None);
        for &kind in FaultKind::VARIANTS {
            assert_eq!(FaultKind::from_code(kind.code()), Some(kind));
        }
    }
}

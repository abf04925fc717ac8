//! The types that the search knows, small enough to be copied a million times a second.

use std::fmt;

use crate::runtime::shape::{self, Shape};

/// What a value is, under how many lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// What is left once all lists are taken off.
    pub scalar: Scalar,
    /// How many lists are around it.
    pub depth: u8,
}

/// What is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Scalar {
    Int,
    Bool,
    Text,
}

impl Kind {
    /// `Int`
    pub const INT: Kind = Kind { scalar: Scalar::Int, depth: 0 };
    /// `Bool`
    pub const BOOL: Kind = Kind { scalar: Scalar::Bool, depth: 0 };
    /// `Text`
    pub const TEXT: Kind = Kind { scalar: Scalar::Text, depth: 0 };

    /// `[self]`
    pub fn list(self) -> Kind {
        Kind { depth: self.depth + 1, ..self }
    }

    /// The kind of its elements, if it is a list.
    pub fn element(self) -> Option<Kind> {
        Some(Kind { depth: self.depth.checked_sub(1)?, ..self })
    }

    /// How its values lie in memory.
    pub(crate) fn shape(self) -> Shape {
        let scalar = match self.scalar {
            Scalar::Int => shape::Scalar::Int,
            Scalar::Bool | Scalar::Text => shape::Scalar::Symbol,
        };
        Shape { scalar, depth: self.depth }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = ("[".repeat(self.depth.into()), "]".repeat(self.depth.into()));
        let scalar = match self.scalar {
            Scalar::Int => "Int",
            Scalar::Bool => "Bool",
            Scalar::Text => "Text",
        };
        write!(f, "{open}{scalar}{close}")
    }
}

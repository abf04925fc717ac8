//! What is known of values before the first sample: intervals, sizes and elements.

use crate::runtime::PoolId;
use crate::runtime::signs::Signs;
use crate::runtime::types::Type;

/// What is known of a value before the first sample.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Bound {
    /// An `Int` (or a `Bool`, in 0..1) from `low` to `high`.
    Int {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A list with from `low` to `high` elements, each within `element`.
    List {
        /// The fewest.
        low: i64,
        /// The most.
        high: i64,
        /// Of each element.
        element: Box<Bound>,
    },
    /// A text.
    Text(TextBound),
    /// A token of this pool.
    Token(PoolId),
    /// Nothing but its type.
    Any,
}

/// What is known of a text.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct TextBound {
    /// The literals that it is one of; none if it is made.
    pub literals: Option<Vec<u32>>,
    /// The fewest characters that it has.
    pub low: i64,
    /// The most.
    pub high: i64,
    /// The most bytes.
    pub bytes: i64,
    /// The characters that it may have.
    pub signs: Signs,
    /// Whether it may begin and whether it may end with white space.
    pub blank_ends: [bool; 2],
    /// The white space that it may have in it.
    pub blanks: Blanks,
}

/// White space in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blanks {
    /// None at all.
    None,
    /// No line break.
    Inline,
    /// Any.
    Any,
}

impl TextBound {
    /// Of a literal.
    pub fn literal(symbol: u32, text: &str) -> TextBound {
        let letters = text.chars().count() as i64;
        TextBound {
            literals: Some(vec![symbol]),
            low: letters,
            high: letters,
            bytes: text.len() as i64,
            signs: Signs::of(text),
            blank_ends: [text.trim_start() != text, text.trim_end() != text],
            blanks: match text.contains('\n') {
                true => Blanks::Any,
                false if text.contains(char::is_whitespace) => Blanks::Inline,
                false => Blanks::None,
            },
        }
    }

    /// Whether it may begin or end with white space.
    pub fn has_blank_ends(&self) -> bool {
        self.blank_ends != [false; 2]
    }

    /// What holds for both.
    fn hull(&self, other: &TextBound) -> TextBound {
        let literals = match (&self.literals, &other.literals) {
            (Some(a), Some(b)) => {
                let mut all = a.clone();
                all.extend(b.iter().filter(|text| !a.contains(text)));
                Some(all)
            }
            _ => None,
        };
        TextBound {
            literals,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            bytes: self.bytes.max(other.bytes),
            signs: self.signs.and(other.signs),
            blank_ends: [0, 1].map(|end| self.blank_ends[end] | other.blank_ends[end]),
            blanks: self.blanks.max(other.blanks),
        }
    }
}

/// The most elements that a list read back from a reply or a record is taken to have.
pub const READ_BACK_MAX: i64 = 1 << 20;

/// The bound of a number that is known.
pub fn exactly(value: i64) -> Bound {
    Bound::Int { low: value, high: value }
}

/// From `low` to `high`.
pub fn between(low: i64, high: i64) -> Bound {
    // Of nothing, such as the numbers of `1..0`, all is true; what holds of one is reported.
    Bound::Int { low, high: high.max(low) }
}

/// A boolean.
pub fn truth() -> Bound {
    between(0, 1)
}

/// A list of `low` to `high` elements.
pub fn list(low: i64, high: i64, element: Bound) -> Bound {
    Bound::List { low: low.clamp(0, high.max(0)), high: high.max(0), element: Box::new(element) }
}

/// What is known of a value that was read back: its type alone.
pub fn of_type(ty: &Type) -> Bound {
    match ty {
        Type::Int => between(i64::MIN, i64::MAX),
        Type::Bool => truth(),
        Type::List(element) => list(0, READ_BACK_MAX, of_type(element)),
        _ => Bound::Any,
    }
}

impl Bound {
    /// The least and the greatest integer it can be.
    pub fn interval(&self) -> (i64, i64) {
        match self {
            Bound::Int { low, high } => (*low, *high),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// The fewest and the most elements it can have.
    pub fn sizes(&self) -> (i64, i64) {
        match self {
            Bound::List { low, high, .. } => (*low, *high),
            _ => (0, READ_BACK_MAX),
        }
    }

    /// The literals that a text is one of; none if nothing says which.
    pub fn literals(&self) -> Option<&[u32]> {
        match self {
            Bound::Text(text) => text.literals.as_deref(),
            _ => None,
        }
    }

    /// What is known of it as a text.
    pub fn text(&self) -> TextBound {
        match self {
            Bound::Text(text) => text.clone(),
            _ => TextBound {
                literals: None,
                low: 0,
                high: READ_BACK_MAX,
                bytes: 4 * READ_BACK_MAX,
                signs: Signs::ALL,
                blank_ends: [true; 2],
                blanks: Blanks::Any,
            },
        }
    }

    /// The number it is, if it can be one only.
    pub fn known(&self) -> Option<i64> {
        match self {
            Bound::Int { low, high } if low == high => Some(*low),
            _ => None,
        }
    }

    /// What holds for each element.
    pub fn element(&self) -> Bound {
        match self {
            Bound::List { element, .. } => (**element).clone(),
            _ => Bound::Any,
        }
    }

    /// The same elements in another number.
    pub fn resized(&self, low: i64, high: i64) -> Bound {
        list(low, high, self.element())
    }

    /// What holds for both.
    pub fn hull(&self, other: &Bound) -> Bound {
        match (self, other) {
            (Bound::Int { low: a, high: b }, Bound::Int { low: c, high: d }) => {
                between(*a.min(c), *b.max(d))
            }
            (
                Bound::List { low: a, high: b, element: e },
                Bound::List { low: c, high: d, element: f },
            ) => {
                // An empty list says nothing of elements.
                let element = match (b, d) {
                    (0, _) => (**f).clone(),
                    (_, 0) => (**e).clone(),
                    _ => e.hull(f),
                };
                list(*a.min(c), *b.max(d), element)
            }
            (Bound::Text(a), Bound::Text(b)) => Bound::Text(a.hull(b)),
            (a, b) if a == b => a.clone(),
            _ => Bound::Any,
        }
    }

    /// True if everything that `other` allows is allowed.
    pub fn covers(&self, other: &Bound) -> bool {
        self.hull(other) == *self
    }
}

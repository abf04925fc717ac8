//! Why a template cannot be read or rendered, and how much a rendering may cost.

use std::cell::Cell;

/// What is invalid, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line of the template, counted from 1.
    pub line: Option<usize>,
    /// A sentence.
    pub text: String,
}

/// What was asked for, or why there is none.
pub type Outcome<T> = Result<T, Error>;

/// An error whose line is found by the caller.
pub fn error<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Error { line: None, text: text.into() })
}

/// What is left of the work that one rendering may do: far more than a text needs, and a template
/// that loops on and on is stopped. Every node that is evaluated and every byte that is made costs.
#[derive(Debug)]
pub struct Budget {
    left: Cell<u64>,
    depth: Cell<usize>,
    /// Whether writing what is not there is an error, as with Jinja2's `StrictUndefined`, and not
    /// an empty text.
    pub is_strict: bool,
}

/// Units of one rendering. A byte costs one: so this bounds memory, too.
const UNITS: u64 = 60_000_000;

/// Units of a node.
const NODE: u64 = 20;

/// The most calls inside of each other, of macros and of expressions.
const DEPTH_MAX: usize = 2_000;

impl Budget {
    /// A full one.
    pub fn new(is_strict: bool) -> Budget {
        Budget { left: Cell::new(UNITS), depth: Cell::new(0), is_strict }
    }

    /// Takes what so many bytes cost, before they are made.
    ///
    /// # Errors
    /// If there is not as much left.
    pub fn spend(&self, bytes: u64) -> Outcome<()> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => error("it takes too long or makes too long a text"),
        }
    }

    /// Notes that a node is evaluated inside of another.
    pub fn enter(&self) -> Outcome<()> {
        self.spend(NODE)?;
        if self.depth.get() >= DEPTH_MAX {
            return error("it calls itself too often, one call inside the other");
        }
        self.depth.set(self.depth.get() + 1);
        Ok(())
    }

    /// Notes that the node is done.
    pub fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }
}

//! What the standard library writes again and again, as operations of their own: the patterns that
//! save most of its expressions, of those that have two parts open at most. `usage` counts them.

use super::kind::Kind;
use super::values::Values;
use crate::ir::Arithmetic;

/// A pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mined {
    /// `0..size(xs) - 1`
    Positions,
    /// `at(size(xs) - 1, xs)`
    Last,
    /// `a % b == 0`
    Divides,
    /// `at(position(key, keys), values)`
    Lookup,
}

/// What each costs: as much as an operation that is neither common nor rare.
pub const COST: usize = 2;

/// The positions of a list.
pub fn positions(list: i64) -> Vec<i64> {
    (0..Values::size(list) as i64).collect()
}

impl Mined {
    /// Computes it.
    pub fn run(
        self,
        values: &mut Values,
        takes: &[Kind; 3],
        gives: Kind,
        [a, b, c]: [i64; 3],
    ) -> Option<i64> {
        match self {
            Mined::Positions => values.list(&positions(a), gives).ok(),
            Mined::Last => values.at(Values::size(a) as i64 - 1, a, takes[0]),
            Mined::Divides => {
                Arithmetic::Remainder.apply(a, b).ok().map(|rest| i64::from(rest == 0))
            }
            Mined::Lookup => {
                let place = (0..Values::size(b) as i64)
                    .find(|&place| values.at(place, b, takes[1]) == Some(a))?;
                values.at(place, c, takes[2])
            }
        }
    }
}

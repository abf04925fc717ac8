//! What is known of values before the first sample: intervals, sizes, and what they prove.

use super::{Arithmetic, Bound, Comparison};
use crate::check::types::Type;

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
            (Bound::Text(a), Bound::Text(b)) => {
                let mut all = a.clone();
                all.extend(b.iter().filter(|text| !a.contains(text)));
                Bound::Text(all)
            }
            (a, b) if a == b => a.clone(),
            _ => Bound::Any,
        }
    }

    /// True if everything that `other` allows is allowed.
    pub fn covers(&self, other: &Bound) -> bool {
        self.hull(other) == *self
    }
}

/// The bound of an arithmetic result, whether it is proved not to error, and whether it always
/// does.
pub fn arithmetic(op: Arithmetic, left: &Bound, right: &Bound) -> (Bound, bool, bool) {
    let ((a, b), (c, d)) = (wide(left), wide(right));
    let corners = |f: fn(i128, i128) -> i128| {
        let all = [f(a, c), f(a, d), f(b, c), f(b, d)];
        let least = all.into_iter().min().unwrap_or_default();
        (least, all.into_iter().max().unwrap_or_default())
    };
    let zero_inside = c <= 0 && 0 <= d;
    let (low, high) = match op {
        Arithmetic::Add => (a + c, b + d),
        Arithmetic::Subtract => (a - d, b - c),
        Arithmetic::Multiply => corners(|x, y| x * y),
        Arithmetic::Divide | Arithmetic::Remainder if (c, d) == (0, 0) => {
            return (between(i64::MIN, i64::MAX), false, true);
        }
        Arithmetic::Divide if zero_inside => {
            let most = a.abs().max(b.abs());
            (-most, most)
        }
        Arithmetic::Divide => corners(|x, y| x.div_euclid(y) - i128::from(y < 0 && x % y != 0)),
        // The result has the sign of the divisor and is nearer to zero than it.
        Arithmetic::Remainder if c > 0 && 0 <= a && b < c => (a, b),
        Arithmetic::Remainder => ((c + 1).min(0), (d - 1).max(0)),
    };
    let (least, greatest) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let division = matches!(op, Arithmetic::Divide | Arithmetic::Remainder);
    let proved = low >= least && high <= greatest && !(division && zero_inside);
    let hopeless = low > greatest || high < least;
    let clamp = |value: i128| i64::try_from(value.clamp(least, greatest)).unwrap_or_default();
    (between(clamp(low), clamp(high)), proved, hopeless)
}

fn wide(bound: &Bound) -> (i128, i128) {
    let (low, high) = bound.interval();
    (i128::from(low), i128::from(high))
}

/// What a comparison gives, where the intervals tell.
pub fn compare(op: Comparison, left: &Bound, right: &Bound) -> Option<bool> {
    let (Bound::Int { low: a, high: b }, Bound::Int { low: c, high: d }) = (left, right) else {
        return None;
    };
    let less = if b < c {
        Some(true)
    } else if a >= d {
        Some(false)
    } else {
        None
    };
    let more = if a > d {
        Some(true)
    } else if b <= c {
        Some(false)
    } else {
        None
    };
    match op {
        Comparison::Less => less,
        Comparison::GreaterEqual => less.map(|is| !is),
        Comparison::Greater => more,
        Comparison::LessEqual => more.map(|is| !is),
        Comparison::Equal if a == b && c == d => Some(a == c),
        Comparison::NotEqual if a == b && c == d => Some(a != c),
        Comparison::Equal if b < c || a > d => Some(false),
        Comparison::NotEqual if b < c || a > d => Some(true),
        Comparison::Equal | Comparison::NotEqual => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_bounds_hold_at_every_pair_of_small_numbers() {
        let ops = [
            Arithmetic::Add,
            Arithmetic::Subtract,
            Arithmetic::Multiply,
            Arithmetic::Divide,
            Arithmetic::Remainder,
        ];
        let floor = |x: i64, y: i64| (x as f64 / y as f64).floor() as i64;
        for (a, b, c, d) in intervals() {
            for op in ops {
                let (bound, proved, _) = arithmetic(op, &between(a, b), &between(c, d));
                let (low, high) = bound.interval();
                for (x, y) in (a..=b).flat_map(|x| (c..=d).map(move |y| (x, y))) {
                    let value = match op {
                        Arithmetic::Add => x + y,
                        Arithmetic::Subtract => x - y,
                        Arithmetic::Multiply => x * y,
                        _ if y == 0 => {
                            assert!(!proved, "{x} {op:?} {y}");
                            continue;
                        }
                        Arithmetic::Divide => floor(x, y),
                        Arithmetic::Remainder => x - y * floor(x, y),
                    };
                    assert!((low..=high).contains(&value), "{x} {op:?} {y} in {low}..{high}");
                }
            }
        }
    }

    fn intervals() -> impl Iterator<Item = (i64, i64, i64, i64)> {
        let ends = || (-3..=3).flat_map(|a| (a..=3).map(move |b| (a, b)));
        ends().flat_map(move |(a, b)| ends().map(move |(c, d)| (a, b, c, d)))
    }
}

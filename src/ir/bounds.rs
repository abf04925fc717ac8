//! What intervals prove of arithmetic and of comparisons.

use super::{Arithmetic, Bound, Comparison};
pub use crate::runtime::bound::{READ_BACK_MAX, between, exactly, list, of_type, truth};

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

/// What a comparison evaluates to, where the intervals decide it.
pub fn compare(op: Comparison, left: &Bound, right: &Bound) -> Option<bool> {
    if let (Some([one]), Some([other])) = (left.literals(), right.literals()) {
        return match op {
            Comparison::Equal => Some(one == other),
            Comparison::NotEqual => Some(one != other),
            _ => None,
        };
    }
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

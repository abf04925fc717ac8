//! What is known of the results of builtins, where that takes more than a line.

use crate::runtime::bound::{Bound, between, list};

/// Of `xs + ys`.
pub(super) fn both(left: &Bound, right: &Bound) -> Bound {
    let ((a, b), (c, d)) = (left.sizes(), right.sizes());
    list(a.saturating_add(c), b.saturating_add(d), left.hull(right).element())
}

/// Of the elements of two lists, each once.
pub(super) fn union(left: &Bound, right: &Bound) -> Bound {
    let (fewest, most) = both(left, right).sizes();
    list(fewest.min(1), most, left.hull(right).element())
}

pub(super) fn take(count: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    (xs.resized(low.clamp(0, most), high.clamp(0, most)), low >= 0 && high <= fewest)
}

pub(super) fn drop(count: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    let rest = |all: i64, gone: i64| all.saturating_sub(gone).clamp(0, most);
    (xs.resized(rest(fewest, high), rest(most, low)), low >= 0 && high <= fewest)
}

pub(super) fn chunks(count: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    let parts = |all: i64, each: i64| all / each.max(1) + i64::from(all % each.max(1) != 0);
    let even = fewest == most && low == high && low > 0 && most % low == 0;
    let smallest = if even { low } else { 1 };
    let part = xs.resized(smallest.min(most), high.clamp(1, most.max(1)));
    (list(parts(fewest, high), parts(most, low), part), low >= 1)
}

pub(super) fn around(margin: &Bound, xs: &Bound, ys: &Bound) -> Bound {
    let ((_, margin), (fewest, most), (_, all)) = (margin.interval(), xs.sizes(), ys.sizes());
    let widest = most.saturating_add(margin.max(0).saturating_mul(2)).min(all);
    ys.resized(fewest.min(all), widest)
}

pub(super) fn concat(xss: &Bound) -> Bound {
    let ((low, high), inner) = (xss.sizes(), xss.element());
    let (fewest, most) = inner.sizes();
    inner.resized(low.saturating_mul(fewest), high.saturating_mul(most))
}

/// Of the sum of numbers.
pub(super) fn total(xs: &Bound) -> (Bound, bool) {
    let (fewest, most) = xs.sizes();
    let Bound::Int { low, high } = xs.element() else {
        return (Bound::Any, most == 0);
    };
    let ends = [fewest, most].map(|n| [low, high].map(|x| i128::from(n) * i128::from(x)));
    let least = ends.iter().flatten().copied().min().unwrap_or_default();
    let greatest = ends.iter().flatten().copied().max().unwrap_or_default();
    match (i64::try_from(least), i64::try_from(greatest)) {
        (Ok(least), Ok(greatest)) => (between(least, greatest), true),
        _ => (between(i64::MIN, i64::MAX), false),
    }
}

//! How the bounds of what a fold carries grow from turn to turn, and the error where none is found.

use super::Bound;
use super::bounds::between;
use crate::diagnostic::Diagnostic;
use crate::runtime::bound::TextBound;
use crate::source::Span;

/// True if `next` is covered, but for `growth` elements more.
pub fn within(bound: &Bound, next: &Bound, growth: i64) -> bool {
    let most = extent(bound);
    match next {
        Bound::Text(text)
            if text.literals.is_none() && text.high <= most.saturating_add(growth) =>
        {
            bound.covers(&shortened(next, most))
        }
        Bound::List { high, .. } if *high <= most.saturating_add(growth) => {
            bound.covers(&shortened(next, most))
        }
        _ => bound.covers(next),
    }
}

/// How many elements a list has at most, or characters a text that is made.
pub fn extent(bound: &Bound) -> i64 {
    match bound {
        Bound::Text(text) => {
            if text.literals.is_some() {
                0
            } else {
                text.high
            }
        }
        other => other.sizes().1,
    }
}

/// The same list or text with no more elements or characters than these; others stay.
pub fn shortened(bound: &Bound, most: i64) -> Bound {
    match bound {
        Bound::List { low, high, .. } => bound.resized(*low, (*high).min(most)),
        Bound::Text(text) if text.literals.is_none() => {
            let (low, high) = (text.low.min(most), text.high.min(most));
            let bytes = text.bytes.min(most.saturating_mul(text.signs.bytes()));
            Bound::Text(TextBound { low, high, bytes, ..text.clone() })
        }
        other => other.clone(),
    }
}

pub fn grown(before: &Bound, next: &Bound, turns: i64) -> Bound {
    match (before, next) {
        (Bound::List { low, high, element }, Bound::List { low: l, high: h, element: e }) => {
            let growth = h.saturating_sub(*high).max(0);
            let most = high.saturating_add(growth.saturating_mul(turns));
            let element = match high {
                0 => e.clone(),
                _ if element.covers(e) => element.clone(),
                _ => Box::new(grown(element, e, turns)),
            };
            // A list that shrinks may go on to shrink.
            let low = if l < low { 0 } else { *low };
            Bound::List { low, high: most, element }
        }
        (Bound::Text(text), Bound::Text(after)) if after.literals.is_none() => {
            let grown = |text: i64, after: i64| {
                let growth = after.saturating_sub(text).max(0);
                text.saturating_add(growth.saturating_mul(turns))
            };
            let (high, bytes) = (grown(text.high, after.high), grown(text.bytes, after.bytes));
            // One that gets shorter may go on to.
            let low = if after.low < text.low { 0 } else { text.low };
            match before.hull(next) {
                Bound::Text(both) => Bound::Text(TextBound { low, high, bytes, ..both }),
                other => other,
            }
        }
        (Bound::Int { .. }, Bound::Int { .. }) => between(i64::MIN, i64::MAX),
        _ => before.hull(next),
    }
}

/// The error of a fold whose bound `before` a turn leads to a larger one than the turns before it
/// told: does the list grow, or does only its bound?
pub fn unproved(before: &Bound, next: &Bound, first: i64, span: Span) -> Diagnostic {
    let is_text = matches!(before, Bound::Text(_));
    let least = |bound: &Bound| match bound {
        Bound::Text(text) => text.low,
        other => other.sizes().0,
    };
    let as_much = match is_text {
        true => "let it grow by the same number of characters each turn, such as `\"{said}{x}\"`",
        false => "let it grow by the same number of elements each turn, such as `seen + [x]`",
    };
    if least(next) > least(before) {
        return unknown(span, "it grows by more each turn").help(as_much);
    }
    let error = unknown(span, "it may be longer after each turn, as far as its bounds tell");
    match is_text {
        true => error.help(as_much),
        false => error.help(format!(
            "write `take({first}, …)` around the next list where it stays as long; where it \
             grows, {as_much}"
        )),
    }
}

/// The error of a fold that carries lists of lists, whose inner ones get longer.
pub fn unproved_inside(span: Span) -> Diagnostic {
    unknown(span, "what is in it may be longer after each turn, as far as its bounds tell").help(
        "write `take(n, …)` around the lists that are in it, with the most elements that they can \
         have",
    )
}

fn unknown(span: Span, label: &str) -> Diagnostic {
    let title = "the largest size of what this fold carries is not known";
    Diagnostic::error("E509", title, span, label)
}

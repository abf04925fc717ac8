//! What no sample of a level can do, whatever is drawn: counts, draws and indices that the bounds
//! refuse.

use super::level::Number;
use super::lower::{Lower, Value};
use super::{Builtin, Sampler};
use crate::check::typed::{Expr, ExprKind};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Lower<'_> {
    /// Refuses a draw that always fails.
    pub fn refuse_draw(
        &mut self,
        sampler: Sampler,
        values: &[Value],
        arguments: &[Expr],
        span: Span,
    ) {
        let count = (&values[0], arguments.first());
        match sampler {
            Sampler::Distinct | Sampler::Span => {
                self.refuse_count(count, Some((&values[1], arguments.get(1))), 0, "the draw", span);
            }
            Sampler::Split => {
                self.refuse_count(count, Some((&values[1], arguments.get(1))), 1, "the draw", span)
            }
            Sampler::DistinctWithout => {
                // How many of them are gone is not known, so nothing is surely right.
                let count = (&values[0], None);
                self.refuse_count(count, Some((&values[2], arguments.get(2))), 0, "the draw", span);
            }
            Sampler::Draw if values[0].bound.interval().0 > 0 && always_empty(&values[1]) => {
                self.errors.push(from_nothing(span));
            }
            Sampler::Draw => self.refuse_count(count, None, 0, "the draw", span),
            Sampler::Uniform if values[0].bound.interval().0 > values[1].bound.interval().1 => {
                self.errors.push(empty_range(values, arguments.first(), span));
            }
            Sampler::Pick | Sampler::Weighted if always_empty(&values[0]) => {
                self.errors.push(from_nothing(span));
            }
            Sampler::Weighted => self.refuse_weights(values, span),
            Sampler::Coin => self.refuse_probability(arguments.first(), span),
            Sampler::Uniform | Sampler::Pick | Sampler::Shuffle => {}
        }
    }

    /// Refuses a computation that always fails.
    pub fn refuse_builtin(
        &mut self,
        builtin: Builtin,
        values: &[Value],
        arguments: &[Expr],
        span: Span,
    ) {
        let count = || (&values[0], arguments.first());
        match builtin {
            Builtin::Take | Builtin::Drop => {
                self.refuse_count(
                    count(),
                    Some((&values[1], arguments.get(1))),
                    0,
                    "this part",
                    span,
                );
            }
            Builtin::Chunks => self.refuse_count(count(), None, 1, "a part", span),
            Builtin::Around => self.refuse_count(count(), None, 0, "the margin", span),
            Builtin::Max | Builtin::Min if always_empty(&values[0]) => {
                let error = Diagnostic::error(
                    "E504",
                    "no number is the greatest or the least of \
                     none",
                    span,
                    "of a list that is always empty",
                );
                self.errors.push(error.help("write a list that has elements"));
            }
            Builtin::Position if always_empty(&values[1]) => {
                let title = "what is looked for is not in the list";
                let error = Diagnostic::error("E504", title, span, "the list is always empty");
                self.errors.push(error.help("look in a list that has elements"));
            }
            _ => {}
        }
    }

    /// Reports a count that no list of this size can serve, or that is always below `least_count`.
    pub fn refuse_count(
        &mut self,
        (count, written): (&Value, Option<&Expr>),
        xs: Option<(&Value, Option<&Expr>)>,
        least_count: i64,
        what: &str,
        span: Span,
    ) {
        let (least, most) = count.bound.interval();
        let sizes = xs.map(|(xs, _)| xs.bound.sizes());
        let is_vocab = xs.and_then(|(_, written)| written).is_some_and(is_vocab);
        match sizes {
            Some((fewest, available)) if least > available => {
                let (list, longer) = match is_vocab {
                    true => ("`vocab`", "take more words for `vocab`"),
                    false => ("the list", "a longer list"),
                };
                let title = format!(
                    "{what} wants {} elements, {list} has {}",
                    range(least, most),
                    range(fewest, available)
                );
                let error = Diagnostic::error("E511", title, span, "too many at this level")
                    .help(format!("write a count of at most {available}, or {longer}"));
                self.errors.push(
                    match written.filter(|it| available > 0 && is_written(it, span)) {
                        Some(count) => error.fix(count.span, available.to_string()),
                        None => error,
                    },
                );
            }
            _ if most < least_count => {
                let title = format!("{what} wants {} elements", range(least, most));
                let label = match least_count {
                    0 => "negative at this level",
                    _ => "less than one at this level",
                };
                self.errors.push(
                    Diagnostic::error("E511", title, span, label)
                        .help(format!("write a count that is {least_count} or more")),
                );
            }
            _ => {}
        }
    }

    fn refuse_weights(&mut self, values: &[Value], span: Span) {
        let ((a, b), (c, d)) = (values[0].bound.sizes(), values[1].bound.sizes());
        let (_, greatest) = values[1].bound.element().interval();
        if b < c || d < a {
            let title = format!("{} elements have {} weights", range(a, b), range(c, d));
            let error = Diagnostic::error("E510", title, span, "not one each");
            self.errors.push(error.help("write a weight for each element"));
        } else if greatest <= 0 {
            let title = "no element has a weight above 0";
            let error = Diagnostic::error("E510", title, span, "nothing can be drawn");
            self.errors.push(error.help("write weights of 0 or more, one of them above 0"));
        }
    }

    fn refuse_probability(&mut self, probability: Option<&Expr>, span: Span) {
        let Some(number) = probability.and_then(|expr| self.known_real(expr)) else { return };
        if !(0.0..=1.0).contains(&number) {
            let title = format!("the probability {number} is outside 0..1");
            let error = Diagnostic::error("E504", title, span, "no coin has it");
            let near = if (2.0..=100.0).contains(&number) { number / 100.0 } else { 0.5 };
            let help = format!("write a probability from 0.0 to 1.0, such as `coin({near:?})`");
            self.errors.push(error.help(help));
        }
    }

    /// The number that an expression is at this level, if it is one that is written.
    fn known_real(&self, expr: &Expr) -> Option<f64> {
        match &expr.kind {
            ExprKind::Real(number) => Some(*number),
            ExprKind::Int(number) => Some(*number as f64),
            ExprKind::ToReal(inner) => self.known_real(inner),
            ExprKind::Param(index) => Some(match self.numbers[*index] {
                Number::Int(number) => number as f64,
                Number::Real(number) => number,
            }),
            _ => None,
        }
    }
}

fn always_empty(xs: &Value) -> bool {
    xs.bound.sizes().1 == 0
}

fn from_nothing(span: Span) -> Diagnostic {
    Diagnostic::error("E510", "the list to draw from is empty", span, "empty")
        .help("draw from a list that has elements")
}

fn empty_range(values: &[Value], written: Option<&Expr>, span: Span) -> Diagnostic {
    let (least, most) = (values[1].bound.interval().0, values[0].bound.interval().1);
    let error = Diagnostic::error("E510", "the range to draw from is empty", span, "empty")
        .help(format!("write the least number first: `uniform({least}..{most})`"));
    match written.map(|range| &range.kind) {
        Some(ExprKind::Range(low, high)) if is_written(low, span) && is_written(high, span) => {
            error.fix(low.span.to(high.span), format!("{least}..{most}"))
        }
        _ => error,
    }
}

/// Is it a number as it is in a call? In a function of another file, all is at the call.
fn is_written(expr: &Expr, call: Span) -> bool {
    matches!(expr.kind, ExprKind::Int(_)) && expr.span != call
}

fn is_vocab(list: &Expr) -> bool {
    matches!(list.kind, ExprKind::Pool(0))
}

/// `3`, or `3 to 5`.
pub fn range(low: i64, high: i64) -> String {
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

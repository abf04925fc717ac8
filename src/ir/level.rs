//! The numbers of a level: each parameter has one before anything is lowered.

use super::{Arithmetic, Choice};
use crate::check::typed::{Expr, ExprKind, Param, Template};
use crate::check::types::Type;
use crate::check::unknown_param;
use crate::diagnostic::{Diagnostic, near_miss};
use crate::source::Span;
use crate::syntax::ast::Operator;

/// A parameter's value; of one that is one of some names, its position among them.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Number {
    /// Of an `Int` parameter.
    Int(i64),
    /// Of a `Real` parameter.
    Real(f64),
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Number::Int(value) => write!(f, "{value}"),
            Number::Real(value) => write!(f, "{value}"),
        }
    }
}

/// The value of every parameter, in order: what the user sets, else the level, else the default.
///
/// # Errors
/// Where the level or a parameter that is set is unknown, a number is out of its range, or an
/// expression of numbers has no value.
pub fn resolve(template: &Template, choice: &Choice) -> Result<Vec<Number>, Vec<Diagnostic>> {
    let level = match template.levels.iter().find(|level| level.name == choice.level) {
        None if !choice.level.is_empty() => {
            return Err(vec![unknown_level(template, &choice.level)]);
        }
        level => level,
    };
    let unknown = choice
        .set
        .iter()
        .filter(|(name, _)| !template.params.iter().any(|param| param.name == *name));
    let mut errors: Vec<Diagnostic> = unknown.map(|(name, _)| not_set(template, name)).collect();
    let mut numbers = Vec::new();
    for (index, param) in template.params.iter().enumerate() {
        let set = choice.set.iter().rev().find(|(name, _)| *name == param.name);
        let by_level =
            level.and_then(|level| level.settings.iter().find(|(known, _, _)| *known == index));
        let (value, place) = match (set, by_level) {
            (Some((_, text)), _) => (parse(param, text), Place::Set),
            (None, Some((_, span, value))) => {
                (written(template, param, value, &numbers), Place::Level(*span, value.span))
            }
            (None, None) => (written(template, param, &param.default, &numbers), Place::Default),
        };
        match value.and_then(|value| inside(param, value, place, &numbers)) {
            Ok(value) => numbers.push(value),
            Err(error) => {
                errors.push(error);
                // Later parameters are checked against something, so that all errors show.
                numbers.push(constant(&param.low, &numbers).unwrap_or(Number::Int(1)));
            }
        }
    }
    if errors.is_empty() { Ok(numbers) } else { Err(errors) }
}

/// Where a value was written.
#[derive(Clone, Copy)]
enum Place {
    Set,
    /// Its name there, and its number.
    Level(Span, Span),
    Default,
}

fn inside(
    param: &Param,
    value: Number,
    place: Place,
    numbers: &[Number],
) -> Result<Number, Diagnostic> {
    let (low, high) = (constant(&param.low, numbers)?, constant(&param.high, numbers)?);
    if low > high {
        let title = format!("the range of `{}` is empty: {low}..{high}", param.name);
        let range = param.low.span.to(param.high.span);
        let error = Diagnostic::error("E506", title, range, "empty")
            .help(format!("write the least value first: `{high}..{low}`"));
        return Err(
            match !is_of_part(param) && is_written(&param.low) && is_written(&param.high) {
                true => error.fix(range, format!("{high}..{low}")),
                false => error,
            },
        );
    }
    if low <= value && value <= high {
        return Ok(value);
    }
    let title = format!("`{}` = {value} is outside {low}..{high}", param.name);
    let range = param.low.span.to(param.high.span);
    let nearest = if value < low { low } else { high };
    let help = format!("write a number in {low}..{high}, such as {nearest}");
    Err(match place {
        Place::Set => Diagnostic::error("E501", title, range, "the range stands here").help(help),
        Place::Default if is_of_part(param) => {
            Diagnostic::error("E501", title, param.default.span, "set here").help(help)
        }
        Place::Default => {
            let error = Diagnostic::error("E501", title, param.default.span, "the default");
            fixed(error.and(range, "the range").help(help), param, param.default.span, nearest)
        }
        Place::Level(span, value) => {
            let error = Diagnostic::error("E502", title, span, "set here");
            fixed(error.and(range, "the range").help(help), param, value, nearest)
        }
    })
}

/// Is it a parameter of another template? Its range has the place of the call that brings it in.
fn is_of_part(param: &Param) -> bool {
    param.low.span == param.high.span
}

/// Writes the nearest number in the range.
fn fixed(error: Diagnostic, param: &Param, value: Span, nearest: Number) -> Diagnostic {
    match is_of_part(param) {
        true => error,
        false => error.fix(value, nearest.to_string()),
    }
}

/// Is this a number as it stands, not one that is computed?
fn is_written(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Int(_) | ExprKind::Real(_))
}

/// The value that an expression gives a parameter.
fn written(
    template: &Template,
    param: &Param,
    expr: &Expr,
    numbers: &[Number],
) -> Result<Number, Diagnostic> {
    if param.names.is_empty() {
        return constant(expr, numbers);
    }
    match &expr.kind {
        ExprKind::Text(text) => named(param, text, expr.span),
        // Of the template that this one is a part of.
        ExprKind::Param(index) => match (numbers.get(*index), &template.params[*index].names) {
            (Some(Number::Int(at)), names) if !names.is_empty() => {
                named(param, &names[*at as usize], expr.span)
            }
            _ => Err(computed(expr.span)),
        },
        _ => Err(computed(expr.span)),
    }
}

/// The position of a name that a parameter may be.
fn named(param: &Param, text: &str, place: Span) -> Result<Number, Diagnostic> {
    if let Some(at) = param.names.iter().position(|name| name == text) {
        return Ok(Number::Int(at as i64));
    }
    let title = format!("`{}` is none of its names: `{text}`", param.name);
    let error = Diagnostic::error("E501", title, place, "set here");
    let near = near_miss(text, param.names.iter().map(String::as_str));
    Err(match near {
        Some(near) => error.help(format!("write `{near}`")),
        None => error.help(format!("write one of: {}", param.names.join(", "))),
    })
}

fn parse(param: &Param, text: &str) -> Result<Number, Diagnostic> {
    if !param.names.is_empty() {
        return named(param, text, param.span);
    }
    let number = match param.kind {
        Type::Real => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Real),
        _ => text.parse().ok().map(Number::Int),
    };
    number.ok_or_else(|| {
        let wanted = if param.kind == Type::Real { "a number" } else { "an integer" };
        let title = format!("`{}` is {wanted}, not `{text}`", param.name);
        let is_decimal = text.contains('.') && text.parse::<f64>().is_ok_and(f64::is_finite);
        Diagnostic::error("E507", title, param.span, "this parameter").help(
            match param.kind != Type::Real && is_decimal {
                true => format!(
                    "write the numbers of its `in … = …` with a point, such as `0.0` for `0`: \
                     then `{}` is a Real",
                    param.name
                ),
                false => format!("write `--set {}=NUMBER`", param.name),
            },
        )
    })
}

/// The number that an expression of numbers and earlier parameters evaluates to.
fn constant(expr: &Expr, numbers: &[Number]) -> Result<Number, Diagnostic> {
    match &expr.kind {
        ExprKind::Int(value) => Ok(Number::Int(*value)),
        ExprKind::Real(value) => Ok(Number::Real(*value)),
        ExprKind::Param(index) => numbers.get(*index).copied().ok_or_else(|| computed(expr.span)),
        ExprKind::ToReal(inner) => match constant(inner, numbers)? {
            Number::Int(value) => Ok(Number::Real(value as f64)),
            real => Ok(real),
        },
        ExprKind::Binary(operator, left, right) => {
            let (left, right) = (constant(left, numbers)?, constant(right, numbers)?);
            combine(*operator, left, right, expr.span)
        }
        _ => Err(computed(expr.span)),
    }
}

fn combine(
    operator: Operator,
    left: Number,
    right: Number,
    span: Span,
) -> Result<Number, Diagnostic> {
    let result = match (left, right) {
        (Number::Int(a), Number::Int(b)) => Arithmetic::of(operator)
            .ok_or_else(|| computed(span))?
            .apply(a, b)
            .map(Number::Int)
            .ok(),
        (Number::Real(a), Number::Real(b)) => Some(Number::Real(match operator {
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::Divide => a / b,
            _ => return Err(computed(span)),
        })),
        _ => return Err(computed(span)),
    };
    result.ok_or_else(|| {
        Diagnostic::error("E504", "this has no value", span, "overflows, or divides by zero")
            .help("write numbers that fit")
    })
}

fn computed(span: Span) -> Diagnostic {
    let title = "a parameter's numbers are known before a sample is made";
    Diagnostic::error("E503", title, span, "this is not known then")
        .help("write numbers, earlier parameters and `+ - * / %`")
}

fn unknown_level(template: &Template, name: &str) -> Diagnostic {
    let title = format!("the template has no level `{name}`");
    let span = template.levels.first().map_or(first_span(template), |level| level.span);
    let known = || template.levels.iter().map(|level| level.name.as_str());
    let label = if template.levels.is_empty() { "it has none" } else { "the levels stand here" };
    let error = Diagnostic::error("E508", title, span, label);
    match near_miss(name, known()) {
        Some(near) => error.help(format!("write `{near}`")),
        None if template.levels.is_empty() => error.help("leave `--level` out"),
        None => error.help(format!("the levels are: {}", known().collect::<Vec<_>>().join(", "))),
    }
}

/// The error of a name that the user sets and the template does not have.
fn not_set(template: &Template, name: &str) -> Diagnostic {
    let mut error = unknown_param(template, name, first_span(template));
    // The name is in no text of ours, so there is nothing to replace.
    error.fix.clear();
    error.labels[0].text = match template.params.is_empty() {
        true => "it has no parameter".to_string(),
        false => "its first parameter".to_string(),
    };
    error
}

fn first_span(template: &Template) -> Span {
    template.params.first().map_or(Span::default(), |param| param.span)
}

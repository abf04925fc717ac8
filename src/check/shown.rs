//! What a placeholder shows: a value in its form, or rows of lists side by side.

use super::expr::{Checker, article, shown_inside};
use super::filled::refuse_unshowable;
use super::typed::{Cell, DigitsOf, ExprKind, Form, Piece, Placeholder, Rows};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, Operator, TextPart};

/// What stands behind a row's number.
const DOT: &str = ". ";

/// What `{expr}` shows.
pub fn piece(checker: &mut Checker, expr: &ast::Expr) -> Piece {
    let (shown, nothing) = match &expr.kind {
        ast::ExprKind::Binary(Operator::Or, _, left, right) => match &right.kind {
            ast::ExprKind::Text(text) => (&**left, Some((text, right.span))),
            ast::ExprKind::Filled(_) | ast::ExprKind::Int(_) | ast::ExprKind::Real(_) => {
                let title = "what is shown for an empty list is a text without placeholders";
                let error = Diagnostic::error("E410", title, right.span, "this is none");
                checker.error(error.help("write it between quotes: `or \"none\"`"));
                (&**left, None)
            }
            _ => (expr, None),
        },
        _ => (expr, None),
    };
    let (between, cells) = match (called(shown), nothing) {
        (Some((name, [between, row])), _) if name.text == "join" => {
            checker.shows(name);
            (literal(checker, between), cells(checker, &row.value))
        }
        (Some((name, [row])), _) if name.text == "lines" => {
            checker.shows(name);
            ("\n".to_string(), cells(checker, &row.value))
        }
        (Some((name, [list])), _) if name.text == "numbered" => {
            checker.shows(name);
            let column = Cell::Column(column(checker, &list.value));
            ("\n".to_string(), vec![Cell::Number, Cell::Literal(DOT.to_string()), column])
        }
        (_, None) => return Piece::Placeholder(alone(checker, shown)),
        (_, Some(_)) => {
            let column = column(checker, shown);
            let between = if column.value.ty.depth() > 1 { "\n" } else { " " };
            (between.to_string(), vec![Cell::Column(column)])
        }
    };
    if let Some((text, span)) = nothing
        && text.trim().is_empty()
    {
        let title = "what is shown for an empty list is empty itself";
        let error = Diagnostic::error("E410", title, span, "nothing to see");
        checker.error(error.help("write a word, such as `or \"none\"`, or leave it out"));
    }
    let nothing = nothing.map(|(text, _)| text.clone());
    match &cells[..] {
        [Cell::Column(Placeholder { value, form: Form::Plain })]
            if nothing.is_none() && value.ty.depth() < 2 =>
        {
            Piece::Placeholder(Placeholder { value: value.clone(), form: Form::Joined(between) })
        }
        _ => Piece::Rows(Rows { between, cells, nothing, span: expr.span }),
    }
}

/// A call whose values have no names.
fn called(expr: &ast::Expr) -> Option<(&ast::Name, &[ast::Argument])> {
    match &expr.kind {
        ast::ExprKind::Call(name, arguments) if arguments.iter().all(|it| it.name.is_none()) => {
            Some((name, arguments))
        }
        _ => None,
    }
}

/// A single value.
fn alone(checker: &mut Checker, expr: &ast::Expr) -> Placeholder {
    let value = checker.infer(expr);
    if value.ty != Type::Shown {
        refuse_unshowable(checker, &value);
        return Placeholder { value, form: Form::Plain };
    }
    let ExprKind::Native(name, arguments) = value.kind else {
        checker.error(shown_inside(value.span));
        return Placeholder { value, form: Form::Plain };
    };
    arguments.iter().for_each(|argument| refuse_unshowable(checker, argument));
    let mut arguments = arguments.into_iter();
    let mut next = || arguments.next().expect("the call has as many values as the signature");
    let (count, value) = (next(), next());
    Placeholder { value, form: Form::Digits(digits_of(&name), count) }
}

fn digits_of(name: &str) -> DigitsOf {
    if name == "decimals" { DigitsOf::Point } else { DigitsOf::Whole }
}

/// The parts of a row: a list alone, or a text whose placeholders are lists.
fn cells(checker: &mut Checker, row: &ast::Expr) -> Vec<Cell> {
    let ast::ExprKind::Filled(text) = &row.kind else {
        return vec![Cell::Column(column(checker, row))];
    };
    let cell = |part: &TextPart| match part {
        TextPart::Literal(literal) => Cell::Literal(literal.clone()),
        TextPart::Placeholder(expr) => Cell::Column(column(checker, expr)),
    };
    text.parts.iter().map(cell).collect()
}

/// A list of which a row shows an element.
fn column(checker: &mut Checker, expr: &ast::Expr) -> Placeholder {
    if let ast::ExprKind::Binary(Operator::Or, symbol, list, text) = &expr.kind
        && matches!(text.kind, ast::ExprKind::Text(_) | ast::ExprKind::Filled(_))
    {
        let title = "`or` says what is shown where there is no row at all";
        let error = Diagnostic::error("E410", title, *symbol, "inside a row");
        checker.error(error.help("write it behind the rows: `{lines(\"…\") or \"none\"}`"));
        return column(checker, list);
    }
    let (value, form, depth) = match called(expr) {
        Some((name, [between, lists])) if name.text == "join" => {
            checker.shows(name);
            let between = literal(checker, between);
            (checker.infer(&lists.value), Form::Joined(between), 2)
        }
        Some((name, [count, list])) if matches!(&*name.text, "decimals" | "padded") => {
            checker.shows(name);
            let count = checker.expect(&count.value, &Type::Int);
            let value = checker.expect(&list.value, &Type::Int.list());
            (value, Form::Digits(digits_of(&name.text), count), 1)
        }
        _ => (checker.infer(expr), Form::Plain, 1),
    };
    if value.ty == Type::Shown {
        checker.error(shown_inside(value.span));
        return Placeholder { value, form: Form::Plain };
    }
    refuse_unshowable(checker, &value);
    if value.ty != Type::Unknown && !value.ty.is_open() && value.ty.depth() < depth {
        let found = article(&value.ty);
        let wanted = if depth == 1 { "a list" } else { "a list of lists" };
        let title = format!("expected {wanted}, found {found}");
        let error = Diagnostic::error("E301", title, value.span, format!("this is {found}"));
        checker.error(error.help(match depth {
            1 => "a row shows an element of each of its lists: show a list here",
            _ => "`join` inside a row joins the elements of each list: `{xs}` shows an element",
        }));
    }
    Placeholder { value, form }
}

/// The text between elements must be known before the first sample.
fn literal(checker: &mut Checker, argument: &ast::Argument) -> String {
    if let ast::ExprKind::Text(text) = &argument.value.kind {
        return text.clone();
    }
    let span = checker.infer(&argument.value).span;
    let title = "what stands between elements is a text in quotes";
    let error = Diagnostic::error("E410", title, span, "this is computed");
    checker.error(error.help("write it between quotes: `\", \"`"));
    String::new()
}

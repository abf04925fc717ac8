//! The texts of a template: their pieces, and the names that a reply shows.

use super::expr::Checker;
use super::part;
use super::shown;
use super::typed::{Binding, Expr, ExprKind, LocalId, Piece, Placeholder, Template};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, StatementKind, TextPart};

/// Checks `system`, `prompt` and `reply`.
pub fn lay_out(checker: &mut Checker, template: &mut Template, file: &ast::File) {
    let mut seen: [Option<Span>; 3] = [None; 3];
    for statement in &file.statements {
        let (at, word, text) = match &statement.kind {
            StatementKind::System(text) => (0, "system", text),
            StatementKind::Prompt(text) => (1, "prompt", text),
            StatementKind::Reply(text) => (2, "reply", text),
            _ => continue,
        };
        if let Some(first) = seen[at].replace(text.span) {
            checker.error(
                Diagnostic::error("E409", format!("`{word}` stands twice"), text.span, "again")
                    .and(first, "first here")
                    .help("delete one of them"),
            );
        }
        let pieces = pieces(checker, template, text);
        match at {
            0 => template.layout.system = Some(pieces),
            1 => template.layout.prompt = pieces,
            _ => {
                outputs_are_names(checker, template, &pieces, text.span);
                template.layout.reply = pieces;
            }
        }
    }
    let end = file.statements.last().map_or(Span::default(), |last| last.span);
    let showable = |binding: &&Binding| {
        let ty = &binding.value.ty;
        !ty.is_open() && !matches!(ty, Type::Real | Type::Shown) && ty.depth() <= 2
    };
    let mut bindings = template.bindings.iter().filter(showable);
    let first = bindings.next();
    if seen[1].is_none() {
        checker.error(missing(checker, "E401", "prompt", first, end));
    }
    if seen[2].is_none() {
        checker.error(missing(checker, "E402", "reply", bindings.next_back().or(first), end));
    }
}

/// The name to show is a guess: what is bound first is asked about, what is bound last answers.
fn missing(
    checker: &Checker,
    code: &'static str,
    word: &str,
    shown: Option<&Binding>,
    end: Span,
) -> Diagnostic {
    let title = format!("the template has no `{word}`");
    let error = Diagnostic::error(code, title, end, "the last statement");
    let Some(shown) = shown else {
        return error.help(format!("bind a name, then write `{word} \"{{name}}\"`"));
    };
    let line = format!("{word} \"{{{}}}\"", checker.scope.locals[shown.local].name);
    let after = Span::new(end.end, end.end);
    error.help(format!("write after it: `{line}`")).fix(after, format!("\n{line}"))
}

fn pieces(checker: &mut Checker, template: &Template, text: &ast::Text) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for part in &text.parts {
        let more = match part {
            TextPart::Literal(literal) => vec![Piece::Literal(literal.clone())],
            TextPart::Placeholder(expr) => part::text_of(checker, template, expr)
                .unwrap_or_else(|| vec![shown::piece(checker, expr)]),
        };
        for piece in more {
            match (pieces.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(after)) => before.push_str(&after),
                (_, piece) => pieces.push(piece),
            }
        }
    }
    pieces
}

/// Every placeholder of a reply is a name of the template, and each is once. A list of rows may be
/// there again, and be an expression, where it says what the rows begin with.
fn outputs_are_names(checker: &mut Checker, template: &Template, pieces: &[Piece], span: Span) {
    let mut seen: Vec<(LocalId, Span)> = Vec::new();
    let is_row = |piece: &&Piece| matches!(piece, Piece::Rows(_));
    let (rows, alone): (Vec<&Piece>, Vec<&Piece>) = pieces.iter().partition(is_row);
    for piece in alone.into_iter().chain(rows) {
        let is_seen = |shown: &Placeholder, seen: &[(LocalId, Span)]| match shown.value.kind {
            ExprKind::Local(id) => seen.iter().any(|(known, _)| *known == id),
            _ => true,
        };
        let is_row = matches!(piece, Piece::Rows(_));
        let is_new = is_row && piece.shown().any(|shown| !is_seen(shown, &seen));
        let before = seen.len();
        for Placeholder { value, .. } in piece.shown() {
            let ExprKind::Local(id) = value.kind else {
                if value.ty != Type::Unknown && !is_new {
                    checker.error(not_a_name(value));
                }
                continue;
            };
            let name = checker.scope.locals[id].name.clone();
            if template.binding_of(id).is_none() {
                continue;
            }
            let again = seen.iter().position(|(known, _)| *known == id);
            if let Some(at) = again.filter(|at| !is_new || *at >= before) {
                let title = format!("`{name}` stands twice in the reply");
                let error = Diagnostic::error("E405", title, value.span, "again here")
                    .and(seen[at].1, "first here")
                    .help(format!("show `{name}` once"));
                checker.error(error);
            }
            if value.ty == Type::Real {
                let error = Diagnostic::error(
                    "E411",
                    "a Real cannot be read back exactly",
                    value.span,
                    "shown in the reply",
                )
                .help(format!(
                    "make `{name}` an Int of hundredths, `100 * a / b`, the same in its rules, and \
                     show it as `{{decimals(2, {name})}}`"
                ));
                checker.error(error);
            }
            seen.push((id, value.span));
        }
    }
    if seen.is_empty() && pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))) {
        checker.error(
            Diagnostic::error("E408", "the reply shows no value", span, "only literal text")
                .help("show what the model must find: `reply \"{answer}\"`"),
        );
    }
}

/// The error of a reply that shows an expression.
pub fn not_a_name(value: &Expr) -> Diagnostic {
    Diagnostic::error("E403", "a reply shows names, so that it can be read back", value.span, {
        "this is an expression"
    })
    .help("give it a name first: `answer = …`, then write `{answer}`")
}

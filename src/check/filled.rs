//! Texts with placeholders that are values, and what they can hold.

use std::sync::Arc;

use super::expr::{Checker, article, of, unknown};
use super::typed::{Expr, ExprKind, Function, Template};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, TextPart};

// Natives that texts are made of; no name means them.

/// A value as a text.
pub const SHOWN: &str = "shown";
/// The elements of a list as texts.
pub const SHOWN_EACH: &str = "shown_each";
/// A text, and texts: as one, with the first between them.
pub const JOINED: &str = "joined";

/// An integer, and how many digits it has before its point and behind it.
pub const SHOWN_DIGITS: &str = "shown_digits";

/// The native that takes a text apart.
pub const LETTERS: &str = "letters";

impl Checker {
    /// A text with placeholders.
    pub fn filled(&mut self, text: &ast::Text) -> Expr {
        let parts = text.parts.iter().map(|part| match part {
            TextPart::Literal(literal) => {
                of(ExprKind::Text(literal.clone()), Type::Text, text.span)
            }
            TextPart::Placeholder(expr) => self.filling(expr),
        });
        let parts: Vec<Expr> = parts.collect();
        let parts = of(ExprKind::List(parts), Type::Text.list(), text.span);
        joined(of(ExprKind::Text(String::new()), Type::Text, text.span), parts, text.span)
    }

    /// What a placeholder of it shows.
    fn filling(&mut self, expr: &ast::Expr) -> Expr {
        if let ast::ExprKind::Binary(ast::Operator::Or, symbol, list, text) = &expr.kind
            && matches!(text.kind, ast::ExprKind::Text(_))
        {
            let title = "a text that is a value says nothing else for an empty list";
            let error = Diagnostic::error("E311", title, *symbol, "in `prompt` or `reply` only");
            self.error(error.help("choose: `if size(xs) == 0 then \"none\" else \"{xs}\"`"));
            return self.filling(list);
        }
        let value = self.infer(expr);
        let span = value.span;
        if value.ty != Type::Shown {
            refuse_unshowable(self, &value);
            return native(SHOWN, value, Type::Text);
        }
        match value.kind {
            ExprKind::Native(name, mut arguments) if name == "join" && arguments.len() == 2 => {
                arguments.iter().for_each(|argument| refuse_unshowable(self, argument));
                let (xs, between) = (arguments.pop(), arguments.pop());
                let parts = xs.map(|xs| native(SHOWN_EACH, xs, Type::Text.list()));
                match between.zip(parts) {
                    Some((between, parts)) => joined(between, parts, span),
                    None => unknown(span),
                }
            }
            ExprKind::Native(name, mut arguments)
                if (name == "decimals" || name == "padded") && arguments.len() == 2 =>
            {
                let one = of(ExprKind::Int(1), Type::Int, span);
                let none = of(ExprKind::Int(0), Type::Int, span);
                let (x, count) = (arguments.remove(1), arguments.remove(0));
                let parts = match name.as_str() {
                    "decimals" => vec![x, one, count],
                    _ => vec![x, count, none],
                };
                of(ExprKind::Native(SHOWN_DIGITS.to_string(), parts), Type::Text, span)
            }
            _ => {
                let title = "a text that is a value has no lines of a list in it";
                self.error(
                    Diagnostic::error("E311", title, span, "shown in `prompt` or `reply` only")
                        .help("write `{join(\"\\n\", xs)}`, where each element is a line"),
                );
                unknown(span)
            }
        }
    }
}

fn joined(between: Expr, parts: Expr, span: Span) -> Expr {
    of(ExprKind::Native(JOINED.to_string(), vec![between, parts]), Type::Text, span)
}

fn native(name: &str, value: Expr, ty: Type) -> Expr {
    let span = value.span;
    of(ExprKind::Native(name.to_string(), vec![value]), ty, span)
}

/// Reports a value that no text shows.
pub fn refuse_unshowable(checker: &mut Checker, value: &Expr) {
    // After another error a type may be open for its sake.
    if value.ty.is_open() && value.ty != Type::Unknown && checker.errors.is_empty() {
        checker.error(
            Diagnostic::error("E313", "what this is a list of is not known", value.span, {
                "always empty"
            })
            .help("write an element into the list, or show another value"),
        );
    } else if value.ty.depth() > 2 {
        let found = article(&value.ty);
        checker.error(
            Diagnostic::error(
                "E407",
                "a list of lists of lists has no form as text",
                value.span,
                format!("this is {found}"),
            )
            .help("show `{concat(xs)}`, or one of its elements"),
        );
    }
}

/// Whether the bindings of a template make texts.
pub fn makes_texts(template: &Template) -> bool {
    let mut known = Vec::new();
    template.bindings.iter().any(|binding| makes(&binding.value, &mut known))
}

fn makes(value: &Expr, known: &mut Vec<*const Function>) -> bool {
    let (mut makes_some, mut called) = (false, Vec::new());
    value.clone().visit(&mut |expr| match &expr.kind {
        ExprKind::Native(name, _) => {
            makes_some |=
                [JOINED, SHOWN, SHOWN_EACH, SHOWN_DIGITS, LETTERS].contains(&name.as_str());
        }
        ExprKind::Apply(function, _) => called.push(function.clone()),
        _ => {}
    });
    called.retain(|function| !known.contains(&Arc::as_ptr(function)));
    known.extend(called.iter().map(Arc::as_ptr));
    let mut bodies = called.iter().filter_map(|function| function.body.as_ref());
    makes_some
        || bodies.any(|body| {
            let values = body.bindings.iter().map(|(_, _, value)| value);
            values.chain([&body.result]).any(|value| makes(value, known))
        })
}

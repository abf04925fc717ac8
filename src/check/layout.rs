//! Texts with placeholders, and the proof that a reply can be read back.

use std::collections::BTreeSet;

use super::expr::{Checker, shown_inside};
use super::filled::refuse_unshowable;
use super::part;
use super::roles::shown_names;
use super::typed::{
    Binding, DigitsOf, Expr, ExprKind, Form, LocalId, Piece, Placeholder, Template,
};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
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
                .unwrap_or_else(|| vec![Piece::Placeholder(placeholder(checker, expr))]),
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

fn placeholder(checker: &mut Checker, expr: &ast::Expr) -> Placeholder {
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
    match name.as_str() {
        "join" => {
            let between = literal(checker, next());
            Placeholder { value: next(), form: Form::Joined(between) }
        }
        "numbered" => Placeholder { value: next(), form: Form::Numbered },
        "decimals" | "padded" => {
            let of = if name == "decimals" { DigitsOf::Point } else { DigitsOf::Whole };
            let count = next();
            Placeholder { value: next(), form: Form::Digits(of, count) }
        }
        "labelled" => {
            let labels = next();
            Placeholder { value: next(), form: Form::Labelled(labels) }
        }
        _ => {
            let keys = next();
            let between = literal(checker, next());
            Placeholder { value: next(), form: Form::Lines(keys, between) }
        }
    }
}

/// The text between elements must be known before the first sample.
fn literal(checker: &mut Checker, expr: Expr) -> String {
    if let ExprKind::Text(text) = expr.kind {
        return text;
    }
    checker.error(
        Diagnostic::error("E410", "what stands between elements is a text in quotes", expr.span, {
            "this is computed"
        })
        .help("write it between quotes: `\", \"`"),
    );
    String::new()
}

/// Every placeholder of a reply is a name of the template, and each is once.
fn outputs_are_names(checker: &mut Checker, template: &Template, pieces: &[Piece], span: Span) {
    let mut seen: Vec<(LocalId, Span)> = Vec::new();
    for piece in pieces {
        let Piece::Placeholder(Placeholder { value, .. }) = piece else { continue };
        let ExprKind::Local(id) = value.kind else {
            if value.ty != Type::Unknown {
                checker.error(not_a_name(value));
            }
            continue;
        };
        let name = checker.scope.locals[id].name.clone();
        if template.binding_of(id).is_none() {
            continue;
        }
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == id) {
            let error = Diagnostic::error(
                "E405",
                format!("`{name}` stands twice in the reply"),
                value.span,
                "again here",
            )
            .and(*first, "first here")
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
            .help(format!("write `{name}` as an Int, such as hundredths: `100 * a / b`"));
            checker.error(error);
        }
        seen.push((id, value.span));
    }
    if seen.is_empty() && !pieces.iter().any(|piece| matches!(piece, Piece::Placeholder(_))) {
        checker.error(
            Diagnostic::error("E408", "the reply shows no value", span, "only literal text")
                .help("show what the model must find: `reply \"{answer}\"`"),
        );
    }
}

fn not_a_name(value: &Expr) -> Diagnostic {
    Diagnostic::error("E403", "a reply shows names, so that it can be read back", value.span, {
        "this is an expression"
    })
    .help("give it a name first: `answer = …`, then write `{answer}`")
}

/// The errors of a reply that cannot be read back. Between two values is a literal with a
/// character that the first value never has: so that value ends at the first occurrence of the
/// literal.
pub fn unreadable(template: &Template, source: &Source) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let reply = &template.layout.reply;
    for (at, piece) in reply.iter().enumerate() {
        let Piece::Placeholder(placeholder) = piece else { continue };
        errors.extend(inseparable_elements(template, placeholder, source));
        errors.extend(unreadable_keys(template, placeholder));
        let symbol = symbol_after(template, placeholder);
        let ended = |error: Diagnostic, symbol: &str| match is_own(template, placeholder, source) {
            true => error.fix(closing_brace(source, placeholder.value.span), format!("}}{symbol}")),
            false => error,
        };
        let literal = match (reply.get(at + 1), reply.get(at + 2)) {
            (Some(Piece::Placeholder(next)), _) => {
                let (title, place) = ("nothing stands between two values", next.value.span);
                let error = Diagnostic::error("E404", title, place, "begins where the other ends")
                    .and(placeholder.value.span, "ends nowhere")
                    .help(format!(
                        "write a text between them: `{{{}}}{symbol}{{{}}}`",
                        source.slice(placeholder.value.span),
                        source.slice(next.value.span)
                    ));
                errors.push(ended(error, symbol));
                continue;
            }
            (Some(Piece::Literal(literal)), Some(_)) => literal,
            _ => continue,
        };
        if !tight(literal).chars().any(|character| never_in(template, placeholder, character)) {
            let title = format!("`{literal}` may be part of the value before it");
            let is_plain = matches!(placeholder.form, Form::Plain);
            let value = match is_plain && is_own(template, placeholder, source) {
                true => format!("{{{}}}", source.slice(placeholder.value.span)),
                // A value among others, as in `{lines(keys, ": ", values)}`.
                false => "…}".to_string(),
            };
            let written = format!("{value}{}{}", symbol.trim_end(), literal.replace('\n', "\\n"));
            let error =
                Diagnostic::error("E404", title, placeholder.value.span, "where does this end?")
                    .help(format!("write a character after it that it never has: `{written}`"));
            errors.push(ended(error, symbol.trim_end()));
        }
    }
    errors
}

/// A literal without the spaces beside its line breaks: a reply is read without them.
pub fn tight(literal: &str) -> String {
    let last = literal.matches('\n').count();
    let lines = literal.split('\n').enumerate().map(|(at, line)| {
        let line = if at > 0 { line.trim_start_matches(' ') } else { line };
        if at < last { line.trim_end_matches(' ') } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The error of keys that a reply does not tell: those that the prompt does not show are read from
/// the reply, up to the text between a key and its value.
fn unreadable_keys(template: &Template, placeholder: &Placeholder) -> Option<Diagnostic> {
    let (keys, between) = match &placeholder.form {
        Form::Lines(keys, between) => (keys, between.as_str()),
        Form::Labelled(labels) => (labels, ". "),
        Form::Plain | Form::Joined(_) | Form::Numbered | Form::Digits(..) => return None,
    };
    let layout = &template.layout;
    let mut given = shown_names(&layout.prompt);
    given.extend(shown_names(layout.system.as_deref().unwrap_or_default()));
    let ExprKind::Local(local) = keys.kind else {
        let outputs = shown_names(&layout.reply);
        let is_read = |name: &LocalId| outputs.contains(name) && !given.contains(name);
        let made_from = made_from(template, keys);
        return made_from.iter().any(is_read).then(|| not_a_name(keys));
    };
    let element = keys.ty.element().unwrap_or(&Type::Unknown);
    let apart = |symbol: char| {
        !(element.depth() > 0 && symbol == ' ') && never_in_value(template, keys, symbol)
    };
    let is_value = |piece: &Piece| match piece {
        Piece::Placeholder(Placeholder { value, .. }) => {
            matches!(value.kind, ExprKind::Local(id) if id == local)
        }
        Piece::Literal(_) => false,
    };
    let is_given = given.contains(&local) && !layout.reply.iter().any(is_value);
    if is_given || between.chars().any(apart) {
        return None;
    }
    let title = format!("`{between}` may be part of a key");
    Some(
        Diagnostic::error("E406", title, keys.span, "where does a key end?")
            .help("write a character that no key has: `lines(keys, \": \", values)`"),
    )
}

/// The names that a value is made from, and those that they are made from.
fn made_from(template: &Template, value: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<LocalId> = value.clone().names().into_iter().collect();
    while let Some(local) = open.pop() {
        if found.insert(local)
            && let Some((_, binding)) = template.binding_of(local)
        {
            open.extend(&binding.uses);
        }
    }
    found
}

/// True if the placeholder shows a name as it is there; not for what a part brings along.
fn is_own(template: &Template, placeholder: &Placeholder, source: &Source) -> bool {
    let ExprKind::Local(id) = placeholder.value.kind else { return false };
    template.locals[id].name == source.slice(placeholder.value.span)
}

/// Something to write after a value that the value never has.
fn symbol_after(template: &Template, placeholder: &Placeholder) -> &'static str {
    let symbols = ["; ", " | ", " / ", " # ", " = "];
    let apart =
        |symbol: &&str| symbol.chars().any(|it| it != ' ' && never_in(template, placeholder, it));
    symbols.into_iter().find(apart).unwrap_or(symbols[0])
}

/// The `}` of the placeholder that shows a value.
fn closing_brace(source: &Source, value: Span) -> Span {
    let at = source.text[value.end..].find('}').map_or(value.end, |at| value.end + at);
    Span::new(at, (at + 1).min(source.text.len()))
}

fn inseparable_elements(
    template: &Template,
    placeholder: &Placeholder,
    source: &Source,
) -> Option<Diagnostic> {
    let texts = &template.texts;
    let is_seen_later = template.makes_texts;
    if !is_seen_later
        && scalar(&placeholder.value.ty) == &Type::Text
        && texts.iter().any(|text| text.trim() != text)
    {
        let title = "a text that begins or ends with white space is not read back";
        let error =
            Diagnostic::error("E412", title, placeholder.value.span, "one of its texts does");
        return Some(error.help("leave the white space out of the text between the quotes"));
    }
    let Type::List(element) = &placeholder.value.ty else { return None };
    if let Form::Lines(_, between) = &placeholder.form
        && between.contains('\n')
    {
        let title = "a line of this list has a line break in it";
        let error =
            Diagnostic::error("E406", title, placeholder.value.span, "where does a line end?");
        return Some(error.help("write a text without a line break between key and value"));
    }
    if let Form::Joined(between) = &placeholder.form {
        let value = &placeholder.value;
        let ok = between.chars().any(|character| never_in_value(template, value, character));
        // Where nothing is between the elements, each must be one character: seen at each level.
        let is_letters = between.is_empty() && **element == Type::Text;
        if (ok || is_letters) && element.depth() == 0 {
            return None;
        }
        let title = format!("`{between}` may be part of an element");
        let error =
            Diagnostic::error("E406", title, placeholder.value.span, "where does an element end?")
                .help("join with a character that no element has: `join(\"; \", xs)`");
        let written = format!("\"{between}\"");
        let before = &source.text[..placeholder.value.span.start];
        let can_be_apart = element.depth() == 0
            && never_in_value(template, &placeholder.value, ';')
            && is_own(template, placeholder, source);
        return Some(match before.rfind(&written).filter(|_| can_be_apart) {
            Some(at) => error.fix(Span::new(at, at + written.len()), "\"; \""),
            None => error,
        });
    }
    let loose = |text: &String| text.is_empty() || text.contains(char::is_whitespace);
    let spaced = !is_seen_later && scalar(element) == &Type::Text && texts.iter().any(loose);
    if !spaced || !matches!(placeholder.form, Form::Plain) {
        return None;
    }
    let title = "a text that is empty or has a space in it is not one element";
    let joined = format!("join(\"; \", {})", source.slice(placeholder.value.span));
    let error =
        Diagnostic::error("E406", title, placeholder.value.span, "where does an element end?")
            .help(format!("write `{{{joined}}}`"));
    let can_be_apart = element.depth() == 0
        && never_in_value(template, &placeholder.value, ';')
        && is_own(template, placeholder, source);
    Some(if can_be_apart { error.fix(placeholder.value.span, joined) } else { error })
}

/// True if the shown value can never hold the character.
fn never_in(template: &Template, placeholder: &Placeholder, character: char) -> bool {
    let structure = match (&placeholder.form, placeholder.value.ty.depth()) {
        (Form::Plain, 0) => "",
        (Form::Plain, 1) => " ",
        (Form::Plain, _) => " \n",
        (Form::Digits(DigitsOf::Point, _), _) => ".",
        (Form::Digits(DigitsOf::Whole, _), _) => "",
        (Form::Joined(between), _) => between,
        (Form::Numbered | Form::Labelled(_) | Form::Lines(..), _) => " \n.0123456789",
    };
    let keys_hold = match &placeholder.form {
        Form::Lines(keys, between) => {
            between.contains(character) || !never_in_value(template, keys, character)
        }
        Form::Labelled(keys) => !never_in_value(template, keys, character),
        Form::Plain | Form::Joined(_) | Form::Numbered | Form::Digits(..) => false,
    };
    !structure.contains(character)
        && !keys_hold
        && never_in_value(template, &placeholder.value, character)
}

/// True if no element of a value, or the value itself, can hold the character.
fn never_in_value(template: &Template, value: &Expr, character: char) -> bool {
    match scalar(&value.ty) {
        Type::Int => !"0123456789-".contains(character),
        Type::Real => !"0123456789-.einfNa".contains(character),
        Type::Bool => !character.is_ascii_lowercase(),
        Type::Text => {
            template.makes_texts || !template.texts.iter().any(|text| text.contains(character))
        }
        Type::Token => !crate::source::is_word_character(character),
        Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => false,
    }
}

fn scalar(ty: &Type) -> &Type {
    ty.element().map_or(ty, scalar)
}

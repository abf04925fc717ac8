//! Functions: their signatures, their bodies, and the natives.

use std::sync::Arc;

use super::expr::Checker;
use super::index::Named;
use super::scope::{Functions, Meaning, Scope};
use super::typed::{Function, FunctionBody};
use super::types::Type;
use crate::diagnostic::{Diagnostic, is_sure_miss, near_miss};
use crate::source::{Source, Span};
use crate::stdlib;
use crate::syntax::{self, ast};

/// The natives, known everywhere; read once a thread, since editors and fuzzers check without end.
pub fn builtins() -> Functions {
    thread_local!(static BUILTINS: Functions = read_builtins());
    BUILTINS.with(Functions::clone)
}

fn read_builtins() -> Functions {
    let source = Source::new("std:builtin", stdlib::BUILTIN);
    let (file, errors) = syntax::parse(&source);
    assert!(errors.is_empty(), "stdlib/builtin.cook has no error: {errors:?}");
    let mut checker = Checker::default();
    for statement in &file.statements {
        if let ast::StatementKind::Function(function) = &statement.kind {
            define(&mut checker, function, &statement.docs, true);
        }
    }
    assert!(checker.errors.is_empty(), "stdlib/builtin.cook has no error: {:?}", checker.errors);
    checker.scope.functions
}

/// Brings the pool of the run into scope.
pub fn pools(scope: &mut Scope) {
    let vocab = ast::Name { text: "vocab".into(), span: Span::default() };
    scope
        .bring(&vocab, Meaning::Pool(0), Type::Token.list())
        .expect("`vocab` is the first name in scope");
}

/// Checks a function and brings it into scope, which those that it calls are in.
pub fn define(checker: &mut Checker, function: &ast::Function, docs: &[String], natives: bool) {
    let name = &function.name;
    if let Some(known) = checker.scope.functions.get(&name.text) {
        let other = format!("{}_2", name.text);
        let error = taken(name, known)
            .help(format!("write another name, such as `{other}`"))
            .fix(name.span, other);
        checker.error(error);
        return;
    }
    if checker.scope.templates.contains_key(&name.text) {
        checker.error(
            Diagnostic::error(
                "E210",
                format!("the name `{}` is taken", name.text),
                name.span,
                "a template has this name",
            )
            .help(format!("write another name, such as `{}_2`", name.text)),
        );
    }
    if function.body.is_none() && !natives {
        checker.error(
            Diagnostic::error("E208", format!("`{}` has no body", name.text), name.span, "no body")
                .help(format!("write ` = …` after the type of `{}`", name.text)),
        );
        return;
    }
    let outer = checker.scope.enter_function();
    let outer_texts = std::mem::take(&mut checker.texts);
    let mut params = Vec::new();
    for (param, written) in &function.params {
        let kind = resolve(checker, written);
        params.push(kind.clone());
        checker.index.define(param, Named::Argument, kind.clone(), &[]);
        if let (_, Err(error)) = checker.scope.bind(param, kind) {
            checker.error(error);
        }
    }
    let result = resolve(checker, &function.result);
    let body = function.body.as_ref().map(|body| self::body(checker, function, body, &result));
    let locals = checker.scope.leave_function(outer);
    let texts = std::mem::replace(&mut checker.texts, outer_texts);
    let param_names = function.params.iter().map(|(name, _)| name.text.clone()).collect();
    let defined = Function {
        name: name.text.clone(),
        params,
        param_names,
        draws: function.draws,
        result: result.clone(),
        docs: docs.to_vec(),
        span: name.span,
        locals,
        body,
        texts,
        foreign: false,
    };
    let defined = Arc::new(defined);
    checker.index.define(name, Named::Function(defined.clone()), result, docs);
    checker.scope.functions.insert(name.text.clone(), defined);
}

fn body(
    checker: &mut Checker,
    function: &ast::Function,
    body: &ast::Body,
    result: &Type,
) -> FunctionBody {
    let mut bindings = Vec::new();
    for statement in &body.statements {
        let (binding, drawn) = match &statement.kind {
            ast::StatementKind::Draw(binding) => (binding, true),
            ast::StatementKind::Compute(binding) => (binding, false),
            _ => continue,
        };
        if drawn && !function.draws {
            checker.error(
                Diagnostic::error("E209", "a function with `->` draws nothing", binding.symbol, {
                    "drawn here"
                })
                .and(function.name.span, "said to compute")
                .help(format!("write `~>` before the type of `{}`", function.name.text)),
            );
        }
        let value = super::bound_value(checker, binding, drawn);
        let (local, known) = checker.scope.bind(&binding.name, value.ty.clone());
        checker.index.define(&binding.name, Named::Inner, value.ty.clone(), &statement.docs);
        if let Err(error) = known {
            checker.error(error);
        }
        bindings.push((local, drawn, value));
    }
    let result = checker.expect(&body.result, result);
    FunctionBody { bindings, result }
}

/// The type that a written one names.
fn resolve(checker: &mut Checker, written: &ast::Type) -> Type {
    match &written.kind {
        ast::TypeKind::List(element) => resolve(checker, element).list(),
        ast::TypeKind::Named(name) => match name.as_str() {
            letter if letter.len() == 1 => Type::Any(letter.chars().next().unwrap_or('T')),
            name => name.parse().unwrap_or_else(|_| {
                checker.error(unknown_type(name, written.span));
                Type::Unknown
            }),
        },
    }
}

/// Reports a function name that has a meaning already.
pub fn taken(name: &ast::Name, known: &Function) -> Diagnostic {
    let title = format!("the function name `{}` is taken", name.text);
    let error = Diagnostic::error("E210", title, name.span, "named again here")
        .help(format!("leave `{}` out here, or give the other one another name", name.text));
    let native = known.body.is_none();
    if native || known.foreign { error } else { error.and(known.span, "named first here") }
}

/// What other languages call a type.
const TWINS: [(&str, &str); 9] = [
    ("integer", "Int"),
    ("int", "Int"),
    ("number", "Int"),
    ("float", "Real"),
    ("double", "Real"),
    ("boolean", "Bool"),
    ("string", "Text"),
    ("str", "Text"),
    ("word", "Token"),
];

fn unknown_type(name: &str, span: Span) -> Diagnostic {
    let known = ["Int", "Real", "Bool", "Text", "Token"];
    let error = Diagnostic::error("E211", format!("no type is called `{name}`"), span, "unknown");
    let twin = TWINS.iter().find(|(other, _)| *other == name.to_lowercase()).map(|(_, ours)| *ours);
    match twin.or_else(|| near_miss(name, known)) {
        Some(near) => {
            let is_sure = twin.is_some() || is_sure_miss(name, near, known);
            error.help(format!("write `{near}`")).fix(span, near).sure_if(is_sure)
        }
        None => error.help("the types are Int, Real, Bool, Text, Token and lists such as [Token]"),
    }
}

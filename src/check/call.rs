//! Calls: arguments against a signature, and what draws against what computes.

use std::sync::Arc;

use super::expr::{Checker, article, mismatch, of, unknown};
use super::part;
use super::typed::{Expr, ExprKind, Function};
use super::types::Type;
use crate::diagnostic::{Diagnostic, Label};
use crate::runtime::builtins::{Builtin, Takes};
use crate::source::Span;
use crate::syntax::ast;

/// The name of the sampler that repeats another; it is no function, for it takes a sampler.
const REPEAT: &str = "repeat";

/// What is said of an expression right of `~` that holds a draw, and is none.
const COMPUTES: &str = "this computes, and draws nothing";

impl Checker {
    /// A call that computes.
    pub fn call(&mut self, name: &ast::Name, arguments: &[ast::Argument], span: Span) -> Expr {
        if name.text == REPEAT || self.scope.templates.contains_key(&name.text) {
            self.error(sampler_inside(name, span));
            return unknown(span);
        }
        let Some(function) = self.function(name) else {
            if !self.is_full() && !self.scope.missing.contains(&name.text) {
                let error = self.scope.unknown_function(name);
                self.error(self.element(error, name, arguments, span));
            }
            arguments.iter().for_each(|argument| drop(self.infer(&argument.value)));
            return unknown(span);
        };
        if function.draws {
            self.error(sampler_inside(name, span));
            return of(ExprKind::Bool(false), Type::Unknown, span);
        }
        self.apply(&function, name, arguments, span)
    }

    /// The function that a name calls, if there is one.
    fn function(&mut self, name: &ast::Name) -> Option<Arc<Function>> {
        if let Some(own) = self.scope.defining.clone().filter(|own| own.name == name.text) {
            if own.params.first() != Some(&Type::Int) {
                self.error(calls_itself(name));
            }
            self.own_calls.push(name.span);
            return Some(own);
        }
        let function = self.scope.functions.get(&name.text).cloned()?;
        self.index.calls(name, &function);
        Some(function)
    }

    /// Notes that a placeholder calls one of the natives that only show.
    pub fn shows(&mut self, name: &ast::Name) {
        drop(self.function(name));
    }

    /// `xs(2)` for `at(2, xs)`.
    fn element(
        &self,
        error: Diagnostic,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Diagnostic {
        let (Some((_, Type::List(_))), [index]) = (self.scope.find(&name.text), arguments) else {
            return error;
        };
        let index = index.value.span;
        error
            .help(format!("write `at(n, {})` for the element at index n", name.text))
            .fix(Span::new(span.start, index.start), "at(")
            .fix(Span::new(index.end, span.end), format!(", {})", name.text))
    }

    /// What is right of `~`: a sampler, one repeated, or a choice between two.
    pub fn sampler(&mut self, expr: &ast::Expr) -> Expr {
        match &expr.kind {
            _ if !self.may_draw(expr) => self.computes(expr),
            ast::ExprKind::If(condition, yes, no) => {
                let condition = self.expect(condition, &Type::Bool);
                let (yes, no) = (self.sampler(yes), self.sampler(no));
                self.branches(condition, yes, no, expr.span)
            }
            ast::ExprKind::Each(ast::Each::For, it) => self.drawn_for(it, expr.span),
            ast::ExprKind::Call(name, arguments) if name.text == REPEAT => {
                self.repeat(arguments, expr.span)
            }
            ast::ExprKind::Call(name, _) if self.scope.templates.contains_key(&name.text) => {
                self.error(part::not_here(name));
                unknown(expr.span)
            }
            ast::ExprKind::Call(name, arguments) => match self.function(name) {
                Some(function) if function.draws => {
                    self.apply(&function, name, arguments, expr.span)
                }
                Some(_) => self.computes(expr),
                None => self.infer(expr),
            },
            _ => self.computes(expr),
        }
    }

    /// Is this a sampler in one of its branches, or a call of what is not known?
    fn may_draw(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
            ast::ExprKind::If(_, yes, no) => self.may_draw(yes) || self.may_draw(no),
            ast::ExprKind::Each(ast::Each::For, it) => self.may_draw(&it.body),
            ast::ExprKind::Call(name, _) => {
                self.scope.functions.get(&name.text).is_none_or(|function| function.draws)
            }
            _ => false,
        }
    }

    /// Reports an expression that draws nothing right of `~`; draws inside it are that fault, too.
    fn computes(&mut self, expr: &ast::Expr) -> Expr {
        let before = self.errors.len();
        let value = self.infer(expr);
        let mut is_told = value.ty == Type::Unknown && self.errors.len() > before;
        for error in self.errors.iter_mut().skip(before).filter(|error| error.code == "E305") {
            error.labels.push(Label { span: expr.span, text: COMPUTES.to_string() });
            is_told = true;
        }
        if is_told {
            return unknown(expr.span);
        }
        self.error(
            Diagnostic::error("E304", "nothing is drawn here", expr.span, {
                format!("this computes {}", article(&value.ty))
            })
            .help("`~` draws and `=` computes: write `=`"),
        );
        unknown(expr.span)
    }

    fn repeat(&mut self, arguments: &[ast::Argument], span: Span) -> Expr {
        let [count, sampler] = arguments else {
            self.error(
                Diagnostic::error(
                    "E302",
                    format!("`repeat` takes 2 values, {} given", arguments.len()),
                    span,
                    "called here",
                )
                .help("write `repeat(n, sampler)`, such as `repeat(3, pick(vocab))`"),
            );
            return unknown(span);
        };
        let before = self.errors.len();
        let count = self.expect(&count.value, &Type::Int);
        let draws = self.errors.iter().skip(before).any(|error| error.code == "E305");
        if draws && !self.may_draw(&sampler.value) {
            // `repeat(uniform(1..6), 3)` is one fault.
            return unknown(span);
        }
        let sampler = self.sampler(&sampler.value);
        let ty = sampler.ty.clone().list();
        of(ExprKind::Repeat(count.into(), sampler.into()), ty, span)
    }

    fn apply(
        &mut self,
        function: &Arc<Function>,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Expr {
        if let Some(named) = arguments.iter().find_map(|argument| argument.name.as_ref()) {
            let title = "a function takes its values by position";
            let error = Diagnostic::error("E310", title, named.span, "this one is named")
                .help(format!("write `{}`", signature(function)));
            let error = by_place(error, function, arguments);
            let in_place = !error.fix.is_empty();
            self.error(error);
            if !in_place {
                return unknown(span);
            }
        }
        let typed: Vec<Expr> = arguments.iter().map(|given| self.value(&given.value)).collect();
        if typed.len() != function.params.len() {
            self.error(wrong_count(function, typed.len(), span));
            return unknown(span);
        }
        if let Some(order) = order(function, &typed) {
            self.error(in_another_order(function, &typed, &order, span));
            return of(ExprKind::Bool(false), Type::Unknown, span);
        }
        let mut letters = Vec::new();
        for (wanted, found) in function.params.iter().zip(&typed) {
            wanted.learn(&found.ty, &mut letters);
        }
        let kinds: Vec<(Type, Span)> = typed.iter().map(|one| (one.ty.clone(), one.span)).collect();
        let fitted = typed.into_iter().enumerate().map(|(at, found)| {
            let wanted = function.params[at].filled(&letters);
            match at_odds(function, &kinds, at, &wanted) {
                Some(error) => {
                    self.error(error);
                    Expr { ty: wanted, ..found }
                }
                None => self.coerce(found, &wanted),
            }
        });
        let typed: Vec<Expr> = fitted.collect();
        let ty = function.result.filled(&letters);
        self.demand(&name.text, function, &typed);
        self.texts.extend(function.texts.iter().cloned());
        let is_own = |own: &Arc<Function>| Arc::ptr_eq(own, function);
        let kind = match (&function.body, function.draws) {
            _ if self.scope.defining.as_ref().is_some_and(is_own) => ExprKind::Again(typed),
            (Some(_), _) => ExprKind::Apply(function.clone(), typed),
            (None, true) => ExprKind::Sampler(function.name.clone(), typed),
            (None, false) => ExprKind::Native(function.name.clone(), typed),
        };
        of(kind, ty, span)
    }

    /// What a native asks of `T` beyond its signature.
    fn demand(&mut self, name: &str, function: &Function, arguments: &[Expr]) {
        if name == "letters" && function.body.is_none() {
            return self.demand_text(arguments);
        }
        let Some(element) = arguments.first().and_then(|xs| xs.ty.element()) else { return };
        if function.body.is_some() || element.is_open() {
            return;
        }
        let Ok(builtin) = name.parse::<Builtin>() else { return };
        let wanted = match builtin.row().takes {
            Takes::Numbers if !element.is_number() => "numbers",
            Takes::Ordered if element.depth() > 0 => "numbers, tokens, texts or booleans",
            Takes::Any | Takes::Numbers | Takes::Ordered => return,
        };
        let span = arguments[0].span;
        let found = article(&arguments[0].ty);
        self.error(
            Diagnostic::error("E315", format!("`{name}` takes {wanted}"), span, {
                format!("this is {found}")
            })
            .help(format!("write `{name}(for x in xs: …)` with what is to be compared")),
        );
    }

    /// What has characters: a text, or a word.
    fn demand_text(&mut self, arguments: &[Expr]) {
        let Some(text) = arguments.first() else { return };
        if matches!(text.ty, Type::Text | Type::Token | Type::Unknown) {
            return;
        }
        let title = "`letters` takes a text or a word";
        let label = format!("this is {}", article(&text.ty));
        let error = Diagnostic::error("E315", title, text.span, label);
        self.error(match &text.ty {
            Type::List(element) if matches!(**element, Type::Text | Type::Token) => {
                error.help("write it for each: `for x in xs: letters(x)`")
            }
            _ => error.help("show the value in a text: `letters(\"{x}\")`"),
        });
    }
}

/// A function that calls itself, and counts nothing down.
fn calls_itself(name: &ast::Name) -> Diagnostic {
    let title = format!("`{}` calls itself", name.text);
    Diagnostic::error("E221", title, name.span, "inside its own body").help(format!(
        "write a loop, `fold total = 0 over x in xs: total + x`, or count down: \
         `fn {}(depth: Int, …)` calls itself with `depth - 1`",
        name.text
    ))
}

/// The error of a value whose type is not the one that a value before it has, where a signature
/// names both by one letter: `first(0, names)`.
fn at_odds(
    function: &Function,
    given: &[(Type, Span)],
    at: usize,
    wanted: &Type,
) -> Option<Diagnostic> {
    let (params, (found, place)) = (&function.params, &given[at]);
    let (letter, here) = params[at].letter_in(found)?;
    let fits = found.meet(wanted).is_some() || (*found == Type::Int && *wanted == Type::Real);
    // A list where an element is wanted, or the other way round, has a fix of its own.
    if fits || !mismatch(wanted, found, *place).fix.is_empty() {
        return None;
    }
    let in_letters = |&other: &usize| {
        params[other].letter_in(&given[other].0).filter(|(known, _)| *known == letter).is_some()
    };
    let other = (0..at).find(in_letters)?;
    let (before, at_before) = &given[other];
    let (_, there) = params[other].letter_in(before)?;
    let names = &function.param_names;
    let (name, other_name) = (&names[at], &names[other]);
    let (kind, other_kind) = (article(found), article(before));
    let title = format!(
        "`{other_name}` and `{name}` of `{}` do not fit: {other_kind} and {kind}",
        function.name
    );
    let error = Diagnostic::error("E301", title, *place, format!("`{name}` is {kind}"))
        .and(*at_before, format!("`{other_name}` is {other_kind}"));
    let other_wanted = params[other].filled(&vec![(letter, here.clone())]);
    Some(match (there, here) {
        (Type::Text, Type::Token) | (Type::Token, Type::Text) => error.help(
            "show words in texts: `\"{word}\"`, or for a list `for word in words: \"{word}\"`",
        ),
        _ => error.help(format!(
            "write {} for `{other_name}`, or {} for `{name}`",
            article(&other_wanted),
            article(wanted)
        )),
    })
}

/// The places of the values in the one order that fits the signature, where this one does not.
fn order(function: &Function, given: &[Expr]) -> Option<Vec<usize>> {
    /// A function with more values is one that is rarely called with only the order wrong.
    const VALUES_MAX: usize = 4;
    let as_given: Vec<usize> = (0..given.len()).collect();
    let is_known = |value: &Expr| !value.ty.is_open() && value.ty != Type::Unknown;
    let may_be_told = (2..=VALUES_MAX).contains(&given.len()) && given.iter().all(is_known);
    if !may_be_told || fits(function, given, &as_given) {
        return None;
    }
    let mut orders = vec![Vec::new()];
    for _ in given {
        let longer = |order: &Vec<usize>| -> Vec<Vec<usize>> {
            let left = as_given.iter().filter(|at| !order.contains(at));
            left.map(|&at| order.iter().copied().chain([at]).collect()).collect()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    let mut right = orders.into_iter().filter(|order| fits(function, given, order));
    right.next().filter(|_| right.next().is_none())
}

fn fits(function: &Function, given: &[Expr], order: &[usize]) -> bool {
    let mut letters = Vec::new();
    let values = || function.params.iter().zip(order.iter().map(|&at| &given[at]));
    values().for_each(|(wanted, found)| wanted.learn(&found.ty, &mut letters));
    let fit = |wanted: &Type, found: &Type| {
        found.meet(wanted).is_some() || (*found == Type::Int && *wanted == Type::Real)
    };
    values().all(|(wanted, found)| fit(&wanted.filled(&letters), &found.ty))
}

/// `distinct(vocab, 8)`
fn in_another_order(
    function: &Function,
    given: &[Expr],
    order: &[usize],
    span: Span,
) -> Diagnostic {
    let title = format!("the values of `{}` are in another order", function.name);
    let error = Diagnostic::error("E316", title, span, "called here");
    let values = function.param_names.iter().zip(order);
    let label = |error: Diagnostic, (name, &at): (&String, &usize)| {
        error.and(given[at].span, format!("this is `{name}`"))
    };
    values.fold(error, label).help(format!("write `{}`", signature(function)))
}

/// Leaves the names of values out where the values stand in their places.
fn by_place(mut error: Diagnostic, function: &Function, arguments: &[ast::Argument]) -> Diagnostic {
    for (at, argument) in arguments.iter().enumerate() {
        let Some(name) = &argument.name else { continue };
        if function.param_names.get(at) != Some(&name.text) {
            error.fix.clear();
            return error;
        }
        error = error.fix(Span::new(name.span.start, argument.value.span.start), "");
    }
    error.sure()
}

/// Reports a sampler where a value is computed; `=` before it becomes `~`.
pub fn drawn_with_equals(binding: &ast::Binding, sampler: &str) -> Diagnostic {
    let name = &binding.name.text;
    Diagnostic::error(
        "E303",
        format!("`{sampler}` draws at random"),
        binding.value.span,
        "a random draw",
    )
    .and(binding.symbol, "bound with `=` here")
    .help(format!("write `{name} ~ {sampler}(…)`"))
    .fix(binding.symbol, "~")
    .sure()
}

fn sampler_inside(name: &ast::Name, span: Span) -> Diagnostic {
    let title = format!("`{}` draws at random, inside an expression", name.text);
    Diagnostic::error("E305", title, span, "drawn here")
        .help(format!("draw it first, under a name of its own: `drawn ~ {}(…)`", name.text))
}

fn wrong_count(function: &Function, found: usize, span: Span) -> Diagnostic {
    let wanted = function.params.len();
    let values = if wanted == 1 { "value" } else { "values" };
    let title = format!("`{}` takes {wanted} {values}, {found} given", function.name);
    Diagnostic::error("E302", title, span, "called here")
        .help(format!("write `{}`", signature(function)))
}

/// `take(n, xs)`
pub fn signature(function: &Function) -> String {
    format!("{}({})", function.name, function.param_names.join(", "))
}

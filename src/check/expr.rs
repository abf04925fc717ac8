//! The types of expressions, and the errors that they can have.

use std::collections::BTreeSet;

use super::index::{Index, Named};
use super::scope::{Meaning, Scope};
use super::typed::{Expr, ExprKind, Fold, Loop};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ERRORS_MAX;
use crate::syntax::ast::{self, Each, Operator};

/// What checks expressions: the names in scope and the errors met.
#[derive(Debug, Default)]
pub struct Checker {
    /// The names in scope.
    pub scope: Scope,
    /// The errors met so far.
    pub errors: Vec<Diagnostic>,
    /// Where names stand and what they mean.
    pub index: Index,
    /// The text literals met so far, and those of the functions called.
    pub texts: BTreeSet<String>,
    /// Where the function that is being defined calls itself.
    pub own_calls: Vec<Span>,
    /// How many expressions of other templates are parts of this one.
    pub grafted: usize,
    /// How many trial runs of folds are within one another here.
    trials: usize,
}

/// More folds within one another whose lists are not known to begin with are not tried.
const TRIALS_MAX: usize = 3;

impl Checker {
    /// The type of an expression that computes. An error evaluates to `_`: one error is one
    /// message.
    pub fn infer(&mut self, expr: &ast::Expr) -> Expr {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Int(value) => of(ExprKind::Int(*value), Type::Int, span),
            ast::ExprKind::Real(value) => of(ExprKind::Real(*value), Type::Real, span),
            ast::ExprKind::Bool(value) => of(ExprKind::Bool(*value), Type::Bool, span),
            ast::ExprKind::Text(text) => {
                self.texts.insert(text.clone());
                of(ExprKind::Text(text.clone()), Type::Text, span)
            }
            ast::ExprKind::Filled(text) => self.filled(text),
            ast::ExprKind::Name(name) => self.name(name, span),
            ast::ExprKind::Field(part, name) => self.field(part, name, span),
            ast::ExprKind::Call(function, arguments) => self.call(function, arguments, span),
            ast::ExprKind::List(elements) => self.list(elements, span),
            ast::ExprKind::Range(low, high) => {
                let low = self.expect(low, &Type::Int);
                let high = self.expect(high, &Type::Int);
                let kind = ExprKind::Range(low.into(), high.into());
                of(kind, Type::Int.list(), span)
            }
            ast::ExprKind::Negate(operand) => self.negate(operand, span),
            ast::ExprKind::Not(operand) => {
                let operand = self.expect(operand, &Type::Bool);
                of(ExprKind::Not(operand.into()), Type::Bool, span)
            }
            ast::ExprKind::Binary(operator, symbol, left, right) => {
                self.binary(*operator, *symbol, left, right, span)
            }
            ast::ExprKind::If(condition, yes, no) => {
                let condition = self.expect(condition, &Type::Bool);
                let (yes, no) = (self.infer(yes), self.infer(no));
                self.branches(condition, yes, no, span)
            }
            ast::ExprKind::Each(each, it) => self.each(*each, it, span),
            ast::ExprKind::Fold(fold) => self.fold(fold, span),
        }
    }

    /// The same, where the type is known: an `Int` becomes a `Real` where one is wanted.
    pub fn expect(&mut self, expr: &ast::Expr, wanted: &Type) -> Expr {
        let found = self.infer(expr);
        self.coerce(found, wanted)
    }

    /// The same, for a place that takes any value: text to show is none.
    pub fn value(&mut self, expr: &ast::Expr) -> Expr {
        let found = self.infer(expr);
        if found.ty != Type::Shown {
            return found;
        }
        self.error(shown_inside(found.span));
        unknown(found.span)
    }

    /// Fits an expression to a type, or reports that it does not.
    pub fn coerce(&mut self, found: Expr, wanted: &Type) -> Expr {
        if found.ty == Type::Int && *wanted == Type::Real {
            let span = found.span;
            return of(ExprKind::ToReal(found.into()), Type::Real, span);
        }
        match found.ty.meet(wanted) {
            Some(ty) => Expr { ty, ..found },
            None => {
                let error = mismatch(wanted, &found.ty, found.span);
                self.error(error);
                Expr { ty: wanted.clone(), ..found }
            }
        }
    }

    /// True if no further error is reported: the search for what was meant by a name takes long.
    pub fn is_full(&self) -> bool {
        self.errors.len() >= ERRORS_MAX
    }

    /// Notes an error and goes on.
    pub fn error(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// What a name stands for.
    pub fn name(&mut self, name: &str, span: Span) -> Expr {
        if let Some(bound) = self.scope.place(name) {
            self.index.uses(span, bound);
        }
        match self.scope.find(name) {
            Some((Meaning::Local(id), kind)) => of(ExprKind::Local(id), kind, span),
            Some((Meaning::Param(index), kind)) => of(ExprKind::Param(index), kind, span),
            Some((Meaning::Pool(index), kind)) => of(ExprKind::Pool(index), kind, span),
            Some((Meaning::Part(_), _)) => {
                if !self.scope.missing.contains(name) {
                    let error = self.whole_part(name, span);
                    self.error(error);
                }
                unknown(span)
            }
            None if self.is_full() => unknown(span),
            None => {
                let error = self.scope.unknown_name(name, span);
                self.error(error);
                unknown(span)
            }
        }
    }

    /// The error of a part where a value is wanted.
    fn whole_part(&self, name: &str, span: Span) -> Diagnostic {
        let names = self.scope.names_in(name);
        let example = names.last().copied().unwrap_or("prompt");
        let title = format!("`{name}` is a part, not a value");
        Diagnostic::error("E224", title, span, "all of it")
            .help(format!("write one of its names, such as `{name}.{example}`"))
    }

    fn list(&mut self, elements: &[ast::Expr], span: Span) -> Expr {
        let mut typed: Vec<Expr> = elements.iter().map(|element| self.value(element)).collect();
        let mut kind = Type::Unknown;
        if typed.iter().any(|element| element.ty == Type::Real) {
            kind = Type::Real;
        }
        for element in &mut typed {
            let place = std::mem::replace(element, unknown(span));
            *element = self.coerce(place, &kind);
            kind = element.ty.clone();
        }
        of(ExprKind::List(typed), kind.list(), span)
    }

    fn negate(&mut self, operand: &ast::Expr, span: Span) -> Expr {
        if let ast::ExprKind::Int(value) = operand.kind {
            return of(ExprKind::Int(-value), Type::Int, span);
        }
        let operand = self.infer(operand);
        if operand.ty == Type::Unknown {
            return unknown(span);
        }
        let zero = match operand.ty {
            Type::Int => ExprKind::Int(0),
            Type::Real => ExprKind::Real(0.0),
            _ => {
                self.error(mismatch(&Type::Int, &operand.ty, operand.span));
                return unknown(span);
            }
        };
        let ty = operand.ty.clone();
        let zero = of(zero, ty.clone(), span);
        of(ExprKind::Binary(Operator::Subtract, zero.into(), operand.into()), ty, span)
    }

    fn binary(
        &mut self,
        operator: Operator,
        symbol: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        let (left, right) = match operator {
            Operator::And | Operator::Or => {
                (self.expect(left, &Type::Bool), self.expect(right, &Type::Bool))
            }
            _ => (self.infer(left), self.infer(right)),
        };
        let (left, right) = self.promote(left, right);
        let ty = match operator {
            Operator::And | Operator::Or => Some(Type::Bool),
            Operator::Add => left.ty.meet(&right.ty).filter(|ty| ty.is_number() || is_list(ty)),
            Operator::Subtract | Operator::Multiply | Operator::Divide => {
                left.ty.meet(&right.ty).filter(Type::is_number)
            }
            Operator::Remainder => left.ty.meet(&right.ty).filter(|ty| *ty == Type::Int),
            Operator::Equal | Operator::NotEqual => {
                left.ty.meet(&right.ty).filter(|ty| *ty != Type::Shown).map(|_| Type::Bool)
            }
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                left.ty.meet(&right.ty).filter(Type::is_number).map(|_| Type::Bool)
            }
            Operator::In => right.ty.meet(&left.ty.clone().list()).map(|_| Type::Bool),
            Operator::Within => left.ty.meet(&right.ty).filter(is_list).map(|_| Type::Bool),
        };
        let open = left.ty == Type::Unknown || right.ty == Type::Unknown;
        let ty = match ty {
            Some(ty) => ty,
            None if open => return unknown(span),
            None => {
                self.error(operands(operator, symbol, &left, &right));
                return of(ExprKind::Bool(false), Type::Unknown, span);
            }
        };
        of(ExprKind::Binary(operator, left.into(), right.into()), ty, span)
    }

    /// Makes both `Real` where one is and the other is an `Int`.
    fn promote(&mut self, left: Expr, right: Expr) -> (Expr, Expr) {
        match (&left.ty, &right.ty) {
            (Type::Int, Type::Real) => (self.coerce(left, &Type::Real), right),
            (Type::Real, Type::Int) => {
                let right = self.coerce(right, &Type::Real);
                (left, right)
            }
            _ => (left, right),
        }
    }

    /// An `if` whose branches are checked already.
    pub fn branches(&mut self, condition: Expr, yes: Expr, no: Expr, span: Span) -> Expr {
        let (yes, no) = self.promote(yes, no);
        let Some(ty) = yes.ty.meet(&no.ty) else {
            self.error(
                Diagnostic::error("E308", "the two branches differ in type", no.span, {
                    format!("this is {}", article(&no.ty))
                })
                .and(yes.span, format!("this is {}", article(&yes.ty)))
                .help(format!("write a value of type {} after `else` too", yes.ty)),
            );
            return unknown(span);
        };
        of(ExprKind::If(condition.into(), yes.into(), no.into()), ty, span)
    }

    fn each(&mut self, each: Each, it: &ast::Loop, span: Span) -> Expr {
        let it = self.looped(it, |checker, body| match each {
            Each::For => checker.value(body),
            Each::All | Each::Any | Each::Count => checker.expect(body, &Type::Bool),
        });
        let ty = match each {
            Each::For => it.body.ty.clone().list(),
            Each::Count => Type::Int,
            Each::All | Each::Any => Type::Bool,
        };
        of(ExprKind::Each(each, Box::new(it)), ty, span)
    }

    /// `for x in xs: sampler`, right of `~`: a draw for each element.
    pub fn drawn_for(&mut self, it: &ast::Loop, span: Span) -> Expr {
        let it = self.looped(it, Self::sampler);
        let ty = it.body.ty.clone().list();
        of(ExprKind::Each(Each::For, Box::new(it)), ty, span)
    }

    fn looped(&mut self, it: &ast::Loop, body: impl FnOnce(&mut Self, &ast::Expr) -> Expr) -> Loop {
        let list = self.infer(&it.list);
        let element = self.element_of(&list);
        let depth = self.scope.depth();
        let item = self.bind(&it.item, element);
        let filter = it.filter.as_ref().map(|filter| self.expect(filter, &Type::Bool));
        let body = body(self, &it.body);
        self.scope.leave(depth);
        Loop { item, list, filter, body }
    }

    fn fold(&mut self, fold: &ast::Fold, span: Span) -> Expr {
        let first: Vec<Expr> = fold.carried.iter().map(|(_, value)| self.value(value)).collect();
        let list = self.infer(&fold.list);
        let element = self.element_of(&list);
        let depth = self.scope.depth();
        let mut carried = Vec::new();
        for ((name, _), value) in fold.carried.iter().zip(first) {
            carried.push((self.bind(name, value.ty.clone()), value));
        }
        let item = self.bind(&fold.item, element);
        self.settle(&mut carried, &fold.next);
        let filter = fold.filter.as_ref().map(|filter| self.expect(filter, &Type::Bool));
        let next: Vec<Expr> = fold
            .next
            .iter()
            .zip(&carried)
            .map(|(next, (_, value))| self.expect(next, &value.ty))
            .collect();
        self.scope.leave(depth);
        let ty = carried[0].1.ty.clone();
        of(ExprKind::Fold(Box::new(Fold { carried, item, list, filter, next })), ty, span)
    }

    /// Learns from the next values what `[]` is a list of: a trial run whose errors are dropped.
    fn settle(&mut self, carried: &mut [(usize, Expr)], next: &[ast::Expr]) {
        // A fold in a fold in a fold …: each trial tries those inside it, which doubles the work.
        if self.trials == TRIALS_MAX || !carried.iter().any(|(_, value)| value.ty.is_open()) {
            return;
        }
        self.trials += 1;
        let (errors, locals) = (self.errors.len(), self.scope.locals.len());
        let mark = self.index.mark();
        for ((id, value), next) in carried.iter_mut().zip(next) {
            let next = self.infer(next);
            if let Some(ty) = value.ty.meet(&next.ty) {
                self.index.retype(self.scope.locals[*id].span, &ty);
                self.scope.locals[*id].kind = ty.clone();
                value.ty = ty;
            }
        }
        self.trials -= 1;
        self.errors.truncate(errors);
        self.index.forget(mark);
        self.scope.locals.truncate(locals);
    }

    /// Binds a loop's name.
    fn bind(&mut self, name: &ast::Name, kind: Type) -> usize {
        self.index.define(name, Named::Inner, kind.clone(), &[]);
        let (id, known) = self.scope.bind(name, kind);
        if let Err(error) = known {
            self.error(error);
        }
        id
    }

    fn element_of(&mut self, list: &Expr) -> Type {
        match &list.ty {
            Type::List(element) => (**element).clone(),
            Type::Unknown => Type::Unknown,
            other => {
                let title = format!("expected a list, found {}", article(other));
                let error = Diagnostic::error("E309", title, list.span, "this is no list")
                    .help("write a list, or a range such as `1..8`");
                let start = Span::new(list.span.start, list.span.start);
                self.error(match other {
                    Type::Int => error.fix(start, "1.."),
                    _ => error,
                });
                Type::Unknown
            }
        }
    }
}

/// An expression.
pub fn of(kind: ExprKind, ty: Type, span: Span) -> Expr {
    Expr { kind, ty, span }
}

/// What stands for an expression that has an error.
pub fn unknown(span: Span) -> Expr {
    of(ExprKind::Bool(false), Type::Unknown, span)
}

/// A type with its article, for messages.
pub fn article(ty: &Type) -> String {
    match ty {
        Type::Int => "an Int".to_string(),
        Type::List(element) if element.is_open() => "a list".to_string(),
        Type::List(element) => format!("a list of {element}"),
        Type::Shown => "shown text".to_string(),
        other => format!("a {other}"),
    }
}

fn is_list(ty: &Type) -> bool {
    ty.element().is_some()
}

/// The error of a value of another type than is wanted.
pub fn mismatch(wanted: &Type, found: &Type, span: Span) -> Diagnostic {
    let title = format!("expected {}, found {}", article(wanted), article(found));
    let error = Diagnostic::error("E301", title, span, format!("this is {}", article(found)));
    let around = |error: Diagnostic, before: &str, after: &str| {
        let (start, end) = (Span::new(span.start, span.start), Span::new(span.end, span.end));
        error.fix(start, before).fix(end, after)
    };
    match (wanted, found) {
        (Type::List(element), found) if **element == *found => {
            let error = error.help("write it between brackets: `[x]` is the list of x alone");
            around(error, "[", "]")
        }
        (Type::Int, Type::List(_)) => {
            around(error.help("write `size(xs)` for how many elements it has"), "size(", ")")
        }
        (wanted, Type::List(element)) if **element == *wanted => {
            let help = "write `at(0, xs)` for its first element, or draw one: `one ~ pick(xs)`";
            around(error.help(help), "at(0, ", ")")
        }
        (Type::Bool, Type::Int) => around(error.help("compare it: `x > 0`"), "", " > 0"),
        (Type::Bool, Type::List(_)) => {
            around(error.help("ask for its size: `size(xs) > 0`"), "size(", ") > 0")
        }
        (Type::Token, Type::Text) | (Type::Text, Type::Token) => {
            error.help("write two Texts, which stand between quotes, or two Tokens, from a pool")
        }
        (_, Type::Shown) => error.help("`join`, `lines` and `numbered` stand alone in `{…}`"),
        (Type::List(_), Type::Token | Type::Text) => error.help(
            "write `letters(x)` for its characters, or draw several: `xs ~ distinct(4, vocab)`",
        ),
        (Type::List(_), _) => error.help("write a list, such as `[x]`"),
        _ => error.help(format!("write a value of type {wanted}")),
    }
}

/// The error of text to show that is used as a value.
pub fn shown_inside(span: Span) -> Diagnostic {
    let title = "text to show stands alone in its braces";
    Diagnostic::error("E311", title, span, "shown inside another expression")
        .help("write one `{join(…)}`, `{lines(…)}` or `{numbered(…)}` in a placeholder")
}

fn operands(operator: Operator, symbol: Span, left: &Expr, right: &Expr) -> Diagnostic {
    let (a, b) = (article(&left.ty), article(&right.ty));
    let title = format!("`{operator}` does not go between {a} and {b}");
    let error = Diagnostic::error("E307", title, symbol, "between these two")
        .and(left.span, format!("this is {a}"))
        .and(right.span, format!("this is {b}"));
    let brackets = |error: Diagnostic, span: Span| {
        let (start, end) = (Span::new(span.start, span.start), Span::new(span.end, span.end));
        error.fix(start, "[").fix(end, "]")
    };
    match operator {
        Operator::In if is_list(&left.ty) && left.ty == right.ty => {
            error.help("write `within`: `in` looks for one element").fix(symbol, "within")
        }
        Operator::Within if right.ty == left.ty.clone().list() => error
            .help("write `in`: `within` looks for a contiguous sublist")
            .fix(symbol, "in")
            .sure(),
        Operator::In if right.ty == left.ty.clone().list().list() => {
            error.help("a range is a list: write `x in 1..3`, without brackets around it")
        }
        Operator::In => error.help("write `x in xs` with one element and a list of the same type"),
        Operator::Within => error.help("write `xs within ys` with two lists of the same type"),
        Operator::Add if left.ty == right.ty.clone().list() => {
            brackets(error.help("write `xs + [x]` to add one element"), right.span)
        }
        Operator::Add if right.ty == left.ty.clone().list() => {
            brackets(error.help("write `[x] + xs` to put one element first"), left.span)
        }
        Operator::Add if is_list(&left.ty) => {
            error.help("write two lists of the same type: `xs + [x]` adds one element")
        }
        Operator::Add if [&left.ty, &right.ty].contains(&&Type::Text) => {
            error.help("write one text that shows both: `\"{a}{b}\"`")
        }
        Operator::Add => error.help("write two numbers, or two lists of the same type"),
        Operator::Equal | Operator::NotEqual => error.help("compare two values of the same type"),
        _ => error.help(format!("write two numbers: `{operator}` takes no other values")),
    }
}

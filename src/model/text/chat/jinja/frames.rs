//! Where names belong to and which filters there must be, as Jinja2 decides it before rendering.
//!
//! A name that a frame sets, without a condition and before it is read there, has no value before
//! that, not even in a loop or a macro further up that would find one in what the template is
//! given. A filter or test that does not exist is an error, except behind a condition.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Error, Outcome};
use super::names::{is_filter, is_test};
use super::syntax::{Arguments, Body, Call, Expression, Macro, StatementKind, Target};

/// Notes at each body which names it sets first, and looks for filters that do not exist.
///
/// # Errors
/// With the first of these filters and tests.
pub fn settle(body: &Body) -> Outcome<()> {
    Frame::default().settle(body);
    check(body, false)
}

/// Names of a frame: whether each is without a value at first.
#[derive(Clone, Default)]
struct Frame<'a> {
    outer: Option<&'a Frame<'a>>,
    names: BTreeMap<&'a str, bool>,
    set: BTreeSet<&'a str>,
}

impl<'a> Frame<'a> {
    fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.outer.is_some_and(|outer| outer.knows(name))
    }

    fn read(&mut self, name: &'a str) {
        if !self.knows(name) {
            self.names.insert(name, false);
        }
    }

    fn store(&mut self, name: &'a str) {
        self.set.insert(name);
        if !self.names.contains_key(name) {
            let outside = self.outer.is_some_and(|outer| outer.knows(name));
            self.names.insert(name, !outside);
        }
    }

    /// A name that the frame is given.
    fn parameter(&mut self, name: &'a str) {
        self.set.insert(name);
        self.names.insert(name, false);
    }

    fn parameters(&mut self, target: &'a Target) {
        match target {
            Target::Name(name) => self.parameter(name),
            Target::Field(..) => {}
            Target::Tuple(all) => all.iter().for_each(|one| self.parameters(one)),
        }
    }

    fn target(&mut self, target: &'a Target) {
        match target {
            Target::Name(name) => self.store(name),
            Target::Field(name, _) => self.read(name),
            Target::Tuple(all) => all.iter().for_each(|one| self.target(one)),
        }
    }

    fn expression(&mut self, code: &'a Expression) {
        if let Expression::Name(name) = code {
            self.read(name);
        }
        parts(code).into_iter().for_each(|part| self.expression(part));
    }

    fn call(&mut self, call: &'a Call) {
        given(&call.arguments).into_iter().for_each(|part| self.expression(part));
    }

    /// What the statements of this frame do with names; bodies that are frames of their own wait.
    fn body(&mut self, body: &'a Body) {
        for statement in &body.statements {
            match &statement.kind {
                StatementKind::Output(value) | StatementKind::Call(value, _) => {
                    self.expression(value);
                }
                StatementKind::If(code) => self.branches(&code.branches, &code.otherwise),
                StatementKind::For(code) => self.expression(&code.values),
                StatementKind::Set(target, value) => {
                    self.expression(value);
                    self.target(target);
                }
                StatementKind::SetBlock(target, ..) => self.target(target),
                StatementKind::Macro(code) => self.store(&code.name),
                StatementKind::Filter(filters, _) => {
                    filters.iter().for_each(|call| self.call(call));
                }
                StatementKind::With(values, _) => {
                    values.iter().for_each(|(_, value)| self.expression(value));
                }
                StatementKind::Data(_)
                | StatementKind::Generation(_)
                | StatementKind::Break
                | StatementKind::Continue => {}
            }
        }
    }

    /// What is set behind a condition has the value from outside at first.
    fn branches(&mut self, branches: &'a [(Expression, Body)], otherwise: &'a Body) {
        let Some(((condition, body), rest)) = branches.split_first() else { return };
        self.expression(condition);
        let (mut first, mut others, mut last) = (self.clone(), self.clone(), self.clone());
        first.body(body);
        for (condition, body) in rest {
            others.expression(condition);
            let mut inner = others.clone();
            inner.body(body);
            others.merge([inner]);
        }
        last.body(otherwise);
        self.merge([first, others, last]);
    }

    fn merge<const N: usize>(&mut self, branches: [Frame<'a>; N]) {
        let mut set: BTreeSet<&str> = BTreeSet::new();
        for branch in branches {
            set.extend(&branch.set);
            self.names.extend(branch.names);
        }
        for name in set {
            if self.set.insert(name) {
                self.names.insert(name, false);
            }
        }
    }

    /// Notes the names that a body sets first, and those of the bodies in it.
    fn settle(mut self, body: &'a Body) {
        self.body(body);
        let first =
            self.names.iter().filter(|(_, first)| **first).map(|(name, _)| name.to_string());
        // Each body is looked at once.
        body.first.set(first.collect()).ok();
        self.inner(body);
    }

    fn inside(&self) -> Frame<'_> {
        Frame { outer: Some(self), ..Frame::default() }
    }

    fn inner(&self, body: &Body) {
        for statement in &body.statements {
            match &statement.kind {
                StatementKind::If(code) => {
                    code.branches.iter().for_each(|(_, body)| self.inner(body));
                    self.inner(&code.otherwise);
                }
                StatementKind::For(code) => {
                    let mut turn = self.inside();
                    turn.parameter("loop");
                    turn.parameters(&code.target);
                    turn.settle(&code.body);
                    self.inside().settle(&code.otherwise);
                }
                StatementKind::Macro(code) | StatementKind::Call(_, code) => self.macros(code),
                StatementKind::SetBlock(_, _, body)
                | StatementKind::Filter(_, body)
                | StatementKind::Generation(body) => self.inside().settle(body),
                StatementKind::With(values, body) => {
                    let mut inner = self.inside();
                    values.iter().for_each(|(target, _)| inner.parameters(target));
                    inner.settle(body);
                }
                StatementKind::Data(_)
                | StatementKind::Output(_)
                | StatementKind::Set(..)
                | StatementKind::Break
                | StatementKind::Continue => {}
            }
        }
    }

    fn macros(&self, code: &Macro) {
        let mut inner = self.inside();
        for (name, _) in &code.parameters {
            inner.parameter(name);
        }
        for name in ["varargs", "kwargs", "caller"] {
            inner.parameter(name);
        }
        for (_, default) in &code.parameters {
            default.iter().for_each(|default| inner.expression(default));
        }
        inner.settle(&code.body);
    }
}

/// The expressions right inside of one.
fn parts(code: &Expression) -> Vec<&Expression> {
    match code {
        Expression::None
        | Expression::Bool(_)
        | Expression::Int(_)
        | Expression::Float(_)
        | Expression::Text(_)
        | Expression::Name(_) => Vec::new(),
        Expression::List(all) | Expression::Tuple(all) | Expression::Join(all) => {
            all.iter().collect()
        }
        Expression::Dict(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
        Expression::Negative(one) | Expression::Positive(one) | Expression::Not(one) => vec![one],
        Expression::Attribute(one, _) => vec![one],
        Expression::And(pair)
        | Expression::Or(pair)
        | Expression::Binary(_, pair)
        | Expression::Item(pair) => vec![&pair.0, &pair.1],
        Expression::Compare(first, rest) => {
            std::iter::once(&**first).chain(rest.iter().map(|(_, one)| one)).collect()
        }
        Expression::If(pair, otherwise) => {
            [&pair.0, &pair.1].into_iter().chain(otherwise.as_deref()).collect()
        }
        Expression::Slice(value, bounds) => {
            std::iter::once(&**value).chain(bounds.iter().flatten()).collect()
        }
        Expression::Call(called, arguments) => {
            std::iter::once(&**called).chain(given(arguments)).collect()
        }
        Expression::Filter(value, call) | Expression::Test(value, call) => {
            std::iter::once(&**value).chain(given(&call.arguments)).collect()
        }
    }
}

fn given(arguments: &Arguments) -> Vec<&Expression> {
    let named = arguments.named.iter().map(|(_, value)| value);
    let spread = arguments.spread.as_deref().into_iter().chain(arguments.spread_named.as_deref());
    arguments.plain.iter().chain(named).chain(spread).collect()
}

/// Whether a filter or test exists; `soft` behind a condition, where it may not.
fn known(is: fn(&str) -> bool, what: &str, name: &str, soft: bool) -> Outcome<()> {
    match soft || is(name) {
        true => Ok(()),
        false => Err(Error { line: None, text: format!("No {what} named '{name}'.") }),
    }
}

fn check_expression(code: &Expression, soft: bool) -> Outcome<()> {
    match code {
        Expression::Filter(_, call) => known(is_filter, "filter", &call.name, soft)?,
        Expression::Test(_, call) => known(is_test, "test", &call.name, soft)?,
        _ => {}
    }
    let soft = soft || matches!(code, Expression::If(..));
    parts(code).into_iter().try_for_each(|part| check_expression(part, soft))
}

fn check_calls(calls: &[Call], soft: bool) -> Outcome<()> {
    for call in calls {
        known(is_filter, "filter", &call.name, soft)?;
        given(&call.arguments).into_iter().try_for_each(|part| check_expression(part, soft))?;
    }
    Ok(())
}

fn check(body: &Body, soft: bool) -> Outcome<()> {
    for statement in &body.statements {
        check_statement(&statement.kind, soft).map_err(|mut error| {
            error.line.get_or_insert(statement.line);
            error
        })?;
    }
    Ok(())
}

fn check_statement(statement: &StatementKind, soft: bool) -> Outcome<()> {
    match statement {
        StatementKind::Output(value) | StatementKind::Set(_, value) => {
            check_expression(value, soft)
        }
        StatementKind::If(code) => {
            for (condition, body) in &code.branches {
                check_expression(condition, true)?;
                check(body, true)?;
            }
            check(&code.otherwise, true)
        }
        StatementKind::For(code) => {
            check_expression(&code.values, soft)?;
            code.condition.iter().try_for_each(|condition| check_expression(condition, false))?;
            check(&code.body, false)?;
            check(&code.otherwise, false)
        }
        StatementKind::SetBlock(_, filters, body) | StatementKind::Filter(filters, body) => {
            check_calls(filters, false)?;
            check(body, false)
        }
        StatementKind::Macro(code) => check_macro(code),
        StatementKind::Call(call, code) => {
            check_expression(call, soft)?;
            check_macro(code)
        }
        StatementKind::With(values, body) => {
            values.iter().try_for_each(|(_, value)| check_expression(value, soft))?;
            check(body, false)
        }
        StatementKind::Generation(body) => check(body, false),
        StatementKind::Data(_) | StatementKind::Break | StatementKind::Continue => Ok(()),
    }
}

fn check_macro(code: &Macro) -> Outcome<()> {
    let mut defaults = code.parameters.iter().filter_map(|(_, default)| default.as_ref());
    defaults.try_for_each(|default| check_expression(default, false))?;
    check(&code.body, false)
}

//! The value of an expression.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::access;
use super::arithmetic;
use super::checks;
use super::clock::Date;
use super::equality::{compare, contains, equal};
use super::error::{Budget, Outcome, error};
use super::filters;
use super::given::{Given, integer, needed, text};
use super::methods;
use super::names::FUNCTIONS;
use super::syntax::{Arguments, Call, Expression, For, Target};
use super::value::{Loop, Macro, Scope, Value, range_length};

/// The longest range of a sandbox of Jinja2.
const RANGE_MAX: usize = 100_000;

/// Writes a loop of a template with other values, so many loops deep.
type CallLoop = fn(&Renderer, &Arc<For>, &Rc<Scope>, Value, usize) -> Outcome<String>;

/// One rendering: what it may cost, and what day it is.
pub struct Renderer {
    pub budget: Budget,
    /// None where no date was given: then the clock must not be asked.
    pub date: Option<Date>,
    /// Scopes that hold macros, which hold them: emptied at the end.
    pub circles: RefCell<Vec<Rc<Scope>>>,
    /// How the body of a macro is written; it lies to the right of this file.
    pub call_macro: fn(&Renderer, &Macro, Given) -> Outcome<String>,
    /// How a recursive loop is written again.
    pub call_loop: CallLoop,
}

impl Renderer {
    /// The value of an expression.
    pub fn value(&self, code: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        self.budget.enter()?;
        let value = self.inner(code, scope);
        self.budget.leave();
        value
    }

    fn inner(&self, code: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        let budget = &self.budget;
        match code {
            Expression::None => Ok(Value::None),
            Expression::Bool(truth) => Ok(Value::Bool(*truth)),
            Expression::Int(value) => Ok(Value::Int(*value)),
            Expression::Float(value) => Ok(Value::Float(*value)),
            Expression::Text(text) => {
                budget.spend(text.len() as u64)?;
                Ok(Value::text(text))
            }
            Expression::Name(name) => self.name(name, scope),
            Expression::List(all) => Value::list(self.values(all, scope)?, budget),
            Expression::Tuple(all) => Value::tuple(self.values(all, scope)?, budget),
            Expression::Dict(pairs) => {
                let pair = |(key, value): &(Expression, Expression)| {
                    Ok((self.value(key, scope)?, self.value(value, scope)?))
                };
                let pairs: Outcome<Vec<_>> = pairs.iter().map(pair).collect();
                Value::dict(pairs?, budget)
            }
            Expression::Negative(value) => arithmetic::negative(&self.value(value, scope)?),
            Expression::Positive(value) => arithmetic::positive(&self.value(value, scope)?),
            Expression::Not(value) => Ok(Value::Bool(!self.value(value, scope)?.is_true())),
            Expression::And(pair) => match self.value(&pair.0, scope)? {
                left if left.is_true() => self.value(&pair.1, scope),
                left => Ok(left),
            },
            Expression::Or(pair) => match self.value(&pair.0, scope)? {
                left if left.is_true() => Ok(left),
                _ => self.value(&pair.1, scope),
            },
            Expression::Binary(operator, pair) => {
                let (left, right) = (self.value(&pair.0, scope)?, self.value(&pair.1, scope)?);
                arithmetic::binary(operator, &left, &right, budget)
            }
            Expression::Join(all) => self.join(all, scope),
            Expression::Compare(first, rest) => self.compare(first, rest, scope),
            Expression::If(pair, otherwise) => match self.value(&pair.0, scope)?.is_true() {
                true => self.value(&pair.1, scope),
                false => match otherwise {
                    Some(otherwise) => self.value(otherwise, scope),
                    None => Ok(Value::Undefined(
                        "the inline if-expression evaluated to false and no else section was \
                         defined."
                            .into(),
                    )),
                },
            },
            _ => self.applied(code, scope),
        }
    }

    /// What is made of a value: a part of it, a call, a filter, a test.
    fn applied(&self, code: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        let budget = &self.budget;
        match code {
            Expression::Attribute(value, name) => self.attribute(value, name, scope),
            Expression::Item(pair) => {
                let (value, key) = (self.value(&pair.0, scope)?, self.value(&pair.1, scope)?);
                match (&value, &key) {
                    (Value::Loop(state), Value::Text(name)) => self.loop_part(state, name),
                    _ => access::item(&value, &key, budget),
                }
            }
            Expression::Slice(value, bounds) => {
                let value = self.value(value, scope)?;
                let mut found = [const { None }; 3];
                for (found, bound) in found.iter_mut().zip(&**bounds) {
                    *found = bound.as_ref().map(|bound| self.value(bound, scope)).transpose()?;
                }
                access::slice(&value, found, budget)
            }
            Expression::Call(called, arguments) => {
                let called = self.value(called, scope)?;
                let given = self.given(arguments, scope)?;
                self.call(&called, given)
            }
            Expression::Filter(value, call) => {
                let value = self.value(value, scope)?;
                self.filter(call, value, scope)
            }
            Expression::Test(value, call) => {
                let value = self.value(value, scope)?;
                let given = self.given(&call.arguments, scope)?;
                Ok(Value::Bool(checks::test(&call.name, &value, given, budget)?))
            }
            _ => unreachable!("all other expressions are evaluated above"),
        }
    }

    fn values(&self, all: &[Expression], scope: &Rc<Scope>) -> Outcome<Vec<Value>> {
        all.iter().map(|one| self.value(one, scope)).collect()
    }

    fn name(&self, name: &str, scope: &Rc<Scope>) -> Outcome<Value> {
        if let Some(value) = scope.get(name) {
            return Ok(value);
        }
        if name == "self" {
            return error("the name `self` is not supported in chat templates");
        }
        let function = FUNCTIONS.iter().find(|known| **known == name);
        Ok(function.map_or_else(|| Value::missing(name), |name| Value::Function(name)))
    }

    fn attribute(&self, value: &Expression, name: &str, scope: &Rc<Scope>) -> Outcome<Value> {
        match self.value(value, scope)? {
            Value::Loop(state) => self.loop_part(&state, name),
            value => access::attribute(&value, name, &self.budget),
        }
    }

    fn join(&self, all: &[Expression], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut out = String::new();
        for one in all {
            let shown = self.value(one, scope)?.shown(&self.budget)?;
            self.budget.spend(shown.len() as u64)?;
            out += &shown;
        }
        Ok(Value::text(out))
    }

    fn compare(
        &self,
        first: &Expression,
        rest: &[(&str, Expression)],
        scope: &Rc<Scope>,
    ) -> Outcome<Value> {
        let budget = &self.budget;
        let mut left = self.value(first, scope)?;
        for (sign, right) in rest {
            let right = self.value(right, scope)?;
            let order = || compare(&left, &right, sign, budget);
            let holds = match *sign {
                "==" => equal(&left, &right, budget)?,
                "!=" => !equal(&left, &right, budget)?,
                "in" => contains(&right, &left, budget)?,
                "not in" => !contains(&right, &left, budget)?,
                "<" => order()? == Some(Ordering::Less),
                ">" => order()? == Some(Ordering::Greater),
                "<=" => matches!(order()?, Some(Ordering::Less | Ordering::Equal)),
                _ => matches!(order()?, Some(Ordering::Greater | Ordering::Equal)),
            };
            if !holds {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// `value | name(…)`
    pub fn filter(&self, call: &Call, value: Value, scope: &Rc<Scope>) -> Outcome<Value> {
        if filters::is_markup(&call.name) {
            let name = &call.name;
            return error(format!(
                "the filter `{name}` is supported at the end of a `{{{{ … }}}}` only"
            ));
        }
        filters::apply(&call.name, value, self.given(&call.arguments, scope)?, &self.budget)
    }

    /// What is written for `{{ expression }}`.
    pub fn shown(&self, code: &Expression, scope: &Rc<Scope>) -> Outcome<Rc<str>> {
        match code {
            Expression::Filter(value, call) if filters::is_markup(&call.name) => {
                let shown = Value::Text(self.shown(value, scope)?);
                let given = self.given(&call.arguments, scope)?;
                let again = matches!(&**value, Expression::Filter(_, inner)
                    if filters::is_markup(&inner.name));
                if again && call.name != "safe" {
                    return error("several filters that escape follow each other");
                }
                filters::apply(&call.name, shown, given, &self.budget)?.shown(&self.budget)
            }
            _ => self.value(code, scope)?.shown(&self.budget),
        }
    }

    /// What a call is given.
    pub fn given(&self, code: &Arguments, scope: &Rc<Scope>) -> Outcome<Given> {
        let mut given = Given { plain: self.values(&code.plain, scope)?, named: Vec::new() };
        for (name, value) in &code.named {
            given.named.push((name.as_str().into(), self.value(value, scope)?));
        }
        if let Some(spread) = &code.spread {
            given.plain.extend(self.value(spread, scope)?.elements(&self.budget)?);
        }
        if let Some(spread) = &code.spread_named {
            let Value::Dict(dict) = self.value(spread, scope)? else {
                return error("the argument behind ** must be a mapping");
            };
            for (key, value) in &dict.entries {
                let key = text(Some(key.clone()), "**")?;
                if given.named.iter().any(|(known, _)| *known == key) {
                    return error(format!("got multiple values for keyword argument '{key}'"));
                }
                given.named.push((key, value.clone()));
            }
        }
        Ok(given)
    }

    /// Calls a value.
    pub fn call(&self, called: &Value, given: Given) -> Outcome<Value> {
        let budget = &self.budget;
        match called {
            Value::Undefined(text) => error(&**text),
            Value::Macro(called) => Ok(Value::text((self.call_macro)(self, called, given)?)),
            Value::Function(name) => self.function(name, given),
            Value::Method(value, name) => match &**value {
                Value::Loop(state) => self.loop_method(state, name, given),
                Value::Cycler(all) => {
                    let [] = given.places(name)?;
                    let at = all.1.get();
                    all.1.set(if *name == "next" { (at + 1) % all.0.len() } else { 0 });
                    Ok(if *name == "next" { all.0[at].clone() } else { Value::None })
                }
                value => methods::call(value, name, given, budget),
            },
            Value::Loop(state) if state.code.recursive => {
                let [values] = given.places("loop")?;
                let values = needed(values, "loop")?;
                let (code, scope) = (&state.code, &state.scope);
                let written = (self.call_loop)(self, code, scope, values, state.depth + 1)?;
                Ok(Value::text(written))
            }
            Value::Loop(_) => {
                error("The loop must have the 'recursive' marker to be called recursively.")
            }
            Value::Joiner(joiner) => {
                let [] = given.places("joiner")?;
                let first = !joiner.1.replace(true);
                Ok(Value::text(if first { "" } else { &joiner.0 }))
            }
            other => error(format!("'{}' object is not callable", other.kind())),
        }
    }

    fn function(&self, name: &'static str, given: Given) -> Outcome<Value> {
        let budget = &self.budget;
        match name {
            "range" => {
                let [first, second, step] = given.places(name)?;
                let whole = |value: Option<Value>, default| integer(value, default, name);
                let first = whole(Some(needed(first, name)?), 0)?;
                let (start, end) = match second {
                    Some(end) => (first, whole(Some(end), 0)?),
                    None => (0, first),
                };
                let step = whole(step, 1)?;
                if step == 0 {
                    return error("range() arg 3 must not be zero");
                }
                if range_length(start, end, step) > RANGE_MAX {
                    return error(format!("a range has more than {RANGE_MAX} numbers"));
                }
                Ok(Value::Range(start, end, step))
            }
            "raise_exception" => {
                let [message] = given.bind(name, ["message"])?;
                let message = message.map_or(Ok("".into()), |message| message.shown(budget))?;
                error(&*message)
            }
            "strftime_now" => {
                let [layout] = given.bind(name, ["format"])?;
                let layout = text(layout, name)?;
                match self.date {
                    Some(date) => Ok(Value::text(date.format(&layout)?)),
                    None => error("`strftime_now` has no date here"),
                }
            }
            "dict" | "namespace" => self.pairs(name, given),
            "cycler" => match given.plain.is_empty() {
                true => error("at least one item has to be provided"),
                false => Ok(Value::Cycler(Rc::new((given.plain, Cell::new(0))))),
            },
            "joiner" => {
                let [between] = given.bind(name, ["sep"])?;
                let between = between.map_or(Ok(", ".into()), |one| text(Some(one), name))?;
                Ok(Value::Joiner(Rc::new((between, Cell::new(false)))))
            }
            other => error(format!("the function `{other}` is not supported")),
        }
    }

    /// `dict(…)` and `namespace(…)`: of a dict or of pairs, and of what is given by name.
    fn pairs(&self, name: &str, given: Given) -> Outcome<Value> {
        let budget = &self.budget;
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        if given.plain.len() > 1 {
            return error(format!("{name} expected at most 1 argument"));
        }
        match given.plain.first() {
            Some(Value::Undefined(text)) => return error(&**text),
            Some(Value::Dict(dict)) => pairs.extend(dict.entries.iter().cloned()),
            Some(all) => {
                for pair in all.elements(budget)? {
                    match &pair.elements(budget)?[..] {
                        [key, value] => pairs.push((key.clone(), value.clone())),
                        _ => return error(format!("{name} takes pairs of a key and a value")),
                    }
                }
            }
            None => {}
        }
        pairs.extend(given.named.into_iter().map(|(key, value)| (Value::Text(key), value)));
        let dict = Value::dict(pairs, budget)?;
        let Value::Dict(entries) = &dict else { return Ok(dict) };
        if name == "dict" {
            return Ok(dict);
        }
        let mut names = Vec::new();
        for (key, value) in &entries.entries {
            let key = text(Some(key.clone()), name)?;
            if key.starts_with('_') {
                return error(format!("a namespace cannot have the attribute '{key}'"));
            }
            names.push((key, value.clone()));
        }
        Ok(Value::Namespace(Rc::new(RefCell::new(names))))
    }

    /// Gives a value to a name, to a field of a namespace, or in parts to several.
    pub fn assign(&self, target: &Target, value: Value, scope: &Rc<Scope>) -> Outcome<()> {
        match target {
            Target::Name(name) => scope.set(name, value),
            Target::Field(name, field) => {
                let Value::Namespace(names) = self.name(name, scope)? else {
                    return error("cannot assign attribute on non-namespace object");
                };
                if field.starts_with('_') {
                    return error(format!("a namespace cannot have the attribute '{field}'"));
                }
                let mut names = names.borrow_mut();
                match names.iter_mut().find(|(known, _)| **known == **field) {
                    Some((_, old)) => *old = value,
                    None => names.push((field.as_str().into(), value)),
                }
            }
            Target::Tuple(targets) => {
                let parts = value.elements(&self.budget)?;
                if parts.len() != targets.len() {
                    let (found, expected) = (parts.len(), targets.len());
                    return error(format!("{found} values for {expected} names"));
                }
                for (target, part) in targets.iter().zip(parts) {
                    self.assign(target, part, scope)?;
                }
            }
        }
        Ok(())
    }

    /// The next turn of a loop, past those that its condition leaves out.
    pub fn advance(&self, state: &Loop) -> Outcome<Option<Value>> {
        if let Some(next) = state.next.take() {
            return Ok(next);
        }
        self.look(state)
    }

    fn look(&self, state: &Loop) -> Outcome<Option<Value>> {
        loop {
            let Some(value) = state.rest.borrow_mut().pop_front() else { return Ok(None) };
            let Some(condition) = state.code.condition.as_ref().filter(|_| !state.filtered.get())
            else {
                return Ok(Some(value));
            };
            self.budget.spend(1)?;
            let scope = Scope::inside(Some(&state.scope));
            self.assign(&state.code.target, value.clone(), &scope)?;
            if self.value(condition, &scope)?.is_true() {
                return Ok(Some(value));
            }
        }
    }

    fn peek(&self, state: &Loop) -> Outcome<Option<Value>> {
        let next = state.next.borrow().clone();
        match next {
            Some(next) => Ok(next),
            None => {
                let next = self.look(state)?;
                *state.next.borrow_mut() = Some(next.clone());
                Ok(next)
            }
        }
    }

    fn length(&self, state: &Loop) -> Outcome<i64> {
        if let Some(length) = state.length.get() {
            return Ok(length as i64);
        }
        let mut all = VecDeque::new();
        while let Some(value) = self.look(state)? {
            all.push_back(value);
        }
        let next = state.next.borrow().as_ref().is_some_and(Option::is_some);
        let length = all.len() + state.index.get() + 1 + usize::from(next);
        *state.rest.borrow_mut() = all;
        state.filtered.set(true);
        state.length.set(Some(length));
        Ok(length as i64)
    }

    fn loop_part(&self, state: &Rc<Loop>, name: &str) -> Outcome<Value> {
        let index = state.index.get() as i64;
        let none = |text: &str| Value::Undefined(text.into());
        Ok(match name {
            "index" => Value::Int(index + 1),
            "index0" => Value::Int(index),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(self.peek(state)?.is_none()),
            "length" => Value::Int(self.length(state)?),
            "revindex" => Value::Int(self.length(state)? - index),
            "revindex0" => Value::Int(self.length(state)? - index - 1),
            "depth" => Value::Int(state.depth as i64 + 1),
            "depth0" => Value::Int(state.depth as i64),
            "previtem" => {
                let before = state.seen.borrow().0.clone();
                before.unwrap_or_else(|| none("there is no previous item"))
            }
            "nextitem" => self.peek(state)?.unwrap_or_else(|| none("there is no next item")),
            "cycle" => Value::Method(Value::Loop(state.clone()).into(), "cycle"),
            "changed" => Value::Method(Value::Loop(state.clone()).into(), "changed"),
            name => Value::Undefined(format!("the loop has no attribute '{name}'").into()),
        })
    }

    fn loop_method(&self, state: &Loop, name: &str, given: Given) -> Outcome<Value> {
        if !given.named.is_empty() {
            return error(format!("{name} takes no keyword arguments"));
        }
        if name == "cycle" {
            return match given.plain.len() {
                0 => error("no items for cycling given"),
                count => Ok(given.plain[state.index.get() % count].clone()),
            };
        }
        let before = state.changed.replace(Some(given.plain.clone()));
        let tuple = |all: Vec<Value>| Value::tuple(all, &self.budget);
        let same = match before {
            Some(before) => equal(&tuple(before)?, &tuple(given.plain)?, &self.budget)?,
            None => false,
        };
        Ok(Value::Bool(!same))
    }
}

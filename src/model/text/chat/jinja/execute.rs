//! Statements carried out: the text that they write.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::error::{Outcome, error};
use super::evaluate::Renderer;
use super::given::Given;
use super::syntax::{Body, Call, For, Statement, StatementKind};
use super::value::{Loop, Macro, Scope, Value};

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Through,
    Break,
    Continue,
}

impl Renderer {
    /// Writes a body.
    pub fn body(&self, body: &Body, scope: &Rc<Scope>, out: &mut String) -> Outcome<Flow> {
        for statement in &body.statements {
            let flow = self.statement(statement, scope, out).map_err(|mut error| {
                error.line.get_or_insert(statement.line);
                error
            })?;
            if flow != Flow::Through {
                return Ok(flow);
            }
        }
        Ok(Flow::Through)
    }

    /// Writes a body that is a frame of its own.
    pub fn frame(&self, body: &Body, scope: &Rc<Scope>, out: &mut String) -> Outcome<Flow> {
        for name in body.first.get().into_iter().flatten() {
            scope.set(name, Value::missing(name));
        }
        self.body(body, scope, out)
    }

    fn statement(
        &self,
        statement: &Statement,
        scope: &Rc<Scope>,
        out: &mut String,
    ) -> Outcome<Flow> {
        self.budget.enter()?;
        let flow = self.carried_out(statement, scope, out);
        self.budget.leave();
        flow
    }

    fn carried_out(
        &self,
        statement: &Statement,
        scope: &Rc<Scope>,
        out: &mut String,
    ) -> Outcome<Flow> {
        match &statement.kind {
            StatementKind::Data(text) => self.write(text, out)?,
            StatementKind::Output(value) => self.write(&self.shown(value, scope)?, out)?,
            StatementKind::If(code) => {
                for (condition, body) in &code.branches {
                    if self.value(condition, scope)?.is_true() {
                        return self.body(body, scope, out);
                    }
                }
                return self.body(&code.otherwise, scope, out);
            }
            StatementKind::For(code) => {
                let values = self.value(&code.values, scope)?;
                self.repeat(code, scope, values, 0, out)?;
            }
            StatementKind::Set(target, value) => {
                let value = self.value(value, scope)?;
                self.assign(target, value, scope)?;
            }
            StatementKind::SetBlock(target, filters, body) => {
                let mut text = String::new();
                self.frame(body, &Scope::inside(Some(scope)), &mut text)?;
                let value = self.filtered(filters, text, scope)?;
                self.assign(target, value, scope)?;
            }
            StatementKind::Macro(code) => {
                let name: Rc<str> = code.name.as_str().into();
                let called = self.macro_of(Some(name), code.clone(), scope);
                scope.set(&code.name, called);
            }
            StatementKind::Call(call, code) => {
                let super::syntax::Expression::Call(called, arguments) = call else {
                    return error("expected a call");
                };
                let called = self.value(called, scope)?;
                let mut given = self.given(arguments, scope)?;
                given.named.push(("caller".into(), self.macro_of(None, code.clone(), scope)));
                let shown = self.call(&called, given)?.shown(&self.budget)?;
                self.write(&shown, out)?;
            }
            StatementKind::Filter(filters, body) => {
                let mut text = String::new();
                let flow = self.frame(body, &Scope::inside(Some(scope)), &mut text)?;
                if flow != Flow::Through {
                    return Ok(flow);
                }
                let shown = self.filtered(filters, text, scope)?.shown(&self.budget)?;
                self.write(&shown, out)?;
            }
            StatementKind::With(values, body) => {
                let inner = Scope::inside(Some(scope));
                for (target, value) in values {
                    self.assign(target, self.value(value, scope)?, &inner)?;
                }
                return self.frame(body, &inner, out);
            }
            StatementKind::Generation(body) => {
                self.frame(body, &Scope::inside(Some(scope)), out)?;
            }
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Through)
    }

    fn write(&self, text: &str, out: &mut String) -> Outcome<()> {
        self.budget.spend(text.len() as u64)?;
        out.push_str(text);
        Ok(())
    }

    fn filtered(&self, filters: &[Call], text: String, scope: &Rc<Scope>) -> Outcome<Value> {
        let text = Value::text(text);
        filters.iter().try_fold(text, |value, call| self.filter(call, value, scope))
    }

    fn macro_of(
        &self,
        name: Option<Rc<str>>,
        code: Arc<super::syntax::Macro>,
        scope: &Rc<Scope>,
    ) -> Value {
        self.circles.borrow_mut().push(scope.clone());
        Value::Macro(Rc::new(Macro { name, code, scope: scope.clone() }))
    }

    /// Writes a loop, turn by turn.
    fn repeat(
        &self,
        code: &Arc<For>,
        scope: &Rc<Scope>,
        values: Value,
        depth: usize,
        out: &mut String,
    ) -> Outcome<()> {
        let length = values.length().filter(|_| code.condition.is_none());
        let state = Rc::new(Loop {
            rest: RefCell::new(values.elements(&self.budget)?.into()),
            next: RefCell::default(),
            seen: RefCell::default(),
            index: Cell::new(0),
            length: Cell::new(length),
            depth,
            changed: RefCell::default(),
            filtered: Cell::new(false),
            code: code.clone(),
            scope: scope.clone(),
        });
        let mut turns = 0;
        while let Some(value) = self.advance(&state)? {
            self.budget.spend(20)?;
            state.index.set(turns);
            turns += 1;
            {
                let mut seen = state.seen.borrow_mut();
                let before = seen.1.replace(value.clone());
                seen.0 = before;
            }
            let inner = Scope::inside(Some(scope));
            inner.set("loop", Value::Loop(state.clone()));
            self.assign(&code.target, value, &inner)?;
            if self.frame(&code.body, &inner, out)? == Flow::Break {
                break;
            }
        }
        if turns == 0 {
            self.frame(&code.otherwise, &Scope::inside(Some(scope)), out)?;
        }
        Ok(())
    }
}

/// What a loop writes that calls itself.
pub fn call_loop(
    renderer: &Renderer,
    code: &Arc<For>,
    scope: &Rc<Scope>,
    values: Value,
    depth: usize,
) -> Outcome<String> {
    let mut out = String::new();
    renderer.repeat(code, scope, values, depth, &mut out)?;
    Ok(out)
}

/// What a macro writes.
pub fn call_macro(renderer: &Renderer, called: &Macro, given: Given) -> Outcome<String> {
    let code = &called.code;
    let shown = called.name.as_deref().unwrap_or("caller");
    let [varargs, kwargs, caller] = code.catches;
    let scope = Scope::inside(Some(&called.scope));
    let mut plain = given.plain.into_iter();
    let mut named = given.named;
    let mut take = |name: &str| {
        let at = named.iter().position(|(known, _)| **known == *name)?;
        Some(named.remove(at).1)
    };
    let mut open = Vec::new();
    for (name, default) in &code.parameters {
        match plain.next().or_else(|| take(name)) {
            Some(value) => scope.set(name, value),
            None => open.push((name, default)),
        }
    }
    if caller {
        let given = take("caller");
        scope.set("caller", given.unwrap_or(Value::Undefined("No caller defined".into())));
    }
    if kwargs {
        let pairs = named.drain(..).map(|(name, value)| (Value::Text(name), value)).collect();
        scope.set("kwargs", Value::dict(pairs, &renderer.budget)?);
    } else if let Some((name, _)) = named.first() {
        return error(format!("macro '{shown}' takes no keyword argument '{name}'"));
    }
    if varargs {
        scope.set("varargs", Value::tuple(plain.collect(), &renderer.budget)?);
    } else if plain.next().is_some() {
        let count = code.parameters.len();
        return error(format!("macro '{shown}' takes not more than {count} argument(s)"));
    }
    // A default may name the parameters; those behind it have no value yet.
    for (name, _) in &open {
        let text = format!("parameter '{name}' was not provided");
        scope.set(name, Value::Undefined(text.into()));
    }
    for (name, default) in open {
        if let Some(default) = default {
            scope.set(name, renderer.value(default, &scope)?);
        }
    }
    let mut out = String::new();
    renderer.frame(&code.body, &scope, &mut out)?;
    Ok(out)
}

//! What a function, method, filter or test is called with, put in the order of its parameters.

use std::rc::Rc;

use super::error::{Outcome, error};
use super::value::{Value, whole};

/// Values by place and by name.
#[derive(Default)]
pub struct Given {
    pub plain: Vec<Value>,
    pub named: Vec<(Rc<str>, Value)>,
}

impl Given {
    /// The values of these parameters; None for those that are not given.
    pub fn bind<const N: usize>(
        self,
        called: &str,
        names: [&str; N],
    ) -> Outcome<[Option<Value>; N]> {
        let mut bound = [const { None }; N];
        if self.plain.len() > N {
            return error(format!(
                "{called} takes at most {N} arguments, {} are given",
                self.plain.len()
            ));
        }
        for (place, value) in bound.iter_mut().zip(self.plain) {
            *place = Some(value);
        }
        for (name, value) in self.named {
            let Some(at) = names.iter().position(|known| **known == *name) else {
                return error(format!("{called} got an unexpected keyword argument '{name}'"));
            };
            if bound[at].is_some() {
                return error(format!("{called} got multiple values for argument '{name}'"));
            }
            bound[at] = Some(value);
        }
        Ok(bound)
    }

    /// The same for what takes no names.
    pub fn places<const N: usize>(self, called: &str) -> Outcome<[Option<Value>; N]> {
        match self.named.is_empty() {
            true => self.bind(called, [""; N]),
            false => error(format!("{called} takes no keyword arguments")),
        }
    }
}

/// A value that must be given.
pub fn needed(value: Option<Value>, called: &str) -> Outcome<Value> {
    match value {
        Some(value) => Ok(value),
        None => error(format!("{called} is missing an argument")),
    }
}

/// A text that must be given.
pub fn text(value: Option<Value>, called: &str) -> Outcome<Rc<str>> {
    match needed(value, called)? {
        Value::Text(text) => Ok(text),
        Value::Undefined(text) => error(&*text),
        other => error(format!("{called} takes a str, not {}", other.kind())),
    }
}

/// An integer, or what is meant without it.
pub fn integer(value: Option<Value>, default: i64, called: &str) -> Outcome<i64> {
    let Some(value) = value else { return Ok(default) };
    match whole(&value) {
        Some(value) => Ok(value),
        None => error(format!("{called} takes an int, not {}", value.kind())),
    }
}

/// Whether a flag is set.
pub fn flag(value: &Option<Value>) -> bool {
    value.as_ref().is_some_and(Value::is_true)
}

//! Jinja2 as transformers uses it for chat templates: values of Python, `trim_blocks` and
//! `lstrip_blocks`, `break` and `continue`, `{% generation %}`, `tojson` without escapes.
//!
//! What is not supported is refused by its name; nothing is rendered another way. Work and memory
//! of a rendering are bounded, and so is its depth, on a thread whose stack is known.

mod access;
mod arithmetic;
mod checks;
mod clock;
mod equality;
mod error;
mod evaluate;
mod execute;
mod expressions;
mod filters;
mod frames;
mod given;
mod letters;
mod lists;
mod methods;
mod names;
mod parser;
mod percent;
mod python;
mod rounding;
mod statements;
mod syntax;
mod tojson;
mod token;
mod value;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use serde_json::{Map, Value as Json};

pub use clock::Date;
pub use error::Error;

use error::{Budget, Outcome, error};
use evaluate::Renderer;
use parser::Parser;
use value::{Scope, Value};

/// The longest template, in bytes: the longest of published models have 30,000.
const TEXT_MAX: usize = 1 << 20;

/// The stack of the thread that reads and renders; only what is used of it costs memory.
const STACK: usize = 256 << 20;

/// A template, read.
#[derive(Clone, Debug)]
pub struct Program {
    body: Arc<syntax::Body>,
    names: Arc<BTreeSet<String>>,
}

impl Program {
    /// Reads a template's text.
    ///
    /// # Errors
    /// With the place and the name of what cannot be read, or would not be rendered the same.
    pub fn parse(text: &str) -> Result<Program, Error> {
        if text.len() > TEXT_MAX {
            return error(format!("it has {} bytes, and {TEXT_MAX} are read", text.len()));
        }
        on_own_stack(|| {
            let mut parser = Parser::new(token::tokens(text)?);
            let body = parser.template()?;
            frames::settle(&body)?;
            Ok(Program { body: Arc::new(body), names: Arc::new(parser.names) })
        })
    }

    /// Whether the template looks a name up anywhere.
    pub fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// All names that it looks up.
    pub fn looked_up(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The text for what is given by name.
    ///
    /// # Errors
    /// What the template raises, or what stops it.
    pub fn render(&self, given: &Map<String, Json>, date: Option<Date>) -> Result<String, Error> {
        on_own_stack(|| self.rendered(given, date, false))
    }

    fn rendered(
        &self,
        given: &Map<String, Json>,
        date: Option<Date>,
        is_strict: bool,
    ) -> Outcome<String> {
        let renderer = Renderer {
            budget: Budget::new(is_strict),
            date,
            circles: RefCell::default(),
            call_macro: execute::call_macro,
            call_loop: execute::call_loop,
        };
        let context = Scope::inside(None);
        for (name, value) in given {
            context.set(name, Value::from_json(value, &renderer.budget)?);
        }
        let mut out = String::new();
        let rendered = renderer.frame(&self.body, &Scope::inside(Some(&context)), &mut out);
        for scope in renderer.circles.take() {
            scope.clear();
        }
        rendered.map(|_| out)
    }
}

/// The texts of several templates for the same values. What is not there cannot be written, as with
/// Jinja2's `StrictUndefined`.
///
/// # Errors
/// Which template raises what, or is stopped by what.
pub fn strictly(
    programs: &[&Program],
    given: &Map<String, Json>,
) -> Result<Vec<String>, (usize, Error)> {
    let text = |(at, program): (usize, &&Program)| {
        program.rendered(given, None, true).map_err(|error| (at, error))
    };
    let rendered = on_own_stack(|| Ok(programs.iter().enumerate().map(text).collect()));
    rendered.map_err(|error| (0, error))?
}

/// Runs on a thread with room for the deepest template.
fn on_own_stack<T: Send>(work: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
    thread::scope(|scope| {
        let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match spawned.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => error("it cannot be rendered: please report this template"),
            Err(reason) => error(format!("no thread to render on: {reason}")),
        }
    })
}

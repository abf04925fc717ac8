//! Which names mean what at one place of the text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::typed::{Function, Local, LocalId, Template};
use super::types::Type;
use crate::diagnostic::{Diagnostic, is_sure_miss, near_miss};
use crate::source::Span;
use crate::syntax::ast;

/// Functions by their names.
pub type Functions = BTreeMap<String, Arc<Function>>;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A value.
    Local(LocalId),
    /// A parameter, by its index.
    Param(usize),
    /// A pool, by its index.
    Pool(usize),
    /// A part, by its index: no value, but names inside.
    Part(usize),
}

/// A name in scope.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    span: Span,
    meaning: Meaning,
    /// The type of a parameter or pool; a local's is in `locals`.
    kind: Type,
}

/// The names in scope, innermost last, and every local made so far.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    entries: Vec<Entry>,
    /// Where the entries of a name are, the innermost last.
    places: HashMap<String, Vec<usize>>,
    /// Every local of the template or function, in scope or not.
    pub locals: Vec<Local>,
    /// What can be called.
    pub functions: Functions,
    /// What can be drawn as a part.
    pub templates: BTreeMap<String, Arc<Template>>,
    /// The function that is being defined, as far as it is known: without a body.
    pub defining: Option<Arc<Function>>,
    /// Names of a `use` that has an error itself, and what is drawn from them: reported once.
    pub missing: BTreeSet<String>,
    /// Names that are bound further down, for a better message.
    pub later: Vec<(String, Span)>,
}

impl Scope {
    /// What a name means here, and its type.
    pub fn find(&self, name: &str) -> Option<(Meaning, Type)> {
        let entry = &self.entries[*self.places.get(name)?.last()?];
        Some(match entry.meaning {
            Meaning::Local(id) => (entry.meaning, self.locals[id].kind.clone()),
            meaning => (meaning, entry.kind.clone()),
        })
    }

    /// Where a name is bound; nothing for what the language brings.
    pub fn place(&self, name: &str) -> Option<Span> {
        Some(self.entries[*self.places.get(name)?.last()?].span)
    }

    /// Brings a parameter or a pool into scope.
    pub fn bring(
        &mut self,
        name: &ast::Name,
        meaning: Meaning,
        kind: Type,
    ) -> Result<(), Diagnostic> {
        self.refuse_twice(name)?;
        self.enter(name.clone(), meaning, kind);
        Ok(())
    }

    /// Brings a name of a part into scope: `part.answer`, which nothing else can be called.
    pub fn bring_part(&mut self, name: ast::Name, meaning: Meaning, kind: Type) {
        self.enter(name, meaning, kind);
    }

    /// Makes a new local and brings it into scope.
    pub fn bind(&mut self, name: &ast::Name, kind: Type) -> (LocalId, Result<(), Diagnostic>) {
        let id = self.locals.len();
        let known = self.refuse_twice(name);
        self.locals.push(Local { name: name.text.clone(), span: name.span, kind: kind.clone() });
        self.enter(name.clone(), Meaning::Local(id), kind);
        (id, known)
    }

    fn enter(&mut self, name: ast::Name, meaning: Meaning, kind: Type) {
        self.places.entry(name.text.clone()).or_default().push(self.entries.len());
        self.entries.push(Entry { name: name.text, span: name.span, meaning, kind });
    }

    /// Enters a function and returns the scope around it, to go back to with
    /// [`Scope::leave_function`]. A body sees pools and functions beside its own parameters. Names
    /// of the template are not seen, so that a function means the same in every file.
    pub fn enter_function(&mut self) -> Scope {
        let mut outer = std::mem::take(self);
        self.functions = std::mem::take(&mut outer.functions);
        self.templates = std::mem::take(&mut outer.templates);
        self.missing = std::mem::take(&mut outer.missing);
        for entry in outer.entries.iter().filter(|entry| matches!(entry.meaning, Meaning::Pool(_)))
        {
            let name = ast::Name { text: entry.name.clone(), span: entry.span };
            self.enter(name, entry.meaning, entry.kind.clone());
        }
        outer
    }

    /// Goes back to the scope around a function, and returns the names in it.
    pub fn leave_function(&mut self, outer: Scope) -> Vec<Local> {
        let inner = std::mem::replace(self, outer);
        self.functions = inner.functions;
        self.templates = inner.templates;
        self.missing = inner.missing;
        inner.locals
    }

    /// The names inside a part.
    pub fn names_in(&self, part: &str) -> Vec<&str> {
        let inside = |entry: &'_ Entry| {
            entry.name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'))
        };
        let entries = self.entries.iter().filter(|entry| inside(entry));
        entries.map(|entry| &entry.name[part.len() + 1..]).collect()
    }

    /// How many names are in scope, to go back to with [`Scope::leave`].
    pub fn depth(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the names brought in since.
    pub fn leave(&mut self, depth: usize) {
        for entry in self.entries.drain(depth..) {
            self.places.get_mut(&entry.name).and_then(Vec::pop);
        }
    }

    fn refuse_twice(&self, name: &ast::Name) -> Result<(), Diagnostic> {
        let first = self.places.get(&name.text).and_then(|places| places.first());
        let Some(first) = first.map(|&at| &self.entries[at]) else { return Ok(()) };
        let title = format!("the name `{}` is taken", name.text);
        let other = self.free(&name.text);
        let help = format!("a name is bound once: write `{other}` here and where this is meant");
        let error = Diagnostic::error("E202", title, name.span, "bound again here").help(help);
        Err(match first.span.end {
            0 => error,
            _ => error.and(first.span, "bound first here"),
        })
    }

    /// A name like this one that nothing is bound to, here or below.
    fn free(&self, name: &str) -> String {
        let known = |name: &String| {
            self.entries.iter().any(|entry| entry.name == *name)
                || self.later.iter().any(|(later, _)| later == name)
        };
        let mut names = (2..).map(|number| format!("{name}_{number}"));
        names.find(|name| !known(name)).expect("names are more than numbers")
    }

    /// The error of a name that means nothing here.
    pub fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        if let Some((_, later)) = self.later.iter().find(|(known, _)| known == name) {
            return Diagnostic::error(
                "E203",
                format!("`{name}` is used before it is bound"),
                span,
                "used here",
            )
            .and(*later, "bound here")
            .help(format!("move the line of `{name}` above this one"));
        }
        let title = format!("nothing is called `{name}`");
        let error = Diagnostic::error("E201", title, span, "not known here");
        if self.functions.contains_key(name) {
            let values = match name {
                "coin" => "0.5".to_string(),
                _ => self.functions[name].param_names.join(", "),
            };
            return error.help(format!("`{name}` is a function: write `{name}({values})`"));
        }
        match near_miss(name, self.entries.iter().map(|entry| entry.name.as_str())) {
            Some(near) => {
                let known = self.entries.iter().map(|entry| entry.name.as_str());
                let error = error.help(format!("write `{near}`")).fix(span, near);
                error.sure_if(is_sure_miss(name, near, known))
            }
            None if matches!(name, "null" | "nil" | "undefined" | "none" | "nan") => {
                error.help("write a value that means it: every name has one, such as `-1` or `[]`")
            }
            None if matches!(name, "yes" | "no" | "on" | "off") => {
                let truth = if matches!(name, "yes" | "on") { "true" } else { "false" };
                error.help(format!("write `{truth}`, or a text: `\"{name}\"`"))
            }
            None => match self.in_a_part(name) {
                Some(whole) => error.help(format!("write `{whole}`")).fix(span, whole),
                None => error.help(format!(
                    "bind it above: `{name} ~ distinct(8, vocab)` draws, `{name} = …` computes"
                )),
            },
        }
    }

    /// The name of a part's value whose last word is this.
    fn in_a_part(&self, name: &str) -> Option<&str> {
        let ends = |entry: &&Entry| {
            entry.name.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
        };
        self.entries.iter().find(ends).map(|entry| entry.name.as_str())
    }

    /// The error of a call of something that cannot be called.
    pub fn unknown_function(&self, name: &ast::Name) -> Diagnostic {
        let text = &name.text;
        if self.find(text).is_some() {
            let title = format!("`{text}` is a value, not a function");
            return Diagnostic::error("E204", title, name.span, "called here")
                .help(format!("write `{text}` without parentheses"));
        }
        let title = format!("no function is called `{text}`");
        let error = Diagnostic::error("E205", title, name.span, "not known here");
        if let Some(module) = crate::stdlib::module_of(text) {
            return error.help(format!("write `use {module}: {text}` above"));
        }
        if crate::stdlib::template(text).is_some() {
            return error.help(format!("write `use template {text}` above"));
        }
        let known = self.functions.keys().chain(self.templates.keys());
        match near_miss(text, known.map(String::as_str)) {
            Some(near) => {
                let known = self.functions.keys().chain(self.templates.keys());
                let is_sure = is_sure_miss(text, near, known.map(String::as_str));
                let error = error.help(format!("write `{near}`")).fix(name.span, near);
                error.sure_if(is_sure)
            }
            None => match near_miss(text, crate::stdlib::functions()) {
                Some(near) => {
                    let module = crate::stdlib::module_of(near).unwrap_or_default();
                    let help = format!("write `{near}`, and `use {module}: {near}` above");
                    error.help(help).fix(name.span, near)
                }
                None => error.help(format!("define it: `fn {text}(xs: [T]) -> [T] = …`")),
            },
        }
    }
}

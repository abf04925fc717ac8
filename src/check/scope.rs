//! Which names mean what at one place of the text.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::typed::{Function, Local, LocalId};
use super::types::Type;
use crate::diagnostic::{Diagnostic, near_miss};
use crate::source::Span;
use crate::syntax::ast;

/// Functions by their names.
pub type Functions = BTreeMap<String, Rc<Function>>;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A value.
    Local(LocalId),
    /// A parameter, by its index.
    Param(usize),
    /// A pool, by its index.
    Pool(usize),
}

/// A name in scope.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    span: Span,
    meaning: Meaning,
    /// The type of a parameter or pool; a local's stands in `locals`.
    kind: Type,
}

/// The names in scope, innermost last, and every local made so far.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    entries: Vec<Entry>,
    /// Every local of the template or function, in scope or not.
    pub locals: Vec<Local>,
    /// What can be called.
    pub functions: Functions,
    /// The function that is being defined: it cannot call itself.
    pub defining: Option<String>,
    /// Functions of a `use` that has a fault of its own: told once.
    pub missing: BTreeSet<String>,
    /// Names that are bound further down, for a better message.
    pub later: Vec<(String, Span)>,
}

impl Scope {
    /// What a name means here, and its type.
    pub fn find(&self, name: &str) -> Option<(Meaning, Type)> {
        let entry = self.entries.iter().rev().find(|entry| entry.name == name)?;
        Some(match entry.meaning {
            Meaning::Local(id) => (entry.meaning, self.locals[id].kind.clone()),
            meaning => (meaning, entry.kind.clone()),
        })
    }

    /// Where a name is bound; nothing for what the language brings.
    pub fn place(&self, name: &str) -> Option<Span> {
        let entry = self.entries.iter().rev().find(|entry| entry.name == name)?;
        Some(entry.span)
    }

    /// Brings a parameter or a pool into scope.
    pub fn bring(
        &mut self,
        name: &ast::Name,
        meaning: Meaning,
        kind: Type,
    ) -> Result<(), Diagnostic> {
        self.refuse_twice(name)?;
        let (name, span) = (name.text.clone(), name.span);
        self.entries.push(Entry { name, span, meaning, kind });
        Ok(())
    }

    /// Makes a new local and brings it into scope.
    pub fn bind(&mut self, name: &ast::Name, kind: Type) -> (LocalId, Result<(), Diagnostic>) {
        let id = self.locals.len();
        let known = self.refuse_twice(name);
        self.locals.push(Local { name: name.text.clone(), span: name.span, kind: kind.clone() });
        let (name, span) = (name.text.clone(), name.span);
        self.entries.push(Entry { name, span, meaning: Meaning::Local(id), kind });
        (id, known)
    }

    /// What a function's body sees beside its own parameters: pools and functions. Names of the
    /// template are not seen, so that a function means the same in every file.
    pub fn of_function(&self) -> Scope {
        let pools = self.entries.iter().filter(|entry| matches!(entry.meaning, Meaning::Pool(_)));
        Scope {
            entries: pools.cloned().collect(),
            functions: self.functions.clone(),
            missing: self.missing.clone(),
            ..Scope::default()
        }
    }

    /// How many names are in scope, to go back to with [`Scope::leave`].
    pub fn depth(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the names brought in since.
    pub fn leave(&mut self, depth: usize) {
        self.entries.truncate(depth);
    }

    fn refuse_twice(&self, name: &ast::Name) -> Result<(), Diagnostic> {
        let Some(first) = self.entries.iter().find(|entry| entry.name == name.text) else {
            return Ok(());
        };
        let title = format!("the name `{}` is taken", name.text);
        let fault = Diagnostic::fault("E202", title, name.span, "bound again here")
            .help(format!("write another name, such as `{}_2`", name.text));
        Err(match first.span.end {
            0 => fault,
            _ => fault.and(first.span, "bound first here"),
        })
    }

    /// The fault of a name that means nothing here.
    pub fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        if let Some((_, later)) = self.later.iter().find(|(known, _)| known == name) {
            return Diagnostic::fault(
                "E203",
                format!("`{name}` is used before it is bound"),
                span,
                "used here",
            )
            .and(*later, "bound here")
            .help(format!("move the line of `{name}` above this one"));
        }
        let title = format!("nothing is called `{name}`");
        let fault = Diagnostic::fault("E201", title, span, "not known here");
        if self.functions.contains_key(name) {
            return fault.help(format!("`{name}` is a function: write `{name}(…)`"));
        }
        match near_miss(name, self.entries.iter().map(|entry| entry.name.as_str())) {
            Some(near) => fault.help(format!("write `{near}`")).fix(span, near),
            None => fault.help(format!(
                "bind it above: `{name} ~ distinct(8, vocab)` draws, `{name} = …` computes"
            )),
        }
    }

    /// The fault of a call of something that cannot be called.
    pub fn unknown_function(&self, name: &ast::Name) -> Diagnostic {
        let text = &name.text;
        if self.defining.as_ref() == Some(text) {
            let title = format!("`{text}` calls itself");
            return Diagnostic::fault("E221", title, name.span, "inside its own body")
                .help("write a loop: `fold total = 0 over x in xs: total + x`");
        }
        if self.find(text).is_some() {
            let title = format!("`{text}` is a value, not a function");
            return Diagnostic::fault("E204", title, name.span, "called here")
                .help(format!("write `{text}` without parentheses"));
        }
        let title = format!("no function is called `{text}`");
        let fault = Diagnostic::fault("E205", title, name.span, "not known here");
        if let Some(module) = crate::stdlib::module_of(text) {
            return fault.help(format!("write `use {module}: {text}` above"));
        }
        match near_miss(text, self.functions.keys().map(String::as_str)) {
            Some(near) => fault.help(format!("write `{near}`")).fix(name.span, near),
            None => fault.help(format!("define it above: `fn {text}(xs: [T]) -> [T] = …`")),
        }
    }
}

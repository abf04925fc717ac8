//! Where names stand and what they mean: what an editor asks of a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scope::Functions;
use super::typed::{Function, Role, Template};
use super::types::Type;
use crate::source::{Source, Span};
use crate::syntax::ast;

/// Every name that the check of a file understood, also of a file with errors.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// What names mean, in the order in which it was learnt.
    pub definitions: Vec<Definition>,
    /// Each place in this file where a name stands, its definition's too, with an index into
    /// `definitions`; in the order of the text once the check is done.
    pub uses: Vec<(Span, usize)>,
    /// Everything that can be called.
    pub functions: Functions,
    /// The files that define the functions of `use`, by the functions' names.
    pub modules: BTreeMap<String, Source>,
    /// The templates that can be drawn as parts, by their names.
    pub templates: BTreeMap<String, Taken>,
    /// The names of the templates that parts are made from, by the names of the parts.
    pub parts: BTreeMap<String, String>,
    /// The definitions of this file by their places.
    here: BTreeMap<Span, usize>,
    /// The definitions from elsewhere: of functions by their names, of what is in another
    /// template by that one's name, a dot and theirs.
    elsewhere: BTreeMap<String, usize>,
}

/// What a name means.
#[derive(Clone, Debug)]
pub struct Definition {
    /// As written.
    pub name: String,
    /// Where it is bound, in its own file; nothing for the pool `vocab`.
    pub span: Span,
    /// The file it is bound in, if that is another one.
    pub home: Option<Source>,
    /// What kind of thing it names.
    pub kind: Named,
    /// What it holds or returns; `_` for what is no value.
    pub ty: Type,
    /// Its documentation.
    pub docs: Vec<String>,
}

/// The kinds of things that have names.
#[derive(Clone, Debug)]
pub enum Named {
    /// `param length in …`
    Param,
    /// `words names = …`, and `vocab`
    Pool,
    /// `level hard: …`
    Level,
    /// `rule best: …`
    Rule,
    /// `name ~ …` or `name = …` of the template, with its role and whether it is shown.
    Value(Role, bool),
    /// The name of a loop, of what a fold carries, or a value inside a function.
    Inner,
    /// What a function takes.
    Argument,
    /// A function.
    Function(Arc<Function>),
    /// The module of a `use`, or the template of a `use template`.
    Module,
    /// `part ~ copy_first(…)`
    Part,
}

/// A template of `use template`.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Where the `use` names it.
    pub place: Span,
    /// Its text.
    pub home: Source,
    /// What it says.
    pub template: Arc<Template>,
}

/// How far an index had got, to forget what a trial run adds.
#[derive(Clone, Copy)]
pub struct Mark(usize, usize);

impl Index {
    /// The definition whose name is at this byte, and where it stands.
    pub fn at(&self, byte: usize) -> Option<(Span, usize)> {
        let after = self.uses.partition_point(|(span, _)| span.start <= byte);
        let found = self.uses[..after].last().filter(|(span, _)| byte <= span.end);
        found.copied()
    }

    /// Every place where a definition's name stands.
    pub fn places(&self, definition: usize) -> impl Iterator<Item = Span> {
        let uses = self.uses.iter().filter(move |(_, used)| *used == definition);
        uses.map(|(span, _)| *span)
    }

    /// Notes the pool that is there without being bound.
    pub fn vocab(&mut self) {
        let docs = vec!["The words of the run: `--vocab` chooses them.".to_string()];
        self.here.insert(Span::default(), self.definitions.len());
        self.definitions.push(Definition {
            name: "vocab".into(),
            span: Span::default(),
            home: None,
            kind: Named::Pool,
            ty: Type::Token.list(),
            docs,
        });
    }

    /// Notes a name where it is bound.
    pub fn define(&mut self, name: &ast::Name, kind: Named, ty: Type, docs: &[String]) {
        let id = self.definitions.len();
        let (text, span, docs) = (name.text.clone(), name.span, docs.to_vec());
        self.definitions.push(Definition { name: text, span, home: None, kind, ty, docs });
        self.here.insert(span, id);
        self.uses.push((span, id));
    }

    /// Notes a use of what is bound at a place of this file.
    pub fn uses(&mut self, span: Span, bound: Span) {
        if let Some(&id) = self.here.get(&bound) {
            self.uses.push((span, id));
        }
    }

    /// Notes a call.
    pub fn calls(&mut self, name: &ast::Name, function: &Arc<Function>) {
        let home = match (&function.body, self.modules.get(&function.name)) {
            (None, _) => Source::new("std:builtin", crate::stdlib::BUILTIN),
            (Some(_), Some(module)) => module.clone(),
            (Some(_), None) => return self.uses(name.span, function.span),
        };
        let next = self.definitions.len();
        let id = *self.elsewhere.entry(function.name.clone()).or_insert(next);
        if id == next {
            self.definitions.push(Definition {
                name: function.name.clone(),
                span: function.span,
                home: Some(home),
                kind: Named::Function(function.clone()),
                ty: function.result.clone(),
                docs: function.docs.clone(),
            });
        }
        self.uses.push((name.span, id));
    }

    /// Notes the file of a `use`.
    pub(crate) fn module(&mut self, name: &ast::Name, home: &Source) {
        self.define(name, Named::Module, Type::Unknown, &[]);
        let definition = self.definitions.last_mut().expect("one was defined just now");
        definition.home = Some(home.clone());
        definition.span = Span::default();
    }

    /// Notes a name of a `use`: a function, and the file that defines it.
    pub fn takes(&mut self, name: &ast::Name, function: &Arc<Function>, home: &Source) {
        self.modules.insert(name.text.clone(), home.clone());
        self.calls(name, function);
    }

    /// Notes the template of a `use template`.
    pub fn template(&mut self, name: &ast::Name, home: &Source, template: &Arc<Template>) {
        let (place, home, template) = (name.span, home.clone(), template.clone());
        self.templates.insert(name.text.clone(), Taken { place, home, template });
    }

    /// Notes a part, and the name of the template that is drawn for it.
    pub fn part(&mut self, part: &ast::Name, called: &ast::Name, docs: &[String]) {
        self.define(part, Named::Part, Type::Unknown, docs);
        self.parts.insert(part.text.clone(), called.text.clone());
        if let Some(place) = self.templates.get(&called.text).map(|taken| taken.place) {
            self.uses(called.span, place);
        }
    }

    /// Notes `part.answer`: a name of the template that the part is made from.
    pub fn field(&mut self, part: &ast::Name, bound: Option<Span>, name: &ast::Name) {
        if let Some(bound) = bound {
            self.uses(part.span, bound);
        }
        if let Some(template) = self.parts.get(&part.text).cloned() {
            self.inside(&template, name);
        }
    }

    /// Notes a value, parameter or level of another template where it is named.
    pub fn inside(&mut self, template: &str, name: &ast::Name) {
        let Some(taken) = self.templates.get(template) else { return };
        let key = format!("{template}.{}", name.text);
        let id = match self.elsewhere.get(&key) {
            Some(&id) => id,
            None => match named_in(&taken.template, &name.text) {
                Some(definition) => {
                    let home = Some(taken.home.clone());
                    self.definitions.push(Definition { home, ..definition });
                    self.definitions.len() - 1
                }
                None => return,
            },
        };
        self.elsewhere.insert(key, id);
        self.uses.push((name.span, id));
    }

    /// Sets the type of what is bound at a place, where it was learnt later.
    pub fn retype(&mut self, bound: Span, ty: &Type) {
        if let Some(&id) = self.here.get(&bound) {
            self.definitions[id].ty = ty.clone();
        }
    }

    /// Sets the role of what is bound at a place.
    pub fn cast(&mut self, bound: Span, role: Role, shown: bool) {
        if let Some(&id) = self.here.get(&bound) {
            self.definitions[id].kind = Named::Value(role, shown);
        }
    }

    /// How far it has got.
    pub fn mark(&self) -> Mark {
        Mark(self.definitions.len(), self.uses.len())
    }

    /// Forgets what was noted since.
    pub fn forget(&mut self, Mark(definitions, uses): Mark) {
        self.definitions.truncate(definitions);
        self.uses.truncate(uses);
        self.here.retain(|_, id| *id < definitions);
        self.elsewhere.retain(|_, id| *id < definitions);
    }

    /// Puts the uses in the order of the text.
    pub fn sort(&mut self) {
        self.uses.sort();
        self.uses.dedup_by_key(|(span, _)| *span);
    }
}

/// What a name means inside a template.
fn named_in(template: &Template, name: &str) -> Option<Definition> {
    let of = |span, kind, ty: &Type, docs: &[String]| {
        let (name, ty, docs) = (name.to_string(), ty.clone(), docs.to_vec());
        Definition { name, span, home: None, kind, ty, docs }
    };
    let values = template.bindings.iter().map(|binding| (binding, &template.locals[binding.local]));
    for (binding, local) in values {
        if local.name == name {
            let kind = Named::Value(binding.role, binding.shown);
            return Some(of(local.span, kind, &local.kind, &binding.docs));
        }
    }
    if let Some(param) = template.params.iter().find(|param| param.name == name) {
        return Some(of(param.span, Named::Param, &param.kind, &param.docs));
    }
    let level = template.levels.iter().find(|level| level.name == name)?;
    Some(of(level.span, Named::Level, &Type::Unknown, &[]))
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::syntax;

    /// The places of names as `name@line:column` and `=` the line or file of the definition.
    fn places(text: &str) -> String {
        let source = Source::new("test.cook", text);
        let (file, _) = syntax::parse(&source);
        let survey = crate::check::survey(&file, &source, &|_| Err("no files here".into()));
        let place = |(span, id): &(crate::source::Span, usize)| {
            let (line, column) = source.position(span.start);
            let definition = &survey.index.definitions[*id];
            let home = match &definition.home {
                Some(home) => home.name.to_string(),
                None => source.position(definition.span.start).0.to_string(),
            };
            format!("{}@{line}:{column}={home}", source.slice(*span))
        };
        survey.index.uses.iter().map(place).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_name_is_found_where_it_stands_and_where_it_is_bound() {
        let text = "param n in 1..9 = 3\nlevel hard: n = 9\nxs ~ distinct(n, vocab)\n\
            rule all_in: all x in xs: x in xs\nprompt \"{xs}\"\nreply \"{xs}\"";
        assert_eq!(
            places(text),
            "n@1:7=1 hard@2:7=2 n@2:13=1 xs@3:1=3 distinct@3:6=std:builtin n@3:15=1 \
             vocab@3:18=1 all_in@4:6=4 x@4:18=4 xs@4:23=3 x@4:27=4 xs@4:32=3 xs@5:10=3 xs@6:9=3"
        );
    }

    #[test]
    fn functions_of_modules_are_at_home_there_and_a_trial_of_a_fold_leaves_no_trace() {
        let text = "use tokens: overlap\nfn f(a: [Int]) -> Int = size(a)\n\
            ys = fold seen = [] over y in [1, 2]: seen + [f([y])]\nk = overlap(ys, ys)";
        assert_eq!(
            places(text),
            "tokens@1:5=std:tokens overlap@1:13=std:tokens f@2:4=2 a@2:6=2 size@2:25=std:builtin \
             a@2:30=2 ys@3:1=3 seen@3:11=3 y@3:26=3 seen@3:39=3 f@3:47=2 y@3:50=3 k@4:1=4 \
             overlap@4:5=std:tokens ys@4:13=3 ys@4:17=3"
        );
    }
}

//! Tree to typed template: names, types, roles and layout are proved here.

mod alphabet;
mod call;
mod expr;
pub mod filled;
mod fixes;
mod function;
mod graft;
mod import;
pub mod index;
pub mod layout;
mod library;
mod meant;
mod order;
mod part;
pub mod partial;
pub mod readable;
pub mod roles;
mod said;
mod scope;
mod shown;
pub mod typed;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Severity, is_sure_miss, near_miss};
pub use crate::runtime::types;
use crate::source::{Source, Span, is_word_character};
use crate::syntax::ast::{self, StatementKind};
use crate::syntax::{literal, quotient};
use expr::Checker;
pub use function::builtins;
use index::{Index, Named};
use library::{Library, Wanted};
use scope::{Functions, Meaning};
use typed::{Binding, Level, Param, Pool, Role, Rule, Template};
use types::Type;

/// Reads a file beside the template, by the name written in it; the error is for people.
pub type Neighbour<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// The most levels of a template: each is lowered whenever it is checked.
const LEVELS_MAX: usize = 64;

/// Checks a parsed file. The template is there if nothing is invalid; a module has none.
///
/// `read` returns the text of a neighbour file: a module of `use`, or the words of a pool.
pub fn check(
    file: &ast::File,
    source: &Source,
    read: Neighbour,
) -> (Option<Template>, Vec<Diagnostic>) {
    let surveyed = survey(file, source, read);
    (surveyed.is_sound.then_some(surveyed.template), surveyed.diagnostics)
}

/// What is known of a file, also of one with errors.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What was understood.
    pub template: Template,
    /// True if the template is one, without an error.
    pub is_sound: bool,
    /// All errors and lints.
    pub diagnostics: Vec<Diagnostic>,
    /// Where names stand and what they mean.
    pub index: Index,
}

/// Checks a parsed file like [`check`], and keeps what was learnt of it for an editor.
pub fn survey(file: &ast::File, source: &Source, read: Neighbour) -> Survey {
    checked(file, source, &mut Library::new(source, read))
}

/// Checks a file that is at the end of the library's trail.
fn checked(file: &ast::File, source: &Source, library: &mut Library) -> Survey {
    let mut checker = Checker::default();
    checker.scope.functions = library.natives.clone();
    function::pools(&mut checker.scope);
    checker.index.vocab();
    checker.scope.later = bound_names(file);
    let mut template = empty(source, file);
    outside(&mut checker, &mut template, file, library);
    params(&mut checker, &mut template, file);
    let mut too_many_levels = None;
    for statement in &file.statements {
        match &statement.kind {
            StatementKind::Draw(bound) if part::drawn(&checker, &bound.value).is_some() => {
                part::draw(&mut checker, &mut template, bound, &statement.docs);
            }
            StatementKind::Draw(binding) | StatementKind::Compute(binding) => {
                let drawn = matches!(statement.kind, StatementKind::Draw(_));
                let bound = self::binding(&mut checker, binding, drawn, &statement.docs);
                template.bindings.push(bound);
            }
            StatementKind::Level { name, .. } if template.levels.len() == LEVELS_MAX => {
                too_many_levels = too_many_levels.or(Some(name.span));
            }
            StatementKind::Level { name, settings } => {
                let level = level(&mut checker, &template, name, settings);
                checker.index.define(name, Named::Level, Type::Unknown, &statement.docs);
                template.levels.push(level);
            }
            _ => {}
        }
    }
    checker.errors.extend(too_many_levels.map(one_level_too_many));
    checker.scope.later.clear();
    template.texts = std::mem::take(&mut checker.texts);
    rules(&mut checker, &mut template, file);
    let is_module = is_module(file);
    if !is_module {
        layout::lay_out(&mut checker, &mut template, file);
    }
    template.locals = std::mem::take(&mut checker.scope.locals);
    roles::infer(&mut template);
    if template.layout.reply.iter().any(|piece| piece.shown().next().is_some()) {
        roles::drop_given_rules(&mut template);
    }
    template.makes_texts = filled::makes_texts(&template);
    if checker.errors.is_empty() {
        checker.errors.extend(readable::unreadable(&template, source));
        checker.errors.extend(roles::lints(&mut template));
        checker.errors.extend(alphabet::lints(&mut template));
        checker.errors.extend(quotient::lints(source));
        checker.errors.extend(literal::lints(source));
    }
    checker.errors.truncate(crate::syntax::ERRORS_MAX);
    fixes::complete(file, source, &mut checker.errors);
    let faulty = checker.errors.iter().any(|error| error.severity == Severity::Error);
    let index = noted(checker.index, checker.scope.functions, &template);
    Survey { is_sound: !faulty && !is_module, template, diagnostics: checker.errors, index }
}

/// The index with what is known only at the end: the roles, and all that can be called.
fn noted(mut index: Index, functions: Functions, template: &Template) -> Index {
    for binding in &template.bindings {
        index.cast(template.locals[binding.local].span, binding.role, binding.shown);
    }
    index.functions = functions;
    index.sort();
    index
}

fn empty(source: &Source, file: &ast::File) -> Template {
    Template {
        name: source.stem().to_string(),
        docs: file.docs.clone(),
        params: Vec::new(),
        levels: Vec::new(),
        pools: vec![Pool { name: "vocab".into(), words: Vec::new() }],
        locals: Vec::new(),
        bindings: Vec::new(),
        texts: BTreeSet::new(),
        makes_texts: false,
        parts: Vec::new(),
        rules: Vec::new(),
        layout: typed::Layout::default(),
    }
}

/// True for a file that others take functions and words from: it has nothing else, and is no
/// template.
pub fn is_module(file: &ast::File) -> bool {
    let mut kinds = file.statements.iter().map(|statement| &statement.kind);
    let offers = |kind| matches!(kind, &StatementKind::Function(_) | &StatementKind::Words { .. });
    let has = kinds.clone().any(offers);
    has && kinds.all(|kind| {
        matches!(
            kind,
            StatementKind::Function(_) | StatementKind::Use { .. } | StatementKind::Words { .. }
        )
    })
}

/// What is right of `~` or `=`, with the error of the other symbol.
fn bound_value(checker: &mut Checker, binding: &ast::Binding, drawn: bool) -> typed::Expr {
    if drawn {
        return checker.sampler(&binding.value);
    }
    if let ast::ExprKind::Call(name, _) = &binding.value.kind {
        let draws = checker.scope.functions.get(&name.text).is_some_and(|known| known.draws);
        if checker.scope.templates.contains_key(&name.text) {
            checker.error(call::drawn_with_equals(binding, &name.text));
            checker.scope.missing.insert(binding.name.text.clone());
            return expr::unknown(binding.value.span);
        }
        if draws || name.text == "repeat" {
            checker.error(call::drawn_with_equals(binding, &name.text));
            let errors = checker.errors.len();
            let value = checker.sampler(&binding.value);
            checker.errors.truncate(errors);
            return value;
        }
    }
    checker.infer(&binding.value)
}

fn binding(checker: &mut Checker, binding: &ast::Binding, drawn: bool, docs: &[String]) -> Binding {
    let mut value = bound_value(checker, binding, drawn);
    if let ast::ExprKind::Call(name, _) = &binding.value.kind
        && checker.scope.missing.contains(&name.text)
    {
        checker.scope.missing.insert(binding.name.text.clone());
    }
    let uses = value.names();
    if value.ty == Type::Shown {
        checker.error(shown_elsewhere(&value));
    }
    // Told once: what shows the name is not wrong as well.
    let ty = if value.ty == Type::Shown { Type::Unknown } else { value.ty.clone() };
    let (local, known) = checker.scope.bind(&binding.name, ty);
    checker.index.define(&binding.name, Named::Inner, value.ty.clone(), docs);
    if let Err(error) = known {
        checker.error(error);
    }
    Binding { local, drawn, value, uses, docs: docs.to_vec(), role: Role::Child, shown: false }
}

/// The statements that bring something in from outside, then functions: they come first.
fn outside(
    checker: &mut Checker,
    template: &mut Template,
    file: &ast::File,
    library: &mut Library,
) {
    for statement in &file.statements {
        match &statement.kind {
            StatementKind::Use { module, names } => {
                let found = library.find(module, Wanted::Module);
                import::take_in(checker, &mut template.pools, module, names, found);
            }
            StatementKind::UseTemplate(name) => {
                let found = library.find(name, Wanted::Template);
                part::take_in(checker, name, found);
            }
            StatementKind::Words { name, path, path_span } => {
                let words = words(checker, path, *path_span, library);
                let meaning = Meaning::Pool(template.pools.len());
                let docs = &statement.docs;
                checker.index.define(name, Named::Pool, Type::Token.list(), docs);
                if let Err(error) = checker.scope.bring(name, meaning, Type::Token.list()) {
                    checker.error(error);
                }
                template.pools.push(Pool { name: name.text.clone(), words });
            }
            _ => {}
        }
    }
    order::define(checker, file);
}

fn params(checker: &mut Checker, template: &mut Template, file: &ast::File) {
    for statement in &file.statements {
        let StatementKind::Param(written) = &statement.kind else { continue };
        let param = param(checker, written, &statement.docs);
        let meaning = Meaning::Param(template.params.len());
        checker.index.define(&written.name, Named::Param, param.kind.clone(), &param.docs);
        if let Err(error) = checker.scope.bring(&written.name, meaning, param.kind.clone()) {
            checker.error(error);
        }
        template.params.push(param);
    }
}

fn words(checker: &mut Checker, path: &str, span: Span, library: &Library) -> Vec<String> {
    let text = match library.beside(path) {
        Ok(text) => text,
        Err(error) => {
            let title = format!("the words of `{path}` cannot be read");
            checker.error(
                Diagnostic::error("E213", title, span, error)
                    .help("write the path of a text file beside this one, a word a line"),
            );
            return Vec::new();
        }
    };
    let mut lines = BTreeMap::new();
    let mut words = Vec::new();
    let text = text.trim_start_matches('\u{feff}');
    for (at, word) in text.lines().map(str::trim).enumerate() {
        let problem = match lines.insert(word, at + 1) {
            _ if word.is_empty() => continue,
            Some(first) => format!("line {}: `{word}` stands in line {first} already", at + 1),
            None if !word.chars().all(is_word_character) => {
                format!("line {}: `{word}` has other characters than letters and digits", at + 1)
            }
            None => {
                words.push(word.to_string());
                continue;
            }
        };
        let title = format!("the words of `{path}` are not a pool");
        checker.error(
            Diagnostic::error("E215", title, span, problem)
                .help("write each word once, a line each, of letters, digits, `-`, `'` and `_`"),
        );
        break;
    }
    if words.is_empty() {
        let title = format!("`{path}` holds no words");
        checker.error(
            Diagnostic::error("E216", title, span, "empty").help("write a word a line into it"),
        );
    }
    words
}

fn param(checker: &mut Checker, param: &ast::Param, docs: &[String]) -> Param {
    let (low, high, default) =
        (checker.infer(&param.low), checker.infer(&param.high), checker.infer(&param.default));
    let (name, span) = (param.name.text.clone(), param.name.span);
    if !param.names.is_empty() {
        let names = param.names.iter().map(|one| match checker.expect(one, &Type::Text).kind {
            typed::ExprKind::Text(text) => text,
            _ => String::new(),
        });
        let (names, kind) = (names.collect(), Type::Text);
        let default = checker.coerce(default, &kind);
        return Param { name, span, docs: docs.to_vec(), kind, names, low, high, default };
    }
    let real = [&low, &high, &default].iter().any(|bound| bound.ty == Type::Real);
    let kind = if real { Type::Real } else { Type::Int };
    let [low, high, default] = [low, high, default].map(|bound| checker.coerce(bound, &kind));
    Param { name, span, docs: docs.to_vec(), kind, names: Vec::new(), low, high, default }
}

fn level(
    checker: &mut Checker,
    template: &Template,
    name: &ast::Name,
    settings: &[(ast::Name, ast::Expr)],
) -> Level {
    if let Some(first) = template.levels.iter().find(|level| level.name == name.text) {
        let title = format!("the level `{}` stands twice", name.text);
        checker.error(
            Diagnostic::error("E217", title, name.span, "again here")
                .and(first.span, "first here")
                .help(format!("give one of them another name, such as `{}_2`", name.text))
                .fix(name.span, format!("{}_2", name.text)),
        );
    }
    let mut typed: Vec<(usize, Span, typed::Expr)> = Vec::new();
    for (param, value) in settings {
        let Some(index) = template.params.iter().position(|known| known.name == param.text) else {
            if !checker.is_full() {
                checker.error(unknown_param(template, &param.text, param.span));
            }
            continue;
        };
        checker.index.uses(param.span, template.params[index].span);
        if let Some((_, first, _)) = typed.iter().find(|(known, _, _)| *known == index) {
            let title = format!("`{}` is set twice in this level", param.text);
            checker.error(
                Diagnostic::error("E218", title, param.span, "again here")
                    .and(*first, "first here")
                    .help("delete one of them"),
            );
        }
        let value = checker.expect(value, &template.params[index].kind);
        typed.push((index, param.span, value));
    }
    Level { name: name.text.clone(), span: name.span, settings: typed }
}

fn one_level_too_many(level: Span) -> Diagnostic {
    let title = format!("a template with more than {LEVELS_MAX} levels");
    Diagnostic::error("E229", title, level, "one level too many")
        .help("delete levels: `--set length=64` sets a parameter without one")
}

/// The error of a parameter that the template does not have.
pub fn unknown_param(template: &Template, name: &str, span: Span) -> Diagnostic {
    let title = format!("the template has no parameter `{name}`");
    let error = Diagnostic::error("E219", title, span, "not a parameter");
    let known = || template.params.iter().map(|param| param.name.as_str());
    match near_miss(name, known()) {
        Some(near) => {
            let is_sure = is_sure_miss(name, near, known());
            error.help(format!("write `{near}`")).fix(span, near).sure_if(is_sure)
        }
        None if template.params.is_empty() => {
            error.help(format!("declare it: `param {name} in 1..8 = 4`"))
        }
        None => {
            let known: Vec<&str> = known().collect();
            error.help(format!("the parameters are: {}", known.join(", ")))
        }
    }
}

fn rules(checker: &mut Checker, template: &mut Template, file: &ast::File) {
    for statement in &file.statements {
        let StatementKind::Rule(rule) = &statement.kind else { continue };
        if let Some(first) = template.rules.iter().find(|known| known.name == rule.name.text) {
            let title = format!("the rule `{}` stands twice", rule.name.text);
            checker.error(
                Diagnostic::error("E220", title, rule.name.span, "again here")
                    .and(first.span, "first here")
                    .help(format!("give one of them another name, such as `{}_2`", rule.name.text))
                    .fix(rule.name.span, format!("{}_2", rule.name.text)),
            );
        }
        checker.index.define(&rule.name, Named::Rule, Type::Unknown, &statement.docs);
        let mut relation = checker.infer(&rule.value);
        if !matches!(relation.ty, Type::Bool | Type::Real | Type::Unknown) {
            let found = expr::article(&relation.ty);
            checker.error(
                Diagnostic::error("E314", "a rule is true or false", relation.span, {
                    format!("this is {found}")
                })
                .help("write a relation such as `answer within document`, or a Real in 0..1"),
            );
        }
        let (name, span, uses) = (rule.name.text.clone(), rule.name.span, relation.names());
        template.rules.push(Rule { name, span, docs: statement.docs.clone(), relation, uses });
    }
}

fn bound_names(file: &ast::File) -> Vec<(String, Span)> {
    let names = file.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Draw(binding) | StatementKind::Compute(binding) => Some(&binding.name),
        StatementKind::Param(param) => Some(&param.name),
        _ => None,
    });
    names.map(|name| (name.text.clone(), name.span)).collect()
}

fn shown_elsewhere(value: &typed::Expr) -> Diagnostic {
    Diagnostic::error("E311", "text to show has no name", value.span, "this only shows")
        .help("write it in the braces of `prompt` or `reply`")
}

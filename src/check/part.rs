//! `part ~ copy_first(length = 10)`: another template, all of it, as a part of this one.

use std::sync::Arc;

use super::expr::Checker;
use super::graft::Graft;
use super::library::Home;
use super::scope::Meaning;
use super::typed::{Binding, Expr, Local, Param, Part, Piece, Rule, Template};
use super::types::Type;
use super::unknown_param;
use crate::diagnostic::{Diagnostic, is_sure_miss, near_miss};
use crate::source::Span;
use crate::syntax::ast;

/// The most expressions that the parts of a template may have together: parts of parts of parts
/// would else double without end.
const EXPRESSIONS_MAX: usize = 1 << 18;

/// The word before the name of a level, where a parameter's name may stand.
const LEVEL: &str = "level";

/// Brings the template of `use template` into scope.
pub fn take_in(checker: &mut Checker, name: &ast::Name, found: Result<Arc<Home>, Diagnostic>) {
    if let Ok(home) = &found {
        checker.index.module(name, &home.source);
        home.template.iter().for_each(|it| checker.index.template(name, &home.source, it));
    }
    let template = found.and_then(|home| home.template.clone().ok_or_else(|| no_template(name)));
    let taken = checker.scope.functions.get(&name.text).map(|known| known.span);
    match template {
        Err(error) => {
            checker.scope.missing.insert(name.text.clone());
            checker.error(error);
        }
        Ok(_) if taken.is_some() || checker.scope.templates.contains_key(&name.text) => {
            let title = format!("the name `{}` is taken", name.text);
            let error = Diagnostic::error("E210", title, name.span, "named again here");
            checker.error(match taken {
                Some(_) => error.help("give the function another name"),
                None => error.help("delete this line: the template can be drawn already"),
            });
        }
        Ok(template) => _ = checker.scope.templates.insert(name.text.clone(), template),
    }
}

/// The template that a binding draws, with what is passed to it.
pub fn drawn<'f>(
    checker: &Checker,
    value: &'f ast::Expr,
) -> Option<(Arc<Template>, &'f ast::Name, &'f [ast::Argument])> {
    let ast::ExprKind::Call(name, arguments) = &value.kind else { return None };
    let template = checker.scope.templates.get(&name.text)?;
    Some((template.clone(), name, arguments))
}

/// Makes a template a part of this one: its parameters, values and rules, each under its name with
/// the part's name before it.
pub fn draw(
    checker: &mut Checker,
    template: &mut Template,
    binding: &ast::Binding,
    docs: &[String],
) {
    let (other, called, arguments) =
        drawn(checker, &binding.value).expect("the caller saw that a template is drawn");
    let (part, span) = (&binding.name, binding.value.span);
    let meaning = Meaning::Part(template.parts.len());
    checker.index.part(part, called, docs);
    if let Err(error) = checker.scope.bring(part, meaning, Type::Unknown) {
        checker.error(error);
    }
    let given = given(checker, called, &other, arguments);
    let prefix = format!("{}.", part.text);
    let mut graft = Graft::new(&other.pools, &prefix, span);
    (graft.locals, graft.params) = (checker.scope.locals.len(), template.params.len());
    let name = |name: &str| ast::Name { text: format!("{prefix}{name}"), span };
    for (index, pool) in other.pools.iter().enumerate().skip(1) {
        let moved = graft.pool(index, &mut template.pools);
        if pool.name.contains(':') {
            continue;
        }
        checker.scope.bring_part(name(&pool.name), Meaning::Pool(moved), Type::Token.list());
    }
    let pools = &mut template.pools;
    for (param, given) in other.params.iter().zip(given) {
        let name = name(&param.name);
        let meaning = Meaning::Param(template.params.len());
        template.params.push(Param {
            name: name.text.clone(),
            span,
            docs: param.docs.clone(),
            kind: param.kind.clone(),
            names: param.names.clone(),
            low: graft.expr(&param.low, pools),
            high: graft.expr(&param.high, pools),
            default: match given {
                Given::Here(value) => value,
                Given::There(value) => graft.expr(&value, pools),
            },
        });
        checker.scope.bring_part(name, meaning, param.kind.clone());
    }
    for (id, local) in other.locals.iter().enumerate() {
        let name = name(&local.name);
        let kind = local.kind.clone();
        checker.scope.locals.push(Local { name: name.text.clone(), span, kind: kind.clone() });
        if other.binding_of(id).is_some() {
            checker.scope.bring_part(name, Meaning::Local(graft.locals + id), kind);
        }
    }
    values_and_rules(template, &other, &mut graft, &prefix);
    let parts = parts(template, &other, &mut graft, binding, docs);
    template.parts.extend(parts);
    checker.texts.extend(other.texts.iter().cloned());
    checker.grafted += graft.moved;
    if checker.grafted > EXPRESSIONS_MAX {
        // What follows is refused before it is moved.
        let templates = std::mem::take(&mut checker.scope.templates);
        checker.scope.missing.extend(templates.into_keys());
        checker.error(too_large(span));
    }
}

fn values_and_rules(template: &mut Template, other: &Template, graft: &mut Graft, prefix: &str) {
    let (first, span) = (graft.locals, graft.span);
    for binding in &other.bindings {
        template.bindings.push(Binding {
            local: first + binding.local,
            value: graft.expr(&binding.value, &mut template.pools),
            uses: binding.uses.iter().map(|id| first + id).collect(),
            ..binding.clone()
        });
    }
    for rule in &other.rules {
        template.rules.push(Rule {
            name: format!("{prefix}{}", rule.name),
            span,
            docs: rule.docs.clone(),
            relation: graft.expr(&rule.relation, &mut template.pools),
            uses: rule.uses.iter().map(|id| first + id).collect(),
        });
    }
}

/// The part and the parts that it has.
fn parts(
    template: &mut Template,
    other: &Template,
    graft: &mut Graft,
    binding: &ast::Binding,
    docs: &[String],
) -> Vec<Part> {
    let mut parts = vec![Part {
        name: binding.name.text.clone(),
        span: binding.name.span,
        docs: docs.to_vec(),
        of: other.name.clone(),
        prompt: graft.pieces(&other.layout.prompt, &mut template.pools),
        reply: graft.pieces(&other.layout.reply, &mut template.pools),
    }];
    for inner in &other.parts {
        parts.push(Part {
            name: format!("{}.{}", binding.name.text, inner.name),
            span: graft.span,
            docs: inner.docs.clone(),
            of: inner.of.clone(),
            prompt: graft.pieces(&inner.prompt, &mut template.pools),
            reply: graft.pieces(&inner.reply, &mut template.pools),
        });
    }
    parts
}

/// What a parameter of a part is when it is not set.
enum Given {
    /// A value of this template.
    Here(Expr),
    /// A value of the other.
    There(Expr),
}

/// What a call sets each parameter to: the argument, else what the level says, else the default.
fn given(
    checker: &mut Checker,
    called: &ast::Name,
    other: &Template,
    arguments: &[ast::Argument],
) -> Vec<Given> {
    let mut given: Vec<Given> =
        other.params.iter().map(|param| Given::There(param.default.clone())).collect();
    let mut seen: Vec<&ast::Name> = Vec::new();
    for argument in arguments {
        let Some(name) = &argument.name else {
            checker.error(without_name(called, other, argument.value.span));
            continue;
        };
        if let Some(first) = seen.iter().find(|first| first.text == name.text) {
            let title = format!("`{}` is set twice for this part", name.text);
            checker.error(
                Diagnostic::error("E218", title, name.span, "again here")
                    .and(first.span, "first here")
                    .help("delete one of them"),
            );
        }
        seen.push(name);
        if name.text == LEVEL {
            level(checker, called, other, &argument.value, &mut given);
            continue;
        }
        match other.params.iter().position(|param| param.name == name.text) {
            Some(at) => {
                checker.index.inside(&called.text, name);
                let value = checker.expect(&argument.value, &other.params[at].kind);
                given[at] = Given::Here(value);
            }
            None => {
                let title = format!("`{}` has no parameter `{}`", called.text, name.text);
                checker.error(Diagnostic { title, ..unknown_param(other, &name.text, name.span) });
            }
        }
    }
    given
}

/// `level hard`: an argument says more than the level, wherever it stands.
fn level(
    checker: &mut Checker,
    called: &ast::Name,
    other: &Template,
    named: &ast::Expr,
    given: &mut [Given],
) {
    let ast::ExprKind::Name(name) = &named.kind else { return };
    let Some(level) = other.levels.iter().find(|level| level.name == *name) else {
        checker.error(no_level(called, other, name, named.span));
        return;
    };
    checker.index.inside(&called.text, &ast::Name { text: name.clone(), span: named.span });
    for (at, _, value) in &level.settings {
        if let Given::There(default) = &mut given[*at] {
            *default = value.clone();
        }
    }
}

/// The pieces of `{part.prompt}` and `{part.reply}`; none for every other placeholder.
pub fn text_of(
    checker: &mut Checker,
    template: &Template,
    placeholder: &ast::Expr,
) -> Option<Vec<Piece>> {
    let ast::ExprKind::Field(owner, name) = &placeholder.kind else { return None };
    let whole = format!("{}.{}", owner.text, name.text);
    let (part, text) = whole.rsplit_once('.')?;
    let part = template.parts.iter().find(|known| known.name == part)?;
    let mut pieces = match text {
        "prompt" => part.prompt.clone(),
        "reply" => part.reply.clone(),
        _ => return None,
    };
    checker.index.field(owner, checker.scope.place(&owner.text), name);
    for piece in &mut pieces {
        if let Piece::Placeholder(shown) = piece {
            shown.value.visit(&mut |expr| expr.span = placeholder.span);
        }
    }
    Some(pieces)
}

impl Checker {
    /// `part.answer`
    pub fn field(&mut self, part: &ast::Name, name: &ast::Name, span: Span) -> Expr {
        let whole = format!("{}.{}", part.text, name.text);
        self.index.field(part, self.scope.place(&part.text), name);
        let owner = self.scope.find(&part.text);
        let told = matches!(owner, Some((Meaning::Local(_), Type::Unknown)));
        let error = match owner.map(|(meaning, _)| meaning) {
            _ if self.scope.find(&whole).is_some() => return self.name(&whole, span),
            _ if told || self.is_full() || self.scope.missing.contains(&part.text) => {
                return super::expr::unknown(span);
            }
            Some(Meaning::Part(_)) if matches!(last(&name.text), "prompt" | "reply") => {
                shown_alone(&whole, span)
            }
            Some(Meaning::Part(_)) => self.not_in_part(part, name),
            Some(_) => self.no_part(part, name, span),
            None => self.scope.unknown_name(&part.text, part.span),
        };
        self.error(error);
        super::expr::unknown(span)
    }

    fn not_in_part(&self, part: &ast::Name, name: &ast::Name) -> Diagnostic {
        let title = format!("the part `{}` has no `{}`", part.text, name.text);
        let error = Diagnostic::error("E225", title, name.span, "not in that part");
        let names = self.scope.names_in(&part.text);
        match near_miss(&name.text, names.iter().copied().chain(["prompt", "reply"])) {
            Some(near) => {
                let is_sure = is_sure_miss(&name.text, near, names.iter().copied());
                error.help(format!("write `{near}`")).fix(name.span, near).sure_if(is_sure)
            }
            None => error.help(format!("it has: {}", names.join(", "))),
        }
    }

    fn no_part(&self, owner: &ast::Name, name: &ast::Name, span: Span) -> Diagnostic {
        let title = format!("`{}` is a value, and has no names inside", owner.text);
        let error = Diagnostic::error("E226", title, span, "only a part has: `part.answer`");
        match self.scope.functions.contains_key(&name.text) {
            true => {
                let call = format!("{}({})", name.text, owner.text);
                error.help(format!("write `{call}`")).fix(span, call).sure()
            }
            false => error.help(format!("write `{}` alone", owner.text)).fix(span, &owner.text),
        }
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn no_template(name: &ast::Name) -> Diagnostic {
    let title = format!("`{}` is no template", name.text);
    Diagnostic::error("E212", title, name.span, "it only holds functions and words")
        .help(format!("write `use {}: …` with the names to take from it", name.text))
}

fn without_name(called: &ast::Name, other: &Template, span: Span) -> Diagnostic {
    let title = format!("`{}` takes its values by name", called.text);
    let error = Diagnostic::error("E227", title, span, "this one has no name");
    match other.params.first() {
        Some(param) => {
            error.help(format!("write the parameter's name before it: `{} = …`", param.name))
        }
        None => error.help(format!("it has no parameter: write `{}()`", called.text)),
    }
}

fn no_level(called: &ast::Name, other: &Template, name: &str, span: Span) -> Diagnostic {
    let title = format!("`{}` has no level `{name}`", called.text);
    let error = Diagnostic::error("E228", title, span, "not a level");
    let known = || other.levels.iter().map(|level| level.name.as_str());
    match near_miss(name, known()) {
        Some(near) => {
            let is_sure = is_sure_miss(name, near, known());
            error.help(format!("write `{near}`")).fix(span, near).sure_if(is_sure)
        }
        None if other.levels.is_empty() => error.help("it has none: leave this out"),
        None => error.help(format!("the levels are: {}", known().collect::<Vec<_>>().join(", "))),
    }
}

fn shown_alone(whole: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E311", "the text of a part is no value", span, "this only shows")
        .help(format!("write `{{{whole}}}` alone in the braces of `prompt` or `reply`"))
}

/// The error of a template that is drawn where no part can be.
pub fn not_here(name: &ast::Name) -> Diagnostic {
    let title = format!("`{}` is a template, and is drawn on a line of its own", name.text);
    Diagnostic::error("E306", title, name.span, "drawn inside something else")
        .help(format!("write `part ~ {}(…)` in the template, then `part.answer`", name.text))
}

fn too_large(span: Span) -> Diagnostic {
    let title = format!("the parts have more than {EXPRESSIONS_MAX} expressions together");
    Diagnostic::error("E505", title, span, "with this part")
        .help("use fewer parts, or parts that have fewer parts themselves")
}

//! A template on the page: parameters and levels, values and their roles, rules, samples, source.

use super::super::{Failure, load};
use super::{Entry, functions, html};
use crate::data::generate::Stopped;
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::{Sampler, Split};
use crate::runtime::Memory;
use crate::source::Span;
use crate::syntax::ast::{self, Statement, StatementKind};
use crate::template::Template;

/// The section of a template.
pub fn section(entry: &Entry, template: &Template) -> Result<String, Failure> {
    let mut out = format!(
        "<section class=\"template\" id=\"{}\">\n<h3 class=\"name\">{}</h3>\n\
         <p class=\"path\"><code>{}</code></p>\n",
        entry.id(),
        html::escaped(entry.short()),
        html::escaped(&entry.name),
    );
    out += &html::docs(&entry.file.docs, "lead");
    out += &samples(template)?;
    out += &parameters(entry, template);
    out += &values(entry, template);
    out += &rules(entry);
    if functions::of(&entry.file).next().is_some() {
        out += "<h4>Functions</h4>\n";
        out += &functions::list(entry);
    }
    let source = html::code(&entry.source.text);
    out += &format!("<details><summary>Source</summary>\n<pre>{source}</pre>\n</details>\n");
    Ok(out + "</section>\n")
}

fn samples(template: &Template) -> Result<String, Failure> {
    let mut out = "<h4>Samples</h4>\n".to_string();
    for (at, level) in load::levels(template).into_iter().enumerate() {
        let sampler = template.level(level).interpreted().compile()?.inner().clone();
        let mut memory = sampler.memory(Split::Train, 0);
        let made = sampler.sample(&mut memory, 0);
        let stopped =
            |error| load::stopped(template, sampler.program(), 0, Stopped::Fault(0, error));
        made.map_err(stopped)?;
        let open = if at == 0 { " open=\"open\"" } else { "" };
        out += &format!(
            "<details class=\"sample\"{open}><summary>{} <small>at most {} words</small>\
             </summary>\n{}</details>\n",
            html::escaped(sampler.level()),
            sampler.program().bounds.words,
            texts(&sampler, &memory)
        );
    }
    Ok(out)
}

/// The texts of a sample, each shown value in its own colour.
fn texts(sampler: &Sampler, memory: &Memory) -> String {
    let program = sampler.program();
    let writer = TextWriter::new(program, sampler.vocabulary().clone(), Escape::None);
    let shown = program.slots.iter().zip(0..).filter(|(slot, _)| slot.shown);
    let shown: Vec<_> = shown.map(|(_, id)| id).collect();
    let system = program.layout.system.is_some().then_some(("system", Part::System));
    let parts = [("prompt", Part::Prompt), ("reply", Part::Reply)];
    let mut out = String::new();
    for (name, part) in system.into_iter().chain(parts) {
        out += &format!("<pre class=\"{name}\"><b>{name}</b>");
        for (slot, text) in writer.pieces(part, memory) {
            let text = html::escaped(&text);
            let place = slot.and_then(|slot| shown.iter().position(|&known| known == slot));
            out += &match place {
                Some(place) => format!("<span class=\"v{}\">{text}</span>", place % COLOURS),
                None => text,
            };
        }
        out += "</pre>\n";
    }
    out
}

/// How many colours the style has.
const COLOURS: usize = 5;

fn parameters(entry: &Entry, template: &Template) -> String {
    let typed = template.typed();
    if typed.params.is_empty() {
        return String::new();
    }
    let slice = |span: Span| format!("<code>{}</code>", html::escaped(entry.source.slice(span)));
    let levels = typed.levels.iter();
    let names: String =
        levels.map(|level| format!("<th>{}</th>", html::escaped(&level.name))).collect();
    let mut out = format!(
        "<h4>Parameters</h4>\n<div class=\"wide\"><table>\n<tr><th>name</th><th>range</th>\
         <th>default</th>{names}<th></th></tr>\n"
    );
    for (at, param) in typed.params.iter().enumerate() {
        let mut cells = slice(param.span);
        cells += &format!("</td><td>{}", slice(param.low.span.to(param.high.span)));
        cells += &format!("</td><td>{}", slice(param.default.span));
        for level in &typed.levels {
            let set = level.settings.iter().find(|(known, _, _)| *known == at);
            let value = set.map(|(_, _, value)| slice(value.span)).unwrap_or_default();
            cells += &format!("</td><td>{value}");
        }
        let about = entry
            .file
            .statements
            .iter()
            .find(|one| is_param(one, param.span))
            .map(|found| about(entry, found));
        let about = about.unwrap_or_default();
        out += &format!("<tr><td>{cells}</td><td class=\"about\">{about}</td></tr>\n");
    }
    out + "</table></div>\n"
}

fn is_param(statement: &Statement, name: Span) -> bool {
    match &statement.kind {
        StatementKind::Param(param) => param.name.span == name,
        _ => false,
    }
}

fn values(entry: &Entry, template: &Template) -> String {
    let mut out = "<h4>Values</h4>\n<div class=\"wide\"><table class=\"values\">\n".to_string();
    for statement in &entry.file.statements {
        let (bound, sign) = match &statement.kind {
            StatementKind::Draw(bound) => (bound, "~"),
            StatementKind::Compute(bound) => (bound, "="),
            _ => continue,
        };
        let typed = template.typed();
        let is_it = |local: usize| typed.locals[local].span == bound.name.span;
        let binding = typed.bindings.iter().find(|binding| is_it(binding.local));
        let Some(binding) = binding else { continue };
        let role: &str = binding.role.into();
        let shown = if binding.shown { "shown" } else { "hidden" };
        out += &format!(
            "<tr><td class=\"bound\"><code><b>{}</b> <em>{sign}</em> {}</code></td>\
             <td><code>{}</code></td><td class=\"tags\"><span class=\"{role}\">{role}</span> \
             <span>{shown}</span></td><td class=\"about\">{}</td></tr>\n",
            html::escaped(&bound.name.text),
            html::escaped(value(entry, statement, bound)),
            html::escaped(&typed.locals[binding.local].kind.to_string()),
            about(entry, statement),
        );
    }
    out + "</table></div>\n"
}

fn rules(entry: &Entry) -> String {
    let mut out = String::new();
    for statement in &entry.file.statements {
        let StatementKind::Rule(bound) = &statement.kind else { continue };
        let about = about(entry, statement);
        out += &format!(
            "<dt>{}</dt><dd><code>{}</code>{}</dd>\n",
            html::escaped(&bound.name.text),
            html::escaped(value(entry, statement, bound)),
            if about.is_empty() { about } else { format!("<br/>{about}") },
        );
    }
    match out.is_empty() {
        true => out,
        false => format!("<h4>Rules</h4>\n<dl>\n{out}</dl>\n"),
    }
}

/// The right side of a statement.
fn value<'a>(entry: &'a Entry, statement: &Statement, bound: &ast::Binding) -> &'a str {
    entry.source.slice(Span::new(bound.symbol.end, statement.span.end)).trim()
}

/// A statement's documentation, or else the comment after it.
fn about(entry: &Entry, statement: &Statement) -> String {
    if !statement.docs.is_empty() {
        return html::inline(&statement.docs.join(" "));
    }
    let rest = &entry.source.text[statement.span.end..];
    let line = rest.lines().next().unwrap_or_default().trim();
    html::inline(line.strip_prefix("//").unwrap_or_default().trim())
}

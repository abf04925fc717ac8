//! Functions on the page: signature, documentation, examples.

use super::{Entry, html};
use crate::syntax::ast::{self, StatementKind};

/// A function with its documentation.
pub struct Documented<'a> {
    statement: &'a ast::Statement,
    function: &'a ast::Function,
}

impl Documented<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.function.name.text
    }
}

/// The functions of a file, those that draw first.
pub fn of(file: &ast::File) -> impl Iterator<Item = Documented<'_>> {
    let all = |draws: bool| {
        file.statements.iter().filter_map(move |statement| match &statement.kind {
            StatementKind::Function(function) if function.draws == draws => {
                Some(Documented { statement, function })
            }
            _ => None,
        })
    };
    all(true).chain(all(false))
}

/// What a link on the page names a function by.
pub fn id(entry: &Entry, function: &Documented) -> String {
    html::id(&format!("{}-{}", entry.name, function.name()))
}

/// The section of a file that holds functions only.
pub fn section(entry: &Entry) -> String {
    let mut out = format!("<section id=\"{}\">\n", entry.id());
    if entry.name != "natives" {
        let name = html::escaped(entry.short());
        out += &format!("<h3 class=\"module\">{name}</h3>\n");
    }
    out += &html::docs(&entry.file.docs, "lead");
    out + &list(entry) + "</section>\n"
}

/// The functions of a file.
pub fn list(entry: &Entry) -> String {
    let mut out = String::new();
    for function in of(&entry.file) {
        let whole = entry.source.slice(function.statement.span);
        let result = function.function.result.span.end - function.statement.span.start;
        out += &format!(
            "<article class=\"function\" id=\"{}\">\n<h4><code>{}</code></h4>\n",
            id(entry, &function),
            html::escaped(&whole[..result])
        );
        if function.function.draws {
            out += "<p class=\"tags\"><span class=\"drawn\">draws</span></p>\n";
        }
        out += &html::docs(&function.statement.docs, "");
        out += "</article>\n";
    }
    out
}

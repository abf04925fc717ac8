//! The examples of a file's functions, and what is reported about them.

use serde_json::{Value, json};

use super::super::console::{self, BAD, GOOD, styled};
use super::super::{Failure, load};
use crate::check;
use crate::data::examples::Examples;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::stdlib;
use crate::syntax;
use crate::template::{self, Beside, Template};

/// Runs the examples of a file and reports those that do not hold; true if all hold. A file with
/// errors has its errors reported by the next step.
pub fn run(source: &Source, as_json: bool) -> Result<bool, Failure> {
    let is_error = |one: &Diagnostic| one.severity == Severity::Error;
    let (_, found) = template::checked(source);
    if found.iter().any(is_error) {
        return match is_module(source) {
            true => Err(load::shown(source, &found)),
            false => Ok(true),
        };
    }
    let examples = template::examples(source);
    if examples.run == 0 && !is_module(source) {
        return Ok(true);
    }
    match as_json {
        true => console::data(&json_line(&examples, source)),
        false => console::print(&text(&examples, source)),
    }?;
    Ok(examples.errors.is_empty())
}

/// True for a file of functions, which has nothing else to test.
pub fn is_module(source: &Source) -> bool {
    check::is_module(&syntax::parse(source).0)
}

/// The modules beside a template that it uses and that have examples; those that are built in were
/// tested before.
pub fn modules(template: &Template) -> Vec<Source> {
    let Some(folder) = template::folder_of(template.source()) else { return Vec::new() };
    let is_module = |one: &&Beside| {
        one.name.ends_with(".cook") && stdlib::neighbour(&one.name) != Some(one.text.as_str())
    };
    let source =
        |one: &Beside| Source::new(folder.join(&one.name).display().to_string(), one.text.as_str());
    let all = template.files().iter().filter(is_module).map(source);
    all.filter(|module| template::examples(module).run > 0).collect()
}

fn text(examples: &Examples, source: &Source) -> String {
    let mut text = String::new();
    for error in &examples.errors {
        text += &format!("{}\n", console::drawn(error, source));
    }
    let (style, word) = match examples.errors.is_empty() {
        true => (GOOD, "passed"),
        false => (BAD, "failed"),
    };
    let count = console::count(examples.run, "example");
    let failed = match examples.errors.len() {
        0 => String::new(),
        failed => format!(", {failed} of them false"),
    };
    text + &format!("{} {}: {count}{failed}\n", styled(style, word), source.stem())
}

fn json_line(examples: &Examples, source: &Source) -> String {
    let finding = |one: &Diagnostic| {
        let (line, column) = source.position(one.span().start);
        json!({
            "code": one.code, "title": one.title, "label": one.labels[0].text, "help": one.help,
            "start": one.span().start, "end": one.span().end, "line": line, "column": column,
        })
    };
    let findings: Vec<Value> = examples.errors.iter().map(finding).collect();
    let failed = examples.errors.len();
    let line = json!({
        "file": &*source.name, "examples": examples.run, "failed": failed, "findings": findings,
    });
    format!("{line}\n")
}

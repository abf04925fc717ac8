//! `cookc check`: every fault and lint of some templates.

use clap::Args;
use serde_json::{Value, json};

use super::load;
use super::options::Format;
use super::{Failure, console};
use crate::check::typed;
use crate::diagnostic::{Diagnostic, Severity, render};
use crate::ir;
use crate::source::{Source, Span};

const HELP: &str = r#"Examples:
  cookc check retrieval.cook
  cookc check *.cook --format json

With --format json, each fault and lint is a line: {"code", "severity": "fault" or "lint", "title",
"file", "labels": [{"start", "end", "line", "column", "end_line", "end_column", "text"}], "help",
"fix": [places, "text" being what to write there instead]}. start and end are bytes from 0, end is one past the
last; lines and columns count from 1, a column is a character. The first label is the place of the
fault. A file that cannot be read is a line too, with code null and no labels."#;

/// Show every fault of templates, at all of their levels
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Check {
    /// .cook files, or std:NAME for templates that are built in
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// The words to make samples of, a file with one a line [default: 4,096 made-up ones]
    #[arg(long, value_name = "FILE")]
    vocab: Option<std::path::PathBuf>,
    /// For people or for tools
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Checks them all, then tells how many faults there are.
pub fn run(command: &Check) -> Result<(), Failure> {
    let vocabulary = load::vocabulary(command.vocab.as_deref())?.own_len();
    let (mut faults, mut lints) = (0, 0);
    for file in &command.files {
        let source = match load::source(file) {
            Ok(source) => source,
            Err(Failure::Input(text)) => {
                faults += 1;
                unreadable(file, &text, command.format)?;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        for diagnostic in diagnostics(&source, vocabulary) {
            match diagnostic.severity {
                Severity::Fault => faults += 1,
                Severity::Lint => lints += 1,
            }
            console::print(&match command.format {
                Format::Text => render(&diagnostic, &source, true) + "\n",
                Format::Json => format!("{}\n", as_json(&diagnostic, &source)),
            })?;
        }
    }
    console::note(&summary(command.files.len(), faults, lints));
    if faults == 0 { Ok(()) } else { Err(Failure::Shown) }
}

/// Everything there is to say about a file, at all levels.
fn diagnostics(source: &Source, vocabulary: usize) -> Vec<Diagnostic> {
    let (template, mut diagnostics) = load::checked(source);
    let Some(template) = template else { return diagnostics };
    let mut seen: Vec<Diagnostic> = Vec::new();
    for level in levels(&template) {
        let choice = ir::Choice { level: level.to_string(), set: Vec::new(), vocabulary };
        let Err(faults) = ir::lower(&template, &choice) else { continue };
        for fault in faults {
            if seen.contains(&fault) {
                continue;
            }
            seen.push(fault.clone());
            diagnostics.push(if level.is_empty() { fault } else { at_level(fault, level) });
        }
    }
    diagnostics
}

fn levels(template: &typed::Template) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(template.levels.iter().map(|level| level.name.as_str()))
}

/// A fault that the defaults do not have names the level that has it.
fn at_level(fault: Diagnostic, level: &str) -> Diagnostic {
    Diagnostic { title: format!("at level `{level}`: {}", fault.title), ..fault }
}

fn unreadable(file: &str, text: &str, format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => console::error(text),
        Format::Json => {
            let line = json!({
                "code": null, "severity": "fault", "title": text, "file": file,
                "labels": [], "help": "", "fix": [],
            });
            console::print(&format!("{line}\n"))?;
        }
    }
    Ok(())
}

/// The diagnostic as one JSON object.
fn as_json(diagnostic: &Diagnostic, source: &Source) -> Value {
    let place = |span: Span, text: &str| {
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.end);
        json!({
            "start": span.start, "end": span.end, "line": line, "column": column,
            "end_line": end_line, "end_column": end_column, "text": text,
        })
    };
    let labels: Vec<Value> =
        diagnostic.labels.iter().map(|label| place(label.span, &label.text)).collect();
    let fix: Vec<Value> = diagnostic.fix.iter().map(|edit| place(edit.span, &edit.text)).collect();
    json!({
        "code": diagnostic.code,
        "severity": match diagnostic.severity {
            Severity::Fault => "fault",
            Severity::Lint => "lint",
        },
        "title": diagnostic.title,
        "file": &*source.name,
        "labels": labels,
        "help": diagnostic.help,
        "fix": fix,
    })
}

fn summary(files: usize, faults: usize, lints: usize) -> String {
    let found = match (faults, lints) {
        (0, 0) => "no faults".to_string(),
        (0, lints) => format!("no faults, {}", console::count(lints, "lint")),
        (faults, 0) => console::count(faults, "fault"),
        (faults, lints) => {
            format!("{}, {}", console::count(faults, "fault"), console::count(lints, "lint"))
        }
    };
    format!("{}: {found}", console::count(files, "file"))
}

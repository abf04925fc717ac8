//! `cookc check --fix`: makes the edits that faults bring with them, until none is left.

use std::path::Path;

use super::diagnostics;
use crate::cli::{Failure, console};
use crate::data::sinks;
use crate::diagnostic::{Diagnostic, Edit, edited};
use crate::source::Source;

/// A fix can uncover another fault. So many in a row have no end.
const ROUNDS_MAX: usize = 64;

/// What is no file cannot be written.
pub fn refuse_no_file(file: &str) -> Result<(), Failure> {
    let what = match file {
        "-" => "standard input is no file",
        file if file.starts_with("std:") => "what is built in cannot be changed",
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!("--fix writes files, and {what}: leave out {file} or --fix")))
}

/// Mends a file as far as a machine can, and says what it did. Gives the text as it is now.
pub fn file(source: Source, vocabulary: usize) -> Result<Source, Failure> {
    let (mended, made) = text(source.clone(), vocabulary);
    if made.is_empty() {
        return Ok(source);
    }
    sinks::write(Path::new(&*source.name), &mended.text)?;
    for one in &made {
        console::note(&format!("{}:{one}", source.name));
    }
    console::note(&format!("{}: mended {}", source.name, console::count(made.len(), "place")));
    Ok(mended)
}

/// The text after all fixes, and a line for each.
fn text(mut source: Source, vocabulary: usize) -> (Source, Vec<String>) {
    let mut made = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let found = diagnostics(&source, vocabulary);
        let chosen = apart(&found);
        if chosen.is_empty() {
            break;
        }
        made.extend(chosen.iter().map(|fault| told(fault, &source)));
        let mut edits: Vec<&Edit> = chosen.iter().flat_map(|fault| &fault.fix).collect();
        edits.sort_by_key(|edit| edit.span);
        source = Source::new(&*source.name, edited(&source.text, edits));
    }
    (source, made)
}

/// The fixes that do not touch one another; the others wait for the next round.
fn apart(found: &[Diagnostic]) -> Vec<&Diagnostic> {
    let touch = |a: &Edit, b: &Edit| a.span.start <= b.span.end && b.span.start <= a.span.end;
    let mut chosen: Vec<&Diagnostic> = Vec::new();
    for fault in found.iter().filter(|fault| !fault.fix.is_empty()) {
        let taken = chosen.iter().flat_map(|other| &other.fix);
        if !taken.into_iter().any(|other| fault.fix.iter().any(|edit| touch(edit, other))) {
            chosen.push(fault);
        }
    }
    chosen
}

fn told(fault: &Diagnostic, source: &Source) -> String {
    let (line, column) = source.position(fault.span().start);
    let help = fault.help.lines().next().unwrap_or_default();
    format!("{line}:{column}: {}: {}: {help}", fault.code, fault.title)
}

//! `cookc check --fix`: applies edits that remove errors and bring no new kind of error; those that
//! may change the meaning only where they are asked for.

use std::collections::BTreeSet;
use std::path::Path;

use super::diagnostics;
use crate::cli::{Failure, console};
use crate::data::output;
use crate::diagnostic::{Diagnostic, Edit, Severity, edited};
use crate::source::Source;
use crate::syntax::ERRORS_MAX;

/// A fix can uncover another error. After this many rounds it is taken to be endless.
const ROUNDS_MAX: usize = 64;

/// The most fixes in a row from one error of a statement to the next, until all are gone.
const CHAIN_MAX: usize = 8;

/// What is no file cannot be written.
pub fn refuse_no_file(file: &str) -> Result<(), Failure> {
    let what = match file {
        "-" => "standard input is no file",
        file if file.starts_with("std:") => "what is built in cannot be changed",
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!("--fix writes files, and {what}: leave out {file} or --fix")))
}

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixes {
    /// Those that say what was meant for certain.
    Sure,
    /// Those that may change the meaning too.
    Offered,
}

/// Fixes a file as far as a machine can, and says what it did. Gives the text as it is now.
pub fn file(source: Source, vocabulary: usize, fixes: Fixes) -> Result<Source, Failure> {
    let find = |source: &Source| diagnostics(source, vocabulary);
    let (fixed, made) = text(source.clone(), fixes, &find);
    if made.is_empty() {
        return Ok(source);
    }
    output::write(Path::new(&*source.name), &fixed.text)?;
    for one in &made {
        console::note(&format!("{}:{one}", source.name));
    }
    console::note(&format!("{}: fixed {}", source.name, console::count(made.len(), "place")));
    Ok(fixed)
}

/// How many of the fixes that are left are offered.
pub fn offered(found: &[Diagnostic]) -> usize {
    found.iter().filter(|one| may_be_made(one, Fixes::Offered) && one.is_offered()).count()
}

/// The message about offered fixes that were not applied.
pub fn left(many: usize) -> Option<String> {
    let text = |fixes: &str, they: &str| {
        format!("{many} more {fixes} with --unsafe-fixes: {they} may change the meaning")
    };
    match many {
        0 => None,
        1 => Some(text("fix", "it")),
        _ => Some(text("fixes", "they")),
    }
}

/// A text and all that is found in it.
#[derive(Clone)]
struct State {
    source: Source,
    found: Vec<Diagnostic>,
}

/// The text after all fixes, and a line for each. `find` returns all errors and lints of a text.
fn text(
    source: Source,
    fixes: Fixes,
    find: &dyn Fn(&Source) -> Vec<Diagnostic>,
) -> (Source, Vec<String>) {
    let found = find(&source);
    let mut state = State { source, found };
    let mut made = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let Some((next, lines)) = round(&state, fixes, find) else { break };
        state = next;
        made.extend(lines);
    }
    (state.source, made)
}

/// One step on: all fixes that do not touch one another, or one of them, or several in a row.
fn round(
    state: &State,
    fixes: Fixes,
    find: &dyn Fn(&Source) -> Vec<Diagnostic>,
) -> Option<(State, Vec<String>)> {
    let all = apart(&state.found, fixes);
    let lines = |errors: &[&Diagnostic], source: &Source| -> Vec<String> {
        errors.iter().map(|error| line(error, source)).collect()
    };
    if all.len() > 1 {
        let next = after(state, &all, find);
        if is_better(state, &next, &all) {
            return Some((next, lines(&all, &state.source)));
        }
    }
    for error in state.found.iter().filter(|error| may_be_made(error, fixes)) {
        let mut next = after(state, &[error], find);
        let mut made = lines(&[error], &state.source);
        for _ in 0..CHAIN_MAX {
            if is_better(state, &next, &[error]) {
                return Some((next, made));
            }
            // What the edit uncovered at the same span may have a fix too.
            let is_new = |one: &&Diagnostic| {
                may_be_made(one, fixes)
                    && !state.found.iter().any(|old| is_same(old, one, &error.fix))
            };
            let Some(uncovered) = next.found.iter().find(is_new).cloned() else { break };
            made.extend(lines(&[&uncovered], &next.source));
            next = after(&next, &[&uncovered], find);
        }
    }
    None
}

fn after(
    state: &State,
    errors: &[&Diagnostic],
    find: &dyn Fn(&Source) -> Vec<Diagnostic>,
) -> State {
    let mut edits: Vec<&Edit> = errors.iter().flat_map(|error| &error.fix).collect();
    edits.sort_by_key(|edit| edit.span);
    let source = Source::new(&*state.source.name, edited(&state.source.text, edits));
    let found = find(&source);
    State { source, found }
}

/// Has each of these fixes removed an error, and brought no kind of error that was not there, and
/// no lint of what it wrote?
fn is_better(before: &State, after: &State, made: &[&Diagnostic]) -> bool {
    let codes = |state: &State| -> BTreeSet<&'static str> {
        errors(state).map(|error| error.code).collect()
    };
    let fixes = made.len();
    if !codes(after).is_subset(&codes(before)) || is_warned_of(before, after, made) {
        return false;
    }
    let (many, left) = (errors(before).count(), errors(after).count());
    match many >= ERRORS_MAX {
        false => left + fixes <= many,
        // Not all errors are reported: what counts is that the first ones are gone.
        true => {
            let last = |state: &State| errors(state).map(|error| error.span().start).max();
            left < many || last(after) > last(before)
        }
    }
}

/// Does a lint of a new kind begin in what the edits wrote?
fn is_warned_of(before: &State, after: &State, made: &[&Diagnostic]) -> bool {
    let mut edits: Vec<&Edit> = made.iter().flat_map(|error| &error.fix).collect();
    edits.sort_by_key(|edit| edit.span);
    let mut shift = 0isize;
    let mut written = Vec::new();
    for edit in edits {
        let start = edit.span.start.saturating_add_signed(shift);
        written.push(start..start + edit.text.len());
        shift += edit.text.len() as isize - (edit.span.end - edit.span.start) as isize;
    }
    let is_new = |one: &&Diagnostic| !before.found.iter().any(|old| old.code == one.code);
    let lints = after.found.iter().filter(|one| one.severity == Severity::Warning).filter(is_new);
    lints.map(|one| one.span().start).any(|at| written.iter().any(|range| range.contains(&at)))
}

fn errors(state: &State) -> impl Iterator<Item = &Diagnostic> {
    state.found.iter().filter(|one| one.severity == Severity::Error)
}

fn may_be_made(error: &Diagnostic, fixes: Fixes) -> bool {
    let is_wanted = error.is_sure || fixes == Fixes::Offered;
    !error.fix.is_empty() && is_wanted && error.severity == Severity::Error
}

/// Is it the error that was there before these edits?
fn is_same(old: &Diagnostic, new: &Diagnostic, edits: &[Edit]) -> bool {
    let place = old.span().start;
    let before = edits.iter().filter(|edit| edit.span.end <= place);
    let shift: isize = before
        .map(|edit| edit.text.len() as isize - (edit.span.end - edit.span.start) as isize)
        .sum();
    (old.code, &old.title) == (new.code, &new.title)
        && place.saturating_add_signed(shift) == new.span().start
}

/// The fixes that do not touch one another; the others wait for the next round.
fn apart(found: &[Diagnostic], fixes: Fixes) -> Vec<&Diagnostic> {
    let touch = |a: &Edit, b: &Edit| a.span.start <= b.span.end && b.span.start <= a.span.end;
    let mut chosen: Vec<&Diagnostic> = Vec::new();
    for error in found.iter().filter(|error| may_be_made(error, fixes)) {
        let taken = chosen.iter().flat_map(|other| &other.fix);
        if !taken.into_iter().any(|other| error.fix.iter().any(|edit| touch(edit, other))) {
            chosen.push(error);
        }
    }
    chosen
}

fn line(error: &Diagnostic, source: &Source) -> String {
    let (line, column) = source.position(error.span().start);
    let help = error.help.lines().next().unwrap_or_default();
    format!("{line}:{column}: {}: {}: {help}", error.code, error.title)
}

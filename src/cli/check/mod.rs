//! `cookc check`: every error and lint of some templates.

mod fix;
mod json;
mod sarif;

use clap::{Args, ValueEnum};

use self::fix::Fixes;
use super::{Failure, console, load, test};
use crate::check::typed::Template;
use crate::data::preview;
use crate::data::vocab::Vocabulary;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::syntax::allow;
use crate::template;

const HELP: &str = r#"Examples:
  cookc check retrieval.cook
  cookc check retrieval.cook --fix            applies the edits that certainly keep the meaning
  cookc check retrieval.cook --fix --unsafe-fixes
  cookc check *.cook --format json
  cookc check *.cook --format sarif > cookc.sarif
  cookc check - --stdin-name draft.cook < draft.cook
  cookc check retrieval.cook --audit

`cookc explain CODE` tells more about an error. With --audit, what `cookc test` finds in 200 samples
of each level is reported too, as lints.

--fix makes an edit only if it says what was meant for certain, and if the file then has fewer
errors and no new kind of error. The other edits are offered: --unsafe-fixes makes them too, under
the same condition. Read what they wrote: division, ends of ranges, negative numbers and the like
differ from language to language.

With --format json, each error and lint is a line: {"code", "level": "error" or "warning",
"severity" (an older name, "fault" or "lint"), "title", "file", "labels": [{"start", "end", "line",
"column", "end_line", "end_column", "text"}], "help", "fix": [spans like labels, "text" being what
to write there], "offered": true or false}. start and end are bytes from 0, end is one past the
last; lines and columns count from 1, a column is a character. The first label is the place of the
error. The edits of a fix are applied together; without one, "fix" is empty. "offered" is true if
they may not be what was meant: --fix leaves them to you, or to --unsafe-fixes.
A file that cannot be read is a line too, with code null and no labels.

With --format sarif, all of them are one SARIF 2.1.0 log, with a rule for each code
and with the fixes."#;

/// Show every error of templates, at all of their levels
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Check {
    /// .cook files, or std:NAME for templates that are built in; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Make the edits that remove errors and keep the meaning, then show what is left
    #[arg(long)]
    fix: bool,
    /// With --fix, also apply the edits that may change the meaning
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
    /// Audit a few samples of each level too
    #[arg(long)]
    audit: bool,
    /// The words to draw samples from, a file with one a line [default: 4,096 invented ones]
    #[arg(long, value_name = "FILE")]
    vocab: Option<std::path::PathBuf>,
    /// The name that standard input is shown by, and whose folder its neighbours are read from
    #[arg(long, value_name = "FILE", default_value = "standard input")]
    stdin_name: String,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Output,
}

/// Human-readable, JSON, or SARIF for code hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Human-readable
    Text,
    /// For tools: an error a line
    Json,
    /// For code hosts: a SARIF 2.1.0 log
    Sarif,
}

/// What was found in a file, or why it cannot be read.
struct Checked {
    file: String,
    found: Result<(Source, Vec<Diagnostic>), String>,
}

/// Checks them all, then reports how many errors there are.
pub fn run(command: &Check) -> Result<(), Failure> {
    let words = load::vocabulary(command.vocab.as_deref())?;
    if command.fix {
        command.files.iter().try_for_each(|file| fix::refuse_no_file(file))?;
    }
    let mut all = Vec::new();
    for file in &command.files {
        let checked = check(command, file, &words)?;
        match command.format {
            Output::Text => as_text(&checked)?,
            Output::Json => console::data(&json::lines(&checked))?,
            Output::Sarif => {}
        }
        all.push(checked);
    }
    if command.format == Output::Sarif {
        console::data(&format!("{:#}\n", sarif::log(&all)))?;
    }
    let (errors, lints) = (count(&all, Severity::Error), count(&all, Severity::Warning));
    console::note(&summary(command.files.len(), errors, lints));
    if command.fix && !command.unsafe_fixes {
        let found = all.iter().filter_map(|one| one.found.as_ref().ok());
        let offered = found.map(|(_, found)| fix::offered(found)).sum();
        fix::left(offered).iter().for_each(|text| console::note(text));
    }
    if command.format == Output::Text {
        let first = all.iter().filter_map(|one| one.found.as_ref().ok()?.1.first()).next();
        first.iter().for_each(|first| console::explain_once(first.code));
    }
    if errors == 0 { Ok(()) } else { Err(Failure::Shown) }
}

fn check(command: &Check, file: &str, words: &Vocabulary) -> Result<Checked, Failure> {
    let vocabulary = words.own_len();
    let source = match file {
        "-" => load::stdin(&command.stdin_name),
        file => template::source_of(file).map_err(Failure::from),
    };
    let found = match source {
        Ok(source) => {
            let fixes = if command.unsafe_fixes { Fixes::Offered } else { Fixes::Sure };
            let source = match command.fix {
                true => fix::file(source, vocabulary, fixes)?,
                false => source,
            };
            let (template, mut found) = examined(&source, vocabulary);
            if !found.iter().any(|one| one.severity == Severity::Error) {
                found
                    .extend(template.iter().flat_map(|one| preview::warnings(one, &source, words)));
            }
            let mut found = allow::checked(&source, found);
            if command.audit && !found.iter().any(|one| one.severity == Severity::Error) {
                found.extend(test::lints(&source, command.vocab.clone())?);
            }
            Ok((source, found))
        }
        Err(Failure::Input(text)) => Err(text),
        Err(failure) => return Err(failure),
    };
    Ok(Checked { file: file.to_string(), found })
}

/// Everything that is wrong with a file, at all levels.
fn diagnostics(source: &Source, vocabulary: usize) -> Vec<Diagnostic> {
    examined(source, vocabulary).1
}

/// The template of a file, and everything that is wrong with it at all levels.
fn examined(source: &Source, vocabulary: usize) -> (Option<Template>, Vec<Diagnostic>) {
    let (template, mut diagnostics) = template::checked(source);
    if let Some(template) = &template {
        diagnostics.extend(preview::levels(template, vocabulary).errors);
    }
    (template, diagnostics)
}

fn as_text(checked: &Checked) -> Result<(), Failure> {
    match &checked.found {
        Ok((source, diagnostics)) => diagnostics
            .iter()
            .try_for_each(|one| console::print(&format!("{}\n", console::drawn(one, source)))),
        Err(text) => {
            console::error(text);
            Ok(())
        }
    }
}

/// How many errors or lints; a file that cannot be read is an error.
fn count(all: &[Checked], severity: Severity) -> usize {
    let of = |checked: &Checked| match &checked.found {
        Ok((_, found)) => found.iter().filter(|one| one.severity == severity).count(),
        Err(_) => usize::from(severity == Severity::Error),
    };
    all.iter().map(of).sum()
}

fn summary(files: usize, errors: usize, lints: usize) -> String {
    let found = match (errors, lints) {
        (0, 0) => "no errors".to_string(),
        (0, lints) => format!("no errors, {}", console::count(lints, "lint")),
        (errors, 0) => console::count(errors, "error"),
        (errors, lints) => {
            format!("{}, {}", console::count(errors, "error"), console::count(lints, "lint"))
        }
    };
    format!("{}: {found}", console::count(files, "file"))
}

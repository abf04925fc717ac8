//! What is written for people: text to standard output, messages to standard error.

use std::io::{self, Write};
use std::sync::Once;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};

use super::Failure;

/// Of headings and names.
pub const STRONG: Style = Style::new().bold();
/// Of what matters less.
pub const FAINT: Style = Style::new().dimmed();
/// Of what is as it must be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Of what is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// Writes to standard output; colours are left out where it is no terminal.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
        .map_err(Failure::from)
}

/// Writes a line to standard error, in one piece: other processes may write there too.
pub fn note(text: &str) {
    let colours = AutoStream::choice(&io::stderr());
    let mut line = AutoStream::new(Vec::new(), colours);
    // If nobody can read it, nobody can be told either.
    let _ = writeln!(line, "{text}").and_then(|()| io::stderr().write_all(&line.into_inner()));
}

/// Writes an error's line.
pub fn error(text: &str) {
    note(&format!("{BAD}error{BAD:#}: {text}"));
}

/// Says where more is told about a code: once a run, for the first fault that is shown.
pub fn explain_once(code: &str) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| note(&styled(FAINT, format!("`cookc explain {code}` tells more"))));
}

/// The text in a style.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Narrower than any terminal that a person reads: mpirun gives its processes one of no width.
const WIDTH_MIN: u16 = 20;

/// A table without lines, as wide as the terminal.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    if table.width().is_some_and(|width| width < WIDTH_MIN) {
        table.force_no_tty();
    }
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// `1 sample`, `2 samples`
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

//! What is written for people: text to standard output, messages to standard error.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, Write};
use std::sync::{Once, OnceLock};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};

use super::failure::Failure;
use crate::diagnostic::{self, Diagnostic};
use crate::source::{Source, push_visible};

/// Of headings and names.
pub const STRONG: Style = Style::new().bold();
/// Of what matters less.
pub const FAINT: Style = Style::new().dimmed();
/// Of what is as it must be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Of what is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// Writes to standard output for a person: nothing but our own colours steers the terminal, and
/// those are left out where it is no terminal.
pub fn print(text: &str) -> Result<(), Failure> {
    put(&mut anstream::stdout().lock(), &shown(text))
}

/// Writes to standard output for a program: every byte as it is.
pub fn data(text: &str) -> Result<(), Failure> {
    put(&mut io::stdout().lock(), text)
}

fn put(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
        .map_err(Failure::from)
}

/// Writes a line to standard error for a person, in one piece: other processes may write there too.
pub fn note(text: &str) {
    let colours = AutoStream::choice(&io::stderr());
    let mut line = AutoStream::new(Vec::new(), colours);
    // If nobody can read it, nobody can be told either.
    let _ =
        writeln!(line, "{}", shown(text)).and_then(|()| io::stderr().write_all(&line.into_inner()));
}

/// Writes an error's line.
pub fn error(text: &str) {
    note(&format!("{}: {text}", styled(BAD, "error")));
}

/// A diagnostic as a person sees it, in colours.
pub fn drawn(diagnostic: &Diagnostic, source: &Source) -> String {
    // Its texts have no escape sequence: all that are in it are of colours.
    own(&diagnostic::render(diagnostic, source, true))
}

/// Writes diagnostics to standard error, and where more is said about the first one's code.
pub fn diagnostics(source: &Source, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        note(drawn(diagnostic, source).trim_end_matches('\n'));
    }
    if let Some(first) = diagnostics.first() {
        explain_once(first.code);
    }
}

/// How every escape sequence begins.
const ESCAPE: &str = "\u{1b}[";

/// A text whose escape sequences are our own: those of colours reach the terminal.
pub fn own(text: &str) -> String {
    text.replace(ESCAPE, mark().encode_utf8(&mut [0; 4]))
}

/// Stands for [`ESCAPE`] in a text of ours until it is written. It is another character in each
/// process, of those that have no meaning of their own, so that no file can hold it.
fn mark() -> char {
    const FIRST: u32 = 0xf_0000;
    const COUNT: u64 = 0xfffe;
    static MARK: OnceLock<char> = OnceLock::new();
    *MARK.get_or_init(|| {
        let chance = RandomState::new().hash_one("mark") % COUNT;
        char::from_u32(FIRST + chance as u32).expect("a plane of characters for private use")
    })
}

/// A text as a person may see it: what a stranger wrote to steer the terminal is written out, and
/// our own colours are colours.
fn shown(text: &str) -> String {
    let mark = mark();
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        if character == mark
            && let Some(end) = after.find(|one: char| !(one.is_ascii_digit() || one == ';'))
            && after[end..].starts_with('m')
        {
            shown.push_str(ESCAPE);
            shown.push_str(&after[..=end]);
            rest = &after[end + 1..];
            continue;
        }
        if !(character == '\r' && after.starts_with('\n')) {
            push_visible(character, &mut shown);
        }
        rest = after;
    }
    shown
}

/// Says where more is reported about a code: once a run, for the first error that is shown.
pub fn explain_once(code: &str) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| note(&styled(FAINT, format!("`cookc explain {code}` tells more"))));
}

/// The text in a style.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{}{text}{}", own(&format!("{style}")), own(&format!("{style:#}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_colours_reach_the_terminal() {
        let bad = styled(BAD, "bad\u{1b}[0m");
        let text = format!("{bad} \u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J a\rb\r\n");
        let wanted = "\u{1b}[1m\u{1b}[31mbad\\u{1b}[0m\u{1b}[0m \\u{1b}[31m\\u{1b}]0;x\\u{7}";
        assert_eq!(shown(&text), format!("{wanted}\\u{{9b}}2J a\\u{{d}}b\n"));
    }

    #[test]
    fn a_sequence_that_is_no_colour_is_none_of_ours() {
        assert_eq!(shown(&own("\u{1b}[1mx\u{1b}[2J")).matches(ESCAPE).count(), 1);
    }
}

//! `cookc explain`: what a code means, with a wrong example and a right one.

use clap::Args;
use serde_json::json;

use super::console::{STRONG, styled};
use super::options::Format;
use super::{Failure, console};
use crate::codes::{self, Page};

const HELP: &str = r#"Examples:
  cookc explain E201
  cookc explain                     lists all codes

With --format json: {"code", "about", "page"}, the page as Markdown; without a code, one a line."#;

/// Explain the code of an error or lint
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Explain {
    /// Such as E201; without it all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Shows one page, or the titles of all.
pub fn run(command: &Explain) -> Result<(), Failure> {
    let pages = match &command.code {
        Some(code) => vec![codes::page(code.trim()).ok_or_else(|| unknown(code.trim()))?],
        None => codes::all(),
    };
    let json = |page| format!("{}\n", as_json(page));
    match (command.format, &command.code) {
        (Format::Json, _) => console::data(&pages.iter().map(json).collect::<String>()),
        (Format::Text, Some(_)) => console::print(&pages.iter().map(shown).collect::<String>()),
        (Format::Text, None) => console::print(&listed(&pages)),
    }
}

fn as_json(page: &Page) -> serde_json::Value {
    json!({"code": page.code, "about": page.title, "page": page.text})
}

/// Markdown as a terminal shows it: headings strong, examples indented, no fences.
fn shown(page: &Page) -> String {
    let mut text = format!("{}\n\n", styled(STRONG, format!("{}: {}", page.code, page.title)));
    let mut in_example = false;
    for line in page.text.lines() {
        if line.starts_with("```") {
            in_example = !in_example;
            continue;
        }
        text += &match (in_example, line.strip_prefix("## ")) {
            (true, _) if line.is_empty() => "\n".to_string(),
            (true, _) => format!("    {line}\n"),
            (false, Some(heading)) => format!("{}\n", styled(STRONG, heading)),
            (false, None) => format!("{line}\n"),
        };
    }
    text
}

fn listed(pages: &[Page]) -> String {
    let mut table = console::table(&["code", "about"]);
    for page in pages {
        table.add_row([page.code, page.title]);
    }
    format!("{table}\n")
}

/// A code is short: two wrong letters of four are still a near miss.
fn unknown(code: &str) -> Failure {
    let distance = |page: &Page| strsim::damerau_levenshtein(&code.to_uppercase(), page.code);
    let near = codes::all().into_iter().min_by_key(distance).filter(|page| distance(page) <= 2);
    let hint = match near {
        Some(near) => format!("did you mean {}, {}?", near.code, near.title),
        None => "`cookc explain` lists all codes".to_string(),
    };
    Failure::Input(format!("there is no code {code}: {hint}"))
}

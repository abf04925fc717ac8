//! `cookc list`: the templates that are built in.

use clap::Args;
use serde_json::{Value, json};

use super::options::Format;
use super::{Failure, console};
use crate::check::typed::Param;
use crate::codes::{self, Page};
use crate::stdlib;
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc list
  cookc list --format json | jq '.templates[].name'

With --format json: {"templates": [{"name", "about", "docs", "levels": [name],
"params": [{"name", "about"}], "rules": [name]}], "codes": [{"code", "about"}]}."#;

/// List the templates that are built in
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct List {
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Lists them.
pub fn run(command: &List) -> Result<(), Failure> {
    let names = stdlib::TEMPLATES.iter().map(|(name, _)| format!("std:{name}"));
    let templates: Result<Vec<(String, Template)>, Failure> =
        names.map(|name| Ok((name.clone(), Template::named(&name)?))).collect();
    let templates = templates?;
    match command.format {
        Format::Text => console::print(&text(&templates)),
        Format::Json => {
            let templates: Vec<Value> = templates.iter().map(as_json).collect();
            let code = |page: Page| json!({"code": page.code, "about": page.title});
            let codes: Vec<Value> = codes::all().into_iter().map(code).collect();
            console::data(&format!("{}\n", json!({"templates": templates, "codes": codes})))
        }
    }
}

/// A line a template: a name and a sentence fit 80 columns, and the levels go to tools.
fn text(templates: &[(String, Template)]) -> String {
    let mut table = console::table(&["template", "about"]);
    for (name, template) in templates {
        table.add_row([name.clone(), about(&template.typed().docs)]);
    }
    format!("{table}\n\n`cookc sample std:NAME` shows samples of one\n")
}

fn as_json((name, template): &(String, Template)) -> Value {
    let typed = template.typed();
    let param = |param: &Param| json!({"name": param.name, "about": about(&param.docs)});
    json!({
        "name": name,
        "about": about(&typed.docs),
        "docs": typed.docs.join("\n"),
        "levels": typed.levels.iter().map(|level| &level.name).collect::<Vec<_>>(),
        "params": typed.params.iter().map(param).collect::<Vec<_>>(),
        "rules": typed.rules.iter().map(|rule| &rule.name).collect::<Vec<_>>(),
    })
}

/// The first paragraph of a documentation.
fn about(docs: &[String]) -> String {
    let lines: Vec<&str> =
        docs.iter().map(|line| line.trim()).take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

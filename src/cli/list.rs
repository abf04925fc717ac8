//! `cookc list`: what is built in.

use clap::Args;
use serde_json::{Value, json};

use super::load::Template;
use super::options::Format;
use super::{Failure, codes, console};
use crate::check::typed::Param;
use crate::stdlib;

const HELP: &str = r#"Examples:
  cookc list
  cookc list --format json | jq '.templates[].name'

With --format json: {"templates": [{"name", "about", "levels": [name],
"params": [{"name", "about"}], "rules": [name]}], "codes": [{"code", "about"}]}."#;

/// List the templates that are built in, and the codes of faults
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct List {
    /// For people or for tools
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Lists them.
pub fn run(command: &List) -> Result<(), Failure> {
    let names = stdlib::TEMPLATES.iter().map(|(name, _)| format!("std:{name}"));
    let templates: Result<Vec<(String, Template)>, Failure> =
        names.map(|name| Template::read(&name).map(|template| (name, template))).collect();
    let templates = templates?;
    console::print(&match command.format {
        Format::Text => text(&templates),
        Format::Json => {
            let templates: Vec<Value> = templates.iter().map(as_json).collect();
            let code = |(code, about)| json!({"code": code, "about": about});
            let codes: Vec<Value> = codes::all().into_iter().map(code).collect();
            format!("{}\n", json!({"templates": templates, "codes": codes}))
        }
    })
}

fn text(templates: &[(String, Template)]) -> String {
    let mut table = console::table(&["template", "about", "levels"]);
    for (name, template) in templates {
        let levels: Vec<&str> =
            template.typed.levels.iter().map(|level| level.name.as_str()).collect();
        table.add_row([name.clone(), about(&template.typed.docs), levels.join(", ")]);
    }
    let mut codes = console::table(&["code", "about"]);
    for (code, about) in codes::all() {
        codes.add_row([code, about]);
    }
    format!("{table}\n\n{codes}\n")
}

fn as_json((name, template): &(String, Template)) -> Value {
    let typed = &template.typed;
    let param = |param: &Param| json!({"name": param.name, "about": about(&param.docs)});
    json!({
        "name": name,
        "about": about(&typed.docs),
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

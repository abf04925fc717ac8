//! `cookc doc`: one page that documents templates and functions, with a real sample at each level.

mod functions;
mod html;
mod template;

use std::path::PathBuf;

use clap::Args;

use super::load;
use super::{Failure, console};
use crate::data::output;
use crate::diagnostic::Severity;
use crate::source::Source;
use crate::stdlib;
use crate::syntax::{self, ast};
use crate::template::{Template, checked, source_of};

const HELP: &str = r#"Examples:
  cookc doc                              what is built in, as cookc.html
  cookc doc my.cook -o my.html           your template, and what is built in
  cookc doc *.cook --only -o mine.html   yours only

The page needs nothing from outside: no script, no font, no picture."#;

/// Write a page that documents templates and functions
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Doc {
    /// .cook files of yours
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// Leave out what is built in
    #[arg(long, requires = "files")]
    only: bool,
    /// The page
    #[arg(short = 'o', long, value_name = "FILE", default_value = "cookc.html")]
    out: PathBuf,
}

/// What one file holds.
struct Entry {
    /// As a command names it.
    name: String,
    source: Source,
    file: ast::File,
    /// None for a file of functions.
    template: Option<Template>,
}

/// Files that stand together on the page.
struct Group {
    title: &'static str,
    entries: Vec<Entry>,
}

/// Writes the page.
pub fn run(command: &Doc) -> Result<(), Failure> {
    let mut groups = Vec::new();
    if !command.files.is_empty() {
        let entries: Result<Vec<Entry>, Failure> =
            command.files.iter().map(|file| entry(file.clone(), source_of(file)?)).collect();
        groups.push(Group { title: "Your files", entries: entries? });
    }
    if !command.only {
        groups.extend(built_in()?);
    }
    let page = page(&groups)?;
    output::write(&command.out, &page)?;
    let all = || groups.iter().flat_map(|group| &group.entries);
    let templates = all().filter(|entry| entry.template.is_some()).count();
    let functions = all().map(|entry| functions::of(&entry.file).count()).sum();
    console::print(&format!(
        "wrote {}: {}, {}\n",
        command.out.display(),
        console::count(templates, "template"),
        console::count(functions, "function")
    ))
}

fn built_in() -> Result<Vec<Group>, Failure> {
    let named = |(name, _): &(&str, &str)| format!("std:{name}");
    let templates = stdlib::TEMPLATES.iter().map(named);
    let templates: Result<Vec<Entry>, Failure> =
        templates.map(|name| entry(name.clone(), source_of(&name)?)).collect();
    let natives = entry("natives".to_string(), Source::new("natives", stdlib::BUILTIN))?;
    let modules = stdlib::MODULES.iter();
    let modules: Result<Vec<Entry>, Failure> =
        modules.map(|(name, text)| entry(name.to_string(), Source::new(*name, *text))).collect();
    Ok(vec![
        Group { title: "Templates", entries: templates? },
        Group { title: "Functions, known without use", entries: vec![natives] },
        Group { title: "Modules", entries: modules? },
    ])
}

/// Reads a file; its errors are shown.
fn entry(name: String, source: Source) -> Result<Entry, Failure> {
    let (file, _) = syntax::parse(&source);
    // The natives have no bodies, which is an error anywhere else.
    if *source.text == *stdlib::BUILTIN {
        return Ok(Entry { name, source, file, template: None });
    }
    let (typed, found) = checked(&source);
    if found.iter().any(|one| one.severity == Severity::Error) {
        return Err(load::shown(&source, &found));
    }
    let of = |typed| Template::of(source.clone(), (Some(typed), found));
    let template = typed.map(of).transpose()?;
    Ok(Entry { name, source, file, template })
}

fn page(groups: &[Group]) -> Result<String, Failure> {
    let title = "Templates and functions";
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title} · cookc</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1>\n<p class=\"lead\">Made by <code>cookc doc</code>, version {}. \
         Every sample on this page was made by its template: seed 0, sample 0.</p></header>\n\
         {}<main>\n",
        env!("CARGO_PKG_VERSION"),
        contents(groups),
    );
    for group in groups {
        page += &format!("<h2 class=\"group\">{}</h2>\n", html::escaped(group.title));
        for entry in &group.entries {
            page += &match &entry.template {
                Some(template) => template::section(entry, template)?,
                None => functions::section(entry),
            };
        }
    }
    page += "</main>\n</body>\n</html>\n";
    Ok(page)
}

fn contents(groups: &[Group]) -> String {
    let mut nav = "<nav aria-label=\"Contents\">\n".to_string();
    for group in groups {
        nav += &format!("<h2>{}</h2>\n<ul>\n", html::escaped(group.title));
        for entry in &group.entries {
            let mut item = |name: &str, id: &str| {
                nav += &format!("<li><a href=\"#{id}\">{}</a></li>\n", html::escaped(name));
            };
            // The functions of a template stand with it.
            if entry.template.is_some() {
                item(entry.short(), &entry.id());
                continue;
            }
            for function in functions::of(&entry.file) {
                item(function.name(), &functions::id(entry, &function));
            }
        }
        nav += "</ul>\n";
    }
    nav + "</nav>\n"
}

impl Entry {
    /// Its name without folder and ending.
    fn short(&self) -> &str {
        let name = self.name.rsplit(['/', ':']).next().unwrap_or(&self.name);
        name.strip_suffix(".cook").unwrap_or(name)
    }

    /// What a link on the page names it by.
    fn id(&self) -> String {
        html::id(&self.name)
    }
}

/// Two palettes of one shape: the reader's system chooses.
const STYLE: &str = include_str!("style.css");

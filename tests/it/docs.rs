//! What the documentation shows is what the program does: commands, templates, examples of natives.

use std::path::Path;

use cookc::check;
use cookc::data::judge::Judge;
use cookc::data::{Compile, Split};
use cookc::source::Source;
use cookc::stdlib;
use cookc::syntax::{self, ast};

use crate::book::pages;
use crate::support::{program, template, vocabulary};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("the page is there")
}

/// The fenced blocks of a language that have no error and stand alone.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fenced = text.split("```").skip(1).step_by(2);
    let of_language = fenced.filter_map(|block| {
        let (info, text) = block.split_once('\n').expect("a block has lines");
        let mut words = info.split(' ');
        // What is written into a file is checked with the files beside it, in `book.rs`.
        let is_alone = !info.contains(" error=") && !info.contains(" file=");
        (words.next() == Some(language) && is_alone).then(|| text.to_string())
    });
    of_language.collect()
}

#[test]
fn templates_of_the_docs_have_no_error() {
    for name in pages() {
        for block in blocks(&page(&name), "cook") {
            let source = Source::new(&*name, whole(&block));
            template(&source).unwrap_or_else(|errors| panic!("{errors}"));
        }
    }
}

#[test]
fn wrong_templates_of_the_docs_have_the_fault_that_is_named() {
    for name in pages() {
        let text = page(&name);
        for wrong in text.split("```cook error=").skip(1) {
            let (info, rest) = wrong.split_once('\n').expect("a code stands on the line");
            let code = info.split(' ').next().unwrap_or_default();
            let block = rest.split("```").next().unwrap_or_default();
            let source = Source::new(&*name, whole(block));
            let errors = template(&source).err().unwrap_or_default();
            assert!(errors.contains(code), "{name}: {code} in {block}: {errors}");
        }
    }
}

/// A part of a template with a prompt and a reply, so that it is a whole one.
fn whole(block: &str) -> String {
    match block.contains("prompt \"") {
        true => block.to_string(),
        false => {
            format!("{block}\nrest_ ~ pick(vocab)\nprompt \"{{rest_}}\"\nreply \"{{rest_}}\"\n")
        }
    }
}

#[test]
fn the_template_of_the_readme_is_the_one_of_the_examples() {
    let shown = Source::new("retrieval.cook", blocks(&page("README.md"), "cook").remove(0));
    let text = page("examples/retrieval.cook");
    let shipped = Source::new("retrieval.cook", text);
    let (a, b) = (program(&shown, ""), program(&shipped, ""));
    let (a, b) = (a.expect("no error"), b.expect("no error"));
    assert_eq!(a.steps.len(), b.steps.len());
    assert_eq!(a.layout, b.layout);
    assert_eq!(a.slots, b.slots);
}

#[test]
fn a_file_of_the_stdlib_is_formatted_and_says_what_it_is() {
    for (name, text) in stdlib::TEMPLATES.iter().chain(stdlib::MODULES) {
        let (file, errors) = syntax::parse(&Source::new(*name, *text));
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert_eq!(check::is_module(&file), stdlib::module(name).is_some(), "{name}");
        assert!(!file.docs.is_empty(), "{name} says what it is");
        let formatted = syntax::format(&Source::new(*name, *text));
        assert_eq!(formatted.as_deref(), Ok(*text), "{name} is as `cookc fmt` writes it");
    }
}

#[test]
fn a_template_of_the_stdlib_fits_a_line_of_the_list_and_explains_its_parameters() {
    for (name, _) in stdlib::TEMPLATES {
        let source = stdlib::template(name).expect("it is listed");
        let path = root().join("stdlib").join(format!("{name}.cook"));
        let source = Source::new(path.to_string_lossy(), &*source.text);
        let template = template(&source).unwrap_or_else(|errors| panic!("{errors}"));
        let about = &template.docs[0];
        assert!(about.len() <= 52 && about.ends_with('.'), "{name}: {about}");
        assert!(template.levels.len() >= 2, "{name} has an easy and a hard level");
        let part = Source::new("part.cook", format!("use template {name}\n"));
        assert!(syntax::parse(&part).1.is_empty(), "{name} is a name that a template can use");
        assert!(!check::builtins().contains_key(*name), "{name} is a function already");
        for param in &template.params {
            assert!(!param.docs.is_empty(), "{name}: what is `{}`?", param.name);
        }
    }
}

/// The examples of a function's documentation: lines indented by four spaces.
fn examples(docs: &[String]) -> impl Iterator<Item = &str> {
    docs.iter()
        .filter(|line| line.trim_start_matches(' ').len() + 4 <= line.len())
        .map(|l| l.trim())
}

/// The line that takes all functions of a module; the natives need none.
fn uses(module: &str, statements: &[ast::Statement]) -> String {
    let names = statements.iter().filter_map(|statement| match &statement.kind {
        ast::StatementKind::Function(function) => Some(function.name.text.as_str()),
        _ => None,
    });
    match module {
        "builtin" => String::new(),
        _ => format!("use {module}: {}\n", names.collect::<Vec<_>>().join(", ")),
    }
}

#[test]
fn examples_of_the_natives_and_of_the_modules_are_true() {
    let mut run = 0;
    for (module, _) in [("builtin", "")].iter().chain(stdlib::MODULES) {
        let source = Source::new(*module, page(&format!("stdlib/{module}.cook")));
        let statements = syntax::parse(&source).0.statements;
        let uses = uses(module, &statements);
        for statement in statements {
            for example in examples(&statement.docs) {
                let text = format!(
                    "{uses}word ~ pick(vocab)\nrule example: {example}\n\
                     prompt \"A word:\"\nreply \"{{word}}\"\n"
                );
                let source = Source::new("example.cook", text);
                let template = template(&source).unwrap_or_else(|errors| panic!("{errors}"));
                let sampler = Compile::level(&template, "", vocabulary()).fastest();
                let sampler = sampler.unwrap_or_else(|errors| panic!("{example}: {errors:?}"));
                let mut memory = sampler.memory(Split::Train, 0);
                sampler.sample(&mut memory, 0).expect("a word can be drawn");
                assert!(Judge::new(&sampler).own(&mut memory).exact(), "{module}: {example}");
                run += 1;
            }
        }
    }
    let natives = check::builtins();
    let computing = natives.values().filter(|function| !function.draws).count();
    assert!(run + 4 >= computing, "every native that computes has an example: {run}");
}

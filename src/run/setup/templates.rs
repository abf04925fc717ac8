//! The templates and the words that a recipe names, and the samplers that they compile to.

use std::path::{Path, PathBuf};

use super::super::wording;
use super::errors::Errors;
use crate::data::vocab::Vocabulary;
use crate::data::{Answer, Sampler};
use crate::model::Tokenizer;
use crate::recipe::{Entry, Named, Recipe, Words};
use crate::source::Span;
use crate::stdlib;
use crate::template::{self, Error, Findings, Template};

/// The templates of a recipe, checked; none if one has an error.
pub fn read(recipe: &mut Recipe, folder: &Path, errors: &mut Errors) -> Option<Vec<Template>> {
    let (mut templates, mut shown) = (Vec::new(), Vec::new());
    let entries = recipe.templates.len();
    for entry in &mut recipe.templates {
        if !entry.file.path.starts_with("std:") {
            whole(folder, &mut entry.file);
        }
        let source = match template::source_of(&entry.file.path) {
            Ok(source) => source,
            Err(error) => {
                let help = "write the path of a .cook file, counted from the recipe's folder, or \
                            one that is built in: ";
                let built_in: Vec<String> =
                    stdlib::TEMPLATES.iter().map(|(name, _)| format!("\"std:{name}\"")).collect();
                let help = format!("{help}{}", built_in.join(", "));
                errors.add("E707", error.to_string(), entry.file.span, "named here", help);
                continue;
            }
        };
        match Template::checked(source.clone()) {
            Ok(template) => templates.push(template),
            Err(error) => {
                // A template that comes at several levels has its errors once.
                if !shown.contains(&source.name) {
                    errors.of_template(error);
                    shown.push(source.name.clone());
                }
                let title = format!("{} has errors", source.name);
                let help = format!("fix them: `cookc check {}` shows them", source.name);
                errors.add("E709", title, entry.file.span, "named here", help);
            }
        }
    }
    (templates.len() == entries && entries > 0).then_some(templates)
}

/// The errors of a level and of a parameter that a template does not have.
const NAMED: [&str; 2] = ["E508", "E219"];

/// The words of `vocab`.
pub fn words(
    recipe: &mut Recipe,
    folder: &Path,
    tokenizer: Option<&Tokenizer>,
    errors: &mut Errors,
) -> Option<Vocabulary> {
    match &mut recipe.data.words {
        Words::Embedded(count) => Some(Vocabulary::embedded_part(*count)),
        Words::Tokenizer => {
            let words = wording::words_of(tokenizer?);
            let words = words.and_then(|words| {
                let none = "none of its tokens is a word of three lower-case letters or more";
                anyhow::ensure!(!words.is_empty(), none);
                Ok(Vocabulary::new(words)?)
            });
            let help = "write `vocab = 512` for made-up words, or a file of words";
            let note = |error: anyhow::Error| {
                let title = format!("the tokenizer gives no words: {error:#}");
                errors.add("E707", title, Span::default(), "", help.to_string());
            };
            words.map_err(note).ok()
        }
        Words::File(file) => {
            let path = whole(folder, file);
            let words = template::vocabulary(Some(&path));
            let help = "write a file with a word a line, or how many made-up words to take";
            let note = |why: Error| {
                errors.add("E707", why.to_string(), file.span, "the words", help.to_string())
            };
            words.map_err(note).ok()
        }
    }
}

/// The samplers of the templates, in the recipe's order.
pub fn samplers(
    templates: &[Template],
    recipe: &Recipe,
    words: &Vocabulary,
) -> Result<Vec<Sampler>, Error> {
    let both = templates.iter().zip(&recipe.templates);
    let samplers = both.enumerate().map(|(at, (template, entry))| {
        sampler(template, entry, (words, recipe.data.answer)).map_err(|error| named_by(error, at))
    });
    let samplers: Result<_, Error> = samplers.collect();
    samplers.map_err(|error| match (&recipe.data.words, error) {
        (Words::Tokenizer, Error::Invalid(found)) => Error::Invalid(too_few(found, words)),
        (_, error) => error,
    })
}

/// The error of a template's level or numbers with the entry of the recipe that names them.
fn named_by(error: Error, at: usize) -> Error {
    let Error::Invalid(mut found) = error else { return error };
    for error in found.iter_mut().flat_map(|one| &mut one.diagnostics) {
        if NAMED.contains(&error.code) {
            error.title += &format!(", which `[[template]]` {} of the recipe names", at + 1);
            error.help = error.help.replace("`--level`", "`level`");
        }
    }
    Error::Invalid(found)
}

/// Errors of templates, those of too few words with where the words are from.
fn too_few(mut found: Vec<Findings>, words: &Vocabulary) -> Vec<Findings> {
    let all = found.iter_mut().flat_map(|one| &mut one.diagnostics);
    for error in all.filter(|one| one.code == "E511" && one.title.contains("`vocab` has")) {
        error.help = format!(
            "the tokenizer has {} words of three lower-case letters or more that are one token: \
             write `vocab = 512` below `[data]` for made-up words, or a file of words",
            words.own_len()
        );
    }
    found
}

fn sampler(
    template: &Template,
    entry: &Entry,
    (words, answer): (&Vocabulary, Answer),
) -> Result<Sampler, Error> {
    let level = template.level(&*entry.level).answer(answer);
    let set = entry.set.iter();
    let compile = set.fold(level, |compile, (name, value)| compile.set(name, value));
    Ok(compile.vocabulary(words.clone()).compile()?.inner().clone())
}

/// Makes a path of the recipe, which is relative to the recipe's folder, absolute.
pub fn whole(folder: &Path, named: &mut Named) -> PathBuf {
    let path = folder.join(&named.path);
    let path = path.canonicalize().unwrap_or(path);
    named.path = path.to_string_lossy().into_owned();
    path
}

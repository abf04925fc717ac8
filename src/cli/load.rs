//! From what a command's options name to a template and a sampler.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

use super::console;
use super::failure::Failure;
use super::options::{Choice, Engine};
use crate::data::Sampler;
use crate::data::generate::Stopped;
use crate::data::preview::cannot_make;
use crate::data::vocab::Vocabulary;
use crate::diagnostic::Diagnostic;
use crate::ir::Program;
use crate::source::Source;
use crate::template::{self, COOK_BYTES_MAX, Template};

/// The sampler of a template at the chosen level, run by the chosen engine, which draws into a
/// memory.
pub fn compile(template: &Template, choice: &Choice, engine: Engine) -> Result<Sampler, Failure> {
    Ok(sampler(template, choice, engine)?.inner().clone())
}

/// The sampler of a template at the chosen level, run by the chosen engine.
pub fn sampler(
    template: &Template,
    choice: &Choice,
    engine: Engine,
) -> Result<template::Sampler, Failure> {
    with_words(template, choice, engine, vocabulary(choice.vocab.as_deref())?)
}

/// The same with these words, whichever the options name.
pub fn with_words(
    template: &Template,
    choice: &Choice,
    engine: Engine,
    words: Vocabulary,
) -> Result<template::Sampler, Failure> {
    let level = template.level(choice.level.as_deref().unwrap_or(""));
    let set = choice.set.iter();
    let compile = set.fold(level, |compile, (name, value)| compile.set(name, value));
    let compile = compile.answer(choice.answer);
    let compile = match engine {
        Engine::Interpreter => compile.interpreted(),
        Engine::Native => compile.native(),
        Engine::Auto => compile,
    };
    Ok(compile.vocabulary(words).compile()?)
}

/// The names of all levels; that of the defaults is empty.
pub fn levels(template: &Template) -> Vec<String> {
    let named = template.levels().map(str::to_string);
    std::iter::once(String::new()).chain(named).collect()
}

/// Why drawing samples ended, as the user sees it.
pub fn stopped(template: &Template, program: &Program, seed: u64, stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Cancelled => Failure::Interrupted,
        Stopped::Output(error) => error.into(),
        Stopped::NoRow(why) => Failure::Input(why),
        Stopped::Fault(index, error) => {
            shown(template.source(), &[cannot_make(program, seed, index, error)])
        }
    }
}

/// The text of standard input, under the name that it is shown by.
pub fn stdin(name: &str) -> Result<Source, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(COOK_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.context("cannot read standard input")?;
    if bytes.len() as u64 > COOK_BYTES_MAX {
        return Err(template::too_large("standard input", COOK_BYTES_MAX).into());
    }
    Ok(template::decoded(bytes, "standard input").map(|text| Source::new(name, text))?)
}

/// Shows diagnostics, and gives the failure that they are.
pub fn shown(source: &Source, diagnostics: &[Diagnostic]) -> Failure {
    console::diagnostics(source, diagnostics);
    Failure::Shown
}

/// The words of a file, or the built-in ones.
pub fn vocabulary(file: Option<&Path>) -> Result<Vocabulary, Failure> {
    Ok(template::vocabulary(file)?)
}

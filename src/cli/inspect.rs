//! `cookc inspect`: what the compiler lowers a template to.

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::load;
use super::options::{self, Samples};
use super::{Failure, console};
use crate::data::grammar::Dialect;
use crate::engine::{self, Emit};
use crate::ir::{self, Program, Slot};
use crate::template::{Sampler, Template};

const HELP: &str = r#"Examples:
  cookc inspect std:retrieval --emit roles
  cookc inspect my.cook --emit ir --level hard
  cookc inspect my.cook --emit asm | less
  cookc inspect std:abduct --emit grammar --grammar lark --index 17 > reply.lark

The grammar makes an engine write replies that can be read: every reply that the template writes is
accepted, and what is accepted can be read. It has the bounds of this level: sizes, ranges of
integers, the texts that a value can be. Of up to 64 words each is written out, of more any word is
allowed that has their characters and lengths. It is narrower than what cookc judge reads: no other
white space, no size that the template does not write. Where lines of a reply begin with what the
prompt shows, any key is allowed, which a comment says; with --index, only those of that sample.

roles, and types, with --format json are one line: {"template", "level", "values": [{"name",
"type", "role", "shown", "drawn", "bound"}], "bounds": {"cells", "words", "literal_bytes",
"pool_words"}}."#;

/// Show what the compiler lowers a template to
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Inspect {
    #[command(flatten)]
    template: options::Template,
    /// What to show
    #[arg(long, value_name = "WHAT", default_value = "roles")]
    emit: What,
    /// How a grammar is written [default: gbnf]
    #[arg(long, value_name = "DIALECT")]
    grammar: Option<Dialect>,
    /// The grammar of the replies to the sample with this index
    #[arg(long, value_name = "N")]
    index: Option<u64>,
    #[command(flatten)]
    samples: Samples,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: options::Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// How each value comes to be, and whether it is shown
    Roles,
    /// The type of each value, and what is known of it
    Types,
    /// The steps that both engines run
    Ir,
    /// Cranelift's representation of the machine code
    Clif,
    /// Assembly of this machine
    Asm,
    /// The grammar of the replies, for engines that decode under one
    Grammar,
}

impl ValueEnum for Dialect {
    fn value_variants<'a>() -> &'a [Dialect] {
        &Dialect::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Dialect::Gbnf => "For llama.cpp and xgrammar",
            Dialect::Lark => "For llguidance",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// Shows it.
pub fn run(command: &Inspect) -> Result<(), Failure> {
    for (option, is_there) in
        [("--index", command.index.is_some()), ("--grammar", command.grammar.is_some())]
    {
        if is_there && command.emit != What::Grammar {
            return Err(Failure::Usage(format!("{option} is for --emit grammar")));
        }
    }
    let template = Template::named(&command.template.file)?;
    let engine = options::Engine::Interpreter;
    let sampler = load::sampler(&template, &command.template.choice, engine)?;
    let program = sampler.inner().program();
    let is_json = command.format == options::Format::Json;
    let emit = |form| engine::emit_text(program, form).context("cannot make machine code");
    let text = match command.emit {
        What::Roles | What::Types if is_json => return console::data(&as_json(program)),
        _ if is_json => {
            let only = "--format json shows roles and types; leave it out for the rest";
            return Err(Failure::Usage(only.into()));
        }
        What::Roles => roles(program),
        What::Types => types(program),
        What::Ir => ir::print(program),
        What::Clif => emit(Emit::Clif)?,
        What::Asm => emit(Emit::Asm)?,
        What::Grammar => grammar(command, &sampler)?,
    };
    console::print(&text)
}

fn grammar(command: &Inspect, sampler: &Sampler) -> Result<String, Failure> {
    let dialect = command.grammar.unwrap_or(Dialect::Gbnf);
    let Samples { seed, split } = command.samples;
    Ok(match command.index {
        Some(index) => sampler.sample_grammar(split, seed, index, dialect)?,
        None => sampler.grammar(dialect),
    })
}

fn named(program: &Program) -> impl Iterator<Item = &Slot> {
    program.slots.iter().filter(|slot| !slot.name.is_empty())
}

fn roles(program: &Program) -> String {
    let mut table = console::table(&["value", "role", "made", "shown"]);
    for slot in named(program) {
        let made = if slot.drawn { "drawn" } else { "computed" };
        let shown = if slot.shown { "shown" } else { "hidden" };
        table.add_row([slot.name.as_str(), slot.role.into(), made, shown]);
    }
    format!("{table}\n")
}

fn types(program: &Program) -> String {
    let mut table = console::table(&["value", "type", "bound"]);
    for slot in named(program) {
        let bound = ir::bound(&slot.bound);
        table.add_row([slot.name.clone(), slot.kind.to_string(), bound]);
    }
    format!("{table}\n")
}

fn as_json(program: &Program) -> String {
    let value = |slot: &Slot| {
        let role: &str = slot.role.into();
        json!({
            "name": slot.name, "type": slot.kind.to_string(), "role": role,
            "shown": slot.shown, "drawn": slot.drawn,
            "bound": ir::bound(&slot.bound),
        })
    };
    let bounds = &program.bounds;
    let json = json!({
        "template": program.name,
        "level": crate::data::level_name(&program.level),
        "values": named(program).map(value).collect::<Vec<_>>(),
        "bounds": {
            "cells": bounds.cells, "words": bounds.words,
            "literal_bytes": bounds.literal_bytes, "pool_words": bounds.pool_words,
        },
    });
    format!("{json}\n")
}

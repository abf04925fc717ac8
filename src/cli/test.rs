//! `cookc test`: a template audited.

use std::sync::Arc;

use clap::Args;
use comfy_table::Table;

use super::console::{BAD, GOOD, styled};
use super::load::Template;
use super::options::{self, Choice, Engine, Format};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::audit::{Audit, Settings, audit, percent};
use crate::data::generate::Watch;

const HELP: &str = r#"Examples:
  cookc test std:retrieval
  cookc test my.cook --level hard -n 10000
  cookc test my.cook --format json | jq '.cheats[] | select(.exact > .bar)'

On each level:
  rules      hold in full on every one of the template's own samples
  cheats     an empty reply, an echo of the prompt or of a shown value, the reply of another sample,
             and the most frequent reply to all: each may be exact on 5 % of the samples. Where so
             few different replies exist that a guess does better, the bar is 1 / replies and four
             standard deviations of it: for yes or no and 1,000 samples, 56.3 %
  distinct   at least half of the samples differ from all before them
  read back  every written reply is read back to the same values
  engines    machine code and interpreter agree on all samples and judgements, bit for bit
  overlap    no sample is in both splits, but where samples come twice in one anyway
  longest    no text is longer than the bounds say
A miss ends with exit code 1. With --format json, each level is one line with these numbers and
"problems": [text]."#;

/// Audit a template: its rules hold on its own samples, and cheats fail
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Test {
    /// .cook files, or std:NAME for templates that are built in
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// The seed of the samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many samples a level
    #[arg(short = 'n', long = "samples", value_name = "N", default_value_t = 1000,
        value_parser = clap::value_parser!(u64).range(1..))]
    samples: u64,
    /// For people or for tools
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Audits each template at each level.
pub fn run(command: &Test) -> Result<(), Failure> {
    let cancel = options::interrupt()?;
    let mut passed = true;
    for file in &command.files {
        let template = Template::read(file)?;
        let levels = match &command.choice.level {
            Some(level) => vec![level.clone()],
            None => template.levels(),
        };
        // Two passes over the training samples, and one over those that are held out.
        let total = 3 * command.samples * levels.len() as u64;
        let progress = Progress::new(total, &template.typed.name);
        let watch = Watch { cancel, progress: &|count| progress.add(count) };
        let mut audits = Vec::new();
        for level in levels {
            audits.push(one(command, &template, level, &watch)?);
        }
        progress.finish();
        passed &= audits.iter().all(|audit| audit.problems.is_empty());
        console::print(&match command.format {
            Format::Json => audits.iter().map(json_line).collect(),
            Format::Text => text(&audits),
        })?;
    }
    if passed { Ok(()) } else { Err(Failure::Shown) }
}

fn one(
    command: &Test,
    template: &Template,
    level: String,
    watch: &Watch,
) -> Result<Audit, Failure> {
    let choice = Choice { level: Some(level), ..command.choice.clone() };
    let (program, words) = template.program(&choice)?;
    let program = Arc::new(program);
    let native = template.maker_of(program.clone(), words.clone(), Engine::Native)?;
    let interpreter = template.maker_of(program.clone(), words, Engine::Interpreter)?;
    let settings = Settings { samples: command.samples, seed: command.seed };
    audit(&native, &interpreter, settings, watch)
        .map_err(|stopped| template.stopped(&program, command.seed, stopped))
}

fn json_line(audit: &Audit) -> String {
    let json = serde_json::to_string(audit).expect("an audit is plain data");
    format!("{json}\n")
}

/// A table with a column a level, and the problems under it.
fn text(audits: &[Audit]) -> String {
    let Some(first) = audits.first() else { return String::new() };
    let name = format!("{}, {}", first.template, console::count(first.samples as usize, "sample"));
    let mut header = vec![name.as_str()];
    header.extend(audits.iter().map(|audit| audit.level.as_str()));
    let mut table = console::table(&header);
    rows(&mut table, audits);
    let mut text = format!("{table}\n");
    for audit in audits {
        for problem in &audit.problems {
            text += &format!("{} {}: {problem}\n", styled(BAD, "missed"), audit.level);
        }
    }
    if audits.iter().all(|audit| audit.problems.is_empty()) {
        let audited = console::count(audits.len(), "level");
        text += &format!("{} {} at {audited}\n", styled(GOOD, "passed"), first.template);
    }
    text
}

fn rows(table: &mut Table, audits: &[Audit]) {
    let mut row = |name: String, cell: &dyn Fn(&Audit) -> String| {
        table.add_row(std::iter::once(name).chain(audits.iter().map(cell)));
    };
    for at in 0..audits[0].rules.len() {
        let name = format!("rule {} holds", audits[0].rules[at].rule);
        row(name, &|audit| percent(audit.rules[at].holds));
    }
    for at in 0..audits[0].cheats.len() {
        let name = format!("cheat: {}", audits[0].cheats[at].cheat);
        row(name, &|audit| {
            let cheat = &audit.cheats[at];
            format!("{} of {}", percent(cheat.exact), percent(cheat.bar))
        });
    }
    row("different samples".into(), &|audit| percent(audit.distinct));
    row("different replies".into(), &|audit| audit.distinct_replies.to_string());
    row("replies read back".into(), &|audit| percent(audit.reads_back));
    row("engines differ".into(), &|audit| audit.engines_differ.to_string());
    row("in both splits".into(), &|audit| audit.overlap.to_string());
    row("longest, words".into(), &|audit| format!("{} of {}", audit.words.made, audit.words.bound));
    row("longest, bytes".into(), &|audit| format!("{} of {}", audit.bytes.made, audit.bytes.bound));
}

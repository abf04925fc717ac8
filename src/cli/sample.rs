//! `cookc sample`: samples to look at.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::{Map, Value};

use super::console::{BAD, FAINT, GOOD, STRONG, styled};
use super::load;
use super::options::{self, Engine, Format, Samples};
use super::{Failure, console};
use crate::data::Sampler;
use crate::data::generate::Stopped;
use crate::data::judge::{Judge, Verdict};
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::sink::{Jsonl, Row, Schema, settings};
use crate::ir::SlotId;
use crate::runtime::Memory;
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc sample std:retrieval
  cookc sample my.cook -n 1 --index 17 --level hard
  cookc sample my.cook --set length=16 --json

With --json (or --format json), each sample is a line: the row that cookc generate writes, and
"scores": {rule: score}."#;

/// Show samples, their fields in colour, and each rule's score
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Sample {
    #[command(flatten)]
    template: options::Template,
    #[command(flatten)]
    samples: Samples,
    /// How many samples
    #[arg(short = 'n', long = "samples", value_name = "N", default_value_t = 3)]
    count: u64,
    /// The index of the first sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u64,
    /// What runs the template
    #[arg(long, default_value = "auto")]
    engine: Engine,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

/// Shows the samples one after the other.
pub fn run(command: &Sample) -> Result<(), Failure> {
    let template = Template::named(&command.template.file)?;
    let sampler = load::compile(&template, &command.template.choice, command.engine)?;
    let (program, seed) = (sampler.program(), command.samples.seed);
    let mut memory = sampler.memory(command.samples.split, seed);
    let split = command.samples.split;
    let is_text = command.format == Format::Text && !command.json;
    let rows = (!is_text).then(|| {
        let set = settings(template.typed(), &command.template.choice.set);
        Jsonl::new(&Schema::one(sampler.clone(), set, split, seed))
    });
    let judge = Judge::new(&sampler);
    let painter = Painter::new(&sampler);
    for index in command.index..command.index.saturating_add(command.count) {
        sampler.sample(&mut memory, index).map_err(|error| {
            load::stopped(&template, program, seed, Stopped::Fault(index, error))
        })?;
        let verdict = judge.own(&mut memory);
        match &rows {
            None => {
                let head = format!("seed {seed} · sample {index}");
                console::print(&painter.paint(&head, &judge, &verdict, &memory))
            }
            Some(rows) => console::data(&json_line(rows, index, &judge, &verdict, &memory)),
        }?;
    }
    Ok(())
}

/// Writes samples with a colour a field.
struct Painter<'a> {
    sampler: &'a Sampler,
    text: TextWriter,
    colours: BTreeMap<SlotId, Style>,
}

impl<'a> Painter<'a> {
    fn new(sampler: &'a Sampler) -> Painter<'a> {
        use AnsiColor::{Blue, Cyan, Green, Magenta, Yellow};
        let shown = sampler.program().slots.iter().zip(0..).filter(|(slot, _)| slot.shown);
        let palette = [Cyan, Yellow, Magenta, Green, Blue].into_iter().cycle();
        let colours = shown.zip(palette).map(|((_, id), colour)| (id, colour.on_default()));
        Painter {
            sampler,
            text: TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None),
            colours: colours.collect(),
        }
    }

    fn paint(&self, head: &str, judge: &Judge, verdict: &Verdict, memory: &Memory) -> String {
        let program = self.sampler.program();
        let name = styled(STRONG, &program.name);
        let level = self.sampler.level();
        let mut out = format!("{name} {}\n", styled(FAINT, format!("· {level} · {head}")));
        if program.layout.system.is_some() {
            self.part("system", Part::System, memory, &mut out);
        }
        self.part("prompt", Part::Prompt, memory, &mut out);
        self.part("reply", Part::Reply, memory, &mut out);
        let scores = judge.rules().into_iter().zip(&verdict.scores).map(|(rule, &score)| {
            let style = if score == 1.0 { GOOD } else { BAD };
            format!("{rule} {}", styled(style, score))
        });
        let scores = scores.collect::<Vec<_>>().join("  ");
        writeln!(out, "{} {scores}\n", styled(FAINT, "rules ")).expect("text grows");
        out
    }

    fn part(&self, name: &str, part: Part, memory: &Memory, out: &mut String) {
        let mut text = String::new();
        for (slot, piece) in self.text.pieces(part, memory) {
            let colour = slot.and_then(|slot| self.colours.get(&slot)).copied();
            text += &match colour {
                Some(colour) => styled(colour, piece),
                None => piece,
            };
        }
        let text = text.replace('\n', "\n       ");
        writeln!(out, "{} {text}", styled(FAINT, format!("{name:6}"))).expect("text grows");
    }
}

fn json_line(
    rows: &Jsonl,
    index: u64,
    judge: &Judge,
    verdict: &Verdict,
    memory: &Memory,
) -> String {
    let mut row = Vec::new();
    rows.line(Row { sampler: 0, index, memory }, &mut row);
    let mut row: Map<String, Value> = serde_json::from_slice(&row).expect("rows are JSON objects");
    // A line of a person or a program, and no column: the values are themselves.
    if let Some(Value::String(fields)) = row.get("fields") {
        let fields = serde_json::from_str(fields).expect("the fields are JSON");
        row.insert("fields".into(), fields);
    }
    row.insert("scores".into(), scores(&judge.rules(), verdict));
    format!("{}\n", Value::Object(row))
}

/// `{rule: score}`
pub fn scores(rules: &[&str], verdict: &Verdict) -> Value {
    let scores = rules.iter().zip(&verdict.scores);
    scores.map(|(rule, &score)| (rule.to_string(), Value::from(score))).collect()
}

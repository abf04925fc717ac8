//! `cookc bench`: how fast a template's samples are drawn and scored, in both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::load;
use super::options::{self, Engine, Format, Samples};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::generate::Stopped;
use crate::data::judge::Judge;
use crate::data::layout::{Encoded, Escape, Part, TextWriter, TokenIds};
use crate::data::sink::{Jsonl, Row, Schema};
use crate::data::{Sampler, Split};
use crate::runtime::{Fault, Memory};
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc bench std:document_qa
  cookc bench my.cook --set length=512 --format json | jq .native.ids_tokens_per_second

One thread draws samples for a quarter of a second in each form: as token ids (one a word), as
text, as JSONL in memory; then it judges their own replies, each read back from its text.
With --format json: {"native": {"ids_tokens_per_second", "text_tokens_per_second",
"jsonl_bytes_per_second", "judgements_per_second", "compile_seconds"}, "interpreter": the same}."#;

/// How long each measurement runs.
const TURN: Duration = Duration::from_millis(230);
/// The samples that are drawn again and again.
const CYCLE: u64 = 64;
/// How often a reply is judged between two looks at the clock.
const BATCH: u64 = 16;
/// Turns of an engine.
const TURNS: u64 = 4;

/// Measure how fast a template's samples are drawn and scored, in both engines
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Bench {
    #[command(flatten)]
    template: options::Template,
    #[command(flatten)]
    samples: Samples,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
}

/// What was measured of an engine.
#[derive(Debug, Serialize)]
struct Speeds {
    ids_tokens_per_second: f64,
    text_tokens_per_second: f64,
    jsonl_bytes_per_second: f64,
    judgements_per_second: f64,
    compile_seconds: f64,
}

/// Measures both engines and shows them side by side.
pub fn run(command: &Bench) -> Result<(), Failure> {
    let template = Template::named(&command.template.file)?;
    let cancel = options::interrupt_soon()?;
    let progress = Progress::new(2 * TURNS, "measuring");
    let speeds = |engine| -> Result<Speeds, Failure> {
        let start = Instant::now();
        let sampler = load::compile(&template, &command.template.choice, engine)?;
        let compile_seconds = start.elapsed().as_secs_f64();
        let (split, seed) = (command.samples.split, command.samples.seed);
        let mut turns = Turns { memory: sampler.memory(split, seed), sampler: &sampler, cancel };
        let speeds = turns.speeds(seed, compile_seconds, &progress);
        speeds.map_err(|stopped| load::stopped(&template, sampler.program(), seed, stopped))
    };
    let (native, interpreter) = (speeds(Engine::Native)?, speeds(Engine::Interpreter)?);
    progress.finish();
    match command.format {
        Format::Json => {
            let both = json!({"native": native, "interpreter": interpreter});
            console::data(&format!("{both}\n"))
        }
        Format::Text => console::print(&text(&native, &interpreter)),
    }
}

/// One engine being measured.
struct Turns<'a> {
    sampler: &'a Sampler,
    memory: Memory,
    cancel: &'a AtomicBool,
}

impl Turns<'_> {
    fn speeds(
        &mut self,
        seed: u64,
        compile_seconds: f64,
        progress: &Progress,
    ) -> Result<Speeds, Stopped> {
        let sampler = self.sampler;
        let (program, vocabulary) = (sampler.program(), sampler.vocabulary());
        let ids = TokenIds::new(program, vocabulary.clone(), Arc::new(one_id_a_word));
        let mut encoded = Encoded::default();
        let mut tokens = [0; CYCLE as usize];
        let ids_tokens_per_second = self.turn(|memory, index| {
            ids.encode(memory, &mut encoded).expect("every word has an id");
            tokens[index as usize] = encoded.ids.len() as u64;
            encoded.ids.len() as u64
        })?;
        progress.add(1);
        let texts = TextWriter::new(program, vocabulary.clone(), Escape::None);
        let mut out = Vec::new();
        // A sample has as many tokens as text as it has as ids.
        let text_tokens_per_second = self.turn(|memory, index| {
            out.clear();
            for part in [Part::System, Part::Prompt, Part::Reply] {
                texts.write(part, memory, &mut out);
            }
            tokens[index as usize]
        })?;
        progress.add(1);
        let (sampler, set) = (sampler.clone(), String::new());
        let rows = Jsonl::new(&Schema::one(sampler, set, Split::Train, seed));
        let jsonl_bytes_per_second = self.turn(|memory, index| {
            out.clear();
            rows.line(Row { sampler: 0, index, memory }, &mut out);
            out.len() as u64
        })?;
        progress.add(1);
        let judgements_per_second = self.judgements(&texts)?;
        progress.add(1);
        Ok(Speeds {
            ids_tokens_per_second,
            text_tokens_per_second,
            jsonl_bytes_per_second,
            judgements_per_second,
            compile_seconds,
        })
    }

    /// Units a second of drawing samples and of `work` on each, which returns its units.
    fn turn(&mut self, mut work: impl FnMut(&Memory, u64) -> u64) -> Result<f64, Stopped> {
        // Once around without the clock: caches and buffers are filled.
        self.around(&mut work)?;
        let (start, mut units) = (Instant::now(), 0);
        while start.elapsed() < TURN {
            units += self.around(&mut work)?;
        }
        Ok(units as f64 / start.elapsed().as_secs_f64())
    }

    fn around(&mut self, work: &mut impl FnMut(&Memory, u64) -> u64) -> Result<u64, Stopped> {
        let mut units = 0;
        for index in 0..CYCLE {
            self.sample(index)?;
            units += work(&self.memory, index);
        }
        Ok(units)
    }

    fn sample(&mut self, index: u64) -> Result<(), Stopped> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Stopped::Cancelled);
        }
        let error = |error: Fault| Stopped::Fault(index, error);
        self.sampler.sample(&mut self.memory, index).map_err(error)
    }

    /// Replies a second that are read back and judged; drawing the samples is not counted.
    fn judgements(&mut self, texts: &TextWriter) -> Result<f64, Stopped> {
        let judge = Judge::new(self.sampler);
        let (mut spent, mut count) = (Duration::ZERO, 0);
        for index in (0..CYCLE).cycle() {
            self.sample(index)?;
            let reply = texts.text(Part::Reply, &self.memory);
            let start = Instant::now();
            for _ in 0..BATCH {
                std::hint::black_box(judge.judge(&reply, &mut self.memory));
            }
            spent += start.elapsed();
            count += BATCH;
            if spent > TURN {
                break;
            }
        }
        Ok(count as f64 / spent.as_secs_f64())
    }
}

/// A stand-in for a tokenizer that knows every word and symbol: the number that the word's letters
/// spell does as well as an id out of a table, as each is looked up only once.
fn one_id_a_word(text: &str) -> Vec<u32> {
    let (mut ids, mut in_word): (Vec<u32>, bool) = (Vec::new(), false);
    for letter in text.chars() {
        let is_word = letter.is_alphanumeric() || letter == '_';
        let with = |id: u32| id.wrapping_mul(31).wrapping_add(letter.into());
        match ids.last_mut() {
            _ if letter.is_whitespace() => {}
            Some(id) if is_word && in_word => *id = with(*id),
            _ => ids.push(with(7)),
        }
        in_word = is_word;
    }
    ids
}

fn text(native: &Speeds, interpreter: &Speeds) -> String {
    let mut table = console::table(&["one thread", "machine code", "interpreter"]);
    let mut row = |name: &str, unit: &str, speed: &dyn Fn(&Speeds) -> f64| {
        let cell = |speeds| format!("{} {unit}", short(speed(speeds)));
        table.add_row([name.to_string(), cell(native), cell(interpreter)]);
    };
    row("as ids", "tokens/s", &|speeds| speeds.ids_tokens_per_second);
    row("as text", "tokens/s", &|speeds| speeds.text_tokens_per_second);
    row("as JSONL", "bytes/s", &|speeds| speeds.jsonl_bytes_per_second);
    row("judged", "replies/s", &|speeds| speeds.judgements_per_second);
    row("compiled in", "ms", &|speeds| speeds.compile_seconds * 1e3);
    format!("{table}\n")
}

/// Three digits and a unit of thousand.
fn short(number: f64) -> String {
    let units = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    let unit = units.into_iter().find(|&(unit, _)| number >= unit);
    let (unit, name) = unit.unwrap_or((1.0, ""));
    format!("{:.3}{name}", number / unit)
}

//! `cookc generate`: the data, in parallel and in order.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::console;
use super::failure::Failure;
use super::load;
use super::options::{self, Engine};
use super::progress::Progress;
use crate::data::sink::{FORMATS, Format, SHAPES, Schema, Shape, settings};
use crate::data::{Event, Observer, Split};
use crate::diagnostic::near_miss;
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc generate std:retrieval -n 1000 -o train.jsonl
  cookc generate std:retrieval -n 1000 -o train.parquet --shape messages
  cookc generate std:retrieval -n 200 -o held_out.jsonl --split eval
  cookc generate my.cook -n 10 --level hard --set length=128 | jq .prompt
  cookc generate my.toml -n 1000 -o mixed.jsonl    the mixture of a recipe, as it is trained on

The file's ending says how rows are written: .jsonl, .parquet or .arrow, and .jsonl.zst or
.jsonl.gz compressed. --shape says what a row has; each begins with "id", which tells its sample
from all others: "TEMPLATE/DIGEST/SPLIT/SEED/INDEX". The shape full is {"id", "template", "level",
"set", "split", "seed", "index", "system" (if a template has one), "prompt", "reply", "fields"}.
"set" is what --set sets, such as "length=128 quote=4". "fields" is the text of a JSON object of the
shown values: a list of words is one text, any other list an array. docs/commands/generate.md has
the columns of the other shapes. The same seed returns the same bytes on any machine, with any
number of threads, in either engine. The file is written atomically."#;

/// Generate a data set, in the shape that a trainer reads
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Generate {
    #[command(flatten)]
    pub template: options::Template,
    /// The seed: the same one gives the same bytes [default: 0, or that of the recipe]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which samples: those to train on, or held-out ones, which share no random number with them
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    pub split: Split,
    /// How many samples
    #[arg(short = 'n', long = "samples", visible_alias = "count", value_name = "N")]
    pub count: u64,
    /// The index of the first sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub first: u64,
    /// The file to write; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// What a row has, for which trainer
    #[arg(long, default_value = SHAPES[0].name, value_parser = shapes())]
    pub shape: &'static Shape,
    /// How rows are written [default: by the file's ending]
    #[arg(long, value_parser = formats())]
    pub format: Option<Format>,
    /// What runs the template
    #[arg(long, default_value = "native")]
    pub engine: Engine,
}

impl Generate {
    /// Whether it is a recipe that is named, and no template.
    pub fn is_of_recipe(&self) -> bool {
        Path::new(&self.template.file).extension().is_some_and(|end| end == "toml")
    }

    /// The index after the last sample.
    pub fn end(&self) -> Result<u64, Failure> {
        let end = self.first.checked_add(self.count);
        let why = || Failure::Usage("--first and -n together do not fit into 64 bits".into());
        end.ok_or_else(why)
    }

    /// How rows are written: as is asked for, or as the file's ending says.
    pub fn format(&self) -> Result<Format, Failure> {
        let to_stdout = self.out == Path::new("-");
        let name = self.out.file_name().unwrap_or_default().to_string_lossy();
        let format = match (self.format, name.split_once('.')) {
            (Some(format), _) => format,
            (None, None) => FORMATS[0],
            (None, Some((_, endings))) => {
                Format::of_name(&name).ok_or_else(|| no_format(&self.out, endings))?
            }
        };
        match format.is_text || !to_stdout {
            true => Ok(format),
            false => Err(Failure::Usage(format!(
                "{} is no text for standard output: name a file, such as `-o data.{}`",
                format.name, format.endings[0]
            ))),
        }
    }

    /// Says how much was written, and how long it took.
    pub fn report(&self, bytes: u64, seconds: f64) {
        let (count, megabytes, out) = (self.count, bytes as f64 / 1e6, self.out.display());
        console::note(&format!("{count} samples, {megabytes:.1} MB, {seconds:.2} s: {out}"));
    }
}

/// The error of a file whose ending says no format.
fn no_format(out: &Path, endings: &str) -> Failure {
    let ending = endings.rsplit('.').next().unwrap_or(endings);
    let all: Vec<&str> = FORMATS.iter().flat_map(|format| format.endings).copied().collect();
    let write = match near_miss(ending, all.iter().copied()) {
        Some(near) => format!("write `.{near}`"),
        None => format!("end it with .{}, or add `--format jsonl`", all.join(", .")),
    };
    Failure::Usage(format!("{}: no format has the ending .{ending}: {write}", out.display()))
}

fn shapes() -> impl TypedValueParser<Value = &'static Shape> {
    let names = SHAPES.iter().map(|one| PossibleValue::new(one.name).help(one.about));
    PossibleValuesParser::new(names).map(|name| {
        let is_it = |one: &&Shape| one.name == name;
        SHAPES.iter().find(is_it).expect("only the names of shapes are taken")
    })
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let names = FORMATS.iter().map(|one| PossibleValue::new(one.name).help(one.about));
    PossibleValuesParser::new(names).map(|name| {
        let is_it = |one: &&Format| one.name == name;
        *FORMATS.iter().find(is_it).expect("only the names of formats are taken")
    })
}

/// Writes the data set, and reports how much it is and how long it took.
pub fn run(command: &Generate) -> Result<(), Failure> {
    let end = command.end()?;
    let template = Template::named(&command.template.file)?;
    let sampler = load::compile(&template, &command.template.choice, command.engine)?;
    let cancel = options::interrupt_soon()?;
    let to_stdout = command.out == Path::new("-");
    let format = command.format()?;
    let output = options::output(&command.out, Path::new(&command.template.file))?;
    let (seed, split) = (command.seed.unwrap_or(0), command.split);
    let set = settings(template.typed(), &command.template.choice.set);
    let program = sampler.program().clone();
    let schema = Schema { shape: command.shape, ..Schema::one(sampler, set, split, seed) };
    let progress = Progress::new(command.count, &program.name);
    let event = |event| {
        if let Event::Generated { samples } = event {
            progress.add(samples);
        }
    };
    let observer = Observer { cancel, event: &event };
    let written = format.write(&schema, &(command.first..end).into(), output, &observer);
    progress.finish();
    let bytes = written.map_err(|stopped| load::stopped(&template, &program, seed, stopped))?;
    if !to_stdout {
        command.report(bytes, progress.seconds());
    }
    Ok(())
}

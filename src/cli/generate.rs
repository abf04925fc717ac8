//! `cookc generate`: the data, in parallel and in order.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::load;
use super::options::{self, Engine, Samples};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::sink::{FORMATS, Format, Output, Schema, settings};
use crate::data::{Event, Observer};
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc generate std:retrieval -n 1000 -o train.jsonl
  cookc generate std:retrieval -n 200 -o held_out.jsonl --split eval
  cookc generate std:retrieval -n 1000 --format messages -o chats.jsonl
  cookc generate my.cook -n 10 --level hard --set length=128 | jq .prompt

Each line is one sample: {"template", "level", "set", "split", "seed", "index", "system" (if the
template has one), "prompt", "reply", "fields": {name: value}}. "set" is what --set sets, such as
"length=128 quote=4". The fields are the shown values: a list of words is one text, any other list
an array. With --format messages, "messages": [{"role", "content"}] replaces the three texts, as
trainers for chat models read them. The same seed returns the same bytes on any machine, with any
number of threads, in either engine. The file is written atomically."#;

/// Generate a data set, one JSON object a line
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Generate {
    #[command(flatten)]
    template: options::Template,
    #[command(flatten)]
    samples: Samples,
    /// How many samples
    #[arg(short = 'n', long = "samples", value_name = "N")]
    count: u64,
    /// The index of the first sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// The file to write; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// What a line is
    #[arg(long, default_value = FORMATS[0].name, value_parser = formats())]
    format: Format,
    /// What runs the template
    #[arg(long, default_value = "native")]
    engine: Engine,
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
    let Some(end) = command.first.checked_add(command.count) else {
        return Err(Failure::Usage("--first and -n together do not fit into 64 bits".into()));
    };
    let template = Template::named(&command.template.file)?;
    let sampler = load::compile(&template, &command.template.choice, command.engine)?;
    let cancel = options::interrupt_soon()?;
    let to_stdout = command.out == Path::new("-");
    let output = match to_stdout {
        true => Output::stream(std::io::stdout(), "standard output"),
        false => Output::file(&command.out)?,
    };
    let options::Samples { seed, split } = command.samples;
    let set = settings(template.typed(), &command.template.choice.set);
    let schema = Schema { sampler, set, split, seed };
    let program = schema.sampler.program();
    let progress = Progress::new(command.count, &program.name);
    let event = |event| match event {
        Event::Generated { samples } => progress.add(samples),
        _ => {}
    };
    let observer = Observer { cancel, event: &event };
    let written = command.format.write(&schema, command.first..end, output, &observer);
    progress.finish();
    let bytes = written.map_err(|stopped| load::stopped(&template, program, seed, stopped))?;
    if !to_stdout {
        let (count, seconds) = (command.count, progress.seconds());
        let megabytes = bytes as f64 / 1e6;
        let out = command.out.display();
        console::note(&format!("{count} samples, {megabytes:.1} MB, {seconds:.2} s: {out}"));
    }
    Ok(())
}

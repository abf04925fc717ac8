//! `cookc generate`: the data, in parallel and in order.

use std::path::{Path, PathBuf};

use clap::Args;

use super::load;
use super::options::{self, Engine, Samples};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::generate::{Order, Watch, generate};
use crate::data::rows::{Key, Rows, settings};
use crate::data::sinks::Sink;
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc generate std:retrieval -n 1000 -o train.jsonl
  cookc generate std:retrieval -n 200 -o held_out.jsonl --split eval
  cookc generate my.cook -n 10 --level hard --set length=128 | jq .prompt

Each line is one sample: {"template", "level", "set", "split", "seed", "index", "system" (if the
template has one), "prompt", "reply", "fields": {name: value}}. "set" is what --set sets, such as
"length=128 quote=4". The fields are the shown values: a list of words is one text, any other list
an array. The same seed gives the same bytes on any machine,
with any number of threads, in either engine. The file appears when it is whole."#;

/// Make a data set, one JSON object a line
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
    /// What runs the template
    #[arg(long, default_value = "native")]
    engine: Engine,
}

/// Writes the data set and tells how fast.
pub fn run(command: &Generate) -> Result<(), Failure> {
    let Some(end) = command.first.checked_add(command.count) else {
        return Err(Failure::Usage("--first and -n together do not fit into 64 bits".into()));
    };
    let template = Template::named(&command.template.file)?;
    let sampler = load::compile(&template, &command.template.choice, command.engine)?;
    let cancel = options::interrupt_soon()?;
    let to_stdout = command.out == Path::new("-");
    let mut sink = if to_stdout { Sink::stdout() } else { Sink::file(&command.out)? };
    let seed = command.samples.seed;
    let split = command.samples.split;
    let set = settings(template.typed(), &command.template.choice.set);
    let rows = Rows::new(&sampler, &Key { set: &set, split, seed });
    let progress = Progress::new(command.count, &sampler.program().name);
    let mut bytes_written = 0;
    let order = Order { split, seed, indices: command.first..end };
    let result = generate(
        &sampler,
        &order,
        |memory, index, out| rows.write(memory, index, out),
        |bytes| {
            bytes_written += bytes.len();
            sink.put(bytes)
        },
        &Watch { cancel, progress: &|count| progress.add(count) },
    );
    progress.finish();
    result.map_err(|stopped| load::stopped(&template, sampler.program(), seed, stopped))?;
    sink.finish()?;
    if !to_stdout {
        let (count, seconds) = (command.count, progress.seconds());
        let megabytes = bytes_written as f64 / 1e6;
        let out = command.out.display();
        console::note(&format!("{count} samples, {megabytes:.1} MB, {seconds:.2} s: {out}"));
    }
    Ok(())
}

//! `cookc judge`: replies to a template's prompts, scored rule by rule.

mod key;
pub(super) mod lines;
mod row;
mod sums;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::load;
use super::options::{self, Engine, Format, Samples};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::generate::Stopped;
use crate::data::judge::Judge as Judging;
use crate::data::layout::{Escape, TextWriter};
use crate::data::output::Output;
use crate::data::sink::settings;
use crate::template::Template;
use key::Key;
use lines::Lines;
use row::Row;
use sums::Sums;

const HELP: &str = r#"Examples:
  cookc judge std:retrieval replies.jsonl --seed 7 --split eval
  cookc judge my.cook replies.jsonl --level hard --format json -o scores.jsonl
  cookc judge my.cook replies.jsonl --answer any
  my-model < prompts.jsonl | cookc judge my.cook -

Each line of replies.jsonl is {"index": 17, "reply": "…"}: a reply to the sample with that index
of the same seed, split, level and parameters. Without an index, it is the line's number from 0.
The samples are drawn again. So a line that names its sample, as the rows of cookc generate
do, is compared with it: its "template", "level", "set", "split", "seed", "system" and "prompt".
"set" may be an object, and the texts may be "messages", whose last assistant message is the reply
if there is no "reply". The first that differs ends the command, with the option to write. Without
an index, an "id" that is an integer is one if the texts fit; without texts it must be the line's
number. Other keys do not matter. A line has at most 16 MiB.

With --format json, each reply is a line {"index", "scores": {rule: score}, "score": the mean,
"exact": true if all rules hold in full, "unreadable": null or why, "cause": null or its kind:
no_answer, two_answers, open_thought, too_long, form, value or memory}, and the last line is
{"summary": {"replies", "scores": {rule: mean}, "score", "exact": share, "unreadable": share,
"causes": {kind: count}}}. A reply that cannot be read scores 0, and is not counted as one that says
something wrong.
-o writes these lines to a file.

--answer says how models write their answers. With strict, a reply is an answer as the template
writes it. With all others a closed <think> is dropped, decoration that encloses all of an answer is
peeled (**…**, `…`, a fence, quotes, brackets, a full stop, unless the template's own replies begin
and end so), and values may be spelled +5, 1,234, 5.0, in another case, or with , or ; between them.
bare looks for nothing else; tags wants one <answer>…</answer>, boxed one \boxed{…}, line one
"Answer:" or "the answer is"; any takes one of these, or a bare reply. Two marks are two answers,
and none is read. tags, boxed and line put a sentence that asks for it before the prompt."#;

/// Score replies by the template's rules
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Judge {
    #[command(flatten)]
    template: options::Template,
    /// The replies, one JSON object a line; - is standard input
    #[arg(value_name = "REPLIES")]
    replies: PathBuf,
    #[command(flatten)]
    samples: Samples,
    /// Write a line a reply and the summary to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What runs the rules
    #[arg(long, default_value = "auto")]
    engine: Engine,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Scores each line, then reports the means.
pub fn run(command: &Judge) -> Result<(), Failure> {
    let template = Template::named(&command.template.file)?;
    let sampler = load::compile(&template, &command.template.choice, command.engine)?;
    let cancel = options::interrupt()?;
    let bytes = size(&command.replies)?;
    let mut lines = Lines::open(&command.replies, cancel);
    let mut file = command.out.as_deref().map(Output::file).transpose()?;
    let to_stdout = command.format == Format::Json && command.out.is_none();
    let key = Key {
        template: &template,
        choice: &command.template.choice,
        sampler: &sampler,
        digest: sampler.digest().to_string(),
        set: settings(template.typed(), &command.template.choice.set),
        split: command.samples.split,
        seed: command.samples.seed,
    };
    let mut memory = sampler.memory(key.split, key.seed);
    let texts = TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None);
    let judging = Judging::new(&sampler);
    let mut sums = Sums::new(&judging);
    let progress = Progress::new(bytes, "judging");
    let mut in_memory = None;
    for number in 0.. {
        let at = format!("{} line {}", shown(&command.replies), number + 1);
        let Some(line) = lines.next()? else { break };
        let line = line.map_err(|error| cannot_read(&command.replies, &at, error))?;
        progress.add(line.len() as u64 + 1);
        let Some(line) = parse(&line, &at)? else { continue };
        key.expect(&line, &at)?;
        let index = key.index(&line, number, &at, &texts, &mut memory)?;
        // Replies to one sample often come one after the other.
        if in_memory.replace(index) != Some(index) || line.index.is_none() {
            sampler.sample(&mut memory, index).map_err(|error| {
                load::stopped(&template, sampler.program(), key.seed, Stopped::Fault(index, error))
            })?;
        }
        key.expect_texts(&line, index, &at, &texts, &memory)?;
        let verdict = judging.judge(&line.reply, &mut memory);
        sums.add(&verdict);
        if file.is_some() || to_stdout {
            put(&mut file, &sums.line(index, &verdict))?;
        }
    }
    progress.finish();
    if file.is_some() || to_stdout {
        put(&mut file, &sums.summary())?;
    }
    file.map(Output::finish).transpose()?;
    match command.format {
        Format::Json if command.out.is_some() => console::data(&format!("{}\n", sums.summary())),
        Format::Json => Ok(()),
        Format::Text => console::print(&sums.text()),
    }
}

/// A line goes to the file, or, where there is none, to standard output.
fn put(file: &mut Option<Output>, line: &Value) -> Result<(), Failure> {
    let line = format!("{line}\n");
    match file {
        Some(file) => Ok(file.put(line.as_bytes())?),
        None => console::data(&line),
    }
}

/// The bytes of the replies, if they are a file that has its bytes already.
fn size(path: &Path) -> Result<u64, Failure> {
    let name = path.display();
    match std::fs::metadata(path) {
        _ if path == Path::new("-") => Ok(0),
        Ok(there) if there.is_dir() => {
            Err(Failure::Input(format!("{name} is a folder: name a file in it")))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::Input(format!("there is no file {name}")))
        }
        there => Ok(there.map_or(0, |there| there.len())),
    }
}

/// What the replies are called.
fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

fn cannot_read(path: &Path, at: &str, error: std::io::Error) -> Failure {
    if error.kind() == ErrorKind::FileTooLarge {
        let most = lines::BYTES_MAX;
        return Failure::Input(format!("{at} has more than {most} bytes: no reply is so long"));
    }
    Failure::Machine(anyhow::Error::new(error).context(format!("cannot read {}", shown(path))))
}

/// The reply of a line; none for a blank one.
fn parse(line: &[u8], at: &str) -> Result<Option<Row>, Failure> {
    let text = std::str::from_utf8(line).map_err(|error| {
        Failure::Input(format!("{at} is not UTF-8 from its byte {}", error.valid_up_to()))
    })?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    Row::parse(text, at).map(Some)
}

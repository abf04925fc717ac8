//! `cookc judge`: replies to a template's prompts, scored rule by rule.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::console::{STRONG, styled};
use super::load::Template;
use super::options::{self, Engine, Format, Samples};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::audit::percent;
use crate::data::generate::Stopped;
use crate::data::judge::{Judge as Judging, Verdict};
use crate::data::sinks::Sink;

const HELP: &str = r#"Examples:
  cookc judge std:retrieval replies.jsonl --seed 7 --split eval
  cookc judge my.cook replies.jsonl --level hard --format json -o scores.jsonl

Each line of replies.jsonl is {"index": 17, "reply": "…"}: a reply to the sample with that index
of the same seed, split, level and parameters. Without an index, it is the line's number from 0.
Other keys do not matter, but a "seed", "level" or "template" that is another one is an error: so
rows of cookc generate can be judged as they are.

With --format json, each reply is a line {"index", "scores": {rule: score}, "score": the mean,
"exact": true if all rules hold in full, "unreadable": null or why}, and the last line is
{"summary": {"replies", "scores": {rule: mean}, "score", "exact": share, "unreadable": share}}.
-o writes these lines to a file."#;

/// Score replies with the template's own rules
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Judge {
    #[command(flatten)]
    template: options::Template,
    /// The replies, one JSON object a line
    #[arg(value_name = "REPLIES")]
    replies: PathBuf,
    #[command(flatten)]
    samples: Samples,
    /// Write a line a reply and the summary to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What runs the rules
    #[arg(long, default_value = "native")]
    engine: Engine,
    /// For people or for tools
    #[arg(long, default_value = "text")]
    format: Format,
}

/// A line of the replies.
#[derive(Debug, Deserialize)]
struct Line {
    reply: String,
    index: Option<u64>,
    seed: Option<u64>,
    level: Option<String>,
    template: Option<String>,
}

/// Judges each line, then tells the means.
pub fn run(command: &Judge) -> Result<(), Failure> {
    let template = Template::read(&command.template.file)?;
    let maker = template.maker(&command.template.choice, command.engine)?;
    let cancel = options::interrupt()?;
    let (file, bytes) = open(&command.replies)?;
    let mut file_sink = command.out.as_deref().map(Sink::file).transpose()?;
    let to_stdout = command.format == Format::Json && command.out.is_none();
    let seed = command.samples.seed;
    let mut memory = maker.memory(command.samples.split.name(), seed);
    let judging = Judging::new(&maker);
    let mut sums = Sums::new(&judging);
    let progress = Progress::new(bytes, "judging");
    for (number, line) in file.split(b'\n').enumerate() {
        if cancel.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
        let line = line.map_err(|error| cannot_read(&command.replies, error))?;
        progress.add(line.len() as u64 + 1);
        let at = format!("{} line {}", command.replies.display(), number + 1);
        let Some(line) = parse(&line, &at)? else { continue };
        line.belongs(&at, seed, maker.level(), &maker.program().name)?;
        let index = line.index.unwrap_or(number as u64);
        maker.sample(&mut memory, index).map_err(|fault| {
            template.stopped(maker.program(), seed, Stopped::Fault(index, fault))
        })?;
        let verdict = judging.judge(&line.reply, &mut memory);
        sums.add(&verdict);
        if file_sink.is_some() || to_stdout {
            put(&mut file_sink, &sums.line(index, &verdict))?;
        }
    }
    progress.finish();
    if file_sink.is_some() || to_stdout {
        put(&mut file_sink, &sums.summary())?;
    }
    file_sink.map_or(Ok(()), Sink::finish)?;
    match command.format {
        Format::Json if command.out.is_some() => console::data(&format!("{}\n", sums.summary())),
        Format::Json => Ok(()),
        Format::Text => console::print(&sums.text()),
    }
}

/// A line goes to the file, or, where there is none, to standard output.
fn put(sink: &mut Option<Sink>, line: &Value) -> Result<(), Failure> {
    let line = format!("{line}\n");
    match sink {
        Some(sink) => Ok(sink.put(line.as_bytes())?),
        None => console::data(&line),
    }
}

fn open(path: &Path) -> Result<(BufReader<File>, u64), Failure> {
    let name = path.display();
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => {
            Err(Failure::Input(format!("{name} is a folder: name a file in it")))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::Input(format!("there is no file {name}")))
        }
        there => {
            let bytes = there.map_or(0, |there| there.len());
            let file = File::open(path).map_err(|error| cannot_read(path, error))?;
            Ok((BufReader::new(file), bytes))
        }
    }
}

fn cannot_read(path: &Path, error: std::io::Error) -> Failure {
    Failure::Machine(anyhow::Error::new(error).context(format!("cannot read {}", path.display())))
}

/// The reply of a line; none for a blank one.
fn parse(line: &[u8], at: &str) -> Result<Option<Line>, Failure> {
    let text = std::str::from_utf8(line).map_err(|error| {
        Failure::Input(format!("{at} is not UTF-8 from its byte {}", error.valid_up_to()))
    })?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|error| {
        let column = error.column();
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        Failure::Input(format!(
            "{at}, column {column}: {why}; a line is {{\"index\": 0, \"reply\": \"…\"}}"
        ))
    })
}

impl Line {
    /// A row that names another run is judged against the wrong samples.
    fn belongs(&self, at: &str, seed: u64, level: &str, template: &str) -> Result<(), Failure> {
        let differs = |key: &str, found: &str, asked: &str| {
            Failure::Input(format!("{at}: its {key} is {found}, and {asked} is judged"))
        };
        match self {
            Line { seed: Some(found), .. } if *found != seed => {
                Err(differs("seed", &found.to_string(), &format!("--seed {seed}")))
            }
            Line { level: Some(found), .. } if found != level => {
                Err(differs("level", found, &format!("--level {level}")))
            }
            Line { template: Some(found), .. } if found != template => {
                Err(differs("template", found, template))
            }
            _ => Ok(()),
        }
    }
}

/// The sums over all replies.
struct Sums {
    rules: Vec<String>,
    scores: Vec<f64>,
    replies: u64,
    exact: u64,
    unreadable: u64,
    /// Why the first of them is.
    why: Option<String>,
}

impl Sums {
    fn new(judging: &Judging) -> Sums {
        let rules: Vec<String> = judging.rules().iter().map(|rule| rule.to_string()).collect();
        let scores = vec![0.0; rules.len()];
        Sums { rules, scores, replies: 0, exact: 0, unreadable: 0, why: None }
    }

    fn add(&mut self, verdict: &Verdict) {
        self.replies += 1;
        self.exact += u64::from(verdict.exact());
        for (sum, score) in self.scores.iter_mut().zip(&verdict.scores) {
            *sum += score;
        }
        if let Some(why) = &verdict.unreadable {
            self.unreadable += 1;
            self.why.get_or_insert_with(|| why.to_string());
        }
    }

    fn line(&self, index: u64, verdict: &Verdict) -> Value {
        json!({
            "index": index,
            "scores": self.by_rule(&verdict.scores),
            "score": verdict.mean(),
            "exact": verdict.exact(),
            "unreadable": verdict.unreadable.as_ref().map(|why| why.to_string()),
        })
    }

    fn summary(&self) -> Value {
        let means = self.means();
        json!({"summary": {
            "replies": self.replies,
            "scores": self.by_rule(&means),
            "score": means.iter().sum::<f64>() / means.len().max(1) as f64,
            "exact": self.share(self.exact as f64),
            "unreadable": self.share(self.unreadable as f64),
        }})
    }

    fn text(&self) -> String {
        let means = self.means();
        let mut table = console::table(&["rule", "mean"]);
        for (rule, mean) in self.rules.iter().zip(&means) {
            table.add_row([rule.clone(), format!("{mean:.4}")]);
        }
        let mean = means.iter().sum::<f64>() / means.len().max(1) as f64;
        let replies = match self.replies {
            1 => "1 reply".to_string(),
            replies => format!("{replies} replies"),
        };
        let exact = percent(self.share(self.exact as f64));
        let head = format!("{replies}: mean {mean:.4}, exact {exact}");
        let mut text = format!("{table}\n{}\n", styled(STRONG, head));
        if let Some(why) = &self.why {
            text += &format!("{} cannot be read; the first: {why}\n", self.unreadable);
        }
        text
    }

    fn means(&self) -> Vec<f64> {
        self.scores.iter().map(|&sum| self.share(sum)).collect()
    }

    fn share(&self, sum: f64) -> f64 {
        sum / self.replies.max(1) as f64
    }

    fn by_rule(&self, scores: &[f64]) -> Value {
        let rules = self.rules.iter().zip(scores);
        rules.map(|(rule, &score)| (rule.clone(), Value::from(score))).collect()
    }
}

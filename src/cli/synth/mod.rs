//! `cookc synth`: a template found from examples.

mod rows;
mod said;
mod train;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, value_parser};
use serde_json::{Map, Value, json};

use super::Failure;
use super::console;
use super::options::{self, Format};
use super::progress::Progress;
use super::typed::Typed;
use crate::data::Split;
use crate::search::{self, Budget, Examples, Expression, Known, Outcome, Question, Verdict, Width};
use crate::template::Template;
use rows::Records;

/// How long a search is where a built-in template explains the rows.
const SECONDS_BESIDE_KNOWN: f64 = 2.0;
/// The samples of the audit, as of `cookc test`.
const AUDITED: u64 = 1000;
/// Between two looks at the search.
const TICK: Duration = Duration::from_millis(100);

const HELP: &str = r#"Examples:
  cookc synth rows.jsonl                                    the last column follows from the others
  cookc synth rows.jsonl --inputs words,count --output answer -o new.cook
  cookc synth rows.csv -o new.cook --interactive
  cookc synth rows.jsonl --fill others.jsonl > filled.jsonl
  cookc synth rows.csv -o new.cook --train new.toml         a recipe that names new.cook

EXAMPLES has a row an example: JSON lines, CSV, Parquet or Arrow. A value is a number, a boolean, a
text, or a list of them; a text with spaces is a list of words. cookc looks for the shortest
expression of the language that gives the output of each row from its inputs, and writes a template
whose draws make such inputs.

The templates that are built in are looked at first: where the rules of one hold of all rows, it is
named, with its values and their columns, and the search has --seconds of at most two.

The template draws what the rows have, and more of it where it would not pass `cookc test`
otherwise. What is said of it: `check`, `test` (at all levels), and `new`, if no built-in template's
rules hold of 1,000 samples of it. --train adds what a model learns of it.

Where several rules explain all rows, an input is shown on which they differ: add its row with the
right output, and search again; --interactive asks for it. --fill writes the rows of another file
with the output that the rule gives.

With --json: {"known": [{"template", "level", "map": {value: column}}], "rule", "explained",
"rows", "others": [rule], "question": null or {"inputs", "outputs": {rule: output}}, "gates":
[{"gate", "passes", "why", "level"}], "template", "computed", "seconds", "is_cut"}. The
exit code is 1 where nothing explains all rows; "rule" is then the one that explains most of them,
or null."#;

/// Find the shortest rule that explains examples, and write it as a template
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Synth {
    /// The examples: JSON lines, CSV, Parquet, Arrow, or a folder of such files
    #[arg(value_name = "EXAMPLES")]
    data: PathBuf,
    /// The columns that are given [default: all others]
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    inputs: Vec<String>,
    /// The column that follows from them [default: the last one]
    #[arg(long, value_name = "COLUMN")]
    output: Option<String>,
    /// Write the template to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A built-in template that is not looked at; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    without: Vec<String>,
    /// Write the rows of this file with the output that the rule gives
    #[arg(long, value_name = "FILE")]
    fill: Option<PathBuf>,
    /// How long to search
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    seconds: f64,
    /// The most memory that the search takes
    #[arg(long, value_name = "MB", default_value_t = 1024, value_parser = megabytes())]
    megabytes: u64,
    /// Ask which output is right where rules differ, and search again with the answer
    #[arg(short, long, conflicts_with_all = ["json", "format"])]
    interactive: bool,
    /// Train a model on the template, by a recipe that names the file
    #[arg(long, value_name = "RECIPE", requires = "out")]
    train: Option<PathBuf>,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

fn megabytes() -> RangedU64ValueParser {
    value_parser!(u64).range(16..=65_536)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 0.01 to 86400".to_string()),
    }
}

/// Searches, then writes what was found.
pub fn run(command: &Synth) -> Result<(), Failure> {
    let (mut rows, all) = rows::read(&command.data)?;
    let (inputs, output) = rows::columns(command, &all)?;
    let examples_of = |rows: &Records| {
        Examples::of(rows, &inputs, &output)
            .map_err(|unfit| Failure::Input(rows::unfit_text(&command.data, &unfit, rows)))
    };
    let mut examples = examples_of(&rows)?;
    train::expect_named(command)?;
    let mut file =
        command.out.as_deref().map(|out| options::output(out, &command.data)).transpose()?;
    let stop = options::interrupt()?;
    let typed = command.interactive.then(Typed::start);
    let found = loop {
        let found = Found::of(command, &examples, stop)?;
        let (Some(typed), Some(question)) = (&typed, &found.question) else { break found };
        let Some(row) = answered(question, &examples, typed, stop)? else { break found };
        console::note(&format!("added {}", Value::Object(row.clone())));
        rows.push(row);
        examples = examples_of(&rows)?;
    };
    if command.is_json() {
        console::data(&format!("{}\n", said::json_of(&found, &examples)))?;
    }
    let Some(text) = &found.text else {
        return Err(Failure::Input(said::partly(&found.outcome, &examples)));
    };
    if !command.is_json() {
        found.known.iter().for_each(|known| console::note(&said::known(known, command)));
        if let Some(rule) = found.rule(&examples) {
            console::note(&said::rule(rule, &examples));
            if let (Some(question), None, None) = (&found.question, &typed, &command.fill) {
                console::note(&said::question(question, &examples));
                console::note("add the row with the right output, and search again");
            }
            if command.fill.is_none() {
                console::note(&said::verdicts(&found.verdicts));
            }
        }
    }
    if let Some(mut file) = file.take() {
        file.put(text.as_bytes())?;
        file.finish()?;
    } else if command.fill.is_none() && !command.is_json() {
        console::print(text)?;
    }
    match (&command.fill, found.rule(&examples)) {
        (Some(others), Some(rule)) => rows::fill(others, rule, &examples)?,
        (Some(_), None) => return Err(Failure::Input(
            "only rules were found that tell right outputs from others, so none can be filled in: \
             `cookc align` scores them"
                .to_string(),
        )),
        (None, _) => {}
    }
    train::train(command)?;
    Ok(())
}

/// What was found for some examples.
struct Found {
    known: Vec<Known>,
    outcome: Outcome,
    /// The template: of the rule, or the one that is known.
    text: Option<String>,
    /// What the gates say of it, where it is the rule's.
    verdicts: Vec<Verdict>,
    question: Option<Question>,
}

impl Found {
    fn of(command: &Synth, examples: &Examples, stop: &AtomicBool) -> Result<Found, Failure> {
        let is_wanted = |name: &str| {
            !command.without.iter().any(|one| one.strip_prefix("std:").unwrap_or(one) == name)
        };
        let known = search::known(examples, &is_wanted, stop);
        let most = if known.is_empty() { f64::INFINITY } else { SECONDS_BESIDE_KNOWN };
        let time = Duration::from_secs_f64(command.seconds.min(most));
        let outcome = explain(examples, Budget { time, megabytes: command.megabytes }, stop);
        let (text, verdicts) = (None, Vec::new());
        let mut found = Found { known, outcome, text, verdicts, question: None };
        let name = command.out.as_deref().and_then(|out| out.file_stem()?.to_str());
        (found.text, found.verdicts) = match (found.rule(examples), found.known.first()) {
            // Rows are filled in by the rule alone.
            (Some(rule), _) if command.only_fills() => {
                (Some(search::template(examples, rule, Width::OWN)), Vec::new())
            }
            (Some(rule), _) => {
                let name = name.unwrap_or("found");
                let (text, verdicts) = search::fitted(name, rule, examples, AUDITED, stop);
                (Some(text), verdicts)
            }
            (None, Some(known)) => {
                let template = Template::named(&known.template)?;
                (Some(template.source().text.to_string()), Vec::new())
            }
            (None, None) => (None, Vec::new()),
        };
        found.question = match (&found.text, found.rule(examples)) {
            _ if found.verdicts.is_empty() => None,
            (Some(text), Some(rule)) => question(text, rule, &found.outcome.others, examples),
            _ => None,
        };
        Ok(found)
    }

    /// The rule that explains all examples.
    fn rule(&self, examples: &Examples) -> Option<&Expression> {
        self.outcome.rule.as_ref().filter(|_| self.outcome.explained == examples.len())
    }
}

impl Synth {
    /// Is the rule all that is asked for?
    fn only_fills(&self) -> bool {
        self.fill.is_some() && self.out.is_none() && !self.interactive
    }

    fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }
}

/// Searches, and shows how long it may take.
fn explain(examples: &Examples, budget: Budget, stop: &AtomicBool) -> Outcome {
    let ticks = budget.time.as_millis().div_ceil(TICK.as_millis());
    let progress = Progress::lasting(ticks as u64, "searching");
    let here = thread::current();
    let outcome = thread::scope(|scope| {
        let search = scope.spawn(|| {
            let outcome = search::explain(examples, budget, stop);
            here.unpark();
            outcome
        });
        while !search.is_finished() {
            thread::park_timeout(TICK);
            progress.add(1);
        }
        search.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    progress.finish();
    outcome
}

/// The row of a question, with the output that the user takes for right; none if the user wants no
/// more.
fn answered(
    question: &Question,
    examples: &Examples,
    typed: &Typed,
    stop: &AtomicBool,
) -> Result<Option<Map<String, Value>>, Failure> {
    console::note(&said::question(question, examples));
    loop {
        console::note("which is right? its number, or `=` and the right output; nothing to end");
        let Some(line) = typed.next(stop)? else { return Ok(None) };
        let output = match (line.trim(), line.trim().strip_prefix('=')) {
            ("", _) => return Ok(None),
            (_, Some(written)) => {
                let written = written.trim();
                serde_json::from_str(written).unwrap_or_else(|_| json!(written))
            }
            (number, None) => {
                let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                match place.and_then(|place| question.answers.get(place)) {
                    Some((_, output)) => output.clone(),
                    None => continue,
                }
            }
        };
        if let Err(unfit) = examples.output.value(&output) {
            console::note(&rows::unfit_text("the answer".as_ref(), &unfit, &[]));
            continue;
        }
        let mut row = question.inputs.clone();
        row.insert(examples.output.name.clone(), output);
        return Ok(Some(row));
    }
}

/// An input on which the rule and another one differ: drawn by the template.
fn question(
    text: &str,
    rule: &Expression,
    others: &[Expression],
    examples: &Examples,
) -> Option<Question> {
    let template = Template::parse("found.cook", text).ok()?;
    let sampler = template.compile().ok()?;
    let samples = sampler.samples(Split::Train, 0, 0..500).map_while(Result::ok);
    search::question(rule, others, examples, samples.map(|sample| sample.fields))
}

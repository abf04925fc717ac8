//! `cookc synth`: a template found from examples.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, value_parser};
use serde_json::{Map, Value, json};

use super::console::{self, FAINT, STRONG, styled};
use super::options::{self, Format};
use super::{Failure, console::count};
use crate::data::Split;
use crate::diagnostic::near_miss;
use crate::rows::Rows;
use crate::search::{
    self, Budget, Evaluator, Examples, Expression, Known, Outcome, Question, Unfit,
};
use crate::template::Template;

/// Rows of a longer file that are read.
const ROWS_MAX: usize = 10_000;

type Records = Vec<Map<String, Value>>;

/// How long a search is where a built-in template explains the rows.
const SECONDS_BESIDE_KNOWN: f64 = 2.0;

const HELP: &str = r#"Examples:
  cookc synth rows.jsonl                                    the last column follows from the others
  cookc synth rows.jsonl --inputs words,count --output answer -o new.cook
  cookc synth rows.jsonl --fill others.jsonl > filled.jsonl

EXAMPLES has a row an example: JSON lines, Parquet or Arrow. A value is a number, a boolean, a text,
or a list of them; a text with spaces is a list of words. cookc looks for the shortest expression of
the language that gives the output of each row from its inputs, and writes a template whose draws
make such inputs.

The templates that are built in are looked at first: where the rules of one hold of all rows, it is
named, with its values and their columns, and the search has --seconds of at most two.

Where several rules explain all rows, an input is shown on which they differ: add its row with the
right output, and search again. --fill writes the rows of another file with the output that the rule
gives.

With --json: {"known": [{"template", "level", "map": {value: column}}], "rule", "explained",
"rows", "others": [rule], "question": null or {"inputs", "outputs": {rule: output}}, "template",
"computed", "seconds", "is_cut"}. The exit code is 1 where nothing explains all rows; "rule" is then
the one that explains most of them, or null."#;

/// Find the shortest rule that explains examples, and write it as a template
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Synth {
    /// The examples: JSON lines, Parquet, Arrow, or a folder of such files
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
    let (rows, all) = read(&command.data)?;
    let (inputs, output) = columns(command, &all)?;
    let examples = Examples::of(&rows, &inputs, &output)
        .map_err(|unfit| Failure::Input(unfit_text(&command.data, &unfit, &rows)))?;
    let mut file =
        command.out.as_deref().map(|out| options::output(out, &command.data)).transpose()?;
    let stop = options::interrupt()?;
    let without = command.without.iter().map(|name| name.trim_start_matches("std:").to_string());
    let known = search::known(&examples, &without.collect::<Vec<_>>(), stop);
    let most = if known.is_empty() { f64::INFINITY } else { SECONDS_BESIDE_KNOWN };
    let time = Duration::from_secs_f64(command.seconds.min(most));
    let outcome = search::explain(&examples, Budget { time, megabytes: command.megabytes }, stop);
    let rule = outcome.rule.as_ref().filter(|_| outcome.explained == examples.len());
    let text = match (rule, known.first()) {
        (Some(rule), _) => Some(search::template(&examples, rule)),
        (None, Some(known)) => Some(Template::named(&known.template)?.source().text.to_string()),
        (None, None) => None,
    };
    let question = match (&text, rule) {
        (Some(text), Some(rule)) => question(text, rule, &outcome.others, &examples),
        _ => None,
    };
    let is_json = command.json || command.format == Format::Json;
    if is_json {
        let json = json_of(&known, &outcome, &examples, question.as_ref(), &text);
        console::data(&format!("{json}\n"))?;
    }
    let Some(text) = text else { return Err(Failure::Input(partly(&outcome, &examples))) };
    if !is_json {
        known.iter().for_each(|known| console::note(&known_text(known, command)));
        if rule.is_some() {
            console::note(&said(&outcome, &examples, question.as_ref()));
        }
    }
    if let Some(mut file) = file.take() {
        file.put(text.as_bytes())?;
        file.finish()?;
    } else if command.fill.is_none() && !is_json {
        console::print(&text)?;
    }
    match (&command.fill, rule) {
        (Some(others), Some(rule)) => fill(others, rule, &examples),
        (Some(_), None) => Err(Failure::Input(
            "only rules were found that tell right outputs from others, so none can be filled in: \
             `cookc align` scores them"
                .to_string(),
        )),
        (None, _) => Ok(()),
    }
}

/// The command that scores rows by a template whose rules hold.
fn known_text(known: &Known, command: &Synth) -> String {
    let map = known.map.iter().map(|(value, column)| format!("{value}={column}"));
    let map = map.collect::<Vec<_>>().join(",");
    let level = match known.level.as_str() {
        "default" => String::new(),
        level => format!(" --level {level}"),
    };
    let (name, data) = (&known.template, command.data.display());
    format!(
        "the rules of {} hold of all rows\n  cookc align {name}{level} {data} --map {map}",
        styled(STRONG, name)
    )
}

/// The rows, and the names of their columns.
fn read(path: &Path) -> Result<(Records, Vec<String>), Failure> {
    let rows = Rows::open(path)?;
    let columns = rows.columns().to_vec();
    let rows: Result<Vec<_>, _> = rows.take(ROWS_MAX).collect();
    let rows: Vec<_> = rows?.into_iter().map(|row| row.values).collect();
    if rows.len() == ROWS_MAX {
        console::note(&format!("the first {ROWS_MAX} rows are read"));
    }
    Ok((rows, columns))
}

/// The names of the inputs and of the output.
fn columns(command: &Synth, all: &[String]) -> Result<(Vec<String>, String), Failure> {
    for name in command.inputs.iter().chain(&command.output) {
        if !all.contains(name) {
            let others = all.iter().map(String::as_str);
            let meant = near_miss(name, others).map_or_else(
                || format!("it has {}", all.join(", ")),
                |other| format!("write `{other}`"),
            );
            let file = command.data.display();
            return Err(Failure::Input(format!("{file} has no column `{name}`: {meant}")));
        }
    }
    let output = command
        .output
        .clone()
        .or_else(|| all.iter().rev().find(|name| !command.inputs.contains(name)).cloned());
    let output = output.ok_or_else(|| {
        Failure::Input("no column is left for the output: name it with --output".to_string())
    })?;
    let others = || all.iter().filter(|name| **name != output).cloned().collect();
    let inputs = if command.inputs.is_empty() { others() } else { command.inputs.clone() };
    if inputs.is_empty() {
        let advice = "there is one column, and a rule needs one that is given";
        return Err(Failure::Input(format!("{}: {advice}", command.data.display())));
    }
    if inputs.contains(&output) {
        return Err(Failure::Usage(format!("`{output}` is an input and the output")));
    }
    Ok((inputs, output))
}

fn unfit_text(path: &Path, unfit: &Unfit, rows: &[Map<String, Value>]) -> String {
    let file = path.display();
    match unfit {
        Unfit::Missing(row, name, has) => {
            format!("{file}: row {row} has no column `{name}`; it has {}", has.join(", "))
        }
        Unfit::Kind(row, name, expected, found) => {
            format!(
                "{file}: row {row}: `{name}` is {found}; expected {expected}, as in the rows before"
            )
        }
        Unfit::Contradiction(first, second) => {
            let row = |number: &usize| json!(rows[number - 1]).to_string();
            format!(
                "{file}: rows {first} and {second} have the same inputs and different outputs\n  \
                 {}\n  {}\nleave one of them out",
                row(first),
                row(second)
            )
        }
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

fn partly(outcome: &Outcome, examples: &Examples) -> String {
    let (all, names) = (count(examples.len(), "example"), examples.names());
    let why = match outcome.is_cut {
        true => "until the time was over; --seconds gives it more",
        false => "within the memory; --megabytes gives it more",
    };
    match &outcome.rule {
        None => format!("no rule was found that explains any of the {all} {why}"),
        Some(rule) => format!(
            "no rule was found that explains all {all} {why}\n{} of them are explained by\n  {}",
            outcome.explained,
            rule.written(&names)
        ),
    }
}

fn said(outcome: &Outcome, examples: &Examples, question: Option<&Question>) -> String {
    let names = &examples.names();
    let rule = outcome.rule.as_ref().map(|rule| rule.written(names)).unwrap_or_default();
    let count = count(examples.len(), "example");
    let mut text = format!(
        "{} = {}\n{}",
        examples.output.name,
        styled(STRONG, rule),
        styled(FAINT, format!("explains {count}"))
    );
    if let Some(question) = question {
        _ = write!(text, "\nwhich is right for {}?", json!(question.inputs));
        for (rule, output) in &question.answers {
            _ = write!(text, "\n  {}: {}", json!(output), rule.written(names));
        }
        text += "\nadd the row with the right output, and search again";
    }
    text
}

fn json_of(
    known: &[Known],
    outcome: &Outcome,
    examples: &Examples,
    question: Option<&Question>,
    template: &Option<String>,
) -> Value {
    let names = examples.names();
    let written = |rule: &Expression| rule.written(&names);
    let question = question.map(|question| {
        let answers = question.answers.iter();
        let outputs: Map<String, Value> =
            answers.map(|(rule, output)| (written(rule), json!(output))).collect();
        json!({"inputs": question.inputs, "outputs": outputs})
    });
    let known = known.iter().map(|known| {
        let map: Map<String, Value> =
            known.map.iter().map(|(value, column)| (value.clone(), json!(column))).collect();
        json!({"template": known.template, "level": known.level, "map": map})
    });
    json!({
        "known": known.collect::<Vec<_>>(),
        "rule": outcome.rule.as_ref().map(written),
        "explained": outcome.explained,
        "rows": examples.len(),
        "others": outcome.others.iter().map(written).collect::<Vec<_>>(),
        "question": question,
        "template": template,
        "computed": outcome.computed,
        "seconds": outcome.time.as_secs_f64(),
        "is_cut": outcome.is_cut,
    })
}

/// Writes rows with the output that the rule gives.
fn fill(path: &Path, rule: &Expression, examples: &Examples) -> Result<(), Failure> {
    let mut evaluator = Evaluator::new();
    for row in Rows::open(path)? {
        let row = row?;
        let output =
            search::filled(rule, examples, &row.values, &mut evaluator).map_err(|unfit| {
                Failure::Input(unfit_text(path, &unfit.in_row(row.number as usize), &[]))
            })?;
        let mut values = row.values;
        values.insert(examples.output.name.clone(), output);
        console::data(&format!("{}\n", Value::Object(values)))?;
    }
    Ok(())
}

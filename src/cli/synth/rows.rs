//! The rows of a search: read, and filled in.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Synth;
use crate::cli::{Failure, console};
use crate::diagnostic::near_miss;
use crate::rows::Rows;
use crate::search::{self, Evaluator, Examples, Expression, Unfit};

/// Rows of a longer file that are read.
const ROWS_MAX: usize = 10_000;

/// Rows as they were read.
pub type Records = Vec<Map<String, Value>>;

/// The rows, and the names of their columns.
pub fn read(path: &Path) -> Result<(Records, Vec<String>), Failure> {
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
pub fn columns(command: &Synth, all: &[String]) -> Result<(Vec<String>, String), Failure> {
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

/// What is wrong with rows, for people.
pub fn unfit_text(path: &Path, unfit: &Unfit, rows: &[Map<String, Value>]) -> String {
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

/// Writes rows with the output that the rule gives.
pub fn fill(path: &Path, rule: &Expression, examples: &Examples) -> Result<(), Failure> {
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

//! Whether examples obey the rules of a template of the standard library.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde_json::Value as Json;

use super::examples::{Column, Examples};
use super::kind::{Kind, Scalar};
use crate::check::roles;
use crate::check::types::Type;
use crate::data::normalize::{Keep, Normalization};
use crate::data::row_judge::{Reply, RowJudge};
use crate::stdlib;
use crate::template::Template;

/// Values of a template that are given names of the examples in every way, at most.
const VALUES_MAX: usize = 4;
/// So few examples are explained by many a template.
const EXAMPLES_MIN: usize = 3;
/// Examples whose outputs are exchanged, to see that the rules tell outputs apart.
const EXCHANGED_MAX: usize = 12;

/// A template whose rules hold of all examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name, such as `std:retrieval`.
    pub template: String,
    /// The level at which they hold.
    pub level: String,
    /// Its values, each with the column of the examples that is in its place.
    pub map: Vec<(String, String)>,
}

/// The templates of the standard library whose rules hold of all examples, and not of most with the
/// outputs of others, in the order of their names. Only those are looked at whose name is `wanted`.
pub fn known(
    examples: &Examples,
    wanted: &(dyn Fn(&str) -> bool + Sync),
    stop: &AtomicBool,
) -> Vec<Known> {
    if examples.len() < EXAMPLES_MIN {
        return Vec::new();
    }
    let is_over = || stop.load(Ordering::Relaxed);
    let rows = Rows::of(examples);
    let names: Vec<&str> = stdlib::TEMPLATES.iter().map(|(name, _)| *name).collect();
    let found: Vec<Vec<Known>> = names
        .into_par_iter()
        .filter(|name| wanted(name))
        .map(|name| if is_over() { Vec::new() } else { at_levels(name, examples, &rows) })
        .collect();
    found.into_iter().flatten().collect()
}

/// The values of the examples by columns.
struct Rows {
    inputs: Vec<Vec<Json>>,
    outputs: Vec<Json>,
}

impl Rows {
    fn of(examples: &Examples) -> Rows {
        // Words as the text that they came in: a template's value may be that text.
        let column = |of: &Column| of.values.iter().map(|value| of.json(value)).collect();
        let inputs = examples.inputs.iter().map(column).collect();
        Rows { inputs, outputs: column(&examples.output) }
    }
}

/// The first level of a template at which its rules hold.
fn at_levels(name: &str, examples: &Examples, rows: &Rows) -> Vec<Known> {
    let Ok(template) = Template::builtin(name) else { return Vec::new() };
    // What is compiled only to be left out would take most of the time.
    let outputs = roles::outputs(template.typed());
    let mut kinds = outputs.iter().map(|&output| &template.typed().locals[output].kind);
    let fits_one = kinds.next().is_some_and(|kind| fits(examples.output.kind, kind));
    if !fits_one || kinds.next().is_some() {
        return Vec::new();
    }
    let levels: Vec<String> = template.levels().map(String::from).collect();
    for level in std::iter::once("default".to_string()).chain(levels) {
        let Ok(sampler) = template.level(&level).compile() else { continue };
        let keep = Keep { case: true, marks: true, punctuation: true, stop_words: true };
        let judge = RowJudge::new(sampler.inner(), Normalization::new(keep));
        let inputs: Vec<String> = judge.inputs().map(|input| input.name).collect();
        let outputs: Vec<String> = judge.outputs().map(|output| output.name).collect();
        let ([output], false) = (&outputs[..], judge.needs_reply()) else { return Vec::new() };
        if inputs.len() > examples.inputs.len() || judge.inputs().any(|input| !input.is_shown) {
            return Vec::new();
        }
        for order in orders(&inputs, examples) {
            if !holds(&judge, &order, rows) {
                continue;
            }
            let columns = order.iter().map(|&at| examples.inputs[at].name.clone());
            let mut map: Vec<(String, String)> = inputs.iter().cloned().zip(columns).collect();
            map.push((output.clone(), examples.output.name.clone()));
            return vec![Known { template: format!("std:{name}"), level, map }];
        }
    }
    Vec::new()
}

/// May a value of this kind be one of the template's? A word may be a list of one, and a boolean
/// may be `yes` or `no`.
fn fits(kind: Kind, of: &Type) -> bool {
    let (mut scalar, mut depth) = (of, 0);
    while let Some(element) = scalar.element() {
        (scalar, depth) = (element, depth + 1);
    }
    match (kind.scalar, scalar) {
        (Scalar::Int, Type::Int) | (Scalar::Bool, Type::Bool) => kind.depth == depth,
        (Scalar::Text, Type::Text | Type::Token) => {
            kind.depth == depth || kind.depth.max(depth) == 1
        }
        (Scalar::Bool, Type::Text) => kind.depth == depth,
        _ => false,
    }
}

/// The columns for the values: those of their own names, or all ways in which none is left.
fn orders(values: &[String], examples: &Examples) -> Vec<Vec<usize>> {
    let place = |value: &String| examples.inputs.iter().position(|input| input.name == *value);
    let own: Option<Vec<usize>> = values.iter().map(place).collect();
    if let Some(own) = own {
        return vec![own];
    }
    if values.len() > VALUES_MAX || values.len() != examples.inputs.len() {
        return Vec::new();
    }
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in values {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                let free = (0..examples.inputs.len()).filter(|at| !order.contains(at));
                free.map(|at| [&order[..], &[at]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    orders
}

fn holds(judge: &RowJudge, order: &[usize], rows: &Rows) -> bool {
    let mut room = judge.room();
    let mut is_right = |row: usize, output: usize| {
        let inputs: Vec<&Json> = order.iter().map(|&at| &rows.inputs[at][row]).collect();
        let values = [&rows.outputs[output]];
        let verdicts = judge.judge(&inputs, &[Reply::Values(&values)], &mut room);
        verdicts.is_ok_and(|verdicts| {
            verdicts.iter().flatten().all(|verdict| {
                verdict.unreadable.is_none() && verdict.scores.iter().all(|&score| score == 1.0)
            })
        })
    };
    let count = rows.outputs.len();
    if !(0..count).all(|row| is_right(row, row)) {
        return false;
    }
    let exchanged: Vec<(usize, usize)> = (0..count)
        .map(|row| (row, (row + 1) % count))
        .filter(|&(row, other)| rows.outputs[row] != rows.outputs[other])
        .take(EXCHANGED_MAX)
        .collect();
    let right = exchanged.iter().filter(|&&(row, other)| is_right(row, other)).count();
    !exchanged.is_empty() && 2 * right < exchanged.len()
}

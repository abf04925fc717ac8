//! What a template that was found must pass before it is kept: what one written by hand must.

use std::fmt;
use std::sync::atomic::AtomicBool;

use super::examples::{Column, Examples};
use super::known::known;
use crate::data::audit::{Settings, affordable, audit, findings, is_denied};
use crate::data::generate::Stopped;
use crate::data::{Event, Observer, Split};
use crate::template::Template;

/// The seed of the audits.
const SEED: u64 = 0;
/// Samples on which a template is compared with those that are built in.
const COMPARED: u64 = 24;

/// Which gate refused a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Gate {
    /// `cookc check`, at each level.
    Check,
    /// `cookc test`, at each level.
    Test,
    /// The rules of a built-in template hold of its samples: it is not new.
    New,
    /// The user stopped it.
    Stopped,
}

/// Why a template is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which gate it was.
    pub gate: Gate,
    /// What it said: the code of a finding, or a name.
    pub why: String,
}

impl Refusal {
    fn new(gate: Gate, why: impl fmt::Display) -> Refusal {
        Refusal { gate, why: why.to_string() }
    }
}

/// Takes a template through all gates.
///
/// # Errors
/// The first gate that refuses it.
pub fn admit(
    name: &str,
    text: &str,
    examples: &Examples,
    samples: u64,
    stop: &AtomicBool,
) -> Result<Template, Refusal> {
    let template = Template::parse(&format!("{name}.cook"), text)
        .map_err(|error| Refusal::new(Gate::Check, error))?;
    if let Some(lint) = template.lints().first() {
        return Err(Refusal::new(Gate::Check, lint.code));
    }
    let observer = Observer { cancel: stop, event: &|_: Event| {} };
    let levels: Vec<String> = template.levels().map(String::from).collect();
    for level in std::iter::once("default".to_string()).chain(levels) {
        let sampler = template.level(&level).compile();
        let sampler = sampler.map_err(|error| Refusal::new(Gate::Check, error))?;
        let settings = Settings { samples, seed: SEED };
        // As many as `cookc test` draws where it is not told.
        let samples = affordable(sampler.inner(), settings)
            .map_err(|_| Refusal::new(Gate::Check, "a sample cannot be drawn"))?;
        let settings = Settings { samples, seed: SEED };
        let audited = audit(template.source(), sampler.inner(), settings, &observer);
        let audited = audited.map_err(|stopped| match stopped {
            Stopped::Cancelled => Refusal::new(Gate::Stopped, ""),
            _ => Refusal::new(Gate::Check, "a sample cannot be drawn"),
        })?;
        let found = findings(&audited, sampler.inner().program());
        if let Some(finding) = found.iter().find(|one| is_denied(one.code)) {
            return Err(Refusal::new(Gate::Test, finding.code));
        }
    }
    is_new(&template, examples, stop)?;
    Ok(template)
}

/// Do no built-in template's rules hold of its samples?
fn is_new(template: &Template, examples: &Examples, stop: &AtomicBool) -> Result<(), Refusal> {
    let sampler = template.compile().map_err(|error| Refusal::new(Gate::Check, error))?;
    let samples: Result<Vec<_>, _> = sampler.samples(Split::Train, SEED, 0..COMPARED).collect();
    let samples = samples.map_err(|error| Refusal::new(Gate::Check, error))?;
    let names = super::write::names(examples);
    let column = |name: &String, of: &Column| {
        let values = samples.iter().filter_map(|sample| of.value(sample.fields.get(name)?).ok());
        Column { values: values.collect(), ..of.clone() }
    };
    let drawn = Examples {
        inputs: names
            .inputs
            .iter()
            .zip(&examples.inputs)
            .map(|(name, of)| column(name, of))
            .collect(),
        output: column(&names.output, &examples.output),
    };
    let columns = drawn.inputs.iter().chain([&drawn.output]);
    if columns.clone().any(|column| column.values.len() != samples.len()) {
        return Ok(());
    }
    match known(&drawn, &[], stop).first() {
        Some(known) => Err(Refusal::new(Gate::New, &known.template)),
        None => Ok(()),
    }
}

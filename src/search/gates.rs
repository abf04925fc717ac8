//! What a template that was found must pass before it is kept: what one written by hand must.

use std::fmt;
use std::sync::atomic::AtomicBool;

use super::examples::{Column, Examples};
use super::expression::Expression;
use super::known::known;
use super::write::{Width, names, template};
use crate::data::audit::{Settings, affordable, audit, findings, is_denied};
use crate::data::generate::Stopped;
use crate::data::{Event, Observer, Split};
use crate::diagnostic::Diagnostic;
use crate::template::{Error, Template};

/// The seed of the audits.
const SEED: u64 = 0;
/// Samples on which a template is compared with those that are built in: with all of them first,
/// then with those whose rules hold of these.
const COMPARED: [u64; 2] = [24, 1000];

/// How much wider than the examples a found template's draws are, in turn, where it would not pass.
const WIDER: [Width; 5] = [
    Width { sizes: 2, numbers: 1 },
    Width { sizes: 4, numbers: 1 },
    Width { sizes: 1, numbers: 8 },
    Width { sizes: 2, numbers: 8 },
    Width { sizes: 4, numbers: 64 },
];

/// What a template is examined for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Gate {
    /// `cookc check`, at each level.
    Check,
    /// `cookc test`, at each level.
    Test,
    /// No built-in template's rules hold of its samples.
    New,
    /// The user stopped it.
    Stopped,
}

/// Why a template is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which gate it was.
    pub gate: Gate,
    /// What it said: a finding, after its code, or names.
    pub why: String,
    /// The level, where it was not all.
    pub level: Option<String>,
}

impl Refusal {
    pub(super) fn new(gate: Gate, why: impl fmt::Display) -> Refusal {
        Refusal { gate, why: why.to_string(), level: None }
    }

    /// Of an error: its code and its title.
    fn error(gate: Gate, error: &Error) -> Refusal {
        let found = match error {
            Error::Invalid(all) => all.iter().find_map(|one| one.diagnostics.first()),
            Error::Sample { diagnostic, .. } => Some(&**diagnostic),
            _ => None,
        };
        match found {
            Some(diagnostic) => Refusal::finding(gate, diagnostic),
            None => Refusal::new(gate, error),
        }
    }

    fn finding(gate: Gate, of: &Diagnostic) -> Refusal {
        Refusal::new(gate, format!("{}: {}", of.code, of.title))
    }

    fn at(self, level: &str) -> Refusal {
        Refusal { level: Some(level.to_string()), ..self }
    }
}

/// A template that was found, and what it was found from.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// The examples whose columns its fields are named after.
    pub(super) examples: &'a Examples,
}

/// Takes a template through all gates.
///
/// # Errors
/// The first gate that refuses it.
pub(super) fn admit(
    candidate: &Candidate,
    samples: u64,
    stop: &AtomicBool,
) -> Result<Template, Refusal> {
    let template = candidate.template()?;
    let mut gates = Gate::ALL.iter();
    gates.try_for_each(|gate| gate.expect(&template, candidate.examples, samples, stop))?;
    Ok(template)
}

/// A gate, and why it refused a template, if it did.
pub type Verdict = (Gate, Option<Refusal>);

/// The template of a rule, as wide as it must be to pass, and what each gate says of it: the first
/// alone where that lets nothing through that others could look at. One that no width helps draws
/// what the examples have.
pub fn fitted(
    name: &str,
    rule: &Expression,
    examples: &Examples,
    samples: u64,
    stop: &AtomicBool,
) -> (String, Vec<Verdict>) {
    let of = |width: Width| {
        let text = template(examples, rule, width);
        let verdicts = verdicts(&Candidate { name, text: &text, examples }, samples, stop);
        (text, verdicts)
    };
    let passes = |(_, verdicts): &(String, Vec<Verdict>)| {
        verdicts.iter().all(|(gate, refusal)| *gate == Gate::New || refusal.is_none())
    };
    let own = of(Width::OWN);
    if passes(&own) {
        return own;
    }
    WIDER.into_iter().map(of).find(passes).unwrap_or(own)
}

fn verdicts(candidate: &Candidate, samples: u64, stop: &AtomicBool) -> Vec<Verdict> {
    let template = candidate.template();
    let of = |gate: Gate| match &template {
        Ok(template) => (gate, gate.expect(template, candidate.examples, samples, stop).err()),
        Err(refusal) => (gate, Some(refusal.clone())),
    };
    let check = of(Gate::Check);
    match check.1 {
        Some(_) => vec![check],
        None => vec![check, of(Gate::Test), of(Gate::New)],
    }
}

impl Candidate<'_> {
    fn template(&self) -> Result<Template, Refusal> {
        Template::parse(&format!("{}.cook", self.name), self.text)
            .map_err(|error| Refusal::error(Gate::Check, &error))
    }
}

impl Gate {
    const ALL: [Gate; 3] = [Gate::Check, Gate::Test, Gate::New];

    /// Lets a template pass, or refuses it.
    fn expect(
        self,
        template: &Template,
        examples: &Examples,
        samples: u64,
        stop: &AtomicBool,
    ) -> Result<(), Refusal> {
        match self {
            Gate::Check => checked(template),
            Gate::Test => tested(template, samples, stop),
            Gate::New => is_new(template, examples, stop),
            Gate::Stopped => Ok(()),
        }
    }
}

fn levels(template: &Template) -> impl Iterator<Item = String> {
    let levels: Vec<String> = template.levels().map(String::from).collect();
    std::iter::once("default".to_string()).chain(levels)
}

fn checked(template: &Template) -> Result<(), Refusal> {
    if let Some(lint) = template.lints().first() {
        return Err(Refusal::finding(Gate::Check, lint));
    }
    for level in levels(template) {
        let compiled = template.level(&level).compile();
        compiled.map_err(|error| Refusal::error(Gate::Check, &error).at(&level))?;
    }
    Ok(())
}

fn tested(template: &Template, samples: u64, stop: &AtomicBool) -> Result<(), Refusal> {
    let observer = Observer { cancel: stop, event: &|_: Event| {} };
    for level in levels(template) {
        let sampler = template.level(&level).compile();
        let sampler = sampler.map_err(|error| Refusal::error(Gate::Test, &error).at(&level))?;
        let cannot = |stopped| match stopped {
            Stopped::Cancelled => Refusal::new(Gate::Stopped, ""),
            _ => Refusal::new(Gate::Test, "a sample cannot be drawn").at(&level),
        };
        // As many as `cookc test` draws where it is not told.
        let settings = Settings { samples, seed: SEED };
        let samples = affordable(sampler.inner(), settings).map_err(cannot)?;
        let settings = Settings { samples, seed: SEED };
        let audited = audit(template.source(), sampler.inner(), settings, &observer);
        let found = findings(&audited.map_err(cannot)?, sampler.inner().program());
        if let Some(finding) = found.iter().find(|one| is_denied(one.code)) {
            return Err(Refusal::finding(Gate::Test, finding).at(&level));
        }
    }
    Ok(())
}

/// Do no built-in template's rules hold of its samples?
fn is_new(template: &Template, examples: &Examples, stop: &AtomicBool) -> Result<(), Refusal> {
    let mut only: Option<Vec<String>> = None;
    for count in COMPARED {
        let Some(drawn) = drawn(template, examples, count)? else { return Ok(()) };
        let names = known(&drawn, &|name| only.as_ref().is_none_or(|only| has(only, name)), stop);
        let names: Vec<String> = names.into_iter().map(|known| known.template).collect();
        if names.is_empty() {
            return Ok(());
        }
        only = Some(names);
    }
    Err(Refusal::new(Gate::New, only.unwrap_or_default().join(", ")))
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|one| one.strip_prefix("std:") == Some(name))
}

/// Samples of a template as examples; none if they cannot be.
fn drawn(
    template: &Template,
    examples: &Examples,
    count: u64,
) -> Result<Option<Examples>, Refusal> {
    let sampler = template.compile().map_err(|error| Refusal::error(Gate::New, &error))?;
    let samples: Result<Vec<_>, _> = sampler.samples(Split::Train, SEED, 0..count).collect();
    let samples = samples.map_err(|error| Refusal::error(Gate::New, &error))?;
    let names = names(examples);
    let column = |name: &String, of: &Column| {
        let values = samples.iter().filter_map(|sample| of.value(sample.fields.get(name)?).ok());
        Column { values: values.collect(), ..of.clone() }
    };
    let inputs = names.inputs.iter().zip(&examples.inputs);
    let inputs = inputs.map(|(name, of)| column(name, of)).collect();
    let drawn = Examples { inputs, output: column(&names.output, &examples.output) };
    let is_whole = |column: &Column| column.values.len() == samples.len();
    let are_whole = drawn.inputs.iter().all(is_whole) && is_whole(&drawn.output);
    Ok(are_whole.then_some(drawn))
}

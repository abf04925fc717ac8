//! What an editor shows of a template: the errors and sizes at its levels, and a sample.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judge::Judge;
use super::layout::{Escape, Part, TextWriter};
use super::vocab::Vocabulary;
use super::{Compile, Split, level_name, promises};
use crate::check::typed::Template;
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::ir::{self, Bound, Choice, Program};
use crate::runtime::Fault;
use crate::source::{Source, Span};

/// What is known of a template at all of its levels.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Every error once; one that the defaults do not have names its level.
    pub errors: Vec<Diagnostic>,
    /// What is known of the size of each named value, in words, for each level in turn.
    pub bounds: Vec<(String, BTreeMap<String, String>)>,
}

/// Lowers a template at each of its levels.
pub fn levels(template: &Template, vocabulary: usize) -> Levels {
    let mut found = Levels::default();
    let mut seen: Vec<Diagnostic> = Vec::new();
    let named = template.levels.iter().map(|level| level.name.as_str());
    for level in std::iter::once("").chain(named) {
        let choice = Choice { level: level.to_string(), vocabulary, ..Choice::default() };
        let errors = match ir::lower(template, &choice) {
            Ok(program) => {
                let slots = program.slots.into_iter();
                let bounds =
                    slots.filter_map(|slot| Some((slot.name, bound(&slot.kind, &slot.bound)?)));
                found.bounds.push((level_name(level).to_string(), bounds.collect()));
                continue;
            }
            Err(errors) => errors,
        };
        for error in errors {
            if !seen.contains(&error) {
                seen.push(error.clone());
                found.errors.push(if level.is_empty() { error } else { at_level(error, level) });
            }
        }
    }
    found
}

/// The warnings of each level: samples that cannot be drawn for some draws, and rules on what the
/// prompt does not show; an error if no sample can be drawn. Each once; one that the defaults do
/// not have names its level.
pub fn warnings(template: &Template, source: &Source, words: &Vocabulary) -> Vec<Diagnostic> {
    let (mut seen, mut found): (Vec<Diagnostic>, Vec<Diagnostic>) = (Vec::new(), Vec::new());
    let (pools, vocabulary) = (promises::pools(template, words), words.own_len());
    let named = template.levels.iter().map(|level| level.name.as_str());
    let levels = template.levels.len() + 1;
    let (patience, for_hidden) = (promises::patience(levels), promises::patience_hidden(levels));
    for level in std::iter::once("").chain(named) {
        let choice = Choice { level: level.to_string(), vocabulary, ..Choice::default() };
        let Ok(program) = ir::lower_own(template, &choice) else { continue };
        let program = Arc::new(program);
        let mut warnings = promises::broken(template, source, &program, &pools, patience);
        warnings.extend(promises::hidden(template, level, words, for_hidden));
        for warning in warnings {
            let place = |one: &Diagnostic| (one.code, one.span(), one.title.clone());
            if !seen.iter().any(|known| place(known) == place(&warning)) {
                seen.push(warning.clone());
                found.push(if level.is_empty() { warning } else { at_level(warning, level) });
            }
        }
    }
    found
}

/// A sample as human-readable text: the prompt, the reply, and the score of each rule.
///
/// # Errors
/// Why there is none: the first error of the template at this level, or the step that fails.
pub fn sample(
    template: &Template,
    level: &str,
    words: Vocabulary,
    index: u64,
) -> Result<String, String> {
    let sampler = Compile::level(template, level, words).interpreted();
    let sampler = sampler.map_err(|errors| sentence(&errors[0]))?;
    let program = sampler.program();
    let mut memory = sampler.memory(Split::Train, 0);
    let made = sampler.sample(&mut memory, index);
    made.map_err(|error| sentence(&cannot_make(program, 0, index, error)))?;
    let texts = TextWriter::new(program, sampler.vocabulary().clone(), Escape::None);
    let judge = Judge::new(&sampler);
    let scores = judge.own(&mut memory).scores;
    let rules: Vec<String> =
        judge.rules().iter().zip(scores).map(|(rule, score)| format!("{rule} {score}")).collect();
    let mut text = format!("{} · {} · sample {index}\n", program.name, level_name(level));
    let system = program.layout.system.as_ref().map(|_| ("system", Part::System));
    let parts = [("prompt", Part::Prompt), ("reply", Part::Reply)];
    for (name, part) in system.into_iter().chain(parts) {
        text += &format!("\n{name}\n{}\n", texts.text(part, &memory));
    }
    if !rules.is_empty() {
        text += &format!("\nrules\n{}\n", rules.join("  "));
    }
    Ok(text)
}

/// The error of a sample that cannot be drawn.
pub fn cannot_make(program: &Program, seed: u64, index: u64, error: Fault) -> Diagnostic {
    let span = program.steps.get(error.step as usize).map_or(Span::default(), |step| step.span);
    let title = format!("sample {index} of seed {seed} cannot be drawn: {error}");
    Diagnostic::error("E601", title, span, "this fails").help(
        "write `if … then … else …` around it, or choose parameters with which no sample fails",
    )
}

/// An error that the defaults do not have names the level that has it.
fn at_level(error: Diagnostic, level: &str) -> Diagnostic {
    Diagnostic { title: format!("at level `{level}`: {}", error.title), ..error }
}

fn sentence(error: &Diagnostic) -> String {
    format!("{}: {}", error.title, error.help)
}

/// `96 elements`, `1 to 8`; none where there is nothing to say.
fn bound(ty: &Type, bound: &Bound) -> Option<String> {
    let number = |low: &i64, high: &i64| match low == high {
        true => format!("{low}"),
        false => format!("{low} to {high}"),
    };
    match (bound, ty) {
        (Bound::Int { low: i64::MIN, high: i64::MAX }, _) | (Bound::Int { .. }, Type::Bool) => None,
        (Bound::Int { low, high }, _) => Some(number(low, high)),
        (Bound::List { low, high, element }, Type::List(kind)) => {
            let noun = if *high == 1 { "element" } else { "elements" };
            let each = self::bound(kind, element).map(|each| format!(", each {each}"));
            Some(format!("{} {noun}{}", number(low, high), each.unwrap_or_default()))
        }
        (Bound::List { .. } | Bound::Any | Bound::Token(_) | Bound::Text(_), _) => None,
    }
}

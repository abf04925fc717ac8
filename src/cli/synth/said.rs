//! What was found, for people and for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{Found, Synth};
use crate::cli::console::{FAINT, STRONG, count, styled};
use crate::search::{Examples, Expression, Gate, Known, Outcome, Question, Refusal, Verdict};

/// The command that scores rows by a template whose rules hold.
pub fn known(known: &Known, command: &Synth) -> String {
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

/// That no rule explains all examples, and which explains most.
pub fn partly(outcome: &Outcome, examples: &Examples) -> String {
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

/// The rule.
pub fn rule(rule: &Expression, examples: &Examples) -> String {
    let (name, rule) = (&examples.output.name, rule.written(&examples.names()));
    let count = count(examples.len(), "example");
    let explains = styled(FAINT, format!("explains {count}"));
    format!("{name} = {}\n{explains}", styled(STRONG, rule))
}

/// An input on which rules differ, with what each says of it.
pub fn question(question: &Question, examples: &Examples) -> String {
    let names = examples.names();
    let mut text = format!("which is right for {}?", json!(question.inputs));
    for (number, (rule, output)) in (1..).zip(&question.answers) {
        _ = write!(text, "\n  {number}  {}: {}", json!(output), rule.written(&names));
    }
    text
}

/// What the gates say.
pub fn verdicts(verdicts: &[Verdict]) -> String {
    let lines = verdicts.iter().map(|(gate, refusal)| {
        let name: &str = gate.into();
        match refusal {
            None => format!("{name:<5} passes"),
            Some(refusal) if refusal.gate == Gate::Stopped => format!("{name:<5} was stopped"),
            Some(Refusal { why, .. }) if *gate == Gate::New => format!("{name:<5} it is {why}"),
            Some(Refusal { why, level, .. }) => {
                let level = level.as_ref().map(|level| format!(" at level {level}"));
                format!("{name:<5} fails{}: {why}", level.unwrap_or_default())
            }
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// All of it.
pub fn json_of(found: &Found, examples: &Examples) -> Value {
    let Found { known, outcome, text, verdicts, question } = found;
    let names = examples.names();
    let written = |rule: &Expression| rule.written(&names);
    let question = question.as_ref().map(|question| {
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
    let verdicts = verdicts.iter().map(|(gate, refusal)| {
        let gate: &str = gate.into();
        let why = refusal.as_ref().map(|refusal| &refusal.why);
        let level = refusal.as_ref().and_then(|refusal| refusal.level.as_ref());
        json!({"gate": gate, "passes": why.is_none(), "why": why, "level": level})
    });
    json!({
        "known": known.collect::<Vec<_>>(),
        "rule": outcome.rule.as_ref().map(written),
        "explained": outcome.explained,
        "rows": examples.len(),
        "others": outcome.others.iter().map(written).collect::<Vec<_>>(),
        "question": question,
        "gates": verdicts.collect::<Vec<_>>(),
        "template": text,
        "computed": outcome.computed,
        "seconds": outcome.time.as_secs_f64(),
        "is_cut": outcome.is_cut,
    })
}

//! Learned mixture weights, and what they were learned from, as a table.

use super::console;
use crate::mixer::Learned;

/// What each run came to in each target, and the weights.
pub fn table(learned: &Learned) -> String {
    let mut header = vec!["run"];
    header.extend(learned.targets.iter().map(|target| target.name.as_str()));
    header.push("mean");
    header.push("weight");
    let mut table = console::table(&header);
    for (at, run) in learned.runs.iter().enumerate() {
        let mut row = vec![if at == 0 { "base".to_string() } else { name(learned, &run.mixture) }];
        let each = run.outcomes.iter().map(|one| match one {
            Some((mean, error)) => format!("{mean:.3} ± {error:.3}"),
            None => "–".to_string(),
        });
        row.extend(each);
        let known: Vec<f64> = run.outcomes.iter().flatten().map(|one| one.0).collect();
        row.push(match known.is_empty() {
            true => "–".to_string(),
            false => format!("{:.3}", known.iter().sum::<f64>() / known.len() as f64),
        });
        row.push(
            alone(&run.mixture)
                .map_or_else(String::new, |of| format!("{:.3}", learned.weights[of])),
        );
        table.add_row(row);
    }
    let mut text = format!("{table}\n");
    for target in &learned.targets {
        if let Some(why) = &target.refusal {
            text += &format!("{} is left out: {why}\n", target.name);
        }
    }
    let estimated: Vec<&str> = learned
        .targets
        .iter()
        .filter(|target| !target.is_known && target.refusal.is_none())
        .map(|target| target.name.as_str())
        .collect();
    if !estimated.is_empty() {
        text += &format!(
            "estimated without labels: {}; assumed: beside what they copy from the base, runs err \
             alone\n",
            estimated.join(", ")
        );
    }
    text += &format!("{}: {}\n", learned.policy, learned.reason);
    let both = learned.templates.iter().zip(&learned.weights).filter(|(_, weight)| **weight > 0.0);
    let weights: Vec<String> = both.map(|(name, weight)| format!("{name} {weight:.3}")).collect();
    text + &format!("weights: {}\n", weights.join(", "))
}

/// The only template of a run, if there is one.
fn alone(mixture: &[f64]) -> Option<usize> {
    let mut with: Vec<usize> = (0..mixture.len()).filter(|at| mixture[*at] > 0.0).collect();
    with.pop().filter(|_| with.is_empty())
}

fn name(learned: &Learned, mixture: &[f64]) -> String {
    match alone(mixture) {
        Some(of) => learned.templates[of].clone(),
        None => {
            let shares = mixture.iter().filter(|share| **share > 0.0);
            let shares: Vec<String> = shares.map(|share| format!("{share:.2}")).collect();
            shares.join(" ")
        }
    }
}

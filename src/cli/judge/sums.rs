//! What is written of each reply, and of all of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::console::{self, STRONG, styled};
use crate::data::audit::percent;
use crate::data::judge::{Judge as Judging, Verdict, mean};
use crate::data::read::Unreadable;
use crate::data::totals::Totals;

/// The totals over all replies, with the names of the rules.
pub struct Sums {
    rules: Vec<String>,
    totals: Totals,
}

impl Sums {
    /// For the rules of a template.
    pub fn new(judging: &Judging) -> Sums {
        let rules: Vec<String> = judging.rules().iter().map(|rule| rule.to_string()).collect();
        Sums { totals: Totals::new(rules.len()), rules }
    }

    /// Adds a verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        self.totals.add(verdict);
    }

    /// The line of one reply.
    pub fn line(&self, index: u64, verdict: &Verdict) -> Value {
        json!({
            "index": index,
            "scores": self.by_rule(&verdict.scores),
            "score": verdict.mean(),
            "exact": verdict.exact(),
            "unreadable": verdict.unreadable.as_ref().map(|why| why.to_string()),
            "cause": verdict.unreadable.as_ref().map(Unreadable::cause),
        })
    }

    /// The last line.
    pub fn summary(&self) -> Value {
        let means = self.totals.rules();
        json!({"summary": {
            "replies": self.totals.replies(),
            "scores": self.by_rule(&means),
            "score": mean(&means),
            "exact": self.totals.exact(),
            "unreadable": self.totals.unreadable(),
            "causes": self.totals.causes().collect::<BTreeMap<_, _>>(),
        }})
    }

    /// The table of the rules.
    pub fn text(&self) -> String {
        let means = self.totals.rules();
        let mut table = console::table(&["rule", "mean"]);
        for (rule, mean) in self.rules.iter().zip(&means) {
            table.add_row([rule.clone(), format!("{mean:.4}")]);
        }
        let replies = match self.totals.replies() {
            1 => "1 reply".to_string(),
            replies => format!("{replies} replies"),
        };
        let (mean, exact) = (mean(&means), percent(self.totals.exact()));
        let head = format!("{replies}: mean {mean:.4}, exact {exact}");
        let mut text = format!("{table}\n{}\n", styled(STRONG, head));
        if let Some((count, why)) = self.totals.first_unreadable() {
            let causes = self.totals.causes().map(|(cause, count)| format!("{count} {cause}"));
            let causes = causes.collect::<Vec<_>>().join(", ");
            text += &format!("{count} cannot be read ({causes}); the first: {why}\n");
        }
        text
    }

    fn by_rule(&self, scores: &[f64]) -> Value {
        let rules = self.rules.iter().zip(scores);
        rules.map(|(rule, &score)| (rule.clone(), Value::from(score))).collect()
    }
}

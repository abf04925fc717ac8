//! The sums over all replies: what is written of each, and of all of them.

use serde_json::{Value, json};

use super::super::console::{self, STRONG, styled};
use crate::data::audit::percent;
use crate::data::judge::{Judge as Judging, Verdict};

/// The sums over all replies.
pub struct Sums {
    rules: Vec<String>,
    scores: Vec<f64>,
    replies: u64,
    exact: u64,
    unreadable: u64,
    /// Why the first of them is.
    why: Option<String>,
}

impl Sums {
    /// For the rules of a template.
    pub fn new(judging: &Judging) -> Sums {
        let rules: Vec<String> = judging.rules().iter().map(|rule| rule.to_string()).collect();
        let scores = vec![0.0; rules.len()];
        Sums { rules, scores, replies: 0, exact: 0, unreadable: 0, why: None }
    }

    /// Counts a verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        self.replies += 1;
        self.exact += u64::from(verdict.exact());
        for (sum, score) in self.scores.iter_mut().zip(&verdict.scores) {
            *sum += score;
        }
        if let Some(why) = &verdict.unreadable {
            self.unreadable += 1;
            self.why.get_or_insert_with(|| why.to_string());
        }
    }

    /// The line of one reply.
    pub fn line(&self, index: u64, verdict: &Verdict) -> Value {
        json!({
            "index": index,
            "scores": self.by_rule(&verdict.scores),
            "score": verdict.mean(),
            "exact": verdict.exact(),
            "unreadable": verdict.unreadable.as_ref().map(|why| why.to_string()),
        })
    }

    /// The last line.
    pub fn summary(&self) -> Value {
        let means = self.means();
        json!({"summary": {
            "replies": self.replies,
            "scores": self.by_rule(&means),
            "score": means.iter().sum::<f64>() / means.len().max(1) as f64,
            "exact": self.share(self.exact as f64),
            "unreadable": self.share(self.unreadable as f64),
        }})
    }

    /// The table of the rules.
    pub fn text(&self) -> String {
        let means = self.means();
        let mut table = console::table(&["rule", "mean"]);
        for (rule, mean) in self.rules.iter().zip(&means) {
            table.add_row([rule.clone(), format!("{mean:.4}")]);
        }
        let mean = means.iter().sum::<f64>() / means.len().max(1) as f64;
        let replies = match self.replies {
            1 => "1 reply".to_string(),
            replies => format!("{replies} replies"),
        };
        let exact = percent(self.share(self.exact as f64));
        let head = format!("{replies}: mean {mean:.4}, exact {exact}");
        let mut text = format!("{table}\n{}\n", styled(STRONG, head));
        if let Some(why) = &self.why {
            text += &format!("{} cannot be read; the first: {why}\n", self.unreadable);
        }
        text
    }

    fn means(&self) -> Vec<f64> {
        self.scores.iter().map(|&sum| self.share(sum)).collect()
    }

    fn share(&self, sum: f64) -> f64 {
        sum / self.replies.max(1) as f64
    }

    fn by_rule(&self, scores: &[f64]) -> Value {
        let rules = self.rules.iter().zip(scores);
        rules.map(|(rule, &score)| (rule.clone(), Value::from(score))).collect()
    }
}

//! The learning rate of each step.

use serde::{Deserialize, Serialize};

use crate::train::Settings;

/// How the learning rate falls after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Half a cosine wave down.
    Cosine,
    /// A straight line down.
    Linear,
    /// Not at all.
    Constant,
}

/// The learning rate after `steps_done` steps: up a straight line over the warm-up, so that its
/// last step is the first with the full rate, then down to the lowest as the schedule says.
pub fn learning_rate(settings: &Settings, steps_done: u64) -> f64 {
    let (steps, done) = (settings.steps as f64, steps_done as f64);
    let warmup = (settings.warmup * steps).ceil();
    if done < warmup {
        return settings.learning_rate * (done + 1.0) / warmup;
    }
    let share = ((done - warmup) / (steps - warmup).max(1.0)).min(1.0);
    let left = match settings.schedule {
        Schedule::Cosine => (1.0 + (std::f64::consts::PI * share).cos()) / 2.0,
        Schedule::Linear => 1.0 - share,
        Schedule::Constant => 1.0,
    };
    let lowest = settings.min_learning_rate;
    settings.learning_rate * (lowest + (1.0 - lowest) * left)
}

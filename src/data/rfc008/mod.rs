//! A template at one level as an environment, examined as OpenEnv's RFC 008 asks: what can be seen
//! without a model is run, and what needs one is said to be unmeasured.

mod canaries;
mod policies;
mod runs;

use serde::Serialize;
use serde_json::{Value, json};

use super::audit::{Audit, Settings, audit};
use super::generate::Stopped;
use super::observer::Observer;
use super::{SampleId, Sampler, Split};
use crate::runtime::random::STREAM_VERSION;
use crate::source::Source;
use runs::Runs;

/// The least distance between the oracle's reward and that of the best canary.
pub const FLOOR_MARGIN: f64 = 0.25;
/// The most samples of the runs beside the audit: each is drawn and judged several times.
const RUNS_MAX: u64 = 200;

/// What is examined.
pub struct Subject<'a> {
    /// The text of the template.
    pub source: &'a Source,
    /// The template, compiled.
    pub sampler: &'a Sampler,
    /// The same, compiled once more from the same text.
    pub again: &'a Sampler,
}

/// What an examination says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was run, and holds.
    Pass,
    /// Only a model can measure it.
    NotMeasured,
    /// It holds, with something to look at.
    Warn,
    /// It does not hold.
    Fail,
}

/// One policy of the RFC: what was run, and what came out.
#[derive(Clone, Debug, Serialize)]
pub struct Criterion {
    /// The name that this report has for it.
    pub id: &'static str,
    /// The number that the RFC has for it.
    pub policy: u8,
    /// What is asked.
    pub description: &'static str,
    /// What came out.
    pub status: Status,
    /// True unless it failed; null where it was not measured.
    pub passed: Option<bool>,
    /// Whether the environment fails with it.
    pub required: bool,
    /// What was run, how often and with which seeds; what to do if it failed.
    pub details: String,
    /// What a pass needs.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub expected: Value,
    /// What was found.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub actual: Value,
}

/// The report on a template at a level.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The template, as it was named.
    pub target: String,
    /// What was looked at: a template, not a running server.
    pub validation_type: &'static str,
    /// By which rules.
    pub standard: &'static str,
    /// The template.
    pub template: String,
    /// Its level.
    pub level: String,
    /// The worst of the criteria that were run.
    pub status: Status,
    /// True unless one failed.
    pub passed: bool,
    /// What the environment declares of itself.
    pub manifest: Value,
    /// Counts of the criteria.
    pub summary: Value,
    /// One a policy, by the RFC's numbers.
    pub criteria: Vec<Criterion>,
}

/// Examines a template at a level.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn, or the observer stops it.
pub fn report(
    subject: &Subject,
    settings: Settings,
    observer: &Observer,
) -> Result<Report, Stopped> {
    let Subject { source, sampler, .. } = subject;
    let audit = audit(source, sampler, settings, observer)?;
    let few = Settings { samples: settings.samples.min(RUNS_MAX), ..settings };
    let runs = runs::run(subject, few, observer)?;
    let mut criteria = policies::measured(subject, &audit, &runs);
    criteria.extend(policies::unmeasured());
    criteria.sort_by_key(|criterion| criterion.policy);
    let status = criteria.iter().map(|one| one.status);
    let status = status.filter(|one| *one != Status::NotMeasured).max().unwrap_or(Status::Pass);
    Ok(Report {
        target: source.name.to_string(),
        validation_type: "template",
        standard: "OpenEnv RFC 008",
        template: audit.template.clone(),
        level: audit.level.clone(),
        status,
        passed: status != Status::Fail,
        manifest: manifest(subject, &audit, &runs),
        summary: summary(&criteria),
        criteria,
    })
}

/// What is declared: the range of the reward, the oracle, the floor, and what fixes the tasks.
fn manifest(subject: &Subject, audit: &Audit, runs: &Runs) -> Value {
    let Subject { source, sampler, .. } = subject;
    let program = sampler.program();
    let rules: Vec<&str> = program.rules.iter().map(|rule| rule.name.as_str()).collect();
    let first = SampleId::first(sampler, Split::Train, audit.seed);
    json!({
        "reward": "1 if every rule holds in full, else 0",
        "reward_range": [0.0, 1.0],
        "partial_reward": "the mean of the rules",
        "rules": rules,
        "oracle": "injected state: the reply that the template writes to its own sample",
        "oracle_tolerance": 0.0,
        "floor_margin": FLOOR_MARGIN,
        "turns": 1,
        "template_digest": sampler.digest(),
        "template_blake3": blake3::hash(source.text.as_bytes()).to_hex().as_str(),
        "prompts_blake3": runs.prompts,
        "stream_version": STREAM_VERSION,
        "cookc_version": env!("CARGO_PKG_VERSION"),
        "first_sample": first.to_string(),
        "splits": Split::ALL.map(Split::name),
        "memory_bytes": program.bounds.cells.saturating_mul(8),
        "words_max": program.bounds.words,
    })
}

/// The same counts as in `openenv validate`, of the criteria that were run.
fn summary(criteria: &[Criterion]) -> Value {
    let with = |status: Status| -> Vec<&str> {
        criteria.iter().filter(|one| one.status == status).map(|one| one.id).collect()
    };
    let run = || criteria.iter().filter(|one| one.passed.is_some());
    let passed = || run().filter(|one| one.passed == Some(true));
    json!({
        "passed_count": passed().count(),
        "total_count": run().count(),
        "failed_criteria": with(Status::Fail),
        "required_passed_count": passed().filter(|one| one.required).count(),
        "required_total_count": run().filter(|one| one.required).count(),
        "warned_criteria": with(Status::Warn),
        "not_measured_criteria": with(Status::NotMeasured),
    })
}

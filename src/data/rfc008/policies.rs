//! The policies of the RFC, each with what was run for it and what to do if it fails. The numbers
//! are the RFC's; the names are those of this report.

use serde_json::{Value, json};

use super::canaries::NAMES;
use super::runs::Runs;
use super::{Criterion, FLOOR_MARGIN, Status, Subject};
use crate::data::audit::{Audit, Cheated, bar, percent};
use crate::runtime::random::STREAM_VERSION;

/// One sample in this many may be the same with another seed.
const SAME_OF: u64 = 4;
/// The most of the partial reward that a canary may have without a warning.
const PARTIAL_MAX: f64 = 0.5;

/// A canary's figures.
struct Canary {
    name: String,
    exact: f64,
    /// The mean of the rules.
    score: f64,
    bar: f64,
}

impl From<&Cheated> for Canary {
    fn from(one: &Cheated) -> Canary {
        Canary { name: one.cheat.clone(), exact: one.exact, score: one.score, bar: one.bar }
    }
}

/// The policies that need no model.
pub fn measured(subject: &Subject, audit: &Audit, runs: &Runs) -> Vec<Criterion> {
    let canaries = canaries(audit, runs);
    vec![
        well_formed(subject, runs),
        oracle(audit, runs, &canaries),
        floor(audit, runs, &canaries),
        leakage(audit, runs),
        seeds(runs),
        episodes(runs),
        verifier(runs),
        portability(audit),
        pinning(subject, runs),
        replay(subject, runs),
    ]
}

/// The policies that a model measures.
pub fn unmeasured() -> Vec<Criterion> {
    let of = |(policy, id, description, why): (u8, &'static str, &'static str, &str)| Criterion {
        id,
        policy,
        description,
        status: Status::NotMeasured,
        passed: None,
        required: false,
        details: format!("{why}: a policy has to be run, and cookc runs none here"),
        expected: Value::Null,
        actual: Value::Null,
    };
    let all = [
        (13, "reachability", "A model gets some reward", "a model's own rate of success"),
        (14, "difficulty_separation", "Levels differ in difficulty", "a model's rates by level"),
        (15, "headroom", "A model does not get all reward yet", "a model's own rate of success"),
        (16, "signal_to_noise", "Rewards differ more between models than by chance", "two models"),
        (26, "adversarial_floor", "A policy trained against it stays at the floor", "training"),
        (27, "gameability", "A model that looks for shortcuts finds none", "an adversarial model"),
    ];
    all.map(of).into()
}

/// A criterion that was run.
fn run(
    (policy, id, description): (u8, &'static str, &'static str),
    status: Status,
    details: String,
    (expected, actual): (Value, Value),
) -> Criterion {
    let passed = Some(status != Status::Fail);
    Criterion { id, policy, description, status, passed, required: true, details, expected, actual }
}

fn pass_if(holds: bool) -> Status {
    if holds { Status::Pass } else { Status::Fail }
}

/// The baselines of the audit that read at most the prompt as one text, and those of this report.
fn canaries(audit: &Audit, runs: &Runs) -> Vec<Canary> {
    let whole = |one: &&Cheated| one.code == "L614" || one.cheat == "echo of the prompt";
    let mut all: Vec<Canary> = audit.cheats.iter().filter(whole).map(Canary::from).collect();
    for (name, count) in NAMES.iter().zip(&runs.canaries) {
        // Of few replies, one in their form is right by chance.
        let chance = if name.contains("form") { chance(audit) } else { 0.0 };
        all.push(Canary {
            name: name.to_string(),
            exact: count.share(),
            score: count.score / count.tried.max(1) as f64,
            bar: bar(chance, count.tried),
        });
    }
    all
}

/// How often a reply is right that is chosen without reading.
fn chance(audit: &Audit) -> f64 {
    1.0 / audit.distinct_replies.max(2) as f64
}

fn well_formed(subject: &Subject, runs: &Runs) -> Criterion {
    let rules = subject.sampler.program().rules.len();
    let (least, most) = runs.rewards.unwrap_or_default();
    let is_constant = least == most;
    let (status, advice) = match (runs.malformed, is_constant, rules) {
        (1.., ..) => (Status::Fail, "; a rule has a score outside of 0 to 1: report it to cookc"),
        (_, true, _) => {
            (Status::Fail, "; all have one score: write a rule that wrong replies break")
        }
        (_, _, 0) => (
            Status::Warn,
            "; without a rule a reply is right only if it equals the template's: write `rule \
             right: …` over what the prompt shows, if others are right too",
        ),
        _ => (Status::Pass, ""),
    };
    let details = format!(
        "{} replies to {} samples of seed {}: right ones, canaries, pieces of the prompt, odd \
         texts; a score from 0 to 1 for each of the rules{advice}",
        runs.judged, runs.samples, runs.seed
    );
    let expected = json!({"malformed": 0, "constant": false});
    let actual = json!({"malformed": runs.malformed, "constant": is_constant, "rules": rules,
        "least": least, "most": most});
    run(
        (23, "reward_well_formed", "Every reply has a reward within the range"),
        status,
        details,
        (expected, actual),
    )
}

fn oracle(audit: &Audit, runs: &Runs, canaries: &[Canary]) -> Criterion {
    let broken = audit.rules.iter().find_map(|rule| Some((&rule.rule, rule.first_broken?)));
    let best = canaries.iter().max_by(|a, b| a.exact.total_cmp(&b.exact));
    let (name, floor) = best.map_or(("none", 0.0), |one| (one.name.as_str(), one.exact));
    let (share, gap) = (runs.oracle.share(), runs.oracle.share() - floor);
    let advice = match (broken, audit.first_unread) {
        (Some((rule, index)), _) => {
            format!("; rule `{rule}` does not hold on sample {index}: draw such that it holds")
        }
        (_, Some(index)) => format!(
            "; the reply of sample {index} is read back to other values: write a symbol between \
             them that none has"
        ),
        _ if gap < FLOOR_MARGIN => {
            format!("; {name} gets {}: write a rule that it breaks", percent(floor))
        }
        _ => String::new(),
    };
    let holds = share == 1.0 && advice.is_empty();
    let details = format!(
        "{} right replies of seed {} judged as values and read back, {} as text{advice}",
        audit.samples, audit.seed, runs.oracle.tried
    );
    let expected = json!({"oracle": 1.0, "gap_at_least": FLOOR_MARGIN});
    let actual = json!({"oracle": share, "floor": floor, "best_canary": name, "gap": gap});
    run(
        (25, "oracle_and_floor_gap", "The oracle has the greatest reward, far above the floor"),
        pass_if(holds),
        details,
        (expected, actual),
    )
}

fn floor(audit: &Audit, runs: &Runs, canaries: &[Canary]) -> Criterion {
    let above: Vec<&Canary> = canaries.iter().filter(|one| one.exact > one.bar).collect();
    let half_paid = canaries.iter().filter(|one| one.score - one.exact > PARTIAL_MAX);
    let half_paid = half_paid.max_by(|a, b| a.score.total_cmp(&b.score));
    let (status, advice) = match (above.first(), half_paid) {
        (Some(one), _) => (
            Status::Fail,
            format!(
                "; {} is right on {}: write a rule that it breaks",
                one.name,
                percent(one.exact)
            ),
        ),
        (None, Some(one)) => (
            Status::Warn,
            format!(
                "; {} has {} of the partial reward, the mean of the rules: train on `exact`, or \
                 write rules that a wrong reply does not keep",
                one.name,
                percent(one.score)
            ),
        ),
        (None, None) => (Status::Pass, String::new()),
    };
    let details = format!(
        "{} canaries on up to {} samples of seed {}{advice}",
        canaries.len(),
        audit.samples.max(runs.samples),
        audit.seed
    );
    let shown = |one: &Canary| {
        let Canary { name, exact, score, bar } = one;
        json!({"canary": name, "exact": exact, "partial": score, "bar": bar})
    };
    let actual = canaries.iter().map(shown).collect();
    run(
        (28, "canaries_at_floor", "Replies without the task's work have no reward"),
        status,
        details,
        (json!("`exact` at most `bar`"), actual),
    )
}

fn leakage(audit: &Audit, runs: &Runs) -> Criterion {
    let is_shown = |one: &&Cheated| one.code == "L615" || one.code == "L616";
    let mut shown: Vec<Canary> = audit.cheats.iter().filter(is_shown).map(Canary::from).collect();
    for (at, count) in runs.pieces.iter().enumerate() {
        shown.push(Canary {
            name: format!("value {} of the prompt", at + 1),
            exact: count.share(),
            score: count.score / count.tried.max(1) as f64,
            bar: bar(chance(audit), count.tried),
        });
    }
    let above: Vec<&Canary> = shown.iter().filter(|one| one.exact > one.bar).collect();
    let biased = audit.places.iter().find(|one| one.biased);
    let (status, advice) = match (above.first(), audit.overlap, biased) {
        (Some(one), ..) => (
            Status::Fail,
            format!(
                "; {} is the right reply on {}: show what the answer follows from, not the answer",
                one.name,
                percent(one.exact)
            ),
        ),
        (_, 1.., _) => (
            Status::Fail,
            "; held-out prompts are trained on: show more of what is drawn".to_string(),
        ),
        (.., Some(one)) => (
            Status::Warn,
            format!("; the position in `{}` says much of the answer: shuffle it", one.list),
        ),
        _ => (Status::Pass, String::new()),
    };
    let details = format!(
        "{} replies that are values, elements or options which the prompt shows, on up to {} \
         samples of seed {}; prompts of both splits compared{advice}",
        shown.len(),
        audit.samples,
        audit.seed
    );
    let best = shown.iter().max_by(|a, b| (a.exact - a.bar).total_cmp(&(b.exact - b.bar)));
    let best = best.map(|one| json!({"shown": one.name, "exact": one.exact, "bar": one.bar}));
    let actual = json!({"best": best, "above_the_bar": above.len(), "overlap": audit.overlap,
        "position_bias": biased.map(|one| one.effect)});
    run(
        (30, "no_solution_leakage", "The prompt does not show the solution"),
        status,
        details,
        (json!({"above_the_bar": 0, "overlap": 0}), actual),
    )
}

fn seeds(runs: &Runs) -> Criterion {
    let (same, samples) = (runs.same_with_other_seed, runs.samples);
    let (status, advice) = match same {
        _ if same == samples => (Status::Fail, "; the seed decides nothing: draw what is shown"),
        _ if SAME_OF * same > samples => {
            (Status::Warn, "; more than a quarter of the samples are the same: draw more")
        }
        _ => (Status::Pass, ""),
    };
    let details = format!(
        "{samples} samples of the seeds {} and {} compared, index by index{advice}",
        runs.seed,
        runs.seed.wrapping_add(1)
    );
    run(
        (36, "seed_control", "The seed decides the samples"),
        status,
        details,
        (json!({"same_at_most": samples / SAME_OF}), json!({"same": same})),
    )
}

fn episodes(runs: &Runs) -> Criterion {
    let details = format!(
        "{} samples of seed {} drawn in order, in reverse order by the template compiled again, \
         and alone on all cores; prompt and reply compared{}",
        runs.samples,
        runs.seed,
        ours(runs.reordered)
    );
    run(
        (37, "episode_determinism", "A sample depends on its seed and index alone"),
        pass_if(runs.reordered == 0),
        details,
        (json!({"differ": 0}), json!({"differ": runs.reordered})),
    )
}

fn verifier(runs: &Runs) -> Criterion {
    let details = format!(
        "{} replies judged twice, the second time in reverse order, in other memory, by the \
         template compiled again; scores compared bit for bit{}",
        runs.judged,
        ours(runs.unstable)
    );
    run(
        (39, "verifier_determinism", "A reply always has the same reward"),
        pass_if(runs.unstable == 0),
        details,
        (json!({"differ": 0}), json!({"differ": runs.unstable})),
    )
}

fn portability(audit: &Audit) -> Criterion {
    let replies = audit.compared * (1 + audit.cheats.len() as u64);
    let details = format!(
        "{} samples and the scores of {replies} replies, by machine code and by the interpreter, \
         bit for bit{}",
        audit.compared,
        ours(audit.engines_differ)
    );
    run(
        (40, "verifier_portability", "Another machine has the same samples and rewards"),
        pass_if(audit.engines_differ == 0),
        details,
        (json!({"differ": 0}), json!({"differ": audit.engines_differ})),
    )
}

fn pinning(subject: &Subject, runs: &Runs) -> Criterion {
    let [digest, again] = [subject.sampler, subject.again].map(|one| one.digest());
    let differ = u64::from(digest != again || runs.prompts != runs.prompts_again);
    let details = format!(
        "the text compiled twice: the digests of the template, and of {} prompts of each split \
         of seed {}{}",
        runs.samples,
        runs.seed,
        ours(differ)
    );
    let of = |template: &str, prompts: &str| {
        let version = STREAM_VERSION;
        json!({"template": template, "prompts": prompts, "stream_version": version})
    };
    run(
        (42, "task_distribution_pinning", "A digest fixes the tasks"),
        pass_if(differ == 0),
        details,
        (of(again, &runs.prompts_again), of(digest, &runs.prompts)),
    )
}

fn replay(subject: &Subject, runs: &Runs) -> Criterion {
    let details = format!(
        "{} ids of seed {} written, read and drawn again from the text alone, on all cores{}",
        runs.samples,
        runs.seed,
        ours(runs.unreplayed)
    );
    let actual = json!({"differ": runs.unreplayed, "id_of": subject.sampler.digest()});
    run(
        (44, "replayability", "An id makes its sample again"),
        pass_if(runs.unreplayed == 0),
        details,
        (json!({"differ": 0}), actual),
    )
}

/// What is said of a difference that no template can cause.
fn ours(differ: u64) -> &'static str {
    if differ > 0 { "; this is an error of cookc: report it with this template" } else { "" }
}

//! A template audited at one level: its rules hold on its own samples, and cheats fail.

mod passes;
mod tally;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::generate::{Stopped, Watch};
use super::judge::Judge;
use super::{EVAL, Maker, TRAIN};
use crate::check::types::Type;
use crate::ir::Role;
use passes::{Cheating, Own, Passes};

/// A cheat may satisfy all rules on this share of samples; more where few replies exist at all.
pub const CHEAT_BAR: f64 = 0.05;
/// At least this share of samples must differ from all before them.
pub const DISTINCT_BAR: f64 = 0.5;
/// Samples that may be in both splits, for each that comes twice in one of them: chance alone
/// gives two.
const OVERLAP_A_COPY: u64 = 4;

/// What an audit found.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The template.
    pub template: String,
    /// Its level.
    pub level: String,
    /// The seed of the samples.
    pub seed: u64,
    /// How many were made.
    pub samples: u64,
    /// Each rule on the template's own samples.
    pub rules: Vec<RuleHolds>,
    /// Each cheat.
    pub cheats: Vec<Cheat>,
    /// How many different replies there are.
    pub distinct_replies: u64,
    /// The share of samples that differ from all before them.
    pub distinct: f64,
    /// The share of samples whose reply is read back to what was written.
    pub reads_back: f64,
    /// Samples and judgements in which machine code and interpreter differ.
    pub engines_differ: u64,
    /// Samples of the training split that are also in the held-out split.
    pub overlap: u64,
    /// The longest sample, in words by white space, and what the bounds say.
    pub words: Longest,
    /// The longest sample in bytes.
    pub bytes: Longest,
    /// What is not as it must be, a sentence each; empty if the template passes.
    pub problems: Vec<String>,
}

/// A rule on the template's own samples.
#[derive(Clone, Debug, Serialize)]
pub struct RuleHolds {
    /// Its name.
    pub rule: String,
    /// The share of samples on which it holds in full.
    pub holds: f64,
    /// The first sample on which it does not.
    pub first_broken: Option<u64>,
}

/// A way to answer without reading.
#[derive(Clone, Debug, Serialize)]
pub struct Cheat {
    /// What it answers.
    pub cheat: String,
    /// The share of samples on which all rules hold in full.
    pub exact: f64,
    /// The mean of the rules.
    pub score: f64,
    /// The share that it may have: see [`bar`].
    pub bar: f64,
}

/// The longest text made, and the longest there can be.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Longest {
    /// Made.
    pub made: u64,
    /// Possible.
    pub bound: u64,
}

/// What to audit with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many samples to make.
    pub samples: u64,
    /// Their seed.
    pub seed: u64,
}

/// Audits a template that two engines run. Stops at a sample that cannot be made.
pub fn audit(
    native: &Maker,
    interpreter: &Maker,
    settings: Settings,
    watch: &Watch,
) -> Result<Audit, Stopped> {
    let passes = Passes { native, interpreter, settings, watch };
    let own = passes.own(TRAIN)?;
    let held_out = passes.digests(EVAL)?;
    let cheating = passes.cheats(&inputs(native), &own.replies, &most_frequent(&own.replies))?;
    Ok(conclude(native, settings, own, &held_out, cheating))
}

/// The share of samples on which a cheat may be exact: 0.05, or, where so few different replies
/// exist that a guess is right more often, a fair guess and four standard deviations of it.
pub fn bar(distinct_replies: u64, samples: u64) -> f64 {
    let guess = 1.0 / distinct_replies.max(1) as f64;
    let deviation = (guess * (1.0 - guess) / samples.max(1) as f64).sqrt();
    CHEAT_BAR.max(guess + 4.0 * deviation)
}

/// The names of the cheats, in the order of the tallies.
fn cheat_names(maker: &Maker) -> Vec<String> {
    let fixed = ["empty reply", "echo of the prompt", "reply of another sample", "one same reply"];
    let slots = &maker.program().slots;
    let echo = |slot: u32| format!("echo of {}", slots[slot as usize].name);
    fixed.iter().map(|name| name.to_string()).chain(inputs(maker).into_iter().map(echo)).collect()
}

/// The shown values that are no outputs.
fn inputs(maker: &Maker) -> Vec<u32> {
    let slots = maker.program().slots.iter().zip(0..);
    let shown = slots.filter(|(slot, _)| {
        let has_text = slot.kind != Type::Unknown && slot.kind.element() != Some(&Type::Unknown);
        slot.shown && slot.role != Role::Output && !slot.name.is_empty() && has_text
    });
    shown.map(|(_, id)| id).collect()
}

/// The reply that comes most often; of several, the first made.
fn most_frequent(replies: &[String]) -> String {
    let mut counts: BTreeMap<&str, (u64, std::cmp::Reverse<usize>)> = BTreeMap::new();
    for (at, reply) in replies.iter().enumerate() {
        counts.entry(reply).or_insert((0, std::cmp::Reverse(at))).0 += 1;
    }
    let most = counts.into_iter().max_by_key(|&(_, count)| count);
    most.map_or(String::new(), |(reply, _)| reply.to_string())
}

fn conclude(
    maker: &Maker,
    settings: Settings,
    own: Own,
    held_out: &[[u8; 32]],
    cheating: Cheating,
) -> Audit {
    let (samples, program) = (settings.samples, maker.program());
    let share = |count: u64| count as f64 / samples.max(1) as f64;
    let different: HashSet<&[u8; 32]> = own.digests.iter().collect();
    let different_held_out: HashSet<&[u8; 32]> = held_out.iter().collect();
    let distinct_replies = own.replies.iter().collect::<HashSet<_>>().len() as u64;
    let bar = bar(distinct_replies, samples);
    let judge = Judge::new(maker);
    let rules = judge.rules().into_iter().zip(&own.rules);
    let cheats = cheat_names(maker).into_iter().zip(&cheating.tallies);
    let word_bytes = maker.vocabulary.words().map(str::len).max().unwrap_or(0) as u64;
    let bounds = &program.bounds;
    let mut audit = Audit {
        template: program.name.clone(),
        level: maker.level().to_string(),
        seed: settings.seed,
        samples,
        rules: rules
            .map(|(rule, tally)| RuleHolds {
                rule: rule.to_string(),
                holds: share(tally.exact),
                first_broken: tally.first_missed,
            })
            .collect(),
        cheats: cheats
            .map(|(cheat, tally)| Cheat {
                cheat,
                exact: share(tally.exact),
                score: tally.score / samples.max(1) as f64,
                bar,
            })
            .collect(),
        distinct_replies,
        distinct: share(different.len() as u64),
        reads_back: share(own.read_back),
        engines_differ: own.engines_differ + cheating.engines_differ,
        overlap: different.intersection(&different_held_out).count() as u64,
        words: Longest { made: own.words, bound: bounds.words },
        bytes: Longest {
            made: own.bytes,
            bound: bounds.literal_bytes + bounds.pool_words * word_bytes,
        },
        problems: Vec::new(),
    };
    let copies = 2 * samples - (different.len() + different_held_out.len()) as u64;
    audit.problems = problems(&audit, copies);
    audit
}

/// Everything that is not as it must be.
fn problems(audit: &Audit, copies: u64) -> Vec<String> {
    let mut problems = Vec::new();
    for RuleHolds { rule, holds, first_broken } in &audit.rules {
        if let Some(index) = first_broken {
            problems.push(format!(
                "rule `{rule}` holds on {} of the template's own samples; it breaks first on \
                 sample {index} of seed {}",
                percent(*holds),
                audit.seed
            ));
        }
    }
    for Cheat { cheat, exact, bar, .. } in audit.cheats.iter().filter(|one| one.exact > one.bar) {
        let (exact, bar) = (percent(*exact), percent(*bar));
        problems.push(format!("{cheat}: exact on {exact} of the samples, more than {bar}"));
    }
    if audit.distinct < DISTINCT_BAR {
        let distinct = percent(audit.distinct);
        problems.push(format!("only {distinct} of the samples differ from all before them"));
    }
    if audit.reads_back < 1.0 {
        let reads_back = percent(audit.reads_back);
        problems.push(format!("only {reads_back} of the replies are read back as written"));
    }
    if audit.engines_differ > 0 {
        let count = audit.engines_differ;
        problems.push(format!("machine code and interpreter differ {count} times"));
    }
    if audit.overlap > OVERLAP_A_COPY * copies + audit.samples / 100 {
        let overlap = audit.overlap;
        problems.push(format!("{overlap} samples are in the training and the held-out split"));
    }
    for (longest, unit) in [(audit.words, "words"), (audit.bytes, "bytes")] {
        if longest.made > longest.bound {
            let Longest { made, bound } = longest;
            problems.push(format!("a sample has {made} {unit}, more than the bound of {bound}"));
        }
    }
    problems
}

/// A share for people.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

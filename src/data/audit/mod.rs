//! A template audited at one level: its rules hold on its own samples, cheats fail, and nothing
//! but the task reveals the answer.

mod budget;
mod changes;
mod cheats;
mod digest;
mod findings;
mod guesses;
mod options;
mod oracle;
mod passes;
mod places;
mod stuffed;
mod tally;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::generate::Stopped;
use super::judge::Judge;
use super::observer::Observer;
use super::{Sampler, Split};
use crate::check::types::Type;
use crate::ir::{Op, Program};
use crate::source::Source;
pub use budget::affordable;
use cheats::Cheat;
pub use findings::{CODES, findings, is_denied};
use guesses::{Guess, Output};
pub use oracle::Repeated;
use passes::{CLASSES_MAX, Own, Passes};
pub use places::{EFFECT_BAR, Places};
use tally::Tally;

/// A cheat may satisfy all rules on this share of samples; more where few replies exist at all.
pub const CHEAT_BAR: f64 = 0.05;
/// At least this share of samples must differ from all before them.
pub const DISTINCT_BAR: f64 = 0.5;
/// The most that a class may have, in fair shares.
pub const MOST_BAR: f64 = 1.5;
/// The least that a class may have, in fair shares.
pub const LEAST_BAR: f64 = 0.5;
/// Classes are tested from this many samples of each on: then half a share is no chance.
const SAMPLES_A_CLASS: u64 = 50;
/// The samples on which the values of a reply are tried one by one.
const TRIED_ALONE: u64 = 48;
/// A right reply with one word changed may satisfy all rules on this share of samples.
pub const CHANGE_BAR: f64 = 0.25;

/// The figures of an audit. [`findings`] says which of them miss their bars.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The template.
    pub template: String,
    /// Its level.
    pub level: String,
    /// The seed of the samples.
    pub seed: u64,
    /// How many were drawn.
    pub samples: u64,
    /// Each rule on the template's own samples.
    pub rules: Vec<RuleHolds>,
    /// Each cheat.
    pub cheats: Vec<Cheated>,
    /// Each way to change a word of a right reply.
    pub changes: Vec<Changed>,
    /// Each way to stuff a right reply with more than the answer.
    pub stuffed: Vec<Changed>,
    /// What the rules only repeat.
    pub repeated: Option<Repeated>,
    /// Each output that has few values.
    pub classes: Vec<Classes>,
    /// Each shown list in which the answer has a position.
    pub places: Vec<Places>,
    /// Each `if` in the sample's steps.
    pub branches: Vec<Branch>,
    /// How many different replies there are.
    pub distinct_replies: u64,
    /// The share of samples that differ from all before them.
    pub distinct: f64,
    /// The share of samples whose reply is read back to what was written.
    pub reads_back: f64,
    /// The first sample whose reply is not.
    pub first_unread: Option<u64>,
    /// How many samples the interpreter made too, as many as there is time for: what is said of
    /// branches and of both engines is said of these.
    pub compared: u64,
    /// Samples and judgements in which machine code and interpreter differ.
    pub engines_differ: u64,
    /// Prompts of the training split that are also in the held-out split.
    pub overlap: u64,
    /// The longest sample, in words by white space, and what the bounds say.
    pub words: Longest,
    /// The longest sample in bytes.
    pub bytes: Longest,
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

/// What a way to answer without understanding gets.
#[derive(Clone, Debug, Serialize)]
pub struct Cheated {
    /// What it answers.
    pub cheat: String,
    /// The lint of a template that it passes.
    pub code: &'static str,
    /// The share of samples on which all rules hold in full.
    pub exact: f64,
    /// The mean of the rules.
    pub score: f64,
    /// The share that it may have: 5 %, or, where chance alone has more, that and four standard
    /// deviations of it.
    pub bar: f64,
    /// What the mean of the rules may be: half of what is above that bar, for an empty reply
    /// nothing. Options have none, as the right one is like the others.
    pub score_bar: Option<f64>,
}

/// What right replies get when one word is changed.
#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    /// The change.
    pub change: &'static str,
    /// The lint of a template that lets it pass.
    pub code: &'static str,
    /// The replies that it changed.
    pub tried: u64,
    /// The share of them on which all rules still hold in full.
    pub passes: f64,
    /// The share that may.
    pub bar: f64,
}

/// An output that has few values.
#[derive(Clone, Debug, Serialize)]
pub struct Classes {
    /// Its name.
    pub output: String,
    /// How many values.
    pub values: usize,
    /// The most frequent one, and its share.
    pub most: (String, f64),
    /// The least frequent one.
    pub least: (String, f64),
    /// The most that one may have.
    pub most_bar: f64,
    /// The least that one may have.
    pub least_bar: f64,
}

/// How often each branch of an `if` is taken.
#[derive(Clone, Debug, Serialize)]
pub struct Branch {
    /// The first byte of the `if` in the template.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// How often its condition was true.
    pub taken: u64,
    /// How often it was false.
    pub otherwise: u64,
}

/// The longest text of a sample, and the longest that the bounds allow.
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
    /// How many samples to draw.
    pub samples: u64,
    /// Their seed.
    pub seed: u64,
}

/// How often an audit goes over its samples: what a progress bar counts.
pub const PASSES: u64 = 3;

/// Audits a template by samples of a sampler, each of which the interpreter draws and judges too.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn, or the observer stops it.
pub fn audit(
    source: &Source,
    native: &Sampler,
    settings: Settings,
    observer: &Observer,
) -> Result<Audit, Stopped> {
    let interpreter = &native.interpreted();
    let compared = budget::compared(native, settings)?;
    let passes = Passes { native, interpreter, settings, compared, observer };
    let program = native.program();
    let (options, outputs) = (options::all(program), guesses::outputs(program));
    let own = passes.own(&outputs, &options)?;
    let held_out = passes.prompts(Split::Eval)?;
    let most_frequent = most_frequent(&own.replies).map_or(0, |(first, _)| first);
    let same = passes.reply(&passes.texts(), &mut passes.memory(Split::Train), most_frequent)?;
    let mut cheats = cheats::all(program);
    cheats.extend(more(&passes, &outputs, &own, &same)?);
    let cheating = passes.cheats(&cheats, &same)?;
    let samples = settings.samples;
    let share = |count: u64| count as f64 / samples.max(1) as f64;
    let different = |digests: &[[u8; 32]]| digests.iter().collect::<HashSet<_>>().len() as u64;
    let distinct_replies = own.replies.iter().collect::<HashSet<_>>().len() as u64;
    let held_out: HashSet<&[u8; 32]> = held_out.iter().collect();
    let learned: HashSet<&[u8; 32]> = own.prompts.iter().collect();
    // A number may stand in a list that it has nothing to do with.
    let is_chance = |at: usize| 2 * own.places_by_chance[at] >= own.places[at].len().max(1) as u64;
    let places = options.iter().zip(&own.places).enumerate().filter(|(at, _)| !is_chance(*at));
    Ok(Audit {
        template: program.name.clone(),
        level: native.level().to_string(),
        seed: settings.seed,
        samples,
        rules: rules(native, &own.rules),
        cheats: cheated(&cheats, &cheating.cheats, distinct_replies, samples),
        changes: changed(&cheating.changes),
        stuffed: stuffed(&cheating.stuffed),
        repeated: oracle::repeated(source),
        classes: classes(program, &outputs, &own.classes, samples),
        places: places
            .filter_map(|(_, (one, found))| Places::new(one.name(program), found, samples))
            .collect(),
        branches: branches(source, program, &own.branches),
        distinct_replies,
        distinct: share(different(&own.digests)),
        reads_back: own.unread.share(),
        first_unread: own.unread.first_missed,
        compared,
        engines_differ: own.engines_differ + cheating.engines_differ,
        overlap: learned.intersection(&held_out).count() as u64,
        words: Longest { made: own.words, bound: program.bounds.words },
        bytes: Longest { made: own.bytes, bound: bytes_bound(native) },
    })
}

/// A share, human-readable.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The cheats that what the samples are like invites: one element throughout, and, where the reply
/// has several values, all of them from elsewhere.
fn more(passes: &Passes, outputs: &[Output], own: &Own, same: &str) -> Result<Vec<Cheat>, Stopped> {
    let program = passes.native.program();
    let few = |counts: &&BTreeMap<i64, u64>| counts.len() <= CLASSES_MAX;
    let fills = outputs.iter().zip(&own.elements).filter(|(_, counts)| few(counts));
    let fills = fills.filter_map(|(output, counts)| guesses::fill(program, *output, counts));
    let fills: Vec<Guess> = fills.collect();
    if outputs.len() < 2 {
        return Ok(fills.into_iter().map(cheats::one).collect());
    }
    let mut constants = Vec::new();
    for (output, digests) in outputs.iter().zip(&own.pieces) {
        let (first, different) = most_frequent(digests).unwrap_or((0, 1));
        let text = passes.piece(output.piece, first)?;
        constants.push(guesses::constant(program, *output, text, different));
    }
    let mut tried: Vec<Guess> = constants.clone();
    tried.extend(fills);
    outputs.iter().for_each(|output| tried.extend(guesses::all(program, *output)));
    // Each alone, on a few samples.
    let quiet = Observer { cancel: passes.observer.cancel, ..Observer::none() };
    let samples = passes.settings.samples.min(TRIED_ALONE);
    let settings = Settings { samples, ..passes.settings };
    let alone = Passes { settings, compared: 0, observer: &quiet, ..*passes };
    let cheats: Vec<Cheat> = tried.iter().cloned().map(cheats::one).collect();
    let shares = alone.cheats(&cheats, same)?.cheats.into_iter().map(|tally| tally.share());
    let tried: Vec<(Guess, f64)> = tried.into_iter().zip(shares).collect();
    Ok(cheats::joint(program, outputs, constants, &tried))
}

/// The first sample of those that have what comes most often, of several the first one; and how
/// many different ones there are.
fn most_frequent(digests: &[[u8; 32]]) -> Option<(u64, u64)> {
    let mut counts: BTreeMap<&[u8; 32], (u64, std::cmp::Reverse<u64>)> = BTreeMap::new();
    for (digest, at) in digests.iter().zip(0..) {
        counts.entry(digest).or_insert((0, std::cmp::Reverse(at))).0 += 1;
    }
    let different = counts.len() as u64;
    counts.into_values().max().map(|(_, first)| (first.0, different))
}

fn rules(sampler: &Sampler, tallies: &[Tally]) -> Vec<RuleHolds> {
    let judge = Judge::new(sampler);
    let holds = |(rule, tally): (&str, &Tally)| RuleHolds {
        rule: rule.to_string(),
        holds: tally.share(),
        first_broken: tally.first_missed,
    };
    judge.rules().into_iter().zip(tallies).map(holds).collect()
}

fn cheated(cheats: &[Cheat], tallies: &[Tally], replies: u64, samples: u64) -> Vec<Cheated> {
    let of = |name: &str| cheats.iter().position(|one| one.name == name);
    let one = |(cheat, tally): (&Cheat, &Tally)| {
        let chosen = tally.chance / samples.max(1) as f64;
        // A template with one reply alone teaches nothing: the bar is as for two.
        let least = 1.0 / replies.max(2) as f64;
        let mut chance = match cheat.code {
            "L615" => chosen.max(least),
            _ if chosen > 0.0 => chosen,
            _ => least,
        };
        // Where any element is right, the first one is not by its position.
        let random = cheat.random().filter(|random| *random != cheat.name);
        if let Some(at) = random.and_then(|random| of(&random)) {
            chance = chance.max(tallies[at].share());
        }
        // What is always right is no shortcut of a vote: it is the vote.
        let is_vote = cheat.is_vote() && tally.exact == tally.tried;
        let bar = if is_vote { 1.0 } else { bar(chance, samples) };
        let score_bar = match cheat.code {
            "L616" => None,
            _ if cheat.is_empty() => Some(bar),
            _ => Some((1.0 + bar) / 2.0),
        };
        Cheated {
            cheat: cheat.name.clone(),
            code: cheat.code,
            exact: tally.share(),
            score: tally.score / samples.max(1) as f64,
            bar,
            score_bar,
        }
    };
    cheats.iter().zip(tallies).map(one).collect()
}

/// The share of samples on which a cheat may be exact.
pub(in crate::data) fn bar(chance: f64, samples: u64) -> f64 {
    let deviation = (chance * (1.0 - chance) / samples.max(1) as f64).sqrt();
    CHEAT_BAR.max(chance + 4.0 * deviation).min(1.0)
}

fn changed(tallies: &[Tally]) -> Vec<Changed> {
    let one = |(&(change, name), tally): (&(changes::Change, &'static str), &Tally)| Changed {
        change: name,
        code: if change == changes::Change::Swap { "L623" } else { "L622" },
        tried: tally.tried,
        passes: tally.share(),
        bar: CHANGE_BAR,
    };
    changes::ALL.iter().zip(tallies).map(one).collect()
}

fn stuffed(tallies: &[Tally]) -> Vec<Changed> {
    let one = |(&(_, name), tally): (&(stuffed::Stuffing, &'static str), &Tally)| Changed {
        change: name,
        code: "L625",
        tried: tally.tried,
        passes: tally.share(),
        bar: CHEAT_BAR,
    };
    stuffed::ALL.iter().zip(tallies).map(one).collect()
}

fn classes(
    program: &Program,
    outputs: &[Output],
    counts: &[BTreeMap<String, u64>],
    samples: u64,
) -> Vec<Classes> {
    let one = |(output, counts): (&Output, &BTreeMap<String, u64>)| {
        let slot = &program.slots[output.slot as usize];
        let values = counts.len();
        let few = values <= CLASSES_MAX && samples >= SAMPLES_A_CLASS * values as u64;
        if values < 2 || !few || slot.kind.depth() > 0 || slot.kind == Type::Real {
            return None;
        }
        let share = |(value, count): (&String, &u64)| {
            (value.clone(), *count as f64 / samples.max(1) as f64)
        };
        let fair = 1.0 / values as f64;
        Some(Classes {
            output: slot.name.clone(),
            values,
            most: counts.iter().max_by_key(|one| one.1).map(share)?,
            least: counts.iter().min_by_key(|one| one.1).map(share)?,
            most_bar: MOST_BAR * fair,
            least_bar: LEAST_BAR * fair,
        })
    };
    outputs.iter().zip(counts).filter_map(one).collect()
}

/// Every `if` of the template's own text; `and` and `or` branch as well, and are none.
fn branches(source: &Source, program: &Program, counts: &[[u64; 2]]) -> Vec<Branch> {
    let mut found: BTreeMap<(usize, usize), [u64; 2]> = BTreeMap::new();
    for at in program.sample.clone() {
        let step = &program.steps[at as usize];
        if matches!(step.op, Op::If(..)) && source.slice(step.span).starts_with("if ") {
            let both = found.entry((step.span.start, step.span.end)).or_default();
            (0..2).for_each(|way| both[way] += counts[at as usize][way]);
        }
    }
    let branch = |((start, end), [otherwise, taken]): ((usize, usize), [u64; 2])| Branch {
        start,
        end,
        taken,
        otherwise,
    };
    found.into_iter().map(branch).collect()
}

fn bytes_bound(sampler: &Sampler) -> u64 {
    let bounds = &sampler.program().bounds;
    let word_bytes = sampler.vocabulary().words().map(str::len).max().unwrap_or(0) as u64;
    bounds.literal_bytes + bounds.pool_words * word_bytes
}

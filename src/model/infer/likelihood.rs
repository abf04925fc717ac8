//! Log-likelihoods of texts that begin alike, as multiple choice needs them: what an item's choices
//! share is computed once, and an item's bits do not depend on what is scored beside it.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Result, ensure};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::model::each_part;
use crate::model::network::transformer::{Inputs, Model};
use crate::ops::Branches;

/// Tokens of a pass, unless one item has more: few enough that what a layer makes of them stays in
/// the caches, and that threads end together.
const PLACES_MAX: usize = 512;
/// Rows of a product at the least: with fewer another way may be taken, to other bits.
const ROWS_MIN: usize = 128;
/// Rows whose logits are looked at together.
const LOGIT_ROWS: usize = 2 * ROWS_MIN;
/// Passes of a thread between two reports, at most: as many as take a second or so.
const PASSES_A_THREAD: usize = 8;

/// Texts that may share their beginning: an item's choices, each after its context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The texts.
    pub requests: Vec<Request>,
}

/// A text as ids, of which the last ones are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Context and continuation.
    pub ids: Vec<u32>,
    /// How many of the last ids are the continuation: at least one, and fewer than all.
    pub scored: usize,
}

/// What a model makes of a continuation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The sum of the log-probabilities of its tokens, in nats. NaN if the model's logits are.
    pub sum: f64,
    /// Whether each of its tokens is the most likely one.
    pub is_greedy: bool,
}

/// Scores each text of each item, in the order of the items. `each` gets those of the next items as
/// they are done, and may end it: then the rest is not scored, and this is false.
///
/// # Errors
/// If a text has no context or no continuation, an id beyond the model's, or more tokens than the
/// model was made for; or if the device fails.
pub fn log_likelihoods(
    model: &Model,
    items: &[Item],
    each: &mut dyn FnMut(Vec<Vec<Scored>>) -> bool,
) -> Result<bool> {
    for (number, item) in items.iter().enumerate() {
        check(model, number, item)?;
    }
    let passes = passes(items);
    let (mut rest, mut a_thread) = (&passes[..], 1);
    while !rest.is_empty() {
        let (wave, after) = rest.split_at(rest.len().min(rayon::current_num_threads() * a_thread));
        rest = after;
        let (start, mut scored) = (Instant::now(), Vec::new());
        for pass in each_part(&model.device, wave, |pass| pass.scores(model)) {
            scored.extend(pass?);
        }
        if !each(scored) {
            return Ok(false);
        }
        let in_a_second = a_thread as f64 / start.elapsed().as_secs_f64();
        a_thread = (in_a_second as usize).clamp(1, PASSES_A_THREAD);
    }
    Ok(true)
}

fn check(model: &Model, number: usize, item: &Item) -> Result<()> {
    let most = model.config.tokens_max();
    for Request { ids, scored } in &item.requests {
        ensure!(
            (1..ids.len()).contains(scored),
            "item {number}: {scored} of {} tokens are scored; at least one is, and one is not",
            ids.len()
        );
        ensure!(
            ids.len() <= most + 1,
            "item {number}: {} tokens are read; the model was made for {most}",
            ids.len() - 1
        );
    }
    Ok(())
}

/// Consecutive items that go through the model at once.
fn passes(items: &[Item]) -> Vec<Pass<'_>> {
    let mut passes: Vec<Pass> = Vec::new();
    for item in items {
        let beginning = beginning(item);
        let places: usize = item.requests.iter().map(|one| one.ids.len() - 1 - beginning).sum();
        let places = beginning + places;
        match passes.last_mut().filter(|pass| pass.places + places <= PLACES_MAX) {
            Some(pass) => {
                pass.items.push((item, beginning));
                pass.places += places;
            }
            None => passes.push(Pass { items: vec![(item, beginning)], places }),
        }
    }
    passes
}

/// How many ids that the model reads are the same in all texts of an item.
fn beginning(item: &Item) -> usize {
    let read = |one: &Request| one.ids.len() - 1;
    let Some(first) = item.requests.first() else { return 0 };
    item.requests.iter().fold(read(first), |most, one| {
        let both = first.ids[..most].iter().zip(&one.ids[..read(one)]);
        both.take_while(|(a, b)| a == b).count()
    })
}

/// Items side by side in one row, each with what its texts begin with.
struct Pass<'a> {
    items: Vec<(&'a Item, usize)>,
    places: usize,
}

/// A row that grows, and what is asked of it.
#[derive(Default)]
struct Row {
    ids: Vec<u32>,
    start: Vec<u32>,
    branches: Branches,
    /// Places whose logits are needed, in order.
    places: Vec<u32>,
    /// Which of these places a scored id follows, and that id.
    wanted: Vec<(u32, u32)>,
}

impl Pass<'_> {
    fn scores(&self, model: &Model) -> Result<Vec<Vec<Scored>>> {
        let mut row = Row::default();
        for (item, beginning) in &self.items {
            row.add(item, *beginning);
        }
        row.fill();
        let answers = row.answers(model)?;
        let mut answers = answers.iter();
        let mut one = |request: &Request| {
            let mut scored = Scored { sum: 0.0, is_greedy: true };
            for (log, is_best) in answers.by_ref().take(request.scored) {
                scored.sum += f64::from(*log);
                scored.is_greedy &= is_best;
            }
            scored
        };
        let requests = self.items.iter().map(|(item, _)| &item.requests);
        Ok(requests.map(|some| some.iter().map(&mut one).collect()).collect())
    }
}

impl Row {
    /// What the item's texts begin with, then the rest of each but its last id, which is not read.
    fn add(&mut self, item: &Item, beginning: usize) {
        let (base, first) = (self.ids.len(), self.places.len());
        self.branches.texts.push(base);
        if let Some(request) = item.requests.first() {
            self.read(&request.ids[..beginning], base, 0..0);
        }
        for Request { ids, scored } in &item.requests {
            let branch = self.ids.len();
            let skip = (base + beginning) as u32..branch as u32;
            self.read(&ids[beginning..ids.len() - 1], base, skip);
            for (at, id) in ids.iter().enumerate().skip(ids.len() - scored) {
                let place = match (at - 1).checked_sub(beginning) {
                    Some(after) => branch + after,
                    None => base + at - 1,
                };
                let row = self.row(first, place as u32);
                self.wanted.push((row, *id));
            }
        }
    }

    fn read(&mut self, ids: &[u32], base: usize, skip: Range<u32>) {
        self.ids.extend(ids);
        self.start.resize(self.ids.len(), base as u32);
        self.branches.skip.resize(self.ids.len(), skip);
    }

    /// The row of logits at a place, among those of the item that begin with `first`.
    fn row(&mut self, first: usize, place: u32) -> u32 {
        let known = self.places[first..].iter().position(|known| *known == place);
        known.map_or_else(
            || {
                self.places.push(place);
                self.places.len() as u32 - 1
            },
            |known| (first + known) as u32,
        )
    }

    /// Adds a text and places that nothing is asked of, so that no product has few rows.
    fn fill(&mut self) {
        let base = self.ids.len();
        if base < ROWS_MIN {
            self.branches.texts.push(base);
            self.read(&[0; ROWS_MIN][base..], base, 0..0);
        }
        self.places.resize(self.places.len().next_multiple_of(ROWS_MIN), 0);
    }

    /// The log-probability of each wanted id, and whether it is the most likely one.
    fn answers(self, model: &Model) -> Result<Vec<(f32, bool)>> {
        let Row { ids, start, branches, places, wanted } = self;
        let inputs = Inputs { batch: 1, time: ids.len(), ids, start, branches };
        let rows = places.len();
        let places = Tensor::new(places, &model.device)?;
        let x = model.hidden(&inputs, 0, None, Some(&places))?;
        let x = model.final_norm(&x)?;
        let mut answers = vec![(f32::NAN, false); wanted.len()];
        for first in (0..rows).step_by(LOGIT_ROWS) {
            let count = LOGIT_ROWS.min(rows - first);
            let x = x.narrow(0, first, count)?;
            let here = |(_, (row, _)): &(usize, &(u32, u32))| {
                (first..first + count).contains(&(*row as usize))
            };
            let (at, here): (Vec<usize>, Vec<(u32, u32)>) = wanted
                .iter()
                .enumerate()
                .filter(here)
                .map(|(at, &(row, id))| (at, (row - first as u32, id)))
                .unzip();
            let (logs, best) = model.log_probabilities(&x, &here)?;
            for ((at, (row, id)), log) in at.into_iter().zip(here).zip(logs) {
                answers[at] = (log, best[row as usize] == id);
            }
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::model::{Config, io, walk, weights};
    use crate::ops;

    fn model(window: Option<usize>) -> Model {
        let mut config = Config::small(60, 24, 28, 2, 4);
        config.num_key_value_heads = 2;
        let mut model = weights::fresh(&config, 1, 0.3, &Device::Cpu).expect("a model");
        model.blocks.iter_mut().for_each(|block| block.window = window);
        model
    }

    /// Choices of several lengths after contexts of several lengths.
    fn items() -> Vec<Item> {
        let id = |at: usize| (at * 7919 % 59) as u32;
        let item = |number: usize| {
            let context = 1 + number * 13 % 70;
            let request = |choice: usize| {
                let scored = 1 + (number + choice) % 5;
                let ids = (0..context).map(|at| id(number * 100 + at));
                let own = (0..scored).map(|at| id(number * 31 + choice * 7 + at));
                Request { ids: ids.chain(own).collect(), scored }
            };
            Item { requests: (0..1 + number % 4).map(request).collect() }
        };
        (0..40).map(item).collect()
    }

    fn scored(model: &Model, items: &[Item]) -> Vec<Vec<Scored>> {
        let mut all = Vec::new();
        let mut each = |scored: Vec<_>| {
            all.extend(scored);
            true
        };
        assert!(log_likelihoods(model, items, &mut each).expect("good items"));
        all
    }

    #[test]
    fn a_branch_is_scored_as_the_text_alone_is() {
        for window in [None, Some(9), Some(30)] {
            let model = model(window);
            let items = items();
            for (item, found) in items.iter().zip(scored(&model, &items)) {
                for (Request { ids, scored }, found) in item.requests.iter().zip(found) {
                    let (time, read) = (ids.len() - 1, ids[..ids.len() - 1].to_vec());
                    let start = vec![0; time];
                    let branches = Branches::default();
                    let inputs = Inputs { batch: 1, time, ids: read, start, branches };
                    let logits = model.logits(&inputs).expect("logits");
                    let wanted: Vec<(u32, u32)> = (ids.len() - scored..ids.len())
                        .map(|at| (at as u32 - 1, ids[at]))
                        .collect();
                    let (logs, best) =
                        ops::plain::log_probabilities(&logits, &wanted).expect("f32");
                    let sum: f64 = logs.iter().map(|log| f64::from(*log)).sum();
                    assert!((sum - found.sum).abs() < 1e-4, "{sum} {found:?}");
                    let is_greedy = wanted.iter().all(|(row, id)| best[*row as usize] == *id);
                    assert_eq!(is_greedy, found.is_greedy);
                }
            }
        }
    }

    #[test]
    fn an_item_has_the_same_bits_whatever_is_scored_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let rounded = weights::converted(model(None), DType::BF16).expect("small weights");
        io::save(&rounded, folder.path()).expect("room");
        let rounded = io::load(folder.path(), DType::BF16, &Device::Cpu).expect("a model");
        let rounded = walk::to_infer(&rounded).expect("it is packed");
        let items = items();
        for model in [model(None), rounded] {
            let all = scored(&model, &items);
            for (number, item) in items.iter().enumerate() {
                assert_eq!(scored(&model, std::slice::from_ref(item))[0], all[number]);
            }
            let backwards: Vec<Item> = items.iter().rev().cloned().collect();
            assert!(scored(&model, &backwards).iter().rev().eq(&all));
        }
    }

    #[test]
    fn texts_without_a_context_and_texts_that_are_too_long_are_refused() {
        let model = model(None);
        let refused = |ids: usize, scored: usize| {
            let item = Item { requests: vec![Request { ids: vec![1; ids], scored }] };
            log_likelihoods(&model, &[item], &mut |_| true).expect_err("it is refused").to_string()
        };
        assert!(refused(3, 3).contains("3 of 3 tokens are scored"), "{}", refused(3, 3));
        let most = model.config.tokens_max();
        assert!(refused(most + 2, 1).contains("the model was made for"));
    }
}

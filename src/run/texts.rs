//! Rows of other people's data as ids, the order in which a run takes them, and how far it is.

use std::ops::Range;

use serde_json::Value;

use crate::data::Split;
use crate::data::layout::Encoded;
use crate::mix::Order;
use crate::model::Tokenizer;
use crate::runtime::{RunKey, random};

/// Rounds of a permutation: four suffice for one that no one can tell from a random one (Luby and
/// Rackoff, 1988).
const ROUNDS: usize = 4;

/// The rows of a `[[text]]`, ready to be trained on.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its file or folder, without those above.
    pub name: String,
    /// The rows with what ends a reply; at least one.
    pub rows: Vec<Encoded>,
    /// Their tokens.
    pub tokens: usize,
    /// The number of each row in the data set, from 1.
    numbers: Vec<u64>,
    /// Rows that were left out.
    pub left_out: LeftOut,
    /// Rows that lost their end, since it was too much.
    pub cut: usize,
    /// Of the stream that orders the rows.
    key: [u64; 4],
}

/// How many rows were left out, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// They have more tokens than a sample may have.
    pub too_long: usize,
    /// Their reply is empty.
    pub empty: usize,
}

impl LeftOut {
    /// How many in all.
    pub fn count(self) -> usize {
        self.too_long + self.empty
    }
}

impl Text {
    /// Without rows yet: the text of a recipe with this index, counted from 0.
    pub fn new(name: String, at: usize, seed: u64) -> Text {
        let stream = format!("text {}", at + 1);
        let key = RunKey::new("", "", Split::Train.name(), seed).stream(&stream);
        let (rows, numbers, left_out) = Default::default();
        Text { name, rows, tokens: 0, numbers, left_out, cut: 0, key }
    }

    /// Adds the row of the data set with this number.
    pub fn add(&mut self, number: u64, row: Encoded) {
        self.tokens += row.ids.len();
        self.rows.push(row);
        self.numbers.push(number);
    }

    /// Which row is taken after that many others: each pass goes through all rows, in an order of
    /// its own, which the seed decides.
    pub fn row(&self, taken: u64) -> usize {
        let count = self.rows.len() as u64;
        permuted(&self.key, taken / count, taken % count, count) as usize
    }

    /// The place and the start of the row that is taken after that many others.
    pub fn described(&self, taken: u64, tokenizer: &Tokenizer, letters: usize) -> String {
        let (name, at) = (&self.name, self.row(taken));
        let text = tokenizer.decode(&self.rows[at].ids).unwrap_or_default();
        let shown: String = text.chars().take(letters).collect();
        let more = if shown.len() < text.len() { " …" } else { "" };
        format!("row {} of {name}:\n{shown}{more}", self.numbers[at])
    }

    /// The digest of all rows.
    pub fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for row in &self.rows {
            let sizes = [row.ids.len() as u64, row.reply_start as u64];
            hasher.update(bytemuck::cast_slice(&sizes)).update(bytemuck::cast_slice(&row.ids));
        }
        hasher.finalize()
    }

    /// What there is, in a clause.
    pub fn about(&self) -> String {
        let longest = self.rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
        let (rows, tokens) = (self.rows.len(), self.tokens);
        let mut text = format!("{rows} rows, {tokens} tokens, {longest} of the longest");
        let LeftOut { too_long, empty } = self.left_out;
        for (count, what) in [
            (self.cut, "cut at the end, since they are too long"),
            (too_long, "left out, since they are too long"),
            (empty, "left out, since their reply is empty"),
        ] {
            if count > 0 {
                text += &format!("; {count} {what}");
            }
        }
        text
    }
}

/// The image of a number below `count` in a permutation of these: a Feistel network on the next
/// even number of bits, taken again until its result is below `count` (Black and Rogaway, 2002,
/// "Ciphers with Arbitrary Finite Domains").
fn permuted(key: &[u64; 4], pass: u64, mut number: u64, count: u64) -> u64 {
    let mut stream = random::start(key, pass);
    let rounds: [u64; ROUNDS] = std::array::from_fn(|_| stream.word());
    let bits = count.next_power_of_two().ilog2().div_ceil(2).max(1);
    let mask = (1 << bits) - 1;
    loop {
        let (mut left, mut right) = (number >> bits, number & mask);
        for round in rounds {
            (left, right) = (right, left ^ random::mix(right ^ round) & mask);
        }
        number = left << bits | right;
        if number < count {
            return number;
        }
    }
}

/// What a sample of a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One of the template with this index.
    Template(usize),
    /// A row of the text with this index, and how many of its rows were taken before.
    Text(usize, u64),
}

/// How many rows of each text the steps have taken: a run goes on after them. Every process of a
/// group counts the rows of all.
#[derive(Clone, Debug)]
pub struct Taken {
    templates: usize,
    /// The steps before the last that was begun.
    steps: u64,
    /// By these steps.
    before: Vec<u64>,
    /// By the last step too.
    after: Vec<u64>,
}

impl Taken {
    /// Of a run with that many templates and texts, from what a checkpoint keeps; null is nothing.
    pub fn restored(templates: usize, texts: usize, kept: &Value) -> Taken {
        let after: Vec<u64> = (0..texts).map(|at| kept[at].as_u64().unwrap_or(0)).collect();
        Taken { templates, steps: 0, before: after.clone(), after }
    }

    /// What a checkpoint after that many steps keeps; null where there is no text. A step that was
    /// begun and not done counts no rows.
    pub fn kept(&self, steps: u64) -> Value {
        let counts = if steps > self.steps { &self.after } else { &self.before };
        if counts.is_empty() { Value::Null } else { counts.as_slice().into() }
    }

    /// The rows that were taken of each text.
    pub fn counts(&self) -> &[u64] {
        &self.after
    }

    /// How many samples of the last step are rows of texts.
    pub fn of_last_step(&self) -> u64 {
        self.after.iter().sum::<u64>() - self.before.iter().sum::<u64>()
    }

    /// Begins the step after that many: what its samples are, which have these indices.
    pub fn begin(&mut self, steps: u64, order: &Order, indices: Range<u64>) -> Vec<Source> {
        (self.steps, self.before) = (steps, self.after.clone());
        let sources = self.sources(order, indices);
        for source in &sources {
            if let Source::Text(text, _) = source {
                self.after[*text] += 1;
            }
        }
        sources
    }

    /// What the samples of the last step are.
    pub fn sources(&self, order: &Order, indices: Range<u64>) -> Vec<Source> {
        let mut taken = self.before.clone();
        let source = |index| {
            let at = order.template(index);
            let Some(text) = at.checked_sub(self.templates) else { return Source::Template(at) };
            taken[text] += 1;
            Source::Text(text, taken[text] - 1)
        };
        indices.map(source).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(rows: usize, seed: u64) -> Text {
        let mut text = Text::new("rows.jsonl".into(), 0, seed);
        for number in 0..rows {
            text.add(number as u64 + 1, Encoded::default());
        }
        text
    }

    #[test]
    fn each_pass_goes_through_all_rows_once_in_an_order_of_its_own() {
        for count in [1, 2, 3, 5, 64, 65, 1190] {
            let text = text(count, 7);
            let pass = |number: u64| -> Vec<usize> {
                let first = number * count as u64;
                (first..first + count as u64).map(|taken| text.row(taken)).collect()
            };
            for number in 0..3 {
                let rows: BTreeSet<usize> = pass(number).into_iter().collect();
                assert_eq!(rows, (0..count).collect(), "pass {number} of {count}");
            }
            assert!(count < 60 || pass(0) != pass(1), "{count}");
        }
    }

    #[test]
    fn the_order_depends_on_the_seed_and_is_no_run_of_neighbours() {
        let order = |seed| (0..200).map(|at| text(200, seed).row(at)).collect::<Vec<_>>();
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let neighbours = order(1).windows(2).filter(|two| two[0].abs_diff(two[1]) == 1).count();
        assert!(neighbours < 10, "{neighbours}");
    }

    fn order() -> Order {
        Order::new(&[1.0, 2.0, 1.0], Split::Train, 3).expect("weights")
    }

    #[test]
    fn rows_are_counted_in_the_order_of_the_samples_and_step_by_step() {
        let mut taken = Taken::restored(1, 2, &Value::Null);
        let sources = [taken.begin(0, &order(), 0..50), taken.begin(1, &order(), 50..100)].concat();
        for (text, count) in taken.counts().iter().enumerate() {
            let rows = sources.iter().filter_map(|source| match source {
                Source::Text(of, row) if *of == text => Some(*row),
                _ => None,
            });
            assert_eq!(rows.collect::<Vec<_>>(), (0..*count).collect::<Vec<_>>());
        }
        let templates = sources.iter().filter(|one| **one == Source::Template(0)).count() as u64;
        assert_eq!(taken.counts().iter().sum::<u64>() + templates, 100);
        assert_eq!(taken.sources(&order(), 50..100), sources[50..]);
    }

    #[test]
    fn a_checkpoint_goes_on_with_the_row_after_the_last_of_a_step_that_was_done() {
        let mut straight = Taken::restored(1, 2, &Value::Null);
        straight.begin(0, &order(), 0..50);
        let next = straight.begin(1, &order(), 50..100);
        for kept in [straight.kept(1), {
            let mut first = Taken::restored(1, 2, &Value::Null);
            first.begin(0, &order(), 0..50);
            first.kept(1)
        }] {
            let mut resumed = Taken::restored(1, 2, &kept);
            assert_eq!(resumed.begin(1, &order(), 50..100), next);
            assert_eq!(resumed.counts(), straight.counts());
        }
    }

    #[test]
    fn a_run_without_texts_keeps_nothing() {
        let order = Order::new(&[1.0], Split::Train, 3).expect("weights");
        let mut taken = Taken::restored(1, 0, &Value::Null);
        taken.begin(0, &order, 0..8);
        assert_eq!((taken.kept(1), taken.of_last_step()), (Value::Null, 0));
    }
}

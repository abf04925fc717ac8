//! The passes of an audit over its samples, in blocks on all cores.

use std::ops::Range;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::Settings;
use super::tally::{Tally, add_all};
use crate::data::generate::{Stopped, Watch};
use crate::data::judge::{Judge, Verdict, same};
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::{Maker, TRAIN};
use crate::ir::SlotId;
use crate::runtime::{Fault, Memory};

/// Samples that one memory makes before another may.
const BLOCK_SAMPLES: u64 = 64;

/// What the passes need.
pub struct Passes<'a> {
    pub native: &'a Maker,
    pub interpreter: &'a Maker,
    pub settings: Settings,
    pub watch: &'a Watch<'a>,
}

/// What the first pass finds: the template's own samples.
#[derive(Default)]
pub struct Own {
    pub digests: Vec<[u8; 32]>,
    pub replies: Vec<String>,
    pub rules: Vec<Tally>,
    pub read_back: u64,
    pub engines_differ: u64,
    pub words: u64,
    pub bytes: u64,
}

/// What the last pass finds: the cheats.
#[derive(Default)]
pub struct Cheating {
    pub tallies: Vec<Tally>,
    pub engines_differ: u64,
}

/// Two memories at the same sample.
struct Pair {
    native: Memory,
    interpreter: Memory,
}

impl Passes<'_> {
    /// Makes every sample in both engines and judges it.
    pub fn own(&self, split: &str) -> Result<Own, Stopped> {
        let judges = (Judge::new(self.native), Judge::new(self.interpreter));
        let texts = self.texts();
        let parts = self.blocks(|indices| {
            let (mut own, mut pair) = (Own::default(), self.pair(split));
            own.rules.resize_with(judges.0.rules().len(), Tally::default);
            for index in indices {
                self.sample(&mut pair, index, &mut own.engines_differ)?;
                let verdict = judges.0.own(&mut pair.native);
                let again = judges.1.own(&mut pair.interpreter);
                own.engines_differ += u64::from(verdict != again);
                for (tally, &score) in own.rules.iter_mut().zip(&verdict.scores) {
                    tally.count(index, score, score == 1.0);
                }
                own.look_at_texts(&texts, &judges.0, &mut pair.native);
            }
            Ok(own)
        })?;
        let mut own = Own::default();
        parts.into_iter().for_each(|part| own.add(part));
        Ok(own)
    }

    /// The digests of the samples of a split.
    pub fn digests(&self, split: &str) -> Result<Vec<[u8; 32]>, Stopped> {
        let texts = self.texts();
        let parts = self.blocks(|indices| {
            let mut memory = self.native.memory(split, self.settings.seed);
            let digest = |index| {
                self.native.sample(&mut memory, index).map_err(at(index))?;
                Ok(digest(&texts, &memory).0)
            };
            indices.map(digest).collect::<Result<Vec<_>, Stopped>>()
        })?;
        Ok(parts.concat())
    }

    /// Judges each cheat on every sample, in both engines.
    pub fn cheats(
        &self,
        inputs: &[SlotId],
        replies: &[String],
        constant: &str,
    ) -> Result<Cheating, Stopped> {
        let judges = (Judge::new(self.native), Judge::new(self.interpreter));
        let texts = self.texts();
        let parts = self.blocks(|indices| {
            let (mut part, mut pair) = (Cheating::default(), self.pair(TRAIN));
            part.tallies.resize_with(4 + inputs.len(), Tally::default);
            for index in indices {
                self.sample(&mut pair, index, &mut part.engines_differ)?;
                let memory = &pair.native;
                let other = &replies[(index as usize + 1) % replies.len()];
                let prompt = texts.text(Part::Prompt, memory);
                let echoes = inputs.iter().map(|&slot| texts.value(slot, memory));
                let fixed = [String::new(), prompt, other.clone(), constant.to_string()];
                let cheats: Vec<String> = fixed.into_iter().chain(echoes).collect();
                for (tally, cheat) in part.tallies.iter_mut().zip(&cheats) {
                    let verdict = judges.0.judge(cheat, &mut pair.native);
                    let again = judges.1.judge(cheat, &mut pair.interpreter);
                    part.engines_differ += u64::from(!agree(&verdict, &again));
                    tally.verdict(index, &verdict);
                }
            }
            Ok(part)
        })?;
        let mut all = Cheating::default();
        for part in parts {
            add_all(&mut all.tallies, &part.tallies);
            all.engines_differ += part.engines_differ;
        }
        Ok(all)
    }

    /// Runs a block of indices at a time on all cores; gives the results in order.
    fn blocks<R: Send>(
        &self,
        run: impl Fn(Range<u64>) -> Result<R, Stopped> + Sync,
    ) -> Result<Vec<R>, Stopped> {
        let samples = self.settings.samples;
        let block = |number: u64| {
            if self.watch.cancel.load(Ordering::Relaxed) {
                return Err(Stopped::Cancelled);
            }
            let start = number * BLOCK_SAMPLES;
            let indices = start..samples.min(start + BLOCK_SAMPLES);
            let count = indices.end - indices.start;
            let result = run(indices);
            (self.watch.progress)(count);
            result
        };
        let blocks: Vec<_> =
            (0..samples.div_ceil(BLOCK_SAMPLES)).into_par_iter().map(block).collect();
        // In order, so that the first fault is the same with any number of threads.
        blocks.into_iter().collect()
    }

    fn pair(&self, split: &str) -> Pair {
        let seed = self.settings.seed;
        let native = self.native.memory(split, seed);
        Pair { native, interpreter: self.interpreter.memory(split, seed) }
    }

    /// Makes a sample in both engines, and counts it if they differ.
    fn sample(&self, pair: &mut Pair, index: u64, differ: &mut u64) -> Result<(), Stopped> {
        let made = self.native.sample(&mut pair.native, index);
        let again = self.interpreter.sample(&mut pair.interpreter, index);
        made.map_err(at(index))?;
        let slots = self.native.program().slots.iter().zip(0..);
        let equal = again.is_ok()
            && slots.into_iter().all(|(slot, id)| {
                let left = (&pair.native, pair.native.slot(id));
                same(&slot.kind, left, (&pair.interpreter, pair.interpreter.slot(id)))
            });
        *differ += u64::from(!equal);
        Ok(())
    }

    fn texts(&self) -> TextWriter {
        TextWriter::new(self.native.program(), self.native.vocabulary.clone(), Escape::None)
    }
}

impl Own {
    fn look_at_texts(&mut self, texts: &TextWriter, judge: &Judge, memory: &mut Memory) {
        let (digest, text) = digest(texts, memory);
        self.digests.push(digest);
        self.words = self.words.max(text.split_whitespace().count() as u64);
        // The digest's text has a sign between two parts.
        self.bytes = self.bytes.max(text.len() as u64 - 2);
        let reply = texts.text(Part::Reply, memory);
        self.read_back += u64::from(judge.reads_back(&reply, memory));
        self.replies.push(reply);
    }

    fn add(&mut self, later: Own) {
        self.digests.extend(later.digests);
        self.replies.extend(later.replies);
        add_all(&mut self.rules, &later.rules);
        self.read_back += later.read_back;
        self.engines_differ += later.engines_differ;
        self.words = self.words.max(later.words);
        self.bytes = self.bytes.max(later.bytes);
    }
}

/// A sample's texts in one, and their digest.
fn digest(texts: &TextWriter, memory: &Memory) -> ([u8; 32], String) {
    let parts = [Part::System, Part::Prompt, Part::Reply].map(|part| texts.text(part, memory));
    let text = parts.join("\n");
    (*blake3::hash(text.as_bytes()).as_bytes(), text)
}

/// Bit for bit.
fn agree(left: &Verdict, right: &Verdict) -> bool {
    let bits = |verdict: &Verdict| -> Vec<u64> {
        verdict.scores.iter().map(|score| score.to_bits()).collect()
    };
    bits(left) == bits(right) && left.unreadable == right.unreadable
}

fn at(index: u64) -> impl Fn(Fault) -> Stopped {
    move |fault| Stopped::Fault(index, fault)
}

//! The passes of an audit over its samples, in blocks on all cores.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::Settings;
use super::changes::{self, Texts};
use super::cheats::{Cheat, Known};
use super::digest;
use super::guesses::Output;
use super::options::Options;
use super::stuffed;
use super::tally::{Tally, add_all};
use crate::data::generate::{Stopped, where_it_fits};
use crate::data::judge::{Judge, Verdict};
use crate::data::layout::{Escape, Part, TextWriter, cells};
use crate::data::observer::{Event, Observer};
use crate::data::{Sampler, Split};
use crate::ir::Program;
use crate::runtime::random::{self, RunKey, Stream};
use crate::runtime::{Fault, Memory};

/// Samples of a block, which one memory draws.
const BLOCK_SAMPLES: u64 = 64;
/// Copies of a sample's texts that a pass holds at once.
const TEXTS: u64 = 8;
/// Of this many samples, the replies are stuffed.
const STUFFED_SAMPLES: u64 = 200;
/// A value that has more different values than this has no classes.
pub const CLASSES_MAX: usize = 16;

/// What the passes need: a sampler, and the same program on the interpreter.
pub struct Passes<'a> {
    pub native: &'a Sampler,
    pub interpreter: &'a Sampler,
    pub settings: Settings,
    /// Of how many samples the interpreter makes each, and judges it.
    pub compared: u64,
    pub observer: &'a Observer<'a>,
}

/// What the first pass finds: the template's own samples.
#[derive(Default)]
pub struct Own {
    pub digests: Vec<[u8; 32]>,
    pub prompts: Vec<[u8; 32]>,
    /// The digests of the replies.
    pub replies: Vec<[u8; 32]>,
    pub rules: Vec<Tally>,
    pub unread: Tally,
    pub engines_differ: u64,
    pub words: u64,
    pub bytes: u64,
    /// How often each output that is no list has each of its values; up to one more than
    /// [`CLASSES_MAX`].
    pub classes: Vec<BTreeMap<String, u64>>,
    /// How often each output that is a list has each of its elements; like classes, not all.
    pub elements: Vec<BTreeMap<i64, u64>>,
    /// The digests of each output as the reply shows it; none where it shows one alone.
    pub pieces: Vec<Vec<[u8; 32]>>,
    /// Of each list to choose from, the answer's positions: which, and of how many.
    pub places: Vec<Vec<(u32, u32)>>,
    /// How often the number of the sample before has a position in it.
    pub places_by_chance: Vec<u64>,
    pub branches: Vec<[u64; 2]>,
}

/// What the last pass finds: cheats and changed replies.
#[derive(Default)]
pub struct Cheating {
    pub cheats: Vec<Tally>,
    pub changes: Vec<Tally>,
    pub stuffed: Vec<Tally>,
    pub engines_differ: u64,
}

impl Passes<'_> {
    /// Makes every sample and judges it, those that are compared in both engines.
    pub fn own(&self, outputs: &[Output], options: &[Options]) -> Result<Own, Stopped> {
        let judges = (Judge::new(self.native), Judge::new(self.interpreter));
        let (texts, program) = (self.texts(), self.native.program());
        let parts = self.blocks(|indices| {
            let (mut own, mut memory) = (Own::default(), self.memory(Split::Train));
            own.rules.resize_with(judges.0.rules().len(), Tally::default);
            own.classes.resize_with(outputs.len(), BTreeMap::new);
            own.elements.resize_with(outputs.len(), BTreeMap::new);
            own.pieces.resize_with(outputs.len(), Vec::new);
            own.places.resize_with(options.len(), Vec::new);
            own.places_by_chance.resize(options.len(), 0);
            let mut before: Option<i64> = None;
            memory.count_branches(program);
            for index in indices {
                self.go_on()?;
                // One memory for both engines: of a large sample there is no room for two.
                let again = (index < self.compared).then(|| {
                    let made = self.interpreter.sample(&mut memory, index).is_ok();
                    made.then(|| (digest::values(program, &memory), judges.1.own(&mut memory)))
                });
                self.native.sample(&mut memory, index).map_err(at(index))?;
                let verdict = judges.0.own(&mut memory);
                if let Some(again) = again {
                    let (values, verdict_again) = again.unzip();
                    let differs = values != Some(digest::values(program, &memory));
                    let judged = verdict_again.is_some_and(|one| one != verdict);
                    own.engines_differ += u64::from(differs) + u64::from(judged);
                }
                for (tally, &score) in own.rules.iter_mut().zip(&verdict.scores) {
                    tally.count(index, score, score == 1.0);
                }
                own.look_at_texts(index, &texts, &judges.0, &mut memory);
                own.look_at_outputs(outputs, program, &texts, &memory);
                for (places, options) in own.places.iter_mut().zip(options) {
                    let place = options.place(program, &memory);
                    places.extend(place.map(|(at, count)| (at as u32, count as u32)));
                }
                before = own.look_at_chance(before, options, program, &mut memory);
            }
            own.branches = memory.branches().to_vec();
            Ok(own)
        })?;
        let mut own = Own::default();
        parts.into_iter().for_each(|part| own.add(part));
        Ok(own)
    }

    /// The digests of the prompts of a split.
    pub fn prompts(&self, split: Split) -> Result<Vec<[u8; 32]>, Stopped> {
        let texts = self.texts();
        let parts = self.blocks(|indices| {
            let mut memory = self.memory(split);
            let digest = |index| {
                self.go_on()?;
                self.native.sample(&mut memory, index).map_err(at(index))?;
                Ok(digest(&read_text(&texts, &memory)))
            };
            indices.map(digest).collect::<Result<Vec<_>, Stopped>>()
        })?;
        Ok(parts.concat())
    }

    /// Judges each cheat on every sample, in both engines, and every change of its reply.
    pub fn cheats(&self, cheats: &[Cheat], same: &str) -> Result<Cheating, Stopped> {
        let judges = (Judge::new(self.native), Judge::new(self.interpreter));
        let (texts, program) = (self.texts(), self.native.program());
        let key = self.key();
        let parts = self.blocks(|indices| {
            let (mut part, mut memory) = (Cheating::default(), self.memory(Split::Train));
            part.cheats.resize_with(cheats.len(), Tally::default);
            part.changes.resize_with(changes::ALL.len(), Tally::default);
            part.stuffed.resize_with(stuffed::ALL.len(), Tally::default);
            for index in indices {
                self.go_on()?;
                // Made again rather than kept: long replies of all samples would fill the memory.
                let other = self.reply(&texts, &mut memory, (index + 1) % self.settings.samples)?;
                self.native.sample(&mut memory, index).map_err(at(index))?;
                let mut stream = random::start(&key, index);
                let known = Known { other: &other, same };
                for (tally, cheat) in part.cheats.iter_mut().zip(cheats) {
                    self.go_on()?;
                    let reply = cheat.reply(&texts, program, &mut memory, &known, &mut stream);
                    let verdict = judges.0.judge(&reply.text, &mut memory);
                    if index < self.compared {
                        let again = judges.1.judge(&reply.text, &mut memory);
                        part.engines_differ += u64::from(!agree(&verdict, &again));
                    }
                    tally.verdict(index, &verdict);
                    tally.chance += reply.chance.unwrap_or(0.0);
                }
                let sample = Texts::new(&texts, &memory);
                for (tally, (change, _)) in part.changes.iter_mut().zip(changes::ALL) {
                    let words = self.native.vocabulary();
                    if let Some(reply) = sample.changed(change, words, &mut stream) {
                        tally.verdict(index, &judges.0.judge(&reply, &mut memory));
                    }
                }
                if index < STUFFED_SAMPLES {
                    self.stuff(
                        &mut part,
                        index,
                        &other,
                        (&texts, &judges.0, &mut memory),
                        &mut stream,
                    );
                }
            }
            Ok(part)
        })?;
        let mut all = Cheating::default();
        for part in parts {
            add_all(&mut all.cheats, &part.cheats);
            add_all(&mut all.changes, &part.changes);
            add_all(&mut all.stuffed, &part.stuffed);
            all.engines_differ += part.engines_differ;
        }
        Ok(all)
    }

    /// Judges the stuffed replies to the sample in the memory.
    fn stuff(
        &self,
        part: &mut Cheating,
        index: u64,
        other: &str,
        (texts, judge, memory): (&TextWriter, &Judge, &mut Memory),
        stream: &mut Stream,
    ) {
        let (prompt, right) = (read_text(texts, memory), texts.text(Part::Reply, memory));
        let is_wrong = !other.trim().is_empty() && !judge.judge(other, memory).exact();
        let known =
            stuffed::Texts { prompt: &prompt, right: &right, wrong: is_wrong.then_some(other) };
        for (tally, (stuffing, _)) in part.stuffed.iter_mut().zip(stuffed::ALL) {
            let words = self.native.vocabulary();
            let is_right = |reply: &str| judge.judge(reply, memory).exact();
            if let Some(reply) = stuffing.reply(&known, words, stream, is_right) {
                tally.verdict(index, &judge.judge(&reply, memory));
            }
        }
    }

    /// The text of a piece of a sample's reply.
    pub fn piece(&self, piece: usize, index: u64) -> Result<String, Stopped> {
        let mut memory = self.memory(Split::Train);
        self.native.sample(&mut memory, index).map_err(at(index))?;
        Ok(self.texts().pieces(Part::Reply, &memory).swap_remove(piece).1)
    }

    /// The reply of a sample.
    pub fn reply(
        &self,
        texts: &TextWriter,
        memory: &mut Memory,
        index: u64,
    ) -> Result<String, Stopped> {
        self.native.sample(memory, index).map_err(at(index))?;
        Ok(texts.text(Part::Reply, memory))
    }

    /// Fails once the observer stops the audit.
    fn go_on(&self) -> Result<(), Stopped> {
        match self.observer.is_cancelled() {
            true => Err(Stopped::Cancelled),
            false => Ok(()),
        }
    }

    /// Runs a block of indices at a time on all cores for which there is memory; returns the
    /// results in order.
    fn blocks<R: Send>(
        &self,
        run: impl Fn(Range<u64>) -> Result<R, Stopped> + Sync + Send,
    ) -> Result<Vec<R>, Stopped> {
        where_it_fits(std::slice::from_ref(self.native), TEXTS, || self.blocks_at_once(run))
    }

    fn blocks_at_once<R: Send>(
        &self,
        run: impl Fn(Range<u64>) -> Result<R, Stopped> + Sync,
    ) -> Result<Vec<R>, Stopped> {
        let samples = self.settings.samples;
        let block = |number: u64| {
            self.go_on()?;
            let start = number * BLOCK_SAMPLES;
            let indices = start..samples.min(start + BLOCK_SAMPLES);
            let count = indices.end - indices.start;
            let result = run(indices);
            self.observer.emit(Event::Audited { samples: count });
            result
        };
        let blocks: Vec<_> =
            (0..samples.div_ceil(BLOCK_SAMPLES)).into_par_iter().map(block).collect();
        // In order, so that the first error is the same with any number of threads.
        blocks.into_iter().collect()
    }

    /// A memory, in which both engines run.
    pub fn memory(&self, split: Split) -> Memory {
        self.native.memory(split, self.settings.seed)
    }

    /// The key of what the auditor itself draws: options and changes.
    fn key(&self) -> [u64; 4] {
        let program = self.native.program();
        RunKey::new(&program.name, &program.level, "audit", self.settings.seed).stream("audit")
    }

    pub fn texts(&self) -> TextWriter {
        TextWriter::new(self.native.program(), self.native.vocabulary().clone(), Escape::None)
    }
}

impl Own {
    fn look_at_texts(
        &mut self,
        index: u64,
        texts: &TextWriter,
        judge: &Judge,
        memory: &mut Memory,
    ) {
        let prompt = read_text(texts, memory);
        let reply = texts.text(Part::Reply, memory);
        self.prompts.push(digest(&prompt));
        let text = format!("{prompt}\n{reply}");
        self.digests.push(digest(&text));
        self.words = self.words.max(text.split_whitespace().count() as u64);
        // The text has a line break between two parts.
        self.bytes = self.bytes.max(text.len() as u64 - 2);
        let read_back = judge.reads_back(&reply, memory);
        self.unread.count(index, f64::from(read_back), read_back);
        self.replies.push(digest(&reply));
    }

    fn look_at_outputs(
        &mut self,
        outputs: &[Output],
        program: &Program,
        texts: &TextWriter,
        memory: &Memory,
    ) {
        let pieces = match outputs {
            [_] => Vec::new(),
            _ => texts.pieces(Part::Reply, memory),
        };
        for (at, output) in outputs.iter().enumerate() {
            if let Some((_, text)) = pieces.get(output.piece) {
                self.pieces[at].push(digest(text));
            }
            let kind = &program.slots[output.slot as usize].kind;
            match kind.element() {
                // A list may be long, and is no class.
                None => count(&mut self.classes[at], texts.value(output.slot, memory), 1),
                Some(element) if element.depth() == 0 => {
                    for cell in cells(memory, memory.slot(output.slot), element) {
                        count(&mut self.elements[at], cell, 1);
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Counts where the number of the sample before stands in this one's lists; returns this one's.
    fn look_at_chance(
        &mut self,
        before: Option<i64>,
        options: &[Options],
        program: &Program,
        memory: &mut Memory,
    ) -> Option<i64> {
        let output = options.iter().find(|one| one.is_of_numbers(program))?.output;
        let own = memory.slot(output);
        if let Some(before) = before {
            memory.bind(output, before);
            for (at, options) in options.iter().enumerate() {
                let found =
                    options.is_of_numbers(program) && options.place(program, memory).is_some();
                self.places_by_chance[at] += u64::from(found);
            }
            memory.bind(output, own);
        }
        Some(own)
    }

    fn add(&mut self, later: Own) {
        self.digests.extend(later.digests);
        self.prompts.extend(later.prompts);
        self.replies.extend(later.replies);
        add_all(&mut self.rules, &later.rules);
        self.unread.add(&later.unread);
        self.engines_differ += later.engines_differ;
        self.words = self.words.max(later.words);
        self.bytes = self.bytes.max(later.bytes);
        self.classes.resize_with(later.classes.len(), BTreeMap::new);
        for (counts, later) in self.classes.iter_mut().zip(later.classes) {
            later.into_iter().for_each(|(value, times)| count(counts, value, times));
        }
        self.elements.resize_with(later.elements.len(), BTreeMap::new);
        for (counts, later) in self.elements.iter_mut().zip(later.elements) {
            later.into_iter().for_each(|(cell, times)| count(counts, cell, times));
        }
        self.pieces.resize_with(later.pieces.len(), Vec::new);
        for (pieces, later) in self.pieces.iter_mut().zip(later.pieces) {
            pieces.extend(later);
        }
        self.places_by_chance.resize(later.places_by_chance.len(), 0);
        for (count, later) in self.places_by_chance.iter_mut().zip(later.places_by_chance) {
            *count += later;
        }
        self.places.resize_with(later.places.len(), Vec::new);
        for (places, later) in self.places.iter_mut().zip(later.places) {
            places.extend(later);
        }
        self.branches.resize(later.branches.len(), [0; 2]);
        for (counts, later) in self.branches.iter_mut().zip(later.branches) {
            (0..2).for_each(|way| counts[way] += later[way]);
        }
    }
}

fn count<T: Ord>(counts: &mut BTreeMap<T, u64>, value: T, times: u64) {
    if counts.len() <= CLASSES_MAX || counts.contains_key(&value) {
        *counts.entry(value).or_default() += times;
    }
}

/// All that the model reads.
fn read_text(texts: &TextWriter, memory: &Memory) -> String {
    [Part::System, Part::Prompt].map(|part| texts.text(part, memory)).join("\n")
}

fn digest(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// Bit for bit.
fn agree(left: &Verdict, right: &Verdict) -> bool {
    let bits = |verdict: &Verdict| -> Vec<u64> {
        verdict.scores.iter().map(|score| score.to_bits()).collect()
    };
    bits(left) == bits(right) && left.unreadable == right.unreadable
}

fn at(index: u64) -> impl Fn(Fault) -> Stopped {
    move |error| Stopped::Fault(index, error)
}

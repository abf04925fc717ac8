//! A template compiled at one level: it draws samples and scores replies.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::{Error, Key, Sample, Score};
use crate::data::generate::Stopped;
use crate::data::grammar::{Dialect, Grammar};
use crate::data::judge::Judge;
use crate::data::layout::{Escape, Fields, Part, TextWriter};
use crate::data::preview::cannot_make;
use crate::data::sink::Schema;
use crate::data::{self, Observer, SampleId, Split};
use crate::runtime::{Fault, Memory};
use crate::source::Source;

/// Replies that a thread scores before it takes others: each is a microsecond or more.
const REPLIES_TOGETHER: usize = 64;

/// A template compiled at one level. It is `Send` and `Sync`, owns all that it needs, and a clone
/// costs nothing: pass one to each thread.
#[derive(Clone)]
pub struct Sampler {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    draws: data::Sampler,
    tools: OnceLock<Tools>,
    /// Of the samples' keys: template, level and settings.
    names: [Arc<str>; 3],
    /// Memories that no call uses now: one is large, and is allocated once a thread.
    free: Mutex<Vec<Memory>>,
}

/// What writes and scores samples, prepared when it is first needed.
struct Tools {
    judge: Judge,
    texts: TextWriter,
    fields: Fields,
    rules: Arc<[String]>,
}

impl Inner {
    fn tools(&self) -> &Tools {
        self.tools.get_or_init(|| {
            let (program, words) = (self.draws.program(), self.draws.vocabulary());
            let judge = Judge::new(&self.draws);
            Tools {
                texts: TextWriter::new(program, words.clone(), Escape::None),
                fields: Fields::new(program, words.clone()),
                rules: judge.rules().into_iter().map(String::from).collect(),
                judge,
            }
        })
    }
}

impl Sampler {
    /// Of a template's text, its compiled program, and what is set beside its level.
    pub(crate) fn new(source: Source, draws: data::Sampler, set: &str) -> Sampler {
        let inner = Inner {
            source,
            tools: OnceLock::new(),
            names: [&*draws.program().name, draws.level(), set].map(Arc::from),
            free: Mutex::default(),
            draws,
        };
        Sampler { inner: Arc::new(inner) }
    }

    /// The name of the template.
    pub fn name(&self) -> &str {
        &self.inner.names[0]
    }

    /// The name of the level; `default` for none.
    pub fn level(&self) -> &str {
        &self.inner.names[1]
    }

    /// The rules by name, in the order of their scores.
    pub fn rules(&self) -> &[String] {
        &self.inner.tools().rules
    }

    /// The samples with these indices, one after the other. A sample is a pure function of
    /// template, level, settings, split, seed and index.
    ///
    /// # Errors
    /// [`Error::Sample`] in place of a sample that cannot be drawn; the next one may be.
    ///
    /// # Examples
    /// ```
    /// use cookc::{Split, Template};
    ///
    /// let sampler = Template::builtin("retrieval")?.level("easy").compile()?;
    /// let texts: Result<Vec<_>, _> = sampler.samples(Split::Train, 42, 0..3).collect();
    /// assert_eq!(texts?[1], sampler.sample(Split::Train, 42, 1)?);
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn samples(&self, split: Split, seed: u64, indices: Range<u64>) -> Samples {
        let memory = Some(self.memory(split, seed));
        Samples { sampler: self.clone(), memory, split, seed, indices }
    }

    /// One sample.
    ///
    /// # Errors
    /// [`Error::Sample`] if it cannot be drawn.
    pub fn sample(&self, split: Split, seed: u64, index: u64) -> Result<Sample, Error> {
        self.with_memory(split, seed, |memory| self.draw(memory, split, seed, index))
    }

    /// Scores a reply to the sample with this key by every rule of the template.
    ///
    /// # Errors
    /// [`Error::Sample`] if the sample cannot be drawn. A reply that cannot be read is no error:
    /// it scores 0, and [`Score::unreadable`] says why.
    ///
    /// # Examples
    /// ```
    /// use cookc::{Split, Template};
    ///
    /// let sampler = Template::builtin("retrieval")?.level("easy").compile()?;
    /// let sample = sampler.sample(Split::Eval, 7, 0)?;
    /// assert!(sampler.score(Split::Eval, 7, 0, &sample.reply)?.exact());
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn score(&self, split: Split, seed: u64, index: u64, reply: &str) -> Result<Score, Error> {
        let Tools { judge, rules, .. } = self.inner.tools();
        let judged = |memory: &mut Memory| Score::new(rules, judge.judge(reply, memory));
        self.in_memory_of(split, seed, index, judged)
    }

    /// Scores many replies in parallel, each to the sample with its index, in their order.
    ///
    /// # Errors
    /// [`Error::Sample`] for the first of the samples that cannot be drawn, and
    /// [`Error::Cancelled`] if the observer stops it.
    ///
    /// # Examples
    /// ```
    /// use cookc::{Split, Template, data::Observer};
    ///
    /// let sampler = Template::builtin("retrieval")?.compile()?;
    /// let replies = [(0, "a guess"), (0, "another"), (7, "")];
    /// let scores = sampler.score_many(Split::Train, 42, &replies, &Observer::none())?;
    /// assert_eq!(scores.len(), 3);
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn score_many<Reply: AsRef<str> + Sync>(
        &self,
        split: Split,
        seed: u64,
        replies: &[(u64, Reply)],
        observer: &Observer,
    ) -> Result<Vec<Score>, Error> {
        let Tools { judge, rules, .. } = self.inner.tools();
        let some = |replies: &[(u64, Reply)]| {
            if observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.with_memory(split, seed, |memory| {
                let mut in_memory = None;
                let one = |(index, reply): &(u64, Reply)| {
                    // Replies to one sample often come one after the other.
                    if in_memory.replace(*index) != Some(*index) {
                        let drawn = self.inner.draws.sample(memory, *index);
                        drawn.map_err(|error| self.error(split, seed, *index, error))?;
                    }
                    Ok(judge.judge(reply.as_ref(), memory))
                };
                replies.iter().map(one).collect::<Result<Vec<_>, _>>()
            })
        };
        let verdicts: Vec<_> = replies.par_chunks(REPLIES_TOGETHER).map(some).collect();
        let mut scores = Vec::with_capacity(replies.len());
        for some in verdicts {
            // The threads would wait for each other to count who has the rules' names.
            scores.extend(some?.into_iter().map(|verdict| Score::new(rules, verdict)));
        }
        Ok(scores)
    }

    /// Scores a reply against a record: any object that has the values that the template's texts
    /// show, by their names, as [`Sample::fields`] has them. Words and texts that the template
    /// does not know are values too, so the record may be natural text.
    ///
    /// # Errors
    /// [`Error::Record`] if the record lacks a value that a rule needs, or has one of another
    /// type, and if a rule depends on a draw that no text shows.
    ///
    /// # Examples
    /// ```
    /// use cookc::Template;
    /// use serde_json::json;
    ///
    /// let template = Template::parse("first.cook", r#"
    ///     words_ ~ distinct(3, vocab)
    ///     first  = at(0, words_)
    ///     rule begins: first == at(0, words_)
    ///     prompt "Words: {words_}. The first?"
    ///     reply "{first}"
    /// "#)?;
    /// let sampler = template.compile()?;
    /// let record = json!({"words_": "Paris is large"});
    /// let record = record.as_object().expect("an object");
    /// assert!(sampler.score_fields(record, "Paris")?.exact());
    /// assert!(!sampler.score_fields(record, "is")?.exact());
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn score_fields(&self, record: &Map<String, Value>, reply: &str) -> Result<Score, Error> {
        self.with_memory(Split::Train, 0, |memory| {
            memory.clear();
            let Tools { judge, rules, .. } = self.inner.tools();
            Ok(Score::new(rules, judge.judge_record(record, reply, memory)?))
        })
    }

    /// The grammar of the replies to any of its prompts, for engines that decode under one: every
    /// reply that the template writes is accepted, and what is accepted can be read. Where lines of
    /// the reply begin with what the prompt shows, [`Sampler::sample_grammar`] has them.
    ///
    /// # Examples
    /// ```
    /// use cookc::Template;
    /// use cookc::data::grammar::Dialect;
    ///
    /// let sampler = Template::builtin("boolean_expression")?.compile()?;
    /// let grammar = sampler.grammar(Dialect::Gbnf);
    /// assert!(grammar.contains(r#"verdict ::= "false" | "true""#));
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn grammar(&self, dialect: Dialect) -> String {
        Grammar::new(&self.inner.draws).text(dialect)
    }

    /// The grammar of the replies to one sample: the same for all samples, unless lines of the
    /// reply begin with what the prompt shows.
    ///
    /// # Errors
    /// [`Error::Sample`] if the sample cannot be drawn.
    pub fn sample_grammar(
        &self,
        split: Split,
        seed: u64,
        index: u64,
        dialect: Dialect,
    ) -> Result<String, Error> {
        let text =
            |memory: &mut Memory| Grammar::of_sample(&self.inner.draws, memory).text(dialect);
        self.in_memory_of(split, seed, index, text)
    }

    /// The text that tells one of its samples from all others: the `id` of a data set's rows.
    pub fn id(&self, split: Split, seed: u64, index: u64) -> SampleId {
        SampleId { index, ..SampleId::first(&self.inner.draws, split, seed) }
    }

    /// The sampler underneath, which draws into a memory: for token ids, data sets in bulk and the
    /// audit, all in [`crate::data`].
    pub fn inner(&self) -> &data::Sampler {
        &self.inner.draws
    }

    fn draw(
        &self,
        memory: &mut Memory,
        split: Split,
        seed: u64,
        index: u64,
    ) -> Result<Sample, Error> {
        let draws = &self.inner.draws;
        let Tools { texts, fields, .. } = self.inner.tools();
        draws.sample(memory, index).map_err(|error| self.error(split, seed, index, error))?;
        let mut object = Vec::new();
        fields.write(memory, &mut object);
        let has_system = draws.program().layout.system.is_some();
        Ok(Sample {
            key: self.key(split, seed, index),
            system: has_system.then(|| texts.text(Part::System, memory)),
            prompt: texts.text(Part::Prompt, memory),
            reply: texts.text(Part::Reply, memory),
            fields: serde_json::from_slice(&object).expect("fields are a JSON object"),
        })
    }

    /// The columns of its samples.
    pub(super) fn schema(&self, split: Split, seed: u64) -> Schema {
        let [_, _, set] = &self.inner.names;
        Schema::one(self.inner.draws.clone(), set.to_string(), split, seed)
    }

    /// Does work with a sample in a memory.
    pub(super) fn in_memory_of<T>(
        &self,
        split: Split,
        seed: u64,
        index: u64,
        work: impl FnOnce(&mut Memory) -> T,
    ) -> Result<T, Error> {
        self.with_memory(split, seed, |memory| {
            let drawn = self.inner.draws.sample(memory, index);
            drawn.map_err(|error| self.error(split, seed, index, error))?;
            Ok(work(memory))
        })
    }

    /// Why a data set ended early.
    pub(super) fn stopped(&self, split: Split, seed: u64, stopped: Stopped) -> Error {
        match stopped {
            Stopped::Fault(index, fault) => self.error(split, seed, index, fault),
            Stopped::NoRow(why) => Error::Input(why),
            Stopped::Cancelled => Error::Cancelled,
            Stopped::Output(error) => Error::Failed(error),
        }
    }

    fn key(&self, split: Split, seed: u64, index: u64) -> Key {
        let [template, level, set] = self.inner.names.clone();
        Key { template, level, set, split, seed, index }
    }

    fn error(&self, split: Split, seed: u64, index: u64, error: Fault) -> Error {
        let diagnostic = cannot_make(self.inner.draws.program(), seed, index, error);
        let key = Box::new(self.key(split, seed, index));
        Error::Sample { key, source: self.inner.source.clone(), diagnostic: Box::new(diagnostic) }
    }

    /// Does work in a memory for the samples of a split and a seed.
    fn with_memory<T>(&self, split: Split, seed: u64, work: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.memory(split, seed);
        let done = work(&mut memory);
        self.give_back(memory);
        done
    }

    fn memory(&self, split: Split, seed: u64) -> Memory {
        match self.free().and_then(|mut free| free.pop()) {
            Some(mut memory) => {
                self.inner.draws.ready(&mut memory, split, seed);
                memory
            }
            None => self.inner.draws.memory(split, seed),
        }
    }

    fn give_back(&self, memory: Memory) {
        if let Some(mut free) = self.free() {
            free.push(memory);
        }
    }

    /// The memories that no call uses; none while another thread looks: a process that was forked
    /// then would wait for that thread for ever.
    fn free(&self) -> Option<MutexGuard<'_, Vec<Memory>>> {
        match self.inner.free.try_lock() {
            Ok(free) => Some(free),
            Err(TryLockError::Poisoned(free)) => Some(free.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [template, level, set] = &self.inner.names;
        f.debug_struct("Sampler")
            .field("template", template)
            .field("level", level)
            .field("set", set)
            .finish_non_exhaustive()
    }
}

/// Samples one after the other: see [`Sampler::samples`].
#[derive(Debug)]
pub struct Samples {
    sampler: Sampler,
    /// Given back when this is dropped.
    memory: Option<Memory>,
    split: Split,
    seed: u64,
    indices: Range<u64>,
}

impl Iterator for Samples {
    type Item = Result<Sample, Error>;

    fn next(&mut self) -> Option<Result<Sample, Error>> {
        let index = self.indices.next()?;
        let memory = self.memory.as_mut().expect("it is there until this is dropped");
        Some(self.sampler.draw(memory, self.split, self.seed, index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }
}

impl Drop for Samples {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.sampler.give_back(memory);
        }
    }
}

//! A template compiled at one level: it draws samples and scores replies.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use super::{Error, Key, Sample, Score};
use crate::data::judge::Judge;
use crate::data::layout::{Escape, Fields, Part, TextWriter};
use crate::data::preview::cannot_make;
use crate::data::{self, Split};
use crate::runtime::{Fault, Memory};
use crate::source::Source;

/// A template compiled at one level. It is `Send` and `Sync`, owns all that it needs, and a clone
/// costs nothing: give one to each thread.
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
    /// Memories that no call uses now: one is large, and is made once a thread.
    free: Mutex<Vec<Memory>>,
}

/// What writes and judges samples, made when it is first needed.
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
        self.with_memory(split, seed, |memory| {
            let made = self.inner.draws.sample(memory, index);
            made.map_err(|error| self.error(split, seed, index, error))?;
            let Tools { judge, rules, .. } = self.inner.tools();
            Ok(Score::new(rules, judge.judge(reply, memory)))
        })
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
        let free = self.inner.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(mut memory) => {
                self.inner.draws.ready(&mut memory, split, seed);
                memory
            }
            None => self.inner.draws.memory(split, seed),
        }
    }

    fn give_back(&self, memory: Memory) {
        self.inner.free.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
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

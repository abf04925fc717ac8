//! A compiled template: its program with engine, words and pools; it draws samples into a memory.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use anyhow::Context;

use super::answer::Answer;
use super::split::{self, Split, Splits};
use super::vocab::Vocabulary;
use super::{DEFAULT_LEVEL, level_name};
use crate::check::typed::Template;
use crate::diagnostic::Diagnostic;
use crate::engine::{self, Engine};
use crate::ir::{self, Choice, Layout, Program};
use crate::runtime::random::STREAM_VERSION;
use crate::runtime::{Fault, Memory, Pools, RunKey};

/// What a sampler is compiled from.
#[derive(Clone, Debug)]
pub struct Compile<'a> {
    /// The template.
    pub template: &'a Template,
    /// One of its levels; `default` or nothing for the parameters' defaults.
    pub level: &'a str,
    /// Parameters by name, with the text of their numbers; the last of a name counts.
    pub set: &'a [(String, String)],
    /// The words of `vocab`.
    pub words: Vocabulary,
    /// How answers are written.
    pub answer: Answer,
}

/// Why a sampler cannot be compiled.
#[derive(Debug)]
pub enum Uncompiled {
    /// The template has errors at this level, with these parameters and words.
    Invalid(Vec<Diagnostic>),
    /// There is no machine code for this machine.
    NoMachineCode(anyhow::Error),
}

impl<'a> Compile<'a> {
    /// At a level, with the numbers that the level sets.
    pub fn level(template: &'a Template, level: &'a str, words: Vocabulary) -> Compile<'a> {
        Compile { template, level, set: &[], words, answer: Answer::default() }
    }

    /// Compiles to the fastest engine of this build: machine code, or the interpreter without the
    /// feature `jit`.
    ///
    /// # Errors
    /// [`Uncompiled`] if the template cannot be lowered at this level, or there is no machine code
    /// for this machine.
    pub fn fastest(self) -> Result<Sampler, Uncompiled> {
        let fastest = |program| engine::fastest(program).context("cannot make machine code");
        let lowered = self.lower().map_err(Uncompiled::Invalid)?;
        lowered.run_by(fastest).map_err(Uncompiled::NoMachineCode)
    }

    /// Compiles to the interpreter, and to the fastest engine of this build once that pays: the
    /// same bytes, and the first samples are there soon.
    ///
    /// # Errors
    /// The errors of the template at this level.
    pub fn adaptive(self) -> Result<Sampler, Vec<Diagnostic>> {
        let Ok(sampler) = self.lower()?.run_by(adaptive);
        Ok(sampler)
    }

    /// Compiles to the interpreter: the same bytes, slower, and without machine code.
    ///
    /// # Errors
    /// The errors of the template at this level.
    pub fn interpreted(self) -> Result<Sampler, Vec<Diagnostic>> {
        let Ok(sampler) = self.lower()?.run_by(interpreter);
        Ok(sampler)
    }

    fn lower(self) -> Result<Lowered, Vec<Diagnostic>> {
        let Compile { template, level, set, mut words, answer } = self;
        // `default` is the name of the defaults, unless the template has a level of that name.
        let is_there = template.levels.iter().any(|one| one.name == level);
        let is_default = level == DEFAULT_LEVEL && !is_there;
        let choice = Choice {
            level: if is_default { String::new() } else { level.to_string() },
            set: set.to_vec(),
            vocabulary: words.own_len(),
            words: words.shape(),
        };
        let program = Arc::new(ir::lower(template, &choice)?);
        let named = template.pools.iter().skip(1).map(|pool| pool.words.as_slice());
        let tokens = words.add_pools(named);
        let pools = Arc::new(Pools { tokens, words: words.shared() });
        Ok(Lowered { program, words: Arc::new(words), pools, answer })
    }
}

/// A program, with the words and pools that it was lowered for.
struct Lowered {
    program: Arc<Program>,
    words: Arc<Vocabulary>,
    pools: Arc<Pools>,
    answer: Answer,
}

impl Lowered {
    fn run_by<E>(
        self,
        engine: impl FnOnce(Arc<Program>) -> Result<Box<dyn Engine>, E>,
    ) -> Result<Sampler, E> {
        let Lowered { program: own, words: vocabulary, pools, answer } = self;
        // Which split a prompt belongs to does not depend on what is asked for.
        let splits = Splits::new(&own, &vocabulary, &pools).map(Arc::new);
        let engine = engine(answer.ask(&own).map_or_else(|| own.clone(), Arc::new))?.into();
        Ok(Sampler { engine, own, answer, vocabulary, pools, splits, digest: Arc::default() })
    }
}

fn adaptive(program: Arc<Program>) -> Result<Box<dyn Engine>, Infallible> {
    Ok(engine::adaptive(program))
}

fn interpreter(program: Arc<Program>) -> Result<Box<dyn Engine>, Infallible> {
    Ok(engine::interpreter(program))
}

/// A program with all that draws samples from it into a [`Memory`]: the core of
/// [`crate::Sampler`]. Threads share it, and a clone costs nothing. It has no way around the split:
/// what it draws for one split is never a prompt of the other.
#[derive(Clone)]
pub struct Sampler {
    engine: Arc<dyn Engine>,
    /// The program without what is asked for.
    own: Arc<Program>,
    answer: Answer,
    vocabulary: Arc<Vocabulary>,
    pools: Arc<Pools>,
    /// Where a prompt may come twice.
    splits: Option<Arc<Splits>>,
    /// Computed when it is first asked for: it looks at every word.
    digest: Arc<OnceLock<String>>,
}

impl Sampler {
    /// The words of its tokens: those of `vocab`, then those of the template's own pools.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// Its pools of words.
    pub fn pools(&self) -> &Arc<Pools> {
        &self.pools
    }

    /// What is run.
    pub fn program(&self) -> &Arc<Program> {
        self.engine.program()
    }

    /// The same with the prompt and the reply as the template has them, whatever form of answers is
    /// asked for.
    pub fn own_program(&self) -> &Arc<Program> {
        &self.own
    }

    /// How answers are written.
    pub fn answer(&self) -> Answer {
        self.answer
    }

    /// The name of the level.
    pub fn level(&self) -> &str {
        level_name(&self.program().level)
    }

    /// The same program, run by the interpreter.
    pub fn interpreted(&self) -> Sampler {
        Sampler { engine: engine::interpreter(self.program().clone()).into(), ..self.clone() }
    }

    /// The same values, written by another layout and under another name, run by the interpreter.
    pub fn with_layout(&self, name: &str, layout: Layout) -> Sampler {
        let program = Program { name: name.to_string(), layout, ..(**self.program()).clone() };
        let (words, pools) = (self.vocabulary.clone(), self.pools.clone());
        let answer = Answer::default();
        let lowered = Lowered { program: Arc::new(program), words, pools, answer };
        let Ok(sampler) = lowered.run_by(interpreter);
        sampler
    }

    /// A thread's memory for the samples of a split and a seed.
    pub fn memory(&self, split: Split, seed: u64) -> Memory {
        let mut memory = Memory::new(self.program(), &self.pools);
        self.ready(&mut memory, split, seed);
        memory
    }

    /// Makes a memory of this program ready for the samples of another split and seed.
    pub fn ready(&self, memory: &mut Memory, split: Split, seed: u64) {
        let program = self.program();
        memory.seed(&RunKey::new(&program.name, &program.level, split.name(), seed));
        memory.held_out = split == Split::Eval;
    }

    /// A digest of what decides its samples beside split, seed and index: the template at its level
    /// with its settings, how its values are shown, and its words.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| self.digested())
    }

    fn digested(&self) -> String {
        let program = self.program();
        let mut hasher = blake3::Hasher::new_derive_key("cookc template digest");
        hasher.update(&STREAM_VERSION.to_le_bytes());
        hasher.update(format!("{}{:?}", ir::print(program), program.layout).as_bytes());
        for word in self.vocabulary().words() {
            hasher.update(word.as_bytes()).update(b"\n");
        }
        hasher.update(format!("{:?}", self.pools().tokens).as_bytes());
        hasher.finalize().to_hex()[..16].to_string()
    }

    /// Makes what the rules are given of the record in the memory, once its values are bound.
    pub(super) fn give(&self, memory: &mut Memory) {
        self.engine.give(memory);
    }

    /// Scores the values in the memory: one score a rule, from 0 to 1, into `scores`, which is
    /// emptied first.
    pub fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>) {
        self.engine.judge(memory, scores);
    }

    /// Draws the sample with this index, whose prompt belongs to the memory's split. Only where
    /// all of many draws belong to the other is there an overlap; the audit finds it.
    ///
    /// # Errors
    /// [`Fault`] if a step of the template fails in this sample.
    pub fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault> {
        self.engine.sample(memory, index)?;
        let Some(splits) = &self.splits else { return Ok(()) };
        let mut attempt = 0;
        while splits.holds_out(memory) != memory.held_out {
            attempt = (attempt + 1) % split::TRIES;
            self.engine.sample(memory, split::index_of(index, attempt))?;
            if attempt == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Whether the prompt in the memory is one of the memory's split: false only where all of many
    /// draws belong to the other one.
    pub fn keeps_split(&self, memory: &mut Memory) -> bool {
        self.splits.as_ref().is_none_or(|splits| splits.holds_out(memory) == memory.held_out)
    }
}

//! What is run beside the audit: samples drawn again in other orders, from other seeds and ids, and
//! replies judged twice.

use rayon::prelude::*;

use super::Subject;
use super::canaries::{self, Known, NAMES, ODD};
use crate::data::audit::Settings;
use crate::data::generate::Stopped;
use crate::data::grammar::Grammar;
use crate::data::judge::{Judge, Verdict};
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::observer::Observer;
use crate::data::{SampleId, Sampler, Split};
use crate::runtime::random::{self, RunKey};
use crate::runtime::{Fault, Memory};

/// Counts of the runs.
#[derive(Default)]
pub struct Runs {
    /// Samples of each run.
    pub samples: u64,
    /// The seed of all but one.
    pub seed: u64,
    /// Right replies as text: judged, and right in full.
    pub oracle: Count,
    /// One a canary.
    pub canaries: Vec<Count>,
    /// The pieces of the prompt that show a value, by number, each as a reply.
    pub pieces: Vec<Count>,
    /// Replies that were judged.
    pub judged: u64,
    /// Those with a score that is no number from 0 to 1, or without one for a rule.
    pub malformed: u64,
    /// The least and the greatest mean of rules.
    pub rewards: Option<(f64, f64)>,
    /// Replies that were scored otherwise when they were judged again.
    pub unstable: u64,
    /// Samples that were other ones when they were drawn again in reverse order, or alone, on all
    /// cores.
    pub reordered: u64,
    /// Samples with another seed that are the same.
    pub same_with_other_seed: u64,
    /// Samples that were other ones when they were made again from their ids.
    pub unreplayed: u64,
    /// The digest of the prompts of both splits, and whether the template compiled again has it.
    pub prompts: String,
    /// The same of the template that was compiled again.
    pub prompts_again: String,
}

/// How often something was judged, and was right in full.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub tried: u64,
    pub exact: u64,
    pub score: f64,
}

impl Count {
    fn add(&mut self, verdict: &Verdict) {
        self.tried += 1;
        self.exact += u64::from(verdict.exact());
        self.score += verdict.mean();
    }

    /// The share that is right in full.
    pub fn share(&self) -> f64 {
        self.exact as f64 / self.tried.max(1) as f64
    }
}

/// Runs all.
pub fn run(subject: &Subject, settings: Settings, observer: &Observer) -> Result<Runs, Stopped> {
    let Settings { samples, seed } = settings;
    let [first, again] = [subject.sampler, subject.again].map(|it| Bench::new(it, settings));
    let (mut runs, mut memory) = (Runs { samples, seed, ..Runs::default() }, first.memory(seed));
    runs.canaries.resize(NAMES.len(), Count::default());
    let (mut texts, mut verdicts) = (Vec::new(), Vec::new());
    for index in 0..samples {
        go_on(observer)?;
        let sample = first.sample(index, &mut memory)?;
        texts.push(sample.digest());
        let found: Vec<Verdict> =
            sample.replies.iter().map(|(_, reply)| first.judge.judge(reply, &mut memory)).collect();
        for ((kind, _), verdict) in sample.replies.iter().zip(&found) {
            runs.count(*kind, verdict, first.judge.rules().len());
        }
        verdicts.push(found);
    }
    let mut memory = again.memory(seed);
    for index in (0..samples).rev() {
        go_on(observer)?;
        let sample = again.sample(index, &mut memory)?;
        runs.reordered += u64::from(sample.digest() != texts[index as usize]);
        for ((_, reply), before) in sample.replies.iter().zip(&verdicts[index as usize]).rev() {
            let verdict = again.judge.judge(reply, &mut memory);
            runs.unstable += u64::from(bits(&verdict) != bits(before));
        }
    }
    let replayed = |index: u64| {
        go_on(observer)?;
        let id = SampleId { index, ..SampleId::first(subject.sampler, Split::Train, seed) };
        again.replayed(&id.to_string())
    };
    let replayed: Vec<Result<_, Stopped>> = (0..samples).into_par_iter().map(replayed).collect();
    for (replayed, text) in replayed.into_iter().zip(&texts) {
        runs.unreplayed += u64::from(replayed?.as_ref() != Some(text));
    }
    let mut memory = first.memory(seed.wrapping_add(1));
    for index in 0..samples {
        first.draw(index, &mut memory)?;
        let same = digest(&first.read(&memory), &first.reply(&memory)) == texts[index as usize];
        runs.same_with_other_seed += u64::from(same);
    }
    (runs.prompts, runs.prompts_again) = (first.prompts()?, again.prompts()?);
    Ok(runs)
}

impl Runs {
    fn count(&mut self, kind: Kind, verdict: &Verdict, rules: usize) {
        let (scores, mean) = (&verdict.scores, verdict.mean());
        let is_good = scores.len() == rules && scores.iter().all(|one| (0.0..=1.0).contains(one));
        self.judged += 1;
        self.malformed += u64::from(!is_good);
        let (least, most) = self.rewards.unwrap_or((mean, mean));
        self.rewards = Some((least.min(mean), most.max(mean)));
        match kind {
            Kind::Own => self.oracle.add(verdict),
            Kind::Canary(at) => self.canaries[at].add(verdict),
            Kind::Piece(at) => {
                self.pieces.resize(self.pieces.len().max(at + 1), Count::default());
                self.pieces[at].add(verdict);
            }
            Kind::Odd => {}
        }
    }
}

/// What a reply is.
#[derive(Clone, Copy)]
enum Kind {
    Own,
    Canary(usize),
    Piece(usize),
    Odd,
}

/// A sample's texts, and the replies that are judged.
struct Texts {
    prompt: String,
    replies: Vec<(Kind, String)>,
}

impl Texts {
    fn digest(&self) -> blake3::Hash {
        digest(&self.prompt, &self.replies[0].1)
    }
}

fn digest(prompt: &str, reply: &str) -> blake3::Hash {
    blake3::hash(format!("{prompt}\n{reply}").as_bytes())
}

/// A sampler with what is needed to run it.
struct Bench<'a> {
    sampler: &'a Sampler,
    settings: Settings,
    texts: TextWriter,
    judge: Judge,
    key: [u64; 4],
}

impl<'a> Bench<'a> {
    fn new(sampler: &'a Sampler, settings: Settings) -> Bench<'a> {
        let program = sampler.program();
        let key = RunKey::new(&program.name, &program.level, "rfc008", settings.seed);
        Bench {
            sampler,
            settings,
            texts: TextWriter::new(program, sampler.vocabulary().clone(), Escape::None),
            judge: Judge::new(sampler),
            key: key.stream("canaries"),
        }
    }

    fn memory(&self, seed: u64) -> Memory {
        self.sampler.memory(Split::Train, seed)
    }

    fn draw(&self, index: u64, memory: &mut Memory) -> Result<(), Stopped> {
        let at = |fault: Fault| Stopped::Fault(index, fault);
        self.sampler.sample(memory, index).map_err(at)
    }

    /// What a model reads.
    fn read(&self, memory: &Memory) -> String {
        [Part::System, Part::Prompt].map(|part| self.texts.text(part, memory)).join("\n")
    }

    fn reply(&self, memory: &Memory) -> String {
        self.texts.text(Part::Reply, memory)
    }

    /// Draws a sample, and makes the replies that are judged.
    fn sample(&self, index: u64, memory: &mut Memory) -> Result<Texts, Stopped> {
        let mut others = Vec::new();
        for later in 1..4 {
            self.draw((index + later) % self.settings.samples.max(1), memory)?;
            others.push(self.reply(memory));
        }
        self.draw(index, memory)?;
        let (prompt, own) = (self.read(memory), self.reply(memory));
        let mut stream = random::start(&self.key, index);
        let grammar = Grammar::of_sample(self.sampler, memory);
        let known = Known { prompt: &prompt, own: &own, others: &others };
        let canaries = canaries::replies(self.sampler, &grammar, &known, &mut stream);
        let canaries = canaries.into_iter().enumerate();
        let canaries = canaries.filter_map(|(at, one)| Some((Kind::Canary(at), one?)));
        let parts = [Part::System, Part::Prompt].map(|part| self.texts.pieces(part, memory));
        let shown = parts.into_iter().flatten().filter(|(slot, _)| slot.is_some());
        let pieces = shown.enumerate().map(|(at, (_, text))| (Kind::Piece(at), text));
        let odd = ODD.iter().map(|odd| (Kind::Odd, odd.to_string()));
        let own = [(Kind::Own, own.clone())].into_iter();
        let replies = own.chain(canaries).chain(pieces).chain(odd).collect();
        Ok(Texts { prompt, replies })
    }

    /// The digest of the sample with this id, in a separate memory; none if the id is not of this
    /// template.
    fn replayed(&self, id: &str) -> Result<Option<blake3::Hash>, Stopped> {
        let Ok(id) = id.parse::<SampleId>() else { return Ok(None) };
        if (&*id.template, &*id.digest) != (&*self.sampler.program().name, self.sampler.digest()) {
            return Ok(None);
        }
        let mut memory = self.sampler.memory(id.split, id.seed);
        self.draw(id.index, &mut memory)?;
        Ok(Some(digest(&self.read(&memory), &self.reply(&memory))))
    }

    /// The digest of the prompts of both splits.
    fn prompts(&self) -> Result<String, Stopped> {
        let mut hasher = blake3::Hasher::new();
        for split in Split::ALL {
            let mut memory = self.sampler.memory(split, self.settings.seed);
            for index in 0..self.settings.samples {
                self.draw(index, &mut memory)?;
                hasher.update(self.read(&memory).as_bytes()).update(b"\n");
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

fn bits(verdict: &Verdict) -> (Vec<u64>, bool) {
    (verdict.scores.iter().map(|score| score.to_bits()).collect(), verdict.unreadable.is_some())
}

fn go_on(observer: &Observer) -> Result<(), Stopped> {
    match observer.is_cancelled() {
        true => Err(Stopped::Cancelled),
        false => Ok(()),
    }
}

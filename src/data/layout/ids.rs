//! Samples to token ids: those that the tokenizer returns for the complete text.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::tables::{IdSurface, State, Tables, Texts};
use super::{Literal, Part, Plan, Surface, Tokenize};
use crate::data::vocab::Vocabulary;
use crate::ir::Program;
use crate::runtime::Memory;

/// Ids that a message shows beside those that differ.
const SHOWN: usize = 24;

/// A sample as ids: system text, prompt and reply one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// All ids.
    pub ids: Vec<u32>,
    /// Where the reply starts: the loss looks at it and at what follows, and at nothing before.
    pub reply_start: usize,
}

impl Encoded {
    /// The positions that count for the loss.
    pub fn reply(&self) -> Range<usize> {
        self.reply_start..self.ids.len()
    }

    /// For each id, whether the loss looks at it.
    pub fn mask(&self) -> impl ExactSizeIterator<Item = bool> {
        let reply_start = self.reply_start;
        (0..self.ids.len()).map(move |at| at >= reply_start)
    }
}

/// What the texts of a sample show: prompt and reply may be of two samples of a template.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'m> {
    /// What system text and prompt show.
    pub prompt: &'m Memory,
    /// What the reply shows.
    pub reply: &'m Memory,
}

impl<'m> From<&'m Memory> for Pair<'m> {
    fn from(memory: &'m Memory) -> Pair<'m> {
        Pair { prompt: memory, reply: memory }
    }
}

impl<'m> Pair<'m> {
    /// What a text of the sample shows.
    fn of(self, part: Part) -> &'m Memory {
        match part {
            Part::System | Part::Prompt => self.prompt,
            Part::Reply => self.reply,
        }
    }
}

/// Writes samples as token ids. Threads share it.
///
/// # The law
/// A sample is one text: plain, or in a model's chat format. As plain text a line break is between
/// system text and prompt, and a space before the reply, unless the prompt ends with white space
/// or the reply is empty; shots come before, each with a pause after it. The ids are those that
/// the tokenizer returns for this **complete text**, with what its post-processor puts before it,
/// once. The reply starts at the first id that holds a letter of the reply; so an id that holds the
/// end of the prompt too, as ` word` after a prompt that ends with a space, is the reply's.
///
/// A model is asked with the ids before the reply, in the evaluation of a run as in training. A
/// tokenizer that encodes the prompt alone returns the same ids, but where a prompt ends with white
/// space that it joins with what comes next: [`TokenIds::reads_alone`] tests it.
///
/// # How
/// If the tokenizer cuts at every seam of the layout, whatever values are there, each literal and
/// each word has its ids once and for all, in tables. Otherwise a sample is encoded as one text.
pub struct TokenIds {
    plan: Plan,
    program: Arc<Program>,
    vocabulary: Arc<Vocabulary>,
    /// Before all.
    opening: Vec<u32>,
    /// Before the system text, the prompt and the reply, and after the reply.
    around: [String; 4],
    in_chat: bool,
    around_max: usize,
    /// What separates a shot from what follows it, if there are shots.
    between: Option<String>,
    tokenize: Arc<dyn Tokenize>,
    /// Prepared at first use; none if samples are encoded as one text.
    tables: OnceLock<Option<Tables>>,
}

impl TokenIds {
    /// For a program's samples, as plain text.
    pub fn new(
        program: &Arc<Program>,
        vocabulary: Arc<Vocabulary>,
        tokenize: Arc<dyn Tokenize>,
    ) -> TokenIds {
        let plan = Plan::new(program);
        let after_system = if plan.system.is_empty() { "" } else { "\n" };
        let reply = if plan.prompt_ends_with_space() { "" } else { " " };
        TokenIds {
            plan,
            program: program.clone(),
            vocabulary,
            opening: Vec::new(),
            around: ["", after_system, reply, ""].map(String::from),
            in_chat: false,
            around_max: 0,
            between: None,
            tokenize,
            tables: OnceLock::new(),
        }
    }

    /// The same, with ids that every text begins with.
    pub fn behind(self, opening: &[u32]) -> TokenIds {
        TokenIds { opening: opening.to_vec(), around_max: opening.len(), ..self }
    }

    /// The same, with shots before a sample, and this text after each.
    pub fn after_shots(self, between: &str) -> TokenIds {
        TokenIds { between: Some(between.to_string()), tables: OnceLock::new(), ..self }
    }

    /// The same in a chat format, which says what comes before system text, prompt and reply, and
    /// what ends the reply. The texts lose white space around them, as in chats.
    pub fn in_chat(mut self, around: [&str; 4]) -> TokenIds {
        self.plan.trim();
        let longest = |text: &str| {
            let joins = !self.tokenize.added(text).starts;
            self.tokenize.encode(text).map_or(0, |ids| ids.len() + usize::from(joins))
        };
        let [before @ .., end] = around;
        self.around_max = before.map(&longest).iter().sum::<usize>() + longest(end);
        self.around = around.map(String::from);
        self.in_chat = true;
        self.tables = OnceLock::new();
        self
    }

    /// The same without a system text: what comes before the prompt has it.
    pub fn without_system(mut self) -> TokenIds {
        self.plan.system.clear();
        TokenIds { tables: OnceLock::new(), ..self }
    }

    /// True if samples show a system text of their own.
    pub fn has_system(&self) -> bool {
        !self.plan.system.is_empty()
    }

    /// The most ids of a sample that are not of its texts, beside a line break and a space.
    pub fn around_max(&self) -> usize {
        self.around_max
    }

    /// True if the ids come from tables; if not, each sample is encoded as one text.
    pub fn has_tables(&self) -> bool {
        self.tables().is_some()
    }

    /// The same, with every sample encoded as one text.
    pub fn without_tables(self) -> TokenIds {
        TokenIds { tables: OnceLock::from(None), ..self }
    }

    /// Replaces what was encoded by the sample in the memory, or in two.
    ///
    /// # Errors
    /// Letters that the tokenizer does not know.
    pub fn encode<'m>(
        &self,
        sample: impl Into<Pair<'m>>,
        encoded: &mut Encoded,
    ) -> Result<(), String> {
        let sample = sample.into();
        let Some(tables) = self.tables() else {
            *encoded = self.draft_whole().end(sample)?;
            return Ok(());
        };
        encoded.ids.clear();
        encoded.ids.extend_from_slice(&self.opening);
        let mut state = State::new();
        encoded.reply_start = self.append(tables, sample, &mut encoded.ids, &mut state);
        if state.error.is_some() {
            *encoded = self.draft_whole().end(sample)?;
        }
        Ok(())
    }

    /// Begins a text of several samples.
    pub fn draft(&self) -> Draft<'_> {
        match self.tables() {
            None => self.draft_whole(),
            Some(tables) => {
                let (ids, state) = (self.opening.clone(), State::new());
                Draft { of: self, text: Text::Ids { tables, ids, state } }
            }
        }
    }

    /// The same, encoded as one text: what the ids have to be.
    pub fn draft_whole(&self) -> Draft<'_> {
        Draft { of: self, text: Text::Whole(String::new()) }
    }

    /// True if a reader that gives the tokenizer the text before the reply alone reads the ids
    /// that the sample in the memory has there.
    ///
    /// # Errors
    /// Letters that the tokenizer does not know.
    pub fn reads_alone(&self, memory: &Memory) -> Result<bool, String> {
        let mut text = String::new();
        let prompt_end = self.write(memory.into(), &mut text);
        let whole = self.draft_whole().end(memory)?;
        let alone = self.tokenize.encode(&text[..prompt_end])?;
        Ok(whole.ids[self.opening.len()..whole.reply_start] == alone)
    }

    fn tables(&self) -> Option<&Tables> {
        let make = || {
            let mut texts = self.plan.literals.clone();
            let around = [0, 1, 2, 3].map(|at| texts.len() + at);
            texts.extend(self.around.iter().cloned());
            let between = self.between.as_ref().map(|_| texts.len());
            texts.extend(self.between.clone());
            let in_chat = self.in_chat;
            let texts = Texts { texts: &texts, around, between, in_chat };
            Tables::new(&self.program, &self.plan, &texts, &self.vocabulary, &*self.tokenize)
        };
        self.tables.get_or_init(make).as_ref()
    }

    /// Appends a sample's ids, and returns the position of its reply.
    fn append(
        &self,
        tables: &Tables,
        sample: Pair,
        ids: &mut Vec<u32>,
        state: &mut State,
    ) -> usize {
        let around = self.plan.literals.len();
        let tokenize = &*self.tokenize;
        let mut surface = IdSurface::new(tables, &self.vocabulary, tokenize, ids, state);
        surface.literal(around);
        self.plan.write(Part::System, sample.of(Part::System), &mut surface);
        surface.literal(around + 1);
        self.plan.write(Part::Prompt, sample.of(Part::Prompt), &mut surface);
        if !self.in_chat {
            let reply_start = surface.ids.len();
            surface.literal(around + 2);
            self.plan.write(Part::Reply, sample.of(Part::Reply), &mut surface);
            return reply_start;
        }
        surface.literal(around + 2);
        let reply_start = surface.ids.len();
        self.plan.write(Part::Reply, sample.of(Part::Reply), &mut surface);
        surface.literal(around + 3);
        reply_start
    }

    /// Appends a sample's text, and returns the offset up to which the model reads.
    fn write(&self, sample: Pair, out: &mut String) -> usize {
        let [system, prompt, reply] = [Part::System, Part::Prompt, Part::Reply].map(|part| {
            let mut text = String::new();
            let mut surface = WholeSurface { of: self, out: &mut text };
            self.plan.write(part, sample.of(part), &mut surface);
            if self.in_chat { text.trim().to_string() } else { text }
        });
        let [before_system, before_prompt, before_reply, end] = &self.around;
        out.extend([&**before_system, &system, before_prompt, &prompt]);
        if !self.in_chat {
            let prompt_end = out.len();
            if !reply.is_empty() && !prompt.ends_with(char::is_whitespace) {
                out.push(' ');
            }
            *out += &reply;
            return prompt_end;
        }
        *out += before_reply;
        let prompt_end = out.len();
        out.extend([&*reply, end]);
        prompt_end
    }
}

impl fmt::Debug for TokenIds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("TokenIds").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// A text of several samples on its way to ids: shots, and the sample that they are for.
pub struct Draft<'a> {
    of: &'a TokenIds,
    text: Text<'a>,
}

enum Text<'a> {
    Ids { tables: &'a Tables, ids: Vec<u32>, state: State },
    Whole(String),
}

impl Draft<'_> {
    /// Adds a sample as a shot, and the pause after it.
    pub fn shot(&mut self, memory: &Memory) {
        let of = self.of;
        match &mut self.text {
            Text::Ids { tables, ids, state } => {
                of.append(tables, memory.into(), ids, state);
                let between = of.plan.literals.len() + of.around.len();
                IdSurface::new(tables, &of.vocabulary, &*of.tokenize, ids, state).literal(between);
            }
            Text::Whole(text) => {
                of.write(memory.into(), text);
                *text += of.between.as_deref().unwrap_or_default();
            }
        }
    }

    /// What was written, of a text that is encoded at once.
    pub fn text(&self) -> &str {
        match &self.text {
            Text::Ids { .. } => "",
            Text::Whole(text) => text,
        }
    }

    /// The ids with those of the sample at the end.
    ///
    /// # Errors
    /// Letters that the tokenizer does not know.
    pub fn end<'m>(self, sample: impl Into<Pair<'m>>) -> Result<Encoded, String> {
        let (of, sample) = (self.of, sample.into());
        match self.text {
            Text::Ids { tables, mut ids, mut state } => {
                let reply_start = of.append(tables, sample, &mut ids, &mut state);
                state.error.map_or(Ok(Encoded { ids, reply_start }), Err)
            }
            Text::Whole(mut text) => {
                let prompt_end = of.write(sample, &mut text);
                let (ids, read) = of.tokenize.encode_to(&text, prompt_end)?;
                let reply_start = of.opening.len() + read;
                Ok(Encoded { ids: [&of.opening, &ids[..]].concat(), reply_start })
            }
        }
    }

    /// Fails if these ids are not those of the text with the sample at the end.
    ///
    /// # Errors
    /// The text and the ids, if they differ; letters that the tokenizer does not know.
    pub fn check<'m>(self, sample: impl Into<Pair<'m>>, encoded: &Encoded) -> Result<(), String> {
        let (of, mut all) = (self.of, self.text().to_string());
        let sample = sample.into();
        let whole = self.end(sample)?;
        if whole == *encoded {
            return Ok(());
        }
        of.write(sample, &mut all);
        let same = whole.ids.iter().zip(&encoded.ids).take_while(|(one, two)| one == two).count();
        let first = same.saturating_sub(SHOWN / 2);
        let shown = |ids: &[u32]| {
            let some: Vec<String> =
                ids.iter().skip(first).take(SHOWN).map(u32::to_string).collect();
            some.join(" ")
        };
        Err(format!(
            "the ids of its pieces are not those of its text; from place {first} on the \
             tokenizer gives\n  {}\nand the pieces have\n  {}\nwith the reply from place {} on, \
             and {}, of the text\n{all}",
            shown(&whole.ids),
            shown(&encoded.ids),
            whole.reply_start,
            encoded.reply_start,
        ))
    }
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Draft").finish_non_exhaustive()
    }
}

/// The text of a sample, to be encoded at once.
struct WholeSurface<'a> {
    of: &'a TokenIds,
    out: &'a mut String,
}

impl Surface for WholeSurface<'_> {
    fn literal(&mut self, literal: Literal) {
        *self.out += &self.of.plan.literals[literal];
    }

    fn token(&mut self, symbol: u32) {
        *self.out += self.of.vocabulary.word(symbol);
    }

    fn tokens(&mut self, symbols: &[u32]) {
        for (at, &symbol) in symbols.iter().enumerate() {
            self.out.extend((at > 0).then_some(' '));
            self.token(symbol);
        }
    }

    fn int(&mut self, value: i64) {
        *self.out += &value.to_string();
    }

    fn real(&mut self, value: f64) {
        *self.out += &format!("{value:?}");
    }

    fn number(&mut self, digits: &str) {
        *self.out += digits;
    }

    fn made(&mut self, text: &str) {
        *self.out += text;
    }
}

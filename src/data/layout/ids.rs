//! Values to token ids, from tables that a tokenizer filled once.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::{Item, Literal, Part, Plan, Surface};
use crate::data::vocab::Vocabulary;
use crate::ir::Program;
use crate::runtime::Memory;

/// A text's token ids, without marks of start or end.
pub type Tokenize = dyn Fn(&str) -> Vec<u32> + Send + Sync;

/// Numbers from 0 whose ids are made before they are needed.
const NUMBERS: i64 = 100;

/// A sample as ids: system text, prompt and reply one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// All ids.
    pub ids: Vec<u32>,
    /// Where the reply starts: the loss looks at it and at what follows, and at nothing before.
    pub reply_start: usize,
}

impl Encoded {
    /// The places that the loss looks at.
    pub fn reply(&self) -> Range<usize> {
        self.reply_start..self.ids.len()
    }

    /// For each id, whether the loss looks at it.
    pub fn mask(&self) -> impl ExactSizeIterator<Item = bool> {
        let reply_start = self.reply_start;
        (0..self.ids.len()).map(move |at| at >= reply_start)
    }
}

/// Writes samples as token ids. Threads share it.
///
/// A text is made of pieces: literals, words, numbers. A piece and a single space before it are
/// encoded together, as tokenizers do that know ` word`; so a space at the end of a text is left
/// to what follows. Ids of a list of words with one id each are a copy, or a look-up each.
#[derive(Clone)]
pub struct TokenIds {
    plan: Plan,
    literals: Vec<LiteralIds>,
    numbers: Vec<LiteralIds>,
    bare: WordIds,
    spaced: WordIds,
    tokenize: Arc<Tokenize>,
}

impl TokenIds {
    /// Encodes the words and literals of a program once.
    pub fn new(program: &Program, vocabulary: &Vocabulary, tokenize: Arc<Tokenize>) -> TokenIds {
        let plan = Plan::new(program);
        let literal = |text: &String| LiteralIds::new(text, &*tokenize);
        TokenIds {
            literals: plan.literals.iter().map(literal).collect(),
            numbers: (0..NUMBERS).map(|number| literal(&number.to_string())).collect(),
            bare: WordIds::new(vocabulary.words().map(&*tokenize)),
            spaced: WordIds::new(vocabulary.words().map(|word| tokenize(&format!(" {word}")))),
            plan,
            tokenize,
        }
    }

    /// Replaces what was encoded by the sample in the memory, as plain text: the system text and
    /// a line break, the prompt, a space unless the prompt ends with white space, the reply.
    pub fn encode(&self, memory: &Memory, encoded: &mut Encoded) {
        encoded.ids.clear();
        let mut surface = IdSurface { table: self, ids: &mut encoded.ids, space: false };
        if !self.plan.system.is_empty() {
            self.plan.write(Part::System, memory, &mut surface);
            surface.literal(super::LINE);
        }
        self.plan.write(Part::Prompt, memory, &mut surface);
        surface.space |= !self.ends_a_line();
        let reply_start = surface.ids.len();
        self.plan.write(Part::Reply, memory, &mut surface);
        encoded.reply_start = reply_start;
    }

    /// Appends one text of the sample in the memory. `spaced`: a space stands before it.
    pub fn write(&self, part: Part, spaced: bool, memory: &Memory, ids: &mut Vec<u32>) {
        let mut surface = IdSurface { table: self, ids, space: spaced };
        self.plan.write(part, memory, &mut surface);
    }

    /// True if the prompt ends with white space that is no space.
    fn ends_a_line(&self) -> bool {
        let Some(Item::Literal(literal)) = self.plan.prompt.last() else { return false };
        let last = self.plan.literals[*literal].chars().last();
        last.is_some_and(|last| last.is_whitespace() && last != ' ')
    }
}

impl fmt::Debug for TokenIds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("TokenIds").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// The ids of a piece of text, without the single space at its end.
#[derive(Clone, Debug)]
struct LiteralIds {
    empty: bool,
    bare: Box<[u32]>,
    /// With a space before it.
    spaced: Box<[u32]>,
    /// A space is left to the next piece.
    space_after: bool,
}

impl LiteralIds {
    fn new(text: &str, tokenize: &Tokenize) -> LiteralIds {
        let stripped = text.strip_suffix(' ');
        let body = stripped.unwrap_or(text);
        let bare = if body.is_empty() { Vec::new() } else { tokenize(body) };
        LiteralIds {
            empty: text.is_empty(),
            bare: bare.into(),
            spaced: tokenize(&format!(" {body}")).into(),
            space_after: stripped.is_some(),
        }
    }
}

/// The ids of each word, by its symbol.
#[derive(Clone, Debug)]
enum WordIds {
    /// One each: the symbol and this.
    Shifted(u32),
    /// One each.
    One(Vec<u32>),
    /// Those of a word lie between its start and that of the next.
    Several { starts: Vec<u32>, ids: Vec<u32> },
}

impl WordIds {
    fn new(words: impl Iterator<Item = Vec<u32>>) -> WordIds {
        let (mut starts, mut ids) = (vec![0], Vec::new());
        let mut one_each = true;
        for word in words {
            one_each &= word.len() == 1;
            ids.extend(word);
            starts.push(ids.len() as u32);
        }
        if !one_each {
            return WordIds::Several { starts, ids };
        }
        let shift = ids.first().copied().unwrap_or(0);
        match ids.iter().enumerate().all(|(symbol, &id)| id == shift.wrapping_add(symbol as u32)) {
            true => WordIds::Shifted(shift),
            false => WordIds::One(ids),
        }
    }

    fn append(&self, symbols: &[u32], out: &mut Vec<u32>) {
        match self {
            WordIds::Shifted(0) => out.extend_from_slice(symbols),
            WordIds::Shifted(shift) => out.extend(symbols.iter().map(|symbol| symbol + shift)),
            WordIds::One(ids) => out.extend(symbols.iter().map(|&symbol| ids[symbol as usize])),
            WordIds::Several { starts, ids } => {
                for &symbol in symbols {
                    let range = starts[symbol as usize]..starts[symbol as usize + 1];
                    out.extend_from_slice(&ids[range.start as usize..range.end as usize]);
                }
            }
        }
    }
}

struct IdSurface<'a> {
    table: &'a TokenIds,
    ids: &'a mut Vec<u32>,
    /// A space that goes with the next piece.
    space: bool,
}

impl IdSurface<'_> {
    fn piece(&mut self, piece: &LiteralIds) {
        if !piece.empty {
            self.ids.extend_from_slice(if self.space { &piece.spaced } else { &piece.bare });
            self.space = piece.space_after;
        }
    }
}

impl Surface for IdSurface<'_> {
    fn literal(&mut self, literal: Literal) {
        let table = self.table;
        self.piece(&table.literals[literal]);
    }

    fn token(&mut self, symbol: u32) {
        self.tokens(&[symbol]);
    }

    fn tokens(&mut self, symbols: &[u32]) {
        let Some((first, rest)) = symbols.split_first() else { return };
        let words = if self.space { &self.table.spaced } else { &self.table.bare };
        words.append(std::slice::from_ref(first), self.ids);
        self.table.spaced.append(rest, self.ids);
        self.space = false;
    }

    fn int(&mut self, value: i64) {
        let table = self.table;
        match table.numbers.get(usize::try_from(value).unwrap_or(usize::MAX)) {
            Some(piece) => self.piece(piece),
            None => self.piece(&LiteralIds::new(&value.to_string(), &*table.tokenize)),
        }
    }

    fn real(&mut self, value: f64) {
        let table = self.table;
        self.piece(&LiteralIds::new(&format!("{value:?}"), &*table.tokenize));
    }
}

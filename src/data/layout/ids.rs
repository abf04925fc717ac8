//! Values to token ids, from tables that a tokenizer filled once.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{Literal, Part, Plan, Surface};
use crate::data::vocab::Vocabulary;
use crate::ir::Program;
use crate::runtime::Memory;

/// A text's token ids, without marks of start or end.
pub type Tokenize = dyn Fn(&str) -> Vec<u32> + Send + Sync;

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
/// A sample is plain text, or in a model's chat format. As plain text a line break stands behind
/// the system text, and a space before the reply, unless the prompt ends with white space.
///
/// A text is made of pieces: literals, words, numbers. Each is encoded with a single space before
/// it, if there is one, and as it is encoded behind what stands before: at the start of a text,
/// after a word, after a line break, or after another sign. For tokenizers that never join a
/// letter with a sign this gives the ids of the whole text; for all, ids that spell it. A space at
/// the end of a text is left to what follows.
pub struct TokenIds {
    plan: Plan,
    vocabulary: Arc<Vocabulary>,
    /// Before all.
    opening: Vec<u32>,
    /// Before the system text, the prompt and the reply.
    around: [Piece; 3],
    around_max: usize,
    literals: Vec<Piece>,
    /// By what stands before, and whether there is a space; made at first use.
    words: [[OnceLock<WordIds>; 2]; 4],
    encoder: Encoder,
}

impl TokenIds {
    /// Encodes the literals of a program once, and words when they are first needed.
    pub fn new(
        program: &Program,
        vocabulary: Arc<Vocabulary>,
        tokenize: Arc<Tokenize>,
    ) -> TokenIds {
        let plan = Plan::new(program);
        let word = if vocabulary.is_empty() { "a" } else { vocabulary.word(0) };
        let encoder = Encoder { word: word.to_string(), tokenize };
        let after_system = if plan.system.is_empty() { "" } else { "\n" };
        let reply = if plan.prompt_ends_with_space() { "" } else { " " };
        TokenIds {
            literals: plan.literals.iter().map(|text| Piece::new(text, &encoder)).collect(),
            words: Default::default(),
            opening: Vec::new(),
            around: ["", after_system, reply].map(|text| Piece::new(text, &encoder)),
            around_max: 0,
            plan,
            vocabulary,
            encoder,
        }
    }

    /// The same, with ids that every sample begins with.
    pub fn behind(self, opening: &[u32]) -> TokenIds {
        TokenIds { opening: opening.to_vec(), around_max: opening.len(), ..self }
    }

    /// The same in a chat format, which says what stands before system text, prompt and reply.
    /// These lose white space around them, as in chats.
    pub fn in_chat(mut self, around: [&str; 3]) -> TokenIds {
        self.plan.trim();
        let piece = |text: &str| Piece::new(text, &self.encoder);
        self.literals = self.plan.literals.iter().map(|text| piece(text)).collect();
        self.around = around.map(piece);
        self.around_max = self.around.iter().map(Piece::ids_max).sum();
        self
    }

    /// The most ids of a sample that are not of its texts, beside a line break and a space.
    pub fn around_max(&self) -> usize {
        self.around_max
    }

    /// Replaces what was encoded by the sample in the memory.
    pub fn encode(&self, memory: &Memory, encoded: &mut Encoded) {
        encoded.ids.clear();
        encoded.ids.extend_from_slice(&self.opening);
        let mut surface = IdSurface::new(self, &mut encoded.ids);
        let [system, prompt, reply] = &self.around;
        surface.piece(system);
        self.plan.write(Part::System, memory, &mut surface);
        surface.piece(prompt);
        self.plan.write(Part::Prompt, memory, &mut surface);
        surface.piece(reply);
        encoded.reply_start = surface.ids.len();
        self.plan.write(Part::Reply, memory, &mut surface);
    }

    /// Appends one text of the sample in the memory, as it stands alone.
    pub fn write(&self, part: Part, memory: &Memory, ids: &mut Vec<u32>) {
        self.plan.write(part, memory, &mut IdSurface::new(self, ids));
    }

    fn words(&self, before: Before, space: bool) -> &WordIds {
        self.words[before as usize][usize::from(space)].get_or_init(|| {
            let mut text = String::new();
            let ids = |word: &str| {
                text.clear();
                text.extend(space.then_some(' '));
                text.push_str(word);
                self.encoder.encode(before, &text)
            };
            WordIds::new(self.vocabulary.words().map(ids))
        })
    }
}

impl fmt::Debug for TokenIds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("TokenIds").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// What stands before a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    Word,
    Line,
    Sign,
}

impl Before {
    const ALL: [Before; 4] = [Before::Nothing, Before::Word, Before::Line, Before::Sign];

    /// What a text is for the piece behind it.
    fn after(text: &str) -> Before {
        match text.chars().last() {
            None => Before::Nothing,
            Some('\n') => Before::Line,
            Some(last) if last.is_alphanumeric() || last == '_' => Before::Word,
            Some(_) => Before::Sign,
        }
    }
}

struct Encoder {
    /// Any word of the vocabulary.
    word: String,
    tokenize: Arc<Tokenize>,
}

impl Encoder {
    /// The ids of a text behind another: those that the two together have more.
    fn encode(&self, before: Before, text: &str) -> Vec<u32> {
        let before = match before {
            Before::Nothing => "",
            Before::Word => &self.word,
            Before::Line => "\n",
            Before::Sign => ":",
        };
        let head = if before.is_empty() { Vec::new() } else { (self.tokenize)(before) };
        let mut both = (self.tokenize)(&format!("{before}{text}"));
        // A tokenizer that joins the two is asked for the text alone.
        if both.starts_with(&head) { both.split_off(head.len()) } else { (self.tokenize)(text) }
    }
}

/// The ids of a piece of text, without the single space at its end.
#[derive(Clone, Debug)]
struct Piece {
    is_empty: bool,
    /// By what stands before, and whether there is a space.
    ids: [[Box<[u32]>; 2]; 4],
    /// A space is left to the next piece.
    space_after: bool,
    /// What it is for the next piece; none if it is nothing but a space.
    after: Option<Before>,
}

impl Piece {
    fn new(text: &str, encoder: &Encoder) -> Piece {
        let stripped = text.strip_suffix(' ');
        let body = stripped.unwrap_or(text);
        let ids = |before: Before| {
            let bare = if body.is_empty() { Vec::new() } else { encoder.encode(before, body) };
            [bare.into(), encoder.encode(before, &format!(" {body}")).into()]
        };
        Piece {
            is_empty: text.is_empty(),
            ids: Before::ALL.map(ids),
            space_after: stripped.is_some(),
            after: (!body.is_empty()).then(|| Before::after(body)),
        }
    }

    /// The most ids that it takes, with a space that it leaves to the next.
    fn ids_max(&self) -> usize {
        let most = self.ids.iter().flatten().map(|ids| ids.len()).max();
        most.unwrap_or(0) + usize::from(self.space_after)
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
    before: Before,
    /// A space that goes with the next piece.
    space: bool,
}

impl<'a> IdSurface<'a> {
    fn new(table: &'a TokenIds, ids: &'a mut Vec<u32>) -> IdSurface<'a> {
        IdSurface { table, ids, before: Before::Nothing, space: false }
    }

    fn piece(&mut self, piece: &Piece) {
        if piece.is_empty {
            return;
        }
        let ids = &piece.ids[self.before as usize][usize::from(self.space)];
        self.ids.extend_from_slice(ids);
        self.space = piece.space_after;
        self.before = piece.after.unwrap_or(self.before);
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
        self.table.words(self.before, self.space).append(std::slice::from_ref(first), self.ids);
        self.table.words(Before::Word, true).append(rest, self.ids);
        self.before = Before::Word;
        self.space = false;
    }

    fn int(&mut self, value: i64) {
        let table = self.table;
        self.piece(&Piece::new(&value.to_string(), &table.encoder));
    }

    fn real(&mut self, value: f64) {
        let table = self.table;
        self.piece(&Piece::new(&format!("{value:?}"), &table.encoder));
    }
}

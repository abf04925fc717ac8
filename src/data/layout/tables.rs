//! The ids of each piece of a layout, prepared once: for tokenizers that cut at all its seams.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::seams::{Ends, Judge, Seam, Space, Unit, Walk};
use super::{Literal, Plan, Surface, Tokenize};
use crate::data::vocab::Vocabulary;
use crate::data::words::{append_first, greatest};
use crate::ir::Program;

/// From this many on, words are looked up together.
const MANY: usize = 16;
/// The ids of integers whose distance from 0 is below this are kept.
const SMALL: usize = 10_000;
/// The most ids of an integer that are kept.
const FEW: usize = 6;

/// What comes right before a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Word,
    Line,
    Sign,
    /// An added token, such as one that opens a turn of a chat.
    Marker,
}

const CONTEXTS: usize = 5;

/// The ids of each small integer, made at its first use; of one that has none or many, none.
type NumberIds = Box<[OnceLock<Few>]>;

/// By what comes before, and whether there is a space.
type ByContext<T> = [[T; 2]; CONTEXTS];

/// Tables of ids, for a layout all of whose seams are cut.
pub(super) struct Tables {
    /// As in [`Walk::texts`].
    pieces: Vec<Piece>,
    /// Made at first use.
    words: ByContext<OnceLock<Result<WordIds, String>>>,
    /// From 0 up, and from 0 down.
    numbers: ByContext<[OnceLock<NumberIds>; 2]>,
    /// Texts for each [`Before`], and their ids: any will do that is cut from what comes after it.
    contexts: [Vec<(String, Vec<u32>)>; CONTEXTS],
}

/// The texts of a layout, and which of them go around a sample's texts.
pub(super) struct Texts<'a> {
    pub texts: &'a [String],
    pub around: [usize; 4],
    pub between: Option<usize>,
    pub in_chat: bool,
}

impl Tables {
    /// None if some seam may not be cut: then a sample is encoded as one text.
    pub fn new(
        program: &Program,
        plan: &Plan,
        texts: &Texts,
        vocabulary: &Vocabulary,
        tokenize: &dyn Tokenize,
    ) -> Option<Tables> {
        let seams = seams(program, plan, texts)?;
        let all = texts.texts;
        let judge = Judge { texts: all, vocabulary, tokenize };
        let added: Vec<_> = all.iter().map(|text| tokenize.added(body(text))).collect();
        if all.iter().any(|text| tokenize.looks_around(text))
            || vocabulary.words().any(|word| tokenize.has_added(word))
            || !judge.all_cut(&seams)
        {
            return None;
        }
        let marker = added.iter().find_map(|added| added.ends.clone()).unwrap_or_default();
        let word = if vocabulary.is_empty() { "a" } else { vocabulary.word(0) };
        let texts: [&[&str]; CONTEXTS] =
            [&[""], &[word, "7"], &["\n"], &[":", ")", "+"], &[&marker]];
        let ids = |text: &&str| Some((text.to_string(), tokenize.encode(text).ok()?));
        let contexts = texts.map(|texts| texts.iter().filter_map(ids).collect());
        let mut tables = Tables {
            pieces: Vec::new(),
            words: Default::default(),
            numbers: Default::default(),
            contexts,
        };
        let mut pieces: Vec<Piece> = all.iter().zip(&added).map(Piece::new).collect();
        let words = judge.words();
        for (left, space, right) in seams {
            let before = match left {
                None => Before::Nothing,
                Some(Unit::Text(left)) => pieces[left].after.unwrap_or(Before::Nothing),
                Some(Unit::Word | Unit::Int | Unit::Real) => Before::Word,
            };
            let Unit::Text(at) = right else {
                let heads = judge.heads(right, space, &words);
                heads
                    .iter()
                    .try_for_each(|head| tables.context(before, head, tokenize).map(|_| ()))?;
                continue;
            };
            let ids = tables.piece(before, space, body(&all[at]), tokenize).ok()?;
            pieces[at].ids[before as usize][usize::from(space)] = Ids::new(ids);
        }
        tables.pieces = pieces;
        Some(tables)
    }

    /// A text that is cut from what comes after it.
    fn context(
        &self,
        before: Before,
        text: &str,
        tokenize: &dyn Tokenize,
    ) -> Option<&(String, Vec<u32>)> {
        let contexts = &self.contexts[before as usize];
        contexts.iter().find(|(it, _)| it.is_empty() || tokenize.cuts(it, text))
    }

    /// The ids of a text right after another.
    fn after(
        &self,
        before: Before,
        text: &str,
        tokenize: &dyn Tokenize,
    ) -> Result<Vec<u32>, String> {
        let context = self.context(before, text, tokenize);
        let (context, head) = context.ok_or_else(|| format!("`{text}` has no own ids"))?;
        let both = tokenize.encode(&format!("{context}{text}"))?;
        let ids = both.strip_prefix(&head[..]).map(<[u32]>::to_vec);
        ids.ok_or_else(|| format!("`{text}` changes the ids of what it comes after"))
    }

    fn piece(
        &self,
        before: Before,
        space: bool,
        body: &str,
        tokenize: &dyn Tokenize,
    ) -> Result<Box<[u32]>, String> {
        let space = if space { " " } else { "" };
        if !body.ends_with(char::is_whitespace) {
            return self.after(before, &format!("{space}{body}"), tokenize).map(Vec::into);
        }
        // White space in a row may have its last piece cut off, and where may depend on what comes
        // after it: a letter, a digit or a symbol.
        let mut all: Vec<Box<[u32]>> = Vec::new();
        let word = self.contexts[Before::Word as usize].first().map_or("a", |(word, _)| word);
        for after in [word, "7", "("] {
            let Ok(tail) = self.after(Before::Line, after, tokenize) else { continue };
            let both = self.after(before, &format!("{space}{body}{after}"), tokenize)?;
            all.extend(both.strip_suffix(&tail[..]).map(Into::into));
        }
        all.dedup();
        match &all[..] {
            [ids] => Ok(ids.clone()),
            _ => Err(format!("the ids of `{body}` depend on what comes after it")),
        }
    }

    fn words(
        &self,
        before: Before,
        space: bool,
        (vocabulary, tokenize): (&Vocabulary, &dyn Tokenize),
    ) -> Result<&WordIds, &String> {
        let made = self.words[before as usize][usize::from(space)].get_or_init(|| {
            let space = if space { " " } else { "" };
            let ids = |word: &str| self.after(before, &format!("{space}{word}"), tokenize);
            WordIds::new(vocabulary.words().map(ids))
        });
        made.as_ref()
    }
}

/// The seams of all samples; none if tables do not hold something in them.
fn seams(program: &Program, plan: &Plan, texts: &Texts) -> Option<BTreeSet<Seam>> {
    let all = texts.texts;
    let mut walk = Walk { program, texts: all, seams: BTreeSet::new(), is_beyond_tables: false };
    let first: Ends = [(None, Space::None)].into();
    let mut ends = walk.sample(plan, texts.around, texts.in_chat, &first);
    if let Some(between) = texts.between {
        walk.is_beyond_tables |= ends.iter().any(|(_, space)| *space != Space::None);
        // The second time around, a shot comes after a shot.
        for _ in 0..2 {
            ends = walk.text(&ends, between);
            ends = walk.sample(plan, texts.around, texts.in_chat, &ends);
        }
    }
    (!walk.is_beyond_tables).then_some(walk.seams)
}

/// A text without the single space at its end.
fn body(text: &str) -> &str {
    text.strip_suffix(' ').unwrap_or(text)
}

/// The ids of a piece of text, without the single space at its end.
#[derive(Clone, Debug)]
struct Piece {
    is_empty: bool,
    ids: ByContext<Ids>,
    /// A space is left to the next piece.
    space_after: bool,
    /// What it is for the next piece; none if it is nothing but a space.
    after: Option<Before>,
}

impl Piece {
    /// Without ids.
    fn new((text, added): (&String, &super::Added)) -> Piece {
        let body = body(text);
        let after = match body.chars().last() {
            _ if added.ends.is_some() => Before::Marker,
            None | Some('\n') => Before::Line,
            Some(last) if last.is_alphanumeric() || last == '_' => Before::Word,
            Some(_) => Before::Sign,
        };
        Piece {
            is_empty: text.is_empty(),
            ids: Default::default(),
            space_after: body.len() < text.len(),
            after: (!body.is_empty()).then_some(after),
        }
    }
}

/// A few ids, which are appended all at once: their number is known, so that nothing is called to
/// copy them.
#[derive(Clone, Copy, Debug, Default)]
struct Few {
    ids: [u32; FEW],
    count: u32,
}

impl Few {
    /// None if there are too many.
    fn new(ids: &[u32]) -> Option<Few> {
        let mut few = Few { count: ids.len() as u32, ..Few::default() };
        few.ids.get_mut(..ids.len())?.copy_from_slice(ids);
        Some(few)
    }

    #[inline]
    fn append(&self, out: &mut Vec<u32>) {
        append_first(&self.ids, self.count as usize, out);
    }
}

/// Few or many ids.
#[derive(Clone, Debug)]
enum Ids {
    Few(Few),
    Many(Box<[u32]>),
}

impl Default for Ids {
    fn default() -> Ids {
        Ids::Few(Few::default())
    }
}

impl Ids {
    fn new(ids: Box<[u32]>) -> Ids {
        Few::new(&ids).map_or(Ids::Many(ids), Ids::Few)
    }

    #[inline]
    fn append(&self, out: &mut Vec<u32>) {
        match self {
            Ids::Few(few) => few.append(out),
            Ids::Many(ids) => out.extend_from_slice(ids),
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
    fn new(words: impl Iterator<Item = Result<Vec<u32>, String>>) -> Result<WordIds, String> {
        let (mut starts, mut ids) = (vec![0], Vec::new());
        let mut one_each = true;
        for word in words {
            let word = word?;
            one_each &= word.len() == 1;
            ids.extend(word);
            starts.push(ids.len() as u32);
        }
        if !one_each {
            return Ok(WordIds::Several { starts, ids });
        }
        let shift = ids.first().copied().unwrap_or(0);
        let is_shifted = |(symbol, &id): (usize, &u32)| id == shift.wrapping_add(symbol as u32);
        Ok(match ids.iter().enumerate().all(is_shifted) {
            true => WordIds::Shifted(shift),
            false => WordIds::One(ids),
        })
    }

    fn append(&self, symbols: &[u32], out: &mut Vec<u32>) {
        match self {
            WordIds::Shifted(0) => out.extend_from_slice(symbols),
            WordIds::Shifted(shift) => out.extend(symbols.iter().map(|symbol| symbol + shift)),
            WordIds::One(ids) if symbols.len() >= MANY => {
                look_up(ids, symbols, out);
            }
            WordIds::One(ids) => {
                out.extend(symbols.iter().map(|&symbol| ids[symbol as usize]));
            }
            WordIds::Several { starts, ids } => {
                for &symbol in symbols {
                    let range = starts[symbol as usize]..starts[symbol as usize + 1];
                    out.extend_from_slice(&ids[range.start as usize..range.end as usize]);
                }
            }
        }
    }
}

/// Appends the id of each symbol.
fn look_up(ids: &[u32], symbols: &[u32], out: &mut Vec<u32>) {
    assert!((greatest(symbols) as usize) < ids.len(), "each symbol has a word");
    // SAFETY: each symbol was found to be below the number of ids.
    out.extend(symbols.iter().map(|&symbol| unsafe { *ids.get_unchecked(symbol as usize) }));
}

/// Ids being written, piece by piece.
pub(super) struct IdSurface<'a> {
    tables: &'a Tables,
    vocabulary: &'a Vocabulary,
    tokenize: &'a dyn Tokenize,
    pub ids: &'a mut Vec<u32>,
    state: &'a mut State,
}

/// Where the writing of ids has got to.
#[derive(Debug)]
pub(super) struct State {
    before: Before,
    /// A space that goes with the next piece.
    space: bool,
    /// Why a piece has no ids.
    pub error: Option<String>,
}

impl State {
    /// At the start of a text.
    pub fn new() -> State {
        State { before: Before::Nothing, space: false, error: None }
    }
}

impl<'a> IdSurface<'a> {
    pub fn new(
        tables: &'a Tables,
        vocabulary: &'a Vocabulary,
        tokenize: &'a dyn Tokenize,
        ids: &'a mut Vec<u32>,
        state: &'a mut State,
    ) -> IdSurface<'a> {
        IdSurface { tables, vocabulary, tokenize, ids, state }
    }

    fn words(&mut self, before: Before, space: bool, symbols: &[u32]) {
        match self.tables.words(before, space, (self.vocabulary, self.tokenize)) {
            Ok(words) => words.append(symbols, self.ids),
            Err(why) => self.state.error = Some(why.clone()),
        }
    }

    fn behind_word(&mut self) {
        self.state.before = Before::Word;
        self.state.space = false;
    }
}

impl Surface for IdSurface<'_> {
    #[inline]
    fn literal(&mut self, literal: Literal) {
        let piece = &self.tables.pieces[literal];
        if piece.is_empty {
            return;
        }
        let state = &mut *self.state;
        if let Some(after) = piece.after {
            piece.ids[state.before as usize][usize::from(state.space)].append(self.ids);
            state.before = after;
        }
        state.space = piece.space_after;
    }

    #[inline]
    fn token(&mut self, symbol: u32) {
        self.words(self.state.before, self.state.space, &[symbol]);
        self.behind_word();
    }

    fn tokens(&mut self, symbols: &[u32]) {
        let Some((first, rest)) = symbols.split_first() else { return };
        self.words(self.state.before, self.state.space, std::slice::from_ref(first));
        if !rest.is_empty() {
            self.words(Before::Word, true, rest);
        }
        self.behind_word();
    }

    #[inline]
    fn int(&mut self, value: i64) {
        let State { before, space, .. } = *self.state;
        let (tables, tokenize) = (self.tables, self.tokenize);
        let signs = &tables.numbers[before as usize][usize::from(space)];
        let of_sign = &signs[usize::from(value < 0)];
        let small = of_sign.get_or_init(|| (0..SMALL).map(|_| OnceLock::new()).collect());
        let Some(kept) = usize::try_from(value.unsigned_abs()).ok().and_then(|at| small.get(at))
        else {
            return self.number(&value.to_string());
        };
        let spaced = if space { " " } else { "" };
        let few = kept.get_or_init(|| {
            let ids = tables.after(before, &format!("{spaced}{value}"), tokenize);
            ids.ok().and_then(|ids| Few::new(&ids)).unwrap_or_default()
        });
        match few.count {
            // It has many, or the tokenizer says why it has none.
            0 => self.number(&value.to_string()),
            _ => {
                few.append(self.ids);
                self.behind_word();
            }
        }
    }

    fn real(&mut self, value: f64) {
        self.number(&format!("{value:?}"));
    }

    fn number(&mut self, text: &str) {
        let State { before, space, .. } = *self.state;
        let spaced = if space { " " } else { "" };
        match self.tables.after(before, &format!("{spaced}{text}"), self.tokenize) {
            Ok(ids) => self.ids.extend(ids),
            Err(why) => self.state.error = Some(why),
        }
        self.behind_word();
    }

    fn made(&mut self, text: &str) {
        // Such a sample is encoded as one text: see `Walk::plain`.
        self.state.error = Some(format!("`{text}` has no own ids"));
    }
}

//! The seams of a layout: which pieces may be side by side in a sample's text, and whether a
//! tokenizer surely cuts between them.

use std::collections::BTreeSet;

use super::{
    COMMON, FALSE, Item, LINE, Literal, Plan, RowPart, SPACE, Shape, TRUE, Table, Tokenize,
};
use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::ir::{Bound, Program, TextBound};

/// The parts of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// A text of the [`Walk`].
    Text(usize),
    Word,
    Int,
    Real,
}

/// Two units side by side, the left one none at the start of all, and whether a space that ends
/// the left one goes with the right one.
pub(super) type Seam = (Option<Unit>, bool, Unit);

/// What the text written so far ends with, and what comes after it.
pub(super) type Ends = BTreeSet<(Option<Unit>, Space)>;

/// A space that goes with the next piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    None,
    /// Of a piece.
    Own,
    /// Before a reply; if that is empty, there is none.
    BeforeReply,
}

/// A walk over all samples of a layout at once.
pub(super) struct Walk<'a> {
    pub program: &'a Program,
    /// The plan's literals, then what goes around the texts, then what separates shots.
    pub texts: &'a [String],
    pub seams: BTreeSet<Seam>,
    /// Something was seen that tables do not hold: two spaces, one at an end.
    pub is_beyond_tables: bool,
}

impl Walk<'_> {
    /// Walks over a sample: what comes before system text, prompt and reply, these, and what ends
    /// the reply. `in_chat`: the texts lose white space at their ends.
    pub fn sample(&mut self, plan: &Plan, around: [usize; 4], in_chat: bool, ends: &Ends) -> Ends {
        let mut ends = ends.clone();
        for (at, part) in [&plan.system, &plan.prompt, &plan.reply].into_iter().enumerate() {
            // A text whose end says what comes next is looked at when it is there.
            let (is_prompt, is_reply) = (at == 1, at == 2);
            let next_is_known = in_chat || is_reply || is_prompt && !plan.prompt_ends_with_space();
            ends = self.text(&ends, around[at]);
            if is_reply && in_chat {
                // Such a space may be read, or be the start of the reply's first token.
                self.is_beyond_tables |= ends.iter().any(|(_, space)| *space != Space::None);
            } else if is_reply {
                let of_reply = |(end, space)| match space {
                    Space::Own => (end, Space::BeforeReply),
                    space => (end, space),
                };
                ends = ends.into_iter().map(of_reply).collect();
            }
            ends = part.iter().fold(ends, |ends, item| self.item(&ends, item));
            let blank = |&(end, space): &(Option<Unit>, Space)| {
                let text = self.text_of(end);
                let own = is_reply || text.is_none_or(|at| !around.contains(&at));
                let blank = text.is_some_and(|at| self.texts[at].ends_with(char::is_whitespace));
                own && (space == Space::Own || blank && next_is_known)
            };
            self.is_beyond_tables |= ends.iter().any(blank);
        }
        ends = self.text(&ends, around[3]);
        if in_chat {
            let starts_blank = |(left, _, right): &Seam| {
                let starts = match left {
                    None => true,
                    Some(Unit::Text(at)) => around.contains(at),
                    Some(Unit::Word | Unit::Int | Unit::Real) => false,
                };
                let text = self.text_of(Some(*right)).filter(|at| !around.contains(at));
                starts && text.is_some_and(|at| self.texts[at].starts_with(char::is_whitespace))
            };
            self.is_beyond_tables |= self.seams.iter().any(starts_blank);
        }
        ends
    }

    fn text_of(&self, unit: Option<Unit>) -> Option<usize> {
        match unit {
            Some(Unit::Text(at)) => Some(at),
            _ => None,
        }
    }

    /// A text of the walk.
    pub fn text(&mut self, ends: &Ends, at: usize) -> Ends {
        let text = &self.texts[at];
        match text.strip_suffix(' ') {
            None if text.is_empty() => ends.clone(),
            Some("") => {
                self.is_beyond_tables |= ends.iter().any(|(_, space)| *space != Space::None);
                ends.iter().map(|(end, _)| (*end, Space::Own)).collect()
            }
            None => self.unit(ends, Unit::Text(at), Space::None),
            Some(_) => self.unit(ends, Unit::Text(at), Space::Own),
        }
    }

    fn unit(&mut self, ends: &Ends, unit: Unit, space_after: Space) -> Ends {
        let seam = |(end, space): &(Option<Unit>, Space)| (*end, *space != Space::None, unit);
        self.seams.extend(ends.iter().map(seam));
        if ends.is_empty() { Ends::new() } else { [(Some(unit), space_after)].into() }
    }

    fn item(&mut self, ends: &Ends, item: &Item) -> Ends {
        match item {
            Item::Literal(literal) => self.text(ends, *literal),
            Item::Value(slot, kind, shape) => {
                self.value(ends, kind, &self.program.slots[*slot as usize].bound, shape)
            }
            Item::Rows(table) => self.rows(ends, table),
        }
    }

    fn value(&mut self, ends: &Ends, kind: &Type, bound: &Bound, shape: &Shape) -> Ends {
        match (shape, kind.element()) {
            (Shape::Joined(between), Some(element)) => {
                let inner = element_of(bound);
                let between = (*between, bound);
                self.list(ends, between, &mut |walk, ends| walk.plain(ends, element, inner))
            }
            _ => self.plain(ends, kind, bound),
        }
    }

    /// Rows: a list that is over shows nothing.
    fn rows(&mut self, ends: &Ends, table: &Table) -> Ends {
        let slots = &self.program.slots;
        let column = |part: &RowPart| match part {
            RowPart::Column(slot, ..) => Some(slots[*slot as usize].bound.sizes()),
            RowPart::Literal(_) | RowPart::Number => None,
        };
        let sizes: Vec<(i64, i64)> = table.parts.iter().filter_map(column).collect();
        let (fewest, most) = sizes.last().copied().unwrap_or((0, 0));
        let bound = Bound::List { low: fewest, high: most, element: Box::new(Bound::Any) };
        let mut all = self.list(ends, (table.between, &bound), &mut |walk, ends| {
            table.parts.iter().fold(ends.clone(), |ends, part| match part {
                RowPart::Literal(literal) => walk.text(&ends, *literal),
                RowPart::Number => walk.unit(&ends, Unit::Int, Space::None),
                RowPart::Column(slot, element, shape) => {
                    let bound = &slots[*slot as usize].bound;
                    let mut shown = walk.value(&ends, element, element_of(bound), shape);
                    if bound.sizes().0 < most {
                        shown.extend(ends);
                    }
                    shown
                }
            })
        });
        if let (true, Some(nothing)) = (fewest < 1, table.nothing) {
            // Without a row there is this in its place.
            all.extend(self.text(ends, nothing));
        }
        all
    }

    /// None, if there may be none, one or more elements.
    fn list(
        &mut self,
        ends: &Ends,
        (between, bound): (Literal, &Bound),
        element: &mut dyn FnMut(&mut Self, &Ends) -> Ends,
    ) -> Ends {
        let mut all = element(self, ends);
        loop {
            let next = self.text(&all, between);
            let next = element(self, &next);
            if next.is_subset(&all) {
                break;
            }
            all.extend(next);
        }
        if !matches!(bound, Bound::List { low: 1.., .. }) {
            all.extend(ends);
        }
        all
    }

    fn plain(&mut self, ends: &Ends, kind: &Type, bound: &Bound) -> Ends {
        match kind {
            Type::Int => self.unit(ends, Unit::Int, Space::None),
            Type::Real => self.unit(ends, Unit::Real, Space::None),
            Type::Token => self.unit(ends, Unit::Word, Space::None),
            Type::Bool => self.any_of(ends, [FALSE, TRUE].into_iter()),
            Type::Text => match bound {
                Bound::Text(TextBound { literals: Some(symbols), .. }) => {
                    self.any_of(ends, symbols.iter().map(|symbol| COMMON.len() + *symbol as usize))
                }
                // No table has it.
                _ => {
                    self.is_beyond_tables = true;
                    ends.clone()
                }
            },
            Type::List(element) => {
                let between = if element.element().is_some() { LINE } else { SPACE };
                let inner = element_of(bound);
                let between = (between, bound);
                self.list(ends, between, &mut |walk, ends| walk.plain(ends, element, inner))
            }
            Type::Any(_) | Type::Shown | Type::Unknown => ends.clone(),
        }
    }

    fn any_of(&mut self, ends: &Ends, texts: impl Iterator<Item = usize>) -> Ends {
        let mut all = Ends::new();
        texts.for_each(|at| all.extend(self.text(ends, at)));
        all
    }
}

fn element_of(bound: &Bound) -> &Bound {
    match bound {
        Bound::List { element, .. } => element,
        _ => &Bound::Any,
    }
}

/// Whether a tokenizer cuts at every seam, and keeps the pieces beside it as they are anywhere.
pub(super) struct Judge<'a> {
    pub texts: &'a [String],
    pub vocabulary: &'a Vocabulary,
    pub tokenize: &'a dyn Tokenize,
}

impl Judge<'_> {
    /// True if each piece has the same ids wherever it is.
    pub fn all_cut(&self, seams: &BTreeSet<Seam>) -> bool {
        let words = self.words();
        seams.iter().all(|(left, space, right)| {
            let Some(left) = left else { return true };
            let lefts = self.tails(*left, &words);
            let rights = self.heads(*right, *space, &words);
            let cuts = |left: &String, right: &String| self.tokenize.cuts(left, right);
            lefts.iter().all(|left| rights.iter().all(|right| cuts(left, right)))
        })
    }

    /// First and last letters of the words.
    pub fn words(&self) -> BTreeSet<[char; 2]> {
        self.vocabulary.words().filter_map(ends_of).collect()
    }

    fn tails(&self, unit: Unit, words: &BTreeSet<[char; 2]>) -> BTreeSet<String> {
        match unit {
            Unit::Text(at) => {
                let text = &self.texts[at];
                [text.strip_suffix(' ').unwrap_or(text).to_string()].into()
            }
            Unit::Word => words.iter().map(|[_, last]| last.to_string()).collect(),
            Unit::Int => digits_and(""),
            // `inf` and `NaN`.
            Unit::Real => digits_and("fN"),
        }
    }

    pub fn heads(&self, unit: Unit, space: bool, words: &BTreeSet<[char; 2]>) -> BTreeSet<String> {
        let heads: BTreeSet<String> = match unit {
            Unit::Text(at) => {
                let text = &self.texts[at];
                [text.strip_suffix(' ').unwrap_or(text).to_string()].into()
            }
            Unit::Word => words.iter().map(|[first, _]| first.to_string()).collect(),
            Unit::Int => digits_and("-"),
            Unit::Real => digits_and("-iN"),
        };
        let space = if space { " " } else { "" };
        heads.into_iter().map(|head| format!("{space}{head}")).collect()
    }
}

/// The digits and other characters.
fn digits_and(more: &str) -> BTreeSet<String> {
    ('0'..='9').chain(more.chars()).map(String::from).collect()
}

fn ends_of(word: &str) -> Option<[char; 2]> {
    Some([word.chars().next()?, word.chars().last()?])
}

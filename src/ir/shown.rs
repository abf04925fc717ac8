//! The layout at a level: shown values get slots, and the longest text is known.

use super::lower::{Lower, Value};
use super::{Bound, Cell, Digits, Form, Piece, Role, Rows, Slot, SlotId, reply};
use crate::check::typed::{self, DigitsOf, Expr, ExprKind};
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::runtime::bound::{Blanks, TextBound};

/// The most words that the texts of a sample may have: as many as its memory holds numbers. More
/// come of lists that stand in one another and share what they hold.
const WORDS_MAX: u64 = 1 << 26;

impl Lower<'_> {
    /// Lowers the layout. What is shown by its name has a slot already; an expression gets one.
    pub fn layout(&mut self) {
        let layout = &self.template.layout;
        self.program.layout.system = layout.system.as_deref().map(|pieces| self.pieces(pieces));
        self.program.layout.prompt = self.pieces(&layout.prompt);
        self.program.layout.reply = self.pieces(&layout.reply);
        self.refuse_empty_rows();
        self.refuse_ragged();
        self.refuse_open_texts();
        self.refuse_alike();
        self.measure();
    }

    /// A row that shows nothing is an empty line: at the end of a reply it is invisible.
    fn refuse_empty_rows(&mut self) {
        let reply = self.template.layout.reply.iter().zip(&self.program.layout.reply);
        for (piece, lowered) in reply {
            let (span, is_empty) = match (piece, lowered) {
                (typed::Piece::Placeholder(placeholder), Piece::Value(slot, Form::Plain)) => {
                    let is_deep = placeholder.value.ty.depth() == 2;
                    (placeholder.value.span, is_deep && self.may_show_nothing(*slot))
                }
                (typed::Piece::Rows(rows), Piece::Rows(lowered)) => {
                    let may_be_nothing = |cell: &Cell| match cell {
                        Cell::Literal(text) => text.trim().is_empty(),
                        Cell::Number => false,
                        Cell::Column(slot, _) => self.may_show_nothing(*slot),
                    };
                    (rows.span, lowered.cells.iter().all(may_be_nothing))
                }
                _ => continue,
            };
            if is_empty {
                let title = "a row of this list may be empty, and is not read back then";
                self.errors.push(
                    Diagnostic::error("E413", title, span, "an element may show nothing").help(
                        "write text into each row, or give `concat(rows)` a name and show that, or \
                         make rows that have elements",
                    ),
                );
            }
        }
    }

    /// True if an element of a list may be shown as nothing.
    fn may_show_nothing(&self, slot: SlotId) -> bool {
        let bound = &self.program.slots[slot as usize].bound;
        bound.sizes().1 > 0
            && match bound.element() {
                Bound::List { low, .. } => low < 1,
                Bound::Text(text) => text.low == 0,
                _ => false,
            }
    }

    /// A list that cannot have an element for each row.
    fn refuse_ragged(&mut self) {
        let layout = self.program.layout.clone();
        let typed = &self.template.layout;
        let system = layout.system.iter().flatten().zip(typed.system.iter().flatten());
        let others = layout.prompt.iter().chain(&layout.reply);
        let others = others.zip(typed.prompt.iter().chain(&typed.reply));
        for (piece, shown) in system.chain(others) {
            let Piece::Rows(rows) = piece else { continue };
            let sizes = |slot: SlotId| self.program.slots[slot as usize].bound.sizes();
            let all: Vec<(i64, i64)> = rows.columns().map(|(slot, _)| sizes(slot)).collect();
            let most = all.last().map_or(0, |(low, _)| *low);
            let short = all.iter().position(|(_, high)| *high < most);
            let Some(column) = short.and_then(|at| shown.shown().nth(at)) else { continue };
            let title = "a list of rows has fewer elements than there are rows";
            let label = format!("the last list of the row has at least {most}");
            self.errors.push(
                Diagnostic::error("E414", title, column.value.span, label)
                    .help("show a list that has an element for each row"),
            );
        }
    }

    /// Two values that may be empty, with nothing but white space to tell which one is.
    fn refuse_alike(&mut self) {
        let reply = &self.template.layout.reply;
        let Some((first, second)) = reply::alike(&self.program) else { return };
        let placeholder = |at: usize| {
            let span = match reply.get(at)? {
                typed::Piece::Literal(_) => return None,
                typed::Piece::Placeholder(placeholder) => placeholder.value.span,
                typed::Piece::Rows(rows) => rows.span,
            };
            let (slot, _) = self.program.layout.reply.get(at)?.shown().last()?;
            Some((span, self.program.slots[slot as usize].name.clone()))
        };
        let (Some((place, name)), Some((other_place, other))) =
            (placeholder(first), placeholder(second))
        else {
            return;
        };
        let error = match first == second {
            true => {
                let title = format!("a reply with an empty `{name}` reads like another");
                Diagnostic::error("E404", title, place, "may be empty")
            }
            false => {
                let title = format!("where `{name}` is empty, `{other}` may be read in its place");
                Diagnostic::error("E404", title, place, "may be empty")
                    .and(other_place, "only white space is between them")
            }
        };
        self.errors.push(error.help(format!(
            "write a text between them that is more than white space, such as \
             `{{{name}}}\\n--\\n{{{other}}}`, or lists that always have an element"
        )));
    }

    fn pieces(&mut self, pieces: &[typed::Piece]) -> Vec<Piece> {
        let lowered = pieces.iter().map(|piece| match piece {
            typed::Piece::Literal(text) => Piece::Literal(text.clone()),
            typed::Piece::Placeholder(placeholder) => {
                let (slot, form) = self.placeholder(placeholder);
                Piece::Value(slot, form)
            }
            typed::Piece::Rows(rows) => {
                let cells = rows.cells.iter().map(|cell| match cell {
                    typed::Cell::Literal(text) => Cell::Literal(text.clone()),
                    typed::Cell::Number => Cell::Number,
                    typed::Cell::Column(column) => {
                        let (slot, form) = self.placeholder(column);
                        Cell::Column(slot, form)
                    }
                });
                Piece::Rows(Rows {
                    cells: cells.collect(),
                    between: rows.between.clone(),
                    nothing: rows.nothing.clone(),
                })
            }
        });
        lowered.collect()
    }

    fn placeholder(&mut self, placeholder: &typed::Placeholder) -> (SlotId, Form) {
        let form = match &placeholder.form {
            typed::Form::Plain => Form::Plain,
            typed::Form::Joined(between) => Form::Joined(between.clone()),
            typed::Form::Digits(of, count) => Form::Digits(self.digits(*of, count)),
        };
        (self.shown(&placeholder.value), form)
    }

    /// The digits that a number is shown with, which must be known.
    fn digits(&mut self, of: DigitsOf, count: &Expr) -> Digits {
        let known = self.expr(count).bound.known();
        let known = known.filter(|count| (0..=Digits::MAX).contains(count)).unwrap_or_else(|| {
            let title = "how many digits are shown is not known";
            let help = format!("write a number from 0 to {}, or a parameter", Digits::MAX);
            self.errors.push(Diagnostic::error("E410", title, count.span, "digits").help(help));
            1
        }) as u8;
        match of {
            DigitsOf::Point => Digits { whole: 1, point: known },
            DigitsOf::Whole => Digits { whole: known.max(1), point: 0 },
        }
    }

    /// The slot of a shown value.
    fn shown(&mut self, expr: &Expr) -> SlotId {
        if let ExprKind::Local(id) = expr.kind
            && let Some((at, _)) = self.template.binding_of(id)
        {
            return at as SlotId;
        }
        let value: Value = self.expr(expr);
        let slot = Slot {
            name: String::new(),
            kind: expr.ty.clone(),
            role: Role::Placeholder,
            shown: true,
            drawn: false,
            bound: value.bound.clone(),
        };
        self.slot(slot, &value, expr.span)
    }

    /// Adds up the longest text of all pieces.
    fn measure(&mut self) {
        let layout = self.program.layout.clone();
        let all = [layout.system.as_deref().unwrap_or_default(), &layout.prompt, &layout.reply];
        let mut total = Size::default();
        for piece in all.into_iter().flatten() {
            total = total.and(match piece {
                Piece::Literal(text) => Size::of_text(text),
                Piece::Value(slot, form) => self.size_of(*slot, form),
                Piece::Rows(rows) => self.size_of_rows(rows),
            });
        }
        let bounds = &mut self.program.bounds;
        (bounds.words, bounds.literal_bytes) = (total.words, total.bytes);
        (bounds.pool_words, bounds.words_known) = (total.pool_words, total.known);
        if total.known > WORDS_MAX {
            let span = self.template.bindings.last().map(|binding| binding.value.span);
            let title = format!("the texts of a sample may have {} words", total.known);
            let label = "shown values hold lists up to here";
            self.errors.push(
                Diagnostic::error("E505", title, span.unwrap_or_default(), label).help(format!(
                    "show less, or write smaller parameters: at most {WORDS_MAX} words"
                )),
            );
        }
    }

    fn size_of(&self, slot: SlotId, form: &Form) -> Size {
        let Slot { kind, bound, .. } = &self.program.slots[slot as usize];
        self.size_as(kind, bound, form)
    }

    /// The longest text of a value in its form.
    fn size_as(&self, kind: &Type, bound: &Bound, form: &Form) -> Size {
        match form {
            Form::Plain => self.plain(kind, bound),
            Form::Digits(digits) => {
                let (low, high) = bound.interval();
                let bytes = digits.longest(low, high) as u64;
                Size { words: 1, bytes, pool_words: 0, known: 1 }
            }
            Form::Joined(between) => {
                let each = kind.element().map(|element| self.plain(element, &bound.element()));
                each.unwrap_or_default().and(Size::of_text(between)).times(bound.sizes().1)
            }
        }
    }

    fn size_of_rows(&self, rows: &Rows) -> Size {
        let slots = &self.program.slots;
        let most = rows.last().map_or(0, |slot| slots[slot as usize].bound.sizes().1);
        let row = rows.cells.iter().map(|cell| match cell {
            Cell::Literal(text) => Size::of_text(text),
            Cell::Number => Size::of_text(&most.to_string()),
            Cell::Column(slot, form) => {
                let Slot { kind, bound, .. } = &self.program.slots[*slot as usize];
                let element = kind.element().unwrap_or(&Type::Unknown);
                self.size_as(element, &bound.element(), form)
            }
        });
        let row = row.fold(Size::of_text(&rows.between), Size::and);
        row.times(most).larger(Size::of_text(rows.nothing.as_deref().unwrap_or_default()))
    }

    /// The longest text of a value as its type is shown, with what is between elements.
    fn plain(&self, ty: &Type, bound: &Bound) -> Size {
        match (ty, bound) {
            (Type::List(element), bound) => {
                let line = u64::from(element.depth() > 0);
                let between = Size { words: line, bytes: 1, pool_words: 0, known: line };
                let each = self.plain(element, &bound.element()).and(between);
                let all = each.times(bound.sizes().1);
                // Of a list of which nothing is known, one element is counted.
                let is_known = matches!(bound, Bound::List { .. });
                Size { known: if is_known { all.known } else { each.known }, ..all }
            }
            (Type::Token, _) => Size { words: 1, bytes: 0, pool_words: 1, known: 1 },
            (Type::Text, bound) => match bound.literals() {
                Some(texts) => {
                    let text = |at: &u32| Size::of_text(&self.program.texts[*at as usize]);
                    texts.iter().map(text).fold(Size::default(), Size::larger)
                }
                None => Size::of_made(&bound.text()),
            },
            (Type::Int, bound) => {
                let (low, high) = bound.interval();
                Size::of_text(&low.to_string()).larger(Size::of_text(&high.to_string()))
            }
            (Type::Bool, _) => Size::of_text("false"),
            // The longest decimal form of a Real of 64 bits.
            _ => Size { words: 1, bytes: 330, pool_words: 0, known: 1 },
        }
    }
}

/// How long a text can be.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    words: u64,
    bytes: u64,
    pool_words: u64,
    /// Words in lists whose largest size is known.
    known: u64,
}

impl Size {
    fn of_text(text: &str) -> Size {
        let lines = text.matches('\n').count();
        let words = text.split_whitespace().count() + lines;
        let words = words as u64;
        Size { words, bytes: text.len() as u64, pool_words: 0, known: words }
    }

    /// Of a text that is made: every second character may be white space.
    fn of_made(text: &TextBound) -> Size {
        let letters = text.high.max(0) as u64;
        let words = if text.blanks == Blanks::None { 1 } else { letters.div_ceil(2) };
        Size { words, bytes: text.bytes.max(0) as u64, pool_words: 0, known: words }
    }

    fn and(self, other: Size) -> Size {
        Size {
            words: self.words.saturating_add(other.words),
            bytes: self.bytes.saturating_add(other.bytes),
            pool_words: self.pool_words.saturating_add(other.pool_words),
            known: self.known.saturating_add(other.known),
        }
    }

    fn times(self, count: i64) -> Size {
        let count = count.max(0) as u64;
        Size {
            words: self.words.saturating_mul(count),
            bytes: self.bytes.saturating_mul(count),
            pool_words: self.pool_words.saturating_mul(count),
            known: self.known.saturating_mul(count),
        }
    }

    fn larger(self, other: Size) -> Size {
        Size {
            words: self.words.max(other.words),
            bytes: self.bytes.max(other.bytes),
            pool_words: self.pool_words.max(other.pool_words),
            known: self.known.max(other.known),
        }
    }
}

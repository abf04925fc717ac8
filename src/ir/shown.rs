//! The layout at a level: shown values get slots, and the longest text is known.

use super::lower::{Lower, Value};
use super::{Bound, Digits, Form, Piece, Role, Slot, SlotId, reply};
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
        self.refuse_broken_lines();
        self.refuse_open_texts();
        self.refuse_alike();
        self.measure();
    }

    /// A row without elements is an empty line: at the end of a reply it is invisible.
    fn refuse_empty_rows(&mut self) {
        let reply = self.template.layout.reply.iter().zip(&self.program.layout.reply);
        for (piece, lowered) in reply {
            let (typed::Piece::Placeholder(placeholder), Piece::Value(slot, Form::Plain)) =
                (piece, lowered)
            else {
                continue;
            };
            let bound = &self.program.slots[*slot as usize].bound;
            if placeholder.value.ty.depth() == 2
                && bound.sizes().1 > 0
                && bound.element().sizes().0 < 1
            {
                let title = "a row of this list may be empty, and is not read back then";
                let span = placeholder.value.span;
                self.errors.push(
                    Diagnostic::error("E413", title, span, "shown a line a row").help(
                        "give `concat(rows)` a name and show that, or make rows that have elements",
                    ),
                );
            }
        }
    }

    /// A text with a line break in it is more than the line that it is shown on.
    fn refuse_broken_lines(&mut self) {
        let breaks = |slot: SlotId| {
            let element = self.program.slots[slot as usize].bound.element();
            matches!(element, Bound::Text(text) if text.blanks == Blanks::Any)
        };
        let reply = self.template.layout.reply.iter().zip(&self.program.layout.reply);
        let mut errors = Vec::new();
        for (piece, lowered) in reply {
            let (typed::Piece::Placeholder(placeholder), Piece::Value(slot, form)) =
                (piece, lowered)
            else {
                continue;
            };
            let is_broken = match form {
                Form::Plain | Form::Joined(_) | Form::Digits(_) => false,
                Form::Numbered => breaks(*slot),
                Form::Lines(keys, _) | Form::Labelled(keys) => breaks(*slot) || breaks(*keys),
            };
            if is_broken {
                let title = "a line of this list may have a line break in it";
                errors.push(
                    Diagnostic::error(
                        "E406",
                        title,
                        placeholder.value.span,
                        "where does a line end?",
                    )
                    .help("write texts without a line break: an element is a line"),
                );
            }
        }
        self.errors.extend(errors);
    }

    /// Two values that may be empty, with nothing but white space to tell which one is.
    fn refuse_alike(&mut self) {
        let reply = &self.template.layout.reply;
        let Some((first, second)) = reply::alike(&self.program) else { return };
        let placeholder = |at: usize| match (reply.get(at), self.program.layout.reply.get(at)) {
            (Some(typed::Piece::Placeholder(placeholder)), Some(Piece::Value(slot, _))) => {
                Some((placeholder.value.span, self.program.slots[*slot as usize].name.clone()))
            }
            _ => None,
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
                let form = match &placeholder.form {
                    typed::Form::Plain => Form::Plain,
                    typed::Form::Joined(between) => Form::Joined(between.clone()),
                    typed::Form::Numbered => Form::Numbered,
                    typed::Form::Lines(keys, between) => {
                        Form::Lines(self.shown(keys), between.clone())
                    }
                    typed::Form::Labelled(keys) => Form::Labelled(self.shown(keys)),
                    typed::Form::Digits(of, count) => Form::Digits(self.digits(*of, count)),
                };
                Piece::Value(self.shown(&placeholder.value), form)
            }
        });
        lowered.collect()
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
        let (_, most) = bound.sizes();
        let each = kind.element().map(|element| self.plain(element, &bound.element()));
        let line = |key: Size| key.and(each.unwrap_or_default()).and(Size::of_text("\n"));
        match form {
            Form::Plain => self.plain(kind, bound),
            Form::Digits(digits) => {
                let (low, high) = bound.interval();
                let bytes = digits.longest(low, high) as u64;
                Size { words: 1, bytes, pool_words: 0, known: 1 }
            }
            Form::Joined(between) => {
                each.unwrap_or_default().and(Size::of_text(between)).times(most)
            }
            Form::Numbered => line(Size::of_text(&format!("{most}. "))).times(most),
            Form::Lines(keys, between) => {
                line(self.key(*keys).and(Size::of_text(between))).times(most)
            }
            Form::Labelled(keys) => line(self.key(*keys).and(Size::of_text(". "))).times(most),
        }
    }

    fn key(&self, slot: SlotId) -> Size {
        let Slot { kind, bound, .. } = &self.program.slots[slot as usize];
        kind.element().map_or(Size::default(), |element| self.plain(element, &bound.element()))
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

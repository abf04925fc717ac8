//! A template whose names are resolved and whose types are known.

use std::collections::BTreeSet;
use std::sync::Arc;

use strum::IntoStaticStr;

use super::types::{Letters, Type};
use crate::source::Span;
use crate::syntax::ast::{Each, Operator};

/// Index into [`Template::locals`], or into [`Function::locals`] inside a function.
pub type LocalId = usize;

/// A checked template.
#[derive(Clone, Debug)]
pub struct Template {
    /// The file's name.
    pub name: String,
    /// The documentation at its top.
    pub docs: Vec<String>,
    /// What a user may set, in order.
    pub params: Vec<Param>,
    /// The named difficulties, in order.
    pub levels: Vec<Level>,
    /// The pools of tokens; the first is `vocab`.
    pub pools: Vec<Pool>,
    /// Every name that holds a value: what is bound first comes first, loops' items between.
    pub locals: Vec<Local>,
    /// The draws and computations, in order.
    pub bindings: Vec<Binding>,
    /// Every text literal of the bindings and of the functions they call: what a `Text` can be.
    pub texts: BTreeSet<String>,
    /// True if it makes texts, by itself or by a function that it calls: which characters they can
    /// have is known at a level only.
    pub makes_texts: bool,
    /// The other templates that are parts of this one.
    pub parts: Vec<Part>,
    /// What must hold.
    pub rules: Vec<Rule>,
    /// How it is shown.
    pub layout: Layout,
}

impl Template {
    /// The binding that binds a name, and its place among them; none for a loop's name.
    pub fn binding_of(&self, local: LocalId) -> Option<(usize, &Binding)> {
        let at = self.bindings.binary_search_by_key(&local, |binding| binding.local).ok()?;
        Some((at, &self.bindings[at]))
    }
}

/// A number that the user may set.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its documentation.
    pub docs: Vec<String>,
    /// `Int` or `Real`; `Text` for one of some names.
    pub kind: Type,
    /// What it is one of; none for a number. The range is then that of their positions.
    pub names: Vec<String>,
    /// The least value; may use earlier parameters.
    pub low: Expr,
    /// The greatest value; likewise.
    pub high: Expr,
    /// The value when it is not set; likewise.
    pub default: Expr,
}

/// A named difficulty.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Index of a parameter, where its name stands, and its value here.
    pub settings: Vec<(usize, Span, Expr)>,
}

/// A named pool of tokens.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its words; none for `vocab`, which is the run's own.
    pub words: Vec<String>,
}

/// A name that holds a value.
#[derive(Clone, Debug)]
pub struct Local {
    /// As written.
    pub name: String,
    /// Where it is bound.
    pub span: Span,
    /// What it holds.
    pub kind: Type,
}

/// A draw or a computation.
#[derive(Clone, Debug)]
pub struct Binding {
    /// What it binds.
    pub local: LocalId,
    /// True for `~`.
    pub drawn: bool,
    /// What it is bound to.
    pub value: Expr,
    /// The names that the value is made of.
    pub uses: BTreeSet<LocalId>,
    /// Its documentation.
    pub docs: Vec<String>,
    /// Inferred from what it uses and where it is shown.
    pub role: Role,
    /// True if the layout shows it by its name.
    pub shown: bool,
}

/// `part ~ copy_first(length = 10)`: its parameters, values and rules stand among those of the
/// template, under names that begin with `part.`
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name; `part.inner` for a part of it.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its documentation.
    pub docs: Vec<String>,
    /// The name of the template that it is made from.
    pub of: String,
    /// What `{part.prompt}` shows.
    pub prompt: Vec<Piece>,
    /// What `{part.reply}` shows.
    pub reply: Vec<Piece>,
}

/// How a value came to be. A value that is not `shown` is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Drawn from no other value.
    Parent,
    /// Made from others.
    Child,
    /// Shown in the reply.
    Output,
}

/// What must hold between the shown values.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its documentation.
    pub docs: Vec<String>,
    /// `Bool`, or a `Real` in 0..1.
    pub relation: Expr,
    /// The names in the relation.
    pub uses: BTreeSet<LocalId>,
}

/// The texts of a template.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// What goes before the prompt.
    pub system: Option<Vec<Piece>>,
    /// What the model reads.
    pub prompt: Vec<Piece>,
    /// What it writes.
    pub reply: Vec<Piece>,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub enum Piece {
    /// These characters.
    Literal(String),
    /// A shown value.
    Placeholder(Placeholder),
    /// Lists side by side.
    Rows(Rows),
}

impl Piece {
    /// The values that it shows; of rows, their lists.
    pub fn shown(&self) -> impl Iterator<Item = &Placeholder> {
        let (alone, cells) = match self {
            Piece::Literal(_) => (None, &[][..]),
            Piece::Placeholder(placeholder) => (Some(placeholder), &[][..]),
            Piece::Rows(rows) => (None, &rows.cells[..]),
        };
        alone.into_iter().chain(cells.iter().filter_map(Cell::column))
    }

    /// The same, to change.
    pub fn shown_mut(&mut self) -> impl Iterator<Item = &mut Placeholder> {
        let (alone, cells) = match self {
            Piece::Literal(_) => (None, &mut [][..]),
            Piece::Placeholder(placeholder) => (Some(placeholder), &mut [][..]),
            Piece::Rows(rows) => (None, &mut rows.cells[..]),
        };
        let columns = cells.iter_mut().filter_map(|cell| match cell {
            Cell::Column(column) => Some(column),
            Cell::Literal(_) | Cell::Number => None,
        });
        alone.into_iter().chain(columns)
    }
}

/// `lines("{names}: {ages}")`, `join("; ", "{names} is {ages}")`, `numbered(xs)`: lists side by
/// side, a row an element.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What is between two rows.
    pub between: String,
    /// A row.
    pub cells: Vec<Cell>,
    /// `… or "none"`: what is shown where there is no row.
    pub nothing: Option<String>,
    /// The whole of it.
    pub span: Span,
}

/// A part of a row.
#[derive(Clone, Debug)]
pub enum Cell {
    /// These characters.
    Literal(String),
    /// The row's number, from 1.
    Number,
    /// An element of a list, and the form of the element.
    Column(Placeholder),
}

impl Cell {
    /// The list that it shows an element of.
    pub fn column(&self) -> Option<&Placeholder> {
        match self {
            Cell::Column(column) => Some(column),
            Cell::Literal(_) | Cell::Number => None,
        }
    }
}

/// A value in a text, and how it is shown.
#[derive(Clone, Debug)]
pub struct Placeholder {
    /// The value.
    pub value: Expr,
    /// The form.
    pub form: Form,
}

/// How a value becomes text.
#[derive(Clone, Debug)]
pub enum Form {
    /// As its type is shown.
    Plain,
    /// `join(between, xs)`
    Joined(String),
    /// `decimals(digits, x)`, `padded(digits, x)`
    Digits(DigitsOf, Expr),
}

/// Where the digits of a number are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitsOf {
    /// Behind its point.
    Point,
    /// In all.
    Whole,
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Where it stands.
    pub span: Span,
}

/// The expressions, names resolved.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A boolean.
    Bool(bool),
    /// A text literal.
    Text(String),
    /// The value of a name.
    Local(LocalId),
    /// The value of a parameter, by its index.
    Param(usize),
    /// All tokens of a pool, by its index.
    Pool(usize),
    /// A native of the runtime that computes.
    Native(String, Vec<Expr>),
    /// A native of the runtime that draws.
    Sampler(String, Vec<Expr>),
    /// `repeat(n, sampler)`
    Repeat(Box<Expr>, Box<Expr>),
    /// A function of a `.cook` file.
    Apply(Arc<Function>, Vec<Expr>),
    /// The function that this stands in, again: its first value is known, and smaller each time.
    Again(Vec<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `a..b`
    Range(Box<Expr>, Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `Int` where a `Real` is wanted.
    ToReal(Box<Expr>),
    /// Two operands of one type; `+` on lists, `in` and `within` are here too.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// Both branches have one type.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A loop that carries nothing.
    Each(Each, Box<Loop>),
    /// A loop that carries values; it evaluates to the first.
    Fold(Box<Fold>),
}

/// A loop that carries nothing.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The name of the element.
    pub item: LocalId,
    /// What it runs over.
    pub list: Expr,
    /// What must hold of an element for the body to be asked.
    pub filter: Option<Expr>,
    /// What it evaluates to for each.
    pub body: Expr,
}

/// A loop that carries values.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Names and their first values.
    pub carried: Vec<(LocalId, Expr)>,
    /// The name of the element.
    pub item: LocalId,
    /// What it runs over.
    pub list: Expr,
    /// What must hold for a turn to be made.
    pub filter: Option<Expr>,
    /// The next values.
    pub next: Vec<Expr>,
}

/// A function of a `.cook` file.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The types of what it takes; its first locals hold them.
    pub params: Vec<Type>,
    /// The names of what it takes, for messages and hover.
    pub param_names: Vec<String>,
    /// True for `~>`.
    pub draws: bool,
    /// What it returns.
    pub result: Type,
    /// Its documentation.
    pub docs: Vec<String>,
    /// Where its name stands, in its own file.
    pub span: Span,
    /// Every name in it.
    pub locals: Vec<Local>,
    /// The body; none for a native.
    pub body: Option<FunctionBody>,
    /// Every text literal of the body and of the functions it calls.
    pub texts: BTreeSet<String>,
    /// True if it calls itself.
    pub recurs: bool,
    /// True if it is in another file than the template: its spans mean nothing there.
    pub foreign: bool,
}

/// What a function does.
#[derive(Clone, Debug)]
pub struct FunctionBody {
    /// Draws and computations: name, drawn, value.
    pub bindings: Vec<(LocalId, bool, Expr)>,
    /// What it returns.
    pub result: Expr,
}

impl FunctionBody {
    /// The body at a call where the letters of the signature stand for these types.
    pub fn filled(&self, letters: &Letters) -> FunctionBody {
        let mut body = self.clone();
        for (_, _, value) in &mut body.bindings {
            value.fill(letters);
        }
        body.result.fill(letters);
        body
    }

    /// Moves all of it to one place.
    pub fn stand_at(&mut self, span: Span) {
        let values = self.bindings.iter_mut().map(|(_, _, value)| value);
        values.chain([&mut self.result]).for_each(|value| value.visit(&mut |it| it.span = span));
    }
}

impl Expr {
    /// Replaces the letters in its type and in those of all in it.
    fn fill(&mut self, letters: &Letters) {
        self.visit(&mut |expr| expr.ty = expr.ty.filled(letters));
    }

    /// The names in it, its own loops' names too.
    pub fn names(&mut self) -> BTreeSet<LocalId> {
        let mut names = BTreeSet::new();
        self.visit(&mut |expr| {
            if let ExprKind::Local(id) = expr.kind {
                names.insert(id);
            }
        });
        names
    }

    /// Calls `see` for the expression and all in it; not for the bodies of functions.
    pub fn visit(&mut self, see: &mut dyn FnMut(&mut Expr)) {
        see(self);
        match &mut self.kind {
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Bool(_)
            | ExprKind::Text(_)
            | ExprKind::Local(_)
            | ExprKind::Param(_)
            | ExprKind::Pool(_) => {}
            ExprKind::Native(_, parts)
            | ExprKind::Sampler(_, parts)
            | ExprKind::Apply(_, parts)
            | ExprKind::Again(parts)
            | ExprKind::List(parts) => parts.iter_mut().for_each(|part| part.visit(see)),
            ExprKind::Not(a) | ExprKind::ToReal(a) => a.visit(see),
            ExprKind::Repeat(a, b) | ExprKind::Range(a, b) | ExprKind::Binary(_, a, b) => {
                [a, b].into_iter().for_each(|part| part.visit(see))
            }
            ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|part| part.visit(see)),
            ExprKind::Each(_, each) => {
                each.list.visit(see);
                each.filter.iter_mut().for_each(|filter| filter.visit(see));
                each.body.visit(see);
            }
            ExprKind::Fold(fold) => {
                fold.carried.iter_mut().for_each(|(_, first)| first.visit(see));
                fold.list.visit(see);
                fold.filter.iter_mut().for_each(|filter| filter.visit(see));
                fold.next.iter_mut().for_each(|next| next.visit(see));
            }
        }
    }
}

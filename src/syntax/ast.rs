//! What a `.cook` file says, as a tree with the place of everything; nothing is resolved here.

use crate::source::Span;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// The `///` lines at the top, without the slashes.
    pub docs: Vec<String>,
    /// In the order of the text.
    pub statements: Vec<Statement>,
}

/// One statement with its documentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The `///` lines before it, without the slashes.
    pub docs: Vec<String>,
    /// From its first word to its last.
    pub span: Span,
    /// What it says.
    pub kind: StatementKind,
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// The ten statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `use tokens: overlap, labelled`
    Use {
        /// The module's name.
        module: Name,
        /// What is taken from it.
        names: Vec<Name>,
    },
    /// `use template copy_first`
    UseTemplate(Name),
    /// `words names = "names.txt"`
    Words {
        /// The pool's name.
        name: Name,
        /// The path as written between the quotes, escapes resolved.
        path: String,
        /// Where the path stands.
        path_span: Span,
    },
    /// `param length in 64..512 = 96`
    Param(Param),
    /// `level hard: length = 400, quote = 2`
    Level {
        /// The level's name.
        name: Name,
        /// What it overrides.
        settings: Vec<(Name, Expr)>,
    },
    /// `name ~ sampler`
    Draw(Binding),
    /// `name = expression`
    Compute(Binding),
    /// `rule name: relation`
    Rule(Binding),
    /// `system """…"""`
    System(Text),
    /// `prompt """…"""`
    Prompt(Text),
    /// `reply "…"`
    Reply(Text),
    /// `fn f(xs: [Token]) -> Int = …`
    Function(Function),
}

/// A number that the user may set, or one of some names.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// `["plain", "table"]`: what it is one of; none for a number. Its range is then that of their
    /// positions.
    pub names: Vec<Expr>,
    /// The least value, taken in.
    pub low: Expr,
    /// The greatest value, taken in.
    pub high: Expr,
    /// What it is when it is not set.
    pub default: Expr,
}

/// A name bound to an expression: by a draw, a computation or a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The name.
    pub name: Name,
    /// The symbol between them: `~`, `=` or `:`.
    pub symbol: Span,
    /// What it is bound to.
    pub value: Expr,
}

/// A function, with or without draws, or a native of the runtime.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Names and types of what it takes.
    pub params: Vec<(Name, Type)>,
    /// True for `~>`: it draws.
    pub draws: bool,
    /// What it returns.
    pub result: Type,
    /// None: a native of the runtime.
    pub body: Option<Body>,
}

/// What a function does.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The draws and computations of a block, in order; empty for `= expression`.
    pub statements: Vec<Statement>,
    /// What it returns.
    pub result: Expr,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Where.
    pub span: Span,
    /// Which.
    pub kind: TypeKind,
}

/// The types that can be written.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `Int`, `Real`, `Bool`, `Text`, `Token`, `T` (any), or a name that is none of them.
    Named(String),
    /// `[T]`
    List(Box<Type>),
}

/// Text with placeholders: a layout, or a literal in an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// With its quotes.
    pub span: Span,
    /// In order; two literals never stand side by side.
    pub parts: Vec<TextPart>,
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters as they are shown: margin removed, escapes resolved.
    Literal(String),
    /// `{expression}`
    Placeholder(Expr),
}

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Where, without parentheses around it.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `42`
    Int(i64),
    /// `0.5`
    Real(f64),
    /// `true`
    Bool(bool),
    /// `"yes"`, without placeholders.
    Text(String),
    /// `"{a} and {b}"`
    Filled(Text),
    /// `document`
    Name(String),
    /// `part.answer`: a name of a template used as a sampler. Of a part of a part the second name
    /// is `first.answer`; it is `prompt` or `reply` where the complete text is meant.
    Field(Name, Name),
    /// `f(x, y)`, `copy_first(length = 10)`
    Call(Name, Vec<Argument>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `a..b`, both ends taken in.
    Range(Box<Expr>, Box<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `a + b` and all others with an operator between.
    Binary(Operator, Span, Box<Expr>, Box<Expr>),
    /// `if a then b else c`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `all x in xs: body`, `for x in xs where condition: body`
    Each(Each, Box<Loop>),
    /// `fold total = 0, seen = [] over x in xs: total + x, seen + [x]`
    Fold(Box<Fold>),
}

/// What is given to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Set in `length = 10`. In `level hard` it is `level`, which no parameter can be called.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// A loop that carries nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// The name of the element.
    pub item: Name,
    /// The list it runs over.
    pub list: Expr,
    /// What must hold of an element for the body to be asked.
    pub filter: Option<Expr>,
    /// What it evaluates to for each.
    pub body: Expr,
}

/// A loop that carries values.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// Names and their first values.
    pub carried: Vec<(Name, Expr)>,
    /// The name of the element.
    pub item: Name,
    /// The list it runs over.
    pub list: Expr,
    /// What must hold for a turn to be made.
    pub filter: Option<Expr>,
    /// The next values, as many as are carried.
    pub next: Vec<Expr>,
}

/// The loops that give one value or a list without carrying anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Each {
    /// Is it so for all?
    All,
    /// Is it so for any?
    Any,
    /// For how many is it so?
    Count,
    /// The list of what it evaluates to.
    For,
}

/// The operators between two operands, displayed as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display)]
#[allow(missing_docs)]
pub enum Operator {
    #[strum(serialize = "+")]
    Add,
    #[strum(serialize = "-")]
    Subtract,
    #[strum(serialize = "*")]
    Multiply,
    #[strum(serialize = "/")]
    Divide,
    #[strum(serialize = "%")]
    Remainder,
    #[strum(serialize = "==")]
    Equal,
    #[strum(serialize = "!=")]
    NotEqual,
    #[strum(serialize = "<")]
    Less,
    #[strum(serialize = "<=")]
    LessEqual,
    #[strum(serialize = ">")]
    Greater,
    #[strum(serialize = ">=")]
    GreaterEqual,
    #[strum(serialize = "and")]
    And,
    #[strum(serialize = "or")]
    Or,
    #[strum(serialize = "in")]
    In,
    #[strum(serialize = "within")]
    Within,
}

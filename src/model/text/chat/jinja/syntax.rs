//! A template, read: statements and expressions.

use std::sync::{Arc, OnceLock};

/// Statements, one after the other.
#[derive(Debug, Default)]
pub struct Body {
    pub statements: Vec<Statement>,
    /// Names that it sets before it reads them; settled when all is read.
    pub first: OnceLock<Vec<String>>,
}

/// A statement with the line that it begins on.
#[derive(Debug)]
pub struct Statement {
    pub line: usize,
    pub kind: StatementKind,
}

/// What a statement does.
#[derive(Debug)]
pub enum StatementKind {
    /// Text as it is.
    Data(String),
    /// `{{ expression }}`
    Output(Expression),
    If(If),
    For(Arc<For>),
    Set(Target, Expression),
    /// `{% set name | filter %}…{% endset %}`
    SetBlock(Target, Vec<Call>, Body),
    Macro(Arc<Macro>),
    /// `{% call(parameters) expression %}…{% endcall %}`: the call, and the body as a macro.
    Call(Expression, Arc<Macro>),
    /// `{% filter name %}…{% endfilter %}`
    Filter(Vec<Call>, Body),
    With(Vec<(Target, Expression)>, Body),
    /// `{% generation %}…{% endgeneration %}`: for transformers a macro that is called at once.
    Generation(Body),
    Break,
    Continue,
}

/// Conditions with what they lead to, and what is left.
#[derive(Debug)]
pub struct If {
    pub branches: Vec<(Expression, Body)>,
    pub otherwise: Body,
}

/// `{% for target in values if condition recursive %}…{% else %}…{% endfor %}`
#[derive(Debug)]
pub struct For {
    pub target: Target,
    pub values: Expression,
    pub condition: Option<Expression>,
    pub recursive: bool,
    pub body: Body,
    pub otherwise: Body,
}

/// A macro, or a body that a macro may call.
#[derive(Debug)]
pub struct Macro {
    pub name: String,
    pub parameters: Vec<(String, Option<Expression>)>,
    pub body: Body,
    /// Whether the body names `varargs`, `kwargs` and `caller`: only then are there such.
    pub catches: [bool; 3],
}

/// What a value is given to.
#[derive(Debug)]
pub enum Target {
    Name(String),
    /// `namespace.name`
    Field(String, String),
    Tuple(Vec<Target>),
}

/// A filter or a test with its arguments.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    pub arguments: Arguments,
}

/// What is given to a call.
#[derive(Debug, Default)]
pub struct Arguments {
    pub plain: Vec<Expression>,
    pub named: Vec<(String, Expression)>,
    /// `*list` and `**dict`
    pub spread: Option<Box<Expression>>,
    pub spread_named: Option<Box<Expression>>,
}

/// An expression.
#[derive(Debug)]
pub enum Expression {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Name(String),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Negative(Box<Expression>),
    Positive(Box<Expression>),
    Not(Box<Expression>),
    And(Box<(Expression, Expression)>),
    Or(Box<(Expression, Expression)>),
    /// An operator of arithmetic, as it is written.
    Binary(&'static str, Box<(Expression, Expression)>),
    /// Operands of `~`
    Join(Vec<Expression>),
    /// `a < b <= c`
    Compare(Box<Expression>, Vec<(&'static str, Expression)>),
    /// `a if condition else b`: condition, a, b
    If(Box<(Expression, Expression)>, Option<Box<Expression>>),
    Attribute(Box<Expression>, String),
    Item(Box<(Expression, Expression)>),
    /// `value[start:end:step]`
    Slice(Box<Expression>, Box<[Option<Expression>; 3]>),
    Call(Box<Expression>, Arguments),
    Filter(Box<Expression>, Box<Call>),
    Test(Box<Expression>, Box<Call>),
}

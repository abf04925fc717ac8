//! Expressions, from what the grammar matched to the tree: what binds how tightly is said here.

use std::iter::Peekable;

use pest::iterators::{Pair, Pairs};

use super::ast::{self, Each, Expr, ExprKind, Name, Operator};
use super::build::{Build, parts, take};
use super::error::meaning as error;
use super::grammar::Rule;
use crate::source::Span;

/// An expression, and where it is with the parentheses around it.
struct Operand {
    expr: Expr,
    outer: Span,
}

impl Operand {
    fn new(kind: ExprKind, span: Span) -> Operand {
        Operand { expr: Expr { span, kind }, outer: span }
    }

    fn in_parentheses(&self) -> bool {
        self.outer != self.expr.span
    }
}

/// What is between two operands.
enum Infix {
    Operator(Operator),
    Range,
}

impl Build<'_> {
    /// Any expression.
    pub fn expression(&mut self, pair: Pair<'_, Rule>) -> Expr {
        self.operand_of(pair).expr
    }

    fn operand_of(&mut self, pair: Pair<'_, Rule>) -> Operand {
        self.climb(&mut pair.into_inner().peekable(), 0)
    }

    /// Takes operands and the symbols between them, as long as the symbols bind at least so
    /// tightly.
    fn climb(&mut self, parts: &mut Peekable<Pairs<'_, Rule>>, least: u8) -> Operand {
        let first = parts.next().expect("the grammar begins an expression with an operand");
        let mut left = match first.as_rule() {
            Rule::kw_not => {
                let symbol = self.span(&first);
                let right = self.climb(parts, NOT);
                Operand::new(ExprKind::Not(Box::new(right.expr)), symbol.to(right.outer))
            }
            Rule::negative => {
                let symbol = self.span(&first);
                let right = self.climb(parts, NEGATE);
                Operand::new(ExprKind::Negate(Box::new(right.expr)), symbol.to(right.outer))
            }
            _ => self.operand(first),
        };
        while let Some(symbol) =
            parts.next_if(|symbol| tightness(&infix(symbol.as_rule())) >= least)
        {
            let infix = infix(symbol.as_rule());
            let right = self.climb(parts, tightness(&infix) + 1);
            left = self.join(left, infix, self.span(&symbol), right);
        }
        left
    }

    fn join(&mut self, left: Operand, infix: Infix, symbol: Span, right: Operand) -> Operand {
        let span = left.outer.to(right.outer);
        let clash = match (&left.expr.kind, &infix) {
            (ExprKind::Range(..), Infix::Range) => true,
            (ExprKind::Binary(first, ..), Infix::Operator(second)) => {
                tightness_of(*first) == COMPARE && tightness_of(*second) == COMPARE
            }
            _ => false,
        };
        if clash && !left.in_parentheses() {
            self.errors.push(error::compared_twice(self.source, &left.expr, symbol, right.outer));
        }
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        Operand::new(
            match infix {
                Infix::Range => ExprKind::Range(left, right),
                Infix::Operator(operator) => ExprKind::Binary(operator, symbol, left, right),
            },
            span,
        )
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::group => {
                let inner = parts(pair).next().expect("the grammar fills parentheses");
                return Operand { outer: span, ..self.operand_of(inner) };
            }
            Rule::choice => self.choice(pair),
            Rule::each => self.each(pair),
            Rule::fold => self.fold(pair),
            Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
            Rule::reference => self.reference(pair),
            Rule::number => self.number(pair),
            Rule::text => self.text_value(pair),
            Rule::list => {
                ExprKind::List(parts(pair).map(|element| self.expression(element)).collect())
            }
            other => unreachable!("the grammar makes no operand of {other:?}"),
        };
        Operand::new(kind, span)
    }

    fn choice(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut parts = parts(pair);
        let mut next = || Box::new(self.expression(take(&mut parts, Rule::expression)));
        ExprKind::If(next(), next(), next())
    }

    fn each(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut inner = pair.into_inner();
        let word = inner.next().expect("the grammar begins a loop with a word").as_rule();
        let each = match word {
            Rule::kw_all => Each::All,
            Rule::kw_any => Each::Any,
            Rule::kw_count => Each::Count,
            _ => Each::For,
        };
        let item = self.name(&take(&mut inner, Rule::name));
        let is_value =
            |part: &Pair<'_, Rule>| matches!(part.as_rule(), Rule::expression | Rule::filter);
        let mut values = inner.filter(is_value).peekable();
        let list = self.expression(take(&mut values, Rule::expression));
        let filter = self.filter(&mut values);
        let body = self.expression(take(&mut values, Rule::expression));
        ExprKind::Each(each, Box::new(ast::Loop { item, list, filter, body }))
    }

    /// `where x > 1`
    fn filter<'p>(
        &mut self,
        values: &mut Peekable<impl Iterator<Item = Pair<'p, Rule>>>,
    ) -> Option<Expr> {
        let filter = values.next_if(|part| part.as_rule() == Rule::filter)?;
        Some(self.expression(take(&mut parts(filter), Rule::expression)))
    }

    fn fold(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let span = self.span(&pair);
        let mut parts = parts(pair).peekable();
        let mut carried = Vec::new();
        while let Some(part) = parts.next_if(|part| part.as_rule() == Rule::setting) {
            carried.push(self.setting(part));
        }
        let item = self.name(&take(&mut parts, Rule::name));
        let list = self.expression(take(&mut parts, Rule::expression));
        let filter = self.filter(&mut parts);
        let next: Vec<Expr> = parts.map(|part| self.expression(part)).collect();
        if next.len() != carried.len() {
            self.errors.push(error::fold_count(span, &carried, &next));
        }
        ExprKind::Fold(Box::new(ast::Fold { carried, item, list, filter, next }))
    }

    fn reference(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name));
        let Some(rest) = inner.next() else { return ExprKind::Name(name.text) };
        match rest.as_rule() {
            Rule::arguments => {
                let arguments = rest.into_inner().filter(|part| part.as_rule() == Rule::argument);
                ExprKind::Call(name, arguments.map(|part| self.argument(part)).collect())
            }
            _ => ExprKind::Field(name, self.field(inner)),
        }
    }

    /// What is after the first dot: `answer`, or `first.answer` of a part of a part.
    fn field(&mut self, inner: Pairs<'_, Rule>) -> Name {
        let fields = inner.filter(|part| part.as_rule() == Rule::field);
        let names = fields.map(|field| self.name(&field));
        let whole = names.reduce(|outer, inner| Name {
            text: format!("{}.{}", outer.text, inner.text),
            span: outer.span.to(inner.span),
        });
        whole.expect("the grammar gives a name after a dot")
    }

    fn argument(&mut self, pair: Pair<'_, Rule>) -> ast::Argument {
        let first = pair.clone().into_inner().next().expect("the grammar fills an argument");
        if first.as_rule() == Rule::kw_level {
            let level = self.name(&take(&mut parts(pair), Rule::name));
            let value = Expr { span: level.span, kind: ExprKind::Name(level.text) };
            return ast::Argument { name: Some(self.name(&first)), value };
        }
        let mut parts = parts(pair).peekable();
        let name = parts.next_if(|part| part.as_rule() == Rule::name).map(|part| self.name(&part));
        ast::Argument { name, value: self.expression(take(&mut parts, Rule::expression)) }
    }

    fn number(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let digits = pair.as_str();
        if digits.contains('.') {
            let value = digits.parse().expect("digits, a dot and digits are a number");
            return ExprKind::Real(value);
        }
        ExprKind::Int(digits.parse().unwrap_or_else(|_| {
            self.errors.push(error::integer_too_large(self.span(&pair)));
            i64::MAX
        }))
    }
}

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const RANGE: u8 = 5;
const ADD: u8 = 6;
const MULTIPLY: u8 = 7;
const NEGATE: u8 = 8;

fn tightness(infix: &Infix) -> u8 {
    match infix {
        Infix::Range => RANGE,
        Infix::Operator(operator) => tightness_of(*operator),
    }
}

fn tightness_of(operator: Operator) -> u8 {
    use Operator::*;
    match operator {
        Or => OR,
        And => AND,
        Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual | In | Within => COMPARE,
        Add | Subtract => ADD,
        Multiply | Divide | Remainder => MULTIPLY,
    }
}

fn infix(rule: Rule) -> Infix {
    Infix::Operator(match rule {
        Rule::range => return Infix::Range,
        Rule::plus => Operator::Add,
        Rule::minus => Operator::Subtract,
        Rule::times => Operator::Multiply,
        Rule::divided => Operator::Divide,
        Rule::remainder => Operator::Remainder,
        Rule::equal => Operator::Equal,
        Rule::not_equal => Operator::NotEqual,
        Rule::less => Operator::Less,
        Rule::at_most => Operator::LessEqual,
        Rule::greater => Operator::Greater,
        Rule::at_least => Operator::GreaterEqual,
        Rule::kw_and => Operator::And,
        Rule::kw_or => Operator::Or,
        Rule::kw_in => Operator::In,
        Rule::kw_within => Operator::Within,
        other => unreachable!("the grammar puts no {other:?} between operands"),
    })
}

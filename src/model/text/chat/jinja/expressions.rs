//! Expressions, read from tokens.

use super::error::Outcome;
use super::parser::Parser;
use super::syntax::{Arguments, Call, Expression, Target};
use super::token::Kind;

impl Parser {
    /// An expression, with commas between several for a tuple; `end` is a keyword that ends it.
    pub fn tuple(&mut self, with_if: bool, end: Option<&str>, empty: bool) -> Outcome<Expression> {
        let mut all = Vec::new();
        loop {
            let ended = matches!(self.kind(), Kind::VariableEnd | Kind::BlockEnd)
                || self.is_operator(")")
                || end.is_some_and(|end| self.is_name(end));
            if ended {
                break;
            }
            all.push(if with_if { self.expression()? } else { self.deeper(Parser::or)? });
            if !self.take_operator(",") {
                if all.len() == 1 {
                    return Ok(all.remove(0));
                }
                break;
            }
        }
        if all.is_empty() && !empty {
            return self.fail(format!("expected an expression, found {}", self.found()));
        }
        Ok(Expression::Tuple(all))
    }

    /// One expression.
    pub fn expression(&mut self) -> Outcome<Expression> {
        self.deeper(|parser| {
            let mut value = parser.or()?;
            while parser.take_name("if") {
                parser.link()?;
                let condition = parser.or()?;
                let otherwise = match parser.take_name("else") {
                    true => Some(Box::new(parser.expression()?)),
                    false => None,
                };
                value = Expression::If(Box::new((condition, value)), otherwise);
            }
            Ok(value)
        })
    }

    fn or(&mut self) -> Outcome<Expression> {
        let mut left = self.and()?;
        while self.take_name("or") {
            self.link()?;
            left = Expression::Or(Box::new((left, self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Outcome<Expression> {
        let mut left = self.not()?;
        while self.take_name("and") {
            self.link()?;
            left = Expression::And(Box::new((left, self.not()?)));
        }
        Ok(left)
    }

    fn not(&mut self) -> Outcome<Expression> {
        match self.take_name("not") {
            true => Ok(Expression::Not(Box::new(self.deeper(Parser::not)?))),
            false => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Outcome<Expression> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let sign = match self.kind() {
                Kind::Operator(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => *sign,
                Kind::Name(name) if name == "in" => "in",
                Kind::Name(name) if name == "not" && *self.ahead() == Kind::Name("in".into()) => {
                    self.next();
                    "not in"
                }
                _ => break,
            };
            self.next();
            rest.push((sign, self.sum()?));
        }
        Ok(if rest.is_empty() { first } else { Expression::Compare(Box::new(first), rest) })
    }

    fn sum(&mut self) -> Outcome<Expression> {
        self.binary(&["+", "-"], Parser::join)
    }

    fn join(&mut self) -> Outcome<Expression> {
        let mut all = vec![self.product()?];
        while self.take_operator("~") {
            all.push(self.product()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Join(all) })
    }

    fn product(&mut self) -> Outcome<Expression> {
        self.binary(&["*", "/", "//", "%"], Parser::power)
    }

    fn power(&mut self) -> Outcome<Expression> {
        self.binary(&["**"], |parser| parser.unary(true))
    }

    fn binary(
        &mut self,
        operators: &[&str],
        operand: impl Fn(&mut Parser) -> Outcome<Expression>,
    ) -> Outcome<Expression> {
        let mut left = operand(self)?;
        loop {
            let operator = match self.kind() {
                Kind::Operator(operator) if operators.contains(operator) => *operator,
                _ => return Ok(left),
            };
            self.link()?;
            self.next();
            left = Expression::Binary(operator, Box::new((left, operand(self)?)));
        }
    }

    fn unary(&mut self, with_filter: bool) -> Outcome<Expression> {
        let operand = |parser: &mut Parser| parser.deeper(|parser| parser.unary(false));
        let value = if self.take_operator("-") {
            Expression::Negative(Box::new(operand(self)?))
        } else if self.take_operator("+") {
            Expression::Positive(Box::new(operand(self)?))
        } else {
            self.primary()?
        };
        let value = self.postfix(value)?;
        if with_filter { self.filters_of(value) } else { Ok(value) }
    }

    fn primary(&mut self) -> Outcome<Expression> {
        match self.kind().clone() {
            Kind::Name(name) => {
                self.next();
                Ok(match name.as_str() {
                    "true" | "True" => Expression::Bool(true),
                    "false" | "False" => Expression::Bool(false),
                    "none" | "None" => Expression::None,
                    _ => {
                        self.names.insert(name.clone());
                        Expression::Name(name)
                    }
                })
            }
            Kind::Text(mut text) => {
                self.next();
                while let Kind::Text(more) = self.kind().clone() {
                    text += &more;
                    self.next();
                }
                Ok(Expression::Text(text))
            }
            Kind::Int(value) => {
                self.next();
                Ok(Expression::Int(value))
            }
            Kind::Float(value) => {
                self.next();
                Ok(Expression::Float(value))
            }
            Kind::Operator("(") => {
                self.next();
                let inner = self.deeper(|parser| parser.tuple(true, None, true))?;
                self.expect_operator(")")?;
                Ok(inner)
            }
            Kind::Operator("[") => {
                self.next();
                let all = self.listed("]", Parser::expression)?;
                Ok(Expression::List(all))
            }
            Kind::Operator("{") => {
                self.next();
                let all = self.listed("}", |parser| {
                    let key = parser.expression()?;
                    if matches!(key, Expression::List(_) | Expression::Dict(_)) {
                        return parser.fail("a list or a dict cannot be a key of a dict");
                    }
                    parser.expect_operator(":")?;
                    Ok((key, parser.expression()?))
                })?;
                Ok(Expression::Dict(all))
            }
            _ => self.fail(format!("unexpected {}", self.found())),
        }
    }

    /// What has commas between it, up to and with a closing sign; a comma may come last.
    fn listed<T>(
        &mut self,
        close: &str,
        read: impl Fn(&mut Parser) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let mut all = Vec::new();
        while !self.is_operator(close) {
            if !all.is_empty() {
                self.expect_operator(",")?;
                if self.is_operator(close) {
                    break;
                }
            }
            all.push(read(self)?);
        }
        self.expect_operator(close)?;
        Ok(all)
    }

    fn postfix(&mut self, mut value: Expression) -> Outcome<Expression> {
        loop {
            if ![".", "[", "("].iter().any(|operator| self.is_operator(operator)) {
                return Ok(value);
            }
            self.link()?;
            value = match self.is_operator("(") {
                true => Expression::Call(Box::new(value), self.arguments()?),
                false => self.subscript(value)?,
            };
        }
    }

    fn filters_of(&mut self, mut value: Expression) -> Outcome<Expression> {
        loop {
            value = match self.kind() {
                Kind::Operator("|") => {
                    self.link()?;
                    self.next();
                    Expression::Filter(Box::new(value), Box::new(self.filter()?))
                }
                Kind::Name(name) if name == "is" => {
                    self.link()?;
                    self.test(value)?
                }
                Kind::Operator("(") => {
                    self.link()?;
                    Expression::Call(Box::new(value), self.arguments()?)
                }
                _ => return Ok(value),
            };
        }
    }

    /// A filter's name and arguments, behind its `|`.
    pub fn filter(&mut self) -> Outcome<Call> {
        let name = self.dotted()?;
        let arguments = match self.is_operator("(") {
            true => self.arguments()?,
            false => Arguments::default(),
        };
        Ok(Call { name, arguments })
    }

    fn dotted(&mut self) -> Outcome<String> {
        let mut name = self.expect_name()?;
        while self.take_operator(".") {
            name = name + "." + &self.expect_name()?;
        }
        Ok(name)
    }

    fn test(&mut self, value: Expression) -> Outcome<Expression> {
        self.next();
        let negated = self.take_name("not");
        let name = self.dotted()?;
        let takes = match self.kind() {
            Kind::Name(name) => !matches!(name.as_str(), "else" | "or" | "and"),
            Kind::Text(_) | Kind::Int(_) | Kind::Float(_) | Kind::Operator("[" | "{") => true,
            _ => false,
        };
        let arguments = if self.is_operator("(") {
            self.arguments()?
        } else if takes {
            if self.is_name("is") {
                return self.fail("several tests with `is` follow each other");
            }
            let first = self.primary()?;
            Arguments { plain: vec![self.postfix(first)?], ..Arguments::default() }
        } else {
            Arguments::default()
        };
        let test = Expression::Test(Box::new(value), Box::new(Call { name, arguments }));
        Ok(if negated { Expression::Not(Box::new(test)) } else { test })
    }

    fn subscript(&mut self, value: Expression) -> Outcome<Expression> {
        if self.take_operator(".") {
            return match self.next() {
                Kind::Name(name) => Ok(Expression::Attribute(Box::new(value), name)),
                Kind::Int(at) => Ok(Expression::Item(Box::new((value, Expression::Int(at))))),
                _ => self.fail("expected a name or a number behind `.`"),
            };
        }
        self.next();
        let start = match self.is_operator(":") {
            true => None,
            false => Some(self.expression()?),
        };
        if self.take_operator(":") {
            let part = |parser: &mut Parser| match parser.kind() {
                Kind::Operator(":" | "]" | ",") => Ok(None),
                _ => parser.expression().map(Some),
            };
            let end = part(self)?;
            let step = if self.take_operator(":") { part(self)? } else { None };
            self.expect_operator("]")?;
            return Ok(Expression::Slice(Box::new(value), Box::new([start, end, step])));
        }
        let Some(first) = start else { return self.fail("expected a subscript") };
        let mut all = vec![first];
        while self.take_operator(",") {
            all.push(self.expression()?);
        }
        self.expect_operator("]")?;
        let key = if all.len() == 1 { all.remove(0) } else { Expression::Tuple(all) };
        Ok(Expression::Item(Box::new((value, key))))
    }

    /// What a call is given, with its parentheses.
    fn arguments(&mut self) -> Outcome<Arguments> {
        self.expect_operator("(")?;
        let mut given = Arguments::default();
        let mut first = true;
        while !self.is_operator(")") {
            if !first {
                self.expect_operator(",")?;
                if self.is_operator(")") {
                    break;
                }
            }
            first = false;
            let named =
                matches!(self.kind(), Kind::Name(_)) && *self.ahead() == Kind::Operator("=");
            let open = given.spread_named.is_none();
            let well = if self.take_operator("*") {
                let well = open && given.spread.is_none();
                given.spread = Some(Box::new(self.expression()?));
                well
            } else if self.take_operator("**") {
                given.spread_named = Some(Box::new(self.expression()?));
                open
            } else if named {
                let name = self.expect_name()?;
                self.next();
                let value = self.expression()?;
                let twice = given.named.iter().any(|(known, _)| *known == name);
                given.named.push((name, value));
                open && !twice
            } else {
                given.plain.push(self.expression()?);
                open && given.spread.is_none() && given.named.is_empty()
            };
            if !well {
                return self.fail("invalid syntax for function call expression");
            }
        }
        self.expect_operator(")")?;
        Ok(given)
    }

    /// A name, or names with commas between them; `fields` allows one of a namespace.
    pub fn target(&mut self, fields: bool, end: Option<&str>) -> Outcome<Target> {
        let mut all = Vec::new();
        let mut is_tuple = false;
        loop {
            let ended = self.is_operator("=")
                || matches!(self.kind(), Kind::BlockEnd)
                || self.is_operator(")")
                || end.is_some_and(|end| self.is_name(end));
            if ended && !all.is_empty() {
                break;
            }
            all.push(self.deeper(|parser| parser.one_target(fields))?);
            if !self.take_operator(",") {
                break;
            }
            is_tuple = true;
        }
        Ok(if is_tuple { Target::Tuple(all) } else { all.remove(0) })
    }

    fn one_target(&mut self, fields: bool) -> Outcome<Target> {
        if self.take_operator("(") {
            let inner = self.target(false, None)?;
            self.expect_operator(")")?;
            return Ok(inner);
        }
        let name = self.expect_name()?;
        if matches!(name.as_str(), "true" | "false" | "none" | "True" | "False" | "None") {
            return self.fail(format!("nothing can be assigned to `{name}`"));
        }
        if fields && self.take_operator(".") {
            self.names.insert(name.clone());
            return Ok(Target::Field(name, self.expect_name()?));
        }
        Ok(Target::Name(name))
    }
}

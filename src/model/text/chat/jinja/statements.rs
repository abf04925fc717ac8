//! Statements, read from tokens.

use std::sync::Arc;

use super::error::Outcome;
use super::parser::Parser;
use super::syntax::{Body, Call, Expression, For, If, Macro, Statement, StatementKind, Target};
use super::token::Kind;

/// What a `break` or `continue` inside of it would belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Loop,
    Other,
}

impl Parser {
    /// All statements of a template.
    ///
    /// # Errors
    /// At the first place that cannot be read, or that would not do the same as in transformers.
    pub fn template(&mut self) -> Outcome<Body> {
        let body = self.body(&[], Around::Other)?;
        match self.kind() {
            Kind::End => Ok(body),
            _ => self.fail(format!("unexpected {}", self.found())),
        }
    }

    /// Statements up to one of the keywords, in front of which the parser is left.
    fn body(&mut self, ends: &[&str], around: Around) -> Outcome<Body> {
        let mut body = Body::default();
        loop {
            self.fresh();
            let line = self.line();
            let kind = match self.next() {
                Kind::Data(text) => StatementKind::Data(text),
                Kind::VariableBegin => {
                    let value = self.tuple(true, None, false)?;
                    self.expect_kind(&Kind::VariableEnd, "`}}`")?;
                    StatementKind::Output(value)
                }
                Kind::BlockBegin => {
                    if ends.iter().any(|end| self.is_name(end)) {
                        return Ok(body);
                    }
                    let kind = self.deeper(|parser| parser.statement(around))?;
                    self.expect_kind(&Kind::BlockEnd, "`%}`")?;
                    kind
                }
                _ if ends.is_empty() => return Ok(body),
                _ => {
                    let ends: Vec<String> = ends.iter().map(|end| format!("`{end}`")).collect();
                    return self.fail(format!("the template ends before {}", ends.join(" or ")));
                }
            };
            body.statements.push(Statement { line, kind });
        }
    }

    /// The body of a statement and what ends it, which is moved past.
    fn closed(&mut self, end: &str, around: Around) -> Outcome<Body> {
        let body = self.opened(&[end], around)?;
        self.next();
        Ok(body)
    }

    fn opened(&mut self, ends: &[&str], around: Around) -> Outcome<Body> {
        self.take_operator(":");
        self.expect_kind(&Kind::BlockEnd, "`%}`")?;
        self.body(ends, around)
    }

    fn statement(&mut self, around: Around) -> Outcome<StatementKind> {
        let line = self.line();
        let name = self.expect_name()?;
        match name.as_str() {
            "if" => self.condition(around),
            "for" => self.repetition(),
            "set" => self.assignment(),
            "macro" => self.definition(line),
            "call" => self.call_block(),
            "with" => self.with(around),
            "print" => {
                let mut all = Vec::new();
                while *self.kind() != Kind::BlockEnd {
                    if !all.is_empty() {
                        self.expect_operator(",")?;
                    }
                    all.push(self.expression()?);
                }
                // What is printed is written one after the other, as `~` joins it.
                Ok(StatementKind::Output(Expression::Join(all)))
            }
            "filter" => {
                let mut filters = vec![self.filter()?];
                while self.take_operator("|") {
                    filters.push(self.filter()?);
                }
                Ok(StatementKind::Filter(filters, self.closed("endfilter", around)?))
            }
            "generation" => {
                Ok(StatementKind::Generation(self.closed("endgeneration", Around::Other)?))
            }
            "break" | "continue" if around == Around::Loop => Ok(match name.as_str() {
                "break" => StatementKind::Break,
                _ => StatementKind::Continue,
            }),
            "break" | "continue" => self.fail(format!("`{name}` is outside of a loop")),
            "block" | "extends" | "include" | "import" | "from" | "autoescape" => {
                self.fail(format!("the tag `{name}` is not supported in chat templates"))
            }
            _ => self.fail(format!("unknown tag `{name}`")),
        }
    }

    fn condition(&mut self, around: Around) -> Outcome<StatementKind> {
        let (mut branches, mut otherwise) = (Vec::new(), Body::default());
        loop {
            let condition = self.tuple(false, None, false)?;
            branches.push((condition, self.opened(&["elif", "else", "endif"], around)?));
            if self.take_name("elif") {
                self.fresh();
                continue;
            }
            if self.take_name("else") {
                otherwise = self.opened(&["endif"], around)?;
            }
            self.next();
            return Ok(StatementKind::If(If { branches, otherwise }));
        }
    }

    fn repetition(&mut self) -> Outcome<StatementKind> {
        let target = self.target(false, Some("in"))?;
        if !self.take_name("in") {
            return self.fail(format!("expected `in`, found {}", self.found()));
        }
        let values = self.tuple(false, Some("recursive"), false)?;
        let condition = match self.take_name("if") {
            true => Some(self.expression()?),
            false => None,
        };
        let recursive = self.take_name("recursive");
        let body = self.opened(&["endfor", "else"], Around::Loop)?;
        let otherwise = match self.take_name("else") {
            true => self.opened(&["endfor"], Around::Other)?,
            false => Body::default(),
        };
        self.next();
        let repetition = For { target, values, condition, recursive, body, otherwise };
        Ok(StatementKind::For(Arc::new(repetition)))
    }

    fn assignment(&mut self) -> Outcome<StatementKind> {
        let target = self.target(true, None)?;
        if self.take_operator("=") {
            return Ok(StatementKind::Set(target, self.tuple(true, None, false)?));
        }
        let mut filters: Vec<Call> = Vec::new();
        while self.take_operator("|") {
            filters.push(self.filter()?);
        }
        Ok(StatementKind::SetBlock(target, filters, self.closed("endset", Around::Other)?))
    }

    fn definition(&mut self, line: usize) -> Outcome<StatementKind> {
        let name = self.expect_name()?;
        let parameters = self.parameters()?;
        let found = self.called(&name, parameters, "endmacro")?;
        if found.catches[2] && found.parameters.iter().any(|(name, _)| name == "caller") {
            return Err(super::error::Error {
                line: Some(line),
                text: format!("the macro `{name}` has a parameter of the name `caller`"),
            });
        }
        Ok(StatementKind::Macro(Arc::new(found)))
    }

    fn call_block(&mut self) -> Outcome<StatementKind> {
        let parameters = match self.is_operator("(") {
            true => self.parameters()?,
            false => Vec::new(),
        };
        let call = self.expression()?;
        if !matches!(call, Expression::Call(..)) {
            return self.fail("expected a call");
        }
        let body = self.called("caller", parameters, "endcall")?;
        Ok(StatementKind::Call(call, Arc::new(body)))
    }

    /// A macro's body, with what it catches of what it is called with.
    fn called(
        &mut self,
        name: &str,
        parameters: Vec<(String, Option<Expression>)>,
        end: &str,
    ) -> Outcome<Macro> {
        // Only names of this body count.
        let names = std::mem::take(&mut self.names);
        let body = self.closed(end, Around::Other)?;
        let catches = ["varargs", "kwargs", "caller"].map(|name| self.names.contains(name));
        self.names.extend(names);
        Ok(Macro { name: name.to_string(), parameters, body, catches })
    }

    fn parameters(&mut self) -> Outcome<Vec<(String, Option<Expression>)>> {
        self.expect_operator("(")?;
        let mut all: Vec<(String, Option<Expression>)> = Vec::new();
        while !self.is_operator(")") {
            if !all.is_empty() {
                self.expect_operator(",")?;
            }
            let name = self.expect_name()?;
            if all.iter().any(|(known, _)| *known == name) {
                return self.fail(format!("two parameters have the name `{name}`"));
            }
            let default = match self.take_operator("=") {
                true => Some(self.expression()?),
                false if all.iter().any(|(_, default)| default.is_some()) => {
                    return self.fail("non-default argument follows default argument");
                }
                false => None,
            };
            all.push((name, default));
        }
        self.expect_operator(")")?;
        Ok(all)
    }

    fn with(&mut self, around: Around) -> Outcome<StatementKind> {
        let mut values: Vec<(Target, Expression)> = Vec::new();
        while !matches!(self.kind(), Kind::BlockEnd) {
            if !values.is_empty() {
                self.expect_operator(",")?;
            }
            let target = self.target(false, None)?;
            self.expect_operator("=")?;
            values.push((target, self.expression()?));
        }
        Ok(StatementKind::With(values, self.closed("endwith", around)?))
    }
}

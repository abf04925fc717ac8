//! Blocks of other languages that bind one name: loops that append or add up, choices line by line.

use super::drawing::{is_draw, repeated};
use super::reader::{COMPARE, LOOSE, OR, Reader};
use super::words::has_name;
use crate::source::Source;
use crate::syntax::tokens::{Kind, Token, is_keyword};

/// What a block binds.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The name.
    pub name: String,
    /// `name = for x in xs: x + 1`, `name ~ repeat(3, pick(xs))`
    pub line: String,
    /// What is before the block in other languages and is not needed here.
    pub start: Option<&'static str>,
    /// The token after all that was read.
    pub end: usize,
}

/// `for x in xs: if x > 3: ys.append(x)` over several lines, from its `for` on.
pub fn looped(source: &Source, tokens: &[Token], from: usize) -> Option<Bound> {
    let mut reader = Reader::new(source, tokens, from);
    reader.open = 1;
    let bound = reader.statement_loop()?;
    reader.advice.is_none().then_some(bound)
}

/// `if c: x = 1 elif d: x = 2 else: x = 3` over several lines, from its `if` on.
pub fn chosen(source: &Source, tokens: &[Token], from: usize) -> Option<Bound> {
    let mut reader = Reader::new(source, tokens, from);
    reader.open = 1;
    let bound = reader.statement_choice()?;
    reader.advice.is_none().then_some(bound)
}

/// `if c then return 1 else return 2`, `if c { 1 } else { 2 }` from its `if` on: the value, and the
/// token after it.
pub fn decided(source: &Source, tokens: &[Token], from: usize) -> Option<(String, usize)> {
    let mut reader = Reader::new(source, tokens, from);
    reader.open = 1;
    let value = reader.expression()?;
    let value = reader.said(&value, LOOSE);
    reader.skip(";");
    reader.advice.is_none().then_some((value, reader.at))
}

/// The condition after an `if`, and the token that its first branch begins with.
pub fn condition(source: &Source, tokens: &[Token], from: usize) -> Option<(String, usize)> {
    let mut reader = Reader::new(source, tokens, from + 1);
    let condition = reader.climb(OR)?;
    let condition = reader.said(&condition, OR);
    reader.opening();
    reader.advice.is_none().then_some((condition, reader.at))
}

/// `let y = x + 1; return y * 2` as the text of a function's body, and the token after it.
pub fn body(source: &Source, tokens: &[Token], from: usize) -> Option<(String, usize)> {
    let mut reader = Reader::new(source, tokens, from);
    reader.open = 1;
    let mut lines = Vec::new();
    while let Some(line) = reader.binding() {
        lines.push(format!("  {line}"));
    }
    if reader.text(reader.at) == "for" && reader.starts_line(reader.at) {
        let bound = reader.statement_loop()?;
        let before = format!("  {} = ", bound.name);
        lines.retain(|line| !line.starts_with(&before));
        lines.push(format!("  {}", bound.line));
    }
    if matches!(reader.text(reader.at), "while" | "loop" | "do" | "try" | "with" | "switch") {
        return None;
    }
    reader.skip("return");
    let value = reader.expression()?;
    let value = reader.said(&value, LOOSE);
    reader.skip(";");
    if reader.advice.is_some() {
        return None;
    }
    match lines.is_empty() {
        true => Some((value, reader.at)),
        false => {
            let all = format!("{{\n{}\n  return {value}\n}}", lines.join("\n"));
            Some((all, reader.at))
        }
    }
}

impl Reader<'_> {
    fn statement_loop(&mut self) -> Option<Bound> {
        let (mut heads, mut conditions) = (Vec::new(), Vec::new());
        loop {
            match self.text(self.at) {
                "for" => heads.push(self.statement_head()?),
                "if" => {
                    self.at += 1;
                    let condition = self.climb(OR)?;
                    conditions.push(self.said(&condition, COMPARE));
                    self.opening();
                }
                _ => break,
            }
        }
        let (name, what, value) = self.change()?;
        while matches!(self.text(self.at), ";" | "}") {
            self.at += 1;
        }
        if !conditions.is_empty() {
            let last = heads.last_mut()?;
            *last = format!("{last} where {}", conditions.join(" and "));
        }
        let end = self.at;
        let head = heads.first()?.clone();
        let start = match what {
            "append" => "[]",
            "*" => "1",
            "" => "",
            _ => "0",
        };
        let needs_itself = has_name(&head, &name) || has_name(&value, &name);
        let line = match (what, &heads[..]) {
            ("append", [_]) if needs_itself => {
                format!("{name} = fold {name} = [] over {head}: {name} + [{value}]")
            }
            ("append" | "", [head]) => match repeated(head, &value) {
                Some(draw) => format!("{name} ~ {draw}"),
                None => format!("{name} = for {head}: {value}"),
            },
            ("append", [outer, inner]) => {
                format!("{name} = concat(for {outer}: for {inner}: {value})")
            }
            ("+", [one]) if value == "1" && one.contains(" where ") => {
                let (list, condition) = one.split_once(" where ")?;
                format!("{name} = count {list}: {condition}")
            }
            (symbol, [_]) => {
                format!("{name} = fold {name} = {start} over {head}: {name} {symbol} {value}")
            }
            (symbol, [outer, inner]) => {
                let inner = format!("fold {name} = {name} over {inner}: {name} {symbol} {value}");
                format!("{name} = fold {name} = {start} over {outer}: {inner}")
            }
            _ => return None,
        };
        let start = (!start.is_empty()).then_some(start);
        Some(Bound { name, line, start, end })
    }

    /// `for x in xs:`, `for (let i = 0; i < n; i++) {`, `for (const x of xs) {`
    fn statement_head(&mut self) -> Option<String> {
        self.at += 1;
        self.skip("(");
        while matches!(self.text(self.at), "let" | "const" | "var" | "int" | "each" | "auto") {
            self.at += 1;
        }
        let head = match self.text(self.at + 1) {
            "=" => self.counted_head()?,
            _ => self.head()?,
        };
        self.skip(")");
        self.opening();
        Some(head)
    }

    /// `i = 0; i < n; i++`
    fn counted_head(&mut self) -> Option<String> {
        let item = self.text(self.at).to_string();
        self.at += 2;
        let low = self.climb(COMPARE + 1)?;
        let low = self.said(&low, COMPARE + 1);
        self.skip(";");
        if self.text(self.at) != item {
            return None;
        }
        let symbol = self.text(self.at + 1);
        self.at += 2;
        let high = self.climb(COMPARE + 1)?;
        let high = self.said(&high, super::reader::ADD);
        let high = match (symbol, high.parse::<i64>()) {
            ("<=", _) => high,
            ("<", Ok(number)) => (number - 1).to_string(),
            ("<", _) => format!("{high} - 1"),
            _ => return None,
        };
        while !matches!(self.text(self.at), ")" | "") {
            self.at += 1;
        }
        Some(format!("{item} in {low}..{high}"))
    }

    /// The mark that a block begins with.
    pub fn opening(&mut self) {
        if matches!(self.text(self.at), ":" | "{" | "do" | "then") {
            self.at += 1;
        }
    }

    /// `ys.append(x)`, `total += x`, `y = x + 1`: the name, how, and the value.
    fn change(&mut self) -> Option<(String, &'static str, String)> {
        let name = self.text(self.at).to_string();
        if self.kind(self.at)? != Kind::Word || is_keyword(&name) {
            return None;
        }
        let (symbol, method) = (self.text(self.at + 1), self.text(self.at + 2));
        let what = match symbol {
            "." if matches!(method, "append" | "push" | "add" | "push_back" | "insert") => {
                self.at += 4;
                "append"
            }
            "+=" | "-=" | "*=" => {
                self.at += 2;
                if symbol == "+=" {
                    "+"
                } else if symbol == "-=" {
                    "-"
                } else {
                    "*"
                }
            }
            "=" | "~" => {
                self.at += 2;
                match (self.text(self.at) == name, self.text(self.at + 1)) {
                    (true, "+") => self.past("+"),
                    (true, "-") => self.past("-"),
                    (true, "*") => self.past("*"),
                    _ => "",
                }
            }
            "++" => {
                self.at += 2;
                return Some((name, "+", "1".to_string()));
            }
            _ => return None,
        };
        let value = self.expression()?;
        let least =
            if what == "append" || what.is_empty() { LOOSE } else { super::reader::MULTIPLY };
        let value = self.said(&value, least);
        if what == "append" {
            self.closing(")")?;
        }
        Some((name, what, value))
    }

    fn past(&mut self, symbol: &'static str) -> &'static str {
        self.at += 2;
        symbol
    }

    fn statement_choice(&mut self) -> Option<Bound> {
        let mut text = String::new();
        let mut bound: Option<(String, bool)> = None;
        loop {
            match self.text(self.at) {
                "if" | "elif" | "elseif" | "elsif" => {
                    self.at += 1;
                    let condition = self.climb(OR)?;
                    text += &format!("if {} then ", self.said(&condition, OR));
                }
                "else" if self.text(self.at + 1) == "if" => {
                    self.at += 2;
                    let condition = self.climb(OR)?;
                    text += &format!("if {} then ", self.said(&condition, OR));
                }
                "else" => self.at += 1,
                _ => return None,
            }
            self.opening();
            let name = self.text(self.at).to_string();
            if self.kind(self.at)? != Kind::Word || !matches!(self.text(self.at + 1), "=" | "~") {
                return None;
            }
            self.at += 2;
            let value = self.expression()?;
            let value = self.said(&value, OR);
            if bound.as_ref().is_some_and(|(known, _)| *known != name) {
                return None;
            }
            let draws = is_draw(&value) && bound.as_ref().is_none_or(|(_, draws)| *draws);
            bound = Some((name, draws));
            while matches!(self.text(self.at), ";" | "}") {
                self.at += 1;
            }
            text += &value;
            if !matches!(self.text(self.at), "else" | "elif" | "elseif" | "elsif") {
                break;
            }
            text += " else ";
        }
        let is_whole = text.matches("if ").count() == text.matches(" else ").count();
        let text = if is_whole { text } else { text + " else …" };
        let (name, draws) = bound?;
        let symbol = if draws { "~" } else { "=" };
        Some(Bound { line: format!("{name} {symbol} {text}"), name, start: None, end: self.at })
    }

    /// `let mut y = x + 1;`, `y = x + 1` on a line of a function: not the last, which is its value.
    fn binding(&mut self) -> Option<String> {
        let (at, found) = (self.at, self.found.len());
        while matches!(self.text(self.at), "let" | "mut" | "const" | "var") {
            self.at += 1;
        }
        let name = self.text(self.at).to_string();
        let is_bound = self.kind(self.at) == Some(Kind::Word)
            && !is_keyword(&name)
            && matches!(self.text(self.at + 1), "=" | "~")
            && self.text(self.at + 2) != "=";
        let read = is_bound.then(|| {
            self.at += 2;
            let value = self.expression()?;
            let value = self.said(&value, LOOSE);
            self.skip(";");
            let symbol = if is_draw(&value) { "~" } else { "=" };
            Some(format!("{name} {symbol} {value}"))
        });
        let read = read.flatten();
        if read.is_none() {
            self.at = at;
            self.found.truncate(found);
        }
        read
    }
}

//! Operands: names, texts, brackets, choices and loops, in our words and in those of others.

use super::reader::{ATOM, COMPARE, LOOSE, Node, OR, Reader};
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::syntax::tokens::{Kind, is_keyword};

impl Reader<'_> {
    /// An operand with all that follows it without a space.
    pub fn operand(&mut self) -> Option<Node> {
        let node = self.atom()?;
        self.suffixes(node)
    }

    fn atom(&mut self) -> Option<Node> {
        let place = self.span_at(self.at)?;
        match self.kind(self.at)? {
            Kind::Number => self.one(place),
            Kind::TextOpen => self.quoted(),
            Kind::Word => self.word(place),
            Kind::Open => match self.text(self.at) {
                "(" if self.is_arrow() => self.arrow_function(),
                "(" => self.round(),
                "[" => self.square(),
                _ => self.braces(),
            },
            Kind::Symbol if matches!(self.text(self.at), "|" | "||") => self.bars(),
            _ => None,
        }
    }

    fn one(&mut self, place: Span) -> Option<Node> {
        self.at += 1;
        Some(Node::same(place, ATOM))
    }

    /// A text with the placeholders in it, from its quotes to its quotes.
    fn quoted(&mut self) -> Option<Node> {
        let start = self.span_at(self.at)?;
        let mut depth = 0;
        loop {
            match self.kind(self.at)? {
                Kind::TextOpen => depth += 1,
                Kind::TextClose => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(Node::same(start.to(self.span(self.at - 1)), ATOM));
            }
        }
    }

    fn word(&mut self, place: Span) -> Option<Node> {
        let word = self.text(self.at);
        let before_text =
            self.kind(self.at + 1) == Some(Kind::TextOpen) && self.touches(self.at + 1);
        let before_call = self.text(self.at + 1) == "(";
        match word {
            "if" => self.chosen(place, false),
            "all" | "any" | "count" | "for" if self.is_head() => {
                let (at, found) = (self.at, self.found.len());
                self.each(place).or_else(|| {
                    self.at = at;
                    self.found.truncate(found);
                    self.each_foreign(place)
                })
            }
            "fold" => self.fold(place),
            "lambda" => self.lambda(),
            "typeof" | "instanceof" | "sizeof" if self.begins_value(self.at + 1) => {
                self.refused("typeof", place);
                None
            }
            "function" if matches!(self.text(self.at + 1), "(") => self.function_value(),
            "new" | "await" | "async" | "move" if self.begins_value(self.at + 1) => {
                self.without_word(place)
            }
            "every" | "forall" | "each" | "exists" | "some" | "no" | "none" if self.is_head() => {
                self.each_foreign(place)
            }
            "True" | "False" | "TRUE" | "FALSE" if !before_call => {
                self.at += 1;
                self.sure_habit("E115", "keywords are lowercase", place, "`true` and `false` are");
                Some(Node::written(place, ATOM, word.to_lowercase()))
            }
            "None" | "null" | "nil" | "NULL" | "undefined" => {
                self.nothing();
                None
            }
            _ if before_text && matches!(word, "f" | "F" | "r" | "R" | "b" | "u" | "rf" | "fr") => {
                self.at += 1;
                let text = self.quoted()?;
                self.sure_habit("E148", "nothing stands before a text", place, "leave it out");
                Some(text)
            }
            "all" | "any" | "count" if before_call => self.one(place),
            "match" | "case" | "switch" | "unless" | "when" if self.begins_value(self.at + 1) => {
                let (at, found) = (self.at, self.found.len());
                let node = self.arms();
                if node.is_none() {
                    self.at = at;
                    self.found.truncate(found);
                    let title = "a choice is written with `if`";
                    let help = "write `if x == 1 then a else if x == 2 then b else c`";
                    self.advise("E148", title, place, "no value begins so", help);
                }
                node
            }
            "true" | "false" => self.one(place),
            _ if is_keyword(word) => None,
            _ => {
                self.at += 1;
                match self.names.get(word) {
                    Some(text) if !before_call => Some(Node::written(place, ATOM, text.clone())),
                    _ => Some(Node::same(place, ATOM)),
                }
            }
        }
    }

    /// `None`
    pub fn nothing(&mut self) {
        let place = self.span(self.at);
        let title = "every name has a value";
        let help = "write a value that means it, such as `-1`, `[]` or \"\"";
        self.advise("E148", title, place, "there is no missing value", help);
    }

    /// `if c then a else b`, with `:`, braces, `elif` or nothing where `then` and `else` belong.
    fn chosen(&mut self, start: Span, is_again: bool) -> Option<Node> {
        self.at += 1;
        let condition = self.open_to_line_ends(|reader| reader.climb(OR))?;
        let (word, place) = (self.text(self.at), self.span(self.at));
        let mut strange = is_again || word != "then";
        match word {
            "then" | ":" | "{" | "," => self.at += 1,
            _ => {}
        }
        if word == "then" && self.text(self.at) == ":" {
            let symbol = self.span(self.at);
            self.sure_habit("E138", "no symbol follows `then`", symbol, "not needed");
            strange = true;
            self.at += 1;
        }
        let (yes, returns) = self.branch(word)?;
        strange |= returns;
        match self.text(self.at) {
            "else" => self.at += 1,
            "elif" | "elseif" | "elsif" => {}
            // What is returned where the condition does not hold.
            "return" if returns => self.at += 1,
            _ if word == "{" => {
                let (condition, yes) = (self.said(&condition, OR), self.said(&yes, LOOSE));
                let help = format!("write `if {condition} then {yes} else …`: it has both values");
                let title = "the value of a choice comes after `then`";
                self.advise("E138", title, place, "`then` was expected here", help);
                return None;
            }
            _ => return None,
        }
        let (branch, again) = (self.text(self.at), self.span(self.at));
        let no = match branch {
            "elif" | "elseif" | "elsif" => {
                let title = "`else if` is written in two words";
                self.sure_habit("E148", title, again, "this begins no further choice");
                strange = true;
                self.chosen(again, true)?
            }
            _ => {
                strange |= matches!(branch, ":" | "{");
                if matches!(branch, ":" | "{") {
                    self.at += 1;
                }
                let (no, returns) = self.branch(branch)?;
                strange |= returns;
                no
            }
        };
        let span = start.to(self.span(self.at - 1));
        if word != "then" {
            let title = "the value of a choice comes after `then`";
            self.sure_habit("E138", title, place, "`then` was expected here");
        } else if matches!(branch, ":" | "{") {
            let title = "the other value comes after `else`";
            self.sure_habit("E139", title, again, "a value belongs here");
        }
        Some(match strange {
            true => self.choice(span, &condition, &yes, &no),
            false => {
                let mut edits = condition.edits;
                edits.extend(yes.edits);
                edits.extend(no.edits);
                Node { span, tight: LOOSE, edits, of: None }
            }
        })
    }

    /// One value of a choice, after the word or symbol that it begins with: `return` before it and
    /// braces around it are not needed, nor an `end` after it. Was there any of them?
    fn branch(&mut self, word: &str) -> Option<(Node, bool)> {
        let in_braces = word == "then" && self.text(self.at) == "{" && self.holds_one();
        if in_braces {
            let brace = self.span(self.at);
            self.sure_habit("E138", "no brace follows `then`", brace, "not needed");
            self.at += 1;
        }
        let returns = self.text(self.at) == "return";
        if returns {
            let place = self.span(self.at);
            self.sure_habit("E138", "a choice has values, and no `return`", place, "not needed");
            self.at += 1;
        }
        let value = self.open_to_line_ends(Reader::expression)?;
        self.skip(";");
        if word == "{" || in_braces {
            self.skip("}");
        }
        self.skip(";");
        let ends = matches!(self.text(self.at), "end" | "endif" | "fi")
            && !matches!(self.text(self.at + 1), "=" | "~");
        self.at += usize::from(ends);
        Some((value, returns || in_braces || ends))
    }

    /// Do the braces that open here hold one value, and no set or dictionary?
    fn holds_one(&self) -> bool {
        let mut depth = 0;
        for at in self.at..self.tokens.len() {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" if depth == 1 => return at > self.at + 1,
                ")" | "]" | "}" => depth -= 1,
                "," | ":" if depth == 1 => return false,
                _ => {}
            }
        }
        false
    }

    pub fn open_to_line_ends<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.open += 1;
        let value = read(self);
        self.open -= 1;
        value
    }

    pub fn skip(&mut self, symbol: &str) {
        if self.text(self.at) == symbol {
            self.at += 1;
        }
    }

    /// `all x in xs where c: body`, with `of`, `if` and `when` where others write them.
    fn each(&mut self, start: Span) -> Option<Node> {
        self.at += 2;
        if self.text(self.at) != "in" {
            return None;
        }
        self.at += 1;
        let list = self.open_to_line_ends(|reader| reader.climb(COMPARE + 1))?;
        let mut edits = self.loose_list(list);
        if matches!(self.text(self.at), "where" | "if" | "when") {
            if self.text(self.at) != "where" {
                let (word, place) = (self.text(self.at), self.span(self.at));
                let title = format!("a loop keeps elements with `where`, not with `{word}`");
                self.sure_habit("E125", title, place, "`:` or `where` was expected here");
                edits.push(Edit { span: place, text: "where".into() });
            }
            self.at += 1;
            edits.extend(self.open_to_line_ends(|reader| reader.climb(OR))?.edits);
        }
        if self.text(self.at) != ":" {
            return None;
        }
        self.at += 1;
        let body = self.open_to_line_ends(Reader::expression)?;
        let span = start.to(body.span);
        edits.extend(body.edits);
        Some(Node { span, tight: LOOSE, edits, of: None })
    }

    /// A list of a loop: what is written anew goes there as it is.
    fn loose_list(&self, list: Node) -> Vec<Edit> {
        list.edits
    }

    /// `fold total = 0 over x in xs: total + x`
    fn fold(&mut self, start: Span) -> Option<Node> {
        let mut edits = Vec::new();
        let mut carried = 0;
        loop {
            self.at += 1;
            if self.kind(self.at)? != Kind::Word || self.text(self.at + 1) != "=" {
                return None;
            }
            self.at += 2;
            edits.extend(self.open_to_line_ends(|reader| reader.climb(COMPARE))?.edits);
            carried += 1;
            if self.text(self.at) != "," {
                break;
            }
        }
        if self.text(self.at) != "over" || self.text(self.at + 2) != "in" {
            return None;
        }
        self.at += 3;
        edits.extend(self.open_to_line_ends(|reader| reader.climb(COMPARE + 1))?.edits);
        if self.text(self.at) == "where" {
            self.at += 1;
            edits.extend(self.open_to_line_ends(|reader| reader.climb(OR))?.edits);
        }
        let mut end = start;
        for next in 0..carried {
            if self.text(self.at) != if next == 0 { ":" } else { "," } {
                return None;
            }
            self.at += 1;
            let value = self.open_to_line_ends(Reader::expression)?;
            end = value.span;
            edits.extend(value.edits);
        }
        Some(Node { span: start.to(end), tight: LOOSE, edits, of: None })
    }

    /// `(a)`, `(a, b)`, `(a for a in xs)`
    fn round(&mut self) -> Option<Node> {
        let open = self.span_at(self.at)?;
        self.open_to_line_ends(|reader| {
            if reader.is_comprehension(")") {
                let loop_ = reader.comprehension(")")?;
                return Some(Node { span: open.to(reader.span(reader.at - 1)), ..loop_ });
            }
            reader.at += 1;
            let mut values = vec![reader.expression()?];
            while reader.text(reader.at) == "," {
                reader.at += 1;
                if reader.text(reader.at) != ")" {
                    values.push(reader.expression()?);
                }
            }
            let close = reader.closing(")")?;
            let span = open.to(close);
            if values.len() == 1 && values[0].of.is_none() {
                let edits = values.pop()?.edits;
                return Some(Node { span, tight: ATOM, edits, of: None });
            }
            let title = "several values make a list";
            reader.sure_habit("E148", title, open, "these parentheses hold several values");
            let said: Vec<String> = values.iter().map(|value| reader.said(value, LOOSE)).collect();
            Some(Node::written(span, ATOM, format!("[{}]", said.join(", "))))
        })
    }

    /// `[a, b]`, `[a for a in xs if c]`
    fn square(&mut self) -> Option<Node> {
        self.open_to_line_ends(|reader| {
            if reader.is_comprehension("]") {
                return reader.comprehension("]");
            }
            reader.square_list()
        })
    }

    pub fn closing(&mut self, bracket: &str) -> Option<Span> {
        let place = self.span_at(self.at).filter(|_| self.text(self.at) == bracket)?;
        self.at += 1;
        Some(place)
    }
}

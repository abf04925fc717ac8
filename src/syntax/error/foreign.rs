//! Errors of expressions and statements that another language would read.

use super::drawn;
use super::miss::Miss;
use crate::diagnostic::{Diagnostic, Edit, edited};
use crate::source::Span;
use crate::stdlib;
use crate::syntax::habit;
use crate::syntax::tokens::{Kind, is_keyword};

/// `a if c else b`, `xs[1:3]`, `[x for x in xs]`: said in this language.
pub fn expression(miss: &Miss) -> Option<Diagnostic> {
    let from = miss.value()?;
    let said = habit::expression(miss.source, &miss.tokens, from)?;
    let first = said.edits.first().map_or(said.habit.place.start, |edit| edit.span.start);
    if first.min(said.habit.place.start) > miss.place().end {
        return None;
    }
    let error = said.explain();
    if said.edits.is_empty() {
        return Some(error);
    }
    let error = drawn::bound(miss, from, &said, error);
    (miss.stops_after(&said.edits) >= Some(said.read.end)).then_some(error)
}

/// `let mut x = 3`, `x: int = 3`, `int x = 3`
pub fn declared(miss: &Miss) -> Option<Diagnostic> {
    const WORDS: [&str; 18] = [
        "let", "var", "const", "val", "set", "my", "local", "auto", "final", "int", "float",
        "double", "string", "str", "bool", "mut", "def", "func",
    ];
    let start = miss.first();
    let mut name = start;
    while WORDS.contains(&miss.text(name)) && miss.kind(name + 1) == Some(Kind::Word) {
        name += 1;
    }
    if miss.kind(name) != Some(Kind::Word) || is_keyword(miss.text(name)) {
        return None;
    }
    let mut symbol = name + 1;
    if miss.text(symbol) == ":" {
        let ends =
            |at: usize| matches!(miss.text(at), "=" | "~" | ":=" | "") || miss.starts_line(at);
        symbol = (symbol + 1..miss.tokens.len() + 1).find(|&at| ends(at))?;
    }
    let is_bound = matches!(miss.text(symbol), "=" | "~");
    if !is_bound || (name == start && symbol == name + 1) || miss.starts_line(symbol) {
        return None;
    }
    let word = miss.text(start);
    let (bound, sign_text) = (miss.text(name), miss.text(symbol));
    let value = miss.line_after(symbol);
    let both = match value.contains("..") && !value.contains("..=") {
        true => "; a range has both its ends here",
        false => "",
    };
    let said = habit::said_text(&value).filter(|said| *said != value);
    let both = if said.is_some() { "" } else { both };
    let value = said.unwrap_or(value);
    let sign_text = if habit::drawing::is_draw(&value) { "~" } else { sign_text };
    let help = format!("write `{bound} {sign_text} {value}`{both}");
    let error = match name == start {
        true => {
            let place = miss.span(name + 1).to(miss.span(symbol - 1));
            Diagnostic::error("E149", "the type of a name is not written", place, "not needed")
        }
        false => {
            let title = format!("no statement begins with `{word}`");
            Diagnostic::error("E119", title, miss.span(start), "not needed")
        }
    };
    let mut error = error.help(help);
    if name > start {
        error = error.fix(Span::new(miss.span(start).start, miss.span(name).start), "");
    }
    if symbol > name + 1 {
        error = error.fix(Span::new(miss.span(name).end, miss.span(symbol - 1).end), "");
    }
    // `float x = 3` is a Real, `str x = 3` is none of ours: the type would be lost.
    let types = (start..name).chain(name + 1..symbol).map(|at| miss.text(at));
    let keeps = |word: &str| {
        let plain = ["let", "var", "const", "val", "set", "my", "local", "auto", "final", "mut"];
        plain.contains(&word) || matches!(word, ":" | "int" | "Int" | "i64" | "bool" | "Bool")
    };
    let is_sure = types.into_iter().all(keeps);
    Some(error.sure_if(is_sure))
}

/// `x += 1`
pub fn changed(miss: &Miss) -> Option<Diagnostic> {
    let at = miss.found.checked_sub(1)?;
    let symbol = miss.found_text();
    if !matches!(symbol, "+=" | "-=" | "*=" | "/=") || miss.kind(at) != Some(Kind::Word) {
        return None;
    }
    let (name, new) = (miss.text(at), miss.free(miss.text(at)));
    let value = miss.line_after(miss.found);
    let title = format!("`{symbol}` is no symbol of this language");
    let help = format!(
        "names do not change: write `{new} = {name} {} {value}`, and `{new}` where it is meant",
        &symbol[..1]
    );
    Some(Diagnostic::error("E132", title, miss.place(), "a name keeps its value").help(help))
}

/// `a, b = f(x)`
pub fn unpacked(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let mut names = vec![miss.text(first)];
    let mut at = first + 1;
    if let Some(error) = with_rest(miss, first) {
        return Some(error);
    }
    while miss.text(at) == "," && miss.kind(at + 1) == Some(Kind::Word) {
        names.push(miss.text(at + 1));
        at += 2;
    }
    let symbol = miss.text(at);
    if names.len() < 2 || !matches!(symbol, "=" | "~") || miss.found > at {
        return None;
    }
    let value = miss.line_after(at);
    let whole = miss.span(first).to(Span::new(miss.span(at).start, miss.line_end(at)));
    let pair = habit::said_text(&value).filter(|said| said.starts_with('[') && said.ends_with(']'));
    let value = pair.map_or(value, |pair| pair[1..pair.len() - 1].to_string());
    let values = habit::words::parts(&value);
    let lines: Vec<String> = if values.len() == names.len() {
        let line = |(name, value): (&&str, &&str)| {
            let value = habit::said_text(value).unwrap_or_else(|| value.to_string());
            let symbol = if habit::drawing::is_draw(&value) { "~" } else { "=" };
            format!("{name} {symbol} {value}")
        };
        names.iter().zip(&values).map(line).collect()
    } else {
        let all = miss.free(&names.join("_"));
        let taken = names.iter().enumerate().map(|(at, name)| format!("{name} = at({at}, {all})"));
        std::iter::once(format!("{all} {symbol} {value}")).chain(taken).collect()
    };
    let label = "a line binds one name";
    let error = Diagnostic::error("E149", "several names are bound at once", whole, label)
        .help(format!("write a line for each: `{}`", lines.join("`, `")));
    let letters = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
    let takes_itself = value.split(letters).any(|word| names.contains(&word));
    // Taken out of one value, it has to be a list.
    let is_same = |value: &&str| habit::said_text(value).is_none_or(|said| said == **value);
    let is_sure = values.len() == names.len() && symbol == "=" && values.iter().all(is_same);
    Some(match takes_itself {
        true => error,
        false => error.fix(whole, lines.join("\n")).sure_if(is_sure),
    })
}

/// `first, *rest = xs`
fn with_rest(miss: &Miss, first: usize) -> Option<Diagnostic> {
    let star = first + 2;
    let (name, rest) = (miss.text(first), miss.text(star + 1));
    let is_rest = miss.text(first + 1) == "," && miss.text(star) == "*";
    if !is_rest || miss.text(star + 2) != "=" || miss.found > star + 2 {
        return None;
    }
    let value = miss.line_after(star + 2);
    let value = habit::said_text(&value).unwrap_or(value);
    let place = miss.span(first).to(miss.span(star + 1));
    let help =
        format!("write a line for each: `{name} = at(0, {value})`, `{rest} = drop(1, {value})`");
    let title = "several names are bound at once";
    Some(Diagnostic::error("E149", title, place, "a line binds one name").help(help))
}

/// Once the line is gone, nothing tells whose `randint` it is.
const NUMPY: &str = "write `uniform(1..6)` for `randint(1, 7)`, which leaves its end out, then \
                     delete this line";

/// What Python brings for chance and numbers, which is here already.
const BROUGHT: [&str; 16] = [
    "random",
    "math",
    "numpy",
    "np",
    "os",
    "sys",
    "json",
    "re",
    "string",
    "itertools",
    "collections",
    "typing",
    "std",
    "rand",
    "functools",
    "dataclasses",
];

/// `import random`, `from tokens import overlap`, `use tokens.overlap`, `use tokens::{overlap}`
pub fn imported(miss: &Miss) -> Option<Diagnostic> {
    let first = miss.first();
    let word = miss.text(first);
    if miss.text(first + 2) == ":" && miss.kind(first + 3) == Some(Kind::Word) {
        return None;
    }
    let words = ["import", "from", "use", "using", "include", "require"];
    if !words.contains(&word)
        || miss.kind(first + 1).is_none()
        || miss.text(first + 1) == "template"
    {
        return None;
    }
    let end = (first + 1..miss.tokens.len()).find(|&at| {
        miss.starts_line(at) && { miss.text(at) != "}" && !matches!(miss.text(at - 1), "{" | ",") }
    });
    let end = end.unwrap_or(miss.tokens.len());
    if miss.found > end {
        return None;
    }
    let (module, names) = module_and_names(miss, first, end)?;
    let place = match word {
        "use" => miss.span(first + 1).to(miss.span(end - 1)),
        _ => miss.span(first),
    };
    let whole = miss.span(first).to(miss.span(end - 1));
    let error = match word {
        "use" => {
            let title = format!("the names of `{module}` come after a colon");
            Diagnostic::error("E125", title, place, "`:` and names were expected after the module")
        }
        _ => {
            let title = format!("no statement begins with `{word}`");
            Diagnostic::error("E119", title, place, "functions are brought with `use`")
        }
    };
    let renames = (first..end).any(|at| miss.text(at) == "as");
    if let Some(line) = of_a_module(&module, &names) {
        return Some(error.help(format!("write `{line}`")).fix(whole, line).sure_if(!renames));
    }
    if BROUGHT.contains(&&*module) {
        let (start, end) = miss.lines_of(whole);
        // From NumPy and Rust, `randint` and `gen_range` leave the last number out: while the line
        // is there, that can be known.
        let is_sure = !renames && !matches!(&*module, "numpy" | "np" | "std" | "rand");
        if module == "numpy" && names.iter().any(|name| name == "randint") {
            return Some(error.help(NUMPY));
        }
        return Some(
            error
                .help("delete this line: what draws is known everywhere, as `pick(xs)`")
                .fix(Span::new(start, end), "")
                .sure_if(is_sure),
        );
    }
    if !names.is_empty() {
        let line = format!("use {module}: {}", names.join(", "));
        let error = error.help(format!("write `{line}`"));
        let is_sure = !renames && stdlib::module(&module).is_some();
        return Some(if miss.source.slice(whole) == line {
            return None;
        } else {
            error.fix(whole, line).sure_if(is_sure)
        });
    }
    if word == "use" {
        return None;
    }
    Some(whole_module(miss, error, &module, whole))
}

/// The `use` of functions that a built-in module has, where others have them in another.
fn of_a_module(module: &str, names: &[String]) -> Option<String> {
    let home = stdlib::module_of_all(names.iter().map(String::as_str))?;
    stdlib::module(module).is_none().then(|| format!("use {home}: {}", names.join(", ")))
}

/// `import tokens`, without the names of functions.
fn whole_module(miss: &Miss, error: Diagnostic, module: &str, whole: Span) -> Diagnostic {
    let mut uses = miss.source.text.lines().filter(|line| {
        line.starts_with("use ")
            && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == module)
    });
    let used = used_of(&miss.source.text, module);
    let (start, end) = miss.lines_of(whole);
    if uses.next().is_some() {
        error.help("delete this line: `use` brings the functions").fix(Span::new(start, end), "")
    } else if used.is_empty() {
        error.help(format!("write `use {module}: name`, with the functions to bring"))
    } else {
        let line = format!("use {module}: {}", used.join(", "));
        error.help(format!("write `{line}`")).fix(whole, line).sure()
    }
}

/// The functions of a built-in module that a text calls.
fn used_of(text: &str, module: &str) -> Vec<String> {
    let Some(module) = stdlib::module(module) else { return Vec::new() };
    let named = |line: &str| Some(line.strip_prefix("fn ")?.split_once('(')?.0.to_string());
    let functions = module.text.lines().filter_map(named);
    let letters = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
    functions.filter(|name| text.split(letters).any(|word| word == name)).collect()
}

fn module_and_names(miss: &Miss, first: usize, end: usize) -> Option<(String, Vec<String>)> {
    let mut words = Vec::new();
    let mut from = None;
    for at in first..end {
        match (miss.kind(at)?, miss.text(at)) {
            (_, "from") => from = Some(words.len()),
            (_, "import" | "use" | "using" | "include" | "require") => {}
            (_, "as") => break,
            (Kind::Word, word) => words.push(word.to_string()),
            (Kind::TextPiece, text) => {
                let path = text.rsplit('/').next().unwrap_or(text);
                words.push(path.split('.').next().unwrap_or(path).to_string());
            }
            _ => {}
        }
    }
    let at = from.filter(|&at| at < words.len()).unwrap_or(0);
    let module = (at < words.len()).then(|| words.remove(at))?;
    Some((module, words))
}

impl Miss<'_> {
    /// The first token that is no documentation.
    pub fn first(&self) -> usize {
        self.tokens.iter().position(|token| token.kind != Kind::Doc).unwrap_or(0)
    }

    /// Where a token is; beyond the end, the place after the last.
    pub fn span(&self, at: usize) -> Span {
        self.tokens.get(at).map_or_else(
            || {
                let end = self.tokens.last().map_or(0, |token| token.span.end);
                Span::new(end, end)
            },
            |token| token.span,
        )
    }

    /// The first token of the value that holds the error: in a placeholder, or after `=`.
    fn value(&self) -> Option<usize> {
        let in_text = |&&open: &&usize| self.text(open) == "{" && self.in_text(open);
        let placeholder = self.open.iter().rev().find(in_text);
        if let Some(placeholder) = placeholder {
            return Some(placeholder + 1);
        }
        let start = self.statement();
        let returned = (start..self.found).rev().find(|&at| self.text(at) == "return");
        Some(match (self.text(start), self.text(start + 1)) {
            _ if returned.is_some() => returned? + 1,
            ("rule", _) => (start..self.found + 1).find(|&at| self.text(at) == ":")? + 1,
            ("param", _) if self.text(start + 2) == "in" => start + 3,
            ("fn", _) => {
                let arrow = (start..self.found).find(|&at| matches!(self.text(at), "->" | "~>"))?;
                (arrow..self.found).find(|&at| self.text(at) == "=")? + 1
            }
            (_, "=" | "~") => start + 2,
            _ => return None,
        })
    }

    /// Where the stretch stops to fit the grammar after edits, as a place of the text before them:
    /// none where it stops within the edits.
    pub fn stops_after(&self, edits: &[Edit]) -> Option<usize> {
        let whole = Span::new(self.span(0).start, self.span(self.tokens.len()).end);
        let moved = |edit: &Edit| {
            let (start, end) = (edit.span.start - whole.start, edit.span.end - whole.start);
            Edit { span: Span::new(start, end), text: edit.text.clone() }
        };
        let edits: Vec<Edit> = edits.iter().map(moved).collect();
        let text = edited(self.source.slice(whole), &edits);
        let Err(miss) = crate::syntax::grammar::parse(&text) else { return Some(usize::MAX) };
        let tail = whole.end - whole.start - edits.last().map_or(0, |edit| edit.span.end);
        let left = text.len() - miss.at.min(text.len());
        (left <= tail).then(|| whole.end - left)
    }

    /// What follows a token on its line, without comments.
    pub fn line_after(&self, at: usize) -> String {
        let start = self.span(at).end;
        self.source.text[start..self.line_end(at).max(start)]
            .trim()
            .trim_end_matches(';')
            .to_string()
    }

    /// Where the last token on the line of this one ends.
    pub fn line_end(&self, at: usize) -> usize {
        let next = (at + 1..self.tokens.len()).find(|&next| self.starts_line(next));
        self.span(next.unwrap_or(self.tokens.len()) - 1).end
    }

    /// Does a token begin where the one before it ends?
    pub fn touches(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.span(before).end == self.span(at).start)
    }

    /// The bytes of the lines of a span.
    pub fn lines_of(&self, span: Span) -> (usize, usize) {
        let start = self.source.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.source.text[span.end..].find('\n').map(|at| span.end + at + 1);
        (start, end.unwrap_or(self.source.text.len()))
    }

    /// A name like this one that the text does not hold.
    pub fn free(&self, name: &str) -> String {
        let letters = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
        let is_free = |name: &String| !self.source.text.split(letters).any(|word| word == name);
        let mut names = (2..).map(|number| format!("{name}_{number}"));
        match name.contains('_') && is_free(&name.to_string()) {
            true => name.to_string(),
            false => names.find(is_free).expect("a text has an end, numbers have none"),
        }
    }
}

//! The one way to lay a template out: only space changes, never a word.

mod align;
mod breaking;
mod print;

use super::ast::{self, Statement, StatementKind};
use super::tokens::{self, Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use align::{Group, Row};
use print::Printer;

/// No line is longer where it can be broken.
const WIDTH: usize = 100;

/// The text of a file in its canonical layout, or the errors that keep it from being read.
///
/// Comments, documentation and single blank lines stay. A statement with a comment inside stays as
/// it is written.
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let (file, errors) = super::parse(source);
    if errors.is_empty() { Ok(format_tree(&file, source)) } else { Err(errors) }
}

/// The same of a text that is parsed already, without an error.
pub fn format_tree(file: &ast::File, source: &Source) -> String {
    let atoms = atoms(source);
    let printer = Printer { source, atoms: &atoms };
    let parts: Vec<Part> = file.statements.iter().map(Part::of).collect();
    Lines { printer: &printer, indent: 0 }.of(0, atoms.len(), &parts)
}

/// The tokens, with each text as one.
fn atoms(source: &Source) -> Vec<Token> {
    let mut atoms: Vec<Token> = Vec::new();
    let mut open = Vec::new();
    for token in tokens::scan(source, tokens::start(source)).0 {
        match token.kind {
            Kind::TextOpen => open.push(token.span.start),
            Kind::TextClose => {
                let start =
                    open.pop().expect("a text without errors is opened before it is closed");
                if open.is_empty() {
                    let span = Span::new(start, token.span.end);
                    atoms.push(Token { kind: Kind::TextOpen, span });
                }
            }
            _ if open.is_empty() => atoms.push(token),
            _ => {}
        }
    }
    atoms
}

/// What stands on lines of its own: a statement, or the `return` of a block.
struct Part<'a> {
    span: Span,
    columns: Columns,
    block: Option<&'a ast::Body>,
}

/// How a statement lines up with its neighbours of the same kind.
#[derive(Clone, Copy, PartialEq)]
enum Columns {
    /// `param name`, `in low..high`, `= default`
    Param,
    /// `level name:`, `name = value,`, …
    Level,
    /// `name`, `= value` or `~ value`
    Binding,
    /// It does not.
    None,
}

impl<'a> Part<'a> {
    fn of(statement: &'a Statement) -> Part<'a> {
        let (columns, block) = match &statement.kind {
            StatementKind::Param(_) => (Columns::Param, None),
            StatementKind::Level { .. } => (Columns::Level, None),
            StatementKind::Draw(_) | StatementKind::Compute(_) => (Columns::Binding, None),
            StatementKind::Function(function) => (Columns::None, function.body.as_ref()),
            _ => (Columns::None, None),
        };
        Part { span: statement.span, columns, block }
    }
}

/// Lays out the statements of a file or of a block.
struct Lines<'a> {
    printer: &'a Printer<'a>,
    indent: usize,
}

impl Lines<'_> {
    /// The atoms `from..to`, which are these parts with comments between them.
    fn of(&self, from: usize, to: usize, parts: &[Part<'_>]) -> String {
        let mut group = Group::new(self.printer, self.indent);
        let mut parts = parts.iter();
        let mut at = from;
        while at < to {
            let blank = at > from && self.printer.breaks_before(at) > 1;
            let mut row = if matches!(self.printer.atoms[at].kind, Kind::Comment | Kind::Doc) {
                at += 1;
                Row::line(self.printer.text(at - 1).trim_end().to_string())
            } else {
                let part = parts.next().expect("what is no comment is a statement");
                let first = at;
                at = self.printer.end_of(part.span, at);
                self.row(first, at, part)
            };
            let trails = |at: usize| {
                at < to
                    && self.printer.atoms[at].kind == Kind::Comment
                    && self.printer.breaks_before(at) == 0
                    && at > from
            };
            row.blank = blank;
            row.comment = trails(at).then(|| self.printer.text(at).trim_end().to_string());
            at += usize::from(row.comment.is_some());
            group.push(row);
        }
        group.finish()
    }

    fn row(&self, first: usize, end: usize, part: &Part<'_>) -> Row {
        let open = (first..end).find(|&at| self.printer.text(at) == "{");
        let head_end = open.unwrap_or(end);
        if (first..head_end).any(|at| self.printer.is_comment(at)) {
            let from = self.printer.atoms[first].span.start;
            let span = Span::new(from, self.printer.atoms[end - 1].span.end);
            return Row::line(self.printer.source.slice(span).replace("\r\n", "\n"));
        }
        match (open, part.block) {
            (Some(open), Some(body)) => Row::line(self.block(first, open, end, body)),
            _ => self.cells(first, end, part.columns),
        }
    }

    /// `fn f(x: Int) -> Int {`, the statements of the block and `}`.
    fn block(&self, first: usize, open: usize, end: usize, body: &ast::Body) -> String {
        let head = breaking::lay_out(self.printer, first, open, self.indent, self.indent + 2);
        let mut parts: Vec<Part> = body.statements.iter().map(Part::of).collect();
        let after = body
            .statements
            .last()
            .map_or(open + 1, |last| self.printer.end_of(last.span, open + 1));
        let word = (after..end).find(|&at| self.printer.text(at) == "return");
        let word = word.expect("a block returns a value");
        let last = (word..end - 1).rev().find(|&at| !self.printer.is_comment(at));
        let span = self.printer.atoms[word].span.to(self.printer.atoms[last.unwrap_or(word)].span);
        parts.push(Part { span, columns: Columns::None, block: None });
        let inner = Lines { printer: self.printer, indent: self.indent + 2 };
        let lines = inner.of(open + 1, end - 1, &parts);
        format!("{head} {{\n{lines}{}}}", " ".repeat(self.indent))
    }

    fn cells(&self, first: usize, end: usize, columns: Columns) -> Row {
        let printer = self.printer;
        let find = |sign: &str, from: usize| {
            printer.top_level(from, end).find(|&at| printer.text(at) == sign)
        };
        let mut starts = vec![first];
        match columns {
            Columns::None => {}
            Columns::Binding => starts.push(first + 1),
            Columns::Param => {
                starts.push(first + 2);
                starts.extend(find("=", first));
            }
            Columns::Level => {
                starts.push(first + 3);
                let comma = |&at: &usize| {
                    printer.text(at) == "," && printer.text((at + 2).min(end - 1)) == "="
                };
                starts.extend(printer.top_level(first, end).filter(comma).map(|at| at + 1));
            }
        }
        let whole = printer.flat(first, end, self.indent + 2);
        let fits = self.indent + print::width(&whole) <= WIDTH;
        Row::cells(starts, end, if fits { columns } else { Columns::None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        format(&Source::new("a.cook", text)).expect("the text is right")
    }

    #[test]
    fn neighbours_of_one_kind_line_up() {
        let text =
            "param a in 1 .. 9=5 // why\nparam long in 1..a*2 = 3\n\n\n\nx~f( a,b )\nlong=-x\n";
        let lined_up = "\
param a    in 1..9     = 5 // why
param long in 1..a * 2 = 3

x    ~ f(a, b)
long = -x
";
        assert_eq!(formatted(text), lined_up);
    }

    #[test]
    fn levels_line_up_setting_by_setting() {
        let text = "level one:a=1,b=2\nlevel another : a = 10, b = 20";
        let lined_up = "level one:     a = 1,  b = 2\nlevel another: a = 10, b = 20\n";
        assert_eq!(formatted(text), lined_up);
    }

    #[test]
    fn a_long_chain_of_cases_has_a_line_a_case() {
        let a = "a_name_that_is_long_enough_to_break_the_line";
        let text =
            format!("fn f(x: Int) -> Int =\n  if x == 1 then {a} else if x == 2 then {a} else 3");
        let broken = format!(
            "fn f(x: Int) -> Int =\n  if x == 1 then {a}\n  else if x == 2 then {a}\n  else 3\n"
        );
        assert_eq!(formatted(&text), broken);
    }

    #[test]
    fn a_statement_with_a_comment_inside_stays_as_it_is() {
        let text = "a = [\n   1, // one\n 2]\n";
        assert_eq!(formatted(text), text);
    }

    #[test]
    fn texts_move_to_two_spaces_and_keep_what_they_show() {
        let text = "prompt \"\"\"   \n      one\n        {two}\n\n      \"\"\"";
        let moved = "prompt \"\"\"\n  one\n    {two}\n\n  \"\"\"\n";
        assert_eq!(formatted(text), moved);
    }

    #[test]
    fn a_block_goes_in_by_two_spaces() {
        let text = "fn f( n:Int )~>[Token]{//a\nx~g(n)\n//b\nreturn x//c\n}//d";
        let laid_out = "\
fn f(n: Int) ~> [Token] {
  //a
  x ~ g(n)
  //b
  return x //c
} //d
";
        assert_eq!(formatted(text), laid_out);
    }

    #[test]
    fn a_long_line_is_broken_where_it_binds_least() {
        let long = "a_long_name_of_a_value";
        let text = format!("x = if {long} > 1 then f({long}, {long}) else g({long}, {long})");
        let laid_out =
            format!("x = if {long} > 1\n  then f({long}, {long})\n  else g({long}, {long})\n");
        assert_eq!(formatted(&text), laid_out);
    }

    #[test]
    fn a_faulty_text_is_not_formatted() {
        assert!(format(&Source::new("a.cook", "x = (")).is_err());
    }
}

//! What was meant by a value of the wrong type, as other languages have it: `xs * 2`.

use super::fixes::{Text, words};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Operator, StatementKind};
use crate::syntax::habit;
use crate::syntax::habit::drawing::{is_draw, length};
use crate::syntax::literal;

impl Text<'_> {
    /// `[0] * n`, `"a" * 3`, `xs * 2`, `"%d" % n`
    pub fn multiplied(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let symbol = error.span();
        let both = self.around(
            symbol,
            |expr| matches!(&expr.kind, ExprKind::Binary(_, place, ..) if *place == symbol),
        )?;
        let ExprKind::Binary(_, _, left, right) = &both.kind else { return None };
        if let Some(said) =
            habit::call(self.source, both.span).filter(|said| !said.edits.is_empty())
        {
            let error = error.clone().help(format!("write `{}`", said.text));
            let add = |error: Diagnostic, edit: &crate::diagnostic::Edit| {
                error.fix(edit.span, &*edit.text)
            };
            return Some(said.edits.iter().fold(error, add));
        }
        let (a, b) = (self.source.slice(left.span), self.source.slice(right.span));
        let types: Vec<&str> = error.labels.iter().skip(1).map(|label| &*label.text).collect();
        let [x, y] = types[..] else { return None };
        let is_list = |text: &str| text.starts_with("this is a list");
        let help = match self.source.slice(symbol) {
            "*" if x == "this is a Text" => {
                format!("write `\"{{join(\"\", for i in 1..{b}: {a})}}\"`")
            }
            "%" if x == "this is a Text" => {
                let text = a.trim_matches('"');
                let at = text.find('%')?;
                let shown = format!("{}{{{b}}}{}", &text[..at], text.get(at + 2..)?);
                format!("write `\"{shown}\"`")
            }
            "*" if is_list(x) => format!(
                "write `for x in {a}: x * {b}` for each element, or `concat(for i in 1..{b}: {a})` \
                 to repeat the list"
            ),
            symbol @ ("+" | "-" | "/" | "%") if is_list(x) && !is_list(y) => {
                format!("write `for x in {a}: x {symbol} {b}` for each element")
            }
            "-" if is_list(x) && is_list(y) => format!(
                "write `without({b}, {a})`, or `for i in 0..size({a}) - 1: at(i, {a}) - at(i, {b})`"
            ),
            symbol if is_list(x) && is_list(y) && matches!(symbol, "*" | "/") => {
                format!("write `for i in 0..size({a}) - 1: at(i, {a}) {symbol} at(i, {b})`")
            }
            _ => return None,
        };
        Some(error.clone().help(help))
    }

    /// `reply "{{ answer }}"`
    pub fn doubled(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let name = literal::doubled(self.source, place)?;
        let text = self.source.slice(place);
        let (before, rest) = text.split_once("{{")?;
        let (_, after) = rest.split_once("}}")?;
        let written = format!("{before}{{{name}}}{after}");
        let help = format!("`{{{{` shows a brace: write `reply {written}`");
        let is_line = text.starts_with('"') && !text.contains('\n');
        is_line.then(|| error.clone().help(help).fix(place, written))
    }

    /// `rule positive: for x in xs: x > 0`
    pub fn for_all(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let text = self.source.slice(place);
        if !text.starts_with("for ") {
            return None;
        }
        let word = Span::new(place.start, place.start + 3);
        let help = format!("write `all{}`", &text[3..]);
        Some(error.clone().help(help).fix(word, "all"))
    }

    /// `repeat(pick(xs), 3)`
    pub fn swapped_repeat(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let call = self.around(place, |expr| match &expr.kind {
            ExprKind::Call(name, given) => {
                name.text == "repeat" && given.first().is_some_and(|one| one.value.span == place)
            }
            _ => false,
        })?;
        let ExprKind::Call(_, given) = &call.kind else { return None };
        let [draw, count] = &given[..] else { return None };
        let count = self.source.slice(count.value.span);
        if is_draw(count) {
            return None;
        }
        let text = format!("repeat({count}, {})", self.source.slice(draw.value.span));
        Some(
            error
                .clone()
                .help(format!("the count comes first: write `{text}`"))
                .fix(call.span, text),
        )
    }

    /// `weighted([0.2, 0.8], ["a", "b"])`
    pub fn weighed(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let call = self.around(place, |expr| match &expr.kind {
            ExprKind::Call(name, given) => {
                name.text == "weighted" && given.iter().any(|one| one.value.span == place)
            }
            _ => false,
        })?;
        let said = habit::call(self.source, call.span)?;
        if said.text == self.source.slice(call.span) || said.edits.is_empty() {
            return None;
        }
        let mut error = error.clone().help(format!("write `{}`", said.text));
        error.fix.clear();
        Some(error.fix(call.span, said.text))
    }

    /// `c and a or b`, which chooses in Python; `["a", 1]`, a row with two types.
    pub fn and_or(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let is_row = |expr: &Expr| match &expr.kind {
            ExprKind::List(values) => {
                values.len() > 1 && values.iter().any(|one| one.span == place)
            }
            _ => false,
        };
        if self.around(place, is_row).is_some() {
            let help = "the values of a list have one type: write a list for each, \
                        `names = [\"a\", \"b\"]` and `values = [1, 2]`";
            return Some(error.clone().help(help));
        }
        let either = self.around(place, |expr| {
            matches!(&expr.kind, ExprKind::Binary(Operator::Or, _, left, _)
                if matches!(left.kind, ExprKind::Binary(Operator::And, ..)))
        })?;
        let ExprKind::Binary(_, _, both, no) = &either.kind else { return None };
        let ExprKind::Binary(_, _, condition, yes) = &both.kind else { return None };
        let [c, yes, no] = [condition, yes, no].map(|part| self.source.slice(part.span));
        let text = format!("if {c} then {yes} else {no}");
        let mut error = error.clone().help(format!("write `{text}`"));
        error.fix.clear();
        Some(error.fix(either.span, text))
    }

    /// What is drawn above the innermost loop around a place, for each of its turns.
    pub fn for_each(&self, place: Span) -> String {
        let is_loop = |expr: &Expr| matches!(expr.kind, ExprKind::Each(..) | ExprKind::Fold(_));
        let (value, around) = (self.source.slice(place), self.around(place, is_loop));
        let Some(ExprKind::Each(_, each)) = around.map(|expr| &expr.kind) else {
            return format!("repeat(n, {value})");
        };
        let (item, list) = (&each.item.text, self.source.slice(each.list.span));
        match words(value).any(|word| word == item) {
            true => format!("for {item} in {list}: {value}"),
            false => format!("repeat({}, {value})", length(list)),
        }
    }

    /// `r ~ xs`, `r ~ 1..6`: one of them is meant, or all.
    pub fn one_of(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let binding = self.file.statements.iter().find_map(|one| match &one.kind {
            StatementKind::Draw(it) if it.value.span == place => Some(it),
            _ => None,
        })?;
        let value = self.source.slice(place);
        if !error.labels.first()?.text.starts_with("this computes a list") || value.contains('\n') {
            return None;
        }
        let is_source = matches!(
            &binding.value.kind,
            ExprKind::Range(..) | ExprKind::List(_) | ExprKind::Name(_)
        );
        if !is_source {
            return None;
        }
        let drawn = match &binding.value.kind {
            ExprKind::Range(..) => format!("uniform({value})"),
            _ => format!("pick({value})"),
        };
        let name = &binding.name.text;
        let help =
            format!("write `{name} ~ {drawn}` to draw one, `{name} = {value}` for all of it");
        Some(error.clone().help(help))
    }
}

//! Fixes of calls and sums that another language would read.

use super::fixes::{Text, each, expressions, parts};
use crate::diagnostic::{Diagnostic, Edit, edited};
use crate::source::Span;
use crate::stdlib;
use crate::syntax::ast::{Expr, ExprKind, Operator, StatementKind};
use crate::syntax::habit::{self, Said};
use crate::syntax::quotient;

impl Text<'_> {
    /// `len(xs)`, `uniform(1, 9)`, `sort(xs, key = ages)`: a call that another language has.
    pub fn said(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let call = self.around(place, |expr| match &expr.kind {
            ExprKind::Call(name, _) => match error.code {
                "E205" => name.span == place,
                "E302" => expr.span == place,
                "E226" => false,
                _ => true,
            },
            ExprKind::Field(..) => expr.span == place || error.code == "E226",
            _ => false,
        })?;
        if error.code == "E205"
            && let Some(joined) = self.joined_around(error, call)
        {
            return Some(joined);
        }
        // `random() < 0.5` is a chance.
        let compared = self.around(call.span, |expr| {
            let ExprKind::Binary(Operator::Less, _, left, _) = &expr.kind else { return false };
            left.span == call.span
        });
        let call = match self.source.slice(call.span) {
            "random()" | "rand()" => compared.unwrap_or(call),
            _ => call,
        };
        let mut said = habit::call(self.source, call.span)?;
        if said.is_loose && said.habit.help.is_none() && self.is_operand(call.span) {
            said = said.in_parentheses(self.source, call.span);
        }
        if let Some(help) = &said.habit.help {
            let mut error = error.clone();
            error.fix.clear();
            return Some(error.help(help));
        }
        let mut clean = error.clone();
        clean.fix.clear();
        let divides = quotient::after(self.source, call.span.end).is_some();
        Some(self.with_text(clean, call, &said).sure_if(said.habit.is_sure && !divides))
    }

    fn with_text(&self, error: Diagnostic, call: &Expr, said: &Said) -> Diagnostic {
        let draws = said.text.split_once('(').and_then(|(name, _)| stdlib::draws(name));
        let statement = self.statement(call.span);
        let kind = statement.map(|statement| &statement.kind);
        let add = |error: Diagnostic| {
            said.edits.iter().fold(error, |error, edit| error.fix(edit.span, &*edit.text))
        };
        let text = &said.text;
        let is_divided = self
            .around(call.span, |expr| matches!(&expr.kind, ExprKind::Binary(Operator::Divide, ..)));
        // Python's `//` begins a comment here: nothing would report that it is gone.
        if let Some((symbol, divisor)) = quotient::after(self.source, call.span.end)
            && draws != Some(true)
        {
            let help = format!("write `{text} / {divisor}`: `/` of two Ints rounds down");
            return add(error.help(help)).fix(symbol, "/");
        }
        if let Some(quotient) = is_divided
            && said.note.is_empty()
            && draws != Some(true)
            && !self.source.slice(call.span).contains(".len()")
        {
            return self.as_real(add(error), quotient);
        }
        let note = said.note;
        let error = match (draws, kind) {
            (Some(true), Some(StatementKind::Compute(it))) if it.value.span == call.span => {
                let help = format!("write `{} ~ {text}`", it.name.text);
                add(error.help(help)).fix(it.symbol, "~")
            }
            (Some(false), Some(StatementKind::Draw(it))) if it.value.span == call.span => {
                let help = format!("write `{} = {text}`", it.name.text);
                add(error.help(help)).fix(it.symbol, "=")
            }
            (Some(true), Some(kind)) if !self.draws_here(kind, call.span) => {
                let name = self.free("drawn");
                add(error.help(format!("write `{name} ~ {text}` above, and `{name}` here")))
            }
            _ => add(error.help(format!("write `{text}`"))),
        };
        match note {
            "" => error,
            note => Diagnostic { help: format!("{}; {note}", error.help), ..error },
        }
    }

    /// `sum(xs) / len(xs)`: a Real in Python and JavaScript, where the Ints of this language would
    /// leave the remainder out.
    fn as_real(&self, error: Diagnostic, quotient: &Expr) -> Diagnostic {
        let place = quotient.span;
        let is_real = self.source.slice(place).starts_with("1.0 *");
        let start = Span::new(place.start, place.start);
        let error = if is_real { error } else { error.fix(start, "1.0 * ") };
        let moved = |edit: &Edit| {
            let span = Span::new(edit.span.start - place.start, edit.span.end - place.start);
            Edit { span, text: edit.text.clone() }
        };
        let inside = error.fix.iter().filter(|edit| edit.span.start >= place.start);
        let edits: Vec<Edit> = inside.map(moved).collect();
        let text = edited(self.source.slice(place), &edits);
        error.help(format!("write `{text}`; `/` of two Ints rounds down"))
    }

    /// Does an operator stand beside it?
    fn is_operand(&self, place: Span) -> bool {
        let is_it = |one: &Expr| one.span == place;
        let beside = self.around(place, |expr| match &expr.kind {
            ExprKind::Binary(_, _, left, right) | ExprKind::Range(left, right) => {
                is_it(left) || is_it(right)
            }
            ExprKind::Negate(inner) | ExprKind::Not(inner) => is_it(inner),
            _ => false,
        });
        beside.is_some()
    }

    /// May what is here draw: is it the value of a draw, or a sampler in it?
    fn draws_here(&self, kind: &StatementKind, place: Span) -> bool {
        match kind {
            StatementKind::Draw(it) => {
                it.value.span == place
                    || matches!(it.value.kind, ExprKind::Call(..) | ExprKind::If(..))
            }
            StatementKind::Function(_) => true,
            _ => false,
        }
    }

    /// `distinct(vocab, 8)`: the labels say which value belongs where.
    pub fn in_order(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let (call, given) = error.labels.split_first()?;
        let name = self.source.slice(call.span).split('(').next()?.trim();
        let given: Vec<&str> = given.iter().map(|label| self.source.slice(label.span)).collect();
        let text = format!("{name}({})", given.join(", "));
        // The types allow no other order.
        Some(error.clone().help(format!("write `{text}`")).fix(call.span, text).sure())
    }

    /// `str(n) + "!"`: the sum of texts around a call.
    fn joined_around(&self, error: &Diagnostic, call: &Expr) -> Option<Diagnostic> {
        if !self.source.slice(call.span).starts_with("str(") {
            return None;
        }
        let sum = self
            .around(call.span, |expr| matches!(&expr.kind, ExprKind::Binary(Operator::Add, ..)))?;
        let ExprKind::Binary(_, symbol, ..) = &sum.kind else { return None };
        let mut at_sign = error.clone();
        at_sign.labels[0].span = *symbol;
        let help = self.joined(&at_sign)?.help;
        let mut error = error.clone();
        error.fix.clear();
        Some(error.help(help))
    }

    /// `mean = sum(xs) / 5.0` as a number of hundredths, which is an Int.
    pub fn in_hundredths(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let name = self.source.slice(error.span());
        let binding = self.file.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Compute(it) if it.name.text == name => Some(it),
            _ => None,
        })?;
        let (above, below) = self.source.slice(binding.value.span).rsplit_once(" / ")?;
        let below = below.strip_suffix(".0").filter(|below| below.parse::<i64>().is_ok())?;
        let line = format!("{name} = 100 * {above} / {below}");
        let is_plain = !above.contains([' ', '\n']);
        is_plain.then(|| {
            error.clone().help(format!(
                "write `{line}`, an Int of hundredths, the same in its rules, and show it as \
                 `{{decimals(2, {name})}}`"
            ))
        })
    }

    /// `uniform(6)`: a range is meant.
    pub fn ranged(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        self.around(place, |expr| match &expr.kind {
            ExprKind::Call(name, given) => {
                name.text == "uniform" && given.iter().any(|one| one.value.span == place)
            }
            _ => false,
        })?;
        let number = self.source.slice(place);
        let mut error = error.clone();
        error.fix.clear();
        let start = Span::new(place.start, place.start);
        Some(error.help(format!("write a range: `uniform(1..{number})`")).fix(start, "1.."))
    }

    /// `repeat(uniform(1..6), 3)`: how often comes first.
    pub fn repeated(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        let call = self.around(place, |expr| match &expr.kind {
            ExprKind::Call(name, given) => name.text == "repeat" && given.len() == 2,
            _ => false,
        })?;
        let ExprKind::Call(_, given) = &call.kind else { return None };
        let drawn = |expr: &Expr| match &expr.kind {
            ExprKind::Call(name, _) => stdlib::draws(&name.text) == Some(true),
            _ => false,
        };
        let (first, second) = (&given[0], &given[1]);
        let is_swapped = drawn(&first.value) && !drawn(&second.value);
        if !is_swapped || first.name.is_some() || second.name.is_some() {
            return None;
        }
        let said = |expr: &Expr| self.source.slice(expr.span);
        let text = format!("repeat({}, {})", said(&second.value), said(&first.value));
        let mut error = error.clone();
        error.fix.clear();
        // What is drawn can only be the second, what counts only the first.
        Some(error.help(format!("write `{text}`")).fix(call.span, text).sure())
    }

    /// `"a" + b`: one text shows both.
    pub fn joined(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let symbol = error.span();
        if self.source.slice(symbol) != "+" {
            return None;
        }
        let sum = self.around(symbol, |expr| {
            matches!(&expr.kind, ExprKind::Binary(Operator::Add, place, ..) if *place == symbol)
        })?;
        let mut terms = Vec::new();
        flatten(sum, &mut terms);
        let is_text = |expr: &&Expr| matches!(expr.kind, ExprKind::Text(_));
        let quoted = |expr: &Expr| {
            let text = self.source.slice(expr.span);
            text.strip_prefix('"')?.strip_suffix('"').map(str::to_string)
        };
        if !terms.iter().any(is_text) {
            return None;
        }
        let mut shown = String::new();
        for term in &terms {
            match quoted(term) {
                Some(text) if is_text(term) => shown += &text,
                _ => shown += &format!("{{{}}}", shown_value(self.source.slice(term.span))),
            }
        }
        let text = format!("\"{shown}\"");
        Some(error.clone().help(format!("write `{text}`")).fix(sum.span, text))
    }

    /// The innermost expression around a place that is one of those meant.
    pub fn around(&self, place: Span, is_meant: impl Fn(&Expr) -> bool) -> Option<&Expr> {
        let mut found: Option<&Expr> = None;
        let mut open: Vec<&Expr> = Vec::new();
        for statement in &self.file.statements {
            let holds = statement.span.start <= place.start && place.end <= statement.span.end;
            if holds {
                open.extend(expressions(&statement.kind));
            }
        }
        while let Some(expr) = open.pop() {
            if expr.span.start > place.start || place.end > expr.span.end {
                continue;
            }
            let is_inner = found.is_none_or(|known| {
                expr.span.end - expr.span.start <= known.span.end - known.span.start
            });
            if is_meant(expr) && is_inner {
                found = Some(expr);
            }
            open.extend(parts(expr).into_iter().map(|(part, _)| part));
        }
        found
    }

    /// How many calls of an expression there are.
    pub fn is_choice_of_draws(expr: &Expr) -> bool {
        let mut all = true;
        match &expr.kind {
            ExprKind::If(_, yes, no) => {
                all &= Self::is_choice_of_draws(yes) && Self::is_choice_of_draws(no);
            }
            ExprKind::Call(name, _) => all &= stdlib::draws(&name.text) == Some(true),
            _ => all = false,
        }
        all
    }

    /// Whether a choice or `and` and `or` decide that a place is looked at.
    pub fn is_conditional(expr: &Expr, place: Span) -> bool {
        let holds = |part: &Expr| part.span.start <= place.start && place.end <= part.span.end;
        let mut found = false;
        each(expr, &mut |part| {
            found |= match &part.kind {
                ExprKind::If(_, yes, no) => holds(yes) || holds(no),
                ExprKind::Binary(Operator::And | Operator::Or, _, _, right) => holds(right),
                _ => false,
            };
        });
        found
    }
}

fn flatten<'e>(expr: &'e Expr, terms: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::Binary(Operator::Add, _, left, right) => {
            flatten(left, terms);
            flatten(right, terms);
        }
        _ => terms.push(expr),
    }
}

/// `str(x)` is shown as `x`.
fn shown_value(text: &str) -> &str {
    text.strip_prefix("str(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text)
}

//! Fixes that need the text around an error: a line that moves, a value that gets a name.

use std::cell::RefCell;

use crate::diagnostic::{Diagnostic, Edit, edited};
use crate::source::{Source, Span};
use crate::stdlib;
use crate::syntax::ast::{self, Expr, ExprKind, File, Statement, StatementKind, TextPart};
use crate::syntax::otherwise;

/// Adds its fix to each error whose edits depend on more than its own place, and says in its help
/// what is then written.
pub fn complete(file: &File, source: &Source, errors: &mut [Diagnostic]) {
    let text = Text { file, source, given: RefCell::default() };
    for error in errors.iter_mut() {
        let more = match error.code {
            "E203" => text.moved_up(error),
            "E301" | "E305" if text.repeated(error).is_some() => text.repeated(error),
            "E205" if text.is_of_a_module(error) => text.used(error),
            "E205" => text.said(error).or_else(|| match error.fix.is_empty() {
                true => text.used(error),
                false => None,
            }),
            "E302" | "E310" | "E226" => text.said(error),
            "E316" => text.in_order(error),
            "E209" => text.said_to_draw(error),
            "E303" => text.drawn(error),
            "E301"
                if error.fix.len() == 2
                    && text.source.slice(error.span()).parse::<i64>().is_ok() =>
            {
                text.ranged(error).or_else(|| text.written(error))
            }
            "E301" | "E309" => {
                text.weighed(error).or_else(|| text.and_or(error)).or_else(|| text.written(error))
            }
            "E307" if error.fix.len() == 2 => text.written(error),
            "E307" => text.joined(error).or_else(|| text.multiplied(error)),
            "E408" => text.doubled(error),
            "E314" => text.for_all(error),
            "E304" => text.computed(error).map(|error| text.one_of(&error).unwrap_or(error)),
            "E305" => text
                .swapped_repeat(error)
                .or_else(|| text.drawn_before(error))
                .or_else(|| text.drawn_often(error)),
            "E311" => text.shown(error),
            "E403" => text.named_before(error),
            "E407" => text.flat(error),
            "E411" => text.in_hundredths(error),
            "E412" => text.trimmed(error),
            _ => None,
        };
        if let Some(more) = more {
            *error = more;
        }
    }
    otherwise::offer(source, errors);
}

pub struct Text<'a> {
    pub file: &'a File,
    pub source: &'a Source,
    /// The new names of other fixes: all of them may be made.
    given: RefCell<Vec<String>>,
}

impl Text<'_> {
    /// The line of a name goes above the line that uses it, unless it needs what is between.
    fn moved_up(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let (user, bound) = (self.statement(error.span())?, error.labels.get(1)?.span);
        let moved = self.statement(bound)?;
        let names = self.file.statements.iter().filter_map(|one| bound_name(&one.kind));
        let text = self.source.slice(moved.span);
        let mut later =
            names.filter(|name| name.span.start >= user.span.start && name.span != bound);
        if later.any(|name| words(text).any(|word| word == name.text)) {
            return None;
        }
        let (from, to) = (self.first_line(moved), self.line_end(moved.span.end)?);
        let whole = Span::new(from, to);
        let start = self.first_line(user);
        let lines = format!("{}\n", self.source.slice(whole).trim_end_matches('\n'));
        // Lines say what is, in no order of time: only names decide what may come first.
        Some(error.clone().fix(Span::new(start, start), lines).fix(whole, "").sure())
    }

    /// `use tokens: overlap` above, or one name more in the `use` that is there.
    fn used(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let function = self.source.slice(error.span());
        let module = stdlib::module_of(function)?;
        let taken = self.file.statements.iter().find_map(|one| match &one.kind {
            StatementKind::Use { module: known, names } if known.text == module => names.last(),
            _ => None,
        });
        if let Some(last) = taken {
            let end = Span::new(last.span.end, last.span.end);
            return Some(error.clone().fix(end, format!(", {function}")).sure());
        }
        let is_use = |one: &&Statement| matches!(one.kind, StatementKind::Use { .. });
        let line = format!("use {module}: {function}\n");
        let first = self.file.statements.first()?;
        let (start, line) = match self.file.statements.iter().find(is_use) {
            Some(other) => (self.first_line(other), line),
            None => (self.first_line(first), line + "\n"),
        };
        Some(error.clone().fix(Span::new(start, start), line).sure())
    }

    /// Is this a call that a function of a built-in module takes, with all values Int?
    fn is_of_a_module(&self, error: &Diagnostic) -> bool {
        let name = self.source.slice(error.span());
        let call = self.around(
            error.span(),
            |expr| matches!(&expr.kind, ExprKind::Call(called, _) if called.span == error.span()),
        );
        let given = call.and_then(|expr| match &expr.kind {
            ExprKind::Call(_, given) => Some(given.len()),
            _ => None,
        });
        given.is_some_and(|count| stdlib::takes_ints(name, count))
    }

    /// `->` of a function that draws becomes `~>`.
    fn said_to_draw(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let name = error.labels.get(1)?.span;
        let arrow = name.end + self.source.text[name.end..].find("->")?;
        Some(error.clone().fix(Span::new(arrow, arrow + 2), "~>").sure())
    }

    /// `=` before a draw became `~` where the error was found; here the help writes the line.
    fn drawn(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let binding = self.binding(error.span())?;
        let value = self.source.slice(binding.value.span);
        let line = format!("write `{} ~ {value}`", binding.name.text);
        (!value.contains('\n')).then(|| error.clone().help(line))
    }

    /// The help of an error with a fix at its place says what is then written there.
    fn written(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let (first, last) = (error.fix.first()?.span.start, error.fix.last()?.span.end);
        let whole = match first == last {
            true => error.span(),
            false => Span::new(first, last),
        };
        let moved = |edit: &Edit| {
            let span = Span::new(edit.span.start - whole.start, edit.span.end - whole.start);
            Edit { span, text: edit.text.clone() }
        };
        let edits: Vec<Edit> = error.fix.iter().map(moved).collect();
        let written = edited(self.source.slice(whole), &edits);
        (!written.contains('\n')).then(|| error.clone().help(format!("write `{written}`")))
    }

    /// `~` before a computation becomes `=`.
    fn computed(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let Some(binding) = self.binding(error.span()) else {
            // Beside a sampler, in a choice or a loop.
            let drawn = format!("pick([{}])", self.source.slice(error.span()));
            return Some(error.clone().help(format!("write `{drawn}` for one value")));
        };
        if self.source.slice(binding.value.span).contains("\n-") {
            // A row of YAML below reads as a difference.
            return None;
        }
        let value = self.source.slice(binding.value.span);
        // `x ~ xs` and `x ~ 1..6` may mean one of these.
        let is_computed = match &binding.value.kind {
            ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Bool(_) | ExprKind::Text(_) => true,
            ExprKind::Filled(_) => true,
            ExprKind::Binary(..) | ExprKind::Negate(_) | ExprKind::Not(_) => true,
            ExprKind::Call(name, _) => stdlib::draws(&name.text) == Some(false),
            _ => false,
        };
        let name = &binding.name.text;
        let drawn = match &binding.value.kind {
            ExprKind::Range(..) => Some(format!("uniform({value})")),
            ExprKind::List(_) => Some(format!("pick({value})")),
            _ => None,
        };
        if let ExprKind::Name(_) = &binding.value.kind {
            let mut error = error.clone();
            if stdlib::draws(value) == Some(true) {
                let given = if value == "coin" { "0.5" } else { "…" };
                error.fix.clear();
                return Some(error.help(format!("write `{name} ~ {value}({given})`")));
            }
            let help =
                format!("write `{name} = {value}`, or `{name} ~ pick({value})` for one of it");
            return Some(error.help(help).fix(binding.symbol, "="));
        }
        if let Some(drawn) = drawn.filter(|_| !value.contains('\n')) {
            let help = format!("write `{name} ~ {drawn}`, or `{name} = {value}` for all of it");
            return Some(error.clone().help(help).fix(binding.value.span, drawn));
        }
        let error = error.clone().fix(binding.symbol, "=").sure_if(is_computed);
        Some(match value.contains('\n') {
            true => error,
            false => error.help(format!("write `{} = {value}`", binding.name.text)),
        })
    }

    /// A draw inside an expression gets a separate line. In a loop it would draw once, not often.
    fn drawn_before(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let statement = self.statement(error.span())?;
        if self.source.slice(statement.span).contains("\n-") {
            // A row of YAML below reads as a difference.
            return None;
        }
        // A template makes a part, which is no value: one of its names is.
        let called = words(self.source.slice(error.span())).next();
        let is_part = |one: &Statement| match &one.kind {
            StatementKind::UseTemplate(name) => Some(&*name.text) == called,
            _ => false,
        };
        if self.file.statements.iter().any(is_part) {
            return None;
        }
        let whole = expressions(&statement.kind);
        if whole.iter().any(|expr| repeats(expr, error.span())) {
            return None;
        }
        if let StatementKind::Compute(binding) = &statement.kind
            && Text::is_choice_of_draws(&binding.value)
        {
            let help = format!("write `{} ~ if …`: either is drawn", binding.name.text);
            return Some(error.clone().help(help).fix(binding.symbol, "~").sure());
        }
        // Where a condition decides whether there is something to draw from, the draw above it may
        // not be possible.
        let is_conditional = whole.iter().any(|expr| Text::is_conditional(expr, error.span()));
        let named = self.named(error, statement, "drawn", "~")?;
        let named = match &statement.kind {
            StatementKind::Draw(binding) => computed_from(named, binding, self.source),
            _ => named,
        };
        // A rule judges a reply, which draws nothing.
        let is_rule = matches!(statement.kind, StatementKind::Rule(_));
        Some(named.sure_if(!is_conditional && !is_rule))
    }

    /// In a loop all are drawn before it.
    fn drawn_often(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let statement = self.statement(error.span())?;
        if let StatementKind::Compute(binding) = &statement.kind
            && let ExprKind::Each(ast::Each::For, it) = &binding.value.kind
            && it.body.span == error.span()
        {
            let head = self.source.slice(Span::new(binding.name.span.start, binding.symbol.start));
            let value = self.source.slice(binding.value.span);
            let help = format!("draw once for each element: `{}~ {value}`", head);
            return Some(error.clone().help(help).fix(binding.symbol, "~"));
        }
        let mut whole = expressions(&statement.kind).into_iter();
        let is_function = matches!(statement.kind, StatementKind::Function(_));
        if is_function || !whole.any(|expr| repeats(expr, error.span())) {
            return None;
        }
        let line = format!("{} ~ {}", self.new_name("drawn"), self.for_each(error.span()));
        Some(error.clone().help(format!("draw all of them above the loop: `{line}`")))
    }

    /// What only shows a value is written where it is shown.
    fn shown(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let binding = self.binding(error.span())?;
        let value = self.source.slice(error.span());
        if !matches!(binding.value.kind, ExprKind::Call(..)) {
            return None;
        }
        Some(error.clone().help(format!("write `{{{value}}}` in `prompt` or `reply`")))
    }

    /// An expression that the reply shows gets a name.
    fn named_before(&self, error: &Diagnostic) -> Option<Diagnostic> {
        self.named(error, self.statement(error.span())?, "answer", "=").map(Diagnostic::sure)
    }

    /// The text under an error goes to a separate line above the statement, under a new name.
    fn named(
        &self,
        error: &Diagnostic,
        statement: &Statement,
        name: &str,
        symbol: &str,
    ) -> Option<Diagnostic> {
        if matches!(statement.kind, StatementKind::Function(_)) {
            return None;
        }
        let (name, value) = (self.new_name(name), self.source.slice(error.span()));
        let start = self.first_line(statement);
        let line = format!("{name} {symbol} {value}");
        let error = error.clone().help(format!("write `{line}` above, and `{name}` here"));
        let place = error.span();
        Some(error.fix(Span::new(start, start), format!("{line}\n")).fix(place, name))
    }

    /// A prompt may show an expression: the list of lists, joined.
    fn flat(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let place = error.span();
        if matches!(self.statement(place)?.kind, StatementKind::Reply(_)) {
            return None;
        }
        let flat = format!("concat({})", self.source.slice(place));
        Some(error.clone().help(format!("write `{{{flat}}}`")).fix(place, flat))
    }

    /// Texts without the white space at their ends.
    fn trimmed(&self, error: &Diagnostic) -> Option<Diagnostic> {
        let mut error = error.clone();
        for statement in &self.file.statements {
            for expr in expressions(&statement.kind) {
                each(expr, &mut |part| {
                    let written = self.source.slice(part.span);
                    if let ExprKind::Text(text) = &part.kind
                        && text.trim() != text
                        && !written.starts_with("\"\"\"")
                    {
                        let inside = written.trim_matches('"').trim();
                        error = error.clone().fix(part.span, format!("\"{inside}\""));
                    }
                });
            }
        }
        Some(error)
    }

    pub fn statement(&self, place: Span) -> Option<&Statement> {
        let holds = |one: &&Statement| one.span.start <= place.start && place.end <= one.span.end;
        self.file.statements.iter().find(holds)
    }

    /// The binding of a whole value, in the template or in a function.
    fn binding(&self, value: Span) -> Option<&ast::Binding> {
        let statements = || self.file.statements.iter().map(|one| &one.kind);
        let found = statements().find(|one| binds(one, value));
        match found.or_else(|| statements().find_map(|one| bound_in(one, value)))? {
            StatementKind::Draw(binding) | StatementKind::Compute(binding) => Some(binding),
            _ => None,
        }
    }

    /// Where the lines of a statement begin, with its `///` lines; or where it begins itself, if
    /// another is before it on its line.
    fn first_line(&self, statement: &Statement) -> usize {
        let before = &self.source.text[..statement.span.start];
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        if !before[line..].trim_start_matches('\u{feff}').trim().is_empty() {
            return statement.span.start;
        }
        let mut start = line;
        for above in before[..line].split_inclusive('\n').rev() {
            if !above.trim_start().starts_with("///") {
                break;
            }
            start -= above.len();
        }
        start
    }

    /// Where the line of a statement ends, if nothing but a comment follows it there.
    fn line_end(&self, end: usize) -> Option<usize> {
        let rest = self.source.text[end..].split_inclusive('\n').next().unwrap_or("");
        let is_free = rest.trim().is_empty() || rest.trim_start().starts_with("//");
        is_free.then_some(end + rest.len())
    }

    /// A free name, which no other fix is given.
    fn new_name(&self, name: &str) -> String {
        let name = self.free(name);
        self.given.borrow_mut().push(name.clone());
        name
    }

    /// The name, or one like it, that is nowhere in the text.
    pub fn free(&self, name: &str) -> String {
        let names = std::iter::once(name.to_string());
        let mut names = names.chain((2..).map(|number| format!("{name}_{number}")));
        let given = self.given.borrow();
        let is_free = |name: &String| {
            !words(&self.source.text).any(|word| word == name) && !given.contains(name)
        };
        names.find(is_free).expect("a text has an end, numbers have none")
    }
}

/// What is computed from a draw is bound with `=`, once the draw stands above it.
fn computed_from(error: Diagnostic, binding: &ast::Binding, source: &Source) -> Diagnostic {
    let (value, symbol) = (binding.value.span, binding.symbol);
    let is_whole = error.labels.get(1).is_some_and(|label| label.span == value);
    let [above, here] = &error.fix[..] else { return error };
    if !is_whole {
        return error;
    }
    let (before, after) = (Span::new(value.start, here.span.start), here.span.end..value.end);
    let after = Span::new(after.start, after.end);
    let (before, after) = (source.slice(before), source.slice(after));
    let line = format!("{} = {before}{}{after}", binding.name.text, here.text);
    let help = format!("write `{}` above, and `{line}` here", above.text.trim_end());
    error.help(help).fix(symbol, "=")
}

pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

fn bound_name(kind: &StatementKind) -> Option<&ast::Name> {
    match kind {
        StatementKind::Draw(binding) | StatementKind::Compute(binding) => Some(&binding.name),
        StatementKind::Param(param) => Some(&param.name),
        _ => None,
    }
}

fn binds(kind: &StatementKind, value: Span) -> bool {
    matches!(kind, StatementKind::Draw(it) | StatementKind::Compute(it) if it.value.span == value)
}

/// The statement of a function's body that binds a value.
fn bound_in(kind: &StatementKind, value: Span) -> Option<&StatementKind> {
    let StatementKind::Function(ast::Function { body: Some(body), .. }) = kind else {
        return None;
    };
    body.statements.iter().map(|one| &one.kind).find(|one| binds(one, value))
}

/// The outermost expressions of a statement.
pub fn expressions(kind: &StatementKind) -> Vec<&Expr> {
    match kind {
        StatementKind::Draw(it) | StatementKind::Compute(it) | StatementKind::Rule(it) => {
            vec![&it.value]
        }
        StatementKind::System(text) | StatementKind::Prompt(text) | StatementKind::Reply(text) => {
            placeholders(text).collect()
        }
        StatementKind::Function(ast::Function { body: Some(body), .. }) => {
            let bound = body.statements.iter().flat_map(|one| expressions(&one.kind));
            bound.chain([&body.result]).collect()
        }
        _ => Vec::new(),
    }
}

/// What a text shows.
fn placeholders(text: &ast::Text) -> impl Iterator<Item = &Expr> {
    text.parts.iter().filter_map(|part| match part {
        TextPart::Placeholder(expr) => Some(expr),
        TextPart::Literal(_) => None,
    })
}

/// The parts of an expression, each with whether a loop runs it again and again.
pub fn parts(expr: &Expr) -> Vec<(&Expr, bool)> {
    let once = |part| (part, false);
    match &expr.kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Bool(_)
        | ExprKind::Text(_)
        | ExprKind::Name(_)
        | ExprKind::Field(..) => Vec::new(),
        ExprKind::Filled(text) => placeholders(text).map(once).collect(),
        ExprKind::Call(_, given) => given.iter().map(|given| once(&given.value)).collect(),
        ExprKind::List(elements) => elements.iter().map(once).collect(),
        ExprKind::Range(a, b) | ExprKind::Binary(_, _, a, b) => vec![once(a), once(b)],
        ExprKind::Negate(a) | ExprKind::Not(a) => vec![once(a)],
        ExprKind::If(a, b, c) => vec![once(a), once(b), once(c)],
        ExprKind::Each(_, each) => {
            let again = each.filter.iter().chain([&each.body]).map(|part| (part, true));
            [once(&each.list)].into_iter().chain(again).collect()
        }
        ExprKind::Fold(fold) => {
            let first = fold.carried.iter().map(|(_, first)| once(first));
            let next = fold.filter.iter().chain(&fold.next).map(|next| (next, true));
            first.chain([once(&fold.list)]).chain(next).collect()
        }
    }
}

/// Does a loop of this expression run what is at a place?
fn repeats(expr: &Expr, place: Span) -> bool {
    let holds = |part: &Expr| part.span.start <= place.start && place.end <= part.span.end;
    parts(expr).into_iter().any(|(part, again)| holds(part) && (again || repeats(part, place)))
}

/// Calls `see` for an expression and all in it.
pub fn each(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(expr);
    parts(expr).into_iter().for_each(|(part, _)| each(part, see));
}

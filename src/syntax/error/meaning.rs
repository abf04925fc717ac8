//! Errors of texts that fit the grammar and are wrong all the same: one small function each.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::syntax::ast::{Binding, Expr, ExprKind, Name};
use crate::syntax::habit;

/// `param length in 64 = 96`
pub fn no_range(source: &Source, found: Span) -> Diagnostic {
    let text = source.slice(found);
    let error = Diagnostic::error("E143", "a parameter needs a range", found, "this is no range");
    let said = habit::call(source, found).map(|said| said.text).filter(|text| text.contains(".."));
    let pair = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = pair.and_then(|pair| pair.split_once(',')).filter(|(_, high)| !high.contains(','));
    let dash =
        text.split_once('-').filter(|(low, high)| is_number(low.trim()) && is_number(high.trim()));
    let pair = pair.or(dash);
    let range = pair.map(|(low, high)| format!("{}..{}", low.trim(), high.trim()));
    if let Some(range) = said.or(range) {
        return error.help(format!("write `{range}`")).fix(found, range).sure();
    }
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or("");
    let all: Option<Vec<i64>> = inside.split(',').map(|one| one.trim().parse().ok()).collect();
    if let Some((low, high)) = all.and_then(|all| Some((*all.iter().min()?, *all.iter().max()?))) {
        let range = format!("{low}..{high}");
        let help = format!("write `{range}`; values of your own are set by levels, a line each");
        return error.help(help).fix(found, range);
    }
    let error =
        error.help(format!("write `1..{text}`: the least and the greatest value, both taken in"));
    match text.parse::<i64>() {
        Ok(1..) => error.fix(Span::new(found.start, found.start), "1.."),
        _ => error,
    }
}

/// `level hard: length = 400 quote = 2`
pub fn comma_before_setting(source: &Source, before: Span, set: &Binding) -> Diagnostic {
    let name = &set.name.text;
    let title = format!("a comma is missing before `{name}`");
    Diagnostic::error("E128", title, set.name.span, "a second value of the level")
        .and(before, "the level goes on after this")
        .help(format!("write `, {name} = {}`", source.slice(set.value.span)))
        .fix(Span::new(before.end, before.end), ",")
        .sure()
}

/// The same with a further value of the level, which wants a comma too.
pub fn one_more_comma(error: &Diagnostic, before: Span) -> Diagnostic {
    error.clone().fix(Span::new(before.end, before.end), ",").sure()
}

/// `a < b < c`, `1..2..3`
pub fn compared_twice(source: &Source, left: &Expr, symbol: Span, right: Span) -> Diagnostic {
    let (first, again) = (source.slice(left.span), source.slice(symbol));
    match &left.kind {
        ExprKind::Binary(_, _, _, middle) if source.slice(left.span.to(right)).contains('\n') => {
            // A list of YAML's, whose `- ` reads as minus.
            let whole = source.slice(left.span.to(right));
            let lines = whole.lines().map(|line| line.trim().trim_start_matches("- "));
            let all = lines.collect::<Vec<_>>().join(" and ");
            Diagnostic::error("E137", "two comparisons in a row", symbol, AGAIN)
                .and(middle.span, "compared here already")
                .help(format!("a rule is one relation: write `{all}`"))
        }
        ExprKind::Binary(_, _, _, middle) => {
            let second = format!("{} {again} {}", source.slice(middle.span), source.slice(right));
            let both = format!("{first} and {second}");
            if is_denied(source, left) {
                return Diagnostic::error("E137", "two comparisons in a row", symbol, AGAIN)
                    .and(left.span, "compared here already")
                    .help(format!("write `not ({both})`"))
                    .fix(left.span.to(right), format!("({both})"));
            }
            Diagnostic::error("E137", "two comparisons in a row", symbol, AGAIN)
                .and(left.span, "compared here already")
                .help(format!("write `{both}`"))
                .fix(Span::new(symbol.start, symbol.start), insert_and(source, middle.span))
                .sure_if(is_rising(source, left, again))
        }
        _ => Diagnostic::error("E137", "two ranges in a row", symbol, "`..` once more")
            .help(format!("write one range, such as `{first}`")),
    }
}

/// Does `a < b < c` say that the three are in order? What `==` compares once more may be a boolean.
fn is_rising(source: &Source, left: &Expr, again: &str) -> bool {
    let ExprKind::Binary(_, first, ..) = &left.kind else { return false };
    let first = source.slice(*first);
    let is_one = |symbol: &str| matches!(symbol, "<" | "<=" | ">" | ">=");
    is_one(first) && is_one(again) && first[..1] == again[..1]
}

/// Does a `not` stand before it? That is of all three.
fn is_denied(source: &Source, left: &Expr) -> bool {
    let before = source.text[..left.span.start].trim_end();
    before.ends_with("not")
        && !before[..before.len() - 3]
            .ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
}

const AGAIN: &str = "this compares once more";

fn insert_and(source: &Source, middle: Span) -> String {
    format!("and {} ", source.slice(middle))
}

/// `fold a = 0, b = 1 over x in xs: b`
pub fn fold_count(fold: Span, carried: &[(Name, Expr)], next: &[Expr]) -> Diagnostic {
    let title = format!("a fold that carries {} values returns {}", carried.len(), next.len());
    let names = |(name, _): &(Name, Expr)| format!("`{}`", name.text);
    let names: Vec<String> = carried.iter().map(names).collect();
    let last = next.last().map_or(fold, |value| value.span);
    Diagnostic::error("E142", title, last, "the last value given")
        .and(carried[0].0.span.to(carried[carried.len() - 1].0.span), "the values carried")
        .help(format!(
            "write one next value for each of {}; parentheses around the fold end it",
            names.join(", ")
        ))
}

/// `9223372036854775808`
pub fn integer_too_large(number: Span) -> Diagnostic {
    Diagnostic::error("E113", "this integer is too large", number, "more than 64 bits hold")
        .help(format!("write at most `{}`", i64::MAX))
}

/// `x = "{y}"`
pub fn placeholder_outside_layout(source: &Source, placeholder: Span) -> Diagnostic {
    let value = source.slice(placeholder);
    Diagnostic::error(
        "E114",
        "a path has no placeholders",
        placeholder,
        "shown in the path of a file",
    )
    .help(format!("write the name of one file; a brace is written twice: `{{{{{value}}}}}`"))
}

/// `"""text"""`
pub fn text_beside_quotes(source: &Source, text: Span, opening_is_right: bool) -> Diagnostic {
    let inside = &source.slice(text)[3..text.end - text.start - 3];
    let error = |quotes, label| {
        let title = "a `\"\"\"` text begins and ends on lines of its own";
        Diagnostic::error("E109", title, quotes, label)
    };
    if !inside.contains('\n') {
        let one_line = format!("\"{}\"", inside.replace('\\', "\\\\").replace('"', "\\\""));
        let error = error(text, "all on one line");
        // In a placeholder, a quote or a backslash is no part of the text.
        let as_it_is = inside.contains('{') && inside.contains(['"', '\\']);
        return match as_it_is {
            true => error.help("write `\"` for a text on one line"),
            false => {
                // Elsewhere a backslash begins an escape between these quotes too.
                let is_sure = !inside.contains(['\\', '{', '}']);
                error.help(format!("write `{one_line}`")).fix(text, one_line).sure_if(is_sure)
            }
        };
    }
    if opening_is_right {
        let closing = Span::new(text.end - 3, text.end);
        let margin = "  ";
        return error(closing, "text stands before these quotes")
            .help("write `\"\"\"` on the next line")
            .fix(Span::new(closing.start, closing.start), format!("\n{margin}"))
            .sure_if(!inside.contains('\\'));
    }
    let last = inside.rsplit('\n').next().unwrap_or("");
    let margin = if last.trim().is_empty() { last } else { "  " };
    let begin = text.start + 3 + (inside.len() - inside.trim_start_matches([' ', '\t']).len());
    error(Span::new(text.start, text.start + 3), "text follows these quotes")
        .help("begin the text on the next line")
        .fix(Span::new(text.start + 3, begin), format!("\n{margin}"))
        .sure_if(!inside.contains('\\'))
}

/// A line of a `"""` text that starts left of the closing quotes.
pub fn less_margin(source: &Source, start: usize, margin: &str) -> Diagnostic {
    let line = source.text[start..].lines().next().unwrap_or("");
    let space = line.len() - line.trim_start_matches([' ', '\t']).len();
    let has = Span::new(start, start + space);
    let title = "this line starts left of the closing `\"\"\"`";
    Diagnostic::error("E108", title, has, "the margin is missing here")
        .help(format!("begin it with {} spaces, as the closing quotes do", margin.len()))
        .fix(has, margin)
}

/// `///` with no statement after it.
pub fn documents_nothing(doc: Span) -> Diagnostic {
    let slashes = Span::new(doc.start, doc.start + 3);
    Diagnostic::error("E118", "this documents nothing", doc, "no statement follows")
        .help("write `//` for a comment")
        .fix(slashes, "//")
        .sure()
}

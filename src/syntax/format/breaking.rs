//! Lines that are too long, broken where they bind least.

use super::WIDTH;
use super::print::{Printer, width};
use crate::syntax::tokens::Kind;

/// The atoms `from..to`, the first line beginning at `column`, the others at `indent`.
pub fn lay_out(
    printer: &Printer<'_>,
    from: usize,
    to: usize,
    column: usize,
    indent: usize,
) -> String {
    let flat = printer.flat(from, to, indent);
    if column + width(&flat) <= WIDTH || to - from < 2 {
        return flat;
    }
    let mut cuts = cuts(printer, from, to);
    cuts.retain(|&cut| from < cut && cut < to);
    if !cuts.is_empty() {
        return at_cuts(printer, from, to, column, indent, &cuts);
    }
    match widest_bracket(printer, from, to) {
        Some((open, close)) => in_bracket(printer, (from, open), (close, to), indent),
        None => flat,
    }
}

/// Where new lines begin: after the colon of a loop or a statement, before `then`, `else` and
/// `where`, or before the operators that bind least.
fn cuts(printer: &Printer<'_>, from: usize, to: usize) -> Vec<usize> {
    let all: Vec<usize> = printer.top_level(from, to).collect();
    let tail = all.iter().copied().find(|&at| is_prefix(printer.text(at)));
    let colon = all.iter().copied().find(|&at| printer.text(at) == ":");
    match (colon, tail) {
        (Some(colon), None) => return vec![colon + 1],
        (Some(colon), Some(tail)) if colon < tail => return vec![colon + 1],
        _ => {}
    }
    let commas = all.iter().filter(|&&at| printer.text(at) == ",").map(|&at| at + 1);
    let commas: Vec<usize> = commas.filter(|&at| at < to).collect();
    // Outside of a fold's first values, a comma stands between values: nothing binds less.
    let folds = all.iter().any(|&at| printer.text(at) == "fold");
    if !folds && !commas.is_empty() {
        return commas;
    }
    let before_tail: Vec<usize> =
        all.iter().copied().filter(|&at| at > from && tail.is_none_or(|tail| at < tail)).collect();
    let levels: [&[&str]; 6] = [
        &["or"],
        &["and"],
        &["==", "!=", "<", "<=", ">", ">=", "in", "within"],
        &["+", "-"],
        &["*", "/", "%"],
        &["=", "~"],
    ];
    for (level, signs) in levels.iter().enumerate() {
        let after = usize::from(level == 5);
        let found: Vec<usize> = before_tail
            .iter()
            .copied()
            .filter(|&at| signs.contains(&printer.text(at)) && at + after < to)
            .filter(|&at| level == 5 || is_operand(printer, at - 1))
            .map(|at| at + after)
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    match tail {
        Some(tail) if printer.text(tail) == "if" => branches(printer, &all, tail),
        Some(_) => {
            let body = colon.map(|colon| colon + 1).filter(|&body| body < to);
            let filter = || all.iter().copied().find(|&at| printer.text(at) == "where");
            body.or_else(filter).into_iter().collect()
        }
        None => Vec::new(),
    }
}

/// The `then` and `else` of this `if`, not of one within it. In a chain of `else if`, each `else`:
/// a case is a line.
fn branches(printer: &Printer<'_>, all: &[usize], start: usize) -> Vec<usize> {
    let (mut thens, mut elses) = (Vec::new(), Vec::new());
    let mut inner = 0;
    for &at in all.iter().filter(|&&at| at > start) {
        match printer.text(at) {
            "if" if inner == 0 && elses.last() == Some(&(at - 1)) => {}
            "if" => inner += 1,
            "then" if inner == 0 => thens.push(at),
            "else" if inner == 0 => elses.push(at),
            "else" => inner -= 1,
            _ => {}
        }
    }
    if elses.len() < 2 { thens.into_iter().chain(elses).collect() } else { elses }
}

fn is_prefix(word: &str) -> bool {
    matches!(word, "if" | "all" | "any" | "count" | "for" | "fold")
}

fn is_operand(printer: &Printer<'_>, at: usize) -> bool {
    matches!(printer.atoms[at].kind, Kind::Word | Kind::Number | Kind::Close | Kind::TextOpen)
}

fn at_cuts(
    printer: &Printer<'_>,
    from: usize,
    to: usize,
    column: usize,
    indent: usize,
    cuts: &[usize],
) -> String {
    let mut starts = vec![from];
    starts.extend(cuts);
    starts.push(to);
    // What stands before an operator goes in further than the operator; a head does not.
    let before = printer.text(starts[1] - 1);
    let heads = matches!(before, "=" | ":" | ",");
    // Elements and cases stand below each other where the first begins its line.
    let below = (before == "," || printer.text(starts[1]) == "else") && column + 2 == indent;
    let indent = if below { column } else { indent };
    let pieces = starts.windows(2).enumerate().map(|(number, piece)| match number {
        0 if heads => lay_out(printer, piece[0], piece[1], column, indent),
        0 => lay_out(printer, piece[0], piece[1], column, indent + 2),
        _ => lay_out(printer, piece[0], piece[1], indent, indent + 2),
    });
    pieces.collect::<Vec<_>>().join(&format!("\n{}", " ".repeat(indent)))
}

/// The bracket whose content is longest.
fn widest_bracket(printer: &Printer<'_>, from: usize, to: usize) -> Option<(usize, usize)> {
    let mut widest: Option<(usize, usize)> = None;
    let mut open = None;
    for at in printer.top_level(from, to) {
        match printer.atoms[at].kind {
            Kind::Open => open = Some(at),
            Kind::Close => {
                let pair = (open?, at);
                let is_wider = widest.is_none_or(|(open, close)| pair.1 - pair.0 > close - open);
                if pair.1 > pair.0 + 1 && is_wider {
                    widest = Some(pair);
                }
            }
            _ => {}
        }
    }
    widest
}

/// The content of a bracket on lines of its own, one for each element.
fn in_bracket(
    printer: &Printer<'_>,
    (from, open): (usize, usize),
    (close, to): (usize, usize),
    indent: usize,
) -> String {
    let outer = indent.saturating_sub(2);
    let commas: Vec<usize> =
        printer.top_level(open + 1, close).filter(|&at| printer.text(at) == ",").collect();
    let mut text = printer.flat(from, open + 1, indent);
    let mut start = open + 1;
    for end in commas.into_iter().map(|comma| comma + 1).chain([close]) {
        text.push_str(&format!("\n{}", " ".repeat(indent)));
        text.push_str(&lay_out(printer, start, end, indent, indent + 2));
        start = end;
    }
    let rest = lay_out(printer, close, to, outer, indent);
    format!("{text}\n{}{rest}", " ".repeat(outer))
}

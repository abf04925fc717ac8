//! How an expression with wanted values is found: as a term, or put together of two and more.

use super::bank::TermId;
use super::expression::Expression;
use super::kind::Kind;
use super::op::{Each, Op};
use super::space::{Over, Search, Space};
use super::values::{Value, Values};
use crate::ir::Arithmetic;
use crate::runtime::builtins::Builtin;

/// Two branches of a conditional are chosen from so many terms at most.
const BRANCHES_MAX: usize = 64;
/// Conditions that are tried, at most.
const CONDITIONS_MAX: usize = 4096;

/// Terms that may be parts of a text, at most, of each kind.
const PARTS_MAX: usize = 20_000;
/// Parts of a text, at most.
const CUTS_MAX: usize = 7;

/// Terms whose rests are looked up together.
const RESTS_AT_ONCE: usize = 32;

/// What an expression must be for each example.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The kind of its values.
    pub kind: Kind,
    /// Its values.
    pub values: Vec<i64>,
}

impl Goal {
    /// Adds what these values lack to be the goal's, by an operation; adds nothing where there is
    /// nothing that gives them.
    fn rest(&self, of: &[i64], by: Arithmetic, rests: &mut Vec<i64>) -> bool {
        let start = rests.len();
        rests.extend(self.values.iter().zip(of).map_while(|(&goal, &one)| match by {
            Arithmetic::Add => goal.checked_sub(one),
            Arithmetic::Subtract => goal.checked_add(one),
            _ => (one != 0 && one != -1 && goal % one == 0).then(|| goal / one),
        }));
        let is_whole = rests.len() == start + self.values.len();
        if !is_whole {
            rests.truncate(start);
        }
        is_whole
    }
}

/// An expression, and what it costs.
pub type Found = (usize, Expression);

impl Space {
    /// The cheapest expression with these values that the terms of the bank make, as they are or
    /// with one step more.
    pub fn find(&self, goal: &Goal, search: &mut Search) -> Option<Found> {
        let mut best = self.term(goal, search);
        let mut offer = |found: Option<Found>| {
            let is_better = |found: &Found| best.as_ref().is_none_or(|best| found.0 < best.0);
            if let Some(found) = found.filter(is_better) {
                best = Some(found);
            }
        };
        if goal.kind == Kind::INT {
            offer(self.sum(goal, search));
        }
        if goal.kind.depth > 0 {
            offer(self.joined(goal, search));
            offer(self.reversed(goal, search));
        }
        if goal.kind == Kind::TEXT {
            offer(self.parts(goal, search));
            offer(self.letters(goal, search));
        }
        if goal.kind != Kind::BOOL {
            offer(self.conditional(goal, search));
        }
        if goal.kind.depth > 0 {
            for over in &self.loops {
                offer(self.mapped(over, goal, search));
                offer(self.chosen(over, goal, search));
            }
        }
        best
    }

    fn made(&self, id: TermId, search: &Search) -> Found {
        (self.bank.term(id).cost, self.bank.expression(id, &search.rows))
    }

    fn term(&self, goal: &Goal, search: &Search) -> Option<Found> {
        self.bank.find(goal.kind, &goal.values).map(|id| self.made(id, search))
    }

    /// `a + b`, `a - b`, `b - a`, `a * b`
    fn sum(&self, goal: &Goal, search: &Search) -> Option<Found> {
        use Arithmetic::{Add, Multiply, Subtract};
        let mut best: Option<(usize, TermId, TermId, Arithmetic)> = None;
        let mut rests = Vec::new();
        let terms: Vec<TermId> = self.bank.all(Kind::INT).collect();
        for some in terms.chunks(RESTS_AT_ONCE) {
            let cost = self.bank.term(some[0]).cost;
            if best.as_ref().is_some_and(|best| cost + 2 >= best.0) {
                break;
            }
            let all = some.iter().flat_map(|&a| [Add, Subtract, Multiply].map(|made| (a, made)));
            rests.clear();
            let of: Vec<(TermId, Arithmetic)> =
                all.filter(|&(a, made)| goal.rest(self.bank.values(a), made, &mut rests)).collect();
            let found = self.bank.find_all(Kind::INT, &rests);
            for ((a, arithmetic), b) in of.into_iter().zip(found) {
                let Some(b) = b else { continue };
                let cost = self.bank.term(a).cost + self.bank.term(b).cost + 1;
                if best.as_ref().is_none_or(|best| cost < best.0) {
                    best = Some((cost, a, b, arithmetic));
                }
            }
        }
        let (cost, a, b, arithmetic) = best?;
        // What is taken away stands right.
        let (left, right) = if arithmetic == Subtract { (b, a) } else { (a, b) };
        let of = [left, right].map(|id| self.bank.expression(id, &search.rows));
        Some((cost, Expression::Apply(Op::Arithmetic(arithmetic), of.into())))
    }

    /// `xs + ys`
    fn joined(&self, goal: &Goal, search: &mut Search) -> Option<Found> {
        let mut best: Option<(usize, TermId, TermId)> = None;
        for a in self.bank.all(goal.kind).collect::<Vec<_>>() {
            let cost = self.bank.term(a).cost;
            if best.as_ref().is_some_and(|best| cost + 2 >= best.0) {
                break;
            }
            let rest = rests(self.bank.values(a), goal, &mut search.values);
            let Some(b) = rest.and_then(|rest| self.bank.find(goal.kind, &rest)) else { continue };
            let cost = cost + self.bank.term(b).cost + 1;
            if best.as_ref().is_none_or(|best| cost < best.0) {
                best = Some((cost, a, b));
            }
        }
        let (cost, a, b) = best?;
        let of = [a, b].map(|id| self.bank.expression(id, &search.rows));
        Some((cost, Expression::Apply(Op::Builtin(Builtin::Append), of.into())))
    }

    /// `reverse(xs)`
    fn reversed(&self, goal: &Goal, search: &mut Search) -> Option<Found> {
        let turned: Option<Vec<i64>> = goal
            .values
            .iter()
            .map(|&list| {
                let mut elements = search.values.elements(list, goal.kind);
                elements.reverse();
                search.values.list(&elements, goal.kind).ok()
            })
            .collect();
        let (cost, of) = self.term(&Goal { kind: goal.kind, values: turned? }, search)?;
        Some((cost + 1, Expression::Apply(Op::Builtin(Builtin::Reverse), vec![of])))
    }

    /// `"{join("", letters)}"`
    fn letters(&self, goal: &Goal, search: &mut Search) -> Option<Found> {
        let kind = Kind::TEXT.list();
        let letters: Option<Vec<i64>> = goal
            .values
            .iter()
            .map(|&text| {
                search
                    .values
                    .make(kind, |memory| {
                        Builtin::Letters.run(memory, Kind::TEXT.shape(), [text, 0, 0])
                    })
                    .ok()
            })
            .collect();
        let (cost, of) = self.find(&Goal { kind, values: letters? }, search)?;
        let nothing = Expression::Constant(Value::Text(String::new()), Kind::TEXT);
        Some((cost + 1, Expression::Apply(Op::Joined, vec![nothing, of])))
    }

    /// `"Dr. {name}!"`
    fn parts(&self, goal: &Goal, search: &Search) -> Option<Found> {
        let whole: Vec<&str> = goal.values.iter().map(|&text| search.values.shown(text)).collect();
        let terms: Vec<(usize, TermId, Vec<String>)> = [Kind::TEXT, Kind::INT]
            .into_iter()
            .flat_map(|kind| self.bank.all(kind).take(PARTS_MAX).map(move |id| (kind, id)))
            .map(|(kind, id)| {
                let shown = self.bank.values(id).iter().map(|&cell| match kind {
                    Kind::TEXT => search.values.shown(cell).to_string(),
                    _ => cell.to_string(),
                });
                (self.bank.term(id).cost, id, shown.collect::<Vec<_>>())
            })
            // What is one text for all examples is a part as it stands.
            .filter(|(.., shown)| {
                shown.windows(2).any(|two| two[0] != two[1])
                    && shown.iter().zip(&whole).all(|(part, whole)| whole.contains(part.as_str()))
            })
            .collect();
        let mut cut = Cut { terms: &terms, parts: Vec::new(), best: None };
        cut.go_on(&whole, 1);
        let (cost, parts) = cut.best?;
        let parts = parts.into_iter().map(|part| match part {
            Part::Term(id) => self.bank.expression(id, &search.rows),
            Part::Text(text) => Expression::Constant(Value::Text(text), Kind::TEXT),
        });
        Some((cost, Expression::Parts(parts.collect())))
    }

    /// `if condition then a else b`
    fn conditional(&self, goal: &Goal, search: &Search) -> Option<Found> {
        if goal.values.len() > 64 {
            return None;
        }
        let mask = |of: &[i64]| {
            let right = of.iter().zip(&goal.values).map(|(one, goal)| one == goal);
            right.rev().fold(0_u64, |mask, is| mask << 1 | u64::from(is))
        };
        let everything = mask(&goal.values);
        let mut branches: Vec<(u64, TermId)> = Vec::new();
        for id in self.bank.all(goal.kind) {
            let of = mask(self.bank.values(id));
            if of != 0 && of != everything && branches.iter().all(|&(known, _)| of & !known != 0) {
                branches.push((of, id));
                if branches.len() == BRANCHES_MAX {
                    break;
                }
            }
        }
        let conditions: Vec<(u64, TermId)> = self
            .bank
            .all(Kind::BOOL)
            .take(CONDITIONS_MAX)
            .map(|id| (of_bools(self.bank.values(id)), id))
            .collect();
        let cost = |id: TermId| self.bank.term(id).cost;
        let mut best: Option<(usize, [TermId; 3])> = None;
        for &(yes, a) in &branches {
            for &(no, b) in &branches {
                let least = cost(a) + cost(b) + 3;
                if yes | no != everything || best.is_some_and(|best| least >= best.0) {
                    continue;
                }
                let fits =
                    |&&(is, _): &&(u64, TermId)| is & !yes == 0 && everything & !is & !no == 0;
                if let Some(&(_, condition)) = conditions.iter().find(fits) {
                    let all = cost(a) + cost(b) + cost(condition) + 2;
                    if best.is_none_or(|best| all < best.0) {
                        best = Some((all, [condition, a, b]));
                    }
                }
            }
        }
        let (cost, of) = best?;
        let of = of.map(|id| self.bank.expression(id, &search.rows));
        Some((cost, Expression::Apply(Op::If, of.into())))
    }

    /// `for x in xs: body`
    fn mapped(&self, over: &Over, goal: &Goal, search: &mut Search) -> Option<Found> {
        let kind = goal.kind.element()?;
        let sizes = over.elements.iter().zip(&goal.values);
        if !sizes.clone().all(|(range, &list)| range.len() == Values::size(list)) {
            return None;
        }
        let values = sizes.flat_map(|(_, &list)| search.values.elements(list, goal.kind)).collect();
        let (cost, body) = over.inner.find(&Goal { kind, values }, search)?;
        Some(self.each(Each::For, over, cost, body, search))
    }

    /// `for x in xs where condition: x`
    fn chosen(&self, over: &Over, goal: &Goal, search: &mut Search) -> Option<Found> {
        let source = self.bank.term(over.source);
        if source.kind != goal.kind {
            return None;
        }
        let mut values = Vec::new();
        for (&all, &kept) in self.bank.values(over.source).iter().zip(&goal.values) {
            let all = search.values.elements(all, goal.kind);
            let kept = search.values.elements(kept, goal.kind);
            let mut rest = kept.iter().peekable();
            for one in &all {
                // Where equal elements are kept and left, which is not known.
                let is_kept = rest.next_if(|&&next| next == *one).is_some();
                values.push(i64::from(is_kept));
            }
            rest.next().is_none().then_some(())?;
        }
        let goal = Goal { kind: Kind::BOOL, values };
        let (cost, body) = over.inner.find(&goal, search)?;
        Some(self.each(Each::Where, over, cost, body, search))
    }

    fn each(
        &self,
        each: Each,
        over: &Over,
        cost: usize,
        body: Expression,
        search: &Search,
    ) -> Found {
        let (source_cost, source) = self.made(over.source, search);
        let mut of = vec![source, body];
        if each == Each::Where {
            of.push(Expression::Element(self.level));
        }
        (cost + source_cost + 1, Expression::Loop(each, self.level, of))
    }
}

/// A part of a text: what a term shows, or a text.
#[derive(Clone)]
enum Part {
    Term(TermId),
    Text(String),
}

/// Texts cut into parts from the left.
struct Cut<'a> {
    /// Terms with their costs, and what they show.
    terms: &'a [(usize, TermId, Vec<String>)],
    parts: Vec<Part>,
    best: Option<(usize, Vec<Part>)>,
}

impl Cut<'_> {
    fn go_on(&mut self, rest: &[&str], cost: usize) {
        if self.best.as_ref().is_some_and(|best| cost >= best.0) || self.parts.len() > CUTS_MAX {
            return;
        }
        if rest.iter().all(|rest| rest.is_empty()) {
            let has_term = self.parts.iter().any(|part| matches!(part, Part::Term(_)));
            if has_term {
                self.best = Some((cost, self.parts.clone()));
            }
            return;
        }
        for (part_cost, id, shown) in self.terms {
            let after: Option<Vec<&str>> = rest
                .iter()
                .zip(shown)
                .map(|(rest, part)| rest.strip_prefix(part.as_str()))
                .collect();
            let Some(after) = after.filter(|_| shown.iter().any(|part| !part.is_empty())) else {
                continue;
            };
            self.parts.push(Part::Term(*id));
            self.go_on(&after, cost + part_cost);
            self.parts.pop();
        }
        if matches!(self.parts.last(), Some(Part::Text(_))) {
            return;
        }
        // A text that all begin with, the longest first.
        let common = common_start(rest);
        let mut ends: Vec<usize> =
            common.char_indices().map(|(at, one)| at + one.len_utf8()).collect();
        ends.reverse();
        for end in ends {
            let after: Vec<&str> = rest.iter().map(|rest| &rest[end..]).collect();
            self.parts.push(Part::Text(common[..end].to_string()));
            self.go_on(&after, cost + text_cost(&common[..end]));
            self.parts.pop();
        }
    }
}

/// What a text costs that stands in a rule.
pub fn text_cost(text: &str) -> usize {
    1 + text.chars().count().div_ceil(3)
}

fn common_start<'a>(texts: &[&'a str]) -> &'a str {
    let Some((first, others)) = texts.split_first() else { return "" };
    let is_common = |&(at, one): &(usize, char)| {
        others.iter().all(|other| other[at.min(other.len())..].starts_with(one))
    };
    let ends = first.char_indices().take_while(is_common).last();
    &first[..ends.map_or(0, |(at, one)| at + one.len_utf8())]
}

/// What follows each list in the goal's, if all of them begin those.
fn rests(firsts: &[i64], goal: &Goal, values: &mut Values) -> Option<Vec<i64>> {
    let both = firsts.iter().zip(&goal.values);
    let fits = |(&first, &whole): (&i64, &i64)| Values::size(first) <= Values::size(whole);
    if !both.clone().all(fits) || firsts.iter().all(|&first| Values::size(first) == 0) {
        return None;
    }
    both.map(|(&first, &whole)| {
        let (first, whole) = (values.elements(first, goal.kind), values.elements(whole, goal.kind));
        let rest = whole.strip_prefix(&first[..])?;
        values.list(rest, goal.kind).ok()
    })
    .collect()
}

fn of_bools(of: &[i64]) -> u64 {
    of.iter().rev().fold(0, |mask, &is| mask << 1 | (is as u64 & 1))
}

//! The expressions over one set of names: those of the examples, or of the elements of a list.

use std::ops::Range;

use super::bank::{Bank, TermId};
use super::examples::Column;
use super::expression::Expression;
use super::kind::Kind;
use super::limits::Limits;
use super::op::{Each, Row};
use super::values::{Value, Values};

/// What a loop costs beside its source and its body.
const LOOP_COST: usize = 1;
/// Loops go over lists that cost at most so much, in loops less.
const SOURCE_COST_MAX: [usize; 2] = [3, 1];
/// So many lists at most.
const SOURCES_MAX: [usize; 2] = [24, 3];
/// Loops of one list with a condition beside their body, at most, of each cost.
const FILTERED_MAX: usize = 20_000;
/// Elements of all examples together, at most: a loop over more is not looked into.
const ELEMENTS_MAX: usize = 4096;
/// Fields and constants of this cost stand in the bodies of loops; more is made there.
const OUTER_COST_MAX: usize = 2;

/// A bank, and the banks of the bodies of loops over its lists.
pub struct Space {
    /// The expressions.
    pub bank: Bank,
    /// How many loops are around.
    pub level: usize,
    /// The loops over its lists.
    pub loops: Vec<Over>,
    /// The cost up to which all is made.
    pub done: usize,
}

/// The bodies of the loops over one list.
pub struct Over {
    /// The list.
    pub source: TermId,
    /// The elements of each example.
    pub elements: Vec<Range<usize>>,
    /// Their expressions.
    pub inner: Space,
}

/// What all spaces of a search share.
pub struct Search<'a> {
    /// The operations.
    pub rows: Vec<Row>,
    /// All values.
    pub values: Values,
    /// How long it may take.
    pub limits: &'a Limits<'a>,
    /// The bytes that terms may take.
    pub bytes_max: usize,
}

impl Space {
    /// For so many examples.
    pub fn new(width: usize, level: usize) -> Space {
        Space { bank: Bank::new(width), level, loops: Vec::new(), done: 0 }
    }

    /// For examples with these inputs, whose values are put in; none where they have no room.
    pub fn over_inputs(inputs: &[Column], values: &mut Values) -> Option<Space> {
        let mut space = Space::new(inputs.first()?.values.len(), 0);
        for (at, input) in inputs.iter().enumerate() {
            let cells = cells(input, values)?;
            space.bank.leaf(input.kind, 1, &cells, || Expression::Field(at));
        }
        Some(space)
    }

    /// Makes all that costs so much; what costs less was made. None if the limits are reached.
    pub fn grow(&mut self, search: &mut Search) -> Option<()> {
        let cost = self.done + 1;
        self.bank.grow(cost, &search.rows, &mut search.values, search.limits);
        search.limits.look()?;
        self.grow_loops(cost, search)?;
        self.open_loops(cost, search);
        self.done = cost;
        (self.bytes() < search.bytes_max && !search.values.is_full).then_some(())
    }

    /// The bytes that all terms take.
    pub fn bytes(&self) -> usize {
        self.bank.bytes() + self.loops.iter().map(|over| over.inner.bytes()).sum::<usize>()
    }

    /// How many values were computed.
    pub fn computed(&self) -> u64 {
        self.bank.computed + self.loops.iter().map(|over| over.inner.computed()).sum::<u64>()
    }

    /// Loops over the lists of this cost, from now on.
    fn open_loops(&mut self, cost: usize, search: &mut Search) {
        let deep = self.level.min(2);
        if deep == 2 || cost > SOURCE_COST_MAX[deep] {
            return;
        }
        for kind in self.bank.kinds() {
            let Some(element) = kind.element() else { continue };
            for source in self.bank.of(kind, cost).to_vec() {
                if self.loops.len() == SOURCES_MAX[deep] {
                    return;
                }
                let over = self.over(source, kind, element, search);
                self.loops.extend(over);
            }
        }
    }

    fn over(&self, source: TermId, kind: Kind, element: Kind, search: &mut Search) -> Option<Over> {
        let (mut all, mut elements, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, &list) in self.bank.values(source).iter().enumerate() {
            let start = all.len();
            all.extend(search.values.elements(list, kind));
            elements.push(start..all.len());
            owners.resize(all.len(), owner);
        }
        if all.len() > ELEMENTS_MAX || all.len() < 2 {
            return None;
        }
        let mut inner = Space::new(all.len(), self.level + 1);
        let variable = Expression::Element(self.level);
        inner.bank.leaf(element, 1, &all, || variable);
        for cost in 1..=OUTER_COST_MAX {
            for kind in self.bank.kinds() {
                for &outer in self.bank.of(kind, cost) {
                    if !self.bank.is_leaf(outer) {
                        continue;
                    }
                    let of = self.bank.values(outer);
                    let lifted: Vec<i64> = owners.iter().map(|&owner| of[owner]).collect();
                    let expression = || self.bank.expression(outer, &search.rows);
                    inner.bank.leaf(kind, cost, &lifted, expression);
                }
            }
        }
        Some(Over { source, elements, inner })
    }

    /// What the loops give that costs so much in all.
    fn grow_loops(&mut self, cost: usize, search: &mut Search) -> Option<()> {
        for at in 0..self.loops.len() {
            let source_cost = self.bank.term(self.loops[at].source).cost;
            let Some(body) = cost.checked_sub(source_cost + LOOP_COST) else { continue };
            while self.loops[at].inner.done < body {
                self.loops[at].inner.grow(search)?;
            }
            let inner = &self.loops[at].inner.bank;
            for kind in inner.kinds() {
                for id in self.loops[at].inner.bank.of(kind, body).to_vec() {
                    self.close(at, id, kind, cost, search)?;
                }
            }
            self.filter(at, body, cost, search)?;
        }
        Some(())
    }

    /// `for x in xs where condition: body`, where those cost so much together.
    fn filter(&mut self, at: usize, both: usize, cost: usize, search: &mut Search) -> Option<()> {
        let Space { bank, level, loops, .. } = self;
        let Over { source, elements, inner } = &loops[at];
        let (rows, values) = (&search.rows, &mut search.values);
        let mut left = FILTERED_MAX;
        for first in 1..both {
            for &condition in inner.bank.of(Kind::BOOL, first) {
                let is = inner.bank.values(condition);
                // What holds of all, or of none, chooses nothing.
                if is.iter().all(|&one| one == is[0]) {
                    continue;
                }
                for kind in inner.bank.kinds().into_iter().filter(|kind| kind.depth < 2) {
                    for &body in inner.bank.of(kind, both - first) {
                        if left == 0 {
                            return Some(());
                        }
                        let made = inner.bank.expression(body, rows);
                        if made == Expression::Element(*level) {
                            continue;
                        }
                        left -= 1;
                        let of = inner.bank.values(body);
                        let chosen = |range: &Range<usize>| {
                            let kept = range.clone().filter(|&one| is[one] != 0);
                            let kept: Vec<i64> = kept.map(|one| of[one]).collect();
                            values.list(&kept, kind.list()).ok()
                        };
                        let lists: Option<Vec<i64>> = elements.iter().map(chosen).collect();
                        let lists = lists?;
                        search.limits.look()?;
                        if !bank.takes(kind.list(), &lists) {
                            continue;
                        }
                        let source = bank.expression(*source, rows);
                        let condition = inner.bank.expression(condition, rows);
                        let of = vec![source, condition, made];
                        bank.leaf(kind.list(), cost, &lists, || {
                            Expression::Loop(Each::Where, *level, of)
                        });
                    }
                }
            }
        }
        Some(())
    }

    /// The loops with one body.
    fn close(
        &mut self,
        at: usize,
        body: TermId,
        kind: Kind,
        cost: usize,
        search: &mut Search,
    ) -> Option<()> {
        let Space { bank, level, loops, .. } = self;
        let Over { source, elements, inner } = &loops[at];
        let (rows, values) = (&search.rows, &mut search.values);
        let of = inner.bank.values(body);
        let expression = |each: Each, bank: &Bank| {
            let source = bank.expression(*source, rows);
            let mut of = vec![source, inner.bank.expression(body, rows)];
            if each == Each::Where {
                of.push(Expression::Element(*level));
            }
            Expression::Loop(each, *level, of)
        };
        let each_of = |range: &Range<usize>| &of[range.clone()];
        if kind.depth < 2 && inner.bank.expression(body, rows) != Expression::Element(*level) {
            let lists: Option<Vec<i64>> = elements
                .iter()
                .map(|range| values.list(each_of(range), kind.list()).ok())
                .collect();
            let lists = lists?;
            if bank.takes(kind.list(), &lists) {
                let made = expression(Each::For, bank);
                bank.leaf(kind.list(), cost, &lists, || made);
            }
        }
        if kind != Kind::BOOL {
            return search.limits.look();
        }
        let list = bank.term(*source).kind;
        let sources = bank.values(*source).to_vec();
        let chosen: Option<Vec<i64>> = sources
            .iter()
            .zip(elements)
            .map(|(&source, range)| {
                let all = values.elements(source, list);
                let kept = all.iter().zip(each_of(range)).filter(|(_, is)| **is != 0);
                values.list(&kept.map(|(&one, _)| one).collect::<Vec<_>>(), list).ok()
            })
            .collect();
        let count = |range: &Range<usize>| each_of(range).iter().sum::<i64>();
        let counts: Vec<i64> = elements.iter().map(count).collect();
        let all: Vec<i64> = elements
            .iter()
            .zip(&counts)
            .map(|(range, &n)| i64::from(n == range.len() as i64))
            .collect();
        let any: Vec<i64> = counts.iter().map(|&n| i64::from(n > 0)).collect();
        for (each, kind, values) in [
            (Each::Where, list, chosen?),
            (Each::Count, Kind::INT, counts),
            (Each::All, Kind::BOOL, all),
            (Each::Any, Kind::BOOL, any),
        ] {
            if bank.takes(kind, &values) {
                let made = expression(each, bank);
                bank.leaf(kind, cost, &values, || made);
            }
        }
        search.limits.look()
    }
}

/// The values of a column, put in.
pub fn cells(column: &Column, values: &mut Values) -> Option<Vec<i64>> {
    column.values.iter().map(|value| values.put(value, column.kind).ok()).collect()
}

/// A constant as a leaf of a bank.
pub fn constant(
    bank: &mut Bank,
    values: &mut Values,
    constant: &Value,
    kind: Kind,
    cost: usize,
) -> Option<()> {
    let cell = values.put(constant, kind).ok()?;
    let width = bank.width();
    bank.leaf(kind, cost, &vec![cell; width], || Expression::Constant(constant.clone(), kind));
    Some(())
}

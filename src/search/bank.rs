//! All expressions up to a cost, each value once: the cheapest expression that has it.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashMap};

use super::expression::Expression;
use super::kind::Kind;
use super::limits::Limits;
use super::op::{Op, Row};
use super::table::Table;
use super::values::Values;

/// The number of a term in its bank.
pub type TermId = u32;

/// How a term is made.
#[derive(Clone, Copy, Debug)]
enum Made {
    /// Elsewhere: a field, a constant, a loop.
    Leaf(u32),
    /// By an operation, on terms.
    Apply(u16, [TermId; 3]),
}

/// An expression of which only its values and its parts are kept.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// The kind of its values.
    pub kind: Kind,
    /// The sum of what its parts cost.
    pub cost: usize,
    made: Made,
}

/// Terms by kind and cost, of which no two of one kind have the same values.
pub struct Bank {
    /// How many values a term has: one for each example, or each element of each example.
    width: usize,
    terms: Vec<Term>,
    values: Vec<i64>,
    by_cost: HashMap<Kind, Vec<Vec<TermId>>>,
    /// The terms by the hash of their kind and values.
    seen: Table<TermId>,
    hash: DefaultHashBuilder,
    leaves: Vec<Expression>,
    /// Values of which other terms are kept too, and those.
    wanted: Vec<(Kind, Vec<i64>)>,
    others: Vec<(usize, Term)>,
    /// How many values were computed.
    pub computed: u64,
}

/// Terms that are computed before they are looked up: the places of a table that is larger than a
/// core's cache come from memory side by side.
const AT_ONCE: usize = 16;
/// Terms with wanted values beside the first.
const OTHERS_MAX: usize = 32;

impl Bank {
    /// For terms with so many values.
    pub fn new(width: usize) -> Bank {
        Bank {
            width,
            terms: Vec::new(),
            values: Vec::new(),
            by_cost: HashMap::new(),
            seen: Table::new(),
            hash: DefaultHashBuilder::default(),
            leaves: Vec::new(),
            wanted: Vec::new(),
            others: Vec::new(),
            computed: 0,
        }
    }

    /// Has further terms with these values be kept, for [`Bank::others`].
    pub fn want(&mut self, kind: Kind, values: Vec<i64>) {
        self.wanted.push((kind, values));
    }

    /// How many values a term has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The bytes that they take.
    pub fn bytes(&self) -> usize {
        self.values.len() * 8 + self.terms.len() * (size_of::<Term>() + 16)
    }

    /// A term.
    pub fn term(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }

    /// Was it made elsewhere?
    pub fn is_leaf(&self, id: TermId) -> bool {
        matches!(self.term(id).made, Made::Leaf(_))
    }

    /// A term's values.
    #[inline]
    pub fn values(&self, id: TermId) -> &[i64] {
        &self.values[id as usize * self.width..][..self.width]
    }

    /// The terms of a kind and a cost.
    pub fn of(&self, kind: Kind, cost: usize) -> &[TermId] {
        self.by_cost.get(&kind).and_then(|costs| costs.get(cost)).map_or(&[], Vec::as_slice)
    }

    /// All terms of a kind, the cheapest first.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = TermId> + '_ {
        self.by_cost.get(&kind).into_iter().flatten().flatten().copied()
    }

    /// The kinds that there are terms of.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.by_cost.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }

    /// The term with these values.
    #[inline]
    pub fn find(&self, kind: Kind, values: &[i64]) -> Option<TermId> {
        self.find_hashed(kind, self.hash_of(kind, values), values)
    }

    #[inline]
    fn find_hashed(&self, kind: Kind, hash: u64, values: &[i64]) -> Option<TermId> {
        self.known(hash).filter(|&id| {
            // What is found by a hash alone is looked at where it counts.
            self.term(id).kind == kind && self.values(id) == values
        })
    }

    /// The terms with each of these values, which lie one after the other.
    pub fn find_all(&self, kind: Kind, values: &[i64]) -> Vec<Option<TermId>> {
        let all = values.chunks_exact(self.width);
        let hashes: Vec<u64> = all.clone().map(|values| self.hash_of(kind, values)).collect();
        self.seen.touch(hashes.iter().copied());
        all.zip(hashes).map(|(values, hash)| self.find_hashed(kind, hash, values)).collect()
    }

    #[inline]
    fn hash_of(&self, kind: Kind, values: &[i64]) -> u64 {
        let mut hasher = self.hash.build_hasher();
        hasher.write(bytemuck::cast_slice(values));
        hasher.write_u16(u16::from(kind.depth) << 8 | kind.scalar as u16);
        hasher.finish()
    }

    /// The term of this hash. That two of ten million terms have one hash of 64 bits by chance
    /// happens in one search of some 400,000: a term is lost then, and nothing is wrong, since all
    /// that is found is computed again.
    #[inline]
    fn known(&self, hash: u64) -> Option<TermId> {
        self.seen.find(hash, |_| true)
    }

    /// The terms with wanted values beside the first, as expressions with their costs.
    pub fn others(&self, rows: &[Row], wanted: usize) -> Vec<(usize, Expression)> {
        let others = self.others.iter().filter(|(at, _)| *at == wanted);
        others.map(|(_, term)| (term.cost, self.made(term.made, rows))).collect()
    }

    /// A term as an expression.
    pub fn expression(&self, id: TermId, rows: &[Row]) -> Expression {
        self.made(self.term(id).made, rows)
    }

    fn made(&self, made: Made, rows: &[Row]) -> Expression {
        match made {
            Made::Leaf(leaf) => self.leaves[leaf as usize].clone(),
            Made::Apply(row, of) => {
                let row = &rows[row as usize];
                let of = of[..row.count].iter().map(|&one| self.expression(one, rows)).collect();
                match row.op {
                    Op::Mined(mined) => Expression::pattern(mined, of),
                    op => Expression::Apply(op, of),
                }
            }
        }
    }

    /// Are these values new, or wanted however they come?
    pub fn takes(&self, kind: Kind, values: &[i64]) -> bool {
        let is_wanted = || self.wanted.iter().any(|(of, wanted)| *of == kind && wanted == values);
        self.find(kind, values).is_none() || is_wanted()
    }

    /// Takes in what was made elsewhere, unless there are such values.
    pub fn leaf(
        &mut self,
        kind: Kind,
        cost: usize,
        values: &[i64],
        of: impl FnOnce() -> Expression,
    ) {
        let made = Made::Leaf(self.leaves.len() as u32);
        self.computed += self.width as u64;
        let before = self.others.len();
        if self.add(Term { kind, cost, made }, values) || self.others.len() > before {
            self.leaves.push(of());
        }
    }

    /// Keeps a term if its values are new.
    fn add(&mut self, term: Term, values: &[i64]) -> bool {
        self.add_hashed(term, self.hash_of(term.kind, values), values)
    }

    fn add_hashed(&mut self, term: Term, hash: u64, values: &[i64]) -> bool {
        if self.known(hash).is_some() {
            let wanted = self
                .wanted
                .iter()
                .position(|(kind, wanted)| *kind == term.kind && wanted == values);
            if let Some(at) = wanted.filter(|_| self.others.len() < OTHERS_MAX) {
                self.others.push((at, term));
            }
            return false;
        }
        let id = self.terms.len() as TermId;
        self.terms.push(term);
        self.values.extend_from_slice(values);
        self.seen.insert(hash, id);
        let costs = self.by_cost.entry(term.kind).or_default();
        if costs.len() <= term.cost {
            costs.resize(term.cost + 1, Vec::new());
        }
        costs[term.cost].push(id);
        true
    }

    /// Makes all terms of this cost by the operations, from those that cost less.
    pub fn grow(&mut self, cost: usize, rows: &[Row], values: &mut Values, limits: &Limits) {
        let mut results = vec![0; self.width * AT_ONCE];
        for (at, row) in rows.iter().enumerate() {
            let Some(left) = cost.checked_sub(row.cost) else { continue };
            let pending = Vec::with_capacity(AT_ONCE);
            let results = &mut results;
            let mut made = Making { at: at as u16, row, values, results, pending, limits };
            let is_over = match row.count {
                1 => self.grow_by_one(left, &mut made),
                2 => self.grow_by_two(left, &mut made),
                _ => self.grow_by_three(left, &mut made),
            };
            self.add_all(left, &mut made);
            if is_over.is_none() {
                return;
            }
        }
    }

    fn grow_by_one(&mut self, left: usize, making: &mut Making) -> Option<()> {
        for a in self.of(making.row.takes[0], left).to_vec() {
            self.apply([a; 3], left, making)?;
        }
        Some(())
    }

    fn grow_by_two(&mut self, left: usize, making: &mut Making) -> Option<()> {
        let [first, second, _] = making.row.takes;
        for cost in 1..left {
            let rest = left - cost;
            if making.row.is_symmetric && cost > rest {
                break;
            }
            let (firsts, seconds) = (self.of(first, cost).to_vec(), self.of(second, rest).to_vec());
            for &a in &firsts {
                for &b in &seconds {
                    if making.row.is_symmetric && cost == rest && b < a {
                        continue;
                    }
                    self.apply([a, b, b], left, making)?;
                }
            }
        }
        Some(())
    }

    fn grow_by_three(&mut self, left: usize, making: &mut Making) -> Option<()> {
        let [first, second, third] = making.row.takes;
        for cost in 1..left {
            let firsts = self.of(first, cost).to_vec();
            for other in 1..left - cost {
                let seconds = self.of(second, other).to_vec();
                let thirds = self.of(third, left - cost - other).to_vec();
                for &a in &firsts {
                    for &b in &seconds {
                        for &c in &thirds {
                            self.apply([a, b, c], left, making)?;
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// Computes one term; none if the limits are reached.
    fn apply(&mut self, of: [TermId; 3], left: usize, making: &mut Making) -> Option<()> {
        let start = making.pending.len() * self.width;
        let result = &mut making.results[start..][..self.width];
        let [a, b, c] = of;
        let operands = [self.values(a), self.values(b), self.values(c)];
        let row = (making.at, making.row);
        let computed = making.row.op.run_all(making.values, row, operands, result);
        self.computed += computed as u64;
        if computed == self.width {
            let hash = self.hash_of(making.row.gives, result);
            making.pending.push((of, hash));
            if making.pending.len() == AT_ONCE {
                self.add_all(left, making);
            }
        }
        making.limits.look()
    }

    /// Keeps those of the computed terms whose values are new.
    fn add_all(&mut self, left: usize, making: &mut Making) {
        let Making { at, row, results, pending, .. } = making;
        self.seen.touch(pending.iter().map(|&(_, hash)| hash));
        for ((of, hash), values) in pending.drain(..).zip(results.chunks_exact(self.width)) {
            let made = Made::Apply(*at, of);
            self.add_hashed(Term { kind: row.gives, cost: left + row.cost, made }, hash, values);
        }
    }
}

/// What one operation is applied with.
struct Making<'a> {
    at: u16,
    row: &'a Row,
    values: &'a mut Values,
    /// The values of the terms that are computed and not added yet.
    results: &'a mut [i64],
    /// Their operands, and the hashes of their values.
    pending: Vec<([TermId; 3], u64)>,
    limits: &'a Limits<'a>,
}

//! An expression's value for inputs that the search did not see.

use hashbrown::HashMap;

use super::examples::{Column, Examples};
use super::expression::Expression;
use super::kind::Kind;
use super::op::{self, Each, Op, Row};
use super::values::{Value, Values};

/// Cells for the values of one evaluation.
const CELLS: u64 = 1 << 20;

/// Evaluates expressions.
pub struct Evaluator {
    rows: HashMap<(Op, Vec<Kind>), Row>,
    values: Values,
}

/// The names in scope.
struct Scope<'a> {
    fields: &'a [(i64, Kind)],
    /// The variables of the loops around, by how many are around those.
    elements: Vec<(i64, Kind)>,
}

impl Evaluator {
    /// With memory of its own.
    pub fn new() -> Evaluator {
        let rows = op::rows(&op::ELEMENTS).into_iter();
        let rows = rows.map(|row| ((row.op, row.takes[..row.count].to_vec()), row));
        Evaluator { rows: rows.collect(), values: Values::new(CELLS) }
    }

    /// The value where the inputs have these values; none where it has none.
    pub fn value<'a>(
        &mut self,
        of: &Expression,
        inputs: &[Column],
        given: impl IntoIterator<Item = &'a Value>,
    ) -> Option<Value> {
        self.values.clear();
        let both = inputs.iter().map(|input| input.kind).zip(given);
        let fields: Option<Vec<(i64, Kind)>> =
            both.map(|(kind, value)| Some((self.values.put(value, kind).ok()?, kind))).collect();
        let fields = fields?;
        let mut scope = Scope { fields: &fields, elements: Vec::new() };
        let (cell, kind) = self.run(of, &mut scope)?;
        Some(self.values.get(cell, kind))
    }

    /// Does a rule give the output of a row?
    pub fn explains(&mut self, rule: &Expression, examples: &Examples, row: usize) -> bool {
        let given = examples.inputs.iter().map(|input| &input.values[row]);
        self.value(rule, &examples.inputs, given).as_ref() == Some(&examples.output.values[row])
    }

    fn run(&mut self, of: &Expression, scope: &mut Scope) -> Option<(i64, Kind)> {
        match of {
            Expression::Field(field) => scope.fields.get(*field).copied(),
            Expression::Element(level) => scope.elements.get(*level).copied(),
            Expression::Constant(value, kind) => Some((self.values.put(value, *kind).ok()?, *kind)),
            Expression::Apply(op, operands) => {
                let mut cells = [0; 3];
                let mut kinds = Vec::new();
                for (at, operand) in operands.iter().enumerate() {
                    let (cell, kind) = self.run(operand, scope)?;
                    cells[at] = cell;
                    kinds.push(kind);
                }
                let row = *self.rows.get(&(*op, kinds))?;
                let cell = op.run(&mut self.values, &row, row.shape(), cells)?;
                Some((cell, row.gives))
            }
            Expression::Parts(parts) => {
                let mut text = String::new();
                for part in parts {
                    let (cell, kind) = self.run(part, scope)?;
                    match self.values.get(cell, kind) {
                        Value::Text(part) => text += &part,
                        Value::Int(number) => text += &number.to_string(),
                        _ => return None,
                    }
                }
                Some((self.values.text(&text).ok()?, Kind::TEXT))
            }
            Expression::Loop(each, level, of) => self.each(*each, *level, of, scope),
            Expression::Fold(level, of) => self.fold(*level, of, scope),
            Expression::Replaced(operands) => {
                let mut values = Vec::new();
                for operand in operands {
                    let (cell, kind) = self.run(operand, scope)?;
                    values.push(self.values.elements(cell, kind));
                }
                let [old, new, list] = &values[..] else { return None };
                let kind = Kind::TEXT.list();
                Some((self.values.list(&replaced(old, new, list), kind).ok()?, kind))
            }
        }
    }

    /// The kind of an expression's values, where fields and the variables of loops are of these.
    fn kind(&self, of: &Expression, fields: &[Kind], elements: &[Kind]) -> Option<Kind> {
        Some(match of {
            Expression::Field(field) => *fields.get(*field)?,
            Expression::Element(level) => *elements.get(*level)?,
            Expression::Constant(_, kind) => *kind,
            Expression::Parts(_) => Kind::TEXT,
            Expression::Replaced(_) => Kind::TEXT.list(),
            Expression::Apply(op, of) => {
                let kinds = of.iter().map(|one| self.kind(one, fields, elements));
                self.rows.get(&(*op, kinds.collect::<Option<Vec<_>>>()?))?.gives
            }
            Expression::Fold(_, of) => self.kind(&of[0], fields, elements)?,
            Expression::Loop(each, level, of) => {
                let source = self.kind(&of[0], fields, elements)?;
                let inner = [elements.get(..*level)?, &[source.element()?]].concat();
                match each {
                    Each::For | Each::Where => self.kind(&of[of.len() - 1], fields, &inner)?.list(),
                    Each::Count => Kind::INT,
                    Each::All | Each::Any => Kind::BOOL,
                }
            }
        })
    }

    fn each(
        &mut self,
        each: Each,
        level: usize,
        of: &[Expression],
        scope: &mut Scope,
    ) -> Option<(i64, Kind)> {
        let (list, kind) = self.run(&of[0], scope)?;
        let element = kind.element()?;
        let elements = self.values.elements(list, kind);
        let outer = scope.elements.clone();
        let mut made = Vec::new();
        let mut kinds: Vec<Kind> = outer.iter().take(level).map(|&(_, kind)| kind).collect();
        kinds.push(element);
        let fields: Vec<Kind> = scope.fields.iter().map(|&(_, kind)| kind).collect();
        let body = &of[of.len() - 1];
        let made_kind = self.kind(body, &fields, &kinds)?;
        for &one in &elements {
            scope.elements.truncate(level);
            scope.elements.push((one, element));
            if let [_, condition, _] = of
                && self.run(condition, scope)?.0 == 0
            {
                continue;
            }
            made.push(self.run(body, scope)?.0);
        }
        scope.elements = outer;
        let count = made.iter().filter(|&&one| one != 0).count();
        Some(match each {
            Each::For | Each::Where => {
                (self.values.list(&made, made_kind.list()).ok()?, made_kind.list())
            }
            Each::Count => (count as i64, Kind::INT),
            Each::All => (i64::from(count == made.len()), Kind::BOOL),
            Each::Any => (i64::from(count > 0), Kind::BOOL),
        })
    }

    fn fold(&mut self, level: usize, of: &[Expression], scope: &mut Scope) -> Option<(i64, Kind)> {
        let mut carried = self.run(&of[0], scope)?;
        let (list, kind) = self.run(&of[1], scope)?;
        let element = kind.element()?;
        let outer = scope.elements.clone();
        for one in self.values.elements(list, kind) {
            scope.elements.truncate(level);
            scope.elements.extend([(one, element), carried]);
            carried = self.run(&of[2], scope)?;
        }
        scope.elements = outer;
        Some(carried)
    }
}

impl Default for Evaluator {
    fn default() -> Evaluator {
        Evaluator::new()
    }
}

/// A list with `new` for each slice that equals `old`, from the left.
pub fn replaced<T: PartialEq + Clone>(old: &[T], new: &[T], list: &[T]) -> Vec<T> {
    let mut made = Vec::new();
    let mut at = 0;
    while at < list.len() {
        if list[at..].starts_with(old) && !old.is_empty() {
            made.extend_from_slice(new);
            at += old.len();
        } else {
            made.push(list[at].clone());
            at += 1;
        }
    }
    made
}

//! Folds: a number carried over a list of numbers, by a body that is looked for as all expressions
//! are, over drawn values of what is carried and of the element.

use super::bank::Bank;
use super::evaluate::Evaluator;
use super::examples::Examples;
use super::expression::Expression;
use super::kind::Kind;
use super::limits::Limits;
use super::op;
use super::space::constant;
use super::values::{Value, Values};
use crate::runtime::RunKey;
use crate::runtime::random;

/// Values on which bodies are told apart.
const DRAWN: usize = 24;
/// Bodies of up to this cost are tried.
const COST_MAX: usize = 5;
/// Megabytes for them.
const MEGABYTES: u64 = 64;

/// The cheapest fold that gives the outputs of all examples.
pub fn fold(examples: &Examples, limits: &Limits) -> Option<Expression> {
    let list = Kind::INT.list();
    let is_list = |at: &usize| examples.inputs[*at].kind == list;
    let lists: Vec<usize> = (0..examples.inputs.len()).filter(is_list).collect();
    if examples.output.kind != Kind::INT || lists.is_empty() {
        return None;
    }
    let is_number = |at: &usize| examples.inputs[*at].kind == Kind::INT;
    let numbers: Vec<usize> = (0..examples.inputs.len()).filter(is_number).collect();
    let starts = [0, 1].map(|number| Expression::Constant(Value::Int(number), Kind::INT));
    let starts: Vec<Expression> =
        starts.into_iter().chain(numbers.iter().map(|&at| Expression::Field(at))).collect();
    let mut evaluator = Evaluator::new();
    for body in bodies(&numbers, limits)? {
        for &list in &lists {
            for start in &starts {
                let of = vec![start.clone(), Expression::Field(list), body.clone()];
                let fold = Expression::Fold(0, of);
                limits.look()?;
                if (0..examples.len()).all(|row| evaluator.explains(&fold, examples, row)) {
                    return Some(fold);
                }
            }
        }
    }
    None
}

/// Numbers made of what is carried and of the element, the cheapest first.
fn bodies(fields: &[usize], limits: &Limits) -> Option<Vec<Expression>> {
    let mut values = Values::of_megabytes(MEGABYTES);
    let mut bank = Bank::new(DRAWN);
    let run = RunKey::new("synth", "fold", "", 0);
    let mut stream = random::start(&run.stream("values"), 0);
    let mut drawn =
        || -> Vec<i64> { (0..DRAWN).map(|_| i64::from(stream.below(40)) - 10).collect() };
    bank.leaf(Kind::INT, 1, &drawn(), || Expression::Element(0));
    bank.leaf(Kind::INT, 1, &drawn(), || Expression::Element(1));
    for &field in fields {
        bank.leaf(Kind::INT, 1, &drawn(), || Expression::Field(field));
    }
    for (number, cost) in [(0, 1), (1, 1), (2, 1), (10, 2)] {
        constant(&mut bank, &mut values, &Value::Int(number), Kind::INT, cost)?;
    }
    let scalar = |row: &op::Row| row.takes.iter().chain([&row.gives]).all(|kind| kind.depth == 0);
    let rows: Vec<op::Row> = op::rows(&[Kind::INT]).into_iter().filter(scalar).collect();
    for cost in 2..=COST_MAX {
        bank.grow(cost, &rows, &mut values, limits);
    }
    let carries = |body: &Expression| body.has(&|one| *one == Expression::Element(1));
    let all = bank.all(Kind::INT).map(|id| bank.expression(id, &rows));
    Some(all.filter(carries).collect())
}

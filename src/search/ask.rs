//! What a found rule says of further rows, and where rules differ.

use serde_json::{Map, Value as Json};

use super::evaluate::Evaluator;
use super::examples::{Examples, Unfit};
use super::expression::Expression;
use super::values::Value;

/// An input of which several rules say different things.
#[derive(Clone, Debug)]
pub struct Question {
    /// The inputs.
    pub inputs: Map<String, Json>,
    /// Rules, each with the output that it gives; no two give the same.
    pub answers: Vec<(Expression, Json)>,
}

/// The first of these records on which the rule and one of the others differ; its values are by the
/// names that the template has.
pub fn question(
    rule: &Expression,
    others: &[Expression],
    examples: &Examples,
    records: impl Iterator<Item = Map<String, Json>>,
) -> Option<Question> {
    if others.is_empty() {
        return None;
    }
    let mut evaluator = Evaluator::new();
    let names = super::write::names(examples);
    for record in records {
        let given: Option<Vec<Value>> = names
            .inputs
            .iter()
            .zip(&examples.inputs)
            .map(|(name, input)| input.value(record.get(name)?).ok())
            .collect();
        let given = given?;
        let mut answers: Vec<(Expression, Json)> = Vec::new();
        for one in std::iter::once(rule).chain(others) {
            let Some(output) = evaluator.value(one, &examples.inputs, &given) else { continue };
            let output = examples.output.json(&output);
            if answers.iter().all(|(_, known)| *known != output) {
                answers.push((one.clone(), output));
            }
        }
        if answers.len() > 1 {
            let both = examples.inputs.iter().zip(&given);
            let inputs =
                both.map(|(input, value)| (input.name.clone(), input.json(value))).collect();
            return Some(Question { inputs, answers });
        }
    }
    None
}

/// The output of a rule for a row of others, of the same columns.
///
/// # Errors
/// If the row lacks an input, or has another kind of value there. An output that the rule does not
/// have is null.
pub fn filled(
    rule: &Expression,
    examples: &Examples,
    row: &Map<String, Json>,
    evaluator: &mut Evaluator,
) -> Result<Json, Unfit> {
    let given: Result<Vec<Value>, Unfit> = examples
        .inputs
        .iter()
        .map(|input| match row.get(&input.name) {
            Some(value) => input.value(value),
            None => Err(Unfit::Missing(1, input.name.clone(), row.keys().cloned().collect())),
        })
        .collect();
    let given = given?;
    let output = evaluator.value(rule, &examples.inputs, &given);
    Ok(output.map_or(Json::Null, |output| examples.output.json(&output)))
}

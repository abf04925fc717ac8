//! Answers to the rows of a task, scored by a template's rules one by one.

use serde_json::{Map, Value};

use super::Unscored;
use super::plan::{Column, Source, columns_of, inputs};
use crate::data::Sampler;
use crate::data::judge::Verdict;
use crate::data::normalize::Normalization;
use crate::data::row_judge::{Needed, Reply, Room, RowJudge};
use crate::template::Error;

/// The rules of a template, and where its values are in the rows of a task.
pub struct Items {
    judge: RowJudge,
    inputs: Vec<Column>,
    /// The columns of the right answer; none if it is that of the task itself.
    right: Option<Vec<Column>>,
    /// Whether a reply of the template says one value only, so that an answer is that value.
    is_single: bool,
}

impl Items {
    /// For rows with these columns, of data that is called so. An answer's value that the map does
    /// not name is the task's right answer.
    ///
    /// # Errors
    /// [`Error::Input`] if the map does not fit the rules or the columns: the text says how.
    pub fn new(
        sampler: &Sampler,
        map: &[(String, String)],
        (columns, name): (&[String], &str),
    ) -> Result<Items, Error> {
        let judge = RowJudge::new(sampler, Normalization::default());
        if judge.needs_reply() {
            return Err(Error::Input(
                "the template has no rule but that the reply equals its own, which is the task's \
                 accuracy: write a rule, or another template"
                    .to_string(),
            ));
        }
        let source = Source { columns, name, is_of_recipe: true };
        let inputs = inputs(map, &judge, source)?;
        let outputs: Vec<Needed> = judge.outputs().collect();
        let is_mapped = |output: &Needed| map.iter().any(|(name, _)| *name == output.name);
        let right = match outputs.iter().any(is_mapped) {
            true => Some(columns_of(&outputs, map, source)?),
            false => None,
        };
        Ok(Items { is_single: outputs.len() == 1, judge, inputs, right })
    }

    /// The rules by name.
    pub fn rules(&self) -> Vec<String> {
        self.judge.rules().into_iter().map(String::from).collect()
    }

    /// Memory for a thread.
    pub fn room(&self) -> Room {
        self.judge.room()
    }

    /// The mean over the rules of a row's right answer, then of each other answer; 0 of one that
    /// the template could not say.
    ///
    /// # Errors
    /// Why the row has no score.
    pub fn score(
        &self,
        row: &Map<String, Value>,
        (right, answers): (&str, &[&str]),
        room: &mut Room,
    ) -> Result<Vec<f64>, Unscored> {
        let values = self.inputs.iter().map(|column| column.of(row));
        let inputs = values.collect::<Result<Vec<&Value>, Unscored>>()?;
        let texts: Vec<Value> = std::iter::once(&right)
            .chain(answers)
            .map(|text| Value::String(text.trim().to_string()))
            .collect();
        let singles: Vec<[&Value; 1]> = texts.iter().map(|text| [text]).collect();
        let columns = self.right.as_ref().map(|columns| {
            columns.iter().map(|column| column.of(row)).collect::<Result<Vec<&Value>, _>>()
        });
        let columns = columns.transpose()?;
        let mut replies: Vec<Reply> = Vec::new();
        for (at, single) in singles.iter().enumerate() {
            replies.push(match &columns {
                Some(columns) if at == 0 => Reply::Values(columns),
                _ if self.is_single => Reply::Values(&single[..]),
                _ => Reply::Text(single[0].as_str().unwrap_or_default()),
            });
        }
        let verdicts = self.judge.judge(&inputs, &replies, room).map_err(|unfit| {
            let all = self.inputs.iter().chain(self.right.iter().flatten());
            let column = all.into_iter().find(|column| column.name == unfit.field);
            let path = column.map_or(&unfit.field, |column| &column.path).clone();
            Unscored { value: unfit.field, path, expected: unfit.expected, found: unfit.found }
        })?;
        let mean = |verdict: Option<Verdict>| verdict.map_or(0.0, |verdict| verdict.mean());
        Ok(verdicts.into_iter().map(mean).collect())
    }
}

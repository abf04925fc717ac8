//! An item of a task: a row's texts, as a model is asked.

use serde_json::{Map, Value};

use super::field::{self, Field, Unreadable};
use super::{Kind, Task};

/// An item. It has several contexts and one continuation, or one context and several
/// continuations; or, where a model writes, one context alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What a model reads.
    pub contexts: Vec<String>,
    /// What it chooses from, without the delimiter before it.
    pub continuations: Vec<String>,
    /// What is right.
    pub gold: Gold,
}

/// What is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gold {
    /// A choice, counted from 0.
    Choice(usize),
    /// Any of these replies.
    Replies(Vec<String>),
}

impl Item {
    /// Context and continuation of each choice.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let count = self.contexts.len().max(self.continuations.len());
        (0..count).map(|at| self.pair(at))
    }

    fn pair(&self, at: usize) -> (&str, &str) {
        let of = |texts: &'_ [String]| at.min(texts.len() - 1);
        let (context, continuation) = (of(&self.contexts), of(&self.continuations));
        (&self.contexts[context], &self.continuations[continuation])
    }

    /// What a choice is called: the text that tells it from the others.
    pub fn choices(&self) -> &[String] {
        if self.contexts.len() > 1 { &self.contexts } else { &self.continuations }
    }

    /// Context and right answer.
    pub fn solved(&self) -> (&str, &str) {
        match &self.gold {
            Gold::Choice(right) => self.pair(*right),
            Gold::Replies(replies) => (&self.contexts[0], &replies[0]),
        }
    }
}

/// The item of a row.
pub fn item(task: &Task, row: &Map<String, Value>) -> Result<Item, Unreadable> {
    let lists: &[Field] = match &task.kind {
        Kind::Choice(choice) => &choice.continuations,
        Kind::Generate { .. } => &[],
    };
    let fields: Vec<&Field> =
        task.contexts.iter().chain(lists).chain(std::iter::once(&task.gold)).collect();
    let mut values = field::values(&fields, row)?;
    for (field, value) in fields.iter().zip(&values) {
        if let Some(name) = value.as_str().and_then(|text| field.null_written(text, row)) {
            let why = format!(
                "`{name}`, of which `{}` is made, is null: write `{{{{ {name} or \"\" }}}}`, or take \
                 such rows out",
                field.key
            );
            return Err(field.error(why));
        }
    }
    let gold = values.pop().expect("the last field is the right answer");
    let choices = values.split_off(task.contexts.len());
    let mut contexts = texts(&task.contexts[0], &values)?;
    let mut continuations = match (lists, choices.as_slice()) {
        ([], _) => Vec::new(),
        ([one], [Value::Array(all)]) => texts(one, all)?,
        ([one], _) if task.contexts.len() == 1 => {
            let why = format!(
                "`{}` is one text, and two choices are needed: write \
                 `{0} = [\"yes\", \"no\"]`, or one that gives a list, as `{{{{ options }}}}`",
                one.key
            );
            return Err(one.error(why));
        }
        (fields, values) => texts(&fields[0], values)?,
    };
    for text in contexts.iter_mut().chain(&mut continuations) {
        for replacement in &task.replace {
            let replaced = replacement.replaced(text);
            *text = replaced.map_err(|why| task.contexts[0].error(why))?;
        }
    }
    let Some(first) = lists.first() else {
        return Ok(Item { contexts, continuations, gold: replies(&task.gold, &gold)? });
    };
    if let Some(empty) = continuations.iter().position(|text| text.trim().is_empty()) {
        return Err(first.error(format!("`{}`: choice {} is empty", first.key, empty + 1)));
    }
    let count = contexts.len().max(continuations.len());
    if count < 2 {
        let why = match continuations.as_slice() {
            [] => format!("`{}` is an empty list, and two choices are needed", first.key),
            _ => format!("`{}`: there is {count} choice, and two are needed", first.key),
        };
        return Err(first.error(why));
    }
    let gold = Gold::Choice(choice(&task.gold, &gold, &continuations, count)?);
    Ok(Item { contexts, continuations, gold })
}

/// Values as texts.
fn texts(field: &Field, values: &[Value]) -> Result<Vec<String>, Unreadable> {
    values.iter().map(|value| text(field, value)).collect()
}

/// A value as Python writes it.
fn text(field: &Field, value: &Value) -> Result<String, Unreadable> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("True".into()),
        Value::Bool(false) => Ok("False".into()),
        other => Err(field.error(format!("`{}` holds {other}, which is no text", field.key))),
    }
}

/// Which choice is right: its number from 0, or its text; not a number that is the text of another.
fn choice(
    field: &Field,
    value: &Value,
    continuations: &[String],
    count: usize,
) -> Result<usize, Unreadable> {
    let written = text(field, value)?;
    let number = match value {
        Value::Bool(is) => Some(i64::from(*is)),
        // `1.0` is what tables with gaps make of `1`.
        _ => {
            let number = written.trim();
            number.strip_suffix(".0").unwrap_or(number).parse::<i64>().ok()
        }
    };
    let by_text = continuations.iter().position(|text| *text == written);
    let by_number = number.and_then(|it| usize::try_from(it).ok()).filter(|it| *it < count);
    match (by_number, by_text, number) {
        (Some(number), Some(text), _) if number != text => Err(field.error(format!(
            "`gold` is `{written}`: by its number the choice `{}`, by its text choice {text}, \
             counted from 0: write an expression that gives the number, such as \
             `{{{{ options.index(answer) }}}}`",
            continuations.get(number).map_or("", String::as_str)
        ))),
        (Some(choice), ..) | (None, Some(choice), _) => Ok(choice),
        (None, None, Some(number)) => Err(field
            .error(format!("`gold` is {number}, and there are {count} choices, counted from 0"))),
        (None, None, None) => {
            Err(field.error(format!("`gold` is `{written}`, which is no choice and no integer")))
        }
    }
}

/// The right replies.
fn replies(field: &Field, value: &Value) -> Result<Gold, Unreadable> {
    let replies = match value {
        Value::Array(all) => texts(field, all)?,
        one => vec![text(field, one)?],
    };
    match replies.is_empty() {
        true => Err(field.error("`gold` is an empty list: no reply is right".to_string())),
        false => Ok(Gold::Replies(replies)),
    }
}

//! Tasks in which a model writes: greedy replies, and how near they are to right ones.

use serde_json::{Map, Value};

use super::item::Gold;
use super::summary::{Score, Summary};
use super::{Kind, Metric, Prepared, Responses, squad};
use crate::model::{Ends, Model, NoNumbers, Tokenizer, greedy_until};
use crate::template::Error;

/// Prompts between two looks at whether to go on.
const AT_ONCE: usize = 64;

/// Continues the prompts that are not continued yet; false if `go_on` ended it.
pub fn ask(
    asked: &Prepared,
    prompts: &[Vec<u32>],
    (model, tokenizer): (&Model, &Tokenizer),
    responses: &mut Responses,
    go_on: &mut dyn FnMut(&Responses) -> bool,
) -> Result<bool, Error> {
    let Kind::Generate { until, tokens_max } = &asked.task.kind else {
        unreachable!("prompts are of a task in which a model writes")
    };
    let ends = match until.first() {
        Some(text) => Ends::closed_by(tokenizer, text)?,
        None => Ends::of(tokenizer.ends()),
    };
    for some in prompts[responses.replies.len()..].chunks(AT_ONCE) {
        let done = responses.replies.len();
        let replies = greedy_until(model, some, &ends, *tokens_max);
        for ids in replies.map_err(|error| told(asked, done, error))? {
            let reply = tokenizer.decode(&ids)?;
            responses.replies.push(before_end(&reply, until).to_string());
        }
        if !go_on(responses) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The error with the item's place, where it is of one; `done` items came before these.
fn told(asked: &Prepared, done: usize, error: anyhow::Error) -> Error {
    let Some(NoNumbers { prompt }) = error.downcast_ref() else { return error.into() };
    let at = done + prompt;
    let (place, name) = (&asked.items[at].1, &asked.task.name);
    Error::Input(format!(
        "{place} ({name}, item {at}): the model's logits are no numbers; compute in f32, or look \
         at the loss of its training"
    ))
}

/// The figures of a model that has written all.
pub fn summary(asked: &Prepared, replies: &[String]) -> Summary {
    let metrics = &asked.task.metrics;
    let mut values = vec![Vec::new(); metrics.len()];
    let mut lines = Vec::new();
    for (at, ((item, _), reply)) in asked.items.iter().zip(replies).enumerate() {
        let Gold::Replies(right) = &item.gold else {
            unreachable!("an item without choices has replies that are right")
        };
        let mut line = Map::new();
        line.insert("doc_id".into(), at.into());
        line.insert("target".into(), right.as_slice().into());
        line.insert("filtered_resps".into(), vec![reply.as_str()].into());
        for (which, metric) in metrics.iter().enumerate() {
            let nearest = right.iter().map(|right| compared(*metric, reply, right));
            let value = nearest.fold(0.0, f64::max);
            values[which].push(value);
            line.insert(metric.name().into(), value.into());
        }
        line.insert("arguments".into(), asked.arguments(at));
        lines.push(Value::Object(line));
    }
    let scores = metrics.iter().zip(&values).map(|(metric, all)| Score::of(*metric, all));
    Summary { scores: scores.collect(), labels: None, lines }
}

fn compared(metric: Metric, reply: &str, right: &str) -> f64 {
    let truth = |is: bool| f64::from(u8::from(is));
    match metric {
        Metric::Contains => truth(squad::contains(reply, right)),
        Metric::F1 => squad::f1(reply, right),
        _ => truth(squad::is_equal(reply, right)),
    }
}

/// A reply up to the first of the texts that end it.
fn before_end<'a>(reply: &'a str, until: &[String]) -> &'a str {
    let end = until.iter().filter_map(|text| reply.find(text.as_str())).min();
    &reply[..end.unwrap_or(reply.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_before_the_first_of_its_ends() {
        let until = ["\n".to_string(), ".".to_string()];
        assert_eq!(before_end(" one. two\n", &until), " one");
        assert_eq!(before_end("one\n. two", &until), "one");
        assert_eq!(before_end("one", &until), "one");
    }
}

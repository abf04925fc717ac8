//! What is known of all rows: how far they obey the rules, beside chance, and which have no score.

use serde_json::{Map, Value, json};

use super::tally::{Mean, Tally};
use super::{Align, Scored, Unscored};
use crate::data::normalize::Keep;
use crate::data::row_judge::{Place, RowJudge};
use crate::template::Sampler;

/// How far rows obey a template's rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    template: String,
    level: String,
    data: String,
    rules: Vec<String>,
    keep: Keep,
    seed: u64,
    rows: u64,
    own: Tally,
    shuffled: Tally,
    part: Tally,
    /// Of which value the part is.
    pub(super) place: Option<Place>,
    unscored: Vec<Reason>,
    unreadable: Option<Unread>,
}

/// Why some rows have no score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Of the first of them.
    pub why: Unscored,
    /// Where that is.
    pub place: String,
    /// How many there are.
    pub rows: u64,
}

/// Which replies could not be read, and score 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Of the first of them.
    pub why: String,
    /// Where that is.
    pub place: String,
    /// How many there are.
    pub rows: u64,
}

impl Report {
    pub(super) fn new(align: &Align, sampler: &Sampler, judge: &RowJudge) -> Report {
        let rules: Vec<String> = judge.rules().into_iter().map(String::from).collect();
        let tally = Tally::new(rules.len(), align.cluster.is_some());
        Report {
            template: sampler.name().to_string(),
            level: sampler.level().to_string(),
            data: align.data.display().to_string(),
            keep: align.normalization.keep(),
            seed: align.seed,
            rows: 0,
            own: tally.clone(),
            shuffled: tally.clone(),
            part: tally,
            rules,
            place: None,
            unscored: Vec::new(),
            unreadable: None,
        }
    }

    pub(super) fn add(&mut self, scored: &[Scored]) {
        for row in scored {
            self.rows += 1;
            match &row.own {
                Ok(verdict) => {
                    self.own.add(verdict, row.cluster);
                    if let Some(why) = &verdict.unreadable {
                        let first =
                            || Unread { why: why.to_string(), place: row.place.clone(), rows: 0 };
                        self.unreadable.get_or_insert_with(first).rows += 1;
                    }
                }
                Err(why) => self.add_unscored(why, &row.place),
            }
            for (tally, verdict) in
                [(&mut self.shuffled, &row.shuffled), (&mut self.part, &row.part)]
            {
                verdict.iter().for_each(|verdict| tally.add(verdict, row.cluster));
            }
        }
    }

    fn add_unscored(&mut self, why: &Unscored, place: &str) {
        let is_same =
            |one: &&mut Reason| (&one.why.value, &one.why.expected) == (&why.value, &why.expected);
        match self.unscored.iter_mut().find(is_same) {
            Some(reason) => reason.rows += 1,
            None => {
                self.unscored.push(Reason { why: why.clone(), place: place.to_string(), rows: 1 });
            }
        }
    }

    /// The rules by name.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// How many rows were read.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them have a score.
    pub fn scored(&self) -> u64 {
        self.own.rows()
    }

    /// The mean over the rows of the mean over the rules.
    pub fn mean(&self) -> f64 {
        self.own.mean().mean
    }

    /// The scores of the rows' own replies.
    pub fn own(&self) -> &Tally {
        &self.own
    }

    /// The scores with the replies of other rows.
    pub fn shuffled(&self) -> &Tally {
        &self.shuffled
    }

    /// The scores with a random part of a value as the reply, and which value it is; none where no
    /// reply is a part of one.
    pub fn part(&self) -> Option<(&Place, &Tally)> {
        self.place.as_ref().map(|place| (place, &self.part))
    }

    /// Why rows have no score, in the order of the first of each reason.
    pub fn unscored(&self) -> &[Reason] {
        &self.unscored
    }

    /// The replies that could not be read.
    pub fn unreadable(&self) -> Option<&Unread> {
        self.unreadable.as_ref()
    }

    /// All of it as an object with the same keys always; `set` is what was set beside the level.
    pub fn json(&self, set: &str) -> Value {
        let Keep { case, marks, punctuation, stop_words } = self.keep;
        let kept = [
            ("case", case),
            ("marks", marks),
            ("punctuation", punctuation),
            ("stop_words", stop_words),
        ];
        let unscored = self.unscored.iter().map(|Reason { why, place, rows }| {
            let Unscored { value, path, expected, found } = why;
            json!({
                "value": value,
                "path": path,
                "expected": expected,
                "found": found,
                "first": place,
                "rows": rows,
            })
        });
        let part = self.part().map(|(place, tally)| {
            let kind = if place.is_one_of { "one_of" } else { "span" };
            let mut part = json!({"of": place.name, "kind": kind});
            extend(&mut part, tally.json(&self.rules));
            part
        });
        let unreadable = self.unreadable.as_ref();
        json!({
            "template": self.template,
            "level": self.level,
            "set": set,
            "data": self.data,
            "rows": self.rows,
            "scored": self.own.rows(),
            "kept": kept.into_iter().map(|(name, kept)| (name.into(), kept.into()))
                .collect::<Map<String, Value>>(),
            "seed": self.seed,
            "alignment": self.own.json(&self.rules),
            "shuffled": self.shuffled.json(&self.rules),
            "part": part,
            "unreadable": unreadable.map(|Unread { why, place, rows }| {
                json!({"why": why, "first": place, "rows": rows})
            }),
            "unscored": unscored.collect::<Vec<_>>(),
        })
    }
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// A mean as a person reads it: `0.8123 ± 0.0041`.
pub fn shown(mean: Mean) -> String {
    format!("{:.4} ± {:.4}", mean.mean, mean.error)
}

//! How far other people's data obey a template's rules, beside what chance gives.

mod block;
mod items;
mod plan;
mod report;
mod tally;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

use crate::data::judge::Verdict;
use crate::data::normalize::Normalization;
use crate::data::row_judge::RowJudge;
use crate::rows::Rows;
use crate::template::{Error, Sampler};
use block::{Block, Chance};
pub use items::Items;
use plan::Plan;
pub use report::{Reason, Report, Unread, shown};
pub use tally::{Mean, Tally};

/// What is aligned with a template.
#[derive(Clone, Debug)]
pub struct Align {
    /// The rows: see [`Rows`].
    pub data: PathBuf,
    /// The template's values and the paths of the columns that they are in (see
    /// [`rows::at`](crate::rows::at)). A value without a path is in the column of its own name.
    pub map: Vec<(String, String)>,
    /// The path of a model's replies, which are read as the template lays a reply out; none where
    /// the map has the values that a reply says.
    pub reply: Option<String>,
    /// How texts become words.
    pub normalization: Normalization,
    /// The most rows that are read.
    pub limit: Option<u64>,
    /// Of the chance lines.
    pub seed: u64,
    /// The path of a column: rows with the same value there are a cluster, and standard errors are
    /// those of clusters; none where rows are independent.
    pub cluster: Option<String>,
}

/// One row, scored or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Its number in its file, from 1; for JSONL the line.
    pub number: u64,
    /// Where it is, for a message.
    pub place: String,
    /// The scores of its own reply.
    pub own: Result<Verdict, Unscored>,
    /// Those of the reply of another row; none where the block has no other reply.
    pub shuffled: Option<Verdict>,
    /// Those of a random part of the row; none where no part is as long as the reply.
    pub part: Option<Verdict>,
    /// Its cluster, as a number; a row without one is one alone.
    cluster: u64,
}

/// Why a row has no score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unscored {
    /// The template's value, or `reply`.
    pub value: String,
    /// Its path in the row.
    pub path: String,
    /// What it must be.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Align {
    /// Scores the rows, in blocks of some thousands whose replies are shuffled among each other.
    /// `each` gets the rows in order, block by block. The result does not depend on the number of
    /// threads.
    ///
    /// # Errors
    /// [`Error::Input`] if a value that the rules need has no column, a column is not there, or the
    /// rules depend on what no row has; those of [`Rows`]; [`Error::Cancelled`] if `cancel` is set;
    /// what `each` returns.
    ///
    /// # Examples
    /// ```
    /// use cookc::align::Align;
    /// use cookc::data::normalize::Normalization;
    ///
    /// let folder = tempfile::tempdir().expect("a folder");
    /// let data = folder.path().join("rows.jsonl");
    /// std::fs::write(&data, r#"{"all": "Paris is large", "first": "paris"}"#).expect("written");
    /// let template = cookc::Template::parse("first.cook", r#"
    ///     words_ ~ distinct(3, vocab)
    ///     first  = at(0, words_)
    ///     rule begins: first == at(0, words_)
    ///     prompt "Words: {words_}. The first?"
    ///     reply "{first}"
    /// "#)?;
    /// let align = Align {
    ///     data,
    ///     map: vec![("words_".into(), "all".into())],
    ///     reply: None,
    ///     normalization: Normalization::default(),
    ///     limit: None,
    ///     seed: 0,
    ///     cluster: None,
    /// };
    /// let report = align.run(&template.compile()?, &false.into(), &mut |_| Ok(()))?;
    /// assert_eq!((report.scored(), report.mean()), (1, 1.0));
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn run(
        &self,
        sampler: &Sampler,
        cancel: &AtomicBool,
        each: &mut dyn FnMut(&[Scored]) -> Result<(), Error>,
    ) -> Result<Report, Error> {
        let judge = RowJudge::new(sampler.inner(), self.normalization.clone());
        let (plan, mut rows) = self.open(&judge)?;
        let mut report = Report::new(self, sampler, &judge);
        let mut block = Block::new(&judge, &plan);
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut chance = None;
        loop {
            let is_last = block.fill(&mut rows, &mut left, cancel)?;
            let chance = chance.get_or_insert_with(|| Chance::new(&block, self.seed));
            let scored = block.score(chance);
            if cancel.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            report.add(&scored);
            each(&scored)?;
            if is_last {
                report.place = chance.place().cloned();
                return Ok(report);
            }
        }
    }

    /// The plan, and the rows that it reads.
    fn open(&self, judge: &RowJudge) -> Result<(Plan, Rows), Error> {
        let needed: Vec<String> = judge.inputs().chain(judge.outputs()).map(|it| it.name).collect();
        let others = self.reply.as_deref().into_iter().chain(self.cluster.as_deref());
        let mapped = self.map.iter().map(|(_, path)| path.as_str()).chain(others);
        let paths: Vec<&str> = mapped.chain(needed.iter().map(String::as_str)).collect();
        let rows = Rows::select(&self.data, &paths)?;
        let data = self.data.display().to_string();
        Ok((Plan::new(self, judge, rows.columns(), &data)?, rows))
    }
}

impl Scored {
    /// The row as one object: what `cookc align -o` writes a line of.
    pub fn json(&self, rules: &[String]) -> Value {
        let by_rule = |verdict: &Verdict| -> Map<String, Value> {
            let rules = rules.iter().zip(&verdict.scores);
            rules.map(|(rule, &score)| (rule.clone(), score.into())).collect()
        };
        let mean = |verdict: &Option<Verdict>| verdict.as_ref().map(Verdict::mean);
        let own = self.own.as_ref().ok();
        json!({
            "row": self.number,
            "place": self.place,
            "score": own.map(Verdict::mean),
            "scores": own.map(by_rule),
            "exact": own.map(Verdict::exact),
            "unreadable": own.and_then(|own| own.unreadable.as_ref()).map(|why| why.to_string()),
            "unscored": self.own.as_ref().err().map(|why| why.to_string()),
            "shuffled": mean(&self.shuffled),
            "part": mean(&self.part),
        })
    }
}

impl std::fmt::Display for Unscored {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Unscored { value, path, expected, found } = self;
        write!(f, "`{value}` (`{path}`): expected {expected}, found {found}")
    }
}

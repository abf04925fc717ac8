//! `cookc.Sampler`: draws samples and scores replies.

use std::sync::{Arc, Mutex, PoisonError};

use cookc::data::grammar::Dialect;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::arrow::Stream;
use crate::convert;
use crate::error::raised;
use crate::read;
use crate::rows::Rows;
use crate::sample::Sample;
use crate::score::Score;
use crate::template::Compile;
use crate::threads::detached;
use crate::token_rows::TokenRows;

/// A template compiled at one level: it draws samples and scores replies. Threads and processes
/// share it; it can be pickled.
///
/// A sample is a pure function of template, level, parameters, words, split, seed and index:
/// `sampler[7]` is the sample with the index 7 of the seed 0.
#[pyclass(frozen, module = "cookc")]
pub struct Sampler {
    compile: Compile,
    sampler: cookc::Sampler,
    rules: Arc<[String]>,
    digest: Arc<str>,
}

impl Sampler {
    pub fn new(compile: Compile, sampler: cookc::Sampler) -> Sampler {
        let rules = sampler.rules().into();
        let digest = sampler.inner().digest().into();
        Sampler { compile, sampler, rules, digest }
    }
}

#[pymethods]
impl Sampler {
    /// The name of the template.
    #[getter]
    fn name(&self) -> &str {
        self.sampler.name()
    }

    /// The name of the level; `default` for none.
    #[getter]
    fn level(&self) -> &str {
        self.sampler.level()
    }

    /// The rules by name, in the order of their scores.
    #[getter]
    fn rules(&self) -> Vec<&str> {
        self.rules.iter().map(String::as_str).collect()
    }

    /// A digest of what decides the samples beside split, seed and index: the template at its level
    /// with its parameters, and its words. Two samplers with one digest draw the same samples.
    #[getter]
    fn digest(&self) -> &str {
        &self.digest
    }

    /// One sample.
    #[pyo3(signature = (index, *, seed=None, split="train"))]
    fn sample(
        &self,
        py: Python,
        index: &Bound<PyAny>,
        seed: Option<&Bound<PyAny>>,
        split: &str,
    ) -> PyResult<Sample> {
        let index = read::unsigned(index, "index")?;
        let (split, seed) = (read::split(py, split)?, read::seed(seed)?);
        let sample = py.detach(|| self.sampler.sample(split, seed, index));
        sample.map(|one| Sample::of(one, &self.digest)).map_err(|error| raised(py, error))
    }

    fn __getitem__(&self, py: Python, index: &Bound<PyAny>) -> PyResult<Sample> {
        if index.is_instance_of::<pyo3::types::PySlice>() {
            let write = "write `samples(start=0, count=10)` for several samples";
            return Err(PyTypeError::new_err(format!("an index must be an int: {write}")));
        }
        self.sample(py, index, None, "train").map_err(|error| {
            match error.is_instance_of::<PyValueError>(py) {
                true => PyIndexError::new_err(error.value(py).to_string()),
                false => error,
            }
        })
    }

    /// Without it, Python would count the indices up for ever.
    fn __iter__(&self) -> PyResult<()> {
        let write = "write `samples(count=10)`, or `samples()` for a stream without an end";
        Err(PyTypeError::new_err(format!("a sampler is no list: {write}")))
    }

    /// The samples with the indices from `start` on, `count` of them; without a count they never
    /// end. A sample that cannot be drawn raises `cookc.Error`; the next call goes on after it.
    #[pyo3(signature = (seed=None, start=None, count=None, *, split="train"))]
    fn samples(
        &self,
        py: Python,
        seed: Option<&Bound<PyAny>>,
        start: Option<&Bound<PyAny>>,
        count: Option<&Bound<PyAny>>,
        split: &str,
    ) -> PyResult<Samples> {
        let (split, seed) = (read::split(py, split)?, read::seed(seed)?);
        let samples = self.sampler.samples(split, seed, read::indices(start, count)?);
        Ok(Samples { samples: Mutex::new(Some(samples)), digest: self.digest.clone() })
    }

    /// The samples of a seed and a split as rows of a data set, in a shape that a trainer reads:
    /// `cookc.shapes()` has their names, and the help of `cookc generate` their columns.
    #[pyo3(signature = (seed=None, *, split="train", shape="full"))]
    fn rows(
        &self,
        py: Python,
        seed: Option<&Bound<PyAny>>,
        split: &str,
        shape: &str,
    ) -> PyResult<Rows> {
        let rows = (read::split(py, split)?, read::seed(seed)?, read::shape(py, shape)?);
        Ok(Rows::new(&self.sampler, rows))
    }

    /// These samples as a `pyarrow.RecordBatch`, drawn on all cores: the rows that `cookc generate`
    /// writes. It needs pyarrow; `stream` does without.
    #[pyo3(signature = (seed=None, start=None, count=None, *, split="train", shape="full"))]
    fn batch<'py>(
        &self,
        py: Python<'py>,
        seed: Option<&Bound<'py, PyAny>>,
        start: Option<&Bound<'py, PyAny>>,
        count: Option<&Bound<'py, PyAny>>,
        split: &str,
        shape: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.rows(py, seed, split, shape)?.batch(py, start, count)
    }

    /// These samples as a stream of Arrow's batches of `rows` rows, for polars, DuckDB, pyarrow and
    /// whatever reads `__arrow_c_stream__`. A batch is drawn when it is read.
    #[pyo3(signature = (
        seed=None, start=None, count=None, *, split="train", shape="full", rows=None
    ))]
    #[allow(clippy::too_many_arguments)] // They have names in Python.
    fn stream(
        &self,
        py: Python,
        seed: Option<&Bound<PyAny>>,
        start: Option<&Bound<PyAny>>,
        count: Option<&Bound<PyAny>>,
        split: &str,
        shape: &str,
        rows: Option<&Bound<PyAny>>,
    ) -> PyResult<Stream> {
        self.rows(py, seed, split, shape)?.stream(py, start, count, rows)
    }

    /// The samples of a seed and a split as token ids, each row with as many samples as fit into
    /// `length` ids and none of them cut: the rows that `cookc generate --shape ids` writes. The
    /// tokenizer is that of a model's folder or of a .gguf file.
    #[pyo3(signature = (tokenizer, seed=None, *, split="train", length=None))]
    fn token_rows(
        &self,
        py: Python,
        tokenizer: &Bound<PyAny>,
        seed: Option<&Bound<PyAny>>,
        split: &str,
        length: Option<&Bound<PyAny>>,
    ) -> PyResult<TokenRows> {
        let tokenizer = (read::path(tokenizer, "tokenizer")?, read::length(length)?);
        let rows = (read::split(py, split)?, read::seed(seed)?);
        TokenRows::new(py, &self.sampler, tokenizer, rows)
    }

    /// Scores a reply to the sample with this index by every rule of the template. A reply that
    /// cannot be read is no error: it scores 0, and `unreadable` says why.
    #[pyo3(signature = (index, reply, *, seed=None, split="train"))]
    fn score(
        &self,
        py: Python,
        index: &Bound<PyAny>,
        reply: &Bound<PyString>,
        seed: Option<&Bound<PyAny>>,
        split: &str,
    ) -> PyResult<Score> {
        let index = read::unsigned(index, "index")?;
        let (split, seed) = (read::split(py, split)?, read::seed(seed)?);
        let reply = reply.to_string_lossy();
        let score = py.detach(|| self.sampler.score(split, seed, index, &reply));
        self.scored(py, score)
    }

    /// Scores many replies on all cores, each to the sample with its index, in their order.
    #[pyo3(signature = (indices, replies, *, seed=None, split="train"))]
    fn score_many<'py>(
        &self,
        py: Python<'py>,
        indices: &Bound<'py, PyAny>,
        replies: &Bound<'py, PyAny>,
        seed: Option<&Bound<'py, PyAny>>,
        split: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        let (split, seed) = (read::split(py, split)?, read::seed(seed)?);
        let replies = read::all(replies, "replies")?;
        let replies = read::replies(&replies)?;
        let pairs = read::pairs(indices, &replies)?;
        let scores =
            detached(py, |observer| self.sampler.score_many(split, seed, &pairs, observer))?;
        let scores = scores.into_iter().map(|score| Score::of(score, &self.rules));
        uncollected(py, || PyList::new(py, scores))
    }

    /// Scores a reply against a record: any dict that has the values that the template's texts
    /// show, by their names, as `Sample.fields` has them; or the text of one, as in the column
    /// `fields` of data sets. Words and texts that the template does not know are values too, so
    /// the record may be natural text.
    fn score_fields(
        &self,
        py: Python,
        fields: &Bound<PyAny>,
        reply: &Bound<PyString>,
    ) -> PyResult<Score> {
        let record = convert::record(fields)?;
        let reply = reply.to_string_lossy();
        let score = py.detach(|| self.sampler.score_fields(&record, &reply));
        self.scored(py, score)
    }

    /// The grammar of its replies, `gbnf` or `lark`, for engines that decode under one. With an
    /// index, that of the replies to one sample, which may begin their lines with what its prompt
    /// shows.
    #[pyo3(signature = (dialect, *, index=None, seed=None, split="train"))]
    fn grammar(
        &self,
        py: Python,
        dialect: &str,
        index: Option<&Bound<PyAny>>,
        seed: Option<&Bound<PyAny>>,
        split: &str,
    ) -> PyResult<String> {
        let dialect: Dialect = dialect.parse().map_err(PyValueError::new_err)?;
        let (split, seed) = (read::split(py, split)?, read::seed(seed)?);
        let Some(index) = index else { return Ok(self.sampler.grammar(dialect)) };
        let index = read::unsigned(index, "index")?;
        let grammar = py.detach(|| self.sampler.sample_grammar(split, seed, index, dialect));
        grammar.map_err(|error| raised(py, error))
    }

    fn __reduce__(&self, py: Python) -> PyResult<(Py<PyAny>, (Compile,))> {
        let compile = py.get_type::<Compile>().getattr("compile")?.unbind();
        Ok((compile, (self.compile.clone(),)))
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Sampler {} · {}>", self.sampler.name(), self.sampler.level())
    }
}

impl Sampler {
    fn scored(&self, py: Python, score: Result<cookc::Score, cookc::Error>) -> PyResult<Score> {
        score.map(|score| Score::of(score, &self.rules)).map_err(|error| raised(py, error))
    }
}

/// Makes many objects that refer to no other while Python's collector is off: it would look at all
/// of them each time that some hundred more are there.
fn uncollected<T>(py: Python, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let collector = py.import("gc")?;
    let is_on: bool = collector.call_method0("isenabled")?.extract()?;
    if !is_on {
        return make();
    }
    collector.call_method0("disable")?;
    let made = make();
    collector.call_method0("enable")?;
    made
}

/// Samples one after the other: see `Sampler.samples`.
#[pyclass(frozen, module = "cookc")]
pub struct Samples {
    /// None when it is closed.
    samples: Mutex<Option<cookc::Samples>>,
    digest: Arc<str>,
}

#[pymethods]
impl Samples {
    fn __iter__(this: Bound<Samples>) -> Bound<Samples> {
        this
    }

    fn __next__(&self, py: Python) -> PyResult<Option<Sample>> {
        py.check_signals()?;
        let next = py.detach(|| {
            let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
            samples.as_mut().and_then(Iterator::next)
        });
        let sample = next.transpose().map_err(|error| raised(py, error))?;
        Ok(sample.map(|one| Sample::of(one, &self.digest)))
    }

    /// Ends it: there is no next sample.
    fn close(&self) {
        *self.samples.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

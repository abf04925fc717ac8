//! `cookc.Sample`, and the key that it is a pure function of.

use std::sync::Arc;

use cookc::data::SampleId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Map, Value};

use crate::convert;
use crate::read;

/// What a sample is a pure function of: the same key has the same texts, on any machine.
#[pyclass(frozen, module = "cookc", eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key(cookc::Key);

#[pymethods]
impl Key {
    #[new]
    fn new(
        py: Python,
        template: &str,
        level: &str,
        set: &str,
        split: &str,
        seed: u64,
        index: u64,
    ) -> PyResult<Key> {
        let (template, level, set) = (template.into(), level.into(), set.into());
        let split = read::split(py, split)?;
        Ok(Key(cookc::Key { template, level, set, split, seed, index }))
    }

    fn __getnewargs__(&self) -> (&str, &str, &str, &str, u64, u64) {
        let cookc::Key { template, level, set, split, seed, index } = &self.0;
        (template, level, set, split.name(), *seed, *index)
    }

    /// The template's name.
    #[getter]
    fn template(&self) -> &str {
        &self.0.template
    }

    /// The level's name; `default` for none.
    #[getter]
    fn level(&self) -> &str {
        &self.0.level
    }

    /// What is set beside the level's parameters, such as `length=128 quote=4`.
    #[getter]
    fn set(&self) -> &str {
        &self.0.set
    }

    /// `train` or `eval`.
    #[getter]
    fn split(&self) -> &str {
        self.0.split.name()
    }

    /// The seed.
    #[getter]
    fn seed(&self) -> u64 {
        self.0.seed
    }

    /// The sample's index.
    #[getter]
    fn index(&self) -> u64 {
        self.0.index
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Key {}>", self.0)
    }
}

/// One sample of a template, as plain values.
#[pyclass(frozen, module = "cookc", eq)]
#[derive(PartialEq)]
pub struct Sample {
    sample: cookc::Sample,
    digest: Arc<str>,
}

impl Sample {
    pub fn of(sample: cookc::Sample, digest: &Arc<str>) -> Sample {
        Sample { sample, digest: digest.clone() }
    }
}

/// What a sample is made again from: key, digest, system text, prompt, reply, fields.
type Parts<'a> = (Key, &'a str, Option<&'a str>, &'a str, &'a str, String);

#[pymethods]
impl Sample {
    #[new]
    fn new(
        key: &Key,
        digest: &str,
        system: Option<String>,
        prompt: String,
        reply: String,
        fields: &Bound<PyAny>,
    ) -> PyResult<Sample> {
        let (key, fields): (_, Map<String, Value>) = (key.0.clone(), convert::record(fields)?);
        let sample = cookc::Sample { key, system, prompt, reply, fields };
        Ok(Sample { sample, digest: digest.into() })
    }

    fn __getnewargs__(&self) -> Parts<'_> {
        let cookc::Sample { key, system, prompt, reply, fields } = &self.sample;
        let fields = Value::Object(fields.clone()).to_string();
        (Key(key.clone()), &self.digest, system.as_deref(), prompt, reply, fields)
    }

    /// What tells this sample from all others.
    #[getter]
    fn key(&self) -> Key {
        Key(self.sample.key.clone())
    }

    /// The key as one text, as in the column `id` of data sets: template, a digest of what decides
    /// its samples, split, seed and index.
    #[getter]
    fn id(&self) -> String {
        let cookc::Key { template, split, seed, index, .. } = &self.sample.key;
        let (template, digest) = (template.to_string(), self.digest.to_string());
        SampleId { template, digest, split: *split, seed: *seed, index: *index }.to_string()
    }

    /// The sample's index.
    #[getter]
    fn index(&self) -> u64 {
        self.sample.key.index
    }

    /// The system text, if the template has one.
    #[getter]
    fn system(&self) -> Option<&str> {
        self.sample.system.as_deref()
    }

    /// What a model reads.
    #[getter]
    fn prompt(&self) -> &str {
        &self.sample.prompt
    }

    /// What it should write.
    #[getter]
    fn reply(&self) -> &str {
        &self.sample.reply
    }

    /// The sample as a conversation: the system text if there is one, the prompt, the reply; each
    /// with `role` and `content`.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let messages = self.sample.messages().map(|one| {
            let message = PyDict::new(py);
            message.set_item("role", one.role)?;
            message.set_item("content", one.content)?;
            Ok(message)
        });
        PyList::new(py, messages.collect::<PyResult<Vec<_>>>()?)
    }

    /// The shown values by their names: a list of words is one text, any other list a list.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        convert::dict(py, &self.sample.fields)
    }

    fn __str__(&self) -> String {
        format!("{}\n{}", self.sample.prompt, self.sample.reply)
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Sample {}>", self.sample.key)
    }
}

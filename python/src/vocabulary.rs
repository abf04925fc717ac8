//! `cookc.Vocabulary`: the words that samples are drawn from.

use cookc::model::text::tokenizer::Tokenizer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::raised;
use crate::read;

/// The words that samples are drawn from; without one, a template draws from 4,096 invented words.
#[pyclass(frozen, module = "cookc")]
pub struct Vocabulary(cookc::Vocabulary);

impl Vocabulary {
    /// What a caller passes for words: a vocabulary, or the path of a file of words.
    pub fn of(words: &Bound<PyAny>) -> PyResult<cookc::Vocabulary> {
        match words.cast::<Vocabulary>() {
            Ok(words) => Ok(words.get().0.clone()),
            Err(_) => Vocabulary::open(words.py(), words).map(|words| words.0),
        }
    }
}

#[pymethods]
impl Vocabulary {
    /// These words, each once.
    #[new]
    fn new(words: Vec<String>) -> PyResult<Vocabulary> {
        let words = cookc::Vocabulary::new(words);
        let wrong = |why: cookc::data::vocab::WordsError| {
            PyValueError::new_err(why.to_string().replace("line ", "word "))
        };
        words.map(Vocabulary).map_err(wrong)
    }

    /// The words of a file, one a line.
    #[staticmethod]
    fn open(py: Python, path: &Bound<PyAny>) -> PyResult<Vocabulary> {
        let path = read::path(path, "path")?;
        let words = cookc::template::vocabulary(Some(&path));
        words.map(Vocabulary).map_err(|error| raised(py, error))
    }

    /// Words of a model's tokenizer that are one token each: what `vocab = "tokenizer"` is in a
    /// recipe. The path is that of the model's folder, or of a GGUF file.
    #[staticmethod]
    fn tokenizer(py: Python, path: &Bound<PyAny>) -> PyResult<Vocabulary> {
        let path = read::path(path, "path")?;
        let words = py.detach(|| -> Result<cookc::Vocabulary, cookc::Error> {
            let words = cookc::run::words_of(&Tokenizer::load(&path)?)?;
            let words = cookc::Vocabulary::new(words);
            words.map_err(|why| cookc::Error::Input(format!("{}: {why}", path.display())))
        });
        words.map(Vocabulary).map_err(|error| raised(py, error))
    }

    /// The first `count` of the invented words.
    #[staticmethod]
    #[pyo3(signature = (count=4096))]
    fn invented(count: usize) -> PyResult<Vocabulary> {
        let all = cookc::Vocabulary::embedded().len();
        match (1..=all).contains(&count) {
            true => Ok(Vocabulary(cookc::Vocabulary::embedded_part(count))),
            false => {
                Err(PyValueError::new_err(format!("`count` must be in 1..{all}, and is {count}")))
            }
        }
    }

    /// The words, in their order.
    #[getter]
    fn words(&self) -> Vec<&str> {
        self.0.words().collect()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getnewargs__(&self) -> (Vec<&str>,) {
        (self.words(),)
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Vocabulary of {} words>", self.0.len())
    }
}

//! `cookc.Template` and `cookc.Compile`: a template's text, and how it is compiled.

use cookc::Beside;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Diagnostic, raised};
use crate::read;
use crate::sampler::Sampler;
use crate::vocabulary::Vocabulary;

/// A template: its text and what it means. It was checked and has no error.
#[pyclass(frozen, module = "cookc")]
pub struct Template(cookc::Template);

/// The name and the text of a file beside a template.
type File = (String, String);

#[pymethods]
impl Template {
    /// The same as `parse`: a template is made again from a pickle so.
    #[new]
    #[pyo3(signature = (name, text, files=None))]
    fn new(py: Python, name: &str, text: &str, files: Option<Vec<File>>) -> PyResult<Template> {
        Template::parse(py, name, text, files)
    }

    fn __getnewargs__(&self) -> (&str, &str, Vec<File>) {
        let source = self.0.source();
        let files = self.0.files().iter().map(|file| (file.name.clone(), file.text.clone()));
        (&source.name, &source.text, files.collect())
    }

    /// Reads and checks a template, and the files beside it that it uses.
    #[staticmethod]
    fn open(py: Python, path: &Bound<PyAny>) -> PyResult<Template> {
        let path = read::path(path, "path")?;
        Template::made(py, || cookc::Template::open(&path))
    }

    /// Checks the text of a template, under the name that its errors are shown with; the template's
    /// name is that without folder and ending. `files` has the files that it uses, by name; no file
    /// is read.
    #[staticmethod]
    #[pyo3(signature = (name, text, files=None))]
    fn parse(py: Python, name: &str, text: &str, files: Option<Vec<File>>) -> PyResult<Template> {
        let files: Vec<Beside> =
            files.into_iter().flatten().map(|(name, text)| Beside { name, text }).collect();
        Template::made(py, || cookc::Template::parse_with(name, text, &files))
    }

    /// A template that is built in, such as `retrieval`; `cookc.templates()` has their names.
    #[staticmethod]
    fn builtin(py: Python, name: &str) -> PyResult<Template> {
        Template::made(py, || cookc::Template::builtin(name))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Its text.
    #[getter]
    fn text(&self) -> &str {
        &self.0.source().text
    }

    /// The names of its levels, from the text; the defaults have none.
    #[getter]
    fn levels(&self) -> Vec<&str> {
        self.0.levels().collect()
    }

    /// The lints of its text: it can be used, and something is probably not what was meant.
    #[getter]
    fn lints(&self) -> Vec<Diagnostic> {
        self.0.lints().iter().map(|one| Diagnostic::of(one, self.0.source())).collect()
    }

    /// Chooses a level to compile at; `default` are the parameters' defaults.
    fn level(&self, name: String) -> Compile {
        Compile { level: name, ..Compile::of(&self.0) }
    }

    /// Sets a parameter to compile with.
    fn set(&self, name: String, value: &Bound<PyAny>) -> PyResult<Compile> {
        Compile::of(&self.0).set(name, value)
    }

    /// Draws from these words: a `Vocabulary`, or the path of a file with a word a line.
    fn vocabulary(&self, words: &Bound<PyAny>) -> PyResult<Compile> {
        Compile::of(&self.0).vocabulary(words)
    }

    /// With answers in this form: see `Compile.answer`.
    fn answer(&self, form: &str) -> PyResult<Compile> {
        Compile::of(&self.0).answer(form)
    }

    /// Compiles at the defaults, with these parameters by name instead of theirs.
    #[pyo3(signature = (**parameters))]
    fn compile(&self, py: Python, parameters: Option<&Bound<PyDict>>) -> PyResult<Sampler> {
        Compile::of(&self.0).compile(py, parameters)
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Template {}>", self.0.name())
    }
}

impl Template {
    fn made(
        py: Python,
        make: impl FnOnce() -> Result<cookc::Template, cookc::Error> + Send,
    ) -> PyResult<Template> {
        py.detach(make).map(Template).map_err(|error| raised(py, error))
    }
}

/// How a template is to be compiled: a level, parameters, words. Each method returns another one.
#[pyclass(frozen, module = "cookc")]
#[derive(Clone)]
pub struct Compile {
    template: cookc::Template,
    level: String,
    set: Vec<(String, String)>,
    words: Option<cookc::Vocabulary>,
    answer: cookc::Answer,
    interpreted: bool,
}

/// What it is made again from: template, level, parameters, words, the form of answers and whether
/// it is interpreted.
type Parts = (Template, String, Vec<(String, String)>, Option<Vec<String>>, (String, bool));

impl Compile {
    fn of(template: &cookc::Template) -> Compile {
        let (template, level) = (template.clone(), String::new());
        let answer = cookc::Answer::default();
        Compile { template, level, set: Vec::new(), words: None, answer, interpreted: false }
    }

    fn sampler(&self) -> Result<cookc::Sampler, cookc::Error> {
        let level = self.template.level(&*self.level).answer(self.answer);
        let set = self.set.iter();
        let mut compile = set.fold(level, |compile, (name, value)| compile.set(name, value));
        if let Some(words) = &self.words {
            compile = compile.vocabulary(words.clone());
        }
        if self.interpreted { compile.interpreted().compile() } else { compile.compile() }
    }
}

#[pymethods]
impl Compile {
    #[new]
    fn new(
        template: &Template,
        level: String,
        set: Vec<(String, String)>,
        words: Option<Vec<String>>,
        how: (String, bool),
    ) -> PyResult<Compile> {
        let (answer, interpreted) = how;
        let words = words.map(cookc::Vocabulary::new).transpose();
        let words =
            words.map_err(|why| pyo3::exceptions::PyValueError::new_err(why.to_string()))?;
        let answer = read::answer(&answer)?;
        Ok(Compile { template: template.0.clone(), level, set, words, answer, interpreted })
    }

    fn __getnewargs__(&self) -> Parts {
        let Compile { template, level, set, words, answer, interpreted } = self.clone();
        let words = words.map(|words| words.words().map(String::from).collect());
        (Template(template), level, set, words, (answer.name().to_string(), interpreted))
    }

    /// At this level.
    fn level(&self, name: String) -> Compile {
        Compile { level: name, ..self.clone() }
    }

    /// With a parameter at this number instead of the level's; the last one counts.
    fn set(&self, name: String, value: &Bound<PyAny>) -> PyResult<Compile> {
        let number = read::parameter(value, &name)?;
        let mut set = self.set.clone();
        set.push((name, number));
        Ok(Compile { set, ..self.clone() })
    }

    /// With these words in place of the built-in ones: a `Vocabulary`, or the path of a file with a
    /// word a line.
    fn vocabulary(&self, words: &Bound<PyAny>) -> PyResult<Compile> {
        Ok(Compile { words: Some(Vocabulary::of(words)?), ..self.clone() })
    }

    /// With answers in this form: `strict` (as the template writes it), `bare` (decoration does not
    /// matter), `tags` (`<answer>…</answer>`), `boxed` (`\boxed{…}`), `line` (`Answer: …`)
    /// or `any` of them. Prompts ask for tags, boxed and line, and replies have it.
    fn answer(&self, form: &str) -> PyResult<Compile> {
        Ok(Compile { answer: read::answer(form)?, ..self.clone() })
    }

    /// Run step by step, not as machine code: the same bytes, slower, and nothing is compiled.
    fn interpreted(&self) -> Compile {
        Compile { interpreted: true, ..self.clone() }
    }

    /// Compiles the template, with these parameters by name beside those that are set.
    #[pyo3(signature = (**parameters))]
    fn compile(&self, py: Python, parameters: Option<&Bound<PyDict>>) -> PyResult<Sampler> {
        let mut compile = self.clone();
        for (name, value) in parameters.into_iter().flatten() {
            compile = compile.set(name.extract()?, &value)?;
        }
        let sampler = py.detach(|| compile.sampler()).map_err(|error| raised(py, error))?;
        Ok(Sampler::new(compile, sampler))
    }

    fn __repr__(&self) -> String {
        let set = self.set.iter().map(|(name, value)| format!(" {name}={value}"));
        let level = cookc::data::level_name(&self.level);
        format!("<cookc.Compile {} · {level}{}>", self.template.name(), set.collect::<String>())
    }
}

//! `cookc.Error`: an exception that prints the diagnostic with its source.

use cookc::diagnostic;
use cookc::source::Source;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
use pyo3::prelude::*;

pyo3::create_exception!(
    cookc,
    Error,
    PyException,
    "Something could not be done. As text it is the diagnostic with its source, as the command \
     line draws it: what is wrong, where, and what to write instead.\n\n\
     `message` is the first diagnostic's title; `code` (such as `E501`), `line` and `column` are \
     its own, and None where nothing points into a template; `help` is what to write. `index` is \
     that of a sample that cannot be drawn. `diagnostics` has all of them."
);

/// One error or lint of a template. As text it is drawn with its source.
#[pyclass(frozen, module = "cookc", eq, get_all)]
#[derive(Clone, PartialEq)]
pub struct Diagnostic {
    /// Such as `E501`; `cookc explain E501` tells more.
    code: String,
    /// `error` or `warning`.
    severity: String,
    /// What is wrong, in a line.
    message: String,
    /// What to write instead; empty where that is not known.
    help: String,
    /// The name of the text: a path, or `std:NAME`.
    file: String,
    /// The line, from 1.
    line: usize,
    /// The column, from 1, in characters.
    column: usize,
    /// The diagnostic with its source.
    text: String,
}

impl Diagnostic {
    pub fn of(found: &diagnostic::Diagnostic, source: &Source) -> Diagnostic {
        let (line, column) = source.position(found.span().start);
        Diagnostic {
            code: found.code.to_string(),
            severity: found.severity.name().to_string(),
            message: found.title.clone(),
            help: found.help.clone(),
            file: source.name.to_string(),
            line,
            column,
            text: diagnostic::render(found, source, false).trim_end().to_string(),
        }
    }
}

#[pymethods]
impl Diagnostic {
    #[new]
    #[allow(clippy::too_many_arguments)] // Python makes it again from a pickle.
    fn new(
        code: String,
        severity: String,
        message: String,
        help: String,
        file: String,
        line: usize,
        column: usize,
        text: String,
    ) -> Diagnostic {
        Diagnostic { code, severity, message, help, file, line, column, text }
    }

    fn __getnewargs__(&self) -> (String, String, String, String, String, usize, usize, String) {
        let Diagnostic { code, severity, message, help, file, line, column, text } = self.clone();
        (code, severity, message, help, file, line, column, text)
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        let Diagnostic { code, message, file, line, column, .. } = self;
        format!("<cookc.Diagnostic {code} {file}:{line}:{column}: {message}>")
    }
}

/// What every exception has, where nothing else is known of it.
const ATTRIBUTES: [&str; 6] = ["code", "line", "column", "help", "index", "message"];

/// Gives the class its attributes.
pub fn with_attributes(py: Python) -> PyResult<()> {
    let class = py.get_type::<Error>();
    for name in ATTRIBUTES {
        class.setattr(name, py.None())?;
    }
    class.setattr("diagnostics", pyo3::types::PyTuple::empty(py))
}

/// The exception of an error.
pub fn raised(py: Python, error: cookc::Error) -> PyErr {
    if matches!(error, cookc::Error::Cancelled) {
        return PyKeyboardInterrupt::new_err(());
    }
    let text = error.to_string();
    let raised = Error::new_err(text.clone());
    match attributes(raised.value(py), &error, &text) {
        Ok(()) => raised,
        Err(other) => other,
    }
}

/// The exception of a text that names what is wrong with an argument.
pub fn input(py: Python, text: impl Into<String>) -> PyErr {
    raised(py, cookc::Error::Input(text.into()))
}

fn attributes(raised: &Bound<PyAny>, error: &cookc::Error, text: &str) -> PyResult<()> {
    let diagnostics: Vec<Diagnostic> = match error {
        cookc::Error::Invalid(all) => all
            .iter()
            .flat_map(|found| {
                found.diagnostics.iter().map(|one| Diagnostic::of(one, &found.source))
            })
            .collect(),
        cookc::Error::Sample { key, source, diagnostic } => {
            raised.setattr("index", key.index)?;
            vec![Diagnostic::of(diagnostic, source)]
        }
        _ => Vec::new(),
    };
    let first = diagnostics.iter().find(|one| one.severity == "error").or(diagnostics.first());
    raised.setattr("message", first.map_or(text, |one| &one.message))?;
    if let Some(Diagnostic { code, line, column, help, .. }) = first {
        raised.setattr("code", code)?;
        raised.setattr("line", line)?;
        raised.setattr("column", column)?;
        raised.setattr("help", help)?;
    }
    raised.setattr("diagnostics", pyo3::types::PyTuple::new(raised.py(), diagnostics)?)
}

//! The Python package: the front door of cookc, one to one, and its command line.

mod arrow;
mod convert;
mod curriculum;
mod error;
mod read;
mod rows;
mod sample;
mod sampler;
mod score;
mod template;
mod threads;
mod token_rows;
mod vocabulary;

use pyo3::prelude::*;

/// The native half of the package `cookc`, which says what is public.
#[pymodule]
mod _cookc {
    use std::ffi::OsString;
    use std::io::Write;

    use pyo3::prelude::*;

    #[pymodule_export]
    use super::arrow::{Batch, Stream};
    #[pymodule_export]
    use super::curriculum::Curriculum;
    #[pymodule_export]
    use super::error::{Diagnostic, Error};
    #[pymodule_export]
    use super::rows::Rows;
    #[pymodule_export]
    use super::sample::{Key, Sample};
    #[pymodule_export]
    use super::sampler::{Sampler, Samples};
    #[pymodule_export]
    use super::score::Score;
    #[pymodule_export]
    use super::template::{Compile, Template};
    #[pymodule_export]
    use super::token_rows::TokenRows;
    #[pymodule_export]
    use super::vocabulary::Vocabulary;

    /// The names of the templates that are built in: see `Template.builtin`.
    #[pyfunction]
    fn templates() -> Vec<&'static str> {
        cookc::template::builtin().collect()
    }

    /// The names of the shapes that rows can have: see `Sampler.rows`.
    #[pyfunction]
    fn shapes() -> Vec<&'static str> {
        cookc::data::sink::SHAPES.iter().map(|shape| shape.name).collect()
    }

    /// Runs the command line with these arguments, the program's name before them, and returns its
    /// exit code. `start` is the command that starts another process like this one.
    #[pyfunction]
    fn main(py: Python, arguments: Vec<OsString>, start: Vec<OsString>) -> u8 {
        cookc::cli::started_by(start);
        py.detach(|| {
            let done = cookc::cli::run(cookc::cli::Arguments::of(arguments));
            let code = done.map_or_else(|failure| cookc::cli::report(&failure), |()| 0);
            // A program of Rust does so at its end; a reader that is gone is no failure.
            let _ = std::io::stdout().flush();
            code
        })
    }

    #[pymodule_init]
    fn init(module: &Bound<PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        super::error::with_attributes(module.py())
    }
}

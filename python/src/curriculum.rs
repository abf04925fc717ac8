//! `cookc.Curriculum`: the level of the next problem, by how replies score.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cookc::mix::Progress;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::read;

/// The levels of a template, the easiest first, and which of them comes next, by the policy of
/// `[mix] online`: after every `window` scores of a level their mean is its pass rate; at
/// `mastered` or above the next level follows, at `failed` or below the one before. One problem in
/// ten is of another level, so that nothing is forgotten. Threads share it.
#[pyclass(frozen, module = "cookc")]
pub struct Curriculum(Mutex<cookc::Curriculum>);

impl Curriculum {
    fn lock(&self) -> MutexGuard<'_, cookc::Curriculum> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Curriculum {
    #[new]
    #[pyo3(signature = (levels, mastered=0.7, failed=0.1, window=None))]
    fn new(
        levels: Vec<String>,
        mastered: f64,
        failed: f64,
        window: Option<&Bound<PyAny>>,
    ) -> PyResult<Curriculum> {
        let window = window.map_or(Ok(cookc::mix::WINDOW), |it| read::unsigned(it, "window"))?;
        let curriculum = cookc::Curriculum::new(levels, mastered, failed, window);
        Ok(Curriculum(Mutex::new(curriculum.map_err(PyValueError::new_err)?)))
    }

    fn __getnewargs__(&self) -> (Vec<String>, f64, f64, u64) {
        let curriculum = self.lock();
        let (mastered, failed) = curriculum.bounds();
        (curriculum.levels().to_vec(), mastered, failed, curriculum.window())
    }

    fn __getstate__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.state_dict(py)
    }

    fn __setstate__(&self, state: &Bound<PyDict>) -> PyResult<()> {
        self.load_state_dict(state)
    }

    /// The levels, the easiest first.
    #[getter]
    fn levels(&self) -> Vec<String> {
        self.lock().levels().to_vec()
    }

    /// The level that is trained on now.
    #[getter]
    fn level(&self) -> String {
        self.lock().level().to_string()
    }

    /// The pass rate of each level's last full window, by its name; None where there was none.
    #[getter]
    fn rates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (curriculum, rates) = (self.lock(), PyDict::new(py));
        for (level, progress) in curriculum.levels().iter().zip(curriculum.progress()) {
            rates.set_item(level, progress.rate)?;
        }
        Ok(rates)
    }

    /// The level of the problem with this number, which depends on it and the present level alone.
    fn pick(&self, number: &Bound<PyAny>) -> PyResult<String> {
        let number = read::unsigned(number, "number")?;
        Ok(self.lock().pick(number).to_string())
    }

    /// Takes in the score of a reply to a problem of a level, from 0 to 1.
    fn record(&self, level: &str, score: f64) -> PyResult<()> {
        self.lock().record(level, score).map_err(PyValueError::new_err)
    }

    /// Where it is: numbers and texts, as JSON has them.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (curriculum, state, levels) = (self.lock(), PyDict::new(py), PyDict::new(py));
        for (level, it) in curriculum.levels().iter().zip(curriculum.progress()) {
            let of = PyDict::new(py);
            of.set_item("rate", it.rate)?;
            of.set_item("count", it.count)?;
            of.set_item("sum", it.sum)?;
            levels.set_item(level, of)?;
        }
        state.set_item("level", curriculum.level())?;
        state.set_item("levels", levels)?;
        Ok(state)
    }

    /// Goes on where a curriculum of the same levels was.
    fn load_state_dict(&self, state: &Bound<PyDict>) -> PyResult<()> {
        let level: String = item(state, "level")?.extract()?;
        let levels = item(state, "levels")?.cast_into::<PyDict>()?;
        let mut curriculum = self.lock();
        let named: Vec<String> = levels.keys().extract()?;
        if named != curriculum.levels() {
            let (named, levels) = (named.join(", "), curriculum.levels().join(", "));
            let why = format!("the state is of the levels {named}, and these are {levels}");
            return Err(PyValueError::new_err(why));
        }
        let progress = levels.values().iter().map(|it| {
            let it = it.cast_into::<PyDict>()?;
            let (rate, count) = (item(&it, "rate")?.extract()?, item(&it, "count")?.extract()?);
            Ok(Progress { rate, count, sum: item(&it, "sum")?.extract()? })
        });
        let progress = progress.collect::<PyResult<Vec<_>>>()?;
        curriculum.restore(&level, &progress).map_err(PyValueError::new_err)
    }

    /// Copies of what holds it, such as a configuration, share it; a pickle is a separate one.
    fn __deepcopy__<'py>(this: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        this
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Curriculum {}>", self.lock().level())
    }
}

fn item<'py>(state: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let none = || PyKeyError::new_err(format!("the state has no `{name}`"));
    state.get_item(name)?.ok_or_else(none)
}

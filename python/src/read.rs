//! Python's arguments, read with a message that names the argument and what it must be.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

use cookc::data::sink::Shape;
use cookc::{Answer, Split};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

use crate::error::input;

/// A number from 0 to 2⁶⁴ − 1: an index, a seed, a count.
pub fn unsigned(value: &Bound<PyAny>, name: &str) -> PyResult<u64> {
    let number = index(value, || format!("`{name}` must be an int"))?;
    if let Ok(number) = number.extract::<u64>() {
        return Ok(number);
    }
    let shown = number.str()?;
    let why = match number.lt(0)? {
        true => format!("`{name}` must not be negative, and is {shown}"),
        false => format!("`{name}` must be at most 2**64 - 1, and is {shown}"),
    };
    Err(PyValueError::new_err(why))
}

/// An int, or what stands for one, such as those of numpy.
fn index<'py>(value: &Bound<'py, PyAny>, must: impl Fn() -> String) -> PyResult<Bound<'py, PyAny>> {
    if value.is_instance_of::<PyInt>() {
        return Ok(value.clone());
    }
    let operator = value.py().import("operator")?;
    operator.call_method1("index", (value,)).map_err(|_| other_type(value, &must()))
}

/// The exception of a value of another type.
pub fn other_type(value: &Bound<PyAny>, must: &str) -> PyErr {
    let name = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    PyTypeError::new_err(format!("{must}, and is a `{name}`"))
}

/// A form of answers.
pub fn answer(name: &str) -> PyResult<Answer> {
    name.parse().map_err(PyValueError::new_err::<String>)
}

/// A seed; 0 where none is given.
pub fn seed(value: Option<&Bound<PyAny>>) -> PyResult<u64> {
    value.map_or(Ok(0), |value| unsigned(value, "seed"))
}

/// The most ids of a row; 2,048 where nothing is given, as in the command line.
pub fn length(value: Option<&Bound<PyAny>>) -> PyResult<usize> {
    match value.map_or(Ok(2048), |value| unsigned(value, "length"))? {
        length @ 2..=0xffff_ffff => Ok(length as usize),
        length => {
            let why = format!("`length` must be at least 2 and at most 2**32 - 1, and is {length}");
            Err(PyValueError::new_err(why))
        }
    }
}

/// The indices that start and count say; without a count they end nowhere.
pub fn indices(start: Option<&Bound<PyAny>>, count: Option<&Bound<PyAny>>) -> PyResult<Range<u64>> {
    let start = start.map_or(Ok(0), |start| unsigned(start, "start"))?;
    let Some(count) = count else { return Ok(start..u64::MAX) };
    let end = start.checked_add(unsigned(count, "count")?);
    let end = end.ok_or_else(|| {
        PyValueError::new_err("`start` and `count` together must be at most 2**64 - 1")
    })?;
    Ok(start..end)
}

/// The same, where there must be a count.
pub fn indices_to_end(
    start: Option<&Bound<PyAny>>,
    count: Option<&Bound<PyAny>>,
) -> PyResult<Range<u64>> {
    if count.is_none() {
        return Err(PyTypeError::new_err("`count` is missing: say how many samples"));
    }
    indices(start, count)
}

/// Replies, whose texts are those of Python; half a character (a lone surrogate) is read as U+FFFD.
pub fn replies<'a>(replies: &'a [Bound<PyAny>]) -> PyResult<Vec<Cow<'a, str>>> {
    let text = |(at, reply): (usize, &'a Bound<PyAny>)| {
        let must = || format!("`replies[{at}]` must be a text");
        let reply = reply.cast::<PyString>().map_err(|_| other_type(reply, &must()))?;
        Ok(reply.to_string_lossy())
    };
    replies.iter().enumerate().map(text).collect()
}

/// Indices, and the reply to each.
pub fn pairs<'a>(indices: &Bound<PyAny>, replies: &'a [Cow<str>]) -> PyResult<Vec<(u64, &'a str)>> {
    let indices = all(indices, "indices")?;
    if indices.len() != replies.len() {
        let (indices, replies) = (indices.len(), replies.len());
        return Err(PyValueError::new_err(format!(
            "each index needs a reply: there are {indices} indices and {replies} replies"
        )));
    }
    let pair = |(at, (index, reply)): (usize, (&Bound<PyAny>, &'a Cow<str>))| {
        // What is no index is looked at again, for the message.
        let index = index.extract().or_else(|_| unsigned(index, &format!("indices[{at}]")))?;
        Ok((index, &**reply))
    };
    indices.iter().zip(replies).enumerate().map(pair).collect()
}

/// The items of a list, or of what stands for one.
pub fn all<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let is_text = value.is_instance_of::<PyString>();
    let items = value.try_iter().ok().filter(|_| !is_text);
    items.ok_or_else(|| other_type(value, &format!("`{name}` must be a list")))?.collect()
}

/// A split by its name.
pub fn split(py: Python, name: &str) -> PyResult<Split> {
    name.parse().map_err(|why: String| input(py, why))
}

/// A shape by its name.
pub fn shape(py: Python, name: &str) -> PyResult<&'static Shape> {
    Shape::named(name).map_err(|why| input(py, why))
}

/// A path: a text, or what stands for one.
pub fn path(value: &Bound<PyAny>, name: &str) -> PyResult<PathBuf> {
    value.extract().map_err(|_| other_type(value, &format!("`{name}` must be a path")))
}

/// The number of a parameter, as a template would have it written.
pub fn parameter(value: &Bound<PyAny>, name: &str) -> PyResult<String> {
    let must = || format!("the parameter `{name}` must be an int, a float, or one of its names");
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_string();
        // A number in quotes is a slip.
        return match text.parse::<f64>() {
            Ok(_) => Err(other_type(value, &must())),
            Err(_) => Ok(text),
        };
    }
    if value.is_instance_of::<PyBool>() {
        return Err(other_type(value, &must()));
    }
    if value.is_instance_of::<PyFloat>() || !value.hasattr("__index__")? {
        let number: f64 = value.extract().map_err(|_| other_type(value, &must()))?;
        return Ok(number.to_string());
    }
    Ok(index(value, must)?.str()?.to_string())
}

//! JSON values to Python's objects and back.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PySequence, PyString,
};
use serde_json::{Map, Number, Value};

use crate::read::other_type;

/// The deepest that lists lie in lists: a record's values are not deeper than a template's types.
const DEPTH_MAX: usize = 32;

/// An object of values as a dict.
pub fn dict<'py>(py: Python<'py>, object: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in object {
        dict.set_item(name, object_of(py, value)?)?;
    }
    Ok(dict)
}

fn object_of<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(is) => is.into_bound_py_any(py),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into_bound_py_any(py),
            None => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(values) => {
            let values: PyResult<Vec<_>> = values.iter().map(|one| object_of(py, one)).collect();
            Ok(PyList::new(py, values?)?.into_any())
        }
        Value::Object(object) => Ok(dict(py, object)?.into_any()),
    }
}

/// A record: a mapping of names to values, or the text of a JSON object, as the column `fields` of
/// a data set has it.
pub fn record(value: &Bound<PyAny>) -> PyResult<Map<String, Value>> {
    if let Ok(text) = value.cast::<PyString>() {
        let parsed = serde_json::from_str(text.to_str()?);
        return parsed.map_err(|why| {
            PyValueError::new_err(format!("`fields` must be the text of a JSON object: {why}"))
        });
    }
    let Ok(mapping) = value.cast::<PyMapping>() else {
        return Err(other_type(value, "`fields` must be a dict"));
    };
    let mut object = Map::new();
    for item in mapping.items()?.iter() {
        let (name, value): (Bound<PyAny>, Bound<PyAny>) = item.extract()?;
        let name: String =
            name.extract().map_err(|_| other_type(&name, "the names of `fields` must be texts"))?;
        let value = value_of(&value, &name, 0)?;
        object.insert(name, value);
    }
    Ok(object)
}

fn value_of(value: &Bound<PyAny>, name: &str, depth: usize) -> PyResult<Value> {
    let must =
        || format!("`fields[\"{name}\"]` must be a text, a number, a bool or a list of them");
    if value.is_none() {
        Ok(Value::Null)
    } else if value.is_instance_of::<PyBool>() {
        Ok(Value::Bool(value.extract()?))
    } else if let Ok(text) = value.cast::<PyString>() {
        Ok(Value::String(text.to_str()?.to_string()))
    } else if value.is_instance_of::<PyInt>() {
        let number: i64 = value.extract().map_err(|_| {
            PyValueError::new_err(format!("`fields[\"{name}\"]` must fit into 64 bits"))
        })?;
        Ok(Value::from(number))
    } else if value.is_instance_of::<PyFloat>() {
        Ok(Number::from_f64(value.extract()?).map_or(Value::Null, Value::Number))
    } else if depth >= DEPTH_MAX || value.is_instance_of::<PyBytes>() {
        Err(other_type(value, &must()))
    } else if value.hasattr("tolist")? {
        // Numbers and arrays of numpy and its like.
        value_of(&value.call_method0("tolist")?, name, depth + 1)
    } else if let Ok(list) = value.cast::<PySequence>() {
        let values = list.try_iter()?.map(|one| value_of(&one?, name, depth + 1));
        Ok(Value::Array(values.collect::<PyResult<_>>()?))
    } else {
        Err(other_type(value, &must()))
    }
}

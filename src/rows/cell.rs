//! A cell of a column of Arrow as a JSON value.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};
use serde_json::{Map, Value};

/// The type, or the one inside of it, that has no form in JSON.
pub fn without_json(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..) => Some(kind),
        DataType::List(field)
        | DataType::ListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::LargeList(field)
        | DataType::LargeListView(field)
        | DataType::Map(field, _) => without_json(field.data_type()),
        DataType::Struct(fields) => fields.iter().find_map(|field| without_json(field.data_type())),
        DataType::Dictionary(_, values) => without_json(values),
        _ => None,
    }
}

/// The cell as JSON. Dates, times and decimals are texts; a number that is not finite, as pandas
/// writes a missing one, is null.
///
/// # Errors
/// What cannot be written, such as a time in a zone that is not known.
pub fn json(array: &dyn Array, at: usize) -> Result<Value, String> {
    if array.is_null(at) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(at).into(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(at).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(at).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(at).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(at).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(at).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(at).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(at).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(at).into(),
        DataType::Float16 => array.as_primitive::<Float16Type>().value(at).to_f64().into(),
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(at)).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(at).into(),
        DataType::Utf8 => array.as_string::<i32>().value(at).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(at).into(),
        DataType::Utf8View => array.as_string_view().value(at).into(),
        DataType::List(_) => elements(&array.as_list::<i32>().value(at))?,
        DataType::LargeList(_) => elements(&array.as_list::<i64>().value(at))?,
        DataType::ListView(_) => elements(&array.as_list_view::<i32>().value(at))?,
        DataType::LargeListView(_) => elements(&array.as_list_view::<i64>().value(at))?,
        DataType::FixedSizeList(..) => elements(&array.as_fixed_size_list().value(at))?,
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            let value = pairs.map(|(field, column)| Ok((field.name().clone(), json(column, at)?)));
            Value::Object(value.collect::<Result<_, String>>()?)
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(at);
            let mut object = Map::new();
            for entry in 0..entries.len() {
                let key = json(entries.column(0), entry)?;
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_string);
                object.insert(key, json(entries.column(1), entry)?);
            }
            Value::Object(object)
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = json(dictionary.keys(), at)?;
            let key = key.as_u64().and_then(|key| usize::try_from(key).ok());
            let key = key.filter(|&key| key < dictionary.values().len());
            json(dictionary.values(), key.ok_or("its key is not in the dictionary")?)?
        }
        DataType::Decimal32(..) => array.as_primitive::<Decimal32Type>().value_as_string(at).into(),
        DataType::Decimal64(..) => array.as_primitive::<Decimal64Type>().value_as_string(at).into(),
        DataType::Decimal128(..) => {
            array.as_primitive::<Decimal128Type>().value_as_string(at).into()
        }
        DataType::Decimal256(..) => {
            array.as_primitive::<Decimal256Type>().value_as_string(at).into()
        }
        _ => return moment(array, at).map(Value::String),
    })
}

/// A date or a time as ISO 8601 has it; one with a zone in universal time.
fn moment(array: &dyn Array, at: usize) -> Result<String, String> {
    macro_rules! shown {
        ($kind:ty, $read:ident) => {
            array.as_primitive::<$kind>().$read(at).map(|moment| format!("{moment:?}"))
        };
    }
    let kind = array.data_type();
    let shown = match kind {
        DataType::Date32 => shown!(Date32Type, value_as_date),
        DataType::Date64 => shown!(Date64Type, value_as_datetime),
        DataType::Time32(TimeUnit::Second) => shown!(Time32SecondType, value_as_time),
        DataType::Time32(_) => shown!(Time32MillisecondType, value_as_time),
        DataType::Time64(TimeUnit::Microsecond) => shown!(Time64MicrosecondType, value_as_time),
        DataType::Time64(_) => shown!(Time64NanosecondType, value_as_time),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => shown!(TimestampSecondType, value_as_datetime),
            TimeUnit::Millisecond => shown!(TimestampMillisecondType, value_as_datetime),
            TimeUnit::Microsecond => shown!(TimestampMicrosecondType, value_as_datetime),
            TimeUnit::Nanosecond => shown!(TimestampNanosecondType, value_as_datetime),
        },
        other => return Err(format!("the type {other} has no form in JSON")),
    };
    let is_universal = matches!(kind, DataType::Timestamp(_, Some(_)));
    let shown = shown.ok_or_else(|| format!("no calendar has the {kind} that it holds"))?;
    Ok(if is_universal { format!("{shown}Z") } else { shown })
}

fn elements(array: &dyn Array) -> Result<Value, String> {
    (0..array.len()).map(|at| json(array, at)).collect::<Result<_, _>>().map(Value::Array)
}

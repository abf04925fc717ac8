//! Rows of data sets that other programs wrote: JSON lines, CSV, Parquet, Arrow and WebDataset, one
//! by one.

mod cell;
mod columnar;
mod csv;
mod folder;
mod samples;
mod text;

use std::collections::VecDeque;
use std::fmt;
use std::io::{ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::source;
use crate::template::{Error, missing};

/// The bytes at the start of a file that tell its format: a block of a tar file.
const MAGIC_MAX: u64 = 512;
/// The first rows of JSON that tell which columns there are, unless they are long.
const AHEAD: usize = 64;
/// The bytes of their texts at which no more are read ahead.
const AHEAD_BYTES: usize = 1 << 20;
/// Where a tar file says that it is one, and how.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// The rows of a data set, in order, read as they are asked for: a JSONL file (also compressed by
/// gzip or zstd, or a `.json` with one array), Parquet, Arrow IPC (as a stream, which is how
/// `datasets` writes it, or as a file), a tar file of WebDataset, CSV, or a folder of such files,
/// in the order of their names. The first bytes of a file tell its format, but for CSV, whose name
/// ends in `.csv` or `.tsv`: a column of it has integers, numbers, booleans or texts, as all of its
/// values can be read; `007` is a text.
pub struct Rows {
    files: std::vec::IntoIter<PathBuf>,
    wanted: Option<Vec<String>>,
    open: Open,
    /// The rows that were read to know the columns.
    ahead: VecDeque<Result<Row, Error>>,
    columns: Vec<String>,
    /// Whether the open file has no more rows.
    is_file_over: bool,
    is_over: bool,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number in its file, from 1; for JSONL the line.
    pub number: u64,
    /// Its values by the names of their columns.
    pub values: Map<String, Value>,
}

/// The value at a path such as `question`, `answers.0` or `choices.text`. A name that has a dot
/// itself comes first.
///
/// # Examples
/// ```
/// use cookc::rows::at;
/// use serde_json::json;
///
/// let row = json!({"answers": ["308", "300"], "a.b": 1, "a": {"b": 2, "c.d": 3}});
/// let row = row.as_object().expect("an object");
/// assert_eq!(at(row, "answers.0"), Some(&json!("308")));
/// assert_eq!((at(row, "a.b"), at(row, "a.c.d")), (Some(&json!(1)), Some(&json!(3))));
/// assert_eq!(at(row, "answers.two"), None);
/// ```
pub fn at<'a>(values: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = values.get(path) {
        return Some(value);
    }
    let mut dots = path.rmatch_indices('.');
    dots.find_map(|(dot, _)| below(values.get(&path[..dot])?, &path[dot + 1..]))
}

fn below<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    match value {
        Value::Object(values) => at(values, path),
        Value::Array(values) => match path.split_once('.') {
            Some((index, rest)) => below(values.get(index.parse::<usize>().ok()?)?, rest),
            None => values.get(path.parse::<usize>().ok()?),
        },
        _ => None,
    }
}

/// Does one of the paths begin with this column?
fn is_named(column: &str, paths: &[String]) -> bool {
    let begins = |path: &String| {
        path.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    paths.iter().any(begins)
}

impl Rows {
    /// Opens a data set, and reads its first rows.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no such file, it has no row, its format is none of those, its
    /// first row cannot be read, or a column has a type without a form in JSON, such as binary;
    /// [`Error::Io`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Rows, Error> {
        Rows::of(path, None)
    }

    /// Opens a data set to read only what these paths name (see [`at`]): other columns of Parquet
    /// and Arrow are skipped, whatever their type.
    ///
    /// # Errors
    /// As [`Rows::open`].
    pub fn select(path: &Path, paths: &[&str]) -> Result<Rows, Error> {
        Rows::of(path, Some(paths.iter().map(|path| path.to_string()).collect()))
    }

    /// The names of the columns, of the schema or of the first rows: all, also those that are not
    /// read.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Where the row is that was returned last, for a message: `xquad.jsonl line 3`.
    pub fn place(&self, row: &Row) -> String {
        let Place { file, unit } = self.open.place();
        format!("{file} {unit} {}", row.number)
    }

    /// Leaves out what is not wanted.
    fn keep(&self, row: &mut Row) {
        if let Some(wanted) = &self.wanted {
            row.values.retain(|name, _| is_named(name, wanted));
        }
    }

    fn of(path: &Path, wanted: Option<Vec<String>>) -> Result<Rows, Error> {
        let mut files = folder::files(path)?.into_iter();
        let first = files.next().expect("a folder without a file is an error");
        let open = Open::new(&first, wanted.as_deref())?;
        let columns = open.columns();
        let (ahead, is_over) = (VecDeque::new(), false);
        let mut rows = Rows { files, wanted, open, ahead, columns, is_file_over: false, is_over };
        let Some(first) = rows.next().transpose()? else {
            return Err(Error::Input(format!("{} has no row", path.display())));
        };
        rows.is_over = false;
        rows.look_ahead(first);
        Ok(rows)
    }

    /// Takes the columns of JSON from its first rows, those of one file, before any is left out.
    fn look_ahead(&mut self, first: Row) {
        let is_known = !self.columns.is_empty();
        let mut bytes = first.bytes();
        self.ahead.push_back(Ok(first));
        while !is_known && !self.is_file_over && self.ahead.len() < AHEAD && bytes < AHEAD_BYTES {
            let Some(row) = self.open.next() else {
                self.is_file_over = true;
                break;
            };
            bytes += row.as_ref().map_or(AHEAD_BYTES, Row::bytes);
            self.ahead.push_back(row);
        }
        let mut columns = std::mem::take(&mut self.columns);
        for name in self.ahead.iter().flatten().flat_map(|row| row.values.keys()) {
            if !is_known && !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.iter_mut().flatten().for_each(|row| self.keep(row));
        (self.columns, self.ahead) = (columns, ahead);
    }
}

impl Row {
    /// About how much memory its values take.
    pub(crate) fn bytes(&self) -> usize {
        self.values.values().map(bytes_of).sum()
    }
}

/// About how much memory a value takes beside its own size.
fn bytes_of(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(bytes_of).sum(),
            Value::Object(values) => {
                values.iter().map(|(name, value)| name.len() + bytes_of(value)).sum()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

impl Iterator for Rows {
    type Item = Result<Row, Error>;

    /// After an error there are no more rows.
    fn next(&mut self) -> Option<Result<Row, Error>> {
        if let Some(row) = self.ahead.pop_front() {
            self.is_over = row.is_err();
            return Some(row);
        }
        while !self.is_over {
            let next = if self.is_file_over { None } else { self.open.next() };
            if let Some(mut row) = next {
                self.is_over = row.is_err();
                // The columns of JSON are those of the first rows, before any is left out.
                if let (Ok(row), false) = (&mut row, self.columns.is_empty()) {
                    self.keep(row);
                }
                return Some(row);
            }
            let Some(file) = self.files.next() else { break };
            match Open::new(&file, self.wanted.as_deref()) {
                Ok(open) => (self.open, self.is_file_over) = (open, false),
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Rows").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// Where rows are, for messages.
#[derive(Clone)]
struct Place {
    file: Arc<str>,
    /// What is counted in it.
    unit: &'static str,
}

impl Place {
    fn error(&self, number: u64, why: impl fmt::Display) -> Error {
        let Place { file, unit } = self;
        Error::Input(format!("{file} {unit} {number}: {why}"))
    }
}

/// An open file.
enum Open {
    Text(text::Text),
    Columnar(columnar::Table),
    Samples(samples::Samples),
    Table(csv::Csv),
}

impl Open {
    fn new(path: &Path, wanted: Option<&[String]>) -> Result<Open, Error> {
        let name: Arc<str> = path.to_string_lossy().into();
        let io = |error| Error::Io { path: path.to_path_buf(), error };
        let mut file = source::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => missing(path),
            ErrorKind::InvalidInput => Error::Input(format!("{name} is no file: {error}")),
            _ => io(error),
        })?;
        if folder::is_table(path) {
            let start = || -> Result<Box<dyn Read + Send>, Error> {
                Ok(Box::new(source::open(path).map_err(io)?))
            };
            return Ok(Open::Table(csv::Csv::open(&start, name)?));
        }
        let mut start = Vec::new();
        file.by_ref().take(MAGIC_MAX).read_to_end(&mut start).map_err(io)?;
        file.rewind().map_err(io)?;
        let format = match start.as_slice() {
            [b'P', b'A', b'R', b'1', ..] => columnar::Format::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => columnar::Format::File,
            [0xff, 0xff, 0xff, 0xff, ..] => columnar::Format::Stream,
            [0x1f, 0x8b, ..] => {
                return Ok(Open::Text(text::Text::open(
                    Box::new(MultiGzDecoder::new(file)),
                    name,
                )?));
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let lines = zstd::Decoder::new(file).map_err(io)?;
                return Ok(Open::Text(text::Text::open(Box::new(lines), name)?));
            }
            [b'P', b'K', 3, 4, ..] => return Err(compressed(&name)),
            other if other.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) => {
                return Ok(Open::Samples(samples::Samples::open(file, name)));
            }
            _ => return Ok(Open::Text(text::Text::open(Box::new(file), name)?)),
        };
        Ok(Open::Columnar(columnar::Table::open(file, format, name, wanted)?))
    }

    /// The columns of the schema; none where only rows have some.
    fn columns(&self) -> Vec<String> {
        match self {
            Open::Text(_) | Open::Samples(_) => Vec::new(),
            Open::Columnar(table) => table.columns().to_vec(),
            Open::Table(table) => table.columns().to_vec(),
        }
    }

    fn place(&self) -> &Place {
        match self {
            Open::Text(text) => text.place(),
            Open::Columnar(table) => table.place(),
            Open::Samples(samples) => samples.place(),
            Open::Table(table) => table.place(),
        }
    }

    fn next(&mut self) -> Option<Result<Row, Error>> {
        match self {
            Open::Text(text) => text.next().transpose(),
            Open::Columnar(table) => table.next().transpose(),
            Open::Samples(samples) => samples.next().transpose(),
            Open::Table(table) => table.next().transpose(),
        }
    }
}

fn compressed(name: &str) -> Error {
    Error::Input(format!(
        "{name} is compressed by zip: expected JSON lines, CSV, Parquet or Arrow: write \
         `unzip {name}` first"
    ))
}

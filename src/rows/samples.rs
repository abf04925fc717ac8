//! Rows of a tar file as WebDataset has them: the files of one key are the columns of a row.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use tar::{EntryType, Header};

use super::{Place, Row};
use crate::template::Error;

/// The most bytes of a file.
const BYTES_MAX: u64 = 16 << 20;
/// What a tar file is made of.
const BLOCK: usize = 512;

/// A tar file that is being read.
pub struct Samples {
    reader: BufReader<File>,
    place: Place,
    /// The samples so far.
    number: u64,
    /// The first file of the next sample.
    next: Option<Entry>,
    is_over: bool,
}

/// A file in it.
struct Entry {
    key: String,
    column: String,
    value: Value,
}

impl Samples {
    pub fn open(file: File, name: Arc<str>) -> Samples {
        let place = Place { file: name, unit: "sample" };
        let reader = BufReader::with_capacity(1 << 16, file);
        Samples { reader, place, number: 0, next: None, is_over: false }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The next row; none at the end.
    pub fn next(&mut self) -> Result<Option<Row>, Error> {
        let first = match self.next.take() {
            Some(first) => first,
            None => match self.entry()? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        self.number += 1;
        let Entry { key, column, value } = first;
        let mut values = Map::from_iter([(column, value)]);
        while let Some(entry) = self.entry()? {
            if entry.key != key {
                self.next = Some(entry);
                break;
            }
            let Entry { column, value, .. } = entry;
            if values.contains_key(&column) {
                return Err(self.error(&format!("it has two files `{key}` with one ending")));
            }
            values.insert(column, value);
        }
        Ok(Some(Row { number: self.number, values }))
    }

    /// The next file; none at the end. What is no file, such as a folder, is skipped.
    fn entry(&mut self) -> Result<Option<Entry>, Error> {
        while !self.is_over {
            let mut block = [0; BLOCK];
            let read = self.fill(&mut block)?;
            if read == 0 || block.iter().all(|&byte| byte == 0) {
                self.is_over = true;
                break;
            }
            let header = Header::from_byte_slice(&block);
            let size = header.entry_size();
            let (BLOCK, Ok(size)) = (read, size) else {
                return Err(self.error("its header is cut short or damaged"));
            };
            if size > BYTES_MAX {
                let why = format!("a file has {size} bytes, and {BYTES_MAX} are the most");
                return Err(self.error(&why));
            }
            let padded = size.next_multiple_of(BLOCK as u64);
            let mut bytes = vec![0; padded as usize];
            if self.fill(&mut bytes)? != bytes.len() {
                return Err(self.error("the file ends in the middle of it: it is cut short"));
            }
            bytes.truncate(size as usize);
            match header.entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    let path = header.path_bytes();
                    let path = String::from_utf8_lossy(&path).into_owned();
                    return self.column(&path, bytes).map(Some);
                }
                EntryType::XHeader | EntryType::GNULongName => {
                    return Err(self.error("its name has more than 100 bytes: write a shorter one"));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// A file as a column: what is before the first dot of its name is the key, what is between it
    /// and the last the column. `.json` holds a value, and everything else must be text.
    fn column(&self, path: &str, bytes: Vec<u8>) -> Result<Entry, Error> {
        let start = path.rfind('/').map_or(0, |slash| slash + 1);
        let Some(dot) = path[start..].find('.') else {
            return Err(self.error(&format!("the file `{path}` has no ending")));
        };
        let (key, endings) = (&path[..start + dot], &path[start + dot + 1..]);
        let (column, kind) = endings.rsplit_once('.').unwrap_or((endings, endings));
        let value = match kind {
            "json" => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
            _ => String::from_utf8(bytes)
                .map(Value::String)
                .map_err(|error| format!("expected text, found {error}: name a data set of texts")),
        };
        let value = value.map_err(|why| self.error(&format!("the file `{path}`: {why}")))?;
        Ok(Entry { key: key.to_string(), column: column.to_string(), value })
    }

    /// Reads as much as there is, and returns how much.
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let mut read = 0;
        while read < into.len() {
            match self.reader.read(&mut into[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) => {
                    return Err(Error::Io { path: PathBuf::from(&*self.place.file), error });
                }
            }
        }
        Ok(read)
    }

    fn error(&self, why: &str) -> Error {
        self.place.error(self.number + 1, why)
    }
}

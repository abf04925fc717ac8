//! Scalars as event files that TensorBoard reads.
//!
//! A file is a row of records (`tensorflow/core/lib/io/record_writer.h`): the length of the data
//! in 8 bytes, its check sum, the data, its check sum. The data is a message `Event` of protocol
//! buffers (`tensorflow/core/util/event.proto`), of which four fields are needed here.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Fields of `Event`; the last three exclude each other.
const WALL_TIME: u32 = 1;
const STEP: u32 = 2;
const FILE_VERSION: u32 = 3;
const SUMMARY: u32 = 5;
const SESSION_LOG: u32 = 7;

/// An event file that grows.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: File,
}

impl Events {
    /// A new file in the folder, for the steps after `steps_done`. Whoever reads the folder
    /// forgets what an earlier file says of those steps; a run from its start has no earlier one.
    pub fn create(folder: &Path, steps_done: u64) -> Result<Events> {
        let failed = || format!("cannot write {}", folder.display());
        if steps_done == 0 && folder.exists() {
            fs::remove_dir_all(folder).with_context(failed)?;
        }
        fs::create_dir_all(folder).with_context(failed)?;
        // TensorBoard reads files in the order of their names.
        let number = fs::read_dir(folder).with_context(failed)?.count();
        let path = folder.join(format!("events.out.tfevents.{number:010}.cookc"));
        let file = OpenOptions::new().create_new(true).append(true).open(&path);
        let mut events = Events { file: file.with_context(failed)?, path };
        events.write(0, FILE_VERSION, b"brain.Event:2")?;
        // A session that starts at a step replaces all that was written from there on.
        let mut started = Vec::new();
        varint_field(1, 1, &mut started);
        events.write(steps_done + 1, SESSION_LOG, &started)?;
        Ok(events)
    }

    /// Appends values of a step under their names, and flushes, so that they can be seen at once.
    pub fn scalars(&mut self, step: u64, values: &[(String, f64)]) -> Result<()> {
        let mut summary = Vec::new();
        for (name, value) in values {
            let mut one = Vec::new();
            bytes_field(1, name.as_bytes(), &mut one);
            key(2, Wire::Four, &mut one);
            one.extend((*value as f32).to_le_bytes());
            bytes_field(1, &one, &mut summary);
        }
        self.write(step, SUMMARY, &summary)
    }

    fn write(&mut self, step: u64, what: u32, content: &[u8]) -> Result<()> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut event = Vec::new();
        key(WALL_TIME, Wire::Eight, &mut event);
        event.extend(time.as_secs_f64().to_le_bytes());
        varint_field(STEP, step, &mut event);
        bytes_field(what, content, &mut event);
        let path = || format!("cannot write {}", self.path.display());
        self.file.write_all(&record(&event)).with_context(path)
    }
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_sum(&length), data, &masked_sum(data)].concat()
}

/// A check sum, turned and moved, since sums of data that hold sums of their own are weak.
fn masked_sum(data: &[u8]) -> [u8; 4] {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// How a field's value is laid out.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Eight = 1,
    Bytes = 2,
    Four = 5,
}

fn key(field: u32, wire: Wire, out: &mut Vec<u8>) {
    varint(u64::from((field << 3) | wire as u32), out);
}

fn varint_field(field: u32, value: u64, out: &mut Vec<u8>) {
    key(field, Wire::Varint, out);
    varint(value, out);
}

fn bytes_field(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    key(field, Wire::Bytes, out);
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

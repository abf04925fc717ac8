//! JSON lines, compressed in pieces that stand alone: one after the other, they are a file.

use std::io::{self, Write};
use std::marker::PhantomData;

use anyhow::Result;
use flate2::write::GzEncoder;

use super::jsonl::Jsonl;
use super::schema::Schema;
use super::{Output, Sink};
use crate::data::generate::Row;

/// Bytes of lines from which on a piece is complete: enough that it is hardly longer than as a
/// part of one piece, and so few that little is lost with it.
const PIECE: usize = 4 << 20;

/// With a codec.
pub struct Compressed<C>(Jsonl, PhantomData<fn() -> C>);

/// The lines of a piece that is not complete, and where it goes.
pub struct Pieces {
    lines: Vec<u8>,
    output: Output,
}

/// Compresses a piece.
pub trait Codec {
    fn compress(lines: &[u8]) -> io::Result<Vec<u8>>;
}

/// Frames of zstd.
pub struct Zstd;

impl Codec for Zstd {
    fn compress(lines: &[u8]) -> io::Result<Vec<u8>> {
        zstd::bulk::compress(lines, zstd::DEFAULT_COMPRESSION_LEVEL)
    }
}

/// Members of gzip.
pub struct Gzip;

impl Codec for Gzip {
    fn compress(lines: &[u8]) -> io::Result<Vec<u8>> {
        let mut member = GzEncoder::new(Vec::new(), flate2::Compression::default());
        member.write_all(lines)?;
        member.finish()
    }
}

impl Pieces {
    fn put<C: Codec>(&mut self) -> Result<()> {
        self.output.put(&C::compress(&self.lines)?)?;
        self.lines.clear();
        Ok(())
    }
}

impl<C: Codec> Sink for Compressed<C> {
    type Columns = Vec<u8>;
    type File = Pieces;

    fn open(schema: &Schema, output: Output) -> Result<(Compressed<C>, Pieces)> {
        let lines = Jsonl::new(schema);
        Ok((Compressed(lines, PhantomData), Pieces { lines: Vec::new(), output }))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
        self.0.line(row, lines);
    }

    fn write(&self, lines: &mut Vec<u8>, next: u64, file: &mut Pieces) -> Result<()> {
        file.lines.append(lines);
        if file.lines.len() >= PIECE {
            file.put::<C>()?;
            file.output.mark(next)?;
        }
        Ok(())
    }

    fn bytes(file: &Pieces) -> u64 {
        file.output.bytes()
    }

    fn finish(self, mut file: Pieces) -> Result<u64> {
        if !file.lines.is_empty() || file.output.bytes() == 0 {
            file.put::<C>()?;
        }
        file.output.finish()
    }
}

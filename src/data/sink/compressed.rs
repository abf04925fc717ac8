//! JSON lines, compressed as they are written.

use std::io::{self, Write};

use anyhow::Result;
use flate2::write::GzEncoder;
use zstd::Encoder;

use super::jsonl::Jsonl;
use super::schema::Schema;
use super::{Output, Sink};
use crate::data::generate::Row;

/// With zstd.
pub type Zstd = Compressed<Encoder<'static, Output>>;
/// With gzip.
pub type Gzip = Compressed<GzEncoder<Output>>;

/// With a codec.
pub struct Compressed<C> {
    lines: Jsonl,
    codec: std::marker::PhantomData<fn() -> C>,
}

/// Compresses what is written.
pub trait Codec: Write + Send + Sized {
    fn begin(output: Output) -> io::Result<Self>;
    fn output(&self) -> &Output;
    fn end(self) -> io::Result<Output>;
}

impl Codec for Encoder<'static, Output> {
    fn begin(output: Output) -> io::Result<Self> {
        Encoder::new(output, zstd::DEFAULT_COMPRESSION_LEVEL)
    }

    fn output(&self) -> &Output {
        self.get_ref()
    }

    fn end(self) -> io::Result<Output> {
        self.finish()
    }
}

impl Codec for GzEncoder<Output> {
    fn begin(output: Output) -> io::Result<Self> {
        Ok(GzEncoder::new(output, flate2::Compression::default()))
    }

    fn output(&self) -> &Output {
        self.get_ref()
    }

    fn end(self) -> io::Result<Output> {
        self.finish()
    }
}

impl<C: Codec> Sink for Compressed<C> {
    type Columns = Vec<u8>;
    type File = C;

    fn open(schema: &Schema, output: Output) -> Result<(Compressed<C>, C)> {
        let codec = std::marker::PhantomData;
        Ok((Compressed { lines: Jsonl::new(schema), codec }, C::begin(output)?))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
        self.lines.line(row, lines);
    }

    fn write(&self, lines: &mut Vec<u8>, file: &mut C) -> Result<()> {
        file.write_all(lines)?;
        lines.clear();
        Ok(())
    }

    fn bytes(file: &C) -> u64 {
        file.output().bytes()
    }

    fn finish(self, file: C) -> Result<u64> {
        file.end()?.finish()
    }
}

//! JSON lines, compressed as they are written.

use std::io::Write;

use anyhow::Result;
use flate2::write::GzEncoder;
use zstd::Encoder;

use super::jsonl::Jsonl;
use super::schema::Schema;
use super::{Output, Sink};
use crate::data::generate::Row;

/// With zstd.
pub struct Zstd(Jsonl);

/// With gzip.
pub struct Gzip(Jsonl);

impl Sink for Zstd {
    type Columns = Vec<u8>;
    type File = Encoder<'static, Output>;

    fn open(schema: &Schema, output: Output) -> Result<(Zstd, Self::File)> {
        Ok((Zstd(Jsonl::new(schema)), Encoder::new(output, zstd::DEFAULT_COMPRESSION_LEVEL)?))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
        self.0.line(row, lines);
    }

    fn write(&self, lines: &mut Vec<u8>, file: &mut Self::File) -> Result<()> {
        put(lines, file)
    }

    fn finish(self, file: Self::File) -> Result<u64> {
        file.finish()?.finish()
    }
}

impl Sink for Gzip {
    type Columns = Vec<u8>;
    type File = GzEncoder<Output>;

    fn open(schema: &Schema, output: Output) -> Result<(Gzip, Self::File)> {
        Ok((Gzip(Jsonl::new(schema)), GzEncoder::new(output, flate2::Compression::default())))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
        self.0.line(row, lines);
    }

    fn write(&self, lines: &mut Vec<u8>, file: &mut Self::File) -> Result<()> {
        put(lines, file)
    }

    fn finish(self, file: Self::File) -> Result<u64> {
        file.finish()?.finish()
    }
}

fn put(lines: &mut Vec<u8>, file: &mut impl Write) -> Result<()> {
    file.write_all(lines)?;
    lines.clear();
    Ok(())
}

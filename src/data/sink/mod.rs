//! Formats of data sets: a format is a file of this folder, and a row of [`FORMATS`].

#[cfg(feature = "arrow")]
mod columnar;
#[cfg(feature = "arrow")]
mod compressed;
mod ids;
mod jsonl;
mod schema;
mod shape;
mod template;
mod texts;
#[cfg(feature = "arrow")]
mod webdataset;

use std::fmt;
use std::io;
use std::ops::Range;

use anyhow::Result;

pub use super::generate::Row;
pub use super::output::Output;
#[cfg(feature = "arrow")]
pub use columnar::features_of;
#[cfg(feature = "arrow")]
pub use columnar::{arrow_schema, batch, batch_of_ids};
#[cfg(feature = "arrow")]
use compressed::{Compressed, Gzip, Zstd};
pub use ids::Ids;
pub use jsonl::Jsonl;
pub use schema::{Schema, settings};
pub use shape::{IDS, SHAPES, Shape};
pub use template::Template;
#[cfg(feature = "arrow")]
use webdataset::WebDataset;

use super::Sampler;
use super::generate::{Mixing, Order, Stopped, generate};
use super::observer::{Event, Observer};

/// The formats, the first of them where none is chosen.
pub const FORMATS: &[Format] = &[
    Format {
        name: "jsonl",
        about: "A JSON object a line",
        endings: &["jsonl", "ndjson"],
        is_text: true,
        has_ids: false,
        goes_on: true,
        write: write_as::<Jsonl>,
    },
    #[cfg(feature = "arrow")]
    Format {
        name: "jsonl.zst",
        about: "The same, compressed with zstd",
        endings: &["jsonl.zst", "ndjson.zst"],
        is_text: false,
        has_ids: false,
        goes_on: true,
        write: write_as::<Compressed<Zstd>>,
    },
    #[cfg(feature = "arrow")]
    Format {
        name: "jsonl.gz",
        about: "The same, compressed with gzip",
        endings: &["jsonl.gz", "ndjson.gz"],
        is_text: false,
        has_ids: false,
        goes_on: true,
        write: write_as::<Compressed<Gzip>>,
    },
    #[cfg(feature = "arrow")]
    Format {
        name: "parquet",
        about: "Apache Parquet, its pages compressed with zstd",
        endings: &["parquet"],
        is_text: false,
        has_ids: true,
        goes_on: false,
        write: columnar::write::<parquet::arrow::ArrowWriter<Output>>,
    },
    #[cfg(feature = "arrow")]
    Format {
        name: "arrow",
        about: "An Apache Arrow IPC stream, as `datasets` reads it",
        endings: &["arrow", "arrows"],
        is_text: false,
        has_ids: true,
        goes_on: false,
        write: columnar::write::<arrow_ipc::writer::StreamWriter<Output>>,
    },
    #[cfg(feature = "arrow")]
    Format {
        name: "webdataset",
        about: "A tar file of WebDataset: a file for each column of a sample",
        endings: &["tar"],
        is_text: false,
        has_ids: false,
        goes_on: true,
        write: write_as::<WebDataset>,
    },
];

/// A format by its name.
#[derive(Clone, Copy)]
pub struct Format {
    /// What commands call it.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// How names of its files end.
    pub endings: &'static [&'static str],
    /// Whether a person can read it.
    pub is_text: bool,
    /// Whether it has rows of ids.
    pub has_ids: bool,
    /// Whether more rows can come after those that a stopped writer has left.
    pub goes_on: bool,
    write: fn(&Schema, &Rows, Output, &Observer) -> Result<u64, Stopped>,
}

/// Which rows of a data set to write.
#[derive(Clone)]
pub struct Rows<'a> {
    /// The indices of their samples.
    pub indices: Range<u64>,
    /// Which template each is of; none where there is one.
    pub mixing: Option<Mixing<'a>>,
}

impl From<Range<u64>> for Rows<'_> {
    fn from(indices: Range<u64>) -> Self {
        Rows { indices, mixing: None }
    }
}

impl Format {
    /// The format of files that are called so, if their ending says one.
    pub fn of_name(name: &str) -> Option<Format> {
        let ends =
            |ending: &&str| name.strip_suffix(ending).is_some_and(|before| before.ends_with('.'));
        FORMATS.iter().find(|one| one.endings.iter().any(ends)).copied()
    }

    /// Generates these rows in parallel, and writes them in order: the bytes do not depend on the
    /// number of threads. Returns how many bytes were written.
    ///
    /// # Errors
    /// [`Stopped`] if a sample cannot be drawn, the output cannot be written, or the observer stops
    /// it. A file is then left as it was.
    pub fn write(
        &self,
        schema: &Schema,
        rows: &Rows,
        output: Output,
        observer: &Observer,
    ) -> Result<u64, Stopped> {
        (self.write)(schema, rows, output, observer)
    }
}

/// A format of data sets. Samples are drawn by many threads, and each thread lays its samples out
/// from memory into its own columns, so no value is copied twice. The columns are then written in
/// the order of the samples.
pub trait Sink: Send + Sync + Sized {
    /// The columns of a batch of samples, as the format keeps them until they are written: bytes
    /// for lines of text, a buffer for each column of a columnar format.
    type Columns: Default + Send;
    /// What is open while samples come.
    type File: Send;

    /// Opens a data set with the columns of a schema.
    ///
    /// # Errors
    /// If what comes before the first sample cannot be written.
    fn open(schema: &Schema, output: Output) -> Result<(Self, Self::File)>;

    /// Lays a sample out at the end of the columns of a batch; called by many threads.
    fn lay_out(&self, row: Row, columns: &mut Self::Columns);

    /// Writes a batch of samples before the index `next`, and leaves its columns empty for the next
    /// one; called in the order of the samples. Where a file goes on after any of them, its
    /// [`Output`] is told what it has.
    ///
    /// # Errors
    /// If the output does not take the bytes.
    fn write(&self, columns: &mut Self::Columns, next: u64, file: &mut Self::File) -> Result<()>;

    /// The bytes that the output has taken so far.
    fn bytes(file: &Self::File) -> u64;

    /// Ends the data set; returns how many bytes were written.
    ///
    /// # Errors
    /// If the output does not take the bytes.
    fn finish(self, file: Self::File) -> Result<u64>;
}

fn write_as<S: Sink>(
    schema: &Schema,
    rows: &Rows,
    output: Output,
    observer: &Observer,
) -> Result<u64, Stopped> {
    let (sink, mut file) = S::open(schema, output).map_err(plain).map_err(Stopped::Output)?;
    let lay_out = |row: Row, columns: &mut S::Columns| sink.lay_out(row, columns);
    let mut bytes = S::bytes(&file);
    let put = |columns: &mut S::Columns, next: u64| {
        sink.write(columns, next, &mut file).map_err(plain)?;
        let before = std::mem::replace(&mut bytes, S::bytes(&file));
        observer.emit(Event::Written { bytes: bytes - before });
        Ok(())
    };
    in_order(schema, &order_of(schema, rows), lay_out, put, observer)?;
    sink.finish(file).map_err(plain).map_err(Stopped::Output)
}

/// The JSON lines of these rows, drawn in parallel.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn, or the observer stops it.
pub fn lines(schema: &Schema, rows: &Rows, observer: &Observer) -> Result<Vec<u8>, Stopped> {
    let (jsonl, mut all) = (Jsonl::new(schema), Vec::new());
    let put = |lines: &mut Vec<u8>, _| {
        all.append(lines);
        Ok(())
    };
    let order = Order { shared: true, ..order_of(schema, rows) };
    in_order(schema, &order, |row, lines: &mut Vec<u8>| jsonl.line(row, lines), put, observer)?;
    Ok(all)
}

/// Which samples these rows are.
fn order_of<'a>(schema: &Schema, rows: &Rows<'a>) -> Order<'a> {
    let Schema { split, seed, .. } = *schema;
    let Rows { indices, mixing } = rows.clone();
    Order { split, seed, indices, mixing, shared: false }
}

/// Draws rows in parallel, and passes them on in order: see [`generate`].
fn in_order<Columns: Default + Send>(
    schema: &Schema,
    order: &Order,
    lay_out: impl Fn(Row, &mut Columns) + Sync + Send,
    put: impl FnMut(&mut Columns, u64) -> Result<()> + Send,
    observer: &Observer,
) -> Result<(), Stopped> {
    let samplers: Vec<Sampler> =
        schema.templates.iter().map(|template| template.sampler.clone()).collect();
    generate(&samplers, order, lay_out, put, observer)
}

/// What the output said, without what a library says of it once more.
fn plain(error: anyhow::Error) -> anyhow::Error {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    let said = causes.last().map(|said| (said.kind(), said.get_ref().map(ToString::to_string)));
    match said {
        Some((kind, Some(text))) => io::Error::new(kind, text).into(),
        _ => error,
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Format").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::check;
    use crate::data::vocab::Vocabulary;
    use crate::data::{Compile, Split};
    use crate::source::Source;
    use crate::syntax;

    fn schema() -> Schema {
        let text = "n ~ uniform(1..1000)\nprompt \"Say {n}.\"\nreply \"{n}\"\n";
        let source = Source::new("say.cook", text);
        let (file, _) = syntax::parse(&source);
        let (template, _) = check::check(&file, &source, &|_| Err("no file".into()));
        let template = template.expect("it has no error");
        let sampler = Compile::level(&template, "", Vocabulary::embedded_part(8)).interpreted();
        let sampler = sampler.expect("it can be lowered");
        Schema::one(sampler, String::new(), Split::Train, 1)
    }

    #[test]
    fn a_data_set_has_the_same_bytes_on_any_number_of_threads_in_any_format() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        for format in FORMATS {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let output = Output::file(&path).expect("it can be written");
                let written = pool.expect("threads start").install(|| {
                    format.write(&schema(), &(0..20_000).into(), output, &Observer::none())
                });
                let text = std::fs::read(&path).expect("it is there");
                assert_eq!(written.expect("no sample fails"), text.len() as u64, "{format:?}");
                let lines = text.iter().filter(|&&byte| byte == b'\n').count();
                assert!(!format.is_text || lines == 20_000);
                text
            };
            assert!(on(1) == on(5), "{format:?}");
        }
    }

    /// Of many samples, of a few that are shared out, and of fewer than two threads are woken for.
    #[test]
    fn rows_in_memory_are_the_same_on_any_number_of_threads() {
        for count in [20_000, 1000, 300, 3] {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let pool = pool.expect("threads start");
                let all = pool.install(|| lines(&schema(), &(0..count).into(), &Observer::none()));
                let all = all.expect("no sample fails");
                #[cfg(feature = "arrow")]
                {
                    let batch = || columnar::batch(&schema(), 0..count, &Observer::none());
                    let batch = pool.install(batch).expect("no sample fails");
                    assert_eq!(batch.num_rows() as u64, count);
                    (all, batch)
                }
                #[cfg(not(feature = "arrow"))]
                all
            };
            assert!(on(1) == on(5), "{count}");
        }
    }

    #[test]
    fn a_data_set_that_is_stopped_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        for format in FORMATS {
            let cancel = AtomicBool::new(false);
            let stop = |event| {
                if let Event::Generated { samples } = event {
                    assert!(samples > 0);
                    cancel.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            };
            let output = Output::file(&path).expect("it can be written");
            let observer = Observer { cancel: &cancel, event: &stop };
            let written = format.write(&schema(), &(0..1_000_000).into(), output, &observer);
            assert!(matches!(written, Err(Stopped::Cancelled)), "{format:?}");
            let left = std::fs::read_dir(folder.path()).expect("a folder").count();
            assert_eq!(left, 0, "{format:?}");
        }
    }
}

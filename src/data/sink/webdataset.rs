//! WebDataset: a tar file, in which the columns of a sample are files of one key.

use anyhow::Result;
use tar::{EntryType, Header};

use super::jsonl::Line;
use super::schema::Schema;
use super::shape::Value;
use super::template::Template;
use super::texts::Texts;
use super::{Output, Sink};
use crate::data::generate::Row;

/// What a tar file is made of.
const BLOCK: usize = 512;
/// Who may read the files, when they are unpacked.
const MODE: u32 = 0o644;

/// Writes `000000000017.prompt.txt` for a column of texts, and `000000000017.seed.json` for any
/// other: the index is the key.
pub struct WebDataset {
    /// The columns of each template.
    templates: Vec<Columns>,
}

/// The columns of a template's rows.
struct Columns {
    texts: Texts,
    files: Vec<(String, Content)>,
}

/// What a file holds.
enum Content {
    Text(Value),
    Json(Box<Line>),
}

impl WebDataset {
    fn new(schema: &Schema) -> WebDataset {
        let columns = |template: &Template| {
            let file = |(name, value): (&str, Value)| match value {
                // A column without a value is a file that is not there.
                Value::Null => None,
                Value::Texts(_) | Value::Fields => {
                    Some((format!(".{name}.txt"), Content::Text(value)))
                }
                value => {
                    let line = Line::of(&value, &template.sampler);
                    Some((format!(".{name}.json"), Content::Json(line.into())))
                }
            };
            let files = schema.columns(template).into_iter().filter_map(file).collect();
            Columns { texts: Texts::new(&template.sampler), files }
        };
        WebDataset { templates: schema.templates.iter().map(columns).collect() }
    }
}

/// Appends a file, whose bytes `write` appends.
fn file(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.resize(start + BLOCK, 0);
    write(out);
    let bytes = out.len() - start - BLOCK;
    out.resize(start + BLOCK + bytes.next_multiple_of(BLOCK), 0);
    let mut header = Header::new_ustar();
    header.set_path(name).expect("a key and a column are short");
    header.set_entry_type(EntryType::Regular);
    header.set_mode(MODE);
    header.set_size(bytes as u64);
    // Nothing depends on who writes it, or when.
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    out[start..start + BLOCK].copy_from_slice(header.as_bytes());
}

impl Sink for WebDataset {
    type Columns = Vec<u8>;
    type File = Output;

    fn open(schema: &Schema, output: Output) -> Result<(WebDataset, Output)> {
        Ok((WebDataset::new(schema), output))
    }

    fn lay_out(&self, row: Row, out: &mut Vec<u8>) {
        let Columns { texts, files } = &self.templates[row.sampler];
        for (ending, content) in files {
            let name = format!("{:012}{ending}", row.index);
            file(out, &name, |out| match content {
                Content::Text(value) => _ = texts.write(value, row, out),
                Content::Json(line) => line.write(row, out),
            });
        }
    }

    fn write(&self, bytes: &mut Vec<u8>, next: u64, output: &mut Output) -> Result<()> {
        output.put(bytes)?;
        bytes.clear();
        output.mark(next)
    }

    fn bytes(output: &Output) -> u64 {
        output.bytes()
    }

    fn finish(self, mut output: Output) -> Result<u64> {
        output.put(&[0; 2 * BLOCK])?;
        output.finish()
    }
}

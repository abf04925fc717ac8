//! `cookc data show`: one row, made again from its id and compared.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::of::Of;
use crate::cli::console::{self, BAD, GOOD, STRONG, styled};
use crate::cli::progress::Progress;
use crate::cli::{Failure, options};
use crate::data::SampleId;
use crate::datasets::verify::no_row;
use crate::datasets::{Again, Compared, Difference};
use crate::rows::{Row, Rows};

const HELP: &str = r#"Examples:
  cookc data show train.jsonl 17
  cookc data show data/ 123456 --json | jq .differences
  cookc data show mine.parquet 0 --template my.cook --level hard

Rows are counted from 0. A folder's rows are those of its files, in order. Exit codes: 0 if the row
is as it was written, 1 if it differs. With --json: {"place", "id", "template", "level", "set",
"shape", "row": its values, "made": the values made again, "equal", "differences": [{"path",
"wanted", "found"}]}."#;

/// Show a row, made again from its id and compared
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Show {
    /// A file that `cookc generate` wrote, or a folder
    #[arg(value_name = "FILE")]
    data: PathBuf,
    /// Which row, from 0
    #[arg(value_name = "N")]
    row: u64,
    #[command(flatten)]
    of: Of,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Shows it, and says what differs.
pub fn run(command: &Show) -> Result<(), Failure> {
    let cancel = options::interrupt()?;
    let mut rows = Rows::open(&command.data)?;
    let mut again = Again::new(command.of.origins(&command.data)?);
    let progress = Progress::new(command.row, "reading");
    let mut count = 0;
    let row = loop {
        if cancel.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
        let Some(row) = rows.next().transpose()? else {
            let (name, wanted) = (command.data.display(), command.row);
            return Err(Failure::Input(format!(
                "{name} has {count} rows, counted from 0: row {wanted} is none of them"
            )));
        };
        if count == command.row {
            break row;
        }
        count += 1;
        progress.add(1);
    };
    progress.finish();
    let place = rows.place(&row);
    let at = |why: String| Failure::Input(format!("{place}: {why}"));
    let known = again.kind(&row.values);
    let (id, kind) = known.map_err(|why| Failure::Input(no_row(&place, &why)))?;
    let compared = kind.compare(&id, &row.values, &mut Default::default()).map_err(at)?;
    let template = kind.template();
    let [(_, name), (_, level), (_, set)] = template.shared();
    if command.json {
        let object = json!({
            "place": place, "id": id.to_string(), "template": name, "level": level, "set": set,
            "shape": kind.shape(), "row": row.values, "made": compared.made,
            "equal": compared.differences.is_empty(),
            "differences": compared.differences.iter().map(of_difference).collect::<Vec<_>>(),
        });
        console::data(&format!("{object}\n"))?;
    } else {
        let set = if set.is_empty() { String::new() } else { format!(" {set}") };
        let title = format!("{place}: {name} · {level}{set} as {}", kind.shape());
        console::print(&text(&title, &id, &row, &compared))?;
    }
    match compared.differences.len() {
        0 => Ok(()),
        count => Err(Failure::Input(format!(
            "{place} differs in {} from the row that was written",
            console::count(count, "value")
        ))),
    }
}

fn of_difference(one: &Difference) -> Value {
    json!({ "path": one.path, "wanted": one.wanted, "found": one.found })
}

fn text(title: &str, id: &SampleId, row: &Row, compared: &Compared) -> String {
    let mut text = format!("{}\n", styled(STRONG, title));
    for (name, value) in &row.values {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        match shown.contains('\n') {
            true => _ = writeln!(text, "{name}:\n  {}", shown.replace('\n', "\n  ")),
            false => _ = writeln!(text, "{name}: {shown}"),
        }
    }
    if compared.differences.is_empty() {
        let all = format!("all {} columns are equal", row.values.len());
        _ = writeln!(text, "{}", styled(GOOD, format!("made again from {id}: {all}")));
    }
    for Difference { path, wanted, found } in &compared.differences {
        let [wanted, found] = around(wanted.as_ref(), found.as_ref());
        _ = writeln!(text, "{} written {wanted}, found {found}", styled(BAD, format!("{path}:")));
    }
    text
}

/// Characters of two texts that are shown before and after the first in which they differ.
const AROUND: usize = 30;

/// Two values; of long texts the part where they begin to differ.
fn around(wanted: Option<&Value>, found: Option<&Value>) -> [String; 2] {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_string(), Value::to_string);
    let (Some(Value::String(one)), Some(Value::String(other))) = (wanted, found) else {
        return [shown(wanted), shown(found)];
    };
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    [one, other].map(|text| {
        let start = same.saturating_sub(AROUND);
        let part: String = text.chars().skip(start).take(2 * AROUND).collect();
        let before = if start > 0 { "…" } else { "" };
        let after = if start + 2 * AROUND < text.chars().count() { "…" } else { "" };
        format!("`{before}{part}{after}`")
    })
}

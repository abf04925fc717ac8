//! `cookc grow`: templates without examples.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, value_parser};
use serde_json::json;

use super::Failure;
use super::console::{self, count};
use super::options;
use super::progress::Progress;
use crate::data::output::write;
use crate::search::{self, Gate, Grown, Growth};

const HELP: &str = r#"Examples:
  cookc grow 50 -o grown
  cookc grow 200 -o grown --seed 1

cookc puts expressions of the language together over drawn numbers, words, pairs of lists, keys with
values, and grids, and takes those that differ most: by their inputs, the kind of their output and
their operations. A template is kept if it passes what one written by hand must: `cookc check` and
`cookc test` at all levels, and that no built-in template's rules hold of its samples. The same
number and seed give the same files.

FOLDER gets a file a template, and grown.json: {"seed", "templates": [{"name", "rule", "feature"}],
"refused": {gate: {why: count}}}. Ctrl-C keeps what was written."#;

/// Grow new templates that pass the audit, without examples
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Grow {
    /// How many templates
    #[arg(value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// The folder of the templates
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,
    /// Which templates
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The samples of each audit
    #[arg(short = 'n', long = "samples", value_name = "N", default_value_t = 1000,
        value_parser = value_parser!(u64).range(50..))]
    samples: u64,
}

/// Grows templates, each written when it is kept.
pub fn run(command: &Grow) -> Result<(), Failure> {
    options::folder(&command.out)?;
    let stop = options::interrupt()?;
    let progress = Progress::new(u64::from(command.count), "growing templates");
    let mut refused: BTreeMap<&'static str, BTreeMap<String, u64>> = BTreeMap::new();
    let kept = search::grow(
        command.count as usize,
        command.seed,
        command.samples,
        stop,
        &mut |growth| -> Result<(), Failure> {
            match growth {
                Growth::Kept(grown) => {
                    progress.add(1);
                    write(&command.out.join(format!("{}.cook", grown.name)), &grown.text)?;
                }
                Growth::Refused(refusal) if refusal.gate != Gate::Stopped => {
                    // The code of a finding.
                    let why = refusal.why.split_once(": ").map_or(&*refusal.why, |(code, _)| code);
                    let why = why.to_string();
                    *refused.entry(refusal.gate.into()).or_default().entry(why).or_default() += 1;
                }
                Growth::Refused(_) => {}
            }
            Ok(())
        },
    )?;
    progress.finish();
    let template =
        |grown: &Grown| json!({"name": grown.name, "rule": grown.rule, "feature": grown.feature});
    let report = json!({
        "seed": command.seed,
        "templates": kept.iter().map(template).collect::<Vec<_>>(),
        "refused": refused,
    });
    write(&command.out.join("grown.json"), &format!("{report:#}\n"))?;
    let tried = refused.values().flat_map(BTreeMap::values).sum::<u64>();
    console::note(&format!(
        "{} of {} that were tried, in {}",
        count(kept.len(), "template"),
        kept.len() as u64 + tried,
        command.out.display()
    ));
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    match kept.len() < command.count as usize {
        true => Err(Failure::Input(format!("there are no more: {} were asked for", command.count))),
        false => Ok(()),
    }
}

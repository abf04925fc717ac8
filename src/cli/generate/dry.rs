//! `cookc generate --dry-run`: what would be written, without writing it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration};

use super::{Generate, Job, Write};
use crate::cli::{Failure, console};
use crate::data::generate::Stopped;
use crate::data::output::Output;
use crate::data::prompts_bits;
use crate::data::shards::Refused;
use crate::data::sink::Template;

/// Samples are drawn until this much time has passed.
const PATIENCE: Duration = Duration::from_millis(300);
/// The first and the most samples that are drawn.
const SAMPLES: [u64; 2] = [256, 1 << 16];

/// What the first samples say of all.
struct Estimate {
    samples: u64,
    /// Their bytes.
    bytes: f64,
    /// Bytes of a file without rows.
    fixed: f64,
    /// Bytes of a row.
    each: f64,
    /// Seconds of a row.
    seconds: f64,
}

/// Draws some samples, and says what all would come to.
pub fn print(
    command: &Generate,
    job: Job,
    (names, templates): (&str, &[Template]),
    write: Write,
    stopped: &dyn Fn(Stopped) -> Failure,
) -> Result<(), Failure> {
    let (place, files, rows) = place(command, job)?;
    let Estimate { samples, bytes, fixed, each, seconds } =
        estimate(command, write).map_err(stopped)?;
    let is_exact = samples == rows && files == 1;
    let bytes = if is_exact { bytes } else { fixed * files as f64 + each * rows as f64 };
    let time = Duration::from_secs_f64(seconds * rows as f64);
    let mut text = format!("{} of {names}: {place}\n", console::count(rows as usize, "row"));
    let exactly = if is_exact { "" } else { "about " };
    text += &format!(
        "{exactly}{}, {each:.0} bytes a row (of {samples} samples)\n",
        HumanBytes(bytes.round() as u64)
    );
    let threads = console::count(rayon::current_num_threads(), "thread");
    text += &match time < Duration::from_secs(1) {
        true => format!("less than a second on {threads}\n"),
        false => format!("about {} on {threads}, if the disk is faster\n", HumanDuration(time)),
    };
    text += &unique(templates, rows);
    console::print(&text)
}

/// Where the rows would go; how many files and rows there would be.
fn place(command: &Generate, job: Job) -> Result<(String, u64, u64), Failure> {
    let out = command.out.display();
    if !command.is_sharded() {
        let folder = command.out.parent().filter(|folder| !folder.as_os_str().is_empty());
        let text = match &command.out {
            out if out == Path::new("-") => "standard output".to_string(),
            path if path.exists() => format!("{out}, which is replaced"),
            _ if folder.is_some_and(|folder| !folder.exists()) => {
                let folder = folder.unwrap_or(Path::new(".")).display();
                return Err(Failure::Input(format!(
                    "cannot write {out}: there is no folder {folder}"
                )));
            }
            _ => out.to_string(),
        };
        let single = command.single(job.of);
        let there = if command.resume { single.rows_there().map_err(refused)? } else { 0 };
        let text = match there {
            0 => text,
            there => {
                format!("{text}, after {} that are there", console::count(there as usize, "row"))
            }
        };
        return Ok((text, 1, command.count - there));
    }
    let shards = command.shards(job);
    let missing = shards.missing(command.resume).map_err(refused)?;
    let rows = missing.iter().map(|(_, rows)| rows.end - rows.start).sum();
    let manifest = shards.manifest();
    let manifest = manifest.file_name().unwrap_or_default().to_string_lossy();
    let text = match &missing[..] {
        [] => format!("{out} has all of its files"),
        [(one, _)] => format!("{out}: {one} and {manifest}"),
        [(first, _), .., (last, _)] => {
            let count = missing.len();
            format!("{out}: {count} files, {first} to {last}, and {manifest}")
        }
    };
    Ok((text, missing.len() as u64, rows))
}

fn refused(refused: Refused) -> Failure {
    match refused {
        Refused::Taken(why) => Failure::Input(why),
        Refused::Stopped(Stopped::Output(error)) => error.into(),
        Refused::Stopped(_) => Failure::Interrupted,
    }
}

/// Writes the first rows nowhere, twice as many each time.
fn estimate(command: &Generate, write: Write) -> Result<Estimate, Stopped> {
    let start = command.first;
    let mut measured = |samples: u64| -> Result<(f64, Duration), Stopped> {
        let begun = Instant::now();
        let bytes = write(start..start + samples, Output::stream(io::sink(), "nowhere"))?;
        Ok((bytes as f64, begun.elapsed()))
    };
    let most = command.count.min(SAMPLES[1]);
    let mut samples = command.count.min(SAMPLES[0]);
    let half = (samples / 2).max(1);
    let (mut before, mut last) = ((half, measured(half)?.0), measured(samples)?);
    while last.1 < PATIENCE && samples < most {
        before = (samples, last.0);
        samples = (2 * samples).min(most);
        last = measured(samples)?;
    }
    let more = (samples - before.0) as f64;
    // A single row says nothing of what a file has beside its rows.
    let each = if more > 0.0 { (last.0 - before.1) / more } else { last.0 / samples as f64 };
    Ok(Estimate {
        samples,
        bytes: last.0,
        fixed: (last.0 - each * samples as f64).max(0.0),
        each,
        seconds: last.1.as_secs_f64() / samples as f64,
    })
}

/// How many prompts can differ.
fn unique(templates: &[Template], rows: u64) -> String {
    let mut most = 0.0;
    for template in templates {
        let Some(bits) = prompts_bits(&template.sampler) else {
            let name = &template.sampler.program().name;
            return format!("unique prompts: no bound is known for {name}\n");
        };
        most += bits.exp2();
    }
    match most < rows as f64 {
        true => {
            format!("at most {most:.0} unique prompts: no fewer than {:.0} rows repeat one\n", {
                rows as f64 - most
            })
        }
        false if most.is_finite() => {
            let most = if most < 1e9 { format!("{most:.0}") } else { format!("{most:.3e}") };
            format!("at most {rows} unique prompts: the texts can show {most}\n")
        }
        false => format!("at most {rows} unique prompts: the texts can show more than 10^308\n"),
    }
}

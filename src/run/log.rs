//! `metrics.jsonl` of a run that goes on: held against what its checkpoint says was written.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::observer::Observer;
use crate::template::Error;

/// The lines that stay, as they were written, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Whole lines: numbers that are read and written again may come out a bit different.
    pub text: String,
    /// Why they are not all that was written, if so.
    pub wrong: Option<String>,
}

/// What a checkpoint says of the lines before it.
pub fn seal(bytes: u64, digest: blake3::Hash) -> Value {
    json!({ "bytes": bytes, "blake3": digest.to_hex().as_str() })
}

impl Log {
    /// Reads the lines up to a step, of which a checkpoint keeps this seal. Later lines are of
    /// steps that are done again.
    pub fn read(path: &Path, steps: u64, seal: &Value, observer: &Observer) -> Result<Log, Error> {
        let name = path.display();
        match fs::symlink_metadata(path) {
            Ok(there) if there.is_file() => {}
            Ok(_) => {
                return Err(Error::Input(format!(
                    "{name} is a link or no file, and a run writes to no other place: put the \
                     file itself there"
                )));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let wrong = Some("metrics.jsonl: it is gone".to_string());
                return Ok(Log { text: String::new(), wrong });
            }
            Err(error) => {
                return Err(anyhow::Error::new(error)
                    .context(format!("cannot read {name}"))
                    .into());
            }
        }
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let length = seal["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
        let sealed = length.and_then(|length| bytes.split_at_checked(length));
        if let Some((sealed, later)) = sealed
            && seal["blake3"] == blake3::hash(sealed).to_hex().as_str()
            && let Ok(text) = str::from_utf8(sealed)
        {
            say_what_is_left_out(later, observer);
            return Ok(Log { text: text.to_string(), wrong: None });
        }
        Ok(left(&String::from_utf8_lossy(&bytes), steps))
    }
}

/// A line after the checkpoint's that is no JSON is no loss, but is not passed over in silence.
/// The last one was cut off by the kill.
fn say_what_is_left_out(later: &[u8], observer: &Observer) {
    let later = String::from_utf8_lossy(later);
    let mut lines = later.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    if lines.any(|line| serde_json::from_str::<Value>(line).is_err()) {
        observer
            .note("metrics.jsonl: a line after the checkpoint is no JSON; its step is done again");
    }
}

/// The lines of steps up to `steps` that can be believed, and the first that cannot.
fn left(text: &str, steps: u64) -> Log {
    let (mut kept, mut done, mut wrong) = (String::new(), 0, None);
    let mut note = |why: String| {
        wrong.get_or_insert(why);
    };
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let value = serde_json::from_str::<Value>(line).ok();
        let Some((step, value)) = value.and_then(|value| Some((value["step"].as_u64()?, value)))
        else {
            if done < steps {
                note(format!(
                    "metrics.jsonl: line {number} is no line of a step: `{}`",
                    start(line)
                ));
            }
            continue;
        };
        if step > steps {
            continue;
        }
        let trained = value["loss"].is_number();
        if trained && step != done + 1 {
            let expected = done + 1;
            note(format!("metrics.jsonl: line {number} is of step {step}, not of step {expected}"));
        }
        if trained && step <= done {
            continue;
        }
        if trained {
            done = step;
        }
        kept += line;
        kept.push('\n');
    }
    if done < steps {
        note(format!("metrics.jsonl: it ends after step {done}, and {steps} were done"));
    }
    note("metrics.jsonl: its lines are not those that the run wrote".to_string());
    Log { text: kept, wrong }
}

/// What is shown of a line.
fn start(line: &str) -> String {
    const LETTERS: usize = 40;
    let shown: String = line.chars().take(LETTERS).filter(|letter| !letter.is_control()).collect();
    if line.chars().count() > LETTERS { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(steps: &[u64]) -> String {
        steps.iter().map(|step| format!("{{\"step\":{step},\"loss\":0.5}}\n")).collect()
    }

    /// The log of a file with that text, whose checkpoint after 3 steps has seen `sealed`.
    fn read(text: &[u8], sealed: &str) -> Log {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, text).expect("a file");
        let seal = seal(sealed.len() as u64, blake3::hash(sealed.as_bytes()));
        Log::read(&path, 3, &seal, &Observer::none())
            .unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    #[test]
    fn lines_after_the_checkpoint_go_and_those_before_stay_as_they_are() {
        let whole = lines(&[1, 2, 3]);
        for after in ["", "{\"step\":4,\"lo", "{\"step\":4}\n", "\0\0\n{}\n"] {
            let log = read(format!("{whole}{after}").as_bytes(), &whole);
            assert_eq!((&log.text, &log.wrong), (&whole, &None), "{after:?}");
        }
    }

    #[test]
    fn what_is_not_as_it_was_is_named_by_its_line() {
        let whole = lines(&[1, 2, 3]);
        for (text, wanted) in [
            (String::new(), "ends after step 0, and 3"),
            (lines(&[1, 2]), "ends after step 2, and 3"),
            (whole[..60].to_string(), "line 3 is no line of a step"),
            (lines(&[1, 3]), "line 2 is of step 3, not of step 2"),
            (lines(&[1, 2, 2, 3]), "line 3 is of step 2, not of step 3"),
            (lines(&[2, 1, 3]), "line 1 is of step 2, not of step 1"),
            (format!("{}nonsense\n{}", lines(&[1]), lines(&[2, 3])), "line 2 is no line of a step"),
            (whole.replacen("0.5", "0.6", 1), "not those that the run wrote"),
            (format!("\n{whole}"), "line 1 is no line of a step"),
        ] {
            let wrong = read(text.as_bytes(), &whole).wrong.unwrap_or_default();
            assert!(wrong.contains(wanted), "{text}: {wrong}");
        }
    }
}

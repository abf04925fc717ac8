//! Accuracies without labels, from the votes of several models.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{Agreement, Mix};
use crate::cli::judge::lines::{self, Lines};
use crate::cli::options::{self, Format};
use crate::cli::progress::Progress;
use crate::cli::{Failure, console};
use crate::diagnostic::near_miss;
use crate::mix::accuracy::{self, Estimates, Refusal, Rows, Voter, Votes};

/// Estimates the accuracies of each set of votes.
pub fn run(command: &Mix, path: &Path) -> Result<(), Failure> {
    let name = shown(path);
    let agreement = match command.agreement {
        Agreement::Exact => accuracy::Agreement::Exact,
        Agreement::Normalised => accuracy::Agreement::Normalised,
        Agreement::F1 => accuracy::Agreement::F1,
    };
    let rows = read(path)?;
    let sets = rows
        .votes(agreement, command.options.map(usize::from))
        .map_err(|why| Failure::Input(format!("{name}: {why}")))?;
    let sources: Result<Vec<Option<usize>>, Failure> =
        sets.iter().map(|(_, votes)| source(command, votes, &name)).collect();
    let progress = Progress::new(sets.len() as u64 * accuracy::STEPS, "estimating");
    let mut is_refused = true;
    for ((set, votes), source) in sets.iter().zip(sources?) {
        let options = accuracy::Options {
            seed: command.seed.unwrap_or(0),
            is_independent: command.assume_independent,
            source,
        };
        let ticked = AtomicU64::new(0);
        let estimates = accuracy::estimate_with(votes, options, &|steps| {
            ticked.fetch_add(steps, Ordering::Relaxed);
            progress.add(steps);
        });
        is_refused &= estimates.refusal.is_some();
        match command.json || command.format == Format::Json {
            true => console::data(&format!("{}\n", as_json(set.as_deref(), &estimates)))?,
            false => console::print(&as_text(set.as_deref(), &estimates, &options))?,
        }
        progress.add(accuracy::STEPS - ticked.into_inner());
    }
    progress.finish();
    if is_refused { Err(Failure::Shown) } else { Ok(()) }
}

/// The rows of a file.
fn read(path: &Path) -> Result<Rows, Failure> {
    let name = shown(path);
    if path.is_dir() {
        return Err(Failure::Input(format!("{name} is a folder: name a file of votes in it")));
    }
    let mut lines = Lines::open(path, options::interrupt_soon()?);
    let mut rows = Rows::default();
    for number in 1.. {
        let Some(line) = lines.next()? else { break };
        let line = line.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::Input(format!("there is no file {name}")),
            ErrorKind::FileTooLarge => {
                let most = lines::BYTES_MAX;
                Failure::Input(format!("{name} line {number} has more than {most} bytes"))
            }
            _ => Failure::Machine(anyhow::Error::new(error).context(format!("cannot read {name}"))),
        })?;
        let line = std::str::from_utf8(&line).map_err(|error| {
            let byte = error.valid_up_to();
            Failure::Input(format!("{name} line {number} is not UTF-8 from its byte {byte}"))
        })?;
        let line = line.trim_start_matches('\u{feff}');
        if !line.trim().is_empty() {
            let added = rows.add(line);
            added.map_err(|why| Failure::Input(format!("{name} line {number}: {why}")))?;
        }
    }
    Ok(rows)
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

/// The number of the voter that the others copy.
fn source(command: &Mix, votes: &Votes, name: &str) -> Result<Option<usize>, Failure> {
    let Some(wanted) = &command.source else { return Ok(None) };
    let found = votes.voters.iter().position(|voter| voter == wanted);
    found.map(Some).ok_or_else(|| {
        let near = near_miss(wanted, votes.voters.iter().map(String::as_str));
        let write = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the voters are {}", votes.voters.join(", ")),
        };
        Failure::Input(format!("{name} has no voter `{wanted}`, which --source names: {write}"))
    })
}

fn as_json(set: Option<&str>, estimates: &Estimates) -> Value {
    let refusal = |refusal: &Option<Refusal>| match refusal {
        None => Value::Null,
        Some(refusal) => json!({ "reason": refusal.name(), "text": refusal.to_string() }),
    };
    let voter = |voter: &Voter| {
        let interval = voter.accuracy;
        json!({
            "voter": voter.name,
            "votes": voter.votes,
            "accuracy": interval.map(|it| it.value),
            "low": interval.map(|it| it.low),
            "high": interval.map(|it| it.high),
            "independent": voter.independent,
            "triplets": voter.triplets,
            "rank_one": voter.rank_one,
            "labelled": voter.labelled.map(|it| it.0),
            "refusal": refusal(&voter.refusal),
        })
    };
    let group = |(members, copied): &(Vec<usize>, f64)| {
        let voters = names(members, estimates);
        json!({ "voters": voters, "copied": copied })
    };
    let same: Vec<_> = estimates.same.iter().map(|alike| names(alike, estimates)).collect();
    json!({
        "set": set,
        "items": estimates.items,
        "options": estimates.options,
        "voters": estimates.voters.iter().map(voter).collect::<Vec<Value>>(),
        "groups": estimates.groups.iter().map(group).collect::<Vec<Value>>(),
        "structures": estimates.structures,
        "confusions": estimates.has_confusions,
        "same": same,
        "refusal": refusal(&estimates.refusal),
    })
}

fn names<'a>(members: &[usize], estimates: &'a Estimates) -> Vec<&'a str> {
    members.iter().map(|at| estimates.voters[*at].name.as_str()).collect()
}

fn as_text(set: Option<&str>, estimates: &Estimates, options: &accuracy::Options) -> String {
    let source = options.source;
    let has_labels = estimates.voters.iter().any(|voter| voter.labelled.is_some());
    let mut header = vec!["voter", "votes", "accuracy", "95 % interval", "if independent"];
    header.extend(has_labels.then_some("labelled"));
    let mut table = console::table(&header);
    for voter in &estimates.voters {
        let number =
            |number: Option<f64>| number.map_or("–".to_string(), |it| format!("{it:.3}"));
        let interval = voter.accuracy.map(|it| format!("{:.3} to {:.3}", it.low, it.high));
        let mut row = vec![
            voter.name.clone(),
            voter.votes.to_string(),
            number(voter.accuracy.map(|it| it.value)),
            interval.unwrap_or_else(|| "–".to_string()),
            number(voter.independent),
        ];
        row.extend(has_labels.then(|| number(voter.labelled.map(|it| it.0))));
        table.add_row(row);
    }
    let mut text = set.map_or(String::new(), |set| format!("{set}\n"));
    text.push_str(&format!("{table}\n"));
    for (members, copied) in estimates.groups.iter().filter(|_| source.is_none()) {
        let names = names(members, estimates).join(", ");
        text.push_str(&format!("shared errors: {names} (a vote is copied with {copied:.2})\n"));
    }
    for alike in &estimates.same {
        let names = names(alike, estimates).join(", ");
        text.push_str(&format!(
            "the same vote on every item: {names}; if they copy each other, leave out all but one\n"
        ));
    }
    for voter in &estimates.voters {
        if let Some(refusal) = &voter.refusal {
            text.push_str(&format!("{} is left out: {refusal}\n", voter.name));
        }
    }
    let counts = [
        console::count(estimates.voters.len(), "voter"),
        console::count(estimates.items, "item"),
        console::count(estimates.options, "option"),
    ];
    let is_refused = estimates.refusal.is_some();
    let assumed = match source.map(|at| &estimates.voters[at].name) {
        _ if is_refused => String::new(),
        Some(source) => format!("; assumed: beside what they copy from {source}, voters err alone"),
        None if options.is_independent => {
            "; assumed: no two voters share errors, and most beat chance".to_string()
        }
        None => "; assumed: no error is shared by all voters, and most beat chance".to_string(),
    };
    text.push_str(&format!("{}{assumed}\n", counts.join(", ")));
    if let Some(refusal) = &estimates.refusal {
        text.push_str(&format!("no estimate: {refusal}\n"));
    }
    text
}

//! The mixture weights of a recipe, learned by runs.

use std::path::Path;

use super::Mix;
use crate::cli::options::{self, Format};
use crate::cli::run::screen::Screen;
use crate::cli::{Failure, console, weights};
use crate::mix;
use crate::mixer::{self, Validation};
use crate::ops::cpu::heap;
use crate::recipe;
use crate::run::{Event, Observer, Setup};

/// Learns, and prints what was learned, or what policies say beside mixtures that were trained.
pub fn run(command: &Mix, path: &Path) -> Result<(), Failure> {
    heap::keep();
    let screen = Screen::default();
    let event = |event: Event| screen.show(event);
    let cancel = options::interrupt()?;
    let observer = Observer { cancel, event: &event, stuck: |_| {} };
    // What cannot be written is said before the runs.
    let output = command.out.as_deref().map(|out| options::output(out, path)).transpose()?;
    let mut setup = Setup::read(path, command.seed, true, &observer)?;
    if !mix::is_learned(&setup.recipe) {
        let policy = &setup.recipe.mix.policy.path;
        return Err(Failure::Input(format!(
            "{}: `policy = \"{policy}\"` learns nothing before the training: write \
             `policy = \"cookbook\"` below `[mix]`, or `cookc train {0}`",
            path.display()
        )));
    }
    let is_json = command.json || command.format == Format::Json;
    if let Some(count) = command.validate {
        let found = mixer::validate(&mut setup, usize::from(count), &observer)?;
        return match is_json {
            true => console::data(&found.json()),
            false => console::print(&compared(&found)),
        };
    }
    let learned = mixer::learn(&mut setup, &observer)?;
    if let Some(mut output) = output {
        let text = recipe::toml_text(&mixer::mixed(&setup.recipe, &learned));
        output.put(text.as_bytes())?;
        output.finish()?;
    }
    match (is_json, command.out.as_deref() == Some(Path::new("-"))) {
        (true, false) => console::data(&learned.json()),
        (false, false) => console::print(&weights::table(&learned)),
        // The recipe is on standard output.
        (_, true) => {
            console::note(&weights::table(&learned));
            Ok(())
        }
    }
}

/// Each policy beside the mixtures that were trained.
fn compared(found: &Validation) -> String {
    let header =
        ["policy", "labels", "Spearman", "95 % interval", "its choice", "accuracy", "regret"];
    let mut table = console::table(&header);
    for one in &found.compared {
        let (value, interval) = match one.spearman {
            Some((value, low, high)) => (format!("{value:.2}"), format!("{low:.2} to {high:.2}")),
            None => Default::default(),
        };
        let shares: Vec<String> =
            one.choice.mixture.iter().map(|share| format!("{share:.2}")).collect();
        table.add_row([
            one.policy.clone(),
            if one.is_labelled { "seen" } else { "not seen" }.to_string(),
            value,
            interval,
            shares.join(" "),
            format!("{:.3} ± {:.3}", one.choice.accuracy, one.choice.error),
            format!("{:.3}", one.regret),
        ]);
    }
    let accuracies: Vec<String> =
        found.mixtures.iter().map(|one| format!("{:.3}", one.accuracy)).collect();
    let (base, error) = found.base;
    format!(
        "{table}\n{} of {}; the base has {base:.3} ± {error:.3}\naccuracies of the mixtures: {}\n",
        console::count(found.mixtures.len(), "mixture"),
        found.templates.join(", "),
        accuracies.join(" ")
    )
}

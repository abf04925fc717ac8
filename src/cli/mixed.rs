//! `cookc generate RECIPE`: the mixed data set of a recipe, in the order of its training.

use std::path::Path;

use super::console;
use super::failure::Failure;
use super::generate::Generate;
use super::options::{self, Engine};
use super::progress::Progress;
use crate::data;
use crate::run::mixed::Mixed;
use crate::run::{Event, Observer};

/// Writes the data set, and reports how much it is and how long it took.
pub fn run(command: &Generate) -> Result<(), Failure> {
    let end = command.end()?;
    let choice = &command.template.choice;
    let said = [
        ("--level", choice.level.is_some()),
        ("--set", !choice.set.is_empty()),
        ("--vocab", choice.vocab.is_some()),
        ("--engine", command.engine != Engine::Native),
    ];
    if let Some((option, _)) = said.iter().find(|(_, is_there)| *is_there) {
        let text =
            format!("{option} is for a template: a recipe says it for each of its templates");
        return Err(Failure::Usage(text));
    }
    let cancel = options::interrupt_soon()?;
    let note = |event: Event| {
        if let Event::Note(text) = event {
            console::note(text);
        }
    };
    let reading = Observer { cancel, event: &note, stuck: |_| {} };
    let mixed = Mixed::read(Path::new(&command.template.file), command.seed, &reading)?;
    let to_stdout = command.out == Path::new("-");
    let how = (&command.format()?, command.shape);
    let output = options::output(&command.out, Path::new(&command.template.file))?;
    let progress = Progress::new(command.count, &mixed.names().join(", "));
    let count = |event| {
        if let data::Event::Generated { samples } = event {
            progress.add(samples);
        }
    };
    let writing = data::Observer { cancel, event: &count };
    let rows = (command.split, command.first..end);
    let written = mixed.write(how, rows, output, &writing);
    progress.finish();
    let bytes = written?;
    if !to_stdout {
        command.report(bytes, progress.seconds());
    }
    Ok(())
}

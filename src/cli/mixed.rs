//! `cookc generate RECIPE`: the mixed data set of a recipe, in the order of its training.

use std::path::Path;

use super::console;
use super::failure::Failure;
use super::generate::{Generate, Job, dry};
use super::options::{self, Engine};
use super::progress::Progress;
use crate::data::{self, Answer};
use crate::run::mixed::Mixed;
use crate::run::{Event, Observer};

/// Writes the data set, and reports how much it is and how long it took.
pub fn run(command: &Generate) -> Result<(), Failure> {
    command.expect_rows()?;
    let choice = &command.template.choice;
    let said = [
        ("--level", choice.level.is_some()),
        ("--set", !choice.set.is_empty()),
        ("--vocab", choice.vocab.is_some()),
        ("--answer", choice.answer != Answer::default()),
        ("--engine", command.engine != Engine::Auto),
        ("--tokenizer", command.tokenizer.is_some()),
    ];
    if let Some((option, _)) = said.iter().find(|(_, is_there)| *is_there) {
        let text = format!("{option} is for a template: a recipe says it itself");
        return Err(Failure::Usage(text));
    }
    let cancel = options::interrupt_soon()?;
    let note = |event: Event| {
        if let Event::Note(text) = event {
            console::note(text);
        }
    };
    let reading = Observer { cancel, event: &note, stuck: |_| {} };
    let (path, seed) = (Path::new(&command.template.file), command.seed);
    let mixed = match command.is_of_ids() {
        true => Mixed::read_ids(path, seed, command.length(), &reading)?,
        false => Mixed::read(path, seed, &reading)?,
    };
    let to_stdout = command.out == Path::new("-");
    let format = command.format()?;
    let names = mixed.names().join(", ");
    let progress = Progress::writing(command.row_count(), &names);
    let count = |event| progress.follow(event);
    let writing = data::Observer { cancel, event: &count };
    let (split, shape) = (command.split, command.shape);
    let mut write = |rows, output| mixed.write((&format, shape), (split, rows), output, &writing);
    let of = mixed.text((&format, shape), split);
    let stopped = |stopped| mixed.error(split, stopped).into();
    let made = mixed.origin(split, (shape.name, format.name));
    let job = Job { of, format, made };
    if command.dry_run {
        return dry::print(command, job, (&names, &mixed.drawn()), &mut write, &stopped);
    }
    let done = command.put(job, &mut write, &writing, &stopped);
    progress.finish();
    let done = done?;
    if !to_stdout {
        command.report(done, progress.seconds());
    }
    Ok(())
}

/// The recipe of a path.
pub fn read(path: &Path) -> Result<Mixed, Failure> {
    let note = |_: Event| {};
    let reading = Observer { cancel: options::interrupt_flag(), event: &note, stuck: |_| {} };
    Ok(Mixed::read(path, None, &reading)?)
}

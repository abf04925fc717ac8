//! How many samples an audit draws where no option says: fewer where one of them takes long.

use super::cheats;
use super::{Settings, changes};
use crate::data::generate::Stopped;
use crate::data::judge::Judge;
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::{Sampler, Split};

/// The most work of an audit, in nanoseconds of one core, as far as they can be told beforehand.
const WORK_MAX: u64 = 30_000_000_000;
/// What a step of the interpreter takes, a cell of memory, and a byte of text.
const STEP: u64 = 16;
const CELL: u64 = 1;
const BYTE: u64 = 4;
/// Of these samples the work is counted.
const LOOKED_AT: u64 = 4;
/// Fewer than so many say nothing.
const SAMPLES_MIN: u64 = 16;

/// As many of the settings' samples as an audit has the time for. It depends on the template and
/// the seed alone, not on the machine.
///
/// # Errors
/// [`Stopped`] if one of the first samples cannot be drawn.
pub fn affordable(sampler: &Sampler, settings: Settings) -> Result<u64, Stopped> {
    // It counts its steps.
    let interpreter = &sampler.interpreted();
    let program = interpreter.program();
    let (judge, mut memory) =
        (Judge::new(interpreter), interpreter.memory(Split::Train, settings.seed));
    let texts = TextWriter::new(program, interpreter.vocabulary().clone(), Escape::None);
    let looked_at = settings.samples.min(LOOKED_AT);
    let (mut making, mut judging) = (0, 0);
    for index in 0..looked_at {
        let before = memory.steps_done();
        interpreter.sample(&mut memory, index).map_err(|error| Stopped::Fault(index, error))?;
        let (made, cells) = (memory.steps_done(), CELL * memory.cells_taken());
        making += STEP * (made - before) + cells;
        judge.own(&mut memory);
        let parts = [Part::System, Part::Prompt, Part::Reply];
        let text: u64 = parts.map(|part| texts.text(part, &memory).len() as u64).iter().sum();
        // Rules compute again what is not shown.
        judging += STEP * (memory.steps_done() - made) + cells + BYTE * text;
    }
    // Each cheat and each change is a reply that is written, read and judged.
    let replies = 1 + (cheats::all(program).len() + changes::ALL.len()) as u64;
    // Samples are made four times: of both engines, of the other split, and for the cheats.
    let work = (4 * making + 2 * replies * judging) / looked_at.max(1);
    Ok(settings.samples.min((WORK_MAX / work.max(1)).max(SAMPLES_MIN)))
}

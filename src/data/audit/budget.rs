//! How many samples an audit draws where no option says: fewer where one of them takes long.

use super::cheats;
use super::{Settings, changes};
use crate::data::generate::Stopped;
use crate::data::judge::Judge;
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::{Sampler, Split};

/// The most work of an audit, in nanoseconds of one core, as far as it can be estimated, and of the
/// interpreter in it.
const WORK_MAX: u64 = 8_000_000_000;
const INTERPRETER_MAX: u64 = 3_000_000_000;
/// What a step of the interpreter takes, one of machine code, a cell of memory, and a byte of text.
const STEP: u64 = 16;
const STEP_NATIVE: u64 = 3;
const CELL: u64 = 1;
const BYTE: u64 = 4;
/// Of these samples the work is counted.
const LOOKED_AT: u64 = 4;
/// Fewer samples than this say nothing.
const SAMPLES_MIN: u64 = 16;
/// Replies to a sample with joined values, which are only known later.
const JOINED: usize = 8;

/// The work that a sample takes, on average.
struct Work {
    /// Of making it, and of judging one reply to it.
    making: u64,
    judging: u64,
    /// The same of the interpreter.
    making_again: u64,
    judging_again: u64,
}

/// As many of the settings' samples as an audit has the time for. It depends on the template and
/// the seed alone, not on the machine.
///
/// # Errors
/// [`Stopped`] if one of the first samples cannot be drawn.
pub fn affordable(sampler: &Sampler, settings: Settings) -> Result<u64, Stopped> {
    let work = work(sampler, settings)?;
    // Each cheat and each change is a reply that is written, read and judged.
    let replies = 1 + (cheats(sampler) + changes::ALL.len()) as u64;
    // Samples are drawn four times: for what they are, of the other split, and for the cheats.
    let work = 4 * work.making + replies * work.judging;
    Ok(settings.samples.min((WORK_MAX / work.max(1)).max(SAMPLES_MIN)))
}

/// How many of the samples the interpreter makes too, and judges every cheat on.
///
/// # Errors
/// [`Stopped`] if one of the first samples cannot be drawn.
pub fn compared(sampler: &Sampler, settings: Settings) -> Result<u64, Stopped> {
    let work = work(sampler, settings)?;
    let work = work.making_again + (1 + cheats(sampler) as u64) * work.judging_again;
    Ok(settings.samples.min((INTERPRETER_MAX / work.max(1)).max(SAMPLES_MIN)))
}

fn cheats(sampler: &Sampler) -> usize {
    cheats::all(sampler.program()).len() + JOINED
}

fn work(sampler: &Sampler, settings: Settings) -> Result<Work, Stopped> {
    // It counts its steps.
    let interpreter = &sampler.interpreted();
    let program = interpreter.program();
    let (judge, mut memory) =
        (Judge::new(interpreter), interpreter.memory(Split::Train, settings.seed));
    let texts = TextWriter::new(program, interpreter.vocabulary().clone(), Escape::None);
    let looked_at = settings.samples.min(LOOKED_AT);
    let (mut making, mut judging, mut rest, mut text) = (0, 0, 0, 0);
    for index in 0..looked_at {
        let before = memory.steps_done();
        interpreter.sample(&mut memory, index).map_err(|error| Stopped::Fault(index, error))?;
        let made = memory.steps_done();
        (making, rest) = (making + made - before, rest + CELL * memory.cells_taken());
        judge.own(&mut memory);
        let parts = [Part::System, Part::Prompt, Part::Reply];
        text += BYTE * parts.map(|part| texts.text(part, &memory).len() as u64).iter().sum::<u64>();
        // Rules compute again what is not shown.
        judging += memory.steps_done() - made;
    }
    let each = |steps: u64, step: u64, rest: u64| (steps * step + rest) / looked_at.max(1);
    Ok(Work {
        making: each(making, STEP_NATIVE, rest),
        judging: each(judging, STEP_NATIVE, rest + text),
        making_again: each(making, STEP, rest),
        judging_again: each(judging, STEP, rest + text),
    })
}

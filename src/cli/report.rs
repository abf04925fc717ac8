//! A failure as the user sees it, and the exit code that says the same to a program.

use super::console;
use super::failure::Failure;

/// Writes the failure to standard error, and returns the exit code.
pub fn report(failure: &Failure) -> u8 {
    match failure {
        Failure::Invalid(all) => {
            all.iter().for_each(|one| console::diagnostics(&one.source, &one.diagnostics));
        }
        Failure::Input(text) | Failure::Usage(text) => console::error(text),
        Failure::Machine(error) => console::error(&format!("{error:#}")),
        Failure::Interrupted => console::error("interrupted; nothing was left half-written"),
        Failure::Shown | Failure::Closed | Failure::Child(_) => {}
    }
    match failure {
        Failure::Closed => 0,
        Failure::Shown | Failure::Invalid(_) | Failure::Input(_) => 1,
        Failure::Usage(_) => 2,
        Failure::Machine(_) => 3,
        Failure::Interrupted => 130,
        Failure::Child(code) => *code,
    }
}

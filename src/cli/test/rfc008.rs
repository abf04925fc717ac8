//! `cookc test --format rfc008`: each template at each level as an environment.

use super::Test;
use crate::cli::options::{self, Choice, Engine};
use crate::cli::progress::Progress;
use crate::cli::{Failure, console, load};
use crate::data::audit::{PASSES, Settings, affordable};
use crate::data::generate::Stopped;
use crate::data::rfc008::{Report, Subject, report};
use crate::data::{Event, Observer};
use crate::template::{self, Template};

/// Reports on each template at each level. What fails in one does not keep others from being
/// examined.
pub fn run(command: &Test) -> Result<(), Failure> {
    let (mut passed, mut unsupported) = (true, Vec::new());
    for file in &command.files {
        let source = template::source_of(file)?;
        if super::examples::is_module(&source) {
            unsupported.push(file.as_str());
            continue;
        }
        let template = Template::checked(source)?;
        let names = match &command.choice.level {
            Some(level) => vec![level.clone()],
            None => load::levels(&template),
        };
        for name in names {
            let choice = Choice { level: Some(name), ..command.choice.clone() };
            let mut report = one(command, &template, &choice)?;
            report.target = file.clone();
            passed &= report.passed;
            let line = serde_json::to_string(&report).expect("a report is plain data");
            console::data(&format!("{line}\n"))?;
        }
    }
    match (passed, unsupported.is_empty()) {
        (false, _) => Err(Failure::Shown),
        (true, true) => Ok(()),
        (true, false) => Err(Failure::Usage(format!(
            "{}: no environment, as it only holds functions; write the name of a template, which \
             has a prompt and a reply",
            unsupported.join(", ")
        ))),
    }
}

fn one(command: &Test, template: &Template, choice: &Choice) -> Result<Report, Failure> {
    // From the text alone, as another machine would have it.
    let again =
        Template::parse_with(&template.source().name, &template.source().text, template.files())?;
    let sampler = load::compile(template, choice, Engine::Native)?;
    let again = load::compile(&again, choice, Engine::Native)?;
    let seed = command.seed;
    let stopped = |stopped: Stopped| load::stopped(template, sampler.program(), seed, stopped);
    let samples = command.samples.unwrap_or(super::SAMPLES);
    let mut settings = Settings { samples, seed };
    if command.samples.is_none() {
        settings.samples = affordable(&sampler, settings).map_err(stopped)?;
    }
    let progress = Progress::new(PASSES * settings.samples, template.name());
    let event = |event| {
        if let Event::Audited { samples } = event {
            progress.add(samples);
        }
    };
    let observer = Observer { cancel: options::interrupt_soon()?, event: &event };
    let subject = Subject { source: template.source(), sampler: &sampler, again: &again };
    let report = report(&subject, settings, &observer).map_err(stopped)?;
    progress.finish();
    Ok(report)
}

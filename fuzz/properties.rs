//! What must hold for any input: the fuzz targets run these, and `cargo test` on the kept inputs.

use cookc::check;
use cookc::data::judge::Judge;
use cookc::data::layout::{Escape, Part, TextWriter};
use cookc::data::sink::{Jsonl, Row, Schema};
use cookc::data::vocab::Vocabulary;
use cookc::data::{Sampler, Split};
use cookc::diagnostic::{Diagnostic, render};
use cookc::ir::{self, Choice};
use cookc::runtime::{Fault, Memory};
use cookc::source::Source;
use cookc::{Error, Template, syntax};

use super::{statements, templates};

/// Words of `vocab`: few, so that draws reach the end of it.
const WORDS: usize = 64;
/// Samples of each program.
const SAMPLES: u64 = 8;

/// Any text parses without a panic, and every error lies inside it.
pub fn parse(text: &str) {
    let source = Source::new("fuzz.cook", text);
    inside(&source, &syntax::parse(&source).1);
}

/// What has no error is formatted to the same tree, once and for all. The bytes are a text, or they
/// choose statements and the space between their words: the first byte says which.
pub fn format(data: &[u8]) {
    if let (Some(first), Ok(text)) = (data.first(), std::str::from_utf8(data))
        && first % 2 == 0
    {
        let _ = formatted(text);
        return;
    }
    let text = statements::spaced(&statements::statements(data), data);
    if let Err(errors) = formatted(&text) {
        panic!("{}", rendered(&Source::new("fuzz.cook", &text), &errors));
    }
}

/// Formats a text, or gives its errors.
fn formatted(text: &str) -> Result<(), Vec<Diagnostic>> {
    let source = Source::new("fuzz.cook", text);
    let (file, errors) = syntax::parse(&source);
    if !errors.is_empty() {
        return Err(errors);
    }
    let formatted = syntax::format_tree(&file, &source);
    let again = Source::new("fuzz.cook", &formatted);
    let (same, errors) = syntax::parse(&again);
    assert!(errors.is_empty(), "formatted text has errors: {errors:?}\n{formatted}");
    assert!(syntax::same(&file, &same), "formatting changed the meaning:\n{formatted}");
    assert_eq!(syntax::format_tree(&same, &again), formatted, "formatting goes on");
    Ok(())
}

/// Any text is checked and lowered without a panic, and every error has its place and its help.
pub fn check(text: &str) {
    let source = Source::new("fuzz.cook", text);
    let (file, errors) = syntax::parse(&source);
    let (template, found) = check::check(&file, &source, &|_| Err("no file here".into()));
    inside(&source, &found);
    assert!(found.iter().all(|it| !it.help.is_empty()), "an error without help: {found:?}");
    let Some(template) = template.filter(|_| errors.is_empty()) else { return };
    let levels = template.levels.iter().map(|level| level.name.clone());
    for level in std::iter::once(String::new()).chain(levels) {
        let choice = Choice { level, vocabulary: WORDS, ..Choice::default() };
        if let Err(errors) = ir::lower(&template, &choice) {
            inside(&source, &errors);
            assert!(errors.iter().all(|it| !it.help.is_empty()), "no help: {errors:?}");
        }
    }
}

/// The bytes become a template without an error, and both engines make and judge the same with it.
/// Gives whether it became a program.
pub fn interpret_vs_jit(data: &[u8]) -> bool {
    let (text, seed) = templates::template(data);
    let template = Template::parse("fuzz.cook", &text).unwrap_or_else(|error| panic!("{error}"));
    let level = template.level("default").vocabulary(Vocabulary::embedded_part(WORDS));
    let native = match level.native().compile() {
        Ok(sampler) => sampler.inner().clone(),
        // A level may be impossible: drawing 9 of 4 words is found before the first sample.
        Err(Error::Invalid(_)) => return false,
        Err(error) => panic!("{error}\n{text}"),
    };
    let samplers = [native.interpreted(), native];
    let mut runs = samplers.each_ref().map(|sampler| Run::new(sampler, seed));
    for index in 0..SAMPLES {
        let [one, other] = runs.each_mut().map(|run| run.sample(index));
        assert_eq!(one, other, "sample {index} of seed {seed}:\n{text}");
    }
    true
}

/// One engine with what it needs for many samples.
struct Run<'a> {
    sampler: &'a Sampler,
    memory: Memory,
    writer: TextWriter,
    rows: Jsonl,
    judge: Judge,
    other: String,
}

impl<'a> Run<'a> {
    fn new(sampler: &'a Sampler, seed: u64) -> Run<'a> {
        Run {
            sampler,
            memory: sampler.memory(Split::Train, seed),
            writer: TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None),
            rows: Jsonl::new(&Schema::one(sampler.clone(), String::new(), Split::Train, seed)),
            judge: Judge::new(sampler),
            other: String::new(),
        }
    }

    /// The row of a sample, and the bits of its scores for some replies.
    fn sample(&mut self, index: u64) -> Result<(Vec<u8>, Vec<u64>), Fault> {
        let memory = &mut self.memory;
        self.sampler.sample(memory, index)?;
        let mut row = Vec::new();
        self.rows.line(Row { sampler: 0, index, memory }, &mut row);
        let own = self.writer.text(Part::Reply, memory);
        assert!(self.judge.reads_back(&own, memory), "not read back: {own:?}");
        let mut scores = Vec::new();
        for reply in [&own, &self.other, "", "7 7 -1 | no such words", &own.repeat(2)] {
            let verdict = self.judge.judge(reply, memory);
            scores.extend(verdict.scores.iter().map(|score| score.to_bits()));
        }
        self.other = own;
        Ok((row, scores))
    }
}

fn inside(source: &Source, found: &[Diagnostic]) {
    for diagnostic in found {
        for label in &diagnostic.labels {
            let (start, end) = (label.span.start, label.span.end);
            assert!(start <= end && end <= source.text.len(), "{diagnostic:?} is outside");
            assert!(source.text.is_char_boundary(start) && source.text.is_char_boundary(end));
        }
    }
    // Rendering is slower than all before it, so one text in sixteen is rendered.
    if source.text.bytes().fold(0, u8::wrapping_add).is_multiple_of(16) {
        found.iter().for_each(|diagnostic| drop(render(diagnostic, source, false)));
    }
}

fn rendered(source: &Source, found: &[Diagnostic]) -> String {
    let all = found.iter().map(|diagnostic| render(diagnostic, source, false));
    format!("{}\n{}", all.collect::<String>(), source.text)
}

//! From what the user named to a source, a template and a program that is ready to run.

use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::options::{Choice, Engine};
use super::{Failure, console};
use crate::check::typed;
use crate::data::examples::{self, Examples};
use crate::data::preview::cannot_make;
use crate::data::vocab::Vocabulary;
use crate::data::{DEFAULT_LEVEL, Maker, generate::Stopped, pools};
use crate::diagnostic::{Diagnostic, Severity, near_miss};
use crate::ir::Program;
use crate::source::{self, Source};
use crate::syntax::allow;
use crate::{check, engine, ir, stdlib, syntax};

/// The most bytes of a file: far more than a person writes.
const BYTES_MAX: u64 = 16 << 20;
/// The same of a `.cook` file, which takes a hundred times its size to check: 50,000 lines.
const COOK_BYTES_MAX: u64 = 2 << 20;

/// What a template's name gives.
pub struct Template {
    /// Its text.
    pub source: Source,
    /// What it says.
    pub typed: typed::Template,
}

impl Template {
    /// Reads and checks a template; its faults are shown.
    pub fn read(name: &str) -> Result<Template, Failure> {
        Template::of(name, source(name)?)
    }

    /// Checks the source of that name; its faults are shown.
    pub fn of(name: &str, source: Source) -> Result<Template, Failure> {
        let (typed, diagnostics) = checked(&source);
        match typed {
            Some(typed) => Ok(Template { source, typed }),
            None if diagnostics.iter().all(|one| one.severity == Severity::Lint) => {
                let advice = "write the name of a template: it has a prompt and a reply";
                Err(Failure::Input(format!("`{name}` only holds functions; {advice}")))
            }
            None => Err(shown(&source, &allow::kept(&source, diagnostics))),
        }
    }

    /// The program at a level, with the words that it is made for. Faults are shown.
    pub fn program(&self, choice: &Choice) -> Result<(Program, Vocabulary), Failure> {
        self.program_of(choice)?.map_err(|faults| shown(&self.source, &faults))
    }

    /// The program at a level, or why there is none.
    pub fn program_of(
        &self,
        choice: &Choice,
    ) -> Result<Result<(Program, Vocabulary), Vec<Diagnostic>>, Failure> {
        let words = vocabulary(choice.vocab.as_deref())?;
        let choice = ir::Choice {
            level: self.level(choice.level.as_deref().unwrap_or("")),
            set: choice.set.clone(),
            vocabulary: words.own_len(),
        };
        Ok(ir::lower(&self.typed, &choice).map(|program| (program, words)))
    }

    /// The program at a level with the engine that runs it.
    pub fn maker(&self, choice: &Choice, engine: Engine) -> Result<Maker, Failure> {
        let (program, words) = self.program(choice)?;
        self.maker_of(Arc::new(program), words, engine)
    }

    /// A program of this template with the engine that runs it.
    pub fn maker_of(
        &self,
        program: Arc<Program>,
        words: Vocabulary,
        engine: Engine,
    ) -> Result<Maker, Failure> {
        let (vocabulary, pools) = pools(&self.typed, words);
        let engine = match engine {
            Engine::Interpreter => engine::interpreter(program.clone()),
            Engine::Native => {
                engine::native(program.clone()).context("cannot make machine code")?
            }
        };
        Ok(Maker::new(program, engine, vocabulary, pools))
    }

    /// The names of all levels; that of the defaults is empty.
    pub fn levels(&self) -> Vec<String> {
        let named = self.typed.levels.iter().map(|level| level.name.clone());
        std::iter::once(String::new()).chain(named).collect()
    }

    /// `default` is the name of the defaults, unless the template has a level of that name.
    fn level(&self, name: &str) -> String {
        let is_there = self.typed.levels.iter().any(|level| level.name == name);
        if name == DEFAULT_LEVEL && !is_there { String::new() } else { name.to_string() }
    }

    /// Why making samples ended, as the user is told.
    pub fn stopped(&self, program: &Program, seed: u64, stopped: Stopped) -> Failure {
        match stopped {
            Stopped::Cancelled => Failure::Interrupted,
            Stopped::Output(error) => error.into(),
            Stopped::Fault(index, fault) => {
                shown(&self.source, &[cannot_make(program, seed, index, fault)])
            }
        }
    }
}

/// The text of a path, or of what is built in.
pub fn source(name: &str) -> Result<Source, Failure> {
    if let Some(built_in) = name.strip_prefix("std:") {
        return stdlib::template(built_in).ok_or_else(|| not_built_in(built_in));
    }
    Ok(Source::new(name, text_of(Path::new(name))?))
}

/// The text of standard input, under the name that it is shown by.
pub fn stdin(name: &str) -> Result<Source, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(COOK_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.context("cannot read standard input")?;
    if bytes.len() as u64 > COOK_BYTES_MAX {
        return Err(too_large("standard input", COOK_BYTES_MAX));
    }
    utf8(bytes, "standard input").map(|text| Source::new(name, text))
}

/// The template of a source, if it has no fault, and all diagnostics of all its levels.
pub fn checked(source: &Source) -> (Option<typed::Template>, Vec<Diagnostic>) {
    let (file, mut diagnostics) = syntax::parse(source);
    if diagnostics.iter().any(|one| one.severity == Severity::Fault) {
        return (None, diagnostics);
    }
    let folder = folder(source);
    let read = |path: &str| beside(folder.as_deref(), path);
    let (template, more) = check::check(&file, source, &read);
    diagnostics.extend(more);
    (template, diagnostics)
}

/// The examples in the documentation of a source's functions, run.
pub fn examples(source: &Source) -> Examples {
    let (file, _) = syntax::parse(source);
    let folder = folder(source);
    examples::run(source, &file, &|path| beside(folder.as_deref(), path))
}

/// The folder of a source that is a file.
fn folder(source: &Source) -> Option<PathBuf> {
    let folder = Path::new(&*source.name).parent().map(Path::to_path_buf);
    folder.filter(|_| !source.name.starts_with("std:"))
}

/// Shows diagnostics, and gives the failure that they are.
pub fn shown(source: &Source, diagnostics: &[Diagnostic]) -> Failure {
    for diagnostic in diagnostics {
        console::note(console::drawn(diagnostic, source).trim_end_matches('\n'));
    }
    if let Some(first) = diagnostics.first() {
        console::explain_once(first.code);
    }
    Failure::Shown
}

/// The words of a file, or the embedded ones.
pub fn vocabulary(file: Option<&Path>) -> Result<Vocabulary, Failure> {
    let Some(path) = file else { return Ok(Vocabulary::embedded()) };
    let fault = |fault| Failure::Input(format!("{}: {fault}", path.display()));
    Vocabulary::parse(&text_of(path)?).map_err(fault)
}

/// The text of a file, which must be there, no folder, and UTF-8.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let bytes = bytes_named(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::IsADirectory => Failure::Input(format!("{name} is a folder: name a file in it")),
        ErrorKind::InvalidInput => Failure::Input(format!("{name} is no file: {error}")),
        ErrorKind::FileTooLarge => too_large(&name.to_string(), bytes_max(path)),
        _ => Failure::Machine(anyhow::Error::new(error).context(format!("cannot read {name}"))),
    })?;
    utf8(bytes, &name.to_string())
}

fn utf8(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        Failure::Input(format!("{name} is not UTF-8: byte {at} is {byte:#04x}"))
    })
}

fn too_large(name: &str, most: u64) -> Failure {
    Failure::Input(format!("{name} has more than {most} bytes: nobody writes that much"))
}

fn bytes_max(path: &Path) -> u64 {
    if path.extension().is_some_and(|end| end == "cook") { COOK_BYTES_MAX } else { BYTES_MAX }
}

/// The bytes of a file that the user names: an ordinary one, or a pipe that the shell has opened
/// for this process, as `<(…)` does.
fn bytes_named(path: &Path) -> std::io::Result<Vec<u8>> {
    let is_own = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd");
    match is_own {
        true => source::read_at_most(std::fs::File::open(path)?, bytes_max(path)),
        false => source::bytes_of(path, bytes_max(path)),
    }
}

/// The text of a file beside a template: below its folder, also when links are followed; without a
/// folder, what is built in.
pub fn beside(folder: Option<&Path>, path: &str) -> Result<String, String> {
    let Some(folder) = folder else {
        let text = stdlib::neighbour(path).map(str::to_string);
        return text.ok_or_else(|| "no such file is built in".to_string());
    };
    let inside = |component: Component| matches!(component, Component::Normal(_));
    if path.is_empty() || !Path::new(path).components().all(inside) {
        return Err("only files beside the template are read".to_string());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let full = |path: PathBuf| path.canonicalize().map_err(|error| reason(&error));
    let file = full(folder.join(path))?;
    if !file.starts_with(full(folder.to_path_buf())?) {
        return Err("it leads out of the template's folder".to_string());
    }
    let bytes = source::bytes_of(&file, bytes_max(&file)).map_err(|error| reason(&error))?;
    String::from_utf8(bytes)
        .map_err(|error| format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_string(),
        ErrorKind::IsADirectory => "it is a folder".to_string(),
        ErrorKind::FileTooLarge => "it is larger than anybody writes".to_string(),
        _ => error.to_string(),
    }
}

fn missing(path: &Path) -> Failure {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten();
    let names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let near = near_miss(&name, names.iter().map(String::as_str));
    let built_in = stdlib::template(name.strip_suffix(".cook").unwrap_or(&name)).is_some();
    let hint = match near {
        Some(near) => format!(": did you mean {}?", path.with_file_name(near).display()),
        None if built_in => format!(": did you mean std:{}?", name.trim_end_matches(".cook")),
        None => String::new(),
    };
    Failure::Input(format!("there is no file {}{hint}", path.display()))
}

fn not_built_in(name: &str) -> Failure {
    let known = || stdlib::TEMPLATES.iter().map(|(known, _)| *known);
    let known_list = known().collect::<Vec<_>>().join(", ");
    let hint = near_miss(name, known())
        .map_or(format!("built in are {known_list}"), |near| format!("did you mean std:{near}?"));
    Failure::Input(format!("there is no template std:{name}: {hint}"))
}

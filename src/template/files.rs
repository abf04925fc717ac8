//! The files of templates: found by name and read, with a hint if one is missing.

use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::{BUILT_IN, Error};
use crate::data::examples::{self, Examples};
use crate::data::vocab::Vocabulary;
use crate::diagnostic::near_miss;
use crate::source::{self, Source};
use crate::{stdlib, syntax};

/// The most bytes of a file: far more than a person writes.
const BYTES_MAX: u64 = 16 << 20;
/// The same of a `.cook` file, which takes a hundred times its size to check: 50,000 lines.
pub(crate) const COOK_BYTES_MAX: u64 = 2 << 20;

/// The text of a path, or of what is built in.
pub(crate) fn source_of(name: &str) -> Result<Source, Error> {
    match name.strip_prefix(BUILT_IN) {
        Some(built_in) => stdlib::template(built_in).ok_or_else(|| not_built_in(built_in)),
        None => Ok(Source::new(name, text_of(Path::new(name))?)),
    }
}

/// The words of a file that has one a line, or the built-in ones.
///
/// # Errors
/// [`Error::Input`] for a file that is not there, too large, not UTF-8 or no list of words, and
/// [`Error::Io`] for one that cannot be read.
pub fn vocabulary(file: Option<&Path>) -> Result<Vocabulary, Error> {
    let Some(path) = file else { return Ok(Vocabulary::embedded()) };
    let wrong = |why| Error::Input(format!("{}: {why}", path.display()));
    Vocabulary::parse(&text_of(path)?).map_err(wrong)
}

/// The examples in the documentation of a source's functions, run.
pub(crate) fn examples(source: &Source) -> Examples {
    let (file, _) = syntax::parse(source);
    let folder = folder_of(source);
    examples::run(source, &file, &|path| beside(folder.as_deref(), path))
}

/// The folder of a source that is a file.
pub(crate) fn folder_of(source: &Source) -> Option<PathBuf> {
    let folder = Path::new(&*source.name).parent().map(Path::to_path_buf);
    folder.filter(|_| !source.name.starts_with(BUILT_IN))
}

/// The text of a file, which must be there, no folder, and UTF-8.
pub(crate) fn text_of(path: &Path) -> Result<String, Error> {
    let name = path.display();
    let bytes = bytes_named(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::IsADirectory => Error::Input(format!("{name} is a folder: name a file in it")),
        ErrorKind::InvalidInput => Error::Input(format!("{name} is no file: {error}")),
        ErrorKind::FileTooLarge => too_large(&name.to_string(), bytes_max(path)),
        _ => Error::Io { path: path.to_path_buf(), error },
    })?;
    decoded(bytes, &name.to_string())
}

/// Bytes as text, or which byte is none.
pub(crate) fn decoded(bytes: Vec<u8>, name: &str) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        Error::Input(format!("{name} is not UTF-8: byte {at} is {byte:#04x}"))
    })
}

/// The error of an input with more than `most` bytes.
pub(crate) fn too_large(name: &str, most: u64) -> Error {
    Error::Input(format!("{name} has more than {most} bytes, the most that is read"))
}

fn bytes_max(path: &Path) -> u64 {
    if path.extension().is_some_and(|end| end == "cook") { COOK_BYTES_MAX } else { BYTES_MAX }
}

/// The bytes of a file that the user names: an ordinary one, or a pipe that the shell has opened
/// for this process, as `<(…)` does.
fn bytes_named(path: &Path) -> io::Result<Vec<u8>> {
    let is_own = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd");
    match is_own {
        true => source::read_at_most(std::fs::File::open(path)?, bytes_max(path)),
        false => source::bytes_of(path, bytes_max(path)),
    }
}

/// The text of a file beside a template: below its folder, also when links are followed; without a
/// folder, what is built in.
pub(crate) fn beside(folder: Option<&Path>, path: &str) -> Result<String, String> {
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

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_string(),
        ErrorKind::IsADirectory => "it is a folder".to_string(),
        ErrorKind::FileTooLarge => "it is larger than what is read".to_string(),
        _ => error.to_string(),
    }
}

/// The error of a file that is not there, with the name that may be meant.
pub(crate) fn missing(path: &Path) -> Error {
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
    Error::Input(format!("there is no file {}{hint}", path.display()))
}

fn not_built_in(name: &str) -> Error {
    let known = || stdlib::TEMPLATES.iter().map(|(known, _)| *known);
    let known_list = known().collect::<Vec<_>>().join(", ");
    let hint = near_miss(name, known())
        .map_or(format!("built in are {known_list}"), |near| format!("did you mean std:{near}?"));
    Error::Input(format!("there is no template std:{name}: {hint}"))
}

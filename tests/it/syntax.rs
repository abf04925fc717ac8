//! Each file of `tests/cook/syntax` has its error, each good file none; `format` keeps meaning.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cookc::diagnostic::Diagnostic;
use cookc::source::{Source, Span};
use cookc::syntax;
use proptest::prelude::*;

#[test]
fn every_faulty_file_has_its_fault_with_help() {
    for source in files("syntax") {
        let errors = syntax::parse(&source).1;
        assert!(!errors.is_empty(), "{} has no error", source.name);
        for error in &errors {
            assert!(!error.help.is_empty(), "{}: {} has no help", source.name, error.title);
        }
        assert_inside(&source, &errors);
    }
}

#[test]
fn five_independent_faults_are_five_diagnostics_and_the_rest_is_read() {
    let sources = files("syntax");
    let source = sources.iter().find(|source| source.stem() == "five_faults").expect("it is there");
    let (file, errors) = syntax::parse(source);
    assert_eq!(errors.len(), 5, "{errors:?}");
    assert!(file.statements.len() >= 3);
}

/// What stands before an error is read once; an error of the tree is found there too.
#[test]
fn what_stands_before_a_fault_is_read_as_in_a_sound_file() {
    let before = "// An opening.\nparam a in 1..9 = 1\nparam b in 1..9 = 1\n\n\
        level easy: a = 2\n            b = 3\n\nx = a and\nb == a\ny = 1\n\n";
    let errors = |text: &str| {
        let (file, errors) = syntax::parse(&Source::new("test.cook", text));
        (file.statements.len(), errors.iter().map(|error| error.code).collect::<Vec<_>>())
    };
    assert_eq!(errors(before), (5, vec!["E128"]));
    assert_eq!(errors(&format!("{before}z = 1 +\n")), (6, vec!["E128", "E122"]));
    // A statement that goes on where the next seems to begin may be half of a wrong one.
    assert_eq!(errors("x = a and\no\n= 2 +\n").1, ["E122", "E122"]);
}

#[test]
fn good_files_have_no_fault_and_keep_their_meaning_when_formatted() {
    for source in files("parses") {
        let (file, errors) = syntax::parse(&source);
        assert_eq!(errors, [], "{}", source.name);
        let formatted = Source::new(&*source.name, format(&source));
        let (again, errors) = syntax::parse(&formatted);
        assert_eq!(errors, [], "{}", formatted.text);
        assert!(syntax::same(&file, &again), "{} changes to\n{}", source.name, formatted.text);
        assert_eq!(format(&formatted), &*formatted.text, "{} is formatted twice", source.name);
    }
}

#[test]
fn good_files_are_formatted_already() {
    for source in files("parses") {
        assert_eq!(&*source.text, format(&source), "{}", source.name);
    }
}

#[test]
fn parsing_takes_time_in_proportion_to_the_text() {
    let shapes: [fn(usize) -> String; 8] = [
        |n| "answer = ((((((1))))))\n".repeat(n),
        |n| format!("answer = [{}1]\n", "1, ".repeat(n)),
        |n| format!("answer = {}", "(".repeat(n)),
        |n| format!("answer = {}", "[(".repeat(n)),
        |n| "answer = if a then if b then c else if d then\n".repeat(n),
        |n| format!("answer = \"{}\"", "{f(\"".repeat(n)),
        |n| format!("prompt \"\"\"\n{}\n\"\"\"\n", "{".repeat(n)),
        |n| "prompt \"\"\"\n".repeat(n),
    ];
    for shape in shapes {
        let time = |n| {
            let source = Source::new("grown", shape(n));
            let start = Instant::now();
            syntax::parse(&source);
            start.elapsed()
        };
        time(1_000);
        let (small, large) = (time(2_000), time(16_000));
        let generous = small * 8 * 4 + Duration::from_millis(50);
        assert!(large < generous, "{:?}: {small:?}, then {large:?}", &shape(1)[..12]);
    }
}

#[test]
fn a_million_brackets_end_in_a_diagnostic() {
    for unit in ["(", "[", "not ", "-", "if ", "all x in ", "f(", "\"{", "1 + ", "fold a = "] {
        let source = Source::new("deep", format!("answer = {}", unit.repeat(1_000_000)));
        assert!(!syntax::parse(&source).1.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_without_panic(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_row_of_words_and_signs_is_parsed_without_panic(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..60)
    ) {
        check(&words.join(" "))?;
        check(&words.concat())?;
    }

    #[test]
    fn a_good_file_with_a_change_is_parsed_without_panic(
        file in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        length in 0..12_usize,
        word in prop::sample::select(WORDS.to_vec()),
    ) {
        let sources = files("parses");
        let letters: Vec<char> = file.get(&sources).text.chars().collect();
        let at = place.index(letters.len());
        let end = (at + length).min(letters.len());
        let changed: String =
            letters[..at].iter().copied().chain(word.chars()).chain(letters[end..].iter().copied())
                .collect();
        check(&changed)?;
    }
}

const WORDS: &[&str] = &[
    "use", "template", "words", "param", "level", "rule", "prompt", "reply", "fn", "return", "if",
    "then", "else", "and", "or", "not", "in", "within", "all", "any", "count", "for", "fold",
    "over", "where", "true", "a", "xs", "Int", "~", "=", ":", ",", ".", "..", "->", "~>", "==",
    "!=", "<", "<=", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}", "{{", "}}", "\"",
    "\"\"\"", "\n", "\r\n", "  ", "//", "///", "1", "2.5", "'", ";", "&&", "é", "\u{feff}", "\0",
    "\\",
];

/// Spans lie inside the text; a text without an error can be formatted and says the same then.
fn check(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("any", text);
    let (file, errors) = syntax::parse(&source);
    assert_inside(&source, &errors);
    if errors.is_empty() {
        let formatted = Source::new("any", format(&source));
        let (again, errors) = syntax::parse(&formatted);
        prop_assert!(errors.is_empty(), "{:?} in {}", errors, formatted.text);
        prop_assert!(syntax::same(&file, &again), "{} changes to {}", text, formatted.text);
        prop_assert_eq!(format(&formatted), &*formatted.text);
    }
    Ok(())
}

fn assert_inside(source: &Source, errors: &[Diagnostic]) {
    let inside = |span: Span| source.text.get(span.start..span.end).is_some();
    for error in errors {
        assert!(error.labels.iter().all(|label| inside(label.span)), "{error:?}");
        assert!(error.fix.iter().all(|fix| inside(fix.span)), "{error:?}");
    }
}

fn format(source: &Source) -> String {
    syntax::format(source).unwrap_or_else(|errors| panic!("{} is good: {errors:?}", source.text))
}

fn files(folder: &str) -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cook").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "cook"));
    paths.sort();
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("it can be read");
    paths.iter().map(|path| Source::new(path.to_string_lossy(), read(path))).collect()
}

//! A fix removes its error: tried on every diagnostic of the corpus.

use cookc::diagnostic::{Diagnostic, Severity, edited, render};
use cookc::source::{Source, Span};

use crate::corpus::{FOLDERS, beside, files, outcome};

/// Every file of the corpus that is checked, with the folder it stands in.
fn sources() -> Vec<(&'static str, Source)> {
    let read = |folder: &'static str| {
        files(folder).into_iter().map(move |path| {
            let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
            (folder, Source::new(path.to_string_lossy(), text))
        })
    };
    FOLDERS.into_iter().flat_map(|(folder, _)| read(folder)).collect()
}

/// `E1` of the syntax, `E2` of names: later stages see nothing while an earlier one is at error.
fn stage(diagnostic: &Diagnostic) -> &str {
    &diagnostic.code[..2]
}

fn same(a: &Diagnostic, b: &Diagnostic) -> bool {
    (a.code, &a.title) == (b.code, &b.title)
}

/// Where the new text of the edits stands after they are made.
fn edited_places(error: &Diagnostic) -> Vec<Span> {
    let mut shift = 0isize;
    let place = |edit: &cookc::diagnostic::Edit| {
        let start = edit.span.start.strict_add_signed(shift);
        shift += edit.text.len() as isize - (edit.span.end - edit.span.start) as isize;
        Span::new(start, start + edit.text.len())
    };
    error.fix.iter().map(place).collect()
}

#[test]
fn a_fix_removes_its_fault_and_brings_no_new_one() {
    let mut tried = 0;
    for (folder, source) in sources() {
        let (found, _) = outcome(&source, &beside(folder));
        for error in found.iter().filter(|error| !error.fix.is_empty()) {
            tried += 1;
            let fixed = Source::new(&*source.name, edited(&source.text, &error.fix));
            let (left, _) = outcome(&fixed, &beside(folder));
            let count = |all: &[Diagnostic]| all.iter().filter(|one| same(one, error)).count();
            let told = || format!("{}\n{}", render(error, &source, false), fixed.text);
            assert!(count(&left) < count(&found), "this stays:\n{}", told());
            let places = edited_places(error);
            let at_place = |one: &Diagnostic| {
                let span = one.span();
                places.iter().any(|place| span.start < place.end && place.start < span.end)
            };
            for new in left.iter().filter(|one| !found.iter().any(|old| same(old, one))) {
                // The files of `syntax` are pieces: that they name what is not there is no news.
                let matters = stage(new) == stage(error) || (at_place(new) && folder != "syntax");
                assert!(
                    !matters || new.severity == Severity::Warning,
                    "{}\nbrings\n{}",
                    told(),
                    render(new, &fixed, false)
                );
            }
        }
    }
    assert!(tried > 110, "{tried} fixes were tried");
}

#[test]
fn edits_of_a_fix_stand_in_order_inside_the_text_and_change_it() {
    for (folder, source) in sources() {
        for error in outcome(&source, &beside(folder)).0 {
            let ends = error.fix.iter().map(|edit| edit.span.end);
            let starts = error.fix.iter().skip(1).map(|edit| edit.span.start);
            assert!(ends.zip(starts).all(|(end, start)| end <= start), "{error:?}");
            let inside = |span: Span| source.text.get(span.start..span.end).is_some();
            assert!(error.fix.iter().all(|edit| inside(edit.span)), "{error:?}");
            let text = edited(&source.text, &error.fix);
            assert_eq!(text == *source.text, error.fix.is_empty(), "{error:?}");
        }
    }
}

/// Fewer would be a step back: where nobody can know what was meant, there is no fix.
#[test]
fn most_codes_of_the_language_have_a_fix() {
    let found =
        sources().into_iter().flat_map(|(folder, source)| outcome(&source, &beside(folder)).0);
    let (mut all, mut with) =
        (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for diagnostic in found {
        all.insert(diagnostic.code);
        if !diagnostic.fix.is_empty() {
            with.insert(diagnostic.code);
        }
    }
    let without: Vec<_> = all.difference(&with).collect();
    println!("{} of {} codes have a fix; {without:?} have none", with.len(), all.len());
    assert!(with.len() * 2 > all.len(), "{without:?} have none");
}

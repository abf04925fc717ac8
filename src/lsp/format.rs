//! The canonical layout of a document, as one small edit.

use lsp_types::TextEdit;

use super::analysis::Analysis;
use crate::source::Span;
use crate::syntax;

/// What changes: nothing where the layout is canonical already or the text has an error.
pub fn edits(analysis: &Analysis) -> Vec<TextEdit> {
    if !analysis.is_whole {
        return Vec::new();
    }
    let new = syntax::format_tree(&analysis.file, analysis.source());
    let old = analysis.text.str();
    if *old == *new {
        return Vec::new();
    }
    // Only the lines that differ are replaced, so that cursors elsewhere stay where they are.
    let start = same_lines(old.split_inclusive('\n'), new.split_inclusive('\n'));
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end =
        same_lines(old_rest.split_inclusive('\n').rev(), new_rest.split_inclusive('\n').rev());
    let replaced = Span::new(start, old.len() - end);
    let text = new_rest[..new_rest.len() - end].to_string();
    vec![TextEdit::new(analysis.text.range(replaced), text)]
}

/// How many bytes of whole lines both begin with.
fn same_lines<'a>(old: impl Iterator<Item = &'a str>, new: impl Iterator<Item = &'a str>) -> usize {
    old.zip(new).take_while(|(old, new)| old == new).map(|(line, _)| line.len()).sum()
}

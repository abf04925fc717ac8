//! The lines of a source around some places, long ones cut, as they are shown with an error:
//! characters that steer a terminal are written out.

use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::{Source, Span, visible};

/// Bytes of a line that are shown: more than a screen is wide.
const LINE_MAX: usize = 400;
/// Of these, how many stand before the place that is shown.
const BEFORE: usize = 80;

/// A part of a source.
#[derive(Clone, Debug)]
pub struct Excerpt {
    name: Arc<str>,
    /// The complete text that the lines are of.
    source: Arc<str>,
    text: String,
    /// How many lines of the source stand before it.
    lines_before: usize,
    lines: Vec<Line>,
}

/// A line of the source, and what of it is in the excerpt.
#[derive(Clone, Debug)]
struct Line {
    whole: Span,
    kept: Span,
    /// Where it begins in the excerpt.
    at: usize,
    /// How many characters of it are cut off before.
    columns_before: usize,
}

impl Excerpt {
    /// The lines that hold these places, one more on either side, and all between.
    pub fn new(source: &Source, places: &[Span]) -> Excerpt {
        let text = &*source.text;
        let first = places.iter().map(|place| place.start).min().unwrap_or(0);
        let last = places.iter().map(|place| place.end).max().unwrap_or(0);
        let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end =
            |at: usize| text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
        let start = line_start(line_start(first).saturating_sub(1));
        let end = line_end(line_end(last));
        let mut excerpt = Excerpt {
            name: visible(&source.name).into(),
            source: source.text.clone(),
            text: String::new(),
            lines_before: text[..start].bytes().filter(|&byte| byte == b'\n').count(),
            lines: Vec::new(),
        };
        let mut at = start;
        for line in text[start..end].split_inclusive('\n') {
            let whole = Span::new(at, at + line.len());
            at = whole.end;
            excerpt.push(text, whole, places);
        }
        excerpt
    }

    fn push(&mut self, text: &str, whole: Span, places: &[Span]) {
        let inside = |place: &Span| (whole.start..whole.end).contains(&place.start);
        let focus = places.iter().filter(|place| inside(place)).map(|place| place.start).min();
        let mut kept = whole;
        let line = &text[whole.start..whole.end];
        if line.len() > LINE_MAX || visible(line).len() > LINE_MAX {
            let focus = focus.unwrap_or(whole.start);
            let before = text[whole.start..focus].char_indices().rev();
            let before = before.map(|(at, one)| (whole.start + at, one));
            kept.start = within(BEFORE, before).unwrap_or(focus);
            let after = text[kept.start..whole.end].char_indices();
            let after = after.map(|(at, one)| (kept.start + at + one.len_utf8(), one));
            kept.end = within(LINE_MAX, after).unwrap_or(kept.start);
        }
        if kept.start > whole.start {
            self.text.push('…');
        }
        let columns_before = text[whole.start..kept.start].chars().count();
        self.lines.push(Line { whole, kept, at: self.text.len(), columns_before });
        self.text.push_str(&visible(&text[kept.start..kept.end]));
        if kept.end < whole.end {
            self.text.push_str("…\n");
        }
    }

    /// Where a byte of the source is in the excerpt, or the nearest that is shown.
    pub fn place(&self, byte: usize) -> usize {
        let after = self.lines.partition_point(|line| line.whole.start <= byte);
        let Some(line) = after.checked_sub(1).map(|at| &self.lines[at]) else { return 0 };
        let byte = byte.clamp(line.kept.start, line.kept.end);
        line.at + self.shown(line, byte)
    }

    /// How many characters of its line stand before a place of the excerpt, in the source.
    fn column(&self, place: usize) -> usize {
        let after = self.lines.partition_point(|line| line.at <= place);
        let Some(line) = after.checked_sub(1).map(|at| &self.lines[at]) else { return 0 };
        let before = self.source[line.kept.start..line.kept.end].char_indices();
        let before = before
            .take_while(|(at, _)| line.at + self.shown(line, line.kept.start + at) < place)
            .count();
        line.columns_before + before
    }

    /// How many bytes of the excerpt show a line's text before a byte of the source.
    fn shown(&self, line: &Line, byte: usize) -> usize {
        let before = &self.source[line.kept.start..byte];
        // A carriage return goes with its line break.
        let ends_line = self.source[byte..].starts_with('\n');
        let before = before.strip_suffix('\r').filter(|_| ends_line).unwrap_or(before);
        visible(before).len()
    }
}

/// The place of the last of some characters that are shown in this many bytes together.
fn within(most: usize, characters: impl Iterator<Item = (usize, char)>) -> Option<usize> {
    let mut room = most;
    let fits = characters.take_while(|(_, one)| {
        let length = visible(one.encode_utf8(&mut [0; 4])).len();
        let left = room.checked_sub(length);
        room = left.unwrap_or(room);
        left.is_some()
    });
    fits.last().map(|(at, _)| at)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, before, after)?;
        // Lines around it begin at their first column; alone it begins where people count to, and
        // miette counts bytes, from where the line was cut.
        let column = if before == 0 { self.column(span.offset()) } else { found.column() };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_string(),
            found.data(),
            *found.span(),
            found.line() + self.lines_before,
            column,
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_place_and_its_neighbours_are_kept() {
        let long = format!("{}here{}", "é".repeat(1000), "ü".repeat(1000));
        let source = Source::new("a.cook", format!("one\ntwo\n{long}\nfour\nfive\n"));
        let start = source.text.find("here").expect("it is there");
        let excerpt = Excerpt::new(&source, &[Span::new(start, start + 4)]);
        let (from, to) = (excerpt.place(start), excerpt.place(start + 4));
        assert_eq!(&excerpt.text[from..to], "here");
        assert!(excerpt.text.starts_with("two\n…é") && excerpt.text.ends_with("ü…\nfour\n"));
        assert!(excerpt.text.len() < 2 * LINE_MAX);
        assert_eq!(excerpt.lines_before, 1);
    }

    #[test]
    fn what_steers_a_terminal_is_written_out_and_places_stay_those_of_the_source() {
        let text = "one\r\n\u{1b}[31m\u{202e}here\u{7} there\r\n";
        let source = Source::new("\u{9b}a.cook", text);
        let start = text.find("here").expect("it is there");
        let excerpt = Excerpt::new(&source, &[Span::new(start, start + 4)]);
        assert_eq!(excerpt.text, "one\n\\u{1b}[31m\\u{202e}here\\u{7} there\n");
        assert_eq!(&*excerpt.name, "\\u{9b}a.cook");
        let (from, to) = (excerpt.place(start), excerpt.place(start + 4));
        assert_eq!(&excerpt.text[from..to], "here");
        let found = excerpt.read_span(&SourceSpan::from((from, 4)), 0, 0).expect("it is inside");
        assert_eq!((found.line() + 1, found.column() + 1), source.position(start));
    }

    #[test]
    fn a_line_that_is_long_only_as_it_is_shown_is_cut_too() {
        let text = format!("{0}here{0}", "\u{1b}".repeat(100));
        let excerpt = Excerpt::new(&Source::new("a.cook", text), &[Span::new(100, 104)]);
        assert!(excerpt.text.len() < LINE_MAX + 20, "{}", excerpt.text.len());
        let (from, to) = (excerpt.place(100), excerpt.place(104));
        assert_eq!(&excerpt.text[from..to], "here");
        assert!(from <= BEFORE + "…".len());
    }

    #[test]
    fn the_column_of_a_place_in_a_cut_line_is_that_of_the_source() {
        let source = Source::new("a.cook", format!("one\n{}here\n", "é".repeat(1000)));
        let start = source.text.find("here").expect("it is there");
        let excerpt = Excerpt::new(&source, &[Span::new(start, start + 4)]);
        let place = SourceSpan::from((excerpt.place(start), 4));
        let found = excerpt.read_span(&place, 0, 0).expect("it is inside");
        assert_eq!((found.line() + 1, found.column() + 1), source.position(start));
    }
}

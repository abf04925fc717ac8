//! A document's text, and its places as editors count them: lines, and columns in code units.

use lsp_types::{Position, PositionEncodingKind, Range};

use crate::source::{Source, Span};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Code units of 16 bits: what every client understands.
    #[default]
    Utf16,
}

impl Encoding {
    /// The first that the client offers and the server has.
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        let is_utf8 = |kind: &PositionEncodingKind| *kind == PositionEncodingKind::UTF8;
        match offered.unwrap_or_default().iter().any(is_utf8) {
            true => Encoding::Utf8,
            false => Encoding::Utf16,
        }
    }

    /// As it is named in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// How many units a text has.
    pub fn units(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

/// A text whose lines are known. `\n`, `\r\n` and `\r` end a line, as the protocol has it.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text and its name.
    pub source: Source,
    encoding: Encoding,
    /// Where each line starts; the first is 0.
    lines: Vec<usize>,
}

impl Text {
    /// Finds the lines of a text.
    pub fn new(source: Source, encoding: Encoding) -> Text {
        let bytes = source.text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Text { lines, source, encoding }
    }

    /// What columns count.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The complete text.
    pub fn str(&self) -> &str {
        &self.source.text
    }

    /// The byte of a position. One after the end of its line is that end, one after the last
    /// line is the end of the text, and one inside a character is the character's start.
    pub fn byte(&self, position: Position) -> usize {
        let Some(line) = self.line(position.line as usize) else { return self.str().len() };
        let mut units = position.character as usize;
        let text = self.source.slice(line);
        for (at, character) in text.char_indices() {
            let width = self.encoding.units(character.encode_utf8(&mut [0; 4]));
            if units < width {
                return line.start + at;
            }
            units -= width;
        }
        line.end
    }

    /// The position of a byte; inside a line's end it is where that begins.
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.str().floor_char_boundary(byte.min(self.str().len()));
        let number = self.lines.partition_point(|start| *start <= byte) - 1;
        let line = self.line(number).expect("a byte is in a line");
        let before = self.source.slice(Span::new(line.start, byte.min(line.end)));
        Position::new(number as u32, self.encoding.units(before) as u32)
    }

    /// The range of a span.
    pub fn range(&self, span: Span) -> Range {
        Range::new(self.position(span.start), self.position(span.end))
    }

    /// The span of a range; one whose ends are the wrong way round is empty.
    pub fn span(&self, range: Range) -> Span {
        let start = self.byte(range.start);
        Span::new(start, self.byte(range.end).max(start))
    }

    /// The text with another in the place of a range.
    pub fn edited(&self, range: Range, new: &str) -> Text {
        let Span { start, end } = self.span(range);
        let text = [&self.str()[..start], new, &self.str()[end..]].concat();
        Text::new(Source { name: self.source.name.clone(), text: text.into() }, self.encoding)
    }

    /// Where the line of a byte starts.
    pub fn line_start(&self, byte: usize) -> usize {
        self.lines[self.lines.partition_point(|start| *start <= byte) - 1]
    }

    /// A line without what ends it.
    pub fn line(&self, number: usize) -> Option<Span> {
        let start = *self.lines.get(number)?;
        let end = self.lines.get(number + 1).map_or(self.str().len(), |next| *next);
        let text = self.str()[start..end].trim_end_matches(['\n', '\r']);
        Some(Span::new(start, start + text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, encoding: Encoding) -> Text {
        Text::new(Source::new("a.cook", text), encoding)
    }

    #[test]
    fn columns_count_units_of_the_encoding() {
        let (wide, narrow) = ("é𝄞x\nñ", [(0, 0), (2, 1), (6, 3), (7, 4), (8, 0), (10, 1)]);
        let utf16 = text(wide, Encoding::Utf16);
        for (byte, column) in narrow {
            assert_eq!(utf16.position(byte).character, column, "byte {byte}");
            assert_eq!(utf16.byte(utf16.position(byte)), byte);
        }
        let utf8 = text(wide, Encoding::Utf8);
        assert_eq!(utf8.position(7), Position::new(0, 7));
        assert_eq!(utf8.position(10), Position::new(1, 2));
    }

    #[test]
    fn a_position_outside_its_line_or_inside_a_character_is_moved_to_the_nearest_before() {
        let text = text("a𝄞\r\nb\rc", Encoding::Utf16);
        assert_eq!(text.byte(Position::new(0, 2)), 1, "inside the pair");
        assert_eq!(text.byte(Position::new(0, 9)), 5, "before the line's end");
        assert_eq!(text.byte(Position::new(2, 0)), 9, "a lone return ends a line");
        assert_eq!(text.byte(Position::new(7, 0)), 10);
        assert_eq!(text.position(6), Position::new(0, 3), "between return and newline");
    }

    #[test]
    fn an_edit_replaces_a_range_and_nothing_else() {
        let range = Range::new(Position::new(0, 1), Position::new(1, 0));
        let edited = text("ñx\nñy\n", Encoding::Utf16).edited(range, "𝄞");
        assert_eq!(edited.str(), "ñ𝄞ñy\n");
        assert_eq!(edited.position(10), Position::new(1, 0));
        let backwards = Range::new(Position::new(0, 2), Position::new(0, 1));
        assert_eq!(edited.edited(backwards, "!").str(), "ñ!𝄞ñy\n");
    }
}

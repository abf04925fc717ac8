//! Names that are no names: a fix renames all of their places, in placeholders too, or none.

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::syntax::tokens::{Kind, Token};

/// So long texts are not searched for the other places of a name.
const BYTES_MAX: usize = 1 << 18;

/// Extends the fix of each error that renames one place of a name to all places.
pub fn complete(source: &Source, tokens: &[Token], errors: &mut [Diagnostic]) {
    for error in errors {
        let [edit] = &error.fix[..] else { continue };
        let word = source.slice(edit.span);
        let is_rename = edit.span == error.span() && edit.text != "true" && edit.text != "false";
        if !matches!(error.code, "E115" | "E116") || !is_rename || source.text.len() > BYTES_MAX {
            continue;
        }
        let new = edit.text.clone();
        let names = Names { source, tokens, word };
        let places = names.places(error.code == "E116");
        let is_taken = names.is_bound(&new) && names.is_bound(word);
        error.fix.clear();
        let (Some(places), false) = (places, is_taken) else { continue };
        // A keyword that is a keyword somewhere else too may be one here.
        let is_sure = places.len() == names.all().len();
        *error = places
            .into_iter()
            .fold(error.clone(), |error, at| error.fix(tokens[at].span, &*new))
            .sure_if(is_sure);
        if error.fix.len() > 1 {
            let places = error.fix.len();
            error.help = format!("write `{new}`, at all {places} places");
        }
    }
}

struct Names<'a> {
    source: &'a Source,
    tokens: &'a [Token],
    word: &'a str,
}

impl Names<'_> {
    /// The places of the word as a name; none where one cannot be distinguished from a keyword.
    fn places(&self, is_keyword: bool) -> Option<Vec<usize>> {
        let all = self.all();
        if !is_keyword {
            return Some(all);
        }
        // Of these no place can be told from the word's own meaning.
        let never = ["in", "if", "then", "else", "and", "or", "not", "within", "over", "where"];
        if never.contains(&self.word) {
            return None;
        }
        Some(all.into_iter().filter(|&at| self.is_name(at)).collect())
    }

    fn all(&self) -> Vec<usize> {
        let is_word =
            |at: &usize| self.tokens[*at].kind == Kind::Word && self.text(*at) == self.word;
        (0..self.tokens.len()).filter(is_word).collect()
    }

    /// Does a keyword stand here for a name? Its own meaning has a name or a text after it.
    fn is_name(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1);
        let operator =
            matches!(self.text(at + 1), "in" | "within" | "and" | "or" | "then" | "else");
        let of_a_part = at > 0 && self.text(at - 1) == ".";
        let begins = matches!(next, Some(next) if matches!(next.kind, Kind::Word | Kind::TextOpen));
        !of_a_part && (operator || !begins)
    }

    fn is_bound(&self, name: &str) -> bool {
        (0..self.tokens.len()).any(|at| {
            self.text(at) == name
                && (matches!(self.text(at + 1), "~" | "=")
                    || at > 0 && matches!(self.text(at - 1), "param" | "fn" | "words"))
        })
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| self.source.slice(token.span))
    }
}

//! Every error that a text can have before its meaning is checked: one small function each, and
//! the table of those that explain where a text stops to fit the grammar.

pub mod blocks;
pub mod brackets;
pub mod choices;
pub mod drawn;
pub mod foreign;
pub mod forms;
pub mod keys;
pub mod layouts;
pub mod letters;
pub mod meaning;
pub mod miss;
pub mod otherwise;
pub mod rename;
pub mod rules;
pub mod settings;
pub mod statements;
pub mod symbols;
pub mod templates;
pub mod words;

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::syntax::tokens::Slip;
use miss::Miss;

/// The diagnostic of the first error that fits.
pub fn explain(miss: &Miss) -> Diagnostic {
    let known = ERRORS.iter().find_map(|error| error(miss));
    let mut error = known.unwrap_or_else(|| miss.unexpected());
    for label in &mut error.labels {
        label.span = miss.visible(label.span);
    }
    error
}

/// The diagnostic of an error of letters.
///
/// # Panics
/// If the scanner did not find it in this text.
pub fn of_letters(source: &Source, slip: Slip) -> Diagnostic {
    const FOUND: &str = "the scanner found it here";
    match slip {
        Slip::Strange(span, letter) => letters::strange(span, letter),
        Slip::ForeignName(span) => letters::foreign_name(source, span),
        Slip::MalformedNumber(span) => letters::malformed_number(source, span),
        Slip::ForeignComment(at) => letters::foreign_comment(source, at),
        Slip::ForeignQuotes(span, closed) => letters::foreign_quotes(source, span, closed),
        Slip::UnclosedText(open) => letters::unclosed_text(source, open),
        Slip::UnclosedBlock(open) => letters::unclosed_block(source, open),
        Slip::UnclosedPlaceholder(open) => letters::unclosed_hole(source, open),
        Slip::UnknownEscape(span) => letters::unknown_escape(source, span),
        Slip::LoneBrace(at) => letters::lone_brace(at),
        Slip::TooDeep(brace) => letters::holes_too_deep(brace),
        Slip::Jinja(at) => templates::jinja(source, at).expect(FOUND),
        Slip::Yaml(word_end) => templates::yaml(source, word_end).expect(FOUND),
        Slip::Format(open, colon) => templates::format(source, open, colon).expect(FOUND),
        Slip::Triple(at) => templates::triple(source, at).expect(FOUND),
    }
}

/// In this order: the special before the general.
const ERRORS: &[fn(&Miss) -> Option<Diagnostic>] = &[
    statements::misplaced_doc,
    symbols::divided,
    forms::modified,
    keys::head,
    keys::capital,
    keys::section,
    layouts::layout,
    brackets::brace_in_text,
    foreign::imported,
    foreign::declared,
    foreign::changed,
    foreign::unpacked,
    forms::taken_apart,
    forms::idle,
    forms::called,
    forms::replaced,
    forms::bound_in_a_row,
    forms::drawn,
    forms::conditioned,
    rules::rule,
    choices::in_function,
    choices::in_text,
    blocks::function,
    blocks::block,
    blocks::command,
    blocks::nameless_rule,
    settings::param,
    settings::level,
    layouts::twin,
    symbols::number_form,
    foreign::expression,
    layouts::formatted,
    settings::key,
    symbols::semicolon,
    symbols::foreign,
    symbols::indexed,
    symbols::method,
    words::not_in,
    statements::lone_value,
    words::keyword_as_name,
    words::capital,
    symbols::double_equals,
    symbols::turned_sign,
    symbols::single_equals,
    symbols::colon_missing,
    words::then_missing,
    words::else_missing,
    words::in_missing,
    words::over_missing,
    words::return_missing,
    statements::side_by_side,
    statements::unknown,
    statements::default_missing,
    statements::result_missing,
    statements::text_missing,
    statements::kind_missing,
    symbols::equals_missing,
    symbols::dot_number,
    brackets::comma_too_many,
    brackets::comma_missing,
    brackets::unclosed,
    brackets::never_opened,
    statements::value_missing,
    words::name_missing,
];

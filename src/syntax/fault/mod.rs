//! Every fault that a text can have before anyone asks what it means: one small function each.

pub mod brackets;
pub mod letters;
pub mod meaning;
pub mod miss;
pub mod signs;
pub mod statements;
pub mod words;

/// Each code of this layer with its meaning in one line.
pub const CODES: &[(&str, &str)] = &[
    ("E101", "a character that no template holds"),
    ("E102", "a control character"),
    ("E103", "a text without its closing quote"),
    ("E104", "a text without its closing three quotes"),
    ("E105", "a hole that is not closed, or shows no value"),
    ("E106", "a closing brace in a text where no hole is open"),
    ("E107", "a backslash before a letter that makes no escape"),
    ("E108", "a line that starts left of its text's closing quotes"),
    ("E109", "text on the line of its three quotes"),
    ("E110", "quotes of another language"),
    ("E111", "a comment sign of another language"),
    ("E112", "digits that make no number"),
    ("E113", "an integer of more than 64 bits"),
    ("E114", "a hole in a text that is no layout"),
    ("E115", "a capital letter in a name"),
    ("E116", "a keyword where a name belongs"),
    ("E117", "an expression nested too deep or too long"),
    ("E118", "a documentation line with nothing to document"),
    ("E119", "a word that begins no statement"),
    ("E120", "a name that is neither drawn nor computed"),
    ("E121", "a name is missing"),
    ("E122", "a value is missing"),
    ("E123", "a type is missing"),
    ("E124", "a text is missing"),
    ("E125", "a colon is missing"),
    ("E126", "an equals sign is missing"),
    ("E127", "one equals sign for two, or two for one"),
    ("E128", "a comma is missing"),
    ("E129", "a comma too many"),
    ("E130", "a bracket that is not closed"),
    ("E131", "a bracket that closes nothing"),
    ("E132", "a sign of another language"),
    ("E133", "a semicolon"),
    ("E134", "an index in brackets"),
    ("E135", "a call with a dot"),
    ("E136", "two values side by side"),
    ("E137", "two comparisons or ranges in a row"),
    ("E138", "`then` is missing"),
    ("E139", "`else` is missing"),
    ("E140", "`in` is missing"),
    ("E141", "`over` is missing"),
    ("E142", "a fold that gives more or fewer values than it carries"),
    ("E143", "a parameter without a range"),
    ("E144", "a parameter without a default"),
    ("E145", "a function that does not say what it gives"),
    ("E146", "a block without `return`"),
    ("E147", "a word or sign that fits nothing before it"),
];

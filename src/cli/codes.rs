//! What each code of a fault or lint stands for, in one line.

use crate::syntax;

/// All codes, in order.
pub fn all() -> Vec<(&'static str, &'static str)> {
    let mut codes = [syntax::CODES, MEANING].concat();
    codes.sort_unstable();
    codes
}

/// The codes of what is found after the text is understood.
const MEANING: &[(&str, &str)] = &[
    ("E201", "a name that nothing binds"),
    ("E202", "a name that is bound twice"),
    ("E203", "a name that is used before it is bound"),
    ("E204", "a value that is called like a function"),
    ("E205", "a function that nothing defines"),
    ("E206", "a module that is not there"),
    ("E207", "a name that its module does not have"),
    ("E208", "a function without a body"),
    ("E209", "a draw in a function that computes"),
    ("E210", "a function whose name is taken"),
    ("E211", "a type that does not exist"),
    ("E212", "a template as a sampler, which is not built yet"),
    ("E213", "a file of words that cannot be read"),
    ("E214", "a module with faults"),
    ("E215", "words that are not one a line, each once"),
    ("E216", "a file without words"),
    ("E217", "a level that stands twice"),
    ("E218", "a parameter that a level sets twice"),
    ("E219", "a parameter that the template does not have"),
    ("E220", "a rule that stands twice"),
    ("E301", "a value of another type than is wanted"),
    ("E302", "too many or too few values in a call"),
    ("E303", "a random draw bound with `=`"),
    ("E304", "a computation bound with `~`"),
    ("E305", "a random draw inside an expression"),
    ("E307", "an operator between values that it does not take"),
    ("E308", "two branches of different types"),
    ("E309", "a loop over what is no list"),
    ("E310", "a value passed by name"),
    ("E311", "text to show where a value is wanted"),
    ("E313", "a list of which nobody knows what it holds"),
    ("E314", "a rule that is neither true or false nor a Real"),
    ("E315", "elements that a function cannot compare or add"),
    ("E401", "a template without a prompt"),
    ("E402", "a template without a reply"),
    ("E403", "a reply that shows an expression instead of a name"),
    ("E404", "two values of a reply that cannot be told apart"),
    ("E405", "a value that a reply shows twice"),
    ("E406", "elements of a reply that cannot be told apart"),
    ("E407", "a value that has no form as text"),
    ("E408", "a reply without a value"),
    ("E409", "a text that stands twice"),
    ("E410", "a computed text between elements"),
    ("E411", "a Real in a reply"),
    ("E501", "a parameter outside its range"),
    ("E502", "a level that sets a parameter outside its range"),
    ("E503", "a parameter's number that is not known before a sample is made"),
    ("E504", "an expression that has no value at a level"),
    ("E505", "more memory or turns than a sample may take"),
    ("E506", "a parameter with an empty range"),
    ("E507", "a setting that is no number"),
    ("E508", "a level that the template does not have"),
    ("E509", "a list whose largest size is not known"),
    ("E510", "a draw from nothing"),
    ("E511", "a count below 0, or above the size of the list"),
    ("E601", "a sample that cannot be made"),
    ("L601", "a rule that judges what the prompt does not tell"),
    ("L602", "a value that nothing uses"),
    ("L603", "a template without a rule"),
];

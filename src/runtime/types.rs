//! The types of values, and how they are written.

use std::fmt;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumString)]
pub enum Type {
    /// An integer of 64 bits.
    Int,
    /// A floating-point number of 64 bits.
    Real,
    /// True or false.
    Bool,
    /// A text literal of the template, or what a reply has in its place.
    Text,
    /// A word of a pool.
    Token,
    /// Elements of one type.
    #[strum(disabled)]
    List(Box<Type>),
    /// Any one type, the same everywhere in a signature: `T`.
    #[strum(disabled)]
    Any(char),
    /// What `join`, `lines` and `numbered` give: text to show, of no other use.
    Shown,
    /// The element of `[]`, or of what has an error already: fits every type.
    #[strum(disabled)]
    Unknown,
}

/// What the letters of a signature stand for at one call.
pub type Letters = Vec<(char, Type)>;

impl Type {
    /// `[self]`
    pub fn list(self) -> Type {
        Type::List(Box::new(self))
    }

    /// The type of the elements, if it is a list.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Type::List(element) => Some(element),
            _ => None,
        }
    }

    /// The type that both are, where `_` gives way to what is known.
    pub fn meet(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (Type::Unknown, known) | (known, Type::Unknown) => Some(known.clone()),
            (Type::List(a), Type::List(b)) => Some(a.meet(b)?.list()),
            (a, b) => (a == b).then(|| a.clone()),
        }
    }

    /// What two sides know of one type: this one, and the other where this is not known.
    pub(crate) fn or(self, other: Type) -> Type {
        match (self, other) {
            (Type::Unknown | Type::Any(_), other) | (other, Type::Unknown | Type::Any(_)) => other,
            (Type::List(left), Type::List(right)) => left.or(*right).list(),
            (left, _) => left,
        }
    }

    /// Notes what each letter of a signature's type stands for, given the type found there.
    pub fn learn(&self, found: &Type, letters: &mut Letters) {
        match (self, found) {
            (Type::Any(letter), found) => {
                match letters.iter_mut().find(|(known, _)| known == letter) {
                    Some((_, known)) => {
                        if let Some(both) = known.meet(found) {
                            *known = both;
                        }
                    }
                    None => letters.push((*letter, found.clone())),
                }
            }
            (Type::List(wanted), Type::List(found)) => wanted.learn(found, letters),
            _ => {}
        }
    }

    /// The type with its letters replaced; `_` where a letter is not known.
    pub fn filled(&self, letters: &Letters) -> Type {
        match self {
            Type::Any(letter) => letters
                .iter()
                .find(|(known, _)| known == letter)
                .map_or(Type::Unknown, |(_, ty)| ty.clone()),
            Type::List(element) => element.filled(letters).list(),
            other => other.clone(),
        }
    }

    /// What its letter, if it has one, stands for where this type is found.
    pub fn letter_in(&self, found: &Type) -> Option<(char, Type)> {
        match (self, found) {
            (Type::Any(letter), found) => Some((*letter, found.clone())),
            (Type::List(wanted), Type::List(found)) => wanted.letter_in(found),
            _ => None,
        }
    }

    /// True where a `_` is left in it.
    pub fn is_open(&self) -> bool {
        match self {
            Type::Unknown => true,
            Type::List(element) => element.is_open(),
            _ => false,
        }
    }

    /// How many lists deep: 0 for a scalar.
    pub fn depth(&self) -> usize {
        self.element().map_or(0, |element| 1 + element.depth())
    }

    /// True for `Int` and `Real`.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Real)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Type::Int => f.write_str("Int"),
            Type::Real => f.write_str("Real"),
            Type::Bool => f.write_str("Bool"),
            Type::Text => f.write_str("Text"),
            Type::Token => f.write_str("Token"),
            Type::List(element) => write!(f, "[{element}]"),
            Type::Any(letter) => write!(f, "{letter}"),
            Type::Shown => f.write_str("shown text"),
            Type::Unknown => f.write_str("_"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_takes_the_type_of_the_other_side() {
        assert_eq!(Type::Unknown.list().or(Type::Token.list()), Type::Token.list());
        assert_eq!(Type::Text.or(Type::Unknown), Type::Text);
    }
}

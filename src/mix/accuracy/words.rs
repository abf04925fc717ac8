//! Whether two free texts are the same answer: equal when normalised, or by the F1 of their words.

use std::collections::BTreeMap;

/// Lower case, without punctuation and articles, single spaces: as SQuAD's script compares answers.
pub fn normalised(text: &str) -> String {
    let lower = text.to_lowercase();
    let kept: String =
        lower.chars().map(|one| if one.is_alphanumeric() { one } else { ' ' }).collect();
    let words = kept.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the"));
    words.collect::<Vec<&str>>().join(" ")
}

/// The F1 of the words of two normalised texts: twice the words in common by all words.
pub fn f1(one: &str, other: &str) -> f64 {
    let count = |text: &str| text.split(' ').filter(|word| !word.is_empty()).count();
    let (first, second) = (count(one), count(other));
    if first + second == 0 {
        return 1.0;
    }
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    one.split(' ').for_each(|word| *words.entry(word).or_default() += 1);
    let mut common = 0;
    for word in other.split(' ').filter(|word| !word.is_empty()) {
        if let Some(left) = words.get_mut(word).filter(|left| **left > 0) {
            *left -= 1;
            common += 1;
        }
    }
    2.0 * common as f64 / (first + second) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_articles_do_not_matter() {
        assert_eq!(normalised("  The Eiffel-Tower, (Paris)!"), "eiffel tower paris");
        assert_eq!(normalised("an Ärger"), "ärger");
    }

    #[test]
    fn f1_counts_a_word_as_often_as_both_have_it() {
        assert_eq!(f1("red red car", "red car"), 0.8);
        assert_eq!(f1("red", "blue"), 0.0);
        assert_eq!(f1("", ""), 1.0);
        assert_eq!(f1("", "blue"), 0.0);
    }
}

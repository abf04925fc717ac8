//! Replies compared with right ones as SQuAD does: Rajpurkar and others, 2016, arXiv 1606.05250.

use std::collections::BTreeMap;

/// Words that do not count.
const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// A text in lower case, without ASCII punctuation and articles, its words separated by one space.
pub fn normalised(text: &str) -> String {
    let lower = text.to_lowercase();
    let bare: String = lower.chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let words = bare.split_whitespace().filter(|word| !ARTICLES.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether both are the same.
pub fn is_equal(reply: &str, right: &str) -> bool {
    normalised(reply) == normalised(right)
}

/// Whether the right reply is in the reply, as whole words.
pub fn contains(reply: &str, right: &str) -> bool {
    let (reply, right) = (normalised(reply), normalised(right));
    format!(" {reply} ").contains(&format!(" {right} "))
}

/// F1 of the words of both, each as often as it is there.
pub fn f1(reply: &str, right: &str) -> f64 {
    let (reply, right) = (normalised(reply), normalised(right));
    let (reply, right): (Vec<&str>, Vec<&str>) =
        (reply.split(' ').collect(), right.split(' ').collect());
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for word in &right {
        *left.entry(word).or_default() += 1;
    }
    let mut common = 0;
    for word in &reply {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    // 2 · precision · recall / (precision + recall)
    2.0 * common as f64 / (reply.len() + right.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_articles_do_not_count() {
        assert_eq!(normalised(" The  U.S. Navy,\tan É! "), "us navy é");
        assert!(is_equal("The Beatles.", "beatles"));
        assert!(contains("It was in Theban lands.", "the lands"));
        assert!(!contains("In Thebans' lands", "Theban"), "a part of a word is none");
    }

    #[test]
    fn a_word_counts_as_often_as_both_have_it() {
        // 2 of 4 and 2 of 3: 2 · 2 / (4 + 3).
        assert!((f1("red red blue green", "red blue white") - 4.0 / 7.0).abs() < 1e-15);
        assert_eq!(f1("the", "a"), 1.0, "both are empty");
        assert_eq!(f1("the", "word"), 0.0);
    }
}

//! The integers of a range, and the floating-point numbers, as they are written.

use super::{Node, choice, repeat, sequence};
use crate::ir::Digits;

/// The integers from `low` to `high`, in decimal.
pub fn integers(low: i64, high: i64) -> Node {
    let mut all = Vec::new();
    if low < 0 {
        let negative = naturals(high.min(-1).unsigned_abs(), low.unsigned_abs());
        all.push(sequence([Node::Text("-".to_string()), negative]));
    }
    if high >= 0 {
        all.push(naturals(low.max(0) as u64, high as u64));
    }
    choice(all)
}

/// The integers from `low` to `high` with these digits; others of as many digits too.
pub fn digits(digits: Digits, low: i64, high: i64) -> Node {
    let (point, whole) = (u64::from(digits.point), u64::from(digits.whole));
    let scale = 10_u64.pow(digits.point.into());
    let most = low.unsigned_abs().max(high.unsigned_abs()) / scale;
    let before = repeat(digit('0', '9'), whole, whole.max(digits_of(most).len() as u64));
    let sign = Node::Text("-".to_string());
    let sign = if low < 0 { repeat(sign, 0, 1) } else { Node::Text(String::new()) };
    let after = match point {
        0 => Node::Text(String::new()),
        _ => sequence([Node::Text(".".to_string()), repeat(digit('0', '9'), point, point)]),
    };
    sequence([sign, before, after])
}

/// Finite numbers as the layout writes them: the shortest digits that are read back, with an
/// exponent below 1e-5 and from 1e16 on. Of those from 1e308 on, only the ones below 1.7e308: the
/// texts of all others are near those of numbers that are not finite.
pub fn reals() -> Node {
    let text = |text: &str| Node::Text(text.to_string());
    let digits = |low, high| repeat(digit('0', '9'), low, high);
    let fraction = |high| sequence([text("."), digits(1, high)]);
    let optional = |node| repeat(node, 0, 1);
    let plain = sequence([digits(1, 16), fraction(21)]);
    let exponent = sequence([optional(text("-")), naturals(1, 307)]);
    let small = sequence([digit('1', '9'), optional(fraction(16)), text("e"), exponent]);
    let least = sequence([digit('1', '9'), optional(fraction(16)), text("e-"), naturals(308, 324)]);
    let below = sequence([text("."), digit('0', '6'), digits(0, 15)]);
    let large = sequence([text("1"), optional(below), text("e308")]);
    sequence([optional(text("-")), choice([plain, small, least, large])])
}

/// The same without a sign.
fn naturals(low: u64, high: u64) -> Node {
    let (from, to) = (digits_of(low), digits_of(high));
    let mut all = Vec::new();
    if low == 0 {
        all.push(digit('0', '0'));
        if high == 0 {
            return choice(all);
        }
    }
    let mut length = from.len();
    while length <= to.len() {
        let mut least = vec![0; length];
        least[0] = 1;
        let least = if length == from.len() && low > 0 { from.clone() } else { least };
        let most = if length == to.len() { to.clone() } else { vec![9; length] };
        // Of lengths all of whose numbers are there, the digits are counted.
        let mut longest = length;
        if least[0] == 1 && least[1..].iter().all(|&it| it == 0) && is_all(&most, 9) {
            while longest + 1 < to.len() || (longest + 1 == to.len() && is_all(&to, 9)) {
                longest += 1;
            }
            let more = repeat(digit('0', '9'), length as u64 - 1, longest as u64 - 1);
            all.push(sequence([digit('1', '9'), more]));
        } else {
            all.push(between(&least, &most));
        }
        length = longest + 1;
    }
    choice(all)
}

/// The digits from `low` to `high`, of one length.
fn between(low: &[u8], high: &[u8]) -> Node {
    let same = low.iter().zip(high).take_while(|(a, b)| a == b).count();
    let written = |digits: &[u8]| digits.iter().map(|&one| char::from(b'0' + one)).collect();
    let start = Node::Text(written(&low[..same]));
    let (Some((&first, low)), Some((&last, high))) =
        (low[same..].split_first(), high[same..].split_first())
    else {
        return start;
    };
    let rest = low.len();
    let one = |it: u8| char::from(b'0' + it);
    let (from, to) = (
        if is_all(low, 0) { first } else { first + 1 },
        if is_all(high, 9) { last } else { last - 1 },
    );
    let mut all = Vec::new();
    if from > first {
        all.push(sequence([digit(one(first), one(first)), between(low, &vec![9; rest])]));
    }
    if from <= to {
        all.push(sequence([
            digit(one(from), one(to)),
            repeat(digit('0', '9'), rest as u64, rest as u64),
        ]));
    }
    if to < last {
        all.push(sequence([digit(one(last), one(last)), between(&vec![0; rest], high)]));
    }
    sequence([start, choice(all)])
}

fn digit(low: char, high: char) -> Node {
    if low == high { Node::Text(low.to_string()) } else { Node::Letter(vec![(low, high)]) }
}

fn digits_of(number: u64) -> Vec<u8> {
    number.to_string().bytes().map(|byte| byte - b'0').collect()
}

fn is_all(digits: &[u8], one: u8) -> bool {
    digits.iter().all(|&it| it == one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::grammar::{Grammar, Rule};
    use crate::runtime::random::Stream;

    fn grammar(node: Node) -> Grammar {
        let rule = Rule { name: "root".to_string(), comment: None, node };
        Grammar { title: String::new(), rules: vec![rule] }
    }

    #[test]
    fn the_integers_of_a_range_are_accepted_and_no_others() {
        let ends =
            [-1000, -101, -100, -99, -12, -10, -9, -1, 0, 1, 2, 9, 10, 57, 99, 100, 123, 1005];
        for low in ends {
            for high in ends.into_iter().filter(|&high| high >= low) {
                let grammar = grammar(integers(low, high));
                for number in -1100..1100 {
                    let is_in = (low..=high).contains(&number);
                    assert_eq!(
                        grammar.accepts(&number.to_string()),
                        is_in,
                        "{low}..{high} {number}"
                    );
                }
                for text in ["", "-", "-0", "00", "01", "+1", "1 "] {
                    assert!(!grammar.accepts(text), "{low}..{high} {text}");
                }
            }
        }
    }

    #[test]
    fn the_ends_of_64_bits_are_exact() {
        let all = grammar(integers(i64::MIN, i64::MAX));
        for (text, is_in) in [
            ("9223372036854775807", true),
            ("9223372036854775808", false),
            ("-9223372036854775808", true),
            ("-9223372036854775809", false),
            ("10000000000000000000", false),
        ] {
            assert_eq!(all.accepts(text), is_in, "{text}");
        }
    }

    #[test]
    fn floating_point_numbers_are_accepted_as_they_are_written_and_those_accepted_are_finite() {
        let (all, mut stream) = (grammar(reals()), Stream::from_state([1, 2, 3, 4]));
        let mut numbers: Vec<f64> = (0..5000).map(|_| f64::from_bits(stream.word())).collect();
        numbers.extend((0..5000).map(|_| stream.word() as f64 / 1e9 * 1e-12));
        numbers.extend([0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e-5, 1e-4, 9.999e-5, 1e300, 5e-324]);
        for number in numbers.into_iter().filter(|it| it.abs() < 1.7e308) {
            assert!(all.accepts(&format!("{number:?}")), "{number:?}");
        }
        for _ in 0..5000 {
            let text = all.draw(&mut stream);
            assert!(text.parse().is_ok_and(f64::is_finite), "{text}");
        }
    }
}

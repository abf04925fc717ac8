//! Integers shown with a point, or with zeros before them.

/// How many digits an integer is shown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digits {
    /// The fewest before the point.
    pub whole: u8,
    /// Those behind it: of 2 the integer counts hundredths. Without any there is no point.
    pub point: u8,
}

impl Digits {
    /// The most digits behind a point, or in all.
    pub const MAX: i64 = 18;

    /// Appends an integer.
    pub fn write(self, number: i64, out: &mut String) {
        let (whole, point) = (usize::from(self.whole), usize::from(self.point));
        let digits = format!("{:0width$}", number.unsigned_abs(), width = whole + point);
        let (before, after) = digits.split_at(digits.len() - point);
        out.extend((number < 0).then_some('-'));
        out.push_str(before);
        if point > 0 {
            out.push('.');
            out.push_str(after);
        }
    }

    /// The integer that a text shows. Fewer digits behind the point are as good as zeros; of more,
    /// the number is rounded, half away from zero.
    pub fn read(self, text: &str) -> Option<i64> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let is_decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_point = digits.contains('.');
        let is_whole = !before.is_empty() && is_decimal(before) && is_decimal(after);
        if !is_whole || has_point && (after.is_empty() || self.point == 0) {
            return None;
        }
        let point = usize::from(self.point);
        let kept: String = after.chars().chain(std::iter::repeat('0')).take(point).collect();
        let number: i128 = format!("{before}{kept}").parse().ok()?;
        let rounds_up = after.as_bytes().get(point).is_some_and(|&next| next >= b'5');
        i64::try_from(sign * (number + i128::from(rounds_up))).ok()
    }

    /// The most characters of an integer between these.
    pub fn longest(self, low: i64, high: i64) -> usize {
        let length = |number: i64| {
            let mut out = String::new();
            self.write(number, &mut out);
            out.len()
        };
        length(low).max(length(high))
    }

    /// The fewest characters of an integer between these.
    pub fn shortest(self, low: i64, high: i64) -> usize {
        self.longest(0.clamp(low, high), 0.clamp(low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CENTS: Digits = Digits { whole: 1, point: 2 };
    const PAIR: Digits = Digits { whole: 2, point: 0 };

    fn shown(digits: Digits, number: i64) -> String {
        let mut out = String::new();
        digits.write(number, &mut out);
        out
    }

    #[test]
    fn every_integer_is_read_as_it_is_shown() {
        for digits in [CENTS, PAIR, Digits { whole: 1, point: 18 }, Digits { whole: 4, point: 1 }] {
            for number in (-1200..1200).chain([i64::MIN, i64::MIN + 1, i64::MAX]) {
                let text = shown(digits, number);
                assert_eq!(digits.read(&text), Some(number), "{text}");
                assert!(text.len() <= digits.longest(i64::MIN, i64::MAX), "{text}");
                assert!(text.len() >= digits.shortest(i64::MIN, i64::MAX), "{text}");
            }
        }
        for (digits, number, text) in
            [(CENTS, 5, "0.05"), (CENTS, -5, "-0.05"), (CENTS, 123456, "1234.56"), (PAIR, 7, "07")]
        {
            assert_eq!(shown(digits, number), text);
        }
    }

    #[test]
    fn other_digits_are_filled_up_or_rounded() {
        for (text, cents) in [
            ("3", 300),
            ("3.5", 350),
            ("3.145", 315),
            ("3.1449", 314),
            ("-0.005", -1),
            ("007.1", 710),
        ] {
            assert_eq!(CENTS.read(text), Some(cents), "{text}");
        }
        assert_eq!(PAIR.read("123"), Some(123));
        for text in ["", "-", ".", "3.", ".5", "1e2", "1,000", "--1", "+1", "3.5.1", " 3"] {
            assert_eq!(CENTS.read(text), None, "{text}");
        }
        assert_eq!((PAIR.read("7.0"), CENTS.read("99999999999999999999")), (None, None));
    }
}

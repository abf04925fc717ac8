//! `strftime_now`: the recorded date in Python's layouts, in English as most machines have it.

use super::error::{Outcome, error};

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u32,
    month: u32,
    day: u32,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Date {
    /// Reads a date such as `2026-11-28`; None where it is none.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| -> Option<u32> {
            let text = parts.next()?;
            let well = text.len() == digits && text.bytes().all(|c| c.is_ascii_digit());
            text.parse().ok().filter(|_| well)
        };
        let date = Date { year: part(4)?, month: part(2)?, day: part(2)? };
        let well = parts.next().is_none()
            && date.year >= 1000
            && (1..=12).contains(&date.month)
            && (1..=date.month_length()).contains(&date.day);
        well.then_some(date)
    }

    /// The day that lies so many days after the first of January 1970.
    pub fn of_days(days: u64) -> Date {
        let mut date = Date { year: 1970, month: 1, day: 1 };
        let mut days = days;
        while days >= u64::from(date.year_length()) {
            days -= u64::from(date.year_length());
            date.year += 1;
        }
        while days >= u64::from(date.month_length()) {
            days -= u64::from(date.month_length());
            date.month += 1;
        }
        Date { day: days as u32 + 1, ..date }
    }

    fn leaps(self) -> bool {
        self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400))
    }

    fn year_length(self) -> u32 {
        365 + u32::from(self.leaps())
    }

    fn month_length(self) -> u32 {
        match self.month {
            2 => 28 + u32::from(self.leaps()),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// Days of the year, from 1.
    fn day_of_year(self) -> u32 {
        let before = (1..self.month).map(|month| Date { month, ..self }.month_length());
        before.sum::<u32>() + self.day
    }

    /// Days since Sunday.
    fn weekday(self) -> u32 {
        let years = self.year - 1;
        (years + years / 4 - years / 100 + years / 400 + self.day_of_year()) % 7
    }

    /// The date in a layout of `strftime`.
    ///
    /// # Errors
    /// If the layout has a directive that is not implemented.
    pub fn format(self, layout: &str) -> Outcome<String> {
        let mut out = String::new();
        let mut letters = layout.chars();
        while let Some(c) = letters.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut kind = letters.next();
            // `%-d` is a day without a zero before it.
            let bare = kind == Some('-');
            if bare {
                kind = letters.next();
            }
            let (month, day) = (MONTHS[self.month as usize - 1], DAYS[self.weekday() as usize]);
            let number = |value: u32, width: usize| match bare {
                true => value.to_string(),
                false => format!("{value:0width$}"),
            };
            out += &match kind {
                Some('Y') => self.year.to_string(),
                Some('y') => number(self.year % 100, 2),
                Some('C') => number(self.year / 100, 2),
                Some('m') => number(self.month, 2),
                Some('d') => number(self.day, 2),
                Some('e') if bare => self.day.to_string(),
                Some('e') => format!("{:2}", self.day),
                Some('j') => number(self.day_of_year(), 3),
                Some('B') => month.to_string(),
                Some('b' | 'h') => month[..3].to_string(),
                Some('A') => day.to_string(),
                Some('a') => day[..3].to_string(),
                Some('w') => self.weekday().to_string(),
                Some('u') => (if self.weekday() == 0 { 7 } else { self.weekday() }).to_string(),
                Some('F') => format!("{}-{:02}-{:02}", self.year, self.month, self.day),
                Some('D' | 'x') => {
                    format!("{:02}/{:02}/{:02}", self.month, self.day, self.year % 100)
                }
                Some('%') => "%".to_string(),
                Some('n') => "\n".to_string(),
                Some('t') => "\t".to_string(),
                Some(kind) if "HIMSpfTRXcsr".contains(kind) => {
                    return error(format!(
                        "`strftime_now` is asked for the time of day (`%{kind}`), which no run \
                         has twice"
                    ));
                }
                other => {
                    let other = other.unwrap_or(' ');
                    return error(format!(
                        "the layout `%{other}` of `strftime_now` is not supported"
                    ));
                }
            };
        }
        Ok(out)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

//! The date that a chat template sees.

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
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

impl Default for Date {
    fn default() -> Self {
        Self { year: 2024, month: 7, day: 26 }
    }
}

impl Date {
    /// A day from 1970 on; nothing for one that does not exist.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let valid = (1970..=9999).contains(&year) && (1..=days).contains(&day);
        valid.then_some(Self { year, month, day })
    }

    /// The day of a time in seconds since 1970, in UTC.
    pub fn from_unix(seconds: u64) -> Option<Self> {
        let (mut days, mut year) = (seconds / 86_400, 1970u16);
        loop {
            let length = if Self::new(year, 2, 29).is_some() { 366 } else { 365 };
            if days < length {
                break;
            }
            days -= length;
            year = year.checked_add(1).filter(|y| *y <= 9999)?;
        }
        let mut month = 1;
        loop {
            let length = (28..=31).rev().find(|d| Self::new(year, month, *d).is_some())?;
            if days < u64::from(length) {
                return Self::new(year, month, days as u8 + 1);
            }
            days -= u64::from(length);
            month += 1;
        }
    }

    /// Day of the week, 0 is Sunday (Sakamoto's rule).
    fn weekday(self) -> usize {
        const OFFSETS: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = u32::from(self.year) - u32::from(self.month < 3);
        let offset = OFFSETS.get(usize::from(self.month - 1)).copied().unwrap_or(0);
        ((year + year / 4 - year / 100 + year / 400 + offset + u32::from(self.day)) % 7) as usize
    }

    /// Python's `strftime` at midnight, for the directives that a date has.
    pub(super) fn format(self, format: &str) -> Result<String, minijinja::Error> {
        let month = MONTHS.get(usize::from(self.month) - 1).copied().unwrap_or_default();
        let weekday = DAYS.get(self.weekday()).copied().unwrap_or_default();
        let mut out = String::new();
        let mut rest = format.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut directive = rest.next();
            let bare = directive == Some('-');
            if bare {
                directive = rest.next();
            }
            let two = |v: u32| if bare { v.to_string() } else { format!("{v:02}") };
            match directive {
                Some('Y') => out.push_str(&self.year.to_string()),
                Some('y') => out.push_str(&two(u32::from(self.year % 100))),
                Some('m') => out.push_str(&two(u32::from(self.month))),
                Some('d') => out.push_str(&two(u32::from(self.day))),
                Some('e') => out.push_str(&format!("{:2}", self.day)),
                Some('B') => out.push_str(month),
                Some('b' | 'h') => out.push_str(month.get(..3).unwrap_or(month)),
                Some('A') => out.push_str(weekday),
                Some('a') => out.push_str(weekday.get(..3).unwrap_or(weekday)),
                Some('w') => out.push_str(&self.weekday().to_string()),
                Some('H' | 'M' | 'S') => out.push_str(&two(0)),
                Some('I') => out.push_str("12"),
                Some('p') => out.push_str("AM"),
                Some('F') => {
                    out.push_str(&format!("{}-{:02}-{:02}", self.year, self.month, self.day));
                }
                Some('%') => out.push('%'),
                other => {
                    let shown = other.map_or(String::new(), String::from);
                    return Err(super::fault(format!("strftime_now knows no %{shown}")));
                }
            }
        }
        Ok(out)
    }
}

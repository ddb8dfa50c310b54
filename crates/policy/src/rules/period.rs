//! Stretches of calendar time: `P6M`, `P1Y`, `P30D`.

use consentry_model::Moment;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A stretch of calendar time. Months clamp to the end of the month (law 11): a month after 31 January is the last of
/// February.
///
/// ```
/// use consentry_policy::Period;
///
/// let half_a_year = Period::parse("P6M").unwrap();
/// assert_eq!(half_a_year.to_string(), "P6M");
/// assert_eq!(Period::parse("six months"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    months: i32,
    days: i32,
}

impl Period {
    /// Reads an ISO 8601 duration of years, months, weeks and days. Anything else, and nothing at all, is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('P')?;
        let (mut months, mut days) = (0_i32, 0_i32);
        let mut units = "YMWD";
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let number: i32 = rest.get(..end)?.parse().ok()?;
            let unit = rest.get(end..)?.chars().next()?;
            // Each unit once, the larger first.
            units = units.get(units.find(unit)? + 1..)?;
            match unit {
                'Y' => months = months.checked_add(number.checked_mul(12)?)?,
                'M' => months = months.checked_add(number)?,
                'W' => days = days.checked_add(number.checked_mul(7)?)?,
                _ => days = days.checked_add(number)?,
            }
            rest = rest.get(end + 1..)?;
        }
        let fits = (months, days) != (0, 0) && months <= 12_000 && days <= 366_000;
        fits.then_some(Self { months, days })
    }

    /// The moment so long after another, in a time zone's calendar; `None` beyond the calendar.
    #[must_use]
    pub fn after(self, start: Moment, zone: &TimeZone) -> Option<Moment> {
        self.shift(start, zone, 1)
    }

    /// The moment so long before another.
    #[must_use]
    pub fn before(self, end: Moment, zone: &TimeZone) -> Option<Moment> {
        self.shift(end, zone, -1)
    }

    fn shift(self, from: Moment, zone: &TimeZone, sign: i32) -> Option<Moment> {
        let span = Span::new().try_months(self.months * sign).ok()?.try_days(self.days * sign).ok()?;
        let at = Timestamp::from_millisecond(from.unix_millis()).ok()?.to_zoned(zone.clone());
        let there = at.checked_add(span).ok()?;
        Some(Moment::from_unix_millis(there.timestamp().as_millisecond()))
    }
}

/// The first moment of a day, written as `2026-02-05`, in a time zone.
#[must_use]
pub fn day_in(text: &str, zone: &TimeZone) -> Option<Moment> {
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let start = date.to_zoned(zone.clone()).ok()?;
    Some(Moment::from_unix_millis(start.timestamp().as_millisecond()))
}

/// The age in full years of somebody born on a day. Whoever was born on 29 February has the birthday on 1 March in
/// other years. `None` before birth and beyond the calendar.
#[must_use]
pub fn age(born: Moment, now: Moment, zone: &TimeZone) -> Option<i64> {
    let day = |at: Moment| {
        let at = Timestamp::from_millisecond(at.unix_millis()).ok()?;
        Some(at.to_zoned(zone.clone()).date())
    };
    let (born, today) = (day(born)?, day(now)?);
    let years = i64::from(today.year()) - i64::from(born.year());
    let birthday_to_come = (today.month(), today.day()) < (born.month(), born.day());
    let age = years - i64::from(birthday_to_come);
    (born <= today).then_some(age)
}

/// The first moment of the calendar month, or of the day, that a moment lies in.
#[must_use]
pub(crate) fn start_of(now: Moment, month: bool, zone: &TimeZone) -> Option<Moment> {
    let at = Timestamp::from_millisecond(now.unix_millis()).ok()?.to_zoned(zone.clone());
    let date = if month { at.date().first_of_month() } else { at.date() };
    let start = date.to_zoned(zone.clone()).ok()?;
    Some(Moment::from_unix_millis(start.timestamp().as_millisecond()))
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("P")?;
        let (years, months) = (self.months / 12, self.months % 12);
        for (number, unit) in [(years, 'Y'), (months, 'M'), (self.days, 'D')] {
            if number != 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Moment {
        let date: jiff::civil::Date = text.parse().unwrap();
        Moment::from_unix_millis(date.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond())
    }

    #[test]
    fn law_11_months_clamp_to_the_end_of_the_month() {
        for (start, period, end) in [
            ("2025-08-31", "P6M", "2026-02-28"),
            ("2024-02-29", "P6Y", "2030-02-28"),
            ("2026-01-31", "P1M", "2026-02-28"),
            ("2026-01-31", "P1M1D", "2026-03-01"),
            ("2026-01-01", "P2W", "2026-01-15"),
            ("2026-01-01", "P30D", "2026-01-31"),
        ] {
            let period = Period::parse(period).unwrap();
            assert_eq!(period.after(day(start), &TimeZone::UTC), Some(day(end)), "{start} {period}");
        }
        assert_eq!(
            Period::parse("P1M").unwrap().before(day("2026-03-31"), &TimeZone::UTC),
            Some(day("2026-02-28"))
        );
    }

    #[test]
    fn a_birthday_on_29_february_falls_on_1_march() {
        for (born, today, years) in [
            ("2004-02-29", "2022-02-28", Some(17)),
            ("2004-02-29", "2022-03-01", Some(18)),
            ("2004-02-29", "2024-02-29", Some(20)),
            ("1999-03-02", "2017-03-01", Some(17)),
            ("1999-03-02", "2017-03-02", Some(18)),
            ("2017-03-02", "2017-03-02", Some(0)),
            ("2017-03-03", "2017-03-02", None),
        ] {
            assert_eq!(age(day(born), day(today), &TimeZone::UTC), years, "{born} {today}");
        }
    }

    #[test]
    fn what_is_no_period_is_none() {
        for wrong in
            ["", "P", "P0D", "6M", "P6", "PT6H", "P-6M", "P6M6Y", "P1M1M", "P99999999999Y", "P 6M", "p6m"]
        {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Period::parse("P1Y6M").unwrap().to_string(), "P1Y6M");
    }
}

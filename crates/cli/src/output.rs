//! Answers, remarks, colours and tables. Colour codes are written always; what is no terminal never sees them.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use consentry_model::Moment;

use crate::stop::Stop;

/// Everything is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Something is partly so.
pub(crate) const FAIR: Style = AnsiColor::Yellow.on_default().bold();
/// Something is not so.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// A name.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// A heading.
pub(crate) const BOLD: Style = Style::new().bold();
/// Of less weight.
pub(crate) const DIM: Style = Style::new().dimmed();
/// As it is.
pub(crate) const PLAIN: Style = Style::new();

/// The widest that anything is set, in characters, and the least that a terminal is taken to have.
const WIDTH: (usize, usize) = (60, 120);
/// What is taken for the width where there is no terminal.
const WIDTH_DEFAULT: usize = 100;
/// Between two columns.
const GAP: usize = 2;
/// The last column of a table is never narrower than this.
const LAST_COLUMN_MIN: usize = 20;

/// Writes an answer, ending the line.
pub(crate) fn say(text: &str) -> Result<(), Stop> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Writes JSON as an answer.
pub(crate) fn say_json(value: &serde_json::Value) -> Result<(), Stop> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Writes bytes as an answer, exactly as they are.
pub(crate) fn say_bytes(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Writes a remark. Where nobody hears it, nothing is lost.
pub(crate) fn note(text: &str) {
    drop(writeln!(anstream::stderr().lock(), "{}", text.trim_end_matches('\n')));
}

/// Says how far something is, in the place of what was said so before; `done` takes it away.
pub(crate) fn progress(text: &str, done: bool) {
    let line = if done { String::new() } else { text.to_owned() };
    let mut out = anstream::stderr().lock();
    drop(write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush()));
}

/// How many characters fit on a line.
pub(crate) fn width() -> usize {
    let (min, max) = WIDTH;
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    terminal.unwrap_or(WIDTH_DEFAULT).clamp(min, max)
}

/// `text` in a style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A count with its noun.
pub(crate) fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// A moment as RFC 3339 in UTC, without the part that is all zeros.
pub(crate) fn when(at: Moment) -> String {
    match jiff::Timestamp::from_millisecond(at.unix_millis()) {
        Ok(time) => {
            let text = format!("{time:.3}");
            text.strip_suffix("T00:00:00.000Z").map_or_else(|| text.replace(".000Z", "Z"), str::to_owned)
        }
        Err(_) => "ever".to_owned(),
    }
}

/// Reads a day (its first moment in UTC) or an RFC 3339 time.
pub(crate) fn read_moment(text: &str) -> Result<Moment, String> {
    let day = text
        .parse::<jiff::civil::Date>()
        .ok()
        .filter(|_| text.len() == 10)
        .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|start| start.timestamp());
    let time = day.or_else(|| text.parse::<jiff::Timestamp>().ok());
    time.map(|t| Moment::from_unix_millis(t.as_millisecond()))
        .ok_or_else(|| "a time is a day as 2026-11-22 or RFC 3339 as 2026-11-22T10:00:00Z".to_owned())
}

/// This moment.
pub(crate) fn now() -> Moment {
    Moment::from_system(std::time::SystemTime::now())
}

/// Rows in columns as wide as what stands in them; the last takes what is left of the line, and wraps.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// A table with a heading.
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.iter().map(|h| (BOLD, (*h).to_owned())).collect()] }
    }

    /// A table without one.
    pub(crate) fn bare() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(Style, String); N]) {
        self.rows.push(cells.into());
    }

    /// The table as lines of at most `width` characters, as far as the columns before the last leave room.
    pub(crate) fn render(&self, indent: usize, width: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|(_, text)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns.saturating_sub(1)).map(widest).collect();
        let used: usize = indent + widths.iter().map(|w| w + GAP).sum::<usize>();
        let room = width.saturating_sub(used).max(LAST_COLUMN_MIN);
        let mut out = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for ((style, text), width) in row.iter().zip(&widths) {
                let pad = " ".repeat(width - text.chars().count() + GAP);
                line.push_str(&paint(*style, text));
                line.push_str(&pad);
            }
            if let Some((style, text)) = row.get(widths.len()) {
                let wrapped = wrap(text, room);
                let join = format!("\n{}", " ".repeat(used));
                let painted: Vec<String> = wrapped.iter().map(|l| paint(*style, l)).collect();
                line.push_str(&painted.join(&join));
            }
            // A row may end in empty cells.
            _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// Breaks a text at its spaces into lines of at most `room` characters; a longer word stands alone.
pub(crate) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines
            .last()
            .is_some_and(|l| !l.is_empty() && l.chars().count() + 1 + word.chars().count() > room);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_the_last_column_wraps() {
        let mut table = Table::new(["id", "says"]);
        table.row([(PLAIN, "a".to_owned()), (PLAIN, "one two three four five six seven".to_owned())]);
        table.row([(PLAIN, "longer".to_owned()), (PLAIN, String::new())]);
        let plain = anstream::adapter::strip_str(&table.render(2, 30)).to_string();
        assert_eq!(
            plain.lines().collect::<Vec<_>>(),
            ["  id      says", "  a       one two three four", "          five six seven", "  longer"]
        );
    }

    #[test]
    fn times_read_and_print() {
        for (text, back) in [
            ("2026-11-22", Some("2026-11-22")),
            ("2026-11-22T10:00:00Z", Some("2026-11-22T10:00:00Z")),
            ("2026-11-22T10:00:00.5+01:00", Some("2026-11-22T09:00:00.500Z")),
            ("2026-13-01", None),
            ("yesterday", None),
            ("2026-11-22T10:00:00", None),
        ] {
            assert_eq!(read_moment(text).ok().map(when).as_deref(), back, "{text}");
        }
    }
}

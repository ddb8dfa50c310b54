//! Lines and columns of places in one text, counted once and not from its start for each place.

/// How far apart those places are up to which characters have been counted, in bytes.
const STRIDE: usize = 1_024;

/// Where the lines of one text begin, and how many characters stand before every so many bytes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    starts: Vec<usize>,
    chars: Vec<usize>,
}

impl Lines {
    /// The lines of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut before = 0;
        let mut chars = Vec::with_capacity(text.len() / STRIDE + 1);
        for part in text.as_bytes().chunks(STRIDE) {
            chars.push(before);
            before += beginnings(part);
        }
        Self { starts: std::iter::once(0).chain(ends).collect(), chars }
    }

    /// The line and the column of a place in the same text, given in bytes; both count from 1, columns in characters.
    #[must_use]
    pub fn line_column(&self, text: &str, at: usize) -> (usize, usize) {
        let at = text.floor_char_boundary(at);
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.start_of(line);
        (line, self.chars_before(text, at).saturating_sub(self.chars_before(text, start)) + 1)
    }

    /// Where a line begins, in bytes; beyond the last, where that one does.
    pub(crate) fn start_of(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).or(self.starts.last()).copied().unwrap_or(0)
    }

    /// Where a line ends, in bytes, without its line feed.
    pub(crate) fn end_of(&self, line: usize, text: &str) -> usize {
        self.starts.get(line).map_or(text.len(), |next| next - 1)
    }

    fn chars_before(&self, text: &str, at: usize) -> usize {
        let counted = at / STRIDE;
        let rest = text.as_bytes().get(counted * STRIDE..at).map_or(0, beginnings);
        self.chars.get(counted).or(self.chars.last()).map_or(0, |before| before + rest)
    }
}

/// How many characters begin in some bytes of a text.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one would count by hand.
    fn counted(text: &str, at: usize) -> (usize, usize) {
        let before = &text[..text.floor_char_boundary(at)];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    #[test]
    fn every_place_of_a_text_is_where_one_counts_it_to_be() {
        let wide = "äß€𝄞x".repeat(700);
        let texts = [
            "",
            "\n",
            "a",
            "a\n",
            "\n\nb",
            "ä\nöü\n\nß",
            &wide,
            &format!("{wide}\n\n{wide}\n"),
            &"\n".repeat(3_000),
        ];
        for text in texts {
            let lines = Lines::of(text);
            for at in 0..text.len() + 3 {
                assert_eq!(lines.line_column(text, at), counted(text, at), "{at} of {} bytes", text.len());
            }
        }
    }

    #[test]
    fn a_line_is_found_with_its_ends() {
        let text = "ab\n\ncde";
        let lines = Lines::of(text);
        let found: Vec<&str> = (1..=4).map(|n| &text[lines.start_of(n)..lines.end_of(n, text)]).collect();
        assert_eq!(found, ["ab", "", "cde", "cde"]);
    }
}

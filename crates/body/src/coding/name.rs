//! The names of content codings.

use super::fault::CodingFault;

/// A content coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950 around RFC 1951. A bare RFC 1951 stream under this name has another reading and is refused.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with the bounds of RFC 9659.
    Zstd,
}

impl Coding {
    /// Every coding.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd];

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Reads the lines of `Content-Encoding`, in the order in which the codings were applied. `identity` is none, and
    /// `x-gzip` is `gzip` (RFC 9110, section 8.4.1.3).
    ///
    /// # Errors
    /// [`CodingFault::Unknown`] when anything else stands there, an empty place between commas included.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Self>, CodingFault> {
        let mut out = Vec::new();
        for line in lines {
            for name in line.split(|b| *b == b',') {
                out.extend(Self::named(trimmed(name))?);
            }
        }
        Ok(out)
    }

    /// Nothing for `identity`.
    fn named(name: &[u8]) -> Result<Option<Self>, CodingFault> {
        let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
        if is("identity") {
            return Ok(None);
        }
        let known = Self::ALL.into_iter().find(|coding| is(coding.name()));
        known.or(is("x-gzip").then_some(Self::Gzip)).map(Some).ok_or(CodingFault::Unknown)
    }
}

/// Without the blanks and tabs around it (RFC 9110, section 5.6.3); other white space stays and is no name.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = text.iter().position(|b| !is_blank(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !is_blank(b)).map_or(start, |at| at + 1);
    text.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_coding_is_a_known_name_or_none() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (lines, expected) in [
            (&["gzip"][..], Ok(vec![Gzip])),
            (&["GZip"], Ok(vec![Gzip])),
            (&["x-gzip"], Ok(vec![Gzip])),
            (&["gzip, br"], Ok(vec![Gzip, Brotli])),
            (&["deflate", "zstd"], Ok(vec![Deflate, Zstd])),
            (&["identity"], Ok(vec![])),
            (&["gzip,\tidentity"], Ok(vec![Gzip])),
            (&[], Ok(vec![])),
            (&[""], Err(CodingFault::Unknown)),
            (&["gzip,"], Err(CodingFault::Unknown)),
            (&["gzip,,br"], Err(CodingFault::Unknown)),
            (&["gzip;q=1"], Err(CodingFault::Unknown)),
            (&["gzip br"], Err(CodingFault::Unknown)),
            (&["compress"], Err(CodingFault::Unknown)),
            (&["x-compress"], Err(CodingFault::Unknown)),
            (&["dcb"], Err(CodingFault::Unknown)),
            (&["aes128gcm"], Err(CodingFault::Unknown)),
            (&["*"], Err(CodingFault::Unknown)),
            (&["gzip\x0b"], Err(CodingFault::Unknown)),
            (&["gzip\0"], Err(CodingFault::Unknown)),
            (&["utf-8"], Err(CodingFault::Unknown)),
        ] {
            assert_eq!(Coding::read(lines.iter().map(|l| l.as_bytes())), expected, "{lines:?}");
        }
    }
}

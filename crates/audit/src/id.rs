//! Record ids, and the times that records carry.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use consentry_model::{Moment, push_hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The id of a record or of a ticket: a UUID of version 7 (RFC 9562), so that ids sort by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// An id of this moment with 74 of the given random bits.
    pub(crate) fn at(now: Moment, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.unix_millis()).unwrap_or(0) & 0xffff_ffff_ffff;
        let [_, _, t0, t1, t2, t3, t4, t5] = millis.to_be_bytes();
        let [a, b, c, d, e, f, g, h, i, j] = random;
        Self([t0, t1, t2, t3, t4, t5, 0x70 | a & 0x0f, b, 0x80 | c & 0x3f, d, e, f, g, h, i, j])
    }

    /// Reads the hyphenated lower-case form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hyphens: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
        if text.len() != 36 || hyphens != [8, 13, 18, 23] {
            return None;
        }
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        unhex(&digits).map(Self)
    }

    /// In the groups of a UUID (RFC 9562, section 4).
    pub(crate) fn text(self) -> String {
        let mut out = String::with_capacity(36);
        for (at, byte) in self.0.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            push_hex(&mut out, byte);
        }
        out
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RecordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a record id"))
    }
}

/// Random bytes that cannot fail: a secret seed, drawn once, hashed with a counter.
pub(crate) struct RandomSource {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl RandomSource {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self { seed, drawn: AtomicU64::new(0) })
    }

    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        self.two::<N, 0>().0
    }

    /// The same twice, in one draw.
    pub(crate) fn two<const A: usize, const B: usize>(&self) -> ([u8; A], [u8; B]) {
        const { assert!(A + B <= 32, "a digest has no more bytes") };
        let turn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::new().chain_update(self.seed).chain_update(turn.to_le_bytes()).finalize();
        let mut drawn = digest.into_iter();
        let mut next = |_| drawn.next().unwrap_or(0);
        (std::array::from_fn(&mut next), std::array::from_fn(next))
    }
}

impl fmt::Debug for RandomSource {
    /// The seed foretells ids; it is not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomSource")
    }
}

/// RFC 3339 in UTC with three decimals. A moment that no calendar date names becomes the nearest that one does.
pub(crate) fn timestamp(at: Moment) -> String {
    let nearest = if at.unix_millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let time = jiff::Timestamp::from_millisecond(at.unix_millis()).unwrap_or(nearest);
    format!("{time:.3}")
}

/// Reads RFC 3339.
pub(crate) fn parse_timestamp(text: &str) -> Option<Moment> {
    text.parse::<jiff::Timestamp>().ok().map(|t| Moment::from_unix_millis(t.as_millisecond()))
}

/// How a moment stands in a record: RFC 3339 in UTC, or not at all.
pub(crate) mod maybe_timestamp {
    use consentry_model::Moment;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes it.
    pub(crate) fn serialize<S: Serializer>(at: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_str(&super::timestamp(*at)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it back.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Moment>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let read =
            |text: String| super::parse_timestamp(&text).ok_or_else(|| D::Error::custom("no RFC 3339 time"));
        text.map(read).transpose()
    }
}

/// Reads exactly `2 * N` lower-case hex digits.
pub(crate) fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_sort_by_time_and_read_back() {
        let random = RandomSource::new().unwrap();
        let early = RecordId::at(Moment::from_unix_millis(1_700_000_000_000), random.bytes());
        let late = RecordId::at(Moment::from_unix_millis(1_700_000_000_001), random.bytes());
        assert!(early < late);
        let text = early.to_string();
        assert_eq!((text.len(), &text[14..15]), (36, "7"));
        assert!("89ab".contains(&text[19..20]));
        assert_eq!(RecordId::parse(&text), Some(early));
        for wrong in [text.to_uppercase(), text.replace('-', ""), format!("{text}0"), String::new()] {
            assert_eq!(RecordId::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn random_bytes_do_not_repeat() {
        let random = RandomSource::new().unwrap();
        let drawn: std::collections::BTreeSet<[u8; 10]> = (0..1000).map(|_| random.bytes()).collect();
        assert_eq!(drawn.len(), 1000);
        assert_eq!(format!("{random:?}"), "RandomSource");
    }

    #[test]
    fn times_have_three_decimals_and_read_back() {
        for (millis, text) in
            [(0, "1970-01-01T00:00:00.000Z"), (1_795_305_600_120, "2026-11-22T00:00:00.120Z")]
        {
            let at = Moment::from_unix_millis(millis);
            assert_eq!(timestamp(at), text);
            assert_eq!(parse_timestamp(text), Some(at));
        }
        assert!(timestamp(Moment::BEGINNING).starts_with('-'));
    }
}

//! Frames: how records and markers lie in a segment.
//!
//! `u32 length | u32 CRC-32C | u64 number | payload`, little-endian. The checksum covers length, number and
//! payload. The top bit of the length says marker: the end of a group of records that became durable together,
//! with the size and the root of the tree after it.

use std::ops::Range;

use crate::merkle::Hash;

/// The largest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 65_535;

const HEADER_BYTES: usize = 16;
const MARKER_BYTES: usize = 40;
const MARKER_BIT: u32 = 1 << 31;
/// A number further than this from the one expected is not taken for a frame's when searching damaged bytes.
const NUMBER_SPREAD_MAX: u64 = 1 << 32;

/// Appends the frame of a record that `write` appends. The record's bytes.
pub(crate) fn put_record(out: &mut Vec<u8>, seq: u64, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
    put(out, 0, seq, write)
}

/// Appends the frame of a marker.
pub(crate) fn put_marker(out: &mut Vec<u8>, size: u64, root: &Hash) {
    put(out, MARKER_BIT, size, |out| {
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(root);
    });
}

fn put(out: &mut Vec<u8>, kind: u32, number: u64, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let begins = out.len();
    write(out);
    let (head, rest) = out.split_at_mut(begins);
    // The writer checks the length before; a longer record would not read back and is refused there.
    let length = kind | u32::try_from(rest.len()).unwrap_or(u32::MAX);
    let checksum = checksum(length, number, rest);
    let fields = length.to_le_bytes().into_iter().chain(checksum.to_le_bytes()).chain(number.to_le_bytes());
    head.iter_mut().skip(start).zip(fields).for_each(|(to, from)| *to = from);
    rest
}

fn checksum(length: u32, number: u64, payload: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&length.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &number.to_le_bytes());
    crc32c::crc32c_append(sum, payload)
}

/// One frame found in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A record: its number, and where its bytes lie.
    Record { seq: u64, bytes: Range<usize> },
    /// The end of a group; `end` is the offset after it.
    Marker { size: u64, root: Hash, end: usize },
}

impl Frame {
    /// The offset of the frame's first byte.
    pub(crate) fn start(&self) -> usize {
        match self {
            Self::Record { bytes, .. } => bytes.start.saturating_sub(HEADER_BYTES),
            Self::Marker { end, .. } => end.saturating_sub(HEADER_BYTES + MARKER_BYTES),
        }
    }
}

/// How the frames of a segment end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a marker.
    Clean,
    /// With a group that was never completed, and nothing valid after the damage.
    Torn,
    /// With damage before something valid: not what a crash leaves.
    Broken { offset: usize, what: &'static str },
}

/// What a segment holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The frames of its complete groups.
    pub(crate) frames: Vec<Frame>,
    /// The offset after the last marker.
    pub(crate) good_bytes: usize,
    /// The number that the next record would have.
    pub(crate) next_seq: u64,
    /// How it ends.
    pub(crate) ending: Ending,
}

/// Reads a segment whose first record has the number `first_seq`.
pub(crate) fn parse_segment(segment: &[u8], first_seq: u64) -> Parsed {
    let mut parsed = Parsed { frames: Vec::new(), good_bytes: 0, next_seq: first_seq, ending: Ending::Clean };
    let (mut offset, mut seq, mut complete) = (0, first_seq, 0);
    while offset < segment.len() {
        let Some((frame, end)) = frame_at(segment, offset) else {
            parsed.ending = if something_valid_after(segment, offset, seq) {
                Ending::Broken { offset, what: "a damaged frame before valid ones" }
            } else {
                Ending::Torn
            };
            break;
        };
        match &frame {
            Frame::Record { seq: number, .. } if *number == seq => seq += 1,
            Frame::Record { .. } => {
                parsed.ending = Ending::Broken { offset, what: "a record out of sequence" };
                break;
            }
            Frame::Marker { size, .. } if *size == seq => {
                parsed.good_bytes = end;
                parsed.next_seq = seq;
                complete = parsed.frames.len() + 1;
            }
            Frame::Marker { .. } => {
                parsed.ending = Ending::Broken { offset, what: "a marker of another size" };
                break;
            }
        }
        parsed.frames.push(frame);
        offset = end;
    }
    parsed.frames.truncate(complete);
    if parsed.ending == Ending::Clean && parsed.good_bytes != segment.len() {
        parsed.ending = Ending::Torn;
    }
    parsed
}

/// The valid frame at an offset and the offset after it.
fn frame_at(segment: &[u8], offset: usize) -> Option<(Frame, usize)> {
    let (length, sum, number) = header_at(segment, offset)?;
    let bytes = payload_bytes(length)?;
    let start = offset.checked_add(HEADER_BYTES)?;
    let end = start.checked_add(bytes)?;
    let payload = segment.get(start..end)?;
    if checksum(length, number, payload) != sum {
        return None;
    }
    if length & MARKER_BIT == 0 {
        return Some((Frame::Record { seq: number, bytes: start..end }, end));
    }
    let (size, root) = payload.split_first_chunk::<8>()?;
    let size = u64::from_le_bytes(*size);
    (size == number).then_some(())?;
    Some((Frame::Marker { size, root: root.try_into().ok()?, end }, end))
}

fn header_at(segment: &[u8], offset: usize) -> Option<(u32, u32, u64)> {
    let (length, rest) = segment.get(offset..)?.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (number, _) = rest.split_first_chunk::<8>()?;
    Some((u32::from_le_bytes(*length), u32::from_le_bytes(*sum), u64::from_le_bytes(*number)))
}

fn payload_bytes(length: u32) -> Option<usize> {
    let bytes = usize::try_from(length & !MARKER_BIT).ok()?;
    let plausible = if length & MARKER_BIT == 0 {
        (1..=RECORD_BYTES_MAX).contains(&bytes)
    } else {
        bytes == MARKER_BYTES
    };
    plausible.then_some(bytes)
}

/// Whether any offset after a damaged one begins a valid frame.
fn something_valid_after(segment: &[u8], damaged: usize, seq: u64) -> bool {
    (damaged + 1..segment.len().saturating_sub(HEADER_BYTES)).any(|offset| {
        header_at(segment, offset).is_some_and(|(length, _, number)| {
            number.abs_diff(seq) < NUMBER_SPREAD_MAX
                && payload_bytes(length).is_some()
                && frame_at(segment, offset).is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two groups: records 7 and 8, then 9.
    fn segment() -> (Vec<u8>, usize) {
        let mut out = Vec::new();
        put_record(&mut out, 7, |out| out.extend_from_slice(b"seven"));
        put_record(&mut out, 8, |out| out.extend_from_slice(b"eight"));
        put_marker(&mut out, 9, &[1; 32]);
        let first = out.len();
        put_record(&mut out, 9, |out| out.extend_from_slice(b"nine"));
        put_marker(&mut out, 10, &[2; 32]);
        (out, first)
    }

    #[test]
    fn frames_read_back() {
        let (bytes, _) = segment();
        let parsed = parse_segment(&bytes, 7);
        assert_eq!((parsed.ending, parsed.good_bytes, parsed.next_seq), (Ending::Clean, bytes.len(), 10));
        let records: Vec<&[u8]> = parsed
            .frames
            .iter()
            .filter_map(|f| match f {
                Frame::Record { bytes: at, .. } => Some(&bytes[at.clone()]),
                Frame::Marker { .. } => None,
            })
            .collect();
        assert_eq!(records, [b"seven".as_slice(), b"eight", b"nine"]);
    }

    #[test]
    fn a_tail_torn_anywhere_keeps_exactly_the_complete_groups() {
        let (bytes, first) = segment();
        for cut in 0..bytes.len() {
            let parsed = parse_segment(&bytes[..cut], 7);
            let (good, next) = if cut < first { (0, 7) } else { (first, 9) };
            let ending = if cut == good { Ending::Clean } else { Ending::Torn };
            assert_eq!(
                (parsed.good_bytes, parsed.next_seq, parsed.ending),
                (good, next, ending),
                "cut at {cut}"
            );
        }
        let mut zeros = bytes[..first].to_vec();
        zeros.extend([0; 4096]);
        assert_eq!(parse_segment(&zeros, 7).ending, Ending::Torn);
    }

    #[test]
    fn damage_before_valid_frames_is_no_torn_tail() {
        let (bytes, _) = segment();
        let last_frame = bytes.len() - HEADER_BYTES - MARKER_BYTES;
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let ending = parse_segment(&damaged, 7).ending;
                if at < last_frame {
                    assert!(matches!(ending, Ending::Broken { .. }), "byte {at} bit {bit}: {ending:?}");
                } else {
                    assert_eq!(ending, Ending::Torn, "byte {at} bit {bit}");
                }
            }
        }
    }

    #[test]
    fn records_out_of_sequence_are_no_torn_tail() {
        let (bytes, _) = segment();
        assert!(matches!(parse_segment(&bytes, 6).ending, Ending::Broken { offset: 0, .. }));
    }
}

//! A bare deflate stream (RFC 1951) and the sums over what came out of it.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::fault::CodingFault;
use super::stage::Turn;

/// The largest prime below 65,536 (RFC 1950, section 8.2), and how many bytes may be summed before a remainder is due.
const ADLER_MODULUS: u32 = 65_521;
const ADLER_BYTES: usize = 5_552;

/// A bare deflate stream.
struct Deflated {
    inner: Decompress,
    ended: bool,
}

impl Deflated {
    fn new() -> Self {
        Self { inner: Decompress::new(false), ended: false }
    }

    /// The same as a new one, without new memory.
    fn begin_again(&mut self) {
        self.inner.reset(false);
        self.ended = false;
    }

    /// Whether its last block is over; nothing may be given to it then.
    const fn has_ended(&self) -> bool {
        self.ended
    }

    fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        let (read, wrote) = (self.inner.total_in(), self.inner.total_out());
        let status = self.inner.decompress(input, output, FlushDecompress::None);
        self.ended = match status.map_err(|_| CodingFault::Malformed)? {
            Status::StreamEnd => true,
            Status::Ok | Status::BufError => false,
        };
        let since = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX);
        Ok(Turn { read: since(self.inner.total_in(), read), wrote: since(self.inner.total_out(), wrote) })
    }
}

/// A sum over what came out, and how it stands behind the data.
pub(super) trait Sum: Default {
    /// The sum in the stream's own order of bytes.
    type Trailer: AsRef<[u8]>;

    fn add(&mut self, bytes: &[u8]);
    fn trailer(&self) -> Self::Trailer;
}

/// Deflated data with its sum behind it.
pub(super) struct Summed<S> {
    deflated: Deflated,
    sum: S,
    /// What came of the sum.
    held: Vec<u8>,
    checked: bool,
}

impl<S: Sum> Summed<S> {
    pub(super) fn new() -> Self {
        Self { deflated: Deflated::new(), sum: S::default(), held: Vec::new(), checked: false }
    }

    /// The same as a new one, without new memory.
    pub(super) fn begin_again(&mut self) {
        self.deflated.begin_again();
        self.sum = S::default();
        self.held.clear();
        self.checked = false;
    }

    /// Whether the sum is there, and right.
    pub(super) const fn has_ended(&self) -> bool {
        self.checked
    }

    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        if !self.deflated.has_ended() {
            let turn = self.deflated.turn(input, output)?;
            self.sum.add(output.get(..turn.wrote).unwrap_or_default());
            return Ok(turn);
        }
        let trailer = self.sum.trailer();
        let expected = trailer.as_ref();
        let room = expected.len().saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(input.get(..room).unwrap_or_default());
        if self.held.len() == expected.len() {
            if self.held != expected {
                return Err(CodingFault::Checksum);
            }
            self.checked = true;
        }
        Ok(Turn { read: room, wrote: 0 })
    }
}

/// The checksum and the length at the end of a gzip member (RFC 1952, section 2.3.1).
#[derive(Default)]
pub(super) struct GzipSum {
    crc: Crc,
}

impl Sum for GzipSum {
    type Trailer = [u8; 8];

    fn add(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
    }

    fn trailer(&self) -> [u8; 8] {
        let [a, b, c, d] = self.crc.sum().to_le_bytes();
        let [e, f, g, h] = self.crc.amount().to_le_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

impl GzipSum {
    /// The lower half of the sum, which may stand at the end of a header.
    pub(super) fn of_header(header: &[u8]) -> [u8; 2] {
        let mut crc = Crc::new();
        crc.update(header);
        let [a, b, ..] = crc.sum().to_le_bytes();
        [a, b]
    }
}

/// Adler-32, the checksum of RFC 1950.
pub(super) struct Adler {
    a: u32,
    b: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Self { a: 1, b: 0 }
    }
}

impl Sum for Adler {
    type Trailer = [u8; 4];

    fn add(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(ADLER_BYTES) {
            for byte in part {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= ADLER_MODULUS;
            self.b %= ADLER_MODULUS;
        }
    }

    fn trailer(&self) -> [u8; 4] {
        (self.b << 16 | self.a).to_be_bytes()
    }
}

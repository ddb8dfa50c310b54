//! A bare deflate stream (RFC 1951) and the sums over what came out of it.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::fault::CodingFault;
use super::stage::Turn;

/// The largest prime below 65,536 (RFC 1950, section 8.2), and how many bytes may be summed before a remainder is due.
const ADLER_MODULUS: u32 = 65_521;
const ADLER_BYTES: usize = 5_552;

/// A bare deflate stream.
pub(super) struct Deflated {
    inner: Decompress,
    ended: bool,
}

impl Deflated {
    pub(super) fn new() -> Self {
        Self { inner: Decompress::new(false), ended: false }
    }

    /// Whether its last block is over; nothing may be given to it then.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
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

/// The checksum and the length at the end of a gzip member (RFC 1952, section 2.3.1).
pub(super) struct GzipSum {
    crc: Crc,
}

impl GzipSum {
    pub(super) fn new() -> Self {
        Self { crc: Crc::new() }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
    }

    pub(super) fn trailer(&self) -> [u8; 8] {
        let [a, b, c, d] = self.crc.sum().to_le_bytes();
        let [e, f, g, h] = self.crc.amount().to_le_bytes();
        [a, b, c, d, e, f, g, h]
    }

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

impl Adler {
    pub(super) fn new() -> Self {
        Self { a: 1, b: 0 }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(ADLER_BYTES) {
            for byte in part {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= ADLER_MODULUS;
            self.b %= ADLER_MODULUS;
        }
    }

    pub(super) fn trailer(&self) -> [u8; 4] {
        (self.b << 16 | self.a).to_be_bytes()
    }
}

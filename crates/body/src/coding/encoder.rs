//! gzip, written.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Codes one body in gzip (RFC 1952), without a name or a time in its header.
#[derive(Debug)]
pub struct Encoder {
    inner: GzEncoder<Vec<u8>>,
}

impl Encoder {
    /// An encoder for one body. It aims at speed: what leaves was read, decided and written within this request.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: GzEncoder::new(Vec::new(), Compression::fast()) }
    }

    /// Takes the next bytes of the content.
    pub fn push(&mut self, bytes: &[u8]) {
        // Writing to memory cannot fail.
        let _written = self.inner.write_all(bytes);
    }

    /// What can be sent so far, so that whoever reads it can read all that was pushed.
    pub fn flush(&mut self) -> Bytes {
        let _flushed = self.inner.flush();
        std::mem::take(self.inner.get_mut()).into()
    }

    /// The rest, with checksum and length.
    #[must_use]
    pub fn finish(self) -> Bytes {
        // Without its end a body is cut short, and whoever reads it sees that.
        self.inner.finish().unwrap_or_default().into()
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

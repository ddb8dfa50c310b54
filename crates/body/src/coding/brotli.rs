//! Brotli (RFC 7932). Its extension to large windows is not read.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::fault::CodingFault;
use super::stage::Turn;

/// A decoder of Brotli. The format has no magic number and no checksum.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    total: usize,
    ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), total: 0, ended: false }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }

    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        if self.ended {
            return if input.is_empty() { Ok(Turn::default()) } else { Err(CodingFault::TrailingBytes) };
        }
        let (mut left, mut room) = (input.len(), output.len());
        let (mut read, mut wrote) = (0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut wrote,
            output,
            &mut self.total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(CodingFault::Malformed),
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Turn { read, wrote })
    }
}

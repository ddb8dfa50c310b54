//! zstd (RFC 8878), as RFC 9659 lets it be used for content: no dictionary, and a bounded window.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::fault::CodingFault;
use super::stage::{Parts, Turn};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Magic number, descriptor: after these it is known how long a frame's header is.
const OPENING_BYTES: usize = 5;
const BLOCK_HEADER_BYTES: usize = 3;
const CHECKSUM_BYTES: usize = 4;
/// RFC 8878, section 3.1.1.2.4.
const BLOCK_BYTES_MAX: u64 = 128 * 1024;
/// Beyond so many frames and blocks each is so long on average, header and all.
const FRAMES_FREE: u64 = 64;
const FRAME_BYTES_MIN: u64 = 128;
const BLOCKS_FREE: u64 = 4096;
const BLOCK_BYTES_MIN: u64 = 16;

/// A decoder of zstd. A frame's header and each block are collected whole, checked, and only then handed to the library.
pub(super) struct Zstd {
    inner: FrameDecoder,
    window_bytes_max: u64,
    held: Vec<u8>,
    at: At,
    frames: Parts,
    blocks: Parts,
    /// Whether a frame is over.
    any: bool,
}

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    window_bytes: u64,
    content_bytes: Option<u64>,
    has_checksum: bool,
}

enum At {
    Header,
    Block {
        frame: Frame,
        wrote: u64,
    },
    /// The last block was read.
    Rest {
        frame: Frame,
        wrote: u64,
    },
}

impl Zstd {
    pub(super) fn new(window_bytes_max: u64) -> Self {
        let mut inner = FrameDecoder::new();
        inner.set_max_window_size(window_bytes_max);
        let (frames, blocks) = (Parts::default(), Parts::default());
        Self { inner, window_bytes_max, held: Vec::new(), at: At::Header, frames, blocks, any: false }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.any && matches!(self.at, At::Header) && self.held.is_empty()
    }

    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        let wrote = self.collect(output)?;
        if wrote > 0 {
            return Ok(Turn { read: 0, wrote });
        }
        match self.at {
            At::Header => self.header(input),
            At::Block { frame, wrote } => self.block(input, frame, wrote),
            At::Rest { frame, wrote } => {
                self.close(frame, wrote)?;
                self.any = true;
                self.at = At::Header;
                // Nothing was read or written, and yet it went on.
                self.header(input)
            }
        }
    }

    /// What has been decoded and is not needed any more to decode what follows.
    fn collect(&mut self, output: &mut [u8]) -> Result<usize, CodingFault> {
        let (At::Block { wrote, .. } | At::Rest { wrote, .. }) = &mut self.at else { return Ok(0) };
        let got = self.inner.read(output).map_err(|_| CodingFault::Malformed)?;
        *wrote = wrote.saturating_add(got as u64);
        Ok(got)
    }

    fn header(&mut self, input: &[u8]) -> Result<Turn, CodingFault> {
        let mut read = self.fill(input, OPENING_BYTES);
        let fault = if self.any { CodingFault::TrailingBytes } else { CodingFault::Mislabelled };
        if !self.held.iter().zip(MAGIC).all(|(got, want)| *got == want) {
            return Err(fault);
        }
        let Some(descriptor) = self.held.get(MAGIC.len()).copied() else {
            return Ok(Turn { read, wrote: 0 });
        };
        let whole = header_bytes(descriptor)?;
        read += self.fill(input.get(read..).unwrap_or_default(), whole);
        if self.held.len() == whole {
            let frame = frame(descriptor, self.held.get(OPENING_BYTES..).unwrap_or_default());
            if frame.window_bytes > self.window_bytes_max {
                return Err(CodingFault::Window);
            }
            self.frames.begin(FRAMES_FREE, FRAME_BYTES_MIN)?;
            let (inner, held) = (&mut self.inner, &self.held[..]);
            shielded(|| inner.reset(held).is_ok())?;
            self.held.clear();
            self.at = At::Block { frame, wrote: 0 };
        }
        Ok(Turn { read, wrote: 0 })
    }

    fn block(&mut self, input: &[u8], frame: Frame, wrote: u64) -> Result<Turn, CodingFault> {
        let mut read = self.fill(input, BLOCK_HEADER_BYTES);
        let [a, b, c] = self.held.get(..BLOCK_HEADER_BYTES).unwrap_or_default() else {
            return Ok(Turn { read, wrote: 0 });
        };
        let header = u32::from_le_bytes([*a, *b, *c, 0]);
        let (is_last, size) = (header & 1 == 1, header >> 3);
        let content = match header >> 1 & 3 {
            0 | 2 => size,
            1 => 1,
            _ => return Err(CodingFault::Malformed),
        };
        if u64::from(size) > BLOCK_BYTES_MAX.min(frame.window_bytes) {
            return Err(CodingFault::Malformed);
        }
        let sum = if is_last && frame.has_checksum { CHECKSUM_BYTES } else { 0 };
        let whole = BLOCK_HEADER_BYTES + usize::try_from(content).unwrap_or(usize::MAX) + sum;
        read += self.fill(input.get(read..).unwrap_or_default(), whole);
        if self.held.len() == whole {
            self.blocks.begin(BLOCKS_FREE, BLOCK_BYTES_MIN)?;
            let (inner, held) = (&mut self.inner, &self.held[..]);
            shielded(|| inner.decode_blocks(held, BlockDecodingStrategy::UptoBlocks(1)).is_ok())?;
            self.held.clear();
            self.at = if is_last { At::Rest { frame, wrote } } else { At::Block { frame, wrote } };
        }
        Ok(Turn { read, wrote: 0 })
    }

    /// A frame whose every byte was handed out: its length and its checksum hold, or it was broken.
    fn close(&self, frame: Frame, wrote: u64) -> Result<(), CodingFault> {
        let length = frame.content_bytes.is_none_or(|said| said == wrote);
        let sum = !frame.has_checksum
            || self
                .inner
                .get_checksum_from_data()
                .is_some_and(|s| self.inner.get_calculated_checksum() == Some(s));
        if length && sum { Ok(()) } else { Err(CodingFault::Checksum) }
    }

    /// Takes what is still wanting of so many bytes.
    fn fill(&mut self, input: &[u8], wanted: usize) -> usize {
        let taken = wanted.saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(input.get(..taken).unwrap_or_default());
        self.frames.read(taken);
        self.blocks.read(taken);
        taken
    }
}

/// How long a frame's header is, its magic number included. What nobody may send is refused.
fn header_bytes(descriptor: u8) -> Result<usize, CodingFault> {
    // Reserved, and to be zero.
    if descriptor & 0x08 != 0 {
        return Err(CodingFault::Malformed);
    }
    if descriptor & 0x03 != 0 {
        return Err(CodingFault::Dictionary);
    }
    let window = usize::from(!is_single(descriptor));
    Ok(OPENING_BYTES + window + content_size_bytes(descriptor))
}

fn is_single(descriptor: u8) -> bool {
    descriptor & 0x20 != 0
}

fn content_size_bytes(descriptor: u8) -> usize {
    match descriptor >> 6 {
        0 => usize::from(is_single(descriptor)),
        1 => 2,
        2 => 4,
        _ => 8,
    }
}

/// Reads what follows the descriptor (RFC 8878, section 3.1.1.1).
fn frame(descriptor: u8, rest: &[u8]) -> Frame {
    let (window, size) =
        if is_single(descriptor) { (None, rest) } else { (rest.first(), rest.get(1..).unwrap_or_default()) };
    let number = size.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let content_bytes = match size.len() {
        0 => None,
        2 => Some(number.saturating_add(256)),
        _ => Some(number),
    };
    let window_bytes = match window {
        Some(byte) => {
            let base = 1_u64 << (10 + (byte >> 3));
            base + base / 8 * u64::from(byte & 7)
        }
        // A single segment is its own window.
        None => content_bytes.unwrap_or(u64::MAX),
    };
    Frame { window_bytes, content_bytes, has_checksum: descriptor & 0x04 != 0 }
}

/// Calls the library. It checks its own books with assertions; a body that makes one fail is malformed.
fn shielded(call: impl FnOnce() -> bool) -> Result<(), CodingFault> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(CodingFault::Malformed),
    }
}

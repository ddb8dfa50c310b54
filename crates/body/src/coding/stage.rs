//! One coding of a stack, undone in turns.

use super::brotli::Brotli;
use super::fault::CodingFault;
use super::gzip::Gzip;
use super::limits::CodingLimits;
use super::name::Coding;
use super::zlib::Zlib;
use super::zstd::Zstd;

/// How far one turn got. Without any progress, more input is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// How many bytes of the input were taken.
    pub(super) read: usize,
    /// How many bytes of the output were filled.
    pub(super) wrote: usize,
}

/// How many parts of a coding there are and how long they are in all, where each costs work of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    count: u64,
    bytes: u64,
}

impl Parts {
    /// Counts bytes of a part.
    pub(super) fn read(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Counts a part that begins. Beyond the first so many they are so long on average, or there is more work in them than
    /// their length calls for.
    pub(super) fn begin(&mut self, free: u64, bytes_min: u64) -> Result<(), CodingFault> {
        self.count = self.count.saturating_add(1);
        let tiny = self.bytes < self.count.saturating_mul(bytes_min);
        if self.count > free && tiny { Err(CodingFault::Ratio) } else { Ok(()) }
    }
}

/// A decoder of one coding.
pub(super) enum Stage {
    Gzip(Gzip),
    Zlib(Zlib),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Stage {
    pub(super) fn new(coding: Coding, limits: &CodingLimits) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Gzip::new()),
            Coding::Deflate => Self::Zlib(Zlib::new()),
            Coding::Brotli => Self::Brotli(Box::new(Brotli::new())),
            Coding::Zstd => Self::Zstd(Box::new(Zstd::new(limits.window_bytes_max))),
        }
    }

    /// Takes some of the input and fills some of the output.
    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        match self {
            Self::Gzip(stage) => stage.turn(input, output),
            Self::Zlib(stage) => stage.turn(input, output),
            Self::Brotli(stage) => stage.turn(input, output),
            Self::Zstd(stage) => stage.turn(input, output),
        }
    }

    /// Whether the coding is at its end, when no more input comes.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Gzip(stage) => stage.is_whole(),
            Self::Zlib(stage) => stage.is_whole(),
            Self::Brotli(stage) => stage.is_whole(),
            Self::Zstd(stage) => stage.is_whole(),
        }
    }
}

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

//! `deflate` as RFC 9110 defines it: the zlib format of RFC 1950. Some servers sent a bare RFC 1951 stream under that name;
//! a decoder that takes both has two readings, so that is refused.

use super::checked::{Adler, Summed};
use super::fault::CodingFault;
use super::stage::Turn;

/// A decoder of the zlib format.
pub(super) struct Zlib {
    at: At,
}

enum At {
    Header(Vec<u8>),
    Data(Box<Summed<Adler>>),
    End,
}

impl Zlib {
    pub(super) fn new() -> Self {
        Self { at: At::Header(Vec::new()) }
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.at, At::End)
    }

    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        match &mut self.at {
            At::Header(held) => {
                let Some(byte) = input.first() else { return Ok(Turn::default()) };
                held.push(*byte);
                if let [method, flags] = held[..] {
                    header(method, flags)?;
                    self.at = At::Data(Box::new(Summed::new()));
                }
                Ok(Turn { read: 1, wrote: 0 })
            }
            At::Data(data) => {
                let turn = data.turn(input, output)?;
                if data.has_ended() {
                    self.at = At::End;
                }
                Ok(turn)
            }
            At::End if input.is_empty() => Ok(Turn::default()),
            At::End => Err(CodingFault::TrailingBytes),
        }
    }
}

/// RFC 1950, section 2.2: deflate, a window that exists, a header that is divisible by 31, and no dictionary.
fn header(method: u8, flags: u8) -> Result<(), CodingFault> {
    let known = method & 0x0f == 8 && method >> 4 <= 7;
    if !known || !(u16::from(method) << 8 | u16::from(flags)).is_multiple_of(31) {
        return Err(CodingFault::Mislabelled);
    }
    if flags & 0x20 != 0 { Err(CodingFault::Dictionary) } else { Ok(()) }
}

//! gzip (RFC 1952): one or more members, each with its header, its checksum and its length.

use super::checked::{GzipSum, Summed};
use super::fault::CodingFault;
use super::stage::{Parts, Turn};

/// A header longer than this hides something: names and comments of servers have a few bytes.
const HEADER_BYTES_MAX: usize = 4096;

/// Beyond this many members each is so long on average, header and all.
const MEMBERS_FREE: u64 = 64;
const MEMBER_BYTES_MIN: u64 = 128;

const HEADER_SUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// A decoder of gzip.
pub(super) struct Gzip {
    at: At,
    /// What decoded the last member, for the next.
    spare: Option<Box<Summed<GzipSum>>>,
    members: Parts,
    /// Whether a member is over.
    any: bool,
}

enum At {
    Header(Vec<u8>),
    Data(Box<Summed<GzipSum>>),
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { at: At::Header(Vec::new()), spare: None, members: Parts::default(), any: false }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.any && matches!(&self.at, At::Header(held) if held.is_empty())
    }

    pub(super) fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        let turn = self.go_on(input, output)?;
        self.members.read(turn.read);
        Ok(turn)
    }

    fn go_on(&mut self, input: &[u8], output: &mut [u8]) -> Result<Turn, CodingFault> {
        match &mut self.at {
            At::Header(held) => {
                let before = held.len();
                let room = HEADER_BYTES_MAX.saturating_sub(before).min(input.len());
                held.extend_from_slice(input.get(..room).unwrap_or_default());
                // After a member anything that is not another one is something else.
                let fault = if self.any { CodingFault::TrailingBytes } else { CodingFault::Mislabelled };
                match header(held).map_err(|()| fault)? {
                    Some(end) => {
                        self.members.begin(MEMBERS_FREE, MEMBER_BYTES_MIN)?;
                        self.at = At::Data(self.spare.take().unwrap_or_else(|| Box::new(Summed::new())));
                        Ok(Turn { read: end.saturating_sub(before), wrote: 0 })
                    }
                    None if held.len() >= HEADER_BYTES_MAX => Err(fault),
                    None => Ok(Turn { read: room, wrote: 0 }),
                }
            }
            At::Data(data) => {
                let turn = data.turn(input, output)?;
                if data.has_ended() {
                    self.any = true;
                    if let At::Data(mut data) = std::mem::replace(&mut self.at, At::Header(Vec::new())) {
                        data.begin_again();
                        self.spare = Some(data);
                    }
                }
                Ok(turn)
            }
        }
    }
}

/// Where the header ends, if it does yet; an error when these bytes begin none.
fn header(bytes: &[u8]) -> Result<Option<usize>, ()> {
    let fixed = [0x1f, 0x8b, 8];
    if !bytes.iter().zip(fixed).all(|(got, want)| *got == want) {
        return Err(());
    }
    let Some(flags) = bytes.get(3).copied() else { return Ok(None) };
    if flags & RESERVED != 0 {
        return Err(());
    }
    // Time, extra flags and system are nobody's concern.
    let mut at = 10;
    if flags & EXTRA != 0 {
        let (Some(low), Some(high)) = (bytes.get(at), bytes.get(at + 1)) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let Some(rest) = bytes.get(at..) else { return Ok(None) };
            let Some(length) = rest.iter().position(|b| *b == 0) else { return Ok(None) };
            at += length + 1;
        }
    }
    if flags & HEADER_SUM != 0 {
        let (Some(covered), Some(sum)) = (bytes.get(..at), bytes.get(at..at + 2)) else { return Ok(None) };
        if sum != GzipSum::of_header(covered) {
            return Err(());
        }
        at += 2;
    }
    Ok((bytes.len() >= at).then_some(at))
}

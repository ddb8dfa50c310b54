//! A stack of codings, undone in pieces.

use bytes::Bytes;

use super::fault::CodingFault;
use super::limits::CodingLimits;
use super::name::Coding;
use super::stage::Stage;

/// How much is handed out at once, and how much stands between two codings.
const PIECE_BYTES: usize = 64 * 1024;

/// What a decoder says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// More input, or word that there is none.
    NeedInput,
    /// The next bytes of the content.
    Bytes(Bytes),
    /// The content is whole.
    Done,
}

/// Undoes the codings of one body. Call [`step`](Self::step) until it needs input, give it that, and go on until it is
/// done. How the input is cut into pieces changes neither the content nor whether there is one; of two faults in a stack
/// it may decide which is met first. Memory is bounded by the codings' windows.
///
/// Bytes are handed out before it is known whether the checksum at the end holds: whoever passes them on must be able
/// to break off visibly. After a fault it stays in that fault.
///
/// ```
/// use consentry_body::{Coding, CodingFault, CodingLimits, Encoder, decode};
///
/// let mut gzip = Encoder::new();
/// gzip.push(b"{\"name\": \"Ann\"}");
/// let coded = gzip.finish();
/// assert_eq!(decode(&[Coding::Gzip], CodingLimits::default(), &coded).unwrap(), b"{\"name\": \"Ann\"}");
/// let cut = decode(&[Coding::Gzip], CodingLimits::default(), &coded[..coded.len() - 1]);
/// assert_eq!(cut, Err(CodingFault::Truncated));
/// ```
pub struct Decoder {
    limits: CodingLimits,
    /// The outermost coding first, the one that was applied last.
    layers: Vec<Layer>,
    /// Where a piece is put together, which is as long as one whatever comes of it.
    piece: Box<[u8]>,
    /// What was met behind the piece that was handed out last.
    behind: Result<(), CodingFault>,
    ended: bool,
    state: Result<(), CodingFault>,
}

struct Layer {
    stage: Stage,
    input: Vec<u8>,
    /// Where the coding before it puts what becomes of the input.
    piece: Vec<u8>,
    /// How much of the input was taken.
    taken: usize,
    read: u64,
    wrote: u64,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("codings", &self.layers.len())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder of codings in the order in which they were applied.
    ///
    /// # Errors
    /// [`CodingFault::Stacked`] when they are more than the limit, [`CodingFault::OutOfTurn`] when there are none.
    pub fn new(codings: &[Coding], limits: CodingLimits) -> Result<Self, CodingFault> {
        if codings.len() > limits.codings_max {
            return Err(CodingFault::Stacked);
        }
        if codings.is_empty() {
            return Err(CodingFault::OutOfTurn);
        }
        let layer = |coding: &Coding| Layer {
            stage: Stage::new(*coding, &limits),
            input: Vec::new(),
            piece: Vec::new(),
            taken: 0,
            read: 0,
            wrote: 0,
        };
        Ok(Self {
            limits,
            layers: codings.iter().rev().map(layer).collect(),
            piece: vec![0; PIECE_BYTES].into(),
            behind: Ok(()),
            ended: false,
            state: Ok(()),
        })
    }

    /// Takes the next bytes. To hold no more than the limits say, push only when it asks.
    ///
    /// # Errors
    /// After [`end`](Self::end), or after an earlier fault.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CodingFault> {
        self.state?;
        let Some(outermost) = self.layers.first_mut().filter(|_| !self.ended) else {
            return self.fail(CodingFault::OutOfTurn);
        };
        outermost.give(bytes);
        Ok(())
    }

    /// Says that there are no more bytes.
    ///
    /// # Errors
    /// The second time, or after an earlier fault.
    pub fn end(&mut self) -> Result<(), CodingFault> {
        self.push(&[])?;
        self.ended = true;
        Ok(())
    }

    /// The next piece of the content.
    ///
    /// # Errors
    /// When the body is not what its codings say, or is over a limit.
    pub fn step(&mut self) -> Result<Decoded, CodingFault> {
        self.state?;
        self.next().or_else(|fault| self.fail(fault))
    }

    fn fail<T>(&mut self, fault: CodingFault) -> Result<T, CodingFault> {
        self.state = Err(fault);
        self.layers.clear();
        Err(fault)
    }

    fn next(&mut self) -> Result<Decoded, CodingFault> {
        self.behind?;
        let wrote = self.fill()?;
        if let Some(piece) = self.piece.get(..wrote).filter(|piece| !piece.is_empty()) {
            return Ok(Decoded::Bytes(Bytes::copy_from_slice(piece)));
        }
        if !self.ended {
            return Ok(Decoded::NeedInput);
        }
        if self.layers.iter().all(|layer| layer.stage.is_whole()) {
            Ok(Decoded::Done)
        } else {
            Err(CodingFault::Truncated)
        }
    }
}

impl Decoder {
    /// Fills the piece as far as the input goes: what is decoded byte by byte is not handed out so. A fault behind something
    /// good is kept until that is handed out.
    fn fill(&mut self) -> Result<usize, CodingFault> {
        let mut wrote = 0;
        while let Some(room) = self.piece.get_mut(wrote..).filter(|room| !room.is_empty()) {
            match pull(&mut self.layers, &self.limits, room) {
                Ok(0) => break,
                Ok(more) => wrote = wrote.saturating_add(more),
                Err(fault) if wrote == 0 => return Err(fault),
                Err(fault) => {
                    self.behind = Err(fault);
                    break;
                }
            }
        }
        Ok(wrote)
    }
}

impl Layer {
    fn give(&mut self, bytes: &[u8]) {
        self.input.drain(..self.taken.min(self.input.len()));
        self.taken = 0;
        self.input.extend_from_slice(bytes);
    }
}

/// Fills some of the output with what the last of the layers decodes; nothing when the first needs more input.
fn pull(layers: &mut [Layer], limits: &CodingLimits, output: &mut [u8]) -> Result<usize, CodingFault> {
    let came = layers.first().map_or(0, |outermost| outermost.read);
    let Some((layer, outer)) = layers.split_last_mut() else { return Ok(0) };
    loop {
        let turn = layer.stage.turn(layer.input.get(layer.taken..).unwrap_or_default(), output)?;
        layer.taken = layer.taken.saturating_add(turn.read);
        layer.read = layer.read.saturating_add(turn.read as u64);
        layer.wrote = layer.wrote.saturating_add(turn.wrote as u64);
        let came = outer.first().map_or(layer.read, |outermost| outermost.read).max(came);
        check(layer.wrote, came, limits)?;
        if turn.wrote > 0 {
            return Ok(turn.wrote);
        }
        if turn.read > 0 {
            continue;
        }
        let mut piece = std::mem::take(&mut layer.piece);
        piece.resize(PIECE_BYTES, 0);
        let got = pull(outer, limits, &mut piece)?;
        layer.give(piece.get(..got).unwrap_or_default());
        layer.piece = piece;
        if got == 0 {
            return Ok(0);
        }
    }
}

/// Every coding of a stack is held to the bounds: one in the middle may grow, and the next make nothing of it.
fn check(wrote: u64, came: u64, limits: &CodingLimits) -> Result<(), CodingFault> {
    if wrote > limits.ratio_floor_bytes && wrote > came.saturating_mul(limits.ratio_max) {
        return Err(CodingFault::Ratio);
    }
    if wrote > limits.decoded_bytes_max { Err(CodingFault::TooLarge) } else { Ok(()) }
}

/// Undoes the codings of a body that is there whole.
///
/// # Errors
/// As [`Decoder::new`] and [`Decoder::step`].
pub fn decode(codings: &[Coding], limits: CodingLimits, body: &[u8]) -> Result<Vec<u8>, CodingFault> {
    let mut decoder = Decoder::new(codings, limits)?;
    decoder.push(body)?;
    decoder.end()?;
    let mut out = Vec::new();
    loop {
        match decoder.step()? {
            Decoded::Bytes(bytes) => out.extend_from_slice(&bytes),
            Decoded::Done => return Ok(out),
            Decoded::NeedInput => return Err(CodingFault::Truncated),
        }
    }
}

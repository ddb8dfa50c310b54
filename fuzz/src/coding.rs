//! Content codings: no cut of the input changes the content, nothing grows beyond its bounds, and what is plain can be
//! coded and read back.

use consentry_body::{Coding, CodingFault, CodingLimits, Decoded, Decoder, Encoder, decode};

/// The first byte says which codings, the second how the input is cut.
pub fn run(data: &[u8]) {
    let [codings, cut, body @ ..] = data else { return };
    let pick = |at: u8| Coding::ALL[usize::from(at) % Coding::ALL.len()];
    let codings =
        if *codings < 128 { vec![pick(*codings)] } else { vec![pick(*codings), pick(*codings / 4)] };
    let limits = CodingLimits {
        ratio_floor_bytes: 4096,
        decoded_bytes_max: 1 << 20,
        window_bytes_max: 1 << 20,
        ..CodingLimits::default()
    };
    let whole = decode(&codings, limits, body);
    let pieces = in_pieces(&codings, limits, body, usize::from(*cut) + 1);
    // Of two faults in a stack the cut decides which is met first.
    assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok(), "a cut changed the content");
    if let Ok(content) = &whole {
        assert!(content.len() <= 1 << 20, "more than may be decoded at all");
        let grown =
            content.len() as u64 > 4096 && content.len() as u64 > limits.ratio_max * body.len() as u64;
        assert!(!grown, "grown beyond the ratio: {} of {}", content.len(), body.len());
    }
    let mut gzip = Encoder::new();
    body.chunks(usize::from(*cut) + 1).for_each(|piece| gzip.push(piece));
    let coded = gzip.finish();
    let wide = CodingLimits { ratio_max: 1 << 20, ..CodingLimits::default() };
    assert_eq!(decode(&[Coding::Gzip], wide, &coded).as_deref(), Ok(body), "not what was coded");
}

fn in_pieces(
    codings: &[Coding],
    limits: CodingLimits,
    body: &[u8],
    piece: usize,
) -> Result<Vec<u8>, CodingFault> {
    let mut decoder = Decoder::new(codings, limits)?;
    let mut pieces = body.chunks(piece);
    let mut out = Vec::new();
    loop {
        match decoder.step()? {
            Decoded::NeedInput => match pieces.next() {
                Some(piece) => decoder.push(piece)?,
                None => decoder.end()?,
            },
            Decoded::Bytes(bytes) => out.extend_from_slice(&bytes),
            Decoded::Done => return Ok(out),
        }
    }
}

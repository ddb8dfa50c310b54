//! Mutations that are the same every time.

/// Pieces that break readers: structure, escapes, signs that fold into others, lengths at a boundary.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud83d",
    b"\\u005f",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%2e%2e",
    b"%2f",
    b"%5c",
    b"%25",
    b"/../",
    b"//",
    b"#",
    b"?",
    b"*",
    b"--",
    b"---\n",
    b"- ",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b"99999999999999999999",
    b"0",
    b"\"id\":",
    b"id",
    b"email",
    b"rows",
    b"chunked",
    b"gzip",
];
/// The longest input that is made, in bytes.
const BYTES_MAX: usize = 4096;

/// Makes inputs out of others, by a fixed sequence (xorshift64*, Marsaglia 2003 and Vigna 2016).
#[derive(Clone, Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`; 0 when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap_or(0) % end.max(1)
    }

    /// One of the seeds, changed in one to eight places.
    #[must_use]
    pub fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut out = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut out, seeds);
        }
        out.truncate(BYTES_MAX);
        out
    }

    fn change(&mut self, out: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(out.len() + 1);
        match self.below(7) {
            0 if at < out.len() => out[at] ^= 1 << self.below(8),
            1 if at < out.len() => drop(out.remove(at)),
            2 => out.truncate(at),
            3 if at < out.len() => {
                let end = at + self.below(out.len() - at + 1);
                let again = out[at..end].to_vec();
                out.splice(at..at, again);
            }
            4 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                out.truncate(at);
                out.extend_from_slice(&other[from..]);
            }
            5 => out.insert(at, u8::try_from(self.below(256)).unwrap_or(0)),
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                out.splice(at..at, piece.iter().copied());
            }
        }
    }
}

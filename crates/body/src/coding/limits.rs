//! How much a decoder may hold and let through.

/// The bounds of undoing content codings. What is over one is refused, never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodingLimits {
    /// How many codings may have been applied one upon another.
    pub codings_max: usize,
    /// By how many times what is decoded may be longer than what came, once it is longer than
    /// [`ratio_floor_bytes`](Self::ratio_floor_bytes).
    pub ratio_max: u64,
    /// Up to how many decoded bytes nobody asks by how much they grew.
    pub ratio_floor_bytes: u64,
    /// How many bytes may be decoded at all, in every coding of a stack.
    pub decoded_bytes_max: u64,
    /// The largest window of zstd, in bytes (RFC 9659 names 8 MiB). Deflate has 32 KiB and Brotli 16 MiB by their nature
    /// (RFC 1951, RFC 7932); Brotli's extension to larger windows is not read.
    pub window_bytes_max: u64,
}

impl Default for CodingLimits {
    /// 2 codings, 256 times beyond 1 MiB, 1 GiB in all, windows of 8 MiB.
    fn default() -> Self {
        Self {
            codings_max: 2,
            ratio_max: 256,
            ratio_floor_bytes: 1 << 20,
            decoded_bytes_max: 1 << 30,
            window_bytes_max: 8 << 20,
        }
    }
}

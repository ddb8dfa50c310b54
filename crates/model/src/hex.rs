//! Bytes as lower-case hex digits.

/// Two lower-case hex digits for each byte.
///
/// ```
/// assert_eq!(consentry_model::hex(&[0x0f, 0xa0]), "0fa0");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    bytes.iter().for_each(|byte| push_hex(&mut out, *byte));
    out
}

/// Adds the two digits of a byte to a text.
#[inline]
pub fn push_hex(out: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 0xf] {
        out.push(char::from(if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }));
    }
}

//! Keyed codes in the place of values.

use std::fmt;
use std::sync::Arc;

use consentry_model::ClassId;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "ps_";
const ALPHABET: [u8; 32] = *b"abcdefghijklmnopqrstuvwxyz234567";
/// 130 bits: no two values of one table meet by chance.
const CODE_CHARS: usize = 26;

/// A key that turns values into codes. Under one key the same value of the same class has the same code, under another
/// key another; without the key no code tells the value. Derive a key of its own for each controller, purpose and
/// period, else codes link what was meant to stay apart.
///
/// A code is never read back: what looks like one in a body is a value like any other.
#[derive(Clone)]
pub struct Pseudonyms {
    mac: Hmac<Sha256>,
    names: Arc<[Box<str>]>,
}

impl Pseudonyms {
    /// The codes under this key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // A key that is shorter than a block is one with zeros after it.
        let mut block = Key::<Hmac<Sha256>>::default();
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        Self { mac: Hmac::new(&block), names: Arc::default() }
    }

    /// The same with a name for each class, by its number. Numbers are a map's own: by its name a class keeps its codes when
    /// another map numbers it otherwise.
    #[must_use]
    pub fn with_names(self, names: Arc<[Box<str>]>) -> Self {
        Self { names, ..self }
    }

    /// The code of a value.
    pub(crate) fn code(&self, class: ClassId, text: &str) -> String {
        let mut mac = self.mac.clone();
        match self.names.get(usize::from(class.0)) {
            Some(name) => {
                mac.update(name.as_bytes());
                mac.update(&[0]);
            }
            None => mac.update(&class.0.to_be_bytes()),
        }
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut out = String::with_capacity(PREFIX.len() + CODE_CHARS);
        out.push_str(PREFIX);
        out.extend(Base32 { bytes: digest.iter(), held: 0, bits: 0 }.take(CODE_CHARS));
        out
    }
}

/// The key is a secret.
impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(<redacted>)")
    }
}

/// Five bits at a time, the highest first. Bits that do not fill a character are dropped.
struct Base32<'a> {
    bytes: std::slice::Iter<'a, u8>,
    held: u16,
    bits: u16,
}

impl Iterator for Base32<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.bits < 5 {
            self.held = self.held << 8 | u16::from(*self.bytes.next()?);
            self.bits += 8;
        }
        self.bits -= 5;
        let digit = self.held >> self.bits;
        self.held &= (1 << self.bits) - 1;
        ALPHABET.get(usize::from(digit)).copied().map(char::from)
    }
}

//! Checkpoints: the size and the root of the tree, signed. A signed note as C2SP describes it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::merkle::Hash;

/// The signature type Ed25519 of the note format.
const ED25519: u8 = 1;

/// How many records a log held, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, digits, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size: u64 = digits.parse().ok()?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let exact = lines.next().is_none() && !origin.is_empty() && size.to_string() == digits;
        exact.then(|| Self { origin: origin.into(), size, root })
    }
}

/// The key that a log's checkpoints are checked with, and the log's name.
///
/// Its text form is `name+id+key`, as verifiers of signed notes read it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads `name+id+key`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(key).ok()?;
        let (&ED25519, key) = bytes.split_first()? else { return None };
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let public = Self { name: name.into(), key };
        (is_name(name) && public.to_string() == text && !id.is_empty()).then_some(public)
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        let [a, b, c, d, ..] = <[u8; 32]>::from(digest);
        [a, b, c, d]
    }

    /// The checkpoint in a note, if this key signed it. Signatures of others are passed over.
    #[must_use]
    pub fn verify(&self, note: &str) -> Option<Checkpoint> {
        let (text, signatures) = note.split_once("\n\n")?;
        let text = format!("{text}\n");
        let mut signed = false;
        for line in signatures.strip_suffix('\n')?.split('\n') {
            let (name, value) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let value = STANDARD.decode(value).ok()?;
            let (id, signature) = value.split_first_chunk::<4>()?;
            if name == self.name && *id == self.id() {
                let signature = Signature::from_slice(signature).ok()?;
                self.key.verify_strict(text.as_bytes(), &signature).ok()?;
                signed = true;
            }
        }
        let checkpoint = Checkpoint::parse(&text)?;
        (signed && checkpoint.origin == self.name).then_some(checkpoint)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, consentry_model::hex(&self.id()), STANDARD.encode(key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text can name a log: not empty, no space, no plus sign, no control character.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && !text.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

/// Signs checkpoints.
pub(crate) struct NoteSigner {
    key: SigningKey,
    public: PublicKey,
}

impl NoteSigner {
    pub(crate) fn new(origin: &str, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey { name: origin.into(), key: key.verifying_key() };
        Self { key, public }
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signed note over a size and its root.
    pub(crate) fn sign(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.public.name.clone(), size, root }.text();
        let mut value = self.public.id().to_vec();
        value.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.public.name, STANDARD.encode(value))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.public)
    }
}

/// The notes of a history, each followed by an empty line, and how many bytes of an unfinished one come after.
pub(crate) fn split_history(history: &str) -> (Vec<&str>, usize) {
    let mut notes = Vec::new();
    let mut rest = history;
    while let Some((note, after)) = first_note(rest) {
        notes.push(note);
        rest = after;
    }
    (notes, rest.len())
}

fn first_note(history: &str) -> Option<(&str, &str)> {
    let signatures = history.find("\n\n")? + 2;
    let end = signatures + history.get(signatures..)?.find("\n\n")? + 1;
    Some((history.get(..end)?, history.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_and_no_bit_of_it_can_change() {
        let signer = NoteSigner::new("example.org/log", &[7; 32]);
        let note = signer.sign(41, [9; 32]);
        let public = PublicKey::parse(&signer.public().to_string()).unwrap();
        assert_eq!(
            public.verify(&note),
            Some(Checkpoint { origin: "example.org/log".into(), size: 41, root: [9; 32] })
        );
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert_eq!(public.verify(&changed), None, "byte {at} bit {bit}");
                }
            }
        }
        assert_eq!(NoteSigner::new("example.org/log", &[8; 32]).public().verify(&note), None);
        assert_eq!(NoteSigner::new("example.org/log2", &[7; 32]).public().verify(&note), None);
    }

    #[test]
    fn the_key_id_is_the_published_example_s() {
        // The example key of the Go sumdb note package, published in its documentation.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key = PublicKey::parse(text).unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(PublicKey::parse(&text.replace("c74f", "c74e")), None);
    }

    #[test]
    fn the_signature_of_another_is_passed_over() {
        let signer = NoteSigner::new("example.org/log", &[7; 32]);
        let witness = NoteSigner::new("witness", &[3; 32]);
        let note = signer.sign(1, [0; 32]);
        let line = witness.sign(1, [0; 32]).lines().last().unwrap().to_owned();
        assert!(signer.public().verify(&format!("{note}{line}\n")).is_some());
        assert!(witness.public().verify(&note).is_none());
    }

    #[test]
    fn a_history_splits_into_its_notes() {
        let signer = NoteSigner::new("example.org/log", &[7; 32]);
        let notes = [signer.sign(1, [1; 32]), signer.sign(2, [2; 32])];
        let history = format!("{}\n{}\n", notes[0], notes[1]);
        assert_eq!(split_history(&history), (vec![notes[0].as_str(), notes[1].as_str()], 0));
        let torn = &history[..history.len() - 1];
        assert_eq!(split_history(torn), (vec![notes[0].as_str()], notes[1].len()));
        assert_eq!(split_history(""), (vec![], 0));
    }
}

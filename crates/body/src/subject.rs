//! The subjects of a window, each once.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use consentry_model::{ClassId, Scalar, ScopeId};

use crate::error::BodyFault;
use crate::{RecordId, RecordSubject, SubjectIx, Window};

/// The text by which a record names its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// It names nobody.
    Nobody,
    /// It stands in the window from here to there, as it reads.
    There(usize, usize),
    /// It was written with escapes.
    Read(Box<str>),
}

impl Id {
    fn text<'a>(&'a self, view: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Nobody => None,
            Self::There(from, to) => view.get(*from..*to),
            Self::Read(text) => Some(text.as_bytes()),
        }
    }
}

/// Whom a record names.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) scope: ScopeId,
    pub(crate) id: Id,
    pub(crate) captured: Vec<Option<Scalar>>,
}

impl Subject {
    fn is(&self, other: &Self, view: &[u8]) -> bool {
        self.scope == other.scope
            && self.id.text(view) == other.id.text(view)
            && self.captured == other.captured
    }

    fn hash(&self, view: &[u8], seed: u64) -> u64 {
        let mut hash = Fold(seed ^ self.scope.index() as u64);
        hash.text(self.id.text(view).unwrap_or_default());
        if !self.captured.is_empty() {
            self.captured.hash(&mut hash);
        }
        hash.finish()
    }
}

/// A set of data classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    /// The first 64 of the map.
    low: u64,
    high: Vec<ClassId>,
}

impl Classes {
    pub(crate) fn of(class: ClassId) -> Self {
        let mut classes = Self::default();
        classes.insert(class);
        classes
    }

    #[inline]
    pub(crate) fn insert(&mut self, class: ClassId) {
        if class.0 < 64 {
            self.low |= 1 << class.0;
        } else if let Err(place) = self.high.binary_search(&class) {
            self.high.insert(place, class);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.low == 0 && self.high.is_empty()
    }

    fn extend(&mut self, other: &Self) {
        self.low |= other.low;
        other.high.iter().for_each(|class| self.insert(*class));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ClassId> {
        let mut left = self.low;
        let low = std::iter::from_fn(move || {
            let lowest = u16::try_from(left.trailing_zeros()).ok().filter(|n| *n < 64)?;
            left &= left - 1;
            Some(ClassId(lowest))
        });
        low.chain(self.high.iter().copied())
    }
}

/// The subjects of a window and the classes of which each has a value.
#[derive(Debug)]
pub(crate) struct Subjects {
    /// The subject that the request names is the one without a record.
    all: Vec<(Option<Subject>, Classes)>,
    request: Option<SubjectIx>,
    /// Open addressing: one more than the position in `all`, or 0.
    slots: Vec<u32>,
    seed: u64,
}

/// Enough for the subjects of a window, as it is by default.
const SLOTS_MIN: usize = 1_024;
/// More slots than this are not kept for the next window.
const SLOTS_KEPT_MAX: usize = 4_096;

impl Subjects {
    pub(crate) fn new() -> Self {
        Self { all: Vec::new(), request: None, slots: Vec::new(), seed: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.request = None;
        if self.slots.len() > SLOTS_KEPT_MAX {
            self.slots = Vec::new();
        }
        self.slots.fill(0);
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The subject that the request names, of whom a value of this class is there.
    pub(crate) fn request(&mut self, class: ClassId) -> Result<SubjectIx, BodyFault> {
        let ix = match self.request {
            Some(ix) => ix,
            None => self.push(None)?,
        };
        self.request = Some(ix);
        self.all.get_mut(ix.index()).ok_or(BodyFault::Internal)?.1.insert(class);
        Ok(ix)
    }

    /// A record's subject, of whom values of these classes are there.
    pub(crate) fn record(
        &mut self,
        subject: Subject,
        classes: &Classes,
        view: &[u8],
    ) -> Result<SubjectIx, BodyFault> {
        if self.slots.len() <= self.all.len() * 2 {
            self.grow(view);
        }
        let mask = self.slots.len().wrapping_sub(1);
        #[allow(clippy::cast_possible_truncation, reason = "only the low bits count")]
        let mut at = subject.hash(view, self.seed) as usize & mask;
        let ix = loop {
            let slot = self.slots.get(at).copied().ok_or(BodyFault::Internal)?;
            let Some(there) = slot.checked_sub(1) else {
                let ix = self.push(Some(subject))?;
                *self.slots.get_mut(at).ok_or(BodyFault::Internal)? = ix.0 + 1;
                break ix;
            };
            let other = self.all.get(there as usize).and_then(|(other, _)| other.as_ref());
            if other.is_some_and(|other| other.is(&subject, view)) {
                break SubjectIx(there);
            }
            at = (at + 1) & mask;
        };
        self.all.get_mut(ix.index()).ok_or(BodyFault::Internal)?.1.extend(classes);
        Ok(ix)
    }

    /// What must be decided.
    pub(crate) fn window(&self, view: &[u8]) -> Window {
        let mut groups = Vec::with_capacity(self.all.len() * 8);
        let mut subjects = Vec::with_capacity(self.all.len());
        // Most have values of the same classes as the one before.
        let (mut last, mut listed) = (&Classes::default(), Vec::new());
        for (ix, (subject, classes)) in (0..).map(SubjectIx).zip(&self.all) {
            if classes != last {
                (last, listed) = (classes, classes.iter().collect());
            }
            groups.extend(listed.iter().map(|class| (ix, *class)));
            subjects.push(match subject {
                None => RecordSubject::Request,
                Some(Subject { scope, id, captured }) => {
                    let captured = if captured.is_empty() { Vec::new() } else { captured.clone() };
                    let id = id.text(view).and_then(RecordId::of_text);
                    RecordSubject::Record { scope: *scope, id, captured }
                }
            });
        }
        Window { subjects, groups }
    }

    fn push(&mut self, subject: Option<Subject>) -> Result<SubjectIx, BodyFault> {
        // One more than the position has to fit too.
        let ix = u32::try_from(self.all.len()).ok().filter(|ix| *ix < u32::MAX);
        let ix = SubjectIx(ix.ok_or(BodyFault::RecordTooLarge)?);
        self.all.push((subject, Classes::default()));
        Ok(ix)
    }

    fn grow(&mut self, view: &[u8]) {
        if self.seed == 0 {
            // Whoever knows the seed could choose identifiers that meet.
            self.seed = RandomState::new().hash_one(0);
        }
        let length = (self.all.len() * 4).next_power_of_two().max(SLOTS_MIN);
        self.slots = vec![0; length];
        for (ix, (subject, _)) in (1_u32..).zip(&self.all) {
            let Some(subject) = subject else { continue };
            #[allow(clippy::cast_possible_truncation, reason = "only the low bits count")]
            let mut at = subject.hash(view, self.seed) as usize & (length - 1);
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (length - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = ix;
            }
        }
    }
}

/// Multiplies and folds eight bytes at a time. With a seed that nobody knows, and few subjects in a window, that is
/// enough.
struct Fold(u64);

impl Fold {
    #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
    const fn mix(&mut self, word: u64) {
        let product = ((self.0 ^ word) as u128) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64 ^ word.rotate_left(32);
    }

    /// A whole text. Its last eight bytes are mixed as one word, some of them twice.
    #[inline]
    fn text(&mut self, text: &[u8]) {
        self.mix(text.len() as u64);
        let (words, _) = text.as_chunks();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let four = |bytes: Option<&[u8; 4]>| bytes.map(|bytes| u64::from(u32::from_le_bytes(*bytes)));
        let last = match (text.last_chunk(), four(text.first_chunk()), four(text.last_chunk())) {
            (Some(eight), ..) => u64::from_le_bytes(*eight),
            (None, Some(first), Some(last)) => first << 32 | last,
            _ => text.iter().fold(1, |last, byte| last << 8 | u64::from(*byte)),
        };
        self.mix(last);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let last = rest.iter().fold(1, |last, byte| last << 8 | u64::from(*byte));
        self.mix(last);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

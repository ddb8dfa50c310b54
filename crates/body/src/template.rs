//! A record, or a whole body, as it was written the last time: what stood between its scalars, byte for byte, and what came
//! onto the tape.

use consentry_model::{ClassId, Emptied, Ladder, NodeId};
use wide::u8x16;

use crate::json::{Ends, Skip, scalar_at};
use crate::keys::Keys;
use crate::lane::near;
use crate::subject::Classes;
use crate::tape::{At, Owner};

/// How many bytes are compared in one go.
const HEAD: usize = 16;
/// A bit for each of them.
const ALL: u32 = 0xffff;
/// A position by what it is relative to: one of the record's marks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relative {
    pub(crate) mark: usize,
    /// What is to be added, wrapping.
    pub(crate) offset: At,
}

/// A record that is like one that is remembered: where it begins, with what is before it and without; its template; where
/// its marks begin among the tape's; whose it is; where its closing bracket is; and where the child ends that it is, or
/// the same again where that is on the tape apart. Its first mark is where it begins, and each scalar whose place is of
/// interest has two: where it begins and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mark: At,
    pub(crate) start: At,
    pub(crate) template: u32,
    pub(crate) marks: u32,
    pub(crate) owner: Owner,
    pub(crate) bracket: At,
    pub(crate) end: At,
}

/// A value of a data class in a record: its node, what the map says of it, and the mark where it begins. It ends at the
/// next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datum {
    pub(crate) mark: usize,
    pub(crate) node: NodeId,
    pub(crate) class: ClassId,
    pub(crate) ladder: Ladder,
}

/// What stands before a scalar, or after the last.
#[derive(Clone, Debug)]
pub(crate) struct Between {
    head: u8x16,
    /// A bit for each of these that is not compared.
    rest: u32,
    length: usize,
    long: Long,
    /// The last bytes, if there are more than are compared in one go.
    tail: u8x16,
    bytes: Box<[u8]>,
    /// Whether the place of the scalar after it is of interest, and whether it names the subject.
    pub(crate) marks: bool,
    pub(crate) names: bool,
    /// Whether it is an array or object that only has to be right, and how many are open around it in the record.
    pub(crate) unit: Option<Box<Unit>>,
    /// Whether it is any of the last two.
    special: bool,
}

/// In how many goes it is compared.
#[derive(Clone, Copy, Debug)]
enum Long {
    One,
    Two,
    More,
}

/// An array or object that only has to be right.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    bracket: u8,
    /// How many arrays and objects are open around it, up to the record.
    inside: usize,
    /// What stood between its scalars the last time, its brackets among it, if that is remembered.
    between: Vec<Between>,
}

impl Unit {
    /// The one that stands in the view from here to there, and has these scalars. Without them it is not remembered what is
    /// between them.
    pub(crate) fn new(
        view: &[u8],
        (start, end): (usize, usize),
        scalars: Option<&[(usize, usize)]>,
        inside: usize,
    ) -> Option<Self> {
        let bracket = *view.get(start)?;
        let Some(scalars) = scalars else { return Some(Self { bracket, inside, between: Vec::new() }) };
        let starts = std::iter::once(start).chain(scalars.iter().map(|(_, end)| *end));
        let ends = scalars.iter().map(|(start, _)| *start).chain([end]);
        let between = starts.zip(ends).map(|(from, to)| Some(Between::new(view.get(from..to)?)));
        Some(Self { bracket, inside, between: between.collect::<Option<_>>()? })
    }

    /// Where it ends, when it begins at `start`: it may be as it was the last time, or only right.
    fn read(
        &self,
        view: &[u8],
        start: usize,
        room: usize,
        (skip, keys): (&mut Skip, &mut Keys),
    ) -> Option<usize> {
        if *view.get(start)? != self.bracket {
            return None;
        }
        // The same nesting, and no deeper than the one before, which may have been as deep as this one may be.
        let again = || {
            let (last, between) = self.between.split_last()?;
            let mut position = start;
            for before in between {
                position = scalar_at(view, before.is_at(view, position)?)?.1;
            }
            last.is_at(view, position)
        };
        again().or_else(|| skip.container(view, start, room.checked_sub(self.inside)?, keys))
    }
}

impl Between {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut head = [0; HEAD];
        head.iter_mut().zip(bytes).for_each(|(head, byte)| *head = *byte);
        let rest =
            ALL.checked_shl(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).map_or(0, |rest| rest & ALL);
        let long = match bytes.len().div_ceil(HEAD) {
            0 | 1 => Long::One,
            2 => Long::Two,
            _ => Long::More,
        };
        let tail = u8x16::new(bytes.last_chunk().copied().unwrap_or_default());
        let (head, length) = (u8x16::new(head), bytes.len());
        let (bytes, special) = (bytes.into(), false);
        Self { head, rest, length, long, tail, bytes, marks: false, names: false, unit: None, special }
    }

    /// The same, once all of it is said.
    pub(crate) fn settled(self) -> Self {
        Self { special: self.names || self.unit.is_some(), ..self }
    }

    /// Where it ends, when it begins at `from`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
    fn is_at(&self, view: &[u8], from: usize) -> Option<usize> {
        let rest = view.get(from..)?;
        let Some(head) = rest.first_chunk::<HEAD>() else { return self.ends(rest, from) };
        if u8x16::new(*head).simd_eq(self.head).to_bitmask() | self.rest != ALL {
            return None;
        }
        let end = from.wrapping_add(self.length);
        match self.long {
            Long::One => Some(end),
            Long::Two => {
                let tail = view.get(end.wrapping_sub(HEAD)..)?.first_chunk::<HEAD>()?;
                (u8x16::new(*tail).simd_eq(self.tail).to_bitmask() == ALL).then_some(end)
            }
            Long::More => (rest.get(HEAD..self.length)? == self.bytes.get(HEAD..)?).then_some(end),
        }
    }

    /// The same where the view ends soon.
    #[cold]
    fn ends(&self, rest: &[u8], from: usize) -> Option<usize> {
        (rest.get(..self.length)? == &*self.bytes).then_some(from.wrapping_add(self.length))
    }
}

/// A child of the record, or of something in it, that may go: a value of a data class, or what is undeclared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: Relative,
    pub(crate) end: Relative,
    /// The value; without one the child is undeclared, and goes in any case.
    pub(crate) value: Option<Datum>,
    /// Whether it is the first of those in its container.
    pub(crate) first: bool,
    /// Whether a child stays in any case that is before it, and whether one is after it.
    pub(crate) after_some: bool,
    pub(crate) last: bool,
}

/// A record that was remembered.
#[derive(Debug)]
pub(crate) struct Template {
    /// What becomes of a record of which nothing is left. A body, about the subject that the request names, is none.
    pub(crate) emptied: Option<Emptied>,
    pub(crate) parts: Vec<Part>,
    /// At what depth it stands, and how many arrays and objects might be open in it, itself among them.
    pub(crate) depth: usize,
    pub(crate) room: usize,
    pub(crate) between: Vec<Between>,
    /// How many marks it has.
    pub(crate) marks: usize,
    pub(crate) classes: Classes,
    pub(crate) undeclared: u64,
}

impl Template {
    /// Reads a record's scalars, when everything between them is the same. So many arrays and objects may be open in it,
    /// itself among them. `ends` finds the end of each scalar. Answers with where it ends, and from where to where the scalar
    /// stands that names its subject.
    #[inline]
    pub(crate) fn read<E: Ends>(
        &self,
        view: &[u8],
        (from, room): (usize, usize),
        ends: impl Iterator<Item = E>,
        (skip, keys): (&mut Skip, &mut Keys),
        marks: &mut Vec<At>,
    ) -> Option<(usize, Option<(usize, usize)>)> {
        let (last, between) = self.between.split_last()?;
        marks.reserve(self.marks);
        marks.push(near(from));
        let mut named = None;
        let mut position = from;
        for (before, scalar) in between.iter().zip(ends) {
            let start = before.is_at(view, position)?;
            if before.special {
                position = match &before.unit {
                    None => scalar.end(view, start)?,
                    Some(unit) => unit.read(view, start, room, (&mut *skip, &mut *keys))?,
                };
                named = if before.names { Some((start, position)) } else { named };
            } else {
                position = scalar.end(view, start)?;
            }
            if before.marks {
                marks.extend_from_slice(&[near(start), near(position)]);
            }
        }
        Some((last.is_at(view, position)?, named))
    }
}

/// The marks of a record that is being remembered. As long as it is not known which scalars have some, each counts as having
/// two.
pub(crate) struct Marks {
    /// Where what stands before each scalar begins, and where it ends; and what stands after the last.
    pub(crate) starts: Vec<At>,
    pub(crate) ends: Vec<At>,
    /// Which scalars have marks.
    pub(crate) wanted: Vec<bool>,
}

impl Marks {
    /// The first mark of a scalar.
    pub(crate) fn scalar(&mut self, scalar: usize) -> Option<usize> {
        *self.wanted.get_mut(scalar)? = true;
        Some(2 * scalar + 1)
    }

    /// Numbers them in the order of the text, in which they are read. Answers with how many there are.
    pub(crate) fn number(self, parts: &mut [Part]) -> Option<usize> {
        let mut count = 1;
        let mut numbers = vec![0];
        for wanted in self.wanted {
            numbers.extend([count, count + 1]);
            count += if wanted { 2 } else { 0 };
        }
        for Part { start, end, value, .. } in parts {
            let datum = value.as_mut().map(|datum| &mut datum.mark);
            for mark in [&mut start.mark, &mut end.mark].into_iter().chain(datum) {
                *mark = *numbers.get(*mark)?;
            }
        }
        Some(count)
    }

    /// The position where something begins: if it can be, by the scalar after it.
    pub(crate) fn start(&mut self, position: At) -> Option<Relative> {
        let before = self.ends.iter().position(|end| position <= *end)?;
        if before == self.wanted.len() {
            return self.end(position);
        }
        let offset = position.wrapping_sub(*self.ends.get(before)?);
        Some(Relative { mark: self.scalar(before)?, offset })
    }

    /// The position where something ends: if it can be, by the scalar before it.
    pub(crate) fn end(&mut self, position: At) -> Option<Relative> {
        let before = self.ends.iter().position(|end| position <= *end)?;
        let offset = position.wrapping_sub(*self.starts.get(before)?);
        let mark = match before.checked_sub(1) {
            None => 0,
            Some(scalar) => self.scalar(scalar)? + 1,
        };
        Some(Relative { mark, offset })
    }
}

/// What is known of a container while its children are looked at.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// Whether a child stays in any case.
    stays: bool,
    /// Whether one may go.
    goes: bool,
    /// The last child, if it may go.
    last: Option<usize>,
}

impl Open {
    pub(crate) const fn stays(&mut self) {
        (self.stays, self.last) = (true, None);
    }
}

pub(crate) struct Parts {
    pub(crate) all: Vec<Part>,
    pub(crate) open: Vec<Open>,
}

impl Parts {
    pub(crate) fn push(&mut self, start: Relative, end: Relative, value: Option<Datum>) -> Option<()> {
        let open = self.open.last_mut()?;
        self.all.push(Part { start, end, value, first: !open.goes, after_some: open.stays, last: false });
        (open.goes, open.last) = (true, Some(self.all.len() - 1));
        Some(())
    }

    pub(crate) fn close(&mut self) -> Option<()> {
        if let Some(last) = self.open.pop()?.last {
            self.all.get_mut(last)?.last = true;
        }
        Some(())
    }
}

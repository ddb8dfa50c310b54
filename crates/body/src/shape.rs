//! What the members of an object looked like the last time one stood in the same place.
//!
//! The records of a list are written alike: the same names in the same order, with the same white space around them. So
//! the walk keeps, for each place where objects stand, the names that it has seen, each with what the map says of
//! it, and expects them again in the order of the last time. A name that comes as expected is compared and no more. This
//! is memory and no rule: a name that is not expected is looked up.
//!
//! It also tells names that occur twice: a place's names are numbered, and an object keeps a bit for each.

use std::ops::Range;

use consentry_model::NodeId;

use crate::fate::Act;
use crate::json::Container;

/// How many names of one place are kept, one bit each.
const NAMES_MAX: u32 = 64;
/// How many names of all places are kept.
const STEPS_MAX: usize = 4_096;
/// How many bytes of names and of what stands around them are kept.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// How many bytes of an expected name are compared in one go.
const HEAD: usize = 16;

/// A place, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShapeIx(u32);

/// A name of a place, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepIx(u32);

impl ShapeIx {
    /// No place is kept.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

impl StepIx {
    /// No name is kept.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// Places below a place, one for arrays and one for objects.
#[derive(Clone, Copy, Debug)]
struct Inner([ShapeIx; 2]);

impl Inner {
    const NONE: Self = Self([ShapeIx::NONE; 2]);

    const fn of(&mut self, container: Container) -> &mut ShapeIx {
        let Self([arrays, objects]) = self;
        match container {
            Container::Array => arrays,
            Container::Object => objects,
        }
    }
}

/// What is known of a name of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) node: Option<NodeId>,
    /// What becomes of a scalar with this name.
    pub(crate) act: Act,
    /// Whether it is on the way to a member that a record searches for.
    pub(crate) sought: bool,
}

/// A name of a place.
#[derive(Debug)]
pub(crate) struct Step {
    /// The first bytes of what is expected: name, colon and white space. The mask says how many count.
    head: u128,
    mask: u128,
    written: Range<u32>,
    name: Range<u32>,
    hash: u64,
    pub(crate) bit: u64,
    pub(crate) known: Known,
    next: StepIx,
    /// The name that came after it the last time.
    follow: StepIx,
    inner: Inner,
}

impl Step {
    /// How long the name is, in bytes, as it reads.
    pub(crate) fn name_bytes(&self) -> usize {
        self.name.len()
    }
}

#[derive(Debug)]
struct Shape {
    first: StepIx,
    last: StepIx,
    /// The name that came first the last time.
    follow: StepIx,
    count: u32,
    /// A bit for the hash of each name: most that are new are known to be so at once.
    seen: u64,
    /// The places below members that are not kept, and below elements.
    inner: Inner,
}

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    steps: Vec<Step>,
    text: Vec<u8>,
    nodes: Vec<Inner>,
}

impl Shapes {
    /// The place of the arrays or objects of a node.
    pub(crate) fn of_node(&mut self, node: NodeId, container: Container) -> ShapeIx {
        if self.nodes.len() <= node.index() {
            self.nodes.resize(node.index() + 1, Inner::NONE);
        }
        let Some(inner) = self.nodes.get_mut(node.index()) else { return ShapeIx::NONE };
        place(inner.of(container), &mut self.shapes)
    }

    /// The place of the arrays or objects that are the value of a name.
    pub(crate) fn below(&mut self, step: StepIx, container: Container) -> ShapeIx {
        let Some(step) = self.steps.get_mut(step.0 as usize) else { return ShapeIx::NONE };
        place(step.inner.of(container), &mut self.shapes)
    }

    /// The place of the arrays or objects that are elements, or values of names that are not kept.
    pub(crate) fn within(&mut self, shape: ShapeIx, container: Container) -> ShapeIx {
        let Some(within) = self.shapes.get_mut(shape.0 as usize) else { return ShapeIx::NONE };
        let mut ix = *within.inner.of(container);
        if place(&mut ix, &mut self.shapes) != ShapeIx::NONE
            && let Some(within) = self.shapes.get_mut(shape.0 as usize)
        {
            *within.inner.of(container) = ix;
        }
        ix
    }

    #[inline]
    pub(crate) fn step(&self, ix: StepIx) -> Option<&Step> {
        self.steps.get(ix.0 as usize)
    }

    /// The name that is expected after this one; at first, the place's first.
    #[inline]
    pub(crate) fn expected(&self, shape: ShapeIx, after: StepIx) -> StepIx {
        match self.step(after) {
            Some(step) => step.follow,
            None => self.shapes.get(shape.0 as usize).map_or(StepIx::NONE, |shape| shape.follow),
        }
    }

    /// Where the value begins, when the expected name begins at `at` with what is written around it.
    #[inline]
    pub(crate) fn is_next(&self, step: &Step, view: &[u8], at: usize) -> Option<usize> {
        let rest = view.get(at..)?;
        let head = u128::from_le_bytes(*rest.first_chunk::<HEAD>()?);
        let length = step.written.len();
        if (head ^ step.head) & step.mask != 0 || length == 0 {
            return None;
        }
        if length > HEAD && rest.get(HEAD..length)? != self.written(step)?.get(HEAD..)? {
            return None;
        }
        Some(at + length)
    }

    /// A name, as it reads.
    pub(crate) fn name(&self, step: &Step) -> &str {
        let name = self.text.get(step.name.start as usize..step.name.end as usize);
        name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    fn written(&self, step: &Step) -> Option<&[u8]> {
        self.text.get(step.written.start as usize..step.written.end as usize)
    }

    /// The name of a place, when it is kept.
    pub(crate) fn find(&self, shape: ShapeIx, name: &[u8]) -> StepIx {
        let Some(shape) = self.shapes.get(shape.0 as usize) else { return StepIx::NONE };
        let hash = hash(name);
        if shape.seen & bit(hash) == 0 {
            return StepIx::NONE;
        }
        let mut ix = shape.first;
        while let Some(step) = self.step(ix) {
            let there = || self.text.get(step.name.start as usize..step.name.end as usize);
            if step.hash == hash && there() == Some(name) {
                return ix;
            }
            ix = step.next;
        }
        StepIx::NONE
    }

    /// Keeps a name that is new to the place, unless there are too many.
    pub(crate) fn keep(&mut self, shape: ShapeIx, name: &[u8], known: Known) -> StepIx {
        let Some(shape) = self.shapes.get_mut(shape.0 as usize) else { return StepIx::NONE };
        if shape.count >= NAMES_MAX
            || self.steps.len() >= STEPS_MAX
            || self.text.len() + name.len() > TEXT_BYTES_MAX
        {
            return StepIx::NONE;
        }
        let Ok(ix) = u32::try_from(self.steps.len()).map(StepIx) else { return StepIx::NONE };
        let Some(name_at) = store(&mut self.text, name) else { return StepIx::NONE };
        let hash = hash(name);
        match self.steps.get_mut(shape.last.0 as usize) {
            Some(last) => last.next = ix,
            None => shape.first = ix,
        }
        let step = Step {
            head: 0,
            mask: 0,
            written: 0..0,
            name: name_at,
            hash,
            bit: 1 << shape.count,
            known,
            next: StepIx::NONE,
            follow: StepIx::NONE,
            inner: Inner::NONE,
        };
        shape.last = ix;
        shape.count += 1;
        shape.seen |= bit(hash);
        if self.steps.is_empty() {
            self.steps.reserve(32);
        }
        self.steps.push(step);
        ix
    }

    /// Notes that a name came after another, and how it was written.
    pub(crate) fn expect(&mut self, shape: ShapeIx, after: StepIx, ix: StepIx, written: &[u8]) {
        let follow = match self.steps.get_mut(after.0 as usize) {
            Some(step) => Some(&mut step.follow),
            None => self.shapes.get_mut(shape.0 as usize).map(|shape| &mut shape.follow),
        };
        if let Some(follow) = follow {
            *follow = ix;
        }
        let Some(step) = self.steps.get(ix.0 as usize) else { return };
        if self.written(step) == Some(written) || self.text.len() + written.len() > TEXT_BYTES_MAX {
            return;
        }
        let Some(at) = store(&mut self.text, written) else { return };
        let Some(step) = self.steps.get_mut(ix.0 as usize) else { return };
        step.written = at;
        (step.head, step.mask) = head(written);
    }
}

/// The place kept here; made when there is none yet.
fn place(ix: &mut ShapeIx, shapes: &mut Vec<Shape>) -> ShapeIx {
    if *ix == ShapeIx::NONE && shapes.len() < STEPS_MAX {
        *ix = u32::try_from(shapes.len()).map_or(ShapeIx::NONE, ShapeIx);
        if shapes.is_empty() {
            shapes.reserve(16);
        }
        shapes.push(Shape {
            first: StepIx::NONE,
            last: StepIx::NONE,
            follow: StepIx::NONE,
            count: 0,
            seen: 0,
            inner: Inner::NONE,
        });
    }
    *ix
}

fn store(text: &mut Vec<u8>, bytes: &[u8]) -> Option<Range<u32>> {
    let from = u32::try_from(text.len()).ok()?;
    let to = u32::try_from(text.len() + bytes.len()).ok()?;
    if text.is_empty() {
        text.reserve(1024);
    }
    text.extend_from_slice(bytes);
    Some(from..to)
}

/// The first bytes as a number, and ones for each that is there.
fn head(written: &[u8]) -> (u128, u128) {
    let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
    for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(written) {
        (*head, *mask) = (*byte, u8::MAX);
    }
    (u128::from_le_bytes(head), u128::from_le_bytes(mask))
}

/// Tells names apart; whoever makes two alike only makes the search longer, and there are at most 64.
fn hash(name: &[u8]) -> u64 {
    let head = match name.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => name.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)),
    };
    let tail = name.last_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
    (head ^ tail.rotate_left(29) ^ (name.len() as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

const fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}

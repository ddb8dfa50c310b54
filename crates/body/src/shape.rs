//! What the members of an object looked like the last time one stood in the same place.
//!
//! The records of a list are written alike: the same names in the same order, with the same white space around them. So
//! the walk keeps, for each place where objects stand, the names that it has seen, each with what the map says of
//! it, and expects them again in the order of the last time. A name that comes as expected is compared and no more. This
//! is memory and no rule: a name that is not expected is looked up.
//!
//! It also tells names that occur twice: a place's names are numbered, and an object keeps a bit for each.

use std::ops::Range;

use consentry_model::{NodeId, ScopeId};

use crate::fate::{Act, Fate, Place};
use crate::json::Container;
use crate::record::Sought;

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

    /// Its number among the places that are kept.
    pub(crate) fn index(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

impl StepIx {
    /// No name is kept.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// What is known of an array or object that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) fate: Option<Fate>,
    /// The record that it is.
    pub(crate) record: Option<ScopeId>,
    /// The inside of it; the node of its elements, and what becomes of those that are scalars.
    pub(crate) place: Place,
    pub(crate) node: Option<NodeId>,
    pub(crate) act: Act,
    /// Whether a record searches for a member of it.
    pub(crate) searched: bool,
    pub(crate) shape: ShapeIx,
}

/// An opening that is kept, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpeningIx(u32);

/// One thing for arrays and one for objects.
#[derive(Clone, Copy, Debug)]
struct Each<T>([T; 2]);

impl<T: Copy> Each<T> {
    const fn both(of: T) -> Self {
        Self([of; 2])
    }

    const fn of(&mut self, container: Container) -> &mut T {
        let Self([array, object]) = self;
        match container {
            Container::Array => array,
            Container::Object => object,
        }
    }

    const fn get(&self, container: Container) -> T {
        let Self([array, object]) = *self;
        match container {
            Container::Array => array,
            Container::Object => object,
        }
    }
}

const CLOSED: Each<OpeningIx> = Each::both(OpeningIx(u32::MAX));
const NO_SHAPE: Each<ShapeIx> = Each::both(ShapeIx::NONE);

/// What is known of a name of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) node: Option<NodeId>,
    /// What becomes of a scalar with this name.
    pub(crate) act: Act,
    /// Whether it is a member that a record searches for, or on the way to one.
    pub(crate) sought: Sought,
}

/// A name of a place.
#[derive(Debug)]
pub(crate) struct Step {
    /// The first bytes of what is expected: name, colon and white space. The mask says how many count.
    head: u128,
    mask: u128,
    length: u32,
    written: Range<u32>,
    name: Range<u32>,
    /// How long it is, as it reads.
    pub(crate) name_bytes: usize,
    hash: u64,
    pub(crate) bit: u64,
    pub(crate) known: Known,
    next: StepIx,
    /// The name that came after it the last time.
    pub(crate) follow: StepIx,
    opening: Each<OpeningIx>,
}

#[derive(Debug)]
struct Shape {
    first: StepIx,
    last: StepIx,
    /// The name that came first the last time.
    follow: StepIx,
    count: u32,
    /// Whether an object has stood there.
    met: bool,
    /// A bit for the hash of each name: most that are new are known to be so at once.
    seen: u64,
    /// Elements that are arrays or objects.
    opening: Each<OpeningIx>,
    /// The places below members that are not kept.
    spill: Each<ShapeIx>,
}

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    steps: Vec<Step>,
    text: Vec<u8>,
    nodes: Vec<Each<ShapeIx>>,
    openings: Vec<Opening>,
}

impl Shapes {
    /// The place of the arrays or objects of a node.
    pub(crate) fn of_node(&mut self, node: NodeId, container: Container) -> ShapeIx {
        if self.nodes.len() <= node.index() {
            self.nodes.reserve(node.index().saturating_add(32));
            self.nodes.resize(node.index() + 1, NO_SHAPE);
        }
        let Some(places) = self.nodes.get_mut(node.index()) else { return ShapeIx::NONE };
        place(places.of(container), &mut self.shapes)
    }

    /// The place of the arrays or objects that are values of names that are not kept.
    pub(crate) fn spilled(&mut self, shape: ShapeIx, container: Container) -> ShapeIx {
        let Some(within) = self.shapes.get(shape.0 as usize) else { return ShapeIx::NONE };
        let mut ix = within.spill.get(container);
        place(&mut ix, &mut self.shapes);
        if let Some(within) = self.shapes.get_mut(shape.0 as usize) {
            *within.spill.of(container) = ix;
        }
        ix
    }

    /// A place that is nowhere else.
    pub(crate) fn another(&mut self) -> ShapeIx {
        place(&mut ShapeIx::NONE.clone(), &mut self.shapes)
    }

    /// An object stands in this place. Answers whether it is the first, or nothing is kept of the place.
    pub(crate) fn meet(&mut self, shape: ShapeIx) -> bool {
        self.shapes.get_mut(shape.0 as usize).is_none_or(|shape| !std::mem::replace(&mut shape.met, true))
    }

    /// What is known of the value of a name, or else of an element of a place.
    #[inline]
    pub(crate) fn opening(
        &self,
        step: StepIx,
        elements_of: ShapeIx,
        container: Container,
    ) -> Option<Opening> {
        let ix = match self.step(step) {
            Some(step) => step.opening.get(container),
            None => self.shapes.get(elements_of.0 as usize)?.opening.get(container),
        };
        self.openings.get(ix.0 as usize).copied()
    }

    /// Keeps the same.
    pub(crate) fn keep_opening(
        &mut self,
        step: StepIx,
        elements_of: ShapeIx,
        container: Container,
        opening: Opening,
    ) {
        let Ok(ix) = u32::try_from(self.openings.len()).map(OpeningIx) else { return };
        let kept = match self.steps.get_mut(step.0 as usize) {
            Some(step) => step.opening.of(container),
            None => match self.shapes.get_mut(elements_of.0 as usize) {
                Some(shape) => shape.opening.of(container),
                None => return,
            },
        };
        *kept = ix;
        self.openings.push(opening);
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
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is most of what is done for most members")]
    pub(crate) fn is_next(&self, step: &Step, view: &[u8], at: usize) -> Option<usize> {
        let rest = view.get(at..)?;
        let head = u128::from_le_bytes(*rest.first_chunk::<HEAD>()?);
        if (head ^ step.head) & step.mask != 0 || step.length == 0 {
            return None;
        }
        let length = step.length as usize;
        if length > HEAD && rest.get(HEAD..length)? != self.written(step)?.get(HEAD..)? {
            return None;
        }
        Some(at.wrapping_add(length))
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
            length: 0,
            written: 0..0,
            name_bytes: name.len(),
            name: name_at,
            hash,
            bit: 1 << shape.count,
            known,
            next: StepIx::NONE,
            follow: StepIx::NONE,
            opening: CLOSED,
        };
        shape.last = ix;
        shape.count += 1;
        shape.seen |= bit(hash);
        if self.steps.is_empty() {
            self.steps.reserve(64);
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
        (step.length, step.written) = (at.end - at.start, at);
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
            met: false,
            seen: 0,
            opening: CLOSED,
            spill: NO_SHAPE,
        });
    }
    *ix
}

fn store(text: &mut Vec<u8>, bytes: &[u8]) -> Option<Range<u32>> {
    let from = u32::try_from(text.len()).ok()?;
    let to = u32::try_from(text.len() + bytes.len()).ok()?;
    if text.is_empty() {
        text.reserve(4096);
    }
    text.extend_from_slice(bytes);
    Some(from..to)
}

/// The first bytes as a number, and ones for each that is there.
fn head(written: &[u8]) -> (u128, u128) {
    let length = written.len().min(HEAD);
    let mut head = [0; HEAD];
    if let (Some(to), Some(from)) = (head.get_mut(..length), written.get(..length)) {
        to.copy_from_slice(from);
    }
    let mask = if length == HEAD { u128::MAX } else { (1 << (8 * length)) - 1 };
    (u128::from_le_bytes(head), mask)
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

//! From the tape and the verdicts to bytes.

use std::borrow::Cow;

use consentry_model::{ClassId, Emptied, Field, FieldMap, Ladder, Treatment};

use crate::error::Fault;
use crate::forms::{self, ShortText};
use crate::json::{unescape, write_string};
use crate::out::{Out, Written};
use crate::tally::Tally;
use crate::tape::{At, Kind, Leaf, Op};
use crate::walk::Walk;
use crate::{Decide, Pseudonyms, SubjectIx};

/// A record that is being written, and what it takes to leave it out again.
#[derive(Debug)]
struct Begun {
    level: usize,
    out_len: usize,
    copying: (At, At),
    siblings: bool,
    emptied: Emptied,
    /// Whether it has a personal value, and whether one was kept.
    personal: bool,
    kept: bool,
}

/// What outlives a window.
#[derive(Debug)]
pub(crate) struct Emitter {
    /// For each open array or object, whether something was written in it already.
    pub(crate) any: Vec<bool>,
    pseudonyms: Option<Pseudonyms>,
    pub(crate) tally: Tally,
}

impl Emitter {
    pub(crate) fn new() -> Self {
        let mut any = Vec::with_capacity(8);
        any.push(false);
        Self { any, pseudonyms: None, tally: Tally::default() }
    }

    /// What became of everything written so far.
    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn use_pseudonyms(&mut self, pseudonyms: Option<Pseudonyms>) {
        self.pseudonyms = pseudonyms;
    }

    /// Whether the root value was written, or at least begun.
    pub(crate) fn has_value(&self) -> bool {
        self.any.first().copied().unwrap_or(false)
    }

    /// Writes a window.
    pub(crate) fn window(
        &mut self,
        out: Out<'_>,
        walk: &Walk,
        decide: &dyn Decide,
    ) -> Result<Written, Fault> {
        let mut pass = Pass {
            emitter: self,
            walk,
            decide,
            out,
            copying: (0, 0),
            begun: Vec::new(),
            skip: 0,
            skip_is_null: false,
        };
        for op in &walk.tape.ops {
            pass.op(op).ok_or(Fault::internal(0))?;
        }
        pass.flush().ok_or(Fault::internal(0))?;
        let out = pass.out.finish();
        self.tally.undeclared = self.tally.undeclared.saturating_add(walk.tape.undeclared);
        self.tally.records = self.tally.records.saturating_add(walk.tape.records);
        Ok(out)
    }
}

/// The writing of one window. Its methods answer `None` when the tape does not fit the text, which never happens.
pub(crate) struct Pass<'a> {
    pub(crate) emitter: &'a mut Emitter,
    pub(crate) walk: &'a Walk,
    pub(crate) decide: &'a dyn Decide,
    pub(crate) out: Out<'a>,
    /// The stretch of the text that comes next; it is copied when something else does.
    pub(crate) copying: (At, At),
    begun: Vec<Begun>,
    /// How many arrays deep the writing is in one that is withheld as a whole.
    skip: usize,
    /// Whether that one has `null` in its place.
    skip_is_null: bool,
}

impl<'a> Pass<'a> {
    fn op(&mut self, op: &Op) -> Option<()> {
        match *op {
            Op::Enter { .. } | Op::EnterLeaf { .. } if self.skip > 0 => self.skip += 1,
            Op::Leave { from, end } if self.skip > 0 => self.leave_withheld(from, end)?,
            Op::Verbatim { .. } | Op::Value { .. } if self.skip > 0 => {}
            Op::Verbatim { start, end } => self.child(start, end)?,
            Op::Enter { start, open_end } => self.enter(start, open_end)?,
            Op::EnterRecord { start, open_end, scope } => {
                self.enter_record(start, open_end, self.map().scope(scope)?.emptied)?;
            }
            Op::EnterLeaf { start, open_end, leaf } => self.enter_leaf(start, open_end, leaf)?,
            Op::Leave { from, end } => self.leave(from, end)?,
            Op::Value { .. } => self.value(op)?,
            Op::Row(row) => self.row(&row, self.walk.replay.get(row.template)?)?,
        }
        Some(())
    }

    /// Copies a stretch that begins a child, after a comma where one is due.
    #[inline]
    pub(crate) fn child(&mut self, start: At, end: At) -> Option<()> {
        let any = self.emitter.any.last_mut()?;
        if std::mem::replace(any, true) {
            if self.copying.1.checked_add(1) == Some(start) {
                // Only the comma between the two lies between.
                self.copying.1 = end;
                return Some(());
            }
            self.flush()?;
            self.out.put(b",", start)?;
        }
        self.copy(start, end)
    }

    #[inline]
    fn copy(&mut self, start: At, end: At) -> Option<()> {
        if self.copying.1 != start {
            self.flush()?;
            self.copying.0 = start;
        }
        self.copying.1 = end;
        Some(())
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most values")]
    pub(crate) fn flush(&mut self) -> Option<()> {
        let (start, end) = self.copying;
        self.copying.0 = end;
        self.out.take(start, end)
    }

    pub(crate) fn enter(&mut self, start: At, open_end: At) -> Option<()> {
        self.child(start, open_end)?;
        self.emitter.any.push(false);
        Some(())
    }

    pub(crate) fn enter_record(&mut self, start: At, open_end: At, emptied: Emptied) -> Option<()> {
        if emptied == Emptied::Omit {
            // What comes before stays, whatever becomes of the record.
            self.flush()?;
        }
        let siblings = *self.emitter.any.last()?;
        let (level, out_len, copying) = (self.emitter.any.len(), self.out.len(), self.copying);
        self.begun.push(Begun { level, out_len, copying, siblings, emptied, personal: false, kept: false });
        self.enter(start, open_end)
    }

    /// Writes a text as a string, instead of a value that ends at `until`.
    pub(crate) fn write(&mut self, text: &str, until: At) -> Option<()> {
        let mut string = Vec::with_capacity(text.len().saturating_add(2));
        write_string(text, &mut string);
        self.out.put(&string, until)
    }

    fn enter_leaf(&mut self, start: At, open_end: At, leaf: Leaf) -> Option<()> {
        let treatment = self.treatment(leaf)?;
        self.tally(treatment == Treatment::Clear);
        if treatment == Treatment::Withheld {
            self.emitter.tally.count(leaf.node, Treatment::Withheld);
            self.skip = 1;
            self.skip_is_null = self.map().is_null_when_withheld(leaf.node);
            if self.skip_is_null {
                self.null(start, open_end.checked_sub(1)?, open_end)?;
            }
            return Some(());
        }
        self.enter(start, open_end)
    }

    /// An array ends in one that is withheld as a whole, or that one does.
    fn leave_withheld(&mut self, from: At, end: At) -> Option<()> {
        self.skip -= 1;
        if self.skip > 0 || !self.skip_is_null {
            return Some(());
        }
        // The white space of an empty array is its own, and comes before the bracket.
        let rest = self.out.text().get(from as usize..end as usize)?;
        let inside = rest.iter().position(|byte| *byte == b']')?;
        self.copy(from.checked_add(At::try_from(inside).ok()?)?.checked_add(1)?, end)
    }

    /// Writes a child whose value, which begins at `value`, is `null`; at least the value up to `until` gives way.
    fn null(&mut self, start: At, value: At, until: At) -> Option<()> {
        self.child(start, value)?;
        self.flush()?;
        self.out.put(b"null", until)
    }

    fn leave(&mut self, from: At, end: At) -> Option<()> {
        self.emitter.any.pop()?;
        let level = self.emitter.any.len();
        let Some(record) = self.begun.pop_if(|record| record.level == level) else {
            return self.copy(from, end);
        };
        if let Some(outer) = self.begun.last_mut() {
            outer.personal |= record.personal;
            outer.kept |= record.kept;
        }
        if record.personal && !record.kept && record.emptied == Emptied::Omit {
            return self.leave_out((record.out_len, record.copying, record.siblings));
        }
        self.copy(from, end)
    }

    /// Goes back to before a record that is left out.
    pub(crate) fn leave_out(&mut self, (out_len, copying, siblings): (usize, (At, At), bool)) -> Option<()> {
        self.out.truncate(out_len);
        self.copying = copying;
        *self.emitter.any.last_mut()? = siblings;
        self.emitter.tally.omitted = self.emitter.tally.omitted.saturating_add(1);
        Some(())
    }

    fn value(&mut self, op: &Op) -> Option<()> {
        let Op::Value { start, value, value_end, end, kind, leaf } = *op else { return None };
        let Some(Field::Class(class, ladder)) = self.map().field(leaf.node) else {
            return self.null_of_all(start, end, leaf);
        };
        let treatment = self.granted(self.walk.tape.subject(leaf.owner)?, class, &ladder);
        if kind == Kind::Text
            && let Some(short) = self.short_form(value, value_end, &ladder, treatment)
        {
            self.emitter.tally.count(leaf.node, treatment);
            self.child(start, value)?;
            self.flush()?;
            self.out.put_short(&short.bytes, short.length, value_end)?;
            self.copy(value_end, end)?;
            self.kept();
            return Some(());
        }
        let altered = match treatment {
            Treatment::Clear => {
                self.child(start, end)?;
                self.kept();
                return Some(());
            }
            Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised => {
                self.alter(value, value_end, kind, class, &ladder, treatment)
            }
            Treatment::Withheld => None,
        };
        let Some(altered) = altered else {
            self.emitter.tally.count(leaf.node, Treatment::Withheld);
            self.tally(false);
            if kind != Kind::Object && self.map().names_itself_at(leaf.node).is_some() {
                self.emitter.tally.omitted = self.emitter.tally.omitted.saturating_add(1);
            }
            if self.map().is_null_when_withheld(leaf.node) {
                self.null(start, value, value_end)?;
                self.copy(value_end, end)?;
            }
            return Some(());
        };
        self.emitter.tally.count(leaf.node, treatment);
        self.child(start, value)?;
        self.flush()?;
        self.write(&altered, value_end)?;
        self.copy(value_end, end)?;
        self.kept();
        Some(())
    }

    /// A `null` instead of an array or object: it stays where each value that could stand in that would stay as it is.
    fn null_of_all(&mut self, start: At, end: At, leaf: Leaf) -> Option<()> {
        let subject = self.walk.tape.subject(leaf.owner)?;
        let mut classes = self.map().null_of(leaf.node)?.iter();
        if classes.all(|class| self.decide.treatment(subject, *class) == Treatment::Clear) {
            self.child(start, end)?;
            self.kept();
        } else {
            self.emitter.tally.count(leaf.node, Treatment::Withheld);
            self.tally(false);
        }
        Some(())
    }

    /// The form of plain ASCII text, with its quotes, where it is short and plain itself. What it does not know, `alter`
    /// does; where it knows, both agree.
    #[inline]
    pub(crate) fn short_form(
        &self,
        value: At,
        value_end: At,
        ladder: &Ladder,
        treatment: Treatment,
    ) -> Option<forms::Short> {
        if !matches!(treatment, Treatment::Truncated | Treatment::Masked) {
            return None;
        }
        let from = (value as usize).checked_add(1)?;
        let length = (value_end as usize).checked_sub(from)?.checked_sub(1)?;
        let text = ShortText::at(self.out.text(), from, length)?;
        if treatment == Treatment::Masked {
            text.mask(ladder.masked?)
        } else {
            text.truncate(ladder.truncated?)
        }
    }

    /// The value in its less revealing form; `None` when the form cannot read it. A number has none but its code.
    pub(crate) fn alter(
        &self,
        value: At,
        value_end: At,
        kind: Kind,
        class: ClassId,
        ladder: &Ladder,
        treatment: Treatment,
    ) -> Option<String> {
        let raw = std::str::from_utf8(self.out.text().get(value as usize..value_end as usize)?).ok()?;
        let text = match (kind, treatment) {
            (Kind::Text, _) => unescape(raw.get(1..raw.len().checked_sub(1)?)?).ok()?,
            (Kind::Number, Treatment::Pseudonymised) => Cow::Borrowed(raw),
            (Kind::Number | Kind::Literal | Kind::Object, _) => return None,
        };
        match treatment {
            Treatment::Truncated => forms::truncate(ladder.truncated?, &text),
            Treatment::Masked => forms::mask(ladder.masked?, &text),
            Treatment::Pseudonymised => Some(self.emitter.pseudonyms.as_ref()?.code(class, &text)),
            Treatment::Clear | Treatment::Withheld => None,
        }
    }

    /// What the verdict makes of a leaf: a form that its ladder lacks is withheld, and so is a code without a key.
    fn treatment(&self, leaf: Leaf) -> Option<Treatment> {
        let Some(Field::Class(class, ladder)) = self.map().field(leaf.node) else { return None };
        Some(self.granted(self.walk.tape.subject(leaf.owner)?, class, &ladder))
    }

    /// The same for a class and its ladder.
    #[inline]
    pub(crate) fn granted(&self, subject: SubjectIx, class: ClassId, ladder: &Ladder) -> Treatment {
        let asked = self.decide.treatment(subject, class);
        let known = ladder.has(asked);
        let keyed = asked != Treatment::Pseudonymised || self.emitter.pseudonyms.is_some();
        if known && keyed { asked } else { Treatment::Withheld }
    }

    fn kept(&mut self) {
        self.emitter.tally.personal_kept = self.emitter.tally.personal_kept.saturating_add(1);
        self.tally(true);
    }

    pub(crate) fn tally(&mut self, kept: bool) {
        if let Some(record) = self.begun.last_mut() {
            record.personal = true;
            record.kept |= kept;
        }
    }

    fn map(&self) -> &FieldMap {
        self.walk.map()
    }
}

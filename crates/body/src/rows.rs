//! The writing of records and bodies that are like others.

use consentry_model::{Emptied, Treatment};

use crate::emit::Pass;
use crate::tape::{At, Kind};
use crate::template::{Datum, Relative, Row, Template};

impl<'a> Pass<'a> {
    /// Writes a record that is like another, or all of it up to its closing bracket.
    pub(crate) fn row(&mut self, row: &Row, template: &'a Template) -> Option<()> {
        let open_end = row.start.checked_add(1)?;
        let Some(emptied) = template.emptied else {
            self.enter(row.mark, open_end)?;
            return self.members(row, template).map(drop);
        };
        if row.end == row.bracket {
            self.enter_record(row.mark, open_end, emptied)?;
            return self.members(row, template).map(drop);
        }
        if emptied == Emptied::Omit {
            // What comes before stays, whatever becomes of the record.
            self.flush()?;
        }
        let before = (self.out.len(), self.copying, *self.emitter.any.last()?);
        self.child(row.mark, open_end)?;
        let (personal, kept) = self.members(row, template)?;
        if personal && !kept && emptied == Emptied::Omit {
            return self.leave_out(before);
        }
        self.copying.1 = row.end;
        Some(())
    }

    /// Writes the members of one, and says whether it has a personal value, and whether one was kept.
    fn members(&mut self, row: &Row, template: &'a Template) -> Option<(bool, bool)> {
        let walk = self.walk;
        let there = walk.tape.marks.get(row.marks as usize..)?;
        let subject = walk.tape.subject(row.owner);
        let place = |relative: Relative| Some(there.get(relative.mark)?.wrapping_add(relative.offset));
        // Whether a child of the container stays that is before this one.
        let mut any = false;
        let (mut kept, mut gone) = (0, 0);
        for part in &template.parts {
            any = part.after_some || any && !part.first;
            let stays = match &part.value {
                Some(datum) => {
                    let treatment = self.granted(subject?, datum.class, &datum.ladder);
                    let stays = match treatment {
                        Treatment::Clear => true,
                        Treatment::Withheld => false,
                        Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised => {
                            let (value, value_end) = (*there.get(datum.mark)?, *there.get(datum.mark + 1)?);
                            self.row_value(value, value_end, datum, treatment)?
                        }
                    };
                    if stays {
                        kept += 1;
                    } else {
                        gone += 1;
                        self.emitter.tally.count(datum.node, Treatment::Withheld);
                    }
                    stays
                }
                None => false,
            };
            if stays {
                any = true;
                continue;
            }
            // With what goes, one comma goes: the one before it, or else the one after it.
            let (from, to) = (place(part.start)?, place(part.end)?);
            self.copying.1 = if any { from.checked_sub(1)? } else { from };
            self.flush()?;
            let next = if any || part.last { to } else { to.checked_add(1)? };
            self.copying = (next, next);
        }
        self.copying.1 = row.bracket;
        self.emitter.tally.personal_kept = self.emitter.tally.personal_kept.saturating_add(kept);
        let (personal, kept) = (kept > 0 || gone > 0, kept > 0);
        if personal {
            self.tally(kept);
        }
        Some((personal, kept))
    }

    /// Writes the less revealing form of a value of a record that is like another, in its place. Answers whether there
    /// is one.
    #[inline]
    fn row_value(&mut self, value: At, value_end: At, datum: &Datum, treatment: Treatment) -> Option<bool> {
        let kind = match *self.out.text().get(value as usize)? {
            b'"' => Kind::Text,
            b'-' | b'0'..=b'9' => Kind::Number,
            _ => Kind::Literal,
        };
        let short = match kind {
            Kind::Text => self.short_form(value, value_end, &datum.ladder, treatment),
            Kind::Number | Kind::Literal | Kind::Object => None,
        };
        let altered = match short {
            Some(_) => None,
            None => self.alter(value, value_end, kind, datum.class, &datum.ladder, treatment),
        };
        if short.is_none() && altered.is_none() {
            return Some(false);
        }
        self.emitter.tally.count(datum.node, treatment);
        self.copying.1 = value;
        self.flush()?;
        match short {
            Some(short) => self.out.put_short(&short.bytes, short.length, value_end)?,
            None => self.write(&altered?, value_end)?,
        }
        self.copying = (value_end, value_end);
        Some(true)
    }
}

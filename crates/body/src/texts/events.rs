//! Server-sent events (HTML Standard, section 9.2) whose data is JSON.

use std::sync::Arc;

use bytes::Bytes;
use consentry_model::{Field, FieldMap};

use super::Unit;
use super::fields::{Line, end_of_line, lines};
use crate::asked::Asked;
use crate::error::{BodyFault, Fault};
use crate::turns::Media;
use crate::{Decide, Limits, Pseudonyms, RecordSubject, Report};

const MARK: &[u8] = b"\xef\xbb\xbf";
/// The fields beside the data that may be declared. They say nothing about a person.
const BESIDE: [&str; 3] = ["event", "id", "retry"];
/// With this many a service says that there is no more. It is no JSON, and tells nothing of anybody.
const DONE: &str = "[DONE]";

/// What stands in the window.
#[expect(clippy::large_enum_variant, reason = "comments are few, and a box for each event would cost more")]
enum Held {
    Event(Event),
    /// A comment before an event: it keeps a connection open, and whoever waits for that does not wait for an event. It may
    /// not say more; whether it does is what is kept of it.
    Comment(bool),
}

/// An event that waits for its verdicts.
struct Event {
    /// As it came, without a mark.
    unit: Bytes,
    /// The lines that stay, with the place of the data among them.
    kept: Vec<Kept>,
    data: Option<(String, Unit)>,
    undeclared: u64,
}

enum Kept {
    Line(String),
    Data,
}

/// What the unit is that was framed last.
#[derive(Clone, Copy, Debug)]
enum Framed {
    /// It ends with a blank line.
    Whole,
    Comment,
    /// The body ended in it.
    Cut,
}

/// A stream of events.
pub(crate) struct Events {
    map: FieldMap,
    data: Arc<FieldMap>,
    limits: Limits,
    /// Where the line begins that is being looked for the end of.
    line: usize,
    /// How much of the view is known to hold no end of that line.
    seen: usize,
    begun: bool,
    framed: Framed,
    held: Vec<Held>,
}

impl Events {
    /// The map names what an event says: `data` and what lies in it, `event`, `id`, `retry`.
    pub(crate) fn new(map: &FieldMap, limits: Limits) -> Result<Self, BodyFault> {
        let data = map.member(map.root(), "data").ok_or(BodyFault::Undeclared)?;
        let (data, map) = (Arc::new(map.below(data)), map.clone());
        Ok(Self { map, data, limits, line: 0, seen: 0, begun: false, framed: Framed::Cut, held: Vec::new() })
    }

    fn event(&self, unit: Bytes, asked: &mut Asked) -> Result<Event, Fault> {
        let (mut kept, mut undeclared, mut data) = (Vec::new(), 0_u64, None::<String>);
        for line in lines(text(&unit)?) {
            match line {
                Line::Blank => {}
                // It keeps a connection open, and may not say more.
                Line::Comment(comment) => {
                    kept.push(Kept::Line(":".to_owned()));
                    undeclared += u64::from(!comment.is_empty());
                }
                Line::Field { name: "data", value, .. } => match &mut data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => {
                        data = Some(value.to_owned());
                        kept.push(Kept::Data);
                    }
                },
                Line::Field { name, value, raw } if self.passes(name, value) => {
                    kept.push(Kept::Line(raw.to_owned()));
                }
                Line::Field { .. } => undeclared += 1,
            }
        }
        let data = match data {
            // There is nothing in data that is empty; some keep a connection open with it.
            Some(text) if text.is_empty() => None,
            // Nothing else of that event goes on.
            Some(text) if text == DONE => {
                let declared = |kept: &&Kept| matches!(kept, Kept::Line(line) if line != ":");
                undeclared += kept.iter().filter(declared).count() as u64;
                kept = vec![Kept::Line(format!("data: {DONE}"))];
                None
            }
            None => None,
            Some(text) => {
                let owner = &RecordSubject::Request;
                let unit = Unit::read(&self.data, self.limits, text.as_bytes(), owner, asked);
                // The event is complete: its data is not cut short.
                let cut = |kind| if kind == BodyFault::Truncated { BodyFault::Malformed } else { kind };
                let unit = unit.map_err(|kind| Fault::new(cut(kind), 0))?;
                Some((text, unit))
            }
        };
        Ok(Event { unit, kept, data, undeclared })
    }

    fn passes(&self, name: &str, value: &str) -> bool {
        let declared = || self.map.member(self.map.root(), name).and_then(|node| self.map.field(node));
        // What whoever reads the stream would not take is not passed on.
        let reads = match name {
            "retry" => !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()),
            _ => !value.contains('\0'),
        };
        BESIDE.contains(&name) && reads && declared() == Some(Field::Open)
    }
}

impl Media for Events {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        let first = if !self.begun && view.starts_with(MARK) { MARK.len() } else { 0 };
        while let Some((end, next)) = end_of_line(view, self.seen, last) {
            let line = self.line.max(first);
            let framed = match view.get(line..end) {
                Some([]) => Some(Framed::Whole),
                Some([b':', ..]) if line == first => Some(Framed::Comment),
                _ => None,
            };
            (self.line, self.seen) = (next, next);
            if let Some(framed) = framed {
                (self.line, self.seen, self.framed) = (0, 0, framed);
                return Ok(Some(next));
            }
        }
        // What is no whole event at the end is none (section 9.2.6), and nobody takes it.
        if last {
            (self.line, self.seen, self.framed) = (0, 0, Framed::Cut);
            return Ok(Some(view.len()));
        }
        // Whether a carriage return is the whole end is told by what comes next.
        self.seen = view.len() - usize::from(view.ends_with(b"\r"));
        Ok(None)
    }

    fn take(&mut self, unit: Bytes, asked: &mut Asked) -> Result<(), Fault> {
        let marked = !self.begun && unit.starts_with(MARK);
        self.begun = true;
        let unit = if marked { unit.slice(MARK.len()..) } else { unit };
        match self.framed {
            Framed::Whole => {
                let event = self.event(unit, asked)?;
                self.held.push(Held::Event(event));
            }
            Framed::Comment => {
                let says =
                    matches!(lines(text(&unit)?).next(), Some(Line::Comment(text)) if !text.is_empty());
                self.held.push(Held::Comment(says));
            }
            Framed::Cut => {}
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Asked) -> Result<(), BodyFault> {
        Ok(())
    }

    fn undeclared(&self) -> u64 {
        let one = |held: &Held| match held {
            Held::Event(event) => {
                event.undeclared + event.data.as_ref().map_or(0, |(_, unit)| unit.undeclared())
            }
            Held::Comment(says) => u64::from(*says),
        };
        self.held.iter().map(one).sum()
    }

    fn write(
        &mut self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        for held in self.held.drain(..) {
            let Event { unit, kept, data, undeclared } = match held {
                Held::Event(event) => event,
                Held::Comment(says) => {
                    report.undeclared = report.undeclared.saturating_add(u64::from(says));
                    out.extend_from_slice(b":\n");
                    continue;
                }
            };
            report.undeclared = report.undeclared.saturating_add(undeclared);
            let (was, left) = match data {
                None => (None, None),
                Some((was, text)) => match text.write(decide, key, report)? {
                    Some(left) => (Some(was), Some(left)),
                    // Not even that there was an event.
                    None => continue,
                },
            };
            let same = was.as_ref().map(String::as_bytes) == left.as_deref();
            if same && undeclared == 0 {
                out.extend_from_slice(&unit);
            } else {
                rewrite(&kept, left.as_deref().unwrap_or_default(), out);
            }
        }
        Ok(())
    }

    fn is_live(&self) -> bool {
        true
    }
}

fn text(unit: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(unit).map_err(|e| Fault::new(BodyFault::InvalidUtf8, e.valid_up_to()))
}

fn rewrite(kept: &[Kept], data: &[u8], out: &mut Vec<u8>) {
    for line in kept {
        match line {
            Kept::Line(raw) => {
                out.extend_from_slice(raw.as_bytes());
                out.push(b'\n');
            }
            Kept::Data => {
                for piece in data.split(|b| *b == b'\n') {
                    out.extend_from_slice(b"data: ");
                    out.extend_from_slice(piece);
                    out.push(b'\n');
                }
            }
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::framed::Frame;
    use crate::texts::lines::Lines;
    use crate::texts::sequence::Sequence;

    /// Whoever read again what was read before would find the ends that stand in its place by now.
    #[test]
    fn what_comes_byte_by_byte_is_read_on_from_where_it_broke_off() {
        type Reads = Box<dyn FnMut(&[u8]) -> Result<Option<usize>, Fault>>;
        type Row = (&'static str, &'static [u8], u8, &'static [u8], usize, Reads);
        let data = FieldMap::builder().leaf("data.id", Field::Open).unwrap().build();
        let mut events = Events::new(&data, Limits::default()).unwrap();
        let (mut lines, mut sequence) = (Lines::default(), Sequence::default());
        let readers: [Row; 3] = [
            ("an event", b"", b'\n', b"\n\n", 2, Box::new(move |view| events.frame(view, false))),
            ("a line", b"", b'\n', b"\n", 1, Box::new(move |view| lines.frame(view, false))),
            ("a text", b"\x1e", 0x1e, b"\n\x1e", 1, Box::new(move |view| sequence.frame(view, false))),
        ];
        for (name, begins, end, ends, own, mut frame) in readers {
            let mut view = begins.to_vec();
            for _ in 0..1_000 {
                view.push(b'x');
                assert_eq!(frame(&view).ok(), Some(None), "{name} after {} bytes", view.len());
                *view.last_mut().unwrap() = end;
            }
            let whole = view.len() + own;
            for byte in ends {
                view.push(*byte);
                let expected = (view.len() == begins.len() + 1_000 + ends.len()).then_some(whole);
                assert_eq!(frame(&view).ok(), Some(expected), "{name} at its end");
            }
        }
    }
}

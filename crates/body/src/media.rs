//! One redactor for every media type, with the same turns.

use std::sync::Arc;

use bytes::Bytes;
use consentry_model::{FieldMap, Format};

use crate::csv::Table;
use crate::form::Form;
use crate::multipart::{Parts, is_boundary};
use crate::nested::Text;
use crate::texts::{Events, Framed, Lines, Sequence};
use crate::turns::{Media, Turns};
use crate::whole::Whole;
use crate::{BodyError, BodyFault, Decide, Limits, Pseudonyms, Report, Step};

/// A streaming redactor of one body of a known media type. Call [`step`](Self::step) until it asks for something, give it
/// that, and go on until it is done. How the input is cut into pieces changes nothing of the bytes that come out.
///
/// After an error it stays in that error, and what it held is gone.
#[derive(Debug)]
pub struct Redactor {
    kind: Kind,
    /// How many bytes came, where all of them have to be ASCII.
    ascii: Option<u64>,
}

#[derive(Debug)]
enum Kind {
    Json(Box<Text>),
    Other(Box<Turns>),
    /// A byte came that is none of the charset's.
    Foreign(BodyError, Report),
}

/// How a body is to be read, beyond its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The format.
    pub format: Format,
    /// What divides the parts of [`Format::Multipart`], without its hyphens; others have none.
    pub boundary: Option<Box<str>>,
    /// Whether it is said to be in a charset of which ASCII alone is the same in UTF-8: any other byte is
    /// [`BodyFault::InvalidUtf8`].
    pub ascii: bool,
    /// Whether whoever reads it waits for each of its units, as whoever reads events always does. Of no account for
    /// [`Format::Json`], which has none.
    pub live: bool,
}

impl Reading {
    /// A format that needs no boundary, in UTF-8.
    #[must_use]
    pub const fn of(format: Format) -> Self {
        Self { format, boundary: None, ascii: false, live: false }
    }
}

impl Redactor {
    /// A redactor for one body.
    ///
    /// # Errors
    /// When the map does not fit the format, or a multipart body has no boundary that RFC 2046 knows.
    pub fn new(reading: &Reading, map: Arc<FieldMap>, limits: Limits) -> Result<Self, BodyError> {
        let at_start = |fault: BodyFault| BodyError::new(fault, 0);
        let other = |media: Box<dyn Media>| Kind::Other(Box::new(Turns::new(media, limits, reading.live)));
        let kind = match reading.format {
            Format::Json => Kind::Json(Box::new(Text::new(map, limits).map_err(at_start)?)),
            Format::Whole => other(Box::new(Whole::new(&map).map_err(at_start)?)),
            Format::JsonLines => other(Box::new(Framed::new(Lines::default(), map, limits))),
            Format::JsonSequence => other(Box::new(Framed::new(Sequence::default(), map, limits))),
            Format::Events => other(Box::new(Events::new(&map, limits).map_err(at_start)?)),
            Format::Form => other(Box::new(Form::new(map, limits))),
            Format::Csv => other(Box::new(Table::new(map, limits))),
            Format::Multipart => {
                let boundary = reading.boundary.clone().filter(|text| is_boundary(text));
                let boundary = boundary.ok_or_else(|| at_start(BodyFault::PartUnreadable))?;
                other(Box::new(Parts::new(map, boundary, limits)))
            }
        };
        Ok(Self { kind, ascii: reading.ascii.then_some(0) })
    }

    /// The same with a key for the values that leave pseudonymised; without one they are withheld.
    #[must_use]
    pub fn with_pseudonyms(mut self, key: Pseudonyms) -> Self {
        self.use_pseudonyms(Some(key));
        self
    }

    /// Takes another key for what is released from now on, what was read before included; without one it is withheld.
    pub fn use_pseudonyms(&mut self, key: Option<Pseudonyms>) {
        match &mut self.kind {
            Kind::Json(json) => json.use_pseudonyms(key),
            Kind::Other(other) => other.use_pseudonyms(key),
            Kind::Foreign(..) => {}
        }
    }

    /// Takes the next bytes of the body. They are copied, and read by [`step`](Self::step); to hold no more than the
    /// limits say, push only when it asks.
    ///
    /// # Errors
    /// After [`end`](Self::end), after an earlier error, or with the first byte that the body's charset does not share with
    /// UTF-8.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        if let Some(passed) = &mut self.ascii {
            if let Some(at) = bytes.iter().position(|b| !b.is_ascii()) {
                let error = BodyError::new(BodyFault::InvalidUtf8, passed.saturating_add(at as u64));
                if !matches!(self.kind, Kind::Foreign(..)) {
                    self.kind = Kind::Foreign(error, self.report().clone());
                }
            } else {
                *passed = passed.saturating_add(bytes.len() as u64);
            }
        }
        match &mut self.kind {
            Kind::Json(json) => json.push(bytes),
            Kind::Other(other) => other.push(bytes),
            Kind::Foreign(error, _) => Err(*error),
        }
    }

    /// Says that the body has no more bytes. Whether it is complete is known when the rest has been read.
    ///
    /// # Errors
    /// The second time, or after an earlier error.
    pub fn end(&mut self) -> Result<(), BodyError> {
        match &mut self.kind {
            Kind::Json(json) => json.end(),
            Kind::Other(other) => other.end(),
            Kind::Foreign(error, _) => Err(*error),
        }
    }

    /// Reads on until something is needed. Asked again, it needs the same again.
    ///
    /// # Errors
    /// When the body is not one that may pass; see [`BodyFault`].
    pub fn step(&mut self) -> Result<Step, BodyError> {
        match &mut self.kind {
            Kind::Json(json) => json.step(),
            Kind::Other(other) => other.step(),
            Kind::Foreign(error, _) => Err(*error),
        }
    }

    /// Takes the verdicts on the window that [`step`](Self::step) asked for, and hands its bytes out. They may be none.
    ///
    /// # Errors
    /// When no verdicts were asked for, after an earlier error, or when the body as a whole is withheld: as one datum,
    /// or as one record that is left out.
    pub fn release(&mut self, decide: &dyn Decide) -> Result<Bytes, BodyError> {
        match &mut self.kind {
            Kind::Json(json) => json.release(decide),
            Kind::Other(other) => other.release(decide),
            Kind::Foreign(error, _) => Err(*error),
        }
    }

    /// How many undeclared fields the window holds that waits for its verdicts. They pass in no case.
    #[must_use]
    pub fn undeclared(&self) -> u64 {
        match &self.kind {
            Kind::Json(json) => json.undeclared(),
            Kind::Other(other) => other.undeclared(),
            Kind::Foreign(..) => 0,
        }
    }

    /// What became of everything released so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        match &self.kind {
            Kind::Json(json) => json.report(),
            Kind::Other(other) => other.report(),
            Kind::Foreign(_, report) => report,
        }
    }
}

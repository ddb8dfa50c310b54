//! Forms as a URL writes them: `name=value&name=value`.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use consentry_model::FieldMap;

use crate::asked::Asked;
use crate::error::{BodyFault, Fault};
use crate::flat::{Cell, Place, Places, Row};
use crate::percent::{decode, encode};
use crate::treat::Left;
use crate::turns::Media;
use crate::{Decide, Limits, Pseudonyms, Report};

/// A field by which a form says its own charset (HTML Standard; RFC 7578, section 4.6).
pub(crate) const CHARSET: &str = "_charset_";

/// A pair, and where it is.
struct Pair {
    raw: Range<usize>,
    name: String,
    value: String,
}

/// One form.
pub(crate) struct Form {
    map: Arc<FieldMap>,
    limits: Limits,
    held: Option<(Bytes, Vec<Pair>, Row)>,
}

impl Form {
    pub(crate) const fn new(map: Arc<FieldMap>, limits: Limits) -> Self {
        Self { map, limits, held: None }
    }
}

impl Media for Form {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        Ok(last.then_some(view.len()))
    }

    fn take(&mut self, unit: Bytes, asked: &mut Asked) -> Result<(), Fault> {
        let pairs = pairs(&unit, self.limits.fields_max)?;
        let mut names = Places::default();
        let mut cells = Vec::with_capacity(pairs.len());
        for pair in &pairs {
            let place = Place::find(&self.map, &pair.name).filter(|place| place.field.is_some());
            if !names.insert(&pair.name, place) {
                return Err(Fault::new(BodyFault::DuplicateKey, pair.raw.start));
            }
            cells.push(Cell { name: &pair.name, place, text: Some(&pair.value), there: true });
        }
        let row = Row::read(&self.map, &cells, asked).map_err(|kind| Fault::new(kind, 0))?;
        self.held = Some((unit, pairs, row));
        Ok(())
    }

    fn end(&mut self, _: &mut Asked) -> Result<(), BodyFault> {
        // No byte at all is a form without a field.
        Ok(())
    }

    fn undeclared(&self) -> u64 {
        self.held.as_ref().map_or(0, |(_, _, row)| row.undeclared())
    }

    fn write(
        &mut self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let Some((unit, pairs, row)) = self.held.take() else { return Ok(()) };
        report.undeclared = report.undeclared.saturating_add(row.undeclared());
        let texts = pairs.iter().map(|pair| Some(&*pair.value)).enumerate();
        let left: Vec<_> = texts.map(|cell| row.left(cell, &self.map, decide, key, report)).collect();
        if row.is_omitted(&left, &[], report) {
            return Err(BodyFault::NothingLeft);
        }
        for (pair, left) in pairs.iter().zip(&left) {
            if *left == Left::Nothing {
                continue;
            }
            if !out.is_empty() {
                out.push(b'&');
            }
            let raw = unit.get(pair.raw.clone()).ok_or(BodyFault::Internal)?;
            match left {
                Left::Altered(_, text) => {
                    out.extend(raw.iter().take_while(|b| **b != b'='));
                    out.push(b'=');
                    encode(text, out);
                }
                Left::Clear | Left::Nothing => out.extend_from_slice(raw),
            }
        }
        Ok(())
    }
}

fn pairs(unit: &[u8], fields_max: usize) -> Result<Vec<Pair>, Fault> {
    let mut out = Vec::new();
    let mut start = 0;
    for raw in unit.split(|b| *b == b'&') {
        let wrong = Fault::new(BodyFault::Malformed, start);
        let end = start + raw.len();
        let equals = raw.iter().position(|b| *b == b'=').filter(|at| *at > 0).ok_or(wrong)?;
        let name = raw.get(..equals).and_then(decode).ok_or(wrong)?.into_owned();
        let value = raw.get(equals + 1..).and_then(decode).ok_or(wrong)?.into_owned();
        if name == CHARSET && !value.eq_ignore_ascii_case("utf-8") {
            return Err(Fault::new(BodyFault::PartUnreadable, start));
        }
        if out.len() >= fields_max {
            return Err(Fault::new(BodyFault::TooManyFields, start));
        }
        out.push(Pair { raw: start..end, name, value });
        start = end + 1;
    }
    Ok(out)
}

/// The names and values of a form that was read before, for whoever decides by them.
pub(crate) fn texts(body: &[u8]) -> Vec<(String, String)> {
    let pairs = if body.is_empty() { Vec::new() } else { pairs(body, usize::MAX).unwrap_or_default() };
    pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
}

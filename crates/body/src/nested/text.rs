//! A JSON text some of whose strings hold more than a text.

use std::sync::Arc;

use bytes::Bytes;
use consentry_model::FieldMap;

use super::scan::Scan;
use super::wrap::{Rewrap, Unwrap};
use crate::{BodyError, BodyFault, Decide, JsonRedactor, Limits, Pseudonyms, Report, Step};

/// The redactor of one JSON text, with what is declared inside of its strings.
#[derive(Debug)]
pub(crate) struct Text {
    json: JsonRedactor,
    strings: Option<Box<Strings>>,
    failed: Option<BodyError>,
}

#[derive(Debug)]
struct Strings {
    inward: Scan,
    unwrap: Unwrap,
    outward: Scan,
    rewrap: Rewrap,
}

impl Text {
    pub(crate) fn new(map: Arc<FieldMap>, limits: Limits) -> Result<Self, BodyFault> {
        let strings = if map.has_wraps() {
            let scan = || Scan::new(Arc::clone(&map), limits.record_bytes_max);
            let (unwrap, rewrap) =
                (Unwrap::new(Arc::clone(&map), limits)?, Rewrap::new(Arc::clone(&map), limits));
            Some(Box::new(Strings { inward: scan(), unwrap, outward: scan(), rewrap }))
        } else {
            None
        };
        Ok(Self { json: JsonRedactor::new(map, limits), strings, failed: None })
    }

    pub(crate) fn use_pseudonyms(&mut self, key: Option<Pseudonyms>) {
        self.json.use_pseudonyms(key);
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.check()?;
        let Some(strings) = &mut self.strings else { return self.json.push(bytes) };
        let mut out = Vec::with_capacity(bytes.len());
        let read = strings.inward.push(bytes, &strings.unwrap, &mut out);
        read.map_err(|fault| self.fail(fault))?;
        self.json.push(&out)
    }

    pub(crate) fn end(&mut self) -> Result<(), BodyError> {
        self.check()?;
        if let Some(strings) = &mut self.strings {
            // The text breaks off in it, and whoever reads it says so.
            let rest = strings.inward.rest();
            self.json.push(&rest)?;
        }
        self.json.end()
    }

    pub(crate) fn step(&mut self) -> Result<Step, BodyError> {
        self.check()?;
        self.json.step()
    }

    pub(crate) fn release(&mut self, decide: &dyn Decide) -> Result<Bytes, BodyError> {
        self.check()?;
        let bytes = self.json.release(decide)?;
        let Some(strings) = &mut self.strings else { return Ok(bytes) };
        let mut out = Vec::with_capacity(bytes.len());
        let written = strings.outward.push(&bytes, &strings.rewrap, &mut out);
        written.map_err(|fault| self.fail(fault))?;
        Ok(out.into())
    }

    pub(crate) fn undeclared(&self) -> u64 {
        self.json.undeclared()
    }

    pub(crate) fn report(&self) -> &Report {
        self.json.report()
    }

    fn check(&self) -> Result<(), BodyError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn fail(&mut self, fault: BodyFault) -> BodyError {
        let error = BodyError::new(fault, 0);
        self.failed = Some(error);
        error
    }
}

//! Out of strings and back into them.

use std::sync::Arc;

use consentry_model::{Field, FieldMap, NodeId, Wrap};

use super::base64;
use super::edges::Edges;
use super::scan::{Found, Scan, inside};
use crate::error::BodyFault;
use crate::json::write_string;
use crate::{JsonRedactor, Limits, Step};

/// Puts what a string holds in the place of the string.
#[derive(Debug)]
pub(super) struct Unwrap {
    pub(super) map: Arc<FieldMap>,
    /// Lets any JSON pass: it is asked whether a text is some.
    any: Arc<FieldMap>,
    limits: Limits,
}

/// Puts what stands in the place of a string back into one.
#[derive(Debug)]
pub(super) struct Rewrap {
    pub(super) map: Arc<FieldMap>,
    limits: Limits,
}

impl Unwrap {
    pub(super) fn new(map: Arc<FieldMap>, limits: Limits) -> Result<Self, BodyFault> {
        let any = FieldMap::builder().leaf("**", Field::Open).map_err(|_| BodyFault::Internal)?.build();
        Ok(Self { map, any: Arc::new(any), limits })
    }

    /// What the string holds; nothing when it cannot be read as that.
    fn open(&self, text: &str, node: NodeId, wrap: Wrap) -> Result<Option<Vec<u8>>, BodyFault> {
        let json = match wrap {
            Wrap::Base64 => {
                return Ok(base64::decode_text(text).map(|text| {
                    let mut out = Vec::new();
                    write_string(&text, &mut out);
                    out
                }));
            }
            Wrap::Json => Some(text.to_owned()),
            Wrap::Base64Json => base64::decode_text(text),
        };
        let Some(json) = json.filter(|json| self.is_json(json)) else { return Ok(None) };
        let inner =
            Self { map: Arc::new(self.map.below(node)), any: Arc::clone(&self.any), limits: self.limits };
        let (edges, json) = Edges::of(&json);
        let (mut scan, mut out) =
            (Scan::new(Arc::clone(&inner.map), self.limits.record_bytes_max), Vec::new());
        edges.write(&mut out);
        match scan.push(json.as_bytes(), &inner, &mut out) {
            Ok(()) => Ok(Some(out)),
            // What lies in it is of a shape that nobody declared.
            Err(BodyFault::Undeclared) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Whether a text is strictly one JSON text, which is what keeps it in its place.
    fn is_json(&self, text: &str) -> bool {
        let limits = Limits { window_bytes_max: usize::MAX, record_bytes_max: usize::MAX, ..self.limits };
        let mut redactor = JsonRedactor::new(Arc::clone(&self.any), limits);
        let read =
            redactor.push(text.as_bytes()).and_then(|()| redactor.end()).and_then(|()| redactor.step());
        matches!(read, Ok(Step::NeedVerdicts(_)))
    }
}

impl Found for Unwrap {
    const CONTAINERS: bool = false;

    fn found(&self, raw: &[u8], node: NodeId, wrap: Wrap, _: &Edges) -> Result<Vec<u8>, BodyFault> {
        // A string that is none stops the body where it is read.
        let Some(text) = inside(raw) else { return Ok(raw.to_vec()) };
        // In place of what cannot be read stands what no map declares there.
        let nothing = if self.map.field(node).is_some() { &b"{}"[..] } else { b"0" };
        Ok(self.open(&text, node, wrap)?.unwrap_or_else(|| nothing.to_vec()))
    }
}

impl Rewrap {
    pub(super) const fn new(map: Arc<FieldMap>, limits: Limits) -> Self {
        Self { map, limits }
    }
}

impl Found for Rewrap {
    const CONTAINERS: bool = true;

    fn found(&self, raw: &[u8], node: NodeId, wrap: Wrap, edges: &Edges) -> Result<Vec<u8>, BodyFault> {
        let text = match wrap {
            Wrap::Base64 => base64::encode(inside(raw).ok_or(BodyFault::Internal)?.as_bytes()),
            Wrap::Json | Wrap::Base64Json => {
                let inner = Self { map: Arc::new(self.map.below(node)), limits: self.limits };
                let mut scan = Scan::new(Arc::clone(&inner.map), usize::MAX);
                let mut out = edges.before.as_bytes().to_vec();
                scan.push(raw, &inner, &mut out)?;
                out.extend_from_slice(edges.after.as_bytes());
                let json = String::from_utf8(out).map_err(|_| BodyFault::Internal)?;
                if wrap == Wrap::Json { json } else { base64::encode(json.as_bytes()) }
            }
        };
        let mut out = Vec::with_capacity(text.len() + 2);
        write_string(&text, &mut out);
        Ok(out)
    }
}

//! Every bound of the layer, by name and unit.

/// Every bound of the layer. What is over a bound is refused, never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest request body on a governed route, in bytes: 1 MiB.
    pub request_body_bytes_max: usize,
    /// How much of an answer is held back until its decision is complete, in bytes: 1 MiB. A longer answer streams, and
    /// a failure after that ends it visibly.
    pub response_hold_bytes_max: usize,
    /// How much of a body is decided at once, in bytes: 256 KiB.
    pub window_bytes_max: usize,
    /// How many subjects are decided at once: 256.
    pub window_subjects_max: usize,
    /// The largest single record of a list, or a body without records, in bytes: 1 MiB.
    pub record_bytes_max: usize,
    /// How deep a body may be nested: 64.
    pub depth_max: usize,
    /// How many pairs, parts or columns a form or a table may have: 1,000.
    pub body_fields_max: usize,
    /// How long the inner service may take to its response head, in milliseconds: 30,000.
    pub upstream_wait_ms_max: u64,
    /// How long the ledger may take to one answer, in milliseconds: 2,000.
    pub ledger_wait_ms_max: u64,
    /// How long a record may take to become durable, in milliseconds: 10,000. What is not durable by then counts as not
    /// written.
    pub evidence_wait_ms_max: u64,
    /// How long a caller may take to send its body, in milliseconds: 30,000.
    pub request_body_wait_ms_max: u64,
    /// How old a bundle may be since it was last found sealed, in seconds: 86,400.
    pub bundle_age_secs_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body_bytes_max: 1 << 20,
            response_hold_bytes_max: 1 << 20,
            window_bytes_max: 256 << 10,
            window_subjects_max: 256,
            record_bytes_max: 1 << 20,
            depth_max: 64,
            body_fields_max: 1_000,
            upstream_wait_ms_max: 30_000,
            ledger_wait_ms_max: 2_000,
            evidence_wait_ms_max: 10_000,
            request_body_wait_ms_max: 30_000,
            bundle_age_secs_max: 86_400,
        }
    }
}

impl Limits {
    pub(crate) fn body(&self) -> consentry_body::Limits {
        consentry_body::Limits {
            window_bytes_max: self.window_bytes_max,
            record_bytes_max: self.record_bytes_max,
            depth_max: self.depth_max,
            window_subjects_max: self.window_subjects_max,
            fields_max: self.body_fields_max,
        }
    }
}

//! Every bound of the layer, by name and unit.

use consentry_body::CodingLimits;

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
    /// How many content codings may have been applied one upon another, in either direction: 2.
    pub codings_max: usize,
    /// By how many times a body may grow when its content codings are undone, once it is longer than
    /// `coding_ratio_floor_bytes`: 256.
    pub coding_ratio_max: u64,
    /// Up to how many bytes nobody asks by how much a body grew, in bytes: 1 MiB.
    pub coding_ratio_floor_bytes: u64,
    /// The largest window of zstd, in bytes: 8 MiB (RFC 9659).
    pub coding_window_bytes_max: u64,
    /// The longest answer that is read out of a content coding, in bytes: 1 GiB. A request's bound is that of its body.
    pub response_decoded_bytes_max: u64,
    /// The shortest answer that is worth being coded again for a caller who accepts it, in bytes: 1,024.
    pub recode_bytes_min: usize,
    /// How many pairs, parts or columns a form or a table may have, how many texts or rows a request, and how many of those
    /// of an answer are decided at once: 1,000.
    pub body_fields_max: usize,
    /// How long the inner service may take to its response head, in milliseconds: 30,000.
    pub upstream_wait_ms_max: u64,
    /// How long the inner service may take between two pieces of a body, in milliseconds: 300,000.
    pub upstream_pause_ms_max: u64,
    /// How long an answer is held back until its decision is complete, from its head on, in milliseconds: 600,000. One of which
    /// nothing could be decided by then is refused, however steadily it comes.
    pub response_hold_ms_max: u64,
    /// How old a decision may be when what was decided on leaves, in milliseconds: 10,000. What comes later is decided anew,
    /// as it stands then; what was decided is not held back for longer.
    pub decision_age_ms_max: u64,
    /// How long the ledger may take to one answer, in milliseconds: 2,000.
    pub ledger_wait_ms_max: u64,
    /// How long a record may take to become durable, in milliseconds: 10,000. What is not durable by then counts as not
    /// written.
    pub evidence_wait_ms_max: u64,
    /// How long a caller may take to send its body, in milliseconds: 30,000.
    pub request_body_wait_ms_max: u64,
    /// How old a bundle may be since it was last found sealed, in seconds: 86,400.
    pub bundle_age_secs_max: u64,
    /// How many headers a request may have: 100.
    pub headers_max: usize,
    /// How many parameters the query of a request may have: 256. Many services read the first 1,000 and nothing of the rest,
    /// so this is no more than 999; a form has what its query leaves of them.
    pub query_parameters_max: usize,
    /// How many requests may be under way at a time, answers that are still being sent included: 1,024. Each may hold a
    /// body and an answer in memory; what comes beyond is turned away before it holds anything.
    pub requests_max: usize,
    /// How many of them one client may have: 512. A client is who the token says, or else the address.
    pub client_requests_max: usize,
    /// How many requests one client may begin in a second, on average: 1,000,000.
    pub client_requests_per_sec_max: u64,
    /// How many it may begin at once, after a rest: 1,000,000.
    pub client_burst_max: u64,
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
            codings_max: 2,
            coding_ratio_max: 256,
            coding_ratio_floor_bytes: 1 << 20,
            coding_window_bytes_max: 8 << 20,
            response_decoded_bytes_max: 1 << 30,
            recode_bytes_min: 1024,
            body_fields_max: 1_000,
            upstream_wait_ms_max: 30_000,
            upstream_pause_ms_max: 300_000,
            response_hold_ms_max: 600_000,
            decision_age_ms_max: 10_000,
            ledger_wait_ms_max: 2_000,
            evidence_wait_ms_max: 10_000,
            request_body_wait_ms_max: 30_000,
            bundle_age_secs_max: 86_400,
            headers_max: 100,
            query_parameters_max: 256,
            requests_max: 1_024,
            client_requests_max: 512,
            client_requests_per_sec_max: 1_000_000,
            client_burst_max: 1_000_000,
        }
    }
}

/// How many parameters a request may have in its query and its form together. Many services read the first 1,000, and
/// nothing of the rest.
const PARAMETERS_MAX: usize = 999;

impl Limits {
    /// How many fields a form may have beside so many parameters of a query.
    pub(crate) fn form_fields(&self, beside: usize) -> usize {
        self.body_fields_max.min(PARAMETERS_MAX.saturating_sub(beside))
    }

    /// The bounds of undoing content codings, for at most so many decoded bytes.
    pub(crate) fn coding(&self, decoded_bytes_max: u64) -> CodingLimits {
        CodingLimits {
            codings_max: self.codings_max,
            ratio_max: self.coding_ratio_max,
            ratio_floor_bytes: self.coding_ratio_floor_bytes,
            decoded_bytes_max,
            window_bytes_max: self.coding_window_bytes_max,
        }
    }

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

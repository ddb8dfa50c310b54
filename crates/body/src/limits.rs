//! How much a redactor may hold.

/// How much a redactor may hold at once. Memory stays proportional to one window and one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// A window is closed at the first place where it may be, once it has this many bytes. Values over one gibibyte
    /// count as that.
    pub window_bytes_max: usize,
    /// The longest stretch that may have to be held back as one: a record, a leaf or an undeclared member outside
    /// records, or the whole body when the map declares no records or makes the body one. More is an error. It also bounds the member names
    /// that are remembered outside records.
    pub record_bytes_max: usize,
    /// How deep arrays and objects may be nested; the outermost has depth 1.
    pub depth_max: usize,
    /// A window is closed at the first place where it may be, once this many subjects are to be decided.
    pub window_subjects_max: usize,
    /// How many pairs a form, parts a multipart body, or columns a table may have; and how many texts, events or rows are
    /// decided at once. Where the window has no bound, more of those are an error.
    pub fields_max: usize,
}

impl Default for Limits {
    /// 256 KiB, 1 MiB, 64 levels, 256 subjects, 1,000 fields.
    fn default() -> Self {
        Self {
            window_bytes_max: 256 * 1024,
            record_bytes_max: 1024 * 1024,
            depth_max: 64,
            window_subjects_max: 256,
            fields_max: 1000,
        }
    }
}

//! `traceparent`, as W3C Trace Context writes it.

use consentry_model::push_hex;

use crate::id::unhex;

/// The length of version 00, and of the part that every later version begins with.
const VERSION_0_BYTES: usize = 55;

/// Whose child our span is, or the span that our callees are children of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace; never all zero.
    pub trace_id: [u8; 16],
    /// The span within it; never all zero.
    pub span_id: [u8; 8],
    /// Whether the caller records the trace. It never decides whether evidence is kept.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads a header value. Anything but lower-case hex in the fixed places, version `ff` and ids of zeros are
    /// refused; a version that is not known yet is read by its first 55 characters.
    ///
    /// ```
    /// use consentry_audit::TraceParent;
    ///
    /// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let parent = TraceParent::parse(text).ok_or("not a traceparent")?;
    /// assert!(parent.sampled);
    /// assert_eq!(parent.header(), text);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (head, rest) = value.split_at_checked(VERSION_0_BYTES)?;
        let mut parts = head.split('-');
        let [version] = unhex::<1>(parts.next()?)?;
        let trace_id = unhex(parts.next()?)?;
        let span_id = unhex(parts.next()?)?;
        let [flags] = unhex::<1>(parts.next()?)?;
        let well_formed = match version {
            0xff => false,
            0 => rest.is_empty(),
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let usable = well_formed && parts.next().is_none() && trace_id != [0; 16] && span_id != [0; 8];
        usable.then_some(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }

    /// The header value, in version 00.
    #[must_use]
    pub fn header(&self) -> String {
        let mut out = String::with_capacity(VERSION_0_BYTES);
        out.push_str("00-");
        self.trace_id.iter().for_each(|byte| push_hex(&mut out, *byte));
        out.push('-');
        self.span_id.iter().for_each(|byte| push_hex(&mut out, *byte));
        out.push_str(if self.sampled { "-01" } else { "-00" });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_standard_allows_is_read() {
        const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        const S: &str = "00f067aa0ba902b7";
        let zeros = "0".repeat(32);
        for (value, sampled) in [
            (format!("00-{T}-{S}-01"), Some(true)),
            (format!("00-{T}-{S}-00"), Some(false)),
            (format!("00-{T}-{S}-ff"), Some(true)),
            (format!("01-{T}-{S}-01"), Some(true)),
            (format!("cc-{T}-{S}-01-what the future brings"), Some(true)),
            (format!("cc-{T}-{S}-01.what"), None),
            (format!("00-{T}-{S}-01-more"), None),
            (format!("ff-{T}-{S}-01"), None),
            (format!("00-{zeros}-{S}-01"), None),
            (format!("00-{T}-0000000000000000-01"), None),
            (format!("00-{}-{S}-01", T.to_uppercase()), None),
            (format!("00-{T}-{S}-0"), None),
            (format!("00-{T}-{S}-0g"), None),
            (format!("00_{T}_{S}_01"), None),
            (format!(" 00-{T}-{S}-01"), None),
            (format!("00-{T}{S}-01--"), None),
            (format!("00-{T}-{S}-é"), None),
            (String::new(), None),
        ] {
            assert_eq!(TraceParent::parse(&value).map(|p| p.sampled), sampled, "{value}");
        }
    }
}

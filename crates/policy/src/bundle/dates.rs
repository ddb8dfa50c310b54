//! From when until when something holds.

use consentry_model::Moment;

use crate::text::{Object, Reader};

/// From when until when something holds, half-open. A side that nobody names has no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    from: Option<Moment>,
    until: Option<Moment>,
}

impl Dates {
    /// Always.
    pub(crate) const ALWAYS: Self = Self { from: None, until: None };

    /// Reads `from` and `until`. What holds at no moment was not meant.
    pub(crate) fn read(entry: &Object<'_>, reader: &mut Reader) -> Option<Self> {
        let mut date = |key| match entry.get(key) {
            Some(node) => reader.date(node).map(Some),
            None => Some(None),
        };
        // Both are read before either is given up, so that all that is wrong is told at once.
        let (from, until) = (date("from"), date("until"));
        let dates = Self { from: from?, until: until? };
        if let (Some(from), Some(until), Some(node)) = (dates.from, dates.until, entry.get("until"))
            && until <= from
        {
            let help = "`until` is the first day on which it holds no more; write one after `from`";
            reader.error_help("dates-inverted", node.span, "this holds on no day", "not after `from`", help);
            return None;
        }
        Some(dates)
    }

    /// The same, of what says a date at least.
    pub(crate) fn need(entry: &Object<'_>, what: &str, reader: &mut Reader) -> Option<Self> {
        if entry.get("from").or(entry.get("until")).is_none() {
            let message = format!("{what} with dates says `from`, `until` or both");
            reader.error("key-missing", entry.span, message);
            return None;
        }
        Self::read(entry, reader)
    }

    /// Whether it holds at a moment.
    pub(crate) fn hold(&self, at: Moment) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    /// The moments at which that changes.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = Moment> + use<> {
        self.from.into_iter().chain(self.until)
    }
}

//! Reading nodes with the words at hand: unknown keys, wrong shapes and typos are all reported, none stops the rest.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use consentry_model::Moment;

use super::{Diagnostics, Kind, Node, Severity, Span};

/// How many words may be listed when none of them is near to what was written.
const SHORT_LIST: usize = 12;
/// How long a word may be that is likened to those known, in bytes.
const WORD_BYTES_MAX: usize = 200;

/// A mapping whose keys have been checked.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) span: Span,
    entries: &'a [(String, Span, Node)],
}

impl<'a> Object<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(k, ..)| k == key).map(|(.., node)| node)
    }

    pub(crate) fn entries(&self) -> &'a [(String, Span, Node)] {
        self.entries
    }
}

/// Collects what is wrong while a bundle is read.
pub(crate) struct Reader {
    pub(crate) found: Diagnostics,
    /// The calendar that dates are read in.
    pub(crate) zone: TimeZone,
}

impl Reader {
    pub(crate) const fn new(found: Diagnostics) -> Self {
        Self { found, zone: TimeZone::UTC }
    }

    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.found.push(Severity::Error, code, Some(span), message, "here", None);
    }

    /// An error whose place nobody kept.
    pub(crate) fn error_somewhere(&mut self, code: &'static str, message: impl Into<String>) {
        self.found.push(Severity::Error, code, None, message, "", None);
    }

    pub(crate) fn warning_somewhere(&mut self, code: &'static str, message: impl Into<String>) {
        self.found.push(Severity::Warning, code, None, message, "", None);
    }

    pub(crate) fn error_help(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found.push(Severity::Error, code, Some(span), message, label, Some(help.into()));
    }

    pub(crate) fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.found.push(Severity::Warning, code, Some(span), message, "here", None);
    }

    pub(crate) fn warning_help(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found.push(Severity::Warning, code, Some(span), message, label, Some(help.into()));
    }

    /// A word that must be one of those known.
    pub(crate) fn unknown<'k>(
        &mut self,
        code: &'static str,
        span: Span,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        // Nobody reads what would help with an error that is only counted.
        let full = self.found.is_full() || word.len() > WORD_BYTES_MAX;
        let known: Vec<&str> = if full { Vec::new() } else { known.into_iter().collect() };
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if (1..=SHORT_LIST).contains(&known.len()) => Some(format!("one of: {}", known.join(", "))),
            None => None,
        };
        self.found.push(
            Severity::Error,
            code,
            Some(span),
            format!("`{word}` is no {what}"),
            "not known",
            help,
        );
    }

    fn wrong_shape(&mut self, node: &Node, wanted: &str) {
        let message = format!("{wanted} is wanted here, not {}", node.kind.what());
        self.error("wrong-shape", node.span, message);
    }

    /// A mapping with these keys at most.
    pub(crate) fn object<'a>(&mut self, node: &'a Node, keys: &[&str], what: &str) -> Option<Object<'a>> {
        let object = self.mapping(node)?;
        for (key, span, _) in object.entries {
            if !keys.contains(&key.as_str()) {
                self.unknown("unknown-key", *span, &format!("key of {what}"), key, keys.iter().copied());
            }
        }
        Some(object)
    }

    /// A mapping with any keys.
    pub(crate) fn mapping<'a>(&mut self, node: &'a Node) -> Option<Object<'a>> {
        match &node.kind {
            Kind::Map(entries) => Some(Object { span: node.span, entries }),
            Kind::Null => Some(Object { span: node.span, entries: &[] }),
            Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::List(_) => {
                self.wrong_shape(node, "a mapping");
                None
            }
        }
    }

    /// A value that must be there.
    pub(crate) fn need<'a>(&mut self, object: &Object<'a>, key: &str, what: &str) -> Option<&'a Node> {
        let found = object.get(key);
        if found.is_none() {
            self.error("key-missing", object.span, format!("{what} needs `{key}`"));
        }
        found
    }

    /// A word.
    pub(crate) fn word<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        match &node.kind {
            Kind::Text(text) => Some(text),
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::List(_) | Kind::Map(_) => {
                self.wrong_shape(node, "a word");
                None
            }
        }
    }

    /// True or false.
    pub(crate) fn boolean(&mut self, node: &Node) -> Option<bool> {
        match node.kind {
            Kind::Bool(b) => Some(b),
            Kind::Null | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
                self.wrong_shape(node, "`true` or `false`");
                None
            }
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, node: &Node) -> Option<i64> {
        match node.kind {
            Kind::Int(i) => Some(i),
            Kind::Null | Kind::Bool(_) | Kind::Float | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
                self.wrong_shape(node, "a whole number");
                None
            }
        }
    }

    /// One value or a list of them.
    pub(crate) fn list<'a>(&mut self, node: &'a Node) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) => items,
            Kind::Null => &[],
            Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::Map(_) => {
                std::slice::from_ref(node)
            }
        }
    }

    /// A list, and nothing else.
    pub(crate) fn sequence<'a>(&mut self, node: &'a Node) -> &'a [Node] {
        if !matches!(node.kind, Kind::List(_) | Kind::Null) {
            self.wrong_shape(node, "a list");
            return &[];
        }
        self.list(node)
    }

    /// One word or a list of words, each with its place.
    pub(crate) fn words<'a>(&mut self, node: &'a Node) -> Vec<(&'a str, Span)> {
        let mut out = Vec::new();
        for item in self.list(node) {
            if let Some(word) = self.word(item) {
                out.push((word, item.span));
            }
        }
        out
    }

    /// One of a closed list of words.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let word = self.word(node)?;
        let found = choices.iter().find(|(w, _)| *w == word).map(|(_, value)| *value);
        if found.is_none() {
            self.unknown("unknown-word", node.span, what, word, choices.iter().map(|(w, _)| *w));
        }
        found
    }

    /// A date, from its first moment in the bundle's time zone.
    pub(crate) fn date(&mut self, node: &Node) -> Option<Moment> {
        let word = self.word(node)?;
        let parsed = word
            .parse::<Date>()
            .ok()
            .filter(|_| word.len() == 10)
            .and_then(|d| d.to_zoned(self.zone.clone()).ok())
            .map(|z| Moment::from_unix_millis(z.timestamp().as_millisecond()));
        if parsed.is_none() {
            self.error("not-a-date", node.span, format!("`{word}` is not a date such as 2026-02-05"));
        }
        parsed
    }
}

/// The known word nearest to a typo, if one is near enough.
fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(word, k), k))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

//! What a browser says of how a request came about, and what of it the service behind may hear.

use consentry_model::{Proof, Reason};
use consentry_policy::{EventSpec, Reference, Route, SubjectSource};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, header};

use crate::describe::Access;
use crate::events::is_no;
use crate::head::Head;

/// Headers of requests whose words are a closed list, and tell nothing of anybody: Fetch Metadata (W3C), replayed early data
/// (RFC 8470, section 5.1), and that something is to be there, or not to be (RFC 9110, section 13.1).
const CLOSED: [(&str, &[&str]); 7] = [
    ("sec-fetch-site", &["same-origin", "same-site", "cross-site", "none"]),
    ("sec-fetch-mode", &["cors", "navigate", "no-cors", "same-origin", "websocket"]),
    ("sec-fetch-dest", &DESTINATIONS),
    ("sec-fetch-user", &["?1"]),
    ("early-data", &["1"]),
    ("if-match", &["*"]),
    ("if-none-match", &["*"]),
];
const DESTINATIONS: [&str; 22] = [
    "audio",
    "audioworklet",
    "document",
    "embed",
    "empty",
    "fencedframe",
    "font",
    "frame",
    "iframe",
    "image",
    "json",
    "manifest",
    "object",
    "paintworklet",
    "report",
    "script",
    "serviceworker",
    "sharedworker",
    "style",
    "track",
    "video",
    "worker",
];

impl Access {
    /// Whether the page of another site made a browser ask this, and the browser proved by itself who asks: nobody need have
    /// wanted it. A token is not sent by a browser unasked.
    pub(crate) fn is_forged(&self, head: &Head) -> bool {
        let of_browser = match self.claims.as_ref().map(|claims| claims.proof) {
            Some(Proof::Certificate | Proof::Header) => true,
            Some(Proof::Token | Proof::BoundToken) => false,
            None => self.about().is_some_and(|about| {
                matches!(&about.subject, SubjectSource::Named { at: Reference::Cookie(_), .. })
            }),
        };
        of_browser && self.is_cross_site(head)
    }

    /// Whether a person is seen to use the route: nobody uses what the page of another site has its browser fetch, unless it
    /// leads there.
    pub(crate) fn is_seen_used(&self, head: &Head) -> bool {
        let is = |name: &str, word: &str| head.header(name) == Some(word);
        let leads = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
        leads || !self.is_cross_site(head)
    }

    /// Whether the request comes from the page of another site. What cannot be read may say so.
    fn is_cross_site(&self, head: &Head) -> bool {
        if head.has("sec-fetch-site") {
            let within = ["same-origin", "same-site", "none"];
            return !within.iter().any(|site| head.header("sec-fetch-site") == Some(site));
        }
        // A browser that says nothing more says at least this.
        head.has("origin") && !head.header("origin").is_some_and(|origin| self.is_own(head, origin))
    }

    /// Whether an origin (RFC 6454, section 6.1) is the host that is asked, or one that the policy speaks of.
    fn is_own(&self, head: &Head, origin: &str) -> bool {
        let Some(("https" | "http", authority)) = origin.split_once("://") else { return false };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let own = &self.installed.engine.bundle().settings.hosts;
        let host = authority.host();
        // A host and a port, and nothing that could be anything else.
        let written = authority.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        if authority.as_str() != written {
            return false;
        }
        head.host.as_deref() == Some(host) || own.iter().any(|name| name == host)
    }
}

/// Why a request may not be done as it came: what may be a replay may do nothing twice (RFC 8470, section 5.2), and a
/// condition on what it changes cannot be met by a validator, of which none is given out here.
pub(crate) fn unready(head: &Head, route: &Route) -> Result<(), Reason> {
    let changes = !head.method.is_safe();
    if head.has("early-data") && (changes || !route.events.is_empty() || route.message.is_some()) {
        return Err(Reason::EarlyData);
    }
    let unmet = |name: &&str| head.has(name) && head.header(name) != Some("*");
    let conditional = ["if-match", "if-none-match"].iter().any(unmet) || head.has("if-unmodified-since");
    if changes && conditional {
        return Err(Reason::PreconditionUnreadable);
    }
    Ok(())
}

/// Whether a route does to the ledger what nobody may be made to do.
pub(crate) fn agrees(route: &Route) -> bool {
    route.events.iter().any(|spec: &EventSpec| !is_no(&spec.effect))
}

/// What the service behind hears of it, so that it can defend itself: words of closed lists, and `null` for whoever is no own
/// host. Nobody outside hears any of it.
pub(crate) fn told(access: &Access, head: &Head) -> Vec<(HeaderName, HeaderValue)> {
    if access.destination.is_some() {
        return Vec::new();
    }
    let line = |name: &HeaderName| {
        if *name == header::ORIGIN {
            let own = head.header("origin").filter(|origin| access.is_own(head, origin));
            let value = own.and_then(|origin| HeaderValue::from_str(origin).ok());
            return Some(value.unwrap_or(HeaderValue::from_static("null")));
        }
        // Whoever only reads is answered whole, whatever is there.
        let hides = |name: &str| head.method.is_safe() && name.starts_with("if-");
        let (name, words) = CLOSED.iter().find(|(closed, _)| *closed == name.as_str() && !hides(closed))?;
        let word = words.iter().find(|word| head.header(name) == Some(word))?;
        Some(HeaderValue::from_static(word))
    };
    head.headers.keys().filter_map(|name| Some((name.clone(), line(name)?))).collect()
}

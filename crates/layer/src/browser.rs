//! What a browser says of how a request came about, and what of it the service behind may hear.

use consentry_model::Proof;
use consentry_policy::{Reference, Route, SubjectSource};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, header};

use crate::describe::Access;
use crate::events::is_no;
use crate::head::Head;
use crate::request::Brought;

/// Headers of requests whose words are a closed list, and tell nothing of anybody: Fetch Metadata (W3C), the method that a browser
/// asks about in advance, replayed early data (RFC 8470, section 5.1), and that something is to be there, or not to be (RFC 9110,
/// section 13.1).
const CLOSED: [(&str, &[&str]); 8] = [
    ("sec-fetch-site", &["same-origin", "same-site", "cross-site", "none"]),
    ("sec-fetch-mode", &["cors", "navigate", "no-cors", "same-origin", "websocket"]),
    ("sec-fetch-dest", &DESTINATIONS),
    ("sec-fetch-user", &["?1"]),
    (ASKED_ABOUT, &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ("early-data", &["1"]),
    ("if-match", &["*"]),
    ("if-none-match", &["*"]),
];
/// By this a service knows that it is asked in advance: without it an `OPTIONS` is any other.
const ASKED_ABOUT: &str = "access-control-request-method";
/// What of them says nothing of a browser, but what a request is to do, and whether it may be a replay.
const OF_THE_REQUEST: [&str; 3] = ["early-data", "if-match", "if-none-match"];
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
        let own = || head.header("origin").is_some_and(|origin| self.is_own(head, origin));
        match head.header("sec-fetch-site") {
            Some("same-origin" | "same-site" | "none") => false,
            // Hosts of one policy need not be of one site.
            Some("cross-site") => !own(),
            Some(_) => true,
            None if head.has("sec-fetch-site") => true,
            // A browser that says nothing more says at least this.
            None => head.has("origin") && !own(),
        }
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

/// Whether a request may be a replay and would do something (RFC 8470, section 5.2). Who exercises a right may be owed an answer
/// from then on.
pub(crate) fn may_be_replayed(head: &Head, route: &Route) -> bool {
    let says = !route.events.is_empty() || route.message.is_some() || route.right.is_some();
    (says || !head.method.is_safe()) && head.has("early-data")
}

/// Whether a request is to change something on a condition that cannot be met by a validator, of which none is given out here.
pub(crate) fn is_conditional(head: &Head) -> bool {
    let unmet = |name: &&str| head.has(name) && head.header(name) != Some("*");
    let asked = ["if-match", "if-none-match"].iter().any(unmet) || head.has("if-unmodified-since");
    asked && !head.method.is_safe()
}

/// Whether a request says what nobody may be made to say: anything but a no.
pub(crate) fn agrees(route: &Route, head: &Head, brought: &Brought) -> bool {
    route.events.iter().any(|spec| !is_no(&spec.effect) && brought.holds(spec, head))
}

/// What the service behind hears of it, so that it can defend itself: words of closed lists, and `null` for whoever is no own
/// host. Somebody outside hears nothing of a browser: what the request is to do goes on, or it would do more than was asked.
pub(crate) fn told(access: &Access, head: &Head) -> Vec<(HeaderName, HeaderValue)> {
    let leaves = access.destination.is_some();
    let line = |name: &HeaderName| {
        if leaves && !OF_THE_REQUEST.contains(&name.as_str()) {
            return None;
        }
        if *name == header::ORIGIN {
            let own = head.header("origin").filter(|origin| access.is_own(head, origin));
            // That it is another one is told already where the browser says how it stands to this one.
            let other = (!head.has("sec-fetch-site")).then(|| HeaderValue::from_static("null"));
            return own.and_then(|origin| HeaderValue::from_str(origin).ok()).or(other);
        }
        // Whoever only reads is answered whole, whatever is there. Only `OPTIONS` asks in advance.
        let stays = |name: &str| match name {
            ASKED_ABOUT => head.method != Method::OPTIONS,
            _ => head.method.is_safe() && name.starts_with("if-"),
        };
        let (name, words) = CLOSED.iter().find(|(closed, _)| *closed == name.as_str() && !stays(closed))?;
        let word = words.iter().find(|word| head.header(name) == Some(word))?;
        Some(HeaderValue::from_static(word))
    };
    head.headers.keys().filter_map(|name| Some((name.clone(), line(name)?))).collect()
}

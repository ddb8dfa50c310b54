//! What an outbound message says of itself.

use std::collections::BTreeSet;

use consentry_body::Said;
use consentry_model::{Facts, FieldMap, Reason};
use consentry_policy::{BuiltIn, Bundle, Detector, MessageMap, Route};

use crate::patterns::looks_like;
use crate::request::Brought;
use crate::stated::Found;

/// States what rules ask of a message: whether it says how to stop further ones, whose address sends it, whether it
/// carries the controller's address and is marked as advertising. What the route does not declare is not sent on and says
/// none of it; who gets answers counts wherever it stands.
pub(crate) fn state(bundle: &Bundle, route: &Route, map: &MessageMap, brought: &Brought, facts: &mut Facts) {
    let fields = route.request_body.fields();
    let goes_on = |path: &[String]| fields.is_some_and(|fields| is_declared(fields, path));
    let text = |path: &Option<Vec<String>>| {
        path.as_ref().filter(|path| goes_on(path)).and_then(|path| brought.text(path))
    };
    let all = map.headers.as_ref().map(|at| brought.members(at)).unwrap_or_default();
    let any = |name: &str| all.iter().find(|(there, _)| there.eq_ignore_ascii_case(name));
    let header = |name: &str| {
        let (there, value) = any(name)?;
        let path: Vec<String> = map.headers.iter().flatten().chain([there]).cloned().collect();
        goes_on(&path).then(|| value.clone())
    };
    let (body, from) = (text(&map.text), text(&map.from));
    let mail = &bundle.settings.mail;
    let book = &bundle.facts;
    let mut say = |built_in: BuiltIn, value: bool| {
        if let Some(id) = book.built_in(&built_in) {
            facts.set_bool(id, value);
        }
    };
    let unsubscribe = says_how_to_stop(
        body.as_deref(),
        header("List-Unsubscribe").as_deref(),
        header("List-Unsubscribe-Post").as_deref(),
    );
    say(BuiltIn::MessageUnsubscribe, unsubscribe);
    let there = |wanted: &str| {
        let wanted = squeezed(wanted);
        body.as_deref().is_some_and(|body| squeezed(body).contains(&wanted))
    };
    say(BuiltIn::MessageAddress, mail.postal_address.as_deref().is_some_and(there));
    let subject = header("Subject");
    let marked = mail.markers.iter().any(|marker| {
        let begins = |text: &str| text.trim_start().to_lowercase().starts_with(marker.as_str());
        subject.as_deref().is_some_and(begins) || body.as_deref().is_some_and(begins)
    });
    say(BuiltIn::MessageMarked, marked);
    if let Some(id) = book.built_in(&BuiltIn::MessageSender) {
        let own = |address: &str| is_own(bundle, address);
        let all_own = from.as_deref().is_some_and(own) && any("Reply-To").is_none_or(|(_, to)| own(to));
        facts.set_word(&book.schema, id, if all_own { "own" } else { "other" });
    }
}

/// Whether a body's map takes what stands at a path.
fn is_declared(fields: &FieldMap, path: &[String]) -> bool {
    let mut at = fields.root();
    for name in path {
        if fields.covers_subtree(at) {
            return true;
        }
        let Some(below) = fields.member(at, name) else { return false };
        at = below;
    }
    fields.field(at).is_some()
}

/// RFC 2369 and RFC 8058: the two headers by which a mail client unsubscribes with one click, and in the text, for whoever
/// reads it, a link to the same place.
fn says_how_to_stop(text: Option<&str>, list: Option<&str>, post: Option<&str>) -> bool {
    let one_click = post.is_some_and(|post| post.trim() == "List-Unsubscribe=One-Click");
    let (Some(text), Some(list)) = (text, list.filter(|_| one_click)) else { return false };
    let places: Vec<Link> = bracketed(list).filter_map(Link::whole).collect();
    let mut links = text.split(ends_a_link).filter_map(Link::within);
    links.any(|link| places.iter().any(|place| place.is_same_as(&link)))
}

/// An `https` link.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    /// Host and port, in small letters.
    host: String,
    /// The path, which is `/` at least.
    path: String,
    query: String,
}

impl Link {
    /// What is a link and nothing else.
    fn whole(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://")?;
        if rest.contains(ends_a_link) { None } else { Self::read(rest) }
    }

    /// The link in a word. The sign that ends a sentence, or closes what a link stands in, is none of it; and what stands
    /// in another link leads nowhere.
    fn within(word: &str) -> Option<Self> {
        let (_, link) = word.split_once("https://").filter(|(before, _)| !before.contains("//"))?;
        Self::read(link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '*', '_', '\'']))
    }

    /// Who would sign in with it, or a host that is none, makes it no link that leads somewhere.
    fn read(rest: &str) -> Option<Self> {
        let rest = rest.split('#').next()?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = place.split_once('/').unwrap_or((place, ""));
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ':');
        let leads = host.starts_with(char::is_alphanumeric) && host.chars().all(plain);
        leads.then(|| Self {
            host: host.to_lowercase(),
            path: format!("/{path}"),
            query: query.replace("&amp;", "&"),
        })
    }

    /// Whether another link leads to the same place: who is meant stands in the query, and may be told otherwise there. The
    /// very front of a host is anything at all; there the query alone says what is meant.
    fn is_same_as(&self, other: &Self) -> bool {
        let same = self.host == other.host && self.path == other.path;
        same && (self.path != "/" || (!self.query.is_empty() && self.query == other.query))
    }
}

/// Whether a sign is none that a link has.
fn ends_a_link(sign: char) -> bool {
    sign.is_whitespace() || sign.is_control() || matches!(sign, '<' | '>' | '"' | '`')
}

/// Whether a mail header names one address, and that is the controller's own.
pub(crate) fn is_own(bundle: &Bundle, header: &str) -> bool {
    domain(header).is_some_and(|domain| bundle.settings.mail.domains.contains(&domain))
}

/// The members of a message that say who sends it, each by its path with dots.
pub(crate) fn senders(map: &MessageMap) -> Vec<String> {
    let from = map.from.iter().map(|path| path.join("."));
    let reply = map.headers.iter().map(|path| format!("{}.Reply-To", path.join(".")));
    from.chain(reply).collect()
}

/// What stands in angle brackets, each divided from the next by a comma. Blanks and comments may stand around each; whatever
/// follows one and is none of these is ignored, and all that comes after (RFC 2369, section 2). A comma in a link divides nothing.
fn bracketed(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let (inside, after) = past_comments(rest.take()?)?.strip_prefix('<')?.split_once('>')?;
        rest = past_comments(after).and_then(|after| after.strip_prefix(','));
        Some(inside)
    })
}

/// What comes after blanks and comments, which may hold others; nothing after one that does not end (RFC 5322, section 3.2.2).
fn past_comments(text: &str) -> Option<&str> {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, sign) in text.char_indices() {
        match sign {
            _ if is_quoted => is_quoted = false,
            '\\' if depth > 0 => is_quoted = true,
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 || sign.is_whitespace() => {}
            _ => return text.get(at..),
        }
    }
    (depth == 0).then_some("")
}

/// Why a message cannot be understood, whatever its route says of its members: a part that is no text, or that holds more
/// than one line; a header that names somebody to whom it goes, or may; an addressee who is named twice, or nobody.
pub(crate) fn fault(bundle: &Bundle, map: &MessageMap, brought: &Brought) -> Option<Reason> {
    let part = |path: &Option<Vec<String>>| path.as_ref().and_then(|path| brought.at(path));
    let lines = [part(&map.from), part(&map.topic), part(&map.product)];
    if !lines.into_iter().flatten().all(is_line) {
        return Some(Reason::BodyMalformed);
    }
    headers_fault(bundle, part(&map.headers)).or_else(|| addressees_fault(brought.at(&map.to)))
}

fn headers_fault(bundle: &Bundle, headers: Option<&Said>) -> Option<Reason> {
    let members = match headers {
        None | Some(Said::Null) => return None,
        Some(Said::Object(members)) => members,
        Some(Said::Bool(_) | Said::Integer(_) | Said::Number(_) | Said::Text(_) | Said::List(_)) => {
            return Some(Reason::BodyMalformed);
        }
    };
    let mut names = BTreeSet::new();
    for (name, value) in members.iter() {
        // RFC 5322, section 2.2; a header that stands there twice in different spellings has two readings.
        let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        let folded = name.to_ascii_lowercase();
        if ADDRESSING.contains(&folded.trim_start_matches("resent-")) {
            return Some(Reason::MinimisationViolation);
        }
        let names_others = !NAMING_NO_ADDRESSEE.contains(&folded.as_str())
            && value.text().is_some_and(|text| shows_others(bundle, text));
        if !token || value.text().is_none() || !is_line(value) || !names.insert(folded) {
            return Some(Reason::BodyMalformed);
        }
        if names_others {
            return Some(Reason::MinimisationViolation);
        }
    }
    None
}

fn addressees_fault(to: Option<&Said>) -> Option<Reason> {
    let entries = match to {
        Some(Said::List(entries)) if !entries.is_empty() => entries,
        _ => return Some(Reason::MessageIncomplete),
    };
    let mut seen = BTreeSet::new();
    for entry in entries {
        let address = match entry {
            Said::Text(text) => text.as_str(),
            Said::Integer(digits) => digits,
            // They name nobody, and are left out.
            Said::Null | Said::Bool(_) | Said::Number(_) => continue,
            // Of what stands deeper nothing is ever sent on, whoever is named there.
            Said::List(_) | Said::Object(_) => return Some(Reason::BodyMalformed),
        };
        let plain = !address.contains([',', ';', '<', '>']) && !address.chars().any(char::is_control);
        if !plain || !seen.insert(address.trim().to_lowercase()) {
            return Some(Reason::BodyMalformed);
        }
    }
    None
}

/// Nothing, a number or a text of one line.
fn is_line(said: &Said) -> bool {
    match said {
        Said::Null | Said::Integer(_) | Said::Number(_) => true,
        Said::Text(text) => !text.chars().any(char::is_control),
        Said::Bool(_) | Said::List(_) | Said::Object(_) => false,
    }
}

/// Headers that name who sends a message and who gets it (RFC 5322, section 3.6; RFC 9228), or a report or an answer to it
/// (RFC 8098), and those by which a service that sends mail is told of further addressees. The message's own members say all
/// of it.
const ADDRESSING: [&str; 17] = [
    "to",
    "cc",
    "bcc",
    "from",
    "sender",
    "return-path",
    "delivered-to",
    "apparently-to",
    "envelope-to",
    "disposition-notification-to",
    "errors-to",
    "mail-followup-to",
    "return-receipt-to",
    "x-bcc",
    "x-mc-bccaddress",
    "x-msys-api",
    "x-smtpapi",
];

/// Headers that name no addressee, whatever address is in them: those that a message may always bring, of which obligations
/// and facts ask what they say, and those whose names of messages look like addresses.
const NAMING_NO_ADDRESSEE: [&str; 7] = [
    "list-unsubscribe",
    "list-unsubscribe-post",
    "reply-to",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
];

/// Whether a text shows an address that is not one of the controller's own.
fn shows_others(bundle: &Bundle, text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('@');
    let mut others = parts.next().unwrap_or_default().to_owned();
    for after in parts {
        let own = |domain: &String| after.strip_prefix(domain.as_str()).filter(|rest| ends_a_domain(rest));
        match bundle.settings.mail.domains.iter().find_map(own) {
            // A sign in its place, so that what follows is as much of an address as before.
            Some(rest) => others.extend(["x", rest]),
            None => others.extend(["@", after]),
        }
    }
    looks_like(Detector::Email, &others)
}

/// Whether a domain is over where this follows; a full stop may end a sentence with it.
fn ends_a_domain(rest: &str) -> bool {
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    rest.is_empty() || rest.starts_with([' ', '>', ',', ';', ')', ']', '"', '\'', '?', '&'])
}

/// The domain of the one address that a mail header names, in lower case; `None` when there is more than one reading.
fn domain(header: &str) -> Option<String> {
    let header = header.trim();
    if header.chars().any(char::is_control) {
        return None;
    }
    let address = match (header.find('<'), header.rfind('>')) {
        (Some(open), Some(close)) if close + 1 == header.len() && header.matches('<').count() == 1 => {
            // Outside of quotes these would divide one address from the next, or name a group of them.
            let name = header.get(..open)?.trim();
            let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            if quoted
                .map_or(name.contains([',', ';', ':', '@', '"', '(']), |inside| inside.contains(['"', '\\']))
            {
                return None;
            }
            header.get(open + 1..close)?
        }
        (None, None) => header,
        _ => return None,
    };
    let (local, domain) = address.split_once('@')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    let whole = !local.is_empty() && !domain.is_empty() && domain.bytes().all(plain);
    let one = !local.contains([',', ';', ':', ' ', '@', '"', '(', ')', '<', '>']);
    (whole && one).then(|| domain.to_ascii_lowercase())
}

/// A text with its white space made single and its letters small.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Brought {
    /// The text at a path of the body: a string as it reads, a whole number as it is written.
    pub(crate) fn text(&self, path: &[String]) -> Option<String> {
        match self.found(path) {
            Found::Text(text) if !text.is_empty() => Some(text),
            Found::Int(n) => Some(n.to_string()),
            Found::Text(_) | Found::Nothing | Found::Null | Found::Texts(_) | Found::Bool(_) => None,
            Found::Unreadable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_an_address_with_two_readings_has_no_domain() {
        for (header, expected) in [
            ("info@example.org", Some("example.org")),
            ("Shop <Info@Example.ORG>", Some("example.org")),
            ("ceo@other.test, info@example.org", None),
            ("info@example.org <ceo@other.test>", None),
            ("\"Sales, Shop\" <info@example.org>", Some("example.org")),
            ("ceo@other.test, Shop <info@example.org>", None),
            ("ceo@other.test,<info@example.org>", None),
            ("\"ceo@other.test\\\" <info@example.org>", None),
            ("Group: ceo@other.test; <info@example.org>", None),
            ("Shop\r\nReply-To: ceo@other.test\r\nX: <info@example.org>", None),
            ("a\r\nX:b@example.org", None),
            ("<@other.test:info@example.org>", None),
            ("info@example.org(ceo@other.test)", None),
            ("<a@example.org> <b@other.test>", None),
            ("\"info@example.org\" ceo@other.test", None),
            ("info@example.org>", None),
            ("info", None),
            ("", None),
        ] {
            assert_eq!(domain(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn law_1_another_address_is_found_whatever_of_ones_own_stands_beside_it() {
        for (rest, expected) in [
            ("", true),
            (">", true),
            (".", true),
            (". See you", true),
            (", b", true),
            ("?subject=x", true),
            (".evil.test", false),
            ("-evil.test", false),
            ("_evil.test", false),
            ("anic", false),
            ("..evil", false),
            ("\u{ff0e}evil.test", false),
            ("\u{200b}.evil.test", false),
            (":x", false),
        ] {
            assert_eq!(ends_a_domain(rest), expected, "{rest}");
        }
    }

    #[test]
    fn a_message_says_how_to_stop_in_both_headers_and_where_they_lead_in_its_text() {
        let (list, post) = ("<https://example.org/u?t=1>", "List-Unsubscribe=One-Click");
        let text = "stop: https://example.org/u?t=1";
        let two = "<mailto:a@example.org>, <https://example.org/u>";
        for (text, list, post, says) in [
            (Some(text), Some(list), Some(post), true),
            (Some(text), Some(list), None, false),
            (Some(text), None, Some(post), false),
            (Some(text), Some(list), Some("yes"), false),
            (Some("hello"), Some(list), Some(post), false),
            (None, Some(list), Some(post), false),
            (Some(text), Some("mailto:a@example.org"), Some(post), false),
            (Some(text), Some("<mailto:a@example.org> https://example.org/u"), Some(post), false),
            (Some(text), Some(two), Some(post), true),
            // A comma is a sign of links, and what leads nowhere is none.
            (Some(text), Some("<https://example.org/u?t=1,2>"), Some(post), true),
            (Some(text), Some("<mailto:a@example.org?x=1,2> ,\t<https://example.org/u>"), Some(post), true),
            (Some("https://"), Some("<https://>"), Some(post), false),
            (Some("https:///u"), Some("<https:///u>"), Some(post), false),
            (Some("https://a<b"), Some("<https://a<b>"), Some(post), false),
            (Some("https://a/u b"), Some("<https://a/u b>"), Some(post), false),
            // Comments say nothing (RFC 2369, section 2).
            (Some(text), Some("<https://example.org/u> (on the web)"), Some(post), true),
            (Some(text), Some("(stop (here\\)) ) <https://example.org/u>"), Some(post), true),
            (
                Some(text),
                Some("<mailto:a@example.org> (mail), (web)<https://example.org/u>"),
                Some(post),
                true,
            ),
            (Some(text), Some("<https://example.org/u> or so"), Some(post), true),
            (Some(text), Some("(stop <https://example.org/u>"), Some(post), false),
            (Some(text), Some("<mailto:a@example.org> (mail; <https://example.org/u>"), Some(post), false),
            (Some(text), Some("stop <https://example.org/u>"), Some(post), false),
            (Some(text), Some("<mailto:a@example.org>; <https://example.org/u>"), Some(post), false),
            (Some("to stop: https://"), Some(list), Some(post), false),
            (Some("https:// https://example.org/u"), Some(list), Some(post), true),
        ] {
            assert_eq!(says_how_to_stop(text, list, post), says, "{text:?} {list:?} {post:?}");
        }
    }

    #[test]
    fn law_1_only_a_link_to_where_the_header_leads_says_how_to_stop() {
        for (text, list, says) in [
            ("https://example.org/u?t=2", "https://example.org/u?t=1", true),
            ("https://example.org/u#now", "https://example.org/u", true),
            ("https://Example.ORG/u", "https://example.org/u", true),
            ("<a href=\"https://example.org/u?t=1&amp;x=2\">stop</a>", "https://example.org/u", true),
            ("<a href='https://example.org/u'>stop</a>", "https://example.org/u", true),
            ("read (https://example.org/u).", "https://example.org/u", true),
            ("[stop](https://example.org/u), or write", "https://example.org/u", true),
            ("https://example.org/shop https://example.org/u", "https://example.org/u", true),
            // Another place of one's own is no way to stop, and what only looks like that place is another one.
            ("https://example.org/shop", "https://example.org/u", false),
            ("https://example.org/", "https://example.org/u", false),
            ("https://example.org/u/shop", "https://example.org/u", false),
            ("https://example.org/u/", "https://example.org/u", false),
            ("https://example.org/U", "https://example.org/u", false),
            ("https://example.org/shop?u=https%3A%2F%2Fexample.org%2Fu", "https://example.org/u", false),
            ("https://other.test/?to=https://example.org/u", "https://example.org/u", false),
            ("http://other.test/?to=https://example.org/u", "https://example.org/u", false),
            ("https://example.org/u\u{200b}shop", "https://example.org/u", false),
            ("https://other.test/u", "https://example.org/u", false),
            ("https://www.example.org/u", "https://example.org/u", false),
            ("https://example.org.other.test/u", "https://example.org/u", false),
            ("https://example.org@other.test/u", "https://example.org/u", false),
            ("https://example.org:8443/u", "https://example.org/u", false),
            ("http://example.org/u", "https://example.org/u", false),
            ("example.org/u", "https://example.org/u", false),
            // Whoever is led to the front door is told nothing of how to stop.
            ("https://example.org", "https://example.org", false),
            ("https://example.org/?page=1", "https://example.org/?stop=1", false),
            ("https://example.org/?stop=1.", "https://example.org/?stop=1", true),
            ("https://example.org?stop=1&amp;t=2", "https://example.org/?stop=1&t=2", true),
        ] {
            let list = format!("<{list}>");
            let says_how = says_how_to_stop(Some(text), Some(&list), Some("List-Unsubscribe=One-Click"));
            assert_eq!(says_how, says, "{text} {list}");
        }
    }
}

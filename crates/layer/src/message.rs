//! What an outbound message says of itself.

use consentry_model::Facts;
use consentry_policy::{BuiltIn, Bundle, MessageMap};

use crate::request::Brought;
use crate::stated::Found;

/// States what rules ask of a message: whether it says how to stop further ones, whose address sends it, whether it
/// carries the controller's address and is marked as advertising.
pub(crate) fn state(bundle: &Bundle, map: &MessageMap, brought: &Brought, facts: &mut Facts) {
    let text = |path: &Option<Vec<String>>| path.as_ref().and_then(|path| brought.text(path));
    let header = |name: &str| {
        let at = map.headers.as_ref()?;
        let mut values =
            brought.members(at).into_iter().filter(|(there, _)| there.eq_ignore_ascii_case(name));
        let first = values.next()?;
        // A header that stands there twice in different spellings has two readings.
        values.next().is_none().then_some(first.1)
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
        let reply_to = map.headers.as_ref().map(|at| brought.members(at)).unwrap_or_default();
        let replies: Vec<_> = reply_to
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("reply-to"))
            .map(|(_, v)| v)
            .collect();
        let own = |address: &str| domain(address).is_some_and(|d| mail.domains.contains(&d));
        let all_own = from.as_deref().is_some_and(own) && replies.iter().all(|address| own(address));
        facts.set_word(&book.schema, id, if all_own { "own" } else { "other" });
    }
}

/// RFC 2369 and RFC 8058: a link in the text, and the two headers by which a mail client unsubscribes with one click.
fn says_how_to_stop(text: Option<&str>, list: Option<&str>, post: Option<&str>) -> bool {
    let link = |text: &str| text.contains("https://");
    text.is_some_and(link)
        && list.is_some_and(|list| list.trim_start().starts_with('<') && link(list))
        && post.is_some_and(|post| post.trim() == "List-Unsubscribe=One-Click")
}

/// The domain of the one address that a mail header names, in lower case; `None` when there is more than one reading.
fn domain(header: &str) -> Option<String> {
    let header = header.trim();
    let address = match (header.find('<'), header.rfind('>')) {
        (Some(open), Some(close)) if close + 1 == header.len() && header.matches('<').count() == 1 => {
            header.get(open + 1..close)?
        }
        (None, None) => header,
        _ => return None,
    };
    let (local, domain) = address.split_once('@')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    let whole = !local.is_empty() && !domain.is_empty() && domain.bytes().all(plain);
    let one = !local.contains([',', ';', ' ', '@', '"']);
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
            ("info@example.org <ceo@other.test>", Some("other.test")),
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
    fn a_message_says_how_to_stop_in_its_text_and_in_both_headers() {
        let list = "<https://example.org/u?t=1>";
        let post = "List-Unsubscribe=One-Click";
        for (text, list, post, says) in [
            (Some("stop: https://example.org/u?t=1"), Some(list), Some(post), true),
            (Some("stop: https://example.org/u?t=1"), Some(list), None, false),
            (Some("stop: https://example.org/u?t=1"), None, Some(post), false),
            (Some("hello"), Some(list), Some(post), false),
            (None, Some(list), Some(post), false),
            (Some("https://x"), Some("mailto:a@example.org"), Some(post), false),
            (Some("https://x"), Some(list), Some("yes"), false),
        ] {
            assert_eq!(says_how_to_stop(text, list, post), says, "{text:?} {list:?} {post:?}");
        }
    }
}

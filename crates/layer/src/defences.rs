//! Headers by which a service has browsers defend what it answers. They are words of closed lists, and pass undeclared.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers by which a service has browsers defend what it answers, with the words that they are made of. Of `Referrer-Policy`
/// the words are missing that tell others more of an address than a browser does by itself.
const DEFENCES: [(&str, &[&str]); 6] = [
    ("cross-origin-embedder-policy", &["credentialless", "require-corp", "unsafe-none"]),
    (
        "cross-origin-opener-policy",
        &["noopener-allow-popups", "same-origin", "same-origin-allow-popups", "unsafe-none"],
    ),
    ("cross-origin-resource-policy", &["cross-origin", "same-origin", "same-site"]),
    (
        "referrer-policy",
        &[
            "no-referrer",
            "origin",
            "origin-when-cross-origin",
            "same-origin",
            "strict-origin",
            "strict-origin-when-cross-origin",
        ],
    ),
    ("x-content-type-options", &["nosniff"]),
    ("x-frame-options", &["DENY", "SAMEORIGIN"]),
];
/// Three years have eight.
const TRANSPORT_DIGITS_MAX: usize = 8;

/// A header of an answer by which browsers defend it, said anew; none where it has any other form, or where there are two,
/// of which nobody knows which counts.
pub(crate) fn defence(name: &HeaderName, from: &HeaderMap) -> Option<HeaderValue> {
    let known = DEFENCES.iter().find(|(known, _)| name == known);
    if known.is_none() && name != header::STRICT_TRANSPORT_SECURITY {
        return None;
    }
    let mut lines = from.get_all(name).iter();
    let text = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?.trim();
    let Some((_, words)) = known else { return transport_security(text) };
    let word = |text: &str| words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
    if name != header::REFERRER_POLICY {
        return word(text).map(HeaderValue::from_static);
    }
    // Each is for browsers that do not know the one behind it.
    let mut kept: Vec<&str> = Vec::new();
    for item in text.split(',') {
        kept.push(word(item.trim()).filter(|word| !kept.contains(word))?);
    }
    HeaderValue::from_str(&kept.join(", ")).ok()
}

/// `max-age=31536000; includeSubDomains; preload` (RFC 6797, section 6.1), each once at most.
fn transport_security(text: &str) -> Option<HeaderValue> {
    let (mut seconds, mut below, mut preload) = (None, false, false);
    for directive in text.split(';').map(str::trim).filter(|d| !d.is_empty()) {
        let (name, value) =
            directive.split_once('=').map_or((directive, None), |(n, v)| (n.trim(), Some(v.trim())));
        match (name.to_ascii_lowercase().as_str(), value) {
            ("max-age", Some(digits)) if seconds.is_none() && digits.len() <= TRANSPORT_DIGITS_MAX => {
                seconds =
                    Some(digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?);
            }
            ("includesubdomains", None) if !below => below = true,
            ("preload", None) if !preload => preload = true,
            _ => return None,
        }
    }
    let mut said = format!("max-age={}", seconds?);
    for (flag, name) in [(below, "; includeSubDomains"), (preload, "; preload")] {
        said.push_str(if flag { name } else { "" });
    }
    HeaderValue::from_str(&said).ok()
}

//! The request of a case.

use bytes::Bytes;
use consentry_identity::{Assurance, Issuer, TokenSpec};
use consentry_layer::{Tls, Transport};
use consentry_model::{Identifier, MediaTypes, Moment, Purpose, RequesterId, Space};
use consentry_policy::{Bundle, Case, PurposeRule, RequesterDef, Route};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::Value;

use super::people;
use super::stage::StageError;
use super::writing::Writing;

/// Who issues the tokens of a rehearsal, and for whom.
pub(super) const ISSUER: &str = "https://issuer.rehearsal.example";
pub(super) const AUDIENCE: &str = "https://api.rehearsal.example";
/// The host that is asked where neither the case nor the bundle names one.
const ANY_HOST: &str = "api.rehearsal.example";
/// The claim of a token that names the person on whose behalf it was issued.
const SUBJECT: &str = "sub";

/// The host that a case asks.
fn host<'b>(bundle: &'b Bundle, case: &'b Case) -> &'b str {
    let own = bundle.settings.hosts.first().map(String::as_str);
    case.host.as_deref().or(own).unwrap_or(ANY_HOST)
}

/// The route that a case asks for.
pub(super) fn route_of<'b>(bundle: &'b Bundle, case: &'b Case) -> Option<&'b Route> {
    let path = case.path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let host = host(bundle, case).to_ascii_lowercase();
    bundle.service.find_on(Some(&host), &case.method, &segments).map(|found| found.route)
}

/// The request of a case, with the token of whoever makes it.
pub(super) fn request(
    bundle: &Bundle,
    case: &Case,
    issuer: &Issuer,
    at: Moment,
) -> Result<Request<Full<Bytes>>, StageError> {
    let mut target = case.path.clone();
    for (name, value) in &case.query {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&format!("{}={}", encoded(name), encoded(value)));
    }
    let mut request = Request::builder().method(case.method.as_str()).uri(target);
    request = request.header(HOST, host(bundle, case));
    if let Some(why) = &case.why {
        request = request.header("data-purpose", why);
    }
    if let Some(spec) = token(bundle, case)? {
        request = request.header(AUTHORIZATION, format!("Bearer {}", issuer.token(&spec, at)?));
    }
    let writing = sent(route_of(bundle, case), case);
    // A content type of a case stands as it does where it has parameters of its own.
    let writing_says =
        writing.as_ref().filter(|_| !content_type(case).is_some_and(|kind| kind.contains(';')));
    if let Some((_, writing)) = writing_says {
        request = request.header(CONTENT_TYPE, writing.content_type());
    }
    let is_said = |name: &str| writing_says.is_some() && is_content_type(name);
    for (name, value) in case.headers.iter().filter(|(name, _)| !is_said(name)) {
        request = request.header(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    if !case.cookies.is_empty() {
        let pairs: Vec<String> = case.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        request = request.header(COOKIE, pairs.join("; "));
    }
    let body = writing.map(|(value, writing)| writing.write(value)).unwrap_or_default();
    Ok(request.body(Full::new(Bytes::from(body)))?)
}

/// What a case sends, and how it is written: as its content type says, or as its route takes it.
pub(super) fn sent<'c>(route: Option<&Route>, case: &'c Case) -> Option<(&'c Value, Writing)> {
    let value = case.sends.as_ref()?;
    let json = MediaTypes::json();
    let types = route.and_then(|route| route.request_body.types()).unwrap_or(&json);
    Some((value, Writing::of(types, content_type(case), value)))
}

/// The content type that a case names.
fn content_type(case: &Case) -> Option<&str> {
    let mut headers = case.headers.iter();
    headers.find(|(name, _)| is_content_type(name)).map(|(_, value)| value.as_str())
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case(CONTENT_TYPE.as_str())
}

/// How the connection of a case is protected.
pub(super) fn transport(case: &Case) -> Result<Transport, StageError> {
    let tls = match &case.tls {
        None => Tls::V1_3,
        Some(word) => Tls::parse(word).ok_or("the case names an unknown version of TLS")?,
    };
    Ok(Transport { tls, signed: case.signed, ..Transport::default() })
}

/// The token of whoever calls: a requester's own, or that of the portal in which a person signed in.
fn token(bundle: &Bundle, case: &Case) -> Result<Option<TokenSpec>, StageError> {
    if case.who == "anyone" {
        return Ok(None);
    }
    let route = route_of(bundle, case);
    let person = people::is_person(case, bundle);
    let (requester, definition) = if person {
        portal(bundle, case, route)
    } else {
        bundle.requesters.get_key_value(&RequesterId::new(&case.who))
    }
    .ok_or("the bundle registers no requester that receives as the subject")?;
    let mut spec = TokenSpec::new(requester.clone(), ISSUER, AUDIENCE);
    spec.purposes.clone_from(&definition.purposes);
    spec.assurance = match &case.assurance {
        None => Assurance::Substantial,
        Some(word) => Assurance::parse(word).ok_or("the case names an unknown assurance")?,
    };
    let claimed = case.claims.get(SUBJECT).and_then(Value::as_str);
    if let Some(name) = claimed.or(person.then_some(case.who.as_str())) {
        spec.person = space(bundle, route).map(|space| Identifier::new(space, name));
    }
    let further = case.claims.iter().filter(|(name, _)| *name != SUBJECT);
    spec.others = further.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Some(spec))
}

/// Where a person signs in: a requester that receives as the subject, and that may ask for this if there is one.
fn portal<'b>(
    bundle: &'b Bundle,
    case: &Case,
    route: Option<&Route>,
) -> Option<(&'b RequesterId, &'b RequesterDef)> {
    let own = |def: &RequesterDef| bundle.vocabulary.recipient_is(def.receives_as.as_str(), "subject");
    let all = || bundle.requesters.iter().filter(|(_, def)| own(def));
    let wanted = purpose(bundle, case, route);
    let may = |def: &RequesterDef| {
        let covers =
            |asked: &Purpose| def.purposes.iter().any(|above| bundle.vocabulary.covers(above, asked));
        wanted.as_ref().is_some_and(covers)
    };
    all().find(|(_, def)| may(def)).or_else(|| all().next())
}

/// For which purpose a case asks, as far as its route or its own words say.
fn purpose(bundle: &Bundle, case: &Case, route: Option<&Route>) -> Option<Purpose> {
    let declared = case.why.as_ref().and_then(|why| {
        let key = why.split(';').next().unwrap_or_default().trim();
        bundle.vocabulary.resolve(&Purpose::new(key).ok()?)
    });
    declared.or_else(|| match &route?.purpose {
        PurposeRule::Fixed(purpose) => Some(purpose.clone()),
        PurposeRule::OneOf(served) => served.first().cloned(),
        PurposeRule::By { values, .. } => values.values().next().cloned(),
    })
}

/// In which space a token names its person.
fn space(bundle: &Bundle, route: Option<&Route>) -> Option<Space> {
    route.and_then(people::named_space).or_else(|| people::spaces(bundle).into_iter().next())
}

/// Percent-encodes what is not plain.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

//! The answer: status, headers, cookies and body are all data.

use bytes::Bytes;
use consentry_audit::Receipt;
use consentry_body::Redactor;
use consentry_model::{Format, Reason};
use consentry_policy::Body;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::answer::{
    forward_headers, is_bodiless, is_of_the_connection, map_of, unreadable, with_pseudonyms,
};
use crate::body::ResponseBody;
use crate::defences::defence;
use crate::events;
use crate::evidence::Lines;
use crate::exchange::{Decided, Open};
use crate::faults::of_answer;
use crate::pointers::{self, redirects};
use crate::pump::Pump;
use crate::service::BoxError;
use crate::source::Source;
use crate::vary::vary;

/// The methods by which a service can be asked here.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Delivers an answer, or refuses it.
pub(crate) async fn deliver<R>(
    mut open: Open,
    mut decided: Box<Decided>,
    receipt: Receipt,
    answer: Response<R>,
) -> Response<ResponseBody>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    open.known.told_reasons |= events::is_own(&decided.access, decided.own);
    let (parts, body) = answer.into_parts();
    if let Some(reason) = unreadable(parts.status, &parts.headers) {
        return no_answer(open, &decided, &parts, reason);
    }
    let Ok(route) = decided.access.route() else { return open.fail(Reason::RouteUnknown, None) };
    let may_say_nothing = may_say_nothing(&parts.headers, body.size_hint().exact(), open.head_only);
    let mut source = Source::new(body, &parts.headers, &open.shared.limits);
    let map = match map_of(route, parts.status, &parts.headers) {
        Ok(Some((reading, ..))) if may_say_nothing && is_never_empty(reading.format) => {
            if !Box::pin(source.is_empty()).await {
                return open.fail(Reason::ResponseTruncated, None);
            }
            None
        }
        Ok(map) => map,
        Err(_) if may_say_nothing && Box::pin(source.is_empty()).await => None,
        Err(reason) => return open.fail(reason, None),
    };
    let mut lines = Lines::default();
    if let Err(refusal) = decided.renew(&open, &mut lines).await {
        // What was found before it refused is recorded like all that is.
        return match open.commit_head(&decided, lines).await {
            Ok(_) => open.stop(refusal),
            Err(reason) => open.fail(reason, None),
        };
    }
    let decided_at = decided.access.now;
    let Ok(route) = decided.access.route() else { return open.fail(Reason::RouteUnknown, None) };
    let page = route.response_body == Body::Page && !is_bodiless(parts.status);
    // Where only the head was asked for there is no body to decide on, and nothing may tell how long it is.
    let kind = map.as_ref().map(|(_, _, leaves_as)| leaves_as.clone());
    let map = map.filter(|_| !open.head_only);
    let mut taken = std::mem::take(&mut decided.taken);
    let mut headers = forward_headers(route, &parts.headers, &decided, &open, &mut taken);
    if redirects(parts.status) && !headers.contains_key(header::LOCATION) {
        return open.fail(Reason::ResponseRedirect, None);
    }
    let cookies = decided.set_cookies(&parts.headers, &mut lines, &mut taken);
    decided.taken = taken;
    let window = match open.commit_head(&decided, lines).await {
        Ok(window) => window,
        Err(reason) => return open.fail(reason, None),
    };
    headers.extend(cookies.into_iter().map(|line| (header::SET_COOKIE, line)));
    if page {
        let head = (parts, headers, decided_at, window);
        return Box::pin(crate::page::deliver(open, decided, receipt, head, source)).await;
    }
    headers.extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
    let Some((reading, map, _)) = map else {
        return open.without_body(decided, parts.status, headers, decided_at);
    };
    let redactor = match Redactor::new(&reading, map, open.shared.limits.body()) {
        Ok(redactor) => with_pseudonyms(redactor, &open, &decided),
        Err(error) => return open.fail(of_answer(error).reason, None),
    };
    let pump = Box::new(Pump::new(open, decided, receipt, redactor, source, window, reading.live));
    pump.start(&parts, headers).await
}

/// Whether no bytes are no text of a format: of JSON, or of a table, which has a first row.
const fn is_never_empty(format: Format) -> bool {
    matches!(format, Format::Json | Format::Csv)
}

/// Whether an answer may have no bytes, so that it needs no media type, and JSON and tables are none: it names no type, or says
/// itself that it is empty. Where only the head was asked for, its own body has bytes all the same.
fn may_say_nothing(headers: &HeaderMap, bytes: Option<u64>, head_only: bool) -> bool {
    let is_plain = !headers.contains_key(header::CONTENT_ENCODING);
    match headers.get_all(header::CONTENT_TYPE).iter().count() {
        0 => true,
        1 => bytes == Some(0) && is_plain && !head_only,
        // Nobody knows which one counts.
        _ => false,
    }
}

/// Fails for what came instead of an answer that can be read.
fn no_answer(open: Open, decided: &Decided, parts: &Parts, reason: Reason) -> Response<ResponseBody> {
    let wait = pointers::wait(decided, &parts.headers);
    let status = Some(parts.status).filter(|status| is_told(decided, *status, wait.is_some()));
    let mut more = HeaderMap::new();
    if status.is_some() {
        more.extend(wait.map(|wait| (header::RETRY_AFTER, wait)));
        pointers::cross_origin(decided, &parts.headers, &mut more);
        if !more.keys().all(|name| name == header::RETRY_AFTER) {
            more.insert(
                header::VARY,
                vary(&decided.access, open.shared.authenticator.current().own_headers()),
            );
        }
    }
    let methods = allowed(&parts.headers).filter(|_| status == Some(StatusCode::METHOD_NOT_ALLOWED));
    more.extend(methods.map(|methods| (header::ALLOW, methods)));
    let defences = parts.headers.keys().filter(|_| status.is_some());
    more.extend(defences.filter_map(|name| Some((name.clone(), defence(name, &parts.headers)?))));
    // Whoever is told that nobody is logged in has no session any more.
    let ends = status.map(|_| decided.ended_cookies(&parts.headers)).unwrap_or_default();
    ends.into_iter().for_each(|line| _ = more.append(header::SET_COOKIE, line));
    let mut response = open.fail(reason, status);
    response.headers_mut().extend(more);
    response
}

/// The methods that a service allows instead (RFC 9110, section 15.5.6), said anew, as far as any of them may come here. Of a
/// service that says none nobody here knows them.
fn allowed(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines = headers.get_all(header::ALLOW).iter().map(HeaderValue::as_bytes);
    let named: Vec<&[u8]> =
        lines.flat_map(|line| line.split(|b| *b == b',')).map(<[u8]>::trim_ascii).collect();
    let there = METHODS.into_iter().filter(|method| named.contains(&method.as_bytes()));
    let there: Vec<&str> = there.collect();
    HeaderValue::from_str(&there.join(", ")).ok().filter(|value| !value.is_empty())
}

/// Whether the status of an answer that is none is told: what it says of the request, or how long the service rests. Whether
/// somebody is there, or was, is told only to those who had to say who they are, and where the map says so.
fn is_told(decided: &Decided, status: StatusCode, says_how_long: bool) -> bool {
    let Ok(route) = decided.access.route() else { return false };
    let listed = route.told_errors.contains(&status.as_u16());
    let public = route.public && route.about.is_some();
    // Rights are free of charge (GDPR, article 12(5)).
    let charges = status == StatusCode::PAYMENT_REQUIRED && route.right.is_some();
    let of_the_request = status.is_client_error() && !is_of_the_connection(status) && !charges;
    let rests = status == StatusCode::SERVICE_UNAVAILABLE && says_how_long;
    (of_the_request && (listed || !public)) || (rests && !public)
}

//! What a request brings: its body, its query, its headers and cookies, and what of them goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use consentry_body::{Pseudonyms, Redactor, Report, Said, Step, SubjectIx, Window, beside};
use consentry_model::{ClassId, Field, Format, MediaTypes, Reason, Treatment};
use consentry_policy::{Body, Excess, HeadField, Right, Route};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::Full;

use crate::coding;
use crate::evidence::Taken;
use crate::faults::of_request;
use crate::head::Head;
use crate::layer::Shared;
use crate::lookalikes::has_lookalike;
use crate::media::Media;
use crate::page;
use crate::query::{self, takes};
use crate::said::{Astray, ReadAs, is_left_out, is_one_click, json_parts, reach, unmarked};
use crate::stated::Found;
use crate::target::is_named;
use crate::technical::accept;

/// Headers that declare a purpose to us. They are read once everything else about the request is known, and go no further
/// whatever a service map says: behind us nobody decides again.
pub(crate) const PURPOSE_CARRIERS: [&str; 2] = ["baggage", "data-purpose"];

/// Headers that every client sends and that stay here without a word: ours, the transport's, and those that would
/// hide or split an answer. Of `accept` and `content-type` only what was read of them goes on.
const SILENT: [&str; 41] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "dnt",
    "early-data",
    "expect",
    "forwarded",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "sec-gpc",
    "sec-purpose",
    "te",
    "trailer",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "txn-token",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "content-encoding",
];

/// A request body that was read whole and found well-formed.
pub(crate) struct Brought {
    said: Option<Said>,
    /// How it was read.
    read_as: Option<ReadAs>,
    /// The parts of a form that are JSON.
    json_parts: BTreeSet<String>,
    /// What goes on beside that.
    beside: Vec<String>,
    format: Format,
    content_type: Option<HeaderValue>,
    redactor: Option<(Redactor, Window)>,
    /// Whether there is a body that the route does not take. It is refused, and a no beside it is heard first.
    pub(crate) is_unexpected: bool,
}

/// The request that the inner service sees. Only this module makes one.
pub(crate) struct UpstreamRequest(Request<Full<Bytes>>);

impl UpstreamRequest {
    pub(crate) fn with_header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    pub(crate) fn with_headers(mut self, lines: Vec<(HeaderName, HeaderValue)>) -> Self {
        for (name, value) in lines {
            // What the service map declares went on as it came.
            self.0.headers_mut().entry(name).or_insert(value);
        }
        self
    }

    pub(crate) fn into_inner(self) -> Request<Full<Bytes>> {
        self.0
    }
}

/// Reads a body that is there whole.
pub(crate) fn read(shared: &Shared, route: &Route, head: &Head, bytes: Bytes) -> Result<Brought, Reason> {
    let limits = &shared.limits;
    let brings_nothing = match &route.request_body {
        Body::None => {
            let may_click = route.right == Some(Right::Preferences);
            bytes.is_empty() || (may_click && is_one_click(head.header("content-type"), &bytes))
        }
        Body::Fields(_, types) => bytes.is_empty() && route.message.is_none() && is_left_out(head, types),
        Body::Page => false,
    };
    let (Body::Fields(map, types), false) = (&route.request_body, brings_nothing) else {
        let (beside, format, is_unexpected) = (Vec::new(), Format::Json, !brings_nothing);
        let (said, read_as, json_parts) = (None, None, BTreeSet::new());
        let (content_type, redactor) = (None, None);
        return Ok(Brought {
            said,
            read_as,
            json_parts,
            beside,
            format,
            content_type,
            redactor,
            is_unexpected,
        });
    };
    let bytes = coding::content(&head.headers, limits, bytes)?;
    let media = Media::read(head.header("content-type"), types).ok_or(Reason::BodyMediaType)?;
    let content_type = media.header(types);
    let is_form = matches!(media.reading.format, Format::Form | Format::Multipart);
    let fields_max = if is_form { limits.form_fields(head.query.len()) } else { limits.body_fields_max };
    let whole = consentry_body::Limits {
        fields_max,
        window_bytes_max: usize::MAX,
        record_bytes_max: limits.request_body_bytes_max,
        window_subjects_max: usize::MAX,
        ..limits.body()
    };
    let mut redactor = Redactor::new(&media.reading, Arc::clone(map), whole).map_err(of_request)?;
    redactor.push(&bytes).and_then(|()| redactor.end()).map_err(of_request)?;
    let window = match redactor.step().map_err(of_request)? {
        Step::NeedVerdicts(window) => window,
        Step::NeedInput | Step::Done => return Err(Reason::BodyMalformed),
    };
    let format = media.reading.format;
    let beside = beside(&media.reading, &bytes);
    let json_parts = json_parts(&media.reading, &bytes);
    let read_as = ReadAs::new(media.reading, Arc::clone(map), limits.depth_max);
    let said = read_as.said(&bytes)?;
    if has_lookalike(&said, map, format) {
        return Err(Reason::BodyMalformed);
    }
    let (said, read_as, redactor) = (Some(said), Some(read_as), Some((redactor, window)));
    let is_unexpected = false;
    Ok(Brought { said, read_as, json_parts, beside, format, content_type, redactor, is_unexpected })
}

impl Brought {
    /// The window of the body that waits for its verdicts.
    pub(crate) fn window(&self) -> Option<&Window> {
        self.redactor.as_ref().map(|(_, window)| window)
    }

    /// The data classes that the request brings about its own subject in its query, each once.
    pub(crate) fn in_query(route: &Route, head: &Head) -> Vec<ClassId> {
        let came = |f: &&HeadField| head.query.iter().any(|p| is_named(&f.name, &p.name));
        let query = route.request_query.iter().filter(came);
        let mut all: Vec<_> = query.filter_map(|f| class_of(f.field)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The data classes that the request brings in its body and its query, each once.
    pub(crate) fn classes(&self, route: &Route, head: &Head) -> Vec<ClassId> {
        let body = self.redactor.iter().flat_map(|(_, window)| window.groups.iter().map(|(_, class)| *class));
        let mut all: Vec<_> = body.chain(Self::in_query(route, head)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the request brings something that the route declares nowhere, in its body or its query.
    pub(crate) fn has_excess(&self, route: &Route, head: &Head) -> bool {
        self.redactor.as_ref().is_some_and(|(redactor, _)| redactor.undeclared() > 0)
            || head.query.iter().any(|p| !takes(route, &p.name))
    }

    /// What stands at a path of the body. Of bytes that nobody reads it is nothing.
    pub(crate) fn found(&self, path: &[String]) -> Found {
        match self.reach(path) {
            Ok(said) => said.into(),
            Err(Astray) if self.format == Format::Whole => Found::Nothing,
            Err(Astray) => Found::Unreadable,
        }
    }

    /// The members of the object at a path whose values are texts.
    pub(crate) fn members(&self, path: &[String]) -> Vec<(String, String)> {
        let Some(Said::Object(members)) = self.at(path) else { return Vec::new() };
        members.iter().filter_map(|(k, v)| Some((k.clone(), v.text()?.to_owned()))).collect()
    }

    /// The value at a path of the body.
    pub(crate) fn at(&self, path: &[String]) -> Option<&Said> {
        self.reach(path).ok().flatten()
    }

    /// The same, if anything is said of it. What each row of a table says the body as a whole does not.
    pub(crate) fn reach(&self, path: &[String]) -> Result<Option<&Said>, Astray> {
        match &self.said {
            Some(_) if self.format == Format::Csv => Err(Astray),
            said => said.as_ref().map_or(Ok(None), |said| reach(said, path)),
        }
    }

    /// What a body says that is read as this one was. One of which nothing was taken says the same.
    pub(crate) fn read_again(&self, bytes: &[u8]) -> Option<Result<Said, Reason>> {
        let is_whole = self.redactor.as_ref().is_none_or(|(redactor, _)| redactor.report().is_untouched());
        self.read_as.as_ref().filter(|_| !is_whole).map(|read_as| read_as.said(bytes))
    }

    /// What the body says as a whole, and in which format it came.
    pub(crate) fn whole(&self) -> Option<(&Said, Format)> {
        Some((self.said.as_ref()?, self.format))
    }

    /// What goes on with the body beside what it says: names of files and their media types.
    pub(crate) fn beside(&self) -> &[String] {
        &self.beside
    }

    /// Whether what stands at a path is a text, whatever it means: in a form it is, but for its parts that are JSON.
    pub(crate) fn is_flat_at(&self, path: &[String]) -> bool {
        let path = path.join(".");
        let holds = |part: &String| {
            path.strip_prefix(part.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.format.is_flat() && !self.json_parts.iter().any(holds)
    }
}

pub(crate) fn class_of(field: Field) -> Option<ClassId> {
    match field {
        Field::Class(class, _) => Some(class),
        Field::Open => None,
    }
}

/// How what a request brings may go on: each class of its own subject, and of each further subject of its body.
#[derive(Default)]
pub(crate) struct Treatments {
    pub(crate) of_request: BTreeMap<ClassId, Treatment>,
    pub(crate) of_body: BTreeMap<(SubjectIx, ClassId), Treatment>,
}

pub(crate) fn goes_on(field: Field, treatments: &Treatments) -> bool {
    class_of(field).is_none_or(|class| treatments.of_request.get(&class) == Some(&Treatment::Clear))
}

/// Puts together what goes on to the inner service, and notes what stays.
///
/// # Errors
/// When something would have to be dropped and the route refuses excess instead.
pub(crate) fn forward(
    route: &Route,
    head: &Head,
    brought: &mut Brought,
    treatments: &Treatments,
    cookies: &[String],
    pseudonyms: &dyn Fn() -> Option<Pseudonyms>,
    taken: &mut Taken,
) -> Result<UpstreamRequest, Reason> {
    let query = query::forward_query(route, head, treatments, taken);
    let body = brought.release(treatments, pseudonyms, taken)?;
    if !brought.is_said_by(route, &body) {
        return Err(Reason::MinimisationViolation);
    }
    // The addressees of a message who may not be written to are left out, and the others are written to.
    if route.excess == Excess::Refuse && route.message.is_none() && !taken.is_empty() {
        return Err(Reason::MinimisationViolation);
    }
    let target = if query.is_empty() { head.path.clone() } else { format!("{}?{query}", head.path) };
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = target.parse().map_err(|_| Reason::HeadMalformed)?;
    *request.headers_mut() = forward_headers(route, head, treatments, taken);
    let json = MediaTypes::json();
    let types = match &route.response_body {
        Body::Fields(_, types) => types,
        Body::Page => page::types(),
        Body::None => &json,
    };
    let accepted = accept(&head.headers, types);
    let technical = [(header::ACCEPT, accepted), (header::CONTENT_TYPE, brought.content_type.take())];
    for (name, value) in technical.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        request.headers_mut().entry(name).or_insert(value);
    }
    request.headers_mut().insert(header::ACCEPT_ENCODING, coding::readable(types.may_be_live()));
    forward_cookies(head, cookies, request.headers_mut(), taken);
    Ok(UpstreamRequest(request))
}

impl Brought {
    /// The body as it goes on, once. Whom it names can still be asked.
    fn release(
        &mut self,
        treatments: &Treatments,
        pseudonyms: &dyn Fn() -> Option<Pseudonyms>,
        taken: &mut Taken,
    ) -> Result<Bytes, Reason> {
        let Some((redactor, window)) = self.redactor.take() else { return Ok(Bytes::new()) };
        let mut redactor = match pseudonyms() {
            Some(key) => redactor.with_pseudonyms(key),
            None => redactor,
        };
        let decide = |subject: SubjectIx, class: ClassId| {
            treatments.of_body.get(&(subject, class)).copied().unwrap_or(Treatment::Withheld)
        };
        let bytes = redactor.release(&decide).map_err(of_request)?;
        note(redactor.report(), taken);
        self.redactor = Some((redactor, window));
        Ok(unmarked(bytes, self.format))
    }
}

fn note(report: &Report, taken: &mut Taken) {
    for (path, count) in &report.withheld {
        *taken.paths.entry(format!("request.body.{path}")).or_default() += count;
    }
    taken.undeclared += report.undeclared;
    taken.altered += report.altered.values().sum::<u64>();
    taken.omitted += report.omitted;
}

fn forward_headers(route: &Route, head: &Head, treatments: &Treatments, taken: &mut Taken) -> HeaderMap {
    let mut out = HeaderMap::new();
    for name in head.headers.keys() {
        let text = name.as_str();
        match find(&route.request_headers, text) {
            _ if PURPOSE_CARRIERS.contains(&text) => {}
            Some(declared) if goes_on(declared.field, treatments) => copy(name, &head.headers, &mut out),
            Some(_) => taken.path(format!("request.header.{text}")),
            None if *name == header::HOST => copy(name, &head.headers, &mut out),
            None if SILENT.contains(&text) || *name == header::COOKIE || text.starts_with("sec-") => {}
            None => taken.undeclared += 1,
        }
    }
    // Intermediaries must not take the signal away.
    if head.gpc() {
        out.insert("sec-gpc", HeaderValue::from_static("1"));
    }
    out
}

fn copy(name: &HeaderName, from: &HeaderMap, to: &mut HeaderMap) {
    for value in from.get_all(name) {
        to.append(name.clone(), value.clone());
    }
}

fn forward_cookies(head: &Head, allowed: &[String], headers: &mut HeaderMap, taken: &mut Taken) {
    let cookies = head.cookies();
    let kept = cookies.iter().filter(|(name, _)| allowed.contains(name));
    let kept: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
    let left = head.cookie_count().saturating_sub(kept.len());
    taken.undeclared += u64::try_from(left).unwrap_or(u64::MAX);
    if let Ok(value) = HeaderValue::from_str(&kept.join("; "))
        && !kept.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
}

fn find<'a>(fields: &'a [HeadField], name: &str) -> Option<&'a HeadField> {
    fields.iter().find(|f| f.name == name)
}

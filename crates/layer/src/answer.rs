//! The head of an answer: whether it can be read, and which of its headers go on.

use std::sync::Arc;

use bytes::Bytes;
use consentry_audit::{Direction, End};
use consentry_body::{Reading, Redactor, Report};
use consentry_model::{FieldMap, Moment, Reason};
use consentry_policy::{Body, HeadField, Refusal, Route, may_be_answered};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::body::{Pending, ResponseBody};
use crate::defences::defence;
use crate::evidence::{self, Lines};
use crate::exchange::{Decided, Open};
use crate::media::Media;
use crate::pointers::{self, redirects};
use crate::request::class_of;
use crate::vary::vary;

/// How the body is to be read, and the content type that it leaves with.
pub(crate) type Read = (Reading, Arc<FieldMap>, HeaderValue);

/// Whether no body is passed on under a status: it has none (RFC 9110, sections 15.3.5 and 15.3.6), or nobody looks at it.
pub(crate) fn is_bodiless(status: StatusCode) -> bool {
    [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&status) || redirects(status)
}

/// How the body is to be read; nothing when none is passed on.
pub(crate) fn map_of(route: &Route, status: StatusCode, headers: &HeaderMap) -> Result<Option<Read>, Reason> {
    let Body::Fields(map, types) = &route.response_body else { return Ok(None) };
    if is_bodiless(status) {
        return Ok(None);
    }
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    // Of two lines nobody knows which one counts.
    let kind = lines.next().filter(|_| lines.next().is_none()).and_then(|line| line.to_str().ok());
    let media = Media::read(kind, types).ok_or(Reason::ResponseMediaType)?;
    let leaves_as = media.header(types).ok_or(Reason::ResponseMediaType)?;
    Ok(Some((media.reading, Arc::clone(map), leaves_as)))
}

/// An answer that is none to what was asked. Whether a redirection may go on is decided with its headers.
pub(crate) fn unreadable(status: StatusCode, headers: &HeaderMap) -> Option<Reason> {
    // Ranges, conditionals and deltas were taken off the request.
    let part = [StatusCode::PARTIAL_CONTENT, StatusCode::IM_USED, StatusCode::NOT_MODIFIED].contains(&status);
    if part || status.is_informational() || headers.contains_key(header::CONTENT_RANGE) {
        Some(Reason::ResponsePartial)
    } else if status.is_redirection() && !redirects(status) {
        Some(Reason::ResponseRedirect)
    } else if status.is_client_error() || status.is_server_error() {
        Some(Reason::UpstreamError)
    } else {
        (!status.is_success() && !status.is_redirection()).then_some(Reason::UpstreamError)
    }
}

/// Whether a status speaks of the connection that it came over, which is the one behind and none of the caller's: a proxy's
/// credentials, the wait for a request, the host that is meant, the protocol (RFC 9110, section 15.5).
pub(crate) fn is_of_the_connection(status: StatusCode) -> bool {
    [
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::MISDIRECTED_REQUEST,
        StatusCode::UPGRADE_REQUIRED,
    ]
    .contains(&status)
}

pub(crate) fn forward_headers(
    route: &Route,
    from: &HeaderMap,
    decided: &Decided,
    open: &Open,
    taken: &mut evidence::Taken,
) -> HeaderMap {
    let mut out = HeaderMap::new();
    for name in from.keys() {
        let declared = route.response_headers.iter().find(|f| f.name == name.as_str());
        let lines: Vec<HeaderValue> = match declared {
            Some(field) if may_be_answered(name.as_str()) => pointers::lines(decided, field, from),
            Some(_) => Vec::new(),
            None => defence(name, from).into_iter().collect(),
        };
        // Of what a file's name may tell of somebody its disposition alone is left.
        let cut =
            |field: &HeadField| class_of(field.field).is_some() && !from.get_all(name).iter().eq(&lines);
        if let Some(field) = declared.filter(|field| lines.is_empty() || cut(field)) {
            taken.path(format!("response.header.{}", field.name));
        }
        lines.into_iter().for_each(|line| _ = out.append(name.clone(), line));
    }
    // What depends on a person must never be answered to another from a cache.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let authenticator = open.shared.authenticator.current();
    out.insert(header::VARY, vary(&decided.access, authenticator.own_headers()));
    out
}

/// The redactor with the key of this exchange's pseudonyms, where the layer has one.
pub(crate) fn with_pseudonyms(redactor: Redactor, open: &Open, decided: &Decided) -> Redactor {
    match open.shared.pseudonyms(&decided.access) {
        Some(key) => redactor.with_pseudonyms(key),
        None => redactor,
    }
}

impl Open {
    /// The head record is written already: what else leaves with the head is recorded as a window of its own. The number
    /// of the next window.
    pub(crate) async fn commit_head(&mut self, decided: &Decided, lines: Lines) -> Result<u64, Reason> {
        if lines.is_empty() {
            return Ok(0);
        }
        let record = self.verdicts(decided, 0, lines);
        self.commit(record).await?;
        Ok(1)
    }

    /// Decides anew what was decided too long ago to leave by, and records it as this window. What broke refuses, too.
    pub(crate) async fn renewed(&mut self, decided: &mut Decided, window: u64) -> Result<(), Refusal> {
        let mut lines = Lines::default();
        let renewed = decided.renew(self, &mut lines).await;
        if !lines.is_empty() {
            let record = self.verdicts(decided, window, lines);
            self.commit(record).await.map_err(Refusal::plain)?;
        }
        renewed
    }

    /// The record of a window of verdicts.
    pub(crate) fn verdicts(&self, decided: &Decided, window: u64, lines: Lines) -> consentry_audit::Verdicts {
        let digest = self.installed.engine.bundle().digest.clone();
        let lines = lines.into_vec();
        let mut verdicts =
            consentry_audit::Verdicts::new(Direction::Response, window, digest, decided.ledger, lines);
        verdicts.at = Some(decided.access.now);
        verdicts
    }

    /// An answer that is its head alone, which was decided at this time.
    pub(crate) fn without_body(
        self,
        mut decided: Box<Decided>,
        status: StatusCode,
        mut headers: HeaderMap,
        decided_at: Moment,
    ) -> Response<ResponseBody> {
        // Its record took time.
        if let Err(reason) = decided.finish_head(&mut headers, decided_at, &self) {
            return self.fail(reason, None);
        }
        if redirects(status) && !headers.contains_key(header::LOCATION) {
            return self.fail(Reason::ResponseRedirect, None);
        }
        let mut response =
            Response::new(ResponseBody::closing(Bytes::new(), self.pending(&decided, status, 0)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// The ticket of an answer without a body.
    pub(crate) fn pending(self, decided: &Decided, status: StatusCode, bytes: u64) -> Pending {
        let report = Report::default();
        let taken = &decided.taken;
        let closing = evidence::closing(End::Delivered, status.as_u16(), None, taken, &report, bytes);
        Pending { ticket: self.ticket, closing }
    }
}

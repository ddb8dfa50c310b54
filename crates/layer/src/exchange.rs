//! One exchange, from head to answer: the way of one request on one page.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use consentry_audit::{End, Receipt, Step, Ticket, TraceParent};
use consentry_body::Report;
use consentry_identity::Claims;
use consentry_model::{Audience, LedgerRevision, Proof, Reason};
use consentry_policy::{Refusal, Route};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use tower_service::Service;

use crate::account::Account;
use crate::admission::{Admitted, Client};
use crate::arrival::{describe, routed};
use crate::body::ResponseBody;
use crate::coding;
use crate::decide::{Stop, decide};
use crate::describe::{Access, FoundRoute, Known};
use crate::evidence::{self, Taken};
use crate::gate::Gate;
use crate::head::Head;
use crate::layer::Shared;
use crate::lines;
use crate::people::Whom;
use crate::precedent::Answered;
use crate::refuse::problem;
use crate::request::{PURPOSE_CARRIERS, UpstreamRequest};
use crate::response;
use crate::service::BoxError;
use crate::slot::Installed;
use crate::spelled::is_no_random_id;
use crate::target;
use crate::transport::Transport;

/// Everything that was found out before the inner service is called.
pub(crate) struct Decided {
    pub(crate) access: Access,
    pub(crate) whom: Whom,
    pub(crate) own: bool,
    pub(crate) answered: Arc<Answered>,
    pub(crate) taken: Taken,
    pub(crate) ledger: LedgerRevision,
    /// Whether anything but the exchange itself was judged.
    pub(crate) is_judged: bool,
}

/// What stays with an exchange until its ticket is closed.
pub(crate) struct Open {
    pub(crate) shared: Arc<Shared>,
    pub(crate) installed: Arc<Installed>,
    pub(crate) ticket: Ticket,
    pub(crate) known: Known,
    /// Whether the answer may have a content coding, as far as the request says.
    pub(crate) may_be_coded: bool,
    /// Whether the answer's head alone is asked for.
    pub(crate) head_only: bool,
}

/// Takes room for one request, which counts as under way until its answer is gone.
pub(crate) fn admit<B>(shared: &Shared, request: &Request<B>) -> Result<Admitted, Reason> {
    let address = request.extensions().get::<Transport>().and_then(Transport::origin);
    shared.admission.enter(address, shared.clock.steady())
}

/// Serves one request that was admitted.
pub(crate) async fn run<S, B, R>(
    shared: Arc<Shared>,
    admitted: &mut Admitted,
    gate: Gate<S>,
    request: Request<B>,
) -> Response<ResponseBody>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Send,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let (now, began, version) = (shared.clock.now(), Instant::now(), request.version());
    // 1. The head, and who asks. What is malformed or nameless costs strangers nothing of ours.
    let (parts, body) = request.into_parts();
    let installed = match shared.policy.serving(now, shared.limits.bundle_age_secs_max) {
        Ok(installed) => installed,
        Err(reason) => return nothing_follows(version, stranger(&shared, None, reason)),
    };
    let (mut head, found) = match read_head(&shared, &installed, parts, admitted) {
        Ok(read) => read,
        Err(reason) => return nothing_follows(version, stranger(&shared, Some(&installed), reason)),
    };
    let route = found.as_ref().map(|(at, _)| *at);
    let claims = match who_asks(&shared, &installed, &mut head, route, admitted, now).await {
        Ok(claims) => claims,
        Err(reason) => return stranger(&shared, Some(&installed), reason),
    };
    // 2. An evidence slot. From here on a ticket exists, and it is closed exactly once.
    let ticket = match ticket(&shared, &head, now) {
        Ok(ticket) => ticket,
        Err(reason) => return stranger(&shared, Some(&installed), reason),
    };
    let may_be_coded = coding::may_be_coded(&head, claims.as_ref().map(|claims| claims.proof));
    let head_only = head.method == Method::HEAD;
    let known = Known { ticket: Some(ticket.id()), ..Known::default() };
    let mut open = Open { shared, installed, ticket, known, may_be_coded, head_only };
    // 3. Describe. 4. Decide.
    let (access, brought) = match describe(&mut open, found, &head, claims, body, now).await {
        Ok(described) => described,
        Err(reason) => return Box::pin(open.refuse(reason.into())).await,
    };
    let (decided, permit, upstream, lines) = match decide(&open, access, &head, brought).await {
        Ok(ready) => ready,
        Err(stop) => return Box::pin(open.refuse(stop)).await,
    };
    // 5. Only with a permit, and after a durable head record, is the inner service called.
    let (outcome, reason) = (permit.outcome(), permit.reported());
    let mut record = evidence::ruled(&decided.access, &open.known, decided.ledger, outcome, reason, lines);
    record.pending_body = !open.head_only && decided.access.route().is_ok_and(Route::answers_in_records);
    let receipt = match open.commit(record).await {
        Ok(receipt) => receipt,
        Err(reason) => return open.fail(reason, None),
    };
    let account = Account::permitted(&open.known, &permit, began.elapsed());
    let upstream = with_trace(upstream, &open.ticket);
    let destination = decided.access.destination.as_ref();
    let wait = Duration::from_millis(open.shared.limits.upstream_wait_ms_max);
    let answer = match tokio::time::timeout(wait, gate.pass(&permit, &receipt, upstream, destination)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => return open.fail(Reason::UpstreamUnreachable, None),
        Err(_) => return open.fail(Reason::UpstreamTimeout, None),
    };
    // 6. The answer leaves window by window.
    let spared = open.known.spared.clone();
    account.onto_answer(response::deliver(open, decided, receipt, answer).await, spared.as_deref())
}

/// Takes an evidence slot, joined to the caller's trace.
fn ticket(shared: &Shared, head: &Head, now: consentry_model::Moment) -> Result<Ticket, Reason> {
    let mut ticket = shared.evidence.reserve(now).map_err(|full| full.reason())?;
    let named = head.header("traceparent").and_then(|text| Some((text, TraceParent::parse(text)?)));
    if let Some((_, parent)) = named.filter(|(text, _)| !text.split('-').take(3).any(is_no_random_id)) {
        ticket.join_trace(parent);
    }
    Ok(ticket)
}

/// A refusal without a ticket: counted, not recorded one by one.
pub(crate) fn stranger(
    shared: &Shared,
    installed: Option<&Installed>,
    reason: Reason,
) -> Response<ResponseBody> {
    shared.evidence.count_refused_stranger(reason);
    let told = problem(&shared.problem_base, reason, None, None, installed.map(|i| i.engine.bundle()));
    Account::of(None, End::Refused, Some(reason)).onto(told)
}

/// The answer to a head that cannot be read. Where such a message ends may have two readings as well: before HTTP/2 nothing
/// that comes behind it on its connection is taken for a request.
pub(crate) fn nothing_follows(version: Version, mut told: Response<ResponseBody>) -> Response<ResponseBody> {
    if version < Version::HTTP_2 {
        told.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    told
}

/// Reads the head, and finds its route; one that cannot be read is counted for the address that it came from.
fn read_head(
    shared: &Shared,
    installed: &Installed,
    mut parts: http::request::Parts,
    admitted: &mut Admitted,
) -> Result<(Head, FoundRoute), Reason> {
    let transport = parts.extensions.remove::<Transport>().unwrap_or_default();
    let address = transport.origin();
    let too_many = target::pieces(parts.uri.query()) > shared.limits.query_parameters_max;
    let read = if too_many || parts.headers.len() > shared.limits.headers_max {
        Err(Reason::HeadTooLarge)
    } else {
        Head::read(&parts.method, &parts.uri, parts.version, parts.headers, transport)
    };
    let routed = read.and_then(|head| routed(installed, &head).map(|found| (head, found)));
    let now = shared.clock.steady();
    routed
        .map_err(|reason| shared.admission.count(admitted, Client::at(address), now).err().unwrap_or(reason))
}

/// Authenticates, and counts the request for whoever turns out to ask; for the address as long as that is nobody.
async fn who_asks(
    shared: &Shared,
    installed: &Installed,
    head: &mut Head,
    route: Option<usize>,
    admitted: &mut Admitted,
    now: consentry_model::Moment,
) -> Result<Option<Arc<Claims>>, Reason> {
    let claims = authenticate(shared, installed, head, route, admitted, now).await;
    let client = match &claims {
        Ok(Some(claims)) => Client::Requester(claims.requester.clone()),
        Ok(None) | Err(_) => Client::at(head.transport.origin()),
    };
    shared.admission.count(admitted, client, shared.clock.steady())?;
    claims
}

/// Who asks. Headers by which somebody is named are read here and nowhere else: they are gone from then on.
async fn authenticate(
    shared: &Shared,
    installed: &Installed,
    head: &mut Head,
    route: Option<usize>,
    admitted: &mut Admitted,
    mut now: consentry_model::Moment,
) -> Result<Option<Arc<Claims>>, Reason> {
    let mut authenticator = shared.authenticator.current();
    if !lines::stand_for_themselves(&authenticator.own_headers().collect::<Vec<_>>(), &head.headers) {
        return Err(Reason::HeadMalformed);
    }
    let mut said = authenticator.identify(&|name| head.lines(name), &head.transport.peer, now);
    // Others may have brought newer keys meanwhile; if not, this one looks for them.
    for looks in [false, true] {
        if !said.as_ref().is_err_and(|error| error.wants_newer_keys()) {
            break;
        }
        if looks {
            // Whoever waits is somebody's request, too.
            let address = Client::at(head.transport.origin());
            shared.admission.count(admitted, address, shared.clock.steady())?;
        }
        let found = looks && shared.authenticator.look_for_newer().await;
        let current = shared.authenticator.current();
        if found || !Arc::ptr_eq(&current, &authenticator) {
            // A look takes time, and a token may end meanwhile.
            (authenticator, now) = (current, shared.clock.now());
            said = authenticator.identify(&|name| head.lines(name), &head.transport.peer, now);
        }
    }
    let claims = said.map_err(|error| error.reason())?;
    for name in authenticator.own_headers() {
        if !PURPOSE_CARRIERS.contains(&name) {
            head.headers.remove(name);
        }
    }
    // Whoever calls behind a gateway signed nothing by the gateway's certificate, and nobody by one that has outlived itself.
    let is_bound = claims.as_ref().is_some_and(|claims| claims.proof == Proof::BoundToken);
    let of_gateway = authenticator.shows_a_gateways(&head.transport.peer, is_bound);
    let certificate = head.transport.peer.certificate.as_deref();
    let (is_shown, holds) = (certificate.is_some(), certificate.is_none_or(|shown| shown.holds(now)));
    head.transport.signed &= holds && !of_gateway;
    let public =
        route.and_then(|at| installed.engine.bundle().service.routes.get(at)).is_some_and(|r| r.public);
    match claims {
        None if !public && is_shown && !of_gateway => Err(Reason::CertificateUnknown),
        None if !public => Err(Reason::TokenMissing),
        claims => Ok(claims),
    }
}

fn with_trace(upstream: UpstreamRequest, ticket: &Ticket) -> UpstreamRequest {
    let value = ticket.traceparent().map(HeaderValue::try_from);
    match value.and_then(Result::ok) {
        Some(value) => upstream.with_header("traceparent", value),
        None => upstream,
    }
}

impl Open {
    /// Records, and waits until the record is durable. A disk that hangs is a log that cannot be written.
    pub(crate) async fn commit(&mut self, step: impl Into<Step>) -> Result<Receipt, Reason> {
        let wait = Duration::from_millis(self.shared.limits.evidence_wait_ms_max);
        match tokio::time::timeout(wait, self.ticket.commit(step)).await {
            Ok(Ok(receipt)) => Ok(receipt),
            Ok(Err(error)) => Err(error.reason()),
            Err(_) => Err(Reason::EvidenceUnavailable),
        }
    }

    /// Refuses, with the true reason in evidence and what the caller may hear in the answer.
    async fn refuse(mut self, stop: Stop) -> Response<ResponseBody> {
        let Stop { refusal, as_of, lines, is_own } = stop;
        self.known.told_reasons |= is_own;
        let record = evidence::refused(&self.installed, &self.known, refusal.reason, as_of, lines);
        if let Err(reason) = self.commit(record).await {
            return self.fail(reason, None);
        }
        self.close_refused(refusal)
    }

    /// Ends a ticket whose ruling is recorded.
    pub(crate) fn close_refused(self, refusal: Refusal) -> Response<ResponseBody> {
        let told = if self.known.told_reasons { refusal.reason } else { refusal.told };
        let bundle = self.installed.engine.bundle();
        let harmless = self.known.refused_status(bundle).filter(|_| refusal.reason.is_of_rules());
        let response = match harmless {
            Some(status) => crate::refuse::harmless(status),
            None => problem(&self.shared.problem_base, told, None, Some(self.ticket.id()), Some(bundle)),
        };
        let status = response.status().as_u16();
        let closing = evidence::closing(
            End::Refused,
            status,
            Some(refusal.reason),
            &Taken::default(),
            &Report::default(),
            0,
        );
        self.ticket.close(&closing);
        // What strangers may not hear is no label either, whoever hears it.
        Account::of(self.known.route.as_ref(), End::Refused, Some(refusal.told)).onto(response)
    }

    /// Ends a ticket before anything was sent, as whoever the reason is for has to hear it.
    pub(crate) fn stop(self, refusal: Refusal) -> Response<ResponseBody> {
        match refusal.reason.audience() {
            Audience::Service => self.fail(refusal.reason, None),
            Audience::Caller | Audience::Person => self.close_refused(refusal),
        }
    }

    /// Ends a ticket because something broke, here or behind us.
    pub(crate) fn fail(self, reason: Reason, status: Option<StatusCode>) -> Response<ResponseBody> {
        let id = self.ticket.id();
        let bundle = self.installed.engine.bundle();
        let response =
            problem(&self.shared.problem_base, reason.told_to_strangers(), status, Some(id), Some(bundle));
        let closing = evidence::closing(
            End::Failed,
            response.status().as_u16(),
            Some(reason),
            &Taken::default(),
            &Report::default(),
            0,
        );
        self.ticket.close(&closing);
        Account::of(self.known.route.as_ref(), End::Failed, Some(reason.told_to_strangers())).onto(response)
    }
}

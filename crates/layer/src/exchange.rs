//! One exchange, from head to answer: the way of one request on one page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consentry_audit::{End, Receipt, Step, Ticket, TraceParent};
use consentry_body::Report;
use consentry_identity::Claims;
use consentry_model::{
    ClassId, Facts, Identifier, LedgerRevision, Outcome, Reason, RecipientId, Resolution, Treatment, Verdict,
};
use consentry_policy::{Excess, Item, Permit, Person, Question, Refusal, Ruling, SubjectSource};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::describe::{Access, Known, find_route};
use crate::events::{self, Unwritten};
use crate::evidence::{self, Lines, Taken};
use crate::gate::Gate;
use crate::head::Head;
use crate::layer::Shared;
use crate::people::{Whom, resolve, revision};
use crate::refuse::problem;
use crate::request::{self, Treatments, UpstreamRequest};
use crate::response;
use crate::service::BoxError;
use crate::slot::Installed;

/// Everything that was found out before the inner service is called.
pub(crate) struct Decided {
    pub(crate) access: Access,
    pub(crate) whom: Whom,
    pub(crate) own: bool,
    pub(crate) answers: BTreeMap<ClassId, Verdict>,
    pub(crate) taken: Taken,
    pub(crate) ledger: LedgerRevision,
}

/// What stays with an exchange until its ticket is closed.
pub(crate) struct Open {
    pub(crate) shared: Arc<Shared>,
    pub(crate) installed: Arc<Installed>,
    pub(crate) ticket: Ticket,
    pub(crate) known: Known,
}

/// Serves one request.
pub(crate) async fn run<S, B, R>(
    shared: Arc<Shared>,
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
    let now = shared.clock.now();
    // 1. The head, and who asks. What is malformed or nameless costs strangers nothing of ours.
    let (parts, body) = request.into_parts();
    let installed = match shared.policy.current() {
        Some(there) if there.is_fresh(now, shared.limits.bundle_age_secs_max) => there,
        Some(_) | None => return stranger(&shared, None, Reason::BundleUnavailable),
    };
    let head = match Head::read(&parts.method, &parts.uri, parts.version, &parts.headers) {
        Ok(head) => head,
        Err(reason) => return stranger(&shared, Some(&installed), reason),
    };
    let found = find_route(&installed, &head);
    let claims = match authenticate(&shared, &installed, &head, found.as_ref().map(|(at, _)| *at), now) {
        Ok(claims) => claims,
        Err(reason) => return stranger(&shared, Some(&installed), reason),
    };
    // 2. An evidence slot. From here on a ticket exists, and it is closed exactly once.
    let mut ticket = match shared.evidence.reserve(now) {
        Ok(ticket) => ticket,
        Err(full) => return stranger(&shared, Some(&installed), full.reason()),
    };
    if let Some(parent) = head.header("traceparent").and_then(TraceParent::parse) {
        ticket.join_trace(parent);
    }
    let mut open = Open { shared, installed, ticket, known: Known::default() };
    // 3. Describe. 4. Decide.
    let described = Access::describe(&open.installed, found, &head, claims, now, &mut open.known);
    let access = match described {
        Ok(access) => access,
        Err(reason) => return open.refuse(Refusal::plain(reason), None, Lines::default()).await,
    };
    let (decided, permit, upstream, lines) = match decide(&open, access, &head, body).await {
        Ok(ready) => ready,
        Err(stop) => return open.refuse(stop.refusal, stop.access_ledger, stop.lines).await,
    };
    // 5. Only with a permit, and after a durable head record, is the inner service called.
    let pending = decided.access.about().is_some_and(|a| a.subject == SubjectSource::PerRecord);
    let mut record =
        evidence::ruled(&decided.access, &open.known, decided.ledger, permit.outcome(), None, lines);
    record.pending_body = pending;
    let receipt = match open.commit(record).await {
        Ok(receipt) => receipt,
        Err(reason) => return open.fail(reason, None),
    };
    let upstream = with_trace(upstream, &open.ticket);
    let wait = Duration::from_millis(open.shared.limits.upstream_wait_ms_max);
    let answer = match tokio::time::timeout(wait, gate.pass(&permit, &receipt, upstream)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => return open.fail(Reason::UpstreamUnreachable, None),
        Err(_) => return open.fail(Reason::UpstreamTimeout, None),
    };
    // 6. The answer leaves window by window.
    response::deliver(open, decided, receipt, answer).await
}

/// A refusal without a ticket: counted, not recorded one by one.
fn stranger(shared: &Shared, installed: Option<&Installed>, reason: Reason) -> Response<ResponseBody> {
    shared.evidence.count_refused_stranger(reason);
    problem(&shared.problem_base, reason, None, None, installed.map(|i| i.engine.bundle()))
}

fn authenticate(
    shared: &Shared,
    installed: &Installed,
    head: &Head,
    route: Option<usize>,
    now: consentry_model::Moment,
) -> Result<Option<Claims>, Reason> {
    let claims = shared.authenticator.current().authenticate(&head.lines("authorization"), now);
    let claims = claims.map_err(|error| error.reason())?;
    let public =
        route.and_then(|at| installed.engine.bundle().service.routes.get(at)).is_some_and(|r| r.public);
    if claims.is_none() && !public { Err(Reason::TokenMissing) } else { Ok(claims) }
}

fn with_trace(upstream: UpstreamRequest, ticket: &Ticket) -> UpstreamRequest {
    let value = ticket.traceparent().and_then(|t| HeaderValue::from_str(&t).ok());
    match value {
        Some(value) => upstream.with_header("traceparent", value),
        None => upstream,
    }
}

/// Why an exchange stops before the inner service is called.
struct Stop {
    refusal: Refusal,
    access_ledger: Option<LedgerRevision>,
    lines: Lines,
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self { refusal: Refusal::plain(reason), access_ledger: None, lines: Lines::default() }
    }
}

impl From<Unwritten> for Stop {
    fn from(unwritten: Unwritten) -> Self {
        Self { access_ledger: unwritten.ledger, ..Self::from(unwritten.reason) }
    }
}

type Ready = (Decided, Permit, UpstreamRequest, Lines);

async fn decide<B>(open: &Open, access: Access, head: &Head, body: B) -> Result<Ready, Stop>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    let shared = &open.shared;
    let brought = request::read(shared, access.route()?, head, body).await?;
    let strict = access.route()?.excess == Excess::Refuse;
    // What nobody's state could make good is refused before anybody is asked about, and leaves no trace elsewhere.
    if strict && brought.has_excess(access.route()?, head) {
        return Err(Reason::MinimisationViolation.into());
    }
    let identifier = brought.identifier(&access, head);
    let classes = brought.classes(access.route()?, head);
    let hopeless = |class: &ClassId| access.hopeless(&access.collects(*class)).is_some();
    let events = !access.route()?.events.is_empty();
    if events && (classes.is_empty() || !classes.iter().all(hopeless)) {
        events::record(shared, &access, &brought, identifier.as_ref()).await?;
    }
    let (ledger, whom, own) = meet(shared, &access, identifier).await?;
    let mut lines = Lines::default();
    // What the request brings.
    let (items, mut treatments) = access.brings(&classes, &whom, own, &mut lines);
    let brings = if strict { Ruling::fold_strictly(&items) } else { Ruling::fold(&items) };
    let in_headers: Vec<ClassId> = access
        .route()?
        .request_headers
        .iter()
        .filter(|f| head.headers.contains_key(&f.name))
        .filter_map(|f| request::class_of(f.field))
        .filter(|class| !treatments.contains_key(class))
        .collect();
    let (_, of_headers) = access.brings(&in_headers, &whom, own, &mut lines);
    treatments.extend(of_headers);
    // What the answer may carry.
    let answer_classes = access.route()?.response_classes();
    let (items, answers) = access.may_answer(&answer_classes, &whom, own, &mut lines);
    let ruling = brings.and(Ruling::fold(&items));
    let stop = |refusal, lines| Stop { refusal, access_ledger: Some(ledger), lines };
    if let Ruling::Refuse(refusal) = ruling {
        return Err(stop(refusal, lines));
    }
    let cookies = access.allowed_cookies(head, &whom, own, &mut lines);
    let mut taken = Taken::default();
    let upstream = request::forward(access.route()?, head, brought, &treatments, &cookies, &mut taken);
    let upstream = match upstream {
        Ok(upstream) => upstream,
        Err(reason) => return Err(stop(Refusal::plain(reason), lines)),
    };
    let ruling = if taken.is_empty() { ruling } else { ruling.redacted() };
    let permit = match ruling {
        Ruling::Allow(permit) | Ruling::Redact(permit) => permit,
        Ruling::Refuse(refusal) => return Err(stop(refusal, lines)),
    };
    Ok((Decided { access, whom, own, answers, taken, ledger }, permit, upstream, lines))
}

/// Asks the ledger about the subject that the request names and the person who asks, in one batch.
async fn meet(
    shared: &Shared,
    access: &Access,
    identifier: Option<Identifier>,
) -> Result<(LedgerRevision, Whom, bool), Reason> {
    let about = access.about().map(|a| &a.subject);
    if !matches!(about, Some(SubjectSource::Named { .. })) {
        return Ok((revision(shared).await?, Whom::Nobody, false));
    }
    let Some(identifier) = identifier else {
        return Ok((revision(shared).await?, Whom::Somebody(Resolution::Unresolved), false));
    };
    let person = access.claims.as_ref().and_then(|c| c.person.clone());
    let mut who = vec![identifier];
    who.extend(person);
    let (ledger, answers) = resolve(shared, &who).await?;
    let mut answers = answers.into_iter();
    let subject = answers.next().unwrap_or(Resolution::Unresolved);
    let same = match (&subject, answers.next()) {
        (Resolution::Known(subject), Some(Resolution::Known(person))) => subject.subject == person.subject,
        // Somebody whom the ledger does not know is still the one whom the token names.
        (Resolution::Unresolved, Some(Resolution::Unresolved)) => matches!(&who[..], [a, b] if a == b),
        _ => false,
    };
    let receives_own =
        access.installed.engine.bundle().vocabulary.recipient_is(access.recipient.as_str(), "subject");
    Ok((ledger, Whom::Somebody(subject), same && receives_own))
}

impl Access {
    pub(crate) fn hopeless(&self, question: &Question) -> Option<Reason> {
        self.installed.engine.hopeless(question, &self.request_facts, self.now)
    }

    /// Only of what is withheld does it matter whether anybody's state could have made it a yes. Where none could, that
    /// is the reason, whoever the person is.
    fn judge(&self, question: &Question, facts: &Facts, person: Person) -> (Verdict, Option<Reason>) {
        let mut verdict = self.installed.engine.decide(question, facts, person, self.now);
        let withheld = verdict.treatment == Treatment::Withheld;
        let hopeless = withheld.then(|| self.hopeless(question)).flatten();
        verdict.reason = hopeless.or(verdict.reason);
        (verdict, hopeless)
    }

    /// The verdict on each class that a request brings.
    fn brings(
        &self,
        classes: &[ClassId],
        whom: &Whom,
        own: bool,
        lines: &mut Lines,
    ) -> (Vec<Item>, Treatments) {
        let (facts, person) = self.facts_about(whom, own, &self.lineage, &RecipientId::new("internal"));
        let mut items = Vec::new();
        let mut treatments = Treatments::new();
        for class in classes {
            let (verdict, hopeless) = self.judge(&self.collects(*class), &facts, person);
            lines.add(self, *class, &verdict, &facts, whom);
            treatments.insert(*class, verdict.treatment);
            items.push(Item { hopeless, verdict: Some(verdict) });
        }
        (items, treatments)
    }

    /// The verdict on each class that an answer may carry; of records, only whether anybody could be a yes.
    fn may_answer(
        &self,
        classes: &[ClassId],
        whom: &Whom,
        own: bool,
        lines: &mut Lines,
    ) -> (Vec<Item>, BTreeMap<ClassId, Verdict>) {
        let per_record = self.about().is_some_and(|a| a.subject == SubjectSource::PerRecord);
        let anybody = Whom::Somebody(Resolution::Unresolved);
        let whom = if per_record { &anybody } else { whom };
        let (facts, person) = self.facts_about(whom, own, &self.lineage, &self.recipient);
        let mut items = Vec::new();
        let mut answers = BTreeMap::new();
        for class in classes {
            let (verdict, hopeless) = self.judge(&self.answers(*class), &facts, person);
            if per_record && hopeless.is_none() {
                // The records decide, each for itself.
                items.push(Item { hopeless, verdict: None });
                continue;
            }
            lines.add(self, *class, &verdict, &facts, if per_record { &Whom::Nobody } else { whom });
            if !per_record {
                answers.insert(*class, verdict.clone());
            }
            items.push(Item { hopeless, verdict: Some(verdict) });
        }
        (items, answers)
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
    async fn refuse(
        mut self,
        refusal: Refusal,
        ledger: Option<LedgerRevision>,
        lines: Lines,
    ) -> Response<ResponseBody> {
        let mut record =
            evidence::head(Some(&self.installed), &self.known, Outcome::Refuse, Some(refusal.reason));
        record.ledger = ledger;
        record.verdicts = lines.into_vec();
        if let Err(reason) = self.commit(record).await {
            return self.fail(reason, None);
        }
        self.close_refused(refusal)
    }

    /// Ends a ticket whose ruling is recorded.
    pub(crate) fn close_refused(self, refusal: Refusal) -> Response<ResponseBody> {
        let told = if self.known.told_reasons { refusal.reason } else { refusal.told };
        let response = problem(
            &self.shared.problem_base,
            told,
            None,
            Some(self.ticket.id()),
            Some(self.installed.engine.bundle()),
        );
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
        response
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
        response
    }
}

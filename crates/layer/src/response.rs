//! The answer: status, headers, cookies and body are all data.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use consentry_audit::{End, Receipt};
use consentry_body::{BodyFault, RecordSubject, Redactor, Step, SubjectIx, Window};
use consentry_model::{ClassId, Format, Identifier, Moment, Reason, Resolution, Treatment, Verdict};
use consentry_policy::{Body, Refusal, SubjectSource};
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode, header};
use tokio::sync::mpsc;

use crate::answer::{forward_headers, map_of, unreadable, with_pseudonyms};
use crate::body::{Part, Pending, ResponseBody, release};
use crate::coding::Recoder;
use crate::decide::{Says, is_broken, item_facts};
use crate::duties;
use crate::evidence::{self, Lines};
use crate::exchange::{Decided, Open};
use crate::faults::of_answer;
use crate::people::{Whom, resolve};
use crate::pointers::redirects;
use crate::service::BoxError;
use crate::slot::Installed;
use crate::source::Source;

/// The verdicts of a window.
type Verdicts = std::collections::BTreeMap<(SubjectIx, ClassId), Verdict>;

/// How many released pieces may wait for the transport.
const PARTS_MAX: usize = 4;

/// Delivers an answer, or refuses it.
pub(crate) async fn deliver<R>(
    mut open: Open,
    decided: Decided,
    receipt: Receipt,
    answer: Response<R>,
) -> Response<ResponseBody>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let (parts, body) = answer.into_parts();
    let Ok(route) = decided.access.route() else { return open.fail(Reason::RouteUnknown, None) };
    if let Some(reason) = unreadable(parts.status, &parts.headers) {
        // Whether somebody is there, or was, is told only to those who had to say who they are.
        let told = parts.status.is_client_error() && !route.public;
        return open.fail(reason, told.then_some(parts.status));
    }
    let map = match map_of(route, parts.status, &parts.headers) {
        Ok(map) => map,
        Err(reason) => return open.fail(reason, None),
    };
    let page = route.response_body == Body::Page && !redirects(parts.status);
    // Where only the head was asked for there is no body to decide on, and nothing may tell how long it is.
    let kind = map.as_ref().map(|(_, _, leaves_as)| leaves_as.clone());
    let map = map.filter(|_| !open.head_only);
    let mut taken = decided.taken.clone();
    let mut headers = forward_headers(route, &parts.headers, &decided, &mut taken);
    if redirects(parts.status) && !headers.contains_key(header::LOCATION) {
        return open.fail(Reason::ResponseRedirect, None);
    }
    let mut lines = Lines::default();
    let cookies = decided.set_cookies(&parts.headers, &mut lines, &mut taken);
    let decided = Decided { taken, ..decided };
    let window = match open.commit_head(&decided, lines).await {
        Ok(window) => window,
        Err(reason) => return open.fail(reason, None),
    };
    headers.extend(cookies.into_iter().map(|line| (header::SET_COOKIE, line)));
    if map.is_none() || page {
        // An obligation that cannot be carried out refuses. What depends on a record waits for it.
        let Decided { access, whom, own, .. } = &decided;
        if let Err(reason) = duties::set_headers(access, whom, *own, &[], &mut headers) {
            return open.fail(reason, None);
        }
    }
    if page {
        return crate::page::deliver(open, decided, receipt, (parts, headers), body).await;
    }
    headers.extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
    let Some((reading, map, _)) = map else { return open.without_body(&decided, parts.status, headers) };
    let redactor = match Redactor::new(&reading, map, open.shared.limits.body()) {
        Ok(redactor) => with_pseudonyms(redactor, &open, &decided),
        Err(error) => return open.fail(of_answer(error).reason, None),
    };
    let source = Source::new(body, &parts.headers, &open.shared.limits);
    let pump = Pump {
        open,
        decided,
        receipt,
        redactor,
        source,
        recoder: Recoder::default(),
        window,
        read_bytes: 0,
        sent_bytes: 0,
        ended: false,
        streaming: false,
        live: reading.format == Format::Events,
        records: 0,
        only: None,
    };
    pump.start(&parts, headers).await
}

/// Moves a body through the redactor, window by window.
struct Pump<R> {
    open: Open,
    decided: Decided,
    receipt: Receipt,
    redactor: Redactor,
    source: Source<R>,
    recoder: Recoder,
    window: u64,
    read_bytes: usize,
    sent_bytes: u64,
    ended: bool,
    /// Whether the first bytes are on their way.
    streaming: bool,
    /// Whether whoever reads it waits for what comes next: nothing is held back then.
    live: bool,
    /// How many records were decided.
    records: usize,
    /// Whom the first of them is about, whether it is whoever asks, and what it says.
    only: Option<(Whom, bool, Says)>,
}

impl<R> Pump<R>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    /// Holds the answer back until its decision is complete, up to the limit; streams what is longer.
    async fn start(mut self, from: &Parts, mut headers: HeaderMap) -> Response<ResponseBody> {
        let status = from.status;
        let hold_max = self.open.shared.limits.response_hold_bytes_max;
        let mut held = BytesMut::new();
        let body = loop {
            if self.live || self.read_bytes > hold_max {
                // What further records say nobody knows yet.
                self.records = usize::MAX;
                if let Err(reason) = self.set_headers(&mut headers) {
                    return self.open.fail(reason, None);
                }
                self.recoder = self.recoder(self.read_bytes, from, &mut headers);
                let first = self.recoder.part(held.freeze());
                self.sent_bytes = first.len() as u64;
                break self.stream(first, status);
            }
            match self.next().await {
                Ok(Some(bytes)) => held.extend_from_slice(&bytes),
                Ok(None) => {
                    if let Err(reason) = self.set_headers(&mut headers) {
                        return self.open.fail(reason, None);
                    }
                    let bytes = self.recoder(held.len(), from, &mut headers).whole(held.freeze());
                    self.sent_bytes = bytes.len() as u64;
                    let pending = self.end(status);
                    break ResponseBody::closing(bytes, pending);
                }
                Err(refusal) => return self.stop(refusal),
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    fn recoder(&self, bytes: usize, from: &Parts, headers: &mut HeaderMap) -> Recoder {
        Recoder::start(self.open.may_be_coded, bytes, &self.open.shared.limits, &from.headers, headers)
    }

    /// Sets the headers that the answer must carry, with what its only record says. An obligation that fails refuses.
    fn set_headers(&self, headers: &mut HeaderMap) -> Result<(), Reason> {
        let Decided { access, whom, own, .. } = &self.decided;
        let only = self.only.as_ref().filter(|_| self.records == 1);
        let (whom, own, says) = only.map_or((whom, *own, &[][..]), |(whom, own, says)| (whom, *own, says));
        duties::set_headers(access, whom, own, says, headers)
    }

    /// The next released bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            match self.redactor.step().map_err(of_answer)? {
                Step::Done => return Ok(None),
                Step::NeedVerdicts(window) => return self.release(&window).await.map(Some),
                Step::NeedInput if self.ended => return Err(Refusal::plain(Reason::ResponseTruncated)),
                Step::NeedInput => self.feed().await?,
            }
        }
    }

    async fn feed(&mut self) -> Result<(), Refusal> {
        match self.source.next().await.map_err(Refusal::plain)? {
            Some(bytes) => {
                self.read_bytes = self.read_bytes.saturating_add(bytes.len());
                self.redactor.push(&bytes).map_err(of_answer)
            }
            None => {
                self.ended = true;
                self.redactor.end().map_err(of_answer)
            }
        }
    }

    /// Decides a window, records the verdicts, and releases its bytes for the receipt.
    async fn release(&mut self, window: &Window) -> Result<Bytes, Refusal> {
        let whole = window.subjects.iter().all(|s| *s == RecordSubject::Request);
        // What streams is decided window by window: a person who says no while it does is heard.
        if whole && !self.streaming {
            let answers = &self.decided.answers;
            let decide = |_: SubjectIx, class: ClassId| {
                answers.get(&class).map_or(Treatment::Withheld, |v| v.treatment)
            };
            return release(&mut self.redactor, &decide, &self.receipt).map_err(of_answer);
        }
        let (verdicts, receipt, worst) = self.decide(window).await.map_err(Refusal::plain)?;
        let decide = |subject: SubjectIx, class: ClassId| {
            verdicts.get(&(subject, class)).map_or(Treatment::Withheld, |v| v.treatment)
        };
        // Where nothing is left of the whole answer, it is for the reason of what was withheld.
        release(&mut self.redactor, &decide, &receipt).map_err(|error| match (error.kind(), worst) {
            (BodyFault::NothingLeft, Some(reason)) => Refusal::personal(reason),
            _ => of_answer(error),
        })
    }

    async fn decide(&mut self, window: &Window) -> Result<(Verdicts, Receipt, Option<Reason>), Reason> {
        let now = self.open.shared.clock.now();
        if self.streaming {
            self.may_go_on(now)?;
        }
        // A later window is decided at its own time.
        self.decided.access.now = now;
        let people = self.people(window).await?;
        let access = &self.decided.access;
        let answering = access.answering();
        let mut lines = Lines::default();
        let mut verdicts = Verdicts::new();
        let told: Vec<_> = people.iter().map(|(whom, own)| access.told(whom, *own, &answering)).collect();
        for (subject, class) in &window.groups {
            let told = told.get(subject.index()).ok_or(Reason::EvaluationError)?;
            let record = window.subject(*subject).ok_or(Reason::EvaluationError)?;
            let says = access.with_name(record, item_facts(access, record));
            let variant = access.class_of(told, *class);
            let facts = access.facts_of(told, variant.unwrap_or(*class), &says);
            let mut verdict = match variant {
                Some(class) => {
                    let question = access.question(&answering, class);
                    access.installed.engine.decide(&question, &facts, told.person, now)
                }
                None => Verdict::withheld(Reason::SubjectTypeUnknown),
            };
            lines.add(access, variant.unwrap_or(*class), &verdict, &facts, told);
            if self.open.known.report_only {
                if let Some(reason) = is_broken(&verdict) {
                    return Err(reason);
                }
                verdict.treatment = Treatment::Clear;
            }
            verdicts.insert((*subject, *class), verdict);
        }
        drop(told);
        let record = window.subjects.iter().zip(&people).find(|(s, _)| **s != RecordSubject::Request);
        if let Some((subject, (whom, own))) = record.filter(|_| self.records == 0) {
            self.only = Some((whom.clone(), *own, item_facts(access, subject)));
        }
        let more = window.subjects.iter().filter(|s| **s != RecordSubject::Request).count();
        self.records = self.records.saturating_add(more);
        let worst = lines.worst();
        let record = self.open.verdicts(&self.decided, self.window, lines);
        self.window += 1;
        let receipt = self.open.commit(record).await?;
        Ok((verdicts, receipt, worst))
    }

    /// A long answer ends with the token that it was asked for with, and with the bundle it was begun under.
    fn may_go_on(&self, now: Moment) -> Result<(), Reason> {
        let claims = self.decided.access.claims.as_ref();
        if claims.is_some_and(|claims| now >= claims.expires) {
            return Err(Reason::TokenExpired);
        }
        let digest = &self.open.installed.engine.bundle().digest;
        let age_secs_max = self.open.shared.limits.bundle_age_secs_max;
        let current = self.open.shared.policy.current();
        let same = |i: &Arc<Installed>| i.engine.bundle().digest == *digest && i.is_fresh(now, age_secs_max);
        if current.as_ref().is_some_and(same) { Ok(()) } else { Err(Reason::BundleUnavailable) }
    }

    /// Whom the window is about, and whether it is whoever asks, in one answer of the ledger. Where the request names the
    /// subject, every record is about them; figures are about nobody.
    async fn people(&mut self, window: &Window) -> Result<Vec<(Whom, bool)>, Reason> {
        let Ok(route) = self.decided.access.route() else { return Err(Reason::RouteUnknown) };
        let map = route.response_body.fields().ok_or(Reason::EvaluationError)?;
        let per_record = route.about.as_ref().is_some_and(|a| a.subject == SubjectSource::PerRecord);
        if !per_record {
            if self.streaming {
                self.look_again().await?;
            }
            let (whom, own) = (self.decided.whom.clone(), self.decided.own);
            return Ok(window.subjects.iter().map(|_| (whom.clone(), own)).collect());
        }
        let identifier = |subject: &RecordSubject| match subject {
            RecordSubject::Request => None,
            RecordSubject::Record { scope, id, .. } => {
                let space = map.scope(*scope)?.space.clone();
                id.as_ref().map(|id| Identifier::new(space, id))
            }
        };
        let named: Vec<Option<Identifier>> = window.subjects.iter().map(identifier).collect();
        let asked: Vec<Identifier> = named.iter().flatten().cloned().collect();
        let (ledger, answers) = resolve(&self.open.shared, &asked).await?;
        self.decided.ledger = ledger;
        let mut answers = answers.into_iter();
        let whom = named.into_iter().map(|name| match name {
            Some(_) => (Whom::Somebody(answers.next().unwrap_or(Resolution::Unresolved)), false),
            None => (Whom::Somebody(Resolution::Unresolved), false),
        });
        Ok(whom.collect())
    }

    /// Asks the ledger anew about the person whom the request names.
    async fn look_again(&mut self) -> Result<(), Reason> {
        let access = &self.decided.access;
        let Some(SubjectSource::Named { space, .. }) = access.about().map(|about| &about.subject) else {
            return Ok(());
        };
        let (Some(named), Whom::Somebody(_)) = (&access.named, &self.decided.whom) else { return Ok(()) };
        let who = Identifier::new(space.clone(), named);
        let (ledger, answers) = resolve(&self.open.shared, &[who]).await?;
        self.decided.ledger = ledger;
        self.decided.whom = Whom::Somebody(answers.into_iter().next().unwrap_or(Resolution::Unresolved));
        Ok(())
    }

    fn end(self, status: StatusCode) -> Pending {
        let report = self.redactor.report();
        let taken = &self.decided.taken;
        let closing =
            evidence::closing(End::Delivered, status.as_u16(), None, taken, report, self.sent_bytes);
        Pending { ticket: self.open.ticket, closing }
    }

    /// Refuses while nothing was sent yet.
    fn stop(self, refusal: Refusal) -> Response<ResponseBody> {
        match refusal.reason.audience() {
            consentry_model::Audience::Service => self.open.fail(refusal.reason, None),
            consentry_model::Audience::Caller | consentry_model::Audience::Person => {
                self.open.close_refused(refusal)
            }
        }
    }

    /// Sends on what is longer than may be held; a failure from here on ends the answer visibly.
    fn stream(mut self, held: Bytes, status: StatusCode) -> ResponseBody {
        self.streaming = true;
        let (parts, body) = mpsc::channel(PARTS_MAX);
        tokio::spawn(async move {
            if !held.is_empty() && parts.send(Part::Data(held)).await.is_err() {
                return;
            }
            loop {
                match self.next().await {
                    Ok(Some(bytes)) => {
                        let bytes = self.recoder.part(bytes);
                        self.sent_bytes += bytes.len() as u64;
                        // Nobody listens any more: the ticket drops, and closes as abandoned.
                        if !bytes.is_empty() && parts.send(Part::Data(bytes)).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => {
                        let rest = self.recoder.end();
                        self.sent_bytes += rest.len() as u64;
                        if !rest.is_empty() && parts.send(Part::Data(rest)).await.is_err() {
                            return;
                        }
                        let pending = self.end(status);
                        // If nobody takes the end, the ticket drops with it.
                        drop(parts.send(Part::End(pending)).await);
                        return;
                    }
                    Err(refusal) => {
                        let report = self.redactor.report().clone();
                        let closing = evidence::closing(
                            End::Failed,
                            status.as_u16(),
                            Some(refusal.reason),
                            &self.decided.taken,
                            &report,
                            self.sent_bytes,
                        );
                        self.open.ticket.close(&closing);
                        drop(parts.send(Part::Failed).await);
                        return;
                    }
                }
            }
        });
        ResponseBody::stream(body)
    }
}

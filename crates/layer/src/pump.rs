//! Moves an answer's body through the redactor, window by window.

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use consentry_audit::{End, Receipt};
use consentry_body::{Redactor, Step};
use consentry_model::{Moment, Reason};
use consentry_policy::Refusal;
use futures_util::future::{Either, select};
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use tokio::sync::mpsc;

use crate::body::{Part, Pending, ResponseBody};
use crate::coding::Recoder;
use crate::duties;
use crate::evidence;
use crate::exchange::{Decided, Open};
use crate::faults::of_answer;
use crate::people::Whom;
use crate::present::Says;
use crate::service::BoxError;
use crate::source::Source;

/// How many released pieces may wait for the transport.
const PARTS_MAX: usize = 4;

/// Moves a body through the redactor, window by window.
pub(crate) struct Pump<R> {
    pub(crate) open: Open,
    pub(crate) decided: Box<Decided>,
    pub(crate) receipt: Receipt,
    pub(crate) redactor: Redactor,
    pub(crate) source: Source<R>,
    pub(crate) recoder: Recoder,
    pub(crate) window: u64,
    pub(crate) read_bytes: usize,
    pub(crate) sent_bytes: u64,
    pub(crate) ended: bool,
    /// Whether the first bytes are on their way.
    pub(crate) streaming: bool,
    /// Until when what was decided first may be held back; nothing while there is nothing.
    pub(crate) leaves_by: Option<Instant>,
    /// Whether whoever reads it waits for what comes next: nothing is held back then.
    pub(crate) live: bool,
    /// When whoever asks and whom it is about were looked at last.
    pub(crate) looked_at: Moment,
    /// When what the head says was decided.
    head_decided: Moment,
    /// How many records were decided.
    pub(crate) records: usize,
    /// Whom the first of them is about, whether it is whoever asks, and what it says.
    pub(crate) only: Option<(Whom, bool, Says)>,
}

impl<R> Pump<R>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    pub(crate) fn new(
        open: Open,
        decided: Box<Decided>,
        receipt: Receipt,
        redactor: Redactor,
        source: Source<R>,
        window: u64,
        live: bool,
    ) -> Self {
        Self {
            looked_at: decided.access.now,
            head_decided: decided.access.now,
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
            leaves_by: None,
            live,
            records: 0,
            only: None,
        }
    }

    /// Holds the answer back until its decision is complete, up to the limit; streams what is longer.
    pub(crate) async fn start(
        mut self: Box<Self>,
        from: &Parts,
        mut headers: HeaderMap,
    ) -> Response<ResponseBody> {
        let status = from.status;
        let hold_max = self.open.shared.limits.response_hold_bytes_max;
        let mut held = BytesMut::new();
        let body = loop {
            if self.live
                || self.read_bytes > hold_max
                || self.leaves_by.is_some_and(|by| Instant::now() >= by)
            {
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
                Ok(Some(bytes)) => {
                    held.extend_from_slice(&bytes);
                    self.leaves_by = self.leaves_by.or_else(|| Instant::now().checked_add(self.may_rest()));
                }
                Ok(None) => {
                    if let Err(reason) = self.set_headers(&mut headers) {
                        return self.open.fail(reason, None);
                    }
                    let bytes = self.recoder(held.len(), from, &mut headers).whole(held.freeze());
                    self.sent_bytes = bytes.len() as u64;
                    let pending = self.end(status);
                    break ResponseBody::closing(bytes, pending);
                }
                Err(refusal) => return self.open.stop(refusal),
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// How much longer what was decided may be held back.
    fn may_rest(&self) -> Duration {
        let age = self.open.shared.clock.now().millis_since(self.looked_at);
        let age_max = self.open.shared.limits.decision_age_ms_max;
        Duration::from_millis(age_max.saturating_sub(u64::try_from(age).unwrap_or(0)))
    }

    fn recoder(&self, bytes: usize, from: &Parts, headers: &mut HeaderMap) -> Recoder {
        Recoder::start(self.open.may_be_coded, bytes, &self.open.shared.limits, &from.headers, headers)
    }

    /// Sets the headers that the answer must carry, with what its only record says. An obligation that fails refuses. What
    /// was decided too long ago does not leave with them.
    fn set_headers(&mut self, headers: &mut HeaderMap) -> Result<(), Reason> {
        self.decided.leave_out_old(headers, self.head_decided, &self.open)?;
        let Decided { access, whom, own, .. } = &*self.decided;
        let only = self.only.as_ref().filter(|_| self.records == 1);
        let (whom, own, says) = only.map_or((whom, *own, &[][..]), |(whom, own, says)| (whom, *own, says));
        duties::set_headers(access, whom, own, says, headers)
    }

    /// The next released bytes, none when it is time for those that are held back to leave; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            match self.redactor.step().map_err(of_answer)? {
                Step::Done => return Ok(None),
                Step::NeedVerdicts(window) => return self.release(&window).await.map(Some),
                Step::NeedInput if self.ended => return Err(Refusal::plain(Reason::ResponseTruncated)),
                Step::NeedInput => {
                    if !self.feed().await? {
                        return Ok(Some(Bytes::new()));
                    }
                }
            }
        }
    }

    /// The same while somebody listens, however long the service is silent; nothing from then on.
    async fn wanted(&mut self, parts: &mpsc::Sender<Part>) -> Option<Result<Option<Bytes>, Refusal>> {
        match select(pin!(self.next()), pin!(parts.closed())).await {
            Either::Left((next, _)) => Some(next),
            Either::Right(((), _)) => None,
        }
    }

    /// Takes what comes next; `false` when it is time for what is held back to leave.
    async fn feed(&mut self) -> Result<bool, Refusal> {
        let next = match self.leaves_by {
            // What came is in the decoder or still in the body: nothing of it is lost.
            Some(by) => match tokio::time::timeout_at(by.into(), self.source.next()).await {
                Ok(next) => next,
                Err(_) => return Ok(false),
            },
            None => self.source.next().await,
        };
        match next.map_err(Refusal::plain)? {
            Some(bytes) => {
                self.read_bytes = self.read_bytes.saturating_add(bytes.len());
                self.redactor.push(&bytes).map_err(of_answer)?;
            }
            None => {
                self.ended = true;
                self.redactor.end().map_err(of_answer)?;
            }
        }
        Ok(true)
    }

    fn end(self: Box<Self>, status: StatusCode) -> Pending {
        let report = self.redactor.report();
        let taken = &self.decided.taken;
        let closing =
            evidence::closing(End::Delivered, status.as_u16(), None, taken, report, self.sent_bytes);
        Pending { ticket: self.open.ticket, closing }
    }

    /// Ends an answer that nobody takes any more, of which so many bytes had been handed over.
    fn abandon(self: Box<Self>, status: StatusCode, sent_bytes: u64) {
        let (report, taken) = (self.redactor.report(), &self.decided.taken);
        let closing = evidence::closing(End::Abandoned, status.as_u16(), None, taken, report, sent_bytes);
        self.open.ticket.close(&closing);
    }

    /// Sends on what is longer than may be held; a failure from here on ends the answer visibly.
    fn stream(mut self: Box<Self>, held: Bytes, status: StatusCode) -> ResponseBody {
        (self.streaming, self.leaves_by) = (true, None);
        self.source.streams();
        let (parts, body) = mpsc::channel(PARTS_MAX);
        tokio::spawn(async move {
            if !held.is_empty() && parts.send(Part::Data(held)).await.is_err() {
                return self.abandon(status, 0);
            }
            while let Some(next) = self.wanted(&parts).await {
                match next {
                    Ok(Some(bytes)) => {
                        let bytes = self.recoder.part(bytes);
                        let sent = self.sent_bytes;
                        self.sent_bytes += bytes.len() as u64;
                        if !bytes.is_empty() && parts.send(Part::Data(bytes)).await.is_err() {
                            return self.abandon(status, sent);
                        }
                    }
                    Ok(None) => {
                        let (rest, sent) = (self.recoder.end(), self.sent_bytes);
                        self.sent_bytes += rest.len() as u64;
                        if !rest.is_empty() && parts.send(Part::Data(rest)).await.is_err() {
                            return self.abandon(status, sent);
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
            // Nobody listens any more.
            let sent = self.sent_bytes;
            self.abandon(status, sent);
        });
        ResponseBody::stream(body)
    }
}

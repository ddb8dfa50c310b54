//! A ticket: the right to record one request, and the duty to say how it ended.

use std::sync::Arc;
use std::sync::mpsc::{SendError, Sender};

use consentry_model::{Moment, hex};
use tokio::sync::oneshot;

use crate::error::LogError;
use crate::id::RecordId;
use crate::message::{Append, Message, Then};
use crate::receipt::Commit;
use crate::record::{Closing, End, Step, encode_closing, encode_step};
use crate::state::{Slot, State};
use crate::telemetry::SpanFacts;
use crate::trace_context::TraceParent;

/// The right to record one request. It holds an evidence slot, so closing it can neither wait nor fail. A ticket
/// that is dropped is closed as [`End::Abandoned`].
#[derive(Debug)]
pub struct Ticket {
    id: RecordId,
    queue: Sender<Message>,
    state: Arc<State>,
    /// Gone once the ticket is closed.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    slot: Slot,
    span: Box<SpanFacts>,
    /// As the head said: every later record of the request says the same.
    report_only: bool,
}

impl Ticket {
    pub(crate) fn new(id: RecordId, queue: Sender<Message>, slot: Slot, span: SpanFacts) -> Self {
        let state = slot.state();
        Self { id, queue, state, open: Some(Open { slot, span: Box::new(span), report_only: false }) }
    }

    /// The ticket's id, which every record of the request names and which the caller may be told.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        self.id
    }

    /// Makes our span a child of the caller's. To be said before anything is committed.
    pub fn join_trace(&mut self, parent: TraceParent) {
        if let Some(open) = &mut self.open {
            open.span.join(parent);
        }
    }

    /// What the request to the service behind us carries as `traceparent`: our span, in the caller's trace.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.open.as_ref().map(|open| open.span.context().header())
    }

    /// Hands a record to the writer. What it returns says, when awaited, whether the record is durable; a head or a
    /// list of verdicts that is too long for one record is spread over several, durable together.
    ///
    /// # Errors
    /// Awaiting gives [`LogError`] when the record is not durable: nothing may be released on its account.
    pub fn commit(&mut self, step: impl Into<Step>) -> Commit {
        let mut step = step.into();
        if let Some(open) = &mut self.open {
            match &mut step {
                Step::Head(head) => {
                    let context = open.span.context();
                    head.trace_id = hex(&context.trace_id);
                    head.span_id = hex(&context.span_id);
                    open.report_only = head.report_only;
                }
                Step::Verdicts(verdicts) => verdicts.report_only = open.report_only,
            }
            open.span.note(&step);
        }
        match encode_step(step) {
            Err(error) => Commit::refused(error),
            Ok(bodies) => {
                let (answer, waiting) = oneshot::channel();
                let append = Append { bodies, ticket: Some(self.id), then: Then::Answer(answer) };
                match self.hand_over(append) {
                    Ok(()) => Commit::waiting(waiting),
                    Err(_) => Commit::refused(LogError::Closed),
                }
            }
        }
    }

    /// Says how the request ended. It does not wait: the slot is owned already. While the log cannot be written the
    /// closing is counted, and the count is recorded when the log is reopened.
    pub fn close(mut self, closing: &Closing) {
        self.finish(closing);
    }

    fn finish(&mut self, closing: &Closing) {
        let Some(Open { slot, mut span, report_only }) = self.open.take() else { return };
        let closing = &Closing { report_only, ..closing.clone() };
        span.end(closing);
        // A closing that could not be encoded leaves the slot unrecorded, which counts it as lost.
        if let Ok(body) = encode_closing(closing) {
            let then = Then::Close(span, slot);
            let append = Append { bodies: vec![body], ticket: Some(self.id), then };
            // A writer that is gone gives the message back, and the slot in it counts as lost.
            drop(self.hand_over(append));
        }
    }

    fn hand_over(&self, append: Append) -> Result<(), SendError<Message>> {
        self.queue.send(Message::Append(append))?;
        self.state.bell.given();
        Ok(())
    }

    pub(crate) fn span_facts(now: Moment, own: TraceParent) -> SpanFacts {
        SpanFacts::new(now, own)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.finish(&Closing::new(End::Abandoned));
    }
}

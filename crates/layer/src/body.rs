//! The body of an answer. Its bytes were released by a receipt; its end closes the ticket.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use consentry_audit::{Closing, Receipt, Ticket};
use consentry_body::{BodyError, Decide, Redactor};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::Receiver;

use crate::admission::Admitted;

/// An answer ends early: the transport must break it off visibly. Why stands in evidence alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamError;

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer cannot be completed")
    }
}

impl std::error::Error for StreamError {}

/// Takes the bytes of a window out of the redactor, for the receipt of the verdicts on it.
pub(crate) fn release(
    redactor: &mut Redactor,
    decide: &dyn Decide,
    receipt: &Receipt,
) -> Result<Bytes, BodyError> {
    let _shown = receipt;
    redactor.release(decide)
}

/// A ticket that only waits for the last byte to be handed over.
pub(crate) struct Pending {
    pub(crate) ticket: Ticket,
    pub(crate) closing: Closing,
}

impl Pending {
    fn close(self) {
        self.ticket.close(&self.closing);
    }
}

/// What a streaming exchange hands to its body.
pub(crate) enum Part {
    Data(Bytes),
    Failed,
    End(Pending),
}

/// The body of an answer.
pub struct ResponseBody {
    state: State,
    /// Held, never read: what it counts ends with the body.
    _admitted: Option<Admitted>,
}

enum State {
    Whole(Option<Bytes>, Option<Pending>),
    Stream(Receiver<Part>),
    Done,
}

impl ResponseBody {
    const fn new(state: State) -> Self {
        Self { state, _admitted: None }
    }

    /// A body without a ticket: of a refusal, whose ticket is closed already.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::new(State::Whole(Some(bytes), None))
    }

    /// A body that closes its ticket when its bytes are handed over. Without bytes nobody may ever ask for them, so
    /// the ticket is closed now.
    pub(crate) fn closing(bytes: Bytes, pending: Pending) -> Self {
        if bytes.is_empty() {
            pending.close();
            return Self::new(State::Done);
        }
        Self::new(State::Whole(Some(bytes), Some(pending)))
    }

    pub(crate) fn stream(parts: Receiver<Part>) -> Self {
        Self::new(State::Stream(parts))
    }

    /// Until the body is gone its request counts as under way.
    pub(crate) fn held(self, admitted: Admitted) -> Self {
        Self { _admitted: Some(admitted), ..self }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        match &mut self.state {
            State::Done => Poll::Ready(None),
            State::Whole(bytes, pending) => {
                let bytes = bytes.take();
                if let Some(pending) = pending.take() {
                    pending.close();
                }
                self.state = State::Done;
                Poll::Ready(bytes.filter(|b| !b.is_empty()).map(|b| Ok(Frame::data(b))))
            }
            State::Stream(parts) => match std::task::ready!(parts.poll_recv(context)) {
                Some(Part::Data(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Part::End(pending)) => {
                    pending.close();
                    self.state = State::Done;
                    Poll::Ready(None)
                }
                Some(Part::Failed) | None => {
                    self.state = State::Done;
                    Poll::Ready(Some(Err(StreamError)))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Done => SizeHint::with_exact(0),
            State::Whole(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            State::Stream(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody")
    }
}

//! The body of an answer as it comes in, without its content codings.

use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use consentry_body::{Decoded, Decoder};
use consentry_model::Reason;
use http::HeaderMap;
use http_body_util::BodyExt;

use crate::coding;
use crate::limits::Limits;
use crate::service::BoxError;

/// Reads a body piece by piece. Trailers are data that nobody declared, and end here.
pub(crate) struct Source<R> {
    body: Pin<Box<R>>,
    decoder: Result<Option<Decoder>, Reason>,
    wait: Duration,
    /// Until when all of it has to be there, while it is held back.
    until: Option<Instant>,
}

impl<R> Source<R>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    /// The body under these headers. What cannot be decoded says so when it is first asked for.
    pub(crate) fn new(body: R, headers: &HeaderMap, limits: &Limits) -> Self {
        let bounds = limits.coding(limits.response_decoded_bytes_max);
        let decoder = coding::codings(headers).and_then(|codings| match &codings[..] {
            [] => Ok(None),
            some => Decoder::new(some, bounds).map(Some),
        });
        let wait = Duration::from_millis(limits.upstream_pause_ms_max);
        let until = Instant::now().checked_add(Duration::from_millis(limits.response_hold_ms_max));
        Self { body: Box::pin(body), decoder: decoder.map_err(coding::of_response), wait, until }
    }

    /// From now on nothing is held back: only pauses are bounded.
    pub(crate) fn streams(&mut self) {
        self.until = None;
    }

    /// The next bytes of the content; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Reason> {
        loop {
            if let Some(decoder) = self.decoder.as_mut().map_err(|reason| *reason)? {
                match decoder.step().map_err(coding::of_response)? {
                    Decoded::Bytes(bytes) => return Ok(Some(bytes)),
                    Decoded::Done => return Ok(None),
                    Decoded::NeedInput => {}
                }
            }
            let bytes = self.piece().await?;
            let Some(decoder) = self.decoder.as_mut().map_err(|reason| *reason)? else { return Ok(bytes) };
            let given = match bytes {
                Some(bytes) => decoder.push(&bytes),
                None => decoder.end(),
            };
            given.map_err(coding::of_response)?;
        }
    }

    /// Whether there are no bytes at all; it cannot be read afterwards when there are some.
    pub(crate) async fn is_empty(&mut self) -> bool {
        self.whole(0).await.is_ok()
    }

    /// All of the content, up to so many bytes.
    pub(crate) async fn whole(&mut self, bytes_max: usize) -> Result<Bytes, Reason> {
        let mut held = bytes::BytesMut::new();
        while let Some(bytes) = self.next().await? {
            if held.len().saturating_add(bytes.len()) > bytes_max {
                return Err(Reason::ResponseTooLarge);
            }
            held.extend_from_slice(&bytes);
        }
        Ok(held.freeze())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Reason> {
        loop {
            let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Reason::UpstreamTimeout);
            }
            let wait = left.map_or(self.wait, |left| left.min(self.wait));
            let frame = tokio::time::timeout(wait, self.body.frame()).await;
            match frame.map_err(|_| Reason::UpstreamTimeout)? {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(_)) => return Err(Reason::ResponseTruncated),
                None => return Ok(None),
            }
        }
    }
}

//! Answers over HTTP/2 that nobody takes. Where the other end opens no window nothing is written, so that no write ever
//! stalls: what tells is that the next piece of an answer is not asked for.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::{Instant, sleep};

use crate::activity::{Activity, PIECE_BYTES_MAX, on_connection};
use crate::counters::Counters;

tokio::task_local! {
    static HANDED: Handed;
}

/// What is handed over of the answer of a stream.
struct Handed {
    /// Since when a piece is, and no further one asked for; and how many pieces waited for the other end at most since then.
    piece: Cell<Option<(Instant, usize)>>,
    activity: Arc<Activity>,
}

impl Handed {
    fn waits(&self) -> Option<(Instant, usize)> {
        let waits = self.piece.get().map(|(since, pieces)| (since, pieces.max(self.activity.pieces())));
        self.piece.set(waits);
        waits
    }
}

/// Runs the streams of HTTP/2, each for itself, and ends those whose answer stays unread; the connection goes on. Streams
/// share the link: one that waits while others move waits its turn.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    pub(crate) stall_max: Duration,
    /// How many streams there are at most.
    pub(crate) streams_max: u64,
    /// Where each stream is told to be under way.
    pub(crate) activity: Arc<Activity>,
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let open = self.activity.begin();
        let handed = Handed { piece: Cell::new(None), activity: Arc::clone(&self.activity) };
        let until_unread = until_unread(stream, self.clone());
        tokio::spawn(HANDED.scope(handed, async move {
            let _open = open;
            until_unread.await;
        }));
    }
}

impl Streams {
    /// Until when a piece that is handed over since then may wait, given when anything last moved. Where nothing moves it
    /// is the time that an answer may stay unread, else that time for each piece that waited meanwhile: a stream that is not
    /// taken holds no place for ever.
    fn deadline(&self, since: Instant, pieces: usize, moved: Option<Instant>) -> Instant {
        let turns = u32::try_from(self.streams_max.min(pieces as u64)).unwrap_or(u32::MAX).max(1);
        let moved = moved.map_or(since, |moved| moved.max(since));
        (moved + self.stall_max).min(since + self.stall_max.saturating_mul(turns))
    }
}

/// Over with the stream, or when a piece of its answer was not taken for too long.
async fn until_unread(stream: impl Future, streams: Streams) {
    let (mut stream, mut stall) = (pin!(stream), pin!(sleep(streams.stall_max)));
    poll_fn(|context| {
        if stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let Some((since, pieces)) = HANDED.with(Handed::waits) else {
                return Poll::Pending;
            };
            let deadline = streams.deadline(since, pieces, streams.activity.moved());
            if stall.deadline() != deadline {
                stall.as_mut().reset(deadline);
            }
            ready!(stall.as_mut().poll(context));
            // Others may have moved meanwhile.
            if streams.deadline(since, pieces, streams.activity.moved()) == deadline {
                return Poll::Ready(());
            }
        }
    })
    .await;
}

/// A body that is handed over in pieces where somebody counts how long each stays.
pub(crate) struct Pieces<B> {
    inner: B,
    /// What came from within and is not handed over yet.
    rest: Option<Bytes>,
    /// Where it is counted that it breaks off.
    counters: Arc<Counters>,
}

impl<B> Pieces<B> {
    pub(crate) fn new(inner: B, counters: Arc<Counters>) -> Self {
        Self { inner, rest: None, counters }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Pieces<B> {
    fn poll_inner(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        if matches!(frame, Poll::Ready(Some(Err(_)))) {
            self.counters.breaks_off();
        }
        frame
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Pieces<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if HANDED.try_with(|handed| handed.piece.set(None)).is_err() {
            let frame = self.poll_inner(context);
            let is_whole = match &frame {
                Poll::Pending | Poll::Ready(Some(Err(_))) => false,
                Poll::Ready(Some(Ok(_))) => self.inner.is_end_stream(),
                Poll::Ready(None) => true,
            };
            on_connection(|activity| activity.is_unfinished(!is_whole));
            return frame;
        }
        let mut data = match self.rest.take() {
            Some(rest) => rest,
            None => match ready!(self.poll_inner(context)).map(|f| f.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            },
        };
        if data.len() > PIECE_BYTES_MAX {
            self.rest = Some(data.split_off(PIECE_BYTES_MAX));
        }
        HANDED.with(|Handed { piece, activity }| {
            activity.hands_over(data.len());
            piece.set(Some((Instant::now(), activity.pieces())));
        });
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (within, mut all) = (self.inner.size_hint(), SizeHint::new());
        let rest = self.rest.as_ref().map_or(0, |rest| rest.len() as u64);
        if let Some(upper) = within.upper().and_then(|upper| upper.checked_add(rest)) {
            all.set_upper(upper);
        }
        all.set_lower(within.lower().saturating_add(rest));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{BodyExt as _, Full};

    use super::*;

    const STALL: Duration = Duration::from_millis(250);

    #[tokio::test]
    async fn a_piece_that_is_not_taken_ends_the_stream_and_one_that_is_late_from_within_does_not() {
        for (name, pause_before, pause_after, ends) in [
            ("the service is slow", STALL * 2, Duration::ZERO, false),
            ("the other end is slow", Duration::ZERO, STALL * 2, true),
            ("both take their time", STALL / 10, STALL / 10, false),
        ] {
            let (done, finished) = tokio::sync::oneshot::channel();
            Streams { stall_max: STALL, streams_max: 1, activity: Arc::default() }.execute(async move {
                let mut body =
                    Pieces::new(Full::new(Bytes::from(vec![7; PIECE_BYTES_MAX * 3 + 1])), Arc::default());
                sleep(pause_before).await;
                let mut sizes = Vec::new();
                while let Some(frame) = body.frame().await {
                    sizes.push(frame.unwrap().into_data().unwrap().len());
                    sleep(pause_after).await;
                }
                done.send(sizes).unwrap();
            });
            let sizes = finished.await.ok();
            let pieces = vec![PIECE_BYTES_MAX, PIECE_BYTES_MAX, PIECE_BYTES_MAX, 1];
            assert_eq!(sizes, (!ends).then_some(pieces), "{name}");
        }
    }

    #[test]
    fn a_piece_waits_its_turn_while_others_move_and_not_for_ever() {
        let streams = Streams { stall_max: STALL, streams_max: 8, activity: Arc::default() };
        let (half, since) = (STALL / 2, Instant::now() + STALL);
        for (name, pieces, moved, expected) in [
            ("nothing ever moved", 4, None, STALL),
            ("nothing moved since then", 4, Some(since - half), STALL),
            ("others move", 4, Some(since + half), STALL + half),
            ("others move all the time", 4, Some(since + STALL * 20), STALL * 4),
            ("nobody is before it", 1, Some(since + half), STALL),
            ("more wait than there are streams", 1_000, Some(since + STALL * 20), STALL * 8),
        ] {
            assert_eq!(streams.deadline(since, pieces, moved) - since, expected, "{name}");
        }
    }

    #[tokio::test]
    async fn outside_of_streams_a_body_stays_as_it_is() {
        let mut body =
            Pieces::new(Full::<Bytes>::new(Bytes::from(vec![7; PIECE_BYTES_MAX * 2])), Arc::default());
        assert_eq!(body.size_hint().exact(), Some(PIECE_BYTES_MAX as u64 * 2));
        let frame: Result<_, Infallible> = body.frame().await.unwrap();
        assert_eq!(frame.unwrap().into_data().unwrap().len(), PIECE_BYTES_MAX * 2);
        assert!(body.is_end_stream());
    }
}

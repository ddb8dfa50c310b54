//! A connection whose other end may not keep us waiting for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::activity::{Activity, Open};
use crate::frames::Frames;
use crate::heads::Heads;
use crate::tls::Reset;

/// How an HTTP/2 connection begins; whoever sends its first bytes and no more would wait before any other limit
/// begins to count.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// For how long nothing may come of whoever is still sending when its answer is complete, until it counts as done.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// How much of what nobody reads any more is taken at once, in bytes.
const UNREAD_BYTES: usize = 4_096;

/// A stream that fails when its first words take too long, or when what we write stays unread for too long. Over HTTP/1.1
/// whoever is still sending when its answer is complete is heard out: a connection that is closed with bytes unread is
/// reset, and the answer is lost with it. An answer over HTTP/1.0 that breaks off is reset: closed, it would look complete.
pub(crate) struct Patience<T: Reset> {
    inner: T,
    /// How many bytes of the preface came, and until when the rest must; gone once the protocol is known.
    opening: Option<(usize, Pin<Box<Sleep>>)>,
    stall: Pin<Box<Sleep>>,
    stall_max: Duration,
    /// While a write waits.
    stalled: Option<Open>,
    activity: Arc<Activity>,
    /// What was written, once it is known to be HTTP/2.
    frames: Option<Frames>,
    /// What comes, as long as it is not known to be HTTP/2.
    heads: Heads,
    /// Once our side is shut down: until when something has to come, and until when all of it.
    hears_out: Option<(Pin<Box<Sleep>>, Instant)>,
}

impl<T: Reset> Patience<T> {
    /// What is found out about the stream is told to `activity`.
    pub(crate) fn new(inner: T, opening_max: Duration, stall_max: Duration, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            opening: Some((0, Box::pin(sleep(opening_max)))),
            stall: Box::pin(sleep(stall_max)),
            stall_max,
            stalled: None,
            activity,
            frames: None,
            heads: Heads::default(),
            hears_out: None,
        }
    }

    /// Looks at what came first: anything but a part of the preface says which protocol it is.
    fn opened_with(&mut self, bytes: &[u8]) {
        let Some((came, _)) = &mut self.opening else { return };
        let rest = PREFACE.get(*came..).unwrap_or_default();
        if bytes.len() < rest.len() && rest.starts_with(bytes) && !bytes.is_empty() {
            *came += bytes.len();
        } else {
            if bytes.starts_with(rest) {
                self.activity.speaks_http2();
                self.frames = Some(Frames::default());
            }
            self.opening = None;
        }
    }

    /// Tells how many bytes of answers there are among those that were written.
    fn wrote<'a>(&mut self, said: &Poll<io::Result<usize>>, slices: impl IntoIterator<Item = &'a [u8]>) {
        let (Some(frames), Poll::Ready(Ok(written))) = (&mut self.frames, said) else { return };
        let (mut left, mut data) = (*written, 0);
        for bytes in slices {
            let part = bytes.get(..left).unwrap_or(bytes);
            left -= part.len();
            data += frames.data_in(part);
        }
        if data > 0 {
            self.activity.wrote(data);
        }
    }

    /// What a write or flush said; one that has been waiting for too long fails.
    fn patiently<R>(&mut self, context: &mut Context<'_>, said: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if said.is_ready() {
            self.stalled = None;
            return said;
        }
        if self.stalled.is_none() {
            self.stalled = Some(self.activity.begin());
            self.stall.as_mut().reset(Instant::now() + self.stall_max);
        }
        ready!(self.stall.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Reset + Unpin> Patience<T> {
    /// Takes what still comes, and lets it go; over with its end, with a pause, or when an answer would have been unread
    /// for too long.
    fn hear_out(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let stall_max = self.stall_max;
        let (pause, end) = self.hears_out.get_or_insert_with(|| {
            let end = Instant::now() + stall_max;
            (Box::pin(sleep(PAUSE_MAX.min(stall_max))), end)
        });
        let mut bytes = [0; UNREAD_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let came = Pin::new(&mut self.inner).poll_read(context, &mut buffer);
            if came.is_pending() {
                return pause.as_mut().poll(context);
            }
            let now = Instant::now();
            if !matches!(came, Poll::Ready(Ok(()))) || buffer.filled().is_empty() || now >= *end {
                return Poll::Ready(());
            }
            pause.as_mut().reset((now + PAUSE_MAX).min(*end));
        }
    }
}

impl<T: Reset> Drop for Patience<T> {
    fn drop(&mut self) {
        if self.activity.breaks_off() {
            self.inner.reset_when_dropped();
        }
    }
}

impl<T: AsyncRead + Reset + Unpin> AsyncRead for Patience<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(end) = self.heads.end(buffer.remaining()) {
            buffer.put_slice(end);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let said = Pin::new(&mut self.inner).poll_read(context, buffer);
        if said.is_ready() {
            let came = buffer.filled_mut().get_mut(before..).unwrap_or_default();
            self.opened_with(came);
            if self.frames.is_none() {
                self.heads.look(came);
            }
            return said;
        }
        if let Some((_, deadline)) = &mut self.opening {
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        said
    }
}

impl<T: AsyncRead + AsyncWrite + Reset + Unpin> AsyncWrite for Patience<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(&said, [bytes]);
        self.patiently(context, said)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.inner).poll_flush(context);
        self.patiently(context, said)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.hears_out.is_none() {
            let said = Pin::new(&mut self.inner).poll_shutdown(context);
            let said = ready!(self.patiently(context, said));
            if said.is_err() || self.frames.is_some() {
                return Poll::Ready(said);
            }
        }
        self.hear_out(context).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.wrote(&said, slices.iter().map(|slice| &**slice));
        self.patiently(context, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    impl Reset for tokio::io::DuplexStream {
        fn reset_when_dropped(&self) {}
    }

    const SHORT: Duration = Duration::from_millis(40);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn whoever_opens_without_saying_which_protocol_is_cut_off() {
        for (sent, cut) in [("", true), ("PRI * HTTP/2.0\r\n", true), ("GET / ", false), ("P", true)] {
            let (ours, mut theirs) = duplex(64);
            theirs.write_all(sent.as_bytes()).await.unwrap();
            let mut stream = Patience::new(ours, SHORT, LONG, Arc::default());
            let mut buffer = vec![0; sent.len()];
            stream.read_exact(&mut buffer).await.unwrap();
            buffer.push(0);
            let more = tokio::time::timeout(SHORT * 5, stream.read(&mut buffer)).await;
            match more {
                Ok(said) => {
                    assert_eq!((said.unwrap_err().kind(), cut), (io::ErrorKind::TimedOut, true), "{sent:?}")
                }
                Err(_) => assert!(!cut, "{sent:?}"),
            }
        }
    }

    #[tokio::test]
    async fn whoever_does_not_read_is_cut_off() {
        let (ours, theirs) = duplex(8);
        let mut stream = Patience::new(ours, LONG, SHORT, Arc::default());
        let said = tokio::time::timeout(LONG, stream.write_all(&[0; 64])).await.unwrap();
        assert_eq!(said.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(theirs);
    }
}

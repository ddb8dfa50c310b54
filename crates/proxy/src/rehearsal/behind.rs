//! The service behind, as a case wants it: it answers what it is told and keeps what reached it.

use std::convert::Infallible;
use std::future::{Future as _, Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tower_service::Service;

use super::writing::Writing;

/// What reached the service.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    pub(super) head: http::request::Parts,
    pub(super) body: Bytes,
}

/// What the service answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// No body.
    Nothing,
    /// A body that says this, and how it is written.
    Says(Value, Writing),
    /// A page.
    Page,
}

impl Answer {
    /// The page that stands for every other.
    pub(super) const PAGE: &'static str = "<!doctype html><title>A page</title>";

    fn body(&self) -> Option<(String, String)> {
        match self {
            Self::Nothing => None,
            Self::Says(value, writing) => Some((writing.write(value), writing.content_type())),
            Self::Page => Some((Self::PAGE.to_owned(), "text/html; charset=utf-8".to_owned())),
        }
    }
}

/// The service behind.
#[derive(Clone)]
pub(super) struct Behind {
    answer: Answer,
    status: StatusCode,
    cookies: Vec<HeaderValue>,
    reached: Arc<Mutex<Option<Reached>>>,
}

impl Behind {
    /// A service that answers this, with this status, and sets these cookies.
    pub(super) fn new(answer: Answer, status: StatusCode, cookies: Vec<HeaderValue>) -> Self {
        Self { answer, status, cookies, reached: Arc::default() }
    }

    /// What reached it, if anything did.
    pub(super) fn reached(&self) -> Option<Reached> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Service<Request<Full<Bytes>>> for Behind {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let (head, body) = request.into_parts();
        // A whole body is there at once.
        let body = at_once(body).unwrap_or_default();
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reached { head, body });
        let mut response = Response::new(Full::default());
        *response.status_mut() = self.status;
        if let Some((text, media_type)) = self.answer.body() {
            *response.body_mut() = Full::new(Bytes::from(text));
            let media_type = HeaderValue::try_from(media_type).ok();
            media_type.into_iter().for_each(|kind| _ = response.headers_mut().insert(CONTENT_TYPE, kind));
        }
        for cookie in &self.cookies {
            response.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        ready(Ok(response))
    }
}

/// The bytes of a body that is in memory already.
fn at_once(body: Full<Bytes>) -> Option<Bytes> {
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut body = std::pin::pin!(body.collect());
    match body.as_mut().poll(&mut context) {
        Poll::Ready(Ok(collected)) => Some(collected.to_bytes()),
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => None,
    }
}

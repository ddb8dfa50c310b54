//! The gate before the inner service.

use consentry_audit::Receipt;
use consentry_policy::Permit;
use http::Request;
use tower_service::Service;

use crate::request::UpstreamRequest;

/// Owns the inner service. Its one method takes a permit, and the receipt of the ruling that the permit came from.
pub(crate) struct Gate<S> {
    inner: S,
}

impl<S> Gate<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner }
    }

    /// Lets one request through.
    pub(crate) fn pass(
        mut self,
        permit: &Permit,
        receipt: &Receipt,
        request: UpstreamRequest,
    ) -> <S as Service<Request<http_body_util::Full<bytes::Bytes>>>>::Future
    where
        S: Service<Request<http_body_util::Full<bytes::Bytes>>>,
    {
        let _shown = (permit, receipt);
        self.inner.call(request.into_inner())
    }
}

//! The gate before the inner service.

use std::future::poll_fn;

use bytes::Bytes;
use consentry_audit::Receipt;
use consentry_model::RecipientId;
use consentry_policy::Permit;
use http::Request;
use http_body_util::Full;
use tower_service::Service;

use crate::request::UpstreamRequest;
use crate::transport::Destination;

/// Owns the inner service. Its one method takes a permit, and the receipt of the ruling that the permit came from.
pub(crate) struct Gate<S> {
    inner: S,
}

impl<S> Gate<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner }
    }

    /// Lets one request through, once the service is ready for it, and tells it for whom outside the request is.
    ///
    /// # Errors
    /// When the service cannot serve; its error says why.
    pub(crate) async fn pass(
        mut self,
        permit: &Permit,
        receipt: &Receipt,
        request: UpstreamRequest,
        destination: Option<&RecipientId>,
    ) -> Result<S::Response, S::Error>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        let _shown = (permit, receipt);
        poll_fn(|context| self.inner.poll_ready(context)).await?;
        let mut request = request.into_inner();
        if let Some(recipient) = destination {
            request.extensions_mut().insert(Destination(recipient.clone()));
        }
        self.inner.call(request).await
    }
}

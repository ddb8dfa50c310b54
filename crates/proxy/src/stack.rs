//! The whole stack on one page.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_service::Service;

use consentry_layer::{ConsentryLayer, ResponseBody};

use crate::arrival::ArrivalLayer;
use crate::counters::{CountLayer, Counters};
use crate::metrics::Metrics;
use crate::streams::Pieces;
use crate::upstream::Upstream;

/// What every request passes through, outermost first. The connection's own limits (how many, how slow, how large a
/// head) stand before it, in the listener.
pub(crate) fn stack(
    counters: &Arc<Counters>,
    metrics: &Arc<Metrics>,
    arrival: ArrivalLayer,
    enforce: ConsentryLayer,
    upstream: Upstream,
) -> impl Service<
    Request<Incoming>,
    Response = Response<Pieces<ResponseBody>>,
    Error = Infallible,
    Future: Future + Send + 'static,
> + Clone
+ Send
+ use<> {
    let broken = Arc::clone(counters);
    ServiceBuilder::new()
        // Answers over HTTP/2 are handed over in pieces, so that one which nobody takes is found out.
        .map_response(move |response: Response<ResponseBody>| {
            response.map(|body| Pieces::new(body, Arc::clone(&broken)))
        })
        // How many requests came and how they were answered; no name, no path.
        .layer(CountLayer { counters: Arc::clone(counters), metrics: Arc::clone(metrics) })
        // Where the request says it came from is replaced by where the connection came from.
        .layer(arrival)
        // Authenticate, describe, decide, record, and only then call what is below; the answer comes back redacted.
        .layer(enforce)
        // The service behind: canonical path, our own headers taken off, nothing of the connection passed on.
        .service(upstream)
}

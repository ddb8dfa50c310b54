//! A proxy of the same parts as the sidecar's, that passes everything on: what a hop costs without a policy.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

type Upstream = Client<HttpConnector, Incoming>;
type Body = BoxBody<Bytes, hyper::Error>;

/// Serves for ever.
pub(crate) async fn serve(listener: TcpListener, upstream: SocketAddr) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Upstream = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it answers are slower; the sidecar does the same.
        drop(stream.set_nodelay(true));
        let client = client.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| pass(client.clone(), upstream, request));
            let builder = auto::Builder::new(TokioExecutor::new());
            // A connection that breaks off shows at the other end.
            drop(builder.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn pass(
    client: Upstream,
    upstream: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let Ok(target) = format!("http://{upstream}{path}").parse::<Uri>() else { return Ok(failed()) };
    *request.uri_mut() = target;
    for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    let Ok(mut response) = client.request(request).await else { return Ok(failed()) };
    response.headers_mut().remove(CONNECTION);
    Ok(response.map(BodyExt::boxed))
}

fn failed() -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|e| match e {}).boxed());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

//! An ordinary axum service behind the layer: the sidecar's work, done inside the service's own process.
//!
//! `cargo run -p axum-example` serves and says how to try it; with `--self-test` it tries it by itself.
//! `members.rs` is the service and knows nothing of privacy, `policy/` is the policy, and this file joins the two.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command says what it does")]

mod args;
mod bundle;
mod how_to_try;
mod members;
mod parts;
mod self_test;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use consentry::{ConsentryLayer, PolicySlot, ResponseBody};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceBuilder;
use tower::make::Shared;

use crate::args::Args;
use crate::parts::Parts;

/// How long requests under way may take to finish in the end.
const FINISH_MAX: Duration = Duration::from_secs(10);

/// Any error: the program says it and ends.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().skip(1).any(|arg| arg == "--help" || arg == "-h") {
        println!("{}", args::USAGE);
        return ExitCode::SUCCESS;
    }
    let told = match Args::read(std::env::args().skip(1)) {
        Ok(args) => run(&args).await,
        Err(usage) => Err(usage.into()),
    };
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens everything, serves, and closes everything again; whether all went well.
async fn run(args: &Args) -> Result<bool, Failure> {
    // Whatever is missing or damaged ends the program here, before a port is bound.
    let parts = Parts::open(args).await?;
    let policy = PolicySlot::empty();
    bundle::install(&policy, bundle::load(&args.policy)?, &parts.evidence).await?;
    // A bundle that nobody looks at again is refused after a day.
    let watch = tokio::spawn(bundle::watch(policy.clone(), args.policy.clone(), parts.evidence.clone()));

    let layer = ConsentryLayer::builder()
        .policy(policy)
        .authenticator(parts.authenticator)
        .ledger(parts.ledger.clone())
        .evidence(parts.evidence.clone())
        .build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(serve(listener, layer, members::router(), stopped));

    let good = match parts.issuer {
        Some(issuer) if args.self_test => self_test::run(addr, &issuer).await?,
        issuer => {
            println!("{}", how_to_try::text(addr, issuer.as_ref())?);
            tokio::signal::ctrl_c().await?;
            true
        }
    };
    // Requests under way may finish; then the last records are written and signed.
    drop(stop);
    tokio::time::timeout(FINISH_MAX, server).await???;
    watch.abort();
    parts.evidence.shutdown();
    parts.ledger.close().await;
    Ok(good)
}

/// Serves the router behind the layer.
///
/// The order matters. `Router::layer` covers the routes that are there when it is called: one that is added afterwards
/// would be served without a question. So the router is finished first, and then wrapped as a whole. Whoever adds
/// a route later adds it inside, where it is refused until the service map describes it.
async fn serve(
    listener: TcpListener,
    layer: ConsentryLayer,
    finished: Router,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let protected = ServiceBuilder::new()
        // axum's server wants axum's kind of body.
        .map_response(|response: Response<ResponseBody>| response.map(Body::new))
        .layer(layer)
        .service(finished);
    let stop = async { drop(stopped.await) };
    axum::serve(listener, Shared::new(protected)).with_graceful_shutdown(stop).await
}

//! What the tower layer adds to a handler in the same process, as the ledger grows. Evidence goes to memory, where the
//! machine has a file system that lies there.

use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use consentry_audit::{AuditLog, LogOptions};
use consentry_consent::{Ledger, MemoryLedger};
use consentry_identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet};
use consentry_layer::{ConsentryLayer, PolicySlot, Transport};
use consentry_model::{ContractState, Identifier, LedgerEvent, Moment, Space};
use consentry_policy::{Bundle, Engine};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::Failure;
use crate::args::Args;
use crate::profile::{self, PATH};
use crate::stats::median;
use crate::targets::{AUDIENCE, ISSUER, PURPOSE, token};

/// Where files lie in memory.
const MEMORY: &str = "/dev/shm";
const ROUNDS: usize = 7;

/// Measures and prints.
pub(crate) fn measure(args: &Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (sizes, time, rounds): (&[usize], _, _) = if args.smoke {
        (&[100], Duration::from_millis(5), 1)
    } else {
        (&[100, 10_000, 100_000], Duration::from_millis(300), ROUNDS)
    };
    println!("In one process, evidence to memory, {} requests at a time: µs a request\n", args.connections);
    println!("{:>10}{:>14}{:>14}{:>14}", "people", "handler", "with layer", "added");
    for people in sizes {
        let [alone, within] = runtime.block_on(one(*people, args.connections, time, rounds))?;
        println!("{people:>10}{alone:>14.1}{within:>14.1}{:>14.1}", within - alone);
    }
    Ok(())
}

async fn one(people: usize, at_once: usize, time: Duration, rounds: usize) -> Result<[f64; 2], Failure> {
    let memory = Path::new(MEMORY);
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let log = AuditLog::open(folder.path(), LogOptions::default())?;
    let (issuer, now) = (Issuer::generate()?, Moment::from_system(SystemTime::now()));
    let keys = KeySet::from_jwks(&issuer.jwks())?;
    let described = tempfile::tempdir()?;
    let bundle = Bundle::load(&profile::bundle(described.path())?)?;
    let engine = Engine::new(bundle)?;
    engine.compile_all();
    let policy = PolicySlot::empty();
    policy.install(engine, now);
    let layer = ConsentryLayer::builder()
        .policy(policy)
        .authenticator(Authenticator::new(AuthenticatorConfig::new(keys, ISSUER, AUDIENCE))?)
        .ledger(Arc::new(ledger(people).await?))
        .evidence(log.clone())
        .build()?;
    let request = || {
        let request = Request::get(PATH).header("host", "api.example").extension(Transport::default());
        let request = request.header("data-purpose", PURPOSE);
        request.header("authorization", format!("Bearer {}", token(&issuer).unwrap_or_default()))
    };
    let prepared = request().body(Full::new(Bytes::new()))?;
    let (plain, governed) = (profile::api()?, layer.layer(profile::api()?));
    let mut figures = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        figures[0].push(turn(&plain, &prepared, at_once, time).await?);
        figures[1].push(turn(&governed, &prepared, at_once, time).await?);
    }
    drop(governed);
    tokio::task::spawn_blocking(move || log.shutdown()).await?;
    Ok(figures.map(median))
}

/// Microseconds a request.
async fn turn<S, B>(
    service: &S,
    request: &Request<Full<Bytes>>,
    at_once: usize,
    time: Duration,
) -> Result<f64, Failure>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Failure>,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Failure> + Send,
{
    let start = Instant::now();
    let workers: Vec<_> = (0..at_once)
        .map(|_| {
            let (mut service, request) = (service.clone(), request.clone());
            tokio::spawn(async move {
                let mut answers = 0_u32;
                while start.elapsed() < time {
                    poll_fn(|context| service.poll_ready(context)).await.map_err(Into::into)?;
                    let answer = service.call(request.clone()).await.map_err(Into::into)?;
                    let status = answer.status();
                    let body = answer.into_body().collect().await.map_err(Into::into)?.to_bytes();
                    if status != 200 || body.is_empty() {
                        return Err(format!("{status} is not the right answer").into());
                    }
                    answers += 1;
                }
                Ok::<u32, Failure>(answers)
            })
        })
        .collect();
    let mut answers = 0;
    for worker in workers {
        answers += worker.await??;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(answers))
}

/// So many customers, one of whom is asked about.
async fn ledger(people: usize) -> Result<MemoryLedger, Failure> {
    let ledger = MemoryLedger::new();
    let then = Moment::from_unix_millis(0);
    let signed = LedgerEvent::Contract { state: ContractState::Active, effective: then };
    for person in 0..people {
        let name = Identifier::new(Space::new("customer"), &format!("c-{}", 1_001 + person));
        ledger.append(&name, std::slice::from_ref(&signed), then).await?;
    }
    Ok(ledger)
}

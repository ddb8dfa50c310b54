//! One row of a table: a request, an answer, and what must follow.

use bytes::Bytes;
use consentry_audit::End;
use consentry_model::{Outcome, Reason};
use consentry_tests::world::{Answer, World, contract, get, json, post};
use http::Request;
use http_body_util::Full;

pub(crate) const SUPPORT: &str = "essential.service.operations.support";
pub(crate) const EMAIL: &str = "marketing.communications.email";
pub(crate) const PROFILE: &str =
    r#"{"id":"c-1","name":"Ann Sample","email":"ann@example.org","plan":"pro","ssn":"078-05-1120"}"#;
pub(crate) const LIST: &str = r#"{"rows":[{"email":"ann@example.org","name":"Ann Sample"}]}"#;

/// Where the true reason must stand.
#[derive(Clone, Copy)]
pub(crate) enum Evidence {
    /// Counted, because nobody in particular asked.
    Counted(Reason),
    /// In the head: refused before the inner service was called.
    Head(Reason),
    /// In the closing: the service behind was asked, and its answer could not be passed on.
    Closing(Reason),
}
use Evidence::{Closing, Counted, Head};

pub(crate) type Make = fn(&World) -> Request<Full<Bytes>>;
pub(crate) type Row = (&'static str, Make, Option<fn() -> Answer>, u16, &'static str, Evidence);

pub(crate) fn profile(world: &World) -> Request<Full<Bytes>> {
    get("/customers/c-1", Some(&world.token("support", &[SUPPORT])), Some(SUPPORT))
}

pub(crate) fn with(
    mut request: Request<Full<Bytes>>,
    name: &'static str,
    value: &str,
) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

pub(crate) fn trial(body: &'static str) -> Request<Full<Bytes>> {
    post("/trial", body)
}

/// Sends the request and looks at everything that came of it.
pub(crate) async fn check(row: &Row) {
    let (name, make, answer, status, code, evidence) = *row;
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(answer.map_or_else(|| json(PROFILE), |make| make()));
    let seen = world.send(make(&world)).await;
    assert_eq!((seen.status.as_u16(), seen.code().as_str()), (status, code), "{name}: {seen:?}");
    assert_eq!(seen.headers["content-type"], "application/problem+json", "{name}");
    assert_eq!(seen.headers["cache-control"], "no-store", "{name}");
    // The record's id is random and may spell anything.
    let id = seen.json()["instance"].as_str().unwrap_or("no record").to_owned();
    let shown = format!("{seen:?}").replace(&id, "");
    for secret in ["Ann", "ann@", "c-1", "078-05-1120"] {
        assert!(!shown.contains(secret), "{name} shows {secret}: {shown}");
    }
    let reached = world.upstream.reached().len();
    match evidence {
        Counted(reason) => {
            assert_eq!(world.strangers(reason).await, 1, "{name}");
            assert_eq!(reached, 0, "{name}");
        }
        Head(reason) => {
            let (head, closing) = world.last_ticket().await;
            assert_eq!((head.outcome, head.reason), (Outcome::Refuse, Some(reason)), "{name}");
            assert_eq!((closing.end, closing.reason), (End::Refused, Some(reason)), "{name}");
            assert_eq!(reached, 0, "{name}");
        }
        Closing(reason) => {
            let (_, closing) = world.last_ticket().await;
            assert_ne!(closing.end, End::Delivered, "{name}");
            assert_eq!(closing.reason, Some(reason), "{name}");
        }
    }
}

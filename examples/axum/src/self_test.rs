//! A few requests over the loopback address, and what must become of them.

use std::net::SocketAddr;

use axum::http::{Request, StatusCode};
use bytes::Bytes;
use consentry::identity::Issuer;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::{Failure, parts};

/// One request, and what its answer must be like.
struct Try {
    what: &'static str,
    /// Requester and purpose; nobody in particular without.
    who: Option<(&'static str, &'static str)>,
    path: &'static str,
    /// What is sent; the request is a `GET` without.
    form: Option<&'static str>,
    status: StatusCode,
    shows: &'static [&'static str],
    hides: &'static [&'static str],
}

const DESK: Option<(&str, &str)> = Some(("front-desk", "essential.service"));
const LETTER: Option<(&str, &str)> = Some(("newsletter", "marketing.communications.email"));
const ANN: Try = Try {
    what: "the desk asks for Ann, who is a member",
    who: DESK,
    path: "/members/ann",
    form: None,
    status: StatusCode::OK,
    shows: &["ann@example.org", "\"1990-04\""],
    hides: &["1990-04-17", "crime"],
};
const LIST: Try = Try { who: LETTER, path: "/mailing-list", ..ANN };
const CLEO_SIGNS_UP: Try = Try { who: None, path: "/mailing-list", shows: &[], hides: &[], ..ANN };

const TRIES: [Try; 9] = [
    Try {
        what: "somebody without a token asks for her",
        who: None,
        status: StatusCode::UNAUTHORIZED,
        shows: &["token-missing"],
        ..ANN
    },
    ANN,
    Try {
        what: "the desk asks for Bob, who is no member",
        path: "/members/bob",
        status: StatusCode::FORBIDDEN,
        shows: &["not-permitted"],
        hides: &["Bob", "poetry"],
        ..ANN
    },
    Try {
        what: "the letter asks for a member",
        who: LETTER,
        status: StatusCode::FORBIDDEN,
        shows: &["purpose-not-permitted"],
        ..ANN
    },
    Try {
        what: "the letter asks for its list, on which Cleo stands who never agreed",
        shows: &["bob@example.org"],
        hides: &["cleo@example.org"],
        ..LIST
    },
    Try {
        what: "Cleo sends the form without the box",
        form: Some(r#"{"name": "Cleo", "email": "cleo@example.org"}"#),
        status: StatusCode::FORBIDDEN,
        ..CLEO_SIGNS_UP
    },
    Try {
        what: "Cleo ticks the box",
        form: Some(r#"{"name": "Cleo", "email": "cleo@example.org", "opt_in": true}"#),
        shows: &["signed up"],
        ..CLEO_SIGNS_UP
    },
    Try {
        what: "the letter asks for its list again",
        shows: &["bob@example.org", "cleo@example.org"],
        hides: &[],
        ..LIST
    },
    Try {
        what: "the letter finds a route that nobody described",
        path: "/export",
        status: StatusCode::FORBIDDEN,
        shows: &["route-unknown"],
        hides: &["bob@example.org"],
        ..LIST
    },
];

/// Sends them one after the other, and says what became of each; whether all went as they must.
pub(crate) async fn run(addr: SocketAddr, issuer: &Issuer) -> Result<bool, Failure> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut good = true;
    for case in TRIES {
        let method = if case.form.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder().method(method).uri(format!("http://{addr}{}", case.path));
        if let Some((requester, purpose)) = case.who {
            let token = parts::token(issuer, requester, purpose)?;
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if case.form.is_some() {
            request = request.header("content-type", "application/json");
        }
        let response = client.request(request.body(Full::from(case.form.unwrap_or_default()))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let body = String::from_utf8_lossy(&body);
        let holds = status == case.status
            && case.shows.iter().all(|shown| body.contains(shown))
            && !case.hides.iter().any(|hidden| body.contains(hidden));
        good &= holds;
        println!("{} {}: {status} {body}", if holds { "ok   " } else { "WRONG" }, case.what);
    }
    Ok(good)
}

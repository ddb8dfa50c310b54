//! Whoever asks, for what, and by which head.

use consentry_identity::{Assurance, Issuer};
use consentry_model::Reason;
use consentry_tests::world::{TODAY, get, spec};

use crate::row::Evidence::{Counted, Head};
use crate::row::{EMAIL, Row, SUPPORT, profile, with};

/// Whoever asks, and for what.
pub(crate) const ROWS: &[Row] = &[
    (
        "no token",
        |_| get("/customers/c-1", None, Some(SUPPORT)),
        None,
        401,
        "token-missing",
        Counted(Reason::TokenMissing),
    ),
    (
        "a purpose claimed without a token is nothing",
        |_| get("/mailing-list", None, Some(EMAIL)),
        None,
        401,
        "token-missing",
        Counted(Reason::TokenMissing),
    ),
    (
        "no token on an unknown route",
        |_| get("/nowhere", None, None),
        None,
        401,
        "token-missing",
        Counted(Reason::TokenMissing),
    ),
    (
        "a forged token",
        |w| {
            let forged =
                Issuer::generate().unwrap().token(&spec("support", &[SUPPORT]), w.clock_now()).unwrap();
            get("/customers/c-1", Some(&forged), Some(SUPPORT))
        },
        None,
        401,
        "token-invalid",
        Counted(Reason::TokenInvalid),
    ),
    (
        "an expired token",
        |w| {
            let old =
                w.issuer.token(&spec("support", &[SUPPORT]), TODAY.saturating_add_millis(-301_000)).unwrap();
            get("/customers/c-1", Some(&old), Some(SUPPORT))
        },
        None,
        401,
        "token-expired",
        Counted(Reason::TokenExpired),
    ),
    (
        "something that is no token",
        |_| get("/customers/c-1", Some("x.y.z"), Some(SUPPORT)),
        None,
        401,
        "token-malformed",
        Counted(Reason::TokenMalformed),
    ),
    (
        "two tokens",
        |w| {
            let token = format!("Bearer {}", w.token("support", &[SUPPORT]));
            with(profile(w), "authorization", &token)
        },
        None,
        401,
        "token-malformed",
        Counted(Reason::TokenMalformed),
    ),
    (
        "a token of somebody whom the bundle does not register",
        |w| get("/customers/c-1", Some(&w.token("stranger", &[SUPPORT])), Some(SUPPORT)),
        None,
        401,
        "requester-unknown",
        Head(Reason::RequesterUnknown),
    ),
    (
        "an unknown route",
        |w| get("/nowhere", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        403,
        "route-unknown",
        Head(Reason::RouteUnknown),
    ),
    (
        "an unknown method on a known path",
        |w| {
            let mut request = profile(w);
            *request.method_mut() = http::Method::DELETE;
            request
        },
        None,
        403,
        "route-unknown",
        Head(Reason::RouteUnknown),
    ),
    (
        "a path with two readings",
        |w| get("/customers/../customers/c-1", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        400,
        "head-malformed",
        Counted(Reason::HeadMalformed),
    ),
    (
        "a method in a header",
        |w| with(profile(w), "x-http-method-override", "DELETE"),
        None,
        400,
        "head-malformed",
        Counted(Reason::HeadMalformed),
    ),
    (
        "no purpose where several could be meant",
        |w| {
            get(
                "/customers/c-1",
                Some(&w.token("support", &[SUPPORT, "essential.service.operations.improve"])),
                None,
            )
        },
        None,
        403,
        "purpose-missing",
        Head(Reason::PurposeMissing),
    ),
    (
        "two purpose headers",
        |w| with(profile(w), "data-purpose", SUPPORT),
        None,
        400,
        "purpose-conflict",
        Head(Reason::PurposeConflict),
    ),
    (
        "two purposes in one header",
        |w| {
            get("/customers/c-1", Some(&w.token("support", &[SUPPORT])), Some("essential.service, marketing"))
        },
        None,
        400,
        "purpose-conflict",
        Head(Reason::PurposeConflict),
    ),
    (
        "a purpose that is no token",
        |w| get("/customers/c-1", Some(&w.token("support", &[SUPPORT])), Some("\"support\"")),
        None,
        400,
        "purpose-malformed",
        Head(Reason::PurposeMalformed),
    ),
    (
        "an unknown purpose",
        |w| get("/customers/c-1", Some(&w.token("support", &[SUPPORT])), Some("essential.service.gossip")),
        None,
        403,
        "purpose-unknown",
        Head(Reason::PurposeUnknown),
    ),
    (
        "a purpose outside the token",
        |w| {
            get(
                "/customers/c-1",
                Some(&w.token("support", &["essential.service.operations.improve"])),
                Some(SUPPORT),
            )
        },
        None,
        403,
        "purpose-outside-token",
        Head(Reason::PurposeOutsideToken),
    ),
    (
        "a token that allows nothing",
        |w| get("/customers/c-1", Some(&w.token("support", &[])), Some(SUPPORT)),
        None,
        403,
        "purpose-outside-token",
        Head(Reason::PurposeOutsideToken),
    ),
    (
        "a purpose outside what the bundle lets the requester do",
        |w| get("/customers/c-1", Some(&w.token("support", &["marketing"])), Some("marketing")),
        None,
        403,
        "purpose-outside-requester",
        Head(Reason::PurposeOutsideRequester),
    ),
    (
        "a purpose that the route does not serve",
        |w| get("/mailing-list", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        403,
        "purpose-outside-route",
        Head(Reason::PurposeOutsideRoute),
    ),
    (
        "a purpose that no rule permits",
        |w| get("/customers/c-1", Some(&w.token("growth-svc", &[EMAIL])), Some(EMAIL)),
        None,
        403,
        "purpose-not-permitted",
        Head(Reason::PurposeNotPermitted),
    ),
    (
        "a recipient that no rule permits",
        |w| {
            get(
                "/feeds/leads",
                Some(&w.token("ad-partner", &["marketing.advertising.third_party"])),
                Some("marketing.advertising.third_party"),
            )
        },
        None,
        403,
        "recipient-not-permitted",
        Head(Reason::RecipientNotPermitted),
    ),
    (
        "a use that the notice did not name",
        |w| get("/customers/c-1", Some(&w.token("ml-svc", &["train_ai_system"])), Some("train_ai_system")),
        None,
        403,
        "not-permitted",
        Head(Reason::NoticeNotDelivered),
    ),
    (
        "no consent record",
        |w| get("/customers/c-2", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        403,
        "not-permitted",
        Head(Reason::SubjectUnresolved),
    ),
    (
        "own access without a proven identity",
        |w| get("/me/c-1", Some(&w.person("c-1", Assurance::Low)), None),
        None,
        401,
        "identity-unverified",
        Head(Reason::IdentityUnverified),
    ),
    (
        "another person's own access",
        |w| get("/me/c-1", Some(&w.person("c-9", Assurance::High)), None),
        None,
        403,
        "not-permitted",
        Head(Reason::IdentityUnverified),
    ),
];

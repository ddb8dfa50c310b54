//! Ways round the layer that begin with who calls and why: certificates, headers of gateways, and the carriers of
//! purposes. Evidence says by what a requester proved its name, and what named the purpose.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use consentry_audit::PurposeSource;
use consentry_identity::{
    Assurance, AuthenticatorConfig, CertificateHolder, CertificateName, Gateway, Issuer, NamingHeaders,
    Network, Peer, PeerCertificate,
};
use consentry_layer::{Limits, Transport};
use consentry_model::{Identifier, Moment, Outcome, Proof, Purpose, Reason, RequesterId, Space};
use consentry_policy::{Bundle, Sources};
use consentry_tests::world::{AUDIENCE, Otherwise, TODAY, World, contract, get, json, spec};
use ed25519_dalek::{Signer as _, SigningKey};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json as value};

const SUPPORT: &str = "essential.service.operations.support";
const IMPROVE: &str = "essential.service.operations.improve";
/// What both are parts of.
const WIDE: &str = "essential.service.operations";
/// Whose transaction tokens are believed.
const DOMAIN: &str = "mesh.example.org";
const PROFILE: &str = r#"{"id":"c-1","name":"Ann Sample","email":"ann@example.org","plan":"pro"}"#;
const CERTIFICATE: &[u8] = include_bytes!("../crates/identity/tests/data/newsletter.der");
const OTHER: &[u8] = include_bytes!("../crates/identity/tests/data/wild.der");

fn believe(config: &mut AuthenticatorConfig) {
    let purposes =
        || vec![Purpose::new("essential.service.operations").unwrap_or_else(|_| panic!("a purpose"))];
    config.certificates = vec![CertificateHolder {
        requester: RequesterId::new("support"),
        names: vec![CertificateName::Uri("spiffe://example.org/newsletter".to_owned())],
        purposes: purposes(),
    }];
    config.naming_headers = Some(NamingHeaders {
        requester: "x-requester".to_owned(),
        person: Some(("x-person".to_owned(), Space::new("customer"))),
    });
    config.gateways = vec![Gateway {
        networks: Network::parse("10.1.0.0/16").into_iter().collect(),
        certificates: Vec::new(),
        requesters: [RequesterId::new("support")].into(),
        purposes: purposes(),
        assurance: Assurance::High,
    }];
}

fn believe_transactions(config: &mut AuthenticatorConfig) {
    believe(config);
    config.trust_domain = Some(DOMAIN.to_owned());
}

async fn world() -> World {
    world_of(believe).await
}

async fn world_of(identity: fn(&mut AuthenticatorConfig)) -> World {
    let world = World::otherwise(Otherwise { identity: Some(identity), ..Otherwise::default() });
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(json(PROFILE));
    world
}

fn peer(address: &str, der: Option<&[u8]>) -> Peer {
    let certificate =
        der.map(|der| Arc::new(PeerCertificate::from_der(der).unwrap_or_else(|e| panic!("{e}"))));
    Peer { address: Some(address.parse().unwrap_or_else(|e| panic!("{e}"))), certificate }
}

fn ask(headers: &[(&'static str, &str)], token: Option<&str>, peer: Peer) -> Request<Full<Bytes>> {
    let mut request = get("/customers/c-1", token, None);
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap_or_else(|e| panic!("{e}")));
    }
    request.extensions_mut().insert(Transport { peer, ..Transport::default() });
    request
}

/// The certificates of these tests begin later than the tests' usual day.
fn later(world: &World) {
    let now = Moment::from_unix_millis(1_796_000_000_000);
    world.clock.set(now);
    world.policy.confirm(now);
}

#[tokio::test]
async fn evidence_says_by_what_a_requester_proved_its_name_and_what_named_the_purpose() {
    let nowhere = || Peer { address: None, certificate: None };
    let shown = || peer("192.0.2.7", Some(CERTIFICATE));
    let named = ("x-requester", "support");
    let baggage = ("baggage", "a=1,data-purpose=essential.service.operations.support");
    let header = ("data-purpose", SUPPORT);
    for (what, headers, token, from, proof, source) in [
        ("a token", vec![header], true, nowhere(), Proof::Token, PurposeSource::Header),
        ("its only purpose", vec![], true, nowhere(), Proof::Token, PurposeSource::Token),
        ("baggage", vec![baggage], true, nowhere(), Proof::Token, PurposeSource::Baggage),
        ("both", vec![header, baggage], true, nowhere(), Proof::Token, PurposeSource::Header),
        ("a certificate", vec![header], false, shown(), Proof::Certificate, PurposeSource::Header),
        (
            "a gateway",
            vec![named, header],
            false,
            peer("10.1.0.1", None),
            Proof::Header,
            PurposeSource::Header,
        ),
    ] {
        let world = world().await;
        later(&world);
        let token = token.then(|| world.token("support", &[SUPPORT]));
        let seen = world.send(ask(&headers, token.as_deref(), from)).await;
        assert_eq!(seen.status.as_u16(), 200, "{what}: {seen:?}");
        let (head, _) = world.last_ticket().await;
        assert_ne!(head.outcome, Outcome::Refuse, "{what}");
        assert_eq!((head.proof, head.purpose_source), (Some(proof), Some(source)), "{what}");
        let reached = format!("{:?}", world.upstream.reached());
        for own in ["x-requester", "data-purpose", "baggage", "txn-token"] {
            assert!(!reached.contains(own), "{what} passes {own} on: {reached}");
        }
    }
}

#[tokio::test]
async fn law_1_who_calls_is_proved_or_refused() {
    let named = ("x-requester", "support");
    let header = ("data-purpose", SUPPORT);
    for (what, headers, token, from, reason) in [
        (
            "a header from elsewhere",
            vec![named, header],
            None,
            peer("10.2.0.1", None),
            Reason::PeerNotTrusted,
        ),
        (
            "beside a token",
            vec![named, header],
            Some("support"),
            peer("10.2.0.1", None),
            Reason::PeerNotTrusted,
        ),
        (
            "another's token",
            vec![named, header],
            Some("billing"),
            peer("10.1.0.1", None),
            Reason::IdentityConflict,
        ),
        (
            "a stranger's certificate",
            vec![header],
            None,
            peer("10.2.0.1", Some(OTHER)),
            Reason::CertificateUnknown,
        ),
        (
            "another's certificate",
            vec![header],
            Some("billing"),
            peer("10.2.0.1", Some(CERTIFICATE)),
            Reason::IdentityConflict,
        ),
        ("nothing from a gateway", vec![header], None, peer("10.1.0.1", None), Reason::TokenMissing),
        (
            "a transaction token",
            vec![header, ("txn-token", "a.b.c")],
            Some("support"),
            peer("10.1.0.1", None),
            Reason::TokenInvalid,
        ),
    ] {
        let world = world().await;
        later(&world);
        let token = token.map(|requester| world.token(requester, &[SUPPORT]));
        let seen = world.send(ask(&headers, token.as_deref(), from)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (401, reason.code()), "{what}: {seen:?}");
        assert_eq!(world.strangers(reason).await, 1, "{what}");
        assert!(world.upstream.reached().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn law_2_several_carriers_name_one_purpose_or_none_counts() {
    let details = |purpose: &str| serde_json::json!([{"type": "consentry_purpose", "purposes": [purpose]}]);
    let once = value!({"type": "consentry_purpose", "purposes": [SUPPORT]});
    let twice = value!([once, once]);
    for (what, headers, purposes, details, status, code) in [
        (
            "header and baggage differ",
            vec![("data-purpose", SUPPORT), ("baggage", "data-purpose=essential.service.operations.improve")],
            vec![SUPPORT, IMPROVE],
            None,
            400,
            "purpose-conflict",
        ),
        (
            "baggage outside the token",
            vec![("baggage", "data-purpose=marketing")],
            vec![SUPPORT],
            None,
            403,
            "purpose-outside-requester",
        ),
        (
            "baggage unknown",
            vec![("baggage", "data-purpose=gossip")],
            vec![SUPPORT],
            None,
            403,
            "purpose-unknown",
        ),
        (
            "baggage malformed",
            vec![("baggage", "data-purpose=,")],
            vec![SUPPORT],
            None,
            400,
            "purpose-malformed",
        ),
        ("baggage of others malformed", vec![("baggage", "a=1,,")], vec![SUPPORT], None, 200, ""),
        (
            "details narrow the token",
            vec![("data-purpose", SUPPORT)],
            vec![SUPPORT, IMPROVE],
            Some(details(IMPROVE)),
            403,
            "purpose-outside-token",
        ),
        ("details and token differ", vec![], vec![SUPPORT], Some(details(IMPROVE)), 400, "purpose-conflict"),
        ("details and token agree", vec![], vec![SUPPORT], Some(details(SUPPORT)), 200, ""),
        ("details say which of two", vec![], vec![SUPPORT, IMPROVE], Some(details(SUPPORT)), 200, ""),
        ("details within the token", vec![], vec![WIDE], Some(details(SUPPORT)), 200, ""),
        ("the token within details", vec![], vec![SUPPORT], Some(details(WIDE)), 200, ""),
        ("details beside the token", vec![], vec!["marketing"], Some(details(WIDE)), 400, "purpose-conflict"),
        ("a purpose twice", vec![], vec![SUPPORT, SUPPORT], None, 200, ""),
        ("details that say it twice", vec![], vec![WIDE], Some(twice), 200, ""),
    ] {
        let world = world().await;
        let mut said = spec("support", &purposes);
        if let Some(details) = details {
            said.others.insert("authorization_details".to_owned(), details);
        }
        let token = world.issuer.token(&said, world.clock_now()).unwrap_or_else(|e| panic!("{e}"));
        let seen = world.send(ask(&headers, Some(&token), Peer::default())).await;
        let told = if status == 200 { String::new() } else { seen.code() };
        assert_eq!((seen.status.as_u16(), &*told), (status, code), "{what}: {seen:?}");
    }
}

/// A transaction token of this issuer for support, with these claims instead; `null` leaves one out.
fn transaction(issuer: &Issuer, now: Moment, changes: &Value) -> String {
    let now = now.unix_millis() / 1000;
    let mut said = value!({
        "iat": now, "exp": now + 60, "aud": DOMAIN, "txn": "t-1", "sub": "s-1", "scope": SUPPORT,
    });
    let members = said.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    let typ = members.remove("typ").unwrap_or_else(|| "txntoken+jwt".into());
    members.retain(|_, value| !value.is_null());
    // The issuer signs tokens for access alone: its key stands at the end of its PEM.
    let pem = issuer.to_pem();
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(text).unwrap();
    let key = SigningKey::from_bytes(der.last_chunk().unwrap());
    let header = value!({"alg": "EdDSA", "typ": typ, "kid": issuer.kid()});
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", part(&header), part(&said));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes());
    format!("{message}.{signature}")
}

#[tokio::test]
async fn law_2_a_transaction_token_names_the_purpose_before_what_anybody_may_write() {
    let header = ("data-purpose", SUPPORT);
    let baggage = ("baggage", "data-purpose=essential.service.operations.support");
    let named = ("x-requester", "support");
    for (what, headers, purposes, changes, source) in [
        ("alone", vec![], vec![SUPPORT], value!({}), PurposeSource::Transaction),
        ("which of two", vec![], vec![SUPPORT, IMPROVE], value!({}), PurposeSource::Transaction),
        ("beside the header", vec![header], vec![SUPPORT], value!({}), PurposeSource::Transaction),
        ("beside baggage", vec![baggage], vec![SUPPORT], value!({}), PurposeSource::Transaction),
        ("beside a gateway", vec![named], vec![SUPPORT], value!({}), PurposeSource::Transaction),
        (
            "in older words",
            vec![],
            vec![SUPPORT],
            value!({"scope": null, "purp": SUPPORT}),
            PurposeSource::Transaction,
        ),
        ("within a wider token", vec![], vec![WIDE], value!({}), PurposeSource::Transaction),
        // One for several purposes allows them, and names none.
        (
            "of two, and the header",
            vec![header],
            vec![WIDE],
            value!({"scope": format!("{SUPPORT} {IMPROVE}")}),
            PurposeSource::Header,
        ),
        (
            "of two, and the token",
            vec![],
            vec![SUPPORT],
            value!({"scope": format!("{SUPPORT} {IMPROVE}")}),
            PurposeSource::Token,
        ),
        (
            "with a person",
            vec![],
            vec![SUPPORT],
            value!({"tctx": {"person": {"space": "customer", "id": "c-1"}}}),
            PurposeSource::Transaction,
        ),
    ] {
        let world = world_of(believe_transactions).await;
        let (token, signed) =
            (world.token("support", &purposes), transaction(&world.issuer, world.clock_now(), &changes));
        let headers = [headers, vec![("txn-token", &*signed)]].concat();
        let seen = world.send(ask(&headers, Some(&token), peer("10.1.0.1", None))).await;
        assert_eq!(seen.status.as_u16(), 200, "{what}: {seen:?}");
        let (head, _) = world.last_ticket().await;
        let said = (head.purpose.as_ref().map(Purpose::as_str), head.purpose_source, head.proof);
        assert_eq!(said, (Some(SUPPORT), Some(source), Some(Proof::Token)), "{what}");
        let reached = format!("{:?}", world.upstream.reached());
        assert!(!reached.contains("txn-token") && !reached.contains(&*signed), "{what}: {reached}");
    }
}

#[tokio::test]
async fn law_1_a_transaction_token_narrows_or_the_request_is_refused() {
    let person = |id: &str| value!({"tctx": {"person": {"space": "customer", "id": id}}});
    let details = |purpose: &str| value!([{"type": "consentry_purpose", "purposes": [purpose]}]);
    let (both, none) = (vec![SUPPORT, IMPROVE], value!([]));
    let now = TODAY.unix_millis() / 1000;
    for (what, changes, headers, purposes, allowed, status, code) in [
        ("for an audience", value!({"aud": AUDIENCE}), vec![], &both, &none, 401, "token-invalid"),
        (
            "for another domain",
            value!({"aud": "mesh.example.com"}),
            vec![],
            &both,
            &none,
            401,
            "token-invalid",
        ),
        ("of another kind", value!({"typ": "at+jwt"}), vec![], &both, &none, 401, "token-invalid"),
        ("over", value!({"exp": now}), vec![], &both, &none, 401, "token-expired"),
        ("to come", value!({"nbf": now + 1}), vec![], &both, &none, 401, "token-expired"),
        ("without an end", value!({"exp": null}), vec![], &both, &none, 401, "token-malformed"),
        ("twice", value!({}), vec![("txn-token", "a.b.c")], &both, &none, 401, "token-malformed"),
        ("another person's", person("c-2"), vec![], &both, &none, 401, "identity-conflict"),
        (
            "against the header",
            value!({}),
            vec![("data-purpose", IMPROVE)],
            &both,
            &none,
            400,
            "purpose-conflict",
        ),
        (
            "against baggage",
            value!({}),
            vec![("baggage", "data-purpose=essential.service.operations.improve")],
            &both,
            &none,
            400,
            "purpose-conflict",
        ),
        (
            "wider than the header",
            value!({"scope": "essential.service.operations"}),
            vec![("data-purpose", SUPPORT)],
            &both,
            &none,
            400,
            "purpose-conflict",
        ),
        ("against details", value!({}), vec![], &both, &details(IMPROVE), 403, "purpose-outside-token"),
        ("against the token", value!({}), vec![], &vec![IMPROVE], &none, 403, "purpose-outside-token"),
        (
            "of two, and neither is meant",
            value!({"scope": format!("{SUPPORT} marketing")}),
            vec![("data-purpose", IMPROVE)],
            &both,
            &none,
            403,
            "purpose-outside-token",
        ),
        (
            "of two, and which nobody says",
            value!({"scope": format!("{SUPPORT} {IMPROVE}")}),
            vec![],
            &both,
            &none,
            403,
            "purpose-missing",
        ),
        ("unknown", value!({"scope": "gossip"}), vec![], &both, &none, 403, "purpose-unknown"),
        ("no purpose", value!({"scope": "read:customers"}), vec![], &both, &none, 401, "token-malformed"),
    ] {
        let world = world_of(believe_transactions).await;
        let signed = transaction(&world.issuer, world.clock_now(), &changes);
        let mut said = spec("support", purposes);
        said.person = Some(Identifier::new(Space::new("customer"), "c-1"));
        said.others.insert("authorization_details".to_owned(), allowed.clone());
        let token = world.issuer.token(&said, world.clock_now()).unwrap();
        let headers = [headers, vec![("txn-token", &*signed)]].concat();
        let seen = world.send(ask(&headers, Some(&token), Peer::default())).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (status, code), "{what}: {seen:?}");
        assert!(world.upstream.reached().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn law_1_a_transaction_token_is_believed_of_its_issuer_beside_a_token_and_where_one_is_expected() {
    for (what, alone, stranger, configured, expected) in [
        ("good", false, false, true, None),
        ("alone", true, false, true, Some(Reason::TokenMissing)),
        ("another issuer's", false, true, true, Some(Reason::TokenInvalid)),
        ("where none is believed", false, false, false, Some(Reason::TokenInvalid)),
    ] {
        let world = world_of(if configured { believe_transactions } else { believe }).await;
        let other = Issuer::generate().unwrap();
        let signer = if stranger { &other } else { &world.issuer };
        let signed = transaction(signer, world.clock_now(), &value!({}));
        let token = world.token("support", &[SUPPORT]);
        let token = (!alone).then_some(&*token);
        let seen = world.send(ask(&[("txn-token", &*signed)], token, Peer::default())).await;
        let Some(reason) = expected else {
            assert_eq!(seen.status.as_u16(), 200, "{what}: {seen:?}");
            continue;
        };
        assert_eq!((seen.status.as_u16(), &*seen.code()), (401, reason.code()), "{what}: {seen:?}");
        assert_eq!(world.strangers(reason).await, 1, "{what}");
        assert!(world.upstream.reached().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn law_9_whom_a_transaction_token_alone_names_has_proved_nothing() {
    let person = value!({"space": "customer", "id": "c-1"});
    for (what, by_token, by_transaction, status, code) in [
        ("the token names the person", true, false, 200, ""),
        ("both do", true, true, 200, ""),
        ("the transaction token does", false, true, 401, "identity-unverified"),
    ] {
        let world = world_of(believe_transactions).await;
        let mut changes = value!({"scope": "custom.rights.access"});
        if by_transaction {
            changes["tctx"] = value!({"person": person});
        }
        let signed = transaction(&world.issuer, world.clock_now(), &changes);
        let mut said = spec("customer-portal", &["custom.rights"]);
        said.person = by_token.then(|| Identifier::new(Space::new("customer"), "c-1"));
        said.assurance = Assurance::High;
        let token = world.issuer.token(&said, world.clock_now()).unwrap();
        let mut request = get("/me/c-1", Some(&token), None);
        request.headers_mut().insert("txn-token", signed.parse().unwrap());
        let seen = world.send(request).await;
        let told = if status == 200 { String::new() } else { seen.code() };
        assert_eq!((seen.status.as_u16(), &*told), (status, code), "{what}: {seen:?}");
    }
}

#[tokio::test]
async fn law_13_what_a_browser_proves_unasked_by_way_of_a_gateway_is_not_compressed() {
    let coded = ("accept-encoding", "gzip");
    let named = ("x-requester", "support");
    for (what, headers, token, from, compressed) in [
        ("a token", vec![coded], true, Peer::default(), true),
        ("a gateway", vec![coded, named], false, peer("10.1.0.1", None), false),
        ("a certificate", vec![coded], false, peer("192.0.2.7", Some(CERTIFICATE)), false),
        ("a certificate beside a token", vec![coded], true, peer("192.0.2.7", Some(CERTIFICATE)), false),
    ] {
        let mut limits = Limits::default();
        limits.recode_bytes_min = 1;
        let world = World::otherwise(Otherwise {
            identity: Some(believe),
            limits: Some(limits),
            ..Otherwise::default()
        });
        world.record("customer", "c-1", &[contract()]).await;
        world.upstream.answers(json(PROFILE));
        later(&world);
        let token = token.then(|| world.token("support", &[SUPPORT]));
        let headers = [headers, vec![("data-purpose", SUPPORT)]].concat();
        let seen = world.send(ask(&headers, token.as_deref(), from)).await;
        assert_eq!(seen.status.as_u16(), 200, "{what}: {seen:?}");
        assert_eq!(seen.headers.contains_key("content-encoding"), compressed, "{what}: {seen:?}");
    }
}

/// A gateway of which the configuration knows the certificate, which is nobody's else.
fn believe_a_shown_gateway(config: &mut AuthenticatorConfig) {
    believe(config);
    let [holder] = &mut config.certificates[..] else { panic!("one holder") };
    config.gateways[0].certificates = std::mem::take(&mut holder.names);
    config.certificates.clear();
}

/// What a token says that is bound to a certificate.
fn bound_to(certificate: &PeerCertificate) -> Value {
    value!({"x5t#S256": URL_SAFE_NO_PAD.encode(certificate.fingerprint().as_bytes())})
}

#[tokio::test]
async fn law_1_a_gateways_certificate_signs_nothing_for_whoever_calls_behind_it() {
    const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters: {support: {purposes: [essential]}}
routes:
  - {route: 'GET /customers/{id}', purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, response: {body: {email: user.contact}}}
rules:
  - {id: serve, permit: essential, data: user.contact, basis: contract, clauses: [c]}
  - {id: signed, require: {that: {request.signed: true}}, for: [essential], data: user.contact, reason: identity-unverified, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: support, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
";
    let mut outlived = peer("192.0.2.7", Some(OTHER));
    outlived.certificate = outlived.certificate.map(|shown| Arc::new(shown.ended()));
    type Row = (&'static str, fn(&mut AuthenticatorConfig), Peer, bool, u16);
    let rows: [Row; 9] = [
        ("whoever calls", believe, peer("192.0.2.7", Some(CERTIFICATE)), false, 200),
        ("whoever calls from a gateway's network", believe, peer("10.1.0.1", Some(CERTIFICATE)), false, 200),
        ("somebody of whom nothing is registered", believe, peer("192.0.2.7", Some(OTHER)), false, 200),
        ("the same by a certificate that is over", believe, outlived, false, 401),
        ("a gateway that is known by its network", believe, peer("10.1.0.1", Some(OTHER)), false, 401),
        ("whose token is bound to it, from there", believe, peer("10.1.0.1", Some(OTHER)), true, 200),
        ("a gateway", believe_a_shown_gateway, peer("10.1.0.1", Some(CERTIFICATE)), false, 401),
        ("a gateway elsewhere", believe_a_shown_gateway, peer("192.0.2.7", Some(CERTIFICATE)), false, 401),
        (
            "a token bound to a gateway",
            believe_a_shown_gateway,
            peer("10.1.0.1", Some(CERTIFICATE)),
            true,
            401,
        ),
    ];
    for (what, believes, peer, is_bound, status) in rows {
        let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)]));
        let bundle = Some(bundle.unwrap_or_else(|e| panic!("{e}")));
        let world = World::otherwise(Otherwise { identity: Some(believes), bundle, ..Otherwise::default() });
        world.record("customer", "c-1", &[contract()]).await;
        world.upstream.answers(json(PROFILE));
        later(&world);
        let mut said = spec("support", &[WIDE]);
        if let Some(shown) = peer.certificate.as_ref().filter(|_| is_bound) {
            said.others.insert("cnf".to_owned(), bound_to(shown));
        }
        let token = world.issuer.token(&said, world.clock_now()).unwrap_or_else(|e| panic!("{e}"));
        let mut request = ask(&[("data-purpose", WIDE)], Some(&token), peer.clone());
        request.extensions_mut().insert(Transport { signed: true, peer, ..Transport::default() });
        let seen = world.send(request).await;
        assert_eq!(seen.status.as_u16(), status, "{what}: {seen:?}");
        let told = if status == 200 { String::new() } else { seen.code() };
        assert_eq!(told, if status == 200 { "" } else { "identity-unverified" }, "{what}");
    }
}

#[tokio::test]
async fn whoever_proved_nothing_is_asked_for_a_token_and_of_one_that_came_it_is_said_that_it_does_not_hold() {
    fn of_support(world: &World, changes: Value, ago_millis: i64) -> Option<String> {
        let mut said = spec("support", &[SUPPORT]);
        said.others.extend(changes.as_object().cloned().unwrap_or_default());
        world.issuer.token(&said, world.clock_now().saturating_add_millis(-ago_millis)).ok()
    }
    const ASKED: &str = "Bearer";
    const REFUSED: &str = r#"Bearer error="invalid_token""#;
    type Row = (
        &'static str,
        fn(&mut AuthenticatorConfig),
        fn(&World) -> Option<String>,
        Peer,
        Reason,
        &'static str,
    );
    let (nowhere, gateway) = (peer("192.0.2.7", None), peer("10.1.0.1", Some(CERTIFICATE)));
    let by_network = peer("10.1.0.1", Some(OTHER));
    let rows: [Row; 9] = [
        ("nothing", believe, |_| None, nowhere.clone(), Reason::TokenMissing, ASKED),
        ("nobody, from a gateway", believe_a_shown_gateway, |_| None, gateway, Reason::TokenMissing, ASKED),
        ("nobody, from one without a name", believe, |_| None, by_network, Reason::TokenMissing, ASKED),
        (
            "a certificate of nobody",
            believe,
            |_| None,
            peer("10.2.0.1", Some(OTHER)),
            Reason::CertificateUnknown,
            ASKED,
        ),
        ("no token", believe, |_| Some("a.b".to_owned()), nowhere.clone(), Reason::TokenMalformed, REFUSED),
        (
            "another issuer's",
            believe,
            |world| Issuer::generate().ok()?.token(&spec("support", &[SUPPORT]), world.clock_now()).ok(),
            nowhere.clone(),
            Reason::TokenInvalid,
            REFUSED,
        ),
        (
            "one that is over",
            believe,
            |world| of_support(world, value!({}), 3_600_000),
            nowhere.clone(),
            Reason::TokenExpired,
            REFUSED,
        ),
        (
            "one of another kind",
            believe,
            |world| of_support(world, value!({"nonce": "n"}), 0),
            nowhere.clone(),
            Reason::TokenInvalid,
            REFUSED,
        ),
        (
            "one that is bound to what is not shown",
            believe,
            |world| of_support(world, value!({"cnf": {"x5t#S256": URL_SAFE_NO_PAD.encode([7; 32])}}), 0),
            nowhere,
            Reason::TokenBinding,
            REFUSED,
        ),
    ];
    for (what, believes, token, from, reason, challenge) in rows {
        let world = world_of(believes).await;
        later(&world);
        let token = token(&world);
        let seen = world.send(ask(&[("data-purpose", SUPPORT)], token.as_deref(), from)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (401, reason.code()), "{what}: {seen:?}");
        assert_eq!(seen.headers["www-authenticate"], challenge, "{what}");
        assert!(world.upstream.reached().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn law_2_a_former_name_of_a_purpose_allows_what_that_is_called_today() {
    const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
vocabulary:
  purposes: {essential.service.operations.support: {aliases: [helpdesk]}, essential.service.operations.improve: {aliases: [polish]}}
requesters: {support: {purposes: [essential]}}
routes:
  - {route: 'GET /customers/{id}', purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, response: {body: {email: user.contact}}}
rules:
  - {id: serve, permit: essential, data: user.contact, basis: contract, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: support, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
";
    let declared = |purpose| vec![("data-purpose", purpose)];
    for (what, headers, purposes, details, status, code) in [
        ("alone", vec![], vec!["helpdesk"], None, 200, ""),
        ("beside today's", vec![], vec!["helpdesk", SUPPORT], None, 200, ""),
        ("declared by today's", declared(SUPPORT), vec!["helpdesk", "polish"], None, 200, ""),
        ("both by the former", declared("helpdesk"), vec!["helpdesk"], None, 200, ""),
        ("within a wider one", vec![], vec![WIDE], Some("helpdesk"), 200, ""),
        ("of what was not asked", declared(SUPPORT), vec!["polish"], None, 403, "purpose-outside-token"),
        ("of another", vec![], vec![SUPPORT], Some("polish"), 400, "purpose-conflict"),
        ("of nothing", declared(SUPPORT), vec!["gossip"], None, 403, "purpose-outside-token"),
        ("of nothing, alone", vec![], vec!["gossip"], None, 403, "purpose-unknown"),
    ] {
        let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)]));
        let bundle = Some(bundle.unwrap_or_else(|e| panic!("{e}")));
        let world = World::otherwise(Otherwise { bundle, ..Otherwise::default() });
        world.record("customer", "c-1", &[contract()]).await;
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let mut said = spec("support", &purposes);
        if let Some(purpose) = details {
            let allowed = value!([{"type": "consentry_purpose", "purposes": [purpose]}]);
            said.others.insert("authorization_details".to_owned(), allowed);
        }
        let token = world.issuer.token(&said, world.clock_now()).unwrap_or_else(|e| panic!("{e}"));
        let seen = world.send(ask(&headers, Some(&token), Peer::default())).await;
        let told = if status == 200 { String::new() } else { seen.code() };
        assert_eq!((seen.status.as_u16(), &*told), (status, code), "{what}: {seen:?}");
        let (head, _) = world.last_ticket().await;
        let expected = (status == 200).then_some(SUPPORT);
        let named = head.purpose.as_ref().map(Purpose::as_str).filter(|_| status == 200);
        assert_eq!(named, expected, "{what}");
    }
}

#[tokio::test]
async fn law_1_a_cache_that_keeps_what_it_may_not_is_told_by_what_a_gateway_names_somebody() {
    let world = world().await;
    later(&world);
    let headers = [("x-requester", "support"), ("data-purpose", SUPPORT)];
    let seen = world.send(ask(&headers, None, peer("10.1.0.1", None))).await;
    assert_eq!(seen.status.as_u16(), 200, "{seen:?}");
    let vary = seen.headers["vary"].to_str().unwrap();
    for name in ["authorization", "data-purpose", "x-person", "x-requester"] {
        assert_eq!(vary.split(", ").filter(|there| *there == name).count(), 1, "{name}: {vary}");
    }
}

const CHOICES: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters: {portal: {purposes: [custom.rights], receives_as: subject}}
routes:
  - {route: 'GET /choices/{id}', right: preferences, about: {type: customer, space: customer, id: path.id}, response: {body: {email: user.contact.email}}}
  - {route: GET /choices, right: preferences, about: {type: customer, space: customer, id: token.sub}, response: {body: {email: user.contact.email}}, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: portal, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
";
const MESH_KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAVm77PSOFD78JfzAFEJATqL98rZ+0H7HvEXxJoJ1f1k4=
-----END PUBLIC KEY-----
";
/// A transaction token of that key, of the tests' usual day, that names the customer c-1 and declares no one purpose.
const OF_C_1: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6InR4bnRva2VuK2p3dCIsImtpZCI6Im1lc2gifQ.eyJpYXQiOjE3ODAyNzIwMDAsImV4cCI6MTc4MDI3MjMwMCwiYXVkIjoibWVzaC5leGFtcGxlLm9yZyIsInR4biI6InQtMSIsInN1YiI6InMtMSIsInNjb3BlIjoiY3VzdG9tLnJpZ2h0cyBjdXN0b20ucmlnaHRzLnByZWZlcmVuY2VzIiwidGN0eCI6eyJwZXJzb24iOnsic3BhY2UiOiJjdXN0b21lciIsImlkIjoiYy0xIn19fQ.EfCT6rz6bedeh85BmrWUynGYzIfzITnpDLOztsYTtyn4IYvliaw0gWrKOCKwE7m01LlXPISByyqYz9QqgppJCg";

fn in_a_mesh(config: &mut AuthenticatorConfig) {
    config.trust_domain = Some("mesh.example.org".to_owned());
    config.keys =
        std::mem::take(&mut config.keys).with_pem("mesh", MESH_KEY).unwrap_or_else(|e| panic!("{e}"));
}

#[tokio::test]
async fn law_9_whom_a_transaction_token_alone_names_is_not_whoever_asks() {
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", CHOICES)]));
    let bundle = bundle.unwrap_or_else(|e| panic!("{e}"));
    // Who somebody is need not be proved well to look at one's own choices; it has to be proved.
    for (what, path, of_token, assurance, transaction, status) in [
        ("herself", "/choices/c-1", Some("c-1"), Assurance::Low, false, 200),
        ("herself, in a chain", "/choices/c-1", Some("c-1"), Assurance::Low, true, 200),
        ("herself, where the token says who", "/choices", Some("c-1"), Assurance::Low, true, 200),
        ("nobody", "/choices/c-1", None, Assurance::High, false, 403),
        ("somebody's chain", "/choices/c-1", None, Assurance::High, true, 403),
        ("the same where the token says who", "/choices", None, Assurance::High, true, 403),
        ("another one's chain", "/choices/c-2", Some("c-2"), Assurance::High, true, 401),
    ] {
        let world = World::otherwise(Otherwise {
            identity: Some(in_a_mesh),
            bundle: Some(bundle.clone()),
            ..Otherwise::default()
        });
        world.record("customer", "c-1", &[contract()]).await;
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let mut said = spec("portal", &["custom.rights"]);
        said.person = of_token.map(|id| Identifier::new(Space::new("customer"), id));
        said.assurance = assurance;
        let token = world.issuer.token(&said, world.clock_now()).unwrap_or_else(|e| panic!("{e}"));
        let mut request = get(path, Some(&token), None);
        if transaction {
            request.headers_mut().insert("txn-token", OF_C_1.parse().unwrap_or_else(|e| panic!("{e}")));
        }
        let seen = world.send(request).await;
        assert_eq!(seen.status.as_u16(), status, "{what}: {seen:?}");
        assert_eq!(world.upstream.reached().len(), usize::from(status == 200), "{what}");
    }
}

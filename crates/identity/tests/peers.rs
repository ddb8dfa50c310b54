//! Certificates, bound tokens and the headers of gateways: who they name, and when they name nobody.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

mod support;

use std::sync::Arc;

use Reason::{
    CertificateExpired, HeadMalformed, IdentityConflict, PeerNotTrusted, TokenBinding, TokenInvalid,
    TokenMalformed,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consentry_identity::{
    Assurance, Authenticator, AuthenticatorConfig, CertificateHolder, CertificateName, Claims, ConfigError,
    Fingerprint, Gateway, IdentityError, KeySet, NamingHeaders, Network, Peer, PeerCertificate, validity_of,
};
use consentry_model::{Moment, Proof, Purpose, Reason, RequesterId, Space};
use support::{AUD, ISS, NOW, World, claims};

const NEWSLETTER: &[u8] = include_bytes!("data/newsletter.der");
const TWO: &[u8] = include_bytes!("data/two.der");
const NAMELESS: &[u8] = include_bytes!("data/nameless.der");
const WILD: &[u8] = include_bytes!("data/wild.der");
const GATEWAY: &[u8] = include_bytes!("data/gateway.der");
/// A moment beyond every certificate of these tests.
const YEAR_2200: Moment = Moment::from_unix_millis(7_258_118_400_000);

fn certificate(der: &[u8]) -> Arc<PeerCertificate> {
    Arc::new(PeerCertificate::from_der(der).unwrap())
}

fn peer(address: Option<&str>, der: Option<&[u8]>) -> Peer {
    Peer { address: address.map(|a| a.parse().unwrap()), certificate: der.map(certificate) }
}

fn purpose(text: &str) -> Purpose {
    Purpose::new(text).unwrap()
}

fn holder(requester: &str, names: Vec<CertificateName>) -> CertificateHolder {
    CertificateHolder { requester: RequesterId::new(requester), names, purposes: vec![purpose("marketing")] }
}

fn gateway(networks: &[&str], certificates: Vec<CertificateName>) -> Gateway {
    Gateway {
        networks: networks.iter().map(|n| Network::parse(n).unwrap()).collect(),
        certificates,
        requesters: ["newsletter", "portal"].into_iter().map(RequesterId::new).collect(),
        purposes: vec![purpose("marketing"), purpose("essential")],
        assurance: Assurance::Substantial,
    }
}

fn dns(name: &str) -> CertificateName {
    CertificateName::Dns(name.to_owned())
}

fn uri(name: &str) -> CertificateName {
    CertificateName::Uri(name.to_owned())
}

fn config(world: &World) -> AuthenticatorConfig {
    let mut config = AuthenticatorConfig::new(KeySet::from_jwks(&world.issuer.jwks()).unwrap(), ISS, AUD);
    config.certificates = vec![
        holder("newsletter", vec![dns("NEWSLETTER.internal"), uri("spiffe://example.org/newsletter")]),
        holder("billing", vec![dns("billing.internal")]),
        holder("nameless", vec![CertificateName::Sha256(Fingerprint::of(NAMELESS))]),
    ];
    config.naming_headers = Some(NamingHeaders {
        requester: "x-requester".to_owned(),
        person: Some(("x-person".to_owned(), Space::new("customer"))),
    });
    config.gateways = vec![
        gateway(&["10.1.0.0/16"], vec![]),
        gateway(&["10.2.0.0/16"], vec![uri("spiffe://example.org/gateway")]),
        gateway(&["10.3.0.0/16"], vec![]),
        gateway(&["10.3.4.0/24"], vec![]),
    ];
    config
}

fn identify(
    authenticator: &Authenticator,
    headers: &[(&str, &str)],
    peer: &Peer,
    now: Moment,
) -> Result<Option<Arc<Claims>>, IdentityError> {
    let lines = |name: &str| {
        let of_name = headers.iter().filter(|(n, _)| *n == name);
        of_name.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>()
    };
    authenticator.identify(&lines, peer, now)
}

#[test]
fn a_certificate_says_its_names_and_its_time() {
    let read = certificate(NEWSLETTER);
    assert_eq!(read.dns(), ["newsletter.internal"]);
    assert_eq!(read.uris(), ["spiffe://example.org/newsletter"]);
    assert!(read.holds(NOW) && !read.holds(YEAR_2200) && !read.holds(Moment::BEGINNING));
    let (end, last) = (read.ends(), read.ends().saturating_add_millis(-1));
    assert!(!read.holds(end) && read.holds(last));
    let (begins, ends) = validity_of(NEWSLETTER).unwrap();
    assert!(read.holds(begins) && !read.holds(begins.saturating_add_millis(-1)) && ends == end);
    let digest = read.fingerprint().to_string();
    assert_eq!(Fingerprint::parse(&digest), Some(Fingerprint::of(NEWSLETTER)));
    let colons: Vec<&str> = (0..32).map(|at| &digest[2 * at..2 * at + 2]).collect();
    assert_eq!(Fingerprint::parse(&colons.join(":").to_uppercase()), Some(read.fingerprint()));
    for wrong in
        ["", "ab", &digest[1..], &format!("{digest}0"), &digest.replace('a', "g"), &colons.join("::")]
    {
        assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
    }
    let long = [NEWSLETTER, &[0; 20_000]].concat();
    let trailing = [NEWSLETTER, b"x"].concat();
    for wrong in [&[][..], b"-----BEGIN CERTIFICATE-----", &NEWSLETTER[..200], &trailing, &long] {
        assert!(PeerCertificate::from_der(wrong).is_err() && validity_of(wrong).is_err());
    }
}

#[test]
fn law_1_a_certificate_is_whose_it_is_registered_for_and_nobodys_otherwise() {
    let world = World::new();
    let authenticator = Authenticator::new(config(&world)).unwrap();
    for (what, der, now, expected) in [
        ("by its names", NEWSLETTER, NOW, Ok(Some("newsletter"))),
        ("by its digest", NAMELESS, NOW, Ok(Some("nameless"))),
        ("registered for two", TWO, NOW, Err(IdentityConflict)),
        ("a pattern", WILD, NOW, Ok(None)),
        ("a gateway's", GATEWAY, NOW, Ok(None)),
        ("outlived", NEWSLETTER, YEAR_2200, Err(CertificateExpired)),
        ("not begun", NEWSLETTER, Moment::from_unix_millis(0), Err(CertificateExpired)),
    ] {
        let read = identify(&authenticator, &[], &peer(None, Some(der)), now);
        let read = read.map(|claims| {
            claims.map(|claims| {
                assert_eq!((claims.proof, claims.person.as_ref()), (Proof::Certificate, None), "{what}");
                assert!(
                    claims.expires <= certificate(der).ends() && claims.allow(|p| *p == purpose("marketing"))
                );
                claims.requester.as_str().to_owned()
            })
        });
        let expected = expected.map(|name: Option<&str>| name.map(str::to_owned));
        assert_eq!(read.map_err(|e| e.reason()), expected, "{what}");
    }
    let none = identify(&authenticator, &[], &Peer::default(), NOW);
    assert_eq!(none, Ok(None));
}

#[test]
fn law_1_a_bound_token_is_believed_over_its_certificate_alone() {
    let world = World::new();
    let authenticator = Authenticator::new(config(&world)).unwrap();
    let bound = |der: &[u8]| {
        let digest = URL_SAFE_NO_PAD.encode(Fingerprint::of(der).as_bytes());
        format!(
            "Bearer {}",
            world.signed(&claims(&[("cnf", Some(&format!("{{\"x5t#S256\":\"{digest}\"}}")))]))
        )
    };
    let other = format!("Bearer {}", world.signed(&claims(&[("cnf", Some("{\"jkt\":\"x\"}"))])));
    let both =
        format!("Bearer {}", world.signed(&claims(&[("cnf", Some("{\"x5t#S256\":\"AA\",\"jkt\":\"x\"}"))])));
    let short = format!("Bearer {}", world.signed(&claims(&[("cnf", Some("{\"x5t#S256\":\"AAAA\"}"))])));
    let none = format!("Bearer {}", world.signed(&claims(&[("cnf", Some("\"x\""))])));
    for (what, line, der, now, expected) in [
        ("shown", bound(NEWSLETTER), Some(NEWSLETTER), NOW, Ok(Proof::BoundToken)),
        ("a gateway's, shown", bound(GATEWAY), Some(GATEWAY), NOW, Ok(Proof::BoundToken)),
        ("not shown", bound(NEWSLETTER), None, NOW, Err(TokenBinding)),
        ("another shown", bound(NEWSLETTER), Some(GATEWAY), NOW, Err(TokenBinding)),
        ("another kind", other, Some(NEWSLETTER), NOW, Err(TokenInvalid)),
        ("two kinds", both, Some(NEWSLETTER), NOW, Err(TokenInvalid)),
        ("no digest", short, Some(NEWSLETTER), NOW, Err(TokenMalformed)),
        ("no object", none, Some(NEWSLETTER), NOW, Err(TokenMalformed)),
    ] {
        // Twice: a token that is kept is bound all the same.
        for _ in 0..2 {
            let headers = [("authorization", line.as_str())];
            let read = identify(&authenticator, &headers, &peer(None, der), now);
            let read = read.map(|claims| claims.unwrap().proof).map_err(|e| e.reason());
            assert_eq!(read, expected, "{what}");
        }
    }
    let line = bound(NEWSLETTER);
    let bare = authenticator.authenticate(&[line.as_bytes()], NOW).unwrap_err();
    assert_eq!(bare.reason(), TokenBinding);
}

#[test]
fn law_1_a_bound_token_ends_with_its_certificate() {
    // Where no certificate is registered: what it is to a token that is bound to it is all that it is.
    let world = World::new();
    let ends = certificate(NEWSLETTER).ends();
    let (before, after) = (ends.saturating_add_millis(-2_000), ends.saturating_add_millis(2_000));
    let digest = URL_SAFE_NO_PAD.encode(Fingerprint::of(NEWSLETTER).as_bytes());
    let bound = format!("{{\"x5t#S256\":\"{digest}\"}}");
    for (what, cnf, exp, expires) in [
        ("a token that ends sooner", Some(&*bound), before, before),
        ("a certificate that ends sooner", Some(&*bound), after, ends),
        ("a certificate to which nothing is bound", None, after, after),
    ] {
        let exp = (exp.unix_millis() / 1_000).to_string();
        let line = format!("Bearer {}", world.signed(&claims(&[("cnf", cnf), ("exp", Some(&exp))])));
        let headers = [("authorization", line.as_str())];
        // Twice: a token that is kept ends with it all the same.
        for _ in 0..2 {
            let shown = peer(None, Some(NEWSLETTER));
            let read = identify(&world.authenticator, &headers, &shown, NOW).unwrap().unwrap();
            assert_eq!(read.expires, expires, "{what}");
        }
    }
}

#[test]
fn law_1_only_a_gateway_names_anybody_and_only_whom_it_may() {
    let world = World::new();
    let authenticator = Authenticator::new(config(&world)).unwrap();
    let newsletter = ("x-requester", "newsletter");
    let there = || peer(Some("10.1.2.3"), None);
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Peer, Result<Option<(&'a str, bool)>, Reason>);
    let cases: Vec<Case<'_>> = vec![
        ("named", vec![newsletter], there(), Ok(Some(("newsletter", false)))),
        ("mapped", vec![newsletter], peer(Some("::ffff:10.1.2.3"), None), Ok(Some(("newsletter", false)))),
        ("with a person", vec![newsletter, ("x-person", "c-1")], there(), Ok(Some(("newsletter", true)))),
        ("says nothing", vec![], there(), Ok(None)),
        ("elsewhere", vec![newsletter], peer(Some("10.9.0.1"), None), Err(PeerNotTrusted)),
        ("nowhere", vec![newsletter], Peer::default(), Err(PeerNotTrusted)),
        (
            "a person from elsewhere",
            vec![("x-person", "c-1")],
            peer(Some("10.9.0.1"), None),
            Err(PeerNotTrusted),
        ),
        ("two gateways", vec![newsletter], peer(Some("10.3.4.5"), None), Err(PeerNotTrusted)),
        ("one of the two", vec![newsletter], peer(Some("10.3.5.5"), None), Ok(Some(("newsletter", false)))),
        ("no certificate", vec![newsletter], peer(Some("10.2.0.1"), None), Err(PeerNotTrusted)),
        ("another certificate", vec![newsletter], peer(Some("10.2.0.1"), Some(WILD)), Err(PeerNotTrusted)),
        (
            "its certificate",
            vec![newsletter],
            peer(Some("10.2.0.1"), Some(GATEWAY)),
            Ok(Some(("newsletter", false))),
        ),
        (
            "its certificate elsewhere",
            vec![newsletter],
            peer(Some("10.9.0.1"), Some(GATEWAY)),
            Err(PeerNotTrusted),
        ),
        ("whom it may not name", vec![("x-requester", "billing")], there(), Err(PeerNotTrusted)),
        ("two lines", vec![newsletter, newsletter], there(), Err(HeadMalformed)),
        ("empty", vec![("x-requester", "")], there(), Err(HeadMalformed)),
        ("two words", vec![("x-requester", "news letter")], there(), Err(HeadMalformed)),
        ("blanks", vec![("x-requester", " newsletter")], there(), Err(HeadMalformed)),
        ("a list", vec![("x-requester", "newsletter,portal")], there(), Err(PeerNotTrusted)),
        ("a person alone", vec![("x-person", "c-1")], there(), Err(HeadMalformed)),
        ("two people", vec![newsletter, ("x-person", "a"), ("x-person", "b")], there(), Err(HeadMalformed)),
        ("an empty person", vec![newsletter, ("x-person", "")], there(), Err(HeadMalformed)),
    ];
    for (what, headers, peer, expected) in cases {
        let read = identify(&authenticator, &headers, &peer, NOW);
        let read = read.map(|claims| {
            claims.map(|claims| {
                let person = claims.person.as_ref().map(|p| p.reveal().to_owned());
                assert_eq!(claims.proof, Proof::Header, "{what}");
                assert!(person.as_deref().is_none_or(|p| p == "c-1"), "{what}");
                let level = if person.is_some() { Assurance::Substantial } else { Assurance::None };
                assert_eq!(claims.assurance, level, "{what}");
                (claims.requester.as_str().to_owned(), person.is_some())
            })
        });
        let expected = expected.map(|named| named.map(|(name, person)| (name.to_owned(), person)));
        assert_eq!(read.map_err(|e| e.reason()), expected, "{what}");
    }
}

#[test]
fn law_1_a_gateway_names_nobody_once_its_certificate_is_over() {
    let world = World::new();
    let authenticator = Authenticator::new(config(&world)).unwrap();
    let by = |der| peer(Some("10.2.0.1"), der);
    let newsletter = [("x-requester", "newsletter")];
    let ends = certificate(GATEWAY).ends();
    for (what, peer, now, expected) in [
        ("in its time", by(Some(GATEWAY)), ends.saturating_add_millis(-1), Ok(ends)),
        ("outlived", by(Some(GATEWAY)), ends, Err(CertificateExpired)),
        ("long ago", by(Some(GATEWAY)), YEAR_2200, Err(CertificateExpired)),
        ("not begun", by(Some(GATEWAY)), Moment::from_unix_millis(0), Err(CertificateExpired)),
        ("without one", peer(Some("10.1.2.3"), None), YEAR_2200, Ok(Moment::from_unix_millis(i64::MAX))),
    ] {
        let read = identify(&authenticator, &newsletter, &peer, now);
        assert_eq!(read.map(|claims| claims.unwrap().expires).map_err(|e| e.reason()), expected, "{what}");
    }
    assert!(identify(&authenticator, &[], &by(Some(GATEWAY)), YEAR_2200).unwrap().is_none());
}

#[test]
fn law_1_all_proofs_name_the_same() {
    let world = World::new();
    let authenticator = Authenticator::new(config(&world)).unwrap();
    let person = r#"{"space":"customer","id":"c-1"}"#;
    let token = |client: &str, person: Option<&str>| {
        let client = format!("\"{client}\"");
        let purposes = Some("[\"marketing.communications\",\"essential\"]");
        let mut changes = vec![("client_id", Some(client.as_str())), ("purposes", purposes)];
        changes.extend(person.map(|p| ("person", Some(p))));
        format!("Bearer {}", world.signed(&claims(&changes)))
    };
    let (plain, with_person) = (token("newsletter", None), token("newsletter", Some(person)));
    let billing = token("billing", None);
    let named = ("x-requester", "newsletter");
    for (what, headers, peer, expected) in [
        ("token and certificate", vec![("authorization", &*plain)], peer(None, Some(NEWSLETTER)), Ok((2, 0))),
        (
            "another's certificate",
            vec![("authorization", &*billing)],
            peer(None, Some(NEWSLETTER)),
            Err(IdentityConflict),
        ),
        ("a certificate of nobody", vec![("authorization", &*plain)], peer(None, Some(WILD)), Ok((1, 0))),
        (
            "token and header",
            vec![("authorization", &*plain), named],
            peer(Some("10.1.0.1"), None),
            Ok((2, 0)),
        ),
        (
            "another's token",
            vec![("authorization", &*billing), named],
            peer(Some("10.1.0.1"), None),
            Err(IdentityConflict),
        ),
        (
            "a person whom the token does not name",
            vec![("authorization", &*plain), named, ("x-person", "c-1")],
            peer(Some("10.1.0.1"), None),
            Err(IdentityConflict),
        ),
        (
            "the same person",
            vec![("authorization", &*with_person), named, ("x-person", "c-1")],
            peer(Some("10.1.0.1"), None),
            Ok((2, 1)),
        ),
        (
            "another person",
            vec![("authorization", &*with_person), named, ("x-person", "c-2")],
            peer(Some("10.1.0.1"), None),
            Err(IdentityConflict),
        ),
        ("header and certificate", vec![named], peer(Some("10.1.0.1"), Some(NEWSLETTER)), Ok((2, 0))),
        (
            "header and another's certificate",
            vec![named],
            peer(Some("10.1.0.1"), Some(NAMELESS)),
            Err(IdentityConflict),
        ),
        (
            "a bad token beside a good certificate",
            vec![("authorization", "Bearer x")],
            peer(None, Some(NEWSLETTER)),
            Err(TokenMalformed),
        ),
    ] {
        let read = identify(&authenticator, &headers, &peer, NOW);
        let read =
            read.map(|claims| claims.map(|c| (c.ceilings.len(), usize::from(c.person.is_some()))).unwrap());
        assert_eq!(read.map_err(|e| e.reason()), expected, "{what}");
    }
    // What may be declared is what every proof allows.
    let headers = [("authorization", plain.as_str())];
    let read = identify(&authenticator, &headers, &peer(None, Some(NEWSLETTER)), NOW).unwrap().unwrap();
    let covers = |of: &'static str| {
        move |above: &Purpose| of == above.as_str() || of.starts_with(&format!("{}.", above.as_str()))
    };
    assert!(read.allow(covers("marketing.communications.email")));
    assert!(!read.allow(covers("marketing")), "the token does not allow it");
    assert!(!read.allow(covers("essential")), "the certificate does not allow it");
}

#[test]
fn law_1_a_configuration_with_two_readings_is_refused() {
    let world = World::new();
    let ambiguous = |change: &dyn Fn(&mut AuthenticatorConfig)| {
        let mut config = config(&world);
        change(&mut config);
        matches!(Authenticator::new(config), Err(ConfigError::Ambiguous(_)))
    };
    assert!(!ambiguous(&|_| ()));
    assert!(ambiguous(&|c| c.certificates.push(holder("other", vec![dns("Billing.internal")]))));
    assert!(ambiguous(&|c| c.certificates.push(holder("other", vec![uri("spiffe://example.org/gateway")]))));
    assert!(ambiguous(&|c| c.certificates.push(holder("other", vec![dns("*.internal")]))));
    assert!(ambiguous(&|c| c.certificates.push(holder("other", vec![dns("")]))));
    assert!(ambiguous(&|c| c.certificates.push(holder("other", vec![]))));
    assert!(ambiguous(&|c| c.certificates.push(holder("", vec![dns("other.internal")]))));
    assert!(ambiguous(&|c| c.certificates[0].purposes.clear()));
    assert!(ambiguous(&|c| c.gateways[0].networks.clear()));
    assert!(ambiguous(&|c| c.gateways[0].requesters.clear()));
    assert!(ambiguous(&|c| c.gateways[0].purposes.clear()));
    assert!(ambiguous(&|c| c.naming_headers = None));
    for name in [
        "",
        "X-Requester",
        "x requester",
        "authorization",
        "data-purpose",
        "host",
        "x-person",
        "x_requester",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-real-ip",
        "x-client-ip",
    ] {
        assert!(ambiguous(&|c| c.naming_headers.as_mut().unwrap().requester = name.to_owned()), "{name}");
    }
}

#[test]
fn a_header_of_a_name_that_gateways_use_may_name_somebody() {
    let mut config = config(&World::new());
    config.naming_headers.as_mut().unwrap().requester = "x-forwarded-user".to_owned();
    Authenticator::new(config).unwrap();
}

#[test]
fn headers_that_are_meant_for_us_are_all_told() {
    let authenticator = Authenticator::new(config(&World::new())).unwrap();
    let own: Vec<&str> = authenticator.own_headers().collect();
    assert_eq!(own, ["baggage", "data-purpose", "txn-token", "x-requester", "x-person"]);
}

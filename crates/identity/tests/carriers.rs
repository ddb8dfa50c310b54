//! What carries purposes: rich authorization details and transaction tokens, read strictly.
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use Reason::{IdentityConflict, TokenExpired, TokenInvalid, TokenMalformed, TokenMissing};
use consentry_identity::{
    Assurance, Authenticator, AuthenticatorConfig, Carrier, CeilingSource, KeySet, Peer, declared_purposes,
};
use consentry_model::{Purpose, Reason};
use support::{AUD, ISS, NOW, NOW_SECS, World, claims, sign};

const DOMAIN: &str = "mesh.example.org";

#[test]
fn law_1_authorization_details_allow_what_they_say_here_and_no_more() {
    let world = World::new();
    type Case<'a> = (&'a str, Result<Option<&'a [&'a str]>, Reason>);
    let cases: &[Case<'_>] = &[
        (r#"[{"type":"consentry_purpose","purposes":["marketing"]}]"#, Ok(Some(&["marketing"]))),
        (
            r#"[{"type":"consentry_purpose","purposes":["marketing"]},{"type":"consentry_purpose","purposes":["essential"]}]"#,
            Ok(Some(&["marketing", "essential"])),
        ),
        (
            r#"[{"type":"consentry_purpose","purposes":["marketing"],"locations":["https://api.example.org"]}]"#,
            Ok(Some(&["marketing"])),
        ),
        (
            r#"[{"type":"consentry_purpose","purposes":["marketing","marketing"]},{"type":"consentry_purpose","purposes":["marketing"]}]"#,
            Ok(Some(&["marketing"])),
        ),
        // Members of one object belong together: what is for elsewhere is not for here.
        (
            r#"[{"type":"consentry_purpose","purposes":["marketing"],"locations":["https://other.example.org"]},
                {"type":"consentry_purpose","purposes":["essential"],"locations":["https://api.example.org"]}]"#,
            Ok(Some(&["essential"])),
        ),
        (
            r#"[{"type":"consentry_purpose","purposes":["marketing"],"locations":["https://other.example.org"]}]"#,
            Ok(Some(&[])),
        ),
        (
            r#"[{"type":"payment","amount":7},{"type":"consentry_purpose","purposes":["a"]}]"#,
            Ok(Some(&["a"])),
        ),
        (r#"[{"type":"payment","amount":7}]"#, Ok(None)),
        (r#"[{"type":"Consentry_purpose","purposes":["marketing"]}]"#, Ok(None)),
        ("[]", Ok(None)),
        (
            r#"[{"type":"consentry_purpose","purposes":["marketing"],"datatypes":["user.name"]}]"#,
            Err(TokenInvalid),
        ),
        (r#"[{"type":"consentry_purpose","purposes":["marketing"],"actions":["read"]}]"#, Err(TokenInvalid)),
        (r#"[{"type":"consentry_purpose","purposes":[]}]"#, Err(TokenMalformed)),
        (r#"[{"type":"consentry_purpose"}]"#, Err(TokenMalformed)),
        (r#"[{"type":"consentry_purpose","purposes":"marketing"}]"#, Err(TokenMalformed)),
        (r#"[{"type":"consentry_purpose","purposes":["Marketing"]}]"#, Err(TokenMalformed)),
        (r#"[{"type":"consentry_purpose","purposes":["a"],"locations":[]}]"#, Err(TokenMalformed)),
        (
            r#"[{"type":"consentry_purpose","purposes":["a"],"locations":"https://api.example.org"}]"#,
            Err(TokenMalformed),
        ),
        (r#"[{"type":"consentry_purpose","purposes":["a"],"locations":[1]}]"#, Err(TokenMalformed)),
        (r#"[{"type":"consentry_purpose","purposes":["a"],"purposes":["b"]}]"#, Err(TokenMalformed)),
        (r#"[{"purposes":["marketing"]}]"#, Err(TokenMalformed)),
        (r#"[{"type":["consentry_purpose"],"purposes":["marketing"]}]"#, Err(TokenMalformed)),
        (r#"["consentry_purpose"]"#, Err(TokenMalformed)),
        (r#"{"type":"consentry_purpose","purposes":["marketing"]}"#, Err(TokenMalformed)),
        ("null", Err(TokenMalformed)),
        ("\"[]\"", Err(TokenMalformed)),
    ];
    for (details, expected) in cases {
        let line = format!("Bearer {}", world.signed(&claims(&[("authorization_details", Some(details))])));
        let read = world.authenticator.authenticate(&[line.as_bytes()], NOW).map_err(|e| e.reason());
        let read = read.map(|claims| {
            let [ceiling]: [_; 1] = claims.unwrap().ceilings.clone().try_into().unwrap();
            let texts: Vec<String> = ceiling.purposes.iter().map(|p| p.as_str().to_owned()).collect();
            (ceiling.source == CeilingSource::Details).then_some(texts)
        });
        let expected =
            expected.map(|e| e.map(|list| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>()));
        assert_eq!(read, expected, "{details}");
    }
}

#[test]
fn law_2_a_token_that_says_it_twice_allows_what_both_allow() {
    let world = World::new();
    let details = r#"[{"type":"consentry_purpose","purposes":["marketing"]}]"#;
    let both = claims(&[("purposes", Some("[\"essential\"]")), ("authorization_details", Some(details))]);
    let line = format!("Bearer {}", world.signed(&both));
    let read = world.authenticator.authenticate(&[line.as_bytes()], NOW).unwrap().unwrap();
    assert_eq!(read.ceilings.len(), 2);
    assert!(!read.allow(|p| p.as_str() == "marketing") && !read.allow(|p| p.as_str() == "essential"));
}

struct Mesh {
    world: World,
    authenticator: Authenticator,
}

impl Mesh {
    fn new() -> Self {
        let world = World::new();
        let keys = KeySet::from_jwks(&world.issuer.jwks()).unwrap();
        let mut config = AuthenticatorConfig::new(keys, ISS, AUD);
        config.trust_domain = Some(DOMAIN.to_owned());
        Self { authenticator: Authenticator::new(config).unwrap(), world }
    }

    fn transaction(&self, typ: &str, changes: &[(&str, Option<&str>)]) -> String {
        let header = format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"{}"}}"#, self.world.issuer.kid());
        let good = [
            ("iat", NOW_SECS.to_string()),
            ("exp", (NOW_SECS + 60).to_string()),
            ("aud", format!("\"{DOMAIN}\"")),
            ("txn", "\"97053963\"".to_owned()),
            ("sub", "\"d084sdrt\"".to_owned()),
            ("req_wl", "\"gateway\"".to_owned()),
            ("scope", "\"marketing\"".to_owned()),
        ];
        let kept = good.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let kept = kept.map(|(name, value)| format!("\"{name}\":{value}"));
        let changed = changes.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", (*value)?)));
        let body = format!("{{{}}}", kept.chain(changed).collect::<Vec<_>>().join(","));
        sign(&header, &body, &self.world.ed())
    }

    /// The purpose that a transaction token names beside a good token, and what both allow.
    fn identify(
        &self,
        transaction: &[&str],
        person: Option<&str>,
    ) -> Result<(Option<String>, usize), Reason> {
        let token = self.world.signed(&claims(&[("purposes", Some("[\"marketing\"]")), ("person", person)]));
        let bearer = format!("Bearer {token}");
        let lines = |name: &str| match name {
            "authorization" => vec![bearer.as_bytes()],
            "txn-token" => transaction.iter().map(|t| t.as_bytes()).collect(),
            _ => Vec::new(),
        };
        let read = self.authenticator.identify(&lines, &Peer::default(), NOW).map_err(|e| e.reason())?;
        let read = read.unwrap();
        Ok((read.transaction_purpose.as_ref().map(|p| p.as_str().to_owned()), read.ceilings.len()))
    }
}

#[test]
fn law_1_transaction_tokens_are_read_strictly() {
    let mesh = Mesh::new();
    let late = (NOW_SECS + 1).to_string();
    let ahead = (NOW_SECS + 61).to_string();
    let now = NOW_SECS.to_string();
    for (name, value, expected) in [
        ("txn", Some("\"t\""), Ok(Some("marketing"))),
        ("iss", Some("\"https://id.example.org\""), Ok(Some("marketing"))),
        ("req_wl", None, Ok(Some("marketing"))),
        ("scope", Some("\"marketing essential\""), Ok(None)),
        ("scope", Some("\"marketing marketing\""), Ok(Some("marketing"))),
        ("rctx", Some("{\"req_ip\":\"192.0.2.1\"}"), Ok(Some("marketing"))),
        ("tctx", Some("{\"ticket\":\"7\"}"), Ok(Some("marketing"))),
        ("iss", Some("\"https://evil.example.com\""), Err(TokenInvalid)),
        ("iss", Some("7"), Err(TokenMalformed)),
        ("aud", Some("\"https://api.example.org\""), Err(TokenInvalid)),
        ("aud", Some("[\"mesh.example.org\"]"), Err(TokenMalformed)),
        ("aud", None, Err(TokenMalformed)),
        ("exp", None, Err(TokenMalformed)),
        ("exp", Some(&now), Err(TokenExpired)),
        ("nbf", Some(&late), Err(TokenExpired)),
        ("iat", None, Err(TokenMalformed)),
        ("iat", Some("\"now\""), Err(TokenMalformed)),
        ("iat", Some(&late), Ok(Some("marketing"))),
        ("iat", Some(&ahead), Err(TokenMalformed)),
        ("iat", Some("253402300799"), Err(TokenMalformed)),
        ("txn", None, Err(TokenMalformed)),
        ("txn", Some("\"a b\""), Err(TokenMalformed)),
        ("sub", None, Err(TokenMalformed)),
        ("sub", Some("\"\""), Err(TokenMalformed)),
        ("req_wl", Some("[]"), Err(TokenMalformed)),
        ("scope", None, Err(TokenMalformed)),
        ("scope", Some("\"\""), Err(TokenMalformed)),
        ("scope", Some("\"marketing \""), Err(TokenMalformed)),
        ("scope", Some("\"marketing  essential\""), Err(TokenMalformed)),
        ("scope", Some("\"read:customers\""), Err(TokenMalformed)),
        ("scope", Some("[\"marketing\"]"), Err(TokenMalformed)),
        ("purp", Some("\"marketing\""), Err(TokenMalformed)),
        ("tctx", Some("[]"), Err(TokenMalformed)),
        ("tctx", Some("{\"person\":\"c-1\"}"), Err(TokenMalformed)),
        ("rctx", Some("\"x\""), Err(TokenMalformed)),
        ("cnf", Some("{\"jkt\":\"x\"}"), Err(TokenInvalid)),
    ] {
        let token = mesh.transaction("txntoken+jwt", &[(name, value)]);
        let read = mesh.identify(&[&token], None).map(|(purpose, _)| purpose);
        assert_eq!(read, expected.map(|p: Option<&str>| p.map(str::to_owned)), "{name} {value:?}");
    }
    let older = mesh.transaction("txntoken+jwt", &[("scope", None), ("purp", Some("\"marketing\""))]);
    assert_eq!(mesh.identify(&[&older], None), Ok((Some("marketing".to_owned()), 2)));
    // Again: it is kept now, and says the same.
    assert_eq!(mesh.identify(&[&older], None), Ok((Some("marketing".to_owned()), 2)));
    assert_eq!(mesh.identify(&[&older, &older], None), Err(TokenMalformed));
    assert_eq!(mesh.identify(&[&"a".repeat(9_000)], None), Err(TokenMalformed));
    assert_eq!(mesh.identify(&[], None).map(|(purpose, _)| purpose), Ok(None));
}

#[test]
fn law_1_no_kind_of_token_is_taken_for_another() {
    let mesh = Mesh::new();
    for (typ, expected) in [
        ("txntoken+jwt", Ok(())),
        ("application/txntoken+jwt", Ok(())),
        ("TXNTOKEN+JWT", Ok(())),
        ("at+jwt", Err(TokenInvalid)),
        ("jwt", Err(TokenInvalid)),
        ("txn_token", Err(TokenInvalid)),
        ("", Err(TokenInvalid)),
    ] {
        assert_eq!(mesh.identify(&[&mesh.transaction(typ, &[])], None).map(|_| ()), expected, "{typ}");
    }
    let as_access = |token: &str| {
        let line = format!("Bearer {token}");
        mesh.authenticator.authenticate(&[line.as_bytes()], NOW).map(|_| ()).map_err(|e| e.reason())
    };
    let transaction = mesh.transaction("txntoken+jwt", &[]);
    assert!(mesh.identify(&[&transaction], None).is_ok());
    assert_eq!(as_access(&transaction), Err(TokenInvalid), "kept as one kind, and not as the other");
    let disguised = mesh.transaction("at+jwt", &[("iss", Some("\"https://id.example.org\""))]);
    assert_eq!(as_access(&disguised), Err(TokenInvalid));
    // And a token for access in the other header.
    let access = mesh.world.signed(&claims(&[]));
    assert_eq!(mesh.identify(&[&access], None), Err(TokenInvalid));
    // Where no trust domain is configured, none is believed.
    let lines = |name: &str| if name == "txn-token" { vec![transaction.as_bytes()] } else { Vec::new() };
    let error = mesh.world.authenticator.identify(&lines, &Peer::default(), NOW).unwrap_err();
    assert_eq!(error.reason(), TokenInvalid);
}

#[test]
fn law_2_a_transaction_token_narrows_and_names_nobody() {
    let mesh = Mesh::new();
    let token = mesh.transaction("txntoken+jwt", &[]);
    let lines = |name: &str| if name == "txn-token" { vec![token.as_bytes()] } else { Vec::new() };
    let alone = mesh.authenticator.identify(&lines, &Peer::default(), NOW).unwrap_err();
    assert_eq!(alone.reason(), TokenMissing);
    assert_eq!(mesh.identify(&[&token], None), Ok((Some("marketing".to_owned()), 2)));
    let person = r#"{"person":{"space":"customer","id":"c-1"}}"#;
    let with_person = mesh.transaction("txntoken+jwt", &[("tctx", Some(person))]);
    assert!(mesh.identify(&[&with_person], None).is_ok());
    assert!(mesh.identify(&[&with_person], Some(r#"{"space":"customer","id":"c-1"}"#)).is_ok());
    let other = mesh.identify(&[&with_person], Some(r#"{"space":"customer","id":"c-2"}"#));
    assert_eq!(other, Err(IdentityConflict));
}

#[test]
fn law_1_whom_a_transaction_alone_names_proved_nothing() {
    let mesh = Mesh::new();
    let person = r#"{"space":"customer","id":"c-1"}"#;
    let named = mesh.transaction("txntoken+jwt", &[("tctx", Some(&format!("{{\"person\":{person}}}")))]);
    let bare = mesh.transaction("txntoken+jwt", &[]);
    // Anybody in the chain may hold the transaction token: how well the requester's token proved somebody says nothing of
    // another person.
    for (transaction, of_token, expected, is_proved) in [
        (&named, None, Assurance::None, false),
        (&named, Some(person), Assurance::High, true),
        (&bare, Some(person), Assurance::High, true),
        (&bare, None, Assurance::High, false),
    ] {
        let said = [("purposes", Some("[\"marketing\"]")), ("person", of_token), ("acr", Some("\"high\""))];
        let bearer = format!("Bearer {}", mesh.world.signed(&claims(&said)));
        let lines = |name: &str| match name {
            "authorization" => vec![bearer.as_bytes()],
            "txn-token" => vec![transaction.as_bytes()],
            _ => Vec::new(),
        };
        let read = mesh.authenticator.identify(&lines, &Peer::default(), NOW).unwrap().unwrap();
        assert_eq!(read.assurance, expected, "{of_token:?}");
        assert_eq!(read.proved_person().is_some(), is_proved, "{of_token:?}");
    }
}

#[test]
fn every_carrier_is_told_with_what_it_declares() {
    let lines = |name: &str| -> Vec<&[u8]> {
        match name {
            "data-purpose" => vec![b"marketing"],
            "baggage" => vec![b"a=1", b"data-purpose=essential"],
            _ => Vec::new(),
        }
    };
    let purpose = |text| Purpose::new(text).unwrap();
    let expected = vec![(purpose("marketing"), Carrier::Header), (purpose("essential"), Carrier::Baggage)];
    assert_eq!(declared_purposes(&lines), Ok(expected));
    let bad = |name: &str| -> Vec<&[u8]> {
        if name == "baggage" { vec![b"data-purpose=marketing,"] } else { Vec::new() }
    };
    assert_eq!(declared_purposes(&bad), Err(Reason::PurposeMalformed));
}

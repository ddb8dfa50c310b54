//! Good tokens authenticate and say what they say, for exactly as long as they may.

mod support;

use Reason::TokenExpired;
use consentry_identity::{
    Assurance, Authenticator, AuthenticatorConfig, ConfigError, Issuer, IssuerError, KeySet, TokenSpec,
};
use consentry_model::{Identifier, Moment, Purpose, Reason, RequesterId, Space};
use support::{AUD, ISS, NOW, NOW_SECS, World, claims};

#[test]
fn no_line_is_no_token_and_no_error() {
    assert_eq!(World::new().authenticator.authenticate(&[], NOW), Ok(None));
}

#[test]
fn a_good_token_says_who_why_and_on_whose_behalf() {
    let world = World::new();
    let mut spec = TokenSpec::new(RequesterId::new("portal"), ISS, AUD);
    spec.purposes = vec![Purpose::new("marketing").unwrap(), Purpose::new("essential.service").unwrap()];
    spec.person = Some(Identifier::new(Space::new("customer"), "c-1017"));
    spec.assurance = Assurance::Substantial;
    spec.token_id = Some("t-1".to_owned());
    let line = format!("Bearer {}", world.issuer.token(&spec, NOW).unwrap());
    let read = world.authenticator.authenticate(&[line.as_bytes()], NOW).unwrap().unwrap();
    assert_eq!(read.requester, spec.requester);
    assert_eq!(read.ceilings[0].purposes, spec.purposes);
    assert_eq!(read.person, spec.person);
    assert_eq!(read.assurance, Assurance::Substantial);
    assert_eq!(read.expires, NOW.saturating_add_millis(300_000));
    assert_eq!(read.token_id.as_deref(), Some("t-1"));
    assert!(!format!("{read:?}").contains("c-1017"), "law 13");
}

#[test]
fn law_2_a_token_without_purposes_allows_none() {
    let world = World::new();
    let line = format!("Bearer {}", world.signed(&claims(&[])));
    let read = world.authenticator.authenticate(&[line.as_bytes()], NOW).unwrap().unwrap();
    assert!(!read.allow(|_| true));
    assert_eq!((&read.person, read.assurance, &read.token_id), (&None, Assurance::None, &None));
}

#[test]
fn an_unknown_level_of_assurance_is_none() {
    let world = World::new();
    for (acr, level) in [
        ("\"low\"", Assurance::Low),
        ("\"substantial\"", Assurance::Substantial),
        ("\"high\"", Assurance::High),
        ("\"none\"", Assurance::None),
        ("\"High\"", Assurance::None),
        ("\"highest\"", Assurance::None),
        ("\"2\"", Assurance::None),
        ("\"\"", Assurance::None),
    ] {
        let line = format!("Bearer {}", world.signed(&claims(&[("acr", Some(acr))])));
        let read = world.authenticator.authenticate(&[line.as_bytes()], NOW).unwrap().unwrap();
        assert_eq!(read.assurance, level, "{acr}");
    }
}

#[test]
fn a_claim_that_may_state_a_fact_is_kept_as_it_is_written() {
    let world = World::new();
    let said = claims(&[
        ("sub", Some("\"u-1\"")),
        ("acr", Some("\"gold\"")),
        ("purposes", Some("[\"marketing\",\"marketing\",\"sales\"]")),
        ("balance", Some("-7")),
        ("seats", Some("7")),
        ("staff", Some("true")),
        ("groups", Some("[\"a\",\"b\"]")),
        ("address", Some("{}")),
        ("least", Some("-9223372036854775809")),
        ("level", Some("[1]")),
        ("rate", Some("0.5")),
        ("zero", Some("-0")),
        ("nothing", Some("null")),
    ]);
    let line = format!("Bearer {}", world.signed(&said));
    let read = world.authenticator.authenticate(&[line.as_bytes()], NOW).unwrap().unwrap();
    let expected: [(&str, &[&str]); 9] = [
        ("aud", &[AUD]),
        ("client_id", &["newsletter"]),
        ("sub", &["u-1"]),
        ("acr", &["gold"]),
        ("purposes", &["marketing", "marketing", "sales"]),
        ("balance", &["-7"]),
        ("seats", &["7"]),
        ("staff", &["true"]),
        ("groups", &["a", "b"]),
    ];
    for (name, texts) in expected {
        assert_eq!(read.others[name], texts, "{name}");
    }
    let unreadable: Vec<&str> = read.unreadable.iter().map(String::as_str).collect();
    assert_eq!(unreadable, ["address", "least", "level", "rate", "zero"]);
    assert!(!read.others.contains_key("nothing"));
    assert_eq!(read.ceilings[0].purposes.len(), 2, "each once");
}

#[test]
fn law_11_the_edges_of_a_token_are_exact_to_the_millisecond() {
    let world = World::new();
    let keys = KeySet::from_jwks(&world.issuer.jwks()).unwrap();
    let nbf = NOW_SECS.to_string();
    let line = format!("Bearer {}", world.signed(&claims(&[("nbf", Some(&nbf))])));
    for (leeway_secs, after_now_millis, expected) in [
        (0, -1, Err(TokenExpired)),
        (0, 0, Ok(())),
        (0, 299_999, Ok(())),
        (0, 300_000, Err(TokenExpired)),
        (0, 300_001, Err(TokenExpired)),
        (5, -5_001, Err(TokenExpired)),
        (5, -5_000, Ok(())),
        (5, 304_999, Ok(())),
        (5, 305_000, Err(TokenExpired)),
    ] {
        let mut config = AuthenticatorConfig::new(keys.clone(), ISS, AUD);
        config.leeway_secs = leeway_secs;
        let authenticator = Authenticator::new(config).unwrap();
        let now = NOW.saturating_add_millis(after_now_millis);
        let read = authenticator.authenticate(&[line.as_bytes()], now);
        assert_eq!(
            read.as_ref().map(|_| ()).map_err(|e| e.reason()),
            expected,
            "{leeway_secs} {after_now_millis}"
        );
        if let Ok(Some(claims)) = read {
            assert!(
                now < claims.expires,
                "whoever ends a stream at `expires` ends no accepted token at once"
            );
        }
    }
    for never in [Moment::BEGINNING, Moment::from_unix_millis(i64::MAX)] {
        let refused = world.authenticator.authenticate(&[line.as_bytes()], never).unwrap_err();
        assert_eq!(refused.reason(), TokenExpired);
    }
}

#[test]
fn a_configuration_that_could_never_hold_is_refused() {
    let keys = KeySet::from_jwks(&Issuer::generate().unwrap().jwks()).unwrap();
    let with = |change: fn(&mut AuthenticatorConfig)| {
        let mut config = AuthenticatorConfig::new(keys.clone(), ISS, AUD);
        change(&mut config);
        Authenticator::new(config).err()
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|c| c.keys = KeySet::default()), Some(ConfigError::NoKeys));
    assert_eq!(with(|c| c.issuer.clear()), Some(ConfigError::Empty("issuer")));
    assert_eq!(with(|c| c.audience.clear()), Some(ConfigError::Empty("audience")));
    assert!(matches!(with(|c| c.leeway_secs = 6), Some(ConfigError::Range { name: "leeway_secs", .. })));
    for bytes in [0, 255, 65_537] {
        let mut config = AuthenticatorConfig::new(keys.clone(), ISS, AUD);
        config.token_bytes_max = bytes;
        let error = Authenticator::new(config).unwrap_err();
        assert!(matches!(error, ConfigError::Range { name: "token_bytes_max", .. }), "{error}");
    }
}

#[test]
fn an_issuer_reads_its_own_key_back_and_no_other_text() {
    let issuer = Issuer::generate().unwrap();
    let again = Issuer::from_pem(&issuer.to_pem()).unwrap();
    assert_eq!((again.jwks(), again.kid()), (issuer.jwks(), issuer.kid()));
    assert_ne!(Issuer::generate().unwrap().kid(), issuer.kid());
    let pem = issuer.to_pem();
    assert!(!format!("{issuer:?}").contains(pem.lines().nth(1).unwrap()));
    for wrong in [
        "",
        &pem.replace("PRIVATE", "PUBLIC"),
        &pem.replacen('M', "N", 1),
        &format!("{pem}{pem}"),
        include_str!("data/p256-private.pem"),
        include_str!("data/rsa-2048-private.pem"),
        include_str!("data/ed25519-public.pem"),
    ] {
        assert_eq!(Issuer::from_pem(wrong).err(), Some(IssuerError::Pem), "{wrong}");
    }
    let mut spec = TokenSpec::new(RequesterId::new("a"), ISS, AUD);
    for (lifetime_secs, now) in
        [(0, NOW), (-1, NOW), (i64::MAX, NOW), (253_402_300_800, NOW), (1, Moment::from_unix_millis(-1))]
    {
        spec.lifetime_secs = lifetime_secs;
        assert_eq!(issuer.token(&spec, now), Err(IssuerError::Lifetime), "{lifetime_secs}");
    }
}

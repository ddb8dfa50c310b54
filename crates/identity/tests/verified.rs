//! Verified tokens that are kept: the answer is the same as without, at every moment.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use consentry_identity::{Authenticator, AuthenticatorConfig, CacheCounts, Issuer, KeySet, Peer, TokenSpec};
use consentry_model::{Moment, Reason, RequesterId};
use proptest::prelude::*;
use support::{AUD, ISS, NOW, NOW_SECS, World, claims, p256, sign};

fn authenticator(world: &World, verified_tokens_max: usize, leeway_secs: u64) -> Authenticator {
    let mut config = AuthenticatorConfig::new(KeySet::from_jwks(&world.issuer.jwks()).unwrap(), ISS, AUD);
    (config.verified_tokens_max, config.leeway_secs) = (verified_tokens_max, leeway_secs);
    Authenticator::new(config).unwrap()
}

fn reason(authenticator: &Authenticator, line: &str, now: Moment) -> Result<(), Reason> {
    authenticator.authenticate(&[line.as_bytes()], now).map(|c| assert!(c.is_some())).map_err(|e| e.reason())
}

#[test]
fn law_11_a_kept_token_ends_to_the_millisecond() {
    let world = World::new();
    let nbf = (NOW_SECS - 10).to_string();
    let line = format!("Bearer {}", world.signed(&claims(&[("nbf", Some(&nbf))])));
    for leeway_secs in [0, 5] {
        let leeway = i64::try_from(leeway_secs).unwrap() * 1000;
        let kept = authenticator(&world, 64, leeway_secs);
        assert_eq!(reason(&kept, &line, NOW), Ok(()));
        for (after_now_millis, expected) in [
            (299_999 + leeway, Ok(())),
            (300_000 + leeway, Err(Reason::TokenExpired)),
            // A clock that is set back finds the token again, and not before its time.
            (0, Ok(())),
            (-10_000 - leeway, Ok(())),
            (-10_001 - leeway, Err(Reason::TokenExpired)),
        ] {
            let now = NOW.saturating_add_millis(after_now_millis);
            assert_eq!(reason(&kept, &line, now), expected, "{leeway_secs} {after_now_millis}");
        }
        assert_eq!(kept.cache_counts(), CacheCounts { hits: 5, misses: 1, held: 1 }, "each was kept");
    }
}

#[test]
fn law_1_what_did_not_verify_is_not_kept() {
    let world = World::new();
    let kept = authenticator(&world, 64, 0);
    let stranger = Issuer::generate().unwrap();
    let spec = TokenSpec::new(RequesterId::new("newsletter"), ISS, AUD);
    let forged = format!("Bearer {}", stranger.token(&spec, NOW).unwrap());
    let expired = format!("Bearer {}", world.signed(&claims(&[("exp", Some("1"))])));
    for (line, expected) in [
        (forged.as_str(), Reason::TokenInvalid),
        (expired.as_str(), Reason::TokenExpired),
        ("Bearer x", Reason::TokenMalformed),
    ] {
        for _ in 0..3 {
            assert_eq!(reason(&kept, line, NOW), Err(expected));
        }
    }
    assert_eq!(kept.cache_counts(), CacheCounts { hits: 0, misses: 9, held: 0 });
}

#[test]
fn law_1_another_authenticator_has_forgotten_every_token() {
    let world = World::new();
    let line = format!("Bearer {}", world.signed(&claims(&[])));
    let kept = authenticator(&world, 64, 0);
    assert_eq!(reason(&kept, &line, NOW), Ok(()));
    let other = Issuer::generate().unwrap();
    let config = AuthenticatorConfig::new(KeySet::from_jwks(&other.jwks()).unwrap(), ISS, AUD);
    assert_eq!(reason(&Authenticator::new(config).unwrap(), &line, NOW), Err(Reason::TokenInvalid));
}

/// What a transaction token of these tests says.
fn transaction() -> String {
    let members = [
        ("aud", Some("\"mesh\"")),
        ("client_id", None),
        ("iat", Some("1800000000")),
        ("txn", Some("\"t-1\"")),
        ("sub", Some("\"s-1\"")),
        ("scope", Some("\"marketing\"")),
    ];
    sign(r#"{"alg":"ES256","typ":"txntoken+jwt","kid":"p256"}"#, &claims(&members), &p256())
}

#[test]
fn law_1_what_was_believed_is_believed_as_long_as_its_keys_are() {
    let (world, other) = (World::new(), Issuer::generate().unwrap());
    let (line, transaction) = (format!("Bearer {}", world.signed(&claims(&[]))), transaction());
    let one = |jwks: &str| KeySet::from_jwks(jwks).unwrap();
    let both = |jwks: &str| one(jwks).with_pem("p256", include_str!("data/p256-public.pem")).unwrap();
    let with = |keys: KeySet, issuer: &str| {
        let mut config = AuthenticatorConfig::new(keys, issuer, AUD);
        (config.keys_age_secs_max, config.trust_domain) = (Some(60), Some("mesh".to_owned()));
        let made = Authenticator::new(config).unwrap();
        made.confirm_keys(NOW);
        made
    };
    let ours = world.issuer.jwks();
    // Another key that is called like ours: its own name is the beginning of the key itself, which stays.
    let called = |kid: &str| format!("\"kid\":\"{kid}\"");
    let renamed = other.jwks().replace(&called(other.kid()), &called(world.issuer.kid()));
    assert!(renamed.contains(other.kid()) && renamed.contains(world.issuer.kid()));
    let first = with(both(&ours), ISS);
    let (unknown, too_old) = (Err(Reason::TokenInvalid), Err(Reason::KeysUnavailable));
    for (name, keys, issuer, after_ms, of_token, of_both) in [
        ("nothing happened", both(&ours), ISS, 0, Ok(()), Ok(())),
        ("the keys are nearly too old", both(&ours), ISS, 60_000, Ok(()), Ok(())),
        ("the keys are too old", both(&ours), ISS, 60_001, too_old, too_old),
        ("the transaction's key is gone", one(&ours), ISS, 0, Ok(()), unknown),
        ("the token's key is gone", both(&other.jwks()), ISS, 0, unknown, unknown),
        ("another key by the same name", both(&renamed), ISS, 0, unknown, unknown),
        ("another issuer", both(&ours), "https://other.example", 0, unknown, unknown),
    ] {
        let (now, at) = (with(keys, issuer), NOW.saturating_add_millis(after_ms));
        for (what, shown, said) in [("token", None, of_token), ("both", Some(&transaction), of_both)] {
            let lines = |name: &str| match name {
                "authorization" => vec![line.as_bytes()],
                "txn-token" => shown.iter().map(|token| token.as_bytes()).collect(),
                _ => Vec::new(),
            };
            let claims = first.identify(&lines, &Peer::default(), NOW).unwrap().unwrap();
            let found = now.still_believes(&claims, at).map_err(|e| e.reason());
            assert_eq!(found, said, "{name}, {what}");
        }
    }
}

#[test]
fn law_1_keys_that_are_too_old_refuse_kept_tokens_too() {
    let world = World::new();
    let line = format!("Bearer {}", world.signed(&claims(&[])));
    let mut config = AuthenticatorConfig::new(KeySet::from_jwks(&world.issuer.jwks()).unwrap(), ISS, AUD);
    config.keys_age_secs_max = Some(60);
    let kept = Authenticator::new(config.clone()).unwrap();
    assert_eq!(reason(&kept, &line, NOW), Err(Reason::KeysUnavailable), "never confirmed");
    kept.confirm_keys(NOW);
    assert_eq!(reason(&kept, &line, NOW), Ok(()));
    assert_eq!(reason(&kept, &line, NOW.saturating_add_millis(60_000)), Ok(()));
    let late = NOW.saturating_add_millis(60_001);
    let error = kept.authenticate(&[line.as_bytes()], late).unwrap_err();
    assert!(error.reason() == Reason::KeysUnavailable && error.wants_newer_keys());
    kept.confirm_keys(late);
    assert_eq!(reason(&kept, &line, late), Ok(()));
    // A clock that was ahead and is set back: a little is no matter, and keys of a time to come would never grow old.
    for (ahead_ms, said) in [(0, Ok(())), (60_000, Ok(())), (60_001, Err(Reason::KeysUnavailable))] {
        let now = late.saturating_add_millis(-ahead_ms);
        assert_eq!(reason(&kept, &line, now), said, "{ahead_ms}");
    }
    // An older confirmation takes nothing back, and an empty set of keys may wait for its first one.
    kept.confirm_keys(NOW);
    assert_eq!(reason(&kept, &line, late), Ok(()));
    config.keys = KeySet::default();
    let empty = Authenticator::new(config).unwrap();
    assert_eq!(reason(&empty, &line, NOW), Err(Reason::KeysUnavailable));
    assert_eq!(reason(&empty, "Basic x", NOW), Err(Reason::TokenMissing));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in whatever order at whatever time: an authenticator that keeps tokens says what one says that
    /// keeps none.
    #[test]
    fn law_1_an_authenticator_that_keeps_tokens_says_the_same(
        steps in proptest::collection::vec((0..6_usize, -20_i64..320), 1..60),
    ) {
        thread_local!(static WORLD: (World, Vec<String>) = {
            let world = World::new();
            let nbf = (NOW_SECS - 5).to_string();
            let good = |id: &str| world.signed(&claims(&[("jti", Some(id)), ("nbf", Some(&nbf))]));
            let mut lines: Vec<String> =
                ["\"a\"", "\"b\"", "\"c\""].iter().map(|id| format!("Bearer {}", good(id))).collect();
            let mut cut = lines[0].clone();
            cut.pop();
            lines.extend([cut, format!("{}A", lines[1]), "Bearer a.b.c".to_owned()]);
            (world, lines)
        });
        WORLD.with(|(world, lines)| {
            let (kept, plain) = (authenticator(world, 64, 1), authenticator(world, 0, 1));
            for (which, secs) in steps {
                let now = NOW.saturating_add_millis(secs * 1000);
                let line = [lines[which].as_bytes()];
                prop_assert_eq!(kept.authenticate(&line, now), plain.authenticate(&line, now));
            }
            Ok(())
        })?;
    }
}

/// Prints what a token costs that was verified before, and one that was not. Only the order is asserted.
#[test]
fn a_kept_token_costs_less_than_a_verification() {
    let world = World::new();
    let line = format!("Bearer {}", world.signed(&claims(&[("purposes", Some("[\"marketing\"]"))])));
    let (kept, plain) = (authenticator(&world, 64, 0), authenticator(&world, 0, 0));
    assert_eq!(reason(&kept, &line, NOW), Ok(()));
    let time = |authenticator: &Authenticator| {
        let mut times: Vec<_> = (0..200)
            .map(|_| {
                let start = std::time::Instant::now();
                assert_eq!(reason(authenticator, &line, NOW), Ok(()));
                start.elapsed()
            })
            .collect();
        times.sort();
        times[100]
    };
    let (hit, miss) = (time(&kept), time(&plain));
    println!("a kept token: {hit:?}, a verification: {miss:?}, a token of {} bytes", line.len());
    assert!(hit < miss, "{hit:?} {miss:?}");
}

//! Hostile tokens are refused, each for its reason.

mod support;

use Reason::{TokenExpired, TokenInvalid, TokenMalformed, TokenMissing};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consentry_identity::Issuer;
use consentry_model::Reason;
use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use support::{NOW, NOW_SECS, World, claims, p256, rsa, sign};

/// Asserts what becomes of one `Authorization` line.
fn check(world: &World, name: &str, line: &[u8], expected: Result<(), Reason>) {
    let read = world.authenticator.authenticate(&[line], NOW);
    let outcome = read.as_ref().map(|claims| assert!(claims.is_some())).map_err(|error| error.reason());
    assert_eq!(outcome, expected, "{name}: {read:?}");
}

#[test]
fn each_kind_of_key_verifies_with_its_own_algorithm_only() {
    let world = World::new();
    let good = claims(&[]);
    let head = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
    let kid = world.issuer.kid();
    let public = include_bytes!("data/rsa-2048-public.pem");
    let hmac = (EncodingKey::from_secret(public), Algorithm::HS256);
    let jwks = serde_json::from_str::<serde_json::Value>(&world.issuer.jwks()).unwrap();
    let x = URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
    let hmac_ed = (EncodingKey::from_secret(&x), Algorithm::HS256);
    let stranger = Issuer::generate().unwrap();
    let forged = (EncodingKey::from_ed_pem(stranger.to_pem().as_bytes()).unwrap(), Algorithm::EdDSA);
    for (name, token, expected) in [
        ("ed25519", sign(&head("EdDSA", kid), &good, &world.ed()), Ok(())),
        ("p256", sign(&head("ES256", "p256"), &good, &p256()), Ok(())),
        ("rsa", sign(&head("RS256", "rsa"), &good, &rsa(Algorithm::RS256)), Ok(())),
        (
            "rsa with another hash",
            sign(&head("RS512", "rsa"), &good, &rsa(Algorithm::RS512)),
            Err(TokenInvalid),
        ),
        ("rsa-pss", sign(&head("PS256", "rsa"), &good, &rsa(Algorithm::PS256)), Err(TokenInvalid)),
        ("rsa-pss named rs", sign(&head("RS256", "rsa"), &good, &rsa(Algorithm::PS256)), Err(TokenInvalid)),
        ("hs256 with the public rsa key", sign(&head("HS256", "rsa"), &good, &hmac), Err(TokenInvalid)),
        ("the same, named rs256", sign(&head("RS256", "rsa"), &good, &hmac), Err(TokenInvalid)),
        ("hs256 with the public ed key", sign(&head("HS256", kid), &good, &hmac_ed), Err(TokenInvalid)),
        ("the same, named eddsa", sign(&head("EdDSA", kid), &good, &hmac_ed), Err(TokenInvalid)),
        ("key swapped", sign(&head("EdDSA", "p256"), &good, &world.ed()), Err(TokenInvalid)),
        ("algorithm swapped", sign(&head("ES256", kid), &good, &world.ed()), Err(TokenInvalid)),
        ("both swapped", sign(&head("ES256", "p256"), &good, &world.ed()), Err(TokenInvalid)),
        ("somebody else's key", sign(&head("EdDSA", kid), &good, &forged), Err(TokenInvalid)),
        ("unknown kid", sign(&head("EdDSA", "other"), &good, &world.ed()), Err(TokenInvalid)),
        ("empty kid", sign(&head("EdDSA", ""), &good, &world.ed()), Err(TokenInvalid)),
    ] {
        check(&world, name, format!("Bearer {token}").as_bytes(), expected);
    }
}

#[test]
fn law_1_hostile_headers_are_refused() {
    let world = World::new();
    let kid = world.issuer.kid();
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#;
    for (header, expected) in [
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), Ok(())),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#), Ok(())),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"application/at+jwt"}}"#), Ok(())),
        // A key that the token brings along, or says where to fetch, is no key; the key is the set's.
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","jwk":{jwk}}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","jku":"https://evil.example.com"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","x5u":"https://evil.example.com"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","x5c":["AAAA"]}}"#), Err(TokenInvalid)),
        (r#"{"alg":"EdDSA","kid":"../keys/other"}"#.to_owned(), Err(TokenInvalid)),
        (r#"{"alg":"EdDSA","kid":"/dev/null"}"#.to_owned(), Err(TokenInvalid)),
        (r#"{"alg":"EdDSA","kid":"' OR 1=1 --"}"#.to_owned(), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}\u0000"}}"#), Err(TokenInvalid)),
        // A token within the token, and encryption.
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","cty":"JWT"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"dir","enc":"A256GCM","kid":"{kid}"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":["b64"],"b64":false}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"txntoken+jwt"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"secevent+jwt"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt, jwt"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"none","kid":"{kid}"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"None","kid":"{kid}"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"eddsa","kid":"{kid}"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"","kid":"{kid}"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":["EdDSA"],"kid":"{kid}"}}"#), Err(TokenMalformed)),
        (format!(r#"{{"kid":"{kid}"}}"#), Err(TokenMalformed)),
        (r#"{"alg":"EdDSA"}"#.to_owned(), Err(TokenInvalid)),
        (r#"{"alg":"EdDSA","kid":7}"#.to_owned(), Err(TokenMalformed)),
        (r#"{"alg":"EdDSA","kid":null}"#.to_owned(), Err(TokenMalformed)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","kid":"{kid}"}}"#), Err(TokenMalformed)),
        (format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}"}}"#), Err(TokenMalformed)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":["exp"]}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":[]}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","b64":false}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","zip":"DEF"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"logout+jwt"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"dpop+jwt"}}"#), Err(TokenInvalid)),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":1}}"#), Err(TokenMalformed)),
        ("[]".to_owned(), Err(TokenMalformed)),
        ("EdDSA".to_owned(), Err(TokenMalformed)),
        (String::new(), Err(TokenMalformed)),
    ] {
        let token = sign(&header, &claims(&[]), &world.ed());
        check(&world, &header, format!("Bearer {token}").as_bytes(), expected);
    }
}

#[test]
fn law_1_hostile_claims_are_refused() {
    let world = World::new();
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let long = format!("\"{}\"", "a".repeat(201));
    let late = (NOW_SECS + 1).to_string();
    let ahead = (NOW_SECS + 61).to_string();
    let beyond = (NOW_SECS + 301).to_string();
    let now = NOW_SECS.to_string();
    let refused: &[(&str, Option<&str>, Reason)] = &[
        ("iss", None, TokenMalformed),
        ("iss", Some("\"https://evil.example.com\""), TokenInvalid),
        ("iss", Some("\"https://id.example.org/\""), TokenInvalid),
        ("iss", Some("\"\""), TokenInvalid),
        ("iss", Some("[\"https://id.example.org\"]"), TokenMalformed),
        ("aud", None, TokenMalformed),
        ("aud", Some("\"https://other.example.org\""), TokenInvalid),
        ("aud", Some("[\"https://api.example.org\"]"), TokenMalformed),
        ("aud", Some("[\"https://api.example.org\",\"https://other.example.org\"]"), TokenMalformed),
        ("exp", None, TokenMalformed),
        ("exp", Some("null"), TokenMalformed),
        ("exp", Some("\"1800000300\""), TokenMalformed),
        ("exp", Some("1800000300.0"), TokenMalformed),
        ("exp", Some("1.8e9"), TokenMalformed),
        ("exp", Some("-1"), TokenMalformed),
        ("exp", Some("253402300800"), TokenMalformed),
        ("exp", Some("18446744073709551615"), TokenMalformed),
        ("exp", Some("18446744073709551616"), TokenMalformed),
        ("exp", Some("1e400"), TokenMalformed),
        ("exp", Some("true"), TokenMalformed),
        ("exp", Some("0"), TokenExpired),
        ("exp", Some(&now), TokenExpired),
        // What marks an ID token, an event, or a transaction.
        ("nonce", Some("\"n\""), TokenInvalid),
        ("at_hash", Some("\"h\""), TokenInvalid),
        ("events", Some("{}"), TokenInvalid),
        ("tctx", Some("{}"), TokenInvalid),
        ("req_wl", Some("\"w\""), TokenInvalid),
        // A refresh token, a proof of possession, a credential that is shown in parts, one that may have been revoked
        // elsewhere, and one that somebody else acts with.
        ("token_use", Some("\"id\""), TokenInvalid),
        ("token_use", Some("null"), TokenInvalid),
        ("typ", Some("\"ID\""), TokenInvalid),
        ("typ", Some("\"Refresh\""), TokenInvalid),
        ("typ", Some("1"), TokenInvalid),
        ("htm", Some("\"GET\""), TokenInvalid),
        ("htu", Some("\"https://api.example.org\""), TokenInvalid),
        ("_sd", Some("[\"x\"]"), TokenInvalid),
        ("_sd_alg", Some("\"sha-256\""), TokenInvalid),
        ("vct", Some("\"x\""), TokenInvalid),
        ("status", Some("{\"status_list\":{\"idx\":0,\"uri\":\"https://x\"}}"), TokenInvalid),
        ("act", Some("{\"sub\":\"other\"}"), TokenInvalid),
        ("iat", Some(&ahead), TokenExpired),
        ("iat", Some(&beyond), TokenMalformed),
        ("iat", Some("253402300799"), TokenMalformed),
        ("iat", Some("253402300800"), TokenMalformed),
        ("iat", Some("\"yesterday\""), TokenMalformed),
        ("iat", Some("1800000000.0"), TokenMalformed),
        ("iat", Some("-5"), TokenMalformed),
        ("iat", Some("null"), TokenMalformed),
        ("nbf", Some(&late), TokenExpired),
        ("nbf", Some("\"0\""), TokenMalformed),
        ("nbf", Some("null"), TokenMalformed),
        ("nbf", Some("-1"), TokenMalformed),
        ("client_id", None, TokenMalformed),
        ("client_id", Some("\"\""), TokenMalformed),
        ("client_id", Some("\"a b\""), TokenMalformed),
        ("client_id", Some("\"a\\u0000\""), TokenMalformed),
        ("client_id", Some("[\"newsletter\"]"), TokenMalformed),
        ("client_id", Some(&long), TokenMalformed),
        ("purposes", Some("\"marketing\""), TokenMalformed),
        ("purposes", Some("null"), TokenMalformed),
        ("purposes", Some("[1]"), TokenMalformed),
        ("purposes", Some("[\"marketing\",null]"), TokenMalformed),
        ("purposes", Some("[\"Marketing\"]"), TokenMalformed),
        ("purposes", Some("[\"*\"]"), TokenMalformed),
        ("purposes", Some("[\"\"]"), TokenMalformed),
        ("purposes", Some("[\"marketing.\"]"), TokenMalformed),
        ("purposes", Some("[\"marketing analytics\"]"), TokenMalformed),
        ("purposes", Some("{\"marketing\":true}"), TokenMalformed),
        ("person", Some("\"c-1017\""), TokenMalformed),
        ("person", Some("null"), TokenMalformed),
        ("person", Some("{}"), TokenMalformed),
        ("person", Some("{\"space\":\"customer\"}"), TokenMalformed),
        ("person", Some("{\"space\":\"customer\",\"id\":\"\"}"), TokenMalformed),
        ("person", Some("{\"space\":\"customer\",\"id\":1017}"), TokenMalformed),
        ("person", Some("{\"space\":\"customer\",\"id\":\"c\\n\"}"), TokenMalformed),
        ("person", Some("{\"space\":\"\",\"id\":\"c-1017\"}"), TokenMalformed),
        ("person", Some("{\"space\":\"ann@example.org\",\"id\":\"c-1017\"}"), TokenMalformed),
        ("person", Some("{\"space\":\"customer\",\"id\":\"c-1017\",\"x\":1}"), TokenMalformed),
        ("person", Some("{\"space\":\"customer\",\"id\":\"a\",\"id\":\"b\"}"), TokenMalformed),
        ("acr", Some("2"), TokenMalformed),
        ("acr", Some("null"), TokenMalformed),
        ("jti", Some("1"), TokenMalformed),
        ("jti", Some("\"\""), TokenMalformed),
        ("cnf", Some("{\"jkt\":\"x\"}"), TokenInvalid),
        ("other", Some("{\"a\":1,\"a\":1}"), TokenMalformed),
        ("other", Some(&nested), TokenMalformed),
    ];
    for (name, value, reason) in refused {
        let token = world.signed(&claims(&[(name, *value)]));
        check(&world, &format!("{name}: {value:?}"), format!("Bearer {token}").as_bytes(), Err(*reason));
    }
}

#[test]
fn what_says_that_a_token_is_for_access_is_no_fault() {
    let world = World::new();
    // An issuer's clock may be a little ahead.
    let (now, soon) = (NOW_SECS.to_string(), (NOW_SECS + 60).to_string());
    for (name, value) in [
        ("typ", "\"Bearer\""),
        ("token_use", "\"access\""),
        ("iat", &*now),
        ("iat", &*soon),
        ("iat", "0"),
        ("may_act", "{}"),
    ] {
        let token = world.signed(&claims(&[(name, Some(value))]));
        check(&world, name, format!("Bearer {token}").as_bytes(), Ok(()));
    }
}

#[test]
fn law_1_claims_named_twice_or_not_an_object_are_refused() {
    let world = World::new();
    for twice in ["iss", "aud", "exp", "client_id"] {
        let good = claims(&[]);
        let member = serde_json::from_str::<serde_json::Value>(&good).unwrap()[twice].to_string();
        let text = format!("{},\"{twice}\":{member}}}", good.strip_suffix('}').unwrap());
        check(&world, &text, format!("Bearer {}", world.signed(&text)).as_bytes(), Err(TokenMalformed));
    }
    for text in ["", "[]", "null", "{", "{}x", "\"a\""] {
        check(&world, text, format!("Bearer {}", world.signed(text)).as_bytes(), Err(TokenMalformed));
    }
    check(&world, "good", format!("Bearer {}", world.signed(&claims(&[]))).as_bytes(), Ok(()));
}

#[test]
fn law_1_hostile_lines_are_refused() {
    let world = World::new();
    let token = world.signed(&claims(&[]));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, world.issuer.kid()));
    let long = format!("Bearer {}", "a".repeat(8193));
    let cut = &token[..token.len() - 1];
    for (line, expected) in [
        (format!("Bearer {token}"), Ok(())),
        (format!("bearer {token}"), Ok(())),
        (format!("BEARER {token}"), Ok(())),
        (String::new(), Err(TokenMalformed)),
        (" ".to_owned(), Err(TokenMalformed)),
        ("Bearer".to_owned(), Err(TokenMalformed)),
        ("Bearer ".to_owned(), Err(TokenMalformed)),
        (token.clone(), Err(TokenMalformed)),
        (format!(" Bearer {token}"), Err(TokenMalformed)),
        (format!("Bearer  {token}"), Err(TokenMalformed)),
        (format!("Bearer\t{token}"), Err(TokenMalformed)),
        (format!("Bearer {token} "), Err(TokenMalformed)),
        (format!("Bearer {token}\n"), Err(TokenMalformed)),
        (format!("Bearer {token},Bearer {token}"), Err(TokenMalformed)),
        (format!("Bearer {token} {token}"), Err(TokenMalformed)),
        (format!("Bearer: {token}"), Err(TokenMalformed)),
        (format!("Basic {token}"), Err(TokenMissing)),
        ("Basic YTpi".to_owned(), Err(TokenMissing)),
        (format!("DPoP {token}"), Err(TokenMissing)),
        (format!("BearerX {token}"), Err(TokenMissing)),
        ("Bearer .".to_owned(), Err(TokenMalformed)),
        ("Bearer ..".to_owned(), Err(TokenMalformed)),
        (format!("Bearer {message}"), Err(TokenMalformed)),
        (format!("Bearer {message}."), Err(TokenInvalid)),
        (format!("Bearer {none}.{body}."), Err(TokenInvalid)),
        (format!("Bearer {none}.{body}.{signature}"), Err(TokenInvalid)),
        (format!("Bearer {header}..{signature}"), Err(TokenInvalid)),
        (format!("Bearer .{body}.{signature}"), Err(TokenMalformed)),
        (format!("Bearer {token}.{signature}"), Err(TokenMalformed)),
        (format!("Bearer {token}."), Err(TokenMalformed)),
        (format!("Bearer {token}="), Err(TokenMalformed)),
        (format!("Bearer {token}=="), Err(TokenMalformed)),
        (format!("Bearer {cut}"), Err(TokenMalformed)),
        (format!("Bearer {header}.{body}.+/+/"), Err(TokenMalformed)),
        (format!("Bearer {header}.{body}.{}", "A".repeat(86)), Err(TokenInvalid)),
        (format!("Bearer {header}.{body}.AAAA"), Err(TokenInvalid)),
        (format!("Bearer {token}é"), Err(TokenMalformed)),
        (format!("Beärer {token}"), Err(TokenMalformed)),
        (long, Err(TokenMalformed)),
    ] {
        check(&world, &line, line.as_bytes(), expected);
    }
    check(&world, "bytes", b"Bearer \xff\xfe", Err(TokenMalformed));
    let line = format!("Bearer {token}");
    for two in [[line.as_bytes(), line.as_bytes()], [line.as_bytes(), b""], [b"", line.as_bytes()]] {
        let refused = world.authenticator.authenticate(&two, NOW).unwrap_err();
        assert_eq!(refused.reason(), TokenMalformed);
    }
}

#[test]
fn law_13_no_error_holds_anything_of_the_token() {
    let world = World::new();
    let secret = "zz-person-zz";
    for claims in [
        claims(&[("client_id", Some("\"zz-person-zz zz-person-zz\""))]),
        claims(&[("person", Some("{\"space\":\"zz-person-zz\",\"id\":\"\"}"))]),
        claims(&[("purposes", Some("[\"ZZ zz-person-zz\"]"))]),
        claims(&[("iss", Some("\"zz-person-zz\""))]),
        claims(&[("zz-person-zz", Some("1")), ("zz-person-zz", Some("2"))]),
    ] {
        let line = format!("Bearer {}", world.signed(&claims));
        let error = world.authenticator.authenticate(&[line.as_bytes()], NOW).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is changed in a valid token, it authenticates nobody.
    #[test]
    fn law_1_no_mutation_of_a_valid_token_authenticates(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        thread_local!(static WORLD: (World, String) = {
            let world = World::new();
            let token = world.signed(&claims(&[("purposes", Some("[\"marketing\"]"))]));
            (world, token)
        });
        WORLD.with(|(world, token)| {
            let mut bytes = token.clone().into_bytes();
            for (place, byte, edit) in edits {
                let at = place.index(bytes.len());
                match edit {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            prop_assume!(bytes != token.as_bytes());
            let line = [b"Bearer ".as_slice(), &bytes].concat();
            prop_assert!(world.authenticator.authenticate(&[&line], NOW).is_err());
            Ok(())
        })?;
    }

    /// Random lines neither authenticate nor panic.
    #[test]
    fn law_1_no_random_line_authenticates(line in proptest::collection::vec(any::<u8>(), 0..400)) {
        thread_local!(static WORLD: World = World::new());
        WORLD.with(|world| {
            prop_assert!(world.authenticator.authenticate(&[&line], NOW).is_err());
            Ok(())
        })?;
    }
}

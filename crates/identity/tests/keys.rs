//! Which keys are read, and how an error names the one that is not.

use consentry_identity::{KeyProblem, KeySet, KeySetError};

const ED: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

fn problem(text: &str) -> Option<KeyProblem> {
    match KeySet::from_jwks(text) {
        Err(KeySetError::Jwk { problem, .. }) => Some(problem),
        other => {
            assert!(other.is_ok(), "{other:?}");
            None
        }
    }
}

#[test]
fn law_1_only_public_keys_of_known_kinds_are_read() {
    // Every point of order 1, 2, 4 and 8, in every spelling: whoever knows no secret can sign for them.
    let small = [
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
        "7P_______________________________________38",
        "7P________________________________________8",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
        "7f_______________________________________38",
        "7v_______________________________________38",
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU",
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o",
    ];
    for x in small {
        let text = format!(r#"{{"keys":[{{"kid":"a","kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
        assert_eq!(problem(&text), Some(KeyProblem::Material), "{x}");
    }
    let n1024 = format!("{}c", "n".repeat(170));
    let n2048 = format!("{}Q", "n".repeat(341));
    for (members, expected) in [
        (format!(r#""kid":"a",{ED}"#), None),
        (format!(r#""kid":"a","alg":"EdDSA","use":"sig","key_ops":["verify"],{ED}"#), None),
        (format!(r#""kid":"a","kty":"RSA","e":"AQAB","n":"{n2048}""#), None),
        (ED.to_owned(), Some(KeyProblem::Member("kid"))),
        (format!(r#""kid":7,{ED}"#), Some(KeyProblem::Member("kid"))),
        (format!(r#""kid":"",{ED}"#), Some(KeyProblem::Kid)),
        (format!(r#""kid":"a b",{ED}"#), Some(KeyProblem::Kid)),
        (format!(r#""kid":"a","alg":"ES256",{ED}"#), Some(KeyProblem::Algorithm)),
        (format!(r#""kid":"a","alg":7,{ED}"#), Some(KeyProblem::Algorithm)),
        (format!(r#""kid":"a","use":7,{ED}"#), Some(KeyProblem::Use)),
        (format!(r#""kid":"a","key_ops":"verify",{ED}"#), Some(KeyProblem::Use)),
        (format!(r#""kid":"a","d":"AAAA",{ED}"#), Some(KeyProblem::Private)),
        (r#""kid":"a","kty":"oct","k":"AAAA""#.to_owned(), Some(KeyProblem::Private)),
        (format!(r#""kid":"a","use":"enc","d":"AAAA",{ED}"#), Some(KeyProblem::Private)),
        (r#""kid":"a""#.to_owned(), Some(KeyProblem::Member("kty"))),
        (r#""kid":"a","kty":"OKP","crv":"Ed25519""#.to_owned(), Some(KeyProblem::Member("x"))),
        (r#""kid":"a","kty":"OKP","x":"AAAA""#.to_owned(), Some(KeyProblem::Member("crv"))),
        (r#""kid":"a","kty":"OKP","crv":"Ed25519","x":"AAAA""#.to_owned(), Some(KeyProblem::Material)),
        (r#""kid":"a","kty":"OKP","crv":"Ed25519","x":"AAAA=""#.to_owned(), Some(KeyProblem::Material)),
        (
            r#""kid":"a","kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA""#.to_owned(),
            Some(KeyProblem::Material),
        ),
        (format!(r#""kid":"a","kty":"RSA","e":"AQAB","n":"{n1024}""#), Some(KeyProblem::RsaBits)),
        (r#""kid":"a","kty":"RSA","e":"AQAB","n":"""#.to_owned(), Some(KeyProblem::RsaBits)),
        (format!(r#""kid":"a","kty":"RSA","e":"AQ","n":"{n2048}""#), Some(KeyProblem::Material)),
        (format!(r#""kid":"a","kty":"RSA","e":"AQAA","n":"{n2048}""#), Some(KeyProblem::Material)),
        (
            format!(r#""kid":"a","kty":"RSA","crv":"P-256","e":"AQAB","n":"{n2048}""#),
            Some(KeyProblem::Algorithm),
        ),
    ] {
        assert_eq!(problem(&format!(r#"{{"keys":[{{{members}}}]}}"#)), expected, "{members}");
    }
}

#[test]
fn an_off_curve_point_is_no_key() {
    let off = "A".repeat(42) + "E";
    let text = format!(r#"{{"keys":[{{"kid":"a","kty":"EC","crv":"P-256","x":"{off}","y":"{off}"}}]}}"#);
    assert_eq!(problem(&text), Some(KeyProblem::Material));
}

#[test]
fn an_error_names_the_key_by_its_place_and_kid() {
    let twice = format!(r#"{{"keys":[{{"kid":"a",{ED}}},{{"kid":"a",{ED}}}]}}"#);
    let error = KeySet::from_jwks(&twice).unwrap_err();
    assert_eq!(error.to_string(), "key 2 (`a`): another key has the same `kid`");
    let nameless = format!(r#"{{"keys":[{{{ED}}}]}}"#);
    let error = KeySet::from_jwks(&nameless).unwrap_err();
    assert_eq!(error.to_string(), "key 1: `kid` is missing or not a text");
    let error = KeySet::default().with_pem("mine", "no pem").unwrap_err();
    assert_eq!(error.to_string(), "key `mine`: expected exactly one PEM block `PUBLIC KEY`");
}

#[test]
fn what_is_no_key_set_is_refused() {
    let twice = format!(r#"{{"keys":[{{"kid":"a","kid":"b",{ED}}}]}}"#);
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, &twice] {
        assert!(matches!(KeySet::from_jwks(text), Err(KeySetError::Document(_))), "{text}");
    }
}

#[test]
fn law_1_a_key_of_another_kind_freezes_nothing_and_verifies_nothing() {
    for other in [
        r#""kty":"EC","crv":"P-384","kid":"b","use":"sig","x":"AAAA","y":"AAAA""#,
        r#""kty":"OKP","crv":"Ed448","kid":"b","x":"AAAA""#,
        r#""kty":"OKP","crv":"X25519","kid":"b","x":"AAAA""#,
        r#""kty":"AKP","alg":"ML-DSA-44","kid":"b","pub":"AAAA""#,
        r#""kty":"oct","kid":"b""#,
        r#""kty":"RSA","use":"enc""#,
        r#""kty":"RSA","alg":"PS256","kid":"b","n":"AAAA","e":"AQAB""#,
        // Of 4104 and of 8192 bits: good keys, and longer than the verifier reads.
        &format!(r#""kty":"RSA","kid":"b","e":"AQAB","n":"{}""#, "n".repeat(684)),
        &format!(r#""kty":"RSA","kid":"b","e":"AQAB","n":"{}Q""#, "n".repeat(1365)),
        &format!(r#""kid":"b","alg":"HS256",{ED}"#),
        &format!(r#""kid":"b","use":"other",{ED}"#),
        &format!(r#""kid":"b","key_ops":["encrypt"],{ED}"#),
        // A key that is passed over takes nobody's name.
        r#""kty":"EC","crv":"P-521","kid":"a""#,
    ] {
        let beside = format!(r#"{{"keys":[{{{other}}},{{"kid":"a",{ED}}}]}}"#);
        assert_eq!(KeySet::from_jwks(&beside).map(|set| set.len()), Ok(1), "{other}");
        let alone = format!(r#"{{"keys":[{{{other}}}]}}"#);
        assert_eq!(KeySet::from_jwks(&alone).map(|set| set.len()), Ok(0), "{other}");
    }
    assert!(KeySet::from_jwks(r#"{"keys":[]}"#).unwrap().is_empty());
}

#[test]
fn law_1_only_one_public_key_block_is_read_from_pem() {
    let ed = include_str!("data/ed25519-public.pem");
    let p256 = include_str!("data/p256-public.pem");
    for (name, text, expected) in [
        ("ed25519", ed, None),
        ("p256", p256, None),
        ("rsa", include_str!("data/rsa-2048-public.pem"), None),
        ("short rsa", include_str!("data/rsa-1024-public.pem"), Some(KeyProblem::RsaBits)),
        ("p384", include_str!("data/p384-public.pem"), Some(KeyProblem::Algorithm)),
        ("secp256k1", include_str!("data/secp256k1-public.pem"), Some(KeyProblem::Algorithm)),
        ("private", include_str!("data/p256-private.pem"), Some(KeyProblem::Pem)),
        ("private rsa", include_str!("data/rsa-2048-private.pem"), Some(KeyProblem::Pem)),
        ("two", &format!("{ed}{p256}"), Some(KeyProblem::Pem)),
        ("text before", &format!("key:\n{ed}"), Some(KeyProblem::Pem)),
        ("other label", &ed.replace("PUBLIC KEY", "CERTIFICATE"), Some(KeyProblem::Pem)),
        ("empty", "", Some(KeyProblem::Pem)),
    ] {
        let read = match KeySet::default().with_pem("a", text) {
            Err(KeySetError::Pem { kid, problem }) => {
                assert_eq!(kid, "a");
                Some(problem)
            }
            Ok(set) => {
                assert_eq!(set.len(), 1);
                assert!(set.with_pem("a", text).is_err(), "the same name twice");
                None
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(read, expected, "{name}");
    }
}

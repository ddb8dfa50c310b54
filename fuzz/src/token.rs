//! The header `Authorization`: nothing authenticates but a token that the issuer signed, byte for byte.

use std::sync::OnceLock;

use consentry_identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet};
use consentry_model::Moment;
use consentry_tests::world::{AUDIENCE, ISSUER, TODAY, spec};

/// Where a signed token's line is put in.
const MARK: &[u8] = b"@token";

struct Place {
    authenticator: Authenticator,
    line: Vec<u8>,
}

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let issuer = Issuer::generate().unwrap();
        let keys = KeySet::from_jwks(&issuer.jwks()).unwrap();
        let authenticator = Authenticator::new(AuthenticatorConfig::new(keys, ISSUER, AUDIENCE)).unwrap();
        let token = issuer.token(&spec("support", &["essential.service"]), TODAY).unwrap();
        Place { authenticator, line: format!("Bearer {token}").into_bytes() }
    })
}

/// Reads the input's lines as the header's lines; `@token` stands for a good one, and what follows it changes it: two
/// bytes are a position and a mask.
pub fn run(data: &[u8]) {
    let place = place();
    let lines: Vec<Vec<u8>> = data.split(|b| *b == b'\n').map(|line| filled(line, &place.line)).collect();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let now = Moment::from_unix_millis(TODAY.unix_millis() + 1000);
    if let Ok(Some(claims)) = place.authenticator.authenticate(&lines, now) {
        assert!(matches!(lines[..], [only] if same(only, &place.line)), "a token that nobody signed");
        assert_eq!(claims.requester.as_str(), "support");
    }
}

fn filled(line: &[u8], token: &[u8]) -> Vec<u8> {
    let Some(changes) = line.strip_prefix(MARK) else { return line.to_vec() };
    let mut out = token.to_vec();
    for change in changes.chunks_exact(2) {
        let at = usize::from(change[0]) * out.len() / 256;
        out[at] ^= change[1];
    }
    out
}

/// The scheme's name is the same in any case, and blanks around it are none (RFC 9110, section 11.1).
fn same(line: &[u8], token: &[u8]) -> bool {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (line, token) = (text(line), text(token));
    match (line.split_once(' '), token.split_once(' ')) {
        (Some((a, one)), Some((b, other))) => a.eq_ignore_ascii_case(b) && one.trim_start() == other,
        _ => false,
    }
}

//! Everything by which a request says who calls, on whose behalf and why: a token, a transaction token, the headers of a
//! gateway, and the carriers of a purpose.

use std::net::IpAddr;
use std::sync::OnceLock;

use consentry_identity::{
    Assurance, Authenticator, AuthenticatorConfig, Carrier, Claims, Gateway, Issuer, KeySet, NamingHeaders,
    Network, Peer, declared_purposes,
};
use consentry_model::{Identifier, Moment, Proof, Purpose, RequesterId, Space};
use consentry_tests::world::{AUDIENCE, ISSUER, TODAY, spec};

/// Whom the token names, and on whose behalf.
const REQUESTER: &str = "support";
const PERSON: &str = "c-1";

struct Place {
    authenticator: Authenticator,
    line: String,
}

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let issuer = Issuer::generate().unwrap();
        let mut config =
            AuthenticatorConfig::new(KeySet::from_jwks(&issuer.jwks()).unwrap(), ISSUER, AUDIENCE);
        config.trust_domain = Some("example.org".to_owned());
        let person = Some(("x-person".to_owned(), Space::new("customer")));
        config.naming_headers = Some(NamingHeaders { requester: "x-requester".to_owned(), person });
        config.gateways = vec![Gateway {
            networks: vec![Network::parse("10.1.0.0/16").unwrap()],
            certificates: Vec::new(),
            requesters: [REQUESTER, "portal"].map(RequesterId::new).into(),
            purposes: vec![Purpose::new("essential").unwrap()],
            assurance: Assurance::Low,
        }];
        let mut claims = spec(REQUESTER, &["essential.service"]);
        claims.person = Some(Identifier::new(Space::new("customer"), PERSON));
        claims.assurance = Assurance::High;
        let line = format!("Bearer {}", issuer.token(&claims, TODAY).unwrap());
        Place { authenticator: Authenticator::new(config).unwrap(), line }
    })
}

/// The input's first line is the address of the peer, or none; every other is a header: its name, `:`, its value. `@token`
/// stands for the value of a good token's line.
pub fn run(data: &[u8]) {
    let place = place();
    let mut lines = data.split(|b| *b == b'\n');
    let address = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.parse::<IpAddr>().ok());
    let headers: Vec<(&[u8], &[u8])> = lines.filter_map(|line| header(line, &place.line)).collect();
    let of = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|(there, _)| *there == name.as_bytes()).map(|(_, value)| *value).collect()
    };
    let peer = Peer { address, certificate: None };
    let now = Moment::from_unix_millis(TODAY.unix_millis() + 1000);
    let said = place.authenticator.identify(&|name| of(name), &peer, now);
    let names = ["authorization", "txn-token", "x-requester", "x-person"].map(of);
    match said {
        Ok(Some(claims)) => {
            let once = place.authenticator.identify(&|name| of(name), &peer, now);
            assert_eq!(once.ok().flatten().as_ref(), Some(&claims), "the same says something else");
            named(&claims, &names, address, &place.line);
        }
        Ok(None) => assert!(names.iter().all(Vec::is_empty), "somebody was named, and nobody heard"),
        Err(_) => {}
    }
    if let Ok(declared) = declared_purposes(&|name| of(name)) {
        purposes(&declared, &of("data-purpose"), &of("baggage"));
    }
}

fn header<'a>(line: &'a [u8], token: &'a str) -> Option<(&'a [u8], &'a [u8])> {
    let colon = line.iter().position(|b| *b == b':')?;
    let value = line[colon + 1..].trim_ascii();
    Some((&line[..colon], if value == b"@token" { token.as_bytes() } else { value }))
}

/// Who turned out to call is whom everything that is there names.
fn named(claims: &Claims, names: &[Vec<&[u8]>; 4], address: Option<IpAddr>, token: &str) {
    let [authorization, transaction, requester, person] = names;
    assert!(transaction.is_empty(), "a transaction token that nobody signed");
    let text = |lines: &[&[u8]]| lines.first().map(|line| String::from_utf8(line.to_vec()).unwrap());
    let by_token = !authorization.is_empty();
    let by_header = !requester.is_empty() || !person.is_empty();
    assert!(by_token || by_header, "nobody was named, and somebody heard");
    let whose = claims.person.as_ref().map(|person| person.reveal().to_owned());
    if by_token {
        let (scheme, rest) = authorization[0].split_at(6);
        assert!(authorization.len() == 1 && scheme.eq_ignore_ascii_case(b"Bearer"), "not one token");
        assert_eq!(rest, &token.as_bytes()[6..], "a token that nobody signed");
        assert_eq!((claims.requester.as_str(), claims.proof), (REQUESTER, Proof::Token));
        assert_eq!((whose.as_deref(), claims.assurance), (Some(PERSON), Assurance::High));
    }
    if by_header {
        let network = Network::parse("10.1.0.0/16").unwrap();
        assert!(address.is_some_and(|address| network.contains(address)), "named by whoever may not");
        assert!(requester.len() == 1 && person.len() <= 1, "a header came twice");
        assert_eq!(text(requester).as_deref(), Some(claims.requester.as_str()));
        assert!(person.is_empty() || text(person) == whose, "another person");
    }
    if !by_token {
        assert_eq!(whose, text(person));
        let level = if person.is_empty() { Assurance::None } else { Assurance::Low };
        assert_eq!((claims.proof, claims.assurance), (Proof::Header, level));
    }
    assert_eq!(claims.ceilings.len(), usize::from(by_token) + usize::from(by_header), "a ceiling is gone");
}

/// Each carrier declares at most one purpose, and it stands there.
fn purposes(declared: &[(Purpose, Carrier)], header: &[&[u8]], baggage: &[&[u8]]) {
    for (purpose, carrier) in declared {
        let (lines, once) = match carrier {
            Carrier::Header => (header, header.len() == 1),
            Carrier::Baggage => (baggage, keys(baggage) == 1),
        };
        assert!(once, "one purpose of several: {carrier:?}");
        let stands = |line: &&[u8]| decoded(line).contains(purpose.as_str());
        assert!(lines.iter().any(stands), "a purpose that does not stand there: {purpose}");
    }
    let of = |wanted| declared.iter().filter(|(_, carrier)| *carrier == wanted).count();
    assert!(of(Carrier::Header) <= 1 && of(Carrier::Baggage) <= 1, "one carrier, two purposes");
    assert!(header.is_empty() || of(Carrier::Header) == 1, "a header that declares nothing");
}

/// How many members of baggage have our key, in whatever case.
fn keys(lines: &[&[u8]]) -> usize {
    let members = lines.iter().flat_map(|line| line.split(|b| *b == b','));
    let key = |member: &[u8]| member.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii().to_vec();
    members.filter(|member| key(member).eq_ignore_ascii_case(b"data-purpose")).count()
}

fn decoded(line: &[u8]) -> String {
    let mut out = Vec::new();
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

//! The configuration is strict, and tells everything that is wrong at once.

use std::path::Path;

use consentry_proxy::{Config, KeySource, ProxyLimits};

const GOOD: &str = "\
listen: 127.0.0.1:8080
admin: 127.0.0.1:9901
upstream: {url: 'http://127.0.0.1:3000'}
bundle: policy
ledger: ledger.db
evidence: evidence
identity: {issuer: i, audience: a, jwks: keys.json}
";

/// What is replaced in the good configuration, by what, and what is then said.
const WRONG: &[(&str, &str, &str)] = &[
    ("listen: 127.0.0.1:8080\n", "", "1:1: `listen` is missing"),
    ("127.0.0.1:8080", "localhost", "1:9: `listen` is an address and a port, such as 127.0.0.1:8080"),
    ("127.0.0.1:8080", "8080", "1:9: `listen` is a text, not a number"),
    ("127.0.0.1:8080", "''", "1:9: `listen` is empty"),
    ("127.0.0.1:8080", "127.0.0.1:9901", "1:9: `listen` and `admin` are the same address"),
    ("127.0.0.1:8080", "0.0.0.0:9901", "1:9: `listen` and `admin` are the same address"),
    ("127.0.0.1:8080", "127.0.0.1:3000", "`upstream.url` is the sidecar's own address"),
    ("http://127.0.0.1:3000", "http://localhost:8080", "3:11: `upstream.url` is the sidecar's own address"),
    ("http://127.0.0.1:3000", "http://LOCALHOST:9901", "`upstream.url` is the sidecar's own address"),
    ("http://127.0.0.1:3000", "http://0.0.0.0:9901", "`upstream.url` is the sidecar's own address"),
    ("127.0.0.1:8080", "0.0.0.0:3000", "`upstream.url` is the sidecar's own address"),
    ("127.0.0.1:8080", "'[::]:3000'", "`upstream.url` is the sidecar's own address"),
    (
        "bundle: policy",
        "bundle: policy\nrecipients: {a: {url: 'http://127.0.0.1:9'}, b: {url: 'http://127.0.0.1:8080'}}",
        "5:13: `recipients.url` is the sidecar's own address",
    ),
    (
        "admin: 127.0.0.1:9901",
        "tls_ended_by: 10.0.0.5 proxy",
        "2:15: `tls_ended_by` is one address or network or more, divided by spaces, such as 10.0.0.5",
    ),
    ("admin: 127.0.0.1:9901", "admin: null", "2:8: `admin` is a text, not nothing"),
    ("admin: 127.0.0.1:9901", "admin: [1]", "2:8: `admin` is a text, not a list"),
    ("listen:", "lissten:", "1:1: there is no option `lissten`; did you mean `listen`?"),
    (
        "http://127",
        "https://127",
        "3:17: `upstream.ca` is missing: the authorities that an https url is verified with",
    ),
    ("3000'}", "3000', ca: ca.pem}", "3:46: `upstream.ca` is for a url that begins with https"),
    (
        "http://127.0.0.1:3000'}",
        "https://a', ca: ca.pem, server_name: 'a b'}",
        "`upstream` is verified by a host name or an address, and a b is neither",
    ),
    ("3000'}", "3000', verify: false}", "there is no option `upstream.verify`"),
    ("bundle: policy", "bundle: policy\nrecipients: [a]", "5:13: `recipients` maps names to services"),
    (
        "bundle: policy",
        "bundle: policy\nrecipients: {acme: {url: 'ftp://a'}}",
        "`recipients.url` is not of the form",
    ),
    ("bundle: policy", "bundle: policy\ntls: {certificate: c.pem}", "`tls.key` is missing"),
    (
        "bundle: policy",
        "bundle: policy\ntls: {certificate: c, key: k, client_certificates: optional}",
        "`tls.client_certificates` needs `tls.client_ca`",
    ),
    (
        "bundle: policy",
        "bundle: policy\ntls: {certificate: c, key: k, client_ca: a, client_certificates: maybe}",
        "`tls.client_certificates` is `required` or `optional`",
    ),
    (
        "bundle: policy",
        "bundle: policy\ntls: {certificate: c, key: k}\ntls_ended_by: 10.0.0.5",
        "`tls` and `tls_ended_by` exclude each other",
    ),
    (
        "bundle: policy",
        "bundle: policy\ndangerous_report_only: GET /a",
        "5:24: `dangerous_report_only` is a list of texts, not a text",
    ),
    (
        "bundle: policy",
        "bundle: policy\ndangerous_report_only: [1]",
        "`dangerous_report_only` lists texts, not a number",
    ),
    ("bundle: policy", "bundle: policy\nreport_only: [a]", "there is no option `report_only`"),
    ("http://127", "ftp://127", "`upstream.url` is not of the form http://host:port"),
    ("http://127.0.0.1:3000", "127.0.0.1:3000", "`upstream.url` is not of the form http://host:port"),
    ("http://127.0.0.1:3000", "http://a/api", "`upstream.url` has a path, a query or a fragment"),
    ("http://127.0.0.1:3000", "http://a/?x=1", "`upstream.url` has a path, a query or a fragment"),
    ("http://127.0.0.1:3000", "http://u:p@a", "`upstream.url` holds a user name"),
    ("http://127.0.0.1:3000", "http://a:0", "`upstream.url` is not of the form http://host:port"),
    ("{url: 'http://127.0.0.1:3000'}", "http://a", "3:11: `upstream` is a mapping, not a text"),
    ("{url: 'http://127.0.0.1:3000'}", "{}", "`upstream.url` is missing"),
    ("3000'}", "3000', preserve_host: yes}", "`upstream.preserve_host` is true or false, not a text"),
    ("3000'}", "3000', tls: true}", "there is no option `upstream.tls`"),
    ("bundle: policy\n", "", "`bundle` is missing"),
    ("evidence: evidence", "evidence: policy", "`bundle`, `ledger` and `evidence` are three places"),
    (", jwks: keys.json", "", "7:11: `identity` has exactly one of `jwks`, `jwks_url` and `pem`"),
    ("jwks: keys.json", "jwks: k, pem: {k: f}", "`identity` has exactly one of `jwks`, `jwks_url` and `pem`"),
    ("bundle: policy", "bundle: policy\nevidence_key: evidence", "5:15: `evidence_key` is a file of its own"),
    (
        "bundle: policy",
        "bundle: policy\npseudonym_key: ledger.db",
        "5:16: `pseudonym_key` is a file of its own",
    ),
    (
        "bundle: policy",
        "bundle: policy\nevidence_key: k\npseudonym_key: k",
        "6:16: `pseudonym_key` is a file of its own",
    ),
    ("bundle: policy", "bundle: policy\nevidence_key: [k]", "5:15: `evidence_key` is a text, not a list"),
    ("jwks: keys.json", "pem: {}", "`identity.pem` names no key"),
    ("jwks: keys.json", "pem: keys.pem", "`identity.pem` maps each `kid` to a file, and is not a text"),
    ("issuer: i, ", "", "`identity.issuer` is missing"),
    ("jwks: keys.json", "jwks: k, jwks_url: 'https://a/k'", "exactly one of `jwks`, `jwks_url` and `pem`"),
    ("jwks: keys.json", "jwks: k, jwks_ca: f", "`identity.jwks_ca` is for `jwks_url`, and there is none"),
    (
        "jwks: keys.json",
        "jwks_url: 'http://id.example.org/k'",
        "begins with http, which is for this machine alone",
    ),
    ("jwks: keys.json", "jwks_url: 'ftp://a/k'", "`identity.jwks_url` is of the form https://host/path"),
    ("jwks: keys.json", "jwks_url: keys.json", "`identity.jwks_url` is of the form https://host/path"),
    ("jwks: keys.json", "jwks_url: 'https://u@a/k'", "`identity.jwks_url` holds a user name or a fragment"),
    ("jwks: keys.json", "jwks_url: 'https://a/k#x'", "`identity.jwks_url` holds a user name or a fragment"),
    (
        "jwks: keys.json",
        "jwks_url: 'https://a/k', jwks_age_secs_max: 300",
        "`identity.jwks_age_secs_max` is longer than `jwks_refresh_secs`",
    ),
    (
        "jwks: keys.json",
        "jwks: k, jwks_age_secs_max: 59",
        "`identity.jwks_age_secs_max` is 59, and must lie between",
    ),
    ("jwks: keys.json", "jwks: k, pem_age_secs_max: 60", "`identity.pem_age_secs_max` is for other keys"),
    ("jwks: keys.json", "pem: {k: f}, jwks_age_secs_max: 60", "here it is `pem_age_secs_max`"),
    (
        "jwks: keys.json}",
        "jwks: k, jwks_age_secs_max: 60}\nreload_poll_ms: 60000",
        "8:17: `reload_poll_ms` is shorter than keys may become old",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nlimits: {bundle_age_secs_max: 60}\nreload_poll_ms: 60000",
        "7:17: `reload_poll_ms` is shorter than a bundle may become old",
    ),
    (
        "jwks: keys.json",
        "jwks_url: 'http://localhost/k', jwks_ca: f",
        "`identity.jwks_ca` is for https, and `jwks_url` is of http",
    ),
    (
        "jwks: keys.json",
        "jwks: k, token_bytes_max: 65537",
        "`identity.token_bytes_max` is 65537, and must lie between 256 and 65536",
    ),
    (
        "jwks: keys.json",
        "jwks: k, verified_tokens_max: 2000000",
        "`identity.verified_tokens_max` is 2000000, and must lie between 0 and 1048576",
    ),
    (
        "jwks: keys.json",
        "jwks: k, certificates: a",
        "`identity.certificates` is a mapping of names, not a text",
    ),
    (
        "jwks: keys.json",
        "jwks: k, certificates: {app: {dns: a.internal}}",
        "`identity.certificates.<requester>.purposes` is missing",
    ),
    (
        "jwks: keys.json",
        "jwks: k, certificates: {app: {sha256: ab, purposes: a}}",
        "`identity.certificates.<requester>.sha256` is 64 hexadecimal digits",
    ),
    (
        "jwks: keys.json",
        "jwks: k, certificates: {app: {dns: a.internal, purposes: Marketing}}",
        "`identity.certificates.<requester>.purposes` is one purpose or more, divided by spaces",
    ),
    (
        "jwks: keys.json",
        "jwks: k, certificates: {app: {purposes: a}}",
        "7:11: `identity`: whoever is known by certificates has a name, a certificate and a purpose",
    ),
    (
        "jwks: keys.json",
        "jwks: k, certificates: {a: {dns: x.internal, purposes: a}, b: {dns: X.internal, purposes: a}}",
        "7:11: `identity`: a certificate's name stands for two",
    ),
    (
        "jwks: keys.json",
        "jwks: k, gateways: {g: {networks: 10.0.0.1/8, requesters: a, purposes: a}}",
        "`identity.gateways.<name>.networks` is one address or network or more",
    ),
    (
        "jwks: keys.json",
        "jwks: k, gateways: {g: {networks: 10.0.0.0/8, requesters: a, purposes: a, assurance: very}}",
        "`identity.gateways.<name>.assurance` is one of none, low, substantial and high",
    ),
    (
        "jwks: keys.json",
        "jwks: k, gateways: {g: {networks: 10.0.0.0/8, requesters: a, purposes: a}}",
        "7:11: `identity`: gateways need the headers in which they name requesters",
    ),
    (
        "jwks: keys.json",
        "jwks: k, naming_headers: {requester: Authorization}",
        "7:11: `identity`: a header that names somebody has a name of its own, in lower case",
    ),
    (
        "jwks: keys.json",
        "jwks: k, naming_headers: {requester: x-requester, person: x-person}",
        "`person` and `person_space` go together",
    ),
    (
        "jwks: keys.json",
        "jwks: k, leeway_secs: 6",
        "`identity.leeway_secs` is 6, and must lie between 0 and 5",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nlimits: {depth_max: 3}",
        "`limits.depth_max` is 3, and must lie between 4 and 256",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nlimits: {depth_max: -3}",
        "`limits.depth_max` is a whole number that is not negative",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nlimits: {depth_max: '64'}",
        "`limits.depth_max` is a number, not a text",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nlimits: {depth: 64}",
        "there is no option `limits.depth`; did you mean `depth_max`?",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\notlp: {endpoint: 'https://c'}",
        "`otlp.endpoint` is of the form http://host:port",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\notlp: {endpoint: 'http://ann:secret@c:4318'}",
        "`otlp.endpoint` is of the form http://host:port",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\notlp: {endpoint: 'http://c:4318/v1/traces'}",
        "`otlp.endpoint` is of the form http://host:port",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\notlp: {endpoint: 'http://c:4318?a=b'}",
        "`otlp.endpoint` is of the form http://host:port",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\notlp: {endpoint: 'http://c:4318/#a'}",
        "`otlp.endpoint` is of the form http://host:port",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nproblem_type_base: problems",
        "`problem_type_base` is a URI that ends in",
    ),
    (
        "ledger: ledger.db",
        "ledger: ledger.db\nreload_poll_ms: 0",
        "`reload_poll_ms` is 0, and must lie between 50 and 3600000",
    ),
    ("bundle: policy", "bundle: &p policy", "c.yaml:"),
    ("bundle: policy", "bundle: policy\nbundle: other", "c.yaml:"),
    ("bundle: policy", "bundle: 'policy", "c.yaml:"),
];

fn read(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/consentry/c.yaml")).map_err(|e| e.to_string())
}

#[test]
fn the_example_parses_and_says_the_defaults() {
    let config = read(include_str!("../config.example.yaml")).unwrap();
    assert_eq!(config.limits, ProxyLimits::default());
    let short = read(GOOD).unwrap();
    assert_eq!(short.identity.token_bytes_max, config.identity.token_bytes_max);
    assert_eq!((short.drain_secs_max, short.reload_poll_ms), (config.drain_secs_max, config.reload_poll_ms));
    assert_eq!(short.problem_type_base, config.problem_type_base);
    assert_eq!((short.admin, short.otlp), (config.admin, None));
    for keys in ["jwks: keys.json", "pem: {k: f}", "jwks_url: 'https://a/k'"] {
        let identity = read(&GOOD.replace("jwks: keys.json", keys)).unwrap().identity;
        assert_eq!(identity.keys_age_secs_max, 86_400, "{keys}");
    }
}

#[test]
fn the_example_says_the_range_of_every_number() {
    const TOO_MUCH: &str = "9223372036854775807";
    let example = include_str!("../config.example.yaml");
    let options = example.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut numbers = 0;
    for line in options {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if !value.starts_with(|c: char| c.is_ascii_digit()) || value.contains([':', '.']) {
            continue;
        }
        numbers += 1;
        let (value, range) = value.split_once("  # ").unwrap_or_else(|| panic!("{line}"));
        let (min, max) = range.split_once(" to ").unwrap_or_else(|| panic!("{line}"));
        let error = read(&example.replacen(line, &format!("{name}: {TOO_MUCH}"), 1)).unwrap_err();
        let said = format!("{}` is {TOO_MUCH}, and must lie between {min} and {max}", name.trim());
        assert!(error.lines().any(|problem| problem.ends_with(&said)), "{line}: {value}\n{error}");
    }
    assert!(numbers > 30, "{numbers}");
}

#[test]
fn relative_paths_start_at_the_configurations_folder() {
    let config = read(&GOOD.replace("ledger.db", "/var/ledger.db")).unwrap();
    assert_eq!(config.bundle, Path::new("/etc/consentry/policy"));
    assert_eq!(config.ledger, Path::new("/var/ledger.db"));
    assert_eq!(config.evidence_key, None);
    let elsewhere = read(&format!("{GOOD}evidence_key: keys/evidence\n")).unwrap();
    assert_eq!(elsewhere.evidence_key.as_deref(), Some(Path::new("/etc/consentry/keys/evidence")));
    assert_eq!(config.identity.keys, KeySource::Jwks("/etc/consentry/keys.json".into()));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (from, to, said) in WRONG {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(said), "{to:?} says\n{error}\nand not\n{said}");
        assert!(error.starts_with("/etc/consentry/c.yaml:"), "{error}");
    }
}

/// In a pod whoever listens on every address calls others on the same port.
#[test]
fn a_service_elsewhere_may_have_the_port_that_is_listened_on() {
    for (listen, url, good) in [
        ("0.0.0.0:8080", "http://10.0.0.7:8080", true),
        ("0.0.0.0:8080", "http://api.internal:8080", true),
        ("'[::]:8080'", "http://[2001:db8::7]:8080", true),
        ("10.0.0.5:8080", "http://10.0.0.7:8080", true),
        ("10.0.0.5:8080", "http://localhost:8080", true),
        ("10.0.0.7:8080", "http://10.0.0.7:8080", false),
        ("'[::ffff:10.0.0.7]:8080'", "http://10.0.0.7:8080", false),
        ("0.0.0.0:8080", "http://localhost:8080", false),
        ("0.0.0.0:8080", "http://0.0.0.0:8080", false),
        ("'[::]:8080'", "http://127.0.0.1:8080", false),
        ("127.0.0.1:8080", "http://0.0.0.0:8080", false),
    ] {
        let text = GOOD.replace("127.0.0.1:8080", listen).replace("http://127.0.0.1:3000", url);
        assert_eq!(read(&text).is_ok(), good, "{listen} calls {url}");
    }
}

#[test]
fn a_collector_may_be_written_with_a_slash() {
    for endpoint in ["http://c:4318", "http://c:4318/"] {
        assert!(read(&format!("{GOOD}otlp: {{endpoint: '{endpoint}'}}\n")).is_ok(), "{endpoint}");
    }
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_file() {
    let text = "listen: x\nupstream: {url: 'https://a'}\nbundel: p\nidentity: {}\n";
    let error = Config::parse(text, Path::new("c.yaml")).unwrap_err();
    let places: Vec<(u64, u64)> = error.problems().iter().map(|p| (p.line, p.column)).collect();
    assert!(places.is_sorted() && places.len() >= 8, "{error}");
}

#[test]
fn what_is_not_a_file_or_no_mapping_is_refused() {
    let error = Config::load(Path::new("/nonexistent/c.yaml")).unwrap_err();
    assert!(error.problems().is_empty());
    assert!(error.to_string().contains("the configuration cannot be read"), "{error}");
    for text in ["", "- a", "listen", "listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n"] {
        assert!(read(text).is_err(), "{text:?}");
    }
    assert!(read(&"#".repeat(300_000)).unwrap_err().contains("over 262144 bytes"));
}

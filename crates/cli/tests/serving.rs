//! Keys, tokens, configurations, and the demonstration.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::{consentry, fresh_bundle, path, run};

#[test]
fn a_key_signs_a_token_and_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    let made = run(&["keygen", "--key", path(&key)]);
    assert_eq!(made.code, 0, "{}", made.err);
    let jwks: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(jwks["keys"][0]["kty"], "OKP");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = run(&["keygen", "--key", path(&key)]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is there already; choose another name or remove it"), "{}", again.err);
    let fresh = dir.path().join("fresh.pem");
    assert_eq!(run(&["keygen", "--key", path(&fresh), "--jwks", path(&key)]).code, 1);
    assert!(!fresh.exists(), "neither is written when one is in the way");
    let bare = run(&["token", "--key", path(&key), "--requester", "support"]);
    assert!(bare.code == 0 && bare.err.contains("it carries no purpose"), "{}", bare.err);
    let missing = run(&["token", "--key", path(&fresh), "--requester", "support"]);
    assert!(missing.code == 2 && missing.err.contains("there is no such file"), "{}", missing.err);
    let token =
        run(&["token", "--key", path(&key), "--requester", "support", "--purpose", "essential.service"]);
    assert_eq!(token.code, 0, "{}", token.err);
    assert_eq!(token.out.trim_end().split('.').count(), 3);
    assert!(token.err.contains("development"), "{}", token.err);
}

#[test]
fn serve_says_what_is_wrong_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("consentry.yaml");
    fs::write(&file, "listen: 127.0.0.1:0\nadmn: 127.0.0.1:0\n").unwrap();
    for more in [&[][..], &["--check"]] {
        let said = run(&[&["serve", "--config", path(&file)], more].concat());
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        assert!(said.err.contains("consentry.yaml:2:1: "), "{}", said.err);
        let nowhere = dir.path().join("nowhere.yaml");
        let said = run(&[&["serve", "--config", path(&nowhere)], more].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        assert!(said.err.contains("nowhere.yaml"), "{}", said.err);
    }
}

#[test]
fn law_1_serve_does_not_start_with_a_bundle_that_is_not_sealed() {
    let bundle = fresh_bundle();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("consentry.yaml");
    let made = run(&[
        "keygen",
        "--key",
        path(&dir.path().join("key.pem")),
        "--jwks",
        path(&dir.path().join("keys.json")),
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    let config = format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: {{url: 'http://127.0.0.1:9'}}\nbundle: {}\nledger: ledger.db\n\
         evidence: evidence\nidentity: {{issuer: i, audience: a, jwks: keys.json}}\n",
        path(bundle.path())
    );
    fs::write(&file, config).unwrap();
    let check = run(&["serve", "--config", path(&file), "--check"]);
    assert_eq!(check.code, 1, "{}", check.err);
    assert!(check.err.contains("not sealed"), "{}", check.err);
    let said = run(&["serve", "--config", path(&file)]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("not sealed"), "{}", said.err);
}

#[test]
fn the_demonstration_shows_what_it_promises() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("demo");
    let said = run(&["demo", "--dir", path(&place)]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert!(said.out.lines().all(|l| l.chars().count() <= 120), "{}", said.out);
    assert!(said.out.lines().last().unwrap().starts_with("ok: "), "{}", said.out);
    assert!(said.out.contains("\nok: every record is as it was written\n"), "{}", said.out);
    let evidence = place.join("evidence");
    assert_eq!(run(&["audit", "verify", "--log", path(&evidence)]).code, 0);
    assert_eq!(run(&["demo", "--dir", path(&place)]).code, 1, "a folder that is not empty is left alone");
    another_bundle_would_have_decided_otherwise(&place);
    let config = place.join("consentry.yaml");
    serves_until_told_to_stop(&config, "info");
    law_13_no_setting_brings_a_request_into_the_logs(&config);
    assert_eq!(run(&["audit", "verify", "--log", path(&evidence)]).code, 0, "and again after a drain");
}

/// Payment data becomes visible to support, and addresses no longer are: the log says for which decisions that matters.
fn another_bundle_would_have_decided_otherwise(place: &Path) {
    let (old, log, new) = (place.join("bundle"), place.join("evidence"), tempfile::tempdir().unwrap());
    let impact = |new: &Path, more: &[&str]| {
        let said = run(&[&["impact", path(&old), path(new), "--evidence", path(&log)], more].concat());
        assert_eq!(said.err, "");
        said
    };
    let same = impact(&old, &[]);
    assert_eq!(same.code, 0, "{}", same.out);
    assert!(same.out.contains("decisions as before\n  0 decisions not replayable"), "{}", same.out);
    for file in fs::read_dir(&old).unwrap().map(Result::unwrap) {
        let text = fs::read_to_string(file.path()).unwrap();
        let text = match file.file_name().to_str().unwrap() {
            "rules.yaml" => without_the_rule(&text, "payment-data-for-payment-only").replace(
                "user.contact, user.account, user.telemetry, user.content.private]",
                "user.account, user.telemetry, user.content.private, user.financial]",
            ),
            _ => text,
        };
        fs::write(new.path().join(file.file_name()), text).unwrap();
    }
    let told = impact(new.path(), &[]);
    assert_eq!(told.code, 1, "{}", told.out);
    assert!(told.out.contains("decisions clear instead of withheld"), "{}", told.out);
    let report = impact(new.path(), &["--format", "json", "--accept-widening"]);
    assert_eq!(report.code, 0);
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    let changed = report.pointer("/evidence/changed").unwrap().as_array().unwrap();
    for (from, to, category) in
        [("withheld", "clear", "user.financial"), ("clear", "withheld", "user.contact.email")]
    {
        let change = changed.iter().find(|c| c["from"] == from && c["to"] == to).unwrap();
        let which = change["which"].as_array().unwrap();
        let of = |kind: &&serde_json::Value| kind["category"].as_str().unwrap().starts_with(category);
        let kind = which.iter().find(of).unwrap();
        let ticket = kind.pointer("/examples/0").unwrap().as_str().unwrap();
        let record = run(&["audit", "show", "--log", path(&log), ticket]);
        assert!(record.out.contains(kind["category"].as_str().unwrap()), "{}", record.out);
        let sum: u64 = which.iter().map(|kind| kind["decisions"].as_u64().unwrap()).sum();
        assert_eq!(change["decisions"], sum);
    }
}

/// The text of a file of rules without one of them.
fn without_the_rule(text: &str, id: &str) -> String {
    let begins = text.find(&format!("  - id: {id}\n")).unwrap();
    let rest = text.get(begins + 1..).unwrap();
    let ends = rest.find("\n  - id: ").unwrap();
    format!("{}{}", text.get(..begins).unwrap(), rest.get(ends + 1..).unwrap())
}

/// Whatever `RUST_LOG` asks of libraries that see requests, at the most talkative of them and by any name of theirs.
fn law_13_no_setting_brings_a_request_into_the_logs(config: &Path) {
    for asked in ["trace", "info,h2::server=debug", "info,h2::server[Connection]=trace,h2::proto=trace"] {
        let rest = serves_until_told_to_stop(config, asked);
        assert!(!rest.contains("planted"), "{asked}: {rest}");
    }
}

/// A request over HTTP/2 whose path cannot be read, which libraries tell whoever asks.
fn ask_for_what_cannot_be_read(listen: &str) {
    let field = |name: &str, value: &str| {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    let head = [
        field(":method", "GET"),
        field(":scheme", "http"),
        field(":authority", "a"),
        field(":path", "/planted path"),
    ]
    .concat();
    let length = u8::try_from(head.len()).unwrap();
    let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let headers: &[u8] = &[0, 0, length, 1, 5, 0, 0, 0, 1];
    let mut stream = TcpStream::connect(listen).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    stream.write_all(&[preface, settings, headers, &head].concat()).unwrap();
    // Its settings, the acknowledgement of ours, and that the stream is reset.
    let (mut came, mut part) = (Vec::<u8>::new(), [0; 256]);
    while !came.windows(9).any(|head| head == [0, 0, 4, 3, 0, 0, 0, 0, 1]) {
        let n = stream.read(&mut part).unwrap();
        assert_ne!(n, 0, "{came:?}");
        came.extend(part.iter().take(n));
    }
}

/// Serves and stops with this in `RUST_LOG`, and gives what was logged meanwhile.
fn serves_until_told_to_stop(config: &Path, rust_log: &str) -> String {
    let mut child = consentry()
        .args(["serve", "--config", path(config), "--log-format", "json"])
        .env("RUST_LOG", rust_log)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut logs = BufReader::new(child.stderr.take().unwrap());
    let line = loop {
        let mut line = String::new();
        assert_ne!(logs.read_line(&mut line).unwrap(), 0, "it never served");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        if line.pointer("/fields/message").is_some_and(|message| message == "serving") {
            break line;
        }
        assert_ne!(rust_log, "info", "the first line says so: {line}");
    };
    ask_for_what_cannot_be_read(line.pointer("/fields/listen").unwrap().as_str().unwrap());
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    logs.read_to_string(&mut rest).unwrap();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!((child.wait().unwrap().code(), out.as_str()), (Some(0), ""), "{rest}");
    rest
}

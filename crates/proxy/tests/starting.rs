//! What a first start makes, what it leaves alone when it is refused, and what it says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::path::Path;

use consentry_audit::{VerifyOptions, VerifyStatus, verify};
use consentry_consent::{Ledger as _, SqliteLedger};
use consentry_model::{ContractState, Identifier, LedgerEvent, Moment, Space};
use consentry_policy::{Sources, seal};
use consentry_proxy::{Config, ServeError, Sidecar, check};
use support::{PEOPLE, ask, behind, prepared, with_people};

/// A good place, with ledger and evidence in a folder that is not there, as in the example.
async fn fresh(more: &str) -> (tempfile::TempDir, Config) {
    let (upstream, _) = behind().await;
    let (folder, mut config) = prepared(upstream, more);
    config.ledger = folder.path().join("data/here/ledger.db");
    config.evidence = folder.path().join("data/here/evidence");
    (folder, config)
}

fn names(folder: &Path) -> Vec<String> {
    let name = |e: std::io::Result<fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

async fn refused(config: Config) -> String {
    let Err(error) = Sidecar::start(config).await else { panic!("it started") };
    assert!(matches!(error, ServeError::Parts(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn the_first_start_makes_the_folders_of_ledger_and_evidence() {
    let (folder, config) = fresh("").await;
    let running = Sidecar::start(config).await.unwrap();
    running.stop().await;
    assert!(folder.path().join("data/here/ledger.db").is_file());
    let report = verify(&folder.path().join("data/here/evidence"), &VerifyOptions::default());
    assert_eq!(report.status, VerifyStatus::Ok);
}

#[tokio::test]
async fn the_key_is_kept_where_it_is_said() {
    let (folder, config) = fresh("evidence_key: log.key").await;
    for _ in 0..2 {
        Sidecar::start(config.clone()).await.unwrap().stop().await;
    }
    assert!(folder.path().join("log.key").is_file());
    assert!(!folder.path().join("data/here/evidence/key").exists());
    fs::remove_file(folder.path().join("log.key")).unwrap();
    let said = refused(config).await;
    assert!(said.contains("log.key is missing; put it back: a log without its key"), "{said}");
}

#[tokio::test]
async fn law_1_what_is_refused_has_made_nothing() {
    type Damage = fn(&Path);
    let table: [(&str, &str, Damage, &str); 6] = [
        (
            "no bundle",
            "",
            |d| fs::remove_dir_all(d.join("policy")).unwrap(),
            "policy: there is no such folder",
        ),
        (
            "not sealed",
            "",
            |d| fs::remove_file(d.join("policy/bundle.lock")).unwrap(),
            "policy: the bundle is not sealed: it has no bundle.lock; run \"consentry seal DIR\"",
        ),
        (
            "no keys",
            "",
            |d| fs::remove_file(d.join("keys.json")).unwrap(),
            "keys.json: there is no such file",
        ),
        (
            "a file without a key",
            "",
            |d| fs::write(d.join("keys.json"), "{\"keys\":[]}").unwrap(),
            "no key on disk verifies",
        ),
        ("no folder for the key", "evidence_key: vault/log.key", |_| {}, "vault is not there"),
        ("a file in the way", "", |d| fs::write(d.join("data"), "").unwrap(), "data/here/ledger.db"),
    ];
    for (what, more, damage, said) in table {
        let (folder, config) = fresh(more).await;
        damage(folder.path());
        let before = names(folder.path());
        let error = refused(config).await;
        assert!(error.contains(said), "{what}: {error}");
        assert!(!error.contains("entity not found"), "{what}: {error}");
        assert_eq!(names(folder.path()), before, "{what}");
    }
}

#[tokio::test]
async fn law_1_no_ledger_is_made_where_the_folder_of_an_older_one_is_gone() {
    let (folder, mut config) = fresh("").await;
    config.evidence = folder.path().join("evidence");
    Sidecar::start(config.clone()).await.unwrap().stop().await;
    fs::remove_dir_all(folder.path().join("data")).unwrap();
    let said = refused(config).await;
    assert!(
        said.contains("its folder") && said.contains("is not there, while the evidence log is"),
        "{said}"
    );
    assert!(!folder.path().join("data").exists());
}

#[tokio::test]
async fn a_log_that_another_holds_is_named() {
    let (_folder, config) = fresh("").await;
    let running = Sidecar::start(config.clone()).await.unwrap();
    let said = refused(config.clone()).await;
    let expected = format!("evidence: another process holds the log in {}", config.evidence.display());
    assert_eq!(said, expected);
    running.stop().await;
}

#[tokio::test]
async fn a_check_reads_bundle_and_keys_and_touches_nothing() {
    let (folder, config) = fresh("").await;
    let before = names(folder.path());
    check(&config).await.unwrap();
    assert_eq!(names(folder.path()), before);
    fs::remove_file(folder.path().join("policy/bundle.lock")).unwrap();
    fs::write(folder.path().join("keys.json"), "{}").unwrap();
    let Err(ServeError::Parts(problems)) = check(&config).await else { panic!("it holds") };
    let parts: Vec<&str> = problems.iter().map(|p| p.part).collect();
    assert_eq!(parts, ["bundle", "identity"]);
    fs::write(folder.path().join("policy/bundle.yaml"), "bundle: {}\n").unwrap();
    seal(&folder.path().join("policy"), &Sources::read(&folder.path().join("policy")).unwrap()).unwrap();
    let error = check(&config).await.unwrap_err();
    assert!(error.to_string().contains("has errors"), "sealed does not mean good: {error}");
}

#[tokio::test]
async fn a_recipient_whom_the_bundle_does_not_register_is_told_at_the_start() {
    let more = "recipients: {mailer: {url: 'http://127.0.0.1:9'}, mailre: {url: 'http://127.0.0.1:9'}}";
    let (folder, config) = fresh(more).await;
    let _ = with_people(folder.path());
    let expected = "recipients: the bundle registers no recipient mailre";
    assert_eq!(check(&config).await.unwrap_err().to_string(), expected);
    assert_eq!(refused(config).await, expected);
    assert!(!folder.path().join("data").exists());
}

/// What `GET /people/ann` shows to a sidecar of this configuration.
async fn shown(folder: &Path, config: &Config, token: &str) -> String {
    let running = Sidecar::start(config.clone()).await.unwrap();
    let ledger = SqliteLedger::open(&config.ledger).await.unwrap();
    let ann = Identifier::new(Space::new("customer"), "ann");
    let now = Moment::from_system(std::time::SystemTime::now());
    let contract = LedgerEvent::Contract { state: ContractState::Active, effective: now };
    ledger.append(&ann, &[contract], now).await.unwrap();
    ledger.close().await;
    let bearer = format!("authorization: Bearer {token}\r\n");
    let (code, body) = ask(running.addr(), "/people/ann", &bearer).await;
    running.stop().await;
    assert_eq!(code, 200, "{body} in {}", folder.display());
    body
}

#[tokio::test]
async fn a_sidecar_gives_the_pseudonyms_that_rules_permit_and_the_same_after_a_restart() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "");
    let token = with_people(folder.path());
    let dir = folder.path().join("policy");
    let people = PEOPLE
        .replace("email: user.contact.email", "email: {is: user.contact.email, can: [clear, pseudonymised]}")
        .replace("data: user.contact,", "data: user.contact, as: pseudonymised,");
    fs::write(dir.join("people.yaml"), people).unwrap();
    seal(&dir, &Sources::read(&dir).unwrap()).unwrap();

    let beside = folder.path().join("ledger.db.pseudonyms");
    let first = shown(folder.path(), &config, &token).await;
    assert!(first.starts_with("{\"email\":\"ps_") && first.len() == "{\"email\":\"\"}".len() + 29, "{first}");
    assert_eq!(shown(folder.path(), &config, &token).await, first);
    // The key is the whole difference, wherever it is kept.
    let mut elsewhere = config.clone();
    elsewhere.pseudonym_key = Some(folder.path().join("codes.key"));
    assert_ne!(shown(folder.path(), &elsewhere, &token).await, first);
    fs::copy(&beside, folder.path().join("codes.key")).unwrap();
    assert_eq!(shown(folder.path(), &elsewhere, &token).await, first);
    fs::write(&beside, "not a key").unwrap();
    for said in [refused(config.clone()).await, check(&config).await.unwrap_err().to_string()] {
        assert!(said.starts_with("pseudonym_key: ") && said.ends_with("is not 32 bytes in base64"), "{said}");
    }
}

//! Bundles and keys that change on disk while the sidecar serves.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use consentry_audit::Entry;
use consentry_identity::Issuer;
use consentry_policy::{Sources, seal};
use consentry_proxy::Sidecar;
use serde_json::{Value, json};
use support::{
    ask, behind, get, install, prepared, records, stage, status, token_of, until, with_people, write,
};

/// Seals the bundle with a policy of a day to come.
fn put_off(dir: &Path) {
    let text = fs::read_to_string(dir.join("bundle.yaml")).unwrap();
    let (before, after) = text.split_once("from: ").unwrap();
    fs::write(dir.join("bundle.yaml"), format!("{before}from: 2999-01-01{}", &after[10..])).unwrap();
    seal(dir, &Sources::read(dir).unwrap()).unwrap();
}

#[tokio::test]
async fn law_1_whatever_is_not_a_good_sealed_bundle_changes_nothing() {
    type Damage = fn(&Path);
    let table: [(&str, Damage, &str); 6] = [
        (
            "of a policy that is not in force yet",
            put_off,
            "is in force from 2999-01-01T00:00:00Z on, and not yet",
        ),
        ("written and not sealed", |d| write(d, "v2"), "not as it was sealed"),
        (
            "cut at a line end",
            |d| {
                let text = fs::read_to_string(d.join("bundle.yaml")).unwrap();
                let half: String = text.lines().take(3).map(|l| format!("{l}\n")).collect();
                fs::write(d.join("bundle.yaml"), half).unwrap();
            },
            "not as it was sealed",
        ),
        ("no lock", |d| fs::remove_file(d.join("bundle.lock")).unwrap(), "not sealed"),
        (
            "half a lock",
            |d| fs::write(d.join("bundle.lock"), "{\"version\": 1, \"fil").unwrap(),
            "cannot be read as a lock",
        ),
        (
            "sealed and wrong",
            |d| {
                fs::write(d.join("more.yaml"), "rules: [{id: a, permit: no.such.purpose}]\n").unwrap();
                seal(d, &Sources::read(d).unwrap()).unwrap();
            },
            "has errors",
        ),
    ];
    let stage = stage("").await;
    let (addr, admin) = (stage.running.addr(), stage.running.admin_addr());
    let dir = stage.folder.path().join("policy");
    let first = status(admin).await["bundle"]["digest"].clone();
    for (what, damage, why) in table {
        damage(&dir);
        let page =
            until(admin, |s| s["bundle_refused"]["why"].as_str().is_some_and(|w| w.contains(why))).await;
        assert_eq!(page["bundle"]["digest"], first, "{what}");
        assert_eq!(get(addr, "/ping").await.0, 200, "{what}");
        drop(fs::remove_file(dir.join("more.yaml")));
        install(&dir, "v1");
        until(admin, |s| s["bundle_refused"] == Value::Null && s["bundle"]["digest"] == first).await;
    }
    stage.running.stop().await;
    let entries = records(&stage.folder.path().join("evidence"));
    let refused = entries.iter().filter(|e| matches!(e, Entry::PolicyRefused(_))).count();
    let installed = entries.iter().filter(|e| matches!(e, Entry::PolicyInstalled(_))).count();
    assert!(refused >= table.len(), "{refused}");
    assert_eq!(installed, 1);
}

#[tokio::test]
async fn a_good_sealed_bundle_comes_into_force_and_is_recorded() {
    let stage = stage("").await;
    let admin = stage.running.admin_addr();
    let before = status(admin).await["bundle"].clone();
    install(&stage.folder.path().join("policy"), "v2");
    let page = until(admin, |s| s["bundle"]["version"] == "v2").await;
    assert_ne!(page["bundle"]["digest"], before["digest"]);
    assert_eq!(get(stage.running.addr(), "/ping").await.0, 200);
    stage.running.stop().await;
    let versions: Vec<String> = records(&stage.folder.path().join("evidence"))
        .into_iter()
        .filter_map(|entry| if let Entry::PolicyInstalled(i) = entry { Some(i.version) } else { None })
        .collect();
    assert_eq!(versions, ["v1", "v2"]);
}

/// As Kubernetes mounts a `ConfigMap`: each file is a link into a folder behind a link, which is exchanged in one step.
#[tokio::test]
async fn a_bundle_behind_links_comes_into_force_when_they_lead_elsewhere() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "");
    let dir = folder.path().join("policy");
    fs::remove_dir_all(&dir).unwrap();
    fs::create_dir(&dir).unwrap();
    for name in ["bundle.yaml", "bundle.lock"] {
        symlink(Path::new("..data").join(name), dir.join(name)).unwrap();
    }
    let put = |version: &str| {
        let name = format!("..{version}.yaml");
        install(&dir.join(&name), version);
        symlink(&name, dir.join("..data_tmp")).unwrap();
        fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    };
    put("v1");
    let running = Sidecar::start(config).await.unwrap();
    let admin = running.admin_addr();
    assert_eq!(status(admin).await["bundle"]["version"], "v1");
    put("v2");
    until(admin, |s| s["bundle"]["version"] == "v2" && s["bundle_refused"] == Value::Null).await;
    assert_eq!(get(running.addr(), "/ping").await.0, 200);
}

#[tokio::test]
async fn a_bundle_that_is_still_there_gets_no_older() {
    let stage = stage("").await;
    let admin = stage.running.admin_addr();
    let first = status(admin).await["bundle"].clone();
    let later = until(admin, |s| s["bundle"]["confirmed_at"].as_str() > first["confirmed_at"].as_str()).await;
    assert_eq!(later["bundle"]["installed_at"], first["installed_at"]);
}

/// Nothing is wrong with what is on disk, and it says that the policy in force is the right one until that day.
#[tokio::test]
async fn a_bundle_of_a_day_to_come_lets_the_one_in_force_grow_no_older() {
    let stage = stage("").await;
    let admin = stage.running.admin_addr();
    put_off(&stage.folder.path().join("policy"));
    let first =
        until(admin, |s| s["bundle_refused"]["why"].as_str().is_some_and(|w| w.contains("not yet"))).await;
    let before = first["bundle"]["confirmed_at"].as_str().unwrap().to_owned();
    let later = until(admin, |s| s["bundle"]["confirmed_at"].as_str() > Some(&before)).await;
    assert_eq!(later["bundle"]["installed_at"], first["bundle"]["installed_at"]);
    assert_eq!(later["bundle_refused"], first["bundle_refused"]);
}

#[tokio::test]
async fn keys_are_taken_over_when_they_are_good() {
    let stage = stage("reload_poll_ms: 60000").await;
    let admin = stage.running.admin_addr();
    let keys = stage.folder.path().join("keys.json");
    fs::write(&keys, "{\"keys\": [").unwrap();
    stage.running.reload();
    until(admin, |s| s["keys_refused"]["why"].is_string()).await;
    fs::write(&keys, Issuer::generate().unwrap().jwks()).unwrap();
    stage.running.reload();
    until(admin, |s| s["keys_refused"] == Value::Null).await;
}

/// What a token of this issuer is answered about somebody.
async fn with_token_of(issuer: &Issuer, addr: SocketAddr) -> String {
    let (_, body) =
        ask(addr, "/people/ann", &format!("authorization: Bearer {}\r\n", token_of(issuer))).await;
    serde_json::from_str::<Value>(&body).unwrap()["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn law_1_a_key_that_is_no_longer_in_its_file_is_not_believed() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "");
    let _ = with_people(folder.path());
    let [old, new] = [(); 2].map(|()| Issuer::generate().unwrap());
    let file = folder.path().join("keys.json");
    fs::write(&file, old.jwks()).unwrap();
    let running = Sidecar::start(config).await.unwrap();
    let addr = running.addr();
    let mut both: Value = serde_json::from_str(&new.jwks()).unwrap();
    let other = json!({"kty": "EC", "crv": "P-384", "kid": "b", "use": "sig", "x": "AAAA", "y": "AAAA"});
    both["keys"].as_array_mut().unwrap().push(other);
    let (believed, not) = ("not-permitted", "token-invalid");
    for (what, text, expected) in [
        ("as at the start", old.jwks(), (believed, not)),
        ("none is left", "{\"keys\":[]}".to_owned(), (not, not)),
        ("again", old.jwks(), (believed, not)),
        ("another beside one of another kind", both.to_string(), (not, believed)),
    ] {
        fs::write(&file, text).unwrap();
        let mut said = (String::new(), String::new());
        for _ in 0..40 {
            said = (with_token_of(&old, addr).await, with_token_of(&new, addr).await);
            if (said.0.as_str(), said.1.as_str()) == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((said.0.as_str(), said.1.as_str()), expected, "{what}");
        assert_eq!(status(running.admin_addr()).await["keys_refused"], Value::Null, "{what}");
    }
    running.stop().await;
}

#[tokio::test]
async fn law_1_keys_grow_old_while_their_file_is_not_good() {
    let stage = stage("").await;
    let admin = stage.running.admin_addr();
    let file = stage.folder.path().join("keys.json");
    let good = fs::read_to_string(&file).unwrap();
    // The age as the page of readiness tells it.
    let age = async || {
        let (_, page) = get(admin, "/readyz").await;
        let page: Value = serde_json::from_str(&page).unwrap();
        let keys = page["parts"].as_array().unwrap().iter().find(|part| part["part"] == "keys").unwrap();
        keys["detail"].as_str().unwrap().split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    let private = good.replacen("\"x\"", "\"d\":\"AAAA\",\"x\"", 1);
    for bad in [None, Some("{\"keys\": ["), Some(&*private)] {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(age().await, 0, "it is found again and again");
        match bad {
            None => fs::remove_file(&file).unwrap(),
            Some(text) => fs::write(&file, text).unwrap(),
        }
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        assert!(age().await >= 1, "{bad:?}");
        fs::write(&file, &good).unwrap();
    }
}

#[tokio::test]
async fn law_1_without_its_folder_the_last_good_bundle_serves_up_to_its_age_and_then_nothing_does() {
    let stage = stage("limits: {bundle_age_secs_max: 10}").await;
    let (addr, admin) = (stage.running.addr(), stage.running.admin_addr());
    let dir = stage.folder.path().join("policy");
    let first = status(admin).await["bundle"].clone();
    assert_eq!((&first["age_secs_max"], &first["too_old"]), (&json!(10), &json!(false)));
    fs::rename(&dir, stage.folder.path().join("elsewhere")).unwrap();
    let gone = |s: &Value| s["bundle_refused"]["why"].as_str().is_some_and(|w| w.contains("no such folder"));
    let page = until(admin, gone).await;
    assert_eq!((&page["bundle"]["digest"], &page["bundle"]["too_old"]), (&first["digest"], &json!(false)));
    assert_eq!(get(addr, "/ping").await.0, 200);
    let asked = stage.asked.lock().unwrap().len();
    // The clock is the machine's: the age is waited for.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let page = until(admin, |s| s["bundle"]["too_old"] == true).await;
    assert_eq!(page["bundle"]["digest"], first["digest"]);
    assert!(page["bundle"]["age_secs"].as_i64() >= Some(10), "{page:#}");
    let (code, body) = get(addr, "/ping").await;
    assert_eq!((code, body.contains("bundle-unavailable")), (503, true), "{body}");
    assert_eq!(get(admin, "/readyz").await.0, 503);
    assert_eq!(stage.asked.lock().unwrap().len(), asked, "a refused request went on");
    // It comes back as it was.
    fs::rename(stage.folder.path().join("elsewhere"), &dir).unwrap();
    until(admin, |s| s["bundle"]["too_old"] == false && s["bundle_refused"] == Value::Null).await;
    assert_eq!(get(addr, "/ping").await.0, 200);
}

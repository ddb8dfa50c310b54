//! The example does what it says, and its self-test can fail.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use consentry_policy::{Bundle, Sources, seal};

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policy")
}

fn self_test(policy: Option<&Path>) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axum-example"));
    command.arg("--self-test");
    if let Some(policy) = policy {
        command.arg("--policy").arg(policy);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    (output, told)
}

/// A copy of the example's bundle in which one text is another, sealed again or not.
fn changed(file: &str, from: &str, to: &str, sealed: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(own()).unwrap() {
        let path = entry.unwrap().path();
        let mut text = std::fs::read_to_string(&path).unwrap();
        if path.ends_with(file) {
            assert!(text.contains(from));
            text = text.replace(from, to);
        }
        std::fs::write(folder.path().join(path.file_name().unwrap()), text).unwrap();
    }
    if sealed {
        seal(folder.path(), &Sources::read(folder.path()).unwrap()).unwrap();
    }
    folder
}

#[test]
fn the_self_test_passes() {
    let (output, told) = self_test(None);
    assert!(output.status.success(), "{told}");
    assert_eq!(told.matches("ok    ").count(), 9, "{told}");
    assert!(!told.contains("WRONG"), "{told}");
}

#[test]
fn the_self_test_fails_under_a_policy_that_shows_more() {
    let folder = changed("rules.yaml", "    as: truncated\n", "", true);
    let (output, told) = self_test(Some(folder.path()));
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.matches("WRONG").count(), 1, "{told}");
    assert!(told.contains("WRONG the desk asks for Ann"), "{told}");
}

#[test]
fn law_1_a_bundle_that_is_not_as_sealed_is_not_served() {
    let folder = changed("rules.yaml", "    as: truncated\n", "", false);
    let (output, told) = self_test(Some(folder.path()));
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("rules.yaml is not as it was sealed"), "{told}");
    assert!(!told.contains("ok    "), "{told}");
}

#[test]
fn an_unknown_option_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_axum-example")).arg("--unsafe").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: axum-example"));
}

#[tokio::test]
async fn every_case_of_the_bundle_holds() {
    let bundle = Bundle::load_sealed(&own()).unwrap();
    assert_eq!(bundle.warnings.counts(), (0, 0), "{}", bundle.warnings);
    let sources = Sources::read(&own()).unwrap();
    let results = consentry_proxy::rehearse(&bundle, &sources, |_| {}).await;
    assert_eq!(results.len(), 9);
    let failed: Vec<String> = results.iter().filter(|r| !r.holds()).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

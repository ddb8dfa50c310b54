//! The files in `deploy` call the command in words that it understands.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use std::fs;

use support::{path, run};

const UNIT: &str = include_str!("../../../deploy/consentry.service");
const IMAGE: &str = include_str!("../../../deploy/Containerfile");

/// Where both install the command, and where they look for its configuration.
const COMMAND: &str = "/usr/local/bin/consentry";
const CONFIGURATION: &str = "/etc/consentry/consentry.yaml";

/// The calls of the command in the unit, without its name.
fn of_unit() -> Vec<Vec<String>> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix("Exec")?.split_once('='));
    let calls = lines.filter_map(|(_, call)| call.strip_prefix(COMMAND));
    calls.map(|call| call.split_whitespace().map(str::to_owned).collect()).collect()
}

/// What the image calls the command with, when nobody says otherwise.
fn of_image() -> Vec<String> {
    let list = |key: &str| -> Vec<String> {
        let line = IMAGE.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        serde_json::from_str(line).unwrap()
    };
    assert_eq!(list("ENTRYPOINT "), [COMMAND]);
    list("CMD ")
}

/// A configuration that is wrong ends the command with 1; a word that it does not know is a mistake in the call, and 2.
#[test]
fn unit_and_image_call_the_command_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("consentry.yaml");
    fs::write(&wrong, "listen: nowhere\n").unwrap();
    let mut calls = of_unit();
    assert_eq!(calls.len(), 3, "it is checked, started and checked before a reload: {calls:?}");
    calls.push(of_image());
    for call in calls {
        assert!(call.iter().any(|word| word == CONFIGURATION), "{call:?}");
        let word = |word: &String| if word == CONFIGURATION { path(&wrong).to_owned() } else { word.clone() };
        let asked: Vec<String> = call.iter().map(word).collect();
        let said = run(&asked.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(said.code, 1, "{call:?}: {}", said.err);
        assert!(said.err.contains("`listen` is an address and a port"), "{call:?}: {}", said.err);
    }
}

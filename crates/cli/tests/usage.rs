//! The call itself: help, unknown words, colour, whoever stops reading.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use std::io::Read as _;
use std::process::Stdio;

use support::{consentry, fresh_bundle, path, run};

#[test]
fn help_says_what_there_is() {
    insta::assert_snapshot!("help", run(&["--help"]).out);
}

#[test]
fn every_command_has_a_help_with_examples() {
    let commands = [
        "check",
        "test",
        "clauses",
        "policy print",
        "explain",
        "seal",
        "init",
        "consent",
        "audit",
        "serve",
        "demo",
        "keygen",
        "token",
        "completions",
    ];
    for command in commands {
        let mut args: Vec<_> = command.split(' ').collect();
        args.push("--help");
        let said = run(&args);
        assert_eq!(said.code, 0, "{command}");
        assert!(said.out.contains("Examples:\n  consentry "), "{command}:\n{}", said.out);
        assert!(said.out.lines().all(|l| l.chars().count() <= 120), "{command} is too wide");
        let examples = said.out.lines().skip_while(|l| *l != "Examples:").take_while(|l| !l.is_empty());
        let mut before = "";
        for line in examples.skip(1) {
            let goes_on = before.ends_with('\\');
            assert_eq!(
                line.starts_with("      "),
                goes_on,
                "{command} breaks a line without saying so: {line}"
            );
            before = line;
        }
    }
}

#[test]
fn a_mistake_in_the_call_is_2_and_says_nothing_on_standard_output() {
    for args in [
        &["--colour"][..],
        &["chekc", "x"],
        &["check"],
        &["check", "/nowhere/at/all"],
        &["check", "x", "--format", "xml"],
        &["explain", "x"],
        &["consent", "show", "--ledger", "x", "--subject", "ann"],
        &["consent", "show", "--ledger", "/nowhere/ledger.db", "--subject", "customer:ann"],
        &["consent", "grant", "--ledger", "x", "--subject", "customer:a", "--purpose", "Marketing"],
        &["audit", "search", "--log", "x", "--reason", "because"],
        &["token", "--key", "/nowhere/key.pem", "--requester", "x"],
    ] {
        let said = run(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}: {}", said.err);
        assert!(said.err.contains("error"), "{args:?}: {}", said.err);
    }
}

#[test]
fn colour_is_for_terminals() {
    let bundle = fresh_bundle();
    let said = run(&["check", path(bundle.path())]);
    assert!(said.out.starts_with("ok "), "{}", said.out);
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'));
}

#[test]
fn whoever_stops_reading_gets_no_panic() {
    let bundle = fresh_bundle();
    for args in [
        &["policy", "print", path(bundle.path())][..],
        &["completions", "bash"],
        &["clauses", path(bundle.path())],
    ] {
        let mut child = consentry().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, err.as_str()), (Some(141), ""), "{args:?}");
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let said = run(&["completions", shell]);
        assert_eq!(said.code, 0);
        assert!(said.out.contains("explain") && said.out.contains("seal"), "{shell}");
    }
}

//! Every bundle in `policies/` can be loaded without a warning, and its rules compile under the strict schema.

use std::path::{Path, PathBuf};

use consentry_policy::{Bundle, ClauseStatus, Engine, ReadError};

fn folders() -> Vec<PathBuf> {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let entries = std::fs::read_dir(policies).unwrap();
    let mut folders: Vec<_> =
        entries.map(|e| e.unwrap().path()).filter(|p| p.join("bundle.yaml").is_file()).collect();
    folders.sort();
    folders
}

fn load(folder: &Path) -> Bundle {
    match Bundle::load(folder) {
        Ok(bundle) => bundle,
        Err(ReadError::Wrong(found)) => panic!("{}:\n{found}", folder.display()),
        Err(other) => panic!("{}: {other}", folder.display()),
    }
}

#[test]
fn every_bundle_loads_without_a_warning_and_compiles() {
    let folders = folders();
    assert!(!folders.is_empty());
    for folder in folders {
        let bundle = load(&folder);
        assert_eq!(bundle.warnings.counts(), (0, 0), "{}", bundle.warnings);
        Engine::new(bundle.clone()).unwrap();
        Engine::tempted(bundle).unwrap();
    }
}

#[test]
fn panopta_lists_every_clause_and_tells_what_became_of_it() {
    let folder = folders().into_iter().find(|f| f.ends_with("panopta")).unwrap();
    let bundle = load(&folder);
    let ids: Vec<String> = bundle.clauses.iter().map(|c| c.id.to_string()).collect();
    let expected: Vec<String> = (1..=26).map(|n| format!("panopta-{n:02}")).collect();
    assert_eq!(ids, expected);
    let with = |code: &str| -> Vec<&str> {
        bundle.clauses.iter().filter(|c| c.status.code() == code).map(|c| &c.id[8..]).collect()
    };
    assert_eq!(with("organisational"), ["01", "25", "26"]);
    assert_eq!(with("pending"), ["06", "11", "15", "22", "23", "24"]);
    assert_eq!(with("partly"), ["02", "04", "10", "20", "21"]);
    for clause in &bundle.clauses {
        let cases = bundle.cases.iter().filter(|c| c.clause == *clause.id).count();
        let organisational = matches!(clause.status, ClauseStatus::Organisational(_));
        assert_eq!(cases == 0, organisational, "{} has {cases} cases", clause.id);
    }
}

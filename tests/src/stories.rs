//! Shipped bundles and stories about them, played through the real layer.

use std::path::PathBuf;

use consentry_policy::{Bundle, Case, CaseOutcome, Sources};
use consentry_proxy::{CaseResult, rehearse};

use crate::repo::root;

/// The shipped bundles.
pub const BUNDLES: [&str; 5] = ["panopta", "panoptics", "zabbix", "practicepanther", "contactmonkey"];

/// The files of a shipped bundle, and of what a test puts beside them.
///
/// # Panics
/// When they cannot be read.
#[must_use]
pub fn sources(bundle: &str, beside: &str) -> Sources {
    let folder: PathBuf = root().join("policies").join(bundle);
    let files = Sources::read(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    if beside.is_empty() {
        return files;
    }
    Sources::from_texts(files.iter().chain([("beside.yaml", beside)]))
}

/// Loads a bundle with those of its cases that are wanted.
///
/// # Panics
/// When it does not load.
#[must_use]
pub fn bundle(sources: &Sources, wanted: impl Fn(&Case) -> bool) -> Bundle {
    let mut bundle = Bundle::read(sources).unwrap_or_else(|found| panic!("{}", found.render(false)));
    bundle.cases.retain(wanted);
    bundle
}

/// Plays the cases of a bundle through the real layer: each against the outcome that it names, with every list.
///
/// # Panics
/// When nothing can be run.
#[must_use]
pub fn play(bundle: &Bundle, sources: &Sources) -> Vec<CaseResult> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(rehearse(bundle, sources, |_| {}))
}

/// An outcome in the words of a case.
#[must_use]
pub fn outcome(case: &Case) -> String {
    match &case.then {
        CaseOutcome::Allow => "allow".to_owned(),
        CaseOutcome::Redact => "redact".to_owned(),
        CaseOutcome::Refuse(reason) => format!("refuse {reason}"),
        CaseOutcome::LoadError(code) => format!("load error {code}"),
    }
}

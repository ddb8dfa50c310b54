//! Every bundle in `policies/` can be loaded without a warning, and its rules compile under the strict schema.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use std::path::{Path, PathBuf};

use consentry_model::{Act, ClassId, FactType, Moment, Purpose, RecipientId, RequesterId, Treatment};
use consentry_policy::{Bundle, ClauseStatus, DataClass, Engine, Person, Question, ReadError};

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

/// The clauses of each policy: how many, and how many of them are enforced, partly enforced, organisational.
const CLAUSES: [(&str, usize, [usize; 3]); 5] = [
    ("contactmonkey", 28, [14, 6, 8]),
    ("panopta", 26, [16, 7, 3]),
    ("panoptics", 147, [80, 42, 25]),
    ("practicepanther", 52, [31, 12, 9]),
    ("zabbix", 35, [21, 8, 6]),
];

#[test]
fn every_clause_of_every_policy_is_listed_once_and_none_is_pending() {
    let names: Vec<_> =
        folders().iter().map(|f| f.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, CLAUSES.map(|(name, ..)| name));
    for (folder, (name, count, by_status)) in folders().iter().zip(CLAUSES) {
        let bundle = load(folder);
        let mut ids: Vec<String> = bundle.clauses.iter().map(|c| c.id.to_string()).collect();
        ids.sort_by_key(|id| id.rsplit('-').next().unwrap().parse::<usize>().unwrap());
        // Numbers of two digits at least, as the documents' inventories write them; the first may be zero.
        let first = ids[0].rsplit('-').next().unwrap().parse::<usize>().unwrap();
        let expected: Vec<String> = (first..first + count).map(|n| format!("{name}-{n:02}")).collect();
        assert_eq!(ids, expected);
        let with = |code: &str| bundle.clauses.iter().filter(|c| c.status.code() == code).count();
        assert_eq!([with("enforced"), with("partly"), with("organisational")], by_status, "{name}");
        assert_eq!(with("pending"), 0, "{name}");
        for clause in &bundle.clauses {
            let cases = bundle.cases.iter().filter(|c| c.clause == *clause.id).count();
            let organisational = matches!(clause.status, ClauseStatus::Organisational(_));
            assert_eq!(cases == 0, organisational, "{} has {cases} cases", clause.id);
            assert!(!clause.fingerprint.is_empty(), "{} rests on no sentence", clause.id);
        }
    }
}

/// A question that no case can ask, because no route of the bundle describes it: only the rules can be asked.
fn panopta_decides(
    requester: &str,
    recipient: &str,
    act: Act,
    purpose: &str,
    of: &str,
    category: &str,
) -> Treatment {
    let folder = folders().into_iter().find(|f| f.ends_with("panopta")).unwrap();
    // A prohibition must hold even beside a rule that permits everything.
    let engine =
        if recipient == "internal" { Engine::new(load(&folder)) } else { Engine::tempted(load(&folder)) };
    let engine = engine.unwrap();
    let (bundle, mut facts) = (engine.bundle(), engine.facts());
    let core = &bundle.facts.core;
    // Somebody of whom everything is known, and nothing of it is so.
    for (id, def) in bundle.facts.schema.iter().filter(|(_, def)| def.ty == FactType::Bool) {
        facts.set_bool(id, def.name.ends_with(".told"));
    }
    for id in core.consent.into_iter().chain([core.said_no, core.erased, core.restricted, core.own, core.gpc])
    {
        facts.set_bool(id, false);
    }
    let here = |class: &&DataClass| class.subject_type.as_str() == of && class.category.as_str() == category;
    let at = bundle.service.classes.iter().position(|class| here(&class)).unwrap();
    let question = Question {
        requester: RequesterId::new(requester),
        recipient: RecipientId::new(recipient),
        act,
        purpose: Purpose::new(purpose).unwrap(),
        class: ClassId(u16::try_from(at).unwrap()),
    };
    let now = Moment::from_unix_millis(1_800_000_000_000);
    engine.decide(&question, &facts, Person::ANONYMOUS, now).treatment
}

#[test]
fn panopta_publishes_nobodys_monitoring_and_lets_its_session_cookie_be() {
    for (requester, recipient, act, purpose, of, category, treatment) in [
        (
            "anyone",
            "public",
            Act::Disclose,
            "analytics.reporting.system",
            "customer",
            "user.telemetry",
            Treatment::Withheld,
        ),
        (
            "anyone",
            "public",
            Act::Disclose,
            "essential.service",
            "customer",
            "user.telemetry",
            Treatment::Withheld,
        ),
        (
            "anyone",
            "internal",
            Act::Collect,
            "essential.service.authentication",
            "visitor",
            "user.device.cookie",
            Treatment::Clear,
        ),
        (
            "anyone",
            "internal",
            Act::Collect,
            "essential.service.authentication",
            "anonymous_user",
            "user.device.cookie",
            Treatment::Withheld,
        ),
        (
            "support",
            "internal",
            Act::Collect,
            "essential.service.authentication",
            "customer",
            "user.device.cookie",
            Treatment::Clear,
        ),
    ] {
        let found = panopta_decides(requester, recipient, act, purpose, of, category);
        assert_eq!(found, treatment, "{requester} as {recipient} for {purpose} on {category} of {of}");
    }
}

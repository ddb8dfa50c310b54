//! The house's own rules, kept by a machine. No network, no services; only the files of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Package};
use consentry_tests::{functions, modules, read, root, skip, tracked, under, without_tests, workspace};

/// Which crate depends on which, as ARCHITECTURE.md draws it. `?` may be left out.
const ARROWS: &str = "
model     ->
identity  -> model
policy    -> model
consent   -> model
body      -> model
audit     -> model
layer     -> identity, policy, consent, body, audit, model
proxy     -> layer, identity, policy, consent, audit, model
consentry -> layer, identity, policy, consent, audit, model
cli       -> proxy, policy, consent, identity, audit, model, legacy-api
";

/// Heavy third parties, and the crates that keep them from all others.
const WALLS: &[(&[&str], &[&str])] = &[
    (&["jsonwebtoken", "x509-cert"], &["identity"]),
    (&["cedar-policy", "cedar-policy-core", "cedar-policy-symcc", "serde-saphyr"], &["policy"]),
    (&["sqlx", "rusqlite", "libsqlite3-sys"], &["consent"]),
    (
        &["flate2", "brotli", "brotli-decompressor", "ruzstd", "zstd", "async-compression", "simd-json"],
        &["body"],
    ),
    (&["opentelemetry", "opentelemetry_sdk", "opentelemetry-otlp", "tracing-opentelemetry"], &["audit"]),
    (&["ed25519-dalek"], &["audit"]),
    // The facade's README example shows a tower service.
    (&["tower", "tower-layer", "tower-service", "http-body"], &["layer", "proxy", "consentry"]),
    // The command's demo calls the sidecar as any client would.
    (&["hyper", "hyper-util"], &["proxy", "cli"]),
    (&["hyper-rustls", "rustls", "tokio-rustls", "webpki-roots"], &["proxy"]),
    (&["axum", "askama", "maud"], &["console"]),
    (&["clap", "clap_complete"], &["cli"]),
];

/// The laws and the reading rules: what a test's name begins with, and how many there are. Each has tests.
const NUMBERED: [(&str, u8); 2] = [("law_", 14), ("reading_rule_", 13)];

/// A source file with its tests, and without them; a function.
const FILE_LINES_MAX: usize = 600;
const FILE_LINES_WITHOUT_TESTS_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Members that no user's build contains, and that may therefore depend on anything and choose their lints.
const OUTSIDE: &[&str] = &["tests", "benches", "fuzz", "xtask", "examples"];

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[track_caller]
fn none(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}

/// The name that the arrows use.
fn short(package: &str) -> &str {
    package.strip_prefix("consentry-").unwrap_or(package)
}

fn folder(package: &Package) -> PathBuf {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap().strip_prefix(root()).unwrap().to_path_buf()
}

fn is_outside(package: &Package) -> bool {
    OUTSIDE.iter().any(|outside| folder(package).starts_with(outside))
}

fn arrows(text: &str) -> Arrows {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = |line: &str| {
        let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in `{line}`"));
        let to = to.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "nothing");
        (from.trim().to_owned(), to.map(str::to_owned).collect())
    };
    lines.map(read).collect()
}

#[test]
fn the_arrows_are_those_of_the_manifests() {
    let workspace = workspace();
    let members: BTreeSet<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    let mut expected = arrows(ARROWS);
    let mut problems = Vec::new();
    for package in workspace.packages.iter().filter(|package| !is_outside(package)) {
        let name = short(&package.name);
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        let found: BTreeSet<&str> =
            normal.map(|d| d.name.as_str()).filter(|d| members.contains(d)).map(short).collect();
        let Some(expected) = expected.remove(name) else {
            problems.push(format!("{name} is not in the table"));
            continue;
        };
        for one in &found {
            if !expected.contains(*one) && !expected.contains(&format!("{one}?")) {
                problems.push(format!("{name} -> {one} is not in the table"));
            }
        }
        for one in expected.iter().filter(|one| !one.ends_with('?') && !found.contains(one.as_str())) {
            problems.push(format!("{name} -> {one} is in the table only"));
        }
    }
    problems.extend(expected.keys().map(|name| format!("{name} is in the table only")));
    none("crates depend on each other as the table says", &problems);
}

#[test]
fn the_arrows_are_those_of_the_architecture() {
    if !root().join("ARCHITECTURE.md").exists() {
        return skip("tidy::the_arrows_are_those_of_the_architecture", "ARCHITECTURE.md is not written yet");
    }
    let text = read("ARCHITECTURE.md");
    let block = text.split_once("```arrows\n").and_then(|(_, rest)| rest.split_once("```"));
    let (block, _) = block.expect("ARCHITECTURE.md has a block that starts with ```arrows");
    assert_eq!(arrows(block), arrows(ARROWS));
}

#[test]
fn heavy_dependencies_stay_behind_their_walls() {
    let mut problems = Vec::new();
    for package in workspace().packages.iter().filter(|package| !is_outside(package)) {
        // Tests and build scripts count: they are built wherever the crate is worked on.
        for dependency in &package.dependencies {
            let wall = WALLS.iter().find(|(heavy, _)| heavy.contains(&dependency.name.as_str()));
            if let Some((_, crates)) = wall.filter(|(_, crates)| !crates.contains(&short(&package.name))) {
                problems.push(format!(
                    "{} depends on {}, which is for {crates:?}",
                    package.name, dependency.name
                ));
            }
        }
    }
    none("heavy dependencies live in one crate", &problems);
}

#[test]
fn no_source_file_is_dead() {
    let workspace = workspace();
    let targets = workspace.packages.iter().flat_map(|package| &package.targets);
    let mut waiting: Vec<(PathBuf, bool)> =
        targets.map(|target| (target.src_path.as_std_path().to_path_buf(), true)).collect();
    let (mut alive, mut problems) = (BTreeSet::new(), Vec::new());
    while let Some((path, is_target)) = waiting.pop() {
        let Ok(source) = std::fs::read_to_string(&path) else {
            problems.push(format!("{} is declared and does not exist", path.display()));
            continue;
        };
        if !alive.insert(path.clone()) {
            continue;
        }
        for places in modules(&path, &source, is_target) {
            waiting.extend(places.into_iter().filter(|place| place.exists()).map(|place| (place, false)));
        }
    }
    let sources = under(&tracked(), &["crates", "examples", "tests", "benches", "fuzz", "xtask"], ".rs");
    let dead = sources.iter().filter(|path| !alive.contains(&root().join(path)));
    problems.extend(dead.map(|path| format!("{path} belongs to no target")));
    none("every source file is built", &problems);
}

#[test]
fn lib_rs_and_mod_rs_hold_no_logic() {
    let mut problems = Vec::new();
    let files = under(&tracked(), &["crates"], ".rs");
    for path in files
        .iter()
        .filter(|path| path.ends_with("/src/lib.rs") || (path.contains("/src/") && path.ends_with("/mod.rs")))
    {
        problems
            .extend(functions(&read(path)).iter().map(|(name, line, _)| format!("{path}:{line}: fn {name}")));
    }
    none("lib.rs and mod.rs are documentation, modules and re-exports", &problems);
}

#[test]
fn files_and_functions_are_short() {
    let mut problems = Vec::new();
    for path in under(&tracked(), &["crates"], ".rs").iter().filter(|path| path.contains("/src/")) {
        let source = read(path);
        let product = without_tests(&source);
        let lengths = [
            ("with tests", source.lines().count(), FILE_LINES_MAX),
            ("without tests", product.lines().count(), FILE_LINES_WITHOUT_TESTS_MAX),
        ];
        for (what, lines, max) in lengths {
            if lines > max {
                problems.push(format!("{path}: {lines} lines {what}, more than {max}"));
            }
        }
        for (name, line, lines) in functions(product).into_iter().filter(|(_, _, n)| *n > FUNCTION_LINES_MAX)
        {
            problems
                .push(format!("{path}:{line}: fn {name} has {lines} lines, more than {FUNCTION_LINES_MAX}"));
        }
    }
    none("files and functions can be read in one go", &problems);
}

#[test]
fn every_reason_code_is_documented() {
    if !root().join("docs/reasons.md").exists() {
        return skip("tidy::every_reason_code_is_documented", "docs/reasons.md is not written yet");
    }
    let source = read("crates/model/src/reason.rs");
    // `Name = "code", 403, Caller;`
    let entries = source.lines().filter(|line| line.trim_end().ends_with(';'));
    let codes: BTreeSet<&str> = entries
        .filter_map(|line| line.split_once(" = \"")?.1.split_once("\", "))
        .filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
        .map(|(code, _)| code)
        .collect();
    assert!(codes.len() > 20, "the list of reasons can be read: {codes:?}");
    let table = read("docs/reasons.md");
    let documented: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code)
        .collect();
    assert_eq!(
        codes, documented,
        "the codes of reason.rs (left) and the first column of docs/reasons.md (right)"
    );
}

/// What `clauses: [...]`, a list below `clauses:`, and `clause:` name.
fn cited_clauses(yaml: &str) -> BTreeSet<String> {
    let lines: Vec<&str> =
        yaml.lines().map(|line| line.split_once(" #").map_or(line, |(before, _)| before)).collect();
    let clean = |word: &str| word.trim().trim_matches(['"', '\'']).to_owned();
    let is_key = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || "_-\"'`".contains(c));
    let mut found = BTreeSet::new();
    for (n, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#')) {
        if let Some((_, rest)) = line.split_once("clauses:").filter(|(before, _)| is_key(before)) {
            let rest = rest.trim();
            if rest.starts_with('[') {
                let all =
                    std::iter::once(rest).chain(lines[n + 1..].iter().copied()).collect::<Vec<_>>().join(" ");
                let inside = all.trim_start_matches('[').split(']').next().unwrap_or_default();
                found.extend(inside.split(',').map(clean));
            } else if rest.is_empty() {
                let items = lines[n + 1..].iter().map_while(|line| line.trim().strip_prefix("- "));
                found.extend(items.map(clean));
            }
        }
        if let Some((_, rest)) = line.split_once("clause:").filter(|(before, _)| is_key(before)) {
            found.insert(clean(rest.split([',', '}']).next().unwrap_or_default()));
        }
    }
    found.remove("");
    found
}

fn listed_clauses(yaml: &str) -> BTreeSet<String> {
    let ids =
        yaml.lines().filter_map(|line| line.trim().trim_start_matches(['-', ' ', '{']).strip_prefix("id:"));
    ids.map(|rest| rest.split([',', '}', '#']).next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn clauses_are_found_in_every_spelling() {
    let yaml = "rules:\n  - id: r\n    clauses: [a-1, \"a-2\",\n      a-3]\n  - {forbid: x, clauses: [a-4], cure: none}\n\
        \x20   clauses:\n      - a-5\n      - a-6 # why\n    when: x\ncases:\n  - clause: a-7\n  # clause: a-8\n    subclause: a-9\n";
    let found = cited_clauses(yaml);
    assert_eq!(
        found.iter().map(String::as_str).collect::<Vec<_>>(),
        ["a-1", "a-2", "a-3", "a-4", "a-5", "a-6", "a-7"]
    );
    let listed = listed_clauses("clauses:\n  - id: a-1 # first\n    place: x\n  - {id: a-2, place: y}\n");
    assert_eq!(listed.iter().map(String::as_str).collect::<Vec<_>>(), ["a-1", "a-2"]);
}

#[test]
fn every_clause_that_a_bundle_cites_is_listed() {
    let files = under(&tracked(), &["policies"], ".yaml");
    let mut problems = Vec::new();
    for bundle in files.iter().filter_map(|path| path.strip_suffix("/bundle.yaml")) {
        let own = under(&files, &[bundle], ".yaml");
        let begins = format!("{bundle}/clauses");
        let lists: Vec<_> = own.iter().filter(|path| path.starts_with(&begins)).collect();
        if lists.is_empty() {
            problems.push(format!("{bundle} has no clauses*.yaml"));
            continue;
        }
        let known: BTreeSet<String> = lists.iter().flat_map(|list| listed_clauses(&read(list))).collect();
        for path in own.iter().filter(|path| !lists.contains(path)) {
            let unknown = cited_clauses(&read(path)).into_iter().filter(|clause| !known.contains(clause));
            problems.extend(
                unknown.map(|clause| format!("{path} cites `{clause}`, which {bundle} does not list")),
            );
        }
    }
    none("rules and cases rest on listed clauses", &problems);
}

#[test]
fn no_file_has_a_forbidden_word() {
    // Each is put together here, so that this file does not have it.
    let words = [
        (concat!("/wo", "rk/"), "a path of one machine"),
        (concat!("/tmp/ba", "sh_jobs"), "a path of one machine"),
        (concat!("/tmp/", "t-"), "a path of one machine"),
        (concat!("crates", ".io"), "a package registry"),
        (concat!("pypi", ".org"), "a package registry"),
        (concat!("npmjs", ".com"), "a package registry"),
        (concat!("npmjs", ".org"), "a package registry"),
        (concat!("to", "do!"), "unfinished"),
        (concat!("unimple", "mented!"), "unfinished"),
        (concat!("#[ig", "nore"), "a test that nobody runs"),
    ];
    let mut problems = Vec::new();
    // The lock file names the registry by its nature.
    for path in tracked().iter().filter(|path| *path != "Cargo.lock") {
        let Ok(text) = std::fs::read_to_string(root().join(path)) else { continue };
        for (n, line) in text.lines().enumerate() {
            for (word, why) in words {
                // A path is a machine's only where it starts.
                let starts =
                    |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/}".contains(c));
                if line.match_indices(word).any(|(at, _)| !word.starts_with('/') || starts(at)) {
                    problems.push(format!("{path}:{}: `{word}` ({why})", n + 1));
                }
            }
        }
    }
    none("files say nothing that is not for others", &problems);
}

#[test]
fn laws_and_reading_rules_have_tests_named_after_them() {
    let mut tested = BTreeSet::<String>::new();
    let mut problems = Vec::new();
    for path in under(&tracked(), &["crates", "examples", "tests"], ".rs") {
        for (name, line, _) in functions(&read(&path)) {
            let begins = |(prefix, count)| Some((prefix, count, name.strip_prefix(prefix)?));
            let Some((prefix, count, rest)) = NUMBERED.into_iter().find_map(begins) else { continue };
            match rest.split_once('_').and_then(|(number, _)| number.parse::<u8>().ok()) {
                Some(number) if (1..=count).contains(&number) => {
                    _ = tested.insert(format!("{prefix}{number}"))
                }
                _ => problems.push(format!("{path}:{line}: {name} names none of the {count}")),
            }
        }
    }
    let all = NUMBERED.iter().flat_map(|(prefix, count)| (1..=*count).map(move |n| format!("{prefix}{n}")));
    let missing = all.filter(|name| !tested.contains(name));
    problems.extend(missing.map(|name| format!("there is no test called {name}_...")));
    none("a law is what its tests hold", &problems);
}

#[test]
fn every_crate_keeps_the_workspace_lints() {
    let mut problems = Vec::new();
    for package in workspace().packages.iter().filter(|package| !is_outside(package)) {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            problems.push(format!("{} has no `[lints] workspace = true`", package.name));
        }
    }
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let level = &manifest["workspace"]["lints"]["rust"]["unsafe_code"];
    if level.as_str() != Some("forbid") {
        problems.push("the workspace does not forbid unsafe code".to_owned());
    }
    none("lints are the workspace's", &problems);
}

//! Dependencies against `deny.toml`, the file that cargo-deny reads too. Everything but the advisories needs no network
//! beyond what a build has fetched.

mod config;
mod graph;

use std::collections::BTreeSet;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

use self::config::Deny;
use crate::run::{cargo, root};
use crate::tally::Tally;

/// One rule of the file, and everything that breaks it.
type Rule = (&'static str, fn(&Metadata, &Deny) -> Vec<String>);

const RULES: &[Rule] = &[
    ("licences are allowed", graph::licences),
    ("sources are the default registry and this repository", graph::sources),
    ("no crate comes in two versions without a reason", graph::duplicates),
    ("walls hold", graph::walls),
    ("no version is a wildcard", graph::wildcards),
];

/// Every rule that needs no network.
pub(crate) fn check() -> Tally {
    let (deny, metadata) = match read() {
        Ok(read) => read,
        Err(why) => return Tally::one_failure("deps", &why),
    };
    println!("{} packages", metadata.packages.len());
    let mut tally = Tally::default();
    for (rule, find) in RULES {
        let found: BTreeSet<String> = find(&metadata, &deny).into_iter().collect();
        println!("{rule}: {}", if found.is_empty() { "yes" } else { "NO" });
        for one in &found {
            println!("  {one}");
        }
        match found.len() {
            0 => tally.add(Tally::one_pass()),
            n => tally.fail(format!("deps: {rule}: {n} found, named above")),
        }
    }
    for stale in graph::unused(&metadata, &deny) {
        println!("note: deny.toml has an entry for `{stale}`, which no dependency needs");
    }
    tally
}

fn read() -> Result<(Deny, Metadata), String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).map_err(|e| format!("deny.toml: {e}"))?;
    let deny = Deny::parse(&text)?;
    let mut options = vec!["--locked".to_owned()];
    for target in &deny.graph.targets {
        options.extend(["--filter-platform".to_owned(), target.clone()]);
    }
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).features(CargoOpt::AllFeatures).other_options(options);
    let metadata = command.exec().map_err(|e| format!("cargo metadata: {e}"))?;
    if metadata.resolve.is_none() {
        return Err("cargo metadata gave no graph".to_owned());
    }
    Ok((deny, metadata))
}

/// Known vulnerabilities, by cargo-deny and its database if both can be had. Not having them is not a failure.
pub(crate) fn advisories() -> Tally {
    const NAME: &str = "advisories";
    if !cargo(["deny", "--version"]).quietly_succeeds() {
        return Tally::one_skip(NAME, "cargo-deny is not installed");
    }
    if cargo(["deny", "fetch", "db"]).shown().failure.is_some() {
        return Tally::one_skip(NAME, "the advisory database cannot be reached");
    }
    cargo(["deny", "check", "--disable-fetch", "advisories"]).check(NAME)
}

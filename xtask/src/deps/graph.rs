//! The rules, each over the whole graph: every platform of `deny.toml`, every feature, tests and tools included.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::semver::VersionReq;
use cargo_metadata::{Metadata, Package, PackageId};

use super::config::Deny;
use crate::spdx;

/// Packages whose licence is not allowed, or that do not say.
pub(crate) fn licences(metadata: &Metadata, deny: &Deny) -> Vec<String> {
    let mut found = Vec::new();
    for package in &metadata.packages {
        let (name, version) = (package.name.as_str(), &package.version);
        let special = deny.licenses.exceptions.iter().filter(|e| e.spec.matches(name, version));
        let special: Vec<&String> = special.flat_map(|e| &e.allow).collect();
        let is_allowed =
            |id: &str| deny.licenses.allow.iter().chain(special.iter().copied()).any(|allowed| allowed == id);
        let Some(licence) = &package.license else {
            found.push(format!("{name} {version} gives no licence expression"));
            continue;
        };
        match spdx::allowed(licence, &is_allowed) {
            Ok(true) => {}
            Ok(false) => found.push(format!("{name} {version} is under {licence}")),
            Err(why) => {
                found.push(format!("{name} {version} is under `{licence}`, which cannot be read: {why}"))
            }
        }
    }
    found
}

/// Packages from elsewhere than the default registry and this repository.
pub(crate) fn sources(metadata: &Metadata, _deny: &Deny) -> Vec<String> {
    let members: BTreeSet<&PackageId> = metadata.workspace_members.iter().collect();
    let strange = metadata.packages.iter().filter(|package| match &package.source {
        Some(source) => !source.is_crates_io(),
        None => !members.contains(&package.id),
    });
    strange
        .map(|package| {
            let place = package.source.as_ref().map_or(package.manifest_path.as_str(), |source| &source.repr);
            format!("{} {} comes from {place}", package.name, package.version)
        })
        .collect()
}

/// Crates in several versions, those that the file names left out.
pub(crate) fn duplicates(metadata: &Metadata, deny: &Deny) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in &metadata.packages {
        let skipped = deny.bans.skip.iter().any(|s| s.spec.matches(package.name.as_str(), &package.version));
        if !skipped {
            versions.entry(package.name.as_str()).or_default().push(package);
        }
    }
    let several = versions.into_iter().filter(|(_, packages)| packages.len() > 1);
    several
        .map(|(name, packages)| {
            let each = packages.iter().map(|package| {
                let users: Vec<String> = dependents(metadata, &package.id)
                    .map(|user| format!("{} {}", user.name, user.version))
                    .collect();
                format!("{} (for {})", package.version, users.join(", "))
            });
            format!("{name}: {}", each.collect::<Vec<_>>().join("; "))
        })
        .collect()
}

/// Crates behind a wall that something else than the wall's crates depends on.
pub(crate) fn walls(metadata: &Metadata, deny: &Deny) -> Vec<String> {
    let mut found = Vec::new();
    for wall in &deny.bans.deny {
        let behind = metadata.packages.iter().filter(|p| wall.spec.matches(p.name.as_str(), &p.version));
        for package in behind {
            for user in dependents(metadata, &package.id) {
                if !wall.wrappers.iter().any(|wrapper| wrapper == user.name.as_str()) {
                    found.push(format!("{} depends on {}: {}", user.name, package.name, wall.reason));
                }
            }
        }
    }
    found
}

/// Dependencies of the workspace that any version would satisfy.
pub(crate) fn wildcards(metadata: &Metadata, _deny: &Deny) -> Vec<String> {
    let all =
        metadata.workspace_packages().into_iter().flat_map(|p| p.dependencies.iter().map(move |d| (p, d)));
    all.filter(|(_, dependency)| dependency.path.is_none() && dependency.req == VersionReq::STAR)
        .map(|(package, dependency)| format!("{} takes any version of {}", package.name, dependency.name))
        .collect()
}

/// Entries of the file that nothing needs: an exception must not outlive its cause.
pub(crate) fn unused(metadata: &Metadata, deny: &Deny) -> BTreeSet<String> {
    let is_there = |name: &str| metadata.packages.iter().filter(|p| p.name.as_str() == name).count();
    let skips = deny.bans.skip.iter().filter(|skip| is_there(skip.spec.name()) < 2);
    let exceptions = deny.licenses.exceptions.iter().filter(|e| is_there(e.spec.name()) == 0);
    skips.map(|s| s.spec.name().to_owned()).chain(exceptions.map(|e| e.spec.name().to_owned())).collect()
}

fn dependents<'a>(metadata: &'a Metadata, id: &'a PackageId) -> impl Iterator<Item = &'a Package> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let users: BTreeSet<&PackageId> =
        nodes.filter(|node| node.dependencies.contains(id)).map(|node| &node.id).collect();
    metadata.packages.iter().filter(move |package| users.contains(&package.id))
}

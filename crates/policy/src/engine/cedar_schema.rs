//! The strict schema that a bundle's policies are validated against, and the groups that keys belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use consentry_model::{Act, FactType, Treatment};

use super::cedar_text::{attribute, entity_type};
use crate::bundle::{ANYONE, Bundle};

/// The groups that a key belongs to: `within` itself and what is above it, `touching` what is above and below it.
pub(crate) struct Groups {
    pub(crate) purposes: BTreeMap<String, BTreeSet<String>>,
    pub(crate) categories: BTreeMap<String, BTreeSet<String>>,
}

impl Groups {
    pub(crate) fn of(bundle: &Bundle) -> Self {
        let read = |hierarchy: &crate::bundle::Hierarchy| {
            hierarchy
                .keys()
                .map(|key| {
                    let above = hierarchy.ancestors(key);
                    let within = above.iter().copied().chain([key]).map(|k| format!("within {k}"));
                    let touching = above
                        .iter()
                        .copied()
                        .chain([key])
                        .chain(hierarchy.descendants(key))
                        .map(|k| format!("touching {k}"));
                    (key.to_owned(), within.chain(touching).collect())
                })
                .collect()
        };
        Self { purposes: read(&bundle.vocabulary.purposes), categories: read(&bundle.vocabulary.categories) }
    }
}

/// The strict schema of a bundle.
pub(crate) fn schema(bundle: &Bundle, groups: &Groups) -> String {
    let mut out = String::new();
    let mut enumerate = |name: &str, words: &mut dyn Iterator<Item = String>| {
        let words: Vec<_> = words.map(|w| format!("{w:?}")).collect();
        let _ = writeln!(out, "entity {name} enum [{}];", words.join(", "));
    };
    let category_groups: BTreeSet<_> = groups.categories.values().flatten().cloned().collect();
    enumerate("Category", &mut category_groups.into_iter());
    enumerate("Party", &mut bundle.vocabulary.recipients.keys().map(str::to_owned));
    let requesters = bundle.requesters.keys().map(|r| r.as_str().to_owned()).chain([ANYONE.to_owned()]);
    enumerate("Requester", &mut { requesters });
    enumerate("SubjectType", &mut bundle.vocabulary.subjects.iter().cloned());
    enumerate("Act", &mut Act::ALL.iter().map(|a| a.code().to_owned()));
    enumerate("Treatment", &mut Treatment::ALL.iter().map(|t| t.code().to_owned()));
    for (_, def) in bundle.facts.schema.iter() {
        if let FactType::Word(words) = &def.ty {
            enumerate(&entity_type(def), &mut words.iter().map(|w| w.as_ref().to_owned()));
        }
    }
    out.push_str("entity Exchange in [Party, Requester];\nentity Data in [Category];\n");
    out.push_str(
        "type Facts = {\n  act: Act,\n  treatment: Treatment,\n  subject_type: SubjectType,\n  now: Long,\n",
    );
    for (_, def) in bundle.facts.schema.iter() {
        let ty = match &def.ty {
            FactType::Bool => "Bool".to_owned(),
            FactType::Level(_) | FactType::Int => "Long".to_owned(),
            FactType::Word(_) => entity_type(def),
        };
        let _ = writeln!(out, "  {}?: {ty},", attribute(def));
    }
    out.push_str("};\n");
    let action_groups: BTreeSet<_> = groups.purposes.values().flatten().cloned().collect();
    for group in action_groups {
        let _ = writeln!(out, "action {group:?};");
    }
    for (purpose, parents) in &groups.purposes {
        let parents: Vec<_> = parents.iter().map(|p| format!("{p:?}")).collect();
        let _ = writeln!(
            out,
            "action {purpose:?} in [{}] appliesTo {{ principal: Exchange, resource: Data, context: Facts }};",
            parents.join(", ")
        );
    }
    out
}

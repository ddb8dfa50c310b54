//! Which words may be named, and what was meant by one that may not.

use std::collections::BTreeSet;
use std::path::Path;

use consentry_consent::standing;
use consentry_model::{
    Category, FieldMap, Identifier, LedgerEvent, Moment, Purpose, RecipientId, SubjectState,
};
use consentry_policy::{Bundle, Route, Sources, SubjectSource, Vocabulary};

use crate::bundle::{Checked, meant, nearest};
use crate::stop::{Exit, Stop};

/// The shipped words, or those of a bundle.
pub(super) struct Known {
    pub(super) vocabulary: Vocabulary,
    bundle: Option<Checked>,
}

impl Known {
    pub(super) fn read(bundle: Option<&Path>) -> Result<Self, Stop> {
        let bundle = bundle.map(Checked::need).transpose()?;
        let vocabulary = bundle.as_ref().map_or_else(Vocabulary::shipped, |b| b.bundle().vocabulary.clone());
        Ok(Self { vocabulary, bundle })
    }

    /// A purpose that nobody knows is a mistake.
    pub(super) fn purpose(&self, purpose: &Purpose) -> Result<(), Stop> {
        if self.vocabulary.knows_purpose(purpose) {
            return Ok(());
        }
        let what = format!("the vocabulary has no purpose `{purpose}`");
        let help = meant(purpose, self.bundle.as_ref()).unwrap_or_else(|| {
            "`--bundle DIR` adds the purposes that a bundle defines; `consentry policy print` shows them"
                .into()
        });
        Err(Stop::because(Exit::UNASKED, what).help(help))
    }

    /// A data category that nobody knows is a mistake: the reader of bundles says so of a rule that names it.
    pub(super) fn category(&self, category: &Category) -> Result<(), Stop> {
        const ASKED: &str = "asked-on-the-command-line.yaml";
        let rule = format!(
            "rules:\n  - id: asked\n    permit: essential.service\n    data: {category}\n    basis: contract\n"
        );
        let own = self.bundle.iter().flat_map(|b| b.sources.iter());
        let read = Bundle::read(&Sources::from_texts(own.chain([(ASKED, rule.as_str())])));
        let Err(found) = read else { return Ok(()) };
        let Some(said) = found.iter().find(|d| d.code == "unknown-category") else { return Ok(()) };
        let help = said.help.clone().filter(|help| help.starts_with("did you mean")).unwrap_or_else(|| {
            "`--bundle DIR` adds the categories that a bundle defines; `consentry policy print` shows them"
                .into()
        });
        let what = format!("the vocabulary has no data category `{category}`");
        Err(Stop::because(Exit::UNASKED, what).help(help))
    }

    /// A version of the policy that the bundle does not list.
    pub(super) fn version(&self, version: &str) -> Result<(), Stop> {
        let Some(bundle) = self.bundle.as_ref().map(Checked::bundle) else { return Ok(()) };
        let listed = bundle.settings.versions.iter().map(|(id, _)| id.as_str());
        let known: BTreeSet<&str> = listed.chain([bundle.version.as_str()]).collect();
        if known.contains(version) {
            return Ok(());
        }
        Err(unknown(&format!("the bundle has no version `{version}`"), version, &known))
    }

    /// A recipient that the bundle does not know, where one was named.
    pub(super) fn recipient(&self, name: Option<&str>) -> Result<(), Stop> {
        let (Some(bundle), Some(name)) = (self.bundle.as_ref().map(Checked::bundle), name) else {
            return Ok(());
        };
        if self.vocabulary.recipient_is(name, name) {
            return Ok(());
        }
        let known: BTreeSet<&str> = bundle.recipients.keys().map(RecipientId::as_str).collect();
        Err(unknown(&format!("the bundle has no recipient `{name}`"), name, &known))
    }

    /// A space in which the service map of the bundle names nobody.
    pub(super) fn space(&self, who: &Identifier) -> Result<(), Stop> {
        let Some(bundle) = self.bundle.as_ref().map(Checked::bundle) else { return Ok(()) };
        let (spaces, space) = (spaces(bundle), who.space().as_str());
        if spaces.contains(space) {
            return Ok(());
        }
        let known = spaces.iter().map(String::as_str).collect();
        Err(unknown(&format!("the bundle names nobody in a space `{space}`"), space, &known))
    }

    /// Whether a yes stands for the purpose, or for one below it to which something was said.
    pub(super) fn yes_stands(
        &self,
        state: &SubjectState,
        purpose: &Purpose,
        recipient: Option<&RecipientId>,
        at: Moment,
    ) -> bool {
        let mut asked = vec![(purpose, recipient)];
        for recorded in &state.events {
            if let LedgerEvent::Consent(said) = &recorded.event
                && self.vocabulary.covers(purpose, &said.purpose)
            {
                asked.push((&said.purpose, recipient.or(said.recipient.as_ref())));
            }
        }
        asked.into_iter().any(|(purpose, recipient)| {
            let lineage = self.vocabulary.lineage(purpose);
            lineage.is_some_and(|lineage| {
                !standing(state, &lineage, &|named| Some(named) == recipient, at).kinds.is_empty()
            })
        })
    }
}

fn unknown(what: &str, word: &str, known: &BTreeSet<&str>) -> Stop {
    let stop = Stop::because(Exit::UNASKED, what);
    match nearest(word, known.iter().copied()) {
        Some(near) => stop.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => stop.help("it has none"),
        None => stop.help(format!("it has {}", known.iter().copied().collect::<Vec<_>>().join(", "))),
    }
}

/// The spaces in which the service map names people.
fn spaces(bundle: &Bundle) -> BTreeSet<String> {
    bundle.service.routes.iter().flat_map(of_route).collect()
}

fn of_route(route: &Route) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    if let Some(SubjectSource::Named { space, .. }) = route.about.as_ref().map(|about| &about.subject) {
        out.insert(space.as_str().to_owned());
    }
    for body in [&route.request_body, &route.response_body] {
        out.extend(body.fields().into_iter().flat_map(|map| of_body(map)));
    }
    out
}

/// The spaces of a body's records, which may be the body itself: every record has fields, so that the way to each field
/// passes it.
fn of_body(map: &FieldMap) -> BTreeSet<String> {
    let space = |node| map.scope_at(node).and_then(|id| map.scope(id)).map(|s| s.space.as_str().to_owned());
    let mut out: BTreeSet<String> = space(map.root()).into_iter().collect();
    for (path, _) in map.leaves() {
        let mut at = Some(map.root());
        for step in path.replace("[]", ".[]").split('.').filter(|step| !step.is_empty()) {
            at = at.and_then(|node| if step == "[]" { map.items(node) } else { map.member(node, step) });
            out.extend(at.and_then(space));
        }
    }
    out
}

//! An invariant as a set of Cedar policies that the bundle's own set is compared with.

use cedar_policy::{Policy, PolicyId, PolicySet};
use consentry_model::Treatment;

use super::facts;
use super::worlds::Worlds;
use crate::bundle::Bundle;
use crate::engine::binds;
use crate::rules::{Invariant, Verb};

/// What an invariant promises.
pub(super) struct Promise {
    /// Where it is never so, whatever the bundle permits must be among what this set permits; where it is always so,
    /// whatever this set permits must be among what the bundle permits.
    pub(super) set: PolicySet,
    pub(super) always: bool,
    /// What entities that it is about can look like.
    pub(super) worlds: Worlds,
}

/// The treatments of which one must always be permitted; `None` alone where none ever may.
pub(super) fn enough(invariant: &Invariant) -> Vec<Option<Treatment>> {
    if !invariant.always {
        return vec![None];
    }
    let wanted = match &invariant.rule.verb {
        Verb::Permit { treatments, .. } => treatments.iter().min().copied().unwrap_or(Treatment::Clear),
        Verb::Forbid(_) | Verb::Require(_) => Treatment::Clear,
    };
    Treatment::ALL.into_iter().filter(|treatment| *treatment <= wanted).map(Some).collect()
}

impl Promise {
    /// What an invariant promises of the requests that some policies of the bundle are about.
    ///
    /// # Errors
    /// When it is no set of policies that Cedar reads.
    pub(super) fn of(
        bundle: &Bundle,
        own: &PolicySet,
        invariant: &Invariant,
        treatment: Option<Treatment>,
    ) -> Result<Self, String> {
        let binds = binds(bundle, &invariant.rule, invariant.always);
        let bare = permission(&format!("when {{ {binds} }}"))?;
        let worlds = Worlds::of(bundle, &[own, &bare], invariant);
        let possible = format!("{} && {}", worlds.expression(), facts::expression(bundle));
        let guard = match treatment {
            None => {
                let revealed = "context.treatment != Treatment::\"withheld\"";
                format!("unless {{ {possible} && {revealed} && {binds} }}")
            }
            Some(treatment) => {
                let asked = format!("context.treatment == Treatment::{:?}", treatment.code());
                format!("when {{ {possible} && {asked} && {binds} }}")
            }
        };
        Ok(Self { set: permission(&guard)?, always: invariant.always, worlds })
    }
}

fn permission(guard: &str) -> Result<PolicySet, String> {
    let text = format!("permit (principal, action, resource) {guard};");
    let policy = Policy::parse(Some(PolicyId::new("invariant")), text);
    let policy = policy.map_err(|e| format!("the invariant is no policy: {e}"))?;
    PolicySet::from_policies([policy]).map_err(|e| format!("the invariant is no set of policies: {e}"))
}

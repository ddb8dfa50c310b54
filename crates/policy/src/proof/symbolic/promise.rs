//! An invariant as a set of Cedar policies that the bundle's own set is compared with.

use cedar_policy::{Policy, PolicyId, PolicySet};
use consentry_model::Treatment;

use super::facts;
use super::worlds::Worlds;
use crate::bundle::Bundle;
use crate::engine::binds;
use crate::rules::{Invariant, Verb};

/// What an invariant promises, for one treatment.
pub(super) struct Promise {
    /// Where it is never so, whatever the bundle permits must be among what this set permits; where it is always so,
    /// whatever this set permits must be among what the bundle permits.
    pub(super) set: PolicySet,
    pub(super) always: bool,
}

impl Promise {
    /// One set for each way in which an invariant can be kept: one is enough.
    ///
    /// # Errors
    /// When the set is none that Cedar reads.
    pub(super) fn all(bundle: &Bundle, own: &PolicySet, invariant: &Invariant) -> Result<Vec<Self>, String> {
        let always = invariant.always;
        let binds = binds(bundle, &invariant.rule, always);
        let bare = permission(&format!("when {{ {binds} }}"))?;
        let worlds = Worlds::of(bundle, &[own, &bare]).expression();
        let possible = format!("{worlds} && {}", facts::expression(bundle));
        let of = |guard: String| Ok(Self { set: permission(&guard)?, always });
        if !always {
            let revealed = "context.treatment != Treatment::\"withheld\"";
            return Ok(vec![of(format!("unless {{ {possible} && {revealed} && {binds} }}"))?]);
        }
        let wanted = match &invariant.rule.verb {
            Verb::Permit { treatments, .. } => treatments.iter().min().copied().unwrap_or(Treatment::Clear),
            Verb::Forbid(_) | Verb::Require(_) => Treatment::Clear,
        };
        let enough = Treatment::ALL.into_iter().filter(|treatment| *treatment <= wanted);
        enough
            .map(|treatment| {
                let asked = format!("context.treatment == Treatment::{:?}", treatment.code());
                of(format!("when {{ {possible} && {asked} && {binds} }}"))
            })
            .collect()
    }
}

fn permission(guard: &str) -> Result<PolicySet, String> {
    let text = format!("permit (principal, action, resource) {guard};");
    let policy = Policy::parse(Some(PolicyId::new("invariant")), text);
    let policy = policy.map_err(|e| format!("the invariant is no policy: {e}"))?;
    PolicySet::from_policies([policy]).map_err(|e| format!("the invariant is no set of policies: {e}"))
}

//! What Cedar's partial evaluation leaves of each policy, once for all questions that the policy cannot tell apart.
//!
//! Requester and recipient, purpose and category are entities without attributes. All that a policy can find out about
//! one is which of the entities that the policy names it is, or is in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cedar_policy::pst::Clause;
use cedar_policy::{Effect, EntityUid, PartialEntityUid, PartialRequest, Policy, PolicyId, PolicySet};
use consentry_model::RuleId;

use super::cedar::Compiled;
use super::kept::Hashed;
use super::program::Entry;
use super::reduce::{Irreducible, Looked, clauses};

/// Requester and recipient, purpose and category: each as far as any policy can tell it from others.
type Likeness = [u32; 3];

/// What is left of all policies that may fire. No two different ones have the same number.
#[derive(Clone)]
pub(crate) struct Rest {
    pub(crate) number: u32,
    pub(crate) left: Arc<[Arc<Left>]>,
}

/// A policy as partial evaluation leaves it.
pub(crate) struct Left {
    /// No two different ones of a bundle have the same.
    number: u32,
    pub(crate) rule: RuleId,
    pub(crate) permits: bool,
    pub(crate) when: When,
    /// How it was reduced before.
    pub(crate) reduced: RwLock<Vec<Reduced>>,
}

/// On what it then depends whether a policy fires.
#[derive(PartialEq)]
pub(crate) enum When {
    Never,
    Always,
    If(Vec<Clause>),
    /// Partial evaluation did not work out.
    Beyond,
}

/// What a policy came to where words and facts are these; `None` where it cannot fire. Reducing is a function of what
/// it looks at, one thing after the other: where all of it is the same, so is the outcome.
pub(crate) struct Reduced {
    pub(crate) looked: Vec<Looked>,
    pub(crate) entry: Option<Arc<Entry>>,
}

/// The policies of a bundle and what was left of them so far.
#[derive(Default)]
pub(crate) struct Residuals {
    /// In the bundle's order.
    policies: Vec<Policy>,
    /// Which policies name an entity, by their place.
    naming: Hashed<EntityUid, Vec<usize>>,
    classes: Mutex<Classes>,
    left: RwLock<Variants>,
    whole: RwLock<Hashed<Likeness, Rest>>,
    rests: Mutex<Hashed<Vec<u32>, Rest>>,
}

/// What was left of single policies, by their place.
#[derive(Default)]
struct Variants {
    by_likeness: Hashed<(usize, Likeness), Arc<Left>>,
    /// Each different one.
    different: Hashed<usize, Vec<Arc<Left>>>,
    made: u32,
}

/// Entities in classes: for each policy, and over all of them.
#[derive(Default)]
struct Classes {
    /// By policy: a number for each set of named entities.
    of_policy: Hashed<(usize, Vec<EntityUid>), u32>,
    /// A number for each list of such numbers, over all policies.
    over_all: Hashed<Arc<[u32]>, u32>,
    of_entity: Hashed<EntityUid, (u32, Arc<[u32]>)>,
}

impl Residuals {
    pub(crate) fn new(compiled: &Compiled) -> Self {
        let mut policies: Vec<Policy> = compiled.policies().cloned().collect();
        policies.sort_by_key(|policy| compiled.position(&RuleId::new(policy.id().as_ref())));
        let mut naming = Hashed::<EntityUid, Vec<usize>>::default();
        for (at, policy) in policies.iter().enumerate() {
            for uid in policy.entity_literals() {
                naming.entry(uid).or_default().push(at);
            }
        }
        Self { policies, naming, ..Self::default() }
    }

    /// What is left of every policy that may fire on requester and recipient, purpose and category.
    pub(crate) fn of(&self, compiled: &Compiled, uids: [EntityUid; 3]) -> Rest {
        let classes = uids.each_ref().map(|uid| self.class(compiled, uid));
        let likeness = classes.each_ref().map(|(class, _)| *class);
        if let Some(there) = self.whole.read().ok().and_then(|whole| whole.get(&likeness).cloned()) {
            return there;
        }
        let left: Arc<[_]> = self.find(compiled, uids, &classes).into();
        let key = left.iter().map(|left| left.number).collect();
        let rest = {
            let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
            let number = next(rests.len());
            rests.entry(key).or_insert(Rest { number, left }).clone()
        };
        if let Ok(mut whole) = self.whole.write() {
            whole.insert(likeness, rest.clone());
        }
        rest
    }

    /// The class of an entity, over all policies and for each of them.
    fn class(&self, compiled: &Compiled, uid: &EntityUid) -> (u32, Arc<[u32]>) {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = classes.of_entity.get(uid) {
            return there.clone();
        }
        let mut seen = BTreeMap::<usize, Vec<EntityUid>>::new();
        let above = compiled.above(uid);
        // One of which nothing is known is like no other.
        let alone = if above.is_none() { 0..self.policies.len() } else { 0..0 };
        for at in alone {
            seen.entry(at).or_default().push(uid.clone());
        }
        for one in above.into_iter().flatten().chain([uid.clone()]) {
            for at in self.naming.get(&one).into_iter().flatten() {
                seen.entry(*at).or_default().push(one.clone());
            }
        }
        let mut numbers = vec![0; self.policies.len()];
        for (at, mut named) in seen {
            named.sort_unstable();
            named.dedup();
            if let Some(number) = numbers.get_mut(at) {
                let next = next(classes.of_policy.len());
                *number = *classes.of_policy.entry((at, named)).or_insert(next);
            }
        }
        let numbers: Arc<[u32]> = numbers.into();
        let next = next(classes.over_all.len());
        let class = *classes.over_all.entry(Arc::clone(&numbers)).or_insert(next);
        classes.of_entity.insert(uid.clone(), (class, Arc::clone(&numbers)));
        (class, numbers)
    }

    fn find(
        &self,
        compiled: &Compiled,
        uids: [EntityUid; 3],
        classes: &[(u32, Arc<[u32]>); 3],
    ) -> Vec<Arc<Left>> {
        let key = |at: usize| {
            let numbers = classes.each_ref().map(|(_, numbers)| numbers.get(at).copied().unwrap_or(u32::MAX));
            (at, numbers)
        };
        let (mut all, mut missing) = (Vec::with_capacity(self.policies.len()), Vec::new());
        {
            let left = self.left.read().unwrap_or_else(PoisonError::into_inner);
            for (at, policy) in self.policies.iter().enumerate() {
                match left.by_likeness.get(&key(at)) {
                    Some(found) => all.push((at, Arc::clone(found))),
                    None => missing.push((at, policy)),
                }
            }
        }
        if !missing.is_empty() {
            let policies: Vec<&Policy> = missing.iter().map(|(_, policy)| *policy).collect();
            let found = evaluate(compiled, uids, &policies).unwrap_or_else(|Irreducible| {
                policies.iter().map(|policy| Left::of(policy, When::Beyond)).collect()
            });
            let mut left = self.left.write().unwrap_or_else(PoisonError::into_inner);
            for ((at, _), found) in missing.into_iter().zip(found) {
                all.push((at, left.keep(key(at), found)));
            }
            all.sort_unstable_by_key(|(at, _)| *at);
        }
        let may_fire = all.into_iter().map(|(_, left)| left);
        may_fire.filter(|left| !matches!(left.when, When::Never)).collect()
    }
}

impl Variants {
    /// Keeps what was left of a policy, and gives the one that is the same where there is one.
    fn keep(&mut self, key: (usize, Likeness), mut found: Left) -> Arc<Left> {
        let different = self.different.entry(key.0).or_default();
        let same = different.iter().find(|left| left.permits == found.permits && left.when == found.when);
        let left = same.cloned().unwrap_or_else(|| {
            self.made += 1;
            found.number = self.made;
            let found = Arc::new(found);
            different.push(Arc::clone(&found));
            found
        });
        Arc::clone(self.by_likeness.entry(key).or_insert(left))
    }
}

/// A number that is not in use yet; 0 is for what no policy names.
fn next(used: usize) -> u32 {
    u32::try_from(used).map_or(u32::MAX, |used| used.saturating_add(1))
}

impl Left {
    fn of(policy: &Policy, when: When) -> Self {
        let permits = policy.effect() == Effect::Permit;
        let rule = RuleId::new(policy.id().as_ref());
        Self { number: 0, rule, permits, when, reduced: RwLock::default() }
    }
}

/// What partial evaluation leaves of each policy, in the order of the policies.
fn evaluate(
    compiled: &Compiled,
    uids: [EntityUid; 3],
    policies: &[&Policy],
) -> Result<Vec<Left>, Irreducible> {
    let set = PolicySet::from_policies(policies.iter().map(|p| (*p).clone())).map_err(|_| Irreducible)?;
    let [principal, action, resource] = uids;
    let request = PartialRequest::new(
        PartialEntityUid::from_concrete(principal),
        action,
        PartialEntityUid::from_concrete(resource),
        None,
        compiled.schema(),
    )
    .map_err(|_| Irreducible)?;
    let response =
        set.tpe(&request, compiled.partial_entities(), compiled.schema()).map_err(|_| Irreducible)?;
    if response.error_forbids().next().is_some() || response.error_permits().next().is_some() {
        return Err(Irreducible);
    }
    let always: HashSet<&PolicyId> = response.true_permits().chain(response.true_forbids()).collect();
    let never: HashSet<&PolicyId> = response.false_permits().chain(response.false_forbids()).collect();
    let rest: HashMap<PolicyId, Policy> =
        response.residual_policies().map(|policy| (policy.id().clone(), policy)).collect();
    let left = policies.iter().map(|policy| {
        let id = policy.id();
        let when = match (always.contains(id), never.contains(id), rest.get(id)) {
            (true, false, None) => When::Always,
            (false, true, None) => When::Never,
            (false, false, Some(residual)) => clauses(residual).map_or(When::Beyond, When::If),
            _ => When::Beyond,
        };
        Left::of(policy, when)
    });
    Ok(left.collect())
}

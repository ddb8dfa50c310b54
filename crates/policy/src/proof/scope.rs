//! Which questions an invariant is about, and which of them no rule can tell apart.

use std::collections::BTreeMap;

use consentry_model::{Act, ClassId, Purpose, RecipientId, RequesterId};

use crate::bundle::{ANYONE, Bundle, LEDGER_TYPE};
use crate::compare::Told;
use crate::engine::Question;
use crate::rules::Invariant;

/// Names that no rule can tell apart, by what it can tell of them.
type Groups<T> = BTreeMap<Vec<String>, Vec<T>>;

/// The questions of an invariant: every combination of one of each.
pub(super) struct Scope {
    pub(super) requesters: Groups<RequesterId>,
    pub(super) recipients: Groups<RecipientId>,
    pub(super) purposes: Groups<Purpose>,
    pub(super) classes: Groups<ClassId>,
    pub(super) acts: Groups<Act>,
    /// Where sending is in it for what it discloses: to whom it does.
    sent_to: Option<Vec<RecipientId>>,
}

/// Questions that no rule can tell apart: one of them, and how many they are.
pub(super) struct Alike {
    pub(super) question: Question,
    pub(super) count: u64,
}

impl Scope {
    pub(super) fn of(bundle: &Bundle, invariant: &Invariant) -> Self {
        let told = Told::of(bundle, Some(&invariant.rule));
        let (rule, vocabulary) = (&invariant.rule, &bundle.vocabulary);
        let sent_out = !invariant.always && rule.reaches_sent_out();
        let within = |key: &str, above: &str, purposes: bool| {
            let keys = if purposes { &vocabulary.purposes } else { &vocabulary.categories };
            // A prohibition holds for what stands above and below it, a permission for what stands below.
            if invariant.always { keys.is_within(key, above) } else { keys.touches(key, above) }
        };
        let requesters = bundle.requesters.keys().cloned().chain([RequesterId::new(ANYONE)]);
        let recipients = vocabulary.recipients.keys().map(RecipientId::new);
        let purposes = vocabulary.purposes.keys().filter_map(|key| Purpose::new(key).ok());
        let classes = (0..bundle.service.classes.len()).filter_map(|at| u16::try_from(at).ok().map(ClassId));
        let to = |name: &RecipientId| {
            rule.to.is_empty() || rule.to.iter().any(|a| vocabulary.recipient_is(name.as_str(), a.as_str()))
        };
        let purpose = |p: &Purpose| {
            let scope = rule.purposes.as_ref();
            scope.is_none_or(|v| v.iter().any(|above| within(p.as_str(), above.as_str(), true)))
        };
        let class = |id: &ClassId| {
            bundle.service.class(*id).is_some_and(|class| {
                let category = class.category.as_str();
                class.subject_type.as_str() != LEDGER_TYPE
                    && (rule.of.is_empty() || rule.of.contains(&class.subject_type))
                    && rule
                        .data
                        .as_ref()
                        .is_none_or(|v| v.iter().any(|c| within(category, c.as_str(), false)))
            })
        };
        let act = |act: &Act| {
            if invariant.always {
                rule.acts.is_empty() || rule.acts.contains(act)
            } else {
                rule.reaches(*act, true)
            }
        };
        let recipients: Vec<RecipientId> = recipients.filter(to).collect();
        let outside = recipients.iter().filter(|name| vocabulary.is_outside(name)).cloned();
        Self {
            sent_to: sent_out.then(|| outside.collect()),
            requesters: group(requesters.filter(|r| rule.by.is_empty() || rule.by.contains(r)), |r| {
                told.requester(r)
            }),
            recipients: group(recipients.iter().cloned(), |r| told.recipient(r)),
            purposes: group(purposes.filter(purpose), |p| told.purpose(p)),
            classes: group(classes.filter(class), |id| told.class(*id)),
            acts: group(Act::ALL.into_iter().filter(act), |a| told.act(*a)),
        }
    }

    /// How many questions there are.
    pub(super) fn count(&self) -> u64 {
        fn all<T>(groups: &Groups<T>) -> u64 {
            groups.values().map(|names| names.len() as u64).sum()
        }
        let acts = self.acts.values().flatten();
        // Each act with everybody to whom it is in scope.
        let ways = acts.map(|act| match &self.sent_to {
            Some(outside) if *act == Act::Send => outside.len() as u64,
            Some(_) | None => all(&self.recipients),
        });
        [all(&self.requesters), all(&self.purposes), all(&self.classes), ways.sum()]
            .into_iter()
            .fold(1, u64::saturating_mul)
    }

    /// Whether what is done is in scope with whom it is done to.
    fn is_in(&self, question: &Question) -> bool {
        let outside = self.sent_to.as_ref().filter(|_| question.act == Act::Send);
        outside.is_none_or(|outside| outside.contains(&question.recipient))
    }

    /// One question of each kind that passes `keep`, which sees the static side of it; `keep_pair` sees less of it, and
    /// sooner.
    pub(super) fn alike(
        &self,
        keep_pair: impl Fn(&Purpose, ClassId) -> bool,
        keep: impl Fn(&Question) -> bool,
    ) -> Vec<Alike> {
        let mut out = Vec::new();
        let kept = |(purposes, classes): &(&Vec<Purpose>, &Vec<ClassId>)| {
            purposes.first().zip(classes.first()).is_some_and(|(purpose, class)| keep_pair(purpose, *class))
        };
        for (purposes, classes) in pairs(&self.purposes, &self.classes).filter(kept) {
            for (requesters, recipients) in pairs(&self.requesters, &self.recipients) {
                for acts in self.acts.values() {
                    let first = (purposes.first(), classes.first(), requesters.first(), recipients.first());
                    let (Some(purpose), Some(class), Some(requester), Some(recipient)) = first else {
                        continue;
                    };
                    let Some(act) = acts.first() else { continue };
                    let question = Question {
                        requester: requester.clone(),
                        recipient: recipient.clone(),
                        act: *act,
                        purpose: purpose.clone(),
                        class: *class,
                    };
                    if self.is_in(&question) && keep(&question) {
                        let sizes =
                            [purposes.len(), classes.len(), requesters.len(), recipients.len(), acts.len()];
                        let count = sizes.into_iter().fold(1_u64, |n, size| n.saturating_mul(size as u64));
                        out.push(Alike { question, count });
                    }
                }
            }
        }
        out
    }

    /// Whether two questions of the scope are such as no rule can tell apart.
    pub(super) fn are_alike(&self, one: &Question, other: &Question) -> bool {
        self.is_in(one)
            && self.is_in(other)
            && together(&self.requesters, &one.requester, &other.requester)
            && together(&self.recipients, &one.recipient, &other.recipient)
            && together(&self.purposes, &one.purpose, &other.purpose)
            && together(&self.classes, &one.class, &other.class)
            && together(&self.acts, &one.act, &other.act)
    }
}

fn together<T: PartialEq>(groups: &Groups<T>, one: &T, other: &T) -> bool {
    groups.values().any(|names| names.contains(one) && names.contains(other))
}

fn pairs<'g, A, B>(a: &'g Groups<A>, b: &'g Groups<B>) -> impl Iterator<Item = (&'g Vec<A>, &'g Vec<B>)> {
    a.values().flat_map(move |one| b.values().map(move |other| (one, other)))
}

fn group<T>(names: impl Iterator<Item = T>, told: impl Fn(&T) -> Vec<String>) -> Groups<T> {
    let mut out: Groups<T> = BTreeMap::new();
    for name in names {
        out.entry(told(&name)).or_default().push(name);
    }
    out
}

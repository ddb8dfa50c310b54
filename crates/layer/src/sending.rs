//! What goes out to addressees: nobody is written to more often than was promised, and to whom they were disclosed is noted.

use std::collections::{BTreeMap, BTreeSet};

use consentry_body::{RecordSubject, SubjectIx};
use consentry_model::{ClassId, Reason, Treatment, Verdict};
use consentry_policy::{Item, Refusal, Ruling};

use crate::asking::Asking;
use crate::cadence;
use crate::describe::Access;
use crate::duties;
use crate::events::{self, Unwritten};
use crate::evidence::Lines;
use crate::judge::Brings;
use crate::layer::Shared;
use crate::people::Whom;
use crate::present::{Present, addressees};
use crate::request::Brought;

impl Brings {
    /// Leaves a class of a subject of the body out.
    pub(crate) fn leave_out(&mut self, key: (SubjectIx, ClassId)) {
        self.treatments.of_body.insert(key, Treatment::Withheld);
        self.left_out.insert(key);
    }

    /// What of the body goes on, in whatever treatment; where verdicts are only reported, all but what is left out.
    pub(crate) fn going(&self, reported: bool) -> impl Iterator<Item = (SubjectIx, ClassId)> {
        let goes = move |key, treatment: &Treatment| {
            !self.left_out.contains(key) && (reported || *treatment != Treatment::Withheld)
        };
        self.treatments.of_body.iter().filter(move |(key, t)| goes(key, t)).map(|(key, _)| *key)
    }
}

/// Claims a place for each addressee who is going to be written to; one for whom there is none is left out. Where verdicts
/// are only reported that is everybody whom a message names, whatever the rules say of them: what was promised of how often
/// somebody is written to is kept there as ever, and so a message that is left without addressees is refused.
pub(crate) async fn reserve(
    shared: &Shared,
    access: &Access,
    brought: &Brought,
    bringing: &Asking,
    present: &Present,
    brings: &mut Brings,
    lines: &mut Lines,
) -> Result<(), Refusal> {
    let reported = shared.reports_only(access);
    let named = addressees(access, brought).map_err(Refusal::plain)?;
    let mut left = Vec::new();
    for (key, at) in brings.of_body.clone() {
        let (subject, class) = key;
        let clear = brings.treatments.of_body.get(&key) == Some(&Treatment::Clear);
        if !clear && !reported {
            continue;
        }
        let Some(Some(who)) = named.get(subject.index()) else {
            // Nobody counts what goes to somebody without a name.
            if !clear && is_addressee(brought, subject) {
                left.push(withheld(Verdict::withheld(Reason::SubjectUnresolved)));
                brings.leave_out(key);
            }
            continue;
        };
        let Some(whom) = present.of_body.get(subject.index()) else { continue };
        let told = access.told(whom, false, bringing);
        let variant = access.class_of(&told, class).unwrap_or(class);
        let data = access.facts_of(&told, variant, &[]);
        let facts = &data.facts;
        let question = access.question(bringing, variant);
        let claimed = cadence::claim(shared, access, &question, facts, who, brought).await;
        let Some((rule, reason)) = claimed.map_err(Refusal::plain)? else { continue };
        let verdict = Verdict { rules: [rule].into(), ..Verdict::withheld(reason) };
        brings.leave_out(key);
        left.push(withheld(verdict.clone()));
        // What the rules say of somebody besides stays on record, and so does another address that is written to.
        if !clear || another_goes(present, brings, whom, class) {
            lines.add(access, variant, &verdict, facts, &told);
        } else {
            lines.replace(access, variant, &verdict, facts, &told);
        }
        if let Some(item) = brings.items.get_mut(at).filter(|_| clear) {
            *item = withheld(verdict);
        }
    }
    let mut to = brings.of_body.keys().filter(|(subject, _)| is_addressee(brought, *subject));
    if reported && !left.is_empty() && to.all(|key| brings.left_out.contains(key)) {
        return if let Ruling::Refuse(refusal) = Ruling::fold(&left) { Err(refusal) } else { Ok(()) };
    }
    // The ledger is asked for each of them, and that may take long.
    shared.believes(access.claims.as_deref(), shared.clock.now()).map_err(Refusal::plain)
}

fn withheld(verdict: Verdict) -> Item {
    Item { hopeless: None, verdict: Some(verdict) }
}

/// Whether a subject of the body is an entry of the list of addressees.
fn is_addressee(brought: &Brought, subject: SubjectIx) -> bool {
    let subject = brought.window().and_then(|window| window.subject(subject));
    matches!(subject, Some(RecordSubject::Record { .. }))
}

/// Whether another address of the same person is still written to.
fn another_goes(present: &Present, brings: &Brings, whom: &Whom, class: ClassId) -> bool {
    let same = |other: &Whom| other.subject().is_some() && other.subject() == whom.subject();
    brings.treatments.of_body.iter().any(|((at, of), treatment)| {
        let goes = *of == class && *treatment == Treatment::Clear;
        goes && present.of_body.get(at.index()).is_some_and(same)
    })
}

/// Notes of each addressee who is written to, to whom their data goes on by that, where recipients are told of an erasure.
pub(crate) async fn note(
    shared: &Shared,
    access: &Access,
    brought: &Brought,
    present: &Present,
    brings: &Brings,
) -> Result<(), Unwritten> {
    if !duties::notes_disclosure(access) {
        return Ok(());
    }
    let reported = shared.reports_only(access);
    let mut of = BTreeMap::<usize, BTreeSet<ClassId>>::new();
    for (subject, class) in brings.going(reported) {
        of.entry(subject.index()).or_default().insert(class);
    }
    for (at, who) in addressees(access, brought)?.into_iter().enumerate() {
        let Some((who, classes)) = who.zip(of.remove(&at)) else { continue };
        // What is only reported enters nobody whom the ledger does not know.
        if reported && present.of_body.get(at).and_then(Whom::subject).is_none() {
            continue;
        }
        let events = duties::disclosed(access, classes);
        events::append(shared, access, &who, &events).await?;
    }
    Ok(())
}

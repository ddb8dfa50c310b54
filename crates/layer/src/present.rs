//! Whom a request is about, as the ledger knows them.

use consentry_body::RecordSubject;
use consentry_model::{Identifier, LedgerRevision, Reason, Resolution};
use consentry_policy::{FactTarget, SubjectSource};

use crate::describe::Access;
use crate::layer::Shared;
use crate::people::{Whom, resolve, revision};
use crate::request::Brought;
use crate::stated::Found;

/// Whom a request is about: its own subject, and those whom its body names.
pub(crate) struct Present {
    pub(crate) ledger: LedgerRevision,
    pub(crate) whom: Whom,
    pub(crate) own: bool,
    /// By the position of each subject of the body's window.
    pub(crate) of_body: Vec<Whom>,
}

/// Asks the ledger about the subject that the request names, the person who asks, and everybody whom the body names, in
/// one batch. `unreadable` says that the name is there, and cannot be read in one way only.
pub(crate) async fn meet(
    shared: &Shared,
    access: &Access,
    brought: &Brought,
    named: Option<&Identifier>,
    unreadable: bool,
) -> Result<Present, Reason> {
    let subject = access.about().map(|a| &a.subject);
    let nobody = |ledger| Present { ledger, whom: Whom::Nobody, own: false, of_body: Vec::new() };
    match subject {
        Some(SubjectSource::Named { or_anonymous, .. }) => {
            let Some(identifier) = named.cloned() else {
                let ledger = revision(shared).await?;
                // Whoever is named in a way that nobody here can read may be somebody behind us.
                if *or_anonymous && !unreadable {
                    return Ok(nobody(ledger));
                }
                return Ok(Present { whom: Whom::Somebody(Resolution::Unresolved), ..nobody(ledger) });
            };
            let (ledger, whom, own) = meet_one(shared, access, identifier).await?;
            let unknown = matches!(whom, Whom::Somebody(Resolution::Unresolved));
            let whom = if unknown && *or_anonymous { Whom::Nobody } else { whom };
            Ok(Present { whom, own, ..nobody(ledger) })
        }
        Some(SubjectSource::Addressees) => meet_addressees(shared, access, brought).await,
        Some(SubjectSource::Anonymous | SubjectSource::Population { .. } | SubjectSource::PerRecord)
        | None => Ok(nobody(revision(shared).await?)),
    }
}

async fn meet_one(
    shared: &Shared,
    access: &Access,
    identifier: Identifier,
) -> Result<(LedgerRevision, Whom, bool), Reason> {
    // Whom only a transaction token names did not prove to be that person.
    let person = access.claims.as_ref().and_then(|claims| claims.proved_person());
    let mut who = vec![identifier];
    who.extend(person.cloned());
    let (ledger, answers) = resolve(shared, &who).await?;
    let mut answers = answers.into_iter();
    let subject = answers.next().unwrap_or(Resolution::Unresolved);
    let same = match (&subject, answers.next()) {
        (Resolution::Known(subject), Some(Resolution::Known(person))) => subject.subject == person.subject,
        // Somebody whom the ledger does not know is still the one whom the token names.
        (Resolution::Unresolved, Some(Resolution::Unresolved)) => matches!(&who[..], [a, b] if a == b),
        _ => false,
    };
    let receives_own = access.bundle().vocabulary.recipient_is(access.recipient.as_str(), "subject");
    Ok((ledger, Whom::Somebody(subject), same && receives_own))
}

async fn meet_addressees(shared: &Shared, access: &Access, brought: &Brought) -> Result<Present, Reason> {
    let named = addressees(access, brought)?;
    let asked: Vec<Identifier> = named.iter().flatten().cloned().collect();
    let (ledger, answers) = resolve(shared, &asked).await?;
    let mut answers = answers.into_iter();
    let of_body = named.into_iter().map(|name| match name {
        Some(_) => Whom::Somebody(answers.next().unwrap_or(Resolution::Unresolved)),
        None => Whom::Somebody(Resolution::Unresolved),
    });
    // A message is about its addressees; what else it says about people is about nobody known.
    let of_body = of_body.collect();
    Ok(Present { ledger, whom: Whom::Somebody(Resolution::Unresolved), own: false, of_body })
}

/// The identifier of each subject of the body's window, where it names one.
pub(crate) fn addressees(access: &Access, brought: &Brought) -> Result<Vec<Option<Identifier>>, Reason> {
    let Some(map) = access.route()?.request_body.fields() else { return Ok(Vec::new()) };
    let Some(window) = brought.window() else { return Ok(Vec::new()) };
    let identifier = |subject: &RecordSubject| match subject {
        RecordSubject::Request => None,
        RecordSubject::Record { scope, id, .. } => {
            let space = map.scope(*scope)?.space.clone();
            id.as_ref().map(|id| Identifier::new(space, id))
        }
    };
    Ok(window.subjects.iter().map(identifier).collect())
}

/// What a record says of the facts that its route reads from records.
pub(crate) type Says = Vec<(FactTarget, Found)>;

/// What a record says.
pub(crate) fn item_facts(access: &Access, subject: &RecordSubject) -> Says {
    let RecordSubject::Record { captured, .. } = subject else { return Vec::new() };
    let Ok(route) = access.route() else { return Vec::new() };
    let found = captured.iter().map(|scalar| scalar.as_ref().map_or(Found::Nothing, Found::from));
    route.item_facts.iter().copied().zip(found).collect()
}

//! What some of the people agreed to, and some did not.

use consentry_consent::{Ledger as _, SqliteLedger};
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, Moment, Purpose, Space,
};

use crate::output;
use crate::stop::{Exit, Stop};

/// How many of the sixty on the mailing list chose the newsletter.
pub(super) const READERS_WHO_AGREED: usize = 40;
/// How many of the fifty listed customers have a contract that runs and nothing against it.
pub(super) const CUSTOMERS_IN_CONTRACT: usize = 30;
/// How many of the twenty-five who try the service did not object to being called.
pub(super) const TRIALS_WITHOUT_OBJECTION: usize = 23;
/// One of those who agreed.
pub(super) const WHO_CHANGES_HER_MIND: &str = "reader-7@example.org";

const NEWSLETTER: &str = "marketing.communications.email";
const DAY_MILLIS: i64 = 86_400_000;

/// Records all of it.
pub(super) async fn record(ledger: &SqliteLedger) -> Result<(), Stop> {
    let now = output::now();
    let ago = |days: i64| now.saturating_add_millis(-days * DAY_MILLIS);
    let contract = |state, days| LedgerEvent::Contract { state, effective: ago(days) };
    for number in 1001..1001 + CUSTOMERS_IN_CONTRACT {
        let mut events = vec![contract(ContractState::Active, 400)];
        if number == 1002 {
            events.push(said("marketing", ConsentState::Given, ConsentKind::Explicit, ago(30))?);
        }
        append(ledger, "customer", &format!("c-{number}"), &events).await?;
    }
    let ended = [contract(ContractState::Active, 800), contract(ContractState::Ended, 20)];
    append(ledger, "customer", "c-1031", &ended).await?;
    let restricted = LedgerEvent::Restriction { on: true, effective: ago(5) };
    append(ledger, "customer", "c-1032", &[contract(ContractState::Active, 400), restricted]).await?;
    let erased = LedgerEvent::Erasure { effective: ago(5) };
    append(ledger, "customer", "c-1033", &[contract(ContractState::Ended, 400), erased]).await?;
    for number in 1..=55 {
        let (state, kind) = match number {
            1..=READERS_WHO_AGREED => (ConsentState::Given, ConsentKind::OptIn),
            41..=45 => (ConsentState::Refused, ConsentKind::OptIn),
            46..=50 => (ConsentState::Withdrawn, ConsentKind::OptIn),
            _ => (ConsentState::Given, ConsentKind::Implied),
        };
        let event = said(NEWSLETTER, state, kind, ago(60))?;
        append(ledger, "email", &format!("reader-{number}@example.org"), &[event]).await?;
    }
    for number in 1..=25 {
        let mut events = vec![contract(ContractState::Requested, 10)];
        if number <= 25 - TRIALS_WITHOUT_OBJECTION {
            events.push(LedgerEvent::Objection {
                purpose: purpose("sales")?,
                recipient: None,
                effective: ago(2),
            });
        }
        append(ledger, "email", &format!("trial-{number}@example.org"), &events).await?;
    }
    Ok(())
}

/// One reader takes her consent back.
pub(super) async fn withdraw(ledger: &SqliteLedger) -> Result<(), Stop> {
    let event = said(NEWSLETTER, ConsentState::Withdrawn, ConsentKind::OptIn, output::now())?;
    append(ledger, "email", WHO_CHANGES_HER_MIND, &[event]).await
}

fn said(key: &str, state: ConsentState, kind: ConsentKind, effective: Moment) -> Result<LedgerEvent, Stop> {
    Ok(LedgerEvent::Consent(ConsentEvent {
        purpose: purpose(key)?,
        state,
        kind,
        recipient: None,
        effective,
        valid_until: None,
        notice: None,
    }))
}

fn purpose(key: &str) -> Result<Purpose, Stop> {
    Purpose::new(key).map_err(|e| Stop::because(Exit::NO, e))
}

async fn append(ledger: &SqliteLedger, space: &str, id: &str, events: &[LedgerEvent]) -> Result<(), Stop> {
    let who = Identifier::new(Space::new(space), id);
    let done = ledger.append(&who, events, output::now()).await;
    done.map(|_| ()).map_err(|e| Stop::because(Exit::NO, format!("the ledger: {e}")))
}

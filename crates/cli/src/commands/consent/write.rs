//! What is recorded.

use consentry_consent::{Ledger as _, SqliteLedger};
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, Moment, Purpose,
    RecipientId, Resolution,
};

use super::{WhatFor, Who, Written, failed, open};
use crate::args::read;
use crate::output;
use crate::stop::{Exit, Stop};

/// Record a yes
#[derive(clap::Args)]
pub(super) struct Grant {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    what: WhatFor,
    /// How it was expressed: implied, soft-opt-in, opt-in, explicit, parental
    #[arg(long, value_name = "KIND", default_value = "opt-in", value_parser = read::kind)]
    kind: ConsentKind,
    /// Until when it holds, exclusive: a day, or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = output::read_moment)]
    until: Option<Moment>,
    /// The notice or form it was given on
    #[arg(long, value_name = "TEXT")]
    notice: Option<String>,
}

/// Record that a yes was taken back
#[derive(clap::Args)]
pub(super) struct Withdraw {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    what: WhatFor,
}

/// Record a no
#[derive(clap::Args)]
pub(super) struct Refuse {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    what: WhatFor,
}

/// Record an objection or an opt-out, whatever the purpose's basis
#[derive(clap::Args)]
pub(super) struct Object {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    what: WhatFor,
}

/// Record where a contract with the person stands
#[derive(clap::Args)]
pub(super) struct Contract {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// Where: requested, active, ended
    #[arg(long, value_name = "STATE", default_value = "active", value_parser = contract_state)]
    state: ContractState,
}

/// Record that two identifiers name the same person
///
/// What both said counts from then on, the stricter first. It cannot be undone.
#[derive(clap::Args)]
pub(super) struct Link {
    #[command(flatten)]
    written: Written,
    /// An identifier that the ledger knows
    #[arg(long, value_name = "SPACE:ID", value_parser = read::identifier)]
    known: Identifier,
    /// The other
    #[arg(long, value_name = "SPACE:ID", value_parser = read::identifier)]
    also: Identifier,
}

fn contract_state(text: &str) -> Result<ContractState, String> {
    ContractState::parse(text).ok_or_else(|| "it is one of none, requested, active, ended".to_owned())
}

impl Grant {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let effective = self.written.at.unwrap_or_else(output::now);
        if self.until.is_some_and(|until| until <= effective) {
            return Err(Stop::because(Exit::UNASKED, "the consent would end before it begins"));
        }
        let event = ConsentEvent {
            kind: self.kind,
            valid_until: self.until,
            notice: self.notice.clone(),
            ..said(ConsentState::Given, self.what.known()?, &self.what, effective)
        };
        append(&self.written, &self.who, LedgerEvent::Consent(event)).await
    }
}

impl Withdraw {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        no(ConsentState::Withdrawn, &self.written, &self.who, &self.what).await
    }
}

impl Refuse {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        no(ConsentState::Refused, &self.written, &self.who, &self.what).await
    }
}

impl Object {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let effective = self.written.at.unwrap_or_else(output::now);
        let event = LedgerEvent::Objection {
            purpose: self.what.known()?,
            recipient: recipient(&self.what),
            effective,
        };
        append(&self.written, &self.who, event).await
    }
}

impl Contract {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let effective = self.written.at.unwrap_or_else(output::now);
        append(&self.written, &self.who, LedgerEvent::Contract { state: self.state, effective }).await
    }
}

impl Link {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let ledger = open(&self.written.ledger.ledger, self.written.create).await?;
        let done = ledger.link(&self.known, &self.also, output::now()).await;
        ledger.close().await;
        let done = done.map_err(failed)?;
        output::say(&format!("subject {} revision {}", done.subject, done.revision))?;
        Ok(Exit::OK)
    }
}

async fn no(state: ConsentState, written: &Written, who: &Who, what: &WhatFor) -> Result<Exit, Stop> {
    let effective = written.at.unwrap_or_else(output::now);
    let event = said(state, what.known()?, what, effective);
    append(written, who, LedgerEvent::Consent(event)).await
}

fn said(state: ConsentState, purpose: Purpose, what: &WhatFor, effective: Moment) -> ConsentEvent {
    ConsentEvent {
        purpose,
        state,
        kind: ConsentKind::OptIn,
        recipient: recipient(what),
        effective,
        valid_until: None,
        notice: None,
    }
}

fn recipient(what: &WhatFor) -> Option<RecipientId> {
    what.recipient.as_deref().map(RecipientId::new)
}

async fn append(written: &Written, who: &Who, event: LedgerEvent) -> Result<Exit, Stop> {
    let ledger = open(&written.ledger.ledger, written.create).await?;
    let done = record(&ledger, &who.subject, event).await;
    ledger.close().await;
    done
}

async fn record(ledger: &SqliteLedger, who: &Identifier, event: LedgerEvent) -> Result<Exit, Stop> {
    let before = ledger.resolve(std::slice::from_ref(who)).await.map_err(failed)?;
    let done = ledger.append(who, &[event], output::now()).await.map_err(failed)?;
    output::say(&format!("subject {} revision {}", done.subject, done.revision))?;
    if before.answers.first() == Some(&Resolution::Unresolved) {
        output::note("the ledger knew nobody by this identifier before");
    }
    Ok(Exit::OK)
}

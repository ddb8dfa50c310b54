//! What is recorded.

use consentry_consent::{Ledger as _, SqliteLedger};
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, Moment, RecipientId,
    Resolution,
};

use super::known::Known;
use super::{LedgerArgs, Newcomer, WhatFor, Who, Written, failed, open};
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
    #[command(flatten)]
    newcomer: Newcomer,
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
    #[command(flatten)]
    newcomer: Newcomer,
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
    #[command(flatten)]
    newcomer: Newcomer,
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
    ledger: LedgerArgs,
    /// Begin a new ledger where the file is not there
    #[arg(long)]
    create: bool,
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
        check(&self.what, &self.who)?;
        let event = ConsentEvent {
            kind: self.kind,
            valid_until: self.until,
            notice: self.notice.clone(),
            ..said(ConsentState::Given, &self.what, effective)
        };
        append(&self.written, &self.who, LedgerEvent::Consent(event), Whose::Anybody).await
    }
}

impl Withdraw {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        no(ConsentState::Withdrawn, &self.written, &self.who, &self.what, &self.newcomer).await
    }
}

impl Refuse {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        no(ConsentState::Refused, &self.written, &self.who, &self.what, &self.newcomer).await
    }
}

impl Object {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let effective = self.written.at.unwrap_or_else(output::now);
        let event = LedgerEvent::Objection {
            purpose: self.what.purpose.clone(),
            recipient: recipient(&self.what),
            effective,
        };
        end(event, &self.written, &self.who, &self.what, &self.newcomer).await
    }
}

impl Contract {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let effective = self.written.at.unwrap_or_else(output::now);
        let event = LedgerEvent::Contract { state: self.state, effective };
        append(&self.written, &self.who, event, Whose::Anybody).await
    }
}

impl Link {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let ledger = open(&self.ledger.ledger, self.create).await?;
        let done = ledger.link(&self.known, &self.also, output::now()).await;
        ledger.close().await;
        let done = done.map_err(failed)?;
        output::say(&format!("subject {} revision {}", done.subject, done.revision))?;
        Ok(Exit::OK)
    }
}

async fn no(
    state: ConsentState,
    written: &Written,
    who: &Who,
    what: &WhatFor,
    newcomer: &Newcomer,
) -> Result<Exit, Stop> {
    let effective = written.at.unwrap_or_else(output::now);
    end(LedgerEvent::Consent(said(state, what, effective)), written, who, what, newcomer).await
}

/// Records what is to end a yes, and says so when it did not.
async fn end(
    event: LedgerEvent,
    written: &Written,
    who: &Who,
    what: &WhatFor,
    newcomer: &Newcomer,
) -> Result<Exit, Stop> {
    let known = check(what, who)?;
    let whose = Whose::known_unless(newcomer.new, "no yes was ended");
    let ledger = open(&written.ledger.ledger, written.create).await?;
    let done = async {
        let exit = record(&ledger, &who.subject, event, whose).await?;
        if let Some(at) = written.at {
            let after = ledger.resolve(std::slice::from_ref(&who.subject)).await.map_err(failed)?;
            if let Some(Resolution::Known(state)) = after.answers.first() {
                warn(&known, state, what, at);
            }
        }
        Ok(exit)
    }
    .await;
    ledger.close().await;
    done
}

/// Says when a yes still stands that whoever dated the no differently may have meant to end.
fn warn(known: &Known, state: &consentry_model::SubjectState, what: &WhatFor, at: Moment) {
    let named = recipient(what);
    let now = output::now();
    let text = if known.yes_stands(state, &what.purpose, named.as_ref(), at.max(now)) {
        "a yes with a later date still stands; leave out --at to end it now".to_owned()
    } else if at > now && known.yes_stands(state, &what.purpose, named.as_ref(), now) {
        format!("a yes stands until {}; leave out --at to end it now", output::when(at))
    } else {
        return;
    };
    output::note(&format!("{}: {text}", output::paint(output::FAIR, "warning")));
}

/// A word that nobody knows is a mistake: a withdrawal that names it would stop nothing.
fn check(what: &WhatFor, who: &Who) -> Result<Known, Stop> {
    let known = what.keys.known()?;
    known.purpose(&what.purpose)?;
    known.recipient(what.recipient.as_deref())?;
    known.space(&who.subject)?;
    Ok(known)
}

fn said(state: ConsentState, what: &WhatFor, effective: Moment) -> ConsentEvent {
    ConsentEvent {
        purpose: what.purpose.clone(),
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

/// Of whom something may be recorded.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    /// Of anybody.
    Anybody,
    /// Of whom the ledger knows; with what would not have come about otherwise.
    Known(&'static str),
}

impl Whose {
    pub(super) fn known_unless(new: bool, in_vain: &'static str) -> Self {
        if new { Self::Anybody } else { Self::Known(in_vain) }
    }
}

pub(super) async fn append(
    written: &Written,
    who: &Who,
    event: LedgerEvent,
    whose: Whose,
) -> Result<Exit, Stop> {
    let ledger = open(&written.ledger.ledger, written.create).await?;
    let done = record(&ledger, &who.subject, event, whose).await;
    ledger.close().await;
    done
}

async fn record(
    ledger: &SqliteLedger,
    who: &Identifier,
    event: LedgerEvent,
    whose: Whose,
) -> Result<Exit, Stop> {
    let before = ledger.resolve(std::slice::from_ref(who)).await.map_err(failed)?;
    let unknown = before.answers.first() == Some(&Resolution::Unresolved);
    if unknown && let Whose::Known(in_vain) = whose {
        let what = format!("the ledger knows nobody by this identifier, so {in_vain}");
        return Err(Stop::because(Exit::NO, what)
            .help("check the spelling; --new records it for whoever comes under it"));
    }
    let done = ledger.append(who, &[event], output::now()).await.map_err(failed)?;
    output::say(&format!("subject {} revision {}", done.subject, done.revision))?;
    if unknown {
        output::note("the ledger knew nobody by this identifier before");
    }
    Ok(Exit::OK)
}

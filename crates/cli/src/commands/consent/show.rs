//! What the ledger holds about one person.

use std::collections::{BTreeMap, BTreeSet};

use consentry_consent::{
    Ledger as _, Standing, attribute, attributes, contract, disclosed_to, erased, informed, owed, restricted,
    standing, suppressed,
};
use consentry_model::{
    ConsentKind, LedgerEvent, LedgerRevision, Lineage, Moment, Purpose, RecipientId, Resolution, SubjectState,
};
use consentry_policy::Vocabulary;
use serde_json::{Value, json};

use super::words::{self, Line, for_whom};
use super::{Keys, LedgerArgs, Who, failed, open};
use crate::args::{Format, read};
use crate::output::{self, DIM, ERROR, FAIR, GOOD, NAME, PLAIN, Table, paint, when};
use crate::stop::{Exit, Stop};

/// Show a person's history, and what stands of it for each purpose
#[derive(clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    who: Who,
    /// For this purpose too, whether anything was said of it or not; can be repeated
    #[arg(long = "purpose", value_name = "PURPOSE", value_parser = read::purpose)]
    purposes: Vec<Purpose>,
    /// As of when: a day, or an RFC 3339 time; now when nothing is said
    #[arg(long, value_name = "TIME", value_parser = output::read_moment)]
    at: Option<Moment>,
    #[command(flatten)]
    keys: Keys,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A person's history, and the moment of which is told what stood.
struct Shown<'a> {
    whole: &'a SubjectState,
    /// What of it bears on that moment.
    then: &'a SubjectState,
    revision: LedgerRevision,
    at: Moment,
}

/// What stands for one purpose and recipient.
struct Stands {
    purpose: Purpose,
    recipient: Option<RecipientId>,
    /// `None` when the vocabulary does not know the purpose.
    standing: Option<Standing>,
}

impl Show {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let known = self.keys.known()?;
        self.purposes.iter().try_for_each(|purpose| known.purpose(purpose))?;
        let ledger = open(&self.ledger.ledger, false).await?;
        let batch = ledger.resolve(std::slice::from_ref(&self.who.subject)).await;
        ledger.close().await;
        let batch = batch.map_err(failed)?;
        let Some(Resolution::Known(state)) = batch.answers.first() else {
            return Err(Stop::because(Exit::NO, "the ledger knows nobody by this identifier"));
        };
        let now = output::now();
        let shown = Shown {
            whole: state,
            then: &state.looking_back(self.at.unwrap_or(now), now),
            revision: batch.revision,
            at: self.at.unwrap_or(now),
        };
        let stands = all(&shown, &self.purposes, &known.vocabulary);
        match self.format {
            Format::Text => tell(&shown, &stands)?,
            Format::Json => output::say_json(&report(&shown, &stands))?,
        }
        Ok(Exit::OK)
    }
}

/// What stands for every purpose and recipient that anything was said of, and for those that were asked for.
fn all(shown: &Shown<'_>, asked: &[Purpose], vocabulary: &Vocabulary) -> Vec<Stands> {
    let mut wanted: BTreeSet<(Purpose, Option<RecipientId>)> =
        asked.iter().map(|p| (p.clone(), None)).collect();
    for recorded in &shown.whole.events {
        match &recorded.event {
            LedgerEvent::Consent(c) => _ = wanted.insert((c.purpose.clone(), c.recipient.clone())),
            LedgerEvent::Objection { purpose, recipient, .. } => {
                wanted.insert((purpose.clone(), recipient.clone()));
            }
            LedgerEvent::Contract { .. }
            | LedgerEvent::Restriction { .. }
            | LedgerEvent::Erasure { .. }
            | LedgerEvent::Suppression { .. }
            | LedgerEvent::Attribute { .. }
            | LedgerEvent::Occurrence { .. }
            | LedgerEvent::Duty { .. } => {}
        }
    }
    let tell = |lineage: &Lineage, recipient: &Option<RecipientId>| {
        standing(shown.then, lineage, &|named| Some(named) == recipient.as_ref(), shown.at)
    };
    wanted
        .into_iter()
        .map(|(purpose, recipient)| {
            let standing = vocabulary.lineage(&purpose).map(|lineage| tell(&lineage, &recipient));
            Stands { purpose, recipient, standing }
        })
        .collect()
}

fn tell(shown: &Shown<'_>, stands: &[Stands]) -> Result<(), Stop> {
    output::say(&facts(shown).render(0, output::width()))?;
    let mut table = Table::new(["revision", "recorded", "from", "what", "for", "until", "notice"]);
    for recorded in &shown.whole.events {
        let line = Line::of(&recorded.event);
        table.row([
            (DIM, recorded.revision.to_string()),
            (DIM, when(recorded.recorded_at)),
            (PLAIN, when(line.effective)),
            (PLAIN, line.what),
            (NAME, line.about),
            (PLAIN, line.until.map(when).unwrap_or_default()),
            (PLAIN, line.notice.unwrap_or_default()),
        ]);
    }
    output::say(&format!("\n{}", table.render(0, output::width())))?;
    if stands.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["stands", "state", "for"]);
    for one in stands {
        let (style, word, state) = match &one.standing {
            None => (ERROR, "unknown", "this vocabulary has no such purpose".to_owned()),
            Some(s) if !s.kinds.is_empty() => (GOOD, "yes", format!("{} ({})", s.state, kinds(s).join(", "))),
            Some(s) if s.objected => (ERROR, "no", "objected".to_owned()),
            Some(s) => (if s.said_no { ERROR } else { FAIR }, "no", s.state.to_string()),
        };
        table.row([
            (style, word.to_owned()),
            (PLAIN, state),
            (NAME, for_whom(&one.purpose, one.recipient.as_ref())),
        ]);
    }
    output::say(&format!("\n{}", table.render(0, output::width())))?;
    output::say(&paint(DIM, "a yes counts where a rule asks for consent of its kind or a weaker one"))
}

/// Where the person stands.
fn facts(shown: &Shown<'_>) -> Table {
    let Shown { then: state, revision, at, .. } = *shown;
    let mut table = Table::bare();
    let mut fact = |name: &str, value: String| table.row([(DIM, name.to_owned()), (PLAIN, value)]);
    fact("subject", state.subject.to_string());
    fact("as of", format!("{}, ledger revision {revision}", when(at)));
    fact("contract", contract(state, at).code().to_owned());
    fact("restricted", yes(restricted(state, at)));
    fact("suppressed", yes(suppressed(state, at)));
    fact("erased", yes(erased(state, at)));
    fact("told about cookies", yes(informed(state, at)));
    for (name, value) in known_of(state, at) {
        let others: Vec<&str> = attributes(state, name, at).into_iter().filter(|v| *v != value).collect();
        let also =
            if others.is_empty() { String::new() } else { format!(" (also stated: {})", others.join(", ")) };
        fact(name, format!("{value}{also}"));
    }
    let received: Vec<String> = disclosed_to(state, at).iter().map(ToString::to_string).collect();
    if !received.is_empty() {
        fact("disclosed to", received.join(", "));
    }
    for (what, due) in owed(state, at) {
        fact("owed", words::owed(&what, due, at));
    }
    table
}

/// The latest value of each attribute.
fn known_of(state: &SubjectState, at: Moment) -> BTreeMap<&str, &str> {
    let names = state.events.iter().filter_map(|recorded| match &recorded.event {
        LedgerEvent::Attribute { name, .. } => Some(name.as_str()),
        LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => None,
    });
    names.filter_map(|name| Some((name, attribute(state, name, at)?))).collect()
}

fn report(shown: &Shown<'_>, stands: &[Stands]) -> Value {
    let Shown { then: state, revision, at, .. } = *shown;
    let history: Vec<Value> = shown
        .whole
        .events
        .iter()
        .map(|recorded| {
            let line = Line::of(&recorded.event);
            json!({
                "revision": recorded.revision.0,
                "recorded_at": when(recorded.recorded_at),
                "from": when(line.effective),
                "what": line.what,
                "event": recorded.event,
            })
        })
        .collect();
    let states: Vec<Value> = stands
        .iter()
        .map(|one| {
            json!({
                "purpose": one.purpose.as_str(),
                "recipient": one.recipient.as_ref().map(RecipientId::as_str),
                "known": one.standing.is_some(),
                "valid": one.standing.as_ref().is_some_and(|s| !s.kinds.is_empty()),
                "kinds": one.standing.as_ref().map(kinds),
                "state": one.standing.as_ref().map(|s| s.state.code()),
                "said_no": one.standing.as_ref().map(|s| s.said_no),
                "objected": one.standing.as_ref().map(|s| s.objected),
            })
        })
        .collect();
    let owed: Vec<Value> = owed(state, at)
        .iter()
        .map(|(what, due)| json!({ "what": words::owed(what, *due, at), "due": due.map(when), "duty": what }))
        .collect();
    json!({
        "subject": state.subject.to_string(),
        "at": when(at),
        "ledger_revision": revision.0,
        "contract": contract(state, at).code(),
        "restricted": restricted(state, at),
        "suppressed": suppressed(state, at),
        "erased": erased(state, at),
        "informed": informed(state, at),
        "attributes": known_of(state, at),
        "disclosed_to": disclosed_to(state, at),
        "owed": owed,
        "history": history,
        "states": states,
    })
}

fn kinds(standing: &Standing) -> Vec<&'static str> {
    ConsentKind::ALL.into_iter().filter(|k| standing.kinds.satisfies(*k)).map(ConsentKind::code).collect()
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

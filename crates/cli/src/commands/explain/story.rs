//! The request and the people that are asked about.

use consentry_consent::attribute;
use consentry_model::{
    Act, ClassId, FactType, FactValue, Facts, LedgerRevision, Moment, Purpose, Reason, RecipientClass,
    RecipientId, RecordedEvent, RequesterId, SubjectRef, SubjectState, SubjectType,
};
use consentry_policy::{
    Bundle, DataClass, Destination, Engine, FactFrom, FactTarget, Given, Person, PurposeRule, Question,
    Route, Sources, SubjectSource, Trace,
};

use super::Args;
use super::known::Asked;
use crate::bundle::{Checked, Wrong, meant};
use crate::output;
use crate::stop::{Exit, Stop};

/// The name under which the sentences of the command line appear in diagnostics.
const COMMAND_LINE: &str = "command-line.yaml";
/// The requester of public routes.
const ANYONE: &str = "anyone";
/// Whoever a route about nobody in particular is about.
static NOBODY: SubjectState = SubjectState { subject: SubjectRef::from_bytes([0; 16]), events: Vec::new() };

/// One request, and whom it is about.
pub(super) struct Story {
    pub(super) requester: RequesterId,
    pub(super) receives_as: RecipientId,
    pub(super) purpose: Purpose,
    pub(super) route: Route,
    /// Why the request is refused before any rule is asked.
    pub(super) refused: Option<Reason>,
    /// To whom the request goes on, when it leaves.
    destination: Option<RecipientId>,
    people: Vec<Whom>,
    request_facts: Facts,
    own: bool,
    at: Moment,
}

/// Somebody.
enum Whom {
    /// A route about nobody in particular.
    Anonymous,
    /// Somebody whom the ledger does not know.
    Unresolved,
    /// Somebody of whom it holds this.
    Known { name: String, state: SubjectState },
}

/// What is said to one data class of one person, on one side.
pub(super) struct Answer {
    pub(super) person: Option<String>,
    pub(super) act: Act,
    pub(super) recipient: RecipientId,
    pub(super) class: DataClass,
    pub(super) trace: Trace,
    /// What was known.
    pub(super) facts: Facts,
}

impl Story {
    /// Reads the command line against the bundle.
    pub(super) fn read(args: &Args, checked: &Checked) -> Result<Self, Stop> {
        let bundle = checked.bundle();
        let route = route(&args.route, bundle)?;
        let requester = RequesterId::new(&args.requester);
        let receives_as = receives_as(&requester, args.own, bundle)?;
        let purpose = match (&args.purpose, &route.purpose) {
            (Some(purpose), _) | (None, PurposeRule::Fixed(purpose)) => purpose.clone(),
            (None, rule) => {
                let several: Vec<_> = served(rule).map(Purpose::as_str).collect();
                let what = format!("`{}` serves more than one purpose", route.id);
                return Err(Stop::because(Exit::UNASKED, what)
                    .help(format!("add --purpose, one of {} or below", several.join(", "))));
            }
        };
        if !bundle.vocabulary.knows_purpose(&purpose) {
            let what = format!("the bundle's vocabulary has no purpose `{purpose}`");
            let stop = Stop::because(Exit::UNASKED, what);
            return Err(match meant(&purpose, Some(checked)) {
                Some(help) => stop.help(help),
                None => stop,
            });
        }
        let refused = refused(bundle, &requester, &purpose, route);
        let destination = destination(args, bundle, route)?;
        let people = people(args, checked, route)?;
        let request_facts = request_facts(&args.facts, &checked.engine)?;
        let at = args.at.unwrap_or_else(output::now);
        let route = route.clone();
        let own = args.own;
        Ok(Self {
            requester,
            receives_as,
            purpose,
            route,
            refused,
            destination,
            people,
            request_facts,
            own,
            at,
        })
    }

    /// Asks the engine for every class, side and person.
    pub(super) fn answers(&self, engine: &Engine) -> Vec<Answer> {
        let vocabulary = &engine.bundle().vocabulary;
        let reads = match &self.destination {
            Some(_) => Act::Obtain,
            None if vocabulary.is_outside(&self.receives_as) => Act::Disclose,
            None => Act::Read,
        };
        let brings = match (&self.route.message, &self.destination) {
            (Some(_), _) => Act::Send,
            (None, Some(_)) => Act::Disclose,
            (None, None) => Act::Collect,
        };
        let to = self.destination.clone().unwrap_or_else(|| self.route.collector());
        let sides = [
            (brings, to, self.route.request_classes()),
            (reads, self.receives_as.clone(), self.route.response_classes().to_vec()),
        ];
        let mut out = Vec::new();
        for whom in &self.people {
            for (act, recipient, classes) in &sides {
                out.extend(classes.iter().filter_map(|id| self.answer(engine, whom, *act, recipient, *id)));
            }
        }
        out
    }

    fn answer(
        &self,
        engine: &Engine,
        whom: &Whom,
        act: Act,
        recipient: &RecipientId,
        id: ClassId,
    ) -> Option<Answer> {
        let service = &engine.bundle().service;
        let (state, name) = match whom {
            Whom::Unresolved => (None, None),
            Whom::Anonymous => (Some(&NOBODY), None),
            Whom::Known { name, state } => (Some(state), Some(name.clone())),
        };
        // In which capacity somebody gave it, only the ledger may know.
        let capacity = state.and_then(|s| attribute(s, "type", self.at)).map(SubjectType::new);
        let id = service.class_for(id, capacity.as_ref()).unwrap_or(id);
        let class = service.class(id)?.clone();
        let question = Question {
            requester: self.requester.clone(),
            recipient: recipient.clone(),
            act,
            purpose: self.purpose.clone(),
            class: id,
        };
        let mut facts = self.request_facts.clone();
        facts.set_bool(engine.bundle().facts.core.own, self.own);
        let asked = Asked { engine, question: &question, class: &class, state, at: self.at };
        let (facts, known) = asked.facts(facts);
        let person = if matches!(whom, Whom::Anonymous) { Person::ANONYMOUS } else { known };
        let trace = engine.trace(&question, &facts, person, self.at);
        Some(Answer { person: name, act, recipient: recipient.clone(), class, trace, facts })
    }
}

fn route<'a>(wanted: &str, bundle: &'a Bundle) -> Result<&'a Route, Stop> {
    let routes = &bundle.service.routes;
    routes.iter().find(|r| *r.id == *wanted).ok_or_else(|| {
        let known: Vec<_> = routes.iter().map(|r| format!("\n        {}", r.id)).collect();
        Stop::because(Exit::UNASKED, format!("the bundle has no route `{wanted}`"))
            .help(format!("it has{}", known.concat()))
    })
}

fn receives_as(requester: &RequesterId, own: bool, bundle: &Bundle) -> Result<RecipientId, Stop> {
    if own {
        return Ok(RecipientId::new(RecipientClass::Subject.code()));
    }
    match bundle.requesters.get(requester) {
        Some(def) => Ok(def.receives_as.clone()),
        None if requester.as_str() == ANYONE => Ok(RecipientId::new(RecipientClass::Public.code())),
        None => {
            let known: Vec<_> = bundle.requesters.keys().map(RequesterId::as_str).collect();
            Err(Stop::because(Exit::UNASKED, format!("the bundle registers no requester `{requester}`"))
                .help(format!("it registers {}, and `{ANYONE}` on public routes", known.join(", "))))
        }
    }
}

/// To whom a request on a route goes on: the route says it, or `--to` where the path does.
fn destination(args: &Args, bundle: &Bundle, route: &Route) -> Result<Option<RecipientId>, Stop> {
    let named = match (&route.to, &args.to) {
        (None, None) => return Ok(None),
        (Some(Destination::Fixed(recipient)), None) => recipient.clone(),
        (Some(Destination::Path(_)), Some(name)) => RecipientId::new(name),
        (Some(Destination::Path(_)), None) => {
            let what = format!("the path of `{}` names a recipient", route.id);
            return Err(Stop::because(Exit::UNASKED, what).help("say which one: --to RECIPIENT"));
        }
        (None | Some(Destination::Fixed(_)), Some(_)) => {
            let what = format!("the path of `{}` names no recipient", route.id);
            return Err(Stop::because(Exit::UNASKED, what).help("leave out --to"));
        }
    };
    if bundle.recipients.contains_key(&named) {
        return Ok(Some(named));
    }
    let known: Vec<_> = bundle.recipients.keys().map(RecipientId::as_str).collect();
    Err(Stop::because(Exit::UNASKED, format!("the bundle registers no recipient `{named}`"))
        .help(format!("it registers {}", known.join(", "))))
}

/// The purposes that a route serves.
fn served(rule: &PurposeRule) -> Box<dyn Iterator<Item = &Purpose> + '_> {
    match rule {
        PurposeRule::Fixed(purpose) => Box::new(std::iter::once(purpose)),
        PurposeRule::OneOf(several) => Box::new(several.iter()),
        PurposeRule::By { values, .. } => Box::new(values.values()),
    }
}

fn refused(bundle: &Bundle, requester: &RequesterId, purpose: &Purpose, route: &Route) -> Option<Reason> {
    let covers = |above: &Purpose| bundle.vocabulary.covers(above, purpose);
    let is_served = match &route.purpose {
        PurposeRule::OneOf(several) => several.iter().any(covers),
        fixed @ (PurposeRule::Fixed(_) | PurposeRule::By { .. }) => served(fixed).any(|p| p == purpose),
    };
    if !is_served {
        return Some(Reason::PurposeOutsideRoute);
    }
    match bundle.requesters.get(requester) {
        Some(def) if def.purposes.iter().any(covers) => None,
        // Rights are the person's own, and a public route asks nobody what for.
        Some(_) if route.right.is_some() || route.public => None,
        Some(_) => Some(Reason::PurposeOutsideRequester),
        None if route.public => None,
        None => Some(Reason::TokenMissing),
    }
}

fn people(args: &Args, checked: &Checked, route: &Route) -> Result<Vec<Whom>, Stop> {
    let given = sentences(args, checked, route)?;
    if route
        .about
        .as_ref()
        .is_none_or(|a| matches!(a.subject, SubjectSource::Anonymous | SubjectSource::Population { .. }))
    {
        return Ok(vec![Whom::Anonymous]);
    }
    let mut names = args.about.clone();
    if names.is_empty() {
        for sentence in &given {
            if !names.contains(&sentence.person) {
                names.push(sentence.person.clone());
            }
        }
    }
    if names.is_empty() {
        return Ok(vec![Whom::Unresolved]);
    }
    let topmost = checked.bundle().vocabulary.topmost_purposes();
    // Each counts by its own date: nobody says when it was recorded.
    let recorded_at = Moment::BEGINNING;
    let events = |name: &str| -> Vec<RecordedEvent> {
        let told = given.iter().filter(|g| g.person == name).flat_map(|g| g.events_for(&topmost));
        let numbered = (1..).map(LedgerRevision).zip(told);
        numbered.map(|(revision, event)| RecordedEvent { revision, recorded_at, event }).collect()
    };
    let known = names.into_iter().map(|name| {
        let state = SubjectState { subject: SubjectRef::from_bytes([0; 16]), events: events(&name) };
        Whom::Known { name, state }
    });
    Ok(known.collect())
}

/// Reads the sentences as the sentences of a case that stands beside the bundle's own.
fn sentences(args: &Args, checked: &Checked, route: &Route) -> Result<Vec<Given>, Stop> {
    if args.given.is_empty() {
        return Ok(Vec::new());
    }
    let Some(clause) = checked.bundle().clauses.first() else {
        return Err(Stop::because(Exit::NO, "a bundle without clauses has no cases, and no sentences"));
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let list: String = args.given.iter().map(|s| format!("      - {}\n", quoted(s))).collect();
    let text = format!(
        "cases:\n  - case: explain\n    clause: {}\n    who: {ANYONE}\n    asks: {}\n    about: nobody\n    then: allow\n    given:\n{list}",
        quoted(&clause.id),
        quoted(&route.id),
    );
    let own = checked.sources.iter().filter(|(name, _)| *name != COMMAND_LINE);
    let sources = Sources::from_texts(own.chain([(COMMAND_LINE, text.as_str())]));
    match Bundle::read(&sources) {
        Ok(bundle) => {
            let case =
                bundle.cases.into_iter().find(|c| c.name == "explain" && c.given.len() == args.given.len());
            Ok(case.map(|c| c.given).unwrap_or_default())
        }
        Err(found) => Err(Wrong::Found(found).stop(&args.bundle)),
    }
}

/// What the request states when nothing else is said: no signal, no reference, nobody identified.
fn request_facts(stated: &[String], engine: &Engine) -> Result<Facts, Stop> {
    let bundle = engine.bundle();
    let (schema, core) = (&bundle.facts.schema, &bundle.facts.core);
    let mut facts = engine.facts();
    for id in [core.gpc, core.legal, core.approver] {
        facts.set_bool(id, false);
    }
    for (target, from) in &bundle.facts.from {
        match (target, from) {
            (FactTarget::Fact(id), FactFrom::Presence(_)) => facts.set_bool(*id, false),
            (FactTarget::Fact(id), FactFrom::Constant(value)) => facts.set(*id, Some(*value)),
            (FactTarget::Fact(_), FactFrom::Request(_) | FactFrom::Attribute(_))
            | (FactTarget::Operand(_), _) => {}
        }
    }
    facts.set_word(schema, core.assurance, "none");
    for text in stated {
        let (name, value) = text.split_once('=').unwrap_or((text, "true"));
        let id = schema.id(name).filter(|_| name.starts_with("request."));
        let set = id.and_then(|id| Some((id, schema.def(id)?)));
        let wrong = |what: String| Stop::because(Exit::UNASKED, what);
        let Some((id, def)) = set else {
            let known: Vec<_> =
                schema.iter().map(|(_, d)| &*d.name).filter(|n| n.starts_with("request.")).collect();
            return Err(wrong(format!("the request has no fact `{name}`"))
                .help(format!("it has {}", known.join(", "))));
        };
        match (&def.ty, value) {
            (FactType::Bool, "true") => facts.set_bool(id, true),
            (FactType::Bool, "false") => facts.set_bool(id, false),
            (FactType::Bool, _) => return Err(wrong(format!("`{name}` is true or false"))),
            (FactType::Int, number) => match number.parse() {
                Ok(number) => facts.set(id, Some(FactValue::Int(number))),
                Err(_) => return Err(wrong(format!("`{name}` is a whole number"))),
            },
            (FactType::Word(words) | FactType::Level(words), word) if words.iter().any(|w| **w == *word) => {
                facts.set_word(schema, id, word);
            }
            (FactType::Word(words) | FactType::Level(words), _) => {
                let words: Vec<_> = words.iter().map(|w| &**w).collect();
                return Err(wrong(format!("`{name}` is one of {}", words.join(", "))));
            }
        }
    }
    Ok(facts)
}

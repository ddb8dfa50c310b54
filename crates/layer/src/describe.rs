//! Route, requester and purpose → a described access.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use consentry_audit::{PurposeSource, RecordId};
use consentry_identity::Claims;
use consentry_model::{Act, ClassId, Lineage, Moment, Proof, Purpose, Reason, RecipientId, RequesterId};
use consentry_policy::{
    About, BuiltIn, Bundle, Destination, FactFrom, FactTarget, Question, Reference, RequesterDef, Route,
    SubjectSource, Values,
};

use crate::asking::Asking;
use crate::duties::does_something;
use crate::head::Head;
use crate::naming::Named;
use crate::purposes::purpose_of;
use crate::request::Brought;
use crate::slot::Installed;
use crate::stated::{Found, Stated};

/// Whoever calls a public route without a token.
const ANYONE: &str = "anyone";

/// What is known of a request so far; evidence of a refusal names no more than this.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// Its evidence.
    pub(crate) ticket: Option<RecordId>,
    pub(crate) requester: Option<RequesterId>,
    /// By what the requester proved its name; nothing where the request is answered to anyone.
    pub(crate) proof: Option<Proof>,
    pub(crate) recipient: Option<RecipientId>,
    pub(crate) purpose: Option<(Purpose, PurposeSource)>,
    pub(crate) route: Option<Arc<str>>,
    pub(crate) act: Option<Act>,
    /// Whether the caller may be told reasons that depend on a person.
    pub(crate) told_reasons: bool,
    /// Where the ruling is reported and not carried out: whether anything went through on that account.
    pub(crate) spared: Option<Arc<AtomicBool>>,
}

impl Known {
    /// Whether the ruling is reported and not carried out.
    pub(crate) const fn report_only(&self) -> bool {
        self.spared.is_some()
    }

    /// Notes whether something goes through that would not if the ruling were carried out.
    pub(crate) fn note_spared(&self, is_spared: bool) {
        if let Some(spared) = self.spared.as_ref().filter(|_| is_spared) {
            spared.store(true, Ordering::Relaxed);
        }
    }

    /// The status that the route answers refusals with, instead of a problem.
    pub(crate) fn refused_status(&self, bundle: &Bundle) -> Option<u16> {
        let route = bundle.service.routes.iter().find(|r| Some(&r.id) == self.route.as_ref())?;
        route.refused_status
    }
}

/// A request of which everything but the data itself is known.
pub(crate) struct Access {
    pub(crate) installed: Arc<Installed>,
    pub(crate) route: usize,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) claims: Option<Arc<Claims>>,
    pub(crate) requester: RequesterId,
    /// In which capacity an answer is received.
    pub(crate) recipient: RecipientId,
    /// What is done with an answer.
    pub(crate) act: Act,
    pub(crate) purpose: Purpose,
    pub(crate) lineage: Lineage,
    /// What the request states, everything about the person unknown.
    pub(crate) stated: Stated,
    /// To whom the request goes on, when it leaves.
    pub(crate) destination: Option<RecipientId>,
    /// The identifier by which the request names its subject; it is compared, and goes nowhere else.
    pub(crate) named: Option<Arc<str>>,
    /// With which evidence goes together what the request says to the ledger.
    pub(crate) ticket: Option<RecordId>,
    pub(crate) now: Moment,
}

/// The position of a route, and the variables of its path.
pub(crate) type FoundRoute = Option<(usize, BTreeMap<String, String>)>;

/// Finds the route; a request that matches none has none. A path that a service may take for another route's has two
/// readings.
pub(crate) fn find_route(installed: &Installed, head: &Head) -> Result<FoundRoute, Reason> {
    let service = &installed.engine.bundle().service;
    let segments: Vec<&str> = head.segments.iter().map(String::as_str).collect();
    let on = |method: &str| service.find_on(head.host.as_deref(), method, &segments);
    // What may be read may be asked about, unless asking does something.
    let is_head = head.method == http::Method::HEAD;
    let of_get = || on("GET").filter(|f| is_head && !does_something(installed, f.route));
    let Some(found) = on(head.method.as_str()).or_else(of_get) else { return Ok(None) };
    if service.may_be_another(found.route, &segments) {
        return Err(Reason::HeadMalformed);
    }
    let variables = found.variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let at = service.routes.iter().position(|r| std::ptr::eq(r, found.route));
    Ok(at.map(|at| (at, variables)))
}

impl Access {
    /// Describes a request on a route, or says why it cannot be described. What is learnt on the way stands in `known`.
    pub(crate) fn describe(
        installed: &Arc<Installed>,
        found: Option<(usize, BTreeMap<String, String>)>,
        head: &Head,
        claims: Option<Arc<Claims>>,
        brought: Option<&Brought>,
        now: Moment,
        known: &mut Known,
    ) -> Result<Self, Reason> {
        let bundle = installed.engine.bundle();
        if let Some(claims) = &claims {
            known.requester = Some(claims.requester.clone());
            known.proof = Some(claims.proof);
        }
        let hosts = &bundle.settings.hosts;
        if !hosts.is_empty() && !head.host.as_ref().is_some_and(|host| hosts.contains(host)) {
            return Err(Reason::NoApplicablePolicy);
        }
        let (at, variables) = found.ok_or(Reason::RouteUnknown)?;
        let route = bundle.service.routes.get(at).ok_or(Reason::RouteUnknown)?;
        known.route = Some(Arc::clone(&route.id));
        let registered =
            claims.as_ref().map(|c| bundle.requesters.get(&c.requester).ok_or(Reason::RequesterUnknown));
        let registered = registered.transpose()?;
        let (purpose, source) = purpose_of(bundle, route, head, &variables, claims.as_deref(), brought)?;
        known.purpose = Some((purpose.clone(), source));
        let lineage = bundle.vocabulary.lineage(&purpose).ok_or(Reason::PurposeUnknown)?;
        let (claims, requester, recipient) = receiver(bundle, route, claims, registered, &purpose, known)?;
        let destination = destination(bundle, route, &variables)?;
        let act = if destination.is_some() {
            Act::Obtain
        } else if bundle.vocabulary.is_outside(&recipient) {
            Act::Disclose
        } else {
            Act::Read
        };
        known.requester = Some(requester.clone());
        known.proof = claims.as_ref().map(|claims| claims.proof);
        known.recipient = Some(destination.clone().unwrap_or_else(|| recipient.clone()));
        let brings = brings_by(route, destination.is_some());
        known.act = Some(if route.response_classes().is_empty() { brings } else { act });
        let mut access = Self {
            installed: Arc::clone(installed),
            route: at,
            variables,
            claims,
            requester,
            recipient,
            act,
            purpose,
            lineage,
            stated: Stated {
                facts: installed.engine.facts(),
                values: Values::default(),
                unreadable: Vec::new(),
            },
            destination,
            named: None,
            ticket: known.ticket,
            now,
        };
        access.state_request(head);
        Ok(access)
    }

    /// Decides at this time. A body may take long to come and the ledger to answer, and whatever it holds by then is known:
    /// it must not seem to be still to come. A token may end meanwhile.
    pub(crate) fn pass_time(&mut self, now: Moment) -> Result<(), Reason> {
        self.now = self.now.max(now);
        let ended = self.claims.as_ref().is_some_and(|claims| claims.expires <= self.now);
        if ended { Err(Reason::TokenExpired) } else { Ok(()) }
    }

    pub(crate) fn route(&self) -> Result<&Route, Reason> {
        self.installed.engine.bundle().service.routes.get(self.route).ok_or(Reason::RouteUnknown)
    }

    /// Whom the route is about.
    pub(crate) fn about(&self) -> Option<&About> {
        self.route().ok().and_then(|r| r.about.as_ref())
    }

    /// What is done with what the request brings, and for whom.
    pub(crate) fn bringing(&self) -> Asking {
        let act = self.route().map_or(Act::Collect, |route| brings_by(route, self.destination.is_some()));
        let recipient = self.destination.clone().unwrap_or_else(|| RecipientId::new("internal"));
        Asking::new(act, recipient, self.lineage.clone())
    }

    /// What is done with what is answered, and for whom.
    pub(crate) fn answering(&self) -> Asking {
        Asking::new(self.act, self.recipient.clone(), self.lineage.clone())
    }

    /// The question about one data class.
    pub(crate) fn question(&self, asking: &Asking, class: ClassId) -> Question {
        Question {
            requester: self.requester.clone(),
            recipient: asking.recipient.clone(),
            act: asking.act,
            purpose: asking.purpose().clone(),
            class,
        }
    }

    fn state_request(&mut self, head: &Head) {
        let bundle = Arc::clone(&self.installed);
        let bundle = bundle.engine.bundle();
        let (book, zone) = (&bundle.facts, &bundle.settings.zone);
        let (core, schema) = (&book.core, &book.schema);
        let assurance = self.claims.as_ref().map_or("none", |c| c.assurance.code());
        self.stated.facts.set_word(schema, core.assurance, assurance);
        self.stated.facts.set_bool(core.gpc, head.gpc());
        self.stated.facts.set_bool(core.legal, false);
        self.stated.facts.set_bool(core.approver, false);
        if let Some(id) = book.built_in(&BuiltIn::Tls) {
            self.stated.facts.set_word(schema, id, head.transport.tls.code());
        }
        if let Some(id) = book.built_in(&BuiltIn::Signed) {
            self.stated.facts.set_bool(id, head.transport.signed);
        }
        self.state_population(head);
        for (target, from) in &book.from {
            let found = match from {
                FactFrom::Constant(value) => {
                    if let FactTarget::Fact(id) = target {
                        self.stated.facts.set(*id, Some(*value));
                    }
                    continue;
                }
                FactFrom::Request(at) => self.find(at, head),
                // A reference counts only in the hands of somebody who proved a name.
                FactFrom::Presence(at) => {
                    let there = self.find(at, head).is_reference();
                    Found::Bool(there && self.claims.is_some())
                }
                FactFrom::Attribute(_) => continue,
            };
            self.stated.state(book, *target, &found, zone);
        }
        let Ok(route) = self.route() else { return };
        for (target, at) in &route.facts.clone() {
            if !matches!(at, Reference::Body(_)) {
                let found = self.find(at, head);
                self.stated.state(book, *target, &found, zone);
            }
        }
    }

    /// About how much of its population a figure is: a parameter that narrows it makes it one about some.
    fn state_population(&mut self, head: &Head) {
        let book = &self.installed.engine.bundle().facts;
        let Some(id) = book.built_in(&BuiltIn::Population) else { return };
        let Ok(route) = self.route() else { return };
        let narrowed = route.narrows.iter().any(|name| head.parameter(name).is_some());
        let word = match self.about().map(|a| &a.subject) {
            Some(SubjectSource::Population { all: true }) if !narrowed => "all",
            Some(SubjectSource::Population { .. }) => "filtered",
            Some(_) | None => "none",
        };
        let mut facts = self.stated.facts.clone();
        facts.set_word(&book.schema, id, word);
        self.stated.facts = facts;
    }

    /// What the body states, once it has been read.
    pub(crate) fn state_body(&mut self, brought: &Brought) {
        let installed = Arc::clone(&self.installed);
        let bundle = installed.engine.bundle();
        let (book, zone) = (&bundle.facts, &bundle.settings.zone);
        let of_facts = book.from.iter().filter_map(|(target, from)| match from {
            FactFrom::Request(Reference::Body(path)) => Some((*target, brought.found(path))),
            FactFrom::Presence(Reference::Body(path)) => {
                let there = brought.found(path).is_reference();
                Some((*target, Found::Bool(there && self.claims.is_some())))
            }
            FactFrom::Request(_) | FactFrom::Presence(_) | FactFrom::Attribute(_) | FactFrom::Constant(_) => {
                None
            }
        });
        let of_facts: Vec<_> = of_facts.collect();
        let of_route = self.route().map(|route| route.facts.clone()).unwrap_or_default();
        let of_route = of_route.into_iter().filter_map(|(target, at)| {
            let Reference::Body(path) = at else { return None };
            Some((target, brought.found(&path)))
        });
        let all: Vec<_> = of_facts.into_iter().chain(of_route).collect();
        for (target, found) in all {
            self.stated.state(book, target, &found, zone);
        }
        let route = bundle.service.routes.get(self.route);
        if let Some((route, message)) = route.and_then(|route| Some((route, route.message.as_ref()?))) {
            crate::message::state(bundle, route, message, brought, &mut self.stated.facts);
        }
    }

    /// What stands at a place of the head.
    fn find(&self, at: &Reference, head: &Head) -> Found {
        let text = |text: Option<String>| text.filter(|t| !t.is_empty()).map_or(Found::Nothing, Found::Text);
        match at {
            Reference::Path(name) => text(self.variables.get(name).cloned()),
            Reference::Query(name) => match head.parameter(name) {
                Some(parameter) if parameter.value.is_none() => Found::Unreadable,
                parameter => text(parameter.and_then(|p| p.value.clone())),
            },
            Reference::Header(name) => match head.header(name) {
                None if head.has(name) => Found::Unreadable,
                line => text(line.map(str::to_owned)),
            },
            Reference::Cookie(name) => match head.cookie(name) {
                Named::Absent => Found::Nothing,
                Named::Unreadable => Found::Unreadable,
                Named::As(value) => Found::Text(value),
            },
            Reference::Token(name) => match self.claims.as_ref().and_then(|c| c.others.get(name)) {
                None if self.claims.as_ref().is_some_and(|c| c.unreadable.contains(name)) => {
                    Found::Unreadable
                }
                None => Found::Nothing,
                Some(texts) => match &texts[..] {
                    [one] => text(Some(one.clone())),
                    several => Found::Texts(several.to_vec()),
                },
            },
            Reference::Body(_) | Reference::Item(_) | Reference::Addressees(_) => Found::Nothing,
        }
    }
}

/// In whose name the request is answered, and in which capacity the answer is received.
fn receiver(
    bundle: &Bundle,
    route: &Route,
    claims: Option<Arc<Claims>>,
    registered: Option<&RequesterDef>,
    purpose: &Purpose,
    known: &mut Known,
) -> Result<(Option<Arc<Claims>>, RequesterId, RecipientId), Reason> {
    let covers = |above: &Purpose| bundle.vocabulary.covers(above, purpose);
    // A token may still say a former name. One that nobody knows allows nothing.
    let allows = |above: &Purpose| bundle.vocabulary.resolve(above).is_some_and(|above| covers(&above));
    let named = claims.zip(registered).map(|(claims, definition)| {
        let allowed = if !definition.purposes.iter().any(covers) {
            Err(Reason::PurposeOutsideRequester)
        } else if !claims.allow(allows) {
            Err(Reason::PurposeOutsideToken)
        } else {
            Ok(())
        };
        (claims, definition, allowed)
    });
    Ok(match named {
        Some((claims, definition, Ok(()))) => {
            known.told_reasons = definition.told_reasons;
            let requester = claims.requester.clone();
            (Some(claims), requester, definition.receives_as.clone())
        }
        // On a public route whoever may not ask in a name of its own asks as anyone.
        Some((.., Err(reason))) if !route.public => return Err(reason),
        None if !route.public => return Err(Reason::TokenMissing),
        Some(_) | None => (None, RequesterId::new(ANYONE), RecipientId::new("public")),
    })
}

/// What is done with what a request brings.
fn brings_by(route: &Route, leaves: bool) -> Act {
    match (&route.message, leaves) {
        (Some(_), _) => Act::Send,
        (None, true) => Act::Disclose,
        (None, false) => Act::Collect,
    }
}

/// To whom the request goes on. A name that the bundle does not register is nobody.
fn destination(
    bundle: &Bundle,
    route: &Route,
    variables: &BTreeMap<String, String>,
) -> Result<Option<RecipientId>, Reason> {
    let name = match &route.to {
        None => return Ok(None),
        Some(Destination::Fixed(recipient)) => recipient.clone(),
        Some(Destination::Path(variable)) => {
            RecipientId::new(variables.get(variable).ok_or(Reason::RecipientUnknown)?)
        }
    };
    if bundle.recipients.contains_key(&name) { Ok(Some(name)) } else { Err(Reason::RecipientUnknown) }
}

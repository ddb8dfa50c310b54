//! Route, requester and purpose → a described access.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_audit::PurposeSource;
use consentry_identity::{Claims, declared_purpose};
use consentry_model::{Act, ClassId, Facts, Lineage, Moment, Purpose, Reason, RecipientId, RequesterId};
use consentry_policy::{About, PurposeRule, Question, Reference, Route};

use crate::head::Head;
use crate::slot::Installed;

/// Whoever calls a public route without a token.
const ANYONE: &str = "anyone";

/// What is known of a request so far; evidence of a refusal names no more than this.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) requester: Option<RequesterId>,
    pub(crate) recipient: Option<RecipientId>,
    pub(crate) purpose: Option<(Purpose, PurposeSource)>,
    pub(crate) route: Option<Arc<str>>,
    pub(crate) act: Option<Act>,
    /// Whether the caller may be told reasons that depend on a person.
    pub(crate) told_reasons: bool,
}

/// A request of which everything but the data itself is known.
pub(crate) struct Access {
    pub(crate) installed: Arc<Installed>,
    route: usize,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) claims: Option<Claims>,
    pub(crate) requester: RequesterId,
    /// In which capacity an answer is received.
    pub(crate) recipient: RecipientId,
    /// What is done with an answer.
    pub(crate) act: Act,
    pub(crate) purpose: Purpose,
    pub(crate) lineage: Lineage,
    /// What the request states, everything about the person unknown.
    pub(crate) request_facts: Facts,
    pub(crate) now: Moment,
}

/// Finds the route; a request that matches none has none.
pub(crate) fn find_route(installed: &Installed, head: &Head) -> Option<(usize, BTreeMap<String, String>)> {
    let service = &installed.engine.bundle().service;
    let segments: Vec<&str> = head.segments.iter().map(String::as_str).collect();
    let found = service.find(head.method.as_str(), &segments)?;
    let variables = found.variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let at = service.routes.iter().position(|r| std::ptr::eq(r, found.route))?;
    Some((at, variables))
}

impl Access {
    /// Describes a request on a route, or says why it cannot be described. What is learnt on the way stands in `known`.
    pub(crate) fn describe(
        installed: &Arc<Installed>,
        found: Option<(usize, BTreeMap<String, String>)>,
        head: &Head,
        claims: Option<Claims>,
        now: Moment,
        known: &mut Known,
    ) -> Result<Self, Reason> {
        let bundle = installed.engine.bundle();
        if let Some(claims) = &claims {
            known.requester = Some(claims.requester.clone());
        }
        let (at, variables) = found.ok_or(Reason::RouteUnknown)?;
        let route = bundle.service.routes.get(at).ok_or(Reason::RouteUnknown)?;
        known.route = Some(Arc::clone(&route.id));
        let registered =
            claims.as_ref().map(|c| bundle.requesters.get(&c.requester).ok_or(Reason::RequesterUnknown));
        let registered = registered.transpose()?;
        let (purpose, source) = purpose_of(bundle, route, head, claims.as_ref())?;
        known.purpose = Some((purpose.clone(), source));
        let lineage = bundle.vocabulary.lineage(&purpose).ok_or(Reason::PurposeUnknown)?;
        let covers = |above: &[Purpose]| above.iter().any(|p| bundle.vocabulary.covers(p, &purpose));
        let named = claims.zip(registered).map(|(claims, definition)| {
            let allowed = if !covers(&definition.purposes) {
                Err(Reason::PurposeOutsideRequester)
            } else if !covers(&claims.token_purposes) {
                Err(Reason::PurposeOutsideToken)
            } else {
                Ok(())
            };
            (claims, definition, allowed)
        });
        let (claims, requester, recipient) = match named {
            Some((claims, definition, Ok(()))) => {
                known.told_reasons = definition.told_reasons;
                let requester = claims.requester.clone();
                (Some(claims), requester, definition.receives_as.clone())
            }
            // On a public route whoever may not ask in a name of its own asks as anyone.
            Some((.., Err(reason))) if !route.public => return Err(reason),
            None if !route.public => return Err(Reason::TokenMissing),
            Some(_) | None => (None, RequesterId::new(ANYONE), RecipientId::new("public")),
        };
        let act = if bundle.vocabulary.recipient_is(recipient.as_str(), "external") {
            Act::Disclose
        } else {
            Act::Read
        };
        known.requester = Some(requester.clone());
        known.recipient = Some(recipient.clone());
        known.act = Some(if route.response_classes().is_empty() { Act::Collect } else { act });
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
            request_facts: installed.engine.facts(),
            now,
        };
        access.state_request_facts(head);
        Ok(access)
    }

    pub(crate) fn route(&self) -> Result<&Route, Reason> {
        self.installed.engine.bundle().service.routes.get(self.route).ok_or(Reason::RouteUnknown)
    }

    /// Whom the route is about.
    pub(crate) fn about(&self) -> Option<&About> {
        self.route().ok().and_then(|r| r.about.as_ref())
    }

    /// The question about one data class of what the request brings.
    pub(crate) fn collects(&self, class: ClassId) -> Question {
        self.question(Act::Collect, RecipientId::new("internal"), self.purpose.clone(), class)
    }

    /// The question about one data class of what is answered.
    pub(crate) fn answers(&self, class: ClassId) -> Question {
        self.question(self.act, self.recipient.clone(), self.purpose.clone(), class)
    }

    pub(crate) fn question(
        &self,
        act: Act,
        recipient: RecipientId,
        purpose: Purpose,
        class: ClassId,
    ) -> Question {
        Question { requester: self.requester.clone(), recipient, act, purpose, class }
    }

    fn state_request_facts(&mut self, head: &Head) {
        let bundle = self.installed.engine.bundle();
        let (core, schema, facts) = (&bundle.core, &bundle.schema, &mut self.request_facts);
        let assurance = self.claims.as_ref().map_or("none", |c| c.assurance.code());
        facts.set_word(schema, core.assurance, assurance);
        facts.set_bool(core.gpc, head.gpc());
        for (name, reference) in &bundle.references {
            let Some(id) = schema.id(name) else { continue };
            let there = match reference {
                Reference::Header(name) => head.header(name).is_some_and(|v| !v.is_empty()),
                Reference::Query(name) => {
                    head.parameter(name).is_some_and(|p| p.value.as_ref().is_some_and(|v| !v.is_empty()))
                }
                Reference::Path(_) | Reference::Body(_) | Reference::Item(_) => false,
            };
            // A reference counts only in the hands of somebody who proved a name.
            facts.set_bool(id, there && self.claims.is_some());
        }
    }
}

fn purpose_of(
    bundle: &consentry_policy::Bundle,
    route: &Route,
    head: &Head,
    claims: Option<&Claims>,
) -> Result<(Purpose, PurposeSource), Reason> {
    let declared = declared_purpose(&head.lines("data-purpose"))?;
    if let Some(declared) = &declared
        && !bundle.vocabulary.knows_purpose(declared)
    {
        return Err(Reason::PurposeUnknown);
    }
    match (&route.purpose, declared) {
        (PurposeRule::Fixed(fixed), None) => Ok((fixed.clone(), PurposeSource::Route)),
        (PurposeRule::Fixed(fixed), Some(declared)) if *fixed == declared => {
            Ok((declared, PurposeSource::Header))
        }
        (PurposeRule::Fixed(_), Some(_)) => Err(Reason::PurposeOutsideRoute),
        (PurposeRule::OneOf(served), declared) => {
            let (purpose, source) = match (declared, claims.map(|c| c.token_purposes.as_slice())) {
                (Some(declared), _) => (declared, PurposeSource::Header),
                (None, Some([only])) => (only.clone(), PurposeSource::Token),
                (None, _) => return Err(Reason::PurposeMissing),
            };
            let covered = served.iter().any(|p| bundle.vocabulary.covers(p, &purpose));
            if covered { Ok((purpose, source)) } else { Err(Reason::PurposeOutsideRoute) }
        }
    }
}

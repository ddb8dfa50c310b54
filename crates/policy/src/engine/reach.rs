//! Every question that the service map can make: what is compiled when a bundle is installed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;

use consentry_model::{Act, ClassId, Purpose, RecipientId, RequesterId, SubjectType};

use super::decide::Question;
use super::kept::Mix;
use crate::bundle::{ANYONE, Body, Bundle, Destination, PurposeRule, Route};

/// The questions, each once, in their order.
pub(crate) fn questions(bundle: &Bundle) -> Vec<Question> {
    let mut out = Asked::default();
    for route in &bundle.service.routes {
        let purposes = purposes(bundle, route);
        for Asker { requester, receives_as, allowed } in askers(bundle, route) {
            let may = |purpose: &&Purpose| {
                allowed.is_none_or(|above| above.iter().any(|p| bundle.vocabulary.covers(p, purpose)))
            };
            let asked: Vec<&Purpose> = purposes.iter().filter(may).collect();
            if asked.is_empty() {
                continue;
            }
            for (act, recipient, class) in data(bundle, route, &receives_as) {
                out.add(&requester, &recipient, act, &asked, class);
            }
            cookies(bundle, route, &requester, &mut out);
        }
    }
    out.questions()
}

/// Questions, with numbers for names: there are many questions and few names.
#[derive(Default)]
struct Asked {
    requesters: BTreeMap<RequesterId, u32>,
    recipients: BTreeMap<RecipientId, u32>,
    purposes: BTreeMap<Purpose, u32>,
    all: HashSet<(u32, u32, Act, u32, ClassId), BuildHasherDefault<Mix>>,
}

impl Asked {
    fn add(
        &mut self,
        requester: &RequesterId,
        recipient: &RecipientId,
        act: Act,
        purposes: &[&Purpose],
        class: ClassId,
    ) {
        let requester = number(&mut self.requesters, requester);
        let recipient = number(&mut self.recipients, recipient);
        for purpose in purposes {
            let purpose = number(&mut self.purposes, purpose);
            self.all.insert((requester, recipient, act, purpose, class));
        }
    }

    fn questions(self) -> Vec<Question> {
        let Self { requesters, recipients, purposes, all } = self;
        let (requesters, recipients, purposes) =
            (Ranked::of(requesters), Ranked::of(recipients), Ranked::of(purposes));
        let ranked = all.into_iter().filter_map(|(requester, recipient, act, purpose, class)| {
            let purpose = purposes.rank(purpose)?;
            Some((requesters.rank(requester)?, recipients.rank(recipient)?, act, purpose, class))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_unstable();
        let named = ranked.into_iter().filter_map(|(requester, recipient, act, purpose, class)| {
            let (requester, recipient) = (requesters.name(requester)?, recipients.name(recipient)?);
            Some(Question { requester, recipient, act, purpose: purposes.name(purpose)?, class })
        });
        named.collect()
    }
}

fn number<T: Clone + Ord>(numbers: &mut BTreeMap<T, u32>, name: &T) -> u32 {
    if let Some(there) = numbers.get(name) {
        return *there;
    }
    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    numbers.insert(name.clone(), next);
    next
}

/// Names in their order, and where in it the one with some number stands.
struct Ranked<T> {
    names: Vec<T>,
    ranks: HashMap<u32, usize>,
}

impl<T: Clone> Ranked<T> {
    fn of(numbers: BTreeMap<T, u32>) -> Self {
        let ranks = numbers.values().enumerate().map(|(rank, number)| (*number, rank)).collect();
        Self { names: numbers.into_keys().collect(), ranks }
    }

    fn rank(&self, number: u32) -> Option<usize> {
        self.ranks.get(&number).copied()
    }

    fn name(&self, rank: usize) -> Option<T> {
        self.names.get(rank).cloned()
    }
}

/// For which purposes a route may be asked.
fn purposes(bundle: &Bundle, route: &Route) -> Vec<Purpose> {
    match &route.purpose {
        PurposeRule::Fixed(purpose) => vec![purpose.clone()],
        PurposeRule::OneOf(served) => {
            let all = bundle.vocabulary.purposes.keys().filter_map(|key| Purpose::new(key).ok());
            all.filter(|p| served.iter().any(|above| bundle.vocabulary.covers(above, p))).collect()
        }
        PurposeRule::By { values, .. } => values.values().cloned().collect(),
    }
}

/// Who may ask, in which capacity they receive, and for which purposes they may ask; `None` is for all.
struct Asker<'a> {
    requester: RequesterId,
    receives_as: RecipientId,
    allowed: Option<&'a [Purpose]>,
}

/// On a public route anyone may ask.
fn askers<'a>(bundle: &'a Bundle, route: &Route) -> Vec<Asker<'a>> {
    let registered = bundle.requesters.iter();
    let mut out: Vec<Asker<'a>> = registered
        .map(|(name, def)| Asker {
            requester: name.clone(),
            receives_as: def.receives_as.clone(),
            allowed: Some(&def.purposes),
        })
        .collect();
    if route.public {
        let receives_as = RecipientId::new("public");
        out.push(Asker { requester: RequesterId::new(ANYONE), receives_as, allowed: None });
    }
    out
}

/// What is done with which data classes, and to whom they go.
fn data(bundle: &Bundle, route: &Route, receives_as: &RecipientId) -> Vec<(Act, RecipientId, ClassId)> {
    let internal = route.collector();
    let reading = |to: &RecipientId| if bundle.vocabulary.is_outside(to) { Act::Disclose } else { Act::Read };
    // What a request brings: collected by the controller, sent to an addressee, or disclosed on a way out.
    let mut brought = vec![(Act::Collect, internal.clone())];
    let mut answered = vec![(reading(receives_as), receives_as.clone())];
    let named: Vec<RecipientId> = match &route.to {
        None => Vec::new(),
        Some(Destination::Fixed(recipient)) => vec![recipient.clone()],
        Some(Destination::Path(_)) => bundle.recipients.keys().cloned().collect(),
    };
    if route.to.is_some() {
        brought.extend(named.iter().map(|to| (reading(to), to.clone())));
        brought.extend(named.iter().map(|to| (Act::Disclose, to.clone())));
        answered.extend(named.iter().map(|from| (Act::Obtain, from.clone())));
        answered.extend([internal.clone(), receives_as.clone()].map(|to| (Act::Obtain, to)));
    }
    if route.message.is_some() {
        let to = ["subject", "internal", receives_as.as_str()].map(RecipientId::new);
        brought.extend(to.into_iter().chain(named).map(|to| (Act::Send, to)));
    }
    if route.response_body == Body::Page {
        answered.push((Act::Serve, receives_as.clone()));
    }
    let asked_for = route.adds.iter().map(|adds| adds.class).chain(route.response_classes().iter().copied());
    let mut out = Vec::new();
    let mut add = |ways: &[(Act, RecipientId)], class: ClassId| {
        for variant in variants(bundle, class) {
            out.extend(ways.iter().map(|(act, to)| (*act, to.clone(), variant)));
        }
    };
    let looked_for = bundle.settings.detect.iter();
    let found = looked_for.filter_map(|(_, category)| bundle.service.detected_class(route, category));
    route.request_classes().into_iter().chain(found).for_each(|class| add(&brought, class));
    asked_for.for_each(|class| add(&answered, class));
    out
}

/// A class, or what it is for a person of each type when only the ledger knows the type.
fn variants(bundle: &Bundle, class: ClassId) -> BTreeSet<ClassId> {
    let types = bundle.vocabulary.subjects.iter().map(|name| SubjectType::new(name));
    types.filter_map(|ty| bundle.service.class_for(class, Some(&ty))).collect()
}

/// A cookie is collected for its own purpose, in either direction, of whomever the route is about.
fn cookies(bundle: &Bundle, route: &Route, requester: &RequesterId, out: &mut Asked) {
    for cookie in &bundle.service.cookies {
        let class = bundle.service.cookie_class(route, cookie);
        for class in class.into_iter().flat_map(|class| variants(bundle, class)) {
            out.add(requester, &route.collector(), Act::Collect, &[&cookie.purpose], class);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decide::{Engine, Person};
    use super::*;
    use crate::text::Sources;
    use consentry_model::{Moment, Reason, Treatment};

    const BUNDLE: &str = "
bundle: {controller: Reach, policy: {version: v1, from: 2026-01-01}, detect: {pan: user.financial.credit_card, clauses: [c]}}
requesters:
  shop: {purposes: [essential.service]}
  store: {purposes: [essential.service], receives_as: processor}
recipients:
  mailer: {class: processor, country: DE}
routes:
  - route: GET /people/{id}
    purposes: [essential.service.operations, marketing]
    about: {type: customer, space: customer, id: path.id}
    response: {body: {email: user.contact.email}}
  - route: POST /people/{id}
    purpose: essential.service
    public: true
    about: {type: customer, space: customer, id: path.id}
    request: {body: {name: user.name}}
    response: {body: none}
  - route: POST /mail/{recipient}
    purpose: essential.service
    to: path.recipient
    about: {type: customer, space: customer, id: 'body.to[]'}
    message: {to: 'body.to[]', from: body.from, topic: body.topic, text: body.text}
    request: {body: {'to[]': user.contact.email, from: none, topic: none, text: none}}
    response: {body: {status: none}}
  - route: GET /fetch/{recipient}/{id}
    purpose: essential.service
    to: path.recipient
    about: {type: customer, space: customer, id: path.id}
    response: {body: {email: user.contact.email}}
cookies:
  - {name: lang, purpose: functional, data: user.device.cookie, clauses: [c]}
rules:
  - {id: yes, permit: essential.service, data: user, basis: contract, clauses: [c]}
  - {id: no, forbid: [marketing, functional], data: user, cure: never, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /people/ann, about: ann, then: refuse purpose-missing}]
";

    fn asked(question: &Question) -> String {
        let Question { requester, recipient, act, purpose, .. } = question;
        format!("{} {} {} {purpose}", requester.as_str(), recipient.as_str(), act.code())
    }

    #[test]
    fn law_1_what_the_service_map_cannot_ask_is_refused_once_everything_is_compiled() {
        let bundle = Bundle::read(&Sources::from_texts([("reach.yaml", BUNDLE)]));
        let engine = Engine::new(bundle.unwrap_or_else(|found| panic!("{found}"))).unwrap();
        let all = questions(engine.bundle());
        let found: BTreeSet<String> = all.iter().map(asked).collect();
        for there in [
            "shop internal collect essential.service",
            "anyone internal collect essential.service",
            "shop internal collect functional",
            "anyone internal collect functional",
            "shop internal read essential.service.operations.support",
            "shop mailer disclose essential.service",
            "store processor obtain essential.service",
            "store mailer send essential.service",
        ] {
            assert!(found.contains(there), "{there} of {found:#?}");
        }
        let category = |q: &Question| engine.bundle().service.class(q.class).unwrap().category.to_string();
        let looked_for =
            |act: Act| all.iter().any(|q| q.act == act && category(q) == "user.financial.credit_card");
        assert_eq!([Act::Collect, Act::Send, Act::Read].map(looked_for), [true, true, false]);
        assert!(
            !found.iter().any(|q| q.contains("marketing") || q.contains("anyone internal read")),
            "{found:#?}"
        );
        let ask = |question: &Question| {
            let now = Moment::from_unix_millis(1_790_000_000_000);
            engine.decide(question, &engine.facts(), Person::ANONYMOUS, now)
        };
        let marketing = Question { purpose: Purpose::new("marketing").unwrap(), ..all[0].clone() };
        assert_ne!(ask(&marketing).reason, Some(Reason::EvaluationError));
        let elsewhere = Question { purpose: Purpose::new("analytics").unwrap(), ..all[0].clone() };
        assert_eq!(engine.compile_all(), all.len());
        let refused = ask(&elsewhere);
        assert_eq!((refused.treatment, refused.reason), (Treatment::Withheld, Some(Reason::EvaluationError)));
        for question in &all {
            assert_ne!(ask(question).reason, Some(Reason::EvaluationError), "{question:?}");
        }
    }
}

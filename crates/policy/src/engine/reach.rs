//! Every question that the service map can make: what is compiled when a bundle is installed.

use std::collections::BTreeSet;

use consentry_model::{Act, ClassId, Purpose, RecipientId, RequesterId, SubjectType};

use super::decide::Question;
use crate::bundle::{ANYONE, Body, Bundle, Destination, PurposeRule, Route};

/// The questions, each once.
pub(crate) fn questions(bundle: &Bundle) -> Vec<Question> {
    let mut out = BTreeSet::new();
    for route in &bundle.service.routes {
        let purposes = purposes(bundle, route);
        for Asker { requester, receives_as, allowed } in askers(bundle, route) {
            let may = |purpose: &&Purpose| {
                allowed.is_none_or(|above| above.iter().any(|p| bundle.vocabulary.covers(p, purpose)))
            };
            let asked: Vec<&Purpose> = purposes.iter().filter(may).collect();
            for (act, recipient, class) in data(bundle, route, &receives_as) {
                for purpose in &asked {
                    out.insert((requester.clone(), recipient.clone(), act, (*purpose).clone(), class));
                }
            }
            if !asked.is_empty() {
                cookies(bundle, route, &requester, &mut out);
            }
        }
    }
    out.into_iter()
        .map(|(requester, recipient, act, purpose, class)| Question {
            requester,
            recipient,
            act,
            purpose,
            class,
        })
        .collect()
}

type Asked = (RequesterId, RecipientId, Act, Purpose, ClassId);

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
    let external = |to: &RecipientId| bundle.vocabulary.recipient_is(to.as_str(), "external");
    let reading = |to: &RecipientId| if external(to) { Act::Disclose } else { Act::Read };
    // What a request brings: collected by the controller, sent to an addressee, or disclosed on a way out.
    let mut brought = vec![(Act::Collect, internal.clone())];
    let mut answered = vec![(reading(receives_as), receives_as.clone())];
    match &route.to {
        None => {}
        Some(to) => {
            let named: Vec<RecipientId> = match to {
                Destination::Fixed(recipient) => vec![recipient.clone()],
                Destination::Path(_) => bundle.recipients.keys().cloned().collect(),
            };
            brought.extend(named.iter().map(|to| (reading(to), to.clone())));
            brought.extend(named.iter().map(|to| (Act::Disclose, to.clone())));
            answered.extend(named.iter().map(|from| (Act::Obtain, from.clone())));
            answered.push((Act::Obtain, internal.clone()));
        }
    }
    if route.message.is_some() {
        let to = ["subject", "internal", receives_as.as_str()].map(RecipientId::new);
        brought.extend(to.into_iter().map(|to| (Act::Send, to)));
    }
    if route.response_body == Body::Page {
        answered.push((Act::Serve, receives_as.clone()));
    }
    let asked_for = route.adds.iter().map(|adds| adds.class).chain(route.response_classes());
    let mut out = Vec::new();
    let mut add = |ways: &[(Act, RecipientId)], class: ClassId| {
        for variant in variants(bundle, class) {
            out.extend(ways.iter().map(|(act, to)| (*act, to.clone(), variant)));
        }
    };
    route.request_classes().into_iter().for_each(|class| add(&brought, class));
    asked_for.for_each(|class| add(&answered, class));
    out
}

/// A class, or what it is for a person of each type when only the ledger knows the type.
fn variants(bundle: &Bundle, class: ClassId) -> BTreeSet<ClassId> {
    let types = bundle.vocabulary.subjects.iter().map(|name| SubjectType::new(name));
    types.filter_map(|ty| bundle.service.class_for(class, Some(&ty))).collect()
}

/// A cookie is collected for its own purpose, in either direction, of whomever the route is about.
fn cookies(bundle: &Bundle, route: &Route, requester: &RequesterId, out: &mut BTreeSet<Asked>) {
    for cookie in &bundle.service.cookies {
        let class = bundle.service.cookie_class(route, cookie);
        for class in class.into_iter().flat_map(|class| variants(bundle, class)) {
            out.insert((requester.clone(), route.collector(), Act::Collect, cookie.purpose.clone(), class));
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
bundle: {controller: Reach, policy: {version: v1, from: 2026-01-01}}
requesters:
  shop: {purposes: [essential.service]}
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
        ] {
            assert!(found.contains(there), "{there} of {found:#?}");
        }
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

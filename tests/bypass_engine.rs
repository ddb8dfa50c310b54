//! What is said before a person is known must hold for every person, and what a caller is told of a refusal must not
//! depend on the person.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{
    Act, ClassId, FactSource, FactType, FactValue, Facts, Purpose, Reason, RecipientId, RequesterId,
    Treatment,
};
use consentry_policy::{Bundle, Engine, Excess, Item, Person, PurposeRule, Question, Route, Ruling, Sources};
use consentry_tests::world::{TODAY, World, contract, json, panopta, post};

/// Small numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Any state of the facts of one source: known one way or another, or unknown.
    fn throw(&mut self, engine: &Engine, facts: &mut Facts, source: FactSource) {
        for (id, def) in engine.bundle().facts.schema.iter().filter(|(_, def)| def.source == source) {
            let value = match (&def.ty, self.below(4)) {
                (_, 0) => None,
                (FactType::Bool, n) => Some(FactValue::Bool(n == 1)),
                (FactType::Int, n) => Some(FactValue::Int(i64::try_from(n * 8).unwrap())),
                (FactType::Word(words) | FactType::Level(words), _) => {
                    Some(FactValue::Word(u16::try_from(self.below(words.len())).unwrap()))
                }
            };
            facts.set(id, value);
        }
    }
}

/// Everybody whose state could matter: the best there is, the worst, and some in between.
fn people(engine: &Engine, request: &Facts, dice: &mut Dice) -> Vec<Facts> {
    let mut best = request.clone();
    let core = &engine.bundle().facts.core;
    for id in core.consent {
        best.set_bool(id, true);
    }
    for id in [core.said_no, core.erased, core.restricted, core.own] {
        best.set_bool(id, false);
    }
    best.set_word(&engine.bundle().facts.schema, core.contract, "active");
    let mut themselves = best.clone();
    themselves.set_bool(core.own, true);
    let mut erased = best.clone();
    erased.set_bool(core.erased, true);
    let mut out = vec![best, themselves, erased, request.clone()];
    for _ in 0..4 {
        let mut facts = request.clone();
        dice.throw(engine, &mut facts, FactSource::Person);
        out.push(facts);
    }
    out
}

/// Who asks, as which recipient, for what.
fn exchanges(bundle: &Bundle, route: &Route) -> Vec<(RequesterId, RecipientId, Purpose)> {
    let served = match &route.purpose {
        PurposeRule::Fixed(purpose) => vec![purpose.clone()],
        PurposeRule::OneOf(purposes) => purposes.clone(),
        PurposeRule::By { values, .. } => values.values().cloned().collect(),
    };
    let named = bundle.requesters.iter().map(|(id, r)| (id.clone(), r.receives_as.clone()));
    let anyone = [(RequesterId::new("anyone"), RecipientId::new("public"))];
    let all: Vec<_> = named.chain(anyone).collect();
    let with = |purpose: Purpose| all.iter().map(move |(r, as_)| (r.clone(), as_.clone(), purpose.clone()));
    served.into_iter().flat_map(with).collect()
}

fn check(engine: &Engine, rounds: usize) {
    let bundle = engine.bundle();
    let mut dice = Dice(7);
    let (mut hopeless_seen, mut open_seen) = (0, 0);
    for route in &bundle.service.routes {
        for (requester, recipient, purpose) in exchanges(bundle, route) {
            let internal = RecipientId::new("internal");
            let external = bundle.vocabulary.recipient_is(recipient.as_str(), "external");
            let act = if external { Act::Disclose } else { Act::Read };
            let ask = |act, recipient: &RecipientId, class: ClassId| Question {
                requester: requester.clone(),
                recipient: recipient.clone(),
                act,
                purpose: purpose.clone(),
                class,
            };
            let brings: Vec<_> =
                route.request_classes().into_iter().map(|c| ask(Act::Collect, &internal, c)).collect();
            let answers: Vec<_> = route.response_classes().iter().map(|c| ask(act, &recipient, *c)).collect();
            for _ in 0..rounds {
                let mut request = engine.facts();
                dice.throw(engine, &mut request, FactSource::Request);
                let mut told: BTreeMap<Reason, Facts> = BTreeMap::new();
                let mut yes: BTreeSet<usize> = BTreeSet::new();
                let mut hopeless = Vec::new();
                for question in brings.iter().chain(&answers) {
                    hopeless.push(engine.hopeless(question, &request, TODAY));
                }
                for person in people(engine, &request, &mut dice) {
                    let mut items = Vec::new();
                    for (at, question) in brings.iter().chain(&answers).enumerate() {
                        let verdict = engine.decide(question, &person, Person::ANONYMOUS, TODAY);
                        if verdict.treatment != Treatment::Withheld {
                            assert_eq!(hopeless[at], None, "{}: {question:?} {person:?}", route.id);
                            yes.insert(at);
                        }
                        items.push(Item { hopeless: hopeless[at], verdict: Some(verdict) });
                    }
                    let (first, second) = items.split_at(brings.len());
                    let strict = route.excess == Excess::Refuse;
                    let first = if strict { Ruling::fold_strictly(first) } else { Ruling::fold(first) };
                    if let Ruling::Refuse(refusal) = first.and(Ruling::fold(second)) {
                        told.insert(refusal.told, person);
                    }
                }
                assert!(told.len() <= 1, "{} {requester} {purpose}: {told:?}", route.id);
                open_seen += yes.len();
                hopeless_seen += hopeless.iter().flatten().count();
            }
        }
    }
    assert!(hopeless_seen > 100 && open_seen > 20, "{hopeless_seen} {open_seen}: the test must see both");
}

/// What the shipped bundle has no use for: writes of which one part depends on the person and another on nobody.
const CORNERS: &str = "
bundle: {controller: Corner Cases, policy: {version: v1, from: 2026-01-01}}
facts:
  request.order: {type: reference, from: header.X-Order}
requesters:
  shop: {purposes: [marketing, essential]}
  partner: {purposes: [marketing], receives_as: partner}
recipients:
  partner: {class: affiliate, country: DE}
routes:
  - route: POST /strict/{id}
    purposes: [marketing.communications, essential.service, analytics]
    about: {type: customer, space: customer, id: path.id}
    excess: refuse
    request: {body: {email: user.contact.email, ip: user.device.ip_address, name: user.name}}
    response: {body: {card: user.financial.credit_card, email: user.contact.email}}
  - route: POST /loose/{id}
    purposes: [marketing.communications, essential.service, analytics]
    about: {type: customer, space: customer, id: path.id}
    excess: drop
    request: {body: {email: user.contact.email, name: user.name}, query: {ip: user.device.ip_address}}
    response: {body: {card: user.financial.credit_card}}
rules:
  - {id: soft, permit: marketing.communications, data: user.contact, basis: {consent: soft-opt-in}, clauses: [c]}
  - {id: explicit, permit: analytics, data: user, as: [masked, truncated], basis: {consent: explicit},
     unless: {any: [{request.order: absent}, {subject.contract: ended}]}, clauses: [c]}
  - {id: service, permit: essential, data: [user.contact, user.device], basis: contract, clauses: [c]}
  - {id: parents, forbid: analytics, data: user.device, cure: {consent: parental}, when: {request.assurance: [none, low]}, clauses: [c]}
  - {id: signed, require: {that: {any: [{request.order: present}, {own: true}]}}, for: essential, act: read, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: POST /loose/ann, about: ann, then: refuse route-unknown}]
";

#[test]
fn law_13_what_is_hopeless_is_a_no_for_everybody_and_what_is_told_depends_on_nobody() {
    check(&Engine::new(panopta()).unwrap(), 1);
    let corners = Bundle::read(&Sources::from_texts([("corners.yaml", CORNERS)]));
    check(&Engine::new(corners.unwrap_or_else(|found| panic!("{found}"))).unwrap(), 4);
}

#[tokio::test]
async fn law_13_excess_is_refused_alike_whoever_the_person_is() {
    for (body, of_a_customer, of_nobody) in [
        (r#"{"email":"ann@example.org"}"#, (200, ""), (403, "not-permitted")),
        (
            r#"{"email":"ann@example.org","ssn":"1"}"#,
            (403, "minimisation-violation"),
            (403, "minimisation-violation"),
        ),
    ] {
        let world = World::new();
        let corners = Bundle::read(&Sources::from_texts([("corners.yaml", CORNERS)]));
        world.policy.install(Engine::new(corners.unwrap_or_else(|found| panic!("{found}"))).unwrap(), TODAY);
        world.record("customer", "c-1", &[contract()]).await;
        for (id, expected) in [("c-1", of_a_customer), ("c-2", of_nobody)] {
            let mut request = post(&format!("/strict/{id}"), body);
            let token = world.token("shop", &["essential.service"]);
            for (name, value) in [("authorization", format!("Bearer {token}")), ("x-order", "o-1".to_owned())]
            {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
            let seen = world.send(request).await;
            assert_eq!((seen.status.as_u16(), &*seen.code()), expected, "{id} {body}");
        }
    }
}

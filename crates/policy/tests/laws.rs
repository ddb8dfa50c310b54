//! The laws that belong to deciding, each as a table of questions.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use consentry_model::{
    Act, ConsentKind, ConsentState, Facts, Moment, Outcome, Purpose, Reason, RecipientId, RequesterId,
    Treatment, Verdict,
};
use consentry_policy::{
    Bundle, Engine, Impact, Item, Person, Proof, ProofOutcome, Question, Ruling, Sources,
};

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
facts:
  datum.origin: {values: [web, shop]}
  request.legal: {type: reference, from: header.Legal-Request}
  request.approver: {type: reference, from: header.Legal-Approver}
requesters:
  shop: {purposes: [essential, marketing, analytics]}
  portal: {purposes: [custom.rights], receives_as: subject}
  police: {purposes: [third_party_sharing.legal_obligation], receives_as: police}
recipients:
  police: {class: authority, country: DE}
routes:
  - route: GET /customers/{id}
    purposes: [essential, marketing, analytics, custom.survey, third_party_sharing.legal_obligation]
    about: {type: customer, space: customer, id: path.id}
    facts: {datum.origin: shop}
    response: {body: {email: user.contact.email, score: user.demographic.profile}}
rules:
  - {id: serve, permit: essential.service, data: user.contact, of: customer, basis: contract, clauses: [c]}
  - {id: write, permit: marketing.communications, data: user.contact, of: customer, basis: {consent: opt-in}, clauses: [c]}
  - {id: count, permit: analytics, data: user.contact, of: customer, basis: {legitimate_interests: lia-1}, clauses: [c]}
  - {id: ask, permit: custom.survey, data: user.contact, of: customer, basis: notice, clauses: [c]}
  - {id: never-profile, forbid: any, data: user.demographic, cure: never, clauses: [c]}
  - {id: agree-first, forbid: marketing.advertising, data: user.contact, cure: {consent: explicit}, clauses: [c]}
  - {id: proven, require: {that: {request.assurance: {at_least: low}}}, for: any, reason: identity-unverified, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /customers/ann, about: ann, then: refuse basis-lapsed}]
";

const EMAIL: &str = "user.contact.email";
const PROFILE: &str = "user.demographic.profile";

fn bundle() -> Bundle {
    Bundle::read(&Sources::from_texts([("laws.yaml", BUNDLE)])).unwrap_or_else(|found| panic!("{found}"))
}

fn engine() -> Engine {
    Engine::new(bundle()).unwrap()
}

/// Somebody whom the ledger knows and who has said nothing, asked about by a requester that proved its name.
fn known(engine: &Engine) -> Facts {
    let (mut facts, core, schema) =
        (engine.facts(), &engine.bundle().facts.core, &engine.bundle().facts.schema);
    for id in core.consent.into_iter().chain([core.said_no, core.erased, core.restricted, core.own]) {
        facts.set_bool(id, false);
    }
    for id in [core.gpc, core.legal, core.approver] {
        facts.set_bool(id, false);
    }
    facts.set_word(schema, core.contract, "none");
    facts.set_word(schema, core.assurance, "substantial");
    facts
}

/// Who asks, receiving as what, for what, on what.
type Asked = (&'static str, &'static str, &'static str, &'static str);

const SERVICE: Asked = ("shop", "internal", "essential.service", EMAIL);
const LETTER: Asked = ("shop", "internal", "marketing.communications", EMAIL);
const FIGURES: Asked = ("shop", "internal", "analytics", EMAIL);
const SURVEY: Asked = ("shop", "internal", "custom.survey", EMAIL);
const ADVERT: Asked = ("shop", "internal", "marketing.advertising", EMAIL);
const OWN: Asked = ("portal", "subject", "custom.rights.access", EMAIL);
const DEMAND: Asked = ("police", "police", "third_party_sharing.legal_obligation", EMAIL);

fn about(asked: Asked, category: &'static str) -> Asked {
    (asked.0, asked.1, asked.2, category)
}

fn question(engine: &Engine, (requester, recipient, purpose, category): Asked) -> Question {
    let service = &engine.bundle().service;
    let route = service.find("GET", &["customers", "ann"]).unwrap().route;
    let mut classes = route.response_classes().iter().copied();
    let class = classes.find(|c| service.class(*c).unwrap().category.as_str() == category).unwrap();
    Question {
        requester: RequesterId::new(requester),
        recipient: RecipientId::new(recipient),
        act: Act::Read,
        purpose: Purpose::new(purpose).unwrap(),
        class,
    }
}

fn decide_for(engine: &Engine, asked: Asked, facts: &Facts, person: Person) -> Verdict {
    let now = Moment::from_unix_millis(1_800_000_000_000);
    engine.decide(&question(engine, asked), facts, person, now)
}

fn decide(engine: &Engine, asked: Asked, state: impl Fn(&mut Facts, &Engine)) -> Verdict {
    let mut facts = known(engine);
    state(&mut facts, engine);
    decide_for(engine, asked, &facts, Person { resolved: true, consent: None, objected: false })
}

fn agreed(facts: &mut Facts, engine: &Engine) {
    for id in engine.bundle().facts.core.consent {
        facts.set_bool(id, true);
    }
}

fn contracted(facts: &mut Facts, engine: &Engine) {
    facts.set_word(&engine.bundle().facts.schema, engine.bundle().facts.core.contract, "active");
}

fn everything(facts: &mut Facts, engine: &Engine) {
    agreed(facts, engine);
    contracted(facts, engine);
}

fn proved_own(facts: &mut Facts, engine: &Engine) {
    facts.set_bool(engine.bundle().facts.core.own, true);
}

fn demanded(facts: &mut Facts, engine: &Engine) {
    facts.set_bool(engine.bundle().facts.core.legal, true);
    facts.set_bool(engine.bundle().facts.core.approver, true);
}

fn ids(verdict: &Verdict) -> Vec<&str> {
    verdict.rules.iter().map(consentry_model::RuleId::as_str).collect()
}

#[test]
fn law_1_a_fact_that_is_unknown_permits_nothing() {
    let engine = engine();
    for asked in [SERVICE, LETTER, FIGURES, SURVEY, OWN, DEMAND] {
        let verdict = decide_for(&engine, asked, &engine.facts(), Person::UNRESOLVED);
        assert_eq!(verdict.treatment, Treatment::Withheld, "{asked:?}");
    }
    // Nor does it when everything else is known.
    let core = engine.bundle().facts.core.clone();
    for (asked, fact) in [
        (SERVICE, core.contract),
        (LETTER, core.consent_of(ConsentKind::OptIn)),
        (LETTER, core.said_no),
        (FIGURES, core.said_no),
        (SURVEY, core.said_no),
        (SERVICE, core.erased),
        (SERVICE, core.restricted),
        (SERVICE, core.assurance),
    ] {
        assert_eq!(decide(&engine, asked, everything).treatment, Treatment::Clear, "{asked:?}");
        let unknown = decide(&engine, asked, |facts, engine| {
            everything(facts, engine);
            facts.set(fact, None);
        });
        assert_eq!(unknown.treatment, Treatment::Withheld, "{asked:?} without {fact:?}");
    }
}

#[test]
fn law_2_a_purpose_that_no_permission_covers_opens_nothing() {
    let engine = engine();
    for purpose in ["essential", "sales", "marketing", "functional.service.improve", "third_party_sharing"] {
        let verdict = decide(&engine, ("shop", "internal", purpose, EMAIL), everything);
        assert_eq!(verdict.treatment, Treatment::Withheld, "{purpose}");
        assert!(verdict.rules.is_empty() || purpose == "marketing", "{purpose}: {:?}", verdict.rules);
    }
    let below = decide(&engine, ("shop", "internal", "essential.service.upgrades", EMAIL), everything);
    assert_eq!(below.treatment, Treatment::Clear);
}

#[test]
fn law_3_a_prohibition_beats_a_permission() {
    // Beside a rule that permits everything, so that only the prohibition can refuse.
    let tempted = Engine::tempted(bundle()).unwrap();
    let verdict = decide(&tempted, about(SERVICE, PROFILE), everything);
    assert_eq!((verdict.treatment, ids(&verdict)), (Treatment::Withheld, vec!["never-profile"]));
    assert_eq!(decide(&tempted, SERVICE, everything).treatment, Treatment::Clear);
}

#[test]
fn law_3_what_cannot_be_evaluated_is_refused() {
    let tempted = Engine::tempted(bundle()).unwrap();
    let person = Person::ANONYMOUS;
    // A party, a requester, a purpose that Cedar's schema does not have; a class that the service map does not have.
    for asked in [
        ("stranger", "internal", "essential.service", EMAIL),
        ("shop", "moon", "essential.service", EMAIL),
        ("shop", "internal", "no.such.purpose", EMAIL),
    ] {
        let verdict = decide_for(&tempted, asked, &known(&tempted), person);
        assert_eq!(verdict.treatment, Treatment::Withheld, "{asked:?}");
        let reason = verdict.reason.unwrap();
        assert!(
            [Reason::EvaluationError, Reason::RecipientNotPermitted].contains(&reason),
            "{asked:?}: {reason}"
        );
    }
    let mut nowhere = question(&tempted, SERVICE);
    nowhere.class = consentry_model::ClassId(999);
    let now = Moment::from_unix_millis(0);
    let verdict = tempted.decide(&nowhere, &known(&tempted), person, now);
    assert_eq!((verdict.treatment, verdict.reason), (Treatment::Withheld, Some(Reason::EvaluationError)));
    assert_eq!(tempted.hopeless(&nowhere, &known(&tempted), now), Some(Reason::EvaluationError));
}

#[test]
fn law_4_never_is_not_curable_and_unless_you_agreed_is() {
    let tempted = Engine::tempted(bundle()).unwrap();
    for (asked, agreed_to, treatment) in [
        (about(ADVERT, PROFILE), true, Treatment::Withheld),
        (about(SERVICE, PROFILE), true, Treatment::Withheld),
        (ADVERT, false, Treatment::Withheld),
        (ADVERT, true, Treatment::Clear),
    ] {
        let state = if agreed_to { everything } else { contracted };
        assert_eq!(decide(&tempted, asked, state).treatment, treatment, "{asked:?}, agreed: {agreed_to}");
    }
    // A weaker kind than the cure asks for cures nothing.
    let weaker = decide(&tempted, ADVERT, |facts, engine| {
        facts.set_bool(engine.bundle().facts.core.consent_of(ConsentKind::OptIn), true);
    });
    assert_eq!(weaker.treatment, Treatment::Withheld);
}

#[test]
fn law_5_the_reason_follows_the_state_of_the_consent() {
    let engine = engine();
    for state in ConsentState::ALL {
        let person = Person { resolved: true, consent: Some(state), objected: false };
        let verdict = decide_for(&engine, LETTER, &known(&engine), person);
        let expected =
            if state.is_valid() { "consent-insufficient".to_owned() } else { format!("consent-{state}") };
        assert_eq!(verdict.reason.unwrap().code(), expected);
    }
}

#[test]
fn law_6_bases_that_can_meet_are_a_load_error() {
    let permit = |more: &str| {
        format!(
            "rules: [{{id: x, permit: marketing.communications.email, data: user.contact.email, {more}, clauses: [c]}}]"
        )
    };
    for (more, meets) in [
        ("of: customer, basis: contract", true),
        ("basis: notice", true),
        ("of: customer, basis: {consent: explicit}", true),
        ("of: customer, basis: {consent: opt-in}", false),
        ("of: visitor, basis: contract", false),
        ("of: customer, to: affiliate, basis: contract", false),
        ("of: customer, by: [portal], basis: contract", true),
        ("of: customer, when: {datum.origin: shop}, basis: contract", true),
    ] {
        let text = permit(more);
        let found = match Bundle::read(&Sources::from_texts([("laws.yaml", BUNDLE), ("more.yaml", &text)])) {
            Err(found) => found.iter().any(|d| d.code == "bases-meet"),
            Ok(_) => false,
        };
        assert_eq!(found, meets, "{more}");
    }
}

#[test]
fn law_6_a_no_closes_every_basis_that_rests_on_the_persons_wish_and_no_other() {
    let engine = engine();
    for (asked, closed) in [(LETTER, true), (FIGURES, true), (SURVEY, true), (SERVICE, false)] {
        let yes = decide(&engine, asked, everything);
        assert_eq!(yes.treatment, Treatment::Clear, "{asked:?}");
        let no = decide(&engine, asked, |facts, engine| {
            everything(facts, engine);
            facts.set_bool(engine.bundle().facts.core.said_no, true);
        });
        assert_eq!(no.treatment == Treatment::Withheld, closed, "{asked:?}");
        // The permission itself is the prohibition, and is named as one.
        let doubled = ids(&no).iter().any(|id| id.ends_with("/no"));
        assert_eq!(doubled, closed, "{asked:?}: {:?}", no.rules);
    }
}

#[test]
fn law_6_a_no_is_a_prohibition_beside_any_other_permission() {
    let tempted = Engine::tempted(bundle()).unwrap();
    let no =
        decide(&tempted, SURVEY, |facts, engine| facts.set_bool(engine.bundle().facts.core.said_no, true));
    assert_eq!((no.treatment, ids(&no)), (Treatment::Withheld, vec!["ask/no"]));
}

#[test]
fn law_7_erasure_restriction_objection_and_signals_are_looked_at_on_every_access() {
    let tempted = Engine::tempted(bundle()).unwrap();
    let core = tempted.bundle().facts.core.clone();
    let sale = ("shop", "internal", "marketing.advertising.third_party", EMAIL);
    for (asked, fact, rule, reason) in [
        (SERVICE, core.erased, "core-erased", Reason::Erased),
        (LETTER, core.erased, "core-erased", Reason::Erased),
        (SERVICE, core.restricted, "core-restricted", Reason::ProcessingRestricted),
        (FIGURES, core.restricted, "core-restricted", Reason::ProcessingRestricted),
        (ADVERT, core.said_no, "core-marketing-wish", Reason::ConsentRequired),
        (sale, core.gpc, "core-sale-signal", Reason::ObjectionRecorded),
    ] {
        for value in [Some(consentry_model::FactValue::Bool(true)), None] {
            let verdict = decide(&tempted, asked, |facts, engine| {
                everything(facts, engine);
                facts.set(fact, value);
            });
            assert_eq!(verdict.treatment, Treatment::Withheld, "{asked:?} {value:?}");
            assert!(ids(&verdict).contains(&rule), "{asked:?} {value:?}: {:?}", verdict.rules);
            if value.is_some() {
                assert_eq!(verdict.reason, Some(reason), "{asked:?}");
            }
        }
    }
    for purpose in ["functional.storage", "custom.legal_claims"] {
        let kept = decide(&tempted, ("shop", "internal", purpose, EMAIL), |facts, engine| {
            facts.set_bool(engine.bundle().facts.core.restricted, true);
        });
        assert_eq!(kept.treatment, Treatment::Clear, "{purpose}");
    }
}

#[test]
fn law_8_an_obligation_that_is_not_known_to_hold_refuses_own_access_and_demands_too() {
    let engine = engine();
    let (schema, assurance) = (engine.bundle().facts.schema.clone(), engine.bundle().facts.core.assurance);
    for asked in [SERVICE, LETTER, FIGURES, OWN, DEMAND] {
        for (word, holds) in
            [(Some("high"), true), (Some("substantial"), true), (Some("none"), false), (None, false)]
        {
            let verdict = decide(&engine, asked, |facts, engine| {
                everything(facts, engine);
                proved_own(facts, engine);
                demanded(facts, engine);
                facts.set(assurance, None);
                word.into_iter().for_each(|word| facts.set_word(&schema, assurance, word));
            });
            assert_eq!(verdict.treatment == Treatment::Clear, holds, "{asked:?} at {word:?}");
            assert!(holds || ids(&verdict).contains(&"proven"), "{asked:?}: {:?}", verdict.rules);
            assert!(
                holds || verdict.reason == Some(Reason::IdentityUnverified),
                "{asked:?}: {:?}",
                verdict.reason
            );
        }
    }
}

#[test]
fn law_9_own_access_passes_every_prohibition_and_needs_a_proved_identity() {
    let engine = engine();
    let core = engine.bundle().facts.core.clone();
    for asked in [OWN, about(OWN, PROFILE)] {
        for fact in [core.erased, core.restricted, core.said_no, core.gpc] {
            for value in [Some(consentry_model::FactValue::Bool(true)), None] {
                let verdict = decide(&engine, asked, |facts, engine| {
                    proved_own(facts, engine);
                    facts.set(fact, value);
                });
                assert_eq!(verdict.treatment, Treatment::Clear, "{asked:?} {fact:?} {value:?}");
            }
        }
        let somebody_else = decide(&engine, asked, everything);
        assert_eq!(somebody_else.treatment, Treatment::Withheld);
        let weak = decide(&engine, asked, |facts, engine| {
            proved_own(facts, engine);
            facts.set_word(&engine.bundle().facts.schema, core.assurance, "low");
        });
        assert!(ids(&weak).contains(&"core-rights-need-identity"), "{:?}", weak.rules);
        assert_eq!(weak.reason, Some(Reason::IdentityUnverified));
    }
    // Being the person opens nothing outside a right.
    let elsewhere = decide(&engine, about(SERVICE, PROFILE), |facts, engine| {
        everything(facts, engine);
        proved_own(facts, engine);
    });
    assert_eq!(elsewhere.treatment, Treatment::Withheld);
}

#[test]
fn law_9_every_right_needs_a_proved_identity_but_those_by_which_somebody_is_heard() {
    const COPY: &str = "vocabulary: {purposes: {custom.rights.copy: {}, custom.rights.access.export: {}, custom.rights.objection.calls: {}}}";
    let sources = Sources::from_texts([("laws.yaml", BUNDLE), ("more.yaml", COPY)]);
    let engine = Engine::new(Bundle::read(&sources).unwrap_or_else(|found| panic!("{found}"))).unwrap();
    let assurance = engine.bundle().facts.core.assurance;
    for (right, needs) in [
        ("custom.rights", true),
        ("custom.rights.access", true),
        ("custom.rights.portability", true),
        ("custom.rights.rectification", true),
        ("custom.rights.erasure", true),
        ("custom.rights.restriction", true),
        // What a bundle adds.
        ("custom.rights.copy", true),
        ("custom.rights.access.export", true),
        ("custom.rights.objection", false),
        ("custom.rights.objection.calls", false),
        ("custom.rights.preferences", false),
        ("custom.rights.complaint", false),
    ] {
        for (level, is_enough) in
            [(None, false), (Some("low"), false), (Some("substantial"), true), (Some("high"), true)]
        {
            let verdict = decide(&engine, ("portal", "subject", right, EMAIL), |facts, engine| {
                proved_own(facts, engine);
                match level {
                    Some(level) => facts.set_word(&engine.bundle().facts.schema, assurance, level),
                    None => facts.set(assurance, None),
                }
            });
            // The bundle's own obligation asks for a low one at least, of everybody.
            let clear = is_enough || (!needs && level == Some("low"));
            let expected = if clear { Treatment::Clear } else { Treatment::Withheld };
            assert_eq!(verdict.treatment, expected, "{right}, {level:?}: {:?}", verdict.rules);
            let named = ids(&verdict).contains(&"core-rights-need-identity");
            assert_eq!(named, needs && !is_enough, "{right}, {level:?}: {:?}", verdict.rules);
        }
    }
}

#[test]
fn law_3_a_lawful_demand_passes_prohibitions_with_its_reference_and_its_approver_only() {
    let engine = engine();
    let core = engine.bundle().facts.core.clone();
    let answered = decide(&engine, about(DEMAND, PROFILE), demanded);
    assert_eq!((answered.treatment, ids(&answered)), (Treatment::Clear, vec!["core-compelled"]));
    for missing in [core.legal, core.approver] {
        for value in [Some(consentry_model::FactValue::Bool(false)), None] {
            let verdict = decide(&engine, DEMAND, |facts, engine| {
                demanded(facts, engine);
                facts.set(missing, value);
            });
            assert_eq!(verdict.treatment, Treatment::Withheld);
            assert_eq!(verdict.reason, Some(Reason::LegalReferenceRequired));
        }
    }
    let inside = decide(&engine, ("police", "internal", DEMAND.2, EMAIL), demanded);
    assert_eq!(inside.treatment, Treatment::Withheld);
}

#[test]
fn law_13_what_depends_on_a_person_is_told_to_nobody_else() {
    let engine = engine();
    let request = {
        let (mut facts, schema) = (engine.facts(), &engine.bundle().facts.schema);
        facts.set_word(schema, engine.bundle().facts.core.assurance, "substantial");
        [
            engine.bundle().facts.core.gpc,
            engine.bundle().facts.core.legal,
            engine.bundle().facts.core.approver,
        ]
        .into_iter()
        .for_each(|id| facts.set_bool(id, false));
        facts
    };
    let now = Moment::from_unix_millis(0);
    for (asked, told) in [
        (SERVICE, Reason::NotPermitted),
        (LETTER, Reason::NotPermitted),
        (OWN, Reason::NotPermitted),
        (("shop", "internal", "sales", EMAIL), Reason::PurposeNotPermitted),
        (about(SERVICE, PROFILE), Reason::PurposeNotPermitted),
    ] {
        let item = Item {
            hopeless: engine.hopeless(&question(&engine, asked), &request, now),
            verdict: Some(decide(&engine, asked, |_, _| {})),
        };
        let Ruling::Refuse(refusal) = Ruling::fold(&[item]) else { panic!("{asked:?}") };
        assert_eq!(refusal.told, told, "{asked:?}: {refusal:?}");
    }
    let clear = Item { hopeless: None, verdict: Some(decide(&engine, SERVICE, contracted)) };
    let not = Item { hopeless: None, verdict: Some(decide(&engine, about(SERVICE, PROFILE), contracted)) };
    assert_eq!(Ruling::fold(&[clear.clone(), not.clone()]).outcome(), Outcome::Redact);
    assert_eq!(Ruling::fold_strictly(&[clear, not]).outcome(), Outcome::Refuse);
}

const BY_POST: &str = "
  - route: POST /post
    purpose: marketing.communications
    to: printer
    about: {type: customer, space: customer, id: 'body.to[]'}
    message: {to: 'body.to[]', text: body.text}
    response: {body: none}
";
const SEND: &str = "{id: send, permit: marketing.communications, data: user.contact, of: customer, to: [internal, external], act: send, basis: {consent: opt-in}, clauses: [c]}";
const TELL: &str = "{id: tell, permit: marketing.communications, data: user.contact, of: customer, to: external, act: disclose, basis: {consent: opt-in}, clauses: [c]}";
const KEPT_IN: &str =
    "{id: kept-in, forbid: any, data: user.contact, act: disclose, cure: never, clauses: [c]}";
const SIGNED: &str = "{id: signed, require: {that: {request.assurance: high}}, for: any, act: disclose, reason: identity-unverified, clauses: [c]}";
const NEVER_OUT: &str =
    "{id: never-out, forbid: any, data: user.contact, to: external, act: disclose, clauses: [c]}";

/// Some rules beside those above, over a service that has others send out its mail.
fn with_mail(rules: &[&str]) -> Engine {
    let text = BUNDLE
        .replace("recipients:\n", "recipients:\n  printer: {class: third_party, country: DE}\n")
        .replace(
            "\nrules:\n",
            &format!("{BY_POST}invariants:\n  - {NEVER_OUT}\nrules:\n  - {}\n", rules.join("\n  - ")),
        );
    let bundle = Bundle::read(&Sources::from_texts([("laws.yaml", &*text)]));
    Engine::new(bundle.unwrap_or_else(|found| panic!("{found}"))).unwrap()
}

#[test]
fn law_3_what_somebody_outside_sends_out_is_disclosed_to_them_and_no_permission_follows_from_that() {
    use Treatment::{Clear, Withheld};
    for (rules, act, recipient, treatment, by) in [
        (&[SEND][..], Act::Send, "printer", Clear, "send"),
        (&[SEND, KEPT_IN], Act::Send, "printer", Withheld, "kept-in"),
        (&[SEND, KEPT_IN], Act::Send, "internal", Clear, "send"),
        (&[SEND, SIGNED], Act::Send, "printer", Withheld, "signed"),
        (&[SEND, SIGNED], Act::Send, "internal", Clear, "send"),
        (&[SEND, TELL], Act::Send, "printer", Clear, "send"),
        // Neither permission is the other.
        (&[TELL], Act::Send, "printer", Withheld, ""),
        (&[TELL], Act::Disclose, "printer", Clear, "tell"),
        (&[SEND], Act::Disclose, "printer", Withheld, ""),
        // Nothing else is sending.
        (&[SEND, TELL, KEPT_IN], Act::Obtain, "printer", Withheld, ""),
    ] {
        let engine = with_mail(rules);
        let asked = Question { act, ..question(&engine, ("shop", recipient, LETTER.2, EMAIL)) };
        let mut facts = known(&engine);
        agreed(&mut facts, &engine);
        facts.set_bool(engine.bundle().facts.schema.id("subject.suppressed").unwrap(), false);
        let now = Moment::from_unix_millis(1_800_000_000_000);
        let person = Person { resolved: true, consent: None, objected: false };
        let verdict = engine.decide(&asked, &facts, person, now);
        assert_eq!(verdict.treatment, treatment, "{rules:?} {act} {recipient}: {verdict:?}");
        // A permission to tell somebody that rests on a wish is no more than a prohibition without it.
        assert_eq!(ids(&verdict).contains(&by), !by.is_empty(), "{rules:?} {act} {recipient}: {verdict:?}");
        assert_eq!(ids(&verdict).is_empty(), by.is_empty(), "{rules:?} {act} {recipient}: {verdict:?}");
    }
}

#[test]
fn law_6_whoever_does_not_want_to_be_told_of_to_others_is_not_told_of_by_mail() {
    for (rules, recipient, treatment) in [
        (&[SEND, TELL][..], "printer", Treatment::Withheld),
        (&[SEND], "printer", Treatment::Withheld),
        (&[TELL], "internal", Treatment::Withheld),
    ] {
        let engine = with_mail(rules);
        let asked = Question { act: Act::Send, ..question(&engine, ("shop", recipient, LETTER.2, EMAIL)) };
        let mut facts = known(&engine);
        agreed(&mut facts, &engine);
        facts.set_bool(engine.bundle().facts.core.said_no, true);
        let now = Moment::from_unix_millis(1_800_000_000_000);
        let verdict = engine.decide(&asked, &facts, Person::ANONYMOUS, now);
        assert_eq!(verdict.treatment, treatment, "{rules:?} {recipient}");
        let told = ids(&verdict).contains(&"tell/no") || ids(&verdict).contains(&"tell");
        assert_eq!(
            told,
            rules.contains(&TELL) && recipient == "printer",
            "{rules:?} {recipient}: {verdict:?}"
        );
    }
}

#[test]
fn what_is_proved_and_compared_of_disclosing_is_so_of_what_is_sent_out() {
    for (rules, holds) in
        [(&[SEND][..], false), (&[SEND, KEPT_IN], true), (&[KEPT_IN], true), (&[TELL], false)]
    {
        let proof = Proof::of(&with_mail(rules));
        assert_eq!(proof.holds(), holds, "{rules:?}: {proof:?}");
        if let ProofOutcome::False(found) = &proof.invariants[0].outcome {
            let expected = if rules == [SEND] { Act::Send } else { Act::Disclose };
            assert_eq!(found.act, expected, "{found:?}");
        }
    }
    // Those who are inside are not in the scope of sending.
    let cells = |act: &str| {
        let text = NEVER_OUT.replace("to: external, act: disclose", act);
        let text = BUNDLE.replace("\nrules:\n", &format!("\ninvariants:\n  - {text}\nrules:\n"));
        let bundle = Bundle::read(&Sources::from_texts([("laws.yaml", &*text)])).unwrap();
        Proof::of(&Engine::new(bundle).unwrap()).invariants[0].cells
    };
    let outside = cells("to: external, act: send");
    assert_eq!(cells("act: disclose"), cells("act: read") + outside);
    assert_eq!(cells("to: internal, act: disclose"), cells("to: internal, act: read"));
    let (old, new) = (with_mail(&[SEND, KEPT_IN]), with_mail(&[SEND]));
    let impact = Impact::of(&old, &new);
    let said: Vec<String> = impact.changes.iter().map(|change| change.sentence()).collect();
    let out = |said: &&String| said.starts_with("printer may now be sent messages with");
    assert!(impact.widens() && said.iter().any(|said| out(&said)), "{said:#?}");
}

//! Native Cedar policies beside the rules: they are rules like others, and the laws hold for them too.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use consentry_model::{
    Act, ConsentKind, Moment, Purpose, Reason, RecipientId, RequesterId, RuleId, Treatment, Verdict,
};
use consentry_policy::{Bundle, Engine, Person, Question, Sources};

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters:
  shop: {purposes: [essential, marketing]}
  portal: {purposes: [custom.rights], receives_as: subject}
routes:
  - route: GET /customers/{id}
    purposes: [essential, marketing]
    about: {type: customer, space: customer, id: path.id}
    response: {body: {email: user.contact.email}}
  - route: GET /me
    right: access
    about: {type: customer, space: customer, id: token.sub}
    response: {body: {email: user.contact.email}}
rules:
  - {id: serve, permit: essential.service, data: user.contact, of: customer, basis: contract, clauses: [c-1]}
clauses:
  - {id: c-1, line: 1, section: s, says: Customers are served., status: enforced}
  - {id: c-2, line: 2, section: s, says: Nobody looks at what was proven poorly., status: enforced}
  - {id: c-3, line: 3, section: s, says: Letters go to whoever agreed., status: enforced}
cases:
  - {case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, then: refuse basis-lapsed}
  - {case: b, clause: c-2, who: shop, asks: GET /customers/ann, about: ann, then: refuse basis-lapsed}
  - {case: c, clause: c-3, who: shop, asks: GET /customers/ann, about: ann, then: refuse basis-lapsed}
";

const NATIVE: &str = "
// Whoever is only weakly identified sees nothing, an unknown identification included.
@id(\"weak\") @clauses(\"c-2\")
forbid (principal, action, resource)
unless { context has request_assurance && context.request_assurance >= 2 };

@id(\"letters\") @clauses(\"c-3\") @basis(\"consent: opt-in\")
permit (principal, action in [Action::\"within marketing.communications\"], resource in Category::\"within user.contact\")
when { context has consent_opt_in && context.consent_opt_in };
";

fn engine() -> Engine {
    let sources = Sources::from_texts([("bundle.yaml", BUNDLE), ("more.cedar", NATIVE)]);
    Engine::new(Bundle::read(&sources).unwrap_or_else(|found| panic!("{found}"))).unwrap()
}

/// Who asks for what, how well identified, with which consent, about themselves or not.
fn ask(who: &str, purpose: &str, assurance: Option<&str>, consent: bool, own: bool) -> Verdict {
    let engine = engine();
    let bundle = engine.bundle();
    let (core, schema) = (&bundle.facts.core, &bundle.facts.schema);
    let mut facts = engine.facts();
    for id in [core.said_no, core.erased, core.restricted, core.gpc, core.legal, core.approver] {
        facts.set_bool(id, false);
    }
    facts.set_bool(core.own, own);
    for kind in ConsentKind::ALL {
        facts.set_bool(core.consent_of(kind), consent && ConsentKind::OptIn.satisfies(kind));
    }
    facts.set_word(schema, core.contract, "active");
    if let Some(word) = assurance {
        facts.set_word(schema, core.assurance, word);
    }
    let class = bundle.service.routes.first().unwrap().response_classes().first().copied().unwrap();
    let recipient = if own { "subject" } else { "internal" };
    let question = Question {
        requester: RequesterId::new(who),
        recipient: RecipientId::new(recipient),
        act: Act::Read,
        purpose: Purpose::new(purpose).unwrap(),
        class,
    };
    let person = Person { resolved: true, consent: None, objected: false };
    engine.decide(&question, &facts, person, Moment::from_unix_millis(1_800_000_000_000))
}

#[test]
fn a_native_policy_decides_and_is_named_with_its_clauses() {
    let service = "essential.service";
    let letter = "marketing.communications.email";
    for (purpose, assurance, consent, treatment, rules, clauses) in [
        (service, Some("substantial"), false, Treatment::Clear, &["serve"][..], &["c-1"][..]),
        (service, Some("low"), false, Treatment::Withheld, &["weak"], &["c-2"]),
        (service, None, false, Treatment::Withheld, &["weak"], &["c-2"]),
        (letter, Some("high"), true, Treatment::Clear, &["letters"], &["c-3"]),
        (letter, Some("high"), false, Treatment::Withheld, &[], &[]),
        (letter, Some("low"), true, Treatment::Withheld, &["weak"], &["c-2"]),
    ] {
        let verdict = ask("shop", purpose, assurance, consent, false);
        let what = format!("{purpose} {assurance:?} {consent}: {verdict:?}");
        assert_eq!(verdict.treatment, treatment, "{what}");
        assert_eq!(verdict.rules.iter().map(RuleId::as_str).collect::<Vec<_>>(), rules, "{what}");
        assert_eq!(verdict.clauses.iter().map(|c| &**c).collect::<Vec<_>>(), clauses, "{what}");
        assert_eq!(verdict.reason.is_none(), treatment == Treatment::Clear, "{what}");
    }
}

#[test]
fn law_9_own_access_passes_a_native_prohibition_too() {
    let mut own = ask("portal", "custom.rights.access", Some("substantial"), false, true);
    assert_eq!(own.treatment, Treatment::Clear);
    // The core's obligation to be identified binds it all the same.
    own = ask("portal", "custom.rights.access", Some("low"), false, true);
    assert_eq!((own.treatment, own.reason), (Treatment::Withheld, Some(Reason::IdentityUnverified)));
}

#[test]
fn law_1_a_native_policy_that_cedar_does_not_validate_is_never_compiled() {
    let wrong =
        "@id(\"x\") @clauses(\"c-1\") forbid (principal, action, resource) when { context.no_such_fact };";
    let sources =
        Sources::from_texts([("bundle.yaml", BUNDLE), ("more.cedar", wrong), ("rest.cedar", NATIVE)]);
    let found = Bundle::read(&sources).err().unwrap();
    assert!(found.iter().any(|d| d.code == "cedar-invalid"), "{found}");
}

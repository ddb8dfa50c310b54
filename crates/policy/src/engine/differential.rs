//! Two readings of one design: Cedar on the generated policies, and the three-valued evaluator, on random questions.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use consentry_model::{
    Act, ClassId, FactType, FactValue, Facts, Moment, Purpose, RecipientId, RequesterId, RuleId, Treatment,
};

use super::cedar::{Answer, Compiled};
use super::compile::Compiler;
use super::decide::{Engine, Person, Question};
use super::program::Failed;
use super::reasons::id_against;
use super::spoken::Asked;
use crate::bundle::{ANYONE, Bundle, DataClass};
use crate::rules::{Duty, Rule, Verb};
use crate::text::Sources;

/// Questions asked of the shipped bundle.
const QUESTIONS: usize = 20_000;
/// Questions asked of the bundle below.
const QUESTIONS_OF_CORNERS: usize = 6_000;
const SEED: u64 = 0x5eed_c0de_2026_1122;

/// What the shipped bundle has no use for: nesting, negation, levels, words, dates, every basis, every cure.
const CORNERS: &str = "
bundle: {controller: Corner Cases, policy: {version: v1, from: 2026-01-01}}
facts:
  datum.origin: {values: [web, shop, phone]}
  request.order: {type: reference, from: header.X-Order}
requesters:
  shop: {purposes: [marketing, essential]}
  partner: {purposes: [marketing], receives_as: partner}
recipients:
  partner: {class: affiliate, country: DE}
routes:
  - route: GET /customers/{id}
    purposes: [marketing, essential, analytics]
    about: {type: customer, space: customer, id: path.id}
    response:
      body:
        email: {is: user.contact.email, facts: {datum.origin: shop}}
        contact: user.contact
        ip: {is: user.device.ip_address, facts: {datum.origin: web}}
        code: {is: user.unique_id, can: [clear, pseudonymised]}
  - route: GET /visitors/{id}
    purposes: [marketing, essential, analytics]
    about: {type: visitor, space: customer, id: path.id}
    response: {body: {ip: user.device.ip_address, email: user.contact.email}}
rules:
  - {id: soft, permit: marketing.communications, data: user.contact, of: customer, basis: {consent: soft-opt-in},
     when: {datum.origin: [shop, phone]}, clauses: [c]}
  - {id: explicit, permit: marketing.advertising, data: user, by: [shop], basis: {consent: explicit}, as: [masked, truncated, pseudonymised],
     unless: {any: [{request.order: absent}, {subject.contract: ended}]}, clauses: [c]}
  - {id: interest, permit: analytics, data: user.device, basis: {legitimate_interests: lia-1},
     when: {all: [{not: {datum.origin: phone}}, {any: [{request.assurance: {at_least: low}}, {request.gpc: false}]}]},
     from: 2026-03-01, until: 2026-09-01, clauses: [c]}
  - {id: seen, permit: essential, data: user, basis: notice, to: [internal, affiliate], act: read, clauses: [c]}
  - {id: told, permit: essential, data: user, basis: notice, when: {not: {all: [{request.order: present}, {request.gpc: true}]}}, clauses: [c]}
  - {id: parents, forbid: marketing, data: user.device, cure: {consent: parental}, when: {request.assurance: [none, low]}, clauses: [c]}
  - {id: agreed, forbid: any, data: user.contact, to: external, cure: {consent: opt-in},
     unless: {purpose: essential.service, data: user.contact.email, as: masked}, clauses: [c]}
  - {id: later, forbid: [analytics, essential], data: any, of: visitor, pending: a clock, from: 2026-06-01, clauses: [c]}
  - {id: abroad, forbid: any, data: user.contact, act: disclose, cure: {consent: explicit}, unless: {request.order: present}, clauses: [c]}
  - {id: joined, permit: marketing.communications, data: user.device, of: customer, to: [internal, external], act: disclose, basis: {consent: opt-in}, clauses: [c]}
  - {id: signed, require: {that: {any: [{request.order: present}, {not: {datum.origin: phone}}]}}, for: essential, act: [read, send],
     unless: {request.assurance: high}, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /customers/ann, about: ann, then: refuse route-unknown}]
";

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// One question with everything that bears on it, and what Cedar said.
struct Asking {
    question: Question,
    class: DataClass,
    treatment: Treatment,
    facts: Facts,
    now: Moment,
    cedar: (bool, BTreeSet<RuleId>),
}

fn shipped() -> Bundle {
    Bundle::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/panopta")).unwrap()
}

fn corners() -> Bundle {
    Bundle::read(&Sources::from_texts([("corners.yaml", CORNERS)])).unwrap_or_else(|found| panic!("{found}"))
}

/// Most questions aim at a rule, so that it is met; the others take any words at all.
fn question(bundle: &Bundle, random: &mut Random) -> Question {
    let vocabulary = &bundle.vocabulary;
    let all: Vec<Purpose> = vocabulary.purposes.keys().map(|k| Purpose::new(k).unwrap()).collect();
    let mut requesters: Vec<RequesterId> = bundle.requesters.keys().cloned().collect();
    requesters.push(RequesterId::new(ANYONE));
    let recipients: Vec<RecipientId> = vocabulary.recipients.keys().map(RecipientId::new).collect();
    let classes = &bundle.service.classes;
    let mut out = Question {
        requester: random.of(&requesters).clone(),
        recipient: random.of(&recipients).clone(),
        act: *random.of(&Act::ALL),
        purpose: random.of(&all).clone(),
        class: ClassId(u16::try_from(random.below(classes.len())).unwrap()),
    };
    let rule = random.of(&bundle.rules);
    if random.below(4) > 0 {
        if let Some(purposes) = &rule.purposes {
            let aim = random.of(purposes).clone();
            let below: Vec<&Purpose> = all.iter().filter(|p| vocabulary.covers(&aim, p)).collect();
            out.purpose = (*random.of(&below)).clone();
        }
        if !rule.to.is_empty() {
            let aim = random.of(&rule.to).as_str();
            let within: Vec<_> =
                recipients.iter().filter(|r| vocabulary.recipient_is(r.as_str(), aim)).collect();
            out.recipient = (*random.of(&within)).clone();
        }
        if !rule.by.is_empty() {
            out.requester = random.of(&rule.by).clone();
        }
        if !rule.acts.is_empty() {
            out.act = *random.of(&rule.acts);
            if out.act == Act::Disclose && random.below(2) == 0 {
                out.act = Act::Send;
            }
        }
        let fits = |class: &DataClass| {
            let touches = |c: &consentry_model::Category| {
                vocabulary.categories.touches(class.category.as_str(), c.as_str())
            };
            (rule.of.is_empty() || rule.of.contains(&class.subject_type))
                && rule.data.as_ref().is_none_or(|data| data.iter().any(touches))
        };
        let fitting: Vec<usize> = (0..classes.len()).filter(|at| fits(&classes[*at])).collect();
        if !fitting.is_empty() {
            out.class = ClassId(u16::try_from(*random.of(&fitting)).unwrap());
        }
    }
    out
}

fn facts(bundle: &Bundle, class: &DataClass, random: &mut Random) -> Facts {
    let mut facts = Facts::unknown(&bundle.facts.schema);
    let core = &bundle.facts.core;
    let wishes = [core.said_no, core.erased, core.restricted, core.gpc];
    // Half of the people are at peace with everything; of the others anything may be the case, or unknown.
    let at_peace = random.below(2) == 0;
    for (id, def) in bundle.facts.schema.iter() {
        let value = match (random.below(6), &def.ty) {
            _ if at_peace && wishes.contains(&id) => Some(FactValue::Bool(false)),
            (0, _) => None,
            (1 | 2, FactType::Bool) => Some(FactValue::Bool(true)),
            (_, FactType::Bool) => Some(FactValue::Bool(at_peace && core.consent.contains(&id))),
            (_, FactType::Int) => {
                Some(FactValue::Int(*random.of(&[0, 5, 9, 10, 11, 12, 13, 16, 17, 18, 50])))
            }
            (_, FactType::Word(words) | FactType::Level(words)) => {
                Some(FactValue::Word(u16::try_from(random.below(words.len())).unwrap()))
            }
        };
        facts.set(id, value);
    }
    if random.below(8) > 0 {
        for (id, value) in &class.facts {
            facts.set(*id, Some(*value));
        }
    }
    facts
}

fn moment(random: &mut Random) -> Moment {
    let edges =
        ["2025-12-31T23:59:59.999Z", "2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-09-01T00:00:00Z"];
    let at: jiff::Timestamp = random.of(&edges).parse().unwrap();
    Moment::from_unix_millis(at.as_millisecond() + i64::try_from(random.below(3)).unwrap() - 1)
}

fn askings(bundle: &Bundle, count: usize) -> Vec<Asking> {
    let compiled = Compiled::new(bundle, false).unwrap();
    let mut random = Random(SEED);
    (0..count)
        .map(|_| {
            let question = question(bundle, &mut random);
            let class = bundle.service.class(question.class).unwrap().clone();
            let facts = facts(bundle, &class, &mut random);
            let (treatment, now) = (*random.of(&Treatment::ALL), moment(&mut random));
            let cedar = match compiled.ask(bundle, &question, &class, treatment, &facts, now) {
                Answer::Yes(rules) => (true, rules.into_iter().collect()),
                Answer::No(rules) => (false, rules.into_iter().collect()),
                Answer::Error => panic!("{question:?} in {treatment} on {facts:?}"),
            };
            Asking { question, class, treatment, facts, now, cedar }
        })
        .collect()
}

impl Asking {
    /// The decision and every determining rule, in plain Rust over the rules of `bundle`.
    fn evaluated(&self, bundle: &Bundle) -> (bool, BTreeSet<RuleId>) {
        let Self { question, class, facts, treatment, now, .. } = self;
        let asked = Asked { bundle, question, class, treatment: *treatment, facts, now: *now };
        let against = bundle.rules.iter().filter(|r| asked.against(r) != Some(false)).map(id_against);
        let against: BTreeSet<RuleId> = against.collect();
        if !against.is_empty() {
            return (false, against);
        }
        let spoke = bundle.rules.iter().filter(|r| asked.for_it(r) == Some(true)).map(|r| r.id.clone());
        let spoke: BTreeSet<RuleId> = spoke.collect();
        (!spoke.is_empty(), spoke)
    }
}

#[track_caller]
fn agree(bundle: &Bundle, askings: &[Asking]) {
    let mut determined = BTreeSet::new();
    for asking in askings {
        let evaluated = asking.evaluated(bundle);
        let about = (&asking.question, &asking.class, asking.treatment, &asking.facts, asking.now);
        assert_eq!(asking.cedar, evaluated, "{about:?}");
        determined.extend(evaluated.1);
    }
    let yes = askings.iter().filter(|a| a.cedar.0).count();
    assert!(yes * 50 > askings.len(), "only {yes} of {} questions end in a yes", askings.len());
    // Every rule has decided something, a permission by consent in both of its roles.
    for rule in bundle.rules.iter().filter(|rule| is_an_answer(rule)) {
        assert!(determined.contains(&rule.id), "`{}` never decided anything", rule.id);
        if let Verb::Permit { basis, .. } = &rule.verb
            && basis.yields_to_a_no()
        {
            assert!(determined.contains(&id_against(rule)), "nobody's no to `{}` was met", rule.id);
        }
    }
}

/// Whether a rule is part of an answer; obligations that are carried out beside it are not.
fn is_an_answer(rule: &Rule) -> bool {
    !matches!(&rule.verb, Verb::Require(duty) if !matches!(duty, Duty::That(_)))
}

/// The comparison notices when any one rule is missing on one side.
#[track_caller]
fn notices_what_is_dropped(bundle: &Bundle, askings: &[Asking]) {
    for at in 0..bundle.rules.len() {
        let mut mutant = bundle.clone();
        let dropped = mutant.rules.remove(at);
        if !is_an_answer(&dropped) {
            continue;
        }
        let noticed = askings.iter().any(|a| a.evaluated(&mutant) != a.cedar);
        assert!(noticed, "nobody noticed that `{}` is missing", dropped.id);
    }
}

#[test]
fn law_3_cedar_and_the_evaluator_agree_on_the_shipped_bundle() {
    let bundle = shipped();
    let askings = askings(&bundle, QUESTIONS);
    agree(&bundle, &askings);
    notices_what_is_dropped(&bundle, &askings);
}

#[test]
fn law_3_cedar_and_the_evaluator_agree_on_corner_cases() {
    let bundle = corners();
    let askings = askings(&bundle, QUESTIONS_OF_CORNERS);
    agree(&bundle, &askings);
    notices_what_is_dropped(&bundle, &askings);
}

/// A verdict is the first treatment that the evaluator would let through, and names the rules that did or did not.
#[test]
fn law_3_a_verdict_is_the_most_revealing_treatment_that_nothing_speaks_against() {
    let bundle = corners();
    let engine = Engine::new(bundle.clone()).unwrap();
    let mut seen = BTreeSet::new();
    for asking in askings(&bundle, QUESTIONS_OF_CORNERS) {
        let mut asking = asking;
        for (id, value) in asking.class.facts.clone() {
            asking.facts.set(id, Some(value));
        }
        let steps: Vec<_> = asking.class.ladder.steps().collect();
        let answers: Vec<_> = steps
            .iter()
            .map(|treatment| {
                asking.treatment = *treatment;
                (*treatment, asking.evaluated(&bundle))
            })
            .collect();
        let (treatment, rules) = answers
            .iter()
            .find(|(_, (yes, _))| *yes)
            .map_or((Treatment::Withheld, answers[0].1.1.clone()), |(t, (_, rules))| (*t, rules.clone()));
        let verdict = engine.decide(&asking.question, &asking.facts, Person::ANONYMOUS, asking.now);
        let named: BTreeSet<RuleId> = verdict.rules.iter().cloned().collect();
        assert_eq!((verdict.treatment, named), (treatment, rules), "{:?}", asking.question);
        assert_eq!(verdict.reason.is_none(), treatment == Treatment::Clear);
        seen.insert(treatment);
    }
    assert_eq!(seen.len(), Treatment::ALL.len(), "{seen:?}");
}

/// The third reading: the decision program of every cell that was asked, on every question that was asked.
#[track_caller]
fn programs_agree(bundle: &Bundle, askings: &[Asking]) {
    let compiled = Compiled::new(bundle, false).unwrap();
    let compiler = Compiler::new(&compiled, bundle);
    let mut programs = HashMap::new();
    for asking in askings {
        let Asking { question, class, treatment, facts, now, cedar } = asking;
        // What is attested is among the facts here, and not part of the program.
        let nothing = Facts::unknown(&bundle.facts.schema);
        let program = programs.entry(question).or_insert_with(|| {
            compiler.program(&compiled, question, class, nothing.clone(), &Treatment::ALL)
        });
        assert!(!program.is_beyond(), "{question:?} cannot be reduced");
        let answer = program.ask(*treatment, &compiler.atoms().word(facts, *now), |_, _| Err(Failed));
        let (yes, rules) = answer.unwrap().unwrap();
        assert_eq!((yes, rules.into_iter().collect()), *cedar, "{question:?} in {treatment} on {facts:?}");
    }
}

#[test]
fn law_3_the_decision_programs_answer_as_cedar_does_with_every_determining_rule() {
    for (bundle, count) in [(shipped(), QUESTIONS), (corners(), QUESTIONS_OF_CORNERS)] {
        programs_agree(&bundle, &askings(&bundle, count));
    }
}

//! Bundles of any size that nobody wrote, as text, so that everything goes through the real loader; and the people whom
//! they are asked about.

use std::fmt::Write as _;

use consentry_model::{Act, FactValue, Facts, Moment, Purpose, RecipientId, RequesterId, Treatment};
use consentry_policy::{Bundle, Engine, Question, Sources};

use crate::Failure;

/// A moment after every date of the rules.
pub(crate) const NOW: Moment = Moment::from_unix_millis(1_790_000_000_000);

/// The twenty categories of one answer.
pub(crate) const CATEGORIES: [&str; 20] = [
    "user.account.settings",
    "user.account.username",
    "user.behavior.browsing_history",
    "user.behavior.purchase_history",
    "user.behavior.search_history",
    "user.contact.address.city",
    "user.contact.address.country",
    "user.contact.address.street",
    "user.contact.email",
    "user.contact.organization",
    "user.content.private",
    "user.content.public",
    "user.demographic.gender",
    "user.demographic.language",
    "user.device.device_id",
    "user.device.ip_address",
    "user.location.precise",
    "user.telemetry",
    "user.unique_id",
    "user.workplace",
];

const ABOVE: [&str; 8] = [
    "user.account",
    "user.behavior",
    "user.contact",
    "user.contact.address",
    "user.content",
    "user.demographic",
    "user.device",
    "user.location",
];

/// What each purpose is asked under: a basis for each root, so that no two meet.
const PURPOSES: [(&str, &str); 10] = [
    ("essential.service.operations", "contract"),
    ("essential.service.upgrades", "contract"),
    ("essential.service", "contract"),
    ("marketing.communications.email", "{consent: opt-in}"),
    ("marketing.communications", "{consent: opt-in}"),
    ("marketing.advertising.serving", "{consent: opt-in}"),
    ("analytics.reporting.system", "{legitimate_interests: lia-1}"),
    ("analytics.reporting", "{legitimate_interests: lia-1}"),
    ("functional.service.improve", "{legitimate_interests: lia-2}"),
    ("functional.service", "{legitimate_interests: lia-2}"),
];

/// The purposes that are asked for.
const ASKED: [&str; 4] = [
    "essential.service.operations",
    "marketing.communications.email",
    "analytics.reporting.system",
    "functional.service.improve",
];

/// Numbers from a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }

    fn of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(at).copied().unwrap_or("")
    }
}

/// The engine of a bundle with so many rules of its own, everything compiled.
pub(crate) fn engine(rules: usize) -> Result<Engine, Failure> {
    let text = text(rules);
    let bundle = Bundle::read(&Sources::from_texts([("invented.yaml", text.as_str())]));
    Ok(Engine::new(bundle.map_err(|found| found.to_string())?)?)
}

/// The text of a bundle with so many rules of its own.
pub(crate) fn text(rules: usize) -> String {
    let mut out = String::from(
        "
bundle: {controller: Invented, policy: {version: v1, from: 2026-01-01}}
facts:
  request.order: {type: reference, from: header.X-Order}
  request.amount: {type: int, from: header.X-Amount}
  request.channel: {values: [desk, line, mail], from: header.X-Channel}
requesters:
  shop: {purposes: [essential, marketing, analytics, functional]}
routes:
  - route: GET /people/{id}
    purposes: [essential, marketing, analytics, functional]
    about: {type: customer, space: customer, id: path.id}
    response:
      body:
",
    );
    for (at, category) in CATEGORIES.iter().enumerate() {
        let _ = writeln!(out, "        f{at}: {category}");
    }
    out.push_str(
        "clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /people/ann, about: ann, then: refuse purpose-missing}]
rules:
",
    );
    let mut random = Random::new(2026);
    for at in 0..rules {
        let _ = writeln!(out, "  - {{id: r{at}, {}, clauses: [c]}}", rule(&mut random, at));
    }
    out
}

/// Half of the rules permit; the others stop something that is seldom the case.
fn rule(random: &mut Random, at: usize) -> String {
    let picked = usize::try_from(random.below(PURPOSES.len() as u64)).unwrap_or(0);
    let (purpose, basis) = PURPOSES.get(picked).copied().unwrap_or(("essential", "contract"));
    let category = if random.below(3) == 0 { random.of(&ABOVE) } else { random.of(&CATEGORIES) };
    // The first few permit what is asked for, so that something is permitted however few there are.
    if let Some((purpose, basis)) = PURPOSES.iter().find(|(p, _)| ASKED.get(at) == Some(p)) {
        return format!("permit: {purpose}, data: user, basis: {basis}");
    }
    let seldom = match random.below(6) {
        0 => "{subject.contract: ended}".to_owned(),
        1 => format!("{{request.amount: {{over: {}}}}}", 900 + random.below(100)),
        2 => "{request.gpc: true, request.channel: line}".to_owned(),
        3 => "{all: [{request.order: absent}, {request.channel: mail}]}".to_owned(),
        4 => format!(
            "{{any: [{{request.amount: {{over: {}}}}}, {{subject.contract: none}}]}}",
            900 + random.below(100)
        ),
        _ => "{not: {any: [{request.channel: desk}, {request.channel: line}, {request.order: present}]}}"
            .to_owned(),
    };
    match at % 10 {
        0..5 if random.below(2) == 0 => format!("permit: {purpose}, data: {category}, basis: {basis}"),
        0..5 => format!(
            "permit: {purpose}, data: {category}, basis: {basis}, when: {{request.amount: {{below: {}}}}}",
            random.below(1_000)
        ),
        5..8 => format!("forbid: {purpose}, data: {category}, cure: never, when: {seldom}"),
        8 => format!("forbid: {purpose}, data: {category}, cure: {{consent: explicit}}, when: {seldom}"),
        _ => format!("require: {{that: {{not: {seldom}}}}}, for: {purpose}, data: {category}"),
    }
}

/// The questions about the twenty categories, for each purpose.
pub(crate) fn questions(engine: &Engine) -> Result<Vec<Vec<Question>>, Failure> {
    let service = &engine.bundle().service;
    let route = service.find("GET", &["people", "ann"]).ok_or("no such route")?.route;
    let classes = route.response_classes();
    let mut out = Vec::new();
    for purpose in ASKED {
        let purpose = Purpose::new(purpose)?;
        let question = |class: &consentry_model::ClassId| Question {
            requester: RequesterId::new("shop"),
            recipient: RecipientId::new("internal"),
            act: Act::Read,
            purpose: purpose.clone(),
            class: *class,
        };
        out.push(classes.iter().map(question).collect());
    }
    Ok(out)
}

/// The facts about one person and one request; most of them at peace.
pub(crate) fn person(engine: &Engine, number: u64) -> Facts {
    let (book, mut random) = (&engine.bundle().facts, Random::new(number));
    let (core, schema) = (&book.core, &book.schema);
    let mut facts = engine.facts();
    for (id, _) in schema.iter().filter(|(id, _)| core.consent.contains(id)) {
        facts.set_bool(id, random.below(4) > 0);
    }
    for (id, one_in) in [(core.said_no, 12), (core.erased, 40), (core.restricted, 40), (core.gpc, 4)] {
        facts.set_bool(id, random.below(one_in) == 0);
    }
    facts.set_bool(core.own, false);
    facts.set_word(schema, core.assurance, "high");
    facts.set_word(
        schema,
        core.contract,
        random.of(&["active", "active", "active", "active", "requested", "ended"]),
    );
    let mut state = |name: &str, value: Option<FactValue>| {
        if let Some(id) = schema.id(name) {
            facts.set(id, value);
        }
    };
    state("request.order", Some(FactValue::Bool(random.below(6) > 0)));
    state("request.amount", Some(FactValue::Int(i64::try_from(random.below(1_000)).unwrap_or(0))));
    state("request.channel", Some(FactValue::Word(u16::try_from(random.below(3)).unwrap_or(0))));
    facts
}

/// What Cedar says of one category in clear.
pub(crate) fn cedar(
    engine: &Engine,
    question: &Question,
    facts: &Facts,
) -> Result<(bool, Vec<String>), Failure> {
    let asked =
        engine.reference(question, Treatment::Clear, facts, NOW).ok_or("Cedar does not know the words")?;
    let (yes, rules) = asked.ask().ok_or("Cedar failed")?;
    Ok((yes, rules.iter().map(|r| r.as_str().to_owned()).collect()))
}

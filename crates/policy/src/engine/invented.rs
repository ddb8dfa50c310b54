//! Bundles, questions and facts that nobody wrote, for tests: everything that the language can say about facts.

use std::fmt::Write as _;

use consentry_model::{
    Act, ClassId, FactId, FactSchema, FactType, FactValue, Facts, Moment, Purpose, RecipientId, RequesterId,
};

use super::atoms::{Atom, Atoms};
use super::decide::Question;
use crate::bundle::{ANYONE, Bundle, DataClass};
use crate::text::Sources;

/// Numbers from a seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub(super) fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One to three of them, as a list in YAML.
    fn list(&mut self, from: &[&str]) -> String {
        let mut picked: Vec<&str> = (0..=self.below(3)).map(|_| *self.of(from)).collect();
        picked.sort_unstable();
        picked.dedup();
        format!("[{}]", picked.join(", "))
    }
}

const FRAME: &str = "
bundle: {controller: Invented, policy: {version: v1, from: 2026-01-01}}
facts:
  datum.origin: {values: [web, shop, phone, post]}
  datum.score: {type: int}
  request.order: {type: reference, from: header.X-Order}
  request.amount: {type: int, from: header.X-Amount}
  request.channel: {values: [desk, line, mail], from: header.X-Channel}
requesters:
  shop: {purposes: [marketing, essential, analytics]}
  desk: {purposes: [essential], roles: [staff]}
  partner: {purposes: [marketing, analytics], receives_as: partner}
recipients:
  partner: {class: affiliate, country: DE}
  carrier: {class: processor, country: US, agreement: true}
routes:
  - route: GET /customers/{id}
    purposes: [marketing, essential, analytics]
    about: {type: customer, space: customer, id: path.id}
    response:
      body:
        email: {is: user.contact.email, facts: {datum.origin: shop, datum.score: 3}}
        contact: user.contact
        ip: {is: user.device.ip_address, facts: {datum.origin: web}}
        bank: user.financial
  - route: GET /visitors/{id}
    purposes: [marketing, essential, analytics]
    about: {type: visitor, space: customer, id: path.id}
    response: {body: {ip: user.device.ip_address, email: user.contact.email, score: {is: user.behavior, facts: {datum.score: 12}}}}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /customers/ann, about: ann, then: refuse route-unknown}]
rules:
";

const DATA: [&str; 7] = [
    "user",
    "user.contact",
    "user.contact.email",
    "user.device",
    "user.device.ip_address",
    "user.financial",
    "user.behavior",
];
const PURPOSES: [(&str, &[&str]); 3] = [
    (
        "marketing",
        &["marketing", "marketing.communications", "marketing.communications.email", "marketing.advertising"],
    ),
    ("essential", &["essential", "essential.service", "essential.service.operations"]),
    ("analytics", &["analytics", "analytics.reporting"]),
];
const TYPES: [&str; 2] = ["customer", "visitor"];
const BASES: [&str; 7] = [
    "{consent: opt-in}",
    "{consent: explicit}",
    "{consent: soft-opt-in}",
    "contract",
    "notice",
    "{legitimate_interests: lia-1}",
    "{legal_obligation: law-1}",
];
const DATES: [&str; 4] = ["2026-03-01", "2026-06-01", "2026-09-01", "2026-12-01"];

/// A bundle with so many rules.
pub(super) fn bundle(seed: u64, rules: usize) -> Bundle {
    let text = text(&mut Random::new(seed), rules);
    let sources = Sources::from_texts([("invented.yaml", text.as_str())]);
    Bundle::read(&sources).unwrap_or_else(|found| panic!("{found}\n{text}"))
}

/// A bundle with what a program cannot hold as masks: an obligation whose cubes would be too many, and native policies
/// that calculate.
pub(super) fn awkward() -> Bundle {
    let mut random = Random::new(7);
    let mut text = text(&mut random, 12);
    let flags: String = (0..28).fold(String::new(), |mut out, at| {
        let _ = writeln!(out, "  request.flag{at}: {{type: reference, from: header.X-Flag-{at}}}");
        out
    });
    text = text.replace("requesters:\n", &format!("{flags}requesters:\n"));
    let pairs: Vec<String> = (0..14)
        .map(|at| {
            format!("{{any: [{{request.flag{}: present}}, {{request.flag{}: present}}]}}", 2 * at, 2 * at + 1)
        })
        .collect();
    let all = pairs.join(", ");
    let _ = writeln!(
        text,
        "  - {{id: many, forbid: essential, data: any, cure: never, when: {{all: [{all}]}}, clauses: [c]}}"
    );
    let native = "
@id(\"native-set\") @clauses(\"c\")
forbid (principal, action in [Action::\"within marketing\"], resource)
when { context has request_amount && [context.request_amount, 40].contains(15) };
@id(\"native-plain\") @clauses(\"c\")
forbid (principal, action, resource)
when { context has request_amount && (3 == context.request_amount || 15 <= context.request_amount) }
unless { context has request_order && context.request_order == true };
";
    let sources = Sources::from_texts([("invented.yaml", text.as_str()), ("native.cedar", native)]);
    Bundle::read(&sources).unwrap_or_else(|found| panic!("{found}\n{text}"))
}

fn text(random: &mut Random, rules: usize) -> String {
    let mut text = FRAME.to_owned();
    // Law 6: one basis for each purpose and subject type, so that no two of them meet.
    let bases: Vec<&str> = (0..PURPOSES.len() * TYPES.len()).map(|_| *random.of(&BASES)).collect();
    for at in 0..rules {
        let _ = writeln!(text, "  - {{id: r{at}, {}, clauses: [c]}}", rule(random, at, &bases));
    }
    text
}

fn rule(random: &mut Random, at: usize, bases: &[&str]) -> String {
    let (root, ty) = (random.below(PURPOSES.len()), random.below(TYPES.len()));
    let purposes = random.list(PURPOSES[root].1);
    let mut out = match at % 3 {
        0 => {
            let treatments = ["", ", as: masked", ", as: [masked, truncated]", ", as: truncated"];
            let (basis, treatments) = (bases[root * TYPES.len() + ty], *random.of(&treatments));
            format!("permit: {purposes}, of: {}, basis: {basis}{treatments}", TYPES[ty])
        }
        1 => {
            let purposes = if random.one_in(5) { "any".to_owned() } else { purposes };
            let cures =
                ["cure: never", "cure: {consent: opt-in}", "cure: {consent: parental}", "pending: a clock"];
            format!("forbid: {purposes}, {}", random.of(&cures))
        }
        _ => format!("require: {{that: {}}}, for: {purposes}", condition(random, 2, false)),
    };
    let data = if random.one_in(4) { "any".to_owned() } else { random.list(&DATA) };
    let _ = write!(out, ", data: {data}");
    if !at.is_multiple_of(3) && random.one_in(3) {
        let _ = write!(out, ", of: {}", TYPES[ty]);
    }
    if random.one_in(4) {
        let _ = write!(out, ", by: {}", random.list(&["shop", "partner", "desk", "anyone", "staff"]));
    }
    if random.one_in(4) {
        let _ = write!(
            out,
            ", to: {}",
            random.list(&["internal", "affiliate", "partner", "external", "processor"])
        );
    }
    if random.one_in(5) {
        let _ = write!(out, ", act: {}", random.list(&["read", "send", "disclose", "collect"]));
    }
    if random.one_in(2) || at % 3 == 1 {
        let _ = write!(out, ", when: {}", condition(random, 3, at.is_multiple_of(3)));
    }
    if random.one_in(3) {
        let _ = write!(out, ", unless: {}", condition(random, 2, false));
    }
    let from = random.below(DATES.len());
    if random.one_in(6) {
        let _ = write!(out, ", from: {}", DATES[from]);
    }
    if random.one_in(6) && from + 1 < DATES.len() {
        let _ = write!(out, ", until: {}", DATES[from + 1]);
    }
    out
}

fn condition(random: &mut Random, depth: usize, permits: bool) -> String {
    if depth > 0 && random.one_in(2) {
        let parts: Vec<String> =
            (0..2 + random.below(2)).map(|_| condition(random, depth - 1, permits)).collect();
        return match random.below(5) {
            0 | 1 => format!("{{all: [{}]}}", parts.join(", ")),
            2 | 3 => format!("{{any: [{}]}}", parts.join(", ")),
            _ => format!("{{not: {}}}", parts[0]),
        };
    }
    let bound = random.below(20);
    match random.below(if permits { 17 } else { 16 }) {
        0 => format!("{{request.gpc: {}}}", random.one_in(2)),
        1 => format!("{{request.order: {}}}", random.of(&["present", "absent"])),
        2 => format!("{{subject.contract: {}}}", random.list(&["none", "requested", "active", "ended"])),
        3 => format!("{{datum.origin: {}}}", random.list(&["web", "shop", "phone", "post"])),
        4 => format!("{{request.assurance: {}}}", random.list(&["none", "low", "substantial", "high"])),
        5 => {
            let (how, level) =
                (random.of(&["at_least", "below", "over", "at_most"]), random.of(&["low", "substantial"]));
            format!("{{request.assurance: {{{how}: {level}}}}}")
        }
        6 => format!("{{request.tls: {{at_least: {}}}}}", random.of(&["tls1.2", "tls1.3"])),
        7 => format!(
            "{{request.amount: {{{}: {bound}}}}}",
            random.of(&["at_least", "below", "over", "at_most"])
        ),
        8 => format!("{{datum.score: {{at_least: {}, below: {}}}}}", bound / 2, bound),
        9 => format!("{{subject.age: {{below: {}}}}}", random.of(&[13, 16, 18])),
        10 => format!("{{request.amount: [{bound}, {}]}}", bound + 2),
        11 => format!("{{request.channel: {}}}", random.list(&["desk", "line", "mail"])),
        12 => format!("{{purpose: {}}}", random.list(PURPOSES[bound % 3].1)),
        13 => format!("{{data: {}}}", random.list(&DATA)),
        14 => format!("{{as: {}}}", random.of(&["masked", "truncated", "clear", "aggregated"])),
        15 => format!("{{min_group: {}}}", 2 + bound),
        _ => format!("{{consent: {}}}", random.of(&["opt-in", "explicit", "parental"])),
    }
}

/// A question. Most aim at a rule, so that it is met; the others take any words at all.
pub(super) fn question(bundle: &Bundle, random: &mut Random) -> Question {
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
    if random.one_in(5) {
        return out;
    }
    if let Some(purposes) = &rule.purposes {
        let aim = random.of(purposes).clone();
        let below: Vec<&Purpose> = all.iter().filter(|p| vocabulary.covers(&aim, p)).collect();
        out.purpose = (*random.of(&below)).clone();
    }
    if !rule.to.is_empty() {
        let aim = random.of(&rule.to).as_str();
        let within = |r: &&RecipientId| vocabulary.recipient_is(r.as_str(), aim);
        let within: Vec<_> = recipients.iter().filter(within).collect();
        out.recipient = (*random.of(&within)).clone();
    }
    if !rule.by.is_empty() {
        out.requester = random.of(&rule.by).clone();
    }
    if !rule.acts.is_empty() {
        out.act = *random.of(&rule.acts);
        if out.act == Act::Disclose && random.one_in(2) {
            out.act = Act::Send;
        }
    }
    let fits = |class: &DataClass| {
        let category = class.category.as_str();
        (rule.of.is_empty() || rule.of.contains(&class.subject_type))
            && rule
                .data
                .as_ref()
                .is_none_or(|data| data.iter().any(|c| vocabulary.categories.touches(category, c.as_str())))
    };
    let fitting: Vec<usize> = (0..classes.len()).filter(|at| fits(&classes[*at])).collect();
    if !fitting.is_empty() {
        out.class = ClassId(u16::try_from(*random.of(&fitting)).unwrap());
    }
    out
}

/// Facts and a time; the values of numbers are near those that the policies compare them with.
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) now: Moment,
}

impl World {
    pub(super) fn new(bundle: &Bundle, atoms: &Atoms, random: &mut Random) -> Self {
        let (schema, core) = (&bundle.facts.schema, &bundle.facts.core);
        let mut facts = Facts::unknown(schema);
        let wishes = [core.said_no, core.erased, core.restricted, core.gpc];
        // Half of the people are at peace with everything; of the others anything may be the case, or unknown.
        let at_peace = random.one_in(2);
        for (id, _) in schema.iter() {
            let value = match random.below(6) {
                _ if at_peace && wishes.contains(&id) => Some(FactValue::Bool(false)),
                0 => None,
                1 | 2 if at_peace && core.consent.contains(&id) => Some(FactValue::Bool(true)),
                _ => value(schema, atoms, id, random),
            };
            facts.set(id, value);
        }
        let dates = ["2025-12-31", "2026-03-01", "2026-06-01", "2026-09-01", "2026-12-01"];
        let date: jiff::Timestamp = format!("{}T00:00:00Z", random.of(&dates)).parse().unwrap();
        let now =
            Moment::from_unix_millis(date.as_millisecond() + i64::try_from(random.below(3)).unwrap() - 1);
        Self { facts, now }
    }

    /// Makes one atom true or false.
    pub(super) fn make(
        &mut self,
        schema: &FactSchema,
        atoms: &Atoms,
        atom: Atom,
        holds: bool,
        random: &mut Random,
    ) {
        match (atom, holds) {
            (Atom::Before(millis), _) => self.now = Moment::from_unix_millis(millis - i64::from(holds)),
            (Atom::Known(id), true) => {
                if self.facts.get(id).is_none() {
                    self.facts.set(id, value(schema, atoms, id, random));
                }
            }
            (Atom::Known(id), false) => self.facts.set(id, None),
            (Atom::Is(id, wanted), true) => self.facts.set(id, Some(wanted)),
            (Atom::Is(id, unwanted), false) => {
                for _ in 0..20 {
                    if self.facts.get(id) == Some(unwanted) {
                        self.facts.set(id, value(schema, atoms, id, random));
                    }
                }
            }
            (Atom::Below(id, bound), _) => {
                let n = bound - i64::from(holds);
                let word = matches!(schema.def(id).map(|d| &d.ty), Some(FactType::Level(_)));
                let word = word.then(|| u16::try_from(n).map_or(FactValue::Word(0), FactValue::Word));
                self.facts.set(id, Some(word.unwrap_or(FactValue::Int(n))));
            }
        }
    }
}

fn value(schema: &FactSchema, atoms: &Atoms, id: FactId, random: &mut Random) -> Option<FactValue> {
    Some(match &schema.def(id)?.ty {
        FactType::Bool => FactValue::Bool(random.one_in(2)),
        FactType::Word(words) | FactType::Level(words) => {
            FactValue::Word(u16::try_from(random.below(words.len())).unwrap())
        }
        FactType::Int => {
            let bounds: Vec<i64> = (0..atoms.len())
                .filter_map(|bit| match atoms.atom(bit) {
                    Some(Atom::Below(of, bound)) if of == id => Some(bound),
                    Some(Atom::Is(of, FactValue::Int(n))) if of == id => Some(n),
                    _ => None,
                })
                .chain([0, i64::MAX - 1])
                .collect();
            FactValue::Int(*random.of(&bounds) - 1 + i64::try_from(random.below(3)).unwrap())
        }
    })
}

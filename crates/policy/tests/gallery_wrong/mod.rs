//! The exhibits.

mod cases;
mod head;
mod media;
mod routes;

use super::Exhibit;

pub(super) use cases::CASES;
pub(super) use head::{HEADS, NATIVE};
pub(super) use media::MEDIA;
pub(super) use routes::ROUTES;

pub(super) const WORDS: &[Exhibit] = &[
    (
        "a purpose with a typo",
        "rules: [{id: x, permit: marketing.comunications, data: user.name, basis: contract, clauses: [c-1]}]",
    ),
    (
        "a category with a typo",
        "rules: [{id: x, forbid: marketing, data: user.contact.mail, cure: never, clauses: [c-1]}]",
    ),
    (
        "a subject type that nobody listed",
        "rules: [{id: x, forbid: marketing, data: user, of: costumer, cure: never, clauses: [c-1]}]",
    ),
    (
        "a recipient that is none",
        "rules: [{id: x, forbid: marketing, data: user, to: thirdparty, cure: never, clauses: [c-1]}]",
    ),
    (
        "a requester that is none",
        "rules: [{id: x, forbid: marketing, data: user, by: shopp, cure: never, clauses: [c-1]}]",
    ),
    (
        "a fact that is none",
        "rules: [{id: x, forbid: marketing, data: user, when: {datum.orgin: web}, cure: never, clauses: [c-1]}]",
    ),
    (
        "a word that the fact does not know",
        "rules: [{id: x, forbid: marketing, data: user.name, when: {datum.origin: webb}, cure: never, clauses: [c-1]}]",
    ),
    (
        "a reason that is none",
        "rules: [{id: x, forbid: marketing, data: user, cure: never, reason: agregate-only, clauses: [c-1]}]",
    ),
    (
        "a key of another language",
        "rules: [{id: x, deny: marketing, data: user, cure: never, clauses: [c-1]}]",
    ),
    ("a section that is none", "rule: []"),
    ("a vocabulary key under nothing", "vocabulary: {purposes: {markting.newsletter: {}}}"),
    ("a vocabulary key in capitals", "vocabulary: {categories: {user.Email: {}}}"),
    ("a vocabulary key that is there already", "vocabulary: {purposes: {marketing: {parents: [essential]}}}"),
    ("a fact of no source", "facts: {weather: {values: [fine]}}"),
    ("a fact of the product's own", "facts: {request.gpc: {type: reference, from: query.gpc}}"),
    ("a fact in a record", "facts: {request.ticket: {type: reference, from: item.ticket}}"),
    ("a fact that is the person of a token", "facts: {request.member: {type: reference, from: token.sub}}"),
    ("a fact that nobody states", "facts: {weather.rain: {type: bool}}"),
    ("a fact of no type", "facts: {datum.size: {}}"),
    ("an assumption that widens", "facts: {subject.erased: {if_unknown: 0, because: nobody is erased}}"),
    ("another name that is taken", "vocabulary: {purposes: {marketing: {aliases: [essential]}}}"),
    ("a fact without words", "facts: {datum.place: {values: []}}"),
];

pub(super) const PARTIES: &[Exhibit] = &[
    ("a requester without purposes", "requesters: {crm: {}}"),
    ("a requester called anyone", "requesters: {anyone: {purposes: [marketing]}}"),
    ("a requester in two files", "requesters: {shop: {purposes: [marketing, sales]}}"),
    ("a recipient of no known class", "recipients: {adnet: {class: advertiser, country: US}}"),
    ("a country that is none", "recipients: {adnet: {class: third_party, country: Germany}}"),
    ("a class that is neither inside nor outside", "vocabulary: {recipients: {friends: {}}}"),
    (
        "a safeguard that ends before it begins",
        "recipients: {mail: {class: processor, country: US, safeguard: {kind: scc, from: 2027-01-01, until: 2024-01-01}}}",
    ),
    (
        "an agreement of no day",
        "recipients: {mail: {class: processor, country: US, agreement: {from: 2026-01-01, until: 2026-01-01}}}",
    ),
    ("an agreement between no days", "recipients: {mail: {class: processor, country: US, agreement: {}}}"),
    (
        "a safeguard of no kind between days that are none",
        "recipients: {mail: {class: processor, country: US, safeguard: {from: 2026-13-01, until: 2027}}}",
    ),
    (
        "the lack of a safeguard, with a date",
        "recipients: {mail: {class: processor, country: US, safeguard: {kind: none, until: 2027-01-01}}}",
    ),
    (
        "a safeguard in other words",
        "recipients: {mail: {class: processor, country: US, safeguard: {kind: scc, to: 2027-01-01}}}",
    ),
];

pub(super) const RULES: &[Exhibit] = &[
    (
        "two duties at once",
        "rules: [{id: x, require: {tell: recipients, answer_within: P1M}, clauses: [c-1]}]",
    ),
    ("a period of hours", "rules: [{id: x, require: {answer_within: PT6H}, clauses: [c-1]}]"),
    (
        "a cadence that counts nobody",
        "rules: [{id: x, require: {at_most: {times: 1, per: calendar-month, of: [message.topic]}}, clauses: [c-1]}]",
    ),
    (
        "a choice that is deduced",
        "rules: [{id: x, require: {record: {consent: opt-in, to: marketing}}, clauses: [c-1]}]",
    ),
    (
        "a header that frames the answer",
        "rules: [{id: x, require: {set_header: {Content-Length: \"0\"}}, clauses: [c-1]}]",
    ),
    (
        "a reason for what refuses nothing",
        "rules: [{id: x, require: {tell: recipients}, reason: linkage, clauses: [c-1]}]",
    ),
    (
        "a comparison with a word",
        "rules: [{id: x, forbid: any, data: any, cure: never, when: {same: [subject.id, datum.origin]}, clauses: [c-1]}]",
    ),
    (
        "a comparison of a name with a time",
        "rules: [{id: x, forbid: any, data: any, cure: never, when: {same: [subject.id, datum.collected_at]}, clauses: [c-1]}]",
    ),
    (
        "a group of one",
        "rules: [{id: x, permit: marketing, data: user.contact, of: customer, as: {aggregated: {min_group: 1}}, basis: aggregate, clauses: [c-1]}]",
    ),
    (
        "a rule that says two things",
        "rules: [{id: x, permit: marketing, forbid: sales, data: user, basis: contract, clauses: [c-1]}]",
    ),
    ("a rule on no data", "rules: [{id: x, permit: marketing, basis: contract, clauses: [c-1]}]"),
    ("a rule on an empty list", "rules: [{id: x, forbid: marketing, data: [], cure: never, clauses: [c-1]}]"),
    (
        "a prohibition that an empty condition would always lift",
        "rules: [{id: x, forbid: marketing, data: any, unless: {}, cure: never, clauses: [c-1]}]",
    ),
    (
        "a permission whose condition was forgotten",
        "rules: [{id: x, permit: marketing, data: user.contact, basis: contract, when: , clauses: [c-1]}]",
    ),
    (
        "an obligation that asks for nothing",
        "rules: [{id: x, require: {that: {}}, for: marketing, reason: linkage, clauses: [c-1]}]",
    ),
    (
        "a prohibition on an empty choice",
        "rules: [{id: x, forbid: marketing, data: any, when: {any: []}, cure: never, clauses: [c-1]}]",
    ),
    (
        "a prohibition when a purpose is none of these",
        "rules: [{id: x, forbid: marketing, data: any, when: {purpose: []}, cure: never, clauses: [c-1]}]",
    ),
    ("a permission without a basis", "rules: [{id: x, permit: marketing, data: user.name, clauses: [c-1]}]"),
    (
        "a permission with a cure",
        "rules: [{id: x, permit: marketing, data: user.name, basis: contract, cure: never, clauses: [c-1]}]",
    ),
    (
        "a basis that the law does not know",
        "rules: [{id: x, permit: marketing, data: user.name, basis: interest, clauses: [c-1]}]",
    ),
    (
        "a legitimate interest that nobody has weighed",
        "rules: [{id: x, permit: marketing, data: user.name, basis: {legitimate_interests: ''}, clauses: [c-1]}]",
    ),
    (
        "a legitimate interest without a reference",
        "rules: [{id: x, permit: marketing, data: user.name, basis: legitimate_interests, clauses: [c-1]}]",
    ),
    (
        "data that is kept under no law",
        "rules: [{id: x, require: {keep: {for: P7Y, since: datum.collected_at, obligation: ' '}}, clauses: [c-1]}]",
    ),
    (
        "data that is kept for as long as is necessary",
        "rules: [{id: x, require: {keep: {for: as long as necessary, since: datum.collected_at, obligation: tax law}}, clauses: [c-1]}]",
    ),
    (
        "data that is kept without an end",
        "rules: [{id: x, require: {keep: {since: datum.collected_at, obligation: tax law}}, clauses: [c-1]}]",
    ),
    (
        "a rule that speaks of data no route carries",
        "rules: [{id: x, forbid: marketing, data: user.financial, cure: never, clauses: [c-1]}]",
    ),
    (
        "a rule that speaks of purposes no route serves",
        "rules: [{id: x, forbid: train_ai_system, data: user, cure: never, clauses: [c-1]}]",
    ),
    (
        "a prohibition that does not say whether consent lifts it",
        "rules: [{id: x, forbid: marketing, data: user, clauses: [c-1]}]",
    ),
    (
        "a prohibition that consent lifts by the back door",
        "rules: [{id: x, forbid: marketing, data: user, cure: never, unless: {consent: opt-in}, clauses: [c-1]}]",
    ),
    (
        "an obligation that more consent would tighten",
        "rules: [{id: x, require: {that: {consent: opt-in}}, for: marketing, clauses: [c-1]}]",
    ),
    (
        "two bases for the same",
        "rules: [{id: x, permit: essential.service.upgrades, data: user.name, of: customer, basis: {consent: opt-in}, clauses: [c-1]}]",
    ),
    ("a rule that rests on nothing", "rules: [{id: x, forbid: marketing, data: user, cure: never}]"),
    (
        "a rule that rests on a clause nobody listed",
        "rules: [{id: x, forbid: marketing, data: user, cure: never, clauses: [c-11]}]",
    ),
    (
        "a rule that ends before it begins",
        "rules: [{id: x, forbid: marketing, data: user, cure: never, from: 2026-02-01, until: 2026-01-01, clauses: [c-1]}]",
    ),
    (
        "a date that is none",
        "rules: [{id: x, forbid: marketing, data: user, cure: never, from: 2026-02-30, clauses: [c-1]}]",
    ),
    ("a rule twice", "rules: [{id: serve, forbid: marketing, data: user, cure: never, clauses: [c-1]}]"),
    (
        "a rule under the product's name",
        "rules: [{id: core-mine, forbid: marketing, data: user, cure: never, clauses: [c-1]}]",
    ),
    (
        "a rule's id that is a path",
        "rules: [{id: serve/no, forbid: marketing, data: user, cure: never, clauses: [c-1]}]",
    ),
];

pub(super) const CLAUSES: &[Exhibit] = &[
    (
        "a promise that nothing keeps",
        "clauses: [{id: c-2, line: 2, section: Use, says: Nobody is profiled., status: enforced}]\ncases: [{case: it is tested, clause: c-2, who: shop, asks: GET /x, about: nobody, then: refuse route-unknown}]",
    ),
    (
        "a promise that waits without refusing",
        "clauses: [{id: c-2, line: 2, section: Use, says: Mail comes monthly., status: {pending: a counter}}]\ncases: [{case: it is tested, clause: c-2, who: shop, asks: GET /x, about: nobody, then: refuse route-unknown}]",
    ),
    (
        "a promise to be kept by people, with a rule",
        "clauses: [{id: c-2, line: 2, section: Use, says: Doors are locked., status: {organisational: doors}}]\nrules: [{id: x, forbid: marketing, data: user, cure: never, clauses: [c-2]}]",
    ),
    (
        "a promise that no case tests",
        "clauses: [{id: c-2, line: 2, section: Use, says: Nobody is profiled., status: enforced}]\nrules: [{id: x, forbid: marketing.advertising.profiling, data: user, cure: never, clauses: [c-2]}]",
    ),
    (
        "a clause twice, on line minus one",
        "clauses: [{id: c-1, line: -1, section: Use, says: It is., status: enforced}, {id: c-1, line: 1, section: Use, says: It is., status: enforced}]",
    ),
    (
        "a fingerprint that YAML reads as a number",
        "clauses: [{id: c-2, line: 2, section: Use, says: Doors are locked., status: {organisational: doors}, fingerprint: [0123456789abcdef, 1234567890123456, ABCDEF0123456789]}]",
    ),
    (
        "a status without its text",
        "clauses: [{id: c-2, line: 2, section: Use, says: It is., status: partly}]",
    ),
];

pub(super) const WHOLE: &[Exhibit] = &[
    (
        "a purpose that nobody uses",
        "vocabulary: {purposes: {raffle: {parents: [marketing]}, fundraising: {}}}",
    ),
    (
        "a cookie that rests on no listed clause",
        "cookies: [{name: ab, purpose: marketing, data: user.device.cookie, form: {hex: 16}, clauses: [c-9]}]",
    ),
    ("two controllers", "bundle: {controller: Other, policy: {version: v2, from: 2026-06-01}}"),
    ("a rule where a list is wanted", "rules: {id: x}"),
    ("words where a mapping is wanted", "requesters: [crm, shop]"),
];

pub(super) const YAML: &[Exhibit] = &[
    ("a key twice", "rules: []\nrules: []\n"),
    ("two documents", "rules: []\n---\nrules: []\n"),
    ("an anchor and its alias", "rules: &r []\ncases: *r\n"),
    ("a merge key", "bundle: {<<: {controller: x}}\n"),
    ("a tab", "rules:\n\t- id: x\n"),
    ("a bracket that stays open", "rules: [{id: x\n"),
    ("other words for true and false", "routes: [{route: GET /orders, purpose: essential, public: yes}]\n"),
    (
        "a typo behind letters of two bytes",
        "rules: [{id: x, reason: grüße, permit: marketng, data: user, basis: contract, clauses: [c-1]}]",
    ),
    ("a text that begins with a letter of two bytes", "rules: [{id: ümlaut, \"ö"),
];

/// Nothing is wrong, but somebody should look.
pub(super) const LOOKS: &[Exhibit] = &[
    (
        "a purpose that was replaced",
        "rules: [{id: x, forbid: personalize.profiling, data: user, cure: never, clauses: [c-1]}]",
    ),
    (
        "a fact that the service map does not state",
        "facts: {datum.place: {values: [here, there]}}\nrules: [{id: x, forbid: marketing, data: user.name, unless: {datum.place: here}, cure: never, clauses: [c-1]}]",
    ),
];

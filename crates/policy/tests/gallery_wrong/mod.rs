//! The exhibits.

use super::Exhibit;

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
    ("a fact in the body", "facts: {request.ticket: {type: reference, from: body.ticket}}"),
    ("a fact without words", "facts: {datum.place: {values: []}}"),
];

pub(super) const PARTIES: &[Exhibit] = &[
    ("a requester without purposes", "requesters: {crm: {}}"),
    ("a requester called anyone", "requesters: {anyone: {purposes: [marketing]}}"),
    ("a requester in two files", "requesters: {shop: {purposes: [marketing, sales]}}"),
    ("a recipient of no known class", "recipients: {adnet: {class: advertiser, country: US}}"),
    ("a country that is none", "recipients: {adnet: {class: third_party, country: Germany}}"),
    ("a class that is neither inside nor outside", "vocabulary: {recipients: {friends: {}}}"),
];

pub(super) const ROUTES: &[Exhibit] = &[
    ("a route without a method", "routes: [{route: /orders, purpose: essential}]"),
    (
        "a route with two purposes and a right",
        "routes: [{route: GET /orders, purpose: essential, right: access}]",
    ),
    ("one purpose that is two", "routes: [{route: GET /orders, purpose: [essential, marketing]}]"),
    ("a route that another one matches", "routes: [{route: 'GET /customers/{name}', purpose: essential}]"),
    (
        "personal data about nobody",
        "routes: [{route: GET /orders, purpose: essential, response: {body: {email: user.contact.email}}}]",
    ),
    (
        "records without a list",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, response: {body: {id: user.unique_id}}}]",
    ),
    (
        "a list about nobody",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: query.id}, response: {records: 'rows[]', body: {'rows[].id': user.unique_id}}}]",
    ),
    (
        "a request about the records of its answer",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, request: {body: {email: user.contact.email}}, response: {records: 'rows[]', body: {'rows[].id': user.unique_id}}}]",
    ),
    (
        "a variable that the path lacks",
        "routes: [{route: 'GET /orders/{order}', purpose: essential, about: {type: customer, space: customer, id: path.id}, response: {body: {id: user.unique_id}}}]",
    ),
    (
        "a reference to nowhere",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: the customer}}]",
    ),
    (
        "somebody named among the anonymous",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, anonymous: true, id: query.id}}]",
    ),
    (
        "a path that leads into a field",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: query.id}, response: {body: {a: user.name, a.b: user.name}}}]",
    ),
    (
        "a header twice",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, anonymous: true}, request: {headers: {Referer: user.behavior, referer: user.name}}}]",
    ),
    (
        "an event about nobody",
        "routes: [{route: POST /orders, purpose: essential, events: [{contract: requested}]}]",
    ),
    (
        "an event with two effects",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: email, id: body.email}, events: [{withdraw: marketing, object: marketing}]}]",
    ),
    ("a right that the law does not know", "routes: [{route: GET /orders, right: oblivion}]"),
    (
        "a cookie of any form",
        "cookies: [{name: ab, purpose: marketing, data: user.device.cookie, form: {hex: 0}}]",
    ),
    (
        "a cookie twice",
        "cookies: [{name: sid, purpose: marketing, data: user.device.cookie, form: {hex: 16}}]",
    ),
];

pub(super) const RULES: &[Exhibit] = &[
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
        "clauses: [{id: c-2, line: 2, section: Use, says: Nobody is profiled., status: enforced}]\ncases: [{case: it is tested, clause: c-2, who: shop, asks: GET /x, then: refuse route-unknown}]",
    ),
    (
        "a promise that waits without refusing",
        "clauses: [{id: c-2, line: 2, section: Use, says: Mail comes monthly., status: {pending: a counter}}]\ncases: [{case: it is tested, clause: c-2, who: shop, asks: GET /x, then: refuse route-unknown}]",
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
        "a status without its text",
        "clauses: [{id: c-2, line: 2, section: Use, says: It is., status: partly}]",
    ),
];

pub(super) const CASES: &[Exhibit] = &[
    (
        "a sentence that is nearly one",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, given: [ann agreed to marketing on 2026-01-01], then: allow}]",
    ),
    (
        "a day that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, given: [ann withdrew marketing on 2026-02-30], then: allow}]",
    ),
    (
        "an outcome that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, then: deny}]",
    ),
    (
        "a refusal for no known reason",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, then: refuse consent-withdrawed}]",
    ),
    (
        "a request that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: customers of ann, then: allow}]",
    ),
    (
        "somebody who is nobody",
        "cases: [{case: a, clause: c-1, who: shopp, asks: GET /customers/ann, then: allow}]",
    ),
    (
        "a header in the wrong place",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, with: {headers.X-Order: '9'}, then: allow}]",
    ),
    (
        "a number that cannot be",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, answer: {score: 1.5}, omitted: -1, status: 70000, then: allow}]",
    ),
    ("a case without an end", "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann}]"),
];

pub(super) const WHOLE: &[Exhibit] = &[
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

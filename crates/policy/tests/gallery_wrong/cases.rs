//! Wrong cases.

use crate::Exhibit;

pub(crate) const CASES: &[Exhibit] = &[
    (
        "a state without a day",
        "cases: [{case: x, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, given: [ann was informed], then: refuse basis-lapsed}]",
    ),
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
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, then: deny}]",
    ),
    (
        "a refusal for no known reason",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, then: refuse consent-withdrawed}]",
    ),
    (
        "a request that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: customers of ann, about: ann, then: allow}]",
    ),
    (
        "somebody who is nobody",
        "cases: [{case: a, clause: c-1, who: shopp, asks: GET /customers/ann, about: ann, then: allow}]",
    ),
    (
        "a header in the wrong place",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, with: {headers.X-Order: '9'}, then: allow}]",
    ),
    (
        "a number that cannot be",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, answer: {score: 1.5}, omitted: -1, status: 70000, then: allow}]",
    ),
    (
        "a case without an end",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann}]",
    ),
    (
        "a case about nobody knows whom",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, then: allow}]",
    ),
    ("a load error of the bundle as it is", "cases: [{case: a, clause: c-1, then: load error bases-meet}]"),
    (
        "a load error that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, if_bundle_had: {rules: []}, then: load error Bases Meet}]",
    ),
    (
        "a version of TLS that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, with: {transport.tls: ssl3, transport.signed: 'yes', token.groups: {a: b}}, then: allow}]",
    ),
    (
        "a change to something else",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, changed: {cookie.sid: 60}, then: redact}]",
    ),
    (
        "an omission that is neither a number nor a list",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, omitted: {bob: true}, then: redact}]",
    ),
    (
        "a cookie with an attribute that is none",
        "cases: [{case: a, clause: c-1, who: shop, asks: GET /customers/ann, about: ann, sets: {sid: {value: x, expire: 2099-01-01}}, then: redact}]",
    ),
];

//! Wrong settings of a whole bundle: each takes the place of the base's `bundle` section, and may add a file.

/// What is wrong, the section, and a further file.
pub(crate) const HEADS: &[(&str, &str, &str)] = &[
    ("a regime that nobody wrote", "regimes: [eu-gdp]", ""),
    ("a time zone that is none", "time_zone: Europe/Viena", ""),
    ("a home that is no country", "home: UK", ""),
    ("a base that is no basis", "bases: {only: [consent, contrct]}", ""),
    ("a permission on a basis that is not listed", "bases: {only: [consent]}", ""),
    (
        "implied consent where it never counts",
        "home: GB, regimes: [uk-gdpr]",
        "rules: [{id: x, permit: marketing, data: user.contact, of: customer, basis: {consent: implied}, clauses: [c-1]}]",
    ),
    (
        "a notice where it is no basis",
        "home: FR, regimes: [eu-gdpr]",
        "rules: [{id: x, permit: marketing, data: user.contact, of: customer, basis: notice, clauses: [c-1]}]",
    ),
    ("versions out of order", "versions: [{id: v1, from: 2026-01-01}, {id: v2, from: 2025-01-01}]", ""),
    (
        "a purpose that came with a version nobody lists",
        "versions: [{id: v1, from: 2026-01-01}]",
        "vocabulary: {purposes: {marketing.raffle: {since: v2}}}",
    ),
    (
        "an address as no personal data",
        "identifying: {fields: [email]}",
        "routes: [{route: GET /log, purpose: essential, response: {body: {\"rows[].email\": none}}}]",
    ),
    ("a detector that nobody wrote", "detect: {iban: user.financial}", ""),
    ("a host that is none", "hosts: [\"www.example.org/privacy\"]", ""),
    ("no host at all", "hosts: []", ""),
    (
        "a switch that nobody set",
        "config: {deal_closed: false}",
        "facts: {deal.closed: {type: bool, from: config.deal_close}}",
    ),
    ("a default for a fact that no datum has", "defaults: {datum.orign: web}", ""),
    ("a default that is no value of the fact", "defaults: {datum.origin: phone}", ""),
];

/// Native policies that are none of the bundle's.
pub(crate) const NATIVE: &[(&str, &str)] = &[
    ("no Cedar", "permit principal;"),
    ("a policy without an id", "forbid (principal, action, resource);"),
    ("a policy without a clause", "@id(\"x\")\nforbid (principal, action, resource);"),
    ("a permission without a basis", "@id(\"x\")\n@clauses(\"c-1\")\npermit (principal, action, resource);"),
    (
        "an annotation that nobody reads",
        "@id(\"x\")\n@clauses(\"c-1\")\n@clause(\"c-1\")\nforbid (principal, action, resource);",
    ),
    ("a clause that nobody lists", "@id(\"x\")\n@clauses(\"c-9\")\nforbid (principal, action, resource);"),
    ("a template", "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal == ?principal, action, resource);"),
    (
        "a prohibition that can fail",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when { context.now + 1 > 0 };",
    ),
    ("the id of a rule", "@id(\"serve\")\n@clauses(\"c-1\")\nforbid (principal, action, resource);"),
    (
        "a template with a slot for the data",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource in ?resource);",
    ),
    (
        "a category that nobody knows",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource == Data::\"user.contact.emial\");",
    ),
    (
        "an exchange that nobody makes, in a condition",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when { principal == Exchange::\"shopp > internal\" };",
    ),
    (
        "a group of categories that nobody knows",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource in Category::\"within user.contcat\");",
    ),
    (
        "a purpose that nobody knows",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action == Action::\"markting\", resource);",
    ),
    (
        "a fact that may be absent",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when { context.subject_erased };",
    ),
    (
        "a policy that never speaks",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when { context.now > 0 && false };",
    ),
    (
        "a prohibition that reads a text",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when { ip(\"not an address\").isLoopback() };",
    ),
    (
        "letters of two alphabets in one word",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when { \"p\u{430}ypal\" == \"x\" || context.now > 1 + 1 };",
    ),
    (
        "a policy in a policy in a policy",
        "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when {\n  ((((((((((((((((((((((((((((((((true))))))))))))))))))))))))))))))))\n};",
    ),
];

//! What the words of a route become: whom it is about, what is stated where, and what the field maps look for.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use consentry_model::{Emptied, FactValue, Field, FieldMap, Purpose, RecordScope, SubjectType, Treatment};
use consentry_policy::{
    Body, Bundle, DataClass, Destination, EventEffect, FactTarget, LEDGER_TYPE, PurposeRule, Reference,
    Route, Sources, SubjectSource,
};

/// A bundle to which each test adds its routes.
const BASE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, defaults: {datum.origin: web}}
vocabulary: {recipients: {printer: {parents: [processor]}}}
facts:
  datum.origin: {values: [web, shop, form]}
  datum.typed: {type: bool}
  datum.rank: {type: int}
  datum.closed_at: {type: time}
  message.topic: {values: [news, bill]}
requesters: {shop: {purposes: [essential, marketing]}}
recipients: {press: {class: printer, country: DE}}
cookies: [{name: sid, purpose: essential.service, data: user.device.cookie}]
rules: [{id: serve, permit: essential, data: user, basis: contract, clauses: [c-1]}]
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
";

fn bundle(routes: &str) -> Bundle {
    let routes = format!("routes: [{routes}]");
    let sources = Sources::from_texts([("base.yaml", BASE), ("routes.yaml", &routes)]);
    Bundle::read(&sources).unwrap_or_else(|found| panic!("{routes}\n{found}"))
}

fn only(bundle: &Bundle) -> &Route {
    let [route] = &bundle.service.routes[..] else { panic!("one route") };
    route
}

fn map(body: &Body) -> &FieldMap {
    body.fields().unwrap_or_else(|| panic!("{body:?} has no fields"))
}

/// The data class of the only personal leaf.
fn class<'b>(bundle: &'b Bundle, map: &FieldMap) -> &'b DataClass {
    let [class] = map
        .leaves()
        .filter_map(|(_, field)| match field {
            Field::Class(class, _) => Some(class),
            Field::Open => None,
        })
        .collect::<Vec<_>>()[..]
    else {
        panic!("one personal leaf")
    };
    bundle.service.class(class).unwrap()
}

/// What a class states, by the names of the facts.
fn stated(bundle: &Bundle, class: &DataClass) -> Vec<String> {
    let name = |(id, value): &(_, FactValue)| {
        let def = bundle.facts.schema.def(*id).unwrap();
        let value = match value {
            FactValue::Bool(b) => b.to_string(),
            FactValue::Int(n) => n.to_string(),
            FactValue::Word(at) => def.ty.words().get(usize::from(*at)).unwrap().to_string(),
        };
        format!("{}={value}", def.name)
    };
    let mut all: Vec<_> = class.facts.iter().map(name).collect();
    all.sort();
    all
}

fn target(bundle: &Bundle, name: &str) -> FactTarget {
    let fact = bundle.facts.schema.id(name).map(FactTarget::Fact);
    fact.or_else(|| bundle.facts.operands.id(name).map(FactTarget::Operand)).unwrap()
}

fn names(path: &[&str]) -> Vec<String> {
    path.iter().map(|n| (*n).to_owned()).collect()
}

const CUSTOMER: &str = "about: {type: customer, space: customer, id: path.id}";

fn customer(facts: &str, field: &str) -> Bundle {
    bundle(&format!(
        "{{route: 'GET /c/{{id}}', purpose: essential, {CUSTOMER}, facts: {{{facts}}}, \
         request: {{query: {{o: none}}, headers: {{X-Typed: none}}, body: {{a.rank: none}}}}, response: {{body: {{a: {field}}}}}}}"
    ))
}

#[test]
fn a_field_wins_over_its_route_and_the_route_over_the_bundle() {
    let plain = "user.name";
    let own = "{is: user.name, facts: {datum.origin: form, datum.typed: true}}";
    let single = "datum.shape=single";
    let rows: &[(&str, &str, &[&str])] = &[
        ("", plain, &["datum.origin=web", single]),
        ("datum.origin: shop", plain, &["datum.origin=shop", single]),
        ("datum.origin: shop", own, &["datum.origin=form", single, "datum.typed=true"]),
        (
            "datum.typed: false, datum.rank: -3",
            plain,
            &["datum.origin=web", "datum.rank=-3", single, "datum.typed=false"],
        ),
        ("datum.typed: false", own, &["datum.origin=form", single, "datum.typed=true"]),
        // What the request or the answer says itself is no default's to say.
        ("datum.origin: query.o", plain, &[single]),
        ("datum.origin: item.o", plain, &[single]),
        ("datum.origin: query.o", own, &["datum.origin=form", single, "datum.typed=true"]),
    ];
    for (facts, field, expected) in rows {
        let bundle = customer(facts, field);
        let class = class(&bundle, map(&only(&bundle).response_body));
        assert_eq!(stated(&bundle, class), *expected, "{facts} {field}");
    }
}

#[test]
fn a_fact_stands_where_the_route_says() {
    let rows = [
        ("datum.origin: query.o", "datum.origin", Reference::Query("o".into())),
        ("datum.typed: header.X-Typed", "datum.typed", Reference::Header("x-typed".into())),
        ("datum.rank: body.a.rank", "datum.rank", Reference::Body(names(&["a", "rank"]))),
        ("datum.closed_at: path.id", "datum.closed_at", Reference::Path("id".into())),
        ("subject.region: cookie.country", "subject.region", Reference::Cookie("country".into())),
        ("subject.born: token.birthdate", "subject.born", Reference::Token("birthdate".into())),
    ];
    for (facts, name, at) in rows {
        let bundle = customer(facts, "user.name");
        assert_eq!(only(&bundle).facts, [(target(&bundle, name), at)], "{facts}");
        assert!(
            only(&bundle).item_facts.is_empty() && !map(&only(&bundle).response_body).has_records(),
            "{facts}"
        );
    }
}

/// The record scope of an answer, at its root or at the elements of the list `rows`.
fn scope<'m>(map: &'m FieldMap, list: Option<&str>) -> Option<&'m RecordScope> {
    let at = match list {
        None => map.root(),
        Some(name) => map.items(map.member(map.root(), name).unwrap()).unwrap(),
    };
    map.scope(map.scope_at(at)?)
}

#[test]
fn members_of_records_are_looked_for_in_the_order_of_their_facts() {
    let item = "about: {type: customer, space: person, id: item.who.id}";
    let population = "about: {type: customer, population: some}";
    let facts = "facts: {datum.origin: item.source, datum.closed_at: item.ends.at}";
    let fields = "body: {'rows[].a': user.name}";
    let whole = "body: {a: user.name}";
    type Row<'a> = (String, Option<&'a str>, &'a [&'a str], &'a str, &'a [&'a [&'a str]], &'a [&'a str]);
    let both: &[&[&str]] = &[&["source"], &["ends", "at"]];
    let two = &["datum.origin", "datum.closed_at"];
    let rows: [Row<'_>; 6] = [
        (
            format!("{item}, response: {{records: 'rows[]', {fields}}}"),
            Some("rows"),
            &["who", "id"],
            "person",
            &[],
            &[],
        ),
        (
            format!("{item}, {facts}, response: {{records: 'rows[]', {fields}}}"),
            Some("rows"),
            &["who", "id"],
            "person",
            both,
            two,
        ),
        (format!("{item}, {facts}, response: {{{whole}}}"), None, &["who", "id"], "person", both, two),
        (
            format!(
                "about: {{type: customer, space: customer, id: cookie.id}}, {facts}, response: {{{whole}}}"
            ),
            None,
            &[],
            "customer",
            both,
            two,
        ),
        (
            format!("{population}, response: {{records: 'rows[]', size: people.count, {fields}}}"),
            Some("rows"),
            &[],
            "nobody",
            &[&["people", "count"]],
            &["datum.group_size"],
        ),
        (
            format!("{population}, response: {{size: n, {whole}}}"),
            None,
            &[],
            "nobody",
            &[&["n"]],
            &["datum.group_size"],
        ),
    ];
    for (text, list, subject, space, captures, facts) in rows {
        let bundle = bundle(&format!("{{route: GET /r, purpose: essential, {text}}}"));
        let found = scope(map(&only(&bundle).response_body), list).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(found.subject.iter().map(|s| &**s).collect::<Vec<_>>(), subject, "{text}");
        assert_eq!((found.space.as_str(), found.emptied), (space, Emptied::Omit), "{text}");
        let paths: Vec<Vec<&str>> = found.captures.iter().map(|p| p.iter().map(|s| &**s).collect()).collect();
        assert_eq!(paths, captures, "{text}");
        let targets: Vec<_> = facts.iter().map(|name| target(&bundle, name)).collect();
        assert_eq!(only(&bundle).item_facts, targets, "{text}");
    }
}

#[test]
fn figures_about_groups_are_nobodys_own_data() {
    let bundle = bundle(
        "{route: POST /out, purpose: essential, about: {type: visitor, population: all}, \
         request: {records: 'rows[]', size: n, query: {who: narrows}, body: {'rows[].a': user.behavior, 'rows[].n': none}}}",
    );
    let route = only(&bundle);
    assert_eq!(route.about.as_ref().unwrap().subject, SubjectSource::Population { all: true });
    assert_eq!(route.narrows, ["who"]);
    let map = map(&route.request_body);
    assert_eq!(stated(&bundle, class(&bundle, map)), ["datum.origin=web", "datum.shape=aggregate"]);
    assert!(scope(map, Some("rows")).is_some());
    // A cookie is somebody's own all the same.
    let cookie = bundle.service.cookie_class(route, &bundle.service.cookies[0]).unwrap();
    let cookie = bundle.service.class(cookie).unwrap();
    assert_eq!(stated(&bundle, cookie), ["datum.origin=web", "datum.shape=single"]);
}

#[test]
fn a_cookie_is_stated_as_its_route_states_it() {
    for (facts, origin) in [("datum.origin: shop", "datum.origin=shop"), ("", "datum.origin=web")] {
        let bundle = customer(facts, "user.name");
        let class = bundle.service.cookie_class(only(&bundle), &bundle.service.cookies[0]).unwrap();
        let class = bundle.service.class(class).unwrap();
        assert_eq!(class.category.as_str(), "user.device.cookie");
        assert_eq!(stated(&bundle, class), [origin, "datum.shape=single"]);
    }
}

#[test]
fn addressees_are_the_records_of_a_message() {
    let about = "about: {type: customer, space: email, id: 'body.mail.to[]'}";
    let parts = "to: 'body.mail.to[]', from: body.from, topic: body.topic, text: body.text, product: body.product, headers: body.head";
    let described =
        "request: {body: {'mail.to[]': user.contact.email, from: none, topic: none, product: none}}";
    for (text, paths) in [
        (
            "",
            &[
                "from",
                "head.List-Unsubscribe",
                "head.List-Unsubscribe-Post",
                "head.Reply-To",
                "head.Subject",
                "mail.to[]",
                "product",
                "text",
                "topic",
            ][..],
        ),
        (described, &["from", "mail.to[]", "product", "topic"]),
    ] {
        let bundle =
            bundle(&format!("{{route: POST /m, purpose: essential, {about}, message: {{{parts}}}, {text}}}"));
        let route = only(&bundle);
        assert_eq!(route.about.as_ref().unwrap().subject, SubjectSource::Addressees);
        let map = map(&route.request_body);
        let mut leaves: Vec<_> = map.leaves().map(|(path, _)| path).collect();
        leaves.sort_unstable();
        assert_eq!(leaves, paths);
        assert_eq!(class(&bundle, map).category.as_str(), "user.contact.email");
        let list = map.member(map.member(map.root(), "mail").unwrap(), "to").unwrap();
        let scope = map.scope(map.scope_at(map.items(list).unwrap()).unwrap()).unwrap();
        assert!(scope.subject.is_empty() && scope.captures.is_empty() && scope.space.as_str() == "email");
        let message = route.message.as_ref().unwrap();
        assert_eq!(message.headers, Some(names(&["head"])));
        let product = FactTarget::Operand(bundle.facts.core_operands.product);
        assert_eq!(
            route.facts,
            [
                (target(&bundle, "message.topic"), Reference::Body(names(&["topic"]))),
                (product, Reference::Body(names(&["product"]))),
            ]
        );
    }
}

#[test]
fn law_1_a_capacity_that_the_ledger_does_not_tell_has_no_class() {
    let bundle = bundle(
        "{route: GET /p, purpose: essential, about: {type: ledger, space: person, id: token.sub}, response: {body: {a: user.name}}}",
    );
    let service = &bundle.service;
    let id = only(&bundle).response_classes()[0];
    assert_eq!(service.class(id).unwrap().subject_type.as_str(), LEDGER_TYPE);
    for known in ["customer", "visitor"] {
        let told = service.class_for(id, Some(&SubjectType::new(known))).unwrap();
        assert_eq!(service.class(told).unwrap().subject_type.as_str(), known);
    }
    assert_eq!(service.class_for(id, None), None);
    assert_eq!(service.class_for(id, Some(&SubjectType::new("stranger"))), None);
    let cookie = service.cookie_class(only(&bundle), &service.cookies[0]).unwrap();
    assert!(service.class_for(cookie, Some(&SubjectType::new("visitor"))).is_some());
}

#[test]
fn law_1_a_route_of_one_host_is_not_served_on_another() {
    let about = "purpose: essential, response: {body: none}";
    let bundle = bundle(&format!(
        "{{route: GET /a, host: one.example, {about}}}, {{route: GET /a, {about}, refused: {{status: 204}}}}, \
         {{route: GET /b, host: one.example, {about}}}, {{route: 'GET /{{any}}', host: two.example, {about}}}"
    ));
    let rows = [
        (None, "a", Some(("GET /a", None))),
        (Some("one.example"), "a", Some(("GET /a", Some("one.example")))),
        (Some("two.example"), "a", Some(("GET /a", None))),
        (Some("two.example"), "c", Some(("GET /{any}", Some("two.example")))),
        (Some("one.example"), "b", Some(("GET /b", Some("one.example")))),
        (Some("three.example"), "b", None),
        (None, "b", None),
        (None, "c", None),
    ];
    for (host, path, expected) in rows {
        let found =
            bundle.service.find_on(host, "GET", &[path]).map(|m| (&*m.route.id, m.route.host.as_deref()));
        assert_eq!(found, expected, "{host:?} {path}");
    }
    assert!(bundle.service.find("GET", &["b"]).is_none());
}

#[test]
fn a_field_knows_the_treatments_that_it_lists() {
    use Treatment::{Clear, Masked, Pseudonymised};
    let rows: &[(&str, &[Treatment])] = &[
        ("{is: user.contact.email, can: [clear]}", &[Clear]),
        ("{is: user.contact.email, can: [clear, masked]}", &[Clear, Masked]),
        ("{is: user.contact.email, can: [pseudonymised, clear]}", &[Clear, Pseudonymised]),
        ("{is: user.behavior, can: [clear, pseudonymised]}", &[Clear, Pseudonymised]),
        ("user.behavior", &[Clear]),
    ];
    for (field, steps) in rows {
        let bundle = customer("", field);
        let class = class(&bundle, map(&only(&bundle).response_body));
        assert_eq!(class.ladder.steps().collect::<Vec<_>>(), *steps, "{field}");
    }
}

#[test]
fn whom_a_request_names_may_be_nobody_only_where_the_route_says_so() {
    let rows = [
        ("space: visit, id: cookie.vid", Reference::Cookie("vid".into()), false),
        ("space: visit, id: cookie.vid, anonymous: true", Reference::Cookie("vid".into()), true),
        ("space: person, id: token.sub", Reference::Token("sub".into()), false),
        ("space: link, id: query.t, token: true", Reference::Query("t".into()), false),
    ];
    for (about, wanted, nobody) in rows {
        let bundle = bundle(&format!(
            "{{route: GET /w, right: preferences, about: {{type: visitor, {about}}}, request: {{query: {{t: none}}}}}}"
        ));
        let subject = &only(&bundle).about.as_ref().unwrap().subject;
        let SubjectSource::Named { at, or_anonymous, .. } = subject else { panic!("{about}: {subject:?}") };
        assert_eq!((at, *or_anonymous), (&wanted, nobody), "{about}");
    }
}

#[test]
fn where_a_request_goes_and_what_for_can_stand_in_the_request() {
    let bundle = bundle(
        "{route: 'POST /out/{to}', to: path.to, purpose_by: {body.topic: {news: marketing, bill: essential.service}}, \
         about: {type: customer, space: customer, id: body.id}, refused: {status: 204}, excess: drop, \
         request: {query: {join: {adds: {mail: user.contact.email}}, all: none}, body: {id: none, topic: none, no: none}}, response: {body: page, errors: [422, 429]}, \
         events: [{if: {body.no: true, query.all: 1}, suppress: subject}, {restrict: subject}, {erase: subject}]}, \
         {route: POST /press, to: press, purpose: essential}",
    );
    let [route, fixed] = &bundle.service.routes[..] else { panic!("two routes") };
    assert_eq!(route.to, Some(Destination::Path("to".into())));
    assert!(matches!(&fixed.to, Some(Destination::Fixed(recipient)) if recipient.as_str() == "press"));
    let PurposeRule::By { at, values } = &route.purpose else { panic!("{:?}", route.purpose) };
    assert_eq!(*at, Reference::Body(names(&["topic"])));
    assert_eq!(values["bill"], Purpose::new("essential.service").unwrap());
    assert_eq!((route.refused_status, &route.response_body), (Some(204), &Body::Page));
    let [adds] = &route.adds[..] else { panic!("{:?}", route.adds) };
    assert_eq!((&*adds.parameter, &*adds.value), ("join", "mail"));
    assert_eq!(bundle.service.class(adds.class).unwrap().category.as_str(), "user.contact.email");
    assert_eq!((&route.told_errors[..], &fixed.told_errors[..]), (&[422, 429][..], &[][..]));
    let effects: Vec<_> = route.events.iter().map(|e| e.effect.clone()).collect();
    assert_eq!(effects, [EventEffect::Suppress, EventEffect::Restrict, EventEffect::Erase]);
    // A parameter of the query is text, whatever it looks like.
    assert_eq!(
        route.events[0].condition,
        [
            (Reference::Body(names(&["no"])), serde_json::Value::from(true)),
            (Reference::Query("all".into()), serde_json::Value::from("1")),
        ]
    );
}

#[test]
fn what_a_body_may_come_as_is_what_the_route_lists() {
    use consentry_model::Format;
    // The route's list, its body, and as what each content type is read.
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, Option<Format>)]);
    let rows: &[Row<'_>] = &[
        (
            "",
            "{a: user.name}",
            &[("application/json", Some(Format::Json)), ("text/csv", None), ("application/pdf", None)],
        ),
        ("type: text/csv,", "{a: user.name}", &[("text/csv", Some(Format::Csv)), ("application/json", None)]),
        (
            "type: [application/json, application/x-www-form-urlencoded],",
            "{a: user.name}",
            &[
                ("application/json", Some(Format::Json)),
                ("application/x-www-form-urlencoded", Some(Format::Form)),
                ("application/ld+json", None),
            ],
        ),
        (
            "type: [application/pdf, application/json],",
            "user.financial",
            &[
                ("application/pdf", Some(Format::Whole)),
                ("application/json", Some(Format::Whole)),
                ("text/csv", None),
            ],
        ),
    ];
    for (types, body, expected) in rows {
        let bundle = bundle(&format!(
            "{{route: 'POST /c/{{id}}', purpose: essential, {CUSTOMER}, request: {{{types} body: {body}}}, response: {{{types} body: {body}}}}}"
        ));
        let route = only(&bundle);
        for body in [&route.request_body, &route.response_body] {
            for (name, format) in *expected {
                assert_eq!(body.types().unwrap().format(name), *format, "{types} {name}");
            }
            assert_eq!(map(body).leaves().count(), 1, "{types}");
        }
        assert_eq!(route.response_classes().len(), 1, "{types}");
    }
}

#[test]
fn what_leaves_text_by_text_is_what_the_map_says_does() {
    use consentry_model::Format;
    for (types, lines, events) in [
        ("type: application/x-ndjson, live: true,", true, true),
        ("type: [application/x-ndjson, application/json], live: true,", true, true),
        ("type: application/json-seq, live: false,", false, true),
        ("type: application/x-ndjson,", false, true),
        ("", false, true),
    ] {
        let bundle = bundle(&format!(
            "{{route: GET /c, purpose: essential, response: {{{types} body: {{n: none}}}}}}"
        ));
        let types = only(&bundle).response_body.types().unwrap();
        assert_eq!(types.is_live(Format::JsonLines), lines, "{types:?}");
        assert_eq!(types.is_live(Format::JsonSequence), lines, "{types:?}");
        assert_eq!(
            (types.is_live(Format::Events), types.is_live(Format::Json)),
            (events, false),
            "{types:?}"
        );
    }
}

#[test]
fn the_record_of_an_event_is_its_data() {
    let bundle = bundle(
        "{route: GET /e, purpose: essential, about: {type: customer, space: customer, id: item.data.who.id}, facts: {datum.origin: item.data.o}, response: {type: text/event-stream, body: {data.who.id: user.unique_id, data.o: none, event: none}}}",
    );
    let map = map(&only(&bundle).response_body);
    let data = map.member(map.root(), "data").unwrap();
    let scope = map.scope_at(data).and_then(|id| map.scope(id)).unwrap();
    assert_eq!(scope.subject, ["who".into(), "id".into()]);
    assert_eq!(scope.captures, [vec!["o".into()]]);
    assert_eq!(map.scope_at(map.root()), None);
}

#[test]
fn what_lies_inside_of_a_string_is_declared_there() {
    use consentry_model::Wrap;
    let bundle = bundle(&format!(
        "{{route: 'GET /c/{{id}}', purpose: essential, {CUSTOMER}, response: {{body: {{a: {{json: {{n: none, b: {{base64: user.name}}, '[]': none}}}}, c: {{base64: {{json: {{d: none}}}}}}, e.json: none}}}}}}"
    ));
    let map = map(&only(&bundle).response_body);
    let at = |names: &[&str]| names.iter().try_fold(map.root(), |at, name| map.member(at, name)).unwrap();
    for (path, wrap) in [
        (&["a"][..], Some(Wrap::Json)),
        (&["a", "n"], None),
        (&["a", "b"], Some(Wrap::Base64)),
        (&["c"], Some(Wrap::Base64Json)),
        (&["c", "d"], None),
        (&["e", "json"], None),
    ] {
        assert_eq!(map.wrap_at(at(path)), wrap, "{path:?}");
    }
    assert!(map.items(at(&["a"])).is_some());
    assert!(matches!(map.field(at(&["a", "b"])), Some(Field::Class(..))));
}

//! Wrong routes and cookies.

use crate::Exhibit;

pub(crate) const ROUTES: &[Exhibit] = &[
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
        "whom the answer is about, in an answer without fields",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, response: {body: none}}]",
    ),
    (
        "a list about nobody",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {records: 'rows[]', body: {'rows[].id': user.unique_id}}}]",
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
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, anonymous: true, space: visit}}]",
    ),
    (
        "a visitor by an identifier of no space",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, anonymous: true, id: cookie.id}}]",
    ),
    (
        "a path that leads into a field",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {body: {a: user.name, a.b: user.name}}}]",
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
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: email, id: token.sub}, events: [{withdraw: marketing, object: marketing}]}]",
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
    (
        "a host with a port",
        "routes: [{route: GET /orders, purpose: essential, host: 'www.example.org:443', response: {body: none}}]",
    ),
    (
        "a way out to somebody whom nobody registered",
        "routes: [{route: GET /orders, purpose: essential, to: pres, about: {type: customer, space: customer, id: cookie.id}, response: {body: none}}]",
    ),
    (
        "a way out to a variable that the path lacks",
        "routes: [{route: GET /orders, purpose: essential, to: path.recipient, about: {type: customer, space: customer, id: cookie.id}, response: {body: none}}]",
    ),
    (
        "a purpose that the answer would tell",
        "routes: [{route: GET /orders, purpose_by: {item.topic: {news: marketing}}, response: {body: none}}]",
    ),
    (
        "a purpose by two places",
        "routes: [{route: GET /orders, purpose_by: {query.a: {x: marketing}, query.b: {x: marketing}}, response: {body: none}}]",
    ),
    (
        "a purpose by values that mean nothing",
        "routes: [{route: GET /orders, purpose_by: {query.topic: {}}, response: {body: none}}]",
    ),
    (
        "a claim that is no person",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: token.email}, response: {body: {a: user.name}}}]",
    ),
    (
        "an identifier of a population",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, population: all, space: session, id: path.id}, response: {body: none}}]",
    ),
    (
        "a population of a size that nobody knows",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, population: most}, response: {body: none}}]",
    ),
    (
        "a record that may name nobody",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id, anonymous: true}, response: {body: {a: user.name}}}]",
    ),
    (
        "a token that the answer brings",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id, token: true}, response: {body: {a: user.name}}}]",
    ),
    (
        "a fact of the product's own, stated by a route",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {subject.erased: query.erased}, response: {body: none}}]",
    ),
    (
        "a fact with a typo",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {datum.orign: shop}, response: {body: none}}]",
    ),
    (
        "a word that the stated fact does not know",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {datum.origin: shopp}, response: {body: none}}]",
    ),
    (
        "a fact of the person that is always the same",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {subject.region: DE}, response: {body: none}}]",
    ),
    (
        "a fact out of the configuration",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {datum.origin: config.origin}, response: {body: none}}]",
    ),
    (
        "a fact of every addressee",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {datum.origin: 'body.to[]'}, response: {body: none}}]",
    ),
    (
        "a fact that is the person of a token",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, facts: {datum.origin: token.sub}, response: {body: none}}]",
    ),
    (
        "a place in the facts of a field",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {body: {a: {is: user.name, facts: {datum.origin: item.source}}}}}]",
    ),
    (
        "facts of a field about nobody",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {body: {a: {is: none, facts: {datum.origin: web}}}}}]",
    ),
    (
        "a treatment that the category has no form for",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {body: {a: {is: user.behavior, can: [clear, masked]}}}}]",
    ),
    (
        "a field that is never clear",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {body: {a: {is: user.contact.email, can: [masked]}}}}]",
    ),
    (
        "a message to somebody else than the route is about",
        "routes: [{route: POST /mail, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, message: {to: 'body.to[]', topic: body.topic}, response: {body: none}}]",
    ),
    (
        "addressees without a message",
        "routes: [{route: POST /mail, purpose: essential, about: {type: customer, space: email, id: 'body.to[]'}, response: {body: none}}]",
    ),
    (
        "a message whose body has no addresses",
        "routes: [{route: POST /mail, purpose: essential, about: {type: customer, space: email, id: 'body.to[]'}, message: {to: 'body.to[]', topic: body.topic}, request: {body: {topic: none}}, response: {body: none}}]",
    ),
    (
        "a message about others than its addressees",
        "routes: [{route: POST /mail, purpose: essential, about: {type: customer, space: email, id: 'body.to[]'}, message: {to: 'body.to[]'}, request: {body: {'to[]': user.contact.email, author: user.name}}, response: {body: none}}]",
    ),
    (
        "a topic in the path, facts and records of addressees",
        "routes: [{route: POST /mail, purpose: essential, about: {type: customer, space: email, id: 'body.to[]'}, facts: {datum.origin: item.origin}, message: {to: 'body.to[]', topic: path.topic}, request: {records: 'to[]', body: {'to[]': user.contact.email}}, response: {body: none}}]",
    ),
    (
        "records in a request about one person",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {records: 'rows[]', body: {'rows[].a': user.name}}, response: {body: none}}]",
    ),
    (
        "records on both sides",
        "routes: [{route: POST /orders, purpose: essential, about: {type: visitor, population: all}, request: {records: 'rows[]', body: {'rows[].a': user.behavior}}, response: {records: 'rows[]', body: {'rows[].a': user.behavior}}}]",
    ),
    (
        "the size of one person",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {size: count, body: {count: none}}}]",
    ),
    (
        "a size that is no member of the record",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, population: all}, response: {records: 'rows[]', size: 'rows[].count', body: {'rows[].count': none}}}]",
    ),
    (
        "something that is emptied without records",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {emptied: keep, body: {a: user.name}}}]",
    ),
    (
        "a parameter that narrows nothing",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {query: {segment: narrows}}, response: {body: {a: user.name}}}]",
    ),
    (
        "a parameter that adds nothing",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {query: {join: {adds: {total: none}}, also: {adds: {}}}}, response: {body: {a: user.name}}}]",
    ),
    (
        "a page with a name in its head",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {body: page, headers: {X-Name: user.name}}}]",
    ),
    (
        "a header that speaks of other bytes",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {headers: {ETag: none, X-Total: none}, body: none}}]",
    ),
    (
        "a header of somebody beside records of others",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, response: {headers: {X-Seller: user.name}, records: 'rows[]', body: {'rows[].id': user.unique_id}}}]",
    ),
    (
        "a page that is sent",
        "routes: [{route: GET /orders, purpose: essential, about: {type: visitor, anonymous: true}, request: {body: page}, response: {body: none}}]",
    ),
    (
        "excess said twice",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, excess: drop, request: {excess: refuse, body: none}, response: {body: none}}]",
    ),
    (
        "a status that sends somebody elsewhere",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, refused: {status: 302}, response: {body: none}}]",
    ),
    (
        "statuses to tell that are none of a refusal, are of the connection behind, or stand there twice",
        "routes: [{route: GET /orders, purpose: essential, response: {errors: [400, 200, 500, 408, 400, many], body: none}}]",
    ),
    (
        "a status by which anybody learns whether somebody is there",
        "routes: [{route: GET /orders, purpose: essential, public: true, about: {type: customer, space: customer, id: cookie.id}, response: {errors: [422, 404], body: none}}]",
    ),
    (
        "an event that erases a field",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: email, id: token.sub}, events: [{erase: email}, {suppress: subject, to: marketing}]}]",
    ),
    (
        "an event on a claim of the token",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: email, id: token.sub}, events: [{if: {token.role: admin}, erase: subject}]}]",
    ),
    (
        "a cookie whose form is a word that none knows",
        "cookies: [{name: ab, purpose: marketing, data: user.device.cookie, form: opague}]",
    ),
    (
        "a place in a list as a parameter",
        "routes: [{route: GET /orders, purpose: essential, request: {query: {'filter[0]': none}}, response: {body: none}}]",
    ),
    (
        "a list that narrows",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, population: all}, request: {query: {'ids[]': narrows}}, response: {body: none}}]",
    ),
    (
        "one parameter as a list and as none",
        "routes: [{route: GET /orders, purpose: essential, request: {query: {ids: none, 'ids[]': none}}, response: {body: none}}]",
    ),
    (
        "one of several values that decides",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: email, id: query.who}, request: {query: {'who[]': none}}, response: {body: none}}]",
    ),
    (
        "whom, what for, a fact and an event, read where nothing goes on",
        "routes: [{route: POST /orders, purpose_by: {header.X-Why: {news: marketing}}, about: {type: customer, space: email, id: body.email}, facts: {datum.origin: query.from}, request: {query: {to: none}, body: {mail: user.contact.email}}, response: {body: none}, events: [{if: {body.no: true}, withdraw: marketing}]}]",
    ),
];

//! Wrong media types.

use crate::Exhibit;

pub(crate) const MEDIA: &[Exhibit] = &[
    (
        "a type that nothing reads field by field",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {type: [application/xml, application/graphql, 'application/json; charset=utf-8'], body: {a: user.name}}}]",
    ),
    (
        "types without a body",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {type: text/csv}, response: {type: text/html, body: page}}]",
    ),
    (
        "a whole body of no type, and one of a type that needs a parameter",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {type: multipart/mixed, body: user.name}, response: {body: user.financial}}]",
    ),
    (
        "a whole body whose records nobody reads",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, response: {type: application/pdf, body: user.financial}}]",
    ),
    (
        "a message that nobody looks into",
        "routes: [{route: POST /mail, purpose: essential, about: {type: customer, space: email, id: 'body.to[]'}, message: {to: 'body.to[]'}, request: {type: application/pdf, body: user.financial}}]",
    ),
    (
        "a type twice, and none",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {type: [], body: {a: user.name}}, response: {type: [text/csv, text/csv], body: {a: user.name}}}]",
    ),
    (
        "events that are sent, or have fields of their own",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {type: text/event-stream, body: {data.a: none}}, response: {type: text/event-stream, body: {a: user.name, id: user.unique_id}}}]",
    ),
    (
        "events about somebody beside their data",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, response: {type: text/event-stream, body: {data.id: user.unique_id, id: none}}}]",
    ),
    (
        "events and another type",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {type: [text/event-stream, text/csv], body: {data.id: user.unique_id}}}]",
    ),
    (
        "the inside of a string as a whole, and that of a form's text",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {type: application/x-www-form-urlencoded, body: {a: {json: {b: user.name}}}}, response: {body: {a: {json: {'**': user.name}}, b: {base64: {json: {}}}}}}]",
    ),
    (
        "null for what cannot be withheld, where there is none, in a header, and another word for it",
        "routes: [{route: POST /orders, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, request: {type: text/csv, headers: {x-a: {is: user.name, withheld: null}}, body: {a: {is: user.name, withheld: null}}}, response: {body: {a: {is: none, withheld: null}, b: {is: user.name, withheld: empty}, '**': {is: user.name, withheld: null}}}}]",
    ),
    (
        "what cannot leave text by text, and another word for whether it does",
        "routes: [{route: POST /a, purpose: essential, request: {type: application/x-ndjson, live: true, body: {n: none}}, response: {live: true, body: {n: none}}}, {route: GET /b, purpose: essential, response: {type: text/csv, live: true, body: {n: none}}}, {route: GET /c, purpose: essential, response: {type: text/event-stream, live: true, body: {data.n: none}}}, {route: GET /d, purpose: essential, response: {live: true, body: page}}, {route: GET /e, purpose: essential, response: {type: application/x-ndjson, live: soon, body: {n: none}}}, {route: GET /f, purpose: essential, about: {type: customer, space: customer, id: cookie.id}, response: {type: application/pdf, live: true, body: user.financial}}]",
    ),
    (
        "records in a table",
        "routes: [{route: GET /orders, purpose: essential, about: {type: customer, space: customer, id: item.id}, response: {type: text/csv, records: 'rows[]', body: {'rows[].id': user.unique_id}}}]",
    ),
];

//! Ways round the layer in what stands around a body: places that an answer names, validators and digests of bytes that
//! did not go on, what may be kept, and the head without its body.

mod bodiless;
mod headers;
mod heads;
mod places;
mod told;

use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{Answer, Seen, TODAY, World, contract, get, json};
use http::Request;
use http_body_util::Full;

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, hosts: [api.example, www.example, api.shop.example], excess: drop}
requesters: {shop: {purposes: [essential]}, portal: {purposes: [essential]}}
rules:
  - {id: serve, permit: essential.service, data: user.unique_id, basis: contract, clauses: [c-1]}
  - {id: name, permit: essential.service.authentication, data: [user.unique_id, user.name], basis: contract, clauses: [c-1]}
  - {id: check, permit: essential.fraud_detection, data: user.name, basis: contract, clauses: [c-1]}
  - {id: keep, permit: essential.service, data: user.device.cookie, basis: notice, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
cookies:
  - {name: sid, purpose: essential.service, data: user.device.cookie, form: {hex: 4}, clauses: [c-1]}
  - {name: ad, purpose: marketing.advertising, data: user.device.cookie, clauses: [c-1]}
routes:
  - route: GET /customers/{id}
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    response:
      headers: {Location: user.unique_id, Link: user.unique_id, Content-Disposition: user.name}
      body: {id: user.unique_id, name: user.name}
  - route: GET /papers/{id}
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    request: {query: {key: user.unique_id, called: user.name, page: none}}
    response: {headers: {Content-Disposition: user.unique_id}, body: {id: user.unique_id}}
  - route: GET /orders
    purpose: essential.service
    request: {query: {page: none}}
    response:
      headers: {Location: none, Content-Location: none, Link: none, Retry-After: none, Content-Disposition: none}
      body: {total: none}
  - {route: POST /orders, purpose: essential.service, response: {headers: {Location: none}, body: {total: none}}}
  - {route: GET /shop, purpose: essential.service, about: {type: visitor, anonymous: true}, response: {body: {total: none}}}
  - route: GET /people
    purpose: essential.service
    about: {type: customer, population: all}
    request: {query: {q: narrows, with: {adds: {ids: user.unique_id}}}}
    response: {body: {total: none}}
  - {route: GET /table, purpose: essential.service, response: {type: [text/csv, application/x-ndjson], body: {total: none}}}
  - {route: GET /quiet, purpose: essential.service, response: {body: {total: none}}}
  - {route: GET /page, public: true, purpose: essential.service, response: {body: page}}
  - route: POST /login
    public: true
    purpose: essential.service
    response: {headers: {Retry-After: none, Access-Control-Allow-Origin: none, Access-Control-Expose-Headers: none}, body: {total: none}}
  - route: GET /open/{id}
    public: true
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {headers: {Retry-After: none, Access-Control-Allow-Origin: none}, errors: [422, 429], body: {id: user.unique_id}}
";

async fn world() -> World {
    let world = World::new();
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    world.record("customer", "c-1", &[contract()]).await;
    world
}

fn ask(world: &World, path: &str) -> Request<Full<bytes::Bytes>> {
    ask_for(world, path, "essential.service")
}

fn ask_for(world: &World, path: &str, purpose: &str) -> Request<Full<bytes::Bytes>> {
    let mut request = get(path, Some(&world.token("shop", &[purpose])), None);
    request.headers_mut().insert("host", "api.example".parse().unwrap());
    request
}

fn answer(status: u16, lines: &[(&'static str, &str)]) -> Answer {
    let mut answer = json(r#"{"total":1}"#);
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
    for (name, value) in lines {
        answer.headers_mut().append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    answer
}

async fn seen(world: &World, path: &str, status: u16, lines: &[(&'static str, &str)]) -> Seen {
    world.upstream.answers(answer(status, lines));
    world.send(ask(world, path)).await
}

/// What a refusal of the service says to whoever called; nothing but the status, the wait and other origins is of it.
async fn refused(world: &World, route: &str, status: u16, lines: &[(&'static str, &str)]) -> Seen {
    let (method, path) = route.split_once(' ').unwrap();
    world.upstream.answers(answer(status, lines));
    let mut request = ask(world, path);
    *request.method_mut() = method.parse().unwrap();
    world.send(request).await
}

//! Parameters of a query: which a route takes, and what of them goes on.

use consentry_policy::{Adds, HeadField, Route};

use crate::evidence::Taken;
use crate::head::Head;
use crate::request::{Treatments, goes_on};
use crate::target::{Parameter, is_named};

/// Whether a route takes each parameter in the number and the spelling in which it came: one of a list where it declares one,
/// and one in brackets where it declares just that. Anything else may mean something to whoever looks closely.
pub(crate) fn have_one_reading(route: Option<&Route>, parameters: &[Parameter]) -> bool {
    parameters.iter().all(|parameter| {
        let is_list = |declared: &HeadField| declared.name.ends_with("[]");
        let odd = parameter.many || parameter.name.contains('[');
        let may_be = |route: &Route| {
            if parameter.many {
                declared(route, &parameter.name).is_some_and(is_list)
            } else {
                takes(route, &parameter.name)
            }
        };
        !odd || route.is_some_and(may_be)
    })
}

/// What a route declares of a parameter.
pub(crate) fn declared<'a>(route: &'a Route, name: &str) -> Option<&'a HeadField> {
    route.request_query.iter().find(|field| is_named(&field.name, name))
}

/// What the parameters of a request ask for beyond what the answer carries anyway, as far as anybody may read them so.
pub(crate) fn added<'a>(route: &'a Route, head: &Head) -> impl Iterator<Item = &'a Adds> {
    let asks = |adds: &&Adds| head.parameter(&adds.parameter).is_some_and(|p| p.may_list(&adds.value));
    route.adds.iter().filter(asks)
}

/// Whether a route takes a query parameter: as a field, or because it narrows or adds.
pub(crate) fn takes(route: &Route, name: &str) -> bool {
    declared(route, name).is_some()
        || route.narrows.iter().any(|n| n == name)
        || route.adds.iter().any(|a| a.parameter == name)
}

/// The parameters that go on, as they came.
pub(crate) fn forward_query(
    route: &Route,
    head: &Head,
    treatments: &Treatments,
    taken: &mut Taken,
) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for parameter in &head.query {
        match declared(route, &parameter.name) {
            Some(declared) if goes_on(declared.field, treatments) => kept.push(&parameter.raw),
            Some(declared) => taken.path(format!("request.query.{}", declared.name)),
            None if takes(route, &parameter.name) => kept.push(&parameter.raw),
            None => taken.undeclared += 1,
        }
    }
    kept.join("&")
}

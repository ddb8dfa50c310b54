//! Why a request is made: what declares it, what fixes it, and whether that is one purpose.

use std::collections::BTreeMap;

use consentry_audit::PurposeSource;
use consentry_identity::{Carrier, Ceiling, CeilingSource, Claims, declared_purposes};
use consentry_model::{Purpose, Reason};
use consentry_policy::{Bundle, PurposeRule, Reference, Route};

use crate::head::Head;
use crate::request::Brought;

/// The purpose of a request, and where it came from. It counts only inside what requester, token and route allow, which
/// is for others to see.
pub(crate) fn purpose_of(
    bundle: &Bundle,
    route: &Route,
    head: &Head,
    variables: &BTreeMap<String, String>,
    claims: Option<&Claims>,
    brought: Option<&Brought>,
) -> Result<(Purpose, PurposeSource), Reason> {
    let declared = declared(bundle, head, claims)?;
    let fixed = |fixed: &Purpose, declared: Option<(Purpose, PurposeSource)>| match declared {
        None => Ok((fixed.clone(), PurposeSource::Route)),
        Some((declared, source)) if *fixed == declared => Ok((declared, source)),
        Some(_) => Err(Reason::PurposeOutsideRoute),
    };
    match (&route.purpose, declared) {
        (PurposeRule::Fixed(purpose), declared) => fixed(purpose, declared),
        (PurposeRule::By { at, values }, declared) => {
            let word = match at {
                Reference::Body(path) => brought.and_then(|b| b.text(path)),
                Reference::Query(name) => head.parameter(name).and_then(|p| p.value.clone()),
                Reference::Header(name) => head.header(name).map(str::to_owned),
                Reference::Path(name) => variables.get(name).cloned(),
                Reference::Cookie(_)
                | Reference::Token(_)
                | Reference::Item(_)
                | Reference::Addressees(_) => None,
            };
            let word = word.ok_or(Reason::PurposeMissing)?;
            fixed(values.get(&word).ok_or(Reason::PurposeUnknown)?, declared)
        }
        (PurposeRule::OneOf(served), declared) => {
            let (purpose, source) = match declared {
                Some(declared) => declared,
                None => only(bundle, claims)?,
            };
            let covered = served.iter().any(|p| bundle.vocabulary.covers(p, &purpose));
            if covered { Ok((purpose, source)) } else { Err(Reason::PurposeOutsideRoute) }
        }
    }
}

/// What the request declares, by whatever carriers: all of them have to name the same purpose. The first of them is the
/// one that evidence names; a transaction token is signed, and stands before what anybody may write.
fn declared(
    bundle: &Bundle,
    head: &Head,
    claims: Option<&Claims>,
) -> Result<Option<(Purpose, PurposeSource)>, Reason> {
    let signed = claims.and_then(|c| c.transaction_purpose.clone()).map(|p| (p, PurposeSource::Transaction));
    let written = declared_purposes(&|name| head.lines(name))?.into_iter().map(|(purpose, carrier)| {
        let source = match carrier {
            Carrier::Header => PurposeSource::Header,
            Carrier::Baggage => PurposeSource::Baggage,
        };
        (purpose, source)
    });
    the_one(bundle, signed.into_iter().chain(written))
}

/// The purpose that is the only one which somebody allows the requester. Where several allow one each, it is the narrowest, which all of
/// them allow; there is none where that does not lie within every other.
fn only(bundle: &Bundle, claims: Option<&Claims>) -> Result<(Purpose, PurposeSource), Reason> {
    let found: Vec<(Purpose, CeilingSource)> = claims
        .into_iter()
        .flat_map(|claims| &claims.ceilings)
        .filter_map(|ceiling| Some(the_only(bundle, ceiling)?.map(|purpose| (purpose, ceiling.source))))
        .collect::<Result<_, Reason>>()?;
    let allowed_by_all =
        |purpose: &Purpose| found.iter().all(|(above, _)| bundle.vocabulary.covers(above, purpose));
    let Some((purpose, source)) = found.iter().find(|(purpose, _)| allowed_by_all(purpose)) else {
        return Err(if found.is_empty() { Reason::PurposeMissing } else { Reason::PurposeConflict });
    };
    let source = match source {
        CeilingSource::Token => PurposeSource::Token,
        CeilingSource::Details => PurposeSource::Details,
        CeilingSource::Transaction => PurposeSource::Transaction,
        CeilingSource::Registration => PurposeSource::Registration,
    };
    Ok((purpose.clone(), source))
}

/// The one purpose that somebody allows, under its name in the vocabulary, by however many of its names; nothing where there are several
/// or none.
fn the_only(bundle: &Bundle, ceiling: &Ceiling) -> Option<Result<Purpose, Reason>> {
    let mut named = ceiling.purposes.iter().map(|purpose| bundle.vocabulary.resolve(purpose));
    let first = named.next()?;
    let is_only = named.all(|other| other.is_some() && other == first);
    is_only.then(|| first.ok_or(Reason::PurposeUnknown))
}

/// The one purpose that all of them name, under its name in the vocabulary, and the first that names it.
fn the_one(
    bundle: &Bundle,
    named: impl Iterator<Item = (Purpose, PurposeSource)>,
) -> Result<Option<(Purpose, PurposeSource)>, Reason> {
    let mut one: Option<(Purpose, PurposeSource)> = None;
    for (purpose, source) in named {
        let purpose = bundle.vocabulary.resolve(&purpose).ok_or(Reason::PurposeUnknown)?;
        match &one {
            Some((other, _)) if *other != purpose => return Err(Reason::PurposeConflict),
            Some(_) => {}
            None => one = Some((purpose, source)),
        }
    }
    Ok(one)
}

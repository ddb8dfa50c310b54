//! Whether the service behind hears by what a request was decided. Where it does not, it answers, or does, what it does without.

use consentry_body::{RecordSubject, Said};
use consentry_model::{ClassId, Field, Reason, Treatment};
use consentry_policy::{PurposeRule, Reference, Refusal, Route, SubjectSource};

use crate::asking::Asking;
use crate::describe::Access;
use crate::head::Head;
use crate::naming::Named;
use crate::people::Whom;
use crate::query;
use crate::request::{Brought, Treatments};
use crate::said::reach;

impl Access {
    /// Why a request is refused from which something would be taken out by which it was decided: whom it is about, what for, a
    /// fact, or what an event asks for. What is nowhere declared never goes on; of the rest the verdicts say.
    pub(crate) fn unheard(
        &self,
        (head, brought): (&Head, &Brought),
        treatments: &Treatments,
        bringing: &Asking,
    ) -> Option<Refusal> {
        let route = self.route().ok()?;
        let matters = |at: &&Reference| answers_of_somebody(route) || !is_of_the_data(route, at);
        let came = route.decides_by().filter(|at| comes(at, head, brought)).filter(matters);
        let mut stays = came.filter_map(|at| match declared(route, at) {
            None => Some(Refusal::plain(Reason::MinimisationViolation)),
            Some(Field::Open) => None,
            Some(Field::Class(class, _)) => {
                let goes = if matches!(at, Reference::Body(_)) {
                    brought.is_clear(class, treatments)
                } else {
                    treatments.of_request.get(&class) == Some(&Treatment::Clear)
                };
                (!goes).then(|| self.withheld(bringing, class))
            }
        });
        stays.next()
    }

    /// The same for a cookie that names whom an answer with personal data is about. Where it names nobody whom the ledger
    /// knows, on a route that may be about nobody, the answer is decided as the service gives it.
    pub(crate) fn unheard_cookie(&self, head: &Head, goes_on: &[String], whom: &Whom) -> Option<Refusal> {
        let route = self.route().ok()?;
        let Some(SubjectSource::Named { at: Reference::Cookie(name), .. }) =
            self.about().map(|about| &about.subject)
        else {
            return None;
        };
        let stays = head.cookie(name) != Named::Absent && !goes_on.contains(name);
        let nobody = matches!(whom, Whom::Nobody);
        (answers_of_somebody(route) && stays && !nobody)
            .then(|| Refusal::personal(Reason::MinimisationViolation))
    }

    /// What is withheld whoever the person is, may be told.
    fn withheld(&self, bringing: &Asking, class: ClassId) -> Refusal {
        let reason = Reason::MinimisationViolation;
        if self.hopeless(bringing, class).is_some() {
            Refusal::plain(reason)
        } else {
            Refusal::personal(reason)
        }
    }
}

/// Whether an answer may carry anything personal.
fn answers_of_somebody(route: &Route) -> bool {
    !route.response_classes().is_empty() || !route.adds.is_empty()
}

/// Whether a place is one of the body at which its own data say whose they are, or of what sort. Where nothing personal is
/// answered they are kept, or go on to somebody, all the better without.
fn is_of_the_data(route: &Route, at: &Reference) -> bool {
    let asked = route.events.iter().flat_map(|event| &event.condition).any(|(there, _)| there == at);
    let means = matches!(&route.purpose, PurposeRule::By { at: there, .. } if there == at);
    matches!(at, Reference::Body(_)) && !asked && !means
}

/// Whether something stands at a place of which a part may stay here.
fn comes(at: &Reference, head: &Head, brought: &Brought) -> bool {
    match at {
        Reference::Query(name) => head.parameter(name).is_some(),
        Reference::Header(name) => head.has(name),
        Reference::Body(path) => brought.at(path).is_some_and(|said| *said != Said::Null),
        Reference::Path(_)
        | Reference::Cookie(_)
        | Reference::Token(_)
        | Reference::Item(_)
        | Reference::Addressees(_) => false,
    }
}

/// What a route declares of a place of a request.
fn declared(route: &Route, at: &Reference) -> Option<Field> {
    let field = match at {
        Reference::Query(name) => query::declared(route, name).map(|f| f.field),
        Reference::Header(name) => route.request_headers.iter().find(|f| f.name == *name).map(|f| f.field),
        Reference::Body(path) => route.request_body.fields().and_then(|map| map.field_at(path)),
        Reference::Path(_)
        | Reference::Cookie(_)
        | Reference::Token(_)
        | Reference::Item(_)
        | Reference::Addressees(_) => None,
    };
    // What is described and no field goes on as it came.
    field.or_else(|| route.describes(at).then_some(Field::Open))
}

impl Brought {
    /// Whether what goes on of the body says the same, wherever it was decided by what it says: what is not of the shape that is
    /// declared goes, and takes what stands in it along.
    pub(crate) fn is_said_by(&self, route: &Route, left: &[u8]) -> bool {
        let Some(left) = self.read_again(left) else { return true };
        let matters = |at: &&Reference| answers_of_somebody(route) || !is_of_the_data(route, at);
        route.decides_by().filter(matters).all(|at| {
            let Reference::Body(path) = at else { return true };
            let Ok(Some(said)) = self.reach(path) else { return true };
            let left = left.as_ref().ok().and_then(|left| reach(left, path).ok().flatten());
            *said == Said::Null || left == Some(said)
        })
    }

    /// Whether everything of a class goes on clear that the body says of the request's own subject.
    fn is_clear(&self, class: ClassId, treatments: &Treatments) -> bool {
        let Some(window) = self.window() else { return false };
        let own = |subject| matches!(window.subject(subject), Some(RecordSubject::Request));
        let of_class = window.groups.iter().filter(|(subject, of)| *of == class && own(*subject));
        let mut all = of_class.map(|group| treatments.of_body.get(group) == Some(&Treatment::Clear));
        all.next().is_some_and(|first| first && all.all(|clear| clear))
    }
}

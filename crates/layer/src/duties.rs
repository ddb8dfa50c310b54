//! Obligations that are carried out beside the decision. One that cannot be carried out refuses (law 8).

use std::collections::{BTreeMap, BTreeSet};

use consentry_consent::disclosed_to;
use consentry_model::{
    Act, Category, ClassId, FactValue, Ladder, LedgerEvent, Occurrence, Owed, Reason, Resolution,
    SubjectType, Treatment,
};
use consentry_policy::{
    BuiltIn, CookieDef, DataClass, Duty, EventEffect, FactTarget, Route, SubjectSource, Verb,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::asking::Asking;
use crate::describe::Access;
use crate::events;
use crate::evidence::Lines;
use crate::head::Head;
use crate::people::{Told, Whom};
use crate::precedent::Answered;
use crate::query::added;
use crate::request::Treatments;
use crate::slot::Installed;
use crate::stated::Found;

/// What an exchange reveals, on either side.
pub(crate) struct Revealed {
    classes: BTreeSet<ClassId>,
}

impl Revealed {
    /// What goes on of the request, what the answer may carry, and what a parameter asks for besides.
    pub(crate) fn of(
        access: &Access,
        brings: &Treatments,
        answered: &Answered,
        classes: &[ClassId],
        head: &Head,
    ) -> Self {
        let goes = |treatment: &Treatment| *treatment != Treatment::Withheld;
        let brought = brings.of_request.iter().filter(|(_, t)| goes(t)).map(|(class, _)| *class);
        let in_body = brings.of_body.iter().filter(|(_, t)| goes(t)).map(|((_, class), _)| *class);
        let Answered { items, by_class, .. } = answered;
        let answered = by_class.iter().filter(|(_, v)| goes(&v.treatment)).map(|(class, _)| *class);
        // The records decide later, each for itself: until then everything that is not hopeless counts.
        let in_records =
            classes.iter().zip(items).filter(|(_, i)| i.verdict.is_none()).map(|(class, _)| *class);
        let route = access.route().ok();
        let asked = route.into_iter().flat_map(|route| added(route, head)).map(|adds| adds.class);
        Self { classes: brought.chain(in_body).chain(answered).chain(in_records).chain(asked).collect() }
    }
}

/// Whether data that must stay apart would leave together; the rule that says so is recorded.
pub(crate) fn apart(
    access: &Access,
    revealed: impl FnOnce() -> Revealed,
    lines: &mut Lines,
) -> Option<Reason> {
    let is_apart: fn(&Duty) -> bool = |duty| matches!(duty, Duty::Apart(..));
    if !access.installed.engine.has_duties(is_apart) {
        return None;
    }
    let revealed = revealed();
    let bundle = access.bundle();
    let answering = access.answering();
    let facts = &access.impersonal(&answering).facts;
    let category = |class: &ClassId| bundle.service.class(*class).map(|c| &c.category);
    let holds = |wanted: &[Category]| {
        let mut all = revealed.classes.iter().filter_map(category);
        all.any(|c| wanted.iter().any(|w| bundle.vocabulary.category_is(c, w)))
    };
    for class in &revealed.classes {
        let question = access.question(&answering, *class);
        for (rule, duty) in access.installed.engine.duties(is_apart, &question, facts, access.now) {
            if let Duty::Apart(left, right) = duty
                && holds(left)
                && holds(right)
            {
                lines.unmet(rule.id.clone());
                return Some(rule.reason.unwrap_or(Reason::Linkage));
            }
        }
    }
    None
}

/// What the exchange does to the ledger once it is permitted: the erasure and restriction that it asks for, what is collected
/// where rules ask for it, what is owed.
pub(crate) fn noted(
    access: &Access,
    brings: &Treatments,
    waiting: &[EventEffect],
    whom: &Whom,
    own: bool,
) -> Result<Vec<LedgerEvent>, Reason> {
    let mut events = Vec::new();
    for effect in waiting {
        // Nobody but the person, proved, has the own data erased or restricted.
        if !events::is_own(access, own) {
            return Err(Reason::IdentityUnverified);
        }
        match effect {
            EventEffect::Erase => {
                events.push(LedgerEvent::Erasure { effective: access.now });
                events.extend(after_erasure(access, whom));
            }
            EventEffect::Restrict => {
                events.push(LedgerEvent::Restriction { on: true, effective: access.now });
            }
            EventEffect::Consent(..)
            | EventEffect::Withdraw(_)
            | EventEffect::Object(_)
            | EventEffect::Contract(_)
            | EventEffect::Suppress => {}
        }
    }
    if own {
        events.extend(owed_answer(access, whom));
    }
    events.extend(collected(access, brings, !own && is_typed_in(access, whom)));
    Ok(events)
}

/// What is kept after an erasure, and whom it must be told to.
fn after_erasure(access: &Access, whom: &Whom) -> Vec<LedgerEvent> {
    let bundle = access.bundle();
    // What is being given now is not what was there before.
    let reading = access.bringing().doing(Act::Read);
    let told = access.told(whom, true, &reading);
    let (engine, now) = (&access.installed.engine, access.now);
    let mut out = Vec::new();
    for rule in &bundle.rules {
        match &rule.verb {
            Verb::Require(Duty::Keep { period, since, obligation }) => {
                let categories: BTreeSet<&Category> = rule.data.iter().flatten().collect();
                for category in categories {
                    let Some(bare) = access.bare_class() else { continue };
                    let class = DataClass { category: category.clone(), ..bare };
                    let facts = access.facts_about(&told, category);
                    let question = access.question(&reading, ClassId(u16::MAX));
                    if engine.binds(rule, &class, &question, &facts, now) == Some(false) {
                        continue;
                    }
                    let since = access.moment_of(&told, *since, category);
                    let due = since.and_then(|since| period.after(since, &bundle.settings.zone));
                    if let Some(due) = due.filter(|due| *due > now) {
                        let what =
                            Owed::Keeping { category: category.clone(), obligation: obligation.clone() };
                        out.push(LedgerEvent::Duty { what, due: Some(due), effective: now });
                    }
                }
            }
            Verb::Require(Duty::TellRecipients) => {
                if !in_force(access, rule, &told) {
                    continue;
                }
                let had = whom.state().map(|state| disclosed_to(state, now)).unwrap_or_default();
                for recipient in had {
                    let what = Owed::Erasure { recipient };
                    out.push(LedgerEvent::Duty { what, due: None, effective: now });
                }
            }
            Verb::Permit { .. } | Verb::Forbid(_) | Verb::Require(_) => {}
        }
    }
    out
}

/// Whether an obligation that speaks of no data in particular binds the exchange, or is not known not to.
fn in_force(access: &Access, rule: &consentry_policy::Rule, told: &Told<'_>) -> bool {
    let Some(mut bare) = access.bare_class() else { return true };
    bare.subject_type = told.subject_type.clone().unwrap_or(bare.subject_type);
    let nothing = ClassId(u16::MAX);
    let facts = access.facts_of(told, nothing, &[]);
    // What it says of acts and data is about what was, not about this request.
    let anywhere = consentry_policy::Rule { acts: Vec::new(), data: None, of: Vec::new(), ..rule.clone() };
    let question = access.question(told.asking, nothing);
    access.installed.engine.binds(&anywhere, &bare, &question, &facts.facts, access.now) != Some(false)
}

/// The answer to a request that exercises a right, by the first of the days on which it is due.
fn owed_answer(access: &Access, whom: &Whom) -> Option<LedgerEvent> {
    let bundle = access.bundle();
    let right = access.route().ok()?.right?;
    let asking = access.bringing();
    let told = access.told(whom, true, &asking);
    let named = |p| bundle.vocabulary.covers(p, &access.purpose);
    let periods = bundle.rules.iter().filter_map(|rule| {
        let Verb::Require(Duty::AnswerWithin(period)) = &rule.verb else { return None };
        let is_asked = rule.purposes.as_ref().is_none_or(|all| all.iter().any(named));
        (is_asked && in_force(access, rule, &told)).then_some(*period)
    });
    let periods: Vec<_> = periods.collect();
    let due = periods.iter().filter_map(|period| period.after(access.now, &bundle.settings.zone)).min();
    let what = Owed::Answer { right: right.code().to_owned() };
    (!periods.is_empty()).then_some(LedgerEvent::Duty { what, due, effective: access.now })
}

/// Whether asking by a route may do something to the ledger, however little is asked: an event, or an answer that is owed from
/// then on.
pub(crate) fn does_something(installed: &Installed, route: &Route) -> bool {
    let is_answer: fn(&Duty) -> bool = |duty| matches!(duty, Duty::AnswerWithin(_));
    !route.events.is_empty() || (route.right.is_some() && installed.engine.has_duties(is_answer))
}

/// Whether somebody of whom something is known is named by whoever filled in a public form.
fn is_typed_in(access: &Access, whom: &Whom) -> bool {
    access.claims.is_none() && whom.state().is_some_and(|state| !state.events.is_empty())
}

/// What was collected, where some rule asks since when it is there.
fn collected(access: &Access, brings: &Treatments, of_another: bool) -> Vec<LedgerEvent> {
    // A stranger does not make another's data young.
    if access.bringing().act != Act::Collect || of_another || !asks_since_when(access) {
        return Vec::new();
    }
    let goes = |treatment: &Treatment| *treatment != Treatment::Withheld;
    let of_request = brings.of_request.iter().filter(|(_, t)| goes(t)).map(|(class, _)| *class);
    let of_body = brings.of_body.iter().filter(|(_, t)| goes(t)).map(|((_, class), _)| *class);
    let classes: BTreeSet<ClassId> = of_request.chain(of_body).collect();
    let occurrence = |class: &DataClass| {
        let what =
            Occurrence::Collected { category: class.category.clone(), origin: origin_of(access, class) };
        LedgerEvent::Occurrence { what, effective: access.now }
    };
    classes.into_iter().filter_map(|id| access.bundle().service.class(id)).map(occurrence).collect()
}

/// Whether it is noted to whom what a request brings is disclosed: some rule has recipients told of an erasure.
pub(crate) fn notes_disclosure(access: &Access) -> bool {
    let bundle = access.bundle();
    let outside = || access.destination.as_ref().is_some_and(|to| bundle.vocabulary.is_outside(to));
    let discloses = match access.bringing().act {
        Act::Disclose => true,
        // What is sent by somebody outside is disclosed to them.
        Act::Send => outside(),
        Act::Collect | Act::Read | Act::Obtain | Act::Serve => false,
    };
    let tells = |rule: &consentry_policy::Rule| matches!(rule.verb, Verb::Require(Duty::TellRecipients));
    discloses && bundle.rules.iter().any(tells)
}

/// That classes of what a request brings are disclosed, where that is noted.
pub(crate) fn disclosed(access: &Access, classes: BTreeSet<ClassId>) -> Vec<LedgerEvent> {
    if !notes_disclosure(access) {
        return Vec::new();
    }
    let recipient = access.bringing().recipient;
    let occurrence = |class: &DataClass| {
        let what = Occurrence::Disclosed { category: class.category.clone(), recipient: recipient.clone() };
        LedgerEvent::Occurrence { what, effective: access.now }
    };
    classes.into_iter().filter_map(|id| access.bundle().service.class(id)).map(occurrence).collect()
}

fn asks_since_when(access: &Access) -> bool {
    use consentry_policy::Predicate;
    let book = &access.bundle().facts;
    let at = book.core_operands.collected_at;
    let compared = book.operands.derived().any(|(predicate, _)| match predicate {
        Predicate::Before(a, b) | Predicate::Same(a, b) | Predicate::Member(a, b) => *a == at || *b == at,
        Predicate::Within(a, _) | Predicate::Present(a) => *a == at,
    });
    let kept = access
        .bundle()
        .rules
        .iter()
        .any(|rule| matches!(&rule.verb, Verb::Require(Duty::Keep { since, .. }) if *since == at));
    compared || kept || book.built_in(&BuiltIn::PurposeNew).is_some()
}

fn origin_of(access: &Access, class: &DataClass) -> Option<String> {
    let schema = &access.bundle().facts.schema;
    let id = schema.id("datum.origin")?;
    let (_, value) = class.facts.iter().find(|(fact, _)| *fact == id)?;
    let FactValue::Word(at) = value else { return None };
    schema.def(id)?.ty.words().get(usize::from(*at)).map(ToString::to_string)
}

/// How long a cookie may live at most, in seconds from now on; `None` where nothing limits it.
pub(crate) fn longest_life(access: &Access, cookie: &CookieDef, whom: &Whom, own: bool) -> Option<u64> {
    let is_clamp: fn(&Duty) -> bool = |duty| matches!(duty, Duty::ClampCookies(_));
    if !access.installed.engine.has_duties(is_clamp) {
        return None;
    }
    let bundle = access.bundle();
    let class = bundle.service.cookie_class(access.route().ok()?, cookie)?;
    let lineage = bundle.vocabulary.lineage(&cookie.purpose)?;
    let recipient = consentry_model::RecipientId::new("internal");
    let asking = Asking::new(Act::Collect, recipient, lineage);
    let told = access.told(whom, own, &asking);
    let class = access.class_of(&told, class)?;
    let data = access.facts_of(&told, class, &[]);
    let question = access.question(&asking, class);
    let duties = access.installed.engine.duties(is_clamp, &question, &data.facts, access.now);
    let ends = duties.filter_map(|(_, duty)| {
        let Duty::ClampCookies(period) = duty else { return None };
        // A period that cannot be reckoned lets nothing live.
        let end = period.after(access.now, &bundle.settings.zone).unwrap_or(access.now);
        Some(u64::try_from(end.millis_since(access.now) / 1000).unwrap_or(0))
    });
    ends.min()
}

impl Access {
    /// What stands for data where a route carries none: a page, or the mere use of the route.
    pub(crate) fn bare_class(&self) -> Option<DataClass> {
        let subject_type =
            self.about().map_or_else(|| SubjectType::new("visitor"), |a| a.subject_type.clone());
        let category = Category::new("system").ok()?;
        Some(DataClass { category, subject_type, facts: Vec::new(), ladder: Ladder::default() })
    }
}

/// Sets the headers that the answer must carry, with what its only record says. What is not known not to bind, binds.
pub(crate) fn set_headers(
    access: &Access,
    whom: &Whom,
    own: bool,
    says: &[(FactTarget, Found)],
    headers: &mut HeaderMap,
) -> Result<(), Reason> {
    let is_header: fn(&Duty) -> bool = |duty| matches!(duty, Duty::SetHeader { .. });
    let engine = &access.installed.engine;
    if !engine.has_duties(is_header) {
        return Ok(());
    }
    let answering = access.answering();
    let facts = &access.impersonal(&answering).facts;
    let route = access.route()?;
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut agree = true;
    let mut take = |duty: &Duty| {
        if let Duty::SetHeader { name, value } = duty {
            // Of two values only one could be carried.
            agree &= wanted.insert(name.clone(), value.clone()).is_none_or(|before| before == *value);
        }
    };
    // Where no data is answered, the answer itself is what an obligation binds.
    if route.response_classes().is_empty() {
        let bare = access.bare_class().ok_or(Reason::EvaluationError)?;
        let page = route.response_body == consentry_policy::Body::Page;
        let acts = [Some(answering.act), Some(access.bringing().act), page.then_some(Act::Serve)];
        for act in acts.into_iter().flatten() {
            let asking = answering.clone().doing(act);
            let question = access.question(&asking, ClassId(u16::MAX));
            let duties = engine.duties_of_page(is_header, &bare, &question, facts, access.now);
            duties.for_each(|(_, duty)| take(duty));
        }
    }
    let several = Whom::Somebody(Resolution::Unresolved);
    // Of several people, or of none yet, nothing is known that is of one, and nothing is assumed.
    let records = access.about().is_some_and(|about| about.subject == SubjectSource::PerRecord);
    let of_several = records && matches!(whom, Whom::Nobody);
    let mut told = access.told(if of_several { &several } else { whom }, own, &answering);
    if of_several {
        told.assume_nothing();
    }
    for class in route.response_classes() {
        let class = access.class_of(&told, *class).unwrap_or(*class);
        let data = access.facts_of(&told, class, says);
        let question = access.question(&answering, class);
        engine.duties(is_header, &question, &data.facts, access.now).for_each(|(_, duty)| take(duty));
    }
    if !agree {
        return Err(Reason::EvaluationError);
    }
    wanted.iter().try_for_each(|(name, value)| insert(headers, name, value))
}

/// Puts a header of a rule on the answer.
pub(crate) fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Reason> {
    let name = HeaderName::try_from(name).map_err(|_| Reason::EvaluationError)?;
    let value = HeaderValue::try_from(value).map_err(|_| Reason::EvaluationError)?;
    headers.insert(name, value);
    Ok(())
}

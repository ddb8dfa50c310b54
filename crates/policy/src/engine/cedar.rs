//! The only file that talks to Cedar: a question in, an answer out, and every error an answer of its own.

use std::collections::{BTreeMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PartialEntities,
    Policy, PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use consentry_model::{FactType, FactValue, Facts, Moment, RuleId, Treatment};

use super::cedar_schema::{Groups, schema};
use super::cedar_text::{PolicyText, attribute, entity_type, policies};
use super::decide::Question;
use super::program::Failed;
use crate::bundle::{ANYONE, Bundle, DataClass};

/// Why the rules of a bundle that read well could not be compiled.
#[derive(Debug, thiserror::Error)]
#[error("the rules cannot be compiled: {0}")]
pub struct EngineError(String);

/// Cedar's answer to one question in one treatment.
pub(crate) enum Answer {
    /// Permitted, by these.
    Yes(Vec<RuleId>),
    /// Not permitted: by these prohibitions, or by none when nothing permits.
    No(Vec<RuleId>),
    /// Something went wrong, which never permits.
    Error,
}

/// The compiled policies with everything static about them.
pub(crate) struct Compiled {
    pub(crate) texts: Vec<PolicyText>,
    pub(crate) schema_text: String,
    schema: Schema,
    policies: PolicySet,
    entities: Entities,
    partial: PartialEntities,
    authorizer: Authorizer,
    types: Types,
    order: BTreeMap<RuleId, usize>,
}

struct Types {
    exchange: EntityTypeName,
    data: EntityTypeName,
    action: EntityTypeName,
    act: EntityTypeName,
    treatment: EntityTypeName,
    subject_type: EntityTypeName,
}

fn type_name(name: &str) -> Result<EntityTypeName, EngineError> {
    name.parse().map_err(|e| EngineError(format!("{e}")))
}

fn uid(ty: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(ty.clone(), EntityId::new(id))
}

impl Compiled {
    pub(crate) fn new(bundle: &Bundle, tempted: bool) -> Result<Self, EngineError> {
        let groups = Groups::of(bundle);
        let schema_text = schema(bundle, &groups);
        let mut texts = policies(bundle);
        if tempted {
            let text = "@id(\"tempted\")\npermit (principal, action, resource);\n".to_owned();
            texts.push(PolicyText { id: RuleId::new("tempted"), text });
        }
        let (schema, warnings) =
            Schema::from_cedarschema_str(&schema_text).map_err(|e| EngineError(format!("{e}")))?;
        if let Some(warning) = warnings.into_iter().next() {
            return Err(EngineError(warning.to_string()));
        }
        let policies = parse(&texts)?;
        let validated = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if let Some(error) = validated.validation_errors().next() {
            return Err(EngineError(error.to_string()));
        }
        let types = Types {
            exchange: type_name("Exchange")?,
            data: type_name("Data")?,
            action: type_name("Action")?,
            act: type_name("Act")?,
            treatment: type_name("Treatment")?,
            subject_type: type_name("SubjectType")?,
        };
        let entities = entities(bundle, &groups, &types, &schema)?;
        let partial = PartialEntities::from_concrete(entities.clone(), &schema)
            .map_err(|e| EngineError(format!("{e}")))?;
        let order = texts.iter().enumerate().map(|(at, t)| (t.id.clone(), at)).collect();
        let authorizer = Authorizer::new();
        Ok(Self { texts, schema_text, schema, policies, entities, partial, authorizer, types, order })
    }

    #[cfg(test)]
    pub(crate) fn ask(
        &self,
        bundle: &Bundle,
        question: &Question,
        class: &DataClass,
        treatment: Treatment,
        facts: &Facts,
        now: Moment,
    ) -> Answer {
        let request = self.request(bundle, question, class, treatment, facts, now);
        request.map_or(Answer::Error, |request| self.answer(&request))
    }

    /// The answer of all policies together.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        if response.diagnostics().errors().next().is_some() {
            return Answer::Error;
        }
        let mut rules: Vec<_> = response.diagnostics().reason().map(|id| RuleId::new(id.as_ref())).collect();
        rules.sort_by_key(|id| self.order.get(id).copied());
        match response.decision() {
            Decision::Allow => Answer::Yes(rules),
            Decision::Deny => Answer::No(rules),
        }
    }

    /// Whether the one policy of a set fires.
    pub(crate) fn fires(&self, set: &PolicySet, request: &Request) -> Result<bool, Failed> {
        let response = self.authorizer.is_authorized(request, set, &self.entities);
        let failed = set.is_empty() || response.diagnostics().errors().next().is_some();
        if failed { Err(Failed) } else { Ok(response.diagnostics().reason().next().is_some()) }
    }

    pub(crate) fn request(
        &self,
        bundle: &Bundle,
        question: &Question,
        class: &DataClass,
        treatment: Treatment,
        facts: &Facts,
        now: Moment,
    ) -> Option<Request> {
        let types = &self.types;
        let entity = |ty: &EntityTypeName, id: &str| RestrictedExpression::new_entity_uid(uid(ty, id));
        let mut pairs = vec![
            ("act".to_owned(), entity(&types.act, question.act.code())),
            ("treatment".to_owned(), entity(&types.treatment, treatment.code())),
            ("subject_type".to_owned(), entity(&types.subject_type, class.subject_type.as_str())),
            ("now".to_owned(), RestrictedExpression::new_long(now.unix_millis())),
        ];
        for (id, def) in bundle.facts.schema.iter() {
            let Some(value) = facts.get(id) else { continue };
            let expression = match (&def.ty, value) {
                (FactType::Bool, FactValue::Bool(b)) => RestrictedExpression::new_bool(b),
                (FactType::Level(_), FactValue::Word(at)) => RestrictedExpression::new_long(at.into()),
                (FactType::Word(words), FactValue::Word(at)) => {
                    let ty = entity_type(def).parse().ok()?;
                    RestrictedExpression::new_entity_uid(uid(&ty, words.get(usize::from(at))?))
                }
                (FactType::Int, FactValue::Int(n)) => RestrictedExpression::new_long(n),
                (FactType::Bool | FactType::Int, FactValue::Word(_))
                | (FactType::Bool | FactType::Level(_) | FactType::Word(_), FactValue::Int(_))
                | (FactType::Level(_) | FactType::Word(_) | FactType::Int, FactValue::Bool(_)) => {
                    return None;
                }
            };
            pairs.push((attribute(def), expression));
        }
        let exchange = exchange_id(question.requester.as_str(), question.recipient.as_str());
        Request::new(
            uid(&types.exchange, &exchange),
            uid(&types.action, question.purpose.as_str()),
            uid(&types.data, class.category.as_str()),
            Context::from_pairs(pairs).ok()?,
            Some(&self.schema),
        )
        .ok()
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.policies()
    }

    pub(crate) fn partial_entities(&self) -> &PartialEntities {
        &self.partial
    }

    /// Where a rule stands in the bundle.
    pub(crate) fn position(&self, rule: &RuleId) -> Option<usize> {
        self.order.get(rule).copied()
    }

    /// Principal, action and resource of a question.
    pub(crate) fn uids(&self, question: &Question, class: &DataClass) -> (EntityUid, EntityUid, EntityUid) {
        let exchange = exchange_id(question.requester.as_str(), question.recipient.as_str());
        (
            uid(&self.types.exchange, &exchange),
            uid(&self.types.action, question.purpose.as_str()),
            uid(&self.types.data, class.category.as_str()),
        )
    }

    /// Every entity above one; `None` when there is no such entity.
    pub(crate) fn above(&self, uid: &EntityUid) -> Option<Vec<EntityUid>> {
        self.entities.ancestors(uid).map(|above| above.cloned().collect())
    }

    /// Whether the exchange is one that the bundle can bring about; Cedar itself lets unregistered ones pass
    /// prohibitions that name groups.
    pub(crate) fn knows(&self, question: &Question) -> bool {
        let exchange = exchange_id(question.requester.as_str(), question.recipient.as_str());
        self.entities.get(&uid(&self.types.exchange, &exchange)).is_some()
    }
}

/// What an exchange between a requester and a recipient is called.
pub(super) fn exchange_id(requester: &str, recipient: &str) -> String {
    format!("{requester} > {recipient}")
}

fn parse(texts: &[PolicyText]) -> Result<PolicySet, EngineError> {
    let mut set = PolicySet::new();
    for PolicyText { id, text } in texts {
        let policy = Policy::parse(Some(PolicyId::new(id.as_str())), text)
            .map_err(|e| EngineError(format!("rule `{id}`: {e}")))?;
        set.add(policy).map_err(|e| EngineError(format!("rule `{id}`: {e}")))?;
    }
    Ok(set)
}

fn entities(
    bundle: &Bundle,
    groups: &Groups,
    types: &Types,
    schema: &Schema,
) -> Result<Entities, EngineError> {
    let (category, party, requester) = (type_name("Category")?, type_name("Party")?, type_name("Requester")?);
    let mut all = Vec::new();
    for (key, parents) in &groups.categories {
        let parents: HashSet<_> = parents.iter().map(|p| uid(&category, p)).collect();
        all.push(Entity::new_no_attrs(uid(&types.data, key), parents));
    }
    let names = bundle.requesters.keys().map(|r| r.as_str()).chain([ANYONE]);
    for name in names {
        for recipient in bundle.vocabulary.recipients.keys() {
            let above = bundle.vocabulary.recipients.ancestors(recipient);
            let mut parents: HashSet<_> = above.into_iter().map(|p| uid(&party, p)).collect();
            parents.insert(uid(&party, recipient));
            parents.insert(uid(&requester, name));
            all.push(Entity::new_no_attrs(uid(&types.exchange, &exchange_id(name, recipient)), parents));
        }
    }
    Entities::from_entities(all, Some(schema)).map_err(|e| EngineError(format!("{e}")))
}

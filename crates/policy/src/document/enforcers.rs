//! What in a bundle holds a clause.

use std::fmt;
use std::sync::Arc;

use crate::bundle::Bundle;

/// What kind of thing cites a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnforcerKind {
    /// A rule of the bundle.
    Rule,
    /// A native Cedar policy.
    Policy,
    /// An invariant.
    Invariant,
    /// A route of the service map.
    Route,
    /// A cookie that may travel.
    Cookie,
    /// A registered requester.
    Requester,
    /// A registered recipient.
    Recipient,
    /// A fact that is taken for known although nobody stated it.
    Assumption,
    /// A setting of the bundle as a whole.
    Setting,
    /// Whom to ask.
    Contact,
}

impl EnforcerKind {
    /// The word in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Invariant => "invariant",
            Self::Route => "route",
            Self::Cookie => "cookie",
            Self::Requester => "requester",
            Self::Recipient => "recipient",
            Self::Assumption => "assumption",
            Self::Setting => "setting",
            Self::Contact => "contact",
        }
    }
}

/// One thing that cites a clause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Enforcer {
    /// What it is.
    pub kind: EnforcerKind,
    /// Its name; empty where there is but one of its kind.
    pub name: String,
}

impl fmt::Display for Enforcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.code();
        if self.name.is_empty() { f.write_str(kind) } else { write!(f, "{kind} {}", self.name) }
    }
}

/// Everything in a bundle that cites a clause, by kind and in the bundle's order.
#[must_use]
pub fn enforcers(bundle: &Bundle, clause: &str) -> Vec<Enforcer> {
    let mut out = Vec::new();
    let mut add = |kind, name: String, clauses: &[Arc<str>]| {
        if clauses.iter().any(|cited| **cited == *clause) {
            out.push(Enforcer { kind, name });
        }
    };
    for rule in &bundle.rules {
        add(EnforcerKind::Rule, rule.id.to_string(), &rule.clauses);
    }
    for policy in &bundle.native {
        add(EnforcerKind::Policy, policy.id.to_string(), &policy.clauses);
    }
    for invariant in &bundle.invariants {
        add(EnforcerKind::Invariant, invariant.rule.id.to_string(), invariant.clauses());
    }
    for route in &bundle.service.routes {
        add(EnforcerKind::Route, route.id.to_string(), &route.clauses);
    }
    for cookie in &bundle.service.cookies {
        add(EnforcerKind::Cookie, cookie.name.clone(), &cookie.clauses);
    }
    for (name, requester) in &bundle.requesters {
        add(EnforcerKind::Requester, name.to_string(), &requester.clauses);
    }
    for (name, recipient) in &bundle.recipients {
        add(EnforcerKind::Recipient, name.to_string(), &recipient.clauses);
    }
    for assumption in &bundle.facts.assumed {
        add(EnforcerKind::Assumption, assumption.because.clone(), &assumption.clauses);
    }
    for (setting, cited) in &bundle.settings.clauses {
        add(EnforcerKind::Setting, (*setting).to_owned(), std::slice::from_ref(cited));
    }
    if let Some(contact) = &bundle.contact {
        add(EnforcerKind::Contact, String::new(), &contact.clauses);
    }
    out
}

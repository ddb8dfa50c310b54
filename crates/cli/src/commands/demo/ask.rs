//! One request, and what must come back.

use consentry_identity::Assurance;

/// A request.
#[derive(Clone)]
pub(super) struct Ask {
    /// Who it is, for people.
    pub(super) who: &'static str,
    /// Who it is, for the bundle; nobody sends a token without one.
    pub(super) requester: Option<&'static str>,
    /// What the token allows.
    pub(super) may: Vec<&'static str>,
    /// The customer on whose behalf it is.
    pub(super) person: Option<&'static str>,
    pub(super) assurance: Assurance,
    /// The declared purpose.
    pub(super) why: Option<&'static str>,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Option<&'static str>,
    /// Over HTTP/2 with prior knowledge.
    pub(super) http2: bool,
    /// A stranger who is refused costs no evidence slot, and is only counted.
    pub(super) leaves_no_evidence: bool,
    pub(super) expect: Expect,
}

/// What must come back.
#[derive(Clone, Default)]
pub(super) struct Expect {
    pub(super) outcome: &'static str,
    pub(super) status: u16,
    /// The true reason.
    pub(super) reason: Option<&'static str>,
    /// A clause that the decision rests on.
    pub(super) clause: Option<&'static str>,
    /// Exactly the fields that were withheld, stripped or dropped.
    pub(super) withheld: &'static [&'static str],
    /// How many records were delivered.
    pub(super) rows: Option<usize>,
    /// Exactly the cookies that were set.
    pub(super) cookies: Option<&'static [&'static str]>,
}

impl Ask {
    /// A `GET` without a token.
    pub(super) fn get(who: &'static str, path: &'static str) -> Self {
        Self {
            who,
            requester: None,
            may: Vec::new(),
            person: None,
            assurance: Assurance::None,
            why: None,
            method: "GET",
            path,
            headers: Vec::new(),
            body: None,
            http2: false,
            leaves_no_evidence: false,
            expect: Expect::default(),
        }
    }

    /// A `POST` of JSON without a token.
    pub(super) fn post(who: &'static str, path: &'static str, body: &'static str) -> Self {
        let headers = vec![("content-type", "application/json")];
        Self { method: "POST", body: Some(body), headers, ..Self::get(who, path) }
    }

    /// With a token of a requester, declaring a purpose that the token allows.
    pub(super) fn by(self, requester: &'static str, why: &'static str) -> Self {
        Self { requester: Some(requester), may: vec![why], why: Some(why), ..self }
    }

    /// With a token of a signed-in customer.
    pub(super) fn signed_in(self, id: &'static str) -> Self {
        Self {
            requester: Some("customer-portal"),
            may: vec!["custom.rights"],
            person: Some(id),
            assurance: Assurance::Substantial,
            ..self
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn over_http2(self) -> Self {
        Self { http2: true, ..self }
    }

    pub(super) fn stranger(self) -> Self {
        Self { leaves_no_evidence: true, ..self }
    }

    pub(super) fn allowed(mut self, status: u16) -> Self {
        self.expect = Expect { outcome: "allow", status, ..Expect::default() };
        self
    }

    pub(super) fn redacted(mut self, status: u16, withheld: &'static [&'static str]) -> Self {
        self.expect = Expect { outcome: "redact", status, withheld, ..Expect::default() };
        self
    }

    pub(super) fn refused(mut self, status: u16, reason: &'static str) -> Self {
        self.expect = Expect { outcome: "refuse", status, reason: Some(reason), ..Expect::default() };
        self
    }

    pub(super) fn by_clause(mut self, clause: &'static str) -> Self {
        self.expect.clause = Some(clause);
        self
    }

    pub(super) fn cookies(mut self, names: &'static [&'static str]) -> Self {
        self.expect.cookies = Some(names);
        self
    }

    pub(super) fn rows(mut self, rows: usize) -> Self {
        self.expect.rows = Some(rows);
        self
    }
}

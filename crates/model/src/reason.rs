//! Why something was refused or withheld: one closed list of codes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who may be told a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The caller: it depends on requester, purpose, route and content alone.
    Caller,
    /// The person, and requesters that the bundle names; everybody else hears [`Reason::NotPermitted`].
    Person,
    /// The caller, as a fault of the service rather than a decision.
    Service,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $audience:ident;)*) => {
        /// Why something was refused or withheld. The list is closed: a new reason breaks every place that has to
        /// think about it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order in which one is preferred to another when several apply.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, also the last segment of the problem type.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status it is answered with (RFC 9110).
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Who may be told.
            #[must_use]
            pub const fn audience(self) -> Audience {
                match self { $(Self::$name => Audience::$audience,)* }
            }
        }
    };
}

reasons! {
    /// No token came with a request that needs one.
    TokenMissing = "token-missing", 401, Caller;
    /// The token cannot be read.
    TokenMalformed = "token-malformed", 401, Caller;
    /// The token's signature, issuer, audience or algorithm does not hold.
    TokenInvalid = "token-invalid", 401, Caller;
    /// The token is past its time, or not yet at it.
    TokenExpired = "token-expired", 401, Caller;
    /// The token is bound to a certificate that the connection does not show.
    TokenBinding = "token-binding", 401, Caller;
    /// The certificate that the connection shows is registered for nobody.
    CertificateUnknown = "certificate-unknown", 401, Caller;
    /// The certificate that the connection shows is past its time, or not yet at it.
    CertificateExpired = "certificate-expired", 401, Caller;
    /// A header names a requester or a person, and comes from a peer that may not say so.
    PeerNotTrusted = "peer-not-trusted", 401, Caller;
    /// Token, certificate and header do not name one and the same requester and person.
    IdentityConflict = "identity-conflict", 401, Caller;
    /// The token is good, but the bundle registers no such requester.
    RequesterUnknown = "requester-unknown", 401, Caller;
    /// The route needs a proven identity that the token does not give.
    IdentityUnverified = "identity-unverified", 401, Caller;
    /// The request's head can be read in more than one way, or in none.
    HeadMalformed = "head-malformed", 400, Caller;
    /// The head has more headers than are read.
    HeadTooLarge = "head-too-large", 431, Caller;
    /// The client asks more often than it may.
    RateExceeded = "rate-exceeded", 429, Caller;
    /// The client has as many requests under way as it may.
    ClientBusy = "client-busy", 429, Caller;
    /// The method is not one that this product passes on to anybody.
    MethodRefused = "method-refused", 400, Caller;
    /// The request asks to speak another protocol on its connection.
    UpgradeRefused = "upgrade-refused", 400, Caller;
    /// The request may be a replay, and would do something (RFC 8470).
    EarlyData = "early-data", 425, Caller;
    /// The request is to change something on a condition that nothing here tells.
    PreconditionUnreadable = "precondition-unreadable", 412, Caller;
    /// No route of the service map describes the request.
    RouteUnknown = "route-unknown", 403, Caller;
    /// No purpose was declared, the route fixes none, and the token does not have exactly one.
    PurposeMissing = "purpose-missing", 403, Caller;
    /// What declares the purpose, `Data-Purpose` or a member of `baggage`, does not hold exactly one purpose.
    PurposeMalformed = "purpose-malformed", 400, Caller;
    /// More than one purpose was declared, by one carrier or by several.
    PurposeConflict = "purpose-conflict", 400, Caller;
    /// The vocabulary does not know the purpose.
    PurposeUnknown = "purpose-unknown", 403, Caller;
    /// The token does not allow the purpose.
    PurposeOutsideToken = "purpose-outside-token", 403, Caller;
    /// The bundle does not let this requester use the purpose.
    PurposeOutsideRequester = "purpose-outside-requester", 403, Caller;
    /// The route does not serve the purpose.
    PurposeOutsideRoute = "purpose-outside-route", 403, Caller;
    /// No rule permits this purpose here, whoever the person is.
    PurposeNotPermitted = "purpose-not-permitted", 403, Caller;
    /// No rule permits this recipient here, whoever the person is.
    RecipientNotPermitted = "recipient-not-permitted", 403, Caller;
    /// The page of another site made a browser ask for what only the person may want.
    CrossSite = "cross-site", 403, Caller;
    /// The request brings data that may not be collected here.
    MinimisationViolation = "minimisation-violation", 403, Caller;
    /// Only figures about groups may be used so.
    AggregateOnly = "aggregate-only", 403, Caller;
    /// The two kinds of data may not be joined.
    Linkage = "linkage", 403, Caller;
    /// A legal demand needs its reference and its approver.
    LegalReferenceRequired = "legal-reference-required", 403, Caller;
    /// The request came to a host that the policy does not speak of.
    NoApplicablePolicy = "no-applicable-policy", 403, Caller;
    /// The bundle registers no such recipient.
    RecipientUnknown = "recipient-unknown", 403, Caller;
    /// The recipient has not agreed to what it would have to, or has another task.
    RecipientNotApproved = "recipient-not-approved", 403, Caller;
    /// The transfer abroad is neither covered by an adequacy decision nor by a safeguard.
    TransferNotSafeguarded = "transfer-not-safeguarded", 403, Caller;
    /// The connection is not protected as this data needs it.
    InsecureTransport = "insecure-transport", 403, Caller;
    /// Data that may not stand in a URL stands in one.
    SensitiveInUrl = "sensitive-in-url", 403, Caller;
    /// The datum came by a way that the policy does not name.
    SourceNotDeclared = "source-not-declared", 403, Caller;
    /// The access needs a justification on record.
    JustificationRequired = "justification-required", 403, Caller;
    /// The message does not say how to stop further ones.
    MissingOptOut = "missing-opt-out", 422, Caller;
    /// The message does not come from an address that may send it.
    SenderNotAllowed = "sender-not-allowed", 422, Caller;
    /// The message lacks something that it has to carry.
    MessageIncomplete = "message-incomplete", 422, Caller;
    /// A clause governs this whose mechanism does not exist yet; meanwhile it is refused.
    MechanismPending = "mechanism-pending", 403, Caller;
    /// No field map names the field.
    FieldUndeclared = "field-undeclared", 403, Caller;
    /// What the caller is told whenever the true reason depends on a person.
    NotPermitted = "not-permitted", 403, Caller;
    /// The ledger knows nobody by that identifier, or the record names nobody.
    SubjectUnresolved = "subject-unresolved", 403, Person;
    /// The ledger does not say in which capacity the person gave the data.
    SubjectTypeUnknown = "subject-type-unknown", 403, Person;
    /// The person opted out.
    OptedOut = "opted-out", 403, Person;
    /// No consent is recorded.
    ConsentRequired = "consent-required", 403, Person;
    /// The consent is recorded as unknown.
    ConsentUnknown = "consent-unknown", 403, Person;
    /// The person was asked and has not answered.
    ConsentRequested = "consent-requested", 403, Person;
    /// The person put the answer off.
    ConsentDeferred = "consent-deferred", 403, Person;
    /// The person said no.
    ConsentRefused = "consent-refused", 403, Person;
    /// The person took the consent back.
    ConsentWithdrawn = "consent-withdrawn", 403, Person;
    /// The consent ran out.
    ConsentExpired = "consent-expired", 403, Person;
    /// Somebody other than the person ended the consent.
    ConsentRevoked = "consent-revoked", 403, Person;
    /// The consent was found invalid.
    ConsentInvalidated = "consent-invalidated", 403, Person;
    /// There is a consent, but of a weaker kind than the rule asks for.
    ConsentInsufficient = "consent-insufficient", 403, Person;
    /// The person objected or opted out.
    ObjectionRecorded = "objection-recorded", 403, Person;
    /// The person is too young.
    AgeGate = "age-gate", 403, Person;
    /// Whoever holds parental responsibility has not agreed.
    ParentalConsentRequired = "parental-consent-required", 403, Person;
    /// The person was not told of the recipient before giving the datum.
    NotAdvisedBeforeCollection = "not-advised-before-collection", 403, Person;
    /// The use came with a later notice than the datum, and the person has not been told.
    NoticeNotDelivered = "notice-not-delivered", 403, Person;
    /// The person was written to as often as was promised at most.
    CadenceExceeded = "cadence-exceeded", 403, Person;
    /// The datum may not be kept for this any longer.
    RetentionExpired = "retention-expired", 410, Person;
    /// The contract that the rule rests on is not there, or is over.
    BasisLapsed = "basis-lapsed", 403, Person;
    /// The person had the processing restricted.
    ProcessingRestricted = "processing-restricted", 403, Person;
    /// The person's data was erased.
    Erased = "erased", 410, Person;
    /// A prohibition without a reason of its own holds.
    Prohibited = "prohibited", 403, Person;
    /// A condition of the nearest permission is not met, or not known to be met.
    ConditionUnmet = "condition-unmet", 403, Person;
    /// The request body's media type is not one that can be read.
    BodyMediaType = "body-media-type", 415, Caller;
    /// The request body has a content coding that is not known here.
    BodyEncoding = "body-encoding", 415, Caller;
    /// More content codings were applied to the request body than are undone.
    BodyCodingStacked = "body-coding-stacked", 415, Caller;
    /// The request body is not of the content coding that it is labelled with.
    BodyCodingMislabelled = "body-coding-mislabelled", 400, Caller;
    /// The content coding of the request body is broken.
    BodyCodingMalformed = "body-coding-malformed", 400, Caller;
    /// The coded request body ends before its end.
    BodyCodingTruncated = "body-coding-truncated", 400, Caller;
    /// Something follows the end of the coded request body.
    BodyCodingTrailing = "body-coding-trailing", 400, Caller;
    /// The checksum or the length that the coded request body carries does not hold.
    BodyCodingChecksum = "body-coding-checksum", 400, Caller;
    /// The request body grows by more than it may when its content coding is undone.
    BodyCodingRatio = "body-coding-ratio", 413, Caller;
    /// The content coding of the request body needs more memory than it may.
    BodyCodingWindow = "body-coding-window", 415, Caller;
    /// The content coding of the request body needs a dictionary.
    BodyCodingDictionary = "body-coding-dictionary", 415, Caller;
    /// The request body is not well-formed.
    BodyMalformed = "body-malformed", 400, Caller;
    /// An object of the request body names a member twice.
    BodyDuplicateKey = "body-duplicate-key", 400, Caller;
    /// The request body is over the limit.
    BodyTooLarge = "body-too-large", 413, Caller;
    /// The request body did not come in time.
    BodyTimeout = "body-timeout", 408, Caller;
    /// A body came where the route takes none.
    BodyUnexpected = "body-unexpected", 400, Caller;
    /// The upstream's media type is not one that can be redacted.
    ResponseMediaType = "response-media-type", 502, Service;
    /// The upstream's body has a content coding that is not known here.
    ResponseEncoding = "response-encoding", 502, Service;
    /// More content codings were applied to the upstream's body than are undone.
    ResponseCodingStacked = "response-coding-stacked", 502, Service;
    /// The upstream's body is not of the content coding that it is labelled with.
    ResponseCodingMislabelled = "response-coding-mislabelled", 502, Service;
    /// The content coding of the upstream's body is broken.
    ResponseCodingMalformed = "response-coding-malformed", 502, Service;
    /// The coded upstream's body ends before its end.
    ResponseCodingTruncated = "response-coding-truncated", 502, Service;
    /// Something follows the end of the coded upstream's body.
    ResponseCodingTrailing = "response-coding-trailing", 502, Service;
    /// The checksum or the length that the coded upstream's body carries does not hold.
    ResponseCodingChecksum = "response-coding-checksum", 502, Service;
    /// The upstream's body grows by more than it may when its content coding is undone.
    ResponseCodingRatio = "response-coding-ratio", 502, Service;
    /// The content coding of the upstream's body needs more memory than it may.
    ResponseCodingWindow = "response-coding-window", 502, Service;
    /// The content coding of the upstream's body needs a dictionary.
    ResponseCodingDictionary = "response-coding-dictionary", 502, Service;
    /// The upstream's body is not well-formed.
    ResponseMalformed = "response-malformed", 502, Service;
    /// An object of the upstream's body names a member twice.
    ResponseDuplicateKey = "response-duplicate-key", 502, Service;
    /// The upstream's body ended early.
    ResponseTruncated = "response-truncated", 502, Service;
    /// One record of the upstream's body is over the limit.
    ResponseRecordTooLarge = "response-record-too-large", 502, Service;
    /// The upstream's body is over the limit.
    ResponseTooLarge = "response-too-large", 502, Service;
    /// The upstream redirects, and where to is data nobody declared.
    ResponseRedirect = "response-redirect", 502, Service;
    /// The upstream answered with a part, with nothing new, or with a switched protocol, although nobody asked it to.
    ResponsePartial = "response-partial", 502, Service;
    /// The upstream answered with an error of its own; its text is not passed on.
    UpstreamError = "upstream-error", 502, Service;
    /// The upstream cannot be reached.
    UpstreamUnreachable = "upstream-unreachable", 502, Service;
    /// The upstream did not answer in time.
    UpstreamTimeout = "upstream-timeout", 504, Service;
    /// As many requests are under way as there is room for.
    Overloaded = "overloaded", 503, Service;
    /// The ledger does not answer.
    LedgerUnavailable = "ledger-unavailable", 503, Service;
    /// The evidence log cannot be written.
    EvidenceUnavailable = "evidence-unavailable", 503, Service;
    /// No evidence slot is free.
    EvidenceFull = "evidence-full", 503, Service;
    /// The token issuer's keys were never had, or not for too long.
    KeysUnavailable = "keys-unavailable", 503, Service;
    /// No bundle is in force, or the last good one is too old.
    BundleUnavailable = "bundle-unavailable", 503, Service;
    /// The policy of the bundle in force is not in force yet.
    PolicyAhead = "policy-ahead", 503, Service;
    /// Evaluating a rule failed; an error never permits.
    EvaluationError = "evaluation-error", 500, Service;
}

impl Reason {
    /// What a caller hears who may not know what depends on a person.
    #[must_use]
    pub const fn told_to_strangers(self) -> Self {
        match self.audience() {
            Audience::Caller | Audience::Service => self,
            Audience::Person => Self::NotPermitted,
        }
    }

    /// Whether it is an answer of the rules, and no fault here, behind us or in the request.
    #[must_use]
    pub const fn is_of_rules(self) -> bool {
        matches!(self.status(), 403 | 410)
    }

    /// Reads a code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Reason> for &'static str {
    fn from(reason: Reason) -> Self {
        reason.code()
    }
}

impl TryFrom<String> for Reason {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::parse(&code).ok_or_else(|| format!("unknown reason `{code}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(Reason::parse(reason.code()), Some(*reason));
            assert!(Reason::ALL[..at].iter().all(|other| other.code() != reason.code()), "{reason}");
        }
    }

    #[test]
    fn law_13_whatever_depends_on_a_person_is_one_and_the_same_403() {
        for reason in Reason::ALL.iter().filter(|r| r.audience() == Audience::Person) {
            assert_eq!(reason.told_to_strangers(), Reason::NotPermitted, "{reason}");
            assert_eq!(reason.told_to_strangers().status(), 403);
        }
        // That something was there once is itself about a person.
        let gone = Reason::ALL.iter().filter(|reason| reason.status() == 410);
        assert!(gone.into_iter().all(|reason| reason.audience() == Audience::Person && reason.is_of_rules()));
    }
}

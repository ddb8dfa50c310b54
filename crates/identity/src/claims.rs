//! What a verified token says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consentry_model::{Identifier, Moment, Proof, Purpose, RequesterId, Space};

use crate::assurance::Assurance;
use crate::details;
use crate::error::IdentityError;
use crate::json::{Json, Object};
use crate::key_set::Signer;
use crate::peer::Fingerprint;

/// Longest requester, space and token id, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Longest identifier of a person, in bytes.
const PERSON_ID_BYTES_MAX: usize = 512;
/// Claims that stand in ID tokens (OpenID Connect Core), in security events and logout tokens (RFC 8417), in transaction
/// tokens, in proofs of possession (RFC 9449) and in credentials that are shown in parts (SD-JWT), and not in tokens for
/// access. Whoever signs several kinds with one key must not have one taken for another (RFC 8725, section 3.12).
const OF_OTHER_TOKENS: [&str; 13] = [
    "nonce", "at_hash", "c_hash", "s_hash", "events", "tctx", "rctx", "req_wl", "htm", "htu", "_sd",
    "_sd_alg", "vct",
];
/// Claims that take something away from a token and are not looked at here: a list that may say it was revoked (Token
/// Status List), and that somebody else acts with it (RFC 8693, section 4.1).
const NOT_LOOKED_AT: [&str; 2] = ["status", "act"];
/// Claims by which issuers mark the kinds of token that they sign with one key, and what they say of one for access.
const MARKS: [(&str, &str); 2] = [("token_use", "access"), ("typ", "bearer")];
/// The last second of the year 9999: what lies later is no time that anybody meant.
pub(crate) const SECONDS_MAX: u64 = 253_402_300_799;

/// Who says which purposes a requester may declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CeilingSource {
    /// The token, in its claim `purposes`.
    Token,
    /// The token, in its claim `authorization_details` (RFC 9396).
    Details,
    /// A transaction token that came with the request.
    Transaction,
    /// Whoever configured the certificates and gateways.
    Registration,
}

/// Purposes that a requester may declare, each with everything below it. None allows none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// Who says so.
    pub source: CeilingSource,
    /// The purposes.
    pub purposes: Vec<Purpose>,
}

/// What is known of an authenticated requester. Only an [`Authenticator`](crate::Authenticator) makes one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Who calls: the claim `client_id`, or what a certificate or a gateway stands for.
    pub requester: RequesterId,
    /// By what it proved that.
    pub proof: Proof,
    /// What it may declare: a purpose has to lie within every one of these. There is always one.
    pub ceilings: Vec<Ceiling>,
    /// The one purpose that a transaction token names.
    pub transaction_purpose: Option<Purpose>,
    /// On whose behalf: the claim `person`, an object of `space` and `id`, or whom a gateway or a transaction token names.
    pub person: Option<Identifier>,
    /// How well that person was identified: the claim `acr`. An unknown word counts as none.
    pub assurance: Assurance,
    /// From when on the proof no longer holds, the configured leeway included.
    pub expires: Moment,
    /// The token's own name: the claim `jti`.
    pub token_id: Option<String>,
    /// The token's claims as they are written, for the facts that a bundle reads from tokens: a text, a whole number, true or false,
    /// or a list of texts. They may be personal data.
    pub others: BTreeMap<String, Vec<String>>,
    /// The names of claims that say something of another shape: an object, a fraction, a list with anything but texts.
    pub unreadable: BTreeSet<String>,
    /// Whether a transaction token alone names the person: anybody in its chain may hold it.
    pub(crate) is_hearsay: bool,
    /// Since when the token holds, the configured leeway included.
    pub(crate) begins: Moment,
    /// The certificate to which the token is bound.
    pub(crate) bound_to: Option<Fingerprint>,
    /// By whose keys the tokens held from which all this is; none where no token came.
    pub(crate) signers: Vec<Arc<Signer>>,
}

impl Claims {
    /// Claims of nobody's token: a requester, how it proved itself, and what it may declare.
    pub(crate) fn registered(
        requester: RequesterId,
        proof: Proof,
        purposes: Vec<Purpose>,
        expires: Moment,
    ) -> Self {
        Self {
            requester,
            proof,
            ceilings: vec![Ceiling { source: CeilingSource::Registration, purposes }],
            transaction_purpose: None,
            person: None,
            assurance: Assurance::None,
            expires,
            token_id: None,
            others: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            is_hearsay: false,
            begins: Moment::BEGINNING,
            bound_to: None,
            signers: Vec::new(),
        }
    }

    /// The person whom the requester's own proof names. Whom a transaction token alone names proved nothing, however
    /// the requester did.
    #[must_use]
    pub const fn proved_person(&self) -> Option<&Identifier> {
        if self.is_hearsay { None } else { self.person.as_ref() }
    }

    /// Whether every ceiling has a purpose that covers the one in question.
    pub fn allow(&self, covers: impl Fn(&Purpose) -> bool) -> bool {
        !self.ceilings.is_empty() && self.ceilings.iter().all(|ceiling| ceiling.purposes.iter().any(&covers))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("requester", &self.requester)
            .field("proof", &self.proof)
            .field("ceilings", &self.ceilings)
            .field("person", &self.person)
            .field("assurance", &self.assurance)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What a token's claims are held against.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) leeway_secs: u64,
    pub(crate) now: Moment,
    pub(crate) signer: &'a Arc<Signer>,
}

/// Reads the claims of a token whose signature holds.
pub(crate) fn read(members: &Object, expected: &Expected<'_>) -> Result<Claims, IdentityError> {
    let required = |name, what| members.get(name).and_then(Json::text).ok_or(IdentityError::malformed(what));
    check_kind(members)?;
    if required("iss", "`iss` is missing or not a text")? != expected.issuer {
        return Err(IdentityError::invalid("the token comes from another issuer"));
    }
    if required("aud", "`aud` is missing or not a single text")? != expected.audience {
        return Err(IdentityError::invalid("the token is for another audience"));
    }
    let bound_to = members.get("cnf").map(confirmation).transpose()?;
    let (begins, expires) = lifetime(members, expected)?;
    let requester = required("client_id", "`client_id` is missing or not a text")?;
    if !is_name(requester) {
        return Err(IdentityError::malformed("`client_id` is not a name"));
    }
    let token_id = match members.get("jti") {
        None => None,
        Some(Json::Text(id)) if is_name(id) => Some(id.clone()),
        Some(_) => return Err(IdentityError::malformed("`jti` is not a name")),
    };
    let assurance = match members.get("acr") {
        None => Assurance::None,
        Some(Json::Text(level)) => Assurance::parse(level).unwrap_or(Assurance::None),
        Some(_) => return Err(IdentityError::malformed("`acr` is not a text")),
    };
    let (others, unreadable) = others(members);
    Ok(Claims {
        requester: RequesterId::new(requester),
        proof: if bound_to.is_some() { Proof::BoundToken } else { Proof::Token },
        ceilings: ceilings(members, expected.audience)?,
        transaction_purpose: None,
        person: person(members)?,
        assurance,
        expires,
        token_id,
        others,
        unreadable,
        is_hearsay: false,
        begins,
        bound_to,
        signers: vec![Arc::clone(expected.signer)],
    })
}

/// Whether the token is one for access, as far as its claims say.
fn check_kind(members: &Object) -> Result<(), IdentityError> {
    if OF_OTHER_TOKENS.iter().any(|name| members.contains_key(*name)) {
        return Err(IdentityError::invalid("the token has claims of a token of another kind"));
    }
    if NOT_LOOKED_AT.iter().any(|name| members.contains_key(*name)) {
        return Err(IdentityError::invalid(
            "the token has a claim that restricts it and is not looked at here",
        ));
    }
    let access = |(name, word): &(&str, &str)| {
        let said = members.get(*name).map(|value| value.text().unwrap_or_default());
        said.is_none_or(|said| said.eq_ignore_ascii_case(word))
    };
    if MARKS.iter().all(access) {
        Ok(())
    } else {
        Err(IdentityError::invalid("the token is of another kind"))
    }
}

/// What the token may be used for. A token that says so in two ways may be used for what both allow; one that does not
/// say so may be used for nothing.
fn ceilings(members: &Object, audience: &str) -> Result<Vec<Ceiling>, IdentityError> {
    let of = |source| move |purposes| Ceiling { source, purposes: distinct(purposes) };
    let plain = members.get("purposes").map(purposes).transpose()?.map(of(CeilingSource::Token));
    let details = members.get("authorization_details").map(|value| details::purposes(value, audience));
    let details = details.transpose()?.flatten().map(of(CeilingSource::Details));
    let mut all: Vec<Ceiling> = plain.into_iter().chain(details).collect();
    if all.is_empty() {
        all.push(Ceiling { source: CeilingSource::Token, purposes: Vec::new() });
    }
    Ok(all)
}

/// The certificate that a token is bound to: `x5t#S256` and nothing else. Possession of any other kind is not proved
/// here, and a binding that is not checked would be none.
fn confirmation(value: &Json) -> Result<Fingerprint, IdentityError> {
    let members = value.members().ok_or(IdentityError::malformed("`cnf` is not an object"))?;
    let digest = match members.get("x5t#S256") {
        Some(digest) if members.len() == 1 => digest,
        Some(_) | None => {
            return Err(IdentityError::invalid("the token is bound to a key whose possession is not proved"));
        }
    };
    let bytes = digest.text().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(Fingerprint::from).ok_or(IdentityError::malformed("`x5t#S256` is not a SHA-256 digest"))
}

/// What the claims of a token say as texts, and which of them say something that is no text. Only `null` says nothing.
fn others(members: &Object) -> (BTreeMap<String, Vec<String>>, BTreeSet<String>) {
    let texts = |value: &Json| match value.list() {
        Some(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
        None => value.written().map(|text| vec![text]),
    };
    let (mut read, mut unreadable) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in members {
        match texts(value) {
            Some(texts) => _ = read.insert(name.clone(), texts),
            None if matches!(value, Json::Null) => {}
            None => _ = unreadable.insert(name.clone()),
        }
    }
    (read, unreadable)
}

/// How far the issuer's clock may be ahead of ours when a token is issued. RFC 7519 makes no bound of `iat`: this one tells a
/// clock that is a little fast from a time that was made up.
const ISSUED_AHEAD_MS_MAX: i64 = 60_000;

/// Checks `exp`, `nbf` and `iat` and returns since when the token holds, and the first moment at which it is refused. What
/// was issued later than now, by more than clocks differ, does not hold yet.
pub(crate) fn lifetime(members: &Object, expected: &Expected<'_>) -> Result<(Moment, Moment), IdentityError> {
    let leeway = i64::try_from(expected.leeway_secs).map_or(0, |secs| secs.saturating_mul(1000));
    let ends = moment(members.get("exp").and_then(Json::natural))
        .ok_or(IdentityError::malformed("`exp` is missing or not a whole number of seconds"))?;
    let begins = |name, what| match members.get(name) {
        None => Ok(Moment::BEGINNING),
        Some(value) => moment(value.natural()).ok_or(IdentityError::malformed(what)),
    };
    let valid = begins("nbf", "`nbf` is not a whole number of seconds")?;
    let issued = begins("iat", "`iat` is not a whole number of seconds")?;
    if issued > ends {
        return Err(IdentityError::malformed("`iat` is later than `exp`"));
    }
    let ahead = leeway.max(ISSUED_AHEAD_MS_MAX);
    let begins = valid.saturating_add_millis(-leeway).max(issued.saturating_add_millis(-ahead));
    let expires = ends.saturating_add_millis(leeway);
    holds(begins, expires, expected.now)?;
    Ok((begins, expires))
}

/// Whether a token holds at this moment.
pub(crate) fn holds(begins: Moment, expires: Moment, now: Moment) -> Result<(), IdentityError> {
    if now >= expires {
        return Err(IdentityError::expired("the token is past its time"));
    }
    if now < begins {
        return Err(IdentityError::expired("the token is not yet at its time"));
    }
    Ok(())
}

fn moment(seconds: Option<u64>) -> Option<Moment> {
    let seconds = seconds.filter(|s| *s <= SECONDS_MAX)?;
    Some(Moment::from_unix_millis(i64::try_from(seconds).ok()?.checked_mul(1000)?))
}

/// The same purposes, each once.
pub(crate) fn distinct(mut purposes: Vec<Purpose>) -> Vec<Purpose> {
    let mut seen = BTreeSet::new();
    purposes.retain(|purpose| seen.insert(purpose.clone()));
    purposes
}

/// A list of purposes.
pub(crate) fn purposes(value: &Json) -> Result<Vec<Purpose>, IdentityError> {
    let error = IdentityError::malformed("`purposes` is not a list of purposes");
    let one = |item: &Json| item.text().and_then(|text| Purpose::new(text).ok()).ok_or(error);
    value.list().ok_or(error)?.iter().map(one).collect()
}

/// The member `person`: an object of `space` and `id`.
pub(crate) fn person(members: &Object) -> Result<Option<Identifier>, IdentityError> {
    let error = IdentityError::malformed("`person` is not an object of `space` and `id`");
    let Some(value) = members.get("person") else { return Ok(None) };
    let parts = value.members().filter(|parts| parts.len() == 2).ok_or(error)?;
    let part = |name| parts.get(name).and_then(Json::text).ok_or(error);
    let (space, id) = (part("space")?, part("id")?);
    if is_space(space) && is_person(id) {
        Ok(Some(Identifier::new(Space::new(space), id)))
    } else {
        Err(error)
    }
}

/// What can identify a person within a space: 1 to 512 bytes without control characters.
pub(crate) fn is_person(id: &str) -> bool {
    (1..=PERSON_ID_BYTES_MAX).contains(&id.len()) && !id.chars().any(char::is_control)
}

/// 1 to 200 visible ASCII characters.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A space is printed where its identifiers are not, so it cannot hide one: lower-case letters, digits, `_`, `-`, `.`.
pub(crate) fn is_space(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
    is_name(text) && text.bytes().all(plain)
}

//! What a verified token says.

use std::collections::BTreeMap;
use std::fmt;

use consentry_model::{Identifier, Moment, Purpose, RequesterId, Space};
use serde::{Deserialize, Serialize};

use crate::error::IdentityError;
use crate::json::{Json, Object};

/// Longest requester, space and token id, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Longest identifier of a person, in bytes.
const PERSON_ID_BYTES_MAX: usize = 512;
/// The last second of the year 9999: what lies later is no time that anybody meant.
pub(crate) const SECONDS_MAX: u64 = 253_402_300_799;

/// How well the person behind a token was identified, after the levels of eIDAS (Regulation 910/2014, Article 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// Not at all, or nobody said.
    #[default]
    None,
    /// Low.
    Low,
    /// Substantial.
    Substantial,
    /// High.
    High,
}

impl Assurance {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Substantial, Self::High];

    /// The word in tokens, bundles and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Substantial => "substantial",
            Self::High => "high",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.code() == code)
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What an authenticated token says. Only an [`Authenticator`](crate::Authenticator) makes one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Who calls: the claim `client_id`.
    pub requester: RequesterId,
    /// The purposes it may declare, each with everything below it: the claim `purposes`. None allows none.
    pub token_purposes: Vec<Purpose>,
    /// On whose behalf: the claim `person`, an object of `space` and `id`.
    pub person: Option<Identifier>,
    /// How well that person was identified: the claim `acr`. An unknown word counts as none.
    pub assurance: Assurance,
    /// From when on the token is no longer accepted, the configured leeway included.
    pub expires: Moment,
    /// The token's own name: the claim `jti`.
    pub token_id: Option<String>,
    /// Further claims, for the facts that a bundle reads from tokens: a text, a whole number, true or false, each as it
    /// is written, or a list of texts. They may be personal data.
    pub others: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("requester", &self.requester)
            .field("token_purposes", &self.token_purposes)
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
}

/// Reads the claims of a token whose signature holds.
pub(crate) fn read(members: &Object, expected: &Expected<'_>) -> Result<Claims, IdentityError> {
    let required = |name, what| members.get(name).and_then(Json::text).ok_or(IdentityError::malformed(what));
    if required("iss", "`iss` is missing or not a text")? != expected.issuer {
        return Err(IdentityError::invalid("the token comes from another issuer"));
    }
    if required("aud", "`aud` is missing or not a single text")? != expected.audience {
        return Err(IdentityError::invalid("the token is for another audience"));
    }
    if members.contains_key("cnf") {
        return Err(IdentityError::invalid(
            "the token is bound to a key whose possession a bearer does not prove",
        ));
    }
    let expires = lifetime(members, expected)?;
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
    Ok(Claims {
        requester: RequesterId::new(requester),
        token_purposes: purposes(members)?,
        person: person(members)?,
        assurance,
        expires,
        token_id,
        others: others(members),
    })
}

/// What the claims of a token say beyond those read here. A claim of another shape says nothing.
fn others(members: &Object) -> BTreeMap<String, Vec<String>> {
    const READ: [&str; 12] =
        ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "cnf", "acr", "client_id", "purposes", "person"];
    let texts = |value: &Json| match value.list() {
        Some(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
        None => value.written().map(|text| vec![text]),
    };
    let further = members.iter().filter(|(name, _)| !READ.contains(&name.as_str()));
    further.filter_map(|(name, value)| Some((name.clone(), texts(value)?))).collect()
}

/// Checks `exp` and `nbf` and returns the first moment at which the token is refused.
fn lifetime(members: &Object, expected: &Expected<'_>) -> Result<Moment, IdentityError> {
    let leeway = i64::try_from(expected.leeway_secs).map_or(0, |secs| secs.saturating_mul(1000));
    let expires = moment(members.get("exp").and_then(Json::natural))
        .ok_or(IdentityError::malformed("`exp` is missing or not a whole number of seconds"))?
        .saturating_add_millis(leeway);
    let begins = match members.get("nbf") {
        None => Moment::BEGINNING,
        Some(value) => moment(value.natural())
            .ok_or(IdentityError::malformed("`nbf` is not a whole number of seconds"))?
            .saturating_add_millis(-leeway),
    };
    if expected.now >= expires {
        return Err(IdentityError::expired("the token is past its time"));
    }
    if expected.now < begins {
        return Err(IdentityError::expired("the token is not yet at its time"));
    }
    Ok(expires)
}

fn moment(seconds: Option<u64>) -> Option<Moment> {
    let seconds = seconds.filter(|s| *s <= SECONDS_MAX)?;
    Some(Moment::from_unix_millis(i64::try_from(seconds).ok()?.checked_mul(1000)?))
}

fn purposes(members: &Object) -> Result<Vec<Purpose>, IdentityError> {
    let error = IdentityError::malformed("`purposes` is not a list of purposes");
    let Some(value) = members.get("purposes") else { return Ok(Vec::new()) };
    let one = |item: &Json| item.text().and_then(|text| Purpose::new(text).ok()).ok_or(error);
    value.list().ok_or(error)?.iter().map(one).collect()
}

fn person(members: &Object) -> Result<Option<Identifier>, IdentityError> {
    let error = IdentityError::malformed("`person` is not an object of `space` and `id`");
    let Some(value) = members.get("person") else { return Ok(None) };
    let parts = value.members().filter(|parts| parts.len() == 2).ok_or(error)?;
    let part = |name| parts.get(name).and_then(Json::text).ok_or(error);
    let (space, id) = (part("space")?, part("id")?);
    if !is_space(space) || id.is_empty() || id.len() > PERSON_ID_BYTES_MAX || id.chars().any(char::is_control)
    {
        return Err(error);
    }
    Ok(Some(Identifier::new(Space::new(space), id)))
}

/// 1 to 200 visible ASCII characters.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A space is printed where its identifiers are not, so it cannot hide one: lower-case letters, digits, `_`, `-`, `.`.
fn is_space(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
    is_name(text) && text.bytes().all(plain)
}

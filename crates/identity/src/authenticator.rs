//! From what a request shows to an authenticated requester.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use consentry_model::{Identifier, Moment, Proof, Reason, RequesterId};

use crate::assurance::Assurance;
use crate::bearer;
use crate::cache::{Cache, CacheCounts, Kept};
use crate::claims::{self, Ceiling, CeilingSource, Claims, Expected, is_name, is_person};
use crate::config::AuthenticatorConfig;
use crate::error::{ConfigError, IdentityError};
use crate::json::Object;
use crate::key_set::Signer;
use crate::peer::{Peer, PeerCertificate};
use crate::registered::{CertificateHolder, CertificateName, Gateway};
use crate::token::{self, Kind};
use crate::transaction::{self, Transaction};

/// Headers that are meant for us, besides those by which gateways name requesters. None of them is ever passed on.
const OWN_HEADERS: [&str; 3] = ["baggage", "data-purpose", "txn-token"];

const OUTLIVED: IdentityError =
    IdentityError::because(Reason::CertificateExpired, "the certificate is not in its time");

/// Reads every line of a header, by the header's name in lower case.
pub type Lines<'a> = dyn Fn(&str) -> Vec<&'a [u8]> + 'a;

/// Turns tokens, certificates and the headers of gateways into [`Claims`], or says why not.
pub struct Authenticator {
    config: AuthenticatorConfig,
    tokens: Cache<Claims>,
    transactions: Cache<Transaction>,
    keys_confirmed: AtomicI64,
}

impl Authenticator {
    /// Checks the configuration. Verified tokens are kept by this authenticator alone: whoever takes another one in its
    /// place has forgotten them all.
    ///
    /// # Errors
    /// When there is no key, no issuer or no audience, a number is outside its range, or something that is said of
    /// certificates, gateways or headers has two readings.
    pub fn new(config: AuthenticatorConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let (tokens, transactions) =
            (Cache::new(config.verified_tokens_max), Cache::new(config.verified_tokens_max));
        let keys_confirmed = AtomicI64::new(Moment::BEGINNING.unix_millis());
        Ok(Self { config, tokens, transactions, keys_confirmed })
    }

    /// States that the issuer was found to have these keys at this moment; their age counts from here. An earlier moment
    /// changes nothing: whoever has set back a clock that was ahead takes another authenticator.
    pub fn confirm_keys(&self, at: Moment) {
        self.keys_confirmed.fetch_max(at.unix_millis(), Ordering::Relaxed);
    }

    /// When the issuer was last found to have these keys; `None` when it never was.
    #[must_use]
    pub fn keys_confirmed_at(&self) -> Option<Moment> {
        let at = Moment::from_unix_millis(self.keys_confirmed.load(Ordering::Relaxed));
        (at != Moment::BEGINNING).then_some(at)
    }

    /// How often tokens for access were found among the verified ones.
    #[must_use]
    pub fn cache_counts(&self) -> CacheCounts {
        self.tokens.counts()
    }

    /// The headers, in lower case, that are meant for us and must never be passed on.
    pub fn own_headers(&self) -> impl Iterator<Item = &str> + Clone {
        let naming = self.config.naming_headers.iter().flat_map(|headers| headers.names());
        OWN_HEADERS.into_iter().chain(naming)
    }

    /// Reads the values of all `Authorization` lines of a request from a peer that shows nothing; no line at all is
    /// `None`.
    ///
    /// # Errors
    /// With `TokenMissing` when the one line is of another scheme than `Bearer`; with `TokenMalformed` when there
    /// are two lines or the token or one of its claims cannot be read; with `TokenInvalid` when key, algorithm,
    /// signature, issuer or audience does not hold; with `TokenExpired` outside the token's time; with `TokenBinding`
    /// when it is bound to a certificate; with `KeysUnavailable` when the keys are too old. Nothing of the claims is
    /// looked at before the signature holds.
    pub fn authenticate(
        &self,
        authorization: &[&[u8]],
        now: Moment,
    ) -> Result<Option<Arc<Claims>>, IdentityError> {
        self.bearer(authorization, &Peer::default(), now)
    }

    /// Reads everything by which a request says who calls: its token, its transaction token, the headers of a gateway,
    /// and the certificate of the connection. No such thing is `None`.
    ///
    /// All that is there has to name one requester and one person. What that requester may declare is what all of them
    /// allow. A transaction token alone names nobody.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate), and with `PeerNotTrusted` when a header names somebody who may not be
    /// named by this peer; with `HeadMalformed` when such a header has two lines or no readable name; with
    /// `IdentityConflict` when not all name the same; with `CertificateExpired` when the connection has outlived its
    /// certificate.
    pub fn identify<'a>(
        &self,
        lines: &Lines<'a>,
        peer: &Peer,
        now: Moment,
    ) -> Result<Option<Arc<Claims>>, IdentityError> {
        let token = self.bearer(&lines("authorization"), peer, now)?;
        let transaction = self.transaction(&lines("txn-token"), now)?;
        let named = self.named(lines, peer, now)?;
        let holder = self.holder(peer, now)?;
        if transaction.is_none() && named.is_none() && holder.is_none() {
            return Ok(token);
        }
        let claims = self.join(token, named, holder)?;
        let Some(mut claims) = claims else {
            let alone = IdentityError::missing("a transaction token came alone, and names nobody");
            return if transaction.is_some() { Err(alone) } else { Ok(None) };
        };
        if let Some(transaction) = transaction {
            add_transaction(&mut claims, &transaction)?;
        }
        Ok(Some(Arc::new(claims)))
    }

    /// Whether the certificate of a connection is a gateway's, which says nothing of whoever calls behind it: a gateway's by name, or
    /// shown by one that is told by its network alone, registered for nobody, and not the one to which the token is bound
    /// (`is_bound`).
    #[must_use]
    pub fn shows_a_gateways(&self, peer: &Peer, is_bound: bool) -> bool {
        let Some(certificate) = peer.certificate.as_deref() else { return false };
        let named = |names: &[CertificateName]| names.iter().any(|name| name.is_of(certificate));
        let registered = || self.config.certificates.iter().any(|holder| named(&holder.names));
        let unnamed = |gateway: &Gateway| !is_bound && gateway.is(peer) && !registered();
        self.config.gateways.iter().any(|gateway| named(&gateway.certificates) || unnamed(gateway))
    }

    /// Whether the keys are still believed by which tokens held that were verified before, perhaps by another authenticator.
    /// Of certificates and headers nothing is asked here.
    ///
    /// # Errors
    /// With `TokenInvalid` when one of them is not among the keys of today; with `KeysUnavailable` when those are too old.
    pub fn still_believes(&self, claims: &Claims, now: Moment) -> Result<(), IdentityError> {
        if claims.signers.is_empty() {
            return Ok(());
        }
        self.keys_hold(now)?;
        let AuthenticatorConfig { keys, issuer, .. } = &self.config;
        if claims.signers.iter().all(|signer| signer.issuer == *issuer && keys.has(signer)) {
            Ok(())
        } else {
            Err(IdentityError::unknown_key("a key by which a token held is not there any more"))
        }
    }

    /// One requester out of everything that names one.
    fn join(
        &self,
        token: Option<Arc<Claims>>,
        named: Option<Claims>,
        holder: Option<(&CertificateHolder, Moment)>,
    ) -> Result<Option<Claims>, IdentityError> {
        let shown = holder.map(|(holder, ends)| {
            let CertificateHolder { requester, purposes, .. } = holder;
            Claims::registered(requester.clone(), Proof::Certificate, purposes.clone(), ends)
        });
        let mut parts = token.map(|token| (*token).clone()).into_iter().chain(named).chain(shown);
        let Some(mut first) = parts.next() else { return Ok(None) };
        for part in parts {
            // Whoever names no person agrees to the one that another names; the first, which proves most, decides whom.
            let person = part.person.is_none() || part.person == first.person;
            if part.requester != first.requester || !person {
                return Err(IdentityError::because(Reason::IdentityConflict, "not all name the same"));
            }
            first.ceilings.extend(part.ceilings);
            first.signers.extend(part.signers);
            first.expires = first.expires.min(part.expires);
        }
        Ok(Some(first))
    }

    fn bearer(
        &self,
        authorization: &[&[u8]],
        peer: &Peer,
        now: Moment,
    ) -> Result<Option<Arc<Claims>>, IdentityError> {
        let Some(token) = bearer::token(authorization, self.config.token_bytes_max)? else { return Ok(None) };
        let claims = self.verified(&self.tokens, token, Kind::Access, now, |members, expected| {
            let claims = claims::read(members, expected)?;
            Ok(Kept { begins: claims.begins, expires: claims.expires, said: Arc::new(claims) })
        })?;
        let shown = peer.certificate.as_deref().filter(|certificate| certificate.holds(now));
        let Some(bound) = claims.bound_to else { return Ok(Some(claims)) };
        match shown.filter(|certificate| certificate.fingerprint() == bound).map(PeerCertificate::ends) {
            None => Err(IdentityError::because(Reason::TokenBinding, "the token's certificate is not shown")),
            // A bound token proves nothing any more once its certificate is over.
            Some(ends) if ends < claims.expires => {
                Ok(Some(Arc::new(Claims { expires: ends, ..(*claims).clone() })))
            }
            Some(_) => Ok(Some(claims)),
        }
    }

    fn transaction(&self, lines: &[&[u8]], now: Moment) -> Result<Option<Arc<Transaction>>, IdentityError> {
        let token = match lines {
            [] => return Ok(None),
            [token] if token.len() <= self.config.token_bytes_max => *token,
            [_] => return Err(IdentityError::malformed("the transaction token is over the limit")),
            [_, _, ..] => return Err(IdentityError::malformed("more than one transaction token came")),
        };
        if self.config.trust_domain.is_none() {
            return Err(IdentityError::invalid("no transaction tokens are believed here"));
        }
        let read = self.verified(&self.transactions, token, Kind::Transaction, now, |members, expected| {
            let read = transaction::read(members, expected)?;
            Ok(Kept { begins: read.begins, expires: read.expires, said: Arc::new(read) })
        });
        read.map(Some)
    }

    /// What a token says, verified now or before. Its time is looked at every time.
    fn verified<V>(
        &self,
        cache: &Cache<V>,
        token: &[u8],
        kind: Kind,
        now: Moment,
        read: impl FnOnce(&Object, &Expected<'_>) -> Result<Kept<V>, IdentityError>,
    ) -> Result<Arc<V>, IdentityError> {
        let AuthenticatorConfig { keys, issuer, audience, leeway_secs, .. } = &self.config;
        self.keys_hold(now)?;
        let name = cache.name(token);
        if let Some(kept) = name.and_then(|name| cache.find(name)) {
            claims::holds(kept.begins, kept.expires, now)?;
            return Ok(kept.said);
        }
        let (members, kid, key) = token::verify(keys, &bearer::segments(token)?, kind)?;
        let signer = &Arc::new(Signer::new(issuer, &kid, key));
        let audience = match kind {
            Kind::Access => audience,
            Kind::Transaction => self.config.trust_domain.as_ref().unwrap_or(audience),
        };
        let kept = read(&members, &Expected { issuer, audience, leeway_secs: *leeway_secs, now, signer })?;
        claims::holds(kept.begins, kept.expires, now)?;
        let said = Arc::clone(&kept.said);
        if let Some(name) = name {
            cache.keep(name, kept);
        }
        Ok(said)
    }

    /// Whether the keys are young enough, where an age is set. A time to come, from which the clock was set back, is as far
    /// from now as one that has passed.
    fn keys_hold(&self, now: Moment) -> Result<(), IdentityError> {
        let Some(secs_max) = self.config.keys_age_secs_max else { return Ok(()) };
        let age_ms_max = i64::try_from(secs_max).map_or(i64::MAX, |secs| secs.saturating_mul(1000));
        match self.keys_confirmed_at() {
            Some(at) if now.millis_since(at).saturating_abs() <= age_ms_max => Ok(()),
            Some(_) => Err(IdentityError::no_keys("the issuer's keys are too old")),
            None => Err(IdentityError::no_keys("the issuer's keys were never had")),
        }
    }

    /// Whom the headers of a gateway name.
    fn named<'a>(
        &self,
        lines: &Lines<'a>,
        peer: &Peer,
        now: Moment,
    ) -> Result<Option<Claims>, IdentityError> {
        let Some(headers) = &self.config.naming_headers else { return Ok(None) };
        let requester = lines(&headers.requester);
        let person = headers.person.as_ref().map_or_else(Vec::new, |(name, _)| lines(name));
        if requester.is_empty() && person.is_empty() {
            return Ok(None);
        }
        let mut gateways = self.config.gateways.iter().filter(|gateway| gateway.is(peer));
        let untrusted = IdentityError::because(Reason::PeerNotTrusted, "this peer may not name anybody");
        let (Some(gateway), None) = (gateways.next(), gateways.next()) else { return Err(untrusted) };
        let malformed = IdentityError::because(Reason::HeadMalformed, "a naming header names nobody");
        let requester = one_text(&requester).filter(|text| is_name(text)).ok_or(malformed)?;
        let requester = gateway
            .requesters
            .get(&RequesterId::new(requester))
            .ok_or(IdentityError::because(Reason::PeerNotTrusted, "this peer may not name this requester"))?;
        // A gateway that is told by its certificate is believed as long as that holds.
        let shown = peer.certificate.as_deref().filter(|_| !gateway.certificates.is_empty());
        if shown.is_some_and(|certificate| !certificate.holds(now)) {
            return Err(OUTLIVED);
        }
        let ends = shown.map_or(Moment::from_unix_millis(i64::MAX), PeerCertificate::ends);
        let mut claims = Claims::registered(requester.clone(), Proof::Header, gateway.purposes.clone(), ends);
        if let (Some((_, space)), [_, ..]) = (&headers.person, person.as_slice()) {
            let person = one_text(&person).filter(|text| is_person(text)).ok_or(malformed)?;
            claims.person = Some(Identifier::new(space.clone(), person));
            claims.assurance = gateway.assurance;
        }
        Ok(Some(claims))
    }

    /// Whose certificate the connection shows, and when that ends. A gateway's certificate stands for nobody who calls.
    fn holder(
        &self,
        peer: &Peer,
        now: Moment,
    ) -> Result<Option<(&CertificateHolder, Moment)>, IdentityError> {
        let Some(certificate) = peer.certificate.as_deref() else { return Ok(None) };
        let mut holders =
            self.config.certificates.iter().filter(|h| h.names.iter().any(|n| n.is_of(certificate)));
        let Some(holder) = holders.next() else { return Ok(None) };
        let of_gateway =
            self.config.gateways.iter().any(|g| g.certificates.iter().any(|n| n.is_of(certificate)));
        if of_gateway || holders.next().is_some() {
            let what = "the certificate stands for more than one";
            return Err(IdentityError::because(Reason::IdentityConflict, what));
        }
        if !certificate.holds(now) {
            return Err(OUTLIVED);
        }
        Ok(Some((holder, certificate.ends())))
    }
}

/// A transaction token narrows what its holder may declare, and may name the purpose and the person.
fn add_transaction(claims: &mut Claims, transaction: &Transaction) -> Result<(), IdentityError> {
    if let Some(person) = &transaction.person {
        match &claims.person {
            Some(other) if other != person => {
                return Err(IdentityError::because(Reason::IdentityConflict, "not all name the same"));
            }
            Some(_) => {}
            None => {
                (claims.person, claims.is_hearsay) = (Some(person.clone()), true);
                // How well somebody else proved to be somebody else.
                claims.assurance = Assurance::None;
            }
        }
    }
    let purposes = transaction.purposes.clone();
    claims.transaction_purpose = if let [one] = purposes.as_slice() { Some(one.clone()) } else { None };
    claims.ceilings.push(Ceiling { source: CeilingSource::Transaction, purposes });
    claims.signers.push(Arc::clone(&transaction.signer));
    claims.expires = claims.expires.min(transaction.expires);
    Ok(())
}

/// The one line of a header, as text without blanks around it.
fn one_text<'a>(lines: &[&'a [u8]]) -> Option<&'a str> {
    let [line] = lines else { return None };
    std::str::from_utf8(line).ok().filter(|text| text.trim() == *text)
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticator").field(&self.config).finish()
    }
}

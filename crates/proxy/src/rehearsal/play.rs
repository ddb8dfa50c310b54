//! Playing one case after the other.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use consentry_audit::{AuditLog, LogOptions};
use consentry_consent::Ledger;
use consentry_identity::{Assurance, Authenticator, AuthenticatorConfig, Issuer, KeySet, TokenSpec};
use consentry_layer::{AuthenticatorSlot, Clock, ConsentryLayer, PolicySlot};
use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Moment, RequesterId};
use consentry_policy::{Body, Bundle, Case, Engine, Route};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::behind::{Behind, Reached};
use super::evidence::Told;
use super::ledger::StageLedger;
use super::people::{self, histories};
use super::result::CaseResult;
use super::{Difference, made_up};

/// Today, for a case that does not say when it plays: 2026-06-01.
const TODAY: Moment = Moment::from_unix_millis(1_780_272_000_000);
/// Who issues the tokens of a rehearsal, and for whom.
const ISSUER: &str = "https://issuer.rehearsal.example";
const AUDIENCE: &str = "https://api.rehearsal.example";

/// What cannot go wrong, and would tell of a broken rehearsal rather than of a broken case.
type StageError = Box<dyn Error + Send + Sync>;

/// A clock that stands still.
struct StoppedClock(Moment);

impl Clock for StoppedClock {
    fn now(&self) -> Moment {
        self.0
    }
}

/// What is the same for all cases.
struct Stage {
    plain: PolicySlot,
    tempted: PolicySlot,
    issuer: Issuer,
    authenticator: AuthenticatorSlot,
}

/// Everything that one case brought about.
pub(super) struct Played {
    pub(super) status: u16,
    pub(super) cookies_set: Vec<String>,
    pub(super) body: Bytes,
    pub(super) told: Told,
    pub(super) reached: Option<Reached>,
    /// What the service behind was told to answer.
    pub(super) answer: Option<Value>,
    pub(super) before: Vec<(String, Vec<LedgerEvent>)>,
    pub(super) after: Vec<(String, Vec<LedgerEvent>)>,
    /// How many entries the ledger gained.
    pub(super) entries: u64,
}

/// Plays every case of a bundle through the layer, in memory, and tells what came out otherwise than the case says.
///
/// A case that says nothing of the time plays on 2026-06-01. Whatever is taken away, altered or recorded and is not
/// listed in the case fails it.
pub async fn rehearse(bundle: &Bundle) -> Vec<CaseResult> {
    let stage = Stage::set(bundle).map_err(|error| error.to_string());
    let mut results = Vec::new();
    for case in &bundle.cases {
        let differences = match &stage {
            Err(error) => vec![broken(error)],
            Ok(stage) => match stage.play(bundle, case).await {
                Ok(played) => super::verdict::judge(bundle, case, &played),
                Err(error) => vec![broken(&error.to_string())],
            },
        };
        results.push(CaseResult { name: case.name.clone(), clause: case.clause.clone(), differences });
    }
    results
}

fn broken(error: &str) -> Difference {
    Difference { what: "rehearsal", expected: "to be played".to_owned(), found: error.to_owned() }
}

/// The route that a case asks for.
pub(super) fn route_of<'b>(bundle: &'b Bundle, case: &'b Case) -> Option<&'b Route> {
    let segments: Vec<&str> = case.path.trim_start_matches('/').split('/').collect();
    bundle.service.find(&case.method, &segments).map(|found| found.route)
}

impl Stage {
    fn set(bundle: &Bundle) -> Result<Self, StageError> {
        let (plain, tempted) = (PolicySlot::empty(), PolicySlot::empty());
        // A bundle is never too old for a case.
        let latest = bundle.cases.iter().filter_map(|case| case.at).chain([TODAY]).max().unwrap_or(TODAY);
        plain.install(Engine::new(bundle.clone())?, latest);
        if bundle.cases.iter().any(|case| case.tempted) {
            tempted.install(Engine::tempted(bundle.clone())?, latest);
        }
        let issuer = Issuer::generate()?;
        let keys = KeySet::from_jwks(&issuer.jwks())?;
        let authenticator = Authenticator::new(AuthenticatorConfig::new(keys, ISSUER, AUDIENCE))?.into();
        Ok(Self { plain, tempted, issuer, authenticator })
    }

    async fn play(&self, bundle: &Bundle, case: &Case) -> Result<Played, StageError> {
        let at = case.at.unwrap_or(TODAY);
        let ledger = Arc::new(StageLedger::default());
        people::enter(&ledger, case, bundle, at).await?;
        let before = histories(&ledger, case, bundle).await?;
        let LedgerRevision(first) = ledger.revision().await?;
        let folder = tempfile::tempdir()?;
        let mut options = LogOptions::default();
        options.clock = Arc::new(move || at);
        let dir = folder.path().to_owned();
        let log = tokio::task::spawn_blocking(move || AuditLog::open(&dir, options)).await??;
        let policy = if case.tempted { &self.tempted } else { &self.plain };
        let layer = ConsentryLayer::builder()
            .policy(policy.clone())
            .authenticator(self.authenticator.clone())
            .ledger(Arc::clone(&ledger) as Arc<dyn Ledger>)
            .evidence(log.clone())
            .clock(Arc::new(StoppedClock(at)))
            .build()?;
        let answer = answer_of(bundle, case);
        let behind = Behind::new(answer.clone(), cookies_of(case)?);
        let request = self.request(bundle, case, at)?;
        ledger.set_down(case.ledger_down);
        let response: Response<_> = layer.layer(behind.clone()).call(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map(|all| all.to_bytes());
        ledger.set_down(false);
        log.flush_summary(at).await?;
        let (closing, dir) = (log.clone(), folder.path().to_owned());
        let told = tokio::task::spawn_blocking(move || {
            closing.shutdown();
            Told::read(&dir)
        });
        let told = told.await??;
        let LedgerRevision(last) = ledger.revision().await?;
        let set = head.headers.get_all(http::header::SET_COOKIE).iter();
        let names = set.filter_map(|v| v.to_str().ok()?.split_once('=').map(|(name, _)| name.to_owned()));
        Ok(Played {
            status: head.status.as_u16(),
            cookies_set: names.collect(),
            body: body.map_err(|_| "the answer broke off")?,
            told,
            reached: behind.reached(),
            answer,
            before,
            after: histories(&ledger, case, bundle).await?,
            entries: last.saturating_sub(first),
        })
    }

    fn request(&self, bundle: &Bundle, case: &Case, at: Moment) -> Result<Request<Full<Bytes>>, StageError> {
        let mut target = case.path.clone();
        for (separator, (name, value)) in std::iter::once('?').chain(std::iter::repeat('&')).zip(&case.query)
        {
            target.push(separator);
            target.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        let mut request = Request::builder().method(case.method.as_str()).uri(target);
        request = request.header(HOST, "api.rehearsal.example");
        if let Some(why) = &case.why {
            request = request.header("data-purpose", why);
        }
        if let Some(token) = self.token(bundle, case, at)? {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if case.sends.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in &case.headers {
            request = request.header(HeaderName::from_bytes(name.as_bytes())?, value);
        }
        if !case.cookies.is_empty() {
            let pairs: Vec<String> = case.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let body = case.sends.as_ref().map(Value::to_string).unwrap_or_default();
        Ok(request.body(Full::new(Bytes::from(body)))?)
    }

    /// The token of whoever calls: a requester's own, or that of the portal in which a person signed in.
    fn token(&self, bundle: &Bundle, case: &Case, at: Moment) -> Result<Option<String>, StageError> {
        if case.who == "anyone" {
            return Ok(None);
        }
        let portal = || {
            let own = |receives_as: &str| bundle.vocabulary.recipient_is(receives_as, "subject");
            bundle.requesters.iter().find(|(_, def)| own(def.receives_as.as_str()))
        };
        let named = bundle.requesters.get_key_value(&RequesterId::new(&case.who));
        let person = people::is_person(case, bundle);
        let (requester, definition) = if person { portal() } else { named }
            .ok_or("the bundle registers no requester that receives as the subject")?;
        let mut spec = TokenSpec::new(requester.clone(), ISSUER, AUDIENCE);
        spec.purposes.clone_from(&definition.purposes);
        spec.assurance = match &case.assurance {
            None => Assurance::Substantial,
            Some(word) => Assurance::parse(word).ok_or("the case names an unknown assurance")?,
        };
        if person {
            let space = route_of(bundle, case).and_then(people::named_space);
            let space = space.or_else(|| people::spaces(bundle).into_iter().next());
            spec.person = space.map(|space| Identifier::new(space, &case.who));
        }
        Ok(Some(self.issuer.token(&spec, at)?))
    }
}

fn answer_of(bundle: &Bundle, case: &Case) -> Option<Value> {
    case.answer.clone().or_else(|| match &route_of(bundle, case)?.response_body {
        Body::None => None,
        Body::Json(map) => Some(made_up::answer(map, &case.about)),
    })
}

fn cookies_of(case: &Case) -> Result<Vec<HeaderValue>, StageError> {
    let line = |(name, value): (&String, &String)| {
        HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly"))
    };
    Ok(case.sets.iter().map(line).collect::<Result<_, _>>()?)
}

/// Percent-encodes what is not plain.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The members of a problem body.
pub(super) fn members(body: &Bytes) -> BTreeMap<String, Value> {
    serde_json::from_slice(body).unwrap_or_default()
}

//! The stage: what is the same for all cases of a bundle, and the playing of one.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use consentry_audit::{AuditLog, LogOptions};
use consentry_consent::Ledger;
use consentry_identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet};
use consentry_layer::{
    AuthenticatorSlot, Clock, ConsentryLayer, Installed, Limits, PolicySlot, PseudonymKey,
};
use consentry_model::Moment;
use consentry_policy::{Body, Bundle, Case, Engine};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::civil::{Date, date};
use serde_json::Value;
use tower_layer::Layer as _;

use super::behind::{Answer, Behind, Reached};
use super::evidence::Told;
use super::ledger::{StageLedger, Written};
use super::request::{AUDIENCE, ISSUER, request, route_of, transport};
use super::writing::Writing;
use super::{made_up, people, wire};

/// Today, for a case that does not say when it plays, from its first moment; later for a policy that is newer.
const TODAY: Date = date(2026, 6, 1);
/// The key of every rehearsal's pseudonyms: they are nobody's.
const PSEUDONYM_KEY: [u8; 32] = *b"the key of every rehearsal, 2026";

/// What cannot go wrong, and would tell of a broken rehearsal rather than of a broken case.
pub(super) type StageError = Box<dyn Error + Send + Sync>;

/// A clock that stands still.
struct StoppedClock(Moment);

impl Clock for StoppedClock {
    fn now(&self) -> Moment {
        self.0
    }
}

/// Who issues tokens, and who believes them.
#[derive(Clone)]
pub(super) struct Identity {
    issuer: Arc<Issuer>,
    authenticator: AuthenticatorSlot,
}

impl Identity {
    pub(super) fn new() -> Result<Self, StageError> {
        let issuer = Issuer::generate()?;
        let keys = KeySet::from_jwks(&issuer.jwks())?;
        let authenticator = Authenticator::new(AuthenticatorConfig::new(keys, ISSUER, AUDIENCE))?.into();
        Ok(Self { issuer: Arc::new(issuer), authenticator })
    }
}

/// A compiled bundle, ready to be played.
#[derive(Clone)]
pub(super) struct Stage {
    policy: PolicySlot,
    identity: Identity,
}

/// Everything that one case brought about.
pub(super) struct Played {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) told: Told,
    pub(super) reached: Option<Reached>,
    /// What the service behind was told to answer.
    pub(super) answer: Answer,
    /// What the exchange wrote to the ledger.
    pub(super) written: Written,
}

impl Stage {
    pub(super) fn new(engine: Engine, identity: Identity) -> Self {
        let policy = PolicySlot::empty();
        policy.install(engine, Moment::BEGINNING);
        Self { policy, identity }
    }

    /// What is in force on it.
    pub(super) fn installed(&self) -> Option<Arc<Installed>> {
        self.policy.current()
    }

    /// Plays one case of the bundle.
    pub(super) async fn play(&self, case: &Case) -> Result<Played, StageError> {
        let installed = self.installed().ok_or("the stage has no bundle")?;
        let bundle = installed.engine.bundle();
        let at = case.at.or_else(|| today(bundle)).ok_or("the bundle's time zone has no first of June")?;
        let ledger = Arc::new(StageLedger::default());
        people::enter(&ledger, case, bundle, at).await?;
        let folder = tempfile::tempdir()?;
        let log = open(folder.path().to_owned(), at).await?;
        let mut limits = Limits::default();
        // A bundle is never too old for a case.
        limits.bundle_age_secs_max = u64::MAX;
        let layer = ConsentryLayer::builder()
            .limits(limits)
            .policy(self.policy.clone())
            .authenticator(self.identity.authenticator.clone())
            .ledger(Arc::clone(&ledger) as Arc<dyn Ledger>)
            .evidence(log.clone())
            .clock(Arc::new(StoppedClock(at)))
            .pseudonym_key(PseudonymKey::new(PSEUDONYM_KEY))
            .build()?;
        let answer = answer_of(bundle, case, at);
        let status = case.answer_status.map_or(Ok(StatusCode::OK), StatusCode::from_u16)?;
        let behind = Behind::new(answer.clone(), status, cookies_of(case)?);
        let request = request(bundle, case, &self.identity.issuer, at)?;
        ledger.set_down(case.ledger_down);
        let answered = wire::exchange(layer.layer(behind.clone()), transport(case)?, request).await?;
        log.flush_summary(at).await?;
        let dir = folder.path().to_owned();
        let told = tokio::task::spawn_blocking(move || {
            log.shutdown();
            Told::read(&dir)
        });
        let told = told.await??;
        Ok(Played {
            status: answered.status().as_u16(),
            headers: answered.headers().clone(),
            body: answered.into_body(),
            told,
            reached: behind.reached(),
            answer,
            written: ledger.take_written(),
        })
    }
}

fn today(bundle: &Bundle) -> Option<Moment> {
    let begins = TODAY.to_zoned(bundle.settings.zone.clone()).ok()?;
    let begins = Moment::from_unix_millis(begins.timestamp().as_millisecond());
    // Before its policy is in force a bundle serves nobody.
    Some(bundle.from.map_or(begins, |from| from.max(begins)))
}

async fn open(dir: std::path::PathBuf, at: Moment) -> Result<AuditLog, StageError> {
    let mut options = LogOptions::default();
    options.clock = Arc::new(move || at);
    Ok(tokio::task::spawn_blocking(move || AuditLog::open(&dir, options)).await??)
}

fn answer_of(bundle: &Bundle, case: &Case, at: Moment) -> Answer {
    let Some(route) = route_of(bundle, case) else {
        return case.answer.clone().map_or(Answer::Nothing, |said| Answer::Says(said, Writing::json()));
    };
    match (&route.response_body, &case.answer) {
        (Body::Fields(map, types), _) => {
            let writing = Writing::of(types, None, &Value::Null);
            let said = made_up::answer(bundle, route, (map, writing.is_records()), case, at);
            Answer::Says(said, writing)
        }
        (Body::None | Body::Page, Some(said)) => Answer::Says(said.clone(), Writing::json()),
        (Body::None, None) => Answer::Nothing,
        (Body::Page, None) => Answer::Page,
    }
}

fn cookies_of(case: &Case) -> Result<Vec<HeaderValue>, StageError> {
    let line = |(name, value): (&String, &String)| {
        HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly"))
    };
    Ok(case.sets.iter().map(line).collect::<Result<_, _>>()?)
}

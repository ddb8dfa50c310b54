//! Playing every case of a bundle.

use std::sync::Arc;

use consentry_policy::{Bundle, Case, CaseOutcome, Diagnostics, Engine, Severity, Sources};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::result::{CaseResult, Difference};
use super::stage::{Identity, Stage, StageError};
use super::verdict::judge;

/// How many cases play at a time: each waits for its own evidence to be written.
const AT_ONCE: usize = 16;

/// Plays every case of a bundle through the layer, each over an HTTP/1.1 connection of its own in memory, and tells what came out otherwise than the case says, in the
/// order of the cases. `heard` is told how many have been played, one by one.
///
/// A case that says nothing of the time plays on 2026-06-01, or on the day from which a newer policy is in force; one that
/// says nothing of the connection plays over TLS 1.3.
/// Whatever is taken away, altered, changed or recorded and is not listed in the case fails it. The sources are
/// the bundle's own files: a case that asks what would be if the bundle had something more is told of a bundle made of
/// them.
pub async fn rehearse(bundle: &Bundle, sources: &Sources, mut heard: impl FnMut(usize)) -> Vec<CaseResult> {
    let company = match Company::of(bundle, sources).await {
        Ok(company) => Arc::new(company),
        Err(error) => return bundle.cases.iter().map(|case| CaseResult::broken(case, &*error)).collect(),
    };
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for (at, case) in bundle.cases.iter().cloned().enumerate() {
        let (company, places) = (Arc::clone(&company), Arc::clone(&places));
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            (at, company.result(&case).await)
        });
    }
    let mut results: Vec<CaseResult> = bundle.cases.iter().map(CaseResult::unplayed).collect();
    let mut played = 0;
    while let Some(ended) = playing.join_next().await {
        // A case that panicked stays what it was before: not played, and so not passed.
        if let Ok((at, result)) = ended
            && let Some(there) = results.get_mut(at)
        {
            *there = result;
        }
        played += 1;
        heard(played);
    }
    results
}

/// Everybody who plays, and what a case may alter.
struct Company {
    bundle: Arc<Bundle>,
    sources: Sources,
    identity: Identity,
    plain: Stage,
    tempted: Option<Stage>,
}

impl Company {
    async fn of(bundle: &Bundle, sources: &Sources) -> Result<Self, StageError> {
        let identity = Identity::new()?;
        let (one, other) = (bundle.clone(), bundle.clone());
        // As in force: what a case asks and the service map cannot ask is refused.
        let all = |engine: Engine| {
            engine.compile_all();
            engine
        };
        let plain = tokio::task::spawn_blocking(move || Engine::new(one).map(all));
        let is_tempted = bundle.cases.iter().any(|case| case.tempted);
        let tempted =
            is_tempted.then(|| tokio::task::spawn_blocking(move || Engine::tempted(other).map(all)));
        let plain = Stage::new(plain.await??, identity.clone());
        let tempted = match tempted {
            Some(engine) => Some(Stage::new(engine.await??, identity.clone())),
            None => None,
        };
        Ok(Self { bundle: Arc::new(bundle.clone()), sources: sources.clone(), identity, plain, tempted })
    }

    async fn result(&self, case: &Case) -> CaseResult {
        match self.differences(case).await {
            Ok(result) => result,
            Err(error) => CaseResult::broken(case, &*error),
        }
    }

    async fn differences(&self, case: &Case) -> Result<CaseResult, StageError> {
        let Some(altered) = case.altered(&self.sources) else {
            let stage = if case.tempted { self.tempted.as_ref() } else { Some(&self.plain) };
            return perform(stage.ok_or("there is no tempted bundle")?, case).await;
        };
        let before = Arc::clone(&self.bundle);
        let expected = match &case.then {
            CaseOutcome::LoadError(code) => Some(Arc::clone(code)),
            CaseOutcome::Allow | CaseOutcome::Redact | CaseOutcome::Refuse(_) => None,
        };
        let loaded = tokio::task::spawn_blocking(move || before.followed_by(&altered)).await?;
        match (loaded, expected) {
            (Ok(bundle), None) => {
                let compile = if case.tempted { Engine::tempted } else { Engine::new };
                let engine = tokio::task::spawn_blocking(move || compile(bundle)).await??;
                perform(&Stage::new(engine, self.identity.clone()), case).await
            }
            (loaded, expected) => {
                let found = loaded.err();
                Ok(CaseResult::of_loading(case, loading(found.as_deref(), expected)))
            }
        }
    }
}

/// Plays a case and judges it.
pub(super) async fn perform(stage: &Stage, case: &Case) -> Result<CaseResult, StageError> {
    let played = stage.play(case).await?;
    let installed = stage.installed().ok_or("the stage has no bundle")?;
    let bundle = installed.engine.bundle();
    Ok(CaseResult::of(case, bundle, &played, judge(bundle, case, &played)))
}

/// Holds what was found in an altered bundle against what should have been.
fn loading(found: Option<&Diagnostics>, expected: Option<Arc<str>>) -> Vec<Difference> {
    let errors = found.into_iter().flat_map(Diagnostics::iter);
    let mut codes: Vec<&str> =
        errors.filter(|d| d.severity == Severity::Error).map(|diagnostic| diagnostic.code).collect();
    codes.dedup();
    let expected = match expected {
        Some(code) if codes.contains(&&*code) => return Vec::new(),
        Some(code) => format!("load error {code}"),
        None => "a bundle that loads".to_owned(),
    };
    let found = if codes.is_empty() { "a bundle that loads".to_owned() } else { codes.join(", ") };
    vec![Difference { what: "outcome", expected, found }]
}

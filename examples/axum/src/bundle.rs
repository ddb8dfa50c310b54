//! The bundle: loaded, put in force, and looked at again.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use consentry::PolicySlot;
use consentry::evidence::{AuditLog, LogError, PolicyInstalled};
use consentry::model::Moment;
use consentry::policy::{Bundle, Engine, ReadError};

use crate::Failure;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Reads a sealed bundle and compiles it, with every question that its service map can make: no request waits for that.
pub(crate) fn load(folder: &Path) -> Result<Engine, Failure> {
    let bundle = Bundle::load_sealed(folder).map_err(|error| {
        // Every error at once, with file, line and what was meant.
        let details = if let ReadError::Wrong(found) = &error { format!("\n{found}") } else { String::new() };
        format!("{}: {error}{details}", folder.display())
    })?;
    let engine = Engine::new(bundle)?;
    engine.compile_all();
    Ok(engine)
}

/// Records that a bundle comes into force, and only then puts it there.
pub(crate) async fn install(slot: &PolicySlot, engine: Engine, evidence: &AuditLog) -> Result<(), LogError> {
    let bundle = engine.bundle();
    let note = PolicyInstalled::new(bundle.digest.clone(), &bundle.controller, &bundle.version);
    evidence.note(note).await?;
    slot.install(engine, now());
    Ok(())
}

/// Looks at the folder for ever. A bundle that is sealed and good takes over; any other changes nothing, and the last
/// good one stays in force for as long as `Limits::bundle_age_secs_max` allows.
pub(crate) async fn watch(slot: PolicySlot, folder: PathBuf, evidence: AuditLog) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let folder = folder.clone();
        // Reading and compiling would hold up the requests that share this thread.
        let found = match tokio::task::spawn_blocking(move || load(&folder)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                eprintln!("the bundle on disk is not used: {error}");
                continue;
            }
            Err(_) => continue,
        };
        let same = slot.current().is_some_and(|c| c.engine.bundle().digest == found.bundle().digest);
        if same {
            slot.confirm(now());
        } else if install(&slot, found, &evidence).await.is_err() {
            eprintln!("the new bundle is not used: the evidence log cannot be written");
        }
    }
}

/// The time; the only place where this program reads a clock itself.
pub(crate) fn now() -> Moment {
    Moment::from_system(SystemTime::now())
}

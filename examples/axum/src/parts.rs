//! What the layer needs besides the bundle: keys, the ledger and the evidence log.

use std::fs;
use std::sync::Arc;

use consentry::evidence::{AuditLog, LogOptions};
use consentry::identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet, TokenSpec};
use consentry::ledger::{Ledger, SqliteLedger};
use consentry::model::{LedgerRevision, Purpose, RequesterId};

use crate::args::Args;
use crate::{Failure, bundle, members};

/// What tokens must name as their issuer, and as the service that they are for.
const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "reading-circle";

/// The parts, open.
pub(crate) struct Parts {
    pub(crate) authenticator: Authenticator,
    /// Signs tokens to try the service with, when no keys were given.
    pub(crate) issuer: Option<Issuer>,
    pub(crate) ledger: Arc<SqliteLedger>,
    pub(crate) evidence: AuditLog,
    /// Goes away with everything in it when it is dropped.
    _temporary: Option<tempfile::TempDir>,
}

impl Parts {
    /// Opens all of them.
    pub(crate) async fn open(args: &Args) -> Result<Self, Failure> {
        let temporary = if args.data.is_none() { Some(tempfile::tempdir()?) } else { None };
        let data = match (&args.data, &temporary) {
            (Some(given), _) => given.as_path(),
            (None, Some(temporary)) => temporary.path(),
            (None, None) => return Err("there is no folder for the data".into()),
        };
        fs::create_dir_all(data)?;

        // Keys come from a file, as an identity provider publishes them; for a try, from a key made here.
        let (issuer, keys_file) = match &args.keys {
            Some(file) => (None, file.clone()),
            None => {
                let (issuer, file) = (Issuer::generate()?, data.join("jwks.json"));
                fs::write(&file, issuer.jwks())?;
                (Some(issuer), file)
            }
        };
        let keys = KeySet::from_jwks(&fs::read_to_string(keys_file)?)?;
        let authenticator = Authenticator::new(AuthenticatorConfig::new(keys, ISSUER, AUDIENCE))?;

        // One file that any number of processes on this machine may share.
        let ledger = SqliteLedger::open(data.join("ledger.db")).await?;
        if ledger.revision().await? == LedgerRevision(0) {
            members::introduce(&ledger).await?;
        }

        // One process at a time writes a log; when it cannot be written, personal data is not served.
        let evidence = AuditLog::open(&data.join("evidence"), LogOptions::default())?;
        Ok(Self { authenticator, issuer, ledger: Arc::new(ledger), evidence, _temporary: temporary })
    }
}

/// A token of a requester for one purpose, good for an hour.
pub(crate) fn token(issuer: &Issuer, requester: &str, purpose: &str) -> Result<String, Failure> {
    let mut spec = TokenSpec::new(RequesterId::new(requester), ISSUER, AUDIENCE);
    spec.purposes = vec![Purpose::new(purpose)?];
    spec.lifetime_secs = 3_600;
    Ok(issuer.token(&spec, bundle::now())?)
}

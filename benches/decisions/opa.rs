//! OPA itself, as far as it is there: a shared library with a plain C interface, driven by a small script, because
//! nothing in this workspace may call C.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::Failure;
use crate::rego::Rego;

/// The script that drives it: library, folder, seconds → nanoseconds per decision.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/decisions/opa.py");

/// Where OPA is, and what it is asked.
pub(crate) struct Opa {
    library: String,
    inputs: String,
}

impl Opa {
    /// OPA, when the environment names its library.
    pub(crate) fn find(_: &Rego, inputs: Vec<String>) -> Result<Option<Self>, Failure> {
        match std::env::var("CONSENTRY_OPA") {
            Err(_) => Ok(None),
            Ok(library) => Ok(Some(Self { library, inputs: inputs.join("\n") })),
        }
    }

    /// Nanoseconds per decision.
    pub(crate) fn per_decision(&self, rego: &Rego, time: Duration) -> Result<f64, Failure> {
        let folder = std::env::temp_dir().join(format!("consentry-opa-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("bundle.rego"), &rego.policy)?;
        fs::write(folder.join("data.json"), rego.data.to_string())?;
        fs::write(folder.join("inputs.jsonl"), &self.inputs)?;
        let seconds = time.as_secs_f64().to_string();
        let run = Command::new("python3").arg(SCRIPT).arg(&self.library).arg(&folder).arg(seconds).output();
        fs::remove_dir_all(&folder)?;
        let run = run?;
        if !run.status.success() {
            return Err(format!("OPA: {}", String::from_utf8_lossy(&run.stderr)).into());
        }
        Ok(String::from_utf8_lossy(&run.stdout).trim().parse()?)
    }
}

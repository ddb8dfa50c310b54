//! Checking a whole log.

use std::path::PathBuf;

use consentry_audit::{PublicKey, Reader, VerifyOptions, VerifyReport, VerifyStatus, verify};
use consentry_model::hex;
use serde_json::{Value, json};

use super::Log;
use crate::args::Format;
use crate::output::{self, DIM, ERROR, FAIR, GOOD, PLAIN, Table, paint};
use crate::stop::{Exit, Stop, io_words};

/// Check every record, the tree over them and every signed checkpoint
///
/// Without a key and a checkpoint that were kept elsewhere this shows damage, but not a rewriting by somebody who
/// holds the log's signing key.
#[derive(clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    log: Log,
    /// The log's public key, kept elsewhere, as `consentry audit head` prints it
    #[arg(long, value_name = "KEY", value_parser = public_key)]
    public_key: Option<PublicKey>,
    /// A file with a signed checkpoint, kept elsewhere
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::parse(text.trim()).ok_or_else(|| "a public key is written NAME+ID+KEY".to_owned())
}

impl Verify {
    pub(super) fn run(&self) -> Result<Exit, Stop> {
        let mut options = VerifyOptions::default();
        options.public_key.clone_from(&self.public_key);
        if let Some(path) = &self.checkpoint {
            let note = std::fs::read_to_string(path).map_err(|e| {
                let what = format!("{} cannot be read: {}", path.display(), io_words(&e));
                Stop::because(Exit::UNREADABLE, what)
            })?;
            options.checkpoint = Some(note);
        }
        let mut report = verify(&self.log.log, &options);
        self.name_the_culprit(&mut report, options.checkpoint.as_deref());
        match self.format {
            Format::Text => output::say(&tell(&report))?,
            Format::Json => output::say_json(&to_json(&report))?,
        }
        Ok(match report.status {
            VerifyStatus::Ok => Exit::OK,
            VerifyStatus::Incomplete => Exit::UNASKED,
            VerifyStatus::Integrity => Exit::INTEGRITY,
            VerifyStatus::Unreadable => Exit::UNREADABLE,
        })
    }
}

impl Verify {
    /// When only what was brought does not fit, that is what the report names, and no file of the log.
    fn name_the_culprit(&self, report: &mut VerifyReport, note: Option<&str>) {
        let Some(first) = &mut report.first_failure else { return };
        if report.status == VerifyStatus::Unreadable && super::is_no_log(&self.log.log) {
            first.what = super::no_log(&self.log.log);
            return;
        }
        let (Some(path), Some(note)) = (&self.checkpoint, note) else { return };
        let in_the_identity =
            first.offset.is_none() && first.file.file_name().is_some_and(|name| name == "log.json");
        let of_this_log = || Reader::open(&self.log.log).map(|r| r.public_key().verify(note).is_some());
        if in_the_identity && matches!(of_this_log(), Ok(false)) {
            first.file.clone_from(path);
            first.what = "the checkpoint you brought is not this log's".to_owned();
        }
    }
}

/// The report in words.
pub(crate) fn tell(report: &VerifyReport) -> String {
    let headline = match report.status {
        VerifyStatus::Ok => format!("{}: {}", paint(GOOD, "ok"), held(report)),
        VerifyStatus::Incomplete => {
            format!(
                "{}: what is there holds, its end was cut short as a crash does",
                paint(FAIR, "incomplete")
            )
        }
        VerifyStatus::Integrity => format!(
            "{}: something was changed, removed, added or reordered",
            paint(ERROR, "integrity failure")
        ),
        VerifyStatus::Unreadable => {
            format!("{}: there is no log, or it cannot be read", paint(ERROR, "unreadable"))
        }
    };
    let mut table = Table::bare();
    let mut fact = |name: &str, value: String| table.row([(DIM, name.to_owned()), (PLAIN, value)]);
    if let Some(origin) = &report.origin {
        fact("log", origin.clone());
    }
    let failed = match report.status {
        VerifyStatus::Integrity | VerifyStatus::Unreadable => true,
        VerifyStatus::Ok | VerifyStatus::Incomplete => false,
    };
    if failed {
        fact(
            "records read before the failure",
            format!("{}; signed {}", report.records, report.signed_records),
        );
    } else {
        fact(
            "records",
            format!("{}, of which {} under a signed checkpoint", report.records, report.signed_records),
        );
    }
    if let Some(root) = &report.root {
        fact("root", hex(root));
    }
    if !failed {
        fact("segments", report.segments.to_string());
    }
    fact("checkpoints", report.checkpoints.to_string());
    fact("open tickets", report.tickets_open.to_string());
    if let Some(first) = &report.first_failure {
        fact("first failure", first.what.clone());
        let offset = first.offset.map(|o| format!(", byte {o}")).unwrap_or_default();
        let seq = first.seq.map(|s| format!(", record {s}")).unwrap_or_default();
        fact("at", format!("{}{offset}{seq}", first.file.display()));
    }
    format!("{headline}\n{}", table.render(0, output::width()))
}

/// What was found to hold, and of how much of it that can be said.
fn held(report: &VerifyReport) -> String {
    let unsigned = report.records.saturating_sub(report.signed_records);
    if unsigned == 0 {
        return "every record is as it was written".to_owned();
    }
    format!(
        "the {} signed records are as they were written; the {unsigned} after the last checkpoint hang together but \
         nothing signs them yet",
        report.signed_records
    )
}

fn to_json(report: &VerifyReport) -> Value {
    let failure = report.first_failure.as_ref().map(|first| {
        json!({
            "file": first.file.display().to_string(),
            "offset": first.offset,
            "record": first.seq,
            "what": first.what,
        })
    });
    json!({
        "status": match report.status {
            VerifyStatus::Ok => "ok",
            VerifyStatus::Incomplete => "incomplete",
            VerifyStatus::Integrity => "integrity",
            VerifyStatus::Unreadable => "unreadable",
        },
        "origin": report.origin,
        "records": report.records,
        "signed_records": report.signed_records,
        "root": report.root.as_ref().map(|root| hex(root)),
        "segments": report.segments,
        "checkpoints": report.checkpoints,
        "tickets_open": report.tickets_open,
        "first_failure": failure,
    })
}

//! `consentry clauses`: what became of every sentence of the policy.

mod html;
mod json;
mod text;
mod view;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use consentry_policy::{Coverage, Document};

use self::view::View;
use crate::bundle::Checked;
use crate::output;
use crate::stop::{Exit, Stop, io_words};

/// How large a document may be, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  consentry clauses policies/panopta
  consentry clauses policies/panopta --document policy.txt
  consentry clauses policies/panopta --document policy.txt --format html --output report.html
  consentry clauses policies/panopta --document policy.txt --write
  consentry clauses policies/panopta --format json | jq '.clauses[] | select(.status == \"pending\")'

Exit codes:
  0 listed, and every fingerprint is found   1 the bundle has errors, a clause's sentence has changed or
  is gone, or (--strict) no clause covers a sentence   2 the bundle or the document cannot be read";

/// List a policy's clauses, what became of each, and what enforces it
///
/// With --document the clauses are held against the policy's own text: which clauses rest on each sentence, which
/// sentences no clause covers, and which clauses rest on a sentence that has changed since somebody last read it. The
/// bundle holds fingerprints of sentences and none of their words; the document stays with whoever has it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The policy's text, as plain text in UTF-8
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Write the answer to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Fill in the fingerprints of clauses that have none, and of those whose sentence has changed
    ///
    /// Of the sentences on a clause's line those are taken that share most words with what the clause says. What stands
    /// is left as it is, so a choice that was set right by hand stays. No word of the document is written.
    #[arg(long, requires = "document")]
    write: bool,
    /// Fail when no clause covers a sentence
    #[arg(long, requires = "document")]
    strict: bool,
}

/// In which form the report is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For terminals.
    #[default]
    Text,
    /// For programs.
    Json,
    /// A page for people who do not use terminals; it needs no other file and no network.
    Html,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut checked = Checked::need(&args.bundle)?;
    let document = args.document.as_deref().map(read_document).transpose()?;
    if let Some(document) = document.as_ref().filter(|_| args.write) {
        write::fingerprints(&args.bundle, &checked, document)?;
        checked = Checked::need(&args.bundle)?;
    }
    let bundle = checked.bundle();
    let coverage = document.as_ref().map(|document| Coverage::of(bundle, document));
    let name = args.document.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let view = View { bundle, coverage: coverage.as_ref(), document: name.as_deref() };
    let (text, is_for_terminals) = match args.format {
        Form::Text => (text::report(&view, output::width()), true),
        Form::Json => (json::report(&view)?, false),
        Form::Html => (html::report(&view), false),
    };
    match &args.output {
        Some(file) => {
            let plain = if is_for_terminals { anstream::adapter::strip_str(&text).to_string() } else { text };
            fs::write(file, plain).map_err(|error| {
                let what = format!("{} cannot be written: {}", file.display(), io_words(&error));
                Stop::because(Exit::UNASKED, what)
            })?;
            output::note(&format!("wrote {}", file.display()));
        }
        None if is_for_terminals => output::say(&text)?,
        None => output::say_bytes(text.as_bytes())?,
    }
    Ok(coverage.map_or(Exit::OK, |coverage| exit(&coverage, args.strict)))
}

fn exit(coverage: &Coverage<'_>, strict: bool) -> Exit {
    let totals = coverage.totals();
    if totals.changed > 0 || (strict && totals.uncovered > 0) { Exit::NO } else { Exit::OK }
}

fn read_document(file: &Path) -> Result<Document, Stop> {
    let stop = |why: String| {
        let what = format!("the document {} cannot be read: {why}", file.display());
        Stop::because(Exit::UNASKED, what).help("it is read as plain text in UTF-8, of at most 4 MiB")
    };
    let meta = fs::metadata(file).map_err(|error| stop(io_words(&error)))?;
    if !meta.is_file() || meta.len() > DOCUMENT_BYTES_MAX {
        return Err(stop("it is no file, or too large".to_owned()));
    }
    let text = fs::read_to_string(file).map_err(|error| stop(io_words(&error)))?;
    let document = Document::read(&text);
    if document.sentences().is_empty() {
        return Err(stop("no sentence stands in it".to_owned()));
    }
    Ok(document)
}

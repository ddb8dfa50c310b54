//! `consentry explain`: what the rules say to one request, data class by data class.

mod condition;
mod known;
mod story;
mod tell;

use std::path::PathBuf;

use consentry_model::{Moment, Purpose};

use crate::args::{Format, read};
use crate::bundle::Checked;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry explain policies/panopta --requester newsletter-svc \\
      --purpose marketing.communications.email --route \"GET /mailing-list\" --given \\
      \"ann gave opt-in consent to marketing.communications.email on 2026-01-01\"
  consentry explain policies/panopta --requester support \\
      --purpose essential.service.operations --route \"GET /customers/{id}\" \\
      --given \"ann has a contract since 2025-01-01\" --about ann --about bob

Sentences are those of cases; a wrong one shows the nearest right one.

Exit codes:
  0 explained   1 the bundle or a sentence has errors   2 no such route, requester or fact";

/// Say, for each data class of a request, what the rules decide, which spoke, and what would change it
///
/// Nothing is asked and nothing recorded: the ledger is what `--given` says. A person named by `--about` alone is
/// somebody whom the ledger knows and holds nothing about; without any person, it is somebody it does not know.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Who asks: a requester that the bundle registers, or `anyone`
    #[arg(long, value_name = "NAME")]
    requester: String,
    /// Why; may be left out where the route fixes it
    #[arg(long, value_name = "PURPOSE", value_parser = read::purpose)]
    purpose: Option<Purpose>,
    /// The route, as the bundle writes it
    #[arg(long, value_name = "ROUTE")]
    route: String,
    /// To whom the request goes on, where the path names it
    #[arg(long, value_name = "RECIPIENT")]
    to: Option<String>,
    /// What the ledger holds: a sentence as in cases; can be repeated
    #[arg(long, value_name = "SENTENCE")]
    given: Vec<String>,
    /// Whom it is about; everybody named in `--given` when nothing is said; can be repeated
    #[arg(long, value_name = "PERSON")]
    about: Vec<String>,
    /// The requester is that person, proved by the token
    #[arg(long)]
    own: bool,
    /// A fact of the request, as `request.gpc=true`; can be repeated
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// On this day, or at this time; now when nothing is said
    #[arg(long, value_name = "TIME", value_parser = output::read_moment)]
    at: Option<Moment>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let checked = Checked::need(&args.bundle)?;
    let story = story::Story::read(args, &checked)?;
    let answers = story.answers(&checked.engine);
    match args.format {
        Format::Text => tell::text(&story, checked.bundle(), &answers)?,
        Format::Json => output::say_json(&tell::json(&story, checked.bundle(), &answers))?,
    }
    Ok(Exit::OK)
}

//! `consentry token`: a token for development.

use std::path::PathBuf;

use consentry_identity::{Assurance, Issuer, TokenSpec};
use consentry_model::{Identifier, Purpose, RequesterId};

use crate::args::read;
use crate::output;
use crate::stop::{Exit, Stop, chain, io_words};

const EXAMPLES: &str = "\
Examples:
  consentry token --key dev-key.pem --requester support --purpose essential.service.operations
  consentry token --key dev-key.pem --requester customer-portal --purpose custom.rights \\
      --person customer:c-1001 --assurance substantial
  curl -H 'Data-Purpose: essential.service.operations' -H \"Authorization: Bearer $( \\
      consentry token --key dev-key.pem --requester support \\
      --purpose essential.service.operations)\" http://localhost:8080/customers/c-1001

Exit codes:
  0 printed   2 a mistake in the call, or the key cannot be read";

/// Sign a token for development, with a key of `consentry keygen`
///
/// For development: it asks nobody for a password. In production an identity provider issues tokens.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The private key, as PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who calls: a requester that the bundle registers
    #[arg(long, value_name = "NAME")]
    requester: String,
    /// A purpose that it may declare, with everything below; can be repeated
    #[arg(long = "purpose", value_name = "PURPOSE", value_parser = read::purpose)]
    purposes: Vec<Purpose>,
    /// On whose behalf
    #[arg(long, value_name = "SPACE:ID", value_parser = read::identifier)]
    person: Option<Identifier>,
    /// How well that person was identified: none, low, substantial, high
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = assurance)]
    assurance: Assurance,
    /// `iss`
    #[arg(long, value_name = "URL", default_value = "https://issuer.consentry.test")]
    issuer: String,
    /// `aud`
    #[arg(long, value_name = "URL", default_value = "https://api.consentry.test")]
    audience: String,
    /// How long it holds, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(i64).range(1..=86_400))]
    lifetime: i64,
}

fn assurance(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text).ok_or_else(|| "it is one of none, low, substantial, high".to_owned())
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let pem = std::fs::read_to_string(&args.key).map_err(|e| {
        Stop::because(Exit::UNASKED, format!("{} cannot be read: {}", args.key.display(), io_words(&e)))
    })?;
    let unusable = |e| Stop::because(Exit::UNASKED, format!("{}: {}", args.key.display(), chain(&e)));
    let issuer = Issuer::from_pem(&pem).map_err(unusable)?;
    let mut spec = TokenSpec::new(RequesterId::new(&args.requester), &args.issuer, &args.audience);
    spec.purposes.clone_from(&args.purposes);
    spec.person.clone_from(&args.person);
    spec.assurance = args.assurance;
    spec.lifetime_secs = args.lifetime;
    let token = issuer.token(&spec, output::now()).map_err(unusable)?;
    output::say(&token)?;
    output::note("a token for development only");
    if args.purposes.is_empty() {
        output::note(
            "it carries no purpose: nothing can be asked with it that needs one; --purpose adds one",
        );
    }
    Ok(Exit::OK)
}

//! The command line.

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry demo                                   see all of it at work, here and now
  consentry init policies/mine                     write a small bundle to begin with
  consentry check policies/mine                    read it as a compiler would
  consentry test policies/mine                     run its cases
  consentry seal policies/mine                     seal it, so that it can be served
  consentry serve --config consentry.yaml          run the sidecar
  consentry audit verify --log /var/lib/consentry/evidence

Exit codes:
  0 yes, done   1 no: wrong, failed, not there   2 a mistake in the call, or nothing to read
  `consentry audit` has two more: 3 integrity (verify), 4 unreadable; verify's 2 is also a log whose
  end was cut short.";

/// Enforces a published privacy policy on every HTTP request.
///
/// Consentry works out whose data a request touches, for which purpose and for which recipient, asks the rules and
/// that person's own consents, then lets the data through, redacts it or refuses, and leaves evidence that can be
/// checked without trusting the server.
#[derive(Parser)]
#[command(name = "consentry", version, after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(commands::check::Args),
    Test(commands::test::Args),
    Clauses(commands::clauses::Args),
    Policy(commands::policy::Args),
    Explain(commands::explain::Args),
    Impact(commands::impact::Args),
    Prove(commands::prove::Args),
    Seal(commands::seal::Args),
    Init(commands::init::Args),
    Consent(commands::consent::Args),
    Audit(commands::audit::Args),
    Serve(commands::serve::Args),
    Demo(commands::demo::Args),
    Keygen(commands::keygen::Args),
    Token(commands::token::Args),
    Completions(commands::completions::Args),
}

impl Cli {
    pub(crate) fn run(&self) -> Result<Exit, Stop> {
        match &self.command {
            Command::Check(args) => commands::check::run(args),
            Command::Test(args) => commands::test::run(args),
            Command::Clauses(args) => commands::clauses::run(args),
            Command::Policy(args) => commands::policy::run(args),
            Command::Explain(args) => commands::explain::run(args),
            Command::Impact(args) => commands::impact::run(args),
            Command::Prove(args) => commands::prove::run(args),
            Command::Seal(args) => commands::seal::run(args),
            Command::Init(args) => commands::init::run(args),
            Command::Consent(args) => commands::consent::run(args),
            Command::Audit(args) => commands::audit::run(args),
            Command::Serve(args) => commands::serve::run(args),
            Command::Demo(args) => commands::demo::run(args),
            Command::Keygen(args) => commands::keygen::run(args),
            Command::Token(args) => commands::token::run(args),
            Command::Completions(args) => commands::completions::run(args),
        }
    }
}

/// In which form an answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Readers of single arguments, and what they say about a wrong one.
pub(crate) mod read {
    use consentry_model::{ConsentKind, Identifier, Purpose, Reason, Space, SubjectRef};

    pub(crate) fn purpose(text: &str) -> Result<Purpose, String> {
        Purpose::new(text).map_err(|e| e.to_string())
    }

    pub(crate) fn kind(text: &str) -> Result<ConsentKind, String> {
        one_of(text, ConsentKind::parse(text), ConsentKind::ALL.map(ConsentKind::code).as_slice())
    }

    /// What became of a request, in the words of `consentry audit search`.
    pub(crate) fn shown_outcome(text: &str) -> Result<&'static str, String> {
        let all = ["allow", "redact", "refuse", "failed", "abandoned", "undecided"];
        one_of(text, all.into_iter().find(|word| *word == text), &all)
    }

    pub(crate) fn reason(text: &str) -> Result<Reason, String> {
        if text == "not-permitted" {
            return Err("not-permitted is what callers are told; search by the record id instead: \
                        consentry audit show INSTANCE"
                .to_owned());
        }
        let codes: Vec<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        one_of(text, Reason::parse(text), &codes)
    }

    pub(crate) fn subject_ref(text: &str) -> Result<SubjectRef, String> {
        SubjectRef::parse(text).ok_or_else(|| {
            "a subject's reference has 32 lower-case hex digits; consentry consent show prints the reference"
                .to_owned()
        })
    }

    /// `SPACE:ID`. The id may hold colons, the space may not.
    pub(crate) fn identifier(text: &str) -> Result<Identifier, String> {
        let wrong =
            || "a subject is written SPACE:ID, as customer:c-1001 or email:ann@example.org".to_owned();
        let (space, id) = text.split_once(':').ok_or_else(wrong)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
        if space.is_empty() || id.is_empty() || !space.bytes().all(plain) || id.chars().any(char::is_control)
        {
            return Err(wrong());
        }
        Ok(Identifier::new(Space::new(space), id))
    }

    fn one_of<T>(_given: &str, read: Option<T>, known: &[&str]) -> Result<T, String> {
        read.ok_or_else(|| format!("it is one of {}", known.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}

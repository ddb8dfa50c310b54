//! `consentry serve`: runs the sidecar.

use std::path::PathBuf;

use clap::ValueEnum;
use consentry_proxy::{Config, ConfigError, ServeError};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry serve --config consentry.yaml
  consentry serve --config consentry.yaml --check
  RUST_LOG=consentry_proxy=debug consentry serve --config consentry.yaml --log-format json

SIGTERM and SIGINT drain and stop; SIGHUP has bundle, keys and certificates looked at. Logs go to standard error.

Exit codes:
  0 stopped after a drain, or what --check looks at holds   1 it does not start   2 a mistake in the call";

/// Run the sidecar in front of a service
///
/// Everything that the configuration names is opened and checked before a port is bound. The bundle must be sealed.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only check the configuration, the bundle, the keys and the certificates; nothing is made or opened for writing
    #[arg(long)]
    check: bool,
    /// The form of the logs
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    log_format: LogFormat,
}

/// What the targets of our own logs begin with. We know what ours say at every level; libraries that see requests print
/// heads and paths at their most talkative.
const OURS: &str = "consentry";

/// In which form logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    // A file that is not there is nothing to read; one that is wrong is.
    let exit = |error: &ConfigError| if error.problems().is_empty() { Exit::UNASKED } else { Exit::NO };
    let config = Config::load(&args.config).map_err(|error| Stop::because(exit(&error), error))?;
    let named = |e: ServeError| {
        Stop::because(
            Exit::NO,
            format!("{}: the sidecar does not start\n{}", args.config.display(), indent(&e.to_string())),
        )
    };
    if args.check {
        crate::runtime::multi_thread()?.block_on(consentry_proxy::check(&config)).map_err(named)?;
        let upstream = &config.upstream.authority;
        output::say(&format!("ok {}: {} in front of {upstream}", args.config.display(), config.listen))?;
        return Ok(Exit::OK);
    }
    logs(args.log_format)?;
    consentry_proxy::tell_panics_by_place();
    crate::runtime::multi_thread()?.block_on(async {
        let stop = consentry_proxy::stop_signal().map_err(named)?;
        let report = consentry_proxy::serve(config, stop).await.map_err(named)?;
        let lost = report.closings_lost;
        if lost > 0 {
            output::note(&format!(
                "the last records of {lost} requests are lost: the evidence log could not be written"
            ));
        }
        Ok(Exit::OK)
    })
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn logs(format: LogFormat) -> Result<(), Stop> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(|e| Stop::because(Exit::NO, format!("RUST_LOG cannot be read: {e}")))?;
    // A limit beside what was asked for, which therefore no directive can lift, however exactly it names its target.
    let quiet = filter_fn(|of| *of.level() <= LevelFilter::INFO || of.target().starts_with(OURS));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => {
            use std::io::IsTerminal as _;
            lines.with_ansi(std::io::stderr().is_terminal()).boxed()
        }
        LogFormat::Json => lines.json().boxed(),
    };
    let set = tracing_subscriber::registry().with(lines).with(filter).with(quiet).try_init();
    set.map_err(|e| Stop::because(Exit::NO, format!("logs cannot be written: {e}")))
}

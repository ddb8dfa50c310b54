//! `consentry demo`: everything at work, on this machine, in seconds.

mod ask;
mod client;
mod evidence;
mod people;
mod place;
mod report;
mod script;

use std::path::PathBuf;

use consentry_audit::{VerifyOptions, VerifyStatus, verify};

use self::place::{Place, Stage};
use crate::commands::audit::report_in_words;
use crate::output::{self, BOLD, DIM, ERROR, GOOD, NAME, count, paint};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry demo
  consentry demo --keep            leave it running, with curl lines to try
  consentry demo --dir ./demo      keep bundle, ledger, evidence and keys there

Exit codes:
  0 every request got what it should   1 some did not";

/// Show all of it at work: a legacy API, the sidecar in front, a real policy, real requests, real evidence
///
/// Starts an ordinary JSON API that knows nothing of privacy, seals a copy of a bundle that enforces a published
/// policy, puts the sidecar in front, records what some people agreed to, and sends requests over HTTP. Whatever is
/// printed is read from the responses and from the evidence log. All people are made up. Nothing but the loopback
/// address is used.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Leave everything running until Ctrl-C, and print curl lines to try
    #[arg(long)]
    keep: bool,
    /// Where bundle, ledger, evidence, keys and configuration go, and stay; a temporary folder when nothing is said
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    crate::runtime::multi_thread()?.block_on(play(args))
}

async fn play(args: &Args) -> Result<Exit, Stop> {
    let place = Place::make(args.dir.as_deref())?;
    let stage = Stage::set(&place).await?;
    people::record(&stage.ledger).await?;
    output::say(&head(&stage))?;
    let mut score = Score::default();
    for (group, asks) in script::acts() {
        output::say(&format!("\n{}", paint(BOLD, group)))?;
        for ask in &asks {
            score.add(&stage.ask(ask).await?)?;
        }
    }
    before_and_after(&stage, &mut score).await?;
    if args.keep {
        stage.flush().await;
        evidence::all_signed(&place.dir().join("evidence")).await;
        let verdict = told_and_verified(&place, &score)?;
        keep(&stage).await?;
        stage.close().await;
        return Ok(verdict);
    }
    stage.close().await;
    evidence::all_signed(&place.dir().join("evidence")).await;
    told_and_verified(&place, &score)
}

/// How many requests there were, and how many did not get what they should.
#[derive(Default)]
struct Score {
    asked: usize,
    wrong: usize,
}

impl Score {
    fn add(&mut self, played: &report::Played) -> Result<(), Stop> {
        self.asked += 1;
        let mismatches = played.mismatches();
        self.wrong += usize::from(!mismatches.is_empty());
        output::say(&played.row(self.asked, &mismatches))
    }
}

fn head(stage: &Stage) -> String {
    let mut table = output::Table::bare();
    for (name, value) in [
        ("policy", format!("{} {}, sealed {}", stage.controller, stage.version, &stage.digest)),
        ("service", format!("http://{}, which asks nobody who they are", stage.legacy)),
        ("sidecar", format!("http://{}, in front of it", stage.running.addr())),
        ("files", stage.dir.display().to_string()),
    ] {
        table.row([(DIM, name.to_owned()), (output::PLAIN, value)]);
    }
    table.render(0, usize::MAX)
}

/// The same request before and after one person changes her mind.
async fn before_and_after(stage: &Stage, score: &mut Score) -> Result<(), Stop> {
    let reader = people::WHO_CHANGES_HER_MIND;
    output::say(&format!(
        "\n{}",
        paint(BOLD, "One reader takes her consent back, and the same request is sent again")
    ))?;
    let before = stage.ask(&script::newsletter(people::READERS_WHO_AGREED)).await?;
    score.add(&before)?;
    people::withdraw(&stage.ledger).await?;
    let after = stage.ask(&script::newsletter(people::READERS_WHO_AGREED - 1)).await?;
    score.add(&after)?;
    let there = |played: &report::Played| {
        if played.answer.body_holds(reader) { "in the answer" } else { "not in it" }
    };
    let line = format!(
        "    {} rows, {} {} → {} rows, {} {}",
        before.rows(),
        paint(NAME, reader),
        there(&before),
        after.rows(),
        paint(NAME, reader),
        there(&after)
    );
    if !before.answer.body_holds(reader) || after.answer.body_holds(reader) {
        score.wrong += 1;
    }
    output::say(&line)
}

fn told_and_verified(place: &Place, score: &Score) -> Result<Exit, Stop> {
    let report = verify(&place.dir().join("evidence"), &VerifyOptions::default());
    output::say(&format!("\n{}\n{}", paint(BOLD, "The evidence"), report_in_words(&report)))?;
    let holds = report.status == VerifyStatus::Ok;
    let asked = count(score.asked, "request");
    if score.wrong == 0 && holds {
        output::say(&format!("{}: {asked}, and each got what the policy says", paint(GOOD, "ok")))?;
        return Ok(Exit::OK);
    }
    let wrong = format!("{asked}, {} of which did not get what they should", score.wrong);
    output::say(&format!("{}: {wrong}", paint(ERROR, "failed")))?;
    Ok(Exit::NO)
}

async fn keep(stage: &Stage) -> Result<(), Stop> {
    let stopped = consentry_proxy::stop_signal().map_err(|e| Stop::because(Exit::NO, e))?;
    let addr = stage.running.addr();
    output::say(&format!(
        "\n{}",
        paint(BOLD, "Try it (the tokens hold for an hour), and end it with Ctrl-C")
    ))?;
    for ask in script::to_try() {
        let bearer =
            stage.token(&ask)?.map(|t| format!(" -H 'Authorization: Bearer {t}'")).unwrap_or_default();
        let why = ask.why.map(|p| format!(" -H 'Data-Purpose: {p}'")).unwrap_or_default();
        output::say(&format!("\n{}\ncurl -i{bearer}{why} 'http://{addr}{}'", paint(DIM, ask.who), ask.path))?;
    }
    let dir = stage.dir.display();
    output::say(&format!("\nconsentry audit search --log {dir}/evidence --limit 5"))?;
    output::say(&format!("curl http://{}/status", stage.running.admin_addr()))?;
    stopped.await;
    Ok(())
}

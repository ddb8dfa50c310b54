//! Loading a bundle as every command does: sealed or not, checked, compiled.

use std::io;
use std::path::Path;

use consentry_model::Purpose;
use consentry_policy::{Bundle, ClauseStatus, Diagnostics, Engine, EngineError, Origin, Sources};

use crate::output::{self, count};
use crate::stop::{Exit, Stop, chain, io_words};

/// A bundle that holds.
pub(crate) struct Checked {
    /// Its files as they were read.
    pub(crate) sources: Sources,
    /// The bundle, compiled.
    pub(crate) engine: Engine,
}

/// Why a bundle does not hold.
pub(crate) enum Wrong {
    /// The folder or a file cannot be read.
    Unreadable(io::Error),
    /// It says something wrong.
    Found(Box<Diagnostics>),
    /// The compiled policies do not pass strict validation: a fault of the compiler, told as it is.
    Uncompiled(EngineError),
}

impl Checked {
    /// Reads, checks and compiles the bundle in a folder.
    pub(crate) fn load(dir: &Path) -> Result<Self, Wrong> {
        let sources = Sources::read(dir).map_err(Wrong::Unreadable)?;
        Self::compile(sources)
    }

    /// Checks and compiles sources.
    pub(crate) fn compile(sources: Sources) -> Result<Self, Wrong> {
        let bundle = Bundle::read(&sources).map_err(Wrong::Found)?;
        let engine = Engine::new(bundle).map_err(Wrong::Uncompiled)?;
        Ok(Self { sources, engine })
    }

    /// The same for commands that need the bundle and are not about its faults: those go to standard error.
    pub(crate) fn need(dir: &Path) -> Result<Self, Stop> {
        let checked = Self::load(dir).map_err(|wrong| wrong.stop(dir))?;
        let warnings = &checked.bundle().warnings;
        if warnings.counts() != (0, 0) {
            output::note(&warnings.render(true));
        }
        Ok(checked)
    }

    /// The bundle.
    pub(crate) fn bundle(&self) -> &Bundle {
        self.engine.bundle()
    }

    /// What it holds, in one line.
    pub(crate) fn summary(&self) -> String {
        let bundle = self.bundle();
        let n = Counts::of(bundle);
        format!(
            "{} {}: {}, {}, {}: {} enforced, {} partly, {} pending, {} organisational; {}",
            bundle.controller,
            bundle.version,
            count(n.rules, "rule"),
            count(bundle.service.routes.len(), "route"),
            count(bundle.clauses.len(), "clause"),
            n.enforced,
            n.partly,
            n.pending,
            n.organisational,
            count(bundle.cases.len(), "case"),
        )
    }
}

impl Wrong {
    /// Says it on standard error.
    pub(crate) fn stop(self, dir: &Path) -> Stop {
        match self {
            Self::Unreadable(error) => {
                let what = format!("the bundle {} cannot be read: {}", dir.display(), io_words(&error));
                Stop::because(Exit::UNASKED, what)
                    .help("a bundle is a folder with *.yaml files; `consentry init DIR` writes one")
            }
            Self::Found(found) => {
                output::note(&found.render(true));
                let (errors, _) = found.counts();
                Stop::because(Exit::NO, format!("{}: {}", dir.display(), count(errors, "error")))
            }
            Self::Uncompiled(error) => {
                Stop::because(Exit::NO, format!("{}: {}", dir.display(), chain(&error)))
            }
        }
    }
}

/// The known word nearest to a typo, if one is near enough.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known.into_iter().map(|k| (strsim::jaro_winkler(word, k), k));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, k)| k)
}

/// What was meant by a purpose that the bundle, or the shipped vocabulary, does not know: what the reader of bundles
/// says to a rule that names it.
pub(crate) fn meant(purpose: &Purpose, bundle: Option<&Checked>) -> Option<String> {
    const ASKED: &str = "asked-on-the-command-line.yaml";
    let rule = format!("rules:\n  - id: asked\n    permit: {purpose}\n    data: any\n    basis: contract\n");
    let own = bundle.into_iter().flat_map(|b| b.sources.iter());
    let found = Bundle::read(&Sources::from_texts(own.chain([(ASKED, rule.as_str())]))).err()?;
    let said = found.iter().find(|d| d.code == "unknown-purpose")?;
    said.help.clone().filter(|help| help.starts_with("did you mean"))
}

/// How many there are of what.
pub(crate) struct Counts {
    /// Rules of the bundle itself, without the core's.
    pub(crate) rules: usize,
    /// Clauses that rules hold fully.
    pub(crate) enforced: usize,
    /// Clauses that they hold as far as can be seen here.
    pub(crate) partly: usize,
    /// Clauses whose mechanism does not exist yet.
    pub(crate) pending: usize,
    /// Clauses for people alone.
    pub(crate) organisational: usize,
}

impl Counts {
    /// Counts.
    pub(crate) fn of(bundle: &Bundle) -> Self {
        let clauses = |code: &str| bundle.clauses.iter().filter(|c| c.status.code() == code).count();
        Self {
            rules: bundle.rules.iter().filter(|r| r.origin == Origin::Bundle).count(),
            enforced: clauses(ClauseStatus::Enforced.code()),
            partly: clauses(ClauseStatus::Partly(String::new()).code()),
            pending: clauses(ClauseStatus::Pending(String::new()).code()),
            organisational: clauses(ClauseStatus::Organisational(String::new()).code()),
        }
    }
}

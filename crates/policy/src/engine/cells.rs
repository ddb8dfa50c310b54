//! The short way to a decision: the cell of a question is looked up once, the fact word is worked out once for one
//! person, and each decision is then a few masks and values.

use std::sync::Arc;

use consentry_model::{Facts, Moment, Reason, RuleId, SubjectType, Treatment, Verdict};

use super::bits::Bits;
use super::decide::{Engine, Person, Question, with_class};
use super::kept::Kept;
use super::program::{Failed, Found, Program};
use crate::bundle::LEDGER_TYPE;

/// Everything that a bundle's rules can find out about some facts at some time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FactWord(pub(super) Bits);

/// How revealing the answer may be, and which rules determined it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision(Found);

impl Decision {
    /// The most revealing treatment that the rules permit.
    #[must_use]
    pub const fn treatment(&self) -> Treatment {
        self.0.treatment
    }
}

/// One question, compiled: everything but the person and the request is settled.
pub struct Cell {
    pub(super) question: Question,
    pub(super) program: Arc<Program>,
    /// The verdict, by the word and by what colours its reason.
    pub(super) verdicts: Kept<(Bits, Person), Arc<Verdict>>,
    /// Whether anybody's state could make it a yes.
    pub(super) hopeless: Kept<Bits, Option<Reason>>,
}

impl Cell {
    pub(super) fn new(question: Question, program: Arc<Program>) -> Self {
        Self { question, program, verdicts: Kept::default(), hopeless: Kept::default() }
    }

    /// The question.
    #[must_use]
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// The rules that determined a decision of this cell, in the bundle's order.
    pub fn rules(&self, decision: &Decision) -> impl Iterator<Item = &RuleId> {
        self.program.named(&decision.0.fired)
    }
}

impl Engine {
    /// The cell of a question; it stays valid for as long as the engine, and may be kept.
    ///
    /// # Errors
    /// The reason to refuse with when there is no such cell: the class is not the bundle's, only the ledger knows its
    /// capacity, nobody receives in that capacity, or the service map cannot ask the question.
    pub fn cell(&self, question: &Question) -> Result<Arc<Cell>, Reason> {
        if let Some(cell) = self.cells.get(question) {
            return Ok(cell);
        }
        let class = self.bundle().service.class(question.class).ok_or(Reason::EvaluationError)?;
        if class.subject_type.as_str() == LEDGER_TYPE {
            return Err(Reason::SubjectTypeUnknown);
        }
        if !self.compiled.knows(question) {
            return Err(Reason::RecipientNotPermitted);
        }
        if self.cells.are_all() {
            return Err(Reason::EvaluationError);
        }
        let steps: Vec<_> = class.ladder.steps().collect();
        let attested = with_class(self.bundle(), &self.facts(), class);
        let program = self.compiler.program(&self.compiled, question, class, attested, &steps);
        Ok(self.cells.keep(Cell::new(question.clone(), program)))
    }

    /// The question for each capacity that a person may have given the data in, where only the ledger knows which;
    /// `None` where the service map says it.
    pub(super) fn for_each_type(&self, question: &Question) -> Option<Vec<Question>> {
        let service = &self.bundle().service;
        let class = service.class(question.class)?;
        (class.subject_type.as_str() == LEDGER_TYPE).then(|| {
            let types = self.bundle().vocabulary.subjects.iter().map(|name| SubjectType::new(name));
            let classes = types.filter_map(|ty| service.class_for(question.class, Some(&ty)));
            classes.map(|class| Question { class, ..question.clone() }).collect()
        })
    }

    /// The fact word of some facts, for every question that is asked on them.
    #[must_use]
    pub fn word(&self, facts: &Facts, now: Moment) -> FactWord {
        FactWord(self.compiler.atoms().word(facts, now))
    }

    /// Decides, with nothing allocated as long as Cedar itself is not needed; `None` when it is needed and fails,
    /// which never permits. The word is that of the facts and the time; these are only for what is left to Cedar.
    #[must_use]
    pub fn decision(&self, cell: &Cell, word: &FactWord, facts: &Facts, now: Moment) -> Option<Decision> {
        cell.program
            .decide(&word.0, |set, treatment| {
                let class = self.bundle().service.class(cell.question.class).ok_or(Failed)?;
                let (bundle, facts) = (self.bundle(), with_class(self.bundle(), facts, class));
                let request = self.compiled.request(bundle, &cell.question, class, treatment, &facts, now);
                self.compiled.fires(set, &request.ok_or(Failed)?)
            })
            .ok()
            .map(Decision)
    }

    /// The verdict for one data class of one person: as [`decide`](Self::decide), with the cell and the word at hand.
    #[must_use]
    pub fn verdict(
        &self,
        cell: &Cell,
        word: &FactWord,
        facts: &Facts,
        person: Person,
        now: Moment,
    ) -> Arc<Verdict> {
        let find = || Arc::new(self.find_verdict(cell, word, facts, &person, now));
        if cell.program.is_beyond() {
            return find();
        }
        cell.verdicts.get_or(&(word.0.clone(), person), find)
    }

    /// Every question that the service map can make, in their order.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        super::reach::questions(self.bundle())
    }

    /// Compiles every cell that the service map can reach, and says how many there are. From then on every other question
    /// is refused. That takes up to a second of a core for a bundle with a hundred thousand cells: call it where one may
    /// wait, before the engine is installed. Half of the cores are left to whoever is being served meanwhile.
    pub fn compile_all(&self) -> usize {
        let questions = self.questions();
        let workers = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2).min(8);
        let share = questions.len().div_ceil(workers).max(1);
        std::thread::scope(|scope| {
            for part in questions.chunks(share) {
                scope.spawn(|| part.iter().for_each(|question| _ = self.cell(question)));
            }
        });
        self.cells.close();
        questions.len()
    }
}

//! What one verdict costs, from the ledger's answer to the treatment, as the ledger grows.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use consentry_consent::{Ledger, MemoryLedger, contract, erased, restricted, standing};
use consentry_model::{
    Act, ClassId, ConsentKind, ContractState, Facts, Identifier, LedgerEvent, Lineage, Moment, Purpose,
    RecipientId, RequesterId, Resolution, Space, SubjectState, Treatment,
};
use consentry_policy::{Bundle, Engine, Person, Question};

use crate::Failure;
use crate::args::Args;
use crate::stats::median;

const NOW: Moment = Moment::from_unix_millis(1_790_000_000_000);
const PURPOSE: &str = "essential.service.operations";
/// How many people one window asks about.
const WINDOWS: [usize; 3] = [1, 100, 200];
const ROUNDS: usize = 7;

/// The engine with everything that one question needs.
struct Asked {
    engine: Engine,
    lineage: Lineage,
    recipient: RecipientId,
    questions: Vec<Question>,
}

/// A ledger of so many people, and what was measured in it, for each size of a window.
struct Row {
    people: usize,
    ledger: MemoryLedger,
    ns: [Vec<f64>; WINDOWS.len()],
}

/// Measures and prints.
pub(crate) fn measure(args: &Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(run(args))
}

async fn run(args: &Args) -> Result<(), Failure> {
    let asked = Asked::new()?;
    let (sizes, time, rounds): (&[usize], _, _) = if args.smoke {
        (&[100, 1_000], Duration::ZERO, 1)
    } else {
        (&[100, 10_000, 100_000], Duration::from_millis(60), ROUNDS)
    };
    let mut rows = Vec::new();
    for &people in sizes {
        rows.push(Row { people, ledger: ledger(people).await?, ns: Default::default() });
    }
    for _ in 0..rounds {
        for row in &mut rows {
            for (size, ns) in WINDOWS.into_iter().zip(&mut row.ns) {
                // A window cannot hold more people than there are.
                if size <= row.people {
                    ns.push(asked.measure(&row.ledger, row.people, size, time).await?);
                }
            }
        }
    }
    print(&rows, asked.questions.len());
    Ok(())
}

fn print(rows: &[Row], classes: usize) {
    println!(
        "One verdict: ledger, standing, facts, decision; {classes} data classes of each person, no evidence"
    );
    println!("ns per verdict, and against the smallest ledger; a window asks equal questions once\n");
    print!("{:>16}", "people in ledger");
    for size in WINDOWS {
        print!("{:>16}{:>8}", format!("window of {size}"), "ratio");
    }
    println!();
    for row in rows {
        print!("{:>16}", row.people);
        for at in 0..WINDOWS.len() {
            let figures =
                rows.iter().filter_map(|r| r.ns.get(at)).find(|ns| !ns.is_empty()).zip(row.ns.get(at));
            match figures {
                Some((smallest, ns)) if !ns.is_empty() => {
                    let [smallest, ns] = [smallest, ns].map(|ns| median(ns.iter().copied()));
                    print!("{ns:>16.0}{:>8.2}", ns / smallest);
                }
                Some(_) | None => print!("{:>16}{:>8}", "-", "-"),
            }
        }
        println!();
    }
}

/// Five kinds in equal parts: customers, former ones, people with nothing recorded, restricted and erased ones.
async fn ledger(people: usize) -> Result<MemoryLedger, Failure> {
    let ledger = MemoryLedger::new();
    let then = NOW.saturating_add_millis(-1_000_000);
    let signed = |state| LedgerEvent::Contract { state, effective: then };
    for person in 0..people {
        let events = match person / 7 % 5 {
            0 => vec![signed(ContractState::Active)],
            1 => vec![signed(ContractState::Active), signed(ContractState::Ended)],
            2 => vec![],
            3 => vec![signed(ContractState::Active), LedgerEvent::Restriction { on: true, effective: then }],
            _ => vec![LedgerEvent::Erasure { effective: then }],
        };
        ledger.append(&name(person), &events, then).await?;
    }
    Ok(ledger)
}

fn name(person: usize) -> Identifier {
    Identifier::new(Space::new("customer"), &format!("c-{person}"))
}

impl Asked {
    fn new() -> Result<Self, Failure> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/panopta"));
        let engine = Engine::new(Bundle::load(folder)?)?;
        let purpose = Purpose::new(PURPOSE)?;
        let lineage = engine.bundle().vocabulary.lineage(&purpose).ok_or("the purpose is unknown")?;
        let route = engine.bundle().service.find("GET", &["customers", "c-1"]).ok_or("no such route")?.route;
        let recipient = RecipientId::new("internal");
        let question = |class: ClassId| Question {
            requester: RequesterId::new("support"),
            recipient: recipient.clone(),
            act: Act::Read,
            purpose: purpose.clone(),
            class,
        };
        let questions = route.response_classes().into_iter().map(question).collect();
        Ok(Self { engine, lineage, recipient, questions })
    }

    /// Nanoseconds per verdict, over windows of other people each time.
    async fn measure(
        &self,
        ledger: &MemoryLedger,
        people: usize,
        size: usize,
        time: Duration,
    ) -> Result<f64, Failure> {
        let (mut took, mut windows, mut clear) = (Duration::ZERO, 0_u32, 0);
        // However slow, a few windows.
        while took < time || windows < 5 {
            let first = usize::try_from(windows)? * 31;
            let window: Vec<Identifier> =
                (0..size).map(|at| name((first + at * (people / size)) % people)).collect();
            let start = Instant::now();
            clear += self.window(ledger, &window).await?;
            took += start.elapsed();
            windows += 1;
        }
        let verdicts = f64::from(windows) * f64::from(u32::try_from(size * self.questions.len())?);
        let all = u64::from(windows) * u64::try_from(size * self.questions.len())?;
        if clear == 0 || clear >= all {
            return Err("the verdicts are not those of a mixed ledger".into());
        }
        #[allow(clippy::cast_precision_loss, reason = "a measurement lasts well below 2^52 nanoseconds")]
        let ns = took.as_nanos() as f64;
        Ok(ns / verdicts)
    }

    /// Decides a whole window, and says how much of it was clear.
    async fn window(&self, ledger: &MemoryLedger, people: &[Identifier]) -> Result<u64, Failure> {
        let batch = ledger.resolve(people).await?;
        let mut clear = 0;
        for answer in &batch.answers {
            let Resolution::Known(state) = answer else { return Err("somebody is not in the ledger".into()) };
            let (facts, person) = self.facts(state);
            for question in &self.questions {
                let verdict = self.engine.decide(question, &facts, person, NOW);
                clear += u64::from(black_box(verdict).treatment == Treatment::Clear);
            }
        }
        Ok(clear)
    }

    /// What the layer makes of the ledger's answer.
    fn facts(&self, state: &SubjectState) -> (Facts, Person) {
        let bundle = self.engine.bundle();
        let (core, schema) = (&bundle.facts.core, &bundle.facts.schema);
        let matches =
            |named: &RecipientId| bundle.vocabulary.recipient_is(self.recipient.as_str(), named.as_str());
        let stands = standing(state, &self.lineage, &matches, NOW);
        let mut facts = self.engine.facts();
        for kind in ConsentKind::ALL {
            facts.set_bool(core.consent_of(kind), stands.kinds.satisfies(kind));
        }
        facts.set_bool(core.own, false);
        facts.set_bool(core.gpc, false);
        facts.set_word(schema, core.assurance, "none");
        facts.set_bool(core.said_no, stands.said_no);
        facts.set_word(schema, core.contract, contract(state, NOW).code());
        facts.set_bool(core.erased, erased(state, NOW));
        facts.set_bool(core.restricted, restricted(state, NOW));
        let consent = stands.recorded.then_some(stands.state);
        (facts, Person { resolved: true, consent, objected: stands.objected })
    }
}

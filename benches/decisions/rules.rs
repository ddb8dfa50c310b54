//! One decision and one answer of twenty categories, over ever more rules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use consentry_model::{Facts, Treatment};
use consentry_policy::{Cell, Engine, Person, Question};

use crate::Failure;
use crate::invent::{CATEGORIES, NOW, cedar, engine, person, questions};
use crate::measure::{median, per_call, shown};
use crate::opa::Opa;
use crate::rego::{Rego, Regorus, answer, input, translate};

/// How many people take turns.
const PEOPLE: u64 = 64;

/// Everything that is asked, for each engine as it takes it.
struct Asked {
    engine: Engine,
    people: Vec<Facts>,
    flat: Vec<Question>,
    cells: Vec<Vec<Arc<Cell>>>,
    regorus: Regorus,
    rego: Rego,
    inputs: Vec<regorus::Value>,
    opa: Option<Opa>,
    compiled: Duration,
    reachable: usize,
}

/// What was measured, a figure for each round.
#[derive(Default)]
struct Figures {
    ours: Vec<f64>,
    verdict: Vec<f64>,
    request: Vec<f64>,
    cedar: Vec<f64>,
    cedar_whole: Vec<f64>,
    rego: Vec<f64>,
    rego_request: Vec<f64>,
    opa: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn measure(smoke: bool) -> Result<(), Failure> {
    let (sizes, rounds, time): (&[usize], _, _) = if smoke {
        (&[10, 60], 1, Duration::from_millis(1))
    } else {
        (&[10, 60, 300, 1_000], 5, Duration::from_millis(120))
    };
    let mut all = Vec::new();
    for size in sizes {
        let mut asked = Asked::new(*size)?;
        let agreed = asked.agree(if smoke { 4 } else { 40 })?;
        println!(
            "{size} rules: {} cells compiled in {:.0} ms; all engines agree on {agreed} questions",
            asked.reachable,
            asked.compiled.as_secs_f64() * 1_000.0
        );
        all.push((*size, asked, Figures::default()));
    }
    for _ in 0..rounds {
        for (_, asked, figures) in &mut all {
            asked.round(figures, time)?;
        }
    }
    print(&all);
    Ok(())
}

impl Asked {
    fn new(rules: usize) -> Result<Self, Failure> {
        let engine = engine(rules)?;
        let start = Instant::now();
        let reachable = engine.compile_all();
        let compiled = start.elapsed();
        let questions = questions(&engine)?;
        let flat: Vec<Question> = questions.iter().flatten().cloned().collect();
        let mut cells = Vec::new();
        for asked in &questions {
            let found: Result<Vec<_>, _> = asked.iter().map(|q| engine.cell(q)).collect();
            cells.push(found.map_err(|reason| format!("no cell: {reason}"))?);
        }
        let people: Vec<Facts> = (0..PEOPLE).map(|at| person(&engine, at)).collect();
        let rego = translate(engine.bundle(), &flat);
        let regorus = Regorus::new(&rego)?;
        let mut inputs = Vec::new();
        let mut texts = Vec::new();
        for (at, question) in flat.iter().enumerate() {
            let facts = people.get(at % people.len()).ok_or("nobody")?;
            let text = input(&engine, question, facts, NOW)?.to_string();
            inputs.push(regorus::Value::from_json_str(&text)?);
            texts.push(text);
        }
        let opa = Opa::find(&rego, texts)?;
        Ok(Self { engine, people, flat, cells, regorus, rego, inputs, opa, compiled, reachable })
    }

    fn facts(&self, at: usize) -> Result<&Facts, Failure> {
        Ok(self.people.get(at % self.people.len()).ok_or("nobody")?)
    }

    /// Asks everybody the same, and ends when they differ.
    fn agree(&mut self, people: usize) -> Result<usize, Failure> {
        let (mut asked, mut yes) = (0, 0);
        for (at, question) in self.flat.clone().iter().enumerate() {
            for person in 0..people {
                let facts = self.facts(at + person)?.clone();
                let cedar = sorted(cedar(&self.engine, question, &facts)?);
                let cell = self.engine.cell(question).map_err(|r| r.to_string())?;
                let word = self.engine.word(&facts, NOW);
                let ours = self.engine.decision(&cell, &word, &facts, NOW).ok_or("Cedar failed")?;
                let rules = cell.rules(&ours).map(|r| r.as_str().to_owned()).collect();
                let clear = ours.treatment() == Treatment::Clear;
                // A less revealing treatment is a further question; Cedar and Rego were asked for the first alone.
                if (clear || ours.treatment() == Treatment::Withheld) && sorted((clear, rules)) != cedar {
                    return Err(format!("the program and Cedar differ on {question:?}").into());
                }
                if clear != cedar.0 {
                    return Err(format!("the program and Cedar differ on {question:?}").into());
                }
                // The slow ones are asked less.
                if person == 0 || person * 8 < people {
                    let input = input(&self.engine, question, &facts, NOW)?.to_string();
                    let value = self.regorus.ask(&regorus::Value::from_json_str(&input)?)?;
                    let said = answer(&serde_json::from_str(&value.to_json_str()?)?);
                    if sorted(said.clone()) != cedar {
                        return Err(format!("Rego says {said:?} and Cedar {cedar:?} of {input}").into());
                    }
                }
                (asked, yes) = (asked + 1, yes + usize::from(clear));
            }
        }
        if yes * 10 < asked || yes * 10 > asked * 9 {
            return Err(format!("{yes} of {asked} are permitted: that is no mixture").into());
        }
        Ok(asked)
    }

    fn round(&mut self, figures: &mut Figures, time: Duration) -> Result<(), Failure> {
        let engine = &self.engine;
        let words: Vec<_> = self.people.iter().map(|facts| engine.word(facts, NOW)).collect();
        let person = Person::ANONYMOUS;
        let one = |at: usize| Some((self.cells.get(at % self.cells.len())?, words.get(at % words.len())?));
        let cell = |cells: &[Arc<Cell>], at: usize| cells.get(at / 7 % cells.len()).cloned();
        let picked: Vec<_> = (0..4_096)
            .filter_map(|at| {
                one(at).and_then(|(cells, word)| Some((cell(cells, at)?, word, self.facts(at).ok()?)))
            })
            .collect();
        let pick = |at: usize| picked.get(at % picked.len());
        figures.ours.push(per_call(time, |at| {
            pick(at).and_then(|(cell, word, facts)| engine.decision(cell, word, facts, NOW))
        }));
        figures.verdict.push(per_call(time, |at| {
            pick(at).map(|(cell, word, facts)| engine.verdict(cell, word, facts, person, NOW))
        }));
        figures.request.push(per_call(time, |at| {
            let (Ok(facts), Some(cells)) = (self.facts(at), self.cells.get(at % self.cells.len())) else {
                return 0;
            };
            let word = engine.word(facts, NOW);
            let decided = cells.iter().filter_map(|cell| engine.decision(cell, &word, facts, NOW));
            decided.filter(|d| d.treatment() == Treatment::Clear).count()
        }));
        let prepared: Vec<_> = self
            .flat
            .iter()
            .enumerate()
            .filter_map(|(at, q)| engine.reference(q, Treatment::Clear, self.facts(at).ok()?, NOW))
            .collect();
        figures
            .cedar
            .push(per_call(time, |at| prepared.get(at % prepared.len()).and_then(|asked| asked.ask())));
        figures.cedar_whole.push(per_call(time, |at| {
            let (facts, question) = (self.facts(at).ok()?, self.flat.get(at % self.flat.len())?);
            engine.reference(question, Treatment::Clear, facts, NOW)?.ask()
        }));
        let (regorus, inputs) = (&mut self.regorus, &self.inputs);
        figures.rego.push(per_call(time, |at| inputs.get(at % inputs.len()).map(|input| regorus.ask(input))));
        let twenty = CATEGORIES.len();
        figures.rego_request.push(per_call(time, |at| {
            (0..twenty)
                .filter_map(|n| inputs.get((at * twenty + n) % inputs.len()))
                .map(|i| regorus.ask(i).is_ok())
                .count()
        }));
        if let Some(opa) = &self.opa {
            figures.opa.push(opa.per_decision(&self.rego, time)?);
        }
        Ok(())
    }
}

fn sorted((yes, mut rules): (bool, Vec<String>)) -> (bool, Vec<String>) {
    rules.sort();
    (yes, rules)
}

fn print(all: &[(usize, Asked, Figures)]) {
    println!("\nOne decision: medians, and in brackets how many times the decision program's\n");
    print!(
        "{:>6}{:>14}{:>20}{:>26}{:>26}{:>26}",
        "rules", "program", "with verdict", "Cedar", "Cedar, request built", "Rego (regorus)"
    );
    println!("{:>26}", "Rego (OPA)");
    for (rules, asked, figures) in all {
        let ours = median(&figures.ours);
        let against = |values: &[f64]| {
            let ns = median(values);
            format!("{} ({:.0}x)", shown(ns), ns / ours)
        };
        let opa = if asked.opa.is_some() { against(&figures.opa) } else { "not there".to_owned() };
        println!(
            "{rules:>6}{:>14}{:>20}{:>26}{:>26}{:>26}{opa:>26}",
            shown(ours),
            against(&figures.verdict),
            against(&figures.cedar),
            against(&figures.cedar_whole),
            against(&figures.rego),
        );
    }
    println!("\nOne answer of {} categories about one person, the fact word included\n", CATEGORIES.len());
    println!("{:>6}{:>14}{:>20}{:>26}{:>26}", "rules", "program", "per category", "Cedar", "Rego (regorus)");
    #[allow(clippy::cast_precision_loss, reason = "twenty is small")]
    let twenty = CATEGORIES.len() as f64;
    for (rules, _, figures) in all {
        let ours = median(&figures.request);
        let against = |ns: f64| format!("{} ({:.0}x)", shown(ns), ns / ours);
        println!(
            "{rules:>6}{:>14}{:>20}{:>26}{:>26}",
            shown(ours),
            shown(ours / twenty),
            against(median(&figures.cedar_whole) * twenty),
            against(median(&figures.rego_request)),
        );
    }
    if all.iter().all(|(_, asked, _)| asked.opa.is_none()) {
        println!("\nOPA itself was not measured: CONSENTRY_OPA does not name its shared library");
    }
}

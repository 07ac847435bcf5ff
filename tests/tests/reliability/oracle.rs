//! What a fault may make of a report, and whether it did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use irsa_tests::fault::Fault;
use irsa_tests::run::Run;
use irsa_tests::world::World;
use serde_json::Value;

use super::page;

/// What a machine under load may add to a run's limit.
const SLACK: Duration = Duration::from_secs(30);

/// Two worlds, one in order and one not. A later pair is there for what those before do not ask.
pub struct Pair {
    pub title: &'static str,
    pub healthy: &'static str,
    pub broken: &'static str,
}

/// A kind of request or a host, and what a report without its answers must say.
pub struct Subject {
    pub kind: &'static str,
    pub lost: Lost,
    /// The root causes that are right where it fails, each with the faults that lead to it; none are all.
    pub causes: &'static [(&'static [Fault], &'static str)],
}

impl Subject {
    /// One that leads to no other root cause.
    pub const fn new(kind: &'static str, lost: Lost) -> Subject {
        Subject { kind, lost, causes: &[] }
    }

    /// The same with the root causes that are right instead.
    pub const fn or(self, causes: &'static [(&'static [Fault], &'static str)]) -> Subject {
        Subject { causes, ..self }
    }

    fn leads_to(&self, fault: Fault, cause: &str) -> bool {
        self.causes.iter().any(|(faults, id)| *id == cause && (faults.is_empty() || faults.contains(&fault)))
    }
}

/// What is lost where a request gets no answer.
pub enum Lost {
    /// The target itself: there is nothing to diagnose, and the run says why.
    Target,
    /// Facts, which the report names among what it could not check, each in words that contain these.
    Named(&'static [&'static str]),
    /// The same, but the only evidence of what is broken: without it nobody can say so.
    Evidence(&'static [&'static str]),
    /// A fact of which nothing need be said, with the reason. If the report says something, then in these words.
    Unneeded(&'static [&'static str], &'static str),
}

impl Lost {
    /// The words of what is lost.
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            Lost::Target => &[],
            Lost::Named(words) | Lost::Evidence(words) | Lost::Unneeded(words, _) => words,
        }
    }
}

/// What one run showed.
pub struct Outcome {
    code: Option<i32>,
    diagnosis: Value,
    stderr: String,
    took: Duration,
    kinds: BTreeSet<String>,
}

impl Outcome {
    /// `None` stands for a run that panicked.
    pub fn new(run: Option<Run>, took: Duration, kinds: BTreeSet<String>) -> Outcome {
        let run = run.unwrap_or(Run { code: None, stdout: String::new(), stderr: String::new() });
        let diagnosis = serde_json::from_str(&run.stdout).unwrap_or_default();
        Outcome { code: run.code, diagnosis, stderr: run.stderr, took, kinds }
    }

    /// Everything that is not known, and why: facts, and links of the chain.
    fn unknowns(&self) -> Vec<(&str, &str)> {
        let list = |of: &str| self.diagnosis[of].as_array().into_iter().flatten();
        let facts = list("unknowns").map(|unknown| (text(unknown, "what"), text(unknown, "why")));
        let links = list("chain").filter(|link| link["status"] == "unknown");
        facts.chain(links.map(|link| (text(link, "reason"), text(link, "reason")))).collect()
    }

    fn cause(&self) -> Option<&str> {
        self.diagnosis["rootCause"]["id"].as_str()
    }

    /// Whether the report says that it could not check all that is lost.
    fn names(&self, lost: &Lost) -> bool {
        let unknowns = self.unknowns();
        let is_named = |words: &&str| unknowns.iter().any(|(what, _)| what.contains(*words));
        !lost.words().is_empty() && lost.words().iter().all(is_named)
    }

    /// What a reader of the page sees.
    fn cell(&self, subject: &Subject, whole: &Outcome) -> String {
        let verdict = match self.code {
            None => "panic",
            Some(0) => "healthy",
            Some(1) => "broken",
            Some(3) => "inconclusive",
            Some(_) => return "cannot run".to_owned(),
        };
        if let Some(other) = self.cause().filter(|_| self.cause() != whole.cause()) {
            return format!("{verdict}: {other}");
        }
        let named = self.names(&subject.lost);
        format!("{verdict}{}", if named { ", named" } else { "" })
    }

    /// What is wrong with it, by what is allowed.
    fn wrong(&self, subject: &Subject, fault: Fault, whole: &Outcome, limit: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        let (healthy, target) = (whole.code == Some(0), matches!(subject.lost, Lost::Target));
        let other = self.cause().filter(|_| self.cause() != whole.cause());
        let is_cause = other.is_some_and(|cause| subject.leads_to(fault, cause));
        let allowed = match self.code {
            Some(0) => healthy,
            Some(1) => is_cause || other.is_none() && !healthy,
            Some(2) => target,
            Some(3) => healthy || target || matches!(subject.lost, Lost::Evidence(_)),
            _ => false,
        };
        if !allowed {
            problems.push(format!("exit {:?}, root cause {:?}", self.code, self.cause()));
        }
        if self.took > limit + SLACK {
            problems.push("hangs".to_owned());
        }
        if self.code == Some(2) && self.stderr.trim().is_empty() {
            problems.push("exit 2 without a word".to_owned());
        }
        if self.code == Some(3) && self.unknowns().is_empty() {
            problems.push("inconclusive without an unknown".to_owned());
        }
        for (what, _) in self.unknowns().iter().filter(|(_, why)| why.trim().is_empty()) {
            problems.push(format!("no reason why {what} is unknown"));
        }
        let needed = !matches!(subject.lost, Lost::Unneeded(..) | Lost::Target);
        let named = self.names(&subject.lost);
        let is_lost = fault != Fault::Slow && !is_cause && matches!(self.code, Some(0 | 1 | 3));
        if is_lost && !named && (needed || self.unknowns() != whole.unknowns()) {
            problems.push(format!("lost without a word of it: {:?}", self.unknowns()));
        }
        if fault == Fault::Slow && (self.code != whole.code || self.unknowns() != whole.unknowns()) {
            problems.push(format!("not waited for: exit {:?}, {:?}", self.code, self.unknowns()));
        }
        problems
    }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// One cell: a subject and a fault in a pair's world.
struct Cell {
    pair: usize,
    broken: bool,
    kind: String,
    fault: Fault,
}

/// The cells that a developer wants to see: `BASE=broken REQUEST=iam:GetRole FAULT=silence`.
struct Chosen {
    base: String,
    request: String,
    fault: String,
}

impl Chosen {
    fn of_environment() -> Chosen {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        Chosen { base: variable("BASE"), request: variable("REQUEST"), fault: variable("FAULT") }
    }

    fn is_all(&self) -> bool {
        self.base.is_empty() && self.request.is_empty() && self.fault.is_empty()
    }

    fn has(&self, cell: &Cell) -> bool {
        let base = if cell.broken { "broken" } else { "healthy" };
        base.contains(&self.base)
            && cell.kind.contains(&self.request)
            && cell.fault.to_string().contains(&self.fault)
    }
}

/// A part of the matrix, and of the page.
pub struct Matrix<'a> {
    pub section: &'static str,
    pub pairs: &'a [Pair],
    pub subjects: &'a [Subject],
    /// Which kinds are a part of it, and with which faults.
    pub has: fn(&str) -> bool,
    pub meets: fn(Fault) -> bool,
    pub threads: usize,
    /// The limit of a run.
    pub limit: Duration,
}

impl Matrix<'_> {
    /// Runs all cells, and fails for each that is not as it may be, for a kind of request without a line of its own, and for a page
    /// that says otherwise.
    pub fn judge(&self, run: impl Fn(&World, Option<(&str, Fault)>) -> Outcome + Sync) {
        let chosen = Chosen::of_environment();
        let mut worlds = Vec::new();
        let mut cells = Vec::new();
        let mut kinds = BTreeSet::new();
        for (pair, worlds_of) in self.pairs.iter().enumerate() {
            let both = [worlds_of.healthy, worlds_of.broken].map(load);
            let whole = [&both[0], &both[1]].map(|world| run(world, None));
            for (outcome, code) in whole.iter().zip([0, 1]) {
                let at = &worlds_of.title;
                assert_eq!(outcome.code, Some(code), "{at}: {:#}{}", outcome.diagnosis, outcome.stderr);
            }
            let asked: BTreeSet<String> = whole.iter().flat_map(|outcome| outcome.kinds.clone()).collect();
            for kind in asked.into_iter().filter(|kind| (self.has)(kind)) {
                if !kinds.insert(kind.clone()) {
                    continue;
                }
                for fault in Fault::ALL.into_iter().filter(|fault| fault.suits(&kind) && (self.meets)(*fault))
                {
                    let bases = (0..2).filter(|base| whole[*base].kinds.contains(&kind));
                    cells.extend(bases.map(|base| Cell {
                        pair,
                        broken: base == 1,
                        kind: kind.clone(),
                        fault,
                    }));
                }
            }
            worlds.push((both, whole));
        }
        let subjects: BTreeMap<&str, &Subject> =
            self.subjects.iter().map(|subject| (subject.kind, subject)).collect();
        let without: Vec<_> = kinds.iter().filter(|kind| !subjects.contains_key(kind.as_str())).collect();
        assert!(without.is_empty(), "kinds of requests without a line that says what is lost: {without:#?}");
        let stale: Vec<_> = subjects.keys().filter(|kind| !kinds.contains(**kind)).collect();
        assert!(stale.is_empty(), "lines for what no run asks any more: {stale:?}");

        cells.retain(|cell| chosen.has(cell));
        assert!(!cells.is_empty(), "no cell matches BASE, REQUEST and FAULT");
        let next = AtomicUsize::new(0);
        let results = Mutex::new(BTreeMap::new());
        let problems = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let subject = subjects[cell.kind.as_str()];
                        let base = usize::from(cell.broken);
                        let (both, whole) = &worlds[cell.pair];
                        let outcome = run(&both[base], Some((&cell.kind, cell.fault)));
                        if !chosen.is_all() {
                            println!("{} × {}: {:#}", cell.kind, cell.fault, outcome.diagnosis);
                            println!("exit {:?} after {:?}\n{}", outcome.code, outcome.took, outcome.stderr);
                        }
                        let wrong = outcome.wrong(subject, cell.fault, &whole[base], self.limit);
                        let name = ["healthy", "broken"][base];
                        for problem in wrong {
                            let at = format!("{name}: {} × {}", cell.kind, cell.fault);
                            problems.lock().unwrap().insert(format!("{at}: {problem}"));
                        }
                        let key = (cell.pair, cell.kind.clone(), base);
                        let seen = outcome.cell(subject, &whole[base]);
                        results
                            .lock()
                            .unwrap()
                            .entry(key)
                            .or_insert_with(BTreeMap::new)
                            .insert(cell.fault, seen);
                    }
                });
            }
        });
        let problems = problems.into_inner().unwrap();
        let mut listed = String::new();
        problems.iter().for_each(|problem| writeln!(listed, "{problem}").unwrap());
        assert!(problems.is_empty(), "{} of {} cells:\n{listed}", problems.len(), cells.len());
        if chosen.is_all() {
            page::compare(self, &results.into_inner().unwrap());
        }
    }
}

fn load(path: &str) -> World {
    World::load(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

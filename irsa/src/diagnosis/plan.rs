//! What of the repairs a program can do, in which order, and what is left to a person.

use super::report::{Diagnosis, Reported};
use crate::finding::{Confidence, Severity};
use crate::repair::{Change, Edit, Fix, Kind};

/// The repair of all that is broken.
#[derive(Debug, Clone, Default)]
pub struct Plan<'d> {
    /// What a program can do, in order.
    pub steps: Vec<Step<'d>>,
    /// What a person does, in the order of repair.
    pub by_hand: Vec<ByHand<'d>>,
    /// Ids of the causes that no step repairs.
    pub left: Vec<&'static str>,
    /// Ids of what else is broken: it may be over once the cause is, so that it waits for the next diagnosis.
    pub later: Vec<&'static str>,
}

/// One step that a program can take.
#[derive(Debug, Clone, Copy)]
pub struct Step<'d> {
    /// Id of the failure mode that it repairs.
    pub id: &'static str,
    /// True if another cause is possible.
    pub is_inferred: bool,
    /// The step.
    pub fix: &'d Fix,
    /// What it changes.
    pub change: &'d Change,
}

/// A step that a person takes.
#[derive(Debug, Clone, Copy)]
pub struct ByHand<'d> {
    /// Id of the failure mode that it repairs.
    pub id: &'static str,
    /// The step.
    pub fix: &'d Fix,
}

impl<'d> Plan<'d> {
    /// The first way to repair each root cause; of several ways to the same end, the others are for a person to choose. What several
    /// causes need is done once, and pods are replaced after everything else.
    pub fn of(diagnoses: &'d [Diagnosis]) -> Self {
        let mut plan = Self::default();
        for diagnosis in diagnoses {
            let Some(root) = &diagnosis.root_cause else { continue };
            plan.add(root);
            let others = diagnosis.unexplained(Severity::Error).filter(|other| other.key != root.key);
            plan.later.extend(others.map(|other| other.id));
        }
        plan.later.sort_unstable();
        plan.later.dedup();
        // A stable sort: the order of repair stays.
        plan.steps.sort_by_key(|step| replaces_pods_only(step.change));
        plan
    }

    fn add(&mut self, fault: &'d Reported) {
        let fixes = fault.fixes.iter().filter(|fix| fix.kind() != Kind::Inspect && !fix.is_alternative());
        let fixes: Vec<&Fix> = fixes.collect();
        // Half of a repair is none: a restart without the change that it is for, say.
        let whole = fixes.iter().all(|fix| doable(fix).is_some() || fix.kind() == Kind::Advice);
        let changes = fixes.iter().filter_map(|fix| doable(fix));
        let repairs = match fixes.first() {
            Some(first) if doable(first).is_none() => !changes.clone().all(replaces_pods_only),
            first => first.is_some(),
        };
        let by_program = whole && repairs && changes.count() > 0;
        if !by_program {
            self.left.push(fault.id);
        }
        for fix in fixes {
            match doable(fix).filter(|_| by_program) {
                Some(change) if self.steps.iter().any(|step| step.change == change) => {}
                Some(change) => self.steps.push(Step {
                    id: fault.id,
                    is_inferred: fault.confidence == Confidence::Inferred,
                    fix,
                    change,
                }),
                None => self.by_hand.push(ByHand { id: fault.id, fix }),
            }
        }
    }
}

/// What a program can do of it.
fn doable(fix: &Fix) -> Option<&Change> {
    fix.change().filter(|change| change.asks().is_none())
}

fn replaces_pods_only(change: &Change) -> bool {
    matches!(change, Change::Kubernetes(change) if matches!(change.edit, Edit::Restart | Edit::Delete))
}

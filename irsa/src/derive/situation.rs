//! Subjects of a run that are in the same situation: what is worked out from one of them holds for the others.
//!
//! The pods of a workload are many and alike. What is worked out is worked out once for each situation, so that its cost grows with
//! what there is to say and not with the pods; finding out a pod's situation is cheap. In doubt a subject is in a situation of its own.

use std::collections::HashMap;

use crate::facts::alike::{Outline, Pen, Use, Vary};
use crate::facts::{Facts, Subject};

/// How many ways to use what varies are told apart for subjects of one outline, before comparing counts as reading.
const WAYS: usize = 8;

/// The situation of a subject.
struct Situation<'f> {
    outline: Vec<u8>,
    varying: Vec<&'f dyn Vary>,
}

impl<'f> Situation<'f> {
    fn of(facts: &'f Facts) -> Self {
        let mut pen = Pen::default();
        facts.outline(&mut pen);
        Self { outline: pen.bytes, varying: pen.varying }
    }

    /// What was made of it since it was last forgotten.
    fn uses(&self) -> Vec<Use> {
        self.varying.iter().map(|varying| varying.used()).collect()
    }

    /// What such uses see.
    fn seen(&self, uses: &[Use]) -> Vec<u8> {
        let mut seen = Vec::new();
        for (varying, used) in self.varying.iter().zip(uses) {
            varying.write(used, &mut seen);
        }
        seen
    }
}

/// What was worked out, by situation.
#[derive(Debug)]
pub struct Situations<T> {
    /// By outline.
    known: HashMap<Vec<u8>, Vec<SameUses<T>>>,
}

/// What was worked out with the same uses of what varies, by what these saw.
type SameUses<T> = (Vec<Use>, HashMap<Vec<u8>, T>);

impl<T> Default for Situations<T> {
    fn default() -> Self {
        Self { known: HashMap::new() }
    }
}

impl<T: Clone> Situations<T> {
    /// What was worked out from a subject in the same situation, or else what `work` makes of this one. That is kept for others if
    /// `holds` says so: names are no part of a situation, so it must not depend on the subject's own.
    pub fn once(&mut self, facts: &Facts, work: impl FnOnce() -> T, holds: impl FnOnce(&T) -> bool) -> T {
        let situation = Situation::of(facts);
        let known = self.known.get(&situation.outline).into_iter().flatten();
        let known = known.into_iter().find_map(|(uses, known)| known.get(&situation.seen(uses)));
        if let Some(known) = known {
            return known.clone();
        }
        situation.varying.iter().for_each(|varying| varying.forget());
        let made = work();
        let mut uses = situation.uses();
        if !holds(&made) {
            return made;
        }
        let known = self.known.entry(situation.outline.clone()).or_default();
        if known.len() >= WAYS {
            uses.iter_mut().filter(|used| **used != Use::None).for_each(|used| *used = Use::Read);
        }
        let seen = situation.seen(&uses);
        match known.iter_mut().find(|(of, _)| *of == uses) {
            Some((_, known)) => known.insert(seen, made.clone()),
            None => {
                known.push((uses, HashMap::from([(seen, made.clone())])));
                None
            }
        };
        made
    }
}

/// The names of a subject's own that are no part of its situation.
pub fn own_names(facts: &Facts) -> impl Iterator<Item = &str> {
    let pod = facts.subject.pod().map(|pod| &pod.value.metadata);
    let node = facts.node.known().map(|node| &node.value.metadata);
    let agents = facts.agent_pods.known().into_iter().flat_map(|agents| &agents.value.items);
    let agents = agents.map(|pod| &pod.value.metadata);
    pod.into_iter().chain(node).chain(agents).map(|meta| meta.name.as_str())
}

impl Outline for Facts {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        let Self {
            request,
            subject,
            service_account_name,
            namespace_name,
            service_account,
            namespace,
            service_accounts,
            network_policies,
            namesakes,
            owner,
            replica_set,
            owner_pod,
            siblings,
            events,
            node,
            config_maps,
            secrets,
            agent_pods,
            cluster,
            aws,
            issuer,
            app_errors,
            probed,
        } = self;
        match subject {
            Subject::Pod(pod) => pod.outline(pen),
            // There is one of them in a run, in a situation of its own.
            Subject::Template(_) | Subject::ServiceAccount => pen.address(self),
        }
        service_account_name.outline(pen);
        namespace_name.outline(pen);
        pen.shared(request);
        pen.shared(service_account);
        pen.shared(namespace);
        pen.shared(service_accounts);
        pen.shared(network_policies);
        pen.shared(namesakes);
        pen.shared(owner);
        pen.shared(replica_set);
        pen.shared(owner_pod);
        pen.shared(siblings);
        pen.shared(events);
        node.outline(pen);
        pen.shared(config_maps);
        pen.shared(secrets);
        agent_pods.outline(pen);
        pen.shared(cluster);
        pen.shared(aws);
        pen.shared(issuer);
        pen.printed(app_errors);
        pen.printed(probed);
    }
}

//! What an earlier run's probe left in the pod's status.

use std::cmp::Reverse;

use crate::derive::Derived;
use crate::documents::report::{ReportError, read};
use crate::facts::kubernetes::{Container, Pod, ProbeEnd, ProbeStatus};
use crate::facts::probed::{Place, ProbeFacts, Run};
use crate::facts::{Fact, Why};

/// The variable that tells a later run which container the probe looks at, where the container itself does not (`targetContainerName`).
pub const PROBED_CONTAINER: &str = "KUBECTL_IRSA_CONTAINER";

/// The report that an earlier run left in the pod's status; `None` if there is none of the target container.
pub(super) fn report(derived: &Derived<'_>) -> Option<Fact<ProbeFacts>> {
    let pod = derived.facts.subject.pod()?;
    let target = derived.target()?.name();
    let all = newest_first(&pod.value, target);
    let (_, newest) = all.first()?;
    // Several probes at once cut each other's reports; one that is whole counts.
    let whole = all.iter().find_map(|(status, end)| Some((status, end, read(&end.message).ok()?)));
    Some(match (whole, read(&newest.message)) {
        (Some((status, end, report)), Ok(_) | Err(ReportError::Cut)) => {
            let mut probed = ProbeFacts::reported(report, Place::Pod, target, &status.name);
            probed.value.run = Run::Earlier { ended: end.finished_at.time() };
            Fact::Known(probed)
        }
        (_, Err(error)) => Fact::unknown_because(ProbeFacts::WHAT, Why::Failed(error.to_string()), None),
        (None, Ok(_)) => return None,
    })
}

/// The reports about a container, the last one first.
fn newest_first<'p>(pod: &'p Pod, target: &str) -> Vec<(&'p ProbeStatus, &'p ProbeEnd)> {
    let of_target = |status: &&ProbeStatus| {
        let container = pod.spec.ephemeral_containers.iter().find(|container| container.name == status.name);
        container.is_some_and(|container| looks_at(container) == Some(target))
    };
    let ended = pod.status.probes.iter().filter(of_target).filter_map(|status| {
        let end = status.state.terminated.as_ref()?;
        (!end.message.is_empty()).then_some((status, end))
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort_by_key(|(_, end)| Reverse(end.finished_at.time()));
    ended
}

/// The container that a probe's container looks at.
fn looks_at(probe: &Container) -> Option<&str> {
    let named = probe.env.iter().find(|variable| variable.name == PROBED_CONTAINER);
    named
        .and_then(|variable| variable.value.text())
        .or(Some(probe.target_container_name.as_str()).filter(|name| !name.is_empty()))
}

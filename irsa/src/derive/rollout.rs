//! Which pods are of the current template of their workload, and which ones a rollout is about to replace.

use crate::facts::{Facts, Subject};

/// The annotation of a Deployment and of its ReplicaSets that counts the revisions of the template.
pub(crate) const DEPLOYMENT_REVISION: &str = "deployment.kubernetes.io/revision";

/// A pod of an older revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Outgoing<'f> {
    /// Its own.
    pub own: &'f str,
    /// The workload's.
    pub current: &'f str,
}

/// The revisions, if the subject is a pod of an older one; `None` also where that is not known.
pub(crate) fn outgoing(facts: &Facts) -> Option<Outgoing<'_>> {
    let Subject::Pod(pod) = &facts.subject else { return None };
    let owner = &facts.owner.known()?.value;
    let current = owner.revision.as_deref()?;
    let label = |key: &str| pod.value.metadata.labels.get(key);
    let own = match owner.kind.as_str() {
        "Deployment" => facts.replica_set.known()?.value.metadata.annotations.get(DEPLOYMENT_REVISION),
        "StatefulSet" => label("controller-revision-hash"),
        "DaemonSet" => label("pod-template-generation"),
        _ => None,
    }?;
    (own != current).then_some(Outgoing { own, current })
}

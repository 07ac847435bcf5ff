//! # A Windows pod without the node selector
//!
//! The webhook writes the token's path in Windows form only if the pod has the nodeSelector `kubernetes.io/os: windows`. A
//! Windows pod that is scheduled by affinity, tolerations or `spec.os` gets the Unix path.
//!
//! **You see**: `The webIdentityTokenFile must be an absolute path.` (.NET).
//!
//! **Decided by**: the node is a Windows node, the pod does not have the selector, and the path begins with `/`.
//!
//! **Not a fault** for SDKs that can open a Unix path on Windows, as the AWS CLI v2 can; hence a warning.
//!
//! **Repair**: add the nodeSelector to the pod template.

use crate::checks::prelude::*;
use crate::derive::container::PI_TOKEN_FILE;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "windows-no-nodeselector",
    step: Step::Pod,
    title: "a Windows pod without the node selector",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some((spec, ..)) = derived.spec() else { return Outcome::NotApplicable("no pod to look at") };
    let Some(os) = derived.on_windows() else {
        return Outcome::NotApplicable("the pod does not run on Windows");
    };
    let selects = |key: &str| spec.node_selector.get(key).is_some_and(|value| value == "windows");
    if selects("kubernetes.io/os") || selects("beta.kubernetes.io/os") {
        return Outcome::Pass;
    }
    let unix = derived.containers.iter().filter(|view| view.runs()).find_map(|view| {
        let mut entries =
            [TOKEN_FILE, PI_TOKEN_FILE].into_iter().filter_map(|name| Some((name, view.env.get(name)?)));
        entries
            .find(|(_, entry)| entry.text().is_some_and(|path| path.starts_with('/')))
            .map(|(name, entry)| (view, name, entry))
    });
    let (Some((view, variable, entry)), Some(at)) = (unix, derived.spec_at(".nodeSelector")) else {
        return Outcome::Pass;
    };
    let name = view.name();
    let windows = format!("C:{}", entry.shown().replace('/', "\\"));
    let finding = META
        .on_subject(
            derived,
            format!("the pod runs on Windows, but container {name} has a Unix path for its token"),
        )
        .container(name)
        .severity(Severity::Warning)
        .evidence(variable, windows, entry.shown(), &entry.source)
        .missing("nodeSelector", "kubernetes.io/os: windows", &at)
        .seen("operating system", "windows", &os);
    let patch = serde_json::json!({"spec": {"nodeSelector": {"kubernetes.io/os": "windows"}}});
    let title = "add the node selector; the new pods get the Windows path";
    let fix = workload::patch(derived, title, &patch).unwrap_or_else(|| {
        Fix::advice("add the nodeSelector kubernetes.io/os: windows to the manifest and recreate the pods")
    });
    finding.fix(fix).into()
}

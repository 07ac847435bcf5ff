//! The probe: what the pod looks like from inside. It runs beside the target container, as its user, and reports.

pub mod report;

use crate::facts::kubernetes::Container;

pub use report::{INSIDE, earlier};

/// The variable that tells a later run which container the probe looks at, where the container itself does not (`targetContainerName`).
pub const CONTAINER: &str = "KUBECTL_IRSA_CONTAINER";

/// The container that a probe's container looks at.
fn looks_at(probe: &Container) -> Option<&str> {
    let named = probe.env.iter().find(|variable| variable.name == CONTAINER);
    named
        .and_then(|variable| variable.value.text())
        .or(Some(probe.target_container_name.as_str()).filter(|name| !name.is_empty()))
}

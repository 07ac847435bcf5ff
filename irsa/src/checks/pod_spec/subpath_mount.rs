//! # The token is mounted with subPath
//!
//! A `subPath` mount is made once, when the container starts. The kubelet refreshes the token in the volume, but the container
//! never sees the new one.
//!
//! **You see**: everything works for hours, up to a day, and then `ExpiredTokenException`; a restart of the container helps
//! until the next time.
//!
//! **Decided by**: `subPath` or `subPathExpr` on the mount that contains the token file. If the container has been running for
//! longer than the token's lifetime, the token has expired by now.
//!
//! **Not a fault**: `subPath` on any other mount.
//!
//! **Repair**: mount the directory.

use jiff::SignedDuration;

use crate::checks::prelude::*;
use crate::derive::container::PI_TOKEN_FILE;
use crate::derive::env::EnvEntry;

pub(super) const META: Meta = Meta {
    id: "subpath-mount",
    step: Step::Pod,
    title: "the token is mounted with subPath",
    explains: &["token-expired"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    Outcome::of(derived.containers.iter().filter_map(|view| frozen(derived, view)).collect())
}

fn frozen(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (spec, ..) = derived.spec()?;
    let variables = [TOKEN_FILE, PI_TOKEN_FILE];
    let (variable, file) =
        variables.iter().find_map(|name| view.env.get(name).map(|entry| (*name, entry)))?;
    let mount = TokenMount::of(view.container, spec, file.text()?)?;
    let (_, volume) = mount.volume?;
    let by_name = !mount.mount.sub_path.is_empty() || !mount.mount.sub_path_expr.is_empty();
    let (_, token) = volume.tokens().next().filter(|_| by_name)?;
    let name = view.name();
    let (field, value) = if mount.mount.sub_path.is_empty() {
        ("subPathExpr", &mount.mount.sub_path_expr)
    } else {
        ("subPath", &mount.mount.sub_path)
    };
    let source = derived.spec_at("")?.at(format!("{}.volumeMounts[{}].{field}", view.path, mount.index));
    let expired = expired(derived, view, token.expiration_seconds.unwrap_or(3600));
    let summary = if expired {
        format!(
            "container {name} mounts its token with {field} and has outlived it: the container never sees a refreshed token"
        )
    } else {
        format!("container {name} mounts its token with {field}, so it never sees a refreshed one")
    };
    let finding = META
        .on_subject(derived, summary)
        .container(name)
        .severity(if expired { Severity::Error } else { Severity::Warning })
        .evidence(field, "not set", value, &source)
        .seen(variable, EnvEntry::shown(file), &file.source)
        .fix(Fix::advice("mount the token's directory without subPath and recreate the pods"));
    Some(if expired { finding.inferred() } else { finding })
}

/// True if the container has been running for longer than the token's lifetime. A restart mounts a fresh one.
fn expired(derived: &Derived<'_>, view: &ContainerView<'_>, seconds: i64) -> bool {
    let Some(pod) = derived.facts.subject.pod() else { return false };
    let statuses =
        pod.value.status.container_statuses.iter().chain(&pod.value.status.init_container_statuses);
    let mut same = statuses.filter(|status| status.name == view.name());
    let Some(running) = same.find_map(|status| status.state.running.as_ref()) else { return false };
    let now = derived.facts.cluster.server_clock.known();
    let end = now.and_then(|now| now.value.checked_sub(SignedDuration::from_secs(seconds)).ok());
    end.is_some_and(|end| running.started_at.is_before(end))
}

//! # The service mesh's proxy is not up
//!
//! A service mesh (Istio, Linkerd, one with Envoy) redirects what the pod sends to a proxy within the pod. Until that listens,
//! every connection is refused or reset; and it may start after the application, or be absent while init containers run.
//!
//! **You see**, in the first seconds: `dial tcp 127.0.0.1:15001: connect: connection refused`, `connection refused`, `EOF` or
//! `connection reset by peer` at `sts.REGION.amazonaws.com`. AWS itself does not refuse connections.
//!
//! **Decided by**: what the application reports, and the sidecar in the pod's spec or the mesh's annotation. An error from more
//! than a minute after the containers started is not this one: the mesh may not let the pod out at all, see
//! `sts-unreachable-no-egress`. A refusal by an address within the pod (`127.0.0.1`) needs no further evidence.
//!
//! **Not a fault**: an application that tried again, and got through.
//!
//! **Repair**: have the application wait for the proxy (`holdApplicationUntilProxyStarts`, `config.linkerd.io/proxy-await`), or
//! run the proxy as a native sidecar. It needs no VPC endpoint.

use serde_json::json;

use super::failed;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::container::ContainerKind;
use crate::derive::wire::{Mesh, Sidecar, Wire};
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "mesh-not-ready",
    step: Step::Network,
    title: "the service mesh's proxy is not up",
    explains: &["silent-fallback-to-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let (said, host, wire) = match failed(derived, |(.., wire)| matches!(wire, Wire::Mesh(_))) {
        Ok(found) => found,
        Err(outcome) => return probed::or_pass(derived, META.step, outcome),
    };
    let Wire::Mesh(sidecar) = wire else { return Outcome::Pass };
    let who = app_errors::speaker(derived);
    let summary = match &sidecar {
        Some(sidecar) => format!("{who} called {host} while {} was not up", proxy(sidecar.mesh)),
        None => {
            format!("{who} is sent to a proxy within the pod when it calls {host}, and nothing listens there")
        }
    };
    let finding = app_errors::finding(&META, derived, said, &summary).inferred().evidence(
        format!("connection to {host}"),
        "accepted",
        "refused or reset",
        said.source,
    );
    let Some(sidecar) = sidecar else {
        return finding
            .fix(Fix::advice("find what redirects the pod's connections: the sidecar or init container of a service mesh, or a hostAliases entry; and have the application wait for it"))
            .into();
    };
    let finding = finding.seen("sidecar", &sidecar.sign, &sidecar.source);
    finding.fixes(wait(derived, &sidecar)).into()
}

const fn proxy(mesh: Mesh) -> &'static str {
    match mesh {
        Mesh::Istio => "Istio's proxy",
        Mesh::Linkerd => "Linkerd's proxy",
        Mesh::Other => "the service mesh's proxy",
    }
}

/// Has the application wait.
fn wait(derived: &Derived<'_>, sidecar: &Sidecar) -> Vec<Fix> {
    let is_init = derived.target().is_some_and(|view| view.kind == ContainerKind::Init);
    if is_init {
        return vec![Fix::advice(
            "run the proxy as a native sidecar, so that it is up before this init container; or exclude port 443 from the mesh for \
             the pod",
        )];
    }
    let annotation = match sidecar.mesh {
        _ if sidecar.native => None,
        Mesh::Istio => Some(("proxy.istio.io/config", "{\"holdApplicationUntilProxyStarts\": true}")),
        Mesh::Linkerd => Some(("config.linkerd.io/proxy-await", "enabled")),
        Mesh::Other => None,
    };
    let annotate = annotation.and_then(|(key, value)| {
        let is_free = derived.spec().is_some_and(|(_, meta, ..)| !meta.annotations.contains_key(key));
        let patch = json!({ "metadata": { "annotations": { key: value } } });
        workload::patch(derived, "have the application wait for the proxy; restarts the pods", &patch)
            .filter(|_| is_free)
    });
    let advice = Fix::advice("or have the application try again for some seconds when it starts");
    let wait =
        annotate.unwrap_or_else(|| Fix::advice("have the application wait until the mesh's proxy is up"));
    vec![wait, advice]
}

//! # The kubelet cannot mount the token
//!
//! The pod hangs in ContainerCreating because the kubelet gets no token to mount: the API server does not offer TokenRequest
//! (no `--service-account-issuer` or signing key), the service account is gone, or the node may not request this audience.
//!
//! **You see**: `MountVolume.SetUp failed for volume "aws-iam-token" : failed to fetch token: …` in the pod's events.
//!
//! **Decided by**: events of a pod that has not started.
//!
//! **Not a fault**: such an event on a pod that is running by now: the kubelet retries.
//!
//! **Repair**: whatever the kubelet's message names. A self-managed API server needs `--service-account-issuer`,
//! `--service-account-signing-key-file` and `--api-audiences`.

use crate::checks::prelude::*;
use crate::facts::probed::Place;
use crate::repair::service_account;

pub(super) const META: Meta = Meta {
    id: "token-mount-failed",
    step: Step::TokenFile,
    title: "the kubelet cannot mount the token",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(pod) = derived.facts.subject.pod() else { return Outcome::NotApplicable("there is no pod") };
    if pod.value.status.phase != "Pending" {
        return Outcome::NotApplicable("the pod has started, so its volumes are mounted");
    }
    // The volumes are mounted before anything starts, the probe included.
    if derived.probed.pod().is_some_and(|seen| seen.place() == Place::Pod && seen.token_file().is_some()) {
        return Outcome::Pass;
    }
    let events = match derived.facts.events.as_ref() {
        Fact::Known(events) => &events.value.items,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::Pass,
    };
    let tokens: Vec<&str> = pod
        .value
        .spec
        .volumes
        .iter()
        .filter(|volume| volume.tokens().any(|(_, token)| !token.audience.is_empty()))
        .map(|volume| volume.name.as_str())
        .collect();
    let failed = events.iter().find_map(|event| {
        let volume = tokens.iter().find(|volume| {
            event.value.reason == "FailedMount"
                && event.value.message.contains(&format!("volume \"{volume}\""))
        })?;
        let words = event.value.message.split_once("failed to fetch token: ")?.1;
        Some((event, *volume, words.trim()))
    });
    let Some((event, volume, words)) = failed else { return Outcome::Pass };
    let name = &pod.value.metadata.name;
    let summary = format!("the kubelet gets no token for volume {volume} of pod/{name}: {words}");
    let finding = META.on_subject(derived, summary).evidence(
        format!("volume {volume}"),
        "mounted",
        words,
        &event.source,
    );
    let no_requests = ["could not find the requested resource", "does not have TokenRequest"];
    if no_requests.iter().any(|marks| words.contains(marks)) {
        return finding
            .fix(Fix::advice(
                "start the API server with --service-account-issuer, --service-account-signing-key-file and --api-audiences: \
                 without them it issues no tokens",
            ))
            .into();
    }
    let account = &derived.facts.service_account_name;
    // One that exists by now cannot be created, and the kubelet finds it when it tries again.
    let exists = derived.facts.service_account.known().is_some();
    if words.contains("not found") && words.contains("serviceaccount") && !exists {
        let title = "create the service account; the kubelet then retries by itself (annotate it as before)";
        return finding.fix(service_account::create(derived, account, title)).into();
    }
    finding
        .fix(Fix::inspect(
            "check whether it still fails",
            Command::kubectl(derived, &["describe", "pod", name, "-n", &derived.facts.namespace_name]),
        ))
        .into()
}

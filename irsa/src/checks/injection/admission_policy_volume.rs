//! # A policy rejects the volume that the webhook adds
//!
//! A pod security policy, an OpenShift SCC, Kyverno, Gatekeeper or a ValidatingAdmissionPolicy that allows only some volume
//! types rejects the `projected` volume `aws-iam-token`, or the `fsGroup` that was set to make the token readable. The manifest
//! has no such volume, so the rejection comes as a surprise: the webhook added it before the policy was evaluated.
//!
//! **You see**: no pod, and an event `FailedCreate` on the ReplicaSet: `spec.volumes[0]: Invalid value: "projected": projected
//! volumes are not allowed to be used`.
//!
//! **Decided by**: such an event on the workload.
//!
//! **Not a fault**: PodSecurity `baseline` and `restricted` allow projected volumes; a rejection that only lists them among the
//! allowed types is about something else.
//!
//! **Repair**: change the policy to allow projected volumes for these pods.

use crate::checks::prelude::*;

pub(super) const META: Meta = Meta {
    id: "admission-policy-volume",
    step: Step::Injection,
    title: "a policy rejects the volume that the webhook adds",
    explains: &["pods-not-created"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if !derived.intent.expects_injection() {
        return Outcome::NotApplicable("no injection is expected");
    }
    let pod = derived.facts.subject.pod();
    let events = match derived.facts.events.as_ref() {
        Fact::Known(events) => events,
        Fact::Absent { .. } => return Outcome::Pass,
        Fact::Unknown(_) if pod.is_some() => {
            return Outcome::NotApplicable(
                "this pod was admitted; could not check whether the next one will be",
            );
        }
        Fact::Unknown(why) => return unknown(why),
    };
    // Rejected before, admitted since: somebody has fixed it.
    let refusal =
        derived.live_failed_creates().find_map(|event| Some((event, refused(&event.value.message)?)));
    let Some((event, what)) = refusal else {
        return match &events.value.cut {
            Some(cut) if pod.is_none() => unknown(cut),
            _ => Outcome::Pass,
        };
    };
    let namespace = &derived.facts.namespace_name;
    let object = &event.value.involved_object;
    // This pod works; the next ones are rejected.
    let severity = if pod.is_some() { Severity::Warning } else { Severity::Error };
    let summary = format!("a policy rejects the pods of {}/{} because of {what}", object.kind, object.name);
    META.on(&object.kind, namespace, &object.name, summary)
        .severity(severity)
        .seen("event FailedCreate", &event.value.message, &event.source.at(".message"))
        .fix(Fix::advice(format!("change the policy named in the event to allow {what} for these pods; the webhook cannot do without its volume")))
        .into()
}

/// What a message rejects, if it is something that IRSA brought into the pod.
fn refused(message: &str) -> Option<&'static str> {
    const REFUSALS: [&str; 8] = [
        "not allowed",
        "forbidden",
        "denied",
        "restricted",
        "prohibited",
        "may not",
        "must not",
        "disallowed",
    ];
    let message = message.to_ascii_lowercase();
    let refuses = |text: &str| REFUSALS.iter().any(|word| text.contains(word));
    if message.contains("fsgroup")
        && (message.contains("not an allowed group") || message.contains("fsgroup is not allowed"))
    {
        return Some("their fsGroup");
    }
    if message.contains(TOKEN_VOLUME) && refuses(&message) {
        return Some("the volume aws-iam-token");
    }
    // Part by part: a list of allowed types may name projected volumes next to the rejection of another type.
    let mut parts = message.split([':', ';', '(', '[', ']', '\n']);
    parts.any(|part| part.contains("projected") && refuses(part)).then_some("their projected volume")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_lists_of_what_is_allowed() {
        for message in [
            "pods \"x\" is forbidden: unable to validate against any security context constraint: [spec.volumes[0]: Invalid value: \"projected\": projected volumes are not allowed to be used]",
            "admission webhook \"validation.gatekeeper.sh\" denied the request: [psp-volume-types] The volume type projected is not allowed, pod: x. Allowed volume types: [\"configMap\"]",
            "admission webhook \"validate.kyverno.svc-fail\" denied the request: volume aws-iam-token is not on the list",
        ] {
            assert!(refused(message).is_some(), "{message}");
        }
        for message in [
            "admission webhook \"validate.kyverno.svc-fail\" denied the request: restrict-volume-types: Only the following types of volumes may be used: configMap, csi, projected, and secret",
            "admission webhook \"validation.gatekeeper.sh\" denied the request: [psp-volume-types] The volume type hostPath is not allowed, pod: x. Allowed volume types: [\"configMap\", \"projected\"]",
            "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": restricted volume types (volume \"data\" uses restricted volume type \"hostPath\")",
            "pods \"x\" is forbidden: error looking up service account shop/checkout: serviceaccount \"checkout\" not found",
        ] {
            assert_eq!(refused(message), None, "{message}");
        }
    }
}

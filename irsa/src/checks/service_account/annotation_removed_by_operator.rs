//! # The annotation is gone from the service account
//!
//! A Helm upgrade, OLM, Argo CD, an EKS add-on update or eksctl rewrote the service account without the annotation. New pods
//! get no identity while older ones keep theirs: the workload is half broken now, and completely after its next restart.
//!
//! **Decided by**: the service account names no role now, and an earlier pod of the same workload and service account still has
//! the role that the webhook injected. The last writer (`managedFields`) is only supporting evidence.
//!
//! **Not a fault**: pods whose template sets the variables itself; a webhook with a ConfigMap, which needs no annotation.
//!
//! **Repair**: set the annotation again, and set it where the service account is managed (the chart's value, the add-on's
//! `--service-account-role-arn`, the Subscription, the repository), or the next update removes it again.

use crate::checks::prelude::*;
use crate::checks::shared::missing_role;
use crate::derive::missing_role::Because;
use crate::facts::kubernetes::Meta as ObjectMeta;
use crate::repair::{service_account, workload};

pub(super) const META: Meta = Meta {
    id: "annotation-removed-by-operator",
    step: Step::ServiceAccount,
    title: "the annotation is gone from the service account",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let gap = match missing_role::gap(derived) {
        Ok(gap) => gap,
        Err(outcome) => return outcome,
    };
    let (pod, role) = match &gap.because {
        Because::Removed { pod, role } => (*pod, *role),
        Because::Unexplained => return derived.siblings().unknown.map_or(Outcome::Pass, unknown),
        _ => return Outcome::Pass,
    };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    let summary = if gap.still_injected {
        format!(
            "service account {namespace}/{name} no longer names the role that this pod has; the next pod will get none"
        )
    } else {
        format!(
            "service account {namespace}/{name} named a role when {} was created, but names none now",
            pod.metadata.name
        )
    };
    let carried = derived.spec().map_or(&gap.account.source, |(_, _, source, _)| source);
    let mut finding = META
        .on_account(derived, summary)
        .inferred()
        .severity(missing_role::severity(&gap))
        .missing(&key, role, &gap.account.source.at(annotation_path(&key)))
        .seen(format!("{ROLE_ARN} of {}", pod.metadata.name), role, carried);
    let meta = &gap.account.value.metadata;
    if let Some(writer) =
        meta.managed_fields.iter().max_by_key(|entry| entry.time).filter(|entry| entry.time.is_some())
    {
        let time = writer.time.map(|time| format!(", {time}")).unwrap_or_default();
        finding = finding.seen(
            "last writer of the service account",
            format!("{}{time}", writer.manager),
            &gap.account.source.at(".metadata.managedFields"),
        );
    }
    finding = finding.fix(service_account::name_role(derived, name, Some(role)));
    if !gap.still_injected {
        finding = finding.fixes(workload::restart_pod(derived));
    }
    finding
        .fix(Fix::advice(format!(
            "set it where the service account is managed{}, or the next update removes it again",
            manager(meta)
        )))
        .into()
}

/// Who manages the object, going by the labels and annotations of the usual tools.
fn manager(meta: &ObjectMeta) -> String {
    let annotation = |key: &str| meta.annotations.get(key);
    let label = |key: &str| meta.labels.get(key);
    if annotation("argocd.argoproj.io/tracking-id").is_some()
        || label("argocd.argoproj.io/instance").is_some()
    {
        String::from(" (the repository that Argo CD syncs)")
    } else if label("olm.owner").is_some() || label("olm.managed").is_some() {
        String::from(" (the Subscription: OLM writes the service account)")
    } else if label("kustomize.toolkit.fluxcd.io/name").is_some()
        || label("helm.toolkit.fluxcd.io/name").is_some()
    {
        String::from(" (the repository that Flux syncs)")
    } else if let Some(release) = annotation("meta.helm.sh/release-name") {
        format!(" (the values of Helm release {release})")
    } else if meta.managed_fields.iter().any(|entry| entry.manager == "eks") {
        String::from(" (the EKS add-on's service account role)")
    } else {
        String::new()
    }
}

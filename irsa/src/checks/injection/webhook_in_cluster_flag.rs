//! # The webhook requests its certificate from the cluster
//!
//! With `--in-cluster=true`, which is the flag's default, the webhook requests its serving certificate through the certificates
//! API. Since v0.3.0 that no longer works: the webhook runs and passes its health check, but has no certificate to present to
//! the API server.
//!
//! **You see**, in the webhook's log: `no serving certificate available for the webhook, is the CSR approved?`
//!
//! **Decided by**: the flags of the self-hosted webhook, and a pod that was not injected for no other reason that could be
//! found. The build is not known, so this is inferred.
//!
//! **Not a fault** where pods are injected: an older build whose request was approved.
//!
//! **Repair**: run it with `--in-cluster=false` and a certificate from cert-manager, as its README shows.

use crate::checks::prelude::*;
use crate::derive::webhook::Registration;

pub(super) const META: Meta = Meta {
    id: "webhook-in-cluster-flag",
    step: Step::Injection,
    title: "the webhook requests its certificate from the cluster",
    explains: &["not-injected", "webhook-down-ignore"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let found = match super::registered(derived) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if found.iter().any(Registration::eks_managed) {
        return Outcome::NotApplicable("the webhook runs on EKS's control plane");
    }
    let workload = match &derived.facts.cluster.webhook_workload {
        Fact::Known(workload) => workload,
        Fact::Absent { .. } => return Outcome::NotApplicable("the webhook's workload is not in the cluster"),
        Fact::Unknown(why) => return super::unread(derived, why),
    };
    let containers = workload.value.template_spec.containers.iter().enumerate();
    let flag = containers.into_iter().find_map(|(index, container)| {
        let mut words = container.command.iter().chain(container.args.iter()).rev();
        let flag = words.find(|word| word.trim_start_matches('-').split('=').next() == Some("in-cluster"))?;
        Some((index, flag))
    });
    // The default is true as well, but without the flag the image may get its arguments from elsewhere.
    let Some((index, flag)) = flag.filter(|(_, flag)| !flag.contains('=') || flag.ends_with("=true")) else {
        return Outcome::Pass;
    };
    let unexplained =
        matches!(derived.bare(), Some(BareBecause::Unexplained | BareBecause::WebhookAway { .. }));
    // An injected sibling would show that the webhook works; unless all were listed, we do not know.
    if let Some(why) =
        derived.siblings().unknown.filter(|_| unexplained && !derived.siblings().any_injected())
    {
        return unknown(why);
    }
    if !unexplained || derived.siblings().any_injected() {
        return Outcome::Pass;
    }
    let owner = &workload.value;
    let source = workload.source.at(format!("{}.containers[{index}].args", owner.template_path()));
    let summary = format!(
        "webhook {}/{} runs with --in-cluster=true, which leaves newer builds without a serving certificate",
        owner.meta.namespace, owner.meta.name
    );
    let finding = META
        .on(&owner.kind, &owner.meta.namespace, &owner.meta.name, summary)
        .inferred()
        .evidence("flag", "--in-cluster=false", flag, &source)
        .fix(Fix::advice("run the webhook with --in-cluster=false and a certificate from cert-manager, as in its deploy/ folder"));
    finding.fixes(super::restart(derived)).into()
}

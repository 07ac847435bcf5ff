//! # The role is in a different partition
//!
//! `arn:aws:` in China (`aws-cn`), GovCloud (`aws-us-gov`), an ISO region or the European Sovereign Cloud, or the reverse. STS
//! in one partition does not know the roles of another.
//!
//! ```text
//! bad   arn:aws:iam::111122223333:role/shop-checkout      in cn-north-1
//! good  arn:aws-cn:iam::111122223333:role/shop-checkout
//! ```
//!
//! **You see**: `Request ARN is invalid`, `InvalidClientTokenId: The security token included in the request is invalid`, or
//! `AccessDenied`.
//!
//! **Decided by**: the partition of the ARN, compared with that of the region which the container's SDK uses (`AWS_REGION`,
//! `AWS_DEFAULT_REGION`), or with that of the node's region if the container sets none.
//!
//! **Not a fault**: a node in another partition while the container's own region matches the role: a role can be assumed across
//! partitions if its account trusts the cluster's issuer.
//!
//! **Repair**: set the ARN with the right partition, or the right region in the container's environment.

use crate::aws::arn::RoleArn;
use crate::aws::partition::{is_region_shaped, partition_of_region};
use crate::checks::prelude::*;
use crate::facts::Why;
use crate::repair::{service_account, workload};

pub(super) const META: Meta = Meta {
    id: "wrong-partition",
    step: Step::ServiceAccount,
    title: "the role is in a different partition",
    explains: &["oidc-provider-missing", "role-deleted-or-never-existed", "sts-refused"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.intent.mechanism != Mechanism::Irsa {
        return match derived.account_unknown().filter(|_| derived.intent.mechanism == Mechanism::Unknown) {
            Some(why) => unknown(why),
            None => Outcome::NotApplicable("no role is named"),
        };
    }
    let Some(role) = &derived.intent.role else { return Outcome::NotApplicable("no role is named") };
    let Ok(arn) = RoleArn::parse(role.raw) else {
        return Outcome::NotApplicable("the role ARN cannot be read");
    };
    let node = derived.node_region().filter(|(region, _)| is_region_shaped(region));
    let (variable, region, source) = match (region_of_container(derived), &node) {
        (Some((name, region, source)), _) => (Some(name), region, source),
        (None, Some((region, source))) => (None, (*region).to_owned(), source.clone()),
        (None, None) => {
            return match derived.facts.node.unknown() {
                // A workload without pods runs on no node: there is nothing to compare with.
                Some(why) if matches!(why.why, Why::NotAsked(_)) => {
                    Outcome::NotApplicable("no region to compare with")
                }
                Some(why) => unknown(why),
                None => Outcome::Pass,
            };
        }
    };
    let partition = partition_of_region(&region);
    if arn.partition == partition {
        return Outcome::Pass;
    }
    // The role matches the node's region, so the variable is what is wrong.
    if let (Some(name), Some((at, node_source))) = (variable, &node)
        && partition_of_region(at) == arn.partition
    {
        let container = derived.target().map_or("", ContainerView::name);
        let summary = format!(
            "container {container} has region {region} in partition {partition}, but its role is in {}",
            arn.partition
        );
        return META
            .on_subject(derived, summary)
            .container(container)
            .evidence(name, *at, &region, &source)
            .seen("region of the node", *at, node_source)
            .seen("role ARN", role.raw, &role.source)
            .fix(Fix::advice(format!(
                "unset {name} in the manifest, or set it to {at}, and recreate the pods"
            )))
            .into();
    }
    let right = format!("arn:{partition}:iam::{}:role/{}", arn.account, arn.path_and_name);
    let summary =
        format!("the role is in partition {}, but region {region} is in {partition}", arn.partition);
    let finding = META
        .on_account(derived, summary)
        .evidence("role ARN", &right, role.raw, &role.source)
        .seen(variable.unwrap_or("region of the node"), &region, &source);
    // Without a variable, the code may still set the region of the SDK.
    let finding = if variable.is_none() { finding.inferred() } else { finding };
    match role.origin {
        RoleOrigin::Annotation => {
            let right = Assignment::set(format!("{}/role-arn", derived.settings.annotation_prefix), right);
            let title =
                format!("set the ARN with partition {partition}, if account {} has that role", arn.account);
            finding
                .fix(service_account::annotate(derived, title, right))
                .fixes(workload::restart_pod(derived))
                .into()
        }
        RoleOrigin::WebhookConfigMap | RoleOrigin::Manifest => {
            finding.fix(Fix::advice("correct the partition of the ARN where it is set")).into()
        }
    }
}

/// The region in the target container's environment, if it looks like one.
fn region_of_container(derived: &Derived<'_>) -> Option<(&'static str, String, Source)> {
    let (name, entry) = derived.target()?.env.first_set(&["AWS_REGION", "AWS_DEFAULT_REGION"])?;
    let region = entry.text().filter(|region| is_region_shaped(region))?;
    Some((name, region.to_owned(), entry.source.clone()))
}

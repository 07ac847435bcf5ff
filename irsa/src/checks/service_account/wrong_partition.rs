//! # The role is of another partition
//!
//! `arn:aws:` in China (`aws-cn`), GovCloud (`aws-us-gov`), an ISO region or the European Sovereign Cloud, or the reverse. The
//! STS of one partition knows no role of another.
//!
//! **You see**: `Request ARN is invalid`, `InvalidClientTokenId: The security token included in the request is invalid`, or
//! `AccessDenied`.
//!
//! **Decided by**: the partition of the ARN against that of the region which the container's SDK uses (`AWS_REGION`,
//! `AWS_DEFAULT_REGION`), and of the node's region where the container has none.
//!
//! **Not a fault**: a node in another partition while the container's own region is that of the role: a role may be assumed
//! across partitions where its account trusts the cluster's issuer.
//!
//! **Repair**: write the ARN with the right partition, or the right region into the container's environment.

use crate::aws::arn::RoleArn;
use crate::aws::partition::{is_region_shaped, partition_of_region};
use crate::checks::prelude::*;
use crate::facts::Why;
use crate::repair::{service_account, workload};

/// See the module's page.
pub const META: Meta = Meta {
    id: "wrong-partition",
    step: Step::ServiceAccount,
    title: "the role is of another partition",
    explains: &["oidc-provider-missing", "role-deleted-or-never-existed", "sts-refused"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
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
    // The role fits the node's region, so it is the variable that is off.
    if let (Some(name), Some((at, node_source))) = (variable, &node)
        && partition_of_region(at) == arn.partition
    {
        let container = derived.target().map_or("", ContainerView::name);
        let summary = format!(
            "container {container} has region {region} of partition {partition}; its role is of {}",
            arn.partition
        );
        return META
            .on_subject(derived, summary)
            .container(container)
            .evidence(name, *at, &region, &source)
            .seen("region of the node", *at, node_source)
            .seen("role ARN", role.raw, &role.source)
            .fix(Fix::advice(format!(
                "take {name} out of the manifest, or set it to {at}, and make the pods anew"
            )))
            .into();
    }
    let right = format!("arn:{partition}:iam::{}:role/{}", arn.account, arn.path_and_name);
    let summary =
        format!("the role is of partition {}, and the region {region} is of {partition}", arn.partition);
    let finding = META
        .on_account(derived, summary)
        .evidence("role ARN", &right, role.raw, &role.source)
        .seen(variable.unwrap_or("region of the node"), &region, &source);
    // Without a variable the SDK may still be told its region in the code.
    let finding = if variable.is_none() { finding.inferred() } else { finding };
    match role.origin {
        RoleOrigin::Annotation => {
            let key = format!("{}/role-arn={right}", derived.settings.annotation_prefix);
            let title =
                format!("write the ARN with partition {partition}, if account {} has that role", arn.account);
            finding
                .fix(service_account::annotate(derived, title, &key))
                .fixes(workload::restart_pod(derived))
                .into()
        }
        RoleOrigin::WebhookConfigMap | RoleOrigin::Manifest => finding
            .fix(Fix::advice("write the ARN with the right partition where this one comes from"))
            .into(),
    }
}

/// The region that the target container's environment names, if it is one.
fn region_of_container(derived: &Derived<'_>) -> Option<(&'static str, String, Source)> {
    let (name, entry) = derived.target()?.env.first_set(&["AWS_REGION", "AWS_DEFAULT_REGION"])?;
    let region = entry.text().filter(|region| is_region_shaped(region))?;
    Some((name, region.to_owned(), entry.source.clone()))
}

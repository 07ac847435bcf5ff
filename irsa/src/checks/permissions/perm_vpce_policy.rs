//! # The policy of a VPC endpoint does not allow it
//!
//! IRSA works. The call goes through a VPC endpoint of its service, and the endpoint's policy does not allow this role, action
//! or resource. The same call from outside the VPC succeeds.
//!
//! **You see**: `… is not authorized to perform: … because no VPC endpoint policy allows the … action`, or `with an explicit
//! deny in a VPC endpoint policy`.
//!
//! **Decided by**: AWS's error in the application's log. IAM's simulator does not see such policies, and a call from your own
//! machine takes another path.
//!
//! **Not a fault**: the role's own policies.
//!
//! **Repair**: allow the action for the role in the endpoint's policy.

use super::denied;
use crate::checks::prelude::*;
use crate::derive::denial::Culprit;
use crate::repair::vpc_endpoint;

pub(super) const META: Meta = Meta {
    id: "perm-vpce-policy",
    step: Step::Permissions,
    title: "the policy of a VPC endpoint does not allow it",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    denied::outcome(&META, Culprit::Endpoint, derived, |finding, denial| {
        let region = derived.plan().region;
        let service = denial.action.and_then(|action| action.split_once(':')).map(|(service, _)| service);
        let finding = match service {
            Some(service) => finding.fix(Fix::inspect(
                "check the policies of the service's endpoints",
                vpc_endpoint::policies(derived, &region, service),
            )),
            None => finding,
        };
        finding.fix(Fix::advice(format!(
            "allow {} for {} in the policy of the endpoint that the pod's VPC uses",
            denial.what(),
            if denial.role.of_agent { "the node's role" } else { "the role" },
        )))
    })
}

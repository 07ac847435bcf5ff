//! What to ask AWS about a subject, as derived from the cluster.

use super::Derived;
use super::container::{ROLE_ARN, TOKEN_FILE};
use super::session_name::SessionName;
use super::sts::{Region, host};
use crate::aws::arn::{RoleArn, role_name};
use crate::aws::endpoint::{has_global_endpoint, is_published, regional_host, serves_sts};
use crate::aws::partition::partition_of_region;
use crate::mechanism::Mechanism;

/// The identity that the subject should have, and where its SDK would ask for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plan {
    /// Namespace of the service account.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
    /// Audience of its tokens.
    pub audience: String,
    /// The role that the target container requests, or will request; `None` if no role is named that AWS could be asked about.
    pub role_arn: Option<String>,
    /// The name of that role, where its ARN is malformed: IAM may know the rest.
    pub role_name: Option<String>,
    /// True if nothing names a role, so that one that trusts the service account is worth looking for.
    pub seeks_role: bool,
    /// Region of the STS endpoint in use.
    pub region: String,
    /// Host of the STS endpoint.
    pub host: String,
    /// Name of the session that a token is tried for.
    pub session_name: String,
    /// An endpoint in a region that is active in every account, if the first is not.
    pub second_host: Option<String>,
}

impl Plan {
    /// Works it out; `region` counts where the pod names none.
    pub fn of(derived: &Derived<'_>, region: Option<&str>) -> Self {
        let facts = derived.facts;
        let target = derived.target();
        let in_pod = target.and_then(|view| view.env.get(ROLE_ARN)?.text());
        let claimed = derived.intent.role.as_ref().map(|role| role.raw);
        let role = in_pod.or(claimed).filter(|_| derived.intent.mechanism != Mechanism::PodIdentity);
        let seeks_role = in_pod.or(claimed).is_none() && derived.intent.mechanism == Mechanism::None;
        let role_name = role.and_then(role_name).map(str::to_owned);
        let role = role.and_then(|raw| RoleArn::parse(raw).ok().map(|arn| (raw, arn)));

        let by_partition = match role.as_ref().map(|(_, arn)| arn.partition) {
            Some("aws-cn") => "cn-north-1",
            Some("aws-us-gov") => "us-gov-west-1",
            _ => "us-east-1",
        };
        let in_pod = target.and_then(|view| match Region::of(derived, view) {
            Region::Known(region) => Some(region),
            Region::Unread | Region::FromWebhook | Region::Missing => None,
        });
        let on_node = derived.node_region().map(|(region, _)| region);
        let region = in_pod.or(on_node).or(region).unwrap_or(by_partition).to_owned();
        // A VPC endpoint answers only inside its network, an override may be anything, and a FIPS name need not exist.
        let reachable = |host: &String| serves_sts(host) && is_published(host) && !host.contains(".vpce.");
        let host = target.and_then(|view| host(derived, view)).filter(reachable);
        let mounted = target.and_then(|view| {
            let file = view.env.get(TOKEN_FILE)?.text()?;
            view.token_mount?.token(file).map(|token| token.audience.as_str())
        });
        let mounted = mounted.filter(|audience| !audience.is_empty());
        let active = has_global_endpoint(&region) || region == by_partition;
        Self {
            namespace: facts.namespace_name.clone(),
            service_account: facts.service_account_name.clone(),
            audience: mounted.unwrap_or(&derived.intent.audience).to_owned(),
            role_arn: role.map(|(raw, _)| raw.to_owned()),
            role_name,
            seeks_role,
            host: host.unwrap_or_else(|| regional_host(&region)),
            session_name: SessionName::of_attempt(derived),
            second_host: (!active && partition_of_region(&region) == partition_of_region(by_partition))
                .then(|| regional_host(by_partition)),
            region,
        }
    }

    /// `sub` of the service account's tokens.
    pub fn subject(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.service_account)
    }

    /// The ARN that the issuer's OIDC provider must have: it must be in the role's account.
    pub fn provider_arn(&self, issuer: &str) -> Option<String> {
        let arn = RoleArn::parse(self.role_arn.as_deref()?).ok()?;
        let url = issuer.strip_prefix("https://")?;
        Some(format!("arn:{}:iam::{}:oidc-provider/{url}", arn.partition, arn.account))
    }
}

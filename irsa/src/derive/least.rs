//! What the trust policy of a subject's role has to say, and what it says.

use super::Derived;
use super::association::Associated;
use super::issuer::Issuer;
use super::trust::pod_identity::cluster_arn;
use crate::aws::arn::RoleArn;
use crate::facts::aws::Role;
use crate::facts::{Fact, Facts, Sourced, Unknown};
use crate::mechanism::Mechanism;
use crate::trust::{By, Trusted};

/// The service account, and the role that it should have.
#[derive(Debug)]
pub struct Least<'f> {
    /// Namespace of the service account.
    pub namespace: &'f str,
    /// The service account.
    pub service_account: &'f str,
    /// ARN of its role, if one is named.
    pub role_arn: Option<String>,
    /// The role itself; `None` if none is named.
    pub role: Option<&'f Fact<Role>>,
    /// How it gets its credentials, or what would have to be known.
    pub by: Result<By, Vec<Unknown>>,
}

impl<'f> Least<'f> {
    /// That of a subject. Its mechanism is EKS Pod Identity if it has an association or is wired for it, otherwise IRSA.
    pub fn of(facts: &'f Facts) -> Self {
        let derived = Derived::of(facts);
        let association = match Associated::of(&derived) {
            Associated::Yes(association, _) => Some(association),
            _ => None,
        };
        let by_association = association.is_some() || derived.intent.mechanism == Mechanism::PodIdentity;
        let by = if by_association {
            let cluster = association.and_then(|association| cluster_arn(&derived, association));
            let known = facts.aws.cluster.known().map(|cluster| cluster.value.arn.clone());
            Ok(By::PodIdentity { cluster: cluster.or(known) })
        } else {
            match Issuer::of(&derived) {
                Ok(issuer) => {
                    Ok(By::Irsa { issuer: issuer.url.to_owned(), audience: derived.plan().audience })
                }
                Err(unknowns) => Err(unknowns.into_iter().cloned().collect()),
            }
        };
        let role_arn = derived.expected_role().map(str::to_owned);
        let role = if by_association { &facts.aws.associated_role } else { &facts.aws.role };
        Self {
            namespace: &facts.namespace_name,
            service_account: &facts.service_account_name,
            role: role_arn.is_some().then_some(role),
            role_arn,
            by,
        }
    }

    /// The role, where it was read.
    pub fn known_role(&self) -> Option<&'f Sourced<Role>> {
        self.role.and_then(Fact::known)
    }

    /// Who is to be trusted by the role of that ARN; `None` if it is malformed.
    pub fn trusted(&self, role_arn: &str, by: By) -> Option<Trusted> {
        let role = RoleArn::parse(role_arn).ok()?;
        Some(Trusted {
            partition: role.partition.to_owned(),
            account: role.account.to_owned(),
            namespace: self.namespace.to_owned(),
            service_account: self.service_account.to_owned(),
            by,
        })
    }
}

//! A caller that AWS named, compared with the role that the pod should have.

use super::Intent;
use super::container::{ContainerView, ROLE_ARN};
use crate::aws::arn::RoleArn;
use crate::aws_error::{Principal, PrincipalKind, SessionSource};
use crate::facts::Facts;
use crate::mechanism::Mechanism;

/// Who a caller was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The role that the pod should have.
    Expected,
    /// The node's role, from the instance metadata service.
    Node,
    /// Another role.
    OtherRole,
    /// An IAM user, or the account itself: somebody's access keys.
    Keys,
}

/// The role that the target should have, in the parts that a caller's ARN has.
#[derive(Debug)]
pub(crate) struct Expected {
    role: Option<(String, String)>,
    /// Its ARN.
    pub(super) arn: Option<String>,
    /// How it gets it.
    pub(super) mechanism: Mechanism,
}

impl Expected {
    /// The role that AWS gives the service account, or that the container's environment names, or its service account.
    pub(crate) fn of(facts: &Facts, intent: &Intent<'_>, target: Option<&ContainerView<'_>>) -> Self {
        let associated = || facts.aws.associations.known()?.value.first()?.given_role().map(str::to_owned);
        let in_pod = || target?.env.get(ROLE_ARN)?.text().map(str::to_owned);
        let arn = match intent.mechanism {
            Mechanism::PodIdentity => associated(),
            _ => in_pod().or_else(|| intent.role.as_ref().map(|role| role.raw.to_owned())),
        };
        let role = arn.as_deref().and_then(|arn| RoleArn::parse(arn).ok());
        Self {
            role: role.map(|role| (role.account.to_owned(), role.name().to_owned())),
            arn,
            mechanism: intent.mechanism,
        }
    }

    /// Account and name of the role.
    pub(crate) fn role(&self) -> Option<(&str, &str)> {
        self.role.as_ref().map(|(account, name)| (account.as_str(), name.as_str()))
    }

    /// Who a caller is.
    pub(crate) fn who(&self, principal: &Principal) -> Who {
        let PrincipalKind::AssumedRole { role, source, .. } = &principal.kind else { return Who::Keys };
        match (source, &self.role) {
            (SessionSource::NodeInstance, _) => Who::Node,
            (_, Some((account, name))) if *account == principal.account && name == role => Who::Expected,
            (SessionSource::PodIdentity, None) if self.mechanism == Mechanism::PodIdentity => Who::Expected,
            _ => Who::OtherRole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::principal;

    #[test]
    fn a_caller_is_measured_by_role_and_account() {
        let role = Some((String::from("111122223333"), String::from("shop")));
        let expected = Expected { role, arn: None, mechanism: Mechanism::Irsa };
        let who = |arn: &str| expected.who(&principal(arn).unwrap());
        assert_eq!(
            who("arn:aws:sts::111122223333:assumed-role/shop/botocore-session-1795330534"),
            Who::Expected
        );
        assert_eq!(who("arn:aws:sts::444455556666:assumed-role/shop/x1"), Who::OtherRole);
        assert_eq!(who("arn:aws:sts::111122223333:assumed-role/Shop/x1"), Who::OtherRole);
        assert_eq!(who("arn:aws:sts::111122223333:assumed-role/shop/i-0123456789abcdef0"), Who::Node);
        assert_eq!(who("arn:aws:iam::111122223333:user/ci"), Who::Keys);
    }
}

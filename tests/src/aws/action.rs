//! The actions that the fake answers, and patterns that pick some of them.

use super::endpoint::Service;
use serde::Deserialize;
use std::fmt;

/// Everything that can be asked. Whatever else is asked is a problem of the test.
const ACTIONS: &[(Service, &[&str])] = &[
    (Service::Sts, &["AssumeRoleWithWebIdentity", "GetCallerIdentity"]),
    (
        Service::Iam,
        &[
            "AddClientIDToOpenIDConnectProvider",
            "CreateOpenIDConnectProvider",
            "CreateRole",
            "DeleteOpenIDConnectProvider",
            "DeleteRole",
            "DeleteRolePolicy",
            "GetOpenIDConnectProvider",
            "GetRole",
            "GetRolePolicy",
            "ListAttachedRolePolicies",
            "ListOpenIDConnectProviders",
            "ListRolePolicies",
            "ListRoles",
            "PutRolePolicy",
            "RemoveClientIDFromOpenIDConnectProvider",
            "SimulatePrincipalPolicy",
            "UpdateAssumeRolePolicy",
            "UpdateOpenIDConnectProviderThumbprint",
        ],
    ),
    (
        Service::Eks,
        &[
            "CreateAddon",
            "DeleteAddon",
            "CreatePodIdentityAssociation",
            "DeletePodIdentityAssociation",
            "DescribeCluster",
            "DescribePodIdentityAssociation",
            "ListClusters",
            "ListPodIdentityAssociations",
            "UpdatePodIdentityAssociation",
        ],
    ),
    (Service::CloudTrail, &["LookupEvents"]),
];

/// `iam:GetRole`, `iam:*`, `iam:List*` or `*`. One that picks nothing (a typing error) is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ActionPattern(String);

impl ActionPattern {
    /// Whether it picks this action.
    pub fn matches(&self, action: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => action.starts_with(start),
            None => self.0 == action,
        }
    }
}

impl TryFrom<String> for ActionPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let pattern = ActionPattern(text);
        let mut actions = ACTIONS
            .iter()
            .flat_map(|(service, names)| names.iter().map(|name| format!("{}:{name}", service.name())));
        if actions.any(|action| pattern.matches(&action)) {
            Ok(pattern)
        } else {
            Err(format!("{:?} is none of the actions of the fake AWS (see action.rs)", pattern.0))
        }
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let pattern = |text: &str| ActionPattern::try_from(text.to_owned());
        assert!(pattern("iam:List*").unwrap().matches("iam:ListRoles"));
        assert!(!pattern("iam:List*").unwrap().matches("iam:GetRole"));
        assert!(pattern("*").unwrap().matches("eks:DescribeCluster"));
        assert!(!pattern("iam:GetRole").unwrap().matches("iam:GetRolePolicy"));
        for typo in ["iam:Getrole", "iam:Roles*", "s3:*", ""] {
            assert!(pattern(typo).unwrap_err().contains("none of the actions"), "{typo}");
        }
    }
}

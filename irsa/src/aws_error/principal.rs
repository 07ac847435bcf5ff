//! Who a caller was, from its ARN: the session name shows which SDK created the session, and from what.

use base64::Engine;
use serde::{Deserialize, Serialize};

use super::pieces;

/// A caller of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The whole ARN.
    pub arn: String,
    /// `aws`, `aws-cn`, …
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// What it is.
    pub kind: PrincipalKind,
}

/// What a caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A role's session.
    AssumedRole {
        /// The role's name, without its path.
        role: String,
        /// The session's name.
        session: String,
        /// Who made the session.
        source: SessionSource,
    },
    /// An IAM user: path and name.
    User(String),
    /// A federated user.
    FederatedUser(String),
    /// The account itself.
    Root,
}

/// Who created a session, judging by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionSource {
    /// An EC2 instance profile, from the metadata service: `i-0123456789abcdef0`. In a pod: the node's role.
    NodeInstance,
    /// boto3 or the AWS CLI: `botocore-session-<seconds>`.
    Botocore,
    /// Go, v1 and v2: the time in nanoseconds.
    Go,
    /// Java: `aws-sdk-java-<milliseconds>`.
    Java,
    /// JavaScript v3: `aws-sdk-js-session-<milliseconds>`; v2: `token-file-web-identity`.
    Js,
    /// PHP: `aws-sdk-php-<milliseconds>`.
    Php,
    /// Ruby: a UUID in Base64.
    Ruby,
    /// .NET: `aws-dotnet-sdk-session-<ticks>`, whatever the session was made from.
    DotNet,
    /// Rust: `web-identity-token-<milliseconds>`.
    Rust,
    /// EKS Pod Identity: `eks-<cluster>-<pod>-<uuid>`.
    PodIdentity,
    /// A custom name, usually from `AWS_ROLE_SESSION_NAME`.
    Custom,
}

impl SessionSource {
    /// Reads a session's name.
    pub fn of(session: &str) -> Self {
        let numbered = |prefix: &str| {
            session.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && pieces::is_digits(rest))
        };
        if session.strip_prefix("i-").is_some_and(|id| matches!(id.len(), 8 | 17) && pieces::is_hex(id)) {
            Self::NodeInstance
        } else if numbered("botocore-session-") {
            Self::Botocore
        } else if session.len() == 19 && pieces::is_digits(session) {
            Self::Go
        } else if numbered("aws-sdk-java-") {
            Self::Java
        } else if numbered("aws-sdk-js-session-") || session == "token-file-web-identity" {
            Self::Js
        } else if numbered("aws-sdk-php-") {
            Self::Php
        } else if numbered("aws-dotnet-sdk-session-") {
            Self::DotNet
        } else if numbered("web-identity-token-") {
            Self::Rust
        } else if is_pod_identity(session) {
            Self::PodIdentity
        } else if is_uuid_in_base64(session) {
            Self::Ruby
        } else {
            Self::Custom
        }
    }

    /// True if the session was created from a web identity token, as far as the name shows.
    pub const fn is_web_identity(self) -> bool {
        matches!(
            self,
            Self::Botocore | Self::Go | Self::Java | Self::Js | Self::Php | Self::Ruby | Self::Rust
        )
    }
}

/// `eks-<cluster>-<pod>-<uuid>`; the parts before the UUID are cut where 64 characters would not hold all.
fn is_pod_identity(session: &str) -> bool {
    session.starts_with("eks-")
        && pieces::tail(session, 37).is_some_and(|tail| tail.strip_prefix('-').is_some_and(pieces::is_uuid))
}

fn is_uuid_in_base64(session: &str) -> bool {
    session.len() == 48
        && base64::engine::general_purpose::STANDARD
            .decode(session)
            .is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok_and(pieces::is_uuid))
}

/// Reads the ARN of a caller: an assumed role, a user, a federated user or the account; `None` for anything else.
pub fn principal(arn: &str) -> Option<Principal> {
    let parts = pieces::arn(arn)?;
    if parts.account.is_empty() || !parts.region.is_empty() {
        return None;
    }
    let kind = match (parts.service, parts.resource.split_once('/')) {
        ("sts", Some(("assumed-role", rest))) => {
            let (role, session) = rest.rsplit_once('/')?;
            // The ARN of a session has the role's name without its path.
            let named =
                pieces::is_iam_name(role, 64) && pieces::is_iam_name(session, 64) && session.len() >= 2;
            let source = SessionSource::of(session);
            named.then(|| PrincipalKind::AssumedRole {
                role: role.to_owned(),
                session: session.to_owned(),
                source,
            })?
        }
        ("sts", Some(("federated-user", name))) if pieces::is_iam_name(name, 64) => {
            PrincipalKind::FederatedUser(name.to_owned())
        }
        ("iam", Some(("user", name))) if name.split('/').all(|part| pieces::is_iam_name(part, 512)) => {
            PrincipalKind::User(name.to_owned())
        }
        ("iam", None) if parts.resource == "root" => PrincipalKind::Root,
        _ => return None,
    };
    Some(Principal {
        arn: arn.to_owned(),
        partition: parts.partition.to_owned(),
        account: parts.account.to_owned(),
        kind,
    })
}

impl Principal {
    /// True if both are the same caller, whatever number the SDK put into the session name.
    pub fn is_same_caller(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (
                PrincipalKind::AssumedRole { role, source, .. },
                PrincipalKind::AssumedRole { role: other_role, source: other_source, .. },
            ) if source.is_web_identity() || *source == SessionSource::DotNet => {
                (role, source, &self.account) == (other_role, other_source, &other.account)
            }
            _ => self.arn == other.arn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(session: &str) -> SessionSource {
        match principal(&format!("arn:aws:sts::111122223333:assumed-role/app/{session}")).map(|it| it.kind) {
            Some(PrincipalKind::AssumedRole { source, .. }) => source,
            other => panic!("{session}: {other:?}"),
        }
    }

    #[test]
    fn the_session_tells_who_made_it() {
        for (session, expected) in [
            ("i-0123456789abcdef0", SessionSource::NodeInstance),
            ("i-0123abcd", SessionSource::NodeInstance),
            ("i-0123456789abcdef0x", SessionSource::Custom),
            ("i-am-a-robot", SessionSource::Custom),
            ("botocore-session-1600183751", SessionSource::Botocore),
            ("botocore-session-", SessionSource::Custom),
            ("1591933733417216379", SessionSource::Go),
            ("1591933733", SessionSource::Custom),
            ("aws-sdk-java-1687170862311", SessionSource::Java),
            ("aws-sdk-js-session-1687170862311", SessionSource::Js),
            ("token-file-web-identity", SessionSource::Js),
            ("aws-sdk-php-1687170862311", SessionSource::Php),
            ("aws-dotnet-sdk-session-636238288466144357", SessionSource::DotNet),
            ("web-identity-token-1687170862311", SessionSource::Rust),
            ("eks-shop-checkout-7d-69f9f45f-6f0f-4b3e-9f0e-0f1d2c3b4a59", SessionSource::PodIdentity),
            ("eks-shop", SessionSource::Custom),
            ("NjlmOWY0NWYtNmYwZi00YjNlLTlmMGUtMGYxZDJjM2I0YTU5", SessionSource::Ruby),
            ("checkout", SessionSource::Custom),
        ] {
            assert_eq!(source(session), expected, "{session}");
        }
    }

    #[test]
    fn other_callers() {
        let kind = |arn| principal(arn).map(|it| it.kind);
        assert_eq!(kind("arn:aws:iam::111122223333:root"), Some(PrincipalKind::Root));
        assert_eq!(
            kind("arn:aws-cn:iam::111122223333:user/team/ada"),
            Some(PrincipalKind::User(String::from("team/ada")))
        );
        assert_eq!(
            kind("arn:aws:sts::111122223333:federated-user/ada"),
            Some(PrincipalKind::FederatedUser(String::from("ada")))
        );
        for arn in [
            "",
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:sts::111122223333:assumed-role/app",
            "arn:aws:sts::1111:assumed-role/app/x1",
            "arn:aws:sts::111122223333:assumed-role/app/two words",
            "arn:aws:sts::111122223333:assumed-role/app/AKIAIOSFODNN7EXAMPLE",
            "arn:gcp:sts::111122223333:assumed-role/app/x1",
            "arn:aws:s3:::bucket/key",
        ] {
            assert_eq!(principal(arn), None, "{arn}");
        }
    }

    #[test]
    fn a_new_number_is_no_new_caller() {
        let caller =
            |session| principal(&format!("arn:aws:sts::111122223333:assumed-role/app/{session}")).unwrap();
        assert!(caller("botocore-session-1600183751").is_same_caller(&caller("botocore-session-1600183752")));
        assert!(!caller("botocore-session-1600183751").is_same_caller(&caller("1591933733417216379")));
        assert!(!caller("i-0123456789abcdef0").is_same_caller(&caller("i-0123456789abcdef1")));
        assert!(!caller("checkout").is_same_caller(&caller("payment")));
    }
}

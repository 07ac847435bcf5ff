//! Whose an error is: what the text names, compared with the pod's own.

use super::caller::Expected;
use super::container::{ContainerView, ROLE_ARN};
use super::issuer::eks_id;
use crate::aws::arn::{Arn, RoleArn};
use crate::aws::endpoint::{host_of_url, is_aws};
use crate::aws_error::{Kind, PrincipalKind, SessionSource, Sighting, Voice};
use crate::facts::{Facts, LoggedError};

/// Whose error it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The pod's: the text names what is the pod's, or the process complains of a call of its own.
    Pods,
    /// Of another identity or cluster than the pod's.
    Other(Difference),
    /// Not of AWS: the container's variables lead to this host instead.
    Elsewhere(String),
    /// The process only passes it on.
    PassedOn(Voice),
    /// Nothing shows whose call it was; why not.
    Unattributed(&'static str),
}

/// What an error names, and the pod's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `role`, `issuer` …
    pub what: &'static str,
    /// What the error names.
    pub named: String,
    /// The pod's own.
    pub own: String,
}

/// S3's operations that applications call most, where the text does not name the service (S3 API reference).
const OF_S3: [&str; 12] = [
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
    "GetBucketLocation",
    "GetObject",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListObjects",
    "ListObjectsV2",
    "PutObject",
];

impl Whose {
    /// True if the error is not about a call of the pod's to AWS.
    pub fn is_of_others(&self) -> bool {
        match self {
            Self::Other(_) | Self::Elsewhere(_) | Self::PassedOn(_) => true,
            Self::Pods | Self::Unattributed(_) => false,
        }
    }

    /// The attribution in words: whose it is, and by what.
    pub fn reason(&self) -> String {
        match self {
            Self::Pods => String::from("the container reports it of a call of its own"),
            Self::Other(Difference { what, named, own }) => {
                format!("it names {what} {named}; the pod's is {own}")
            }
            Self::Elsewhere(host) => {
                format!("it comes from {host}, to which the container's variables lead, and not from AWS")
            }
            Self::PassedOn(voice) => String::from(match voice {
                Voice::Payload => "it is a record in the data that the process handles",
                Voice::Quoted => "the process quotes it",
                Voice::Expected => "the process expected it",
                Voice::Presigned => "it answers a request that somebody else signed",
                Voice::Own | Voice::Attempt | Voice::Raw => "the process passes it on",
            }),
            Self::Unattributed(why) => format!("it is not known whose call it was: {why}"),
        }
    }
}

/// What the pod would name.
pub(super) struct Own<'a> {
    facts: &'a Facts,
    expected: &'a Expected,
    target: Option<&'a ContainerView<'a>>,
}

impl<'a> Own<'a> {
    pub(super) fn new(
        facts: &'a Facts,
        expected: &'a Expected,
        target: Option<&'a ContainerView<'a>>,
    ) -> Self {
        Self { facts, expected, target }
    }

    /// Whose an error is. What the user hands over (`--error`) is complained of, whatever its form.
    pub(super) fn whose(&self, logged: &LoggedError) -> Whose {
        let error = &logged.error;
        if !logged.given && error.voice.is_of_others() {
            return Whose::PassedOn(error.voice);
        }
        if error.voice == Voice::Presigned {
            return Whose::PassedOn(error.voice);
        }
        if let Some(host) = self.elsewhere(error) {
            return Whose::Elsewhere(host);
        }
        match self.difference(error) {
            Some(difference) => Whose::Other(difference),
            None if error.voice == Voice::Raw => Whose::Unattributed(
                "the answer is shown as it came over the wire, without who had signed the request",
            ),
            None if error.kind == Kind::AccessDenied => {
                Whose::Unattributed("AWS does not name the caller that it denied")
            }
            None => Whose::Pods,
        }
    }

    /// The first thing that the text names and that is not the pod's.
    fn difference(&self, error: &Sighting) -> Option<Difference> {
        let service_account = || {
            let named = error.service_account.as_ref()?;
            let named = format!("{}/{}", named.namespace, named.name);
            let own = format!("{}/{}", self.facts.namespace_name, self.facts.service_account_name);
            differs("service account", named, own)
        };
        service_account()
            .or_else(|| self.role(error))
            .or_else(|| self.issuer(error))
            .or_else(|| self.account(error))
            .or_else(|| self.cluster(error))
            .or_else(|| self.node(error))
    }

    /// The role that could not be assumed with a token.
    fn role(&self, error: &Sighting) -> Option<Difference> {
        let resource = error.resource.as_deref().filter(|_| error.kind == Kind::NotAuthorizedToAssume)?;
        let named = RoleArn::parse(resource).ok()?;
        let (account, name) = self.expected.role()?;
        let is_own = named.account == account && named.name() == name;
        // Another container of the pod, or the manifest, may name another one.
        let in_pod = || self.target?.env.get(ROLE_ARN)?.text();
        (!is_own && in_pod() != Some(resource)).then(|| Difference {
            what: "role",
            named: resource.to_owned(),
            own: format!("role {name} of account {account}"),
        })
    }

    /// The issuer that STS has no provider for.
    fn issuer(&self, error: &Sighting) -> Option<Difference> {
        let named = error.issuer.as_deref()?;
        let issuer = &self.facts.issuer;
        let minted = issuer.minted.known().and_then(|claims| claims.value.iss.as_deref());
        let served = issuer.api.known().map(|served| served.value.issuer.as_str());
        let described = self.facts.aws.cluster.known().and_then(|cluster| cluster.value.issuer.as_deref());
        let probed =
            self.facts.probed.known().and_then(|probed| probed.value.claims.as_ref()?.iss.as_deref());
        let own: Vec<&str> = [minted, served, described, probed].into_iter().flatten().collect();
        let is =
            |own: &&&str| bare(own) == bare(named) || eks_id(own).is_some() && eks_id(own) == eks_id(named);
        match own.first() {
            Some(first) if !own.iter().any(|own| is(&own)) => {
                Some(Difference { what: "issuer", named: named.to_owned(), own: (*first).to_owned() })
            }
            _ => None,
        }
    }

    /// The account in which STS is not active in a Region.
    fn account(&self, error: &Sighting) -> Option<Difference> {
        let (account, _) = self.expected.role()?;
        differs("account", error.account.clone()?, account.to_owned())
    }

    /// The cluster whose node asked for a pod's credentials.
    fn cluster(&self, error: &Sighting) -> Option<Difference> {
        // Other services have clusters, too, and a role may lack a permission on another cluster.
        let arn = error.resource.as_deref().filter(|_| error.kind == Kind::NodeNotAuthorized)?;
        let named = Arn::split(arn)?.resource.strip_prefix("cluster/")?;
        let own = self.facts.aws.cluster.known()?;
        differs("cluster", named.to_owned(), own.value.name.clone())
    }

    /// An instance of another account is no node of this cluster.
    fn node(&self, error: &Sighting) -> Option<Difference> {
        let principal = error.principal.as_ref()?;
        let PrincipalKind::AssumedRole { source: SessionSource::NodeInstance, .. } = &principal.kind else {
            return None;
        };
        let own = Arn::account_of(&self.facts.aws.cluster.known()?.value.arn)?;
        differs("an instance of account", principal.account.clone(), own.to_owned())
    }

    /// The host that the container asks for S3, if that is not AWS: what denies there without a name is not AWS.
    fn elsewhere(&self, error: &Sighting) -> Option<String> {
        let of_s3 = error.of_s3 || error.operation.as_deref().is_some_and(|name| OF_S3.contains(&name));
        if !of_s3 || error.principal.is_some() {
            return None;
        }
        let (_, entry) = self.target?.env.first_set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])?;
        let host = host_of_url(entry.text()?)?;
        (!is_aws(host)).then(|| host.to_owned())
    }
}

fn differs(what: &'static str, named: String, own: String) -> Option<Difference> {
    (named != own).then_some(Difference { what, named, own })
}

fn bare(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url).trim_end_matches('/')
}

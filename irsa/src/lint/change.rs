//! What a change set holds: objects of Kubernetes, roles, OIDC providers and associations, each value with its place.

use std::fmt;

use crate::aws::arn::{Arn, RoleArn};
use crate::documents::yaml::Node;
use crate::documents::{DocumentError, Place};
use crate::facts::{Position, Source};

use super::policy::Tree;
use super::text::Text;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub at: Position,
}

/// What all files hold together.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Objects of Kubernetes, in the order of the files.
    pub objects: Vec<Object>,
    /// Roles.
    pub roles: Vec<Role>,
    /// OIDC providers.
    pub providers: Vec<Provider>,
    /// EKS Pod Identity associations.
    pub associations: Vec<Association>,
    /// What could not be checked.
    pub unknowns: Vec<Unchecked>,
    /// What could not be read.
    pub unread: Vec<DocumentError>,
    /// What was found in a directory and passed over, as it is nothing that is checked here.
    pub skipped: Vec<DocumentError>,
    /// The same of files that the user named.
    pub foreign: Vec<DocumentError>,
}

/// Something that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// Where it stands.
    pub place: Place,
    /// What, and why.
    pub words: String,
}

/// An object of Kubernetes.
pub(crate) struct Object {
    /// Its file.
    pub file: String,
    /// The number of its document, from 1.
    pub document: usize,
    /// Kind.
    pub kind: String,
    /// API group, if its document names one.
    pub group: Option<String>,
    /// The object.
    pub node: Node,
}

/// An IAM role.
#[derive(Debug)]
pub(crate) struct Role {
    /// Its file.
    pub file: String,
    /// Where it stands.
    pub at: Position,
    /// What refers to it: its address, or its logical name.
    pub label: String,
    /// Its name, if it is known.
    pub name: Option<String>,
    /// Its path, if it is known.
    pub path: Option<String>,
    /// Its ARN, if it is known.
    pub arn: Option<String>,
    /// Its trust policy; `None` if it is not known.
    pub trust: Option<Tree>,
}

/// An OIDC provider.
#[derive(Debug)]
pub(crate) struct Provider {
    /// Its file.
    pub file: String,
    /// Its URL.
    pub url: Placed<Text>,
    /// The issuer that it is meant for, without scheme, if that is known.
    pub issuer: Option<String>,
    /// Its audiences; `None` if they are not known.
    pub client_ids: Option<Placed<Vec<Text>>>,
}

/// An EKS Pod Identity association.
#[derive(Debug)]
pub(crate) struct Association {
    /// Its file.
    pub file: String,
    /// Where it stands.
    pub at: Position,
    /// The namespace.
    pub namespace: Text,
    /// The service account.
    pub service_account: Text,
    /// The role's ARN.
    pub role: Placed<Text>,
    /// The target role's ARN.
    pub target_role: Option<Placed<Text>>,
    /// True unless session tags are disabled.
    pub session_tags: bool,
}

/// What it contains is not shown: it may be anybody's.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind, self.file)
    }
}

impl Object {
    /// True if that is where it names its role.
    pub(crate) fn names_role_at(&self, source: &Source) -> bool {
        let at = super::rules::role_of(self).map(|(_, value)| value.at);
        matches!(source, Source::File { file, position, .. } if *file == self.file && Some(*position) == at)
    }

    /// A text of its metadata.
    pub(crate) fn meta(&self, key: &str) -> Option<&str> {
        self.node.get("metadata")?.text(key)
    }

    /// `deployment shop/checkout`, for a sentence.
    pub(crate) fn shown(&self) -> String {
        let name = self.meta("name").unwrap_or("without a name");
        let namespace = self.meta("namespace").map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{} {namespace}{name}", self.kind)
    }

    /// The metadata and the spec of its pods, if it makes any.
    pub(crate) fn template(&self) -> Option<(Option<&Node>, &Node)> {
        let spec = self.node.get("spec");
        let template = match self.kind.as_str() {
            "Pod" => return Some((self.node.get("metadata"), spec?)),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => spec?.get("template")?,
            "CronJob" => spec?.get("jobTemplate")?.get("spec")?.get("template")?,
            _ => return None,
        };
        Some((template.get("metadata"), template.get("spec")?))
    }
}

impl Provider {
    pub(crate) fn new(file: &str, url: Placed<Text>, client_ids: Option<Placed<Vec<Text>>>) -> Self {
        let issuer = url.value.whole().and_then(super::trust::issuer_of);
        Self { file: file.to_owned(), url, issuer, client_ids }
    }
}

impl Role {
    /// What it is called in a sentence.
    pub(crate) fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.label)
    }

    /// Its account, if its ARN is known.
    pub(crate) fn account(&self) -> Option<&str> {
        Arn::account_of(self.arn.as_deref()?)
    }

    /// Path and name, as they stand in its ARN.
    pub(crate) fn path_and_name(&self) -> Option<String> {
        if let Some(arn) = &self.arn {
            return RoleArn::parse(arn).ok().map(|arn| arn.path_and_name.to_owned());
        }
        let name = self.name.as_deref()?;
        Some(format!("{}{name}", self.path.as_deref().unwrap_or("/").trim_start_matches('/')))
    }
}

/// How a role is named.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named<'c> {
    /// By that ARN, or its own is not known and the rest fits.
    Certainly(&'c Role),
    /// The name fits, its path does not.
    Nearly(&'c Role),
}

impl Change {
    /// The role of an ARN. `None` if the change has none, or several of that name.
    pub(crate) fn role(&self, arn: &str) -> Option<Named<'_>> {
        let named = RoleArn::parse(arn).ok()?;
        if let Some(role) = self.roles.iter().find(|role| role.arn.as_deref() == Some(arn)) {
            return Some(Named::Certainly(role));
        }
        // The partition is judged by itself.
        let but_for_partition = |role: &&Role| {
            role.account() == Some(named.account)
                && role.path_and_name().as_deref() == Some(named.path_and_name)
        };
        if let Some(role) = only(self.roles.iter().filter(but_for_partition)) {
            return Some(Named::Certainly(role));
        }
        let open =
            || self.roles.iter().filter(|role| role.account().is_none_or(|known| known == named.account));
        let exact =
            |role: &&Role| role.arn.is_none() && role.path_and_name().as_deref() == Some(named.path_and_name);
        if let Some(role) = only(open().filter(exact)) {
            return Some(Named::Certainly(role));
        }
        let near = |role: &&Role| {
            let own = role.path_and_name();
            own.is_some_and(|own| {
                own != named.path_and_name
                    && own.rsplit('/').next().is_some_and(|own| own.eq_ignore_ascii_case(named.name()))
            })
        };
        // A role without a known path may have the right one.
        only(open().filter(|role| role.path.is_some() || role.arn.is_some()).filter(near)).map(Named::Nearly)
    }

    /// The role that a text names, by its ARN or by reference.
    pub(crate) fn role_of(&self, text: &Text) -> Option<&Role> {
        match (text.whole(), text.only_gap()) {
            (Some(arn), _) => match self.role(arn)? {
                Named::Certainly(role) => Some(role),
                Named::Nearly(_) => None,
            },
            (None, Some(label)) => {
                let label = label.strip_suffix(".arn").or_else(|| label.strip_suffix(".Arn"))?;
                only(self.roles.iter().filter(|role| role.label == label))
            }
            // `arn:aws:iam::${AWS::AccountId}:role/app`
            (None, None) => {
                let fits = |role: &&Role| match (&role.arn, role.path_and_name()) {
                    (Some(arn), _) => text.may_be(arn),
                    (None, Some(name)) => text.shown().ends_with(&format!(":role/{name}")),
                    (None, None) => false,
                };
                only(self.roles.iter().filter(fits))
            }
        }
    }
}

/// The only one, if there is only one.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

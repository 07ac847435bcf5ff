//! A folder per link with one file per failure mode, named after its id. The lists of the folders are the registry.
//!
//! A check reads [`Derived`] and answers; it does no I/O and reads no clock. Its module documentation is its page: what
//! `kubectl irsa explain ID` prints and what `docs/checks/` contains. To add one, write the file, add its name to the list of its
//! folder, and add `tests/worlds/<id>/{broken,fine}.<case>.yaml`.

pub mod catalogue;
mod outcome;
mod prelude;
mod shared;

pub(crate) use outcome::{Outcome, unknown};

use crate::derive::Derived;
use crate::derive::container::ContainerView;
use crate::derive::sts_answer::Refusal;
use crate::finding::{About, Confidence, Finding, Severity};
use crate::mechanism::Mechanism;
use crate::step::Step;

/// A check's static data.
#[derive(Debug)]
pub struct Meta {
    /// Kebab-case id; never reused, never renamed.
    pub id: &'static str,
    /// The link that it checks.
    pub step: Step,
    /// The failure mode in a few words.
    pub title: &'static str,
    /// Ids of failure modes that are only consequences of this one.
    pub explains: &'static [&'static str],
}

/// A registered check.
#[derive(Debug)]
pub struct Check {
    /// Its static data.
    pub meta: &'static Meta,
    /// The check.
    pub(crate) run: fn(&Derived<'_>) -> Outcome,
    /// Its source file, for its page.
    source: &'static str,
}

impl Check {
    /// The check's page in Markdown: its module documentation.
    pub fn page(&self) -> String {
        page_of(self.source)
    }
}

fn page_of(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n") + "\n"
}

/// The checks of one link: each a module named after its id, in the order in which faults of the link are to be repaired.
macro_rules! checks {
    ($link:literal [$($step:ident),+]: $($name:ident,)*) => {
        $(mod $name;)*
        pub(super) static LINK: $crate::checks::Link = $crate::checks::Link {
            title: $link,
            steps: &[$($crate::step::Step::$step),+],
            checks: &[$($crate::checks::Check {
                meta: &$name::META,
                run: $name::check,
                source: include_str!(concat!(stringify!($name), ".rs")),
            },)*],
        };
    };
}
use checks;

/// A folder of checks.
#[derive(Debug)]
pub struct Link {
    /// Its name.
    pub title: &'static str,
    /// The steps of the chain that its checks look at.
    pub steps: &'static [Step],
    /// Its checks, in the order in which faults are to be repaired.
    pub checks: &'static [Check],
}

macro_rules! links {
    ($($name:ident,)*) => {
        $(mod $name;)*
        /// Every folder, in the order of the chain.
        pub static LINKS: &[&Link] = &[$(&$name::LINK,)*];
    };
}

links! {
    service_account,
    pod_spec,
    injection,
    token,
    network,
    issuer,
    oidc_provider,
    role,
    trust_policy,
    sts,
    caller,
    permissions,
    pod_identity,
}

/// Every check, in the order of repair.
pub fn all() -> impl Iterator<Item = &'static Check> + Clone {
    LINKS.iter().flat_map(|link| link.checks)
}

/// Suspected failure modes that are not faults: pages for `explain`, and fine worlds in the tests.
pub static NOT_A_FAULT: &[(&str, &str)] = &[
    ("automount-false", include_str!("not_a_fault/automount_false.md")),
    ("ephemeral-container", include_str!("not_a_fault/ephemeral_container.md")),
    ("hostnetwork", include_str!("not_a_fault/hostnetwork.md")),
    ("ec2-metadata-disabled", include_str!("not_a_fault/ec2_metadata_disabled.md")),
    ("imds-hop-limit", include_str!("not_a_fault/imds_hop_limit.md")),
    ("sa-recreated-uid", include_str!("not_a_fault/sa_recreated_uid.md")),
    ("openshift-sts", include_str!("not_a_fault/openshift_sts.md")),
    ("kops-direct", include_str!("not_a_fault/kops_direct.md")),
    ("csi-pod-credentials", include_str!("not_a_fault/csi_pod_credentials.md")),
    ("trust-multiple-statements", include_str!("not_a_fault/trust_multiple_statements.md")),
];

impl Meta {
    /// Starts an error about the subject's service account.
    pub fn on_account(&self, derived: &Derived<'_>, summary: impl Into<String>) -> Finding {
        let facts = derived.facts;
        self.on("ServiceAccount", &facts.namespace_name, &facts.service_account_name, summary)
    }

    /// Starts an error about the pod, or about the template of future pods.
    pub fn on_subject(&self, derived: &Derived<'_>, summary: impl Into<String>) -> Finding {
        let facts = derived.facts;
        match &facts.subject {
            crate::facts::Subject::Pod(pod) => {
                self.on("Pod", &facts.namespace_name, &pod.value.metadata.name, summary)
            }
            crate::facts::Subject::Template(owner) => {
                self.on(&owner.value.kind, &facts.namespace_name, &owner.value.meta.name, summary)
            }
            crate::facts::Subject::ServiceAccount => self.on_account(derived, summary),
        }
    }

    /// Starts a finding about a container of the subject; one severity lower for a container other than the target.
    pub fn on_container(
        &self,
        derived: &Derived<'_>,
        view: &ContainerView<'_>,
        severity: Severity,
        summary: impl Into<String>,
    ) -> Finding {
        let severity = match severity {
            _ if view.is_target => severity,
            Severity::Error => Severity::Warning,
            Severity::Warning | Severity::Info => Severity::Info,
        };
        self.on_subject(derived, summary).container(view.name()).severity(severity)
    }

    /// Starts an error about any object.
    pub fn on(&self, kind: &str, namespace: &str, name: &str, summary: impl Into<String>) -> Finding {
        Finding {
            id: self.id,
            step: self.step,
            title: self.title,
            severity: Severity::Error,
            confidence: Confidence::Observed,
            summary: summary.into(),
            about: About {
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                container: None,
                path: None,
            },
            evidence: Vec::new(),
            fixes: Vec::new(),
            doubt: None,
        }
    }
}

/// The ARN of the role to ask AWS about, or the answer of a check if there is none.
fn role_asked(derived: &Derived<'_>) -> Result<String, Outcome> {
    match derived.intent.mechanism {
        Mechanism::PodIdentity => {
            Err(Outcome::NotApplicable("the pod gets its identity from EKS Pod Identity"))
        }
        Mechanism::Unknown => Err(Outcome::Unknown(derived.account_unknown().into_iter().cloned().collect())),
        _ => derived
            .plan()
            .role_arn
            .ok_or(Outcome::NotApplicable("no role that AWS could be asked about is named")),
    }
}

/// Adds STS's answer, verbatim.
fn with_answer(finding: Finding, refusal: &Refusal<'_>) -> Finding {
    let chosen = refusal.attempt.chosen_by.as_ref().map_or_else(String::new, |by| format!(", {by}"));
    finding.seen(
        format!("answer from {}{chosen}", refusal.attempt.host),
        format!("{}: {}", refusal.code, refusal.message),
        refusal.source,
    )
}

/// Looks a check up by its id.
pub fn by_id(id: &str) -> Option<&'static Check> {
    all().find(|check| check.meta.id == id)
}

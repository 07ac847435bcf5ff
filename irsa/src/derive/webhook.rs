//! The pod identity webhook as it is registered now, and whether it would see the subject.

use crate::facts::kubernetes::{MutatingWebhookConfiguration, ServiceRef, Webhook, WebhookRule};
use crate::facts::{Fact, Facts, Listing, Source, Sourced, Unknown};

/// The default annotation prefix (webhook `main.go`, flag `--annotation-prefix`).
pub(crate) const DEFAULT_PREFIX: &str = "eks.amazonaws.com";
/// The label that the EKS-managed registration skips, whatever its value.
pub(crate) const SKIP_LABEL: &str = "eks.amazonaws.com/skip-pod-identity-webhook";
/// Where EKS runs its webhook: on the control plane, so that no pod or service of it is in the cluster.
const EKS_URL: &str = "https://127.0.0.1:23443";

/// The webhook's registrations.
#[derive(Debug)]
pub enum Registrations<'f> {
    /// One or more; two means a leftover beside the managed one.
    Found(Vec<Registration<'f>>),
    /// The complete list has none.
    Missing(&'f Source),
    /// The list could not be read in full.
    Unknown(&'f Unknown),
}

/// One registration.
#[derive(Debug, Clone, Copy)]
pub struct Registration<'f> {
    /// The object.
    pub config: &'f Sourced<MutatingWebhookConfiguration>,
    /// Index within `webhooks`.
    pub index: usize,
    /// The webhook.
    pub webhook: &'f Webhook,
}

impl<'f> Registration<'f> {
    /// True for the webhook that EKS runs on the control plane.
    pub fn eks_managed(&self) -> bool {
        self.webhook.client_config.url.starts_with(EKS_URL)
    }

    /// The service that it calls, if it is one of the cluster's own.
    pub fn service(&self) -> Option<&'f ServiceRef> {
        self.webhook.client_config.service.as_ref()
    }

    /// True if the pod is admitted unchanged when the call fails.
    pub fn fails_open(&self) -> bool {
        self.webhook.failure_policy == "Ignore"
    }

    /// Where a field of the webhook stands.
    pub fn at(&self, field: &str) -> Source {
        self.config.source.at(format!(".webhooks[{}]{field}", self.index))
    }

    /// `mutatingwebhookconfiguration/pod-identity-webhook`.
    pub fn name(&self) -> &'f str {
        &self.config.value.metadata.name
    }
}

impl<'f> Registrations<'f> {
    /// Finds the webhook by the names that EKS and the public manifests give it.
    pub fn of(facts: &'f Facts) -> Self {
        let listing = match &facts.cluster.webhooks {
            Fact::Known(listing) => listing,
            Fact::Absent { source } => return Self::Missing(source),
            Fact::Unknown(unknown) => return Self::Unknown(unknown),
        };
        let found = registrations(listing);
        match (&listing.value.cut, found.is_empty()) {
            (_, false) => Self::Found(found),
            (Some(unknown), true) => Self::Unknown(unknown),
            (None, true) => Self::Missing(&listing.source),
        }
    }

    /// The registrations, none if they are not known.
    pub fn found(&self) -> &[Registration<'f>] {
        match self {
            Self::Found(found) => found,
            Self::Missing(_) | Self::Unknown(_) => &[],
        }
    }
}

fn registrations(listing: &Sourced<Listing<MutatingWebhookConfiguration>>) -> Vec<Registration<'_>> {
    listing
        .value
        .items
        .iter()
        .flat_map(|config| {
            config.value.webhooks.iter().enumerate().map(move |(index, webhook)| Registration {
                config,
                index,
                webhook,
            })
        })
        .filter(is_pod_identity)
        .collect()
}

/// The service of a webhook that runs in the cluster; the EKS-managed one has none.
pub(crate) fn self_hosted_service(
    webhooks: &Fact<Listing<MutatingWebhookConfiguration>>,
) -> Option<ServiceRef> {
    let registered = registrations(webhooks.known()?);
    registered.into_iter().find_map(|registration| registration.webhook.client_config.service.clone())
}

fn is_pod_identity(registration: &Registration<'_>) -> bool {
    const NAMES: [&str; 2] = ["iam-for-pods.amazonaws.com", "pod-identity-webhook.amazonaws.com"];
    let name = registration.webhook.name.as_str();
    // A registration with a custom name is recognised by the service it calls.
    let service = registration.service().is_some_and(|service| service.name.contains("pod-identity-webhook"));
    registration.eks_managed()
        || service
        || NAMES.contains(&name)
        || name.contains("pod-identity-webhook")
        || registration.name().contains("pod-identity-webhook")
}

/// Settings of the webhook: the defaults of `main.go`, changed by the flags of a self-hosted one.
#[derive(Debug)]
pub struct Settings {
    /// `--annotation-prefix`.
    pub annotation_prefix: String,
    /// `--token-audience`.
    pub audience: String,
    /// `--compose-role-arn`: a role name is enough in the annotation.
    pub compose_role_arn: bool,
    /// `--watch-config-map`.
    pub watch_config_map: bool,
    /// `--aws-default-region`: the region that pods get. EKS's own webhook sets one too, which is not read here.
    pub default_region: Option<String>,
    /// True unless the webhook is self-hosted and its workload could not be read.
    pub certain: bool,
}

impl Settings {
    /// Reads the flags of the workload, if there is one.
    pub fn of(facts: &Facts, registrations: &Registrations<'_>) -> Self {
        let mut settings = Self {
            annotation_prefix: DEFAULT_PREFIX.to_owned(),
            audience: String::from("sts.amazonaws.com"),
            compose_role_arn: false,
            watch_config_map: false,
            default_region: None,
            certain: true,
        };
        if registrations.found().iter().any(Registration::eks_managed) {
            return settings;
        }
        let Some(workload) = facts.cluster.webhook_workload.known() else {
            settings.certain = false;
            return settings;
        };
        for container in &workload.value.template_spec.containers {
            let words: Vec<&str> =
                container.command.iter().chain(container.args.iter()).map(String::as_str).collect();
            for word in words {
                let (name, value) = word
                    .trim_start_matches('-')
                    .split_once('=')
                    .unwrap_or((word.trim_start_matches('-'), "true"));
                match name {
                    "annotation-prefix" => value.clone_into(&mut settings.annotation_prefix),
                    "token-audience" => value.clone_into(&mut settings.audience),
                    "aws-default-region" => settings.default_region = Some(value.to_owned()),
                    "compose-role-arn" => settings.compose_role_arn = value == "true",
                    "watch-config-map" => settings.watch_config_map = value == "true",
                    _ => {}
                }
            }
        }
        settings
    }
}

/// Whether a registered webhook would be called for the subject.
#[derive(Debug)]
pub(crate) enum Selection<'f> {
    /// At least one registration selects it.
    Selected,
    /// Every registration excludes it; the first one's reason.
    Excluded {
        /// The registration.
        registration: Registration<'f>,
        /// `objectSelector`, `namespaceSelector` or `rules`.
        by: &'static str,
        /// The requirement that is not met: `eks.amazonaws.com/skip-pod-identity-webhook DoesNotExist`.
        requirement: String,
    },
    /// A selector could not be evaluated.
    Unknown(String),
    /// No webhook, or not known which.
    NoWebhook,
}

impl<'f> Selection<'f> {
    /// Evaluates the selectors against the labels of the subject and of its namespace.
    pub(crate) fn of(facts: &'f Facts, registrations: &Registrations<'f>) -> Self {
        let Some((_, meta, ..)) = facts.subject.spec() else { return Self::NoWebhook };
        let mut excluded = None;
        let mut unknown = None;
        for registration in registrations.found() {
            // No rules at all are more likely a file cut short than a registration that calls nobody.
            if !registration.webhook.rules.is_empty() && !registration.webhook.rules.iter().any(sees_new_pods)
            {
                excluded = excluded.or(Some(Self::Excluded {
                    registration: *registration,
                    by: "rules",
                    requirement: String::from("CREATE pods"),
                }));
                continue;
            }
            if let Some(selector) = &registration.webhook.object_selector
                && let Some(requirement) = selector.first_unmet(&meta.labels)
            {
                excluded = excluded.or(Some(Self::Excluded {
                    registration: *registration,
                    by: "objectSelector",
                    requirement,
                }));
                continue;
            }
            let selector = registration.webhook.namespace_selector.as_ref();
            let selective =
                selector.filter(|s| !s.match_labels.is_empty() || !s.match_expressions.is_empty());
            if let Some(selector) = selective {
                match facts.namespace.known() {
                    Some(namespace) => {
                        if let Some(requirement) = selector.first_unmet(&namespace.value.metadata.labels) {
                            excluded = excluded.or(Some(Self::Excluded {
                                registration: *registration,
                                by: "namespaceSelector",
                                requirement,
                            }));
                            continue;
                        }
                    }
                    None => {
                        unknown = Some(String::from(
                            "the webhook's namespaceSelector (the namespace's labels are not known)",
                        ));
                        continue;
                    }
                }
            }
            if let Some(condition) = registration.webhook.match_conditions.first() {
                unknown =
                    Some(format!("the webhook's matchCondition {} (CEL is not evaluated)", condition.name));
                continue;
            }
            return Self::Selected;
        }
        unknown.map(Self::Unknown).or(excluded).unwrap_or(Self::NoWebhook)
    }
}

fn sees_new_pods(rule: &WebhookRule) -> bool {
    let has = |list: &[String], names: &[&str]| list.iter().any(|item| names.contains(&item.as_str()));
    has(&rule.operations, &["CREATE", "*"]) && has(&rule.resources, &["pods", "*", "*/*"])
}

//! By which mechanism the subject should get its AWS identity, and which role it should have.

use super::container::{CREDENTIALS_URI, ContainerView, PI_VOLUME, ROLE_ARN, Wiring};
use super::issuer::eks_id;
use super::webhook::Settings;
use crate::aws_error::SdkName;
use crate::facts::kubernetes::EnvValue;
use crate::facts::{Fact, Facts, Source};
use crate::mechanism::Mechanism;

/// What the subject should have, and where that is said.
#[derive(Debug)]
pub struct Intent<'f> {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The role, where the cluster names it.
    pub role: Option<RoleClaim<'f>>,
    /// The audience that the token should have.
    pub audience: String,
}

/// A role as it is named somewhere in the cluster, raw.
#[derive(Debug, Clone)]
pub struct RoleClaim<'f> {
    /// The raw value; it need not be an ARN.
    pub raw: &'f str,
    /// Where it was read.
    pub source: Source,
    /// Who names it.
    pub origin: RoleOrigin,
}

impl RoleClaim<'_> {
    /// True if `arn` is the role that is named, or what a webhook with `--compose-role-arn` makes of a bare name.
    pub fn is(&self, arn: &str) -> bool {
        let name = self.raw.trim_start_matches('/');
        arn == self.raw || (!self.raw.starts_with("arn:") && arn.ends_with(&format!(":role/{name}")))
    }
}

/// Who names a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleOrigin {
    /// The annotation of the service account.
    Annotation,
    /// The webhook's ConfigMap, as kOps has it.
    WebhookConfigMap,
    /// The container's own manifest.
    Manifest,
}

impl<'f> Intent<'f> {
    /// Precedence as in the webhook (`pkg/handler/handler.go`): Pod Identity, annotation, ConfigMap; then what the
    /// manifest wires by hand. A container that is wired for both uses what its SDK looks for first.
    pub fn of(facts: &'f Facts, settings: &Settings, containers: &[ContainerView<'f>]) -> Self {
        let audience = facts
            .service_account
            .known()
            .and_then(|account| {
                account.value.metadata.annotations.get(&format!("{}/audience", settings.annotation_prefix))
            })
            .filter(|audience| !audience.is_empty())
            .map_or_else(|| settings.audience.clone(), String::from);
        let with = |mechanism, role| Self { mechanism, role, audience: audience.clone() };
        let named = annotated(facts, settings).or_else(|| configured(facts, settings));
        if has_pod_identity(facts, containers) {
            return if prefers_web_identity(facts, containers) {
                with(Mechanism::Irsa, by_hand(containers).or(named))
            } else {
                with(Mechanism::PodIdentity, named)
            };
        }
        if named.is_some() {
            return with(Mechanism::Irsa, named);
        }
        if let Some(by_hand) = by_hand(containers) {
            return with(Mechanism::Irsa, Some(by_hand));
        }
        if openshift(facts)
            || containers.iter().any(|view| view.wiring != Wiring::Nothing && view.wiring != Wiring::Unknown)
        {
            return with(Mechanism::Irsa, None);
        }
        match &*facts.service_account {
            Fact::Unknown(_) => with(Mechanism::Unknown, None),
            Fact::Known(_) | Fact::Absent { .. } => with(Mechanism::None, None),
        }
    }

    /// True if the webhook should have put the IRSA variables into new pods.
    pub fn expects_injection(&self) -> bool {
        self.mechanism == Mechanism::Irsa
            && self.role.as_ref().is_some_and(|role| role.origin != RoleOrigin::Manifest)
    }
}

fn annotated<'f>(facts: &'f Facts, settings: &Settings) -> Option<RoleClaim<'f>> {
    let account = facts.service_account.known()?;
    let key = format!("{}/role-arn", settings.annotation_prefix);
    let raw = account.value.metadata.annotations.get(&key).filter(|raw| !raw.is_empty())?;
    Some(RoleClaim {
        raw,
        source: account.source.at(super::annotation_path(&key)),
        origin: RoleOrigin::Annotation,
    })
}

/// The webhook's ConfigMap holds `{"namespace/name": {"RoleARN": "…"}}` or `{"*/name": …}` (webhook `pkg/cache`). A webhook
/// that certainly does not watch it, such as EKS's own, reads nothing from it.
fn configured<'f>(facts: &'f Facts, settings: &Settings) -> Option<RoleClaim<'f>> {
    if settings.certain && !settings.watch_config_map {
        return None;
    }
    let config_map = facts.cluster.webhook_config_map.known()?;
    let config = config_map.value.webhook_config.as_deref()?;
    let entries = super::webhook_config::entries(config).ok()?;
    let role = super::webhook_config::entry_for(&entries, facts)?.role.as_deref()?;
    // The claim borrows from the text itself.
    let start = config.find(role)?;
    Some(RoleClaim {
        raw: &config[start..start + role.len()],
        source: config_map.source.at(".data.config"),
        origin: RoleOrigin::WebhookConfigMap,
    })
}

fn by_hand<'f>(containers: &[ContainerView<'f>]) -> Option<RoleClaim<'f>> {
    let complete = containers.iter().filter(|view| matches!(view.wiring, Wiring::Complete | Wiring::NoMount));
    complete.into_iter().find_map(|view| {
        let variable = view.container.env.iter().rev().find(|variable| variable.name == ROLE_ARN)?;
        let EnvValue::Literal(raw) = &variable.value else { return None };
        let entry = view.env.get(ROLE_ARN)?;
        // With references to other variables the raw text is not what the container gets.
        if entry.text() != Some(raw.as_str()) {
            return None;
        }
        let source = entry.source.clone();
        Some(RoleClaim { raw, source, origin: RoleOrigin::Manifest })
    })
}

/// Any trace of EKS Pod Identity: its label, its volume, its variables.
fn has_pod_identity(facts: &Facts, containers: &[ContainerView<'_>]) -> bool {
    let Some((spec, meta, ..)) = facts.subject.spec() else { return is_associated(facts) };
    meta.labels.get("eks.amazonaws.com/pod-identity").is_some_and(|value| value == "enabled")
        || spec.volume(PI_VOLUME).is_some()
        || containers.iter().any(|view| view.env.get(CREDENTIALS_URI).is_some())
}

/// True if EKS has an association for the service account, and was asked about this cluster: what a new pod would get.
fn is_associated(facts: &Facts) -> bool {
    let served = facts.issuer.api.known().and_then(|discovery| eks_id(&discovery.value.issuer));
    let described = facts.aws.cluster.known().and_then(|cluster| eks_id(cluster.value.issuer.as_deref()?));
    let is_another = served.zip(described).is_some_and(|(served, described)| served != described);
    !is_another && facts.aws.associations.known().is_some_and(|found| !found.value.is_empty())
}

/// True if the target container is also wired for a web identity, which every SDK looks for before it asks the agent, except
/// version 2 of the JavaScript SDK (failures.md, section 3).
fn prefers_web_identity(facts: &Facts, containers: &[ContainerView<'_>]) -> bool {
    let target = containers.iter().find(|view| view.is_target);
    let mut reported = facts.app_errors.known().into_iter().flat_map(|listing| &listing.value.items);
    target.is_some_and(|view| view.wiring == Wiring::Complete)
        && !reported.any(|said| said.value.error.sdk.as_ref().is_some_and(|sdk| sdk.name == SdkName::JsV2))
}

/// OpenShift mounts its own token, and the role is in a credentials file.
fn openshift(facts: &Facts) -> bool {
    facts.subject.spec().is_some_and(|(spec, ..)| {
        spec.containers.iter().any(|container| {
            container.volume_mounts.iter().any(|mount| {
                mount.mount_path.starts_with("/var/run/secrets/openshift/serviceaccount")
                    && spec.volume(&mount.name).is_some_and(|(_, volume)| volume.tokens().next().is_some())
            })
        })
    })
}

//! What the webhook did to each container, what it would have done, and why it may not have done it.
//!
//! The rules are those of aws/amazon-eks-pod-identity-webhook `pkg/handler/handler.go`.

use jiff::{SignedDuration, Timestamp};

use super::Derived;
use super::container::{
    CREDENTIALS_URI, ContainerKind, ContainerView, ROLE_ARN, TOKEN_FILE, TOKEN_VOLUME, TokenMount, Wiring,
    declares, names_aws_itself, slashed,
};
use super::env::{Env, EnvEntry, Origin};
use super::intent::{Intent, RoleOrigin};
use super::webhook::{Registrations, Selection, Settings};
use crate::facts::alike::Moment;
use crate::facts::kubernetes::{Container, EnvValue, Meta, Pod};
use crate::facts::{Facts, Source, Sourced};

/// Known sidecars: the report is about the application, not about them.
const SIDECARS: [&str; 12] = [
    "istio-proxy",
    "linkerd-proxy",
    "envoy",
    "vault-agent",
    "dapr",
    "daprd",
    "kuma-sidecar",
    "consul-dataplane",
    "datadog-agent",
    "fluent-bit",
    "otc-container",
    "cloud-sql-proxy",
];

/// Two moments this close may be one event for the webhook's informer cache (webhook#174).
const RACE: SignedDuration = SignedDuration::from_secs(10);

/// Why a container that should carry the variables does not.
#[derive(Debug, Clone)]
pub enum BareBecause<'f> {
    /// The pod carries the label that the registration excludes.
    SkipLabel,
    /// A selector of the registration excludes the pod or its namespace.
    Excluded,
    /// The annotation `skip-containers` names it.
    SkipContainers,
    /// A static pod: never admitted through the API server.
    StaticPod,
    /// No webhook is registered.
    WebhookMissing,
    /// Another container of the pod was injected, so the webhook ran, and this one was added later or was skipped.
    OthersInjected,
    /// The annotation was written after the pod was created.
    PodIsOlder {
        /// When the annotation's writer last wrote.
        annotated: Timestamp,
        /// When the pod was created.
        created: Timestamp,
    },
    /// The pod was created within seconds of its service account, which had no annotation yet.
    AnnotatedLater {
        /// When the service account was created.
        account: Timestamp,
        /// When the pod was created.
        created: Timestamp,
    },
    /// An older pod of the same workload and service account was injected, so the webhook knew its role: it was away.
    WebhookAway {
        /// The newest pod before this one that was injected.
        before: &'f Sourced<Pod>,
        /// The oldest pod after this one that was.
        after: Option<&'f Sourced<Pod>>,
    },
    /// The pod was created within seconds of its service account, or of the annotation.
    Race {
        /// When the service account was created, or its annotation was written.
        account: Timestamp,
        /// When the pod was created.
        created: Timestamp,
    },
    /// A younger pod of the same workload was injected: only the timing of this one is wrong.
    YoungerSiblingInjected(&'f Sourced<Pod>),
    /// The webhook should have seen it, as far as the present state shows.
    Unexplained,
}

/// The containers of the subject with their environment and wiring.
pub(super) fn containers<'f>(facts: &'f Facts, settings: &Settings) -> Vec<ContainerView<'f>> {
    let Some((spec, meta, source, path)) = facts.subject.spec() else { return Vec::new() };
    let target = target_name(facts, &spec.containers, meta);
    let skipped = skip_list(meta, &settings.annotation_prefix);
    let init = spec.init_containers.iter().enumerate().map(|(index, container)| {
        let kind = if container.restart_policy == "Always" {
            ContainerKind::NativeSidecar
        } else {
            ContainerKind::Init
        };
        (container, kind, format!("{path}.initContainers[{index}]"))
    });
    let regular =
        spec.containers.iter().enumerate().map(|(index, container)| {
            (container, ContainerKind::Regular, format!("{path}.containers[{index}]"))
        });
    init.chain(regular)
        .map(|(container, kind, path)| {
            let env = Env::of(facts, container, source, &path);
            let file = env.get(TOKEN_FILE).and_then(EnvEntry::text).unwrap_or(DEFAULT_TOKEN_FILE);
            let token_mount = TokenMount::of(container, spec, file);
            let wiring = wiring(&env, token_mount.is_some_and(|mount| mount.may_hold(file)));
            ContainerView {
                is_target: target.is_some_and(|name| name == container.name),
                skipped: skipped.iter().any(|name| name == &container.name),
                pod_identity: env.get(CREDENTIALS_URI).is_some(),
                container,
                kind,
                path,
                env,
                wiring,
                token_mount,
            }
        })
        .collect()
}

/// The token path that the webhook sets.
const DEFAULT_TOKEN_FILE: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";

fn wiring(env: &Env<'_>, mounted: bool) -> Wiring {
    let has = |name| env.get(name).is_some_and(EnvEntry::is_set);
    match (has(ROLE_ARN), has(TOKEN_FILE)) {
        (true, true) if mounted => Wiring::Complete,
        (true, true) => Wiring::NoMount,
        _ if !env.unread.is_empty() => Wiring::Unknown,
        (true, false) => Wiring::RoleOnly,
        (false, true) => Wiring::TokenFileOnly,
        (false, false) => Wiring::Nothing,
    }
}

/// The container that the report is about: `-c`; an init container that calls AWS and has failed, so that nothing else starts;
/// kubectl's default-container annotation, the only one, or the first that is not a known sidecar.
fn target_name<'f>(facts: &'f Facts, regular: &'f [Container], meta: &'f Meta) -> Option<&'f str> {
    if let Some(name) = &facts.request.container {
        return Some(name);
    }
    if let Some(name) = failed_init(facts) {
        return Some(name);
    }
    let annotated = meta.annotations.get("kubectl.kubernetes.io/default-container");
    if let Some(name) = annotated.filter(|name| regular.iter().any(|container| **name == container.name)) {
        return Some(name);
    }
    // The manifest holds the application's containers; a sidecar injected at admission may come first, whatever its name.
    let manifest = facts.owner.known().map(|owner| &owner.value.template_spec.containers);
    let own = |container: &&Container| {
        manifest.is_none_or(|manifest| manifest.iter().any(|known| known.name == container.name))
    };
    let application = |container: &&Container| !SIDECARS.contains(&container.name.as_str());
    let mut in_order = regular.iter().filter(own).filter(application);
    let chosen = in_order.next().or_else(|| regular.iter().find(application)).or(regular.first());
    chosen.map(|container| container.name.as_str())
}

/// The failed init container, if it calls AWS: by its log, its own settings, its image or its command. One that waits for a
/// database says nothing about AWS.
fn failed_init(facts: &Facts) -> Option<&str> {
    let pod = &facts.subject.pod()?.value;
    let name = pod.status.failed_init_container()?;
    let container = pod.spec.init_containers.iter().find(|container| container.name == name)?;
    let mut errors = facts.app_errors.known().into_iter().flat_map(|listing| &listing.value.items);
    let calls_aws = errors.any(|error| error.source.is_log_of(name))
        || container.names_aws()
        || container.env.iter().any(|set| names_aws_itself(&set.name));
    calls_aws.then_some(name)
}

/// The pod's annotation that skips containers.
pub(crate) fn skip_annotation<'f>(meta: &'f Meta, prefix: &str) -> Option<&'f str> {
    meta.annotations.get(&format!("{prefix}/skip-containers")).map(|names| names.as_str())
}

fn skip_list(meta: &Meta, prefix: &str) -> Vec<String> {
    skip_annotation(meta, prefix).and_then(first_record).unwrap_or_default()
}

/// The first record of a CSV as Go's `encoding/csv` reads it: fields are not trimmed, a field may be quoted, and a quote
/// anywhere else is an error, upon which the webhook skips nothing.
fn first_record(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim_start_matches(['\r', '\n']);
    if rest.is_empty() {
        return None;
    }
    let mut fields = Vec::new();
    loop {
        let mut field = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (part, after) = quoted.split_once('"')?;
                field.push_str(part);
                match after.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
        } else {
            let end = rest.find([',', '\n']).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            if part.contains('"') {
                return None;
            }
            field.push_str(if after.starts_with(',') {
                part
            } else {
                part.strip_suffix('\r').unwrap_or(part)
            });
            rest = after;
        }
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.is_empty() || rest.starts_with('\n') || rest.starts_with("\r\n") => {
                return Some(fields);
            }
            None => return None,
        }
    }
}

/// For a template, adds what the webhook will add to its pods, so that the same checks apply to future pods.
pub(super) fn complete_template<'f>(
    facts: &'f Facts,
    registrations: &Registrations<'f>,
    selection: &Selection<'f>,
    intent: &Intent<'f>,
    containers: &mut [ContainerView<'f>],
) {
    let crate::facts::Subject::Template(owner) = &facts.subject else { return };
    let may_run =
        matches!(selection, Selection::Selected) || matches!(registrations, Registrations::Unknown(_));
    if !may_run || !intent.expects_injection() {
        return;
    }
    for view in containers.iter_mut().filter(|view| !view.skipped) {
        if view.wiring == Wiring::NoMount && mounts_token(view) {
            view.wiring = Wiring::Complete;
        }
        if view.wiring != Wiring::Nothing || view.declares(ROLE_ARN) || view.declares(TOKEN_FILE) {
            continue;
        }
        view.wiring = Wiring::Complete;
        for (name, value) in
            [(ROLE_ARN, intent.role.as_ref().map_or("", |role| role.raw)), (TOKEN_FILE, DEFAULT_TOKEN_FILE)]
        {
            let entry = EnvEntry {
                value: EnvValue::Literal(value.to_owned()),
                source: owner.source.clone(),
                origin: Origin::EnvFrom(String::from("the webhook")),
            };
            view.env.add(name, entry);
        }
    }
}

/// True if the webhook will mount the token where the container's variable says that it is.
fn mounts_token(view: &ContainerView<'_>) -> bool {
    let file = view.env.get(TOKEN_FILE).and_then(EnvEntry::text);
    file.is_some_and(|file| slashed(file) == DEFAULT_TOKEN_FILE)
        && !returns_early(view.container)
        && !view.container.volume_mounts.iter().any(|mount| mount.name == TOKEN_VOLUME)
}

/// True if the webhook returns early for a container and does not even mount the token (webhook#82): a role or token
/// variable is there already, and so are a region and the regional-endpoints variable. Only `env` counts, and an empty
/// value counts too.
///
/// After the webhook ran, every injected container looks like that: the answer means something only where the mount is
/// missing.
pub(crate) fn returns_early(container: &Container) -> bool {
    let has = |name: &str| declares(container, name);
    (has(ROLE_ARN) || has(TOKEN_FILE))
        && (has("AWS_REGION") || has("AWS_DEFAULT_REGION"))
        && has("AWS_STS_REGIONAL_ENDPOINTS")
}

/// True if the manifest sets the variable in the container's `env`, and not the webhook: the workload's template has it, or
/// the variables do not stand as the webhook leaves them. It appends region and regional endpoints first and the pair last,
/// so a variable without its partner, or one with a region behind it that the webhook added, was there before.
pub(super) fn is_preset(facts: &Facts, container: &Container, variable: &str) -> bool {
    if !declares(container, variable) {
        return false;
    }
    if facts.subject.pod().is_none() || template_declares(facts, container, variable) == Some(true) {
        return true;
    }
    let names: Vec<&str> = container.env.iter().map(|set| set.name.as_str()).collect();
    match variable {
        // The webhook's own and the manifest's look the same.
        "AWS_STS_REGIONAL_ENDPOINTS" => false,
        "AWS_DEFAULT_REGION" | "AWS_REGION" => {
            !names.windows(2).any(|two| two == ["AWS_DEFAULT_REGION", "AWS_REGION"])
        }
        _ => {
            let Some(at) = names.windows(2).position(|two| two == [ROLE_ARN, TOKEN_FILE]) else {
                return true;
            };
            let behind = names.get(at + 2..).unwrap_or_default();
            let file = container.env.get(at + 1).and_then(|set| set.value.text());
            behind.iter().any(|name| REGION_VARIABLES.contains(name))
                || file.is_none_or(|file| slashed(file) != DEFAULT_TOKEN_FILE)
        }
    }
}

/// What the webhook appends before the pair.
const REGION_VARIABLES: [&str; 3] = ["AWS_STS_REGIONAL_ENDPOINTS", "AWS_DEFAULT_REGION", "AWS_REGION"];

/// Whether the workload's template sets the variable; `None` if the workload is not known.
pub(crate) fn template_declares(facts: &Facts, container: &Container, variable: &str) -> Option<bool> {
    let spec = &facts.workload()?.value.template_spec;
    let mut all = spec.containers.iter().chain(&spec.init_containers);
    Some(all.find(|same| same.name == container.name).is_some_and(|same| declares(same, variable)))
}

/// True if the pod carries the volume that the webhook adds.
pub(crate) fn has_token_volume(facts: &Facts) -> bool {
    facts.subject.spec().is_some_and(|(spec, ..)| spec.volume(TOKEN_VOLUME).is_some())
}

pub(super) fn bare<'f>(derived: &Derived<'f>) -> Option<BareBecause<'f>> {
    if !derived.is_bare() {
        return None;
    }
    let view = derived.target()?;
    let pod = derived.facts.subject.pod()?;
    let meta = &pod.value.metadata;
    if meta.annotations.contains_key("kubernetes.io/config.mirror") {
        return Some(BareBecause::StaticPod);
    }
    match (&derived.registrations, &derived.selection) {
        (Registrations::Missing(_), _) => return Some(BareBecause::WebhookMissing),
        (_, Selection::Excluded { requirement, .. }) => {
            let by_label = requirement.starts_with(super::webhook::SKIP_LABEL);
            return Some(if by_label { BareBecause::SkipLabel } else { BareBecause::Excluded });
        }
        _ => {}
    }
    if view.skipped {
        return Some(BareBecause::SkipContainers);
    }
    let by_webhook = |other: &ContainerView<'_>| {
        other.wiring == Wiring::Complete && !is_preset(derived.facts, other.container, ROLE_ARN)
    };
    if derived
        .containers
        .iter()
        .any(|other| !other.is_target && other.declares(ROLE_ARN) && by_webhook(other))
        || view.token_mount.is_some_and(|mount| mount.mount.name == TOKEN_VOLUME)
    {
        return Some(BareBecause::OthersInjected);
    }
    Some(timing(derived, meta))
}

fn timing<'f>(derived: &Derived<'f>, meta: &'f Meta) -> BareBecause<'f> {
    let made = &meta.creation_timestamp;
    let Some(created) = made.unjudged() else { return BareBecause::Unexplained };
    if let Some(away) = away(derived, made) {
        return away;
    }
    if let Some(account) = derived.facts.service_account.known() {
        // kubectl leaves the records out of what it prints, unless it is told otherwise.
        let recorded = matches!(account.source, Source::Api { .. }) || !meta.managed_fields.is_empty();
        let account = &account.value.metadata;
        let key = format!("{}/role-arn", derived.settings.annotation_prefix);
        let by_annotation =
            derived.intent.role.as_ref().is_some_and(|role| role.origin == RoleOrigin::Annotation);
        let annotated =
            account.annotation_writer(&key).and_then(|writer| writer.time).filter(|_| by_annotation);
        // Whichever came last, the service account or its annotation, is what the webhook had to know.
        let ready = annotated.max(account.creation_timestamp.time());
        // If a much younger sibling is bare too, timing is not the problem, or not all of it.
        let contradicted = ready
            .and_then(|ready| ready.checked_add(RACE).ok())
            .is_some_and(|settled| derived.siblings().bare_after(settled));
        match ready.filter(|_| !contradicted) {
            Some(ready) if made.is_before(ready) => {
                return BareBecause::PodIsOlder { annotated: ready, created };
            }
            Some(ready) if ready.checked_add(RACE).is_ok_and(|settled| !made.is_after(settled)) => {
                // The API server records who wrote which field from an object's creation on, unless the object was created
                // without any (`kubectl create serviceaccount`): then never, but for server-side apply (apimachinery,
                // `skipnonapplied.go`).
                let bare_at_first = by_annotation && recorded && account.managed_fields.is_empty();
                return if bare_at_first {
                    BareBecause::AnnotatedLater { account: ready, created }
                } else {
                    BareBecause::Race { account: ready, created }
                };
            }
            _ => {}
        }
    }
    match derived.siblings().younger_injected(made) {
        Some(sibling) => BareBecause::YoungerSiblingInjected(sibling),
        None => BareBecause::Unexplained,
    }
}

/// What the webhook did for an older pod of the service account, it would have done for this one if it had been asked. One that
/// fails closed was asked.
fn away<'f>(derived: &Derived<'f>, made: &Moment) -> Option<BareBecause<'f>> {
    let name = &derived.facts.service_account_name;
    let (before, after) = derived.siblings().injected_around(made, name);
    let (before, after) = (*before.last()?, after.first().copied());
    // A service account that was deleted and created again in between says nothing about the webhook.
    let account = derived.facts.service_account.known()?.value.metadata.creation_timestamp.time();
    let same_account = account <= before.value.metadata.creation_timestamp.unjudged();
    let registered = derived.registrations.found();
    let fails_open = registered.iter().all(super::webhook::Registration::fails_open);
    (same_account && fails_open).then_some(BareBecause::WebhookAway { before, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skip_list_is_read_as_go_reads_csv() {
        // Each observed on the webhook itself.
        for (text, fields) in [
            ("app, b", vec!["app", " b"]),
            ("\"app\",\"b\"", vec!["app", "b"]),
            ("app\nb", vec!["app"]),
            ("app\n", vec!["app"]),
            ("[app, b]", vec!["[app", " b]"]),
            ("app;b", vec!["app;b"]),
        ] {
            assert_eq!(
                first_record(text).as_deref(),
                Some(&*fields.into_iter().map(str::to_owned).collect::<Vec<_>>()),
                "{text:?}"
            );
        }
        for text in ["", "app\"x,b", "\"app", "\"app\"x"] {
            assert_eq!(first_record(text), None, "{text:?}");
        }
    }
}

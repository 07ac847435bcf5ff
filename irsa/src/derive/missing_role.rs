//! Why the service account names no role although its pods should have one: one answer for all checks, so that one
//! missing annotation is one finding.

use super::Derived;
use super::association::Associated;
use super::container::{ROLE_ARN, TOKEN_VOLUME, Wiring};
use super::intent::RoleOrigin;
use super::webhook::{DEFAULT_PREFIX, Registration, Registrations};
use super::{Platform, annotation_path};
use crate::aws::arn::RoleArn;
use crate::facts::kubernetes::{Meta, Pod, PodSpec, ServiceAccount};
use crate::facts::{Fact, Source, Sourced, Unknown, Why};
use crate::mechanism::Mechanism;

/// Whether a role is missing.
#[derive(Debug)]
pub enum MissingRole<'f> {
    /// A role is named, or another mechanism gives the identity; the reason.
    No(&'static str),
    /// Not known.
    Unknown(Vec<&'f Unknown>),
    /// Nothing names a role.
    Yes(RoleGap<'f>),
}

/// A service account that names no role.
#[derive(Debug)]
pub struct RoleGap<'f> {
    /// The service account.
    pub account: &'f Sourced<ServiceAccount>,
    /// True if the subject itself still has the variables that the webhook injected: only future pods are affected.
    pub still_injected: bool,
    /// The likeliest explanation.
    pub because: Because<'f>,
    /// The only service account of the namespace that names a role, with that role.
    pub only: Option<(&'f Sourced<ServiceAccount>, &'f str)>,
}

/// Why there is no role, strongest evidence first.
#[derive(Debug)]
pub enum Because<'f> {
    /// Its role is set under a key that the webhook does not read.
    NearKey(NearKey<'f>),
    /// The annotation is on an object that the webhook does not read it from.
    WrongObject(Vec<Misplaced<'f>>),
    /// It had the annotation before: a pod of the same workload and service account was injected with this role.
    Removed {
        /// The pod that shows it; the subject itself if [`RoleGap::still_injected`].
        pod: &'f Pod,
        /// The role that the pod has.
        role: &'f str,
    },
    /// Another service account was created for this workload.
    OtherAccount(Candidate<'f>),
    /// eksctl created it, and eksctl creates no service account without a role.
    Eksctl,
    /// One of the same name in another namespace names a role.
    Namesakes(Vec<&'f Sourced<ServiceAccount>>),
    /// Nothing but the absence itself.
    Unexplained,
}

/// A key that was meant to be the webhook's.
#[derive(Debug)]
pub struct NearKey<'f> {
    /// `annotations` or `labels`.
    pub place: &'static str,
    /// The key.
    pub key: &'f str,
    /// The role, as far as the value holds one.
    pub role: Option<&'f str>,
    /// True if Helm took the dots of the key as nesting, so that the value is a printed map.
    pub helm_map: bool,
    /// True if no other tool is likely to read that key.
    pub certain: bool,
    /// Where it was read.
    pub source: Source,
}

/// The right annotation in the wrong place.
#[derive(Debug)]
pub struct Misplaced<'f> {
    /// `pod`, `template of deployment/checkout`, `namespace`.
    pub on: String,
    /// The raw value.
    pub role: &'f str,
    /// Where it was read.
    pub source: Source,
}

/// A service account with a role, which may be the intended one.
#[derive(Debug)]
pub struct Candidate<'f> {
    /// The service account.
    pub account: &'f Sourced<ServiceAccount>,
    /// Its role, raw.
    pub role: &'f str,
    /// The evidence for it.
    pub sign: Sign<'f>,
}

/// The evidence for another service account.
#[derive(Debug)]
pub enum Sign<'f> {
    /// The workload's template names it now; the pod is older.
    Template(Source),
    /// A pod of the same workload runs as it and was injected.
    Sibling(&'f Pod),
    /// The pod that owns this one, and created it, runs as it.
    OwnerPod(&'f Sourced<Pod>),
    /// Its name is that of the workload.
    Name,
}

/// Keys of older tools, and common mistakes, that are too far from the right key to be recognised by distance.
pub(crate) const KNOWN_MISTAKES: [&str; 4] = [
    "iam.amazonaws.com/role",
    "amazonaws.com/role-arn",
    "eks.amazonaws.com/iam-role",
    "iam.amazonaws.com/role-arn",
];

pub(super) fn missing_role<'f>(derived: &Derived<'f>) -> MissingRole<'f> {
    let account = match &*derived.facts.service_account {
        Fact::Known(account) => account,
        Fact::Unknown(why) => return MissingRole::Unknown(vec![why]),
        Fact::Absent { .. } => return MissingRole::No("the service account does not exist"),
    };
    let still_injected = match derived.intent.mechanism {
        Mechanism::PodIdentity => return MissingRole::No("the pod gets its identity from EKS Pod Identity"),
        Mechanism::None if matches!(Associated::of(derived), Associated::Yes(..)) => {
            return MissingRole::No("an EKS Pod Identity association provides the identity");
        }
        Mechanism::None => false,
        _ if injected_before(derived).is_some() => true,
        _ => return MissingRole::No("a role is named, or the pod is wired by hand"),
    };
    let unread: Vec<_> = derived.containers.iter().flat_map(|view| view.env.unread.iter().copied()).collect();
    if !unread.is_empty() && !still_injected {
        return MissingRole::Unknown(unread);
    }
    if let Some(unknown) = self_hosted_unknown(derived, &account.value.metadata) {
        return MissingRole::Unknown(vec![unknown]);
    }
    let because = because(derived, account);
    if matches!(because, Because::Unexplained) && token_minter(derived).is_some() {
        return MissingRole::No("the controller requests tokens for other service accounts");
    }
    let complete = derived.facts.service_accounts.known().is_some_and(|listing| listing.value.complete());
    let only = match annotated(derived).as_slice() {
        [only] if complete => Some(*only),
        _ => None,
    };
    MissingRole::Yes(RoleGap { account, still_injected, because, only })
}

/// The subject, if it is a controller known to request tokens for other service accounts rather than to use its own identity.
/// Recognised by the labels of the public charts; with other labels it is judged like any workload.
pub(super) fn token_minter(derived: &Derived<'_>) -> Option<&'static str> {
    const KNOWN: [(&str, &str, &str); 4] = [
        ("app.kubernetes.io/name", "external-secrets", "External Secrets"),
        ("app", "csi-secrets-store-provider-aws", "the AWS provider of the Secrets Store CSI driver"),
        ("app", "secrets-store-csi-driver-provider-aws", "the AWS provider of the Secrets Store CSI driver"),
        (
            "app.kubernetes.io/name",
            "secrets-store-csi-driver-provider-aws",
            "the AWS provider of the Secrets Store CSI driver",
        ),
    ];
    let (_, meta, ..) = derived.spec()?;
    let is =
        |(label, value, _): &&(&str, &str, &str)| meta.labels.get(*label).is_some_and(|found| found == value);
    KNOWN.iter().find(is).map(|(.., name)| *name)
}

/// What must be known of a self-hosted webhook before a missing annotation can be called missing: its ConfigMap, and its
/// annotation prefix where the service account has the annotation under another one.
fn self_hosted_unknown<'f>(derived: &Derived<'f>, meta: &Meta) -> Option<&'f Unknown> {
    let found = derived.registrations.found();
    if found.iter().any(Registration::eks_managed) || derived.platform == Platform::Eks {
        return None;
    }
    if let Registrations::Unknown(why) = &derived.registrations
        && !matches!(why.why, Why::NotInFiles)
    {
        // A webhook that may read a ConfigMap may have the role from there.
        return Some(why);
    }
    if found.is_empty() && derived.platform != Platform::Other {
        return None;
    }
    let cluster = &derived.facts.cluster;
    let refused = |unknown: &&Unknown| !matches!(unknown.why, Why::NotInFiles | Why::NotAsked(_));
    let other_prefix = !derived.settings.certain
        && meta.annotations.iter().any(|(key, value)| key.ends_with("/role-arn") && value.contains(":role/"));
    let workload = cluster.webhook_workload.unknown().filter(|_| other_prefix);
    workload.or_else(|| cluster.webhook_config_map.unknown().filter(refused))
}

/// The subject itself, if the webhook injected it although the service account names no role now.
fn injected_before<'f>(derived: &Derived<'f>) -> Option<(&'f Pod, &'f str)> {
    let pod = derived.facts.subject.pod()?;
    let role = derived.intent.role.as_ref().filter(|role| role.origin == RoleOrigin::Manifest)?;
    let owner = derived.facts.owner.known()?;
    let view = derived.target().filter(|view| view.wiring == Wiring::Complete)?;
    let from_webhook = view.token_mount.is_some_and(|mount| mount.mount.name == TOKEN_VOLUME);
    let spec = &owner.value.template_spec;
    let mut same =
        spec.containers.iter().chain(&spec.init_containers).filter(|container| container.name == view.name());
    // Wired by hand if the template has it; a template without that container says nothing.
    let by_hand =
        same.next().is_none_or(|container| container.env.iter().any(|variable| variable.name == ROLE_ARN));
    // Where the webhook reads a ConfigMap as well, that may be what names the role.
    let only_annotation = derived.registrations.found().iter().any(Registration::eks_managed)
        || derived.facts.cluster.webhook_config_map.is_absent();
    (from_webhook && !by_hand && only_annotation && spec.volume(TOKEN_VOLUME).is_none())
        .then_some((&pod.value, role.raw))
}

fn because<'f>(derived: &Derived<'f>, account: &'f Sourced<ServiceAccount>) -> Because<'f> {
    if let Some(near) = near_key(derived, account) {
        return Because::NearKey(near);
    }
    let misplaced = misplaced(derived);
    if !misplaced.is_empty() {
        return Because::WrongObject(misplaced);
    }
    if let Some((pod, role)) = injected_before(derived).or_else(|| injected_sibling(derived)) {
        return Because::Removed { pod, role };
    }
    let candidates = annotated(derived);
    let shown = by_template(derived, &candidates).or_else(|| by_owner_pod(derived, &candidates));
    if let Some(candidate) = shown.or_else(|| by_sibling(derived, &candidates)) {
        return Because::OtherAccount(candidate);
    }
    if account.value.metadata.labels.get("app.kubernetes.io/managed-by").is_some_and(|tool| tool == "eksctl")
    {
        return Because::Eksctl;
    }
    if let Some(candidate) = by_name(derived, &candidates) {
        return Because::OtherAccount(candidate);
    }
    let namesakes = namesakes(derived);
    if namesakes.is_empty() { Because::Unexplained } else { Because::Namesakes(namesakes) }
}

fn right_key(derived: &Derived<'_>) -> String {
    format!("{}/role-arn", derived.settings.annotation_prefix)
}

fn near_key<'f>(derived: &Derived<'f>, account: &'f Sourced<ServiceAccount>) -> Option<NearKey<'f>> {
    let right = right_key(derived);
    let meta = &account.value.metadata;
    let at = |place: &str, key: &str| account.source.at(format!(".metadata.{place}[\"{key}\"]"));
    let annotation = meta.annotations.iter().find_map(|(key, value)| {
        let role = role_in(value);
        let helm_map = value.starts_with("map[") && value.contains("role-arn:");
        let nearness = if helm_map { Some(true) } else { nearness(key, &right) };
        // kube2iam and kiam take a bare role name as well.
        let names_role = role.is_some() || KNOWN_MISTAKES.contains(&key.as_str());
        let certain = nearness.filter(|_| *key != right && names_role && !value.is_empty())?;
        Some(NearKey { place: "annotations", key, role, helm_map, certain, source: at("annotations", key) })
    });
    // A label's value cannot hold an ARN, so the right key alone is the evidence.
    let label = || {
        let (key, _) = meta.labels.get_key_value(&right)?;
        Some(NearKey {
            place: "labels",
            key,
            role: None,
            helm_map: false,
            certain: true,
            source: at("labels", key),
        })
    };
    annotation.or_else(label)
}

/// The role ARN in a text: the text itself, or what Helm printed of a map.
fn role_in(value: &str) -> Option<&str> {
    let from = &value[value.find("arn:aws")?..];
    let end = from.find([']', ' ', '"', '\'', '\n']).unwrap_or(from.len());
    Some(&from[..end]).filter(|arn| arn.contains(":role/"))
}

/// Whether a key was meant to be the right one; `Some(true)` if hardly anything else can be meant.
fn nearness(key: &str, right: &str) -> Option<bool> {
    let level = |text: &str| text.to_ascii_lowercase().replace(['_', '-', '.'], "");
    let default = format!("{DEFAULT_PREFIX}/role-arn");
    if KNOWN_MISTAKES.contains(&key)
        || key == default
        || strsim::damerau_levenshtein(&level(key), &level(right)) <= 3
    {
        return Some(true);
    }
    let name = level(key.rsplit('/').next().unwrap_or_default());
    ["rolearn", "iamrole", "iamrolearn"].contains(&name.as_str()).then_some(false)
}

fn misplaced<'f>(derived: &Derived<'f>) -> Vec<Misplaced<'f>> {
    let key = right_key(derived);
    let facts = derived.facts;
    let mut found: Vec<Misplaced<'f>> = Vec::new();
    let mut look = |on: String, meta: &'f Meta, source: &Source, path: &str| {
        if let Some(role) = meta.annotations.get(&key).filter(|role| !role.is_empty()) {
            found.push(Misplaced { on, role, source: source.at(format!("{path}{}", annotation_path(&key))) });
        }
    };
    if let Some(pod) = facts.subject.pod() {
        look(String::from("the pod"), &pod.value.metadata, &pod.source, "");
    }
    if let Some(owner) = facts.workload() {
        let name = format!("{} {}", owner.value.kind, owner.value.meta.name);
        let path = owner.value.template_path().trim_end_matches(".spec");
        look(format!("the template of {name}"), &owner.value.template_meta, &owner.source, path);
        look(name, &owner.value.meta, &owner.source, "");
    }
    if let Some(namespace) = facts.namespace.known() {
        look(format!("namespace {}", facts.namespace_name), &namespace.value.metadata, &namespace.source, "");
    }
    found
}

/// A pod of the same workload and the same service account that was created earlier and has a role.
fn injected_sibling<'f>(derived: &Derived<'f>) -> Option<(&'f Pod, &'f str)> {
    let made = &derived.facts.subject.pod()?.value.metadata.creation_timestamp;
    let target = derived.target()?;
    let (older, _) = derived.siblings().injected_around(made, &derived.facts.service_account_name);
    // The oldest, so that it is the same one for all.
    older.iter().find_map(|pod| {
        let role = role_of(&pod.value.spec, target.name())?;
        pod.value.spec.volume(TOKEN_VOLUME).is_some().then_some((&pod.value, role))
    })
}

/// The role that a container's own environment names.
fn role_of<'f>(spec: &'f PodSpec, container: &str) -> Option<&'f str> {
    let same = spec.containers.iter().chain(&spec.init_containers).find(|other| other.name == container)?;
    same.env.iter().rev().find(|variable| variable.name == ROLE_ARN)?.value.text()
}

/// Service accounts of the namespace, other than the subject's, that name a role.
fn annotated<'f>(derived: &Derived<'f>) -> Vec<(&'f Sourced<ServiceAccount>, &'f str)> {
    let key = right_key(derived);
    let listing = derived.facts.service_accounts.known();
    let accounts = listing.into_iter().flat_map(|listing| &listing.value.items);
    accounts
        .filter(|account| account.value.metadata.name != derived.facts.service_account_name)
        .filter_map(|account| {
            let role = account.value.metadata.annotations.get(&key).filter(|role| !role.is_empty())?;
            Some((account, role.as_str()))
        })
        .collect()
}

type Annotated<'f> = (&'f Sourced<ServiceAccount>, &'f str);

fn named<'f>(candidates: &[Annotated<'f>], name: &str) -> Option<Annotated<'f>> {
    candidates.iter().find(|(account, _)| account.value.metadata.name == name).copied()
}

/// The template names another service account now than the pod has.
fn by_template<'f>(derived: &Derived<'f>, candidates: &[Annotated<'f>]) -> Option<Candidate<'f>> {
    derived.facts.subject.pod()?;
    let owner = derived.facts.owner.known()?;
    let (account, role) = named(candidates, owner.value.template_spec.service_account())?;
    let source = owner.source.at(format!("{}.serviceAccountName", owner.value.template_path()));
    Some(Candidate { account, role, sign: Sign::Template(source) })
}

/// The pod's owner is a pod that runs as another service account: a Spark driver of its executors, the pod of a pipeline's step.
fn by_owner_pod<'f>(derived: &Derived<'f>, candidates: &[Annotated<'f>]) -> Option<Candidate<'f>> {
    let owner = derived.facts.owner_pod.known()?;
    let (account, role) = named(candidates, owner.value.spec.service_account())?;
    Some(Candidate { account, role, sign: Sign::OwnerPod(owner) })
}

/// Pods of the same workload ran, or run, as another service account.
fn by_sibling<'f>(derived: &Derived<'f>, candidates: &[Annotated<'f>]) -> Option<Candidate<'f>> {
    derived.siblings().oldest_injected().find_map(|pod| {
        let (account, role) = named(candidates, pod.value.spec.service_account())?;
        Some(Candidate { account, role, sign: Sign::Sibling(&pod.value) })
    })
}

/// The one service account whose name says that it was created for this workload. `None` if two fit, or if the pod's own
/// service account has such a name too.
fn by_name<'f>(derived: &Derived<'f>, candidates: &[Annotated<'f>]) -> Option<Candidate<'f>> {
    let names = workload_names(derived);
    let best = |account: &str| names.iter().filter_map(|name| kinship(account, name)).max();
    let own = derived.facts.service_account_name.as_str();
    let asked = if own == "default" { Kinship::Part } else { Kinship::Same };
    if own != "default" && best(own).is_some() {
        return None;
    }
    let near: Vec<_> = candidates
        .iter()
        .filter_map(|(account, role)| Some((best(&account.value.metadata.name)?, *account, *role)))
        .filter(|(kinship, ..)| *kinship >= asked)
        .collect();
    let closest = near.iter().map(|(kinship, ..)| *kinship).max()?;
    let mut of_closest = near.into_iter().filter(|(kinship, ..)| *kinship == closest);
    let (_, account, role) = of_closest.next()?;
    of_closest.next().is_none().then_some(Candidate { account, role, sign: Sign::Name })
}

/// What the subject's workload is called, by its owner and by the usual labels.
fn workload_names(derived: &Derived<'_>) -> Vec<String> {
    const LABELS: [&str; 5] =
        ["app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "k8s-app", "spark-app-name"];
    let mut names: Vec<String> = derived.owner_key().map(|(_, name)| name).into_iter().collect();
    if let Some((_, meta, ..)) = derived.spec() {
        names.extend(LABELS.iter().filter_map(|label| meta.labels.get(*label).map(String::from)));
        if names.is_empty() {
            names.push(meta.judged_name().to_owned());
        }
    }
    names
}

/// How close two names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kinship {
    /// The words of one are among those of the other.
    Part,
    /// The same words.
    Same,
}

fn kinship(account: &str, workload: &str) -> Option<Kinship> {
    /// Common additions to a service account's name.
    const ADDED: [&str; 6] = ["sa", "serviceaccount", "account", "irsa", "role", "iam"];
    /// Words that do not identify a workload.
    const COMMON: [&str; 17] = [
        "app",
        "api",
        "web",
        "job",
        "worker",
        "main",
        "server",
        "service",
        "controller",
        "manager",
        "operator",
        "backend",
        "frontend",
        "prod",
        "staging",
        "dev",
        "test",
    ];
    let words = |name: &str| -> Vec<String> {
        name.split(['-', '.', '_']).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
    };
    let telling =
        |words: &[String]| words.iter().any(|word| word.len() > 2 && !COMMON.contains(&word.as_str()));
    let workload = words(workload);
    let account: Vec<_> = words(account).into_iter().filter(|word| !ADDED.contains(&word.as_str())).collect();
    if account.is_empty() || workload.is_empty() {
        return None;
    }
    if account == workload {
        return Some(Kinship::Same);
    }
    let holds = |long: &[String], short: &[String]| {
        telling(short) && long.windows(short.len()).any(|part| part == short)
    };
    (holds(&workload, &account) || holds(&account, &workload)).then_some(Kinship::Part)
}

fn namesakes<'f>(derived: &Derived<'f>) -> Vec<&'f Sourced<ServiceAccount>> {
    // Every namespace has a `default`: the name says nothing.
    if derived.facts.service_account_name == "default" {
        return Vec::new();
    }
    let key = right_key(derived);
    let listing = derived.facts.namesakes.known();
    let accounts = listing.into_iter().flat_map(|listing| &listing.value.items);
    accounts
        .filter(|account| {
            let meta = &account.value.metadata;
            meta.name == derived.facts.service_account_name
                && meta.namespace != derived.facts.namespace_name
                && meta.annotations.get(&key).is_some_and(|role| RoleArn::parse(role).is_ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_workload() {
        for (account, workload, expected) in [
            ("checkout", "checkout", Some(Kinship::Same)),
            ("checkout-sa", "checkout", Some(Kinship::Same)),
            ("shop-checkout", "checkout", Some(Kinship::Part)),
            ("external-dns", "prod-external-dns", Some(Kinship::Part)),
            ("spark", "spark-pi-driver", Some(Kinship::Part)),
            ("api", "checkout-api", None),
            ("external-dns", "checkout", None),
            ("check", "checkout", None),
            ("sa", "checkout", None),
        ] {
            assert_eq!(kinship(account, workload), expected, "{account} {workload}");
        }
    }

    #[test]
    fn keys_that_were_meant() {
        let right = "eks.amazonaws.com/role-arn";
        for key in [
            "eks.amazonaws.com/role_arn",
            "eks.amazonaws.com/rolearn",
            "eks.amazonaws.com/iam-role",
            "amazonaws.com/role-arn",
            "iam.amazonaws.com/role",
            "eks.amazon.com/role-arn",
            "eks.amazonaws.com/roleArn",
        ] {
            assert_eq!(nearness(key, right), Some(true), "{key}");
        }
        assert_eq!(nearness("aws.example.com/role-arn", right), Some(false));
        for key in ["eks.amazonaws.com/audience", "meta.helm.sh/release-name", "example.com/owner"] {
            assert_eq!(nearness(key, right), None, "{key}");
        }
    }

    #[test]
    fn a_role_within_what_helm_printed() {
        let arn = "arn:aws:iam::111122223333:role/app";
        assert_eq!(role_in(&format!("map[amazonaws:map[com/role-arn:{arn}]]")), Some(arn));
        assert_eq!(role_in(arn), Some(arn));
        assert_eq!(role_in("arn:aws:s3:::bucket"), None);
    }
}

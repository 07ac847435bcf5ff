//! One file per failure mode, named after its id; the list below is the registry.
//!
//! A check reads [`Derived`] and answers; it does no I/O and asks no clock. Its module documentation is its page: what
//! `kubectl irsa explain ID` prints and what `docs/checks/` holds. To add one: write the file, add its name below,
//! add `tests/worlds/<id>/{broken,fine}.<case>.yaml`.

mod agent;
mod denied;
mod hearsay;
mod inside;
mod outcome;
mod prelude;
mod repair;
mod trust;

pub use outcome::{Outcome, unknown};

use crate::derive::container::ContainerView;
use crate::derive::env::{EnvEntry, Origin};
use crate::derive::trial::Refusal;
use crate::derive::{Derived, Mechanism};
use crate::facts::aws::EksCluster;
use crate::finding::{About, Confidence, Finding, Severity};
use crate::step::Step;

/// What is fixed about a check.
#[derive(Debug)]
pub struct Meta {
    /// Kebab-case id; never reused, never renamed.
    pub id: &'static str,
    /// The link that it looks at.
    pub step: Step,
    /// The failure mode in a few words.
    pub title: &'static str,
    /// Ids of failure modes that are mere consequences of this one.
    pub explains: &'static [&'static str],
}

/// A registered check.
#[derive(Debug)]
pub struct Check {
    /// What is fixed about it.
    pub meta: &'static Meta,
    /// The check.
    pub run: fn(&Derived<'_>) -> Outcome,
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

macro_rules! checks {
    ($($name:ident,)*) => {
        $(mod $name;)*
        /// Every check, in the order in which faults of one link are to be repaired.
        pub static ALL: &[Check] = &[
            $(Check { meta: &$name::META, run: $name::check, source: include_str!(concat!(stringify!($name), ".rs")) },)*
        ];
    };
}

checks! {
    // service account
    sa_missing,
    annotation_key_typo,
    annotation_on_wrong_object,
    annotation_removed_by_operator,
    pod_uses_other_sa,
    eksctl_excluded,
    sa_wrong_namespace,
    fargate_no_sa,
    configmap_mode_confusion,
    sa_not_annotated,
    controller_uses_tokenrequest,
    role_arn_malformed,
    wrong_partition,
    pi_no_association,
    pi_overrides_irsa,
    // pod spec
    static_pod,
    unsupported_platform,
    wrong_token_path_manual,
    env_preset_partial,
    env_preset_complete_no_mount,
    env_preset_stale_role,
    env_from_secret_overrides,
    volume_name_collision,
    mountpath_collision,
    subpath_mount,
    windows_no_nodeselector,
    // injection
    admission_policy_volume,
    skip_label,
    skip_containers,
    mwc_missing,
    mwc_cabundle_stale,
    mwc_v1_admissionreview,
    mwc_selector_excludes,
    webhook_in_cluster_flag,
    webhook_down_ignore,
    other_webhook_strips,
    old_webhook_drops_fields,
    sa_cache_race,
    pi_association_after_pod,
    pod_identity_cache_race,
    pod_created_before_annotation,
    only_some_containers_injected,
    not_injected,
    // token
    node_audience_restriction,
    token_mount_failed,
    selinux_lsm,
    privilege_drop_after_start,
    chroot_or_private_mount_ns,
    token_permission_denied,
    token_malformed,
    token_expired,
    // network
    region_bogus,
    region_missing,
    endpoint_override_leaks,
    sts_global_endpoint,
    proxy,
    networkpolicy_egress,
    dns_coredns,
    ipv6,
    sts_unreachable_no_egress,
    vpce_policy_denies_sts,
    tls_roots,
    pi_agent_missing,
    pi_agent_not_on_node,
    pi_agent_crash,
    pi_wrong_host,
    pi_eks_auth_endpoint,
    global_sts_signature_scope,
    trust_network_conditions,
    // issuer
    token_issuer_wrong,
    thumbprint,
    jwks_problem,
    issuer_legacy_token,
    // OIDC provider
    oidc_url_variant,
    oidc_other_cluster,
    oidc_provider_missing,
    provider_quota,
    oidc_client_id,
    // role
    wrong_account_in_arn,
    role_path_missing,
    role_deleted_or_never_existed,
    // trust policy
    trust_deny_statement,
    trust_provider_other_account,
    trust_wrong_principal,
    trust_issuer_typo,
    trust_wrong_action,
    trust_two_clusters_anded,
    trust_unavailable_key,
    trust_key_value_swapped,
    trust_wildcard_in_stringequals,
    trust_case,
    trust_aud_mismatch,
    trust_sub_mismatch,
    trust_session_name_or_tag,
    trust_quota,
    pi_trust,
    trust_permissive,
    trust_json_oddities,
    // STS
    session_name_invalid,
    session_per_request,
    sts_region_disabled,
    sts_optin_region_masquerade,
    sts_throttled,
    pi_node_role,
    pi_rate_limit,
    duration_too_long,
    token_v1_optin_region,
    iam_eventual_consistency,
    sts_refused,
    // caller
    static_env_keys,
    shared_credentials_file,
    aws_profile,
    sdk_no_sts_module,
    custom_provider_list,
    sdk_too_old,
    app_assumes_with_node_role,
    silent_fallback_to_node_role,
    imds_intercepted_kiam,
    config_role_arn_double_assume,
    clock_skew,
    app_caches_token,
    pi_shadowed,
    pi_sdk_too_old,
    pi_bad_authorization,
    pi_token_stale,
    // permissions
    perm_no_policy,
    perm_boundary,
    perm_scp,
    perm_rcp,
    perm_session_policy,
    perm_vpce_policy,
    perm_resource_policy,
    perm_kms,
    perm_chained_role,
}

/// Failure modes that people suspect and that are none: pages for `explain`, and fine worlds in the tests.
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

    /// Starts an error about the pod, or about the template of pods to come.
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

    /// Starts a finding about a container of the subject; beside the target it weighs one step less.
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
        }
    }
}

/// Adds the repair that takes variables out of a container: a command where they stand in the manifest of a workload.
fn take_out(
    finding: Finding,
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    variables: &[(&str, &EnvEntry)],
) -> Finding {
    let in_manifest = variables.iter().all(|(_, entry)| matches!(entry.origin, Origin::Env(_)));
    let names = variables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
    let words: Vec<String> = variables.iter().map(|(name, _)| format!("{name}-")).collect();
    match derived.set_env(view, &words).filter(|_| in_manifest) {
        Some(command) => finding.fix(format!("take {names} out; the pods are made anew without"), command),
        None => {
            let place = variables.iter().find_map(|(_, entry)| match &entry.origin {
                Origin::EnvFrom(from) => Some(from.as_str()),
                Origin::Env(_) => None,
            });
            let place = place.unwrap_or("the manifest");
            finding.advice(format!("take {names} out of {place} and make the pods anew"))
        }
    }
}

/// The ARN of the role that AWS is asked about, or the answer of a check where there is none.
fn role_asked(derived: &Derived<'_>) -> Result<String, Outcome> {
    match derived.intent.mechanism {
        Mechanism::PodIdentity => {
            Err(Outcome::NotApplicable("the pod gets its identity from EKS Pod Identity"))
        }
        Mechanism::Unknown => Err(Outcome::Unknown(derived.account_unknown().into_iter().cloned().collect())),
        _ => derived
            .plan()
            .role_arn
            .ok_or(Outcome::NotApplicable("no role is named that AWS could be asked about")),
    }
}

/// The region of an EKS cluster, by its ARN.
fn region_of_cluster(cluster: &EksCluster) -> String {
    cluster.arn.split(':').nth(3).unwrap_or_default().to_owned()
}

/// Adds STS's own words.
fn with_answer(finding: Finding, refusal: &Refusal<'_>) -> Finding {
    finding.seen(
        format!("answer of {}", refusal.trial.host),
        format!("{}: {}", refusal.code, refusal.message),
        refusal.source,
    )
}

/// Looks a check up by its id.
pub fn by_id(id: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.meta.id == id)
}

//! # The manifest presets only one of the two variables
//!
//! If a container's `env` declares only `AWS_ROLE_ARN` or only `AWS_WEB_IDENTITY_TOKEN_FILE`, the webhook adds neither, but it
//! still mounts the token: the volume is there and nothing works. An empty value (`AWS_ROLE_ARN: ""`, as a chart renders a
//! value that was never set) counts as declared for the webhook and as unset for the SDKs.
//!
//! **You see**, with only the token file: `role ARN is not set` (Go), `no role ARN configured` (boto3). With only the role:
//! nothing; the SDK falls back to the node's role.
//!
//! **Decided by**: one variable is declared and the other is not; the webhook always adds both or neither (webhook
//! `addEnvToContainer`).
//!
//! **Not a fault**: one of the two in `envFrom`, which the webhook does not look at; only `AWS_ROLE_ARN` together with EKS Pod
//! Identity, since the SDKs skip a web identity that has no token file.
//!
//! **Repair**: unset the preset variable in the manifest, or declare both.

use crate::aws::arn::RoleArn;
use crate::checks::prelude::*;
use crate::repair::{env, service_account};

pub(super) const META: Meta = Meta {
    id: "env-preset-partial",
    step: Step::Pod,
    title: "the manifest presets only one of the two variables",
    explains: &["not-injected", "env-preset-stale-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    let findings: Vec<_> = derived.containers.iter().filter_map(|view| partial(derived, view)).collect();
    let unread = derived.containers.iter().filter(|view| view.wiring == Wiring::Unknown);
    let unread: Vec<_> = unread.flat_map(|view| &view.env.unread).map(|why| (*why).clone()).collect();
    if findings.is_empty() && !unread.is_empty() { Outcome::Unknown(unread) } else { Outcome::of(findings) }
}

fn partial(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let name = view.name();
    let declared = |variable| view.declares(variable);
    let webhook = derived.intent.expects_injection() && !view.skipped;
    let (has, lacks, summary) = match view.wiring {
        Wiring::RoleOnly if view.pod_identity => return None,
        // `envFrom` does not stop the webhook; then the question is why the container was not injected.
        Wiring::RoleOnly | Wiring::TokenFileOnly
            if webhook && !declared(ROLE_ARN) && !declared(TOKEN_FILE) =>
        {
            return None;
        }
        Wiring::RoleOnly if webhook => (
            ROLE_ARN,
            TOKEN_FILE,
            format!("container {name} presets {ROLE_ARN}, so the webhook does not add {TOKEN_FILE}"),
        ),
        Wiring::TokenFileOnly if webhook => (
            TOKEN_FILE,
            ROLE_ARN,
            format!("container {name} presets {TOKEN_FILE}, so the webhook does not add {ROLE_ARN}"),
        ),
        Wiring::RoleOnly => {
            (ROLE_ARN, TOKEN_FILE, format!("container {name} has {ROLE_ARN} but no {TOKEN_FILE}"))
        }
        Wiring::TokenFileOnly => {
            (TOKEN_FILE, ROLE_ARN, format!("container {name} has {TOKEN_FILE} but no {ROLE_ARN}"))
        }
        Wiring::Nothing if webhook && !view.pod_identity && (declared(ROLE_ARN) || declared(TOKEN_FILE)) => {
            let (has, lacks) =
                if declared(ROLE_ARN) { (ROLE_ARN, TOKEN_FILE) } else { (TOKEN_FILE, ROLE_ARN) };
            (
                has,
                lacks,
                format!(
                    "container {name} presets {has} to the empty string, so the webhook adds neither variable"
                ),
            )
        }
        _ => return None,
    };
    let preset = view.env.get(has)?;
    let mut finding = META.on_subject(derived, summary).container(name);
    finding = finding.seen(has, preset.shown(), &preset.source);
    finding = match view.env.get(lacks) {
        Some(empty) => finding.evidence(lacks, "set as well", empty.shown(), &empty.source),
        None => finding.missing(lacks, "set as well", &derived.spec_at("")?.at(format!("{}.env", view.path))),
    };
    if !webhook {
        // Nothing says that the webhook was meant to complete it.
        finding = finding.inferred();
        let role = preset.text().filter(|role| has == ROLE_ARN && RoleArn::parse(role).is_ok());
        if let Some(role) = role.filter(|_| derived.intent.role.is_none()) {
            let role = Assignment::set(format!("{}/role-arn", derived.settings.annotation_prefix), role);
            let title = "name the role on the service account instead";
            finding = finding.fix(service_account::annotate(derived, title, role));
        }
    }
    let title = "unset the preset variable; the webhook then adds both to the new pods";
    let fix = env::unset(derived, view, &[ROLE_ARN, TOKEN_FILE], title);
    Some(finding.fix(fix.unwrap_or_else(|| {
        Fix::advice(format!("unset {has} where it is set, or declare both, and recreate the pods"))
    })))
}

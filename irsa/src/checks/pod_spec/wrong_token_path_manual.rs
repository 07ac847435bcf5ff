//! # The token file is the API server's token
//!
//! `AWS_WEB_IDENTITY_TOKEN_FILE` is set by hand to `/var/run/secrets/kubernetes.io/serviceaccount/token`. That token is for the
//! API server: it has a different audience, and a legacy token has none at all.
//!
//! ```text
//! bad   /var/run/secrets/kubernetes.io/serviceaccount/token
//! good  /var/run/secrets/eks.amazonaws.com/serviceaccount/token
//! ```
//!
//! **You see**: `InvalidIdentityToken: Incorrect token audience`, or `Missing a required claim: aud`; `no such file or
//! directory` where `automountServiceAccountToken` is `false`.
//!
//! **Decided by**: the volume that contains the file: a projected token without an audience of its own, or a Secret.
//!
//! **Not a fault**: a projected token with the right audience that is mounted on that directory.
//!
//! **Repair**: unset both variables and let the webhook set them, or project a token with audience `sts.amazonaws.com`.

use crate::checks::prelude::*;
use crate::derive::container::{is_parent, slashed};
use crate::repair::env;

pub(super) const META: Meta = Meta {
    id: "wrong-token-path-manual",
    step: Step::Pod,
    title: "the token file is the API server's token",
    explains: &["env-preset-partial", "env-preset-stale-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    if derived.containers.is_empty() {
        return Outcome::NotApplicable("no pod to look at");
    }
    Outcome::of(derived.containers.iter().filter_map(|view| wrong_file(derived, view)).collect())
}

fn wrong_file(derived: &Derived<'_>, view: &ContainerView<'_>) -> Option<Finding> {
    let (spec, ..) = derived.spec()?;
    let variable = view.env.get(TOKEN_FILE).filter(|entry| entry.is_set())?;
    let file = variable.text()?;
    let mount = TokenMount::of(view.container, spec, file);
    let token = mount.and_then(|mount| mount.token(file));
    let wanted = derived.intent.audience.as_str();
    let (what, found, source) = match (mount.and_then(|mount| mount.volume), token) {
        (Some((index, _)), Some(token)) if token.audience.is_empty() => {
            let at = derived.spec_at(&format!(".volumes[{index}]"))?;
            ("audience of that token", String::from("(the API server's own)"), at)
        }
        (Some(_), Some(_)) => return None,
        (volume, None) if is_parent(super::API_DIRECTORY, &slashed(file)) => match volume {
            Some((index, volume))
                if mount.is_some_and(|mount| is_parent(super::API_DIRECTORY, &mount.mount.mount_path)) =>
            {
                // Any other kind of volume may contain any token; a Secret on this path is the legacy API token.
                volume.secret.as_ref()?;
                let at = derived.spec_at(&format!(".volumes[{index}]"))?;
                ("audience of that token", String::from("(none: a Secret's token)"), at)
            }
            // The kubelet's mount is not in a template, and not in a pod with automountServiceAccountToken: false.
            _ => ("audience of that token", String::from("(the API server's own)"), variable.source.clone()),
        },
        _ => return None,
    };
    let name = view.name();
    let finding = META
        .on_subject(
            derived,
            format!("container {name} reads the API server's token, whose audience STS does not accept"),
        )
        .container(name)
        .seen(TOKEN_FILE, file, &variable.source)
        .evidence(what, wanted, found, &source);
    // Outside EKS the API server may give its tokens any audience that it is configured with.
    let finding = if derived.platform == Platform::Eks { finding } else { finding.inferred() };
    if derived.intent.expects_injection() {
        let title = "unset both variables; the webhook then sets them";
        let fix = env::unset(derived, view, &[ROLE_ARN, TOKEN_FILE], title);
        return Some(finding.fix(fix.unwrap_or_else(|| {
            Fix::advice(format!("unset {ROLE_ARN} and {TOKEN_FILE} in the manifest; the webhook adds both"))
        })));
    }
    Some(finding.fix(Fix::advice(format!(
        "name the role on the service account and unset both variables, or mount a projected token with audience {wanted} and point {TOKEN_FILE} at it"
    ))))
}

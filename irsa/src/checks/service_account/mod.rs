//! Checks of the service account and its annotations.

use crate::derive::Derived;

super::checks! {
    "service account":
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
}

/// The annotate command for a role that only the user knows; the shell refuses it while `ROLE_ARN` is unset.
fn role_annotation(derived: &Derived<'_>) -> String {
    let key = format!("{}/role-arn", derived.settings.annotation_prefix);
    format!("{}\"${{ROLE_ARN:?}}\"", derived.annotate(&format!("{key}=")))
}

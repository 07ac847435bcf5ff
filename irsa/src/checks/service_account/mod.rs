//! Checks of the service account and its annotations.

super::checks! {
    "service account" [ServiceAccount]:
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

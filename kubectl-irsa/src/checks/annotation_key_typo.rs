//! # The annotation key is misspelt
//!
//! The webhook reads `eks.amazonaws.com/role-arn` and nothing like it: `role_arn`, `rolearn`, `iam-role`,
//! `amazonaws.com/role-arn`, kiam's `iam.amazonaws.com/role`, or the right key under `labels`, are all ignored without a
//! word. Helm's `--set` with unescaped dots makes nested keys.
//!
//! **Decided by**: no annotation under the webhook's key, and one whose key is close to it and whose value names a role.
//!
//! **Not a fault**: a self-hosted webhook with another `--annotation-prefix`; its flags are read before this is said.
//!
//! **Repair**: write the value under the right key and make the pods anew. With Helm:
//! `--set serviceAccount.annotations."eks\.amazonaws\.com/role-arn"=…`.

use super::prelude::*;

/// See the module's page.
pub const META: Meta = Meta {
    id: "annotation-key-typo",
    step: Step::ServiceAccount,
    title: "the annotation key is misspelt",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

/// See the module's page.
pub fn check(derived: &Derived<'_>) -> Outcome {
    let account = match &derived.facts.service_account {
        Fact::Known(account) => account,
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent { .. } => return Outcome::NotApplicable("there is no service account to read"),
    };
    if derived.annotation("role-arn").is_some_and(|(value, _)| !value.is_empty()) {
        return Outcome::Pass;
    }
    let meta = &account.value.metadata;
    let right = format!("{}/role-arn", derived.settings.annotation_prefix);
    let annotations = meta.annotations.iter().map(|(key, value)| ("annotations", key, value));
    let labels = meta.labels.iter().map(|(key, value)| ("labels", key, value));
    let near = annotations.chain(labels).find(|(place, key, value)| {
        // A label value cannot hold an ARN, so under `labels` the right key alone is the evidence.
        (*place == "labels" && **key == right) || (**key != right && value.contains(":role/") && is_near(key, &right))
    });
    let Some((place, key, value)) = near else { return Outcome::Pass };
    let (name, namespace) = (&derived.facts.service_account_name, &derived.facts.namespace_name);
    let summary = if place == "labels" {
        format!("the role of service account {namespace}/{name} stands under labels; the webhook reads annotations")
    } else {
        format!("service account {namespace}/{name} names its role under `{key}`; the webhook reads `{right}`")
    };
    let source = account.source.at(format!(".metadata.{place}[\"{key}\"]"));
    let finding = if place == "labels" {
        META.on_account(derived, summary).evidence("place of the key", "metadata.annotations", "metadata.labels", &source)
    } else {
        META.on_account(derived, summary).evidence("annotation key", &right, key, &source)
    };
    let finding = if value.contains(":role/") {
        finding.fix("write the role under the right key", derived.annotate(&format!("{right}={value}")))
    } else {
        finding.fix("write the role under the right key (set ROLE_ARN first)", super::sa_missing::role_annotation(derived))
    };
    match derived.restart() {
        Some((title, command)) => finding.fix(title, command).into(),
        None => finding.into(),
    }
}

/// Close enough to be meant: few edits after case and separators are levelled, or one of the keys of older tools.
fn is_near(key: &str, right: &str) -> bool {
    const OTHER_TOOLS: [&str; 3] = ["iam.amazonaws.com/role", "amazonaws.com/role-arn", "eks.amazonaws.com/iam-role"];
    let level = |text: &str| text.to_ascii_lowercase().replace(['_', '-', '.'], "");
    OTHER_TOOLS.contains(&key) || strsim::damerau_levenshtein(&level(key), &level(right)) <= 3
}

//! # The webhook's ConfigMap does not do what it seems to
//!
//! With `--watch-config-map` (kOps) the webhook also takes roles from ConfigMap `pod-identity-webhook`. If it cannot parse the
//! JSON, the previous entries stay in force. A wildcard works only as the whole namespace, `*`, so `test-*/checkout` matches
//! nothing. And an annotation takes precedence over an entry.
//!
//! **You see**, in the webhook's log: `failed to unmarshal new config`; or pods have the role of the annotation although the
//! entry's was meant.
//!
//! **Decided by**: the ConfigMap, parsed as the webhook parses it.
//!
//! **Not a fault**: a service account that has an entry and no annotation; an entry and an annotation that agree.
//!
//! **Repair**: correct the ConfigMap, or annotate the service account, which always works.

use crate::checks::prelude::*;
use crate::derive::webhook_config::{ConfigProblem, Entry, entries, entry_for, looks_covered};
use crate::facts::kubernetes::ConfigMap;
use crate::repair::service_account;
use crate::repair::workload;

pub(super) const META: Meta = Meta {
    id: "configmap-mode-confusion",
    step: Step::ServiceAccount,
    title: "the webhook's ConfigMap does not do what it seems to",
    explains: &["sa-not-annotated", "fargate-no-sa", "not-injected"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let unnamed = matches!(derived.intent.mechanism, Mechanism::None | Mechanism::Unknown);
    let config_map = match &derived.facts.cluster.webhook_config_map {
        Fact::Known(config_map) => config_map,
        Fact::Absent { .. } => return Outcome::NotApplicable("the webhook has no ConfigMap"),
        Fact::Unknown(why) if unnamed && derived.settings.watch_config_map => return unknown(why),
        Fact::Unknown(_) => return Outcome::NotApplicable("the webhook is not known to read a ConfigMap"),
    };
    let ignored = derived.settings.certain && !derived.settings.watch_config_map;
    let text = config_map.value.webhook_config.as_deref().unwrap_or_default();
    let facts = derived.facts;
    let account = format!("{}/{}", facts.namespace_name, facts.service_account_name);
    let entries = match entries(text) {
        Ok(entries) => entries,
        Err(_) if ignored => return Outcome::NotApplicable("the webhook does not read its ConfigMap"),
        Err(problem) => return unreadable(derived, config_map, text, &account, problem),
    };
    let entry = entry_for(&entries, facts).filter(|entry| entry.role.is_some());
    let at = config_map.source.at(".data.config");
    if let (Some(entry), Some((annotated, source))) = (entry, derived.annotation("role-arn")) {
        let role = entry.role.as_deref().unwrap_or_default();
        if annotated.is_empty() || annotated == role || ignored {
            return Outcome::Pass;
        }
        return META
            .on_account(derived, format!("service account {account} has a different role in the webhook's ConfigMap; the annotation wins"))
            .severity(Severity::Warning)
            .evidence("role in effect", role, annotated, &source)
            .seen(format!("entry {}", entry.key), role, &at)
            .fix(edit(derived, config_map, "make both name the same role"))
            .into();
    }
    if !unnamed {
        return Outcome::Pass;
    }
    let (entry, summary) = match (entry, looks_covered(&entries, facts)) {
        (Some(entry), _) if ignored => (
            entry,
            format!(
                "the ConfigMap entry for service account {account} has no effect: the webhook does not read the ConfigMap"
            ),
        ),
        (None, Some(entry)) if entry.role.is_some() => (
            entry,
            format!(
                "ConfigMap entry `{}` does not match service account {account}: the only wildcard is `*` for the whole namespace",
                entry.key
            ),
        ),
        _ => return Outcome::Pass,
    };
    without_effect(derived, META.on_account(derived, summary), entry, &at)
}

fn without_effect(derived: &Derived<'_>, finding: Finding, entry: &Entry, at: &Source) -> Outcome {
    let facts = derived.facts;
    let role = entry.role.as_deref().unwrap_or_default();
    let wanted = format!("{}/{}", facts.namespace_name, facts.service_account_name);
    let role = Assignment::set(format!("{}/role-arn", derived.settings.annotation_prefix), role);
    let title = "annotate the service account, which always works";
    let finding = finding
        .evidence("key of the entry", wanted, &entry.key, at)
        .fix(service_account::annotate(derived, title, role));
    finding.fixes(workload::restart(derived)).into()
}

/// Only a fault of this service account if it has an entry there and nothing else names its role.
fn unreadable(
    derived: &Derived<'_>,
    config_map: &Sourced<ConfigMap>,
    text: &str,
    account: &str,
    problem: ConfigProblem,
) -> Outcome {
    let any = format!("*/{}", derived.facts.service_account_name);
    let named = [account, any.as_str()].iter().any(|key| text.contains(&format!("\"{key}\"")));
    if !named || derived.annotation("role-arn").is_some_and(|(role, _)| !role.is_empty()) {
        return Outcome::Pass;
    }
    let (words, effect) = match problem {
        ConfigProblem::Malformed(words) => (words, "cannot be parsed, so none of its entries takes effect"),
        ConfigProblem::Crashes(words) => (words, "has an entry that crashes the webhook"),
    };
    let severity =
        if derived.intent.mechanism == Mechanism::None { Severity::Error } else { Severity::Warning };
    let meta = &config_map.value.metadata;
    let finding = META
        .on(
            "ConfigMap",
            &meta.namespace,
            &meta.name,
            format!("ConfigMap {}/{} {effect}", meta.namespace, meta.name),
        )
        .severity(severity)
        .evidence("config", "a JSON object of entries", words, &config_map.source.at(".data.config"));
    // The previous entries stay in force until the webhook restarts.
    let finding = if derived.settings.certain { finding } else { finding.inferred() };
    let finding = finding.fix(edit(derived, config_map, "correct the JSON"));
    finding.fixes(workload::restart(derived).filter(|_| severity == Severity::Error)).into()
}

/// The webhook reads the roles of every service account from it.
fn edit(derived: &Derived<'_>, config_map: &Sourced<ConfigMap>, title: &str) -> Fix {
    let meta = &config_map.value.metadata;
    let words = ["edit", "configmap", &meta.name, "-n", &meta.namespace];
    Fix::shared(title, Act::only_by(Command::kubectl(derived, &words)))
}

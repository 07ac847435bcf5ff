//! Annotations that the webhook does not read: misspelt, or on another object than the service account.

use crate::derive::webhook::DEFAULT_PREFIX;
use crate::documents::Place;
use crate::documents::yaml::{Content, Entry, Node};
use crate::lint::change::{Change, Object};
use crate::lint::findings::Found;
use crate::lint::problem::Problem;
use crate::severity::Severity;

/// What the webhook reads of a service account. A role is judged by the check that also knows other programs' keys.
const OF_SERVICE_ACCOUNTS: [&str; 3] = ["audience", "token-expiration", "sts-regional-endpoints"];
/// What the webhook reads of a pod.
const OF_PODS: [&str; 2] = ["skip-containers", "token-expiration"];
/// In how many letters a misspelt key differs.
const TYPO: usize = 2;

/// A key under the webhook's prefix that it does not know and that is near to one that it does.
pub(super) fn misspelt(change: &Change, found: &mut Found) {
    for object in &change.objects {
        let (meta, known): (_, &[&str]) = match object.kind.as_str() {
            "ServiceAccount" => (object.node.get("metadata"), &OF_SERVICE_ACCOUNTS),
            _ => match object.template() {
                Some((meta, _)) => (meta, &OF_PODS),
                None => continue,
            },
        };
        for entry in annotations(meta) {
            let Some(name) = entry.key.strip_prefix(DEFAULT_PREFIX).and_then(|name| name.strip_prefix('/'))
            else {
                continue;
            };
            let is_right = |known: &&str| *known == name;
            let all = || OF_SERVICE_ACCOUNTS.iter().chain(&OF_PODS).copied();
            if all().any(|known| is_right(&known)) {
                continue;
            }
            let level = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
            let near = known.iter().find(|known| strsim::damerau_levenshtein(&level(name), known) <= TYPO);
            let Some(near) = near else { continue };
            let right = format!("{DEFAULT_PREFIX}/{near}");
            found.add(Problem {
                place: Place { file: object.file.clone(), position: entry.key_at },
                id: "annotation-key-typo",
                severity: Severity::Error,
                summary: format!(
                    "{} has annotation `{}`; the webhook reads `{right}`",
                    object.shown(),
                    entry.key
                ),
                what: String::from("annotation key"),
                expected: Some(right),
                found: Some(entry.key.clone()),
                fix: Some(String::from("correct the key")),
            });
        }
    }
}

/// The role's annotation on an object on which nobody reads it, where the service account is not in the change or the object has none.
/// Beside its service account, the check says it.
pub(super) fn misplaced(change: &Change, found: &mut Found) {
    let key = format!("{DEFAULT_PREFIX}/role-arn");
    for object in &change.objects {
        if object.kind == "ServiceAccount" {
            continue;
        }
        let template = object.template();
        let is_namespace = object.kind == "Namespace";
        if template.is_none() && !is_namespace {
            continue;
        }
        let namespace = object.meta("namespace");
        let account = template.map(|(_, spec)| spec.text("serviceAccountName").unwrap_or("default"));
        let beside = change.objects.iter().any(|other| {
            other.kind == "ServiceAccount"
                && other.meta("name") == account
                && (other.meta("namespace").is_none()
                    || namespace.is_none()
                    || other.meta("namespace") == namespace)
        });
        if account.is_some() && beside {
            continue;
        }
        let own = annotations(object.node.get("metadata"));
        let of_template = annotations(template.and_then(|(meta, _)| meta)).filter(|_| object.kind != "Pod");
        for entry in of_template.chain(own).filter(|entry| entry.key == key) {
            let reader = account.map_or_else(
                || String::from("service accounts"),
                |account| format!("service account {account}"),
            );
            found.add(Problem {
                place: Place { file: object.file.clone(), position: entry.value.at },
                id: "annotation-on-wrong-object",
                severity: Severity::Warning,
                summary: format!(
                    "{} has the role annotation; the webhook reads it only from {reader}",
                    object.shown()
                ),
                what: format!("{key} on {}", object.shown()),
                expected: None,
                found: text(&entry.value),
                fix: Some(String::from("annotate the service account instead")),
            });
        }
    }
}

/// The annotations of an object's metadata.
pub(super) fn annotations(meta: Option<&Node>) -> impl Iterator<Item = &Entry> {
    let entries = match meta.and_then(|meta| meta.get("annotations")).map(Node::content) {
        Some(Content::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter()
}

/// The role that a service account names, and where.
pub(in crate::lint) fn role_of(object: &Object) -> Option<(&str, &Node)> {
    let key = format!("{DEFAULT_PREFIX}/role-arn");
    let entry = annotations(object.node.get("metadata")).find(|entry| entry.key == key)?;
    match entry.value.content() {
        Content::Text(text) if !text.is_empty() => Some((text, &entry.value)),
        _ => None,
    }
}

fn text(node: &Node) -> Option<String> {
    match node.content() {
        Content::Text(text) => Some(text.clone()),
        _ => None,
    }
}

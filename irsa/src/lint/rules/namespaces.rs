//! A pod names a service account that the change has in another namespace only.

use crate::documents::Place;
use crate::lint::change::Change;
use crate::lint::findings::Found;
use crate::lint::problem::Problem;
use crate::severity::Severity;

use super::annotations::role_of;

/// Where both name their namespace. The one in the pod's namespace may be there already: a warning.
pub(super) fn other_namespace(change: &Change, found: &mut Found) {
    for object in &change.objects {
        let Some((_, spec)) = object.template() else { continue };
        let Some(account) = spec.get("serviceAccountName") else { continue };
        let (Some(name), Some(namespace)) = (spec.text("serviceAccountName"), object.meta("namespace"))
        else {
            continue;
        };
        let mut same = change
            .objects
            .iter()
            .filter(|other| other.kind == "ServiceAccount" && other.meta("name") == Some(name))
            .peekable();
        let is_elsewhere = name != "default"
            && same.peek().is_some()
            && same.clone().all(|other| other.meta("namespace").is_some_and(|other| other != namespace));
        let annotated = same.find_map(|other| Some((other.meta("namespace")?, role_of(other)?)));
        let Some((other, _)) = annotated.filter(|_| is_elsewhere) else { continue };
        found.add(Problem {
            place: Place { file: object.file.clone(), position: account.at },
            id: "sa-wrong-namespace",
            severity: Severity::Warning,
            summary: format!(
                "{} runs as service account {namespace}/{name}; the change has only {other}/{name}",
                object.shown()
            ),
            what: String::from("namespace of the service account"),
            expected: Some(namespace.to_owned()),
            found: Some(other.to_owned()),
            fix: Some(format!("put service account {name} into namespace {namespace}")),
        });
    }
}

//! Variables of a container.

use super::workload::{change, editable, rolling};
use super::{Command, Fix};
use crate::derive::Derived;
use crate::derive::container::ContainerView;
use crate::derive::env::{EnvEntry, Origin};
use crate::derive::injection;

/// Sets or unsets (`NAME-`) variables in the workload that owns such pods, which restarts them; `None` if there is no such
/// workload, or if its template is known not to set a variable that is to be unset: then something else put it into the pod,
/// and the command would change nothing.
pub(crate) fn set(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    assignments: &[String],
    title: impl Into<String>,
) -> Option<Fix> {
    let (target, _) = rolling(derived)?;
    if let Some(owner) = derived.facts.owner.known() {
        let spec = &owner.value.template_spec;
        let mut all = spec.containers.iter().chain(&spec.init_containers);
        let same = all.find(|other| other.name == view.name())?;
        let sets = |name: &str| same.env.iter().any(|variable| variable.name == name);
        if assignments.iter().filter_map(|word| word.strip_suffix('-')).any(|name| !sets(name)) {
            return None;
        }
    }
    Some(change(derived, title, set_env(derived, &target, view, assignments)))
}

/// Sets a variable in a template that can be edited, whether or not that restarts its pods.
pub(crate) fn set_in_template(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    assignment: String,
    title: &str,
) -> Option<Fix> {
    let (target, _) = editable(derived)?;
    Some(change(derived, title, set_env(derived, &target, view, &[assignment])))
}

/// Unsets variables in the workload's template; `None` if the template cannot be edited, or is known not to set any of them.
pub(crate) fn unset(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    variables: &[&str],
    title: &str,
) -> Option<Fix> {
    let set = |variable: &&str| {
        view.declares(variable)
            && injection::template_declares(derived.facts, view.container, variable) != Some(false)
    };
    let unset: Vec<String> =
        variables.iter().filter(|variable| set(variable)).map(|variable| format!("{variable}-")).collect();
    let (target, _) = editable(derived).filter(|_| !unset.is_empty())?;
    Some(change(derived, title, set_env(derived, &target, view, &unset)))
}

/// Unsets variables of a container: by a command if a workload's manifest sets them, else as advice.
pub(crate) fn take_out(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    variables: &[(&str, &EnvEntry)],
) -> Fix {
    let in_manifest = variables.iter().all(|(_, entry)| matches!(entry.origin, Origin::Env(_)));
    let names = variables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
    let words: Vec<String> = variables.iter().map(|(name, _)| format!("{name}-")).collect();
    let title = format!("unset {names}; restarts the pods");
    set(derived, view, &words, title).filter(|_| in_manifest).unwrap_or_else(|| {
        let place = variables.iter().find_map(|(_, entry)| match &entry.origin {
            Origin::EnvFrom(from) => Some(from.as_str()),
            Origin::Env(_) => None,
        });
        let place = place.unwrap_or("the manifest");
        Fix::advice(format!("remove {names} from {place} and recreate the pods"))
    })
}

fn set_env(derived: &Derived<'_>, target: &str, view: &ContainerView<'_>, assignments: &[String]) -> Command {
    let words = ["set", "env", target, "-n", &derived.facts.namespace_name, "-c", view.name()];
    Command::kubectl(derived, &words).words(assignments)
}

//! Variables of a container.

use super::workload::{change, editable, rolling};
use super::{Act, Assignment, Edit, Fix, Object, ObjectChange};
use crate::derive::Derived;
use crate::derive::container::{ContainerKind, ContainerView};
use crate::derive::env::{EnvEntry, Origin};
use crate::derive::injection;

/// Sets or unsets variables in the workload that owns such pods, which restarts them; `None` if there is no such
/// workload, or if its template is known not to set a variable that is to be unset: then something else put it into the pod,
/// and the command would change nothing.
pub(crate) fn set(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    assignments: &[Assignment],
    title: impl Into<String>,
) -> Option<Fix> {
    let workload = rolling(derived)?;
    if let Some(owner) = derived.facts.owner.known() {
        let spec = &owner.value.template_spec;
        let mut all = spec.containers.iter().chain(&spec.init_containers);
        let same = all.find(|other| other.name == view.name())?;
        let sets = |name: &str| same.env.iter().any(|variable| variable.name == name);
        if assignments.iter().any(|variable| variable.value.is_none() && !sets(&variable.name)) {
            return None;
        }
    }
    Some(change(derived, title, set_env(derived, workload, view, assignments.to_vec())))
}

/// Sets a variable in a template that can be edited, whether or not that restarts its pods.
pub(crate) fn set_in_template(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    assignment: Assignment,
    title: &str,
) -> Option<Fix> {
    Some(change(derived, title, set_env(derived, editable(derived)?, view, vec![assignment])))
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
    let unset: Vec<Assignment> = variables
        .iter()
        .filter(|variable| set(variable))
        .map(|variable| Assignment::remove(*variable))
        .collect();
    let workload = editable(derived).filter(|_| !unset.is_empty())?;
    Some(change(derived, title, set_env(derived, workload, view, unset)))
}

/// Unsets variables of a container: by a command if a workload's manifest sets them, else as advice.
pub(crate) fn take_out(
    derived: &Derived<'_>,
    view: &ContainerView<'_>,
    variables: &[(&str, &EnvEntry)],
) -> Fix {
    let in_manifest = variables.iter().all(|(_, entry)| matches!(entry.origin, Origin::Env(_)));
    let names = variables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
    let unset: Vec<Assignment> = variables.iter().map(|(name, _)| Assignment::remove(*name)).collect();
    let title = format!("unset {names}; restarts the pods");
    set(derived, view, &unset, title).filter(|_| in_manifest).unwrap_or_else(|| {
        let place = variables.iter().find_map(|(_, entry)| match &entry.origin {
            Origin::EnvFrom(from) => Some(from.as_str()),
            Origin::Env(_) => None,
        });
        let place = place.unwrap_or("the manifest");
        Fix::advice(format!("remove {names} from {place} and recreate the pods"))
    })
}

fn set_env(
    derived: &Derived<'_>,
    object: Object,
    view: &ContainerView<'_>,
    variables: Vec<Assignment>,
) -> Act {
    let is_init = view.kind != ContainerKind::Regular;
    let edit = Edit::SetEnv { container: view.name().to_owned(), is_init, variables };
    Act::of(derived, ObjectChange { object, edit })
}

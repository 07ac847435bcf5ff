//! The trust policy of the role.

use super::{Command, Fix};
use crate::derive::Derived;
use crate::derive::trust::{Change, Fault, Judgement, QUOTA};
use crate::facts::Source;
use crate::policy::{Reach, Repair};

/// Puts the corrected policy in place. What would open the role further than its policy intends is advice.
pub(crate) fn let_in(derived: &Derived<'_>, judged: &Judgement<'_>, fault: &Fault) -> Fix {
    let name = &judged.role.name;
    let Some(change) = &judged.change else {
        return Fix::advice(format!("add a statement that trusts {}", judged.token.sub));
    };
    let words = change.words(&judged.token);
    if fault.misses.iter().any(|miss| miss.excludes) {
        let (sub, place) = (&judged.token.sub, fault.statement());
        return Fix::advice(format!("if {sub} is not meant to be excluded, exempt it in {place}"));
    }
    if matches!(change.repair, Repair::Append(_)) && fault.other_conditions {
        return Fix::advice(format!(
            "in the trust policy of role {name}: {words}, with the other conditions of {}",
            fault.statement()
        ));
    }
    let size = match judged.over_quota(change) {
        Some(length) => format!(" ({length} characters; IAM's quota is {QUOTA} unless it was raised)"),
        None => String::new(),
    };
    let title = format!("in the trust policy of role {name}: {words}{size}");
    let document = change.corrected.line();
    let words = ["iam", "update-assume-role-policy", "--role-name", name, "--policy-document", &document];
    let command = Command::aws(derived, &words);
    if is_own(judged, change) { Fix::own(title, command) } else { Fix::shared(title, command) }
}

/// True if the change affects nobody else. `update-assume-role-policy` replaces the whole document, so it is the target's own
/// only if three things hold:
///
/// * it corrects the one statement that is meant for this service account and trusts nobody else. An added statement, or a
///   subject added to another, gives the role to one more: if that were safe, anyone who may annotate a service account could
///   have a program grant it any role;
/// * the document was read in this run. A file may be weeks old, and the command would restore that state for everyone;
/// * nothing in it was odd. What was dropped while reading would be dropped for the others too.
fn is_own(judged: &Judgement<'_>, change: &Change) -> bool {
    change.reach == Reach::Own
        && matches!(judged.source, Source::Aws { .. })
        && judged.document.oddities.is_empty()
}

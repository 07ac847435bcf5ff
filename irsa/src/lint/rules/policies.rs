//! Trust policies that IAM refuses to store.

use crate::derive::trust::QUOTA;
use crate::documents::Place;
use crate::lint::change::Change;
use crate::lint::findings::Found;
use crate::lint::policy::NOBODY;
use crate::lint::problem::Problem;
use crate::policy::Document;
use crate::severity::Severity;

/// No policy at all, or one that is too long.
pub(super) fn form(change: &Change, found: &mut Found) {
    for role in &change.roles {
        let Some(trust) = &role.trust else { continue };
        let filled = trust.filled(&NOBODY);
        let place = Place { file: role.file.clone(), position: trust.at };
        let document = match Document::parse(&filled.json.line()) {
            Ok(document) => document,
            Err(error) => {
                found.add(Problem {
                    place,
                    id: "trust-json-oddities",
                    severity: Severity::Error,
                    summary: format!("the trust policy of role {} is refused by IAM: {error}", role.shown()),
                    what: String::new(),
                    expected: None,
                    found: None,
                    fix: Some(String::from("correct the policy")),
                });
                continue;
            }
        };
        let length = document.line().chars().filter(|c| !c.is_whitespace()).count();
        if length > QUOTA {
            found.add(Problem {
                place,
                id: "trust-quota",
                severity: Severity::Warning,
                summary: format!(
                    "the trust policy of role {} has {length} characters; IAM allows {QUOTA} unless the quota was raised",
                    role.shown()
                ),
                what: String::from("characters of the policy"),
                expected: Some(format!("at most {QUOTA}")),
                found: Some(length.to_string()),
                fix: Some(String::from(
                    "write one pattern for several service accounts, or give the workload a role of its own",
                )),
            });
        }
    }
}

//! What a step of a repair does to a policy document.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::Command;
use crate::derive::Derived;
use crate::derive::trust::{QUOTA, over_quota};
use crate::policy::{Document, Json};

/// A policy document before and after a repair.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyChange {
    what: String,
    /// The document as it is, and the command that keeps it in a file; `None` if there is none yet.
    present: Option<(Json, Command)>,
    after: Json,
}

/// A statement that a repair changes or adds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StatementChange<'p> {
    /// Its index in the corrected document, from 0.
    pub index: usize,
    /// As it is; `None` if it is added.
    pub before: Option<&'p Json>,
    /// As it will be.
    pub after: &'p Json,
}

impl PolicyChange {
    /// The trust policy of an existing role of that account. `update-assume-role-policy` replaces the whole document, so the present
    /// one is kept in a file of the working directory.
    pub(super) fn of_trust_policy(
        derived: &Derived<'_>,
        account: &str,
        role: &str,
        from: &Document,
        to: &Document,
    ) -> Self {
        let query = "Role.AssumeRolePolicyDocument";
        let words = ["iam", "get-role", "--role-name", role, "--query", query, "--output", "json"];
        let keep = Command::aws_in(derived, account, &words).into_file(format!("{role}.json"));
        Self {
            what: format!("role {role}'s trust policy"),
            present: Some((from.json().clone(), keep)),
            after: to.json().clone(),
        }
    }

    /// A document that is new.
    pub(super) fn new(what: String, document: Json) -> Self {
        Self { what, present: None, after: document }
    }

    #[cfg(test)]
    pub(super) fn sample(before: Json, keep: Command, after: Json) -> Self {
        Self { what: String::from("role shop-checkout's trust policy"), present: Some((before, keep)), after }
    }

    /// The document: `role checkout's trust policy`.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The command that keeps the present document in a file, to be run before; `None` if there is none yet.
    pub fn keep(&self) -> Option<&Command> {
        self.present.as_ref().map(|(_, keep)| keep)
    }

    /// The document as it is; `None` if there is none yet.
    pub fn before(&self) -> Option<&Json> {
        self.present.as_ref().map(|(document, _)| document)
    }

    /// The length of a trust policy that gets longer than IAM's quota, and that quota: one that is already longer proves a raised one.
    pub fn over_quota(&self) -> Option<(usize, usize)> {
        over_quota(&self.before()?.line(), &self.after.line()).map(|length| (length, QUOTA))
    }

    /// What changes: the statements that are not as they were. A repair removes none.
    pub fn statements(&self) -> Vec<StatementChange<'_>> {
        let before = self.present.as_ref().map(|(document, _)| statements(document)).unwrap_or_default();
        let change = |(index, after)| StatementChange { index, before: before.get(index).copied(), after };
        let all = statements(&self.after).into_iter().enumerate().map(change);
        all.filter(|change| change.before != Some(change.after)).collect()
    }
}

/// A single statement may stand without a list.
fn statements(document: &Json) -> Vec<&Json> {
    match document.get("Statement") {
        Some(Json::Array(items)) => items.iter().collect(),
        single => single.into_iter().collect(),
    }
}

impl Serialize for PolicyChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut change = serializer.serialize_struct("PolicyChange", 3)?;
        change.serialize_field("document", &self.what)?;
        change.serialize_field("statements", &self.statements())?;
        change.serialize_field("keep", &self.keep().map(ToString::to_string))?;
        change.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn only_what_changes_is_told() {
        let change = PolicyChange {
            what: String::from("the trust policy of role x"),
            present: Some((document(r#"{"Statement":[{"Sid":"A"},{"Sid":"B"}]}"#), Command::new(["keep"]))),
            after: document(r#"{"Statement":[{"Sid":"A"},{"Sid":"b"},{"Sid":"C"}]}"#),
        };
        assert_eq!(
            serde_json::to_value(&change).unwrap(),
            serde_json::json!({
                "document": "the trust policy of role x",
                "statements": [
                    {"index": 1, "before": {"Sid": "B"}, "after": {"Sid": "b"}},
                    {"index": 2, "before": null, "after": {"Sid": "C"}},
                ],
                "keep": "keep",
            })
        );
        let single = PolicyChange::new(String::from("x"), document(r#"{"Statement":{"Sid":"A"}}"#));
        assert_eq!(single.statements().len(), 1, "a statement without a list");
        assert!(single.keep().is_none());
    }
}

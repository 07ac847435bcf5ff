//! What `--fix` is going to do, to be read before it is done.

use serde_json::Value;

use super::style::{Paint, Style};
use super::text::Page;
use crate::diagnosis::{ByHand, Step};
use crate::repair::{Assignment, Change, Edit, Given, Kind, ObjectChange, PolicyChange};
use crate::text::safe;

/// A step, and its object as it is now.
#[derive(Debug, Clone)]
pub struct Shown<'d> {
    /// The step.
    pub step: Step<'d>,
    /// The object; `None` if it is not there, and for AWS.
    pub present: Option<Value>,
}

/// The steps with what each changes, and what is left to a person.
pub fn plan(steps: &[Shown<'_>], by_hand: &[ByHand<'_>], later: &[&str], style: &Style) -> String {
    let mut page = Page::new(style);
    let count = match steps.len() {
        1 => String::from("1 step"),
        count => format!("{count} steps"),
    };
    page.text(0, &format!("--fix: {count}"), Paint::Strong);
    for (index, shown) in steps.iter().enumerate() {
        let Step { id, is_inferred, fix, change } = shown.step;
        let lead = format!("  {}  ", index + 1);
        let sure = if is_inferred { ", inferred" } else { "" };
        page.flow(&lead, lead.len(), lead.len(), &format!("{} ({id}{sure})", fix.title()), Paint::Plain);
        if let Some(words) = whose(fix.kind()) {
            page.text(lead.len(), words, Paint::Warning);
        }
        match change {
            Change::Kubernetes(change) => {
                page.text(lead.len(), &place(change), Paint::Dim);
                for (sign, line) in lines(change, shown.present.as_ref()) {
                    let paint = if sign == '-' { Paint::Bad } else { Paint::Good };
                    page.flow(
                        &" ".repeat(lead.len()),
                        lead.len(),
                        lead.len() + 2,
                        &format!("{sign} {line}"),
                        paint,
                    );
                }
            }
            Change::Aws(change) => {
                let (service, action) = change.call.action();
                let account = change.account.as_ref().map(|account| format!(" in account {account}"));
                page.text(
                    lead.len(),
                    &format!("{service}:{action}{}", account.unwrap_or_default()),
                    Paint::Dim,
                );
                // What there is already is shown as a difference, which says it all.
                if fix.policy().is_none_or(|policy| policy.before().is_none()) {
                    for (name, value) in change.call.plain_parameters() {
                        let line = format!("+ {name}: {}", safe::value(&value));
                        page.flow(&" ".repeat(lead.len()), lead.len(), lead.len() + 2, &line, Paint::Good);
                    }
                }
                for statement in fix.policy().map(PolicyChange::statements).unwrap_or_default() {
                    page.hunks(&statement);
                }
            }
        }
    }
    if !by_hand.is_empty() {
        page.text(0, "left to you", Paint::Strong);
        for ByHand { id, fix } in by_hand {
            page.flow("  -  ", 5, 5, &format!("{} ({id})", fix.title()), Paint::Plain);
        }
    }
    if !later.is_empty() {
        let words = format!("for the next time, if it is still there: {}", later.join(", "));
        page.flow("", 0, 2, &words, Paint::Plain);
    }
    page.out
}

/// Who else notices it.
fn whose(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Shared => Some("shared: others use it too, or get more than they had"),
        Kind::Deletion => Some("deletes a pod: what runs in it ends"),
        Kind::Own | Kind::Inspect | Kind::Advice => None,
    }
}

fn place(change: &ObjectChange) -> String {
    let namespace = change.object.namespace.as_ref().map(|namespace| format!(" -n {namespace}"));
    format!("{}{}", change.object.target(), namespace.unwrap_or_default())
}

/// The fields that change, as lines that go and come.
fn lines(change: &ObjectChange, present: Option<&Value>) -> Vec<(char, String)> {
    let of_map = |all: &[Assignment], map: &str| -> Vec<(char, String)> {
        let field = |name: &str| present?.get("metadata")?.get(map)?.get(name)?.as_str();
        all.iter()
            .flat_map(|one| replaced(&format!("{map}[{:?}]", one.name), field(&one.name), one))
            .collect()
    };
    match &change.edit {
        Edit::Create => vec![('+', String::from("the object"))],
        Edit::Annotate(all) => of_map(all, "annotations"),
        Edit::Label(all) => of_map(all, "labels"),
        Edit::SetEnv { container, is_init, variables } => {
            let list = if *is_init { "initContainers" } else { "containers" };
            let named = |list: &'_ Value, name: &str| -> Option<Value> {
                list.as_array()?.iter().find(|item| item["name"] == name).cloned()
            };
            let env = pod_spec(change, present)
                .and_then(|spec| named(&spec[list], container))
                .map(|container| container["env"].clone());
            let value = |name: &str| Some(shown(&named(env.as_ref()?, name)?));
            let of = |one: &Assignment| {
                replaced(&format!("{} of container {container}", one.name), value(&one.name).as_deref(), one)
            };
            variables.iter().flat_map(of).collect()
        }
        Edit::SetServiceAccount(name) => {
            let before = pod_spec(change, present).and_then(|spec| spec["serviceAccountName"].as_str());
            replaced("serviceAccountName", before, &Assignment::set("", name))
        }
        Edit::Merge(patch) | Edit::Json(patch) => vec![('+', safe::escape_in_strings(&patch.to_string()))],
        Edit::Restart => vec![('~', String::from("its pods are replaced"))],
        Edit::Delete => vec![('-', String::from("the pod"))],
    }
}

fn replaced(what: &str, before: Option<&str>, one: &Assignment) -> Vec<(char, String)> {
    let after = one.value.as_ref().map(|value| match value {
        Given::Text(text) => text.as_str(),
        Given::Asked(_) => "",
    });
    let line = |sign, value: &str| (sign, format!("{what}: {}", safe::value(value)));
    before.map(|value| line('-', value)).into_iter().chain(after.map(|value| line('+', value))).collect()
}

/// What a variable is set to. Its value may be a secret, of which only the names of AWS's own settings are none.
fn shown(variable: &Value) -> String {
    let is_public = |name: &str| crate::facts::kubernetes::EnvValue::is_read(name);
    match variable["value"].as_str() {
        Some(value) if variable["name"].as_str().is_some_and(is_public) => value.to_owned(),
        Some(_) => String::from("(a value)"),
        None => String::from("(from elsewhere)"),
    }
}

fn pod_spec<'v>(change: &ObjectChange, present: Option<&'v Value>) -> Option<&'v Value> {
    let path = change.object.kind.template()?;
    path.iter().try_fold(present?, |value, key| value.get(*key))?.get("spec")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::repair::{Object, ObjectKind};

    #[test]
    fn what_goes_and_what_comes() {
        let of = |edit, present: &Value| {
            let object = Object::of(ObjectKind::Deployment, "shop", "checkout");
            let all = lines(&ObjectChange { object, edit }, Some(present));
            all.into_iter().map(|(sign, line)| format!("{sign} {line}")).collect::<Vec<_>>()
        };
        let present = json!({"metadata": {"annotations": {"a": "1"}}, "spec": {"template": {"spec": {
            "serviceAccountName": "default",
            "containers": [{"name": "app", "env": [
                {"name": "AWS_REGION", "value": "eu-west-1"}, {"name": "PASSWORD", "value": "hunter2"}]}]}}}});
        assert_eq!(
            of(Edit::Annotate(vec![Assignment::set("a", "2"), Assignment::set("b", "3\n")]), &present),
            ["- annotations[\"a\"]: 1", "+ annotations[\"a\"]: 2", "+ annotations[\"b\"]: \"3\\n\""]
        );
        let env = |variables| Edit::SetEnv { container: String::from("app"), is_init: false, variables };
        assert_eq!(
            of(
                env(vec![Assignment::set("AWS_REGION", "us-east-1"), Assignment::remove("PASSWORD")]),
                &present
            ),
            [
                "- AWS_REGION of container app: eu-west-1",
                "+ AWS_REGION of container app: us-east-1",
                "- PASSWORD of container app: (a value)"
            ]
        );
        assert_eq!(
            of(Edit::SetServiceAccount(String::from("checkout")), &present),
            ["- serviceAccountName: default", "+ serviceAccountName: checkout"]
        );
    }
}

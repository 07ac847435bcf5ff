//! The trust policy that a role should have, beside the one that it has.

use super::RenderError;
use super::as_code::Language;
use super::style::{Paint, Style};
use super::text::Page;
use crate::derive::trust::{QUOTA, over_quota};
use crate::policy::{Decision, Document, Json};
use crate::repair::{AwsCall, AwsChange, Change, Command, StatementChange};
use crate::text::safe;
use crate::trust::Trusted;

/// How it is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// For a person: the difference, and the command.
    #[default]
    Text,
    /// The document alone.
    Json,
    /// The role in a language.
    Code(Language),
}

/// What is wanted of a role.
#[derive(Debug)]
pub struct Wanted<'w> {
    /// Who is to be trusted.
    pub trusted: &'w Trusted,
    /// Name of the role; `None` if none is known.
    pub role: Option<&'w str>,
    /// Its policy as it is; `None` if it is not known, or there is no role yet.
    pub present: Option<&'w Document>,
    /// The policy that it should have.
    pub document: &'w Document,
    /// Flags that the AWS CLI needs to ask as the user does.
    pub aws_flags: &'w [String],
}

/// The answer as one text.
///
/// # Errors
/// The language has no form for it.
pub fn render(wanted: &Wanted<'_>, form: Form, style: &Style) -> Result<Option<String>, RenderError> {
    let document = wanted.document.json();
    match form {
        Form::Text => Ok(Some(text(wanted, style))),
        Form::Json => Ok(Some(safe::escape_in_strings(&document.pretty()) + "\n")),
        Form::Code(language) => {
            let role = wanted.role.unwrap_or(&wanted.trusted.service_account).to_owned();
            let call = AwsCall::UpdateAssumeRolePolicy { role, document: document.clone() };
            Ok(language.declare(&Change::from(AwsChange { account: None, call })))
        }
    }
}

fn text(wanted: &Wanted<'_>, style: &Style) -> String {
    let Wanted { trusted, role, present, document, aws_flags } = wanted;
    let mut page = Page::new(style);
    let who = format!("{}/{}", trusted.namespace, trusted.service_account);
    let of = role.map_or_else(|| String::from("its role"), |role| format!("role {role}"));
    let Some(present) = present else {
        page.text(0, &format!("the trust policy of {of} for {who} alone"), Paint::Strong);
        for line in document.json().lines(style.columns()) {
            page.put(0, &style.paint(Paint::Command, &safe::escape_in_strings(&line)));
        }
        return page.out;
    };
    let state = match trusted.decision(present) {
        Some(Decision::Allow { .. }) => "trusts it already",
        Some(Decision::ExplicitDeny { .. }) => {
            "denies it, which stays in force until that statement is changed"
        }
        Some(Decision::Unknown { .. }) => "may trust it: its conditions depend on what is not known here",
        Some(Decision::NoMatch) | None => "does not trust it",
    };
    page.text(0, &format!("{of}, for {who}: {state}"), Paint::Strong);
    if present.json() == document.json() {
        page.text(2, "nothing to change", Paint::Plain);
        return page.out;
    }
    if !is_added(present, document) {
        page.text(
            2,
            "takes the place of its policy: whoever else it trusts loses the role (--add keeps them)",
            Paint::Warning,
        );
    }
    let (before, after) = (statements(present), statements(document));
    for index in 0..before.len().max(after.len()) {
        match (before.get(index), after.get(index)) {
            (before, Some(after)) if before == Some(after) => {}
            (before, Some(after)) => page.hunks(&StatementChange { index, before, after }),
            (Some(gone), None) => {
                for line in gone.lines(style.columns().saturating_sub(6)) {
                    let line = safe::escape_in_strings(&line);
                    page.put(4, &style.paint(Paint::Bad, &format!("- {line}")));
                }
            }
            (None, None) => {}
        }
    }
    if let Some(length) = over_quota(&present.line(), &document.line()) {
        let words = format!("{length} characters; IAM's quota is {QUOTA} unless it was raised");
        page.text(2, &words, Paint::Warning);
    }
    if let Some(role) = role {
        let query = ["--query", "Role.AssumeRolePolicyDocument", "--output", "json"];
        let keep = Command::new(["aws", "iam", "get-role", "--role-name", role].into_iter().chain(query));
        let keep = keep.words(aws_flags.iter().cloned()).into_file(format!("{role}.json"));
        for line in keep.lines(style.columns().saturating_sub(4)) {
            page.put(4, &style.paint(Paint::Command, &line));
        }
        let role = (*role).to_owned();
        let call = AwsCall::UpdateAssumeRolePolicy { role, document: document.json().clone() };
        for line in call.command(aws_flags).lines(style.columns().saturating_sub(4)) {
            page.put(4, &style.paint(Paint::Command, &safe::escape_in_strings(&line)));
        }
    }
    page.out
}

/// The same document with its keys in the order in which policies are written: another order is no difference.
fn in_usual_order(json: &Json) -> Json {
    const FIRST: [&str; 9] =
        ["Version", "Id", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"];
    match json {
        Json::Array(items) => Json::Array(items.iter().map(in_usual_order).collect()),
        Json::Object(members) => {
            let mut members: Vec<(String, Json)> =
                members.iter().map(|(key, value)| (key.clone(), in_usual_order(value))).collect();
            let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
            members.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
            Json::Object(members)
        }
        plain => plain.clone(),
    }
}

/// True if every statement of the present document stays as it is.
fn is_added(present: &Document, document: &Document) -> bool {
    let after = statements(document);
    statements(present).iter().all(|statement| after.contains(statement))
}

/// The statements, each in the usual order; a single one may stand without a list.
fn statements(document: &Document) -> Vec<Json> {
    match document.json().get("Statement") {
        Some(Json::Array(items)) => items.iter().map(in_usual_order).collect(),
        single => single.into_iter().map(in_usual_order).collect(),
    }
}

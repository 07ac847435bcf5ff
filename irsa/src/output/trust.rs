//! The trust policy that a role should have, beside the one that it has.

use super::RenderError;
use super::as_code::Language;
use super::style::{Paint, Style};
use super::text::Page;
use crate::derive::trust::{QUOTA, over_quota};
use crate::policy::{Decision, Document};
use crate::repair::{AwsCall, AwsChange, Change, StatementChange};
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
        page.text(2, "whoever else it trusts now loses the role", Paint::Warning);
    }
    page.hunks(&StatementChange { index: 0, before: Some(present.json()), after: document.json() });
    if let Some(length) = over_quota(&present.line(), &document.line()) {
        let words = format!("{length} characters; IAM's quota is {QUOTA} unless it was raised");
        page.text(2, &words, Paint::Warning);
    }
    if let Some(role) = role {
        let role = (*role).to_owned();
        let call = AwsCall::UpdateAssumeRolePolicy { role, document: document.json().clone() };
        for line in call.command(aws_flags).lines(style.columns().saturating_sub(4)) {
            page.put(4, &style.paint(Paint::Command, &safe::escape_in_strings(&line)));
        }
    }
    page.out
}

/// True if every statement of the present document stays as it is.
fn is_added(present: &Document, document: &Document) -> bool {
    let statements = |document: &Document| match document.json().get("Statement") {
        Some(crate::policy::Json::Array(items)) => items.clone(),
        single => single.into_iter().cloned().collect(),
    };
    let after = statements(document);
    statements(present).iter().all(|statement| after.contains(statement))
}

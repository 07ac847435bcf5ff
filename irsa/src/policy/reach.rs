//! Whom a change of a trust policy reaches: what decides whether one may make it without asking.

use super::document::{Condition, Document, Effect, PrincipalKind, Statement};
use super::json::{Json, Path};
use super::operator::Test;
use super::request::Request;
use super::token::Token;

/// Whom a change reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One statement differs, and it lets in the subject that asks and nobody else.
    Own,
    /// A statement is new, or the one that differs lets in others as well: the role is given to one more, or its pattern
    /// begins to count.
    Others,
}

impl Reach {
    /// Compares the document before and after; judged by what it says, not by how it came about.
    pub(super) fn of(before: &Document, after: &Document, request: &Request) -> Self {
        match (only_difference(before, after), Token::of(request)) {
            (Some(statement), Some(token)) if token.is_alone_in(statement) => Self::Own,
            _ => Self::Others,
        }
    }
}

/// The one statement in which the documents differ; `None` if they differ in more or elsewhere.
fn only_difference<'d>(before: &Document, after: &'d Document) -> Option<&'d Statement> {
    let (old, new) = (statements(&before.json)?, statements(&after.json)?);
    let same_frame = frame(&before.json).eq(frame(&after.json));
    let mut changed = old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new);
    let (index, _) = changed.next().filter(|_| same_frame && old.len() == new.len())?;
    changed.next().is_none().then(|| after.statements.get(index))?
}

fn statements(json: &Json) -> Option<&[Json]> {
    match json.at(&Path::default().key("Statement").0)? {
        Json::Array(statements) => Some(statements),
        single => Some(std::slice::from_ref(single)),
    }
}

/// All but the statements.
fn frame(json: &Json) -> impl Iterator<Item = &(String, Json)> {
    let members = if let Json::Object(members) = json { members.as_slice() } else { &[] };
    members.iter().filter(|(name, _)| name != "Statement")
}

impl Token<'_> {
    /// True if the statement allows this subject, through its own provider, and nobody else.
    fn is_alone_in(&self, statement: &Statement) -> bool {
        let ours = statement.principal.as_ref().is_some_and(|clause| {
            !clause.negated
                && !clause.entries.is_empty()
                && clause
                    .entries
                    .iter()
                    .all(|entry| entry.kind == PrincipalKind::Federated && entry.value == self.provider_arn())
        });
        statement.effect == Effect::Allow
            && ours
            && statement.conditions.iter().any(|condition| self.is_sub_alone(condition))
    }

    /// True if the condition asks for this subject letter by letter, and fails where the call has none.
    fn is_sub_alone(&self, condition: &Condition) -> bool {
        let exact = condition.operator.is_some_and(|operator| {
            !operator.negated
                && !operator.if_exists
                && operator.quantifier.is_none()
                && matches!(operator.test, Test::StringEquals | Test::StringLike)
        });
        exact
            && self.claim(&condition.key) == Some("sub")
            && !condition.values.is_empty()
            && condition.values.iter().all(|value| value == self.sub() && !value.contains(['*', '?', '$']))
    }
}

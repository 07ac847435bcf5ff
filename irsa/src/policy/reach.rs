//! Whom a change of a trust policy reaches: what decides whether it is offered, and whether one may make it without asking.

use super::document::{Condition, Document, Effect, PrincipalKind, Statement};
use super::evaluate::evaluate;
use super::json::{Json, Path};
use super::neighbours::{Neighbour, Who, neighbours};
use super::operator::Test;
use super::request::Request;
use super::token::Token;
use super::trace::Decision;

/// A changed document that was held against the one before it. There is no other way to make one, so that nobody offers a
/// change without knowing whom it reaches.
#[derive(Debug, Clone)]
pub struct Correction {
    document: Document,
    reach: Reach,
    after: Decision,
}

/// Whom a change reaches. Nobody ever loses what they had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One statement differs, and it lets in the subject that asks and nobody else.
    Own,
    /// The subject that asks is let in, and nobody else who was not: by a new statement, or by one that lets in others as well.
    One,
    /// Other service accounts of the namespace are let in as well: a pattern begins to count.
    Namespace,
}

impl Correction {
    /// Evaluates both documents for who asks and for all beside; `None` if the change does not let in who asks, if somebody
    /// loses access, or if somebody beyond the namespace gains it. Nobody has the `vacant` subjects, so that they lose nothing.
    pub(super) fn check(
        before: &Document,
        document: Document,
        request: &Request,
        vacant: &[String],
    ) -> Option<Self> {
        let after = evaluate(&document, request).decision;
        if after == Decision::NoMatch {
            return None;
        }
        let mut namespace = false;
        let mut replaces = false;
        for Neighbour { who, request } in neighbours(request, [before, &document]) {
            let is_vacant =
                Token::of(&request).is_some_and(|token| vacant.iter().any(|sub| sub == token.sub()));
            let was = access(&evaluate(before, &request).decision);
            let is = access(&evaluate(&document, &request).decision);
            match who {
                _ if is < was && is_vacant => replaces = true,
                _ if is < was => return None,
                Who::Stranger if is > was => return None,
                Who::OfTheNamespace => namespace |= is > was,
                Who::Stranger | Who::Itself => {}
            }
        }
        let own = || {
            only_difference(before, &document)
                .zip(Token::of(request))
                .is_some_and(|(statement, token)| token.is_alone_in(statement))
        };
        let reach = match namespace {
            true => Reach::Namespace,
            // It was meant for another name: whether for this one is for a person to say.
            false if !replaces && own() => Reach::Own,
            false => Reach::One,
        };
        Some(Self { document, reach, after })
    }

    /// The document after the change.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Whom it reaches.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The answer after it: an explicit denial stays, and so does what is not known.
    pub fn after(&self) -> &Decision {
        &self.after
    }
}

/// How much access a decision gives: none, perhaps, certainly.
fn access(decision: &Decision) -> u8 {
    match decision {
        Decision::NoMatch | Decision::ExplicitDeny { .. } => 0,
        Decision::Unknown { .. } => 1,
        Decision::Allow { .. } => 2,
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

//! What an evaluation leaves behind: what was compared with what, and why it matched or did not.

use super::document::{Clause, Condition, Document, Effect, PrincipalEntry};
use super::request::{Found, Request};
use super::tri::Tri;

/// The answer to a request, with the way to it.
#[derive(Debug, Clone)]
pub struct Evaluation<'a> {
    /// The policy.
    pub document: &'a Document,
    /// The question.
    pub request: &'a Request,
    /// The answer.
    pub decision: Decision,
    /// Each statement, in the order of the document.
    pub statements: Vec<StatementTrace<'a>>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This statement allows it, and none denies it.
    Allow {
        /// Index of the first that does.
        statement: usize,
    },
    /// This statement denies it, whatever others say.
    ExplicitDeny {
        /// Index of the first that does.
        statement: usize,
    },
    /// No statement allows it, which denies it as well.
    NoMatch,
    /// It depends on something that is not known from here.
    Unknown {
        /// Indexes of the statements on which it depends.
        statements: Vec<usize>,
    },
}

/// How one statement was judged.
#[derive(Debug, Clone)]
pub struct StatementTrace<'a> {
    /// Its index.
    pub index: usize,
    /// Its name.
    pub sid: Option<&'a str>,
    /// What it does when it matches.
    pub effect: Effect,
    /// Whether it matches.
    pub matched: Tri,
    /// `Principal` or `NotPrincipal`.
    pub principal: PartTrace<'a, PrincipalEntry>,
    /// `Action` or `NotAction`.
    pub action: PartTrace<'a, String>,
    /// `Resource` or `NotResource`.
    pub resource: PartTrace<'a, String>,
    /// Each key of each operator.
    pub conditions: Vec<ConditionTrace<'a>>,
}

/// How a part of a statement other than its conditions was judged.
#[derive(Debug, Clone)]
pub struct PartTrace<'a, T> {
    /// What the statement has; `None` if it lacks this part.
    pub clause: Option<&'a Clause<T>>,
    /// Whether the request satisfies it.
    pub outcome: Tri,
    /// Index of the entry that names what the request has, if one does. Under `Not…` it is the one that excludes it.
    pub entry: Option<usize>,
}

/// How one condition was judged.
#[derive(Debug, Clone)]
pub struct ConditionTrace<'a> {
    /// What the statement demands: operator, key and values.
    pub condition: &'a Condition,
    /// What the request has.
    pub found: Found<'a>,
    /// Whether the request satisfies it.
    pub outcome: Tri,
    /// Why.
    pub reason: Reason,
}

/// Why a condition has its outcome. An `expected` is the index of the value in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A value matches.
    Matches {
        /// Which.
        expected: usize,
    },
    /// The operator is negated, and no value matches.
    NoneMatches,
    /// The request does not have the key, which satisfies this operator.
    AbsentPasses,
    /// `Null` asks whether the key is there, and it is so.
    PresenceAsAsked,
    /// Every value in the request passes the set operator.
    SetPasses,

    /// The request does not have the key, which this operator demands.
    KeyAbsent,
    /// `Null` asks whether the key is there, and it is the other way round.
    PresenceNotAsAsked,
    /// No value matches.
    Differs,
    /// No value matches, but this one would if upper and lower case were the same.
    CaseDiffers {
        /// Which.
        expected: usize,
    },
    /// No value matches, but this one would if the operator knew wildcards.
    WildcardIsLiteral {
        /// Which.
        expected: usize,
    },
    /// The operator is negated, and this value matches.
    Forbidden {
        /// Which.
        expected: usize,
    },
    /// This value, or the request's, is not of the operator's type.
    Invalid {
        /// Which.
        expected: usize,
    },

    /// The key cannot be known from here.
    KeyUnknown,
    /// The request does not have the key, and IAM's documentation says both true and false of this operator then.
    AbsentUnspecified,
    /// A policy variable in this value cannot be known from here.
    VariableUnknown {
        /// Which.
        expected: usize,
    },
    /// The request has several values, and the operator has no `ForAnyValue:` or `ForAllValues:`. IAM's documentation
    /// demands one and does not say what happens without.
    SeveralValues,
    /// IAM has no such operator.
    UnknownOperator,
    /// IAM's documentation does not say what this value does.
    Unspecified {
        /// Which.
        expected: usize,
    },
}

impl StatementTrace<'_> {
    /// The conditions that are certainly not satisfied.
    pub fn failed_conditions(&self) -> impl Iterator<Item = &ConditionTrace<'_>> {
        self.conditions.iter().filter(|condition| condition.outcome == Tri::False)
    }
}

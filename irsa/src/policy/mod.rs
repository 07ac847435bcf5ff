//! The IAM policy language: documents, condition operators, and evaluation with a trace.
//!
//! [`Document::parse`] reads a policy, [`evaluate`] asks it a [`Request`] and keeps what was compared with what,
//! [`nearest`] says what to change so that it is allowed. Nothing here knows of Kubernetes or of this program.
//!
//! The answer has three values. A key such as `aws:SourceIp` cannot be known from here, and what depends on it is
//! *unknown*: never silently allowed, never silently denied. So is what IAM's documentation leaves open.
//!
//! The rules are those of the IAM User Guide (`reference_policies_elements_condition_operators`,
//! `reference_policies_condition-logic-multiple-context-keys-or-values`, `reference_policies_variables`):
//!
//! * Several operators and several keys: all must hold. Several values: one must match; for a negated operator none may.
//! * A key that the request lacks: false, for a negated operator true; true with `…IfExists` and with `ForAllValues:`,
//!   false with `ForAnyValue:`.
//! * Names of keys and operators know no case; values do.
//! * An explicit deny wins.

mod assume_role;
mod compare;
mod decode;
mod document;
mod edit;
mod evaluate;
mod json;
mod keys;
mod nearest;
mod neighbours;
mod operator;
mod reach;
mod request;
mod token;
mod trace;
mod tri;
mod variable;
mod wildcard;

pub use assume_role::AssumeRole;
pub use decode::decoded;
pub use document::{
    Clause, Condition, Document, Effect, Oddity, PolicyError, PrincipalEntry, PrincipalKind, Statement,
    Version,
};
pub use edit::{Edit, EditKind};
pub use evaluate::evaluate;
pub use json::{Json, Path, Segment};
pub use keys::Call;
pub use nearest::{Change, Nearest, Repair, nearest, nearest_beside};
pub use operator::{Operator, Quantifier, Relation, Test};
pub use reach::{Correction, Reach};
pub use request::{Context, Found, Principal, Request, Value, WebIdentity};
pub use token::{known_claim, without_scheme};
pub use trace::{ConditionTrace, Decision, Evaluation, PartTrace, Reason, StatementTrace};
pub use tri::Tri;

#[cfg(test)]
mod tests;

//! AWS as facts: every answer, also a refusal and a silence, becomes a [`Fact`]. Each question may fail on its own.

mod eks;
mod hints;
mod iam;
mod own;
mod profile;
mod session;
mod sts;
mod trail;

pub use hints::EksHints;
pub use iam::Roles;
pub use profile::{NoSuchProfile, Profile, names as profiles};
pub(crate) use session::NoAnswer;
pub use session::{Session, Settings};
pub use sts::{Attempt, Chosen};

use irsa::facts::{Fact, Source};

/// The source of an answer.
fn source(action: &str, object: impl Into<String>) -> Source {
    Source::Aws { action: action.to_owned(), object: object.into(), field: String::new() }
}

/// The account of an ARN.
fn account_of(arn: &str) -> Option<&str> {
    irsa::aws::arn::Arn::account_of(arn)
}

/// A time as the SDK gives it.
fn timestamp(time: &aws_smithy_types::DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time.secs()).ok()
}

/// An answer that is known whole.
fn known<T>(value: T, source: Source) -> Fact<T> {
    Fact::observed(value, source)
}

//! What every check imports.

#![allow(unused_imports, reason = "not every check uses all of it")]

pub use super::{Meta, Outcome, unknown};
pub use crate::derive::container::{
    ContainerView, PI_VOLUME, ROLE_ARN, TOKEN_DIRECTORY, TOKEN_FILE, TOKEN_VOLUME, TokenMount, Wiring,
};
pub use crate::derive::sts_answer::StsVerdict;
pub use crate::derive::webhook::{Registrations, Selection};
pub use crate::derive::{BareBecause, Derived, Intent, Platform, RoleOrigin, annotation_path};
pub use crate::facts::{Fact, Source, Sourced, Subject};
pub use crate::finding::{Finding, Severity};
pub use crate::mechanism::Mechanism;
pub use crate::repair::{Command, Fix};
pub use crate::step::Step;

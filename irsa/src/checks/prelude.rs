//! What every check imports.

#![allow(unused_imports, reason = "not every check uses all of it")]

pub(crate) use super::{Meta, Outcome, unknown};
pub(crate) use crate::derive::container::{
    ContainerView, PI_DIRECTORY, PI_VOLUME, ROLE_ARN, TOKEN_DIRECTORY, TOKEN_FILE, TOKEN_VOLUME, TokenMount,
    Wiring,
};
pub(crate) use crate::derive::sts_answer::{Open, StsVerdict};
pub(crate) use crate::derive::webhook::{Registrations, Selection};
pub(crate) use crate::derive::{BareBecause, Derived, Intent, Platform, RoleOrigin, annotation_path};
pub(crate) use crate::facts::{Fact, Source, Sourced, Subject};
pub(crate) use crate::finding::{Doubt, Finding, Severity};
pub(crate) use crate::mechanism::Mechanism;
pub(crate) use crate::repair::{Act, Assignment, Command, Edit, Fix, Object, ObjectChange, ObjectKind};
pub(crate) use crate::step::Step;

//! What checks of several links have in common.

pub(super) mod app_errors;
pub(super) mod missing_role;
pub(super) mod probed;
pub(super) mod trust;
